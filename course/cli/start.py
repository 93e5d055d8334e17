"""`course start`: makes a learner's folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from course.show.words import command, tool

if TYPE_CHECKING:
    from course.authoring.start import Started


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), default=Path("work"))
@click.option("--files", is_flag=True, help="Make plain Python files in place of notebooks.")
@click.option("--draw", type=click.IntRange(0, 999_999), help="What mistakes are shown; by default a draw of your own.")
def start(folder: Path, files: bool, draw: int | None) -> None:
    """Make a FOLDER to work in, `work` by default. Work that is there already is never overwritten."""
    from course.authoring.start import StartError
    from course.authoring.start import start as make

    try:
        _say(make(folder, files=files, draw=draw))
    except StartError as error:
        raise click.ClickException(str(error)) from None


def _say(started: Started) -> None:
    """Says what was made, what was left alone, and what to do now."""
    place = started.folder
    if started.made:
        click.echo(f"{place} has {_count(started.made)} for you: {', '.join(started.made)}.")
    if started.kept:
        click.echo(f"{_count(started.kept).capitalize()} of yours left as they were.")
    first = (*started.made, *started.kept)[0]
    notebook = first.endswith(".ipynb")
    opening = f"{tool('jupyter', within=place)} lab {first}" if notebook else f"open {first} in your editor"
    click.echo(f"Next: cd {place} · {opening} · {command('check', within=place)}")


def _count(names: tuple[str, ...]) -> str:
    return f"{len(names)} {'lesson' if len(names) == 1 else 'lessons'}"
