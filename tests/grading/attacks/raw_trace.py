"""The class of JVP traces, used directly."""

import jax.numpy as jnp
from jax._src import core
from jax._src.interpreters import ad


def tangent(f, x, x_dot):
    with core.take_current_trace() as parent:
        trace = ad.JVPTrace(parent, core.TraceTag())
        with core.set_current_trace(trace):
            out = f(ad.JVPTracer(trace, x, x_dot))
    return out.tangent


def layer_bwd(residuals, y_bar):
    x, w, b = residuals
    z_bar = tangent(jnp.tanh, x @ w + b, y_bar)
    return z_bar @ w.T, x.T @ z_bar, z_bar.sum(0)
