"""The questions that are asked of every answer, whatever its kind: is it pure, traceable, and right in value?"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import numpy as np
from jax.extend.core import ClosedJaxpr

from course.comparison import agreement
from course.comparison.answer import AnswerFault, Watch, mismatch_is_fault
from course.comparison.faults import fault_of
from course.comparison.judging import Record, Setting
from course.comparison.norms import norm
from course.comparison.precision import Precision
from course.comparison.trees import (
    Matched,
    Mismatch,
    as_numbers,
    describe,
    has_tangent,
    is_key,
    match,
    refuse_cotangent,
    without_float0,
)
from course.comparison.words import listed
from course.records import Agreement, Check, Cost, Fault

ACCEPTED_NARROWING = 1e-6
"""An answer that agrees this well in float64, but not to 1e-9, has narrowed to float32 somewhere; that is a note."""

DIFFERENCE_LIMIT = 1e-6
"""Relative. Central differences at the best step are good to about 1e-9; three times their own error is allowed."""

KINK = 1e-3
"""Relative. Where central differences and JAX's derivative are further apart than this, they mean different things."""


def numbers_of(rows: Sequence[Matched], notes: list[str]) -> list[Matched]:
    """The rows that have a tangent, with the numbers that came for each.

    Raises:
        AnswerFault: They are no numbers, or numbers where there is no tangent.
    """
    with mismatch_is_fault():
        for row in rows:
            if not has_tangent(row.like):
                refuse_cotangent(row)
        return [row._replace(given=as_numbers(row, notes)) for row in rows if has_tangent(row.like)]


def ask_for_tracing(
    program: Callable[..., Any], arguments: tuple[Any, ...], at: Callable[[], str], setting: Setting, watch: Watch
) -> ClosedJaxpr | None:
    """Asks whether an answer is safe under `jit`, by tracing alone.

    Args:
        program: Calls the answer.
        arguments: Arrays that become tracers.
        at: Says which of the answer's functions runs at the moment.
        setting: Says whether being traceable is asked for.
        watch: Grows by a note where it is not.

    Returns:
        The traced program; None where it can't be traced and need not be.

    Raises:
        AnswerFault: It can't be traced, or differentiates where it must not.
    """
    with watch.listening(keep=False):
        try:
            with watch.by_hand():
                traced = jax.make_jaxpr(lambda *traced: _arrays(program(*traced)))(*arguments)
            watch.refuse_routes(at(), traced)
            return traced
        except KeyboardInterrupt:
            raise
        except AnswerFault as stop:
            fault = stop.fault
        except BaseException as error:
            watch.refuse_routes(at())
            fault = fault_of(error, at())
    if fault.kind == "refused":
        raise AnswerFault(fault)
    if fault.kind == "exception":
        fault = dataclasses.replace(fault, kind="tracing")
    if setting.traceable:
        raise AnswerFault(fault)
    watch.notes.append(f"Right for numbers, not yet for jit: {fault.message}")
    return None


def _arrays(returned: Any) -> list[Any]:
    return [leaf for leaf in jax.tree.leaves(returned) if getattr(leaf, "dtype", None) != jax.dtypes.float0]


def ask_for_value(y: Any, right: Any, name: str, precision: Precision, record: Record) -> None:
    """Holds the forward value against the primal's.

    Raises:
        AnswerFault: It differs.
    """
    notes = record.watch.notes
    with mismatch_is_fault():
        rows = [_as_values(row, notes) for row in match(right, y, "y", "the primal's value", notes, value=True)]
    arrays = [np.asarray(row.like, np.float64) for row in rows]
    for row, array, scale in zip(rows, arrays, agreement.scales_in(precision, arrays), strict=True):
        error = agreement.array_error(row.given, array, scale)
        if not error <= max(precision.tolerance, ACCEPTED_NARROWING):
            raise AnswerFault(Fault("value", name, _value_message(row, array, error)))
        if error > precision.tolerance:
            notes.append(f"{name} agrees to {error:.0e} and no better: it narrows to float32. Accepted.")
    record.checks.append(Check("value", True, "the forward value is the primal's"))


