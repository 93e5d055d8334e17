"""Whether a tangent rule is linear in the tangents step by step, as `jax.grad` needs it and a derivation makes it.

A difference of values at moved arguments may have the right numbers; its steps are those of the primal, which are not.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import jax
from jax.extend.core import ClosedJaxpr, jaxpr_as_fun

_STEP = re.compile(r"Transpose rule .* for '(\w+)' not implemented")


_UNTOLD = ("while[", "call_exported[")
"""Steps that can't be transposed although what they compute may be linear."""


def can_be_told(traced: ClosedJaxpr) -> bool:
    """Whether every step of a program can be transposed if what it computes is linear; of a loop it can't be told."""
    return not any(step in str(traced) for step in _UNTOLD)


def nonlinear_step(traced: ClosedJaxpr, tangents: int, outputs: int) -> str:
    """What keeps a traced rule from being linear in the tangents; empty where nothing does.

    Args:
        traced: The rule as a program of the primals and, last, the floating tangents, that returns y and y_dot.
        tangents: How many arrays the tangents are.
        outputs: How many of the last outputs are tangents of floating outputs.
    """
    shapes = [jax.ShapeDtypeStruct(aval.shape, aval.dtype) for aval in traced.in_avals]
    primals, moving = shapes[: len(shapes) - tangents], shapes[len(shapes) - tangents :]

    def back(primals: Sequence[Any], y_dot: Sequence[Any]) -> Any:
        return jax.linear_transpose(lambda *x_dot: jaxpr_as_fun(traced)(*primals, *x_dot)[-outputs:], *moving)(y_dot)

    y_dot = [jax.ShapeDtypeStruct(aval.shape, aval.dtype) for aval in traced.out_avals[-outputs:]]
    try:
        jax.eval_shape(back, primals, y_dot)
    except Exception as error:
        step = _STEP.search(str(error))
        return f"`{step[1]}` is taken of what moves with them" if step else "they are multiplied by themselves"
    return ""
