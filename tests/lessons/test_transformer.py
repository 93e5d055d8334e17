"""What answers to `transformer` must meet: the whole pass against JAX, whom a loss asks, parts of a batch, sizes."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from course.comparison.compiled import QUICK
from course.comparison.residuals import residual_bytes, vjp_residual_bytes
from course.exercises import find_exercise
from course.exercises.tasks.question import Number
from course.lessons.attention import Attention
from course.lessons.losses import IGNORED
from course.lessons.transformer import Bigram, Block, FeedForward, Gpt, Norm, bigram, block, gpt_loss
from solutions.transformer import (
    accumulate,
    block_bwd,
    block_fwd,
    gpt_loss_bwd,
    gpt_loss_fwd,
)

VOCAB, BATCH, SEQ, D_MODEL, HEADS, D_HIDDEN = 7, 2, 4, 6, 2, 5


@pytest.fixture(autouse=True)
def _float64():
    with jax.enable_x64(True):
        yield


RANDOM = np.random.default_rng(0)


def drawn(*shape):
    return RANDOM.standard_normal(shape) / shape[0] ** 0.5


def drawn_norm():
    return Norm(1 + 0.3 * drawn(D_MODEL), drawn(D_MODEL))


def drawn_block():
    attention = Attention(drawn(D_MODEL, 3, HEADS, 3), drawn(HEADS, 3, D_MODEL))
    mlp = FeedForward(drawn(D_MODEL, D_HIDDEN), drawn(D_HIDDEN), drawn(D_HIDDEN, D_MODEL), drawn(D_MODEL))
    return Block(drawn_norm(), attention, drawn_norm(), mlp)


PARAMS = Gpt(drawn(VOCAB, D_MODEL), drawn(SEQ + 1, D_MODEL), [drawn_block() for _ in range(2)], drawn_norm())
IDS, LABELS = RANDOM.integers(0, VOCAB - 1, (BATCH, SEQ)), RANDOM.integers(0, VOCAB, (BATCH, SEQ))


@partial(jax.jit, compiler_options=QUICK)
def by_hand(params, ids, labels):
    loss, residuals = gpt_loss_fwd(params, ids, labels)
    return loss, gpt_loss_bwd(residuals, jnp.ones_like(loss))[0]


by_jax = jax.jit(jax.value_and_grad(gpt_loss), compiler_options=QUICK)


def test_a_whole_language_model_s_gradient_is_jax_s_leaf_by_leaf():
    labels = np.where(np.arange(SEQ) == 1, IGNORED, LABELS)
    (loss, gradient), (right_loss, right) = by_hand(PARAMS, IDS, labels), by_jax(PARAMS, IDS, labels)
    np.testing.assert_allclose(loss, right_loss, rtol=1e-13)
    assert jax.tree.structure(gradient) == jax.tree.structure(right)
    for ours, theirs in zip(jax.tree.leaves(gradient), jax.tree.leaves(right), strict=True):
        assert np.linalg.norm(ours - theirs) < 1e-13 * np.linalg.norm(theirs)


def test_the_gradient_is_the_loss_s_slope_along_a_line():
    along = jax.tree.map(lambda leaf: RANDOM.standard_normal(leaf.shape), PARAMS)
    step = 1e-5
    ahead, behind = (
        by_hand(jax.tree.map(lambda leaf, way, s=s: leaf + s * way, PARAMS, along), IDS, LABELS)[0]
        for s in (step, -step)
    )
    _, gradient = by_hand(PARAMS, IDS, LABELS)
    slope = sum(np.vdot(bar, way) for bar, way in zip(jax.tree.leaves(gradient), jax.tree.leaves(along), strict=True))
    np.testing.assert_allclose(slope, (ahead - behind) / (2 * step), rtol=1e-7)


def test_a_token_s_loss_asks_nothing_of_those_after_it():
    of_one = np.where(np.arange(SEQ) == 1, LABELS, IGNORED)
    _, gradient = by_hand(PARAMS, IDS, of_one)
    assert np.all(np.any(gradient.positions[:2], axis=1))
    assert not np.any(gradient.positions[2:])


def test_a_word_that_does_not_occur_gets_something_as_a_readout():
    """All ids are below the last, which can only be said."""
    _, gradient = by_hand(PARAMS, IDS, LABELS)
    assert np.any(gradient.table[VOCAB - 1])


def test_a_block_whose_branches_give_nothing_hands_its_cotangent_on():
    silent = drawn_block()
    silent = silent._replace(
        attention=silent.attention._replace(w_out=np.zeros((HEADS, 3, D_MODEL))),
        mlp=silent.mlp._replace(w_out=np.zeros((D_HIDDEN, D_MODEL)), b_out=np.zeros(D_MODEL)),
    )
    x, y_bar = drawn(BATCH, SEQ, D_MODEL), drawn(BATCH, SEQ, D_MODEL)

    @partial(jax.jit, compiler_options=QUICK)
    def pulled(params, x, y_bar):
        y, residuals = block_fwd(params, x)
        return y, block_bwd(residuals, y_bar)[1]

    y, x_bar = pulled(silent, x, y_bar)
    np.testing.assert_array_equal(y, x)
    np.testing.assert_array_equal(x_bar, y_bar)


def test_less_than_two_thirds_of_what_jax_keeps_of_a_block_is_kept():
    shapes = Block(
        Norm(*[jax.ShapeDtypeStruct((128,), jnp.float32)] * 2),
        Attention(jax.ShapeDtypeStruct((128, 3, 4, 32), jnp.float32), jax.ShapeDtypeStruct((4, 32, 128), jnp.float32)),
        Norm(*[jax.ShapeDtypeStruct((128,), jnp.float32)] * 2),
        FeedForward(
            jax.ShapeDtypeStruct((128, 512), jnp.float32),
            jax.ShapeDtypeStruct((512,), jnp.float32),
            jax.ShapeDtypeStruct((512, 128), jnp.float32),
            jax.ShapeDtypeStruct((128,), jnp.float32),
        ),
    )
    x = jax.ShapeDtypeStruct((8, 128, 128), jnp.float32)
    assert residual_bytes(block_fwd, shapes, x) < vjp_residual_bytes(block, shapes, x) * 2 / 3


def test_unequal_parts_make_the_whole_batch_and_the_mean_of_means_does_not():
    params = jax.tree.map(jnp.asarray, Bigram(drawn(VOCAB, VOCAB), drawn(VOCAB)))
    ids, labels = (RANDOM.integers(0, VOCAB, (3, BATCH, SEQ)) for _ in range(2))
    labels[0] = IGNORED
    labels[1, :, 1:] = IGNORED
    ids, labels = jnp.asarray(ids), jnp.asarray(labels)
    parts = [bigram(params, *part) for part in zip(ids, labels, strict=True)]
    found = accumulate(bigram, params, ids, labels)
    whole = bigram(params, ids.reshape(-1, SEQ), labels.reshape(-1, SEQ))
    for ours, right in zip(jax.tree.leaves(found), jax.tree.leaves(whole), strict=True):
        np.testing.assert_allclose(ours, right, rtol=1e-12, atol=1e-15)
    assert abs(np.mean([loss for loss, _ in parts]) - whole[0]) > 0.01


def test_the_smallest_gpt_2_has_the_size_that_it_is_known_by():
    task = find_exercise("transformer.q1").task
    assert isinstance(task, Number)
    of_block, in_all = task.compute()
    # A block of GPT-2 has 4 * 768 biases more in its attention; as published: 124,439,808 in all.
    assert round(1e6 * in_all) + 12 * 4 * 768 == 124_439_808
    assert round(1e6 * of_block) == 12 * 768**2 + 9 * 768
