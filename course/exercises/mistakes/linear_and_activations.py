"""Mistakes that people make in `linear_and_activations`: copies not added, and slopes of other functions."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from course.comparison.mistakes import Mistake
from course.exercises.mistakes.forms import changed, held, one_row, unasked, valued, weighted
from course.lessons.linear_and_activations import (
    TANH_CUBE,
    TANH_SCALE,
    affine,
    gelu,
    gelu_tanh,
    normal_cdf,
    relu,
    sigmoid,
    silu,
    softplus,
    tanh,
)

LARGEST_EXPONENT = 700.0
"""exp of it is finite in float64; that of 710 is not."""


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

_ASK_SOFTPLUS = (
    "Which function is the slope of softplus: where does it go far to the left, and far to the right?   (step 1)"
)

SOFTPLUS = (
    Mistake(
        "value for slope",
        _risen(softplus, lambda y: y**2 / 2),
        "y_bar was multiplied by softplus itself, not by its slope: far to the right that grows for ever.",
        _ASK_SOFTPLUS,
    ),
    Mistake(
        "slope of relu",
        _sloped(softplus, relu),
        "The slope jumps from 0 to 1, as that of relu does.",
        "Softplus has no corner. How steep is it at 0?   (step 1)",
    ),
    Mistake(
        "turned round",
        _sloped(softplus, lambda x: -softplus(-x)),
        "The slope falls from 1 to 0, where softplus is flat on the left and steep on the right: of the logarithm's "
        "1 / (1 + exp(x)) the slope of what stands inside is missing, or a sign.",
        _ASK_SOFTPLUS,
    ),
    Mistake(
        "slope of sigmoid",
        _sloped(softplus, sigmoid),
        "This is the slope of sigmoid: one derivative too many.",
        _ASK_SOFTPLUS,
    ),
    Mistake(
        "slope taken at y",
        sloped_at_y(softplus),
        "The slope was taken at y, as if y were x.",
        "Which of the two did forward keep, and which one does your formula want?   (step 1)",
    ),
    Mistake(
        "slope of exp",
        _sloped(softplus, lambda x: jnp.exp(jnp.minimum(x, LARGEST_EXPONENT))),
        "The slope is that of what stands inside the logarithm; the logarithm's own is missing.",
        "How steep is a logarithm, where 1 + exp(x) stands inside?   (step 1)",
    ),
    Mistake(
        "tanh for sigmoid",
        _sloped(softplus, lambda x: jnp.logaddexp(x, -x)),
        "The slope goes from -1 to 1, as tanh does.",
        _ASK_SOFTPLUS,
    ),
    Mistake(
        "y_bar left out",
        lambda x: unasked(softplus(x)),
        _NO_Y_BAR,
        "Where does the cotangent that was handed in enter?   (step 1)",
    ),
)


def _with_gate(
    f: Callable[[Any], Any], gate: Callable[[Any], Any], sloped: Callable[[Any], Any]
) -> Callable[[Any], Any]:
    """A number times its gate, the gate having the derivative of another function."""
    return lambda x: valued(f(x), x * held(gate(x)) + held(x) * sloped(x))


def _of_gated(f: Callable[[Any], Any], gate: Callable[[Any], Any], step: int) -> tuple[Mistake, ...]:
    """What goes wrong with a number times a gate of its own; `step` is the one in which both ways meet."""
    both = f"Used twice: what comes back along each way, and what is done with both?   (step {step})"
    return (
        Mistake(
            "gate held still",
            lambda x: x * held(gate(x)),
            "x got the gate's value alone. But the gate moves with x, too.",
            both,
        ),
        Mistake(
            "gate's way alone",
            lambda x: held(x) * gate(x),
            "x got something by way of the gate alone. But it stands beside the gate, too.",
            both,
        ),
        Mistake(
            "slopes multiplied",
            _sloped(f, gate),
            "The slope of a product is not the product of the slopes: this is the gate's slope alone.",
            "y = x * gate: when the gate grows by 1 and x stays, by how much does y grow?" + f"   (step {step})",
        ),
        Mistake(
            "x left out of the gate's way",
            lambda x: valued(f(x), x * held(gate(x)) + gate(x)),
            "What goes to the gate was not multiplied by the x that stands beside it.",
            "y = x * gate: when the gate grows by 1 and x stays, by how much does y grow?" + f"   (step {step})",
        ),
        Mistake(
            "ways subtracted",
            lambda x: valued(f(x), x * held(gate(x)) - held(x) * gate(x)),
            "What came back along the two ways was subtracted.",
            both,
        ),
        Mistake(
            "value for gate",
            lambda x: valued(f(x), x * held(f(x)) + held(x) * gate(x)),
            "Beside x stands the gate; in its place stood the value of the whole.",
            "y = x * gate: when x grows by 1 and the gate stays, by how much does y grow?" + f"   (step {step})",
        ),
        Mistake(
            "y_bar left out",
            lambda x: unasked(f(x)),
            _NO_Y_BAR,
            f"Where does the cotangent that was handed in enter?   (step {step})",
        ),
    )


def _through_gate(sloped: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Silu with another function of the sigmoid for the sigmoid's derivative."""
    return _with_gate(silu, sigmoid, lambda x: sloped(valued(sigmoid(x), x)))


