"""What answers to `normalization` must meet: means and variances, what never arrives, bytes, depth, the exam paper."""

from functools import cache
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import course
from course.comparison.residuals import residual_bytes
from course.exercises import find_exercise
from course.grading import judge
from course.grading.submission import Submission
from course.lessons.normalization import (
    DECAY,
    EPSILON,
    GROUPS,
    Running,
    batch_norm_evaluation,
    gradient_norms,
    group_norm,
    layer_norm,
    rms_norm,
)
from course.records import Feedback, Status
from solutions.normalization import (
    batch_norm_bwd,
    batch_norm_fwd,
    layer_norm_bwd,
    layer_norm_fwd,
    layer_norm_in_steps_bwd,
    layer_norm_in_steps_fwd,
    rms_norm_bwd,
    rms_norm_fwd,
)

LESSON = "normalization"
ANSWERS = Path(__file__).parents[2] / "solutions" / f"{LESSON}.py"
BATCH, D = 7, 5


@pytest.fixture(autouse=True)
def _float64():
    with jax.enable_x64(True):
        yield


def drawn(*shape, seed=0, scale=1.0):
    return scale * np.random.default_rng(seed).standard_normal(shape)


X, SCALE, BIAS, Y_BAR = drawn(BATCH, D, scale=300.0), drawn(D, seed=1), drawn(D, seed=2), drawn(BATCH, D, seed=3)
"""Rows beside whose variance EPSILON is nothing."""
RUNNING = Running(drawn(D, seed=4), drawn(D, seed=5) ** 2)


def backward(fwd, bwd):
    @jax.jit
    def run(primals, y_bar):
        y, residuals = fwd(*primals)
        return y, bwd(residuals, y_bar)

    return run


layer = backward(layer_norm_fwd, layer_norm_bwd)
in_steps = backward(layer_norm_in_steps_fwd, layer_norm_in_steps_bwd)
rms = backward(rms_norm_fwd, rms_norm_bwd)
batch = backward(batch_norm_fwd, batch_norm_bwd)


def standardised(x, axis):
    """By NumPy."""
    return (x - x.mean(axis, keepdims=True)) / np.sqrt(x.var(axis, keepdims=True) + EPSILON)


def test_layer_norm_is_numpy_s_mean_and_variance_of_each_row():
    y, _ = layer((X / 300, SCALE, BIAS), Y_BAR)
    np.testing.assert_allclose(y, standardised(X / 300, -1) * SCALE + BIAS, rtol=1e-12)


def test_batch_norm_is_layer_norm_of_the_columns():
    y, x_bar = jax.jit(batch_norm_fwd)(X, SCALE, BIAS, RUNNING)[0][0], batch_bars(Y_BAR)[0]
    np.testing.assert_allclose(y, standardised(X, 0) * SCALE + BIAS, rtol=1e-12)
    across = jax.vjp(lambda x: standardised_by_jax(x.T).T * SCALE, jnp.asarray(X))[1](jnp.asarray(Y_BAR))[0]
    np.testing.assert_allclose(x_bar, across, rtol=1e-9, atol=1e-15)


def standardised_by_jax(x):
    return jax.nn.standardize(x, axis=-1, epsilon=EPSILON)


def batch_bars(y_bar):
    return batch((X, SCALE, BIAS, RUNNING), (y_bar, RUNNING))[1]


def test_group_norm_is_numpy_s_mean_and_variance_of_each_group():
    x = drawn(3, 2 * GROUPS, 5)
    ones = np.ones(2 * GROUPS)
    groups = standardised(x.reshape(3, GROUPS, -1), -1).reshape(x.shape)
    np.testing.assert_allclose(jax.jit(group_norm)(x, ones, 0 * ones), groups, rtol=1e-12)


def test_in_steps_and_at_once_it_is_the_same():
    one, other = in_steps((X, SCALE, BIAS), Y_BAR), layer((X, SCALE, BIAS), Y_BAR)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-15), one, other)


# What never arrives.


def test_of_layer_norm_neither_a_row_of_ones_nor_x_hat_arrives():
    x_hat = standardised(X, -1)
    whole = np.abs(layer((X, SCALE, BIAS), Y_BAR)[1][0]).max()
    for lost in (np.ones_like(X), x_hat, 3 * x_hat - 2):
        assert np.abs(layer((X, SCALE, BIAS), lost / SCALE)[1][0]).max() < 1e-8 * whole


def test_what_arrives_has_nothing_of_ones_and_nothing_of_x_hat():
    x_bar = np.asarray(layer((X, SCALE, BIAS), Y_BAR)[1][0])
    for lost in (np.ones_like(X), standardised(X, -1)):
        np.testing.assert_allclose((x_bar * lost).sum(axis=1), 0, atol=1e-9 * np.abs(x_bar).max())


def test_of_rms_norm_x_hat_does_not_arrive_and_ones_do():
    x_hat = X / np.sqrt((X**2).mean(axis=-1, keepdims=True))
    of_x_hat, of_ones = (np.abs(rms((X, SCALE), bar / SCALE)[1][0]).max() for bar in (x_hat, np.ones_like(X)))
    assert of_x_hat < 1e-8 * of_ones


