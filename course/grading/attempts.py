"""What a learner has tried: one readable JSON file in their folder, by the names of exercises.

The file is the one that marks the folder. Whatever else stands in it is left as it is. It is read again just before it
is written, and replaced as a whole, so that two commands at once lose at most each other's last word on one exercise.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import json
import os
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from course.answers import MARKER
from course.records import Status, Verdict

SCHEMA = 1
"""Version of the file. It grows when a reader of the old form would misread the new one."""


@dataclass(frozen=True)
class Attempt:
    """How an exercise stands.

    Wrong tries so far, the last verdict in short, a hash of the last wrong text, and how many hints were asked for.
    """

    attempts: int = 0
    status: str = Status.NOT_STARTED.value
    points: float = 0.0
    when: str = ""
    source: str = ""
    hints: int = 0

    @property
    def right(self) -> bool:
        """Whether it was right when it was last judged, costly or not."""
        return self.status in (Status.RIGHT, Status.COSTLY)

    @property
    def handed_in(self) -> bool:
        """Whether it is a text that a person will judge."""
        return self.status == Status.HANDED_IN

    @property
    def done(self) -> bool:
        """Whether there is nothing left to do about it."""
        return self.right or self.handed_in

    def number(self, source: str) -> int:
        """Which try a text is, from 1. The wrong text of last time, judged again, is no new one."""
        return max(self.attempts, 1) if source == self.source else self.attempts + 1

    def after(self, verdict: Verdict, source: str) -> Attempt:
        """How it stands after a verdict. Only a wrong answer is a try: a slip of the keyboard is no mathematics."""
        wrong = verdict.status is Status.WRONG and not verdict.ours
        return dataclasses.replace(
            self,
            attempts=self.number(source) if wrong else self.attempts,
            status=verdict.status.value,
            points=verdict.points + verdict.cost_points,
            when=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            source=source if wrong else self.source,
        )


class Attempts:
    """The attempts of one folder; without a folder nothing is kept, and every try is the first.

    `complaint` says in one sentence what is wrong with the file, if something is.
    """

    def __init__(self, folder: Path | None) -> None:
        self.complaint = ""
        self._place = None if folder is None else folder / MARKER
        self.known = _attempts_in(self._read())

    def of(self, exercise: str) -> Attempt:
        """How an exercise stands; one that was never tried stands at nothing."""
        return self.known.get(exercise, Attempt())

    def number(self, exercise: str, source: str) -> int:
        """Which try at an exercise a text is, from 1."""
        return self.of(exercise).number(source)

    def keep(self, verdict: Verdict, source: str, lesson: Iterable[str] = ()) -> None:
        """Keeps a verdict on a text. `lesson` names all exercises beside it, which may be new to the file."""
        self._change(verdict.exercise, lesson, lambda attempt: attempt.after(verdict, source))

    def take_hint(self, exercise: str, most: int, lesson: Iterable[str] = ()) -> int:
        """Counts one hint more for an exercise, of `most` that there are; returns how many it has had."""
        taken = min(self.of(exercise).hints + 1, most)
        self._change(exercise, lesson, lambda attempt: dataclasses.replace(attempt, hints=taken))
        return taken

    def draw(self, new: int) -> int:
        """The number by which this folder's questions are drawn; `new` becomes it where there is none yet."""
        whole = self._read()
        known = whole.get("draw")
        if isinstance(known, int) and known >= 0:
            return known
        if self._place is not None:
            self._write(self._place, {"schema": SCHEMA, **whole, "draw": new})
        return new

    def _change(self, exercise: str, lesson: Iterable[str], change: Callable[[Attempt], Attempt]) -> None:
        if self._place is None:
            return
        whole = self._read()
        known = {**_attempts_in(whole)}
        for name in (*lesson, exercise):
            known.setdefault(name, Attempt())
        known[exercise] = change(known[exercise])
        self.known = known
        exercises = {name: asdict(attempt) for name, attempt in known.items()}
        self._write(self._place, {"schema": SCHEMA, **whole, "exercises": exercises})

    def _read(self) -> dict[str, Any]:
        """What the file holds; nothing where there is none, or one that is not ours, which is put aside."""
        if self._place is None:
            return {}
        try:
            whole = json.loads(self._place.read_text(encoding="utf-8") or "{}")
            if isinstance(whole, dict) and whole.get("schema", SCHEMA) == SCHEMA:
                return whole
        except OSError:
            return {}
        except (ValueError, RecursionError):
            pass
        self._put_aside(self._place)
        return {}

    def _put_aside(self, place: Path) -> None:
        aside = place.with_name(f"{place.name}.bak")
        with contextlib.suppress(OSError):
            os.replace(place, aside)
        self._write(place, {"schema": SCHEMA})
        self.complaint = f"{place} can't be read: it is now {aside.name}, and tries are counted from 1 again."

    def _write(self, place: Path, whole: Mapping[str, Any]) -> None:
        """Writes beside the file and then takes its place, so that nobody ever reads half of it."""
        beside = place.with_name(f"{place.name}.{os.getpid()}-{threading.get_ident()}")
        try:
            beside.write_text(json.dumps(whole, indent=2) + "\n", encoding="utf-8")
            os.replace(beside, place)
        except OSError as error:
            self.complaint = f"{place} can't be written, so this try is not kept: {error.strerror}."
        finally:
            with contextlib.suppress(OSError):
                beside.unlink(missing_ok=True)


def _attempts_in(whole: Mapping[str, Any]) -> dict[str, Attempt]:
    """The attempts that a file holds; what is no attempt is passed over."""
    found = whole.get("exercises")
    entries = found.items() if isinstance(found, dict) else ()
    return {name: attempt for name, entry in entries if (attempt := _attempt_of(entry))}


def _attempt_of(entry: Any) -> Attempt | None:
    try:
        known = Attempt(**entry)
        return Attempt(
            int(known.attempts),
            str(known.status),
            float(known.points),
            str(known.when),
            str(known.source),
            int(known.hints),
        )
    except (TypeError, ValueError):
        return None
