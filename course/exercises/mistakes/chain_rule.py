"""Mistakes that people make in `chain_rule`: a slope of another function, or taken elsewhere, or a path left out."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from course.comparison.mistakes import Mistake
from course.exercises.mistakes.forms import held, valued, weighted
from course.lessons.chain_rule import neuron_loss, sine_of_square, square, swish


def _square(sloped: Any) -> Any:
    return lambda x: valued(square(x), sloped(x))


SQUARE = (
    Mistake(
        "slope halved",
        _square(lambda x: x**2 / 2),
        "The slope of x**2 lost a factor on its way down from the exponent.",
        "When the exponent comes down, what stands in front of x?   (step 1)",
    ),
    Mistake(
        "exponent not lowered",
        _square(lambda x: 2 * x**3 / 3),
        "The exponent came down in front, and stayed up there as well.",
        "What is left of an exponent that came down?   (step 1)",
    ),
    Mistake(
        "value for slope",
        _square(lambda x: x**3 / 3),
        "y_bar was multiplied by the value of the square, not by its slope.",
        "At x = 3 the square is 9. How much does it grow when x grows by a little?   (step 1)",
    ),
    Mistake(
        "slope of a line",
        _square(lambda x: 2 * x),
        "The slope came out the same for every x, as that of a straight line.",
        "Is x**2 as steep at 3 as it is at 1?   (step 1)",
    ),
    Mistake(
        "slope of the cube",
        _square(lambda x: x**3),
        "This is the slope of the cube that was worked above.",
        "Which exponent comes down here?   (step 1)",
    ),
    Mistake(
        "slope squared",
        _square(lambda x: 4 * x**3 / 3),
        "The slope was squared before it met y_bar.",
        "How often does the slope enter the product?   (step 1)",
    ),
)


def _sine(sloped: Any) -> Any:
    return lambda x: valued(sine_of_square(x), sloped(x, x**2))


SINE_OF_SQUARE = (
    Mistake(
        "cosine at x",
        _sine(lambda x, u: jnp.sin(valued(x, u))),
        "The slope of the sine was taken at x.",
        "Of which number did forward take the sine?   (step 1)",
    ),
    Mistake(
        "sine's slope left out",
        _sine(lambda x, u: u),
        "What came back to u was y_bar as it was: the sine's own slope is missing.",
        "What is multiplied when a path leads through two operations?   (step 1)",
    ),
    Mistake(
        "square's slope left out",
        _sine(lambda x, u: jnp.sin(valued(u, x))),
        "u_bar was handed to x as it came: the square's own slope is missing.",
        "How fast does u move when x does?   (step 2)",
    ),
    Mistake(
        "square's slope at u",
        _sine(lambda x, u: jnp.sin(valued(u, valued(u, x) ** 2))),
        "The slope of the square was taken at u.",
        "Of which number did forward take the square?   (step 2)",
    ),
    Mistake(
        "square's slope halved",
        _sine(lambda x, u: jnp.sin(valued(u, u / 2))),
        "The slope of the square lost a factor on its way down from the exponent.",
        "Which of your answers gave the slope of x**2?   (step 2)",
    ),
    Mistake(
        "sine for its slope",
        _sine(lambda x, u: -jnp.cos(u)),
        "u_bar was made with the sine again, which is the value and not the slope.",
        "At u = 0 the sine is 0. Is it flat there?   (step 1)",
    ),
    Mistake(
        "slope of the cosine",
        _sine(lambda x, u: jnp.cos(u)),
        "This is the slope of a cosine.",
        "Which of the two functions ran forward?   (step 1)",
    ),
    Mistake(
        "slope inside the cosine",
        _sine(lambda x, u: jnp.sin(2 * x) / 2),
        "The slope of the square was put inside the cosine, in the place of u.",
        "Two slopes, each taken at its own number: what is done with both?   (steps 1, 2)",
    ),
)


def _neuron(sloped: Any) -> Any:
    """A neuron whose loss has a function of the output and the target for its derivative's sake."""

    def mistaken(w: Any, b: Any, x: Any, target: Any) -> Any:
        a = jax.nn.sigmoid(w * x + b)
        return valued(0.5 * (a - target) ** 2, sloped(a, target))

    return mistaken


def _activated(sloped: Any) -> Any:
    """A neuron whose sigmoid has a function of z and a for its derivative's sake."""

    def mistaken(w: Any, b: Any, x: Any, target: Any) -> Any:
        z = w * x + b
        a = jax.nn.sigmoid(z)
        return 0.5 * (valued(a, sloped(z, a)) - target) ** 2

    return mistaken


