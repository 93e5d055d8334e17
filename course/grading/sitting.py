"""Judges the exercises of a submission one after the other, and keeps each try where its owner works."""

from __future__ import annotations

from collections.abc import Callable

from course.exercises import paper_of
from course.exercises.exercise import Exercise
from course.grading.attempts import Attempts
from course.grading.judging import find_answer, judge
from course.grading.submission import Submission
from course.records import Feedback, Verdict


def sit(
    exercise: Exercise,
    submission: Submission,
    attempts: Attempts,
    *,
    seed: int = 0,
    feedback: Feedback | None = None,
    aloud: bool = False,
    early: Callable[[Verdict], None] | None = None,
    at_once: bool = False,
) -> Verdict:
    """Judges one exercise as the try that it is, and keeps the verdict.

    Args:
        exercise: What was asked.
        submission: Where the answer comes from.
        attempts: The tries so far.
        seed: Of every drawn number.
        feedback: How much the verdict may say; by default it grows with the tries.
        aloud: Whether prints and breakpoints of the answer go to the terminal.
        early: Is called with the verdict on a wrong answer before its reason is looked for.
        at_once: Whether this process judges an answer once.
    """
    source = find_answer(exercise, submission).own_hash
    attempt = attempts.number(exercise.name, source)
    verdict = judge(
        exercise,
        submission,
        seed=seed,
        attempt=attempt,
        feedback=feedback,
        aloud=aloud,
        early=early,
        at_once=at_once,
    )
    attempts.keep(verdict, source, [other.name for other in paper_of(exercise.lesson).exercises])
    return verdict
