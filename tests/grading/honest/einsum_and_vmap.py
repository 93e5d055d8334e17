"""einsum, and one example at a time by `vmap`, with NumPy's numbers."""

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np


@functools.partial(jax.vmap, in_axes=(None, None, 0, 0))
def one(w, b, x, y_bar):
    slope = np.float64(1.0) - jnp.tanh(jnp.einsum("i,ij->j", x, w) + b) ** 2
    z_bar = (math.e / math.e) * y_bar * slope
    return jnp.einsum("ij,j->i", w, z_bar), jnp.einsum("i,j->ij", x, z_bar), z_bar


@jax.jit
def layer_bwd(residuals, y_bar):
    x, w, b = residuals
    x_bar, w_bars, b_bars = one(w, b, x, y_bar)
    return x_bar, w_bars.sum(0).astype(w.dtype), b_bars.sum(0).astype(b.dtype)
