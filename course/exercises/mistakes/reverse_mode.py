"""Mistakes that people make in `reverse_mode`: wrong functions of the arguments that the right ones take.

Bars of a tape of numbers are found by solving for all of them at once, and rules are JAX's own of other functions, so
that no line that a learner has to write stands here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from course.comparison.mistakes import Mistake
from course.lessons.reverse_mode import VALUES, ScalarTape, Tape, record

Graph = Sequence[Sequence[int]]

Edge = tuple[int, int, float]
"""From which place to which place a step leads, and its slope."""


def edges_of(tape: ScalarTape) -> Iterator[Edge]:
    """Every input of every step, in the order of the program."""
    for step in tape.steps:
        for place, slope in zip(step.inputs, step.slopes, strict=True):
            yield place, step.output, slope


def solve_for_bars(tape: ScalarTape, y_bar: Any, edges: Any) -> list[Any]:
    """The bars of a tape, as the one solution of all its equations: each place's bar is made of those it leads to."""
    places = len(tape.values)
    slopes, known = np.zeros((places, places)), np.zeros(places)
    for place, output, slope in edges:
        slopes[place, output] += slope
    known[tape.output] = y_bar
    return list(np.linalg.solve(np.eye(places) - slopes, known))


def _overwritten(tape: ScalarTape, y_bar: Any) -> list[Any]:
    """Of all that leads away from a place the first alone counts; of two inputs of one step, the second."""
    kept: dict[int, Edge] = {}
    for edge in edges_of(tape):
        if edge[0] not in kept or kept[edge[0]][1] == edge[1]:
            kept[edge[0]] = edge
    return solve_for_bars(tape, y_bar, kept.values())


def _first_inputs(tape: ScalarTape, y_bar: Any) -> list[Any]:
    return solve_for_bars(tape, y_bar, [(step.inputs[0], step.output, step.slopes[0]) for step in tape.steps])


def _without_slopes(tape: ScalarTape, y_bar: Any) -> list[Any]:
    return solve_for_bars(tape, y_bar, [(place, output, 1.0) for place, output, _ in edges_of(tape)])


def _last_step_alone(tape: ScalarTape, y_bar: Any) -> list[Any]:
    return solve_for_bars(tape, y_bar, [edge for edge in edges_of(tape) if edge[1] == tape.output])


def handed_on_at_once(tape: ScalarTape, y_bar: Any) -> list[Any]:
    """Whatever comes in is added, and all that is there is sent further down at once."""
    found = [0.0 for _ in tape.values]
    found[tape.output] = y_bar
    made = {step.output: step for step in tape.steps}

    def go_down(at: int) -> None:
        if at in made:
            for part, rate in zip(made[at].inputs, made[at].slopes, strict=True):
                found[part] = found[part] + rate * found[at]
                go_down(part)

    go_down(tape.output)
    return found


SWEEP = (
    Mistake(
        "overwritten",
        _overwritten,
        "What came to a bar took the place of what had come before.",
        "A value was used twice. What is done with the second contribution?   (step 3)",
    ),
    Mistake(
        "handed on too early",
        handed_on_at_once,
        "A bar was handed on before all of it was there, and then once more.",
        "Have all steps that used a value been gone through before its bar is handed on?   (step 2)",
    ),
    Mistake(
        "from the start",
        _last_step_alone,
        "Only the step of the output sent something: when the others had their turn, their bars were still zero.",
        "From which end of the tape do you come?   (step 2)",
    ),
    Mistake(
        "slopes left out",
        _without_slopes,
        "Bars were handed on as they are, without any slope.",
        "How far does a step's value move, when one of its inputs does?   (step 3)",
    ),
    Mistake(
        "first inputs alone",
        _first_inputs,
        "Only the first input of each step got something.",
        "A step may have two inputs. To which of them does it send?   (step 3)",
    ),
    Mistake(
        "y_bar left out",
        lambda tape, y_bar: solve_for_bars(tape, 1.0, edges_of(tape)),
        "The sweep began with 1 at the output.",
        "How fast does the loss move when the output does?   (step 1)",
    ),
)


def _met(made_of: Graph, output: int, *, deep: bool) -> list[int]:
    """The places in the order in which they are met first: going deep, or level by level."""
    waiting, met = [output], list[int]()
    while waiting:
        place = waiting.pop(-1 if deep else 0)
        if place not in met:
            met.append(place)
            waiting += made_of[place][::-1] if deep else made_of[place]
    return met


def _sorted_by(made_of: Graph, output: int, key: Callable[[int], Any]) -> list[int]:
    return sorted(_met(made_of, output, deep=True), key=key)


