"""What answers to `two_layer_network` must meet: the published example, every cotangent, the batch, the exam paper."""

import re
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import course
from course.comparison.residuals import residual_bytes
from course.exercises import find_exercise, paper_of
from course.exercises.tasks.question import Choice
from course.exercises.two_layer_network import published_example
from course.grading import judge
from course.grading.submission import Submission
from course.lessons.two_layer_network import (
    BatchNetwork,
    Cotangents,
    TwoLayer,
    batch_loss,
    batch_loss_fwd,
    no_nudges,
    nudged_loss,
    two_layer_loss,
    two_layer_loss_fwd,
)
from course.records import Feedback, Status
from solutions.two_layer_network import batch_loss_bwd, two_layer_cotangents, two_layer_loss_bwd

ANSWERS = Path(__file__).parents[2] / "solutions" / "two_layer_network.py"
PUBLISHED = (0.531406, 0.509566, 0.493181, 0.478455, 0.464231)
"""Losses of the first five steps, as printed by the code of the published example."""
PRINTED = {0: 0.480275, 1: 0.453089, 4: 0.387844}
"""Losses by step that the article prints."""


@pytest.fixture(autouse=True)
def _float64():
    with jax.enable_x64(True):
        yield


@pytest.fixture
def example():
    return jax.tree.map(jnp.asarray, published_example())


def drawn(seed=0):
    """A network, an example and a target; some units are dead."""
    rng = np.random.default_rng(seed)
    shapes = ((7, 5), (7,), (3, 7), (3,), (5,), (3,))
    *params, x, target = (jnp.asarray(rng.standard_normal(shape)) for shape in shapes)
    return TwoLayer(*params), x, target


def drawn_batch(seed=0, batch=9, d_out=3):
    rng = np.random.default_rng(seed)
    shapes = ((5, 7), (7,), (7, d_out), (d_out,), (batch, 5), (batch, d_out))
    *params, x, target = (jnp.asarray(rng.standard_normal(shape)) for shape in shapes)
    return BatchNetwork(*params), x, target


def with_unit_at_zero(network):
    """The same network; forward gives z1[0] = 0 exactly, whatever comes in."""
    w1, b1 = np.array(network.w1), np.array(network.b1)
    b1[0] = 0
    (w1 if len(w1) == len(b1) else w1.T)[0] = 0
    return network._replace(w1=jnp.asarray(w1), b1=jnp.asarray(b1))


@jax.jit
def seven_by_hand(params, x, target, loss_bar):
    return two_layer_cotangents(two_layer_loss_fwd(params, x, target)[1], loss_bar)


@jax.jit
def by_hand(params, x, target, loss_bar=1.0):
    loss, residuals = two_layer_loss_fwd(params, x, target)
    return loss, two_layer_loss_bwd(residuals, jnp.asarray(loss_bar, loss.dtype))[0]


@jax.jit
def batch_by_hand(params, x, target, loss_bar=1.0):
    loss, residuals = batch_loss_fwd(params, x, target)
    return loss, batch_loss_bwd(residuals, jnp.asarray(loss_bar, loss.dtype))[0]


by_jax = jax.jit(jax.value_and_grad(two_layer_loss))
batch_by_jax = jax.jit(jax.value_and_grad(batch_loss))


def train(value_and_grad, example, steps, learning_rate=0.01):
    params, x, target = example
    losses = []
    for _ in range(steps):
        loss, params_bar = value_and_grad(params, x, target)
        losses.append(float(loss))
        params = jax.tree.map(lambda p, p_bar: p - learning_rate * p_bar, params, params_bar)
    return losses, params


def assert_equal_trees(yours, right):
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-14), yours, right)


# The published example.


def test_five_steps_by_hand_give_the_published_losses(example):
    losses, _ = train(by_hand, example, 5)
    assert [f"{loss:.6f}" for loss in losses] == [f"{loss:.6f}" for loss in PUBLISHED]


