"""Puts the hand-out of a lesson, or of one exercise of it, back into a learner's file. What stood there is kept."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from course.authoring.checkout import lesson_of, made_notebooks
from course.authoring.draws import HANDED_OUT, draw_in, with_draw
from course.authoring.handout import handout
from course.grading.attempts import Attempts


class ResetError(Exception):
    """Why nothing was put back: one sentence."""


def reset(file: Path, lesson: str, names: Collection[str] = ()) -> Path:
    """Makes a learner's file what it was when it was handed out.

    Args:
        file: A notebook, or a plain file.
        lesson: Whose file it is.
        names: What an exercise asks for: then only the notebook's cells that define these are put back.

    Returns:
        Where the old text is kept.

    Raises:
        ResetError: The lesson has no notebook, or the file no such cell.
    """
    made = next((place for place in made_notebooks() if lesson_of(place) == lesson), None)
    if made is None:
        raise ResetError(f"There is no hand-out of {lesson} to put back.")
    if not names:
        text = made.read_text(encoding="utf-8") if file.suffix == ".ipynb" else handout(made)
    elif file.suffix == ".ipynb":
        text = _with_cells(file, made, names)
    else:
        raise ResetError(f"In a plain file only a whole lesson can be put back: {lesson}.")
    draw = draw_in(file.read_text(encoding="utf-8", errors="replace"))
    if draw is None:
        draw = Attempts(file.parent).draw(HANDED_OUT)
    kept = _aside(file)
    kept.write_bytes(file.read_bytes())
    file.write_text(with_draw(text, draw), encoding="utf-8", newline="\n")
    return kept


def _with_cells(file: Path, made: Path, names: Collection[str]) -> str:
    """The learner's notebook with the handed-out cells that define some names."""
    asked = {cell["id"]: cell["source"] for cell in _cells(made) if _defines(cell, names)}
    try:
        notebook = json.loads(file.read_text(encoding="utf-8"))
        theirs = [cell for cell in notebook["cells"] if cell.get("id") in asked]
    except (ValueError, KeyError, TypeError) as error:
        raise ResetError(f"{file.name} can't be read as a notebook: {error}.") from None
    if not asked or not theirs:
        raise ResetError(f"{file.name} has no cell for {' and '.join(names)} any more: put the whole lesson back.")
    for cell in theirs:
        cell["source"], cell["outputs"], cell["execution_count"] = asked[cell["id"]], [], None
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def _cells(notebook: Path) -> list[Mapping[str, Any]]:
    cells: list[Mapping[str, Any]] = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return cells


def _defines(cell: Mapping[str, Any], names: Collection[str]) -> bool:
    if "exercise" not in cell["metadata"].get("tags", []):
        return False
    text = "".join(cell["source"])
    return any(f"def {name}(" in text for name in names)


def _aside(file: Path) -> Path:
    """A name beside the file that nothing bears, and that is read by nobody as an answer."""
    numbers = (file.with_name(f"{file.name}.{number}.old") for number in range(1, 10_000))
    return next(place for place in numbers if not place.exists())
