"""Answers to `embedding`: rows picked and added to, a table at both ends, padding, a step that touches few rows."""

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

import course
from course.lessons.embedding import PADDING, embed, embed_padded, readout


def embed_fwd(
    table: Float[Array, "vocab d_model"], positions: Float[Array, "max_seq d_model"], ids: Int[Array, "batch seq"]
) -> tuple[
    Float[Array, "batch seq d_model"],
    tuple[Float[Array, "vocab d_model"], Float[Array, "max_seq d_model"], Int[Array, "batch seq"]],
]:
    """Returns each token's row plus that of its place, and the residuals: the arguments, nothing made."""
    # 1. Which argument says where everything goes back to? And what of the tables does backward ask, if anything?
    return embed(table, positions, ids), (table, positions, ids)


def embed_bwd(
    residuals: tuple[Float[Array, "vocab d_model"], Float[Array, "max_seq d_model"], Int[Array, "batch seq"]],
    y_bar: Float[Array, "batch seq d_model"],
) -> tuple[Float[Array, "vocab d_model"], Float[Array, "max_seq d_model"], None]:
    """Returns (table_bar, positions_bar, None): the ids are whole numbers."""
    table, positions, ids = residuals  # the tables for their shapes alone
    # 1. A row may be picked many times, in any sequence and at any place. What comes back to it?
    table_bar = jnp.zeros_like(table).at[ids].add(y_bar)
    # 2. The row of a place was copied to every sequence of the batch: what does backward do?
    by_place = y_bar.sum(axis=0)
    # 3. There may be more rows than places in a sequence. What comes back to those that were not used?
    positions_bar = jnp.zeros_like(positions).at[: ids.shape[1]].set(by_place)
    return table_bar, positions_bar, None


def readout_fwd(
    x: Float[Array, "batch seq d_model"], table: Float[Array, "vocab d_model"]
) -> tuple[Float[Array, "batch seq vocab"], tuple[Float[Array, "batch seq d_model"], Float[Array, "vocab d_model"]]]:
    """Returns a score of every row of the table for each token, and the residuals: both arguments."""
    # 1. A product: what does each of its cotangents ask for?
    return readout(x, table), (x, table)


def readout_bwd(
    residuals: tuple[Float[Array, "batch seq d_model"], Float[Array, "vocab d_model"]],
    logits_bar: Float[Array, "batch seq vocab"],
) -> tuple[Float[Array, "batch seq d_model"], Float[Array, "vocab d_model"]]:
    """Returns (x_bar, table_bar)."""
    x, table = residuals  # both: each cotangent asks what stood beside it
    # 1. x[n, t, k] touched the scores of all words. Sum over which index? Is a transpose needed?
    x_bar = logits_bar @ table
    # 2. table[v, k] touched a score of every token. With a row for each token, which product sums over them?
    tokens = x.reshape(-1, x.shape[-1])
    table_bar = logits_bar.reshape(len(tokens), -1).T @ tokens
    return x_bar, table_bar


def tied_model_fwd(
    table: Float[Array, "vocab d_model"], w: Float[Array, "d_model d_model"], ids: Int[Array, "batch seq"]
) -> tuple[
    Float[Array, "batch seq vocab"],
    tuple[
        Float[Array, "vocab d_model"],
        Float[Array, "d_model d_model"],
        Int[Array, "batch seq"],
        Float[Array, "batch seq d_model"],
    ],
]:
    """Returns scores of what may follow each token, and the residuals: of all that was made, one array."""
    # 1. Pick and multiply.
    h = table[ids] @ w
    # 2. Your readout does the rest. Of x = table[ids] and h, which one can be had again without any arithmetic?
    logits, _ = readout_fwd(h, table)
    return logits, (table, w, ids, h)


def tied_model_bwd(
    residuals: tuple[
        Float[Array, "vocab d_model"],
        Float[Array, "d_model d_model"],
        Int[Array, "batch seq"],
        Float[Array, "batch seq d_model"],
    ],
    logits_bar: Float[Array, "batch seq vocab"],
) -> tuple[Float[Array, "vocab d_model"], Float[Array, "d_model d_model"], None]:
    """Returns (table_bar, w_bar, None)."""
    table, w, ids, h = residuals  # not x: its rows are picked once more
    # 1. What does the table get as a readout, and h with it?
    h_bar, table_bar = readout_bwd((h, table), logits_bar)
    # 2. h = x @ w, with a row for each token: what do w and the picked rows get?
    picked = ids.reshape(-1)
    h_bar = h_bar.reshape(len(picked), -1)
    w_bar = table[picked].T @ h_bar
    x_bar = h_bar @ w.T
    # 3. The table was used twice. You hold one of its two parts: where does the other one go?
    table_bar = table_bar.at[picked].add(x_bar)
    return table_bar, w_bar, None


def sparse_sgd(
    table: Float[Array, "vocab d_model"],
    ids: Int[Array, "batch seq"],
    x_bar: Float[Array, "batch seq d_model"],
    rate: Float[Array, ""] | float,
) -> Float[Array, "vocab d_model"]:
    """Returns the table after a step of gradient descent, for the cotangent of table[ids]."""
    # 1. Which rows does the step change, and by how much? What of a row that was picked twice?
    return table.at[ids].add(-rate * x_bar)


def embed_padded_fwd(
    table: Float[Array, "vocab d_model"], ids: Int[Array, "batch seq"]
) -> tuple[Float[Array, "batch seq d_model"], tuple[Float[Array, "vocab d_model"], Int[Array, "batch seq"]]]:
    """Returns each token's row, zeros for padding, and the residuals: the arguments."""
    # 1. Which places are padding? Who can tell that again?
    return embed_padded(table, ids), (table, ids)


def embed_padded_bwd(
    residuals: tuple[Float[Array, "vocab d_model"], Int[Array, "batch seq"]], y_bar: Float[Array, "batch seq d_model"]
) -> tuple[Float[Array, "vocab d_model"], None]:
    """Returns (table_bar, None): the ids are whole numbers."""
    table, ids = residuals  # the table for its shape alone
    # 1. What comes back to all rows, as if there were no padding?
    table_bar = jnp.zeros_like(table).at[ids].add(y_bar)
    # 2. Zeros came from no row. Which row has got something that it must not get?
    return table_bar.at[PADDING].set(0), None


course.answer("embedding.q1", (2 * 1024 * 50_000 * 64, 1024 * 64))
course.answer("embedding.q2", "a")
course.answer("embedding.q3", "c0")
course.answer(
    "embedding.text",
    """Of 50,000 rows a batch picks 256 at most. jax.grad makes a table of 12.8 MB, nearly all of it zeros, and Adam
reads it, and reads and writes the parameters and two moments: some hundred megabytes for 64 kB of news. With
plain gradient descent rows that were not picked do not move, so the step is a scatter of minus the rate times
x_bar into the table, in place. With Adam they do move: a row's moments decay from step to step, and what is
left of an earlier gradient goes on pushing it. Steps on the picked rows alone are another optimiser, which may
be good but is not Adam. And if the table is the readout as well, no row is spared: each gets something from
every token, since the softmax gives every word a probability. Then the gradient is dense, and there is nothing
to leave out.""",
)
