"""Mistakes with a name: forward functions of the right value, whose true derivative is somebody's wrong answer.

Where a wrong pass treats a value as a constant, its forward function holds that value in a `stop_gradient`; where it
takes another derivative, the function runs straight through, `sg(f(x)) + w(x) - sg(w(x))`. None holds the right answer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jax
import numpy as np

from course.comparison.compiled import QUICK
from course.comparison.floating import along_floating, split_floating
from course.comparison.norms import norm
from course.comparison.point import Point
from course.comparison.trees import without_float0
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
        ask: A question that leads to its mending.
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
        found = cotangents_of(tuple(mistake.primal for mistake in catalogue), wrong.point, wrong.truth.y_bar)
        self._tried = [
            (mistake, {path: arrays[places[path]] for path in self._given})
            for mistake, arrays in zip(catalogue, found, strict=True)
        ]

    def exact(self) -> Cause | None:
        """The mistake that the whole answer is."""
        for mistake, arrays in self._tried:
            if self._differs(mistake) and all(self._is(path, arrays[path]) for path in self._given):
                return Cause("mistake", mistake.name, self._wrong(), "", mistake.says, mistake.ask)
        return None

    def scaled(self) -> Cause | None:
        """The mistake that the whole answer is but for one constant factor."""
        for mistake, arrays in self._tried:
            if not self._differs(mistake):
                continue
            ones, others = (
                np.concatenate([side[path].ravel() for path in self._right]) for side in (self._given, arrays)
            )
            if ones.shape != others.shape or np.count_nonzero(others) < 3:
                continue
            factor = float(np.vdot(ones, others) / np.vdot(others, others))
            if all(self._is(path, factor * arrays[path]) for path in self._given):
                says = f"{mistake.says} Besides, every number is {factor:.6g} times what that gives."
                return Cause("mistake", mistake.name, self._wrong(), "", says, mistake.ask)
        return None

    def partly(self, asked: Sequence[str]) -> list[Cause]:
        """The mistakes that some wrong arrays are, each of them one; empty unless few explain all that are asked."""
        causes: dict[Mistake, list[str]] = {}
        for path in asked:
            match = next((mistake for mistake, arrays in self._tried if self._is_changed(path, arrays[path])), None)
            if match is None:
                return []
            causes.setdefault(match, []).append(path)
        if len(causes) > MOST_MISTAKES:
            return []
        return [
            Cause("mistake", mistake.name, tuple(paths), "", f"{', '.join(paths)}: {mistake.says}", mistake.ask)
            for mistake, paths in causes.items()
        ]

    def _is(self, path: str, expected: np.ndarray) -> bool:
        given = self._given[path]
        scale = norm(expected) or norm(self._right[path])
        return given.shape == expected.shape and norm(given - expected) <= self._tolerance * scale

    def _is_changed(self, path: str, expected: np.ndarray) -> bool:
        """Whether an array is what a mistake makes of it, and more than a single number says so."""
        changed = not _near(expected, self._right[path], self._tolerance)
        return expected.size > 1 and changed and self._is(path, expected)

    def _differs(self, mistake: Mistake) -> bool:
        arrays = dict(self._tried)[mistake]
        return any(not _near(arrays[path], right, self._tolerance) for path, right in self._right.items())

    def _wrong(self) -> tuple[str, ...]:
        return tuple(path for path, right in self._right.items() if not self._is(path, right))


def cotangents_of(primals: tuple[Callable[..., Any], ...], point: Point, y_bar: Any) -> list[list[np.ndarray]]:
    """The cotangents that many functions of the same arguments and value have at one point: a list for each."""
    found = _compiled(primals)(point.primals, without_float0(y_bar)[0])
    return jax.tree.map(lambda leaf: np.asarray(leaf, np.float64), found)


@lru_cache(maxsize=64)
def _compiled(primals: tuple[Callable[..., Any], ...]) -> Callable[..., Any]:
    def run(arguments: Any, y_bar: Any) -> Any:
        moving, still, join = split_floating(arguments)
        return [jax.vjp(along_floating(primal, join, still), *moving, has_aux=True)[1](y_bar) for primal in primals]

    return jax.jit(run, compiler_options=QUICK)


def _near(left: np.ndarray, right: np.ndarray, tolerance: float) -> bool:
    return left.shape == right.shape and norm(left - right) <= tolerance * (norm(right) or 1.0)
