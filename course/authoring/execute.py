"""Executes made notebooks from top to bottom, in one kernel that is emptied in between. Needs the development tools."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from course.answers import MARKER
from course.authoring.checkout import Checkout, stem_of
from course.authoring.make import lessons_with_source, make_notebook
from course.authoring.notebook import notebook_text
from course.compile_cache import KEPT, as_variables, cache_folder
from course.grading.ready import CACHE
from course.lessons import lesson_named

TIME_LIMIT = 300
"""Seconds that one cell may take on a slow machine."""


_CACHED = {**as_variables(KEPT), "TF_CPP_MIN_LOG_LEVEL": "3"}
"""So that what a notebook does before its first check is kept too."""


class CellFailed(Exception):
    """A cell raised: its name, and what it raised."""


class Kernel:
    """A running kernel, in a learner's folder of its own."""

    def __init__(self, manager: Any, folder: Path):
        self.manager, self.folder = manager, folder

    def run(self, notebook: Mapping[str, Any], environment: Mapping[str, str] | None = None) -> Any:
        """Executes a notebook; returns it with its outputs.

        Raises:
            CellFailed: A cell raised.
        """
        import nbformat
        from nbclient import NotebookClient
        from nbclient.exceptions import CellExecutionError, DeadKernelError

        node = nbformat.reads(notebook_text(notebook), 4)
        node.cells.insert(0, nbformat.v4.new_code_cell(_afresh(self.folder, environment or {}), id="afresh"))
        client = NotebookClient(node, km=self.manager, timeout=TIME_LIMIT, record_timing=False)
        try:
            client.execute()
        except DeadKernelError:
            raise CellFailed("the kernel died") from None
        except CellExecutionError as error:
            failed = next(cell for cell in node.cells if _error_of(cell))
            raise CellFailed(f'cell "{failed.metadata.get("name")}": {error.ename}: {error.evalue}') from None
        finally:
            if client.kc is not None:
                client.kc.stop_channels()
        del node.cells[0]
        return node


@contextlib.contextmanager
def kernel() -> Iterator[Kernel]:
    """A kernel, for as long as it is needed."""
    from jupyter_client.manager import AsyncKernelManager
    from jupyter_core.utils import run_sync

    with tempfile.TemporaryDirectory() as place:
        folder = Path(place).resolve()
        (folder / MARKER).write_text("{}\n")
        with contextlib.suppress(OSError):  # compiled programs are kept for the next time, where there can be links
            kept = cache_folder() / "jax"
            kept.mkdir(parents=True, exist_ok=True)
            (folder / CACHE).symlink_to(kept, target_is_directory=True)
        manager = AsyncKernelManager(kernel_name="python3")  # the other one does not see a kernel die
        environment = {**os.environ, **_CACHED, "IPYTHONDIR": str(folder / ".ipython")}
        environment["JAX_COMPILATION_CACHE_DIR"] = str(folder / CACHE)
        # A kernel warns of its unencrypted sockets, which are on this machine only.
        run_sync(manager.start_kernel)(cwd=place, env=environment, extra_arguments=["--IPKernelApp.log_level=40"])
        try:
            yield Kernel(manager, folder)
        finally:
            run_sync(manager.shutdown_kernel)(now=True)


def try_lesson(checkout: Checkout, lesson: str, there: Kernel, *, solved: bool, grading: bool = False) -> Any:
    """Executes a lesson's notebook in a folder with it and the notebooks of the lessons that it needs; returns it."""
    for place in there.folder.glob("*.ipynb"):
        place.unlink()
    names = [name for name in lessons_with_source(checkout) if name in _needed(lesson)]
    made = {name: make_notebook(checkout, name, solved=solved) for name in names}
    for name, notebook in made.items():
        (there.folder / f"{stem_of(name)}.ipynb").write_text(notebook_text(notebook), encoding="utf-8")
    return there.run(made[lesson], {"NBGRADER_EXECUTION": "autograde"} if grading else {})


def _needed(lesson: str) -> set[str]:
    """A lesson and all that it needs, and that these need."""
    return {lesson}.union(*(_needed(name) for name in lesson_named(lesson).needs))


def _afresh(folder: Path, environment: Mapping[str, str]) -> str:
    """What empties the kernel and brings it into the folder; `environment` says whether nbgrader seems to run it."""
    return f"""\
get_ipython().run_line_magic("reset", "-f")
import os, sys
os.chdir({str(folder)!r})
os.environ.pop("NBGRADER_EXECUTION", None)
os.environ.update({dict(environment)!r})
if "jax" in sys.modules:  # a lesson may have asked for float64
    sys.modules["jax"].config.update("jax_enable_x64", False)
del os, sys
"""


def _error_of(cell: Any) -> bool:
    return any(output.output_type == "error" for output in cell.get("outputs", []))
