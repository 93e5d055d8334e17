"""What students hand in, for the tests: notebooks and files, written into a folder."""

import json
import textwrap
from pathlib import Path

from course.grading.submission import Submission


def notebook(path: Path, *cells: str) -> Path:
    """Writes a notebook whose code cells are given; a cell that starts with "# Text" is one of prose."""
    made = [
        {"cell_type": "markdown" if cell.startswith("# Text") else "code", "source": textwrap.dedent(cell)}
        for cell in cells
    ]
    return plain(path, json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))


def plain(path: Path, text: str) -> Path:
    """Writes a file, and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text), encoding="utf-8")
    return path


def cells(folder: Path, *sources: str) -> Submission:
    """A submission of one notebook, `work.ipynb`."""
    return Submission.read(notebook(folder / "work.ipynb", *sources))


def script(folder: Path, text: str) -> Submission:
    """A submission of one Python file, `work.py`."""
    return Submission.read(plain(folder / "work.py", text))
