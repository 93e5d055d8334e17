"""A primal at given shapes: what no answer changes about it, found once and kept as long as the primal is the same.

Tracing, compiling and counting cost far more than running on small arrays. The next answer at the same shapes pays for
none of them.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import cached_property, lru_cache
from typing import Any

import jax
import jax.numpy as jnp
from jax.extend.core import Literal

from course.comparison.faults import fault_of
from course.comparison.methods import MethodCounts, method_counts
from course.comparison.point import Point
from course.comparison.precision import Precision, precision_of
from course.comparison.residuals import vjp_residual_bytes
from course.comparison.state import outside_of
from course.comparison.trees import argument_names, has_tangent, named_leaves


class Study:
    """A primal, traced.

    Attributes:
        primal: The function.
        shapes: Its arguments, as shapes and types alone.
        jaxpr: The program that it is at these shapes.
        y: The shapes and types of its value.
    """

    def __init__(self, primal: Callable[..., Any], shapes: tuple[Any, ...]):
        """Traces.

        Raises:
            ValueError: The primal fails, or returns complex numbers or nothing that has a tangent.
        """
        self.primal, self.shapes = primal, shapes
        try:
            self.jaxpr, self.y = jax.make_jaxpr(primal, return_shape=True)(*shapes)
        except Exception as error:
            raise failure("run, and be traceable, at the arguments given", error) from error
        _refuse_outputs(self.y)

    def named_shapes(self) -> list[tuple[str, Any]]:
        """The shape and type of every array among the arguments, by its name."""
        names = argument_names(self.primal, len(self.shapes))
        pairs = zip(names, self.shapes, strict=True)
        return [named for name, shape in pairs for named in named_leaves(shape, name)]

    @cached_property
    def held(self) -> tuple[bool, ...]:
        """Of each floating output, whether the primal returns it through `stop_gradient`: a state, carried along.

        It carries no cotangent, and differences of it say nothing.
        """
        made = {out: eqn.primitive.name for eqn in self.jaxpr.eqns for out in eqn.outvars}
        floating = [out for out in self.jaxpr.jaxpr.outvars if has_tangent(out.aval)]
        return tuple(not isinstance(out, Literal) and made.get(out) == "stop_gradient" for out in floating)

    @cached_property
    def precision(self) -> Precision:
        """What the primal allows: float64, or the narrowest type that it casts to."""
        return precision_of(self.jaxpr)

    @cached_property
    def counts(self) -> MethodCounts:
        """What the primal and each of JAX's ways to its derivative cost."""
        return method_counts(self.primal, None, None, *self.shapes)

    @cached_property
    def vjp_residual_bytes(self) -> int:
        """Bytes that `jax.vjp` keeps."""
        return vjp_residual_bytes(self.primal, *self.shapes)


def study(point: Point) -> Study:
    """The study of a point's primal at its shapes, made or found again.

    Raises:
        ValueError: The primal fails, or returns complex numbers or nothing that has a tangent.
    """
    leaves, treedef = jax.tree.flatten(point.primals)
    shapes = tuple(jax.ShapeDtypeStruct(leaf.shape, leaf.dtype) for leaf in leaves)
    try:
        hash((point.primal, treedef))
    except TypeError:
        return Study(point.primal, jax.tree.unflatten(treedef, shapes))
    outside = tuple(outside_of(point.primal).items())  # a primal that reads another constant is another primal
    return _study(point.primal, treedef, shapes, outside)


@lru_cache(maxsize=128)
def _study(primal: Callable[..., Any], treedef: Any, shapes: tuple[Any, ...], outside: Hashable) -> Study:
    return Study(primal, jax.tree.unflatten(treedef, shapes))


def failure(must: str, error: Exception) -> ValueError:
    """What to raise when the primal itself is at fault: what must hold, what came, and where."""
    fault = fault_of(error, "the primal")
    place = "" if fault.line is None else f" ({fault.line})"
    return ValueError(f"The primal must {must}: {fault.message}{place}")


def _refuse_outputs(y: Any) -> None:
    dtypes = [leaf.dtype for leaf in jax.tree.leaves(y)]
    if any(jnp.issubdtype(dtype, jnp.complexfloating) for dtype in dtypes):
        raise ValueError(
            "The primal must return real numbers; it returns complex ones. Return real and imaginary part apart."
        )
    if not any(jnp.issubdtype(dtype, jnp.floating) for dtype in dtypes):
        raise ValueError(
            "The primal must return floating-point numbers; it returns none, so there is nothing to differentiate."
        )
