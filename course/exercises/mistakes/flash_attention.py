"""The mistakes with a name of `flash_attention`: parts that don't add up, tiles by themselves, tiles that are lost.

Only forward functions stand here: each has the right value, and the derivative of a wrong pass; but for `MERGE`, which
are wrong functions of two parts.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from course.comparison.mistakes import Mistake
from course.exercises.mistakes.attention import ATTEND
from course.exercises.mistakes.forms import changed, held, unasked, valued, weighted
from course.lessons.attention import causal
from course.lessons.flash_attention import Part, attend_all, attend_tile, causal_attend, lowest, multi_query

Function = Callable[..., Any]

FAR = 100.0
"""A wrong lse may make weights larger than any number there is. None is larger than exp of this."""


# Two parts.


def _shared(shares: Function) -> Function:
    """The parts merged with shares of their own, made of both lse and that of the whole."""

    def mistaken(one: Part, other: Part) -> Part:
        lse = jax.nn.logsumexp(jnp.stack([one.lse, other.lse]), axis=0)
        first, second = shares(one.lse, other.lse, lse)
        return Part(first * one.y + second * other.y, lse)

    return mistaken


def _totalled(total: Function) -> Function:
    """The parts merged with an lse of the whole of its own, by which the shares are made as well."""

    def mistaken(one: Part, other: Part) -> Part:
        lse = total(one.lse, other.lse)
        shares = jnp.exp(jnp.stack([one.lse, other.lse]) - lse)
        return Part((shares * jnp.stack([one.y, other.y])).sum(axis=0), lse)

    return mistaken


_SHARES = "Each y is a mean over its own keys. Which share of the whole total do they have?   (step 2)"
_TOTAL = "exp(lse) is a total. What is the total of both parts?   (step 1)"

MERGE = (
    Mistake(
        "half and half",
        _shared(lambda one, other, lse: (0.5, 0.5)),
        "The means of both parts count the same, however large their totals are.",
        _SHARES,
    ),
    Mistake(
        "shares of the logarithms",
        _shared(lambda one, other, lse: (one / (one + other), other / (one + other))),
        "The shares were made of the logarithms themselves.",
        _SHARES,
    ),
    Mistake(
        "shares exchanged",
        _shared(lambda one, other, lse: (jnp.exp(other - lse), jnp.exp(one - lse))),
        "Each part's mean has the other part's share.",
        _SHARES,
    ),
    Mistake(
        "the old part alone rescaled",
        _shared(lambda one, other, lse: (jnp.exp(one - lse), 1.0)),
        "The second part's mean was added as it is.",
        _SHARES,
    ),
    Mistake(
        "the logarithms added", _totalled(jnp.add), "The two lse were added up, and the shares made with that.", _TOTAL
    ),
    Mistake(
        "the higher of both",
        _totalled(jnp.maximum),
        "The higher of the two lse was taken for that of the whole, and the shares made with it.",
        _TOTAL,
    ),
)


# One tile: the mistakes of a head, asked about at the steps of this lesson.

_SOFTMAX_STEP = "Between the weights and the scores stands softmax: what does each row lose?   (step 3)"
_SCALE_STEP = "By what were the scores divided?   (step 4)"
_STEPS = {
    "the scale left out": _SCALE_STEP,
    "the scale twice": _SCALE_STEP,
    "each weight alone": _SOFTMAX_STEP,
    "the total held still": _SOFTMAX_STEP,
    "softmax left out": _SOFTMAX_STEP,
    "v by powers": "With which weights was each value taken?   (steps 1, 2)",
    "y_bar left out": "By how much does each entry of y count for the loss?   (step 2)",
}


# Tiles: queries (queries, d_head) look at keys (tiles, tile, d_head); arrays of pairs are (queries, tiles, tile).


class _Known(NamedTuple):
    """What is known of each query.

    Attributes:
        y: Of its whole row: (queries, 1, d_head).
        lse: Of its whole row: (queries, 1, 1).
        own_y: Of each tile by itself: (queries, tiles, d_head).
        own_lse: Of each tile by itself: (queries, tiles, 1).
    """

    y: Any
    lse: Any
    own_y: Any
    own_lse: Any


def _scores(q: Any, k: Any) -> Any:
    return jnp.einsum("qd,tsd->qts", q, k) / math.sqrt(q.shape[-1])


def _means(powers: Any, v: Any) -> Any:
    return jnp.einsum("qts,tsd->qd", powers, v)


def _known(q: Any, k: Any, v: Any, mask: Any) -> _Known:
    scores = jnp.where(mask, _scores(q, k), -jnp.inf)
    own_lse = jnp.maximum(jax.nn.logsumexp(scores, axis=2, keepdims=True), lowest(q.dtype))
    own_y = jnp.einsum("qts,tsd->qtd", jnp.exp(scores - own_lse), v)
    lse = jax.nn.logsumexp(own_lse, axis=1, keepdims=True)
    y = (jnp.exp(own_lse - lse) * own_y).sum(axis=1, keepdims=True)
    return _Known(y, lse, own_y, own_lse)


class _Pass(NamedTuple):
    """A backward pass: with which lse it makes weights, which mean a row loses, and how it goes back to q, k and v."""

    lse: Function = lambda known: known.lse
    taken: Function = lambda known: known.y
    scores: Function = _scores
    means: Function = _means


def _sloped(q: Any, k: Any, v: Any, mask: Any, by: _Pass, seen: Any = None) -> Any:
    """Has the derivative of a pass, and some value; backward may see other pairs than forward did."""
    known = held(_known(q, k, v, mask))
    logs = jnp.minimum(by.scores(q, k) - by.lse(known), FAR)
    powers = jnp.exp(jnp.where(mask if seen is None else seen, logs, -jnp.inf))
    taken = jnp.broadcast_to(by.taken(known), known.own_y.shape)
    return by.means(powers, v) - jnp.einsum("qts,qtd->qd", powers, taken)


def _all(by: _Pass) -> Function:
    def mistaken(q: Any, k: Any, v: Any) -> Any:
        mask = jnp.ones((len(q), *k.shape[:2]), bool)
        return valued(attend_all(q, k, v), _sloped(q, k, v, mask, by))

    return mistaken


def _scaled(primal: Function, factor: Function) -> Function:
    """Attention whose q and k get a factor, of the width of a head, times what is theirs."""

    def mistaken(q: Any, k: Any, v: Any) -> Any:
        by = factor(q.shape[-1])
        return valued(primal(q, k, v), primal(weighted(q, by), weighted(k, by), v))

    return mistaken


def _exchanged(primal: Function) -> Function:
    """Attention in which what comes back to keys and to values changes places."""
    return lambda q, k, v: valued(primal(q, k, v), primal(q, valued(k, v), valued(v, k)))


def _tile_unmasked(q: Any, k: Any, v: Any, mask: Any) -> Any:
    """One tile, with the lse of what may be seen, and weights for all keys; a query that sees nothing has none."""
    by = _Pass(lse=lambda known: jnp.where(known.lse == lowest(q.dtype), jnp.inf, known.lse))
    sloped = _sloped(q, k[None], v[None], mask[:, None], by, seen=jnp.ones_like(mask)[:, None])
    return valued(attend_tile(q, k, v, mask), sloped)


def _last_alone(q: Any, k: Any) -> Any:
    """Scores of which those of the last tile alone have a slope in q."""
    is_last = jnp.arange(len(k))[:, None] == len(k) - 1
    return jnp.where(is_last, _scores(q, k), _scores(held(q), k))


_BY_ITSELF = _Pass(lse=lambda known: known.own_lse, taken=lambda known: known.own_y)
_OWN_MEAN = _Pass(taken=lambda known: known.own_y)
_MEAN_OVER_TILE = _Pass(taken=lambda known: jnp.exp(known.own_lse - known.lse) * known.own_y)
_STILL = _Pass(taken=lambda known: 0.0 * known.y)
_SMALL_WEIGHTS = _Pass(lse=lambda known: known.own_lse.max(axis=1, keepdims=True))

_WHOSE = "Weights are shares of a whole row, of all tiles: whose y and lse do they take?   (step 3)"
_ADDED = "How many tiles does each of the three get something from?   (step 4)"
_BY_ITSELF_SAYS = "Each tile went back by itself, with its own y and lse."
_OWN_MEAN_SAYS = "The weights are those of the whole row; but what a row loses was made of each tile's own y."
_MEAN_OVER_TILE_SAYS = "What a row loses was added up over the keys of a tile, not over all keys."
_STILL_SAYS = "Nothing was taken away from the scores of a row, as if its total were a constant."
_NO_SCALE_SAYS = "What goes back to q and k was not divided by the root of d_head."
_EXCHANGED_SAYS = "What comes back to k stands in the place of v's, and the other way round."

ATTEND_TILE = (
    *(replace(mistake, ask=_STEPS[mistake.name]) for mistake in ATTEND if mistake.name in _STEPS),
    Mistake(
        "the mask left out",
        _tile_unmasked,
        "Backward made weights of all scores, the masked ones too.",
        "Which weight has a masked key?   (step 1)",
    ),
)

ATTEND_ALL = (
    Mistake("each tile by itself", _all(_BY_ITSELF), _BY_ITSELF_SAYS, _WHOSE),
    Mistake("the tile's own mean", _all(_OWN_MEAN), _OWN_MEAN_SAYS, _WHOSE),
    Mistake("the mean over a tile", _all(_MEAN_OVER_TILE), _MEAN_OVER_TILE_SAYS, _WHOSE),
    Mistake("the total held still", _all(_STILL), _STILL_SAYS, _WHOSE),
    Mistake(
        "the highest tile for the row",
        _all(_SMALL_WEIGHTS),
        "The weights were made with the highest lse of all tiles, in the place of the row's.",
        "Of all tiles together: what makes weights of scores?   (step 2)",
    ),
    Mistake(
        "the last tile alone for q",
        _all(_Pass(scores=_last_alone)),
        "q got what comes back from the last tile, and nothing from those before it.",
        _ADDED,
    ),
    Mistake(
        "the scale left out",
        _scaled(attend_all, math.sqrt),
        _NO_SCALE_SAYS,
        "By what are scores divided, and where does your tile's way back see to it?   (step 3)",
    ),
    Mistake("keys and values exchanged", _exchanged(attend_all), _EXCHANGED_SAYS, "In which order?   (step 4)"),
    Mistake(
        "y_bar left out",
        lambda q, k, v: unasked(attend_all(q, k, v)),
        "That is what comes back for a y_bar of ones.",
        "By how much does each entry of y count for the loss?   (step 3)",
    ),
)


# Causal, in tiles: the queries of all tiles in a row.


def _causal(by: Function) -> Function:
    """Causal attention by a pass that is made for the shape (tiles, tile, d_head)."""

    def mistaken(q: Any, k: Any, v: Any) -> Any:
        mask = causal(k.shape[0] * k.shape[1]).reshape(-1, *k.shape[:2])
        sloped = _sloped(q.reshape(-1, q.shape[-1]), k, v, mask, by(*k.shape[:2]))
        return valued(causal_attend(q, k, v), sloped.reshape(q.shape))

    return mistaken


def _places(tiles: int, tile: int) -> tuple[Any, Any]:
    """The tile of each query, (queries, 1, 1), and that of each key, (1, tiles, 1)."""
    return jnp.repeat(jnp.arange(tiles), tile)[:, None, None], jnp.arange(tiles)[None, :, None]


def _picked(which: Function, for_q: Function | None = None) -> Function:
    """Passes in which some tiles alone send something to k and v, and the same ones, or others, to q."""

    def by(tiles: int, tile: int) -> _Pass:
        picked = which(*_places(tiles, tile))
        picked_for_q = picked if for_q is None else for_q(*_places(tiles, tile))

        def scores(q: Any, k: Any) -> Any:
            of_q, of_k = _scores(q, held(k)), _scores(held(q), k)
            return held(of_q) + picked_for_q * (of_q - held(of_q)) + picked * (of_k - held(of_k))

        def means(powers: Any, v: Any) -> Any:
            return _means(powers, held(v)) + _means(held(powers) * picked, v - held(v))

        return _Pass(scores=scores, means=means)

    return by


def _mirrored(tiles: int, tile: int) -> _Pass:
    """A pass that sends what belongs to the keys' tile to the tile of the queries."""
    row = _places(tiles, tile)[0][:, 0, 0]

    def scores(q: Any, k: Any) -> Any:
        moved = jnp.einsum("qd,qsd->qs", held(q), (k - held(k))[row]) / math.sqrt(q.shape[-1])
        return _scores(q, held(k)) + moved[:, None]

    def means(powers: Any, v: Any) -> Any:
        return _means(powers, held(v)) + jnp.einsum("qts,qsd->qd", held(powers), (v - held(v))[row])

    return _Pass(scores=scores, means=means)


