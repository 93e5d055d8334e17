"""What answers to `losses` must meet: published numbers, extreme logits, every entry, bytes, the exam paper."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from course.comparison.residuals import residual_bytes, vjp_residual_bytes
from course.exercises import find_exercise, paper_of
from course.exercises.tasks.question import Choice
from course.grading import judge
from course.grading.submission import Submission
from course.lessons.linear_and_activations import affine
from course.lessons.losses import (
    IGNORED,
    binary_cross_entropy,
    masked_cross_entropy,
    softmax_cross_entropy,
)
from course.records import Feedback, Status
from solutions.losses import (
    binary_cross_entropy_bwd,
    binary_cross_entropy_fwd,
    half_squared_error_bwd,
    half_squared_error_fwd,
    masked_cross_entropy_bwd,
    masked_cross_entropy_fwd,
    smoothed_cross_entropy_bwd,
    smoothed_cross_entropy_fwd,
    softmax_cross_entropy_bwd,
    softmax_cross_entropy_fwd,
)

LESSON = "losses"
PAIRS = ["half_squared_error", "binary_cross_entropy", "softmax_cross_entropy"]


@pytest.fixture(autouse=True)
def _float64():
    with jax.enable_x64(True):
        yield


def drawn(*shape, seed=0):
    return jnp.asarray(np.random.default_rng(seed).standard_normal(shape))


def drawn_rows(batch=7, classes=5):
    return drawn(batch, classes, seed=1), jnp.asarray(np.random.default_rng(2).integers(0, classes, batch))


def backward(fwd, bwd, *primals, loss_bar=1.0):
    """The cotangents by hand; each function compiled whole, which is quicker than each of its operations."""
    loss, residuals = jax.jit(fwd)(*primals)
    return jax.jit(bwd)(residuals, jnp.asarray(loss_bar, loss.dtype))


# Published numbers, and other libraries.


@pytest.mark.parametrize("classes, published", [(10, 2.302), (10, 2.302585), (1000, 6.907755)])
def test_equal_logits_cost_the_logarithm_of_the_number_of_classes(classes, published):
    """Stanford CS231n, "Setting up the data and the model": 2.302 for CIFAR-10."""
    loss, _ = softmax_cross_entropy_fwd(jnp.full((3, classes), 4.2), jnp.arange(3))
    assert float(loss) == pytest.approx(math.log(classes), rel=1e-12)
    assert float(loss) == pytest.approx(published, abs=1e-3)


def test_an_undecided_yes_or_no_costs_the_logarithm_of_two():
    loss, _ = binary_cross_entropy_fwd(jnp.zeros(4), jnp.array([0.0, 1.0, 1.0, 0.0]))
    assert float(loss) == pytest.approx(0.6931471805599453, rel=1e-15)


def test_losses_and_slopes_are_those_of_optax():
    optax = pytest.importorskip("optax")
    logits, labels = drawn_rows()

    def of_optax(logits):
        return jnp.mean(optax.softmax_cross_entropy_with_integer_labels(logits, labels))

    loss, slope = jax.jit(jax.value_and_grad(of_optax))(logits)
    np.testing.assert_allclose(softmax_cross_entropy_fwd(logits, labels)[0], loss, rtol=1e-12)
    logits_bar, _ = backward(softmax_cross_entropy_fwd, softmax_cross_entropy_bwd, logits, labels)
    np.testing.assert_allclose(logits_bar, slope, rtol=1e-12, atol=1e-15)

    target = jnp.array([1.0, 0, 0, 1, 1, 0, 1])

    def of_optax_binary(logits):
        return jnp.mean(optax.sigmoid_binary_cross_entropy(logits, target))

    loss, slope = jax.jit(jax.value_and_grad(of_optax_binary))(logits[:, 0])
    np.testing.assert_allclose(binary_cross_entropy_fwd(logits[:, 0], target)[0], loss, rtol=1e-12)
    logits_bar, _ = backward(binary_cross_entropy_fwd, binary_cross_entropy_bwd, logits[:, 0], target)
    np.testing.assert_allclose(logits_bar, slope, rtol=1e-12)


# Every entry.


def test_half_squared_error_is_the_sum_that_one_writes_entry_by_entry():
    prediction, target = drawn(3, 2, seed=1), drawn(3, 2, seed=2)
    entries = [(float(prediction[n, j]), float(target[n, j])) for n in range(3) for j in range(2)]
    loss, _ = half_squared_error_fwd(prediction, target)
    assert float(loss) == pytest.approx(sum(0.5 * (p - t) ** 2 for p, t in entries) / 3, rel=1e-12)
    prediction_bar, target_bar = backward(half_squared_error_fwd, half_squared_error_bwd, prediction, target)
    np.testing.assert_allclose(prediction_bar.ravel(), [(p - t) / 3 for p, t in entries], rtol=1e-12)
    np.testing.assert_array_equal(target_bar, -prediction_bar)


def test_softmax_cross_entropy_s_slope_is_the_probability_less_the_truth():
    logits, labels = drawn_rows(3, 4)
    logits_bar, nothing = backward(softmax_cross_entropy_fwd, softmax_cross_entropy_bwd, logits, labels, loss_bar=6.0)
    for n in range(3):
        together = sum(math.exp(float(logit)) for logit in logits[n])
        for k in range(4):
            right = 2 * (math.exp(float(logits[n, k])) / together - (k == int(labels[n])))
            assert float(logits_bar[n, k]) == pytest.approx(right, rel=1e-12)
    assert nothing is None


def test_binary_cross_entropy_is_softmax_cross_entropy_of_two_classes():
    logits, target = drawn(7, seed=3), jnp.array([1, 0, 0, 1, 1, 0, 1])
    two = jnp.stack([jnp.zeros(7), logits], axis=1)
    np.testing.assert_allclose(
        binary_cross_entropy_fwd(logits, target.astype(float))[0], softmax_cross_entropy_fwd(two, target)[0], rtol=1e-12
    )
    one_bar, _ = backward(binary_cross_entropy_fwd, binary_cross_entropy_bwd, logits, target.astype(float))
    two_bar, _ = backward(softmax_cross_entropy_fwd, softmax_cross_entropy_bwd, two, target)
    np.testing.assert_allclose(one_bar, two_bar[:, 1], rtol=1e-12)


def test_a_target_between_no_and_yes_is_met_where_the_probability_equals_it():
    target = jnp.array([0.25, 0.5, 0.9])
    logits_bar, _ = backward(binary_cross_entropy_fwd, binary_cross_entropy_bwd, jnp.log(target / (1 - target)), target)
    np.testing.assert_allclose(logits_bar, 0, atol=1e-16)


@pytest.mark.parametrize("scale", [1.0, 100.0, 1e4])
def test_each_row_of_logits_bar_adds_up_to_zero(scale):
    logits, labels = drawn_rows()
    logits_bar, _ = backward(softmax_cross_entropy_fwd, softmax_cross_entropy_bwd, scale * logits, labels)
    np.testing.assert_allclose(logits_bar.sum(axis=1), 0, atol=1e-16)


def test_raising_a_whole_row_changes_neither_loss_nor_slope():
    logits, labels = drawn_rows()
    raised = logits + jnp.arange(7.0)[:, None]
    np.testing.assert_allclose(
        softmax_cross_entropy_fwd(raised, labels)[0], softmax_cross_entropy_fwd(logits, labels)[0], rtol=1e-12
    )
    bars = [backward(softmax_cross_entropy_fwd, softmax_cross_entropy_bwd, z, labels)[0] for z in (logits, raised)]
    np.testing.assert_allclose(*bars, rtol=1e-11)


# Extreme logits.


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.float64])
def test_binary_cross_entropy_is_finite_at_1e4_and_right(dtype):
    logits, target = jnp.array([1e4, -1e4, 1e4, -1e4], dtype), jnp.array([1, 0, 0, 1], dtype)
    loss, _ = binary_cross_entropy_fwd(logits, target)
    assert float(loss) == pytest.approx(5e3)
    logits_bar, _ = backward(binary_cross_entropy_fwd, binary_cross_entropy_bwd, logits, target)
    np.testing.assert_array_equal(logits_bar, [0, 0, 0.25, -0.25])


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.float64])
def test_softmax_cross_entropy_is_finite_at_1e4_and_right(dtype):
    logits, labels = jnp.array([[1e4, -1e4, 1e4], [1e4, -1e4, 0]], dtype), jnp.array([0, 1])
    loss, _ = softmax_cross_entropy_fwd(logits, labels)
    assert float(loss) == pytest.approx((math.log(2) + 2e4) / 2)
    logits_bar, _ = backward(softmax_cross_entropy_fwd, softmax_cross_entropy_bwd, logits, labels)
    np.testing.assert_array_equal(logits_bar, [[-0.25, 0, 0.25], [0.5, -0.5, 0]])


def test_written_as_in_a_textbook_both_losses_break_at_1e4():
    def binary(logit):
        p = 1 / (1 + jnp.exp(-logit))
        return -jnp.log(p)

    def softmax(row):
        return -jnp.log(jnp.exp(row) / jnp.sum(jnp.exp(row)))[0]

    assert not np.isfinite(binary(-1e4))
    assert not np.isfinite(jax.grad(binary)(-1e4))
    assert np.isnan(softmax(jnp.array([1e4, 0.0])))


def test_the_slope_at_a_logit_of_zero_is_a_half_where_a_stable_formula_has_none():
    def stable(z):
        return jnp.maximum(z, 0) + jnp.log1p(jnp.exp(-jnp.abs(z)))

    assert float(jax.grad(stable)(0.0)) != 0.5  # the two kinks cancel on paper, and not term by term
    assert float(jax.grad(binary_cross_entropy)(jnp.zeros(1), jnp.zeros(1))[0]) == 0.5
    assert float(backward(binary_cross_entropy_fwd, binary_cross_entropy_bwd, jnp.zeros(1), jnp.zeros(1))[0][0]) == 0.5


# Smoothed labels, and rows that don't count.


def both_by_hand(logits, labels, smoothing, masked):
    """Loss and logits_bar of the smoothed loss, then of the masked one."""
    smooth, kept = smoothed_cross_entropy_fwd(logits, labels, smoothing)
    loss, kept_masked = masked_cross_entropy_fwd(logits, masked)
    ones = jnp.ones_like(loss)
    return (smooth, smoothed_cross_entropy_bwd(kept, ones)[0]), (loss, masked_cross_entropy_bwd(kept_masked, ones)[0])


SOME_IGNORED = [2, IGNORED, 0, IGNORED, IGNORED, 4, 1]
both_together = jax.jit(both_by_hand)


def test_smoothed_and_masked_losses_and_their_slopes_are_those_of_optax():
    optax = pytest.importorskip("optax")
    logits, labels = drawn_rows()
    masked = jnp.array(SOME_IGNORED)
    counted = np.flatnonzero(np.array(SOME_IGNORED) != IGNORED)

    @jax.jit
    def by_optax(logits):
        truth = optax.smooth_labels(jax.nn.one_hot(labels, 5, dtype=logits.dtype), jnp.asarray(0.2))
        of_counted = optax.softmax_cross_entropy_with_integer_labels(logits[counted], masked[counted])
        return jnp.mean(optax.softmax_cross_entropy(logits, truth)), jnp.mean(of_counted)

    by_hand = both_together(logits, labels, jnp.array(0.2), masked)
    losses, slopes = by_optax(logits), jax.jit(jax.jacrev(by_optax))(logits)
    for (loss, logits_bar), right, slope in zip(by_hand, losses, slopes, strict=True):
        np.testing.assert_allclose(loss, right, rtol=1e-12)
        np.testing.assert_allclose(logits_bar, slope, rtol=1e-12, atol=1e-15)


def test_smoothed_and_masked_slopes_are_those_of_central_differences():
    logits, labels = drawn_rows()
    step, direction, masked = 1e-5, drawn(7, 5, seed=4), jnp.array(SOME_IGNORED)
    here, up, down = (both_together(logits + h * direction, labels, jnp.array(0.2), masked) for h in (0.0, step, -step))
    for (_, logits_bar), (above, _), (below, _) in zip(here, up, down, strict=True):
        assert float(jnp.vdot(logits_bar, direction)) == pytest.approx(float(above - below) / (2 * step), rel=1e-8)


def test_a_smoothing_of_zero_and_no_ignored_row_give_the_plain_loss():
    logits, labels = drawn_rows()
    loss, _ = softmax_cross_entropy_fwd(logits, labels)
    logits_bar, _ = backward(softmax_cross_entropy_fwd, softmax_cross_entropy_bwd, logits, labels)
    for given, given_bar in both_together(logits, labels, jnp.array(0.0), labels):
        np.testing.assert_allclose(given, loss, rtol=1e-12)
        np.testing.assert_allclose(given_bar, logits_bar, rtol=1e-12, atol=1e-16)


def test_nothing_comes_back_where_the_probabilities_are_the_smoothed_truth():
    gap = math.log(1 + 5 * 0.8 / 0.2)
    labels = drawn_rows()[1]
    (_, logits_bar), _ = both_together(gap * jax.nn.one_hot(labels, 5), labels, jnp.array(0.2), labels)
    np.testing.assert_allclose(logits_bar, 0, atol=1e-16)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_batch_whose_rows_are_all_ignored_costs_nothing_and_sends_zeros_back(dtype):
    logits, labels = drawn_rows()
    _, (loss, logits_bar) = both_together(
        logits.astype(dtype), labels, jnp.array(0.2, dtype), jnp.full_like(labels, IGNORED)
    )
    assert loss.dtype == logits_bar.dtype == dtype
    assert float(loss) == 0
    assert not np.any(logits_bar)


def test_an_ignored_row_is_sent_nothing_and_leaves_the_others_as_they_are_without_it():
    logits, labels = drawn_rows()
    masked = jnp.array(SOME_IGNORED)
    _, (loss, logits_bar) = both_together(logits, labels, jnp.array(0.2), masked)
    elsewhere = jnp.where((masked == IGNORED)[:, None], 100.0, logits)
    _, (again, bar_again) = both_together(elsewhere, labels, jnp.array(0.2), masked)
    assert not np.any(logits_bar[masked == IGNORED])
    np.testing.assert_allclose(again, loss, rtol=1e-12)
    np.testing.assert_allclose(bar_again, logits_bar, rtol=1e-12)


def test_the_plain_loss_takes_a_label_of_minus_one_for_the_last_class():
    """Why rows that don't count must be taken out by name."""
    logits, _ = drawn_rows()
    masked = jnp.array(SOME_IGNORED)
    assert float(softmax_cross_entropy(logits, masked)) == float(softmax_cross_entropy(logits, masked % 5))
    assert float(masked_cross_entropy(logits, masked)) != float(softmax_cross_entropy(logits, masked))


