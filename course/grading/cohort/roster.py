"""Who handed in what: the entries of one folder, and what is odd about them, found out before anything is judged."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from course.grading.cohort.draws import draw_remarks, draws_in
from course.grading.cohort.packing import BadPack, digest_of, unpack
from course.grading.reading import SUFFIXES
from course.grading.submission import Submission, SubmissionError

ARCHIVE = ".zip"


@dataclass(frozen=True)
class Handed:
    """What one student handed in: where it can be read, its hash, what is odd about it, and the draws that it answers.

    With a `problem` nothing is judged; a `remark` is for the teacher to look at.
    """

    student: str
    path: Path
    digest: str = ""
    problem: str = ""
    remark: str = ""
    draws: frozenset[int] = frozenset()


def read_roster(folder: Path, unpacked: Path, names: Sequence[str]) -> tuple[Handed, ...]:
    """The submissions of a folder, in the order of the students' names. Nothing of them is executed.

    Args:
        folder: Holds one entry for each student: a notebook, a Python file, a pack, or a folder.
        unpacked: An empty folder, for what packs hold.
        names: What the exercises ask for; whoever defines none of it has named it otherwise.
    """
    entries = sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
    handed = [_handed(entry, unpacked, names) for entry in entries]
    return tuple(_with_copies(_once_each(handed)))


def _handed(entry: Path, unpacked: Path, names: Sequence[str]) -> Handed:
    student = entry.name if entry.is_dir() else entry.name.partition(".")[0]
    if not entry.is_dir() and entry.suffix not in (*SUFFIXES, ARCHIVE):
        return Handed(student, entry, problem=f"{entry.name} is no notebook, Python file, pack or folder")
    try:
        if entry.suffix == ARCHIVE and entry.is_file():
            place = unpacked / student
            place.mkdir(parents=True, exist_ok=True)
            unpack(entry, place)
            return _read(student, entry, place, names)
        return _read(student, entry, entry, names)
    except BadPack as why:
        return Handed(student, entry, problem=f"{entry.name}: {why}")
    except (SubmissionError, OSError) as why:
        return Handed(student, entry, problem=str(why).replace(str(entry), entry.name).rstrip("."))


def _read(student: str, entry: Path, place: Path, names: Sequence[str]) -> Handed:
    submission = Submission.read(place)
    digest = digest_of(place)
    whole = [file.fault.message for file in submission.files if file.fault is not None]
    if len(whole) == len(submission.files):
        return Handed(student, entry, digest, problem=whole[0].rstrip("."))
    unread = [fault.message.rstrip(".") for fault in submission.faults]
    if not unread and not any(file.definers(name) for file in submission.files for name in names):
        return Handed(student, place, digest, problem=f"{entry.name} defines nothing that is asked for")
    return Handed(student, place, digest, remark=unread[0] if unread else "", draws=draws_in(submission))


def _once_each(handed: Iterable[Handed]) -> list[Handed]:
    """One entry for each student; who handed in twice is asked which one counts."""
    by_student: dict[str, list[Handed]] = {}
    for one in handed:
        by_student.setdefault(one.student, []).append(one)
    return [_the_one(student, entries) for student, entries in sorted(by_student.items())]


def _the_one(student: str, entries: list[Handed]) -> Handed:
    if len({one.digest for one in entries}) == 1:
        return entries[0]
    names = " and ".join(one.path.name for one in entries)
    return Handed(student, entries[0].path, problem=f"handed in twice, differently ({names}): keep the one that counts")


def _with_copies(handed: Sequence[Handed]) -> Iterable[Handed]:
    """Says of whom the same work came too, or answers to the same draw."""
    drawn = draw_remarks([(one.student, one.draws) for one in handed if not one.problem])
    for one in handed:
        same = [other.student for other in handed if one.digest and other.digest == one.digest and other is not one]
        also = f"the same, to the last byte, as {', '.join(same)}" if same else ""
        remark = "; ".join(filter(None, (one.remark, also, drawn.get(one.student, ""))))
        yield dataclasses.replace(one, remark=remark)
