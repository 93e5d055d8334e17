"""Reads an answer for routes to a derivative before it is judged: the message then has the name and the line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from course.comparison.by_hand.reading import imported_names, live_names, routes_in
from course.comparison.by_hand.routes import Refusal, refusal_fault
from course.grading.closure import uses_of
from course.grading.finding import Found
from course.grading.live import globals_of
from course.grading.statements import Role, Statement
from course.records import Fault


def route_named(found: Found, allows: frozenset[str]) -> Fault | None:
    """The fault of an answer whose source names a route that is not allowed; None where it names none."""
    statements = found.extent.statements
    names = _known_names(statements, found.values)
    for statement in statements:
        uses = uses_of(statement.text)
        outside = uses.at_once | uses.in_lambdas | uses.later
        for route, number in routes_in(statement.node, names, outside):
            if route not in allows:
                return refusal_fault(Refusal(route, statement.cell.line(number)), _owner(statement), allows)
    return None


def _known_names(statements: Iterable[Statement], values: Mapping[str, Any]) -> dict[str, str]:
    """What the names stand for that the answer's modules hold, and that its imports bind."""
    found: dict[str, str] = {}
    for value in values.values():
        found |= live_names(globals_of(value) or {})
    for statement in statements:
        found |= imported_names(statement.node)
    return found


def _owner(statement: Statement) -> str:
    """The function that a statement defines, else its file."""
    return min(statement.binds) if statement.role is Role.DEFINITION else statement.cell.name