def _height(made_of: Graph, place: int) -> int:
    """How many steps lead to a place at most."""
    return max((1 + _height(made_of, part) for part in made_of[place]), default=0)


def _in_order(made_of: Graph, output: int) -> list[int]:
    """The places by the number of steps that lead to each at most."""
    return _sorted_by(made_of, output, lambda place: _height(made_of, place))


ORDER = (
    Mistake(
        "output first",
        lambda made_of, output: _in_order(made_of, output)[::-1],
        "It is the right order, from its end to its start.",
        "Which comes first: a value, or what it is made of?   (step 2)",
    ),
    Mistake(
        "put in before its parts",
        lambda made_of, output: _met(made_of, output, deep=True),
        "A place was put in the list before it was asked what it is made of.",
        "What has to be in the list before a place is?   (step 2)",
    ),
    Mistake(
        "put in before its parts, then turned",
        lambda made_of, output: _met(made_of, output, deep=True)[::-1],
        "A place was put in when it was met first, and the list was turned at the end.",
        "A place may be met early and yet be used by one that is met later. When is it complete?   (step 2)",
    ),
    Mistake(
        "level by level",
        lambda made_of, output: _met(made_of, output, deep=False)[::-1],
        "The places were taken level by level from the output, each when it was met first.",
        "Two paths of different lengths may lead to a place. Which of them decides when it has its turn?   (step 2)",
    ),
    Mistake(
        "by number",
        lambda made_of, output: _sorted_by(made_of, output, lambda place: place),
        "The places stand in the order of their numbers. On a tape that would do, but this graph has been shuffled.",
        "What decides which of two places comes first?   (step 2)",
    ),
)


def _taken(take: Callable[[Any, tuple[int, ...]], Any]) -> Callable[[Any, Any], Any]:
    """Makes of all copies along some axes one entry, in whatever way."""

    def taken(bar: Any, x: Any) -> Any:
        lined_up = np.array((1,) * (bar.ndim - x.ndim) + x.shape)
        axes = tuple(int(axis) for axis in np.flatnonzero(lined_up == 1))
        return take(bar, axes).reshape(x.shape)

    return taken


def _copy_at(place: int) -> Callable[[Any, tuple[int, ...]], Any]:
    def take(bar: Any, axes: tuple[int, ...]) -> Any:
        for axis in axes:
            bar = jnp.take(bar, jnp.array([place % bar.shape[axis]]), axis=axis)
        return bar

    return take


def _of_front(front: Any, other: Any) -> Callable[[Any, Any], Any]:
    """One way for the axes that x does not have, another for those along which it has one entry."""

    def taken(bar: Any, x: Any) -> Any:
        missing = tuple(range(bar.ndim))[: bar.ndim - x.ndim]
        return _taken(lambda rest, axes: other(front(rest, missing), axes))(bar, x)

    return taken


def _added(bar: Any, axes: tuple[int, ...]) -> Any:
    return jnp.sum(bar, axes, keepdims=True)


def _averaged(bar: Any, axes: tuple[int, ...]) -> Any:
    return jnp.mean(bar, axes, keepdims=True)


UNBROADCAST = (
    Mistake(
        "averaged",
        _taken(_averaged),
        "What comes back from the copies was averaged.",
        "Used many times: what follows?   (steps 1 and 2)",
    ),
    Mistake(
        "the first copy",
        _taken(_copy_at(0)),
        "Only the first copy's cotangent came back.",
        "Each copy was used. Used many times: what follows?   (steps 1 and 2)",
    ),
    Mistake(
        "the last copy",
        _taken(_copy_at(-1)),
        "Only the last copy's cotangent came back: each took the place of the one before.",
        "Each copy was used. Used many times: what follows?   (steps 1 and 2)",
    ),
    Mistake(
        "the first copy along axes of one",
        _of_front(_added, _copy_at(0)),
        "The axes that x does not have are right. Where x has an axis of one entry, the first copy alone came back.",
        "An axis of one entry is copied as well. What does backward do along it?   (step 2)",
    ),
    Mistake(
        "front axes averaged",
        _of_front(_averaged, _added),
        "Along the axes that x does not have, what comes back was averaged.",
        "Forward put an axis in front, and copied along it. What does backward do?   (step 1)",
    ),
)


def pulled(rule: str, inputs: Any, y_bar: Any, taught: Callable[..., Any] | None = None) -> tuple[Any, ...]:
    """What JAX sends back through a rule, or through another function in its place."""
    return jax.vjp(taught or VALUES[rule], *inputs)[1](y_bar)


