"""Which of somebody's files defines a name, and what to say where none does, or two do."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import replace

from course.grading.closure import lost
from course.grading.extent import neighbour_of
from course.grading.reading import File
from course.grading.statements import Role
from course.grading.stubs import unfinished
from course.records import Fault


def place_of(files: Sequence[File], name: str) -> File | Fault | None:
    """The file that defines a name; None where it is set nowhere.

    A file that only imports the name counts where none defines it. An untouched stub gives way to an answer, and of
    two files with the same words the first one counts.
    """
    own = [file for file in files if _defines(file, name)]
    if not own:
        imported = next((file for file in files if file.definers(name) or _imports_all_of(file, name, files)), None)
        return imported or _lost_anywhere(files, name)
    answered = [file for file in own if not _is_stub(file, name)] or own[:1]
    different = {_words(file, name): file for file in reversed(answered)}
    if len(different) > 1:
        return _duplicate(list(reversed(different.values())), name)
    return _unread_later(answered[0], name) or answered[0]


def missing_fault(files: Sequence[File], where: str, names: Sequence[str], missing: Sequence[str]) -> Fault:
    """The fault of names that are set nowhere, when `names` were asked for."""
    unreadable = [file.fault for file in files if file.fault is not None]
    there = [name for name in names if name not in missing]
    verb = "is" if len(missing) == 1 else "are"
    what = "answered" if "." in missing[0] else "defined"
    text = f"{_listed(missing)} {verb} not {what} in {where}"
    if there:
        return Fault("missing", missing[0], f"{text}, {_listed(there)} {'is' if len(there) == 1 else 'are'}.")
    if unreadable:
        return Fault("unreadable", missing[0], f"{text}; {unreadable[0].message}")
    return Fault("missing", missing[0], f"{text}.{_nearest(files, missing[0])}")


def _defines(file: File, name: str) -> bool:
    return any(file.statements[i].role is not Role.IMPORT for i in file.definers(name))


def _imports_all_of(file: File, name: str, files: Sequence[File]) -> bool:
    """Whether it takes the name from a neighbour by `import *`."""
    stars = (statement.node for statement in file.statements if statement.role is Role.STAR)
    neighbours = (neighbour_of(node, file, files) for node in stars)
    return any(neighbour.definers(name) for neighbour in neighbours if neighbour)


def _is_stub(file: File, name: str) -> bool:
    return unfinished([file.statements[file.definers(name)[-1]]], [name]) is not None


def _words(file: File, name: str) -> str:
    return "\n".join(file.statements[i].text for i in file.definers(name))


def _duplicate(files: Sequence[File], name: str) -> Fault:
    lines = [file.statements[file.definers(name)[-1]].line for file in files]
    message = (
        f"{_listed([file.name for file in files])} both define `{name}`, differently: "
        "rename one, or take it out, so that it is clear which one counts."
    )
    return Fault("duplicate", name, message, lines[-1])


def _unread_later(file: File, name: str) -> Fault | None:
    """The fault of a cell that cannot be read and defines the name anew, after all others."""
    last = file.definers(name)[-1]
    for unread in reversed(file.unread):
        if name in unread.names and (unread.before > last or _is_stub(file, name)):
            return replace(unread.fault, where=name)
    return None


def _lost_anywhere(files: Sequence[File], name: str) -> Fault | None:
    return next((fault for file in files if (fault := lost(file, name))), None)


def _nearest(files: Sequence[File], name: str) -> str:
    known = {bound for file in files for bound in file.binders}
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.75)
    return f" There is `{near[0]}`: is it that?" if near else ""


def _listed(names: Sequence[str]) -> str:
    quoted = [f"`{name}`" for name in names]
    return " and ".join([", ".join(quoted[:-1]), quoted[-1]] if len(quoted) > 1 else quoted)
