"""Mistakes that people make in `linear_and_activations`: copies not added, and slopes of other functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from course.comparison.mistakes import Mistake
from course.exercises.mistakes.forms import changed, held, one_row, unasked, valued, weighted
from course.lessons.linear_and_activations import affine, relu, sigmoid, tanh


def _copied_to(row: int) -> Callable[..., Any]:
    """An affine map whose bias is no constant in one row alone."""

    def mistaken(x: Any, w: Any, b: Any) -> Any:
        copies = jnp.broadcast_to(b, (len(x), *b.shape))
        return affine(x, w, held(b)) + (one_row(copies, row) - held(copies))

    return mistaken


AFFINE = (
    Mistake(
        "y_bar left out",
        lambda x, w, b: unasked(affine(x, w, b)),
        "All three are what comes back for a y_bar of ones.",
        "By how much does each entry of y count for the loss?   (steps 1 to 3)",
    ),
    Mistake(
        "y_bar left out of x_bar",
        lambda x, w, b: valued(affine(x, w, b), affine(held(x), w, b) + unasked(affine(x, held(w), held(b)))),
        "x_bar is what comes back for a y_bar of ones.",
        "By how much does each entry of y count for the loss?   (step 1)",
    ),
    Mistake(
        "y_bar left out of w_bar",
        lambda x, w, b: valued(affine(x, w, b), affine(x, held(w), b) + unasked(affine(held(x), w, held(b)))),
        "w_bar is what comes back for a y_bar of ones.",
        "By how much does each entry of y count for the loss?   (step 2)",
    ),
    Mistake(
        "w_bar averaged",
        lambda x, w, b: affine(x, weighted(w, 1 / len(x)), b),
        "What the rows send to w was averaged.",
        "Every row used the same w. Used many times: what follows?   (step 2)",
    ),
    Mistake(
        "w_bar from the first row",
        lambda x, w, b: valued(affine(x, w, b), affine(x, held(w), b) + one_row(affine(held(x), w, held(b)), 0)),
        "w got what the first row sends, and nothing from the others.",
        "Every row used the same w. Used many times: what follows?   (step 2)",
    ),
    Mistake(
        "w_bar overwritten",
        lambda x, w, b: valued(affine(x, w, b), affine(x, held(w), b) + one_row(affine(held(x), w, held(b)), -1)),
        "w kept what the last row sent: each row overwrote the one before.",
        "Every row used the same w. Used many times: what follows?   (step 2)",
    ),
    Mistake(
        "w_bar from x without its sign",
        lambda x, w, b: valued(affine(x, w, b), affine(x, held(w), b) + affine(held(jnp.abs(x)), w, held(b))),
        "w_bar was made with the sizes of x, without their signs.",
        "When x[n, i] is negative and w[i, j] grows, where does y[n, j] go?   (step 2)",
    ),
    Mistake(
        "b_bar averaged",
        lambda x, w, b: affine(x, w, weighted(b, 1 / len(x))),
        "What the rows send to b was averaged.",
        "Forward copied b to every row: what does backward do with copies?   (step 3)",
    ),
    Mistake(
        "b_bar from the first row",
        _copied_to(0),
        "b got what the first row sends, and nothing from the others.",
        "Forward copied b to every row: what does backward do with copies?   (step 3)",
    ),
    Mistake(
        "b_bar overwritten",
        _copied_to(-1),
        "b kept what the last row sent: each row overwrote the one before.",
        "Forward copied b to every row: what does backward do with copies?   (step 3)",
    ),
)


def _sloped(f: Callable[[Any], Any], sloped: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The function with the derivative of another one of x."""
    return lambda x: valued(f(x), sloped(x))


