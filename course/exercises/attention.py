"""What `attention` asks: softmax by rows, one head with a mask, a layer of many heads, rotary positions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from course.exercises.exercise import Exercise, Paper
from course.exercises.mistakes import attention as mistakes
from course.exercises.tasks.drawing import Draw
from course.exercises.tasks.free_text import Criterion, FreeText
from course.exercises.tasks.limits import Limits
from course.exercises.tasks.pair import Case, PairTask
from course.exercises.tasks.question import Choice, Number, Option
from course.exercises.tasks.shown import Source
from course.exercises.tasks.which_mistake import WhichMistake
from course.lessons.attention import Attention, attend, rotary, self_attention, softmax

WIDTH = 64
"""Of a head, in the question on the scale."""

LARGE = 1000.0
"""Is added to scores of whose exp nothing finite is left."""

MOST_BATCH, MOST_WIDTH = 2, 4
"""Of the drawn layer: what it costs to judge grows with both."""


def _draw_softmax(draw: Draw) -> tuple[np.ndarray]:
    return (draw.normal("queries", "keys"),)


def _draw_large(draw: Draw) -> tuple[np.ndarray]:
    (scores,) = _draw_softmax(draw)
    return (scores + LARGE,)


def _draw_heads(draw: Draw) -> tuple[np.ndarray, ...]:
    q, k, v = draw.normal("queries", "d_head"), draw.normal("keys", "d_head"), draw.normal("keys", "d_head")
    return (np.sign(q), np.sign(k), v) if draw.is_small else (q, k, v)  # by larger ones all weights are 0 or 1


def _draw_attend(draw: Draw) -> tuple[np.ndarray, ...]:
    """Every query sees the first key, and some of the others."""
    q, k, v = _draw_heads(draw)
    mask = draw.either("queries", "keys") > 0
    mask[:, 0] = True
    return q, k, v, mask


def _draw_blind(draw: Draw) -> tuple[np.ndarray, ...]:
    """The first query sees nothing, and nobody sees the last key."""
    q, k, v, mask = _draw_attend(draw)
    mask[0] = mask[:, -1] = False
    return q, k, v, mask


def _draw_layer(draw: Draw) -> tuple[Any, ...]:
    draw.sizes("seq", "d_model", "heads")
    x = draw.normal("batch", "seq", "d_model")[:MOST_BATCH]
    w_qkv = np.stack([draw.normal("d_model", "heads", "d_head", scale=0.7) for _ in range(3)], axis=1)
    w_out = draw.normal("heads", "d_head", "d_model", scale=0.7)
    return Attention(w_qkv[..., :MOST_WIDTH], w_out[:, :MOST_WIDTH]), x


def _draw_rotary(draw: Draw) -> tuple[np.ndarray]:
    first, second = draw.normal("seq", "half"), draw.normal("seq", "half")
    return (np.concatenate([first, second], axis=1),)


def _softmax_bytes(scores: Any) -> int:
    return int(scores.size) * scores.dtype.itemsize


def _attend_bytes(q: Any, k: Any, v: Any, mask: Any) -> int:
    """A number for each pair, and for each query twice what a head is wide and its total."""
    queries, d_head = q.shape
    return queries * (len(k) + 2 * d_head + 1) * int(q.dtype.itemsize)


def _layer_bytes(params: Attention, x: Any) -> int:
    """For each head of each sequence the same, and its k and v."""
    (batch, seq, _), (heads, d_head, _) = x.shape, params.w_out.shape
    return batch * heads * seq * (seq + 4 * d_head + 1) * int(x.dtype.itemsize)


def _nothing_bytes(*primals: Any) -> int:
    return 0


def _spreads() -> tuple[float, float]:
    """Standard deviations of a product of WIDTH pairs of numbers of variance 1, and of that divided by the scale."""
    return math.sqrt(WIDTH), math.sqrt(WIDTH) / math.sqrt(WIDTH)


SCALE = Exercise(
    name="attention.q1",
    title="how large is a score?",
    task=Number(
        f"q and k have {WIDTH} numbers each, drawn independently with mean 0 and variance 1. What is the standard "
        "deviation of their product q @ k? And of the score, which is that product divided by the root of d_head? "
        "Answer with a pair.",
        compute=_spreads,
        says="Right: variances of independent terms add, so the product has variance 64. Divided by 8 it is of size 1, "
        "however wide a head is.",
        traps=(
            (
                lambda: (float(WIDTH), math.sqrt(WIDTH)),
                "64 is the variance of the product. Its standard deviation is the root of that.",
            ),
            (lambda: (math.sqrt(WIDTH), math.sqrt(WIDTH)), "The first is right. By which number is it divided?"),
            (lambda: (1.0, 1 / math.sqrt(WIDTH)), "One term has variance 1. A sum of 64 such terms?"),
            (
                lambda: (math.sqrt(WIDTH), 1 / math.sqrt(WIDTH)),
                "The first is right. It is divided by the root of d_head, 8, and not by d_head.",
            ),
        ),
    ),
    points=1,
)

SOFTMAX = Exercise(
    name="attention.softmax",
    title="softmax by rows",
    task=PairTask(
        primal=softmax,
        fwd="softmax_fwd",
        bwd="softmax_bwd",
        draw=_draw_softmax,
        awkward=(Case("scores of a thousand", _draw_large),),
        limits=Limits(residual_bytes=_softmax_bytes),
        mistakes=mistakes.SOFTMAX,
    ),
    points=3,
    cost_points=1,
    hints=(
        "A weight is a fraction, exp(score) / total. By the top of the fraction a score moves its own weight alone. By "
        "the total it moves all weights of its row.",
        "By the top: weight * weights_bar. By the total: when a score grows, the total grows by the weight's part of "
        "it, and each weight of the row shrinks by that part of itself. Add up over the row what that costs.",
        "That sum over a row, of weights times weights_bar, is one number for the row (keepdims=True). Each score gets "
        "its weight times the difference of two things.",
    ),
    asks={"scores_bar": "what does a score do to its own weight, and what to all weights of its row?   (steps 1, 2)"},
)

ATTEND = Exercise(
    name="attention.attend",
    title="one head, with a mask",
    task=PairTask(
        primal=attend,
        fwd="attend_fwd",
        bwd="attend_bwd",
        draw=_draw_attend,
        awkward=(Case("a query that sees nothing", _draw_blind),),
        limits=Limits(residual_bytes=_attend_bytes),
        mistakes=mistakes.ATTEND,
    ),
    points=5,
    cost_points=1,
    hints=(
        "Forward is a product, softmax, a product. Write it in these three steps, and go back through them: weights "
        "meet v in the last, q meets k in the first.",
        "y = weights @ v gives v_bar and weights_bar, two products. Between weights_bar and scores_bar stands the "
        "formula of your softmax_bwd. Where a pair is masked its weight is 0: look at what that formula makes of it.",
        "scores = q @ k.T / sqrt(d_head): q_bar is scores_bar @ k, k_bar is scores_bar turned times q, both divided by "
        "the root. powers_of and total_of of the lesson take care of queries that see nothing. bwd returns four "
        "things, and the last is None.",
    ),
    asks={
        "q_bar": "what came back to the scores, and what stands beside q in them?   (steps 2 to 4)",
        "k_bar": "what came back to the scores, and what stands beside k in them?   (steps 2 to 4)",
        "v_bar": "with which weights was each value taken, and by which queries?   (step 1)",
    },
)

TRACES = Exercise(
    name="attention.q2",
    title="what padding leaves behind",
    task=Choice(
        "The last token of a sequence is padding: every query's mask hides it as a key. It asks, too, as a query, and "
        "what it gets is not used, so that its row of y_bar is zero. Which of its rows of q_bar, k_bar and v_bar are "
        "zero?",
        (
            Option(
                "a",
                "those of k_bar and v_bar; the row of q_bar is not, since a query is never masked.",
                "What comes back to a query comes by its own row of y. That row is not used: y_bar is zero there.",
            ),
            Option(
                "b",
                "all three: as a key its weights are zero, and as a query its y_bar is.",
                "Right. The mask takes care of two, and the loss of the third: were y_bar not zero there, as in a mean "
                "over all places, q_bar would have something, and other tokens' k_bar and v_bar, too.",
                right=True,
            ),
            Option(
                "c",
                "that of v_bar alone; k_bar has something, since the scores with that key were computed before they "
                "were masked.",
                "They were computed, and then replaced by -inf: from there nothing goes back. Or by the formula: what "
                "comes back to a score is its weight times something, and the weight is 0.",
            ),
            Option(
                "d",
                "none of them: a mask changes the value, and not the derivative.",
                "A weight that is 0 whatever q, k and v are is a constant. What would come back through it?",
            ),
        ),
    ),
    points=1,
)

SELF_ATTENTION = Exercise(
    name="attention.self_attention",
    title="a layer of many heads",
    task=PairTask(
        primal=self_attention,
        fwd="self_attention_fwd",
        bwd="self_attention_bwd",
        draw=_draw_layer,
        limits=Limits(residual_bytes=_layer_bytes),
        mistakes=mistakes.SELF_ATTENTION,
    ),
    points=6,
    cost_points=2,
    uses=("attention.attend",),
    hard=True,
    hints=(
        "Forward has five steps: one product for q, k and v; cut it; attend, head by head; put the heads together; one "
        "more product. Print the shape after each.",
        "jax.vmap(jax.vmap(attend_fwd, in_axes=(0, 0, 0, None)), in_axes=(0, 0, 0, None)) runs your pair for all "
        "sequences and heads at once, and stacks what each of them keeps. jax.vmap(jax.vmap(attend_bwd))(kept, y_bar) "
        "is its way back.",
        "Backward undoes reshapes and transposes in reverse. y went from (batch, heads, seq, d_head) to rows by "
        "swapaxes(1, 2) and reshape: rows_bar comes back by reshape to (batch, seq, heads, d_head), then swapaxes(1, "
        "2). q_bar, k_bar and v_bar are stacked on a new axis of length 3 in front of the heads.",
    ),
    asks={
        "params_bar.w_qkv": "what entered the first product, and what came back to q, k and v, in which "
        "order?   (steps 3, 4)",
        "params_bar.w_out": "what entered the last product, with a row for each token?   (step 1)",
        "x_bar": "x was used for q, k and v: do all three come back to it?   (step 4)",
    },
)

ROTARY = Exercise(
    name="attention.rotary",
    title="rotary positions",
    task=PairTask(
        primal=rotary,
        fwd="rotary_fwd",
        bwd="rotary_bwd",
        draw=_draw_rotary,
        limits=Limits(flops=3.0, residual_bytes=_nothing_bytes),
        mistakes=mistakes.ROTARY,
    ),
    points=2,
    cost_points=1,
    required=False,
    hints=(
        "For one pair: y0 = x0 * cos - x1 * sin, y1 = x0 * sin + x1 * cos. Where does x0 stand, and with what beside "
        "it?",
        "As a matrix it is a turn, and its transpose turns back: the same with the sign of the angle changed, and so "
        "of its sine.",
        "The course's angles(seq, half) gives the angles again, so that nothing needs to be kept. Split y_bar as "
        "forward split x, and put the two halves together as it did.",
    ),
    asks={"x_bar": "in which two numbers of y does each number of x stand, and with what beside it?   (step 2)"},
)

IN_YOUR_WORDS = Exercise(
    name="attention.text",
    title="a mask that nobody keeps",
    task=FreeText(
        'In a review somebody writes: "attend_bwd doesn\'t get the mask. So gradients must leak through masked pairs." '
        "Answer: why they don't, in which cases a mask does go wrong, and how you would test it.",
        rubric=(
            Criterion(
                2, "A masked weight is 0, and softmax's backward pass multiplies by it: its score gets exactly 0."
            ),
            Criterion(1, "So q and k get nothing by this pair, and v gets weight times y_bar, 0 as well."),
            Criterion(
                2,
                "It goes wrong where a query sees no key (no number, or a mean of all), or where weights are masked "
                "after softmax, so that the total counts what is hidden.",
            ),
            Criterion(1, "Test: change what is masked; the value and all other cotangents stay, its rows are zero."),
        ),
    ),
    points=0,
    required=False,
)

WHICH_MISTAKE = Exercise(
    name="attention.q3",
    title="which mistake is this?",
    task=WhichMistake(
        (
            Source(SOFTMAX.task, handed="weights_bar", sizes=(2, 3)),
            Source(ATTEND.task, sizes=(3, 2, 4)),
        )
    ),
    points=1,
)

PAPER = Paper(
    "attention",
    (
        SOFTMAX,
        SCALE,
        ATTEND,
        TRACES,
        SELF_ATTENTION,
        ROTARY,
        IN_YOUR_WORDS,
        WHICH_MISTAKE,
    ),
    shows_forward=True,
    shows_cost=True,
)
