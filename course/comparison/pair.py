"""Judges one pair at one point: callable as asked, then value, reverse mode, forward mode, differences, float32.

The first question that fails ends the judging. Whatever the answer does is recorded; only a fault of the call itself,
such as a primal that does not run, is raised.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import ClosedJaxpr

from course.comparison import agreement, questions, single
from course.comparison.answer import AnswerFault, refuse_change, refuse_state
from course.comparison.compiled import quick
from course.comparison.costs import pair_costs
from course.comparison.diagnosis import diagnose
from course.comparison.excess.find import Spent, find_excesses
from course.comparison.faults import one_sentence
from course.comparison.floating import along_floating, split_floating
from course.comparison.judging import Record, Setting, at_precision, judging, stream, to_comparison
from course.comparison.oracle import Truth, conditioning, find_truth, truth_near
from course.comparison.point import Point
from course.comparison.precision import FLOAT64, Precision
from course.comparison.runs import Pair
from course.comparison.second import asked_again, confirmed
from course.comparison.slips import naming_tolerance
from course.comparison.state import outside_of
from course.comparison.study import study
from course.comparison.trees import Matched, named_leaves, without_float0
from course.comparison.wrong import Wrong, cotangents_expected
from course.records import Agreement, Cause, Check, Comparison, Excess, Fault

__all__ = ["Setting", "judge_pair", "judging"]

MOST_AT_ONCE = 1000
"""Equations of a pair up to which compiling it whole is cheaper than its operations one by one: a GPT's are 568."""


def judge_pair(point: Point, fwd: Callable[..., Any], bwd: Callable[..., Any], setting: Setting) -> Comparison:
    """Judges a pair at a point.

    Args:
        point: The primal and its arguments, of any precision.
        fwd: `fwd(*primals) -> (y, residuals)`.
        bwd: `bwd(residuals, y_bar) -> tuple of cotangents`.
        setting: How to judge.

    Raises:
        ValueError: The primal does not run at these arguments, or has no derivative there.
    """
    record = Record(setting.watch())
    with judging():
        here, precision = at_precision(point, setting.precision)
        truth = find_truth(here, precision, stream(setting.seed))
        judged = _Judging(here, Pair(fwd, bwd, setting, record.watch), precision, truth, record)
        try:
            _judge(judged)
        except AnswerFault as stop:
            record.faults.append(stop.fault)
    return to_comparison(record, setting.names, precision, setting.seed)


@dataclass
class _Judging:
    """One pair on its way through the questions."""

    point: Point
    pair: Pair
    precision: Precision
    truth: Truth
    record: Record

    @property
    def notes(self) -> list[str]:
        return self.record.watch.notes

    @property
    def setting(self) -> Setting:
        return self.pair.setting


def _judge(judged: _Judging) -> None:
    point, truth, record = judged.point, judged.truth, judged.record
    fwd_name, bwd_name = judged.setting.names
    whole = judged.pair.whole(point, truth.y_bar) if judged.setting.at_once else None
    if whole is not None and whole.size <= MOST_AT_ONCE:
        judged.pair = judged.pair.at_once
    pair = judged.pair
    before = outside_of(pair.fwd, pair.bwd)
    y, residuals = pair.forward(point.primals, keep=True)
    refuse_state(before, outside_of(pair.fwd, pair.bwd), fwd_name)
    y_again, residuals_again = pair.forward(point.primals)
    refuse_change(y, y_again, fwd_name)
    questions.ask_for_value(y, truth.y, fwd_name, judged.precision, record)
    returned = pair.backward(residuals, truth.y_bar, keep=True)
    rows = pair.numbers(point, returned, judged.notes)
    stubborn = _ask_proportion(judged, rows, returned, residuals_again)
    refuse_state(before, outside_of(pair.fwd, pair.bwd), bwd_name)
    whole = whole or pair.whole(point, truth.y_bar)
    refuse_state(before, outside_of(pair.fwd, pair.bwd), bwd_name)
    if not _ask_reverse(judged, rows):
        _explain(judged, rows, stubborn, None if whole is None else whole.jaxpr)
        return
    if stubborn:
        raise AnswerFault(Fault("state", bwd_name, _out_of_proportion(pair.bar, stubborn)))
    given = [np.asarray(row.given, np.float64) for row in rows]
    if not (_ask_forward(judged, given, _of_rows(judged.truth, point, rows)) and _ask_differences(judged, rows)):
        return
    if judged.setting.float32 and judged.precision.name == FLOAT64.name:
        _ask_float32(judged, whole is not None and whole.size <= MOST_AT_ONCE)
    if judged.setting.cost and whole is not None:
        questions.ask_for_cost(record, lambda: pair_costs(study(point), *whole.counted()))
        record.excesses = _excesses(judged, whole.jaxpr)


