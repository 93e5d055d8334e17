"""What `parameter_trees` asks: a pass whose cotangent is a tree, and what training does with trees and keys."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from course.exercises.exercise import Exercise, Paper
from course.exercises.mistakes import parameter_trees as mistakes
from course.exercises.tasks.drawing import Draw
from course.exercises.tasks.free_text import Criterion, FreeText
from course.exercises.tasks.function import FunctionTask
from course.exercises.tasks.pair import Case, Drawing, PairTask
from course.exercises.tasks.question import Choice, Number, Option
from course.exercises.tasks.shown import Source
from course.exercises.tasks.which_mistake import WhichMistake
from course.lessons.parameter_trees import Layer, Line, line_loss, line_loss_fwd

LEARNING_RATE = 0.3
"""Per step, of every judging."""

TARGET_SCALE = 8.0
"""Standard deviation of the targets of one pass: with errors of either sign, no sign stands for another number."""

DRAWN = 1000
"""Numbers that are drawn from each key in a question."""


def _draw_line(draw: Draw, scale: float = TARGET_SCALE) -> tuple[Line, np.ndarray, np.ndarray]:
    return Line(draw.normal(), draw.normal()), draw.normal("batch"), draw.normal("batch", scale=scale)


def _draw_one_row(draw: Draw) -> tuple[Line, np.ndarray, np.ndarray]:
    params, x, target = _draw_line(draw)
    return params, x[:1], target[:1]


def _layers(draw: Draw) -> list[Layer]:
    """Draws a tree of the form of a small network."""
    return [
        Layer(draw.normal("d_in", "hidden"), draw.normal("hidden")),
        Layer(draw.normal("hidden", "d_out"), draw.normal("d_out")),
    ]


def _other_tree(draw: Draw) -> dict[str, Any]:
    """Draws a tree of quite another form."""
    line = Line(np.asarray(draw.normal()), np.asarray(draw.normal()))
    return {"lines": (line, [draw.normal("d_in")]), "alone": draw.normal("d_out", "d_in")}


def _draw_step(draw: Draw) -> tuple[Any, ...]:
    return _layers(draw), _layers(draw), LEARNING_RATE


def _draw_step_elsewhere(draw: Draw) -> tuple[Any, ...]:
    return _other_tree(draw), _other_tree(draw), LEARNING_RATE


def _zeros(draw: Draw) -> list[Layer]:
    return jax.tree.map(np.zeros_like, _layers(draw))


def _from_key(*sizes: int) -> Drawing:
    """Draws a key, beside the sizes of a network."""

    def draw(source: Draw) -> tuple[Any, ...]:
        return source.key(), sizes

    return draw


def _run(steps: int) -> Drawing:
    def draw(source: Draw) -> tuple[Any, ...]:
        line, x, target = _draw_line(source, scale=1.0)
        return jax.tree.map(np.asarray, line), x, target, LEARNING_RATE, steps

    return draw


def count_traces(arguments: Sequence[Any]) -> int:
    """Returns how many times Python runs a jitted function that is called with each of some arguments in turn."""
    runs = []

    @jax.jit
    def double(x: Any) -> Any:
        runs.append(x.shape)
        return 2 * x

    for argument in arguments:
        double(argument)
    return len(runs)


def _calls() -> list[Any]:
    """The arguments that the question on retracing names."""
    return [jnp.zeros(3), jnp.ones(3), jnp.zeros(5), jnp.zeros((1, 3)), 1.0, 2.0, 1]


def spread_of_sum(one: Any, other: Any) -> float:
    """Returns how many times as widely the sum of two draws is spread as the first of them."""
    w1, w2 = (jax.random.normal(key, (DRAWN,)) for key in (one, other))
    return float(jnp.std(w1 + w2) / jnp.std(w1))


def _spread_from_one_key() -> float:
    key = jax.random.key(0)
    return spread_of_sum(key, key)


LINE = Exercise(
    name="parameter_trees.line",
    title="the gradient of a line, as a tree",
    task=PairTask(
        primal=line_loss,
        fwd="line_loss_fwd",
        bwd="line_loss_bwd",
        draw=_draw_line,
        awkward=(Case("a batch of one row", _draw_one_row),),
        given=line_loss_fwd,
        data=(1, 2),
        traceable=False,
        mistakes=mistakes.LINE,
    ),
    points=3,
    hints=(
        "Start at the loss. Which array did it see last? Its cotangent has one number for each row.",
        "error_bar first: half of a square has the slope error, and in a mean over the rows each counts for its share. "
        "Then ask of slope and bias what they did to the error of row i.",
        "Both numbers were used by every row: each row sends something, and what is sent is added up. To the bias it "
        "sends its error_bar as it is. To the slope it sends it times that which stood beside the slope.",
    ),
    asks={
        "params_bar.slope": "what stands beside the slope in row i, and what of all the rows?   (step 2)",
        "params_bar.bias": "what does each row send to the bias, and what of all the rows?   (step 3)",
    },
    scaffold="lines",
)

DESCEND = Exercise(
    name="parameter_trees.descend",
    title="a step of gradient descent on any tree",
    task=FunctionTask(
        mistakes.moved_by(mistakes.against_the_slope),
        "descend",
        _draw_step,
        returns="params",
        awkward=(Case("a tree of another form", _draw_step_elsewhere),),
        mistakes=mistakes.DESCEND,
    ),
    points=2,
    hints=(
        "Do it for one number first: it is 5, its slope is 2, the learning rate is 0.1. Where should it go?",
        "Downhill is against the slope: 5 goes to 4.8. Which operation on 5, 2 and 0.1 gives that?",
        "jax.tree.map takes a function of one leaf of each tree, then the two trees. It looks after the form.",
    ),
    asks={"params": "where does one number go, whose slope is known?   (step 1)"},
)

NORM = Exercise(
    name="parameter_trees.norm",
    title="the length of a whole tree",
    task=FunctionTask(
        mistakes.length_by(mistakes.in_one_row),
        "tree_norm",
        lambda draw: (_layers(draw),),
        returns="norm",
        awkward=(
            Case("a tree of another form", lambda draw: (_other_tree(draw),)),
            Case("a tree of zeros", lambda draw: (_zeros(draw),)),
        ),
        mistakes=mistakes.NORM,
    ),
    points=2,
    hints=(
        "The length of (3, 4) is 5: the root of 9 + 16. The length of a tree is that of all its numbers in one row.",
        "jax.tree.leaves(tree) is the list of the leaves. Each of them contributes one number, whatever its shape.",
        "The squares of a leaf, all added up, are its contribution. Add the contributions; the root comes once, last.",
    ),
    asks={"norm": "what does one leaf contribute, and what comes last, once for all?   (steps 1, 2)"},
    scaffold="lines",
)

INIT = Exercise(
    name="parameter_trees.init",
    title="a network from one key",
    task=FunctionTask(
        mistakes.drawn_by(),
        "init_layers",
        _from_key(3, 7, 5),
        returns="params",
        awkward=(Case("a single layer", _from_key(3, 7)), Case("layers of equal size", _from_key(7, 7, 7))),
        mistakes=mistakes.INIT,
    ),
    points=3,
    hints=(
        "sizes of (3, 7, 5) are two layers: 3 to 7, and 7 to 5. One call of jax.random.split makes a key for each.",
        "jax.random.normal(own_key, (d_in, d_out)) has variance 1. Numbers times c have c * c times the variance: "
        "which c makes it what is asked for?",
        "Layer i takes key i, and stands between size i and size i + 1. Make a list of Layer(w, b), where w is scaled "
        "by a root, and b is jnp.zeros of the right length.",
    ),
    asks={"params": "whose key, which shape, which scale?   (steps 1, 2, 3)"},
)

FIT = Exercise(
    name="parameter_trees.fit",
    title="training as one loop",
    task=FunctionTask(
        mistakes.fitted_by(),
        "fit_line",
        _run(5),
        returns="run",
        awkward=(Case("a single step", _run(1)),),
        mistakes=mistakes.FIT,
    ),
    points=4,
    hard=True,
    uses=("parameter_trees.line", "parameter_trees.descend"),
    hints=(
        "Write the step first: from a line to the next line. Inside it stand line_loss_fwd, your line_loss_bwd, and "
        "your descend.",
        "jax.lax.scan wants a step that takes what is carried and a row of inputs (there are none here: name it _). "
        "It returns two things: what is carried on, and what is put on record.",
        "Carried: the line. On record: the loss that forward gave, before the line moved. The loss_bar that starts "
        "backward is the slope of the loss by itself. scan's third argument is None where length= says how often.",
    ),
    asks={
        "run[0]": "what does one step hand to the next, and at which line is the gradient taken?   (step 1)",
        "run[1]": "which loss is put on record: that before the step, or after?   (step 1)",
    },
)

RETRACES = Exercise(
    name="parameter_trees.q1",
    title="how often does Python run it?",
    task=Number(
        "`double` is `jax.jit` of a function that returns `2 * x`. It is called with `jnp.zeros(3)`, `jnp.ones(3)`, "
        "`jnp.zeros(5)`, `jnp.zeros((1, 3))`, `1.0`, `2.0` and `1`, in this order. How many times does Python run the "
        "function?",
        compute=lambda: count_traces(_calls()),
        says="Right: three shapes of arrays, one float and one int. ones(3) and 2.0 found a program that was there.",
        traps=(
            (lambda: len(_calls()), "That is once a call. Which two calls have the shape and type of an earlier one?"),
            (lambda: 1, "That is once in all. What must jit know of x to make a program, and what may stay open?"),
            (lambda: 3, "Those are the arrays. Are numbers arrays too, and is 1 of the type of 1.0?"),
            (lambda: 4, "One is missing. Is 1 of the type of 1.0? Is the shape (1, 3) the shape (3,)?"),
            (lambda: 6, "One too many. Does jit look at the value of a number, 1.0 or 2.0? Or of an array, 0 or 1?"),
        ),
    ),
    points=1,
)

TWICE = Exercise(
    name="parameter_trees.q2",
    title="a key used twice",
    task=Number(
        "`w1 = jax.random.normal(key, (1000,))` and `w2 = jax.random.normal(key, (1000,))`, from the same key. How "
        "many times as large as the standard deviation of `w1` is that of `w1 + w2`?",
        compute=_spread_from_one_key,
        says="Right: w2 is w1, so that the sum is twice w1. From two keys it would be the root of 2, about 1.41.",
        traps=(
            (lambda: math.sqrt(2), "That is so for two keys: variances add. What is w2 here, number by number?"),
            (lambda: 4.0, "That is the variance. The standard deviation is its root."),
            (lambda: 1.0, "The two are no strangers to each other: what is w2 here, number by number?"),
            (lambda: 0.0, "That is the standard deviation of w1 - w2."),
        ),
    ),
    points=1,
)

BAKED_IN = Exercise(
    name="parameter_trees.q3",
    title="what is baked in",
    task=Choice(
        "Outside stands `rate = 0.1`. A function under `jax.jit` returns `p - rate * p_bar` and has been called once. "
        "Now somebody writes `rate = 0.0`, and calls it again with arrays of the same shapes. What happens?",
        (
            Option(
                "a",
                "The parameters stay where they are, since the rate is 0.",
                "Python would look rate up anew, if it ran the function. Does it?",
            ),
            Option(
                "b",
                "They move as before, with the rate of 0.1.",
                "Right: rate was no argument, so its value at the first call became a constant of the program. What is "
                "to change must be handed in.",
                right=True,
            ),
            Option(
                "c",
                "jit sees that rate has changed, and runs the function again.",
                "It looks at the arguments, and rate is none.",
            ),
            Option(
                "d",
                "An error: rate may not change.",
                "Nothing is raised, which is why this mistake lives long.",
            ),
        ),
    ),
    points=1,
    required=False,
)

IN_YOUR_WORDS = Exercise(
    name="parameter_trees.text",
    title="one long row",
    task=FreeText(
        "A colleague keeps all parameters in one long row of numbers, and cuts it up inside of the network. What "
        "becomes easier, and what would you miss?",
        rubric=(
            Criterion(1, "Easier: a step, a length or a product with a direction is one operation on one array."),
            Criterion(1, "Missed: names. Of a wrong gradient nobody sees whose numbers are wrong."),
            Criterion(2, "Missed: shapes. Where to cut is kept by hand, and a cut in the wrong place raises no error."),
            Criterion(
                1,
                "Little is gained: jax.tree.map does to any tree what is done to a row, and ravel_pytree makes a row"
                " where one is needed.",
            ),
        ),
    ),
    points=0,
    required=False,
)

WHICH_MISTAKE = Exercise(
    name="parameter_trees.q4",
    title="which mistake is this?",
    task=WhichMistake(
        (
            Source(LINE.task, "loss_bar", points=3),
            Source(DESCEND.task),
        )
    ),
    points=1,
)

PAPER = Paper(
    "parameter_trees", (LINE, DESCEND, NORM, TWICE, INIT, RETRACES, BAKED_IN, FIT, IN_YOUR_WORDS, WHICH_MISTAKE)
)
