"""Numbers as people read them, and text that any stream can print.

Text of strangers passes through `printable` before it is drawn, so that it can neither move the cursor nor
reorder a line.
"""

from __future__ import annotations

import math
import os
import shutil
import sys
from collections.abc import Sequence

UTF8 = "utf-8"

_SPELLED = {
    "✓": "+",
    "▲": "$",
    "✗": "x",
    "⊘": "#",
    "■": "=",
    "…": "...",
    "»": ">",
    "○": "o",
    "◆": "?",
    "✎": "@",
    "·": "-",
    "–": "-",
    "—": "-",
    "→": "->",
    "×": "x",
    "≤": "<=",
    "≥": ">=",
    "≈": "~",
    "±": "+-",
    "µ": "u",
    "│": "|",
    "█": "#",
    **dict.fromkeys("▉▊▋▌", "#"),
    **dict.fromkeys("▍▎▏", ""),
    **dict.fromkeys("‘’", "'"),
    **dict.fromkeys("“”", '"'),
}
_EIGHTHS = " ▏▎▍▌▋▊▉"
_LOG_FROM = 20.0
"""Bars are logarithmic when the longest is more than this many times the shortest, else unseen."""
_NEXT_UNIT = 999.5
"""A number that rounds to 1000 is written in the next unit."""


def printable(text: str, encoding: str = UTF8) -> str:
    """Text without control characters, spelled out where `encoding` lacks a character."""
    safe = "".join(_safe(c) for c in text.expandtabs(4))
    return safe if encoding.startswith("utf") else "".join(_spelled(c, encoding) for c in safe)


def _safe(c: str) -> str:
    if c.isprintable() or c == "\n":
        return c
    return " " if c.isspace() else "\N{REPLACEMENT CHARACTER}"


def _spelled(c: str, encoding: str) -> str:
    try:
        c.encode(encoding)
    except UnicodeEncodeError:
        return _SPELLED.get(c, "?")
    return c


def command(arguments: str, *, within: str | os.PathLike[str] = ".") -> str:
    """What to type for `course ARGUMENTS`, in the shell that we were started from, or `within` a folder of it."""
    python, _, script = os.environ.get("HANDGRAD_COMMAND", "course").partition(" ")
    if script and not os.path.isabs(script):
        script = os.path.relpath(script, within)
    return " ".join(part for part in (python, script, arguments) if part)


def tool(name: str, *, within: str | os.PathLike[str] = ".") -> str:
    """What to type for a command that is installed beside us, `within` a folder: its path unless it is on the PATH."""
    beside = shutil.which(name, path=os.path.dirname(sys.executable))
    if beside is None or shutil.which(name) == beside:
        return name
    return os.path.relpath(beside, within)


def points(value: float) -> str:
    """Points with at most two decimals: 4, 2.5."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def error(value: float | None) -> str:
    """A relative error at two digits: 1.4, 2.3e-16; an empty string for an oracle that was not asked."""
    if value is None:
        return ""
    return f"{value:.2g}".replace("e-0", "e-").replace("e+0", "e+")


def count(value: float) -> str:
    """A number of operations: 960, 1.2k, 3.4M."""
    return _scaled(value, ("", "k", "M", "G", "T", "P"))


def size(value: float | None) -> str:
    """A number of bytes: 96 B, 1.2 kB; a dash for a method that keeps nothing."""
    return "–" if value is None else _scaled(value, (" B", " kB", " MB", " GB", " TB", " PB"))


def _scaled(value: float, units: Sequence[str]) -> str:
    power = 0
    while value >= _NEXT_UNIT and power < len(units) - 1:
        value, power = value / 1000, power + 1
    digits = 1 if power and value < 99.95 else 0
    return f"{value:.{digits}f}{units[power]}"


def times(ratio: float) -> str:
    """A multiple of the primal: 0.52×, 3.1×, 142×, 3.6k×."""
    if not math.isfinite(ratio):
        return "?"
    if ratio >= _NEXT_UNIT:
        return f"{count(ratio)}×"
    return f"{ratio:.{2 if ratio < 1 else 1 if ratio < 99.95 else 0}f}×"


def seconds(value: float) -> str:
    """A time at three digits in the unit that suits it: 320 µs, 1.25 ms, 2.4 s."""
    for unit, name in ((1e-6, "µs"), (1e-3, "ms")):
        if value < _NEXT_UNIT * unit:
            return f"{value / unit:.3g} {name}"
    return f"{value:.3g} s"


def lengths(ratios: Sequence[float]) -> tuple[list[float], bool]:
    """Lengths in [0, 1] of bars for these multiples, and whether their scale is logarithmic."""
    drawn = [ratio if math.isfinite(ratio) and ratio > 0 else 0.0 for ratio in ratios]
    longest = max(drawn, default=0.0)
    if longest == 0:
        return drawn, False
    if longest <= _LOG_FROM * min(ratio for ratio in drawn if ratio):
        return [ratio / longest for ratio in drawn], False
    return [math.log1p(ratio) / math.log1p(longest) for ratio in drawn], True


def bar(length: float, width: int) -> str:
    """A bar of text, `width` characters for a length of 1."""
    eighths = max(round(length * width * 8), 1) if length > 0 else 0
    return ("█" * (eighths // 8) + _EIGHTHS[eighths % 8]).rstrip()
