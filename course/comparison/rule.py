"""Judges one tangent rule at one point: callable as asked, value, forward mode, reverse mode, differences, float32.

The mirror of `pair`: the answer's tangents are held against `jax.jvp`, and reverse mode enters by the identity
<x_bar, x_dot> = <y_bar, y_dot>, with x_bar from `jax.vjp`.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import ClosedJaxpr

from course.comparison import agreement, questions, single
from course.comparison.answer import (
    AnswerFault,
    mismatch_is_fault,
    refuse_change,
    refuse_state,
    two_parts,
)
from course.comparison.compiled import quick
from course.comparison.costs import rule_costs
from course.comparison.diagnosis import diagnose
from course.comparison.excess.find import find_excesses_of_rule
from course.comparison.faults import one_sentence
from course.comparison.floating import along_floating, split_floating
from course.comparison.judging import Record, Setting, at_precision, judging, stream, to_comparison
from course.comparison.known import known_tangents
from course.comparison.linearity import can_be_told, nonlinear_step
from course.comparison.norms import norm
from course.comparison.oracle import conditioning
from course.comparison.parts import Parts, take_apart
from course.comparison.point import Point
from course.comparison.precision import FLOAT64, Precision
from course.comparison.second import asked_again, confirmed
from course.comparison.slips import naming_tolerance
from course.comparison.state import outside_of
from course.comparison.study import study
from course.comparison.tangents import Tangents, find_tangents, tangents_near
from course.comparison.trees import Matched, match, without_float0
from course.comparison.words import listed
from course.records import Agreement, Cause, Check, Comparison, Fault, Feedback, Remark

TURNED = -2
"""What the tangents are multiplied by to ask whether a rule is linear: a factor of 2 lets absolute values pass."""

FAR = 2**20
"""What they are multiplied by where steps can't be told to be linear: differences are no derivatives so far away."""


def judge_rule(point: Point, rule: Callable[..., Any], setting: Setting) -> Comparison:
    """Judges a tangent rule at a point.

    Args:
        point: The primal and its arguments, of any precision.
        rule: `rule(primals, tangents) -> (y, y_dot)`.
        setting: How to judge.

    Raises:
        ValueError: The primal does not run at these arguments, or has no derivative there.
    """
    record = Record(setting.watch())
    with judging():
        here, precision = at_precision(point, setting.precision)
        truth = find_tangents(here, precision, stream(setting.seed))
        try:
            _judge(_Judging(here, rule, setting, precision, truth, record))
        except AnswerFault as stop:
            record.faults.append(stop.fault)
    return to_comparison(record, setting.names, precision, setting.seed)


@dataclass
class _Judging:
    """One tangent rule on its way through the questions."""

    point: Point
    rule: Callable[..., Any]
    setting: Setting
    precision: Precision
    truth: Tangents
    record: Record

    @property
    def name(self) -> str:
        return self.setting.names[0]

    @property
    def notes(self) -> list[str]:
        return self.record.watch.notes

    def run(self, primals: Any, x_dot: Any, keep: bool = False) -> tuple[Any, Any]:
        """Runs the rule: (y, y_dot). `keep` shows what it prints."""
        returned = self.record.watch.call(self.rule, self.name, primals, x_dot, keep=keep)
        return two_parts(returned, self.name, "(y, y_dot)")

    def numbers(self, y_dot: Any, notes: list[str]) -> list[Matched]:
        """The floating outputs, with the tangents that came for each.

        Raises:
            AnswerFault: They don't fit the outputs.
        """
        with mismatch_is_fault():
            rows = match(self.truth.y, y_dot, "y_dot", "y", notes)
        return questions.numbers_of(rows, notes)


def _judge(judged: _Judging) -> None:
    point, truth, record, name = judged.point, judged.truth, judged.record, judged.name
    before = outside_of(judged.rule)
    first = judged.run(point.primals, truth.x_dot, keep=True)
    refuse_state(before, outside_of(judged.rule), name)
    refuse_change(first, judged.run(point.primals, truth.x_dot), name)
    questions.ask_for_value(first[0], truth.y, name, judged.precision, record)
    rows = judged.numbers(first[1], judged.notes)
    moving, join = without_float0(truth.x_dot)
    stubborn = _ask_proportion(judged, rows)
    program = lambda at, along: judged.rule(at, join(along))  # noqa: E731
    traced = questions.ask_for_tracing(program, (point.primals, moving), lambda: name, judged.setting, record.watch)
    refuse_state(before, outside_of(judged.rule), name)
    if not _ask_forward(judged, rows):
        _explain(judged, rows, stubborn)
        return
    if stubborn:
        raise AnswerFault(Fault("state", name, _out_of_proportion(stubborn)))
    given = [np.asarray(row.given, np.float64) for row in rows]
    if not (_ask_reverse(judged, given) and _ask_differences(judged, given)):
        return
    if traced is not None:
        _ask_linearity(judged, traced, len(moving), rows)
    if judged.setting.float32 and judged.precision.name == FLOAT64.name:
        _ask_float32(judged)
    if judged.setting.cost and traced is not None:
        questions.ask_for_cost(record, lambda: rule_costs(study(point), traced))
        with contextlib.suppress(Exception):
            record.excesses = find_excesses_of_rule(traced, study(point).jaxpr, judged.rule, point.floating())


