"""Mistakes that people make in `vector_chain_rule`: copies not added, numbers sent back to the wrong places."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp

from course.comparison.mistakes import Mistake
from course.exercises.mistakes.forms import held, one_row, unasked, valued, weighted
from course.lessons.vector_chain_rule import COPIES, add_row, gather, matvec, repeat_each, row_sums, turn


def _matvec(w_sloped: Any = matvec, x_sloped: Any = matvec) -> Callable[..., Any]:
    """A matrix times a column, with the derivative by w of one function and the derivative by x of another."""
    return lambda w, x: valued(matvec(w, x), w_sloped(w, held(x)) + x_sloped(held(w), x))


_BESIDE_W = "y[i] = w[i, j] * x[j] + ...: when w[i, j] grows by 1, by how much does y[i] grow?   (step 1)"
_BESIDE_X = "y[i] = w[i, j] * x[j] + ...: when x[j] grows by 1, by how much does y[i] grow?   (step 2)"

MATVEC = (
    Mistake(
        "y_bar left out",
        lambda w, x: unasked(matvec(w, x)),
        "Both are what comes back for a y_bar of ones.",
        "By how much does each entry of y count for the loss?   (steps 1, 2)",
    ),
    Mistake(
        "y_bar left out of w_bar",
        _matvec(w_sloped=lambda w, x: unasked(matvec(w, x))),
        "w_bar is what comes back for a y_bar of ones: all its rows are alike.",
        "By how much does each entry of y count for the loss?   (step 1)",
    ),
    Mistake(
        "y_bar left out of x_bar",
        _matvec(x_sloped=lambda w, x: unasked(matvec(w, x))),
        "x_bar is what comes back for a y_bar of ones.",
        "By how much does each entry of y count for the loss?   (step 2)",
    ),
    Mistake(
        "x left out of w_bar",
        _matvec(w_sloped=lambda w, x: matvec(w, jnp.ones_like(x))),
        "All columns of w_bar are alike: x is not in it.",
        _BESIDE_W,
    ),
    Mistake(
        "w_bar from x without its sign",
        _matvec(w_sloped=lambda w, x: matvec(w, jnp.abs(x))),
        "w_bar was made with the sizes of x, without their signs.",
        _BESIDE_W,
    ),
    Mistake(
        "w left out of x_bar",
        _matvec(x_sloped=lambda w, x: matvec(jnp.ones_like(w), x)),
        "All entries of x_bar are alike: w is not in it.",
        _BESIDE_X,
    ),
    Mistake(
        "x_bar from the first row of w",
        _matvec(x_sloped=lambda w, x: one_row(matvec(w, x), 0)),
        "x got what the first entry of y sends, and nothing from the others.",
        "How many entries of y did x[j] touch?   (step 2)",
    ),
    Mistake(
        "x_bar overwritten",
        _matvec(x_sloped=lambda w, x: one_row(matvec(w, x), -1)),
        "x kept what the last entry of y sent: each overwrote the one before.",
        "How many entries of y did x[j] touch?   (step 2)",
    ),
    Mistake(
        "x_bar averaged",
        lambda w, x: matvec(w, weighted(x, 1 / len(w))),
        "What the entries of y send to x was averaged.",
        "Used many times: what follows?   (step 2)",
    ),
)

_COPIED = "Forward copied row to every row of x: what does backward do with copies?   (step 2)"


def _row_copied_to(place: int) -> Callable[..., Any]:
    """Rows with one added, which is no constant in one of them alone."""

    def mistaken(x: Any, row: Any) -> Any:
        copies = jnp.broadcast_to(row, x.shape)
        return x + one_row(copies, place)

    return mistaken


ADD_ROW = (
    Mistake(
        "y_bar left out",
        lambda x, row: unasked(add_row(x, row)),
        "Both are what comes back for a y_bar of ones.",
        "By how much does each entry of y count for the loss?   (steps 1, 2)",
    ),
    Mistake(
        "row_bar counted",
        lambda x, row: valued(add_row(x, row), x + unasked(add_row(held(x), row))),
        "row_bar says how many rows there are, not what they send back.",
        "By how much does each entry of y count for the loss?   (step 2)",
    ),
    Mistake(
        "row_bar averaged",
        lambda x, row: add_row(x, weighted(row, 1 / len(x))),
        "What the rows send to row was averaged.",
        _COPIED,
    ),
    Mistake(
        "row_bar from the first row",
        _row_copied_to(0),
        "row got what the first row of y sends, and nothing from the others.",
        _COPIED,
    ),
    Mistake(
        "row_bar overwritten",
        _row_copied_to(-1),
        "row kept what the last row of y sent: each overwrote the one before.",
        _COPIED,
    ),
    Mistake(
        "sum taken for a product",
        lambda x, row: valued(add_row(x, row), x * row),
        "Each of the two was handed the other one: that is the way of a product.",
        "y[n, j] = x[n, j] + row[j]: when one of them grows by 1, by how much does y grow?   (steps 1, 2)",
    ),
    Mistake(
        "row's slope taken for x",
        lambda x, row: valued(add_row(x, row), x + held(x) * row),
        "What comes back to row was multiplied by x on its way.",
        "y[n, j] = x[n, j] + row[j]: when row[j] grows by 1, by how much does y grow?   (step 2)",
    ),
    Mistake(
        "x_bar summed as well",
        lambda x, row: valued(add_row(x, row), row + x.sum(axis=0)),
        "Every row of x got what comes back to all of them.",
        "x[n, j] touched one entry of y. Which one?   (step 1)",
    ),
)

_EACH = "x[n, j] touched y[n, 0] and nothing else. How fast did that move?   (step 1)"


def _summed(sloped: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda x: valued(row_sums(x), sloped(x))


ROW_SUMS = (
    Mistake(
        "averaged",
        lambda x: row_sums(weighted(x, 1 / x.shape[1])),
        "y_bar was shared out among the entries of a row: that is the way of a mean.",
        _EACH,
    ),
    Mistake(
        "first column alone",
        _summed(lambda x: x[:, :1]),
        "Only the first entry of each row got something back.",
        "Which entries are in the sum?   (step 1)",
    ),
    Mistake(
        "last column alone",
        _summed(lambda x: x[:, -1:]),
        "Only the last entry of each row got something back.",
        "Which entries are in the sum?   (step 1)",
    ),
    Mistake(
        "written out in order",
        _summed(lambda x: x.reshape(x.shape[::-1]).sum(axis=0)[:, None]),
        "The numbers of y_bar were written out one after the other, again and again, across the ends of the rows.",
        "Which entry of y did x[n, j] touch?   (step 1)",
    ),
    Mistake(
        "multiplied by x",
        _summed(lambda x: row_sums(x**2 / 2)),
        "What came back was multiplied by x, which is no slope of a sum.",
        _EACH,
    ),
    Mistake(
        "summed again",
        _summed(lambda x: jnp.broadcast_to(x.sum(), (len(x), 1))),
        "Every entry got back the sum of y_bar, whichever its row.",
        "Which entry of y did x[n, j] touch?   (step 1)",
    ),
    Mistake(
        "counted",
        lambda x: row_sums(weighted(x, x.shape[1])),
        "What came back was multiplied by the number of columns.",
        _EACH,
    ),
    Mistake(
        "y_bar left out",
        lambda x: unasked(row_sums(x)),
        "x_bar is what comes back for a y_bar of ones.",
        "By how much does each entry of y count for the loss?   (step 1)",
    ),
)


def _repeated(sloped: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda x: valued(repeat_each(x), sloped(x))


def _copy_alone(copy: int) -> Callable[[Any], Any]:
    """Each entry COPIES times, of which one copy is no constant."""
    return _repeated(lambda x: repeat_each(held(x)).at[copy::COPIES].set(x))


repeated_as_tiled = _repeated(lambda x: jnp.tile(x, COPIES))
"""Each entry COPIES times, with the derivative of the whole array COPIES times."""

_ADD_COPIES = "Each copy sends something back to the same entry. Used many times: what follows?   (step 2)"

REPEAT_EACH = (
    Mistake(
        "cut as if tiled",
        repeated_as_tiled,
        "y_bar was cut as if the whole of x had been written out again and again: a b c a b c, not a a b b c c.",
        "At which places of y does x[0] stand?   (step 1)",
    ),
    Mistake(
        "averaged",
        lambda x: repeat_each(weighted(x, 1 / COPIES)),
        "What the copies send back was averaged.",
        _ADD_COPIES,
    ),
    Mistake(
        "first copy alone",
        _copy_alone(0),
        "Each entry got what its first copy sends, and nothing from the others.",
        _ADD_COPIES,
    ),
    Mistake(
        "overwritten",
        _copy_alone(COPIES - 1),
        "Each entry kept what its last copy sent: each overwrote the one before.",
        _ADD_COPIES,
    ),
    Mistake(
        "all summed",
        _repeated(lambda x: jnp.broadcast_to(x.sum(), (COPIES * len(x),))),
        "Every entry got back the sum of all of y_bar.",
        "At which places of y does x[0] stand?   (step 1)",
    ),
    Mistake(
        "one place off",
        _repeated(lambda x: jnp.roll(repeat_each(x), 1)),
        "The groups of y_bar are right in size, and begin one place too late.",
        "At which places of y does x[0] stand?   (step 1)",
    ),
    Mistake(
        "y_bar left out",
        lambda x: unasked(repeat_each(x)),
        "x_bar says how many copies there are, not what they send back.",
        "By how much does each entry of y count for the loss?   (step 2)",
    ),
)


def _gathered(sloped: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    return lambda table, ids: valued(gather(table, ids), sloped(table, ids))


def _picked_alike(ids: Any) -> Any:
    """Which picks were of the same row: a table of booleans."""
    return ids[:, None] == ids[None, :]


def _counting(pick: Callable[[Any], Any]) -> Callable[..., Any]:
    """Picked rows of which only those are no constants that a function of the equal picks, as a triangle, leaves."""

    def sloped(table: Any, ids: Any) -> Any:
        alone = ~jnp.any(_picked_alike(ids) & pick(jnp.ones((len(ids), len(ids)), bool)), axis=1)
        return jnp.where(alone[:, None], gather(table, ids), 0)

    return _gathered(sloped)


_ADD_PICKS = "A row that was picked twice was used twice: what follows?   (step 2)"
_WHERE_FROM = "From which row of the table did y[k] come?   (step 2)"

GATHER = (
    Mistake(
        "overwritten",
        _counting(lambda pairs: jnp.triu(pairs, 1)),
        "Of a row that was picked several times only the last pick came back: it overwrote the others.",
        _ADD_PICKS,
    ),
    Mistake(
        "first pick alone",
        _counting(lambda pairs: jnp.tril(pairs, -1)),
        "Of a row that was picked several times only the first pick came back.",
        _ADD_PICKS,
    ),
    Mistake(
        "averaged",
        _gathered(lambda table, ids: gather(table, ids) / _picked_alike(ids).sum(axis=1)[:, None]),
        "What the picks of a row send back was averaged.",
        _ADD_PICKS,
    ),
    Mistake(
        "in order",
        _gathered(lambda table, ids: gather(table, jnp.arange(len(ids)) % len(table))),
        "y_bar went to the rows in their order, whichever had been picked.",
        _WHERE_FROM,
    ),
    Mistake(
        "ids sorted",
        _gathered(lambda table, ids: gather(table, jnp.sort(ids))),
        "y_bar went to the picked rows as if they had been picked in the order of the table.",
        _WHERE_FROM,
    ),
    Mistake(
        "one row off",
        _gathered(lambda table, ids: gather(table, (ids + 1) % len(table))),
        "Everything went back to the row after the one that it came from.",
        _WHERE_FROM,
    ),
    Mistake(
        "to all rows",
        _gathered(lambda table, ids: jnp.broadcast_to(table.sum(axis=0), (len(ids), *table.shape[1:]))),
        "Every row of the table got all of y_bar.",
        "What comes back to a row that nobody picked?   (step 1)",
    ),
    Mistake(
        "y_bar left out",
        lambda table, ids: unasked(gather(table, ids)),
        "table_bar says how often each row was picked, not what comes back to it.",
        "By how much does each entry of y count for the loss?   (step 2)",
    ),
)


def _turned(sloped: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda x: valued(turn(x), sloped(x))


_UNDO = "Forward transposed, then turned the rows over. Which of the two has to be undone first?   (steps 1, 2)"

TURN = (
    Mistake(
        "not turned over",
        _turned(lambda x: x.T),
        "The transpose was undone; the turning over of the rows was not.",
        "Forward took two steps. Which one did it take last?   (step 1)",
    ),
    Mistake(
        "turned on",
        _turned(lambda x: x[::-1].T),
        "What came back was turned once more the same way, not back.",
        _UNDO,
    ),
    Mistake(
        "turned over both ways",
        _turned(lambda x: x[::-1, ::-1].T),
        "What came back was turned over in both directions.",
        _UNDO,
    ),
    Mistake(
        "reshaped",
        _turned(lambda x: x.reshape(x.shape[::-1])),
        "x_bar has the right shape, and its numbers stand in the order of y_bar: they were read row by row.",
        "Which entry of x went to y[0, 0]?   (step 1)",
    ),
    Mistake(
        "turned over, then reshaped",
        _turned(lambda x: x.reshape(x.shape[::-1])[::-1]),
        "The turning over was undone. The transpose was not: the shape was changed without moving a number.",
        "What undoes a transpose?   (step 2)",
    ),
    Mistake(
        "y_bar left out",
        lambda x: unasked(turn(x)),
        "x_bar is what comes back for a y_bar of ones.",
        "By how much does each entry of y count for the loss?   (steps 1, 2)",
    ),
)


def _total(spent: Any) -> Any:
    return spent.sum(axis=1, keepdims=True)


def _shares(sloped: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    """Shares with the derivative of a function of what was spent, and of its totals."""

    def mistaken(amounts: Any, prices: Any) -> Any:
        spent = amounts * prices
        total = _total(spent)
        return valued(spent / total, sloped(spent, total))

    return mistaken


def _spending(sloped: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    """Shares of what was spent, which has the derivative of another function of amounts and prices."""

    def mistaken(amounts: Any, prices: Any) -> Any:
        spent = valued(amounts * prices, sloped(amounts, prices))
        return spent / _total(spent)

    return mistaken


def _one_price(place: int) -> Callable[..., Any]:
    return _spending(lambda amounts, prices: amounts * one_row(jnp.broadcast_to(prices, amounts.shape), place))


_COPIED_PRICES = "Forward copied prices to every row: what does backward do with copies?   (step 4)"

SHARES = (
    Mistake(
        "path by the total lost",
        _shares(lambda spent, total: spent / held(total)),
        "Only the way over the top of the fraction was taken.",
        "Where else was spent used?   (step 3)",
    ),
    Mistake(
        "path by the top lost",
        _shares(lambda spent, total: held(spent) / total),
        "Only the way over the total was taken.",
        "Where else was spent used?   (step 3)",
    ),
    Mistake(
        "total left out under the top",
        _shares(lambda spent, total: spent + held(spent) / total),
        "By way of the top of the fraction spent got y_bar as it came.",
        "spent / total is spent times a number: which one?   (step 1)",
    ),
    Mistake(
        "minus of the fraction lost",
        _shares(lambda spent, total: spent / held(total) + held(spent / total**2) * total),
        "What came by way of the total has the wrong sign.",
        "When the bottom of a fraction grows, what does the fraction do?   (step 2)",
    ),
    Mistake(
        "total not squared",
        _shares(lambda spent, total: spent / held(total) - held(spent / total) * total),
        "In the slope of spent / total by total, total stands once too few below.",
        "1 / total is total to the power of -1: what is left of an exponent that came down?   (step 2)",
    ),
    Mistake(
        "spent left out of total_bar",
        _shares(lambda spent, total: spent / held(total) + 1 / total),
        "total_bar was made as if the tops of the fractions were 1.",
        "When total grows, spent / total shrinks: does it matter how large spent is?   (step 2)",
    ),
    Mistake(
        "total_bar averaged",
        _shares(lambda spent, total: spent / weighted(total, 1 / spent.shape[1])),
        "What the entries of a row send to their total was averaged.",
        "Forward copied total along its row: what does backward do with copies?   (step 2)",
    ),
    Mistake(
        "total_bar not summed",
        _shares(lambda spent, total: spent / held(total) - held(spent / total**2) * spent),
        "Each entry got what it sends to the total itself, and nothing of what the others of its row send.",
        "Forward copied total along its row: what does backward do with copies?   (step 2)",
    ),
    Mistake(
        "total_bar summed the wrong way",
        _shares(lambda spent, total: spent / held(total) - held(spent / total**2) * spent.sum(axis=0)),
        "What goes back to the totals was summed down the columns; the shapes fit all the same.",
        "Along which axis did forward copy total?   (step 2)",
    ),
    Mistake(
        "total_bar summed both ways",
        _shares(lambda spent, total: spent / held(total) - held(spent / total**2) * spent.sum()),
        "What goes back to the totals was summed to one number; each row has a total of its own.",
        "Along which axis did forward copy total?   (step 2)",
    ),
    Mistake(
        "amounts handed their own",
        _spending(lambda amounts, prices: amounts**2 / 2 + held(amounts) * prices),
        "amounts_bar was made with the amounts themselves, where the other factor belongs.",
        "spent = amounts * prices: when an amount grows by 1, by how much does spent grow?   (step 4)",
    ),
    Mistake(
        "prices handed their own",
        _spending(lambda amounts, prices: amounts * held(prices) + prices**2 / 2),
        "prices_bar was made with the prices themselves, where the other factor belongs.",
        "spent = amounts * prices: when a price grows by 1, by how much does spent grow?   (step 4)",
    ),
    Mistake(
        "prices_bar averaged",
        _spending(lambda amounts, prices: amounts * weighted(prices, 1 / len(amounts))),
        "What the rows send to prices was averaged.",
        _COPIED_PRICES,
    ),
    Mistake(
        "prices_bar from the first row",
        _one_price(0),
        "prices got what the first row sends, and nothing from the others.",
        _COPIED_PRICES,
    ),
    Mistake(
        "prices_bar overwritten",
        _one_price(-1),
        "prices kept what the last row sent: each row overwrote the one before.",
        _COPIED_PRICES,
    ),
    Mistake(
        "product taken for a sum",
        _spending(lambda amounts, prices: amounts + prices),
        "spent_bar went to both as it came.",
        "spent = amounts * prices: when one of them grows by 1, by how much does spent grow?   (step 4)",
    ),
)
