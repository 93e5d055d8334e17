"""The precision of judgement: float64, or what the primal itself narrows to inside.

A production rule often casts to a narrower type. Its numbers can't agree beyond that type, so the precision, the
tolerance and the step of central differences follow the narrowest conversion found in the primal's jaxpr.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jax.extend.core import ClosedJaxpr, Jaxpr

from course.comparison.faults import is_theirs


@dataclass(frozen=True)
class Precision:
    """How exactly an answer is judged.

    `tolerance` bounds the error of an array relative to its norm. `floor` is the part of the norm of all arrays below
    which an array counts as zero, so that rounding in one that should vanish is no error. `step` is relative.
    """

    name: str
    dtype: Any
    tolerance: float
    floor: float
    step: float
    reason: str = ""


FLOAT64 = Precision("float64", jnp.float64, 1e-9, 1e-5, 6e-6)
"""Correct alternatives reach 4e-11 at most; the smallest real mistake measured is 2.6e-4."""

UNIT_ROUNDOFF = {"float32": 2.0**-24, "float16": 2.0**-11, "bfloat16": 2.0**-8}
HEADROOM = 50
"""Correct alternatives stay within 50 times what the conditioning, at least 4 unit roundoffs, explains."""

MOST_TOLERATED = 0.05
"""Beyond 5 % nothing would be judged, however narrow the type."""


def narrow(name: str, reason: str = "") -> Precision:
    """The precision for a type narrower than float64."""
    roundoff = UNIT_ROUNDOFF[name]
    tolerance = min(HEADROOM * 4 * roundoff, MOST_TOLERATED)
    return Precision(name, jnp.dtype(name), tolerance, 1e-2, (2 * roundoff) ** (1 / 3), reason)


def precision_named(name: str) -> Precision:
    """The precision that a caller asked for by name.

    Raises:
        ValueError: It is none of float64, float32, float16, bfloat16.
    """
    if name == "float64":
        return FLOAT64
    if name not in UNIT_ROUNDOFF:
        raise ValueError(f"precision must be one of float64, {', '.join(UNIT_ROUNDOFF)}; {name!r} came.")
    return narrow(name, "as asked")


def precision_of(primal: Callable[..., Any], primals: tuple[Any, ...]) -> Precision:
    """Float64, unless the primal casts to something narrower on the way."""
    narrowest = FLOAT64
    for eqn in _equations(jax.make_jaxpr(primal)(*primals)):
        if eqn.primitive.name not in ("convert_element_type", "reduce_precision"):
            continue
        came, goes = eqn.invars[0].aval.dtype, eqn.outvars[0].aval.dtype
        narrows = jnp.issubdtype(came, jnp.floating) and goes.itemsize < came.itemsize
        if narrows and goes.name in UNIT_ROUNDOFF and UNIT_ROUNDOFF[goes.name] > _roundoff(narrowest):
            narrowest = narrow(goes.name, f"{_line_of(eqn)} casts to {goes.name}")
    return narrowest


def _roundoff(precision: Precision) -> float:
    return UNIT_ROUNDOFF.get(precision.name, 2.0**-53)


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
