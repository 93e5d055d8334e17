"""The exam paper: for each lesson what is asked, drawn inputs, limits, points and hints."""

from __future__ import annotations

import difflib
import importlib
from pathlib import Path

from course.exercises.exercise import Exercise, Paper
from course.exercises.opened import NotACourse, read_course
from course.lessons import SYLLABUS

__all__ = [
    "Exercise",
    "NoSuchExercise",
    "NotACourse",
    "Paper",
    "find_exercise",
    "lesson_names",
    "open_course",
    "paper_of",
    "papers",
    "select",
]


class NoSuchExercise(LookupError):
    """No lesson or exercise has the name that was asked for; the message names the nearest one."""

    def __str__(self) -> str:
        return str(self.args[0])


_opened: dict[str, Paper] = {}
"""The papers of the course that stands in the place of ours in this process, by lesson; none unless one was opened."""


def open_course(path: str | Path) -> tuple[Paper, ...]:
    """Puts somebody's own course in the place of ours, for as long as this process runs.

    Raises:
        NotACourse: No course can be read from there.
    """
    _opened.clear()
    _opened.update({paper.lesson: paper for paper in read_course(path)})
    return papers()


def lesson_names() -> list[str]:
    """The lessons, in their order."""
    return list(_opened) or [row.name for row in SYLLABUS]


def paper_of(lesson: str) -> Paper:
    """Looks up what a lesson asks.

    Raises:
        NoSuchExercise: There is no such lesson.
    """
    if lesson not in lesson_names():
        raise NoSuchExercise(_sentence("lesson", lesson, lesson_names()))
    return _opened.get(lesson) or importlib.import_module(f"course.exercises.{lesson}").PAPER


def papers() -> tuple[Paper, ...]:
    """Every lesson's paper, in order."""
    return tuple(map(paper_of, lesson_names()))


def find_exercise(name: str) -> Exercise:
    """Looks an exercise up by its name, `lesson.name`.

    Raises:
        NoSuchExercise: There is no such exercise.
    """
    found = select(name)
    if "." not in name:
        raise NoSuchExercise(f"An exercise is named lesson.name, such as {found[0].name}; {name!r} is a lesson.")
    return found[0]


def select(name: str | None = None) -> tuple[Exercise, ...]:
    """The exercises that a person means by nothing, by a lesson's name, or by `lesson.name`.

    Raises:
        NoSuchExercise: There is no such lesson or exercise.
    """
    if name is None:
        return tuple(exercise for paper in papers() for exercise in paper.exercises)
    lesson, _, rest = name.partition(".")
    exercises = paper_of(lesson).exercises
    if not rest:
        return exercises
    found = tuple(exercise for exercise in exercises if exercise.name == name)
    if not found:
        raise NoSuchExercise(_sentence("exercise", name, [exercise.name for exercise in exercises]))
    return found


def _sentence(what: str, name: str, names: list[str]) -> str:
    near = _nearest(name, names)
    hint = f"did you mean {near}?" if near else f"there are {', '.join(names)}."
    return f"There is no {what} called {name!r}: {hint}"


def _nearest(name: str, names: list[str]) -> str:
    """The name most like what was typed, by what stands after its dot; an exercise, where its name alone was typed."""
    typed = name.rpartition(".")[2]
    lasts = {known.rpartition(".")[2]: known for known in names}
    starts = [last for last in lasts if typed and last.startswith(typed)]
    near = starts or difflib.get_close_matches(typed, lasts, n=1)
    if near:
        return lasts[near[0]]
    return "" if "." in name else next((e.name for e in select() if e.name.endswith(f".{name}")), "")
