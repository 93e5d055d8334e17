"""Answers to `transformer`: feed forward, a block, and the whole language model's loss, made of earlier pairs."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

import course
from course.lessons.losses import IGNORED
from course.lessons.transformer import Block, FeedForward, Gpt, Norm
from solutions.attention import self_attention_bwd, self_attention_fwd
from solutions.embedding import embed_bwd, embed_fwd, readout_bwd, readout_fwd
from solutions.linear_and_activations import affine_bwd, affine_fwd, gelu_tanh_bwd, gelu_tanh_fwd
from solutions.losses import masked_cross_entropy_bwd, masked_cross_entropy_fwd
from solutions.normalization import layer_norm_bwd, layer_norm_fwd


def feed_forward_fwd(
    params: FeedForward, tokens: Float[Array, "tokens d_model"]
) -> tuple[Float[Array, "tokens d_model"], Any]:
    """Returns what the network makes of every token, and the residuals of its pairs."""
    # 1. Three pairs in a row: what does each hand to the next?
    z, kept_in = affine_fwd(tokens, params.w_in, params.b_in)
    hidden, kept_gelu = gelu_tanh_fwd(z)
    y, kept_out = affine_fwd(hidden, params.w_out, params.b_out)
    return y, (kept_in, kept_gelu, kept_out)


def feed_forward_bwd(
    residuals: Any, y_bar: Float[Array, "tokens d_model"]
) -> tuple[FeedForward, Float[Array, "tokens d_model"]]:
    """Returns (params_bar, tokens_bar)."""
    kept_in, kept_gelu, kept_out = residuals  # whatever each pair kept: two arrays as wide as d_hidden in all
    # 2. The same three, the last one first: what does each hand on?
    hidden_bar, w_out_bar, b_out_bar = affine_bwd(kept_out, y_bar)
    (z_bar,) = gelu_tanh_bwd(kept_gelu, hidden_bar)
    tokens_bar, w_in_bar, b_in_bar = affine_bwd(kept_in, z_bar)
    return FeedForward(w_in_bar, b_in_bar, w_out_bar, b_out_bar), tokens_bar


def block_fwd(params: Block, x: Float[Array, "batch seq d_model"]) -> tuple[Float[Array, "batch seq d_model"], Any]:
    """Returns what a block makes of x, and the residuals of its four pairs."""
    rows = x.reshape(-1, x.shape[-1])
    # 1. The first branch begins with a norm, of a row for each token. Which shape does attention want?
    normed, kept_norm_attention = layer_norm_fwd(rows, *params.norm_attention)
    attended, kept_attention = self_attention_fwd(params.attention, normed.reshape(x.shape))
    # 2. What does the second branch begin with, and what is it added to?
    h = rows + attended.reshape(rows.shape)
    normed, kept_norm_mlp = layer_norm_fwd(h, *params.norm_mlp)
    thought, kept_mlp = feed_forward_fwd(params.mlp, normed)
    return (h + thought).reshape(x.shape), (kept_norm_attention, kept_attention, kept_norm_mlp, kept_mlp)


def block_bwd(
    residuals: Any, y_bar: Float[Array, "batch seq d_model"]
) -> tuple[Block, Float[Array, "batch seq d_model"]]:
    """Returns (params_bar, x_bar)."""
    kept_norm_attention, kept_attention, kept_norm_mlp, kept_mlp = residuals  # each pair's own, and no sum
    rows_bar = y_bar.reshape(-1, y_bar.shape[-1])
    # 3. The second branch, last pair first. What comes back to h, over the branch and past it?
    mlp_bar, normed_bar = feed_forward_bwd(kept_mlp, rows_bar)
    through_mlp, *norm_mlp_bar = layer_norm_bwd(kept_norm_mlp, normed_bar)
    h_bar = rows_bar + through_mlp
    # 4. The first branch likewise. What is attention handed, now that h has all that comes back to it?
    attention_bar, normed_bar = self_attention_bwd(kept_attention, h_bar.reshape(y_bar.shape))
    through_attention, *norm_attention_bar = layer_norm_bwd(kept_norm_attention, normed_bar.reshape(h_bar.shape))
    x_bar = h_bar + through_attention
    # 5. Four sets of parameters: in which order does the tree hold them?
    params_bar = Block(Norm(*norm_attention_bar), attention_bar, Norm(*norm_mlp_bar), mlp_bar)
    return params_bar, x_bar.reshape(y_bar.shape)


def gpt_loss_fwd(
    params: Gpt, ids: Int[Array, "batch seq"], labels: Int[Array, "batch seq"]
) -> tuple[Float[Array, ""], Any]:
    """Returns the loss, and the residuals of all pairs."""
    # 1. From ids to numbers, and through all blocks: what is put on record of each?
    x, kept_embed = embed_fwd(params.table, params.positions, ids)
    kept_blocks = []
    for own in params.blocks:
        x, kept = block_fwd(own, x)
        kept_blocks.append(kept)
    # 2. The last norm, the table once more, the loss. Which of them want a row for each token?
    normed, kept_norm = layer_norm_fwd(x.reshape(-1, x.shape[-1]), *params.norm)
    logits, kept_readout = readout_fwd(normed.reshape(x.shape), params.table)
    loss, kept_loss = masked_cross_entropy_fwd(logits.reshape(labels.size, -1), labels.reshape(-1))
    return loss, (kept_embed, kept_blocks, kept_norm, kept_readout, kept_loss, x)


def gpt_loss_bwd(residuals: Any, loss_bar: Float[Array, ""]) -> tuple[Gpt, None, None]:
    """Returns the gradient of the parameters; ids and labels can't be nudged."""
    kept_embed, kept_blocks, kept_norm, kept_readout, kept_loss, x = residuals  # x for its shape alone
    # 3. From the loss back to what the last block gave: in which shape does each pair want its cotangent?
    logits_bar, _ = masked_cross_entropy_bwd(kept_loss, loss_bar)
    normed_bar, table_bar = readout_bwd(kept_readout, logits_bar.reshape(*x.shape[:2], -1))
    rows_bar, *norm_bar = layer_norm_bwd(kept_norm, normed_bar.reshape(-1, x.shape[-1]))
    x_bar = rows_bar.reshape(x.shape)
    # 4. The blocks: which one first, and in which order are their cotangents returned?
    blocks_bar = []
    for kept in reversed(kept_blocks):
        block_bar, x_bar = block_bwd(kept, x_bar)
        blocks_bar.append(block_bar)
    # 5. The table was used at both ends. What is done with its two cotangents?
    picked_bar, positions_bar, _ = embed_bwd(kept_embed, x_bar)
    return Gpt(table_bar + picked_bar, positions_bar, blocks_bar[::-1], Norm(*norm_bar)), None, None


