"""What there is to train: a demo is a frozen record of pure functions, its data and its settings."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import optax

from course.show.plots import Level, Scale
from course.training import DEMOS
from course.training.data import Splits

Params = Any
"""A pytree of arrays."""

TwoFunctions = tuple[Callable[..., Any], Callable[..., Any]]
"""A pair: forward, backward."""

Metrics = dict[str, jax.Array]
"""Numbers by name; each demo has a "loss"."""


MIXED = "mixed"
"""Parameters, data and the optimiser in float32, loss and gradient computed in bfloat16."""


@dataclass(frozen=True)
class Settings:
    """What can be chosen for a run: two runs with the same settings give the same numbers.

    `steps` are updates of the parameters, `batch` examples a step, `lr` the learning rate per step, and `dtype` the
    floating-point type of data and parameters, or MIXED.
    """

    steps: int
    batch: int
    lr: float
    seed: int = 0
    dtype: str = "float32"

    @property
    def kept(self) -> str:
        """The type in which parameters and data are kept."""
        return "float32" if self.dtype == MIXED else self.dtype

    @property
    def wide(self) -> bool:
        """Whether numbers have 64 bits, which JAX must be told."""
        return self.dtype == "float64"


@dataclass(frozen=True)
class Score:
    """The number that people quote, and what it is on the test data with the default settings.

    Attributes:
        metric: Its name among the demo's metrics.
        scale: How it is told.
        aim: What it reaches, at least or, where `less` is better, at most.
        less: Whether less is better.
    """

    metric: str
    scale: Scale
    aim: float
    less: bool = False

    def reached(self, value: float) -> bool:
        """Whether a value is as good as was stated."""
        return value <= self.aim if self.less else value >= self.aim


PERCENT_RIGHT = Scale("accuracy", "%", 100)
BITS = Scale("cross-entropy", "bits per character")


def rows_of(*batch: jax.Array) -> int:
    """How many examples there are."""
    return len(batch[0])


def adam(settings: Settings) -> optax.GradientTransformation:
    """Adam, with the same learning rate at every step."""
    return optax.adam(settings.lr)


def in_bits(loss: Callable[..., jax.Array]) -> Callable[..., Metrics]:
    """The metrics of a mean over characters: the loss in nats and in bits."""

    def metrics(params: Params, *examples: jax.Array) -> Metrics:
        value = loss(params, *examples)
        return {"loss": value, "bits": value / jnp.log(2)}

    return metrics


def the_pair_itself(pair: TwoFunctions) -> TwoFunctions:
    """For a demo whose loss is what its one exercise asks."""
    return pair


@dataclass(frozen=True)
class Demo:
    """A network, its real data, and the answers that it is trained on.

    Attributes:
        name: As on the command line.
        title: What is trained on what, in one phrase.
        exercises: Those whose pairs give the gradient by hand, `lesson.name`.
        loss: The primal of the pair, `loss(params, *batch)`, a mean over what is counted.
        init: Draws the parameters from a key.
        read_data: Reads the data as NumPy arrays.
        metrics: `metrics(params, *examples)`, the loss among them.
        score: The metric that people quote.
        settings: The default ones.
        chunk_steps: The most steps that are run between two looks at the keyboard, well under a second's worth.
        optimiser: Makes the optimiser from the settings; by default Adam.
        assemble: Makes of the exercises' pairs, in order, the pair of the loss.
        counted: How many things the loss of a batch is a mean over, `counted(*batch)`; by default its examples.
        level: A score to compare with, of something simpler on the same data.
        sample: Shows what was learned, in one line of text, `sample(params, key)`; " / " stands for a line's end.
        steps_between_looks: After how many steps the test data are looked at; by default once an epoch.
    """

    name: str
    title: str
    exercises: Sequence[str]
    loss: Callable[..., jax.Array]
    init: Callable[[jax.Array], Params]
    read_data: Callable[[], Splits]
    metrics: Callable[..., Metrics]
    score: Score
    settings: Settings
    chunk_steps: int
    optimiser: Callable[[Settings], optax.GradientTransformation] = adam
    assemble: Callable[..., TwoFunctions] = the_pair_itself
    counted: Callable[..., jax.Array | int] = rows_of
    level: Callable[[Splits], Level] | None = None
    sample: Callable[[Params, jax.Array], str] | None = None
    steps_between_looks: int | None = None


def find_demo(name: str) -> Demo:
    """Looks a demo up by its name on the command line."""
    demo: Demo = importlib.import_module(DEMOS[name]).DEMO
    return demo
