"""`course grade`: judges what a class handed in, each submission in a process of its own."""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from course.cli.readying import exercises_named, open_course_at, refuse_unknown_lesson
from course.exercises.tasks.free_text import FreeText
from course.grading.cohort.gradebook import table, write_pages
from course.grading.cohort.ledger import Circumstances, Ledger, OtherLedger
from course.grading.cohort.pool import NotSafe, Plan, grade_all
from course.grading.cohort.roster import Handed, read_roster
from course.grading.cohort.seeds import secret_in
from course.grading.cohort.texts import BadMarks, Mark, marks_text, merged, page, points_of, read_marks, texts_in
from course.grading.submission import Submission
from course.records import Feedback

if TYPE_CHECKING:
    from course.exercises.exercise import Exercise

LEVELS = [level.name.lower() for level in Feedback]
REPORTED = 50
"""Submissions between two lines of progress, where there is no terminal to draw a bar on."""


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--csv", "csv_path", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The table.")
@click.option("--feedback", type=click.Path(file_okay=False, path_type=Path), help="A folder for a page a student.")
@click.option(
    "--marks",
    "marks_path",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Marks for texts; by default beside --csv.",
)
@click.option("--course", "course_path", metavar="PATH", help="A folder of somebody's own exercises, for ours.")
@click.option("--lesson", metavar="NAME", help="Judge one lesson, or one exercise; by default all.")
@click.option("--level", type=click.Choice(LEVELS), default="name", show_default=True, help="How much pages may say.")
@click.option("--workers", type=click.IntRange(min=1), default=None, help="Processes; by default one a core.")
@click.option("--secret", type=click.Path(dir_okay=False, path_type=Path), help="The course's secret; made if missing.")
@click.option("--seconds", type=click.FloatRange(min=1), default=90.0, help="For one exercise.", show_default=True)
@click.option("--trust-submissions", is_flag=True, help="Run them though this machine can't confine them.")
def grade(
    folder: Path,
    csv_path: Path,
    feedback: Path | None,
    marks_path: Path | None,
    course_path: str | None,
    lesson: str | None,
    level: str,
    workers: int | None,
    secret: Path | None,
    seconds: float,
    trust_submissions: bool,
) -> int:
    """Judge what a class handed in: FOLDER holds one notebook, file, pack or folder for each student.

    Beside the table stands a file .jsonl with every verdict, seed, hash and layer. After a crash the same command goes
    on from there, to the same results. Answers in their own words stand in .texts.html; put marks into .marks.csv, and
    say the same again.
    """
    if sys.platform == "win32":
        raise click.ClickException("Strangers' code can't be confined on Windows: grade in WSL or on Linux.")
    if course_path is None:
        refuse_unknown_lesson(lesson)
    else:
        course_path = str(Path(course_path).expanduser().absolute())
        open_course_at(course_path)
    asked = exercises_named(lesson)
    exercises = [exercise for exercise in asked if exercise.required]
    marks_path = marks_path or csv_path.with_suffix(".marks.csv")
    marks = _marks(marks_path)
    key = secret_in(secret or csv_path.with_suffix(".secret"))
    with tempfile.TemporaryDirectory(prefix="handgrad-") as scratch:
        unpacked = Path(scratch, "packs")
        unpacked.mkdir()
        handed = read_roster(folder, unpacked, _asked_names(exercises))
        _say_odd(handed)
        ledger = _ledger(csv_path, exercises, key, level)
        names = tuple(exercise.name for exercise in exercises)
        plan = Plan(key, names, level, seconds, scratch, trust_submissions, course_path or "")
        left = [one for one in handed if not one.problem and not ledger.has(one.student, one.digest)]
        _grade(left, plan, workers or os.cpu_count() or 1, ledger)
        records = {one.student: ledger.records[one.student] for one in handed if not one.problem}
        free = [exercise for exercise in asked if isinstance(exercise.task, FreeText)]
        marks = _collect_texts(handed, free, marks, marks_path, csv_path.with_suffix(".texts.html"))
        told = [exercise.name for exercise in free if any(mark.question == exercise.name for mark in marks)]
        csv_path.write_text(table(handed, records, names, points_of(marks), told), encoding="utf-8")
        if feedback is not None:
            write_pages(feedback, handed, records)
    _say_done(handed, records, csv_path)
    return 0


