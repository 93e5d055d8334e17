"""The point of judgement: the primals an answer is judged at, their names, and which of them have a tangent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from course.comparison.trees import argument_names, describe, has_tangent, is_key, named_leaves


@dataclass(frozen=True)
class Point:
    """A primal at its arguments. Static arguments are bound already, so that every argument here is a pytree of arrays."""

    primal: Callable[..., Any]
    primals: tuple[Any, ...]
    names: tuple[str, ...]

    def cast(self, dtype: Any) -> Point:
        """The same point with every floating array rounded to `dtype`."""
        return Point(self.primal, _cast(self.primals, dtype), self.names)


def make_point(primal: Callable[..., Any], primals: Sequence[Any], static_argnums: Sequence[int] = ()) -> Point:
    """Binds the static arguments and turns every other leaf into a JAX array.

    Raises:
        TypeError: A leaf is complex, or is no array.
        ValueError: Nothing here has a tangent.
    """
    names = argument_names(primal, len(primals))
    static = {i % len(primals): primals[i] for i in static_argnums}
    moving = tuple(i for i in range(len(primals)) if i not in static)
    arrays = tuple(_arrays(primals[i], names[i]) for i in moving)
    if not any(has_tangent(leaf) for leaf in jax.tree.leaves(arrays)):
        raise ValueError(
            f"At least one argument must hold floating-point numbers; {', '.join(names) or 'nothing'} came, and none does: "
            "give 1.0 rather than 1."
        )
    bound = primal if not static else bind_static(primal, static)
    return Point(bound, arrays, tuple(names[i] for i in moving))


def bind_static(function: Callable[..., Any], static: dict[int, Any]) -> Callable[..., Any]:
    """The function of the other arguments alone."""

    def bound(*moving: Any) -> Any:
        arguments, rest = [], iter(moving)
        for i in range(len(static) + len(moving)):
            arguments.append(static[i] if i in static else next(rest))
        return function(*arguments)

    return bound


def _arrays(argument: Any, name: str) -> Any:
    for path, leaf in named_leaves(argument, name):
        try:
            dtype = jnp.result_type(leaf)
        except (TypeError, ValueError):
            raise TypeError(
                f"{path} must be an array or a number; {describe(leaf)} came. Name its place in static_argnums if it is a setting."
            ) from None
        if jnp.issubdtype(dtype, jnp.complexfloating):
            raise TypeError(f"{path} must be real; {dtype} came. Judge its real and imaginary parts as two arguments.")
    return jax.tree.map(lambda leaf: leaf if is_key(leaf) else jnp.asarray(leaf), argument)


def _cast(tree: Any, dtype: Any) -> Any:
    return jax.tree.map(lambda leaf: jnp.asarray(np.asarray(leaf), dtype) if has_tangent(leaf) else leaf, tree)
