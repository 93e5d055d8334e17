"""Forward mode: a value and its tangent computed side by side, by one rule an operation.

    dual number   a = (value, tangent)       x_dot is how fast x moves, y_dot how fast y moves then
    rule          rule(primals, tangents) -> (y, y_dot)

    matmul(a, b)                    = a @ b
    quotient(top, bottom)           = top / bottom
    logsumexp(logits)               = log(sum(exp(logits)))                            along a row
    network_loss(params, x, target) = half_squared_error(tanh(x @ w1 + b1) @ w2 + b2, target)
    hand(angles)                    = (sum(cos(directions)), sum(sin(directions)))     directions = cumsum(angles)
    deep_loss(ws, x)                = half the mean square of x after x = tanh(x @ w) for each w

Source: R. E. Wengert, "A simple automatic derivative evaluation program", Communications of the ACM 7(8), 1964,
doi:10.1145/355586.364791. A. Griewank, A. Walther, "Evaluating Derivatives", second edition, SIAM, 2008, chapters 3
and 4, doi:10.1137/1.9780898717761.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from course.lessons.linear_and_activations import affine, tanh
from course.lessons.losses import half_squared_error
from course.lessons.two_layer_network import BatchNetwork


class Dual(NamedTuple):
    """A number, and how fast it moves."""

    value: Any
    tangent: Any


def matmul(a: Float[Array, "rows inner"], b: Float[Array, "inner columns"]) -> Float[Array, "rows columns"]:
    """Returns the product of two matrices."""
    return a @ b


def quotient(top: Float[Array, "*shape"], bottom: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """Divides entry by entry."""
    return top / bottom


def logsumexp(logits: Float[Array, "batch classes"]) -> Float[Array, "batch"]:
    """Returns the logarithm of the sum of each row's exponentials; logits of +-1e4 give finite numbers."""
    return jax.nn.logsumexp(logits, axis=-1)


def network_loss(
    params: BatchNetwork, x: Float[Array, "batch d_in"], target: Float[Array, "batch d_out"]
) -> Float[Array, ""]:
    """Returns the halved squared error of a network of two layers with a tanh between them."""
    hidden = tanh(affine(x, params.w1, params.b1))
    return half_squared_error(affine(hidden, params.w2, params.b2), target)


def hand(angles: Float[Array, "joints"]) -> Float[Array, "2"]:
    """Returns where the end of an arm is, whose segments have length 1; each angle is to the segment before."""
    directions = jnp.cumsum(angles)
    return jnp.stack([jnp.sum(jnp.cos(directions)), jnp.sum(jnp.sin(directions))])


def hand_jvp(
    angles: Float[Array, "joints"], angles_dot: Float[Array, "joints"]
) -> tuple[Float[Array, "2"], Float[Array, "2"]]:
    """Returns where the end of the arm is, and how fast it moves when the joints turn at the speeds `angles_dot`."""
    directions, directions_dot = jnp.cumsum(angles), jnp.cumsum(angles_dot)
    right, up = jnp.cos(directions), jnp.sin(directions)
    y = jnp.stack([jnp.sum(right), jnp.sum(up)])
    y_dot = jnp.stack([-jnp.sum(up * directions_dot), jnp.sum(right * directions_dot)])
    return y, y_dot


def deep_loss(ws: Sequence[Float[Array, "d d"]], x: Float[Array, "batch d"]) -> Float[Array, ""]:
    """Returns half the mean square of what layers without biases make of x: a loss of len(ws) * d * d numbers."""
    for w in ws:
        x = tanh(x @ w)
    return half_squared_error(x, jnp.zeros_like(x))
