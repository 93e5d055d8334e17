"""The derivative that `jax.scipy.optimize.minimize` returns beside its result."""

from jax.flatten_util import ravel_pytree
from jax.scipy.optimize import minimize


def layer_bwd(residuals, y_bar):
    flat, unravel = ravel_pytree(residuals)

    def weighed(v):
        return (layer(*unravel(v)) * y_bar).sum()

    return unravel(minimize(weighed, flat, method="BFGS", options={"maxiter": 0}).jac)
