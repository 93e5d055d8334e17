"""Value numbers: two steps get one number when they do the same to the same values, so that work done twice shows.

Source: A. V. Aho, M. S. Lam, R. Sethi, J. D. Ullman, "Compilers: Principles, Techniques, and Tools", 2nd edition, 2006,
section 6.1.2 (the value-number method).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from jax.extend.core import ClosedJaxpr, Literal

from course.comparison.counting import count_step
from course.comparison.flop_rules import LINEAR_ALGEBRA
from course.comparison.program import Step, Value, flatten, live_part


@dataclass(frozen=True)
class Work:
    """One live step: its value number, its FLOPs with all its rounds, and whether forward does it.

    Linear algebra counts nothing: what it costs is known by the leading order alone.
    """

    step: Step
    number: Hashable
    flops: int
    forward: bool

    @property
    def name(self) -> str:
        """The name of its primitive."""
        return self.step.eqn.primitive.name

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of its first output."""
        return shape_of(self.step.eqn.outvars[0])


def shape_of(atom: Any) -> tuple[int, ...]:
    """The shape of a jaxpr's variable or literal."""
    return atom.aval.shape


class Numbering:
    """Gives numbers to the values of programs that start from the same inputs."""

    def __init__(self) -> None:
        self._numbers: dict[Hashable, int] = {}
        self._values: dict[Value, Hashable] = {}

    def number(self, key: Hashable) -> int:
        """The number of a key, a new one if it is new."""
        return self._numbers.setdefault(key, len(self._numbers))

    def enter(self, inputs: Sequence[Value | None]) -> None:
        """Numbers the inputs of a program by their places."""
        self._values.update({value: ("input", place) for place, value in enumerate(inputs) if value is not None})

    def of(self, step: Step) -> Hashable:
        """The number of a step whose inputs have theirs."""
        operands = tuple(
            _literal(atom) if value is None else self._values.setdefault(value, ("alone", id(value)))
            for atom, value in zip(step.eqn.invars, step.inputs, strict=True)
        )
        number = self.number((step.eqn.primitive.name, str(step.eqn.params), operands))
        self._values.update({value: (number, i) for i, value in enumerate(step.outputs) if value is not None})
        return number


def _literal(atom: Any) -> Hashable:
    return ("number", str(atom.aval), np.asarray(atom.val).tobytes()) if isinstance(atom, Literal) else ("unread",)


@dataclass(frozen=True)
class Numbered:
    """The work of a pair, of which the first `forward` steps are forward's, beside that of its primal."""

    pair: ClosedJaxpr
    primal: ClosedJaxpr
    forward: ClosedJaxpr

    @cached_property
    def _numbering(self) -> Numbering:
        return Numbering()

    @cached_property
    def work(self) -> tuple[Work, ...]:
        """The live steps of the pair."""
        forward = len(flatten(self.forward).steps)
        return tuple(self._work(self.pair, forward))

    @cached_property
    def of_primal(self) -> tuple[Work, ...]:
        """The live steps of the primal."""
        return tuple(self._work(self.primal, 0))

    @cached_property
    def flops(self) -> int:
        """Of the pair."""
        return sum(work.flops for work in self.work)

    @cached_property
    def makers(self) -> dict[Value, Step]:
        """The step of the pair that made each value."""
        return {value: work.step for work in self.work for value in work.step.outputs if value is not None}

    def _work(self, jaxpr: ClosedJaxpr, forward: int) -> Iterator[Work]:
        program = flatten(jaxpr)
        self._numbering.enter(program.inputs)
        live, _ = live_part(program, [True] * len(program.outputs))
        needed = {value for step in live.steps for value in step.outputs if value is not None}
        for place, step in enumerate(program.steps):
            number = self._numbering.of(step)
            if not needed.isdisjoint(step.outputs):
                counted = step.eqn.primitive.name not in LINEAR_ALGEBRA
                yield Work(step, number, count_step(step).flops if counted else 0, place < forward)
