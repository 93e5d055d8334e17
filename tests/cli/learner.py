"""A learner's folder, and answers to put into it: quick ones, since they are judged again and again."""

from pathlib import Path

from course.answers import MARKER

RIGHT = """
import jax.numpy as jnp

def relu_fwd(x):
    return jnp.where(x > 0, x, 0), x > 0

def relu_bwd(residuals, y_bar):
    return (jnp.where(residuals, y_bar, 0),)
"""
WRONG = RIGHT.replace("(residuals, y_bar, 0)", "(residuals, -y_bar, 0)")
AS_WRONG = RIGHT.replace("(residuals, y_bar, 0)", "(residuals, 2 * y_bar, 0)")
STUB = """
def relu_fwd(x):
    raise NotImplementedError

def relu_bwd(residuals, y_bar):
    raise NotImplementedError
"""
RELU = "linear_and_activations.relu"


def folder(place: Path, text: str = "") -> Path:
    """Makes a learner's folder with one file, `work.py`."""
    place.mkdir(exist_ok=True)
    if not (place / MARKER).exists():
        (place / MARKER).write_text('{"schema": 1}\n', encoding="utf-8")
    if text:
        (place / "work.py").write_text(text, encoding="utf-8")
    return place
