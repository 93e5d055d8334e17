"""A wrong answer, with all that is known of it when its reason is looked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jax.extend.core import ClosedJaxpr

from course.comparison.agreement import scales_in
from course.comparison.norms import norm
from course.comparison.oracle import Truth
from course.comparison.point import Point
from course.comparison.precision import Precision
from course.comparison.slips import Context, naming_tolerance
from course.comparison.trees import Matched
from course.records import Agreement

OPEN_SLIPS = frozenset({"zero", "sign"})
"""Slips that tell what came but not which path it came by; every other one is explanation enough."""


@dataclass(frozen=True)
class Wrong:
    """A pair whose cotangents are not those of reverse mode.

    `point` is in the precision of judgement; `rows` are the answer's arrays that have a tangent, as they came, and
    `arrays` what is known of each of them. `traced` is the whole pair as a program of primals and cotangent, None where
    it can't be traced.
    """

    point: Point
    truth: Truth
    rows: Sequence[Matched]
    arrays: Sequence[Agreement]
    precision: Precision
    traced: ClosedJaxpr | None = None

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
        """The names of all the point's floating arrays."""
        return [path for path, _ in self.point.floating()]

    @property
    def scales(self) -> list[float]:
        """What the error of each of them is divided by; infinity for one that explains nothing.

        That is one that was not asked for, or came in another shape or not finite.
        """
        given = self.given
        return [
            scale if path in given and given[path].shape == right.shape and np.all(np.isfinite(given[path])) else np.inf
            for path, right, scale in zip(
                self.paths, self.truth.reverse, scales_in(self.precision, self.truth.reverse), strict=True
            )
        ]

    @property
    def given(self) -> dict[str, np.ndarray]:
        """The answer's numbers, by name."""
        return {row.path: np.asarray(row.given, np.float64) for row in self.rows}

    @property
    def right(self) -> dict[str, np.ndarray]:
        """The true numbers of the arrays that were given, by name."""
        every = dict(zip(self.paths, self.truth.reverse, strict=True))
        return {row.path: every[row.path] for row in self.rows}

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
            for path, right, scale in zip(self.paths, self.truth.reverse, self.scales, strict=True)
        ]

    def is_near(self, numbers: np.ndarray, expected: np.ndarray) -> bool:
        """Whether numbers of the same shape are the expected ones; never so for zeros."""
        if numbers.shape != expected.shape or not np.any(expected):
            return False
        return norm(numbers - expected) <= self.tolerance * norm(expected)
