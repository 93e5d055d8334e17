"""Mistakes that people make in `two_layer_network`: in one example's network and, alike, in that of a batch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp

from course.comparison.mistakes import Mistake
from course.exercises.mistakes.forms import changed, held, valued, weighted
from course.lessons.two_layer_network import TwoLayer


def _relu(z: Any) -> Any:
    return jnp.where(z > 0, z, 0)


@dataclass(frozen=True)
class _Parts:
    """What a network is made of, one of it mistaken; everything keeps its value.

    `relu` is the activation, `loss` that of each number, `total` makes the sum of these of the numbers' own errors.
    `beside` says what w is multiplied by on the way back, of x and what x was before its activation; `below` by which w
    the rest is. `bias` is what a bias becomes in a batch of some length.
    """

    relu: Callable[[Any], Any] = _relu
    loss: Callable[[Any], Any] = lambda error: 0.5 * error**2
    total: Callable[[Any], Any] = jnp.sum
    beside: Callable[[Any, Any], Any] = lambda x, before: x
    below: Callable[[Any], Any] = lambda w: w
    bias: Callable[[Any, int], Any] = lambda b, rows: b


def _run(
    parts: _Parts, product: Callable[..., Any], params: Any, x: Any, target: Any, z1: Any = 0, a1: Any = 0, z2: Any = 0
) -> Any:
    """Runs a network forward to the sum of its losses; z1, a1 and z2 are nudges of what lies between."""

    def affine(w: Any, b: Any, x: Any, before: Any) -> Any:
        sloped = product(w, held(parts.beside(x, before))) + product(held(parts.below(w)), x)
        return valued(product(w, x), sloped) + parts.bias(b, len(x))

    moved_z1 = affine(params.w1, params.b1, x, x) + z1
    relu = _relu(moved_z1)
    moved_a1 = valued(relu, parts.relu(moved_z1)) + a1
    error = affine(params.w2, params.b2, moved_a1, moved_z1) + z2 - target
    return valued(0.5 * jnp.sum(error**2), parts.total(parts.loss(error)))


def _columns(w: Any, x: Any) -> Any:
    return w @ x


def _rows(w: Any, x: Any) -> Any:
    return x @ w


def _nudged(parts: _Parts) -> Callable[..., Any]:
    def mistaken(
        z2: Any, w2: Any, b2: Any, a1: Any, z1: Any, w1: Any, b1: Any, params: Any, x: Any, target: Any
    ) -> Any:
        moved = TwoLayer(params.w1 + w1, params.b1 + b1, params.w2 + w2, params.b2 + b2)
        return _run(parts, _columns, moved, x, target, z1, a1, z2)

    return mistaken


def _example(parts: _Parts) -> Callable[..., Any]:
    return lambda params, x, target: _run(parts, _columns, params, x, target)


def _batch(parts: _Parts) -> Callable[..., Any]:
    return lambda params, x, target: _run(parts, _rows, params, x, target) / len(x)


@dataclass(frozen=True)
class _Row:
    """A mistake in either network, and the step of each derivation that it is about."""

    name: str
    parts: _Parts
    says: str
    ask: str
    seven: int
    batch: int

    def mistake(self, primal: Callable[[_Parts], Callable[..., Any]], step: int | None) -> Mistake:
        """The mistake in one of the networks."""
        ask = self.ask if step is None else f"{self.ask}   (step {step})"
        return Mistake(self.name, primal(self.parts), self.says, ask)


_EITHER = (
    _Row(
        "half lost",
        _Parts(loss=lambda error: error**2),
        "z2_bar is what a loss without its half would hand back.",
        "What does the half do to the exponent that comes down?",
        seven=1,
        batch=1,
    ),
    _Row(
        "half counted twice",
        _Parts(loss=lambda error: error**2 / 4),
        "The half entered once more than it should.",
        "What does the half do to the exponent that comes down?",
        seven=1,
        batch=1,
    ),
    _Row(
        "error squared",
        _Parts(loss=lambda error: error**3 / 3),
        "z2_bar was made of the square of the error: the value, not its slope.",
        "How fast does the square of an error grow with the error?",
        seven=1,
        batch=1,
    ),
    _Row(
        "error left out",
        _Parts(loss=lambda error: error),
        "loss_bar went past the error: z2_bar does not ask how far each output is off.",
        "What stands beside the exponent when it has come down?",
        seven=1,
        batch=1,
    ),
    _Row(
        "relu left out",
        _Parts(relu=lambda z: z),
        "The relu let everything back through.",
        "What got through a unit that was switched off, and what can come back?",
        seven=4,
        batch=3,
    ),
    _Row(
        "relu turned round",
        _Parts(relu=lambda z: jnp.where(z > 0, 0, z)),
        "What came back went through the units that were off, and not through those that were on.",
        "Which units let something through on the way forward?",
        seven=4,
        batch=3,
    ),
    _Row(
        "relu by the cotangent's sign",
        _Parts(relu=changed(_relu)),
        "The relu asked for the sign of what came back, not of what went in.",
        "What decided on the way forward whether a unit was on?",
        seven=4,
        batch=3,
    ),
    _Row(
        "relu's value for its slope",
        _Parts(relu=lambda z: _relu(z) ** 2 / 2),
        "What came back was multiplied by the relu's value, not by its slope.",
        "How steep is a relu that is on: does it depend on how far it is on?",
        seven=4,
        batch=3,
    ),
    _Row(
        "relu's argument for its slope",
        _Parts(relu=lambda z: z**2 / 2),
        "What came back was multiplied by what went into the relu.",
        "How steep is a relu that is on: does it depend on how far it is on?",
        seven=4,
        batch=3,
    ),
    _Row(
        "w2_bar from z1",
        _Parts(beside=lambda x, before: before),
        "w2_bar was made with the hidden units as they were before their relu.",
        "Which of the two did forward multiply w2 by?",
        seven=2,
        batch=2,
    ),
    _Row(
        "inputs of the weights left out",
        _Parts(beside=lambda x, before: jnp.ones_like(x)),
        "A weight got back what its output did, whatever had come in beside it.",
        "What does forward multiply this weight by?",
        seven=2,
        batch=2,
    ),
    _Row(
        "w2 left out",
        _Parts(below=jnp.ones_like),
        "Every hidden unit got back the same: w2 was left out on the way.",
        "By way of which weight did a hidden unit touch an output?",
        seven=3,
        batch=3,
    ),
    _Row(
        "hidden layer cut off",
        _Parts(relu=held),
        "Nothing was handed on below the second layer.",
        "Does the loss depend on w1?",
        seven=4,
        batch=3,
    ),
)


def _each_row(b: Any, rows: int) -> Any:
    """A bias, once for every row."""
    return jnp.broadcast_to(b, (rows, *b.shape))


def _only(row: int) -> Callable[[Any, Any], Any]:
    """What stands beside the weights in one row, and nothing in the others."""
    return lambda x, before: jnp.zeros_like(x).at[row].set(x[row])


_BATCH = (
    _Row(
        "mean lost",
        _Parts(total=lambda losses: jnp.sum(losses) * len(losses)),
        "The losses of the rows were added, and not averaged.",
        "When one row's loss grows by 1, by how much does their mean grow?",
        seven=0,
        batch=1,
    ),
    _Row(
        "mean over every number",
        _Parts(total=lambda losses: jnp.mean(losses) * len(losses)),
        "The mean was taken over all numbers of the error, not over its rows.",
        "How many losses are averaged?",
        seven=0,
        batch=1,
    ),
    _Row(
        "mean over the outputs",
        _Parts(total=lambda losses: jnp.sum(losses) * len(losses) / losses.shape[1]),
        "The mean was taken over the outputs, not over the rows.",
        "Along which axis do the examples lie?",
        seven=0,
        batch=1,
    ),
    _Row(
        "error's sign alone",
        _Parts(loss=jnp.abs),
        "z2_bar asks only on which side of its target each output lies, not how far off.",
        "Is the loss as steep near the target as far from it?",
        seven=0,
        batch=1,
    ),
    _Row(
        "first row alone",
        _Parts(total=lambda losses: jnp.sum(losses[0])),
        "Only the first row of the batch sent something back.",
        "Which rows does the loss depend on?",
        seven=0,
        batch=1,
    ),
    _Row(
        "biases averaged",
        _Parts(bias=lambda b, rows: weighted(b, 1 / rows)),
        "What the rows send to a bias was averaged.",
        "Every row used the same bias. Used many times: what follows?",
        seven=0,
        batch=2,
    ),
    _Row(
        "biases from the first row",
        _Parts(bias=lambda b, rows: valued(_each_row(b, rows), _each_row(held(b), rows).at[0].set(b))),
        "A bias got what the first row sends, and nothing from the others.",
        "Every row used the same bias. Used many times: what follows?",
        seven=0,
        batch=2,
    ),
    _Row(
        "weights from the first row",
        _Parts(beside=_only(0)),
        "A weight got what the first row sends, and nothing from the others.",
        "Every row used the same weight. Used many times: what follows?",
        seven=0,
        batch=2,
    ),
    _Row(
        "weights overwritten",
        _Parts(beside=_only(-1)),
        "A weight kept what the last row sent: each row overwrote the one before.",
        "Every row used the same weight. Used many times: what follows?",
        seven=0,
        batch=2,
    ),
)

COTANGENTS = tuple(row.mistake(_nudged, row.seven) for row in _EITHER)
PAIR = tuple(row.mistake(_example, None) for row in _EITHER)
BATCH = tuple(row.mistake(_batch, row.batch) for row in (*_EITHER, *_BATCH))

relu_value_for_slope = next(row for row in COTANGENTS if row.name == "relu's value for its slope").primal
"""Is `nudged_loss`, whose relu has its value for a slope."""