def _mapped(sloped: Any) -> Any:
    """A neuron whose w * x + b has a function of w, b and x for its derivative's sake."""

    def mistaken(w: Any, b: Any, x: Any, target: Any) -> Any:
        z = valued(w * x + b, sloped(w, b, held(x)))
        return neuron_loss(z, jnp.zeros_like(z), jnp.ones_like(z), target)

    return mistaken


NEURON_LOSS = (
    Mistake(
        "half lost",
        _neuron(lambda a, target: (a - target) ** 2),
        "a_bar is what a loss without its half would hand back.",
        "What does the half do to the exponent that comes down?   (step 1)",
    ),
    Mistake(
        "half counted twice",
        _neuron(lambda a, target: (a - target) ** 2 / 4),
        "The half entered once more than it should.",
        "What does the half do to the exponent that comes down?   (step 1)",
    ),
    Mistake(
        "error squared",
        _neuron(lambda a, target: (a - target) ** 3 / 3),
        "a_bar was made of the square of the error: the value, not its slope.",
        "How fast does the square of the error grow with the error?   (step 1)",
    ),
    Mistake(
        "error left out",
        _neuron(lambda a, target: a),
        "loss_bar went past the error: a_bar does not ask how far the output is off.",
        "What stands beside the exponent when it has come down?   (step 1)",
    ),
    Mistake(
        "output for error",
        _neuron(lambda a, target: a**2 / 2),
        "a_bar was made of the output, and the target was left out.",
        "Which difference was squared?   (step 1)",
    ),
    Mistake(
        "sigmoid's slope left out",
        _activated(lambda z, a: z),
        "What came back to a was handed to z as it came.",
        "How steep is sigmoid where it was used?   (step 2)",
    ),
    Mistake(
        "half of sigmoid's slope",
        _activated(lambda z, a: valued(a, z) - valued(a, z) ** 2 / 2),
        "One factor of sigmoid's slope is missing; the one that falls when a rises is there.",
        "Sigmoid is flat at both ends. What makes its slope small where a is near 0?   (step 2)",
    ),
    Mistake(
        "sigmoid's value for its slope",
        _activated(lambda z, a: valued(a, z) ** 2 / 2),
        "a_bar was multiplied by the sigmoid's value; that is only a part of its slope.",
        "Sigmoid is flat at both ends. What makes its slope small where a is near 1?   (step 2)",
    ),
    Mistake(
        "slope of tanh",
        _activated(lambda z, a: jnp.tanh(valued(jnp.arctanh(a), z))),
        "This is the slope of tanh where that has the same value.",
        "Which function made a of z?   (step 2)",
    ),
    Mistake(
        "x left out",
        _mapped(lambda w, b, x: w + b),
        "z_bar went to w as it came.",
        "When w grows by 1, by how much does w * x grow?   (step 3)",
    ),
    Mistake(
        "b taken for a weight",
        _mapped(lambda w, b, x: (w + b) * x),
        "b_bar was multiplied by x, as if b stood beside it.",
        "When b grows by 1, by how much does z grow?   (step 3)",
    ),
)


def _swish(sloped: Any) -> Any:
    return lambda x: valued(swish(x), sloped(x, jax.nn.sigmoid(x)))


SWISH = (
    Mistake(
        "path by the sigmoid lost",
        _swish(lambda x, a: x * held(a)),
        "Only the x that stands in the product got something back.",
        "Where else was x used?   (step 2)",
    ),
    Mistake(
        "path by the product lost",
        _swish(lambda x, a: held(x) * a),
        "Only the x inside the sigmoid got something back.",
        "Where else was x used?   (step 1)",
    ),
    Mistake(
        "paths subtracted",
        _swish(lambda x, a: x * held(a) - held(x) * a),
        "What came by the two paths was subtracted.",
        "Used twice: what is done with both?   (step 3)",
    ),
    Mistake(
        "paths averaged",
        _swish(lambda x, a: x * a / 2),
        "What came by the two paths was averaged.",
        "Used twice: what is done with both?   (step 3)",
    ),
    Mistake(
        "factors exchanged",
        _swish(lambda x, a: x**2 / 2 + held(x) * a),
        "In the product x was handed its own value, where it gets that of the other factor.",
        "y = x * a: when x grows by 1 and a stays, by how much does y grow?   (step 1)",
    ),
    Mistake(
        "x left out of a_bar",
        _swish(lambda x, a: x * held(a) + a),
        "y_bar went to a as it came.",
        "y = x * a: when a grows by 1 and x stays, by how much does y grow?   (step 1)",
    ),
    Mistake(
        "sigmoid's slope left out",
        _swish(lambda x, a: x * valued(a, x)),
        "What came back to a was handed to x as it came.",
        "How steep is sigmoid where it was used?   (step 2)",
    ),
    Mistake(
        "sigmoid's value for its slope",
        _swish(lambda x, a: x * valued(a, valued(a, x) ** 2 / 2)),
        "a_bar was multiplied by the sigmoid's value; that is only a part of its slope.",
        "Sigmoid is flat at both ends. What makes its slope small where a is near 1?   (step 2)",
    ),
    Mistake(
        "slope of tanh",
        _swish(lambda x, a: x * jnp.tanh(valued(jnp.arctanh(a), x))),
        "This is the slope of tanh where that has the same value.",
        "Which function made a of x?   (step 2)",
    ),
)


