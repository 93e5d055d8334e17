"""What a whole process costs, its children included."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path


def seconds_of(command: Sequence[str], environment: Mapping[str, str], where: Path) -> tuple[float, float]:
    """CPU and wall seconds of a process and its children.

    Raises:
        CalledProcessError: It failed.
    """
    before, begun = os.times(), time.perf_counter()
    subprocess.run(command, env=environment, check=True, capture_output=True, cwd=where)
    wall, after = time.perf_counter() - begun, os.times()
    cpu = after.children_user - before.children_user + after.children_system - before.children_system
    return cpu, wall
