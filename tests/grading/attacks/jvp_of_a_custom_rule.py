"""`jax.jvp` of one function that carries a rule; the rest by hand."""

import jax
import jax.numpy as jnp


@jax.custom_jvp
def squash(z):
    return jnp.tanh(z)


squash.defjvp(lambda primals, tangents: (squash(*primals), (1 - jnp.tanh(primals[0]) ** 2) * tangents[0]))


def layer_bwd(residuals, y_bar):
    x, w, b = residuals
    z_bar = jax.jvp(squash, (x @ w + b,), (y_bar,))[1]
    return z_bar @ w.T, x.T @ z_bar, z_bar.sum(0)
