"""Differences of fourth order, all at once by `vmap`."""

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

    return unravel(jax.vmap(one)(jnp.arange(flat.size)))
