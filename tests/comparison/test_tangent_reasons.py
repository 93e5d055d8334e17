"""Claims about what is said of wrong tangent rules: over a layer, a normalisation, a product and a loss."""

import jax
import jax.numpy as jnp
import pytest

from course.comparison.compare import compare_jvp
from course.comparison.judging import Setting
from course.comparison.mistakes import Mistake
from course.comparison.point import make_point
from course.comparison.rule import judge_rule
from tests.comparison.pairs import B, W, X, draw, said

EPSILON = 1e-5


def layer(x, w, b):
    h = x @ w + b
    return jnp.tanh(h)


def normalised(x):
    mu = x.mean(axis=-1, keepdims=True)
    centered = x - mu
    var = (centered**2).mean(axis=-1, keepdims=True)
    rstd = jax.lax.rsqrt(var + EPSILON)
    return centered * rstd


def product(x, w):
    return x * w


def loss(x, w):
    z = jnp.sin(x @ w)
    return (z**2).mean()


def scaled(x, s):
    y = x * s
    return {"y": y, "total": y.sum()}


def of_layer(rule):
    def whole(primals, tangents):
        y = layer(*primals)
        return y, rule(*primals, *tangents, y)

    return layer, whole, (X, W, B)


def of_normalised(rule):
    def whole(primals, tangents):
        (x,), (x_dot,) = primals, tangents
        centered = x - x.mean(-1, keepdims=True)
        rstd = jax.lax.rsqrt((centered**2).mean(-1, keepdims=True) + EPSILON)
        return centered * rstd, rule(x_dot, centered, rstd)

    return normalised, whole, (draw(5, 4),)


def of_loss(rule):
    def whole(primals, tangents):
        (x, w), (x_dot, w_dot) = primals, tangents
        z = jnp.sin(x @ w)
        return (z**2).mean(), rule(x, w, x_dot, w_dot, z)

    return loss, whole, (X, W)


def of_product(rule):
    return product, lambda p, t: (p[0] * p[1], rule(*p, *t)), (draw(4), draw(4)[::-1])


def inner(x, w, b, x_dot, w_dot, b_dot):
    return x_dot @ w + x @ w_dot + b_dot


def centred(x_dot):
    return x_dot - x_dot.mean(-1, keepdims=True)


def through_rstd(c_dot, centered, rstd):
    return -centered * rstd**3 * (centered * c_dot).mean(-1, keepdims=True)


