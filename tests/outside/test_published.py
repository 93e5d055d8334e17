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


def udl(nudges, betas, omegas):
    """The toy model of S. Prince, "Understanding Deep Learning", notebook 7.1: its squared error at x = 2.3, y = 2.

    The nudges move f0, h1, f1, h2, f2, h3, f3, so that their derivatives are those of the intermediates.
    """
    f = betas[0] + omegas[0] * 2.3 + nudges[0]
    for place, function in ((1, jnp.sin), (2, jnp.exp), (3, jnp.cos)):
        h = function(f) + nudges[2 * place - 1]
        f = betas[place] + omegas[place] * h + nudges[2 * place]
    return (f - 2.0) ** 2


UDL = (np.zeros(7), np.array([1.0, 2.0, -3.0, 0.4]), np.array([0.1, -0.4, 2.0, 3.0]))
UDL_DERIVATIVES = [
    [2.281, 6.824, -17.060, -3.366, -1.683, 2.234, 0.745],
    [2.281, -17.060, -1.683, 0.745],
    {(1,): -16.079, (2,): -8.530, (3,): 0.489},
]


def tanh_neuron(x, w, b):
    """The neuron of A. Karpathy's lecture "building micrograd", repository nn-zero-to-hero."""
    return jnp.tanh(w @ x + b)


def sigmoid_neuron(w, x):
    """The neuron of Stanford CS231n, "Backpropagation, Intuitions"; the last weight is the bias."""
    return jax.nn.sigmoid(w[0] * x[0] + w[1] * x[1] + w[2])


def tanh_by_exp(x):
    """The function of the README of HIPS/autograd."""
    y = jnp.exp(-2.0 * x)
    return (1.0 - y) / (1.0 + y)


NEURON = (np.array([2.0, 0.0]), np.array([-3.0, 1.0]), 6.8813735870195432)
MAZUR = (np.array([[[0.15, 0.20], [0.25, 0.30]], [[0.40, 0.45], [0.50, 0.55]]]), np.array([0.35, 0.60]))


def logistic(x):
    """sum_logistic of the JAX quickstart."""
    return jnp.sum(1.0 / (1.0 + jnp.exp(-x)))


PUBLISHED = {
    "micrograd": (micrograd, (-4.0, 2.0), 24.7041, [138.8338, 645.5773], 5e-5),
    "Mazur": (mazur, MAZUR, 0.298371109, [{(1, 0, 0): 0.082167041, (0, 0, 0): 0.000438568}], 5e-9),
    "JAX quickstart": (logistic, (np.arange(3.0),), None, [[0.25, 0.19661194, 0.10499357]], 5e-8),
    "JAX, tanh": (jnp.tanh, (2.0,), None, [0.070650816], 5e-8),
    "CS231n, a product of a sum": (lambda x, y, z: (x + y) * z, (-2.0, 5.0, -4.0), -12.0, [-4.0, -4.0, 3.0], 1e-12),
    "CS231n, a maximum": (
        lambda x, y, z, w: 2 * (x * y + jnp.maximum(z, w)),
        (3.0, -4.0, 2.0, -1.0),
        -20.0,
        [-8.0, 6.0, 2.0, 0.0],
        1e-12,
    ),
    "CS231n, a neuron": (
        sigmoid_neuron,
        (np.array([2.0, -3.0, -3.0]), np.array([-1.0, -2.0])),
        0.73,
        [[-0.20, -0.39, 0.20], [0.39, -0.59]],
        5e-3,
    ),
    "micrograd, the lecture's product": (
        lambda a, b, c, f: (a * b + c) * f,
        (2.0, -3.0, 10.0, -2.0),
        -8.0,
        [6.0, -4.0, -2.0, 4.0],
        1e-12,
    ),
    "micrograd, the lecture's neuron": (
        tanh_neuron,
        NEURON,
        0.7071067811865476,
        [[-1.5, 0.5], [1.0, 0.0], 0.5],
        1e-14,
    ),
    "UDL 7.1": (udl, UDL, None, UDL_DERIVATIVES, 5e-4),
    "HIPS autograd": (tanh_by_exp, (1.0,), None, [0.41997434161402603], 1e-15),
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
