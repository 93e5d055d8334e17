"""A process that has JAX imported, and judges what a watched folder holds for as long as it is asked."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from course.records import Verdict

WARMING = 120.0
"""Seconds for a cold import of JAX on a busy machine."""


class Ended(Exception):
    """The process did not answer in time, or is gone: one sentence."""


class Worker:
    """The process, started anew whenever it had to be ended."""

    def __init__(self, folder: Path, seconds: float) -> None:
        """`seconds` may pass before each answer."""
        self._folder, self._seconds = folder, seconds
        self._process: Any = None
        self._connection: Connection | None = None

    def ask(self, what: str, *arguments: Any) -> Any:
        """The answer to a request: `changed`, `judge`, `hints` or `stopped`, as `Watched` has them.

        Raises:
            Ended: There is none.
        """
        *_, (_, last) = self.follow(what, *arguments)
        return last

    def follow(self, what: str, *arguments: Any) -> Iterator[tuple[str, Any]]:
        """What the process says of a request, piece by piece: early words, then the answer.

        Raises:
            Ended: It says no more.
        """
        connection = self._connected()
        try:
            connection.send((what, arguments))
            while True:
                kind, value = self._received(connection)
                yield kind, value
                if kind != "early":
                    return
        except (EOFError, OSError):
            self.close()
            raise Ended("It ended the process that judged it.") from None

    def warm(self) -> None:
        """Starts the process, unless it runs, and waits until it can be asked.

        Raises:
            Ended: It could not be started; it has said why.
        """
        if self._connection is not None:
            return
        here, there = multiprocessing.Pipe()
        context = multiprocessing.get_context("spawn")
        self._process = context.Process(target=_serve, args=(there, self._folder), daemon=True)
        self._process.start()
        there.close()
        if not here.poll(WARMING):
            self.close()
            raise Ended(f"JAX could not be started in {WARMING:.0f} seconds.")
        self._connection = here
        try:
            here.recv()
        except EOFError:
            self.close()
            raise Ended("JAX could not be started.") from None

    def close(self) -> None:
        """Ends the process."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
        if self._connection is not None:
            self._connection.close()
        self._process = self._connection = None

    def _connected(self) -> Connection:
        self.warm()
        assert self._connection is not None
        return self._connection

    def _received(self, connection: Connection) -> tuple[str, Any]:
        if not connection.poll(self._seconds):
            self.close()
            raise Ended(f"It ran for {self._seconds:g} seconds and was stopped: a loop that does not end?")
        received: tuple[str, Any] = connection.recv()
        return received


def _serve(connection: Connection, folder: Path) -> None:
    """Answers requests until the other side hangs up. Ctrl-C is for the other side."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.chdir(folder)
    from course.cli.readying import ready_jax

    ready_jax()
    from course.grading.watched import Watched

    watched = Watched(folder)

    def tell(verdict: Verdict) -> None:
        connection.send(("early", verdict))

    connection.send(("ready", None))
    with contextlib.suppress(EOFError, BrokenPipeError):
        while True:
            what, arguments = connection.recv()
            asked = getattr(watched, what)
            answer = asked(*arguments, early=tell) if what == "judge" else asked(*arguments)
            connection.send(("answer", answer))
