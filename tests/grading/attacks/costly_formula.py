"""No attack: a right formula that is slow."""

import jax.numpy as jnp


def layer_bwd(residuals, y_bar):
    x, w, b = residuals
    z_bar = y_bar * (1 - jnp.tanh(x @ w + b) ** 2)
    for _ in range(12):
        z_bar = z_bar @ jnp.linalg.inv(jnp.eye(z_bar.shape[1], dtype=z_bar.dtype))
    return z_bar @ w.T, x.T @ z_bar, z_bar.sum(0)
