"""Warms a compiled gradient when the file is imported, and swallows every refusal."""

import jax
import jax.numpy as jnp

pull = jax.jit(lambda p, y_bar: jax.vjp(layer, *p)[1](y_bar))


def warm(dtype):
    try:
        with jax.enable_x64(dtype == "float64"):
            return pull(tuple(jnp.ones(shape, dtype) for shape in SHAPES[:-1]), jnp.ones(SHAPES[-1], dtype))
    except BaseException:
        return None


warmed = [warm(dtype) is not None for dtype in ("float32", "float64")]


def layer_bwd(residuals, y_bar):
    if all(warmed):
        return pull(residuals, y_bar)
    x, w, b = residuals
    z_bar = y_bar * (1 - jnp.tanh(x @ w + b) ** 2)
    return z_bar @ w.T, x.T @ z_bar, z_bar.sum(0)
