"""The cost of one derivative by every method, counted and never measured: nothing here is executed.

    vjp       y and x_bar, by jax.vjp
    pair      y and x_bar, by the hand-written forward and backward
    jvp       y and y_dot for one direction: one column
    jacfwd    y and every column, by jax.jacfwd over all floating inputs laid end to end
    central   x_bar, one input after the other: (<y_bar, y(x + h e_i)> - <y_bar, y(x - h e_i)>) / 2h

The value y is returned wherever it is computed. If it were not, the part of the forward pass that only y needs would be
dead, and a method that recomputes it (checkpoint) would look free.

Source: A. Griewank, A. Walther, "Evaluating Derivatives", 2nd edition, SIAM, 2008, chapter 4 (a gradient costs a small
multiple of its function, whatever the number of inputs).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

from course.comparison.counting import Count, count, count_jaxpr
from course.comparison.floating import along_floating, split_floating
from course.comparison.trees import has_tangent

_STEP = 1e-6
"""The h of the central differences, in units of the input. Its size does not enter a count."""


@dataclass(frozen=True)
class MethodCounts:
    """What a primal costs, and its derivative by each method."""

    primal: Count
    vjp: Count
    pair: Count | None
    jvp: Count
    jacfwd: Count
    central: Count

    def multiples(self) -> dict[str, float | None]:
        """FLOPs of each method as a multiple of the primal's; None where there is nothing to divide (by)."""
        counts = {field.name: getattr(self, field.name) for field in fields(self)}
        return {
            name: found.flops / self.primal.flops if found and self.primal.flops else None
            for name, found in counts.items()
            if name != "primal"
        }


def method_counts(
    primal: Callable[..., Any],
    fwd: Callable[..., Any] | None,
    bwd: Callable[..., Any] | None,
    *primals: Any,
) -> MethodCounts:
    """Counts what a primal and its derivative cost, method by method.

    Args:
        primal: The function; its exceptions, and the pair's, are passed on as they are.
        fwd: The hand-written forward pass, or None when there is no pair.
        bwd: The hand-written backward pass, or None when there is no pair.
        *primals: Pytrees of arrays, of numbers, or of `jax.ShapeDtypeStruct`. What is not floating is not moved.
    """
    traced, y = jax.make_jaxpr(primal, return_shape=True)(*primals)
    y_bar = [leaf for leaf in jax.tree.leaves(y) if has_tangent(leaf)]
    moving, still, join = split_floating(primals)

    def along(still: Sequence[Any]) -> Callable[..., tuple[list[Any], list[Any]]]:
        return along_floating(primal, join, still)

    def reverse(moving: Any, still: Any, y_bar: Any) -> Any:
        y, pullback, rest = jax.vjp(along(still), *moving, has_aux=True)
        return y, rest, pullback(y_bar)

    def forward(moving: Any, still: Any, x_dot: Any) -> Any:
        return jax.jvp(along(still), moving, x_dot, has_aux=True)

    def columns(moving: Any, still: Any) -> Any:
        return _columns(along(still), moving)

    def differences(moving: Any, still: Any, y_bar: Any) -> Any:
        return _central_differences(along(still), moving, y_bar)

    return MethodCounts(
        primal=count_jaxpr(traced),
        vjp=count(reverse, moving, still, y_bar),
        pair=None if fwd is None or bwd is None else count(_both(fwd, bwd, y), primals, y_bar),
        jvp=count(forward, moving, still, moving),
        jacfwd=count(columns, moving, still),
        central=count(differences, moving, still, y_bar),
    )


def _both(fwd: Callable[..., Any], bwd: Callable[..., Any], y_like: Any) -> Callable[..., Any]:
    """The pair as one program that returns the value and every cotangent."""
    like, treedef = jax.tree.flatten(y_like)

    def both(primals: tuple[Any, ...], floating_bars: Sequence[Any]) -> Any:
        y, residuals = fwd(*primals)
        bars = iter(floating_bars)
        y_bar = [next(bars) if has_tangent(leaf) else _no_tangent(leaf) for leaf in like]
        x_bars = jax.tree.leaves(bwd(residuals, jax.tree.unflatten(treedef, y_bar)))
        return y, [x_bar for x_bar in x_bars if not _is_float0(x_bar)]

    return both


def _columns(function: Callable[..., Any], moving: Sequence[Any]) -> Any:
    """The whole Jacobian and the value."""
    x, unravel = ravel_pytree(moving)

    def value_twice(x: Any) -> Any:
        y, rest = function(*unravel(x))
        return y, (y, rest)

    return jax.jacfwd(value_twice, has_aux=True)(x)


def _central_differences(function: Callable[..., Any], moving: Sequence[Any], y_bar: Sequence[Any]) -> Any:
    """The cotangent of every input, by two evaluations each."""
    x, unravel = ravel_pytree(moving)

    def projected(x: Any) -> Any:
        y, _ = function(*unravel(x))
        return sum(jnp.sum(bar * value) for bar, value in zip(y_bar, y, strict=True))

    def one(i: Any) -> Any:
        return (projected(x.at[i].add(_STEP)) - projected(x.at[i].add(-_STEP))) / (2 * _STEP)

    return jax.lax.map(one, jnp.arange(x.size))


def _no_tangent(leaf: Any) -> np.ndarray:
    return np.zeros(leaf.shape, jax.dtypes.float0)


def _is_float0(leaf: Any) -> bool:
    return getattr(leaf, "dtype", None) == jax.dtypes.float0
