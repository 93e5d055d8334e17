"""A GPT: blocks in which tokens ask each other and then think for themselves, between a table and the same table.

    feed_forward(params, tokens)   affine -> gelu (its tanh form) -> affine, each token by itself
    block(params, x)               h = x + self_attention(layer_norm(x))          y = h + feed_forward(layer_norm(h))
    gpt_logits(params, ids)        embed -> block -> ... -> block -> layer_norm -> readout by the table of the embedding
    gpt_loss(params, ids, labels)  masked cross-entropy of every labelled token, in nats
    bigram(params, ids, labels)    the loss, and its gradient, of a model that knows one token: table[ids] + bias

Norms, and feed forward, take a row for each token. The norm stands on the branch: between x and y nothing but sums.

Source: A. Radford et al., "Language Models are Unsupervised Multitask Learners", 2019 (GPT-2); A. Vaswani and others,
"Attention Is All You Need", 2017, arXiv:1706.03762; R. Xiong et al., "On Layer Normalization in the Transformer
Architecture", 2020, arXiv:2002.04745.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from course.lessons.attention import Attention, self_attention
from course.lessons.embedding import embed, readout
from course.lessons.linear_and_activations import affine, gelu_tanh
from course.lessons.losses import IGNORED, masked_cross_entropy
from course.lessons.normalization import layer_norm


class Norm(NamedTuple):
    """The parameters of a layer norm."""

    scale: Float[Array, "d_model"]
    bias: Float[Array, "d_model"]


class FeedForward(NamedTuple):
    """The parameters of the small network that every token goes through by itself."""

    w_in: Float[Array, "d_model d_hidden"]
    b_in: Float[Array, "d_hidden"]
    w_out: Float[Array, "d_hidden d_model"]
    b_out: Float[Array, "d_model"]


class Block(NamedTuple):
    """The parameters of a block: two branches, each with the norm that it begins with."""

    norm_attention: Norm
    attention: Attention
    norm_mlp: Norm
    mlp: FeedForward


class Gpt(NamedTuple):
    """The parameters of a language model, whose table is used at both ends."""

    table: Float[Array, "vocab d_model"]
    positions: Float[Array, "max_seq d_model"]
    blocks: list[Block]
    norm: Norm


class Bigram(NamedTuple):
    """The parameters of a model that guesses the next token by this one alone."""

    table: Float[Array, "vocab vocab"]
    bias: Float[Array, "vocab"]


def feed_forward(params: FeedForward, tokens: Float[Array, "tokens d_model"]) -> Float[Array, "tokens d_model"]:
    """Returns what two affine maps with a gelu between them make of every token."""
    hidden = gelu_tanh(affine(tokens, params.w_in, params.b_in))
    return affine(hidden, params.w_out, params.b_out)


def block(params: Block, x: Float[Array, "batch seq d_model"]) -> Float[Array, "batch seq d_model"]:
    """Adds to every token what it takes from others, and then what it makes of that by itself."""
    h = x + self_attention(params.attention, norm_tokens(params.norm_attention, x))
    tokens = norm_tokens(params.norm_mlp, h).reshape(-1, h.shape[-1])
    return h + feed_forward(params.mlp, tokens).reshape(h.shape)


def norm_tokens(params: Norm, x: Float[Array, "batch seq d_model"]) -> Float[Array, "batch seq d_model"]:
    """Returns layer norm of every token."""
    return layer_norm(x.reshape(-1, x.shape[-1]), params.scale, params.bias).reshape(x.shape)


def gpt_logits(params: Gpt, ids: Int[Array, "batch seq"]) -> Float[Array, "batch seq vocab"]:
    """Returns, after every token, a score of each that may follow."""
    x = embed(params.table, params.positions, ids)
    for own in params.blocks:
        x = block(own, x)
    return readout(norm_tokens(params.norm, x), params.table)


def gpt_loss(params: Gpt, ids: Int[Array, "batch seq"], labels: Int[Array, "batch seq"]) -> Float[Array, ""]:
    """Returns the mean cross-entropy, in nats, of the tokens that follow; a label IGNORED does not count."""
    logits = gpt_logits(params, ids)
    return masked_cross_entropy(logits.reshape(labels.size, -1), labels.reshape(-1))


@jax.jit
def bigram(
    params: Bigram, ids: Int[Array, "batch seq"], labels: Int[Array, "batch seq"]
) -> tuple[Float[Array, ""], Bigram]:
    """Returns the mean cross-entropy, in nats, and the gradient of it; a label IGNORED does not count."""
    picked, truths = ids.reshape(-1), labels.reshape(-1)
    logits = params.table[picked] + params.bias
    counted = truths != IGNORED
    chosen = jax.nn.one_hot(truths, len(params.bias), dtype=logits.dtype)  # zeros for IGNORED
    tokens = jnp.maximum(jnp.sum(counted, dtype=logits.dtype), 1)
    logits_bar = counted[:, None] * (jax.nn.softmax(logits) - chosen) / tokens
    table_bar = jnp.zeros_like(params.table).at[picked].add(logits_bar)
    return masked_cross_entropy(logits, truths), Bigram(table_bar, logits_bar.sum(axis=0))
