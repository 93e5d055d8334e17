"""What `recurrent` asks: a step backward, a sequence through time, unequal lengths, truncation, a whole network."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from course.exercises.exercise import Exercise, Paper
from course.exercises.mistakes import recurrent as mistakes
from course.exercises.tasks.drawing import Draw
from course.exercises.tasks.free_text import Criterion, FreeText
from course.exercises.tasks.function import FunctionTask
from course.exercises.tasks.limits import Limits
from course.exercises.tasks.pair import Case, PairTask
from course.exercises.tasks.question import Number
from course.exercises.tasks.shown import Source
from course.exercises.tasks.which_mistake import WhichMistake
from course.lessons.losses import IGNORED
from course.lessons.mlp import Layer
from course.lessons.recurrent import Cell, CharRnn, char_rnn_loss, last_state, rnn, rnn_step, truncated_rnn

SEQ, D_HIDDEN, BATCH = 64, 128, 32
"""Of the network whose backward pass is weighed: steps, units, rows."""

MEGABYTE = 1e6
"""Bytes."""

STEPS, STRETCH, SEEN = 12, 5, (6, 12)
"""Steps of a sequence, steps between two cuts, and the states that a loss looks at, counted from 1."""

STRETCHES, OUTSIDE, LITTLE = 1.3, 0.6, 1e-3
"""Largest singular value of a network's weights, what none of its states is nearer to zero than, a small part."""


def _numbers(draw: Draw, *axes: str, scale: float) -> np.ndarray:
    """Gaussian numbers of a scale; on paper, quarters, so that tanh has a slope left."""
    return draw.normal(*axes) / 4 if draw.is_small else draw.normal(*axes, scale=scale)


def _draw_cell(draw: Draw) -> Cell:
    return Cell(
        _numbers(draw, "d_in", "d_hidden", scale=0.5),
        _numbers(draw, "d_hidden", "d_hidden", scale=0.4),
        _numbers(draw, "d_hidden", scale=0.5),
    )


def _draw_step(draw: Draw) -> tuple[Any, ...]:
    draw.sizes("batch", "d_hidden", "d_in")
    return _draw_cell(draw), _numbers(draw, "batch", "d_hidden", scale=0.5), draw.normal("batch", "d_in")


def _draw_sequence(draw: Draw) -> tuple[Any, ...]:
    draw.sizes("batch", "seq", "d_in", "d_hidden")
    h, x = _numbers(draw, "batch", "d_hidden", scale=0.5), draw.normal("batch", "seq", "d_in")
    return _draw_cell(draw), h, x


def _draw_single_step(draw: Draw) -> tuple[Any, ...]:
    params, h, x = _draw_sequence(draw)
    return params, h, x[:, :1]


def _saved_bytes(params: Cell, h: Any, x: Any) -> int:
    """The state after every step."""
    return x.shape[1] * h.size * h.dtype.itemsize


def _draw_lengths(draw: Draw) -> tuple[Any, ...]:
    return *_draw_sequence(draw), 1 + draw.below("seq", "batch")


def _draw_no_step(draw: Draw) -> tuple[Any, ...]:
    *sequence, lengths = _draw_lengths(draw)
    return *sequence, np.concatenate([np.zeros_like(lengths[:1]), lengths[1:]])


def _draw_truncated(draw: Draw) -> tuple[Any, ...]:
    """Stretches of three steps and a shorter one; on paper, where sequences are short, of two."""
    return *_draw_sequence(draw), draw.normal("batch", "seq", "d_hidden"), 2 if draw.is_small else 3


def _draw_uncut(draw: Draw) -> tuple[Any, ...]:
    *rest, _ = _draw_truncated(draw)
    return *rest, draw.size("seq") + 1


@mistakes.quick
def _pulled_back(params: Cell, h: Any, x: Any, states_bar: Any, stretch: Any) -> Any:
    return jax.vjp(lambda params: truncated_rnn(params, h, x, stretch), params)[1](states_bar)[0]


def _right_truncated_gradient(params: Cell, h: Any, x: Any, states_bar: Any, stretch: int) -> Any:
    return _pulled_back(params, h, x, states_bar, jnp.asarray(stretch))


