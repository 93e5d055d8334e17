"""The point of judgement: the primals an answer is judged at, their names, and which of them have a tangent."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from course.comparison.trees import argument_names, describe, has_tangent, is_key, named_leaves


@dataclass(frozen=True)
class Point:
    """A primal at its arguments. Static arguments are bound already, so that every argument here is a pytree of arrays.

    The arrays are NumPy's as they came: JAX would round them to float32 wherever float64 is not switched on.
    """

    primal: Callable[..., Any]
    primals: tuple[Any, ...]
    names: tuple[str, ...]

    def cast(self, dtype: Any) -> Point:
        """The same point as JAX arrays on the device of the moment, with every floating one rounded to `dtype`."""
        here = getattr(jax.config, "jax_default_device")  # noqa: B009 - JAX's type stubs don't know it

        def arrays(leaf: Any) -> Any:
            if is_key(leaf):
                return jax.device_put(leaf, here)
            with np.errstate(over="ignore"):
                return jax.device_put(np.asarray(leaf, dtype if has_tangent(leaf) else None))

        return Point(self.primal, jax.tree.map(arrays, self.primals), self.names)

    def floating(self, ending: str = "bar") -> list[tuple[str, Any]]:
        """All floating arrays in order, each under the name of its cotangent or tangent: `params_bar.layers[0].w`."""
        return [
            (path, leaf)
            for name, primal in zip(self.names, self.primals, strict=True)
            for path, leaf in named_leaves(primal, f"{name}_{ending}")
            if has_tangent(leaf)
        ]

    def sizes(self) -> dict[int, str]:
        """What each number above 1 among the primals' shapes counts: 'the length of axis 0 of x', 'the size of x'.

        Of several arrays it is the first; of a length and a size the length.
        """
        pairs = zip(self.names, self.primals, strict=True)
        shapes = {path: np.shape(leaf) for name, primal in pairs for path, leaf in named_leaves(primal, name)}
        lengths = [
            (length, f"the length of axis {axis} of {path}")
            for path, shape in shapes.items()
            for axis, length in enumerate(shape)
        ]
        whole = [(math.prod(shape), f"the size of {path}") for path, shape in shapes.items()]
        return {number: what for number, what in reversed(lengths + whole) if number > 1}


def make_point(primal: Callable[..., Any], primals: Sequence[Any], static_argnums: Sequence[int] = ()) -> Point:
    """Binds the static arguments and turns every other leaf into an array.

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
            f"At least one argument must hold floating-point numbers; {', '.join(names) or 'nothing'} came, and none "
            "does: give 1.0 rather than 1."
        )
    return Point(bind_static(primal, static), arrays, tuple(names[i] for i in moving))


def bind_static(function: Callable[..., Any], static: dict[int, Any]) -> Callable[..., Any]:
    """The function of the other arguments alone; the same object for the same function and values, where it can be."""
    if not static:
        return function
    fixed = tuple((place, type(value), value) for place, value in static.items())  # 1 == 1.0 == True, types tell
    try:
        return _bound(function, fixed)
    except TypeError:  # a value that can't be hashed
        return _bound.__wrapped__(function, fixed)


@lru_cache(maxsize=256)
def _bound(function: Callable[..., Any], static: tuple[tuple[int, type, Any], ...]) -> Callable[..., Any]:
    fixed = {place: value for place, _, value in static}

    def bound(*moving: Any) -> Any:
        rest = iter(moving)
        return function(*(fixed[i] if i in fixed else next(rest) for i in range(len(fixed) + len(moving))))

    return bound


def _arrays(argument: Any, name: str) -> Any:
    for path, leaf in named_leaves(argument, name):
        if isinstance(leaf, jax.core.Tracer):
            raise TypeError(f"{path} must hold numbers; JAX is tracing it. Compare outside jit, grad and vmap.")
        dtype = _dtype(leaf)
        if dtype is None:
            raise TypeError(
                f"{path} must be an array or a number; {describe(leaf)} came. If it is a setting, name its place in "
                "static_argnums."
            )
        if jnp.issubdtype(dtype, jnp.complexfloating):
            raise TypeError(f"{path} must be real; {dtype} came. Judge its real and imaginary parts as two arguments.")
    return jax.tree.map(lambda leaf: leaf if is_key(leaf) else np.asarray(leaf), argument)


def _dtype(leaf: Any) -> Any:
    """The type of a leaf's numbers; None where it holds none."""
    if isinstance(leaf, str | bytes | type):  # JAX takes "float32" for the type itself
        return None
    try:
        return jnp.result_type(leaf)
    except (TypeError, ValueError):
        return None
