"""Attention in tiles: no array with a number for each query and key is ever kept, nor made as a whole.

    lse = log(sum(exp(scores)))       over a row: with it a row's weights are had again, exp(scores - lse)
    Part(y, lse)                      what some of the keys make of the queries; two of them can be merged
    attend_tile(q, k, v, mask)        some queries and some keys: `attention.attend`
    attend_all(q, k, v)               every query sees all keys, which come in tiles
    causal_attend(q, k, v)            everything in tiles; each token sees itself and those before it
    multi_query(q, k, v)              several heads look with queries of their own at the same keys

A sequence in tiles has the shape (tiles, tile, d_head): it is one of tiles * tile tokens, in their order.

Source: T. Dao and others, "FlashAttention: Fast and Memory-Efficient Exact Attention with IO-Awareness", 2022,
arXiv:2205.14135; T. Dao, "FlashAttention-2", 2023, arXiv:2307.08691; M. Milakov, N. Gimelshein, "Online normalizer
calculation for softmax", 2018, arXiv:1805.02867; M. N. Rabe, C. Staats, "Self-attention Does Not Need O(n^2) Memory",
2021, arXiv:2112.05682; N. Shazeer, "Fast Transformer Decoding: One Write-Head is All You Need", 2019, arXiv:1911.02150.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from course.lessons.attention import attend, causal


class Part(NamedTuple):
    """What some of the keys make of the queries: the mean of their values, and the log of the sum of exp(scores)."""

    y: Float[Array, "*tiles queries d_head"]
    lse: Float[Array, "*tiles queries 1"]


def nothing(q: Float[Array, "*tiles queries d_head"]) -> Part:
    """Returns the part of no keys at all: any other, merged with it, stays what it is."""
    return Part(jnp.zeros_like(q), jnp.full((*q.shape[:-1], 1), lowest(q.dtype), q.dtype))


def lowest(dtype: Any) -> float:
    """Returns the lowest number of a type: a log of 0 with which one can go on calculating."""
    return float(jnp.finfo(dtype).min)


def highest_of(scores: Float[Array, "queries keys"]) -> Float[Array, "queries 1"]:
    """Returns the highest score of each row, and the lowest number there is where all are -inf."""
    return scores.max(axis=-1, keepdims=True, initial=lowest(scores.dtype))


def attend_tile(
    q: Float[Array, "queries d_head"],
    k: Float[Array, "keys d_head"],
    v: Float[Array, "keys d_head"],
    mask: Bool[Array, "queries keys"],
) -> Float[Array, "queries d_head"]:
    """Returns for each query the mean of the values that it may see, as `attention.attend` does."""
    return attend(q, k, v, mask)


def attend_all(
    q: Float[Array, "queries d_head"], k: Float[Array, "tiles tile d_head"], v: Float[Array, "tiles tile d_head"]
) -> Float[Array, "queries d_head"]:
    """Returns for each query the mean of all values, weighted by how well their keys fit it."""
    k, v = in_a_row(k), in_a_row(v)
    return attend(q, k, v, all_seen(len(q), len(k)))


def in_a_row(x: Float[Array, "tiles tile d_head"]) -> Float[Array, "seq d_head"]:
    """Returns the tokens of all tiles, one after the other."""
    return x.reshape(-1, x.shape[-1])


def all_seen(queries: int, keys: int) -> Bool[Array, "queries keys"]:
    """Returns the mask by which every query sees every key."""
    return jnp.ones((queries, keys), bool)


def causal_attend(
    q: Float[Array, "tiles tile d_head"], k: Float[Array, "tiles tile d_head"], v: Float[Array, "tiles tile d_head"]
) -> Float[Array, "tiles tile d_head"]:
    """Returns for each token the mean of the values of those up to itself."""
    q_row, k_row, v_row = in_a_row(q), in_a_row(k), in_a_row(v)
    return attend(q_row, k_row, v_row, causal(len(q_row))).reshape(q.shape)


def visits(tiles: int) -> tuple[Int[Array, "visits"], Int[Array, "visits"]]:
    """Returns the rows and the columns of the tiles on the diagonal and below it, row by row."""
    places = [(row, column) for row in range(tiles) for column in range(row + 1)]
    rows, columns = zip(*places, strict=True)
    return jnp.array(rows), jnp.array(columns)


def seen(row: Int[Array, ""], column: Int[Array, ""], tile: int) -> Bool[Array, "tile tile"]:
    """Returns what a tile's queries may see of its keys: all of it below the diagonal, on it no later token."""
    return causal(tile) | (row > column)


def multi_query(
    q: Float[Array, "heads queries d_head"], k: Float[Array, "tiles tile d_head"], v: Float[Array, "tiles tile d_head"]
) -> Float[Array, "heads queries d_head"]:
    """Returns for each query of each head the mean of all values; keys and values are there once for all heads."""
    return jax.vmap(lambda q: attend_all(q, k, v))(q)
