"""What can be wrong about a primal's program: its edges, its values with several uses, and its local rules.

An edge is one moving operand of one step. A rule is a step whose derivative depends on the values it was taken at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from course.comparison.gates import scatters
from course.comparison.gates.tape import Slot, Step, Tape, Value, floating, moving
from course.comparison.program import carry_count, constant_count

ELEMENTWISE = frozenset(
    "abs acos acosh asin asinh atan atanh cbrt ceil clamp cos cosh digamma erf erf_inv erfc exp exp2 expm1 floor "
    "integer_pow lgamma log log1p logistic max min pow round rsqrt select_n sign sin sinh sqrt square tan tanh".split()
)
"""Steps that, where one operand moves, are a function of it number by number."""

PRODUCTS = frozenset({"conv_general_dilated", "div", "dot_general", "mul"})
"""Steps whose derivative multiplies by another operand."""

MOST_CANDIDATES = 12
"""Other values that are tried in place of one: the nearest ones before it."""


@dataclass(eq=False)
class Edge:
    """One place where a cotangent passes: on its way into an operand of a step, or out of a value with several uses.

    `loops` says how many loops are around it.
    """

    value: Value
    step: Step
    operand: int | None
    loops: int


class Instead(NamedTuple):
    """What stands in the place of an operand: another value, or something made of what is at hand.

    `kind` is other (the value), later (the value, which a loop carries on in the operand's place), ones, reciprocal,
    transposed (of the operand), result (of the step), cotangent (that comes back to the step), or what becomes of a
    gather's cotangents in the place of their sum.
    """

    place: int
    kind: str
    value: Value | None = None


@dataclass(eq=False)
class Rule:
    """A step whose local derivative may be another one.

    `operand` is the one that moves, for an elementwise step; None for a product. `instead` are values that may stand
    in an operand's place when the derivative is taken.
    """

    step: Step
    operand: int | None
    instead: tuple[Instead, ...]
    loops: int


@dataclass(frozen=True)
class Survey:
    """Every edge and every rule of a tape, those of its bodies included, in program order."""

    edges: tuple[Edge, ...]
    rules: tuple[Rule, ...]


def survey(tape: Tape) -> Survey:
    """Lists all edges and rules."""
    return Survey(tuple(_edges(tape, 0)), tuple(_rules(tape, 0)))


def _edges(tape: Tape, loops: int) -> Iterator[Edge]:
    used = Counter(slot for step in tape.steps for slot in step.inputs if moving(slot))
    used.update(slot for slot in tape.outputs if moving(slot))
    for step in tape.steps:
        if not _hands_on(step, used):
            for place, slot in enumerate(step.inputs):
                if isinstance(slot, Value) and slot.moves:
                    yield Edge(slot, step, place, loops)
        for body in step.bodies:
            yield from _edges(body, loops + (step.name == "scan"))
        yield from (Edge(value, step, None, loops) for value in step.outputs if value.moves and used[value] > 1)


def _hands_on(step: Step, used: Counter[Slot]) -> bool:
    """Whether nothing passes a step but what passes the one edge after it too, or nothing at all."""
    moved = [value for value in step.outputs if value.moves]
    if not moved:
        return True
    return len(step.outputs) == 1 and used[moved[0]] == 1 and sum(map(moving, step.inputs)) == 1 and not step.bodies


def _rules(tape: Tape, loops: int, later: Mapping[Value, Slot] | None = None) -> Iterator[Rule]:
    before = [value for value in tape.inputs if floating(value)]
    for step in tape.steps:
        rule = _rule(step, before, loops, later or {})
        if rule is not None:
            yield rule
        for body in step.bodies:
            yield from _rules(body, loops + (step.name == "scan"), carried_on(step))
        before += [value for value in step.outputs if floating(value)]


def carried_on(step: Step) -> dict[Value, Slot]:
    """What a loop carries into its body, with what the body carries on in its place; empty for any other step."""
    if step.name != "scan":
        return {}
    (body,), first, carries = step.bodies, constant_count(step.eqn), carry_count(step.eqn)
    return dict(zip(body.inputs[first : first + carries], body.outputs[:carries], strict=True))


def _rule(step: Step, before: list[Value], loops: int, later: Mapping[Value, Slot]) -> Rule | None:
    places = [place for place, slot in enumerate(step.inputs) if moving(slot)]
    real = all(floating(slot) for slot in (*(step.inputs[place] for place in places), *step.outputs))
    if not places or len(step.outputs) != 1 or not real:
        return None
    moved = step.inputs[places[0]]
    alike = len(places) == 1 and isinstance(moved, Value) and moved.shape == step.outputs[0].shape
    if step.name in ELEMENTWISE and alike:
        return Rule(step, places[0], tuple(_instead(step, places[0], before, later)), loops)
    if step.name == "gather" and places == [0]:
        return Rule(step, None, tuple(Instead(0, kind) for kind in scatters.KINDS), loops)
    if step.name in PRODUCTS:
        asked = [place for place, slot in enumerate(step.inputs) if any(other != place for other in places)]
        options = (option for place in asked for option in _instead(step, place, before, later))
        return Rule(step, None, tuple(options), loops)
    return None


def _instead(step: Step, place: int, before: list[Value], later: Mapping[Value, Slot]) -> Iterator[Instead]:
    """What has the operand's shape, likelier things first."""
    slot: Slot = step.inputs[place]
    if not floating(slot):
        return
    if step.name in PRODUCTS:
        yield Instead(place, "ones")
    if not isinstance(slot, Value):
        return
    if len(slot.shape) == 2 and slot.shape[0] == slot.shape[1]:
        yield Instead(place, "transposed")
    if slot.shape == step.outputs[0].shape:
        yield from (Instead(place, "result"), Instead(place, "cotangent"))
    if step.name in PRODUCTS:
        yield Instead(place, "reciprocal")
    following = later.get(slot)
    if isinstance(following, Value) and following not in before:
        yield Instead(place, "later", following)
    near = [value for value in reversed(before) if value is not slot and value.shape == slot.shape]
    yield from (Instead(place, "other", value) for value in near[:MOST_CANDIDATES])
