"""Complex steps: exact to the last bit, one evaluation for each input."""

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree


def layer_bwd(residuals, y_bar):
    flat, unravel = ravel_pytree(residuals)
    sizes = [leaf.size for leaf in residuals]

    def one(e):
        parts = jnp.split(flat + 1e-20j * e, (sizes[0], sizes[0] + sizes[1]))
        x, w, b = (part.reshape(leaf.shape) for part, leaf in zip(parts, residuals))
        return (layer(x, w, b) * y_bar).sum().imag / 1e-20

    return unravel(jax.vmap(one)(jnp.eye(flat.size, dtype=flat.dtype)).astype(flat.dtype))
