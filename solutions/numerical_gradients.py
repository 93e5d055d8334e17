"""Answers to `numerical_gradients`: slopes from values alone, and checks of a gradient that is made elsewhere."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float, PyTree

import course


def forward_difference(
    f: Callable[..., Float[Array, ""]], x: Float[Array, ""] | float, step: float
) -> Float[Array, ""]:
    """Returns about the slope of f at x, from the values at x and one step further."""
    # 1. By how much does the value change, for each 1 that x moves?
    return (f(x + step) - f(x)) / step


def central_difference(
    f: Callable[..., Float[Array, ""]], x: Float[Array, ""] | float, step: float
) -> Float[Array, ""]:
    """Returns about the slope of f at x, from the values one step to the right and one to the left."""
    # 1. By how much does the value change from left to right, and how far is it from left to right?
    return (f(x + step) - f(x - step)) / (2 * step)


def complex_step(f: Callable[..., Array], x: Float[Array, ""] | float, step: float) -> Float[Array, ""]:
    """Returns about the slope of f at x, from one value a step beside x, along the imaginary axis."""
    # 1. Where does f have to be asked?
    y = f(x + 1j * step)
    # 2. Which part of the result holds the slope, and times what?
    return jnp.imag(y) / step


def directional_check(
    loss: Callable[[PyTree], Float[Array, ""]], params: PyTree, params_bar: PyTree, direction: PyTree, step: float
) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """Returns the slope of the loss along a direction, as it is found, and as params_bar claims it."""

    # 1. Where is each number, when the whole tree has gone t times the direction?
    def loss_at(t: float) -> Float[Array, ""]:
        return loss(jax.tree.map(lambda p, d: p + t * d, params, direction))

    # 2. That is a function of one number. Which of your answers gives its slope at t = 0?
    found = central_difference(loss_at, 0.0, step)
    # 3. One number moves by its part of the direction, the loss its slope times as far. And all of them?
    shares = jax.tree.map(lambda bar, d: jnp.sum(bar * d), params_bar, direction)
    claimed = jnp.sum(jnp.array(jax.tree.leaves(shares)))
    return found, claimed


def relative_errors(params_bar: PyTree, right: PyTree, floor: float) -> PyTree:
    """Returns for each leaf the norm of its error, relative to the right leaf's norm.

    A right leaf whose norm is below floor times the norm of the whole right tree counts as if it had that norm.
    """

    # 1. How large is a leaf, in one number?
    def norm(leaf: Float[Array, "..."]) -> Float[Array, ""]:
        return jnp.sqrt(jnp.sum(leaf**2))

    # 2. And the whole tree?
    least = floor * jnp.sqrt(sum(jnp.sum(leaf**2) for leaf in jax.tree.leaves(right)))
    # 3. How far is a leaf from the right one, and beside what is that small or large?
    return jax.tree.map(lambda given, r: norm(given - r) / jnp.maximum(norm(r), least), params_bar, right)


def wrong_leaves(errors: PyTree, tolerance: float) -> PyTree:
    """Returns for each error whether its leaf is wrong: True, unless the error is at most the tolerance."""
    # 1. Which comparison is True for an error that may pass, and for no other?
    return jax.tree.map(lambda error: jnp.logical_not(error <= tolerance), errors)


def central_gradient(loss: Callable[[PyTree], Float[Array, ""]], params: PyTree, step: float) -> PyTree:
    """Returns the slope of the loss by every number of a tree, in a tree of the same form."""
    # 1. How do all numbers become one row, and a row a tree again?
    numbers, as_tree = ravel_pytree(params)

    # 2. The loss with number i set to t, the others where they are: which slope of it is wanted?
    def slope(i: int) -> Float[Array, ""]:
        return central_difference(lambda t: loss(as_tree(numbers.at[i].set(t))), numbers[i], step)

    # 3. In which form must the slopes be handed back?
    return as_tree(jnp.array([slope(i) for i in range(numbers.size)]))


course.answer("numerical_gradients.q1", (10.0, 100.0))
course.answer("numerical_gradients.q2", (0.03125, 0.0992))
course.answer("numerical_gradients.q3", 287.0)
course.answer("numerical_gradients.q4", "c")
course.answer("numerical_gradients.q5", "b0")
course.answer(
    "numerical_gradients.text",
    """In float32 two values so close together share nearly all their digits, and what is left of the difference is
rounding. Divided by 1e-7 it is larger than most slopes, so this check would fail for a right gradient too. I
would take float64 and central differences with a step of about eps**(1/3), at random parameters and along a
random direction: at zeros many mistakes don't show, and relu has its kink there. The error I would compare with
the norm of each leaf. And if it passes, forward may still be wrong together with backward.""",
)