def _taught(wrong: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """All rules right but one, which is that of another function."""
    return lambda rule, inputs, y, y_bar: pulled(rule, inputs, y_bar, function if rule == wrong else None)


PULL_BACK = (
    Mistake(
        "y_bar left out",
        lambda rule, inputs, y, y_bar: pulled(rule, inputs, jnp.ones_like(y_bar)),
        "This is what comes back for a y_bar of ones.",
        "By how much does each entry of y count for the loss?",
    ),
    Mistake(
        "own factor",
        _taught("mul", lambda a, b: (a**2 + b**2) / 2),
        "Each factor got y_bar times itself.",
        "When a grows by 1, by how much does a * b grow?   (step 2)",
    ),
    Mistake(
        "minus forgotten",
        _taught("sub", lambda a, b: a + b),
        "Both inputs of a - b got the same.",
        "When b grows, which way does a - b go?   (step 1)",
    ),
    Mistake(
        "slope of sine turned",
        _taught("sin", lambda a: -jnp.sin(a)),
        "The sine's slope has the wrong sign.",
        "Is the sine on its way up or down, at 0?   (step 4)",
    ),
    Mistake(
        "sine for its slope",
        _taught("sin", lambda a: -jnp.cos(a)),
        "y_bar was multiplied by the sine, which is the value and not the slope.",
        "How steep is the sine at 0?   (step 4)",
    ),
    Mistake(
        "argument for slope of exp",
        _taught("exp", lambda a: a**2 / 2),
        "y_bar was multiplied by a, not by the slope of exp there.",
        "How steep is exp at 0?   (step 5)",
    ),
    Mistake(
        "sum averaged",
        _taught("sum", jnp.mean),
        "Each entry got its share of y_bar, as if a mean had been taken.",
        "When one entry of a grows by 1, by how much does the sum?   (step 6)",
    ),
)

Put = Callable[[Any, Any, int], Any]
"""What becomes of a bar, from what was there, what comes, and which input of its step it belongs to."""


def _begun(tape: Tape, start: Callable[[Any], Any]) -> list[Any]:
    """Zero for every value but the output, which starts in whatever way."""
    return [(start if place == tape.output else jnp.zeros_like)(value) for place, value in enumerate(tape.values)]


def _gradient_by(put: Put, start: Callable[[Any], Any] = jnp.ones_like) -> Callable[..., Any]:
    def gradient(program: Callable[..., Any], *inputs: Any) -> tuple[Any, ...]:
        tape = record(program, *inputs)
        found = _begun(tape, start)
        for rule, places, at in tape.steps[::-1]:
            came = pulled(rule, [tape.values[place] for place in places], found[at])
            for number, place in enumerate(places):
                found[place] = put(found[place], came[number], number)
        return tuple(found[place] for place in range(len(inputs)))

    return gradient


def _at_once(program: Callable[..., Any], *inputs: Any) -> tuple[Any, ...]:
    """Whatever comes in is added, and all that is there is sent further down at once."""
    tape = record(program, *inputs)
    found = _begun(tape, jnp.ones_like)
    made = {step.output: step for step in tape.steps}

    def go_down(at: int) -> None:
        if at in made:
            places = made[at].inputs
            came = pulled(made[at].rule, [tape.values[place] for place in places], found[at])
            for place, part in zip(places, came, strict=True):
                found[place] = found[place] + part
                go_down(place)

    go_down(tape.output)
    return tuple(found[place] for place in range(len(inputs)))


GRAD_OF = (
    Mistake(
        "overwritten",
        _gradient_by(lambda there, came, number: came),
        "What came to a bar took the place of what had come before.",
        "A value was used twice. What is done with the second contribution?   (step 3)",
    ),
    Mistake(
        "averaged",
        _gradient_by(lambda there, came, number: (there + came) / 2),
        "What came to a bar was averaged with what was there.",
        "Used twice: what follows?   (step 3)",
    ),
    Mistake(
        "first inputs alone",
        _gradient_by(lambda there, came, number: there if number else there + came),
        "Only the first input of each step got something.",
        "A step may have two inputs. To which of them does it send?   (step 3)",
    ),
    Mistake(
        "started with the value",
        _gradient_by(lambda there, came, number: there + came, jnp.asarray),
        "The sweep began with the program's value at the output: all of it is too large by that factor.",
        "By how much does the value grow, when it grows by 1?   (step 2)",
    ),
    Mistake(
        "handed on too early",
        _at_once,
        "A bar was handed on before all of it was there, and then once more.",
        "Have all steps that used a value been gone through before its bar is handed on?   (step 3)",
    ),
)
