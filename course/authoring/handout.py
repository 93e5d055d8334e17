"""Makes a plain Python file to work in from a made notebook, for those who like their editor better."""

from __future__ import annotations

import ast
import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

NEEDED = ("course", "jax", "jaxtyping", "numpy", *sys.stdlib_module_names)
"""Where what an answer uses may come from. Other imports of a notebook are for its pictures."""

_QUESTION = re.compile(r"^\*\*Question \d+: .*", re.DOTALL | re.MULTILINE)


def handout(notebook: Path) -> str:
    """The text of a file with everything that a lesson asks, ready to be filled in."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    parts = [f'"""{_title(cells)}\n\nFill in what is asked, save, and run `course check` in this folder.\n"""']
    parts.append("\n".join(["import course", *_imports(cells)]))
    return "\n\n\n".join([*parts, *_asked(cells)]) + "\n"


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
            if all(name.split(".")[0] in NEEDED for name in names):
                found[ast.unparse(node)] = None
    found.pop("import course", None)
    return sorted(found, key=lambda line: (line.startswith("from"), line))


def _asked(cells: list[Mapping[str, Any]]) -> Iterator[str]:
    prompts: list[str] = []
    for cell in cells:
        tags = cell["metadata"].get("tags", [])
        if cell["cell_type"] == "markdown":
            prompts += re.split(r"\n+(?=\*\*Question )", "".join(_QUESTION.findall(_text(cell)))) or []
        elif "exercise" in tags:
            yield _text(cell)
        elif "question" in tags:
            prompt = prompts.pop(0) if prompts else ""
            yield "\n".join([*(f"# {line}".rstrip() for line in _plain(prompt).split("\n") if prompt), _text(cell)])


def _plain(markdown: str) -> str:
    return re.sub(r"\\([*_])", r"\1", markdown.replace("**", "").replace("&lt;", "<")).strip()


def _text(cell: Mapping[str, Any]) -> str:
    return "".join(cell["source"])
