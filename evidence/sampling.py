"""A fixed sample of the evidence, small enough to be asked for at every change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from course.exercises import papers

Thing = TypeVar("Thing")


def one_a_lesson(kind: type = object) -> list[str]:
    """The last exercise on each paper that asks for functions, by name: what the lesson comes to.

    Args:
        kind: Of task. A lesson without one has no part.
    """
    asked = [
        [exercise.name for exercise in paper.exercises if exercise.task.names and isinstance(exercise.task, kind)]
        for paper in papers()
    ]
    return [names[-1] for names in asked if names]


def spread(things: Sequence[Thing], number: int) -> list[Thing]:
    """So many of a sequence, evenly from its first on; all of a shorter one."""
    count = min(number, len(things))
    return [things[place * len(things) // count] for place in range(count)]
