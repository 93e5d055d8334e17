"""Answers to `skip_connections`: blocks with a skip connection, a deep stack of them, dropout and dropped blocks."""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Key

import course
from course.lessons.skip_connections import coins
from solutions.normalization import rms_norm_bwd, rms_norm_fwd


def skip_block_fwd(
    x: Float[Array, "batch d"], w: Float[Array, "d d"]
) -> tuple[Float[Array, "batch d"], tuple[Float[Array, "batch d"], Float[Array, "d d"], Bool[Array, "batch d"]]]:
    """Returns x plus what its branch gives, and the residuals."""
    # 1. The branch first. Of its relu, what must backward know?
    z = x @ w
    on = z > 0
    # 2. What is added to what?
    return x + jnp.where(on, z, 0), (x, w, on)


def skip_block_bwd(
    residuals: tuple[Float[Array, "batch d"], Float[Array, "d d"], Bool[Array, "batch d"]],
    y_bar: Float[Array, "batch d"],
) -> tuple[Float[Array, "batch d"], Float[Array, "d d"]]:
    """Returns (x_bar, w_bar)."""
    x, w, on = residuals  # not z: relu's slope asks only whether it was on
    # 1. A sum hands its cotangent to both sides. What comes back through the relu, on the branch?
    z_bar = jnp.where(on, y_bar, 0)
    w_bar = x.T @ z_bar
    # 2. x was used twice: by the branch and by the skip connection. What follows?
    x_bar = y_bar + z_bar @ w.T
    return x_bar, w_bar


def skip_stack_fwd(
    x: Float[Array, "batch d"], w: Float[Array, "layers d d"]
) -> tuple[
    Float[Array, "batch d"],
    tuple[Float[Array, "layers d d"], Float[Array, "layers batch d"], Bool[Array, "layers batch d"]],
]:
    """Returns what the last block gives, and the residuals."""

    # 1. What goes from block to block, and what of each must be put on record for the way back?
    def layer(h: Float[Array, "batch d"], weights: Float[Array, "d d"]) -> tuple[Array, tuple[Array, Array]]:
        z = h @ weights
        on = z > 0
        return h + jnp.where(on, z, 0), (h, on)

    # 2. What does the whole loop return?
    y, (before, on) = jax.lax.scan(layer, x, w)
    return y, (w, before, on)


def skip_stack_bwd(
    residuals: tuple[Float[Array, "layers d d"], Float[Array, "layers batch d"], Bool[Array, "layers batch d"]],
    y_bar: Float[Array, "batch d"],
) -> tuple[Float[Array, "batch d"], Float[Array, "layers d d"]]:
    """Returns (x_bar, w_bar)."""
    w, before, on = residuals  # what entered each block, and a byte for each relu

    # 1. One block back: what is carried to the block before it, and what goes on record?
    def layer(h_bar: Float[Array, "batch d"], kept: tuple[Array, Array, Array]) -> tuple[Array, Array]:
        weights, h, on = kept
        z_bar = jnp.where(on, h_bar, 0)
        return h_bar + z_bar @ weights.T, h.T @ z_bar

    # 2. Which block comes first, and where do the cotangents of all weights come out?
    x_bar, w_bar = jax.lax.scan(layer, y_bar, (w, before, on), reverse=True)
    return x_bar, w_bar


def pre_norm_block_fwd(
    x: Float[Array, "batch d"], scale: Float[Array, "d"], w: Float[Array, "d d"]
) -> tuple[Float[Array, "batch d"], tuple[Any, ...]]:
    """Returns x plus what its branch gives, which begins with your RMS norm, and the residuals."""
    # 1. The norm is a pair of yours: what does it give, and what does it keep?
    normed, kept_norm = rms_norm_fwd(x, scale)
    z = normed @ w
    on = z > 0
    # 2. What is added to what, and what enters the product?
    return x + jnp.where(on, z, 0), (kept_norm, normed, w, on)


def pre_norm_block_bwd(
    residuals: tuple[Any, ...], y_bar: Float[Array, "batch d"]
) -> tuple[Float[Array, "batch d"], Float[Array, "d"], Float[Array, "d d"]]:
    """Returns (x_bar, scale_bar, w_bar)."""
    kept_norm, normed, w, on = residuals  # the norm's own, and what entered the product
    # 1. The branch, from its end: what do w and the norm's value get?
    z_bar = jnp.where(on, y_bar, 0)
    w_bar = normed.T @ z_bar
    normed_bar = z_bar @ w.T
    # 2. Through the norm, and then: what else has x been used by?
    through_branch, scale_bar = rms_norm_bwd(kept_norm, normed_bar)
    return y_bar + through_branch, scale_bar, w_bar


