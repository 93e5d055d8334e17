"""The smallest counterexample: the same inputs at sizes of 1 to 3 and small integers, to be redone on paper."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from course.comparison.agreement import array_error, scales
from course.comparison.answer import AnswerFault, Watch, mismatch_is_fault, two_parts
from course.comparison.floating import along_floating, split_floating
from course.comparison.pair import Setting, judging
from course.comparison.point import Point, make_point
from course.comparison.precision import FLOAT64
from course.comparison.returned import cotangent_rows, without_idle_data
from course.comparison.trees import Matched, argument_names, as_numbers, has_tangent, named_leaves, without_float0
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
    fallback = None
    with judging():
        for sizes in _small_sizes(len(probe.asked)):
            point = make_point(primal, draw(Draw(setting.seed, small=sizes))).cast(np.float64)
            example = _example_at(point, fwd, bwd, setting)
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


def _example_at(point: Point, fwd: Callable[..., Any], bwd: Callable[..., Any], setting: Setting) -> Example | None:
    y_bar = _counting_cotangent(point)
    try:
        given = _given(point, fwd, bwd, y_bar, setting)
    except AnswerFault:
        return None
    right = _right(point, y_bar)
    divisors = dict(zip(right, scales(list(right.values()), FLOAT64.floor), strict=True))
    for row in given:
        if not array_error(row.given, right[row.path], divisors[row.path]) <= NOTICEABLE:
            return Example(_inputs(point, bwd, y_bar, setting), {row.path: row.given}, {row.path: right[row.path]})
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


def _given(
    point: Point, fwd: Callable[..., Any], bwd: Callable[..., Any], y_bar: Any, setting: Setting
) -> list[Matched]:
    watch = Watch()
    _, residuals = two_parts(watch.call(fwd, setting.names[0], *point.primals), setting.names[0], "(y, residuals)")
    returned = watch.call(bwd, setting.names[1], residuals, y_bar)
    with mismatch_is_fault():
        rows = cotangent_rows(point, returned, setting.names[1], [], setting.asked, setting.data)
        numbers = [row._replace(given=as_numbers(row, [])) for row in rows if has_tangent(row.like)]
    return without_idle_data(point, numbers, setting.data, setting.names[1], [])


def _right(point: Point, y_bar: Any) -> dict[str, np.ndarray]:
    moving, still, join = split_floating(point.primals)
    _, pullback, _ = jax.vjp(along_floating(point.primal, join, still), *moving, has_aux=True)
    paths = [path for path, leaf in _named(point, "_bar") if has_tangent(leaf)]
    return {path: np.asarray(x_bar) for path, x_bar in zip(paths, pullback(without_float0(y_bar)[0]), strict=True)}


def _named(point: Point, ending: str = "") -> list[tuple[str, Any]]:
    pairs = zip(point.names, point.primals, strict=True)
    return [named for name, primal in pairs for named in named_leaves(primal, f"{name}{ending}")]


def _inputs(point: Point, bwd: Callable[..., Any], y_bar: Any, setting: Setting) -> dict[str, np.ndarray]:
    """What goes in, by name. A nudge of zero, asked for only to have its cotangent, is left out."""
    bar_name = argument_names(bwd, 2)[1]
    cotangents = [(path, leaf) for path, leaf in named_leaves(y_bar, bar_name) if leaf.dtype != jax.dtypes.float0]
    given = {path: np.asarray(leaf) for path, leaf in [*_named(point), *cotangents]}
    asked = {point.names[place] for place in setting.asked or ()}
    return {path: leaf for path, leaf in given.items() if np.any(leaf) or path not in asked}
