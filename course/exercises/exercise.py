"""One thing asked of a learner, and the paper that a lesson's exercises make up. Frozen data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from course.exercises.tasks.task import Task


@dataclass(frozen=True)
class Exercise:
    """One thing asked.

    Attributes:
        name: `lesson.name`, for ever: progress and grades hang on it.
        title: What a person reads.
        task: What is asked, and how it is judged.
        points: For being right.
        cost_points: For keeping within the task's limits of cost; they are apart from `points`.
        hints: From a nudge to nearly there; none is the answer.
        asks: For each array by name, the question that leads to its mending, with the step of the derivation.
        allows: Routes to derivatives that are permitted; none by default.
        uses: Names of exercises whose answers this one builds on.
        scaffold: "lines" leaves the given lines of a function in the hand-out, "signature" leaves nothing below it.
        hard: Whether it is marked as hard.
        required: Whether it is more than practice.
    """

    name: str
    title: str
    task: Task
    points: int
    cost_points: int = 0
    hints: tuple[str, ...] = ()
    asks: Mapping[str, str] = field(default_factory=dict)
    allows: frozenset[str] = frozenset()
    uses: tuple[str, ...] = ()
    scaffold: str = "signature"
    hard: bool = False
    required: bool = True

    @property
    def lesson(self) -> str:
        """The part of the name before the dot."""
        return self.name.partition(".")[0]


@dataclass(frozen=True)
class Paper:
    """What a lesson asks, and what its verdicts may show of forward mode and of cost."""

    lesson: str
    exercises: tuple[Exercise, ...]
    shows_forward: bool = False
    shows_cost: bool = False
