"""What answers to `attention` must meet: rows that add up, masks without a trace, heads, turns, and the exam paper."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import course
from course.comparison.compiled import QUICK
from course.comparison.residuals import residual_bytes, vjp_residual_bytes
from course.exercises import find_exercise
from course.grading import judge
from course.grading.submission import Submission
from course.lessons.attention import Attention, attend, causal, rotary, self_attention
from course.records import Feedback, Status
from solutions.attention import (
    attend_bwd,
    attend_fwd,
    rotary_bwd,
    rotary_fwd,
    self_attention_bwd,
    self_attention_fwd,
    softmax_bwd,
    softmax_fwd,
)

LESSON = "attention"
QUERIES, KEYS, WIDTH = 4, 5, 3
BATCH, SEQ, D_MODEL, HEADS = 2, 4, 5, 2


@pytest.fixture(autouse=True)
def _float64():
    with jax.enable_x64(True):
        yield


def drawn(*shape, seed):
    return np.random.default_rng(seed).standard_normal(shape)


Q, K, V, Y_BAR = (
    drawn(QUERIES, WIDTH, seed=0),
    drawn(KEYS, WIDTH, seed=1),
    drawn(KEYS, WIDTH, seed=2),
    drawn(4, 3, seed=3),
)
MASK = np.ones((QUERIES, KEYS), bool)
MASK[:, 3] = False  # a key that nobody sees
MASK[2] = False  # a query that sees nothing
X, OUT_BAR = drawn(BATCH, SEQ, D_MODEL, seed=4), drawn(BATCH, SEQ, D_MODEL, seed=5)
PARAMS = Attention(drawn(D_MODEL, 3, HEADS, WIDTH, seed=6), drawn(HEADS, WIDTH, D_MODEL, seed=7))


@partial(jax.jit, static_argnums=(0, 1), compiler_options=QUICK)
def pulled(fwd, bwd, y_bar, *primals):
    """The value, and the cotangents for a cotangent of it."""
    y, residuals = fwd(*primals)
    return y, bwd(residuals, y_bar)


def test_what_comes_back_to_a_row_of_scores_adds_up_to_nothing_and_is_jacobian_times_cotangent():
    weights, (scores_bar,) = pulled(softmax_fwd, softmax_bwd, drawn(2, 4, seed=8), drawn(2, 4, seed=9))
    np.testing.assert_allclose(np.sum(weights, axis=1), 1, rtol=1e-12)
    np.testing.assert_allclose(np.sum(scores_bar, axis=1), 0, atol=1e-12)  # the same for all of a row changes nothing
    jacobian = np.diag(weights[0]) - np.outer(weights[0], weights[0])
    np.testing.assert_allclose(scores_bar[0], jacobian @ drawn(2, 4, seed=8)[0], rtol=1e-9)


def test_masked_pairs_leave_no_trace():
    y, (q_bar, k_bar, v_bar, nothing) = pulled(attend_fwd, attend_bwd, Y_BAR, Q, K, V, MASK)
    assert nothing is None
    assert not np.any(k_bar[3])
    assert not np.any(v_bar[3])
    assert not np.any(y[2])
    assert not np.any(q_bar[2])
    other_k, other_v = K.copy(), V.copy()
    other_k[3], other_v[3] = 1e3, -1e3
    again, bars = pulled(attend_fwd, attend_bwd, Y_BAR, Q, other_k, other_v, MASK)
    np.testing.assert_array_equal(again, y)
    for bar, changed in zip((q_bar, k_bar, v_bar), bars, strict=False):
        np.testing.assert_array_equal(changed, bar)


def test_one_head_is_numpy_s_softmax_row_by_row():
    y, _ = pulled(attend_fwd, attend_bwd, Y_BAR, Q, K, V, MASK)
    for row in (0, 1, 3):
        seen = MASK[row]
        powers = np.exp(K[seen] @ Q[row] / WIDTH**0.5)
        np.testing.assert_allclose(y[row], powers / powers.sum() @ V[seen], rtol=1e-12)


def test_no_token_hears_of_those_after_it_and_none_gets_anything_from_those_before():
    heard = jnp.asarray(OUT_BAR).at[:, 1:].set(0)  # the loss looks at the first token alone
    y, (_, x_bar) = pulled(self_attention_fwd, self_attention_bwd, heard, PARAMS, X)
    assert np.any(x_bar[:, 0])
    assert not np.any(x_bar[:, 1:])
    later, _ = pulled(self_attention_fwd, self_attention_bwd, heard, PARAMS, X + (np.arange(SEQ) > 1)[:, None])
    np.testing.assert_array_equal(later[:, :2], y[:, :2])


def test_the_layer_is_a_sum_over_heads_of_one_head_each():
    y, _ = pulled(self_attention_fwd, self_attention_bwd, OUT_BAR, PARAMS, X)
    q, k, v = (X @ PARAMS.w_qkv[:, part, 1] for part in range(3))
    without = Attention(PARAMS.w_qkv, PARAMS.w_out * np.array([1.0, 0.0])[:, None, None])
    first, _ = pulled(self_attention_fwd, self_attention_bwd, OUT_BAR, without, X)
    second = jax.vmap(lambda q, k, v: attend(q, k, v, causal(SEQ)))(jnp.asarray(q), jnp.asarray(k), jnp.asarray(v))
    np.testing.assert_allclose(y, first + second @ PARAMS.w_out[1], rtol=1e-9)


def test_turned_products_tell_the_distance_alone_and_turning_back_undoes_it():
    query, key = drawn(6, seed=10), drawn(6, seed=11)
    alike = jnp.asarray(np.tile(query, (7, 1))), jnp.asarray(np.tile(key, (7, 1)))
    products = np.asarray(rotary(alike[0]) @ rotary(alike[1]).T)
    for distance in range(-6, 7):
        along = np.diagonal(products, distance)
        np.testing.assert_allclose(along, along[0], rtol=1e-9)
    y, (x_bar,) = pulled(rotary_fwd, rotary_bwd, rotary(alike[0]), alike[0])
    np.testing.assert_allclose(x_bar, alike[0], rtol=1e-9)
    np.testing.assert_allclose(jnp.linalg.norm(y, axis=1), np.linalg.norm(query), rtol=1e-12)


def test_half_of_what_jax_keeps_is_kept():
    """Of arrays with a number for each two tokens one, in place of three."""
    params = Attention(
        jax.ShapeDtypeStruct((128, 3, 4, 32), jnp.float32), jax.ShapeDtypeStruct((4, 32, 128), jnp.float32)
    )
    x = jax.ShapeDtypeStruct((8, 128, 128), jnp.float32)
    ours, jaxs = residual_bytes(self_attention_fwd, params, x), vjp_residual_bytes(self_attention, params, x)
    pairs = 8 * 4 * 128 * 128 * 4
    assert ours < 2.1 * pairs
    assert ours < 0.5 * jaxs


def test_it_runs_as_a_custom_vjp_of_jax_in_float32():
    by_hand = course.as_jax(self_attention_fwd, self_attention_bwd)

    @partial(jax.jit, static_argnums=0, compiler_options=QUICK)
    def gradients(layer, params, x):
        return jax.grad(lambda params, x: (layer(params, x) * jnp.asarray(OUT_BAR, x.dtype)).sum(), argnums=(0, 1))(
            params, x
        )

    params, x = jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float32), (PARAMS, X))
    both = zip(*(jax.tree.leaves(gradients(layer, params, x)) for layer in (by_hand, self_attention)), strict=True)
    for ours, theirs in both:
        assert ours.dtype == jnp.float32
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-5)


# The exam paper.


def verdict(name, submission):
    return judge(find_exercise(f"{LESSON}.{name}"), submission, feedback=Feedback.NAME, example=False)


def test_scores_kept_beside_weights_are_right_but_costly():
    def keeps_both(scores):
        weights, kept = softmax_fwd(scores)
        return weights, (kept, scores + 0.0)

    def takes_one(residuals, weights_bar):
        return softmax_bwd(residuals[0], weights_bar)

    found = verdict("softmax", Submission.of(softmax_fwd=keeps_both, softmax_bwd=takes_one))
    assert found.status is Status.COSTLY
