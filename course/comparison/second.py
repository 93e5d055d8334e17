"""A second draw of a wrong answer: what is said of it must hold there as well, or it was chance."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import jax
import numpy as np

from course.comparison.answer import AnswerFault
from course.comparison.judging import Setting
from course.comparison.point import Point
from course.comparison.trees import has_tangent, is_key
from course.records import Agreement, Slip

_SECOND = 2
"""Beside the seed, it makes the source of the second draw another than that of any first one."""

VARIED_BY = 0.05
"""Relative, and random: far more than any tolerance, and little enough to stay within a primal's domain."""

PLAIN = frozenset({"not finite", "shape"})
"""Slips that are seen, and not inferred from numbers."""


Asked = TypeVar("Asked")


def asked_again(point: Point, setting: Setting, ask: Callable[[Point, np.random.Generator], Asked]) -> Asked | None:
    """What an answer gives at another point of the same shapes; None where it can be asked at none.

    Args:
        point: The first one.
        setting: How it was judged there.
        ask: Asks it at a point, with what is drawn besides.
    """
    rng = np.random.default_rng([setting.seed, _SECOND])
    for other in _other_points(point, setting.again, rng):
        with contextlib.suppress(ValueError, AnswerFault):
            return ask(other, rng)
    return None


def _other_points(point: Point, draw: Callable[[], Sequence[Any]] | None, rng: np.random.Generator) -> Iterator[Point]:
    """Points, the best first: drawn anew where that can be, varied, and at last the same one."""
    if draw is not None:
        drawn = tuple(draw())
        if _shapes(drawn) == _shapes(point.primals):
            put = jax.tree.map(
                lambda leaf, like: leaf if is_key(leaf) else jax.device_put(np.asarray(leaf, like.dtype)),
                drawn,
                point.primals,
            )
            yield dataclasses.replace(point, primals=put)
    yield dataclasses.replace(point, primals=jax.tree.map(lambda leaf: _varied(leaf, rng), point.primals))
    yield point


def confirmed(
    arrays: Sequence[Agreement], again: Sequence[Agreement] | None, tolerance: float
) -> tuple[Agreement, ...]:
    """The arrays without the slips that the second draw denies; all as they are where there was none.

    Args:
        arrays: What is known of each array.
        again: What is known of them at the second draw.
        tolerance: How near a fitted factor must come to the other one, relative.
    """
    there = {array.path: array.slip for array in again or ()}
    return tuple(
        array if again is None or _holds(array.slip, there.get(array.path), tolerance) else _without_slip(array)
        for array in arrays
    )


def _holds(slip: Slip | None, there: Slip | None, tolerance: float) -> bool:
    if slip is None or slip.kind in PLAIN:
        return True
    if there is None or slip.factor == 1.0 or there.factor == 1.0:
        return slip == there
    return abs(slip.factor - there.factor) <= 2 * tolerance * abs(there.factor)


def _without_slip(array: Agreement) -> Agreement:
    return dataclasses.replace(array, slip=None)


def _varied(leaf: Any, rng: np.random.Generator) -> Any:
    """An array whose numbers are moved at random, equal ones alike and zeros not at all: ties and kinks stay."""
    if not has_tangent(leaf):
        return leaf
    numbers = np.asarray(leaf)
    values, places = np.unique(numbers, return_inverse=True)
    moved = values.astype(np.float64) * (1 + VARIED_BY * rng.uniform(-1, 1, values.shape))
    return jax.device_put(moved[places].reshape(numbers.shape).astype(numbers.dtype))


def _shapes(tree: Any) -> Any:
    leaves, treedef = jax.tree.flatten(tree)
    return treedef, [np.shape(leaf) for leaf in leaves]