def _ask_forward(judged: _Judging, rows: Sequence[Matched]) -> bool:
    """Holds every tangent against `jax.jvp`; where that is not exact enough, asks first whether it could be."""
    arrays = _compared(judged, rows)
    if not all(array.right for array in arrays):
        judged.precision = _allowing(judged, arrays)
        arrays = _compared(judged, rows)
    judged.record.arrays = tuple(dataclasses.replace(array, forward=array.reverse, reverse=None) for array in arrays)
    return all(array.right for array in arrays)


def _allowing(judged: _Judging, arrays: Sequence[Agreement]) -> Precision:
    """The precision that allows for an answer that narrows to float32, or for an ill-conditioned narrow problem."""
    precision = judged.precision
    if precision.name == FLOAT64.name:
        return questions.narrowed(arrays, precision, judged.notes)
    return precision.within(_conditioning(judged.point, judged.truth, precision, judged.setting.seed))


def _conditioning(point: Point, truth: Tangents, precision: Precision, seed: int) -> float:
    def there(moved: Point) -> list[np.ndarray]:
        return tangents_near(moved, precision, truth).forward

    return conditioning(point, precision, stream(seed), truth.forward, there)


def _compared(judged: _Judging, rows: Sequence[Matched]) -> tuple[Agreement, ...]:
    point, moving = judged.point, without_float0(judged.truth.x_dot)[0]
    handed = {
        path: np.asarray(x_dot, np.float64) for (path, _), x_dot in zip(point.floating("dot"), moving, strict=True)
    }
    return agreement.compare_arrays(rows, judged.truth.forward, judged.precision, handed, point.sizes())


def _ask_proportion(judged: _Judging, rows: Sequence[Matched]) -> dict[str, bool]:
    """Asks the rule again with -2 times the tangents: what is kept from the first call, or is not linear, shows.

    Returns:
        The arrays that are not -2 times as large, by name, and whether they stay the same.
    """
    again = judged.run(judged.point.primals, questions.times(TURNED, judged.truth.x_dot))[1]
    return questions.out_of_proportion(rows, judged.numbers(again, []), TURNED, judged.precision)


def _out_of_proportion(arrays: Mapping[str, bool]) -> str:
    names = listed(list(arrays))
    return f"{TURNED} times the tangents must give {TURNED} times {names}: {questions.how_stubborn(arrays)}."


def _ask_linearity(judged: _Judging, traced: ClosedJaxpr, tangents: int, rows: Sequence[Matched]) -> None:
    """Asks whether every step is linear in the tangents: a note where it is not, or a refusal where it must be.

    Raises:
        AnswerFault: It must be, and is not.
    """
    why = nonlinear_step(traced, tangents, len(rows)) if can_be_told(traced) else _far_from_linear(judged, rows)
    if not why:
        return
    if not judged.setting.linear:
        judged.notes.append(f"jax.grad can't go back through it: not every step is linear in the tangents: {why}.")
        return
    message = f"Every step from the tangents to y_dot must be linear, as in a derivation; in yours, {why}."
    raise AnswerFault(Fault("refused", judged.name, message))


def _far_from_linear(judged: _Judging, rows: Sequence[Matched]) -> str:
    """What shows that a rule is not linear when its tangents are very large; empty where nothing does."""
    far = judged.run(judged.point.primals, questions.times(FAR, judged.truth.x_dot))[1]
    bent = questions.out_of_proportion(rows, judged.numbers(far, []), FAR, judged.precision)
    return f"{FAR:,} times the tangents do not give {FAR:,} times {listed(list(bent))}" if bent else ""


def _explain(judged: _Judging, rows: Sequence[Matched], stubborn: Mapping[str, bool]) -> None:
    """Looks for the reason of wrong tangents, once what is known of them was told."""
    record, setting = judged.record, judged.setting
    again = asked_again(judged.point, setting, partial(_again, judged))
    tolerance = naming_tolerance(judged.precision)
    record.arrays = confirmed(record.arrays, again and again[0], tolerance)
    silent = [array.path for array in record.arrays if array.path in stubborn and array.slip is None]
    if silent:
        text = _out_of_proportion({path: stubborn[path] for path in silent})
        record.causes = [Cause("proportion", "tangents", tuple(silent), text, "")]
    parts = _taken_apart(judged).confirmed_by(again and again[1], tolerance)
    record.remarks += _where_from(parts)
    if not setting.reasons:
        return
    if setting.early is not None:
        setting.early(to_comparison(record, setting.names, judged.precision, setting.seed))
    try:
        record.causes += _reasons(judged, rows, parts, bool(silent))
    except Exception as error:  # the verdict stands, whatever becomes of its reason
        judged.notes.append(f"The reason could not be looked for: {one_sentence(error)}")


