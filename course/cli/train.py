"""`course train`: trains a network on real data, on a hand-written backward pass, on JAX's, or on both side by side."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from course.cli.progress import Progress
from course.grading.ready import keep_programs
from course.training import DEMOS, TrainingError

GRADIENTS = ("hand", "jax", "both")
DTYPES = ("float32", "float64", "mixed")


@click.command()
@click.argument("demo", type=click.Choice(list(DEMOS)))
@click.option(
    "--gradient", type=click.Choice(GRADIENTS), help="Whose; by default both where there is a pair, else jax."
)
@click.option("--submission", metavar="PATH", help="Train on your own pair; by default your folder, if you are in it.")
@click.option("--steps", type=click.IntRange(min=1), metavar="N", help="How many updates.")
@click.option("--epochs", type=click.IntRange(min=1), metavar="N", help="How many times through the data, instead.")
@click.option("--batch", type=click.IntRange(min=1), metavar="N", help="Examples a step.")
@click.option("--lr", type=click.FloatRange(min=0, min_open=True), metavar="X", help="Learning rate.")
@click.option("--seed", type=click.IntRange(min=0), metavar="N", help="Of the parameters and of the shuffling.")
@click.option("--dtype", type=click.Choice(DTYPES), help="Precision; mixed computes in bfloat16.")
@click.option(
    "--resume/--fresh",
    default=None,
    help="Go on from the checkpoint, or start over; by default an unfinished run goes on.",
)
@click.option(
    "--folder",
    type=click.Path(path_type=Path),
    default=Path("runs"),
    show_default=True,
    metavar="DIR",
    help="Where checkpoints and pictures are kept.",
)
@click.option(
    "--save-every",
    type=click.FloatRange(min=0),
    default=5.0,
    show_default=True,
    metavar="SECONDS",
    help="How often a checkpoint is saved.",
)
@click.option(
    "--devices",
    type=click.IntRange(min=1),
    default=1,
    metavar="N",
    help="Train on so many devices at once, each on its share of a batch; a CPU is divided into simulated ones.",
)
@click.option(
    "--distributed",
    metavar="HOST:PORT,COUNT,INDEX",
    help="Train in COUNT processes, which meet at HOST:PORT; this is number INDEX, from 0. They share a --folder.",
)
@click.option("--anyway", is_flag=True, help="Train on a pair that was judged wrong, too.")
def train(
    demo: str,
    gradient: str | None,
    submission: str | None,
    epochs: int | None,
    resume: bool | None,
    folder: Path,
    save_every: float,
    devices: int,
    distributed: str | None,
    anyway: bool,
    **settings: Any,
) -> int:
    """Train a network on real data, on the gradient you choose.

    Ctrl-C stops within two seconds, saves, and says how to go on; a second one quits at once. The exit status is 0 when
    all steps were taken, 1 when the loss diverged, 2 when it could not be begun, 130 after Ctrl-C.
    """
    if epochs is not None and settings["steps"] is not None:
        raise click.UsageError("Say --steps or --epochs, not both.")
    with Progress() as progress:
        progress.say("starting JAX")
        keep_programs()
        from rich.console import Console

        from course.grading import SubmissionError
        from course.grading.soundness import Unsound, require_sound_jax
        from course.training.devices import simulate_devices
        from course.training.plan import Request
        from course.training.processes import LOST, Joined, Lost
        from course.training.session import run_session
    chosen = {name: value for name, value in settings.items() if value is not None}
    try:
        joined = Joined.read(distributed) if distributed else None
        asked = (epochs, resume, folder, save_every, anyway, devices, joined)
        request = Request(demo, gradient, submission, chosen, *asked)
        require_sound_jax()
        if devices > 1:
            simulate_devices(devices)
        return run_session(request, Console(highlight=False), Console(stderr=True))
    except Lost as error:
        click.echo(error, err=True)
        os._exit(LOST)  # a process that waits for the lost one at its end waits for minutes
    except (Unsound, TrainingError, SubmissionError) as error:
        raise click.ClickException(str(error)) from None
