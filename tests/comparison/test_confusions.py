"""One array taken for another on the way back is told by the names that the primal gives to both."""

import jax.numpy as jnp

import course
from tests.comparison.pairs import draw


def gated(x, w):
    u = x * w
    v = jnp.sin(u)
    s = 1 + u**2
    return v / s


def gated_fwd(x, w):
    u = x * w
    v = jnp.sin(u)
    s = 1 + u**2
    return v / s, (x, w, u, v, s)


def gated_bwd_with(into_v=lambda v_bar, s_bar, v: v_bar, into_x=lambda u_bar, s_bar: u_bar):
    def bwd(residuals, y_bar):
        x, w, u, v, s = residuals
        v_bar = y_bar / s
        s_bar = -y_bar * v / s**2
        u_bar = into_v(v_bar, s_bar, v) * jnp.cos(u) + 2 * s_bar * u
        return into_x(u_bar, s_bar) * w, u_bar * x

    return bwd


def told(bwd):
    found = course.compare(gated, gated_fwd, bwd, draw(7), draw(7, seed=1))
    return [(cause.kind, cause.says) for cause in found.causes]


def test_the_cotangent_of_another_value_is_told():
    ((kind, says),) = told(gated_bwd_with(into_v=lambda v_bar, s_bar, v: s_bar))
    assert kind.endswith("one array was taken for another on the way back through `v = jnp.sin(u)`.")
    assert says == "The cotangent of `s` stands where the cotangent of `v` belongs."


def test_a_value_in_the_place_of_a_cotangent_is_told():
    (fact, _), (_, says) = told(gated_bwd_with(into_v=lambda v_bar, s_bar, v: v))
    assert fact == "Twice the y_bar must give twice the cotangents: x_bar and w_bar did not follow."
    assert says == "`v` itself stands where the cotangent of `v` belongs."


def test_it_is_told_where_one_operand_alone_is_concerned():
    ((kind, says),) = told(gated_bwd_with(into_x=lambda u_bar, s_bar: s_bar))
    assert "`u = x * w`" in kind
    assert says == "The cotangent of `s` stands where the cotangent of `u` belongs."


def test_what_is_no_array_of_the_primal_is_not_told():
    assert told(gated_bwd_with(into_v=lambda v_bar, s_bar, v: v_bar[::-1])) == []
