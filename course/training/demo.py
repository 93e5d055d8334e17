"""What there is to train: a demo is a frozen record of pure functions, its data and its settings."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import optax

from course.training import DEMOS
from course.training.data import Splits

Params = Any
"""A pytree of arrays."""

Metrics = dict[str, jax.Array]
"""Numbers by name; each demo has a "loss"."""


@dataclass(frozen=True)
class Settings:
    """What can be chosen for a run: two runs with the same settings give the same numbers.

    `steps` are updates of the parameters, `batch` examples a step, `lr` the learning rate per step, and `dtype` the
    floating-point type of data and parameters.
    """

    steps: int
    batch: int
    lr: float
    seed: int = 0
    dtype: str = "float32"

    @property
    def wide(self) -> bool:
        """Whether numbers have 64 bits, which JAX must be told."""
        return self.dtype == "float64"


@dataclass(frozen=True)
class Demo:
    """A network, its real data, and the answer that it is trained on.

    Attributes:
        name: As on the command line.
        title: What is trained on what, in one phrase.
        exercise: The exercise whose pair gives the gradient by hand, `lesson.name`.
        loss: The primal of that pair, `loss(params, *batch)`.
        init: Draws the parameters from a key.
        read_data: Reads the data as NumPy arrays.
        metrics: `metrics(params, *examples)`, the loss among them.
        score: The metric that people quote, in [0, 1].
        aim: What the score on the test data is with the default settings, at least.
        optimiser: Makes the optimiser from a learning rate.
        settings: The default ones.
        chunk_steps: The most steps that are run between two looks at the keyboard, well under a second's worth.
    """

    name: str
    title: str
    exercise: str
    loss: Callable[..., jax.Array]
    init: Callable[[jax.Array], Params]
    read_data: Callable[[], Splits]
    metrics: Callable[..., Metrics]
    score: str
    aim: float
    optimiser: Callable[[float], optax.GradientTransformation]
    settings: Settings
    chunk_steps: int


def find_demo(name: str) -> Demo:
    """Looks a demo up by its name on the command line."""
    demo: Demo = importlib.import_module(DEMOS[name]).DEMO
    return demo