def _risen(f: Callable[[Any], Any], sloped: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The function with the derivative that another one has at y."""
    return lambda x: valued(f(x), sloped(valued(f(x), x)))


def sloped_at_y(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The function with its own derivative, taken at y."""
    return _risen(f, f)


_NO_Y_BAR = "x_bar is the slope alone: what comes back for a y_bar of ones."

RELU = (
    Mistake(
        "relu left out",
        _sloped(relu, lambda x: x),
        "The relu let everything back through.",
        "What got through where x was negative, and what can come back?   (step 1)",
    ),
    Mistake(
        "relu turned round",
        _sloped(relu, lambda x: -relu(-x)),
        "What came back went through where x was negative, and not where it was positive.",
        "Where did something get through on the way forward?   (step 1)",
    ),
    Mistake(
        "by the cotangent's sign",
        _sloped(relu, changed(relu)),
        "The sign of what came back was asked for, not that of what went in.",
        "What decided on the way forward what got through?   (step 1)",
    ),
    Mistake(
        "by both signs",
        lambda x: changed(relu)(relu(x)),
        "Of what may come back, only the positive part did.",
        "May something negative come back through a relu that is on?   (step 1)",
    ),
    Mistake(
        "value for slope",
        _sloped(relu, lambda x: relu(x) ** 2 / 2),
        "y_bar was multiplied by the relu's value, not by its slope.",
        "How steep is relu at 2, and how steep at 3?   (step 1)",
    ),
    Mistake(
        "argument for slope",
        _sloped(relu, lambda x: x**2 / 2),
        "y_bar was multiplied by x, not by relu's slope there.",
        "How steep is relu at 2, and how steep at 3?   (step 1)",
    ),
    Mistake(
        "slope of the absolute value",
        _sloped(relu, jnp.abs),
        "What came back where x was negative had its sign turned: that is the absolute value's way.",
        "How steep is relu at -2?   (step 1)",
    ),
    Mistake(
        "leaky",
        _sloped(relu, lambda x: jax.nn.leaky_relu(x)),
        "A hundredth came back where x was negative: that is the leaky relu's way.",
        "How steep is relu at -2?   (step 1)",
    ),
    Mistake(
        "y_bar left out",
        lambda x: unasked(relu(x)),
        _NO_Y_BAR,
        "Where does the cotangent that was handed in enter?   (step 1)",
    ),
)

SIGMOID = (
    Mistake(
        "value for slope",
        _risen(sigmoid, lambda y: y**2 / 2),
        "y_bar was multiplied by the sigmoid's value; that is only a part of its slope.",
        "Sigmoid is flat at both ends. What makes its slope small where y is near 1?   (step 1)",
    ),
    Mistake(
        "half of the slope",
        _risen(sigmoid, lambda y: y - y**2 / 2),
        "One factor of the slope is missing; the one that falls when y rises is there.",
        "Sigmoid is flat at both ends. What makes its slope small where y is near 0?   (step 1)",
    ),
    Mistake(
        "a plus for a minus",
        _risen(sigmoid, lambda y: y**2 / 2 + y**3 / 3),
        "The slope has a plus where a minus belongs: it grows to 2 where sigmoid is flat.",
        "How steep is sigmoid where y is near 1?   (step 1)",
    ),
    Mistake(
        "slope of tanh",
        _sloped(sigmoid, lambda x: jnp.tanh(valued(jnp.arctanh(sigmoid(x)), x))),
        "This is the slope of tanh where that has the same value.",
        "At x = 0 sigmoid has its steepest slope. Is it 1?   (step 1)",
    ),
    Mistake(
        "slope taken at y",
        sloped_at_y(sigmoid),
        "The slope was taken at y, as if y were x.",
        "Which of the two did forward keep, and which one does your formula want?   (step 1)",
    ),
    Mistake(
        "slope halved in width",
        _sloped(sigmoid, lambda x: sigmoid(2 * x) / 2),
        "This is the slope at twice the x.",
        "Of which number did forward take the sigmoid?   (step 1)",
    ),
    Mistake(
        "steepest slope everywhere",
        _sloped(sigmoid, lambda x: x / 4),
        "The slope is the same for every x: the one at 0.",
        "How steep is sigmoid where y is near 1?   (step 1)",
    ),
    Mistake(
        "y_bar left out",
        lambda x: unasked(sigmoid(x)),
        _NO_Y_BAR,
        "Where does the cotangent that was handed in enter?   (step 1)",
    ),
)

TANH = (
    Mistake(
        "square left out",
        _risen(tanh, lambda y: y - y**2 / 2),
        "The slope falls from 2 to 0 as y rises: it treats y and -y differently.",
        "tanh is as steep at -x as at x. Is your slope?   (step 1)",
    ),
    Mistake(
        "square outside",
        _risen(tanh, lambda y: -((1 - y) ** 3) / 3),
        "The square was taken of the whole difference: the slope is 4 where y is near -1.",
        "tanh is as steep at -x as at x. Is your slope?   (step 1)",
    ),
    Mistake(
        "slope of tan",
        _sloped(tanh, lambda x: jnp.tan(valued(jnp.arctan(tanh(x)), x))),
        "The slope grows to 2 where tanh is flat: a plus stands where a minus belongs.",
        "How steep is tanh where y is near 1?   (step 1)",
    ),
    Mistake(
        "value for slope",
        _risen(tanh, lambda y: y**2 / 2),
        "y_bar was multiplied by the value of tanh, not by its slope.",
        "How steep is tanh at 0, where its value is 0?   (step 1)",
    ),
    Mistake(
        "value squared for slope",
        _risen(tanh, lambda y: y**3 / 3),
        "y_bar was multiplied by a slope that is 0 at x = 0 and 1 far out: tanh does the opposite.",
        "How steep is tanh at 0?   (step 1)",
    ),
    Mistake(
        "slope taken at y",
        sloped_at_y(tanh),
        "The slope was taken at y, as if y were x.",
        "Which of the two did forward keep, and which one does your formula want?   (step 1)",
    ),
    Mistake(
        "slope at half the argument",
        _sloped(tanh, lambda x: 2 * tanh(x / 2)),
        "This is the slope at half the x.",
        "Of which number did forward take the tanh?   (step 1)",
    ),
    Mistake(
        "root of the slope",
        _sloped(tanh, lambda x: 2 * jnp.arctan(tanh(x / 2))),
        "The slope has the right shape, and falls too slowly: it is the root of the right one.",
        "What does the quotient rule do with the bottom of the fraction?   (step 1)",
    ),
    Mistake(
        "y_bar left out",
        lambda x: unasked(tanh(x)),
        _NO_Y_BAR,
        "Where does the cotangent that was handed in enter?   (step 1)",
    ),
)
