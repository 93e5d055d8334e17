"""A compiled gradient, warmed when the file is imported."""

import jax
import jax.numpy as jnp

pull = jax.jit(lambda p, y_bar: jax.vjp(layer, *p)[1](y_bar))


def warm(dtype):
    with jax.enable_x64(dtype == "float64"):
        return pull(tuple(jnp.ones(shape, dtype) for shape in SHAPES[:-1]), jnp.ones(SHAPES[-1], dtype))


warmed = [warm(dtype) for dtype in ("float32", "float64")]


def layer_bwd(residuals, y_bar):
    return pull(residuals, y_bar) if warmed else None
