"""Answers to `convolution`: a kernel by loops, then every cotangent as one convolution; transposed and grouped ones."""

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

import course
from course.lessons.convolution import GROUPS, Window, conv_1d, conv_2d, grouped_conv_1d, slide


def slide_fwd(
    x: Float[Array, "length"], w: Float[Array, "width"]
) -> tuple[Float[Array, "outputs"], tuple[Float[Array, "length"], Float[Array, "width"]]]:
    """Returns what the kernel makes of every window, and the residuals."""
    # 1. In each product, one factor is an entry of x and one of w. What does a product's backward ask for?
    return slide(x, w), (x, w)


def slide_bwd(
    residuals: tuple[Float[Array, "length"], Float[Array, "width"]], y_bar: Float[Array, "outputs"]
) -> tuple[Float[Array, "length"], Float[Array, "width"]]:
    """Returns (x_bar, w_bar)."""
    x, w = residuals  # the factors of every product; the windows themselves are in x
    # 1. Forward made y of one piece of x for each k. Where did that piece lie, and what was it multiplied by?
    x_bar = jnp.zeros_like(x)
    for k in range(len(w)):
        x_bar = x_bar.at[k : k + len(y_bar)].add(w[k] * y_bar)
    # 2. One number w[k] was used for all of y. Used many times: what follows, and which piece of x did it meet?
    w_bar = jnp.stack([x[k : k + len(y_bar)] @ y_bar for k in range(len(w))])
    return x_bar, w_bar


def conv_1d_fwd(
    x: Float[Array, "batch length channels_in"], w: Float[Array, "width channels_in channels_out"]
) -> tuple[
    Float[Array, "batch outputs channels_out"],
    tuple[Float[Array, "batch length channels_in"], Float[Array, "width channels_in channels_out"]],
]:
    """Returns the convolution, and the residuals."""
    # 1. What did `slide` keep?
    return conv_1d(x, w), (x, w)


def conv_1d_bwd(
    residuals: tuple[Float[Array, "batch length channels_in"], Float[Array, "width channels_in channels_out"]],
    y_bar: Float[Array, "batch outputs channels_out"],
) -> tuple[Float[Array, "batch length channels_in"], Float[Array, "width channels_in channels_out"]]:
    """Returns (x_bar, w_bar), each by one convolution."""
    x, w = residuals  # no patches: a convolution reads its windows where they lie
    # 1. Which y read x[s], by which place of the kernel? How far do windows reach over the ends of y_bar, and which
    #    channels of w are summed this time?
    ends = (len(w) - 1, len(w) - 1)
    x_bar = lax.conv_general_dilated(y_bar, w[::-1], (1,), [ends], dimension_numbers=("NWC", "WOI", "NWC"))
    # 2. w_bar[k] lets y_bar slide along x. Over which axis is summed now, as channels are, and which two are left?
    w_bar = lax.conv_general_dilated(x, y_bar, (1,), [(0, 0)], dimension_numbers=("CWN", "IWO", "WNC"))
    return x_bar, w_bar


