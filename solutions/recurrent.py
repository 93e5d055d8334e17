"""Answers to `recurrent`: a step, the whole sequence through time, rows of unequal lengths, truncation, a network."""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

import course
from course.lessons.mlp import Layer
from course.lessons.recurrent import Cell, CharRnn, rnn_step
from course.lessons.vector_chain_rule import gather_fwd
from solutions.linear_and_activations import affine_bwd, affine_fwd
from solutions.losses import masked_cross_entropy_bwd, masked_cross_entropy_fwd
from solutions.vector_chain_rule import gather_bwd


def rnn_step_fwd(
    params: Cell, h: Float[Array, "batch d_hidden"], x: Float[Array, "batch d_in"]
) -> tuple[
    Float[Array, "batch d_hidden"],
    tuple[Cell, Float[Array, "batch d_hidden"], Float[Array, "batch d_in"], Float[Array, "batch d_hidden"]],
]:
    """Returns the state after the step, and the residuals."""
    # 1. Beside the three arguments: from what does tanh like to have its slope made?
    after = rnn_step(params, h, x)
    return after, (params, h, x, after)


def rnn_step_bwd(
    residuals: tuple[Cell, Float[Array, "batch d_hidden"], Float[Array, "batch d_in"], Float[Array, "batch d_hidden"]],
    after_bar: Float[Array, "batch d_hidden"],
) -> tuple[Cell, Float[Array, "batch d_hidden"], Float[Array, "batch d_in"]]:
    """Returns (params_bar, h_bar, x_bar)."""
    params, h, x, after = residuals  # the value, not what tanh was taken of: it is there, and the slope is made of it
    # 2. Through tanh: what is the cotangent of the sum that it was taken of?
    z_bar = after_bar * (1 - after**2)
    # 3. Two products and a bias were added up, and each of them gets z_bar. What is it for the weights?
    params_bar = Cell(x.T @ z_bar, h.T @ z_bar, z_bar.sum(axis=0))
    # 4. And for what they were multiplied with?
    return params_bar, z_bar @ params.w_h.T, z_bar @ params.w_x.T


def rnn_fwd(
    params: Cell, h: Float[Array, "batch d_hidden"], x: Float[Array, "batch seq d_in"]
) -> tuple[
    Float[Array, "batch seq d_hidden"],
    tuple[Cell, Float[Array, "batch d_hidden"], Float[Array, "batch seq d_in"], Float[Array, "seq batch d_hidden"]],
]:
    """Returns the state after every step, and the residuals."""
    seq, (batch, _) = x.shape[1], h.shape
    # 1. Which part of a step does not need the state? For all steps at once it is one affine layer.
    rows = x.swapaxes(0, 1).reshape(seq * batch, -1)
    of_x = (rows @ params.w_x + params.b).reshape(seq, batch, -1)

    # 2. What is left to do in the loop, what is carried on, and what goes on record?
    def step(h: Float[Array, "batch d_hidden"], of_x: Float[Array, "batch d_hidden"]) -> tuple[Array, Array]:
        after = jnp.tanh(of_x + h @ params.w_h)
        return after, after

    states = jax.lax.scan(step, h, of_x)[1]
    return states.swapaxes(0, 1), (params, h, x, states)


def rnn_bwd(
    residuals: tuple[
        Cell, Float[Array, "batch d_hidden"], Float[Array, "batch seq d_in"], Float[Array, "seq batch d_hidden"]
    ],
    states_bar: Float[Array, "batch seq d_hidden"],
) -> tuple[Cell, Float[Array, "batch d_hidden"], Float[Array, "batch seq d_in"]]:
    """Returns (params_bar, h_bar, x_bar)."""
    params, h, x, states = residuals  # the states alone: the slopes, and what met w_h, are made of them
    seq, batch, d_hidden = states.shape
    turned = params.w_h.T

    # 3. One step back: which two cotangents has the state after it? What is handed on, and what goes on record?
    def step_back(h_bar: Float[Array, "batch d_hidden"], inside: tuple[Array, Array]) -> tuple[Array, Array]:
        after, row_bar = inside
        z_bar = (h_bar + row_bar) * (1 - after**2)
        return z_bar @ turned, z_bar

    # 4. Which step comes first on the way back, and what is handed to it from later ones?
    nothing = jnp.zeros_like(h)
    h_bar, z_bars = jax.lax.scan(step_back, nothing, (states, states_bar.swapaxes(0, 1)), reverse=True)
    # 5. Now every step of every row is known. If they are all rows of one matrix: what entered each of them?
    z_bar = z_bars.reshape(seq * batch, d_hidden)
    before = jnp.concatenate([h[None], states[:-1]]).reshape(seq * batch, d_hidden)
    rows = x.swapaxes(0, 1).reshape(seq * batch, -1)
    # 6. So it is an affine layer of very many rows. What are the cotangents of its weights and of its input?
    params_bar = Cell(rows.T @ z_bar, before.T @ z_bar, z_bar.sum(axis=0))
    x_bar = (z_bar @ params.w_x.T).reshape(seq, batch, -1).swapaxes(0, 1)
    return params_bar, h_bar, x_bar


def last_state_fwd(
    params: Cell,
    h: Float[Array, "batch d_hidden"],
    x: Float[Array, "batch seq d_in"],
    lengths: Int[Array, "batch"],
) -> tuple[Float[Array, "batch d_hidden"], Any]:
    """Returns the state of every row after its own last step, and the residuals."""
    # 1. rnn_fwd goes on over the padding. Which of its states is each row's last, and what if it has no step?
    states, kept = rnn_fwd(params, h, x)
    all_states = jnp.concatenate([h[:, None], states], axis=1)
    return all_states[jnp.arange(len(h)), lengths], (kept, lengths, x)


