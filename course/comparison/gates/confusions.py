"""One array taken for another on the way back: the cotangent of a value, or a value itself, by a mistaken name.

An answer that goes back through a step with Q where the cotangent c of the step's result belongs gives

    answer = truth + back(Q - c)        back: from the step to the arguments, by way of one operand or of all

Q may be any value of the result's shape, and the cotangent of any.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from course.comparison.compiled import QUICK
from course.comparison.counting import count_jaxpr
from course.comparison.floating import split_floating
from course.comparison.gates.places import folder_of
from course.comparison.gates.replay import read, run_equation
from course.comparison.gates.search import BACKWARD, MOST_WORK
from course.comparison.gates.tape import Manner, Step, Value, floating, lay, moving, values_of
from course.comparison.study import Study, study
from course.comparison.trees import has_tangent
from course.comparison.wrong import Wrong
from course.records import Cause

MOST_TRIED = 1500
"""Confusions that are tried; of a longer primal, those nearest its result."""


class Spot(NamedTuple):
    """Where a cotangent is used: on its way from a step's result into one operand, or into all."""

    step: Step
    operand: int | None

    @property
    def result(self) -> Value:
        """What the cotangent is one of."""
        return self.step.outputs[0]


class Taken(NamedTuple):
    """What is taken in its place: a value by its number or, with `bar`, the cotangent of that value."""

    value: int
    bar: bool


class Confuser:
    """A primal at given shapes, with all that may be confused in it; what loops and branches hold is left out."""

    def __init__(self, known: Study):
        """Lays the primal flat."""
        self._tape = lay(known.jaxpr, values_of(known.named_shapes()), Manner(folder_of(known.primal)))
        made = [value for step in self._tape.steps for value in step.outputs]
        self._values = [value for value in (*self._tape.inputs, *made) if floating(value)]
        self._moving = [value for value in self._values if value.moves]
        self._spots = list(_spots(self._tape.steps))
        room = int(MOST_WORK / (BACKWARD * max(count_jaxpr(known.jaxpr).flops, 1)))
        self._pairs = list(self._every_pair())[: min(MOST_TRIED, room)]
        self._compiled = jax.jit(self._products, compiler_options=QUICK)

    def explain(self, wrong: Wrong) -> Cause | None:
        """The confusion that an answer's numbers are."""
        if not self._pairs:
            return None
        errors = wrong.errors()
        leaves, handed = jax.tree.leaves(wrong.point.primals), list(wrong.truth.handed)
        ed, dd = map(np.asarray, self._compiled(leaves, handed, errors, wrong.scales))
        ee = sum(float(np.sum(np.square(error))) for error in errors)
        fits = (dd > 0) & (np.abs(ee + 2 * ed + dd) <= wrong.tolerance**2 * ee)
        return next((self._cause(*pair, wrong) for pair, fit in zip(self._pairs, fits, strict=True) if fit), None)

    def _cause(self, spot: Spot, taken: Taken, wrong: Wrong) -> Cause:
        line = f"`{spot.step.place.statement}`" if spot.step.place else "the primal"
        kind = f"The numbers fit: one array was taken for another on the way back through {line}."
        says, value = "", self._values[taken.value]
        if value.name and spot.result.name:
            given = f"the cotangent of `{value.name}`" if taken.bar else f"`{value.name}` itself"
            says = f"{given[0].upper()}{given[1:]} stands where the cotangent of `{spot.result.name}` belongs."
        return Cause("line", f"{kind} {says}", tuple(wrong.paths_wrong), kind, says)

    def _every_pair(self) -> Iterator[tuple[Spot, Taken]]:
        """Every spot, the ones nearest the result first, with everything of its shape."""
        moves = set(self._moving)
        every = [Taken(i, bar) for bar in (True, False) for i, x in enumerate(self._values) if not bar or x in moves]
        every.sort(key=lambda taken: not self._values[taken.value].is_variable)
        for spot in reversed(self._spots):
            for taken in every:
                other = self._values[taken.value]
                if other.shape == spot.result.shape and not (taken.bar and other is spot.result):
                    yield spot, taken

    def _run(self, leaves: Sequence[Any], nudges: Mapping[Value, Any]) -> tuple[list[Any], list[Any], list[Any]]:
        """The outputs, all values, and each spot's result with only its own operand moving."""
        known = dict(self._tape.constants)
        known |= {x: leaf + nudges.get(x, 0) if floating(x) else leaf for x, leaf in self._inputs(leaves)}
        at_spots = []
        for step in self._tape.steps:
            operands = [read(slot, known) for slot in step.inputs]
            for value, output in zip(step.outputs, run_equation(step.eqn, operands), strict=True):
                known[value] = output + nudges[value] if value in nudges else output
            for spot in _spots([step]):
                at_spots.append(known[spot.result] if spot.operand is None else _alone(spot, operands))
        return [read(slot, known) for slot in self._tape.outputs], [known[value] for value in self._values], at_spots

    def _inputs(self, leaves: Sequence[Any]) -> Iterator[tuple[Value, Any]]:
        return zip(self._tape.inputs, leaves, strict=True)

    def _cotangents(self, leaves: Sequence[Any], y_bars: Any) -> tuple[list[Any], dict[Value, Any]]:
        """All values, and the true cotangents of those that move."""

        def outputs(nudges: list[Any]) -> Any:
            ys, values, _ = self._run(leaves, dict(zip(self._moving, nudges, strict=True)))
            return [y for y in ys if has_tangent(y)], values

        resting = [jnp.zeros(value.shape, value.dtype) for value in self._moving]
        _, pullback, values = jax.vjp(outputs, resting, has_aux=True)
        return values, dict(zip(self._moving, pullback(y_bars)[0], strict=True))

    def _products(self, leaves: Sequence[Any], y_bars: Any, errors: Any, scales: Any) -> tuple[Any, Any]:
        """<e, d> and <d, d> for every confusion, with e = answer - truth and d = truth - what it gives."""
        values, bars = self._cotangents(leaves, y_bars)
        stacks = _Stacks(self._values, values, bars)

        starts, still, join = split_floating(tuple(leaves))
        back = jax.vjp(lambda starts: self._run(join(starts, still), {})[2], starts)[1]

        def row(pair: Any) -> Any:
            number, place = pair
            moved = [
                jnp.where(number == i, stacks.at(spot.result.shape, place) - bars[spot.result], 0)
                for i, spot in enumerate(self._spots)
            ]
            d = [-bar / scale for bar, scale in zip(back(moved)[0], scales, strict=True)]
            return _inner(errors, d), _inner(d, d)

        numbers = {spot: i for i, spot in enumerate(self._spots)}
        rows = ([numbers[spot] for spot, _ in self._pairs], [stacks.place(taken) for _, taken in self._pairs])
        return jax.lax.map(row, jax.tree.map(jnp.array, rows, is_leaf=lambda part: isinstance(part, list)))


