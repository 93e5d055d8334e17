"""Which hypotheses explain an answer at every draw, and which of these to speak of.

One explains all of it where the same multiple of its difference fits every array; two may explain it together where
each array is explained by one of them alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from course.comparison.gates.hypotheses import MULTIPLIERS, Hypothesis
from course.comparison.gates.replay import SLOPES, When
from course.comparison.gates.search import Products

CHANCE = 1e-6
"""Of any numbers at all, about the part tolerance^numbers fits a hypothesis; hundreds are tried."""

FITTED, VARYING = 6, 7
"""The ranks of a path that was multiplied by a number of no meaning, and by another one at each draw: where all paths
to an array lead in one direction, as they do among single numbers, each of them fits with numbers of its own."""

MOST_CAUSES = 2
"""Different causes that are told of one answer."""


@dataclass(frozen=True)
class Match:
    """A hypothesis that the numbers support, and for which arrays, by place.

    `factors` say what its path was multiplied by at each draw: the same, unless a single number's cotangent was taken
    for something that changes with the inputs.
    """

    hypothesis: Hypothesis
    factors: tuple[float, ...]
    arrays: tuple[int, ...]

    @property
    def factor(self) -> float:
        """What its path was multiplied by at the first draw; one that is not fitted has its multiplier set."""
        return self.factors[0] if self.hypothesis.affine else self.hypothesis.multiplier

    @property
    def varies(self) -> bool:
        """Whether it was multiplied by something else at another draw."""
        return len(set(self.factors)) > 1


@dataclass(frozen=True)
class Search:
    """Every hypothesis at one draw, and how to ask for some of them, by place, at the others."""

    first: Products
    others: Sequence[Callable[[Sequence[int]], Products]]


def find_matches(
    search: Search,
    asked: Sequence[int],
    tolerance: float,
    is_known: Callable[[float], bool],
    stubborn: frozenset[int] = frozenset(),
) -> list[Match]:
    """The likeliest explanation: one match, or as few as explain each wrong array; empty where there is none.

    Args:
        search: The inner products.
        asked: Places of the arrays that need an explanation, where not all can be given one.
        tolerance: How near the numbers must be, relative to the error.
        is_known: Whether a factor is one that mistakes are made of.
        stubborn: Places of the arrays that do not follow the cotangent.
    """
    every = tuple(range(len(search.first.ee)))
    alone = [(place,) for place in asked]
    matcher = _Matcher(search, [every, *alone], tolerance, is_known, stubborn)
    whole = matcher.best(every)
    if whole is not None:
        return [whole]
    causes: dict[tuple[Hypothesis, tuple[float, ...]], list[int]] = {}
    for places in alone:
        match = matcher.best(places)
        if match is None:
            return []
        causes.setdefault((match.hypothesis, tuple(round(factor, 6) for factor in match.factors)), []).extend(places)
    if len(causes) > MOST_CAUSES:
        return []
    return [Match(hypothesis, factors, tuple(places)) for (hypothesis, factors), places in causes.items()]


@dataclass(frozen=True)
class _Matcher:
    search: Search
    groups: Sequence[tuple[int, ...]]
    tolerance: float
    is_known: Callable[[float], bool]
    stubborn: frozenset[int]

    def best(self, places: tuple[int, ...]) -> Match | None:
        """The likeliest hypothesis that fits these arrays; None where several fit by numbers of no meaning."""
        ranked = [(self._rank(match), match) for match in self._fitting(places)]
        if not ranked:
            return None
        rank, likeliest = min(ranked, key=lambda pair: pair[0])
        rivals = [match for other, match in ranked if other == rank]
        return likeliest if rank < FITTED or all(self._alike(match, likeliest) for match in rivals) else None

    @cached_property
    def _finalists(self) -> list[int]:
        """Those that fit some arrays at the first draw."""
        found = self.search.first
        return [row for row in range(len(found.tried)) if any(self._fits_once(row, group) for group in self.groups)]

    @cached_property
    def _draws(self) -> list[Products]:
        """The finalists at every draw."""
        return [self.search.first.at(self._finalists), *(ask(self._finalists) for ask in self.search.others)]

    def _fits_once(self, row: int, places: tuple[int, ...]) -> bool:
        found = self.search.first
        sums = _Sums.of(found, row, places)
        possible = sums.ee > 0 and sums.dd > 0 and (found.tried[row].follows <= self.stubborn.isdisjoint(places))
        return possible and any(sums.fit(factor, self.tolerance) for factor in _factors(found.tried[row], [sums]))

    def _fitting(self, places: tuple[int, ...]) -> Iterator[Match]:
        for row, number in enumerate(self._finalists):
            if not self._fits_once(number, places):
                continue
            hypothesis = self.search.first.tried[number]
            draws = [_Sums.of(found, row, places) for found in self._draws]
            numbers = sum(sums.numbers for sums in draws)
            for factor in _factors(hypothesis, draws):
                free = 0 if factor in MULTIPLIERS or self.is_known(factor) else 1
                if self._told(numbers - free) and all(sums.fit(factor, self.tolerance) for sums in draws):
                    yield Match(hypothesis, (factor,) * len(draws), places)
                    break
            else:
                if hypothesis.is_of_one_number and self._told(numbers - len(draws)):
                    own = tuple(1 + sums.fitted for sums in draws)
                    if all(sums.fit(factor, self.tolerance) for sums, factor in zip(draws, own, strict=True)):
                        yield Match(hypothesis, own, places)

    def _told(self, numbers: int) -> bool:
        """Whether so many numbers, without those that were fitted, can't fit by chance."""
        return self.tolerance**numbers <= CHANCE

    def _alike(self, one: Match, other: Match) -> bool:
        pairs = zip(one.factors, other.factors, strict=True)
        return all(abs(a - b) <= self.tolerance * abs(b) for a, b in pairs)

    def _rank(self, match: Match) -> int:
        hypothesis = match.hypothesis
        if hypothesis.rules:
            return 4 if hypothesis.choice <= len(SLOPES) else 5
        if hypothesis.when is not When.ALWAYS or hypothesis.kept:
            return 2
        if match.varies:
            return VARYING
        if match.factor in MULTIPLIERS:
            return 0 if len(hypothesis.edges) == 1 else 1
        return 3 if self.is_known(match.factor) else FITTED


