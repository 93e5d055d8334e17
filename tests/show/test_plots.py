"""Claims about the pictures."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from matplotlib.figure import Figure

from course.show.plots import HAND, JAX, Level, Scale, TrainingCurves, save, style, training_figure
from tests.show import samples

LOSSES = np.exp(-np.arange(40) / 9)
ACCURACIES, LOOKS = 1 - np.exp(-np.arange(1, 6)), 8 * np.arange(1, 6)
NORMS = {"layers[0]": 3 * LOSSES, "layers[1]": LOSSES}
SCALE = Scale("accuracy", "%", 100)
BY_HAND = TrainingCurves("by hand", LOSSES, ACCURACIES, LOOKS, 2.1e-4, NORMS)
BY_JAX = TrainingCurves("jax.value_and_grad", LOSSES + 1e-9, ACCURACIES, LOOKS, 2.0e-4)


def test_curves_that_coincide_are_both_seen() -> None:
    loss = training_figure([BY_HAND, BY_JAX], SCALE).axes[0]
    over, under = loss.lines
    assert (over.get_color(), under.get_color()) == (HAND, JAX)
    assert over.get_zorder() > under.get_zorder()
    assert over.get_linewidth() < under.get_linewidth() / 2
    assert over.is_dashed()
    assert not under.is_dashed()


def test_the_difference_of_two_runs_is_in_an_inset() -> None:
    inset: Any = training_figure([BY_HAND, BY_JAX], SCALE).axes[0].child_axes[0]
    assert inset.get_title(loc="left") == "their difference, at most 1e-9"
    assert inset.get_yscale() == "log"


def test_runs_that_are_equal_to_the_bit_say_so() -> None:
    (inset,) = training_figure([BY_HAND, BY_HAND], SCALE).axes[0].child_axes
    assert [text.get_text() for text in inset.texts] == ["no difference at all"]


def test_the_caption_has_times_and_accuracies() -> None:
    figure = training_figure([BY_HAND, BY_JAX], SCALE, caption="61 lines by hand")
    caption = figure.get_supxlabel()
    assert "by hand: 210 µs a step, accuracy 99.3 %" in caption
    assert "jax.value_and_grad: 200 µs a step" in caption
    assert caption.endswith("61 lines by hand")


def test_scores_stand_at_the_steps_after_which_they_were_taken() -> None:
    loss, scores, _ = training_figure([BY_HAND], SCALE).axes
    assert list(scores.lines[0].get_xdata()) == list(LOOKS)
    assert scores.get_xlim() == loss.get_xlim()


def test_what_was_learned_to_write_stands_beside_the_curves_in_its_lines() -> None:
    *_, words = training_figure([BY_HAND], SCALE, sample="Ham. " + "what, " * 20 + "/ Hor. My Lord?").axes
    lines = words.texts[0].get_text().splitlines()
    assert lines[0].startswith("Ham. what, what,")
    assert lines[-1] == "Hor. My Lord?"
    assert len(lines) == 4


@pytest.mark.parametrize("size", [1.0, 0.3, 0.01])
def test_the_inset_leaves_the_curve_free(size: float) -> None:
    losses = np.r_[1.0, np.full(39, size)]
    runs = [TrainingCurves(label, losses, ACCURACIES, LOOKS, 1e-3) for label in "ab"]
    loss = training_figure(runs, SCALE).axes[0]
    bottom = loss.child_axes[0].get_position().y0
    top = loss.child_axes[0].get_position().y1
    height = size / loss.get_ylim()[1]
    assert not bottom - 0.02 < height < top + 0.02


def test_each_layer_has_its_curve_of_norms() -> None:
    norms = training_figure([BY_HAND], SCALE).axes[2]
    assert [line.get_label() for line in norms.lines] == list(NORMS)
    assert np.allclose(norms.lines[0].get_ydata(), NORMS["layers[0]"])
    assert norms.get_yscale() == "log"


def test_a_level_is_a_line_across_the_scores_in_their_unit() -> None:
    scores = training_figure([BY_HAND], SCALE, Level("counting", 0.5)).axes[1]
    line = scores.lines[-1]
    assert set(line.get_ydata()) == {50.0}
    assert [text.get_text() for text in scores.get_legend().texts] == ["counting"]


@pytest.mark.parametrize(
    ("scale", "value", "told"),
    [
        (SCALE, 0.9783, "97.8 %"),
        (SCALE, 1.0, "100.0 %"),
        (SCALE, 0.000444, "0.0444 %"),
        (Scale("bits", "bits"), 2.1649, "2.16 bits"),
    ],
)
def test_a_score_is_told_in_its_unit_with_three_digits(scale: Scale, value: float, told: str) -> None:
    assert scale.told(value) == told


def test_one_run_is_drawn_alone_and_solid() -> None:
    loss = training_figure([BY_JAX], SCALE).axes[0]
    (line,) = loss.lines
    assert not line.is_dashed()
    assert not loss.child_axes


def test_a_picture_is_saved_twice_with_the_same_bytes(tmp_path: Path) -> None:
    with style():
        figure = Figure(figsize=(1, 1))
        figure.subplots().plot(LOSSES)
    png, svg = save(figure, tmp_path / "new folder" / "digits")
    assert (png.suffix, svg.suffix) == (".png", ".svg")
    before = png.read_bytes(), svg.read_bytes()
    save(figure, tmp_path / "new folder" / "digits")
    assert before == (png.read_bytes(), svg.read_bytes())
    assert before[0].startswith(b"\x89PNG")
    assert b"http://www.w3.org/2000/svg" in before[1]


def test_the_style_ends_with_its_block() -> None:
    import matplotlib as mpl

    before = mpl.rcParams["axes.edgecolor"]
    with style():
        assert mpl.rcParams["axes.edgecolor"] != before
    assert mpl.rcParams["axes.edgecolor"] == before


def test_a_setting_that_is_not_the_style_s_own_outlives_its_block(monkeypatch: pytest.MonkeyPatch) -> None:
    import matplotlib as mpl

    monkeypatch.setitem(mpl.rcParams, "interactive", False)
    with style():
        mpl.interactive(True)
    assert mpl.is_interactive()


def test_a_notebook_whose_first_figure_is_in_style_shows_the_next_one_too() -> None:
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    styled = "from course.show.plots import style\nimport matplotlib.pyplot as plt\nwith style():\n    plt.plot([1, 2])"
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in (styled, "plt.plot([2, 1]);")])
    nbclient.NotebookClient(made, timeout=300, resources={"metadata": {"path": str(samples.ROOT)}}).execute()
    assert "image/png" in made.cells[1].outputs[0].data


def test_no_global_state_of_pyplot_is_touched() -> None:
    code = "import sys; from course.show.plots import *\n"
    code += "training_figure([TrainingCurves('by hand', [1.0], [1.0], [1], 1e-3)], Scale('accuracy', '%', 100))\n"
    code += "assert 'matplotlib.pyplot' not in sys.modules"
    run = subprocess.run([sys.executable, "-c", code], cwd=samples.ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
