"""Attacks on the rule that an answer is written by hand, and honest answers: how each fares.

Every file of tests/grading/attacks and tests/grading/honest is graded as a stranger's, in a process of its own: as it
is, and with nobody reading its source, where an answer must then be traceable. That an attack works undefended is
tested in tests/grading.
"""

from __future__ import annotations

import atexit
import dataclasses
import importlib.util
import tempfile
from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any

from course.exercises.exercise import Exercise
from course.grading.strangers.judging import judge_stranger
from course.grading.strangers.processes import Server, Terms
from course.grading.strangers.remote import Remote, roles_of
from course.grading.strangers.sandbox import Limits
from course.records import Feedback, Verdict
from evidence.pieces import Piece
from evidence.reached import ROOT, every_source
from evidence.tables import table
from tests.grading.attacked import ATTACKS, HONEST, LAYER, source

TITLE = "Attacks, and the layers that stop them"
SECONDS = 20
NO_CHEATS = frozenset({"costly_formula"})
"""Files among the attacks that are a poor answer, but an answer."""

SAMPLE = ("alias", "differences_in_scan", "hard_coded", "read_solutions", "loops")
"""Differentiation under another name, no differentiation at all, numbers of old, another's work; and honest work."""

TRACED = dataclasses.replace(LAYER, task=dataclasses.replace(LAYER.task, traceable=True))
"""The exercise as most are: an answer must be traceable."""

NEEDS = {"equinox": "equinox", "flax": "flax"}


def pieces() -> list[Piece]:
    """One for each file that can be tried here."""
    return [_piece(name) for name in (*ATTACKS, *HONEST) if _installed(NEEDS.get(name, "jax"))]


def sample() -> list[Piece]:
    """An attack of each family, and an honest file."""
    return [_piece(name) for name in SAMPLE]


def _piece(name: str) -> Piece:
    return Piece(name, 1, every_source(), partial(_judge, name))


def _installed(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


def _judge(name: str, step: Callable[[], None]) -> dict[str, Any]:
    """The verdict on a file as it is, and on the same with its source unread."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "work.py"
        file.write_text(source(name), encoding="utf-8")
        read, unread = _verdict(file, LAYER, reads=True), _verdict(file, TRACED, reads=False)
    step()
    return {"read": _plain(read), "unread": _plain(unread)}


@cache
def _server() -> Server:
    server = Server(Terms(Limits(cpu_seconds=SECONDS), seconds=SECONDS))
    atexit.register(server.close)
    return server


def _verdict(file: Path, exercise: Exercise, *, reads: bool) -> Verdict:
    remote = Remote(file.name, file, _server(), roles_of([exercise]), reads=reads)
    try:
        return judge_stranger(exercise, remote, seed=0, feedback=Feedback.PASS)
    finally:
        remote.close()


def _plain(verdict: Verdict) -> dict[str, Any]:
    return {
        "status": verdict.status.value,
        "right": verdict.right,
        "said": (verdict.lines or (verdict.headline,))[0].splitlines()[0].replace(f"{ROOT}/", ""),
    }


def summary(results: Mapping[str, Any]) -> dict[str, Any]:
    """The verdicts as they are."""
    return dict(results)


def complaints(results: Mapping[str, Any]) -> list[str]:
    """Attacks that pass, and honest answers that do not."""
    cheats = {*ATTACKS} - NO_CHEATS
    passing = [name for name, fares in results.items() if name in cheats and any(f["right"] for f in fares.values())]
    refused = [name for name in results if name in HONEST and not results[name]["read"]["right"]]
    return [f"the attack {name} passes" for name in passing] + [f"the honest {name} is refused" for name in refused]


def page(by_version: Mapping[str, Mapping[str, Any]]) -> str:
    """The table of files."""
    rows = [
        ("attack" if name in ATTACKS else "honest", name.replace("_", " "), version, *map(_cell, fares.values()))
        for version, found in by_version.items()
        for name, fares in found.items()
    ]
    header = ("kind", "file", "JAX", "as strangers are graded", "with the source unread")
    return f"Each file is one of tests/grading.\n\n{table(header, sorted(rows))}"


def _cell(fare: Mapping[str, Any]) -> str:
    return fare["status"] if fare["right"] else f"{fare['status']}: {fare['said']}"
