"""Claims about the function task: an answer that is no derivative is judged by its values, and told what is wrong."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from course.comparison.mistakes import Mistake
from course.exercises.tasks.function import FunctionTask
from course.exercises.tasks.pair import Case
from course.exercises.tasks.task import Sitting
from course.lessons.chain_rule import swish
from course.records import Status


def central(f, x, step):
    return {"slope": (f(x + step) - f(x - step)) / (2 * step), "calls": 2}


def one_sided(f, x, step):
    return {"slope": (f(x + step) - f(x)) / step, "calls": 2}


TASK = FunctionTask(
    central,
    "central",
    lambda draw: (swish, draw.normal(), 1e-3),
    returns="found",
    tolerance=1e-8,
    mistakes=(Mistake("one-sided", one_sided, "It steps to one side only.", "Where is f(x - step)?"),),
)


def judged(function, task=TASK):
    return task.judge({"central": function}, Sitting(by_hand=frozenset()))


def told(function, task=TASK):
    found = judged(function, task)
    return found.status, " ".join([found.headline, *(remark.text for remark in found.remarks)])


def test_a_right_function_is_right_whatever_kind_of_number_it_returns():
    for slope, calls in ((float, jnp.asarray), (jnp.asarray, float)):
        found = judged(lambda *a: {"slope": slope(central(*a)["slope"]), "calls": calls(2)})  # noqa: B023
        assert found.status is Status.RIGHT


@pytest.mark.parametrize(
    "function, status, words",
    [
        (one_sided, Status.WRONG, "found['slope'] is wrong · found['calls'] is right It steps to one side only."),
        (lambda *a: {**central(*a), "slope": -central(*a)["slope"]}, Status.WRONG, "opposite sign"),
        (lambda *a: {**central(*a), "calls": 3}, Status.WRONG, "found['calls'] is wrong"),
        (lambda *a: central(*a)["slope"], Status.WRONG, "found must have the parts of the right found, calls, slope"),
        (lambda *a: {**central(*a), "slope": jnp.nan * a[1]}, Status.WRONG, "NaN"),
        (lambda f, x: None, Status.WRONG, "central must take 3 arguments"),
        (lambda f, x, step: jnp.zeros((2, 2)) @ x, Status.BROKEN, "central stops with an error"),
        (lambda f, x, step: __import__("jax").grad(lambda x: f(x).sum())(x), Status.REFUSED, "not by hand"),
    ],
)
def test_a_wrong_function_is_told_what_is_wrong(function, status, words):
    came, text = told(function)
    assert came is status
    assert words in text


def slope_at(f, x):
    return jax.grad(f)(x)


SLOPED = FunctionTask(jnp.cos, "f", lambda draw: (draw.normal(),), returns="slope", use=slope_at)
"""Asks for a function of a certain slope."""


@pytest.mark.parametrize(
    "f, allows, status",
    [
        (jnp.sin, {"jax.grad"}, Status.RIGHT),
        (lambda x: 7 + jnp.sin(x), {"jax.grad"}, Status.RIGHT),
        (jnp.cos, {"jax.grad"}, Status.WRONG),
        (jnp.sin, {}, Status.REFUSED),
        (lambda x, y: x, {"jax.grad"}, Status.BROKEN),
    ],
)
def test_where_a_function_is_to_be_used_what_comes_of_that_is_judged(f, allows, status):
    found = SLOPED.judge({"f": f}, Sitting(by_hand=frozenset(allows)))
    assert found.status is status


def test_a_function_that_gives_other_numbers_the_second_time_is_refused():
    calls = iter(range(10))
    _, text = told(lambda *a: {**central(*a), "slope": central(*a)["slope"] + 1e-12 * next(calls)})
    assert "a second call gave others" in text


def test_a_function_that_is_wrong_in_an_awkward_case_alone_earns_half():
    task = dataclasses.replace(TASK, awkward=(Case("a step of 2", lambda draw: (swish, draw.normal(), 2.0)),))
    found = judged(lambda f, x, step: central(f, x, min(step, 1.0)), task)
    assert (found.status, found.share) == (Status.WRONG, 0.5)
    assert found.headline == "right at ordinary inputs, wrong for a step of 2"


def halved(x):
    return {"at": x / 2, "log": jnp.log(x)}


AT_THE_EDGE = dataclasses.replace(
    TASK, reference=halved, function="halved", draw=lambda draw: (jnp.array([0.0, 1.0, -1.0]),), mistakes=()
)


@pytest.mark.parametrize(
    "log, is_right",
    [
        ([-jnp.inf, 0.0, jnp.nan], True),
        ([-jnp.inf, 0.5, jnp.nan], False),
        ([jnp.inf, 0.0, jnp.nan], False),
        ([-jnp.inf, 0.0, 0.0], False),
        ([0.0, 0.0, 0.0], False),
        ([-jnp.inf, jnp.nan, jnp.nan], False),
    ],
)
def test_a_nan_or_an_infinity_is_right_where_it_is_expected_and_nowhere_else(log, is_right):
    found = AT_THE_EDGE.judge({"halved": lambda x: {"at": x / 2, "log": jnp.array(log)}}, Sitting())
    assert [array.right for array in found.comparison.arrays] == [True, is_right]


def test_what_is_finite_where_a_nan_is_expected_is_not_told_that_it_should_be_zero():
    found = AT_THE_EDGE.judge({"halved": lambda x: {"at": x / 2, "log": jnp.zeros(3)}}, Sitting())
    assert found.comparison.arrays[1].slip is None


@pytest.mark.parametrize("right", [[1.0, 2.0, 4.0], np.array([1.0, 2.0, 4.0])], ids=["list", "array"])
def test_a_list_of_numbers_and_an_array_say_the_same(right):
    task = FunctionTask(lambda x: right, "given", lambda draw: (draw.normal(),))
    for form in (list, tuple, np.array, jnp.asarray):
        assert task.judge({"given": lambda x, form=form: form([1.0, 2.0, 4.0])}, Sitting()).status is Status.RIGHT
    for wrong in (
        [1.0, 2.0],
        np.ones((3, 1)),
        [1.0, 2.0, "4"],
        [1.0, [2.0, 4.0], 4.0],
        [[1.0], [2.0], [4.0]],
        {1.0, 2.0},
    ):
        assert task.judge({"given": lambda x, wrong=wrong: wrong}, Sitting()).status is Status.WRONG


def shown(function, task=TASK):
    return task.judge({"central": function}, Sitting(by_hand=frozenset(), example=True)).example


def test_a_wrong_function_is_shown_with_its_arguments_and_both_values():
    example = shown(one_sided)
    assert example.inputs["f"] == "swish"
    assert set(example.inputs) == {"f", "x", "step"}
    with jax.enable_x64(True):
        here = swish, jnp.asarray(example.inputs["x"]), float(example.inputs["step"])
        assert example.yours["found['slope']"] == one_sided(*here)["slope"]
        assert example.right["found['slope']"] == central(*here)["slope"]


def test_a_right_function_and_one_that_stops_are_shown_with_none():
    assert shown(central) is None
    assert shown(lambda f, x, step: {}["slope"]) is None


def test_what_is_drawn_with_axes_is_shown_at_the_smallest_size_at_which_it_is_wrong():
    task = FunctionTask(lambda x: x.sum(), "central", lambda draw: (draw.normal("n"),), returns="total")
    example = shown(lambda x: x[0], task)
    assert example.inputs["x"].shape == (2,)
    assert example.right["total"] == np.sum(example.inputs["x"])


def test_arguments_that_fit_on_no_paper_are_not_shown():
    task = FunctionTask(lambda x: x.sum(), "central", lambda draw: (np.ones(40),), returns="total")
    assert shown(lambda x: x[0], task) is None
