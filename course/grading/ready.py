"""What is set before JAX is imported: where its compiled programs are kept, for a learner in their own folder."""

from __future__ import annotations

from pathlib import Path

from course.answers import find_folder
from course.compile_cache import use_compile_cache

CACHE = ".handgrad_cache"
"""The folder for compiled programs in a learner's folder."""


def keep_programs() -> None:
    """Keeps compiled programs in the learner's folder that we are in, else in the user's; never in a stranger's."""
    folder = find_folder(Path.cwd())
    use_compile_cache(None if folder is None else folder / CACHE)
