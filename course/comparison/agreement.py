"""How far each array of an answer is from each oracle, in norms of whole arrays.

The error of an array is the norm of its difference over the norm of the true one. Entry by entry, right answers are
off by any factor where the truth is near zero; as a whole they never are. NaN fails: every test reads `not (error <=
tolerance)`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from course.comparison.norms import norm, norm_of_all
from course.comparison.oracle import Truth
from course.comparison.precision import VANISHING, Precision
from course.comparison.slips import Context, find_slip
from course.comparison.trees import Matched
from course.records import Agreement, Entry


def scales(truth: Sequence[np.ndarray], floor: float, vanishing: float = VANISHING) -> list[float]:
    """What each array's error is divided by: its norm, but no less than the part `floor` of the norm of all.

    An array that is zero but for rounding, up to the part `vanishing`, is held against the norm of all.
    """
    whole, sizes = norm_of_all(truth), [norm(array) for array in truth]
    return [whole if size <= vanishing * whole else max(size, floor * whole) for size in sizes]


def scales_in(precision: Precision, truth: Sequence[np.ndarray]) -> list[float]:
    """What each array's error is divided by in this precision."""
    return scales(truth, precision.floor, precision.vanishing)


def array_error(given: np.ndarray, right: np.ndarray, scale: float) -> float:
    """The relative error of one array; infinite when the shapes differ, NaN when the numbers do."""
    if given.shape != right.shape:
        return float("inf")
    with np.errstate(invalid="ignore", over="ignore"):
        return norm(given.astype(np.float64) - right) / scale


def worst_of(errors: Sequence[float]) -> float:
    """The largest error; NaN where there is one."""
    return float(np.max(errors, initial=0.0))


def compare_arrays(
    rows: Sequence[Matched],
    right: Sequence[np.ndarray],
    precision: Precision,
    cotangents: Mapping[str, np.ndarray] | None = None,
    sizes: Mapping[int, str] | None = None,
) -> tuple[Agreement, ...]:
    """Holds every array against the truth, and explains those that are wrong where a general slip does.

    Args:
        rows: The answer's arrays that have a tangent.
        right: The true arrays, in the same order.
        precision: How exactly they must agree.
        cotangents: What the answer was handed, by name: it may have handed it on as it came.
        sizes: What each number of the inputs' shapes counts, to explain a factor.
    """
    divisors = scales_in(precision, right)
    named = {
        row.path: array if norm(array) > precision.vanishing * scale else np.zeros_like(array)
        for row, array, scale in zip(rows, right, divisors, strict=True)
    }
    context = Context(named, cotangents or {}, sizes or {}, precision)
    return tuple(
        _compare_array(row, array, scale, context) for row, array, scale in zip(rows, right, divisors, strict=True)
    )


def _compare_array(row: Matched, right: np.ndarray, scale: float, context: Context) -> Agreement:
    given = np.asarray(row.given, np.float64)
    error = array_error(given, right, scale)
    agrees = error <= context.precision.tolerance
    return Agreement(
        path=row.path,
        shape=given.shape,
        dtype=str(row.given.dtype),
        right=agrees,
        reverse=error,
        slip=None if agrees else find_slip(row.path, given, context),
        worst=None if agrees else _worst(given, right),
    )


def _worst(given: np.ndarray, right: np.ndarray) -> Entry | None:
    if given.shape != right.shape or not right.size:
        return None
    distance = np.where(np.isfinite(given), np.abs(given - right), np.inf)
    index = np.unravel_index(int(np.argmax(distance)), right.shape)
    return Entry(tuple(int(i) for i in index), float(given[index]), float(right[index]))


def forward_errors(given: Sequence[np.ndarray], truth: Truth, precision: Precision) -> list[float | None]:
    """For each array, the worst discrepancy of <x_bar, x_dot> = <y_bar, y_dot> over its directions, relative."""
    if truth.inner is None:
        return [None] * len(given)
    errors: list[float | None] = []
    for x_bar, x_dots, inner, scale in zip(
        given, truth.x_dots, truth.inner, scales_in(precision, truth.reverse), strict=True
    ):
        pairings = x_dots.reshape(len(x_dots), -1).astype(np.float64) @ x_bar.ravel()
        errors.append(worst_of(np.abs(pairings - inner) / scale))
    return errors


def column_errors(given: Sequence[np.ndarray], truth: Truth, precision: Precision) -> list[float | None]:
    """For each array, its error against every column of forward mode; None where the columns were too many."""
    if truth.columns is None:
        return [None] * len(given)
    return [
        array_error(x_bar, right, scale)
        for x_bar, right, scale in zip(given, truth.columns, scales_in(precision, truth.columns), strict=True)
    ]


def difference_errors(given: Sequence[np.ndarray], truth: Truth) -> tuple[float, float]:
    """The error of the answer against central differences along the nudge, and the one that `jax.vjp` itself shows."""
    pairs = zip(truth.reverse, truth.nudge, strict=True)
    scale = norm_of_all(norm(array) * v / max(v.size, 1) ** 0.5 for array, v in pairs)

    def error(arrays: Sequence[np.ndarray]) -> float:
        slope = sum(float(np.sum(a * v)) for a, v in zip(arrays, truth.nudge, strict=True))
        return abs(slope - truth.difference) / scale

    return error(given), error(truth.reverse)
