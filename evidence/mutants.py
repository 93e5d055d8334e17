"""Mechanical mutants of an answer: one small change of its syntax tree each, as a slip of the hand makes it.

Source: R. A. DeMillo, R. J. Lipton, F. G. Sayward, "Hints on test data selection: help for the practicing programmer",
IEEE Computer 11(4), 1978; the operators are those that matter for array code.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

ARITHMETIC: dict[type, tuple[type, ...]] = {
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Div, ast.Add),
    ast.Div: (ast.Mult,),
    ast.MatMult: (ast.Mult,),
}
COMPARISONS: dict[type, tuple[type, ...]] = {
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.LtE),
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.GtE),
}
REDUCTIONS = {"sum": ("mean", "max"), "mean": ("sum",), "max": ("sum",), "outer": ("inner",), "add": ("set",)}

Change = tuple[str, ast.AST]
"""The name of an operator, and what stands in a node's place."""


class Mutant(NamedTuple):
    """A changed function definition: the kind of change, and the one line that it changes, before and after."""

    operator: str
    was: str
    now: str
    definition: ast.FunctionDef


def mutants(function: ast.FunctionDef) -> Iterator[Mutant]:
    """All mutants of a function, each text once; its docstring and annotations are left alone."""
    bare = _bare(function)
    lines = ast.unparse(bare).splitlines()
    seen = {tuple(lines)}
    bound = _first_bound(bare)
    for number, node in enumerate(_nodes(bare)):
        for operator, other in _changes(node, bound):
            mutant = _replaced(bare, number, other)
            text = tuple(ast.unparse(mutant).splitlines())
            if text not in seen:
                seen.add(text)
                was, now = next((old, new) for old, new in zip(lines, text, strict=True) if old != new)
                yield Mutant(operator, was.strip(), now.strip(), mutant)


def _bare(function: ast.FunctionDef) -> ast.FunctionDef:
    """The same function with nothing said of its types, no docstring, and each negative number as one constant."""
    bare: ast.FunctionDef = _Negatives().visit(copy.deepcopy(function))
    bare.returns = None
    for argument in ast.walk(bare):
        if isinstance(argument, ast.arg):
            argument.annotation = None
    if ast.get_docstring(bare) is not None and len(bare.body) > 1:
        bare.body = bare.body[1:]
    return bare


class _Negatives(ast.NodeTransformer):
    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        if isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant):
            return ast.copy_location(ast.Constant(-node.operand.value), node)
        return self.generic_visit(node)


def _nodes(function: ast.FunctionDef) -> list[Any]:
    """Expressions and statements of the body, in an order that a copy shares."""
    return [node for part in function.body for node in ast.walk(part) if isinstance(node, ast.expr | ast.stmt)]


def _first_bound(function: ast.FunctionDef) -> dict[str, int]:
    """The names that may be confused with one another, and the line on which each is bound first."""
    bound = {argument.arg: function.lineno for argument in function.args.args}
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            bound[node.id] = min(node.lineno, bound.get(node.id, node.lineno))
    return bound


def _replaced(function: ast.FunctionDef, number: int, other: ast.AST) -> ast.FunctionDef:
    """A copy of a function with another node in the place of one of its own."""
    mutant = copy.deepcopy(function)
    node = _nodes(mutant)[number]

    class Swap(ast.NodeTransformer):
        def visit(self, found: ast.AST) -> Any:
            return copy.deepcopy(other) if found is node else self.generic_visit(found)

    mutant.body = [Swap().visit(statement) for statement in mutant.body]
    return ast.fix_missing_locations(mutant)


def _with(node: Any, **fields: Any) -> Any:
    changed = copy.deepcopy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed


def _changes(node: Any, bound: Mapping[str, int]) -> Iterator[Change]:
    match node:
        case ast.BinOp():
            yield from _of_operation(node)
            yield "sign", ast.UnaryOp(ast.USub(), node)
        case ast.Call():
            yield from _of_call(node)
            yield "sign", ast.UnaryOp(ast.USub(), node)
        case ast.UnaryOp(op=ast.USub() | ast.Invert()):
            yield "sign", node.operand
        case ast.Attribute(attr="T"):
            yield "transpose", node.value
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            yield from (("constant", ast.Constant(other)) for other in (value + 1, value * 2, -value))
        case ast.Compare(ops=[operation]):
            yield from (("comparison", _with(node, ops=[other()])) for other in COMPARISONS.get(type(operation), ()))
        case ast.Name(id=name, ctx=ast.Load()) if name in bound:
            others = (other for other, line in bound.items() if line < node.lineno and other != name)
            yield from (("name", ast.Name(other, ast.Load())) for other in others)
        case ast.Assign() | ast.AugAssign():
            yield "statement deleted", ast.Pass()
            if isinstance(node, ast.AugAssign):
                yield "overwritten", ast.Assign([node.target], node.value)


def _of_operation(node: ast.BinOp) -> Iterator[Change]:
    yield from (("arithmetic", _with(node, op=other())) for other in ARITHMETIC.get(type(node.op), ()))
    if isinstance(node.op, ast.Add | ast.Sub | ast.Mult | ast.Div):
        yield from (("term dropped", side) for side in (node.left, node.right))
    if isinstance(node.op, ast.MatMult | ast.Sub | ast.Div):
        yield "sides swapped", _with(node, left=node.right, right=node.left)
    if isinstance(node.op, ast.MatMult):
        yield "transpose", _with(node, left=ast.Attribute(node.left, "T", ast.Load()))
        yield "transpose", _with(node, right=ast.Attribute(node.right, "T", ast.Load()))


def _of_call(node: ast.Call) -> Iterator[Change]:
    if isinstance(node.func, ast.Attribute):
        for other in REDUCTIONS.get(node.func.attr, ()):
            yield "reduction", _with(node, func=_with(node.func, attr=other))
    if len(node.args) == 1 and not node.keywords and not isinstance(node.args[0], ast.Starred):
        yield "call dropped", node.args[0]
    for place, keyword in enumerate(node.keywords):
        if keyword.arg == "keepdims" and isinstance(keyword.value, ast.Constant):
            other = _with(keyword, value=ast.Constant(not keyword.value.value))
            yield "keepdims", _with(node, keywords=[*node.keywords[:place], other, *node.keywords[place + 1 :]])
