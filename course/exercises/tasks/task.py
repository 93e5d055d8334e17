"""What every kind of task has in common: the names it needs from a submission, and its own judging."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from course.records import Findings


@dataclass(frozen=True)
class Sitting:
    """The circumstances of one judging.

    Attributes:
        seed: Of every drawn number.
        aloud: Whether prints go to the terminal.
        by_hand: The routes that may be taken to a derivative; None refuses none.
        example: Whether to look for the smallest counterexample of a wrong answer.
        reasons: Whether to look for what explains one.
        early: Is called with what is known of a wrong answer before its reason is looked for.
        at_once: Whether compiling an answer whole is quicker than its operations one by one, as in a process that
            judges it once; where it is judged again and again, its operations are compiled already.
    """

    seed: int = 0
    aloud: bool = False
    by_hand: frozenset[str] | None = None
    example: bool = True
    reasons: bool = True
    early: Callable[[Findings], None] | None = None
    at_once: bool = False


class Task(Protocol):
    """A kind of task. A new kind needs these and nothing else."""

    @property
    def names(self) -> tuple[str, ...]:
        """The top-level names that an answer defines; empty where it is given by `course.answer`."""
        ...

    @property
    def questions(self) -> tuple[str, ...]:
        """What is asked of an answer, in order; the first that fails ends the judging."""
        ...

    def judge(self, answer: Mapping[str, Any], sitting: Sitting) -> Findings:
        """Judges what was found under `names`, or under "answer" where these are empty."""
        ...