def _excesses(judged: _Judging, whole: ClosedJaxpr) -> tuple[Excess, ...]:
    """What the pair spends without need; nothing where its halves can't be traced apart."""
    point, pair = judged.point, judged.pair
    moving = point.floating()
    spent = Spent(whole, study(point).jaxpr, pair.fwd, pair.bwd, point.primals, judged.truth.y_bar, moving)
    with contextlib.suppress(Exception), judged.record.watch.listening(keep=False):
        return find_excesses(spent)
    return ()


def _explain(
    judged: _Judging, rows: Sequence[Matched], stubborn: Mapping[str, bool], traced: ClosedJaxpr | None
) -> None:
    """Looks for the reason of wrong arrays, once what is known of them was told."""
    record, setting = judged.record, judged.setting
    again = _again(judged)
    record.arrays = confirmed(
        record.arrays, None if again is None else again.arrays, naming_tolerance(judged.precision)
    )
    silent = {array.path: stubborn[array.path] for array in _wrong(record) if array.path in stubborn and not array.slip}
    known = [_proportion(judged.pair.bar, silent)] if silent else []
    record.causes = known
    if judged.truth.by_columns or not setting.reasons:
        return
    if setting.early is not None:
        setting.early(to_comparison(record, setting.names, judged.precision, setting.seed))
    precision, arrays = judged.precision, record.arrays
    expected = cotangents_expected(judged.point, judged.truth)
    wrong = Wrong(judged.point, expected, rows, arrays, precision, traced, frozenset(stubborn), again)
    try:
        found = diagnose(wrong, setting.mistakes)
    except Exception as error:  # the verdict stands, whatever becomes of its reason
        judged.notes.append(f"The reason could not be looked for: {one_sentence(error)}")
        return
    named = {path for cause in found if cause.tier == "mistake" for path in cause.arrays}
    record.causes = found if named >= set(silent) else [*known, *found]


def _wrong(record: Record) -> list[Agreement]:
    return [array for array in record.arrays if not array.right]


def _again(judged: _Judging) -> Wrong | None:
    """The answer at another point and for another cotangent; None where it can't be asked there."""

    def ask(point: Point, rng: np.random.Generator) -> Wrong:
        truth = find_truth(point, judged.precision, rng)
        there = dataclasses.replace(judged, point=point, truth=truth)
        _, residuals = judged.pair.forward(point.primals)
        rows = judged.pair.numbers(point, judged.pair.backward(residuals, truth.y_bar), [])
        arrays = _compared(there, rows, _of_rows(truth, point, rows).reverse)
        return Wrong(point, cotangents_expected(point, truth), rows, arrays, judged.precision)

    return asked_again(judged.point, judged.setting, ask)


def _proportion(bar: str, arrays: Mapping[str, bool]) -> Cause:
    return Cause("proportion", bar, tuple(arrays), _out_of_proportion(bar, arrays), "")


def _ask_proportion(judged: _Judging, rows: Sequence[Matched], returned: Any, residuals: Any) -> dict[str, bool]:
    """Asks `bwd` again with twice the cotangent: what is kept from the first call, or drawn, shows.

    Returns:
        The arrays that are not twice as large, by name, and whether they stay the same.

    Raises:
        AnswerFault: For the same cotangent it gives other numbers.
    """
    pair, y_bar = judged.pair, judged.truth.y_bar
    again = pair.numbers(judged.point, pair.backward(residuals, questions.times(2, y_bar)), [])
    if all(np.array_equal(twice.given, 2 * row.given) for row, twice in zip(rows, again, strict=True)):
        return {}
    refuse_change(returned, pair.backward(residuals, y_bar), judged.setting.names[1])
    return questions.out_of_proportion(rows, again, 2, judged.precision)


def _out_of_proportion(bar: str, arrays: Mapping[str, bool]) -> str:
    return f"Twice the {bar} must give twice the cotangents: {questions.how_stubborn(arrays)}."


def _of_rows(truth: Truth, point: Point, rows: Sequence[Matched]) -> Truth:
    """The truth for the arrays that were returned: data left out by the answer are left out here."""
    names = [path for path, _ in point.floating()]
    places = [names.index(row.path) for row in rows]

    def take(values: list[Any] | None) -> Any:
        return None if values is None else [values[place] for place in places]

    return dataclasses.replace(
        truth,
        reverse=take(truth.reverse),
        x_dots=take(truth.x_dots),
        inner=take(truth.inner),
        columns=take(truth.columns),
    )


