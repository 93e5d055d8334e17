"""A terminal's page: how lines are led, wrapped and indented on it, whatever its width and encoding."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.text import Text

from course.show import words
from course.show.faces import Face

INDENT = "  "
QUIET = "color(244)"
"""A grey for what may be passed over, readable on white and on black."""

_ROOM_FOR_HEADLINE = 24
"""Columns that a headline needs beside its title; with fewer it goes below."""
_KEPT = "\N{NO-BREAK SPACE}"
"""Stands for a space where a line must not break."""


_CODE = re.compile(r"`[^`\n]+`")


class Page:
    """A console, and the few shapes in which things are written on it."""

    def __init__(self, console: Console, widest: int) -> None:
        self.console = console
        self.width = min(console.width, widest)

    def spell(self, text: str) -> str:
        """Text that this console can print."""
        return words.printable(text, self.console.encoding)

    def line(self, text: str) -> str:
        """Text that this console can print, on one line."""
        return " ".join(self.spell(text).split())

    def text(self, text: str, style: str = "") -> Text:
        """A cell of a table."""
        return Text(self.spell(text), style)

    def cut(self, text: str, width: int, style: str = "") -> Text:
        """Text on one line that ends in an ellipsis where it is longer than `width`."""
        line, end = self.line(text), self.spell("…")
        return Text(line if len(line) <= width else line[: width - len(end)] + end, style)

    def put(self, lines: Iterable[Text]) -> None:
        """Prints lines."""
        for line in lines:
            self.console.print(line, overflow="fold")

    def gap(self) -> None:
        """Prints an empty line."""
        self.console.print()

    def indented(self, content: RenderableType) -> None:
        """Prints a table, indented."""
        self.console.print(Padding(content, (0, 0, 0, len(INDENT)), expand=False), width=self.width)

    def head(self, face: Face, title: str, headline: str, score: str) -> list[Text]:
        """Glyph, title, headline, and the score at the right edge of the first line."""
        score, headline = self.spell(score), self.line(headline)
        start = f"{self.spell(face.glyph)} {self.line(title)}   "
        room = self.width - (len(score) + 2 if score else 0)
        if len(start) + _ROOM_FOR_HEADLINE <= room:
            first, *rest = _wrapped(headline, room, start, 2 * INDENT)
        else:
            first, *rest = [start, *_wrapped(headline, self.width)]
        line = Text(f"{first:<{self.width - len(score)}}{score}".rstrip())
        line.stylize(f"bold {face.terminal}", 0, 1)
        line.stylize("bold", 2, len(start))
        line.stylize(face.terminal, len(start), len(first))
        line.stylize("bold", max(self.width - len(score), len(first)))
        return [line, *(Text(more, face.terminal) for more in rest)]

    def sentence(self, text: str, label: str = "", style: str = "", indent: str = INDENT) -> list[Text]:
        """A sentence behind its label, wrapped and indented; a new line in it starts a new line."""
        whole = _CODE.sub(lambda code: _keep(code[0]), f"{label} {text}" if label else text)
        parts = filter(str.strip, _KEPT.join(map(self.spell, whole.split(_KEPT))).split("\n"))
        hanging = indent + INDENT if label else indent
        lines = [Text(line, style) for part in parts for line in _wrapped(part, self.width, indent, hanging)]
        if label:
            lines[0].stylize("bold", len(indent), len(indent) + len(label))
        return lines

    def quoted(self, lines: Iterable[str]) -> list[Text]:
        """Lines as they are behind an edge, wrapped at the right."""
        edge = f"{INDENT}{self.spell('│')} "
        room = self.width - len(edge)
        parts = (line[i : i + room] for line in lines for i in range(0, max(len(line), 1), room))
        return [Text.assemble((edge, QUIET), part) for part in parts]


def side_by_side(items: Iterable[str]) -> str:
    """Items on one line, for a sentence that breaks between them and not within."""
    return "  ".join(map(_keep, items))


def _keep(text: str) -> str:
    return text.replace(" ", _KEPT)


def _wrapped(text: str, width: int, first: str = INDENT, rest: str = INDENT) -> list[str]:
    lines = textwrap.wrap(text, width, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False)
    return [line.replace(_KEPT, " ") for line in lines] or [first]
