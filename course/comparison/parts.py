"""A tangent rule asked about one array of the arguments after the other, so that what is wrong can be told of that one.

y_dot = sum over the arguments' arrays a of  J_a a_dot        each term is what the rule gives where a alone moves
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, NamedTuple

import jax
import numpy as np

from course.comparison.agreement import compare_arrays
from course.comparison.mistakes import parts_of
from course.comparison.oracle import extent
from course.comparison.point import Point
from course.comparison.precision import Precision
from course.comparison.second import confirmed
from course.comparison.study import study
from course.comparison.trees import Matched, has_tangent, named_leaves
from course.comparison.ways import Forward
from course.comparison.words import listed
from course.comparison.wrong import Expected, Wrong
from course.records import Cause, Slip

NUMBERS = 6
"""So many numbers tell a path from others; of a value with fewer, an array is asked about along several directions."""

Rule = Callable[[list[Any]], list[Matched]]
"""From tangents of all floating arrays among the arguments to those of all floating outputs, as they came."""


class Part(NamedTuple):
    """What comes out where one array moves alone: the array, the output, and what the two are called together."""

    array: str
    output: str
    path: str


@dataclass(frozen=True)
class Parts:
    """A wrong rule, part by part."""

    names: tuple[Part, ...]
    wrong: Wrong

    def confirmed_by(self, again: Parts | None, tolerance: float) -> Parts:
        """With a second draw at which all that is said must hold as well."""
        if again is None:
            return self
        arrays = confirmed(self.wrong.arrays, again.wrong.arrays, tolerance)
        return Parts(self.names, dataclasses.replace(self.wrong, arrays=arrays, again=again.wrong))

    def arrays(self) -> tuple[list[str], list[str]]:
        """The arguments' arrays that enter some output wrongly, and those that enter all of them rightly."""
        wrong = {part.array for part, found in zip(self.names, self.wrong.arrays, strict=True) if not found.right}
        every = dict.fromkeys(part.array for part in self.names)
        return [array for array in every if array in wrong], [array for array in every if array not in wrong]

    def slips(self) -> list[Cause]:
        """The general slips of wrong parts; of parts that slip alike, one for all."""
        slipped: dict[Slip, list[Part]] = {}
        for part, found in zip(self.names, self.wrong.arrays, strict=True):
            if found.slip is not None:
                slipped.setdefault(found.slip, []).append(part)
        return [_cause(slip, parts, len(parts) == len(self.names)) for slip, parts in slipped.items()]

    def of_outputs(self, cause: Cause) -> Cause:
        """What explains some parts, as what explains their outputs; where others are wrong besides, it says which."""
        explained = [part for part in self.names if part.path in cause.arrays]
        outputs = tuple(dict.fromkeys(part.output for part in explained))
        kind = cause.kind
        if cause.tier == "line" and len(explained) < len(self.wrong.paths_wrong):
            arrays = list(dict.fromkeys(part.array for part in explained))
            kind = f"{kind} That is so when {listed(arrays)} {'moves' if len(arrays) == 1 else 'move'}."
        return dataclasses.replace(cause, arrays=outputs, kind=kind)


def take_apart(point: Point, rule: Rule, precision: Precision, rng: np.random.Generator) -> Parts:
    """Asks a rule about every array alone, and holds what comes against forward mode.

    Args:
        point: The primal and its arguments.
        rule: The answer.
        precision: How exactly it must agree.
        rng: Draws the directions.

    Raises:
        AnswerFault: The rule fails.
    """
    leaves = [leaf for _, leaf in point.floating()]
    numbers = sum(math.prod(y.shape) for y in jax.tree.leaves(study(point).y) if has_tangent(y))
    way = Forward(tuple(min(leaf.size, math.ceil(NUMBERS / max(numbers, 1))) or 1 for leaf in leaves))
    handed = _directions(way, leaves, rng)
    came = [rule([jax.device_put(along[i]) for along in handed]) for i in range(way.passes)]
    names = _named(point, [row.path for row in came[0]])
    stacked = [np.stack([np.asarray(row.given) for row in rows]) for rows in zip(*came, strict=True)]
    given = [Matched(part.path, None, array) for part, array in zip(names, way.cut(stacked), strict=True)]
    right = parts_of((point.primal,), point, way, handed)[0]
    arrays = compare_arrays(given, right, precision, _own(way, names, handed), point.sizes())
    expected = Expected(way, handed, {part.path: array for part, array in zip(names, right, strict=True)})
    return Parts(names, Wrong(point, expected, given, arrays, precision))


def _directions(way: Forward, leaves: Sequence[Any], rng: np.random.Generator) -> list[np.ndarray]:
    """For each array its part of all directions, stacked: zeros but in its own."""
    handed = []
    for leaf, count, end in zip(leaves, way.each, accumulate(way.each), strict=True):
        along = np.zeros((way.passes, *leaf.shape), leaf.dtype)
        along[end - count : end] = extent(leaf) * rng.standard_normal((count, *leaf.shape))
        handed.append(along)
    return handed


def _named(point: Point, outputs: Sequence[str]) -> tuple[Part, ...]:
    """Every part, in the order of the way."""
    every = zip(point.names, point.primals, strict=True)
    arrays = [path for name, primal in every for path, leaf in named_leaves(primal, name) if has_tangent(leaf)]
    return tuple(
        Part(array, output, array if len(outputs) == 1 else f"{output} by {array}")
        for array in arrays
        for output in outputs
    )


def _own(way: Forward, names: Sequence[Part], handed: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    """The tangents that each array moves along, by name: a rule may hand them on as they came."""
    arrays = dict.fromkeys(part.array for part in names)
    ends = accumulate(way.each)
    return {
        f"the tangent of {array}": along[end - count : end] if count > 1 else along[end - 1]
        for array, along, count, end in zip(arrays, handed, way.each, ends, strict=True)
    }


def _cause(slip: Slip, parts: Sequence[Part], every: bool) -> Cause:
    arrays, outputs = (list(dict.fromkeys(names)) for names in zip(*((p.array, p.output) for p in parts), strict=True))
    if slip.kind == "zero":
        text = f"{listed(outputs)} stays zero when {listed(arrays)} {'moves' if len(arrays) == 1 else 'move'}."
    else:
        moved = "Whichever array moves" if every and len(arrays) > 1 else f"Moving {listed(arrays)} alone"
        text = f"{moved}: {slip.text[0].lower()}{slip.text[1:]}"
    return Cause("slip", slip.kind, tuple(part.path for part in parts), text, "", slip.ask)
