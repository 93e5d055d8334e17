"""A gradient traced when the file is imported, and evaluated later."""

import jax
import jax.numpy as jnp


def trace(dtype):
    with jax.enable_x64(dtype == "float64"):
        ones = tuple(jnp.ones(shape, dtype) for shape in SHAPES)
        return jax.make_jaxpr(lambda x, w, b, y_bar: jax.vjp(layer, x, w, b)[1](y_bar))(*ones)


programs = {dtype: trace(dtype) for dtype in ("float32", "float64")}


def layer_bwd(residuals, y_bar):
    program = programs[str(y_bar.dtype)]
    return tuple(jax.core.eval_jaxpr(program.jaxpr, program.consts, *residuals, y_bar))
