"""How far each array of an answer is from each oracle, in norms of whole arrays.

The error of an array is the norm of its difference over the norm of the true one. Entry by entry, right answers are
off by any factor where the truth is near zero; as a whole they never are. NaN fails: every test reads `not (error <=
tolerance)`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from course.comparison.oracle import Truth
from course.comparison.precision import Precision
from course.comparison.slips import find_slip
from course.comparison.trees import Matched
from course.records import Agreement, Entry


def scales(truth: Sequence[np.ndarray], floor: float) -> list[float]:
    """What each array's error is divided by: its norm, or a small part of the norm of all where it vanishes."""
    norms = [float(np.linalg.norm(array)) for array in truth]
    whole = float(np.linalg.norm(norms)) if norms else 0.0
    return [max(norm, floor * whole, np.finfo(float).tiny) if whole else 1.0 for norm in norms]


def array_error(given: np.ndarray, right: np.ndarray, scale: float) -> float:
    """The relative error of one array; infinite when the shapes differ, NaN when the numbers do."""
    if given.shape != right.shape:
        return float("inf")
    return float(np.linalg.norm((given.astype(np.float64) - right).ravel()) / scale)


def compare_arrays(rows: Sequence[Matched], right: Sequence[np.ndarray], precision: Precision) -> tuple[Agreement, ...]:
    """Holds every array against the truth, and explains those that are wrong where a general slip does.

    Args:
        rows: The answer's arrays that have a tangent.
        right: The true arrays, in the same order.
        precision: How exactly they must agree.
    """
    named = {row.path: array for row, array in zip(rows, right, strict=True)}
    return tuple(
        _compare_array(row, array, scale, named, precision)
        for row, array, scale in zip(rows, right, scales(right, precision.floor), strict=True)
    )


def _compare_array(
    row: Matched, right: np.ndarray, scale: float, named: dict[str, np.ndarray], precision: Precision
) -> Agreement:
    given = np.asarray(row.given, np.float64) if row.given is not None else np.zeros(right.shape)
    error = array_error(given, right, scale)
    agrees = error <= precision.tolerance
    return Agreement(
        path=row.path,
        shape=given.shape,
        dtype=str(row.given.dtype) if row.given is not None else "none",
        right=agrees,
        reverse=error,
        slip=None if agrees else find_slip(row.path, given, named, max(precision.tolerance * 10, 1e-7)),
        worst=None if agrees else _worst(given, right),
    )


def _worst(given: np.ndarray, right: np.ndarray) -> Entry | None:
    if given.shape != right.shape or not right.size:
        return None
    distance = np.where(np.isfinite(given), np.abs(given - right), np.inf)
    index = np.unravel_index(int(np.argmax(distance)), right.shape)
    return Entry(tuple(int(i) for i in index), float(given[index]), float(right[index]))


def forward_errors(given: Sequence[np.ndarray], truth: Truth, precision: Precision) -> list[float]:
    """For each array, the worst discrepancy of <x_bar, x_dot> = <y_bar, y_dot> over its directions, relative."""
    errors = []
    for x_bar, x_dots, inner, scale in zip(
        given, truth.x_dots, truth.inner, scales(truth.reverse, precision.floor), strict=True
    ):
        pairings = np.tensordot(x_dots, x_bar, axes=x_bar.ndim) if x_bar.size else np.zeros(len(x_dots))
        errors.append(float(np.max(np.abs(pairings - inner)) / scale))
    return errors


def column_errors(given: Sequence[np.ndarray], truth: Truth, precision: Precision) -> list[float | None]:
    """For each array, its error against every column of `jax.jacfwd`; None where the columns were too many."""
    if truth.columns is None:
        return [None] * len(given)
    return [
        array_error(x_bar, right, scale)
        for x_bar, right, scale in zip(given, truth.columns, scales(truth.columns, precision.floor), strict=True)
    ]


def difference_errors(given: Sequence[np.ndarray], truth: Truth) -> tuple[float, float]:
    """The error of the answer against central differences along the nudge, and the one that `jax.vjp` itself shows."""
    scale = max(float(np.linalg.norm([np.linalg.norm(array) for array in truth.reverse])), np.finfo(float).tiny)

    def error(arrays: Sequence[np.ndarray]) -> float:
        slope = sum(float(np.sum(a * v)) for a, v in zip(arrays, truth.nudge, strict=True))
        return abs(slope - truth.difference) / scale

    return error(given), error(truth.reverse)
