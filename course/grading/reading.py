"""Reads notebooks and Python files into statements. Nothing is executed here.

A cell that is not Python does not hurt its neighbours: it is kept as unread, with its fault and the names that it
seems to define. A file that cannot be read at all raises `Unreadable`; in a folder it is kept with that as its fault.
"""

from __future__ import annotations
import __future__

import ast
import functools
import io
import itertools
import json
import operator
import os
import re
import tokenize
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from course.grading.statements import Cell, Statement, statements_of
from course.records import Fault

SUFFIXES = (".ipynb", ".py")
_NOT_THEIRS = ("__pycache__", "node_modules", "site-packages")
_MAGIC = re.compile(r"[%!?]|[%\w.]+\?{1,2}$|[\w, ]+=\s*[%!]")
_DEFINED = re.compile(r"^(?:async\s+)?(?:def|class)\s+(\w+)|^(\w+)\s*(?::[^=]*)?=(?!=)", re.MULTILINE)
_PERCENT = re.compile(r"^# ?%%")


class Unreadable(Exception):
    """Why a file cannot be read, in one sentence without its name."""


@dataclass(frozen=True)
class Unread:
    """A cell that could not be read: the fault, and how many statements stand before it."""

    cell: Cell
    fault: Fault
    before: int

    @cached_property
    def names(self) -> frozenset[str]:
        """What it seems to define."""
        return frozenset(name for found in _DEFINED.findall(self.cell.text) for name in found if name)


@dataclass(frozen=True)
class File:
    """One notebook or Python file. `fault` says why it could not be read; `future` are the compiler's flags."""

    path: Path
    name: str
    statements: tuple[Statement, ...] = ()
    unread: tuple[Unread, ...] = ()
    fault: Fault | None = None
    future: int = 0

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
        made = [i for i in self.binders.get(name, []) if not self.statements[i].earlier_answers]
        return made if any(name in self.statements[i].replaces for i in made) else []


def read_files(path: Path) -> tuple[File, ...]:
    """Reads a notebook, a Python file, or all of them in a folder, in the order of their names.

    Raises:
        Unreadable: `path` is a file, and cannot be read.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about their code, as `"\m"` in a docstring: theirs to see, in their editor
        if path.is_file():
            return (read_file(path, path.name),)
        return tuple(_read_or_fault(file, file.relative_to(path).as_posix()) for file in files_under(path))


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
    statements: list[Statement] = []
    unread: list[Unread] = []
    future = 0
    for cell in cells:
        try:
            parsed, text = _parse(cell.text)
            statements += statements_of(parsed, replace(cell, text=text))
            future |= _future_flags(parsed)
        except SyntaxError as error:
            unread.append(Unread(cell, _syntax_fault(error, cell), len(statements)))
    return File(path.absolute(), name, tuple(statements), tuple(unread), future=future)


def _read_or_fault(path: Path, name: str) -> File:
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
    whole = Cell(str(path.absolute()), name, source, source)
    try:
        _parse(source)
        yield whole
    except SyntaxError:
        yield from _percent_cells(whole)


def _percent_cells(whole: Cell) -> Iterator[Cell]:
    """The cells of a percent file, each with blank lines for what stands before it, so that line numbers hold."""
    lines = whole.text.split("\n")
    starts = [0, *(i for i, line in enumerate(lines) if i and _PERCENT.match(line)), len(lines)]
    for start, end in itertools.pairwise(starts):
        yield replace(whole, text="\n" * start + "\n".join(lines[start:end]))


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Unreadable(f"{error.strerror}.") from None


def _unix(text: str) -> str:
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def _parse(text: str) -> tuple[ast.Module, str]:
    """Parses a cell; lines that are no Python but IPython's magics become `pass`.

    Only a line at which Python stops is taken for a magic, so that `% b` in the middle of an expression stays.
    """
    if text.lstrip().startswith("%%"):
        raise SyntaxError(f"cell magic {text.split()[0]}", ("", text[: text.index("%%")].count("\n") + 1, 0, ""))
    while True:
        try:
            return ast.parse(text), text
        except SyntaxError as error:
            blanked = _without_magic(text, error.lineno or 0)
            if blanked is None:
                raise
            text = blanked
        except (ValueError, RecursionError, MemoryError) as error:
            raise SyntaxError(f"it can't be parsed ({type(error).__name__})", ("", 1, 0, "")) from None


def _without_magic(text: str, number: int) -> str | None:
    """The text without the magic that the line belongs to, continued lines included; None where it is no magic."""
    lines = text.split("\n")
    first = last = min(max(number, 1), len(lines)) - 1
    while first > 0 and lines[first - 1].endswith("\\"):
        first -= 1
    while last < len(lines) - 1 and lines[last].endswith("\\"):
        last += 1
    if not _MAGIC.match(lines[first].strip()):
        return None
    indentation = lines[first][: len(lines[first]) - len(lines[first].lstrip())]
    lines[first : last + 1] = [f"{indentation}pass", *[""] * (last - first)]
    return "\n".join(lines)


def _syntax_fault(error: SyntaxError, cell: Cell) -> Fault:
    line = cell.line(error.lineno or 1)
    if cell.text.lstrip().startswith("%%"):
        magic = cell.text.split()[0]
        return Fault("skipped", cell.name, f"A cell that starts with {magic} is not read: take that line out.", line)
    return Fault("syntax", cell.name, f"{type(error).__name__}: {error.msg}.", line)


def _future_flags(tree: ast.Module) -> int:
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module == "__future__"]
    features = [getattr(__future__, alias.name, None) for node in imports for alias in node.names]
    return functools.reduce(operator.or_, (getattr(feature, "compiler_flag", 0) for feature in features), 0)
