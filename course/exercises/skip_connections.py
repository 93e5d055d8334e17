"""What `skip_connections` asks: a block and a deep stack of them, a norm on the branch, dropout, dropped branches."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from course.exercises.exercise import Exercise, Paper
from course.exercises.mistakes import skip_connections as mistakes
from course.exercises.tasks.drawing import Draw
from course.exercises.tasks.free_text import Criterion, FreeText
from course.exercises.tasks.limits import Limits
from course.exercises.tasks.pair import Case, PairTask
from course.exercises.tasks.question import Choice, Number, Option
from course.exercises.tasks.shown import Source
from course.exercises.tasks.which_mistake import WhichMistake
from course.lessons.skip_connections import (
    coins,
    dropout,
    post_norm_block,
    pre_norm_block,
    skip_block,
    skip_stack,
    stochastic_depth,
)

LAYERS = 100
"""Of the networks that the questions are about."""

SLOPE = 0.1
"""Of every branch of the question on slopes."""

RATE = 0.2
"""Of the question on dropout: the part that is dropped."""

DRAWN_RATE, SMALL_RATE = 0.3, 0.5
"""Rates of judging, and of what is redone on paper: 0.5 doubles what is kept."""

ZEROS = "a row of zeros"
"""Where relu has its kink; its slope there is 0."""

SHOWN_RATE = 0.2
"""The rate of what is shown: dividing by it and by 1 less it are told apart at a glance."""


def _draw_block(draw: Draw) -> tuple[Any, ...]:
    return draw.normal("batch", "d"), draw.normal("d", "d")


def _draw_stack(draw: Draw) -> tuple[Any, ...]:
    return draw.normal("batch", "d"), draw.normal("layers", "d", "d", scale=0.4)


def _draw_zeros(draw: Draw) -> tuple[Any, ...]:
    x, w = _draw_block(draw)
    x[0] = 0.0
    return x, w


def _draw_zeros_in_stack(draw: Draw) -> tuple[Any, ...]:
    x, w = _draw_stack(draw)
    x[0] = 0.0
    return x, w


def _draw_one_layer(draw: Draw) -> tuple[Any, ...]:
    x, w = _draw_stack(draw)
    return x, w[:1]


def _draw_normed(draw: Draw) -> tuple[Any, ...]:
    x, w = _draw_block(draw)
    return x, draw.normal("d"), w


def _draw_normed_zeros(draw: Draw) -> tuple[Any, ...]:
    x, scale, w = _draw_normed(draw)
    x[0] = 0.0
    return x, scale, w


def _rate(draw: Draw) -> float:
    return SMALL_RATE if draw.is_small else DRAWN_RATE


def _draw_dropout(draw: Draw) -> tuple[Any, ...]:
    return draw.key(), draw.normal("batch", "d"), _rate(draw)


def _draw_depth(draw: Draw) -> tuple[Any, ...]:
    return draw.key(), *_draw_block(draw), _rate(draw)


def _draw_depth_at_zeros(draw: Draw) -> tuple[Any, ...]:
    key, x, w, rate = _draw_depth(draw)
    return key, 0.0 * x, w, rate


def _draw_shown_dropout(draw: Draw) -> tuple[Any, ...]:
    return *_draw_dropout(draw)[:-1], SHOWN_RATE


def _draw_shown_depth(draw: Draw) -> tuple[Any, ...]:
    return *_draw_depth(draw)[:-1], SHOWN_RATE


def _tell_dropout(key: Any, x: Any, rate: Any) -> Mapping[str, Any]:
    return {"kept": _ones(key, rate, x.shape), "x": x, "rate": rate}


def _tell_depth(key: Any, x: Any, w: Any, rate: Any) -> Mapping[str, Any]:
    return {"kept": _ones(key, rate, (len(x), 1)), "x": x, "w": w, "rate": rate}


def _ones(key: Any, rate: Any, shape: tuple[int, ...]) -> np.ndarray:
    """The coins as they are shown: 1 for what is kept, 0 for what is dropped."""
    return np.asarray(coins(key, rate, shape), int)


def _stack_bytes(x: Any, w: Any) -> int:
    """What enters each block, and a byte for each relu."""
    return len(w) * x.size * (x.dtype.itemsize + 1)


def _coin_bytes(key: Any, x: Any, rate: Any) -> int:
    return int(x.size)


def _switch_bytes(key: Any, x: Any, w: Any, rate: Any) -> int:
    return int(x.size) + len(x)


def _decades() -> tuple[float, float, float]:
    """Powers of ten of the derivative of a hundred layers: plain, with skip connections, with slopes of both signs."""
    same, both = np.full(LAYERS, SLOPE), SLOPE * (-1.0) ** np.arange(LAYERS)
    return tuple(float(np.sum(np.log10(factors))) for factors in (same, 1 + same, 1 + both))  # type: ignore[return-value] # three of them


def _moments() -> tuple[float, float]:
    """Mean and variance of what dropout makes of a 1, over both ways that a coin may fall."""
    values, chances = np.array([0, 1 / (1 - RATE)]), np.array([RATE, 1 - RATE])
    mean = float(values @ chances)
    return mean, float((values - mean) ** 2 @ chances)


SLOPES = Exercise(
    name="skip_connections.q1",
    title="a hundred slopes, with a 1 added",
    task=Number(
        f"{LAYERS} layers of one unit each. First plain, h = f(h), where f has slope {SLOPE} in every layer. Then with "
        f"skip connections, h = h + f(h), and the same f. Then again with skip connections, but with slope {SLOPE} in "
        f"every other layer and -{SLOPE} in those between. What is the derivative of the output by the input? Answer "
        "with three base-10 logarithms.",
        compute=_decades,
        says="Right. The 1 keeps all from vanishing: a branch may do little harm, or little good. But factors above 1 "
        "are multiplied, too, and where branches agree, the gradient grows with depth.",
        traps=(
            (
                lambda: (_decades()[0], math.log10(1 + LAYERS * SLOPE), _decades()[2]),
                "The first and the last are right. In the second, one behind the other, factors of 1.1 are multiplied.",
            ),
            (
                lambda: (_decades()[0], 0.0, 0.0),
                "The first is right. A factor of 1 + f' is not 1: what are a hundred factors of 1.1?",
            ),
            (
                lambda: (_decades()[0], _decades()[1], 0.0),
                "Two are right. What is 1.1 times 0.9, and how often does the pair occur?",
            ),
            (
                lambda: (_decades()[0], _decades()[0], _decades()[0]),
                "The first is right. What is the derivative of h + f(h)?",
            ),
            (
                lambda: tuple(math.log(10) * decades for decades in _decades()),
                "Those are natural logarithms. How many powers of ten is each?",
            ),
        ),
    ),
    points=1,
)

SKIP_BLOCK = Exercise(
    name="skip_connections.skip_block",
    title="a block with a skip connection",
    task=PairTask(
        primal=skip_block,
        fwd="skip_block_fwd",
        bwd="skip_block_bwd",
        draw=_draw_block,
        awkward=(Case(ZEROS, _draw_zeros),),
        mistakes=mistakes.SKIP_BLOCK,
    ),
    points=3,
    hints=(
        "Forget the skip connection at first: relu(x @ w) is a product and a relu, both of which you have written. "
        "What do x and w get?",
        "Then put it in again: y is a sum of two things, and both of them are handed y_bar. One of them is x itself.",
        "z_bar is y_bar where z > 0, else 0. w_bar and the branch's part of x_bar are the two products of an affine "
        "layer. To that part, add what came over the skip connection.",
    ),
    asks={
        "x_bar": "x was used twice: what comes back by each way?   (step 2)",
        "w_bar": "what comes back through the relu, and what entered the product?   (step 1)",
    },
)

SKIP_STACK = Exercise(
    name="skip_connections.skip_stack",
    title="a deep stack of blocks",
    task=PairTask(
        primal=skip_stack,
        fwd="skip_stack_fwd",
        bwd="skip_stack_bwd",
        draw=_draw_stack,
        awkward=(Case("a single layer", _draw_one_layer), Case(ZEROS, _draw_zeros_in_stack)),
        limits=Limits(residual_bytes=_stack_bytes),
        mistakes=mistakes.SKIP_STACK,
    ),
    points=5,
    cost_points=1,
    hard=True,
    hints=(
        "Forward is jax.lax.scan(layer, x, w), where layer(h, weights) returns two things: what goes to the next "
        "block, and what is put on record. Your skip_block_fwd says what the record is, less what is there anyway.",
        "Backward is a scan with reverse=True that begins with y_bar. Its layer gets h_bar and a tuple of what was "
        "kept of one block, and returns what is carried to the block before, and this block's w_bar.",
        "Kept are the weights, which are a primal and cost nothing, the stack of what entered each block, and the "
        "stack of its switches, booleans. Then each step backward has the lines of your skip_block_bwd.",
    ),
    asks={
        "x_bar": "what is carried from block to block on the way back?   (steps 1, 2)",
        "w_bar": "what entered this block, and what came back to its product?   (step 1)",
    },
)

HIGHWAY = Exercise(
    name="skip_connections.q2",
    title="why a highway helps",
    task=Choice(
        "Why does a skip connection help the gradient of the first layers of a deep network?",
        (
            Option(
                "a",
                "It makes the network shallower: what goes over the skip connections is not trained, and only the last "
                "few layers learn.",
                "Look at w_bar of your own block: it is x.T @ z_bar, with nothing of the skip connection in it. Every "
                "branch learns, the first one too, and it does so because h_bar reaches it.",
            ),
            Option(
                "b",
                "The Jacobian of a block is the identity plus the branch's. Multiplied out, the product over all "
                "layers has a term 1, on which no branch has a say: what arrives is y_bar plus what branches add.",
                "Right: a sum over paths, of which one is free of factors. It doesn't promise that what is added stays "
                "small; for that, look at the weights, or put a norm on the branch.",
                right=True,
            ),
            Option(
                "c",
                "The factor of a layer is always 1 or more, since something is added to 1: so a product of them can't "
                "fall.",
                "What is added may be negative: slopes of 0.1 and -0.1 gave 0.99 a pair. And for matrices, a part of "
                "y_bar may well be cancelled. It is a path that is guaranteed, and not a size.",
            ),
            Option(
                "d",
                "Skip connections keep the units in the steep part of the activation, so that slopes are larger.",
                "The branch's slope is what it was: look at the switches. A branch whose relus are all off sends "
                "nothing back, and the gradient gets past it all the same.",
            ),
        ),
    ),
    points=1,
)

PRE_NORM_BLOCK = Exercise(
    name="skip_connections.pre_norm_block",
    title="a norm on the branch",
    task=PairTask(
        primal=pre_norm_block,
        fwd="pre_norm_block_fwd",
        bwd="pre_norm_block_bwd",
        draw=_draw_normed,
        awkward=(Case(ZEROS, _draw_normed_zeros),),
        mistakes=mistakes.PRE_NORM_BLOCK,
    ),
    points=4,
    uses=("normalization.rms_norm",),
    hints=(
        "The branch has three steps, and the first is a pair of yours: rms_norm_fwd(x, scale) gives a value and what "
        "it wants kept.",
        "From the end of the branch: through the relu, then the product. What entered that product is not x. Its "
        "cotangent goes into rms_norm_bwd, which returns two.",
        "In backward: z_bar by the switches; w_bar and the cotangent of the norm's value by two products; "
        "rms_norm_bwd(kept_norm, normed_bar) for x and scale. And x is in y by itself as well.",
    ),
    asks={
        "x_bar": "what comes through the norm, and what beside it?   (step 2)",
        "scale_bar": "who gives scale_bar, and what is it handed?   (step 2)",
        "w_bar": "what entered the product?   (step 1)",
    },
)

POST_NORM_BLOCK = Exercise(
    name="skip_connections.post_norm_block",
    title="a norm on everything",
    task=PairTask(
        primal=post_norm_block,
        fwd="post_norm_block_fwd",
        bwd="post_norm_block_bwd",
        draw=_draw_normed,
        mistakes=mistakes.POST_NORM_BLOCK,
    ),
    points=2,
    required=False,
    uses=("skip_connections.skip_block", "normalization.rms_norm"),
    hints=(
        "Both steps are pairs of yours: skip_block, then rms_norm.",
        "Forward keeps what each of them keeps, as a tuple of two, and does not look into it.",
        "Backward runs rms_norm_bwd first. Of what it returns, one is the cotangent of what skip_block gave.",
    ),
    asks={
        "x_bar": "which of the two pairs ran last?   (step 1)",
        "scale_bar": "which of the two pairs knows scale, and what is it handed?   (step 1)",
        "w_bar": "which of the two pairs knows w, and what is it handed?   (step 1)",
    },
)

DROPOUT = Exercise(
    name="skip_connections.dropout",
    title="dropout",
    task=PairTask(
        primal=dropout,
        fwd="dropout_fwd",
        bwd="dropout_bwd",
        draw=_draw_dropout,
        data=(2,),
        limits=Limits(residual_bytes=_coin_bytes),
        mistakes=mistakes.DROPOUT,
    ),
    points=3,
    cost_points=1,
    hints=(
        "Once the coins have fallen, each number of x is multiplied by a number that is known: 0, or 1 / (1 - rate). "
        "What is the derivative of that?",
        "Backward needs the same coins. Either forward keeps them, as booleans, or it keeps the key, and backward "
        "draws from it once more.",
        "coins(key, rate, x.shape) gives them, and jnp.where(kept, ..., 0) chooses. bwd returns three: None for the "
        "key, x_bar, None for the rate.",
    ),
    asks={"x_bar": "for these very coins, what stands beside each number of x?   (step 1)"},
)

MOMENTS = Exercise(
    name="skip_connections.q3",
    title="what is left of a 1",
    task=Number(
        f"Dropout with rate {RATE} is given a 1, many times, with other coins each time. What is the mean of what "
        "comes out, and what its variance? Answer with a pair.",
        compute=_moments,
        says="Right. The mean is that of evaluation, where nothing is dropped, and so the two modes agree on average. "
        "The variance is the noise that the next layer has to live with: rate / (1 - rate) times the square.",
        traps=(
            (lambda: (1 - RATE, RATE * (1 - RATE)), "So it is if what is kept is not enlarged. By what is it divided?"),
            (lambda: (1.0, RATE * (1 - RATE)), "The mean is right. The variance goes with the square of the factor."),
            (lambda: (1.0, RATE), "The mean is right. It comes out as 0, or as how much? How far is each from 1?"),
            (
                lambda: (1.0, math.sqrt(RATE / (1 - RATE))),
                "The mean is right, and the other is the standard deviation: its root.",
            ),
            (lambda: (1.0, 1 / (1 - RATE)), "The mean is right, and the other is the mean of the square."),
        ),
    ),
    points=1,
)

STOCHASTIC_DEPTH = Exercise(
    name="skip_connections.stochastic_depth",
    title="branches dropped by a coin",
    task=PairTask(
        primal=stochastic_depth,
        fwd="stochastic_depth_fwd",
        bwd="stochastic_depth_bwd",
        draw=_draw_depth,
        awkward=(Case("rows of zeros", _draw_depth_at_zeros),),
        data=(3,),
        limits=Limits(residual_bytes=_switch_bytes),
        mistakes=mistakes.STOCHASTIC_DEPTH,
    ),
    points=4,
    cost_points=1,
    hints=(
        "It is your skip_block with dropout on the branch, and a coin for each row instead of one for each number. "
        "The skip connection knows nothing of any coin.",
        "coins(key, rate, (len(x), 1)) is a column: beside an array of shape (batch, d) it is copied along each row. A "
        "number of z counts where its row was kept and its relu is on.",
        "z_bar is y_bar / (1 - rate) where both hold, else 0. From there on all is as in skip_block_bwd. Return four: "
        "None for the key and None for the rate.",
    ),
    asks={
        "x_bar": "what comes back over the skip connection, and what through a branch that was kept?   (steps 1, 2)",
        "w_bar": "which rows had anything to do with w, and how much did they count?   (step 1)",
    },
)

IN_YOUR_WORDS = Exercise(
    name="skip_connections.text",
    title="fresh coins on the way back",
    task=FreeText(
        "A colleague has written dropout with a backward pass of their own, which draws new coins, with a key that a "
        "counter makes. The loss falls, if slowly. What is wrong with the gradient, why has nobody noticed, how would "
        "you show it, and how mend it?",
        rubric=(
            Criterion(
                2,
                "Forward was one function, made by its coins, and the gradient is that of another: numbers that were "
                "dropped get something, and some that counted get nothing.",
            ),
            Criterion(
                1,
                "On average over fresh coins x_bar is y_bar, so that steps go downhill more or less, with noise in "
                "them; shapes and sizes look right.",
            ),
            Criterion(
                1,
                "A test with the key held fixed shows it: differences of values, jax.vjp, or the zeros of y beside "
                "those of x_bar.",
            ),
            Criterion(1, "The key is an argument, and backward uses the same coins: kept, or drawn again from it."),
        ),
    ),
    points=0,
    required=False,
)

WHICH_MISTAKE = Exercise(
    name="skip_connections.q4",
    title="which mistake is this?",
    task=WhichMistake(
        (
            Source(SKIP_BLOCK.task),
            Source(DROPOUT.task, draw=_draw_shown_dropout, tell=_tell_dropout),
            Source(STOCHASTIC_DEPTH.task, draw=_draw_shown_depth, tell=_tell_depth),
        )
    ),
    points=1,
)

PAPER = Paper(
    "skip_connections",
    (
        SLOPES,
        SKIP_BLOCK,
        SKIP_STACK,
        HIGHWAY,
        PRE_NORM_BLOCK,
        POST_NORM_BLOCK,
        DROPOUT,
        MOMENTS,
        STOCHASTIC_DEPTH,
        IN_YOUR_WORDS,
        WHICH_MISTAKE,
    ),
    shows_forward=True,
    shows_cost=True,
)
