"""What answers to `lstm` must meet: another course's numbers, JAX's own, what it costs, and the exam paper."""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from course.comparison.counting import count
from course.exercises import paper_of
from course.lessons.lstm import GatedCell, State, gru_step, lstm, lstm_step
from course.quick_compile import QUICK
from solutions.lstm import lstm_bwd, lstm_fwd, lstm_step_bwd, lstm_step_fwd

LESSON = "lstm"
BATCH, SEQ, D_IN, D_HIDDEN = 2, 4, 3, 5


@pytest.fixture(autouse=True)
def _float64():
    with jax.enable_x64(True):
        yield


def quick(function):
    return jax.jit(function, compiler_options=QUICK)


def by_our_order(part):
    """CS231n's parts stand in the order i, f, o, g."""
    i, f, o, g = np.split(part, 4, axis=-1)
    return jnp.asarray(np.concatenate([i, f, g, o], axis=-1))


def even(low, high, *shape):
    return np.linspace(low, high, num=np.prod(shape)).reshape(shape)


# One step.


def test_a_step_gives_the_numbers_of_cs231n():
    """Stanford CS231n, assignment 3, LSTM_Captioning: a step of an LSTM."""
    weights = even(-2.1, 1.3, 4, 20), even(-0.7, 2.2, 5, 20), even(0.3, 0.7, 20)
    before = State(jnp.asarray(even(-0.3, 0.7, 3, 5)), jnp.asarray(even(-0.4, 0.9, 3, 5)))
    found = lstm_step_fwd(GatedCell(*map(by_our_order, weights)), before, jnp.asarray(even(-0.4, 1.2, 3, 4)))[0]
    h = [
        [0.24635157, 0.28610883, 0.32240467, 0.35525807, 0.38474904],
        [0.49223563, 0.55611431, 0.61507696, 0.66844003, 0.7159181],
        [0.56735664, 0.66310127, 0.74419266, 0.80889665, 0.858299],
    ]
    c = [
        [0.32986176, 0.39145139, 0.451556, 0.51014116, 0.56717407],
        [0.66382255, 0.76674007, 0.87195994, 0.97902709, 1.08751345],
        [0.74192008, 0.90592151, 1.07717006, 1.25120233, 1.42395676],
    ]
    np.testing.assert_allclose(found.h, h, atol=5e-9)
    np.testing.assert_allclose(found.c, c, atol=5e-9)


@cache
def sequence():
    """Parameters, a start, a sequence, and a cotangent of its states."""
    rng = np.random.default_rng(0)

    def drawn(*shape):
        return jnp.asarray(rng.standard_normal(shape) / 2)

    with jax.enable_x64(True):
        params = GatedCell(drawn(D_IN, 4 * D_HIDDEN), drawn(D_HIDDEN, 4 * D_HIDDEN), drawn(4 * D_HIDDEN))
        state = State(drawn(BATCH, D_HIDDEN), drawn(BATCH, D_HIDDEN))
        return params, state, drawn(BATCH, SEQ, D_IN), drawn(BATCH, SEQ, D_HIDDEN)


def test_on_the_cell_s_own_way_nothing_but_the_forget_gate_is_met():
    """Where the state after is not asked for: its Jacobian by the cell before is diagonal, and holds f."""
    params, state, x, _ = sequence()
    closed = params._replace(b=params.b.at[D_HIDDEN : 2 * D_HIDDEN].set(np.log(3.0)))
    closed = closed._replace(w_x=0 * params.w_x, w_h=0 * params.w_h)  # f = 3 / 4 whatever comes in
    of_cell = quick(jax.jacobian(lambda c: lstm_step(closed, State(state.h, c), x[:, 0]).c))(state.c)
    size = BATCH * D_HIDDEN
    np.testing.assert_allclose(of_cell.reshape(size, size), 0.75 * np.eye(size), atol=1e-15)


def test_a_gru_whose_update_gate_is_one_keeps_its_state():
    rng = np.random.default_rng(0)
    weights = (jnp.asarray(rng.standard_normal(shape)) for shape in ((D_IN, 15), (D_HIDDEN, 15)))
    params = GatedCell(*weights, jnp.asarray(np.repeat([0.0, 50.0, 0.0], D_HIDDEN)))
    _, state, x, _ = sequence()
    np.testing.assert_allclose(gru_step(params, state.h, x[:, 0]), state.h, rtol=1e-14)


# The sequence.


def step_by_step(params, state, x, states_bar):
    """What a loop of steps gives that adds to the parameters' cotangents at each."""
    kept = []
    for t in range(SEQ):
        state, residuals = lstm_step_fwd(params, state, x[:, t])
        kept.append(residuals)
    params_bar, bar, x_bars = jax.tree.map(jnp.zeros_like, params), jax.tree.map(jnp.zeros_like, state), []
    for t in reversed(range(SEQ)):
        own, bar, x_bar = lstm_step_bwd(kept[t], State(bar.h + states_bar[:, t], bar.c))
        params_bar, x_bars = jax.tree.map(jnp.add, params_bar, own), [x_bar, *x_bars]
    return params_bar, bar, jnp.stack(x_bars, axis=1)


@cache
def passes():
    """The cotangents by hand, by JAX, and by a loop of steps."""

    def by_all(params, state, x, states_bar):
        by_hand = lstm_bwd(lstm_fwd(params, state, x)[1], states_bar)
        by_jax = jax.vjp(lstm, params, state, x)[1](states_bar)
        return by_hand, by_jax, step_by_step(params, state, x, states_bar)

    with jax.enable_x64(True):
        return quick(by_all)(*sequence())


@pytest.mark.parametrize("other", [1, 2], ids=["jax", "a loop of steps"])
def test_one_product_after_the_loop_gives_what_others_give(other):
    for ours, theirs in zip(*map(jax.tree.leaves, (passes()[0], passes()[other])), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)


def test_by_hand_multiplies_no_more_than_jax_moves_fewer_bytes_and_keeps_six_numbers_a_unit_and_step():
    def like(*shape):
        return jax.ShapeDtypeStruct(shape, np.float32)

    params, state = GatedCell(like(16, 128), like(32, 128), like(128)), State(like(8, 32), like(8, 32))
    given, states_bar = (params, state, like(8, 64, 16)), like(8, 64, 32)
    ours = count(lambda *g: lstm_bwd(lstm_fwd(*g[:-1])[1], g[-1]), *given, states_bar)
    theirs = count(lambda *g: jax.vjp(lstm, *g[:-1])[1](g[-1]), *given, states_bar)
    assert ours.dot_flops <= theirs.dot_flops
    assert ours.bytes < 0.8 * theirs.bytes
    *arguments, h, c, gates = jax.eval_shape(lambda *g: lstm_fwd(*g)[1], *given)
    assert tuple(arguments) == given
    assert sum(kept.size for kept in (h, c, *gates)) == 6 * states_bar.size


# The exam paper.


def test_four_to_eight_exercises_are_required():
    assert 4 <= sum(exercise.required for exercise in paper_of(LESSON).exercises) <= 8
