"""How often a `while` runs, where the program says it: it counts by steps that are written there, to a number that is.

i = start;  while i < stop:  i = i + step        passes = ceil((stop - start) / step)
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from jax.extend.core import JaxprEqn, Literal

_COMPARED = {"lt": (0, 1, 0), "gt": (1, 0, 0), "le": (0, 1, 1), "ge": (1, 0, 1)}
"""For each comparison: the operand that counts, the one that ends the loop, and what to add to the latter."""


def known_passes(eqn: JaxprEqn) -> int | None:
    """The number of passes of a `while`; None where the program does not say it."""
    params: Any = eqn.params
    ends = params["cond_jaxpr"].jaxpr
    made = next((e for e in ends.eqns if e.outvars[0] is ends.outvars[0]), None)
    if made is None or made.primitive.name not in _COMPARED or len(made.invars) != 2:
        return None
    counts, stops, more = _COMPARED[made.primitive.name]
    place = _place(made.invars[counts], ends.invars[params["cond_nconsts"] :])
    if place is None:
        return None
    step = _step(params["body_jaxpr"].jaxpr, params["body_nconsts"], place)
    start = _number(eqn.invars[params["cond_nconsts"] + params["body_nconsts"] + place])
    stop = _number(made.invars[stops])
    if step is None or start is None or stop is None or step <= 0:
        return None
    return max(math.ceil((stop + more - start) / step), 0)


def _step(body: Any, constants: int, place: int) -> float | None:
    """What one pass adds to a carried number; None where it does something else."""
    before, after = body.invars[constants + place], body.outvars[place]
    made = next((e for e in body.eqns if e.outvars[0] is after), None)
    if made is None or made.primitive.name != "add" or before not in made.invars:
        return None
    (other,) = [atom for atom in made.invars if atom is not before] or [None]
    return _number(other)


def _place(atom: Any, carried: list[Any]) -> int | None:
    return next((place for place, var in enumerate(carried) if var is atom), None)


def _number(atom: Any) -> float | None:
    return float(atom.val) if isinstance(atom, Literal) and np.ndim(atom.val) == 0 else None
