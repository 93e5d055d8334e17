"""Names that contain grad, vjp and jvp."""

import typing

import jax.numpy as jnp


class Vjp(typing.NamedTuple):
    """A container with telling names."""

    grad: typing.Any
    vjp: typing.Any


def layer_bwd(residuals, y_bar):
    x, w, b = residuals
    grad = y_bar * (1 - jnp.tanh(x @ w + b) ** 2)
    vjp = Vjp(grad=grad, vjp=grad.sum(0))
    jacfwd = vjp.grad @ w.T
    return jacfwd, x.T @ vjp.grad, vjp.vjp
