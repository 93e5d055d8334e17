"""Embeddings: rows of tables picked by number, and one table that is used at both ends of a model.

    embed(table, positions, ids)  y[n, t] = table[ids[n, t]] + positions[t]
    readout(x, table)             logits[n, t, v] = sum over k of x[n, t, k] * table[v, k]
    tied_model(table, w, ids)     h = table[ids] @ w            logits = readout(h, table)
    embed_padded(table, ids)      y[n, t] = table[ids[n, t]], and zeros where ids[n, t] is PADDING
    sgd_rows(table, ids, x_bar)   table - rate * table_bar, for what comes back to x = table[ids]

An id is a whole number below the size of the vocabulary. The table of positions may have more rows than a sequence has
places: the first of them are used.

Source: Y. Bengio, R. Ducharme, P. Vincent, C. Jauvin, "A Neural Probabilistic Language Model", Journal of Machine
Learning Research 3, 2003; A. Mnih, G. Hinton, "Three New Graphical Models for Statistical Language Modelling", 2007
(the log-bilinear model, of which `tied_model` is the smallest); O. Press, L. Wolf, "Using the Output Embedding to
Improve Language Models", 2016, arXiv:1608.05859.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

PADDING = 0
"""The id that fills up short sequences."""


def embed(
    table: Float[Array, "vocab d_model"], positions: Float[Array, "max_seq d_model"], ids: Int[Array, "batch seq"]
) -> Float[Array, "batch seq d_model"]:
    """Returns for each token its row of the table plus the row of its place."""
    return table[ids] + positions[: ids.shape[1]]


def readout(
    x: Float[Array, "batch seq d_model"], table: Float[Array, "vocab d_model"]
) -> Float[Array, "batch seq vocab"]:
    """Returns for each token a score of every row of the table: their inner product."""
    return x @ table.T


def tied_model(
    table: Float[Array, "vocab d_model"], w: Float[Array, "d_model d_model"], ids: Int[Array, "batch seq"]
) -> Float[Array, "batch seq vocab"]:
    """Returns scores of what may follow each token, by one product between two uses of the same table."""
    return readout(table[ids] @ w, table)


def embed_padded(
    table: Float[Array, "vocab d_model"], ids: Int[Array, "batch seq"]
) -> Float[Array, "batch seq d_model"]:
    """Returns for each token its row of the table, and zeros for what only fills up."""
    return jnp.where((ids == PADDING)[..., None], 0, table[ids])


def sgd_rows(
    table: Float[Array, "vocab d_model"],
    ids: Int[Array, "batch seq"],
    x_bar: Float[Array, "batch seq d_model"],
    rate: Float[Array, ""] | float,
) -> Float[Array, "vocab d_model"]:
    """Returns the table after a step of gradient descent, for the cotangent of table[ids].

    `rate` is per step. This way makes the whole of table_bar.
    """
    _, pullback = jax.vjp(lambda table: table[ids], table)
    (table_bar,) = pullback(x_bar)
    return table - rate * table_bar
