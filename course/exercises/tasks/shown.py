"""What the mistakes of a task's catalogue show at small inputs: their numbers beside the right ones.

a pair            the cotangents of all arguments, for a cotangent of the value
a tangent rule    the tangents of the value, where one array of the arguments moves alone
a function        its value
an optimiser      its updates along a short run
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, singledispatch
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from course.comparison.function import in_float64
from course.comparison.judging import judging
from course.comparison.mistakes import Mistake, parts_of
from course.comparison.point import Point, make_point
from course.comparison.trees import argument_names, has_tangent, leaves_of_all, named_leaves, settings_of
from course.comparison.ways import Forward, Reverse
from course.exercises.tasks.drawing import Draw
from course.exercises.tasks.function import FunctionTask
from course.exercises.tasks.pair import PairTask
from course.exercises.tasks.tangent_rule import TangentRuleTask

SMALL = (3, 5, 2, 4, 7)
"""Sizes of axes in the order in which they are asked for: all different, and none the first of them doubled."""

HANDED = 2
"""Beside the seed, it makes what is handed in other numbers than the inputs."""

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Source:
    """A task whose mistakes may be shown.

    Attributes:
        task: The pair, tangent rule, function or optimiser.
        handed: What the learner calls the cotangent of the value, or its tangent.
        sizes: Of the axes, in the order in which they are asked for.
        draw: Makes the inputs, where the task's own are not fit to be read.
        scale: What drawn whole numbers are multiplied by.
        points: How often inputs are drawn; more than once where one draw has too few numbers to tell by.
        tell: How inputs are shown that are no arrays, by name.
        but: Mistakes that are not shown.
    """

    task: Any
    handed: str = ""
    sizes: tuple[int, ...] = SMALL
    draw: Callable[[Draw], Any] | None = None
    scale: float = 1.0
    points: int = 1
    tell: Callable[..., Mapping[str, Any]] | None = None
    but: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What the learner calls the function in which the mistake is."""
        return str(self.task.names[-1])

    @property
    def mistakes(self) -> tuple[Mistake, ...]:
        """Those that may be shown."""
        return tuple(mistake for mistake in self.task.mistakes if mistake.name not in self.but)

    def drawn(self, seed: Sequence[int]) -> Any:
        """Inputs of small whole numbers, scaled."""
        draw = self.draw or self.task.draw
        return jax.tree.map(self._scaled, draw(Draw(seed, small=self.sizes)))

    def _scaled(self, leaf: Any) -> Any:
        return self.scale * leaf if isinstance(leaf, np.ndarray | float) and has_tangent(leaf) else leaf


@dataclass(frozen=True)
class Shown:
    """Inputs by name, the right arrays, and those that each mistake makes, by its name."""

    inputs: Mapping[str, Any]
    right: Arrays
    made: Mapping[str, Arrays]


@lru_cache(maxsize=256)
def shown_at(source: Source, seed: tuple[int, ...]) -> Shown:
    """What a source's mistakes show at the inputs of a seed."""
    with judging():
        every = [shown_of(source.task, source, (*seed, point)) for point in range(source.points)]
    return every[0] if len(every) == 1 else _stacked(every)


