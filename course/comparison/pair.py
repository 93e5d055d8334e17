"""Judges one pair at one point: callable as asked, then value, reverse mode, forward mode, differences, float32.

The first question that fails ends the judging. Whatever the answer does is recorded; only a fault of the call itself,
such as a primal that does not run, is raised.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from course.comparison import agreement, words
from course.comparison.answer import (
    AnswerFault,
    Watch,
    globals_of,
    mismatch_is_fault,
    refuse_change,
    refuse_state,
    two_parts,
)
from course.comparison.costs import method_costs
from course.comparison.faults import fault_of
from course.comparison.oracle import Truth, find_truth
from course.comparison.point import Point
from course.comparison.precision import FLOAT64, HEADROOM, UNIT_ROUNDOFF, Precision, precision_named, precision_of
from course.comparison.returned import cotangent_rows
from course.comparison.trees import (
    Matched,
    as_numbers,
    has_tangent,
    match,
    named_leaves,
    refuse_cotangent,
    without_float0,
)
from course.records import Agreement, Check, Comparison, Cost, Fault

ACCEPTED_NARROWING = 1e-6
"""An answer that agrees this well in float64, but not to 1e-9, has narrowed to float32 somewhere; that is a note."""

DIFFERENCE_LIMIT = 1e-6
"""Relative. Central differences at the best step are good to about 1e-9; three times their own error is allowed."""


@dataclass(frozen=True)
class Setting:
    """How a pair is judged.

    `names` are what the reader calls the two functions. `asked` are the places of the primals whose cotangents are
    returned (all by default), `data` those whose cotangent may be None although they are floating.
    """

    names: tuple[str, str] = ("fwd", "bwd")
    seed: int = 0
    precision: str | None = None
    asked: tuple[int, ...] | None = None
    data: tuple[int, ...] = ()
    traceable: bool = True
    float32: bool = True
    cost: bool = True
    aloud: bool = False


@contextmanager
def judging() -> Iterator[None]:
    """Judging runs in float64 on the CPU, so that it says the same on every machine."""
    with jax.enable_x64(True), jax.default_device(jax.local_devices(backend="cpu")[0]):
        yield


@dataclass
class Record:
    """What is known so far; becomes a `Comparison` at the end."""

    watch: Watch
    arrays: tuple[Agreement, ...] = ()
    checks: list[Check] = dataclasses.field(default_factory=list)
    costs: tuple[Cost, ...] = ()
    faults: list[Fault] = dataclasses.field(default_factory=list)


def judge_pair(point: Point, fwd: Callable[..., Any], bwd: Callable[..., Any], setting: Setting) -> Comparison:
    """Judges a pair at a point.

    Args:
        point: The primal and its arguments, of any precision.
        fwd: `fwd(*primals) -> (y, residuals)`.
        bwd: `bwd(residuals, y_bar) -> tuple of cotangents`.
        setting: How to judge.

    Raises:
        ValueError: The primal does not run at these arguments.
    """
    record = Record(Watch(setting.aloud))
    with judging():
        here, precision = at_precision(point, setting.precision)
        truth = find_truth(here, precision, np.random.default_rng(setting.seed))
        try:
            _judge(_Judging(here, fwd, bwd, setting, precision, truth, record))
        except AnswerFault as stop:
            record.faults.append(stop.fault)
    return to_comparison(record, " and ".join(setting.names), precision, setting.seed)


def at_precision(point: Point, asked: str | None) -> tuple[Point, Precision]:
    """The point in the precision of judgement: the one asked for, or what the primal itself allows.

    Raises:
        ValueError: The primal does not run, or there is no such precision.
    """
    wide = point.cast(jnp.float64)
    _refuse_failing_primal(wide)
    if asked is None:
        return wide, precision_of(wide.primal, wide.primals)
    precision = precision_named(asked)
    return point.cast(precision.dtype), precision


def _refuse_failing_primal(point: Point) -> None:
    """Runs the primal on shapes alone.

    Raises:
        ValueError: It fails, or returns complex numbers or nothing that has a tangent.
    """
    try:
        shape = jax.eval_shape(point.primal, *point.primals)
    except Exception as error:
        fault = fault_of(error, "the primal")
        place = "" if fault.line is None else f" ({fault.line})"
        raise ValueError(
            f"The primal must run, and be traceable, at the arguments given: {fault.message}{place}"
        ) from error
    leaves = jax.tree.leaves(shape)
    if any(jnp.issubdtype(leaf.dtype, jnp.complexfloating) for leaf in leaves):
        raise ValueError(
            "The primal must return real numbers; it returns complex ones. Return real and imaginary part apart."
        )
    if not any(jnp.issubdtype(leaf.dtype, jnp.floating) for leaf in leaves):
        raise ValueError(
            "The primal must return floating-point numbers; it returns none, so there is nothing to differentiate."
        )


def to_comparison(record: Record, answer: str, precision: Precision, seed: int) -> Comparison:
    """Closes a record, adding its sentences."""
    reason = f"judged in {precision.name}: {precision.reason}" if precision.reason else ""
    notes = ([reason] if reason else []) + list(dict.fromkeys(record.watch.notes))
    return Comparison(
        answer=answer,
        headline=words.headline_of(record.arrays, record.checks, record.faults),
        remarks=words.remarks_of(record.arrays, record.checks, record.faults),
        arrays=record.arrays,
        checks=tuple(record.checks),
        costs=record.costs,
        faults=tuple(record.faults),
        notes=tuple(notes),
        precision=precision.name,
        seed=seed,
        jax_version=jax.__version__,
        printed=record.watch.printed,
    )


@dataclass
class _Judging:
    """One pair on its way through the questions."""

    point: Point
    fwd: Callable[..., Any]
    bwd: Callable[..., Any]
    setting: Setting
    precision: Precision
    truth: Truth
    record: Record

    @property
    def watch(self) -> Watch:
        return self.record.watch

    def run(self, primals: Sequence[Any], y_bar: Any, keep: bool = False) -> tuple[Any, Any]:
        """Runs the pair: (y, what bwd returned)."""
        fwd_name, bwd_name = self.setting.names
        returned = self.watch.call(self.fwd, fwd_name, *primals, keep=keep)
        y, residuals = two_parts(returned, fwd_name, "(y, residuals)")
        return y, self.watch.call(self.bwd, bwd_name, residuals, y_bar, keep=keep)

    def numbers(self, returned: Any, notes: list[str]) -> list[Matched]:
        """The arrays that have a tangent, with the numbers that came for each.

        Raises:
            AnswerFault: They don't fit the primals.
        """
        setting = self.setting
        with mismatch_is_fault():
            rows = cotangent_rows(self.point, returned, setting.names[1], notes, setting.asked, setting.data)
            for row in rows:
                if not has_tangent(row.like):
                    refuse_cotangent(row)
            return [row._replace(given=as_numbers(row, notes)) for row in rows if has_tangent(row.like)]


def _judge(judging: _Judging) -> None:
    record, setting, truth = judging.record, judging.setting, judging.truth
    before = globals_of(judging.fwd, judging.bwd)
    y, returned = judging.run(judging.point.primals, truth.y_bar, keep=True)
    rows = judging.numbers(returned, judging.watch.notes)
    _ask_for_purity(judging, (y, returned), before)
    _ask_for_tracing(judging)
    ask_for_value(y, truth.y, setting.names[0], judging.precision, record)
    if not _ask_reverse(judging, rows):
        return
    given = [np.asarray(row.given, np.float64) for row in rows]
    judged = _of_rows(judging, rows)
    if not (_ask_forward(judging, given, judged) and _ask_differences(judging, given, judged)):
        return
    if setting.float32 and judging.precision is FLOAT64:
        _ask_float32(judging, rows)
    if setting.cost:
        record.costs = _costs(judging)


def _ask_for_purity(judging: _Judging, first: Any, before: dict[str, str]) -> None:
    name = " and ".join(dict.fromkeys(judging.setting.names))
    refuse_state(before, globals_of(judging.fwd, judging.bwd), name)
    refuse_change(first, judging.run(judging.point.primals, judging.truth.y_bar), name)


def _ask_for_tracing(judging: _Judging) -> None:
    kept, y_bar = without_float0(judging.truth.y_bar)

    def both(primals: Any, moving: Any) -> Any:
        y, residuals = judging.fwd(*primals)
        return y, judging.bwd(residuals, y_bar(moving))

    ask_for_tracing(both, (judging.point.primals, kept), judging.setting, judging.watch)


def ask_for_tracing(function: Callable[..., Any], arguments: tuple[Any, ...], setting: Setting, watch: Watch) -> None:
    """Asks whether an answer is safe under `jit`, by tracing alone.

    Raises:
        AnswerFault: It is not, and the setting asks for it; otherwise there is a note.
    """

    def numbers(*traced: Any) -> list[Any]:
        leaves = jax.tree.leaves(function(*traced))
        return [leaf for leaf in leaves if getattr(leaf, "dtype", None) != jax.dtypes.float0]

    with watch.listening(keep=False):
        try:
            jax.make_jaxpr(numbers)(*arguments)
            return
        except (Exception, SystemExit) as error:
            fault = dataclasses.replace(fault_of(error, setting.names[1]), kind="tracing")
    if setting.traceable:
        raise AnswerFault(fault)
    watch.notes.append(f"Right for numbers, not yet for jit: {fault.message}")


def ask_for_value(y: Any, right: Any, name: str, precision: Precision, record: Record) -> None:
    """Holds the forward value against the primal's.

    Raises:
        AnswerFault: It differs.
    """
    rows = _value_rows(right, y, record.watch)
    arrays = [np.asarray(row.like, np.float64) for row in rows]
    for row, array, scale in zip(rows, arrays, agreement.scales(arrays, precision.floor), strict=True):
        error = agreement.array_error(row.given, array, scale)
        if not error <= max(precision.tolerance, ACCEPTED_NARROWING):
            raise AnswerFault(Fault("value", name, _value_message(row, array, error)))
    record.checks.append(Check("value", True, "the forward value is the primal's"))


def _value_rows(like: Any, given: Any, watch: Watch) -> list[Matched]:
    with mismatch_is_fault():
        rows = match(like, given, "y", "the primal's value", watch.notes, value=True)
        return [row._replace(given=as_numbers(row, watch.notes)) for row in rows if row.given is not None]


def _value_message(row: Matched, right: np.ndarray, error: float) -> str:
    if row.given is not None and row.given.shape != right.shape:
        return (
            f"{row.path} must have the shape of the primal's value, {right.shape}; yours has shape {row.given.shape}."
        )
    if not np.isfinite(error):
        return f"{row.path} must be the primal's value; yours is not finite."
    return (
        f"{row.path} must be the primal's value; yours is off by {error:.2g} of its norm. Mend forward before backward."
    )


def _of_rows(judging: _Judging, rows: Sequence[Matched]) -> Truth:
    """The truth for the arrays that were returned: data left out by the answer are left out here."""
    names = [path for path, _ in _floating_paths(judging.point)]
    places = [names.index(row.path) for row in rows]
    truth = judging.truth

    def take(values: list[Any]) -> list[Any]:
        return [values[place] for place in places]

    return dataclasses.replace(
        truth,
        reverse=take(truth.reverse),
        x_dots=take(truth.x_dots),
        inner=take(truth.inner),
        columns=None if truth.columns is None else take(truth.columns),
    )


def _floating_paths(point: Point) -> list[tuple[str, Any]]:
    return [
        (path, leaf)
        for name, primal in zip(point.names, point.primals, strict=True)
        for path, leaf in named_leaves(primal, f"{name}_bar")
        if has_tangent(leaf)
    ]


def _ask_reverse(judging: _Judging, rows: Sequence[Matched]) -> bool:
    right = _of_rows(judging, rows).reverse
    arrays = agreement.compare_arrays(rows, right, judging.precision)
    if _narrowed(arrays, judging.precision):
        judging.precision = dataclasses.replace(judging.precision, tolerance=ACCEPTED_NARROWING)
        worst = max(array.reverse or 0.0 for array in arrays)
        judging.watch.notes.append(f"Agrees to {worst:.0e} and no better: somewhere it narrows to float32. Accepted.")
        arrays = agreement.compare_arrays(rows, right, judging.precision)
    judging.record.arrays = arrays
    return all(array.right for array in arrays)


def _narrowed(arrays: Sequence[Agreement], precision: Precision) -> bool:
    errors = [array.reverse for array in arrays if array.reverse is not None]
    return bool(errors) and precision.tolerance < max(errors) <= ACCEPTED_NARROWING


def _ask_forward(judging: _Judging, given: Sequence[np.ndarray], truth: Truth) -> bool:
    precision = judging.precision
    forward = agreement.forward_errors(given, truth, precision)
    columns = agreement.column_errors(given, truth, precision)
    limit = 10 * precision.tolerance
    judging.record.arrays = tuple(
        dataclasses.replace(array, forward=f, columns=c, right=f <= limit and (c is None or c <= limit))
        for array, f, c in zip(judging.record.arrays, forward, columns, strict=True)
    )
    worst = max([*forward, *(c for c in columns if c is not None)], default=0.0)
    text = "forward mode agrees: <x_bar, x_dot> = <y_bar, y_dot>"
    judging.record.checks.append(Check("forward", worst <= limit, text, worst, limit))
    return worst <= limit


def _ask_differences(judging: _Judging, given: Sequence[np.ndarray], truth: Truth) -> bool:
    if len(truth.reverse) < len(judging.truth.reverse):
        given, truth = _filled(judging, given, truth)
    check = difference_check(*agreement.difference_errors(given, truth), judging.precision)
    judging.record.checks.append(check)
    return check.passed


def difference_check(error: float, expected: float, precision: Precision) -> Check:
    """Holds the error against central differences beside the one that JAX's own derivative shows there."""
    limit = max(DIFFERENCE_LIMIT, precision.tolerance, 3 * expected)
    text = f"central differences agree to {error:.1e}; {expected:.1e} is what they can do here"
    return Check("differences", error <= limit, text, error, limit)


