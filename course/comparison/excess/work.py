"""Work that a pair need not do: each function looks through its steps for one kind, and says which it found.

again     backward does what forward did, or what the primal does
twice     one half does the same more than once
basis     the work grows with the number of parameters: a loop, a batch or a row of steps for each number of an array
one-hot   a matrix product with ones and zeros
sparse    arithmetic on all rows after a scatter that filled few
wide      a type with more bits than the primal has anywhere
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import jax.numpy as jnp

from course.comparison.excess.numbering import Numbered, Work, shape_of
from course.comparison.program import VIEWS, Step, Value

LEAST = 0.1
"""The share of a pair's FLOPs from which a kind of waste is told."""

MOST = 0.5
"""The same for a pass for each number: it is nearly all that such a pair does."""

FEWEST = 8
"""Numbers that an array must have for its number to be met nowhere by chance."""

SPARSE = 0.5
"""The share of an array's numbers that a scatter may fill for the rest to be called empty."""

_FITTED = VIEWS | {"convert_element_type", "copy", "mul", "select_n"}


@dataclass(frozen=True)
class Waste:
    """FLOPs that need not be: of which kind, how many of all, and the dearest step among them."""

    kind: str
    share: float
    step: Step
    times: int = 0
    whole: bool = False


def wastes(pair: Numbered, sizes: Sequence[int]) -> list[Waste]:
    """All that is found, the dearest first.

    Args:
        pair: The work of a pair.
        sizes: The numbers of each array that has a tangent.
    """
    asked: tuple[Callable[[], Waste | None], ...] = (
        lambda: _basis(pair, sizes),
        lambda: _again(pair),
        lambda: _twice(pair),
        lambda: _one_hot(pair),
        lambda: _sparse(pair),
        lambda: _wide(pair),
    )
    found = [waste for ask in asked if (waste := ask()) is not None]
    by_basis = [waste for waste in found if waste.kind == "basis"]
    return by_basis or sorted(found, key=lambda waste: -waste.share)


def _waste(pair: Numbered, kind: str, found: Sequence[Work], **more: Any) -> Waste | None:
    """The waste of some steps, where it is worth telling."""
    share = sum(work.flops for work in found) / max(pair.flops, 1)
    if share < LEAST:
        return None
    return Waste(kind, share, max(found, key=lambda work: work.flops).step, **more)


def _again(pair: Numbered) -> Waste | None:
    forward = {work.number for work in pair.work if work.forward}
    of_primal = {work.number for work in pair.of_primal}
    found = [work for work in pair.work if not work.forward and work.number in forward | of_primal]
    primals = sum(work.flops for work in pair.of_primal)
    whole = sum(work.flops for work in found if work.number in of_primal) > primals / 2
    return _waste(pair, "again", found, whole=whole)


def _twice(pair: Numbered) -> Waste | None:
    """The copies, without the first, of what one half does more than once."""
    met: Counter[Any] = Counter()
    found = []
    for work in pair.work:
        key = (work.forward, work.number)
        met[key] += 1
        if met[key] > 1:
            found.append(work)
    if not found:
        return None
    dearest = max(found, key=lambda work: work.flops)
    return _waste(pair, "twice", found, times=met[dearest.forward, dearest.number])


def _basis(pair: Numbered, sizes: Sequence[int]) -> Waste | None:
    """What a derivative by trying every number has: a long loop, a long axis, or a long row of copies."""
    lengths = _telling(pair, sizes)
    looped = [work for work in pair.work if work.name == "scan" and work.step.eqn.params["length"] in lengths]
    batched = [work for work in pair.work if lengths.intersection(work.shape) and not work.forward]
    for found, length in ((looped, _length_of_loop), (batched, lambda work: _length_of_axis(work, lengths))):
        waste = _waste(pair, "basis", found, times=length(found[0])) if found else None
        if waste is not None and waste.share >= MOST:
            return waste
    return _row(pair, sizes)


