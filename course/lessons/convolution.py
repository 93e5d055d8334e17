"""Convolutions: a kernel that slides along a signal or over an image, with stride, padding and dilation.

    slide(x, w)           : y[t] = w[0] * x[t] + w[1] * x[t + 1] + ...          one window after the other
    conv_1d               : the same with channels: x[n, t + k] is a row, w[k] a matrix, and their products are added
    conv_2d               : the same along two axes, plus a bias for each channel
    transposed_conv_1d    : x[n, t] @ w[k].T is added to y[n, stride * t + dilation * k - padding before]
    grouped_conv_1d       : conv_1d in GROUPS, each of which has its own channels

Place t of the value reads the places stride * t + dilation * k - (padding before) of x, k counting the kernel's places.
What is outside of x is 0. As everywhere in deep learning, the kernel is not turned round.

Source: V. Dumoulin, F. Visin, "A guide to convolution arithmetic for deep learning", 2016, arXiv:1603.07285; Y. LeCun
et al., "Gradient-Based Learning Applied to Document Recognition", Proc. IEEE 86(11), 1998.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

GROUPS = 2
"""Groups that the channels of a grouped convolution are in."""


@jax.tree_util.register_static
@dataclass(frozen=True)
class Window:
    """How a kernel slides along each axis: settings, and no arrays, so that JAX takes them as a part of the program.

    Attributes:
        stride: Places of x between two windows.
        padding: Zeros before and after x.
        dilation: Places of x between two places of the kernel.
    """

    stride: tuple[int, ...]
    padding: tuple[tuple[int, int], ...]
    dilation: tuple[int, ...]


def read_places(outputs: int, width: int, stride: int, before: int, dilation: int) -> tuple[tuple[int, ...], ...]:
    """Lists, window after window, the places of x that it reads along an axis; what is not in x is padding."""
    return tuple(tuple(stride * t + dilation * k - before for k in range(width)) for t in range(outputs))


def slide(x: Float[Array, "length"], w: Float[Array, "width"]) -> Float[Array, "outputs"]:
    """Weighs every window of x by w, and adds it up."""
    outputs = len(x) - len(w) + 1
    y = jnp.zeros(outputs, x.dtype)
    for k in range(len(w)):
        y = y + w[k] * x[k : k + outputs]
    return y


def conv_1d(
    x: Float[Array, "batch length channels_in"], w: Float[Array, "width channels_in channels_out"]
) -> Float[Array, "batch outputs channels_out"]:
    """Slides a kernel of matrices along every example."""
    return lax.conv_general_dilated(x, w, (1,), [(0, 0)], dimension_numbers=("NWC", "WIO", "NWC"))


def conv_2d(
    x: Float[Array, "batch height width channels_in"],
    w: Float[Array, "kernel_height kernel_width channels_in channels_out"],
    b: Float[Array, "channels_out"],
    window: Window,
) -> Float[Array, "batch rows columns channels_out"]:
    """Slides a kernel over every image, and adds a bias to each channel."""
    y = lax.conv_general_dilated(
        x, w, window.stride, window.padding, rhs_dilation=window.dilation, dimension_numbers=("NHWC", "HWIO", "NHWC")
    )
    return y + b


def transposed_conv_1d(
    x: Float[Array, "batch length channels_in"],
    w: Float[Array, "width channels_out channels_in"],
    window: Window,
) -> Float[Array, "batch outputs channels_out"]:
    """Puts the kernel, weighed by each place of x, into y, `stride` places apart, and adds up what overlaps."""
    (stride,), ((before, after),), (dilation,) = window.stride, window.padding, window.dilation
    (batch, length, _), (width, channels_out, _) = x.shape, w.shape
    reach = stride * (length - 1) + 1
    whole = jnp.zeros((batch, reach + dilation * (width - 1), channels_out), x.dtype)
    for k in range(width):
        start = dilation * k
        whole = whole.at[:, start : start + reach : stride].add(x @ w[k].T)
    return whole[:, before : whole.shape[1] - after]


def grouped_conv_1d(
    x: Float[Array, "batch length channels_in"], w: Float[Array, "width channels_each channels_out"]
) -> Float[Array, "batch outputs channels_out"]:
    """Convolves each group of channels by its own part of the kernel."""
    return lax.conv_general_dilated(
        x, w, (1,), [(0, 0)], dimension_numbers=("NWC", "WIO", "NWC"), feature_group_count=GROUPS
    )
