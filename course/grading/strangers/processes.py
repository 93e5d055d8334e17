"""The grader's end of the warm server: one process for each submission, and what it costs when one misbehaves."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from course.grading.strangers import messages
from course.grading.strangers.sandbox import Limits

START_SECONDS = 120.0
"""A cold import of JAX on a busy machine."""

_ROOT = str(Path(__file__).resolve().parents[3])
_PROGRAM = (
    "import sys; sys.path.insert(0, sys.argv[1]); from course.grading.strangers.server import main; "
    "main(int(sys.argv[2]), sys.argv[3])"
)
_KEPT_ENVIRONMENT = ("PATH", "LANG", "LC_ALL", "SYSTEMROOT")


class Stopped(Exception):
    """A submission's process is gone, or was ended: one sentence that says why."""


class NotConfined(Exception):
    """This machine lacks layers without which nothing of a stranger's is run."""


@dataclass(frozen=True)
class Terms:
    """On which terms strangers' code is run.

    Its limits, the wall time of one request, whether without layers, and a course in the place of ours, by its path.
    """

    limits: Limits = field(default_factory=Limits)
    seconds: float = 30.0
    trust: bool = False
    course: str = ""


class Server:
    """The warm server, started when it is first needed."""

    def __init__(self, terms: Terms = Terms()) -> None:
        self.terms = terms
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None

    def start(self, submission: Path) -> Session:
        """Forks a process for one submission.

        Raises:
            NotConfined: It would run without some layer.
            Stopped: It can't be read.
        """
        ours, theirs = socket.socketpair()
        scratch = tempfile.mkdtemp(prefix="handgrad-")
        request = {
            "submission": str(submission.absolute()),
            "scratch": scratch,
            "limits": dataclasses.asdict(self.terms.limits),
            "trust": self.terms.trust,
        }
        with theirs:
            pid = self._ask(request, [theirs.fileno()])["pid"]
        return Session(self, pid, ours, scratch).greeted()

    def end(self, pid: int) -> dict[str, Any]:
        """Ends a process of a submission, and says how it went and what it used."""
        return self._ask({"end": pid})

    def close(self) -> None:
        """Ends the server."""
        if self._control is not None and self._process is not None:
            self._control.close()
            self._process.kill()
            self._process.wait()
        self._control = self._process = None

    def _ask(self, request: dict[str, Any], descriptors: list[int] | None = None) -> dict[str, Any]:
        control = self.launch()
        socket.send_fds(control, [json.dumps(request).encode()], descriptors or [])
        reply: dict[str, Any] = json.loads(_line(control))
        return reply

    def launch(self) -> socket.socket:
        """Starts the server, unless it runs already, and waits until it is warm."""
        if self._control is not None:
            return self._control
        ours, theirs = socket.socketpair()
        environment = {name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ}
        environment |= {
            "JAX_PLATFORMS": "cpu",
            "JAX_ENABLE_COMPILATION_CACHE": "false",
            "OPENBLAS_NUM_THREADS": "1",
            "OMP_NUM_THREADS": "1",
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "PYTHONDONTWRITEBYTECODE": "1",
            "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false",
        }
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-c", _PROGRAM, _ROOT, str(theirs.fileno()), self.terms.course],
                env=environment,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        ours.settimeout(START_SECONDS)
        _line(ours)
        self._control = ours
        return ours


def _line(connection: socket.socket) -> bytes:
    text = b""
    while not text.endswith(b"\n"):
        part = connection.recv(1 << 12)
        if not part:
            raise RuntimeError("the process that starts submissions' processes is gone")
        text += part
    return text


class Session:
    """One submission's process."""

    def __init__(self, server: Server, pid: int, connection: socket.socket, scratch: str) -> None:
        self.server, self.pid, self.connection, self.scratch = server, pid, connection, scratch
        self.layers: tuple[str, ...] = ()
        self.cpu_seconds = 0.0
        self.reason = ""
        self._ended = False

    def greeted(self) -> Session:
        """Waits until the process is confined and has read the submission.

        Raises:
            NotConfined: Layers are missing.
            Stopped: It can't be read.
        """
        greeting, _ = self.request(None)
        if "unsafe" in greeting:
            self.close()
            raise NotConfined(", ".join(greeting["unsafe"]))
        if "failed" in greeting:
            self.close()
            raise RuntimeError(f"a submission's process could not be set up: {greeting['failed']}")
        if "unreadable" in greeting:
            self.close()
            raise Stopped(str(greeting["unreadable"]))
        self.layers = tuple(greeting["layers"])
        return self

    @property
    def is_over(self) -> bool:
        """Whether the process was ended."""
        return self._ended

    def request(self, message: dict[str, Any] | None, payload: bytes = b"") -> tuple[dict[str, Any], bytes]:
        """Asks for something and waits for the answer.

        Raises:
            Stopped: The process is gone, takes too long, or answers nonsense; it is ended.
        """
        if self._ended:
            raise Stopped(self.reason)
        self.connection.settimeout(self.server.terms.seconds)
        try:
            if message is not None:
                messages.send(self.connection, message, payload)
            return messages.receive(self.connection)
        except TimeoutError:
            why = f"It took more than {self.server.terms.seconds:.0f} s."
        except messages.Malformed as malformed:
            why = f"Its process was stopped: {malformed}."
        except (EOFError, OSError):
            why = ""
        self.reason = self.close(why)
        raise Stopped(self.reason)

    def close(self, why: str = "") -> str:
        """Ends the process, and says why it is gone."""
        if not self._ended:
            self._ended = True
            self.connection.close()
            usage = self.server.end(self.pid)
            self.cpu_seconds = usage["cpu"]
            shutil.rmtree(self.scratch, ignore_errors=True)
            why = why or _ending(usage["status"], self.server.terms)
        return why


def _ending(status: int, terms: Terms) -> str:
    if status == -signal.SIGXCPU or status == -signal.SIGKILL:
        return f"It used up its {terms.limits.cpu_seconds} s of processor time, or was killed for memory."
    if status < 0:
        with contextlib.suppress(ValueError):
            return f"Its process was ended by {signal.Signals(-status).name}."
    return f"It ended its own process, with status {status}."
