"""The warm server: JAX and all that an answer may import are imported, differentiation is off, no backend is started.

It forks one process for each submission, and never runs a line of one itself. A process that has started a backend must
not fork; one that has only imported JAX may.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import json
import os
import pkgutil
import signal
import socket
import sys
import tempfile
from pathlib import Path
from types import ModuleType
from typing import Any

MODULES = (
    "jax jax.numpy jax.nn jax.lax jax.scipy.linalg jax.scipy.special jax.scipy.stats jax.scipy.signal "
    "jax.scipy.optimize jax.scipy.sparse.linalg jax.experimental.jet jax.experimental.sparse jax.experimental.ode "
    "jax.export optax numpy jaxtyping einops equinox flax.nnx scipy.special scipy.optimize chex"
).split()
"""What an answer may import, or a cheat may try to: those that are installed are imported before differentiation is
turned off."""


_PR_SET_PDEATHSIG = 1


def main(descriptor: int, course: str = "") -> None:
    """Serves requests to fork until the grader hangs up; they come on the socket of this number.

    `course` is the path of somebody's own course, whose modules an answer may import.
    """
    control = socket.socket(fileno=descriptor)
    root = sys.path[0]
    end_with_parent()
    guard, turned_off = _disarm(course)
    with turned_off:
        from jax._src import xla_bridge

        assert not xla_bridge.backends_are_initialized()
        gc.collect()
        gc.freeze()
        control.sendall(b"ready\n")
        with contextlib.suppress(EOFError):
            while True:
                _serve_one(control, guard, root)


def end_with_parent() -> None:
    """Has the kernel end this process when the one that made it ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _disarm(course_path: str) -> tuple[Any, contextlib.AbstractContextManager[None]]:
    """Imports everything, and gives the guard and the context in which differentiation is off."""
    for name in MODULES:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    import course.lessons
    from course.comparison.by_hand.machinery import Guard
    from course.grading.strangers import child  # noqa: F401 - imported before any fork

    for module in pkgutil.walk_packages(course.lessons.__path__, "course.lessons."):
        importlib.import_module(module.name)
    if course_path:
        _import_primals(course_path)
    guard = Guard()
    return guard, guard.on()


def _import_primals(course_path: str) -> None:
    """Imports the modules of somebody's own course, and takes out of them what they ask and how it is judged."""
    from course.exercises.opened import modules_of

    for module in modules_of(course_path):
        for name, value in [*vars(module).items()]:
            home = value.__name__ if isinstance(value, ModuleType) else getattr(type(value), "__module__", "")
            home = getattr(value, "__module__", None) or home
            if str(home).startswith("course.") and not str(home).startswith("course.lessons"):
                delattr(module, name)


def _serve_one(control: socket.socket, guard: Any, root: str) -> None:
    """Forks for one submission, or ends the process of one.

    Raises:
        EOFError: The grader is gone.
    """
    text, descriptors, _, _ = socket.recv_fds(control, 1 << 16, 1)
    if not text:
        raise EOFError
    request = json.loads(text)
    if "end" in request:
        control.sendall(json.dumps(_end(request["end"])).encode() + b"\n")
        return
    child = os.fork()
    if child == 0:
        control.close()
        _become(request, descriptors[0], guard, root)
    os.close(descriptors[0])
    control.sendall(json.dumps({"pid": child}).encode() + b"\n")


def _end(pid: int) -> dict[str, Any]:
    """Ends a process and all of its group, and says how it went."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    _, status, usage = os.wait4(pid, 0)
    cpu = usage.ru_utime + usage.ru_stime
    return {"status": os.waitstatus_to_exitcode(status), "cpu": cpu, "kilobytes": usage.ru_maxrss}


def _become(request: dict[str, Any], descriptor: int, guard: Any, root: str) -> None:
    """Turns this process into the one that runs a submission. Never returns."""
    from course.grading.strangers import child, sandbox
    from course.grading.strangers.hiding import hide_the_course

    connection = socket.socket(fileno=descriptor)
    try:
        os.setsid()
        end_with_parent()
        nowhere = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nowhere, stream)
        os.closerange(3, descriptor)
        os.closerange(descriptor + 1, 1024)
        os.chdir(request["scratch"])
        os.environ.update(HOME=request["scratch"], TMPDIR=request["scratch"])
        tempfile.tempdir = request["scratch"]
        lessons = str(Path(root) / "course" / "lessons")
        own = [str(Path(root) / "course" / name) for name in ("__init__.py", "answers.py")]
        limits = sandbox.Limits(**request["limits"])
        readable = sandbox.readable_for([lessons, *own], request["submission"])
        layers = sandbox.confine(sandbox.Confinement(readable, request["scratch"], limits))
        hide_the_course(root)
        if not request["trust"] and not set(layers) >= sandbox.NEEDED:
            missing = sorted(sandbox.NEEDED - set(layers))
            child.messages.send(connection, {"unsafe": missing})
            os._exit(0)
        child.serve(connection, request["submission"], guard, layers)
    except Exception as error:
        child.messages.send(connection, {"failed": f"{type(error).__name__}: {error}"})
    finally:
        os._exit(1)
