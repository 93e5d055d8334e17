"""What `chain_rule` asks: five backward passes on single numbers, and what slopes and paths mean."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from course.exercises.exercise import Exercise, Paper
from course.exercises.mistakes import chain_rule as mistakes
from course.exercises.tasks.drawing import Draw
from course.exercises.tasks.free_text import Criterion, FreeText
from course.exercises.tasks.pair import Case, PairTask
from course.exercises.tasks.question import Choice, Number, Option
from course.exercises.tasks.shown import Source
from course.exercises.tasks.which_mistake import WhichMistake
from course.lessons.chain_rule import (
    forked,
    forked_fwd,
    neuron_loss,
    neuron_loss_fwd,
    sine_of_square,
    sine_of_square_fwd,
    square,
    square_fwd,
    swish,
    swish_fwd,
)

Drawing = Callable[[Draw], tuple[Any, ...]]

NEURON = {"w": 0.8, "b": -0.2, "x": 1.5, "target": 0.2}
"""The neuron of the notebook: z = 1, and an output that should be smaller."""

THREE_WEIGHTS = (0.8, -1.2, 2.0)
"""Of the notebook's three neurons in a row, fed by the x of the neuron and held against its target."""

NUDGE = -0.05
"""How far the first question moves the weight."""


def _numbers(*of: float) -> Drawing:
    """Draws positive numbers of ordinary size, one an argument, each times the factor given for it."""

    def draw(source: Draw) -> tuple[Any, ...]:
        drawn = [np.abs(source.normal()) for _ in of]
        return tuple(
            factor * (number if source.is_small else 0.5 + number) for factor, number in zip(of, drawn, strict=True)
        )

    return draw


def nudged_by(nudge: float) -> float:
    """Returns by how much the loss of the notebook's neuron changes when `nudge` is added to its weight."""
    with jax.enable_x64(True):
        w, *others = map(jnp.asarray, NEURON.values())
        return float(neuron_loss(w + nudge, *others) - neuron_loss(w, *others))


def _slope() -> float:
    with jax.enable_x64(True):
        return float(jax.grad(neuron_loss)(*map(jnp.asarray, NEURON.values())))


def _three_layer_slopes() -> list[float]:
    """The slopes of the loss of three neurons in a row by their weights."""

    def loss(weights: tuple[Any, ...]) -> Any:
        a: Any = NEURON["x"]
        for weight in weights:
            a = jax.nn.sigmoid(weight * a)
        return 0.5 * (a - NEURON["target"]) ** 2

    with jax.enable_x64(True):
        return [float(slope) for slope in jax.grad(loss)(tuple(map(jnp.asarray, THREE_WEIGHTS)))]


def _a1() -> float:
    return float(1 / (1 + np.exp(-THREE_WEIGHTS[0] * NEURON["x"])))


SQUARE = Exercise(
    name="chain_rule.square",
    title="square",
    task=PairTask(
        primal=square,
        fwd="square_fwd",
        bwd="square_bwd",
        draw=_numbers(1),
        awkward=(Case("a negative x", _numbers(-1)), Case("x = 0", _numbers(0))),
        given=square_fwd,
        traceable=False,
        mistakes=mistakes.SQUARE,
    ),
    points=1,
    hints=(
        "Two numbers are multiplied: one that you are handed, and one that you compute at x.",
        "You are handed y_bar. The other number is the slope of x**2 at x, from your school days.",
        "In the cube that is worked above the slope was 3 * x**2. Bring the exponent of x**2 down in the same way, and "
        "leave one x fewer.",
    ),
    asks={"x_bar": "the slope of x**2 at x, times what you were handed: which two numbers are these?   (step 1)"},
    scaffold="lines",
)

SINE_OF_SQUARE = Exercise(
    name="chain_rule.sine_of_square",
    title="a chain of two",
    task=PairTask(
        primal=sine_of_square,
        fwd="sine_of_square_fwd",
        bwd="sine_of_square_bwd",
        draw=_numbers(1),
        awkward=(Case("a negative x", _numbers(-1)), Case("x = 0", _numbers(0))),
        given=sine_of_square_fwd,
        traceable=False,
        mistakes=mistakes.SINE_OF_SQUARE,
    ),
    points=2,
    hints=(
        "Backward takes the two steps of forward in the opposite order. Which came last?",
        "Each step is one product: what came back so far, times the slope of one operation. The slope of sin is cos.",
        "The sine was taken of u, so its slope is taken at u. What you get, u_bar, plays the part that y_bar played in "
        "your square_bwd.",
    ),
    asks={"x_bar": "at which number is each of the two slopes taken: at x or at u?   (steps 1, 2)"},
    scaffold="lines",
)

