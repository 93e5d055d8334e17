"""Answers to `vector_chain_rule`: seven backward passes on arrays. The forward halves are given by the lesson."""

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

import course
from course.lessons.vector_chain_rule import COPIES, SharesResiduals


def matvec_bwd(
    residuals: tuple[Float[Array, "d_out d_in"], Float[Array, "d_in"]], y_bar: Float[Array, "d_out"]
) -> tuple[Float[Array, "d_out d_in"], Float[Array, "d_in"]]:
    """Returns (w_bar, x_bar)."""
    w, x = residuals  # both: each cotangent asks what stood beside it
    # 1. Which entry of y did w[i, j] touch, and with what beside it?
    w_bar = jnp.outer(y_bar, x)
    # 2. Which entries of y did x[j] touch, and with what beside it? Sum over which index?
    x_bar = w.T @ y_bar
    return w_bar, x_bar


def add_row_bwd(
    residuals: tuple[()], y_bar: Float[Array, "rows d"]
) -> tuple[Float[Array, "rows d"], Float[Array, "d"]]:
    """Returns (x_bar, row_bar). The residuals are empty: the slope of a sum is 1, whatever was added."""
    # 1. x[n, j] touched one entry of y. How fast did that move?
    x_bar = y_bar
    # 2. row[j] touched an entry of y in every row. Broadcast forward: what does backward do?
    row_bar = y_bar.sum(axis=0)
    return x_bar, row_bar


def row_sums_bwd(residuals: Float[Array, "rows d"], y_bar: Float[Array, "rows 1"]) -> tuple[Float[Array, "rows d"]]:
    """Returns (x_bar,)."""
    x = residuals  # for its shape alone: no entry of it is asked for
    # 1. x[n, j] touched y[n, 0] and nothing else. Which numbers stand in row n of x_bar?
    x_bar = jnp.broadcast_to(y_bar, x.shape)
    return (x_bar,)


def repeat_each_bwd(residuals: tuple[()], y_bar: Float[Array, "copies_times_d"]) -> tuple[Float[Array, "d"]]:
    """Returns (x_bar,). The residuals are empty: how many copies there were is known."""
    # 1. The copies of one entry stand side by side. How is y_bar cut, so that each entry gets a row?
    by_entry = y_bar.reshape(-1, COPIES)
    # 2. Copied forward: what does backward do, and along which axis?
    x_bar = by_entry.sum(axis=1)
    return (x_bar,)


def gather_bwd(
    residuals: tuple[Float[Array, "rows d"], Int[Array, "picks"]], y_bar: Float[Array, "picks d"]
) -> tuple[Float[Array, "rows d"], None]:
    """Returns (table_bar, None): the ids are integers, which can't be nudged."""
    table, ids = residuals  # the table for its shape alone; ids, since they say where everything goes back to
    # 1. What comes back to a row that nobody picked?
    nothing = jnp.zeros_like(table)
    # 2. y[k] came from row ids[k]. Send y_bar[k] there. And where a row was picked twice?
    table_bar = nothing.at[ids].add(y_bar)
    return table_bar, None


def turn_bwd(residuals: tuple[()], y_bar: Float[Array, "d rows"]) -> tuple[Float[Array, "rows d"]]:
    """Returns (x_bar,). The residuals are empty: where everything went is known."""
    # 1. Forward moved numbers in two steps. Which did it take last, and what undoes that one?
    turned_over = y_bar[::-1]
    # 2. And what undoes the first?
    x_bar = turned_over.T
    return (x_bar,)


def shares_bwd(
    residuals: SharesResiduals, y_bar: Float[Array, "rows items"]
) -> tuple[Float[Array, "rows items"], Float[Array, "items"]]:
    """Returns (amounts_bar, prices_bar). The residuals are amounts, prices, spent and total, in this order."""
    amounts, prices, spent, total = residuals  # not y: it is one division away
    # 1. y = spent / total. What comes back to spent by this way, as the top of the fraction?
    by_the_top = y_bar / total
    # 2. total was copied along its row. What comes back to each copy, and what is done with copies?
    total_bar = -(y_bar * spent / total**2).sum(axis=1, keepdims=True)
    # 3. total was the sum of a row of spent: what does each entry get from it? Where else was spent used?
    spent_bar = by_the_top + total_bar
    # 4. spent = amounts * prices. Which of the two was copied, and along which axis?
    amounts_bar = spent_bar * prices
    prices_bar = (spent_bar * amounts).sum(axis=0)
    return amounts_bar, prices_bar


course.answer("vector_chain_rule.q1", 4 * (128 * 512) ** 2)
course.answer("vector_chain_rule.q2", "b")
course.answer("vector_chain_rule.q3", (20.0, 0.0, 80.0))
course.answer("vector_chain_rule.q4", "b0")
course.answer(
    "vector_chain_rule.text",
    """The table of slopes of y by w has a row for each of 1000 outputs and a column for each of a million weights: a
thousand million numbers, 4 GB in float32, of which only one in a thousand is not zero, since w[i, j] touches
y[i] alone. Nobody wants that table. Wanted is y_bar, as a row, times it, and by indices that is y_bar[i] *
x[j]: an outer product. For x it is w turned, times y_bar. Both cost about what forward cost.""",
)
