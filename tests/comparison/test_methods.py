"""Claims about what a derivative costs by each method."""

import time

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from course.comparison.counting import count
from course.comparison.methods import method_counts

# batch 5, 7 inputs, 11 hidden, 3 outputs.
PRODUCTS = 2 * 5 * 11 * 7 + 2 * 5 * 3 * 11
INPUTS = 7 * 11 + 11 + 11 * 3 + 3 + 5 * 7 + 5 * 3


def f32(*shape):
    return jax.ShapeDtypeStruct(shape, jnp.float32)


def mlp(params, x, target):
    w1, b1, w2, b2 = params
    error = jnp.tanh(x @ w1 + b1) @ w2 + b2 - target
    return 0.5 * jnp.sum(error * error)


def mlp_fwd(params, x, target):
    w1, b1, w2, b2 = params
    h = jnp.tanh(x @ w1 + b1)
    error = h @ w2 + b2 - target
    return 0.5 * jnp.sum(error * error), (params, x, h, error)


def mlp_bwd(residuals, loss_bar):
    (w1, _, w2, _), x, h, error = residuals
    y_bar = loss_bar * error
    z_bar = (y_bar @ w2.T) * (1 - h * h)
    return (x.T @ z_bar, jnp.sum(z_bar, 0), h.T @ y_bar, jnp.sum(y_bar, 0)), z_bar @ w1.T, -y_bar


ARGS = ((f32(7, 11), f32(11), f32(11, 3), f32(3)), f32(5, 7), f32(5, 3))


@pytest.fixture(scope="module")
def costs():
    return method_counts(mlp, mlp_fwd, mlp_bwd, *ARGS)


def test_the_primal_is_what_the_counter_counts(costs):
    assert costs.primal == count(mlp, *ARGS)
    assert costs.primal.dot_flops == PRODUCTS


@pytest.mark.parametrize("method", ["vjp", "pair", "jvp"])
def test_reverse_mode_and_one_column_take_three_times_the_products(costs, method):
    assert getattr(costs, method).dot_flops == 3 * PRODUCTS


def test_every_column_takes_two_products_an_input_and_the_primal_once(costs):
    assert costs.jacfwd.dot_flops == (1 + 2 * INPUTS) * PRODUCTS


def test_central_differences_take_two_primals_an_input(costs):
    assert costs.central.dot_flops == 2 * INPUTS * PRODUCTS
    assert 2 * INPUTS <= costs.multiples()["central"] <= 2 * INPUTS * 1.05


def test_the_multiples_are_ratios_of_flops(costs):
    multiples = costs.multiples()
    assert list(multiples) == ["vjp", "pair", "jvp", "jacfwd", "central"]
    assert multiples["pair"] == costs.pair.flops / costs.primal.flops
    assert 2 < multiples["pair"] <= multiples["vjp"] < 3


def test_a_hand_written_pair_counts_the_same_on_every_version_of_jax(costs):
    # Forward: PRODUCTS, biases 55 + 15, tanh 8 * 55, - target 15, square 15, sum 15, half 1.
    forward = PRODUCTS + 70 + 440 + 46
    # Backward: PRODUCTS twice, y_bar 15, z_bar 3 * 55, bias sums 55 + 15, target_bar 15.
    backward = 2 * PRODUCTS + 15 + 165 + 70 + 15
    assert costs.pair.flops == forward + backward


def test_without_a_pair_there_is_no_count_of_one():
    costs = method_counts(mlp, None, None, *ARGS)
    assert costs.pair is None
    assert costs.multiples()["pair"] is None


def test_a_primal_that_computes_nothing_has_no_multiples():
    costs = method_counts(lambda x: x.T, lambda x: (x.T, ()), lambda _, y_bar: (y_bar.T,), f32(3, 4))
    assert set(costs.multiples().values()) == {None}


def test_recomputing_the_forward_pass_is_seen():
    def bwd(residuals, loss_bar):
        _, again = mlp_fwd(*residuals)
        return mlp_bwd(again, loss_bar)

    def fwd(*primals):
        return mlp(*primals), primals

    costs = method_counts(mlp, fwd, bwd, *ARGS)
    assert costs.pair.dot_flops == 4 * PRODUCTS


def lookup(table, ids, key, scale):
    rows = table[ids] * scale
    return {"rows": rows, "count": jnp.sum(ids), "key": key, "norm": jnp.sum(rows * rows)}


def lookup_fwd(table, ids, key, scale):
    return lookup(table, ids, key, scale), (table, ids, scale)


@pytest.mark.parametrize(
    "no_tangent",
    [
        lambda ids: None,
        lambda ids: np.zeros(ids.shape, jax.dtypes.float0),
        lambda ids: jnp.zeros(ids.shape, jnp.int32),
    ],
    ids=["None", "float0", "zeros"],
)
def test_labels_keys_and_several_outputs_are_taken(no_tangent):
    seen = []

    def lookup_bwd(residuals, y_bar):
        table, ids, scale = residuals
        seen.append((y_bar["count"].dtype, y_bar["key"].dtype))
        rows_bar = y_bar["rows"] + 2 * y_bar["norm"] * table[ids] * scale
        table_bar = jnp.zeros_like(table).at[ids].add(rows_bar * scale)
        return table_bar, no_tangent(ids), None, jnp.sum(rows_bar * table[ids])

    ids = jax.ShapeDtypeStruct((4,), jnp.int32)
    costs = method_counts(lookup, lookup_fwd, lookup_bwd, f32(6, 3), ids, jax.random.key(0), 2.0)
    assert seen == [(jax.dtypes.float0, jax.dtypes.float0)]
    assert costs.pair.flops > costs.primal.flops > 0
    assert costs.central.flops >= 2 * (6 * 3 + 1) * costs.primal.flops


def test_nothing_is_executed():
    def primal(x):
        jax.debug.callback(pytest.fail, "executed")
        return jnp.sum(x * x)

    def fwd(x):
        return primal(x), x

    method_counts(primal, fwd, lambda x, y_bar: (2 * y_bar * x,), jnp.ones(3))


@pytest.mark.parametrize("part", ["primal", "fwd", "bwd"])
def test_an_exception_of_the_functions_is_passed_on(part):
    def broken(*_):
        raise ZeroDivisionError(part)

    functions = {"primal": mlp, "fwd": mlp_fwd, "bwd": mlp_bwd} | {part: broken}
    with pytest.raises(ZeroDivisionError, match=part):
        method_counts(functions["primal"], functions["fwd"], functions["bwd"], *ARGS)


def test_a_two_layer_network_is_counted_by_all_methods_in_a_quarter_of_a_second(costs):
    # Five times what it takes on a quiet machine: a judge waits for it at every verdict.
    took = []
    for _ in range(5):
        start = time.process_time()  # of this process alone: neighbours don't slow it
        method_counts(mlp, mlp_fwd, mlp_bwd, *ARGS)
        took.append(time.process_time() - start)
    assert min(took) < 0.250
