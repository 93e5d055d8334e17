"""The three oracles that an answer is held against: JAX's reverse mode, JAX's forward mode, and plain differences.

All of them differentiate the primal, never the answer. They run as one compiled program, kept for as long as the
primal is, so that judging the next answer at the same shapes costs no compilation. In it all floating arrays of the
primals lie end to end in one vector x.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from course.comparison.floating import along_floating, split_floating
from course.comparison.norms import norm, norm_of_all
from course.comparison.point import Point
from course.comparison.precision import Precision
from course.comparison.study import Study, failure, study
from course.comparison.trees import has_tangent, is_key, without_float0
from course.quick_compile import QUICK

DIRECTIONS = 2
"""Random directions an array in the inner-product test: one lets a wrong array pass once in a thousand at 1e-6."""

MOST_COLUMNS = 256
"""Every column of the Jacobian is computed up to this many inputs."""

DRAWS = 3
"""Random half-ulp moves of the inputs by which the conditioning is measured."""

_MODES = ((True, True), (True, False), (False, True))
"""Whether reverse and forward mode are asked, the fullest first: custom rules and loops may know one mode only."""


@dataclass(frozen=True)
class Truth:
    """What the oracles say at a point, as NumPy; lists have one entry for each array that has a tangent.

    `reverse` are the cotangents by `jax.vjp`. `inner` holds <y_bar, y_dot> for each direction in `x_dots`, by
    `jax.jvp`; None where the primal has no forward mode. `columns` are the cotangents by every column of forward mode,
    as `jax.jacfwd` stacks them; None when there are too many inputs. `difference` is the derivative of <y_bar, y> along
    `nudge`, which moves every array in proportion to its size, by central differences. Where the primal has no reverse
    mode, `by_columns` says that `reverse` repeats `columns`. A state, which the primal returns through `stop_gradient`,
    gets a cotangent like every output, of which nothing may come back.
    """

    y: Any
    y_bar: Any
    reverse: list[np.ndarray]
    x_dots: list[np.ndarray]
    inner: list[np.ndarray] | None
    columns: list[np.ndarray] | None
    nudge: list[np.ndarray]
    difference: float
    by_columns: bool = False


@dataclass(frozen=True)
class _Draws:
    """The drawn numbers that go with a point, end to end: one row of `x_dots` a direction."""

    y_bar: Any
    x_dots: np.ndarray
    nudge: np.ndarray


def draw_like(rng: np.random.Generator, tree: Any, scale: Callable[[Any], float] = lambda _: 1.0) -> Any:
    """Gaussian numbers for every floating array of a tree, float0 zeros for the rest, as cotangents need.

    Args:
        rng: Draws them.
        tree: Gives shapes and types.
        scale: Gives the standard deviation for an array.
    """

    def draw(leaf: Any) -> Any:
        if has_tangent(leaf):
            return jax.device_put((scale(leaf) * rng.standard_normal(leaf.shape)).astype(leaf.dtype))
        return np.zeros(leaf.shape, jax.dtypes.float0)

    return jax.tree.map(draw, tree)


def extent(array: Any) -> float:
    """The largest number of an array, 1 if all are zero: what a move is measured by, since arrays differ in unit."""
    return float(np.max(np.abs(np.asarray(array, np.float64)), initial=0)) or 1.0


def find_truth(point: Point, precision: Precision, rng: np.random.Generator) -> Truth:
    """Draws cotangents, directions and a nudge, and asks every oracle at once.

    Raises:
        ValueError: The primal has neither mode of differentiation, or it is not finite here.
    """
    moving = split_floating(point.primals)[0]
    extents = np.repeat([extent(leaf) for leaf in moving], [leaf.size for leaf in moving])
    y_bar = draw_like(rng, study(point).y)
    x_dots, nudge = rng.standard_normal((DIRECTIONS, extents.size)), extents * rng.standard_normal(extents.size)
    truth = _ask(point, precision, _Draws(y_bar, x_dots, nudge))
    _refuse_not_finite(point, truth)
    return truth


def truth_near(point: Point, precision: Precision, truth: Truth) -> Truth:
    """What the oracles say at another point, for the same cotangents and directions."""
    x_dots = np.concatenate([x_dot.reshape(DIRECTIONS, -1) for x_dot in truth.x_dots], axis=1)
    return _ask(point, precision, _Draws(truth.y_bar, x_dots, np.concatenate([v.ravel() for v in truth.nudge])))


def conditioning(
    point: Point,
    precision: Precision,
    rng: np.random.Generator,
    here: Sequence[np.ndarray],
    there: Callable[[Point], Sequence[np.ndarray]],
) -> float:
    """How far true arrays move, relative, when the inputs move by half a unit in the last place at random.

    Args:
        point: Where.
        precision: Whose last place.
        rng: Draws the moves.
        here: The true arrays at the point.
        there: Gives them at a point nearby.
    """
    whole = norm_of_all(here)
    worst = 0.0
    for _ in range(DRAWS):
        for moved, array in zip(there(_moved(point, precision.epsilon, rng)), here, strict=True):
            worst = max(worst, norm(moved - array) / max(norm(array), precision.floor * whole))
    return worst


def _moved(point: Point, epsilon: float, rng: np.random.Generator) -> Point:
    """The point with every floating number moved by half of `epsilon`, relative, up or down."""

    def move(leaf: Any) -> Any:
        if not has_tangent(leaf):
            return leaf
        return jax.device_put(
            (np.asarray(leaf) * (1 + epsilon * rng.choice((-0.5, 0.5), leaf.shape))).astype(leaf.dtype)
        )

    return dataclasses.replace(point, primals=jax.tree.map(move, point.primals))


def _ask(point: Point, precision: Precision, draws: _Draws) -> Truth:
    moving, still, _ = split_floating(point.primals)
    x = np.concatenate([np.asarray(leaf).ravel() for leaf in moving])
    directions, nudge = draws.x_dots.astype(x.dtype), draws.nudge.astype(x.dtype)
    asked = (x, still, without_float0(draws.y_bar)[0], directions, nudge, x.dtype.type(precision.step))
    known, few = study(point), x.size <= MOST_COLUMNS
    floating, others, reverse, inner, difference = _answers(known, few, asked)
    cut = _cutter([leaf.shape for leaf in moving])
    pushed = DIRECTIONS * len(moving)
    columns = inner[pushed:] if inner is not None and few else None
    return Truth(
        y=_value(known, floating, others),
        y_bar=draws.y_bar,
        reverse=cut(columns if reverse is None else reverse),
        x_dots=cut(directions),
        inner=None if inner is None else list(inner[:pushed].reshape(len(moving), DIRECTIONS)),
        columns=None if columns is None else cut(columns),
        nudge=cut(nudge),
        difference=float(difference),
        by_columns=reverse is None,
    )


def _answers(known: Study, columns: bool, asked: tuple[Any, ...]) -> Any:
    """What the program says, by as many modes as the primal has.

    Raises:
        ValueError: It has neither.
    """
    refusal: Exception | None = None
    for reverse, forward in _MODES:
        if not (reverse or columns):
            break
        try:
            return jax.tree.map(_as_numpy, _program(known, columns and forward, reverse, forward)(*asked))
        except Exception as error:
            refusal = refusal or error
    assert refusal is not None
    raise failure("be differentiable by jax.vjp", refusal) from refusal


@lru_cache(maxsize=128)
def _program(known: Study, columns: bool, reverse: bool, forward: bool) -> Callable[..., Any]:
    """Every oracle of a primal in one program; compiled without optimising, which costs more than it saves."""
    moving, _, join = split_floating(known.shapes)
    sizes = [leaf.size for leaf in moving]
    leaf_of, picks = np.repeat(np.arange(len(sizes)), sizes), _picks(sizes, columns)
    cut = _cutter([leaf.shape for leaf in moving])

    def ask(x: Any, still: Any, y_bar: Any, directions: Any, nudge: Any, step: Any, leaf_of: Any, picks: Any) -> Any:
        along = along_floating(known.primal, join, still)

        def function(x: Any) -> Any:
            return along(*cut(x))

        def weighed(x: Any) -> Any:
            return _inner(*(_where_not(known.held, leaves) for leaves in (y_bar, function(x)[0])))

        def push(pick: Any) -> Any:
            row, leaf, place = pick
            here = (leaf_of == leaf) | (jnp.arange(x.size) == place)
            return jax.jvp(weighed, (x,), (jnp.where(here, directions[row], 0),))[1]

        floating, others, x_bar = _pulled(function, x, y_bar) if reverse else (*function(x), None)
        inner = jax.lax.map(push, picks) if forward else None
        ahead, behind = jax.lax.map(lambda h: weighed(x + h * nudge), jnp.stack([step, -step]))
        return floating, others, x_bar, inner, (ahead - behind) / (2 * step)

    run = jax.jit(ask, compiler_options=QUICK)
    return lambda x, still, y_bar, x_dots, nudge, step: run(
        x, still, y_bar, np.concatenate([x_dots, np.ones_like(x_dots[:1])]), nudge, step, leaf_of, picks
    )


def _pulled(function: Callable[..., Any], x: Any, y_bar: Any) -> tuple[Any, Any, Any]:
    floating, pullback, others = jax.vjp(function, x, has_aux=True)
    return floating, others, pullback(y_bar)[0]


def _picks(sizes: Sequence[int], columns: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Which row of the directions is pushed forward, in which leaf alone, or, for a column, at which place alone."""
    random = [(row, leaf, -1) for leaf in range(len(sizes)) for row in range(DIRECTIONS)]
    ones = [(DIRECTIONS, -1, place) for place in range(sum(sizes))] if columns else []
    row, leaf, place = np.array(random + ones).T
    return row, leaf, place


