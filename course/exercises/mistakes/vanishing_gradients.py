"""The mistakes with a name of `vanishing_gradients`.

Those of the deep stack have its value and the derivative of a wrong pass; those of the norms are functions of the same
arguments; those of what is drawn give the deviations that the wrong numbers have.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from course.comparison.mistakes import Mistake
from course.exercises.mistakes.forms import held, valued

Layer = Callable[[Any, Any], Any]


def _stack(layer: Layer) -> Callable[..., Any]:
    """The deep stack, its layers written in another way."""

    def deep(x: Any, w: Any) -> Any:
        return jax.lax.scan(lambda h, weights: (layer(h, weights), None), x, w)[0]

    return deep


def _sloped(slope: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    """The deep stack with another slope, made of what tanh takes and of what it gives."""

    def layer(h: Any, weights: Any) -> Any:
        z = h @ weights
        y = jnp.tanh(z)
        return valued(y, held(slope(z, y)) * z)

    return _stack(layer)


def _cosh(z: Any, y: Any) -> Any:
    """The right slope."""
    return jnp.cosh(z) ** -2


def _weights_not_turned(h: Any, weights: Any) -> Any:
    return jnp.tanh(valued(held(h) @ weights, h @ held(weights).T + held(h) @ weights))


def _input_after(h: Any, weights: Any) -> Any:
    z = h @ weights
    return jnp.tanh(valued(z, h @ held(weights) + held(jnp.tanh(z)) @ weights))


def _recorded(x: Any, w: Any) -> tuple[Any, Any]:
    """What enters every layer, and every slope, as numbers."""

    def layer(h: Any, weights: Any) -> Any:
        z = h @ weights
        return jnp.tanh(z), (h, _cosh(z, None))

    y, (before, slopes) = jax.lax.scan(layer, held(x), held(w))
    return y, (before, slopes)


def _nudges(x: Any, w: Any) -> tuple[Any, Any]:
    """Zeros through which x and w are reached."""
    return x - held(x), w - held(w)


def _first_layer_first(x: Any, w: Any) -> Any:
    """Backward begins at the first layer and ends at the last."""
    y, recorded = _recorded(x, w)
    x_nudge, w_nudges = _nudges(x, w)

    def layer(nudge: Any, inside: Any) -> tuple[Any, None]:
        (h, slope), weights, w_nudge = inside
        return (nudge @ weights + h @ w_nudge) * slope, None

    return y + jax.lax.scan(layer, x_nudge, (recorded, held(w), w_nudges), reverse=True)[0]


def _y_bar_for_all(x: Any, w: Any) -> Any:
    """Every layer gets y_bar itself; nothing is handed from layer to layer."""
    y, (before, slopes) = _recorded(x, w)
    x_nudge, w_nudges = _nudges(x, w)
    return y + slopes[0] * (x_nudge @ held(w[0])) + jnp.sum((before @ w_nudges) * slopes, axis=0)


_SLOPE_ASK = "Of what is 1 - a**2 the slope, and at which place?   (step 2)"

DEEP_TANH = (
    Mistake(
        "the slope left out",
        _sloped(lambda z, y: jnp.ones_like(z)),
        "The cotangents go past every tanh as if it were not there.",
        "What does tanh do to the cotangent of its value?   (step 2)",
    ),
    Mistake(
        "a quarter of the slope",
        _sloped(lambda z, y: _cosh(z, y) / 4),
        "Every tanh takes the cotangent down to a quarter of what it should: 1/4 is the most that a sigmoid's slope "
        "can be. Tanh's can be 1.",
        "How steep is tanh at 0?   (step 2)",
    ),
    Mistake(
        "the sigmoid's slope",
        _sloped(lambda z, y: y - y * y),
        "This is how a sigmoid's slope reads in its value. Tanh's reads otherwise.",
        _SLOPE_ASK,
    ),
    Mistake(
        "the slope of what goes in",
        _sloped(lambda z, y: 1 - z * z),
        "The square is that of what tanh is taken of, and not of what it gives.",
        _SLOPE_ASK,
    ),
    Mistake(
        "the slope twice",
        _sloped(lambda z, y: _cosh(z, y) ** 2),
        "Every tanh's slope was multiplied in twice.",
        "How often does a cotangent go through one tanh?   (step 2)",
    ),
    Mistake(
        "a plus for the minus",
        _sloped(lambda z, y: 1 + y * y),
        "The slope grows where tanh flattens out: it is above 1 everywhere but at 0.",
        "How steep is tanh where it has almost reached 1?   (step 2)",
    ),
    Mistake(
        "the square left out",
        _sloped(lambda z, y: 1 - y),
        "The slope is made of the value itself, where its square belongs: for negative values it is above 1.",
        _SLOPE_ASK,
    ),
    Mistake(
        "weights not turned",
        _stack(_weights_not_turned),
        "On the way to the layer before, the cotangent goes through the weights in their forward direction.",
        "z[n, j] came from h[n, i] by w[i, j]. Over which index is the sum on the way back?   (step 2)",
    ),
    Mistake(
        "what came out for what went in",
        _stack(_input_after),
        "Each layer's weights meet what the layer gave, and not what entered it.",
        "By what were these weights multiplied in forward?   (steps 1 and 2)",
    ),
    Mistake(
        "the first layer first",
        _first_layer_first,
        "Backward goes through the layers in forward's order.",
        "Which layer did y come out of?   (step 3)",
    ),
    Mistake(
        "nothing handed on",
        _y_bar_for_all,
        "Every layer is given y_bar itself: what one layer hands back never reaches the one before it.",
        "What does a layer hand to the one before it?   (step 2)",
    ),
)


def _norms(
    *,
    slope_of: Callable[[Any, Any], Any] = lambda slope, z: slope(z),
    back: Callable[[Any, Any, Any], Any] = lambda h_bar, slopes, weights: jnp.einsum(
        "nj,ij->ni", slopes * h_bar, weights
    ),
    size: Callable[[Any], Any] = lambda h_bar: jnp.sum(h_bar * h_bar) ** 0.5,
    listed: Callable[[list[Any]], Sequence[Any]] = lambda norms: norms[:0:-1],
    order: int = -1,
) -> Callable[..., Any]:
    """The norms with something in them done otherwise; `listed` gets y_bar's norm, then that of each layer met."""

    def norms(slope: Any, z: Any, w: Any, y_bar: Any) -> Any:
        found = [y_bar]
        for inside, weights in list(zip(z, w, strict=True))[::order]:
            found.append(back(found[-1], slope_of(slope, inside), weights))
        return jnp.stack([size(h_bar) for h_bar in listed(found)])

    return norms


