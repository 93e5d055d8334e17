"""Answers to `lstm`: a step, the whole sequence through time, a step of a GRU."""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

import course
from course.lessons.lstm import GatedCell, State, gates


def lstm_step_fwd(params: GatedCell, state: State, x: Float[Array, "batch d_in"]) -> tuple[State, tuple[Any, ...]]:
    """Returns state and cell after the step, and the residuals."""
    # 1. Beside the three arguments: from what do sigmoid and tanh like to have their slopes made?
    i, f, g, o = gates(x @ params.w_x + state.h @ params.w_h + params.b)
    c = f * state.c + i * g
    tanh_c = jnp.tanh(c)
    return State(o * tanh_c, c), (params, state, x, (i, f, g, o), tanh_c)


def lstm_step_bwd(residuals: tuple[Any, ...], after_bar: State) -> tuple[GatedCell, State, Float[Array, "batch d_in"]]:
    """Returns (params_bar, state_bar, x_bar)."""
    params, state, x, (i, f, g, o), tanh_c = residuals  # values of the gates and of tanh: the slopes are made of them
    # 2. The cell after the step is used twice. Which two cotangents come back to it?
    c_bar = after_bar.c + after_bar.h * o * (1 - tanh_c**2)
    # 3. Each gate was multiplied with something. What does it get?
    i_bar, f_bar, g_bar, o_bar = c_bar * g, c_bar * state.c, c_bar * i, after_bar.h * tanh_c
    # 4. Through three sigmoids and a tanh. In which order do the parts stand in z?
    z_bar = jnp.concatenate(
        [i_bar * i * (1 - i), f_bar * f * (1 - f), g_bar * (1 - g**2), o_bar * o * (1 - o)], axis=-1
    )
    # 5. From here on it is an affine layer of two inputs. What do its parameters get?
    params_bar = GatedCell(x.T @ z_bar, state.h.T @ z_bar, z_bar.sum(axis=0))
    # 6. And the inputs? Which way did the cell before take, past all matrices?
    return params_bar, State(z_bar @ params.w_h.T, c_bar * f), z_bar @ params.w_x.T


def lstm_fwd(
    params: GatedCell, state: State, x: Float[Array, "batch seq d_in"]
) -> tuple[Float[Array, "batch seq d_hidden"], tuple[Any, ...]]:
    """Returns h after every step, and the residuals."""
    seq, (batch, _) = x.shape[1], state.h.shape
    # 1. Which part of a step does not need the state? For all steps at once it is one affine layer.
    rows = x.swapaxes(0, 1).reshape(seq * batch, -1)
    of_x = (rows @ params.w_x + params.b).reshape(seq, batch, -1)

    # 2. What is left to do in the loop, what is carried on, and what goes on record?
    def step(state: State, of_x: Float[Array, "batch d_gates"]) -> tuple[State, tuple[Any, ...]]:
        i, f, g, o = gates(of_x + state.h @ params.w_h)
        c = f * state.c + i * g
        h = o * jnp.tanh(c)
        return State(h, c), (h, c, (i, f, g, o))

    _, (h, c, all_gates) = jax.lax.scan(step, state, of_x)
    return h.swapaxes(0, 1), (params, state, x, h, c, all_gates)


