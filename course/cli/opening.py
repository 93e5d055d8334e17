"""`course open`: opens the file of a lesson, a notebook in JupyterLab and anything else in your editor."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import click

from course.cli.completing import complete_lesson
from course.cli.folder import attempts_in, file_of, next_of, this_folder
from course.cli.readying import refuse_unknown_lesson
from course.lessons import SYLLABUS
from course.show.words import command, tool


@click.command("open")
@click.argument("lesson", required=False, shell_complete=complete_lesson)
@click.option("--print", "say", is_flag=True, help="Print the file's path, and open nothing.")
def open_(lesson: str | None, say: bool) -> int:
    """Open the file of a LESSON, by default of the one that comes next."""
    folder = this_folder()
    if lesson is None:
        coming = next_of(attempts_in(folder).known)
        lesson = (coming.lesson if coming else SYLLABUS[-1]).name
    lesson = lesson.partition(".")[0]
    refuse_unknown_lesson(lesson)
    file = file_of(folder, lesson)
    if file is None:
        raise click.UsageError(f"{lesson} is not in {folder} yet: add it with `{command('start .', within=folder)}`.")
    if say:
        click.echo(file)
        return 0
    return _open(file)


def _open(file: Path) -> int:
    """Opens it, and waits for what was opened to end.

    Raises:
        ClickException: There is nothing to open it with.
    """
    if file.suffix != ".ipynb":
        editor = os.environ.get("VISUAL") or os.environ.get("EDITOR")
        return subprocess.call([*editor.split(), str(file)]) if editor else click.launch(str(file))
    jupyter = shutil.which(tool("jupyter"))
    if jupyter is None:
        raise click.ClickException(
            f"{file} is a notebook, and there is no JupyterLab here: `pip install 'handgrad[notebook]'`, or open the "
            "file in an editor that shows notebooks."
        )
    return subprocess.call([jupyter, "lab", str(file)])
