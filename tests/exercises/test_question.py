"""Claims about questions: how near to the right one a number must be."""

import math

import pytest

from course.exercises.tasks.question import ANSWER, Number
from course.exercises.tasks.task import Sitting
from course.records import Status


def accepts(right, given):
    """Whether a question whose right answer is `right` takes `given` for it."""
    return Number("?", lambda: right, "Right.").judge({ANSWER: given}, Sitting()).status is Status.RIGHT


@pytest.mark.parametrize("right", [1024.0, 0.5**10, 1e-5, -3e-4])
def test_a_number_must_be_near_relative_to_its_own_size(right):
    assert accepts(right, 1.009 * right)
    assert not accepts(right, 1.02 * right)
    assert not accepts(right, -right)
    assert not accepts(right, 0.0)


def test_each_of_several_numbers_is_held_to_its_own_size():
    assert accepts((0.25, 1000.0), (0.2501, 1000.9))
    assert not accepts((0.25, 1000.0), (0.3, 1000.0))


@pytest.mark.parametrize("right", [0.0, -6e-8])
def test_an_answer_of_zero_takes_what_is_zero_but_for_rounding(right):
    assert accepts(right, 0)
    assert accepts(right, -2e-7)
    assert not accepts(right, 1e-4)


@pytest.mark.parametrize("given", [math.nan, math.inf, (1.0, 1.0), "one", None])
def test_what_is_no_such_number_is_refused(given):
    assert not accepts(1.0, given)
