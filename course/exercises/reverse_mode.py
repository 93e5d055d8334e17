"""What `reverse_mode` asks: an order, a sweep over a tape of numbers, rules for arrays, the gradient of a program."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np

from course.exercises.exercise import Exercise, Paper
from course.exercises.mistakes import reverse_mode as mistakes
from course.exercises.tasks.drawing import Draw
from course.exercises.tasks.free_text import Criterion, FreeText
from course.exercises.tasks.function import FunctionTask
from course.exercises.tasks.pair import Case, Drawing
from course.exercises.tasks.question import Choice, Number, Option
from course.exercises.tasks.shown import Source
from course.exercises.tasks.which_mistake import WhichMistake
from course.lessons import reverse_mode as lesson

IN_A_ROW = 16
"""Diamonds of a program, so few that walking every path of it ends within a second."""

COMPUTED: Mapping[str, Callable[..., Any]] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "matmul": np.matmul,
    "sin": np.sin,
    "exp": np.exp,
    "sum": np.sum,
}
"""What each rule computes, with NumPy."""

MADE_OF = ((), (0,), (0, 1), (2, 1), (1, 3), (4, 3), (5, 2))
"""A graph with one topological order only; its last place leads away from the output, which is the last but one."""


def _tape_of(program: Callable[..., Any], inputs: int) -> Drawing:
    """Draws the tape of a program on so many numbers, and the bar of its output."""

    def draw(source: Draw) -> tuple[Any, ...]:
        numbers = [float(number) for number in source.normal("numbers")[:inputs]]
        return lesson.record_numbers(program, *numbers), float(source.normal())

    return draw


def _draw_graph(draw: Draw) -> tuple[Any, ...]:
    """Draws new numbers for the places of a graph."""
    numbers = [int(number) for number in np.argsort(draw.normal("places"))]
    made_of: list[tuple[int, ...]] = [()] * len(numbers)
    for place, parts in enumerate(MADE_OF):
        made_of[numbers[place]] = tuple(numbers[part] for part in parts)
    return tuple(made_of), numbers[-2]


def _draw_input_for_output(draw: Draw) -> tuple[Any, ...]:
    made_of, _ = _draw_graph(draw)
    return made_of, next(place for place, parts in enumerate(made_of) if not parts)


def _draw_diamonds(draw: Draw) -> tuple[Any, ...]:
    tape = lesson.record_numbers(lambda x: lesson.diamonds(x, 10), 1.0)
    return lesson.graph_of(tape.steps, len(tape.values)), tape.output


def _copied(*shape: int | None) -> Drawing:
    """Draws cotangents of copies, and an array of the given axes of theirs: None takes all of it."""

    def draw(source: Draw) -> tuple[Any, ...]:
        bar = source.normal("batch", "rows", "columns")
        full = bar.shape[bar.ndim - len(shape) :]
        taken = [length if one is None else one for one, length in zip(shape, full, strict=True)]
        return bar, np.ones(taken)

    return draw


def _step(rule: str, made: tuple[str, ...], *axes: tuple[str, ...], column: bool = False) -> Drawing:
    """Draws a step of a rule whose value and inputs have these axes; `column` takes one column of the last input."""

    def draw(source: Draw) -> tuple[Any, ...]:
        inputs = [np.asarray(source.normal(*names)) for names in axes]
        if column:
            inputs[-1] = inputs[-1][:, :1]
        return rule, tuple(inputs), np.asarray(COMPUTED[rule](*inputs)), np.asarray(source.normal(*made))

    return draw


def _program(program: Callable[..., Any], *axes: tuple[str, ...]) -> Drawing:
    """Draws a program of the lesson, and inputs of these axes."""
    return lambda source: (program, *(np.asarray(source.normal(*names)) for names in axes))


ROWS, ROW, TABLE, SINGLE = ("batch", "d_in"), ("d_in",), ("d_in", "d_out"), ()


def _in_any_order(made_of: Any, output: int) -> np.ndarray:
    """The places that the output is made of, one after the other as soon as all their parts are there."""
    needed = {output}
    while (more := needed | {part for place in needed for part in made_of[place]}) != needed:
        needed = more
    taken: list[int] = []
    while len(taken) < len(needed):
        taken += [p for p in sorted(needed) if p not in taken and all(part in taken for part in made_of[p])][:1]
    return np.array(taken)


def _gradient(program: Callable[..., Any], *inputs: Any) -> tuple[Any, ...]:
    return tuple(jax.grad(program, argnums=tuple(range(len(inputs))))(*inputs))


def _each(path: str, ask: str, places: int = 24) -> dict[str, str]:
    """One question for every entry of a list."""
    return {f"{path}[{place}]": ask for place in range(places)}


def _tell_tape(tape: lesson.ScalarTape, y_bar: float) -> dict[str, Any]:
    """A tape as a text, a line for each step."""
    lines = [
        f"places {' and '.join(map(str, step.inputs))} to place {step.output}, "
        f"slopes {' and '.join(f'{slope:.4g}' for slope in step.slopes)}"
        for step in tape.steps
    ]
    return {"steps": "\n".join(lines), "output": f"place {tape.output}", "y_bar": y_bar}


def _tell_copies(bar: Any, x: Any) -> dict[str, Any]:
    """The cotangent of copies, and of what shape it was that was copied."""
    return {"x": f"an array of shape {x.shape}", "bar": bar}


def visits_of_every_path(tape: lesson.ScalarTape) -> int:
    """Counts the places that are come by, if every path from the output to the inputs is walked by itself."""
    made_of = lesson.graph_of(tape.steps, len(tape.values))

    def walk(place: int) -> int:
        return 1 + sum(map(walk, made_of[place]))

    return walk(tape.output)


def _visits(count: int) -> int:
    return visits_of_every_path(lesson.record_numbers(lambda x: lesson.diamonds(x, count), 1.0))


SWEEP = Exercise(
    name="reverse_mode.sweep",
    title="the sweep",
    task=FunctionTask(
        lambda tape, y_bar: mistakes.solve_for_bars(tape, y_bar, mistakes.edges_of(tape)),
        "sweep",
        _tape_of(lesson.crossing, 3),
        returns="bars",
        awkward=(
            Case("a step whose inputs are one place", _tape_of(lesson.square, 1)),
            Case("a value used three times", _tape_of(lesson.thrice, 1)),
            Case("steps behind the output", _tape_of(lesson.left_behind, 2)),
            Case("a program that returns its input", _tape_of(lesson.handed_through, 1)),
            Case(f"{IN_A_ROW} diamonds in a row", _tape_of(lesson.diamonds, 1)),
        ),
        mistakes=mistakes.SWEEP,
    ),
    points=4,
    hints=(
        "Start from a list with one bar for each place. At the start one place alone is known: which?",
        "A step stands on the tape behind the steps that made its inputs. Go through the steps from the last to the "
        "first, and every bar is complete before its own step has its turn.",
        "Of a step you know step.output, where its bar stands, and for each of its inputs a place and a slope, which "
        "zip(step.inputs, step.slopes) gives in pairs. To each of these places something is added: += and not =.",
    ),
    asks=_each("bars", "which steps used this value, and has each of them sent its part?   (steps 2 and 3)"),
)

EVERY_PATH = Exercise(
    name="reverse_mode.q1",
    title="every path by itself",
    task=Number(
        f"How many places does the recursion of every path come by, on {IN_A_ROW} diamonds in a row? The output, where "
        "it starts, counts too.",
        compute=lambda: _visits(IN_A_ROW),
        says=f"Right: 1 + 2 + 4 + ... = 2**{IN_A_ROW + 1} - 1. A sweep takes {IN_A_ROW} steps. With 60 diamonds it is "
        "60 steps, and the recursion would still be under way after centuries.",
        traps=(
            (lambda: 2**IN_A_ROW, "So many paths there are, and so often x is come by. And the places on the way?"),
            (lambda: 2 ** (IN_A_ROW - 1), "One doubling is missing. What is it for a single diamond?"),
            (lambda: 2 * IN_A_ROW + 1, "That is two more for each diamond. Look at the column again: it doubles."),
            (lambda: IN_A_ROW + 1, "So many places there are. How often is each of them come by?"),
            (lambda: _visits(IN_A_ROW - 1), "That is one diamond fewer."),
            (lambda: _visits(IN_A_ROW) - 1, "Nearly: the output counts too."),
        ),
        tolerance=1e-6,
        unit="places",
    ),
    points=1,
)

COMPLETE = Exercise(
    name="reverse_mode.q2",
    title="when a bar is complete",
    task=Choice(
        "When may the bar of a value be handed on to what the value was made of?",
        (
            Option(
                "a",
                "As soon as something has come to it.",
                "Then what comes later has to be handed on as well, and so on down: that is the recursion of every "
                "path, or worse, the one that sends the same twice.",
            ),
            Option(
                "b",
                "When the step that made it has been computed forward.",
                "Forward has been finished long ago. What does a bar wait for on the way back?",
            ),
            Option(
                "c",
                "When every step that used it has sent its part.",
                "Right. And these steps all stand behind it on the tape: whoever comes from the end has met them all.",
                right=True,
            ),
            Option(
                "d",
                "When both inputs of its own step are known.",
                "These are further down: they wait for it, and not the other way round.",
            ),
        ),
    ),
    points=1,
)

ORDER = Exercise(
    name="reverse_mode.order",
    title="an order for a graph",
    task=FunctionTask(
        _in_any_order,
        "topological_order",
        _draw_graph,
        returns="order",
        awkward=(
            Case("an output that is made of nothing", _draw_input_for_output),
            Case("ten diamonds in a row", _draw_diamonds),
        ),
        mistakes=mistakes.ORDER,
    ),
    points=3,
    hints=(
        "A function inside yours may call itself: visit(place) sees to it that a place gets into the list, and "
        "before it everything that it is made of.",
        "So visit calls itself for every part of made_of[place], and after that puts the place at the end of the list.",
        "Two steps may use the same place, and it must be in the list once. Let visit look first whether that is so "
        "already, and go home at once. Then one call is enough to start it all: with the output.",
    ),
    asks={
        "order": "is everything that a place is made of in the list before it, and all of it once?   (steps 1 and 2)"
    },
)

UNBROADCAST = Exercise(
    name="reverse_mode.unbroadcast",
    title="copies come home",
    task=FunctionTask(
        lambda bar, x: jax.vjp(lambda x: jax.numpy.broadcast_to(x, bar.shape), x)[1](bar)[0],
        "unbroadcast",
        _copied(None, 1),
        returns="x_bar",
        awkward=(
            Case("a single number", _copied()),
            Case("nothing copied", _copied(None, None, None)),
            Case("an axis of one in front", _copied(1, None, None)),
            Case("axes of one on both sides", _copied(1, None, 1)),
        ),
        mistakes=mistakes.UNBROADCAST,
    ),
    points=2,
    hints=(
        "Broadcast forward, sum backward. NumPy lines shapes up at their ends, so axes are missing in front: how many "
        "are there in bar that x does not have?",
        "bar.sum(axis=(0, 1)) sums along two axes at once, and along none where the tuple is empty. First sum away the "
        "front axes that x has not, which are the first bar.ndim - x.ndim.",
        "Now both have the same number of axes. Where x.shape says 1, sum too, but keep the axis: keepdims=True.",
    ),
    asks={"x_bar": "along which axes was x copied, those in front and those of one entry?   (steps 1 and 2)"},
)

PULL_BACK = Exercise(
    name="reverse_mode.pull_back",
    title="a table of rules",
    task=FunctionTask(
        lambda rule, inputs, y, y_bar: mistakes.pulled(rule, inputs, y_bar),
        "pull_back",
        _step("mul", ROWS, ROWS, ROW),
        returns="bars",
        awkward=(
            Case("the rule of sub", _step("sub", ROWS, ROWS, ROWS, column=True)),
            Case("the rule of matmul", _step("matmul", ("batch", "d_out"), ROWS, TABLE)),
            Case("the rule of sin", _step("sin", ROWS, ROWS)),
            Case("the rule of exp", _step("exp", ROWS, ROWS)),
            Case("the rule of sum", _step("sum", SINGLE, ROWS)),
            Case("the rule of add, for a single number", _step("add", ROWS, SINGLE, ROWS)),
        ),
        mistakes=mistakes.PULL_BACK,
    ),
    points=4,
    uses=("reverse_mode.unbroadcast",),
    hints=(
        "Leave copies out of it at first: let all inputs of a step be of the shape of y. Each rule is then one line, "
        "and all of them you have written before, in pairs of their own.",
        "A product sends each factor y_bar times the other one. For a @ b see affine: y_bar and b turned give one, a "
        "turned and y_bar the other. A sum has slope 1 for every entry: y_bar is copied, and jnp.broadcast_to(y_bar, "
        "a.shape) copies.",
        "At the end, bars holds one array an input, some of them in the shape of y although the input is smaller. Go "
        "through both together, with zip(bars, inputs), and ask unbroadcast for each.",
    ),
    asks={
        "bars[0]": "what stands beside this input in the rule, and was it copied?",
        "bars[1]": "what stands beside this input in the rule, and was it copied?",
    },
    scaffold="lines",
)

GRAD_OF = Exercise(
    name="reverse_mode.grad_of",
    title="the gradient of a program",
    task=FunctionTask(
        _gradient,
        "grad_of",
        _program(lesson.network, ROWS, TABLE, ("d_out",)),
        returns="bars",
        awkward=(
            Case("a value used three times", _program(lesson.cube, ROWS)),
            Case("an input that is not used", _program(lesson.left_over, ROWS, ROW)),
            Case("a program that returns its input", _program(lesson.handed_through, SINGLE)),
            Case("a program that looks at its numbers", _program(lesson.wander, ROWS, ROW)),
            Case("ten diamonds in a row", _program(lesson.doubled, ROWS)),
        ),
        mistakes=mistakes.GRAD_OF,
    ),
    points=5,
    hard=True,
    uses=("reverse_mode.pull_back",),
    hints=(
        "It is the sweep again, with arrays in the place of numbers. record(program, *inputs) gives the tape; its "
        "values lie by place, as before.",
        "jnp.zeros_like(value) is a bar to start from, one for each value of the tape. The output's bar starts at one. "
        "On the tape are no slopes: what a step sends back, pull_back says.",
        "pull_back wants the rule's name, the values at the places of the step's inputs, the value at its output's "
        "place, and the bar that stands there. It gives one array for each input: add each to the bar of that place. "
        "The inputs of the program have the first places of the tape, so their bars are at the front of the list.",
    ),
    asks=_each("bars", "does every step that used this input send its part, and is it added?   (step 3)", 3),
)

OTHER_NUMBERS = Exercise(
    name="reverse_mode.q3",
    title="the same tape for other numbers",
    task=Choice(
        "Somebody records wander once, for an x whose sums are positive throughout, and keeps the list of steps. For "
        "another x they compute the values anew along that list, and sweep. What do they get?",
        (
            Option(
                "a",
                "The gradient of wander at the new x, always.",
                "The tape holds the steps of one run. Which run is it, if a sum is negative this time?",
            ),
            Option(
                "b",
                "The gradient, if wander takes the same turns there; else that of another function.",
                "Right: the list says what was done, and not why. PyTorch records anew in every step of a training. "
                "jax.jit keeps the list, and refuses an `if` that looks at numbers.",
                right=True,
            ),
            Option(
                "c",
                "An error, since the `if` is asked again.",
                "The tape has no `if`: it was decided while the tape was written, and left no trace on it.",
            ),
            Option(
                "d",
                "Zero, where the `if` changes sides.",
                "The sweep goes along the steps that are listed. Nothing in it knows that there were others.",
            ),
        ),
    ),
    points=1,
)

STEPS_OF_FORTY = Exercise(
    name="reverse_mode.q4",
    title="forty diamonds",
    task=Number(
        "grad_of is asked for the gradient of total(diamonds(x, 40)). How often does it call pull_back?",
        compute=lambda: len(lesson.record(lambda x: lesson.total(lesson.diamonds(x, 40)), 1.0).steps),
        says="Right: once for each step. There are 2**40 paths, a million million, and no one walks any of them.",
        traps=(
            (lambda: 40, "Nearly: what comes after the last diamond?"),
            (lambda: 42, "So many places are on the tape. The first of them was made by no step."),
            (lambda: 81, "Each step has two inputs; pull_back sends to both in one call."),
            (lambda: 2.0**40, "That is the number of paths. Does the sweep walk along paths?"),
            (lambda: 2.0**41 - 1, "So many would the recursion of every path come by. What does a sweep go through?"),
        ),
        tolerance=1e-6,
        unit="calls",
    ),
    points=1,
    required=False,
)

IN_YOUR_WORDS = Exercise(
    name="reverse_mode.text",
    title="a recursion that is right",
    task=FreeText(
        '"The bar of a value is the sum, over all that use it, of a slope times the bar there. So I write this as a'
        ' function that calls itself." The formula is right. Why is the program of little use all the same, and '
        "what does a sweep over a tape do about it?",
        rubric=(
            Criterion(1, "It gives the right numbers: the formula is the chain rule."),
            Criterion(
                2,
                "It asks for the same bar again for every way that leads to it: n diamonds in a row take about 2**n "
                "calls.",
            ),
            Criterion(
                2,
                "A sweep from the end completes each bar before it is handed on, since all that uses a value stands "
                "behind it on the tape.",
            ),
            Criterion(
                1,
                "So each step is done once, and the cost grows in line with the program: results are stored, not "
                "worked out again.",
            ),
        ),
    ),
    points=0,
    required=False,
)

WHICH_MISTAKE = Exercise(
    name="reverse_mode.q5",
    title="which mistake is this?",
    task=WhichMistake(
        (
            Source(SWEEP.task, draw=_tape_of(lesson.crossing, 3), tell=_tell_tape),
            Source(UNBROADCAST.task, sizes=(3, 2, 4), tell=_tell_copies),
        )
    ),
    points=1,
)

PAPER = Paper(
    "reverse_mode",
    (
        EVERY_PATH,
        SWEEP,
        COMPLETE,
        ORDER,
        UNBROADCAST,
        PULL_BACK,
        GRAD_OF,
        OTHER_NUMBERS,
        STEPS_OF_FORTY,
        IN_YOUR_WORDS,
        WHICH_MISTAKE,
    ),
    shows_cost=True,
)
