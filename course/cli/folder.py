"""The learner's folder: how far it all is, which exercise is next, and which file a lesson lies in. Needs no JAX."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click

from course.answers import find_folder
from course.authoring.checkout import lesson_of
from course.grading.attempts import Attempt, Attempts
from course.lessons import SYLLABUS, Lesson
from course.show.words import command

SUFFIXES = (".ipynb", ".py")


@dataclass(frozen=True)
class Standing:
    """How a lesson stands: its exercises by name, none before it was first checked."""

    lesson: Lesson
    tried: dict[str, Attempt]

    @property
    def right(self) -> int:
        """How many exercises are right."""
        return sum(attempt.right for attempt in self.tried.values())

    @property
    def is_done(self) -> bool:
        """Whether all of them are, or are handed in for a person to judge."""
        return bool(self.tried) and all(attempt.done for attempt in self.tried.values())

    @property
    def next(self) -> str:
        """The first exercise that is left; the lesson where none was checked."""
        return next((name for name, tried in self.tried.items() if not tried.done), self.lesson.name)

    @property
    def asked(self) -> int:
        """How many can be right: what is handed in can't."""
        return sum(not attempt.handed_in for attempt in self.tried.values())


def this_folder() -> Path:
    """The learner's folder that the shell is in.

    Raises:
        UsageError: It is in none.
    """
    folder = find_folder(Path.cwd())
    if folder is None:
        raise click.UsageError(
            f"This is no folder of the course: make one with `{command('start')}`, and go there with `cd`."
        )
    return folder


def attempts_in(folder: Path) -> Attempts:
    """What was tried there; says what is wrong with its file, if something is."""
    attempts = Attempts(folder)
    if attempts.complaint:
        click.echo(attempts.complaint, err=True)
    return attempts


def standings(known: dict[str, Attempt]) -> list[Standing]:
    """How every lesson of the syllabus stands, in its order."""
    return [
        Standing(row, {name: tried for name, tried in known.items() if name.partition(".")[0] == row.name})
        for row in SYLLABUS
    ]


def next_of(known: dict[str, Attempt]) -> Standing | None:
    """The first lesson that is not done; None where all are."""
    return next((standing for standing in standings(known) if not standing.is_done), None)


def file_of(folder: Path, lesson: str) -> Path | None:
    """The file in which a learner works on a lesson, whatever number it bears; a notebook before a plain file."""
    found = [place for suffix in SUFFIXES for place in sorted(folder.glob(f"*{suffix}")) if lesson_of(place) == lesson]
    return found[0] if found else None
