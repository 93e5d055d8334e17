"""A program that came out of a submission's process: checked, compiled and run here, on numbers that are drawn here."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
from jax import export

from course.comparison.compiled import QUICK
from course.grading.strangers.messages import Malformed

MOST_BYTES = 1 << 30
"""Bytes of the largest array that a program may make: exercises have thousands of numbers."""

_CALLED = re.compile(r"custom_call @([\w.]+)|call_target_name = \"([^\"]*)\"")
_ARRAY = re.compile(r"tensor<((?:\d+x)+)")
_MARKS = re.compile(r"\b(?:jvp|transpose)\(")
_KNOWN = re.compile(r"lapack_\w+_ffi")
"""Calls out of a program by which JAX's linear algebra computes on the CPU; others might be anything here."""


class Unfit(Exception):
    """A program that is not run: one clause that says why, and whether it was differentiated."""

    def __init__(self, why: str, *, marked: bool = False):
        super().__init__(why)
        self.marked = marked


class Program:
    """A program that was exported elsewhere, for arrays of certain shapes."""

    def __init__(self, exported_bytes: bytes, shapes: Sequence[Any], *, may_be_marked: bool) -> None:
        """Reads and checks it.

        Raises:
            Malformed: It is no program of these shapes.
            Unfit: It is one that is not run.
        """
        try:
            self.exported = export.deserialize(bytearray(exported_bytes))
            text = self.exported.mlir_module()
        except Exception as error:
            raise Malformed("what it returns is no program") from error
        expected = [(tuple(leaf.shape), leaf.dtype) for leaf in shapes]
        if [(aval.shape, aval.dtype) for aval in self.exported.in_avals] != expected or self.exported.nr_devices != 1:
            raise Malformed("what it returns is no program of the shapes that were asked for")
        self.has_complex = "complex<" in text
        _refuse_calls(text)
        _refuse_size(text)
        if not may_be_marked and _MARKS.search(text):
            raise Unfit("differentiation", marked=True)
        self._run: Callable[..., Any] = jax.jit(self.exported.call, compiler_options=QUICK)

    def __call__(self, leaves: Sequence[Any]) -> list[Any]:
        """The outputs, in order."""
        arrays = [_as(leaf, aval.dtype) for leaf, aval in zip(leaves, self.exported.in_avals, strict=True)]
        traced = any(isinstance(leaf, jax.core.Tracer) for leaf in arrays)
        found = self.exported.call(*arrays) if traced else self._run(*arrays)
        return jax.tree.leaves(found)


def _as(leaf: Any, dtype: Any) -> Any:
    return leaf if getattr(leaf, "dtype", None) == dtype else np.asarray(leaf, dtype)


def _refuse_calls(text: str) -> None:
    for names in _CALLED.findall(text):
        name = names[0] or names[1]
        if not _KNOWN.fullmatch(name):
            raise Unfit(f"a call of `{name[:60]}`")


def _refuse_size(text: str) -> None:
    for shape in set(_ARRAY.findall(text)):
        if 8 * math.prod(int(length) for length in shape.split("x") if length) > MOST_BYTES:
            raise Unfit(f"an array of shape {shape.rstrip('x')}")
