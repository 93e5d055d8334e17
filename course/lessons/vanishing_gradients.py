"""A deep stack of equal layers, and what becomes of a signal and of its cotangent in it.

    h = x      then, for every layer l:      z = h @ w[l]      h = activation(z)

    sigmoid'(z) = sigmoid(z) * sigmoid(-z), at most 1/4      tanh'(z) = 1 / cosh(z)**2, at most 1
    relu'(z) = 1 where z > 0, else 0

Source: S. Hochreiter, "Untersuchungen zu dynamischen neuronalen Netzen", diploma thesis, TU Munich, 1991; X. Glorot,
Y. Bengio, "Understanding the difficulty of training deep feedforward neural networks", 2010; K. He et al., "Delving
Deep into Rectifiers", 2015, arXiv:1502.01852.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from course.lessons.linear_and_activations import sigmoid, tanh


def deep_tanh(x: Float[Array, "batch d"], w: Float[Array, "layers d d"]) -> Float[Array, "batch d"]:
    """Sends every row of x through all layers, first to last: a matrix product and a tanh each."""

    def layer(h: Float[Array, "batch d"], weights: Float[Array, "d d"]) -> tuple[Float[Array, "batch d"], None]:
        return tanh(h @ weights), None

    return jax.lax.scan(layer, x, w)[0]


def signals(
    activation: Callable[..., Array], x: Float[Array, "batch d"], w: Float[Array, "layers d d"]
) -> tuple[Float[Array, "layers batch d"], Float[Array, "layers batch d"]]:
    """Returns what enters each layer, and what the activation is taken of there: every h, and every z."""

    def layer(h: Array, weights: Array) -> tuple[Array, tuple[Array, Array]]:
        z = h @ weights
        return activation(z), (h, z)

    return jax.lax.scan(layer, x, w)[1]


def sigmoid_slope(z: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """The derivative of the sigmoid."""
    return sigmoid(z) * sigmoid(-z)


def tanh_slope(z: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """The derivative of tanh."""
    return 1 / jnp.cosh(z) ** 2


def relu_slope(z: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """The derivative of relu; 0 at 0."""
    return jnp.where(z > 0, 1.0, 0.0)
