"""Judges the judge: `python -m evidence [SECTION ...] [--list | --slice | --page]`.

A whole run writes docs/evidence.md, where what was found on other versions of JAX stands beside; it exits with 1 where
something is not as it must be. What was done already is not done again until a source changes. `--list` prints every
mutant that is killed by its numbers and explained by nothing. `--slice` runs a fixed sample in well under a minute and
writes nothing. `--page` judges nothing, and makes the page from what was found before and `equivalent.py` as it is.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence

from course.compile_cache import use_compile_cache
from course.quick_compile import compile_quickly

SECTIONS = ("corpus", "mutation", "lazy", "attacks")
FLAGS = ("--list", "--slice", "--page")


def main(arguments: Sequence[str]) -> int:
    """Runs sections by name, all of them by default.

    Raises:
        SystemExit: There is no section of a name.
    """
    names = [argument for argument in arguments if argument not in FLAGS]
    unknown = sorted(set(names) - set(SECTIONS))
    if unknown:
        raise SystemExit(f"There is no section {', '.join(unknown)}: there are {', '.join(SECTIONS)}.")
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    use_compile_cache()
    compile_quickly()
    from evidence import report

    sections = {name: importlib.import_module(f"evidence.{name}") for name in names or SECTIONS}
    if "--page" in arguments:
        report.write_page(sections)
        return 0
    if "--slice" in arguments:
        return report.run_sample(sections)
    return report.run(sections, whole=not names, unexplained="--list" in arguments)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
