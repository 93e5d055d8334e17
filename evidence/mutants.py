"""Mechanical mutants of an answer: one small change of its syntax tree each, as a slip of the hand makes it.

Source: R. A. DeMillo, R. J. Lipton, F. G. Sayward, "Hints on test data selection: help for the practicing programmer",
IEEE Computer 11(4), 1978; the operators are those that matter for array code.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator, Sequence
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


class Mutant(NamedTuple):
    """A changed function definition: which kind of change, on which line, from what to what."""

    operator: str
    line: int
    was: str
    now: str
    definition: ast.FunctionDef


Change = tuple[str, ast.AST]
"""The name of an operator, and what stands in a node's place."""


def mutants(function: ast.FunctionDef) -> Iterator[Mutant]:
    """All mutants of a function, its docstring and annotations left alone."""
    bare = without_annotations(function)
    seen = {ast.unparse(bare)}
    names = _names(bare)
    for number, node in enumerate(_nodes(bare)):
        for operator, other in _changes(node, names):
            mutated = copy.deepcopy(bare)
            _replace(mutated, _nodes(mutated)[number], other)
            text = ast.unparse(mutated)
            if text not in seen:
                seen.add(text)
                now = "nothing" if isinstance(other, ast.Pass) else ast.unparse(other)
                yield Mutant(operator, node.lineno, ast.unparse(node), now, ast.fix_missing_locations(mutated))


def without_annotations(function: ast.FunctionDef) -> ast.FunctionDef:
    """The same function with nothing said of its types, and no docstring."""
    bare = copy.deepcopy(function)
    bare.returns = None
    for argument in ast.walk(bare):
        if isinstance(argument, ast.arg):
            argument.annotation = None
    if ast.get_docstring(bare) is not None and len(bare.body) > 1:
        bare.body = bare.body[1:]
    return bare


def _nodes(function: ast.FunctionDef) -> list[Any]:
    """Expressions and statements of the body, in an order that a copy shares."""
    return [
        node for statement in function.body for node in ast.walk(statement) if isinstance(node, ast.expr | ast.stmt)
    ]


def _names(function: ast.FunctionDef) -> list[str]:
    """Names that are bound in the function, and so may be confused with one another."""
    stored = [node.id for node in ast.walk(function) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]
    return list(dict.fromkeys([*(argument.arg for argument in function.args.args), *stored]))


def _changes(node: Any, names: Sequence[str]) -> Iterator[Change]:
    for operator in (_arithmetic, _terms, _sides, _transposes, _constants, _calls, _comparisons, _signs, _statements):
        yield from operator(node)
    yield from _other_names(node, names)


def _with(node: Any, **fields: Any) -> Any:
    changed = copy.deepcopy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed


def _arithmetic(node: Any) -> Iterator[Change]:
    if isinstance(node, ast.BinOp):
        yield from (("arithmetic", _with(node, op=other())) for other in ARITHMETIC.get(type(node.op), ()))


def _terms(node: Any) -> Iterator[Change]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub | ast.Mult | ast.Div):
        yield "term dropped", node.left
        yield "term dropped", node.right


def _sides(node: Any) -> Iterator[Change]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult | ast.Sub | ast.Div):
        yield "sides swapped", _with(node, left=node.right, right=node.left)


def _transposes(node: Any) -> Iterator[Change]:
    if isinstance(node, ast.Attribute) and node.attr == "T":
        yield "transpose removed", node.value
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
        yield "transpose added", _with(node, left=ast.Attribute(node.left, "T", ast.Load()))
        yield "transpose added", _with(node, right=ast.Attribute(node.right, "T", ast.Load()))


def _constants(node: Any) -> Iterator[Change]:
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        yield from (("constant", ast.Constant(value)) for value in (node.value + 1, node.value * 2, -node.value))
    if isinstance(node, ast.keyword):
        return
    if isinstance(node, ast.Call):
        for place, keyword in enumerate(node.keywords):
            if keyword.arg == "keepdims" and isinstance(keyword.value, ast.Constant):
                keywords = list(node.keywords)
                keywords[place] = ast.keyword("keepdims", ast.Constant(not keyword.value.value))
                yield "keepdims", _with(node, keywords=keywords)


def _calls(node: Any) -> Iterator[Change]:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        for other in REDUCTIONS.get(node.func.attr, ()):
            yield "reduction", _with(node, func=_with(node.func, attr=other))
    if isinstance(node, ast.Call) and len(node.args) == 1 and not node.keywords:
        yield "call dropped", node.args[0]


def _comparisons(node: Any) -> Iterator[Change]:
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        yield from (("comparison", _with(node, ops=[other()])) for other in COMPARISONS.get(type(node.ops[0]), ()))


def _signs(node: Any) -> Iterator[Change]:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.Invert):
        yield "sign", node.operand
    elif isinstance(node, ast.BinOp | ast.Call):
        yield "sign", ast.UnaryOp(ast.USub(), node)


def _statements(node: Any) -> Iterator[Change]:
    if isinstance(node, ast.AugAssign):
        yield "overwritten", ast.Assign([node.target], node.value, lineno=node.lineno)
    if isinstance(node, ast.Assign | ast.AugAssign):
        yield "statement deleted", ast.Pass()


def _other_names(node: Any, names: Sequence[str]) -> Iterator[Change]:
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in names:
        yield from (("name", ast.Name(other, ast.Load())) for other in names if other != node.id)


def _replace(function: ast.FunctionDef, node: Any, other: ast.AST) -> None:
    """Puts another node in the place of one of a function's."""
    swap = _swapper(node, other)
    function.body = [swap.visit(statement) for statement in function.body]


def _swapper(node: Any, other: ast.AST) -> ast.NodeTransformer:
    class Swap(ast.NodeTransformer):
        def visit(self, found: ast.AST) -> Any:
            return copy.deepcopy(other) if found is node else self.generic_visit(found)

    return Swap()


Operator = Callable[[Any], Iterator[Change]]