WRONG = {
    "an array's tangent left out": (
        of_layer(lambda x, w, b, xd, wd, bd, y: (1 - y**2) * (xd @ w + bd)),
        "a path through `h = x @ w + b` is missing. It is the path through `w`, as if that were a constant.",
    ),
    "an array's tangent turned": (
        of_layer(lambda x, w, b, xd, wd, bd, y: (1 - y**2) * (xd @ w - x @ wd + bd)),
        "a path through `h = x @ w + b` has the wrong sign. It is the path through `w`.",
    ),
    "an array's tangent scaled": (
        of_layer(lambda x, w, b, xd, wd, bd, y: (1 - y**2) * (xd @ w + x @ wd + 2 * bd)),
        "Moving b alone: every number is 2 times the right one.",
    ),
    "a derivative left out": (
        of_layer(lambda x, w, b, xd, wd, bd, y: inner(x, w, b, xd, wd, bd)),
        "another derivative was taken in `return jnp.tanh(h)`. The derivative of `jnp.tanh(h)` is left out.",
    ),
    "a derivative taken at the argument": (
        of_layer(lambda x, w, b, xd, wd, bd, y: (1 - (x @ w + b) ** 2) * inner(x, w, b, xd, wd, bd)),
        "The derivative of `jnp.tanh(h)` is written for the result, and taken at the argument.",
    ),
    "everything turned": (
        of_layer(lambda x, w, b, xd, wd, bd, y: (y**2 - 1) * inner(x, w, b, xd, wd, bd)),
        "The numbers match with the opposite sign.",
    ),
    "a mean held": (
        of_normalised(lambda xd, c, rstd: xd * rstd + through_rstd(xd, c, rstd)),
        "a path through `centered = x - mu` is missing. It is the path through `mu`, as if that were a constant.",
    ),
    "a variance held": (
        of_normalised(lambda xd, c, rstd: centred(xd) * rstd),
        "a path through `return centered * rstd` is missing. It is the path through `rstd`, as if",
    ),
    "a path counted twice": (
        of_normalised(lambda xd, c, rstd: centred(xd) * rstd + 2 * through_rstd(centred(xd), c, rstd)),
        "a path through `return centered * rstd` is counted twice. It is the path through `rstd`.",
    ),
    "a derivative left out before a mean": (
        of_loss(lambda x, w, xd, wd, z: (2 * z * (xd @ w + x @ wd)).mean()),
        "another derivative was taken in `z = jnp.sin(x @ w)`. The derivative of `jnp.sin(x @ w)` is left out.",
    ),
    "an array left out before a mean": (
        of_loss(lambda x, w, xd, wd, z: (2 * z * jnp.cos(x @ w) * (xd @ w)).mean()),
        "a path through `z = jnp.sin(x @ w)` is missing. It is the path through `w`, as if that were a constant.",
    ),
    "a sum for a mean": (
        of_loss(lambda x, w, xd, wd, z: (2 * z * jnp.cos(x @ w) * (xd @ w + x @ wd)).sum()),
        "Whichever array moves: every number is",
    ),
    "the product of the tangents": (
        of_product(lambda x, w, xd, wd: xd * wd),
        "-2 times the tangents must give -2 times y_dot: y_dot did not follow. "
        "y_dot: these are the numbers of the primal at the tangents; is it linear?",
    ),
    "one operand's sign": (
        of_product(lambda x, w, xd, wd: xd * w - x * wd),
        "a path through `return x * w` has the wrong sign. It is the path through `w`.",
    ),
    "the other operand": (
        of_product(lambda x, w, xd, wd: xd * w + w * wd),
        "`w` stands where `x` belongs.",
    ),
    "an absolute value": (
        of_loss(lambda x, w, xd, wd, z: jnp.abs((2 * z * jnp.cos(x @ w) * (xd @ w + x @ wd)).mean()) + 1e-3),
        "-2 times the tangents must give -2 times y_dot: y_dot did not follow.",
    ),
    "the value": (of_product(lambda x, w, xd, wd: x * w), "y_dot: these are the numbers of the value itself."),
    "a tangent as it came": (
        (jnp.tanh, lambda p, t: (jnp.tanh(p[0]), t[0]), (draw(6),)),
        "Yours is x_dot as it came.",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_with_a_tangent_rule_is_told(name):
    (primal, rule, primals), cause = WRONG[name]
    found = compare_jvp(primal, rule, *primals)
    assert found.headline == "y_dot is wrong"
    assert cause in " ".join(remark.text for remark in found.remarks), said(found)


def test_two_slips_in_two_arguments_are_told_apart():
    found = compare_jvp(*of_layer(lambda x, w, b, xd, wd, bd, y: (1 - y**2) * (2 * xd @ w - x @ wd + bd))[:2], X, W, B)
    text = " ".join(remark.text for remark in found.remarks)
    assert "Moving x alone: every number is 2 times the right one." in text
    assert "has the wrong sign. That is so when w moves." in text


def test_a_cause_of_one_output_is_told_of_that_one():
    def rule(primals, tangents):
        (x, s), (x_dot, s_dot) = primals, tangents
        y_dot = x_dot * s + x * s_dot
        return scaled(x, s), {"y": y_dot, "total": (x_dot * s).sum()}

    found = compare_jvp(scaled, rule, draw(4), draw(4))
    assert found.headline == "y_dot['total'] is wrong · y_dot['y'] is right"
    assert {path for cause in found.causes for path in cause.arrays} == {"y_dot['total']"}
    assert "One moved at a time: y_dot is wrong for s, right for x." in said(found)


def test_a_mistake_is_named_by_a_forward_function_with_its_tangent():
    hold = jax.lax.stop_gradient

    def mean_held(x):
        centered = x - hold(x.mean(axis=-1, keepdims=True))
        return centered * jax.lax.rsqrt((centered**2).mean(axis=-1, keepdims=True) + EPSILON)

    mistake = Mistake("mean held", mean_held, "The mean is taken for a constant.", "What does the mean depend on?")
    primal, rule, primals = WRONG["a mean held"][0]
    found = judge_rule(make_point(primal, primals), rule, Setting(("rule", "rule"), mistakes=(mistake,)))
    assert [(cause.tier, cause.name, cause.arrays) for cause in found.causes] == [("mistake", "mean held", ("y_dot",))]


def test_what_is_remembered_is_refused_although_it_is_right():
    remembered = {}

    def rule(primals, tangents):
        key = primals[0].dtype
        remembered.setdefault(key, jnp.cos(primals[0]) * tangents[0])
        return jnp.sin(primals[0]), remembered[key]

    assert not compare_jvp(jnp.sin, rule, draw(4)).agrees


def test_no_reason_is_guessed():
    found = compare_jvp(*of_product(lambda x, w, xd, wd: jnp.cumsum(xd) + wd[::-1])[:2], draw(4), draw(4))
    assert found.causes == ()
    assert "The numbers match no simple slip." in said(found)


def by_differences(primals, tangents):
    def at(h):
        return layer(*(x + h * x_dot for x, x_dot in zip(primals, tangents, strict=True)))

    h = 1e-3 if primals[0].dtype == jnp.float32 else 1e-5
    near, far = (at(h) - at(-h)) / (2 * h), (at(2 * h) - at(-2 * h)) / (4 * h)
    return layer(*primals), (4 * near - far) / 3


def test_differences_with_the_right_numbers_are_no_derivation():
    found = compare_jvp(layer, by_differences, X, W, B, by_hand=True)
    assert found.headline == "by_differences is not by hand"
    assert "`tanh` is taken of what moves with them" in said(found) or "multiplied by themselves" in said(found)
    found = compare_jvp(layer, by_differences, X, W, B)
    assert found.agrees
    assert any("jax.grad can't go back through it" in note for note in found.notes)


def test_loops_and_solves_of_tangents_are_linear():
    def primal(x):
        return jnp.linalg.solve(jnp.eye(4) + 3, x)

    def rule(primals, tangents):
        (x,), (x_dot,) = primals, tangents
        y_dot = jax.lax.scan(lambda carry, _: (carry, None), x_dot, None, length=2)[0]
        return primal(x), primal(y_dot)

    assert compare_jvp(primal, rule, draw(4), by_hand=True).agrees

    def iterated(primals, tangents):
        (x,), (x_dot,) = primals, tangents
        _, y_dot = jax.lax.while_loop(lambda c: c[0] < 3, lambda c: (c[0] + 1, 2 * c[1]), (0, x_dot))
        return 8 * x, y_dot

    assert compare_jvp(lambda x: 8 * x, iterated, draw(4), by_hand=True).agrees
