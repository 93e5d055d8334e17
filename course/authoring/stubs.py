"""Makes a hand-out from an answer: what is asked of a learner is taken out, and what they need is left.

Left are the signature, without annotations; the docstring; the shapes as one plain comment; and the numbered
questions. Of an exercise whose scaffold is "lines", the statements stay too, and only what is asked becomes a blank:
a step runs from its numbered comment to the next comment or blank line; in it every assignment is asked, and a `return`
where it is the first statement of its step. A hand-out counts as not started, which `course.grading.stubs` decides.
"""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterator
from itertools import takewhile

from course.authoring.shapes import parts_named_in, shapes_comment
from course.authoring.solution import signature_of
from course.exercises.exercise import Exercise

NUMBERED = re.compile(r"\s*# \d+\. ")
_COMMENT = re.compile(r"\s*#")


class NothingAsked(Exception):
    """An answer of which nothing would be left to write: what its author must do."""


def stub(text: str, node: ast.FunctionDef, exercise: Exercise) -> str:
    """The hand-out of one function.

    Args:
        text: The module that the function stands in.
        node: The function.
        exercise: What asks for it; it decides how much is left.

    Raises:
        NothingAsked: It has no numbered question, or its steps hold nothing to fill in.
    """
    if not any(NUMBERED.match(line) for line in _body_lines(text, node)):
        raise NothingAsked(f"`{node.name}` needs a numbered question as a comment: `# 1. ...?`.")
    given = getattr(exercise.task, "given", None) is not None
    head = [
        signature_of(node),
        textwrap.indent(_docstring(text, node), "    "),
        textwrap.indent(shapes_comment(node, kept=given, parts=parts_named_in(text)), "    "),
    ]
    body = _blanked(text, node) if exercise.scaffold == "lines" else _questions(text, node)
    return "\n".join([part for part in head if part] + body)


def asked_statements(text: str, node: ast.FunctionDef, exercise: Exercise) -> list[ast.stmt]:
    """The statements of an answer that a learner has to find."""
    if exercise.scaffold == "lines":
        return list(_asked(text, node))
    return [part for part in ast.walk(node) if isinstance(part, ast.stmt) and part is not node][_has_docstring(node) :]


def _has_docstring(node: ast.FunctionDef) -> bool:
    return ast.get_docstring(node) is not None


def _docstring(text: str, node: ast.FunctionDef) -> str:
    if not _has_docstring(node):
        return ""
    lines = text.split("\n")[node.body[0].lineno - 1 : node.body[0].end_lineno]
    return textwrap.dedent("\n".join(lines))


def _body_lines(text: str, node: ast.FunctionDef) -> list[str]:
    """The lines under the docstring, or under the signature where there is none."""
    first = node.body[0]
    lines = text.split("\n")[: node.end_lineno]
    if _has_docstring(node):
        return lines[first.end_lineno or first.lineno :]
    comments = list(takewhile(lambda line: _COMMENT.match(line) or not line.strip(), lines[: first.lineno - 1][::-1]))
    return lines[first.lineno - 1 - len(comments) :]


def _questions(text: str, node: ast.FunctionDef) -> list[str]:
    """The numbered comments, each with the comment lines that continue it, and what a stub ends in."""
    kept: list[str] = []
    inside = False
    for line in _body_lines(text, node):
        inside = bool(NUMBERED.match(line)) or (inside and bool(_COMMENT.match(line)))
        if inside:
            kept.append("    " + line.strip())
    return [*kept, "    raise NotImplementedError"]


def _blanked(text: str, node: ast.FunctionDef) -> list[str]:
    asked = list(_asked(text, node))
    if not asked:
        raise NothingAsked(f"`{node.name}` has no assignment and no `return` under a numbered question.")
    lines = text.split("\n")
    for statement in reversed(asked):
        first, last = statement.lineno - 1, statement.end_lineno or statement.lineno
        lines[first:last] = [_blank(statement, lines[first])]
    end = (node.end_lineno or 0) - (len(text.split("\n")) - len(lines))
    skipped = len(text.split("\n")[: node.end_lineno]) - len(_body_lines(text, node))
    return lines[skipped:end]


def _blank(statement: ast.stmt, line: str) -> str:
    """A statement with `...` for its value."""
    assert isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.Return)
    assert statement.value is not None
    if isinstance(statement, ast.Return):
        return line[: statement.col_offset] + "return ..."
    if statement.value.lineno != statement.lineno:
        line = line.rstrip()
    else:
        line = line.encode()[: statement.value.col_offset].decode()
    return line.rstrip("( ") + " ..."


def _asked(text: str, node: ast.FunctionDef) -> Iterator[ast.stmt]:
    lines = text.split("\n")
    for statement in sorted(_statements(node), key=lambda part: part.lineno):
        place = statement.lineno - 2
        between = list(takewhile(lambda line: line.strip() and not _COMMENT.match(line), lines[place::-1]))
        comments = list(takewhile(_COMMENT.match, lines[place - len(between) :: -1]))
        if not any(NUMBERED.match(line) for line in comments):
            continue
        value = getattr(statement, "value", None)
        if value is not None and (not isinstance(statement, ast.Return) or not between):
            yield statement


def _statements(node: ast.FunctionDef) -> Iterator[ast.stmt]:
    """The assignments and returns of a function, those in its loops too."""
    for part in ast.walk(node):
        if isinstance(part, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.Return):
            yield part