@dataclass(frozen=True)
class _Sums:
    """The inner products of one hypothesis at one draw, of some arrays together."""

    ee: float
    ed: float
    dd: float
    numbers: int

    @classmethod
    def of(cls, found: Products, row: int, places: tuple[int, ...]) -> _Sums:
        chosen = list(places)
        ed, dd = (float(np.sum(table[row, chosen])) for table in (found.ed, found.dd))
        return cls(float(np.sum(found.ee[chosen])), ed, dd, int(np.sum(found.numbers[row, chosen])))

    @property
    def fitted(self) -> float:
        """The multiple of the difference that is nearest to the error."""
        return self.ed / self.dd if self.dd else 0.0

    def fit(self, factor: float, tolerance: float) -> bool:
        """Whether a path multiplied by this makes the error; neither may be there at all."""
        c = factor - 1
        if max(self.ee, c * c * self.dd) <= NOTHING**2:
            return True
        return abs(self.ee - 2 * c * self.ed + c * c * self.dd) <= tolerance**2 * self.ee


NOTHING = 1e-9
"""Relative to an array's scale: an error no larger is that of a right array."""


def _factors(hypothesis: Hypothesis, draws: Sequence[_Sums]) -> tuple[float, ...]:
    """What its path may have been multiplied by; a number that fits all draws is one of it, if any may be."""
    if not hypothesis.affine:
        return (0.0,)
    return (*MULTIPLIERS, 1 + sum(sums.ed for sums in draws) / (sum(sums.dd for sums in draws) or 1.0))
