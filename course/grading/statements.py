"""The statement: the smallest piece of somebody's source that can be needed, and executed, by itself.

Only imports, definitions and assignments bind names that an answer may need. Everything else at the left margin
(prints, loops, `if`, `with`, bare calls) is kept as skipped, so that an answer that needs it can be told so.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from functools import cached_property

from course.records import Line

ANSWERS = "course.answers"
"""The module through which an answer uses earlier answers."""


_RULES = ("defvjp", "defjvp", "defjvps")
"""Calls that change a function of the author's own: its rule is part of what it is."""


class Role(Enum):
    """What a statement does for those that come after it."""

    IMPORT = "import"
    STAR = "star import"
    DEFINITION = "definition"
    ASSIGNMENT = "assignment"
    QUESTION = "answer to a question"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Cell:
    """A piece of source that is parsed as one: a notebook's cell, or a whole file.

    `filename` is what Python is told, and differs between any two files; `name` is what its author calls it.
    `text` is `source` with IPython's magics blanked, line for line.
    """

    filename: str
    name: str
    source: str
    text: str

    def line(self, number: int) -> Line:
        """A line as its author sees it, counted from 1."""
        lines = self.source.split("\n")
        return Line(self.name, number, lines[number - 1].strip() if number <= len(lines) else "")


@dataclass(frozen=True)
class Statement:
    """One statement, and the names that it binds at the left margin.

    Of these, `replaces` get a wholly new value, and `changes` are changed in place, as `table` by `table['a'] = 1`.
    """

    node: ast.stmt
    cell: Cell
    role: Role
    binds: frozenset[str] = frozenset()
    replaces: frozenset[str] = frozenset()
    changes: frozenset[str] = frozenset()

    @property
    def line(self) -> Line:
        """Where it starts."""
        return self.cell.line(self.node.lineno)

    @property
    def earlier_answers(self) -> tuple[str, ...]:
        """The learner's other answers that it imports."""
        if isinstance(self.node, ast.ImportFrom) and self.node.module == ANSWERS:
            return tuple(alias.name for alias in self.node.names)
        return ()

    @cached_property
    def text(self) -> str:
        """Its source, decorators included."""
        if self.role is Role.IMPORT:
            return ast.unparse(self.node)  # one name of an import that may have had several
        if self.role is Role.QUESTION and isinstance(self.node, ast.Assign):
            return f"({ast.get_source_segment(self.cell.text, self.node.value)})"
        decorators = getattr(self.node, "decorator_list", [])
        if not decorators:
            return ast.get_source_segment(self.cell.text, self.node) or ""
        first = min(decorator.lineno for decorator in decorators)
        return "\n".join(self.cell.text.split("\n")[first - 1 : self.node.end_lineno])


def statements_of(tree: ast.Module, cell: Cell) -> Iterator[Statement]:
    """The statements of a cell, in order; an import of several names becomes one statement a name."""
    for node in tree.body:
        yield from _cut(node, cell)


def _cut(node: ast.stmt, cell: Cell) -> Iterator[Statement]:
    match node:
        case ast.Import():
            yield from (_import(alias, node, cell) for alias in node.names)
        case ast.ImportFrom(module="__future__"):
            return  # a flag of the compiler
        case ast.ImportFrom():
            yield from (_import_from(alias, node, cell) for alias in node.names)
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            names = frozenset({node.name})
            yield Statement(node, cell, Role.DEFINITION, names, names)
        case ast.Assign() | ast.AugAssign() | ast.AnnAssign() | ast.Expr():
            question = _question(node, cell)
            yield question or _assignment(node, cell)
        case _ if type(node).__name__ == "TypeAlias":  # `type Residuals = ...`, from Python 3.12 on
            names = frozenset({node.name.id})  # type: ignore[attr-defined]
            yield Statement(node, cell, Role.DEFINITION, names, names)
        case _:
            yield Statement(node, cell, Role.SKIPPED)


def _import(alias: ast.alias, node: ast.Import, cell: Cell) -> Statement:
    only = ast.copy_location(ast.Import([alias]), node)
    name = alias.asname or alias.name.split(".")[0]
    replaces = frozenset({name} if alias.asname else ())  # `import a.b` adds to `a`
    return Statement(only, cell, Role.IMPORT, frozenset({name}), replaces)


def _import_from(alias: ast.alias, node: ast.ImportFrom, cell: Cell) -> Statement:
    only = ast.copy_location(ast.ImportFrom(node.module, [alias], node.level), node)
    if alias.name == "*":
        return Statement(only, cell, Role.STAR)
    names = frozenset({alias.asname or alias.name})
    return Statement(only, cell, Role.IMPORT, names, names)


def _assignment(node: ast.stmt, cell: Cell) -> Statement:
    targets = _targets(node)
    plain = frozenset(name for target in targets for name in _plain_names(target))
    changed = frozenset(root for target in targets for root in _roots(target))
    inner = frozenset(walrus.target.id for walrus in ast.walk(node) if isinstance(walrus, ast.NamedExpr))
    if not plain | changed:
        return Statement(node, cell, Role.SKIPPED)
    replaces = frozenset() if isinstance(node, ast.AugAssign) else plain | inner
    return Statement(node, cell, Role.ASSIGNMENT, plain | inner | changed, replaces, changed)


def _targets(node: ast.stmt) -> list[ast.expr]:
    match node:
        case ast.Expr(value=ast.Call(func=ast.Attribute(attr=attr) as rule)) if attr in _RULES:
            return [rule]
        case ast.Assign(targets=targets):
            return targets
        case ast.AugAssign(target=target) | ast.AnnAssign(target=target, value=ast.expr()):
            return [target]
    return []  # `w: Array` alone binds nothing


def _plain_names(target: ast.expr) -> Iterator[str]:
    match target:
        case ast.Name(id=name):
            yield name
        case ast.Starred(value=inner):
            yield from _plain_names(inner)
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            for part in parts:
                yield from _plain_names(part)


def _roots(target: ast.expr) -> Iterator[str]:
    match target:
        case ast.Attribute() | ast.Subscript():
            yield from root_of(target)
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            for part in parts:
                yield from _roots(part)


def root_of(node: ast.expr) -> tuple[str, ...]:
    """The name that a chain of attributes and subscripts starts from, if it starts from one."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return (node.id,) if isinstance(node, ast.Name) else ()


def _question(node: ast.stmt, cell: Cell) -> Statement | None:
    """`course.answer("losses.q2", value)` as an assignment of the value to the question's name."""
    call = getattr(node, "value", None)
    if not isinstance(call, ast.Call) or _called(call.func) != "answer":
        return None
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    if not given or not isinstance(given[0], ast.Constant) or not isinstance(given[0].value, str):
        return None
    name = given[0].value
    if "." not in name:  # theirs, not ours: a question is `lesson.question`
        return None
    value = given[1] if len(given) > 1 else ast.copy_location(ast.Constant(...), call)
    target = ast.copy_location(ast.Name(name, ast.Store()), node)
    assign = ast.copy_location(ast.Assign([target], value), node)
    return Statement(assign, cell, Role.QUESTION, frozenset({name}), frozenset({name}))


def _called(function: ast.expr) -> str:
    return getattr(function, "attr", "") or getattr(function, "id", "")
