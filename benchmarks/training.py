"""A training step on the pair of `solutions/` against one on `jax.value_and_grad`: same network, data and optimiser."""

from __future__ import annotations

import dataclasses
import time

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.tables import quartiles, table
from course.lessons.mlp import init_mlp
from course.training.demo import Demo, Settings, find_demo
from course.training.gradients import by_hand, by_jax
from course.training.pair import find_pair
from course.training.results import HAND, JAX
from course.training.steps import Batch, Chunk, State, cast, draw_batches, init_state, make_chunk, make_step

ROUNDS = 15
"""Visits to each of the two, in turn; the ratio is taken within a round."""

STEPS = 18
"""Updates in one program: an epoch of the digits at the demo's batch."""

SIZES = {"64-128-64-10": (64, 128, 64, 10), "64-512-512-10": (64, 512, 512, 10)}
AIM = 1.03


SAYS = f"""\
## A training step

The pair of `solutions/mlp.py` against `jax.value_and_grad` of the primal, in turn, a program of {STEPS} steps a visit,
{ROUNDS} visits each. CPU time per step, median; ratios round by round, with quartiles. Aim: at most {AIM}. Expected:
1.0, since both run the same matrix products."""


def run() -> str:
    """Times both on the demo's network and on a wider one, in both precisions."""
    demo = find_demo("mlp")
    rows = []
    for name, sizes in SIZES.items():
        for dtype in ("float32", "float64"):
            settings = dataclasses.replace(demo.settings, dtype=dtype)
            rows.append([f"{name}, {dtype}", *_measure(_resized(demo, sizes), settings)])
    header = ["network, batch 64, Adam", "by hand, µs", "`jax.value_and_grad`, µs", "hand / jax, CPU time", "wall"]
    return f"{SAYS}\n\n{table(header, rows)}"


def _resized(demo: Demo, sizes: tuple[int, ...]) -> Demo:
    return dataclasses.replace(demo, init=lambda key: init_mlp(key, sizes))


def _measure(demo: Demo, settings: Settings) -> list[str]:
    gradients = {HAND: by_hand(*find_pair(demo).functions), JAX: by_jax(demo.loss)}
    optimiser = demo.optimiser(settings.lr)
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in gradients}
    with jax.enable_x64(settings.wide):
        data = cast(demo.read_data().train, settings.dtype)
        key = jax.random.key(settings.seed)
        params = cast(demo.init(key), settings.dtype)
        programs = {name: make_chunk(make_step(way, optimiser)) for name, way in gradients.items()}
        states = {name: init_state(jax.tree.map(jnp.copy, params), optimiser) for name in gradients}
        for turn in range(ROUNDS + 1):
            for name in sorted(gradients, reverse=bool(turn % 2)):
                rows = draw_batches(
                    key, np.int32(turn), np.int32(0), examples=len(data[0]), batch=settings.batch, steps=STEPS
                )
                states[name], seconds = _visit(programs[name], states[name], rows, data)
                taken[name].append(seconds)
    hand, by_autodiff = (np.array(taken[name][1:]) / STEPS for name in (HAND, JAX))
    ratios = hand / by_autodiff
    return [
        f"{1e6 * np.median(hand[:, 0]):.0f}",
        f"{1e6 * np.median(by_autodiff[:, 0]):.0f}",
        quartiles(ratios[:, 0]),
        quartiles(ratios[:, 1]),
    ]


def _visit(program: Chunk, state: State, rows: jax.Array, data: Batch) -> tuple[State, tuple[float, float]]:
    """Runs one program: the state after it, and its CPU and wall time in seconds."""
    jax.block_until_ready(rows)
    cpu, wall = time.process_time(), time.perf_counter()
    state, losses = program(state, rows, data)
    jax.block_until_ready((state, losses))
    return state, (time.process_time() - cpu, time.perf_counter() - wall)
