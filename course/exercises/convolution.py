"""What `convolution` asks: a kernel backward by loops, then each cotangent as one convolution, in one and in two axes.

Sizes are such that windows overlap, leave places out, and hang over both ends by different amounts.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from course.comparison.methods import method_counts
from course.exercises.counted import like
from course.exercises.exercise import Exercise, Paper
from course.exercises.mistakes import convolution as mistakes
from course.exercises.tasks.drawing import Draw
from course.exercises.tasks.free_text import Criterion, FreeText
from course.exercises.tasks.function import FunctionTask
from course.exercises.tasks.limits import Limits
from course.exercises.tasks.pair import Case, PairTask
from course.exercises.tasks.question import Choice, Number, Option
from course.exercises.tasks.shown import Source
from course.exercises.tasks.which_mistake import WhichMistake
from course.lessons.convolution import (
    GROUPS,
    Window,
    conv_1d,
    conv_2d,
    grouped_conv_1d,
    read_places,
    slide,
    transposed_conv_1d,
)

LENGTH, WIDTH, STRIDE = 20, 3, 5
"""Of the question on places that no window reads."""

TALLEST, WIDEST = 4, 2
"""The drawn kernel of `conv_2d`, which is not square."""

UNEQUAL = Window((2, 1), ((1, 2), (2, 1)), (1, 2))
ON_PAPER = Window((2, 1), ((0, 1), (1, 0)), (1, 2))
LEAVING_OUT = Window((5, 3), ((0, 0), (0, 0)), (1, 1))
"""Windows of `conv_2d`: all settings, different for each axis, with less padding where it is redone on paper; strides
beyond the kernel."""

SPREAD = Window((2,), ((1, 2),), (3,))
SPREAD_ON_PAPER = Window((2,), ((0, 1),), (3,))
"""Windows of `transposed_conv_1d`; on paper not all of y may be cut off."""


def _draw_slide(draw: Draw) -> tuple[np.ndarray, np.ndarray]:
    x, w = draw.normal("length"), draw.normal("width")
    return x, w[: max(min(len(x) - 1, 3), 1)]


def _draw_conv_1d(draw: Draw) -> tuple[np.ndarray, np.ndarray]:
    draw.sizes("batch", "channels_in", "channels_out")
    x, w = draw.normal("batch", "length", "channels_in"), draw.normal("width", "channels_in", "channels_out")
    return x, w[: min(x.shape[1], 4)]


def _draw_conv_2d(draw: Draw, window: Window | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray, Window]:
    x = draw.normal("height", "batch", "channels_in", "width").transpose(1, 0, 3, 2)
    w = draw.normal("kernel_height", "kernel_width", "channels_in", "channels_out")
    w = w[: min(TALLEST, draw.size("height")), : min(WIDEST, draw.size("width"))]
    return x, w, draw.normal("channels_out"), window or (ON_PAPER if draw.is_small else UNEQUAL)


def _draw_leaving_out(draw: Draw) -> tuple[np.ndarray, np.ndarray, np.ndarray, Window]:
    return _draw_conv_2d(draw, LEAVING_OUT)


def _draw_transposed(draw: Draw) -> tuple[np.ndarray, np.ndarray, Window]:
    draw.size("length", 2)
    x = draw.normal("length", "batch", "channels_in").swapaxes(0, 1)
    return x, draw.normal("width", "channels_out", "channels_in")[:3], SPREAD_ON_PAPER if draw.is_small else SPREAD


def _draw_grouped(draw: Draw) -> tuple[np.ndarray, np.ndarray]:
    draw.sizes("channels_each", "channels_out", "batch")
    x = [draw.normal("batch", "length", "channels_each") for _ in range(GROUPS)]
    w = [draw.normal("width", "channels_each", "channels_out") for _ in range(GROUPS)]
    return np.concatenate(x, axis=-1), np.concatenate(w, axis=-1)[: min(draw.size("length"), 4)]


def _settings(draw: Draw) -> tuple[int, int, int, int]:
    """Outputs, width, stride and dilation of an axis, no two of which are equal."""
    outputs, width, stride, dilation = (4 * (int(draw.below("spread")) % 3) for _ in range(4))
    return outputs + 3, width + 2, stride + 5, dilation + 4


def _draw_axis(draw: Draw) -> tuple[int, int, int, int, int, int]:
    """The numbers of one axis that fit together; the kernel hangs over both ends, further over the second."""
    before, more = (int(draw.below("spread")) % 2 for _ in range(2))
    return _fitted(*_settings(draw), 1 + before, 3 + before + more)


def _draw_left_over(draw: Draw) -> tuple[int, int, int, int, int, int]:
    return _fitted(*_settings(draw), 1 + int(draw.below("spread")) % 2, -1)


def _fitted(
    outputs: int, width: int, stride: int, dilation: int, before: int, after: int
) -> tuple[int, int, int, int, int, int]:
    length = stride * (outputs - 1) + dilation * (width - 1) + 1 - before - after
    return length, width, outputs, stride, before, dilation


def _nothing(*primals: Any) -> int:
    return 0


def _unread() -> int:
    """Counts the places that no window reads."""
    outputs = (LENGTH - WIDTH) // STRIDE + 1
    return len(set(range(LENGTH)) - {place for places in read_places(outputs, WIDTH, STRIDE, 0, 1) for place in places})


def _backward_over_forward() -> tuple[float, float]:
    """Counts the products of a layer's x_bar and w_bar as multiples of forward's, at the strides 1 and 2."""
    shapes = (like(32, 28, 28, 16), like(3, 3, 16, 32), like(32))
    windows = (Window((stride, stride), ((1, 1), (1, 1)), (1, 1)) for stride in (1, 2))
    counts = [method_counts(lambda x, w, b, own=own: conv_2d(x, w, b, own), None, None, *shapes) for own in windows]
    one, two = (count.vjp.dot_flops / count.primal.dot_flops - 1 for count in counts)
    return one, two


SLIDE = Exercise(
    name="convolution.slide",
    title="a kernel that slides, by loops",
    task=PairTask(
        primal=slide,
        fwd="slide_fwd",
        bwd="slide_bwd",
        draw=_draw_slide,
        mistakes=mistakes.SLIDE,
    ),
    points=3,
    hints=(
        "Every product in y[t] has two factors, x[t + k] and w[k]. Each of them gets y_bar[t] times the other one. "
        "Then collect, for every x[s] and for every w[k], all that came.",
        "Take one k. In forward it multiplied a piece of x, x[k : k + outputs], by the number w[k]. So in backward it "
        "sends something to just this piece of x_bar, and pieces of different k overlap.",
        "x_bar starts as zeros, and for each k a multiple of y_bar is added to a piece, with x_bar.at[...].add(...). "
        "w_bar[k] is one number: the sum of a product of two vectors of equal length. jnp.stack makes one array.",
    ),
    asks={
        "x_bar": "which windows read x[s], each by which place of the kernel? Are all of them there?   (step 1)",
        "w_bar": "which piece of x did w[k] meet, and how often was it used?   (step 2)",
    },
)

UNREAD = Exercise(
    name="convolution.q1",
    title="what no window reads",
    task=Number(
        f"x has {LENGTH} numbers. A kernel of {WIDTH} places slides along it with stride {STRIDE}, without padding. "
        "How many entries of x_bar are 0, whatever y_bar is?",
        compute=_unread,
        says="Right. What was never read can't matter. With stride 5 and 3 places, two of five are passed over.",
        traps=(
            (lambda: LENGTH - _unread(), "So many are read. What comes back to the others?"),
            (lambda: 6, "Between the windows there are so many. And behind the last window?"),
            (lambda: LENGTH - LENGTH // STRIDE, "So many windows fit, but each of them reads several places."),
            (lambda: 0, "Write down which places the first window reads, and which the second."),
        ),
    ),
    points=1,
)

CONV_1D = Exercise(
    name="convolution.conv_1d",
    title="each cotangent as one convolution",
    task=PairTask(
        primal=conv_1d,
        fwd="conv_1d_fwd",
        bwd="conv_1d_bwd",
        draw=_draw_conv_1d,
        limits=Limits(residual_bytes=_nothing),
        mistakes=mistakes.CONV_1D,
    ),
    points=4,
    cost_points=1,
    hints=(
        "Write both as sums with indices first: x_bar[n, s, i] and w_bar[k, i, o]. Over which letters is summed? Those "
        "are what the convolution sums: places, and what its kernel calls I.",
        "x_bar: y_bar is what is slid over, and w, turned round, slides. So that x_bar is as long as x, y_bar needs "
        "zeros at both ends. w_bar: x is what is slid over, and y_bar is the kernel.",
        "The letters do the swapping. For x_bar the kernel's axes are W, O, I: its second axis is what comes out. For "
        "w_bar x's axes are C, W, N (the batch is summed like channels), y_bar's are I, W, O, and what comes out is "
        "laid out as w is: W, N, C.",
    ),
    asks={
        "x_bar": "by which place of the kernel is x[s] read, the further right the window lies?   (step 1)",
        "w_bar": "what is summed, and along what does y_bar slide?   (step 2)",
    },
)

BAR_PADDINGS = Exercise(
    name="convolution.bar_paddings",
    title="how much padding backward needs",
    task=FunctionTask(
        reference=mistakes.paddings_by_listing,
        function="bar_paddings",
        draw=_draw_axis,
        returns="paddings",
        awkward=(Case("places at the end that no window reads", _draw_left_over),),
        mistakes=mistakes.BAR_PADDINGS,
    ),
    points=2,
    hints=(
        "The last window begins at stride * (outputs - 1) - before. At which place does it end? And at which does x?",
        "w_bar's convolution must read what forward read: as much before, and after x as far as the last window went. "
        "That can be less than nothing: then a negative padding cuts off what nobody read.",
        "For x_bar the kernel slides over y_bar. A window reaches as many dilations beyond its first place as it has "
        "other places. Without padding in forward, all of that is needed at each end; where forward went beyond x, "
        "less by so much.",
    ),
    asks={
        "paddings": "which is the last place that any window reads, and how far does one window reach?   (steps 1, 2)",
    },
)

CONV_2D = Exercise(
    name="convolution.conv_2d",
    title="two axes, a bias, stride and dilation",
    task=PairTask(
        primal=conv_2d,
        fwd="conv_2d_fwd",
        bwd="conv_2d_bwd",
        draw=_draw_conv_2d,
        awkward=(Case("pixels that no window reads", _draw_leaving_out),),
        limits=Limits(residual_bytes=_nothing),
        mistakes=mistakes.CONV_2D,
    ),
    points=6,
    cost_points=1,
    hard=True,
    uses=("convolution.bar_paddings",),
    hints=(
        "It is conv_1d twice over. Begin with stride 1 and no padding, with W in the letters become H and W, and look "
        "at what the verdict says. Then the three settings, one after the other.",
        "In forward the windows are stride apart, and the kernel's places dilation apart. In w_bar y_bar is the "
        "kernel: its places are what apart, and by what does it move from one k to the next? In x_bar the entries of "
        "y_bar themselves are apart: that is lhs_dilation.",
        "For each of the two axes call bar_paddings with x's size, w's size, y_bar's size, and the window's numbers "
        "of that axis. x_bar: window_strides (1, 1), lhs_dilation and rhs_dilation. w_bar: stride and dilation have "
        "changed places. b was copied to three axes.",
    ),
    asks={
        "x_bar": "how far apart are y_bar's entries, and how is w turned?   (step 2)",
        "w_bar": "how far apart are the places of y_bar as a kernel, and by what does it move?   (step 3)",
        "b_bar": "b was copied to every image and every place: what does backward do?   (step 4)",
    },
)

TWICE = Exercise(
    name="convolution.q2",
    title="what backward costs",
    task=Number(
        "A layer: 32 images of 28 x 28 pixels, 16 channels in and 32 out, a kernel of 3 x 3, padded by 1. How many "
        "times the FLOPs of its forward pass do x_bar and w_bar take together, with stride 1? And with stride 2? "
        "Answer with two numbers.",
        compute=_backward_over_forward,
        says="Right, and exactly so. Each product of an x and a w in forward is met once in each of the two: no more "
        "and no fewer. Zeros that lie between the entries of y_bar or around it are not counted, and a good program "
        "does not multiply by them.",
        traps=(
            (lambda: (1, 1), "So much for one of the two cotangents. There are two."),
            (lambda: (3, 3), "That is forward and backward together."),
            (lambda: (2, 8), "Only if zeros that were put between y_bar's entries are multiplied as well."),
            (lambda: (2, 0.5), "With stride 2 forward gets cheaper, too. It is asked for multiples of that."),
            (lambda: (2, 5), "For x_bar zeros lie between y_bar's entries. Must they be multiplied?"),
        ),
    ),
    points=1,
)

TRANSPOSED = Exercise(
    name="convolution.transposed_conv_1d",
    title="the transposed convolution",
    task=PairTask(
        primal=transposed_conv_1d,
        fwd="transposed_conv_1d_fwd",
        bwd="transposed_conv_1d_bwd",
        draw=_draw_transposed,
        limits=Limits(residual_bytes=_nothing),
        mistakes=mistakes.TRANSPOSED_CONV_1D,
    ),
    points=3,
    cost_points=1,
    hints=(
        "Look at slide_bwd, and then at this primal: it adds pieces to y as that adds pieces to x_bar. What is its "
        "backward, then?",
        "Forward is x_bar's convolution, with x for y_bar: the kernel turned round, x's entries stride apart, and "
        "padding: what a window reaches, less the window's own padding, on each side.",
        "x_bar is an ordinary convolution of y_bar by w, with the window's own settings; w's axes are W, I, O for it. "
        "For w_bar x is the kernel and slides along y_bar; stride and dilation change places.",
    ),
    asks={
        "x_bar": "x[t] was put into which places of y? So which places of y_bar does it get, and how?   (step 1)",
        "w_bar": "which of x and y_bar is longer, and along which does the other slide?   (step 2)",
    },
)

GROUPED = Exercise(
    name="convolution.grouped_conv_1d",
    title="channels in groups",
    task=PairTask(
        primal=grouped_conv_1d,
        fwd="grouped_conv_1d_fwd",
        bwd="grouped_conv_1d_bwd",
        draw=_draw_grouped,
        limits=Limits(residual_bytes=_nothing),
        mistakes=mistakes.GROUPED_CONV_1D,
    ),
    points=3,
    required=False,
    hints=(
        "Each group is a conv_1d of its own. Two calls of yours on parts of the channels, and jnp.concatenate, are a "
        "right answer. One convolution each is the aim.",
        "x_bar takes feature_group_count again. Its kernel must have, for each group, that group's outputs going in, "
        "and its inputs coming out; all inputs of x lie along the last axis, group after group.",
        "Reshape w's last axis to (GROUPS, -1), swap the axes of in and out within each group, and reshape back. For "
        "w_bar x's channels stand where the batch stands, and batch_group_count does the rest.",
    ),
    asks={
        "x_bar": "which outputs read a channel of x, and does each group's part of w stand with its own?   (step 1)",
        "w_bar": "what is in groups when x's channels stand in the place of the batch?   (step 2)",
    },
)

BLIND_TEST = Exercise(
    name="convolution.q3",
    title="a kernel that shows nothing",
    task=Choice(
        "A test of a convolution's backward pass blurs a picture: the kernel is (1, 2, 1) along each axis, and x and "
        "y_bar are random. Which mistake does it not see?",
        (
            Option("a", "w_bar turned round.", "w_bar is made of x and y_bar, and these are random."),
            Option(
                "b",
                "The kernel not turned round for x_bar.",
                "Right: turned round, this kernel is what it was. In a test, no kernel should be its own mirror image.",
                right=True,
            ),
            Option("c", "The bias averaged over the image.", "b_bar has nothing to do with the kernel."),
            Option("d", "One place of padding on the wrong side.", "Then x_bar moves by a place, and x is random."),
        ),
    ),
    points=1,
    required=False,
)

IN_YOUR_WORDS = Exercise(
    name="convolution.text",
    title="a chessboard on every picture",
    task=FreeText(
        "A colleague's network draws pictures. Its last layers are transposed convolutions with a kernel of 3 x 3 and "
        "stride 2, and fine chessboards lie on all that it draws, even before it has learned anything. Where do they "
        "come from, how would you show it with a few numbers, and what would you change?",
        rubric=(
            Criterion(
                2,
                "Pieces of 3 places are put 2 apart: every other place is written twice, the others once; along both "
                "axes one, two or four times.",
            ),
            Criterion(1, "An example: x of ones and a kernel of ones give 1, 1, 2, 1, 2, ... along an axis."),
            Criterion(
                1,
                "The same unevenness is in an ordinary convolution's x_bar: with stride 2 some pixels get more than "
                "others.",
            ),
            Criterion(
                1,
                "A way out: a kernel whose width is a multiple of the stride, or enlarging by repetition followed by "
                "an ordinary convolution.",
            ),
        ),
    ),
    points=0,
    required=False,
)

WHICH_MISTAKE = Exercise(
    name="convolution.q4",
    title="which mistake is this?",
    task=WhichMistake(
        (
            Source(SLIDE.task, "y_bar", sizes=(6, 3)),
            Source(TRANSPOSED.task, "y_bar", sizes=(3, 1, 1, 3, 1)),
        )
    ),
    points=1,
)

PAPER = Paper(
    "convolution",
    (
        SLIDE,
        UNREAD,
        CONV_1D,
        BAR_PADDINGS,
        CONV_2D,
        TWICE,
        TRANSPOSED,
        GROUPED,
        BLIND_TEST,
        IN_YOUR_WORDS,
        WHICH_MISTAKE,
    ),
    shows_forward=True,
    shows_cost=True,
)
