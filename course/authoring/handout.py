"""Makes a plain Python file to work in from a made notebook, for those who like their editor better."""

from __future__ import annotations

import ast
import json
import re
import sys
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

NEEDED = re.compile(r"(jax|jaxtyping|numpy|course\.lessons|course\.answers)(\.|$)")
"""Where what an answer uses may come from, beside the standard library; other imports are for pictures."""

WIDTH = 100
"""Columns of a comment."""

_QUESTION = re.compile(r"^\*\*Question: .*", re.DOTALL | re.MULTILINE)


def handout(notebook: Path) -> str:
    """The text of a file with everything that a lesson asks, ready to be filled in."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    heading = [f'"""{_title(cells)}', "", "Fill in what is asked, save, and run `course check` in this folder.", '"""']
    head = "\n".join([*heading, "", "import course", *_imports(cells)])
    return "\n\n\n".join([head, *_asked(cells)]) + "\n"


def _title(cells: list[Mapping[str, Any]]) -> str:
    first = _text(cells[0]).split("\n")[0].lstrip("# ").strip()
    return first if first.endswith((".", "?", "!")) else f"{first}."


def _imports(cells: list[Mapping[str, Any]]) -> list[str]:
    """The imports of all cells but the set-up, one line each, those that only pictures need left out."""
    found: dict[str, None] = {}
    for cell in cells:
        for node in ast.parse(_text(cell)).body if cell["cell_type"] == "code" else []:
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            else:
                continue
            if all(NEEDED.match(name) or name.split(".")[0] in sys.stdlib_module_names for name in names):
                found[ast.unparse(node)] = None
    return sorted(found, key=lambda line: (line.startswith("from"), line))


def _asked(cells: list[Mapping[str, Any]]) -> Iterator[str]:
    """The stubs, and the questions with their text, which stands last in a cell above."""
    prompt, shown = "", []
    for cell in cells:
        tags = cell["metadata"].get("tags", [])
        if cell["cell_type"] == "markdown":
            prompt = next(iter(_QUESTION.findall(_text(cell))), prompt)
        elif "exercise" in tags:
            yield _text(cell)
        elif "shown" in tags:
            shown = [_text(cell)]
        elif "question" in tags:
            yield "\n".join([*_comment(prompt), *shown, _text(cell)])
            shown = []


def _comment(markdown: str) -> Iterator[str]:
    plain = re.sub(r"^\*\*(.*?)\*\* ", r"\1 ", markdown).replace("&lt;", "<").strip()
    plain = re.sub(r"\\([*_])", r"\1", plain)
    for line in plain.split("\n"):
        indentation = "    " if line.startswith("- ") else ""
        yield from textwrap.wrap(f"# {line}", WIDTH, subsequent_indent=f"# {indentation}") if line else "#"


def _text(cell: Mapping[str, Any]) -> str:
    return "".join(cell["source"])
