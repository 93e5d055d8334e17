"""Takes the rule off a function that carries one."""

import jax
import jax.numpy as jnp


def layer_bwd(residuals, y_bar):
    x, w, b = residuals
    z = x @ w + b
    sigmoid = jax.nn.silu(2 * z) / (2 * z)
    relu_slope = jax.nn.relu.jvp((jnp.ones_like(z),), (jnp.ones_like(z),))[1]
    z_bar = y_bar * relu_slope * 4 * sigmoid * (1 - sigmoid)
    return z_bar @ w.T, x.T @ z_bar, z_bar.sum(0)
