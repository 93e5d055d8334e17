"""General slips: what a wrong array is, when it is a simple thing done to the right one.

Each rule compares the answer with one transformation of the truth and speaks only when the numbers agree. No rule
knows any exercise.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from course.comparison.norms import norm
from course.comparison.precision import Precision
from course.records import Slip

NAMING_TOLERANCE = 1e-6
"""Relative, in float64: an answer may have narrowed to float32 besides."""

NARROW_NAMING_TOLERANCE = 2e-4
"""The same where the primal narrows."""

CHANCE = 1e-3
"""Of any numbers at all, about the part tolerance^size is near to given ones: few and rough ones tell nothing."""

MOST_AXES = 6
"""Arrays of more axes are not searched for a sum left out."""


@dataclass(frozen=True)
class Context:
    """What a wrong array may be an image of.

    `truth` are the true arrays by name, exactly zero where they vanish; `cotangents` what the answer was handed;
    `sizes` says what each number of the inputs' shapes counts.
    """

    truth: Mapping[str, np.ndarray]
    cotangents: Mapping[str, np.ndarray]
    sizes: Mapping[int, str]
    precision: Precision

    @property
    def tolerance(self) -> float:
        """How near the numbers must be, relative to the norm."""
        return naming_tolerance(self.precision)


def naming_tolerance(precision: Precision) -> float:
    """How near numbers must be to those of a mistake for it to be named, relative to the norm."""
    least = NAMING_TOLERANCE if precision.name == "float64" else NARROW_NAMING_TOLERANCE
    return max(least, precision.tolerance)


def find_slip(path: str, given: np.ndarray, context: Context) -> Slip | None:
    """Explains one wrong array.

    Args:
        path: Its name; a key of `context.truth`.
        given: The answer's numbers, of any shape.
        context: What it may be an image of.
    """
    if not np.all(np.isfinite(given)):
        return _not_finite(given)
    if given.shape != context.truth[path].shape:
        return _shaped_wrong(path, given, context)
    return _same_shape(path, given, context)


def near(given: np.ndarray, right: np.ndarray, tolerance: float) -> bool:
    """Whether the arrays have one shape, differ by less than `tolerance` of the norm, and hardly do so by chance."""
    if given.shape != right.shape or tolerance**right.size > CHANCE:
        return False
    return norm(given - right) <= tolerance * norm(right)


def _not_finite(given: np.ndarray) -> Slip:
    bad = int(np.sum(~np.isfinite(given)))
    what = "NaN" if np.any(np.isnan(given)) else "infinite"
    which = "It" if given.size == 1 else f"{bad} of its {given.size} numbers"
    return Slip(
        "not finite",
        f"{which} {'is' if bad == 1 else 'are'} {what}.",
        "Which exp, log or division met a number that it can't take?",
    )


def _same_shape(path: str, given: np.ndarray, context: Context) -> Slip | None:
    right, tolerance = context.truth[path], context.tolerance
    if near(given, right, tolerance):  # off by less than a name can be told from: it would fit others, too
        return None
    if not np.any(given):
        return Slip("zero", f"Yours is {_all(given, 'zero')}.", "By which path does the output depend on it?")
    if not np.any(right):
        return Slip("not zero", f"It should be {_all(given, 'zero')}.", "Does the output depend on it here at all?")
    if near(given, -right, tolerance):
        match = "It matches" if given.size == 1 else "The numbers match"
        return Slip("sign", f"{match} with the opposite sign.", "Where does a minus come in, or a difference turn?")
    return (
        _rearranged(given, right, tolerance)
        or _exchanged(path, given, context)
        or _scaled(given, right, context)
        or _handed_on(given, context)
    )


def _all(given: np.ndarray, what: str) -> str:
    """What is said of every number of an array, or of the one that it is."""
    return what if given.size == 1 else f"{what} throughout"


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


def _exchanged(path: str, given: np.ndarray, context: Context) -> Slip | None:
    for other, right in context.truth.items():
        if other != path and np.any(right) and near(given, right, context.tolerance):
            return Slip("exchanged", f"These are the numbers of {other}.", "In which order do the cotangents belong?")
    return None


def _handed_on(given: np.ndarray, context: Context) -> Slip | None:
    """What came in, or ones: the local derivative is missing, or all there is."""
    for name, cotangent in context.cotangents.items():
        if near(given, cotangent, context.tolerance):
            return Slip("handed on", f"Yours is {name} as it came.", "By what must it be multiplied on its way?")
    if np.all(given == 1):
        return Slip("ones", f"Yours is {_all(given, '1')}.", "Where does what was handed in enter?")
    return None


def _scaled(given: np.ndarray, right: np.ndarray, context: Context) -> Slip | None:
    unit = right / norm(right)
    factor = float(np.vdot(unit, given / norm(right)))
    if not near(given, factor * right, context.tolerance):
        return None
    known = _known_factor(given, factor, context) or _left_out(given, right, factor, context)
    if known or np.count_nonzero(right) < 2:  # one number is some multiple of any other: only a known one tells
        return known
    return Slip("factor", _times(given, f"{factor:.7g}"), "Which constant is in one of the two alone?", factor)


def known_factor(factor: float, context: Context) -> tuple[str, str] | None:
    """What a factor is called that slips are made of, and where it comes from; None for any other number."""
    for value, name, origin in _constants(context):
        if abs(factor - value) <= context.tolerance * abs(value):
            return name, origin
    return None


def _known_factor(given: np.ndarray, factor: float, context: Context) -> Slip | None:
    known = known_factor(factor, context)
    return Slip("factor", _times(given, *known), "Where does that constant come from, or go?") if known else None


def _times(given: np.ndarray, factor: str, origin: str = "") -> str:
    return f"{'It' if given.size == 1 else 'Every number'} is {factor} times the right one{origin}."


def _left_out(given: np.ndarray, right: np.ndarray, factor: float, context: Context) -> Slip | None:
    """The one number that was handed in is no factor of the answer; another one may be besides."""
    if len(context.cotangents) != 1:
        return None
    ((name, cotangent),) = context.cotangents.items()
    if cotangent.size != 1:
        return None
    if near(given * cotangent.item(), right, context.tolerance):
        return Slip("left out", f"Yours is right for {name} = 1: {name} is left out.", f"Where does {name} enter?")
    known = known_factor(factor * cotangent.item(), context) if given.size > 1 else None
    if known is None:
        return None
    text = f"{name} is left out; besides, {_times(given, *known).lower()}"
    return Slip("left out", text, f"Where does {name} enter, and where does that constant come from, or go?")


def _constants(context: Context) -> Iterator[tuple[float, str, str]]:
    """Factors that slips are made of: their values and names, and where in the inputs they come from."""
    yield from ((value, name, "") for value, name in ((2.0, "2"), (0.5, "1/2"), (-2.0, "-2"), (-0.5, "-1/2")))
    if context.tolerance > NAMING_TOLERANCE and all(array.size < 2 for array in context.truth.values()):
        return  # a lone number is near to one of so many values
    for size, counts in sorted(context.sizes.items()):
        origin = f"; {size} is {counts}"
        for value, name in (
            (size, f"{size}"),
            (1 / size, f"1/{size}"),
            (size**0.5, f"sqrt({size})"),
            (size**-0.5, f"1/sqrt({size})"),
        ):
            yield value, name, origin
            yield -value, f"-{name}", origin


def _shaped_wrong(path: str, given: np.ndarray, context: Context) -> Slip:
    right, tolerance = context.truth[path], context.tolerance
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
    """The axes over which the larger array must be summed to give the smaller one; None if that gives another one."""
    if larger.size <= smaller.size or larger.ndim > MOST_AXES or not np.any(smaller):
        return None
    for count in range(1, larger.ndim + 1):
        for axes in combinations(range(larger.ndim), count):
            summed = larger.sum(axis=axes)
            if summed.size == smaller.size and near(summed.reshape(smaller.shape), smaller, tolerance):
                return axes
    return None


def _axes(axes: tuple[int, ...]) -> str:
    return f"axis {axes[0]}" if len(axes) == 1 else "axes " + " and ".join(str(axis) for axis in axes)
