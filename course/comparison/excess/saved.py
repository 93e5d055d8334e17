"""What forward keeps without need: arrays that backward never reads, and such as others that are kept give back.

cheap(array) = one elementwise step, no transcendental function, of arrays that are kept anyway
"""

from __future__ import annotations

from dataclasses import dataclass

from jax.extend.core import ClosedJaxpr

from course.comparison.program import NOTHING, VIEWS, Step, Value, bytes_of, flatten, live_part

_CHEAP = frozenset("abs add and div eq floor ge gt le lt max min mul ne neg not or select_n sign sub xor".split())


@dataclass(frozen=True)
class Kept:
    """A saved array that need not be: its place among the residuals, its bytes, and the step that made it.

    `used` says whether backward reads it.
    """

    place: int
    bytes: int
    step: Step | None
    used: bool


def needless(forward: ClosedJaxpr, backward: ClosedJaxpr, outputs: int, residuals: int) -> list[Kept]:
    """The saved arrays of more than one number that need not be.

    Args:
        forward: `fwd` as a program of the primals; its first outputs are the value's.
        backward: `bwd` as a program of the residuals and the cotangents.
        outputs: How many arrays the value is.
        residuals: How many are saved.
    """
    program = flatten(forward)
    makers = {value: step for step in program.steps for value in step.outputs if value is not None}
    saved = program.outputs[outputs : outputs + residuals]
    free = {value.owner for value in program.inputs if value is not None}
    read = live_part(flatten(backward), [True] * len(backward.jaxpr.outvars))[1][:residuals]
    found, gone = [], set()
    for place, (value, used) in enumerate(zip(saved, read, strict=True)):
        if value is None or value.owner in free or forward.jaxpr.outvars[outputs + place].aval.size == 1:
            continue
        kept = {other.owner for other in saved if other is not None and other.owner not in gone} | free
        step = _own_step(makers, value)
        if not used or _is_cheap(makers, value, kept - {value.owner}):
            gone.add(value.owner)
            found.append(Kept(place, bytes_of(forward.jaxpr.outvars[outputs + place]), step, used))
    return found


def _own_step(makers: dict[Value, Step], value: Value) -> Step | None:
    return makers.get(value.owner) or makers.get(value)


def _is_cheap(makers: dict[Value, Step], value: Value, kept: set[Value]) -> bool:
    step = _own_step(makers, value)
    if step is None or step.eqn.primitive.name not in _CHEAP:
        return False
    return all(_is_kept(makers, operand, kept) for operand in step.inputs)


def _is_kept(makers: dict[Value, Step], value: Value | None, kept: set[Value]) -> bool:
    """Whether an operand is at hand: kept, written in the program, or a view of either."""
    if value is None or value.owner in kept or value.owner is NOTHING:
        return True
    step = makers.get(value)
    views = VIEWS | {"convert_element_type"}
    return step is not None and step.eqn.primitive.name in views and all(_is_kept(makers, v, kept) for v in step.inputs)
