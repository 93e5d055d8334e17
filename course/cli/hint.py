"""`course hint`: one hint more for an exercise, from a nudge to nearly there."""

from __future__ import annotations

from collections.abc import Sequence

import click

from course.cli.completing import complete_lesson
from course.cli.folder import attempts_in, next_of, this_folder
from course.cli.readying import exercises_named, refuse_unknown_lesson
from course.exercises.exercise import Exercise
from course.grading.attempts import Attempts
from course.grading.hints import take_hint
from course.show.words import command


@click.command()
@click.argument("name", metavar="[EXERCISE]", required=False, shell_complete=complete_lesson)
def hint(name: str | None) -> None:
    """Give one hint more for an EXERCISE, by default for the one that comes next. None of them is the answer."""
    attempts = attempts_in(this_folder())
    if name is None:
        coming = next_of(attempts.known)
        if coming is None:
            click.echo("All that there is is right: there is nothing to hint at.")
            return
        name = coming.next
    refuse_unknown_lesson(name)
    exercise = _meant(name, attempts)
    say_hints(exercise.name, take_hint(exercise, attempts), len(exercise.hints))


def say_hints(name: str, hints: Sequence[str], most: int) -> None:
    """Prints the hints that were asked for so far, and how many are left of `most`."""
    if not most:
        click.echo(f"{name} has no hints: it is a question, and a wrong answer to it is told why it is wrong.")
        return
    for number, text in enumerate(hints, 1):
        click.echo(click.wrap_text(f"{number}. {text}", 88, subsequent_indent="   "))
    more = f"{most - len(hints)} more where that came from" if len(hints) < most else "that was the last"
    click.echo(f"{name} · {more} · then: {command(f'check {name}')}")


def _meant(name: str, attempts: Attempts) -> Exercise:
    """The exercise of a name; of a lesson the first with hints that is not right."""
    exercises = exercises_named(name)
    left = [e for e in exercises if e.hints and not attempts.of(e.name).done]
    return (left or list(exercises))[0]
