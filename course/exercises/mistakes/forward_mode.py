"""Mistakes that people make in `forward_mode`: terms left out, turned or counted twice, directions confused.

Those of a rule are functions of the right value whose `jax.jvp` is the wrong answer; those of a function have its
arguments and wrong values.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from course.comparison.mistakes import Mistake
from course.exercises.mistakes import linear_and_activations
from course.exercises.mistakes.forms import held, valued
from course.lessons.forward_mode import Dual, logsumexp, matmul, network_loss, quotient
from course.lessons.linear_and_activations import affine, tanh
from course.lessons.two_layer_network import BatchNetwork

_BOTH_MOVE = "Both factors move. What does each of them do alone?   (step 2)"


def _moving(a: Dual, b: Dual, tangent: Any) -> Dual:
    """The right product, moving somehow."""
    return Dual(jnp.multiply(a.value, b.value), tangent)


DUAL_MULTIPLY = (
    Mistake(
        "tangents multiplied",
        lambda a, b: _moving(a, b, a.tangent * b.tangent),
        "The two tangents were multiplied with each other: that is what stands before eps * eps.",
        "Write the product of the two sums out. Where does a single eps come from?   (step 2)",
    ),
    Mistake(
        "tangents added",
        lambda a, b: _moving(a, b, a.tangent + b.tangent),
        "The tangents were added as in a sum.",
        "If b is 100 and stands still, how fast does 100 * a move?   (step 2)",
    ),
    Mistake(
        "b stands still",
        lambda a, b: _moving(a, b, a.tangent * b.value),
        "It moves as if b stood still.",
        _BOTH_MOVE,
    ),
    Mistake(
        "a stands still",
        lambda a, b: _moving(a, b, a.value * b.tangent),
        "It moves as if a stood still.",
        _BOTH_MOVE,
    ),
    Mistake(
        "each with its own",
        lambda a, b: _moving(a, b, a.value * a.tangent + b.value * b.tangent),
        "Each tangent was multiplied by its own value.",
        "If only a moves, what is its tangent multiplied by?   (step 2)",
    ),
    Mistake(
        "a minus between",
        lambda a, b: _moving(a, b, a.tangent * b.value - a.value * b.tangent),
        "The two terms were subtracted.",
        "If both grow, does what b contributes help or hinder?   (step 2)",
    ),
)

TANH = tuple(
    dataclasses.replace(mistake, says=mistake.says.replace("y_bar", "x_dot"))
    for mistake in linear_and_activations.TANH
    if mistake.name != "y_bar left out"
)
"""The slopes of other functions, which are as wrong forward as backward."""

MATMUL = (
    Mistake(
        "b stands still",
        lambda a, b: a @ held(b),
        "y moves as if b stood still.",
        "What if b moves and a does not?   (step 1)",
    ),
    Mistake(
        "a stands still",
        lambda a, b: held(a) @ b,
        "y moves as if a stood still.",
        "What if a moves and b does not?   (step 1)",
    ),
    Mistake(
        "what b does subtracted",
        lambda a, b: valued(matmul(a, b), a @ held(b) - held(a) @ b),
        "What b's motion does was subtracted.",
        "Both move at once: do the two help or hinder each other?   (step 2)",
    ),
    Mistake(
        "what a does subtracted",
        lambda a, b: valued(matmul(a, b), held(a) @ b - a @ held(b)),
        "What a's motion does was subtracted.",
        "Both move at once: do the two help or hinder each other?   (step 2)",
    ),
    Mistake(
        "a's motion twice",
        lambda a, b: valued(matmul(a, b), 2 * a @ held(b)),
        "What a's motion does was counted twice, and what b's does not at all.",
        _BOTH_MOVE,
    ),
    Mistake(
        "b's motion twice",
        lambda a, b: valued(matmul(a, b), 2 * held(a) @ b),
        "What b's motion does was counted twice, and what a's does not at all.",
        _BOTH_MOVE,
    ),
    Mistake(
        "averaged over the inner index",
        lambda a, b: valued(matmul(a, b), a @ b / len(b)),
        "What the inner index sums was averaged.",
        "y[n, j] is a sum over i. How fast does a sum move?   (step 1)",
    ),
)

_TURN = "y * bottom is top: when the bottom grows, what must y do?   (step 1)"

QUOTIENT = (
    Mistake(
        "a plus for a minus",
        lambda top, bottom: valued(quotient(top, bottom), top / held(bottom) - held(top) / bottom),
        "What the bottom's motion does has the wrong sign.",
        _TURN,
    ),
    Mistake(
        "the bottom stands still",
        lambda top, bottom: top / held(bottom),
        "y moves as if the bottom stood still.",
        _TURN,
    ),
    Mistake(
        "the top stands still",
        lambda top, bottom: held(top) / bottom,
        "y moves as if the top stood still.",
        "If only the top moves, how fast does top / bottom move?   (step 1)",
    ),
    Mistake(
        "the product's rule",
        lambda top, bottom: valued(quotient(top, bottom), top * bottom),
        "This is how fast top * bottom moves.",
        "If only the top moves, how fast does top / bottom move?   (step 1)",
    ),
    Mistake(
        "a factor of the top forgotten",
        lambda top, bottom: valued(quotient(top, bottom), top / held(bottom**2) + held(top) / bottom),
        "Over the square of the bottom, the tangent of the top stands without its factor.",
        "If the bottom stands still at 10, how fast does top / 10 move?   (step 1)",
    ),
    Mistake(
        "the bottom not squared",
        lambda top, bottom: valued(quotient(top, bottom), top - held(top) * jnp.log(jnp.abs(bottom))),
        "All of it is to be divided by the bottom once more.",
        "If the bottom stands still at 10, how fast does top / 10 move?   (step 1)",
    ),
    Mistake(
        "the top left out beside the bottom's tangent",
        lambda top, bottom: valued(quotient(top, bottom), top / held(bottom) + 1 / bottom),
        "What the bottom's motion does was taken for a top of 1.",
        "Twice the top: how much faster does y move when only the bottom does?   (step 1)",
    ),
)

_SHARES = "What do the shares of a row add up to?   (step 1)"

LOGSUMEXP = (
    Mistake(
        "shares not normalised",
        lambda logits: valued(
            logsumexp(logits), jnp.sum(jnp.exp(logits - held(jnp.max(logits, axis=-1, keepdims=True))), axis=-1)
        ),
        "The exponentials of a row were not divided by their sum.",
        _SHARES,
    ),
    Mistake(
        "normalised over the batch",
        lambda logits: valued(logsumexp(logits), jnp.sum(jnp.exp(logits - held(jax.nn.logsumexp(logits))), axis=-1)),
        "The exponentials were divided by the sum of the whole batch.",
        _SHARES,
    ),
    Mistake(
        "the mean of the tangents",
        lambda logits: valued(logsumexp(logits), jnp.mean(logits, axis=-1)),
        "All tangents of a row got the same share.",
        "Of logits 0 and 100, which one decides what y is?   (step 1)",
    ),
    Mistake(
        "the sum of the tangents",
        lambda logits: valued(logsumexp(logits), jnp.sum(logits, axis=-1)),
        "The tangents of a row were added as they are.",
        _SHARES,
    ),
    Mistake(
        "the largest alone",
        lambda logits: valued(logsumexp(logits), jnp.max(logits, axis=-1)),
        "The largest logit's tangent was taken, and no other.",
        "Of logits 1 and 1, which one decides what y is?   (step 1)",
    ),
    Mistake(
        "logits for shares",
        lambda logits: valued(logsumexp(logits), jnp.sum(logits**2, axis=-1) / 2),
        "The tangents were multiplied by the logits themselves.",
        _SHARES,
    ),
    Mistake(
        "the smallest weighs most",
        lambda logits: valued(logsumexp(logits), -logsumexp(-logits)),
        "The shares are largest where the logits are smallest.",
        "Of logits 0 and 100, which one decides what y is?   (step 1)",
    ),
)


def _network(
    *,
    x: Callable[[Any], Any] = lambda x: x,
    target: Callable[[Any], Any] = lambda target: target,
    bias: Callable[[Any], Any] = lambda b: b,
    last_w: Callable[[Any], Any] = lambda w: w,
    activation: Callable[[Any], Any] = tanh,
    hidden: Callable[[Any], Any] = lambda a1: a1,
    loss: Callable[[Any, Any], Any] = lambda prediction, target: jnp.sum((prediction - target) ** 2) / 2,
) -> Callable[[BatchNetwork, Any, Any], Any]:
    """The network's loss with the derivative of one of other parts."""

    def mistaken(params: BatchNetwork, x_given: Any, target_given: Any) -> Any:
        z1 = affine(x(x_given), params.w1, bias(params.b1))
        a1 = hidden(valued(tanh(z1), activation(z1)))
        prediction = affine(a1, last_w(params.w2), bias(params.b2))
        sloped = loss(prediction, target(target_given)) / len(x_given)
        return valued(network_loss(params, x_given, target_given), sloped)

    return mistaken


