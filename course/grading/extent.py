"""How much of a person's source an answer is: its text, for telling a new attempt, and its lines, for pride."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from course.comparison.faults import is_theirs
from course.grading.closure import Closure, close
from course.grading.home import home_of
from course.grading.reading import File, Unreadable, read_file
from course.grading.statements import Role, Statement

NO_TEXT = ""
"""The hash of an answer that is not there."""


@dataclass(frozen=True)
class Extent:
    """Statements, their text, and the lines of code among them as (file, number)."""

    texts: tuple[str, ...] = ()
    lines: frozenset[tuple[str, int]] = frozenset()
    statements: tuple[Statement, ...] = ()

    def __or__(self, other: Extent) -> Extent:
        return Extent(self.texts + other.texts, self.lines | other.lines, self.statements + other.statements)

    @property
    def source_hash(self) -> str:
        """One hash of all texts."""
        return hash_of(self.texts)


def hash_of(texts: Sequence[str]) -> str:
    """One hash of several texts."""
    return hashlib.sha256("\n".join(texts).encode()).hexdigest() if texts else NO_TEXT


def own_texts(statements: Iterable[Statement], names: Iterable[str]) -> frozenset[str]:
    """The texts of what defines some names, and of the functions among the other statements."""
    wanted = set(names)
    return frozenset(s.text for s in statements if s.binds & wanted or isinstance(s.node, ast.FunctionDef))


def extent_of(closure: Closure, files: Iterable[File]) -> Extent:
    """The extent of a closure, and of what it imports from the files that lie beside it."""
    return _Measure(tuple(files), set()).closure(closure)


@dataclass
class _Measure:
    """One measurement: the files at hand, and what of them was counted."""

    files: tuple[File, ...]
    seen: set[tuple[Path, str]]

    def closure(self, closure: Closure) -> Extent:
        extent = Extent()
        for statement in closure.statements:
            extent |= self._statement(statement, closure.file)
        return extent

    def _statement(self, statement: Statement, file: File) -> Extent:
        if statement.role not in (Role.IMPORT, Role.STAR):
            return Extent((statement.text,), frozenset(code_lines(statement)), (statement,))
        extent = Extent((statement.text,), statements=(statement,))
        for neighbour, name in self._imported(statement.node, file):
            if (neighbour.path, name) not in self.seen:
                self.seen.add((neighbour.path, name))
                extent |= self.closure(_part_of(neighbour, name))
        return extent

    def _imported(self, node: ast.stmt, file: File) -> Iterator[tuple[File, str]]:
        """The neighbouring file that an import reads, and the name that it takes from it, `*` for all."""
        neighbour = neighbour_of(node, file, self.files)
        if neighbour is not None:
            yield neighbour, node.names[0].name if isinstance(node, ast.ImportFrom) else "*"


def neighbour_of(node: ast.stmt, file: File, files: Iterable[File]) -> File | None:
    """The file beside this one that an import reads; one of `files`, or read now."""
    match node:
        case ast.Import(names=[alias]):
            place = _module_file(alias.name, 0, file)
        case ast.ImportFrom(module=module, level=level):
            place = _module_file(module or "", level, file)
        case _:
            return None
    if place is None or place == file.path or not is_theirs(str(place)):
        return None
    return next((other for other in files if other.path == place), None) or _read(place)


def code_lines(statement: Statement) -> Iterator[tuple[str, int]]:
    """The lines of a statement that are code: not blank, no comment, no docstring."""
    node = statement.node
    prose = {number for inner in ast.walk(node) for number in _docstring_lines(inner)}
    first = min([node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", []))])
    lines = statement.cell.text.split("\n")
    for number in range(first, (node.end_lineno or first) + 1):
        code = lines[number - 1].strip()
        if code and not code.startswith("#") and number not in prose:
            yield statement.cell.filename, number


def _docstring_lines(node: ast.AST) -> range:
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) or not ast.get_docstring(node):
        return range(0)
    docstring = node.body[0]
    return range(docstring.lineno, (docstring.end_lineno or docstring.lineno) + 1)


def _module_file(module: str, level: int, file: File) -> Path | None:
    """The file of a module among the file's neighbours, or None."""
    if level:
        folders = [file.path.parents[level - 1]]
    else:
        folders = [Path(folder) for folder in home_of(file.path)]
    parts = module.split(".") if module else []
    places = (folder.joinpath(*parts) for folder in folders)
    return next((p.with_suffix(".py") for p in places if parts and p.with_suffix(".py").is_file()), None)


def _read(place: Path) -> File | None:
    try:
        return read_file(place, place.name)
    except Unreadable:
        return None


def _part_of(file: File, name: str) -> Closure:
    if file.definers(name):
        return close(file, [name])
    return Closure(file, tuple(i for i, s in enumerate(file.statements) if s.role is not Role.SKIPPED))
