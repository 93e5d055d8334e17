"""How well the next character is guessed by counting what followed the last few: what a network has to beat.

    p(c after h) = (count(h, c) + kinds(h) * p(c after h without its first)) / (count(h) + kinds(h))

`kinds(h)` is how many different characters were seen after h; after nothing all characters are as likely as any other.

Source: I. H. Witten, T. C. Bell, "The Zero-Frequency Problem: Estimating the Probabilities of Novel Events in Adaptive
Text Compression", IEEE Transactions on Information Theory 37, 1991.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from course.lessons.losses import IGNORED
from course.show.plots import Level
from course.training.alphabet import text_of
from course.training.data import Splits

Following = tuple[str, str]
"""Some characters, and the one that followed them."""

_LONGEST = 7
"""Characters that are looked back at, at most."""


@dataclass(frozen=True)
class Counting:
    """The best guess by counting: by how many characters, and the bits that it needs for each one of the test."""

    characters: int
    bits: float


def best_by_counting(
    train: Sequence[Following], validation: Sequence[Following], test: Sequence[Following], symbols: int
) -> Counting:
    """Counts what follows what in `train`, looks back as far as is best for `validation`, and measures on `test`.

    Args:
        train: What is counted, at least one.
        validation: What decides how many characters are looked back at.
        test: What is guessed.
        symbols: How many different characters there are.
    """
    after = _counted(train)
    back = min(range(_LONGEST + 1), key=lambda length: _bits(after, validation, length, symbols))
    return Counting(back, _bits(after, test, back, symbols))


def level_by_counting(alphabet: str, splits: Splits) -> Level:
    """What the best guess by counting needs for rows of ids, and of what follows each."""
    train, validation, test = (what_follows(alphabet, *part) for part in splits)
    best = best_by_counting(train, validation, test, len(alphabet))
    return Level(f"counting, {best.characters} back", best.bits)


def what_follows(alphabet: str, ids: np.ndarray, labels: np.ndarray) -> list[Following]:
    """Each character with a label in rows of characters, and what was before it in its row."""
    rows = [text_of(alphabet, row) for row in ids]
    return [
        (row[: place + 1], alphabet[label])
        for row, following in zip(rows, labels, strict=True)
        for place, label in enumerate(following)
        if label != IGNORED
    ]


def _counted(pairs: Iterable[Following]) -> dict[str, Counter[str]]:
    """How often each character followed each of the ends, up to the longest, of what was before it."""
    after: dict[str, Counter[str]] = defaultdict(Counter)
    for before, character in pairs:
        for length in range(min(_LONGEST, len(before)) + 1):
            after[before[len(before) - length :]][character] += 1
    return after


def _bits(after: dict[str, Counter[str]], pairs: Sequence[Following], back: int, symbols: int) -> float:
    """The mean of -log2 p, looking `back` at so many characters."""
    chances = [_chance(after, before[max(0, len(before) - back) :], character, symbols) for before, character in pairs]
    return -sum(map(math.log2, chances)) / len(chances)


def _chance(after: dict[str, Counter[str]], before: str, character: str, symbols: int) -> float:
    chance = 1 / symbols
    for length in range(len(before) + 1):
        seen = after.get(before[len(before) - length :])
        if seen is None:
            break
        chance = (seen[character] + len(seen) * chance) / (seen.total() + len(seen))
    return chance
