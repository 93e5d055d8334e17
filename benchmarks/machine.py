"""What a figure was measured on."""

from __future__ import annotations

import datetime
import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path


def describe() -> str:
    """The machine and the versions, in two sentences."""
    today = datetime.datetime.now(tz=datetime.UTC).date()
    packages = ", ".join(f"{name} {version(name)}" for name in ("jax", "jaxlib", "numpy", "optax"))
    return (
        f"Measured on {today}: {_processor()}, {os.cpu_count()} cores, {platform.system()}. "
        f"Python {sys.version.split()[0]}, {packages}."
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
