"""Answers to `attention`: softmax by rows, one head with a mask, a layer of many heads, rotary positions."""

import math
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

import course
from course.lessons.attention import Attention, angles, causal, powers_of, rotary, softmax, total_of


def softmax_fwd(
    scores: Float[Array, "queries keys"],
) -> tuple[Float[Array, "queries keys"], Float[Array, "queries keys"]]:
    """Returns the weights, and the residuals: the weights."""
    # 1. The slope of exp is exp. What does that say of what to keep?
    weights = softmax(scores)
    return weights, weights


def softmax_bwd(
    residuals: Float[Array, "queries keys"], weights_bar: Float[Array, "queries keys"]
) -> tuple[Float[Array, "queries keys"]]:
    """Returns (scores_bar,)."""
    weights = residuals  # not the scores: these are exp of them, divided
    # 1. When one score grows, its weight grows, and the others of its row shrink, since they share one total. Which
    #    number, one for the whole row, do all scores of the row lose by?
    mean = (weights * weights_bar).sum(axis=-1, keepdims=True)
    # 2. What comes back to each score?
    return (weights * (weights_bar - mean),)


def attend_fwd(
    q: Float[Array, "queries d_head"],
    k: Float[Array, "keys d_head"],
    v: Float[Array, "keys d_head"],
    mask: Bool[Array, "queries keys"],
) -> tuple[Float[Array, "queries d_head"], tuple[Any, ...]]:
    """Returns each query's mean of the values, and the residuals: of arrays with a number for each pair, one."""
    # 1. The scale is a number. Which of two arrays is smaller to multiply by it, q or the scores?
    scaled = q / math.sqrt(q.shape[1])
    powers = powers_of(jnp.where(mask, scaled @ k.T, -jnp.inf))
    total = total_of(powers)
    # 2. (powers / total) @ v: which of three arrays is the smallest to divide by the totals?
    y = (powers @ v) / total
    # 3. Which keys were masked can be seen in powers. What else need backward not be told?
    return y, (scaled, k, v, powers, total, y)


def attend_bwd(
    residuals: tuple[Any, ...], y_bar: Float[Array, "queries d_head"]
) -> tuple[Float[Array, "queries d_head"], Float[Array, "keys d_head"], Float[Array, "keys d_head"], None]:
    """Returns (q_bar, k_bar, v_bar, None): the mask is data."""
    scaled, k, v, powers, total, y = residuals  # not the mask, nor the weights: powers / total
    # 1. y = (powers / total) @ v. What does v get, and what do powers get by the top of the fraction? Which array is
    #    the smallest to divide? And where a product turns one of its arrays, let it be the small one.
    y_bar = y_bar / total
    v_bar = (y_bar.T @ powers).T
    by_top = y_bar @ v.T
    # 2. By way of the total, each score of a row loses the mean of what the row was handed, by the weights. y is a mean
    #    by the same weights: how is that number had from y_bar and y?
    mean = (y_bar * y).sum(axis=-1, keepdims=True)
    # 3. Back through softmax. What has become of the masked pairs?
    scores_bar = powers * (by_top - mean)
    # 4. scores = scaled @ k.T. Where is the scale in already, and where not?
    q_bar = scores_bar @ k / math.sqrt(k.shape[1])
    k_bar = (scaled.T @ scores_bar).T
    return q_bar, k_bar, v_bar, None


def self_attention_fwd(
    params: Attention, x: Float[Array, "batch seq d_model"]
) -> tuple[Float[Array, "batch seq d_model"], tuple[Any, ...]]:
    """Returns what every token takes from those up to itself, and the residuals of all heads."""
    # 1. With a row for each token, all of q, k and v are one product of two matrices. How is it cut then?
    batch, seq, d_model = x.shape
    projected = x.reshape(-1, d_model) @ params.w_qkv.reshape(d_model, -1)
    q, k, v = projected.reshape(batch, seq, *params.w_qkv.shape[1:]).transpose(2, 0, 3, 1, 4)
    # 2. Your pair is for one head of one sequence. What makes it one for all?
    of_heads = jax.vmap(attend_fwd, in_axes=(0, 0, 0, None))
    y, kept = jax.vmap(of_heads, in_axes=(0, 0, 0, None))(q, k, v, causal(seq))
    # 3. A row for each token again, for one product more.
    rows = y.swapaxes(1, 2).reshape(batch * seq, -1)
    return (rows @ params.w_out.reshape(-1, d_model)).reshape(x.shape), (params, x, y, kept)


