"""One step of training, and many of them as one compiled program. Everything here is pure.

loss, gradient = value_and_grad(params, *batch)
params         = params + update(gradient)
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from course.training.demo import Params
from course.training.gradients import ValueAndGrad

Batch = tuple[jax.Array, ...]


class State(NamedTuple):
    """All that a step changes."""

    params: Params
    optimiser: optax.OptState


Step = Callable[[State, Batch], tuple[State, jax.Array]]
Chunk = Callable[..., tuple[State, jax.Array]]
"""`chunk(state, rows, data) -> (state, losses)`, compiled for a number of steps."""


def make_step(value_and_grad: ValueAndGrad, optimiser: optax.GradientTransformation) -> Step:
    """Makes `step(state, batch) -> (state, loss)`; the loss is the one before the update."""

    def step(state: State, batch: Batch) -> tuple[State, jax.Array]:
        loss, gradient = value_and_grad(state.params, *batch)
        updates, moments = optimiser.update(gradient, state.optimiser, state.params)
        return State(optax.apply_updates(state.params, updates), moments), loss

    return step


@partial(jax.jit, static_argnames=("examples", "batch", "steps"))
def draw_batches(
    key: jax.Array, epoch: jax.Array, first: jax.Array, *, examples: int, batch: int, steps: int
) -> jax.Array:
    """Which examples each of some steps of an epoch sees, a row a step, from step `first` on.

    Every epoch has an order of its own, the same in every run with this key.
    """
    order = jax.random.permutation(jax.random.fold_in(key, epoch), examples)
    return jax.lax.dynamic_slice_in_dim(order, first * batch, steps * batch).reshape(steps, batch)


def make_chunk(step: Step) -> Any:
    """Makes `chunk(state, rows, data) -> (state, losses)`: one program that takes a step for each row of examples.

    It reuses the memory of the state that it is given: that state is gone afterwards.
    """

    def chunk(state: State, rows: jax.Array, data: Batch) -> tuple[State, jax.Array]:
        return jax.lax.scan(lambda state, row: step(state, tuple(array[row] for array in data)), state, rows)

    return jax.jit(chunk, donate_argnames="state")


def init_state(params: Params, optimiser: optax.GradientTransformation) -> State:
    """The state before the first step."""
    return State(params, optimiser.init(params))


def cast(tree: Params, dtype: str) -> Params:
    """Gives every floating-point array of a tree a type, and puts all on the device."""
    return jax.tree.map(lambda leaf: jnp.asarray(leaf, dtype) if _is_floating(leaf) else jnp.asarray(leaf), tree)


def _is_floating(leaf: jax.Array) -> bool:
    return jnp.issubdtype(leaf.dtype, jnp.floating)
