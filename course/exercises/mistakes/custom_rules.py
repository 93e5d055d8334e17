"""Mistakes that people make in `custom_rules`: slopes of others, rounds that stop all, pairs half installed."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from course.comparison.mistakes import Mistake
from course.exercises.mistakes import losses
from course.exercises.mistakes.forms import held, one_row, valued, weighted
from course.lessons.custom_rules import LEVELS, Clipped, Pulled, Used, fake_quantize, log1pexp, projected_cross_entropy

LARGEST_EXPONENT = 700.0
"""exp of it is finite in float64; that of 710 is not."""

ROWS = 32
"""Of a part, at most, where somebody follows the hint."""


def _sloped(sloped: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """log1pexp with the derivative of another function."""
    return lambda x: valued(log1pexp(x), sloped(x))


_ASK_SLOPE = "Where does the slope go far to the left, and far to the right?   (step 1)"

LOG1PEXP = (
    Mistake(
        "log left out",
        _sloped(lambda x: jnp.exp(jnp.minimum(x, LARGEST_EXPONENT))),
        "The slope is that of 1 + exp(x); the log's own is missing.",
        "How steep is a log, where 1 + exp(x) stands inside?   (step 1)",
    ),
    Mistake(
        "inside left out",
        _sloped(lambda x: -log1pexp(-x)),
        "The slope falls from 1 to 0: that of what stands inside the log is missing, or a sign of x.",
        _ASK_SLOPE,
    ),
    Mistake(
        "slope of relu",
        _sloped(lambda x: jnp.maximum(x, 0)),
        "The slope jumps from 0 to 1.",
        "How steep is log(1 + exp(x)) at 0?   (step 1)",
    ),
    Mistake(
        "one derivative too many",
        _sloped(jax.nn.sigmoid),
        "This is the slope of the slope.",
        _ASK_SLOPE,
    ),
    Mistake(
        "value for slope",
        _sloped(lambda x: held(log1pexp(x)) * x),
        "x_dot was multiplied by the value, not by the slope: far to the right that grows for ever.",
        _ASK_SLOPE,
    ),
    Mistake(
        "tanh for slope",
        _sloped(lambda x: log1pexp(x) + log1pexp(-x)),
        "The slope goes from -1 to 1.",
        _ASK_SLOPE,
    ),
)


def _length_of(x: Any, y_bar: Any, y: Any, slope: Any) -> Pulled:
    return Pulled(y, slope * y_bar[:, None])


def _root_bar(x: Any, y: Any) -> Any:
    return jnp.where(y[:, None] > 0, x / y[:, None], 0)


def _one_where(x: Any, y_bar: Any) -> Pulled:
    y = jnp.linalg.norm(x, axis=-1)
    return Pulled(y, jnp.where(y[:, None] == 0, jnp.nan, _root_bar(x, y) * y_bar[:, None]))


def _one_for_zero(x: Any, y_bar: Any) -> Pulled:
    y = jnp.linalg.norm(x, axis=-1)
    return Pulled(jnp.where(y == 0, 1.0, y), _root_bar(x, y) * y_bar[:, None])


def _squares(x: Any, y_bar: Any) -> Pulled:
    return Pulled((x * x).sum(-1), 2 * x * y_bar[:, None])


def _by_absolute_values(x: Any, y_bar: Any) -> Pulled:
    return Pulled(jnp.sum(jnp.abs(x), axis=-1), jnp.sign(x) * y_bar[:, None])


def _by_mean(x: Any, y_bar: Any) -> Pulled:
    y = jnp.sqrt(jnp.mean(x**2, axis=-1))
    return Pulled(y, _root_bar(x, y) * y_bar[:, None] / x.shape[-1])


_ASK_ROWS = "What stands under the root of a row of zeros, in the branch that is not taken?   (step 1)"

LENGTHS = (
    Mistake(
        "one where",
        _one_where,
        "The value is right, and what comes back to a row of zeros is no number: it went through the root, too.",
        _ASK_ROWS,
    ),
    Mistake(
        "one for zero",
        _one_for_zero,
        "A row of zeros got the length of what stands in its place under the root.",
        "What is the length of these rows, after all?   (step 2)",
    ),
    Mistake("squares", _squares, "The root is missing.", "Is a length a sum of squares?   (step 1)"),
    Mistake(
        "absolute values",
        _by_absolute_values,
        "Absolute values were added up.",
        "Of what is a length the root?   (step 1)",
    ),
    Mistake("mean of squares", _by_mean, "The squares were averaged.", "Is a length a mean?   (step 1)"),
)


def _installed(bars: Callable[..., Any]) -> Callable[..., Used]:
    """The right value with other cotangents."""

    def mistaken(fwd: Any, bwd: Any, primals: Any, y_bar: Any) -> Used:
        y, residuals = fwd(*primals)
        found = bars(bwd, primals, residuals, y_bar)
        return Used(y, y, found, found[0])

    return mistaken


def _by_jax(fwd: Any, bwd: Any, primals: Any, y_bar: Any) -> Used:
    y, pullback, _ = jax.vjp(fwd, *primals, has_aux=True)
    bars = pullback(y_bar)
    return Used(y, y, bars, bars[0])


INSTALL = (
    Mistake(
        "JAX's own derivative",
        _by_jax,
        "The value is right, and what comes back is what JAX makes of fwd: bwd had no say.",
        "Who is called on the way back?   (step 2)",
    ),
    Mistake(
        "y_bar left out",
        _installed(lambda bwd, primals, residuals, y_bar: bwd(residuals, jnp.ones_like(y_bar))),
        "What comes back is bwd's answer to ones.",
        "With what is bwd called?   (step 2)",
    ),
    Mistake(
        "straight through",
        _installed(lambda bwd, primals, residuals, y_bar: (y_bar, *bwd(residuals, y_bar)[1:])),
        "y_bar came back as it was handed in.",
        "Who is called on the way back?   (step 2)",
    ),
    Mistake(
        "x for y_bar",
        _installed(lambda bwd, primals, residuals, y_bar: bwd(residuals, primals[0])),
        "bwd was handed x in the place of y_bar.",
        "With what is bwd called?   (step 2)",
    ),
)

_TAUGHT = (
    "mean lost",
    "mean over every number",
    "label left out",
    "normaliser left out",
    "softmax down the columns",
    "a sigmoid each",
    "not normalised",
    "logits for probabilities",
)

FUSED_CROSS_ENTROPY = tuple(mistake for mistake in losses.SOFTMAX_CROSS_ENTROPY if mistake.name in _TAUGHT)


def _on_grid(sloped: Callable[[Any, Any, Any], Any]) -> Callable[..., Any]:
    """fake_quantize with the derivative of a function of x, step and where x fits on the grid."""
    return lambda x, step: valued(fake_quantize(x, step), sloped(x, step, jnp.abs(x / step) <= LEVELS))


def _edge(x: Any) -> Any:
    return LEVELS * jnp.sign(x)


def _by_value(x: Any, step: Any) -> Any:
    """By step as it stands in front; step / held(step) is 1."""
    return held(fake_quantize(x, step)) * (step / held(step))


_ASK_FITS = "Where x fits on the grid, and where it does not: what does either pass on to x?   (step 1)"
_ASK_STEP = "In how many places does step stand where x fits, and where it does not?   (step 2)"

FAKE_QUANTIZE = (
    Mistake(
        "round held still",
        _on_grid(lambda x, step, fits: _by_value(x, step)),
        "Round was differentiated as the stairs that it is: nothing comes back to x, and step gets what stands in "
        "front of round alone.",
        _ASK_FITS,
    ),
    Mistake(
        "passed on everywhere",
        _on_grid(lambda x, step, fits: jnp.where(fits, fake_quantize(x, step), x + fake_quantize(held(x), step))),
        "y_bar came back to x beyond the edges of the grid, too.",
        _ASK_FITS,
    ),
    Mistake(
        "step by its first place alone",
        _on_grid(lambda x, step, fits: jnp.where(fits, x, 0) + _by_value(held(x), step)),
        "step got what stands in front of round; the division by it was left out.",
        _ASK_STEP,
    ),
    Mistake(
        "step where x fits left out",
        _on_grid(lambda x, step, fits: jnp.where(fits, x, step * _edge(x))),
        "step got something from beyond the edges alone, as if nothing were rounded.",
        _ASK_STEP,
    ),
    Mistake(
        "step beyond the edges left out",
        _on_grid(lambda x, step, fits: jnp.where(fits, fake_quantize(x, step), 0)),
        "step got nothing from the numbers beyond the edges.",
        _ASK_STEP,
    ),
    Mistake(
        "turned round at the edges",
        _on_grid(lambda x, step, fits: jnp.where(fits, 0, x) + fake_quantize(held(x), step)),
        "y_bar came back to x beyond the edges, and not within them.",
        _ASK_FITS,
    ),
    Mistake(
        "divided by step",
        _on_grid(lambda x, step, fits: jnp.where(fits, x / held(step), 0) + fake_quantize(held(x), step)),
        "Of the two factors of x, 1 / step and step, the second is missing.",
        "By what is x divided, and by what is what comes of it multiplied?   (step 1)",
    ),
    Mistake(
        "step averaged",
        lambda x, step: fake_quantize(x, weighted(step, 1 / x.size)),
        "What all numbers send to step was averaged.",
        "Every number of y was made with the one step: what follows?   (step 3)",
    ),
    Mistake(
        "step from the first row",
        lambda x, step: valued(
            fake_quantize(x, step), fake_quantize(x, held(step)) + one_row(fake_quantize(held(x), step), 0)
        ),
        "step got what the first row sends, and nothing from the others.",
        "Every number of y was made with the one step: what follows?   (step 3)",
    ),
)


def _clipped(factor: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Clipped]:
    """The cotangent times a factor made of the limit and of it."""
    return lambda limit, y_bar: _of_x(limit, y_bar * factor(limit, y_bar))


def _of_x(limit: Any, x_bar: Any) -> Clipped:
    return Clipped(x_bar, jnp.zeros_like(limit))


def _lengths(y_bar: Any) -> Any:
    return jnp.sqrt(jnp.sum(y_bar**2, axis=-1, keepdims=True))


def _safe(length: Any) -> Any:
    return jnp.where(length > 0, length, 1)


_ASK_LONG = "Which rows are too long, and by what is such a row multiplied?   (step 1)"

CLIP_GRADIENT = (
    Mistake("not clipped", _clipped(lambda limit, y_bar: 1), "Nothing was shortened.", _ASK_LONG),
    Mistake(
        "number by number",
        lambda limit, y_bar: _of_x(limit, jnp.clip(y_bar, -limit, limit)),
        "Every number was clipped by itself, which turns a row to another direction.",
        "How long is a row?   (step 1)",
    ),
    Mistake(
        "all rows together",
        _clipped(lambda limit, y_bar: jnp.minimum(1, limit / _safe(jnp.linalg.norm(y_bar)))),
        "All rows were shortened together, by the length of the whole array.",
        "How long is a row?   (step 1)",
    ),
    Mistake(
        "short rows made longer",
        _clipped(lambda limit, y_bar: limit / _safe(_lengths(y_bar))),
        "Rows that are shorter than the limit were made longer.",
        "And if a row is not too long?   (step 2)",
    ),
    Mistake(
        "long rows left out",
        _clipped(lambda limit, y_bar: jnp.where(_lengths(y_bar) > limit, 0, 1)),
        "Rows that are too long got nothing at all.",
        _ASK_LONG,
    ),
    Mistake(
        "zero divided by zero",
        _clipped(lambda limit, y_bar: jnp.minimum(_lengths(y_bar), limit) / _lengths(y_bar)),
        "A row of zeros was divided by its length.",
        "What becomes of a row of zeros?   (step 2)",
    ),
)


def _projected(of_logits: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    return lambda h, w, labels: of_logits(h @ w, labels)


def _in_parts(h: Any, w: Any, labels: Any) -> Any:
    loss = projected_cross_entropy(h, w, labels)
    return valued(loss, len(h) // math.gcd(len(h), ROWS) * loss)


PROJECTED_CROSS_ENTROPY = (
    *(
        Mistake(
            mistake.name, _projected(mistake.primal), mistake.says, mistake.ask.partition("   (")[0] + "   (step 1)"
        )
        for mistake in FUSED_CROSS_ENTROPY
        if mistake.name in ("mean lost", "label left out", "normaliser left out", "softmax down the columns")
    ),
    Mistake(
        "a part's share forgotten",
        _in_parts,
        "What came back from each part was taken for a mean over all rows: it is right times the number of parts.",
        "The mean over a part has a share in the mean over all: how large?   (step 1)",
    ),
    Mistake(
        "w_bar averaged",
        lambda h, w, labels: projected_cross_entropy(h, weighted(w, 1 / len(h)), labels),
        "What the rows send to w was averaged once more.",
        "All rows used the same w. Used many times: what follows?   (step 2)",
    ),
    Mistake(
        "w_bar overwritten",
        lambda h, w, labels: valued(
            projected_cross_entropy(h, w, labels),
            projected_cross_entropy(h, held(w), labels) + _of_last_row(held(h), w, labels),
        ),
        "w kept what the last row sent: each overwrote the one before.",
        "All rows used the same w. Used many times: what follows?   (step 2)",
    ),
)


def _of_last_row(h: Any, w: Any, labels: Any) -> Any:
    """The last row's part of the mean."""
    return projected_cross_entropy(h[-1:], w, labels[-1:]) / len(h)
