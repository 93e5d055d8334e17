"""Gated recurrent networks: beside the state there is a cell, which a step scales and adds to, and no matrix touches.

    z = x @ w_x + h @ w_h + b                   h the state before; four parts of one array: z_i, z_f, z_g, z_o
    i, f, o = sigmoid(z_i), sigmoid(z_f), sigmoid(z_o)          the input, the forget and the output gate
    g       = tanh(z_g)                                         the candidate
    c       = f * c + i * g                                     the cell
    h       = o * tanh(c)                                       the state, the only thing that others see

    lstm_step       state and cell after one step
    lstm            the state after every step of a sequence

    gru_step        two gates, and no cell: after = u * h + (1 - u) * n
                    r, u = sigmoid of two parts of x @ w_x + b + h @ w_h
                    n    = tanh(x @ w_x + b + r * (h @ w_h)), each the third part

Sequences are (batch, seq, ...) as arguments; inside a loop over time, time leads.

Source: S. Hochreiter, J. Schmidhuber, "Long Short-Term Memory", Neural Computation 9, 1997; F. A. Gers,
J. Schmidhuber, F. Cummins, "Learning to Forget: Continual Prediction with LSTM", Neural Computation 12, 2000, for the
forget gate; K. Cho et al., "Learning Phrase Representations using RNN Encoder-Decoder for Statistical Machine
Translation", 2014, arXiv:1406.1078, for the GRU, here with the reset gate after the product, as in cuDNN.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


class GatedCell(NamedTuple):
    """The parameters of a step: those of all gates side by side, four times d_hidden columns (in a GRU three times)."""

    w_x: Float[Array, "d_in d_gates"]
    w_h: Float[Array, "d_hidden d_gates"]
    b: Float[Array, "d_gates"]


class State(NamedTuple):
    """What an LSTM hands from step to step."""

    h: Float[Array, "batch d_hidden"]
    c: Float[Array, "batch d_hidden"]


def gates(
    z: Float[Array, "batch d_gates"],
) -> tuple[
    Float[Array, "batch d_hidden"],
    Float[Array, "batch d_hidden"],
    Float[Array, "batch d_hidden"],
    Float[Array, "batch d_hidden"],
]:
    """Returns (i, f, g, o): the input gate, the forget gate, the candidate, the output gate."""
    i, f, g, o = jnp.split(z, 4, axis=-1)
    return jax.nn.sigmoid(i), jax.nn.sigmoid(f), jnp.tanh(g), jax.nn.sigmoid(o)


def lstm_step(params: GatedCell, state: State, x: Float[Array, "batch d_in"]) -> State:
    """Returns state and cell after one step, given those before it and what comes in."""
    i, f, g, o = gates(x @ params.w_x + state.h @ params.w_h + params.b)
    c = f * state.c + i * g
    return State(o * jnp.tanh(c), c)


def lstm(params: GatedCell, state: State, x: Float[Array, "batch seq d_in"]) -> Float[Array, "batch seq d_hidden"]:
    """Returns h after every step; state is what the first step starts from."""

    def step(state: State, x: Float[Array, "batch d_in"]) -> tuple[State, Float[Array, "batch d_hidden"]]:
        after = lstm_step(params, state, x)
        return after, after.h

    return jax.lax.scan(step, state, x.swapaxes(0, 1))[1].swapaxes(0, 1)


def gru_step(
    params: GatedCell, h: Float[Array, "batch d_hidden"], x: Float[Array, "batch d_in"]
) -> Float[Array, "batch d_hidden"]:
    """Returns the state after one step of a GRU; its gates stand in the order reset, update, candidate."""
    r_x, u_x, n_x = jnp.split(x @ params.w_x + params.b, 3, axis=-1)
    r_h, u_h, n_h = jnp.split(h @ params.w_h, 3, axis=-1)
    r, u = jax.nn.sigmoid(r_x + r_h), jax.nn.sigmoid(u_x + u_h)
    n = jnp.tanh(n_x + r * n_h)
    return u * h + (1 - u) * n