def test_under_a_sum_of_squares_next_to_nothing_comes_back_through_batch_norm():
    """At the input of dlsyscourse's test in hw2, whose loss this is; the scale is ones."""
    x = np.random.RandomState(8).randint(0, 100, size=(4, 4)) / 20
    ones, still = np.ones(4), Running(np.zeros(4), np.ones(4))
    y = standardised(x, 0)
    x_bar, scale_bar, _, _ = batch((x, ones, 0 * ones, still), (2 * y, still))[1]
    assert 0 < np.abs(x_bar).max() < 1e-4
    assert np.abs(scale_bar).min() > 1


# Awkward rows, the state, bytes.


def test_a_row_of_equal_numbers_gets_what_is_finite():
    x = X.copy()
    x[0] = 7.0
    y, bars = layer((x, SCALE, BIAS), Y_BAR)
    np.testing.assert_allclose(y[0], BIAS)
    assert all(np.all(np.isfinite(bar)) for bar in bars)


def test_the_state_moves_by_a_tenth_and_its_cotangent_is_ignored():
    moved = jax.jit(batch_norm_fwd)(X, SCALE, BIAS, RUNNING)[0][1]
    np.testing.assert_allclose(moved.mean, DECAY * RUNNING.mean + (1 - DECAY) * X.mean(axis=0))
    np.testing.assert_allclose(moved.variance, DECAY * RUNNING.variance + (1 - DECAY) * X.var(axis=0))
    another = jax.tree.map(lambda leaf: 100 * leaf, RUNNING)
    np.testing.assert_array_equal(batch((X, SCALE, BIAS, RUNNING), (Y_BAR, another))[1][0], batch_bars(Y_BAR)[0])


def test_evaluation_by_the_batch_s_own_statistics_is_training_s_value():
    own = Running(X.mean(axis=0), X.var(axis=0))
    y = jax.jit(batch_norm_evaluation)(X, SCALE, BIAS, own)
    np.testing.assert_allclose(y, standardised(X, 0) * SCALE + BIAS, rtol=1e-12)


def test_layer_norm_keeps_two_numbers_a_row_and_rms_norm_one():
    x, row = jax.ShapeDtypeStruct((32, 768), jnp.float32), jax.ShapeDtypeStruct((768,), jnp.float32)
    assert residual_bytes(layer_norm_fwd, x, row, row) == 2 * 32 * 4
    assert residual_bytes(rms_norm_fwd, x, row) == 32 * 4


def test_it_runs_as_a_custom_vjp_of_jax_with_the_state_beside():
    by_hand = course.as_jax(batch_norm_fwd, batch_norm_bwd)

    def loss(x):
        y, running = by_hand(x, *jax.tree.map(jnp.asarray, (SCALE, BIAS, RUNNING)))
        return (y * Y_BAR).sum(), running

    (_, running), x_bar = jax.jit(jax.value_and_grad(loss, has_aux=True))(X)
    np.testing.assert_allclose(x_bar, batch_bars(Y_BAR)[0], rtol=1e-9, atol=1e-18)
    assert isinstance(running, Running)


# The remedy.

LAYERS, WIDTH = 40, 16
NORMS = {
    "none": lambda x: x,
    "layer": lambda x: layer_norm(x, jnp.ones(WIDTH), jnp.zeros(WIDTH)),
    "rms": lambda x: rms_norm(x, jnp.ones(WIDTH)),
}


SIZES = np.array([0.5, 1.0, 2.0])
"""Of the weights."""


@cache
def first_over_last():
    """The gradient's norm at the first layer over that at the last, for each norm and weights of three sizes."""
    ws, x, y_bar = drawn(LAYERS, WIDTH, WIDTH) / WIDTH**0.5, drawn(8, WIDTH, seed=1), drawn(8, WIDTH, seed=2)

    @jax.jit
    def found(ws, x, y_bar, sizes):
        of = {
            name: jax.lax.map(lambda size, norm=norm: gradient_norms(size * ws, x, y_bar, norm), sizes)
            for name, norm in NORMS.items()
        }
        return {name: norms[:, 0] / norms[:, -1] for name, norms in of.items()}

    return found(ws, x, y_bar, SIZES)


def test_without_a_norm_the_size_of_the_weights_decides_through_forty_layers():
    ratios = first_over_last()["none"]
    assert ratios[0] < 1e-12 < 1e3 < ratios[2]


@pytest.mark.parametrize("name", ["layer", "rms"])
def test_with_a_norm_it_decides_nothing(name):
    ratios = first_over_last()[name]
    np.testing.assert_allclose(ratios, ratios[1], rtol=1e-2)
    assert 1e-4 < ratios[1] < 1e4


# The exam paper.


def verdict(name, submission):
    return judge(find_exercise(f"{LESSON}.{name}"), submission, feedback=Feedback.NAME, example=False)


def test_x_hat_kept_is_right_but_costly(tmp_path):
    text = ANSWERS.read_text(encoding="utf-8")
    for old, now in (
        ("return y, (x, scale, mean, rstd)", "return y, ((x - mean) * rstd, scale, rstd)"),
        ("x, scale, mean, rstd = residuals  # not x_hat: one product makes it again", "x_hat, scale, rstd = residuals"),
        ("    x_hat = (x - mean) * rstd\n    scale_bar", "    scale_bar"),
    ):
        assert text.count(old) == 1
        text = text.replace(old, now)
    (tmp_path / "work.py").write_text(text, encoding="utf-8")
    found = verdict("layer_norm", Submission.read(tmp_path / "work.py"))
    assert found.status is Status.COSTLY
    assert f"{2 * BATCH * 8} are enough" in " ".join(found.lines)
