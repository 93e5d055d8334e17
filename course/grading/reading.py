"""Reads notebooks and Python files, down to their cells of code. Nothing is executed here.

A file that cannot be read raises `Unreadable`; in a folder it is kept with that as its fault, and the others count.
"""

from __future__ import annotations

import io
import json
import os
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from course.grading.parsing import Parsed, Unread, parse_cells
from course.grading.statements import Cell, Statement
from course.records import Fault

SUFFIXES = (".ipynb", ".py")
_NOT_THEIRS = ("__pycache__", "node_modules", "site-packages")


class Unreadable(Exception):
    """Why a file cannot be read, in one sentence without its name."""


@dataclass(frozen=True)
class File:
    """One notebook or Python file: its cells of code, which are parsed when first asked about."""

    path: Path
    name: str
    cells: tuple[Cell, ...] = ()
    fault: Fault | None = None

    @cached_property
    def parsed(self) -> Parsed:
        """What the cells hold."""
        return parse_cells(self.cells)

    @property
    def statements(self) -> tuple[Statement, ...]:
        """Its statements, in order."""
        return self.parsed.statements

    @property
    def unread(self) -> tuple[Unread, ...]:
        """Its cells that are no Python."""
        return self.parsed.unread

    @cached_property
    def binders(self) -> dict[str, list[int]]:
        """Where each name is bound, in order."""
        found: dict[str, list[int]] = {}
        for index, statement in enumerate(self.statements):
            for name in statement.binds:
                found.setdefault(name, []).append(index)
        return found

    def definers(self, name: str) -> list[int]:
        """Where a name is given a value of this file's own: not an earlier answer's, nor a change of its value."""
        if not any(name in cell.text for cell in self.cells):
            return []
        made = [i for i in self.binders.get(name, []) if not self.statements[i].earlier_answers]
        return made if any(name in self.statements[i].replaces for i in made) else []


def read_files(path: Path) -> tuple[File, ...]:
    """Reads a notebook, a Python file, or all of them in a folder, in the order of their names.

    Raises:
        Unreadable: `path` is a file, and cannot be read.
    """
    if path.is_file():
        return (read_file(path, path.name),)
    return tuple(read_or_fault(file, file.relative_to(path).as_posix()) for file in files_under(path))


def files_under(folder: Path) -> list[Path]:
    """The notebooks and Python files of a folder and its folders, hidden ones and environments left out."""
    found = []
    for place, folders, files in os.walk(folder):
        if "pyvenv.cfg" in files and Path(place) != folder:
            folders.clear()
            continue
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in _NOT_THEIRS)
        found += [Path(place, name) for name in files if name.endswith(SUFFIXES) and not name.startswith(".")]
    return sorted(found)


def read_file(path: Path, name: str) -> File:
    """Reads one file, which its author knows as `name`.

    Raises:
        Unreadable: It is not text, or a notebook that is not one.
    """
    cells = _notebook_cells(path, name) if path.suffix == ".ipynb" else _python_cells(path, name)
    return File(path.absolute(), name, tuple(cells))


def read_or_fault(path: Path, name: str) -> File:
    """Reads one file; where it can't be read, that is its fault."""
    try:
        return read_file(path, name)
    except Unreadable as why:
        return File(path.absolute(), name, fault=Fault("unreadable", name, f"{name} can't be read: {why}"))


def _notebook_cells(path: Path, name: str) -> Iterator[Cell]:
    try:
        notebook = json.loads(_bytes(path))
    except (ValueError, RecursionError):
        raise Unreadable("it is not a notebook (no valid JSON). Save it again from Jupyter.") from None
    cells = _cells_of(notebook)
    if cells is None:
        raise Unreadable("it is not a notebook (it has no cells). Save it again from Jupyter.")
    for number, cell in enumerate(cells, 1):
        source = _code_of(cell)
        if source.strip():
            yield Cell(f"{path.absolute()} cell {number}", f"{name} cell {number}", source, source)


def _cells_of(notebook: Any) -> list[Any] | None:
    """The cells of a notebook of format 4, or of the older format 3, in which they lie in worksheets."""
    if not isinstance(notebook, dict):
        return None
    sheets = notebook.get("worksheets")
    if isinstance(sheets, list):
        return [cell for sheet in sheets for cell in _cells_of(sheet) or []]
    cells = notebook.get("cells")
    return cells if isinstance(cells, list) else None


def _code_of(cell: Any) -> str:
    if not isinstance(cell, dict) or cell.get("cell_type") != "code":
        return ""
    source = cell.get("source", cell.get("input", ""))
    if isinstance(source, list):
        source = "".join(part for part in source if isinstance(part, str))
    return _unix(source) if isinstance(source, str) else ""


def _python_cells(path: Path, name: str) -> Iterator[Cell]:
    raw = _bytes(path)
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(raw).readline)
        source = _unix(raw.decode(encoding))
    except (SyntaxError, UnicodeDecodeError):
        raise Unreadable("it is not text in UTF-8. Save it as UTF-8.") from None
    if "\0" in source:
        raise Unreadable("it is not text.")
    yield Cell(str(path.absolute()), name, source, source)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Unreadable(f"{error.strerror}.") from None


def _unix(text: str) -> str:
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
