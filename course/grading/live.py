"""Finds names among live functions, as they are in a running notebook."""

from __future__ import annotations

import ast
import functools
import inspect
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from course.answers import is_placeholder
from course.comparison.faults import name_of
from course.grading.closure import uses_of
from course.grading.extent import Extent, code_lines, own_texts
from course.grading.finding import Found
from course.grading.parsing import quietly
from course.grading.statements import Cell, Statement, statements_of
from course.grading.stubs import unfinished
from course.records import Fault


def find_live(namespace: Mapping[str, Any], where: str, names: Sequence[str]) -> Found:
    """The values of some names; a stub, or a name that is not there, is a fault."""
    missing = [name for name in names if name not in namespace or is_placeholder(namespace[name])]
    if missing:
        listed = " and ".join(f"`{name}`" for name in missing)
        verb = "is" if len(missing) == 1 else "are"
        return Found(fault=Fault("missing", missing[0], f"{listed} {verb} not defined in {where}."))
    blank = next((name for name in names if namespace[name] is ...), None)
    if blank is not None:
        return Found(fault=Fault("not_started", blank, f"`{blank}` is still `...`: fill that in."))
    statements = [s for name in names if (s := _statement_of(namespace[name])) is not None]
    extent = Extent(
        tuple(statement.text for statement in statements) or tuple(repr(namespace[name]) for name in names),
        frozenset(line for statement in statements for line in code_lines(statement)),
        tuple(statements),
    )
    fault = unfinished(statements, names)
    values = {} if fault else {name: namespace[name] for name in names}
    own = own_texts(_with_helpers(names, statements, namespace), names) or frozenset(extent.texts)
    return Found(values=values, fault=fault, extent=extent, own=own)


def _with_helpers(
    names: Sequence[str], statements: Sequence[Statement], namespace: Mapping[str, Any]
) -> list[Statement]:
    """The statements that define some names, and those of the functions beside them that they call."""
    home = next((there for name in names if (there := globals_of(namespace[name])) is not None), None)
    found, met = list(statements), set(names)
    for statement in found:  # grows meanwhile
        uses = uses_of(statement.text)
        helpers = [
            name for name in uses.at_once | uses.in_lambdas | uses.later if name in namespace and name not in met
        ]
        met.update(helpers)
        beside = [namespace[name] for name in helpers if home is not None and globals_of(namespace[name]) is home]
        found += [definition for helper in beside if (definition := _statement_of(helper)) is not None]
    return found


def globals_of(value: Any) -> Any:
    """The namespace that a function was defined in; None for anything else."""
    return getattr(plain_function(value), "__globals__", None)


def _statement_of(value: Any) -> Statement | None:
    """The definition of a function, read from where it was typed; None where that cannot be told."""
    function = plain_function(value)
    try:
        lines, first = inspect.getsourcelines(function)
        text = "\n" * (first - 1) + textwrap.dedent("".join(lines))
        filename = function.__code__.co_filename
        cell = Cell(filename, name_of(filename), text, text)
        return next(statements_of(quietly(ast.parse, text), cell), None)
    except (AttributeError, OSError, SyntaxError, TypeError):
        return None


def plain_function(value: Any) -> Any:
    """The function under `jit`, `custom_vjp` and `partial`."""
    while isinstance(value, functools.partial):
        value = value.func
    return inspect.unwrap(value) if callable(value) else value