def _draw_one_row(draw: Draw) -> tuple[Any, ...]:
    """A single sequence, some steps longer than most."""
    draw.sizes("seq", "d_hidden", "d_in")
    return _draw_cell(draw), _numbers(draw, "d_hidden", scale=0.5), draw.normal("seq", "d_in")


def _right_reach(params: Cell, h: Any, x: Any) -> np.ndarray:
    jacobians = mistakes.quick(jax.jacfwd(lambda h: rnn(params, h[None], x[None])[0]))(h)
    return np.linalg.svd(np.asarray(jacobians), compute_uv=False)[:, 0]


def _draw_characters(draw: Draw) -> tuple[Any, ...]:
    """Characters that repeat, and labels of which some do not count."""
    draw.sizes("vocab", "batch", "seq", "d_in", "d_hidden")
    readout = Layer(_numbers(draw, "d_hidden", "vocab", scale=0.7), _numbers(draw, "vocab", scale=0.5))
    params = CharRnn(_numbers(draw, "vocab", "d_in", scale=1.0), _draw_cell(draw), readout)
    ids, labels = draw.below("vocab", "batch", "seq"), draw.below("vocab", "batch", "seq")
    counted = draw.either("batch", "seq") == 1
    counted[0, 0] = True
    return params, ids, np.where(counted, labels, IGNORED)


def _draw_nothing_counts(draw: Draw) -> tuple[Any, ...]:
    params, ids, labels = _draw_characters(draw)
    return params, ids, np.full_like(labels, IGNORED)


def _moved_megabytes() -> tuple[float, float]:
    """What is read and written to add to the weights' cotangent at every step; and to put z_bar on record."""
    weights, z_bar = (np.zeros(shape, np.float32).nbytes for shape in ((D_HIDDEN, D_HIDDEN), (BATCH, D_HIDDEN)))
    return SEQ * 2 * weights / MEGABYTE, SEQ * 2 * z_bar / MEGABYTE


@cache
def _inputs_reached(stretch: int) -> int:
    """Counts the steps to whose x anything comes back from the states that a loss looks at."""
    params, h, seen = Cell(jnp.eye(1), jnp.eye(1), jnp.zeros(1)), jnp.zeros((1, 1)), jnp.array(SEEN) - 1

    def loss(x: jax.Array) -> jax.Array:
        return jnp.sum(truncated_rnn(params, h, x, stretch)[:, seen])

    return int(np.count_nonzero(jax.jit(jax.grad(loss))(np.full((1, STEPS, 1), 0.1, np.float32))))


def _steps_until_little() -> int:
    """The fewest steps after which no cotangent can have more than a small part of its norm left."""
    factor = STRETCHES * (1 - OUTSIDE**2)
    return math.ceil(math.log(LITTLE) / math.log(factor))


STEP = Exercise(
    name="recurrent.rnn_step",
    title="one step, backward",
    task=PairTask(
        primal=rnn_step,
        fwd="rnn_step_fwd",
        bwd="rnn_step_bwd",
        draw=_draw_step,
        limits=Limits(),
        mistakes=mistakes.RNN_STEP,
    ),
    points=3,
    cost_points=1,
    hints=(
        "Give the sum that tanh is taken of a name: z = x @ w_x + h @ w_h + b. First z_bar, then everything else is "
        "an affine layer's, of which z is the value.",
        "The slope of tanh is one minus the square of its value: keep the value. Then z_bar has as many rows as "
        "after_bar, and stands in the place of y_bar in the three formulas of affine. h and w_h are a second pair "
        "of input and weights.",
        "params_bar is a Cell like params: w_x's entry is made of x and z_bar, w_h's of h (which came in, not what "
        "came out) and z_bar, b's of z_bar alone, summed over the rows. Return three things: params_bar, h_bar, x_bar.",
    ),
    asks={
        "params_bar": "of what is z_bar made, and what does each term of the sum get of it?   (steps 2 and 3)",
        "h_bar": "by what was h multiplied, and of what was the tanh taken?   (steps 2 and 4)",
        "x_bar": "by what was x multiplied, and of what was the tanh taken?   (steps 2 and 4)",
    },
)

