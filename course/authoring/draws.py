"""The draw that a hand-out shows its mistakes by: written into the call that shows them, and read from there."""

from __future__ import annotations

import re

HANDED_OUT = 0
"""The draw of the made notebooks."""

_CALL = re.compile(r"(course\.show_mistake\(\\?[\"'][\w.]+\\?[\"'], draw=)(\d+)(?=\))")
"""In a plain file, and as a notebook's JSON has it."""


def with_draw(text: str, draw: int) -> str:
    """The text of a notebook or plain file that shows another draw."""
    return _CALL.sub(rf"\g<1>{draw}", text)


def draw_in(text: str) -> int | None:
    """The draw that a notebook or plain file shows; None where it shows none."""
    found = _CALL.search(text)
    return int(found[2]) if found else None
