"""Whether a saved notebook holds something that its kernel never ran: a cell that was changed, and not run again.

What a class is graded by is the file; what a running notebook judges is what was run. Text that was run and is not
saved yet is nothing to speak of; text that is saved and was never run is.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from course.grading.closure import close
from course.grading.extent import own_texts
from course.grading.parsing import parse_cells
from course.grading.reading import File, Unreadable, read_file
from course.grading.statements import Cell
from course.grading.stubs import unfinished


def notebook_of(namespace: Mapping[str, Any]) -> Path | None:
    """The file of the notebook that runs here, where Jupyter or VS Code says which one it is."""
    said = namespace.get("__vsc_ipynb_file__") or os.environ.get("JPY_SESSION_NAME")
    if not isinstance(said, str) or not said.endswith(".ipynb"):
        return None
    places = Path(said), Path.cwd() / Path(said).name  # Jupyter says where from its own root, and runs beside the file
    return next((place for place in places if place.is_file()), None)


def changed_since_run(notebook: Path, names: Sequence[str], ran: Iterable[str]) -> tuple[str, ...]:
    """The functions of an answer of which the saved notebook holds a text that is not among the cells that ran."""
    try:
        file = read_file(notebook, notebook.name)
    except Unreadable:
        return ()
    executed = {statement.text for statement in parse_cells(Cell("", "", cell, cell) for cell in ran).statements}
    return tuple(name for name in names if _texts_of(name, file) - executed)


def change_notice(namespace: Mapping[str, Any], names: Sequence[str]) -> str:
    """What to say of cells that were changed since they ran; nothing where all is as it was judged."""
    notebook, ran = notebook_of(namespace), namespace.get("In")
    if notebook is None or not isinstance(ran, list):
        return ""
    changed = changed_since_run(notebook, names, ran)
    if not changed:
        return ""
    return f"{notebook.name}, as saved, holds another {' and '.join(changed)} than ran here: run its cell, or save."


def _texts_of(name: str, file: File) -> frozenset[str]:
    """The texts that define a name, and the functions that it needs; none where there is only a stub of it."""
    standing = close(file, [name]).standing if file.definers(name) else ()
    return frozenset() if unfinished(standing, [name]) else own_texts(standing, [name])
