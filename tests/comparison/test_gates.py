"""A wrong backward pass is traced to the line of the primal at which it goes wrong, with no list of mistakes."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import course
from course.records import Comparison, Feedback
from tests.comparison.pairs import draw


def layer_norm(x, scale, bias):
    mu = x.mean(-1, keepdims=True)
    var = ((x - mu) ** 2).mean(-1, keepdims=True)
    x_hat = (x - mu) / jnp.sqrt(var + 1e-5)
    return x_hat * scale + bias


def layer_norm_fwd(x, scale, bias):
    mu = x.mean(-1, keepdims=True)
    rstd = 1 / jnp.sqrt(((x - mu) ** 2).mean(-1, keepdims=True) + 1e-5)
    x_hat = (x - mu) * rstd
    return x_hat * scale + bias, (x, x_hat, rstd, scale)


def mean(x):
    return x.mean(-1, keepdims=True)


def layer_norm_bwd_with(x_bar: Any = None, scale_bar: Any = None) -> Any:
    """The right backward pass, but for what is given in the place of one cotangent."""

    def right(x_hat, rstd, g):
        return rstd * (g - mean(g) - x_hat * mean(g * x_hat))

    def bwd(residuals, y_bar):
        x, x_hat, rstd, scale = residuals
        given = (x_bar or right)(x_hat, rstd, y_bar * scale)
        return given, (scale_bar or (lambda x, h, y: (y * h).sum(0)))(x, x_hat, y_bar), y_bar.sum(0)

    return bwd


POINT = (draw(5, 7), draw(7), draw(7, seed=1))


def judged(bwd: Any) -> Comparison:
    return course.compare(layer_norm, layer_norm_fwd, bwd, *POINT)


def told(found: Comparison) -> str:
    assert not found.agrees
    return " ".join(cause.name for cause in found.causes)


@pytest.mark.parametrize(
    "x_bar, says",
    [
        (lambda h, r, g: r * (g - mean(g)), "`jnp.sqrt(var + 1e-5)`, as if that were a constant"),
        (lambda h, r, g: r * (g - h * mean(g * h)), "`mu`, as if that were a constant"),
        (lambda h, r, g: r * (g - mean(g) + h * mean(g * h)), "has the wrong sign. It is the path through `jnp.sqrt("),
        (
            lambda h, r, g: r * (g - mean(g) - 2 * h * mean(g * h)),
            "is counted twice. It is the path through `jnp",
        ),
        (lambda h, r, g: r * (g - mean(g) - h * (g * h).sum(-1, keepdims=True)), "multiplied by 7; 7 is the length of"),
    ],
    ids=["variance constant", "mean constant", "sign", "twice", "sum for mean"],
)
def test_a_path_is_named_with_its_line_and_what_was_done_to_it(x_bar, says):
    found = judged(layer_norm_bwd_with(x_bar))
    assert says in told(found)
    assert "`x_hat = (x - mu) / jnp.sqrt(var + 1e-5)`" in told(found)
    assert found.causes[0].arrays == ("x_bar",)


def test_the_line_is_told_with_the_kind_and_the_value_with_the_name():
    found = judged(layer_norm_bwd_with(lambda h, r, g: r * (g - mean(g))))
    levels = {remark.level for remark in found.remarks if "jnp.sqrt(var + 1e-5)`" in remark.text}
    assert levels == {Feedback.KIND, Feedback.NAME}
    assert not any("no simple slip" in remark.text for remark in found.remarks)


def test_two_mistakes_in_different_arrays_are_told_apart():
    found = judged(layer_norm_bwd_with(lambda h, r, g: r * (g - mean(g)), lambda x, h, y: (y * h[::-1]).sum(0)))
    assert not found.causes
    found = judged(layer_norm_bwd_with(lambda h, r, g: r * (g - mean(g)), lambda x, h, y: (y * x).sum(0)))
    assert {cause.arrays for cause in found.causes} == {("x_bar",), ("scale_bar",)}
    assert "`x` stands where `x_hat` belongs" in told(found)


def test_numbers_that_fit_nothing_are_left_unexplained():
    found = judged(layer_norm_bwd_with(lambda h, r, g: r * (g - g[::-1] - h * mean(g * h))))
    assert not found.causes
    assert any("no simple slip" in remark.text for remark in found.remarks)


def test_a_right_answer_is_not_searched():
    found = judged(layer_norm_bwd_with())
    assert found.agrees
    assert not found.causes


# Loops, branches, calls and rules of their own.


def rnn(w, u, h0, xs):
    def step(h, x):
        h = jnp.tanh(h @ w + x @ u)
        return h, h

    return jax.lax.scan(step, h0, xs)[1]


def rnn_fwd(w, u, h0, xs):
    hs = rnn(w, u, h0, xs)
    return hs, (w, u, h0, xs, hs)


def rnn_bwd_with(carried=lambda h_bar, t: h_bar, slope=lambda h: 1 - h**2, across=lambda w: w.T, late=0):
    def bwd(residuals, hs_bar):
        w, u, h0, xs, hs = residuals
        h_bar, w_bar, u_bar, xs_bar = jnp.zeros_like(h0), jnp.zeros_like(w), jnp.zeros_like(u), []
        for t in reversed(range(len(xs))):
            a_bar = (h_bar + hs_bar[t]) * slope(hs[t])
            w_bar += jnp.outer(hs[t - 1 + late] if t + late else h0, a_bar)
            u_bar += jnp.outer(xs[t], a_bar)
            xs_bar.append(u @ a_bar)
            h_bar = carried(a_bar @ across(w), t)
        return w_bar, u_bar, h_bar, jnp.stack(xs_bar[::-1])

    return bwd


SEQUENCE = (draw(3, 3), draw(5, 3), draw(3), draw(7, 5))


@pytest.mark.parametrize(
    "bwd, says",
    [
        (
            rnn_bwd_with(carried=lambda h_bar, t: 0 * h_bar),
            "`h`, as if that were a constant in every round",
        ),
        (rnn_bwd_with(carried=lambda h_bar, t: h_bar if t else 0 * h_bar), "`h0`, as if that were a constant"),
        (
            rnn_bwd_with(carried=lambda h_bar, t: -h_bar),
            "has the wrong sign. It is the path through `h` in every round of the loop",
        ),
        (
            rnn_bwd_with(carried=lambda h_bar, t: 2 * h_bar),
            "is counted twice. It is the path through `h` in every round of the loop",
        ),
        (rnn_bwd_with(slope=lambda h: 1), "The derivative of `jnp.tanh(h @ w + x @ u)` is left out"),
        (rnn_bwd_with(slope=lambda h: 1 - jnp.tanh(h) ** 2), "`h` stands where `h @ w + x @ u` belongs"),
        (rnn_bwd_with(across=lambda w: w), "`w` and its transpose are exchanged"),
        (rnn_bwd_with(late=1), "`h` as a round leaves it stands where `h` as it enters the round belongs"),
    ],
    ids=[
        "truncated",
        "start constant",
        "turned",
        "doubled",
        "slope left out",
        "slope at the result",
        "not transposed",
        "a round late",
    ],
)
def test_the_inside_of_a_loop_is_searched(bwd, says):
    assert says in told(course.compare(rnn, rnn_fwd, bwd, *SEQUENCE))


@jax.custom_vjp
def doubling_back(x):
    return jnp.sin(x)


doubling_back.defvjp(lambda x: (jnp.sin(x), x), lambda x, y_bar: (2 * jnp.cos(x) * y_bar,))


def branching(x, w):
    y = jax.lax.cond(x.sum() > 0, lambda x: x * w, lambda x: x - w, x)
    return jax.jit(lambda y: y**2 + doubling_back(y))(y)


def test_branches_calls_and_rules_that_say_another_derivative_are_searched():
    x, w = jnp.abs(draw(5)), draw(5, seed=2)

    def fwd(x, w):
        y = x * w
        return y**2 + jnp.sin(y), (x, w, y)

    def bwd(residuals, out_bar):
        x, w, y = residuals
        y_bar = out_bar * 2 * jnp.cos(y)  # y**2 left out
        return y_bar * w, y_bar * x

    found = course.compare(branching, fwd, bwd, x, w)
    assert "a path back through `return jax.jit(lambda y: y**2 + doubling_back(y))(y)` is missing" in told(found)


def deep(x, ws):
    for w in ws:
        x = jnp.tanh(x @ w)
    return x


def test_a_line_that_is_used_often_is_told_with_the_use():
    ws = [draw(3, 4), draw(4, 5), draw(5, 2)]

    def fwd(x, ws):
        kept = [x]
        for w in ws:
            kept.append(jnp.tanh(kept[-1] @ w))
        return kept[-1], (kept, ws)

    def bwd_without(uses):
        def bwd(residuals, y_bar):
            kept, ws = residuals
            ws_bar = []
            for use in reversed(range(len(ws))):
                a_bar = y_bar * (1 if use in uses else 1 - kept[use + 1] ** 2)
                ws_bar.append(kept[use].T @ a_bar)
                y_bar = a_bar @ ws[use].T
            return y_bar, ws_bar[::-1]

        return bwd

    x = draw(6, 3)
    found = told(course.compare(deep, fwd, bwd_without([1]), x, ws))
    assert "in use 2 of 3 of this line (with `ws[1]`) is left out" in found
    assert "in all 3 uses of this line" in told(course.compare(deep, fwd, bwd_without([0, 1, 2]), x, ws))


def bend(x):
    return jnp.sin(x)


def bent_twice(x):
    once = bend(x)
    return bend(once**2)


def test_a_line_that_is_called_from_several_is_told_with_the_one_that_is_meant():
    def bwd(x, y_bar):
        once = jnp.sin(x)
        return (y_bar * jnp.cos(once**2) * 2 * once,)

    found = told(course.compare(bent_twice, lambda x: (bent_twice(x), x), bwd, draw(5)))
    assert "of `jnp.sin(x)` in use 1 of 2 of this line (called in `once = bend(x)`) is left out" in found


def test_what_is_known_is_told_before_the_line_is_looked_for():
    from course.comparison.pair import Setting, judge_pair
    from course.comparison.point import make_point

    seen = []
    setting = Setting(early=seen.append)
    bwd = layer_norm_bwd_with(lambda h, r, g: r * (g - mean(g)))
    found = judge_pair(make_point(layer_norm, POINT), layer_norm_fwd, bwd, setting)
    assert [early.headline for early in seen] == [found.headline]
    assert not seen[0].causes
    assert found.causes


def test_of_a_returned_tuple_the_part_that_is_concerned_is_quoted():
    def fwd(x, w):
        return x * jnp.sin(w), (x, w)

    def bwd(residuals, y_bar):
        x, w = residuals
        return y_bar * jnp.sin(w), y_bar * x

    found = course.compare(lambda x, w: fwd(x, w)[0], fwd, bwd, draw(5), draw(5, seed=1))
    assert "in `x * jnp.sin(w)`" in found.causes[0].kind


def test_a_primal_with_nothing_known_of_its_text_is_explained_without_it():
    space: dict[str, Any] = {"jnp": jnp}
    exec("def primal(x): return jnp.sin(x) * jnp.exp(x)", space)
    found = course.compare(
        space["primal"],
        lambda x: (jnp.sin(x) * jnp.exp(x), x),
        lambda x, y_bar: (y_bar * jnp.cos(x) * jnp.exp(x),),
        draw(5),
    )
    assert found.causes[0].kind == "The numbers fit: a path back through the primal is missing."


def fork(x, w):
    u = w * x
    v = x + u
    return v / (1 + u**2)


def fork_fwd(x, w):
    return fork(x, w), (x, w, w * x, x + w * x, 1 + (w * x) ** 2)


@pytest.mark.parametrize(
    "v_bar, d_bar, says",
    [
        (
            lambda y, v, d: y * d,
            lambda y, v, d: -y * v / d**2,
            "through `v`, multiplied by something that changes with the inputs.",
        ),
        (lambda y, v, d: y / d, lambda y, v, d: -y * v / d, ""),
    ],
    ids=["a path of its own", "a path in the direction of another"],
)
def test_a_factor_without_a_meaning_is_not_told_of_a_single_number(v_bar, d_bar, says):
    def bwd(residuals, y_bar):
        x, w, u, v, d = residuals
        u_bar = v_bar(y_bar, v, d) + d_bar(y_bar, v, d) * 2 * u
        return v_bar(y_bar, v, d) + u_bar * w, u_bar * x

    found = course.compare(fork, fork_fwd, bwd, 0.7, 1.3)
    assert told(found).endswith(says)
    assert bool(told(found)) is bool(says)


def looked_up(table, ids):
    return table[ids] ** 2


@pytest.mark.parametrize(
    "back, says",
    [
        (lambda zeros, ids, rows: zeros.at[ids].set(rows), "the last cotangent overwrites the rest"),
        (
            lambda zeros, ids, rows: zeros.at[ids].add(rows) / jnp.maximum(zeros.at[ids].add(1), 1),
            "the mean of the cotangents is taken",
        ),
    ],
    ids=["set", "mean"],
)
def test_cotangents_of_a_repeated_index_that_are_not_added_are_told(back, says):
    ids = np.array([2, 0, 2, 5, 0, 2])

    def bwd(residuals, y_bar):
        table, ids = residuals
        return back(jnp.zeros_like(table), ids, 2 * table[ids] * y_bar), None

    found = course.compare(looked_up, lambda t, i: (looked_up(t, i), (t, i)), bwd, draw(7, 3), ids)
    assert says in told(found)
    assert "cotangents were not added on the way back through `return table[ids] ** 2`" in told(found)


# Numbers that are known, and up to where they are right.


def network(x, w1, w2):
    z1 = x @ w1
    a1 = jnp.tanh(z1)
    z2 = a1 @ w2
    return z2**2


def network_fwd(x, w1, w2):
    a1 = jnp.tanh(x @ w1)
    z2 = a1 @ w2
    return z2**2, (x, w1, w2, a1, z2)


def network_bwd_with(a1_bar=lambda z2_bar, w2: z2_bar @ w2.T, w2_bar=lambda a1, z2_bar, w2: a1.T @ z2_bar):
    def bwd(residuals, y_bar):
        x, w1, w2, a1, z2 = residuals
        z2_bar = 2 * z2 * y_bar
        z1_bar = a1_bar(z2_bar, w2) * (1 - a1**2)
        return z1_bar @ w1.T, x.T @ z1_bar, w2_bar(a1, z2_bar, w2)

    return bwd


def judged_network(bwd):
    return course.compare(network, network_fwd, bwd, draw(6, 3), draw(3, 5), draw(5, 4))


def test_where_no_line_explains_it_the_last_right_cotangent_is_told():
    found = judged_network(network_bwd_with(a1_bar=lambda z2_bar, w2: (z2_bar @ w2.T)[::-1]))
    (cause,) = found.causes
    assert (cause.tier, cause.name) == ("place", "z1")
    assert cause.kind == "The right cotangent of `a1` is among your numbers; that of `z1` (`z1 = x @ w1`) is not."


def test_an_array_that_is_a_value_of_the_primal_is_told():
    found = judged_network(network_bwd_with(w2_bar=lambda a1, z2_bar, w2: w2))
    assert [cause.kind for cause in found.causes] == [
        "Twice the y_bar must give twice the cotangents: w2_bar stayed the same.",
        "w2_bar: these are the numbers of `w2` itself.",
    ]


def test_of_what_does_not_follow_its_cotangent_no_path_is_told():
    found = judged(layer_norm_bwd_with(lambda h, r, g: r * (jnp.sign(g) - mean(g) - h * mean(g * h))))
    assert [cause.kind for cause in found.causes] == [
        "Twice the y_bar must give twice the cotangents: x_bar did not follow."
    ]


def test_what_fits_at_one_draw_alone_is_not_said():
    x = draw(4)

    def bwd(residuals, y_bar):
        at, factor = residuals, jnp.where(jnp.all(residuals == x), -1.0, 0.37 + residuals)
        return (jnp.cos(at) * jnp.exp(at) * y_bar + factor * jnp.sin(at) * jnp.exp(at) * y_bar,)

    def primal(x):
        return jnp.sin(x) * jnp.exp(x)

    found = course.compare(primal, lambda x: (primal(x), x), bwd, x)
    assert not found.agrees
    assert not found.causes
