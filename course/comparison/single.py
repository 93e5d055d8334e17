"""The question of float32: is an answer, used as it will be used, finite there and as exact as it could be?

It is judged apart from float64. There is nothing to be learned from an error that the problem itself makes: before an
answer is called unstable, the conditioning and JAX's own derivative in float32 are asked.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import jax
import numpy as np

from course.comparison import agreement
from course.comparison.answer import AnswerFault
from course.comparison.precision import narrow
from course.comparison.trees import Matched, without_float0
from course.records import Check

SINGLE = narrow("float32")

AS_GOOD = 3
"""An answer up to this many times less exact than JAX's own derivative is no worse than it."""

NOT_THERE = "The primal is not finite at these arguments rounded to float32, so that question is left out."


def rounded(tree: Any) -> Any:
    """Cotangents or tangents in float32."""
    moving, join = without_float0(tree)
    return join([jax.device_put(np.asarray(leaf, np.float32)) for leaf in moving])


@contextmanager
def alone() -> Iterator[None]:
    """Switches float64 off, and says of a fault that it comes there alone.

    Raises:
        AnswerFault: The same fault, with that.
    """
    try:
        with jax.enable_x64(False):
            yield
    except AnswerFault as stop:
        fault = stop.fault
        raise AnswerFault(dataclasses.replace(fault, message=f"In float32 alone: {fault.message}")) from stop


def check(
    rows: Sequence[Matched],
    right: Mapping[str, np.ndarray],
    notes: list[str],
    conditioning: Callable[[], float],
    own: Callable[[], Mapping[str, np.ndarray]],
) -> Check:
    """Asks of numbers computed in float32 that they be finite; where they are less exact than they could be, a note.

    Args:
        rows: The numbers.
        right: What they should be, by name.
        notes: Grows by what is unusual.
        conditioning: Measures how far the truth moves with the inputs' last bits; asked where that may be the reason.
        own: Gives JAX's own numbers in float32; asked where these may be no better.
    """
    _note_types(rows, notes)
    broken = [row.path for row in rows if not np.all(np.isfinite(row.given))]
    if broken:
        return _not_finite(broken[0], own(), notes)
    given = {row.path: row.given for row in rows}
    error, limit = _worst(given, right), SINGLE.tolerance
    if error > limit:
        limit = SINGLE.within(conditioning()).tolerance
    if error > limit:
        _note_instability(error, limit, given, own(), right, notes)
    return Check("float32", True, f"finite in float32, within {error:.0e}", error, limit)


def _note_instability(
    error: float,
    limit: float,
    given: Mapping[str, np.ndarray],
    own: Mapping[str, np.ndarray],
    right: Mapping[str, np.ndarray],
    notes: list[str],
) -> None:
    of_jax = _worst({path: own[path] for path in given}, right)
    if error > AS_GOOD * of_jax and _worst(given, own) > limit:
        notes.append(f"Numerically unstable: in float32 the error is {error:.0e}, that of JAX's own {of_jax:.0e}.")


def _worst(given: Mapping[str, np.ndarray], right: Mapping[str, np.ndarray]) -> float:
    arrays = [np.asarray(right[path], np.float64) for path in given]
    scales = agreement.scales_in(SINGLE, arrays)
    rows = zip(given.values(), arrays, scales, strict=True)
    return agreement.worst_of([agreement.array_error(array, there, scale) for array, there, scale in rows])


def _not_finite(path: str, own: Mapping[str, np.ndarray], notes: list[str]) -> Check:
    text = f"{path} is not finite in float32, although it is in float64"
    if np.all(np.isfinite(own[path])):
        return Check("float32", False, text, float("inf"), SINGLE.tolerance)
    notes.append(f"{text}; nor is JAX's own there.")
    return Check("float32", True, "not finite in float32, nor is JAX's own")


def _note_types(rows: Sequence[Matched], notes: list[str]) -> None:
    others = sorted({str(row.given.dtype) for row in rows} - {"float32"})
    if others:
        notes.append(f"Given float32, it returns {' and '.join(others)}; JAX makes float32 of it. Accepted.")
