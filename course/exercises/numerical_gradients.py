"""What `numerical_gradients` asks: slopes from values alone, a checker of gradients, their price and blind spots."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from course.exercises.exercise import Exercise, Paper
from course.exercises.mistakes import numerical_gradients as mistakes
from course.exercises.tasks.drawing import Draw
from course.exercises.tasks.free_text import Criterion, FreeText
from course.exercises.tasks.function import FunctionTask
from course.exercises.tasks.pair import Case, Drawing
from course.exercises.tasks.question import Choice, Number, Option
from course.exercises.tasks.shown import Source
from course.exercises.tasks.which_mistake import WhichMistake
from course.lessons.numerical_gradients import oddity, ramp, sum_of_cubes, xor_loss

STEP = 0.1
"""Of most judgings. Not small on purpose: estimates of the same slope differ visibly, and rounding does not show."""

WIDE_STEP = 0.5
"""Of what is shown: estimates that are nearly the same could not be told apart."""

_SIZES = (7,)
"""Numbers that are drawn for a row, of which as many are taken as a leaf has."""

TINY = 1e-20
"""A step that no difference survives: 1 + 1e-20 is 1."""

PARAMETERS = 124e6
"""Of the smallest GPT-2."""

SECONDS = 0.1
"""That one run of a network takes, in a question."""


def _at(f: Any, *place: float, step: float = STEP) -> Drawing:
    """Draws a function and a number between 0 and 2, or that which is given."""

    def draw(source: Draw) -> tuple[Any, ...]:
        drawn = 1 + np.tanh(source.normal())
        return f, np.asarray(place[0] if place else drawn), step

    return draw


def _params(draw: Draw, **scales: float) -> dict[str, Any]:
    """Draws a tree of the form that `xor_loss` takes; a leaf may be scaled by its name."""
    leaves = {
        "w": draw.normal("numbers")[:6].reshape(2, 3),
        "b": draw.normal("numbers")[:3],
        "v": draw.normal("numbers")[:3],
        "c": draw.normal(),
    }
    w, b, v, c = (scales.get(name, 1.0) * leaf for name, leaf in leaves.items())
    return {"hidden": {"w": w, "b": b}, "out": {"v": v, "c": np.asarray(c)}}


def _other_tree(draw: Draw) -> tuple[Any, ...]:
    """Draws a tree of quite another form."""
    return draw.normal("numbers")[:5], [draw.normal("numbers")[:4].reshape(2, 2), np.asarray(draw.normal())]


def _draw_direction(draw: Draw) -> tuple[Any, ...]:
    return xor_loss, _params(draw), _params(draw), _params(draw), STEP


def _draw_direction_elsewhere(draw: Draw) -> tuple[Any, ...]:
    return sum_of_cubes, _other_tree(draw), _other_tree(draw), _other_tree(draw), STEP


def _draw_trees(draw: Draw) -> tuple[Any, ...]:
    """Draws a gradient that is nearly right in one leaf, wrong in the others, and the right one."""
    right, other = _params(draw), _params(draw, b=1e-7)
    return jax.tree.map(np.add, right, other), right, 1e-6


def _draw_zero_in_both(draw: Draw) -> tuple[Any, ...]:
    return _params(draw, b=0.0), _params(draw, b=0.0), 1e-6


def _draw_zero_with_noise(draw: Draw) -> tuple[Any, ...]:
    """Draws a gradient with rounding where the right one has a leaf of zeros."""
    return _params(draw, b=1e-12), _params(draw, b=0.0), 1e-6


def _draw_nan(draw: Draw) -> tuple[Any, ...]:
    given, right, floor = _draw_trees(draw)
    given["out"]["v"][0] = np.nan
    return given, right, floor


def _errors(v: float, c: float) -> Drawing:
    """Draws errors of which the first is small and the second large, beside a tolerance of 1e-6."""

    def draw(source: Draw) -> tuple[Any, ...]:
        small, large = 1e-9 * abs(source.normal()), 0.1 + abs(source.normal())
        leaves = {"hidden": {"w": small, "b": large}, "out": {"v": v, "c": c}}
        return jax.tree.map(np.asarray, leaves), 1e-6

    return draw


def _draw_gradient(draw: Draw) -> tuple[Any, ...]:
    return xor_loss, _params(draw), STEP


def _draw_gradient_elsewhere(draw: Draw) -> tuple[Any, ...]:
    return sum_of_cubes, _other_tree(draw), STEP


def _draw_gradient_of_one(draw: Draw) -> tuple[Any, ...]:
    return sum_of_cubes, np.asarray(draw.normal()), STEP


def _at_a_place(draw: Draw) -> tuple[Any, ...]:
    """Draws a place for a difference to be redone by hand."""
    return oddity, np.asarray(np.abs(draw.normal()) / 2), WIDE_STEP


def _draw_gradient_in_halves(draw: Draw) -> tuple[Any, ...]:
    return xor_loss, jax.tree.map(lambda leaf: leaf / 2, _params(draw)), WIDE_STEP


def slope_error(stencil: mistakes.Stencil, x: float, step: float) -> float:
    """Returns how far the slope of `oddity` by a stencil is from the right one, in float64."""
    with jax.enable_x64(True):
        return abs(float(mistakes.slope_by(stencil)(oddity, x, step) - jax.grad(oddity)(x)))


def _gain(stencil: mistakes.Stencil) -> float:
    return slope_error(stencil, 1.5, 1e-2) / slope_error(stencil, 1.5, 1e-3)


def _rules_of_thumb() -> tuple[float, float]:
    eps = float(jnp.finfo(jnp.float16).eps)
    return eps ** (1 / 2), eps ** (1 / 3)


def _days() -> float:
    """Days that one gradient by central differences takes; each place of the stencil is a run, for every number."""
    return len(mistakes.TWO_SIDED) * PARAMETERS * SECONDS / (24 * 3600)


FORWARD = Exercise(
    name="numerical_gradients.forward",
    title="forward difference",
    task=FunctionTask(
        mistakes.slope_by(mistakes.ONE_SIDED),
        "forward_difference",
        _at(oddity),
        returns="slope",
        awkward=(Case("the kink of ramp", _at(ramp, 0.0)), Case("a negative x", _at(oddity, -0.3))),
        mistakes=mistakes.FORWARD,
    ),
    points=1,
    hints=(
        "f is a function that is handed to yours: f(x) is its value at x. At which second place do you ask it?",
        "The two places are x and x + step. The value changes by the difference of what f says there.",
        "If the value grows by 6 while x moves by 2, the slope is 3: which of the two is divided by which?",
    ),
    asks={"slope": "what is the change of the value, and by what is it divided?   (step 1)"},
    scaffold="lines",
)

CENTRAL = Exercise(
    name="numerical_gradients.central",
    title="central difference",
    task=FunctionTask(
        mistakes.slope_by(mistakes.TWO_SIDED),
        "central_difference",
        _at(oddity),
        returns="slope",
        awkward=(Case("the kink of ramp", _at(ramp, 0.0)), Case("a negative x", _at(oddity, -0.3))),
        mistakes=mistakes.CENTRAL,
    ),
    points=2,
    hints=(
        "The forward difference looks to the right of x, the backward difference to the left. Yours looks both ways.",
        "Ask f at x + step and at x - step. The value at x itself is not needed.",
        "From the left place to the right one it is more than one step. Try it on f(x) = x, whose slope is 1: what do "
        "you get, and what must it be divided by?",
    ),
    asks={"slope": "how far is it from the left place to the right one?   (step 1)"},
    scaffold="lines",
)

COMPLEX_STEP = Exercise(
    name="numerical_gradients.complex_step",
    title="complex step",
    task=FunctionTask(
        lambda f, x, step: f(jax.lax.complex(1.0 * x, 0.0 * x + step)).imag / step,
        "complex_step",
        _at(oddity),
        returns="slope",
        awkward=(
            Case("a step of 1e-20", _at(oddity, step=TINY)),
            Case("a negative x", _at(oddity, -0.3, step=TINY)),
        ),
        mistakes=mistakes.COMPLEX_STEP,
    ),
    points=2,
    hints=(
        "In Python 1j is the imaginary unit: 1j * 1j is -1. A number a step beside x is made with it, without leaving "
        "x.",
        "In the notebook's square, the result had a real part, nearly the value, and an imaginary part, which held the "
        "slope. jnp.imag takes the second.",
        "Two lines: y is f, asked at x plus the step times 1j; the slope is what jnp.imag makes of y, divided so that "
        "the step goes away. Nothing is subtracted.",
    ),
    asks={"slope": "which part of a complex result holds the slope, and times what?   (step 2)"},
    scaffold="lines",
)

DIRECTIONAL = Exercise(
    name="numerical_gradients.directional",
    title="one number for a whole tree",
    task=FunctionTask(
        mistakes.checked_by(mistakes.TWO_SIDED, mistakes.projected),
        "directional_check",
        _draw_direction,
        returns="slopes",
        awkward=(Case("a tree of another form", _draw_direction_elsewhere),),
        mistakes=mistakes.DIRECTIONAL,
    ),
    points=3,
    hints=(
        "Make a function of one number t: the loss, when every parameter has moved t times its part of the direction.",
        "jax.tree.map(lambda p, d: ..., params, direction) goes through two trees together. Its result is the tree "
        "that the loss takes. Hand your function of t to central_difference, at t = 0.",
        "The claim: where a number has slope 3 and moves by 2, the loss moves by 6. Do that for all numbers of a leaf "
        "at once, add them up, and add up the leaves: sum(jax.tree.leaves(...)).",
    ),
    asks={
        "slopes[0]": "which function of one number t is differentiated, and where?   (steps 1, 2)",
        "slopes[1]": "what does a single number contribute to the slope along the direction?   (step 3)",
        "slopes": "what has to be returned: which two numbers?   (steps 2, 3)",
    },
    uses=("numerical_gradients.central",),
)

RELATIVE_ERRORS = Exercise(
    name="numerical_gradients.relative_errors",
    title="the error of each leaf",
    task=FunctionTask(
        mistakes.errors_by(lambda given, right, least: mistakes.size(given - right) / max(mistakes.size(right), least)),
        "relative_errors",
        _draw_trees,
        returns="errors",
        awkward=(
            Case("a leaf that is zero in both", _draw_zero_in_both),
            Case("a leaf that should be zero, and has rounding in it", _draw_zero_with_noise),
            Case("a NaN", _draw_nan),
        ),
        mistakes=mistakes.RELATIVE_ERRORS,
    ),
    points=3,
    hints=(
        "The norm of a leaf is the root of the sum of the squares of all its numbers: that of (3, 4) is 5.",
        "For each leaf: the norm of the difference, divided by the norm of the right leaf. jax.tree.map goes through "
        "both trees at once.",
        "A right leaf of zeros can't be divided by. Divide by the larger of two numbers, jnp.maximum: its norm, and "
        "floor times the norm of all numbers of the right tree taken together.",
    ),
    asks={"errors": "beside which number is the difference of a leaf small, or large?   (step 3)"},
)

WRONG_LEAVES = Exercise(
    name="numerical_gradients.wrong_leaves",
    title="what is wrong, NaN included",
    task=FunctionTask(
        lambda errors, tolerance: jax.tree.map(lambda error: np.logical_not(np.less_equal(error, tolerance)), errors),
        "wrong_leaves",
        _errors(0.9e-6, 2e-6),
        returns="wrong",
        awkward=(
            Case("a NaN", _errors(0.9e-6, np.nan)),
            Case("an infinite error", _errors(np.inf, 2e-6)),
            Case("an error that is just the tolerance", _errors(1e-6, 2e-6)),
        ),
        mistakes=mistakes.WRONG_LEAVES,
    ),
    points=1,
    hints=(
        "Write down what an error must be to pass. Everything else is wrong, whatever it is.",
        "NaN is not smaller than anything, not larger, and not equal, not even to itself: each of these comparisons "
        "with it is False. Which comparison should be False for what is wrong?",
        "Ask whether the error is within the tolerance, and turn the answer around. For arrays of True and False that "
        "is jnp.logical_not.",
    ),
    asks={"wrong": "what does your comparison say for NaN, and what at the tolerance itself?   (step 1)"},
)

GRADIENT = Exercise(
    name="numerical_gradients.gradient",
    title="the gradient of a whole tree",
    task=FunctionTask(
        mistakes.gradient_by(mistakes.TWO_SIDED),
        "central_gradient",
        _draw_gradient,
        returns="params_bar",
        awkward=(
            Case("a tree of another form", _draw_gradient_elsewhere),
            Case("a single number for a tree", _draw_gradient_of_one),
        ),
        mistakes=mistakes.GRADIENT,
    ),
    points=4,
    hard=True,
    hints=(
        "Trees come in all forms, rows do not. ravel_pytree(params) gives the numbers as a row, and a function that "
        "makes a tree of the same form of such a row.",
        "For number i, make a function of one number t: copy the row, put t in place i, make a tree of it, ask the "
        "loss. row.at[i].set(t) is such a copy; the row itself stays as it is.",
        "The slope of that function is wanted at t = numbers[i]: one call of your central_difference. Do it for each "
        "i in range(numbers.size), make a row of the slopes with jnp.array, and a tree of the row.",
    ),
    asks={"params_bar": "which single number moves, and where do all others stand meanwhile?   (step 2)"},
    uses=("numerical_gradients.central",),
)

HOW_FAST = Exercise(
    name="numerical_gradients.q1",
    title="a step ten times smaller",
    task=Number(
        "While rounding does not show yet, the step is made ten times smaller. How many times smaller does the error "
        "become, of the forward and of the central difference? Answer with a pair, (forward, central).",
        compute=lambda: (_gain(mistakes.ONE_SIDED), _gain(mistakes.TWO_SIDED)),
        says="Right: the one goes with the step, the other with its square: slopes 1 and 2 in the picture.",
        traps=(
            (lambda: (10.0, 10.0), "Half right. In the picture, how many decades does the central error fall in one?"),
            (lambda: (100.0, 10.0), "Answer in the other order: (forward, central)."),
            (lambda: (100.0, 100.0), "Half right. The forward error begins with step / 2 times the second slope."),
            (lambda: (10.0, 20.0), "A slope of 2 in a log-log picture is no factor of 2: two decades for each one."),
            (lambda: (1.0, 2.0), "These are the slopes in the log-log picture: decades a decade. What is the factor?"),
        ),
        tolerance=0.1,
    ),
    points=1,
    required=False,
)

BEST_STEP = Exercise(
    name="numerical_gradients.q2",
    title="the step for half precision",
    task=Number(
        "In float16, eps is 0.000977. Which steps does the rule of thumb give, for the forward and for the central "
        "difference? Answer with a pair, (forward, central).",
        compute=_rules_of_thumb,
        says="Right. Steps of 0.03 and 0.1, which leave one and a half and two digits: nobody checks in float16.",
        traps=(
            (lambda: _rules_of_thumb()[::-1], "Answer in the other order: (forward, central)."),
            (
                lambda: tuple(float(jnp.finfo(jnp.float16).eps) ** power for power in (1 / 2, 2 / 3)),
                "Half right: eps**(2/3) is the error that is left, at the step asked for.",
            ),
            (lambda: (1.49e-8, 6.06e-6), "These are the steps for float64, whose eps is 2.2e-16."),
            (lambda: (3.45e-4, 4.92e-3), "These are the steps for float32, whose eps is 1.2e-7."),
            (
                lambda: (_rules_of_thumb()[0], _rules_of_thumb()[0]),
                "Half right. The central error falls faster, so it pays to stop earlier: a larger step.",
            ),
        ),
        tolerance=0.05,
    ),
    points=1,
    required=False,
)

DAYS = Exercise(
    name="numerical_gradients.q3",
    title="the price",
    task=Number(
        "The smallest GPT-2 has 124 million numbers. Say that one run takes 0.1 seconds. How many days does one "
        "gradient by central differences take?",
        compute=_days,
        says="Right: two runs a number, most of a year for a single step. A backward pass costs as much as a few runs.",
        traps=(
            (
                lambda: _days() / 2,
                "That is one run a number: forward differences. How many runs does a central one take?",
            ),
            (lambda: _days() * 24 * 3600, "These are seconds. A day has 86,400 of them."),
            (lambda: _days() * 24, "These are hours."),
            (lambda: _days() * 12, "These are hours, of forward differences."),
        ),
        tolerance=0.02,
        unit="days",
    ),
    points=1,
)

ALL_ONES = Exercise(
    name="numerical_gradients.q4",
    title="what a sum can't see",
    task=Choice(
        "y = x / sum(x) gives several numbers. To get one number, they are added up, which is a y_bar of ones. "
        "Somebody's backward pass returns zeros for every x_bar. What does the check say?",
        (
            Option(
                "a",
                "Wrong: the slopes of y are not zero.",
                "Each slope of each y is something. But the check sees one number, the sum of all y. How does that "
                "move?",
            ),
            Option(
                "b",
                "It divides by zero, and stops.",
                "Only a checker without a floor. With one, it does say something.",
            ),
            Option(
                "c",
                "Right: the sum of y is 1, wherever x is.",
                "Right: what never moves has slope 0, and zeros are what it asks for. Random weights in the place of "
                "the ones leave no such blind spot.",
                right=True,
            ),
            Option(
                "d",
                "Wrong, but only if the step is small enough.",
                "The sum of y is 1 for every x. What does any step, large or small, see of it?",
            ),
        ),
    ),
    points=1,
    required=False,
)

IN_YOUR_WORDS = Exercise(
    name="numerical_gradients.text",
    title="a check that fails",
    task=FreeText(
        "A colleague checks a gradient in float32, with a step of 1e-7, at parameters that are all zero. The check "
        "fails, and the colleague says that the gradient is wrong. What do you reply, and how would you check?",
        rubric=(
            Criterion(
                2,
                "Two values that close differ in their last digits alone; divided by so small a step, their rounding"
                " is larger than the slope.",
            ),
            Criterion(1, "Judge in float64, by central differences, with a step of about eps**(1/3)."),
            Criterion(1, "Check at random parameters, along a random direction: zeros hide mistakes, or lie on kinks."),
            Criterion(1, "Hold the difference against the size of the gradient, leaf by leaf."),
            Criterion(
                1,
                "A check that fails is a reason to look; one that passes is no proof: the forward function may be "
                "wrong along with it.",
            ),
        ),
    ),
    points=0,
    required=False,
)

WHICH_MISTAKE = Exercise(
    name="numerical_gradients.q5",
    title="which mistake is this?",
    task=WhichMistake(
        (
            Source(CENTRAL.task, draw=_at_a_place, sizes=_SIZES, points=3),
            Source(GRADIENT.task, draw=_draw_gradient_in_halves, sizes=_SIZES),
        )
    ),
    points=1,
)

PAPER = Paper(
    "numerical_gradients",
    (
        FORWARD,
        CENTRAL,
        HOW_FAST,
        BEST_STEP,
        COMPLEX_STEP,
        GRADIENT,
        DAYS,
        DIRECTIONAL,
        RELATIVE_ERRORS,
        WRONG_LEAVES,
        ALL_ONES,
        IN_YOUR_WORDS,
        WHICH_MISTAKE,
    ),
)
