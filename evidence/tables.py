"""Markdown tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any


def table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A table; numbers stand at the right, and a bar in a cell is kept from splitting it."""
    cells = [[str(cell).replace("|", "\\|") for cell in row] for row in rows]
    numeric = [all(row[place].isdigit() or not row[place] for row in cells) for place in range(len(header))]
    rule = ["---:" if right else "---" for right in numeric]
    return "\n".join(f"| {' | '.join(row)} |" for row in (header, rule, *cells))


def percent(part: int, whole: int) -> str:
    """A share in whole percents, rounded down: what is claimed must hold."""
    return f"{100 * part // whole} %" if whole else "none"
