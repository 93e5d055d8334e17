"""Judges a function that draws from a random key, by the moments of what it draws: one draw is as right as another.

    z = drawn / scale          numbers of mean 0 and variance 1 that know nothing of each other

Each statistic may be off by `ERRORS` standard errors, those of a Gaussian sample of as many numbers:

    mean of n numbers                                      1 / sqrt(n)
    variance of n numbers                                  sqrt(2 / n)
    mean product of n pairs of numbers                     1 / sqrt(n)
    mean of d * cos(angle)**2 over n pairs of rows of d    sqrt(2 / n)

Source: M. G. Kendall, A. Stuart, "The Advanced Theory of Statistics", volume 1, 3rd edition, 1969, chapter 10.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from course.comparison.answer import AnswerFault, mismatch_is_fault, refuse_change, refuse_packages, refuse_state
from course.comparison.function import in_float64
from course.comparison.judging import Record, Setting, judging, to_comparison
from course.comparison.mistakes import Mistake
from course.comparison.precision import FLOAT64
from course.comparison.state import outside_of
from course.comparison.trees import as_numbers, match
from course.records import Agreement, Cause, Check, Comparison, Slip

ERRORS = 5.0
"""Standard errors that a statistic may be off: one right answer in two million is off by more."""

DRAWS = 2
"""Keys from which is drawn; what comes from one must know nothing of what comes from another."""

_MOST_SEEDS = 1 << 31
"""A class's seeds are longer than a key takes."""


@dataclass(frozen=True)
class Measure:
    """A number made of all that is drawn, such as how much of a signal is left behind fifty layers.

    Attributes:
        name: Of the check that it is.
        of: From a tree of NumPy arrays to a number that is 0 but for chance.
        limit: How far from 0 it may be.
        says: What it means that it is near 0.
    """

    name: str
    of: Callable[[Any], float]
    limit: float
    says: str


@dataclass(frozen=True)
class _Drawn:
    """One array as it was drawn from each key, stacked, and what it should be like."""

    path: str
    numbers: np.ndarray
    scale: np.ndarray

    @property
    def has_shape(self) -> bool:
        return self.numbers.shape[1:] == self.scale.shape

    @property
    def unit(self) -> np.ndarray:
        """The numbers, of variance 1 where they are right."""
        return self.numbers / self.scale

    def variance_error(self, scale: np.ndarray) -> float:
        """How far their variance is from that of numbers of some scale, relative to it."""
        return abs(float(np.mean((self.numbers / scale) ** 2)) - 1)

    @property
    def variance_limit(self) -> float:
        """How far it may be."""
        return ERRORS * math.sqrt(2 / self.numbers.size)


def judge_random(
    scales: Callable[..., Any],
    function: Callable[..., Any],
    arguments: Sequence[Any],
    setting: Setting,
    *,
    returns: str = "w",
    measures: Sequence[Measure] = (),
    refuses: frozenset[str] = frozenset(),
) -> Comparison:
    """Judges a function of a key and some arguments.

    Args:
        scales: From the arguments to a tree of arrays that hold, for each number, its right standard deviation.
        function: The answer.
        arguments: What follows the key, by position.
        setting: How to judge; of its names the first is the function's. A mistake's `primal` gives the scales of
            numbers that are drawn wrongly.
        returns: What the value is called.
        measures: What is asked of all of it together.
        refuses: Packages that the answer may not use.
    """
    record, name = Record(setting.watch()), setting.names[0]
    with judging():
        here = in_float64(tuple(arguments))
        right = scales(*here)
        try:
            refuse_packages(refuses, function)
            values = _draw(function, name, here, setting.seed, record)
            drawn, trees = _laid(right, values, returns, record.watch.notes)
            record.arrays = tuple(_agreement(array, _oddity(array, drawn)) for array in drawn)
            if all(array.right for array in record.arrays):
                record.checks = _checks(drawn, trees[0], measures)
            elif setting.reasons:
                record.causes = _named(drawn, record.arrays, setting.mistakes, here)
        except AnswerFault as stop:
            record.faults.append(stop.fault)
    return to_comparison(record, setting.names, FLOAT64, setting.seed)


def _draw(function: Callable[..., Any], name: str, arguments: Sequence[Any], seed: int, record: Record) -> list[Any]:
    """What it draws from each key.

    Raises:
        AnswerFault: It fails, keeps state, or draws other numbers from the same key.
    """
    watch, keys = record.watch, list(jax.random.split(jax.random.key(seed % _MOST_SEEDS), DRAWS))
    before = outside_of(function)
    values = [watch.call(function, name, key, *arguments, keep=key is keys[0]) for key in keys]
    refuse_state(before, outside_of(function), name)
    refuse_change(values[0], watch.call(function, name, keys[0], *arguments), name)
    return values


def _laid(right: Any, values: Sequence[Any], returns: str, notes: list[str]) -> tuple[list[_Drawn], list[Any]]:
    """Every array that was drawn, and each draw as a tree of the right form.

    Raises:
        AnswerFault: It has another structure, or something in it is no number.
    """
    with mismatch_is_fault():
        rows = [match(right, value, returns, f"the right {returns}", notes, value=True) for value in values]
        numbers = [[np.asarray(as_numbers(row, notes), np.float64) for row in of_key] for of_key in rows]
    paths, scales = [row.path for row in rows[0]], [np.asarray(row.like, np.float64) for row in rows[0]]
    stacked = [np.stack(of_array) for of_array in zip(*numbers, strict=True)]
    drawn = [_Drawn(*array) for array in zip(paths, stacked, scales, strict=True)]
    return drawn, [jax.tree.unflatten(jax.tree.structure(right), of_key) for of_key in numbers]