def _as_values(row: Matched, notes: list[str]) -> Matched:
    """A row of numbers; keys are told apart by theirs.

    Raises:
        Mismatch: It holds none.
    """
    if not is_key(row.like):
        return row._replace(given=as_numbers(row, notes))
    if not is_key(row.given):
        raise Mismatch("structure", row.path, f"{row.path} must be a random key; yours is {describe(row.given)}.")
    return row._replace(like=jax.random.key_data(row.like), given=np.asarray(jax.random.key_data(row.given)))


def _value_message(row: Matched, right: np.ndarray, error: float) -> str:
    if row.given.shape != right.shape:
        return (
            f"{row.path} must have the shape of the primal's value, {right.shape}; yours has shape {row.given.shape}."
        )
    if not np.isfinite(error):
        return f"{row.path} must be the primal's value; yours is not finite."
    return f"{row.path} must be the primal's value; yours is off by {error:.2g} of its norm. Mend the value first."


def narrowed(arrays: Sequence[Agreement], precision: Precision, notes: list[str]) -> Precision:
    """The precision for an answer whose errors are of the size that float32 leaves, and the same one for any other."""
    worst = agreement.worst_of([array.reverse for array in arrays if array.reverse is not None])
    if not worst <= ACCEPTED_NARROWING:
        return precision
    notes.append(f"Agrees to {worst:.0e} and no better: somewhere it narrows to float32. Accepted.")
    return dataclasses.replace(precision, tolerance=ACCEPTED_NARROWING)


def difference_check(error: float, expected: float, precision: Precision, notes: list[str]) -> Check:
    """Holds the error against central differences beside the one that JAX's own derivative shows there."""
    limit = max(DIFFERENCE_LIMIT, precision.tolerance, 3 * expected)
    if expected > max(KINK, precision.tolerance):
        notes.append(
            f"Central differences and JAX's own derivative are {expected:.0e} apart here: the primal has a kink "
            "nearby, or a derivative that is stopped or set by a rule."
        )
    text = f"central differences agree to {error:.1e}; {expected:.1e} is what they can do here"
    return Check("differences", error <= limit, text, error, limit)


PROPORTIONAL = 1e-6
"""Relative. What is handed in, times 2, must give the answer times 2: exactly, but for an order of summation."""


def times(factor: float, tree: Any) -> Any:
    """Cotangents or tangents, multiplied by a number."""
    moving, join = without_float0(tree)
    return join([jax.device_put(factor * np.asarray(leaf)) for leaf in moving])


def out_of_proportion(
    once: Sequence[Matched], again: Sequence[Matched], factor: float, precision: Precision
) -> dict[str, bool]:
    """The arrays that did not become larger by the factor of what is handed in, and whether they stay the same."""
    limit = max(PROPORTIONAL, precision.tolerance)
    found = {}
    for row, other in zip(once, again, strict=True):
        scale = norm(other.given) + norm(row.given) or 1.0
        if not agreement.array_error(other.given, factor * row.given, scale) <= limit:
            found[row.path] = np.array_equal(row.given, other.given)
    return found


STAYED, DID_NOT_FOLLOW = "stayed the same", "did not follow"
"""What is said of arrays that are no linear function of what is handed in, as every derivative is."""


def how_stubborn(arrays: Mapping[str, bool]) -> str:
    """What arrays did that do not follow what is handed in."""
    return f"{listed(list(arrays))} {STAYED if all(arrays.values()) else DID_NOT_FOLLOW}"


def ask_for_cost(record: Record, count: Callable[[], tuple[Cost, ...]]) -> None:
    """Records what the answer costs; a note where JAX's own methods can't be counted."""
    try:
        record.costs = count()
    except Exception as error:
        record.watch.notes.append(f"Its cost can't be counted beside JAX's own: {fault_of(error).message}")
