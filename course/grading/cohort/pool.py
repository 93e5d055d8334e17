"""Workers by core: each judges one submission at a time, and is replaced when a submission takes it along."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import selectors
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from course.grading.cohort.roster import Handed
from course.grading.cohort.seeds import seed_of

START_SECONDS = 180.0
"""What a worker may take until it is ready, on a busy machine: JAX is imported twice."""

_ROOT = str(Path(__file__).resolve().parents[3])


_PROGRAM = "import sys; sys.path.insert(0, sys.argv[1]); from course.grading.cohort.worker import main; main()"


class NotSafe(Exception):
    """This machine lacks layers without which nothing of a stranger's is run: their names."""


@dataclass(frozen=True)
class Plan:
    """How submissions are judged: the course's secret, the exercises, the level, the limits.

    `seconds` is the wall time that one exercise may take. `scratch` is a folder for what is gone afterwards. `trust`
    runs strangers' code though layers are missing. `course` is the path of somebody's own course, in the place of ours.
    """

    secret: bytes
    exercises: tuple[str, ...]
    level: str = "name"
    seconds: float = 90.0
    scratch: str = ""
    trust: bool = False
    course: str = ""

    def seeds(self, one: Handed) -> dict[str, int]:
        """The seed of each exercise of a submission, in the order in which they are judged."""
        return {name: seed_of(self.secret, one.digest, name) for name in self.exercises}


def grade_all(handed: Iterable[Handed], plan: Plan, workers: int) -> Iterator[dict[str, Any]]:
    """Judges submissions, and yields a record for each when it is done, in any order.

    Raises:
        NotSafe: Layers are missing.
        RuntimeError: A worker fails of itself.
    """
    todo: queue.SimpleQueue[Handed] = queue.SimpleQueue()
    count = 0
    for one in handed:
        todo.put(one)
        count += 1
    done: queue.SimpleQueue[dict[str, Any] | BaseException] = queue.SimpleQueue()
    crew = [_Worker(plan) for _ in range(min(workers, count))]
    for worker in crew:
        threading.Thread(target=_work, args=(worker, todo, done), daemon=True).start()
    try:
        for _ in range(count):
            record = done.get()
            if isinstance(record, BaseException):
                raise record
            yield record
    finally:
        for worker in crew:
            worker.end()


def _work(worker: _Worker, todo: queue.SimpleQueue[Handed], done: queue.SimpleQueue[Any]) -> None:
    with contextlib.suppress(queue.Empty):
        while True:
            one = todo.get_nowait()
            try:
                done.put(worker.grade(one))
            except BaseException as error:
                done.put(error)
                return


class _Gone(Exception):
    """The worker ended, or took too long: one sentence."""


class _Worker:
    """One worker process, started when it is needed."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.process: subprocess.Popen[bytes] | None = None
        self._rest = b""

    def grade(self, one: Handed) -> dict[str, Any]:
        """Judges one submission, exercise by exercise; the one that ends a worker is recorded as stopped."""
        seeds = self.plan.seeds(one)
        stopped: dict[str, str] = {}
        told: list[dict[str, Any]] = []
        while True:
            left = {name: seed for name, seed in seeds.items() if name not in {_name(t) for t in told}}
            try:
                for line in self._ask(one, left, stopped):
                    if "done" in line:
                        return _record(one, told, line)
                    told.append(line)
            except _Gone as why:
                self.end()
                pending = [name for name in seeds if name not in {_name(t) for t in told}]
                if not pending or pending[0] in stopped:
                    raise RuntimeError(f"a worker ends of itself while {one.student} is graded: {why}") from None
                stopped[pending[0]] = str(why)

    def _ask(self, one: Handed, seeds: Mapping[str, int], stopped: Mapping[str, str]) -> Iterator[dict[str, Any]]:
        process = self._running()
        request = {
            "student": one.student,
            "path": str(one.path),
            "seeds": seeds,
            "stopped": stopped,
            "level": self.plan.level,
        }
        try:
            _write(process, request)
        except OSError:
            raise _Gone(self._ending()) from None
        while True:
            line = json.loads(self._line(self.plan.seconds))
            if "not_confined" in line:
                raise NotSafe(line["not_confined"])
            yield line
            if "done" in line:
                return

    def _line(self, patience: float) -> bytes:
        """The next line.

        Raises:
            _Gone: It does not come.
        """
        assert self.process is not None
        assert self.process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while b"\n" not in self._rest:
                if not selector.select(patience):
                    raise _Gone(f"It took more than {patience:.0f} s.")
                part = os.read(self.process.stdout.fileno(), 1 << 16)
                if not part:
                    raise _Gone(self._ending())
                self._rest += part
        line, _, self._rest = self._rest.partition(b"\n")
        return line

    def _running(self) -> subprocess.Popen[bytes]:
        if self.process is None:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-c", _PROGRAM, _ROOT],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL if "HANDGRAD_TRACEBACK" not in os.environ else None,
                start_new_session=True,
                env={
                    **os.environ,
                    "JAX_PLATFORMS": "cpu",
                    **({"TMPDIR": self.plan.scratch} if self.plan.scratch else {}),
                },
            )
            self._rest = b""
            _write(
                self.process,
                {"seconds": self.plan.seconds / 2, "trust": self.plan.trust, "course": self.plan.course},
            )
            self._line(START_SECONDS)
        return self.process

    def _ending(self) -> str:
        assert self.process is not None
        status = self.process.wait()
        how = signal.Signals(-status).name if status < 0 else f"status {status}"
        return f"Its program ended the process that ran it ({how}), as for want of memory."

    def end(self) -> None:
        """Ends the process; its own server and that one's children end with it."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            for stream in (self.process.stdin, self.process.stdout):
                if stream is not None:
                    with contextlib.suppress(OSError):
                        stream.close()
            self.process = None


def _write(process: subprocess.Popen[bytes], message: Mapping[str, Any]) -> None:
    assert process.stdin is not None
    process.stdin.write(json.dumps(message).encode() + b"\n")
    process.stdin.flush()


def _name(told: Mapping[str, Any]) -> str:
    return str(told["verdict"]["exercise"])


def _record(one: Handed, told: list[dict[str, Any]], done: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "student": one.student,
        "submission_hash": one.digest,
        "jax_version": done["jax_version"],
        "exercises": told,
    }
