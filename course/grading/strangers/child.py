"""The process that runs one submission: it answers the grader's requests until the grader hangs up.

find    executes what some names need, and says what they are
trace   traces a function on abstract values, audits the program, describes it
run     runs a function on numbers, where it can't be traced
"""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import inspect
import io
import os
import socket
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import jax
import numpy as np

from course import answers
from course.comparison.answer import AnswerFault
from course.comparison.by_hand.machinery import Guard
from course.comparison.by_hand.marks import find_mark
from course.comparison.by_hand.routes import refusal_fault
from course.comparison.faults import fault_of
from course.comparison.trees import describe, named_leaves
from course.grading.finding import Found
from course.grading.running import PRINTED
from course.grading.strangers import messages
from course.grading.strangers.writing import describe_program
from course.grading.submission import Submission, SubmissionError
from course.records import Fault, plain

Reply = tuple[dict[str, Any], bytes]


class _Refuse(Exception):
    """Carries a fault to the grader."""

    def __init__(self, fault: Fault):
        super().__init__(fault.message)
        self.fault = fault


@dataclasses.dataclass(frozen=True)
class _Kept:
    """Residuals, or a state, that stay here: their structure, and what in them is no array."""

    treedef: Any


class Child:
    """One submission, read once."""

    def __init__(self, place: str, guard: Guard) -> None:
        self.guard = guard
        self.submission = Submission.read(place)
        self.values: dict[str, Any] = {}
        self.homes: dict[str, Callable[[], contextlib.AbstractContextManager[None]]] = {}
        self.kept: list[_Kept] = []

    def answer(self, request: Mapping[str, Any], payload: bytes) -> Reply:
        """Does what is asked, and turns whatever goes wrong into a fault."""
        self.guard.allows = frozenset(request.get("allows", ()))
        self.guard.refusals.clear()
        heard = _Heard()
        where = str(request.get("name", ""))
        with contextlib.redirect_stdout(heard), contextlib.redirect_stderr(heard):
            reply, blob = self._answered(request, payload, where)
        refused = self.guard.fault(where)
        if refused is not None:
            reply, blob = {"fault": plain(refused)}, b""
        return {**reply, "printed": heard.getvalue()}, blob

    def _answered(self, request: Mapping[str, Any], payload: bytes, where: str) -> Reply:
        doing = {"find": self._find, "trace": self._trace, "run": self._run}
        try:
            with jax.enable_x64(bool(request.get("x64"))):
                return doing[request["do"]](request, payload)
        except (_Refuse, AnswerFault) as stop:
            return {"fault": plain(stop.fault)}, b""
        except messages.Malformed as why:
            return {"fault": plain(Fault("structure", where, f"{where} can't be handed over: {why}."))}, b""
        except BaseException as error:
            return {"fault": plain(fault_of(error, where))}, b""

    def _find(self, request: Mapping[str, Any], payload: bytes) -> Reply:
        names = list(request["names"])
        found = self.submission.find(names)
        if found.fault is not None:
            return {"fault": plain(found.fault), "uses": found.uses, "text": found.printed}, b""
        leaves: list[Any] = []
        values = {name: self._value(name, found, leaves) for name in names}
        arrays, blob = messages.pack_arrays(leaves)
        return {"values": values, "arrays": arrays, "uses": found.uses, "text": found.printed}, blob

    def _value(self, name: str, found: Found, leaves: list[Any]) -> Any:
        value = found.values[name]
        self.values[name], self.homes[name] = value, found.at_home
        if not callable(value):
            return {"value": messages.describe_tree(value, leaves), "is": describe(value)}
        try:
            parameters = inspect.signature(value).parameters.values()
        except (TypeError, ValueError):
            return {"function": None}
        return {"function": [[p.name, int(p.kind), p.default is not p.empty] for p in parameters]}

    def _trace(self, request: Mapping[str, Any], payload: bytes) -> Reply:
        name = request["name"]
        leaves = messages.unpack_shapes(request["shapes"])
        moving = [leaf for leaf in leaves if isinstance(leaf, jax.ShapeDtypeStruct)]
        described: dict[str, Any] = {}

        def program(*given: Any) -> list[Any]:
            returned = self._call(request, _joined(leaves, list(given)))
            outputs: list[Any] = []
            described["tree"] = self._described(request, returned, outputs)
            described["fixed"], moved = _fixed(outputs)
            return moved

        with self.homes[name]():
            traced = jax.make_jaxpr(program)(*moving)
            self._refuse_marks(name, traced)
        told, constants = describe_program(traced)
        arrays, blob = messages.pack_arrays(constants)
        return {**described, "program": told, "arrays": arrays}, blob

    def _run(self, request: Mapping[str, Any], payload: bytes) -> Reply:
        leaves = [
            jax.numpy.asarray(leaf) if isinstance(leaf, np.ndarray) and leaf.dtype != jax.dtypes.float0 else leaf
            for leaf in messages.unpack_arrays(request["arrays"], payload)
        ]
        with self.homes[request["name"]]():
            returned = self._call(request, leaves)
            outputs: list[Any] = []
            tree = self._described(request, returned, outputs)
            arrays, blob = messages.pack_arrays(outputs)
        return {"tree": tree, "arrays": arrays}, blob

    def _call(self, request: Mapping[str, Any], leaves: list[Any]) -> Any:
        arguments = messages.build_tree(
            request["tree"], leaves, kept=lambda node: self._residuals(node, leaves), named=_lesson_function
        )
        function = self.values[request["name"]]
        returned = _lesson_function(request["use"])(function, *arguments) if request["use"] else function(*arguments)
        jax.block_until_ready([leaf for leaf in jax.tree.leaves(returned) if isinstance(leaf, jax.Array)])
        return returned

    def _described(self, request: Mapping[str, Any], returned: Any, outputs: list[Any]) -> Any:
        """The tree that a function returned; what is to be kept, of a pair its second part or all, stays here."""
        if request.get("keeps") == "all":
            return self._keep(returned, outputs)
        if not request.get("keeps") or not (isinstance(returned, tuple) and len(returned) == 2):
            return messages.describe_tree(returned, outputs)
        y = messages.describe_tree(returned[0], outputs)
        return {"tuple": [y, self._keep(returned[1], outputs)]}

    def _keep(self, whole: Any, outputs: list[Any]) -> Any:
        leaves, treedef = jax.tree.flatten(whole)
        strange = next((leaf for leaf in leaves if not _is_numeric(leaf)), None)
        if strange is not None:
            message = f"What is kept must be arrays and numbers; {describe(strange)} is among them."
            raise _Refuse(Fault("structure", "residuals", message))
        first = len(outputs)
        outputs += leaves
        kept = _Kept(treedef)
        if kept not in self.kept:
            self.kept.append(kept)
        names = [path for path, _ in named_leaves(whole, "")]
        return {"kept": self.kept.index(kept), "leaves": list(range(first, len(outputs))), "names": names}

    def _residuals(self, node: Mapping[str, Any], leaves: list[Any]) -> Any:
        return jax.tree.unflatten(self.kept[node["kept"]].treedef, [leaves[place] for place in node["leaves"]])

    def _refuse_marks(self, name: str, program: Any) -> None:
        mark = None if self.guard.allows else find_mark(program)
        if mark is not None:
            raise _Refuse(refusal_fault(mark, name))


