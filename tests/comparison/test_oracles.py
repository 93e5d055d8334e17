"""Claims about the oracles: they agree with each other, they know their limits, and a kink rejects no right answer."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from course.comparison.agreement import column_errors, difference_errors, forward_errors
from course.comparison.compare import compare, compare_jvp
from course.comparison.judging import judging
from course.comparison.oracle import find_truth
from course.comparison.point import make_point
from course.comparison.precision import FLOAT64
from tests.comparison.pairs import NETWORK, X, affine, affine_bwd, affine_fwd, draw, network, said, scores, square


def recurrent(w, x):
    return jax.lax.scan(lambda h, row: (jnp.tanh(w @ h + row),) * 2, x[0], x)[0]


PRIMALS = {
    "network": (network, NETWORK, X),
    "scores": (scores, draw(7, 3), draw(3, 4), draw(3, 4, seed=1), draw(4)),
    "scan": (
        lambda w, x: jax.lax.scan(lambda h, row: (jnp.tanh(w @ h + row),) * 2, x[0], x)[0],
        draw(3, 3),
        draw(9, 3),
    ),
    "cond": (lambda x: jax.lax.cond(x[0] > 0, jnp.sin, jnp.cos, x), draw(3)),
    "gather": (lambda table, places: table[places].prod(axis=0), draw(5, 3), np.array([1, 4, 1])),
    "sort": (lambda x: jnp.sort(x) @ jnp.arange(6.0), draw(6)),
    "checkpoint": (jax.checkpoint(lambda x: jnp.sin(jnp.sin(x)).sum()), draw(4)),
    "solve": (lambda a, b: jnp.linalg.solve(a @ a.T + jnp.eye(3), b), draw(3, 3), draw(3)),
}


@pytest.mark.parametrize("primal, primals", [(p[0], p[1:]) for p in PRIMALS.values()], ids=PRIMALS)
def test_three_oracles_agree(primal, primals):
    with judging():
        point = make_point(primal, primals).cast(np.float64)
        truth = find_truth(point, FLOAT64, np.random.default_rng(0))
    assert max(forward_errors(truth.reverse, truth, FLOAT64)) < 1e-12
    assert max(column_errors(truth.reverse, truth, FLOAT64)) < 1e-12
    assert difference_errors(truth.reverse, truth)[1] < 1e-8


def relu_network(w1, w2, x):
    return jnp.maximum(x @ w1, 0) @ w2


def relu_fwd(w1, w2, x):
    z = x @ w1
    return jnp.maximum(z, 0) @ w2, (w1, w2, x, z)


def relu_bwd(residuals, y_bar):
    w1, w2, x, z = residuals
    z_bar = jnp.where(z > 0, y_bar @ w2.T, 0)
    return x.T @ z_bar, jnp.maximum(z, 0).T @ y_bar, z_bar @ w1.T


@pytest.mark.parametrize("scale", [1.0, 1e-6, 1e-9])
def test_kinks_nearby_reject_no_right_answer(scale):
    w1, w2, x = scale * draw(4, 300), draw(300, 2), draw(20, 4)
    found = compare(relu_network, relu_fwd, relu_bwd, w1, w2, x)
    assert found.agrees, said(found)


def test_ties_reject_no_right_answer():
    def primal(x):
        return x.max(axis=-1).sum()

    def bwd(x, y_bar):
        tied = x == x.max(axis=-1, keepdims=True)
        return (y_bar * tied / tied.sum(axis=-1, keepdims=True),)

    x = np.array([[1.0, 2.0, 2.0], [3.0, 3.0, 3.0], [1.0, 0.0, 2.0]])
    found = compare(primal, lambda x: (primal(x), x), bwd, x)
    assert found.agrees, said(found)
    assert any("apart here: the primal has a kink nearby" in note for note in found.notes)


def test_a_stopped_derivative_is_noted():
    def primal(x):
        return x * jax.lax.stop_gradient(x)

    found = compare(primal, lambda x: (x**2, x), lambda x, y_bar: (x * y_bar,), draw(4))
    assert found.agrees, said(found)
    assert any("or a derivative that is stopped" in note for note in found.notes)


@jax.custom_vjp
def reverse_only(x):
    return jnp.sin(x)


reverse_only.defvjp(lambda x: (jnp.sin(x), x), lambda x, y_bar: (jnp.cos(x) * y_bar,))


def test_a_primal_without_forward_mode_is_judged_by_two_oracles():
    def primal(x):
        return reverse_only(x) ** 2

    found = compare(primal, lambda x: (primal(x), x), lambda x, g: (2 * jnp.sin(x) * jnp.cos(x) * g,), draw(4))
    assert found.agrees, said(found)
    assert found.headline == "right · two independent checks agree"
    assert "The primal has no forward mode, so that question is left out." in found.notes
    assert any("cost can't be counted" in note for note in found.notes)


def root(a):
    """Newton's method until it stands still: no reverse mode, since the number of steps is not known."""

    def step(state):
        x, _ = state
        return (x + a / x) / 2, x

    return jax.lax.while_loop(lambda s: jnp.any(jnp.abs(s[0] - s[1]) > 1e-14), step, (a, a + 1))[0]