MOVED = Exercise(
    name="recurrent.q1",
    title="what the adding moves",
    task=Number(
        f"{SEQ} steps, {D_HIDDEN} units, a batch of {BATCH}, all in float32. One backward pass carries w_h_bar through "
        "the loop, and each step reads all of it, adds its own part, and writes it back. Another puts z_bar of each "
        "step on record: it is written once, and read once in the product after the loop. How many megabytes "
        "(1e6 bytes) does each of them read and write for that? Answer with a pair, (w_h_bar, z_bar).",
        compute=_moved_megabytes,
        says="Right, four times as much: the first is units by units at each step, the second rows by units. With "
        f"{D_HIDDEN} rows both would be the same. What is multiplied is the same anyway.",
        traps=(
            (lambda: (_moved_megabytes()[0] / 2, _moved_megabytes()[1] / 2), "Read and written: each number twice."),
            (lambda: (_moved_megabytes()[0] / 4, _moved_megabytes()[1] / 4), "How many bytes has a float32?"),
            (lambda: (_moved_megabytes()[0] * 2, _moved_megabytes()[1] * 2), "These are float32, of 4 bytes."),
            (lambda: (_moved_megabytes()[0] / SEQ, _moved_megabytes()[1]), "The first is done at every step."),
            (lambda: (_moved_megabytes()[0] / SEQ, _moved_megabytes()[1] / SEQ), "That is one step."),
            (lambda: _moved_megabytes()[::-1], "The other way round: which shape has w_h_bar, and which z_bar?"),
        ),
    ),
    points=1,
)

RNN = Exercise(
    name="recurrent.rnn",
    title="backpropagation through time",
    task=PairTask(
        primal=rnn,
        fwd="rnn_fwd",
        bwd="rnn_bwd",
        draw=_draw_sequence,
        awkward=(Case("a single step", _draw_single_step),),
        limits=Limits(residual_bytes=_saved_bytes),
        mistakes=mistakes.RNN,
    ),
    points=6,
    cost_points=2,
    hard=True,
    hints=(
        "Forward is the primal's scan; beside the arguments keep the states, which go on record anyway. Backward is a "
        "scan with reverse=True, over the states and the rows of states_bar, time first. It carries what a step hands "
        "to the one before it.",
        "The state after a step has two cotangents, its own row of states_bar and what the later steps handed on: "
        "add them, then go through tanh. The result goes on record, and its product with the turned w_h is carried. "
        "More need not be done in the loop.",
        "After the loop you have z_bar of every step, as (seq, batch, d_hidden). What entered the steps: h[None], then "
        "all states but the last. Reshape both, and x with time first, to (seq * batch, ...): three formulas of affine "
        "do the rest. Only x_bar is brought back to (batch, seq, d_in).",
    ),
    asks={
        "h_bar": "which two cotangents has a state, through what do both go, and what is carried?   (steps 3 and 4)",
        "params_bar": "which state entered each step, and how often were the weights used?   (steps 5 and 6)",
        "x_bar": "z_bar of every step is on record: what is it for x?   (steps 3 and 6)",
    },
)

REACH_BOUND = Exercise(
    name="recurrent.q2",
    title="how far at the most",
    task=Number(
        f"The largest singular value of w_h is {STRETCHES}, and all states stay further from zero than {OUTSIDE}: "
        f"|h| >= {OUTSIDE}. After how many steps back can no cotangent have more than a thousandth of its norm left? "
        "Answer with the least number of steps of which that is certain.",
        compute=_steps_until_little,
        says="Right: each step multiplies a norm by 1.3 * (1 - 0.36) = 0.832 at the most. Weights that stretch are not "
        "enough to make a gradient last; the slopes have to be near 1, and so the states near 0.",
        tolerance=1e-3,
        traps=(
            (lambda: _steps_until_little() - 1, "So many leave a little more than a thousandth: 0.832**37 = 0.00111."),
            (
                lambda: math.ceil(math.log(LITTLE) / math.log(1 - OUTSIDE**2)),
                "These are the slopes alone. By how much can a product with w_h make a vector longer?",
            ),
            (
                lambda: math.ceil(math.log(LITTLE) / math.log(STRETCHES * OUTSIDE)),
                "The slope of tanh is not its value: what is it, where the value is 0.6?",
            ),
            (
                lambda: math.ceil(math.log(LITTLE) / math.log(STRETCHES * (1 - OUTSIDE))),
                "One minus the value: is that tanh's slope?",
            ),
        ),
    ),
    points=1,
)

