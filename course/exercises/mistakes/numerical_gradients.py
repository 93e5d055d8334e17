"""Mistakes that people make in `numerical_gradients`: wrong functions of the arguments that the right ones take.

Differences are written as stencils, a weight for every place where the function is asked, so that no line that a
learner has to write stands here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

from course.comparison.mistakes import Mistake

Function = Callable[..., Any]
Stencil = Mapping[float, float]
"""The weight of the value at each place; places count in steps from where the slope is wanted."""

ONE_SIDED: Stencil = {1: 1.0, 0: -1.0}
TWO_SIDED: Stencil = {1: 0.5, -1: -0.5}
BACKWARD: Stencil = {0: 1.0, -1: -1.0}
TWICE: Stencil = {1: 1.0, -1: -1.0}


def slope_by(stencil: Stencil) -> Function:
    """Makes a function that estimates the slope of `f` at `x` from the places of a stencil."""

    def slope(f: Function, x: Any, step: Any) -> Any:
        return sum(weight * f(x + place * step) for place, weight in stencil.items()) / step

    return slope


FORWARD = (
    Mistake(
        "not divided",
        lambda f, x, step: step * slope_by(ONE_SIDED)(f, x, step),
        "This is by how much the value changes. A slope is a change for each 1 that x moves.",
        "x moved by a step: by what must the change of the value be divided?   (step 1)",
    ),
    Mistake(
        "divided by twice the step",
        slope_by({1: 0.5, 0: -0.5}),
        "The change was divided by twice the distance that x moved.",
        "How far apart are the two places at which f was asked?   (step 1)",
    ),
    Mistake(
        "value not taken away",
        slope_by({1: 1.0}),
        "The value at x was never taken away: this grows without end as the step shrinks.",
        "A slope is a change. What is there before the nudge?   (step 1)",
    ),
    Mistake(
        "stepped back",
        slope_by(BACKWARD),
        "The step went to the other side: this is the backward difference.",
        "On which side of x does the second value lie?   (step 1)",
    ),
    Mistake(
        "multiplied by the step",
        lambda f, x, step: step**2 * slope_by(ONE_SIDED)(f, x, step),
        "The change was multiplied by the step.",
        "The value grows by 6 while x moves by 2: how steep is that?   (step 1)",
    ),
    Mistake(
        "only one value divided",
        lambda f, x, step: f(x + step) - slope_by({0: 1.0})(f, x, step),
        "Only the second of the two values was divided: a quotient binds more strongly than a difference.",
        "What has to be divided: one value, or the change?   (step 1)",
    ),
    Mistake(
        "central",
        slope_by(TWO_SIDED),
        "This is the central difference, the next exercise: here one of the two values is the one at x.",
        "What does f say at x itself?   (step 1)",
    ),
)

CENTRAL = (
    Mistake(
        "divided by one step",
        slope_by(TWICE),
        "The change was divided by half the distance between the two places.",
        "How far is it from one place to the other?   (step 1)",
    ),
    Mistake(
        "one-sided",
        slope_by(ONE_SIDED),
        "It steps to one side only: this is the forward difference.",
        "Which value mirrors the one at x + step?   (step 1)",
    ),
    Mistake(
        "stepped back",
        slope_by(BACKWARD),
        "It steps to one side only: this is the backward difference.",
        "Which value mirrors the one at x - step?   (step 1)",
    ),
    Mistake(
        "values added",
        slope_by({1: 0.5, -1: 0.5}),
        "The two values were added.",
        "A slope is a change: what is done with two values to get one?   (step 1)",
    ),
    Mistake(
        "multiplied by the step",
        lambda f, x, step: step**2 * slope_by(TWO_SIDED)(f, x, step),
        "The change was halved, and multiplied by the step: products and quotients are worked out from left to right.",
        "Which brackets make one number of the two by which the change is divided?   (step 1)",
    ),
    Mistake(
        "half a step to each side",
        slope_by({0.5: 1.0, -0.5: -1.0}),
        "The two places lie one step apart. It is a central difference, of half the step that was handed in.",
        "How far from x is each of the two places?   (step 1)",
    ),
    Mistake(
        "half steps, divided by two",
        slope_by({0.5: 0.5, -0.5: -0.5}),
        "The two places lie one step apart, and the change was divided by two steps.",
        "How far from x is each of the two places?   (step 1)",
    ),
)


def _sideways(read: Function) -> Function:
    """A slope read off the value beside x, in the direction of the imaginary axis."""
    return lambda f, x, step: read(f(jax.lax.complex(1.0 * x, 1.0 * step)), step)


COMPLEX_STEP = (
    Mistake(
        "real part",
        _sideways(lambda y, step: y.real / step),
        "The real part was divided by the step: that is the value, not the slope.",
        "Which part of the result was 0 before the step?   (step 2)",
    ),
    Mistake(
        "not divided",
        _sideways(lambda y, step: y.imag + 0 * step),
        "This is by how much the imaginary part changes: nothing was divided by the step.",
        "The imaginary part is the slope times what?   (step 2)",
    ),
    Mistake(
        "size",
        _sideways(lambda y, step: abs(y) / step),
        "The size of the complex number was taken: real and imaginary part in one.",
        "Which part of the result holds the slope?   (step 2)",
    ),
    Mistake(
        "divided by twice the step",
        _sideways(lambda y, step: y.imag / (step + step)),
        "It was divided by two steps. Only one was made.",
        "How far did x move along the imaginary axis?   (step 2)",
    ),
    Mistake(
        "one-sided difference",
        slope_by(ONE_SIDED),
        "This is the forward difference: the step was made along the real axis.",
        "Which number multiplies the step, so that it leaves the real axis?   (step 1)",
    ),
    Mistake(
        "central difference",
        slope_by(TWO_SIDED),
        "This is the central difference: the steps were made along the real axis.",
        "Which number multiplies the step, so that it leaves the real axis?   (step 1)",
    ),
)


def checked_by(stencil: Stencil, claim: Function, *, of_ones: bool = False) -> Function:
    """Makes a directional check from a stencil, and from what claims to be the slope.

    Args:
        stencil: Of the slope that is found.
        claim: Takes params, params_bar and the direction, each as one row of numbers.
        of_ones: Whether to go along ones in the place of the direction.
    """

    def check(loss: Function, params: Any, params_bar: Any, direction: Any, step: Any) -> Any:
        start, as_tree = ravel_pytree(params)
        way, bar = (ravel_pytree(tree)[0] for tree in (direction, params_bar))
        gone = jnp.ones_like(way) if of_ones else way
        found = slope_by(stencil)(lambda t: loss(as_tree(start + t * gone)), 0.0, step)
        return found, claim(start, bar, way)

    return check


def projected(_: Any, bar: Any, way: Any) -> Any:
    """What a gradient claims of a direction."""
    return jnp.vdot(bar, way)


def _last_leaf_alone(loss: Function, params: Any, params_bar: Any, direction: Any, step: Any) -> Any:
    found, _ = checked_by(TWO_SIDED, projected)(loss, params, params_bar, direction, step)
    bar, way = (jax.tree.leaves(tree)[-1] for tree in (params_bar, direction))
    return found, jnp.vdot(bar, way)


DIRECTIONAL = (
    Mistake(
        "one-sided",
        checked_by(ONE_SIDED, projected),
        "The slope was found by stepping to one side only.",
        "Where is the step against the direction?   (step 2)",
    ),
    Mistake(
        "divided by one step",
        checked_by(TWICE, projected),
        "The change was divided by half the distance between the two places.",
        "How far apart are the two places, in steps?   (step 2)",
    ),
    Mistake(
        "direction left out of the steps",
        checked_by(TWO_SIDED, projected, of_ones=True),
        "Every number was moved by the same: the loss was never asked along the direction.",
        "By how much does each number move, when the tree moves one step along the direction?   (step 1)",
    ),
    Mistake(
        "direction left out of the claim",
        checked_by(TWO_SIDED, lambda start, bar, way: bar.sum()),
        "The numbers of the gradient were added up as they are: that is its claim for a direction of ones.",
        "A number that moves twice as far changes the loss by twice as much: what does each slope meet?   (step 3)",
    ),
    Mistake(
        "parameters for the direction",
        checked_by(TWO_SIDED, lambda start, bar, way: jnp.vdot(bar, start)),
        "The slopes met the parameters themselves, not the way that they move.",
        "Which tree says how far each number moves?   (step 3)",
    ),
    Mistake(
        "product of the norms",
        checked_by(TWO_SIDED, lambda start, bar, way: jnp.linalg.norm(bar) * jnp.linalg.norm(way)),
        "The two sizes were multiplied. That is the claim only where the direction is the gradient's own.",
        "Some numbers move against their slope: where does their minus go?   (step 3)",
    ),
    Mistake(
        "last leaf alone",
        _last_leaf_alone,
        "Only the last array of the tree is in the claim.",
        "Every array adds its share: where are the others?   (step 3)",
    ),
)


def errors_by(error: Function) -> Function:
    """Makes a checker from what it says of one leaf.

    `error` takes the given leaf, the right one, and the floor times the norm of all right leaves.
    """

    def errors(given: Any, right: Any, floor: Any) -> Any:
        least = floor * size(np.array([size(np.ravel(leaf)) for leaf in jax.tree.leaves(right)]))
        return jax.tree.map(lambda ours, theirs: error(np.ravel(ours), np.ravel(theirs), least), given, right)

    return errors


def size(leaf: Any) -> Any:
    """The Euclidean norm."""
    return np.sqrt(np.vdot(leaf, leaf))


def _over(difference: Any, of: Any) -> Any:
    """A quotient that may be NaN or infinite, as in JAX."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.divide(difference, of)


