"""Measures every model, or those named, on one core, and prints what was found as one line of JSON."""

import json
import os
import sys

from benchmarks.training import in_torch
from benchmarks.training.measure import APART, CHECKED, ROUNDS, SIDE, measure, peak
from benchmarks.training.models import models


def main(names: list[str]) -> None:
    """Holds this process on one core and measures."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    chosen = [model for model in models() if not names or model.name in names]
    found = []
    for model in chosen:
        print(f"{model.name} ...", file=sys.stderr, flush=True)
        found.append(measure(model))
    said = {
        "rounds": ROUNDS,
        "checked": CHECKED,
        "apart": APART,
        "side": SIDE,
        "peak": peak(),
        "torch": in_torch.version(),
    }
    print(json.dumps({**said, "models": found}))


if __name__ == "__main__":
    main(sys.argv[1:])
