"""What is counted of the corpus: who is told what, and that nobody is told what is false."""

import pytest

from evidence import corpus
from evidence.corpus import complaints, summary

MISTAKE, OTHER, RIGHT, WHERE = ["mistake", "mean lost"], ["mistake", "half lost"], ["right", ""], ["where", ""]


@pytest.mark.parametrize(
    "expected, first, second, count",
    [
        (MISTAKE, MISTAKE, MISTAKE, 0),
        (MISTAKE, OTHER, MISTAKE, 1),
        (MISTAKE, MISTAKE, OTHER, 1),
        (MISTAKE, MISTAKE, WHERE, 0),
        (MISTAKE, RIGHT, RIGHT, 2),
        (RIGHT, RIGHT, RIGHT, 0),
        (RIGHT, RIGHT, WHERE, 1),
        (["line", "mu"], ["line", "through mu"], ["line", "through mu"], 0),
    ],
)
def test_what_is_not_told_and_what_is_false_is_complained_of(expected, first, second, count):
    assert len(complaints({"a.b": [["an answer", expected, first, second]]})) == count


def test_the_counts_tell_refused_from_told():
    rows = [["one", MISTAKE, MISTAKE, MISTAKE], ["two", MISTAKE, WHERE, WHERE], ["three", RIGHT, RIGHT, RIGHT]]
    assert summary({"a.b": rows})["a.b"] == {
        "wrong": 2,
        "refused": 2,
        "told": 1,
        "tiers": {"mistake": 1, "where": 1},
        "mistakes": {"mean lost": 1},
        "accepted": ["three"],
    }


def test_every_exercise_of_the_corpus_is_a_piece_of_work():
    assert {piece.name for piece in corpus.pieces()} == {answer.exercise for answer in corpus.all_answers()}