def _floored_by_itself(given: Any, right: Any, floor: Any) -> Any:
    return jax.tree.map(
        lambda ours, theirs: size(np.ravel(ours - theirs)) / max(size(np.ravel(theirs)), floor), given, right
    )


RELATIVE_ERRORS = (
    Mistake(
        "not relative",
        errors_by(lambda given, right, least: size(given - right)),
        "These are absolute errors: a leaf of large numbers looks worse than a leaf of small ones.",
        "Beside what is the difference small, or large?   (step 3)",
    ),
    Mistake(
        "no floor",
        errors_by(lambda given, right, least: _over(size(given - right), size(right))),
        "It divides by the norm of the right leaf even where that is zero.",
        "What is it divided by where the right leaf is zero?   (step 3)",
    ),
    Mistake(
        "floor that knows no tree",
        _floored_by_itself,
        "The floor was taken as it is: it does not ask how large the gradient is as a whole.",
        "The floor is a share of what?   (steps 2, 3)",
    ),
    Mistake(
        "beside what was given",
        errors_by(lambda given, right, least: size(given - right) / np.maximum(size(given), least)),
        "The difference was divided by the norm of the given leaf, which may be wrong.",
        "Which of the two is known to be of the right size?   (step 3)",
    ),
    Mistake(
        "difference of the norms",
        errors_by(lambda given, right, least: abs(size(given) - size(right)) / np.maximum(size(right), least)),
        "The two norms were compared: a leaf with its numbers in another order would pass.",
        "Which comes first, the norm or the difference?   (step 3)",
    ),
    Mistake(
        "worst entry",
        errors_by(lambda given, right, least: np.max(abs(given - right) / np.maximum(abs(right), least))),
        "This is the relative error of the worst entry. An entry that happens to be near zero decides it.",
        "Of what is one number to be said: of an entry, or of the leaf?   (step 1)",
    ),
    Mistake(
        "squares",
        errors_by(lambda given, right, least: (size(given - right) / np.maximum(size(right), least)) ** 2),
        "This is the square of the error: the roots are missing.",
        "What is the norm of (3, 4)?   (step 1)",
    ),
    Mistake(
        "beside the largest number",
        errors_by(lambda given, right, least: size(given - right) / np.maximum(np.max(abs(right)), least)),
        "Each leaf was held against its largest number, not against its norm.",
        "By which number is a leaf's size told here?   (steps 1, 3)",
    ),
)


