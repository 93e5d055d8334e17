"""Slopes from values alone: functions to try numerical differentiation on, and a small network with a tree of numbers.

    oddity(x)       = exp(x) / sqrt(sin(x)**3 + cos(x)**3)
    ramp(x)         = x where x > 0, else 0
    xor_loss(params) = 0.5 * mean((tanh(x @ w + b) @ v + c - target)**2)

`oddity` takes complex numbers too, and wants a real part between -0.7 and 2.3, where the root is of something positive.
`xor_loss` goes over the four points of XOR: the output should be 1 where exactly one of two inputs is 1.

Sources: oddity, with another exponent in the denominator: W. Squire, G. Trapp, "Using complex variables to estimate
derivatives of real functions", SIAM Review 40(1), 1998, doi:10.1137/S003614459631241X; as it stands: J. R. R. A.
Martins, P. Sturdza, J. J. Alonso, "The complex-step derivative approximation", ACM TOMS 29(3), 2003,
doi:10.1145/838250.838251.
XOR: D. E. Rumelhart, G. E. Hinton, R. J. Williams, "Learning internal representations by error propagation", 1986.
"""

from typing import TypedDict

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Inexact, PyTree

POINTS = ((0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0))
"""The two inputs of each example of XOR."""

TARGETS = (0.0, 1.0, 1.0, 0.0)
"""What the network should say to each."""


class Hidden(TypedDict):
    """The numbers of the hidden layer."""

    w: Float[Array, "2 units"]
    b: Float[Array, "units"]


class Output(TypedDict):
    """The numbers of the output."""

    v: Float[Array, "units"]
    c: Float[Array, ""]


class Params(TypedDict):
    """A tree of parameters: dicts in a dict, with arrays at the ends."""

    hidden: Hidden
    out: Output


def oddity(x: Inexact[Array, ""] | float | complex) -> Inexact[Array, ""]:
    """Returns a number that nobody would like to differentiate by hand."""
    return jnp.exp(x) / jnp.sqrt(jnp.sin(x) ** 3 + jnp.cos(x) ** 3)


def ramp(x: Float[Array, ""] | float) -> Float[Array, ""]:
    """Keeps what is positive, and sets the rest to zero: a function with a kink."""
    return jnp.where(x > 0, x, jnp.zeros_like(x))


def xor_loss(params: Params) -> Float[Array, ""]:
    """Returns how far the network is from XOR: the mean over four points of the squared error, halved."""
    w, b = params["hidden"]["w"], params["hidden"]["b"]
    v, c = params["out"]["v"], params["out"]["c"]
    x, target = jnp.array(POINTS, w.dtype), jnp.array(TARGETS, w.dtype)
    a = jnp.tanh(x @ w + b)
    y = a @ v + c
    return 0.5 * jnp.mean((y - target) ** 2)


def sum_of_cubes(tree: PyTree[Float[Array, "..."]]) -> Float[Array, ""]:
    """Returns the sum of the cubes of all numbers of a tree, of whatever form."""
    return sum((jnp.sum(leaf**3) for leaf in jax.tree.leaves(tree)), jnp.zeros(()))
