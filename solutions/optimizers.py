"""Answers to `optimizers`: momentum, Nesterov, RMSProp, Adam and AdamW as (init, update), and a schedule."""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PyTree

import course
from course.lessons.optimizers import AdamState


def momentum_init(params: PyTree) -> Any:
    """Returns the state before the first step."""
    # 1. What is carried from step to step, of which form, and what is it before any gradient came?
    return jax.tree.map(jnp.zeros_like, params)


def momentum_update(grads: PyTree, state: Any, params: PyTree, rate: float, decay: float) -> tuple[PyTree, Any]:
    """Returns (updates, state)."""
    # 1. Every gradient in the sum ages by one step, and a new one comes. What is the new sum, given the old one?
    state = jax.tree.map(lambda grad, total: grad + decay * total, grads, state)  # the sum is all that is kept
    # 2. Which way, and how far, does each number go?
    return jax.tree.map(lambda total: -rate * total, state), state


def nesterov_init(params: PyTree) -> Any:
    """Returns the state before the first step."""
    # 1. Does it carry anything that momentum does not?
    return momentum_init(params)


def nesterov_update(grads: PyTree, state: Any, params: PyTree, rate: float, decay: float) -> tuple[PyTree, Any]:
    """Returns (updates, state)."""
    # 1. Which part of momentum stays as it is?
    _, state = momentum_update(grads, state, params, rate, decay)  # the same sum as momentum's
    # 2. If the same gradient came once more, what would the sum be a step later? That is stepped along now.
    return jax.tree.map(lambda grad, total: -rate * (grad + decay * total), grads, state), state


def rmsprop_init(params: PyTree) -> Any:
    """Returns the state before the first step."""
    # 1. What is carried from step to step, of which form, and what is it before any gradient came?
    return jax.tree.map(jnp.zeros_like, params)


def rmsprop_update(
    grads: PyTree, state: Any, params: PyTree, rate: float, decay: float, epsilon: float
) -> tuple[PyTree, Any]:
    """Returns (updates, state)."""
    # 1. A running mean keeps the part `decay` of what it was. Of what is it a mean, and what part does the new one get?
    state = jax.tree.map(lambda grad, square: decay * square + (1 - decay) * grad**2, grads, state)
    # 2. By what is each gradient divided, so that its unit cancels? Where does epsilon stand, so that 0 / 0 can't be?
    updates = jax.tree.map(lambda grad, square: -rate * grad / (jnp.sqrt(square) + epsilon), grads, state)
    return updates, state  # the mean of squares, not its root: means of roots are something else


def adam_init(params: PyTree) -> AdamState:
    """Returns the state before the first step."""
    # 1. Two means are carried, and something that says how much weight they have gathered. What are they at first?
    zeros = jax.tree.map(jnp.zeros_like, params)
    return AdamState(jnp.zeros((), int), zeros, zeros)


def adam_update(
    grads: PyTree, state: AdamState, params: PyTree, rate: float, decay1: float, decay2: float, epsilon: float
) -> tuple[PyTree, AdamState]:
    """Returns (updates, state)."""
    # 1. How many gradients will the means hold after this step?
    count = state.count + 1  # kept because the weights' sums follow from it alone
    # 2. How do the two running means go on, that of the gradients and that of their squares?
    mean = jax.tree.map(lambda grad, mean: decay1 * mean + (1 - decay1) * grad, grads, state.mean)
    square = jax.tree.map(lambda grad, square: decay2 * square + (1 - decay2) * grad**2, grads, state.square)
    # 3. What do the weights of each mean sum to after `count` steps? Divide by it, but where?
    weight1, weight2 = 1 - decay1**count, 1 - decay2**count
    updates = jax.tree.map(
        lambda mean, square: -rate * (mean / weight1) / (jnp.sqrt(square / weight2) + epsilon), mean, square
    )
    # 4. Which means go into the next state: with the division, or without it?
    return updates, AdamState(count, mean, square)


def adamw_init(params: PyTree) -> AdamState:
    """Returns the state before the first step."""
    # 1. Does the decay have to remember anything?
    return adam_init(params)


def adamw_update(
    grads: PyTree,
    state: AdamState,
    params: PyTree,
    rate: float,
    decay1: float,
    decay2: float,
    epsilon: float,
    weight_decay: float,
) -> tuple[PyTree, AdamState]:
    """Returns (updates, state)."""
    # 1. What is Adam's step, if it never hears of the decay?
    updates, state = adam_update(grads, state, params, rate, decay1, decay2, epsilon)  # nothing more is kept
    # 2. Which way does decay move a parameter, and is that step scaled by the rate as well?
    return jax.tree.map(lambda step, p: step - rate * weight_decay * p, updates, params), state


def warmup_cosine(step: Int[Array, "*steps"], peak: float, warmup: int, steps: int) -> Float[Array, "*steps"]:
    """Returns the rate of a step, or of each of an array of steps: up to `peak` in a line, down to 0 along a cosine."""
    # 1. On the line from (0, 0) to (warmup, peak): how high is it at `step`?
    rising = peak * step / jnp.maximum(warmup, 1)
    # 2. What part of the way from the peak to the end has been gone, and what is it beyond the end?
    part = jnp.clip((step - warmup) / (steps - warmup), 0, 1)
    # 3. A cosine that is 1 where the part is 0, and -1 where it is 1: how does it become 1 and 0?
    falling = peak * (1 + jnp.cos(jnp.pi * part)) / 2
    # 4. Which of the two holds at which step?
    return jnp.where(step < warmup, rising, falling)


course.answer("optimizers.q1", (3.16, 1.0))
course.answer("optimizers.q2", (0, 4, 8))
course.answer("optimizers.q3", (0.951, 0.537))
course.answer("optimizers.q4", "b0")
course.answer(
    "optimizers.text",
    """With the squares in the loss, 0.01 * w is a part of the gradient. It goes through both means of Adam and is
divided by the root of the mean of squares: a weight whose gradients are large is hardly pulled to zero, one
whose gradients are tiny moves by nearly the whole rate. AdamW leaves the gradient alone and takes rate * 0.01 *
w off each weight, large gradients or small. So the number means something else and must be looked for anew.
Only in plain gradient descent are the two ways the same step.""",
)
