"""A play, character by character: "The Tragedie of Hamlet" in the spelling of the First Folio.

Source: W. Shakespeare, "Comedies, Histories, & Tragedies", 1623, as transcribed by Project Gutenberg (0ws26): public
domain. Indents were taken out, and all empty lines of several but one.
"""

from __future__ import annotations

from importlib.resources import files

import numpy as np

from course.training.alphabet import ids_of
from course.training.data import Examples, Splits, split

ALPHABET = "\n !&'(),-.1:;?ABCDEFGHIKLMNOPQRSTVWYZ[]abcdefghijklmnopqrstuvwxyz"
"""The character of each id: all that are in the play."""

SEQ = 64
"""Characters that are read at once."""

STRIDE = 4
"""How far from one row the next one of the training data begins, so that most characters are read at every place."""

_PASSAGE = 8 * SEQ + 1
"""Characters in a row that are learned from, or tested on."""


def play(stride: int = STRIDE) -> Splits:
    """Ids (rows, seq), and after each the one that follows; for validation and test every character once.

    Args:
        stride: How far from one row the next one of the training data begins, in characters.
    """
    text = (files("course.training") / "texts" / "hamlet.txt").read_text(encoding="utf-8")
    ids = ids_of(ALPHABET, text)
    passages = ids[: len(ids) // _PASSAGE * _PASSAGE].reshape(-1, _PASSAGE)
    parts = split((passages,))
    return Splits(*(_rows(part, each) for (part,), each in zip(parts, (stride, SEQ, SEQ), strict=True)))


def _rows(passages: np.ndarray, stride: int) -> Examples:
    rows = np.lib.stride_tricks.sliding_window_view(passages, SEQ + 1, axis=1)[:, ::stride].reshape(-1, SEQ + 1)
    return rows[:, :-1], rows[:, 1:]
