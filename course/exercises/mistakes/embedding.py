"""The mistakes with a name of `embedding`: picks that overwrite each other, places mixed up, one of two uses forgotten.

Only forward functions stand here: each has the right value, and the derivative of a wrong pass.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp

from course.comparison.mistakes import Mistake
from course.exercises.mistakes.forms import held, one_row, unasked, valued, weighted
from course.exercises.mistakes.vector_chain_rule import GATHER
from course.lessons.embedding import PADDING, embed, embed_padded, readout, sgd_rows, tied_model

Function = Callable[..., Any]

_GATHER = {mistake.name: mistake.primal for mistake in GATHER}


def _picked(name: str, table: Any, ids: Any) -> Any:
    """Rows of the table, with the derivative of a wrong way to pick one row for each id."""
    return _GATHER[name](table, ids.ravel()).reshape(*ids.shape, table.shape[1])


# Tokens and their places.

_ADD_PICKS = "A row that was picked twice was used twice: what follows?   (step 1)"
_WHERE_FROM = "Which row of the table is in y[n, t]?   (step 1)"
_COPIED = "The row of a place was copied to every sequence: what does backward do with copies?   (step 2)"
_PLACES = "Which row of positions is in y[n, t]?   (step 3)"


def _embedded(name: str) -> Function:
    """Token and place, with a wrong derivative by the table."""
    return lambda table, positions, ids: embed(held(table), positions, ids) + _nothing(_picked(name, table, ids))


def _nothing(x: Any) -> Any:
    """Zeros, with the derivative of x."""
    return x - held(x)


def _placed(place: Function) -> Function:
    """Token and place, with the derivative by the positions of a function of them and of the ids."""

    def mistaken(table: Any, positions: Any, ids: Any) -> Any:
        return valued(embed(table, positions, ids), embed(table, held(positions), ids) + place(positions, ids))

    return mistaken


def _first(positions: Any, ids: Any) -> Any:
    """The rows of the places, one for each token."""
    return jnp.broadcast_to(positions[: ids.shape[1]], (*ids.shape, positions.shape[1]))


EMBED = (
    Mistake(
        "overwritten",
        _embedded("overwritten"),
        "Of a row that was picked several times only the last pick came back: it overwrote the others.",
        _ADD_PICKS,
    ),
    Mistake(
        "first pick alone",
        _embedded("first pick alone"),
        "Of a row that was picked several times only the first pick came back.",
        _ADD_PICKS,
    ),
    Mistake("averaged", _embedded("averaged"), "What the picks of a row send back was averaged.", _ADD_PICKS),
    Mistake(
        "one row off",
        _embedded("one row off"),
        "Everything went back to the row of the table after the one that it came from.",
        _WHERE_FROM,
    ),
    Mistake(
        "tokens by place",
        lambda table, positions, ids: (
            embed(held(table), positions, ids) + _nothing(_first(table, ids % len(table))[:, : len(table)])
        ),
        "The table got at row t what comes back at place t, whichever token stood there.",
        _WHERE_FROM,
    ),
    Mistake(
        "places averaged",
        _placed(lambda positions, ids: _first(weighted(positions, 1 / len(ids)), ids)),
        "What the sequences send to a place was averaged.",
        _COPIED,
    ),
    Mistake(
        "places from one sequence",
        _placed(lambda positions, ids: one_row(_first(positions, ids), 0)),
        "Each place got what the first sequence sends to it, and nothing from the others.",
        _COPIED,
    ),
    Mistake(
        "places by token",
        _placed(lambda positions, ids: positions[ids % len(positions)]),
        "positions got at row v what comes back to token v, wherever it stood.",
        _PLACES,
    ),
    Mistake(
        "places from the end",
        _placed(lambda positions, ids: _first(jnp.roll(positions, ids.shape[1], axis=0), ids)),
        "The last rows of positions got something, and the first ones were used.",
        _PLACES,
    ),
    Mistake(
        "places summed over the sequence",
        _placed(
            lambda positions, ids: jnp.broadcast_to(
                positions[: ids.shape[1]].sum(axis=0), (*ids.shape, positions.shape[1])
            )
        ),
        "Every place got the sum over all places.",
        "Which axis did forward copy along, batch or seq?   (step 2)",
    ),
    Mistake(
        "y_bar left out",
        lambda table, positions, ids: unasked(embed(table, positions, ids)),
        "That says how often each row was used, not what comes back to it.",
        "By how much does each entry of y count for the loss?   (steps 1, 2)",
    ),
)


# A score of every row.

_BESIDE_TABLE = "By which number is table[v, k] multiplied in logits[n, t, v]?   (step 2)"
_BESIDE_X = "By which number is x[n, t, k] multiplied in logits[n, t, v]?   (step 1)"
_ALL_TOKENS = "table[v, k] touched a score of every token: what follows?   (step 2)"


def _scores(x: Any, table: Any) -> Any:
    """What the readout gives."""
    return jnp.einsum("ntk,vk->ntv", x, table)


def _table_meets(change: Function) -> Function:
    """The readout, in which the table's cotangent is made of something else than x."""
    return lambda x, table: valued(readout(x, table), _scores(x, held(table)) + _scores(held(change(x)), table))


