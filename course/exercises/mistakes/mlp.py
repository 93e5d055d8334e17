"""Mistakes that people make in `mlp`: in what the parts hand to one another, in the relus, and in the loss."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from course.comparison.mistakes import Mistake
from course.exercises.mistakes import losses
from course.exercises.mistakes.forms import changed, held, unasked, valued, weighted
from course.lessons.linear_and_activations import affine, relu
from course.lessons.losses import softmax_cross_entropy
from course.lessons.mlp import Mlp, Stack, hidden_layers, mlp


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


def _stacked(layer: Callable[[Any, Any], Any]) -> Callable[[Stack, Any], Any]:
    """The hidden layers, each written in another way."""

    def mistaken(params: Stack, x: Any) -> Any:
        return jax.lax.scan(lambda x, own: (layer(x, own), None), x, params)[0]

    return mistaken


def _layer(x: Any, own: Stack) -> Any:
    return relu(affine(x, own.w, own.b))


def _by_relu(sloped: Callable[[Any], Any]) -> Callable[[Stack, Any], Any]:
    """The hidden layers, whose relus have the derivative of another function."""

    def layer(x: Any, own: Stack) -> Any:
        z = affine(x, own.w, own.b)
        return valued(relu(z), sloped(z))

    return _stacked(layer)


def _with_params(change: Callable[[Any], Any]) -> Callable[[Stack, Any], Any]:
    """The hidden layers, whose parameters' cotangents are changed at the end, array by array."""
    return lambda params, x: hidden_layers(jax.tree.map(changed(change), params), x)


def _recorded(params: Stack, x: Any) -> tuple[Any, tuple[Any, Any]]:
    """What comes out of the last layer; what enters each, and where its relu is on."""

    def layer(x: Any, own: Stack) -> Any:
        y = _layer(x, own)
        return y, (x, jnp.sign(y))

    return jax.lax.scan(layer, *held((x, params)))


def _nudges(params: Stack, x: Any) -> tuple[Stack, Any]:
    """Zeros through which the parameters and x are reached."""
    return jax.tree.map(lambda array: array - held(array), params), x - held(x)


def _first_layer_first(params: Stack, x: Any) -> Any:
    """Backward begins at the first layer and ends at the last."""
    y, recorded = _recorded(params, x)
    params_nudge, x_nudge = _nudges(params, x)

    def layer(nudge: Any, inside: Any) -> tuple[Any, None]:
        (entered, on), w, own = inside
        return (nudge @ w + affine(entered, own.w, own.b)) * on, None

    return y + jax.lax.scan(layer, x_nudge, (recorded, held(params.w), params_nudge), reverse=True)[0]


def _y_bar_for_all(params: Stack, x: Any) -> Any:
    """Every layer gets y_bar itself; nothing is handed from layer to layer."""
    y, (entered, on) = _recorded(params, x)
    params_nudge, x_nudge = _nudges(params, x)
    return y + on[0] * (x_nudge @ held(params.w[0])) + jnp.sum(jax.vmap(affine)(entered, *params_nudge) * on, axis=0)


_ASK_ORDER = "Which layer did y come out of, and with which one does backward begin?   (step 2)"

HIDDEN_LAYERS = (
    Mistake(
        "relu left out",
        _by_relu(lambda z: z),
        "The relus let everything back through.",
        "What got through a unit that was switched off, and what can come back?   (step 1)",
    ),
    Mistake(
        "relu by the cotangent's sign",
        _by_relu(changed(relu)),
        "The relus asked for the sign of what came back, not of what went in.",
        "What decided on the way forward whether a unit was on?   (step 1)",
    ),
    Mistake(
        "relu's value for its slope",
        _by_relu(lambda z: relu(z) ** 2 / 2),
        "What came back was multiplied by the relus' values, not by their slopes.",
        "How steep is a relu that is on: does it depend on how far it is on?   (step 1)",
    ),
    Mistake(
        "relu after the affine",
        _stacked(lambda x, own: _layer(changed(relu)(x), own)),
        "On the way back a relu was asked once more, of what had come through the affine map.",
        "Which of a layer's two parts came last in forward, and how often is each asked in backward?   (step 1)",
    ),
    Mistake(
        "what came out for what went in",
        _stacked(
            lambda x, own: relu(
                valued(affine(x, own.w, own.b), affine(x, held(own.w), own.b) + held(_layer(x, own)) @ own.w)
            )
        ),
        "Each layer's weights meet what the layer gave, and not what entered it.",
        "By what were these weights multiplied in forward?   (step 1)",
    ),
    Mistake(
        "the first layer first",
        _first_layer_first,
        "Backward goes through the layers in forward's order.",
        _ASK_ORDER,
    ),
    Mistake(
        "records turned round",
        _with_params(lambda bars: bars[::-1]),
        "The cotangents of the parameters are right, and stand in the wrong order: the first layer has the last one's.",
        "In which order does a scan with reverse=True stack its records?   (step 2)",
    ),
    Mistake(
        "one cotangent for all layers",
        _with_params(lambda bars: jnp.broadcast_to(jnp.sum(bars, axis=0), bars.shape)),
        "What belongs to each layer was added up and given to all, as if the layers had shared their parameters.",
        "Does every layer use the same w here?   (step 1)",
    ),
    Mistake(
        "nothing handed on",
        _y_bar_for_all,
        "Every layer is given y_bar itself: what one layer hands back never reaches the one before it.",
        "What does a layer hand to the one before it?   (step 1)",
    ),
    Mistake(
        "last layer alone",
        _with_params(lambda bars: jnp.concatenate([jnp.zeros_like(bars[:-1]), bars[-1:]])),
        "Only the last layer's parameters got something.",
        "What does the scan record at every layer?   (step 2)",
    ),
    Mistake(
        "parameters averaged over the rows",
        lambda params, x: hidden_layers(jax.tree.map(lambda array: weighted(array, 1 / len(x)), params), x),
        "What the rows send to the parameters was averaged.",
        "Every row used the same w and b. Used many times: what follows?   (step 1)",
    ),
    Mistake(
        "what comes back not asked",
        lambda params, x: unasked(hidden_layers(params, x)),
        "Everything is what comes back for a y_bar of ones.",
        "What is the first y_bar, and who handed it in?   (step 2)",
    ),
)
