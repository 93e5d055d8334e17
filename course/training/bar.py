"""The progress bar of a run: loss and score on the validation data, steps a second, time left."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from course.training.demo import Score
from course.training.loop import Run

_WIDTH = 16
"""Columns of the bar itself. The line leaves room for the ^C that a terminal adds in 80."""


class Bar:
    """Shown within a `with`, on a terminal only."""

    def __init__(self, console: Console, steps: int, score: Score):
        self._console = console
        self._score = score
        columns = (
            TextColumn("{task.description}"),
            BarColumn(bar_width=_WIDTH),
            TaskProgressColumn(),
            TimeRemainingColumn(),
        )
        self._progress = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._task = self._progress.add_task("", total=steps)
        self._stopping = False

    def __enter__(self) -> Bar:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def show(self, run: Run) -> None:
        """Shows how far a run has come, by its first track."""
        track = next(iter(run.tracks.values()))
        score = self._score.scale.told(track.watched[self._score.metric])
        numbers = f"loss {track.watched['loss']:.4f}  {self._score.scale.name} {score}"
        seconds = sum(t.seconds[-1] for t in run.tracks.values()) / len(run.tracks)
        pace = "stopping" if self._stopping else f"{1 / seconds:,.0f} steps/s"
        self._progress.update(self._task, completed=run.step, description=f"{numbers}  {pace}")

    def say(self, line: str) -> None:
        """Puts a line above the bar, to stay there."""
        self._progress.console.print(line, highlight=False, markup=False)

    def say_stopping(self) -> None:
        """Says that Ctrl-C was understood, and gives the cursor back to whoever can't wait."""
        self._stopping = True
        self._console.show_cursor(True)
