"""What forward and backward cost, in FLOPs and in bytes; and a network that uses one matrix again and again.

    FLOP                     one multiplication or one addition; a sum of k numbers counts k
    (n, k) @ (k, m)          n * m entries, each a sum of k products
    shared_layers(w, x)      = x after x = tanh(x @ w), round after round with one and the same w
    separate_layers(ws, x)   = x after x = tanh(x @ w) for each w of ws

Source: W. Baur, V. Strassen, "The complexity of partial derivatives", Theoretical Computer Science 22(3), 1983,
doi:10.1016/0304-3975(83)90110-X. A. Griewank, A. Walther, "Evaluating Derivatives", second edition, SIAM, 2008,
chapters 3 and 4, doi:10.1137/1.9780898717761.
"""

from typing import NamedTuple

import jax
from jaxtyping import Array, Float

from course.lessons.linear_and_activations import tanh

ROUNDS = 3
"""How often `shared_layers` uses its matrix, unless it is told otherwise."""


class AffineFlops(NamedTuple):
    """FLOPs of an affine layer: of its value, and of each cotangent."""

    forward: int
    x_bar: int
    w_bar: int
    b_bar: int


class StepFlops(NamedTuple):
    """FLOPs of a network's forward and backward pass."""

    forward: int
    backward: int


def shared_layers(w: Float[Array, "d d"], x: Float[Array, "batch d"], rounds: int = ROUNDS) -> Float[Array, "batch d"]:
    """Maps every row by w and squashes it, again and again with the same w."""
    x, _ = jax.lax.scan(lambda x, _: (tanh(x @ w), None), x, length=rounds)
    return x


def separate_layers(ws: Float[Array, "rounds d d"], x: Float[Array, "batch d"]) -> Float[Array, "batch d"]:
    """Maps every row by each w of a stack in turn, and squashes it each time."""
    x, _ = jax.lax.scan(_separate_layer, x, ws)
    return x


def _separate_layer(x: Float[Array, "batch d"], w: Float[Array, "d d"]) -> tuple[Float[Array, "batch d"], None]:
    return tanh(x @ w), None
