"""Claims about all that is asked for: what has the right shape and no derivation behind it passes nowhere."""

import dataclasses
from functools import cache, partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from course.comparison.floating import along_floating, split_floating
from course.comparison.point import make_point
from course.comparison.trees import has_tangent, is_key
from course.exercises import select
from course.exercises.tasks.drawing import Draw
from course.exercises.tasks.pair import PairTask
from course.exercises.tasks.tangent_rule import TangentRuleTask
from course.exercises.tasks.task import Sitting
from course.records import Status
from evidence.lazy import lazy_answers
from evidence.sampling import one_a_lesson
from tests.exercises.daily import daily

TASKS = {
    exercise.name: dataclasses.replace(exercise.task, given=None)
    for exercise in select()
    if isinstance(exercise.task, PairTask)
}
"""Each with a forward function of ours, which keeps its arguments, so that one backward function serves all."""

RULES = [exercise for exercise in select() if isinstance(exercise.task, TangentRuleTask)]
LAZY_RULES = 8


def pulled_back(task, primals, bars):
    """What is right."""
    moving, still, join = split_floating(primals)
    pullback = jax.vjp(along_floating(task.primal, join, still), *moving, has_aux=True)[1]
    return join(pullback(bars), still)


def without_y_bar(task, primals):
    """What is right for cotangents of 1."""
    y = jax.tree.leaves(jax.eval_shape(task.primal, *primals))
    return jax.jit(partial(pulled_back, task))(primals, [np.ones(leaf.shape, leaf.dtype) for leaf in y])


def the_value(task, primals):
    y = jax.tree.leaves(jax.jit(task.primal)(*primals))[0]
    return jax.tree.map(lambda leaf: np.resize(y, np.shape(leaf)), primals)


def of_numbers(made, primals):
    """An array made of every array; a key, which gets nothing anyway, stays what it is."""
    return jax.tree.map(lambda leaf: leaf if is_key(leaf) else made(leaf), primals)


def random(task, primals):
    rng = np.random.default_rng(7)
    return jax.tree.map(lambda leaf: rng.standard_normal(np.shape(leaf)), primals)


LAZY = {
    "right for cotangents of 1": without_y_bar,
    "zeros": lambda task, primals: of_numbers(np.zeros_like, primals),
    "ones": lambda task, primals: of_numbers(np.ones_like, primals),
    "the arguments": lambda task, primals: of_numbers(np.asarray, primals),
    "the value": the_value,
    "random numbers": random,
}


@cache
def drawn(name):
    """The arguments at which an answer is judged."""
    with jax.enable_x64(True):
        return make_point(TASKS[name].primal, TASKS[name].draw(Draw(0))).cast(np.float64).primals


def status_of(name, bwd):
    """How an answer stands whose backward function gives a cotangent for every argument, needed or not."""
    task, primals = TASKS[name], drawn(name)
    places = range(len(primals)) if task.asked is None else task.asked
    needed = {
        place: place not in task.data and any(map(has_tangent, jax.tree.leaves(primals[place]))) for place in places
    }

    def entries(residuals, y_bar):
        whole = bwd(residuals, y_bar)
        return tuple(whole[place] if needed[place] else None for place in places)

    answer = {task.fwd: lambda *given: (task.primal(*given), given), task.bwd: entries}
    return task.judge(answer, Sitting(example=False, reasons=False, at_once=True)).status


@pytest.mark.parametrize("lazy", LAZY)
@pytest.mark.parametrize("name", daily(TASKS))
def test_no_numbers_that_ignore_the_cotangent_pass(name, lazy):
    with jax.enable_x64(True):
        numbers = LAZY[lazy](TASKS[name], drawn(name))
    assert status_of(name, lambda residuals, y_bar: numbers) is Status.WRONG


@pytest.mark.parametrize("name", daily(TASKS))
def test_the_cotangent_handed_on_passes_nowhere(name):
    def handed_on(residuals, y_bar):
        bar = jax.tree.leaves(y_bar)[0]
        return jax.tree.map(lambda leaf: jnp.resize(bar, np.shape(leaf)), residuals)

    assert status_of(name, handed_on) is Status.WRONG


@pytest.mark.parametrize("name", daily(TASKS, one_a_lesson(PairTask).__contains__))
def test_the_right_numbers_in_the_same_form_pass(name):
    def right(residuals, y_bar):
        return jax.jit(partial(pulled_back, TASKS[name]))(residuals, jax.tree.leaves(y_bar))

    assert status_of(name, right) in (Status.RIGHT, Status.COSTLY)


@pytest.mark.parametrize("exercise", RULES, ids=lambda exercise: exercise.name)
def test_no_lazy_rule_passes(exercise):
    """Constants, the value, the primal at the tangents, a tangent handed on, differences, what is right elsewhere."""
    sitting = Sitting(example=False, reasons=False)
    passed = {name: exercise.task.judge(answer, sitting).status for name, answer in lazy_answers(exercise)}
    assert len(passed) == LAZY_RULES
    assert not {name for name, status in passed.items() if status in (Status.RIGHT, Status.COSTLY)}
