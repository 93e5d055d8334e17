"""Executes what an answer needs, in a module of its own, and turns what goes wrong into a fault."""

from __future__ import annotations

import ast
import contextlib
import io
import itertools
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from types import CodeType, ModuleType

from course.comparison.faults import fault_of, register
from course.grading.closure import Closure
from course.grading.home import package_of
from course.grading.reading import File
from course.records import Fault

MODULE = "handgrad_submission_"
"""How the modules that submissions are executed in are called, before a number."""

PRINTED = 10_000
"""Characters of output that are kept; a page is about 3000."""

_numbers = itertools.count(1)
_forgotten: list[str] = []


@dataclass(frozen=True)
class Execution:
    """What is there after executing a closure: the module, what it printed, what went wrong."""

    module: ModuleType
    printed: str
    fault: Fault | None


def execute(closure: Closure, where: str) -> Execution:
    """Executes a closure. Its module stays in `sys.modules`, for their dataclasses and type hints, until forgotten.

    Args:
        closure: The statements. What they import must be at hand.
        where: What a fault says that it is about.

    Raises:
        KeyboardInterrupt: It was interrupted.
    """
    while _forgotten:
        sys.modules.pop(_forgotten.pop(), None)
    module = _new_module(closure.file)
    sys.modules[module.__name__] = module
    fault = None
    with _quietly() as out:
        try:
            for code in _compiled(closure):
                exec(code, module.__dict__)
        except BaseException as error:
            if not is_their_fault(error):
                del sys.modules[module.__name__]
                raise
            fault = fault_of(error, where)
    return Execution(module, out.getvalue(), fault)


def forget(module: str) -> None:
    """Lets a module go at the next execution: `sys.modules` must not shrink when the garbage collector likes."""
    _forgotten.append(module)


def is_their_fault(error: BaseException) -> bool:
    """Whether an exception is a fact about their code, rather than an interruption or a refusal of this course's."""
    if isinstance(error, Exception):
        return True
    return not isinstance(error, KeyboardInterrupt) and type(error).__module__.partition(".")[0] != "course"


def _new_module(file: File) -> ModuleType:
    module = ModuleType(f"{MODULE}{next(_numbers)}")
    if file.path.suffix == ".py":
        module.__file__ = str(file.path)
        module.__package__ = package_of(file.path)
    return module


def _compiled(closure: Closure) -> Iterator[CodeType]:
    """The code of each run of statements from one cell, which knows its file and its line numbers."""
    for cell, run in itertools.groupby(closure.statements, key=lambda statement: statement.cell):
        register(cell.filename, cell.name, cell.source)
        body = ast.Module([statement.node for statement in run], [])
        yield compile(body, cell.filename, "exec", closure.file.parsed.future, dont_inherit=True)


@contextlib.contextmanager
def _quietly() -> Iterator[io.StringIO]:
    """Keeps what is printed, gives nothing to read, and leaves warnings about their code to their own editor."""
    out = _Output()
    stdin = sys.stdin
    with warnings.catch_warnings(), contextlib.redirect_stdout(out):
        warnings.simplefilter("ignore")
        sys.stdin = io.StringIO()
        try:
            yield out
        finally:
            sys.stdin = stdin


class _Output(io.StringIO):
    """Text that stops growing."""

    def write(self, text: str) -> int:
        left = PRINTED - self.tell()
        if left > 0:
            super().write(text if len(text) <= left else f"{text[:left]}\n(the rest is not shown)\n")
        return len(text)
