"""Blocks with a skip connection: alone, deep, with a norm before or behind; dropout, and whole blocks dropped.

    skip_block      : y = x + relu(x @ w)
    pre_norm_block  : y = x + relu(rms_norm(x, scale) @ w)        the norm stands on the branch
    post_norm_block : y = rms_norm(x + relu(x @ w), scale)        the norm stands on everything
    dropout         : y = x / (1 - rate) where a coin says keep, else 0; a coin for each number
    stochastic_depth: y = x + branch / (1 - rate) where a coin says keep, else x; a coin for each row

The coins come from a key, and fall the same whenever they are drawn from the same one.

Source: K. He et al., "Deep Residual Learning for Image Recognition", 2015, arXiv:1512.03385; R. Xiong et al., "On Layer
Normalization in the Transformer Architecture", 2020, arXiv:2002.04745; N. Srivastava et al., "Dropout", 2014; G. Huang
et al., "Deep Networks with Stochastic Depth", 2016, arXiv:1603.09382.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Key

from course.lessons.linear_and_activations import relu
from course.lessons.normalization import rms_norm


def skip_block(x: Float[Array, "batch d"], w: Float[Array, "d d"]) -> Float[Array, "batch d"]:
    """Adds to x what a branch makes of it: a product and a relu."""
    branch = relu(x @ w)
    return x + branch


def skip_stack(x: Float[Array, "batch d"], w: Float[Array, "layers d d"]) -> Float[Array, "batch d"]:
    """Sends every row of x through blocks with a skip connection, first to last."""
    return jax.lax.scan(lambda h, weights: (skip_block(h, weights), None), x, w)[0]


def pre_norm_block(
    x: Float[Array, "batch d"], scale: Float[Array, "d"], w: Float[Array, "d d"]
) -> Float[Array, "batch d"]:
    """Adds to x what a branch makes of it that begins with a norm."""
    branch = relu(rms_norm(x, scale) @ w)
    return x + branch


def post_norm_block(
    x: Float[Array, "batch d"], scale: Float[Array, "d"], w: Float[Array, "d d"]
) -> Float[Array, "batch d"]:
    """Normalises the sum of x and what a branch makes of it."""
    return rms_norm(skip_block(x, w), scale)


def coins(key: Key[Array, ""], rate: Float[Array, ""] | float, shape: tuple[int, ...]) -> Bool[Array, "..."]:
    """Draws True for what is kept: each is False with probability `rate`, on its own."""
    return jax.random.bernoulli(key, 1 - rate, shape)


def dropout(key: Key[Array, ""], x: Float[Array, "batch d"], rate: Float[Array, ""] | float) -> Float[Array, "batch d"]:
    """Sets numbers of x to zero, each with probability `rate`, and enlarges the others so that the mean stays."""
    return jnp.where(coins(key, rate, x.shape), x, 0) / (1 - rate)


def stochastic_depth(
    key: Key[Array, ""], x: Float[Array, "batch d"], w: Float[Array, "d d"], rate: Float[Array, ""] | float
) -> Float[Array, "batch d"]:
    """A block with a skip connection whose branch is dropped as a whole, for each row with probability `rate`."""
    kept = coins(key, rate, (len(x), 1))
    branch = jnp.where(kept, relu(x @ w), 0) / (1 - rate)
    return x + branch


def gradient_norms(
    block: Callable[[Float[Array, "batch d"], Float[Array, "d d"]], Float[Array, "batch d"]],
    x: Float[Array, "batch d"],
    w: Float[Array, "layers d d"],
    y_bar: Float[Array, "batch d"],
) -> Float[Array, "layers"]:
    """Returns the norm of what comes back to each layer's input, first layer first, in a stack of one kind of block."""

    def stack(nudges: Float[Array, "layers batch d"]) -> Float[Array, "batch d"]:
        return jax.lax.scan(lambda h, layer: (block(h + layer[1], layer[0]), None), x, (w, nudges))[0]

    _, pullback = jax.vjp(stack, jnp.zeros((len(w), *x.shape), x.dtype))
    (bars,) = pullback(y_bar)
    return jnp.sqrt((bars**2).sum(axis=(1, 2)))
