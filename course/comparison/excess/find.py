"""Looks for everything that a pair spends without need, and says it: the reader's own expression, and how much."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
from jax.extend.core import ClosedJaxpr

from course.comparison.excess.numbering import Numbered
from course.comparison.excess.saved import Kept, needless
from course.comparison.excess.work import Waste, wastes
from course.comparison.gates.places import Place, folder_of, place_of
from course.comparison.program import Step
from course.comparison.trees import named_leaves, without_float0
from course.records import Excess

MOST_TOLD = 2
"""Kinds of waste that are told of one pair, and saved arrays."""

LONGEST = 60
"""Characters of an expression that is shown by itself; of a longer one the statement is shown."""


@dataclass(frozen=True)
class Spent:
    """A pair as it was traced: whole, and with what it takes to trace its halves apart.

    `moving` are the arrays of the primals that have a tangent, by name.
    """

    whole: ClosedJaxpr
    primal: ClosedJaxpr
    fwd: Callable[..., Any]
    bwd: Callable[..., Any]
    primals: tuple[Any, ...]
    y_bar: Any
    moving: Sequence[tuple[str, Any]]


def find_excesses(spent: Spent) -> tuple[Excess, ...]:
    """What a pair spends without need, the dearest first.

    Raises:
        Exception: What the pair raises when it is traced.
    """
    forward, (y, residuals) = jax.make_jaxpr(spent.fwd, return_shape=True)(*spent.primals)
    pair = Numbered(spent.whole, spent.primal, forward)
    folder = folder_of(spent.bwd)
    found = wastes(pair, [leaf.size for _, leaf in spent.moving])
    names = [path for path, _ in named_leaves(residuals, "residuals")]
    kept = needless(forward, _backward(spent, residuals), len(jax.tree.leaves(y)), len(names))
    return (
        *(Excess(waste.kind, "flops", _work_sentence(waste, folder)) for waste in found[:MOST_TOLD]),
        *(Excess(_kind(one), "bytes", _saved_sentence(one, names, folder)) for one in kept[:MOST_TOLD]),
    )


def find_excesses_of_rule(
    traced: ClosedJaxpr, primal: ClosedJaxpr, rule: Callable[..., Any], moving: Sequence[tuple[str, Any]]
) -> tuple[Excess, ...]:
    """The same for a traced tangent rule: it has one half, which must work out the value, and saves nothing."""
    whole = Numbered(traced, primal, jax.make_jaxpr(lambda: ())())
    found = [waste for waste in wastes(whole, [leaf.size for _, leaf in moving]) if waste.kind != "again"]
    folder = folder_of(rule)
    return tuple(Excess(waste.kind, "flops", _work_sentence(waste, folder)) for waste in found[:MOST_TOLD])


def _backward(spent: Spent, residuals: Any) -> ClosedJaxpr:
    moving, join = without_float0(spent.y_bar)

    def backward(residuals: Any, bars: Any) -> list[Any]:
        leaves = jax.tree.leaves(spent.bwd(residuals, join(bars)))
        return [leaf for leaf in leaves if getattr(leaf, "dtype", None) != jax.dtypes.float0]

    return jax.make_jaxpr(backward)(residuals, moving)


def _kind(kept: Kept) -> str:
    return "rebuildable" if kept.used else "unused"


def _work_sentence(waste: Waste, folder: str) -> str:
    code = _code(waste.step, folder)
    part = f"{100 * waste.share:.0f} % of its FLOPs"
    if waste.kind == "again" and waste.whole:
        return f"Backward evaluates the primal again: {part}{f', with {code}' if code else ''}."
    said = code or f"an operation `{waste.step.eqn.primitive.name}`"
    if waste.kind == "again":
        return f"Backward works out {said} again, which forward had: {part}."
    if waste.kind == "twice":
        times = "twice" if waste.times == 2 else f"{waste.times} times"
        return f"The same is worked out {times}: {said}; once would save {part}."
    if waste.kind == "basis":
        return f"It makes a pass for each number, {waste.times} of them, in {said}: {part}."
    if waste.kind == "one-hot":
        return f"A matrix product with ones and zeros, {said}, takes {part}: picking rows by their index takes none."
    if waste.kind == "sparse":
        return f"After a scatter that fills a few rows, {said} works on all of them: {part}."
    return f"From {said} on it computes in a wider type than the primal does: {part}."


def _saved_sentence(kept: Kept, names: Sequence[str], folder: str) -> str:
    code = "" if kept.step is None else _code(kept.step, folder)
    which = f"{names[kept.place]} ({code})" if code else names[kept.place]
    if not kept.used:
        return f"Backward never reads {which}: {kept.bytes} bytes."
    return f"{which} need not be saved: one step makes it of what is at hand: {kept.bytes} bytes."


def _code(step: Step, folder: str) -> str:
    """The reader's expression that made a step, or its statement, in backquotes; empty where none is known."""
    for eqn in (step.eqn, *step.callers):
        place: Place | None = place_of(eqn, folder)
        if place is not None:
            return f"`{place.text if len(place.text) <= LONGEST else place.statement}`"
    return ""
