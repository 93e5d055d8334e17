"""`jax.hessian` of the weighed value times one more number."""

import jax
import jax.numpy as jnp


def layer_bwd(residuals, y_bar):
    def weighed(args):
        t, p = args
        return t * (layer(*p) * y_bar).sum()

    return jax.hessian(weighed)((jnp.ones(()), residuals))[0][1]
