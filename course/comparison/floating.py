"""A function of pytrees as a function of its floating arrays alone: the form that JAX's own transformations ask for.

Integers, booleans and keys have no tangent. They stay arguments of what is traced, since they may be shapes alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax

from course.comparison.trees import has_tangent

Join = Callable[[Sequence[Any], Sequence[Any]], tuple[Any, ...]]


def split_floating(primals: tuple[Any, ...]) -> tuple[list[Any], list[Any], Join]:
    """Returns the floating leaves, the others, and a function that puts two such lists back together."""
    leaves, treedef = jax.tree.flatten(primals)
    floats = [has_tangent(leaf) for leaf in leaves]

    def join(moving: Sequence[Any], still: Sequence[Any]) -> tuple[Any, ...]:
        movers, others = iter(moving), iter(still)
        return jax.tree.unflatten(treedef, [next(movers if moves else others) for moves in floats])

    moving = [leaf for leaf, moves in zip(leaves, floats, strict=True) if moves]
    still = [leaf for leaf, moves in zip(leaves, floats, strict=True) if not moves]
    return moving, still, join


def along_floating(
    primal: Callable[..., Any], join: Join, still: Sequence[Any]
) -> Callable[..., tuple[list[Any], list[Any]]]:
    """Returns the function from floating leaves to floating outputs, with the other outputs beside them."""

    def function(*moving: Any) -> tuple[list[Any], list[Any]]:
        outputs = jax.tree.leaves(primal(*join(moving, still)))
        floating = [y for y in outputs if has_tangent(y)]
        return floating, [y for y in outputs if not has_tangent(y)]

    return function
