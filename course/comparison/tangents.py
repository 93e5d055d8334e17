"""The oracles for a tangent rule: JAX's forward mode along one direction, its reverse mode, and plain differences.

The mirror of `oracle`: there one cotangent of the value is pulled back to every argument, here one direction of all
arguments is pushed forward to every output.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from course.comparison.floating import along_floating, split_floating
from course.comparison.oracle import draw_like, extent
from course.comparison.point import Point
from course.comparison.precision import Precision
from course.comparison.study import Study, failure, study
from course.comparison.trees import has_tangent, without_float0
from course.quick_compile import QUICK


@dataclass(frozen=True)
class Tangents:
    """What the oracles say along one direction: lists have one entry for each floating output.

    The direction `x_dot` moves every argument in proportion to its size, so that none is lost beside another.
    `forward` are the tangents by `jax.jvp`. `inner` is <x_bar, x_dot> by `jax.vjp` for a random cotangent of that
    output alone, one of `y_bars`; None where the primal has no reverse mode. `difference` are the tangents by central
    differences.
    """

    y: Any
    x_dot: tuple[Any, ...]
    forward: list[np.ndarray]
    y_bars: list[np.ndarray]
    inner: list[float] | None
    difference: list[np.ndarray]


def find_tangents(point: Point, precision: Precision, rng: np.random.Generator) -> Tangents:
    """Draws a direction and a cotangent for each output, and asks every oracle at once.

    Raises:
        ValueError: The primal has no forward mode, or is not finite here.
    """
    x_dot = draw_like(rng, point.primals, extent)
    outputs = [leaf for leaf in jax.tree.leaves(study(point).y) if has_tangent(leaf)]
    y_bars = [rng.standard_normal(leaf.shape).astype(leaf.dtype) for leaf in outputs]
    truth = _ask(point, precision, x_dot, y_bars)
    if not all(np.all(np.isfinite(np.asarray(leaf, np.float64))) for leaf in truth.forward):
        raise ValueError(
            "The primal's derivative must be finite at the arguments given; JAX's tangent is not: give other "
            "arguments, away from the edge of its domain."
        )
    return truth


def tangents_near(
    point: Point, precision: Precision, truth: Tangents, x_dot: tuple[Any, ...] | None = None
) -> Tangents:
    """What the oracles say at another point, or along another direction."""
    return _ask(point, precision, truth.x_dot if x_dot is None else x_dot, truth.y_bars)


def _ask(point: Point, precision: Precision, x_dot: tuple[Any, ...], y_bars: list[np.ndarray]) -> Tangents:
    step = np.asarray(precision.step, precision.dtype)
    asked = (point.primals, without_float0(x_dot)[0], y_bars, step)
    y, forward, inner, difference = _answers(study(point), asked)
    return Tangents(
        y=y,
        x_dot=x_dot,
        forward=[np.asarray(leaf) for leaf in forward],
        y_bars=y_bars,
        inner=None if inner is None else [float(value) for value in inner],
        difference=[np.asarray(leaf) for leaf in difference],
    )


def _answers(known: Study, asked: tuple[Any, ...]) -> Any:
    """What the program says, without reverse mode where the primal has none.

    Raises:
        ValueError: It has no forward mode.
    """
    try:
        return _program(known, reverse=True)(*asked)
    except Exception:
        try:
            return _program(known, reverse=False)(*asked)
        except Exception as error:
            raise failure("be differentiable by jax.jvp", error) from error


@lru_cache(maxsize=128)
def _program(known: Study, reverse: bool) -> Callable[..., Any]:
    def ask(primals: Any, x_dot: Sequence[Any], y_bars: Sequence[Any], step: Any) -> Any:
        moving, still, join = split_floating(primals)
        function = along_floating(known.primal, join, still)
        _, forward, _ = jax.jvp(function, moving, x_dot, has_aux=True)
        ahead, _ = function(*[leaf + step * v for leaf, v in zip(moving, x_dot, strict=True)])
        behind, _ = function(*[leaf - step * v for leaf, v in zip(moving, x_dot, strict=True)])
        inner = _inner(function, moving, x_dot, y_bars) if reverse else None
        moved = [(a - b) / (2 * step) for a, b in zip(ahead, behind, strict=True)]
        difference = [jnp.zeros_like(d) if hold else d for hold, d in zip(known.held, moved, strict=True)]
        return known.primal(*primals), forward, inner, difference

    return jax.jit(ask, compiler_options=QUICK)


def _inner(function: Callable[..., Any], moving: Any, x_dot: Sequence[Any], y_bars: Sequence[Any]) -> list[Any]:
    """<x_bar, x_dot> for the cotangent of each output alone."""
    outputs, pullback, _ = jax.vjp(function, *moving, has_aux=True)
    found = []
    for place, y_bar in enumerate(y_bars):
        alone = [y_bar if i == place else jnp.zeros_like(y) for i, y in enumerate(outputs)]
        found.append(sum(jnp.sum(x_bar * v) for x_bar, v in zip(pullback(alone), x_dot, strict=True)))
    return found
