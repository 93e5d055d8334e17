"""General slips: what a wrong array is, when it is a simple thing done to the right one.

Each rule compares the answer with one transformation of the truth and speaks only when the numbers agree. No rule
knows any exercise.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations

import numpy as np

from course.records import Slip

NAMING_TOLERANCE = 1e-7
"""Relative; wider than that of agreement, since the answer was computed another way."""

FACTOR_TOLERANCE = 1e-4
"""Relative; how near a fitted constant must be to the one it is recognised as."""


def find_slip(
    path: str, given: np.ndarray, truth: Mapping[str, np.ndarray], tolerance: float = NAMING_TOLERANCE
) -> Slip | None:
    """Explains one wrong array.

    Args:
        path: Its name; a key of `truth`.
        given: The answer's numbers, of any shape.
        truth: Every true array by name: the answer may have exchanged two.
        tolerance: How near the numbers must be, relative to the norm.
    """
    right = truth[path]
    if not np.all(np.isfinite(given)):
        return _not_finite(given)
    if given.shape != right.shape:
        return _shaped_wrong(path, given, right, tolerance)
    return _same_shape(path, given, truth, tolerance)


def near(given: np.ndarray, right: np.ndarray, tolerance: float) -> bool:
    """Whether the arrays have one shape, and differ by less than `tolerance` of the norm."""
    if given.shape != right.shape:
        return False
    return bool(np.linalg.norm(given - right) <= tolerance * np.linalg.norm(right))


def _not_finite(given: np.ndarray) -> Slip:
    bad = int(np.sum(~np.isfinite(given)))
    what = "NaN" if np.any(np.isnan(given)) else "infinite"
    return Slip(
        "not finite",
        f"{bad} of its {given.size} numbers {'is' if bad == 1 else 'are'} {what}.",
        "Which exp, log or division met a number that it can't take?",
    )


def _same_shape(path: str, given: np.ndarray, truth: Mapping[str, np.ndarray], tolerance: float) -> Slip | None:
    right = truth[path]
    if not np.any(given):
        return Slip("zero", "Yours is zero throughout.", "By which path does the output depend on it?")
    if not np.any(right):
        return Slip("not zero", "It should be zero throughout.", "Does the output depend on it here at all?")
    if near(given, -right, tolerance):
        return Slip(
            "sign", "The numbers match with the opposite sign.", "Where does a minus come in, or a difference turn?"
        )
    return (
        _rearranged(given, right, tolerance)
        or _exchanged(path, given, truth, tolerance)
        or _scaled(given, right, truth, tolerance)
    )


def _rearranged(given: np.ndarray, right: np.ndarray, tolerance: float) -> Slip | None:
    if right.ndim >= 2 and near(np.swapaxes(given, -1, -2), right, tolerance):
        return _transposed()
    for axis in range(right.ndim):
        if near(np.flip(given, axis), right, tolerance):
            return Slip(
                "reversed",
                f"The numbers match in reverse order along axis {axis}.",
                "In which order does this axis run?",
            )
    return None


def _transposed() -> Slip:
    return Slip("transposed", "The numbers match transposed.", "Which index is the row, and which is the column?")


def _exchanged(path: str, given: np.ndarray, truth: Mapping[str, np.ndarray], tolerance: float) -> Slip | None:
    for other, right in truth.items():
        if other != path and np.any(right) and near(given, right, tolerance):
            return Slip("exchanged", f"These are the numbers of {other}.", "In which order do the cotangents belong?")
    return None


def _scaled(given: np.ndarray, right: np.ndarray, truth: Mapping[str, np.ndarray], tolerance: float) -> Slip | None:
    if right.size < 2 or np.count_nonzero(right) < 2:
        return _scaled_number(given, right, truth)
    factor = float(np.vdot(right, given) / np.vdot(right, right))
    if not np.isfinite(factor) or not near(given, factor * right, tolerance):
        return None
    return _factor(factor, truth) or Slip(
        "factor", f"Every number is {factor:.4g} times the right one.", "Which constant is in one of the two alone?"
    )


def _scaled_number(given: np.ndarray, right: np.ndarray, truth: Mapping[str, np.ndarray]) -> Slip | None:
    """One number is some multiple of any other: only a plain 2 or 1/2 is worth a remark, and only next to arrays."""
    factor = float(np.sum(given) / np.sum(right)) if np.sum(right) else 0.0
    alone = max(array.size for array in truth.values()) < 2
    return None if alone or abs(np.log2(abs(factor) or 1.5)) != 1 else _factor(factor, truth)


def _factor(factor: float, truth: Mapping[str, np.ndarray]) -> Slip | None:
    for value, name in _constants(truth):
        if abs(factor / value - 1) < FACTOR_TOLERANCE:
            return Slip(
                "factor", f"Every number is {name} times the right one.", "Where does that constant come from, or go?"
            )
    return None


def _constants(truth: Mapping[str, np.ndarray]) -> Iterator[tuple[float, str]]:
    yield from ((2.0, "2"), (0.5, "1/2"), (-2.0, "-2"), (-0.5, "-1/2"))
    for length in sorted({n for array in truth.values() for n in array.shape if n > 2}):
        for value, name in (
            (length, f"{length}"),
            (1 / length, f"1/{length}"),
            (length**0.5, f"sqrt({length})"),
            (length**-0.5, f"1/sqrt({length})"),
        ):
            yield value, name
            yield -value, f"-{name}"


def _shaped_wrong(path: str, given: np.ndarray, right: np.ndarray, tolerance: float) -> Slip:
    of = path.replace("_bar", "", 1).replace("_dot", "", 1)
    shapes = f"Yours has shape {given.shape}; {of} has shape {right.shape}."
    if given.ndim >= 2 and near(np.swapaxes(given, -1, -2), right, tolerance):
        return Slip("transposed", f"{shapes} The numbers match transposed.", _transposed().ask)
    axes = _axes_between(given, right, tolerance)
    if axes is not None:
        return Slip(
            "not summed",
            f"{shapes} The numbers match once yours are summed over {_axes(axes)}.",
            "Used many times: what follows?",
        )
    axes = _axes_between(right, given, tolerance)
    if axes is not None:
        return Slip(
            "summed", f"{shapes} Yours is the right one summed over {_axes(axes)}.", "Which index must survive the sum?"
        )
    if given.size == right.size and near(given.reshape(right.shape), right, tolerance):
        return Slip("shape", f"{shapes} The numbers are right.", "Where did the shape change on the way?")
    return Slip("shape", shapes, f"Which index of {of} became which index here?")


def _axes_between(larger: np.ndarray, smaller: np.ndarray, tolerance: float) -> tuple[int, ...] | None:
    """The axes over which the larger array must be summed to give the smaller one."""
    if larger.size <= smaller.size or larger.ndim > 6:
        return None
    for count in range(1, larger.ndim + 1):
        for axes in combinations(range(larger.ndim), count):
            summed = larger.sum(axis=axes)
            if summed.size == smaller.size and near(summed.reshape(smaller.shape), smaller, tolerance):
                return axes
    return None


def _axes(axes: tuple[int, ...]) -> str:
    return f"axis {axes[0]}" if len(axes) == 1 else "axes " + " and ".join(str(axis) for axis in axes)
