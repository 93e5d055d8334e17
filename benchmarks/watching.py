"""From saving a file to its verdict under `course watch`: the real command, a real file, a real save."""

from __future__ import annotations

import contextlib
import os
import queue
import re
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

from benchmarks.tables import table
from course.answers import MARKER
from course.exercises import find_exercise

ROOT = Path(__file__).parents[1]
WATCHED = {
    "chain_rule.swish": ("a number", 0.05),
    "linear_and_activations.affine": ("a layer", 0.3),
    "mlp.mlp_loss": ("a network", 1.0),
}
"""Exercises, what each is, and the seconds that are aimed at."""

SAVES = 9
PATIENCE = 120.0
SAYS = f"""\
## From saving to the verdict

Wall time from writing a changed answer to the first line of its verdict, by `course watch` in a process of its own;
median, least and most of {SAVES} saves, the first one left out."""


def run() -> str:
    """Saves each answer some times, changed by a comment, and waits for the verdict."""
    rows = [_row(name, what, aim) for name, (what, aim) in WATCHED.items()]
    return f"{SAYS}\n\n{table(['exercise', 'is', 'median, ms', 'least', 'most', 'aim, ms'], rows)}"


def _row(name: str, what: str, aim: float) -> list[str]:
    taken = 1000 * np.array(_seconds(name)[1:])
    return [
        f"`{name}`",
        what,
        f"{np.median(taken):.0f}",
        f"{taken.min():.0f}",
        f"{taken.max():.0f}",
        f"{aim * 1000:.0f}",
    ]


def _seconds(name: str) -> list[float]:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / MARKER).write_text('{"schema": 1}\n', encoding="utf-8")
        for answers in (ROOT / "solutions").glob("[a-z]*.py"):
            text = re.sub(
                r"from solutions\.\w+ import", "from course.answers import", answers.read_text(encoding="utf-8")
            )
            (folder / answers.name).write_text(text, encoding="utf-8")
        process = subprocess.Popen(
            [str(Path(sys.executable).with_name("course")), "watch", name, "--seconds", "60"],
            cwd=folder,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        heard: queue.SimpleQueue[str] = queue.SimpleQueue()
        assert process.stdout is not None
        threading.Thread(target=lambda lines: [*map(heard.put, lines)], args=(process.stdout,), daemon=True).start()
        try:
            _wait(heard)
            exercise = find_exercise(name)
            file, function = folder / f"{exercise.lesson}.py", exercise.task.names[-1]
            return [_saved(file, function, number, heard) for number in range(SAVES + 1)]
        finally:
            process.kill()
            process.wait()


def _saved(file: Path, function: str, number: int, heard: queue.SimpleQueue[str]) -> float:
    """Seconds from a save, by which the text of one function changes, to the verdict."""
    before, name, after = file.read_text(encoding="utf-8").partition(f"def {function}(")
    begun = time.perf_counter()
    file.write_text(
        before + name + after.replace("\n    return ", f"\n    # {number}\n    return ", 1), encoding="utf-8"
    )
    _wait(heard)
    taken = time.perf_counter() - begun
    with contextlib.suppress(queue.Empty):
        while True:
            heard.get(timeout=1.0)
    return taken


def _wait(heard: queue.SimpleQueue[str]) -> None:
    """Waits for the headline of a verdict."""
    until = time.monotonic() + PATIENCE
    while "checks agree" not in heard.get(timeout=until - time.monotonic()):
        pass
