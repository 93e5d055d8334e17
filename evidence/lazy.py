"""Answers of somebody who has not derived anything, for every exercise: none may pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from course.comparison.floating import along_floating, split_floating
from course.comparison.judging import judging, stream
from course.comparison.oracle import draw_like
from course.comparison.point import Point, make_point
from course.comparison.precision import FLOAT64
from course.comparison.tangents import find_tangents
from course.comparison.trees import has_tangent
from course.exercises import find_exercise, papers
from course.exercises.exercise import Exercise
from course.exercises.tasks.drawing import Draw
from course.exercises.tasks.pair import PairTask
from course.exercises.tasks.question import ANSWER
from course.exercises.tasks.tangent_rule import TangentRuleTask
from course.exercises.tasks.task import Sitting
from course.records import Status
from evidence.pieces import Piece
from evidence.reached import reached
from evidence.sampling import one_a_lesson
from evidence.tables import table

TITLE = "Blank and lazy answers"
SEED = 0
STEP = 6e-6
"""Of central differences, relative: the cube root of float64's last place, where they are at their best."""

BLANKS = (None, ..., "", "?", float("nan"))
"""What a question is answered with by somebody who does not answer it."""


def pieces() -> list[Piece]:
    """One for each exercise."""
    return [_piece(exercise) for paper in papers() for exercise in paper.exercises]


def sample() -> list[Piece]:
    """One pair of each lesson."""
    return [_piece(find_exercise(name)) for name in one_a_lesson(PairTask)]


def _piece(exercise: Exercise) -> Piece:
    sources = reached(f"course.exercises.{exercise.lesson}", __name__)
    return Piece(exercise.name, 1, sources, partial(_judge_all, exercise))


def _judge_all(exercise: Exercise, step: Callable[[], None]) -> dict[str, str]:
    """How every lazy answer fares, by what it is: its status, and the question at which judging ended."""
    sitting = Sitting(SEED, example=False, reasons=False)
    judged = {name: exercise.task.judge(answer, sitting) for name, answer in lazy_answers(exercise)}
    step()
    return {name: [found.status.value, found.failed] for name, found in judged.items()}


def lazy_answers(exercise: Exercise) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every lazy answer to an exercise, by what it is."""
    if isinstance(exercise.task, PairTask):
        for name, bwd in _backwards(exercise.task):
            yield name, {exercise.task.fwd: _forward(exercise.task), exercise.task.bwd: bwd}
    elif isinstance(exercise.task, TangentRuleTask):
        yield from ((name, {exercise.task.rule: rule}) for name, rule in _rules(exercise.task))
    elif not exercise.task.names:
        yield from ((f"answered with {blank!r}", {ANSWER: blank}) for blank in BLANKS)


def _forward(task: PairTask) -> Callable[..., Any]:
    return lambda *primals: (task.primal(*primals), primals)


def _backwards(task: PairTask) -> Iterator[tuple[str, Callable[..., Any]]]:
    point = make_point(task.primal, task.draw(Draw(SEED)))
    for name, fill in (("zeros", jnp.zeros_like), ("ones", jnp.ones_like), ("the primals themselves", jnp.asarray)):
        yield name, partial(_filled, task, point, lambda leaf, y_bar, fill=fill: fill(leaf))
    yield "y_bar itself", partial(_filled, task, point, _y_bar_itself)
    yield "the primal's value", partial(_filled, task, point, lambda leaf, y_bar: _value(task, point, leaf))
    yield "the right cotangents, remembered", partial(_remembered, task, _cotangents(point))
    yield "the unfilled stub", _stub


def _stub(residuals: Any, y_bar: Any) -> Any:
    raise NotImplementedError


def _rules(task: TangentRuleTask) -> Iterator[tuple[str, Callable[..., Any]]]:
    point = make_point(task.primal, task.draw(Draw(SEED)))
    for name, tangent in (
        ("zeros", lambda y, primals, tangents: jax.tree.map(jnp.zeros_like, y)),
        ("ones", lambda y, primals, tangents: jax.tree.map(jnp.ones_like, y)),
        ("the primal's value", lambda y, primals, tangents: y),
        ("the primal at the tangents", lambda y, primals, tangents: task.primal(*_at_tangents(primals, tangents))),
        ("the first tangent itself", _first_tangent),
        ("central differences", partial(_differences, task)),
        ("the right tangents, remembered", partial(_remembered_tangents, _tangents(point))),
    ):
        yield name, partial(_with_value, task, tangent)
    yield "the unfilled stub", _stub


def _with_value(task: TangentRuleTask, tangent: Callable[..., Any], primals: Any, tangents: Any) -> Any:
    y = task.primal(*primals)
    return y, tangent(y, primals, tangents)


def _first_tangent(y: Any, primals: Any, tangents: Any) -> Any:
    first = next(x_dot for x_dot in jax.tree.leaves(tangents) if x_dot.dtype != jax.dtypes.float0)
    return jax.tree.map(lambda leaf: jnp.resize(first, leaf.shape), y)


def _at_tangents(primals: Any, tangents: Any) -> Any:
    return jax.tree.map(lambda x, x_dot: x if x_dot.dtype == jax.dtypes.float0 else x_dot, primals, tangents)


def _differences(task: TangentRuleTask, y: Any, primals: Any, tangents: Any) -> Any:
    def at(step: float) -> Any:
        def move(x: Any, x_dot: Any) -> Any:
            return x if x_dot.dtype == jax.dtypes.float0 else x + step * x_dot

        return task.primal(*jax.tree.map(move, primals, tangents))

    return jax.tree.map(lambda ahead, behind: (ahead - behind) / (2 * STEP), at(STEP), at(-STEP))


def _remembered_tangents(known: Any, y: Any, primals: Any, tangents: Any) -> Any:
    return known


def _tangents(point: Point) -> Any:
    """What is right at the published seed, found at home by JAX."""
    with judging():
        truth = find_tangents(point.cast(jnp.float64), FLOAT64, stream(SEED))
        found = iter(truth.forward)
        return jax.tree.map(lambda leaf: next(found) if has_tangent(leaf) else None, truth.y)


def _filled(task: PairTask, point: Point, fill: Callable[[Any, Any], Any], residuals: Any, y_bar: Any) -> Any:
    def cotangent(leaf: Any) -> Any:
        return fill(leaf, y_bar) if has_tangent(leaf) else None

    return _asked(task, jax.tree.map(cotangent, point.primals))


def _y_bar_itself(leaf: Any, y_bar: Any) -> Any:
    """The cotangent that came, in the array's shape as far as it goes."""
    came = next(bar for bar in jax.tree.leaves(y_bar) if has_tangent(bar))
    return jnp.resize(came, leaf.shape)


