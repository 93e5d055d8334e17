"""Makes the notebooks of a checkout."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from course.authoring.checkout import Checkout, lesson_of, stem_of
from course.authoring.notebook import Maker, notebook_text
from course.authoring.solution import read_solution
from course.authoring.source import read_source
from course.exercises import paper_of
from course.lessons import SYLLABUS


def make_notebook(checkout: Checkout, lesson: str, *, solved: bool = False) -> dict[str, Any]:
    """Makes one lesson's notebook; the solved one is for tests and is written nowhere.

    Raises:
        AuthoringError: The source is not one that a notebook can be made from.
    """
    source = read_source(checkout.source(lesson))
    return Maker(source, read_solution(checkout.solution(lesson)), paper_of(lesson), solved).make()


def lessons_with_source(checkout: Checkout) -> list[str]:
    """The lessons whose notebook has a source, and whose answers are there, in the order of the syllabus."""
    names = [row.name for row in SYLLABUS]
    return [name for name in names if checkout.source(name).is_file() and checkout.solution(name).is_file()]


def renumber(checkout: Checkout) -> list[Path]:
    """Renames sources and notebooks whose lesson has moved in the syllabus; returns where they now lie."""
    known = {row.name for row in SYLLABUS}
    moved = []
    for place in sorted((checkout.root / "notebooks").glob("[0-9][0-9]_*")):
        lesson = lesson_of(place)
        if lesson in known and place.stem != stem_of(lesson):
            moved.append(place.rename(place.with_stem(stem_of(lesson))))
    return moved


def write_notebooks(checkout: Checkout, lessons: list[str]) -> list[Path]:
    """Makes the notebooks of some lessons; returns those that changed."""
    changed = []
    for lesson in lessons:
        text, place = notebook_text(make_notebook(checkout, lesson)), checkout.made(lesson)
        if not place.is_file() or place.read_bytes() != text.encode():
            place.write_text(text, encoding="utf-8", newline="\n")
            changed.append(place)
    return changed
