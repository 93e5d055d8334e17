"""Shows what a question is about that is drawn: the one way to it from a notebook, a script and the command line."""

from __future__ import annotations

from course.exercises.exercise import Exercise
from course.exercises.tasks.which_mistake import MOST_DIGITS, WhichMistake
from course.records import Exhibit


class NoExhibit(Exception):
    """Why there is nothing to show: one sentence."""


def exhibit_of(exercise: Exercise, draw: int) -> Exhibit:
    """What a draw of an exercise shows.

    Raises:
        NoExhibit: It shows nothing, or there is no such draw.
    """
    task = exercise.task
    if not isinstance(task, WhichMistake):
        raise NoExhibit(f"{exercise.name} shows no mistake.")
    if isinstance(draw, bool) or not isinstance(draw, int) or not 0 <= draw < 10**MOST_DIGITS:
        raise NoExhibit(f"A draw is a whole number from 0 on with at most {MOST_DIGITS} digits; {draw!r} came.")
    return task.exhibit(exercise.name, exercise.title, draw)
