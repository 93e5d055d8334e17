"""`course watch`: judges what you saved, as soon as you saved it."""

from __future__ import annotations

import queue
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from course.cli.completing import complete_lesson
from course.cli.folder import attempts_in, next_of, this_folder
from course.cli.hint import say_hints
from course.cli.progress import Progress
from course.cli.readying import refuse_unknown_lesson
from course.cli.worker import Ended, Worker
from course.records import Verdict

SETTLED, LOOKS = 100, 10
"""Milliseconds: changes that come closer together are one, and how often it is looked whether they have ended."""

KEYS = "Enter: go on · w: why · h: a hint · q: quit"


@click.command()
@click.argument("name", metavar="[LESSON[.EXERCISE]]", required=False, shell_complete=complete_lesson)
@click.option("--seconds", default=20.0, metavar="N", help="Stop an answer that runs longer, 20 by default.")
def watch(name: str | None, seconds: float) -> None:
    """Judge what you save, as soon as you save it, from the exercise that comes next on.

    What is right stays on the screen until Enter says to go on.
    """
    folder = this_folder()
    if name is None:
        coming = next_of(attempts_in(folder).known)
        name = coming.next if coming else None
    else:
        refuse_unknown_lesson(name)
    if name is None:
        click.echo("All that there is is right: there is nothing left to watch. Name an exercise to watch it.")
        return
    worker = Worker(folder, seconds)
    try:
        _Watching(folder, worker, name).run()
    finally:
        worker.close()


class _Watching:
    """The screen and what is on it."""

    def __init__(self, folder: Path, worker: Worker, name: str) -> None:
        from rich.console import Console

        self._folder, self._worker, self._name = folder, worker, name
        self._console = Console(highlight=False)
        self._shown: Verdict | None = None

    def run(self) -> None:
        """Watches until the reader wants no more.

        Raises:
            ClickException: JAX can't be started.
        """
        from watchfiles import PythonFilter
        from watchfiles import watch as changes

        typed = _lines_typed()
        with self._console.status("starting JAX"):
            try:
                self._worker.warm()
            except Ended as error:
                raise click.ClickException(str(error)) from None
        self._judge([self._name])
        starting = True
        only = PythonFilter(extra_extensions=(".ipynb",))
        for saved in changes(
            self._folder,
            watch_filter=only,
            debounce=SETTLED,
            step=LOOKS,
            rust_timeout=SETTLED,
            yield_on_timeout=True,
            raise_interrupt=True,
        ):
            if saved:
                self._judge_saved()
            elif starting:
                self._judge(self._changed())  # while the first verdict was made, nobody watched
            elif not self._obey(typed):
                return
            starting = False

    def _judge_saved(self) -> None:
        """Judges the answers that changed; where none did, the one that is on the screen."""
        self._judge(self._changed() or [self._name])

    def _changed(self) -> list[str]:
        try:
            return list(self._worker.ask("changed"))
        except Ended:
            return []

    def _judge(self, names: Sequence[str]) -> None:
        for name in names:
            self._name = name
            try:
                pieces = self._worker.follow("judge", name)
                while piece := _next_of(pieces, f"judging {name}"):
                    self._show(piece[1], KEYS if piece[0] == "answer" else "looking for the reason ...")
            except Ended as why:
                with self._console.status("starting JAX again"):
                    self._show(self._worker.ask("stopped", name, str(why)), KEYS)

    def _show(self, verdict: Verdict, then: str, *, why: bool = False) -> None:
        from course.show.page import QUIET
        from course.show.terminal import print_verdict

        self._shown, self._name = verdict, verdict.exercise
        if self._console.is_terminal:
            self._console.clear()
        print_verdict(self._console, verdict, why=why)
        self._console.print()
        self._console.print(f"  watching · {then}", style=QUIET, markup=False)

    def _obey(self, typed: queue.SimpleQueue[str | None]) -> bool:
        """Does what was typed, if anything was; returns whether to go on watching."""
        try:
            word = typed.get_nowait()
        except queue.Empty:
            return True
        if word in ("q", "quit"):
            return False
        if word == "w" and self._shown is not None:
            self._show(self._shown, KEYS, why=True)
        elif word == "h":
            say_hints(self._name, *self._worker.ask("hints", self._name))
        elif word == "" and self._shown is not None:
            self._go_on()
        return True

    def _go_on(self) -> None:
        """From what is right to what comes next; what is not right is judged again."""
        assert self._shown is not None
        coming = next_of(attempts_in(self._folder).known) if self._shown.done else None
        if self._shown.done and coming is None:
            self._console.print("  All that there is is right.", markup=False)
            return
        self._judge([coming.next if coming else self._name])


def _next_of(pieces: Iterator[tuple[str, Any]], doing: str) -> tuple[str, Any] | None:
    """The next piece; says what is being done while it does not come."""
    with Progress() as progress:
        progress.say(doing)
        return next(pieces, None)


def _lines_typed() -> queue.SimpleQueue[str | None]:
    """What is typed, line by line, as it comes. An input that has ended types no more."""
    typed: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def read() -> None:
        for line in sys.stdin:
            typed.put(line.strip().lower())

    threading.Thread(target=read, daemon=True).start()
    return typed
