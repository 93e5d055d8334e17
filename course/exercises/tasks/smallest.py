"""The smallest counterexample: the same inputs at sizes of 1 to 3 and small integers, to be redone on paper."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from course.comparison.agreement import array_error, scales
from course.comparison.answer import AnswerFault, Watch, mismatch_is_fault, two_parts
from course.comparison.compiled import quick
from course.comparison.floating import along_floating, split_floating
from course.comparison.pair import Setting, judging
from course.comparison.point import Point, make_point
from course.comparison.precision import FLOAT64
from course.comparison.questions import numbers_of
from course.comparison.runs import Pair
from course.comparison.trees import (
    Matched,
    argument_names,
    has_tangent,
    is_key,
    match,
    named_leaves,
    settings_of,
    without_float0,
)
from course.exercises.tasks.drawing import Draw
from course.records import Example

MOST_TRIES = 8
"""Each new set of sizes compiles the primal's operations anew: more would keep the reader waiting."""

LONGEST = 4
"""Numbers along an axis that are still redone on paper: what can't be drawn so small is not shown."""

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
    pair = Pair(fwd, bwd, setting, Watch())
    return _smallest(primal, draw, setting.seed, lambda point: _example_at(point, pair))


def smallest_for_rule(
    primal: Callable[..., Any], draw: Callable[[Draw], tuple[Any, ...]], rule: Callable[..., Any], setting: Setting
) -> Example | None:
    """The same for a tangent rule, which shows a wrong tangent of the value."""
    return _smallest(primal, draw, setting.seed, lambda point: _rule_example_at(point, rule, setting))


def _smallest(
    primal: Callable[..., Any],
    draw: Callable[[Draw], tuple[Any, ...]],
    seed: int,
    example_at: Callable[[Point], Example | None],
) -> Example | None:
    probe = Draw(seed)
    draw(probe)
    fallback = None
    with judging():
        for sizes in small_sizes(len(probe.asked)):
            point = make_point(primal, draw(Draw(seed, small=sizes))).cast(np.float64)
            if max((max(np.shape(leaf), default=1) for leaf in jax.tree.leaves(point.primals)), default=1) > LONGEST:
                continue
            example = example_at(point)
            if example is not None and any(np.any(array) for array in example.right.values()):
                return example
            fallback = fallback or example
    return fallback


def small_sizes(axes: int) -> Iterator[tuple[int, ...]]:
    """Sizes of some axes, from nothing but ones, by one longer axis, to twos and threes; one try without axes."""
    tries = [(1,) * axes]
    tries += [tuple(2 if i == longer else 1 for i in range(axes)) for longer in range(axes)]
    tries += [(2,) * axes, tuple(2 + i % 2 for i in range(axes)), (3,) * axes]
    yield from dict.fromkeys(tries[:MOST_TRIES])


def _example_at(point: Point, pair: Pair) -> Example | None:
    y_bar = _counting(jax.eval_shape(point.primal, *point.primals))
    try:
        given = pair.numbers_by(point, y_bar, at_once=True)
    except AnswerFault:
        return None
    return _first_wrong(given, _right(point, y_bar), lambda: _inputs(point, pair, y_bar))


def _rule_example_at(point: Point, rule: Callable[..., Any], setting: Setting) -> Example | None:
    x_dot, name = _counting(point.primals), setting.names[0]
    try:
        _, y_dot = two_parts(Watch().call(rule, name, point.primals, x_dot), name, "(y, y_dot)")
        with mismatch_is_fault():
            given = numbers_of(match(jax.eval_shape(point.primal, *point.primals), y_dot, "y_dot", "y", []), [])
    except AnswerFault:
        return None
    tangents = quick(_Pushed(point.primal), point.primal)(point.primals, without_float0(x_dot)[0])
    right = {row.path: np.asarray(tangent) for row, tangent in zip(given, tangents, strict=True)}
    return _first_wrong(given, right, lambda: _moved(point, x_dot))


def _moved(point: Point, x_dot: tuple[Any, ...]) -> dict[str, np.ndarray]:
    """The arguments and their tangents, by name."""
    dots = [f"{name}_dot" for name in point.names]
    return _arrays([*zip(point.names, point.primals, strict=True), *zip(dots, x_dot, strict=True)])


def _arrays(named: Iterable[tuple[str, Any]]) -> dict[str, np.ndarray]:
    leaves = [(path, leaf) for name, tree in named for path, leaf in named_leaves(tree, name)]
    return {path: _shown(leaf) for path, leaf in leaves if leaf.dtype != jax.dtypes.float0}


def _shown(leaf: Any) -> np.ndarray:
    """The numbers of an array; of a key those that it is made of."""
    return np.asarray(jax.random.key_data(leaf) if is_key(leaf) else leaf)


def _first_wrong(
    given: Sequence[Matched], right: Mapping[str, np.ndarray], inputs: Callable[[], dict[str, np.ndarray]]
) -> Example | None:
    divisors = dict(zip(right, scales(list(right.values()), FLOAT64.floor), strict=True))
    for row in given:
        if not array_error(row.given, right[row.path], divisors[row.path]) <= NOTICEABLE:
            return Example(inputs(), {row.path: row.given}, {row.path: right[row.path]})
    return None


def _counting(like: Any) -> Any:
    """Cotangents or tangents of small integers, not all alike; the first is not 1, or forgetting it would not show."""
    counter = itertools.cycle((2.0, 1.0, -1.0, 3.0, -2.0))

    def draw(leaf: Any) -> Any:
        if not has_tangent(leaf):
            return np.zeros(leaf.shape, jax.dtypes.float0)
        numbers = [next(counter) for _ in range(leaf.size)]
        return jnp.asarray(np.reshape(numbers, leaf.shape), leaf.dtype)

    return jax.tree.map(draw, like)


@dataclass(frozen=True)
class _Pushed:
    """The tangents of all floating outputs of a primal by `jax.jvp`, in order."""

    primal: Callable[..., Any]

    def __call__(self, primals: tuple[Any, ...], x_dot: list[Any]) -> list[Any]:
        moving, still, join = split_floating(primals)
        return list(jax.jvp(along_floating(self.primal, join, still), moving, x_dot, has_aux=True)[1])


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
    given = _arrays(named)
    asked = {point.names[place] for place in pair.setting.asked or ()}
    settings = {path: np.asarray(value) for path, value in settings_of(point.names, point.primals)}
    return {path: leaf for path, leaf in given.items() if np.any(leaf) or path not in asked} | settings
