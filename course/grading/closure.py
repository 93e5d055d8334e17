"""What an answer needs: the static closure over the names at the left margin of one file.

A need is a name at a time. What a statement reads while it runs is needed as it stood there; what a function's body
reads is needed as it stands when the function is called. A definition or a plain assignment hides what came before it.
"""

from __future__ import annotations
import __future__

import ast
import builtins
import functools
import symtable
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from course.grading.parsing import quietly
from course.grading.reading import File
from course.grading.statements import Role, Statement, root_of
from course.records import Fault, Line

_COMPREHENSIONS = ("listcomp", "setcomp", "dictcomp", "genexpr")
_LAZY = __future__.annotations.compiler_flag


class Uses(NamedTuple):
    """The global names that a statement reads: at once, and later, in the bodies of functions."""

    at_once: frozenset[str]
    later: frozenset[str]


@dataclass(frozen=True)
class Closure:
    """The statements that some names need, in their order; `skipped` are lines that touch these but are not run."""

    file: File
    indexes: tuple[int, ...] = ()
    skipped: tuple[Line, ...] = ()
    fault: Fault | None = None

    @property
    def statements(self) -> tuple[Statement, ...]:
        """The statements themselves."""
        return tuple(self.file.statements[i] for i in self.indexes)

    def last_binder(self, name: str) -> int:
        """Which of its statements has the last word about a name; -1 where none binds it."""
        return max((i for i in self.file.binders.get(name, ()) if i in self.indexes), default=-1)

    @property
    def earlier(self) -> tuple[str, ...]:
        """The earlier answers that are imported."""
        return tuple(dict.fromkeys(name for s in self.statements for name in s.earlier_answers))


def close(file: File, wanted: Iterable[str]) -> Closure:
    """Finds what the wanted names need; one that has no definer in the file must come from an `import *`."""
    search = _Search(file)
    wanted = tuple(wanted)
    try:
        for name in wanted:
            search.want(name)
        search.run()
    except _CannotCompile as error:
        return Closure(file, fault=error.fault)
    return Closure(file, tuple(sorted(search.taken)), tuple(_touching(file, search)), _lost(file, search, wanted[0]))


class _CannotCompile(Exception):
    """A needed statement parses, and still is no Python."""

    def __init__(self, fault: Fault):
        super().__init__(fault.message)
        self.fault = fault


@dataclass
class _Search:
    """The state of one search: what is taken, what was asked, and what is left to ask."""

    file: File
    taken: set[int] = field(default_factory=set)
    asked: set[tuple[str, int]] = field(default_factory=set)
    unbound: set[str] = field(default_factory=set)
    waiting: list[tuple[str, int]] = field(default_factory=list)

    @property
    def end(self) -> int:
        return len(self.file.statements)

    def want(self, name: str) -> None:
        """Asks for a name as it stands after its last definer here; what it calls, as it stands at the end."""
        definers = self.file.definers(name) or [self.end - 1]
        self._take(name, definers[-1] + 1, called=self.end)
        stars = (i for i, s in enumerate(self.file.statements) if s.role is Role.STAR)
        self.taken.update(stars)  # they may bind anything

    def run(self) -> None:
        while self.waiting:
            name, time = self.waiting.pop()
            if (name, time) not in self.asked:
                self.asked.add((name, time))
                self._take(name, time, called=time)

    def _take(self, name: str, time: int, called: int) -> None:
        reached = list(self._reaching(name, time))
        if not reached:
            self.unbound.add(name)
        for index in reached:
            self.taken.add(index)
            uses = _uses(self.file.statements[index], self.file.parsed.future)
            self.waiting += [(used, index) for used in uses.at_once]
            self.waiting += [(used, called) for used in uses.later]

    def _reaching(self, name: str, time: int) -> Iterator[int]:
        """The statements that make the name what it is at that time, last first."""
        for index in reversed(self.file.binders.get(name, ())):
            statement = self.file.statements[index]
            if index >= time or self._changes_a_module(statement, name):
                continue
            yield index
            if name in statement.replaces and name not in _uses(statement, self.file.parsed.future).at_once:
                return

    def _changes_a_module(self, statement: Statement, name: str) -> bool:
        """Whether it sets something inside what was imported, as `jax.config.x = True`: not theirs to change."""
        makers = [self.file.statements[i] for i in self.file.binders[name]]
        imported = [maker.role is Role.IMPORT for maker in makers if name not in maker.changes]
        return name in statement.changes and bool(imported) and all(imported)


