"""A gradient traced when the file is imported, bound again primitive by primitive."""

import jax
import jax.numpy as jnp


def trace(dtype):
    with jax.enable_x64(dtype == "float64"):
        ones = tuple(jnp.ones(shape, dtype) for shape in SHAPES)
        return jax.make_jaxpr(lambda x, w, b, y_bar: jax.vjp(layer, x, w, b)[1](y_bar))(*ones)


programs = {dtype: trace(dtype) for dtype in ("float32", "float64")}


def layer_bwd(residuals, y_bar):
    program = programs[str(y_bar.dtype)]
    known = dict(zip(program.jaxpr.invars, (*residuals, y_bar)))
    known.update(zip(program.jaxpr.constvars, program.consts))

    def value(atom):
        return atom.val if hasattr(atom, "val") else known[atom]

    for eqn in program.jaxpr.eqns:
        out = eqn.primitive.bind(*map(value, eqn.invars), **eqn.params)
        known.update(zip(eqn.outvars, out if eqn.primitive.multiple_results else [out]))
    return tuple(map(value, program.jaxpr.outvars))
