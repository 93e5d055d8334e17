"""Euclidean norms of arrays, however large or small their numbers are."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np


def norm(array: np.ndarray) -> float:
    """The root of the sum of squares; squares that no float holds do no harm. NaN and infinity stay what they are."""
    largest = float(np.max(np.abs(array), initial=0))
    if not 0 < largest < np.inf:
        return largest
    return largest * float(np.linalg.norm((array / largest).ravel()))


def norm_of_all(arrays: Iterable[np.ndarray]) -> float:
    """The norm of all arrays laid end to end; 1 where they are all zero, so that it can be divided by."""
    return norm(np.array([norm(array) for array in arrays])) or 1.0
