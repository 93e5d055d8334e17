"""Primals and their right pairs, shared by the tests of this folder: one primal at one size is compiled once."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from course.comparison.compare import compare
from course.records import Comparison


def draw(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng([seed, *shape]).standard_normal(shape)


X, W, B = draw(5, 3), draw(3, 4), draw(4)


def affine(x, w, b):
    return x @ w + b


def affine_fwd(x, w, b):
    return affine(x, w, b), (x, w)


def affine_bwd(residuals, y_bar):
    x, w = residuals
    return y_bar @ w.T, x.T @ y_bar, y_bar.sum(axis=0)


def judged(bwd: Any = affine_bwd, fwd: Any = affine_fwd, **settings: Any) -> Comparison:
    """Judges an answer to affine."""
    return compare(affine, fwd, bwd, X, W, B, **settings)


def square(x):
    return x**2


def square_fwd(x):
    return x**2, x


def square_bwd(x, y_bar):
    return (2 * x * y_bar,)


class Layer(NamedTuple):
    w: Any
    b: Any


class Network(NamedTuple):
    layers: list[Layer]
    scale: Any


def network(params, x):
    hidden, last = params.layers
    return jnp.tanh(affine(x, *hidden)) @ last.w + last.b * params.scale


def network_fwd(params, x):
    hidden, last = params.layers
    h = jnp.tanh(affine(x, *hidden))
    return h @ last.w + last.b * params.scale, (params, x, h)


def network_bwd(residuals, y_bar):
    params, x, h = residuals
    hidden, last = params.layers
    a_bar = y_bar @ last.w.T * (1 - h**2)
    row = y_bar.sum(axis=0)
    layers = [Layer(x.T @ a_bar, a_bar.sum(axis=0)), Layer(h.T @ y_bar, row * params.scale)]
    return Network(layers, (row * last.b).sum()), a_bar @ hidden.w.T


NETWORK = Network([Layer(draw(3, 6), draw(6)), Layer(draw(6, 2), draw(2))], 1.7)


def scores(x, q, k, k_bias):
    """One head of attention; a bias on the keys moves every score of a row alike, so its cotangent is zero."""
    return jax.nn.softmax((x @ q) @ (x @ k + k_bias).T) @ x


def scores_fwd(x, q, k, k_bias):
    p = jax.nn.softmax((x @ q) @ (x @ k + k_bias).T)
    return p @ x, (x, q, k, k_bias, p)


def scores_bwd(residuals, y_bar):
    x, q, k, k_bias, p = residuals
    queries, keys = x @ q, x @ k + k_bias
    p_bar = y_bar @ x.T
    s_bar = p * (p_bar - (p_bar * p).sum(axis=-1, keepdims=True))
    queries_bar, keys_bar = s_bar @ keys, s_bar.T @ queries
    x_bar = p.T @ y_bar + queries_bar @ q.T + keys_bar @ k.T
    return x_bar, x.T @ queries_bar, x.T @ keys_bar, keys_bar.sum(axis=0)


def said(found: Comparison) -> str:
    """Everything that a reader is told."""
    return "\n".join([found.headline, *(remark.text for remark in found.remarks), *found.notes])
