"""Small arrays in one line, to redo on paper: `x=[[1 2]]  w=[[3][-1]]  y_bar=[[1]]`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

MOST = 9
"""Numbers of an array that are written out; a larger one shows its first few and its shape."""

_FIRST = 4
_DIGITS = 4
_ALL_DIGITS = 17
"""Significant digits that tell any two float64 numbers apart."""
_PLAIN_BELOW = 1e6
"""Whole numbers below this are written without an exponent."""


def number(value: Any, digits: int = _DIGITS) -> str:
    """A number at `digits` significant digits, a whole one without its dot."""
    if isinstance(value, bool | np.bool_):
        return str(bool(value))
    real = float(value)
    if real.is_integer() and abs(real) < _PLAIN_BELOW:
        return str(int(real))
    return f"{real:.{digits}g}"


def array(value: Any, digits: int = _DIGITS) -> str:
    """An array in one line; None and text as they are."""
    if value is None or isinstance(value, str):
        return str(value)
    numbers = np.asarray(value)
    if numbers.dtype == object:
        return str(value)
    if numbers.size == 0:
        return f"[] of shape {numbers.shape}"
    if numbers.size > MOST:
        first = " ".join(number(entry, digits) for entry in numbers.flat[:_FIRST])
        return f"[{first} …] of shape {numbers.shape}"
    return _nested(numbers, digits)


def _nested(numbers: np.ndarray, digits: int) -> str:
    if numbers.ndim == 0:
        return number(numbers[()], digits)
    between = " " if numbers.ndim == 1 else ""
    return f"[{between.join(_nested(part, digits) for part in numbers)}]"


def named(values: Mapping[str, Any], digits: int = _DIGITS) -> list[str]:
    """Each array behind its name: `x=[1 2]`."""
    return [f"{name}={array(value, digits)}" for name, value in values.items()]


def apart(yours: Any, right: Any) -> tuple[str, str]:
    """Two arrays in one line each, with digits enough to see that they differ."""
    for digits in range(_DIGITS, _ALL_DIGITS):
        pair = array(yours, digits), array(right, digits)
        if pair[0] != pair[1]:
            return pair
    return array(yours), array(right)


def named_apart(yours: Mapping[str, Any], right: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Yours and the right ones behind their names, with digits enough to see which differ."""
    pairs = {name: apart(yours[name], right[name]) for name in yours if name in right}
    mine = {name: pairs[name][0] if name in pairs else value for name, value in yours.items()}
    true = {name: pairs[name][1] if name in pairs else value for name, value in right.items()}
    return named(mine), named(true)