def post_norm_block_fwd(
    x: Float[Array, "batch d"], scale: Float[Array, "d"], w: Float[Array, "d d"]
) -> tuple[Float[Array, "batch d"], tuple[Any, Any]]:
    """Returns your block with its value normalised, and the residuals."""
    # 1. Two pairs of yours in a row: in which order?
    h, kept_block = skip_block_fwd(x, w)
    y, kept_norm = rms_norm_fwd(h, scale)
    return y, (kept_block, kept_norm)


def post_norm_block_bwd(
    residuals: tuple[Any, Any], y_bar: Float[Array, "batch d"]
) -> tuple[Float[Array, "batch d"], Float[Array, "d"], Float[Array, "d d"]]:
    """Returns (x_bar, scale_bar, w_bar)."""
    kept_block, kept_norm = residuals  # whatever each pair keeps
    # 1. Which of the two ran last, and what does it hand to the other?
    h_bar, scale_bar = rms_norm_bwd(kept_norm, y_bar)
    x_bar, w_bar = skip_block_bwd(kept_block, h_bar)
    return x_bar, scale_bar, w_bar


def dropout_fwd(
    key: Key[Array, ""], x: Float[Array, "batch d"], rate: Float[Array, ""] | float
) -> tuple[Float[Array, "batch d"], tuple[Bool[Array, "batch d"], Float[Array, ""] | float]]:
    """Returns x with some numbers dropped, and the residuals."""
    # 1. A coin for each number of x.
    kept = coins(key, rate, x.shape)
    # 2. What becomes of a number that is dropped, and of one that is kept?
    y = jnp.where(kept, x, 0) / (1 - rate)
    return y, (kept, rate)


def dropout_bwd(
    residuals: tuple[Bool[Array, "batch d"], Float[Array, ""] | float], y_bar: Float[Array, "batch d"]
) -> tuple[None, Float[Array, "batch d"], None]:
    """Returns (None, x_bar, None): a key has no tangent, and the rate is a setting."""
    kept, rate = residuals  # one byte a number; the key alone would do as well, at the price of another draw
    # 1. For these coins, what stands beside each number of x in y?
    x_bar = jnp.where(kept, y_bar, 0) / (1 - rate)
    return None, x_bar, None


def stochastic_depth_fwd(
    key: Key[Array, ""], x: Float[Array, "batch d"], w: Float[Array, "d d"], rate: Float[Array, ""] | float
) -> tuple[Float[Array, "batch d"], tuple[Any, ...]]:
    """Returns x plus what its branch gives where that is kept, and the residuals."""
    # 1. One coin for each row, laid so that it is copied along the row.
    kept = coins(key, rate, (len(x), 1))
    # 2. The block as before; where does the coin come in, and the rate?
    z = x @ w
    on = kept & (z > 0)
    return x + jnp.where(on, z, 0) / (1 - rate), (x, w, rate, on)


def stochastic_depth_bwd(
    residuals: tuple[Any, ...], y_bar: Float[Array, "batch d"]
) -> tuple[None, Float[Array, "batch d"], Float[Array, "d d"], None]:
    """Returns (None, x_bar, w_bar, None)."""
    x, w, rate, on = residuals  # on where the row was kept and relu was on: one byte a number
    # 1. The coin and the rate are on the branch. What comes back to z?
    z_bar = jnp.where(on, y_bar, 0) / (1 - rate)
    w_bar = x.T @ z_bar
    # 2. And what of the skip connection, in a row that was dropped and in one that was kept?
    x_bar = y_bar + z_bar @ w.T
    return None, x_bar, w_bar, None


course.answer("skip_connections.q1", (-100.0, 4.14, -0.218))
course.answer("skip_connections.q2", "b")
course.answer("skip_connections.q3", (1.0, 0.25))
course.answer("skip_connections.q4", "a0")
course.answer(
    "skip_connections.text",
    """For the coins that fell, forward is a product with known zeros. Its derivative has the same zeros. With new coins
the numbers that were dropped get something, though they had no influence, and some that had get nothing: this is the
derivative of another function. On average over the new coins, x_bar is y_bar, and the shapes are right, so training
goes down anyway, by noisier steps, and nothing crashes. I would hold the key fixed and compare with jax.vjp, or with
central differences, or look whether x_bar is zero where y is. Then I would make the key an argument of forward, and
keep either the coins, a byte each, or the key itself, and draw from it again.""",
)
