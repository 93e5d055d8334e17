"""Training in several processes, on this machine or on many: JAX's own runtime joins them, and each sees all devices.

The first process speaks, draws and saves. All take the same steps, so what one of them decides, all must know.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import jax
import numpy as np
from jax.experimental import multihost_utils

from course.training import TrainingError

_PATIENCE = 60
"""Seconds that a process waits for the others at the beginning."""

_PULSE = 20
"""Seconds after which a process that is not heard of is taken for lost."""

_FAREWELL = 5
"""Seconds that a process waits for the others at the end."""

LOST = 3
"""The exit status of a process that lost another one."""


@dataclass(frozen=True)
class Joined:
    """One of several processes: where the first one is found, how many there are, and which of them this is."""

    address: str
    count: int
    index: int

    @staticmethod
    def read(text: str) -> Joined:
        """Reads `HOST:PORT,COUNT,INDEX`.

        Raises:
            TrainingError: It has another form, or there is no such process.
        """
        found = re.fullmatch(r"([^,\s]+:\d+),(\d+),(\d+)", text)
        if not found:
            raise TrainingError(
                "--distributed takes HOST:PORT,COUNT,INDEX, as localhost:9731,2,0 for the first of two processes; "
                f"{text} came."
            )
        joined = Joined(found[1], int(found[2]), int(found[3]))
        if joined.index >= joined.count:
            raise TrainingError(
                f"The last of {joined.count} processes is number {joined.count - 1}; {joined.index} came."
            )
        return joined

    def __str__(self) -> str:
        return f"{self.address},{self.count},{self.index}"


class Lost(TrainingError):
    """Another process ended."""


def join(joined: Joined) -> None:
    """Meets the other processes. Call it before JAX runs anything.

    Raises:
        TrainingError: They did not come.
    """
    try:
        jax.distributed.initialize(
            joined.address,
            joined.count,
            joined.index,
            initialization_timeout=_PATIENCE,
            heartbeat_timeout_seconds=_PULSE,
            shutdown_timeout_seconds=_FAREWELL,
        )
    except RuntimeError as error:
        raise TrainingError(
            f"The {joined.count} processes did not all meet at {joined.address} within {_PATIENCE} s: "
            "start each with its own number."
        ) from error


def is_first() -> bool:
    """Whether this is the process that speaks and saves; it is where there is one alone."""
    return bool(jax.process_index() == 0)


def any_says(yes: bool) -> bool:
    """Whether any of the processes says yes; each of them must ask."""
    if jax.process_count() == 1:
        return yes
    return bool(np.any(multihost_utils.process_allgather(np.array(yes))))
