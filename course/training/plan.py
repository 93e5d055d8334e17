"""From what was asked to what will be done: the settings, the gradients, the folder, and whether a run is continued."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from jax.sharding import Mesh

from course.training import TrainingError, checkpoints
from course.training.checkpoints import Origin, Saved
from course.training.data import Splits
from course.training.demo import Demo, Settings, find_demo
from course.training.devices import by_hand_on, by_jax_on, make_mesh
from course.training.gradients import ValueAndGrad, by_hand, by_jax
from course.training.pair import NoPair, Pair, find_pair
from course.training.processes import Joined
from course.training.results import HAND, JAX

BOTH = "both"


@dataclass(frozen=True)
class Request:
    """What was asked on the command line; None where nothing was said.

    `chosen` are settings by name. `resume` is True to go on, False to start afresh. `save_every` is in seconds.
    """

    demo: str
    gradient: str | None = None
    submission: str | None = None
    chosen: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    epochs: int | None = None
    resume: bool | None = None
    folder: Path = Path("runs")
    save_every: float = 5.0
    anyway: bool = False
    devices: int = 1
    joined: Joined | None = None


@dataclass(frozen=True)
class Plan:
    """What will be done. `saved` is the checkpoint that is gone on from, if any; `notes` are sentences to say first.

    `mesh` are the devices, where there are several.
    """

    request: Request
    demo: Demo
    splits: Splits
    pair: Pair | None
    origin: Origin
    saved: Saved | None
    notes: tuple[str, ...]
    mesh: Mesh | None = None

    @property
    def settings(self) -> Settings:
        """Those of the run."""
        return self.origin.settings

    @property
    def folder(self) -> Path:
        """Where this run keeps its pictures."""
        return folder_of(self.request, self.origin.gradient)

    @property
    def checkpoints(self) -> Path:
        """Where this run keeps its checkpoints."""
        return self.folder / "checkpoints"

    @property
    def gradients(self) -> dict[str, ValueAndGrad]:
        """The ways to the gradient that are trained, by name."""
        hand = by_hand if self.mesh is None else partial(by_hand_on, self.mesh, self.demo.counted)
        autodiff = by_jax if self.mesh is None else partial(by_jax_on, self.mesh)
        ways = {HAND: hand(*self.pair.functions)} if self.pair else {}
        return ways if self.origin.gradient == HAND else {**ways, JAX: autodiff(self.demo.loss)}


def make_plan(request: Request) -> Plan:
    """Settles what will be done; nothing is written or thrown away yet.

    Raises:
        TrainingError: What was asked can't be done.
        SubmissionError: There is no such submission.
    """
    demo = find_demo(request.demo)
    splits = demo.read_data()
    pair, notes = _find_pair(demo, request)
    gradient = request.gradient or (BOTH if pair else JAX)
    saved = checkpoints.newest(folder_of(request, gradient) / "checkpoints")
    if request.resume and saved is None:
        raise TrainingError(f"There is no run to resume in {folder_of(request, gradient)}: leave out --resume.")
    goes_on = saved is not None and (request.resume or (request.resume is None and not saved.finished))
    basis = saved.origin.settings if saved and goes_on else demo.settings
    mesh = _mesh(request)
    settings = _settings(request, basis, len(splits.train[0]), mesh)
    origin = Origin(demo.name, gradient, settings, pair.path if pair else "", pair.found.source_hash if pair else "")
    if not (saved and goes_on):
        return Plan(request, demo, splits, pair, origin, None, notes, mesh)
    _refuse_another_run(origin, saved, folder_of(request, gradient), expressly=bool(request.resume))
    return Plan(request, demo, splits, pair, origin, saved, (*notes, *_notes_on_resuming(origin, saved)), mesh)


def folder_of(request: Request, gradient: str) -> Path:
    """Where a run is kept: one folder for each demo and gradient."""
    return request.folder / f"{request.demo}-{gradient}"


def _find_pair(demo: Demo, request: Request) -> tuple[Pair | None, tuple[str, ...]]:
    """The pair that is trained on, if one is; where none was asked for expressly, there may be none."""
    if request.gradient == JAX and request.submission is None:
        return None, ()
    try:
        return find_pair(demo, request.submission), ()
    except NoPair as why:
        if request.gradient is None and request.submission is None:
            return None, (f"{why}: this trains on jax.value_and_grad alone.",)
        raise NoPair(f"{why}: name your own with --submission, or train with --gradient jax.") from None


def _mesh(request: Request) -> Mesh | None:
    """The devices, where there are several: as many as were asked for, or all of several processes."""
    if request.joined:
        return make_mesh(0)
    return make_mesh(request.devices) if request.devices > 1 else None


def _settings(request: Request, basis: Settings, examples: int, mesh: Mesh | None) -> Settings:
    """The basis, changed by what was asked.

    Raises:
        TrainingError: A batch is larger than the data, or the devices can't share it evenly.
    """
    settings = dataclasses.replace(basis, **request.chosen)
    if mesh and settings.batch % mesh.size:
        raise TrainingError(
            "--batch must be a multiple of the number of devices, so that each gets as many examples; "
            f"{settings.batch} examples and {mesh.size} devices came."
        )
    if settings.batch > examples:
        raise TrainingError(f"--batch must be at most {examples}, the examples to learn from; {settings.batch} came.")
    if request.epochs is not None:
        settings = dataclasses.replace(settings, steps=request.epochs * (examples // settings.batch))
    return settings


def _refuse_another_run(origin: Origin, saved: Saved, folder: Path, *, expressly: bool) -> None:
    """A run goes on as it was begun; what may change are its length, the pair's text and, if --resume is said, `lr`.

    Raises:
        TrainingError: Something else was asked.
    """
    may_change = {"steps", "lr"} if expressly else {"steps"}
    began = {"submission": saved.origin.submission, **dataclasses.asdict(saved.origin.settings)}
    asked = {"submission": origin.submission, **dataclasses.asdict(origin.settings)}
    for name in began:
        if name not in may_change and began[name] != asked[name]:
            raise TrainingError(
                f"The run in {folder} began with {name} {_told(began[name])}, not {_told(asked[name])}: "
                "--fresh starts over, --folder keeps the new run elsewhere."
            )


def _told(value: object) -> str:
    return "none" if value == "" else str(value)


def _notes_on_resuming(origin: Origin, saved: Saved) -> tuple[str, ...]:
    notes = [f"Going on from step {saved.step} of {origin.settings.steps}; --fresh would start over."]
    if origin.answer != saved.origin.answer:
        notes.append("The pair was changed since then; the run goes on with the new one.")
    return tuple(notes)
