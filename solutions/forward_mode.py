"""Answers to `forward_mode`: dual numbers, tangent rules, a Jacobian column by column, a network's tangent."""

from collections.abc import Callable

import jax.numpy as jnp
from jaxtyping import Array, Float

import course
from course.lessons.forward_mode import Dual, logsumexp, matmul, quotient
from course.lessons.linear_and_activations import tanh
from course.lessons.losses import half_squared_error
from course.lessons.two_layer_network import BatchNetwork


def dual_multiply(a: Dual, b: Dual) -> Dual:
    """Returns the product of two dual numbers."""
    # 1. Multiply (a.value + a.tangent * eps) by (b.value + b.tangent * eps). What stands without an eps?
    value = a.value * b.value
    # 2. What stands before a single eps, once eps * eps counts as nothing?
    tangent = a.tangent * b.value + a.value * b.tangent
    return Dual(value, tangent)


def tanh_jvp(
    primals: tuple[Float[Array, "*shape"]], tangents: tuple[Float[Array, "*shape"]]
) -> tuple[Float[Array, "*shape"], Float[Array, "*shape"]]:
    """Returns (y, y_dot): tanh of x, and how fast it moves when x moves at x_dot."""
    (x,), (x_dot,) = primals, tangents  # nothing is kept for later: y is at hand while y_dot is made
    # 1. How does the slope read in terms of y, and what does it do to x_dot?
    y = tanh(x)
    return y, (1 - y**2) * x_dot


def matmul_jvp(
    primals: tuple[Float[Array, "rows inner"], Float[Array, "inner columns"]],
    tangents: tuple[Float[Array, "rows inner"], Float[Array, "inner columns"]],
) -> tuple[Float[Array, "rows columns"], Float[Array, "rows columns"]]:
    """Returns (y, y_dot): a @ b, and how fast it moves when a moves at a_dot and b at b_dot."""
    (a, b), (a_dot, b_dot) = primals, tangents
    # 1. What would y_dot be if b stood still, and what if a did?
    by_a, by_b = a_dot @ b, a @ b_dot
    # 2. Both move at once. What becomes of the two?
    return matmul(a, b), by_a + by_b


def network_jvp(
    primals: tuple[BatchNetwork, Float[Array, "batch d_in"], Float[Array, "batch d_out"]],
    tangents: tuple[BatchNetwork, Float[Array, "batch d_in"], Float[Array, "batch d_out"]],
) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """Returns (loss, loss_dot); primals are (params, x, target), tangents (params_dot, x_dot, target_dot)."""
    (params, x, target), (params_dot, x_dot, target_dot) = primals, tangents
    # 1. The first layer: which of your rules makes its product, and what does a bias that moves add?
    z1, z1_dot = matmul_jvp((x, params.w1), (x_dot, params_dot.w1))
    a1, a1_dot = tanh_jvp((z1 + params.b1,), (z1_dot + params_dot.b1,))
    # 2. The second layer: what goes in now, and how fast does that move?
    z2, z2_dot = matmul_jvp((a1, params.w2), (a1_dot, params_dot.w2))
    prediction, prediction_dot = z2 + params.b2, z2_dot + params_dot.b2
    # 3. How fast does half a square move, when prediction and target both do? What does the mean do to that?
    error, error_dot = prediction - target, prediction_dot - target_dot
    loss_dot = jnp.sum(error * error_dot) / len(x)
    return half_squared_error(prediction, target), loss_dot


def jacobian(
    push: Callable[..., tuple[Float[Array, "m"], Float[Array, "m"]]], x: Float[Array, "n"]
) -> Float[Array, "m n"]:
    """Returns the Jacobian at x, of shape (outputs, inputs); push(x, x_dot) returns (y, y_dot)."""
    # 1. Which direction x_dot moves the first number of x alone? And which directions are there in all?
    directions = jnp.eye(len(x))
    # 2. What does push give for each, and is that a row or a column of the Jacobian?
    columns = [push(x, x_dot)[1] for x_dot in directions]
    return jnp.stack(columns, axis=1)


def quotient_jvp(
    primals: tuple[Float[Array, "*shape"], Float[Array, "*shape"]],
    tangents: tuple[Float[Array, "*shape"], Float[Array, "*shape"]],
) -> tuple[Float[Array, "*shape"], Float[Array, "*shape"]]:
    """Returns (y, y_dot) of y = top / bottom, when both move."""
    (top, bottom), (top_dot, bottom_dot) = primals, tangents
    # 1. y * bottom is top. Use the product's rule on that: how fast must y move?
    y = quotient(top, bottom)
    return y, (top_dot - y * bottom_dot) / bottom


def logsumexp_jvp(
    primals: tuple[Float[Array, "batch classes"]], tangents: tuple[Float[Array, "batch classes"]]
) -> tuple[Float[Array, "batch"], Float[Array, "batch"]]:
    """Returns (y, y_dot): the logsumexp of each row, and how fast it moves."""
    (logits,), (logits_dot,) = primals, tangents
    # 1. How much does y move for each logit alone? These shares are numbers that you know from the losses.
    y = logsumexp(logits)
    shares = jnp.exp(logits - y[:, None])
    # 2. All logits of a row move at once. What becomes of their shares?
    return y, jnp.sum(shares * logits_dot, axis=-1)


course.answer("forward_mode.q1", (8.0, 6.0))
course.answer("forward_mode.q2", "c")
course.answer("forward_mode.q3", 400)
course.answer("forward_mode.q4", "c0")
course.answer(
    "forward_mode.text",
    """It is true that nothing has to be kept: the tangent goes along with the value. But one pass gives one number,
how fast the loss moves if all parameters move in one given way. For a step of descent we want the slope by each
of a million parameters, so a million passes, each somewhat dearer than forward. One backward pass gives all of
them for two or three times the price of forward. Forward mode pays where few inputs are moved and many outputs
are looked at, or where one direction is all that one asks for.""",
)
