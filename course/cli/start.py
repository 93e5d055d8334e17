"""`course start`: makes a learner's folder."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), default=Path("work"))
@click.option("--files", is_flag=True, help="Make plain Python files in place of notebooks.")
def start(folder: Path, files: bool) -> None:
    """Make a FOLDER to work in, `work` by default. Work that is there already is never overwritten."""
    from course.authoring.start import start as make

    make(folder, files=files)
