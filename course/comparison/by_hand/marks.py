"""The marks that differentiation leaves in a traced program: name stacks, lines of JAX's own, a few primitives.

A derivative's program is otherwise an ordinary program. One that was bound again primitive by primitive carries no
marks on JAX 0.12.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jax.extend.core import ClosedJaxpr, Jaxpr, JaxprEqn

from course.comparison.by_hand.routes import Refusal
from course.comparison.faults import is_theirs, line_at
from course.records import Line

_STACKS = ("jvp(", "transpose(")
_FILES = ("interpreters/ad.py", "experimental/jet.py")
_PRIMITIVES = {
    "add_any": "add_any",
    "call_exported": "jax.export",
    "custom_lin": "custom_lin",
    "io_callback": "jax.experimental.io_callback",
    "pure_callback": "jax.pure_callback",
}
"""Primitives that only differentiation emits, or that hide what they compute."""

_COMBINING = frozenset(f"scatter-{how}" for how in ("add", "sub", "mul", "min", "max"))
"""Primitives whose inner program is JAX's own and kept from whoever needed it first, perhaps a derivative."""


def find_mark(jaxpr: ClosedJaxpr | Jaxpr) -> Refusal | None:
    """The first mark in a program, with the line of the answer that left it; None where there is none."""
    for eqn in equations(jaxpr):
        mark = _mark(eqn)
        if mark:
            return Refusal(mark, _line(eqn))
    return None


def equations(jaxpr: ClosedJaxpr | Jaxpr) -> Iterator[JaxprEqn]:
    """Every equation that running the program may run, those of inner programs included."""
    for eqn in getattr(jaxpr, "jaxpr", jaxpr).eqns:
        yield eqn
        for inner in _run_by(eqn):
            yield from equations(inner)


def _run_by(eqn: JaxprEqn) -> Iterator[Any]:
    """The inner programs of an equation. A linear solver holds its transpose, too, and never runs it forward."""
    if eqn.primitive.name in _COMBINING:
        return
    params: Any = eqn.params
    if eqn.primitive.name == "custom_linear_solve":
        params = {"solve": eqn.params["jaxprs"].solve}
    for value in params.values():
        for part in value if isinstance(value, tuple | list) else (value,):
            if isinstance(part, ClosedJaxpr | Jaxpr):
                yield part


def _mark(eqn: JaxprEqn) -> str:
    if eqn.primitive.name in _PRIMITIVES:
        return _PRIMITIVES[eqn.primitive.name]
    stack = str(eqn.source_info.name_stack)
    if any(mark in stack for mark in _STACKS):
        return stack
    files = [frame.file_name.replace("\\", "/") for frame in _frames(eqn)]
    return next((mark for mark in _FILES if any(file.endswith(mark) for file in files)), "")


def _line(eqn: JaxprEqn) -> Line | None:
    return next((line_at(f.file_name, f.line_num) for f in _frames(eqn) if is_theirs(f.file_name)), None)


def _frames(eqn: JaxprEqn) -> list[Any]:
    traceback: Any = eqn.source_info.traceback
    return list(traceback.frames) if traceback else []
