"""The one file that a learner hands in: a zip of their notebooks and Python files, the same bytes for the same work."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path, PurePosixPath

from course.answers import MARKER
from course.grading.reading import SUFFIXES, files_under

SUFFIX = ".handgrad.zip"
MANIFEST = "handgrad.json"
SCHEMA = 1
MOST_FILES = 500
MOST_BYTES = 50 << 20
"""Bytes of all files together, unpacked: notebooks with pictures take a few megabytes."""

_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The date of every file in a pack, so that the same work makes the same bytes."""


class BadPack(Exception):
    """A file is no pack: one clause that says why."""


def pack(folder: Path, target: Path) -> tuple[str, ...]:
    """Writes what a learner's folder holds into one file, and returns the names of what is in it.

    Raises:
        BadPack: There is nothing to pack, or too much.
    """
    files = files_under(folder)
    if not files:
        raise BadPack(f"there is no notebook and no Python file in {folder}")
    names = tuple(file.relative_to(folder).as_posix() for file in files)
    contents = [file.read_bytes() for file in files]
    if len(files) > MOST_FILES or sum(map(len, contents)) > MOST_BYTES:
        raise BadPack(f"it may hold {MOST_FILES} files and {MOST_BYTES >> 20} MB; {folder} holds more")
    manifest = {"schema": SCHEMA, "files": {n: _digest(c) for n, c in zip(names, contents, strict=True)}}
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in [(MANIFEST, json.dumps(manifest, indent=2).encode()), *zip(names, contents, strict=True)]:
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), content, zipfile.ZIP_DEFLATED)
    return names


def unpack(source: Path, folder: Path) -> None:
    """Writes the notebooks and Python files of a stranger's pack, or of any zip, into an empty folder.

    Raises:
        BadPack: It is none, holds too much, or names a place outside.
    """
    try:
        with zipfile.ZipFile(source) as archive:
            entries = [entry for entry in archive.infolist() if _is_wanted(entry)]
            if len(entries) > MOST_FILES or sum(entry.file_size for entry in entries) > MOST_BYTES:
                raise BadPack(f"it may hold {MOST_FILES} files and {MOST_BYTES >> 20} MB; it holds more")
            for entry in entries:
                place = folder.joinpath(*_parts(entry.filename))
                place.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(entry) as file:
                    place.write_bytes(file.read(MOST_BYTES))
    except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError, ValueError) as error:
        raise BadPack("it can't be unpacked") from error


def digest_of(path: Path) -> str:
    """A hash of a submission's notebooks and Python files, their names included, or of its one file."""
    if path.is_file():
        return _digest(path.read_bytes())
    whole = hashlib.sha256()
    for file in files_under(path):
        whole.update(f"{file.relative_to(path).as_posix()}\0{_digest(file.read_bytes())}\n".encode())
    return whole.hexdigest()


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _is_wanted(entry: zipfile.ZipInfo) -> bool:
    parts = _parts(entry.filename)
    hidden = any(part.startswith((".", "__MACOSX")) for part in parts)
    return not entry.is_dir() and entry.filename.endswith(SUFFIXES) and not hidden


def _parts(name: str) -> tuple[str, ...]:
    """The folders and the name of an entry.

    Raises:
        BadPack: They lead outside.
    """
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if not parts or ".." in parts or name.startswith("/") or any(":" in part or "\0" in part for part in parts):
        raise BadPack(f"it names a place outside of itself, {name[:60]!r}")
    return parts


def is_folder_of_a_learner(folder: Path) -> bool:
    """Whether `course start` made it."""
    return (folder / MARKER).is_file()
