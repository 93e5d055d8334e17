"""What `transformer` asks: feed forward, a block, a whole language model's loss, and a batch in unequal parts."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from course.exercises.exercise import Exercise, Paper
from course.exercises.mistakes import transformer as mistakes
from course.exercises.tasks.drawing import Draw
from course.exercises.tasks.free_text import Criterion, FreeText
from course.exercises.tasks.function import FunctionTask
from course.exercises.tasks.limits import Limits
from course.exercises.tasks.pair import Case, PairTask
from course.exercises.tasks.question import Number
from course.exercises.tasks.shown import Source
from course.exercises.tasks.which_mistake import WhichMistake
from course.lessons.attention import Attention
from course.lessons.losses import IGNORED
from course.lessons.transformer import Bigram, Block, FeedForward, Gpt, Norm, bigram, block, feed_forward, gpt_loss

LAYERS, D_MODEL, D_HIDDEN, VOCAB, MAX_SEQ = 12, 768, 4 * 768, 50_257, 1024
"""Of GPT-2 in its smallest size, whose heads have biases that this lesson's have not."""

MILLION = 1e6

MOST = 2
"""Sequences, heads and blocks of a drawn model: what it costs to judge grows with each."""


def _numbers(draw: Draw, *axes: str, scale: float) -> np.ndarray:
    """Gaussian numbers of a scale; on paper, quarters, so that gelu has a slope left."""
    return draw.normal(*axes) / 4 if draw.is_small else draw.normal(*axes, scale=scale)


def _draw_feed_forward_params(draw: Draw) -> FeedForward:
    return FeedForward(
        _numbers(draw, "d_model", "d_hidden", scale=0.5),
        _numbers(draw, "d_hidden", scale=0.5),
        _numbers(draw, "d_hidden", "d_model", scale=0.5),
        _numbers(draw, "d_model", scale=0.5),
    )


def _draw_feed_forward(draw: Draw) -> tuple[Any, ...]:
    draw.sizes("tokens", "d_model", "d_hidden")
    return _draw_feed_forward_params(draw), draw.normal("tokens", "d_model")


def _draw_norm(draw: Draw) -> Norm:
    return Norm(1 + _numbers(draw, "d_model", scale=0.3), _numbers(draw, "d_model", scale=0.3))


def _draw_params(draw: Draw) -> Block:
    w_qkv = np.stack([_numbers(draw, "d_model", "heads", "d_head", scale=0.5) for _ in range(3)], axis=1)
    w_out = _numbers(draw, "heads", "d_head", "d_model", scale=0.5)
    attention = Attention(w_qkv[:, :, :MOST], w_out[:MOST])
    return Block(_draw_norm(draw), attention, _draw_norm(draw), _draw_feed_forward_params(draw))


def _draw_block(draw: Draw) -> tuple[Any, ...]:
    draw.sizes("seq", "d_model", "d_head", "d_hidden")
    return _draw_params(draw), draw.normal("batch", "seq", "d_model")[:MOST]


def _draw_gpt(draw: Draw) -> tuple[Any, ...]:
    """Tokens that repeat, more places than are used, and labels of which some do not count."""
    draw.sizes("vocab", "d_model", "seq", "d_head", "d_hidden")
    table, positions = _numbers(draw, "vocab", "d_model", scale=0.5), _numbers(draw, "seq", "d_model", scale=0.5)
    blocks = [_draw_params(draw) for _ in range(MOST)]
    params = Gpt(table, np.concatenate([positions, positions[:1]]), blocks, _draw_norm(draw))
    ids, labels = draw.below("vocab", "batch", "seq")[:MOST], draw.below("vocab", "batch", "seq")[:MOST]
    return params, ids, _some_counted(labels, draw.either("batch", "seq")[:MOST])


def _some_counted(labels: np.ndarray, coins: np.ndarray) -> np.ndarray:
    """Labels of which some are IGNORED, the first one never."""
    counted = coins == 1
    counted.flat[0] = True
    return np.where(counted, labels, IGNORED)


def _draw_nothing_counts(draw: Draw) -> tuple[Any, ...]:
    params, ids, labels = _draw_gpt(draw)
    return params, ids, np.full_like(labels, IGNORED)


