"""`jax.grad` of tanh alone; the rest by hand."""

import jax
import jax.numpy as jnp


def layer_bwd(residuals, y_bar):
    x, w, b = residuals
    slope = jax.vmap(jax.vmap(jax.grad(jnp.tanh)))(x @ w + b)
    z_bar = y_bar * slope
    return z_bar @ w.T, x.T @ z_bar, z_bar.sum(0)
