"""What answers to `exploding_gradients` must meet: JAX's and NumPy's numbers, what clipping is for, the paper."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from course.comparison.compiled import QUICK
from course.exercises import find_exercise
from course.exercises.exploding_gradients import FAR_DECAY, FAR_NORM, FAR_RATE, FAR_STEPS, STEEP, how_far
from course.grading import judge
from course.grading.submission import Submission
from course.lessons.exploding_gradients import clip_to_norm, recurrent
from course.records import Feedback, Status
from solutions.exploding_gradients import (
    clip_by_global_norm,
    clip_by_leaf_norm,
    clip_by_value,
    clip_to_norm_bwd,
    clip_to_norm_fwd,
    first_bad_step,
    recurrent_bwd,
    recurrent_fwd,
)

LESSON = "exploding_gradients"
STEPS, WIDTH = 60, 6


@pytest.fixture(autouse=True)
def _float64():
    with jax.enable_x64(True):
        yield


# The recurrent map.


@partial(jax.jit, compiler_options=QUICK)
def both_passes(h, w, x, y_bar):
    """The value and the cotangents, by hand and by JAX."""
    y, residuals = recurrent_fwd(h, w, x)
    right, pullback = jax.vjp(recurrent, h, w, x)
    return (y, *recurrent_bwd(residuals, y_bar)), (right, *pullback(y_bar))


def drawn(scale):
    rng = np.random.default_rng(5)
    w = rng.standard_normal((WIDTH, WIDTH))
    w *= scale / np.abs(np.linalg.eigvals(w)).max()
    return rng.standard_normal((2, WIDTH)), w, rng.standard_normal((STEPS, 2, WIDTH)), rng.standard_normal((2, WIDTH))


@pytest.mark.parametrize("scale", [0.8, 1.2])
def test_the_pair_is_jax_s_and_numpy_s_whether_it_shrinks_or_grows(scale):
    h, w, x, y_bar = drawn(scale)
    ours, theirs = both_passes(h, w, x, y_bar)
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9)
    y = h
    for row in x:
        y = y @ w + row
    np.testing.assert_allclose(ours[0], y, rtol=1e-9)
    np.testing.assert_allclose(ours[1], y_bar @ np.linalg.matrix_power(w.T, STEPS), rtol=1e-9)


@pytest.mark.parametrize("scale", [0.8, 1.2])
def test_the_largest_singular_value_bounds_the_cotangent_and_the_largest_eigenvalue_sets_its_pace(scale):
    h, w, x, y_bar = drawn(scale)
    norms = np.linalg.norm(both_passes(h, w, x, y_bar)[0][3][::-1], axis=(1, 2))
    powers = np.arange(STEPS)
    assert np.all(norms <= 1.000001 * norms[0] * np.linalg.norm(w, 2) ** powers)
    np.testing.assert_allclose(np.log(norms[-1] / norms[20]) / (STEPS - 21), np.log(scale), atol=0.02)


def test_a_number_that_doubles_leaves_float32_after_128_steps_and_its_square_after_64():
    largest = float(np.finfo(np.float32).max)
    assert 2.0**127 < largest < 2.0**128
    assert 4.0**63 < largest < 4.0**64


def test_the_run_of_the_text_is_infinite_at_step_1_and_nan_at_step_3():
    @partial(jax.jit, compiler_options=QUICK)
    def slope(w):
        one = jnp.ones_like(w)
        return jax.value_and_grad(lambda w: 0.5 * (jax.lax.fori_loop(0, 50, lambda _, h: w * h, one) - 1) ** 2)(w)

    w, seen = jnp.float32(1.1), []
    for _ in range(5):
        loss, w_bar = slope(w)
        seen.append([float(w), float(loss), float(w_bar)])
        w = w - jnp.float32(0.0005) * w_bar
    history = dict(zip(("w", "loss", "w_bar"), jnp.array(seen).T, strict=True))
    np.testing.assert_allclose(history["w"][1], -309.5, rtol=1e-3)
    assert first_bad_step(history) == 1
    assert [int(np.argmax(np.isnan(history[name]))) for name in ("w", "loss")] == [3, 3]


def test_the_first_bad_step_of_a_fine_run_is_behind_its_last():
    assert first_bad_step({"loss": jnp.zeros(7), "w": jnp.ones((7, 2, 3))}) == 7


# Clipping.

GRADS = {"w": np.array([[3.0, -0.5, 0.25]]), "b": np.array([4.0])}


def norm_of(tree):
    return float(np.sqrt(sum(np.sum(np.square(leaf)) for leaf in jax.tree.leaves(tree))))


def test_global_clipping_keeps_the_direction_of_all_numbers_and_value_clipping_does_not():
    flat = np.concatenate([leaf.ravel() for leaf in jax.tree.leaves(GRADS)])

    def cosine(tree):
        other = np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(tree)])
        return flat @ other / np.linalg.norm(flat) / np.linalg.norm(other)

    clipped = clip_by_global_norm(GRADS, 2.0)
    np.testing.assert_allclose([norm_of(clipped), cosine(clipped)], [2.0, 1.0], rtol=1e-12)
    assert cosine(clip_by_leaf_norm(GRADS, 1.0)) < 0.999
    assert cosine(clip_by_value(GRADS, 1.0)) < 0.99


@pytest.mark.parametrize("clip", [clip_by_value, clip_by_leaf_norm, clip_by_global_norm])
def test_what_is_short_enough_comes_back_to_the_last_bit_and_zeros_stay_zeros(clip):
    for limit in (norm_of(GRADS), 10.0):
        jax.tree.map(np.testing.assert_array_equal, clip(GRADS, limit), GRADS)
    zeros = jax.tree.map(np.zeros_like, GRADS)
    jax.tree.map(np.testing.assert_array_equal, clip(zeros, 1.0), zeros)


def test_no_clipping_mends_a_nan():
    spoilt = {**GRADS, "b": np.array([np.nan])}
    for clip in (clip_by_value, clip_by_leaf_norm, clip_by_global_norm):
        assert np.isnan(clip(spoilt, 1.0)["b"]).all()


# Its derivative.


def test_above_the_norm_the_jacobian_is_a_projection_times_the_scale():
    g = np.array([3.0, 4.0, 12.0])
    unit = g / 13
    right = 2 / 13 * (np.eye(3) - np.outer(unit, unit))
    residuals = clip_to_norm_fwd(jnp.asarray(g), jnp.asarray(2.0))[1]
    rows = [clip_to_norm_bwd(residuals, row) for row in jnp.eye(3)]
    np.testing.assert_allclose([row[0] for row in rows], right, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose([row[1] for row in rows], unit, rtol=1e-12)


def test_at_the_norm_itself_and_at_zero_all_of_y_bar_goes_through():
    y_bar, max_norm = jnp.array([1.0, -2.0]), jnp.array(5.0)
    backward = jax.jit(lambda g: jax.vjp(clip_to_norm, g, max_norm)[1](y_bar), compiler_options=QUICK)
    for g in (jnp.array([3.0, 4.0]), jnp.zeros(2)):
        ours = clip_to_norm_bwd(clip_to_norm_fwd(g, max_norm)[1], y_bar)
        for found in (ours, backward(g)):
            np.testing.assert_array_equal(found[0], y_bar)
            assert found[1] == 0


# Clipping against decay.


def test_clipping_bounds_every_step_and_with_decay_the_whole_way():
    left = 1 - (1 - FAR_RATE * FAR_DECAY) ** FAR_STEPS
    found = [how_far(clips=clips, decays=decays) for decays in (False, True) for clips in (False, True)]
    right = [
        FAR_STEPS * FAR_RATE * STEEP,
        FAR_STEPS * FAR_RATE * FAR_NORM,
        left * STEEP / FAR_DECAY,
        left * FAR_NORM / FAR_DECAY,
    ]
    np.testing.assert_allclose(found, right, rtol=1e-6)


# The exam paper.


def verdict(name, submission):
    return judge(find_exercise(f"{LESSON}.{name}"), submission, feedback=Feedback.NAME, example=False)


def test_to_keep_what_each_step_added_as_well_is_right_but_costly():
    def fwd(h, w, x):
        y, (w, before) = recurrent_fwd(h, w, x)
        return y, (w, before, before @ w)

    found = verdict("recurrent", Submission.of(recurrent_fwd=fwd, recurrent_bwd=lambda r, y: recurrent_bwd(r[:2], y)))
    assert found.status is Status.COSTLY
    assert "bytes for backward" in " ".join(found.lines)