def test_autodiff_and_optax_give_the_published_losses(example):
    params, x, target = example
    optimizer = optax.sgd(0.01)
    state, losses = optimizer.init(params), []
    for _ in range(5):
        loss, params_bar = by_jax(params, x, target)
        losses.append(float(loss))
        updates, state = optimizer.update(params_bar, state)
        params = optax.apply_updates(params, updates)
    assert [f"{loss:.6f}" for loss in losses] == [f"{loss:.6f}" for loss in PUBLISHED]


def test_the_losses_that_the_article_prints_are_not_those_of_its_code(example):
    losses, _ = train(by_hand, example, 5)
    assert min(losses[step] - printed for step, printed in PRINTED.items()) > 0.05


def test_hidden_unit_4_is_dead_and_its_row_never_moves(example):
    params, x, target = example
    _, residuals = two_layer_loss_fwd(params, x, target)
    assert residuals.z1[3] == pytest.approx(-0.178, abs=5e-4)
    seven = seven_by_hand(params, x, target, jnp.ones(()))
    assert seven.a1[3] != 0
    assert not seven.w1[3].any()
    _, trained = train(by_hand, example, 100)
    np.testing.assert_array_equal(trained.w1[3], params.w1[3])


def test_trained_on_one_example_two_more_units_die(example):
    _, trained = train(by_jax, example, 120)
    _, residuals = two_layer_loss_fwd(trained, *example[1:])
    assert (residuals.z1 > 0).tolist() == [True, False, False, False]


def test_gradients_that_are_never_cleared_make_the_loss_swing(example):
    params, x, target = example
    total, losses = jax.tree.map(jnp.zeros_like, params), []
    for _ in range(100):
        loss, params_bar = by_jax(params, x, target)
        losses.append(float(loss))
        total = jax.tree.map(jnp.add, total, params_bar)
        params = jax.tree.map(lambda p, p_bar: p - 0.01 * p_bar, params, total)
    cleared, _ = train(by_jax, example, 100)
    assert np.all(np.diff(cleared) < 0)
    assert max(losses[24:]) > 0.15 > 0.01 > min(losses[:24])


# Every cotangent.


def test_the_seven_are_the_sums_that_one_writes_index_by_index():
    params, x, target = drawn()
    _, residuals = two_layer_loss_fwd(params, x, target)
    seven = seven_by_hand(params, x, target, jnp.asarray(-0.7))
    a1, w2 = np.asarray(residuals.a1), np.asarray(params.w2)
    d_out, hidden = w2.shape
    z2 = [-0.7 * float(residuals.error[i]) for i in range(d_out)]
    a1_bar = [sum(w2[i, j] * z2[i] for i in range(d_out)) for j in range(hidden)]
    z1 = [a1_bar[j] if residuals.z1[j] > 0 else 0.0 for j in range(hidden)]
    w1 = [[z1[j] * float(value) for value in x] for j in range(hidden)]
    w2_bar = [[z2[i] * a1[j] for j in range(hidden)] for i in range(d_out)]
    right = Cotangents(*map(np.array, (z2, w2_bar, z2, a1_bar, z1, w1, z1)))
    assert not np.all(residuals.z1 > 0)
    assert_equal_trees(seven, right)


def test_the_cotangent_of_an_intermediate_is_the_derivative_by_a_nudge():
    params, x, target = drawn(seed=1)
    nudges = no_nudges(params)
    right = jax.jit(jax.grad(nudged_loss, argnums=tuple(range(7))))(*nudges, params, x, target)
    assert nudged_loss(*nudges, params, x, target) == two_layer_loss(params, x, target)
    assert_equal_trees(seven_by_hand(params, x, target, jnp.ones(())), Cotangents(*right))


@pytest.mark.parametrize("loss_bar", [1.0, -3.0, 0.0])
def test_both_pairs_are_what_jax_derives_for_any_loss_bar(loss_bar):
    for drawing, hand, by_autodiff in ((drawn, by_hand, by_jax), (drawn_batch, batch_by_hand, batch_by_jax)):
        example = drawing(seed=2)
        right = jax.tree.map(lambda leaf: loss_bar * leaf, by_autodiff(*example)[1])
        assert_equal_trees(hand(*example, loss_bar)[1], right)


