"""The demo `char-lstm`: the lesson's gated network learns to spell first names.

    ids -> table -> LSTM, character by character -> affine -> logits of the next character

The names are those of the demo `char-rnn`, and so is what the score is compared with.
"""

import dataclasses
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from course.lessons.linear_and_activations import affine
from course.lessons.losses import masked_cross_entropy
from course.lessons.lstm import GatedCell, State, lstm, lstm_step
from course.lessons.mlp import Layer
from course.training import char_rnn
from course.training.char_rnn import NAMES, SYMBOLS, draw, names_of
from course.training.demo import BITS, Score, Settings, TwoFunctions, in_bits


class Size(NamedTuple):
    """How large a network is."""

    vocab: int = SYMBOLS
    d_in: int = 16
    d_hidden: int = 96


_SIZE = Size()


class CharLstm(NamedTuple):
    """The parameters of a gated network that guesses the next character."""

    table: Float[Array, "vocab d_in"]
    cell: GatedCell
    readout: Layer


def init(key: jax.Array, size: Size = _SIZE) -> CharLstm:
    """Draws weights at which numbers keep their size on the way through; the forget gates begin open."""
    vocab, d_in, d_hidden = size
    table_key, x_key, h_key, readout_key = jax.random.split(key, 4)
    table = jax.random.normal(table_key, (vocab, d_in))
    w_x = jax.random.normal(x_key, (d_in, 4 * d_hidden)) / jnp.sqrt(d_in)
    w_h = jax.random.normal(h_key, (d_hidden, 4 * d_hidden)) / jnp.sqrt(d_hidden)
    b = jnp.zeros((4, d_hidden)).at[1].set(1).reshape(-1)
    w = jax.random.normal(readout_key, (d_hidden, vocab)) / jnp.sqrt(d_hidden)
    return CharLstm(table, GatedCell(w_x, w_h, b), Layer(w, jnp.zeros(vocab)))


def loss(params: CharLstm, ids: jax.Array, labels: jax.Array) -> jax.Array:
    """The mean cross-entropy, in nats, of the characters that follow."""
    states = lstm(params.cell, _start(params, len(ids)), params.table[ids])
    return masked_cross_entropy(affine(states.reshape(labels.size, -1), *params.readout), labels.reshape(-1))


def assemble(lstm_pair: TwoFunctions, affine_pair: TwoFunctions, loss_pair: TwoFunctions) -> TwoFunctions:
    """The pair of the loss, of three; of the table the rows that were picked are added to."""
    lstm_fwd, lstm_bwd = lstm_pair
    affine_fwd, affine_bwd = affine_pair
    entropy_fwd, entropy_bwd = loss_pair

    def loss_fwd(params: CharLstm, ids: jax.Array, labels: jax.Array) -> tuple[jax.Array, Any]:
        x = params.table[ids]
        states, kept_lstm = lstm_fwd(params.cell, _start(params, len(ids)), x)
        logits, kept_readout = affine_fwd(states.reshape(labels.size, -1), *params.readout)
        value, kept_loss = entropy_fwd(logits, labels.reshape(-1))
        return value, (params.table, ids, kept_lstm, kept_readout, kept_loss)

    def loss_bwd(residuals: Any, loss_bar: jax.Array) -> tuple[CharLstm, None, None]:
        table, ids, kept_lstm, kept_readout, kept_loss = residuals
        logits_bar, _ = entropy_bwd(kept_loss, loss_bar)
        rows_bar, *readout_bar = affine_bwd(kept_readout, logits_bar)
        cell_bar, _, x_bar = lstm_bwd(kept_lstm, rows_bar.reshape(*ids.shape, -1))
        table_bar = jnp.zeros_like(table).at[ids].add(x_bar)
        return CharLstm(table_bar, cell_bar, Layer(*readout_bar)), None, None

    return loss_fwd, loss_bwd


def _start(params: CharLstm, rows: int) -> State:
    nothing = jnp.zeros((rows, len(params.cell.w_h)), params.table.dtype)
    return State(nothing, nothing)


def sample(params: CharLstm, key: jax.Array) -> str:
    """Some names, drawn character by character."""
    return names_of(_draw(params, key))


@jax.jit
def _draw(params: CharLstm, key: jax.Array) -> jax.Array:
    """Ids, a name a row."""

    def step(state: State, ids: jax.Array) -> tuple[State, jax.Array]:
        after = lstm_step(params.cell, state, params.table[ids])
        return after, affine(after.h, *params.readout)

    return draw(step, _start(params, NAMES), key)


DEMO = dataclasses.replace(
    char_rnn.DEMO,
    name="char-lstm",
    title="an LSTM of 96 learns to spell first names",
    exercises=("lstm.lstm", "linear_and_activations.affine", "losses.masked_cross_entropy"),
    loss=loss,
    assemble=assemble,
    init=init,
    metrics=in_bits(loss),
    score=Score("bits", BITS, aim=2.86, less=True),
    sample=sample,
    settings=Settings(steps=1060, batch=64, lr=2e-3),
    chunk_steps=40,
)
