"""Claims about guessing by counting, held against sums done on paper."""

import math

import pytest

from course.training.ngram import best_by_counting

ABAB = [("", "a"), ("a", "b"), ("ab", "a"), ("aba", "b")]


def test_without_looking_back_a_character_s_chance_is_its_share_and_that_of_what_was_never_seen():
    # a and b were seen twice each, out of four, and two kinds at all: (2 + 2 * 1/4) / (4 + 2)
    found = best_by_counting(ABAB, [("", "a")], [("", "a"), ("", "b")], symbols=4)
    assert found.characters == 0
    assert found.bits == pytest.approx(-math.log2(2.5 / 6))


def test_looking_back_pays_where_what_follows_hangs_on_what_was_before():
    # after a came b twice and nothing else: (2 + 1 * 2.5/6) / (2 + 1)
    found = best_by_counting(ABAB, [("a", "b")], [("a", "b")], symbols=4)
    assert found.characters == 1
    assert found.bits == pytest.approx(-math.log2((2 + 2.5 / 6) / 3))


def test_after_what_was_never_seen_the_guess_is_that_of_its_end():
    ends = best_by_counting(ABAB, [("za", "b")], [("za", "b")], symbols=4)
    assert ends.bits == pytest.approx(-math.log2((2 + 2.5 / 6) / 3))


def test_what_was_never_seen_at_all_has_a_chance():
    found = best_by_counting(ABAB, [("", "a")], [("", "z")], symbols=4)
    assert found.bits == pytest.approx(-math.log2((0 + 2 / 4) / 6))


def test_the_chances_of_all_characters_add_up_to_one():
    bits = [best_by_counting(ABAB, [("a", "b")], [("a", character)], symbols=4).bits for character in "abyz"]
    assert sum(2**-one for one in bits) == pytest.approx(1)
