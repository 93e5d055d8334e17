"""Answers to `flash_attention`: parts merged, a tile, all keys in tiles, causal tiles, heads that share their keys."""

import math
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

import course
from course.lessons.attention import total_of
from course.lessons.flash_attention import Part, all_seen, highest_of, nothing, seen, visits


def merge(one: Part, other: Part) -> Part:
    """Returns what the keys of two parts make of the queries, together."""
    # 1. exp(lse) is the total of a part. What is the total of both, as a logarithm, however large they are?
    lse = jnp.logaddexp(one.lse, other.lse)
    # 2. Each y is a mean over its own part. Which share of the whole does each part have?
    return Part(jnp.exp(one.lse - lse) * one.y + jnp.exp(other.lse - lse) * other.y, lse)


def attend_tile_fwd(
    q: Float[Array, "queries d_head"],
    k: Float[Array, "keys d_head"],
    v: Float[Array, "keys d_head"],
    mask: Bool[Array, "queries keys"],
) -> tuple[Float[Array, "queries d_head"], tuple[Any, ...]]:
    """Returns each query's mean of the values, and the residuals: beside the arguments y and lse, which are narrow."""
    # 1. As in attention: scores, the highest of each row taken away, powers, totals, and a division as late as can be.
    scores = jnp.where(mask, (q / math.sqrt(q.shape[1])) @ k.T, -jnp.inf)
    highest = highest_of(scores)
    powers = jnp.exp(scores - highest)
    total = total_of(powers)
    y = (powers @ v) / total
    # 2. One number a row, from which all weights can be had again: what is it, by highest and total?
    return y, (q, k, v, mask, y, highest + jnp.log(total))


def attend_tile_bwd(
    residuals: tuple[Any, ...], y_bar: Float[Array, "queries d_head"]
) -> tuple[Float[Array, "queries d_head"], Float[Array, "keys d_head"], Float[Array, "keys d_head"], None]:
    """Returns (q_bar, k_bar, v_bar, None): the mask is data."""
    q, k, v, mask, y, lse = residuals  # no weights: a product makes them again
    # 1. The scores again. What makes the weights of them, at one stroke?
    scaled = q / math.sqrt(q.shape[1])
    weights = jnp.exp(jnp.where(mask, scaled @ k.T, -jnp.inf) - lse)
    # 2. What do the values get? And the weights?
    v_bar = (y_bar.T @ weights).T
    weights_bar = y_bar @ v.T
    # 3. Back through softmax. Which number of each row is taken away, and how is it had from narrow arrays alone?
    scores_bar = weights * (weights_bar - (y_bar * y).sum(axis=-1, keepdims=True))
    # 4. Back through the product. Where is the scale in already, and where not?
    return scores_bar @ k / math.sqrt(q.shape[1]), (scaled.T @ scores_bar).T, v_bar, None


def attend_all_fwd(
    q: Float[Array, "queries d_head"], k: Float[Array, "tiles tile d_head"], v: Float[Array, "tiles tile d_head"]
) -> tuple[Float[Array, "queries d_head"], tuple[Any, ...]]:
    """Returns each query's mean of all values, and the residuals: beside the arguments y and lse."""
    mask = all_seen(len(q), k.shape[1])

    # 1. One tile of keys after the other: what is carried on from tile to tile, and with what does it begin?
    def look(part: Part, tile: tuple[Array, Array]) -> tuple[Part, None]:
        y, (*_, lse) = attend_tile_fwd(q, *tile, mask)
        return merge(part, Part(y, lse)), None

    whole, _ = jax.lax.scan(look, nothing(q), (k, v))
    # 2. Of all tiles together: what will make the weights of any of them again?
    return whole.y, (q, k, v, *whole)


def attend_all_bwd(
    residuals: tuple[Any, ...], y_bar: Float[Array, "queries d_head"]
) -> tuple[Float[Array, "queries d_head"], Float[Array, "tiles tile d_head"], Float[Array, "tiles tile d_head"]]:
    """Returns (q_bar, k_bar, v_bar)."""
    q, k, v, y, lse = residuals  # y and lse of the whole row: a tile's own would be another softmax
    mask = all_seen(len(q), k.shape[1])

    # 3. The way back of one tile you have. Whose y and lse does it take here?
    def look_back(q_bar: Array, tile: tuple[Array, Array]) -> tuple[Array, tuple[Array, Array]]:
        more, k_bar, v_bar, _ = attend_tile_bwd((q, *tile, mask, y, lse), y_bar)
        # 4. Which of the three comes from all tiles, and which belong to this one alone?
        return q_bar + more, (k_bar, v_bar)

    q_bar, (k_bar, v_bar) = jax.lax.scan(look_back, jnp.zeros_like(q), (k, v))
    return q_bar, k_bar, v_bar


