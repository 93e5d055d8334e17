"""Pieces of work: each gives a JSON value, and is done once for as long as the sources it runs stay what they are."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import json
import signal
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jax

from course.compile_cache import cache_folder
from evidence.reached import ROOT


@dataclass(frozen=True)
class Piece:
    """One piece of work.

    Attributes:
        name: One in its section.
        steps: Its size.
        sources: The files that it runs: what it gave holds until one of them changes.
        run: Does it, and calls what it is given after each step.
    """

    name: str
    steps: int
    sources: Collection[Path]
    run: Callable[[Callable[[], None]], Any]


class Journal:
    """What is done already, kept a line a piece in the user's cache folder, a file for each version of JAX."""

    def __init__(self, path: Path | None = None) -> None:
        version = importlib.metadata.version("jax")
        self._path = path or cache_folder() / "evidence" / f"jax-{version}.jsonl"
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._done = dict(_lines(self._path))

    def results(self, section: str, pieces: Sequence[Piece], step: Callable[[], None]) -> dict[str, Any]:
        """Runs the pieces of a section that are not done yet, and returns every piece's result by its name."""
        found = {}
        for piece in pieces:
            key = f"{section}: {piece.name}: {_digest(frozenset(piece.sources))}"
            if key in self._done:
                for _ in range(piece.steps):
                    step()
            else:
                self._done[key] = piece.run(step)
                jax.clear_caches()  # a process has room for tens of thousands of compiled pieces of code, then it dies
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


@cache
def _digest(sources: frozenset[Path]) -> str:
    digest = hashlib.sha256()
    for path in sorted(sources):
        digest.update(f"{path.relative_to(ROOT).as_posix()}\n".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


@contextlib.contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Ends what keeps a processor busy for longer, where the system has an alarm clock.

    The processor's time and not the clock's: what is found must not depend on what else the machine does.

    Raises:
        TimeoutError: It took longer.
    """

    def ring(*_: Any) -> None:
        raise TimeoutError(f"It takes a processor more than {seconds:g} seconds.")

    if not hasattr(signal, "setitimer"):
        yield
        return
    before = signal.signal(signal.SIGPROF, ring)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