NEURON_LOSS = Exercise(
    name="chain_rule.neuron_loss",
    title="a neuron and its loss",
    task=PairTask(
        primal=neuron_loss,
        fwd="neuron_loss_fwd",
        bwd="neuron_loss_bwd",
        draw=_numbers(1, -1, 1, 1),
        awkward=(Case("a negative x", _numbers(1, 1, -1, 1)), Case("x = 0", _numbers(1, -1, 0, 1))),
        given=neuron_loss_fwd,
        data=(2, 3),
        traceable=False,
        mistakes=mistakes.NEURON_LOSS,
    ),
    points=3,
    hints=(
        "Three operations, so three slopes, from the loss backward. Go one line at a time, and multiply.",
        "The slope of 0.5 * error**2 is error: the half takes the 2 away. The slope of sigmoid at z is a * (1 - a).",
        "z = w * x + b grows x times as fast as w does, and exactly as fast as b does.",
    ),
    asks={
        "w_bar": "what stands beside w in z = w * x + b? And before that: loss_bar, error, the slope of sigmoid, each "
        "once?   (steps 1 to 3)",
        "b_bar": "what stands beside b in z = w * x + b? And before that: loss_bar, error, the slope of sigmoid, each "
        "once?   (steps 1 to 3)",
    },
    scaffold="lines",
)

SWISH = Exercise(
    name="chain_rule.swish",
    title="x is used twice",
    task=PairTask(
        primal=swish,
        fwd="swish_fwd",
        bwd="swish_bwd",
        draw=_numbers(1),
        awkward=(Case("a negative x", _numbers(-1)), Case("x = 0", _numbers(0))),
        given=swish_fwd,
        traceable=False,
        mistakes=mistakes.SWISH,
    ),
    points=2,
    hints=(
        "Pretend for a moment that the two x in y = x * sigmoid(x) are two different numbers.",
        "In a product, each factor gets back y_bar times the other factor.",
        "One of the two factors is a: pass what it gets on to x, by the slope of sigmoid, a * (1 - a). Now x got "
        "something twice.",
    ),
    asks={"x_bar": "two paths lead from y back to x: what comes by each, and what is done with both?   (steps 1 to 3)"},
    scaffold="lines",
)

FORKED = Exercise(
    name="chain_rule.forked",
    title="paths that fork and meet",
    task=PairTask(
        primal=forked,
        fwd="forked_fwd",
        bwd="forked_bwd",
        draw=_numbers(2, 1),
        awkward=(Case("a negative x", _numbers(-2, 1)), Case("x = 0", _numbers(0, 1)), Case("w = 0", _numbers(1, 0))),
        given=forked_fwd,
        traceable=False,
        mistakes=mistakes.FORKED,
    ),
    points=4,
    hints=(
        "Write the four lines of forked_fwd on paper, and go through them from the last to the first.",
        "A quotient v / d has two slopes: 1 / d by v, and -v / d**2 by d. Each sends something back.",
        "u was used by v and by d; x by u and by v. Add up all that comes back to a number before you pass it on: u "
        "is complete when both v_bar and d_bar are there, x last of all.",
    ),
    asks={
        "w_bar": "it comes from u_bar alone: did u_bar get something from v and from d? With which sign is y = v / d "
        "sloped in d?   (steps 1 to 3)",
        "x_bar": "if w_bar is right, u_bar is too: does x get something from u and from v?   (step 4)   If it is not, "
        "begin there: u was used by v and by d.   (step 2)",
    },
    hard=True,
)

NUDGED = Exercise(
    name="chain_rule.q1",
    title="a nudge",
    task=Number(
        "Use the slope found above. By about how much does the loss change when 0.05 is taken away from w?",
        compute=lambda: NUDGE * _slope(),
        says="Right: the nudge times the slope. Nobody had to run the neuron again.",
        traps=(
            (_slope, "That is the slope: the change for each 1 added to w. The nudge is much smaller."),
            (
                lambda: -NUDGE * _slope(),
                "The size is right. The slope is positive and w shrinks: what does the loss do?",
            ),
            (lambda: _slope() / NUDGE, "A small nudge moves the loss by little. Divided, or multiplied?"),
            (lambda: -_slope() / NUDGE, "A small nudge moves the loss by little. Divided, or multiplied?"),
        ),
        tolerance=0.03,
    ),
    points=1,
)

WHAT_TO_KEEP = Exercise(
    name="chain_rule.q2",
    title="what to keep",
    task=Choice(
        "sine_of_square_fwd kept x and u. Memory is short: one of them has to go. Which one can backward do without?",
        (
            Option("a", "x, since it is the root of u.", "A root of u, but which? x = 3 and x = -3 give the same u."),
            Option(
                "b",
                "u, since it is the square of x.",
                "Right: one multiplication brings u back, and nothing brings back the sign of x. To keep less and "
                "compute again is a trade that you will meet in networks of every size.",
                right=True,
            ),
            Option("c", "Either one.", "From x follows u. Does x follow from u?"),
            Option(
                "d",
                "Neither: both slopes are needed.",
                "Both slopes are needed, but is it forward that has to hand over both numbers?",
            ),
        ),
    ),
    points=1,
)