def _filled(judging: _Judging, given: Sequence[np.ndarray], truth: Truth) -> tuple[list[np.ndarray], Truth]:
    """All arrays for the one directional test: the truth where the answer rightly gave nothing."""
    names = {row.path: array for row, array in zip(judging.record.arrays, given, strict=True)}
    paths = [path for path, _ in _floating_paths(judging.point)]
    whole = judging.truth
    return [names.get(path, right) for path, right in zip(paths, whole.reverse, strict=True)], whole


def _ask_float32(judging: _Judging, rows: Sequence[Matched]) -> None:
    """Runs the pair as it will be used, in float32, and holds it against the truth at the rounded point."""
    rounded = judging.point.cast(jnp.float32)
    rng = np.random.default_rng(judging.setting.seed)
    truth = find_truth(rounded.cast(jnp.float64), judging.precision, rng)
    y_bar = jax.tree.map(
        lambda leaf: leaf if leaf.dtype == jax.dtypes.float0 else leaf.astype(jnp.float32), truth.y_bar
    )
    with jax.enable_x64(False):
        _, returned = judging.run(rounded.primals, y_bar)
        narrow = judging.numbers(returned, [])
    right = _of_rows(dataclasses.replace(judging, truth=truth), narrow).reverse
    judging.record.checks.append(float32_check(narrow, right, judging.watch))