def _again(judged: _Judging, point: Point, rng: np.random.Generator) -> tuple[tuple[Agreement, ...], Parts]:
    """The rule at another point: what is known there of the whole, and part by part."""
    there = dataclasses.replace(judged, point=point, truth=find_tangents(point, judged.precision, rng))
    rows = there.numbers(there.run(point.primals, there.truth.x_dot)[1], [])
    return _compared(there, rows), _taken_apart(there)


def _taken_apart(judged: _Judging) -> Parts:
    join = without_float0(judged.truth.x_dot)[1]

    def rule(moving: list[Any]) -> list[Matched]:
        return judged.numbers(judged.run(judged.point.primals, join(moving))[1], [])

    return take_apart(judged.point, rule, judged.precision, stream(judged.setting.seed))


def _reasons(judged: _Judging, rows: Sequence[Matched], parts: Parts, silent: bool) -> list[Cause]:
    """A named mistake or a line of the primal, else known numbers, and the general slips of what is left."""
    arrays = judged.record.arrays
    found = [] if silent else diagnose(parts.wrong, judged.setting.mistakes)
    if not found:
        known = known_tangents(judged.point, judged.truth, rows, arrays, judged.precision)
        if known or silent:
            return known
    explained = {path for cause in found for path in cause.arrays}
    whole = all(array.slip for array in arrays if not array.right)
    slips = [] if whole else [cause for cause in parts.slips() if not explained.intersection(cause.arrays)]
    return [parts.of_outputs(cause) for cause in (*found, *slips)]


def _where_from(parts: Parts) -> list[Remark]:
    """Tells which arrays' tangents enter wrongly."""
    wrong, right = parts.arrays()
    if not (right and wrong):
        return []
    text = f"One moved at a time: y_dot is wrong for {listed(wrong)}, right for {listed(right)}."
    return [Remark(Feedback.WHERE, text)]


def _ask_reverse(judged: _Judging, given: Sequence[np.ndarray]) -> bool:
    truth, precision, record = judged.truth, judged.precision, judged.record
    if truth.inner is None:
        judged.notes.append("The primal has no reverse mode, so that question is left out.")
        return True
    limit = 10 * precision.tolerance
    errors = [
        abs(float(np.sum(y_bar * y_dot)) - inner) / (scale * (norm(y_bar) or 1.0))
        for y_bar, y_dot, inner, scale in zip(
            truth.y_bars, given, truth.inner, agreement.scales_in(precision, truth.forward), strict=True
        )
    ]
    record.arrays = tuple(
        dataclasses.replace(array, reverse=error, right=error <= limit)
        for array, error in zip(record.arrays, errors, strict=True)
    )
    worst = agreement.worst_of(errors)
    text = "reverse mode agrees: <x_bar, x_dot> = <y_bar, y_dot>"
    record.checks.append(Check("reverse", worst <= limit, text, worst, limit))
    return worst <= limit


def _ask_differences(judged: _Judging, given: Sequence[np.ndarray]) -> bool:
    truth, precision = judged.truth, judged.precision
    scales = agreement.scales_in(precision, truth.forward)

    def worst(arrays: Sequence[np.ndarray]) -> float:
        rows = zip(arrays, truth.difference, scales, strict=True)
        return agreement.worst_of([agreement.array_error(array, there, scale) for array, there, scale in rows])

    check = questions.difference_check(worst(given), worst(truth.forward), precision, judged.notes)
    judged.record.checks.append(check)
    return check.passed


def _ask_float32(judged: _Judging) -> None:
    """Runs the rule as it will be used, in float32, and holds it against the truth at the rounded point."""
    with jax.enable_x64(False):
        there = judged.point.cast(jnp.float32)
    rounded = there.cast(jnp.float64)
    try:
        truth = find_tangents(rounded, judged.precision, stream(judged.setting.seed))
    except ValueError:
        judged.notes.append(single.NOT_THERE)
        return
    with single.alone():
        x_dot = single.rounded(truth.x_dot)
        rows = judged.numbers(judged.run(there.primals, x_dot)[1], [])
    paths = [row.path for row in rows]
    check = single.check(
        rows,
        dict(zip(paths, truth.forward, strict=True)),
        judged.notes,
        lambda: _conditioning(rounded, truth, single.SINGLE, judged.setting.seed),
        lambda: dict(zip(paths, _by_jax(there, x_dot), strict=True)),
    )
    judged.record.checks.append(check)


def _by_jax(point: Point, x_dot: Any) -> list[np.ndarray]:
    """The tangents by JAX's own forward mode in float32."""
    moving, still, join = split_floating(point.primals)

    def ask(moving: Any, still: Any, x_dot: Any) -> Any:
        return jax.jvp(along_floating(point.primal, join, still), moving, x_dot, has_aux=True)[1]

    with single.alone():
        return [np.asarray(y_dot) for y_dot in quick(ask)(moving, still, without_float0(x_dot)[0])]
