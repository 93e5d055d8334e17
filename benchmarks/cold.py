"""A cold `course check` of one exercise against the least that starts JAX: new processes, in turn."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.processes import seconds_of
from benchmarks.tables import quartiles, table

ROOT = Path(__file__).parents[1]
BARE = [sys.executable, "-c", "import jax; jax.numpy.ones(3)"]
CHECKED = ("chain_rule", "two_layer_network.cotangents", "linear_and_activations.affine", "mlp.mlp_loss")
ROUNDS = 7
AIM = 2.0


SAYS = f"""\
## A cold check

Whole processes, CPU time: `course check` of the answers against `python -c "import jax; jax.numpy.ones(3)"`, in
turn, {ROUNDS} rounds, compile cache filled; last in a row, the first check ever, with an empty cache. Aim: at most
{AIM} times the bare start. Expected: 2, as much again for reading, tracing and loading programs."""


def run() -> str:
    """Times each check as a whole process, first with an empty compile cache, then with a filled one."""
    rows = []
    for name in CHECKED:
        with tempfile.TemporaryDirectory() as cache:
            rows.append([f"`course check {name}`", *_measure(name, cache)])
    header = ["command", "bare JAX, s", "check, s", "check / bare, CPU time", "wall", "first ever, s"]
    return f"{SAYS}\n\n{table(header, rows)}"


def _measure(name: str, cache: str) -> list[str]:
    check = [str(Path(sys.executable).with_name("course")), "check", name, "--submission", str(ROOT / "solutions")]
    environment = os.environ | {"HANDGRAD_CACHE": cache}
    environment.pop("JAX_COMPILATION_CACHE_DIR", None)
    first = seconds_of(check, environment, ROOT)
    bare, checks = [], []
    for _ in range(ROUNDS):
        bare.append(seconds_of(BARE, environment, ROOT))
        checks.append(seconds_of(check, environment, ROOT))
    ratios = np.array(checks) / np.array(bare)
    return [
        f"{np.median(bare, axis=0)[0]:.2f}",
        f"{np.median(checks, axis=0)[0]:.2f}",
        quartiles(ratios[:, 0]),
        quartiles(ratios[:, 1]),
        f"{first[0]:.1f}",
    ]