def _x_meets(change: Function) -> Function:
    """The readout, in which x's cotangent is made of something else than the table."""
    return lambda x, table: valued(readout(x, table), _scores(held(x), table) + _scores(x, held(change(table))))


def _turned(x: Any) -> Any:
    """The rows of all tokens in the order of places, and the shape as it was."""
    return jnp.swapaxes(x, 0, 1).reshape(x.shape)


READOUT = (
    Mistake(
        "averaged over tokens",
        lambda x, table: readout(x, weighted(table, 1 / (x.shape[0] * x.shape[1]))),
        "What the tokens send to the table was averaged.",
        _ALL_TOKENS,
    ),
    Mistake(
        "averaged over the batch",
        lambda x, table: readout(x, weighted(table, 1 / len(x))),
        "What the sequences send to the table was averaged.",
        _ALL_TOKENS,
    ),
    Mistake(
        "the last token alone",
        lambda x, table: valued(
            readout(x, table), readout(x, held(table)).at[:, -1].set(_scores(x[:, -1:], table)[:, 0])
        ),
        "table_bar has what the last token of each sequence sends, and nothing of the others.",
        _ALL_TOKENS,
    ),
    Mistake(
        "the first sequence alone",
        lambda x, table: valued(readout(x, table), _scores(x, held(table)) + one_row(_scores(held(x), table), 0)),
        "table_bar has what the first sequence sends, and nothing of the others.",
        _ALL_TOKENS,
    ),
    Mistake(
        "tokens mixed up",
        _table_meets(_turned),
        "Of the two arrays that meet in table_bar one has its tokens sequence by sequence, the other place by place.",
        "Which token is in row 1 of each array once it has a row for each token?   (step 2)",
    ),
    Mistake(
        "the token before",
        _table_meets(lambda x: jnp.roll(x, 1, axis=1)),
        "In table_bar each token's logits_bar meets the x of the token before it.",
        _BESIDE_TABLE,
    ),
    Mistake(
        "x left out of table_bar",
        _table_meets(jnp.ones_like),
        "All columns of table_bar are alike: x is not in it.",
        _BESIDE_TABLE,
    ),
    Mistake(
        "the table left out of x_bar",
        _x_meets(jnp.ones_like),
        "x_bar has the same number all along a token: the table is not in it.",
        _BESIDE_X,
    ),
    Mistake(
        "averaged over the words",
        lambda x, table: readout(weighted(x, 1 / len(table)), table),
        "What the scores send to x was averaged over the words.",
        "x[n, t, k] touched the scores of all words: what follows?   (step 1)",
    ),
    Mistake(
        "logits_bar left out",
        lambda x, table: unasked(readout(x, table)),
        "That is what comes back for a logits_bar of ones.",
        "By how much does each score count for the loss?   (steps 1, 2)",
    ),
)


# One table, used twice.

_TWICE = "The table was used twice: is what comes back by both uses there?   (step 3)"


def _tied(pick: Function | None = None, times: Function | None = None, score: Function | None = None) -> Function:
    """The tied model, of which one step has a derivative of its own."""

    def mistaken(table: Any, w: Any, ids: Any) -> Any:
        x = pick(table, ids) if pick else table[ids]
        h = times(x, w) if times else x @ w
        return valued(tied_model(table, w, ids), score(h, table, x, ids) if score else _scores(h, table))

    return mistaken


def _unpicked(table: Any, ids: Any) -> Any:
    """The table, of which rows that are picked are constants."""
    was_picked = jnp.zeros(len(table), bool).at[ids].set(True)
    return jnp.where(was_picked[:, None], held(table), table)


