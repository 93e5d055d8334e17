"""Checkpoints of a run, by Orbax: written whole or not at all, the last few kept.

The states are stored as arrays; all else is JSON, which gives every float back bit for bit. Every device holds the
whole of a state, so one process writes it alone, and any number of processes and devices can go on from it.
"""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from course.training import TrainingError
from course.training.demo import Settings
from course.training.loop import Run, Track, Training
from course.training.processes import is_first

if TYPE_CHECKING:
    from orbax.checkpoint import CheckpointManager

KEPT = 2
"""How many checkpoints of a run are kept."""

_STATES, _RECORD = "states", "record"


class CheckpointError(TrainingError):
    """A checkpoint can't be read or written."""


@dataclass(frozen=True)
class Origin:
    """What a run was told, by which two runs are known to be the same: `answer` is a hash of the pair's source."""

    demo: str
    gradient: str
    settings: Settings
    submission: str = ""
    answer: str = ""


@dataclass(frozen=True)
class Saved:
    """The newest checkpoint of a folder, without its arrays."""

    step: int
    origin: Origin
    histories: Mapping[str, Mapping[str, Any]]

    @property
    def finished(self) -> bool:
        """Whether the run had taken all its steps."""
        return self.step >= self.origin.settings.steps


@contextmanager
def opened(folder: Path) -> Iterator[CheckpointManager]:
    """The checkpoints in a folder, which is made if need be; what a killed process left half-written is removed.

    Raises:
        CheckpointError: Orbax is not installed.
    """
    try:
        from orbax import checkpoint
    except ImportError:
        raise CheckpointError("Checkpoints need Orbax: pip install 'handgrad[train]'") from None
    alone = jax.process_index()
    options = checkpoint.CheckpointManagerOptions(
        max_to_keep=KEPT,
        enable_async_checkpointing=False,
        create=False,
        cleanup_tmp_directories=is_first(),
        multiprocessing_options=checkpoint.options.MultiprocessingOptions(
            primary_host=alone, active_processes={alone}, barrier_sync_key_prefix=f"process_{alone}"
        ),
    )
    folder.mkdir(parents=True, exist_ok=True)
    manager = checkpoint.CheckpointManager(folder.absolute(), options=options)
    try:
        yield manager
    finally:
        manager.close()


def save(manager: CheckpointManager, run: Run, origin: Origin) -> None:
    """Writes a checkpoint and waits until it is there, unless this step has one. Only the first process does."""
    from orbax.checkpoint import args

    if not is_first() or manager.latest_step() == run.step:
        return
    states = {name: jax.tree.map(np.asarray, track.state) for name, track in run.tracks.items()}
    record = {"origin": dataclasses.asdict(origin), "histories": {n: _history(t) for n, t in run.tracks.items()}}
    with jax.enable_x64(origin.settings.wide):
        manager.save(
            run.step,
            args=args.Composite(**{_STATES: args.StandardSave(states), _RECORD: args.JsonSave(record)}),
        )


def newest(folder: Path) -> Saved | None:
    """Reads what the newest checkpoint says of itself; None where there is none.

    Raises:
        CheckpointError: It can't be read.
    """
    if not folder.is_dir():
        return None
    from orbax.checkpoint import args

    with opened(folder) as manager:
        step = manager.latest_step()
        if step is None:
            return None
        with _readable(folder, step):
            record = manager.restore(step, args=args.Composite(**{_RECORD: args.JsonRestore()}))[_RECORD]
            told = record["origin"]
            origin = Origin(**{**told, "settings": Settings(**told["settings"])})
            return Saved(step, origin, record["histories"])


def load(folder: Path, saved: Saved, training: Training) -> Run:
    """Reads the whole of a checkpoint, for the training that it is continued by.

    Raises:
        CheckpointError: It can't be read, or holds other arrays than this training.
    """
    from orbax.checkpoint import args

    states = {name: jax.tree.map(np.asarray, training.new_state()) for name in training.gradients}
    with opened(folder) as manager, _readable(folder, saved.step), jax.enable_x64(training.settings.wide):
        restored = manager.restore(saved.step, args=args.Composite(**{_STATES: args.StandardRestore(states)}))
        placed = {name: training.place(state) for name, state in restored[_STATES].items()}
    tracks = {name: _track(state, saved.histories[name]) for name, state in placed.items()}
    return Run(saved.step, tracks)


def discard(folder: Path) -> None:
    """Removes all checkpoints of a folder."""
    shutil.rmtree(folder, ignore_errors=True)


def _history(track: Track) -> dict[str, Any]:
    fields = dataclasses.fields(track)
    return {field.name: getattr(track, field.name) for field in fields if field.name != "state"}


def _track(state: Any, history: Mapping[str, Any]) -> Track:
    fields: dict[str, Any] = {n: tuple(value) if isinstance(value, list) else value for n, value in history.items()}
    return Track(state, **fields)


@contextmanager
def _readable(folder: Path, step: int) -> Iterator[None]:
    """Says in one sentence what Orbax says in many, in any of the exceptions of its parts."""
    try:
        yield
    except Exception as error:
        raise CheckpointError(
            f"The checkpoint of step {step} in {folder} can't be read ({type(error).__name__}): "
            "start over with --fresh, or delete it to go on from the one before."
        ) from error
