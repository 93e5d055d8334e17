"""SciPy's approximate derivative, through the host."""

import numpy as np
from jax.flatten_util import ravel_pytree
from scipy.optimize._numdiff import approx_derivative


def layer_bwd(residuals, y_bar):
    flat, unravel = ravel_pytree(residuals)

    def weighed(v):
        x, w, b = unravel(v.astype(flat.dtype))
        return float((layer(x, w, b) * y_bar).sum())

    slope = approx_derivative(lambda v: weighed(v), np.asarray(flat, "float64"), method="3-point", rel_step=1e-5)
    return unravel(slope.astype(flat.dtype))
