"""What an exhibit looks like as text, as a card, and as JSON."""

import json
import re

import numpy as np
import pytest

from course.records import Exhibit
from course.show import blocks
from course.show.exhibit import exhibit_card, exhibit_text


@pytest.fixture
def exhibit():
    return Exhibit(
        "losses.q4",
        "which mistake is this?",
        417,
        "affine_bwd",
        {"f": "oddity", "step": 0.5, "x": np.array([[1.0, -2.0], [3.0, 10.0]])},
        {"x_bar": np.array([[0.25, -2.0], [3.0, 10.0]]), "b_bar": np.array([1.0, 2.0])},
        {"x_bar": np.array([[0.25, -2.0], [30.0, np.nan]]), "b_bar": np.array([1.0, 2.0])},
        {"a417": "w <b> was left out.", "b417": "The sign is wrong."},
        "A note.",
    )


def test_the_text_has_inputs_both_results_and_options(exhibit):
    assert exhibit_text(exhibit).splitlines() == [
        "which mistake is this? · losses.q4",
        "",
        "  Somebody's affine_bwd, at these inputs. A note.",
        "",
        "    f = oddity",
        "    step = 0.5",
        "    x",
        "    1  -2",
        "    3  10",
        "",
        "    x_bar, right    x_bar, theirs",
        "    0.25  -2.00      0.25  -2.00",
        "    3.00  10.00     30.00    nan",
        "",
        "    b_bar, right, and theirs is the same",
        "    1  2",
        "",
        "  What was done there?",
        "    (a417) w <b> was left out.",
        "    (b417) The sign is wrong.",
        "",
        '  Answer: course.answer("losses.q4", "a417"), with the label of your option.',
    ]


def test_the_card_marks_what_differs_and_nothing_else_and_escapes_texts(exhibit):
    card = exhibit_card(exhibit)
    assert re.findall(r'<td class="hg-wrong">(.*?)</td>', card) == ["30.00", "nan"]
    assert "w &lt;b&gt; was left out." in card
    assert 'data-exercise="losses.q4"' in card
    assert "draw 417" in card
    assert card.count("<table") == 4
    assert "<script" not in card


def test_it_shows_itself_and_goes_to_json(exhibit):
    assert str(exhibit) == exhibit_text(exhibit)
    assert exhibit._repr_html_() == exhibit_card(exhibit)
    told = json.loads(exhibit.to_json())
    assert told["theirs"]["x_bar"] == [[0.25, -2.0], [30.0, "nan"]]
    assert told["options"]["b417"] == "The sign is wrong."


def test_an_array_of_three_axes_is_shown_in_slices():
    bar = np.arange(8.0).reshape(2, 2, 2)
    shown = exhibit_text(Exhibit("a.q1", "t", 0, "f", {"bar": bar}, {"y": bar}, {"y": -bar}, {"a0": "x"}))
    assert "bar[0]    bar[1]" in shown
    assert "y[1], right    y[1], theirs" in shown


@pytest.mark.parametrize(
    ("numbers", "cells"),
    [
        ([1.0, -2.0], [["1", "-2"]]),
        ([0.12345, -12.0], [["0.12", "-12.00"]]),
        ([0.00012345, 0.0], [["0.0001234", "0"]]),
        ([-0.00001, 1.5], [["0.000", "1.500"]]),
        (3.0, [["3"]]),
        ([True, False], [["True", "False"]]),
    ],
)
def test_numbers_of_one_array_have_the_same_decimals(numbers, cells):
    assert blocks.cells(np.array(numbers)) == cells


def test_blocks_flow_into_the_width():
    flow = blocks.flowing([blocks.block(name, [["1", "2"]]) for name in ("aaaa", "bbbb", "cccc")], 12)
    assert flow == ["aaaa    bbbb", "1  2    1  2", "", "cccc", "1  2"]
