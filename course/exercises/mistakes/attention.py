"""The mistakes with a name of `attention`: softmax taken for something simpler, scales, masks, heads and paths lost.

Only forward functions stand here: each has the right value, and the derivative of a wrong pass.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from course.comparison.mistakes import Mistake
from course.exercises.mistakes.forms import changed, held, unasked, valued, weighted
from course.lessons.attention import (
    SLOWEST,
    Attention,
    attend,
    causal,
    powers_of,
    rotary,
    self_attention,
    softmax,
    total_of,
)

Function = Callable[..., Any]


# Softmax by rows, of scores of which some may be -inf.


def _weights(scores: Any) -> Any:
    powers = powers_of(scores)
    return powers / total_of(powers)


def _total_still(scores: Any) -> Any:
    powers = powers_of(scores)
    return powers / held(total_of(powers))


def _alone(scores: Any) -> Any:
    """Each weight, with all of its row but its own power taken for constants."""
    powers = powers_of(scores)
    return powers / (powers + held(total_of(powers) - powers))


def _seen(scores: Any) -> Any:
    """The scores, and constants for those that are -inf."""
    return jnp.where(scores == -jnp.inf, 0, scores)


def _handed_on(scores: Any) -> Any:
    return valued(_weights(scores), _seen(scores))


def _by_columns(scores: Any) -> Any:
    return valued(_weights(scores), _weights(scores.T).T)


def _by_total(factor: Function, top: float = 1.0) -> Function:
    """Softmax, of whose two ways that by the total counts times a factor of the length of a row."""

    def sloped(scores: Any) -> Any:
        by_top = _total_still(scores)
        return valued(_weights(scores), top * by_top + factor(scores.shape[-1]) * (_weights(scores) - by_top))

    return sloped


_SHARED = "When one score grows, what happens to the other weights of its row?   (step 1)"
_TOP = "A weight is a fraction: which two ways lead from a score to it?   (steps 1, 2)"

_ALONE = "Every score got weight * (1 - weight) times what its own weight was handed, and nothing by the others."
_STILL = "The total of a row was taken for a constant: only the way over the top of the fraction was taken."
_HANDED_ON = "What came back to the weights was handed on to the scores as it is."
_COLUMNS = "The derivative is that of a softmax whose columns add up to 1."

SOFTMAX = (
    Mistake("each weight alone", _alone, _ALONE, _SHARED),
    Mistake("the total held still", _total_still, _STILL, _SHARED),
    Mistake(
        "softmax left out",
        _handed_on,
        _HANDED_ON,
        "The slope of exp is exp: by what is each score's part multiplied?   (step 2)",
    ),
    Mistake(
        "by columns",
        _by_columns,
        _COLUMNS,
        "Which numbers share a total, those of a row or those of a column?   (step 1)",
    ),
    Mistake(
        "the total twice",
        _by_total(lambda keys: 2.0),
        "What comes by way of the total is there twice.",
        _SHARED,
    ),
    Mistake(
        "by the total alone",
        _by_total(lambda keys: 1.0, top=0.0),
        "Only the way over the total is there; the one over the top of the fraction is lost.",
        _TOP,
    ),
    Mistake(
        "the total averaged",
        _by_total(lambda keys: 1 / keys),
        "What the weights of a row send to their total was averaged.",
        _SHARED,
    ),
    Mistake(
        "weights_bar left out",
        lambda scores: unasked(softmax(scores)),
        "That is what comes back where all of weights_bar is 1.",
        "By how much does each weight count for the loss?   (steps 1, 2)",
    ),
)


# One head.


def _scores(q: Any, k: Any, mask: Any) -> Any:
    return jnp.where(mask, q @ k.T / math.sqrt(q.shape[1]), -jnp.inf)


def _attended(weigh: Function = _weights, factor: Function | None = None) -> Function:
    """One head, with its own softmax, or with q and k that get a factor of d_head times what is theirs."""

    def mistaken(q: Any, k: Any, v: Any, mask: Any) -> Any:
        if factor is not None:
            q, k = (weighted(array, factor(array.shape[1])) for array in (q, k))
        return valued(attend(q, k, v, mask), weigh(_scores(q, k, mask)) @ v)

    return mistaken


def _unmasked(q: Any, k: Any, v: Any, mask: Any) -> Any:
    return valued(attend(q, k, v, mask), attend(q, k, v, jnp.ones_like(mask)))


def _values_by(other: Function) -> Function:
    """One head, in which v's cotangent is made of something else than the weights."""

    def mistaken(q: Any, k: Any, v: Any, mask: Any) -> Any:
        scores = _scores(q, k, mask)
        return valued(attend(q, k, v, mask), _weights(scores) @ held(v) + held(other(scores)) @ v)

    return mistaken


