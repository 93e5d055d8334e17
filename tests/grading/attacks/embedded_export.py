"""Carries a derivative that was exported at home, as text."""

import base64

from jax import export

PROGRAMS = {"float64": "@FLOAT64@", "float32": "@FLOAT32@"}


def layer_bwd(residuals, y_bar):
    program = export.deserialize(bytearray(base64.b64decode(PROGRAMS[str(y_bar.dtype)])))
    return tuple(program.call(*residuals, y_bar))
