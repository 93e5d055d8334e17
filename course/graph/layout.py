"""Where each node of a graph stands: a column by how far it is from the inputs, a row beside those that it is tied to.

An edge that passes columns between takes a place of its own in each of them, so that it runs over no node.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from course.graph.recorded import Edge, Graph

SWEEPS = 6
"""Times that the places in the columns are put in order, there and back by turns."""

PASSING = 0.4
"""Room for an edge that passes, in nodes."""


@dataclass(frozen=True)
class Layout:
    """For each node its column and row; for each edge its rows in the columns that it passes; how many there are."""

    columns: tuple[int, ...]
    rows: tuple[float, ...]
    passing: tuple[tuple[float, ...], ...]
    width: int
    height: float


def lay_out(graph: Graph) -> Layout:
    """Lays a graph out from left to right. An input stands just before its first use."""
    columns = _columns(len(graph.nodes), graph.edges)
    chains = _chains(columns, graph.edges, len(graph.nodes))
    places = dict(enumerate(columns)) | {
        point: columns[chain[0]] + i for chain in chains for i, point in enumerate(chain[1:-1], 1)
    }
    width = max(columns, default=0) + 1
    members = [[item for item, column in places.items() if column == number] for number in range(width)]
    links = [link for chain in chains for link in pairwise(chain)]
    _put_in_order(members, links)
    room = dict.fromkeys(places, PASSING) | dict.fromkeys(range(len(columns)), 1.0)
    height = max((sum(room[item] for item in group) for group in members), default=1.0)
    rows = {}
    for group in members:
        top = (height - sum(room[item] for item in group)) / 2
        for item in group:
            rows[item] = top + (room[item] - 1) / 2
            top += room[item]
    passing = tuple(tuple(rows[point] for point in chain[1:-1]) for chain in chains)
    return Layout(tuple(columns), tuple(rows[n] for n in range(len(columns))), passing, width, height)


def _columns(count: int, edges: Sequence[Edge]) -> list[int]:
    columns = [0] * count
    for n in range(count):
        columns[n] = max((columns[edge.source] + 1 for edge in edges if edge.target == n), default=0)
    for n in range(count):
        used = [columns[edge.target] for edge in edges if edge.source == n]
        if used and not any(edge.target == n for edge in edges):
            columns[n] = min(used) - 1
    return columns


def _chains(columns: Sequence[int], edges: Sequence[Edge], first: int) -> list[list[int]]:
    """Each edge as its source, a new point for each column that it passes, numbered from `first` on, and its target."""
    chains = []
    for edge in edges:
        passed = columns[edge.target] - columns[edge.source] - 1
        chains.append([edge.source, *range(first, first + passed), edge.target])
        first += passed
    return chains


def _put_in_order(members: list[list[int]], links: Sequence[tuple[int, int]]) -> None:
    """Puts each column in the order of the places that its items are tied to, to the left and to the right by turns."""
    order = {item: place for group in members for place, item in enumerate(group)}
    for turn in range(SWEEPS):
        rightward = turn % 2 == 0
        tied: dict[int, list[int]] = {}
        for left, right in links:
            tied.setdefault(right if rightward else left, []).append(left if rightward else right)
        for group in members if rightward else members[::-1]:
            middle = {item: _mean([order[other] for other in tied.get(item, [item])]) for item in group}
            group.sort(key=lambda item: middle[item])
            order.update({item: place for place, item in enumerate(group)})


def _mean(places: Sequence[int]) -> float:
    return sum(places) / len(places)
