"""Claims about one step and one chunk. The oracle is `jax.value_and_grad` and Optax, called one after the other."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from course.lessons.mlp import Layer, Mlp
from course.training.gradients import by_hand, by_jax
from course.training.mlp import DEMO
from course.training.steps import State, draw_batches, init_state, make_chunk, make_step, norms_by_layer

OPTIMISER = optax.adam(1e-2)


@pytest.fixture(autouse=True)
def _in_float64():
    with jax.enable_x64(True):
        yield


@pytest.fixture
def params():
    """Biases that are not zero, as they are at the start: those would hide a wrong b_bar."""
    random = np.random.default_rng(1)
    layers = [Layer(random.normal(size=(d_in, d_out)), random.normal(size=d_out)) for d_in, d_out in [(5, 4), (4, 3)]]
    return jax.tree.map(jnp.asarray, Mlp(layers))


@pytest.fixture
def batch():
    random = np.random.default_rng(0)
    return jnp.asarray(random.normal(size=(7, 5))), jnp.asarray(random.integers(0, 3, 7))


def distance(one, other):
    apart = jax.tree.map(lambda a, b: np.abs(np.asarray(a) - np.asarray(b)).max(), one, other)
    return max(jax.tree.leaves(apart))


def test_the_gradient_by_hand_is_that_of_jax(solution, params, batch):
    loss, gradient = jax.jit(by_hand(*solution))(params, *batch)
    true_loss, true_gradient = jax.jit(jax.value_and_grad(DEMO.loss))(params, *batch)
    assert abs(loss - true_loss) < 1e-14
    assert distance(gradient, true_gradient) < 1e-14


def test_nothing_in_the_step_by_hand_differentiates(solution, params, batch):
    def traces_of_autodiff(value_and_grad):
        step = make_step(value_and_grad, OPTIMISER)
        text = jax.make_jaxpr(step)(init_state(params, OPTIMISER), batch).pretty_print(name_stack=True)
        return "jvp" in text or "transpose(" in text.replace("transpose[", "")

    assert traces_of_autodiff(by_jax(DEMO.loss))
    assert not traces_of_autodiff(by_hand(*solution))


def test_a_pair_in_another_accepted_form_trains_the_same(solution, params, batch):
    fwd, bwd = solution

    def bwd_of_lists(residuals, loss_bar):
        params_bar, _, _ = bwd(residuals, loss_bar)
        return [([tuple(layer) for layer in params_bar.layers],), None, None]

    _, gradient = jax.jit(by_hand(fwd, bwd_of_lists))(params, *batch)
    assert distance(gradient, jax.jit(by_hand(fwd, bwd))(params, *batch)[1]) == 0


def test_a_step_is_the_gradient_handed_to_the_optimiser(params, batch):
    state, seen = jax.jit(make_step(by_jax(DEMO.loss), OPTIMISER))(init_state(params, OPTIMISER), batch)
    true_loss, gradient = jax.jit(jax.value_and_grad(DEMO.loss))(params, *batch)
    updates, _ = jax.jit(OPTIMISER.update)(gradient, OPTIMISER.init(params))
    assert abs(seen.loss - true_loss) < 1e-14
    assert distance(state.params, jax.tree.map(np.add, params, updates)) < 1e-14


def test_a_chunk_takes_its_steps_one_after_the_other(params, batch):
    step = jax.jit(make_step(by_jax(DEMO.loss), OPTIMISER))
    rows = jnp.array([[0, 1, 2], [3, 4, 5], [6, 5, 1]])
    expected = init_state(params, OPTIMISER)
    for row in rows:
        expected, last = step(expected, tuple(np.asarray(array)[row] for array in batch))
    state, seen = make_chunk(step)(init_state(params, OPTIMISER), rows, batch)
    assert distance(state, expected) < 1e-12
    assert distance(jax.tree.map(lambda array: array[-1], seen), last) < 1e-12


def test_a_layer_s_norm_is_that_of_all_its_numbers_and_it_is_named_by_its_place(params):
    norms = jax.jit(norms_by_layer)({"network": params, "table": jnp.array([3.0, 4.0])})
    numbers = np.concatenate([np.ravel(leaf) for leaf in params.layers[1]])
    assert set(norms) == {"['network'].layers[0]", "['network'].layers[1]", "['table']"}
    assert norms["['network'].layers[1]"] == pytest.approx(np.linalg.norm(numbers), rel=1e-12)
    assert norms["['table']"] == pytest.approx(5)
    assert list(norms_by_layer(params)) == ["layers[0]", "layers[1]"]


def test_a_chunk_takes_the_memory_of_the_state_it_was_given(params, batch):
    state = State(params, OPTIMISER.init(params))
    make_chunk(make_step(by_jax(DEMO.loss), OPTIMISER))(state, jnp.array([[0, 1]]), batch)
    assert all(leaf.is_deleted() for leaf in jax.tree.leaves(state.params))


def test_an_epoch_shows_no_example_twice_and_every_epoch_has_its_own_order():
    key = jax.random.key(0)
    epochs = [draw_batches(key, epoch, 0, examples=50, batch=7, steps=7) for epoch in range(3)]
    for rows in epochs:
        assert len(np.unique(rows)) == 49
    assert not np.array_equal(epochs[0], epochs[1])
    assert not np.array_equal(epochs[1], epochs[2])


def test_a_part_of_an_epoch_sees_what_the_whole_would():
    key = jax.random.key(0)
    whole = draw_batches(key, 4, 0, examples=50, batch=7, steps=7)
    assert np.array_equal(draw_batches(key, 4, 3, examples=50, batch=7, steps=2), whole[3:5])