def _of_column(tiles: int, tile: int) -> _Pass:
    """A pass whose weights are made with the lse of the queries that stand where the keys do."""

    def lse(known: _Known) -> Any:
        of_tiles = known.lse.reshape(tiles, tile)
        return jnp.tile(of_tiles.T, (tiles, 1))[..., None]

    return _Pass(lse=lse)


def _unmasked(q: Any, k: Any, v: Any) -> Any:
    """Causal attention that goes back through all of the tiles on the diagonal."""
    tiles, tile, d_head = k.shape
    row, column = _places(tiles, tile)
    mask = causal(tiles * tile).reshape(-1, tiles, tile)
    sloped = _sloped(q.reshape(-1, d_head), k, v, mask, _Pass(), seen=column <= row)
    return valued(causal_attend(q, k, v), sloped.reshape(q.shape))


_TWICE = "A tile is visited more than once: what becomes of what earlier visits left?   (step 3)"
_WHICH = "To which tile does each of the three belong, the row's or the column's?   (step 2)"
_VISITED = "Which tiles were visited in forward?   (step 2)"

CAUSAL_ATTEND = (
    Mistake(
        "the last visit alone",
        _causal(_picked(lambda row, column: row == row.max(), lambda row, column: row == column)),
        "Each tile has what its last visit left there, and nothing of the visits before.",
        _TWICE,
    ),
    Mistake(
        "the last visit alone for keys",
        _causal(_picked(lambda row, column: row == row.max(), lambda row, column: column >= 0)),
        "q has all that is its own; but k and v have what the last visit left there.",
        _TWICE,
    ),
    Mistake(
        "the diagonal alone",
        _causal(_picked(lambda row, column: row == column)),
        "Only the tiles on the diagonal sent something back.",
        _VISITED,
    ),
    Mistake(
        "the diagonal left out",
        _causal(_picked(lambda row, column: row > column)),
        "Only the tiles below the diagonal sent something back.",
        _VISITED,
    ),
    Mistake(
        "keys at the row",
        _causal(_mirrored),
        "What comes back to keys and values was added to the tile that the queries are in.",
        _WHICH,
    ),
    Mistake(
        "the column's lse",
        _causal(_of_column),
        "The weights were made with the lse of the tile that the keys are in.",
        "Whose row is it that a weight is a share of?   (step 2)",
    ),
    Mistake(
        "the mask left out",
        _unmasked,
        "On the diagonal, backward has weights for later tokens, too.",
        "What may a token of a tile on the diagonal see of it?   (step 2)",
    ),
    Mistake("each tile by itself", _causal(lambda tiles, tile: _BY_ITSELF), _BY_ITSELF_SAYS, _WHOSE),
    Mistake("keys and values exchanged", _exchanged(causal_attend), _EXCHANGED_SAYS, _WHICH),
)


