"""Claims about the pair task: what it accepts of data, whose cotangent nobody needs."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest

from course.comparison.runs import Pair
from course.exercises.tasks.pair import Case, PairTask
from course.exercises.tasks.task import Sitting
from course.records import Status

TASK = PairTask(
    primal=lambda w, x: jnp.tanh(w * x).sum(),
    fwd="fwd",
    bwd="bwd",
    draw=lambda draw: (draw.normal("d"), draw.normal("d")),
    data=(1,),
)


AWKWARD = dataclasses.replace(TASK, awkward=(Case("zeros", lambda draw: (0 * draw.normal("one"), draw.normal("one"))),))


def at_zeros(bwd, *, at_once):
    """Judges an answer to the task with an awkward case."""
    answer = {"fwd": lambda w, x: (jnp.tanh(w * x).sum(), (w, x)), "bwd": bwd}
    return AWKWARD.judge(answer, Sitting(at_once=at_once))


def right_bwd(residuals, loss_bar):
    w, x = residuals
    return loss_bar * (1 - jnp.tanh(w * x) ** 2) * x, None


def wrong_at_zeros(residuals, loss_bar):
    return jnp.where(residuals[0] == 0, 0.0, right_bwd(residuals, loss_bar)[0]), None


@pytest.mark.parametrize("bwd, status", [(right_bwd, Status.RIGHT), (wrong_at_zeros, Status.WRONG)])
def test_an_answer_compiled_whole_is_judged_as_one_that_is_not(bwd, status):
    one, other = (at_zeros(bwd, at_once=at_once) for at_once in (False, True))
    assert one.status is other.status is status
    assert (one.headline, one.remarks, one.failed) == (other.headline, other.remarks, other.failed)


def test_what_is_wrong_at_an_awkward_case_alone_has_its_reason_and_its_smallest_case_there():
    found = at_zeros(wrong_at_zeros, at_once=False)
    assert "is missing" in found.comparison.causes[0].kind
    assert found.example.inputs["w"] == 0
    assert found.example.yours["w_bar"] == 0 != found.example.right["w_bar"]


def test_of_what_cannot_be_drawn_small_no_smallest_case_is_shown():
    wide = Case("many zeros", lambda draw: (np.zeros(9), draw.normal("d").repeat(9)[:9]))
    answer = {"fwd": lambda w, x: (jnp.tanh(w * x).sum(), (w, x)), "bwd": wrong_at_zeros}
    found = dataclasses.replace(TASK, awkward=(wide,)).judge(answer, Sitting())
    assert found.headline == "right at ordinary inputs, wrong for many zeros"
    assert found.example is None


def test_an_awkward_case_of_a_right_answer_runs_as_compiled_programs_where_that_is_asked(monkeypatch):
    ran = []
    monkeypatch.setattr(Pair, "at_once", property(lambda pair: ran.append(pair) or pair))
    at_zeros(right_bwd, at_once=False)
    assert not ran
    at_zeros(right_bwd, at_once=True)
    assert len(ran) == 1


def judged(x_bar, w_factor=1.0):
    """Judges an answer that returns this for the data."""

    def bwd(residuals, loss_bar):
        w, x = residuals
        slope = loss_bar * (1 - jnp.tanh(w * x) ** 2)
        return w_factor * slope * x, x_bar(slope, w)

    return TASK.judge({"fwd": lambda w, x: (jnp.tanh(w * x).sum(), (w, x)), "bwd": bwd}, Sitting())


def test_zeros_for_data_are_accepted_with_one_note():
    found = judged(lambda slope, w: jnp.zeros_like(w))
    assert found.status is Status.RIGHT
    assert [note for note in found.comparison.notes if "data" in note] == [
        "bwd returns zeros for x: these are data, None is enough. Accepted."
    ]


@pytest.mark.parametrize("x_bar", [lambda slope, w: None, lambda slope, w: slope * w], ids=["None", "numbers"])
def test_none_and_the_right_numbers_for_data_are_accepted_without_a_word(x_bar):
    found = judged(x_bar)
    assert found.status is Status.RIGHT
    assert not found.comparison.notes


@pytest.mark.parametrize("x_bar", [lambda slope, w: slope, lambda slope, w: jnp.zeros((2, 2))], ids=["other", "shape"])
def test_other_numbers_for_data_are_wrong(x_bar):
    found = judged(x_bar)
    assert found.status is Status.WRONG
    assert "x_bar is wrong" in found.headline


def test_zeros_for_data_hide_no_other_mistake():
    found = judged(lambda slope, w: jnp.zeros_like(w), w_factor=2.0)
    assert found.status is Status.WRONG
    assert found.headline == "w_bar is wrong"
    assert list(found.example.yours) == ["w_bar"]
