"""Mistakes that people make in `parameter_trees`: wrong derivatives of a line's loss, and wrong functions of trees."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from course.comparison.mistakes import Mistake
from course.exercises.mistakes.forms import one_row, unasked, valued, weighted
from course.lessons.parameter_trees import Layer, Line, line_loss

Function = Callable[..., Any]


def _half_mean_square(error: Any) -> Any:
    return 0.5 * jnp.mean(error**2)


def _everywhere(number: Any, x: Any) -> Any:
    return jnp.broadcast_to(number, x.shape)


def _line(
    loss: Function = _half_mean_square,
    sloped: Function = lambda slope, x: slope * x,
    shifted: Function = _everywhere,
) -> Function:
    """The loss of a line, with the derivatives of another loss, and of other terms for slope and bias in each row."""

    def mistaken(params: Line, x: Any, target: Any) -> Any:
        rise = valued(params.slope * x, sloped(params.slope, x))
        shift = valued(_everywhere(params.bias, x), shifted(params.bias, x))
        return valued(line_loss(params, x, target), loss(rise + shift - target))

    return mistaken


product_of_means = _line(sloped=lambda slope, x: slope * jnp.mean(x))
"""Is `line_loss`, whose slope gets the mean error times the mean of x."""

_ERROR = "0.5 * mean(error**2): when one error grows, by how much does the loss?   (step 1)"
_SLOPE = "When the slope grows by 1, by how much does row i of the line move, and what is row i's error_bar?   (step 2)"
_BIAS = "Every row used the same bias. Used many times: what follows?   (step 3)"

LINE = (
    Mistake(
        "loss_bar left out",
        lambda params, x, target: unasked(line_loss(params, x, target)),
        "This is what comes back for a loss_bar of 1.",
        "How does the final result move when the loss does?   (step 1)",
    ),
    Mistake(
        "mean lost",
        _line(loss=lambda error: 0.5 * jnp.sum(error**2)),
        "The rows were summed where the loss takes their mean.",
        _ERROR,
    ),
    Mistake(
        "half lost",
        _line(loss=lambda error: jnp.mean(error**2)),
        "The half of the loss is missing: the derivative of a square brings a 2.",
        _ERROR,
    ),
    Mistake(
        "half counted twice",
        _line(loss=lambda error: 0.25 * jnp.mean(error**2)),
        "The half is counted once too often: the derivative of a square brings a 2.",
        _ERROR,
    ),
    Mistake(
        "error's sign for the error",
        _line(loss=lambda error: jnp.mean(jnp.abs(error))),
        "Each row counts by the sign of its error alone, large or small.",
        _ERROR,
    ),
    Mistake(
        "error squared",
        _line(loss=lambda error: jnp.mean(error**3) / 3),
        "Each row counts by the square of its error: this knows no sign.",
        _ERROR,
    ),
    Mistake(
        "x left out",
        _line(sloped=_everywhere),
        "x is not in slope_bar: the slope got what belongs to the bias.",
        _SLOPE,
    ),
    Mistake(
        "product of the means",
        product_of_means,
        "slope_bar is a mean of errors times a mean of x. Each error belongs to its own x.",
        "Which comes first: to multiply row by row, or to sum?   (step 2)",
    ),
    Mistake(
        "x without its sign",
        _line(sloped=lambda slope, x: slope * jnp.abs(x)),
        "slope_bar was made with the sizes of x, without their signs.",
        _SLOPE,
    ),
    Mistake(
        "slope from the first row",
        _line(sloped=lambda slope, x: one_row(slope * x, 0)),
        "slope_bar is what the first row sends: nothing comes from the others.",
        "Every row used the same slope. Used many times: what follows?   (step 2)",
    ),
    Mistake(
        "slope overwritten",
        _line(sloped=lambda slope, x: one_row(slope * x, -1)),
        "slope_bar is what the last row sends: each row overwrote the one before.",
        "Every row used the same slope. Used many times: what follows?   (step 2)",
    ),
    Mistake(
        "bias from the first row",
        _line(shifted=lambda bias, x: one_row(_everywhere(bias, x), 0)),
        "bias_bar is what the first row sends: nothing comes from the others.",
        _BIAS,
    ),
    Mistake(
        "bias overwritten",
        _line(shifted=lambda bias, x: one_row(_everywhere(bias, x), -1)),
        "bias_bar is what the last row sends: each row overwrote the one before.",
        _BIAS,
    ),
    Mistake(
        "bias summed, slope averaged",
        _line(shifted=lambda bias, x: _everywhere(weighted(bias, len(x)), x)),
        "bias_bar is summed over the rows where the loss takes their mean; slope_bar is right.",
        "Through which error_bar does the mean come to the bias?   (steps 1, 3)",
    ),
    Mistake(
        "slope summed, bias averaged",
        _line(sloped=lambda slope, x: weighted(slope, len(x)) * x),
        "slope_bar is summed over the rows where the loss takes their mean; bias_bar is right.",
        "Through which error_bar does the mean come to the slope?   (steps 1, 2)",
    ),
)


def moved_by(change: Function) -> Function:
    """Makes a step that adds to each leaf what `change` makes of the leaf, its cotangent and the learning rate."""

    def step(params: Any, params_bar: Any, rate: Any) -> Any:
        return jax.tree.map(lambda leaf, bar: np.add(leaf, change(leaf, bar, rate)), params, params_bar)

    return step


def against_the_slope(_: Any, bar: Any, rate: Any) -> Any:
    """What gradient descent adds to a leaf."""
    return np.multiply(-rate, bar)


def _first_leaf_alone(params: Any, params_bar: Any, rate: Any) -> Any:
    leaves, treedef = jax.tree.flatten(params)
    first, *_ = jax.tree.leaves(moved_by(against_the_slope)(params, params_bar, rate))
    return jax.tree.unflatten(treedef, [first, *leaves[1:]])


DESCEND = (
    Mistake(
        "up the slope",
        moved_by(lambda leaf, bar, rate: np.multiply(rate, bar)),
        "This goes uphill: where the slope is positive, the number grew, and the loss with it.",
        "The slope is 3: does the loss fall when the number grows, or when it shrinks?   (step 1)",
    ),
    Mistake(
        "no learning rate",
        moved_by(lambda leaf, bar, rate: -bar),
        "Each number moved by its whole slope: the learning rate is not in it.",
        "How far does a number move whose slope is 1?   (step 1)",
    ),
    Mistake(
        "the step alone",
        moved_by(lambda leaf, bar, rate: against_the_slope(leaf, bar, rate) - leaf),
        "This is by how much the parameters move, not where they are afterwards.",
        "From where does the step start?   (step 1)",
    ),
    Mistake(
        "divided by the learning rate",
        moved_by(lambda leaf, bar, rate: -bar / rate),
        "The slope was divided by the learning rate: a smaller rate would make a larger step.",
        "What should become of the step when the rate is halved?   (step 1)",
    ),
    Mistake(
        "the rate on both",
        moved_by(lambda leaf, bar, rate: rate * (leaf - bar) - leaf),
        "The learning rate multiplied the parameter too: it shrank.",
        "Where does a number stay whose slope is zero?   (step 1)",
    ),
    Mistake(
        "direction alone",
        moved_by(lambda leaf, bar, rate: against_the_slope(leaf, np.sign(bar), rate)),
        "Every number moved by the same amount: only the sign of its slope was used.",
        "Is a number with a large slope to move as far as one with a small slope?   (step 1)",
    ),
    Mistake(
        "one leaf alone",
        _first_leaf_alone,
        "Only the first leaf of the tree moved.",
        "What goes through all leaves of two trees together?   (step 1)",
    ),
)


def length_by(measure: Function) -> Function:
    """Makes the length of a tree from what measures the list of its leaves, each of them laid in a row."""
    return lambda tree: measure([np.ravel(leaf) for leaf in jax.tree.leaves(tree)])


def in_one_row(rows: Any) -> Any:
    """The Euclidean length of all numbers in one row."""
    return np.linalg.norm(np.concatenate(rows))


NORM = (
    Mistake(
        "no root",
        length_by(lambda rows: in_one_row(rows) ** 2),
        "This is the square of the length.",
        "How long is (3, 4)?   (step 2)",
    ),
    Mistake(
        "lengths added",
        length_by(lambda rows: sum(np.linalg.norm(row) for row in rows)),
        "The lengths of the leaves were added: 3 and 4 at right angles do not make 7.",
        "Which comes first, the root or the sum over the leaves?   (step 2)",
    ),
    Mistake(
        "root of the mean",
        length_by(lambda rows: np.sqrt(np.mean(np.concatenate(rows) ** 2))),
        "The squares were averaged: this is the size of a typical number.",
        "What becomes of a row's length when a number is put to it?   (step 1)",
    ),
    Mistake(
        "mean of each leaf",
        length_by(lambda rows: np.sqrt(sum(np.mean(row**2) for row in rows))),
        "Within each leaf the squares were averaged: a large matrix counts no more than a single number.",
        "How much does a matrix of six numbers contribute?   (step 1)",
    ),
    Mistake(
        "sizes added",
        length_by(lambda rows: np.sum(abs(np.concatenate(rows)))),
        "The sizes of all numbers were added: that is another norm, the sum of absolute values.",
        "How long is (3, 4)?   (step 1)",
    ),
    Mistake(
        "largest number",
        length_by(lambda rows: np.max(abs(np.concatenate(rows)))),
        "This is the size of the largest number.",
        "How long is (3, 4)?   (step 1)",
    ),
    Mistake(
        "summed, then squared",
        length_by(lambda rows: np.sqrt(sum(np.sum(row) ** 2 for row in rows))),
        "Within a leaf the numbers were added before they were squared: 3 and -3 cancel.",
        "Which comes first, the square or the sum?   (step 1)",
    ),
    Mistake(
        "one leaf alone",
        length_by(lambda rows: in_one_row(rows[:1])),
        "This is the length of the first leaf.",
        "Which leaves belong to the tree?   (step 1)",
    ),
)


def _split(key: Any, count: int) -> Any:
    return jax.random.split(key, num=count)


def _chained(key: Any, count: int) -> Any:
    """A key for each layer, each time split off what is left."""
    keys = []
    for _ in range(count):
        key, own = _split(key, 2)
        keys.append(own)
    return keys


def drawn_by(
    keys: Function = _split,
    variance: Function = lambda d_in, d_out: 2 / d_in,
    bias: Function = lambda key, count: np.zeros(count),
) -> Function:
    """Makes the start of a network from its keys, the variance of its weights, and its biases."""

    def layers(key: Any, sizes: Any) -> Any:
        shapes = list(pairwise(sizes))
        return [
            Layer(np.sqrt(variance(*shape)) * jax.random.normal(own, shape), bias(own, shape[1]))
            for own, shape in zip(keys(key, len(shapes)), shapes, strict=True)
        ]

    return layers


INIT = (
    Mistake(
        "one key for all",
        drawn_by(keys=lambda key, count: [key] * count),
        "Every layer was drawn from the same key: their numbers are the same numbers again.",
        "How often may one key be used?   (step 1)",
    ),
    Mistake(
        "keys one by one",
        drawn_by(keys=_chained),
        "The keys were split off one after the other. That is as random, but other numbers than those asked for.",
        "How does one call give a key for each layer?   (step 1)",
    ),
    Mistake(
        "keys from the end",
        drawn_by(keys=lambda key, count: _split(key, count)[::-1]),
        "The last key went to the first layer.",
        "Which key belongs to layer 0?   (step 1)",
    ),
    Mistake(
        "not scaled",
        drawn_by(variance=lambda d_in, d_out: 1.0),
        "These are plain normal numbers: their variance is 1, whatever d_in is.",
        "Which variance is asked for?   (step 2)",
    ),
    Mistake(
        "variance for the deviation",
        drawn_by(variance=lambda d_in, d_out: (2 / d_in) ** 2),
        "The numbers were multiplied by the variance: their variance is now its square.",
        "Numbers that become twice as large: by how much does their variance grow?   (step 2)",
    ),
    Mistake(
        "the two lost",
        drawn_by(variance=lambda d_in, d_out: 1 / d_in),
        "The variance is 1 / d_in: a usual choice too, but not the one that is asked for.",
        "Which variance is asked for?   (step 2)",
    ),
    Mistake(
        "d_out for d_in",
        drawn_by(variance=lambda d_in, d_out: 2 / d_out),
        "The scale was taken from the number of outputs.",
        "How many numbers are added up for one output?   (step 2)",
    ),
    Mistake(
        "biases drawn",
        drawn_by(bias=lambda key, count: jax.random.normal(key, (count,))),
        "The biases were drawn too, and from the key of the weights.",
        "Which numbers are to be zero?   (step 2)",
    ),
)

slopes = jax.jit(jax.value_and_grad(line_loss))
"""The loss of a line, and its gradient."""


def _both(line: Line, rate: Any, given: Function) -> Line:
    return moved_by(against_the_slope)(line, given(line)[1], rate)


def _one_after_the_other(line: Line, rate: Any, given: Function) -> Line:
    moved = _both(line, rate, given)
    between = line._replace(slope=moved.slope)
    return moved._replace(bias=_both(between, rate, given).bias)


def fitted_by(
    onward: Function = _both,
    said: Function = lambda losses: losses[:-1],
    kept: Function = lambda lines: lines[-1],
) -> Function:
    """Makes a run of gradient descent.

    Args:
        onward: Takes a line, the learning rate, and a function that gives a line's loss and gradient; the next line.
        said: What is handed back of the losses of all lines, the last one included.
        kept: What is handed back of all lines, the first one included.
    """

    def fit(params: Line, x: Any, target: Any, rate: Any, steps: int) -> Any:
        def given(line: Line) -> Any:
            return slopes(line, x, target)

        lines = [params]
        for _ in range(steps):
            lines.append(onward(lines[-1], rate, given))
        return kept(lines), said(np.array([given(line)[0] for line in lines]))

    return fit


def _from_the_start(params: Line, x: Any, target: Any, rate: Any, steps: int) -> Any:
    start = slopes(params, x, target)
    run = fitted_by(lambda line, rate, given: _both(line, rate, lambda _: start))
    return run(params, x, target, rate, steps)


FIT = (
    Mistake(
        "losses after the steps",
        fitted_by(said=lambda losses: losses[1:]),
        "The losses are those after each step; the line is right.",
        "Is the loss put on record before the line moves, or after?   (step 1)",
    ),
    Mistake(
        "losses added up",
        fitted_by(said=lambda losses: np.cumsum(losses[:-1])),
        "Each loss has all earlier ones in it.",
        "Which numbers are put on record, and which are carried on?   (step 1)",
    ),
    Mistake(
        "up the slope",
        fitted_by(lambda line, rate, given: _both(line, -rate, given)),
        "This goes uphill: the loss grows from step to step.",
        "Which of your answers takes one step?   (step 1)",
    ),
    Mistake(
        "the loss handed in",
        fitted_by(lambda line, rate, given: _both(line, rate * given(line)[0], given)),
        "Backward was handed the loss in the place of loss_bar: every step is as many times too large.",
        "What is the slope of the loss by the loss?   (step 1)",
    ),
    Mistake(
        "gradient of the start",
        _from_the_start,
        "Every step took the gradient of the first line.",
        "At which line is the gradient of a step taken?   (step 1)",
    ),
    Mistake(
        "one after the other",
        fitted_by(_one_after_the_other),
        "The bias moved by the gradient of a line whose slope had moved already.",
        "At which line are both slopes of a step taken?   (step 1)",
    ),
    Mistake(
        "one step behind",
        fitted_by(kept=lambda lines: lines[-2]),
        "The losses are right, but the line is that before the last step.",
        "What does the last step hand on?   (step 1)",
    ),
    Mistake(
        "never moved",
        fitted_by(lambda line, rate, given: line),
        "The line stayed where it was: what a step made of it was not handed on.",
        "What does one step hand to the next?   (step 1)",
    ),
)