# What is saved.


def test_half_squared_error_keeps_one_array_and_the_cross_entropies_their_logits():
    x, w, b = drawn(7, 5), drawn(5, 3), drawn(3)
    labels = jnp.zeros(7, int)

    def after_affine(fwd, *others):
        return residual_bytes(lambda x, w, b: fwd(affine(x, w, b), *others), x, w, b)

    assert residual_bytes(half_squared_error_fwd, drawn(7, 3), drawn(7, 3)) == 7 * 3 * 8
    kept = after_affine(lambda logits: softmax_cross_entropy_fwd(logits, labels)[0:2])
    assert kept <= 7 * 3 * 8 + labels.nbytes
    assert kept <= vjp_residual_bytes(lambda x, w, b: softmax_cross_entropy(affine(x, w, b), labels), x, w, b)


# The exam paper.


def verdict(name, submission):
    with jax.enable_x64(False):  # as for a learner
        return judge(find_exercise(f"{LESSON}.{name}"), submission, feedback=Feedback.NAME, example=False)


@pytest.mark.parametrize("name", PAIRS)
def test_blank_stubs_are_not_started(name, tmp_path):
    heads = (f"def {name}_fwd(prediction, target):", f"def {name}_bwd(residuals, loss_bar):")
    (tmp_path / "work.py").write_text("".join(f"{head}\n    raise NotImplementedError\n" for head in heads))
    found = verdict(name, Submission.read(tmp_path / "work.py"))
    assert found.status is Status.NOT_STARTED
    assert found.points == 0


