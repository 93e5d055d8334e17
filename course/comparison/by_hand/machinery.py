"""Refuses inside JAX's differentiation machinery while an answer runs.

All routes meet in a few places: two trace classes, a few passes, three tables of rules, and the rules that functions
with a `custom_jvp` or `custom_vjp` carry. Each is replaced by one that refuses, and put back. The names are private to
JAX: those that a version lacks are passed over.

`jnp.linalg.solve` transposes its own matrix product while it runs forward, so that callers in JAX's solvers pass.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import FrameType
from typing import Any, NamedTuple

import jax
from jax._src.interpreters import ad

from course.comparison.by_hand.routes import ROUTES, Refusal, refusal_fault
from course.comparison.faults import is_theirs, line_at
from course.records import Fault

_TRACES = ("JVPTrace", "LinearizeTrace")
_PASSES = (
    "jvp linearize linearize_jaxpr jvp_jaxpr jvp_subtrace linearize_subtrace direct_linearize "
    "backward_pass closed_backward_pass backward_pass3"
).split()
_TABLES = "primitive_jvps primitive_transposes primitive_linearizations fancy_transposes reducing_transposes".split()
_RULES = ((jax.custom_jvp, "jvp"), (jax.custom_vjp, "fwd"), (jax.custom_vjp, "bwd"))
"""Where an object with a rule of its own keeps it."""

_JAX = os.path.dirname(os.path.abspath(jax.__file__)) + os.sep
_SOLVERS = os.path.join("control_flow", "solves.py")
_NEAR = 8
"""Frames between a pass and the solver that asked for it."""

_INSIDE = {
    "VJP": "jax.vjp",
    "_vjp3_bwd": "jax.vjp",
    "_vjp_pullback_wrapper": "jax.vjp",
    "_lift_linearized": "jax.linearize",
    "jet": "jax.experimental.jet.jet",
}
"""The public names of functions that differentiate under names of their own."""


_Stop = Callable[[str], None]
_Cover = Callable[[contextlib.ExitStack], None]
_Covered = dict[int, tuple[dict[Any, Any], dict[Any, Any]]]
"""By the identity of a table of rules: the rules that stood in it, and what was put in their place."""


class Refused(BaseException):
    """JAX was asked to differentiate while an answer ran. No `except Exception` of the answer's swallows it."""

    def __init__(self, refusal: Refusal):
        super().__init__(f"differentiation by {refusal.route}")
        self.refusal = refusal


@dataclass
class Guard:
    """Watches one answer: `allows` are routes that may be taken, `refusals` those that were taken all the same."""

    allows: frozenset[str] = frozenset()
    refusals: list[Refusal] = field(default_factory=list)
    _covered: _Covered = field(default_factory=dict, repr=False)

    @contextlib.contextmanager
    def on(self) -> Iterator[None]:
        """Within it differentiation is refused, in every thread. Never on while the judge itself differentiates."""
        with contextlib.ExitStack() as stack:
            for cover in _covers(self._stop, self._covered):
                cover(stack)
            yield

    def fault(self, where: str) -> Fault | None:
        """What is said of the first route that was taken, if any was."""
        return refusal_fault(self.refusals[0], where, self.allows) if self.refusals else None

    def _stop(self, asked: str) -> None:
        """Refuses, unless the route is allowed or JAX's own solvers ask.

        Raises:
            Refused: It is not.
        """
        frames = _frames(sys._getframe(2))
        if any(frame.file.endswith(_SOLVERS) for frame in frames[:_NEAR]):
            return
        called_first = next(_routes(frames[::-1]), "")  # jax.grad may go by way of jax.vjp
        if called_first not in self.allows:
            refusal = _refusal(frames, asked)
            self.refusals.append(refusal)
            raise Refused(refusal)


class _Frame(NamedTuple):
    """A call on the stack: its file and line, and the outermost function that its code is written in."""

    file: str
    number: int
    name: str


def _frames(frame: FrameType | None) -> list[_Frame]:
    """The calls from the innermost outwards, those of this module left out."""
    found = []
    while frame is not None:
        code = frame.f_code
        if code.co_filename != __file__:
            found.append(_Frame(code.co_filename, frame.f_lineno, code.co_qualname.partition(".")[0]))
        frame = frame.f_back
    return found


