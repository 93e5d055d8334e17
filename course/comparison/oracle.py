"""The three oracles that an answer is held against: JAX's reverse mode, JAX's forward mode, and plain differences.

All of them differentiate the primal, never the answer. They run as one compiled program, kept for as long as the
primal is, so that judging the next answer at the same shapes costs no compilation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

from course.comparison.floating import along_floating, split_floating
from course.comparison.point import Point
from course.comparison.precision import Precision
from course.comparison.trees import has_tangent, is_key, without_float0

DIRECTIONS = 2
"""Random directions an array in the inner-product test: one lets a wrong array pass once in a thousand at 1e-6."""

MOST_COLUMNS = 256
"""Every column of `jax.jacfwd` is computed up to this many inputs."""

QUICK = {"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}
"""Compiler options for programs that run once on small arrays."""


@dataclass(frozen=True)
class Truth:
    """What the oracles say at a point, as NumPy; one entry for each array that has a tangent.

    `reverse` are the cotangents by `jax.vjp`. `inner` holds <y_bar, y_dot> for each direction in `x_dots`, by
    `jax.jvp`. `columns` are the cotangents by `jax.jacfwd`, None when there are too many inputs. `difference` is the
    derivative of <y_bar, y> along `nudge`, by central differences.
    """

    y: Any
    y_bar: Any
    reverse: list[np.ndarray]
    x_dots: list[np.ndarray]
    inner: list[np.ndarray]
    columns: list[np.ndarray] | None
    nudge: list[np.ndarray]
    difference: float


def draw_like(rng: np.random.Generator, tree: Any) -> Any:
    """Gaussian numbers for every floating array of a tree, float0 zeros for the rest, as cotangents need."""

    def draw(leaf: Any) -> Any:
        if has_tangent(leaf):
            return jnp.asarray(rng.standard_normal(leaf.shape), leaf.dtype)
        return np.zeros(leaf.shape, jax.dtypes.float0)

    return jax.tree.map(draw, tree)


def find_truth(point: Point, precision: Precision, rng: np.random.Generator) -> Truth:
    """Draws cotangents, directions and a nudge, and asks every oracle at once."""
    moving, _, _ = split_floating(point.primals)
    y_bar = draw_like(rng, jax.eval_shape(point.primal, *point.primals))
    x_dots = [jnp.asarray(rng.standard_normal((DIRECTIONS, *leaf.shape)), leaf.dtype) for leaf in moving]
    nudge = [jnp.asarray(rng.standard_normal(leaf.shape), leaf.dtype) for leaf in moving]
    step = precision.step * max([1.0, *(float(np.max(np.abs(leaf), initial=0)) for leaf in moving)])
    columns = sum(leaf.size for leaf in moving) <= MOST_COLUMNS
    floating_bars, _ = without_float0(y_bar)
    found = program(point.primal, columns)(point.primals, floating_bars, x_dots, nudge, step)
    y, reverse, inner, by_columns, difference = jax.tree.map(_as_numpy, found)
    return Truth(
        y=y,
        y_bar=y_bar,
        reverse=reverse,
        x_dots=[np.asarray(x_dot) for x_dot in x_dots],
        inner=list(inner.reshape(len(moving), DIRECTIONS)),
        columns=by_columns,
        nudge=[np.asarray(v) for v in nudge],
        difference=float(difference),
    )


def _as_numpy(leaf: Any) -> Any:
    return leaf if is_key(leaf) else np.asarray(leaf)


@lru_cache(maxsize=256)
def program(primal: Callable[..., Any], columns: bool) -> Callable[..., Any]:
    """Compiles every oracle of a primal into one program; unoptimised, since compiling costs more than running."""

    def ask(primals: Any, y_bar: Any, x_dots: Any, nudge: Any, step: Any) -> Any:
        moving, still, join = split_floating(primals)
        function = along_floating(primal, join, still)
        x, unravel = ravel_pytree(moving)

        def weighed(x: Any) -> Any:
            return _inner(y_bar, function(*unravel(x))[0])

        _, pullback, _ = jax.vjp(function, *moving, has_aux=True)
        along = ravel_pytree(nudge)[0]
        return (
            primal(*primals),
            list(pullback(y_bar)),
            jax.lax.map(lambda x_dot: jax.jvp(weighed, (x,), (x_dot,))[1], _one_at_a_time(x_dots)),
            unravel(jax.jacfwd(weighed)(x)) if columns else None,
            (weighed(x + step * along) - weighed(x - step * along)) / (2 * step),
        )

    return jax.jit(ask, compiler_options=QUICK)


def _inner(left: Sequence[Any], right: Sequence[Any]) -> Any:
    return sum((jnp.sum((a * b).astype(jnp.float64)) for a, b in zip(left, right, strict=True)), jnp.zeros(()))


def _one_at_a_time(x_dots: Sequence[Any]) -> Any:
    """Directions of all arrays laid end to end, each moving one array and holding the others still."""
    rows = []
    for place, directions in enumerate(x_dots):
        for x_dot in directions:
            tangents = [x_dot if i == place else jnp.zeros_like(other[0]) for i, other in enumerate(x_dots)]
            rows.append(ravel_pytree(tangents)[0])
    return jnp.stack(rows)