def forked_overwritten(x: Any, w: Any) -> Any:
    """Is `forked`, whose u gets something by way of d alone."""
    u = w * x
    return (x + held(u)) / (1 + u**2)


def _forked(sloped: Any) -> Any:
    """A fraction with a function of v and d for its derivative's sake."""

    def mistaken(x: Any, w: Any) -> Any:
        u = w * x
        v, d = x + u, 1 + u**2
        return valued(v / d, sloped(v, d))

    return mistaken


def _joined(sloped: Any) -> Any:
    """A fraction made of what a function of x, w and u gives for v and d; both have their own values."""

    def mistaken(x: Any, w: Any) -> Any:
        u = w * x
        v, d = sloped(x, w, u)
        return valued(x + u, v) / valued(1 + u**2, d)

    return mistaken


FORKED = (
    Mistake(
        "u_bar overwritten",
        forked_overwritten,
        "Only what came by way of d reached u.",
        "Who else used u?   (step 2)",
    ),
    Mistake(
        "path by d lost",
        _joined(lambda x, w, u: (x + u, held(u))),
        "Only what came by way of v reached u.",
        "Who else used u?   (step 2)",
    ),
    Mistake(
        "slope of u**2 halved",
        _joined(lambda x, w, u: (x + u, u**2 / 2)),
        "The slope of u**2 lost a factor on its way down from the exponent.",
        "Which of your answers gave the slope of a square?   (step 2)",
    ),
    Mistake(
        "minus of the quotient lost",
        _forked(lambda v, d: v / held(d) + held(v / d**2) * d),
        "What came by way of d has the wrong sign.",
        "When the bottom of a fraction grows, what does the fraction do?   (step 1)",
    ),
    Mistake(
        "d not squared",
        _forked(lambda v, d: v / weighted(d, d)),
        "In the slope of v / d by d, d stands once too few.",
        "1 / d is d to the power of -1: what is left of an exponent that came down?   (step 1)",
    ),
    Mistake(
        "v left out of d_bar",
        _forked(lambda v, d: v / held(d) + 1 / d),
        "d_bar was made as if the top of the fraction were 1.",
        "When d grows, v / d shrinks: does it matter how large v is?   (step 1)",
    ),
    Mistake(
        "d squared under v",
        _forked(lambda v, d: v / held(d) ** 2 + held(v) / d),
        "v_bar was divided by d once more than it should.",
        "v / d is v times a number: which one?   (step 1)",
    ),
    Mistake(
        "w_bar too early",
        _joined(lambda x, w, u: (x + u, valued(u, held(w) * x) ** 2)),
        "u_bar was handed to w before all of it was there: what came by way of d is missing in w_bar.",
        "Who used u? Is everything that comes to u there?   (step 3)",
    ),
    Mistake(
        "w handed its own value",
        lambda x, w: _through(x, w, held(w) * x + w**2 / 2),
        "In the product w * x, w was handed its own value.",
        "u = w * x: when w grows by 1 and x stays, by how much does u grow?   (step 3)",
    ),
    Mistake(
        "x's own path lost",
        _joined(lambda x, w, u: (u, u**2)),
        "Only what came by way of u reached x.",
        "How many times was x used?   (step 4)",
    ),
    Mistake(
        "x's path by u lost",
        lambda x, w: _through(x, w, w * held(x)),
        "Only what came straight from v reached x.",
        "How many times was x used?   (step 4)",
    ),
)


def _through(x: Any, w: Any, sloped: Any) -> Any:
    """A fraction whose u has the derivative of another number."""
    u = valued(w * x, sloped)
    return (x + u) / (1 + u**2)
