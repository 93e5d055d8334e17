"""A warm `judge` of every exercise's right answer, in one process, as in a notebook."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from benchmarks.tables import table
from course.exercises import select
from course.exercises.exercise import Exercise
from course.grading import Submission, judge

ANSWERS = Path(__file__).parents[1] / "solutions"
REPEATS = 5


SAYS = f"""\
## A warm judgement

The answers of `solutions/`, in one process, compiled programs in memory as on a second check in a notebook: median of
{REPEATS}, and the first one in the process. Aim: under 100 ms a layer, under 300 ms a network."""


def run() -> str:
    """Judges each answer once to warm up, then some times more."""
    submission = Submission.read(ANSWERS)
    rows = [_row(exercise, submission) for exercise in select() if exercise.task.names]
    return f"{SAYS}\n\n{table(['exercise', 'CPU, ms', 'wall, ms', 'first, wall, ms'], rows)}"


def _row(exercise: Exercise, submission: Submission) -> list[str]:
    first = _milliseconds(exercise, submission)[1]
    taken = np.median([_milliseconds(exercise, submission) for _ in range(REPEATS)], axis=0)
    return [f"`{exercise.name}`", f"{taken[0]:.0f}", f"{taken[1]:.0f}", f"{first:.0f}"]


def _milliseconds(exercise: Exercise, submission: Submission) -> tuple[float, float]:
    cpu, wall = time.process_time(), time.perf_counter()
    verdict = judge(exercise, submission)
    taken = 1e3 * (time.process_time() - cpu), 1e3 * (time.perf_counter() - wall)
    if not verdict.right:
        raise RuntimeError(f"{exercise.name} is not right, so its time means nothing: {verdict.headline}")
    return taken
