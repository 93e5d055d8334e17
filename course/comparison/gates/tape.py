"""A primal's program laid flat so that it can be replayed: calls opened, loops and branches kept as steps with bodies.

Every value carries what its author calls it, and whether it moves when an argument does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
from jax.extend.core import ClosedJaxpr, Jaxpr, Literal

from course.comparison.gates.places import Place, places_of
from course.comparison.program import called, carry_count, constant_count
from course.comparison.trees import has_tangent

CUSTOM = frozenset({"custom_jvp_call", "custom_vjp_call", "custom_vjp_call_jaxpr"})
"""Calls that carry a rule of their own, which a replay of what is under them does without."""


FITTINGS = frozenset({"broadcast_in_dim", "convert_element_type"})
"""What JAX puts between two values so that their shapes and types fit."""


@dataclass(eq=False)
class Value:
    """One array: what it is called, whether it moves when an argument does, and on which arguments it hangs."""

    name: str
    shape: tuple[int, ...]
    dtype: Any
    moves: bool
    place: Place | None = None
    origins: frozenset[str] = frozenset()

    @property
    def is_variable(self) -> bool:
        """Whether its author gave it a name of its own."""
        return bool(self.name) and (self.place is None or self.name != self.place.text)


Slot = Value | Literal


@dataclass(eq=False)
class Step:
    """One equation that is no call; a loop has one body, a branching as many as there are ways.

    `calls` are the expressions of the primal's author that lead to it, the innermost first.
    """

    eqn: Any
    inputs: tuple[Slot, ...]
    outputs: tuple[Value, ...]
    bodies: tuple[Tape, ...] = ()
    calls: tuple[Place, ...] = ()

    @property
    def place(self) -> Place | None:
        """The expression that it is made by."""
        return self.calls[0] if self.calls else None

    @property
    def name(self) -> str:
        """The name of its primitive."""
        return self.eqn.primitive.name


@dataclass(eq=False)
class Tape:
    """Steps in program order, and the arrays that are written in the program."""

    inputs: tuple[Value, ...]
    outputs: tuple[Slot, ...]
    steps: list[Step]
    constants: dict[Value, Any]


@dataclass(frozen=True)
class Manner:
    """How to lay: the folder of the primal's author, and whether to look under rules of their own."""

    folder: str
    deep: bool = True


def lay(closed: ClosedJaxpr | Jaxpr, inputs: Sequence[Value], manner: Manner, calls: tuple[Place, ...] = ()) -> Tape:
    """Lays a program flat on inputs that are known by name; `calls` lead to it."""
    tape = Tape(tuple(inputs), (), [], {})
    tape.outputs = _inline(closed, inputs, tape, manner, calls)
    return tape


def values_of(named: Sequence[tuple[str, Any]]) -> list[Value]:
    """The inputs of a program, from arrays or shapes by name."""
    return [Value(name, leaf.shape, leaf.dtype, has_tangent(leaf), origins=frozenset({name})) for name, leaf in named]


def floating(value: Slot) -> bool:
    """Whether a value is an array of floating-point numbers."""
    return jnp.issubdtype(value.dtype if isinstance(value, Value) else jnp.result_type(value.val), jnp.floating)


def moving(slot: Slot) -> bool:
    """Whether it moves when an argument does."""
    return isinstance(slot, Value) and slot.moves


def _inline(
    jaxpr: ClosedJaxpr | Jaxpr, inputs: Sequence[Slot], tape: Tape, manner: Manner, calls: tuple[Place, ...]
) -> tuple[Slot, ...]:
    body, constants = (jaxpr.jaxpr, jaxpr.consts) if isinstance(jaxpr, ClosedJaxpr) else (jaxpr, ())
    slots: dict[Any, Slot] = dict(zip(body.invars, inputs, strict=True))
    for var, constant in zip(body.constvars, constants, strict=True):
        slots[var] = value = Value("", var.aval.shape, var.aval.dtype, moves=False)
        tape.constants[value] = constant
    for eqn in body.eqns:
        given = tuple(atom if isinstance(atom, Literal) else slots[atom] for atom in eqn.invars)
        there = _calls(eqn, manner, calls)
        inner = called(eqn) if manner.deep or eqn.primitive.name not in CUSTOM else None
        if inner is None:
            outputs: Sequence[Slot] = _append(eqn, given, tape, manner, there)
        else:
            outputs = _inline(inner, given, tape, manner, there)
        slots.update(zip(eqn.outvars, outputs, strict=True))
    return tuple(atom if isinstance(atom, Literal) else slots[atom] for atom in body.outvars)


