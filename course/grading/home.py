"""Where a submission feels at home: its own folders can be imported from, and nothing of it stays behind.

While it is open, modules are looked for in what is installed first, then in the submission's folders, then wherever
else this process looks. So a file named like an installed module (`timeit.py`, `jax.py`) hides nothing; its neighbours
cannot import it either. Modules found in those folders belong to this submission: they are taken out again when it is
closed, and come back when it is opened next, so that two people may each have a `helpers.py`.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

from course.comparison.faults import is_theirs


@dataclass(eq=False)
class Home:
    """The folders of one submission, and the modules that were imported from them."""

    folders: tuple[str, ...]
    modules: dict[str, ModuleType] = field(default_factory=dict)
    is_open: bool = False

    @contextlib.contextmanager
    def opened(self) -> Iterator[None]:
        """Within it the submission's own modules can be imported."""
        if self.is_open:
            yield
            return
        path, quiet = sys.path[:], sys.dont_write_bytecode
        others = self._take_out()
        sys.modules.update(self.modules)
        sys.path[:], sys.dont_write_bytecode, self.is_open = self._path(), True, True
        try:
            yield
        finally:
            sys.path[:], sys.dont_write_bytecode, self.is_open = path, quiet, False
            self.modules.update(self._take_out())
            sys.modules.update(others)

    def _path(self) -> list[str]:
        for folder in self.folders:
            sys.path_importer_cache.pop(folder, None)  # it may be older than a file that was just written
        installed = [entry for entry in sys.path if not is_theirs(os.path.join(entry, "module.py"))]
        return [*installed, *self.folders, *(entry for entry in sys.path if entry not in installed)]

    def _take_out(self) -> dict[str, ModuleType]:
        """Takes the modules that bear a name of this home out of `sys.modules`."""
        names = self._names()
        taken = {
            name: module
            for name, module in sys.modules.copy().items()
            if name.partition(".")[0] in names and is_theirs(_file_of(module))
        }
        for name in taken:
            del sys.modules[name]
        return taken

    def _names(self) -> set[str]:
        entries = (entry for folder in self.folders for entry in _entries(folder))
        return {entry.name.partition(".")[0] for entry in entries} - {"__main__"}


def home_of(file: Path, root: Path | None = None) -> tuple[str, ...]:
    """The folders that a file may import from: its own, the one that its package lies in, and the submission's."""
    folder = file.parent
    above = next(place for place in (folder, *folder.parents) if not (place / "__init__.py").exists())
    return tuple(dict.fromkeys(str(place) for place in (folder, above, root) if place is not None))


def package_of(file: Path) -> str:
    """The dotted name of the package that a file lies in, for its relative imports; empty where there is none."""
    names: list[str] = []
    folder = file.parent
    while (folder / "__init__.py").exists():
        names.insert(0, folder.name)
        folder = folder.parent
    return ".".join(names)


def _entries(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            return list(found)
    except OSError:
        return []


def _file_of(module: ModuleType) -> str:
    file = getattr(module, "__file__", None)
    if isinstance(file, str):
        return file
    places = list(getattr(module, "__path__", None) or [])
    return os.path.join(places[0], "__init__.py") if places else "<built in>"
