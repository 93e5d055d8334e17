"""The smallest counterexample: the same inputs at sizes of 1 to 3 and small integers, to be redone on paper."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from course.comparison.agreement import array_error, scales
from course.comparison.answer import AnswerFault, Watch
from course.comparison.compiled import quick
from course.comparison.floating import along_floating, split_floating
from course.comparison.pair import Setting, judging
from course.comparison.point import Point, make_point
from course.comparison.precision import FLOAT64
from course.comparison.runs import Pair
from course.comparison.trees import argument_names, has_tangent, named_leaves, without_float0
from course.exercises.tasks.drawing import Draw
from course.records import Example

MOST_TRIES = 8
"""Each new set of sizes compiles the primal's operations anew: more would keep the reader waiting."""

NOTICEABLE = 1e-6
"""Relative error from which a counterexample is worth showing."""


def smallest_counterexample(
    primal: Callable[..., Any],
    draw: Callable[[Draw], tuple[Any, ...]],
    fwd: Callable[..., Any],
    bwd: Callable[..., Any],
    setting: Setting,
) -> Example | None:
    """Finds the smallest inputs at which a pair shows a wrong array; None where none of the tries does.

    One whose right numbers are not all zero is preferred.
    """
    probe = Draw(setting.seed)
    draw(probe)
    pair = Pair(fwd, bwd, setting, Watch())
    fallback = None
    with judging():
        for sizes in _small_sizes(len(probe.asked)):
            point = make_point(primal, draw(Draw(setting.seed, small=sizes))).cast(np.float64)
            example = _example_at(point, pair)
            if example is not None and any(np.any(array) for array in example.right.values()):
                return example
            fallback = fallback or example
    return fallback


def _small_sizes(axes: int) -> Iterator[tuple[int, ...]]:
    """Sizes from nothing but ones, by one axis longer than the others, to twos and threes; one try without axes."""
    tries = [(1,) * axes]
    tries += [tuple(2 if i == longer else 1 for i in range(axes)) for longer in range(axes)]
    tries += [(2,) * axes, tuple(2 + i % 2 for i in range(axes)), (3,) * axes]
    yield from dict.fromkeys(tries[:MOST_TRIES])


def _example_at(point: Point, pair: Pair) -> Example | None:
    y_bar = _counting_cotangent(point)
    try:
        given = pair.numbers_by(point, y_bar, at_once=True)
    except AnswerFault:
        return None
    right = _right(point, y_bar)
    divisors = dict(zip(right, scales(list(right.values()), FLOAT64.floor), strict=True))
    for row in given:
        if not array_error(row.given, right[row.path], divisors[row.path]) <= NOTICEABLE:
            return Example(_inputs(point, pair, y_bar), {row.path: row.given}, {row.path: right[row.path]})
    return None


def _counting_cotangent(point: Point) -> Any:
    """A cotangent of small integers that are not all alike; the first is not 1, or forgetting it would not show."""
    counter = itertools.cycle((2.0, 1.0, -1.0, 3.0, -2.0))

    def draw(leaf: Any) -> Any:
        if not has_tangent(leaf):
            return np.zeros(leaf.shape, jax.dtypes.float0)
        numbers = [next(counter) for _ in range(leaf.size)]
        return jnp.asarray(np.reshape(numbers, leaf.shape), leaf.dtype)

    return jax.tree.map(draw, jax.eval_shape(point.primal, *point.primals))


@dataclass(frozen=True)
class _Right:
    """The cotangents of all floating arrays of a primal's arguments by `jax.vjp`, in order."""

    primal: Callable[..., Any]

    def __call__(self, primals: tuple[Any, ...], y_bar: list[Any]) -> list[Any]:
        moving, still, join = split_floating(primals)
        _, pullback, _ = jax.vjp(along_floating(self.primal, join, still), *moving, has_aux=True)
        return list(pullback(y_bar))


def _right(point: Point, y_bar: Any) -> dict[str, np.ndarray]:
    found = quick(_Right(point.primal), point.primal)(point.primals, without_float0(y_bar)[0])
    return {path: np.asarray(x_bar) for (path, _), x_bar in zip(point.floating(), found, strict=True)}


def _inputs(point: Point, pair: Pair, y_bar: Any) -> dict[str, np.ndarray]:
    """What goes in, by name. A nudge of zero, asked for only to have its cotangent, is left out."""
    named = zip((*point.names, argument_names(pair.bwd, 2)[1]), (*point.primals, y_bar), strict=True)
    leaves = [(path, leaf) for name, tree in named for path, leaf in named_leaves(tree, name)]
    given = {path: np.asarray(leaf) for path, leaf in leaves if leaf.dtype != jax.dtypes.float0}
    asked = {point.names[place] for place in pair.setting.asked or ()}
    return {path: leaf for path, leaf in given.items() if np.any(leaf) or path not in asked}
