"""A program that came out of a submission's process: made anew, checked and run here, on numbers drawn here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import jax
import numpy as np
from jax.extend.core import ClosedJaxpr, jaxpr_as_fun

from course.comparison.by_hand.marks import equations, find_mark
from course.grading.strangers.rebuilding import Files, Unknown, rebuild
from course.quick_compile import QUICK

MOST_BYTES = 1 << 30
"""Bytes of the largest array that a program may make: exercises have thousands of numbers."""


class Unfit(Exception):
    """A program that is not run: one clause that says why, and whether it was differentiated."""

    def __init__(self, why: str, *, marked: bool = False):
        super().__init__(why)
        self.marked = marked


class Program:
    """A program that was traced elsewhere, for arrays of certain shapes; `jaxpr` is what runs here."""

    def __init__(
        self,
        told: Any,
        arrays: Sequence[Any],
        shapes: Sequence[Any],
        files: Files,
        *,
        may_be_marked: bool,
    ) -> None:
        """Makes and checks it.

        Raises:
            Malformed: It is no program of these shapes.
            Unfit: It is one that is not run.
        """
        try:
            self.jaxpr = rebuild(told, arrays, shapes, files)
        except Unknown as name:
            raise Unfit(f"`{name}`") from None
        _refuse_size(self.jaxpr)
        if not may_be_marked and find_mark(self.jaxpr) is not None:
            raise Unfit("differentiation", marked=True)
        self._steps = jaxpr_as_fun(self.jaxpr)
        self._run = jax.jit(self._steps, compiler_options=QUICK)

    def __call__(self, leaves: Sequence[Any]) -> list[Any]:
        """The outputs, in order."""
        arrays = [_as(leaf, aval.dtype) for leaf, aval in zip(leaves, self.jaxpr.in_avals, strict=True)]
        traced = any(isinstance(leaf, jax.core.Tracer) for leaf in arrays)
        return list(self._steps(*arrays) if traced else self._run(*arrays))


def is_complex(jaxpr: ClosedJaxpr) -> bool:
    """Whether a program computes with complex numbers."""
    return any(np.issubdtype(aval.dtype, np.complexfloating) for aval in _arrays(jaxpr))


def _as(leaf: Any, dtype: Any) -> Any:
    return leaf if getattr(leaf, "dtype", None) == dtype else np.asarray(leaf, dtype)


def _refuse_size(jaxpr: ClosedJaxpr) -> None:
    for aval in _arrays(jaxpr):
        if aval.size * aval.dtype.itemsize > MOST_BYTES:
            raise Unfit(f"an array of shape {'x'.join(map(str, aval.shape))}")


def _arrays(jaxpr: ClosedJaxpr) -> Iterator[Any]:
    """The types of all arrays that a program makes."""
    for eqn in equations(jaxpr):
        yield from (var.aval for var in eqn.outvars if hasattr(var.aval, "dtype"))
