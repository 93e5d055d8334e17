"""What a wrong tangent is, where it is no derivative at all: the value, or the primal at the tangents."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import jax
import numpy as np

from course.comparison.floating import split_floating
from course.comparison.point import Point
from course.comparison.precision import Precision
from course.comparison.slips import naming_tolerance, near
from course.comparison.tangents import Tangents
from course.comparison.trees import Matched, has_tangent, without_float0
from course.quick_compile import QUICK
from course.records import Agreement, Cause


def known_tangents(
    point: Point, truth: Tangents, rows: Sequence[Matched], arrays: Sequence[Agreement], precision: Precision
) -> list[Cause]:
    """The wrong arrays whose numbers are known ones."""
    wrong = {array.path for array in arrays if not array.right}
    tolerance = naming_tolerance(precision)
    causes = []
    for says, numbers in _known(point, truth):
        paths = [
            row.path
            for row, known in zip(rows, numbers, strict=True)
            if row.path in wrong and near(np.asarray(row.given, np.float64), np.asarray(known, np.float64), tolerance)
        ]
        wrong -= set(paths)
        causes += [Cause("line", says, (path,), f"{path}: {says}", "") for path in paths]
    return causes


def _known(point: Point, truth: Tangents) -> Iterator[tuple[str, list[Any]]]:
    yield "these are the numbers of the value itself.", _floating(truth.y)
    with contextlib.suppress(Exception):  # the tangents need not be where the primal can be asked
        join, still = split_floating(point.primals)[2], split_floating(point.primals)[1]
        there = join(without_float0(truth.x_dot)[0], still)
        value = jax.jit(point.primal, compiler_options=QUICK)(*there)
        yield "these are the numbers of the primal at the tangents; is it linear?", _floating(value)


def _floating(tree: Any) -> list[Any]:
    return [leaf for leaf in jax.tree.leaves(tree) if has_tangent(leaf)]