TIED_MODEL = (
    Mistake(
        "the pick left out",
        _tied(pick=lambda table, ids: held(table[ids])),
        "table_bar has what comes back by the readout, and nothing of what its picked rows sent.",
        _TWICE,
    ),
    Mistake(
        "the readout left out",
        _tied(score=lambda h, table, x, ids: _scores(h, held(table))),
        "table_bar has what comes back to the picked rows, and nothing by the readout.",
        _TWICE,
    ),
    Mistake(
        "the pick over the readout",
        _tied(
            pick=lambda table, ids: _picked("overwritten", table, ids),
            score=lambda h, table, x, ids: _scores(h, _unpicked(table, ids)),
        ),
        "Rows that were picked have only what their last pick sent: it overwrote what came by the readout.",
        _TWICE,
    ),
    Mistake(
        "picks overwritten",
        _tied(pick=lambda table, ids: _picked("overwritten", table, ids)),
        "Of a token that occurs several times only the last one came back to its row.",
        "A row that was picked twice was used twice: what follows?   (step 3)",
    ),
    Mistake(
        "the two uses averaged",
        lambda table, w, ids: tied_model(weighted(table, 0.5), w, ids),
        "What comes back by the two uses of the table was averaged.",
        _TWICE,
    ),
    Mistake(
        "w not turned",
        _tied(times=lambda x, w: valued(x @ w, x @ held(w).T + held(x) @ w)),
        "What goes back to the picked rows goes through w in its forward direction.",
        "h[n, t, k] came from x[n, t, i] by w[i, k]. Over which index is the sum on the way back?   (step 2)",
    ),
    Mistake(
        "what came out of w for what went in",
        _tied(times=lambda x, w: valued(x @ w, x @ held(w) + held(x @ w) @ w)),
        "w meets h, which came out of it, and not what went in.",
        "By what was w multiplied in forward?   (step 2)",
    ),
    Mistake(
        "the readout by x",
        _tied(score=lambda h, table, x, ids: _scores(h, held(table)) + _scores(held(x), table)),
        "In the readout's part of table_bar the picked rows themselves stand in the place of h.",
        "By which array were the rows of the table multiplied to give the scores?   (step 1)",
    ),
    Mistake(
        "past w",
        _tied(times=lambda x, w: valued(x @ w, x + held(x) @ w)),
        "What goes back to the picked rows goes past w, as if it were not there.",
        "What stands between the picked rows and h?   (step 2)",
    ),
)


# Padding.

_NO_ROW = "Which row of the table did a zero in place of padding come from?   (step 2)"

EMBED_PADDED = (
    Mistake(
        "padding gets something",
        lambda table, ids: valued(embed_padded(table, ids), table[ids]),
        "The row of the padding gets what comes back to all places that were filled up.",
        _NO_ROW,
    ),
    Mistake(
        "padding alone",
        lambda table, ids: valued(embed_padded(table, ids), jnp.where((ids == PADDING)[..., None], table[ids], 0)),
        "The row of the padding is the only one that gets something.",
        _NO_ROW,
    ),
    Mistake(
        "nothing for the last row",
        lambda table, ids: valued(
            embed_padded(table, ids), jnp.where((ids == len(table) - 1)[..., None], 0, table[ids])
        ),
        "The last row of the table gets nothing, where it should be the row of the padding.",
        "Which id is the padding?   (step 2)",
    ),
    Mistake(
        "nothing for the first token",
        lambda table, ids: valued(embed_padded(table, ids), embed_padded(table, ids).at[:, 0].set(0)),
        "What comes back to the first token of each sequence is lost.",
        "Is it a place that is padding, or an id?   (step 2)",
    ),
    *(
        Mistake(
            name,
            lambda table, ids, name=name: jnp.where((ids == PADDING)[..., None], 0, _picked(name, table, ids)),
            next(mistake.says for mistake in GATHER if mistake.name == name),
            "A row that was picked twice was used twice: what follows?   (step 1)",
        )
        for name in ("overwritten", "first pick alone", "averaged")
    ),
    Mistake(
        "y_bar left out",
        lambda table, ids: unasked(embed_padded(table, ids)),
        "table_bar says how often each row was picked, not what comes back to it.",
        "By how much does each entry of y count for the loss?   (step 1)",
    ),
)


# A step that touches few rows.

_DOWNHILL = "In gradient descent, what is taken away from a row?   (step 1)"


def _times_picked(table: Any, ids: Any) -> Any:
    """How often the row of each token is picked."""
    return jnp.zeros(len(table)).at[ids].add(1.0)[ids][..., None]


SPARSE_SGD = (
    Mistake(
        "overwritten",
        lambda table, ids, x_bar, rate: table.at[ids].set(table[ids] - rate * x_bar),
        "Of a row that was picked several times only one step was taken: each was written over the one before.",
        "A row that was picked twice gets two steps. Which of set and add keeps both?   (step 1)",
    ),
    Mistake(
        "averaged",
        lambda table, ids, x_bar, rate: sgd_rows(table, ids, x_bar / _times_picked(table, ids), rate),
        "What the picks of a row send back was averaged.",
        "A row that was picked twice was used twice: what follows?   (step 1)",
    ),
    Mistake(
        "uphill",
        lambda table, ids, x_bar, rate: sgd_rows(table, ids, x_bar, -rate),
        "The rows were moved the way that makes the loss larger.",
        _DOWNHILL,
    ),
    Mistake(
        "rate left out",
        lambda table, ids, x_bar, rate: sgd_rows(table, ids, x_bar, 1.0),
        "The rows were moved by what came back, whatever the rate.",
        _DOWNHILL,
    ),
    Mistake(
        "averaged over the batch",
        lambda table, ids, x_bar, rate: sgd_rows(table, ids, x_bar / len(ids), rate),
        "The steps were divided by the number of sequences.",
        "Is there a mean in the step, or had the loss one already?   (step 1)",
    ),
    Mistake(
        "the step alone",
        lambda table, ids, x_bar, rate: sgd_rows(table, ids, x_bar, rate) - table,
        "That is what is added to the table, and not the table after it.",
        "What is returned: the step, or the table after it?   (step 1)",
    ),
)