def _told_by(tell: Function) -> Function:
    """Makes a verdict of all errors, as an array in the order of the leaves."""

    def verdicts(errors: Any, tolerance: Any) -> Any:
        leaves, treedef = jax.tree.flatten(errors)
        return jax.tree.unflatten(treedef, list(tell(np.array(leaves), tolerance)))

    return verdicts


def _for_all(verdict: Function) -> Function:
    return lambda errors, tolerance: np.broadcast_to(verdict(errors > tolerance), errors.shape)


WRONG_LEAVES = (
    Mistake(
        "NaN passes",
        _told_by(lambda errors, tolerance: errors > tolerance),
        "A NaN passed: every comparison with NaN is False.",
        "What does your comparison say when the error is NaN?   (step 1)",
    ),
    Mistake(
        "the right ones",
        _told_by(lambda errors, tolerance: errors <= tolerance),
        "This marks the leaves that are right.",
        "True is to mean wrong: what does your comparison mean?   (step 1)",
    ),
    Mistake(
        "just the tolerance",
        _told_by(lambda errors, tolerance: np.logical_not(errors < tolerance)),
        "An error that is just the tolerance was called wrong.",
        "Is a leaf within the tolerance when its error is the tolerance?   (step 1)",
    ),
    Mistake(
        "one for all",
        _told_by(_for_all(np.any)),
        "One wrong leaf made all of them wrong.",
        "Of which leaf is each verdict?   (step 1)",
    ),
    Mistake(
        "all or none",
        _told_by(_for_all(np.all)),
        "No leaf is wrong here unless all are.",
        "Of which leaf is each verdict?   (step 1)",
    ),
    Mistake(
        "the worst alone",
        _told_by(lambda errors, tolerance: (errors == errors.max()) & (errors > tolerance)),
        "Only the worst leaf was called wrong.",
        "Of which leaf is each verdict?   (step 1)",
    ),
)