SILU = (
    *_of_gated(silu, sigmoid, 1),
    Mistake(
        "gate's value for its slope",
        _through_gate(lambda gate: gate**2 / 2),
        "Where the gate's slope belongs stands its value, which is only a part of it.",
        "Sigmoid is flat at both ends. What makes its slope small where it is near 1?   (step 1)",
    ),
    Mistake(
        "a plus for a minus",
        _through_gate(lambda gate: gate**2 / 2 + gate**3 / 3),
        "The gate's slope has a plus where a minus belongs: it grows to 2 where sigmoid is flat.",
        "How steep is sigmoid where its value is near 1?   (step 1)",
    ),
    Mistake(
        "slope of tanh for the gate",
        _with_gate(silu, sigmoid, lambda x: jnp.tanh(valued(jnp.arctanh(sigmoid(x)), x))),
        "The gate's slope is that of tanh where tanh has the same value.",
        "Which function is the gate?   (step 1)",
    ),
    Mistake(
        "slope taken at y",
        sloped_at_y(silu),
        "The slope was taken at y, as if y were x.",
        "Which of the two did forward keep?   (step 1)",
    ),
)

_ASK_DENSITY = "Of 1 + erf(x / sqrt(2)), halved: what does each of the three make of the slope?   (step 1)"

GELU = (
    *_of_gated(gelu, normal_cdf, 2),
    Mistake(
        "density not normalised",
        _with_gate(gelu, normal_cdf, lambda x: math.sqrt(2 * math.pi) * normal_cdf(x)),
        "The gate's slope is a Gaussian bell of height 1; the area under it must be 1.",
        _ASK_DENSITY,
    ),
    Mistake(
        "half lost",
        _with_gate(gelu, normal_cdf, lambda x: 2 * normal_cdf(x)),
        "The gate's slope is twice what it should be: the gate is half of 1 + erf.",
        _ASK_DENSITY,
    ),
    Mistake(
        "inside of erf left out",
        _with_gate(gelu, normal_cdf, lambda x: math.sqrt(2) * normal_cdf(x)),
        "The gate's slope is too large by the root of 2: what stands inside erf does not grow as fast as x.",
        _ASK_DENSITY,
    ),
    Mistake(
        "exponent not halved",
        _with_gate(gelu, normal_cdf, lambda x: jax.scipy.special.erf(x) / math.sqrt(8)),
        "The bell is too narrow: its exponent was not halved.",
        "Of which number was erf taken, and what is its square?   (step 1)",
    ),
    Mistake(
        "slope of the tanh form",
        _sloped(gelu, gelu_tanh),
        "This is the slope of the other gelu, the tanh form: it is near, but not this one's.",
        "Is there a tanh in this gelu?   (step 1)",
    ),
    Mistake(
        "slope of silu",
        _sloped(gelu, silu),
        "This is the slope of silu: a sigmoid was taken for the gate.",
        "Which function is the gate here?   (step 1)",
    ),
)


def _inside(x: Any) -> Any:
    """What the tanh is taken of."""
    return TANH_SCALE * x + TANH_SCALE * TANH_CUBE * x**3


def _tanh_gate(x: Any) -> Any:
    return 0.5 + 0.5 * jnp.tanh(_inside(x))


def _inside_sloped(sloped: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The tanh form of gelu, with the derivative of another function inside its tanh."""
    return _with_gate(gelu_tanh, _tanh_gate, lambda x: 0.5 * jnp.tanh(valued(_inside(x), sloped(x))))


def _unsquared(t: Any) -> Any:
    """Has, by x, half of 1 - t for its derivative."""
    return (t - t**2 / 2) / 2


_ASK_INSIDE = "What stands inside the tanh, and how fast does each part of it grow with x?   (step 1)"

GELU_TANH = (
    *_of_gated(gelu_tanh, _tanh_gate, 3),
    Mistake(
        "slope of the inside left out",
        _inside_sloped(lambda x: x),
        "What came back through the tanh was handed to x as it came, past what stands inside.",
        _ASK_INSIDE,
    ),
    Mistake(
        "cube left out",
        _inside_sloped(lambda x: TANH_SCALE * x),
        "Inside the tanh only x got something; the cube moves, too.",
        _ASK_INSIDE,
    ),
    Mistake(
        "exponent of the cube left above",
        _inside_sloped(lambda x: TANH_SCALE * (x + TANH_CUBE / 3 * x**3)),
        "The cube's exponent went down by one, and did not come in front.",
        _ASK_INSIDE,
    ),
    Mistake(
        "scale left out",
        _inside_sloped(lambda x: x + TANH_CUBE * x**3),
        "The factor in front of all that stands inside the tanh was left out of its slope.",
        _ASK_INSIDE,
    ),
    Mistake(
        "half lost",
        _with_gate(gelu_tanh, _tanh_gate, lambda x: 2 * _tanh_gate(x)),
        "The gate's slope is twice what it should be: the gate is half of 1 + tanh.",
        "How fast does half of 1 + tanh grow, beside tanh itself?   (step 2)",
    ),
    Mistake(
        "square of tanh left out",
        _with_gate(gelu_tanh, _tanh_gate, lambda x: _unsquared(valued(tanh(_inside(x)), _inside(x)))),
        "The tanh's slope is made of its value, where the square of that belongs.",
        "tanh is as steep at -x as at x. Is your slope?   (step 2)",
    ),
    Mistake(
        "slope of the exact form",
        _sloped(gelu_tanh, gelu),
        "This is the slope of the exact gelu: it is near, but not this function's.",
        "This gelu has a tanh. What is the slope of that?   (step 1)",
    ),
)
