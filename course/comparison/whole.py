"""A pair as one program: how large it is, and what it costs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from jax.extend.core import ClosedJaxpr

from course.comparison.counting import Count, count_jaxpr
from course.comparison.point import Point
from course.comparison.precision import size_of
from course.comparison.residuals import residual_bytes


@dataclass(frozen=True)
class Whole:
    """The program, the number of its equations, and its cost and the bytes that it saves, counted when asked for."""

    jaxpr: ClosedJaxpr
    size: int
    counted: Callable[[], tuple[Count, int]]


@runtime_checkable
class Inspecting(Protocol):
    """A backward function that has more to ask of the pair that it is part of, once that is traced."""

    def inspect(self, traced: ClosedJaxpr, point: Point) -> None:
        """Looks through the pair as one program.

        Raises:
            AnswerFault: It is refused.
        """


def whole_of(traced: ClosedJaxpr, fwd: Callable[..., Any], shapes: tuple[Any, ...]) -> Whole:
    """A pair that was traced."""
    return Whole(traced, size_of(traced), lambda: (count_jaxpr(traced), residual_bytes(fwd, *shapes)))
