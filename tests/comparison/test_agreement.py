"""Claims about right answers of every kind: they agree, and each figure stands under the reader's own name."""

from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from course.comparison import study
from course.comparison.compare import compare
from course.comparison.trees import named_leaves
from tests.comparison.pairs import (
    NETWORK,
    W,
    X,
    affine,
    affine_bwd,
    affine_fwd,
    draw,
    judged,
    network,
    network_bwd,
    network_fwd,
    said,
    scores,
    scores_bwd,
    scores_fwd,
    square,
    square_bwd,
    square_fwd,
)


def paths(found):
    return [array.path for array in found.arrays]


def test_a_right_pair_agrees_with_every_oracle():
    found = judged()
    assert found.agrees
    assert found.headline == "right · three independent checks agree"
    assert all(array.reverse < 1e-12 and array.forward < 1e-12 and array.columns < 1e-12 for array in found.arrays)
    assert [check.name for check in found.checks] == ["value", "forward", "differences", "float32"]
    assert found.notes == ()


def test_cost_stands_beside_every_method():
    costs = {cost.method: cost for cost in judged().costs}
    assert list(costs) == [
        "primal",
        "yours",
        "jax.vjp",
        "jax.jvp, one column",
        "jax.jacfwd, all columns",
        "central differences",
    ]
    assert costs["yours"].residual_bytes == 0
    assert costs["yours"].ratio == pytest.approx(costs["jax.vjp"].ratio, rel=0.1)


def test_arrays_stand_under_their_paths_in_a_pytree():
    found = compare(network, network_fwd, network_bwd, NETWORK, X)
    assert found.agrees, said(found)
    assert paths(found) == [
        "params_bar.layers[0].w",
        "params_bar.layers[0].b",
        "params_bar.layers[1].w",
        "params_bar.layers[1].b",
        "params_bar.scale",
        "x_bar",
    ]


@jax.tree_util.register_dataclass
@dataclass
class Registered:
    w: object


def test_paths_follow_the_way_a_reader_writes():
    tree = {"heads": [(1.0, 2.0)], "norm": Registered(3.0)}
    assert [path for path, _ in named_leaves(tree, "p")] == ["p['heads'][0][0]", "p['heads'][0][1]", "p['norm'].w"]


def picked(table, places, key):
    return (table[places] ** 2).sum() + jax.random.key_data(key).sum() % 7


def picked_fwd(table, places, key):
    return picked(table, places, key), (table, places)


def picked_bwd(nothing, residuals, y_bar):
    table, places = residuals
    return jnp.zeros_like(table).at[places].add(2 * y_bar * table[places]), *nothing(places)


@pytest.mark.parametrize(
    "nothing",
    [
        lambda places: (None, None),
        lambda places: (np.zeros(places.shape, jax.dtypes.float0), np.zeros((), jax.dtypes.float0)),
        lambda places: (jnp.zeros_like(places), 0),
    ],
    ids=["None", "float0", "zeros"],
)
def test_integers_and_keys_have_no_cotangent_and_get_none(nothing):
    places, key = np.array([0, 2, 2, 1, 3]), jax.random.key(0)
    found = compare(picked, picked_fwd, partial(picked_bwd, nothing), draw(5, 4), places, key)
    assert found.agrees, said(found)
    assert paths(found) == ["table_bar"]
    assert found.notes == ()


def test_python_numbers_are_primals():
    found = compare(
        lambda x, w: x * w, lambda x, w: (x * w, (x, w)), lambda r, y_bar: (y_bar * r[1], y_bar * r[0]), 2.0, 3
    )
    assert not found.agrees
    assert "w_bar must be None, since integers" in said(found)
    found = compare(
        lambda x, w: x * w, lambda x, w: (x * w, (x, w)), lambda r, y_bar: (y_bar * r[1], y_bar * r[0]), 2.0, 3.0
    )
    assert found.agrees, said(found)
    assert [array.shape for array in found.arrays] == [(), ()]


def test_empty_arrays_and_empty_trees_are_primals():
    def fwd(x, nothing, none):
        return (x**2).sum(), (x, nothing)

    def bwd(residuals, y_bar):
        x, nothing = residuals
        return 2 * x * y_bar, {"none": jnp.zeros_like(nothing["none"])}, None

    found = compare(lambda x, nothing, none: (x**2).sum(), fwd, bwd, draw(4), {"none": np.zeros((0, 3))}, None)
    assert found.agrees, said(found)
    assert paths(found) == ["x_bar", "nothing_bar['none']"]


def test_several_outputs_each_have_a_cotangent():
    def primal(x, w):
        return {"product": x @ w, "norms": ((x**2).sum(), (w**2).sum())}

    def bwd(residuals, y_bar):
        x, w = residuals
        of_x, of_w = y_bar["norms"]
        return y_bar["product"] @ w.T + 2 * x * of_x, x.T @ y_bar["product"] + 2 * w * of_w

    found = compare(primal, lambda x, w: (primal(x, w), (x, w)), bwd, X, W)
    assert found.agrees, said(found)


def test_an_integer_output_gets_a_float0_cotangent():
    def primal(x):
        return x.max(), x.argmax()

    def bwd(place, y_bar):
        y_bar, nothing = y_bar
        assert nothing.dtype == jax.dtypes.float0
        return (jnp.zeros(6).at[place].set(y_bar),)

    found = compare(primal, lambda x: (primal(x), x.argmax()), bwd, draw(6))
    assert found.agrees, said(found)


def power(x, n, name):
    return x**n


