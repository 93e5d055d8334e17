"""Reads a notebook's source: a Python file in jupytext's percent format, of which this is the part that we use.

    # %% [markdown] name="title"
    # # The first line of text

    # %% name="your-affine" tags=["exercise"]
    from solutions.linear_and_activations import affine_bwd, affine_fwd

Every cell has a name of its own, from which its id in the notebook is made: so a notebook comes out the same byte for
byte, and a cell keeps its id, with the grade that hangs on it, when another is put before it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

TAGS = ("exercise", "check", "question", "shown", "worked")
"""What a cell may be. `worked` marks one that shows a line of an answer on purpose, as the worked neighbour."""

_MARKER = re.compile(r"^# %%(?P<rest>.*)$")
_OPTION = re.compile(r"(?P<key>name|tags)=(?P<value>\"[^\"]*\"|\[[^\]]*\])")
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class AuthoringError(Exception):
    """A source that no notebook can be made from: where, and what to do."""

    def __init__(self, file: Path | str, line: int, sentence: str):
        super().__init__(f"{file}, line {line}: {sentence}")


@dataclass(frozen=True)
class Cell:
    """A cell of a source; `line` is where its text starts in the file."""

    name: str
    text: str
    line: int
    tags: tuple[str, ...] = ()
    markdown: bool = False


@dataclass(frozen=True)
class Source:
    """A notebook's source, read. `file` is what its author calls it."""

    file: str
    cells: tuple[Cell, ...]

    def error(self, cell: Cell, sentence: str, line: int = 1) -> AuthoringError:
        """What is wrong with a cell, at a line of its text."""
        return AuthoringError(self.file, cell.line + line - 1, sentence)


def read_source(path: Path) -> Source:
    """Reads the source of a notebook.

    Raises:
        AuthoringError: A cell has no name, or one that is taken, or a tag that means nothing.
    """
    file = f"{path.parent.name}/{path.name}"
    return parse_source(path.read_text(encoding="utf-8"), file)


def parse_source(text: str, file: str) -> Source:
    """Reads the text of a source; `file` is for messages."""
    source = Source(file, tuple(_cells(text.split("\n"), file)))
    seen: dict[str, Cell] = {}
    for cell in source.cells:
        if cell.name in seen:
            first = seen[cell.name].line - 1
            raise AuthoringError(file, cell.line - 1, f'the name "{cell.name}" is taken by the cell on line {first}.')
        seen[cell.name] = cell
    if not source.cells or not source.cells[0].markdown:
        raise AuthoringError(file, 1, 'the first cell must be the title: `# %% [markdown] name="title"`.')
    return source


def _cells(lines: list[str], file: str) -> Iterator[Cell]:
    starts = [number for number, line in enumerate(lines) if _MARKER.match(line)]
    before = [line for line in lines[: starts[0] if starts else None] if line.strip()]
    if before:
        raise AuthoringError(file, lines.index(before[0]) + 1, "only cells may stand here: start it with `# %%`.")
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        yield _cell(lines[start], lines[start + 1 : end], start + 2, file)


def _cell(marker: str, body: list[str], line: int, file: str) -> Cell:
    rest = marker.removeprefix("# %%")
    options = {match["key"]: json.loads(match["value"]) for match in _OPTION.finditer(rest)}
    left = _OPTION.sub("", rest).strip()
    if left not in ("", "[markdown]"):
        raise AuthoringError(file, line - 1, f"`{left}` is not understood; a cell has [markdown], name and tags.")
    name = options.get("name")
    if not name:
        raise AuthoringError(file, line - 1, 'a cell needs a name: `# %% name="see-the-slope"`.')
    if not _NAME.fullmatch(name):
        raise AuthoringError(file, line - 1, f'the name "{name}" must be small letters, digits and dashes.')
    unknown = [tag for tag in options.get("tags", []) if tag not in TAGS]
    if unknown:
        raise AuthoringError(file, line - 1, f'there is no tag "{unknown[0]}"; there are {", ".join(TAGS)}.')
    markdown = left == "[markdown]"
    skipped = next((i for i, text in enumerate(body) if text.strip()), 0)
    text = "\n".join(body).strip("\n").rstrip()
    if markdown:
        text = _uncommented(text, line + skipped, file)
    if not text.strip():
        raise AuthoringError(file, line - 1, "the cell is empty.")
    return Cell(name, text, line + skipped, tuple(options.get("tags", ())), markdown)


def _uncommented(text: str, line: int, file: str) -> str:
    """The text of a markdown cell, each line of which is a comment."""
    plain = []
    for number, comment in enumerate(text.split("\n"), line):
        if comment.strip() and not comment.startswith("#"):
            raise AuthoringError(file, number, "every line of a markdown cell starts with `# `.")
        plain.append(comment.removeprefix("#").removeprefix(" "))
    return "\n".join(plain).strip("\n").rstrip()
