"""A Python process of its own that differentiates."""

import io
import os
import subprocess
import sys

import numpy as np

PROGRAM = """
import io, sys, numpy as np, jax, jax.numpy as jnp
jax.config.update("jax_enable_x64", True)
x, w, b, y_bar = [jnp.asarray(a) for a in np.load(io.BytesIO(sys.stdin.buffer.read())).values()]
found = jax.vjp(lambda x, w, b: jnp.tanh(x @ w + b), x, w, b)[1](y_bar)
out = io.BytesIO(); np.savez(out, *map(np.asarray, found)); sys.stdout.buffer.write(out.getvalue())
"""


def layer_bwd(residuals, y_bar):
    handed = io.BytesIO()
    np.savez(handed, *map(np.asarray, (*residuals, y_bar)))
    environment = dict(os.environ, JAX_PLATFORMS="cpu")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], input=handed.getvalue(), capture_output=True, check=True, env=environment
    )
    return tuple(np.load(io.BytesIO(done.stdout)).values())