_NO_SCALE = _attended(factor=math.sqrt)
_STILL_HEAD = _attended(weigh=_total_still)

_SOFTMAX_STEP = "Between the weights and the scores stands softmax: what does its backward pass do?   (steps 2, 3)"
_SCALE_STEP = "By what were the scores divided in forward?   (step 4)"
_VALUES_STEP = "y is a mean of the values: with which weights?   (step 1)"

ATTEND = (
    Mistake(
        "the scale left out",
        _NO_SCALE,
        "What goes back to q and k was not divided by the root of d_head.",
        _SCALE_STEP,
    ),
    Mistake(
        "the scale twice",
        _attended(factor=lambda d_head: 1 / math.sqrt(d_head)),
        "What goes back to q and k was divided by the root of d_head twice.",
        _SCALE_STEP,
    ),
    Mistake(
        "the mask left out",
        _unmasked,
        "Backward has weights for all keys, the masked ones too.",
        "Which weight had a masked key in forward?   (step 3)",
    ),
    Mistake("each weight alone", _attended(weigh=_alone), f"In softmax: {_ALONE}", _SOFTMAX_STEP),
    Mistake("the total held still", _STILL_HEAD, f"In softmax: {_STILL}", _SOFTMAX_STEP),
    Mistake("softmax left out", _attended(weigh=_handed_on), _HANDED_ON, _SOFTMAX_STEP),
    Mistake("by columns", _attended(weigh=_by_columns), f"In softmax: {_COLUMNS}", _SOFTMAX_STEP),
    Mistake(
        "v by powers",
        _values_by(powers_of),
        "v_bar was made of exp of the scores, not divided by the totals.",
        _VALUES_STEP,
    ),
    Mistake(
        "v by scores",
        _values_by(_seen),
        "v_bar was made of the scores, in the place of the weights.",
        _VALUES_STEP,
    ),
    Mistake(
        "y_bar left out",
        lambda q, k, v, mask: unasked(attend(q, k, v, mask)),
        "That is what comes back for a y_bar of ones.",
        "By how much does each entry of y count for the loss?   (step 1)",
    ),
)


# A layer of many heads.


def _project(x: Any, w_qkv: Any) -> Any:
    return jnp.einsum("ntd,dchk->cnhtk", x, w_qkv)


def _layer(
    of_head: Function = attend,
    cut: Function | None = None,
    joined: Function | None = None,
    project: Function = _project,
) -> Function:
    """Self-attention, of which one step has a derivative of its own."""

    def mistaken(params: Attention, x: Any) -> Any:
        qkv = project(x, params.w_qkv)
        mask = causal(x.shape[1])
        y = jax.vmap(jax.vmap(lambda q, k, v: of_head(q, k, v, mask)))(*(cut(qkv) if cut else qkv))
        out = jnp.einsum("nhtk,hkd->ntd", joined(y) if joined else y, params.w_out)
        return valued(self_attention(params, x), out)

    return mistaken


def _queries_alone(x: Any, w_qkv: Any) -> Any:
    qkv = _project(held(x), w_qkv)
    return qkv.at[0].set(_project(x, w_qkv)[0])


def _first_head(y: Any) -> Any:
    return held(y).at[:, 0].set(y[:, 0])


_UNDONE = "In which order did forward cut heads and put them together?   (step 2)"
_THREE = "x was used three times, for q, k and v: what follows?   (step 4)"

