"""The mistakes with a name of `transformer`: in what pairs hand to one another, in a table used twice, and in means.

Those of pairs are forward functions: each has the right value, and the derivative of a wrong pass. Those of
`accumulate` are wrong ways to put together what the parts give.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from course.comparison.mistakes import Mistake
from course.exercises.mistakes.forms import changed, held, unasked, valued, weighted
from course.lessons.attention import self_attention
from course.lessons.embedding import readout
from course.lessons.linear_and_activations import affine, gelu_tanh, relu
from course.lessons.losses import IGNORED, masked_cross_entropy
from course.lessons.normalization import centre, reciprocal_std
from course.lessons.transformer import Block, FeedForward, Gpt, Norm, block, feed_forward, gpt_loss, norm_tokens

Function = Callable[..., Any]


# Feed forward.


@dataclass(frozen=True)
class _Parts:
    """Feed forward, one part of it mistaken.

    `gelu` has a derivative of its own, `met` is what w_out's cotangent is made with, of gelu's value and argument;
    `weight` and `bias` say what these become for some number of tokens.
    """

    gelu: Function = gelu_tanh
    met: Callable[[Any, Any], Any] = lambda hidden, z: hidden
    weight: Callable[[Any, int], Any] = lambda w, rows: w
    bias: Callable[[Any, int], Any] = lambda b, rows: b


def _through(parts: _Parts) -> Function:
    def mistaken(params: FeedForward, tokens: Any) -> Any:
        rows = len(tokens)
        z = affine(tokens, parts.weight(params.w_in, rows), parts.bias(params.b_in, rows))
        hidden, w_out = parts.gelu(z), parts.weight(params.w_out, rows)
        sloped = hidden @ held(w_out) + held(parts.met(hidden, z)) @ w_out + parts.bias(params.b_out, rows)
        return valued(feed_forward(params, tokens), sloped)

    return mistaken


def _by_slope(slope: Function) -> Function:
    """Gelu, with another slope."""
    return lambda z: valued(gelu_tanh(z), held(slope(z)) * z)


def _slope(z: Any) -> Any:
    return jax.vjp(gelu_tanh, z)[1](jnp.ones_like(z))[0]


_GELU_STEP = "Between the two products stands gelu: what does its pair ask for?   (steps 1, 2)"
_USED_BY_ALL = "Every token used the same parameters. Used many times: what follows?   (step 2)"

FEED_FORWARD = (
    Mistake(
        "gelu left out",
        _through(_Parts(gelu=_by_slope(jnp.ones_like))),
        "What came back to gelu's value was handed on to its argument as it is.",
        _GELU_STEP,
    ),
    Mistake(
        "gelu's value for its slope",
        _through(_Parts(gelu=_by_slope(gelu_tanh))),
        "What came back was multiplied by gelu's value, not by its slope.",
        _GELU_STEP,
    ),
    Mistake(
        "gelu's slope at its value",
        _through(_Parts(gelu=_by_slope(lambda z: _slope(gelu_tanh(z))))),
        "Gelu's slope was taken at gelu's value.",
        "Which array was gelu given in forward?   (step 1)",
    ),
    Mistake(
        "relu's slope",
        _through(_Parts(gelu=lambda z: valued(gelu_tanh(z), relu(z)))),
        "Gelu was taken for a relu on the way back.",
        _GELU_STEP,
    ),
    Mistake(
        "w_out met z",
        _through(_Parts(met=lambda hidden, z: z)),
        "The second product's weights have a cotangent made with what stood before gelu.",
        "Which array did forward multiply by w_out?   (step 1)",
    ),
    Mistake(
        "weights averaged",
        _through(_Parts(weight=lambda w, rows: weighted(w, 1 / rows))),
        "What the tokens send to the weights was averaged.",
        _USED_BY_ALL,
    ),
    Mistake(
        "biases averaged",
        _through(_Parts(bias=lambda b, rows: weighted(b, 1 / rows))),
        "What the tokens send to the biases was averaged.",
        _USED_BY_ALL,
    ),
    Mistake(
        "y_bar left out",
        lambda params, tokens: unasked(feed_forward(params, tokens)),
        "That is what comes back for a y_bar of ones.",
        "What is the pair that ran last handed?   (step 2)",
    ),
)


# A block.


def _rows(x: Any) -> Any:
    """A row for each token."""
    *_, d_model = x.shape
    return x.reshape(-1, d_model)


def _handed_on(params: Norm, x: Any) -> Any:
    """A norm whose parameters get what is theirs, and whose argument gets what was handed to the value."""
    return norm_tokens(params, held(x)) + (x - held(x))


def _statistics_held(params: Norm, x: Any) -> Any:
    normed = norm_tokens(params, x)
    slope = reciprocal_std(centre(_rows(x))) * params.scale
    return valued(normed, norm_tokens(params, held(x)) + x * held(slope).reshape(x.shape))


def _think(params: FeedForward, x: Any) -> Any:
    return feed_forward(params, _rows(x)).reshape(x.shape)


def _blocked(
    first: Function = lambda x: x,
    second: Function = lambda h: h,
    norm: Function = norm_tokens,
    ask: Function = lambda x: x,
    think: Function = lambda h, x: h,
) -> Function:
    """A block of which one step has a derivative of its own.

    Args:
        first: What the first branch is added to, of x.
        second: What the second branch is added to, of the first sum.
        norm: What each branch begins with.
        ask: What the first branch is of, of x.
        think: What the second branch is of, of the first sum and of x.
    """

    def mistaken(params: Block, x: Any) -> Any:
        attended = self_attention(params.attention, norm(params.norm_attention, ask(x)))
        h = first(x) + attended
        thought = _think(params.mlp, norm(params.norm_mlp, think(h, x)))
        return second(h) + thought

    return mistaken


_SKIP = "A sum hands its cotangent to both sides: where does the other one go?   (steps 3, 4)"
_BRANCH = "Every branch begins with a norm of what it is added to. What comes back to that?   (steps 3, 4)"
_NORM = "What does the backward pass of a layer norm do, before x gets anything?   (steps 3, 4)"

BLOCK = (
    Mistake(
        "the second skip lost",
        _blocked(second=held),
        "What comes back past the network of the second branch is lost: h has that through it alone.",
        _SKIP,
    ),
    Mistake(
        "the first skip lost",
        _blocked(first=held),
        "What comes back past attention is lost: x has that through it alone.",
        _SKIP,
    ),
    Mistake("both skips lost", _blocked(first=held, second=held), "Nothing comes back past the two branches.", _SKIP),
    Mistake(
        "through the network lost",
        _blocked(think=lambda h, x: held(h)),
        "h has what came back past the second branch, and nothing through it.",
        _BRANCH,
    ),
    Mistake(
        "through attention lost",
        _blocked(ask=held),
        "x has what came back past the first branch, and nothing through it.",
        _BRANCH,
    ),
    Mistake(
        "norms handed on",
        _blocked(norm=_handed_on),
        "What came back to the norms' values was handed on to their arguments as it is.",
        _NORM,
    ),
    Mistake(
        "statistics held still",
        _blocked(norm=_statistics_held),
        "The mean and the spread of every row were taken for constants.",
        _NORM,
    ),
    Mistake(
        "branches side by side",
        _blocked(think=lambda h, x: held(h) + (x - held(x))),
        "Attention was handed what came back to y. What came back through the network of the second branch went to x, "
        "past it.",
        "To what was attention's value added, and what has come back to that by then?   (step 4)",
    ),
    Mistake(
        "y_bar left out",
        lambda params, x: unasked(block(params, x)),
        "That is what comes back for a y_bar of ones.",
        "What is the pair that ran last handed?   (step 3)",
    ),
)


# A whole language model.


def _model(
    picked: Function = lambda rows, ids: rows,
    places: Function = lambda positions, ids: positions,
    blocks: Function = lambda blocks: blocks,
    reaches: Callable[[int], np.ndarray] = lambda layers: np.ones(layers, bool),
    norm: Function = norm_tokens,
    table: Function = lambda table: table,
) -> Function:
    """The loss of a GPT of which one step has a derivative of its own; one scan goes over all of its blocks.

    `reaches` says of each block whether anything comes back to those below it.
    """

    def mistaken(params: Gpt, ids: Any, labels: Any) -> Any:
        positions = places(params.positions, ids)[: ids.shape[1]]
        x = picked(params.table[ids], ids) + positions

        def layer(x: Any, inside: tuple[Block, Any]) -> tuple[Any, None]:
            own, open_below = inside
            return block(own, jnp.where(open_below, x, held(x))), None

        stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *blocks(params.blocks))
        x, _ = jax.lax.scan(layer, x, (stacked, jnp.asarray(reaches(len(params.blocks)))))
        logits = readout(norm(params.norm, x), table(params.table))
        return masked_cross_entropy(logits.reshape(labels.size, -1), labels.reshape(-1))

    return mistaken


def _last_use(rows: Any, ids: Any) -> Any:
    places = jnp.arange(ids.size)
    flat = ids.reshape(-1)
    again = (flat == flat[:, None]) & (places > places[:, None])
    return jnp.where(again.any(axis=1).reshape(*ids.shape, 1), held(rows), rows)


_TWICE = "Where in forward does the table stand, and how often?   (step 5)"

GPT_LOSS = (
    Mistake(
        "the table as readout alone",
        _model(picked=lambda rows, ids: held(rows)),
        "The table has what came back to it as a readout, and nothing for the rows that were picked.",
        _TWICE,
    ),
    Mistake(
        "the table as embedding alone",
        _model(table=held),
        "The table has what came back to the rows that were picked, and nothing as a readout.",
        _TWICE,
    ),
    Mistake(
        "the last use alone",
        _model(picked=_last_use),
        "A row of the table that was picked several times has what came back to one of them.",
        "What does the backward pass of an embedding do with ids that repeat?   (step 5)",
    ),
    Mistake(
        "positions averaged",
        _model(places=lambda positions, ids: weighted(positions, 1 / len(ids))),
        "What the sequences send to the row of a place was averaged.",
        "The row of a place was copied to every sequence: what does backward do?   (step 5)",
    ),
    Mistake(
        "blocks in backward's order",
        _model(blocks=changed(lambda bars: bars[::-1])),
        "The cotangents of the blocks came in the order in which backward made them.",
        "Forward listed its blocks first to last: what did this loop do?   (step 4)",
    ),
    Mistake(
        "the last block alone",
        _model(reaches=lambda layers: np.arange(layers) < layers - 1),
        "Nothing was handed on below the last block.",
        "What is the y_bar of the block before?   (step 4)",
    ),
    Mistake(
        "the last norm handed on",
        _model(norm=_handed_on),
        "What came back to the last norm's value was handed on to the blocks as it is.",
        "What stands between the last block and the readout?   (step 3)",
    ),
    Mistake(
        "loss_bar left out",
        lambda params, ids, labels: unasked(gpt_loss(params, ids, labels)),
        "Everything is what comes back for a loss_bar of 1.",
        "What is handed to the pair that ran last?   (step 3)",
    ),
)


# Parts of a batch, put together.


def _put_together(share: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Function:
    """The parts' losses and gradients, each times its share, of which labels count: (parts, batch, seq)."""

    def mistaken(loss_and_gradient: Function, params: Any, ids: Any, labels: Any) -> Any:
        counted = np.asarray(labels) != IGNORED
        shares = share(counted, np.maximum(counted.sum(), 1))
        found = [loss_and_gradient(params, *inside) for inside in zip(ids, labels, strict=True)]
        return jax.tree.map(lambda *own: sum(one * part for one, part in zip(shares, own, strict=True)), *found)

    return mistaken


