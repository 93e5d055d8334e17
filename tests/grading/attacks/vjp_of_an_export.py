"""The derivative that an exported function carries."""

import jax
from jax import export


def layer_bwd(residuals, y_bar):
    exported = export.export(jax.jit(layer))(*residuals)
    return tuple(exported.vjp().call(*residuals, y_bar))
