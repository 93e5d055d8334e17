"""What `bwd` returned: brought from any accepted form to one array for each array of the primals.

The contract is a tuple with one entry for each primal, in order. A bare entry for a single primal, a list, another
container with the same names, are accepted with a note.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from course.comparison.point import Point
from course.comparison.trees import Matched, Mismatch, children, describe, has_tangent, match, named_leaves


def cotangent_rows(
    point: Point,
    returned: Any,
    name: str,
    notes: list[str],
    asked: Sequence[int] | None = None,
    data: Collection[int] = (),
) -> list[Matched]:
    """Finds what `bwd` returned for each array of the primals.

    Args:
        point: The primals.
        returned: What `bwd` returned.
        name: What the reader calls `bwd`.
        notes: Grows by a sentence for each unusual but accepted form.
        asked: Places of the primals whose cotangents are returned; all of them by default.
        data: Places of the primals for which None is fine although they are floating.

    Raises:
        Mismatch: It is not one entry for each primal, or an entry doesn't fit its primal.
    """
    places = tuple(range(len(point.primals))) if asked is None else tuple(asked)
    wanted = _wanted(point, places, data)
    said: list[str] = []
    try:
        rows = _rows(point, _entries(returned, len(places), name, wanted, said), places, said, data)
    except Mismatch:
        said = []
        bare = _bare_rows(point, returned, places, name, wanted, said)
        if bare is None:
            raise
        rows = bare
    notes += said
    return rows


def _rows(
    point: Point, entries: Sequence[Any], places: Sequence[int], notes: list[str], data: Collection[int]
) -> list[Matched]:
    rows: list[Matched] = []
    for place, entry in zip(places, entries, strict=True):
        if place not in data or entry is not None:
            argument = point.names[place]
            rows += match(point.primals[place], entry, f"{argument}_bar", argument, notes)
    return rows


def _entries(returned: Any, count: int, name: str, wanted: str, notes: list[str]) -> Sequence[Any]:
    if isinstance(returned, tuple | list) and len(returned) == count:
        if isinstance(returned, list):
            notes.append(f"{name} returns a list; a tuple is the contract. Accepted.")
        return returned
    raise Mismatch(
        "structure",
        name,
        f"{name} must return {wanted}, one entry for each argument; it returns {describe(returned)}.",
    )


def _bare_rows(
    point: Point, returned: Any, places: Sequence[int], name: str, wanted: str, notes: list[str]
) -> list[Matched] | None:
    """The rows of the one entry returned bare, without its tuple; None where that doesn't fit either."""
    if len(places) != 1:
        return None
    primal, argument = point.primals[places[0]], point.names[places[0]]
    if children(primal) is None and not (hasattr(returned, "shape") or isinstance(returned, int | float)):
        return None
    notes.append(f"{name} returns {argument}_bar itself; a tuple of one, {wanted}, is the contract. Accepted.")
    try:
        return match(primal, returned, f"{argument}_bar", argument, notes)
    except Mismatch:
        return None


def _wanted(point: Point, places: Sequence[int], data: Collection[int]) -> str:
    """The tuple that is asked for, in words: None where nothing else is of use."""
    nothing = {place for place in places if not any(map(has_tangent, jax.tree.leaves(point.primals[place])))}
    names = ["None" if place in nothing | set(data) else f"{point.names[place]}_bar" for place in places]
    return f"({', '.join(names)}{',' if len(names) == 1 else ''})"


def without_idle_data(
    point: Point, rows: Sequence[Matched], data: Collection[int], name: str, notes: list[str]
) -> list[Matched]:
    """The rows of numbers without those of data for which nothing but zeros came, which is as good as None.

    Args:
        point: The primals.
        rows: The arrays with the numbers that came for each.
        data: Places of the primals for which None is fine although they are floating.
        name: What the reader calls `bwd`.
        notes: Grows by a sentence if there are any.
    """
    idle: dict[str, set[str]] = {}
    for place in data:
        paths = {path for path, _ in named_leaves(point.primals[place], f"{point.names[place]}_bar")}
        if all(row.given.shape == np.shape(row.like) and not row.given.any() for row in rows if row.path in paths):
            idle[point.names[place]] = paths.intersection(row.path for row in rows)
    zeros = [argument for argument, paths in idle.items() if paths]
    if zeros:
        notes.append(f"{name} returns zeros for {' and '.join(zeros)}: these are data, None is enough. Accepted.")
    return [row for row in rows if not any(row.path in paths for paths in idle.values())]


def as_custom_vjp(point: Point, returned: Any, name: str) -> tuple[Any, ...]:
    """The form that `jax.custom_vjp` asks for: the primals' own structure and types, float0 where there is no tangent.

    Raises:
        Mismatch: The judge would refuse the form.
    """
    rows = iter(_every_row(point, returned, name))
    return tuple(jax.tree.map(lambda leaf: _cotangent(leaf, next(rows)), primal) for primal in point.primals)


def _every_row(point: Point, returned: Any, name: str) -> list[Any]:
    everything = range(len(point.primals))
    given = {row.path: row.given for row in cotangent_rows(point, returned, name, [], data=everything)}
    return [
        given.get(path)
        for name, primal in zip(point.names, point.primals, strict=True)
        for path, _ in named_leaves(primal, f"{name}_bar")
    ]


def _cotangent(leaf: Any, given: Any) -> Any:
    if not has_tangent(leaf):
        return np.zeros(np.shape(leaf), jax.dtypes.float0)
    if given is None:
        return jnp.zeros(np.shape(leaf), jnp.result_type(leaf))
    return jnp.asarray(given.real if jnp.iscomplexobj(given) else given, jnp.result_type(leaf))
