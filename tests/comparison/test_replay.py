"""A primal replayed with every gate open gives JAX's own derivative, whatever it is made of."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from course.comparison.gates.search import Searcher
from course.comparison.judging import at_precision, judging, stream
from course.comparison.oracle import find_truth
from course.comparison.point import make_point
from course.comparison.study import study
from course.comparison.trees import Matched
from course.comparison.wrong import Wrong, cotangents_expected
from tests.comparison.pairs import draw


@jax.custom_jvp
def logsumexp(x):
    return jnp.log(jnp.sum(jnp.exp(x)))


logsumexp.defjvp(lambda at, along: (logsumexp(at[0]), jnp.vdot(jax.nn.softmax(at[0]), along[0])))


@jax.custom_vjp
def straight_through(x):
    return jnp.round(x)


straight_through.defvjp(lambda x: (jnp.round(x), None), lambda _, y_bar: (y_bar,))


def masked_attention(x, q, k):
    scores = jnp.where(jnp.tril(jnp.ones((5, 5), bool)), (x @ q) @ (x @ k).T, -jnp.inf)
    return jax.nn.softmax(scores) @ x


def loop_in_a_loop(x, w):
    def inner(h, _):
        return jnp.tanh(h @ w), None

    def outer(h, _):
        return lax.scan(inner, h, None, length=2)[0], h

    return lax.scan(outer, x, None, length=3)[1]


PRIMALS = {
    "a rule of its own": (lambda x, w: logsumexp(x * w), draw(7), draw(7, seed=1)),
    "infinite masks": (masked_attention, draw(5, 3), draw(3, 4), draw(3, 4, seed=1)),
    "a loop in a loop": (loop_in_a_loop, draw(3), draw(3, 3)),
    "a loop from the end": (lambda xs: lax.scan(lambda c, x: (c / 2 + x, c**2), 0.0, xs, reverse=True)[1], draw(7)),
    "a counted loop": (lambda x: lax.fori_loop(0, 4, lambda i, h: jnp.sin(h) + i, x), draw(3)),
    "a branch": (lambda x: lax.cond(x[0] > 0, jnp.sin, lambda x: x**3, x), draw(7)),
    "recomputing": (lambda x, w: jax.checkpoint(lambda x: jnp.sin(x @ w))(x) ** 2, draw(5, 3), draw(3, 4)),
    "rows drawn again": (lambda table, ids: table[ids] ** 2, draw(11, 3), np.array([1, 1, 4])),
    "random keys": (lambda key, x: jax.random.bernoulli(key, 0.5, x.shape) * x**2, jax.random.key(0), draw(7)),
    "complex numbers": (lambda x: jnp.abs(jnp.fft.rfft(x)) ** 2, draw(7)),
    "a solver": (lambda a, b: jnp.linalg.solve(a @ a.T + jnp.eye(3), b), draw(3, 3), draw(3)),
}


def replayed(primal, *primals, deep):
    with judging():
        here, precision = at_precision(make_point(primal, primals), None)
        truth = find_truth(here, precision, stream(0))
        expected = cotangents_expected(here, truth)
        rows = [Matched(path, None, array + 1) for path, array in expected.numbers.items()]
        wrong = Wrong(here, expected, rows, (), precision)
        return Searcher(study(here), expected.way, deep).products(wrong)


@pytest.mark.parametrize("name", PRIMALS)
def test_a_replay_gives_the_derivative_that_jax_gives(name):
    primal, *primals = PRIMALS[name]
    found = replayed(primal, *primals, deep=True)  # raises where it does not
    assert len(found.tried)
    assert np.any(found.dd)


def test_a_rule_that_says_another_derivative_is_not_looked_under():
    with pytest.raises(ValueError, match="must give the derivative that JAX gives"):
        replayed(lambda x, w: straight_through(3 * x) * w, draw(7), draw(7, seed=1), deep=True)
    assert np.any(replayed(lambda x, w: straight_through(3 * x) * w, draw(7), draw(7, seed=1), deep=False).dd)
