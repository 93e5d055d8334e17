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
    """The global names that a statement reads: at once; in lambdas, maybe at once; later, in bodies of functions."""

    at_once: frozenset[str] = frozenset()
    in_lambdas: frozenset[str] = frozenset()
    later: frozenset[str] = frozenset()


class Need(NamedTuple):
    """A name as it stands before the statement numbered `since`; with `on`, at all times from then to the end."""

    name: str
    since: int
    on: bool


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

    @property
    def standing(self) -> tuple[Statement, ...]:
        """Those that have the last word about some name."""
        last = {name: index for index in self.indexes for name in self.file.statements[index].binds}
        return tuple(self.file.statements[i] for i in sorted(set(last.values())))

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
    asked: set[Need] = field(default_factory=set)
    unbound: set[str] = field(default_factory=set)
    waiting: list[Need] = field(default_factory=list)

    def want(self, name: str) -> None:
        """Asks for a name as it stands after its last definer here; what it calls, as it stands at the end."""
        end = len(self.file.statements)
        definers = self.file.definers(name) or [end - 1]
        self._take(Need(name, definers[-1] + 1, on=False), called=end)
        stars = (i for i, s in enumerate(self.file.statements) if s.role is Role.STAR)
        self.taken.update(stars)  # they may bind anything

    def run(self) -> None:
        while self.waiting:
            need = self.waiting.pop()
            if need not in self.asked:
                self.asked.add(need)
                self._take(need, called=need.since)

    def _take(self, need: Need, called: int) -> None:
        if need.name not in self.file.binders:
            self.unbound.add(need.name)
        for index in self._reaching(need):
            self.taken.add(index)
            uses = _uses(self.file.statements[index], self.file.parsed.future)
            self.waiting += [Need(name, index, on=False) for name in uses.at_once]
            self.waiting += [Need(name, called, on=True) for name in uses.later]

    def _reaching(self, need: Need) -> Iterator[int]:
        """The statements that make the name what it is then, last first."""
        for index in reversed(self.file.binders.get(need.name, ())):
            statement = self.file.statements[index]
            is_before = index < need.since
            if not (is_before or need.on) or self._changes_a_module(statement, need.name):
                continue
            yield index
            if is_before and need.name in statement.replaces:
                return

    def _changes_a_module(self, statement: Statement, name: str) -> bool:
        """Whether it sets something inside what was imported, as `jax.config.x = True`: not theirs to change."""
        makers = [self.file.statements[i] for i in self.file.binders[name]]
        imported = [maker.role is Role.IMPORT for maker in makers if name not in maker.changes]
        return name in statement.changes and bool(imported) and all(imported)


def _uses(statement: Statement, future: int) -> Uses:
    if statement.role in (Role.IMPORT, Role.STAR):
        return Uses()
    try:
        uses = uses_of(statement.text, bool(future & _LAZY))
    except SyntaxError as error:
        line = statement.cell.line(statement.node.lineno + (error.lineno or 1) - 1)
        raise _CannotCompile(Fault("syntax", line.file, f"SyntaxError: {error.msg}.", line)) from None
    is_lambda = isinstance(getattr(statement.node, "value", None), ast.Lambda)
    called = frozenset() if is_lambda else uses.in_lambdas
    return Uses(uses.at_once | called, later=uses.later | uses.in_lambdas)


@functools.lru_cache(maxsize=4096)
def uses_of(text: str, lazy_annotations: bool = False) -> Uses:
    """The global names that a piece of source reads. With lazy annotations, theirs are not read."""
    prefix = "from __future__ import annotations\n" if lazy_annotations else ""
    table = quietly(symtable.symtable, prefix + text, "<needs>", "exec")
    assigned = {s.get_name() for s in table.get_symbols() if s.is_assigned()}
    at_once = {s.get_name() for s in table.get_symbols() if s.is_referenced()} - assigned
    if assigned:  # from Python 3.12 on, the table mixes these up with the counters of comprehensions
        at_once |= assigned & set(_reads(quietly(ast.parse, text)))
    reads = {"at once": at_once, "lambda": set[str](), "later": set[str]()}
    for child in table.get_children():
        _collect(child, "at once", reads)
    return Uses(*map(frozenset, reads.values()))


def _collect(table: symtable.SymbolTable, when: str, reads: dict[str, set[str]]) -> None:
    """Adds the global names that an inner scope reads to those that are read then."""
    name = table.get_name().strip("<>")
    if when == "at once" and table.get_type() == "function" and name not in _COMPREHENSIONS:
        when = "lambda" if name == "lambda" else "later"
    reads[when] |= {s.get_name() for s in table.get_symbols() if s.is_global()}
    for child in table.get_children():
        _collect(child, when, reads)


def _reads(node: ast.AST, counters: frozenset[str] = frozenset()) -> Iterator[str]:
    """The names that a statement reads at once, without the counters of its comprehensions."""
    children = ast.iter_child_nodes(node)
    match node:
        case ast.Name(id=name, ctx=ast.Load()) if name not in counters:
            yield name
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            children = iter([*node.decorator_list, node.args])
        case ast.Lambda():
            children = iter([node.args])
        case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
            yield from _reads(node.generators[0].iter, counters)
            targets = (part for generator in node.generators for part in ast.walk(generator.target))
            counters |= {target.id for target in targets if isinstance(target, ast.Name)}
    for child in children:
        yield from _reads(child, counters)


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
