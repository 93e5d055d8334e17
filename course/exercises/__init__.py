"""The exam paper: for each lesson what is asked, drawn inputs, limits, points and hints."""

from __future__ import annotations

import difflib
import importlib
from functools import cache

from course.exercises.exercise import Exercise, Paper
from course.lessons import SYLLABUS

__all__ = ["Exercise", "NoSuchExercise", "Paper", "find_exercise", "paper_of", "papers", "select"]


class NoSuchExercise(LookupError):
    """No lesson or exercise has the name that was asked for; the message names the nearest one."""

    def __str__(self) -> str:
        return str(self.args[0])


@cache
def paper_of(lesson: str) -> Paper:
    """Looks up what a lesson asks.

    Raises:
        NoSuchExercise: There is no such lesson.
    """
    names = [row.name for row in SYLLABUS]
    if lesson not in names:
        raise NoSuchExercise(_sentence("lesson", lesson, names))
    return importlib.import_module(f"course.exercises.{lesson}").PAPER


def papers() -> tuple[Paper, ...]:
    """Every lesson's paper, in the order of the syllabus."""
    return tuple(paper_of(row.name) for row in SYLLABUS)


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
    near = starts or difflib.get_close_matches(typed, lasts, n=1, cutoff=0.5)
    if near:
        return lasts[near[0]]
    return "" if "." in name else next((e.name for e in select() if e.name.endswith(f".{name}")), "")
