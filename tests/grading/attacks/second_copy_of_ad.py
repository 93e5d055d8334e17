"""A second copy of JAX's module of differentiation."""

import importlib.util
import sys

import jax.numpy as jnp
from jax._src import core


def tangent(f, x, x_dot):
    spec = importlib.util.find_spec("jax._src.interpreters.ad")
    ad = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(ad)
    original = sys.modules["jax._src.interpreters.ad"]
    for table in ("primitive_jvps", "primitive_transposes", "primitive_linearizations"):
        getattr(ad, table).update(getattr(original, table))
    with core.take_current_trace() as parent:
        trace = ad.JVPTrace(parent, core.TraceTag())
        with core.set_current_trace(trace):
            out = f(ad.JVPTracer(trace, x, x_dot))
    return out.tangent


def layer_bwd(residuals, y_bar):
    x, w, b = residuals
    z_bar = tangent(jnp.tanh, x @ w + b, y_bar)
    return z_bar @ w.T, x.T @ z_bar, z_bar.sum(0)
