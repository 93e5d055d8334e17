"""Published numbers of other people's courses and libraries, with their inputs: the judge's oracles give the same."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from course.comparison.judging import judging, stream
from course.comparison.oracle import find_truth
from course.comparison.point import make_point
from course.comparison.precision import FLOAT64


def micrograd(a, b):
    """The expression of the README of karpathy/micrograd."""
    c, d = a + b, a * b + b**3
    c = c + c + 1
    c = c + 1 + c + (-a)
    d = d + d * 2 + jax.nn.relu(b + a)
    d = d + 3 * d + jax.nn.relu(b - a)
    e = c - d
    f = e**2
    g = f / 2.0
    return g + 10.0 / f


def mazur(w, b):
    """The network of M. Mazur, "A Step by Step Backpropagation Example", 2015: its total error, at its inputs."""
    x, target = jnp.array([0.05, 0.10]), jnp.array([0.01, 0.99])
    hidden = jax.nn.sigmoid(w[0] @ x + b[0])
    return 0.5 * jnp.sum((jax.nn.sigmoid(w[1] @ hidden + b[1]) - target) ** 2)


MAZUR = (np.array([[[0.15, 0.20], [0.25, 0.30]], [[0.40, 0.45], [0.50, 0.55]]]), np.array([0.35, 0.60]))


def logistic(x):
    """sum_logistic of the JAX quickstart."""
    return jnp.sum(1.0 / (1.0 + jnp.exp(-x)))


PUBLISHED = {
    "micrograd": (micrograd, (-4.0, 2.0), 24.7041, [138.8338, 645.5773], 5e-5),
    "Mazur": (mazur, MAZUR, 0.298371109, [{(1, 0, 0): 0.082167041, (0, 0, 0): 0.000438568}], 5e-9),
    "JAX quickstart": (logistic, (np.arange(3.0),), None, [[0.25, 0.19661194, 0.10499357]], 5e-8),
    "JAX, tanh": (jnp.tanh, (2.0,), None, [0.070650816], 5e-8),
    "JAX, log1pexp": (lambda x: jnp.log1p(jnp.exp(x)), (3.0,), 3.0485873, [0.9525741], 1e-7),
}
"""Primal, inputs, published value, published derivatives or some entries of them, and how exactly they were printed."""


@pytest.mark.parametrize("primal, primals, value, derivatives, last_digit", PUBLISHED.values(), ids=PUBLISHED)
def test_reverse_and_forward_mode_and_differences_give_what_was_published(
    primal, primals, value, derivatives, last_digit
):
    with judging():
        truth = find_truth(make_point(primal, primals).cast(np.float64), FLOAT64, stream(0))
    y_bar = np.asarray(truth.y_bar)
    if value is not None:
        assert float(truth.y) == pytest.approx(value, abs=last_digit)
    for found in (truth.reverse, truth.columns):
        for published, array in zip(derivatives, found, strict=False):
            entries = published if isinstance(published, dict) else dict(np.ndenumerate(np.asarray(published)))
            for index, number in entries.items():
                assert float((array / y_bar)[index]) == pytest.approx(number, abs=last_digit * 1.01 + 1e-12)
