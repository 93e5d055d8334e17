"""The files of this repository that a module runs, found from its imports without running it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = ("course", "solutions", "evidence", "tests")


@cache
def reached(*modules: str) -> frozenset[Path]:
    """The files of some modules, and of all that they import in turn, inside functions too.

    What is imported by a name made at run time is not seen: name it among the modules.
    """
    files: set[Path] = set()
    open_ends = [file for module in modules for file in _files(module)]
    while open_ends:
        file = open_ends.pop()
        if file not in files:
            files.add(file)
            open_ends += [found for module in _imports(file) for found in _files(module)]
    return frozenset(files)


@cache
def every_source() -> frozenset[Path]:
    """All files of the code: for what starts processes, and for what reads the repository itself."""
    return frozenset(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def _files(module: str) -> Iterator[Path]:
    """The file of a module and those of the packages that it is in; none of what is not ours."""
    parts = module.split(".")
    if parts[0] in PACKAGES:
        for end in range(1, len(parts) + 1):
            place = ROOT.joinpath(*parts[:end])
            yield from (path for path in (place.with_suffix(".py"), place / "__init__.py") if path.is_file())


@cache
def _imports(file: Path) -> tuple[str, ...]:
    """What a file may import: of `from a import b` both `a` and `a.b`, which may be a module."""
    found: list[str] = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return tuple(found)
