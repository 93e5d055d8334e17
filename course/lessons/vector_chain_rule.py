"""The chain rule on arrays: seven operations, whose tables of slopes backward reads the other way round.

    matvec(w, x)             y[i] = sum over j of w[i, j] * x[j]
    add_row(x, row)          y[n, j] = x[n, j] + row[j]
    row_sums(x)              y[n, 0] = sum over j of x[n, j]
    repeat_each(x)           y[COPIES * i + c] = x[i]                 for each c below COPIES
    gather(table, ids)       y[k] = table[ids[k]]
    turn(x)                  y = x.T[::-1]                            a quarter turn against the clock
    shares(amounts, prices)  y = spent / total                        spent = amounts * prices, total its sum by row

The forward half of each pair is given: it returns the value and the residuals, which are what forward kept so that
backward need not compute it again.

Source: A. Griewank, A. Walther, "Evaluating Derivatives", second edition, SIAM, 2008, chapter 3: backward mode as a row
times a Jacobian, never made, doi:10.1137/1.9780898717761.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

COPIES = 3
"""How many copies of each entry `repeat_each` makes."""


class SharesResiduals(NamedTuple):
    """What the forward pass of `shares` keeps."""

    amounts: Float[Array, "rows items"]
    prices: Float[Array, "items"]
    spent: Float[Array, "rows items"]
    total: Float[Array, "rows 1"]


def matvec(w: Float[Array, "d_out d_in"], x: Float[Array, "d_in"]) -> Float[Array, "d_out"]:
    """Returns a matrix times a column."""
    return w @ x


def matvec_fwd(
    w: Float[Array, "d_out d_in"], x: Float[Array, "d_in"]
) -> tuple[Float[Array, "d_out"], tuple[Float[Array, "d_out d_in"], Float[Array, "d_in"]]]:
    """Returns a matrix times a column, and the residuals: both."""
    return w @ x, (w, x)


def add_row(x: Float[Array, "rows d"], row: Float[Array, "d"]) -> Float[Array, "rows d"]:
    """Adds one row to every row of x."""
    return x + row


def add_row_fwd(x: Float[Array, "rows d"], row: Float[Array, "d"]) -> tuple[Float[Array, "rows d"], tuple[()]]:
    """Returns every row of x with one row added, and no residuals: a sum need not know what it added."""
    return x + row, ()


def row_sums(x: Float[Array, "rows d"]) -> Float[Array, "rows 1"]:
    """Adds up each row, and leaves the sums in a column."""
    return x.sum(axis=1, keepdims=True)


def row_sums_fwd(x: Float[Array, "rows d"]) -> tuple[Float[Array, "rows 1"], Float[Array, "rows d"]]:
    """Returns the sum of each row in a column, and the residuals: x, for its shape."""
    return x.sum(axis=1, keepdims=True), x


def repeat_each(x: Float[Array, "d"]) -> Float[Array, "copies_times_d"]:
    """Writes every entry COPIES times in a row."""
    return jnp.repeat(x, COPIES)


def repeat_each_fwd(x: Float[Array, "d"]) -> tuple[Float[Array, "copies_times_d"], tuple[()]]:
    """Returns every entry COPIES times in a row, and no residuals."""
    return jnp.repeat(x, COPIES), ()


def gather(table: Float[Array, "rows d"], ids: Int[Array, "picks"]) -> Float[Array, "picks d"]:
    """Picks rows of a table by number, some perhaps many times and some never."""
    return table[ids]


def gather_fwd(
    table: Float[Array, "rows d"], ids: Int[Array, "picks"]
) -> tuple[Float[Array, "picks d"], tuple[Float[Array, "rows d"], Int[Array, "picks"]]]:
    """Returns the picked rows, and the residuals: the table, for its shape, and the numbers of the rows."""
    return table[ids], (table, ids)


def turn(x: Float[Array, "rows d"]) -> Float[Array, "d rows"]:
    """Turns a matrix by a quarter against the clock: rows become columns, then the last row becomes the first."""
    return x.T[::-1]


def turn_fwd(x: Float[Array, "rows d"]) -> tuple[Float[Array, "d rows"], tuple[()]]:
    """Returns the turned matrix, and no residuals."""
    return x.T[::-1], ()


def shares(amounts: Float[Array, "rows items"], prices: Float[Array, "items"]) -> Float[Array, "rows items"]:
    """Returns which share of what a row spends goes to each item; the shares of a row add up to 1."""
    return shares_fwd(amounts, prices)[0]


def shares_fwd(
    amounts: Float[Array, "rows items"], prices: Float[Array, "items"]
) -> tuple[Float[Array, "rows items"], SharesResiduals]:
    """Returns the shares, and the residuals: both arguments, what was spent on each item, and the total of each row."""
    spent = amounts * prices
    total = spent.sum(axis=1, keepdims=True)
    return spent / total, SharesResiduals(amounts, prices, spent, total)