def _ask_reverse(judged: _Judging, rows: Sequence[Matched]) -> bool:
    """Holds every array against `jax.vjp`; where that is not exact enough, asks first whether it could be."""
    right = _of_rows(judged.truth, judged.point, rows).reverse
    arrays = _compared(judged, rows, right)
    if not all(array.right for array in arrays):
        judged.precision = _allowing(judged, arrays)
        arrays = _compared(judged, rows, right)
    if judged.truth.by_columns:
        judged.notes.append("The primal has no reverse mode: the columns of forward mode stand in for it.")
        arrays = tuple(dataclasses.replace(array, columns=array.reverse, reverse=None) for array in arrays)
    judged.record.arrays = arrays
    return all(array.right for array in arrays)


def _compared(judged: _Judging, rows: Sequence[Matched], right: Sequence[np.ndarray]) -> tuple[Agreement, ...]:
    handed = {path: np.asarray(leaf, np.float64) for path, leaf in _floating(judged.truth.y_bar, judged.pair.bar)}
    return agreement.compare_arrays(rows, right, judged.precision, handed, judged.point.sizes())


def _floating(tree: Any, path: str) -> list[tuple[str, Any]]:
    return [(name, leaf) for name, leaf in named_leaves(tree, path) if leaf.dtype != jax.dtypes.float0]


def _allowing(judged: _Judging, arrays: Sequence[Agreement]) -> Precision:
    """The precision that allows for an answer that narrows to float32, or for an ill-conditioned narrow problem."""
    precision = judged.precision
    if precision.name == FLOAT64.name:
        return questions.narrowed(arrays, precision, judged.notes)
    return precision.within(_conditioning(judged.point, judged.truth, precision, judged.setting.seed))


def _conditioning(point: Point, truth: Truth, precision: Precision, seed: int) -> float:
    def there(moved: Point) -> list[np.ndarray]:
        return truth_near(moved, precision, truth).reverse

    return conditioning(point, precision, stream(seed), truth.reverse, there)


def _ask_forward(judged: _Judging, given: Sequence[np.ndarray], truth: Truth) -> bool:
    precision, record = judged.precision, judged.record
    forward = agreement.forward_errors(given, truth, precision)
    columns = agreement.column_errors(given, truth, precision)
    limit = 10 * precision.tolerance
    asked = [[error for error in errors if error is not None] for errors in zip(forward, columns, strict=True)]
    record.arrays = tuple(
        dataclasses.replace(array, forward=f, columns=c, right=all(error <= limit for error in errors))
        for array, f, c, errors in zip(record.arrays, forward, columns, asked, strict=True)
    )
    if truth.inner is None:
        judged.notes.append("The primal has no forward mode, so that question is left out.")
        return True
    worst = agreement.worst_of([error for errors in asked for error in errors])
    text = "forward mode agrees: <x_bar, x_dot> = <y_bar, y_dot>"
    record.checks.append(Check("forward", worst <= limit, text, worst, limit))
    return worst <= limit


def _ask_differences(judged: _Judging, rows: Sequence[Matched]) -> bool:
    """One test along one direction of all arrays; the truth stands in for those that the answer rightly left out."""
    given = {row.path: np.asarray(row.given, np.float64) for row in rows}
    whole = [
        given.get(path, right) for (path, _), right in zip(judged.point.floating(), judged.truth.reverse, strict=True)
    ]
    errors = agreement.difference_errors(whole, judged.truth)
    check = questions.difference_check(*errors, judged.precision, judged.notes)
    judged.record.checks.append(check)
    return check.passed


def _ask_float32(judged: _Judging, at_once: bool) -> None:
    """Runs the pair as it will be used, in float32, and holds it against the truth at the rounded point."""
    with jax.enable_x64(False):
        there = judged.point.cast(jnp.float32)
    rounded = judged.point.cast(jnp.float32).cast(jnp.float64)  # integers stay as they were: the same program serves
    try:
        truth = find_truth(rounded, judged.precision, stream(judged.setting.seed))
    except ValueError:
        judged.notes.append(single.NOT_THERE)
        return
    paths = [path for path, _ in rounded.floating()]
    with single.alone():
        y_bar = single.rounded(truth.y_bar)
        rows = judged.pair.numbers_by(there, y_bar, at_once)
    check = single.check(
        rows,
        dict(zip(paths, truth.reverse, strict=True)),
        judged.notes,
        lambda: _conditioning(rounded, truth, single.SINGLE, judged.setting.seed),
        lambda: dict(zip(paths, _by_jax(there, y_bar), strict=True)),
    )
    judged.record.checks.append(check)


def _by_jax(point: Point, y_bar: Any) -> list[np.ndarray]:
    """The cotangents by JAX's own reverse mode in float32."""
    moving, still, join = split_floating(point.primals)

    def ask(moving: Any, still: Any, y_bar: Any) -> Any:
        return jax.vjp(along_floating(point.primal, join, still), *moving, has_aux=True)[1](y_bar)

    with single.alone():
        return [np.asarray(x_bar) for x_bar in quick(ask)(moving, still, without_float0(y_bar)[0])]
