"""Installs a pair as the derivative of a JAX function."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

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
    name = getattr(bwd, "__name__", "bwd")

    @jax.custom_vjp
    def installed(*primals: Any) -> Any:
        return fwd(*primals)[0]

    def forward(*primals: Any) -> Any:
        y, residuals = fwd(*primals)
        return y, (residuals, _Shapes.of(primals))

    def backward(kept: Any, y_bar: Any) -> tuple[Any, ...]:
        residuals, shapes = kept
        point = Point(fwd, shapes.tree(), argument_names(fwd, len(shapes.tree())))
        return as_custom_vjp(point, bwd(residuals, y_bar), name)

    installed.defvjp(forward, backward)
    return installed


@jax.tree_util.register_static
@dataclass(frozen=True)
class _Shapes:
    """Shapes and types of the primals: backward needs them, and must not keep the arrays alive for it."""

    leaves: tuple[jax.ShapeDtypeStruct, ...]
    treedef: Any

    @classmethod
    def of(cls, primals: Any) -> _Shapes:
        leaves, treedef = jax.tree.flatten(primals)
        return cls(tuple(jax.ShapeDtypeStruct(np.shape(leaf), jnp.result_type(leaf)) for leaf in leaves), treedef)

    def tree(self) -> Any:
        return jax.tree.unflatten(self.treedef, self.leaves)
