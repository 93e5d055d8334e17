"""Claims about what is said of a run; the numbers are made up."""

import dataclasses
import io

import numpy as np
import pytest
from rich.console import Console

from course.show.plots import TrainingCurves
from course.training.mlp import DEMO
from course.training.report import Praise, print_results, save_picture
from course.training.results import HAND, JAX, Difference, Ratio, Results, difference_of, ratio_of

CURVE = np.array([2.0, 1.0, 0.5])


def results(difference, dtype="float64"):
    curves = {
        name: TrainingCurves(name, CURVE, np.array([0.5, 0.98]), np.array([1, 3]), 1e-4, {"layers[0]": CURVE})
        for name in (HAND, JAX)
    }
    settings = dataclasses.replace(DEMO.settings, dtype=dtype)
    return Results(DEMO, settings, curves, {HAND: 0.98, JAX: 0.98}, difference, Ratio(0.9, 1.02, 1.1, 60))


def printed(shown, **options):
    console = Console(file=io.StringIO(), width=80, **options)
    print_results(console, shown)
    return " ".join(console.file.getvalue().split())


def test_the_largest_difference_is_found_with_its_step_counted_from_one():
    assert difference_of(CURVE, CURVE + np.array([0, 1e-12, 0]), "float64") == Difference(
        pytest.approx(1e-12, rel=1e-3), 2, rounding=True
    )


def test_what_is_rounding_in_float32_is_none_in_float64():
    other = CURVE + np.array([0, 0, 1e-6])
    assert difference_of(CURVE, other, "float32").rounding
    assert not difference_of(CURVE, other, "float64").rounding


def test_a_curve_that_is_no_number_is_not_called_equal():
    assert not difference_of(CURVE, np.array([2.0, np.nan, 0.5]), "float64").rounding


def test_one_slow_turn_does_not_change_the_ratio():
    ratio = ratio_of((1.0, 1.1, 50.0, 1.0, 1.1), (1.0, 1.0, 50.0, 1.0, 1.0))
    assert ratio.median == 1.0
    assert ratio.turns == 5


def test_equal_curves_are_called_equal_to_rounding():
    text = printed(results(Difference(4.4e-16, 4, rounding=True)))
    assert "equal to rounding: at most 4.4e-16 apart (step 4)" in text
    assert "test accuracy 98.0 % 98.0 %" in text
    assert "1.02× the time" in text


def test_curves_that_differ_are_called_so():
    assert "The two curves are not equal" in printed(results(Difference(0.1, 4, rounding=False)))


def test_curves_that_part_in_float32_are_sent_to_float64():
    assert "--dtype float64" in printed(results(Difference(1e-3, 4, rounding=False), "float32"))


def test_an_ascii_terminal_gets_the_same_words():
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii", errors="strict")
    print_results(Console(file=stream, width=80), results(Difference(0.0, 1, rounding=True)))
    stream.seek(0)
    assert "1.02x the time" in stream.read()


def test_praise_has_lines_agreement_and_speed():
    praise = Praise(18, 2.9e-16, Ratio(0.9, 0.8, 1.1, 20))
    assert str(praise) == "18 lines by hand, no autodiff · agrees to 2.9e-16 · 1.25× jax.grad's speed"


def test_the_picture_shows_the_praise(tmp_path):
    praise = Praise(18, 2.9e-16, Ratio(0.9, 0.8, 1.1, 20))
    png, svg = save_picture(results(Difference(0.0, 1, rounding=True)), tmp_path, praise)
    assert png.stat().st_size > 10_000
    assert svg.read_text(encoding="utf-8").startswith("<?xml")