def _refusal(frames: list[_Frame], asked: str) -> Refusal:
    """The route, by the name that the answer called it by, and the answer's line."""
    place = next((i for i, frame in enumerate(frames) if is_theirs(frame.file)), None)
    inward = list(reversed(frames[:place]))
    line = None if place is None else line_at(frames[place].file, frames[place].number)
    return Refusal(_route(inward) or asked, line)


def _route(inward: list[_Frame]) -> str:
    """The first call that has a name which people know, from the answer inwards; empty where none has."""
    for frame in inward:
        package = _package(frame.file)
        if package not in ("", "jax"):
            return f"{package}.{frame.name}"
        for route in _routes([frame]):
            return route
    return ""


def _routes(frames: list[_Frame]) -> Iterator[str]:
    """The routes among some calls."""
    for frame in frames:
        route = _INSIDE.get(frame.name, f"jax.{frame.name}")
        if route in ROUTES and _package(frame.file) == "jax":
            yield route


def _package(file: str) -> str:
    """The installed package that a file belongs to; empty for Python's own."""
    if file.startswith(_JAX):
        return "jax"
    _, found, rest = file.replace(os.sep, "/").rpartition("/site-packages/")
    return rest.partition("/")[0] if found else ""


def _covers(stop: _Stop, covered: _Covered) -> Iterator[_Cover]:
    """What covers each part of the machinery, and has it uncovered again."""
    for name in _TRACES:
        yield _covering(getattr(ad, name), "__init__", name, stop)
    for name in _PASSES:
        if hasattr(ad, name):
            yield _covering(ad, name, name, stop)
    for name in _TABLES:
        if hasattr(ad, name):
            yield _covering_table(getattr(ad, name), stop, covered)
    for owner, name in _RULES:
        yield _hiding(owner, name, stop)
    jet = sys.modules.get("jax.experimental.jet")
    if jet is not None:
        yield _covering(jet.JetTrace, "__init__", "jet", stop)


def _refusing(original: Any, asked: str, stop: _Stop) -> Callable[..., Any]:
    def refusing(*args: Any, **kwargs: Any) -> Any:
        stop(asked)
        return original(*args, **kwargs)

    return refusing


def _covering(owner: Any, name: str, asked: str, stop: _Stop) -> _Cover:
    def cover(stack: contextlib.ExitStack) -> None:
        original = getattr(owner, name)
        stack.callback(setattr, owner, name, original)
        setattr(owner, name, _refusing(original, asked, stop))

    return cover


def _covering_table(table: dict[Any, Any], stop: _Stop, covered: _Covered) -> _Cover:
    """Covers hundreds of rules at once: what stands in their place is made anew only when they have changed."""

    def cover(stack: contextlib.ExitStack) -> None:
        originals = dict(table)
        stack.callback(table.update, originals)
        known, refusing = covered.get(id(table), ({}, {}))
        if known != originals:
            refusing = {key: _refusing(rule, f"the rule of {key}", stop) for key, rule in originals.items()}
            covered[id(table)] = originals, refusing
        table.update(refusing)

    return cover


def _hiding(owner: type, name: str, stop: _Stop) -> _Cover:
    """Lets JAX alone read the rule that an object carries, such as `jax.nn.relu.jvp`; their own rules are theirs."""

    def read(carrier: Any) -> Any:
        rule = vars(carrier).get(name)
        asking = sys._getframe(1).f_code.co_filename
        if rule is not None and not asking.startswith(_JAX) and not is_theirs(_file_of(rule)):
            stop(f"{carrier.__name__}.{name}")
        return rule

    def write(carrier: Any, rule: Any) -> None:
        vars(carrier)[name] = rule

    def cover(stack: contextlib.ExitStack) -> None:
        if name in vars(owner):
            stack.callback(setattr, owner, name, vars(owner)[name])
        else:
            stack.callback(delattr, owner, name)
        setattr(owner, name, property(read, write))

    return cover


def _file_of(rule: Any) -> str:
    return getattr(getattr(rule, "__code__", None), "co_filename", "<built in>")