SLOPE_LEFT_OUT = _network(activation=lambda z: z)

NETWORK = (
    Mistake(
        "tanh's slope left out",
        SLOPE_LEFT_OUT,
        "The tangent went through tanh as it came.",
        "Where tanh is flat, what becomes of a tangent?   (step 1)",
    ),
    Mistake(
        "tanh's slope taken at its value",
        _network(activation=linear_and_activations.sloped_at_y(tanh)),
        "The slope of tanh was taken at its value, as if that were what went in.",
        "What does your tanh_jvp want: what goes into tanh, or what comes out?   (step 1)",
    ),
    Mistake(
        "x stands still",
        _network(x=held),
        "x was taken for a constant; here its tangent counts.",
        "x is one of the primals: where does x_dot go in?   (step 1)",
    ),
    Mistake(
        "the target stands still",
        _network(target=held),
        "The target was taken for a constant; here its tangent counts.",
        "How fast does prediction - target move when both do?   (step 3)",
    ),
    Mistake(
        "the target's tangent added",
        _network(loss=lambda prediction, target: jnp.sum(held(prediction - target) * (prediction + target))),
        "The target's tangent was added, not subtracted.",
        "How fast does prediction - target move when both do?   (step 3)",
    ),
    Mistake(
        "the biases stand still",
        _network(bias=held),
        "Both biases were taken for constants.",
        "What does a bias that moves add to every row?   (steps 1 and 2)",
    ),
    Mistake(
        "the last matrix stands still",
        _network(last_w=held),
        "w2 was taken for a constant.",
        "Which two matrices move in the second product?   (step 2)",
    ),
    Mistake(
        "the first layer lost",
        _network(hidden=held),
        "What the first layer does got lost: the second one started with a value that stands still.",
        "Which two matrices move in the second product?   (step 2)",
    ),
    Mistake(
        "the error left out",
        _network(loss=lambda prediction, target: jnp.sum(prediction - target)),
        "The tangents of the errors were added up, without the errors.",
        "How fast does half a square move, when its root is 3 and when it is 0?   (step 3)",
    ),
)

