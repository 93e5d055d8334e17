"""Finds names in somebody's files: what they need there, and what executing that gives."""

from __future__ import annotations

import contextlib
import functools
import operator
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from course import answers
from course.grading.closure import Closure, close
from course.grading.extent import Extent, extent_of, hash_of, own_texts
from course.grading.home import Home, home_of
from course.grading.places import missing_fault, place_of
from course.grading.reading import File
from course.grading.running import Execution, execute, forget
from course.grading.stubs import unfinished
from course.records import Fault, Line

HALVES = {"_fwd": "_bwd", "_bwd": "_fwd"}
"""How the two functions of a pair are called."""


@dataclass(frozen=True)
class Found:
    """What asking a submission for names gives: their values, or the fault that kept them from us.

    A fault of kind waiting may stand beside values. `uses` are the earlier answers that these import; of them,
    `supplied` came from the fallback. `skipped` are lines that would change what they need, and are not run. `own` are
    the texts that were written for this answer: the names themselves, and functions beside them that they call. `apart`
    says that the values run in a process of their own, where differentiation is refused.
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    fault: Fault | None = None
    printed: str = ""
    uses: tuple[str, ...] = ()
    supplied: tuple[str, ...] = ()
    skipped: tuple[Line, ...] = ()
    apart: bool = False
    extent: Extent = field(default=Extent(), repr=False)
    own: frozenset[str] = field(default=frozenset(), repr=False)
    at_home: Callable[[], AbstractContextManager[None]] = field(default=contextlib.nullcontext, repr=False)
    """Within `at_home()`, imports in the bodies of the values find the submission's files and earlier answers."""

    @property
    def source_hash(self) -> str:
        """Changes when the text of the answer, or of what it needs, does; empty where there is none."""
        return self.extent.source_hash

    @property
    def own_hash(self) -> str:
        """The same for the same answer in a running notebook and in its file; empty where there is none."""
        return hash_of(sorted(self.own))

    @property
    def line_count(self) -> int:
        """How many lines of code it took, without imports, comments and docstrings."""
        return len(self.extent.lines)


class Source(Protocol):
    """Whatever names can be found in."""

    def find(self, names: Sequence[str]) -> Found:
        """Their values, or the fault that kept them from us."""


@dataclass
class _Earlier:
    """The earlier answers that something imported when it was executed."""

    own: dict[str, Found] = field(default_factory=dict)
    supplied: set[str] = field(default_factory=set)
    waiting: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Loaded:
    """A closure that was executed, and the earlier answers that it imported."""

    closure: Closure
    execution: Execution
    earlier: _Earlier


