"""Tries every hypothesis about a primal against the numbers of an answer, in one compiled program.

For each hypothesis and each array the program gives two inner products, with e = answer - truth, d = truth - what the
hypothesis gives:

    <e, d> and <d, d>        so that |e - c d|^2 = <e, e> - 2 c <e, d> + c^2 <d, d>
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from course.comparison.counting import count_jaxpr
from course.comparison.floating import split_floating
from course.comparison.gates.edges import Survey, survey
from course.comparison.gates.hypotheses import Hypothesis, hypotheses, settings_of
from course.comparison.gates.places import folder_of
from course.comparison.gates.replay import Replay, Settings
from course.comparison.gates.tape import Manner, lay, values_of
from course.comparison.study import Study
from course.comparison.trees import has_tangent
from course.comparison.ways import Way
from course.comparison.wrong import Wrong
from course.quick_compile import QUICK

MOST_WORK = 2e10
"""FLOPs that a search may take: a second or two. A larger primal is searched by its edges alone, or not at all."""

BACKWARD = 3
"""A primal forward and backward takes about this many times its own FLOPs."""


@dataclass(frozen=True)
class Products:
    """What every hypothesis has to do with an answer: rows are hypotheses, columns arrays.

    `ed` is <e, d>, `dd` is <d, d>, and `ee` holds <e, e> for each array, all divided by the square of the array's
    scale. `numbers` counts the entries of d that are not zero.
    """

    tried: tuple[Hypothesis, ...]
    ed: np.ndarray
    dd: np.ndarray
    ee: np.ndarray
    numbers: np.ndarray

    def at(self, places: Sequence[int]) -> Products:
        """Those of some hypotheses."""
        chosen = list(places)
        tried = tuple(self.tried[place] for place in chosen)
        return Products(tried, self.ed[chosen], self.dd[chosen], self.ee, self.numbers[chosen])


class Searcher:
    """A primal at given shapes, ready to be searched."""

    def __init__(self, known: Study, way: Way, deep: bool):
        """Lays the primal flat and lists what can be wrong about it.

        Args:
            known: The primal, traced.
            way: In which mode its answers differentiate.
            deep: Whether to look under custom rules; they may say another derivative than what is under them.
        """
        leaves = values_of(known.named_shapes())
        tape = lay(known.jaxpr, leaves, Manner(folder_of(known.primal), deep))
        self.found: Survey = survey(tape)
        self.tried = _affordable(hypotheses(self.found), way.passes * count_jaxpr(known.jaxpr).flops)
        self._rows = settings_of([Hypothesis(), *self.tried], self.found)
        self._way, self._replay = way, Replay(tape, self.found, way.forward)
        self._compiled = jax.jit(self._products, compiler_options=QUICK)

    def products(self, wrong: Wrong, chosen: Sequence[int] | None = None) -> Products:
        """Runs hypotheses against an answer: all of them, or those at the places chosen.

        Raises:
            ValueError: The replay does not give the truth, so nothing that it says could be trusted.
        """
        chosen = range(len(self.tried)) if chosen is None else chosen
        errors = [jnp.asarray(error) for error in wrong.errors()]
        truth = [(jnp.asarray(array), scale) for array, scale in zip(wrong.expected, wrong.scales, strict=True)]
        rows = picked(self._rows, [0, *(place + 1 for place in chosen)], len(self.tried) + 1)
        leaves, handed = jax.tree.leaves(wrong.point.primals), list(wrong.truth.handed)
        found = self._compiled(leaves, handed, errors, truth, rows, np.int64(len(chosen) + 1))
        off, ed, dd, numbers = (np.asarray(table)[: len(chosen) + 1] for table in found)
        if not off[0] <= AS_GOOD_AS_TRUE:
            raise ValueError("The primal's program, replayed, must give the derivative that JAX gives; it does not.")
        ee = np.array([float(np.sum(np.square(np.asarray(e)))) for e in errors])
        return Products(tuple(self.tried[place] for place in chosen), ed[1:], dd[1:], ee, numbers[1:])

    def _products(self, leaves: Any, handed: Any, errors: Any, truth: Any, rows: Settings, count: Any) -> Any:
        moving, still, join = split_floating(tuple(leaves))

        def parts(settings: Settings) -> list[Any]:
            def run(moving: list[Any]) -> list[Any]:
                return [y for y in self._replay(join(moving, still), settings) if has_tangent(y)]

            found = self._way.parts(run, moving, handed)
            return [part / scale for part, (_, scale) in zip(found, truth, strict=True)]

        scaled = [right / scale for right, scale in truth]

        def row(settings: Settings) -> Any:
            d = [right - part for right, part in zip(scaled, parts(settings), strict=True)]
            ed = jnp.stack([jnp.vdot(e, part) for e, part in zip(errors, d, strict=True)])
            dd = jnp.stack([jnp.vdot(part, part) for part in d])
            numbers = jnp.stack([jnp.sum(jnp.abs(part) > NEGLIGIBLE) for part in d])
            return jnp.sqrt(jnp.sum(dd)), ed, dd, numbers

        return each_row(row, rows, count)


def each_row(function: Callable[[Any], Any], rows: Any, count: Any) -> Any:
    """A function's results for the first rows, `count` of them, one after another; zeros for the others."""
    one = jax.eval_shape(function, jax.tree.map(lambda table: table[0], rows))
    length = len(jax.tree.leaves(rows)[0])
    start = jax.tree.map(lambda leaf: jnp.zeros((length, *leaf.shape), leaf.dtype), one)

    def at(i: Any, found: Any) -> Any:
        result = function(jax.tree.map(lambda table: table[i], rows))
        return jax.tree.map(lambda table, part: table.at[i].set(part), found, result)

    return jax.lax.fori_loop(0, count, at, start)


def picked(rows: Any, places: Sequence[int], length: int) -> Any:
    """The rows at some places first; as many more as make up the length, so that one program serves any number."""
    every = np.zeros(length, np.int64)
    every[: len(places)] = places
    return jax.tree.map(lambda table: np.asarray(table)[every], rows)


AS_GOOD_AS_TRUE = 1e-9
"""How far a replay with nothing set may be from the truth, relative."""

NEGLIGIBLE = 1e-12
"""Relative to an array's scale: a difference no larger is rounding."""


@lru_cache(maxsize=32)
def searcher(known: Study, way: Way, deep: bool) -> Searcher:
    """The searcher of a primal, made or found again."""
    return Searcher(known, way, deep)


def affordable(flops: int) -> int:
    """How often a search can go forward and backward through a primal of so many FLOPs."""
    return int(MOST_WORK / (BACKWARD * max(flops, 1)))


def _affordable(tried: Sequence[Hypothesis], flops: int) -> list[Hypothesis]:
    """What a search can try in its time."""
    room = affordable(flops)
    edges = [hypothesis for hypothesis in tried if hypothesis.edges]
    return list(tried) if len(tried) <= room else edges if len(edges) <= room else []
