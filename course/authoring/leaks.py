"""Finds lines of an answer in what learners are handed.

An expression that is asked for must not stand in its own lesson's notebook, and its whole statement in no notebook.
What says nothing by itself is left alone: a bare name, a tuple of names, a call of something with names. Of text, the
code in it is read; a folded derivation (`<details>`) and a cell tagged `worked` show lines on purpose.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from course.authoring.solution import Solution
from course.authoring.stubs import asked_statements
from course.exercises.exercise import Paper

_FOLDED = re.compile(r"<details>.*?</details>", re.DOTALL)
_FENCE = re.compile(r"^```\w*\n(.*?)^```", re.DOTALL | re.MULTILINE)
_SPAN = re.compile(r"`([^`\n]+)`")


def asked_of(solution: Solution, paper: Paper) -> list[ast.stmt]:
    """All statements that a lesson's learner has to find."""
    return [
        statement
        for exercise in paper.exercises
        for name in exercise.task.names
        if name in solution.functions
        for statement in asked_statements(solution.text, solution.functions[name], exercise)
    ]


def leaks(
    notebook: Mapping[str, Any], own: Iterable[ast.stmt], others: Iterable[ast.stmt]
) -> Iterator[tuple[str, str]]:
    """The cells of a notebook that show an answer, by name, and what they show."""
    values = {ast.unparse(value) for statement in own if (value := _value(statement)) and _tells(value)}
    statements = {ast.unparse(s) for s in [*own, *others] if _assigns(s)}
    for cell in notebook["cells"]:
        if "worked" in cell["metadata"].get("tags", []):
            continue
        for code in _code(cell):
            for node in ast.walk(code):
                text = ast.unparse(node) if isinstance(node, ast.expr | ast.stmt) else ""
                if text in (values if isinstance(node, ast.expr) else statements):
                    yield cell["metadata"]["name"], text


def _value(statement: ast.stmt) -> ast.expr | None:
    return getattr(statement, "value", None)


def _assigns(statement: ast.stmt) -> bool:
    """Whether it gives a name a value that is worth hiding: `b2_bar = z2_bar` is, the unpacking of residuals is not."""
    match statement:
        case ast.Assign(targets=[ast.Name()], value=ast.Name(name)):
            return name != "residuals"
        case ast.Assign(value=value):
            return _tells(value)
    return False


def _tells(value: ast.expr) -> bool:
    """Whether an expression by itself says something of the answer."""
    match value:
        case ast.Name() | ast.Constant() | ast.Attribute():
            return False
        case ast.Tuple(elts=parts) | ast.List(elts=parts) | ast.Call(args=parts, keywords=[]):
            return any(_tells(part) for part in parts)
        case ast.Starred(value=inner):
            return _tells(inner)
    return True


def _code(cell: Mapping[str, Any]) -> Iterator[ast.Module]:
    """The Python in a cell: its own, or that in its text."""
    text = "".join(cell["source"])
    if cell["cell_type"] == "code":
        yield ast.parse(text)
        return
    text = _FOLDED.sub("", text)
    for piece in [*_FENCE.findall(text), *_SPAN.findall(_FENCE.sub("", text))]:
        try:
            yield ast.parse(piece)
        except (SyntaxError, ValueError):
            continue