class Finder:
    """The memory of one submission: what was found, and the modules that were executed for it."""

    def __init__(self, where: str, files: tuple[File, ...], root: Path | None, fallback: Source | None) -> None:
        self.where = where
        self.files = files
        self.root = root
        self.fallback = fallback
        self._found: dict[tuple[str, ...], Found] = {}
        self._loaded: list[_Loaded] = []
        self._homes: dict[tuple[str, ...], Home] = {}
        self._pending: list[tuple[str, ...]] = []

    def find(self, names: Sequence[str]) -> Found:
        """Finds names, and remembers."""
        key = tuple(names)
        if key not in self._found:
            self._pending.append(key)
            try:
                self._found[key] = self._find(key)
            except RecursionError:  # of ours, over their syntax tree: their own is caught where it runs
                self._found[key] = Found(fault=Fault("syntax", key[0], "It is nested too deeply to be read."))
            finally:
                self._pending.pop()
        return self._found[key]

    def earlier_answer(self, name: str) -> Any:
        """An earlier answer, the fallback's, or a placeholder that raises `Waiting` when it is called."""
        return self._earlier_answer(name, _Earlier())

    def _find(self, names: tuple[str, ...]) -> Found:
        places = {name: place_of(self.files, name) for name in names}
        faults = [place for place in places.values() if isinstance(place, Fault)]
        missing = [name for name, place in places.items() if place is None]
        if faults or missing:
            return Found(fault=faults[0] if faults else missing_fault(self.files, self.where, names, missing))
        files = {place.path: place for place in places.values() if isinstance(place, File)}
        return _joined([self._find_in(file, [n for n in names if places[n] is file]) for file in files.values()])

    def _find_in(self, file: File, names: list[str]) -> Found:
        closure = close(file, names)
        extent = extent_of(closure, self.files)
        fault = closure.fault or unfinished(closure.standing, names)
        if fault is not None:
            return Found(fault=fault, skipped=closure.skipped, extent=extent, own=own_texts(closure.standing, names))
        loaded = self._load(closure, names)
        execution, own = loaded.execution, list(loaded.earlier.own.values())
        there = {name: value for name, value in vars(execution.module).items() if name in names}
        missing = [name for name in names if name not in there]
        fault = execution.fault or _waiting_fault(closure, loaded.earlier, names[0])
        if missing and not fault:
            fault = missing_fault(self.files, self.where, names, missing)
        return Found(
            values={} if execution.fault or missing else there,
            fault=fault,
            printed=execution.printed,
            uses=_once([closure.earlier, *(found.uses for found in own)]),
            supplied=_once([sorted(loaded.earlier.supplied), *(found.supplied for found in own)]),
            skipped=closure.skipped,
            extent=functools.reduce(operator.or_, (found.extent for found in own), extent),
            own=own_texts(closure.standing, names),
            at_home=lambda: self._opened(file, loaded.earlier),
        )

    def _load(self, closure: Closure, names: list[str]) -> _Loaded:
        """Executes a closure, unless one that was executed holds it."""
        for loaded in self._loaded:
            if _holds(loaded, closure):
                return loaded
        earlier = _Earlier()
        with self._opened(closure.file, earlier):
            execution = execute(closure, names[0])
        weakref.finalize(self, forget, execution.module.__name__)
        self._loaded.append(_Loaded(closure, execution, earlier))
        return self._loaded[-1]

    @contextlib.contextmanager
    def _opened(self, file: File, earlier: _Earlier) -> Iterator[None]:
        folders = home_of(file.path, self.root)
        home = self._homes.setdefault(folders, Home(folders))
        token = answers.resolver.set(lambda name: self._earlier_answer(name, earlier))
        try:
            with home.opened():
                yield
        finally:
            answers.resolver.reset(token)

    def _earlier_answer(self, name: str, earlier: _Earlier) -> Any:
        if any(name in names for names in self._pending):
            chain = " needs ".join([*(names[0] for names in self._pending), name])
            raise ImportError(f"`{name}` needs itself: {chain}")
        found = _with_other_half(self, name)
        if found.fault is None:
            earlier.own[name] = found
            return found.values[name]
        instead = _with_other_half(self.fallback, name) if self.fallback else found
        if instead.fault is None:
            earlier.supplied.add(name)
            return instead.values[name]
        earlier.waiting[name] = _why(found.fault)
        return answers.placeholder(name, earlier.waiting[name])


def _with_other_half(source: Source, name: str) -> Found:
    """Finds an answer together with the other half of its pair if it can, so that both see the same classes."""
    if name[-4:] in HALVES:
        pair = sorted([name, name[:-4] + HALVES[name[-4:]]], reverse=True)
        found = source.find(pair)
        if found.fault is None:
            return found
    return source.find([name])


def _holds(loaded: _Loaded, closure: Closure) -> bool:
    if loaded.closure.file is not closure.file or loaded.execution.fault:
        return False
    return set(closure.indexes) <= set(loaded.closure.indexes)


def _waiting_fault(closure: Closure, earlier: _Earlier, where: str) -> Fault | None:
    """The fault of using an earlier answer that is not there."""
    for statement in closure.statements:
        for name in set(statement.earlier_answers) & set(earlier.waiting):
            return Fault("waiting", where, f"It uses your {name}, which {earlier.waiting[name]}.", statement.line)
    return None


def _why(fault: Fault) -> str:
    if fault.kind in ("missing", "not_started"):
        return "is not written yet"
    return f"can't be used: {fault.message.rstrip('.')}"


def _once(lists: Iterable[Iterable[str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for names in lists for name in names))


def _joined(parts: list[Found]) -> Found:
    """What was found in several files, as one."""
    if len(parts) == 1:
        return parts[0]
    fault = next((part.fault for part in parts if part.fault), None)

    @contextlib.contextmanager
    def at_home() -> Iterator[None]:
        with contextlib.ExitStack() as stack:
            for part in parts:
                stack.enter_context(part.at_home())
            yield

    return Found(
        values={name: value for part in parts for name, value in part.values.items()},
        fault=fault,
        printed="".join(part.printed for part in parts),
        uses=_once(part.uses for part in parts),
        supplied=_once(part.supplied for part in parts),
        skipped=tuple(line for part in parts for line in part.skipped),
        extent=functools.reduce(operator.or_, (part.extent for part in parts)),
        own=frozenset().union(*(part.own for part in parts)),
        at_home=at_home,
    )
