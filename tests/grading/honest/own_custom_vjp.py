"""Installs its pair as a `jax.custom_vjp`, and calls that."""

import jax
import jax.numpy as jnp


@jax.custom_vjp
def squash(z):
    return jnp.tanh(z)


def squash_fwd(z):
    return jnp.tanh(z), jnp.tanh(z)


def squash_bwd(y, y_bar):
    return (y_bar * (1 - y**2),)


squash.defvjp(squash_fwd, squash_bwd)
squashes = squash


def layer_bwd(residuals, y_bar):
    x, w, b = residuals
    (z_bar,) = squash_bwd(squash(x @ w + b), y_bar)
    return z_bar @ w.T, x.T @ z_bar, z_bar.sum(0)