def test_a_total_that_uses_the_loss_three_times_hands_the_pair_a_loss_bar_of_three(example):
    loss = course.as_jax(two_layer_loss_fwd, two_layer_loss_bwd)
    params_bar = jax.jit(jax.grad(lambda params: 3 * loss(params, *example[1:])))(example[0])
    assert_equal_trees(params_bar, jax.tree.map(lambda p_bar: 3 * p_bar, by_jax(*example)[1]))


def test_nothing_passes_a_unit_at_exactly_zero():
    params, *data = drawn()
    assert not by_hand(with_unit_at_zero(params), *data)[1].w1[0].any()
    params, *data = drawn_batch()
    assert not batch_by_hand(with_unit_at_zero(params), *data)[1].w1[:, 0].any()


@pytest.mark.parametrize("size", [1e4, 1e-4])
def test_gradients_of_float32_stay_float32_and_right_far_from_one(size):
    params, x, target = jax.tree.map(lambda leaf: leaf.astype(jnp.float32), drawn(seed=3))
    narrow = by_hand(params, size * x, size * target)[1]
    right = by_jax(*jax.tree.map(lambda leaf: leaf.astype(jnp.float64), (params, size * x, size * target)))[1]
    for given, true in zip(narrow, right, strict=True):
        assert given.dtype == jnp.float32
        assert np.linalg.norm(given - true) < 1e-5 * np.linalg.norm(true)


def test_forward_keeps_two_hidden_vectors_and_the_error_and_nothing_larger():
    assert residual_bytes(two_layer_loss_fwd, *drawn()) == 8 * (7 + 7 + 3)
    assert residual_bytes(batch_loss_fwd, *drawn_batch()) == 8 * 9 * (7 + 7 + 3)


# The batch.


def test_the_batch_gives_the_mean_of_what_its_examples_give_as_columns():
    params, x, target = drawn_batch()
    columns = TwoLayer(params.w1.T, params.b1, params.w2.T, params.b2)
    rows = [by_hand(columns, x[n], target[n]) for n in range(len(x))]
    loss = np.mean([float(loss) for loss, _ in rows])
    w1, b1, w2, b2 = (np.mean(leaves, axis=0) for leaves in zip(*(row for _, row in rows), strict=True))
    given_loss, given = batch_by_hand(params, x, target)
    assert float(given_loss) == pytest.approx(loss)
    assert_equal_trees(given, BatchNetwork(w1.T, b1, w2.T, b2))


def test_a_batch_of_one_row_is_the_example():
    params, x, target = drawn_batch(batch=1)
    columns = TwoLayer(params.w1.T, params.b1, params.w2.T, params.b2)
    given = batch_by_hand(params, x, target)[1]
    right = by_hand(columns, x[0], target[0])[1]
    assert_equal_trees(given, BatchNetwork(right.w1.T, right.b1, right.w2.T, right.b2))


def test_a_step_on_a_batch_is_the_step_that_scikit_learn_takes():
    sklearn = pytest.importorskip("sklearn.neural_network")
    params, x, target = drawn_batch(batch=9, d_out=1)
    settings = {"solver": "sgd", "momentum": 0.0, "alpha": 0.0, "learning_rate_init": 0.1, "batch_size": 9}
    other = sklearn.MLPRegressor(hidden_layer_sizes=(7,), shuffle=False, **settings)
    x_numbers, target_numbers = np.asarray(x), np.asarray(target)[:, 0]
    other.partial_fit(x_numbers, target_numbers)  # makes its arrays
    other.coefs_, other.intercepts_ = (
        [np.array(params.w1), np.array(params.w2)],
        [np.array(params.b1), np.array(params.b2)],
    )
    other._optimizer.velocities = [np.zeros_like(p) for p in other.coefs_ + other.intercepts_]
    other.partial_fit(x_numbers, target_numbers)
    stepped = jax.tree.map(lambda p, p_bar: p - 0.1 * p_bar, params, batch_by_hand(params, x, target)[1])
    (w1, w2), (b1, b2) = other.coefs_, other.intercepts_
    assert_equal_trees(stepped, BatchNetwork(w1, b1, w2, b2))