TRUNCATED = Exercise(
    name="recurrent.truncated_gradient",
    title="stretch by stretch",
    task=FunctionTask(
        reference=_right_truncated_gradient,
        function="truncated_gradient",
        draw=_draw_truncated,
        returns="params_bar",
        awkward=(Case("a stretch longer than the sequence", _draw_uncut),),
        mistakes=mistakes.TRUNCATED_GRADIENT,
    ),
    points=3,
    uses=("recurrent.rnn",),
    hints=(
        "A loop over the first steps of the stretches: range(0, seq, stretch). Within one of them it is what you wrote "
        "already: rnn_fwd, then rnn_bwd, on a slice of x and of states_bar.",
        "x[:, first : first + stretch] is a stretch of x; a slice that goes over the end stops there by itself. The "
        "state that the next stretch starts from is the last one of this: states[:, -1].",
        "Start with zeros like params, jax.tree.map(jnp.zeros_like, params), and add what each rnn_bwd returns for the "
        "parameters. What it returns for the start state is what you drop: that is the cut.",
    ),
    asks={"params_bar": "what is handed from stretch to stretch, and what is not?   (steps 1 to 3)"},
)

WHAT_IS_LOST = Exercise(
    name="recurrent.q3",
    title="what the cuts lose",
    task=Number(
        f"A sequence of {STEPS} steps, counted from 1, is cut into stretches of {STRETCH}: 1 to 5, 6 to 10, 11 and 12. "
        f"The loss looks at the states after steps {SEEN[0]} and {SEEN[1]} alone. To how many of the {STEPS} inputs x "
        "does anything come back? And to how many if nothing is cut? Answer with a pair, (cut, not cut).",
        compute=lambda: (_inputs_reached(STRETCH), _inputs_reached(STEPS)),
        says="Right: 6, 11 and 12. Step 6 is the first of its stretch, so nothing before it can be blamed for what it "
        "did. How far back a gradient sees depends on where in a stretch the loss looks; on average, half of it.",
        traps=(
            (lambda: (7, STEPS), "Those are all steps of both stretches. Does a later step's x move an earlier state?"),
            (lambda: (10, STEPS), "Five steps back from each would be another rule: cuts stand between fixed steps."),
            (lambda: (2, STEPS), "From step 12 a cotangent goes to step 11: both are in one stretch."),
            (lambda: (3, 6), "The first number is right. How far back does a cotangent go from step 12, if uncut?"),
            (lambda: (8, STEPS), "Which stretch is step 6 in? What is before it there?"),
        ),
    ),
    points=1,
)

LAST_STATE = Exercise(
    name="recurrent.last_state",
    title="rows of unequal lengths",
    task=PairTask(
        primal=last_state,
        fwd="last_state_fwd",
        bwd="last_state_bwd",
        draw=_draw_lengths,
        awkward=(Case("a row without a step", _draw_no_step),),
        limits=Limits(),
        mistakes=mistakes.LAST_STATE,
    ),
    points=3,
    cost_points=1,
    uses=("recurrent.rnn",),
    hints=(
        "The loop need not stop anywhere. Run your rnn_fwd over all steps, padding and all: the state after a row's "
        "own last step is among its states, and nothing that comes later can change it.",
        "Put the start in front: jnp.concatenate([h[:, None], states], axis=1) has the state of a row of length n at "
        "place n, even if n is 0. array[jnp.arange(batch), lengths] picks one place of each row.",
        "Backward: zeros of the same shape, with y_bar set at the places that were picked. All but the first place "
        "are states_bar for rnn_bwd; the first belongs to h itself, and is added to what rnn_bwd returns for it.",
    ),
    asks={
        "params_bar": "to which state of each row did y_bar come back?   (steps 1 and 2)",
        "h_bar": "and if the row has no step at all?   (steps 2 and 3)",
        "x_bar": "does anything come back to padding?   (step 2)",
    },
)

