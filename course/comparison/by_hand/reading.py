"""Reads routes out of the source: dotted names that lead to one, by the names under which modules were imported.

Only names that are read from outside count: a variable that happens to be called `grad` is no route.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping
from types import ModuleType
from typing import Any, NamedTuple

import jax

from course.comparison.by_hand.routes import PRIVATE, ROUTES

_RULES = ("jvp", "fwd", "bwd")
"""Attributes under which a function of JAX's keeps a rule of its own."""


class Named(NamedTuple):
    """A route that a piece of source names, and the line of the piece that does, counted from 1."""

    route: str
    number: int


def imported_names(node: ast.AST) -> dict[str, str]:
    """What each name stands for that an import statement binds: {"jnp": "jax.numpy"}."""
    match node:
        case ast.Import(names=names):
            whole = {alias.asname or alias.name.partition(".")[0]: alias for alias in names}
            return {name: alias.name if alias.asname else name for name, alias in whole.items()}
        case ast.ImportFrom(module=str(module), names=names, level=0):
            return {alias.asname or alias.name: f"{module}.{alias.name}" for alias in names}
    return {}


def live_names(namespace: Mapping[str, Any]) -> dict[str, str]:
    """What the names of a running module stand for, where that is a module or a route."""
    routes = {id(value): route for route in ROUTES if (value := _public(route)) is not None}
    found = {name: routes[id(value)] for name, value in namespace.items() if id(value) in routes}
    return found | {name: value.__name__ for name, value in namespace.items() if isinstance(value, ModuleType)}


def routes_in(node: ast.AST, names: Mapping[str, str], outside: Collection[str]) -> Iterator[Named]:
    """The routes that a statement names.

    Args:
        node: The statement.
        names: What its names stand for.
        outside: The names that it reads from outside.
    """
    if isinstance(node, ast.ImportFrom | ast.Import):
        for whole in imported_names(node).values():
            if _is_route(whole):
                yield Named(whole, node.lineno)
        return
    for inner in ast.walk(node):
        whole = _dotted(inner, names, outside)
        if whole and _is_route(whole):
            yield Named(whole, getattr(inner, "lineno", 1))


def _public(route: str) -> Any:
    value: Any = jax
    for name in route.split(".")[1:]:
        value = getattr(value, name, None)
    return value


def _dotted(node: ast.AST, names: Mapping[str, str], outside: Collection[str]) -> str:
    """The whole name that a chain of attributes leads to; empty where it starts from nothing known."""
    match node:
        case ast.Name(id=name, ctx=ast.Load()) if name in outside:
            return names.get(name, "")
        case ast.Attribute(value=value, attr=attr):
            start = _dotted(value, names, outside)
            return f"{start}.{attr}" if start else ""
    return ""


def _is_route(whole: str) -> bool:
    if whole in ROUTES or any(whole == name or whole.startswith(f"{name}.") for name in PRIVATE):
        return True
    owner, _, last = whole.rpartition(".")
    return last in _RULES and owner.startswith("jax.")
