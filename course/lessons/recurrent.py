"""A recurrent network: one state, taken on by the same weights at every step of a sequence.

    rnn_step        after = tanh(x @ w_x + h @ w_h + b)        h the state before
    rnn             after every step, from a start state and a sequence of x
    last_state      the state of each row after its own last step: what comes later is padding, and leaves it alone
    truncated_rnn   the same states as rnn; the derivative ends every `stretch` steps
    char_rnn_loss   table[ids] -> rnn -> affine -> softmax cross-entropy of every labelled character, in nats

Sequences are (batch, seq, ...) as arguments; inside a loop over time, time leads.

Source: J. L. Elman, "Finding Structure in Time", Cognitive Science 14, 1990; P. J. Werbos, "Backpropagation Through
Time: What It Does and How to Do It", Proceedings of the IEEE 78, 1990; R. J. Williams, J. Peng, "An Efficient
Gradient-Based Algorithm for On-Line Training of Recurrent Network Trajectories", Neural Computation 2, 1990.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from course.lessons.linear_and_activations import affine
from course.lessons.losses import masked_cross_entropy
from course.lessons.mlp import Layer


class Cell(NamedTuple):
    """The parameters of a step: the weights of what comes in, those of the state, and a bias."""

    w_x: Float[Array, "d_in d_hidden"]
    w_h: Float[Array, "d_hidden d_hidden"]
    b: Float[Array, "d_hidden"]


class CharRnn(NamedTuple):
    """The parameters of a network that guesses the next character."""

    table: Float[Array, "vocab d_in"]
    cell: Cell
    readout: Layer


def rnn_step(
    params: Cell, h: Float[Array, "batch d_hidden"], x: Float[Array, "batch d_in"]
) -> Float[Array, "batch d_hidden"]:
    """Returns the state after one step, given the state before it and what comes in."""
    return jnp.tanh(x @ params.w_x + h @ params.w_h + params.b)


def rnn(
    params: Cell, h: Float[Array, "batch d_hidden"], x: Float[Array, "batch seq d_in"]
) -> Float[Array, "batch seq d_hidden"]:
    """Returns the state after every step; h is the one that the first step starts from."""

    def step(h: Float[Array, "batch d_hidden"], x: Float[Array, "batch d_in"]) -> tuple[Array, Array]:
        after = rnn_step(params, h, x)
        return after, after

    return jax.lax.scan(step, h, x.swapaxes(0, 1))[1].swapaxes(0, 1)


def last_state(
    params: Cell,
    h: Float[Array, "batch d_hidden"],
    x: Float[Array, "batch seq d_in"],
    lengths: Int[Array, "batch"],
) -> Float[Array, "batch d_hidden"]:
    """Returns the state of every row after as many steps as it is long; h itself where it has none."""

    def step(h: Float[Array, "batch d_hidden"], inside: tuple[Array, Array]) -> tuple[Array, None]:
        t, x = inside
        return jnp.where((t < lengths)[:, None], rnn_step(params, h, x), h), None

    return jax.lax.scan(step, h, (jnp.arange(x.shape[1]), x.swapaxes(0, 1)))[0]


def truncated_rnn(
    params: Cell, h: Float[Array, "batch d_hidden"], x: Float[Array, "batch seq d_in"], stretch: int | Int[Array, ""]
) -> Float[Array, "batch seq d_hidden"]:
    """Returns the states of `rnn`; the state that a stretch of steps starts from is a constant to the derivative."""

    def step(h: Float[Array, "batch d_hidden"], inside: tuple[Array, Array]) -> tuple[Array, Array]:
        t, x = inside
        after = rnn_step(params, jnp.where(t % stretch == 0, jax.lax.stop_gradient(h), h), x)
        return after, after

    return jax.lax.scan(step, h, (jnp.arange(x.shape[1]), x.swapaxes(0, 1)))[1].swapaxes(0, 1)


def char_rnn_logits(params: CharRnn, ids: Int[Array, "batch seq"]) -> Float[Array, "batch seq vocab"]:
    """Returns, after every character, the logits of the next one. The state starts at zero."""
    batch, seq = ids.shape
    start = jnp.zeros((batch, len(params.cell.b)), params.table.dtype)
    states = rnn(params.cell, start, params.table[ids])
    return affine(states.reshape(batch * seq, -1), *params.readout).reshape(batch, seq, -1)


def char_rnn_loss(params: CharRnn, ids: Int[Array, "batch seq"], labels: Int[Array, "batch seq"]) -> Float[Array, ""]:
    """Returns the mean cross-entropy, in nats, of the characters that follow; a label IGNORED does not count."""
    logits = char_rnn_logits(params, ids)
    return masked_cross_entropy(logits.reshape(labels.size, -1), labels.reshape(-1))
