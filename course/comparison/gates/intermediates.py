"""The values on the way from a primal's arguments to its result, with their cotangents: which does an answer hold?

cotangent of v = d<y_bar, y> / dn        where v is moved to v + n, at n = 0
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import ClosedJaxpr

from course.comparison.compiled import QUICK
from course.comparison.gates.places import Place, folder_of
from course.comparison.gates.replay import read, run_equation
from course.comparison.gates.tape import Manner, Tape, Value, floating, lay, values_of
from course.comparison.study import Study, study
from course.comparison.trees import has_tangent
from course.comparison.wrong import Wrong
from course.records import Cause


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
    tape, numbered, run = _program(study(wrong.point))
    started = [value for value in tape.inputs if _cotangent_of(value, wrong) in wrong.paths_wrong]
    values, cotangents = run(jax.tree.leaves(wrong.point.primals), list(wrong.truth.handed))
    found = {
        value.name: Intermediate(
            value.name,
            value.place,
            np.asarray(x, np.float64),
            np.asarray(bar, np.float64),
            not any(_leads_past(start, value, tape) for start in started),
        )
        for value, x, bar in zip(numbered, values, cotangents, strict=True)
        if value.name
    }
    return list(found.values())


def known_numbers(wrong: Wrong, asked: Sequence[str]) -> list[Cause]:
    """What wrong arrays are, where they are a value of the primal, or the true cotangent of one."""
    known, given = list(_numbers(wrong)), wrong.given
    causes = []
    for path in asked:
        name = next((name for name, numbers in known if _is(wrong, given[path], numbers)), None)
        if name:
            causes.append(Cause("line", f"{path} = {name}", (path,), f"{path}: these are the numbers of {name}.", ""))
    return causes


def last_right(wrong: Wrong) -> list[Cause]:
    """Up to which value's cotangent an answer's numbers are right; empty where that can't be told.

    Only values that everything wrong passes are told of: an answer may do without the others.
    """
    if wrong.traced is None:
        return []
    back = [value for value in reversed(intermediates(wrong)) if value.narrow and np.any(value.cotangent)]
    back = _assigned([value for value in back if value.cotangent.size > 1])  # one number alone says too little
    if not back:
        return []
    held = _held(wrong.traced, wrong)
    there = [any(_is(wrong, numbers, value.cotangent) for numbers in held) for value in back]
    if not any(there) or there[-1]:
        return []
    last = max(place for place, is_there in enumerate(there) if is_there)
    right, missing = back[last : last + 2]
    line = f" (`{missing.place.statement}`)" if missing.place else ""
    says = f"The right cotangent of `{right.name}` is among your numbers; that of `{missing.name}`{line} is not."
    return [Cause("place", missing.name, tuple(wrong.paths_wrong), says, "")]


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


def _held(traced: ClosedJaxpr, wrong: Wrong) -> list[np.ndarray]:
    """Every floating array that a traced pair makes on its way, outside of loops and branches."""
    leaves = [*jax.tree.leaves(wrong.point.primals), *wrong.truth.handed]
    inputs = values_of([("", leaf) for leaf in leaves])
    tape = lay(traced, inputs, Manner(""))
    run = jax.jit(lambda leaves: _replayed(tape, leaves, {})[1], compiler_options=QUICK)
    return [np.asarray(x, np.float64) for x in run(leaves)]


@lru_cache(maxsize=32)
def _program(known: Study) -> tuple[Tape, list[Value], Callable[..., Any]]:
    inputs = values_of(known.named_shapes())
    tape = lay(known.jaxpr, inputs, Manner(folder_of(known.primal)))
    made = [value for step in tape.steps for value in step.outputs if value.moves and floating(value)]

    def run(leaves: Any, y_bars: Any) -> Any:
        def moved(nudges: Any) -> Any:
            outputs, values = _replayed(tape, leaves, dict(zip(made, nudges, strict=True)))
            return [y for y in outputs if has_tangent(y)], values

        nudges = [jnp.zeros(value.shape, value.dtype) for value in made]
        _, pullback, values = jax.vjp(moved, nudges, has_aux=True)
        return values, pullback(y_bars)[0]

    return tape, made, jax.jit(run, compiler_options=QUICK)


def _replayed(tape: Tape, leaves: Sequence[Any], nudges: dict[Value, Any]) -> tuple[list[Any], list[Any]]:
    """The outputs of a tape whose values are moved by nudges, and all its values that move."""
    known: dict[Value, Any] = {**tape.constants, **dict(zip(tape.inputs, leaves, strict=True))}
    made = []
    for step in tape.steps:
        outputs = run_equation(step.eqn, [read(slot, known) for slot in step.inputs])
        for value, output in zip(step.outputs, outputs, strict=True):
            known[value] = output + nudges[value] if value in nudges else output
            if value.moves and floating(value):
                made.append(known[value])
    return [read(slot, known) for slot in tape.outputs], made
