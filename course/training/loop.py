"""Training a chunk at a time: from one record of a run to the next.

Several gradients may be trained side by side, from the same start on the same batches. They take turns chunk by chunk,
so that whatever else the machine does meanwhile slows them all alike.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import jax
import numpy as np
import optax
from jax.sharding import Mesh, NamedSharding

from course.training import TrainingError
from course.training.data import Examples, Splits
from course.training.demo import MIXED, Demo, Metrics, Params, Settings
from course.training.devices import on_all
from course.training.gradients import ValueAndGrad
from course.training.steps import Chunk, State, cast, draw_batches, in_bfloat16, init_state, make_chunk, make_step

DIVERGED_FROM = 10.0
"""A chunk whose median loss is this many times the first loss of the run is not coming back."""


class Diverged(TrainingError):
    """The loss is no number any more, or far above where it began; `layer` had the largest gradient at the end."""

    def __init__(self, step: int, loss: float, first: float, layer: str):
        then = f"it was {first:.3g} at step 1"
        super().__init__(f"The loss is {loss:.3g} at step {step}; {then}, and the gradient grew most in {layer}")
        self.step = step


@dataclass(frozen=True)
class Track:
    """One gradient's way through a run.

    `losses` and `norms`, those of each layer's gradient, are by step, `scores` one for each look at the test data,
    `seconds` those of a step, one number a chunk; `watched` are the latest metrics on the validation data.
    """

    state: State
    losses: tuple[float, ...] = ()
    norms: Mapping[str, tuple[float, ...]] = dataclasses.field(default_factory=dict)
    scores: tuple[float, ...] = ()
    seconds: tuple[float, ...] = ()
    watched: Mapping[str, float] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True)
class Run:
    """How far a run has come: each of its tracks took `step` steps. The states of an earlier record are gone."""

    step: int
    tracks: Mapping[str, Track]


@dataclass(frozen=True, eq=False)
class Training:
    """A demo bound to its settings, its data, one or more gradients by name, and the devices if there are several."""

    demo: Demo
    settings: Settings
    gradients: Mapping[str, ValueAndGrad]
    splits: Splits
    mesh: Mesh | None = None

    def start(self) -> Run:
        """The run before its first step; every track starts from the same parameters."""
        return Run(0, {name: Track(self.new_state()) for name in self.gradients})

    def advance(self, run: Run) -> Run:
        """Takes the run one chunk further, at most to the end of an epoch or to a look at the test data.

        Raises:
            Diverged: A track has lost its way; the record before is the last good one.
        """
        epoch, first = divmod(run.step, self.steps_of_epoch)
        steps = self.steps_of_chunk(run.step)
        looks = (run.step + steps) % self.steps_between_looks == 0
        turns = sorted(run.tracks, reverse=bool(epoch % 2))
        with jax.enable_x64(self.settings.wide):
            rows = self._rows(epoch, first, steps)
            taken = {name: self._take(name, run.tracks[name], rows) for name in turns}
            tracks = {name: self._look(taken[name], looks) for name in run.tracks}
        for track in tracks.values():
            refuse_divergence(track, steps)
        return Run(run.step + steps, tracks)

    def new_state(self) -> State:
        """The state before the first step, the same at every call."""
        with jax.enable_x64(self.settings.wide):
            return self.place(self._init(self._keys[0]))

    def place(self, tree: Params) -> Params:
        """Puts arrays where training works with them: on the device, or on every one of several."""
        if not self.mesh:
            return jax.device_put(tree)
        return jax.device_put(jax.tree.map(np.asarray, tree), self._where)  # of other hosts' devices JAX takes no array

    def prepare(self, run: Run) -> None:
        """Compiles every program that the rest of a run needs."""
        step, lengths = run.step, set()
        while step < self.settings.steps:
            lengths.add(self.steps_of_chunk(step))
            step += self.steps_of_chunk(step)
        with jax.enable_x64(self.settings.wide):
            for name in self.gradients:
                for steps in sorted(lengths):
                    self._compiled(name, steps)
            for part in (self._data.validation, self._data.test):
                self._metrics(self.new_state(), part)

    def test(self, run: Run) -> dict[str, dict[str, float]]:
        """The metrics of each track on the test data."""
        with jax.enable_x64(self.settings.wide):
            return {n: self._metrics(t.state, self._data.test) for n, t in run.tracks.items()}

    def sampled(self, step: int) -> bool:
        """Whether a sample is due after a step: at the first look at test data, the second, the fourth, and so on."""
        looks, rest = divmod(step, self.steps_between_looks)
        return self.demo.sample is not None and not rest and looks.bit_count() == 1

    def sample(self, run: Run) -> str:
        """What the first track has learned, in a line; empty where there is nothing to show."""
        track = next(iter(run.tracks.values()))
        with jax.enable_x64(self.settings.wide):
            params = _on_the_first_device(track.state.params)
            return self.demo.sample(params, jax.random.fold_in(self._keys[2], run.step)) if self.demo.sample else ""

    @property
    def steps_of_epoch(self) -> int:
        """How many whole batches the training data hold."""
        return len(self.splits.train[0]) // self.settings.batch

    @property
    def steps_between_looks(self) -> int:
        """After how many steps the test data are looked at: those of an epoch, unless the demo says how many."""
        return self.demo.steps_between_looks or self.steps_of_epoch

    def steps_of_chunk(self, step: int) -> int:
        """How many steps are run at once after `step`; it ends where an epoch does, and for a look at test data."""
        left = (length - step % length for length in (self.steps_of_epoch, self.steps_between_looks))
        return min(self.demo.chunk_steps, *left, self.settings.steps - step)

    def _rows(self, epoch: int, first: int, steps: int) -> jax.Array:
        """Which examples the steps of a chunk see."""
        at = np.int32(epoch), np.int32(first)
        sizes = {"examples": len(self.splits.train[0]), "batch": self.settings.batch, "steps": steps}
        rows = draw_batches(self._keys[1], *at, **sizes)
        return jax.block_until_ready(self.place(rows))

    def _take(self, name: str, track: Track, rows: jax.Array) -> Track:
        chunk = self._compiled(name, len(rows))
        begun = time.perf_counter()
        state, seen = jax.block_until_ready(chunk(track.state, rows, self._data.train))
        seconds = (time.perf_counter() - begun) / len(rows)
        return dataclasses.replace(
            track,
            state=state,
            losses=(*track.losses, *np.asarray(seen.loss).tolist()),
            norms={name: (*track.norms.get(name, ()), *np.asarray(seen.norms[name]).tolist()) for name in seen.norms},
            seconds=(*track.seconds, seconds),
        )

    def _look(self, track: Track, at_test: bool) -> Track:
        """Looks at the validation data, and if it is time at the test data, from which nothing is decided."""
        watched = self._metrics(track.state, self._data.validation)
        if not at_test:
            return dataclasses.replace(track, watched=watched)
        tested = self._metrics(track.state, self._data.test)
        return dataclasses.replace(track, watched=watched, scores=(*track.scores, tested[self.demo.score.metric]))

    def _compiled(self, name: str, steps: int) -> Chunk:
        """The program of a chunk of this length; it is compiled before the clock is started."""
        if (name, steps) not in self._programs:
            gradient = self.gradients[name]
            computed = in_bfloat16(gradient) if self.settings.dtype == MIXED else gradient
            chunk = make_chunk(make_step(computed, self._optimiser), self._where)
            rows = self._rows(0, 0, steps)
            self._programs[name, steps] = chunk.lower(self.new_state(), rows, self._data.train).compile()
        return self._programs[name, steps]

    @functools.cached_property
    def _programs(self) -> dict[tuple[str, int], Chunk]:
        return {}

    @functools.cached_property
    def _optimiser(self) -> optax.GradientTransformation:
        return self.demo.optimiser(self.settings)

    @functools.cached_property
    def _init(self) -> Callable[[jax.Array], State]:
        """Draws the state that training starts from, in one program."""
        return jax.jit(lambda key: init_state(cast(self.demo.init(key), self.settings.kept), self._optimiser))

    def _metrics(self, state: State, examples: Examples) -> dict[str, float]:
        """The metrics on some examples, by the first device."""
        metrics = self._compiled_metrics(_on_the_first_device(state.params), *examples)
        return {name: float(value) for name, value in metrics.items()}

    @functools.cached_property
    def _compiled_metrics(self) -> Callable[..., Metrics]:
        return jax.jit(self.demo.metrics)

    @property
    def _where(self) -> NamedSharding | None:
        """Where what training works with lies: on every device; None where there is one."""
        return on_all(self.mesh) if self.mesh else None

    @functools.cached_property
    def _keys(self) -> tuple[jax.Array, jax.Array, jax.Array]:
        """One for the parameters, one for the order of the examples, one for samples."""
        init, shuffle = jax.random.split(jax.random.key(self.settings.seed))
        return init, shuffle, jax.random.fold_in(init, 1)

    @functools.cached_property
    def _data(self) -> Splits:
        """The data: what is learned from on every device, the rest on the first."""
        data = Splits(*(cast(part, self.settings.kept) for part in self.splits))
        return data._replace(train=self.place(data.train))


def _on_the_first_device(params: Params) -> Params:
    return jax.tree.map(lambda leaf: leaf.addressable_data(0), params)


def refuse_divergence(track: Track, steps: int) -> None:
    """Looks at the last `steps` losses of a track, and at the validation loss after them.

    Raises:
        Diverged: A number is not finite, or the losses are far above the first one.
    """
    latest = track.losses[-steps:]
    before = len(track.losses) - steps
    for place, loss in enumerate((*latest, track.watched["loss"]), start=before + 1):
        if not math.isfinite(loss):
            raise Diverged(min(place, len(track.losses)), loss, track.losses[0], _grown_most(track))
    if statistics.median(latest) > DIVERGED_FROM * track.losses[0]:
        raise Diverged(len(track.losses), latest[-1], track.losses[0], _grown_most(track))


def _grown_most(track: Track) -> str:
    """The layer whose gradient was no number first, else the one that is the most times as large as at step 1."""
    return max(track.norms, key=lambda layer: _growth(track.norms[layer]))


def _growth(norms: tuple[float, ...]) -> tuple[int, float]:
    finite = [norm for norm in norms if math.isfinite(norm)]
    return len(norms) - len(finite), max(finite, default=0.0) / (norms[0] or 1.0)
