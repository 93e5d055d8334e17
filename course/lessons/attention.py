"""Attention: every token asks all the others, and takes a weighted mean of what they hold.

    softmax(scores)          weights = exp(scores) / total         total = sum of exp(scores) over a row
    attend(q, k, v, mask)    scores = q @ k.T / sqrt(d_head)       weights = softmax(scores), 0 where the mask is False
                             y = weights @ v
    self_attention(params, x)  q, k and v are products of x with w_qkv, and each head attends with its own, causally;
                             what all heads give is multiplied by w_out
    rotary(x)                every pair (x[t, i], x[t, i + half]) is turned by the angle t * rate[i]

A mask says which keys a query may see. A query that sees none gets zeros. Causal means: the keys up to itself.

Source: A. Vaswani and others, "Attention Is All You Need", 2017, arXiv:1706.03762; J. Su and others, "RoFormer:
Enhanced Transformer with Rotary Position Embedding", 2021, arXiv:2104.09864.
"""

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

SLOWEST = 10_000.0
"""Tokens in which the slowest pair of a rotary embedding turns by about a radian."""


class Attention(NamedTuple):
    """The parameters of a layer: how many heads there are, and how wide they are, is in their shapes."""

    w_qkv: Float[Array, "d_model 3 heads d_head"]
    w_out: Float[Array, "heads d_head d_model"]


def softmax(scores: Float[Array, "queries keys"]) -> Float[Array, "queries keys"]:
    """Makes of each row weights above zero that add up to 1."""
    highest = jax.lax.stop_gradient(scores.max(axis=-1, keepdims=True))  # taken away from all, it changes nothing
    powers = jnp.exp(scores - highest)
    return powers / powers.sum(axis=-1, keepdims=True)


def attend(
    q: Float[Array, "queries d_head"],
    k: Float[Array, "keys d_head"],
    v: Float[Array, "keys d_head"],
    mask: Bool[Array, "queries keys"],
) -> Float[Array, "queries d_head"]:
    """Returns for each query the mean of the values, weighted by how well their keys fit it."""
    scores = jnp.where(mask, q @ k.T / math.sqrt(q.shape[1]), -jnp.inf)
    powers = powers_of(scores)
    total = total_of(powers)
    return (powers / total) @ v


def powers_of(scores: Float[Array, "queries keys"]) -> Float[Array, "queries keys"]:
    """Returns exp of every score less the highest of its row; 0 where a score is -inf, and all through such a row."""
    lowest = jnp.finfo(jnp.result_type(scores)).min  # where nothing is seen: -inf less -inf would be no number
    return jnp.exp(scores - jax.lax.stop_gradient(jnp.max(scores, axis=-1, keepdims=True, initial=lowest)))


def total_of(powers: Float[Array, "queries keys"]) -> Float[Array, "queries 1"]:
    """Returns the sum of each row, and 1 where nothing is seen, so that it can be divided by."""
    total = powers.sum(axis=-1, keepdims=True)
    return jnp.where(total == 0, 1, total)


def causal(seq: int) -> Bool[Array, "seq seq"]:
    """Returns the mask by which every token sees itself and those before it."""
    return jnp.tril(jnp.ones((seq, seq), bool))


def self_attention(params: Attention, x: Float[Array, "batch seq d_model"]) -> Float[Array, "batch seq d_model"]:
    """Returns what every token takes from itself and those before it, by several heads."""
    q, k, v = jnp.einsum("ntd,dchk->cnhtk", x, params.w_qkv)
    mask = causal(x.shape[1])
    of_heads = jax.vmap(lambda q, k, v: attend(q, k, v, mask))
    y = jax.vmap(of_heads)(q, k, v)
    return jnp.einsum("nhtk,hkd->ntd", y, params.w_out)


def angles(seq: int, half: int) -> Float[Array, "seq half"]:
    """Returns by how many radians each pair of each token is turned: the first pair fastest, a radian a token."""
    rates = SLOWEST ** (-jnp.arange(half) / half)
    return jnp.arange(seq)[:, None] * rates


def rotary(x: Float[Array, "seq d_head"]) -> Float[Array, "seq d_head"]:
    """Turns each pair of numbers by an angle that grows with its place, so that products of two tell their distance."""
    first, second = jnp.split(x, 2, axis=1)
    turn = angles(x.shape[0], first.shape[1]).astype(x.dtype)
    cos, sin = jnp.cos(turn), jnp.sin(turn)
    return jnp.concatenate([first * cos - second * sin, first * sin + second * cos], axis=1)
