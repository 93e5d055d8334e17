"""Which draws the answers of a submission name, read from its text; and who shares one, which a hand-out explains."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Sequence

from course.exercises.tasks.which_mistake import draw_of
from course.grading.statements import Role
from course.grading.submission import Submission


def draws_in(submission: Submission) -> frozenset[int]:
    """The draws that stand in answers such as `course.answer("losses.q4", "b417")`. Nothing is executed."""
    values = [
        statement.node.value
        for file in submission.files
        for statement in file.statements
        if statement.role is Role.QUESTION and isinstance(statement.node, ast.Assign)
    ]
    named = (draw_of(value.value) for value in values if isinstance(value, ast.Constant))
    return frozenset(draw for draw in named if draw is not None)


def draw_remarks(draws: Sequence[tuple[str, frozenset[int]]]) -> dict[str, str]:
    """What a teacher should know of students' draws, by student.

    The draw that most of a class answers is that of the hand-out: then others are told apart from it. Where there is
    none, each should have a draw of their own.
    """
    counts = Counter(draw for _, own in draws for draw in own)
    answered = sum(bool(own) for _, own in draws)
    common, most = counts.most_common(1)[0] if counts else (0, 0)
    remarks = {}
    for student, own in draws:
        if 2 * most > answered:
            odd = own - {common}
            said = f"answers draw {_listed(odd)}, most answer {common}" if odd else ""
        else:
            shared = [draw for draw in sorted(own) if counts[draw] > 1]
            said = "; ".join(f"answers draw {draw}, as {_others(student, draw, draws)}" for draw in shared)
        if said:
            remarks[student] = said
    return remarks


def _others(student: str, draw: int, draws: Sequence[tuple[str, frozenset[int]]]) -> str:
    return ", ".join(other for other, own in draws if draw in own and other != student)


def _listed(draws: frozenset[int]) -> str:
    return " and ".join(map(str, sorted(draws)))
