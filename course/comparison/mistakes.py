"""Mistakes with a name: forward functions of the right value, whose true derivative is somebody's wrong answer.

Where a wrong pass treats a value as a constant, its forward function holds that value in a `stop_gradient`; where it
takes another derivative, the function runs straight through, `sg(f(x)) + w(x) - sg(w(x))`. None holds the right answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jax
import numpy as np

from course.comparison.compiled import QUICK
from course.comparison.floating import Join, along_floating, split_floating
from course.comparison.norms import norm
from course.comparison.point import Point
from course.comparison.slips import known_factor
from course.comparison.ways import Function, Way
from course.comparison.wrong import Wrong
from course.records import Cause

MOST_MISTAKES = 2
"""Mistakes that are told of one answer."""


@dataclass(frozen=True)
class Mistake:
    """A wrong derivation.

    Attributes:
        name: A few words, for lists and tables.
        primal: A function of the primal's arguments and value, whose true derivative is the wrong answer.
        says: What is said to whoever made it: what was done, and not what to write.
        ask: A question that leads to its mending; it is asked before anything is said.
    """

    name: str
    primal: Callable[..., Any]
    says: str
    ask: str = ""


class Mistaken:
    """What every mistake of a catalogue gives at a point, held against an answer."""

    def __init__(self, catalogue: Sequence[Mistake], wrong: Wrong):
        """Differentiates every mistake."""
        places = {path: place for place, path in enumerate(wrong.paths)}
        self._given, self._right, self._tolerance = wrong.given, wrong.right, wrong.tolerance
        self._context = wrong.context
        self._way, handed = wrong.truth.way, wrong.truth.handed
        self._handed = float(handed[0].item()) if len(handed) == 1 and handed[0].size == 1 else None
        found = parts_of(tuple(mistake.primal for mistake in catalogue), wrong.point, self._way, handed)
        self._tried = [
            (mistake, {path: arrays[places[path]] for path in self._given})
            for mistake, arrays in zip(catalogue, found, strict=True)
        ]

    def exact(self) -> Cause | None:
        """The one mistake that the whole answer is."""
        found = [mistake for mistake, arrays in self._tried if self._is_all(arrays) and self._differs(arrays)]
        return self._cause(found[0], found[0].says) if len(found) == 1 else None

    def scaled(self) -> Cause | None:
        """The one mistake that the whole answer is but for one constant factor."""
        given, right = _joined(self._given), _joined(self._right)
        found = []
        for mistake, arrays in self._tried:
            other = _joined(arrays)
            if given.shape != other.shape or np.count_nonzero(other) < 3 or self._is_multiple(other, right):
                continue
            factor = _factor(given, other)
            if self._is_all({path: factor * array for path, array in arrays.items()}):
                found.append((mistake, factor))
        if len(found) != 1:
            return None
        ((mistake, factor),) = found
        besides = self._besides(factor)
        return self._cause(mistake, f"{mistake.says} Besides, {besides}.") if besides else None

    def _besides(self, factor: float) -> str:
        """What a factor is; nothing for one that a single number handed in, drawn by chance, may be hidden in."""
        gives = "every number is {} times what that gives{}"
        known = known_factor(factor, self._context)
        if known is not None:
            return gives.format(*known)
        if self._handed is None:
            return gives.format(f"{factor:.6g}", "")
        rest, missing = factor * self._handed, f"the {self._way.handed} that was handed in is left out"
        if abs(rest - 1) <= self._tolerance:
            return missing
        if abs(factor - self._handed) <= self._tolerance * abs(self._handed):
            return gives.format(f"the {self._way.handed} that was handed in", "")
        known = known_factor(rest, self._context)
        return f"{missing}, and {gives.format(*known)}" if known else ""

    def partly(self, asked: Sequence[str]) -> list[Cause]:
        """The mistakes that some wrong arrays are; empty unless one explains all that are asked, or one alone each."""
        fitting = {
            path: [mistake for mistake, arrays in self._tried if self._is_changed(path, arrays[path])] for path in asked
        }
        common = [mistake for mistake, _ in self._tried if all(mistake in found for found in fitting.values())]
        causes: dict[Mistake, list[str]] = {}
        for path, found in fitting.items():
            likeliest = self._most_local(common or found)
            if likeliest is None:
                return []
            causes.setdefault(likeliest, []).append(path)
        if len(causes) > MOST_MISTAKES:
            return []
        return [
            Cause("mistake", mistake.name, tuple(paths), "", _of_arrays(paths, mistake.says), mistake.ask)
            for mistake, paths in causes.items()
        ]

    def _most_local(self, mistakes: Sequence[Mistake]) -> Mistake | None:
        """The mistake that makes the fewest arrays wrong; None where that is not one alone."""
        changes = {
            mistake: sum(not _near(arrays[path], right, self._tolerance) for path, right in self._right.items())
            for mistake, arrays in self._tried
            if mistake in mistakes
        }
        fewest = [mistake for mistake, count in changes.items() if count == min(changes.values())]
        return fewest[0] if len(fewest) == 1 else None

    def _cause(self, mistake: Mistake, says: str) -> Cause:
        wrong = tuple(path for path, right in self._right.items() if not self._is(path, right))
        return Cause("mistake", mistake.name, wrong, "", says, mistake.ask)

    def _is_all(self, arrays: Mapping[str, np.ndarray]) -> bool:
        return all(self._is(path, array) for path, array in arrays.items())

    def _is(self, path: str, expected: np.ndarray) -> bool:
        given = self._given[path]
        scale = norm(expected) or norm(self._right[path])
        return given.shape == expected.shape and norm(given - expected) <= self._tolerance * scale

    def _is_changed(self, path: str, expected: np.ndarray) -> bool:
        """Whether an array is what a mistake makes of it, and more than a single number says so."""
        changed = not _near(expected, self._right[path], self._tolerance)
        return expected.size > 1 and changed and self._is(path, expected)

    def _differs(self, arrays: Mapping[str, np.ndarray]) -> bool:
        return any(not _near(arrays[path], right, self._tolerance) for path, right in self._right.items())

    def _is_multiple(self, array: np.ndarray, right: np.ndarray) -> bool:
        """Whether an array is some multiple of the truth: a constant more would make any other multiple of it."""
        return _near(_factor(right, array) * array, right, self._tolerance)


def _joined(arrays: Mapping[str, np.ndarray]) -> np.ndarray:
    """All numbers of all arrays."""
    return np.concatenate([array.ravel() for array in arrays.values()])


def _of_arrays(paths: Sequence[str], says: str) -> str:
    return f"{', '.join(paths)}: {says[0].lower()}{says[1:]}"


def _factor(of: np.ndarray, base: np.ndarray) -> float:
    """What one array must be multiplied by to come nearest to another."""
    return float(np.vdot(of, base) / (np.vdot(base, base) or 1.0))


def parts_of(
    primals: tuple[Callable[..., Any], ...], point: Point, way: Way, handed: Sequence[Any]
) -> list[list[np.ndarray]]:
    """The cotangents, or tangents, that many functions of the same arguments and value have at one point."""
    found = _compiled(primals, way)(point.primals, list(handed))
    return jax.tree.map(lambda leaf: np.asarray(leaf, np.float64), found)


@lru_cache(maxsize=64)
def _compiled(primals: tuple[Callable[..., Any], ...], way: Way) -> Callable[..., Any]:
    def run(arguments: Any, handed: Any) -> Any:
        moving, still, join = split_floating(arguments)
        return [way.parts(_floating_alone(primal, join, still), moving, handed) for primal in primals]

    return jax.jit(run, compiler_options=QUICK)


def _floating_alone(primal: Callable[..., Any], join: Join, still: Sequence[Any]) -> Function:
    along = along_floating(primal, join, still)
    return lambda moving: along(*moving)[0]


def _near(left: np.ndarray, right: np.ndarray, tolerance: float) -> bool:
    return left.shape == right.shape and norm(left - right) <= tolerance * (norm(right) or 1.0)