GRADIENT_NORMS = (
    Mistake(
        "the slope left out",
        _norms(slope_of=lambda slope, z: jnp.ones_like(z)),
        "Only the weights are there: nothing goes through the activations.",
        "What does an activation do to the cotangent of its value?   (step 1)",
    ),
    Mistake(
        "weights not turned",
        _norms(back=lambda h_bar, slopes, weights: (slopes * h_bar) @ weights),
        "The cotangent goes through the weights in their forward direction.",
        "z[n, j] came from h[n, i] by w[i, j]. Over which index is the sum on the way back?   (step 1)",
    ),
    Mistake(
        "weights before the slope",
        _norms(back=lambda h_bar, slopes, weights: slopes * jnp.einsum("nj,ij->ni", h_bar, weights)),
        "The cotangent meets the weights first and the activation's slope afterwards.",
        "Which came last in a layer's forward pass?   (step 1)",
    ),
    Mistake(
        "the first layer first",
        _norms(order=1, listed=lambda found: found[1:]),
        "It goes through the layers in forward's order.",
        "Which layer did y come out of?   (step 3)",
    ),
    Mistake(
        "the last layer's norm first",
        _norms(listed=lambda found: found[1:]),
        "The norms stand in the order in which backward met them.",
        "In which order are the norms wanted?   (step 3)",
    ),
    Mistake(
        "one layer too late",
        _norms(listed=lambda found: found[-2::-1]),
        "These are the norms of what each layer is handed; asked for are those of what it hands on.",
        "y_bar belongs to what the last layer gives. What belongs to what enters the first?   (step 1)",
    ),
    Mistake(
        "the root left out",
        _norms(size=lambda h_bar: jnp.sum(h_bar * h_bar)),
        "These are the squares of the norms.",
        "Square, sum: what is left to do?   (step 2)",
    ),
    Mistake(
        "the root of the mean",
        _norms(size=lambda h_bar: jnp.mean(h_bar * h_bar) ** 0.5),
        "This is the size of one number, and not of all of them together.",
        "Square, then sum or mean?   (step 2)",
    ),
    Mistake(
        "sizes added up",
        _norms(size=lambda h_bar: jnp.sum(jnp.abs(h_bar))),
        "The numbers' sizes are added as they are.",
        "What is done to each number before the sum, and what to the sum?   (step 2)",
    ),
)


