"""An exercise from a primal and the shapes of its inputs, and nothing else: judged, explained and costed all the same.

def rms_norm(x: Float[Array, "batch d"], scale: Float[Array, "d"]) -> Float[Array, "batch d"]: ...

PAPER = paper(rms_norm)     # asks for rms_norm_fwd and rms_norm_bwd
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, get_type_hints

import jax.numpy as jnp

from course.exercises.exercise import Exercise, Paper
from course.exercises.tasks.drawing import Draw
from course.exercises.tasks.limits import Limits
from course.exercises.tasks.pair import PairTask

POINTS, COST_POINTS = 4, 1


def paper(*asked: Exercise | Callable[..., Any]) -> Paper:
    """Makes a paper of exercises and of primals, which become pair exercises; its lesson is the first one's.

    Raises:
        ValueError: Nothing is asked, or a primal does not say its shapes.
    """
    exercises = tuple(one if isinstance(one, Exercise) else pair(one) for one in asked)
    if not exercises:
        raise ValueError("A paper must ask something: give primals or exercises.")
    return Paper(exercises[0].lesson, exercises, shows_forward=True, shows_cost=True)


def pair(
    primal: Callable[..., Any],
    *,
    shapes: Mapping[str, str] | None = None,
    below: Mapping[str, str] | None = None,
    points: int = POINTS,
    cost_points: int = COST_POINTS,
    **task: Any,
) -> Exercise:
    """Makes an exercise that asks for a primal's forward and backward pass.

    Args:
        primal: The function being differentiated. Its module is the lesson.
        shapes: The axes of each argument, by its name, such as "batch d"; by default what jaxtyping's annotations say.
        below: For each argument of integers the axis whose size they stay below; they have no tangent.
        points: For being right.
        cost_points: For keeping within the limits of cost.
        **task: Anything else that a `PairTask` takes: awkward cases, limits, mistakes...

    Raises:
        ValueError: An argument's shape is not said, or in a form that is not understood.
    """
    name = primal.__name__
    task.setdefault("draw", drawing(primal, shapes, below or {}))
    task.setdefault("limits", Limits())
    return Exercise(
        name=f"{primal.__module__.rpartition('.')[2]}.{name}",
        title=name.replace("_", " "),
        task=PairTask(primal=primal, fwd=f"{name}_fwd", bwd=f"{name}_bwd", **task),
        points=points,
        cost_points=cost_points,
    )


def drawing(
    primal: Callable[..., Any], shapes: Mapping[str, str] | None, below: Mapping[str, str]
) -> Callable[[Draw], tuple[Any, ...]]:
    """Makes what draws a primal's inputs: one size an axis name, Gaussian numbers, integers where `below` says so.

    Raises:
        ValueError: An argument's shape is not said, or in a form that is not understood.
    """
    said = {argument: _axes(primal, argument, shapes) for argument in inspect.signature(primal).parameters}
    for argument in below:
        if argument not in said:
            raise ValueError(f"{primal.__name__} has no argument {argument}: it has {', '.join(said)}.")
    integers = [argument for argument in said if _is_integer(primal, argument) and argument not in below]
    if integers:
        raise ValueError(f"{integers[0]} holds integers: say below={{'{integers[0]}': ...}}, the axis that they index.")

    def draw(source: Draw) -> tuple[Any, ...]:
        return tuple(
            source.below(below[argument], *axes) if argument in below else source.normal(*axes)
            for argument, axes in said.items()
        )

    return draw


def _axes(primal: Callable[..., Any], argument: str, shapes: Mapping[str, str] | None) -> tuple[str, ...]:
    text = getattr(_hint(primal, argument), "dim_str", None) if shapes is None else shapes.get(argument)
    if text is None:
        raise ValueError(
            f'The shape of {argument} must be said: annotate it, {argument}: Float[Array, "batch d"], or give '
            f"shapes={{'{argument}': 'batch d'}}."
        )
    axes = tuple(text.split())
    if not all(axis.isidentifier() for axis in axes):
        raise ValueError(
            f"The axes of {argument} must be names with spaces between; {text!r} came. Give draw= instead."
        )
    return axes


def _is_integer(primal: Callable[..., Any], argument: str) -> bool:
    dtypes = getattr(_hint(primal, argument), "dtypes", ())
    return not isinstance(dtypes, str) and any(jnp.issubdtype(dtype, jnp.integer) for dtype in _known(dtypes))


def _known(dtypes: Any) -> list[str]:
    return [dtype for dtype in dtypes if isinstance(dtype, str) and hasattr(jnp, dtype)]


def _hint(primal: Callable[..., Any], argument: str) -> Any:
    return get_type_hints(primal).get(argument)
