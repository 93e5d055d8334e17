"""Pooling: one number for each window of a picture, and the convolutional network that is made with it.

    average_pool            : the mean of each block of SIDE x SIDE pixels
    max_pool                : the largest number of each block
    overlapping_max_pool    : the largest number of each window, where windows may share pixels
    cnn                     : x -> conv_2d -> max_pool -> relu -> ... -> affine -> logits
    cnn_loss                : the mean softmax cross-entropy of these logits

Where several numbers of a window are the largest, the first of them in reading order, row by row, counts as the one
that was picked: so do `lax.reduce_window` with `lax.max`, and PyTorch. (`jnp.max` over a reshaped view has the same
values, and gives equal shares to all of them on the way back.)

Source: Y. LeCun et al., "Gradient-Based Learning Applied to Document Recognition", Proc. IEEE 86(11), 1998; D. Scherer,
A. Müller, S. Behnke, "Evaluation of Pooling Operations in Convolutional Architectures for Object Recognition", 2010.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Int, Key

from course.lessons.convolution import Window, conv_2d
from course.lessons.linear_and_activations import affine, relu
from course.lessons.losses import softmax_cross_entropy
from course.lessons.mlp import Layer

SIDE = 2
"""Rows and columns of a block; a picture's height and width are multiples of it."""

Place = tuple[slice, slice, slice]


@jax.tree_util.register_static
@dataclass(frozen=True)
class Pool:
    """Where windows lie that slide over a picture: settings, and no arrays.

    Attributes:
        size: Rows and columns of a window.
        stride: Rows and columns between two windows.
    """

    size: tuple[int, int]
    stride: tuple[int, int]


BLOCKS = Pool((SIDE, SIDE), (SIDE, SIDE))
"""Windows that lie side by side."""


def places(pool: Pool, shape: Sequence[int]) -> list[Place]:
    """Lists, for each place within a window in reading order, where in x all windows have it; `shape` is that of y."""
    (height, width), (down, right), (_, rows, columns, _) = pool.size, pool.stride, shape
    return [
        (slice(None), slice(i, i + down * (rows - 1) + 1, down), slice(j, j + right * (columns - 1) + 1, right))
        for i in range(height)
        for j in range(width)
    ]


def blocks(x: Float[Array, "batch height width channels"]) -> Float[Array, "batch rows side columns side channels"]:
    """Shows the same numbers block by block: axes 2 and 4 count the rows and columns within a block."""
    batch, height, width, channels = x.shape
    return x.reshape(batch, height // SIDE, SIDE, width // SIDE, SIDE, channels)


def average_pool(x: Float[Array, "batch height width channels"]) -> Float[Array, "batch rows columns channels"]:
    """Takes the mean of each block."""
    return blocks(x).mean(axis=(2, 4))


def overlapping_max_pool(
    x: Float[Array, "batch height width channels"], pool: Pool
) -> Float[Array, "batch rows columns channels"]:
    """Takes the largest number of each window that lies in the picture as a whole."""
    return lax.reduce_window(x, -jnp.inf, lax.max, (1, *pool.size, 1), (1, *pool.stride, 1), "VALID")


def max_pool(x: Float[Array, "batch height width channels"]) -> Float[Array, "batch rows columns channels"]:
    """Takes the largest number of each block."""
    return overlapping_max_pool(x, BLOCKS)


class Convolution(NamedTuple):
    """The parameters of one convolution."""

    w: Float[Array, "kernel_height kernel_width channels_in channels_out"]
    b: Float[Array, "channels_out"]


class Cnn(NamedTuple):
    """The parameters of the network: convolutions, first one first, and the affine map that reads out the classes."""

    convolutions: list[Convolution]
    readout: Layer


def keeping_size(w: Float[Array, "kernel_height kernel_width channels_in channels_out"]) -> Window:
    """The window under which a convolution by w gives as many rows and columns as it gets."""
    height, width = w.shape[:2]
    return Window((1, 1), (((height - 1) // 2, height // 2), ((width - 1) // 2, width // 2)), (1, 1))


def init_cnn(
    key: Key[Array, ""], pixels: tuple[int, int], channels: Sequence[int], classes: int, *, kernel: int = 3
) -> Cnn:
    """Draws weights of variance 2 / (numbers that enter a sum) and sets every bias to zero.

    Args:
        key: Is used up.
        pixels: Height and width of the pictures; each convolution's pooling divides them by SIDE.
        channels: Of the pictures, then of each convolution.
        classes: As many logits come out.
        kernel: Rows and columns of every kernel.
    """
    *keys, readout_key = jax.random.split(key, len(channels))
    convolutions = [
        Convolution(_normal(own, kernel, kernel, entering, leaving), jnp.zeros(leaving))
        for own, entering, leaving in zip(keys, channels[:-1], channels[1:], strict=True)
    ]
    left = [size // SIDE ** len(convolutions) for size in pixels]
    readout = Layer(_normal(readout_key, left[0] * left[1] * channels[-1], classes), jnp.zeros(classes))
    return Cnn(convolutions, readout)


def _normal(key: Key[Array, ""], *shape: int) -> Float[Array, "..."]:
    """Weights, all axes but the last of which are summed over; drawn flat, as four axes take seconds to compile."""
    return jax.random.normal(key, (math.prod(shape),)).reshape(shape) * (2 / math.prod(shape[:-1])) ** 0.5


def cnn(params: Cnn, x: Float[Array, "batch height width channels"]) -> Float[Array, "batch classes"]:
    """Returns the logits of every picture."""
    for layer in params.convolutions:
        x = relu(max_pool(conv_2d(x, layer.w, layer.b, keeping_size(layer.w))))
    return affine(x.reshape(len(x), -1), params.readout.w, params.readout.b)


def cnn_loss(
    params: Cnn, x: Float[Array, "batch height width channels"], labels: Int[Array, "batch"]
) -> Float[Array, ""]:
    """Returns the mean softmax cross-entropy, in nats, of the network's logits."""
    return softmax_cross_entropy(cnn(params, x), labels)
