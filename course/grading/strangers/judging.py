"""Judges one exercise of a stranger's submission: the same judge, the same words, and which layers held."""

from __future__ import annotations

import dataclasses

import jax

from course.comparison.by_hand.routes import TESTED, is_tested
from course.exercises.exercise import Exercise
from course.grading.judging import judge
from course.grading.strangers.remote import WEAKER, Remote
from course.records import Feedback, Verdict

SOURCE, TRACED, NUMBERS = "source read", "traced without values", "run on numbers"


def judge_stranger(exercise: Exercise, remote: Remote, *, seed: int, feedback: Feedback = Feedback.NAME) -> Verdict:
    """Judges one exercise, and says in the verdict under which guarantees.

    Raises:
        NotConfined: This machine lacks layers without which nothing of a stranger's is run.
    """
    verdict = judge(exercise, remote, seed=seed, feedback=feedback)
    names = exercise.task.names
    on_numbers = bool(remote.weaker & set(names))
    source = (SOURCE,) if remote.reads else ()
    how = ((NUMBERS if on_numbers else TRACED),) if names and remote.layers else ()
    lines = (*verdict.lines, WEAKER) if on_numbers else verdict.lines
    return dataclasses.replace(verdict, lines=lines, layers=(*source, *how, *remote.layers, *_untested()))


def _untested() -> tuple[str, ...]:
    """A word on a JAX on which the guard was never tried."""
    return () if is_tested() else (f"not tested on JAX {jax.__version__}, but on {' and '.join(TESTED)}",)
