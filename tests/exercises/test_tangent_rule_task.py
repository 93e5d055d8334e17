"""Claims about the tangent-rule task: what it asks, what it says of wrong rules, and what it shows of them."""

import jax
import jax.numpy as jnp
import pytest

from course.comparison.mistakes import Mistake
from course.exercises.exercise import Exercise
from course.exercises.tasks.limits import Limits
from course.exercises.tasks.pair import Case
from course.exercises.tasks.tangent_rule import TangentRuleTask
from course.exercises.tasks.task import Sitting
from course.grading.sentences import verdict_of
from course.records import Feedback, Status
from evidence.lazy import lazy_answers


def layer(x, w):
    return jnp.tanh(x @ w)


def at_zero_as_well(draw):
    x, w = drawn(draw)
    return 0 * x, w


def drawn(draw):
    return draw.normal("batch", "d_in"), draw.normal("d_in", "d_out")


def slope_held(x, w):
    h = x @ w
    return jax.lax.stop_gradient(jnp.tanh(h) - h) + h


TASK = TangentRuleTask(
    primal=layer,
    rule="layer_jvp",
    draw=drawn,
    awkward=(Case("inputs that are zero", at_zero_as_well),),
    limits=Limits(flops=1.5),
    mistakes=(
        Mistake("no slope", slope_held, "The slope of tanh is left out.", "What is the slope of tanh?   (step 2)"),
    ),
)
EXERCISE = Exercise(
    name="forward_mode.layer",
    title="a layer's tangent",
    task=TASK,
    points=4,
    cost_points=1,
    asks={"y_dot": "In which order do the tangents pass?   (step 1)"},
)


def right(primals, tangents):
    (x, w), (x_dot, w_dot) = primals, tangents
    y = layer(x, w)
    return y, (1 - y**2) * (x_dot @ w + x @ w_dot)


def without_slope(primals, tangents):
    (x, w), (x_dot, w_dot) = primals, tangents
    return layer(x, w), x_dot @ w + x @ w_dot


def without_w(primals, tangents):
    (x, w), (x_dot, _) = primals, tangents
    y = layer(x, w)
    return y, (1 - y**2) * (x_dot @ w)


def divided(primals, tangents):
    (x, _), (_, _) = primals, tangents
    y, y_dot = right(primals, tangents)
    return y, y_dot * (x**2).sum() / (x**2).sum()


def dear(primals, tangents):
    (x, w), (x_dot, w_dot) = primals, tangents
    y = layer(x, w)
    return y, (1 - layer(x, w) ** 2) * (x_dot @ w) + (1 - layer(x, w) ** 2) * (x @ w_dot)


def judged(rule, **sitting):
    return TASK.judge({"layer_jvp": rule}, Sitting(**sitting))


def verdict(rule, feedback):
    return verdict_of(EXERCISE, judged(rule), attempt=1, feedback=feedback, where="here")


def test_a_right_rule_is_right_and_within_its_cost():
    found = judged(right)
    assert found.status is Status.RIGHT, found
    assert (found.share, found.cost_share) == (1.0, 1.0)


def test_a_rule_that_works_things_out_again_is_costly_and_told_what():
    found = judged(dear)
    assert found.status is Status.COSTLY
    assert "times the FLOPs of those of jax.jvp" in found.remarks[0].text
    assert "The same is worked out 3 times" in found.remarks[0].text


def test_a_mistake_of_the_exercise_is_named_and_asked_about():
    found = verdict(without_slope, Feedback.NAME)
    assert found.headline == "y_dot is wrong"
    assert "The slope of tanh is left out." in found.lines
    assert found.lines[-1] == "Ask: What is the slope of tanh?   (step 2)"


def test_each_feedback_level_says_no_more_than_it_may():
    assert verdict(without_w, Feedback.PASS).headline == "wrong"
    where = verdict(without_w, Feedback.WHERE)
    assert where.lines == ("One moved at a time: y_dot is wrong for w, right for x.",)
    kind = verdict(without_w, Feedback.KIND)
    assert any("is missing" in line for line in kind.lines)
    assert not any("through `w`" in line for line in kind.lines)
    assert kind.lines[-1] == "Ask: In which order do the tangents pass?   (step 1)"
    assert any("through `w`" in line for line in verdict(without_w, Feedback.NAME).lines)


def test_the_smallest_counterexample_holds_arguments_and_tangents():
    example = judged(without_w).example
    assert set(example.inputs) == {"x", "w", "x_dot", "w_dot"}
    assert example.inputs["x"].shape == (1, 1)
    assert set(example.yours) == {"y_dot"} == set(example.right)
    assert example.yours["y_dot"] != example.right["y_dot"]


def test_a_rule_that_fails_at_an_awkward_case_keeps_half_its_points():
    found = judged(divided)
    assert found.headline == "right at ordinary inputs, wrong for inputs that are zero"
    assert found.share == 0.5


def test_what_is_known_is_told_before_the_reason_is_looked_for():
    early = []
    found = judged(without_w, early=early.append)
    assert [known.headline for known in early] == ["y_dot is wrong"]
    assert early[0].comparison.causes == ()
    assert found.comparison.causes
    assert judged(without_w, reasons=False, example=False).comparison.causes == ()


@pytest.mark.parametrize("seed", [1, 2])
def test_reasons_hold_at_other_seeds(seed):
    assert [cause.name for cause in judged(without_slope, seed=seed).comparison.causes] == ["no slope"]


def test_lazy_rules_do_not_pass():
    statuses = {
        name: TASK.judge(answer, Sitting(example=False, reasons=False)).status
        for name, answer in lazy_answers(EXERCISE)
    }
    assert len(statuses) == 8
    assert not {Status.RIGHT, Status.COSTLY} & set(statuses.values()), statuses