# The exam paper.


def edited(tmp_path, *edits):
    """A submission of our answers after edits, each from one text to another that occurs in them."""
    text = ANSWERS.read_text(encoding="utf-8")
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    (tmp_path / "work.py").write_text(text, encoding="utf-8")
    return Submission.read(tmp_path / "work.py")


def verdict(name, submission):
    return judge(find_exercise(f"two_layer_network.{name}"), submission, feedback=Feedback.NAME, example=False)


def test_a_wrong_relu_is_asked_about_the_relu(tmp_path):
    found = verdict("cotangents", edited(tmp_path, ("a1_bar * (z1 > 0)", "a1_bar * a1")))
    assert "(step 4)" in found.lines[-1]


def test_a_pair_on_wrong_cotangents_names_these_first(tmp_path):
    found = verdict("pair", edited(tmp_path, ("a1_bar * (z1 > 0)", "a1_bar")))
    assert found.status is Status.WRONG
    assert "two_layer_cotangents" in found.headline


def test_numbers_of_numpy_and_python_are_right_in_the_first_lessons(tmp_path):
    edits = [
        ("jnp.outer(z1_bar, x)", "np.outer(z1_bar, x)"),
        ("import jax.numpy as jnp", "import jax.numpy as jnp\nimport numpy as np"),
    ]
    found = verdict("cotangents", edited(tmp_path, *edits))
    assert found.status is Status.RIGHT
    assert any("not yet for jit" in note for note in found.comparison.notes)


def test_blanks_are_not_started_and_the_pair_waits_for_them(tmp_path):
    blank = edited(tmp_path, ("jnp.outer(z2_bar, a1)", "..."), ("loss_bar * error / len(x)", "..."))
    assert verdict("cotangents", blank).status is Status.NOT_STARTED
    assert verdict("batch", blank).status is Status.NOT_STARTED
    assert verdict("pair", blank).status in (Status.WAITING, Status.NOT_STARTED)


QUESTIONS = [
    exercise for exercise in paper_of("two_layer_network").exercises if not exercise.task.names and exercise.points
]
CHOICES = [exercise for exercise in QUESTIONS if isinstance(exercise.task, Choice)]


def answered(name, value):
    return verdict(name.partition(".")[2], Submission.of(**{name: value}))


@pytest.mark.parametrize("exercise", QUESTIONS, ids=lambda exercise: exercise.name)
def test_our_answer_to_a_question_is_right(exercise):
    found = judge(exercise, Submission.read(ANSWERS))
    assert found.status is Status.RIGHT


@pytest.mark.parametrize("exercise", CHOICES, ids=lambda exercise: exercise.name)
def test_one_option_is_right_and_each_wrong_one_has_its_own_explanation(exercise):
    options = exercise.task.options
    assert sum(option.right for option in options) == 1
    assert len({option.says for option in options}) == len(options)
    for option in options:
        found = answered(exercise.name, option.letter)
        assert found.right is option.right
        assert option.says in found.lines


def test_the_right_letters_are_not_all_alike():
    right = [option.letter for exercise in CHOICES for option in exercise.task.options if option.right]
    assert len(set(right)) >= 3


@pytest.mark.parametrize("share", [1.0, 1 / 3, -3.0])
def test_a_usual_error_about_loss_bar_is_explained(share):
    found = answered("two_layer_network.q3", -1.0309277 * share)
    assert found.status is Status.WRONG
    assert found.lines[0].endswith("?")


def test_no_hint_is_a_line_of_the_answer():
    answers = re.findall(r"= (.+)", ANSWERS.read_text(encoding="utf-8"))
    hints = [hint for exercise in paper_of("two_layer_network").exercises for hint in exercise.hints]
    assert not [(answer, hint) for answer in answers for hint in hints if " " in answer and answer in hint]
