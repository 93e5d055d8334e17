"""What answers to `skip_connections` must meet: the path that stays, a hundred layers, coins of one key, the paper."""

from functools import cache, partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import course
from course.comparison.compiled import QUICK
from course.comparison.residuals import residual_bytes
from course.exercises import find_exercise
from course.grading import judge
from course.grading.submission import Submission
from course.lessons.linear_and_activations import relu
from course.lessons.skip_connections import (
    coins,
    dropout,
    gradient_norms,
    post_norm_block,
    pre_norm_block,
    skip_block,
    skip_stack,
    stochastic_depth,
)
from course.records import Feedback, Status
from solutions.skip_connections import (
    dropout_bwd,
    dropout_fwd,
    post_norm_block_bwd,
    post_norm_block_fwd,
    pre_norm_block_bwd,
    pre_norm_block_fwd,
    skip_block_bwd,
    skip_block_fwd,
    skip_stack_bwd,
    skip_stack_fwd,
    stochastic_depth_bwd,
    stochastic_depth_fwd,
)

LESSON = "skip_connections"
LAYERS, WIDTH, BATCH = 100, 32, 8
RATE = 0.25


@pytest.fixture(autouse=True)
def _float64():
    with jax.enable_x64(True):
        yield


def drawn(*shape, seed):
    return np.random.default_rng(seed).standard_normal(shape)


X, Y_BAR = drawn(BATCH, WIDTH, seed=0), drawn(BATCH, WIDTH, seed=1)
WS = drawn(LAYERS, WIDTH, WIDTH, seed=2) / WIDTH**0.5
ONES = np.ones(WIDTH)


@partial(jax.jit, static_argnums=(0, 1), compiler_options=QUICK)
def pulled(fwd, bwd, *primals):
    """The value, and the cotangents for Y_BAR."""
    y, residuals = fwd(*primals)
    return y, bwd(residuals, jnp.asarray(Y_BAR))


# The path that stays.


def test_with_branches_of_zero_y_bar_arrives_as_it_is_unless_a_norm_stands_on_everything():
    nothing = 0 * WS[0]
    _, (over_skip, _) = pulled(skip_block_fwd, skip_block_bwd, X, nothing)
    _, (over_pre_norm, _, _) = pulled(pre_norm_block_fwd, pre_norm_block_bwd, X, ONES, nothing)
    np.testing.assert_array_equal(over_skip, Y_BAR)
    np.testing.assert_array_equal(over_pre_norm, Y_BAR)
    _, (over_post_norm, _, _) = pulled(post_norm_block_fwd, post_norm_block_bwd, X, ONES, nothing)
    assert np.abs(over_post_norm - Y_BAR).max() > 0.1


def test_over_a_hundred_blocks_all_of_y_bar_arrives_beside_what_branches_add():
    silent = 0 * WS
    _, (x_bar, w_bar) = pulled(skip_stack_fwd, skip_stack_bwd, X, silent)
    np.testing.assert_array_equal(x_bar, Y_BAR)
    assert not np.any(w_bar)  # relu'(0) = 0


@partial(jax.jit, compiler_options=QUICK)
def both_ways(x, w, y_bar):
    y, residuals = skip_stack_fwd(x, w)
    right, pullback = jax.vjp(skip_stack, x, w)
    return (y, *skip_stack_bwd(residuals, y_bar)), (right, *pullback(y_bar))


def test_the_stack_s_pair_is_jax_s_at_a_hundred_layers():
    for ours, theirs in zip(*both_ways(X, 0.3 * WS, Y_BAR), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)


# A hundred layers of each kind.

BLOCKS = {
    "plain": lambda h, w: relu(h @ w),
    "skip": skip_block,
    "pre": lambda h, w: pre_norm_block(h, jnp.asarray(ONES), w),
    "post": lambda h, w: post_norm_block(h, jnp.asarray(ONES), w),
}


@cache
def first_over_last():
    """The gradient's norm at the first layer over that at the last, in weights of variance 1 / width."""

    @partial(jax.jit, compiler_options=QUICK)
    def norms(x, w, y_bar):
        return {name: gradient_norms(block, x, w, y_bar) for name, block in BLOCKS.items()}

    with jax.enable_x64(True):
        return {name: float(by_layer[0] / by_layer[-1]) for name, by_layer in norms(X, WS, Y_BAR).items()}


def test_plain_relus_lose_all_of_it_and_bare_skip_connections_blow_it_up():
    assert first_over_last()["plain"] < 1e-12
    assert first_over_last()["skip"] > 1e12


def test_a_norm_on_every_branch_keeps_it_and_a_norm_on_everything_loses_it():
    assert 0.3 < first_over_last()["pre"] < 10
    assert first_over_last()["post"] < 1e-5


# Coins.


KEY, OTHER = (lambda: jax.random.key(3)), (lambda: jax.random.key(4))


