"""What `pooling` asks: means and largest numbers of windows backward, and a convolutional network's whole pass.

The first picture of a batch is of whole numbers, so that several pixels of a window are often the largest.
"""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from course.exercises.exercise import Exercise, Paper
from course.exercises.mistakes import pooling as mistakes
from course.exercises.tasks.drawing import Draw
from course.exercises.tasks.free_text import Criterion, FreeText
from course.exercises.tasks.limits import Limits
from course.exercises.tasks.pair import PairTask
from course.exercises.tasks.question import Choice, Number, Option
from course.exercises.tasks.shown import Source
from course.exercises.tasks.which_mistake import WhichMistake
from course.lessons.mlp import Layer
from course.lessons.pooling import (
    SIDE,
    Cnn,
    Convolution,
    Pool,
    average_pool,
    cnn_loss,
    max_pool,
    overlapping_max_pool,
)

OVERLAPPING = Pool((3, 2), (2, 1))
ON_PAPER = Pool((1, 2), (1, 1))
"""Windows that share rows and columns; on paper pairs of neighbours in a row, of which there are two at least."""

TIED, TIED_BAR = (3.0, 5.0, 5.0, 5.0), 6.0
"""The block of the question on ties, row by row, and what comes to it."""

_TALL, _WIDE = 4, 8
"""Pixels of the network's pictures: enough for two poolings."""


def _draw_blocks(draw: Draw) -> tuple[np.ndarray]:
    corners = np.stack([draw.normal("batch", "rows", "columns", "channels") for _ in range(SIDE**2)])
    if draw.is_small:  # on paper there shall be ties
        corners[-1] = corners.max(axis=0)
    _, batch, rows, columns, channels = corners.shape
    apart = corners.reshape(SIDE, SIDE, batch, rows, columns, channels).transpose(2, 3, 0, 4, 1, 5)
    x = apart.reshape(batch, SIDE * rows, SIDE * columns, channels)
    x[0] = np.round(x[0])
    return (x,)


def _draw_overlapping(draw: Draw) -> tuple[np.ndarray, Pool]:
    draw.size("height")
    draw.size("width", 3)
    x = draw.normal("batch", "height", "width", "channels")
    if draw.is_small:  # on paper windows shall agree on a pixel
        x[:, :, 1] = 1 + x.max(axis=2)
        return x, ON_PAPER
    x[0] = np.round(x[0])
    return x, OVERLAPPING


def _draw_cnn(draw: Draw) -> tuple[Cnn, np.ndarray, Any]:
    draw.sizes("classes", "batch", "kernel")
    draw.size("tall", SIDE), draw.size("wide", SIDE)
    tall, wide, names = (SIDE, SIDE, ("first",)) if draw.is_small else (_TALL, _WIDE, ("first", "second"))
    x = draw.normal("batch", "tall", "wide")[:, :tall, :wide, None]
    convolutions = []
    entering = 1
    for name in names:
        w = draw.normal("kernel", "kernel", *(("first",) if entering > 1 else ()), name, scale=0.5)
        convolutions.append(Convolution(w if entering > 1 else w[:, :, None], draw.normal(name)))
        entering = draw.size(name)
    pixels = tall * wide // SIDE ** (2 * len(names))
    w = np.concatenate([draw.normal(names[-1], "classes", scale=0.5) for _ in range(pixels)])
    return Cnn(convolutions, Layer(w, draw.normal("classes"))), x, draw.below("classes", "batch")


def _value_s_bytes(x: np.ndarray, *pool: Pool) -> int:
    y = jax.eval_shape(max_pool, x) if not pool else jax.eval_shape(lambda x: overlapping_max_pool(x, *pool), x)
    return int(y.size * x.dtype.itemsize)


def _to_the_tied() -> tuple[float, ...]:
    """What comes back to the four pixels of the block."""
    x = np.reshape(TIED, (1, SIDE, SIDE, 1))
    (x_bar,) = jax.vjp(max_pool, x)[1](np.full((1, 1, 1, 1), TIED_BAR, x.dtype))
    return tuple(float(number) for number in np.ravel(x_bar))