def _draw_parts(draw: Draw) -> tuple[Any, ...]:
    """Three parts: of the first, one label counts; of the second, all; of the last, some."""
    draw.sizes("vocab", "seq", "batch")
    params = Bigram(_numbers(draw, "vocab", "vocab", scale=1.0), _numbers(draw, "vocab", scale=1.0))
    ids, labels = (np.stack([draw.below("vocab", "batch", "seq") for _ in range(3)]) for _ in range(2))
    first, last = np.full_like(labels[0], IGNORED), _some_counted(labels[2], draw.either("batch", "seq"))
    first.flat[-1] = labels[0].flat[-1]
    return bigram, params, ids, np.stack([first, labels[1], last])


def _draw_one_label(draw: Draw) -> tuple[Any, ...]:
    """The same, with nothing that counts in all parts but the first."""
    function, params, ids, labels = _draw_parts(draw)
    labels[1:] = IGNORED
    return function, params, ids, labels


def _draw_empty_parts(draw: Draw) -> tuple[Any, ...]:
    function, params, ids, labels = _draw_parts(draw)
    return function, params, ids, np.full_like(labels, IGNORED)


def _whole_batch(loss_and_gradient: Any, params: Any, ids: Any, labels: Any) -> Any:
    return loss_and_gradient(params, *(jnp.concatenate(list(array)) for array in (ids, labels)))


def _feed_forward_bytes(params: FeedForward, tokens: Any) -> int:
    """What stands before gelu, and behind it."""
    return 2 * len(tokens) * len(params.b_in) * int(tokens.dtype.itemsize)


def _block_numbers(params: Block, batch: int, seq: int) -> int:
    """What the four pairs keep: widths of a token, a number for each two tokens of a head, and what is in between."""
    heads, d_head, d_model = params.attention.w_out.shape
    norms = d_model + 2 * 2
    attention = d_model + heads * (seq + 4 * d_head + 1)
    return batch * seq * (norms + attention + d_model + 2 * len(params.mlp.b_in))


def _block_bytes(params: Block, x: Any) -> int:
    return _block_numbers(params, *x.shape[:2]) * int(x.dtype.itemsize)


def _gpt_bytes(params: Gpt, ids: Any, labels: Any) -> int:
    """What the blocks keep and what enters each; after them the last norm's argument and value, and the logits."""
    vocab, d_model = params.table.shape
    of_blocks = sum(_block_numbers(own, *ids.shape) + ids.size * d_model for own in params.blocks)
    return int(of_blocks + ids.size * (2 * d_model + 2 + vocab)) * int(params.table.dtype.itemsize)


