"""What answers to `cost_of_backprop` must meet: other counters' numbers, what real pairs keep, and the exam paper."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from course.comparison.counting import count
from course.comparison.residuals import residual_bytes, vjp_residual_bytes
from course.exercises import counted, find_exercise, paper_of
from course.exercises.tasks.task import Sitting
from course.grading import judge
from course.grading.submission import Submission
from course.lessons.cost_of_backprop import ROUNDS, separate_layers, shared_layers
from course.lessons.mlp import mlp
from course.records import Feedback, Status
from solutions.cost_of_backprop import (
    affine_flops,
    kept_bytes,
    largest_batch,
    shared_layers_bwd,
    shared_layers_fwd,
    training_flops,
)
from solutions.mlp import mlp_loss_bwd, mlp_loss_fwd
from tests.corpus.cost_of_backprop import IN_THE_LOOP

LESSON = "cost_of_backprop"
FOLDER = Path(__file__).parents[2] / "solutions"
ANSWERS = FOLDER / f"{LESSON}.py"
BATCH, SIZES = 32, (64, 128, 48, 10)


def flops_by_xla(f, *shapes):
    """What XLA counts of a program before it optimises it; nothing is compiled."""
    return jax.jit(f).lower(*(counted.like(*shape) for shape in shapes)).cost_analysis()["flops"]


# FLOPs.


def test_xla_counts_the_same_for_each_product_of_an_affine_layer():
    batch, d_in, d_out = 7, 5, 3
    found = affine_flops(batch, d_in, d_out)
    assert found.forward == flops_by_xla(lambda x, w, b: x @ w + b, (batch, d_in), (d_in, d_out), (d_out,))
    assert found.x_bar == flops_by_xla(lambda y_bar, w: y_bar @ w.T, (batch, d_out), (d_in, d_out))
    assert found.w_bar == flops_by_xla(lambda x, y_bar: x.T @ y_bar, (batch, d_in), (batch, d_out))


def given(batch, sizes):
    return counted.parameters(sizes), counted.like(batch, sizes[0]), counted.like(batch, dtype=jnp.int32)


@pytest.mark.parametrize("sizes", [(64, 10), SIZES])
def test_a_real_pair_of_an_mlp_takes_what_the_formula_says(sizes):
    def pair(params, x, labels, loss_bar):
        loss, residuals = mlp_loss_fwd(params, x, labels)
        return loss, mlp_loss_bwd(residuals, loss_bar)[0]

    found = training_flops(BATCH, sizes)
    assert count(lambda *a: mlp_loss_fwd(*a)[0], *given(BATCH, sizes)).dot_flops == found.forward
    assert count(pair, *given(BATCH, sizes), counted.like()).dot_flops == sum(found)


def test_backward_is_between_one_and_two_forward_passes_and_three_only_where_forward_runs_again():
    ratios = [found.backward / found.forward for found in (training_flops(8, (16,) * n) for n in (2, 3, 11, 101))]
    np.testing.assert_allclose(ratios, [1, 1.5, 1.9, 1.99])
    with_images = counted.step_flops(8, (16,) * 5, lambda loss: jax.value_and_grad(loss, argnums=(0, 1)))
    assert with_images.backward == 2 * with_images.forward
    again = counted.step_flops(8, (16,) * 5, lambda loss: jax.value_and_grad(jax.checkpoint(loss)))
    assert again.backward == training_flops(8, (16,) * 5).backward + again.forward


def both_passes(f, weights, x):
    def run(weights, x, y_bar):
        y, pullback = jax.vjp(f, weights, x)
        return y, pullback(y_bar)

    return count(run, weights, x, x).dot_flops


def test_a_parameter_takes_six_flops_a_row_as_in_scaling_laws_unless_it_is_shared():
    """J. Kaplan et al., "Scaling Laws for Neural Language Models", 2020, arXiv:2001.08361, section 2.1: C = 6 N."""
    x, separate, one = counted.like(8, 16), counted.like(12, 16, 16), counted.like(16, 16)
    assert both_passes(separate_layers, separate, x) == 6 * separate.size * 8
    assert both_passes(lambda w, x: shared_layers(w, x, 12), one, x) == 12 * 6 * one.size * 8


# Memory.


@pytest.mark.parametrize("sizes", [(64, 10), SIZES])
def test_a_real_pair_of_an_mlp_keeps_what_the_formula_says(sizes):
    assert residual_bytes(mlp_loss_fwd, *given(BATCH, sizes)) == kept_bytes(BATCH, sizes)


def test_what_training_keeps_grows_with_depth_and_batch_and_what_is_alive_in_use_with_the_batch_alone():
    def in_use(batch, depth):
        sizes = (16,) * (depth + 1)
        return count(mlp, counted.parameters(sizes), counted.like(batch, 16)).peak_bytes

    assert in_use(8, 4) == in_use(8, 12)
    assert in_use(16, 4) == 2 * in_use(8, 4)
    assert kept_bytes(16, (16,) * 5) == 2 * kept_bytes(8, (16,) * 5)
    assert kept_bytes(8, (16,) * 13) - kept_bytes(8, (16,) * 5) == 8 * (8 * 16 * 5)


@pytest.mark.parametrize("memory", [0, 10**5, 10**6 + 7])
def test_the_largest_batch_fits_and_one_row_more_does_not(memory):
    rows = largest_batch(SIZES, memory)
    assert rows == 0 or counted.held_for_training(rows, SIZES) <= memory
    assert counted.held_for_training(rows + 1, SIZES) > memory


# One matrix, many rounds.


def drawn(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


W, X, Y_BAR = drawn(4, 4) / 2, drawn(5, 4, seed=1), drawn(5, 4, seed=2)


@pytest.fixture(scope="module")
def sent():
    """What each round sends to w, and x_bar, by JAX, as if every round had a matrix of its own."""
    with jax.enable_x64(True):
        pull = jax.jit(lambda ws, x, y_bar: jax.vjp(separate_layers, ws, x)[1](y_bar))
        return jax.tree.map(np.asarray, pull(np.stack([W] * ROUNDS), X, Y_BAR))


def test_a_shared_matrix_gets_the_sum_of_what_separate_ones_would(sent):
    with jax.enable_x64(True):
        w, x, y_bar = map(jnp.asarray, (W, X, Y_BAR))
        y, residuals = shared_layers_fwd(w, x)
        w_bar, x_bar = shared_layers_bwd(residuals, y_bar)
        np.testing.assert_allclose(y, shared_layers(w, x), rtol=1e-12)
    np.testing.assert_allclose(w_bar, sent[0].sum(axis=0), rtol=1e-10)
    np.testing.assert_allclose(x_bar, sent[1], rtol=1e-10)


def test_an_array_a_round_is_kept_and_jax_keeps_more():
    x, w = counted.like(5, 4), counted.like(4, 4)
    kept = residual_bytes(shared_layers_fwd, w, x)
    assert kept == ROUNDS * counted.bytes_of(x)
    assert vjp_residual_bytes(shared_layers, w, x) >= 2 * kept


def test_one_product_after_the_loop_takes_the_flops_of_one_in_each_round_and_moves_fewer_bytes():
    names = {"jax": jax, "jnp": jnp}
    exec(IN_THE_LOOP, names)
    x, w = counted.like(5, 4), counted.like(4, 4)
    kept = w, x, counted.like(ROUNDS, 5, 4)
    after, inside = (count(bwd, kept, x) for bwd in (shared_layers_bwd, names["shared_layers_bwd"]))
    assert after.dot_flops == inside.dot_flops
    assert after.bytes < inside.bytes


# The exam paper.


def verdict(name, submission):
    return judge(find_exercise(f"{LESSON}.{name}"), submission, feedback=Feedback.NAME, example=False)


@pytest.mark.parametrize("field", ["forward", "x_bar", "w_bar", "b_bar"])
def test_a_count_that_is_off_by_one_is_wrong(field):
    def off(*sizes):
        right = affine_flops(*sizes)
        return right._replace(**{field: getattr(right, field) + 1})

    found = find_exercise(f"{LESSON}.affine_flops").task.judge({"affine_flops": off}, Sitting(reasons=False))
    assert [array.path for array in found.comparison.arrays if not array.right] == [f"flops.{field}"]


def test_a_pass_that_keeps_the_products_as_well_is_right_and_too_costly(tmp_path):
    text = ANSWERS.read_text(encoding="utf-8")
    for old, new in (
        ("        y = tanh(x @ w)\n        return y, y\n", "        z = x @ w\n        return tanh(z), (z, tanh(z))\n"),
        ("    w, x, ys = residuals", "    w, x, (zs, ys) = residuals\n    ys = ys + 0 * zs"),
    ):
        assert text.count(old) == 1
        text = text.replace(old, new)
    (tmp_path / "work.py").write_text(text, encoding="utf-8")
    found = verdict("shared_layers", Submission.read(tmp_path / "work.py"))
    assert found.status is Status.COSTLY
    assert found.points == found.possible
    assert found.cost_points == 0
    assert "bytes for backward" in found.lines[0]


def test_every_exercise_that_asks_for_code_has_three_hints_and_none_of_them_says_the_answer():
    asked = ("batch * d_in", "products[0]", "(4 + 1)", "1 - y**2", "@ w.T", "ys[:-1]", "rni,rnj->ij", "(d_in + 1)")
    for exercise in paper_of(LESSON).exercises:
        assert len(exercise.hints) == (3 if exercise.task.names else 0)
        assert not [hint for hint in exercise.hints for line in asked if line in hint]


def test_one_exercise_is_marked_hard_and_four_to_nine_are_required():
    exercises = paper_of(LESSON).exercises
    assert [exercise.name for exercise in exercises if exercise.hard] == [f"{LESSON}.shared_layers"]
    assert 4 <= sum(exercise.required for exercise in exercises) <= 9
