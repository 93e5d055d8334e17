"""The characters of a text as the ids that a network reads: places in an alphabet."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np


def ids_of(alphabet: str, text: str) -> np.ndarray:
    """The id of each character.

    Raises:
        ValueError: The alphabet has not all of them.
    """
    return np.array([alphabet.index(character) for character in text], np.int32)


def text_of(alphabet: str, ids: Iterable[int]) -> str:
    """The characters of some ids."""
    return "".join(alphabet[id_] for id_ in ids)
