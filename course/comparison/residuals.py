"""Bytes that a forward pass keeps for its backward pass: the saved arrays that are not primals themselves, each once.

    residual_bytes = sum of bytes over {array saved} - {primals}

Two arrays are one when the program has one name for them, seen through calls, and also when one is only the other's
numbers in another shape or order (a reshape, a transpose), which is read where it lies. A slice or a broadcast counts
in its own size. The returned value y counts when it is saved too: keeping it for backward keeps it alive.

Source: A. Griewank, A. Walther, "Evaluating Derivatives", 2nd edition, SIAM, 2008, chapter 4 (what reverse mode keeps).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
from jax.extend.core import ClosedJaxpr

from course.comparison.floating import along_floating, split_floating
from course.comparison.program import Value, bytes_of, flatten


def residual_bytes(fwd: Callable[..., Any], *primals: Any) -> int:
    """Bytes that a hand-written forward pass keeps, by tracing it alone.

    Args:
        fwd: Returns (y, residuals); numbers among the residuals count as scalars of their dtype.
        *primals: Pytrees of arrays, of numbers, or of `jax.ShapeDtypeStruct`.
    """
    traced, (y, _) = jax.make_jaxpr(fwd, return_shape=True)(*primals)
    return _bytes_saved(traced, len(jax.tree.leaves(y)))


def vjp_residual_bytes(primal: Callable[..., Any], *primals: Any) -> int:
    """Bytes that `jax.vjp` keeps for the same primal, counted the same way."""
    moving, still, join = split_floating(primals)

    def forward(moving: Any, still: Any) -> Any:
        y, pullback, rest = jax.vjp(along_floating(primal, join, still), *moving, has_aux=True)
        return (y, rest), jax.tree.leaves(pullback)

    return residual_bytes(forward, moving, still)


def _bytes_saved(traced: ClosedJaxpr, outputs_before: int) -> int:
    """Bytes of the outputs from a place on."""
    program = flatten(traced)
    primals = set(program.inputs)
    saved: dict[Value, int] = {}
    numbers = 0
    for var, value in list(zip(traced.jaxpr.outvars, program.outputs, strict=True))[outputs_before:]:
        if value is None:
            numbers += bytes_of(var)
            continue
        array = value.owner if value.owner.bytes == value.bytes else value
        if array not in primals:
            saved[array] = array.bytes
    return numbers + sum(saved.values())
