"""What answers to `numerical_gradients` must meet: published slopes, laws of the error, jax.grad, the exam paper."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from course.exercises import find_exercise, paper_of
from course.exercises.numerical_gradients import slope_error
from course.exercises.tasks.question import Choice
from course.grading import judge
from course.grading.submission import Submission
from course.lessons.numerical_gradients import oddity, ramp, sum_of_cubes, xor_loss
from course.records import Feedback, Status
from solutions.numerical_gradients import (
    central_difference,
    central_gradient,
    complex_step,
    directional_check,
    forward_difference,
    relative_errors,
    wrong_leaves,
)

LESSON = "numerical_gradients"
ANSWERS = Path(__file__).parents[2] / "solutions" / f"{LESSON}.py"
PLACE = 1.5
PLACES = np.linspace(1.3, 1.7, 9)
PUBLISHED = 4.05342789389862
"""The slope of `oddity` at 1.5, as the README of HyperDualNumbers.jl and the R package pracma print it."""
PUBLISHED_BEND = 9.463073681596601
"""Its second slope there, from the same README."""

PARAMS = {
    "hidden": {"w": [[1.0, -0.6, 0.4], [0.8, -0.9, -0.5]], "b": [0.1, 0.2, -0.3]},
    "out": {"v": [0.5, -0.4, 0.6], "c": 0.0},
}


@pytest.fixture(autouse=True)
def _float64():
    with jax.enable_x64(True):
        yield


def params(dtype=np.float64):
    return jax.tree.map(lambda leaf: jnp.asarray(leaf, dtype), PARAMS, is_leaf=lambda node: not isinstance(node, dict))


def like(tree, seed):
    rng = np.random.default_rng(seed)
    return jax.tree.map(lambda leaf: jnp.asarray(rng.standard_normal(leaf.shape), leaf.dtype), tree)


def off(method, step, kind=np.float64):
    """The relative error of a slope of `oddity`."""
    return abs(float(method(oddity, jnp.asarray(PLACE, kind), float(step))) / PUBLISHED - 1)


# One number.


def test_the_complex_step_gives_all_published_digits_at_any_small_step():
    for step in (1e-8, 1e-20, 1e-100, 1e-200):
        assert float(complex_step(oddity, PLACE, step)) == pytest.approx(PUBLISHED, rel=2e-15)


def test_the_slope_published_for_the_function_without_its_root_is_found_too():
    """The function of Squire and Trapp, SIAM Review 40(1), 1998, and its slope at 1.5, as printed in many libraries."""

    def without_root(x):
        return jnp.exp(x) / (jnp.sin(x) ** 3 + jnp.cos(x) ** 3)

    assert float(complex_step(without_root, PLACE, 1e-20)) == pytest.approx(3.62203370071632, rel=1e-14)


@pytest.mark.parametrize("method, order", [(forward_difference, 1), (central_difference, 2), (complex_step, 2)])
def test_the_error_goes_down_with_the_power_of_the_step_that_is_said(method, order):
    errors = [off(method, step) for step in (1e-1, 1e-2, 1e-3)]
    assert np.log10(errors[1] / errors[2]) == pytest.approx(order, abs=0.05)
    assert np.log10(errors[0] / errors[1]) == pytest.approx(order, abs=0.15)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("method, power", [(forward_difference, 1 / 2), (central_difference, 1 / 3)])
def test_the_best_step_is_near_the_rule_of_thumb_and_leaves_the_digits_that_are_said(method, power, kind):
    """Over some places, since at a single one rounding is now and then zero by luck."""
    eps = float(np.finfo(kind).eps)
    steps = eps**power * 10.0 ** np.arange(-2, 2.5, 0.5)
    right = jax.vmap(jax.grad(oddity))(PLACES)

    def error(step):
        given = [float(method(oddity, jnp.asarray(place, kind), float(step))) for place in PLACES]
        return float(np.median(abs(np.array(given) / right - 1)))

    errors = [error(step) for step in steps]
    assert 0.05 < steps[int(np.argmin(errors))] / eps**power < 20
    assert 0.05 < min(errors) / eps ** (1 - power) < 20


def test_the_forward_error_is_half_the_step_times_the_published_second_slope():
    for step in (1e-3, 1e-4):
        error = float(forward_difference(oddity, jnp.array(PLACE), step)) - PUBLISHED
        assert error == pytest.approx(0.5 * step * PUBLISHED_BEND, rel=3 * step)


def test_differences_lose_everything_at_a_step_that_addition_swallows_and_the_complex_step_nothing():
    assert forward_difference(oddity, PLACE, 1e-16) == 0
    assert central_difference(oddity, PLACE, 1e-17) == 0
    assert off(complex_step, 1e-17) < 1e-15


@pytest.mark.parametrize("step", [0.1, 1e-3, 1e-6])
def test_at_a_kink_a_central_difference_is_the_mean_of_both_slopes_for_every_step(step):
    assert central_difference(ramp, 0.0, step) == pytest.approx(0.5)
    assert forward_difference(ramp, 0.0, step) == pytest.approx(1.0)
    assert jax.grad(ramp)(0.0) == 0


def test_a_complex_step_through_an_absolute_value_is_zero():
    assert complex_step(jnp.abs, -2.0, 1e-20) == 0


# A tree.


def test_the_central_gradient_is_that_of_jax_to_ten_digits():
    given, right = central_gradient(xor_loss, params(), 1e-5), jax.grad(xor_loss)(params())
    assert max(jax.tree.leaves(relative_errors(given, right, 1e-6))) < 1e-9


def test_the_central_gradient_of_cubes_is_off_by_the_square_of_the_step_for_a_tree_of_any_form():
    for tree in (jnp.array(2.0), (jnp.array([1.0, -3.0]), [jnp.array([[0.5]])])):
        given = central_gradient(sum_of_cubes, tree, 0.1)
        jax.tree.map(lambda bar, p: np.testing.assert_allclose(bar, 3 * p**2 + 0.01, rtol=1e-12), given, tree)


def test_the_central_gradient_takes_two_runs_a_number():
    runs = []
    central_gradient(lambda p: runs.append(1) or xor_loss(p), params(), 1e-5)
    assert len(runs) == 2 * 13


def test_found_and_claimed_agree_for_the_right_gradient_and_differ_for_one_that_is_off_by_one_percent_in_one_number():
    right, direction = jax.grad(xor_loss)(params()), like(params(), 0)
    found, claimed = directional_check(xor_loss, params(), right, direction, 1e-5)
    assert float(found) == pytest.approx(float(claimed), rel=1e-8)
    right["hidden"]["w"] = right["hidden"]["w"].at[0, 1].multiply(1.01)
    _, claimed = directional_check(xor_loss, params(), right, direction, 1e-5)
    assert abs(float(found - claimed)) > 1e-5
    direction["hidden"] = jax.tree.map(jnp.zeros_like, direction["hidden"])
    found, claimed = directional_check(xor_loss, params(), right, direction, 1e-5)
    assert float(found) == pytest.approx(float(claimed), rel=1e-8)


def test_a_gradient_a_tenth_of_a_percent_too_large_is_told_apart_in_float64_at_most_steps_and_in_float32_at_few():
    steps = np.logspace(-7, -1, 7)

    def apart(dtype):
        here, way = params(dtype), like(params(dtype), 0)
        claimed = sum(jax.tree.leaves(jax.tree.map(jnp.vdot, jax.grad(xor_loss)(here), way)))
        noise = [abs(directional_check(xor_loss, here, way, way, float(step))[0] / claimed - 1) for step in steps]
        return sum(float(size) < 1e-4 for size in noise)

    assert apart(np.float64) >= 4
    assert apart(np.float32) <= 1


# The checker.


def test_errors_are_relative_to_the_leaf_and_for_a_vanishing_leaf_to_the_whole_tree():
    right = {"large": jnp.array([300.0, 400.0]), "small": jnp.array([0.03, 0.04]), "zero": jnp.zeros(3)}
    given = {"large": jnp.array([300.0, 405.0]), "small": jnp.array([0.03, 0.045]), "zero": jnp.array([0.0, 1e-9, 0.0])}
    errors = relative_errors(given, right, 1e-5)
    assert float(errors["large"]) == pytest.approx(0.01)
    assert float(errors["small"]) == pytest.approx(0.1)
    assert float(errors["zero"]) == pytest.approx(1e-9 / (1e-5 * np.hypot(500, 0.05)))
    assert relative_errors(right, right, 1e-5) == dict.fromkeys(right, 0)


def test_a_nan_is_the_error_of_its_own_leaf_and_wrong():
    right = jax.grad(xor_loss)(params())
    given = {**right, "out": {**right["out"], "v": right["out"]["v"].at[1].set(jnp.nan)}}
    errors = relative_errors(given, right, 1e-6)
    assert jnp.isnan(errors["out"]["v"])
    verdicts = jax.tree.map(bool, wrong_leaves(errors, 1e-6))
    assert verdicts == {"hidden": {"w": False, "b": False}, "out": {"v": True, "c": False}}


def test_an_error_of_just_the_tolerance_may_pass():
    assert not wrong_leaves(jnp.array(1e-6), 1e-6)
    assert wrong_leaves(jnp.array(jnp.inf), 1e-6)


# Blind spots that the notebook shows.


def test_a_wrong_forward_with_its_own_slope_confirms_itself_and_no_other():
    def theirs(x):
        return 1 / (1 + jnp.exp(x))

    slope = float(-theirs(0.7) * (1 - theirs(0.7)))
    assert float(central_difference(theirs, 0.7, 1e-5)) == pytest.approx(slope, rel=1e-9)
    assert abs(float(central_difference(jax.nn.sigmoid, 0.7, 1e-5)) - slope) > 0.1


def test_the_sum_of_shares_has_no_slope_though_the_shares_have():
    _, pullback = jax.vjp(lambda x: x / jnp.sum(x), jnp.array([1.0, 2.0, 5.0]))
    np.testing.assert_allclose(pullback(jnp.ones(3))[0], 0, atol=1e-15)
    assert float(jnp.max(jnp.abs(pullback(jnp.array([0.3, -1.2, 0.7]))[0]))) > 0.1


# The exam paper.

CODE = [exercise for exercise in paper_of(LESSON).exercises if exercise.task.names]
QUESTIONS = [exercise for exercise in paper_of(LESSON).exercises if not exercise.task.names and exercise.points]


def named(exercise):
    return exercise.name


def verdict(exercise, submission):
    return judge(exercise, submission, feedback=Feedback.NAME, example=False)


@pytest.mark.parametrize("exercise", [*CODE, *QUESTIONS], ids=named)
def test_our_answers_are_right(exercise):
    found = verdict(exercise, Submission.read(ANSWERS))
    assert found.status is Status.RIGHT, found.lines
    assert found.points == found.possible


def test_the_slope_by_jax_is_refused(tmp_path):
    (tmp_path / "work.py").write_text("import jax\ndef forward_difference(f, x, step):\n    return jax.grad(f)(x)\n")
    found = verdict(find_exercise(f"{LESSON}.forward"), Submission.read(tmp_path / "work.py"))
    assert found.status is Status.REFUSED


def test_a_gradient_made_of_a_central_difference_that_is_not_right_yet_says_so(tmp_path):
    text = ANSWERS.read_text(encoding="utf-8")
    (tmp_path / "work.py").write_text(text.replace("/ (2 * step)", "/ step"), encoding="utf-8")
    for name in ("gradient", "directional"):
        found = verdict(find_exercise(f"{LESSON}.{name}"), Submission.read(tmp_path / "work.py"))
        assert found.headline == "uses your central_difference, which is not right yet"


def test_a_wrong_leaf_is_asked_about_by_the_name_of_its_tree(tmp_path):
    text = ANSWERS.read_text(encoding="utf-8")
    assert text.count(".set(t)") == 1
    (tmp_path / "work.py").write_text(text.replace(".set(t)", ".add(t)"), encoding="utf-8")
    found = verdict(find_exercise(f"{LESSON}.gradient"), Submission.read(tmp_path / "work.py"))
    assert found.headline.startswith("params_bar['hidden']['b']")
    assert found.lines[-1] == f"Ask: {find_exercise(f'{LESSON}.gradient').asks['params_bar']}"


@pytest.mark.parametrize("exercise", [e for e in QUESTIONS if isinstance(e.task, Choice)], ids=named)
def test_one_option_is_right_and_each_wrong_one_has_its_own_explanation(exercise):
    options = exercise.task.options
    assert sum(option.right for option in options) == 1
    assert len({option.says for option in options}) == len(options)


@pytest.mark.parametrize(
    "name, value, part",
    [
        ("q1", (10, 10), "Half right"),
        ("q1", (100, 10), "other order"),
        ("q1", (10, 20), "no factor of 2"),
        ("q2", (0.099, 0.031), "other order"),
        ("q2", (1.5e-8, 6e-6), "float64"),
        ("q2", (0.031, 0.031), "Half right"),
        ("q3", 143.5, "forward differences"),
        ("q3", 24_800_000, "seconds"),
    ],
)
def test_a_usual_error_has_its_own_explanation(name, value, part):
    exercise = find_exercise(f"{LESSON}.{name}")
    found = verdict(exercise, Submission.of(**{exercise.name: value}))
    assert found.status is Status.WRONG
    assert part in " ".join(found.lines)


def test_the_factors_asked_for_are_those_of_the_measured_errors():
    for stencil, gain in (({1: 1.0, 0: -1.0}, 10), ({1: 0.5, -1: -0.5}, 100)):
        assert slope_error(stencil, PLACE, 1e-2) / slope_error(stencil, PLACE, 1e-3) == pytest.approx(gain, rel=0.02)


def test_three_hints_an_exercise_and_none_of_them_says_the_answer():
    asked = (
        "(f(x + step) - f(x)",
        "(2 * step)",
        "1j * step",
        "imag(y) / step",
        "p + t * d",
        "bar * d",
        "leaf**2",
        "<= tolerance",
        "numbers.at[i]",
    )
    for exercise in CODE:
        assert len(exercise.hints) == 3
        assert not [hint for hint in exercise.hints for line in asked if line in hint]


def test_one_exercise_is_marked_hard_and_four_to_nine_are_required():
    exercises = paper_of(LESSON).exercises
    assert [exercise.name for exercise in exercises if exercise.hard] == [f"{LESSON}.gradient"]
    assert 4 <= sum(exercise.required for exercise in exercises) <= 9
