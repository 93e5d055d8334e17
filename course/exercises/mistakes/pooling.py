"""The mistakes with a name of `pooling`: shares and ties, what overlaps, and what a network's parts hand on.

Only forward functions stand here: each has the right value, and the derivative of a wrong pass.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp

from course.comparison.mistakes import Mistake
from course.exercises.mistakes.forms import changed, held, unasked, valued, weighted
from course.lessons.convolution import conv_2d
from course.lessons.linear_and_activations import affine, relu
from course.lessons.losses import softmax_cross_entropy
from course.lessons.pooling import (
    BLOCKS,
    SIDE,
    Cnn,
    Pool,
    average_pool,
    blocks,
    keeping_size,
    max_pool,
    overlapping_max_pool,
    places,
)

Function = Callable[..., Any]

_SHARE = "How large a part of y is one pixel of its block?   (step 1)"
_WHERE = "To which pixels does what comes to one block go?   (step 2)"


def _scaled(factor: float) -> Function:
    return lambda x: average_pool(changed(lambda x_bar: factor * x_bar)(x))


def _as_sloped(sloped: Function) -> Function:
    """The average, with the derivative of another function of x."""
    return lambda x: valued(average_pool(x), sloped(x))


def _tiled(x: Any) -> Any:
    """The mean of pixels that lie half a picture apart."""
    batch, height, width, channels = x.shape
    return x.reshape(batch, SIDE, height // SIDE, SIDE, width // SIDE, channels).mean(axis=(1, 3))


AVERAGE_POOL = (
    Mistake(
        "not divided",
        _scaled(SIDE**2),
        "Every pixel of a block got all that came to the block.",
        _SHARE,
    ),
    Mistake(
        "divided by the side",
        _scaled(SIDE),
        "What came to a block was divided by its rows, and not by its pixels.",
        _SHARE,
    ),
    Mistake(
        "divided twice",
        _scaled(SIDE**-2),
        "What came to a block was divided by its pixels twice.",
        _SHARE,
    ),
    Mistake(
        "one pixel of each block",
        _as_sloped(lambda x: blocks(x)[:, :, 0, :, 0] / SIDE**2),
        "Of every block, only the first pixel got something.",
        _WHERE,
    ),
    Mistake(
        "one row of each block",
        _as_sloped(lambda x: blocks(x)[:, :, 0].mean(axis=3) / SIDE),
        "Of every block, only the first row got something.",
        _WHERE,
    ),
    Mistake(
        "tiled for repeated",
        _as_sloped(_tiled),
        "The whole of y_bar was laid down again and again, side by side: blocks got what belongs to others.",
        _WHERE,
    ),
    Mistake(
        "averaged over the batch",
        lambda x: average_pool(weighted(x, 1 / len(x))),
        "What comes back was divided by the number of pictures.",
        "Does one picture's y depend on another picture?   (step 1)",
    ),
    Mistake(
        "y_bar left out",
        lambda x: unasked(average_pool(x)),
        "It is what comes back for a y_bar of ones.",
        "By how much does each entry of y count for the loss?   (step 1)",
    ),
)

# The largest of a window.

_PICKED = "Which pixel of its window was picked, and what did the others have to do with y?   (step 1)"
_TIES = "Several pixels are the largest of their window: which of them counts as the one picked?   (step 1)"


def _pieces(x: Any, pool: Pool = BLOCKS) -> Any:
    """The numbers of all windows, along a first axis the places within a window."""
    return jnp.stack([x[place] for place in places(pool, overlapping_max_pool(x, pool).shape)])


def _largest(pieces: Any) -> Any:
    return pieces == pieces.max(axis=0)


def _shared(f: Function, shares: Function) -> Function:
    """The function, each number of a window getting some share of what comes to the window."""

    def mistaken(x: Any, *pool: Pool) -> Any:
        pieces = _pieces(x, *pool)
        return valued(f(x, *pool), jnp.sum(held(shares(pieces) * jnp.ones_like(pieces)) * pieces, axis=0))

    return mistaken


def _last(pieces: Any) -> Any:
    return _largest(pieces) & (jnp.cumsum(_largest(pieces)[::-1], axis=0)[::-1] == 1)


def _max_of(f: Function) -> tuple[Mistake, ...]:
    return (
        Mistake(
            "to all that tie",
            _shared(f, _largest),
            "Where several pixels of a window are the largest, each of them got all of it.",
            _TIES,
        ),
        Mistake(
            "shared among those that tie",
            _shared(f, lambda pieces: _largest(pieces) / _largest(pieces).sum(axis=0)),
            "Where several pixels of a window are the largest, each of them got an equal share.",
            _TIES,
        ),
        Mistake(
            "the last of those that tie",
            _shared(f, _last),
            "Where several pixels of a window are the largest, the last of them got it.",
            _TIES,
        ),
        Mistake(
            "shared among all",
            _shared(f, lambda pieces: 1 / len(pieces)),
            "All pixels of a window got an equal share, as if y were their mean.",
            _PICKED,
        ),
        Mistake(
            "to every pixel",
            _shared(f, lambda pieces: 1.0),
            "All pixels of a window got all that came to it.",
            _PICKED,
        ),
        Mistake(
            "to the smallest",
            _shared(f, lambda pieces: pieces == pieces.min(axis=0)),
            "It went to the smallest number of each window.",
            _PICKED,
        ),
        Mistake(
            "always to the first pixel",
            _shared(f, lambda pieces: jnp.zeros_like(pieces).at[0].set(1)),
            "It went to the first pixel of every window, whatever the numbers are.",
            _PICKED,
        ),
        Mistake(
            "multiplied by the value",
            lambda x, *pool: valued(f(x, *pool), f(x, *pool) ** 2 / 2),
            "What comes back was multiplied by the largest number.",
            "If the largest number grows by 1, by how much does y?   (step 1)",
        ),
        Mistake(
            "y_bar left out",
            lambda x, *pool: unasked(f(x, *pool)),
            "It is what comes back for a y_bar of ones.",
            "By how much does each entry of y count for the loss?   (step 1)",
        ),
    )


MAX_POOL = _max_of(max_pool)


def _written_last(x: Any, pool: Pool) -> Any:
    """Of what windows send to a pixel, only what is sent from the last place within a window stays."""
    pieces = _pieces(x, pool)
    writer = jnp.zeros(x.shape)
    for number, place in enumerate(places(pool, pieces.shape[1:])):
        writer = writer.at[place].set(number)
    stays = _pieces(writer, pool) == jnp.arange(len(pieces)).reshape(-1, 1, 1, 1, 1)
    pieces = jnp.where(stays, pieces, held(pieces))
    picked = jnp.take_along_axis(pieces, jnp.argmax(pieces, axis=0, keepdims=True), axis=0)[0]
    return valued(overlapping_max_pool(x, pool), picked)


OVERLAPPING_MAX_POOL = (
    *_max_of(overlapping_max_pool),
    Mistake(
        "overwritten for added",
        _written_last,
        "Where windows overlap, what one place of the window sends took the place of what others had sent.",
        "A pixel may be picked by several windows: what follows?   (step 2)",
    ),
)

# The network.


@dataclass(frozen=True)
class _Parts:
    """What a network is made of, one of it mistaken; everything keeps its value.

    Each says what becomes of a part: `relu` and `pool` as functions of pictures, `picture` of what a convolution gets,
    `rows` of what the readout gets, `parameter` of each array and the batch's length, `logits` of the logits.
    """

    relu: Function = relu
    pool: Function = max_pool
    picture: Function = lambda x: x
    rows: Function = lambda x: x.reshape(len(x), -1)
    parameter: Function = lambda array, batch: array
    logits: Function = lambda logits: logits


def _with_loss(parts: _Parts) -> Function:
    def mistaken(params: Cnn, x: Any, labels: Any) -> Any:
        for layer in params.convolutions:
            w, b = (parts.parameter(array, len(x)) for array in layer)
            z = parts.pool(conv_2d(parts.picture(x), w, b, keeping_size(w)))
            x = valued(relu(z), parts.relu(z))
        w, b = (parts.parameter(array, len(x)) for array in params.readout)
        return softmax_cross_entropy(parts.logits(affine(parts.rows(x), w, b)), labels)

    return mistaken


def _other_order(rows_of: Any) -> Any:
    """The rows, sent back as if channels had stood before the pixels."""
    batch, height, width, channels = rows_of.shape
    back = changed(lambda bar: bar.reshape(batch, channels, height, width).transpose(0, 2, 3, 1).reshape(batch, -1))
    return back(rows_of.reshape(batch, -1))


_ORDER = "Which three parts does a layer have, and which of them ran last?   (step 3)"

CNN_LOSS = (
    Mistake(
        "relu left out",
        _with_loss(_Parts(relu=lambda z: z)),
        "The relus let everything back through.",
        _ORDER,
    ),
    Mistake(
        "the mean's backward for the largest's",
        _with_loss(_Parts(pool=lambda z: valued(max_pool(z), average_pool(z)))),
        "On the way back blocks were taken for averaged.",
        "Which pooling did forward call?   (step 3)",
    ),
    Mistake(
        "last layer alone",
        _with_loss(_Parts(picture=held)),
        "Nothing was handed on below the last convolution.",
        "What is the y_bar of the layer before?   (step 3)",
    ),
    Mistake(
        "pictures put together in another order",
        _with_loss(_Parts(rows=_other_order)),
        "What came back to the rows was laid out as pictures with the channels before the pixels.",
        "In which order did forward lay a picture's numbers into a row?   (step 2)",
    ),
    Mistake(
        "parameters averaged over the batch",
        _with_loss(_Parts(parameter=lambda array, batch: weighted(array, 1 / batch))),
        "What the pictures send to the parameters was divided by their number once more.",
        "Who divides by the number of pictures: the loss, or the network?   (step 1)",
    ),
    Mistake(
        "what comes back not asked",
        _with_loss(_Parts(logits=unasked)),
        "Everything is what comes back for a logits_bar of ones.",
        "Which part ran last, and what does it hand to the readout?   (step 1)",
    ),
)
