"""No surface tells more of a wrong answer than the feedback level allows: not the text, the card, nor the JSON."""

import pytest

from course.exercises import find_exercise
from course.grading import judge
from course.grading.submission import Submission
from course.records import Feedback
from course.show.card import verdict_card
from course.show.terminal import verdict_text

TRANSPOSED = """
def affine_fwd(x, w, b):
    return x @ w + b, (x, w)

def affine_bwd(residuals, y_bar):
    x, w = residuals
    return y_bar @ w.T, y_bar.T @ x, y_bar.sum(axis=0)
"""
SLOPE = """
import jax.numpy as jnp

def relu_fwd(x):
    return jnp.where(x > 0, x, 0), x

def relu_bwd(x, y_bar):
    return (y_bar * jnp.where(x > 0, x, 0),)
"""


@pytest.fixture
def verdict(tmp_path):
    def judged(name, text, level):
        (tmp_path / "work.py").write_text(text)
        return judge(find_exercise(name), Submission.read(tmp_path / "work.py"), feedback=level)

    return judged


def surfaces(verdict):
    return "\n".join([verdict_text(verdict, why=True), verdict_card(verdict), verdict.to_json()])


@pytest.mark.parametrize("level", Feedback)
def test_a_kind_of_mistake_is_told_from_its_level_on(verdict, level):
    told = surfaces(verdict("linear_and_activations.affine", TRANSPOSED, level))
    assert ("match transposed" in told) == (level >= Feedback.KIND)


@pytest.mark.parametrize("level", Feedback)
def test_a_mistake_is_named_at_the_highest_level_alone(verdict, level):
    (cause,) = verdict("linear_and_activations.relu", SLOPE, Feedback.NAME).comparison.causes
    told = surfaces(verdict("linear_and_activations.relu", SLOPE, level))
    assert cause.says
    assert (cause.says in told.replace("\n ", "")) == (level is Feedback.NAME)


def test_where_it_is_wrong_is_told_by_no_surface_that_may_say_only_pass_or_fail(verdict):
    told = surfaces(verdict("linear_and_activations.affine", TRANSPOSED, Feedback.PASS))
    assert "w_bar" not in told
