"""Says the shapes of a function's parameters in one plain comment, made from its annotations."""

from __future__ import annotations

import ast
from collections.abc import Iterator

DTYPES = {"Float": "", "Int": " int", "UInt": " int", "Integer": " int", "Bool": " bool", "Key": " key"}
"""jaxtyping's kinds of arrays; real numbers go without saying."""

SCALARS = ("float", "int", "bool")
NUMBER = "a number"


def shapes_comment(node: ast.FunctionDef, *, kept: bool) -> str:
    """The comment `# x (batch, d_in)  b (d_out,)`; empty where nothing can be said.

    What a learner's own forward keeps is theirs to decide: without `kept`, residuals are left out.
    """
    said = [f"{name} {shape}" for name, shape in _shapes(node) if kept or name != "residuals"]
    return f"# {'  '.join(said)}" if said else ""


def _shapes(node: ast.FunctionDef) -> Iterator[tuple[str, str]]:
    arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    for argument in arguments:
        shape = _shape(argument.annotation) if argument.annotation else ""
        if shape:
            yield argument.arg, shape


def _shape(annotation: ast.expr) -> str:
    match annotation:
        case ast.Subscript(value=ast.Name(kind), slice=ast.Tuple(elts=[_, ast.Constant(str(axes))])) if kind in DTYPES:
            return _axes(axes) + DTYPES[kind]
        case ast.Subscript(value=ast.Name("tuple"), slice=ast.Tuple(elts=parts)):
            shapes = [_shape(part) for part in parts]
            if set(shapes) == {NUMBER}:
                return f"{len(shapes)} numbers"
            return f"({', '.join(shapes)})" if all(shapes) else ""
        case ast.Subscript(value=ast.Name("list"), slice=ast.Name(name)) if name != "Any":
            return f"list of {name}"
        case ast.Name(name) if name in SCALARS:
            return NUMBER
        case ast.Name("Any"):
            return ""
        case ast.Name(name) | ast.Attribute(attr=name):
            return name
    return ""


def _axes(axes: str) -> str:
    names = axes.split()
    if not names:
        return NUMBER
    return f"({names[0]},)" if len(names) == 1 and names[0][0] not in "*." else f"({', '.join(names)})"
