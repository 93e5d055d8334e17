"""The house style for pictures, and the picture of a training run.

Pictures have no background of their own, greys that can be read on white and on black, and the colours of Okabe and
Ito, which colour-blind readers tell apart: `HAND` for what was written by hand, `JAX` for what JAX derives.

Source: Masataka Okabe and Kei Ito, Color Universal Design (2008).
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from course.show import words

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

HAND = "#0072B2"
JAX = "#E69F00"
COLOURS = (HAND, JAX, "#009E73", "#D55E00", "#CC79A7", "#56B4E9")
INK = "#7A7A7A"
"""A grey with a contrast above 4 on white and on near-black."""

_SIZE = (8.0, 3.6)
"""Inches, to stand in a README or a notebook at full width."""
_WIDE = (11.5, 3.6)
"""Inches, for three pictures in a row."""
_TEXT_INCHES, _TEXT_COLUMNS = 4.5, 52
"""Of the place for a text beside them."""
_ONE_DECIMAL_FROM = 10
_WINDOWS = 80
"""Into how many pieces a run is cut to draw norms, which jump from step to step: a piece shows its median."""
_NAMED_LAYERS = 9
"""More than these would hide their curves."""
_DOTS = 160
"""Dots per inch of the PNG."""
_UNDER: dict[str, Any] = {"color": JAX, "linewidth": 5.0}
_OVER: dict[str, Any] = {"color": HAND, "linewidth": 1.6, "dashes": (6, 2.5)}
"""A thick light line under a thin dark dashed one: both are seen where they coincide."""
_ALONE: dict[str, Any] = {"color": HAND, "linewidth": 1.8}

_RULES: dict[Any, Any] = {
    "figure.figsize": _SIZE,
    "figure.facecolor": "none",
    "figure.dpi": 110,
    "savefig.facecolor": "none",
    "savefig.dpi": _DOTS,
    "savefig.bbox": "tight",
    "svg.hashsalt": "handgrad",
    "font.size": 10,
    "text.color": INK,
    "axes.facecolor": "none",
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "axes.prop_cycle": f"cycler(color={list(COLOURS)})",
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": INK,
    "grid.alpha": 0.22,
    "grid.linewidth": 0.6,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "lines.solid_capstyle": "round",
    "image.cmap": "cividis",
}


@dataclass(frozen=True)
class Scale:
    """How a score is told: under which name, in which unit, and how many units one is."""

    name: str
    unit: str
    units: float = 1.0

    def __str__(self) -> str:
        return f"{self.name}, {self.unit}"

    def told(self, value: float) -> str:
        """A value with its unit."""
        shown = self.units * value
        return f"{shown:{'.1f' if abs(shown) >= _ONE_DECIMAL_FROM else '.3g'}} {self.unit}"


@dataclass(frozen=True)
class Level:
    """A score to compare with: whose it is, in a few words, and the number."""

    label: str
    score: float


@dataclass(frozen=True)
class TrainingCurves:
    """One training run: `losses` and the `norms` of each layer's gradient by step.

    `scores` were taken after `score_steps`; `step_seconds` is the median time of a step.
    """

    label: str
    losses: np.ndarray
    scores: np.ndarray
    score_steps: np.ndarray
    step_seconds: float
    norms: Mapping[str, np.ndarray] = field(default_factory=dict)


@contextmanager
def style() -> Iterator[None]:
    """The house style for every figure made, or saved, inside the `with`.

    No other setting is put back at its end, as `rc_context` does: where the first figure is made inside, a notebook
    becomes interactive there, and must stay so, or it shows no later figure without `plt.show()`.
    """
    from matplotlib import rcParams

    before = {name: rcParams[name] for name in _RULES}
    rcParams.update(_RULES)
    try:
        yield
    finally:
        rcParams.update(before)


def save(figure: Figure, stem: Path | str) -> tuple[Path, Path]:
    """Writes `stem`.png and `stem`.svg, the same bytes for the same figure, and returns their paths."""
    png, svg = (Path(f"{stem}.{kind}") for kind in ("png", "svg"))
    png.parent.mkdir(parents=True, exist_ok=True)
    with style():
        figure.savefig(png, metadata={"Software": None})
        figure.savefig(svg, metadata={"Date": None})
    return png, svg


def training_figure(
    runs: Sequence[TrainingCurves],
    scale: Scale,
    level: Level | None = None,
    *,
    title: str = "",
    caption: str = "",
    sample: str = "",
) -> Figure:
    """Draws loss, score and the gradient's norm by layer, by step, of one run or of two that should coincide.

    Two runs are drawn over each other, the first on top, with the difference of their losses in an inset; the norms are
    those of the first. A `level` is a line across the scores. Beside them stands what was learned to write, `sample`,
    " / " for a line's end, and under them the time per step and the score of each, and `caption`.
    """
    from matplotlib.figure import Figure

    with style():
        width, height = _WIDE
        figure = Figure(figsize=(width + bool(sample) * _TEXT_INCHES, height), layout="constrained")
        left, middle, right, *beside = figure.subplots(
            1, 3 + bool(sample), width_ratios=[width / 3] * 3 + [_TEXT_INCHES] * bool(sample)
        )
        _draw(left, runs, [(np.arange(1, 1 + len(run.losses)), run.losses) for run in runs])
        left.set(title="loss", xlabel="step", ylim=(0, None))
        left.legend(loc="upper right")
        _draw(middle, runs, [(run.score_steps, scale.units * np.asarray(run.scores)) for run in runs])
        middle.set(title=f"test {scale}", xlabel="step", xlim=left.get_xlim())
        if level:
            middle.axhline(scale.units * level.score, color=INK, linestyle=":", label=level.label)
            middle.legend(handles=[middle.lines[-1]], loc="upper right")
        _draw_norms(right, runs[0])
        for axes in beside:
            _write(axes, sample)
        if len(runs) == 2:
            _draw_difference(left, runs[0], runs[1])
        figure.suptitle(title, x=0.01, ha="left", weight="bold")
        figure.supxlabel("\n".join(filter(None, (_summary(runs, scale), caption))), x=0.01, ha="left", fontsize=10)
    return figure


def _draw_norms(axes: Axes, run: TrainingCurves) -> None:
    """Draws how large the gradient of each layer was."""
    for name, norms in run.norms.items():
        pieces = np.array_split(norms, min(len(norms), _WINDOWS))
        axes.semilogy(np.cumsum([len(piece) for piece in pieces]), [np.median(piece) for piece in pieces], label=name)
    axes.set(title="norm of the gradient", xlabel="step")
    if 0 < len(run.norms) <= _NAMED_LAYERS:
        axes.legend(loc="best", fontsize=8)


def _draw(axes: Axes, runs: Sequence[TrainingCurves], curves: Sequence[tuple[np.ndarray, np.ndarray]]) -> None:
    """Draws curves over each other, the first on top."""
    looks = (_OVER, _UNDER) if len(curves) > 1 else (_ALONE,)
    for order, (run, (steps, values), look) in enumerate(zip(runs, curves, looks, strict=True)):
        axes.plot(steps, values, label=run.label, zorder=3 - order, **look)


def _write(axes: Axes, sample: str) -> None:
    """Writes a text, in lines that fit."""
    lines = [fitting for line in sample.split(" / ") for fitting in textwrap.wrap(line, _TEXT_COLUMNS) or [""]]
    axes.set_axis_off()
    axes.set_title("it writes")
    axes.text(0, 1, "\n".join(lines), va="top", fontsize=9, family="serif", transform=axes.transAxes)


def _draw_difference(axes: Axes, one: TrainingCurves, other: TrainingCurves) -> None:
    """Draws the difference of two runs' losses in an inset, on a logarithmic scale."""
    steps = min(len(one.losses), len(other.losses))
    difference = np.abs(np.asarray(one.losses)[:steps] - np.asarray(other.losses)[:steps])
    inset = axes.inset_axes((0.48, _free_height(one.losses / axes.get_ylim()[1]), 0.5, 0.25))
    inset.tick_params(labelsize=7)
    if not difference.any():
        inset.set(xticks=[], yticks=[])
        inset.text(0.5, 0.5, "no difference at all", ha="center", va="center", transform=inset.transAxes, fontsize=8)
    else:
        inset.semilogy(np.arange(1, steps + 1), np.where(difference > 0, difference, np.nan), color=INK, linewidth=0.8)
    inset.set_title(f"their difference, at most {words.error(float(difference.max()))}", fontsize=8, loc="left")


def _free_height(curve: np.ndarray) -> float:
    """Where an inset begins that leaves the right half of a curve free: under one that stays high, else above it."""
    if np.min(curve) > 0.4:
        return 0.08
    return float(np.clip(np.max(curve[len(curve) // 2 :]) + 0.1, 0.33, 0.47))


def _summary(runs: Sequence[TrainingCurves], scale: Scale) -> str:
    return "     ".join(
        f"{run.label}: {words.seconds(run.step_seconds)} a step, {scale.name} {scale.told(float(run.scores[-1]))}"
        for run in runs
    )
