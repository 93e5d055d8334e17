"""The picture of the table: every way's time over that of the step by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from course.show.plots import COLOURS, INK, style

WAYS = {
    "plain": "jax.value_and_grad",
    "best": "jax.value_and_grad, best spelled",
    "torch": "PyTorch",
    "compiled": "torch.compile",
}
"""Each with its name in the legend."""


def draw(models: Sequence[Mapping[str, Any]], file: Path) -> None:
    """Draws a row for every model, with the quartiles of each way's ratio, and writes it as SVG."""
    from matplotlib.figure import Figure

    with style():
        figure = Figure(figsize=(9, 0.8 + 0.55 * len(models)), layout="constrained")
        axes = figure.subplots()
        axes.axvline(1, color=INK, linewidth=1)
        for row, model in enumerate(models):
            _draw_row(axes, -row, model["seconds"])
        axes.set(xscale="log", xlabel="time of a step, over that of the step by hand", ylim=(0.6 - len(models), 0.6))
        axes.set_yticks(-np.arange(len(models)), [model["name"] for model in models])
        ticks = (0.5, 1, 2, 4, 8)
        axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        axes.minorticks_off()
        handles = [axes.plot([], [], "o", color=colour, label=WAYS[way])[0] for way, colour in _colours().items()]
        figure.legend(handles=handles, loc="outside upper right", ncols=len(handles))
        figure.savefig(file, metadata={"Date": None})


def _draw_row(axes: Any, height: float, seconds: Mapping[str, Sequence[float]]) -> None:
    for way, colour in _colours().items():
        if way in seconds:
            low, middle, high = np.percentile(np.divide(seconds[way], seconds["hand"]), [25, 50, 75])
            axes.plot([low, high], [height, height], color=colour, linewidth=3, alpha=0.4)
            axes.plot(middle, height, "o", color=colour)


def _colours() -> Mapping[str, str]:
    return dict(zip(WAYS, COLOURS[1:], strict=False))
