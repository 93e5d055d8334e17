"""Turns an exception into a fault that its author can read: their line, one sentence, and what to do.

The line is that of the deepest frame in a file of theirs: not Python's, not an installed package's, not ours. Where
another file of theirs called into that one, the line of the call is told as well.
JAX's errors are known by the names of their classes, so that nothing here imports JAX.
"""

from __future__ import annotations

import functools
import linecache
import os
import sys
import sysconfig
import traceback
from collections.abc import Sequence
from typing import NamedTuple

from course.records import Fault, Line

_OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_PYTHONS = tuple({sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib"), os.path.dirname(os.__file__)})
_PACKAGES = ("site-packages", "dist-packages")
_TYPED_IN = ("<ipython-input", "<stdin>", "<python-input", "<doctest")
_LONGEST = 200
"""Characters of somebody else's message that are shown; the rest is rarely read."""

_names: dict[str, str] = {}


class _Place(NamedTuple):
    """Where a frame stands."""

    filename: str
    number: int
    function: str


class _Known(NamedTuple):
    """An error that is met often: its class, words in its message, and what to say of it."""

    error: str
    fragment: str
    kind: str
    sentence: str


_KNOWN = (
    _Known(
        "TracerArrayConversionError",
        "",
        "tracing",
        "NumPy was given a value that JAX is tracing: use `jnp` in place of `np`.",
    ),
    _Known(
        "TracerBoolConversionError",
        "",
        "tracing",
        "A Python `if`, `while`, `and` or `assert` asks whether a traced value is true: "
        "use `jnp.where` or `jax.lax.cond`.",
    ),
    _Known(
        "TracerIntegerConversionError",
        "",
        "tracing",
        "A traced value is used as a Python integer, as in `range(n)` or the index of a list: "
        "take it from a shape, or use `jax.lax`.",
    ),
    _Known(
        "NonConcreteBooleanIndexError",
        "",
        "tracing",
        "An array is indexed by a mask, so its size depends on values: use `jnp.where(mask, x, 0)`.",
    ),
    _Known(
        "ConcretizationTypeError",
        "",
        "tracing",
        "A traced value is needed as a plain number, as by `float()`, `.item()` or `math.exp`: use `jnp`.",
    ),
    _Known(
        "UnexpectedTracerError",
        "",
        "state",
        "A value made in an earlier call was kept outside the function and used again: return it, or pass it in.",
    ),
    _Known(
        "TypeError",
        "JAX arrays are immutable",
        "exception",
        "JAX arrays do not change: write `x = x.at[i].set(value)` in place of `x[i] = value`.",
    ),
    _Known(
        "ValueError",
        "read-only",
        "mutation",
        "It writes into an array that must not change, such as one of its inputs: make a new array.",
    ),
    _Known(
        "TypeError",
        "carry",
        "exception",
        "A loop's carry must keep its structure, shapes and dtypes from one step to the next.",
    ),
    _Known("RecursionError", "", "exception", "The function calls itself without end."),
    _Known("SystemExit", "", "exception", "It ends the program with `exit`: take that out."),
)


def fault_of(error: BaseException, where: str = "") -> Fault:
    """The fault that an exception amounts to.

    Args:
        error: What was raised, with its traceback.
        where: The function or array at fault; without it, the function that the line is in.
    """
    if isinstance(error, SyntaxError) and is_theirs(error.filename or "<>"):
        return _syntax_fault(error, where)
    theirs = _theirs(error)
    place = theirs[-1] if theirs else None
    kind, message = _meaning(error, place)
    if place is None:
        return Fault(kind, where, message)
    if kind == "exception":
        message += _called_at(theirs)
    return Fault(kind, where or _plain(place.function), message, line_at(place.filename, place.number))


def is_theirs(filename: str) -> bool:
    """Whether a file is the judged person's own: not this course's, an installed package's or Python's."""
    if filename.startswith("<"):
        return filename.startswith(_TYPED_IN)
    return _is_their_file(os.path.normcase(os.path.abspath(filename)))


@functools.lru_cache(maxsize=4096)
def _is_their_file(path: str) -> bool:
    if any(part in _PACKAGES for part in path.split(os.sep)):
        return False
    return not any(path.startswith(os.path.normcase(root) + os.sep) for root in (_OURS, *_PYTHONS))


def register(filename: str, name: str, source: str) -> None:
    """Makes the lines of code that is in no plain file known to tracebacks, and its name to `line_at`."""
    _names[filename] = name
    lines = [line + "\n" for line in source.split("\n")]
    linecache.cache[filename] = (len(source), None, lines, filename)


def line_at(filename: str, number: int) -> Line:
    """A line of theirs, under the name by which they know the file."""
    return Line(name_of(filename), number, linecache.getline(filename, number).strip())


def one_sentence(error: BaseException) -> str:
    """The class of an exception and the first line of its message, cut where it is long."""
    try:
        words = next(filter(None, map(str.strip, str(error).splitlines())), "")
    except Exception:  # __str__ is their code, too
        words = ""
    if len(words) > _LONGEST:
        words = words[:_LONGEST].rsplit(" ", 1)[0] + " ..."
    text = f"{type(error).__name__}: {words}" if words else type(error).__name__
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _meaning(error: BaseException, place: _Place | None) -> tuple[str, str]:
    classes = {cls.__name__ for cls in type(error).__mro__}
    if "Waiting" in classes:
        return "waiting", one_sentence(error).removeprefix("Waiting: ")
    if isinstance(error, NotImplementedError) and _places(error)[-1:] == [place]:
        return "not_started", "It still raises NotImplementedError: write it, and take that line out."
    words = one_sentence(error)
    for known in _KNOWN:
        if known.error in classes and known.fragment in words:
            return known.kind, known.sentence
    return "exception", words


def _theirs(error: BaseException) -> list[_Place]:
    """The places of theirs, the deepest one last; JAX leaves some of them to the traceback of the cause."""
    link: BaseException | None = error
    while link is not None:
        theirs = [place for place in _places(link) if is_theirs(place.filename)]
        if theirs:
            return theirs
        link = link.__cause__
    return []


def _called_at(theirs: Sequence[_Place]) -> str:
    """From where their first file called into another one, such as that of an earlier answer, which may be right."""
    caller = next(place for place in reversed(theirs) if place.filename == theirs[0].filename)
    return "" if caller == theirs[-1] else f" It was called at {line_at(caller.filename, caller.number)}"


def _places(error: BaseException) -> list[_Place]:
    steps = traceback.walk_tb(error.__traceback__)
    return [_Place(frame.f_code.co_filename, number or 1, frame.f_code.co_name) for frame, number in steps]


def _plain(function: str) -> str:
    return "" if function.startswith("<") else function  # <module>, <lambda>: no name to speak of


def _syntax_fault(error: SyntaxError, where: str) -> Fault:
    filename, number = error.filename or "", error.lineno or 1
    code = (error.text or linecache.getline(filename, number)).strip()
    return Fault("syntax", where, f"{type(error).__name__}: {error.msg}.", Line(name_of(filename), number, code))


def name_of(filename: str) -> str:
    """What the author of a file calls it: a cell of a notebook, a path from here, a name."""
    if filename in _names:
        return _names[filename]
    return _cell_name(filename) or _short_path(filename)


def _cell_name(filename: str) -> str:
    """What IPython calls the cell that was compiled under this file name, if it was."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    label = getattr(getattr(shell, "compile", None), "format_code_name", lambda _: None)(filename)
    return " ".join(map(str, label)) if label else ""


def _short_path(filename: str) -> str:
    if filename.startswith("<"):
        return filename
    here = os.path.join(os.getcwd(), "")
    path = os.path.abspath(filename)
    return path.removeprefix(here) if path.startswith(here) else os.path.basename(path)
