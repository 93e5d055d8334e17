"""A pass forward and backward as it was recorded: frozen data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Node:
    """An input, or a step and what it gave.

    Attributes:
        name: What its author calls it, or its own expression.
        symbol: What it does, in a few characters; empty for an input.
        values: What it gave, one array for each output.
        says: What happens forward, in words and in the names of the code.
        moves: Whether a cotangent comes back to it.
        insides: What it is made of, where it can be opened: a title and a graph each.
    """

    name: str
    symbol: str
    values: tuple[np.ndarray, ...]
    says: str
    moves: bool
    insides: tuple[tuple[str, Graph], ...] = ()


@dataclass(frozen=True)
class Edge:
    """From a node to one that uses it, by their places."""

    source: int
    target: int


@dataclass(frozen=True)
class Sweep:
    """One step backward.

    Attributes:
        node: Whose step it is.
        says: What it hands back, in the names of the code.
        edges: By which edges, by their places.
        bars: The cotangents of the nodes that got something, as they are now: one array for each output.
    """

    node: int
    says: str
    edges: tuple[int, ...]
    bars: Mapping[int, tuple[np.ndarray, ...]]


@dataclass(frozen=True)
class Graph:
    """All of it: nodes in the order in which forward meets them, and the steps of backward in theirs."""

    title: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    sweeps: tuple[Sweep, ...]
    outputs: tuple[int, ...]
