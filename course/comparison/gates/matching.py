"""Which hypotheses explain an answer, and which of these to speak of.

One explains all of it where the same multiple of its difference fits every array; two may explain it together where
each array is explained by one of them alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from course.comparison.gates.hypotheses import MULTIPLIERS, Hypothesis
from course.comparison.gates.replay import SLOPES, When
from course.comparison.gates.search import Products

CHANCE = 1e-6
"""Of any numbers at all, about the part tolerance^numbers fits a hypothesis; hundreds are tried."""

FITTED = 6
"""The rank of a path that was multiplied by a number of no meaning: where all paths to an array lead in one direction,
as they do among single numbers, each of them fits with a number of its own."""

MOST_CAUSES = 2
"""Different causes that are told of one answer."""


@dataclass(frozen=True)
class Match:
    """A hypothesis that the numbers support: for which arrays, by place, and what its path was multiplied by."""

    hypothesis: Hypothesis
    factor: float
    arrays: tuple[int, ...]


def find_matches(
    found: Products, asked: Sequence[int], tolerance: float, is_known: Callable[[float], bool]
) -> list[Match]:
    """The likeliest explanation: one match, or as few as explain each wrong array; empty where there is none.

    Args:
        found: The inner products.
        asked: Places of the arrays that need an explanation, where not all can be given one.
        tolerance: How near the numbers must be, relative to the error.
        is_known: Whether a factor is one that mistakes are made of.
    """
    matcher = _Matcher(found, tolerance, is_known)
    whole = matcher.best(range(len(found.ee)))
    if whole is not None:
        return [whole]
    alone = [matcher.best([place]) for place in asked]
    if any(match is None for match in alone):
        return []
    causes: dict[tuple[Hypothesis, float], list[int]] = {}
    for place, match in zip(asked, alone, strict=True):
        if match is not None:
            causes.setdefault((match.hypothesis, round(match.factor, 6)), []).append(place)
    if len(causes) > MOST_CAUSES:
        return []
    return [Match(hypothesis, factor, tuple(places)) for (hypothesis, factor), places in causes.items()]


@dataclass(frozen=True)
class _Matcher:
    found: Products
    tolerance: float
    is_known: Callable[[float], bool]

    def best(self, places: Sequence[int]) -> Match | None:
        """The likeliest hypothesis that fits these arrays; None where several fit by numbers of no meaning."""
        matches = list(self._fitting(list(places)))
        likeliest = min(matches, key=self._rank) if matches else None
        if likeliest is None or self._rank(likeliest) < FITTED:
            return likeliest
        alike = all(abs(match.factor - likeliest.factor) <= self.tolerance * abs(likeliest.factor) for match in matches)
        return likeliest if alike else None

    def _fitting(self, places: list[int]) -> Iterator[Match]:
        ee = float(np.sum(self.found.ee[places]))
        for row, hypothesis in enumerate(self.found.tried):
            ed, dd = (float(np.sum(table[row, places])) for table in (self.found.ed, self.found.dd))
            numbers = int(np.sum(self.found.numbers[row, places]))
            if not (dd > 0 and ee > 0):
                continue
            for factor in self._factors(hypothesis, ed / dd):
                c = factor - 1
                short = ee - 2 * c * ed + c * c * dd
                if abs(short) <= self.tolerance**2 * ee and self._told(factor, numbers):
                    yield Match(hypothesis, factor, tuple(places))
                    break

    def _factors(self, hypothesis: Hypothesis, fitted: float) -> tuple[float, ...]:
        return (*MULTIPLIERS, 1 + fitted) if hypothesis.affine else (0.0,)

    def _told(self, factor: float, numbers: int) -> bool:
        """Whether so many numbers can't fit by chance; a factor that was fitted takes one of them, unless known."""
        free = 0 if factor in MULTIPLIERS or self.is_known(factor) else 1
        return self.tolerance ** (numbers - free) <= CHANCE

    def _rank(self, match: Match) -> int:
        hypothesis = match.hypothesis
        if hypothesis.rules:
            return 4 if hypothesis.choice <= len(SLOPES) else 5
        if hypothesis.when is not When.ALWAYS or hypothesis.kept:
            return 2
        if match.factor in MULTIPLIERS:
            return 0 if len(hypothesis.edges) == 1 else 1
        return 3 if self.is_known(match.factor) else FITTED