def _uses(statement: Statement, future: int) -> Uses:
    if statement.role in (Role.IMPORT, Role.STAR):
        return Uses(frozenset(), frozenset())
    try:
        uses = uses_of(statement.text, bool(future & _LAZY))
    except SyntaxError as error:
        line = statement.cell.line(statement.node.lineno + (error.lineno or 1) - 1)
        raise _CannotCompile(Fault("syntax", line.file, f"SyntaxError: {error.msg}.", line)) from None
    changed = statement.binds - statement.replaces
    return Uses(uses.at_once | changed, uses.later)


@functools.lru_cache(maxsize=4096)
def uses_of(text: str, lazy_annotations: bool = False) -> Uses:
    """The global names that a piece of source reads. With lazy annotations, theirs are not read."""
    prefix = "from __future__ import annotations\n" if lazy_annotations else ""
    table = quietly(symtable.symtable, prefix + text, "<needs>", "exec")
    at_once = {s.get_name() for s in table.get_symbols() if s.is_referenced()}
    both = {s.get_name() for s in table.get_symbols() if s.is_referenced() and s.is_assigned()}
    if both:  # from Python 3.12 on, the counters of a comprehension are among these
        at_once -= both - set(_outside_comprehensions(quietly(ast.parse, text)))
    later: set[str] = set()
    for child in table.get_children():
        _collect(child, at_once, later)
    return Uses(frozenset(at_once), frozenset(later))


def _outside_comprehensions(node: ast.AST) -> Iterator[str]:
    children = ast.iter_child_nodes(node)
    match node:
        case ast.Name(id=name):
            yield name
        case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
            children = iter([node.generators[0].iter])
    for child in children:
        yield from _outside_comprehensions(child)


def _collect(table: symtable.SymbolTable, at_once: set[str], later: set[str]) -> None:
    if table.get_type() == "function" and table.get_name().strip("<>") not in _COMPREHENSIONS:
        at_once = later
    at_once |= {s.get_name() for s in table.get_symbols() if s.is_global()}
    for child in table.get_children():
        _collect(child, at_once, later)


def _lost(file: File, search: _Search, where: str) -> Fault | None:
    """The fault of a name that is needed, and set only where nothing is run or in a cell that is no Python."""
    for name in sorted(search.unbound - set(dir(builtins))):
        fault = lost(file, name)
        if fault is not None:
            return replace(fault, where=where)
    return None


def lost(file: File, name: str) -> Fault | None:
    """Says where the name would be set, were that statement run; None where it is set nowhere, or may be set by `*`."""
    for unread in file.unread:
        if name in unread.names:
            return replace(unread.fault, where=name)
    if any(s.role is Role.STAR for s in file.statements):
        return None
    for statement in file.statements:
        if statement.role is Role.SKIPPED and name in _bound_inside(statement.node):
            return _skipped_fault(name, statement)
    return None


def _skipped_fault(name: str, statement: Statement) -> Fault:
    kind = statement.line.code.split()[0].rstrip(":")
    message = (
        f"`{name}` is set only inside the `{kind}` on line {statement.line.number}, and such blocks are not run "
        "when an answer is read: move it out, to the left margin."
    )
    return Fault("skipped", name, message, statement.line)


def _touching(file: File, search: _Search) -> Iterator[Line]:
    """The skipped statements that would have changed a needed name: a loop that sets it, `table.update(...)`."""
    taken = (file.statements[i] for i in search.taken)
    values = {name for statement in taken if statement.role is Role.ASSIGNMENT for name in statement.binds}
    for statement in file.statements:
        if statement.role is Role.SKIPPED and values & set(_bound_inside(statement.node)):
            yield statement.line


def _bound_inside(node: ast.AST) -> Iterator[str]:
    """The names that a statement would bind or change at the left margin, were it run."""
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
            return
        case ast.Lambda():
            return
        case ast.Name(id=name, ctx=ast.Store()):
            yield name
        case ast.alias(name=name, asname=asname):
            yield asname or name.split(".")[0]
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            yield name
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=owner))):
            yield from root_of(owner)
    for child in ast.iter_child_nodes(node):
        yield from _bound_inside(child)
