"""The smallest counterexample: every pair exercise has inputs of a few numbers at which a wrong sign shows."""

import jax
import numpy as np
import pytest

from course.comparison.floating import along_floating, split_floating
from course.comparison.pair import Setting
from course.exercises import paper_of
from course.exercises.tasks.pair import PairTask
from course.exercises.tasks.smallest import smallest_counterexample, smallest_for_rule
from course.exercises.tasks.tangent_rule import TangentRuleTask
from course.lessons import SYLLABUS
from tests.exercises.daily import daily

EXERCISES = [exercise for lesson in SYLLABUS for exercise in paper_of(lesson.name).exercises]
TASKS = {exercise.name: exercise.task for exercise in EXERCISES if isinstance(exercise.task, PairTask)}
RULES = {exercise.name: exercise.task for exercise in EXERCISES if isinstance(exercise.task, TangentRuleTask)}


def answer(task, sign):
    """A pair that is right up to the sign of every cotangent."""

    def fwd(*primals):
        return task.primal(*primals), primals

    def bwd(residuals, y_bar):
        moving, still, join = split_floating(residuals)
        _, pullback, _ = jax.vjp(along_floating(task.primal, join, still), *moving, has_aux=True)
        bars = join([sign * x_bar for x_bar in pullback(jax.tree.leaves(y_bar))], [None] * len(still))
        return tuple(bars[place] for place in task.asked or range(len(bars)))

    return fwd, bwd


def smallest(task, sign):
    setting = Setting(names=(task.fwd, task.bwd), asked=task.asked, data=task.data)
    return smallest_counterexample(task.primal, task.draw, *answer(task, sign), setting)


def smallest_of_rule(task):
    """The smallest inputs at which a rule shows whose tangents have the wrong sign."""

    def rule(primals, tangents):
        y, y_dot = jax.jvp(task.primal, primals, tangents)
        return y, -y_dot

    return smallest_for_rule(task.primal, task.draw, rule, Setting(names=(task.rule, task.rule)))


@pytest.mark.parametrize("name", daily([*TASKS, *RULES]))
def test_a_wrong_sign_shows_at_inputs_of_at_most_four_a_side(name):
    found = smallest(TASKS[name], -1) if name in TASKS else smallest_of_rule(RULES[name])
    assert all(max(np.shape(array), default=1) <= 4 for array in found.inputs.values())
    assert found.yours.keys() == found.right.keys()
    for path, right in found.right.items():
        assert np.any(right)
        np.testing.assert_allclose(found.yours[path], -right, rtol=1e-12)


def test_a_right_answer_has_no_counterexample():
    assert smallest(TASKS["linear_and_activations.affine"], 1) is None


def test_an_answer_that_jit_cannot_trace_has_one_too():
    task = TASKS["linear_and_activations.affine"]
    fwd, bwd = answer(task, -1)

    def by_numbers(residuals, y_bar):
        return bwd(residuals, y_bar) if float(y_bar[0, 0]) > 0 else bwd(residuals, -y_bar)

    setting = Setting(names=(task.fwd, task.bwd))
    assert smallest_counterexample(task.primal, task.draw, fwd, by_numbers, setting) is not None