def bar_paddings(
    length: int, width: int, outputs: int, stride: int, before: int, dilation: int
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Returns the padding (before, after) of the convolution that makes x_bar, and of the one that makes w_bar."""
    # 1. Which place of x is the last that any window reads? How far behind the end of x is it, or how far before?
    after = stride * (outputs - 1) + dilation * (width - 1) - before - (length - 1)
    # 2. How far does a window reach beyond its first place? What of that is left on each side, for x_bar?
    reach = dilation * (width - 1)
    return (reach - before, reach - after), (before, after)


def conv_2d_fwd(
    x: Float[Array, "batch height width channels_in"],
    w: Float[Array, "kernel_height kernel_width channels_in channels_out"],
    b: Float[Array, "channels_out"],
    window: Window,
) -> tuple[
    Float[Array, "batch rows columns channels_out"],
    tuple[
        Float[Array, "batch height width channels_in"],
        Float[Array, "kernel_height kernel_width channels_in channels_out"],
        Window,
    ],
]:
    """Returns the convolution, and the residuals."""
    # 1. Which of the four does backward ask for?
    return conv_2d(x, w, b, window), (x, w, window)


def conv_2d_bwd(
    residuals: tuple[
        Float[Array, "batch height width channels_in"],
        Float[Array, "kernel_height kernel_width channels_in channels_out"],
        Window,
    ],
    y_bar: Float[Array, "batch rows columns channels_out"],
) -> tuple[
    Float[Array, "batch height width channels_in"],
    Float[Array, "kernel_height kernel_width channels_in channels_out"],
    Float[Array, "channels_out"],
    None,
]:
    """Returns (x_bar, w_bar, b_bar, None), the first two by one convolution each."""
    x, w, window = residuals  # not b, which was only added; and no patches, which would be many times x
    stride, dilation = window.stride, window.dilation
    # 1. Each axis goes by itself. What are its padding for x_bar, and its padding for w_bar?
    paddings = [
        bar_paddings(length, width, outputs, step, ends[0], apart)
        for length, width, outputs, step, ends, apart in zip(
            x.shape[1:3], w.shape[:2], y_bar.shape[1:3], stride, window.padding, dilation, strict=True
        )
    ]
    # 2. x_bar: the kernel turned along both axes, slid over what? How far apart are the entries of that?
    x_bar = lax.conv_general_dilated(
        y_bar,
        w[::-1, ::-1],
        (1, 1),
        [of_x for of_x, _ in paddings],
        lhs_dilation=stride,
        rhs_dilation=dilation,
        dimension_numbers=("NHWC", "HWOI", "NHWC"),
    )
    # 3. w_bar: y_bar is the kernel now. How far apart are its places, and how far does it move from k to k + 1?
    w_bar = lax.conv_general_dilated(
        x,
        y_bar,
        dilation,
        [of_w for _, of_w in paddings],
        rhs_dilation=stride,
        dimension_numbers=("CHWN", "IHWO", "HWNC"),
    )
    # 4. To how many entries of y was b[o] copied?
    b_bar = y_bar.sum(axis=(0, 1, 2))
    return x_bar, w_bar, b_bar, None


def transposed_conv_1d_fwd(
    x: Float[Array, "batch length channels_in"], w: Float[Array, "width channels_out channels_in"], window: Window
) -> tuple[
    Float[Array, "batch outputs channels_out"],
    tuple[Float[Array, "batch length channels_in"], Float[Array, "width channels_out channels_in"], Window],
]:
    """Returns the transposed convolution, and the residuals."""
    (before, after), (dilation,) = window.padding[0], window.dilation
    # 1. This adds to y as conv_1d's backward adds to x_bar. So which one convolution makes it?
    reach = dilation * (len(w) - 1)
    y = lax.conv_general_dilated(
        x,
        w[::-1],
        (1,),
        [(reach - before, reach - after)],
        lhs_dilation=window.stride,
        rhs_dilation=window.dilation,
        dimension_numbers=("NWC", "WOI", "NWC"),
    )
    return y, (x, w, window)


def transposed_conv_1d_bwd(
    residuals: tuple[Float[Array, "batch length channels_in"], Float[Array, "width channels_out channels_in"], Window],
    y_bar: Float[Array, "batch outputs channels_out"],
) -> tuple[Float[Array, "batch length channels_in"], Float[Array, "width channels_out channels_in"], None]:
    """Returns (x_bar, w_bar, None), each by one convolution."""
    x, w, window = residuals  # as for any convolution
    # 1. Forward was a convolution's backward. What is the backward of that?
    x_bar = lax.conv_general_dilated(
        y_bar,
        w,
        window.stride,
        window.padding,
        rhs_dilation=window.dilation,
        dimension_numbers=("NWC", "WIO", "NWC"),
    )
    # 2. w[k] met x[t] and went to y[stride * t + ...]. Which of x and y_bar slides along which?
    w_bar = lax.conv_general_dilated(
        y_bar,
        x,
        window.dilation,
        window.padding,
        rhs_dilation=window.stride,
        dimension_numbers=("CWN", "IWO", "WNC"),
    )
    return x_bar, w_bar, None


def grouped_conv_1d_fwd(
    x: Float[Array, "batch length channels_in"], w: Float[Array, "width channels_each channels_out"]
) -> tuple[
    Float[Array, "batch outputs channels_out"],
    tuple[Float[Array, "batch length channels_in"], Float[Array, "width channels_each channels_out"]],
]:
    """Returns the grouped convolution, and the residuals."""
    # 1. Does it keep anything else than a convolution of one group?
    return grouped_conv_1d(x, w), (x, w)


def grouped_conv_1d_bwd(
    residuals: tuple[Float[Array, "batch length channels_in"], Float[Array, "width channels_each channels_out"]],
    y_bar: Float[Array, "batch outputs channels_out"],
) -> tuple[Float[Array, "batch length channels_in"], Float[Array, "width channels_each channels_out"]]:
    """Returns (x_bar, w_bar), each by one convolution."""
    x, w = residuals  # as for one group
    # 1. Group g's part of w is the g-th part of its last axis. Where must that part stand, once in and out are swapped?
    width, channels_each, _ = w.shape
    parts = w[::-1].reshape(width, channels_each, GROUPS, -1)
    swapped = parts.transpose(0, 3, 2, 1).reshape(width, -1, x.shape[-1])
    ends = (width - 1, width - 1)
    x_bar = lax.conv_general_dilated(
        y_bar, swapped, (1,), [ends], dimension_numbers=("NWC", "WIO", "NWC"), feature_group_count=GROUPS
    )
    # 2. In w_bar's convolution the channels of x stand where a batch stands. What is in groups, then?
    w_bar = lax.conv_general_dilated(
        x, y_bar, (1,), [(0, 0)], dimension_numbers=("CWN", "IWO", "WNC"), batch_group_count=GROUPS
    )
    return x_bar, w_bar


course.answer("convolution.q1", 8)
course.answer("convolution.q2", (2, 2))
course.answer("convolution.q3", "b")
course.answer("convolution.q4", "d0")
course.answer(
    "convolution.text",
    """A transposed convolution puts the kernel into the picture once for each pixel, 2 places apart, and adds what
overlaps. The kernel has 3 places, so the last place of each piece is the first of the next: every other place is
written twice, those between once. Along two axes some pixels are written four times, some twice, some once: that is a
chessboard. With x and the kernel full of ones, along one axis y is 1, 1, 2, 1, 2, 1, 2, 1, 1: it shows before anything
is learned. x_bar of an ordinary convolution with stride 2 is the same sum and has the same pattern. I would take a
kernel of 4 or 2 places, a multiple of the stride, so that all places are written equally often; or repeat every pixel
and let an ordinary convolution with stride 1 follow.""",
)
