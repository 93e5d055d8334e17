"""The learner's own earlier answers: `from course.answers import affine_fwd, affine_bwd`.

While a submission is judged, a name means that submission's answer. Elsewhere it is looked for in the running notebook
or script, then in the learner's folder, which `course start` marks with a file. An answer that is not written yet
can be imported all the same: it raises `Waiting` when it is called.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from course.grading.submission import Submission

MARKER = ".handgrad.json"
"""The file by which a learner's folder is known."""

resolver: ContextVar[Callable[[str], Any] | None] = ContextVar("resolver", default=None)
"""Finds an answer by name in the submission that is being judged; None outside judging."""


class Waiting(Exception):
    """An answer was called that is not there yet: its name, and why."""

    def __init__(self, name: str, why: str = "is not written yet"):
        super().__init__(f"It uses your {name}, which {why}.")
        self.name = name


def placeholder(name: str, why: str = "is not written yet") -> Callable[..., Any]:
    """Stands in for an answer that is not there yet."""

    def waiting(*args: Any, **kwargs: Any) -> Any:
        raise Waiting(name, why)

    waiting.__name__ = waiting.__qualname__ = name
    waiting.__module__ = __name__
    return waiting


def is_placeholder(value: Any) -> bool:
    """Whether a value stands in for an answer that is not there."""
    return getattr(value, "__module__", None) == __name__ and value is not Waiting


def find_folder(start: Path) -> Path | None:
    """The learner's folder that a place lies in, if it lies in one."""
    return next((place for place in (start, *start.parents) if (place / MARKER).is_file()), None)


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    resolve = resolver.get() or _resolve_live
    return resolve(name)


def _resolve_live(name: str) -> Any:
    value = vars(sys.modules["__main__"]).get(name)
    if getattr(value, "__module__", None) == "__main__":
        return value
    folder = find_folder(Path.cwd())
    if folder is None:
        return placeholder(name)
    from course.grading.reading import files_under  # what reads files is not needed to judge live functions

    stamps = ((str(file), file.stat().st_mtime_ns) for file in files_under(folder))
    return _snapshot(folder, tuple(stamps)).earlier_answer(name)


@functools.lru_cache(maxsize=1)
def _snapshot(folder: Path, stamps: tuple[tuple[str, int], ...]) -> Submission:
    """The learner's folder, read again when a file in it was saved, so that both halves of a pair come from one."""
    from course.grading.submission import Submission

    return Submission.read(folder)