def lstm_bwd(
    residuals: tuple[Any, ...], states_bar: Float[Array, "batch seq d_hidden"]
) -> tuple[GatedCell, State, Float[Array, "batch seq d_in"]]:
    """Returns (params_bar, state_bar, x_bar)."""
    params, state, x, h, c, all_gates = residuals  # six numbers a unit and step; tanh(c) is made of c again
    seq, batch, _ = h.shape
    turned = params.w_h.T

    # 3. One step back: which cotangents come to its state, and which to its cell?
    def step_back(bar: State, inside: tuple[Any, ...]) -> tuple[State, Array]:
        (i, f, g, o), before, after, row_bar = inside
        tanh_c = jnp.tanh(after)
        h_bar = bar.h + row_bar
        c_bar = bar.c + h_bar * o * (1 - tanh_c**2)
        # 4. Which four parts has z_bar, and what is handed on by each of the two ways?
        z_bar = jnp.concatenate(
            [
                c_bar * g * i * (1 - i),
                c_bar * before * f * (1 - f),
                c_bar * i * (1 - g**2),
                h_bar * tanh_c * o * (1 - o),
            ],
            axis=-1,
        )
        return State(z_bar @ turned, c_bar * f), z_bar

    # 5. Which state and which cell entered each step? What is handed to the step that comes first on the way back?
    before_h = jnp.concatenate([state.h[None], h[:-1]]).reshape(seq * batch, -1)
    before_c = jnp.concatenate([state.c[None], c[:-1]])
    nothing = State(jnp.zeros_like(state.h), jnp.zeros_like(state.c))
    inside = (all_gates, before_c, c, states_bar.swapaxes(0, 1))
    state_bar, z_bars = jax.lax.scan(step_back, nothing, inside, reverse=True)
    # 6. z_bar of every step of every row is known: an affine layer of very many rows. What are its cotangents?
    z_bar, rows = z_bars.reshape(seq * batch, -1), x.swapaxes(0, 1).reshape(seq * batch, -1)
    params_bar = GatedCell(rows.T @ z_bar, before_h.T @ z_bar, z_bar.sum(axis=0))
    x_bar = (z_bar @ params.w_x.T).reshape(seq, batch, -1).swapaxes(0, 1)
    return params_bar, state_bar, x_bar


def gru_step_fwd(
    params: GatedCell, h: Float[Array, "batch d_hidden"], x: Float[Array, "batch d_in"]
) -> tuple[Float[Array, "batch d_hidden"], tuple[Any, ...]]:
    """Returns the state after the step, and the residuals."""
    r_x, u_x, n_x = jnp.split(x @ params.w_x + params.b, 3, axis=-1)
    r_h, u_h, n_h = jnp.split(h @ params.w_h, 3, axis=-1)
    r, u = jax.nn.sigmoid(r_x + r_h), jax.nn.sigmoid(u_x + u_h)
    # 1. Beside the arguments: which values are the slopes made of, and with what was the reset gate multiplied?
    n = jnp.tanh(n_x + r * n_h)
    return u * h + (1 - u) * n, (params, h, x, (r, u, n, n_h))


def gru_step_bwd(
    residuals: tuple[Any, ...], after_bar: Float[Array, "batch d_hidden"]
) -> tuple[GatedCell, Float[Array, "batch d_hidden"], Float[Array, "batch d_in"]]:
    """Returns (params_bar, h_bar, x_bar)."""
    params, h, x, (r, u, n, n_h) = residuals  # n_h is what the reset gate met; to make it again takes a product
    # 2. What comes back to the sums that tanh and the update gate were taken of?
    n_bar = after_bar * (1 - u) * (1 - n**2)
    u_bar = after_bar * (h - n) * u * (1 - u)
    # 3. And to the one of the reset gate, behind the candidate?
    r_bar = n_bar * n_h * r * (1 - r)
    # 4. Two products were split into three parts. In which part do their cotangents differ?
    of_x_bar = jnp.concatenate([r_bar, u_bar, n_bar], axis=-1)
    of_h_bar = jnp.concatenate([r_bar, u_bar, n_bar * r], axis=-1)
    params_bar = GatedCell(x.T @ of_x_bar, h.T @ of_h_bar, of_x_bar.sum(axis=0))
    # 5. By which two ways does the state before get something?
    return params_bar, after_bar * u + of_h_bar @ params.w_h.T, of_x_bar @ params.w_x.T


course.answer("lstm.q1", (0.366, 8e-5))
course.answer("lstm.q2", 4.97)
course.answer("lstm.q3", "d0")
course.answer(
    "lstm.text",
    """No. The highway only says that the cell's own way multiplies by f and by nothing else: no matrix, no slope of
tanh. f is a gate, and where it is 0.5, as it is at the start with biases of 0, 200 steps leave 0.5**200, which is
nothing: the gradient vanishes all the same. For 200 steps f has to be about 0.99 or more, so one starts with a forget
bias of some size (4 to 5 here; 1 is usual, for shorter ways). And the highway is only one of the ways: through h and
w_h the gates hand cotangents back, too, and these products may still explode, so that one clips. What f near 1 costs:
the cell forgets nothing of what it should not keep. I would look first at f itself over a batch, and at the norm of
the cell's cotangent by steps back.""",
)
