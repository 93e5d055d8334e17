"""What `embedding` asks: tokens and places, a readout, a table at both ends, padding, steps that touch few rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from course.exercises.exercise import Exercise, Paper
from course.exercises.mistakes import embedding as mistakes
from course.exercises.tasks.drawing import Draw
from course.exercises.tasks.free_text import Criterion, FreeText
from course.exercises.tasks.function import FunctionTask
from course.exercises.tasks.limits import Limits
from course.exercises.tasks.pair import Case, PairTask
from course.exercises.tasks.question import Choice, Number, Option
from course.exercises.tasks.shown import Source
from course.exercises.tasks.which_mistake import WhichMistake
from course.lessons.embedding import PADDING, embed, embed_padded, readout, sgd_rows, tied_model

TOKENS, VOCAB, WIDTH = 1024, 50_000, 64
"""Of the question on cost: tokens of a batch, rows of the table, numbers in a row."""

RATE = 0.1
"""Of a drawn step of gradient descent."""

SHOWN = (4, 3, 2, 5, 2)
"""Sizes at which a mistake is read: rows of the table, places, sequences, and what else a task asks for."""

ONE_ID = "one id everywhere"


def _draw_ids(draw: Draw) -> np.ndarray:
    """More picks than rows, so that some row is picked twice."""
    draw.sizes("vocab", "seq", "batch")
    return draw.below("vocab", "batch", "seq")


def _draw_embed(draw: Draw) -> tuple[np.ndarray, ...]:
    ids = _draw_ids(draw)
    draw.size("max_seq", least=draw.size("seq"))
    return draw.normal("vocab", "d_model"), draw.normal("max_seq", "d_model"), ids


def _draw_one_token(draw: Draw) -> tuple[np.ndarray, ...]:
    table, positions, ids = _draw_embed(draw)
    return table, positions, np.full_like(ids, len(table) - 1)


def _draw_readout(draw: Draw) -> tuple[np.ndarray, ...]:
    draw.sizes("vocab", "seq", "batch")
    return draw.normal("batch", "seq", "d_model"), draw.normal("vocab", "d_model")


def _draw_tied(draw: Draw) -> tuple[np.ndarray, ...]:
    ids = _draw_ids(draw)
    return draw.normal("vocab", "d_model"), draw.normal("d_model", "d_model"), ids


def _draw_tied_to_one_token(draw: Draw) -> tuple[np.ndarray, ...]:
    table, w, ids = _draw_tied(draw)
    return table, w, np.full_like(ids, len(table) - 1)


def _draw_padded(draw: Draw) -> tuple[np.ndarray, ...]:
    """The second sequence is shorter than the others, and some place of the last one is padding, too."""
    ids = _draw_ids(draw)
    ids[1 % len(ids), ids.shape[1] // 2 :] = PADDING
    ids[-1, 0] = PADDING
    return draw.normal("vocab", "d_model"), ids


def _draw_no_padding(draw: Draw) -> tuple[np.ndarray, ...]:
    table, ids = _draw_padded(draw)
    return table, np.maximum(ids, PADDING + 1)


def _draw_step(draw: Draw) -> tuple[Any, ...]:
    ids = _draw_ids(draw)
    return draw.normal("vocab", "d_model"), ids, draw.normal("batch", "seq", "d_model"), RATE


def _draw_step_of_one_token(draw: Draw) -> tuple[Any, ...]:
    table, ids, x_bar, rate = _draw_step(draw)
    return table, np.full_like(ids, len(table) - 1), x_bar, rate


def _nothing_bytes(*primals: Any) -> int:
    return 0


def _one_array_bytes(table: Any, w: Any, ids: Any) -> int:
    return int(ids.size * table.shape[1] * table.dtype.itemsize)


def two_ways() -> tuple[float, float]:
    """FLOPs of table_bar by a product with one-hot rows, and by adding rows where they belong."""
    return 2.0 * TOKENS * VOCAB * WIDTH, float(TOKENS * WIDTH)


COST = Exercise(
    name="embedding.q1",
    title="one-hot, or scatter?",
    task=Number(
        f"{TOKENS} tokens, a table of {VOCAB:,} rows of {WIDTH} numbers. table_bar can be had in two ways: as a "
        "product of a matrix of one-hot rows, turned, with x_bar; or by adding each row of x_bar where it belongs. How "
        "many FLOPs has each, zeros of the matrix included? Answer with a pair.",
        compute=two_ways,
        says=f"Right: {2 * VOCAB:,} times as many, nearly all of them with zeros. And the one-hot rows alone would "
        f"take {4 * TOKENS * VOCAB / 1e6:.0f} MB.",
        traps=(
            (
                lambda: (two_ways()[0] / 2, two_ways()[1]),
                "The second is right. In a product each entry of the table costs a multiplication and an addition for "
                "every token.",
            ),
            (
                lambda: (two_ways()[0], 2 * two_ways()[1]),
                "The first is right. Nothing is multiplied when a row is added where it belongs.",
            ),
            (
                lambda: (two_ways()[0], float(VOCAB * WIDTH)),
                "The first is right, and the other is how many numbers the table has. How many are added to it?",
            ),
            (
                lambda: (two_ways()[0], float(TOKENS)),
                "The first is right, and the other is how many rows are added. How many numbers is that?",
            ),
            (
                lambda: two_ways()[::-1],
                "Both numbers are right. Which of the two ways is which?",
            ),
        ),
        unit="FLOPs",
    ),
    points=1,
)

EMBED = Exercise(
    name="embedding.embed",
    title="tokens and their places",
    task=PairTask(
        primal=embed,
        fwd="embed_fwd",
        bwd="embed_bwd",
        draw=_draw_embed,
        awkward=(Case(ONE_ID, _draw_one_token),),
        limits=Limits(residual_bytes=_nothing_bytes),
        mistakes=mistakes.EMBED,
    ),
    points=4,
    cost_points=1,
    hints=(
        "A sum hands y_bar to both of its sides. So there are two questions apart: which row of table stands in "
        "y[n, t], and which row of positions?",
        "For the table it is what you wrote for rows picked by number, and .at takes an array of ids of any shape. For "
        "the positions, n is not in the formula: copied along the batch, so sum along it.",
        "What comes back to the places has `seq` rows, positions_bar has `max_seq`: begin with zeros like positions, "
        "and put it into the first rows. The ids get None.",
    ),
    asks={
        "table_bar": "which row of the table is in y[n, t], and what if it is in others, too?   (step 1)",
        "positions_bar": "along which axis was a place's row copied, and which rows were not used?   (steps 2, 3)",
    },
)

READOUT = Exercise(
    name="embedding.readout",
    title="a score for every word",
    task=PairTask(
        primal=readout,
        fwd="readout_fwd",
        bwd="readout_bwd",
        draw=_draw_readout,
        limits=Limits(residual_bytes=_nothing_bytes),
        mistakes=mistakes.READOUT,
    ),
    points=3,
    cost_points=1,
    hints=(
        "logits[n, t, v] is the sum over k of x[n, t, k] * table[v, k]. For each cotangent ask which index has to go, "
        "and what stands beside.",
        "In x_bar the sum runs over v, the last index of logits_bar and the first one of table: a product as it "
        "stands. In table_bar it runs over n and t, which are two indices.",
        "x.reshape(-1, d_model) has a row for each token. Do the same to logits_bar; then n and t are one index, and "
        "one product of two matrices sums over it.",
    ),
    asks={
        "x_bar": "which scores did x[n, t, k] touch, and by way of which numbers?   (step 1)",
        "table_bar": "which tokens did table[v, k] meet, and by way of which numbers?   (step 2)",
    },
)

TIED_MODEL = Exercise(
    name="embedding.tied_model",
    title="one table at both ends",
    task=PairTask(
        primal=tied_model,
        fwd="tied_model_fwd",
        bwd="tied_model_bwd",
        draw=_draw_tied,
        awkward=(Case(ONE_ID, _draw_tied_to_one_token),),
        limits=Limits(residual_bytes=_one_array_bytes),
        mistakes=mistakes.TIED_MODEL,
    ),
    points=5,
    cost_points=1,
    uses=("embedding.readout",),
    hard=True,
    hints=(
        "Three steps: pick rows, multiply by w, read out. Go through them from the last to the first. Which two of "
        "them use the table?",
        "readout_bwd((h, table), logits_bar) gives h_bar and one part of table_bar. From h_bar on it is an affine "
        "layer without a bias, whose x is table[ids], picked once more.",
        "Its x_bar has a row for each token, to be added to the row of the table that was picked. There is no need of "
        "a table of zeros for that: the readout's part is a table already, and .at[...] can add to it.",
    ),
    asks={
        "table_bar": "what comes back by the readout, what by the picked rows, and are both there?   (steps 1, 3)",
        "w_bar": "what went into the product with w, and what came back to its value?   (step 2)",
    },
)

SPARSE_SGD = Exercise(
    name="embedding.sparse_sgd",
    title="a step that touches few rows",
    task=FunctionTask(
        reference=sgd_rows,
        function="sparse_sgd",
        draw=_draw_step,
        returns="table",
        awkward=(Case(ONE_ID, _draw_step_of_one_token),),
        traceable=True,
        mistakes=mistakes.SPARSE_SGD,
    ),
    points=2,
    hints=(
        "Gradient descent takes rate * table_bar away from the table. Where is table_bar zero, and what does the step "
        "do there?",
        "table_bar is a sum of rows of x_bar, each sent to the row that was picked. So instead of adding them to "
        "zeros, add them to something else, with a factor.",
        "table.at[ids] names the picked rows; .add adds to them, one after the other where a row comes twice. What is "
        "added for a token is its row of x_bar times what?",
    ),
    asks={"table": "which rows does the step change, and by how much for each pick?   (step 1)"},
)

WHICH_OPTIMISER = Exercise(
    name="embedding.q2",
    title="rows that nobody picked",
    task=Choice(
        "A row that was picked in earlier batches is not picked in this one: its gradient is zero. Which of these "
        "optimisers, run on the whole table, leaves it exactly as it is, so that it may be skipped?",
        (
            Option(
                "a",
                "plain gradient descent",
                "Right: rate times zero is zero, and there is no state. All the others do something to a row whose "
                "gradient is zero, so that skipping it is a change of method.",
                right=True,
            ),
            Option(
                "b",
                "gradient descent with momentum",
                "The velocity of the row is not zero: it came from earlier batches, and decays from step to step while "
                "it goes on moving the row.",
            ),
            Option(
                "c",
                "Adam",
                "Its first moment is not zero at once: it is 0.9 of what it was. Divided by the root of the second, "
                "that moves the row, and both moments decay.",
            ),
            Option(
                "d",
                "gradient descent with decoupled weight decay",
                "The decay takes a part of every row away at every step, picked or not.",
            ),
        ),
    ),
    points=1,
)

EMBED_PADDED = Exercise(
    name="embedding.embed_padded",
    title="padding leaves no trace",
    task=PairTask(
        primal=embed_padded,
        fwd="embed_padded_fwd",
        bwd="embed_padded_bwd",
        draw=_draw_padded,
        awkward=(Case("sequences without padding", _draw_no_padding),),
        limits=Limits(residual_bytes=_nothing_bytes),
        mistakes=mistakes.EMBED_PADDED,
    ),
    points=2,
    cost_points=1,
    required=False,
    hints=(
        "Where an id is PADDING, the value is a zero that came from nowhere. What comes back from there?",
        "Either send nothing from such places, with a where as in forward; or send everything, and mend the one row "
        "that has got too much.",
        "jnp.zeros_like(table).at[ids].add(...) as before, and in the end .at[PADDING] names the row of the padding.",
    ),
    asks={"table_bar": "what comes back to the row of the padding?   (step 2)"},
)

IN_YOUR_WORDS = Exercise(
    name="embedding.text",
    title="a gradient that is nearly all zeros",
    task=FreeText(
        f"A table of {VOCAB:,} rows of {WIDTH} float32 numbers; a batch picks 256 tokens. A colleague takes jax.grad "
        "and gives it to Adam. Say what such a step moves through memory and what of that is news, what plain gradient "
        "descent could do in its place, why Adam can't do the same, and what changes if the table is tied to the "
        "readout.",
        rubric=(
            Criterion(2, "The gradient is a table of 12.8 MB, of which at most 256 rows, 64 kB, are not zero."),
            Criterion(
                1, "Plain gradient descent adds -rate * x_bar to the picked rows, in place, and touches no other."
            ),
            Criterion(
                1, "Adam's moments decay at every step and move rows that get nothing: to skip those is another method."
            ),
            Criterion(
                2,
                "Tied to the readout, every row gets something from every token: a dense gradient, no row is free.",
            ),
        ),
    ),
    points=0,
    required=False,
)

WHICH_MISTAKE = Exercise(
    name="embedding.q3",
    title="which mistake is this?",
    task=WhichMistake(
        (
            Source(EMBED.task, sizes=SHOWN),
            Source(READOUT.task, handed="logits_bar", sizes=(4, 3, 2, 2)),
            Source(TIED_MODEL.task, handed="logits_bar", sizes=(4, 3, 2, 2)),
        )
    ),
    points=1,
)

PAPER = Paper(
    "embedding",
    (
        COST,
        EMBED,
        EMBED_PADDED,
        READOUT,
        TIED_MODEL,
        SPARSE_SGD,
        WHICH_OPTIMISER,
        IN_YOUR_WORDS,
        WHICH_MISTAKE,
    ),
    shows_forward=True,
    shows_cost=True,
)
