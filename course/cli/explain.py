"""`course explain`: what a mistake is, and the question that leads to its mending."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

import click

from course.cli.readying import exercises_named
from course.comparison.mistakes import Mistake
from course.exercises.exercise import Exercise
from course.show.words import command


@click.command()
@click.argument("words", nargs=-1, required=True, metavar="MISTAKE")
@click.option("--in", "within", metavar="LESSON[.EXERCISE]", help="Look there alone.")
def explain(words: tuple[str, ...], within: str | None) -> None:
    """Explain a MISTAKE by its name, as a verdict gives it: what was done, and what to ask yourself."""
    name = " ".join(words)
    known = list(_known(within))
    found = [(exercise, mistake) for exercise, mistake in known if name.lower() in mistake.name.lower()]
    if not found:
        near = difflib.get_close_matches(name, {mistake.name: mistake for _, mistake in known}, n=3, cutoff=0.4)
        hint = f"did you mean {' or '.join(repr(one) for one in near)}?" if near else "a verdict names them."
        raise click.UsageError(f"There is no mistake called {name!r}: {hint}")
    for exercise, mistake in found:
        click.echo(f"{mistake.name} · {exercise.name}")
        click.echo(click.wrap_text(mistake.says, 88, initial_indent="  ", subsequent_indent="  "))
        if mistake.ask:
            click.echo(click.wrap_text(f"Ask: {mistake.ask}", 88, initial_indent="  ", subsequent_indent="  "))
    click.echo(f"Then: {command(f'check {found[0][0].name}')}")


def _known(within: str | None) -> Iterator[tuple[Exercise, Mistake]]:
    """Every mistake that has a name, with its exercise.

    Raises:
        UsageError: There is no such lesson or exercise.
    """
    for exercise in exercises_named(within):
        for mistake in getattr(exercise.task, "mistakes", ()):
            yield exercise, mistake
