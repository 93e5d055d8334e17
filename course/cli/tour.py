"""`course tour`: one wrong line found, the line mended, its cost counted, and a network trained on the result."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from course.cli.progress import Progress
from course.cli.readying import ready_jax
from course.show.words import command, times

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as BarProgress

    from course.cli.tour_example import Example
    from course.records import Comparison
    from course.training.loop import Run


@click.command()
@click.option("--folder", default="tour", show_default=True, metavar="DIR", help="Where the picture is saved.")
def tour(folder: str) -> int:
    """See in a minute what this is: a wrong line found, its cost counted, a network trained on a gradient by hand."""
    from rich.console import Console

    console = Console()
    with Progress() as progress:
        progress.say("starting JAX")
        ready_jax(timed=True)
        from course.cli.tour_example import find_example

        example = find_example()
    _title(console, "1", "One wrong line in a backward pass", example.says)
    _show_line(console, example, example.wrong_line)
    _judge_and_show(console, example, right=False)
    _title(console, "2", "The line, mended")
    _show_line(console, example, example.right_line)
    _show_cost(console, _judge_and_show(console, example, right=True))
    _train(console, Path(folder), whole=example.whole)
    console.print(f"\n[bold]Next[/]  {command('start work')}   a folder of your own, with every exercise in it")
    return 0


def _title(console: Console, number: str, title: str, says: str = "") -> None:
    console.print(f"\n[bold]{number}  {title}[/]", highlight=False)
    if says:
        console.print(says, highlight=False)


def _show_line(console: Console, example: Example, line: str) -> None:
    """The function with one line of it marked."""
    from rich.syntax import Syntax

    lines = example.source(line).splitlines()
    marked = next(number for number, text in enumerate(lines, 1) if text.strip() == line)
    theme = "ansi_light" if console.color_system else "default"
    console.print(
        Syntax(
            "\n".join(lines),
            "python",
            theme=theme,
            background_color="default",
            line_numbers=True,
            highlight_lines={marked},
        )
    )


def _judge_and_show(console: Console, example: Example, *, right: bool) -> Comparison:
    with Progress() as progress:
        progress.say("judging")
        shown, comparison = example.judge(right=right)
    console.print()
    shown(console)
    return comparison


def _show_cost(console: Console, comparison: Comparison) -> None:
    """One line: forward and backward by hand beside the two that need no backward pass, counted for this example."""
    ratios = {cost.method: times(cost.ratio) for cost in comparison.costs}
    console.print(
        f"  Counted in forward passes: with backward by hand {ratios['yours']}"
        f" · jax.jacfwd {ratios['jax.jacfwd, all columns']} · differences {ratios['central differences']}",
        highlight=False,
        soft_wrap=True,
    )


def _train(console: Console, folder: Path, *, whole: bool) -> None:
    """Trains on real digits: twice where there is a pair to train on, and says so where there is none."""
    from course.training.both import train_both, train_by_jax
    from course.training.demo import find_demo
    from course.training.pair import course_pair
    from course.training.report import print_results, save_picture

    demo = find_demo("mlp")
    says = "Once on the hand-written backward pass, once on jax.value_and_grad, from the same start."
    if not whole:
        says = "On jax.value_and_grad alone: there is no hand-written network in an installed package."
    _title(console, "3", f"Under jit, {demo.title}", says)
    with _bar() as bar:
        task = bar.add_task("compiling", total=demo.settings.steps)

        def show(run: Run) -> None:
            bar.update(task, completed=run.step, description="training")

        if whole:
            results = train_both(demo, *course_pair(demo).functions, on_progress=show)
        else:
            results = train_by_jax(demo, on_progress=show)
    print_results(console, results)
    with Progress() as progress:
        progress.say("drawing")
        png, svg = save_picture(results, folder)
    console.print(f"The picture: {png} and {svg.name}", highlight=False)


def _bar() -> BarProgress:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as BarProgress

    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    return BarProgress(*columns, console=Console(stderr=True), transient=True)
