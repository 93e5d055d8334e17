"""An answer that costs too much is told why: each kind of waste by a real answer that is right and has it."""

import functools

import jax
import jax.numpy as jnp
import pytest

import course
from course.comparison.excess.work import LEAST
from tests.comparison.pairs import draw

X, W, B = draw(9, 6), draw(6, 5, seed=1), draw(5, seed=2)
TABLE, IDS = draw(40, 4), jnp.array([3, 1, 3, 7])


def layer(x, w, b):
    return jnp.tanh(x @ w + b)


def layer_fwd(x, w, b):
    y = layer(x, w, b)
    return y, (x, w, y)


def layer_bwd(residuals, y_bar):
    x, w, y = residuals
    z_bar = y_bar * (1 - y**2)
    return z_bar @ w.T, x.T @ z_bar, z_bar.sum(0)


def embed(table, ids):
    return jnp.sin(table[ids])


def embed_fwd(table, ids):
    return embed(table, ids), (table, ids)


def found(primal, fwd, bwd, *primals):
    comparison = course.compare(primal, fwd, bwd, *primals)
    assert comparison.agrees, comparison
    return {excess.kind: excess.text for excess in comparison.excesses}


of_layer = functools.partial(found, layer)


def test_a_plain_pair_has_none():
    assert of_layer(layer_fwd, layer_bwd, X, W, B) == {}


def keeping_the_primals(x, w, b):
    return layer(x, w, b), (x, w, b)


def evaluated_again(residuals, y_bar):
    x, w, b = residuals
    return layer_bwd((x, w, layer(x, w, b)), y_bar)


def test_the_primal_evaluated_again_in_backward():
    text = of_layer(keeping_the_primals, evaluated_again, X, W, B)["again"]
    assert text.startswith("Backward evaluates the primal again: ")
    assert "with `x @ w`" in text


def fwd_of_its_own(x, w, b):
    z = jnp.einsum("bi,io->bo", x, w) + b
    squares = z @ (z.T @ z)
    return jnp.tanh(z) + 0 * squares, (x, w, z, jnp.tanh(z))


def product_again(residuals, y_bar):
    x, w, z, y = residuals
    squares = z @ (z.T @ z)
    x_bar, w_bar, b_bar = layer_bwd((x, w, y), y_bar)
    return x_bar + 0 * squares[0, 0], w_bar, b_bar


def test_what_forward_had_is_worked_out_again():
    text = of_layer(fwd_of_its_own, product_again, X, W, B)["again"]
    assert text.startswith("Backward works out `")
    assert "again, which forward had" in text


def product_twice(residuals, y_bar):
    x, w, y = residuals
    return (
        (y_bar * (1 - y**2)) @ w.T,
        x.T @ (y_bar * (1 - y**2)),
        (x.T @ (y_bar * (1 - y**2))).sum(0) * 0 + (y_bar * (1 - y**2)).sum(0),
    )


def test_the_same_product_twice():
    text = of_layer(layer_fwd, product_twice, X, W, B)["twice"]
    assert text.startswith("The same is worked out twice: `x.T @ (y_bar * (1 - y**2))`")


def by_columns(way):
    """x_bar by a pass for each of its numbers: the tangent of every basis vector, in one way or the other."""

    def bwd(residuals, y_bar):
        x, w, y = residuals

        def entry(basis):
            return jnp.sum(y_bar * (1 - y**2) * (basis.reshape(x.shape) @ w))

        _, w_bar, b_bar = layer_bwd(residuals, y_bar)
        return way(entry, jnp.eye(x.size, dtype=x.dtype)).reshape(x.shape), w_bar, b_bar

    return bwd


def unrolled(entry, basis):
    return jnp.stack([entry(row) for row in basis])


@pytest.mark.parametrize(
    "way, code",
    [
        (jax.lax.map, "way(entry, jnp.eye("),
        (lambda entry, basis: jax.vmap(entry)(basis), "basis.reshape(x.shape) @ w`"),
        (unrolled, "basis.reshape(x.shape) @ w`"),
    ],
    ids=["map", "vmap", "unrolled"],
)
def test_a_pass_for_every_number(way, code):
    texts = of_layer(layer_fwd, by_columns(way), X, W, B)
    assert f"It makes a pass for each number, 54 of them, in `{code}" in texts["basis"]
    assert list(texts) == ["basis"]


def one_hot_bwd(residuals, y_bar):
    table, ids = residuals
    return jax.nn.one_hot(ids, len(table), dtype=table.dtype).T @ (y_bar * jnp.cos(table[ids])), None


def test_a_one_hot_product_where_indexing_does():
    text = found(embed, embed_fwd, one_hot_bwd, TABLE, IDS)["one-hot"]
    assert "with ones and zeros, `jax.nn.one_hot(" in text


def dense_bwd(residuals, y_bar):
    table, ids = residuals
    return jnp.zeros_like(table).at[ids].add(y_bar) * jnp.cos(table), None


def sparse_bwd(residuals, y_bar):
    table, ids = residuals
    return jnp.zeros_like(table).at[ids].add(y_bar * jnp.cos(table[ids])), None


def test_dense_work_on_a_sparse_cotangent():
    texts = found(embed, embed_fwd, dense_bwd, TABLE, IDS)
    assert "few rows, `jnp.zeros_like(table).at[ids].add(y_bar) * jnp.cos(table)" in texts["sparse"]
    assert found(embed, embed_fwd, sparse_bwd, TABLE, IDS) == {}


def narrow(x, w):
    return x.astype(jnp.float32) @ w.astype(jnp.float32)


def narrow_fwd(x, w):
    return narrow(x, w), (x, w)


def widened_bwd(residuals, y_bar):
    x, w = (array.astype(jnp.float64) for array in residuals)
    wide = y_bar.astype(jnp.float64)
    return (wide @ w.T).astype(residuals[0].dtype), (x.T @ wide).astype(residuals[1].dtype)


def test_a_type_wider_than_the_primal_s():
    comparison = course.compare(
        narrow, narrow_fwd, widened_bwd, X.astype("float32"), W.astype("float32"), precision="float32"
    )
    assert comparison.agrees, comparison
    assert [excess.kind for excess in comparison.excesses] == ["wide"]


def saving_too_much(x, w, b):
    y = layer(x, w, b)
    return y, (x, w, y, jnp.exp(y), 1 - y)


def reading_some(residuals, y_bar):
    x, w, y, _, rest = residuals
    z_bar = y_bar * rest * (1 + y)
    return z_bar @ w.T, x.T @ z_bar, z_bar.sum(0)


def test_what_is_saved_and_never_read_or_at_hand_anyway():
    texts = of_layer(saving_too_much, reading_some, X, W, B)
    assert texts["unused"] == "Backward never reads residuals[3] (`jnp.exp(y)`): 360 bytes."
    assert texts["rebuildable"] == (
        "residuals[4] (`1 - y`) need not be saved: one step makes it of what is at hand: 360 bytes."
    )


def test_little_is_not_told():
    def bwd(residuals, y_bar):
        x_bar, w_bar, b_bar = layer_bwd(residuals, y_bar)
        return x_bar, w_bar, b_bar + 0 * (residuals[2] ** 3).sum() + 0 * (residuals[2] ** 3).sum()

    assert LEAST == 0.1
    assert of_layer(layer_fwd, bwd, X, W, B) == {}