def _telling(pair: Numbered, sizes: Sequence[int]) -> set[int]:
    """How many a pass for each number of an array, or of all, would be; lengths that the primal has tell nothing."""
    own = {axis for work in pair.of_primal for var in work.step.eqn.invars for axis in shape_of(var)}
    numbers = {*sizes, sum(sizes)}
    return {n for n in numbers if n >= FEWEST and n not in own}


def _length_of_loop(work: Work) -> int:
    return work.step.eqn.params["length"]


def _length_of_axis(work: Work, lengths: set[int]) -> int:
    return max(lengths.intersection(work.shape))


def _row(pair: Numbered, sizes: Sequence[int]) -> Waste | None:
    """Copies of one operation on other numbers, as an unrolled loop leaves them: as many as an array has numbers."""
    own = Counter(_kind(work) for work in pair.of_primal)
    rows: dict[Any, list[Work]] = {}
    for work in pair.work:
        if not work.forward and own[_kind(work)]:
            rows.setdefault(_kind(work), []).append(work)
    fewest = min((n for n in sizes if n >= FEWEST), default=0)
    long = {kind: row for kind, row in rows.items() if fewest and len(row) >= fewest * own[kind]}
    found = [work for row in long.values() for work in row]
    if not found:
        return None
    times = max(len(row) // own[kind] for kind, row in long.items())
    waste = _waste(pair, "basis", found, times=times)
    return waste if waste is not None and waste.share >= MOST else None


def _kind(work: Work) -> Any:
    return work.name, tuple(shape_of(var) for var in work.step.eqn.invars)


def _one_hot(pair: Numbered) -> Waste | None:
    found = [
        work
        for work in pair.work
        if work.name == "dot_general" and any(_is_one_hot(pair, value) for value in work.step.inputs)
    ]
    return _waste(pair, "one-hot", found)


def _is_one_hot(pair: Numbered, value: Value | None) -> bool:
    """Whether an array comes of asking which of 0, 1, 2, ... some numbers are."""
    maker = _maker(pair, value, VIEWS | {"convert_element_type", "copy"})
    if maker is None or maker.eqn.primitive.name != "eq":
        return False
    sides = [_maker(pair, side, VIEWS - {"iota"}) for side in maker.inputs]
    return any(side is not None and side.eqn.primitive.name == "iota" for side in sides)


def _maker(pair: Numbered, value: Value | None, through: frozenset[str]) -> Step | None:
    """The step that made a value, seen through what only fits it to its use."""
    step = pair.makers.get(value) if value is not None else None
    while step is not None and step.eqn.primitive.name in through and step.inputs and step.inputs[0] is not None:
        before = pair.makers.get(step.inputs[0])
        if before is None:
            return step
        step = before
    return step


def _sparse(pair: Numbered) -> Waste | None:
    found = [work for work in pair.work if work.flops and any(_is_scattered(pair, v) for v in work.step.inputs)]
    return _waste(pair, "sparse", found)


def _is_scattered(pair: Numbered, value: Value | None) -> bool:
    """Whether an array was zeros until a scatter filled few of its numbers."""
    maker = _maker(pair, value, _FITTED)
    if maker is None or maker.eqn.primitive.name not in ("scatter", "scatter-add"):
        return False
    table, _, updates = (shape_of(var) for var in maker.eqn.invars)
    started = pair.makers.get(maker.inputs[0]) if maker.inputs[0] is not None else None
    zeros = started is not None and started.eqn.primitive.name == "broadcast_in_dim" and started.inputs[0] is None
    return zeros and prod(updates) < SPARSE * prod(table)


def _wide(pair: Numbered) -> Waste | None:
    widest = max((_bits(var) for var in _variables(pair.primal.jaxpr)), default=64)
    found = [work for work in pair.work if any(_bits(var) > widest for var in work.step.eqn.outvars)]
    return _waste(pair, "wide", found)


def _variables(jaxpr: Any) -> Iterator[Any]:
    yield from jaxpr.invars
    for eqn in jaxpr.eqns:
        yield from eqn.outvars


def _bits(var: Any) -> int:
    dtype = getattr(var.aval, "dtype", None)
    return 8 * dtype.itemsize if dtype is not None and jnp.issubdtype(dtype, jnp.floating) else 0
