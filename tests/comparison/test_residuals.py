"""Claims about what a forward pass keeps. float32: four bytes a number."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from course.comparison.residuals import residual_bytes, vjp_residual_bytes

FORTY = 4 * 10


def f32(*shape):
    return jax.ShapeDtypeStruct(shape, jnp.float32)


def test_a_saved_primal_is_free():
    assert residual_bytes(lambda x, w: (x @ w, (x, w)), f32(5, 2), f32(2, 3)) == 0


def test_a_saved_leaf_of_a_pytree_primal_is_free():
    assert residual_bytes(lambda p, x: (x @ p["w"], {"p": p, "x": x}), {"w": f32(2, 3)}, f32(5, 2)) == 0


def test_a_saved_intermediate_counts_its_bytes():
    assert residual_bytes(lambda x: (jnp.sum(jnp.sin(x)), jnp.cos(x)), f32(10)) == FORTY


def test_a_mask_counts_one_byte_a_number():
    assert residual_bytes(lambda x: (jnp.maximum(x, 0), x > 0), f32(10)) == 10


def test_one_array_saved_twice_counts_once():
    def fwd(x):
        y = jnp.sin(x)
        return jnp.sum(y), (y, [y, {"again": y}])

    assert residual_bytes(fwd, f32(10)) == FORTY


def test_two_equal_computations_are_two_arrays():
    assert residual_bytes(lambda x: (x, (jnp.sin(x), jnp.sin(x))), f32(10)) == 2 * FORTY


def test_the_returned_value_counts_when_it_is_saved():
    def fwd(x):
        y = jnp.tanh(x)
        return y, y

    assert residual_bytes(fwd, f32(10)) == FORTY


def test_the_returned_value_does_not_count_when_it_is_not_saved():
    assert residual_bytes(lambda x: (jnp.tanh(x), ()), f32(10)) == 0


@pytest.mark.parametrize(
    "wrap", [jax.jit, jax.checkpoint, lax.stop_gradient, jnp.asarray], ids=lambda f: getattr(f, "__name__", "")
)
def test_a_primal_is_known_again_behind_calls(wrap):
    inner = wrap(lambda x: x) if wrap in (jax.jit, jax.checkpoint) else wrap
    assert residual_bytes(lambda x: (jnp.sin(x), inner(x)), f32(10)) == 0


def test_a_primal_in_another_shape_or_order_is_free():
    assert residual_bytes(lambda x: (x, (x.reshape(-1), x.T, x[:, None], x.ravel())), f32(5, 2)) == 0


def test_a_slice_or_a_broadcast_of_a_primal_counts_in_its_own_size():
    assert residual_bytes(lambda x: (x, x[:3]), f32(10)) == 12
    assert residual_bytes(lambda x: (x, jnp.broadcast_to(x, (3, 10))), f32(10)) == 3 * FORTY


def test_a_number_counts_as_a_scalar_and_none_as_nothing():
    assert residual_bytes(lambda x: (x, (2.0, None, np.float32(3))), f32(10)) == 8


def test_a_saved_constant_counts():
    table = np.ones(10, np.float32)
    assert residual_bytes(lambda x: (x, jnp.asarray(table)), f32(10)) == FORTY


def test_integers_and_keys_that_are_primals_are_free():
    key, ids = jax.random.key(0), jax.ShapeDtypeStruct((3,), jnp.int32)
    assert residual_bytes(lambda x, key, ids: (x, (key, ids)), f32(10), key, ids) == 0


def test_an_exception_of_forward_is_passed_on():
    def fwd(x):
        raise KeyError("w1")

    with pytest.raises(KeyError, match="w1"):
        residual_bytes(fwd, f32(10))


class TestOfVjp:
    def test_a_product_keeps_its_primals_alone(self):
        assert vjp_residual_bytes(lambda x, w: x @ w, f32(5, 2), f32(2, 3)) == 0

    def test_sin_keeps_one_array(self):
        assert vjp_residual_bytes(jnp.sin, f32(10)) == FORTY

    def test_a_custom_rule_keeps_what_its_forward_keeps(self):
        @jax.custom_vjp
        def f(x):
            return jnp.sin(x)

        def fwd(x):
            return jnp.sin(x), (x, jnp.cos(x), x > 0)

        f.defvjp(fwd, lambda residuals, y_bar: (y_bar * residuals[1],))
        assert vjp_residual_bytes(f, f32(10)) == residual_bytes(fwd, f32(10)) == FORTY + 10

    def test_every_step_of_a_loop_is_kept(self):
        def chain(x):
            return lax.scan(lambda x, _: (jnp.sin(x), None), x, None, length=7)[0]

        assert vjp_residual_bytes(chain, f32(10)) == 7 * FORTY

    def test_checkpointing_keeps_the_primals_alone(self):
        assert vjp_residual_bytes(jax.checkpoint(lambda x: jnp.sin(jnp.sin(x))), f32(10)) == 0

    def test_labels_and_several_outputs_are_taken(self):
        def primal(x, labels, key):
            return jnp.sin(x)[labels], labels, {"sum": jnp.sum(x)}

        labels = jax.ShapeDtypeStruct((3,), jnp.int32)
        kept = vjp_residual_bytes(primal, f32(10), labels, jax.random.key(0))
        assert kept >= FORTY
