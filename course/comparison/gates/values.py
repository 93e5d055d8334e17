"""The values on the way from a primal's arguments to its result, and the true cotangent of each.

cotangent of v = d<y_bar, y> / dn        where v is moved to v + n, at n = 0
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp

from course.comparison.gates.places import folder_of
from course.comparison.gates.replay import read, run_equation
from course.comparison.gates.tape import Manner, Step, Tape, Value, floating, lay, values_of
from course.comparison.study import Study
from course.comparison.trees import has_tangent
from course.comparison.wrong import Wrong
from course.quick_compile import QUICK

Numbers = tuple[list[Any], dict[Value, Any]]
"""All values of a primal, and the cotangents of those that move."""


class Laid:
    """A primal at given shapes laid flat: `values` are its floating ones, arguments first, what loops hold left out."""

    def __init__(self, known: Study):
        """Lays it."""
        self.tape = lay(known.jaxpr, values_of(known.named_shapes()), Manner(folder_of(known.primal)))
        made = [value for step in self.tape.steps for value in step.outputs]
        self.values = [value for value in (*self.tape.inputs, *made) if floating(value)]
        self.moving = [value for value in self.values if value.moves]
        self._compiled = jax.jit(self._numbers, compiler_options=QUICK)

    def numbers(self, wrong: Wrong) -> Numbers:
        """All values at the point of an answer, and the cotangents of those that move."""
        values, bars = self._compiled(jax.tree.leaves(wrong.point.primals), list(wrong.truth.handed))
        return values, dict(zip(self.moving, bars, strict=True))

    def _numbers(self, leaves: Sequence[Any], y_bars: Any) -> tuple[list[Any], list[Any]]:
        def outputs(nudges: list[Any]) -> Any:
            ys, known = replayed(self.tape, leaves, dict(zip(self.moving, nudges, strict=True)))
            return [y for y in ys if has_tangent(y)], [known[value] for value in self.values]

        resting = [jnp.zeros(value.shape, value.dtype) for value in self.moving]
        _, pullback, values = jax.vjp(outputs, resting, has_aux=True)
        return values, pullback(y_bars)[0]


def replayed(
    tape: Tape,
    leaves: Sequence[Any],
    nudges: Mapping[Value, Any],
    seen: Callable[[Step, list[Any]], None] = lambda step, operands: None,
) -> tuple[list[Any], dict[Value, Any]]:
    """The outputs of a tape whose values are moved by nudges, and all its values; `seen` is shown every step."""
    known: dict[Value, Any] = dict(tape.constants)
    known |= {x: leaf + nudges[x] if x in nudges else leaf for x, leaf in zip(tape.inputs, leaves, strict=True)}
    for step in tape.steps:
        operands = [read(slot, known) for slot in step.inputs]
        seen(step, operands)
        for value, output in zip(step.outputs, run_equation(step.eqn, operands), strict=True):
            known[value] = output + nudges[value] if value in nudges else output
    return [read(slot, known) for slot in tape.outputs], known


@lru_cache(maxsize=32)
def laid(known: Study) -> Laid:
    """A primal laid flat, now or before."""
    return Laid(known)
