"""5163 first names, spelled character by character; a dot begins and ends each.

Source: US Census Bureau, "Frequently Occurring Surnames and First Names", 1990: public domain.
"""

from __future__ import annotations

from importlib.resources import files

import numpy as np

from course.lessons.losses import IGNORED
from course.training.alphabet import ids_of, text_of
from course.training.data import Splits, split

ALPHABET = ".abcdefghijklmnopqrstuvwxyz"
"""The character of each id."""

DOT = 0
"""The id of the dot."""


def first_names() -> Splits:
    """Ids (names, seq), and after each the one that follows: IGNORED after the dot that ends a name."""
    names = (files("course.training") / "texts" / "first_names.txt").read_text(encoding="utf-8").split()
    seq = 1 + max(map(len, names))
    ids, labels = np.full((len(names), seq), DOT, np.int32), np.full((len(names), seq), IGNORED, np.int32)
    for row, name in enumerate(names):
        spelled = ids_of(ALPHABET, name)
        ids[row, 1 : 1 + len(name)] = spelled
        labels[row, : 1 + len(name)] = [*spelled, DOT]
    return split((ids, labels))


def spell(ids: np.ndarray) -> str:
    """The name that some ids spell, up to the dot that ends it."""
    return text_of(ALPHABET, ids).partition(".")[0]
