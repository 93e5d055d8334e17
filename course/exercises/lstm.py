"""What `lstm` asks: a step backward, how far the cell's way reaches, the sequence through time, a step of a GRU."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from course.exercises.exercise import Exercise, Paper
from course.exercises.mistakes import lstm as mistakes
from course.exercises.tasks.drawing import Draw
from course.exercises.tasks.free_text import Criterion, FreeText
from course.exercises.tasks.limits import Limits
from course.exercises.tasks.pair import Case, PairTask
from course.exercises.tasks.question import Number
from course.exercises.tasks.shown import Source
from course.exercises.tasks.which_mistake import WhichMistake
from course.lessons.lstm import GatedCell, State, gru_step, lstm, lstm_step

FAR = 100
"""Steps back."""

OPEN, STRETCHES, OUTSIDE = 0.99, 1.0, 0.3
"""A forget gate's value; a network's largest singular value, and what none of its states is nearer to zero than."""

LEFT = 0.5
"""The part of a cotangent that is to be left."""

KEPT = 7
"""Numbers for each unit and step that a pair may keep: state, cell, four gates, tanh of the cell."""


def _numbers(draw: Draw, *axes: str, scale: float) -> np.ndarray:
    """Gaussian numbers of a scale; on paper, quarters, so that the gates have a slope left."""
    return draw.normal(*axes) / 4 if draw.is_small else draw.normal(*axes, scale=scale)


def _draw_cell(draw: Draw, parts: int) -> GatedCell:
    """Weights of which each part is drawn by itself, side by side."""

    def beside(*axes: str) -> np.ndarray:
        return np.concatenate([_numbers(draw, *axes, scale=0.5) for _ in range(parts)], axis=-1)

    return GatedCell(beside("d_in", "d_hidden"), beside("d_hidden", "d_hidden"), beside("d_hidden"))


def _draw_state(draw: Draw) -> State:
    """A cell of a size at which its tanh is not itself."""
    return State(_numbers(draw, "batch", "d_hidden", scale=0.5), draw.normal("batch", "d_hidden"))


def _draw_step(draw: Draw) -> tuple[Any, ...]:
    draw.sizes("batch", "d_hidden", "d_in")
    return _draw_cell(draw, 4), _draw_state(draw), draw.normal("batch", "d_in")


def _draw_shut(draw: Draw) -> tuple[Any, ...]:
    """Gates that are wide open or quite shut, so far that an exponential overflows."""
    params, state, x = _draw_step(draw)
    return params._replace(b=np.where(params.b > 0, 800.0, -800.0)), state, x


def _draw_sequence(draw: Draw) -> tuple[Any, ...]:
    draw.sizes("batch", "seq", "d_in", "d_hidden")
    return _draw_cell(draw, 4), _draw_state(draw), draw.normal("batch", "seq", "d_in")


def _saved_bytes(params: GatedCell, state: State, x: Any) -> int:
    """Some numbers for each unit and step."""
    return int(KEPT * x.shape[1] * state.h.size * state.h.dtype.itemsize)


def _draw_gru(draw: Draw) -> tuple[Any, ...]:
    draw.sizes("batch", "d_hidden", "d_in")
    return _draw_cell(draw, 3), draw.normal("batch", "d_hidden"), draw.normal("batch", "d_in")


def _bias_that_leaves() -> float:
    """The bias at which FAR forget gates leave the part of a cotangent, where nothing else is in their sums."""
    f = LEFT ** (1 / FAR)
    return math.log(f / (1 - f))


STEP = Exercise(
    name="lstm.lstm_step",
    title="one step, backward",
    task=PairTask(
        primal=lstm_step,
        fwd="lstm_step_fwd",
        bwd="lstm_step_bwd",
        draw=_draw_step,
        awkward=(Case("gates wide open and quite shut", _draw_shut),),
        limits=Limits(),
        mistakes=mistakes.LSTM_STEP,
    ),
    points=5,
    cost_points=1,
    hints=(
        "Two cotangents are handed in: after_bar.h and after_bar.c. The cell after the step is used twice: it is "
        "returned, and the state is made of it. First bring together what comes back to it, c_bar. Everything but the "
        "output gate hangs on c_bar alone.",
        "In c = f * state.c + i * g each factor gets c_bar times the other one; in h = o * tanh(c) the output gate "
        "gets after_bar.h times tanh(c). Then each goes through its own sigmoid or tanh: the slopes are made of the "
        "values, s * (1 - s) and 1 - t**2.",
        "jnp.concatenate([...], axis=-1) puts the four parts side by side, in the order i, f, g, o: that is z_bar, and "
        "from here on it is rnn_step's affine layer. Return params_bar as a GatedCell, state_bar as a State of what "
        "comes back to h (through w_h) and to c (past it), and x_bar.",
    ),
    asks={
        "params_bar": "the four parts of z have four cotangents: which, and in which order?   (steps 3 to 5)",
        "state_bar.h": "by what was h multiplied, and which gates are made of it?   (steps 4 and 6)",
        "state_bar.c": "which way does the cell take through the step, and what does it meet there?   (steps 2 and 6)",
        "x_bar": "by what was x multiplied, and which gates are made of it?   (steps 4 and 6)",
    },
)

HIGHWAY = Exercise(
    name="lstm.q1",
    title="a hundred steps back",
    task=Number(
        f"An LSTM's forget gates are {OPEN} at every step. What part of a cell's cotangent comes back over {FAR} steps "
        f"by the direct way, from cell to cell? And of a tanh network's state, whose w_h has the largest singular "
        f"value {STRETCHES:.0f} and whose states all stay further from zero than {OUTSIDE}: what part of its "
        "cotangent's norm at the most? Answer with a pair, (LSTM, tanh network).",
        compute=lambda: (OPEN**FAR, (STRETCHES * (1 - OUTSIDE**2)) ** FAR),
        says="Right: more than a third, and less than a ten-thousandth. Weights as good as they can be do not help: "
        "the slopes of tanh are in the product as well. On the cell's own way there is neither.",
        tolerance=2e-2,
        traps=(
            (
                lambda: (OPEN**FAR, (1 - OUTSIDE) ** FAR),
                "The first is right. The slope of tanh is neither its value nor one less it: "
                f"what is it, where the value is {OUTSIDE}?",
            ),
            (
                lambda: (OPEN**FAR, STRETCHES),
                "The first is right. What else does the second one meet at each step, beside w_h?",
            ),
            (
                lambda: (1 - FAR * (1 - OPEN), (1 - OUTSIDE**2) ** FAR),
                "The second is right. In the first, factors multiply, and each is f itself: what f leaves out at each "
                "step does not add up, and the slope of its sigmoid is on f's way, not on c's.",
            ),
            (lambda: (OPEN, 1 - OUTSIDE**2), "That is one step."),
        ),
    ),
    points=1,
)

FORGET_BIAS = Exercise(
    name="lstm.q2",
    title="where to start",
    task=Number(
        f"Before training, let the forget gate's sum be its bias alone: f = sigmoid(b). Which b leaves half of a "
        f"cell's cotangent after {FAR} steps on the direct way?",
        compute=_bias_that_leaves,
        says="Right: f = 0.5 ** (1 / 100) = 0.9931, and b = log(f / (1 - f)). A bias of 1, which is "
        "often recommended, leaves half of it after two steps and a little: how large it should be depends on how far "
        "back there is something to learn.",
        tolerance=5e-3,
        traps=(
            (lambda: LEFT ** (1 / FAR), "That is f. Of which b is it the sigmoid?"),
            (lambda: 0.0, "With b = 0 each step leaves a half: after 100 steps that is 8e-31."),
            (lambda: math.log(FAR), "Near: that leaves 1/e or a little more. Here it is to be a half."),
            (lambda: -_bias_that_leaves(), "The sign: this gate would be shut."),
            (lambda: math.atanh(LEFT ** (1 / FAR)), "That would be tanh(b) = f. The gate is a sigmoid."),
        ),
    ),
    points=1,
)

LSTM = Exercise(
    name="lstm.lstm",
    title="the whole sequence",
    task=PairTask(
        primal=lstm,
        fwd="lstm_fwd",
        bwd="lstm_bwd",
        draw=_draw_sequence,
        limits=Limits(residual_bytes=_saved_bytes),
        mistakes=mistakes.LSTM,
    ),
    points=6,
    cost_points=2,
    hard=True,
    hints=(
        "Forward: x @ w_x + b for all steps at once, before the loop. The loop carries a State; beside h, which is the "
        "value, it puts the cell and the gates on record. Backward: a scan with reverse=True that carries a State of "
        "two cotangents, h's and c's, and puts z_bar on record.",
        "The body of the loop back is your step without the three products for the weights and x: add the row of "
        "states_bar to the state's cotangent first. The cell has no row of its own, since only h is in the value. "
        "Handed on: z_bar @ turned for the state, c_bar * f for the cell.",
        "The loop needs, for each step, the gates, the cell before and the cell after. What entered: the start, then "
        "all but the last, jnp.concatenate([state.c[None], c[:-1]]); the same for h, which w_h met. After the loop "
        "reshape z_bar, those h, and x with time first, to (seq * batch, ...): three formulas of affine do the rest.",
    ),
    asks={
        "state_bar": "what comes to a step's state and to its cell, and what is carried by each of the two ways?   "
        "(steps 3 to 5)",
        "params_bar": "which state and which cell entered each step, and how often were the weights used?   "
        "(steps 5 and 6)",
        "x_bar": "z_bar of every step is on record: what is it for x?   (step 6)",
    },
)

GRU_STEP = Exercise(
    name="lstm.gru_step",
    title="a step of a GRU",
    task=PairTask(
        primal=gru_step,
        fwd="gru_step_fwd",
        bwd="gru_step_bwd",
        draw=_draw_gru,
        limits=Limits(),
        mistakes=mistakes.GRU_STEP,
    ),
    points=4,
    cost_points=1,
    required=False,
    hints=(
        "Give names to what tanh and the sigmoids are taken of, and start at the end: after = u * h + (1 - u) * n. "
        "Who stands in it, and with which factor? u stands in it twice.",
        "The candidate's sum is n_x + r * n_h. So n_x gets its cotangent as it is, n_h gets it times r, and r gets it "
        "times n_h, which forward had better keep. Then r goes through its own sigmoid.",
        "x's product has the parts (r, u, n) with one cotangent each; h's product has the same but for the last, which "
        "is times r. Concatenate both. The bias stands in x's. The state before gets something through w_h, "
        "and past it.",
    ),
    asks={
        "params_bar": "in which part do the cotangents of x's product and of h's product differ?   (steps 2 to 4)",
        "h_bar": "by which two ways does the state before come into the state after?   (step 5)",
        "x_bar": "what are the three parts of the cotangent of x's product?   (steps 2 to 5)",
    },
)

IN_YOUR_WORDS = Exercise(
    name="lstm.text",
    title="no gradient vanishes here?",
    task=FreeText(
        "Someone says: 'In an LSTM gradients can neither vanish nor explode, since the cell is a highway.' They "
        "started theirs with all biases at 0, on sequences of 200 steps, and it learns nothing that is more than a few "
        "steps back. Are they right, what is the matter, and what would you do?",
        rubric=(
            Criterion(
                1,
                "On the highway a cotangent is multiplied by f at each step, and by nothing else: no matrix, no slope "
                "of tanh.",
            ),
            Criterion(
                1,
                "f is below 1: with biases of 0 it is about 0.5, and 0.5**200 is nothing. So it does vanish.",
            ),
            Criterion(
                1,
                "What to do: start with a larger forget bias, so that f is near 1 (0.99 and more for hundreds "
                "of steps).",
            ),
            Criterion(
                1,
                "Exploding: other ways lead back through the gates, h and w_h; their products may still grow. So "
                "gradients are clipped all the same.",
            ),
            Criterion(
                1,
                "What to look at: the values of f, or the norm of the cell's cotangent by steps back.",
            ),
        ),
    ),
    points=0,
    required=False,
)

WHICH_MISTAKE = Exercise(
    name="lstm.q3",
    title="which mistake is this?",
    task=WhichMistake((Source(STEP.task, handed="after_bar", sizes=(2, 1, 1)),)),
    points=1,
)

PAPER = Paper(
    "lstm",
    (STEP, HIGHWAY, FORGET_BIAS, LSTM, GRU_STEP, IN_YOUR_WORDS, WHICH_MISTAKE),
    shows_forward=True,
    shows_cost=True,
)