def _cutter(shapes: Sequence[tuple[int, ...]]) -> Callable[[Any], list[Any]]:
    """Cuts the last axis of an array into arrays of these shapes, laid end to end there."""
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])

    def cut(x: Any) -> list[Any]:
        numpy = np if isinstance(x, np.ndarray) else jnp
        parts = numpy.split(x, ends[:-1], axis=-1)
        return [part.reshape((*x.shape[:-1], *shape)) for part, shape in zip(parts, shapes, strict=True)]

    return cut


def _where_not(held: Sequence[bool], leaves: Sequence[Any]) -> list[Any]:
    return [leaf for hold, leaf in zip(held, leaves, strict=True) if not hold]


def _inner(left: Sequence[Any], right: Sequence[Any]) -> Any:
    return sum((jnp.sum((a * b).astype(jnp.float64)) for a, b in zip(left, right, strict=True)), jnp.zeros(()))


def _as_numpy(leaf: Any) -> Any:
    return leaf if is_key(leaf) else np.asarray(leaf)


def _value(known: Study, floating: Sequence[Any], others: Sequence[Any]) -> Any:
    leaves, treedef = jax.tree.flatten(known.y)
    moving, still = iter(floating), iter(others)
    return jax.tree.unflatten(treedef, [next(moving if has_tangent(leaf) else still) for leaf in leaves])


def _refuse_not_finite(point: Point, truth: Truth) -> None:
    """Refuses a point at which nothing can be judged.

    Raises:
        ValueError: The value or the derivative is infinite or NaN.
    """
    values = [leaf for leaf in jax.tree.leaves(truth.y) if has_tangent(leaf)]
    if not all(np.all(np.isfinite(np.asarray(leaf, np.float64))) for leaf in values):
        raise ValueError("The primal must be finite at the arguments given; it is not: give it other ones.")
    for (path, _), x_bar in zip(point.floating(), truth.reverse, strict=True):
        if not np.all(np.isfinite(np.asarray(x_bar, np.float64))):
            raise ValueError(
                f"The primal's derivative must be finite at the arguments given; {path} by JAX is not: "
                "give other arguments, away from the edge of its domain."
            )
