"""Cost beside every other way to the same derivative, as records: each method as a multiple of the primal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jax.extend.core import ClosedJaxpr

from course.comparison.counting import Count, count_jaxpr
from course.comparison.methods import MethodCounts, method_counts
from course.comparison.point import Point
from course.comparison.residuals import residual_bytes, vjp_residual_bytes
from course.comparison.study import Study
from course.records import YOURS, Cost

REVERSE = "jax.vjp"
FORWARD = "jax.jvp, one column"


def pair_costs(known: Study, count: Count, residuals: int) -> tuple[Cost, ...]:
    """What a pair costs beside JAX's methods.

    Args:
        known: The primal.
        count: That of the pair as one program that returns the value and every cotangent.
        residuals: The bytes that its forward function saves.
    """
    return _beside(known, count, residuals)


def rule_costs(known: Study, traced: ClosedJaxpr) -> tuple[Cost, ...]:
    """What a traced tangent rule costs beside JAX's methods."""
    return _beside(known, count_jaxpr(traced), None)


def method_costs(
    point: Point, fwd: Callable[..., Any] | None = None, bwd: Callable[..., Any] | None = None
) -> tuple[Cost, ...]:
    """What the derivative at a point costs by every method, and by a pair where there is one; nothing is judged.

    Raises:
        Exception: What the functions raise when they are traced.
    """
    found = method_counts(point.primal, fwd, bwd, *point.primals)
    residuals = None if fwd is None else residual_bytes(fwd, *point.primals)
    return _rows(found, found.pair, residuals, vjp_residual_bytes(point.primal, *point.primals))


def _beside(known: Study, count: Count, residuals: int | None) -> tuple[Cost, ...]:
    return _rows(known.counts, count, residuals, known.vjp_residual_bytes)


def _rows(found: MethodCounts, yours: Count | None, residuals: int | None, vjp_residuals: int) -> tuple[Cost, ...]:
    own = () if yours is None else (_cost(YOURS, yours, found.primal, residuals),)
    return (
        _cost("primal", found.primal, found.primal),
        *own,
        _cost(REVERSE, found.vjp, found.primal, vjp_residuals),
        _cost(FORWARD, found.jvp, found.primal),
        _cost("jax.jacfwd, all columns", found.jacfwd, found.primal),
        _cost("central differences", found.central, found.primal),
    )


def _cost(method: str, count: Count, primal: Count, residuals: int | None = None) -> Cost:
    ratio = count.flops / primal.flops if primal.flops else 0.0
    parts = (count.dot_flops, count.linear_flops)
    return Cost(method, count.flops, ratio, count.bytes, count.peak_bytes, residuals, tuple(count.notes), *parts)
