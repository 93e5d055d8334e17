"""Which values of a primal, and which of their true cotangents, does an answer hold?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np
from jax.extend.core import ClosedJaxpr

from course.comparison.gates.places import Place
from course.comparison.gates.tape import Manner, Tape, Value, floating, lay, values_of
from course.comparison.gates.values import laid, replayed
from course.comparison.study import study
from course.comparison.trees import has_tangent
from course.comparison.wrong import Wrong
from course.quick_compile import QUICK
from course.records import Cause

Held = Callable[[list[Any]], list[Any]]
"""From primals and cotangent to every floating array that an answer makes on its way."""


class Intermediate(NamedTuple):
    """A value on the way: what it is called, where it is made, its numbers and its true cotangent.

    `narrow` says whether every way of a wrong array to the result passes it.
    """

    name: str
    place: Place | None
    value: np.ndarray
    cotangent: np.ndarray
    narrow: bool


def intermediates(wrong: Wrong) -> list[Intermediate]:
    """The primal's named values that move with its arguments, in the order in which they are made; one of a name."""
    flat = laid(study(wrong.point))
    started = [value for value in flat.tape.inputs if _cotangent_of(value, wrong) in wrong.paths_wrong]
    values, cotangents = flat.numbers(wrong)
    found = {
        value.name: Intermediate(
            value.name,
            value.place,
            np.asarray(x, np.float64),
            np.asarray(cotangents[value], np.float64),
            not any(_leads_past(start, value, flat.tape) for start in started),
        )
        for value, x in zip(flat.values, values, strict=True)
        if value.name and value.moves and value not in flat.tape.inputs
    }
    return list(found.values())


def known_numbers(wrong: Wrong, asked: Sequence[str]) -> list[Cause]:
    """What wrong arrays are, where they are a value of the primal, or the true cotangent of one, at every draw."""
    known = [dict(_numbers(draw)) for draw in wrong.draws]
    causes = []
    for path in asked:
        every = zip(wrong.draws, known, strict=True)
        held = [[n for n, numbers in names.items() if _is(draw, draw.given[path], numbers)] for draw, names in every]
        name = next((name for name in held[0] if all(name in names for names in held)), None)
        if name:
            causes.append(Cause("line", f"{path} = {name}", (path,), f"{path}: these are the numbers of {name}.", ""))
    return causes


def last_right(wrong: Wrong) -> list[Cause]:
    """Up to which value's cotangent an answer's numbers are right; empty where that can't be told.

    Only values that everything wrong passes are told of: an answer may do without the others.
    """
    if wrong.traced is None or not _on_the_way_back(wrong):
        return []
    held = _held(wrong.traced, wrong)
    first, *others = (_last_right_at(draw, held) for draw in wrong.draws if draw.paths_wrong)
    said = [cause.kind for cause in first]
    return first if all([cause.kind for cause in other] == said for other in others) else []


def _last_right_at(wrong: Wrong, held: Held) -> list[Cause]:
    back = _on_the_way_back(wrong)
    arrays = [np.asarray(x, np.float64) for x in held(_handed(wrong))]
    there = [any(_is(wrong, numbers, value.cotangent) for numbers in arrays) for value in back]
    if not any(there) or there[-1]:
        return []
    last = max(place for place, is_there in enumerate(there) if is_there)
    right, missing = back[last : last + 2]
    line = f" (`{missing.place.statement}`)" if missing.place else ""
    says = f"The right cotangent of `{right.name}` is among your numbers; that of `{missing.name}`{line} is not."
    return [Cause("place", missing.name, tuple(wrong.paths_wrong), says, "")]


def _on_the_way_back(wrong: Wrong) -> list[Intermediate]:
    """The values whose cotangents everything wrong hangs on, the result's first."""
    back = [value for value in reversed(intermediates(wrong)) if value.narrow and np.any(value.cotangent)]
    return _assigned([value for value in back if value.cotangent.size > 1])  # one number alone says too little


def _cotangent_of(value: Value, wrong: Wrong) -> str:
    """The name of an argument's cotangent."""
    names = {name: path for (name, _), path in zip(_moving(wrong), wrong.paths, strict=True)}
    return names.get(value.name, "")


def _moving(wrong: Wrong) -> list[tuple[str, Any]]:
    return [named for named in study(wrong.point).named_shapes() if has_tangent(named[1])]


def _leads_past(start: Value, value: Value, tape: Tape) -> bool:
    """Whether a way from an argument to the result does not pass a value."""
    reached = {start}
    for step in tape.steps:
        if any(isinstance(slot, Value) and slot in reached for slot in step.inputs):
            reached |= {output for output in step.outputs if output.moves and output is not value}
    return any(isinstance(slot, Value) and slot in reached for slot in tape.outputs)


def _assigned(values: list[Intermediate]) -> list[Intermediate]:
    """Those that a variable was made for, where there are any."""
    named = [value for value in values if value.place and value.name != value.place.text]
    return named or values


def _numbers(wrong: Wrong) -> Iterator[tuple[str, np.ndarray]]:
    known = intermediates(wrong)
    yield from ((f"the cotangent of `{value.name}`", value.cotangent) for value in known)
    yield from ((f"`{value.name}` itself", value.value) for value in known)
    shapes, leaves = study(wrong.point).named_shapes(), jax.tree.leaves(wrong.point.primals)
    for (name, _), leaf in zip(shapes, leaves, strict=True):
        if has_tangent(leaf):
            yield f"`{name}` itself", np.asarray(leaf, np.float64)


def _is(wrong: Wrong, given: np.ndarray, expected: np.ndarray) -> bool:
    """Whether an array is another one, as it is or transposed."""
    turned = given.T if given.ndim == 2 else given
    return wrong.is_near(given, expected) or wrong.is_near(turned, expected)


def _handed(wrong: Wrong) -> list[Any]:
    return [*jax.tree.leaves(wrong.point.primals), *wrong.truth.handed]


def _held(traced: ClosedJaxpr, wrong: Wrong) -> Held:
    """Every moving array that a traced pair makes, outside of loops and branches."""
    tape = lay(traced, values_of([("", leaf) for leaf in _handed(wrong)]), Manner(""))
    made = [value for step in tape.steps for value in step.outputs if value.moves and floating(value)]

    def run(leaves: list[Any]) -> list[Any]:
        known = replayed(tape, leaves, {})[1]
        return [known[value] for value in made]

    return jax.jit(run, compiler_options=QUICK)
