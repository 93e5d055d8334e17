"""Where in its author's text an equation of a primal comes from, and what the text calls a value."""

from __future__ import annotations

import ast
import linecache
import os
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from course.comparison.faults import is_theirs

LONGEST_NAME = 40
"""Characters of an expression that may stand for a value's name; of a longer one the line is shown."""

_Span = tuple[int, int, int, int]


class Place(NamedTuple):
    """An expression in somebody's file: its first line and column, and its last, as Python counts them."""

    file: str
    span: _Span

    @property
    def statement(self) -> str:
        """The statement that it is in, in one line; of a returned tuple the part that it is in."""
        return _texts(self.file).statement(self.span) or linecache.getline(self.file, self.span[0]).strip()

    @property
    def text(self) -> str:
        """The expression itself, in one line."""
        return _texts(self.file).text(self.span)

    @property
    def name(self) -> str:
        """What the value is called: the variable that it is assigned to, else its own text; empty if that is long."""
        text = _texts(self.file).name(self.span)
        return text if len(text) <= LONGEST_NAME else ""


def place_of(eqn: Any, folder: str) -> Place | None:
    """The innermost of the expressions that led to an equation."""
    return next(iter(places_of(eqn, folder)), None)


def places_of(eqn: Any, folder: str) -> tuple[Place, ...]:
    """The expressions of the primal's author that led to an equation, the innermost first.

    Args:
        eqn: The equation; one inside a function that JAX compiled earlier has no frames of theirs.
        folder: Where the primal's file lies: what lies there belongs to its author.
    """
    traceback = eqn.source_info.traceback
    frames = zip(*traceback.raw_frames(), strict=True) if traceback else ()
    theirs = (
        (code, _positions(code)[instruction // 2])
        for code, instruction in frames
        if (folder and os.path.dirname(code.co_filename) == folder) or is_theirs(code.co_filename)
    )
    return tuple(
        Place(code.co_filename, (line, column, last, last_column))
        for code, (line, last, column, last_column) in theirs
        if None not in (line, last, column, last_column)
    )


def folder_of(function: Callable[..., Any]) -> str:
    """Where the file of a function lies; empty for one that has none."""
    while hasattr(function, "__wrapped__"):
        function = function.__wrapped__
    code = getattr(function, "__code__", None)
    return os.path.dirname(code.co_filename) if code else ""


@lru_cache(maxsize=512)
def _positions(code: Any) -> list[Any]:
    return list(code.co_positions())


class _Texts:
    """The text of one file, with its expressions by their places."""

    def __init__(self, text: str):
        self._text = text
        self._names: dict[_Span, str] = {}
        self._statements: dict[_Span, str] = {}
        for statement in _statements(text):
            target = _target(statement)
            if target and statement.value:
                self._names[_span(statement.value)] = target
            for part in _parts(statement):
                whole = " ".join((ast.get_source_segment(text, part) or "").split())
                for node in _expressions(part):
                    self._statements.setdefault(_span(node), whole)

    def name(self, span: _Span) -> str:
        """The variable that an expression is assigned to, else its text."""
        return self._names.get(span) or self.text(span)

    def statement(self, span: _Span) -> str:
        """The simple statement that an expression is in."""
        return self._statements.get(span, "")

    def text(self, span: _Span) -> str:
        """The expression at a place, in one line."""
        line, column, last, last_column = span
        lines = [text.encode() for text in self._text.splitlines(keepends=True)[line - 1 : last]]
        if not lines:
            return ""
        lines[-1] = lines[-1][:last_column]
        lines[0] = lines[0][column:]
        return " ".join(b"".join(lines).decode(errors="replace").split())


@lru_cache(maxsize=64)
def _texts_of(text: str) -> _Texts:
    return _Texts(text)


def _texts(file: str) -> _Texts:
    return _texts_of("".join(linecache.getlines(file)))


def _statements(text: str) -> Iterator[Any]:
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return
    simple = (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Return, ast.Expr)
    yield from (node for node in ast.walk(tree) if isinstance(node, simple))


def _parts(statement: Any) -> list[Any]:
    """What is quoted for the expressions of a statement: of a returned tuple each part alone."""
    returned = isinstance(statement, ast.Return) and isinstance(statement.value, ast.Tuple)
    return list(statement.value.elts) if returned else [statement]


def _target(statement: Any) -> str:
    targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
    one = targets[0] if len(targets) == 1 else None
    return one.id if isinstance(one, ast.Name) and not isinstance(statement, ast.AugAssign) else ""


def _expressions(statement: Any) -> Iterator[Any]:
    yield from (node for node in ast.walk(statement) if isinstance(node, ast.expr))


def _span(node: Any) -> _Span:
    return node.lineno, node.col_offset, node.end_lineno, node.end_col_offset
