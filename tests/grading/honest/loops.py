"""Loops and branches."""

import jax
import jax.numpy as jnp


def layer_bwd(residuals, y_bar):
    x, w, b = residuals
    _, slope = jax.lax.scan(lambda c, row: (c, 1 - jnp.tanh(row @ w + b) ** 2), None, x)
    slope = jax.lax.cond(x.sum() > jnp.inf, lambda s: -s, lambda s: s, slope)
    _, z_bar = jax.lax.while_loop(lambda s: s[0] < 1, lambda s: (s[0] + 1, s[1] * y_bar), (0, slope))
    w_bar = jax.lax.fori_loop(0, len(x), lambda i, s: s + jnp.outer(x[i], z_bar[i]), 0 * w)
    return z_bar @ w.T, w_bar, z_bar.sum(0)