AVERAGE_POOL = Exercise(
    name="pooling.average_pool",
    title="a mean spread again",
    task=PairTask(
        primal=average_pool,
        fwd="average_pool_fwd",
        bwd="average_pool_bwd",
        draw=_draw_blocks,
        limits=Limits(residual_bytes=lambda x: 0),
        mistakes=mistakes.AVERAGE_POOL,
    ),
    points=2,
    cost_points=1,
    hints=(
        "One block alone: y is the sum of its pixels, over their number. What comes back to each of them?",
        "All pixels of a block get the same number. So x_bar is y_bar, made smaller, with each number written into a "
        "block of its own.",
        "jnp.repeat(array, 2, axis=...) writes every entry twice, next to itself. Two axes have to grow so. What "
        "backward must know of x is its shape alone, and y_bar tells that: forward may keep nothing, ().",
    ),
    asks={"x_bar": "which pixels does a block have, and how large a part of y is each?   (steps 1, 2)"},
)

TIES = Exercise(
    name="pooling.q1",
    title="who gets it, if several are the largest",
    task=Number(
        f"A block holds {TIED[0]:g} and {TIED[1]:g} in its first row, {TIED[2]:g} and {TIED[3]:g} in its second. To "
        f"its y comes back y_bar = {TIED_BAR:g}. What comes back to the four pixels, row by row, by this "
        "course's convention? Answer with four numbers.",
        compute=_to_the_tied,
        says="Right: the first of the largest in reading order gets everything.",
        traps=(
            (lambda: (0, 2, 2, 2), "That is the convention of jnp.max. Which one does this course follow?"),
            (lambda: (0, 6, 6, 6), "Then three times as much would come back as went in."),
            (lambda: (0, 0, 0, 6), "One pixel alone, that is right. Which of the three?"),
            (lambda: (1.5, 1.5, 1.5, 1.5), "That is what an average sends back."),
            (lambda: (6, 0, 0, 0), "The first pixel of the block is not among the largest."),
        ),
    ),
    points=1,
)

MAX_POOL = Exercise(
    name="pooling.max_pool",
    title="the largest of each block",
    task=PairTask(
        primal=max_pool,
        fwd="max_pool_fwd",
        bwd="max_pool_bwd",
        draw=_draw_blocks,
        limits=Limits(flops=4.0, residual_bytes=_value_s_bytes),
        mistakes=mistakes.MAX_POOL,
    ),
    points=4,
    cost_points=1,
    hints=(
        "A pixel that equals its block's y may have been picked. Only if none before it in reading order was: so go "
        "through the four places of a block one after the other, and remember which blocks have picked already.",
        "places(BLOCKS, y.shape) gives four indices. x[place] has the shape of y: it holds the pixel at that "
        "place of every block. Compare it with y; what you send there is y_bar or 0.",
        "Keep a boolean array, True at first, of blocks that have not picked yet; & and ~ work on whole arrays. For "
        "x_bar stack the four arrays, split the first axis into two of SIDE, and transpose until the axes stand as "
        "blocks(x) has them: then reshape. Or add each to zeros: x_bar.at[place].add(...).",
    ),
    asks={"x_bar": "which pixel of a block counts as picked, and where does it lie in the picture?   (steps 1, 2)"},
)

OVERLAPPING_MAX_POOL = Exercise(
    name="pooling.overlapping_max_pool",
    title="windows that share pixels",
    task=PairTask(
        primal=overlapping_max_pool,
        fwd="overlapping_max_pool_fwd",
        bwd="overlapping_max_pool_bwd",
        draw=_draw_overlapping,
        limits=Limits(flops=8.0, residual_bytes=_value_s_bytes),
        mistakes=mistakes.OVERLAPPING_MAX_POOL,
    ),
    points=3,
    cost_points=1,
    hints=(
        "It is max_pool with other places. But a pixel may now be picked by two windows, or by four.",
        "places(pool, y.shape) lists the places within a window. For each of "
        "them, all windows' pixels there are different ones; those of two places may be the same.",
        "Start x_bar as zeros. x_bar.at[place].add(...) adds to all pixels that a place stands for. The pool has no "
        "cotangent: None.",
    ),
    asks={"x_bar": "which windows picked this pixel, and from which place of theirs?   (steps 1, 2)"},
)