QUESTIONS = [exercise for exercise in paper_of(LESSON).exercises if not exercise.task.names and exercise.points]
CHOICES = [exercise for exercise in QUESTIONS if isinstance(exercise.task, Choice)]


def answered(exercise, value):
    return verdict(exercise.name.partition(".")[2], Submission.of(**{exercise.name: value}))


@pytest.mark.parametrize("exercise", CHOICES, ids=lambda exercise: exercise.name)
def test_one_option_is_right_and_each_wrong_one_has_its_own_explanation(exercise):
    options = exercise.task.options
    assert sum(option.right for option in options) == 1
    assert len({option.says for option in options}) == len(options)
    for option in options:
        found = answered(exercise, option.letter)
        assert found.right is option.right
        assert option.says in found.lines


@pytest.mark.parametrize("value, says", [(3.3219, "bits"), (1.0, "base 10"), (0.1, "probability"), (-2.3026, "minus")])
def test_a_wrong_loss_of_equal_logits_has_its_own_explanation(value, says):
    found = answered(find_exercise(f"{LESSON}.q3"), value)
    assert found.status is Status.WRONG
    assert says in " ".join(found.lines)


def test_every_pair_has_three_hints_and_none_of_them_says_the_answer():
    asked = (
        "loss_bar * ",
        "probability - target",
        "probabilities - chosen",
        "prediction - target,",
        "1 - smoothing",
        "labels != IGNORED",
        "[:, None]",
    )
    for exercise in paper_of(LESSON).exercises:
        if exercise.task.names:
            assert len(exercise.hints) == 3
            assert not [hint for hint in exercise.hints for line in asked if line in hint]


def test_one_exercise_is_marked_hard_and_four_to_nine_are_required():
    exercises = paper_of(LESSON).exercises
    assert [exercise.name for exercise in exercises if exercise.hard] == [f"{LESSON}.softmax_cross_entropy"]
    assert 4 <= sum(exercise.required for exercise in exercises) <= 9