def _parameters() -> tuple[float, float]:
    """Numbers in a block, and in the whole, in millions; no array is made."""
    width = jax.ShapeDtypeStruct((D_MODEL,), jnp.float32)
    norm = Norm(width, width)
    attention = Attention(
        jax.ShapeDtypeStruct((D_MODEL, 3, LAYERS, D_MODEL // LAYERS), jnp.float32),
        jax.ShapeDtypeStruct((LAYERS, D_MODEL // LAYERS, D_MODEL), jnp.float32),
    )
    mlp = FeedForward(
        jax.ShapeDtypeStruct((D_MODEL, D_HIDDEN), jnp.float32),
        jax.ShapeDtypeStruct((D_HIDDEN,), jnp.float32),
        jax.ShapeDtypeStruct((D_HIDDEN, D_MODEL), jnp.float32),
        width,
    )
    of_block = _count(Block(norm, attention, norm, mlp))
    tables = (VOCAB + MAX_SEQ) * D_MODEL
    return of_block / MILLION, (LAYERS * of_block + tables + _count(norm)) / MILLION


def _count(tree: Any) -> int:
    return sum(leaf.size for leaf in jax.tree.leaves(tree))


FEED = Exercise(
    name="transformer.feed_forward",
    title="every token by itself",
    task=PairTask(
        primal=feed_forward,
        fwd="feed_forward_fwd",
        bwd="feed_forward_bwd",
        draw=_draw_feed_forward,
        limits=Limits(residual_bytes=_feed_forward_bytes),
        mistakes=mistakes.FEED_FORWARD,
    ),
    points=2,
    cost_points=1,
    uses=("linear_and_activations.affine", "linear_and_activations.gelu_tanh"),
    hints=(
        "Three pairs of yours in a row: affine_fwd, gelu_tanh_fwd, affine_fwd. Keep what each of them keeps, under a "
        "name of its own.",
        "Backward calls the three bwd in the opposite order. affine_bwd returns three things, the first of which goes "
        "to the pair before; gelu_tanh_bwd returns a tuple of one.",
        "params_bar is a FeedForward like params: w_in's and b_in's entries come from the affine that ran first. "
        "Return two things: params_bar and what came back to the tokens.",
    ),
    asks={
        "params_bar": "which of the two affine maps was handed what?   (step 2)",
        "tokens_bar": "what do the three pairs hand to one another on the way back?   (step 2)",
    },
)

PARAMETERS = Exercise(
    name="transformer.q1",
    title="how many parameters?",
    task=Number(
        f"A GPT as here, with {LAYERS} blocks, d_model {D_MODEL}, d_hidden {D_HIDDEN}, a vocabulary of "
        f"{VOCAB:,} and a max_seq of {MAX_SEQ}; the heads together are as wide as d_model. How many million numbers "
        "are in the parameters of one block, and how many in all? Answer with a pair.",
        compute=_parameters,
        says="Right: 12 * d_model**2 and a little in a block, of which two thirds are in feed forward; and 124 million "
        "in all, the size that GPT-2 is known by. Nearly a third is the table.",
        traps=(
            (
                lambda: (_parameters()[0], _parameters()[1] + VOCAB * D_MODEL / MILLION),
                "The block is right. The table is used at both ends, but how many tables are there?",
            ),
            (
                lambda: (_parameters()[0], _parameters()[0] * LAYERS),
                "The block is right, and so are twelve of them. The table and the positions have numbers, too.",
            ),
            (
                lambda: (4 * D_MODEL**2 / MILLION, (4 * LAYERS * D_MODEL + VOCAB + MAX_SEQ) * D_MODEL / MILLION),
                "That is attention. A block has feed forward, too.",
            ),
            (
                lambda: (8 * D_MODEL**2 / MILLION, (8 * LAYERS * D_MODEL + VOCAB + MAX_SEQ) * D_MODEL / MILLION),
                "That is feed forward. A block has attention, too: three products for q, k and v, and one behind.",
            ),
        ),
        tolerance=4e-3,
    ),
    points=1,
)

BLOCK = Exercise(
    name="transformer.block",
    title="a block",
    task=PairTask(
        primal=block,
        fwd="block_fwd",
        bwd="block_bwd",
        draw=_draw_block,
        limits=Limits(residual_bytes=_block_bytes),
        mistakes=mistakes.BLOCK,
    ),
    points=5,
    cost_points=1,
    uses=("normalization.layer_norm", "attention.self_attention", "transformer.feed_forward"),
    hints=(
        "Draw it as two steps, h = x + first branch, y = h + second branch. A branch is two pairs in a row, a norm "
        "and what stands behind it. Keep the residuals of four pairs, and nothing else.",
        "Backward, second branch first: feed_forward_bwd, then layer_norm_bwd. What comes out is added to y_bar, since "
        "h was used by the sum and by the branch. That is h_bar; then the same once more, with attention.",
        "Shapes: layer_norm and feed_forward want x.reshape(-1, x.shape[-1]), attention wants (batch, seq, d_model). "
        "layer_norm_bwd returns three things: x_bar, scale_bar, bias_bar, of which the last two make a Norm.",
    ),
    asks={
        "params_bar": "what was the value of each of the four pairs handed?   (steps 3 to 5)",
        "x_bar": "by how many ways has x been used, and by how many h?   (steps 3, 4)",
    },
)

ADDED = Exercise(
    name="transformer.q2",
    title="where gradients meet",
    task=Number(
        f"Used twice, add. In the backward pass of a GPT of {LAYERS} blocks, between its pairs (not inside of one), "
        "how often are two cotangents of one and the same array added?",
        compute=lambda: 2 * LAYERS + 1,
        says="Right: in every block x and h each have two, by the branch and past it; and the table has two, as "
        "embedding and as readout. Everything else that adds up is inside of pairs: places over the batch, weights "
        "over tokens, x over q, k and v.",
        tolerance=1e-6,
        traps=(
            (lambda: 2 * LAYERS, "Those are the blocks' own. Which parameter is used at both ends?"),
            (lambda: LAYERS + 1, "How many skip connections has a block?"),
            (lambda: LAYERS, "How many skip connections has a block? And which parameter is used twice?"),
            (
                lambda: 2 * LAYERS + 2,
                "The positions are used once: that they are copied to every sequence is the "
                "embedding pair's own affair.",
            ),
        ),
    ),
    points=1,
)

GPT = Exercise(
    name="transformer.gpt_loss",
    title="a whole language model",
    task=PairTask(
        primal=gpt_loss,
        fwd="gpt_loss_fwd",
        bwd="gpt_loss_bwd",
        draw=_draw_gpt,
        awkward=(Case("labels of which none counts", _draw_nothing_counts),),
        limits=Limits(residual_bytes=_gpt_bytes),
        mistakes=mistakes.GPT_LOSS,
    ),
    points=6,
    cost_points=2,
    uses=(
        "transformer.block",
        "embedding.embed",
        "embedding.readout",
        "normalization.layer_norm",
        "losses.masked_cross_entropy",
    ),
    hard=True,
    hints=(
        "Forward: embed_fwd, block_fwd for each block with a list of what they keep, layer_norm_fwd, readout_fwd, "
        "masked_cross_entropy_fwd. Keep every pair's residuals, and something that tells the shape of x.",
        "Backward: masked_cross_entropy_bwd, readout_bwd, layer_norm_bwd, the blocks with reversed(...), embed_bwd. A "
        "reshape goes back by another reshape: readout wants (batch, seq, vocab), norm and loss a row for each token.",
        "readout_bwd and embed_bwd each give a cotangent of the same table: what is done with two? The blocks' come "
        "out last block first, and are turned round. Return a Gpt and two None.",
    ),
    asks={"params_bar": "which pair ran last, and in which order do the others follow?   (steps 3 to 5)"},
)

ACCUMULATE = Exercise(
    name="transformer.accumulate",
    title="a batch in unequal parts",
    task=FunctionTask(
        reference=_whole_batch,
        function="accumulate",
        draw=_draw_parts,
        returns="loss_and_gradient",
        awkward=(
            Case("a single label that counts", _draw_one_label),
            Case("no part in which anything counts", _draw_empty_parts),
        ),
        mistakes=mistakes.ACCUMULATE,
    ),
    points=3,
    hints=(
        "Each part gives a mean over those of its labels that count. A mean over all of them is a mean of these means, "
        "each counting by how many labels it was made of.",
        "jnp.sum(labels != IGNORED, axis=(1, 2)) counts for all parts at once. Divide by the total, or by 1 where that "
        "is 0: this is each part's share. It multiplies the part's loss and every leaf of its gradient.",
        "Start with zeros like (loss, params) and add: jax.tree.map(lambda so_far, own: ..., carried, found). A Python "
        "loop over the parts will do; jax.lax.scan over (ids, labels, shares) is as short, and compiles one part.",
    ),
    asks={"loss_and_gradient": "how many of all labels that count are in each part?   (steps 1, 2)"},
)

IN_YOUR_WORDS = Exercise(
    name="transformer.text",
    title="where writing it by hand pays",
    task=FreeText(
        "Somebody has read that hand-written backward passes are faster, and wants to write one for every model. Tell "
        "from what you have counted and measured for a block: where there was something to gain, where nothing, and "
        "when you would let JAX do it.",
        rubric=(
            Criterion(2, "Matrix products take most of the time and are the same by hand and by JAX: nothing to gain."),
            Criterion(
                2,
                "Gains are in what is kept and moved: fewer arrays with a number for each two tokens or as wide as "
                "d_hidden, no copies for products of arrays with three axes, fewer passes over large arrays.",
            ),
            Criterion(1, "Part of it JAX has as well, if the primal is spelled with a row for each token."),
            Criterion(
                1, "A wrong pass trains, only worse: it has to be compared with jax.vjp, so it must be worth it."
            ),
        ),
    ),
    points=0,
    required=False,
)

WHICH_MISTAKE = Exercise(
    name="transformer.q3",
    title="which mistake is this?",
    task=WhichMistake((Source(FEED.task, sizes=(2, 2, 2)),)),
    points=1,
)

PAPER = Paper(
    "transformer",
    (FEED, PARAMETERS, BLOCK, ADDED, GPT, ACCUMULATE, IN_YOUR_WORDS, WHICH_MISTAKE),
    shows_forward=True,
    shows_cost=True,
)
