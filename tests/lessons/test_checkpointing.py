"""What answers to `checkpointing` must meet: JAX's own, what is held and run again, others' numbers, the exam paper."""

from itertools import pairwise
from math import ceil, log2

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from course.comparison.counting import count
from course.comparison.residuals import residual_bytes
from course.exercises import paper_of, revolve
from course.lessons.checkpointing import Blocks, Streams, reversible_blocks, segmented_layers
from course.lessons.cost_of_backprop import separate_layers
from course.quick_compile import QUICK
from solutions.checkpointing import (
    fewest_steps,
    halved_layers_bwd,
    halved_layers_fwd,
    reversible_blocks_bwd,
    reversible_blocks_fwd,
    segmented_layers_bwd,
    segmented_layers_fwd,
    separate_layers_bwd,
    separate_layers_fwd,
)

LESSON = "checkpointing"
ROWS, WIDTH = 256, 4
"""So many rows that weights are small beside what a layer gives."""

FIX = {"xla_disable_hlo_passes": "cse_barrier_expander"}


def like(*shape):
    return jax.ShapeDtypeStruct(shape, np.float32)


def as_one(fwd, bwd):
    """Forward and backward as one program."""

    def both(ws, x, y_bar):
        y, residuals = fwd(ws, x)
        return y, bwd(residuals, y_bar)

    return both


PLAIN = as_one(separate_layers_fwd, separate_layers_bwd)
SEGMENTED = as_one(segmented_layers_fwd, segmented_layers_bwd)
HALVED = as_one(halved_layers_fwd, halved_layers_bwd)
LAYER = like(ROWS, WIDTH)


def held(program, *shape):
    """The most that is held at once, in arrays of one layer."""
    return count(program, like(*shape, WIDTH, WIDTH), LAYER, LAYER).peak_bytes / (4 * ROWS * WIDTH)


def products(program, *shape):
    """The FLOPs of matrix products, as multiples of forward's."""
    layers = int(np.prod(shape))
    return count(program, like(*shape, WIDTH, WIDTH), LAYER, LAYER).dot_flops / (2 * layers * ROWS * WIDTH**2)


# The same numbers.


def test_all_three_passes_are_one_to_the_last_digits():
    """With as many layers as a power of two, and with some more."""
    with jax.enable_x64(True):
        rng = np.random.default_rng(0)
        ws, x, y_bar = (rng.standard_normal(shape) for shape in ((6, 3, 3), (5, 3), (5, 3)))

        def all_three(ws, x, y_bar):
            by_segments, x_bar = SEGMENTED(ws.reshape(2, 3, 3, 3), x, y_bar)[1]
            theirs = jax.vjp(separate_layers, ws, x)[1](y_bar)
            return theirs, PLAIN(ws, x, y_bar)[1], HALVED(ws, x, y_bar)[1], (by_segments.reshape(ws.shape), x_bar)

        theirs, *ours = jax.jit(all_three, compiler_options=QUICK)(ws, x, y_bar)
        for own in ours:
            for bar, right in zip(own, theirs, strict=True):
                np.testing.assert_allclose(bar, right, rtol=1e-11, atol=1e-13)


# What is held at once, and what it costs.


def test_plain_holds_every_layer_segments_twice_the_root_and_halves_the_logarithm():
    assert pytest.approx((held(PLAIN, 256) - held(PLAIN, 64)) / 192, abs=0.05) == 1
    by_roots = [held(SEGMENTED, root, root) for root in (8, 16)]
    assert pytest.approx(by_roots[1] - by_roots[0], abs=4) == 2 * 8
    for fewer, more in pairwise(held(HALVED, 2**n) for n in (3, 4, 5, 6)):
        assert more - fewer < 2.5
    assert held(HALVED, 64) < held(SEGMENTED, 8, 8) < held(PLAIN, 64)


def test_plain_takes_3_forward_passes_segments_4_and_halves_half_a_pass_more_each_time():
    assert products(PLAIN, 64) == 3
    assert products(SEGMENTED, 8, 8) == products(SEGMENTED, 2, 32) == 4
    for layers in (2, 8, 64):
        assert products(HALVED, layers) == 4 + log2(layers) / 2