Deviation = Callable[[int, int], Any]


def filled(deviation: Deviation) -> Callable[[int, int], np.ndarray]:
    """Gives the deviation of every number of one layer."""
    return lambda d_in, d_out: np.full((d_in, d_out), deviation(d_in, d_out))


def layers_filled(deviation: Deviation) -> Callable[[Sequence[int]], list[np.ndarray]]:
    """The same for all layers between some sizes."""
    return lambda sizes: [filled(deviation)(*pair) for pair in pairwise(sizes)]


_VARIANCE_ASK = "Numbers of variance 1, times c: what is their variance?   (step 2)"
_ROOT = "The variance itself was multiplied by, where its root belongs: the weights are far too small."

XAVIER = (
    Mistake("variance for deviation", filled(lambda d_in, d_out: 1 / np.mean((d_in, d_out))), _ROOT, _VARIANCE_ASK),
    Mistake(
        "forward's wish alone",
        filled(lambda d_in, d_out: d_in**-0.5),
        "That keeps the signal's size on the way forward, and asks nothing of the way back.",
        "What does backward ask for, and what is half-way between the two?   (step 1)",
    ),
    Mistake(
        "backward's wish alone",
        filled(lambda d_in, d_out: d_out**-0.5),
        "That keeps the cotangent's size on the way back, and asks nothing of the way forward.",
        "What does forward ask for, and what is half-way between the two?   (step 1)",
    ),
    Mistake(
        "the sum for the mean",
        filled(lambda d_in, d_out: (d_in + d_out) ** -0.5),
        "The variance is one over the sum of both sizes; it should be one over their mean.",
        "What is the mean of d_in and d_out?   (step 1)",
    ),
    Mistake(
        "He's",
        filled(lambda d_in, d_out: math.sqrt(2 / d_in)),
        "That is He's rule, made for relu.",
        "Which sizes stand in Xavier's rule?   (step 1)",
    ),
    Mistake(
        "a uniform draw with the deviation for its bound",
        filled(lambda d_in, d_out: np.mean((3 * d_in, 3 * d_out)) ** -0.5),
        "The variance is a third of the right one: that is what numbers spread evenly between -b and b have, if b is "
        "the deviation that was asked for.",
        "What is the variance of numbers spread evenly between -b and b?   (step 2)",
    ),
    Mistake(
        "a uniform draw's bound for a deviation",
        filled(lambda d_in, d_out: math.sqrt(6 / (d_in + d_out))),
        "The variance is three times the right one: the root of 6 / (d_in + d_out) is the bound of a uniform draw.",
        "Is your number a bound, or a deviation?   (step 2)",
    ),
    Mistake(
        "not scaled",
        filled(lambda d_in, d_out: 1.0),
        "The numbers have variance 1, whatever the sizes.",
        "By what is a number of variance 1 multiplied?   (step 2)",
    ),
)

HE_LAYERS = (
    Mistake("variance for deviation", layers_filled(lambda d_in, d_out: 2 / d_in), _ROOT, _VARIANCE_ASK),
    Mistake(
        "d_out for d_in",
        layers_filled(lambda d_in, d_out: math.sqrt(2 / d_out)),
        "The variance depends on the number of units that a layer feeds, and not on the number that feed each unit.",
        "How many products are added up in one number of h @ w?   (step 2)",
    ),
    Mistake(
        "Xavier's",
        layers_filled(lambda d_in, d_out: np.mean((d_in, d_out)) ** -0.5),
        "That is Xavier's rule: with relu, half of the squares are gone, layer by layer.",
        "What part of the squares does relu let through, and what makes good for it?   (step 2)",
    ),
    Mistake(
        "no 2",
        layers_filled(lambda d_in, d_out: d_in**-0.5),
        "That keeps the size through the product, and forgets what relu takes away after it.",
        "What part of the squares does relu let through?   (step 2)",
    ),
    Mistake(
        "the 2 outside the root",
        layers_filled(lambda d_in, d_out: 2 * d_in**-0.5),
        "The numbers are 2 / sqrt(d_in) in size, so that their variance is 4 / d_in.",
        _VARIANCE_ASK,
    ),
    Mistake(
        "both halves made good for",
        layers_filled(lambda d_in, d_out: np.mean((d_in / 2, d_out / 2)) ** -0.5),
        "That lies between what forward and what backward ask of a relu network; He's rule takes forward's.",
        "Of which of the two sizes does the variance depend?   (step 2)",
    ),
)
