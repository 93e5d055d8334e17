"""Claims about a pair installed by `as_jax`: JAX's transformations take it for any other function."""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from course.comparison.install import as_jax
from course.comparison.trees import Mismatch
from tests.comparison.pairs import NETWORK, Layer, X, draw, network, network_bwd, network_fwd


def loss(layer, x, labels):
    logits = x @ layer.w + layer.b
    return (logits[jnp.arange(len(labels)), labels] ** 2).mean()


def loss_fwd(layer, x, labels):
    return loss(layer, x, labels), (layer, x, labels)


def loss_bwd(residuals, loss_bar):
    layer, x, labels = residuals
    chosen = jax.nn.one_hot(labels, layer.b.size, dtype=x.dtype)
    logits_bar = 2 * loss_bar * (x @ layer.w + layer.b) * chosen / len(labels)
    return Layer(x.T @ logits_bar, logits_bar.sum(axis=0)), logits_bar @ layer.w.T, None


LAYER, LABELS = Layer(draw(3, 4), draw(4)), np.array([0, 3, 1, 1, 2])


@cache
def right():
    """JAX's own value and gradient."""
    return jax.jit(jax.value_and_grad(loss))(LAYER, X, LABELS)


FORMS = {
    "as asked": lambda returned: returned,
    "a list": list,
    "a dict": lambda returned: (returned[0]._asdict(), *returned[1:]),
    "a tuple for the parameters": lambda returned: (tuple(returned[0]), *returned[1:]),
    "float0 for the labels": lambda returned: (*returned[:2], np.zeros(5, jax.dtypes.float0)),
    "zeros for the labels": lambda returned: (*returned[:2], jnp.zeros(5, int)),
    "complex": lambda returned: jax.tree.map(lambda array: array + 0j, returned),
    "narrower": lambda returned: jax.tree.map(lambda array: array.astype(jnp.float16), returned),
    "nothing for the data": lambda returned: (returned[0], None, None),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_every_accepted_form_gives_jax_its_own_derivative(form):
    installed = as_jax(loss_fwd, lambda residuals, loss_bar: form(loss_bwd(residuals, loss_bar)))
    value, found = jax.jit(jax.value_and_grad(installed))(LAYER, X, LABELS)
    assert type(found) is Layer
    assert found.w.dtype == jnp.float32
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=3e-3), (value, found), right())


def test_it_needs_no_jit():
    found = jax.value_and_grad(as_jax(loss_fwd, loss_bwd))(LAYER, X, LABELS)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-6), found, right())


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64], ids=lambda dtype: dtype.__name__)
def test_cotangents_have_the_types_of_the_primals(dtype):
    layer, x = jax.tree.map(lambda array: array.astype(dtype), (LAYER, X))
    gradient = jax.grad(as_jax(loss_fwd, loss_bwd), argnums=(0, 1))
    assert {leaf.dtype for leaf in jax.tree.leaves(jax.eval_shape(gradient, layer, x, LABELS))} == {jnp.result_type(x)}


def test_it_goes_through_vmap():
    pair, rows, labels = (as_jax(loss_fwd, loss_bwd), loss), X[:, None], LABELS[:, None]
    each = [jax.jit(jax.vmap(jax.grad(f), in_axes=(None, 0, 0)))(LAYER, rows, labels) for f in pair]
    np.testing.assert_allclose(each[0].w, each[1].w, atol=1e-6)


def test_it_trains_in_a_scan():
    pair = (as_jax(loss_fwd, loss_bwd), loss)

    def step(layers, _):
        bars = [jax.grad(f)(layer, X, LABELS) for f, layer in zip(pair, layers, strict=True)]
        return jax.tree.map(lambda w, w_bar: w - 0.1 * w_bar, layers, bars), None

    layer = jax.tree.map(jnp.asarray, LAYER)
    trained, _ = jax.jit(lambda start: jax.lax.scan(step, start, length=4))([layer, layer])
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5), *trained)


def test_a_network_of_lists_and_tuples_goes_through():
    installed = as_jax(network_fwd, network_bwd)
    found, own = (jax.jit(jax.grad(lambda params, f=f: f(params, X).sum()))(NETWORK) for f in (installed, network))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=2e-5, atol=1e-5), found, own)


def test_several_outputs_and_python_numbers_go_through():
    installed = as_jax(lambda x, y: ((x * y, x + y), (x, y)), lambda r, g: (g[0] * r[1] + g[1], g[0] * r[0] + g[1]))
    assert jax.jit(jax.jacrev(installed, argnums=(0, 1)))(2.0, 3.0) == ((3.0, 2.0), (1.0, 1.0))


def test_numpy_and_python_numbers_are_accepted_outside_jit():
    def fwd(x):
        return np.sin(np.asarray(x)), np.asarray(x)

    _, pullback = jax.vjp(as_jax(fwd, lambda x, y_bar: np.cos(x) * np.asarray(y_bar, np.float64)), np.arange(3.0))
    np.testing.assert_allclose(pullback(np.ones(3, np.float32))[0], np.cos(np.arange(3.0)), rtol=1e-6)
    assert jax.grad(as_jax(lambda x: (3 * x, None), lambda _, y_bar: 3.0))(1.0) == 3


def test_keys_go_through():
    def fwd(key, x):
        kept = jax.random.key_data(key)[1] % 2 + jnp.zeros(x.shape)
        return kept * x, kept

    installed = as_jax(fwd, lambda kept, y_bar: (None, kept * y_bar))
    assert jax.jit(jax.grad(lambda x: installed(jax.random.key(3), x).sum()))(jnp.ones(2)).sum() == 2


def test_the_primals_are_not_kept_for_backward():
    installed = as_jax(lambda x: (jnp.sin(x).sum(), ()), lambda _, y_bar: (jnp.ones(8) * y_bar,))
    kept = jax.tree.leaves(jax.eval_shape(lambda x: jax.vjp(installed, x)[1], jnp.ones(8)))
    assert all(leaf.size < 8 for leaf in kept)


def test_a_form_that_the_judge_refuses_is_refused_by_name():
    installed = as_jax(loss_fwd, lambda residuals, loss_bar: (Layer(None, None), None, None))
    with pytest.raises(Mismatch, match=r"layer_bar.w is None, but layer.w is an array"):
        jax.eval_shape(jax.grad(installed), LAYER, X, LABELS)
