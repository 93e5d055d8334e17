"""Claims about tangent rules, and about functions that carry a rule of their own."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from course.comparison.compare import compare, compare_jvp, compare_rule
from tests.comparison.pairs import B, W, X, affine, draw, said


def affine_rule(primals, tangents):
    (x, w, b), (x_dot, w_dot, b_dot) = primals, tangents
    return affine(x, w, b), x_dot @ w + x @ w_dot + b_dot


def of_affine(rule, **settings):
    return compare_jvp(affine, rule, X, W, B, **settings)


def test_a_right_tangent_rule_agrees_with_every_oracle():
    found = of_affine(affine_rule)
    assert found.agrees, said(found)
    assert found.headline == "right · three independent checks agree"
    assert found.answer == "affine_rule"
    assert [array.path for array in found.arrays] == ["y_dot"]
    assert found.arrays[0].forward < 1e-12
    assert found.arrays[0].reverse < 1e-12
    assert [check.name for check in found.checks] == ["value", "reverse", "differences", "float32"]
    assert [cost.method for cost in found.costs][:2] == ["primal", "yours"]


def test_a_tangent_left_out_is_traced_to_its_argument():
    def rule(primals, tangents):
        (x, w, b), (x_dot, _, b_dot) = primals, tangents
        return affine(x, w, b), x_dot @ w + b_dot

    found = of_affine(rule)
    assert found.headline == "y_dot is wrong"
    assert "One moved at a time: y_dot is wrong for w, right for x and b." in said(found)


def test_a_slip_of_a_tangent_is_named():
    def rule(primals, tangents):
        y, y_dot = affine_rule(primals, tangents)
        return y, -y_dot

    assert of_affine(rule).arrays[0].slip.kind == "sign"


def test_several_outputs_integers_and_keys_go_through_a_tangent_rule():
    def primal(x, place, key):
        return {"picked": x[place], "total": x.sum(), "place": place}

    def rule(primals, tangents):
        (x, place, key), (x_dot, place_dot, key_dot) = primals, tangents
        assert place_dot.dtype == key_dot.dtype == jax.dtypes.float0
        return primal(x, place, key), {"picked": x_dot[place], "total": x_dot.sum(), "place": None}

    found = compare_jvp(primal, rule, draw(5), 3, jax.random.key(1))
    assert found.agrees, said(found)
    assert [array.path for array in found.arrays] == ["y_dot['picked']", "y_dot['total']"]


@pytest.mark.parametrize(
    "rule, headline",
    [
        (lambda p, t: affine(*p), "rule returns the wrong structure"),
        (lambda p, t: (affine(*p), None), "y_dot has the wrong structure"),
        (lambda p, t: (affine(*p) + 1, affine_rule(p, t)[1]), "the forward value is wrong"),
        (lambda p, t: (affine(*p), np.asarray(affine_rule(p, t)[1])), "rule can't be traced by jit"),
        (lambda p: None, "rule takes the wrong arguments"),
    ],
    ids=["value alone", "None", "value", "NumPy", "arguments"],
)
def test_a_rule_that_cannot_be_judged_is_refused(rule, headline):
    assert of_affine(rule).headline == headline


def test_a_rule_that_keeps_state_is_refused():
    calls = []

    def rule(primals, tangents):
        calls.append(1)
        return affine_rule(primals, tangents)

    assert of_affine(rule).headline == "rule keeps state between calls"


def test_static_arguments_come_first_in_a_rule():
    def rule(n, primals, tangents):
        return primals[0] ** n, n * primals[0] ** (n - 1) * tangents[0]

    found = compare_jvp(lambda x, n: x**n, rule, draw(4), 3, static_argnums=1)
    assert found.agrees, said(found)


def test_a_rule_that_narrows_and_a_primal_that_narrows_are_told():
    def rule(primals, tangents):
        y, y_dot = affine_rule(primals, tangents)
        return y, y_dot.astype(jnp.float32)

    found = of_affine(rule)
    assert found.agrees, said(found)
    assert "narrows to float32" in said(found)

    def narrow(x):
        return jnp.sin(x.astype(jnp.float32)).astype(x.dtype)

    found = compare_jvp(narrow, lambda p, t: (narrow(*p), jnp.cos(p[0]) * t[0]), draw(4))
    assert found.agrees, said(found)
    assert found.precision == "float32"


def test_a_rule_that_overflows_in_float32_alone_is_refused():
    def softplus(x):
        return jnp.logaddexp(x, 0)

    def rule(primals, tangents):
        (x,), (x_dot,) = primals, tangents
        return softplus(x), x_dot * jnp.exp(x) / (1 + jnp.exp(x))

    found = compare_jvp(softplus, rule, np.array([1.0, 200.0]))
    assert found.headline == "y_dot is not finite in float32, although it is in float64"


@jax.custom_vjp
def clipped(x, limit):
    return jnp.clip(x, -limit, limit)


def clipped_fwd(x, limit):
    return clipped(x, limit), (x, limit)


def clipped_bwd(residuals, y_bar):
    x, limit = residuals
    inside = jnp.abs(x) < limit
    return jnp.where(inside, y_bar, 0), jnp.sum(jnp.where(inside, 0, jnp.sign(x) * y_bar))


clipped.defvjp(clipped_fwd, clipped_bwd)


def test_a_carried_reverse_rule_is_judged_against_the_plain_function():
    for f in (clipped, jax.jit(clipped)):
        found = compare_rule(f, 2 * draw(6), 1.0)
        assert found.agrees, said(found)
        assert found.answer == "clipped"


def test_a_wrong_carried_rule_is_found():
    @jax.custom_vjp
    def sine(x):
        return jnp.sin(x)

    sine.defvjp(lambda x: (jnp.sin(x), x), lambda x, y_bar: (-jnp.cos(x) * y_bar,))
    found = compare_rule(sine, draw(4))
    assert found.headline == "x_bar is wrong"
    assert found.arrays[0].slip.kind == "sign"


def test_settings_of_a_carried_rule_are_static_by_themselves():
    @partial(jax.custom_vjp, nondiff_argnums=(1, 2))
    def power(x, n, name):
        return x**n

    power.defvjp(lambda x, n, name: (x**n, x), lambda n, name, x, y_bar: (n * x ** (n - 1) * y_bar,))
    assert compare_rule(power, draw(4), 3, "cube").agrees
    assert compare_rule(jax.jit(power, static_argnums=(1, 2)), draw(4), 3, "cube").agrees


def test_integers_go_through_a_carried_rule():
    @jax.custom_vjp
    def take(x, place):
        return x[place]

    def bwd(place, y_bar):
        return jnp.zeros(5, y_bar.dtype).at[place].add(y_bar), None

    take.defvjp(lambda x, place: (x[place], place), bwd)
    found = compare_rule(take, draw(5), np.array([1, 3, 1]))
    assert found.agrees, said(found)
    assert [array.path for array in found.arrays] == ["x_bar"]


def test_a_carried_forward_rule_is_judged_against_the_plain_function():
    @jax.custom_jvp
    def product(x, w):
        return x * jnp.sin(w)

    @product.defjvp
    def rule(primals, tangents):
        (x, w), (x_dot, w_dot) = primals, tangents
        return product(x, w), x_dot * jnp.sin(w) + x * w_dot * jnp.cos(w)

    for f in (product, jax.jit(product)):
        found = compare_rule(f, 1.2, draw(3))
        assert found.agrees, said(found)
        assert found.headline == "right · three independent checks agree"


def test_a_rule_is_no_oracle_of_its_own():
    @jax.custom_vjp
    def wrong(x):
        return x**2

    def bwd(x, y_bar):
        return (3 * x * y_bar,)

    wrong.defvjp(lambda x: (x**2, x), bwd)
    assert not compare(wrong, lambda x: (x**2, x), bwd, draw(4)).agrees

    @jax.custom_jvp
    def wrong_too(x):
        return x**2

    def rule(primals, tangents):
        return primals[0] ** 2, 3 * primals[0] * tangents[0]

    wrong_too.defjvp(rule)
    assert not compare_jvp(wrong_too, rule, draw(4)).agrees
