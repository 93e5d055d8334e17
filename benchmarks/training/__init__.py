"""A training step on the pairs of `solutions/`, beside one on `jax.value_and_grad` and one of PyTorch's.

    in_torch -> models -> measure -> the table, and the picture

It is measured in a process of its own, held on one core: `python -m benchmarks.training` prints what it found as JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.tables import quartiles, table
from benchmarks.training.picture import draw

ROOT = Path(__file__).parents[2]
PICTURE = ROOT / "benchmarks" / "training.svg"

SAYS = """\
## A training step

The pairs of `solutions/` against `jax.value_and_grad` of the plain primal and, where there is one, of the best known
spelling of it, and against PyTorch ({torch}), eager and compiled. Same parameters, data and Adam, float32;
one thread on one core; in turn, {rounds} visits each, of as many steps as take a tenth of a second. CPU time per step,
median; ratios are taken visit by visit, with quartiles. Before it is timed every way takes {checked} steps: the losses
agree to {apart}. FLOPs are counted on the program of loss and gradient by hand; their share is of a product of two
square matrices of {side}, which reached {peak:.0f} GFLOP/s here."""

HEADER = (
    "model",
    "by hand, µs",
    "hand / plain",
    "hand / best spelled",
    "hand / PyTorch",
    "hand / compiled PyTorch",
    "MFLOP",
    "share of the peak",
    "expected of hand / plain",
)


def run() -> str:
    """Measures all models, and makes the tables."""
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]),
        "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
        "OMP_NUM_THREADS": "1",
    }
    command = [sys.executable, "-m", "benchmarks.training"]
    told = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT).stdout
    found = json.loads(told.splitlines()[-1])
    draw(found["models"], PICTURE)
    rows = [_row(one, found["peak"]) for one in found["models"]]
    return f"{SAYS.format(**found)}\n\n{table(HEADER, rows)}\n\n![The same ratios, drawn]({PICTURE.name})"


def _row(one: Mapping[str, Any], peak: float) -> Sequence[str]:
    hand = one["seconds"]["hand"]
    median = sorted(hand)[len(hand) // 2]
    beside = [_beside(one["seconds"], way) for way in ("plain", "best", "torch", "compiled")]
    share = f"{one['flops'] / median / peak / 1e7:.0f} %"
    return [one["name"], f"{1e6 * median:.0f}", *beside, f"{one['flops'] / 1e6:.2f}", share, one["expected"]]


def _beside(seconds: Mapping[str, Sequence[float]], way: str) -> str:
    if way not in seconds:
        return "-"
    return quartiles([one / other for one, other in zip(seconds["hand"], seconds[way], strict=True)])
