"""The hints of an exercise, one at a time; how many were asked for is kept beside the tries."""

from __future__ import annotations

from course.exercises import paper_of
from course.exercises.exercise import Exercise
from course.grading.attempts import Attempts


def take_hint(exercise: Exercise, attempts: Attempts) -> tuple[str, ...]:
    """The hints that were asked for so far, one more than before while there is one."""
    if not exercise.hints:
        return ()
    lesson = [other.name for other in paper_of(exercise.lesson).exercises]
    return exercise.hints[: attempts.take_hint(exercise.name, len(exercise.hints), lesson)]
