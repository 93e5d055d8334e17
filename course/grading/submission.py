"""The submission: where answers come from, as a noun.

It is a snapshot. Files are read once; nothing is executed until a name is asked for; and what was executed is kept, so
that every exercise sees the same `affine_fwd`.
"""

from __future__ import annotations

import difflib
import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from course.grading.finding import Finder, Found
from course.grading.live import find_live
from course.grading.reading import SUFFIXES, File, Unreadable, read_files
from course.records import Fault

HERE = "this notebook"


class SubmissionError(Exception):
    """What was given is no submission: one sentence, for whoever gave it."""


class Answers(Protocol):
    """Where answers come from, wherever they run."""

    @property
    def where(self) -> str:
        """What its reader calls it."""

    def find(self, names: Sequence[str]) -> Found:
        """The values of some names, or the fault that keeps them from us."""

    def find_answer(self, question: str) -> Found:
        """The value given to a question, under the question's name."""


@dataclass(frozen=True, eq=False)
class Submission:
    """Somebody's answers: files that were read, or live values by their names.

    `where` is what its reader calls it, `root` the folder that it was read from. `fallback` supplies the earlier
    answers that are missing here; it is never asked for the answer that is judged.
    """

    where: str
    files: tuple[File, ...] = ()
    namespace: Mapping[str, Any] | None = None
    root: Path | None = None
    fallback: Submission | None = None

    @classmethod
    def read(cls, path: str | Path, *, fallback: Submission | None = None) -> Submission:
        """Reads a notebook, a Python file, a folder of these, or a module by its dotted name. Runs nothing of it.

        Raises:
            SubmissionError: There is nothing there, or nothing that could hold an answer.
        """
        place = _place_of(path)
        try:
            files = read_files(place)
        except Unreadable as why:
            raise SubmissionError(f"{path} can't be read: {why}") from None
        if not files:
            raise SubmissionError(f"There is no notebook and no Python file in {path}.")
        where = place.absolute().name if str(path) in (".", "..") else str(path)
        return cls(where, files, root=place.absolute() if place.is_dir() else None, fallback=fallback)

    @classmethod
    def of(cls, **values: Any) -> Submission:
        """Live functions, or other values, under the names that they answer to."""
        return cls.of_namespace(values)

    @classmethod
    def of_namespace(cls, namespace: Mapping[str, Any], where: str = HERE) -> Submission:
        """All that a running notebook or module holds: `Submission.of_namespace(globals())`."""
        return cls(where, namespace=namespace)

    @property
    def faults(self) -> tuple[Fault, ...]:
        """What could not be read, in order; answers that do not need it are judged all the same."""
        whole = [file.fault for file in self.files if file.fault is not None]
        return (*whole, *(unread.fault for file in self.files for unread in file.unread))

    def find(self, names: Sequence[str]) -> Found:
        """The values of some names, or the fault that keeps them from us. What they need is executed once.

        Raises:
            KeyboardInterrupt: It was interrupted.
        """
        if self.namespace is not None:
            return find_live(self.namespace, self.where, names)
        return self._finder.find(names)

    def find_answer(self, question: str) -> Found:
        """The value given in `course.answer(question, value)`, under the question's name."""
        return self.find([question])

    def earlier_answer(self, name: str) -> Any:
        """An answer for another answer to use: this submission's, the fallback's, or one that says it is waiting."""
        return self._finder.earlier_answer(name)

    @cached_property
    def _finder(self) -> Finder:
        return Finder(self.where, self.files, self.root, self.fallback)


def _place_of(path: str | Path) -> Path:
    place = Path(path).expanduser()
    if place.is_dir() or (place.is_file() and place.suffix in SUFFIXES):
        return place
    if place.exists():
        raise SubmissionError(f"{path} is no notebook, Python file or folder.")
    module = _module_place(str(path))
    if module is None:
        raise SubmissionError(f"There is no {path}.{_nearest(place)}")
    return module


def _module_place(name: str) -> Path | None:
    """Where the source of a module is; the current folder is looked at first, and nothing in it is imported."""
    if not all(part.isidentifier() for part in name.split(".")):
        return None
    here = Path(*name.split("."))
    if here.is_dir() or here.with_suffix(".py").is_file():
        return here if here.is_dir() else here.with_suffix(".py")
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return None
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return None
    origin = Path(spec.origin)
    return origin.parent if origin.name == "__init__.py" else origin


def _nearest(place: Path) -> str:
    folder = place.parent if place.parent.is_dir() else Path()
    names = [entry.name for entry in folder.iterdir() if entry.is_dir() or entry.suffix in SUFFIXES]
    near = difflib.get_close_matches(place.name, names, n=1, cutoff=0.5)
    return f" Did you mean {folder / near[0]}?" if near else ""