def test_one_checkpoint_around_the_whole_saves_nothing_between_and_holds_all():
    def fwd(ws, x):
        return separate_layers(ws, x), (ws, x)

    def bwd(residuals, y_bar):
        return separate_layers_bwd(separate_layers_fwd(*residuals)[1], y_bar)

    assert residual_bytes(fwd, like(64, WIDTH, WIDTH), LAYER) == 0
    assert held(as_one(fwd, bwd), 64) >= held(PLAIN, 64)


def test_our_segments_hold_less_than_jax_s_and_multiply_as_much():
    def by_jax(ws, x, y_bar):
        def network(ws, x):
            return jax.lax.scan(lambda x, ws: (jax.checkpoint(separate_layers)(ws, x), None), x, ws)[0]

        y, pullback = jax.vjp(network, ws, x)
        return y, pullback(y_bar)

    ours, theirs = held(SEGMENTED, 16, 16), held(by_jax, 16, 16)
    assert ours < 0.9 * theirs
    assert products(SEGMENTED, 16, 16) == products(by_jax, 16, 16)


def compiled_temporaries(program, *shape):
    """What the compiled program holds beside arguments and results, in arrays of one layer."""
    jitted = jax.jit(program, compiler_options=FIX)
    found = jitted.lower(like(*shape, WIDTH, WIDTH), LAYER, LAYER).compile().memory_analysis()
    return found.temp_size_in_bytes / (4 * ROWS * WIDTH)


def test_the_compiler_keeps_to_it_with_a_loop_or_a_barrier():
    """XLA's figures on the CPU: 17 layers for plain, 8 and a little for segments, 6 for halves."""
    assert compiled_temporaries(PLAIN, 16) > 16
    assert compiled_temporaries(SEGMENTED, 4, 4) < 14
    assert compiled_temporaries(HALVED, 16) < 8


# The fewest steps.


def test_the_formula_is_what_a_search_finds():
    for layers in range(1, 25):
        for slots in range(1, 6):
            assert fewest_steps(layers, slots) == revolve.fewest_steps(layers, slots)


def test_a_budget_is_met_with_no_more_than_is_needed():
    assert revolve.fewest_run_again(96, 96) == 0
    assert revolve.fewest_run_again(96, 40) == 58
    tight = 2 * ceil(96**0.5)
    assert 60 < revolve.fewest_run_again(96, tight) <= 96


# Blocks that run backward.


def test_blocks_are_undone_to_the_last_digits_and_hold_the_same_at_any_depth():
    def both(params, streams, bar):
        after, residuals = reversible_blocks_fwd(params, streams)
        return after, reversible_blocks_bwd(residuals, bar)

    streams = Streams(LAYER, LAYER)

    def held_by(blocks):
        params = Blocks(like(blocks, WIDTH, WIDTH), like(blocks, WIDTH, WIDTH))
        of_params = 2 * blocks * WIDTH**2
        return (count(both, params, streams, streams).peak_bytes / 4 - of_params) / (ROWS * WIDTH)

    assert held_by(64) == pytest.approx(held_by(4), abs=0.1)
    with jax.enable_x64(True):
        rng = np.random.default_rng(0)
        params = Blocks(*rng.standard_normal((2, 32, 3, 3)) / 2)
        start, bar = (Streams(*rng.standard_normal((2, 5, 3))) for _ in range(2))
        ours, theirs = jax.jit(
            lambda *at: (both(*at, bar)[1], jax.vjp(reversible_blocks, *at)[1](bar)), compiler_options=QUICK
        )(params, start)
        for own, right in zip(*map(jax.tree.leaves, (ours, theirs)), strict=True):
            np.testing.assert_allclose(own, right, rtol=1e-8, atol=1e-9)


# The exam paper.


def test_four_to_nine_exercises_are_required():
    assert 4 <= sum(exercise.required for exercise in paper_of(LESSON).exercises) <= 9


def test_segments_are_the_same_network():
    ws, x = jnp.linspace(-1, 1, 36).reshape(4, 3, 3), jnp.ones((2, 3))
    found = segmented_layers(ws.reshape(2, 2, 3, 3), x)
    np.testing.assert_allclose(found, separate_layers(ws, x), rtol=1e-6)
