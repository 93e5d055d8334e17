"""Differences in a `while_loop` that ends when a number of the data says so."""

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree


def layer_bwd(residuals, y_bar):
    flat, unravel = ravel_pytree(residuals)
    h = 1e-3 if flat.dtype == "float64" else 1e-3

    def weighed(v):
        return (layer(*unravel(v)) * y_bar).sum()

    def one(i):
        e = h * (jnp.arange(flat.size) == i)
        return (8 * (weighed(flat + e) - weighed(flat - e)) - (weighed(flat + 2 * e) - weighed(flat - 2 * e))) / (
            12 * h
        )

    def step(state):
        i, left, out = state
        return i + 1, left - 1, out.at[i].set(one(i))

    size = flat.size + 0 * flat[0].astype(int)
    return unravel(jax.lax.while_loop(lambda state: state[1] > 0, step, (0, size, 0 * flat))[2])
