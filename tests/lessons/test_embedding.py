"""What answers to `embedding` must meet: repeated ids add, both uses count, few rows move, and the exam paper."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import course
from course.comparison.compiled import QUICK
from course.comparison.counting import count
from course.comparison.residuals import residual_bytes
from course.exercises import find_exercise
from course.grading import judge
from course.grading.submission import Submission
from course.lessons.embedding import PADDING, sgd_rows, tied_model
from course.records import Feedback, Status
from solutions.embedding import (
    embed_bwd,
    embed_fwd,
    embed_padded_bwd,
    embed_padded_fwd,
    readout_bwd,
    readout_fwd,
    sparse_sgd,
    tied_model_bwd,
    tied_model_fwd,
)

LESSON = "embedding"
BATCH, SEQ, VOCAB, WIDTH, LONGEST = 3, 4, 9, 5, 6


@pytest.fixture(autouse=True)
def _float64():
    with jax.enable_x64(True):
        yield


def drawn(*shape, seed):
    return np.random.default_rng(seed).standard_normal(shape)


TABLE, POSITIONS, W = drawn(VOCAB, WIDTH, seed=0), drawn(LONGEST, WIDTH, seed=1), drawn(WIDTH, WIDTH, seed=2)
Y_BAR, LOGITS_BAR = drawn(BATCH, SEQ, WIDTH, seed=3), drawn(BATCH, SEQ, VOCAB, seed=4)
IDS = np.array([[2, 7, 2, 0], [2, 2, 5, 0], [7, 2, 0, 0]])


@partial(jax.jit, static_argnums=(0, 1), compiler_options=QUICK)
def pulled(fwd, bwd, y_bar, *primals):
    """The cotangents for a cotangent of the value."""
    _, residuals = fwd(*primals)
    return bwd(residuals, y_bar)


def by_loop(rows_bar):
    """What comes back to a table, token after token, in NumPy."""
    table_bar = np.zeros_like(TABLE)
    for row, bar in zip(IDS.ravel(), rows_bar.reshape(-1, WIDTH), strict=True):
        table_bar[row] += bar
    return table_bar


def test_what_comes_back_to_a_row_is_the_sum_over_its_picks_and_nothing_for_rows_nobody_picked():
    table_bar, positions_bar, nothing = pulled(embed_fwd, embed_bwd, Y_BAR, TABLE, POSITIONS, IDS)
    assert nothing is None
    np.testing.assert_allclose(table_bar, by_loop(Y_BAR), rtol=1e-12)
    assert not np.any(np.delete(table_bar, np.unique(IDS), axis=0))
    np.testing.assert_allclose(positions_bar[:SEQ], Y_BAR.sum(axis=0), rtol=1e-12)
    assert not np.any(positions_bar[SEQ:])


def test_padding_leaves_no_trace():
    table_bar, _ = pulled(embed_padded_fwd, embed_padded_bwd, Y_BAR, TABLE, IDS)
    right = by_loop(Y_BAR)
    right[PADDING] = 0
    np.testing.assert_allclose(table_bar, right, rtol=1e-12)


def test_the_tied_table_gets_the_sum_of_what_two_tables_would_get():
    table_bar, w_bar, _ = pulled(tied_model_fwd, tied_model_bwd, LOGITS_BAR, TABLE, W, IDS)
    x, rows = TABLE[IDS].reshape(-1, WIDTH), LOGITS_BAR.reshape(-1, VOCAB)
    by_readout, by_picks = rows.T @ (x @ W), by_loop(rows @ TABLE @ W.T)
    np.testing.assert_allclose(table_bar, by_readout + by_picks, rtol=1e-9)
    np.testing.assert_allclose(w_bar, x.T @ (rows @ TABLE), rtol=1e-9)
    assert np.all(np.any(by_readout, axis=1))  # no row is left out
    assert np.any(by_picks, axis=1).sum() == len(np.unique(IDS))


def test_steps_on_picked_rows_are_those_of_the_whole_gradient_and_touch_no_other():
    after = np.asarray(sparse_sgd(jnp.asarray(TABLE), jnp.asarray(IDS), jnp.asarray(Y_BAR), 0.1))
    np.testing.assert_allclose(after, TABLE - 0.1 * by_loop(Y_BAR), rtol=1e-12)
    np.testing.assert_allclose(
        after, sgd_rows(jnp.asarray(TABLE), jnp.asarray(IDS), jnp.asarray(Y_BAR), 0.1), rtol=1e-12
    )
    others = np.delete(np.arange(VOCAB), np.unique(IDS))
    np.testing.assert_array_equal(after[others], TABLE[others])


def test_of_four_optimisers_gradient_descent_alone_leaves_a_row_with_a_gradient_of_zero():
    params, kinds = np.ones(2), (optax.sgd(0.1), optax.sgd(0.1, 0.9), optax.adam(0.1), optax.adamw(0.1))
    moved = []
    for kind in kinds:
        state = kind.init(params)
        _, state = kind.update(np.ones(2), state, params)
        updates, _ = kind.update(np.array([1.0, 0.0]), state, params)
        moved.append(bool(updates[1]))
    assert moved == [False, True, True, True]


def test_scatter_costs_an_addition_a_number_and_one_hot_rows_a_product_with_the_vocabulary():
    table, ids = jax.ShapeDtypeStruct((50_000, 64), jnp.float32), jax.ShapeDtypeStruct((8, 128), jnp.int32)
    x_bar = jax.ShapeDtypeStruct((8, 128, 64), jnp.float32)
    scatter = count(lambda table, ids, x_bar: jnp.zeros_like(table).at[ids].add(x_bar), table, ids, x_bar)
    one_hot = count(lambda ids, x_bar: jnp.einsum("ntv,ntk->vk", jax.nn.one_hot(ids, 50_000), x_bar), ids, x_bar)
    product, additions = find_exercise(f"{LESSON}.q1").task.compute()
    assert (scatter.dot_flops, one_hot.dot_flops) == (0, product)
    assert additions <= scatter.flops <= 5 * additions


def test_the_readout_keeps_nothing_and_the_tied_model_one_array():
    x, table = jax.ShapeDtypeStruct((8, 128, 64), jnp.float32), jax.ShapeDtypeStruct((1000, 64), jnp.float32)
    w, ids = jax.ShapeDtypeStruct((64, 64), jnp.float32), jax.ShapeDtypeStruct((8, 128), jnp.int32)
    assert residual_bytes(readout_fwd, x, table) == 0
    assert residual_bytes(tied_model_fwd, table, w, ids) == 8 * 128 * 64 * 4


def test_it_runs_as_a_custom_vjp_of_jax():
    by_hand = course.as_jax(tied_model_fwd, tied_model_bwd)

    @partial(jax.jit, static_argnums=0, compiler_options=QUICK)
    def gradients(model, table, w):
        return jax.grad(lambda table, w: (model(table, w, jnp.asarray(IDS)) * LOGITS_BAR).sum(), argnums=(0, 1))(
            table, w
        )

    for ours, theirs in zip(gradients(by_hand, TABLE, W), gradients(tied_model, TABLE, W), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9)


def test_the_readout_is_its_own_oracle_in_both_arguments():
    """It is linear in each: so <x_bar, x> = <logits_bar, logits> = <table_bar, table>."""
    x_bar, table_bar = pulled(readout_fwd, readout_bwd, LOGITS_BAR, Y_BAR, TABLE)
    value = (LOGITS_BAR * (Y_BAR @ TABLE.T)).sum()
    np.testing.assert_allclose([(x_bar * Y_BAR).sum(), (table_bar * TABLE).sum()], [value, value], rtol=1e-9)


# The exam paper.


def verdict(name, submission):
    return judge(find_exercise(f"{LESSON}.{name}"), submission, feedback=Feedback.NAME, example=False)


def test_one_hot_rows_are_right_but_costly():
    def by_product(residuals, y_bar):
        table, positions, ids = residuals
        table_bar = jnp.einsum("ntv,ntk->vk", jax.nn.one_hot(ids, len(table), dtype=y_bar.dtype), y_bar)
        return table_bar, jnp.zeros_like(positions).at[: ids.shape[1]].set(y_bar.sum(axis=0)), None

    found = verdict("embed", Submission.of(embed_fwd=embed_fwd, embed_bwd=by_product))
    assert found.status is Status.COSTLY
    assert "matrix products" in " ".join(found.lines)