REACH = Exercise(
    name="recurrent.reach",
    title="singular values through time",
    task=FunctionTask(
        reference=_right_reach,
        function="reach",
        draw=_draw_one_row,
        returns="reach",
        mistakes=mistakes.REACH,
    ),
    points=3,
    required=False,
    hints=(
        "Here forward mode is the natural one: carry the state, and beside it a matrix that says how the state moves "
        "for a nudge of each number of the first state. One row a nudge.",
        "One step does to each row of that matrix what it does to a nudge of h: a product with w_h, then tanh's "
        "slopes. Before the first step the nudges are the rows of jnp.eye(d_hidden).",
        "jnp.linalg.norm(matrix, ord=2) is the largest singular value. Put it on record at each step of a scan.",
    ),
    asks={"reach": "what does one step do to a nudge of the state?   (steps 1 to 3)"},
)

CHAR_RNN = Exercise(
    name="recurrent.char_rnn_loss",
    title="a whole network of characters",
    task=PairTask(
        primal=char_rnn_loss,
        fwd="char_rnn_loss_fwd",
        bwd="char_rnn_loss_bwd",
        draw=_draw_characters,
        awkward=(Case("labels of which none counts", _draw_nothing_counts),),
        limits=Limits(),
        mistakes=mistakes.CHAR_RNN_LOSS,
    ),
    points=4,
    cost_points=1,
    required=False,
    uses=(
        "recurrent.rnn",
        "vector_chain_rule.gather",
        "linear_and_activations.affine",
        "losses.masked_cross_entropy",
    ),
    hints=(
        "Forward: gather_fwd, rnn_fwd, affine_fwd, masked_cross_entropy_fwd, with a reshape between each two. Keep "
        "what each of them keeps, and ids, of which backward takes the sizes batch and seq.",
        "gather wants ids in one row, ids.reshape(-1); rnn wants (batch, seq, d_in) and a start of zeros; affine wants "
        "a row for each character again, states.reshape(batch * seq, -1), and so does the loss: labels.reshape(-1).",
        "Backward the four in the opposite order. A reshape goes back by another reshape. The gradient is a CharRnn of "
        "what gather_bwd gives for the table, what rnn_bwd gives for its parameters, and a Layer of affine_bwd's two.",
    ),
    asks={"params_bar": "which of the four pairs ran last, and what does it hand to the next?   (step 2)"},
)

IN_YOUR_WORDS = Exercise(
    name="recurrent.text",
    title="it forgets",
    task=FreeText(
        "A colleague trains a tanh RNN on text, with sequences cut into stretches of 20 characters. It has learned to "
        "spell, but quotation marks that were opened are never closed: what stands between them is often 200 "
        "characters long. They ask for stretches of 400. What can that change, what can it not, and what would you "
        "look at first?",
        rubric=(
            Criterion(
                1,
                "With stretches of 20 nothing can come back over 200 steps: the state is handed on, but no gradient "
                "ever asked it to remember the mark.",
            ),
            Criterion(
                1,
                "Longer stretches remove the cut and nothing else: through each step a cotangent is still multiplied "
                "by w_h and by slopes of tanh, at most 1.",
            ),
            Criterion(
                1,
                "Over 200 steps a factor a little below 1 leaves nothing, one above 1 explodes: it may well vanish "
                "anyway, without any cut.",
            ),
            Criterion(
                1,
                "What to look at: the norm of the state's cotangent by steps back (or the singular values of the "
                "Jacobian), with a longer stretch, before any training.",
            ),
            Criterion(
                1,
                "What it costs: memory in proportion to the stretch; and other ways: an orthogonal start, gates "
                "(LSTM, GRU), attention.",
            ),
        ),
    ),
    points=0,
    required=False,
)

WHICH_MISTAKE = Exercise(
    name="recurrent.q4",
    title="which mistake is this?",
    task=WhichMistake(
        (
            Source(STEP.task, handed="after_bar", sizes=(2, 2, 1)),
            Source(RNN.task, handed="states_bar", sizes=(1, 3, 1, 2)),
        )
    ),
    points=1,
)

PAPER = Paper(
    "recurrent",
    (
        STEP,
        MOVED,
        RNN,
        REACH_BOUND,
        TRUNCATED,
        WHAT_IS_LOST,
        LAST_STATE,
        REACH,
        CHAR_RNN,
        IN_YOUR_WORDS,
        WHICH_MISTAKE,
    ),
    shows_forward=True,
    shows_cost=True,
)
