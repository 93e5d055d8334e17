"""What a stranger's code may import of ours: `course`, `course.answers`, `course.lessons`; and no answers at all."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType

OPEN = ("course", "course.answers", "course.lessons")


class _NotYours:
    """Refuses, as the first that is asked, to find what is ours."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if _is_hidden(name):
            raise ModuleNotFoundError(f"No module named {name!r} for an answer that is graded", name=name)
        return None


def hide_the_course(root: str) -> None:
    """Takes what is not open out of `sys.modules`, keeps it from being imported again, and forgets where it lies."""
    sys.meta_path.insert(0, _NotYours())
    for name in [name for name in sys.modules if _is_hidden(name)]:
        owner, _, last = name.rpartition(".")
        vars(sys.modules[owner]).pop(last, None) if owner in sys.modules else None
        del sys.modules[name]
    sys.path[:] = [entry for entry in sys.path if entry != root]


def _is_hidden(name: str) -> bool:
    if name.partition(".")[0] == "solutions":
        return True
    return name.partition(".")[0] == "course" and name not in OPEN and not name.startswith("course.lessons.")
