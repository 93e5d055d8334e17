"""`course` alone: where you are and what is next, from what was checked before."""

from __future__ import annotations

from pathlib import Path

import click

from course.answers import find_folder
from course.grading.attempts import Attempt, Attempts
from course.lessons import SYLLABUS
from course.records import Status
from course.show.words import command

RIGHT = (Status.RIGHT, Status.COSTLY)


def say_where() -> None:
    """Says it in a few lines."""
    folder = find_folder(Path.cwd())
    if folder is None:
        click.echo(f"You are not in a folder of this course: make one with `{command('start')}` and go there.")
        click.echo(f"Or see all of it in a minute: `{command('tour')}`. Everything else: `{command('--help')}`.")
        return
    attempts = Attempts(folder)
    if attempts.complaint:
        click.echo(attempts.complaint, err=True)
    lessons = _by_lesson(attempts.known)
    for name, tried in lessons.items():
        right = sum(attempt.status in RIGHT for attempt in tried.values())
        click.echo(f"  {name:<24} {right} of {len(tried)} right")
    click.echo(f"Next: {_next(lessons)}")


def _by_lesson(known: dict[str, Attempt]) -> dict[str, dict[str, Attempt]]:
    """The exercises known of each lesson that was checked, in the order of the syllabus."""
    found = {
        row.name: {name: tried for name, tried in known.items() if name.partition(".")[0] == row.name}
        for row in SYLLABUS
    }
    return {name: tried for name, tried in found.items() if tried}


def _next(lessons: dict[str, dict[str, Attempt]]) -> str:
    for row in SYLLABUS:
        if row.name not in lessons:
            return f"{row.title} (about {row.minutes} minutes): `{command(f'check {row.name}')}`"
        for name, tried in lessons[row.name].items():
            if tried.status not in RIGHT:
                return f"{name}: `{command(f'check {name}')}`"
    return "nothing, all that there is is right."
