"""A pair as one program: how large it is, and what it costs. Traced here, or counted where an answer was traced."""

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
    """The number of its equations; its cost and the bytes that it saves, counted when they are asked for.

    `jaxpr` is the program itself, None where it was traced elsewhere.
    """

    size: int
    counted: Callable[[], tuple[Count, int]]
    jaxpr: ClosedJaxpr | None = None


@runtime_checkable
class Elsewhere(Protocol):
    """A backward function that runs in another process: only there can the pair be traced as one program."""

    def whole(self, fwd: Callable[..., Any], point: Point, y_bar: Any) -> Whole | None:
        """The pair as one program; None where it can't be traced and need not be.

        Raises:
            AnswerFault: It can't be traced.
        """


def whole_of(traced: ClosedJaxpr, fwd: Callable[..., Any], shapes: tuple[Any, ...]) -> Whole:
    """The pair that was traced here."""
    return Whole(size_of(traced), lambda: (count_jaxpr(traced), residual_bytes(fwd, *shapes)), traced)
