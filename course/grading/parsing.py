"""Parses cells into statements, and keeps what is no Python from hurting its neighbours.

IPython's magics are blanked, so that line numbers hold. A cell that cannot be parsed, or that a `%%` magic hands to
something else, is kept as unread, with its fault and the names that it seems to define.
"""

from __future__ import annotations
import __future__

import ast
import functools
import itertools
import operator
import re
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from course.grading.statements import Cell, Statement, statements_of
from course.records import Fault

_MAGIC = re.compile(r"[%!?]|[%\w.]+\?{1,2}$|[\w, ]+=\s*[%!]")
_DEFINED = re.compile(r"^(?:async\s+)?(?:def|class)\s+(\w+)|^(\w+)\s*(?::[^=]*)?=(?!=)", re.MULTILINE)
_PERCENT = re.compile(r"^# ?%%")


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
class Parsed:
    """What the cells of one file hold; `future` are the compiler's flags for `from __future__ import`."""

    statements: tuple[Statement, ...]
    unread: tuple[Unread, ...]
    future: int


def parse_cells(cells: Iterable[Cell]) -> Parsed:
    """The statements of some cells, in order."""
    statements: list[Statement] = []
    unread: list[Unread] = []
    future = 0
    for cell in _readable(cells):
        try:
            parsed, text = _parse(cell.text)
            statements += statements_of(parsed, replace(cell, text=text))
            future |= _future_flags(parsed)
        except SyntaxError as error:
            unread.append(Unread(cell, _syntax_fault(error, cell), len(statements)))
    return Parsed(tuple(statements), tuple(unread), future)


def quietly(read: Callable[..., Any], *arguments: Any) -> Any:
    """Reads somebody's source without the warnings about it, which are for their own editor."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return read(*arguments)


def _readable(cells: Iterable[Cell]) -> Iterator[Cell]:
    """The cells; a percent file that cannot be parsed as a whole falls into its own."""
    for cell in cells:
        starts = [i for i, line in enumerate(cell.text.split("\n")) if _PERCENT.match(line)]
        if starts and not _parses(cell.text):
            yield from _percent_cells(cell, starts)
        else:
            yield cell


def _percent_cells(whole: Cell, starts: list[int]) -> Iterator[Cell]:
    """Each with blank lines for what stands before it, so that line numbers hold."""
    lines = whole.text.split("\n")
    for start, end in itertools.pairwise(sorted({0, *starts, len(lines)})):
        yield replace(whole, text="\n" * start + "\n".join(lines[start:end]))


def _parses(text: str) -> bool:
    try:
        _parse(text)
    except SyntaxError:
        return False
    return True


def _parse(text: str) -> tuple[ast.Module, str]:
    """Parses a cell; lines that are no Python but IPython's magics become `pass`.

    Only a line at which Python stops is taken for a magic, so that `% b` in the middle of an expression stays.
    """
    if text.lstrip().startswith("%%"):
        raise SyntaxError(f"cell magic {text.split()[0]}", ("", text[: text.index("%%")].count("\n") + 1, 0, ""))
    while True:
        try:
            return quietly(ast.parse, text), text
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
