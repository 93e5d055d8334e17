"""One model's ways to train, checked against each other and then timed in turn."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from benchmarks.training import in_torch
from benchmarks.training.models import Model
from course.comparison.counting import count
from course.training.gradients import ValueAndGrad, by_hand, by_jax

ROUNDS = 15
"""Visits to each way, in turn; the ratio is taken within a round."""

VISIT = 0.1
"""Seconds that a visit takes, about."""

CHECKED, APART = 3, 1e-4
"""Steps that are taken first, and the largest relative difference of their losses: float32, and other kernels."""

LR = 1e-3

SIDE = 1024
"""Rows and columns of the matrices whose product is called the peak."""

Trainer = Callable[[int], list[float]]
"""`trainer(steps) -> losses`: takes steps, and waits until they are done."""


def measure(model: Model) -> dict[str, Any]:
    """Seconds per step of every way, by round, and the FLOPs of loss and gradient by hand.

    Raises:
        ValueError: Two ways don't give the same losses.
    """
    ways = _ways(model)
    losses = {name: way(CHECKED) for name, way in ways.items()}
    for name, found in losses.items():
        if not np.allclose(found, losses["hand"], rtol=APART):
            raise ValueError(f"{model.name}: {name} has the losses {found}, by hand they are {losses['hand']}")
    steps = {name: _steps_of_a_visit(way) for name, way in ways.items()}
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(ROUNDS):
        for name in sorted(ways, reverse=bool(turn % 2)):
            seconds[name].append(_cpu_seconds(ways[name], steps[name]))
    flops = count(by_hand(*model.pair), model.params, *model.batch).flops
    return {"name": model.name, "expected": model.expected, "seconds": seconds, "flops": flops}


def peak() -> float:
    """GFLOP/s of a product of two large matrices in float32, on this thread: the best of some."""
    a = jnp.ones((SIDE, SIDE), jnp.float32)
    product = jax.jit(jnp.matmul)
    jax.block_until_ready(product(a, a))
    times = []
    for _ in range(20):
        begun = time.process_time()
        jax.block_until_ready(product(a, a))
        times.append(time.process_time() - begun)
    return 2e-9 * SIDE**3 / min(times)


def _ways(model: Model) -> Mapping[str, Trainer]:
    ways = {"hand": _in_jax(model, by_hand(*model.pair)), "plain": _in_jax(model, by_jax(model.loss))}
    if model.best:
        ways["best"] = _in_jax(model, by_jax(model.best))
    if model.torch and in_torch.installed():
        ways["torch"] = in_torch.eager(model.torch(model.params, model.batch, LR))
        ways["compiled"] = in_torch.compiled(model.torch(model.params, model.batch, LR))
    return ways


def _in_jax(model: Model, value_and_grad: ValueAndGrad) -> Trainer:
    """Trains by one jitted step, which takes the memory of the state it is given."""
    optimiser = optax.adam(LR)

    def step(params: Any, moments: Any, batch: Any) -> Any:
        loss, gradient = value_and_grad(params, *batch)
        updates, moments = optimiser.update(gradient, moments, params)
        return optax.apply_updates(params, updates), moments, loss

    compiled = jax.jit(step, donate_argnums=(0, 1))
    params = jax.tree.map(jnp.copy, model.params)
    state = [params, optimiser.init(params)]

    def train(steps: int) -> list[float]:
        losses = []
        for _ in range(steps):
            *state[:], loss = compiled(*state, model.batch)
            losses.append(loss)
        return [float(loss) for loss in losses]

    return train


def _steps_of_a_visit(way: Trainer) -> int:
    way(3)
    return max(1, round(VISIT / _cpu_seconds(way, 3)))


def _cpu_seconds(way: Trainer, steps: int) -> float:
    """Per step."""
    begun = time.process_time()
    way(steps)
    return (time.process_time() - begun) / steps
