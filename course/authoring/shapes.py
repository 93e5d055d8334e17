"""Says the shapes of a function's parameters in one plain comment, made from its annotations."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator, Mapping

LESSONS = "course.lessons"
"""Where the named tuples and records come from whose parts are told."""

DTYPES = {"Float": "", "Int": " int", "UInt": " int", "Integer": " int", "Bool": " bool", "Key": " key"}
"""jaxtyping's kinds of arrays; real numbers go without saying."""

NUMBER = "a number"
SCALARS = {"float": NUMBER, "int": NUMBER, "bool": NUMBER, "Place": "a place"}

Parts = Mapping[str, tuple[str, ...]]
"""The names of the parts of each named tuple or record."""


def shapes_comment(node: ast.FunctionDef, *, kept: bool, parts: Parts | None = None) -> str:
    """The comment `# x (batch, d_in)  scale: a number  params: w, b`; empty where nothing can be said.

    Args:
        node: The function.
        kept: Whether its residuals are told. What a learner's own forward keeps is theirs to decide.
        parts: The named tuples of which a reader is told the parts; others are left out.
    """
    said = [
        f"{name} {shape}" if shape.startswith("(") else f"{name}: {shape}"
        for name, shape in _shapes(node, parts or {})
        if kept or name != "residuals"
    ]
    return f"# {'  '.join(said)}" if said else ""


def parts_named_in(text: str) -> Parts:
    """The named tuples and records that a module of answers imports from the lessons, with their parts."""
    found = {}
    for node in ast.parse(text).body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"{LESSONS}."):
            lesson = importlib.import_module(node.module or "")
            for alias in node.names:
                named = getattr(lesson, alias.name)
                if fields := getattr(named, "_fields", getattr(named, "__dataclass_fields__", ())):
                    found[alias.asname or alias.name] = tuple(fields)
    return found


def _shapes(node: ast.FunctionDef, parts: Parts) -> Iterator[tuple[str, str]]:
    arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    for argument in arguments:
        shape = _shape(argument.annotation, parts) if argument.annotation else ""
        if shape:
            yield argument.arg, shape


def _shape(annotation: ast.expr, parts: Parts) -> str:
    match annotation:
        case ast.Subscript(value=ast.Name(kind), slice=ast.Tuple(elts=[_, ast.Constant(str(axes))])) if kind in DTYPES:
            return _axes(axes, DTYPES[kind])
        case ast.Subscript(value=ast.Name("tuple"), slice=ast.Tuple(elts=entries)):
            shapes = [_entry(entry, parts) for entry in entries]
            if set(shapes) == {NUMBER}:
                return f"{len(shapes)} numbers"
            return f"({', '.join(shapes)})" if all(shapes) else ""
        case ast.Subscript(value=ast.Name("tuple"), slice=entry) if shape := _entry(entry, parts):
            return f"({shape},)"
        case ast.Subscript(value=ast.Name("list"), slice=ast.Name(name)) if name in parts:
            return f"a list of ({', '.join(parts[name])})"
        case ast.Subscript(value=ast.Name("Sequence"), slice=ast.Name(name)) if SCALARS.get(name) == NUMBER:
            return "several numbers"
        case ast.Name("PyTree"):
            return "a tree"
        case ast.Name(name) if name in SCALARS:
            return SCALARS[name]
        case ast.BinOp(left=left, op=ast.BitOr(), right=right) if _shape(left, parts) == _shape(right, parts):
            return _shape(left, parts)
        case ast.Name(name) | ast.Attribute(attr=name) if name in parts:
            return ", ".join(parts[name])
    return ""


def _entry(annotation: ast.expr, parts: Parts) -> str:
    """A shape within a tuple; a named tuple's parts stand in brackets there."""
    shape = _shape(annotation, parts)
    return f"({shape})" if shape and isinstance(annotation, ast.Name) and annotation.id in parts else shape


def _axes(axes: str, dtype: str) -> str:
    names = axes.split()
    if not names:
        return "a key" if dtype == DTYPES["Key"] else NUMBER
    if len(names) == 1 and names[0][0] in "*.":
        return f"an array of any shape{dtype and f', {dtype.strip()}'}"
    return (f"({names[0]},)" if len(names) == 1 else f"({', '.join(names)})") + dtype