def test_a_primal_without_reverse_mode_is_judged_by_forward_mode():
    a = np.array([2.0, 3.0, 5.0])
    found = compare(root, lambda a: (root(a), root(a)), lambda x, y_bar: (y_bar / (2 * x),), a)
    assert found.agrees, said(found)
    assert found.arrays[0].reverse is None
    assert "The primal has no reverse mode: the columns of forward mode stand in for it." in found.notes
    assert not compare(root, lambda a: (root(a), root(a)), lambda x, y_bar: (y_bar / x,), a).agrees

    def rule(primals, tangents):
        x = root(*primals)
        return x, tangents[0] / (2 * x)

    found = compare_jvp(root, rule, a)
    assert found.agrees, said(found)
    assert found.headline == "right · two independent checks agree"
    assert "The primal has no reverse mode, so that question is left out." in found.notes


@pytest.mark.parametrize("size", [1e-200, 1e-30, 1e30, 1e200], ids=str)
def test_numbers_of_any_size_are_judged(size):
    assert compare(affine, affine_fwd, affine_bwd, size * X, draw(3, 4), size * draw(4)).agrees

    def answer(factor):
        return (lambda x, size: (size * x, None)), (lambda size, _, y_bar: (factor * size * y_bar,))

    for factor in (1.0, 1.01):
        found = compare(lambda x, size: size * x, *answer(factor), X, size, static_argnums=1)
        assert found.agrees == (factor == 1.0), said(found)


def test_an_output_that_depends_on_nothing_has_a_zero_cotangent():
    found = compare(lambda x: jnp.ones(3), lambda x: (jnp.ones(3), x), lambda x, y_bar: (jnp.zeros_like(x),), draw(4))
    assert found.agrees, said(found)
    found = compare(lambda x: jnp.ones(3), lambda x: (jnp.ones(3), x), lambda x, y_bar: (jnp.ones_like(x),), draw(4))
    assert found.arrays[0].slip.kind == "not zero"


def test_the_oracles_are_compiled_once_for_a_primal():
    from course.comparison import oracle

    judge = lambda: compare(square, lambda x: (x**2, x), lambda x, y_bar: (2 * x * y_bar,), draw(4))  # noqa: E731
    judge()
    before = oracle._program.cache_info().misses
    judge()
    assert oracle._program.cache_info().misses == before


def counted(x, total):
    """Squares, and a running total that is carried along."""
    return x**2, jax.lax.stop_gradient(total + x.sum())


def counted_fwd(x, total):
    return counted(x, total), x


def counted_jvp(primals, tangents):
    return counted(*primals), (2 * primals[0] * tangents[0], jnp.zeros(()))


@pytest.mark.parametrize("of_state", [0, 1])
def test_a_state_that_is_carried_along_sends_nothing_back(of_state):
    def bwd(x, bars):
        y_bar, total_bar = bars
        return 2 * x * y_bar + of_state * total_bar, jnp.zeros_like(total_bar)

    assert compare(counted, counted_fwd, bwd, draw(4), 3.0).agrees is (not of_state)


def test_a_state_that_is_carried_along_has_no_tangent():
    assert compare_jvp(counted, counted_jvp, draw(4), 3.0).agrees
