"""Makes a learner's copy of the course, from the made notebooks alone. What is there already is never written over."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from course.answers import MARKER
from course.authoring.checkout import lesson_of, made_notebooks
from course.authoring.handout import handout


class StartError(Exception):
    """Why there can be no copy: one sentence."""


@dataclass(frozen=True)
class Started:
    """What was done: the names of the files that were made, and of those that were there and are as they were."""

    folder: Path
    made: tuple[str, ...]
    kept: tuple[str, ...]


def start(folder: Path, files: bool = False) -> Started:
    """Copies the notebooks into a folder, or makes a plain Python file of each; lessons that are there are left alone.

    Raises:
        StartError: The folder can't be written, or the course has no notebooks.
    """
    notebooks = made_notebooks()
    if not notebooks:
        raise StartError("There are no notebooks to copy: in a checkout, `python -m course.authoring make` makes them.")
    made, kept = [], []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _mark(folder)
        for notebook in notebooks:
            there = _there(folder, notebook, ".py" if files else ".ipynb")
            if there is not None:
                kept.append(there.name)
                continue
            place = folder / notebook.with_suffix(".py" if files else ".ipynb").name
            text = handout(notebook) if files else notebook.read_text(encoding="utf-8")
            with open(place, "x", encoding="utf-8", newline="\n") as file:
                file.write(text)
            made.append(place.name)
    except OSError as error:
        raise StartError(f"{error.filename or folder} can't be written: {error.strerror}.") from None
    return Started(folder, tuple(made), tuple(kept))


def _mark(folder: Path) -> None:
    """Writes the file by which the folder is known, and in which tries are kept."""
    place = folder / MARKER
    if not place.exists():
        place.write_text(json.dumps({"schema": 1}) + "\n", encoding="utf-8")


def _there(folder: Path, notebook: Path, suffix: str) -> Path | None:
    """The lesson's file, whatever number it was copied under: a lesson added since may have moved the others."""
    lesson = lesson_of(notebook)
    return next((place for place in sorted(folder.glob(f"*{suffix}")) if lesson_of(place) == lesson), None)