Push = Callable[[Any, Any], tuple[Any, Any]]


def _along_each(push: Push, x: Any, directions: Any) -> Any:
    """What comes out along each direction, one a row."""
    return jax.vmap(lambda x_dot: push(x, x_dot)[1])(directions)


JACOBIAN = (
    Mistake(
        "rows for columns",
        lambda push, x: _along_each(push, x, jnp.eye(len(x))),
        "What push gives for one input was laid down as a row: this is the transpose.",
        "How many numbers does push give: as many as there are outputs, or inputs?   (step 2)",
    ),
    Mistake(
        "all inputs at once",
        lambda push, x: _along_each(push, x, jnp.ones((len(x), len(x)))).T,
        "Every column is the same: each time all inputs moved at once.",
        "Which direction moves the first number of x alone?   (step 1)",
    ),
    Mistake(
        "each input by its own size",
        lambda push, x: _along_each(push, x, jnp.diag(x)).T,
        "Each column is as many times too large as its input is large.",
        "How fast does x[j] move in column j?   (step 1)",
    ),
    Mistake(
        "values for tangents",
        lambda push, x: jax.vmap(lambda x_dot: push(x, x_dot)[0])(jnp.eye(len(x))).T,
        "The columns are values: where it is, and not how fast it moves.",
        "Which of the two things that push returns is the tangent?   (step 2)",
    ),
    Mistake(
        "the columns in the opposite order",
        lambda push, x: _along_each(push, x, jnp.eye(len(x))[::-1]).T,
        "The columns stand in the opposite order.",
        "Which input moves in the first column?   (step 1)",
    ),
)
