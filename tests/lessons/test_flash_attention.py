"""What answers to `flash_attention` must meet: parts that add up, weights from lse alone, memory linear in length."""

import math
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import course
from course.comparison.compiled import QUICK
from course.comparison.counting import count
from course.comparison.residuals import residual_bytes, vjp_residual_bytes
from course.exercises import find_exercise
from course.grading import judge
from course.grading.submission import Submission
from course.lessons.attention import attend, causal
from course.lessons.flash_attention import Part, all_seen, causal_attend, in_a_row, nothing, seen, visits
from course.records import Feedback, Status
from solutions.flash_attention import (
    attend_all_bwd,
    attend_all_fwd,
    attend_tile_bwd,
    attend_tile_fwd,
    causal_attend_bwd,
    causal_attend_fwd,
    merge,
    multi_query_bwd,
    multi_query_fwd,
)

LESSON = "flash_attention"
TILES, TILE, WIDTH = 4, 3, 5
SEQ = TILES * TILE


@pytest.fixture(autouse=True)
def _float64():
    with jax.enable_x64(True):
        yield


def drawn(*shape, seed):
    return np.random.default_rng(seed).standard_normal(shape)


Q, K, V, Y_BAR = (drawn(TILES, TILE, WIDTH, seed=seed) for seed in range(4))


@partial(jax.jit, static_argnums=(0, 1), compiler_options=QUICK)
def pulled(fwd, bwd, y_bar, *primals):
    """The value, and the cotangents for a cotangent of it."""
    y, residuals = fwd(*primals)
    return y, bwd(residuals, y_bar)


def a_part(keys):
    """What NumPy makes of some keys of one long row, for the queries of the first tile."""
    scores = Q[0] @ K.reshape(SEQ, WIDTH)[keys].T / math.sqrt(WIDTH)
    powers = np.exp(scores)
    total = powers.sum(axis=1, keepdims=True)
    return Part(jnp.asarray(powers @ V.reshape(SEQ, WIDTH)[keys] / total), jnp.asarray(np.log(total)))


def test_parts_merged_in_any_order_and_grouping_are_the_whole_row():
    whole = a_part(slice(None))
    one, two, three = a_part(slice(0, 2)), a_part(slice(2, 7)), a_part(slice(7, None))
    for found in (merge(merge(one, two), three), merge(three, merge(two, one)), merge(nothing(whole.y), whole)):
        for array, right in zip(found, whole, strict=True):
            np.testing.assert_allclose(array, right, rtol=1e-12)


def test_one_number_a_row_gives_its_weights_again():
    mask = causal(TILE)
    _, (*_, lse) = attend_tile_fwd(jnp.asarray(Q[1]), jnp.asarray(K[1]), jnp.asarray(V[1]), mask)
    weights = np.exp(np.where(mask, Q[1] @ K[1].T / math.sqrt(WIDTH), -np.inf) - lse)
    np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=1e-12)
    np.testing.assert_allclose(weights[0], [1, 0, 0], rtol=1e-12)


@pytest.mark.parametrize("tile", [2, 6])
def test_where_the_cuts_are_makes_no_difference(tile):
    y, bars = pulled(causal_attend_fwd, causal_attend_bwd, Y_BAR, Q, K, V)
    again, others = pulled(
        causal_attend_fwd, causal_attend_bwd, *(array.reshape(-1, tile, WIDTH) for array in (Y_BAR, Q, K, V))
    )
    for array, other in zip((y, *bars), (again, *others), strict=True):
        np.testing.assert_allclose(in_a_row(array), in_a_row(other), rtol=1e-9, atol=1e-12)


def test_nothing_later_is_heard_of_and_nothing_earlier_gets_anything_of_it():
    early = jnp.asarray(Y_BAR).at[2:].set(0)
    y, bars = pulled(causal_attend_fwd, causal_attend_bwd, early, Q, K, V)
    for bar in bars:
        assert np.any(bar[1])
        assert not np.any(bar[2:])
    later = (np.arange(TILES) > 1)[:, None, None]
    other, _ = pulled(causal_attend_fwd, causal_attend_bwd, early, Q, K + 9 * later, V - 9 * later)
    np.testing.assert_array_equal(other[:2], y[:2])


