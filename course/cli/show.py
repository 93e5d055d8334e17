"""`course show`: a question as it is asked, with the numbers that it is about, for those who work in plain files."""

from __future__ import annotations

from pathlib import Path

import click

from course.answers import find_folder
from course.cli.completing import complete_lesson
from course.cli.folder import file_of
from course.cli.readying import exercises_named, ready_jax, refuse_unknown_lesson


@click.command()
@click.argument("name", metavar="LESSON[.QUESTION]", shell_complete=complete_lesson)
@click.option("--draw", type=click.IntRange(0, 999_999), help="Of the numbers; by default the one in your file.")
def show(name: str, draw: int | None) -> None:
    """Show the QUESTION "which mistake is this?" of a LESSON: the numbers, and what may have been done."""
    refuse_unknown_lesson(name)
    ready_jax()  # before the exercises import JAX: a program that is reloaded would write screens of warnings
    from course.exercises.showing import NoExhibit, exhibit_of
    from course.exercises.tasks.which_mistake import WhichMistake

    exercises = exercises_named(name)
    exercise = next((one for one in exercises if isinstance(one.task, WhichMistake)), exercises[0])
    try:
        click.echo(str(exhibit_of(exercise, own_draw(exercise.lesson) if draw is None else draw)))
    except NoExhibit as why:
        raise click.UsageError(str(why)) from None


def own_draw(lesson: str) -> int:
    """The draw that the learner's file of a lesson shows; that of the made notebooks where there is none."""
    from course.authoring.draws import HANDED_OUT, draw_in

    folder = find_folder(Path.cwd())
    file = file_of(folder, lesson) if folder else None
    found = draw_in(file.read_text(encoding="utf-8", errors="replace")) if file else None
    return HANDED_OUT if found is None else found