def _marks(place: Path) -> list[Mark]:
    """The marks that were given.

    Raises:
        ClickException: They can't be read; nothing was judged yet.
    """
    try:
        return read_marks(place)
    except (BadMarks, OSError, ValueError) as why:
        raise click.ClickException(str(why)) from None


def _collect_texts(
    handed: Sequence[Handed], free: Sequence[Exercise], marks: list[Mark], marks_path: Path, page_path: Path
) -> list[Mark]:
    """Writes what was handed in as text on one page, and the table for its marks; returns the marks."""
    names = [exercise.name for exercise in free]
    texts = {one.student: texts_in(Submission.read(one.path), names) for one in handed if free and not one.problem}
    if any(texts.values()):
        marks = merged(marks, texts, free)
        marks_path.write_text(marks_text(marks), encoding="utf-8")
        page_path.write_text(page(free, texts, marks_path), encoding="utf-8")
        left = sum(not mark.points for mark in marks)
        click.echo(f"{len(marks)} texts to read are in {page_path}, {left} of them unmarked in {marks_path}.")
    return marks


def _asked_names(exercises: Sequence[Exercise]) -> list[str]:
    return [name for exercise in exercises for name in (exercise.task.names or (exercise.name,))]


def _say_odd(handed: Sequence[Handed]) -> None:
    """Lists first what the teacher should look at."""
    for one in handed:
        if one.problem:
            click.echo(f"  {one.student}: not graded: {one.problem}.")
    for one in handed:
        if one.remark and not one.problem:
            click.echo(f"  {one.student}: {one.remark}.")


def _ledger(csv_path: Path, exercises: Sequence[Exercise], key: bytes, level: str) -> Ledger:
    version = importlib.metadata.version("jax")
    try:
        return Ledger(
            csv_path.with_suffix(".jsonl"), Circumstances(tuple(e.name for e in exercises), key, level, version)
        )
    except OtherLedger as why:
        raise click.ClickException(str(why)) from None


def _grade(left: Sequence[Handed], plan: Plan, workers: int, ledger: Ledger) -> None:
    """Judges what is left.

    Raises:
        ClickException: This machine can't confine strangers' code.
    """
    try:
        with _progress(len(left)) as advance:
            for record in grade_all(left, plan, workers):
                ledger.add(record)
                advance()
    except NotSafe as missing:
        raise click.ClickException(
            f"This machine lacks what confines strangers' code ({missing}), so nothing was run. "
            "Grade on Linux 5.13 or later, or, if you trust every submission, say --trust-submissions."
        ) from None


@contextlib.contextmanager
def _progress(total: int) -> Iterator[Any]:
    """A bar with an estimate on a terminal; elsewhere a line now and then."""
    if not sys.stderr.isatty():
        count = 0

        def advance() -> None:
            nonlocal count
            count += 1
            if count % REPORTED == 0:
                click.echo(f"{count} of {total} graded", err=True)

        yield advance
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("grading"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("grading", total=total)
        yield lambda: bar.advance(task)


def _say_done(handed: Sequence[Handed], records: Mapping[str, Any], csv_path: Path) -> None:
    layers = sorted({layer for record in records.values() for layer in _layers(record)})
    click.echo(f"{len(records)} of {len(handed)} submissions are in {csv_path}.")
    click.echo(f"Layers that held: {', '.join(layers) or 'none was needed'}.")


def _layers(record: Mapping[str, Any]) -> list[str]:
    return [layer for told in record["exercises"] for layer in told["verdict"]["layers"]]
