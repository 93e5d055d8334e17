"""Whether a function is still as it was handed out.

A stub raises NotImplementedError before it returns, has no body, or still holds a blank: `...` as a statement, as a
value that is assigned, returned or computed with, or handed to a call. `x[..., None]` is no blank.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from course.grading.statements import Role, Statement
from course.records import Fault


def unfinished(statements: Iterable[Statement], wanted: Iterable[str]) -> Fault | None:
    """The first statement that is still a stub, as a fault. A value is a stub only where it is wanted itself."""
    wanted = set(wanted)
    for statement in sorted(statements, key=lambda statement: not statement.binds & wanted):
        where = min(statement.binds & wanted or statement.binds, default="")
        found = _stub_line(statement.node)
        if found is not None and (statement.role is Role.DEFINITION or statement.binds & wanted):
            number, message = found
            line = statement.cell.line(number)
            return Fault("not_started", where, message.format(where=where, number=number), line)
    return None


def _stub_line(node: ast.stmt) -> tuple[int, str] | None:
    """The line that shows a stub, and what to do about it."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        body = _without_docstring(node.body)
        if all(isinstance(part, ast.Pass) for part in body):
            return node.lineno, "`{where}` has no body yet: write it."
        for part in body:
            if isinstance(part, ast.Return):
                break
            if isinstance(part, ast.Raise) and _raises_not_implemented(part):
                return part.lineno, "`{where}` is not written yet: replace line {number} by your own."
        blank = next((b for part in body for b in _blanks(part)), None)
    elif isinstance(node, ast.Assign | ast.AnnAssign):
        blank = next(_blanks(node), None)
    else:
        return None
    return None if blank is None else (blank.lineno, "`{where}` still has a blank: fill in the `...` on line {number}.")


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    match body[0]:
        case ast.Expr(value=ast.Constant(value=str())):
            return body[1:]
    return body


def _raises_not_implemented(node: ast.Raise) -> bool:
    raised = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
    return isinstance(raised, ast.Name) and raised.id == "NotImplementedError"


def _blanks(node: ast.AST) -> Iterator[ast.expr]:
    """The blanks of a statement, those of the statements inside it too; classes and lambdas are left alone."""
    match node:
        case ast.ClassDef() | ast.Lambda():
            return
        case ast.FunctionDef(body=body) | ast.AsyncFunctionDef(body=body):
            for part in body:
                yield from _blanks(part)
        case ast.Expr(value=value) | ast.Assign(value=value) | ast.AugAssign(value=value):
            yield from _blank_parts(value, unpacked=_unpacks(node))
        case ast.AnnAssign(value=ast.expr() as value):
            yield from _blank_parts(value)
        case ast.Return(value=ast.expr() as value):
            yield from _blank_parts(value, unpacked=True)
        case ast.stmt() | ast.match_case() | ast.ExceptHandler():
            for child in ast.iter_child_nodes(node):
                yield from _blanks(child)


def _unpacks(node: ast.AST) -> bool:
    return isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple)


def _blank_parts(value: ast.expr, unpacked: bool = False) -> Iterator[ast.expr]:
    """The blanks of a value. A tuple may be an index, `(..., None)`, unless it is returned or unpacked."""
    match value:
        case ast.Constant(value=constant) if constant is Ellipsis:
            yield value
        case ast.Tuple(elts=parts) if unpacked:
            for part in parts:
                yield from _blank_parts(part)
        case ast.BinOp(left=left, right=right):
            yield from _blank_parts(left)
            yield from _blank_parts(right)
        case ast.UnaryOp(operand=operand):
            yield from _blank_parts(operand)
        case ast.Call(args=args, keywords=keywords):
            for part in [*args, *(keyword.value for keyword in keywords)]:
                yield from _blank_parts(part)
