"""Claims about the demo that learns to write like a play, its text, and what it has to beat."""

from importlib.resources import files

import jax
import numpy as np
import pytest

from course.training.alphabet import ids_of, text_of
from course.training.gpt import DEMO, by_counting, learning_rate, sample
from course.training.pair import compare_on_network, find_pair
from course.training.play import ALPHABET, SEQ, STRIDE, play


@pytest.fixture(scope="module")
def splits():
    return play()


@pytest.fixture(scope="module")
def text():
    return (files("course.training") / "texts" / "hamlet.txt").read_text(encoding="utf-8")


def test_the_alphabet_is_that_of_the_play(text):
    assert "".join(sorted(set(text))) == ALPHABET
    assert "To be, or not to be, that is the Question:" in text


def test_a_row_is_followed_by_itself_a_place_further(splits, text):
    ids, labels = splits.train
    assert np.array_equal(ids[:, 1:], labels[:, :-1])
    assert text_of(ALPHABET, [*ids[100], labels[100][-1]]) in text
    assert np.array_equal(ids_of(ALPHABET, text_of(ALPHABET, ids[100])), ids[100])


def test_rows_to_learn_from_overlap_and_those_to_test_on_do_not(splits, text):
    assert np.array_equal(splits.train[0][0, STRIDE:], splits.train[0][1, :-STRIDE])
    assert np.array_equal(splits.test[1][0, -1:], splits.test[0][1, :1])
    whole = len(text) // (8 * SEQ + 1)
    assert sum(len(part[0]) for part in play(stride=SEQ)) == 8 * whole


def test_no_row_to_test_on_is_among_those_to_learn_from(splits):
    seen = {row.tobytes() for row in splits.train[0]}
    assert not any(row.tobytes() in seen for row in splits.test[0])


def test_by_counting_each_character_takes_about_two_and_a_half_bits(splits):
    level = by_counting(splits)
    assert level.label == "counting, 4 back"
    assert 2.5 < level.score < 2.6
    assert DEMO.score.aim < level.score


def test_the_learning_rate_rises_and_falls_to_the_last_step():
    rates = np.asarray(learning_rate(DEMO.settings)(np.arange(1 + DEMO.settings.steps)))
    assert rates[0] == 0
    assert rates.argmax() == 50
    assert rates.max() == pytest.approx(DEMO.settings.lr)
    assert rates[-1] == pytest.approx(0.05 * DEMO.settings.lr)


def test_the_pair_agrees_with_jax_on_this_network(splits):
    comparison = compare_on_network(find_pair(DEMO), splits)
    assert comparison.agrees
    assert max(array.reverse for array in comparison.arrays) < 1e-9
    assert len(comparison.arrays) == 24


def test_a_sample_is_a_line_that_the_key_decides():
    params = DEMO.init(jax.random.key(0))
    line = sample(params, jax.random.key(1))
    assert "\n" not in line
    assert line == sample(params, jax.random.key(1))
    assert line != sample(params, jax.random.key(2))


@pytest.mark.slow
def test_the_default_settings_write_as_well_as_is_stated(default_score):
    assert DEMO.score.reached(default_score(DEMO))
