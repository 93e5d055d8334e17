"""Somebody's own course: a folder, or a file, of modules that hold a PAPER."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

from course.exercises.exercise import Paper


class NotACourse(ValueError):
    """A path that no course can be read from; the message says why."""


def read_course(path: str | Path) -> tuple[Paper, ...]:
    """The papers of the modules of a folder, in the order of their names, or that of one file.

    Raises:
        NotACourse: There is none, a module fails or bears a name that is taken, or no module holds a PAPER.
    """
    papers = tuple(m.PAPER for m in modules_of(path) if isinstance(getattr(m, "PAPER", None), Paper))
    if not papers:
        raise NotACourse(f"No module in {path} holds a PAPER: write PAPER = paper(your_primal) in one.")
    return papers


def modules_of(path: str | Path) -> list[Any]:
    """The modules of somebody's own course.

    The folder stays where modules are looked for, so that answers can import the primals.

    Raises:
        NotACourse: There is no such path, or a module fails or bears a name that is taken.
    """
    place = Path(path).expanduser().absolute()
    files = [place] if place.suffix == ".py" else sorted(place.glob("*.py"))
    if not place.exists():
        raise NotACourse(f"There is no {path}.")
    if str(place if place.is_dir() else place.parent) not in sys.path:
        sys.path.append(str(place if place.is_dir() else place.parent))
    return [_module(file) for file in files if not file.stem.startswith("_")]


def _module(file: Path) -> Any:
    try:
        module = importlib.import_module(file.stem)
    except Exception as error:
        raise NotACourse(f"{file.name} fails when it is imported: {type(error).__name__}: {error}") from None
    if Path(getattr(module, "__file__", None) or "").absolute() != file:
        raise NotACourse(f"{file.name} bears the name of another module: give it a name of its own.")
    return module
