"""`course pack`: makes the one file that a learner hands in."""

from __future__ import annotations

from pathlib import Path

import click

from course.answers import find_folder
from course.grading.cohort.packing import SUFFIX, BadPack
from course.grading.cohort.packing import pack as pack_folder
from course.show.words import command


@click.command()
@click.argument("name", metavar="NAME")
@click.option(
    "--folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="What to pack; by default your folder of this course.",
)
def pack(name: str, folder: Path | None) -> int:
    """Make the file that you hand in, NAME.handgrad.zip: your notebooks and Python files, and nothing else."""
    found = folder or find_folder(Path.cwd())
    if found is None:
        raise click.UsageError(f"There is nothing of yours here: go to your folder, or make one: `{command('start')}`.")
    if Path(name).name != name or name.startswith(("-", ".")):
        raise click.UsageError(f"NAME must be a plain name, such as ada-lovelace; {name!r} came.")
    target = Path.cwd() / f"{name}{SUFFIX}"
    try:
        names = pack_folder(found, target)
    except BadPack as why:
        raise click.ClickException(f"Nothing was packed: {why}.") from None
    click.echo(f"{target.name} holds {', '.join(names[:6])}{f' and {len(names) - 6} more' if len(names) > 6 else ''}.")
    return 0