class _Heard(io.StringIO):
    """What is printed, up to a limit."""

    def write(self, text: str) -> int:
        super().write(text[: max(PRINTED - self.tell(), 0)])
        return len(text)


def _is_numeric(leaf: Any) -> bool:
    return hasattr(leaf, "dtype") or isinstance(leaf, int | float | complex)


def _lesson_function(name: str) -> Callable[..., Any]:
    """A function of a lesson, by `module:name`."""
    module, _, attribute = name.partition(":")
    function: Callable[..., Any] = getattr(importlib.import_module(module), attribute)
    return function


def _joined(leaves: list[Any], moving: list[Any]) -> list[Any]:
    """The leaves with each abstract one replaced."""
    rest = iter(moving)
    return [next(rest) if isinstance(leaf, jax.ShapeDtypeStruct) else leaf for leaf in leaves]


def _fixed(outputs: list[Any]) -> tuple[list[Any], list[Any]]:
    """Which outputs are zeros of float0, which no program returns, and the others."""
    fixed = [list(leaf.shape) if getattr(leaf, "dtype", None) == jax.dtypes.float0 else None for leaf in outputs]
    return fixed, [leaf for leaf, shape in zip(outputs, fixed, strict=True) if shape is None]


def serve(connection: socket.socket, place: str, guard: Guard, layers: tuple[str, ...]) -> None:
    """Answers requests until the other side hangs up."""
    try:
        child = Child(place, guard)
    except SubmissionError as why:
        messages.send(connection, {"unreadable": str(why)})
        return
    messages.send(connection, {"layers": layers})
    with contextlib.suppress(EOFError):
        for request, payload in _requests(connection):
            token = answers.resolver.set(child.submission.earlier_answer)
            try:
                reply, blob = child.answer(request, payload)
            finally:
                answers.resolver.reset(token)
            _send(connection, reply, blob)
    os._exit(0)


def _requests(connection: socket.socket) -> Iterator[Reply]:
    while True:
        yield messages.receive(connection)


def _send(connection: socket.socket, reply: dict[str, Any], blob: bytes) -> None:
    try:
        messages.send(connection, reply, blob)
    except messages.Malformed as why:
        messages.send(connection, {"fault": plain(Fault("structure", "", f"It can't be handed over: {why}."))})
