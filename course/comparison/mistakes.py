"""Mistakes with a name: forward functions of the right value, whose true derivative is somebody's wrong answer.

Where a wrong pass treats a value as a constant, its forward function holds that value in a `stop_gradient`; where it
takes another derivative, the function runs straight through, `sg(f(x)) + w(x) - sg(w(x))`. None holds the right answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import jax
import numpy as np

from course.comparison.floating import Join, along_floating, split_floating
from course.comparison.norms import norm
from course.comparison.point import Point
from course.comparison.slips import known_factor
from course.comparison.ways import Function, Way
from course.comparison.wrong import Wrong
from course.quick_compile import QUICK
from course.records import Cause

MOST_MISTAKES = 2
"""Mistakes that are told of one answer."""

FEWEST_NUMBERS = 2
"""One number at one draw is some multiple of any other."""


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


class _Drawn(NamedTuple):
    """An answer at one draw, and what every mistake gives there; `handed` is what was handed in if that is a number."""

    given: Mapping[str, np.ndarray]
    right: Mapping[str, np.ndarray]
    made: Mapping[Mistake, Mapping[str, np.ndarray]]
    handed: float | None


class Mistaken:
    """What every mistake of a catalogue gives at every draw, held against an answer."""

    def __init__(self, catalogue: Sequence[Mistake], wrong: Wrong):
        """Differentiates every mistake."""
        self._catalogue, self._tolerance, self._context = catalogue, wrong.tolerance, wrong.context
        self._way = wrong.truth.way
        self._draws = [_drawn(catalogue, draw) for draw in wrong.draws]

    @property
    def _first(self) -> _Drawn:
        return self._draws[0]

    def exact(self) -> Cause | None:
        """The one mistake that the whole answer is."""
        found = [mistake for mistake in self._catalogue if self._is_whole(mistake) and self._differs(mistake)]
        return self._cause(found[0], found[0].says) if len(found) == 1 else None

    def scaled(self) -> Cause | None:
        """The one mistake that the whole answer is but for one factor."""
        found = [(mistake, besides) for mistake in self._catalogue if (besides := self._besides(mistake))]
        if len(found) != 1:
            return None
        ((mistake, besides),) = found
        return self._cause(mistake, f"{mistake.says} Besides, {besides}.")

    def _besides(self, mistake: Mistake) -> str:
        """What the answer is times what a mistake gives; empty where that is nothing that can be told."""
        gives = "every number is {} times what that gives{}"
        constant = self._times(mistake, [1.0] * len(self._draws))
        if constant:
            return gives.format(*self._called(constant))
        handed = [draw.handed for draw in self._draws if draw.handed]
        if len(handed) < len(self._draws):
            return ""
        if self._is_one(self._times(mistake, [1 / bar for bar in handed])):
            return gives.format(f"the {self._way.handed} that was handed in", "")
        rest, missing = self._times(mistake, handed), f"the {self._way.handed} that was handed in is left out"
        if not rest or self._is_one(rest):
            return missing if rest else ""
        return f"{missing}, and {gives.format(*self._called(rest))}"

    def _times(self, mistake: Mistake, weights: Sequence[float]) -> float:
        """The number c for which weight * answer = c * mistake at every draw; zero where there is none.

        Of a mistake that is some multiple of the truth any other multiple of it would be one.
        """
        given, right, made = (
            np.concatenate([weight * _joined(arrays) for weight, arrays in zip(of, every, strict=True)])
            for of, every in (
                (weights, [draw.given for draw in self._draws]),
                ([1.0] * len(weights), [draw.right for draw in self._draws]),
                ([1.0] * len(weights), [draw.made[mistake] for draw in self._draws]),
            )
        )
        if given.shape != made.shape or np.count_nonzero(made) < FEWEST_NUMBERS:
            return 0.0
        if _near(_factor(right, made) * made, right, self._tolerance):
            return 0.0
        c = _factor(given, made)
        fits = (
            self._is(draw, path, c / weight * array)
            for draw, weight in zip(self._draws, weights, strict=True)
            for path, array in draw.made[mistake].items()
        )
        return c if all(fits) else 0.0

    def _called(self, factor: float) -> tuple[str, str]:
        return known_factor(factor, self._context) or (f"{factor:.6g}", "")

    def _is_one(self, factor: float) -> bool:
        return abs(factor - 1) <= self._tolerance

    def partly(self, asked: Sequence[str]) -> list[Cause]:
        """The mistakes that some wrong arrays are; empty unless one explains all that are asked, or one alone each."""
        fitting = {path: [m for m in self._catalogue if self._is_changed(path, m)] for path in asked}
        common = [mistake for mistake in self._catalogue if all(mistake in found for found in fitting.values())]
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
        changes = {mistake: len(self._changed_by(mistake)) for mistake in mistakes}
        fewest = [mistake for mistake, count in changes.items() if count == min(changes.values())]
        return fewest[0] if len(fewest) == 1 else None

    def _changed_by(self, mistake: Mistake) -> list[str]:
        """The arrays that a mistake makes wrong."""
        made, right = self._first.made[mistake], self._first.right
        return [path for path in right if not _near(made[path], right[path], self._tolerance)]

    def _cause(self, mistake: Mistake, says: str) -> Cause:
        wrong = tuple(path for path, right in self._first.right.items() if not self._is(self._first, path, right))
        return Cause("mistake", mistake.name, wrong, "", says, mistake.ask)

    def _is_whole(self, mistake: Mistake) -> bool:
        return all(self._is(draw, path, x) for draw in self._draws for path, x in draw.made[mistake].items())

    def _is(self, draw: _Drawn, path: str, expected: np.ndarray) -> bool:
        given = draw.given[path]
        scale = norm(expected) or norm(draw.right[path])
        return given.shape == expected.shape and norm(given - expected) <= self._tolerance * scale

    def _is_changed(self, path: str, mistake: Mistake) -> bool:
        """Whether an array is what a mistake makes of it, and more than a single number says so."""
        made = [draw.made[mistake][path] for draw in self._draws]
        told = sum(array.size for array in made) > 1 and path in self._changed_by(mistake)
        return told and all(self._is(draw, path, array) for draw, array in zip(self._draws, made, strict=True))

    def _differs(self, mistake: Mistake) -> bool:
        return bool(self._changed_by(mistake))


def _drawn(catalogue: Sequence[Mistake], wrong: Wrong) -> _Drawn:
    places = {path: place for place, path in enumerate(wrong.paths)}
    bars = wrong.truth.handed
    found = parts_of(tuple(mistake.primal for mistake in catalogue), wrong.point, wrong.truth.way, bars)
    given = wrong.given
    made = [{path: arrays[places[path]] for path in given} for arrays in found]
    handed = float(bars[0].item()) if len(bars) == 1 and bars[0].size == 1 else None
    return _Drawn(given, wrong.right, dict(zip(catalogue, made, strict=True)), handed)


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
