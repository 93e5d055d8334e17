"""Trains by hand and by JAX side by side, without a word: for whoever shows it in their own way."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from course.training.demo import Demo, Settings
from course.training.gradients import ValueAndGrad, by_hand, by_jax
from course.training.loop import Run, Training
from course.training.results import HAND, JAX, Ratio, Results, ratio_of, results_of


def train_both(
    demo: Demo,
    fwd: Callable[..., Any],
    bwd: Callable[..., Any],
    *,
    steps: int | None = None,
    on_progress: Callable[[Run], None] = lambda run: None,
) -> Results:
    """Trains a demo twice from the same start, on a hand-written pair and on `jax.value_and_grad`.

    Args:
        demo: What to train.
        fwd: `fwd(params, *batch) -> (loss, residuals)`.
        bwd: `bwd(residuals, loss_bar) -> (params_bar, ...)`.
        steps: How many; by default the demo's own number.
        on_progress: Told of the run before its first step, when all is compiled, and after each chunk.

    Raises:
        Diverged: One of the two has lost its way.
    """
    return train({HAND: by_hand(fwd, bwd), JAX: by_jax(demo.loss)}, demo, steps=steps, on_progress=on_progress)


def train_by_jax(
    demo: Demo, *, steps: int | None = None, on_progress: Callable[[Run], None] = lambda run: None
) -> Results:
    """Trains a demo on `jax.value_and_grad` alone, where there is no pair."""
    return train({JAX: by_jax(demo.loss)}, demo, steps=steps, on_progress=on_progress)


def train(
    gradients: Mapping[str, ValueAndGrad],
    demo: Demo,
    *,
    steps: int | None = None,
    on_progress: Callable[[Run], None] = lambda run: None,
) -> Results:
    """Trains a demo on some gradients to the end, and sums up."""
    return results_of(*_trained(gradients, demo, steps, on_progress))


def race(demo: Demo, fwd: Callable[..., Any], bwd: Callable[..., Any], *, steps: int) -> Ratio:
    """The time of a step by hand over that of a step by JAX, with nothing else summed up.

    Raises:
        Diverged: One of the two has lost its way.
    """
    _, run = _trained({HAND: by_hand(fwd, bwd), JAX: by_jax(demo.loss)}, demo, steps, lambda run: None)
    return ratio_of(run.tracks[HAND].seconds, run.tracks[JAX].seconds)


def _trained(
    gradients: Mapping[str, ValueAndGrad], demo: Demo, steps: int | None, on_progress: Callable[[Run], None]
) -> tuple[Training, Run]:
    settings: Settings = dataclasses.replace(demo.settings, steps=steps or demo.settings.steps)
    training = Training(demo, settings, gradients, demo.read_data())
    run = training.start()
    training.prepare(run)
    on_progress(run)
    while run.step < settings.steps:
        run = training.advance(run)
        on_progress(run)
    return training, run