def last_state_bwd(
    residuals: Any, y_bar: Float[Array, "batch d_hidden"]
) -> tuple[Cell, Float[Array, "batch d_hidden"], Float[Array, "batch seq d_in"], None]:
    """Returns (params_bar, h_bar, x_bar, None): lengths are whole numbers and can't be nudged."""
    kept, lengths, x = residuals  # whatever rnn_fwd kept, and x for its shape alone
    (batch, d_hidden), seq = y_bar.shape, x.shape[1]
    # 2. One state of every row was picked, its start among them. What comes back to each of them?
    nothing = jnp.zeros((batch, 1 + seq, d_hidden), y_bar.dtype)
    picked_bar = nothing.at[jnp.arange(batch), lengths].set(y_bar)
    # 3. What goes through the network, and what comes back to the start past it?
    params_bar, h_bar, x_bar = rnn_bwd(kept, picked_bar[:, 1:])
    return params_bar, h_bar + picked_bar[:, 0], x_bar, None


def truncated_gradient(
    params: Cell,
    h: Float[Array, "batch d_hidden"],
    x: Float[Array, "batch seq d_in"],
    states_bar: Float[Array, "batch seq d_hidden"],
    stretch: int,
) -> Cell:
    """Returns what comes back to the parameters when no cotangent leaves the stretch of steps that it is in."""
    params_bar = jax.tree.map(jnp.zeros_like, params)
    for first in range(0, x.shape[1], stretch):
        # 1. Which steps are in this stretch, and from which state does it start?
        part = slice(first, first + stretch)
        states, kept = rnn_fwd(params, h, x[:, part])
        # 2. Back through these steps alone: what comes back to the parameters, and what becomes of it?
        part_bar, _, _ = rnn_bwd(kept, states_bar[:, part])
        params_bar = jax.tree.map(jnp.add, params_bar, part_bar)
        # 3. What is handed to the next stretch?
        h = states[:, -1]
    return params_bar


def reach(params: Cell, h: Float[Array, "d_hidden"], x: Float[Array, "seq d_in"]) -> Float[Array, "seq"]:
    """Returns the largest singular value of the Jacobian of every state by the first one."""

    # 1. Each row of `moved` says how the state moves for a nudge of the first one. What does one more step make of it?
    def step(carried: tuple[Array, Array], x: Float[Array, "d_in"]) -> tuple[tuple[Array, Array], Array]:
        h, moved = carried
        after = jnp.tanh(x @ params.w_x + h @ params.w_h + params.b)
        moved = (moved @ params.w_h) * (1 - after**2)
        # 2. Which norm of a matrix is its largest singular value?
        return (after, moved), jnp.linalg.norm(moved, ord=2)

    # 3. How do the nudges move the first state itself?
    return jax.lax.scan(step, (h, jnp.eye(len(h), dtype=h.dtype)), x)[1]


def char_rnn_loss_fwd(
    params: CharRnn, ids: Int[Array, "batch seq"], labels: Int[Array, "batch seq"]
) -> tuple[Float[Array, ""], Any]:
    """Returns the loss, and the residuals of four pairs."""
    batch, seq = ids.shape
    start = jnp.zeros((batch, len(params.cell.b)), params.table.dtype)
    # 1. Four pairs in a row. Which of them want one row for each character, and which a sequence?
    rows, kept_table = gather_fwd(params.table, ids.reshape(-1))
    states, kept_rnn = rnn_fwd(params.cell, start, rows.reshape(batch, seq, -1))
    logits, kept_readout = affine_fwd(states.reshape(batch * seq, -1), *params.readout)
    loss, kept_loss = masked_cross_entropy_fwd(logits, labels.reshape(-1))
    return loss, (kept_table, kept_rnn, kept_readout, kept_loss, ids)


def char_rnn_loss_bwd(residuals: Any, loss_bar: Float[Array, ""]) -> tuple[CharRnn, None, None]:
    """Returns the gradient of the parameters; characters can't be nudged."""
    kept_table, kept_rnn, kept_readout, kept_loss, ids = residuals  # each pair's own, and ids for their shape
    batch, seq = ids.shape
    # 2. The same four, the last one first. In which shape does each of them want its cotangent?
    logits_bar, _ = masked_cross_entropy_bwd(kept_loss, loss_bar)
    rows_bar, *readout_bar = affine_bwd(kept_readout, logits_bar)
    cell_bar, _, x_bar = rnn_bwd(kept_rnn, rows_bar.reshape(batch, seq, -1))
    table_bar, _ = gather_bwd(kept_table, x_bar.reshape(batch * seq, -1))
    # 3. What is returned for three sets of parameters, and for data?
    return CharRnn(table_bar, cell_bar, Layer(*readout_bar)), None, None


course.answer("recurrent.q1", (8.39, 2.1))
course.answer("recurrent.q2", 38)
course.answer("recurrent.q3", (3, 12))
course.answer("recurrent.q4", "d0")
course.answer(
    "recurrent.text",
    """With cuts every 20 steps no gradient ever went from a closing mark to the opening one: the state is handed on
over the cut, but nothing taught it to keep the mark. Stretches of 400 remove that cut, and nothing more. On the way
back each step still multiplies by w_h and by a slope of tanh that is at most 1, so after 200 steps there may be nothing
left, or far too much. I would look first: the norm of the state's cotangent, by steps back, in one long stretch. If it
is a millionth after 200 steps, longer stretches buy nothing but memory, twenty times as much. Then it takes another
start (orthogonal weights), gates, as in an LSTM, or attention, where the way back is one step long.""",
)
