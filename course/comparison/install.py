"""Installs a pair as the derivative of a JAX function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax

from course.comparison.point import Point
from course.comparison.returned import as_custom_vjp
from course.comparison.trees import argument_names


def as_jax(fwd: Callable[..., Any], bwd: Callable[..., Any]) -> Callable[..., Any]:
    """Makes a function with the pair's value and, under `jax.grad` and `jax.vjp`, the pair's derivative.

    Every form of return that the judge accepts is brought to the one that `jax.custom_vjp` asks for: a bare array, a
    list, another container, None for what has no tangent, a narrower type.

    Args:
        fwd: `fwd(*primals) -> (y, residuals)`.
        bwd: `bwd(residuals, y_bar) -> tuple of cotangents`, one for each primal.

    Returns:
        A `jax.custom_vjp` of the primals. Differentiating it raises `course.comparison.trees.Mismatch` where the pair
        returns a form that the judge refuses.
    """

    @jax.custom_vjp
    def installed(*primals: Any) -> Any:
        return fwd(*primals)[0]

    def forward(*primals: Any) -> Any:
        y, residuals = fwd(*primals)
        return y, (residuals, primals)

    def backward(kept: Any, y_bar: Any) -> tuple[Any, ...]:
        residuals, primals = kept
        point = Point(fwd, primals, argument_names(fwd, len(primals)))
        return as_custom_vjp(point, bwd(residuals, y_bar), getattr(bwd, "__name__", "bwd"))

    installed.defvjp(forward, backward)
    return installed
