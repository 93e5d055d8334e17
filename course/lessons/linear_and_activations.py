"""Affine layers and elementwise activations.

    affine(x, w, b) = x @ w + b      relu(x) = x where x > 0, else 0
    sigmoid(x) = 1 / (1 + exp(-x))   tanh(x) = (exp(x) - exp(-x)) / (exp(x) + exp(-x))

relu'(0) is 0 by convention.

Source: I. Goodfellow, Y. Bengio, A. Courville, "Deep Learning", MIT Press, 2016, chapters 6.1 to 6.3.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


def affine(
    x: Float[Array, "batch d_in"], w: Float[Array, "d_in d_out"], b: Float[Array, "d_out"]
) -> Float[Array, "batch d_out"]:
    """Maps every row of x by w, and adds the same bias to each."""
    return x @ w + b


def relu(x: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """Keeps what is positive, and sets the rest to zero."""
    return jnp.where(x > 0, x, 0)


def sigmoid(x: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """Squashes every number into (0, 1)."""
    return jax.nn.sigmoid(x)


def tanh(x: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """Squashes every number into (-1, 1)."""
    return jnp.tanh(x)