def causal_attend_fwd(
    q: Float[Array, "tiles tile d_head"], k: Float[Array, "tiles tile d_head"], v: Float[Array, "tiles tile d_head"]
) -> tuple[Float[Array, "tiles tile d_head"], tuple[Any, ...]]:
    """Returns for each token the mean of the values up to itself, and the residuals: y and lse beside the arguments."""

    # 1. Which tiles are worth a visit? One visit changes the part of one row of tiles: which one?
    def visit(parts: Part, at: tuple[Array, Array]) -> tuple[Part, None]:
        row, column = at
        y, (*_, lse) = attend_tile_fwd(q[row], k[column], v[column], seen(row, column, q.shape[1]))
        merged = merge(Part(parts.y[row], parts.lse[row]), Part(y, lse))
        return Part(parts.y.at[row].set(merged.y), parts.lse.at[row].set(merged.lse)), None

    whole, _ = jax.lax.scan(visit, nothing(q), visits(len(q)))
    return whole.y, (q, k, v, *whole)


def causal_attend_bwd(
    residuals: tuple[Any, ...], y_bar: Float[Array, "tiles tile d_head"]
) -> tuple[Float[Array, "tiles tile d_head"], Float[Array, "tiles tile d_head"], Float[Array, "tiles tile d_head"]]:
    """Returns (q_bar, k_bar, v_bar)."""
    q, k, v, y, lse = residuals  # as narrow as q: the tiles' weights are made again, visit by visit

    # 2. The same visits. What is carried on now, and to which tile does each of the three belong?
    def visit(bars: tuple[Array, Array, Array], at: tuple[Array, Array]) -> tuple[tuple[Array, Array, Array], None]:
        row, column = at
        of_tile = (q[row], k[column], v[column], seen(row, column, q.shape[1]), y[row], lse[row])
        q_bar, k_bar, v_bar, _ = attend_tile_bwd(of_tile, y_bar[row])
        # 3. A tile is visited more than once: what follows?
        return (bars[0].at[row].add(q_bar), bars[1].at[column].add(k_bar), bars[2].at[column].add(v_bar)), None

    bars, _ = jax.lax.scan(visit, (jnp.zeros_like(q), jnp.zeros_like(k), jnp.zeros_like(v)), visits(len(q)))
    return bars[0], bars[1], bars[2]


def multi_query_fwd(
    q: Float[Array, "heads queries d_head"], k: Float[Array, "tiles tile d_head"], v: Float[Array, "tiles tile d_head"]
) -> tuple[Float[Array, "heads queries d_head"], tuple[Any, ...]]:
    """Returns what each head finds, and the residuals of one head that has the queries of all."""
    # 1. Keys and values are the same for all heads. What are the heads, then, to your pair for all keys?
    y, kept = attend_all_fwd(q.reshape(-1, q.shape[-1]), k, v)
    return y.reshape(q.shape), kept


def multi_query_bwd(
    residuals: tuple[Any, ...], y_bar: Float[Array, "heads queries d_head"]
) -> tuple[Float[Array, "heads queries d_head"], Float[Array, "tiles tile d_head"], Float[Array, "tiles tile d_head"]]:
    """Returns (q_bar, k_bar, v_bar)."""
    # 2. What comes back to q must be cut into heads again. And what of k and v, which all heads used?
    q_bar, k_bar, v_bar = attend_all_bwd(residuals, y_bar.reshape(-1, y_bar.shape[-1]))
    return q_bar.reshape(y_bar.shape), k_bar, v_bar


course.answer("flash_attention.q1", (67.1, 1.065))
course.answer("flash_attention.q2", (1.167, 0.62))
course.answer("flash_attention.q3", "b0")
course.answer(
    "flash_attention.text",
    """Forward alone is linear, yes. But jax.grad of a scan must go back through every round, and keeps for each round
what that needs: the powers of its tile. Stacked over all tiles that is a number for each query and key again, and the
memory is as quadratic as before. With jax.checkpoint around the body the powers are made again instead, but what the
loop carries, y and lse of all queries, is kept once for each tile: length times the number of tiles, so length squared
divided by the tile, which is better by a factor and no better in kind. By hand it is linear. At the end of forward the
row's lse is known, and exp(scores - lse) gives the final weights of any tile at once. So backward does not have to go
back through the merging, round by round, with what was carried then: it looks at each tile once, in any order, with
the final y and lse. And what softmax takes away from a row, the mean of what its weights were handed, is the sum of
y_bar * y, known before the first tile is looked at. A machine that turns each step of the program round does not see
that the sum of all these steps is so simple.""",
)
