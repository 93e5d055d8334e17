"""What `vector_chain_rule` asks: seven backward passes on arrays, and what a Jacobian holds and costs."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from course.exercises.exercise import Exercise, Paper
from course.exercises.mistakes import vector_chain_rule as mistakes
from course.exercises.tasks.drawing import Draw
from course.exercises.tasks.free_text import Criterion, FreeText
from course.exercises.tasks.pair import Case, PairTask
from course.exercises.tasks.question import Choice, Number, Option
from course.exercises.tasks.shown import Source
from course.exercises.tasks.which_mistake import WhichMistake
from course.lessons.vector_chain_rule import (
    add_row,
    add_row_fwd,
    gather,
    gather_fwd,
    matvec,
    matvec_fwd,
    repeat_each,
    repeat_each_fwd,
    row_sums,
    row_sums_fwd,
    shares,
    shares_fwd,
    turn,
    turn_fwd,
)

LAYER = (128, 512)
"""Rows and columns of the layer whose Jacobian is weighed."""

PICKED = (2, 0, 2, 2)
SENT = (10.0, 20.0, 30.0, 40.0)
"""Which entries of a table of 3 numbers were picked, and what comes back to each pick."""


def _draw_matvec(draw: Draw) -> tuple[np.ndarray, ...]:
    return draw.normal("d_out", "d_in"), draw.normal("d_in")


def _draw_add_row(draw: Draw) -> tuple[np.ndarray, ...]:
    return draw.normal("rows", "d"), draw.normal("d")


def _draw_add_to_one_row(draw: Draw) -> tuple[np.ndarray, ...]:
    x, row = _draw_add_row(draw)
    return x[:1], row


def _draw_matrix(draw: Draw) -> tuple[np.ndarray]:
    return (draw.normal("rows", "d"),)


def _draw_one_column(draw: Draw) -> tuple[np.ndarray]:
    (x,) = _draw_matrix(draw)
    return (x[:, :1],)


def _draw_square(draw: Draw) -> tuple[np.ndarray]:
    return (draw.normal("d", "d"),)


def _draw_vector(draw: Draw) -> tuple[np.ndarray]:
    return (draw.normal("d"),)


def _draw_picks(draw: Draw) -> tuple[np.ndarray, np.ndarray]:
    """More picks than rows, so that some row is picked twice."""
    draw.sizes("picks", "rows")
    return draw.normal("rows", "d"), draw.below("rows", "picks")


def _draw_one_pick_again(draw: Draw) -> tuple[np.ndarray, np.ndarray]:
    table, ids = _draw_picks(draw)
    return table, np.full_like(ids, 1)


def _draw_shares(draw: Draw) -> tuple[np.ndarray, ...]:
    """Numbers above zero: nobody buys less than nothing."""
    least = 0.0 if draw.is_small else 0.5
    return least + np.abs(draw.normal("rows", "items")), least + np.abs(draw.normal("items"))


def _draw_nothing_bought(draw: Draw) -> tuple[np.ndarray, ...]:
    amounts, prices = _draw_shares(draw)
    amounts[:, 0] = 0.0
    return amounts, prices


def jacobian_bytes() -> int:
    """The bytes of the Jacobian of a function that maps a layer of float32 numbers to one of the same size."""
    entries = LAYER[0] * LAYER[1]
    return 4 * entries**2


def _sent_back() -> np.ndarray:
    with jax.enable_x64(True):
        _, pullback = jax.vjp(lambda table: table[jnp.asarray(PICKED)], jnp.zeros(3))
        return np.asarray(pullback(jnp.asarray(SENT))[0])


def _given(primal: Any, fwd: Any, **more: Any) -> PairTask:
    """A task whose forward half the lesson gives."""
    name = primal.__name__
    return PairTask(primal=primal, fwd=f"{name}_fwd", bwd=f"{name}_bwd", given=fwd, traceable=False, **more)


MATVEC = Exercise(
    name="vector_chain_rule.matvec",
    title="a matrix times a column",
    task=_given(matvec, matvec_fwd, draw=_draw_matvec, mistakes=mistakes.MATVEC),
    points=3,
    hints=(
        "Write out y[0] and y[1] for a matrix of two rows and two columns. Where does w[1, 0] stand, and where x[0]?",
        "w[i, j] stands in y[i] alone, beside x[j]. x[j] stands in every y[i], beside w[i, j]. Multiply each by the "
        "y_bar of where it stands; where there are several, add.",
        "jnp.outer(u, v) is the table of all u[i] * v[j]. And p @ q sums over the last index of p and the first of q: "
        "for x_bar the sum runs over i, the first index of w, so the matrix has to be turned round.",
    ),
    asks={
        "w_bar": "which y[i] did w[i, j] touch, and what stands beside it?   (step 1)",
        "x_bar": "which entries of y did x[j] touch, and by way of which entries of w?   (step 2)",
    },
    scaffold="lines",
)

ADD_ROW = Exercise(
    name="vector_chain_rule.add_row",
    title="one row added to all",
    task=_given(
        add_row,
        add_row_fwd,
        draw=_draw_add_row,
        awkward=(Case("a matrix of one row", _draw_add_to_one_row),),
        mistakes=mistakes.ADD_ROW,
    ),
    points=2,
    hints=(
        "The slope of a sum by either of its terms is 1: nothing has to be multiplied.",
        "x[n, j] was used once, row[j] once in every row. What comes back to row[j] from all these places?",
        "Broadcast forward, sum backward. Of y[n, j] the sum has to take n away, the first axis: `axis=0`. In the "
        "example above the copies lay along the other axis.",
    ),
    asks={
        "x_bar": "x[n, j] touched one entry of y: how fast did that move?   (step 1)",
        "row_bar": "row[j] was copied to every row: what does backward do, along which axis?   (step 2)",
    },
    scaffold="lines",
)

ROW_SUMS = Exercise(
    name="vector_chain_rule.row_sums",
    title="each row added up",
    task=_given(
        row_sums,
        row_sums_fwd,
        draw=_draw_matrix,
        awkward=(Case("a matrix of one column", _draw_one_column),),
        mistakes=mistakes.ROW_SUMS,
    ),
    points=1,
    hints=(
        "Which entry of y did x[2, 1] touch, and how fast did that move? And x[2, 0]?",
        "All entries of row n did the same thing to y. So what does row n of x_bar look like?",
        "x_bar needs the shape of x, and each of its columns is what came back. jnp.broadcast_to(array, shape) makes "
        "such copies; x.shape is the shape.",
    ),
    asks={"x_bar": "x[n, j] touched y[n, 0] and nothing else: which numbers stand in row n of x_bar?   (step 1)"},
    scaffold="lines",
)

REPEAT_EACH = Exercise(
    name="vector_chain_rule.repeat_each",
    title="every entry three times",
    task=_given(repeat_each, repeat_each_fwd, draw=_draw_vector, mistakes=mistakes.REPEAT_EACH),
    points=2,
    hints=(
        "Each entry was copied three times. You know what comes back to something that was copied.",
        "The first three entries of y are the copies of x[0], the next three those of x[1]. Give each entry of x a "
        "row of its own: reshape fills row after row.",
        "In reshape, -1 stands for as many as it takes. After it y_bar has one row for an entry and one column for a "
        "copy. Along which of the two axes did forward copy?",
    ),
    asks={"x_bar": "at which places of y does x[0] stand?   (step 1)   And what is done with copies?   (step 2)"},
    scaffold="lines",
)

GATHER = Exercise(
    name="vector_chain_rule.gather",
    title="rows picked by number",
    task=_given(
        gather,
        gather_fwd,
        draw=_draw_picks,
        awkward=(Case("one row picked every time", _draw_one_pick_again),),
        mistakes=mistakes.GATHER,
    ),
    points=3,
    hints=(
        "table_bar has the shape of table. Start from what comes back to a row that nobody picked.",
        "y[k] is a copy of row ids[k] of the table: so y_bar[k] goes back to row ids[k]. When two picks are of the "
        "same row, two things come back to it.",
        "`array.at[ids]` names the rows, and gives you .set, .add and more; it returns a new array. .set keeps the "
        "last of several. Used twice, add.",
    ),
    asks={"table_bar": "from which row did y[k] come, and what if it was picked twice?   (step 2)"},
    scaffold="lines",
)

SHARES = Exercise(
    name="vector_chain_rule.shares",
    title="shares of a total",
    task=_given(
        shares,
        shares_fwd,
        draw=_draw_shares,
        awkward=(Case("an item that nobody bought", _draw_nothing_bought),),
        mistakes=mistakes.SHARES,
    ),
    points=5,
    hints=(
        "Write the three lines of shares_fwd on paper and go through them from the last to the first. Which arrays are "
        "used twice, and which are copied?",
        "The fraction has two slopes, 1 / total by its top and -spent / total**2 by its bottom. total has one column "
        "and was copied to all of them, so what comes back to it is summed along its row, with keepdims=True.",
        "spent gets something as the top of the fraction, and something from total, of which it was a part: add the "
        "two, they broadcast. Only then go on to amounts * prices. prices was copied to every row.",
    ),
    asks={
        "amounts_bar": "spent was used twice, as a top and in the total: did it get something from both? And what "
        "stands beside amounts?   (steps 1 to 4)",
        "prices_bar": "if amounts_bar is right, spent_bar is too: prices was copied to every row, and what does "
        "backward do?   (step 4)   If it is not, begin there.   (steps 1 to 3)",
    },
    hard=True,
)

TURN = Exercise(
    name="vector_chain_rule.turn",
    title="a quarter turn",
    task=_given(
        turn,
        turn_fwd,
        draw=_draw_matrix,
        awkward=(Case("a square matrix", _draw_square),),
        mistakes=mistakes.TURN,
    ),
    points=1,
    hints=(
        "Nothing is multiplied and nothing is added: every number of y_bar has to go back to where its number came "
        "from.",
        "You put on socks, then shoes. What do you take off first?",
        "Turning the rows over is undone by doing it again, and so is a transpose. Forward transposed first, so "
        "backward does that last.",
    ),
    asks={"x_bar": "which of forward's two steps has to be undone first?   (steps 1, 2)"},
    scaffold="lines",
    required=False,
)

JACOBIAN_BYTES = Exercise(
    name="vector_chain_rule.q1",
    title="how large is a Jacobian?",
    task=Number(
        "sigmoid is given a layer of 128 rows of 512 numbers, 4 bytes each. How many bytes would its Jacobian take?",
        compute=jacobian_bytes,
        says="Right: 17 gigabytes, of which all but the diagonal, a quarter of a megabyte, are zeros.",
        traps=(
            (lambda: jacobian_bytes() / 4, "That is how many numbers it holds. Each takes 4 bytes."),
            (lambda: 4 * LAYER[0] * LAYER[1], "That is the layer itself, or the diagonal. The Jacobian is a table."),
            (lambda: LAYER[0] * LAYER[1], "That is how many numbers the layer has: the table has so many rows."),
            (lambda: 4 * LAYER[1] ** 2, "That would be for one row of the layer. It has 128."),
            (
                lambda: 4 * LAYER[0] * LAYER[1] ** 2,
                "That is one table for each row of the layer: they lie along the diagonal of the whole.",
            ),
        ),
        tolerance=0.03,
        unit="bytes",
    ),
    points=1,
)

SENT_BACK = Exercise(
    name="vector_chain_rule.q3",
    title="picked three times",
    task=Number(
        "A table of 3 numbers, ids = (2, 0, 2, 2), and what comes back is y_bar = (10, 20, 30, 40). What is table_bar? "
        "Answer with three numbers.",
        compute=_sent_back,
        says="Right: one pick of number 0, none of number 1, and 10 + 30 + 40 for number 2.",
        traps=(
            (
                lambda: (20.0, 0.0, 40.0),
                "For number 2 only the last pick is left. It was used three times: what follows?",
            ),
            (lambda: (20.0, 0.0, 10.0), "For number 2 only the first pick is left. It was used three times."),
            (lambda: (20.0, 0.0, 80 / 3), "You averaged over the picks of number 2. Each of them moves the loss."),
            (lambda: (1.0, 0.0, 3.0), "That is how often each was picked. What comes back by each pick?"),
            (lambda: (100.0, 100.0, 100.0), "Each pick goes back to one entry alone: the one that it came from."),
        ),
    ),
    points=1,
    required=False,
)

WHICH_JACOBIAN = Exercise(
    name="vector_chain_rule.q2",
    title="whose Jacobian is this?",
    task=Choice(
        "Whose Jacobian is the one in the picture, for x of five numbers? Blue is 1, orange is -1: its first row is "
        "(-1, 1, 0, 0, 0), its last one (0, 0, 0, -1, 1).",
        (
            Option(
                "a",
                "jnp.cumsum(x)",
                "A sum of all that came before has no minus, and as many outputs as inputs. Count the rows.",
            ),
            Option(
                "b",
                "x[1:] - x[:-1]",
                "Right: y[0] = x[1] - x[0], so row 0 has -1 at x[0] and 1 at x[1]. Read down a column to see what "
                "comes back: x_bar[1] = y_bar[0] - y_bar[1].",
                right=True,
            ),
            Option(
                "c",
                "x[:-1] - x[1:]",
                "The shape is right. But there y[0] = x[0] - x[1]: which of the two has the minus in the picture?",
            ),
            Option(
                "d",
                "x - x.mean()",
                "A mean asks every number: no square would be empty, and there would be five rows.",
            ),
        ),
    ),
    points=1,
)

IN_YOUR_WORDS = Exercise(
    name="vector_chain_rule.text",
    title="the Jacobian that nobody builds",
    task=FreeText(
        '"The chain rule for arrays multiplies Jacobians. So backpropagation must build them." Explain with y = w @'
        " x, for w of 1000 by 1000, why nobody does, and what is done in its place.",
        rubric=(
            Criterion(
                2, "The slopes of y by w are 1000 times a million numbers: 4 gigabytes in float32, for one layer."
            ),
            Criterion(1, "Nearly all of them are zero: w[i, j] touches y[i] alone."),
            Criterion(1, "What is wanted is not the table, but y_bar as a row times the table."),
            Criterion(
                2,
                "That has a short form: the outer product of y_bar and x for w, and w turned times y_bar for x, at "
                "about the price of forward each.",
            ),
        ),
    ),
    points=0,
    required=False,
)

WHICH_MISTAKE = Exercise(
    name="vector_chain_rule.q4",
    title="which mistake is this?",
    task=WhichMistake(
        tuple(Source(exercise.task) for exercise in (MATVEC, ADD_ROW, ROW_SUMS, REPEAT_EACH, GATHER, SHARES))
    ),
    points=1,
)

PAPER = Paper(
    "vector_chain_rule",
    (
        JACOBIAN_BYTES,
        MATVEC,
        ADD_ROW,
        ROW_SUMS,
        REPEAT_EACH,
        WHICH_JACOBIAN,
        SENT_BACK,
        GATHER,
        TURN,
        SHARES,
        IN_YOUR_WORDS,
        WHICH_MISTAKE,
    ),
)
