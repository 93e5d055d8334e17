"""Cost beside every other way to the same derivative, as records: each method as a multiple of the primal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from course.comparison.counting import Count, count
from course.comparison.methods import method_counts
from course.comparison.point import Point
from course.comparison.residuals import residual_bytes, vjp_residual_bytes
from course.comparison.trees import without_float0
from course.records import Cost

YOURS = "yours"
REVERSE = "jax.vjp"


def method_costs(
    point: Point, fwd: Callable[..., Any] | None = None, bwd: Callable[..., Any] | None = None
) -> tuple[Cost, ...]:
    """Counts the primal, the pair where there is one, and JAX's methods, cheapest idea first.

    Raises:
        Exception: What the traced functions raise is passed on.
    """
    found = method_counts(point.primal, fwd, bwd, *point.primals)
    rows = [_cost("primal", found.primal, found.primal)]
    if fwd is not None and found.pair is not None:
        rows.append(_cost(YOURS, found.pair, found.primal, residual_bytes(fwd, *point.primals)))
    return (
        *rows,
        _cost(REVERSE, found.vjp, found.primal, vjp_residual_bytes(point.primal, *point.primals)),
        _cost("jax.jvp, one column", found.jvp, found.primal),
        _cost("jax.jacfwd, all columns", found.jacfwd, found.primal),
        _cost("central differences", found.central, found.primal),
    )


def rule_costs(point: Point, rule: Callable[..., Any], tangents: tuple[Any, ...]) -> tuple[Cost, ...]:
    """Counts what a tangent rule costs beside JAX's methods.

    Raises:
        Exception: What the traced functions raise is passed on.
    """
    primal, *others = method_costs(point)
    moving, join = without_float0(tangents)
    found = count(lambda at, along: rule(at, join(along)), point.primals, moving)
    ratio = found.flops / primal.flops if primal.flops else 0.0
    yours = Cost(YOURS, found.flops, ratio, found.bytes, found.peak_bytes, None, tuple(found.notes))
    return (primal, yours, *others)


def _cost(method: str, count: Count, primal: Count, residuals: int | None = None) -> Cost:
    ratio = count.flops / primal.flops if primal.flops else 0.0
    return Cost(method, count.flops, ratio, count.bytes, count.peak_bytes, residuals, tuple(count.notes))
