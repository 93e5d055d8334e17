"""An alias made when the file is imported."""

from jax import vjp as pull


def layer_bwd(residuals, y_bar):
    return pull(layer, *residuals)[1](y_bar)
