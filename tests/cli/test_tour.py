"""The tour: what it shows is found out at that moment."""

import dataclasses
import io

import pytest
from click.testing import CliRunner
from rich.console import Console

from course.cli import tour_example
from course.cli.tour import tour
from course.cli.tour_example import find_example
from course.training.mlp import DEMO
from tests.cli.learner import folder


@pytest.fixture
def without_answers(monkeypatch):
    """As in an installed wheel."""
    monkeypatch.setattr(tour_example, "this_checkout", lambda: None)


@pytest.fixture
def take(monkeypatch, tmp_path):
    """Takes the tour, with a shorter training."""
    epoch = dataclasses.replace(DEMO.settings, steps=18)
    monkeypatch.setattr("course.training.mlp.DEMO", dataclasses.replace(DEMO, settings=epoch))
    monkeypatch.chdir(tmp_path)

    def run():
        result = CliRunner().invoke(tour, [], catch_exceptions=False, standalone_mode=False)
        return " ".join(result.output.split())

    return run


def _printed(show):
    console = Console(file=io.StringIO(), width=80)
    show(console)
    return console.file.getvalue()


def test_the_wrong_line_is_found_and_named():
    show, comparison = find_example().judge(right=False)
    assert not comparison.agrees
    assert "transposed" in _printed(show)


def test_the_mended_line_is_right():
    _, comparison = find_example().judge(right=True)
    assert comparison.agrees


def test_the_two_lines_differ_and_nothing_else_does():
    example = find_example()
    wrong, right = (example.source(line).splitlines() for line in (example.wrong_line, example.right_line))
    assert sum(one != other for one, other in zip(wrong, right, strict=True)) == 1


def test_the_tour_trains_twice_to_the_same_curve_and_leaves_a_picture(take, tmp_path):
    printed = take()
    assert "equal to rounding" in printed
    assert "jax.jacfwd" in printed
    assert (tmp_path / "tour" / "curves.png").stat().st_size > 1000
    assert (tmp_path / "tour" / "curves.svg").read_text().lstrip().startswith("<?xml")
    assert "Next course start work" in printed


def test_in_a_learners_folder_with_nothing_written_the_tour_shows_the_course_s_own_answers(take, tmp_path):
    folder(tmp_path, "def mlp_loss_fwd(params, x, labels):\n    raise NotImplementedError\n")
    printed = take()
    assert "equal to rounding" in printed
    assert "Next course start work" in printed


def test_without_answers_the_tour_says_so_and_uses_its_own_example(without_answers, take):
    printed = take()
    assert "not installed here" in printed
    assert "scale_bar is wrong" in printed
    assert "jax.value_and_grad alone" in printed
