"""What the networks of `cost_of_backprop` cost, counted on their programs or enumerated array by array: no formula.

The networks are in float32, as they are trained; nothing is executed, however large they are.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from functools import cache
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp

from course.comparison.counting import count
from course.lessons.cost_of_backprop import AffineFlops, StepFlops
from course.lessons.linear_and_activations import affine
from course.lessons.mlp import Layer, Mlp, mlp_loss


def like(*shape: int, dtype: Any = jnp.float32) -> jax.ShapeDtypeStruct:
    """An array of a shape, without its numbers."""
    return jax.ShapeDtypeStruct(shape, dtype)


def parameters(sizes: Sequence[int]) -> Mlp:
    """The parameters of a network, without their numbers."""
    return Mlp([Layer(like(*shape), like(shape[1])) for shape in pairwise(sizes)])


def bytes_of(arrays: Any) -> int:
    """The bytes of all arrays of a tree."""
    return sum(array.size * array.dtype.itemsize for array in jax.tree.leaves(arrays))


@cache
def affine_flops(batch: int, d_in: int, d_out: int) -> AffineFlops:
    """Counts an affine layer, and the transpose of what it does with each of its arguments."""
    x, w, b, y = like(batch, d_in), like(d_in, d_out), like(d_out), like(batch, d_out)

    def x_bar(w: Any, y_bar: Any) -> Any:
        return jax.linear_transpose(lambda x: x @ w, x)(y_bar)

    def w_bar(x: Any, y_bar: Any) -> Any:
        return jax.linear_transpose(lambda w: x @ w, w)(y_bar)

    def b_bar(y_bar: Any) -> Any:
        return jax.linear_transpose(lambda b: jnp.broadcast_to(b, y.shape), b)(y_bar)

    backward = count(x_bar, w, y), count(w_bar, x, y), count(b_bar, y)
    return AffineFlops(count(affine, x, w, b).flops, *(found.flops for found in backward))


@cache
def step_flops(batch: int, sizes: tuple[int, ...], differentiate: Callable[..., Any] = jax.value_and_grad) -> StepFlops:
    """Counts the matrix products of a network's loss, and those that its gradient takes beyond them.

    Args:
        batch: Rows.
        sizes: From the input to the logits.
        differentiate: Makes of `mlp_loss` what gives its value and its gradient.
    """
    given = parameters(sizes), like(batch, sizes[0]), like(batch, dtype=jnp.int32)
    forward = count(mlp_loss, *given).dot_flops
    return StepFlops(forward, count(differentiate(mlp_loss), *given).dot_flops - forward)


def kept_arrays(batch: int, sizes: Sequence[int]) -> list[jax.ShapeDtypeStruct]:
    """Lists what a network's pair keeps for backward: of each relu its mask and its value, and at last the logits."""
    *hidden, classes = sizes[1:]
    of_relus = [array for d in hidden for array in (like(batch, d, dtype=jnp.bool_), like(batch, d))]
    return [*of_relus, like(batch, classes)]


def kept_bytes(batch: int, sizes: Sequence[int]) -> int:
    """The bytes of what is kept for backward."""
    return bytes_of(kept_arrays(batch, sizes))


def held_for_training(rows: int, sizes: Sequence[int]) -> int:
    """The bytes of the parameters, of their gradient, of a batch and of what is kept of it for backward."""
    params = parameters(sizes)
    return bytes_of((params, params, like(rows, sizes[0]), kept_arrays(rows, sizes)))


def largest_batch(
    sizes: Sequence[int], memory: int, held: Callable[[int, Sequence[int]], int] = held_for_training
) -> int:
    """Searches for the most rows of which all that is held fits into memory, in bytes."""
    return bisect_right(range(1, memory + 1), memory, key=lambda rows: held(rows, sizes))


@cache
def fewest_layers(hundredths: int, width: int = 8, most: int = 40) -> int:
    """Searches for the least depth at which forward and backward take so many hundredths of forward.

    Args:
        hundredths: Of the forward pass.
        width: Of all layers.
        most: The greatest depth that is looked at.
    """

    def multiple(layers: int) -> int:
        found = step_flops(1, (width,) * (layers + 1))
        return 100 * sum(found) // found.forward

    return 1 + bisect_left(range(1, most + 1), hundredths, key=multiple)
