"""Claims about the optimiser task: an answer is held against Optax along a whole run, and told where it parts."""

import dataclasses

import jax
import jax.numpy as jnp
import optax
import pytest

from course.comparison.mistakes import Mistake
from course.exercises.tasks.optimizer import OptimizerTask, Run
from course.exercises.tasks.task import Sitting
from course.records import Status

SETTINGS = (1e-3, 0.9, 0.999, 1e-8)


def adam_init(params):
    zeros = jax.tree.map(jnp.zeros_like, params)
    return 0, zeros, zeros


def adam_update(grads, state, params, rate, decay1, decay2, epsilon, *, corrected=True):
    count, mean, square = state
    count = count + 1
    mean = jax.tree.map(lambda m, g: decay1 * m + (1 - decay1) * g, mean, grads)
    square = jax.tree.map(lambda v, g: decay2 * v + (1 - decay2) * g * g, square, grads)
    short1, short2 = (1 - decay1**count, 1 - decay2**count) if corrected else (1, 1)
    step = jax.tree.map(lambda m, v: -rate * (m / short1) / (jnp.sqrt(v / short2) + epsilon), mean, square)
    return step, (count, mean, square)


def uncorrected(grads, state, params, *settings):
    return adam_update(grads, state, params, *settings, corrected=False)


def stops_counting(*arguments):
    step, (count, mean, square) = adam_update(*arguments)
    return step, (jnp.minimum(count, 4), mean, square)


def drawn(draw):
    def tree():
        return {"w": draw.normal("n", "m"), "b": draw.normal("m")}

    return Run(tree(), tuple(tree() for _ in range(8)))


def without_correction(*settings):
    return optax.GradientTransformation(adam_init, lambda g, s, p: uncorrected(g, s, p, *settings))


TASK = OptimizerTask(
    optax.adam,
    "adam_init",
    "adam_update",
    drawn,
    SETTINGS,
    mistakes=(Mistake("no correction", without_correction, "The averages start at zero, and stay too small."),),
)


def judged(update):
    return TASK.judge({"adam_init": adam_init, "adam_update": update}, Sitting(by_hand=frozenset()))


def test_an_optimiser_that_agrees_at_every_step_is_right_whatever_its_state_looks_like():
    found = judged(adam_update)
    assert found.status is Status.RIGHT
    assert "8 steps are those of Optax" in found.comparison.checks[0].text


@pytest.mark.parametrize(
    "update, words",
    [
        (uncorrected, "The averages start at zero"),
        (stops_counting, "Right for 5 of 8 steps, wrong at the next one"),
        (lambda g, s, p, *a: (jax.tree.map(jnp.negative, adam_update(g, s, p, *a)[0]), s), "Wrong from the first of 8"),
        (lambda *a: adam_update(*a)[0], "must return the pair (updates, state)"),
    ],
)
def test_a_wrong_optimiser_is_told_where_it_parts(update, words):
    found = judged(update)
    assert found.status is Status.WRONG
    assert words in " ".join(remark.text for remark in found.remarks)


def test_an_optimiser_that_keeps_something_outside_its_state_is_refused():
    calls = []

    def update(*arguments):
        calls.append(1)
        return adam_update(*arguments)

    assert judged(update).headline == "adam_update keeps state between calls"


def test_an_optimiser_that_is_a_library_s_is_refused_by_the_name_under_which_it_uses_it():
    def update(grads, state, params, *settings):
        return optax.adam(*settings).update(grads, state, params)

    found = judged(update)
    assert found.status is Status.REFUSED
    assert "`optax`" in found.comparison.faults[0].message


def lagging(grads, state, params, *settings):
    count, mean, square = state
    step, (_, mean, square) = adam_update(grads, (count - 1, mean, square), params, *settings)
    return step, (count + 1, mean, square)


def test_a_mistake_that_makes_no_number_at_its_first_step_is_known_by_the_steps_that_follow():
    def made(*settings):
        return optax.GradientTransformation(adam_init, lambda g, s, p: lagging(g, s, p, *settings))

    task = dataclasses.replace(TASK, mistakes=(Mistake("lagging", made, "The count is taken before it is raised."),))
    found = task.judge({"adam_init": adam_init, "adam_update": lagging}, Sitting(by_hand=frozenset()))
    assert [cause.name for cause in found.comparison.causes] == ["lagging"]
    never_a_number = task.judge({"adam_init": adam_init, "adam_update": never}, Sitting(by_hand=frozenset()))
    assert not never_a_number.comparison.causes


def never(grads, state, params, *settings):
    step, state = lagging(grads, (0, *state[1:]), params, *settings)
    return step, state
