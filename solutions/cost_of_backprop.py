"""Answers to `cost_of_backprop`: FLOPs and bytes from sizes, and the pass through a network that shares its matrix."""

from collections.abc import Sequence
from itertools import pairwise

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

import course
from course.lessons.cost_of_backprop import ROUNDS, AffineFlops, StepFlops
from course.lessons.linear_and_activations import tanh


def affine_flops(batch: int, d_in: int, d_out: int) -> AffineFlops:
    """Returns the FLOPs of x @ w + b, and those of each of its cotangents."""
    # 1. How many entries has x @ w, and what does each take? What does the bias add?
    one_product = 2 * batch * d_in * d_out
    forward = one_product + batch * d_out
    # 2. x_bar and w_bar are products, too. How many entries has each, and sums of how many products are they?
    x_bar = w_bar = one_product
    # 3. How many numbers go into b_bar?
    b_bar = batch * d_out
    return AffineFlops(forward, x_bar, w_bar, b_bar)


def training_flops(batch: int, sizes: Sequence[int]) -> StepFlops:
    """Returns the FLOPs of the matrix products of an mlp's loss and of its gradient by the parameters."""
    # 1. What does the product of each layer take?
    products = [2 * batch * d_in * d_out for d_in, d_out in pairwise(sizes)]
    forward = sum(products)
    # 2. How many products does backward make of each of these, and which one does nobody ask for?
    backward = 2 * forward - products[0]
    return StepFlops(forward, backward)


def kept_bytes(batch: int, sizes: Sequence[int]) -> int:
    """Returns the bytes that mlp_loss_fwd keeps for backward, in float32."""
    *hidden, classes = sizes[1:]
    # 1. Which two arrays does backward need of a hidden layer, and how many bytes are they for each unit?
    of_hidden = (4 + 1) * sum(hidden)
    # 2. What does the loss need? And which arrays are there anyway, so that they do not count?
    of_loss = 4 * classes
    return batch * (of_hidden + of_loss)


def shared_layers_fwd(
    w: Float[Array, "d d"], x: Float[Array, "batch d"]
) -> tuple[
    Float[Array, "batch d"], tuple[Float[Array, "d d"], Float[Array, "batch d"], Float[Array, "rounds batch d"]]
]:
    """Returns x after ROUNDS times x = tanh(x @ w), and the residuals."""

    def one_round(x: Array, _: None) -> tuple[Array, Array]:
        # 1. What does a round hand to the next, and which one array must be kept of it?
        y = tanh(x @ w)
        return y, y

    y, ys = jax.lax.scan(one_round, x, length=ROUNDS)
    return y, (w, x, ys)


def shared_layers_bwd(
    residuals: tuple[Float[Array, "d d"], Float[Array, "batch d"], Float[Array, "rounds batch d"]],
    y_bar: Float[Array, "batch d"],
) -> tuple[Float[Array, "d d"], Float[Array, "batch d"]]:
    """Returns (w_bar, x_bar)."""
    w, x, ys = residuals  # not z: the slope reads in terms of y, which is also the next round's x

    def one_round(y_bar: Array, y: Array) -> tuple[Array, Array]:
        # 2. What is the z_bar of this round, and what does it send to the round before?
        z_bar = y_bar * (1 - y**2)
        return z_bar @ w.T, z_bar

    x_bar, z_bars = jax.lax.scan(one_round, y_bar, ys, reverse=True)
    # 3. Which x went into which round? Every round used the same w: what follows?
    xs = jnp.concatenate([x[None], ys[:-1]])
    w_bar = jnp.einsum("rni,rnj->ij", xs, z_bars)
    return w_bar, x_bar


def largest_batch(sizes: Sequence[int], memory: int) -> int:
    """Returns how many rows fit into memory, in bytes, in which a network is trained in float32."""
    # 1. Which two things of the size of the parameters are there whatever the batch? How many bytes have they?
    parameters = sum((d_in + 1) * d_out for d_in, d_out in pairwise(sizes))
    fixed = 2 * 4 * parameters
    # 2. What does each row need: of itself, and of what is kept for backward?
    row = 4 * sizes[0] + kept_bytes(1, sizes)
    # 3. How many whole rows fit into what is left? And if nothing is left?
    return max(0, (memory - fixed) // row)


course.answer("cost_of_backprop.q1", 20)
course.answer("cost_of_backprop.q2", "b")
course.answer("cost_of_backprop.q3", "c")
course.answer("cost_of_backprop.q4", "a0")
course.answer(
    "cost_of_backprop.text",
    """In use each layer's input is forgotten when the next one is there. In training every layer's residuals wait for
backward, so 19 of the 20 GB grow with depth times batch. Half the batch needs about half of that, at the same
FLOPs a row; the gradient is noisier, unless those of two halves are added up before the step. Or I keep every
few layers only, and compute the others again on the way back: up to one more forward pass, and the very same
numbers. Or two bytes for a number in place of four: half the memory, and rounding that has to be watched.""",
)