def test_one_key_gives_the_same_coins_every_time_and_another_key_others():
    one, again, other = (np.asarray(coins(key(), RATE, X.shape)) for key in (KEY, KEY, OTHER))
    np.testing.assert_array_equal(one, again)
    assert np.any(one != other)


def test_x_bar_is_zero_where_y_is_zero_and_enlarged_elsewhere():
    y, (_, x_bar, _) = pulled(dropout_fwd, dropout_bwd, KEY(), X, RATE)
    kept = np.asarray(coins(KEY(), RATE, X.shape))
    np.testing.assert_array_equal(np.asarray(y) == 0, ~kept)
    np.testing.assert_allclose(x_bar, np.where(kept, Y_BAR / 0.75, 0), rtol=1e-12)


def test_over_many_keys_a_1_stays_1_with_a_variance_of_rate_over_what_is_left():
    many = jax.vmap(lambda key: dropout(key, jnp.ones((BATCH, WIDTH)), RATE))(jax.random.split(KEY(), 200))
    numbers = np.asarray(many).ravel()
    np.testing.assert_allclose(numbers.mean(), 1, atol=5 * (RATE / 0.75 / numbers.size) ** 0.5)
    np.testing.assert_allclose(numbers.var(), RATE / 0.75, rtol=0.05)


def test_at_a_rate_of_0_as_in_evaluation_dropout_does_nothing():
    np.testing.assert_array_equal(dropout(KEY(), jnp.asarray(X), 0.0), X)


def test_a_row_whose_branch_is_dropped_is_x_and_gets_y_bar():
    y, (_, x_bar, _, _) = pulled(stochastic_depth_fwd, stochastic_depth_bwd, KEY(), X, WS[0], RATE)
    kept = np.asarray(coins(KEY(), RATE, (BATCH, 1)))[:, 0]
    assert 0 < kept.sum() < BATCH
    np.testing.assert_array_equal(np.asarray(y)[~kept], X[~kept])
    np.testing.assert_array_equal(np.asarray(x_bar)[~kept], Y_BAR[~kept])
    np.testing.assert_allclose(np.asarray(y)[kept], (X + np.maximum(X @ WS[0], 0) / 0.75)[kept], rtol=1e-12)


def test_dropped_rows_leave_no_trace_in_w_bar():
    _, (_, _, w_bar, _) = pulled(stochastic_depth_fwd, stochastic_depth_bwd, KEY(), X, WS[0], RATE)
    kept = np.asarray(coins(KEY(), RATE, (BATCH, 1)))[:, 0]
    switched = (X @ WS[0] > 0) * Y_BAR / 0.75
    np.testing.assert_allclose(w_bar, X[kept].T @ switched[kept], rtol=1e-9, atol=1e-12)


def test_dropout_keeps_a_byte_a_number_and_the_stack_five():
    x, ws = jax.ShapeDtypeStruct((32, 768), jnp.float32), jax.ShapeDtypeStruct((12, 768, 768), jnp.float32)
    assert residual_bytes(dropout_fwd, KEY(), x, 0.1) == 32 * 768
    assert residual_bytes(skip_stack_fwd, x, ws) == 12 * 32 * 768 * 5


def test_it_runs_as_a_custom_vjp_of_jax_with_a_key_among_its_arguments():
    by_hand = course.as_jax(stochastic_depth_fwd, stochastic_depth_bwd)

    def gradients(block):
        return jax.jit(jax.grad(lambda x, w: (block(KEY(), x, w, RATE) * Y_BAR).sum(), argnums=(0, 1)))(X, WS[0])

    for ours, theirs in zip(gradients(by_hand), gradients(stochastic_depth), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)


# The exam paper.


def verdict(name, submission):
    return judge(find_exercise(f"{LESSON}.{name}"), submission, feedback=Feedback.NAME, example=False)


def test_coins_kept_as_numbers_are_right_but_costly_and_drawn_again_from_the_key_they_cost_nothing():
    def as_numbers(key, x, rate):
        kept = coins(key, rate, x.shape) / (1 - rate)
        return x * kept, kept

    def by_numbers(kept, y_bar):
        return None, y_bar * kept, None

    found = verdict("dropout", Submission.of(dropout_fwd=as_numbers, dropout_bwd=by_numbers))
    assert found.status is Status.COSTLY
    assert "bytes for backward; 35 are enough" in " ".join(found.lines)

    def as_key(key, x, rate):
        return dropout(key, x, rate), (key, rate)

    def by_key(residuals, y_bar):
        key, rate = residuals
        return None, dropout(key, y_bar, rate), None

    assert verdict("dropout", Submission.of(dropout_fwd=as_key, dropout_bwd=by_key)).status is Status.RIGHT


def test_a_mistake_with_coins_is_shown_with_the_coins_and_without_the_key():
    task = find_exercise(f"{LESSON}.q4").task
    for draw in range(20):
        picked = task.pick(draw)
        assert "key" not in picked.shown.inputs
        assert ("kept" in picked.shown.inputs) == (picked.source.name != "skip_block_bwd")
        assert len(picked.options) == 4
