"""The two ways through a primal: what an answer is handed, and the arrays that come out.

reverse    one cotangent of the value in, a cotangent of every argument out
forward    a tangent of one argument after the other in, a tangent of every output out for each of them
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, ClassVar

import jax

Function = Callable[[list[Any]], list[Any]]
"""From the floating arrays among the arguments to those among the outputs."""


@dataclass(frozen=True)
class Reverse:
    """From a cotangent of the value to that of every argument."""

    forward: ClassVar[bool] = False
    handed: ClassVar[str] = "cotangent"
    passes: ClassVar[int] = 1

    def parts(self, function: Function, at: list[Any], handed: list[Any]) -> list[Any]:
        """The cotangents of all floating arguments, for one cotangent of each floating output."""
        cotangents: list[Any] = jax.vjp(function, at)[1](handed)[0]
        return cotangents


@dataclass(frozen=True)
class Forward:
    """From tangents that move one array of the arguments each to those of the value.

    `each` says how many such directions there are for each array.
    """

    each: tuple[int, ...]
    forward: ClassVar[bool] = True
    handed: ClassVar[str] = "tangent"

    @property
    def passes(self) -> int:
        """How many directions there are."""
        return sum(self.each)

    def parts(self, function: Function, at: list[Any], handed: list[Any]) -> list[Any]:
        """For each floating argument and, within it, each floating output: its tangents along that one's directions.

        `handed` holds for each argument its part of all directions, stacked.
        """
        return self.cut(jax.vmap(lambda along: jax.jvp(function, (at,), (along,))[1])(handed))

    def cut(self, stacked: Sequence[Any]) -> list[Any]:
        """The parts, from the tangents of every output along all directions; one direction needs no axis of its own."""
        return [
            y_dot[end - count : end] if count > 1 else y_dot[end - 1]
            for count, end in zip(self.each, accumulate(self.each), strict=True)
            for y_dot in stacked
        ]


Way = Reverse | Forward
