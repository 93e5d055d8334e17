"""Makes a learner's copy of the course, from the made notebooks alone. What is there already is never written over."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from pathlib import Path

from course.answers import MARKER
from course.authoring.checkout import lesson_of, made_notebooks
from course.authoring.draws import with_draw
from course.authoring.handout import handout
from course.grading.attempts import Attempts

FIRST_DRAW, DRAWS = 1000, 9000
"""A learner's draw has four digits: short to type, and seldom that of another one in a class."""


class StartError(Exception):
    """Why there can be no copy: one sentence."""


@dataclass(frozen=True)
class Started:
    """What was done: the names of the files that were made, and of those that were there and are as they were."""

    folder: Path
    made: tuple[str, ...]
    kept: tuple[str, ...]


def start(folder: Path, files: bool = False, draw: int | None = None) -> Started:
    """Copies the notebooks into a folder, or makes a plain Python file of each; lessons that are there are left alone.

    Args:
        folder: It is made where it is not there.
        files: Whether plain files are made.
        draw: Says which mistakes are shown; by default the folder's own, which nobody else is likely to have.

    Raises:
        StartError: The folder can't be written, or the course has no notebooks.
    """
    notebooks = made_notebooks()
    if not notebooks:
        raise StartError("There are no notebooks to copy: in a checkout, `python -m course.authoring make` makes them.")
    made, kept = [], []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        draw = _mark(folder, draw)
        for notebook in notebooks:
            there = _there(folder, notebook, ".py" if files else ".ipynb")
            if there is not None:
                kept.append(there.name)
                continue
            place = folder / notebook.with_suffix(".py" if files else ".ipynb").name
            text = handout(notebook) if files else notebook.read_text(encoding="utf-8")
            text = with_draw(text, draw)
            with open(place, "x", encoding="utf-8", newline="\n") as file:
                file.write(text)
            made.append(place.name)
    except OSError as error:
        raise StartError(f"{error.filename or folder} can't be written: {error.strerror}.") from None
    return Started(folder, tuple(made), tuple(kept))


def _mark(folder: Path, draw: int | None) -> int:
    """Writes the file by which the folder is known, and in which tries are kept; returns the folder's draw."""
    place = folder / MARKER
    if not place.exists():
        place.write_text(json.dumps({"schema": 1}) + "\n", encoding="utf-8")
    own = Attempts(folder).draw(FIRST_DRAW + secrets.randbelow(DRAWS) if draw is None else draw)
    return own if draw is None else draw


def _there(folder: Path, notebook: Path, suffix: str) -> Path | None:
    """The lesson's file, whatever number it was copied under: a lesson added since may have moved the others."""
    lesson = lesson_of(notebook)
    return next((place for place in sorted(folder.glob(f"*{suffix}")) if lesson_of(place) == lesson), None)