def gradient_by(stencil: Stencil, moves: Function = lambda numbers: np.eye(numbers.size)) -> Function:
    """Makes the gradient of a tree from a stencil.

    `moves` takes all numbers as a row, and gives for each of them a row: how far every number moves with it.
    """

    def gradient(loss: Function, params: Any, step: Any) -> Any:
        numbers, as_tree = ravel_pytree(params)

        def slope(way: Any) -> Any:
            return slope_by(stencil)(lambda t: loss(as_tree(numbers + t * way)), 0.0, step)

        return as_tree(jnp.asarray(np.array([slope(way) for way in moves(numbers)])))

    return gradient


def never_put_back(loss: Function, params: Any, step: Any) -> Any:
    """Returns the slopes that come out where every number stays where its second nudge took it."""
    numbers, as_tree = ravel_pytree(params)
    count = np.arange(numbers.size)

    def slope(place: Any) -> Any:
        left = numbers - step * (count < place)
        way = 1.0 * (count == place)
        return slope_by(TWO_SIDED)(lambda t: loss(as_tree(left + t * way)), 0.0, step)

    return as_tree(jnp.asarray(np.array([slope(place) for place in count])))


def _leaf_by_leaf(loss: Function, params: Any, step: Any) -> Any:
    """A whole leaf is nudged at a time."""
    leaves, treedef = jax.tree.flatten(params)

    def slope(place: int) -> Any:
        def moved(t: Any) -> Any:
            return loss(jax.tree.unflatten(treedef, [leaf + t * (i == place) for i, leaf in enumerate(leaves)]))

        return slope_by(TWO_SIDED)(moved, 0.0, step) * jnp.ones_like(leaves[place])

    return jax.tree.unflatten(treedef, [slope(place) for place in range(len(leaves))])


def _first_entries(loss: Function, params: Any, step: Any) -> Any:
    """Only the first number of each leaf is nudged; the others get zero."""

    def first(leaf: Any) -> Any:
        return np.reshape(np.arange(np.size(leaf)) == 0, np.shape(leaf))

    kept = jax.tree.map(first, params)
    return jax.tree.map(lambda slope, keep: slope * keep, gradient_by(TWO_SIDED)(loss, params, step), kept)


GRADIENT = (
    Mistake(
        "one-sided",
        gradient_by(ONE_SIDED),
        "Each number was nudged to one side only.",
        "Where is the loss after a nudge downwards?   (step 2)",
    ),
    Mistake(
        "divided by one step",
        gradient_by(TWICE),
        "Each change was divided by half the distance between the two nudges.",
        "How far is it from one nudge to the other?   (step 2)",
    ),
    Mistake(
        "never put back",
        never_put_back,
        "The first slope is right. After that, each number stayed where its nudge had left it.",
        "Where do the numbers before this one stand while it is nudged?   (step 2)",
    ),
    Mistake(
        "leaf by leaf",
        _leaf_by_leaf,
        "All numbers of a leaf were nudged at once: each got the sum of the slopes of its leaf.",
        "How many numbers may move at a time?   (step 2)",
    ),
    Mistake(
        "first entries",
        _first_entries,
        "Only the first number of each leaf was nudged.",
        "How many slopes does an array of shape (2, 3) have?   (step 1)",
    ),
    Mistake(
        "step times the number",
        gradient_by(TWO_SIDED, np.diag),
        "Each nudge was the step times the number, and the change was divided by the step alone.",
        "How far did this number move?   (step 2)",
    ),
)
