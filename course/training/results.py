"""What a run gave, in numbers: the curves, the difference between two of them, the time of a step, the score."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from course.show.plots import Level, TrainingCurves
from course.training.demo import MIXED, Demo, Settings
from course.training.loop import Run, Training

HAND, JAX = "hand", "jax"
LABELS = {HAND: "by hand", JAX: "jax.value_and_grad"}

_ROUNDING = {"float64": 1e-10, "float32": 1e-5, MIXED: 1e-2}
"""The largest difference between two curves, over the first loss, that is called rounding."""


@dataclass(frozen=True)
class Difference:
    """The largest difference between two curves, after which step, and whether it is rounding."""

    largest: float
    step: int
    rounding: bool


@dataclass(frozen=True)
class Ratio:
    """The time of a step by hand over that of a step by JAX: quartiles over `turns` in which each ran a chunk."""

    low: float
    median: float
    high: float
    turns: int


@dataclass(frozen=True)
class Results:
    """What a run of one gradient or two gave; each mapping is by gradient, `HAND` or `JAX`.

    `scores` are on the test data, and `sample` is what was learned, in a line, after the last step.
    """

    demo: Demo
    settings: Settings
    curves: Mapping[str, TrainingCurves]
    scores: Mapping[str, float]
    difference: Difference | None
    ratio: Ratio | None
    level: Level | None = None
    sample: str = ""


def results_of(training: Training, run: Run) -> Results:
    """Sums a run up."""
    scores = {name: metrics[training.demo.score.metric] for name, metrics in training.test(run).items()}
    between = training.steps_between_looks
    curves = {
        name: TrainingCurves(
            label=LABELS[name],
            losses=np.asarray(track.losses),
            scores=np.asarray((*track.scores, scores[name]) if run.step % between else track.scores),
            score_steps=np.asarray([*range(between, run.step, between), run.step]),
            step_seconds=float(np.median(track.seconds)),
            norms={layer: np.asarray(norms) for layer, norms in track.norms.items()},
        )
        for name, track in run.tracks.items()
    }
    level = training.demo.level(training.splits) if training.demo.level else None
    difference = ratio = None
    if set(curves) == {HAND, JAX}:
        difference = difference_of(curves[HAND].losses, curves[JAX].losses, training.settings.dtype)
        ratio = ratio_of(run.tracks[HAND].seconds, run.tracks[JAX].seconds)
    sample = training.sample(run)
    return Results(training.demo, training.settings, curves, scores, difference, ratio, level, sample)


def difference_of(hand: np.ndarray, jax: np.ndarray, dtype: str) -> Difference:
    """Where two loss curves are furthest apart."""
    apart = np.abs(hand - jax)
    place = int(apart.argmax())
    largest = float(apart[place])
    return Difference(largest, place + 1, bool(largest <= _ROUNDING[dtype] * abs(jax[0])))


def ratio_of(hand: tuple[float, ...], jax: tuple[float, ...]) -> Ratio:
    """Compares times turn by turn, so that what slowed one turn slowed both."""
    low, median, high = np.percentile(np.divide(hand, jax), [25, 50, 75])
    return Ratio(float(low), float(median), float(high), len(hand))
