"""Where the parts of a lesson lie: in a checkout, with sources and answers, or in an installed wheel, with neither."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from course.lessons import SYLLABUS

PACKAGE = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Checkout:
    """A folder with all rooms of the course."""

    root: Path

    def source(self, lesson: str) -> Path:
        """The notebook's source, in the percent format."""
        return self.root / "notebooks" / f"{stem_of(lesson)}.py"

    def made(self, lesson: str) -> Path:
        """The notebook that is made from it."""
        return self.root / "notebooks" / f"{stem_of(lesson)}.ipynb"

    def solution(self, lesson: str) -> Path:
        """The answers."""
        return self.root / "solutions" / f"{lesson}.py"

    def tests(self, lesson: str) -> Path:
        """The claims that an answer must meet."""
        return self.root / "tests" / "lessons" / f"test_{lesson}.py"


def this_checkout() -> Checkout | None:
    """The checkout that this package runs from; None in an installed wheel."""
    root = PACKAGE.parent
    return Checkout(root) if (root / "solutions").is_dir() and (root / "pyproject.toml").is_file() else None


def stem_of(lesson: str) -> str:
    """A notebook's file name without its ending: the place in the syllabus, for display only, and the lesson."""
    number = next(place for place, row in enumerate(SYLLABUS, 1) if row.name == lesson)
    return f"{number:02}_{lesson}"


def lesson_of(file: Path) -> str:
    """The lesson of a notebook or hand-out, whatever its number."""
    return file.stem.partition("_")[2] if file.stem[:2].isdigit() else file.stem


def made_notebooks() -> list[Path]:
    """The made notebooks, in the order of the syllabus: package data in a wheel, in a checkout under `notebooks/`."""
    checkout = this_checkout()
    folder = checkout.root / "notebooks" if checkout else PACKAGE / "_notebooks"
    return [path for row in SYLLABUS if (path := folder / f"{stem_of(row.name)}.ipynb").is_file()]