def _value(task: PairTask, point: Point, leaf: Any) -> Any:
    y = next(value for value in jax.tree.leaves(task.primal(*point.primals)) if has_tangent(value))
    return jnp.resize(y, leaf.shape)


def _cotangents(point: Point) -> Any:
    """What is right at the published seed, found at home by JAX."""
    with judging():
        there = point.cast(jnp.float64)
        moving, still, join = split_floating(there.primals)
        _, pullback, _ = jax.vjp(along_floating(there.primal, join, still), *moving, has_aux=True)
        y_bar = draw_like(stream(SEED), jax.eval_shape(there.primal, *there.primals))
        bars = [bar for bar in jax.tree.leaves(y_bar) if bar.dtype != jax.dtypes.float0]
        found = iter([np.asarray(bar) for bar in pullback(bars)])
        return jax.tree.map(lambda leaf: next(found) if has_tangent(leaf) else None, there.primals)


def _remembered(task: PairTask, cotangents: Any, residuals: Any, y_bar: Any) -> Any:
    return _asked(task, cotangents)


def _asked(task: PairTask, cotangents: Any) -> Any:
    """The cotangents that the exercise asks for; None for data and for the rest."""
    places = range(len(cotangents)) if task.asked is None else task.asked
    return tuple(None if place in task.data else cotangents[place] for place in places)


def summary(results: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    """How often each lazy answer got each status at each question, over all exercises."""
    found: dict[str, dict[str, int]] = {}
    for fares in results.values():
        for name, (status, failed) in fares.items():
            row = found.setdefault(name, {})
            how = f"{status}, {failed.replace('_', ' ')}" if failed and failed != ANSWER else status
            row[how.replace("_", " ")] = row.get(how.replace("_", " "), 0) + 1
    return found


def complaints(results: Mapping[str, Any]) -> list[str]:
    """The lazy answers that pass."""
    passing = {Status.RIGHT.value, Status.COSTLY.value}
    return [
        f"{exercise}: {name} passes"
        for exercise, fares in results.items()
        for name, (status, _) in fares.items()
        if status in passing
    ]


def page(by_version: Mapping[str, Mapping[str, Any]]) -> str:
    """How each answer fared, JAX version by JAX version."""
    rows = [
        (name, version, sum(row.values()), "; ".join(f"{how}: {count}" for how, count in row.items()))
        for version, found in by_version.items()
        for name, row in found.items()
    ]
    header = ("answer", "JAX", "exercises", "status, and the question at which judging ended")
    return f"Answers with nothing derived, to every exercise.\n\n{table(header, rows)}"