def _calls(eqn: Any, manner: Manner, around: tuple[Place, ...]) -> tuple[Place, ...]:
    """What leads to an equation; of one inside a call its own expression, then what leads to that call."""
    own = places_of(eqn, manner.folder)
    return (*own[:1], *around) if around else own


def _append(
    eqn: Any, inputs: tuple[Slot, ...], tape: Tape, manner: Manner, calls: tuple[Place, ...]
) -> tuple[Value, ...]:
    name, place = eqn.primitive.name, calls[0] if calls else None
    if name == "scan":
        bodies, moves = _scan_body(eqn, inputs, manner, calls)
    elif name == "cond":
        bodies, moves = _branches(eqn, inputs, manner, calls)
    else:
        bodies, moves = (), [name != "stop_gradient" and any(map(moving, inputs))] * len(eqn.outvars)
    origins = frozenset().union(*(slot.origins for slot in inputs if isinstance(slot, Value)))
    called_here, inexact = _name(eqn, inputs, place), jnp.inexact
    outputs = tuple(
        Value(called_here, out.shape, out.dtype, move and jnp.issubdtype(out.dtype, inexact), place, origins)
        for out, move in zip((var.aval for var in eqn.outvars), moves, strict=True)
    )
    tape.steps.append(Step(eqn, inputs, outputs, bodies, calls))
    return outputs


def _name(eqn: Any, inputs: tuple[Slot, ...], place: Place | None) -> str:
    """What a new value is called; one that JAX only fitted to another keeps its name."""
    if eqn.primitive.name in FITTINGS and isinstance(inputs[0], Value) and inputs[0].name:
        return inputs[0].name
    return place.name if place else ""


def _scan_body(
    eqn: Any, inputs: tuple[Slot, ...], manner: Manner, calls: tuple[Place, ...]
) -> tuple[tuple[Tape, ...], list[bool]]:
    """The body, with its carry moving as soon as any round of the loop moves it."""
    closed = eqn.params["jaxpr"]
    first, carries = constant_count(eqn), carry_count(eqn)
    moves = [moving(slot) for slot in inputs]
    while True:
        body = lay(closed, _named(closed, inputs, moves), manner, calls)
        carried = [moving(slot) for slot in body.outputs]
        grown = [old or (first <= i < first + carries and carried[i - first]) for i, old in enumerate(moves)]
        if grown == moves:
            return (body,), carried
        moves = grown


def _branches(
    eqn: Any, inputs: tuple[Slot, ...], manner: Manner, calls: tuple[Place, ...]
) -> tuple[tuple[Tape, ...], list[bool]]:
    operands = inputs[1:]
    moves = [moving(slot) for slot in operands]
    tapes = tuple(lay(closed, _named(closed, operands, moves), manner, calls) for closed in eqn.params["branches"])
    return tapes, [any(map(moving, outputs)) for outputs in zip(*(tape.outputs for tape in tapes), strict=True)]


def _named(closed: ClosedJaxpr, outer: Sequence[Slot], moves: Sequence[bool]) -> list[Value]:
    """The inputs of a body under the names that its function gives them, else those outside."""
    info = getattr(closed.jaxpr, "debug_info", None)
    names = list(getattr(info, "arg_names", None) or ())
    names += [""] * (len(outer) - len(names))
    return [
        Value(
            name or getattr(slot, "name", ""),
            var.aval.shape,
            var.aval.dtype,
            move,
            getattr(slot, "place", None),
            getattr(slot, "origins", frozenset()),
        )
        for name, slot, move, var in zip(names, outer, moves, closed.jaxpr.invars, strict=False)
    ]