TEN_IN_A_ROW = Exercise(
    name="chain_rule.q3",
    title="ten in a row",
    task=Number(
        "Ten operations in a row, each with a slope of 0.5 where it is used. What is the slope of the whole chain?",
        compute=lambda: 0.5**10,
        says="Right: about a thousandth. That is why the first layers of a deep network may hardly learn.",
        traps=(
            (lambda: 5.0, "Along a chain slopes are multiplied. Only where paths meet are they added."),
            (lambda: 0.5**9, "Nine factors; there are ten operations."),
            (lambda: 0.5**11, "Eleven factors; there are ten operations."),
            (lambda: 2.0**10, "Each step halves a nudge. What is left of it after ten?"),
        ),
    ),
    points=1,
    required=False,
)

TWO_PATHS = Exercise(
    name="chain_rule.q4",
    title="two paths",
    task=Number(
        "x goes into u with slope 2 and into v with slope -1. y is made of both: its slope is 3 by u and 4 by v. What "
        "is the slope of y by x?",
        compute=lambda: 2.0,
        says="Right: 2 * 3 along one path, -1 * 4 along the other, and both are added.",
        traps=(
            (lambda: -24.0, "Along one path slopes are multiplied; but here are two paths."),
            (lambda: 6.0, "That is the path by way of u. What comes by way of v?"),
            (lambda: -4.0, "That is the path by way of v. What comes by way of u?"),
            (lambda: 10.0, "The slope of v by x is -1, not 1."),
            (lambda: 8.0, "All four were added. Along a path slopes are multiplied."),
        ),
    ),
    points=1,
)

MANY_PATHS = Exercise(
    name="chain_rule.q6",
    title="however many paths",
    task=Number(
        "Twenty lines with a fork each. How many products does it take path by path, and how many does one sweep "
        "backward take? Answer with both, in this order: [..., ...].",
        compute=lambda: [float(sum(2**line for line in range(1, 21))), 40.0],
        says="Right: two million against forty. One line more doubles the first number, and adds 2 to the second.",
        traps=(
            (
                lambda: [float(2**20), 40.0],
                "So many paths there are. Path by path the first line takes 2 products, the second 4, the third 8: the "
                "table counts them all.",
            ),
            (lambda: [20.0 * 2**20, 40.0], "Paths that begin alike share products in by_paths: read the table again."),
            (lambda: [40.0, 40.0], "So few take the sweep. How does the other column of the table grow?"),
            (
                lambda: [float(sum(2**line for line in range(1, 21))), 20.0],
                "Each line sends something back by two ways, so it takes two products.",
            ),
        ),
    ),
    points=1,
    required=False,
)

THREE_LAYERS = Exercise(
    name="chain_rule.q7",
    title="the middle weight",
    task=Number(
        "Three neurons in a row, as in the table of seven links. What is the slope of the loss by w2, the weight in "
        "the middle? (Within 1 percent.)",
        compute=lambda: _three_layer_slopes()[1],
        says="Right: the four links down to z2, then dz2/dw2, which is a1. Three of the seven have no part in it.",
        traps=(
            (
                lambda: _three_layer_slopes()[0],
                "That is all seven links, for w1. Where does w2 leave the chain?",
            ),
            (lambda: _three_layer_slopes()[2], "That is the slope by w3, the weight next to the loss."),
            (
                lambda: _three_layer_slopes()[1] / _a1(),
                "That is z2_bar, down to z2. How far does z2 move when w2 does? It is not 1.",
            ),
            (
                lambda: _three_layer_slopes()[1] / _a1() * THREE_WEIGHTS[1],
                "The last link is by w2, not by a1: what stands beside w2 in z2?",
            ),
        ),
    ),
    points=1,
    required=False,
)

IN_YOUR_WORDS = Exercise(
    name="chain_rule.text",
    title="all slopes, multiplied?",
    task=FreeText(
        'A friend says: "The derivative of a long chain is a product. So backpropagation multiplies all slopes from'
        ' the end to the start, and that is all." What is right about this, and what is missing? Explain it with '
        "`forked`, where u goes into v and into d.",
        rubric=(
            Criterion(1, "Along one path the slopes are multiplied, beginning at the end."),
            Criterion(2, "Where a value is used twice, as u is, what comes back by the two ways is added."),
            Criterion(1, "The slopes are taken at the numbers that forward met, so these have to be kept."),
            Criterion(
                2,
                "Nobody walks path by path, since paths double with every fork: each bar is completed first, and "
                "handed on once.",
            ),
        ),
    ),
    points=0,
    required=False,
)

WHICH_MISTAKE = Exercise(
    name="chain_rule.q5",
    title="which mistake is this?",
    task=WhichMistake(
        (
            Source(SINE_OF_SQUARE.task, scale=0.5, points=3),
            Source(NEURON_LOSS.task, "loss_bar", scale=0.5, points=3),
            Source(FORKED.task, points=3),
        )
    ),
    points=1,
)

PAPER = Paper(
    "chain_rule",
    (
        NUDGED,
        SQUARE,
        SINE_OF_SQUARE,
        WHAT_TO_KEEP,
        NEURON_LOSS,
        THREE_LAYERS,
        TEN_IN_A_ROW,
        SWISH,
        TWO_PATHS,
        FORKED,
        MANY_PATHS,
        IN_YOUR_WORDS,
        WHICH_MISTAKE,
    ),
)
