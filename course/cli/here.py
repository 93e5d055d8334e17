"""`course` alone, and `course next`: where you are and what comes next, from what was checked before."""

from __future__ import annotations

from pathlib import Path

import click

from course.answers import find_folder
from course.cli.folder import Standing, attempts_in, file_of, next_of, standings, this_folder
from course.show.words import command


def say_where() -> None:
    """Says it in a few lines."""
    folder = find_folder(Path.cwd())
    if folder is None:
        click.echo(f"You are not in a folder of this course: make one with `{command('start')}` and go there.")
        click.echo(f"Or see all of it in a minute: `{command('tour')}`. Everything else: `{command('--help')}`.")
        return
    known = attempts_in(folder).known
    for standing in standings(known):
        if standing.tried:
            click.echo(f"  {standing.lesson.name:<24} {standing.right} of {standing.asked} right")
    _say_next(folder, next_of(known))


@click.command("next")
def next_() -> None:
    """Say which exercise comes next, and what to type."""
    folder = this_folder()
    _say_next(folder, next_of(attempts_in(folder).known))


def _say_next(folder: Path, standing: Standing | None) -> None:
    if standing is None:
        click.echo("Next: nothing, all that there is is right.")
        return
    lesson, name = standing.lesson, standing.next
    begun = f"{name}, in {lesson.title!r}" if standing.tried else f"{lesson.title} (about {lesson.minutes} minutes)"
    click.echo(f"Next: {begun}")
    file = file_of(folder, lesson.name)
    ways = {"open it": f"open {lesson.name}"} if file else {"add its file": "start ."}
    ways |= {"check": f"check {name}"}
    ways |= {"stuck": f"hint {name}"} if standing.tried else {}
    said = [f"{what}: `{command(typed)}`" for what, typed in ways.items()]
    click.echo("  " + " · ".join([file.name, *said] if file else said))
