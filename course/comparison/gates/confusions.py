"""One array taken for another on the way back: the cotangent of a value, or a value itself, by a mistaken name.

An answer that goes back through a step with Q where the cotangent c of the step's result belongs gives

    answer = truth + back(Q - c)        back: from the step to the arguments, by way of one operand or of all

Q may be the cotangent of any value of the result's shape or, in an answer that does not follow the cotangent that it
is handed, any such value itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from course.comparison.counting import count_jaxpr
from course.comparison.floating import split_floating
from course.comparison.gates.replay import run_equation
from course.comparison.gates.search import affordable, each_row, picked
from course.comparison.gates.tape import Step, Value, floating, moving
from course.comparison.gates.values import laid, replayed
from course.comparison.study import Study, study
from course.comparison.wrong import Wrong
from course.quick_compile import QUICK
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


Pair = tuple[Spot, Taken]


class Confuser:
    """A primal at given shapes, with all that may be confused in it; what loops and branches hold is left out."""

    def __init__(self, known: Study):
        """Lists what may be confused."""
        self._laid = laid(known)
        self._values = self._laid.values
        self._spots = list(_spots(self._laid.tape.steps))
        most = min(MOST_TRIED, affordable(count_jaxpr(known.jaxpr).flops))
        self._pairs = {bar: list(self._every_pair(bar))[:most] for bar in (True, False)}
        self._room = max(map(len, self._pairs.values()))
        self._compiled = jax.jit(self._products, compiler_options=QUICK)

    def explain(self, wrong: Wrong) -> Cause | None:
        """The likeliest confusion that an answer's numbers are at every draw."""
        pairs = self._pairs[not wrong.stubborn & set(wrong.paths_wrong)]
        for draw in wrong.draws:
            pairs = self._fitting(pairs, draw)
        return self._cause(*pairs[0], wrong) if pairs else None

    def _fitting(self, pairs: list[Pair], wrong: Wrong) -> list[Pair]:
        if not pairs:
            return []
        errors, (values, bars) = wrong.errors(), self._laid.numbers(wrong)
        stacks = _Stacks(self._values, values, bars)
        numbers = {spot: i for i, spot in enumerate(self._spots)}
        rows = np.array([(numbers[spot], stacks.place(taken)) for spot, taken in pairs])
        rows = picked(rows, range(len(pairs)), self._room)
        ends = [bars[spot.result] for spot in self._spots]
        leaves = jax.tree.leaves(wrong.point.primals)
        ed, dd = map(
            np.asarray, self._compiled(leaves, stacks.arrays, ends, errors, wrong.scales, rows, np.int64(len(pairs)))
        )
        ee = sum(float(np.sum(np.square(error))) for error in errors)
        fits = (dd > 0) & (np.abs(ee + 2 * ed + dd) <= wrong.tolerance**2 * ee)
        return [pair for pair, fit in zip(pairs, fits, strict=False) if fit]

    def _cause(self, spot: Spot, taken: Taken, wrong: Wrong) -> Cause:
        line = f"`{spot.step.place.statement}`" if spot.step.place else "the primal"
        kind = f"The numbers fit: one array was taken for another on the way back through {line}."
        says, value = "", self._values[taken.value]
        if value.name and spot.result.name:
            given = f"the cotangent of `{value.name}`" if taken.bar else f"`{value.name}` itself"
            says = f"{given[0].upper()}{given[1:]} stands where the cotangent of `{spot.result.name}` belongs."
        return Cause("line", f"{kind} {says}", tuple(wrong.paths_wrong), kind, says)

    def _every_pair(self, bar: bool) -> Iterator[Pair]:
        """Every spot, the ones nearest the result first, with everything of its shape."""
        every = [Taken(i, bar) for i, x in enumerate(self._values) if not bar or x.moves]
        every.sort(key=lambda taken: not self._values[taken.value].is_variable)
        for spot in reversed(self._spots):
            for taken in every:
                other = self._values[taken.value]
                if other.shape == spot.result.shape and not (bar and other is spot.result):
                    yield spot, taken

    def _at_spots(self, leaves: Sequence[Any]) -> list[Any]:
        """Each spot's result with only its own operand moving."""
        found: list[Any] = []

        def seen(step: Step, operands: list[Any]) -> None:
            found.extend(_alone(spot, operands) for spot in _spots([step]))

        replayed(self._laid.tape, leaves, {}, seen)
        return found

    def _products(
        self, leaves: Sequence[Any], stacks: Any, ends: Any, errors: Any, scales: Any, rows: Any, count: Any
    ) -> tuple[Any, Any]:
        """<e, d> and <d, d> for every confusion, with e = answer - truth and d = truth - what it gives."""
        starts, still, join = split_floating(tuple(leaves))
        back = jax.vjp(lambda starts: self._at_spots(join(starts, still)), starts)[1]

        def row(pair: Any) -> Any:
            number, place = pair
            moved = []
            for i, (spot, end) in enumerate(zip(self._spots, ends, strict=True)):
                stack = stacks[spot.result.shape]
                moved.append(jnp.where(number == i, stack[jnp.minimum(place, len(stack) - 1)] - end, 0))
            d = [-bar / scale for bar, scale in zip(back(moved)[0], scales, strict=True)]
            return _inner(errors, d), _inner(d, d)

        return each_row(row, rows, count)


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
        self.arrays = {shape: np.stack(stack) for shape, stack in rows.items()}

    def place(self, taken: Taken) -> int:
        """Where an array is in the stack of its shape."""
        return self._places[taken]


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
    """A step's result in which one operand alone moves, if one is meant."""
    held = [x if spot.operand in (None, place) else jax.lax.stop_gradient(x) for place, x in enumerate(operands)]
    return run_equation(spot.step.eqn, held)[0]


def _inner(left: Sequence[Any], right: Sequence[Any]) -> Any:
    return sum((jnp.vdot(a, b) for a, b in zip(left, right, strict=True)), jnp.zeros(()))