def _agreement(array: _Drawn, oddity: Slip | None) -> Agreement:
    error = array.variance_error(array.scale) if array.has_shape else math.inf
    shape = array.numbers.shape[1:]
    return Agreement(array.path, shape, str(array.numbers.dtype), oddity is None, value=error, slip=oddity)


def _oddity(array: _Drawn, drawn: Sequence[_Drawn]) -> Slip | None:
    """The first thing at which an array is not as it should be."""
    if not array.has_shape:
        return Slip("shape", f"Yours has shape {array.numbers.shape[1:]}; {array.scale.shape} is asked for.", "")
    if not np.isfinite(array.numbers).all():
        return Slip("not finite", "Some of its numbers are NaN or infinite.", "")
    if (array.numbers[0] == array.numbers[1]).all():
        return Slip("key", "Two keys give the same numbers.", "What is drawn from the key?")
    earlier = drawn[: drawn.index(array)]
    return _odd_rows(array) or _odd_mean(array) or _odd_variance(array) or _odd_pair(array, earlier)


def _odd_mean(array: _Drawn) -> Slip | None:
    mean, deviation = float(np.mean(array.numbers)), float(np.std(array.numbers))
    if abs(mean) <= ERRORS * deviation / math.sqrt(array.numbers.size):
        return None
    return Slip("mean", f"Its mean is {mean:.3g}, of {array.numbers.size} numbers; it should be 0.", "")


def _odd_variance(array: _Drawn) -> Slip | None:
    if array.variance_error(array.scale) <= array.variance_limit:
        return None
    came, right = float(np.mean(array.numbers**2)), float(np.mean(array.scale**2))
    text = f"Its variance is {came:.4g}, of {array.numbers.size} numbers: {came / right:.3g} times the right one."
    return Slip("variance", text, "")


def _odd_rows(array: _Drawn) -> Slip | None:
    """Rows, or columns, that are known from each other; of one or of many axes nothing is asked."""
    if array.numbers.ndim != 3 or min(array.numbers.shape) < 2:
        return None
    spread = array.numbers - np.mean(array.numbers)
    for rows in (spread, spread.swapaxes(1, 2)):
        pairs = DRAWS * math.comb(rows.shape[1], 2)
        if abs(_alignment(rows) - 1) > ERRORS * math.sqrt(2 / pairs):
            return Slip("dependent", "Its rows, or its columns, are not independent of each other.", "")
    return None


def _alignment(rows: np.ndarray) -> float:
    """The mean of d * cos(angle)**2 over all pairs of rows of d numbers; 1 where they are independent."""
    with np.errstate(invalid="ignore"):
        directions = rows / np.linalg.norm(rows, axis=-1, keepdims=True)
    draws, count, d = rows.shape
    squares = sum(float(np.sum((one @ one.T) ** 2)) - count for one in directions)  # less the cosines with themselves
    return squares / (draws * count * (count - 1)) * d


def _odd_pair(array: _Drawn, earlier: Sequence[_Drawn]) -> Slip | None:
    """Numbers that are known from those of an array before, or from those of another key."""
    if _together(array.unit[0], array.unit[1]):
        return Slip("key", "What comes from one key is not independent of what comes from another.", "")
    for other in earlier:
        if _together(array.unit[0], other.unit[0]):
            text = f"Not independent of {other.path}: is a key used twice?"
            return Slip("dependent", text, "Which key does each array come from?")
    return None


def _together(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether numbers at the same places of two arrays go up and down together."""
    count = min(one.size, other.size)
    return abs(float(one.ravel()[:count] @ other.ravel()[:count])) > ERRORS * math.sqrt(count)


def _checks(drawn: Sequence[_Drawn], tree: Any, measures: Sequence[Measure]) -> list[Check]:
    worst = max(drawn, key=lambda array: array.variance_error(array.scale) / array.variance_limit)
    text = f"mean, variance and independence are right, within {ERRORS:.0f} standard errors"
    checks = [Check("value", True, text, worst.variance_error(worst.scale), worst.variance_limit)]
    for measure in measures:
        found = measure.of(tree)
        checks.append(Check(measure.name, abs(found) <= measure.limit, measure.says, abs(found), measure.limit))
    return checks


def _named(
    drawn: Sequence[_Drawn], arrays: Sequence[Agreement], mistakes: Sequence[Mistake], arguments: Sequence[Any]
) -> list[Cause]:
    """The one mistake of the catalogue whose variances are those that came, where nothing but these is wrong."""
    if any(array.slip is not None and array.slip.kind != "variance" for array in arrays):
        return []
    found = [mistake for mistake in mistakes if _fits(drawn, mistake.primal(*arguments))]
    if len(found) != 1:
        return []
    wrong = tuple(array.path for array in arrays if not array.right)
    return [Cause("mistake", found[0].name, wrong, "", found[0].says, found[0].ask)]


def _fits(drawn: Sequence[_Drawn], scales: Any) -> bool:
    leaves = jax.tree.leaves(scales)
    return all(a.variance_error(scale) <= a.variance_limit for a, scale in zip(drawn, leaves, strict=True))
