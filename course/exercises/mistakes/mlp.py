"""Mistakes that people make in `mlp`: in what the parts hand to one another, in the relus, and in the loss."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from course.comparison.mistakes import Mistake
from course.exercises.mistakes import losses
from course.exercises.mistakes.forms import changed, held, unasked, valued, weighted
from course.lessons.linear_and_activations import affine, relu
from course.lessons.losses import softmax_cross_entropy
from course.lessons.mlp import Mlp, mlp


@dataclass(frozen=True)
class _Parts:
    """What a network is made of, one of it mistaken; everything keeps its value.

    `relu` has the derivative of that of the hidden layer of a number, counted from the end, 0 being the last one.
    `weight` and `bias` say what these become in a batch of some length, `logits` what the logits do; `kept` says what w
    is multiplied by on the way back, of x and what x was before its relu.
    """

    relu: Callable[[Any, int], Any] = lambda z, number: relu(z)
    weight: Callable[[Any, int], Any] = lambda w, rows: w
    bias: Callable[[Any, int], Any] = lambda b, rows: b
    kept: Callable[[Any, Any], Any] = lambda x, before: x
    logits: Callable[[Any], Any] = lambda logits: logits


def _network(parts: _Parts) -> Callable[[Mlp, Any], Any]:
    def mistaken(params: Mlp, x: Any) -> Any:
        before = x
        for number, layer in reversed([*enumerate(reversed(params.layers))]):
            w, b = parts.weight(layer.w, len(x)), parts.bias(layer.b, len(x))
            sloped = affine(x, held(w), b) + held(parts.kept(x, before)) @ w
            before = valued(affine(x, layer.w, layer.b), sloped)
            x = valued(relu(before), parts.relu(before, number - 1)) if number else before
        return parts.logits(x)

    return mistaken


def _with_loss(parts: _Parts) -> Callable[..., Any]:
    return lambda params, x, labels: softmax_cross_entropy(_network(parts)(params, x), labels)


@dataclass(frozen=True)
class _Row:
    """A mistake inside the network; `mlp` and `mlp_loss` have it in common."""

    name: str
    parts: _Parts
    says: str
    ask: str


RELU_LEFT_OUT = _Parts(relu=lambda z, number: z)

_NETWORK = (
    _Row(
        "relu left out",
        RELU_LEFT_OUT,
        "The relus let everything back through.",
        "What got through a unit that was switched off, and what can come back?   (step 2)",
    ),
    _Row(
        "last relu left out",
        _Parts(relu=lambda z, number: z if number == 0 else relu(z)),
        "One relu was not asked on the way back: the last one.",
        "After the last affine, which part comes next on the way back?   (step 2)",
    ),
    _Row(
        "first relu left out",
        _Parts(relu=lambda z, number: relu(z) if number == 0 else z),
        "The last relu was asked on the way back, and those before it were not.",
        "Is there a relu between every two layers?   (step 2)",
    ),
    _Row(
        "relu by the cotangent's sign",
        _Parts(relu=lambda z, number: changed(relu)(z)),
        "The relus asked for the sign of what came back, not of what went in.",
        "What decided on the way forward whether a unit was on?   (step 2)",
    ),
    _Row(
        "relu's value for its slope",
        _Parts(relu=lambda z, number: relu(z) ** 2 / 2),
        "What came back was multiplied by the relus' values, not by their slopes.",
        "How steep is a relu that is on: does it depend on how far it is on?   (step 2)",
    ),
    _Row(
        "a relu on the logits",
        _Parts(logits=lambda logits: valued(logits, relu(logits))),
        "The logits were sent back through a relu, and forward has none there.",
        "What is different about the last layer?   (step 1)",
    ),
    _Row(
        "what comes back not asked",
        _Parts(logits=unasked),
        "Everything is what comes back for a logits_bar of ones.",
        "What is the first y_bar, and who handed it in?   (step 1)",
    ),
    _Row(
        "last layer alone",
        _Parts(relu=lambda z, number: held(z)),
        "Nothing was handed on below the last layer.",
        "What is the y_bar of the layer before?   (step 2)",
    ),
    _Row(
        "weights from before the relu",
        _Parts(kept=lambda x, before: before),
        "The cotangents of the weights were made with the units as they were before their relu.",
        "Which of the two did forward multiply the next layer's w by?   (step 2)",
    ),
    _Row(
        "weights averaged",
        _Parts(weight=lambda w, rows: weighted(w, 1 / rows)),
        "What the rows send to the weights was averaged.",
        "Every row used the same w. Used many times: what follows?   (step 2)",
    ),
    _Row(
        "biases averaged",
        _Parts(bias=lambda b, rows: weighted(b, 1 / rows)),
        "What the rows send to the biases was averaged.",
        "Every row used the same b. Used many times: what follows?   (step 2)",
    ),
)

relu_left_out = _with_loss(RELU_LEFT_OUT)
"""Is `mlp_loss`, whose relus let everything back."""

_LOSSES = (
    "mean lost",
    "mean over every number",
    "label left out",
    "normaliser left out",
    "softmax down the columns",
    "logits for probabilities",
)
"""What of the mistakes in the loss itself is looked for behind a whole network."""


def _after_network(loss: Callable[..., Any]) -> Callable[..., Any]:
    return lambda params, x, labels: loss(mlp(params, x), labels)


def _mean_twice(logits: Any, labels: Any) -> Any:
    loss = softmax_cross_entropy(logits, labels)
    return valued(loss, loss / len(logits))


def _by_step(ask: str) -> str:
    """A question about the loss or the network, with the step of `mlp_loss` in which these are called."""
    return f"{ask.partition('   (')[0]}   (step 1)"


MLP = tuple(Mistake(row.name, _network(row.parts), row.says, row.ask) for row in _NETWORK)
MLP_LOSS = (
    Mistake(
        "mean taken twice",
        _after_network(_mean_twice),
        "What came back was divided by the number of rows once more.",
        "Who divides by the number of rows: the loss, or the network?   (step 1)",
    ),
    *(
        Mistake(mistake.name, _after_network(mistake.primal), mistake.says, _by_step(mistake.ask))
        for mistake in losses.SOFTMAX_CROSS_ENTROPY
        if mistake.name in _LOSSES
    ),
    *(Mistake(row.name, _with_loss(row.parts), row.says, _by_step(row.ask)) for row in _NETWORK),
)
