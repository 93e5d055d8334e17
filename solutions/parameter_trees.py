"""Answers to `parameter_trees`: a pass whose cotangent is a tree, and what training does with trees."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key, PyTree

import course
from course.lessons.parameter_trees import Layer, Line, LineResiduals, line_loss_fwd


def line_loss_bwd(residuals: LineResiduals, loss_bar: Float[Array, ""]) -> tuple[Line, None, None]:
    """Returns the gradient of the line; x and target are data and get None."""
    x, error = residuals  # what stood beside the slope, and where all starts: no cotangent asks for the line
    # 1. How does the loss move with the error of one row, and the final result with the loss?
    error_bar = loss_bar * error / len(error)
    # 2. Every row used the same slope: with what beside it? Used many times: what follows?
    slope_bar = jnp.sum(error_bar * x)
    # 3. And the same bias: with what beside it?
    bias_bar = jnp.sum(error_bar)
    return Line(slope_bar, bias_bar), None, None


def descend(params: PyTree, params_bar: PyTree, learning_rate: float) -> PyTree:
    """Returns the parameters after one step of gradient descent, in a tree of the same form."""
    # 1. A number whose slope is positive should go which way, and how far?
    return jax.tree.map(lambda p, p_bar: p - learning_rate * p_bar, params, params_bar)


def tree_norm(tree: PyTree) -> Float[Array, ""]:
    """Returns the length of a whole tree: as if all its numbers stood in one row."""
    # 1. What does one leaf contribute, of whatever shape it is?
    squares = [jnp.sum(leaf**2) for leaf in jax.tree.leaves(tree)]
    # 2. What is done once for all leaves, and not leaf by leaf?
    return jnp.sqrt(sum(squares))


def init_layers(key: Key[Array, ""], sizes: Sequence[int]) -> list[Layer]:
    """Returns a layer from each size to the next: w of variance 2 / d_in, by a key of its own, b zero."""
    # 1. How many layers are there, and how does each get a key of its own, in order?
    keys = jax.random.split(key, len(sizes) - 1)

    # 2. normal() draws numbers of variance 1. What must they be multiplied by?
    def layer(layer_key: Key[Array, ""], d_in: int, d_out: int) -> Layer:
        return Layer(jax.random.normal(layer_key, (d_in, d_out)) * jnp.sqrt(2 / d_in), jnp.zeros(d_out))

    # 3. Which two sizes does layer i stand between?
    return [layer(keys[i], sizes[i], sizes[i + 1]) for i in range(len(keys))]


def fit_line(
    params: Line, x: Float[Array, "batch"], target: Float[Array, "batch"], learning_rate: float, steps: int
) -> tuple[Line, Float[Array, "steps"]]:
    """Returns the line after so many steps of gradient descent, and the loss before each of them."""

    # 1. One step takes the line to the next one. What does it put on record besides?
    def step(now: Line, _: None) -> tuple[Line, Float[Array, ""]]:
        loss, residuals = line_loss_fwd(now, x, target)
        now_bar, _, _ = line_loss_bwd(residuals, jnp.ones_like(loss))
        return descend(now, now_bar, learning_rate), loss

    # 2. Which line comes first, and how often is the step taken?
    return jax.lax.scan(step, params, length=steps)


course.answer("parameter_trees.q1", 5)
course.answer("parameter_trees.q2", 2.0)
course.answer("parameter_trees.q3", "b")
course.answer("parameter_trees.q4", "a0")
course.answer(
    "parameter_trees.text",
    """A step of descent, the length of the gradient, a step along a direction: each is one operation on one array. But
the numbers have lost their names, so that a wrong gradient doesn't say which layer is wrong, and their shapes:
somebody keeps by hand where to cut, and a cut that is one off raises no error, since any number fits anywhere.
And it is hardly needed: jax.tree.map does the same to every leaf of a tree, and ravel_pytree makes a row and
undoes it.""",
)
