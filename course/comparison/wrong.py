"""A wrong answer, with all that is known of it when its reason is looked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jax.extend.core import ClosedJaxpr

from course.comparison.agreement import scales_in
from course.comparison.norms import norm
from course.comparison.oracle import Truth
from course.comparison.point import Point
from course.comparison.precision import Precision
from course.comparison.slips import Context, naming_tolerance
from course.comparison.trees import Matched, without_float0
from course.comparison.ways import Reverse, Way
from course.records import Agreement

OPEN_SLIPS = frozenset({"zero", "sign"})
"""Slips that tell what came but not which path it came by; every other one is explanation enough."""


@dataclass(frozen=True)
class Expected:
    """What is right: by which way, for what was handed in, and the numbers by the names of the way's parts."""

    way: Way
    handed: Sequence[Any]
    numbers: Mapping[str, np.ndarray]


def cotangents_expected(point: Point, truth: Truth) -> Expected:
    """The true cotangents of a point's floating arrays."""
    paths = [path for path, _ in point.floating()]
    return Expected(Reverse(), without_float0(truth.y_bar)[0], dict(zip(paths, truth.reverse, strict=True)))


@dataclass(frozen=True)
class Wrong:
    """An answer whose numbers are not those of JAX.

    `point` is in the precision of judgement; `rows` are the answer's arrays that have a tangent, as they came, and
    `arrays` what is known of each of them. `traced` is the whole answer as a program of primals and of what is handed
    in, None where it can't be traced. `stubborn` names the arrays that do not follow what is handed in, as every
    derivative does. `again` is the same answer at a second draw, None where it can't be asked there: what holds at one
    of them alone is chance.
    """

    point: Point
    truth: Expected
    rows: Sequence[Matched]
    arrays: Sequence[Agreement]
    precision: Precision
    traced: ClosedJaxpr | None = None
    stubborn: frozenset[str] = frozenset()
    again: Wrong | None = None

    @property
    def draws(self) -> list[Wrong]:
        """This draw, and the second one where there is one."""
        return [self] if self.again is None else [self, self.again]

    @property
    def tolerance(self) -> float:
        """How near numbers must be to be named, relative to a norm."""
        return naming_tolerance(self.precision)

    @property
    def context(self) -> Context:
        """What its numbers may be an image of."""
        return Context(self.right, {}, self.point.sizes(), self.precision)

    @property
    def paths(self) -> list[str]:
        """The names of everything that could be asked of an answer."""
        return list(self.truth.numbers)

    @property
    def expected(self) -> list[np.ndarray]:
        """What is right of each of them."""
        return list(self.truth.numbers.values())

    @property
    def scales(self) -> list[float]:
        """What the error of each of them is divided by; infinity for one that explains nothing.

        That is one that was not asked for, or came in another shape or not finite.
        """
        given = self.given
        return [
            scale if path in given and given[path].shape == right.shape and np.all(np.isfinite(given[path])) else np.inf
            for path, right, scale in zip(
                self.paths, self.expected, scales_in(self.precision, self.expected), strict=True
            )
        ]

    @property
    def given(self) -> dict[str, np.ndarray]:
        """The answer's numbers, by name."""
        return {row.path: np.asarray(row.given, np.float64) for row in self.rows}

    @property
    def right(self) -> dict[str, np.ndarray]:
        """The true numbers of the arrays that were given, by name."""
        return {row.path: self.truth.numbers[row.path] for row in self.rows}

    @property
    def paths_wrong(self) -> list[str]:
        """The names of the arrays that are wrong."""
        return [array.path for array in self.arrays if not array.right]

    @property
    def unexplained(self) -> list[str]:
        """Those of them that no general slip explains; none where one slip explains them all."""
        wrong = [array for array in self.arrays if not array.right]
        slips = {array.slip.text if array.slip else None for array in wrong}
        if len(wrong) > 1 and len(slips) == 1 and None not in slips:
            return []
        return [array.path for array in wrong if array.slip is None or array.slip.kind in OPEN_SLIPS]

    def errors(self) -> list[np.ndarray]:
        """Answer minus truth for every array, relative to its scale; zeros for one that explains nothing."""
        given = self.given
        return [
            (given[path] - right) / scale if np.isfinite(scale) else np.zeros(right.shape)
            for path, right, scale in zip(self.paths, self.expected, self.scales, strict=True)
        ]

    def is_near(self, numbers: np.ndarray, expected: np.ndarray) -> bool:
        """Whether numbers of the same shape are the expected ones; never so for zeros."""
        if numbers.shape != expected.shape or not np.any(expected):
            return False
        return norm(numbers - expected) <= self.tolerance * norm(expected)
