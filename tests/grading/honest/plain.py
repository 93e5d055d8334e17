"""The formula."""

import jax.numpy as jnp


def layer_bwd(residuals, y_bar):
    x, w, b = residuals
    z_bar = y_bar * (1 - jnp.tanh(x @ w + b) ** 2)
    return z_bar @ w.T, x.T @ z_bar, z_bar.sum(0)