SELF_ATTENTION = (
    Mistake(
        "heads mixed up",
        _layer(joined=changed(lambda y_bar: y_bar.swapaxes(1, 2).reshape(y_bar.shape))),
        "What comes back was cut into heads as if the heads came before the tokens in a row.",
        _UNDONE,
    ),
    Mistake(
        "keys and values exchanged",
        _layer(cut=changed(lambda bars: bars[jnp.array([0, 2, 1])])),
        "What comes back to k went to the place of v, and the other way round.",
        "In which order did forward cut q, k and v?   (step 3)",
    ),
    Mistake(
        "queries and keys exchanged",
        _layer(cut=changed(lambda bars: bars[jnp.array([1, 0, 2])])),
        "What comes back to q went to the place of k, and the other way round.",
        "In which order did forward cut q, k and v?   (step 3)",
    ),
    Mistake(
        "x by queries alone",
        _layer(project=_queries_alone),
        "x got what comes back by its queries, and nothing by its keys and values.",
        _THREE,
    ),
    Mistake(
        "the first head alone",
        _layer(joined=_first_head),
        "Only the first head sends something back.",
        "How many heads are in y, and what came back to each?   (step 2)",
    ),
    Mistake(
        "heads averaged",
        _layer(joined=lambda y: weighted(y, 1 / y.shape[1])),
        "What comes back to the heads was divided by their number.",
        "Is there a mean over heads in forward?   (step 2)",
    ),
    Mistake(
        "the scale left out",
        _layer(of_head=_NO_SCALE),
        "What goes back to q and k was not divided by the root of d_head.",
        "What does the backward pass of one head do?   (step 2)",
    ),
    Mistake(
        "the mask left out",
        _layer(of_head=_unmasked),
        "Backward lets every token see those after it.",
        "Which tokens did a token see in forward?   (step 2)",
    ),
    Mistake(
        "the total held still",
        _layer(of_head=_STILL_HEAD),
        f"In softmax: {_STILL}",
        "What does the backward pass of one head do?   (step 2)",
    ),
)


# Rotary positions.


def _turned(x: Any, turn: Any) -> Any:
    """The pairs of x turned by angles."""
    pairs = jax.lax.complex(*jnp.split(x, 2, axis=1)) * jax.lax.complex(jnp.cos(turn), jnp.sin(turn))
    return jnp.concatenate([pairs.real, pairs.imag], axis=1)


def _rotated(sloped: Function) -> Function:
    """Rotary positions with another derivative, of x and of the right angles."""

    def mistaken(x: Any) -> Any:
        half = x.shape[1] // 2
        rates = SLOWEST ** (-jnp.arange(half, dtype=x.dtype) / half)
        return valued(rotary(x), sloped(x, jnp.arange(len(x), dtype=x.dtype)[:, None] * rates))

    return mistaken


def _side_by_side(x: Any, turn: Any) -> Any:
    half = x.shape[1] // 2
    order = jnp.arange(2 * half).reshape(half, 2).T.ravel()
    return jnp.zeros_like(x).at[:, order].set(_turned(x[:, order], turn))


_BACK = "Forward turned by an angle. What undoes it?   (step 2)"

ROTARY = (
    Mistake("turned on", _rotated(lambda x, turn: _turned(x, -turn)), "It was turned once more the same way.", _BACK),
    Mistake("not turned", _rotated(lambda x, turn: x), "y_bar was handed on as it is.", _BACK),
    Mistake(
        "turned twice",
        _rotated(lambda x, turn: _turned(x, 2 * turn)),
        "It was turned back by twice the angle.",
        _BACK,
    ),
    Mistake(
        "one place off",
        _rotated(lambda x, turn: _turned(x, turn + turn[1:2])),
        "Each token was turned back by the angles of the one after it.",
        "By which angle was the first token turned?   (step 1)",
    ),
    Mistake(
        "sines left out",
        _rotated(lambda x, turn: x * jnp.cos(jnp.tile(turn, (1, 2)))),
        "Each number got something from its own place alone, times a cosine.",
        "Each number of a pair is in two numbers of y: which are these?   (step 2)",
    ),
    Mistake(
        "pairs side by side",
        _rotated(_side_by_side),
        "Neighbours were taken for pairs, in place of a number and the one half a row further on.",
        "Which two numbers did forward turn together?   (step 1)",
    ),
    Mistake(
        "all at one rate",
        _rotated(lambda x, turn: _turned(x, turn[:, :1])),
        "All pairs were turned back as fast as the first one.",
        "Does each pair have a rate of its own?   (step 1)",
    ),
)
