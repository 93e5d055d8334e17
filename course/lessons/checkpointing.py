"""A deep network cut into segments, how seldom its layers have to be run again, and blocks that run backward.

    separate_layers(ws, x)     of `cost_of_backprop`: x after x = tanh(x @ w) for each w of ws
    segmented_layers(ws, x)    the same network, whose ws are stacked twice: segment by segment, layer by layer

    steps(layers, slots)       how often a layer is run forward for going backward through layers of them, with
                               slots for states, of which the input takes one:
    steps(1, slots) = 0
    steps(layers, 1) = layers * (layers - 1) / 2
    steps(layers, slots) = the least of   j + steps(layers - j, slots - 1) + steps(j, slots)   for 1 <= j < layers

    reversible_blocks(params, streams)     for each block of params:
        left  = left + tanh(right @ f)
        right = right + tanh(left @ g)

Source: A. Griewank, A. Walther, "Algorithm 799: Revolve", ACM Transactions on Mathematical Software 26(1), 2000,
doi:10.1145/347837.347846, for the steps; T. Chen, B. Xu, C. Zhang, C. Guestrin, "Training Deep Nets with Sublinear
Memory Cost", 2016, arXiv:1604.06174, for segments; A. Gomez, M. Ren, R. Urtasun, R. Grosse, "The Reversible Residual
Network", 2017, arXiv:1707.04585, for the blocks.
"""

from typing import NamedTuple

import jax
from jaxtyping import Array, Float

from course.lessons.cost_of_backprop import separate_layers
from course.lessons.linear_and_activations import tanh


class Streams(NamedTuple):
    """What a reversible block hands on: two arrays of one shape."""

    left: Float[Array, "batch d"]
    right: Float[Array, "batch d"]


class Blocks(NamedTuple):
    """The weights of all blocks: `f` reads the right stream, `g` the left one."""

    f: Float[Array, "blocks d d"]
    g: Float[Array, "blocks d d"]


def segmented_layers(ws: Float[Array, "segments layers d d"], x: Float[Array, "batch d"]) -> Float[Array, "batch d"]:
    """Maps every row by each w in turn, segment after segment, and squashes it each time."""
    x, _ = jax.lax.scan(lambda x, segment: (separate_layers(segment, x), None), x, ws)
    return x


def reversible_blocks(params: Blocks, streams: Streams) -> Streams:
    """Adds to each of two streams what the other one is mapped to, block after block."""

    def block(streams: Streams, params: Blocks) -> tuple[Streams, None]:
        left = streams.left + tanh(streams.right @ params.f)
        return Streams(left, streams.right + tanh(left @ params.g)), None

    return jax.lax.scan(block, streams, params)[0]
