"""`course reset`: puts back what was handed out, and keeps what you had."""

from __future__ import annotations

import click

from course.cli.completing import complete_lesson
from course.cli.folder import file_of, this_folder
from course.cli.readying import exercises_named, refuse_unknown_lesson
from course.show.words import command


@click.command()
@click.argument("name", metavar="LESSON[.EXERCISE]", shell_complete=complete_lesson)
def reset(name: str) -> None:
    """Put back what was handed out for a LESSON or one EXERCISE. Your text is kept beside it; your tries, too."""
    from course.authoring.reset import ResetError
    from course.authoring.reset import reset as put_back

    folder = this_folder()
    refuse_unknown_lesson(name)
    lesson, _, exercise = name.partition(".")
    names = exercises_named(name)[0].task.names if exercise else ()
    if exercise and not names:
        raise click.UsageError(f"{name} is a question: answer it again in its cell.")
    file = file_of(folder, lesson)
    if file is None:
        raise click.UsageError(f"{lesson} is not in {folder} yet: add it with `{command('start .', within=folder)}`.")
    try:
        kept = put_back(file, lesson, names)
    except ResetError as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"{file.name}: {name} is as it was handed out. What you had is in {kept.name}.")
    if file.suffix == ".ipynb":
        click.echo("If it is open in JupyterLab, reload it there before you save: File, Reload Notebook from Disk.")
