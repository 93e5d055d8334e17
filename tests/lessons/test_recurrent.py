"""What answers to `recurrent` must meet: JAX's own numbers, another course's, what it costs, and the exam paper."""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from course.comparison.counting import count
from course.exercises import find_exercise, paper_of
from course.grading import judge
from course.grading.submission import Submission
from course.lessons.recurrent import Cell, last_state, rnn
from course.quick_compile import QUICK
from course.records import Feedback, Status
from solutions.recurrent import (
    rnn_bwd,
    rnn_fwd,
    rnn_step_bwd,
    rnn_step_fwd,
)

LESSON = "recurrent"
BATCH, SEQ, D_IN, D_HIDDEN = 2, 4, 3, 5


@pytest.fixture(autouse=True)
def _float64():
    with jax.enable_x64(True):
        yield


def quick(function):
    return jax.jit(function, compiler_options=QUICK)


@cache
def sequence():
    """Parameters, a start, a sequence, and a cotangent of its states."""
    rng = np.random.default_rng(0)

    def drawn(*shape):
        return jnp.asarray(rng.standard_normal(shape) / 2)

    with jax.enable_x64(True):
        params = Cell(drawn(D_IN, D_HIDDEN), drawn(D_HIDDEN, D_HIDDEN), drawn(D_HIDDEN))
        return params, drawn(BATCH, D_HIDDEN), drawn(BATCH, SEQ, D_IN), drawn(BATCH, SEQ, D_HIDDEN)


@cache
def states():
    *primals, _ = sequence()
    with jax.enable_x64(True):
        return np.asarray(quick(rnn)(*primals))


# One step.


def test_a_step_gives_the_numbers_of_cs231n():
    """Stanford CS231n, assignment 3, RNN_Captioning: a step of a vanilla RNN."""

    def even(low, high, *shape):
        return jnp.asarray(np.linspace(low, high, num=np.prod(shape)).reshape(shape))

    params = Cell(even(-0.1, 0.9, 10, 4), even(-0.3, 0.7, 4, 4), even(-0.2, 0.4, 4))
    published = [
        [-0.58172089, -0.50182032, -0.41232771, -0.31410098],
        [0.66854692, 0.79562378, 0.87755553, 0.92795967],
        [0.97934501, 0.99144213, 0.99646691, 0.99854353],
    ]
    found = rnn_step_fwd(params, even(-0.2, 0.5, 3, 4), even(-0.4, 0.7, 3, 10))[0]
    np.testing.assert_allclose(found, published, atol=5e-9)


# The sequence.


def step_by_step(params, h, x, states_bar):
    """What a loop of steps gives that adds to the parameters' cotangents at each."""
    kept = []
    for t in range(SEQ):
        h, residuals = rnn_step_fwd(params, h, x[:, t])
        kept.append(residuals)
    params_bar, h_bar, x_bars = jax.tree.map(jnp.zeros_like, params), jnp.zeros_like(h), []
    for t in reversed(range(SEQ)):
        own, h_bar, x_bar = rnn_step_bwd(kept[t], h_bar + states_bar[:, t])
        params_bar, x_bars = jax.tree.map(jnp.add, params_bar, own), [x_bar, *x_bars]
    return params_bar, h_bar, jnp.stack(x_bars, axis=1)


@cache
def passes():
    """The cotangents by hand, by JAX, and by a loop of steps."""

    def by_all(params, h, x, states_bar):
        by_hand = rnn_bwd(rnn_fwd(params, h, x)[1], states_bar)
        by_jax = jax.vjp(rnn, params, h, x)[1](states_bar)
        return by_hand, by_jax, step_by_step(params, h, x, states_bar)

    with jax.enable_x64(True):
        return quick(by_all)(*sequence())


@pytest.mark.parametrize("other", [1, 2], ids=["jax", "a loop of steps"])
def test_one_product_after_the_loop_gives_what_others_give(other):
    for ours, theirs in zip(*map(jax.tree.leaves, (passes()[0], passes()[other])), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)


def at_length(seq):
    like = jax.ShapeDtypeStruct
    params = Cell(like((16, 32), np.float32), like((32, 32), np.float32), like((32,), np.float32))
    given = params, like((8, 32), np.float32), like((8, seq, 16), np.float32)
    return given, like((8, seq, 32), np.float32)


def test_by_hand_multiplies_no_more_than_jax_moves_fewer_bytes_and_keeps_one_array_a_step():
    given, states_bar = at_length(64)
    ours = count(lambda *g: rnn_bwd(rnn_fwd(*g[:-1])[1], g[-1]), *given, states_bar)
    theirs = count(lambda *g: jax.vjp(rnn, *g[:-1])[1](g[-1]), *given, states_bar)
    assert ours.dot_flops <= theirs.dot_flops
    assert ours.bytes < 0.7 * theirs.bytes
    params, h, x, kept = jax.eval_shape(lambda *g: rnn_fwd(*g)[1], *given)
    assert (params, h, x) == given
    assert kept.size == states_bar.size


# Padding.


def test_what_stands_in_the_padding_changes_nothing():
    params, h, x, _ = sequence()
    lengths = np.array([0, 2])
    spoilt = np.array(x)
    spoilt[0], spoilt[1, 2:] = 7.0, np.pi
    last = quick(last_state)
    found = np.asarray(last(params, h, spoilt, lengths))
    np.testing.assert_array_equal(found, last(params, h, x, lengths))
    np.testing.assert_allclose(found, [h[0], states()[1, 1]], rtol=1e-12)


# The exam paper.


def verdict(name, submission):
    return judge(find_exercise(f"{LESSON}.{name}"), submission, feedback=Feedback.NAME, example=False)


def test_to_keep_what_every_step_keeps_is_right_but_costly():
    """The steps' residuals, stacked by the scan: the weights once for each step."""

    def fwd(params, h, x):
        def step(h, x):
            after, kept = rnn_step_fwd(params, h, x)
            return after, (after, kept)

        after, kept = jax.lax.scan(step, h, x.swapaxes(0, 1))[1]
        return after.swapaxes(0, 1), kept

    def bwd(residuals, states_bar):
        def back(h_bar, inside):
            kept, row_bar = inside
            params_bar, h_bar, x_bar = rnn_step_bwd(kept, h_bar + row_bar)
            return h_bar, (params_bar, x_bar)

        rows = states_bar.swapaxes(0, 1)
        h_bar, (bars, x_bar) = jax.lax.scan(back, 0 * rows[0], (residuals, rows), reverse=True)
        return jax.tree.map(lambda bar: bar.sum(0), bars), h_bar, x_bar.swapaxes(0, 1)

    own = {"rnn_step_fwd": rnn_step_fwd, "rnn_step_bwd": rnn_step_bwd}
    found = verdict("rnn", Submission.of(**own, rnn_fwd=fwd, rnn_bwd=bwd))
    assert found.status is Status.COSTLY
    assert "bytes for backward" in " ".join(found.lines)


def test_four_to_eight_exercises_are_required():
    assert 4 <= sum(exercise.required for exercise in paper_of(LESSON).exercises) <= 8
