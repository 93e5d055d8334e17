"""Answers to `vanishing_gradients`: norms by layer, a deep stack backward, and weights drawn so that signals last."""

from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

import course


def gradient_norms(
    slope: Callable[..., Array],
    z: Float[Array, "layers batch d"],
    w: Float[Array, "layers d d"],
    y_bar: Float[Array, "batch d"],
) -> Float[Array, "layers"]:
    """Returns the norm of the cotangent of what enters each layer, first layer first."""

    # 1. A layer is handed the cotangent of its activation's value. What does it hand to the layer before it?
    def layer(h_bar: Float[Array, "batch d"], inside: tuple[Array, Array]) -> tuple[Array, Array]:
        z, weights = inside
        h_bar = (h_bar * slope(z)) @ weights.T
        # 2. The norm of a matrix: of all its numbers, in which order are square, sum and root?
        return h_bar, jnp.sqrt(jnp.sum(h_bar**2))

    # 3. Which layer comes first on the way back, and in which order are the norms wanted?
    return jax.lax.scan(layer, y_bar, (z, w), reverse=True)[1]


def deep_tanh_fwd(
    x: Float[Array, "batch d"], w: Float[Array, "layers d d"]
) -> tuple[
    Float[Array, "batch d"],
    tuple[Float[Array, "batch d"], Float[Array, "layers d d"], Float[Array, "layers batch d"]],
]:
    """Returns what the last layer gives, and the residuals."""

    # 1. What goes from layer to layer, and what must be put on record at each for the way back?
    def layer(h: Float[Array, "batch d"], weights: Float[Array, "d d"]) -> tuple[Array, Array]:
        after = jnp.tanh(h @ weights)
        return after, after

    # 2. What does the whole loop return?
    y, after = jax.lax.scan(layer, x, w)
    return y, (x, w, after)


def deep_tanh_bwd(
    residuals: tuple[Float[Array, "batch d"], Float[Array, "layers d d"], Float[Array, "layers batch d"]],
    y_bar: Float[Array, "batch d"],
) -> tuple[Float[Array, "batch d"], Float[Array, "layers d d"]]:
    """Returns (x_bar, w_bar)."""
    x, w, after = residuals  # one array a layer: the slope is known from what tanh gave, and that enters the next layer
    # 1. What entered each layer, given what each of them gave?
    before = jnp.concatenate([x[None], after[:-1]])

    # 2. One layer back: through the activation first. What are the two cotangents of its product?
    def layer(h_bar: Float[Array, "batch d"], kept: tuple[Array, Array, Array]) -> tuple[Array, Array]:
        h, weights, a = kept
        z_bar = h_bar * (1 - a**2)
        return z_bar @ weights.T, h.T @ z_bar

    # 3. Which layer comes first, and where do the cotangents of all weights come out?
    x_bar, w_bar = jax.lax.scan(layer, y_bar, (before, w, after), reverse=True)
    return x_bar, w_bar


def xavier(key: Key[Array, ""], d_in: int, d_out: int) -> Float[Array, "d_in d_out"]:
    """Draws the weights of a layer by Xavier Glorot's rule."""
    # 1. Forward asks for one variance, backward for another. Which lies between them, by the rule?
    variance = 2 / (d_in + d_out)
    # 2. jax.random.normal has variance 1. By what is it multiplied?
    return jnp.sqrt(variance) * jax.random.normal(key, (d_in, d_out))


def he_layers(key: Key[Array, ""], sizes: Sequence[int]) -> list[Float[Array, "d_in d_out"]]:
    """Draws the weights of all layers of a relu network by Kaiming He's rule."""
    # 1. How many layers are there between so many sizes, and how many keys does that take?
    keys = jax.random.split(key, len(sizes) - 1)
    # 2. Which variance makes good for the half that relu takes away, and of which size does it depend?
    return [
        jnp.sqrt(2 / d_in) * jax.random.normal(layer_key, (d_in, d_out))
        for layer_key, d_in, d_out in zip(keys, sizes[:-1], sizes[1:], strict=True)
    ]


course.answer("vanishing_gradients.q1", (-30.1, 0.0))
course.answer("vanishing_gradients.q2", (4.0, 1.0))
course.answer("vanishing_gradients.q3", "c")
course.answer("vanishing_gradients.q4", "c0")
course.answer(
    "vanishing_gradients.text",
    """Every cotangent is linear in loss_bar, so all gradients grow by a million, and the first layer's is as many
times smaller than the last one's as before. Under gradient descent this is the same as a rate a million times
as large: perhaps right for the first layers, and the last ones are thrown far away. Under Adam the step is a
mean over the root of a mean of squares, so the factor cancels, except that epsilon now weighs nothing. I would
first look at the norm of each layer's gradient. If it falls by a factor a layer, I would bring that factor near
1: weights of variance 1 / d_in, or relu with He's rule, normalisation, or skip connections.""",
)
