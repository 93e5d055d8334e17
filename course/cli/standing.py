"""`course progress`: how far all of it is, lesson by lesson."""

from __future__ import annotations

import click

from course.cli.folder import Standing, attempts_in, standings, this_folder


@click.command()
def progress() -> None:
    """Show how far you are, lesson by lesson."""
    known = attempts_in(this_folder()).known
    rows = standings(known)
    _show(rows)
    left = sum(row.lesson.minutes for row in rows if not row.is_done)
    done = sum(row.is_done for row in rows)
    click.echo(f"  {done} of {len(rows)} lessons done · about {left} minutes of lessons left, as estimated")


def _show(rows: list[Standing]) -> None:
    from rich.console import Console
    from rich.progress_bar import ProgressBar
    from rich.table import Table

    from course.show import faces

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("  lesson")
    table.add_column("", width=20)
    for name in ("right", "points", "tries", "hints"):
        table.add_column(name, justify="right")
    for row in rows:
        tried = row.tried.values()
        bar = ProgressBar(total=max(row.asked, 1), completed=row.right, width=20, complete_style=faces.RIGHT.terminal)
        if not tried:
            table.add_row(f"  {row.lesson.name}", bar, f"{row.lesson.minutes} min", "", "", "")
            continue
        counted = (
            f"{row.right}/{row.asked}",
            f"{sum(attempt.points for attempt in tried):g}",
            str(sum(attempt.attempts for attempt in tried)),
            str(sum(attempt.hints for attempt in tried)),
        )
        table.add_row(f"  {row.lesson.name}", bar, *counted)
    Console(highlight=False).print(table)
