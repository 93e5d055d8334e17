"""What answers to `parameter_trees` must meet: jax.vjp, Optax, NumPy, Kepler's law, moments, the exam paper."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from course.exercises import find_exercise, paper_of
from course.exercises.parameter_trees import count_traces, spread_of_sum
from course.exercises.tasks.question import Choice
from course.grading import judge
from course.grading.submission import Submission
from course.lessons.parameter_trees import Layer, Line, line_loss, line_loss_fwd, network, network_loss, planets
from course.records import Feedback, Status
from solutions.parameter_trees import descend, fit_line, init_layers, line_loss_bwd, tree_norm

LESSON = "parameter_trees"
ANSWERS = Path(__file__).parents[2] / "solutions" / f"{LESSON}.py"
SIZES = (3, 7, 5)
RATE = 0.3


@pytest.fixture(autouse=True)
def _float64():
    with jax.enable_x64(True):
        yield


def like(tree, seed):
    rng = np.random.default_rng(seed)
    return jax.tree.map(lambda leaf: jnp.asarray(rng.standard_normal(np.shape(leaf))), tree)


def layers(seed):
    return like([Layer(np.zeros((3, 7)), np.zeros(7)), Layer(np.zeros((7, 5)), np.zeros(5))], seed)


def close(one, other, rtol=1e-12):
    assert jax.tree.structure(one) == jax.tree.structure(other)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=rtol, atol=1e-14), one, other)


# The line.


def test_the_gradient_of_a_line_is_that_of_jax_and_has_the_form_of_the_line():
    line, (x, target) = Line(jnp.array(0.7), jnp.array(-0.2)), planets()
    loss, residuals = line_loss_fwd(line, x, target)
    given, *data = line_loss_bwd(residuals, 2.5 * jnp.ones_like(loss))
    close(given, jax.tree.map(lambda bar: 2.5 * bar, jax.grad(line_loss)(line, x, target)))
    assert data == [None, None]


def test_descent_from_zero_finds_the_line_of_least_squares_and_the_law_of_kepler():
    x, target = planets()
    last, losses = fit_line(Line(jnp.array(0.0), jnp.array(0.0)), x, target, RATE, 200)
    np.testing.assert_allclose(last, np.polyfit(x, target, 1), atol=1e-9)
    assert abs(last.slope - 3 / 2) < 0.005
    assert abs(last.bias) < 0.005
    assert bool(jnp.all(losses[1:] <= losses[:-1] * (1 + 1e-12)))


def test_a_run_is_that_of_optax_and_its_losses_are_those_before_each_step():
    (x, target), line = planets(), Line(jnp.array(0.3), jnp.array(2.0))
    optimizer = optax.sgd(RATE)
    state, now, losses = optimizer.init(line), line, []
    for _ in range(4):
        loss, bar = jax.value_and_grad(line_loss)(now, x, target)
        updates, state = optimizer.update(bar, state)
        now, losses = optax.apply_updates(now, updates), [*losses, loss]
    close(fit_line(line, x, target, RATE, 4), (now, jnp.array(losses)))


def test_a_rate_above_two_over_the_largest_curvature_diverges_and_one_below_does_not():
    x, target = planets()
    curvature = float(np.linalg.eigvalsh(np.array([[np.mean(x**2), np.mean(x)], [np.mean(x), 1]]))[-1])
    start = Line(jnp.array(0.0), jnp.array(0.0))
    _, below = fit_line(start, x, target, 1.9 / curvature, 200)
    _, above = fit_line(start, x, target, 2.1 / curvature, 200)
    assert below[-1] < below[0] < above[-1]


# Trees.


def test_a_step_is_that_of_optax_on_a_tree_of_any_form():
    for tree in (layers(0), {"a": (jnp.array([1.0, -3.0]), [jnp.array(2.0)])}):
        bar = like(tree, 1)
        updates, _ = optax.sgd(RATE).update(bar, optax.sgd(RATE).init(tree))
        close(descend(tree, bar, RATE), optax.apply_updates(tree, updates))


def test_the_length_of_a_tree_is_the_global_norm_of_optax_and_zero_of_zeros():
    assert float(tree_norm(layers(0))) == pytest.approx(float(optax.tree.norm(layers(0))), rel=1e-14)
    assert float(tree_norm([jnp.array([3.0]), {"b": jnp.array(4.0)}])) == 5
    assert float(tree_norm(jax.tree.map(jnp.zeros_like, layers(0)))) == 0


# Keys.


def test_weights_have_variance_2_over_d_in_layers_are_strangers_and_biases_are_zero():
    first, second = init_layers(jax.random.key(1), (100, 100, 100))
    for layer in (first, second):
        assert float(jnp.var(layer.w)) == pytest.approx(2 / 100, rel=0.06)
        assert abs(float(jnp.mean(layer.w))) < 0.01
        assert not np.any(layer.b)
    assert abs(np.corrcoef(first.w.ravel(), second.w.ravel())[0, 1]) < 0.04


def test_the_same_key_gives_the_same_network_and_another_key_another():
    one, again, other = (init_layers(jax.random.key(seed), SIZES) for seed in (0, 0, 1))
    close(one, again)
    assert float(jnp.min(abs(one[0].w - other[0].w))) > 0
    assert [layer.w.shape for layer in one] == [(3, 7), (7, 5)]


def test_a_sum_from_one_key_is_twice_as_wide_and_from_two_keys_root_two_times():
    one, other = jax.random.split(jax.random.key(0))
    assert spread_of_sum(one, one) == pytest.approx(2, rel=1e-12)
    assert spread_of_sum(one, other) == pytest.approx(np.sqrt(2), rel=0.08)


def test_the_network_ends_without_tanh_and_its_loss_is_half_the_mean_square():
    (first, last), x = layers(0), like(np.zeros((4, 3)), 5)
    y = np.tanh(np.asarray(x) @ first.w + first.b) @ last.w + last.b
    np.testing.assert_allclose(network([first, last], x), y, rtol=1e-12)
    assert float(network_loss([first, last], x, jnp.ones((4, 5)))) == pytest.approx(0.5 * np.mean((y - 1) ** 2))


# What jit traces.


@pytest.mark.parametrize(
    "arguments, runs",
    [
        (((0.0, 0.0), (1.0, 2.0)), 1),
        (((0.0, 0.0), (0.0, 0.0, 0.0)), 2),
        (((0.0,), (0,)), 2),
        (((0.0,), ((0.0,),)), 2),
    ],
)
def test_jit_runs_python_anew_for_another_shape_or_type_and_not_for_other_numbers(arguments, runs):
    assert count_traces([np.array(argument) for argument in arguments]) == runs


# The exam paper.

EXERCISES = paper_of(LESSON).exercises
CODE = [exercise for exercise in EXERCISES if exercise.task.names]


def named(exercise):
    return exercise.name


def verdict(exercise, submission):
    return judge(exercise, submission, feedback=Feedback.NAME, example=False)


@pytest.mark.parametrize("exercise", EXERCISES, ids=named)
def test_our_answers_are_right(exercise):
    found = verdict(exercise, Submission.read(ANSWERS))
    assert found.status is (Status.RIGHT if exercise.points else Status.HANDED_IN), found.lines
    assert found.points == found.possible


def test_a_run_that_rests_on_a_wrong_step_says_so(tmp_path):
    text = ANSWERS.read_text(encoding="utf-8")
    (tmp_path / "work.py").write_text(text.replace("p - learning_rate", "p + learning_rate"), encoding="utf-8")
    found = verdict(find_exercise(f"{LESSON}.fit"), Submission.read(tmp_path / "work.py"))
    assert found.headline == "uses your descend, which is not right yet"


def test_the_gradient_by_jax_is_refused_in_a_run(tmp_path):
    text = ANSWERS.read_text(encoding="utf-8")
    by_jax = "now_bar = jax.grad(lambda line: line_loss_fwd(line, x, target)[0])(now)"
    assert text.count("now_bar, _, _ = line_loss_bwd(residuals, jnp.ones_like(loss))") == 1
    text = text.replace("now_bar, _, _ = line_loss_bwd(residuals, jnp.ones_like(loss))", by_jax)
    (tmp_path / "work.py").write_text(text, encoding="utf-8")
    found = verdict(find_exercise(f"{LESSON}.fit"), Submission.read(tmp_path / "work.py"))
    assert found.status is Status.REFUSED


@pytest.mark.parametrize(
    "name, value, part",
    [
        ("q1", 7, "once a call"),
        ("q1", 3, "Are numbers arrays too"),
        ("q1", 4, "type of 1.0"),
        ("q2", 1.414, "for two keys"),
        ("q2", 4, "variance"),
    ],
)
def test_a_usual_error_has_its_own_explanation(name, value, part):
    exercise = find_exercise(f"{LESSON}.{name}")
    found = verdict(exercise, Submission.of(**{exercise.name: value}))
    assert found.status is Status.WRONG
    assert part in " ".join(found.lines)


@pytest.mark.parametrize("exercise", [e for e in EXERCISES if isinstance(e.task, Choice)], ids=named)
def test_one_option_is_right_and_each_wrong_one_has_its_own_explanation(exercise):
    options = exercise.task.options
    assert sum(option.right for option in options) == 1
    assert len({option.says for option in options}) == len(options)


def test_what_is_baked_into_a_jitted_function_stays():
    rate = 0.1
    moved = jax.jit(lambda p: p - rate)
    assert float(moved(1.0)) == pytest.approx(0.9)
    rate = 0.0
    assert float(moved(1.0)) == pytest.approx(0.9)


def test_three_hints_an_exercise_and_none_of_them_says_the_answer():
    asked = ("error_bar * x", "/ len(error)", "- learning_rate", "leaf**2", "2 / d_in", "len(sizes) - 1", "scan(step")
    for exercise in CODE:
        assert len(exercise.hints) == 3
        assert not [hint for hint in exercise.hints for line in asked if line in hint]


def test_one_exercise_is_marked_hard_and_four_to_nine_are_required():
    assert [exercise.name for exercise in EXERCISES if exercise.hard] == [f"{LESSON}.fit"]
    assert 4 <= sum(exercise.required for exercise in EXERCISES) <= 9
