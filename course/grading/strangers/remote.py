"""A submission that runs elsewhere, in the form in which the judge asks for answers.

Its functions are stand-ins. Called at new shapes, one fetches the program that the answer is there, which is then run,
and counted, here; where an answer can't be traced and need not be, the numbers are sent there instead.
"""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jax.extend.core import ClosedJaxpr

from course.comparison.answer import AnswerFault
from course.comparison.by_hand.routes import Refusal, refusal_fault
from course.comparison.counting import count_jaxpr
from course.comparison.faults import register
from course.comparison.point import Point
from course.comparison.study import study
from course.exercises.exercise import Exercise
from course.grading.extent import Extent
from course.grading.finding import Found
from course.grading.strangers import messages
from course.grading.strangers.processes import Server, Session, Stopped
from course.grading.strangers.programs import Program, Unfit, is_complex
from course.grading.strangers.source import executed_for, refusal_in
from course.grading.submission import Submission
from course.records import Fault, Line

MOST_WORK = 10.0
"""Times the FLOPs of `jax.vjp`. Right answers take 0.8 to 4 times; trying every input takes 24 times and more."""

SLACK = 2_000
"""FLOPs that are never too many: on single numbers a ratio says nothing."""

WEAKER = "It can't be traced, so it ran on numbers in a process of its own: less sure to be by hand than a program is."
"""What a verdict says of an answer whose code saw numbers."""

_LONGEST = 2_000
"""Characters of a text that comes from a submission's process."""

_LONGEST_NAME = 60
"""Characters of what one residual is called."""


@dataclass(frozen=True)
class Role:
    """What a name is asked for as.

    Attributes:
        allows: Routes to derivatives that it may take.
        traceable: Whether it must be.
        keeps: What of its value stays there: "all", the "second" part of a pair, or nothing.
        refuses: Packages that it may not use.
    """

    allows: frozenset[str] = frozenset()
    traceable: bool = True
    keeps: str = ""
    refuses: frozenset[str] = frozenset()


def roles_of(exercises: Iterable[Exercise]) -> dict[str, Role]:
    """The roles of all names that some exercises ask for."""
    return {
        name: Role(
            exercise.allows,
            bool(getattr(exercise.task, "traceable", True)),
            getattr(exercise.task, "kept", {}).get(name, ""),
            getattr(exercise.task, "refuses", frozenset()),
        )
        for exercise in exercises
        for name in exercise.task.names
    }


@jax.tree_util.register_pytree_node_class
@dataclass(frozen=True)
class Kept:
    """Residuals or a state, whose structure stays elsewhere: arrays, their names, the number it is known by."""

    number: int
    leaves: tuple[Any, ...]
    names: tuple[str, ...]

    def named_leaves(self, path: str) -> list[tuple[str, Any]]:
        """The arrays, under the names that they have in the answer's own structure."""
        return [(f"{path}{name}", leaf) for name, leaf in zip(self.names, self.leaves, strict=True)]

    def tree_flatten(self) -> tuple[tuple[Any, ...], Any]:
        """The arrays, and what else there is, for JAX."""
        return self.leaves, (self.number, self.names)

    @classmethod
    def tree_unflatten(cls, known: tuple[int, tuple[str, ...]], leaves: Iterable[Any]) -> Kept:
        """The other way."""
        number, names = known
        return cls(number, tuple(leaves), names)


