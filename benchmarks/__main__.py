"""Runs every benchmark, or those named: `python -m benchmarks [NAME ...]`.

Prints the tables as it goes. A whole run writes RESULTS.md beside this file; a part of one does not.
"""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path

from benchmarks.machine import describe
from course.compile_cache import use_compile_cache

BENCHMARKS = ("training", "cold", "warm", "watching", "counting", "grading")
RESULTS = Path(__file__).parent / "RESULTS.md"


def main(names: list[str]) -> None:
    """Runs benchmarks by name, all of them by default.

    Raises:
        SystemExit: There is no benchmark of a name.
    """
    unknown = set(names) - set(BENCHMARKS)
    if unknown:
        raise SystemExit(f"There is no benchmark {', '.join(sorted(unknown))}: there are {', '.join(BENCHMARKS)}.")
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    use_compile_cache()
    sections = [f"# Results\n\n`python -m benchmarks` wrote this.\n\n{describe()}"]
    print(sections[0], flush=True)
    for name in names or BENCHMARKS:
        sections.append(importlib.import_module(f"benchmarks.{name}").run())
        print(f"\n{sections[-1]}", flush=True)
    if not names:
        RESULTS.write_text("\n\n".join(sections) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
