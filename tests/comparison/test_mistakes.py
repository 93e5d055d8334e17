"""Claims about mistakes with a name: one is named only where the numbers tell it from every other."""

import jax
import jax.numpy as jnp
import numpy as np

from course.comparison.judging import Setting
from course.comparison.mistakes import Mistake
from course.comparison.pair import judge_pair
from course.comparison.point import make_point

W, X = np.arange(1.0, 7.0).reshape(2, 3) / 3, np.array([[0.3, -1.2], [0.8, 0.5]])
still = jax.lax.stop_gradient


def tanh_layer(w, x):
    return jnp.tanh(x @ w)


def fwd(w, x):
    y = jnp.tanh(x @ w)
    return y, (w, x, y)


LEFT_OUT = Mistake(
    "slope left out", lambda w, x: x @ w + still(jnp.tanh(x @ w) - x @ w), "The slope is left out.", "Where?"
)
SYNONYM = Mistake("the same again", lambda w, x: still(jnp.tanh(x @ w) - x @ w) + x @ w, "It is left out.", "Where?")
DOUBLED = Mistake("doubled", lambda w, x: 2 * tanh_layer(w, x) - still(tanh_layer(w, x)), "It is doubled.", "Where?")
ONLY_W = Mistake(
    "slope left out of w_bar",
    lambda w, x: still(tanh_layer(w, x) - x @ w) + tanh_layer(still(w), x) - still(tanh_layer(w, x)) + still(x) @ w,
    "The slope is left out.",
    "Where?",
)


def causes(*catalogue, w_slope=True, x_slope=True, factor=1.0):
    """What is said of an answer with some slopes left out, and everything times a factor."""

    def bwd(residuals, y_bar):
        w, x, y = residuals
        z_bar = y_bar * (1 - y**2)
        w_bar = x.T @ (z_bar if w_slope else y_bar)
        return factor * w_bar, factor * (z_bar if x_slope else y_bar) @ w.T

    found = judge_pair(make_point(tanh_layer, (W, X)), fwd, bwd, Setting(mistakes=catalogue, float32=False, cost=False))
    assert not found.agrees
    return [(cause.name, cause.arrays) for cause in found.causes if cause.tier == "mistake"]


def test_an_answer_that_is_one_mistake_is_named():
    assert causes(LEFT_OUT, DOUBLED, w_slope=False, x_slope=False) == [("slope left out", ("w_bar", "x_bar"))]


def test_of_two_mistakes_with_the_same_numbers_neither_is_named():
    assert not causes(LEFT_OUT, SYNONYM, w_slope=False, x_slope=False)


def test_a_mistake_times_one_constant_is_named():
    found = causes(LEFT_OUT, w_slope=False, x_slope=False, factor=0.37)
    assert found == [("slope left out", ("w_bar", "x_bar"))]


def test_of_mistakes_in_one_array_the_one_that_makes_no_other_wrong_is_named():
    assert causes(LEFT_OUT, ONLY_W, w_slope=False) == [("slope left out of w_bar", ("w_bar",))]


def squares(x):
    return jnp.sum(x**2) / 6


CUBED = Mistake(
    "value for slope", lambda x: still(squares(x)) + jnp.sum(x**3 - still(x**3)) / 18, "It is the square.", "Where?"
)


def besides(change):
    """What is said of x**2 / 6 after a change that sees loss_bar, in the place of the right x_bar."""
    x = np.array([0.3, -1.2, 0.8, 0.5, -0.7, 1.1])
    setting = Setting(mistakes=(CUBED,), float32=False, cost=False)
    found = judge_pair(
        make_point(squares, (x,)),
        lambda x: (squares(x), x),
        lambda x, loss_bar: (change(x**2 / 6, loss_bar),),
        setting,
    )
    return [cause.says for cause in found.causes if cause.tier == "mistake"]


def test_what_is_left_out_besides_a_mistake_is_told_and_a_number_drawn_by_chance_is_not():
    handed = "It is the square. Besides, the cotangent that was handed in is left out"
    assert besides(lambda wrong, _: wrong) == [f"{handed}."]
    assert besides(lambda wrong, _: 6 * wrong) == [
        f"{handed}, and every number is 6 times what that gives; 6 is the length of axis 0 of x."
    ]
    assert besides(lambda wrong, loss_bar: 6 * loss_bar * wrong) == [
        "It is the square. Besides, every number is 6 times what that gives; 6 is the length of axis 0 of x."
    ]
    assert besides(lambda wrong, loss_bar: loss_bar**2 * wrong) == [
        "It is the square. Besides, every number is the cotangent that was handed in times what that gives."
    ]
    assert besides(lambda wrong, loss_bar: loss_bar**3 * wrong) == []
