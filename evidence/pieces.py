"""Pieces of work: each gives a JSON value, and is done once for as long as the sources stay what they are."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import json
import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from course.compile_cache import cache_folder

ROOT = Path(__file__).parents[1]
SOURCES = ("course", "solutions", "evidence", "tests")


@dataclass(frozen=True)
class Piece:
    """One piece: `steps` tells its size, and `run` calls what it is given after each step."""

    name: str
    steps: int
    run: Callable[[Callable[[], None]], Any]


class Journal:
    """What is done already, kept a line a piece in the user's cache folder, for these very sources and this JAX."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path or cache_folder() / "evidence" / f"{_digest()}.jsonl"
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._done = dict(_lines(self._path))

    def results(self, section: str, pieces: Sequence[Piece], step: Callable[[], None]) -> dict[str, Any]:
        """Runs the pieces of a section that are not done yet, and returns every piece's result by its name."""
        found = {}
        for piece in pieces:
            key = f"{section}: {piece.name}"
            if key in self._done:
                for _ in range(piece.steps):
                    step()
            else:
                self._done[key] = piece.run(step)
                with self._path.open("a", encoding="utf-8") as file:
                    file.write(json.dumps([key, self._done[key]]) + "\n")
            found[piece.name] = self._done[key]
        return found


def _lines(path: Path) -> Iterator[tuple[str, Any]]:
    """The whole lines of a journal; the last one may have been cut by a crash."""
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        with contextlib.suppress(json.JSONDecodeError):
            key, value = json.loads(line)
            yield key, value


def _digest() -> str:
    digest = hashlib.sha256(importlib.metadata.version("jax").encode())
    for folder in SOURCES:
        for path in sorted((ROOT / folder).rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


@contextlib.contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Ends what takes longer, where the system has an alarm clock.

    Raises:
        TimeoutError: It took longer.
    """

    def ring(*_: Any) -> None:
        raise TimeoutError(f"It takes more than {seconds:g} seconds.")

    if not hasattr(signal, "setitimer"):
        yield
        return
    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