class _Stacks:
    """All values and cotangents, those of one shape in one stack, so that a program may choose among them."""

    def __init__(self, values: Sequence[Value], numbers: Sequence[Any], bars: Mapping[Value, Any]):
        """Stacks each value, and its cotangent if it has one."""
        rows: dict[tuple[int, ...], list[Any]] = {}
        self._places: dict[Taken, int] = {}
        for i, (value, x) in enumerate(zip(values, numbers, strict=True)):
            stack = rows.setdefault(value.shape, [])
            for bar, array in ((False, x), (True, bars.get(value))):
                if array is not None:
                    self._places[Taken(i, bar)] = len(stack)
                    stack.append(array)
        self._stacks = {shape: jnp.stack(stack) for shape, stack in rows.items()}

    def place(self, taken: Taken) -> int:
        """Where an array is in the stack of its shape."""
        return self._places[taken]

    def at(self, shape: tuple[int, ...], place: Any) -> Any:
        """The array at a place of a stack."""
        return self._stacks[shape][jnp.minimum(place, len(self._stacks[shape]) - 1)]


def confused(wrong: Wrong) -> list[Cause]:
    """The one confusion that explains an answer; empty where none does, or where slips say all of it more simply."""
    if all(array.slip for array in wrong.arrays if not array.right):
        return []
    cause = _confuser(study(wrong.point)).explain(wrong)
    return [cause] if cause else []


@lru_cache(maxsize=32)
def _confuser(known: Study) -> Confuser:
    return Confuser(known)


def _spots(steps: Sequence[Step]) -> Iterator[Spot]:
    """Where cotangents are used: once for each step that moves, and for each operand where several do."""
    for step in steps:
        operands = [place for place, slot in enumerate(step.inputs) if moving(slot)]
        if len(step.outputs) == 1 and step.outputs[0].moves and floating(step.outputs[0]):
            yield Spot(step, None)
            yield from (Spot(step, place) for place in operands if len(operands) > 1)


def _alone(spot: Spot, operands: Sequence[Any]) -> Any:
    """A step's result in which one operand alone moves."""
    held = [x if place == spot.operand else jax.lax.stop_gradient(x) for place, x in enumerate(operands)]
    return run_equation(spot.step.eqn, held)[0]


def _inner(left: Sequence[Any], right: Sequence[Any]) -> Any:
    return sum((jnp.vdot(a, b) for a, b in zip(left, right, strict=True)), jnp.zeros(()))