def _stacked(every: Sequence[Shown]) -> Shown:
    """Several draws as one, a row each."""

    def rows(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        first = parts[0]
        texts = {path: value for path, value in first.items() if isinstance(value, str)}
        return {path: texts[path] if path in texts else np.stack([part[path] for part in parts]) for path in first}

    made = {name: rows([shown.made[name] for shown in every]) for name in every[0].made}
    return Shown(rows([shown.inputs for shown in every]), rows([shown.right for shown in every]), made)


@singledispatch
def shown_of(task: Any, source: Source, seed: tuple[int, ...]) -> Shown:
    """What the mistakes of a kind of task show at one draw; a kind that is not here registers its own way.

    Raises:
        TypeError: It has none.
    """
    raise TypeError(f"The mistakes of a {type(task).__name__} can't be shown.")


@shown_of.register
def _(task: PairTask, source: Source, seed: tuple[int, ...]) -> Shown:
    point = make_point(task.primal, source.drawn(seed)).cast(np.float64)
    y = jax.eval_shape(point.primal, *point.primals)
    handed = {path: _whole(leaf, seed) for path, leaf in named_leaves(y, source.handed or "y_bar") if has_tangent(leaf)}
    found = parts_of(_primals(task.primal, source), point, Reverse(), [jnp.asarray(bar) for bar in handed.values()])
    asked = task.asked if task.asked is not None else [i for i in range(len(point.names)) if i not in task.data]
    kept = {point.names[place] for place in asked}
    places = [(place, path) for place, (path, of) in enumerate(_bars(point)) if of in kept]
    right, *made = ({path: arrays[place] for place, path in places} for arrays in found)
    nudges = kept if task.asked is not None else set()
    inputs = _inputs(point, nudges) if source.tell is None else source.tell(*point.primals)
    return Shown({**inputs, **handed}, right, by_name(source, made))


def _bars(point: Point) -> list[tuple[str, str]]:
    """Every cotangent of the arguments, and the argument that it belongs to."""
    return [
        (path, name)
        for name, primal in zip(point.names, point.primals, strict=True)
        for path, leaf in named_leaves(primal, f"{name}_bar")
        if has_tangent(leaf)
    ]


@shown_of.register
def _(task: TangentRuleTask, source: Source, seed: tuple[int, ...]) -> Shown:
    point = make_point(task.primal, source.drawn(seed)).cast(np.float64)
    names = [path for path, _ in point.floating("dot")]
    dots = [_whole(leaf, (*seed, place)) for place, (_, leaf) in enumerate(point.floating())]
    alone = [np.zeros((len(dots), *dot.shape)) for dot in dots]
    for place, dot in enumerate(dots):
        alone[place][place] = dot
    found = parts_of(
        _primals(task.primal, source), point, Forward((1,) * len(dots)), [jnp.asarray(each) for each in alone]
    )
    y_dot = source.handed or "y_dot"
    paths = [y_dot] if len(names) == 1 else [f"{y_dot} of {name} alone" for name in names]
    right, *made = (dict(zip(paths, arrays, strict=True)) for arrays in found)
    return Shown({**_inputs(point), **dict(zip(names, dots, strict=True))}, right, by_name(source, made))


@shown_of.register
def _(task: FunctionTask, source: Source, seed: tuple[int, ...]) -> Shown:
    arguments = in_float64(source.drawn(seed))
    if source.tell is not None:
        inputs = source.tell(*arguments)
    else:
        leaves = leaves_of_all(argument_names(task.reference, len(arguments)), arguments)
        inputs = {path: leaf.__name__ if callable(leaf) else leaf for path, leaf in leaves}
    right = _values(task.reference(*arguments), task.returns)
    made = {mistake.name: _values(mistake.primal(*arguments), task.returns) for mistake in source.mistakes}
    return Shown(inputs, right, made)


def _primals(primal: Callable[..., Any], source: Source) -> tuple[Callable[..., Any], ...]:
    return (primal, *(mistake.primal for mistake in source.mistakes))


def by_name(source: Source, made: Sequence[Arrays]) -> dict[str, Arrays]:
    """What each mistake of a source makes, by its name."""
    return {mistake.name: arrays for mistake, arrays in zip(source.mistakes, made, strict=True)}


def _inputs(point: Point, nudges: Collection[str] = ()) -> dict[str, Any]:
    """The arguments by name; a nudge of zero, asked for only to have its cotangent, is left out."""
    named = (pair for pair in zip(point.names, point.primals, strict=True) if pair[0] not in nudges)
    arrays = [leaf for name, primal in named for leaf in named_leaves(primal, name)]
    return {path: np.asarray(leaf) for path, leaf in (*arrays, *settings_of(point.names, point.primals))}


def _whole(like: Any, seed: Sequence[int]) -> np.ndarray:
    """Small whole numbers, none of them 0, and a single one neither 1 nor -1: what leaves it out must show."""
    choices = (-3.0, -2.0, 2.0, 3.0) if not like.shape else (-2.0, -1.0, 1.0, 2.0, 3.0)
    return np.asarray(np.random.default_rng([*seed, HANDED]).choice(choices, size=like.shape))


def _values(value: Any, path: str) -> Arrays:
    """The arrays of a value; a row of single numbers is one of them."""
    if isinstance(value, list | tuple) and all(
        jax.tree.leaves(part) == [part] and np.ndim(part) == 0 for part in value
    ):
        value = np.asarray([float(part) for part in value])
    return {name: np.asarray(leaf, np.float64) for name, leaf in named_leaves(value, path)}