_SHARE = "A part gives a mean over its own labels: how much of the whole is that?   (steps 1, 2)"

ACCUMULATE = (
    Mistake(
        "mean of means",
        _put_together(lambda counted, total: np.full(len(counted), 1 / len(counted))),
        "Every part counts alike, however few of its labels count.",
        _SHARE,
    ),
    Mistake(
        "sum of means",
        _put_together(lambda counted, total: np.ones(len(counted))),
        "The parts were added, and each of them is a mean.",
        _SHARE,
    ),
    Mistake(
        "by sequences that count",
        _put_together(
            lambda counted, total: counted.any(axis=2).sum(axis=1) / np.maximum(counted.any(axis=2).sum(), 1)
        ),
        "A part counts by the number of its sequences in which anything counts, not by that of its labels.",
        _SHARE,
    ),
    Mistake(
        "the last part alone",
        _put_together(lambda counted, total: np.arange(len(counted)) == len(counted) - 1),
        "This is what the last part gives.",
        "What is carried from part to part?   (step 3)",
    ),
    Mistake(
        "by all labels",
        _put_together(lambda counted, total: counted.sum(axis=(1, 2)) / counted.size),
        "It was divided by the number of all labels, those that don't count among them.",
        "Over how many labels is the mean of the whole?   (step 1)",
    ),
    Mistake(
        "not divided",
        _put_together(lambda counted, total: counted.sum(axis=(1, 2))),
        "It is a sum over all labels, not their mean.",
        "Over how many labels is the mean of the whole?   (step 1)",
    ),
)
