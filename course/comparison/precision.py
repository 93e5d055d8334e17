"""The precision of judgement: float64, or what the primal itself narrows to inside.

A production rule often casts to a narrower type. Its numbers can't agree beyond that type, so the precision, the
tolerance and the step of central differences follow the narrowest conversion found in the primal's jaxpr.

    tolerance = 50 max(conditioning, 4 epsilon)     for a type narrower than float64

where the conditioning is how far the true arrays move when the inputs move by half a unit in the last place.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
from jax.extend.core import ClosedJaxpr, Jaxpr

from course.comparison.faults import is_theirs

NARROW = ("float32", "float16", "bfloat16")

HEADROOM = 50
"""Correct alternatives stay within 50 times what the conditioning, at least 4 epsilon, explains."""

MOST_TOLERATED = 0.05
"""Beyond 5 % nothing would be judged, however narrow the type."""

VANISHING = 1e-12
"""Part of the norm of all arrays up to which one counts as zero in float64: rounding leaves less than that."""


@dataclass(frozen=True)
class Precision:
    """How exactly an answer is judged.

    `epsilon` is the distance from 1 to the next number. `tolerance` bounds the error of an array relative to its norm.
    An array whose norm is below the part `vanishing` of the norm of all arrays counts as zero and is judged against
    the norm of all; below the part `floor`, it is judged against that part. `step` is that of central differences,
    relative.
    """

    name: str
    dtype: Any
    epsilon: float
    tolerance: float
    floor: float
    vanishing: float
    step: float
    reason: str = ""

    def within(self, conditioning: float) -> Precision:
        """The same precision for a problem of this conditioning."""
        tolerance = min(HEADROOM * max(conditioning, 4 * self.epsilon), MOST_TOLERATED)
        return dataclasses.replace(self, tolerance=tolerance)


FLOAT64 = Precision("float64", jnp.float64, 2.0**-52, 1e-9, 1e-5, VANISHING, 6e-6)
"""Correct alternatives reach 4e-11 at most; the smallest real mistake measured is 2.6e-4."""


def narrow(dtype: Any, reason: str = "") -> Precision:
    """The precision for a type narrower than float64."""
    return _narrow(jnp.dtype(dtype).name, float(jnp.finfo(dtype).eps), reason)


def _narrow(name: str, epsilon: float, reason: str) -> Precision:
    dtype = jnp.dtype(name) if name in NARROW else jnp.float64
    return Precision(name, dtype, epsilon, 0.0, 1e-2, 4 * epsilon, epsilon ** (1 / 3), reason).within(0.0)


def precision_named(name: str) -> Precision:
    """The precision that a caller asked for by name.

    Raises:
        ValueError: It is none of float64, float32, float16, bfloat16.
    """
    if name == "float64":
        return FLOAT64
    if name not in NARROW:
        raise ValueError(f"precision must be one of float64, {', '.join(NARROW)}; {name!r} came.")
    return narrow(name, "as asked")


def precision_of(jaxpr: ClosedJaxpr) -> Precision:
    """Float64, unless the program traced in float64 casts to something narrower on the way."""
    narrowest = FLOAT64
    for eqn in _equations(jaxpr):
        name, epsilon = _narrowed_to(eqn)
        if epsilon > narrowest.epsilon:
            narrowest = _narrow(name, epsilon, f"{_line_of(eqn)} casts to {name}")
    return narrowest


def size_of(jaxpr: ClosedJaxpr) -> int:
    """The number of equations in a program, those of loops and calls counted once."""
    return sum(1 for _ in _equations(jaxpr))


def _narrowed_to(eqn: Any) -> tuple[str, float]:
    """The type that an equation rounds to and its epsilon; 0 where it rounds to nothing narrower than its operands."""
    if eqn.primitive.name == "reduce_precision":
        bits = eqn.params["mantissa_bits"]
        return f"{bits} bits of mantissa", 2.0**-bits
    if eqn.primitive.name not in ("convert_element_type", "dot_general", "conv_general_dilated"):
        return "", 0.0
    came, goes = ([var.aval.dtype for var in side] for side in (eqn.invars, eqn.outvars))
    if not all(jnp.issubdtype(dtype, jnp.floating) for dtype in (*came, *goes)):
        return "", 0.0
    epsilon = float(jnp.finfo(goes[0]).eps)
    return goes[0].name, epsilon if epsilon > min(float(jnp.finfo(dtype).eps) for dtype in came) else 0.0


def _equations(jaxpr: ClosedJaxpr | Jaxpr) -> Iterator[Any]:
    inner = jaxpr.jaxpr if isinstance(jaxpr, ClosedJaxpr) else jaxpr
    for eqn in inner.eqns:
        yield eqn
        for value in eqn.params.values():
            for part in value if isinstance(value, tuple | list) else (value,):
                if isinstance(part, ClosedJaxpr | Jaxpr):
                    yield from _equations(part)


def _line_of(eqn: Any) -> str:
    traceback = eqn.source_info.traceback
    theirs = [frame for frame in (traceback.frames if traceback else ()) if is_theirs(frame.file_name)]
    return f"line {theirs[0].line_num}" if theirs else "the primal"
