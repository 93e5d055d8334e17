"""What was graded so far: one line of JSON for each submission, appended when it is done.

A line that a crash cut short is dropped. What was judged under other circumstances is not mixed with this.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SCHEMA = 1
"""Version of the file. It grows when a reader of the old form would misread the new one."""


class OtherLedger(Exception):
    """The file was made under other circumstances: one sentence."""


@dataclass(frozen=True)
class Circumstances:
    """What a grade depends on beside the submission."""

    exercises: tuple[str, ...]
    secret: bytes
    level: str
    jax_version: str

    def header(self) -> dict[str, Any]:
        """The first line."""
        return {
            "schema": SCHEMA,
            "exercises": list(self.exercises),
            "secret_hash": hashlib.sha256(self.secret).hexdigest()[:16],
            "feedback": self.level,
            "jax_version": self.jax_version,
        }


class Ledger:
    """The file, and what it holds by student."""

    def __init__(self, place: Path, circumstances: Circumstances) -> None:
        """Reads what is there, or starts anew.

        Raises:
            OtherLedger: It was made under other circumstances.
        """
        self.place = place
        self.records: dict[str, dict[str, Any]] = {}
        header = circumstances.header()
        lines = _whole_lines(place)
        if lines and lines[0] != header:
            changed = ", ".join(name for name in header if lines[0].get(name) != header[name])
            raise OtherLedger(
                f"{place} holds grades made under other circumstances ({changed}): "
                "give other names to --csv, or take that file away to grade anew."
            )
        self.records = {str(line["student"]): line for line in lines[1:]}
        if not lines:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(_line(header))

    def has(self, student: str, digest: str) -> bool:
        """Whether just this work of a student is graded."""
        return self.records.get(student, {}).get("submission_hash") == digest

    def add(self, record: dict[str, Any]) -> None:
        """Appends a record; it is on the disk when this returns."""
        self.records[str(record["student"])] = record
        with self.place.open("ab") as file:
            file.write(_line(record))
            file.flush()
            os.fsync(file.fileno())


def _line(content: dict[str, Any]) -> bytes:
    return json.dumps(content, sort_keys=True).encode() + b"\n"


def _whole_lines(place: Path) -> list[dict[str, Any]]:
    """The lines that are whole; a last one that is not is cut off the file."""
    if not place.exists():
        return []
    content = place.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    if len(whole) < len(content):
        with place.open("r+b") as file:
            file.truncate(len(whole))
    return [json.loads(line) for line in whole.splitlines()]