def accumulate(
    loss_and_gradient: Callable[..., tuple[Float[Array, ""], Any]],
    params: Any,
    ids: Int[Array, "parts batch seq"],
    labels: Int[Array, "parts batch seq"],
) -> tuple[Float[Array, ""], Any]:
    """Returns the loss of all parts as one batch, and its gradient, with one part in memory at a time."""
    # 1. How many labels count in all, and by what is divided if there is none?
    counted = jnp.sum(labels != IGNORED, axis=(1, 2))
    shares = counted / jnp.maximum(counted.sum(), 1)

    # 2. One part gives a mean over its own labels. Which share of it belongs to the whole?
    def part(carried: Any, inside: tuple[Array, Array, Array]) -> tuple[Any, None]:
        part_ids, part_labels, share = inside
        found = loss_and_gradient(params, part_ids, part_labels)
        return jax.tree.map(lambda sum_so_far, own: sum_so_far + share * own, carried, found), None

    # 3. What is carried from part to part, and what is it at the start?
    nothing = (jnp.zeros((), shares.dtype), jax.tree.map(jnp.zeros_like, params))
    return jax.lax.scan(part, nothing, (ids, labels, shares))[0]


course.answer("transformer.q1", (7.08, 124.4))
course.answer("transformer.q2", 25)
course.answer("transformer.q3", "b0")
course.answer(
    "transformer.text",
    """In a block most of the time goes into matrix products, and these are the same by hand and by JAX: two on the way
back for one forward. There is nothing to gain, and the wider the model, the more of it is that. I gained where
arrays are large and little is computed: attention keeps one array with a number for each two tokens in place of
three and more, and goes through it fewer times; the norms and gelu keep what they were given and two numbers a row,
not their steps. A part of the gain was not by hand at all: with a row for each token JAX makes no copies of arrays
with their axes turned, and comes near. So I would let JAX derive whatever stands between products, spell the primal
well, measure, and write pairs for the few places where the profile or the memory shows something. Each of them
has to be held against jax.vjp, since a wrong one trains as well, only worse.""",
)
