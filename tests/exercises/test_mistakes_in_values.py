"""Claims about the catalogues of tasks that are judged by values: each mistake is wrong, and named when it is made."""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import pytest

from course.comparison.mistakes import Mistake
from course.exercises import papers
from course.exercises.exercise import Exercise
from course.exercises.tasks.drawing import Draw
from course.exercises.tasks.function import FunctionTask
from course.exercises.tasks.optimizer import OptimizerTask, Run
from course.exercises.tasks.random import RandomTask
from course.exercises.tasks.task import Sitting
from course.records import Status

FEWEST = 4
BRIEF = 8
"""Steps along which every mistake of an optimiser shows."""
TASKS = (FunctionTask, OptimizerTask, RandomTask)
EXERCISES = [e for paper in papers() for e in paper.exercises if isinstance(e.task, TASKS)]


def drawn_by(scales: Callable[..., Any]) -> Callable[..., Any]:
    """Draws Gaussian numbers of some scales, from a key."""

    def draw(key: Any, *arguments: Any) -> Any:
        rng = np.random.default_rng(np.asarray(jax.random.key_data(key)))
        return jax.tree.map(lambda scale: scale * rng.standard_normal(scale.shape), scales(*arguments))

    return draw


def made(task: FunctionTask | OptimizerTask | RandomTask, mistake: Mistake) -> dict[str, Callable[..., Any]]:
    """The answer of somebody who made a mistake."""
    if isinstance(task, FunctionTask):
        return {task.function: mistake.primal}
    if isinstance(task, RandomTask):
        return {task.function: drawn_by(mistake.primal)}
    init = mistake.primal(*task.settings).init
    return {task.init: init, task.update: lambda g, s, p, *settings: mistake.primal(*settings).update(g, s, p)}


def briefly(task: OptimizerTask) -> OptimizerTask:
    """The task along the first steps alone, for answers that may be made of Optax, as mistakes are."""

    def draw(source: Draw) -> Run:
        run = task.draw(source)
        return Run(run.params, run.grads[:BRIEF])

    return dataclasses.replace(task, draw=draw, refuses=frozenset())


def asked(task: FunctionTask | OptimizerTask | RandomTask) -> FunctionTask | OptimizerTask | RandomTask:
    """The task, brief where it is a run; a mistake is what came of using an answer, and is not used once more."""
    if isinstance(task, OptimizerTask):
        return briefly(task)
    return dataclasses.replace(task, use=None) if isinstance(task, FunctionTask) else task


def by_name(exercise: Exercise) -> str:
    return exercise.name


@pytest.mark.parametrize("exercise", EXERCISES, ids=by_name)
def test_every_exercise_has_a_catalogue(exercise):
    assert len({mistake.name for mistake in exercise.task.mistakes}) >= FEWEST


@pytest.mark.parametrize("exercise", EXERCISES, ids=by_name)
def test_each_mistake_is_wrong_and_named(exercise):
    task = asked(exercise.task)
    for mistake in task.mistakes:
        found = task.judge(made(task, mistake), Sitting(example=False))
        assert found.status is Status.WRONG, mistake.name
        assert [cause.name for cause in found.comparison.causes] == [mistake.name]