# Many heads, the same keys.


def _heads(by: _Pass) -> Function:
    """All heads by one pass."""

    def mistaken(q: Any, k: Any, v: Any) -> Any:
        return valued(multi_query(q, k, v), jax.vmap(lambda q: _all(by)(q, k, v))(q))

    return mistaken


def _by_heads(weigh: Function) -> Function:
    """Attention whose keys and values get what each head sends, times a factor of its own."""

    def mistaken(q: Any, k: Any, v: Any) -> Any:
        each = jax.vmap(lambda q, by: attend_all(q, weighted(k, by), weighted(v, by)))
        return valued(multi_query(q, k, v), each(q, weigh(len(q))))

    return mistaken


_mixed_up = changed(lambda q_bar: q_bar.swapaxes(0, 1).reshape(q_bar.shape))

_SUMMED = "All heads used the same keys and values: what follows?   (step 2)"

MULTI_QUERY = (
    Mistake(
        "the first head alone",
        _by_heads(lambda heads: jnp.arange(heads) == 0),
        "Keys and values have what the first head sends back, and nothing of the others.",
        _SUMMED,
    ),
    Mistake(
        "the last head alone",
        _by_heads(lambda heads: jnp.arange(heads) == heads - 1),
        "Keys and values have what the last head sends back, and nothing of those before.",
        _SUMMED,
    ),
    Mistake(
        "heads averaged",
        _by_heads(lambda heads: jnp.full(heads, 1 / heads)),
        "What heads send to keys and values was divided by their number.",
        _SUMMED,
    ),
    Mistake(
        "heads mixed up",
        lambda q, k, v: multi_query(_mixed_up(q), k, v),
        "What comes back to q was cut as if the queries came before the heads.",
        "How did forward put the heads in a row?   (step 2)",
    ),
    Mistake("each tile by itself", _heads(_BY_ITSELF), _BY_ITSELF_SAYS, "Whose y and lse?   (step 1)"),
    Mistake("the total held still", _heads(_STILL), _STILL_SAYS, "What does your pair for all keys do?   (step 2)"),
    Mistake(
        "the scale left out",
        _scaled(multi_query, math.sqrt),
        _NO_SCALE_SAYS,
        "What does your pair for all keys do?   (step 2)",
    ),
    Mistake("keys and values exchanged", _exchanged(multi_query), _EXCHANGED_SAYS, "In which order?   (step 2)"),
)
