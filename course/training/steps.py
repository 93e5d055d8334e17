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
from jax.sharding import Sharding
from jax.tree_util import SequenceKey, keystr

from course.training.demo import Params
from course.training.gradients import ValueAndGrad

Batch = tuple[jax.Array, ...]


class State(NamedTuple):
    """All that a step changes."""

    params: Params
    optimiser: optax.OptState


class Seen(NamedTuple):
    """What is seen of a step: the loss before its update, and the norm of each layer's gradient, by name."""

    loss: jax.Array
    norms: dict[str, jax.Array]


Step = Callable[[State, Batch], tuple[State, Seen]]
Chunk = Callable[..., tuple[State, Seen]]
"""`chunk(state, rows, data) -> (state, seen)`, compiled for a number of steps, which lead in what is seen."""


def make_step(value_and_grad: ValueAndGrad, optimiser: optax.GradientTransformation) -> Step:
    """Makes `step(state, batch) -> (state, seen)`."""

    def step(state: State, batch: Batch) -> tuple[State, Seen]:
        loss, gradient = value_and_grad(state.params, *batch)
        updates, moments = optimiser.update(gradient, state.optimiser, state.params)
        return State(optax.apply_updates(state.params, updates), moments), Seen(loss, norms_by_layer(gradient))

    return step


def in_bfloat16(value_and_grad: ValueAndGrad) -> ValueAndGrad:
    """The same in mixed precision: everything is rounded on its way in, and widened on its way out.

    A bfloat16 has the range of a float32, so that a loss need not be scaled for its gradient not to vanish.

    Source: D. Kalamkar et al., "A Study of BFLOAT16 for Deep Learning Training", 2019, arXiv:1905.12322.
    """

    def mixed(params: Params, *batch: jax.Array) -> tuple[jax.Array, Params]:
        found: tuple[jax.Array, Params] = cast(value_and_grad(*cast((params, *batch), "bfloat16")), "float32")
        return found

    return mixed


def norms_by_layer(gradient: Params) -> dict[str, jax.Array]:
    """The Euclidean norm of each layer's part of a gradient; a layer is named by its path, up to a place in a list."""
    layers: dict[str, list[jax.Array]] = {}
    for path, leaf in jax.tree.leaves_with_path(gradient):
        layers.setdefault(_layer_of(path), []).append(leaf)
    return {name: optax.tree.norm(leaves) for name, leaves in layers.items()}


def _layer_of(path: tuple[Any, ...]) -> str:
    """`blocks[2]` of `blocks[2].attention.w`, and `table` of `table`."""
    places = [place for place, key in enumerate(path) if isinstance(key, SequenceKey)]
    return keystr(path[: places[0] + 1 if places else 1]).lstrip(".")


@partial(jax.jit, static_argnames=("examples", "batch", "steps"))
def draw_batches(
    key: jax.Array, epoch: jax.Array, first: jax.Array, *, examples: int, batch: int, steps: int
) -> jax.Array:
    """Which examples each of some steps of an epoch sees, a row a step, from step `first` on.

    Every epoch has an order of its own, the same in every run with this key.
    """
    order = jax.random.permutation(jax.random.fold_in(key, epoch), examples)
    return jax.lax.dynamic_slice_in_dim(order, first * batch, steps * batch).reshape(steps, batch)


def make_chunk(step: Step, where: Sharding | None = None) -> Any:
    """Makes `chunk(state, rows, data) -> (state, seen)`: one program that takes a step for each row of examples.

    What it returns lies `where` it is said to, by default where JAX chooses.

    It reuses the memory of the state that it is given: that state is gone afterwards.
    """

    def chunk(state: State, rows: jax.Array, data: Batch) -> tuple[State, Seen]:
        return jax.lax.scan(lambda state, row: step(state, tuple(array[row] for array in data)), state, rows)

    return jax.jit(chunk, donate_argnames="state", out_shardings=where)


def init_state(params: Params, optimiser: optax.GradientTransformation) -> State:
    """The state before the first step."""
    return State(params, optimiser.init(params))


def cast(tree: Params, dtype: str) -> Params:
    """Gives every floating-point array of a tree a type, and puts all on the device."""
    return jax.tree.map(lambda leaf: jnp.asarray(leaf, dtype) if _is_floating(leaf) else jnp.asarray(leaf), tree)


def _is_floating(leaf: jax.Array) -> bool:
    return jnp.issubdtype(leaf.dtype, jnp.floating)