def self_attention_bwd(
    residuals: tuple[Any, ...], out_bar: Float[Array, "batch seq d_model"]
) -> tuple[Attention, Float[Array, "batch seq d_model"]]:
    """Returns (params_bar, x_bar)."""
    params, x, y, kept = residuals  # y is among what was kept, and counts once
    batch, seq, d_model = x.shape
    # 1. The last product: what do w_out and the rows get?
    rows = y.swapaxes(1, 2).reshape(batch * seq, -1)
    out_bar = out_bar.reshape(-1, d_model)
    w_out_bar = (rows.T @ out_bar).reshape(params.w_out.shape)
    rows_bar = out_bar @ params.w_out.reshape(-1, d_model).T
    # 2. How did y become rows? Undo it, and let every head of every sequence go back.
    y_bar = rows_bar.reshape(batch, seq, *params.w_out.shape[:2]).swapaxes(1, 2)
    bars = jax.vmap(jax.vmap(attend_bwd))(kept, y_bar)[:3]
    # 3. Put the three together as forward cut them, with a row for each token.
    projected_bar = jnp.stack([bar.swapaxes(1, 2) for bar in bars], axis=2).reshape(batch * seq, -1)
    # 4. The first product: what do w_qkv and x get?
    w_qkv_bar = (x.reshape(-1, d_model).T @ projected_bar).reshape(params.w_qkv.shape)
    x_bar = projected_bar @ params.w_qkv.reshape(d_model, -1).T
    return Attention(w_qkv_bar, w_out_bar), x_bar.reshape(x.shape)


def rotary_fwd(x: Float[Array, "seq d_head"]) -> tuple[Float[Array, "seq d_head"], None]:
    """Returns every pair turned by the angle of its place, and the residuals: none."""
    # 1. By how much each pair was turned is known from the shape alone. What must backward know of x?
    return rotary(x), None


def rotary_bwd(residuals: None, y_bar: Float[Array, "seq d_head"]) -> tuple[Float[Array, "seq d_head"]]:
    """Returns (x_bar,)."""
    # 1. The same angles as forward.
    first_bar, second_bar = jnp.split(y_bar, 2, axis=1)
    seq, half = first_bar.shape
    turn = angles(seq, half).astype(y_bar.dtype)
    cos, sin = jnp.cos(turn), jnp.sin(turn)
    # 2. A turn is a matrix, whose transpose is what kind of turn?
    x_bar = jnp.concatenate([first_bar * cos + second_bar * sin, second_bar * cos - first_bar * sin], axis=1)
    return (x_bar,)


course.answer("attention.q1", (8, 1))
course.answer("attention.q2", "b")
course.answer("attention.q3", "d0")
course.answer(
    "attention.text",
    """A masked score is minus infinity, or something very low, and exp of it is 0. So its weight is 0, and softmax's
backward pass multiplies by the weight: nothing comes back to the score, whatever weights_bar is there. Its
query and its key get nothing by this pair, and v gets weight times y_bar, which is 0, too. So no mask is needed
on the way back: the zeros among the weights are the mask. It goes wrong where a query sees no key at all. Then
every score is minus infinity, so is the highest, and their difference is no number; or, with a low number for
minus infinity, all weights are alike, and the query takes a mean of what it must not see. And it goes wrong
where weights are masked after the softmax: the total then counts what is masked, and the scores get something
by it. I would test it by changing what is masked: neither the value nor any cotangent may move, and the rows of
k_bar and v_bar must be exactly zero.""",
)