def float32_check(rows: Sequence[Matched], right: Sequence[np.ndarray], watch: Watch) -> Check:
    """Asks of numbers computed in float32 that they be finite; where they are less exact than they could be, a note."""
    limit = HEADROOM * 4 * UNIT_ROUNDOFF["float32"]
    given = [np.asarray(row.given, np.float64) for row in rows]
    broken = [row.path for row, array in zip(rows, given, strict=True) if not np.all(np.isfinite(array))]
    if broken:
        return Check(
            "float32", False, f"{broken[0]} is not finite in float32, although it is in float64", float("inf"), limit
        )
    errors = [
        agreement.array_error(array, truth, scale)
        for array, truth, scale in zip(given, right, agreement.scales(right, 1e-2), strict=True)
    ]
    worst = max(errors, default=0.0)
    if worst > limit:
        watch.notes.append(
            f"Numerically unstable: in float32 the error is {worst:.1e}, where {limit:.0e} is to be had."
        )
    return Check("float32", True, f"finite in float32, within {worst:.0e}", worst, limit)


def _costs(judging: _Judging) -> tuple[Cost, ...]:
    try:
        return method_costs(judging.point, judging.fwd, judging.bwd)
    except Exception as error:
        judging.watch.notes.append(f"Its cost can't be counted: {fault_of(error, judging.setting.names[1]).message}")
        return ()