def test_heads_that_share_their_keys_send_them_the_sum():
    heads = jnp.stack([Q[0], Q[1]])
    y, (q_bar, k_bar, v_bar) = pulled(multi_query_fwd, multi_query_bwd, jnp.stack([Y_BAR[0], Y_BAR[1]]), heads, K, V)
    each = [pulled(attend_all_fwd, attend_all_bwd, Y_BAR[head], Q[head], K, V) for head in (0, 1)]
    np.testing.assert_allclose(y, [one for one, _ in each], rtol=1e-12)
    np.testing.assert_allclose(q_bar, [bars[0] for _, bars in each], rtol=1e-9)
    np.testing.assert_allclose(k_bar, each[0][1][1] + each[1][1][1], rtol=1e-9)
    np.testing.assert_allclose(v_bar, each[0][1][2] + each[1][1][2], rtol=1e-9)


# Memory and FLOPs, counted and not run.


def in_tiles(seq, tile=128, width=64):
    return jax.ShapeDtypeStruct((seq // tile, tile, width), jnp.float32)


def by_hand(y_bar, q, k, v):
    y, residuals = causal_attend_fwd(q, k, v)
    return y, causal_attend_bwd(residuals, y_bar)


def by_jax(y_bar, q, k, v):
    y, pullback = jax.vjp(causal_attend, q, k, v)
    return y, pullback(y_bar)


def test_twice_the_length_keeps_twice_the_bytes_by_hand_and_four_times_by_jax():
    some, twice = ([in_tiles(seq)] * 3 for seq in (1024, 2048))
    assert residual_bytes(causal_attend_fwd, *some) == 1024 * (64 + 1) * 4
    assert residual_bytes(causal_attend_fwd, *twice) == 2 * residual_bytes(causal_attend_fwd, *some)
    assert vjp_residual_bytes(causal_attend, *twice) > 3.9 * vjp_residual_bytes(causal_attend, *some)


def test_no_array_with_a_number_for_each_pair_is_ever_alive():
    peaks = [count(by_hand, *[in_tiles(seq)] * 4).peak_bytes for seq in (2048, 4096)]
    assert peaks[1] < 2 * peaks[0]
    assert peaks[1] < 4096**2 * 4 / 4
    assert count(by_jax, *[in_tiles(2048)] * 4).peak_bytes > 3 * 2048**2 * 4


def test_what_the_compiler_sets_aside_is_less_than_one_array_with_a_number_for_each_pair():
    compiled = jax.jit(by_hand, compiler_options=QUICK).lower(*[in_tiles(2048)] * 4).compile()
    assert compiled.memory_analysis().temp_size_in_bytes < 2048**2 * 4 / 4


def test_a_product_more_and_fewer_than_half_of_the_tiles():
    whole, ours = (count(way, *[in_tiles(2048)] * 4).dot_flops for way in (by_jax, by_hand))
    assert len(visits(16)[0]) == 136
    assert ours * 6 * 16**2 == whole * 7 * 136


def in_one_loop(q, k, v, *, checkpointed=False):
    """The taught forward pass of all keys, as a function for JAX to differentiate."""
    mask = all_seen(len(q), k.shape[1])

    def look(part, tile):
        y, (*_, lse) = attend_tile_fwd(q, *tile, mask)
        return merge(part, Part(y, lse)), None

    return jax.lax.scan(jax.checkpoint(look) if checkpointed else look, nothing(q), (k, v))[0].y


def test_jax_keeps_all_pairs_of_a_forward_pass_in_tiles_and_what_was_carried_with_checkpoints():
    q, k = jax.ShapeDtypeStruct((2048, 64), jnp.float32), in_tiles(2048)
    pairs, carried = 2048**2 * 4, 2048 * 64 * 4 * 16
    assert vjp_residual_bytes(in_one_loop, q, k, k) > pairs
    assert carried <= vjp_residual_bytes(partial(in_one_loop, checkpointed=True), q, k, k) < 1.2 * carried
    assert residual_bytes(attend_all_fwd, q, k, k) < 1.1 * carried / 16


def test_it_runs_as_a_custom_vjp_of_jax_for_many_heads_in_float32():
    """The heads of a layer, as in `attention`: batch and heads are mapped over, tiles are cut from the sequence."""
    tiled = jax.vmap(jax.vmap(course.as_jax(causal_attend_fwd, causal_attend_bwd)))
    plain = jax.vmap(jax.vmap(lambda q, k, v: attend(q, k, v, causal(SEQ))))

    @partial(jax.jit, compiler_options=QUICK)
    def gradients(q, k, v, out_bar):
        def cut(x):
            return x.reshape(*x.shape[:2], TILES, TILE, WIDTH)

        def loss(q, k, v, layer):
            return (layer(q, k, v).reshape(out_bar.shape) * out_bar).sum()

        by_tiles = jax.grad(lambda *qkv: loss(*map(cut, qkv), tiled), argnums=(0, 1, 2))(q, k, v)
        return by_tiles, jax.grad(lambda *qkv: loss(*qkv, plain), argnums=(0, 1, 2))(q, k, v)

    arrays = [jnp.asarray(drawn(2, 2, SEQ, WIDTH, seed=seed), jnp.float32) for seed in range(4)]
    for ours, theirs in zip(*gradients(*arrays), strict=True):
        assert ours.dtype == jnp.float32
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-5)


# The exam paper.


def verdict(name, submission):
    return judge(find_exercise(f"{LESSON}.{name}"), submission, feedback=Feedback.NAME, example=False)


def test_a_tile_that_keeps_its_weights_is_right_but_costly():
    def keeps(q, k, v, mask):
        y, residuals = attend_tile_fwd(q, k, v, mask)
        return y, (*residuals, jnp.exp(jnp.where(mask, q @ k.T / math.sqrt(q.shape[1]), -jnp.inf) - residuals[-1]))

    def takes(residuals, y_bar):
        *others, weights = residuals
        bars = attend_tile_bwd(tuple(others), y_bar)
        return (*bars[:2], weights.T @ y_bar, None)

    found = verdict("attend_tile", Submission.of(attend_tile_fwd=keeps, attend_tile_bwd=takes))
    assert found.status is Status.COSTLY


def test_all_keys_at_once_on_the_way_back_are_right_but_costly_though_nothing_is_kept():
    def at_once(residuals, y_bar):
        q, k, v, y, lse = residuals
        mask = all_seen(len(q), k.shape[0] * k.shape[1])
        q_bar, k_bar, v_bar, _ = attend_tile_bwd((q, in_a_row(k), in_a_row(v), mask, y, lse), y_bar)
        return q_bar, k_bar.reshape(k.shape), v_bar.reshape(v.shape)

    found = verdict("attend_all", Submission.of(merge=merge, attend_all_fwd=attend_all_fwd, attend_all_bwd=at_once))
    assert found.status is Status.COSTLY
    assert "bytes at once" in " ".join(found.lines)


def test_visits_to_all_tiles_are_right_but_costly():
    def everywhere(residuals, y_bar):
        q, k, v, y, lse = residuals
        rows, columns = np.indices((len(q), len(q))).reshape(2, -1)

        def visit(bars, at):
            row, column = at
            mask = (row >= column) & seen(row, column, q.shape[1])
            q_bar, k_bar, v_bar, _ = attend_tile_bwd((q[row], k[column], v[column], mask, y[row], lse[row]), y_bar[row])
            return (bars[0].at[row].add(q_bar), bars[1].at[column].add(k_bar), bars[2].at[column].add(v_bar)), None

        return jax.lax.scan(visit, (0 * q, 0 * k, 0 * v), (rows, columns))[0]

    found = verdict("causal_attend", Submission.of(causal_attend_fwd=causal_attend_fwd, causal_attend_bwd=everywhere))
    assert found.status is Status.COSTLY
    assert "FLOPs of jax.vjp" in " ".join(found.lines)