SWAPPED = Exercise(
    name="pooling.q2",
    title="relu before or after",
    task=Choice(
        "Many networks have relu before max_pool, ours has it after. What changes?",
        (
            Option("a", "The values.", "relu never turns an order round: whoever was largest is among the largest."),
            Option(
                "b",
                "The cotangents: after relu several pixels of a block are 0 together, and ties go by convention.",
                "Such ties there are, many. But what gets through relu to a pixel that it set to 0?",
            ),
            Option(
                "c",
                "Neither values nor cotangents; relu has a quarter of the work, and keeps a quarter.",
                "Right. Where relu's value is positive, the largest stays the largest; where it is 0, nothing comes "
                "back on either way.",
                right=True,
            ),
            Option("d", "Nothing at all, not even the cost.", "How many numbers does relu get in each case?"),
        ),
    ),
    points=1,
)

CNN_LOSS = Exercise(
    name="pooling.cnn_loss",
    title="a whole network that sees",
    task=PairTask(
        primal=cnn_loss,
        fwd="cnn_loss_fwd",
        bwd="cnn_loss_bwd",
        draw=_draw_cnn,
        data=(1,),
        limits=Limits(flops=1.3),
        mistakes=mistakes.CNN_LOSS,
    ),
    points=6,
    cost_points=1,
    uses=(
        "convolution.conv_2d",
        "pooling.max_pool",
        "linear_and_activations.relu",
        "linear_and_activations.affine",
        "losses.softmax_cross_entropy",
    ),
    hard=True,
    hints=(
        "It is mlp_loss with three pairs to a layer. Forward: a loop over the convolutions, then the readout, then the "
        "loss; every pair's residuals are put aside. Backward: the same list from its end.",
        "Between the last pooling and the readout forward reshapes pictures to rows. Backward reshapes what came back "
        "to the rows: keep the pictures, for their shape.",
        "Each bwd returns a tuple: relu_bwd and max_pool_bwd one entry, affine_bwd three, conv_2d_bwd four, of which "
        "the last is None. Collect a Convolution(w_bar, b_bar) a layer; the list is the wrong way round at the end. "
        "Return a Cnn, and None for pictures and labels.",
    ),
    asks={"params_bar": "which part ran last in each layer, and what does it hand to the one before?   (step 3)"},
)

IN_YOUR_WORDS = Exercise(
    name="pooling.text",
    title="two programs, one network",
    task=FreeText(
        "A colleague rewrites max_pool as a reshape and jnp.max, since that is faster. All tests of the values pass, "
        "and after a while of training the weights are no longer what they were before. Is something wrong? How would "
        "you find out what differs, and what would you write down?",
        rubric=(
            Criterion(2, "At ties jnp.max shares y_bar equally, reduce_window gives it to the first; elsewhere equal."),
            Criterion(1, "There is no derivative at a tie: both are conventions, and neither is wrong."),
            Criterion(1, "Ties are common: areas of one colour, zeros, few whole numbers."),
            Criterion(1, "A test: inputs without ties must agree; a window of equal numbers shows the convention."),
        ),
    ),
    points=0,
    required=False,
)

WHICH_MISTAKE = Exercise(
    name="pooling.q3",
    title="which mistake is this?",
    task=WhichMistake(
        (
            Source(MAX_POOL.task, "y_bar", sizes=(1, 1, 2, 1)),
            Source(AVERAGE_POOL.task, "y_bar", sizes=(1, 2, 2, 1)),
        )
    ),
    points=1,
)

PAPER = Paper(
    "pooling",
    (
        AVERAGE_POOL,
        TIES,
        MAX_POOL,
        OVERLAPPING_MAX_POOL,
        SWAPPED,
        CNN_LOSS,
        IN_YOUR_WORDS,
        WHICH_MISTAKE,
    ),
    shows_forward=True,
    shows_cost=True,
)