@dataclass(eq=False)
class Remote:
    """One submission whose code runs in a process of its own.

    `reads` leaves the reading of the source out where it is False, so that the other layers can be tested alone.
    `weaker` are the names that ran on numbers, `layers` those of the process, `given` the modules of a course of
    somebody's own.
    """

    where: str
    place: Path
    server: Server
    roles: Mapping[str, Role]
    reads: bool = True
    given: frozenset[str] = frozenset()
    weaker: set[str] = field(default_factory=set)
    layers: tuple[str, ...] = ()
    cpu_seconds: float = 0.0
    _session: Session | None = None
    _found: dict[tuple[str, ...], Found] = field(default_factory=dict)
    _read: Submission | None = None

    def find(self, names: Sequence[str]) -> Found:
        """The stand-ins for some names, or the fault that keeps them from us."""
        key = tuple(names)
        if key not in self._found or (self._session is not None and self._session.is_over):
            self._found[key] = self._find(key)
        return self._found[key]

    def find_answer(self, question: str) -> Found:
        """The value given to a question, under the question's name."""
        return self.find([question])

    def request(self, message: dict[str, Any], payload: bytes = b"") -> tuple[dict[str, Any], bytes]:
        """Asks the submission's process.

        Raises:
            AnswerFault: It was stopped, or says what is wrong.
        """
        name = str(message.get("name", ""))
        try:
            reply, blob = self._running().request(message, payload)
        except Stopped as why:
            raise AnswerFault(Fault("stopped", name, str(why))) from None
        printed = str(reply.get("printed", ""))
        if printed:
            print(printed[:_LONGEST], end="")
        if "fault" in reply:
            raise AnswerFault(fault_from(reply["fault"], name))
        return reply, blob

    def close(self) -> None:
        """Ends the submission's process."""
        if self._session is not None:
            self._session.close()
            self.cpu_seconds += self._session.cpu_seconds
            self._session = None

    def _running(self) -> Session:
        """The process, started anew where the last one was ended.

        Raises:
            NotConfined: Layers are missing on this machine.
            Stopped: The submission can't be read.
        """
        if self._session is None or self._session.is_over:
            if self._session is not None:
                self.cpu_seconds += self._session.cpu_seconds
            self._found.clear()
            self._session = self.server.start(self.place)
            self.layers = self._session.layers
        return self._session

    @cached_property
    def texts(self) -> frozenset[str]:
        """The names of the submission's texts, whose lines are known here from now on."""
        cells = [cell for file in self._files.files for cell in file.cells]
        for cell in cells:
            register(cell.filename, cell.name, cell.source)
        return frozenset(cell.filename for cell in cells)

    @property
    def _files(self) -> Submission:
        if self._read is None:
            self._read = Submission.read(self.place)
        return self._read

    def _find(self, names: tuple[str, ...]) -> Found:
        files = self._files.files
        role = self.roles.get(names[0], Role())
        statements = executed_for(files, names)
        extent = Extent(tuple(statement.text for statement in statements), statements=statements)
        fault = refusal_in(files, names, role.allows, self.given, role.refuses) if self.reads else None
        if fault is not None:
            return Found(fault=fault, extent=extent, apart=True)
        message = {"do": "find", "name": names[0], "names": names, "allows": sorted(role.allows)}
        try:
            reply, blob = self._asked(message)
        except AnswerFault as stop:
            return Found(fault=stop.fault, extent=extent, apart=True)
        uses = tuple(map(str, reply.get("uses", ())))
        printed = str(reply.get("text", ""))[:_LONGEST]
        if "fault" in reply:
            found = fault_from(reply["fault"], names[0])
            return Found(fault=found, printed=printed, uses=uses, extent=extent, apart=True)
        values = self._values(names, reply, blob)
        own = frozenset(s.text for s in statements if s.binds & set(names))
        return Found(values, printed=printed, uses=uses, apart=True, extent=extent, own=own)

    def _asked(self, message: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        """A reply to `find`, its fault left in it.

        Raises:
            AnswerFault: The process was stopped.
        """
        try:
            return self._running().request(message)
        except Stopped as why:
            raise AnswerFault(Fault("stopped", str(message["name"]), str(why))) from None

    def _values(self, names: tuple[str, ...], reply: dict[str, Any], blob: bytes) -> dict[str, Any]:
        session = self._session
        assert session is not None
        leaves = messages.unpack_arrays(reply["arrays"], blob)
        values: dict[str, Any] = {}
        for name in names:
            told = reply["values"][name]
            if "value" in told:
                values[name] = messages.build_tree(told["value"], leaves)
            else:
                values[name] = Remotely(self, session, name, self.roles.get(name, Role()), _signature(told["function"]))
        return values


class Remotely:
    """The stand-in for one function."""

    def __init__(
        self,
        remote: Remote,
        session: Session,
        name: str,
        role: Role,
        signature: inspect.Signature | None,
        use: str = "",
    ) -> None:
        self.remote, self.session, self.role, self.use = remote, session, role, use
        self.__name__ = name
        if signature is not None:
            self.__signature__ = signature
        self._programs: dict[Any, tuple[Program, dict[str, Any]]] = {}
        self._untraceable: Fault | None = None

    def __call__(self, *arguments: Any) -> Any:
        """What the answer returns for these arguments.

        Raises:
            AnswerFault: It fails there, or was stopped.
        """
        leaves: list[Any] = []
        tree = messages.describe_tree(tuple(arguments), leaves, kept=_kept)
        if self._untraceable is None:
            try:
                return self._as_program(tree, leaves)
            except AnswerFault as stop:
                if stop.fault.kind not in ("tracing", "exception") or self.role.traceable:
                    raise
                self._untraceable = stop.fault
        return self._by_numbers(self._untraceable, tree, leaves)

    def used_by(self, use: Callable[..., Any]) -> Remotely:
        """The stand-in for a lesson's function with this one as its first argument, which runs where this one does."""
        name = f"{use.__module__}:{use.__name__}"
        return Remotely(self.remote, self.session, self.__name__, self.role, None, name)

    def inspect(self, traced: ClosedJaxpr, point: Point) -> None:
        """Looks through the pair as one program, which is what runs here.

        Raises:
            AnswerFault: It computes with complex numbers, or does far more work than a derivation takes.
        """
        self._refuse_complex(traced, point)
        passes = sum(aval.size for aval in traced.in_avals)
        self._refuse_work(count_jaxpr(traced, unknown_passes=passes).flops, point)

    def _refuse_complex(self, traced: ClosedJaxpr, point: Point) -> None:
        """Refuses complex numbers where the primal has none: a step along the imaginary axis is no derivation."""
        if is_complex(traced) and not is_complex(study(point).jaxpr):
            message = f"{self.__name__} computes with complex numbers, which {point.primal.__name__} does not: why?"
            raise AnswerFault(Fault("refused", self.__name__, message))

    def _refuse_work(self, work: int, point: Point) -> None:
        limit = MOST_WORK * study(point).counts.vjp.flops + SLACK
        if work > limit:
            times = work / max(study(point).counts.vjp.flops, 1)
            message = (
                f"{self.__name__} does {times:.0f} times the work of jax.vjp: more than {MOST_WORK:.0f} times is what "
                "trying the inputs one by one takes, and no derivation."
            )
            raise AnswerFault(Fault("refused", self.__name__, message))

    def _as_program(self, tree: Any, leaves: list[Any]) -> Any:
        shapes = messages.pack_shapes(leaves)
        key = (repr(tree), repr(shapes), bool(jax.config.jax_enable_x64))  # type: ignore[attr-defined]
        if key not in self._programs:
            self._programs[key] = self._fetched(tree, shapes)
        program, reply = self._programs[key]
        moving = [leaf for leaf, shape in zip(leaves, shapes, strict=True) if shape["dtype"] != "float0"]
        outputs = iter(program(moving))
        found = [next(outputs) if shape is None else np.zeros(shape, jax.dtypes.float0) for shape in reply["fixed"]]
        return messages.build_tree(reply["tree"], found, kept=lambda node: _kept_from(node, found))

    def _fetched(self, tree: Any, shapes: list[Any]) -> tuple[Program, dict[str, Any]]:
        reply, blob = self.remote.request(self._message("trace") | {"tree": tree, "shapes": shapes})
        moving = [leaf for leaf in messages.unpack_shapes(shapes) if isinstance(leaf, jax.ShapeDtypeStruct)]
        try:
            arrays = messages.unpack_arrays(reply.get("arrays"), blob)
            files = self.remote.texts
            return Program(reply.get("program"), arrays, moving, files, may_be_marked=bool(self.role.allows)), reply
        except messages.Malformed as why:
            raise AnswerFault(Fault("stopped", self.__name__, f"Its process was stopped: {why}.")) from None
        except Unfit as why:
            if why.marked:
                refusal = refusal_fault(Refusal(str(why)), self.__name__)
                raise AnswerFault(refusal) from None
            message = f"{self.__name__} has {why} in its program, which is not run."
            raise AnswerFault(Fault("stopped", self.__name__, message)) from None

    def _by_numbers(self, why: Fault, tree: Any, leaves: list[Any]) -> Any:
        if any(isinstance(leaf, jax.core.Tracer) for leaf in leaves):
            raise AnswerFault(why)
        self.remote.weaker.add(self.__name__)
        arrays, payload = messages.pack_arrays(leaves)
        reply, blob = self.remote.request(self._message("run") | {"tree": tree, "arrays": arrays}, payload)
        try:
            found = messages.unpack_arrays(reply["arrays"], blob)
            return messages.build_tree(reply["tree"], found, kept=lambda node: _kept_from(node, found))
        except messages.Malformed as why:
            raise AnswerFault(Fault("stopped", self.__name__, f"Its process was stopped: {why}.")) from None

    def _message(self, do: str) -> dict[str, Any]:
        if self.session.is_over:
            raise AnswerFault(Fault("stopped", self.__name__, self.session.reason))
        return {
            "do": do,
            "name": self.__name__,
            "use": self.use,
            "keeps": self.role.keeps,
            "allows": sorted(self.role.allows),
            "x64": bool(jax.config.jax_enable_x64),  # type: ignore[attr-defined]
        }


def _kept(part: Any, leaves: list[Any]) -> Any:
    """How residuals of theirs are described to them: by number, with their arrays' places; None for all else."""
    if not isinstance(part, Kept):
        return None
    first = len(leaves)
    leaves += part.leaves
    return {"kept": part.number, "leaves": list(range(first, len(leaves)))}


def _kept_from(node: Mapping[str, Any], found: Sequence[Any]) -> Kept:
    """Residuals that came.

    Raises:
        Malformed: They are none.
    """
    with contextlib.suppress(KeyError, TypeError, ValueError, IndexError):
        leaves = tuple(found[int(place)] for place in node["leaves"])
        names = tuple(str(name)[:_LONGEST_NAME] for name in node["names"])
        if len(names) == len(leaves):
            return Kept(int(node["kept"]), leaves, names)
    raise messages.Malformed("what it returns are no residuals")


def fault_from(told: Any, where: str) -> Fault:
    """A fault as a submission's process tells it: texts, cut where they are long."""
    if not isinstance(told, dict):
        return Fault("exception", where, "It fails.")
    line = None
    with contextlib.suppress(KeyError, TypeError, ValueError):
        if told.get("line"):
            line = Line(str(told["line"]["file"])[:200], int(told["line"]["number"]), str(told["line"]["code"])[:200])
    return Fault(
        str(told.get("kind", "exception"))[:40],
        str(told.get("where") or where)[:100],
        str(told.get("message", "It fails."))[:_LONGEST],
        line,
    )


def _signature(told: Any) -> inspect.Signature | None:
    if not isinstance(told, list):
        return None
    try:
        return inspect.Signature(
            [
                inspect.Parameter(str(name), inspect._ParameterKind(kind), default=None if default else inspect._empty)
                for name, kind, default in told
            ]
        )
    except (TypeError, ValueError):
        return None
