"""What a person reads after a run: a table, two sentences, a picture, and the line to show a friend."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from course.show import plots, words
from course.training.results import Difference, Ratio, Results

PICTURE = "curves"
"""The stem of the pictures in a run's folder."""


@dataclass(frozen=True)
class Praise:
    """What an answer of somebody's own comes to: its lines of code, its largest relative error, and its speed."""

    lines: int
    error: float
    ratio: Ratio | None

    def __str__(self) -> str:
        speed = f" · {1 / self.ratio.median:.2f}× jax.grad's speed" if self.ratio else ""
        return f"{self.lines} lines by hand, no autodiff · agrees to {words.error(self.error)}{speed}"


def print_results(console: Console, results: Results) -> None:
    """Prints the table, and the sentences where two gradients were trained."""
    console.print(_table(results, console.encoding))
    say(console, "")
    for sentence in _sentences(results):
        say(console, sentence)


def save_picture(results: Results, folder: Path, praise: Praise | None = None) -> tuple[Path, Path]:
    """Writes the picture of a run as PNG and SVG.

    Raises:
        ImportError: matplotlib is not installed.
    """
    caption = str(praise) if praise else ""
    demo = results.demo
    runs = list(results.curves.values())
    words_beside = {"title": demo.title, "caption": caption, "sample": results.sample}
    figure = plots.training_figure(runs, demo.score.scale, results.level, **words_beside)
    return plots.save(figure, folder / PICTURE)


def say(console: Console, text: str, style: str | None = None, *, whole: bool = False) -> None:
    """Prints plain text, spelled for whatever the console can show; `whole` keeps a line to copy in one piece."""
    spelled = words.printable(text, console.encoding)
    console.print(spelled, style=style, highlight=False, markup=False, soft_wrap=whole)


def _table(results: Results, encoding: str) -> Table:
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    table.add_column("")
    for curve in results.curves.values():
        table.add_column(curve.label, justify="right")
    losses = [f"{curve.losses[-1]:.3g}" for curve in results.curves.values()]
    times = [words.printable(words.seconds(curve.step_seconds), encoding) for curve in results.curves.values()]
    scale = results.demo.score.scale
    table.add_row(f"test {scale.name}", *(scale.told(results.scores[name]) for name in results.curves))
    if results.level:
        table.add_row(results.level.label, *[scale.told(results.level.score)] * len(results.curves))
    table.add_row("last loss", *losses)
    table.add_row("time per step", *times)
    return table


def _sentences(results: Results) -> list[str]:
    if results.difference is None or results.ratio is None:
        return []
    return [_of_difference(results.difference, results), _of_ratio(results.ratio)]


def _of_difference(difference: Difference, results: Results) -> str:
    at = f"at most {words.error(difference.largest)} apart (step {difference.step})"
    if difference.rounding:
        return f"The two curves are equal to rounding: {at}."
    if results.settings.wide:
        return f"The two curves are not equal: {at}."
    return f"The two curves are {at}. Rounding grows as training goes on: --dtype float64 leaves none of it."


def _of_ratio(ratio: Ratio) -> str:
    return (
        f"A step by hand takes {ratio.median:.2f}× the time of jax.value_and_grad's: median of {ratio.turns} turns, "
        f"half of them from {ratio.low:.2f}× to {ratio.high:.2f}×."
    )
