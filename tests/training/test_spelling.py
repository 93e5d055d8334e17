"""Claims about the demos that learn to spell, their names, and what they have to beat."""

import jax
import numpy as np
import pytest

from course.lessons.losses import IGNORED
from course.training import char_lstm, char_rnn
from course.training.alphabet import text_of
from course.training.char_rnn import ALPHABET, NAMES, by_counting
from course.training.names import DOT, first_names, spell
from course.training.ngram import what_follows
from course.training.pair import compare_on_network, find_pair

DEMOS = (char_rnn.DEMO, char_lstm.DEMO)
DEMO = pytest.mark.parametrize("demo", DEMOS, ids=lambda demo: demo.name)


@pytest.fixture(scope="module")
def splits():
    return first_names()


def test_every_name_stands_once_and_begins_and_ends_with_a_dot(splits):
    ids = np.concatenate([part[0] for part in splits])
    names = [spell(row[1:]) for row in ids]
    assert len(names) == len(set(names)) == 5163
    assert {"ada", "grace", "alan"} <= set(names)
    assert (ids[:, 0] == DOT).all()


def test_labels_are_what_follows_up_to_the_dot_that_ends_a_name(splits):
    ids, labels = splits.test
    for row, after in zip(ids[:50], labels[:50], strict=True):
        name = spell(row[1:])
        assert text_of(ALPHABET, (label for label in after if label != IGNORED)) == name + "."
        assert (after[len(name) + 1 :] == IGNORED).all()


def test_what_follows_has_a_line_for_each_character_that_counts(splits):
    pairs = what_follows(ALPHABET, *splits.validation)
    assert len(pairs) == (splits.validation[1] != IGNORED).sum()
    assert all(before.startswith(".") for before, _ in pairs)


def test_by_counting_each_character_takes_about_three_bits(splits):
    level = by_counting(splits)
    assert level.label == "counting, 3 back"
    assert 2.8 < level.score < 3.1
    assert all(demo.score.aim < level.score for demo in DEMOS)


@DEMO
def test_the_pair_agrees_with_jax_on_this_network(demo, splits):
    comparison = compare_on_network(find_pair(demo), splits)
    assert comparison.agrees
    assert len(comparison.arrays) == 6


@DEMO
def test_a_sample_is_a_line_of_names_that_the_key_decides(demo):
    params = demo.init(jax.random.key(0))
    line = demo.sample(params, jax.random.key(1))
    assert len(line.split(" ")) == NAMES
    assert line == demo.sample(params, jax.random.key(1))
    assert line != demo.sample(params, jax.random.key(2))


@pytest.mark.slow
@DEMO
def test_the_default_settings_spell_as_well_as_is_stated(demo, default_score):
    assert demo.score.reached(default_score(demo))