@pytest.mark.parametrize("places", [(1, 2), (-2, -1)])
def test_static_arguments_are_settings_and_come_first_in_bwd(places):
    def bwd(n, name, x, y_bar):
        assert (n, name) == (3, "cube")
        return (n * x ** (n - 1) * y_bar,)

    found = compare(power, lambda x, n, name: (x**n, x), bwd, draw(4), 3, "cube", static_argnums=places)
    assert found.agrees, said(found)
    assert paths(found) == ["x_bar"]


def test_one_static_argument_may_be_given_by_its_place():
    primal, fwd = (lambda n, x: x * n), (lambda n, x: (x * n, None))
    found = compare(primal, fwd, lambda n, _, y_bar: (n * y_bar,), 7.0, draw(4), static_argnums=0)
    assert found.agrees, said(found)


def test_equal_settings_of_another_type_are_other_settings():
    primal = lambda x, n: x * (2.0 if isinstance(n, bool) else 3.0)  # noqa: E731 - one function for both calls
    for n, factor in ((1, 3.0), (True, 2.0), (1.0, 3.0)):
        found = compare(
            primal,
            lambda x, n: (primal(x, n), None),
            lambda n, _, g, factor=factor: (g * factor,),
            1.5,
            n,
            static_argnums=1,
        )
        assert found.agrees, said(found)


def test_closures_and_partials_are_primals():
    w = draw(3, 4, seed=1)
    assert compare(partial(affine, w=W, b=0.5), *_of_x(W, 0.5), X).agrees
    assert compare(lambda x: x @ w, lambda x: (x @ w, None), lambda _, y_bar: (y_bar @ w.T,), X).agrees


def _of_x(w, b):
    return (lambda x: (x @ w + b, None)), (lambda _, y_bar: (y_bar @ w.T,))


def test_a_primal_may_take_any_number_of_arguments():
    def total(*terms):
        return sum(terms)

    found = compare(total, lambda *terms: (sum(terms), len(terms)), lambda n, y_bar: (y_bar,) * 3, *draw(3, 2))
    assert found.agrees, said(found)
    assert paths(found) == ["terms0_bar", "terms1_bar", "terms2_bar"]


def test_a_jitted_primal_and_a_jitted_pair_are_judged_alike():
    found = compare(jax.jit(square), jax.jit(square_fwd), jax.jit(square_bwd), draw(4))
    assert found.agrees, said(found)
    assert found.answer == "square_fwd and square_bwd"


def test_an_array_that_vanishes_may_hold_rounding():
    found = compare(scores, scores_fwd, scores_bwd, 3 * draw(7, 3), draw(3, 4), draw(3, 4, seed=1), draw(4))
    assert found.agrees, said(found)
    bias = found.arrays[3]
    assert bias.path == "k_bias_bar"
    assert 0 < bias.reverse < 1e-12


def test_a_wrong_array_that_should_vanish_is_refused():
    def bwd(residuals, y_bar):
        *others, bias_bar = scores_bwd(residuals, y_bar)
        return *others, bias_bar + 1e-4

    found = compare(scores, scores_fwd, bwd, 3 * draw(7, 3), draw(3, 4), draw(3, 4, seed=1), draw(4))
    assert [array.path for array in found.arrays if not array.right] == ["k_bias_bar"]
    assert found.arrays[3].slip.kind == "not zero"


def test_columns_are_left_out_where_there_are_many_inputs():
    found = compare(square, square_fwd, square_bwd, draw(257))
    assert found.agrees
    assert found.arrays[0].columns is None
    assert found.arrays[0].forward is not None


def test_an_array_far_smaller_than_the_others_must_be_right_too():
    def primal(x, w):
        return (x**2).sum() + 1e-8 * (w**2).sum()

    found = compare(primal, lambda x, w: (primal(x, w), (x, w)), lambda r, g: (2 * r[0] * g, 0 * r[1]), X, W)
    assert [array.right for array in found.arrays] == [True, False]


def test_numbers_that_float32_cannot_hold_are_judged_as_they_came():
    def fwd(x):
        return x**2, x.astype(jnp.float32)

    found = compare(square, fwd, square_bwd, draw(4))
    assert 1e-9 < found.arrays[0].reverse < 1e-6
    assert "narrows to float32" in said(found)


def test_the_same_seed_gives_the_same_record():
    assert judged(seed=3).to_json() == judged(seed=3).to_json()
    assert judged(seed=3).agrees
    assert judged(seed=4).arrays[0].reverse != judged(seed=3).arrays[0].reverse or judged(seed=4).seed == 4


def test_a_second_answer_at_the_same_shapes_traces_the_primal_no_more():
    judged()
    before = study._study.cache_info().misses
    judged(lambda r, y_bar: affine_bwd(r, y_bar), seed=9)
    assert study._study.cache_info().misses == before


FACTOR = 2.0


def scaled(x):
    return FACTOR * x


def test_a_primal_that_reads_another_constant_is_judged_anew(monkeypatch):
    def bwd(factor, y_bar):
        return (factor * y_bar,)

    assert compare(scaled, lambda x: (scaled(x), FACTOR), bwd, draw(4)).agrees
    monkeypatch.setitem(globals(), "FACTOR", 5.0)
    assert compare(scaled, lambda x: (scaled(x), FACTOR), bwd, draw(4)).agrees


def test_the_settings_of_the_process_do_not_enter():
    with jax.numpy_dtype_promotion("strict"), jax.numpy_rank_promotion("raise"), jax.debug_nans(True):
        assert judged().agrees


def test_a_million_parameters_are_judged():
    x, w = draw(8, 1000), draw(1000, 1000)
    found = compare(affine, affine_fwd, affine_bwd, x, w, draw(1000))
    assert found.agrees, said(found)
