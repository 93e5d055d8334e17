"""Draws a recorded graph as one piece of HTML that steps: an SVG, a slider, a sentence. It asks for nothing else.

The same string stands in JupyterLab, in a site and alone in a file. Without its script it shows the whole forward pass.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from functools import cache
from html import escape
from importlib import resources
from typing import Any

import numpy as np

from course.graph.layout import Layout, lay_out
from course.graph.recorded import Edge, Graph, Node

WIDE, HIGH = 132, 84
"""Size of a node."""
ACROSS, DOWN = 176, 104
"""From a node to the next one to its right, and below."""
MARGIN = 14
LETTERS = 15
"""Characters that fit beside each other in a node."""
MOST_CELLS = 10
"""Rows and columns of a heat map; of a larger array the first ones are shown."""

_STYLE = """
.hg-graph { --hg-ink: var(--jp-content-font-color1, var(--vscode-editor-foreground, #1f2328));
  --hg-soft: #59636e; --hg-line: #b4bcc4; --hg-up: #0072b2; --hg-down: #b84a00; --hg-page: transparent;
  margin: 8px 0; color: var(--hg-ink); font: 14px/1.5 system-ui, sans-serif; outline-offset: 4px; max-width: 100%; }
@media (prefers-color-scheme: dark) { .hg-graph { --hg-ink: var(--jp-content-font-color1,
  var(--vscode-editor-foreground, #e6edf3)); --hg-soft: #9da7b1; --hg-line: #5c6670; --hg-up: #56b4e9;
  --hg-down: #ff8f52; } }
:is([data-jp-theme-light=true], .vscode-light, [data-theme=light]) .hg-graph { --hg-ink: #1f2328; --hg-soft: #59636e;
  --hg-line: #b4bcc4; --hg-up: #0072b2; --hg-down: #b84a00; }
:is([data-jp-theme-light=false], .vscode-dark, [data-theme=dark]) .hg-graph { --hg-ink: #e6edf3; --hg-soft: #9da7b1;
  --hg-line: #5c6670; --hg-up: #56b4e9; --hg-down: #ff8f52; }
.hg-graph .hg-frame { overflow-x: auto; }
.hg-graph.hg-graph.hg-graph svg { display: block; max-width: none; height: auto; }
.hg-graph text { fill: var(--hg-ink); font: 12px ui-monospace, monospace; text-anchor: middle; }
.hg-graph .hg-symbol { font-size: 13px; fill: var(--hg-soft); text-anchor: end; }
.hg-graph .hg-name { text-anchor: start; font-weight: 600; }
.hg-graph .hg-box { fill: none; stroke: var(--hg-line); stroke-width: 1.2; }
.hg-graph .hg-node { opacity: .45; }
.hg-graph .hg-there { opacity: 1; }
.hg-graph .hg-now .hg-box { stroke: var(--hg-up); stroke-width: 2.4; }
.hg-graph.hg-backward > .hg-frame .hg-now .hg-box { stroke: var(--hg-down); }
.hg-graph .hg-edge { fill: none; stroke: var(--hg-line); stroke-width: 1.4; }
.hg-graph .hg-back { stroke: var(--hg-down); stroke-width: 2.6; }
.hg-graph .hg-value .hg-high, .hg-graph .hg-value text { fill: var(--hg-up); }
.hg-graph .hg-bar .hg-high, .hg-graph .hg-bar text { fill: var(--hg-down); }
.hg-graph .hg-low { fill: var(--hg-soft); }
.hg-graph .hg-value rect, .hg-graph .hg-bar rect { stroke: var(--hg-line); stroke-width: .4; }
.hg-graph .hg-control { display: flex; gap: 8px; align-items: center; margin: 6px 0 2px; flex-wrap: wrap; }
.hg-graph button { font: inherit; color: inherit; background: none; border: 1px solid var(--hg-line);
  border-radius: 4px; padding: 1px 10px; cursor: pointer; }
.hg-graph input { flex: 1; min-width: 120px; accent-color: var(--hg-up); }
.hg-graph .hg-says { font: 13px/1.5 ui-monospace, monospace; min-height: 1.5em; margin: 2px 0; }
.hg-graph details { margin: 4px 0 4px 10px; }
.hg-graph summary { cursor: pointer; color: var(--hg-soft); }
"""


class Page:
    """A graph as it is shown: in a notebook by itself, anywhere else by its HTML."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph

    @property
    def html(self) -> str:
        """One piece of HTML that needs nothing else."""
        return f"<style>{_STYLE}</style>{_figure(self.graph)}"

    def save(self, path: str) -> None:
        """Writes a page of its own."""
        head = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(self.graph.title)}</title>'
        with open(path, "w", encoding="utf-8", newline="\n") as file:
            file.write(f"{head}<body>{self.html}</body></html>\n")

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return "\n".join(_described(self.graph))


def _described(graph: Graph) -> Iterator[str]:
    """Every step in words."""
    yield f"{graph.title}, forward:"
    yield from (f"  {node.says}" for node in graph.nodes)
    if graph.sweeps:
        yield "backward:"
        yield from (f"  {sweep.says}" for sweep in graph.sweeps)


def _figure(graph: Graph) -> str:
    data = json.dumps(_data(graph), separators=(",", ":")).replace("</", "<\\/")
    name = "hg" + hashlib.sha256(data.encode()).hexdigest()[:10]
    count = len(graph.nodes) + len(graph.sweeps)
    inside = "".join(
        f"<details><summary>{escape(node.name)}: {escape(title)}</summary>{_figure(inner)}</details>"
        for node in graph.nodes
        for title, inner in node.insides
    )
    script = f'({_script()})(document.currentScript.closest("figure"));'
    return (
        f'<figure class="hg-graph" id="{name}" tabindex="0" aria-label="{_label(graph)}">'
        f'<div class="hg-frame">{_svg(graph)}</div>'
        '<div class="hg-control"><button type="button" class="hg-before" aria-label="one step back">◀</button>'
        '<button type="button" class="hg-play">▶ play</button>'
        '<button type="button" class="hg-next" aria-label="one step on">▶</button>'
        f'<input type="range" min="0" max="{count - 1}" value="0" aria-label="step"></div>'
        f'<p class="hg-says" aria-live="polite">{escape(graph.nodes[0].says if graph.nodes else "")}</p>'
        f'<script type="application/json">{data}</script>{inside}<script>{script}</script></figure>'
    )


@cache
def _script() -> str:
    return resources.files("course.graph").joinpath("stepper.js").read_text(encoding="utf-8").strip()


def _label(graph: Graph) -> str:
    return escape(
        f"The steps of {graph.title}, {len(graph.nodes)} forward and {len(graph.sweeps)} backward. "
        "Arrow keys go from step to step."
    )


def _data(graph: Graph) -> dict[str, Any]:
    forward = [{"kind": "forward", "node": n, "says": f"forward: {node.says}"} for n, node in enumerate(graph.nodes)]
    backward = [
        {
            "kind": "backward",
            "node": sweep.node,
            "says": f"backward: {sweep.says}",
            "edges": sweep.edges,
            "bars": {node: [_drawn(bar) for bar in bars] for node, bars in sweep.bars.items()},
        }
        for sweep in graph.sweeps
    ]
    return {"steps": forward + backward, "values": [[_drawn(v) for v in node.values] for node in graph.nodes]}


def _drawn(array: np.ndarray) -> dict[str, Any]:
    """A number as text, an array as a heat map: cells from -1 to 1, relative to the largest."""
    if array.size == 1:
        return {"text": f"{array.item():.3g}"}
    flat = np.asarray(array, np.float64)
    table = flat.reshape(flat.shape[0], -1) if flat.ndim > 1 else flat.reshape(1, -1)
    table = table[:MOST_CELLS, :MOST_CELLS]
    largest = np.max(np.abs(table), initial=0.0, where=np.isfinite(table)) or 1.0
    cells = [round(float(x), 2) if np.isfinite(x) else 1.0 for x in (table / largest).ravel()]
    return {"rows": table.shape[0], "cols": table.shape[1], "cells": cells}


def _svg(graph: Graph) -> str:
    layout = lay_out(graph)
    width = MARGIN * 2 + (layout.width - 1) * ACROSS + WIDE
    height = MARGIN * 2 + (layout.height - 1) * DOWN + HIGH
    edges = "".join(_edge(edge, rows, layout) for edge, rows in zip(graph.edges, layout.passing, strict=True))
    nodes = "".join(_node(node, *_corner(n, layout)) for n, node in enumerate(graph.nodes))
    size = f'viewBox="0 0 {width:.0f} {height:.0f}" style="width:{width:.0f}px"'
    return f'<svg {size} role="img" aria-label="{_label(graph)}">{edges}{nodes}</svg>'


def _corner(n: int, layout: Layout) -> tuple[float, float]:
    return MARGIN + layout.columns[n] * ACROSS, MARGIN + layout.rows[n] * DOWN


def _edge(edge: Edge, passing: Sequence[float], layout: Layout) -> str:
    """A smooth line from node to node, level where it passes a column."""
    x, y = _corner(edge.source, layout)
    x, y = x + WIDE, y + HIGH / 2
    path = f"M{x:.0f} {y:.0f}"
    for number, row in enumerate((*passing, layout.rows[edge.target]), layout.columns[edge.source] + 1):
        to_x, to_y = MARGIN + number * ACROSS, MARGIN + row * DOWN + HIGH / 2
        bend = (to_x - x) / 2
        path += f"C{x + bend:.0f} {y:.0f} {to_x - bend:.0f} {to_y:.0f} {to_x:.0f} {to_y:.0f}"
        if number < layout.columns[edge.target]:
            path += f"h{WIDE}"
        x, y = to_x + WIDE, to_y
    return f'<path class="hg-edge" d="{path}"/>'


def _node(node: Node, x: float, y: float) -> str:
    half = (WIDE - 18) / 2
    maps = "".join(
        f'<g class="{name}" data-x="{left:.0f}" data-y="{y + 26:.0f}" data-w="{half:.0f}" data-h="{HIGH - 34}"></g>'
        for name, left in (("hg-value", x + 6), ("hg-bar", x + 12 + half))
    )
    shape = _shape(node.values)
    symbol = node.symbol if len(node.name) + len(node.symbol) < LETTERS else ""
    return (
        f'<g class="hg-node hg-there"><title>{escape(node.says)} {escape(shape)}</title>'
        f'<rect class="hg-box" x="{x:.0f}" y="{y:.0f}" width="{WIDE}" height="{HIGH}" rx="8"/>'
        f'<text class="hg-name" x="{x + 8:.0f}" y="{y + 17:.0f}">{escape(node.name[:LETTERS])}</text>'
        f'<text class="hg-symbol" x="{x + WIDE - 8:.0f}" y="{y + 17:.0f}">{escape(symbol)}</text>{maps}</g>'
    )


def _shape(values: Sequence[np.ndarray]) -> str:
    return " and ".join("a number" if value.ndim == 0 else f"shape {value.shape}" for value in values)
