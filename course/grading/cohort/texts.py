"""What a class wrote in its own words: one page for a teacher to read, and one table to put marks into.

The table keeps whatever a teacher wrote: made again, it grows by the texts that are new. A mark belongs to a text:
where that has changed since, the mark stays, and the row says so.
"""

from __future__ import annotations

import ast
import csv
import hashlib
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path

from course.exercises.exercise import Exercise
from course.exercises.tasks.free_text import FreeText
from course.grading.statements import Role
from course.grading.submission import Submission

COLUMNS = ("student", "question", "text", "of", "points", "remark")
CHANGED = "the text has changed since it was marked"

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Answers in their own words</title>
<style>:root {{ color-scheme: light dark; }}
body {{ font: 15px/1.5 system-ui, sans-serif; max-width: 800px; margin: 2em auto; padding: 0 1em; }}
.text {{ white-space: pre-wrap; overflow-wrap: anywhere; margin: 0 0 1.5em; padding: 0 1em;
  border-left: 4px solid #0068b3; }}
li {{ margin: .2em 0; }} h2 {{ margin-top: 2em; }}</style></head>
<body><h1>Answers in their own words</h1>
<p>Marks go into {marks}, one row for each text: its points, and a word if you like.</p>
{body}
</body></html>
"""


class BadMarks(Exception):
    """What is wrong with a table of marks: one sentence."""


@dataclass(frozen=True)
class Mark:
    """A row of the table: whose text on which question, a hash of it, and the points as they were written, or none."""

    student: str
    question: str
    digest: str
    of: int
    points: str = ""
    remark: str = ""


def texts_in(submission: Submission, questions: Iterable[str]) -> dict[str, str]:
    """What stands in `course.answer("losses.text", ...)`, by question; of what is no text, its code. Runs nothing."""
    wanted, found = set(questions), {}
    for file in submission.files:
        for statement in file.statements:
            if statement.role is Role.QUESTION and isinstance(statement.node, ast.Assign):
                (name,) = statement.binds
                value = statement.node.value
                if name in wanted and not (isinstance(value, ast.Constant) and value.value is ...):
                    plain = isinstance(value, ast.Constant) and isinstance(value.value, str)
                    found[name] = value.value if plain else ast.unparse(value)  # type: ignore[attr-defined]
    return {name: text for name, text in found.items() if text.strip()}


def read_marks(place: Path) -> list[Mark]:
    """The rows of a table of marks; none where there is no table yet.

    Raises:
        BadMarks: It is no such table, or points are out of range.
    """
    if not place.exists():
        return []
    rows = list(csv.DictReader(io.StringIO(place.read_text(encoding="utf-8-sig"))))
    marks = []
    for number, row in enumerate(rows, 2):
        if any(row.get(column) is None for column in COLUMNS):
            raise BadMarks(f"{place} has no such columns as {', '.join(COLUMNS)}: line {number} can't be read.")
        mark = Mark(row["student"], row["question"], row["text"], int(row["of"]), row["points"].strip(), row["remark"])
        if mark.points and not _is_within(mark):
            raise BadMarks(f"{place}, line {number}: points go from 0 to {mark.of}; {mark.points!r} came.")
        marks.append(mark)
    return marks


def _is_within(mark: Mark) -> bool:
    try:
        return 0 <= float(mark.points.replace(",", ".")) <= mark.of
    except ValueError:
        return False


def merged(marks: Sequence[Mark], texts: Mapping[str, Mapping[str, str]], exercises: Sequence[Exercise]) -> list[Mark]:
    """The rows that were there, with a remark where a text is another one now, and rows for texts that are new."""
    points = {exercise.name: exercise.task.points for exercise in exercises if isinstance(exercise.task, FreeText)}
    now = {(student, name): _digest(text) for student, own in texts.items() for name, text in own.items()}
    kept = [_with_change(mark, now.get((mark.student, mark.question))) for mark in marks]
    known = {(mark.student, mark.question) for mark in marks}
    new = [Mark(who, name, digest, points[name]) for (who, name), digest in now.items() if (who, name) not in known]
    return [*kept, *new]


def _with_change(mark: Mark, digest: str | None) -> Mark:
    """A row under the text of now: an unmarked one is of that text, and of a marked one it is said."""
    if digest is None or digest == mark.digest:
        return mark
    if not mark.points:
        return replace(mark, digest=digest)
    remark = mark.remark if CHANGED in mark.remark else "; ".join(filter(None, (mark.remark, CHANGED)))
    return replace(mark, remark=remark)


def _digest(text: str) -> str:
    return hashlib.sha256(text.strip().encode("utf-8", "replace")).hexdigest()[:12]


def marks_text(marks: Iterable[Mark]) -> str:
    """The table as CSV."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows((m.student, m.question, m.digest, m.of, m.points, m.remark) for m in marks)
    return out.getvalue()


def points_of(marks: Iterable[Mark]) -> dict[str, dict[str, float]]:
    """The points that were given, by student and question."""
    found: dict[str, dict[str, float]] = {}
    for mark in marks:
        if mark.points:
            found.setdefault(mark.student, {})[mark.question] = float(mark.points.replace(",", "."))
    return found


def page(exercises: Sequence[Exercise], texts: Mapping[str, Mapping[str, str]], marks: Path) -> str:
    """Every question with its rubric, and under it what each student wrote."""
    parts = [_part(exercise, texts) for exercise in exercises if any(exercise.name in own for own in texts.values())]
    return _PAGE.format(marks=escape(marks.name), body="\n".join(parts))


def _part(exercise: Exercise, texts: Mapping[str, Mapping[str, str]]) -> str:
    task = exercise.task
    assert isinstance(task, FreeText)
    rubric = "".join(f"<li>[{one.points}] {escape(one.text)}</li>" for one in task.rubric)
    answers = "\n".join(
        f'<h3>{escape(student)}</h3><div class="text">{escape(own[exercise.name].strip())}</div>'
        for student, own in texts.items()
        if exercise.name in own
    )
    title = f"{escape(exercise.title)} · {escape(exercise.name)} · {task.points} points"
    return f"<h2>{title}</h2><p>{escape(task.prompt)}</p><ul>{rubric}</ul>\n{answers}"
