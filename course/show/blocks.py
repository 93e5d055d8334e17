"""Arrays as blocks of aligned numbers: one block to a name, side by side as far as the page is wide."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from course.show import arrays

DIGITS = 4
"""Significant digits of an array's largest number."""

_MOST_DECIMALS = 6
_GAP = "    "


def is_numbers(value: Any) -> bool:
    """Whether a value is an array or a number, and not a text."""
    return not isinstance(value, str) and np.asarray(value).dtype.kind in "fiub"


def cells(value: Any, beside: Iterable[Any] = ()) -> list[list[str]]:
    """The numbers of an array as text, row by row, to as many decimals as those of other arrays `beside` it."""
    numbers = np.asarray(value)
    decimals = _decimals([numbers, *map(np.asarray, beside)])
    rows = numbers.reshape(-1, numbers.shape[-1]) if numbers.ndim else numbers.reshape(1, 1)
    return [[_number(entry, decimals) for entry in row] for row in rows]


def differing(one: Sequence[Sequence[str]], other: Sequence[Sequence[str]]) -> list[list[bool]]:
    """Which numbers of an array read otherwise than those of another; all of them where their shapes differ."""
    if [len(row) for row in one] != [len(row) for row in other]:
        return [[True for _ in row] for row in one]
    return [[a != b for a, b in zip(*rows, strict=True)] for rows in zip(one, other, strict=True)]


def block(name: str, rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of one width: the name, and the rows under it."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(entry.rjust(width) for entry, width in zip(row, widths, strict=True)) for row in rows]
    width = max(len(name), *map(len, lines))
    return [name.ljust(width), *(line.ljust(width) for line in lines)]


def flowing(blocks: Sequence[Sequence[str]], width: int) -> list[str]:
    """Blocks beside one another, as many as fit into a width, and the others below these."""
    lines: list[str] = []
    row: list[Sequence[str]] = []
    for one in blocks:
        if row and len(_GAP.join([*(part[0] for part in row), one[0]])) > width:
            lines += [*_beside(row), ""]
            row = []
        row.append(one)
    return [*lines, *_beside(row)]


def _beside(row: Sequence[Sequence[str]]) -> list[str]:
    height = max(map(len, row), default=0)
    filled = [[*part, *[" " * len(part[0])] * (height - len(part))] for part in row]
    return [_GAP.join(parts).rstrip() for parts in zip(*filled, strict=True)]


def _decimals(numbers: Sequence[np.ndarray]) -> int | None:
    """How many decimals show the largest number to its digits; None where that takes an exponent."""
    flat = np.concatenate([one.ravel().astype(np.float64) for one in numbers])
    finite = flat[np.isfinite(flat)]
    if (finite == np.round(finite)).all():
        return 0
    largest = float(np.abs(finite).max())
    decimals = DIGITS - 1 - math.floor(math.log10(largest))
    return max(decimals, 1) if decimals <= _MOST_DECIMALS else None


def _number(entry: Any, decimals: int | None) -> str:
    if isinstance(entry, bool | np.bool_) or not math.isfinite(float(entry)):
        return str(entry)
    if decimals is None:
        return arrays.number(entry)
    text = f"{float(entry):.{decimals}f}"
    return text.removeprefix("-") if float(text) == 0 else text
