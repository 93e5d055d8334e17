"""A traced program as JSON: its equations in order, calls laid open, and the arrays that are written in it apart.

    program    {"inputs": [shape and type], "equations": [...], "outputs": [operand]}
    equation   [primitive, parameters, operands, number of outputs, place in the source or none]
               ["constant", number of the array, [], 1, none]
    operand    the number of a value, inputs first, or [type, number]

The grader makes the program anew from this, so that what it runs is what it counts.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Iterator, Sequence
from typing import Any

import jax
import numpy as np
from jax.extend.core import ClosedJaxpr, Jaxpr, JaxprEqn, Literal, Primitive

from course.comparison.gates.places import Place, place_of
from course.comparison.program import IDENTITIES, call_of, carry_count, constant_count, opened
from course.grading.strangers.messages import Malformed, dtype_name, shape_of

_SILENT = frozenset(("debug_callback", "debug_print"))
"""Prints on the way: no part of what is computed."""

_COMPOSED = "call_hi_primitive"

_GENERATOR = "PRNGImpl"

_OF_SCATTERS = ("update_jaxpr", "update_consts")
"""Parameters that the name of a scatter says already, but for those that apply a program of the answer's own."""


def describe_program(jaxpr: ClosedJaxpr) -> tuple[dict[str, Any], list[Any]]:
    """A program in JSON, and the arrays in it.

    Raises:
        Malformed: It does what can't be described.
    """
    writer = _Writer()
    told = writer.program(jaxpr)
    return told | {"files": list(writer.files)}, writer.constants


class _Writer:
    """What all programs within one share."""

    def __init__(self) -> None:
        self.constants: list[Any] = []
        self.files: dict[str, int] = {}

    def program(self, jaxpr: Jaxpr | ClosedJaxpr) -> dict[str, Any]:
        """A program by itself."""
        return _Body(self).told(jaxpr)

    def place(self, place: Place | None) -> list[int] | None:
        """Where in the answer's text an equation comes from."""
        if place is None:
            return None
        return [self.files.setdefault(place.file, len(self.files)), *place.span]


class _Body:
    """One program being written: its values are numbered as they come."""

    def __init__(self, writer: _Writer) -> None:
        self.writer = writer
        self.equations: list[Any] = []
        self.count = 0

    def told(self, jaxpr: Jaxpr | ClosedJaxpr) -> dict[str, Any]:
        body = opened(jaxpr)
        inputs = self._new(len(body.invars))
        outputs = self._inlined(jaxpr, inputs, ())
        return {
            "inputs": [shape_of(var.aval) for var in body.invars],
            "equations": self.equations,
            "outputs": outputs,
        }

    def _new(self, count: int) -> list[Any]:
        self.count += count
        return list(range(self.count - count, self.count))

    def _constant(self, value: Any) -> Any:
        """An array that is written in the program: an equation without operands makes it."""
        self.writer.constants.append(value)
        self.equations.append(["constant", len(self.writer.constants) - 1, [], 1, None])
        return self._new(1)[0]

    def _inlined(self, jaxpr: Jaxpr | ClosedJaxpr, inputs: Sequence[Any], callers: tuple[JaxprEqn, ...]) -> list[Any]:
        """Writes the equations of a program whose inputs have their numbers, and gives those of its outputs."""
        body = opened(jaxpr)
        known: dict[Any, Any] = dict(zip(body.invars, inputs, strict=True))
        for var, value in zip(body.constvars, getattr(jaxpr, "consts", ()), strict=True):
            known[var] = self._constant(value)

        def read(atoms: Sequence[Any]) -> list[Any]:
            return [_literal(atom) if isinstance(atom, Literal) else known[atom] for atom in atoms]

        for eqn in body.eqns:
            known.update(zip(eqn.outvars, self._outputs(eqn, read(eqn.invars), callers), strict=True))
        return read(body.outvars)

    def _outputs(self, eqn: JaxprEqn, operands: list[Any], callers: tuple[JaxprEqn, ...]) -> list[Any]:
        name = eqn.primitive.name
        if name in _SILENT:
            return []
        if name in IDENTITIES:
            return operands
        call = (_expanded(eqn), operands) if name == _COMPOSED else call_of(eqn, operands)
        if call is not None:
            return self._inlined(call[0], call[1], (eqn, *callers))
        places = (place_of(one, "") for one in (eqn, *callers))
        place = self.writer.place(next((found for found in places if found is not None), None))
        self.equations.append([name, dict(self._parameters(eqn)), operands, len(eqn.outvars), place])
        return self._new(len(eqn.outvars))

    def _parameters(self, eqn: JaxprEqn) -> Iterator[tuple[str, Any]]:
        name, params = eqn.primitive.name, eqn.params
        if name == "scan":
            yield "constants", constant_count(eqn)
            yield "carries", carry_count(eqn)
            yield from ((key, params[key]) for key in ("length", "reverse"))
            yield "body", self.writer.program(params["jaxpr"])
        elif name == "while":
            yield from ((key, params[key]) for key in ("cond_nconsts", "body_nconsts"))
            yield "condition", self.writer.program(params["cond_jaxpr"])
            yield "body", self.writer.program(params["body_jaxpr"])
        else:
            known = _OF_SCATTERS if name.startswith("scatter-") else ()
            for key, value in params.items():
                if key not in known:
                    yield key, self._parameter(name, value)

    def _parameter(self, name: str, value: Any) -> Any:
        if type(value).__name__ == _GENERATOR:
            return {"prng": value.name}
        match value:
            case enum.Enum():
                return {"enum": [type(value).__name__, value.name]}
            case None | bool() | int() | float() | str():
                return value
            case np.integer() | np.floating() | np.bool_():
                return value.item()
            case ClosedJaxpr() | Jaxpr():
                return {"program": self.writer.program(value), "closed": isinstance(value, ClosedJaxpr)}
            case np.dtype():
                return {"dtype": dtype_name(value)}
            case Primitive():
                return {"primitive": value.name}
            case tuple() if hasattr(value, "_fields"):
                return {"record": [type(value).__name__, [self._parameter(name, part) for part in value]]}
            case tuple() | list():
                return [self._parameter(name, part) for part in value]
        if dataclasses.is_dataclass(value):
            parts = [getattr(value, field.name) for field in dataclasses.fields(value)]
            return {"record": [type(value).__name__, [self._parameter(name, part) for part in parts]]}
        raise Malformed(f"its `{name}` takes a {type(value).__name__}")


def _expanded(eqn: JaxprEqn) -> ClosedJaxpr:
    """What an operation that JAX 0.12 keeps whole is composed of."""
    composed: Any = eqn.params["_prim"]

    def steps(*leaves: Any) -> list[Any]:
        return jax.tree.leaves(composed.expand(*jax.tree.unflatten(composed.in_tree, leaves)))

    avals: list[Any] = [var.aval for var in eqn.invars]
    return jax.make_jaxpr(steps)(*(jax.ShapeDtypeStruct(aval.shape, aval.dtype) for aval in avals))


def _literal(atom: Any) -> list[Any]:
    value = np.asarray(atom.val, atom.aval.dtype)
    if np.iscomplexobj(value):
        return [dtype_name(value.dtype), [float(value.real), float(value.imag)]]
    return [dtype_name(value.dtype), value.item()]
