"""Claims about a folder that is watched: only what was saved is read, and only what changed is judged."""

import os

import pytest

from course.grading.watched import Watched
from course.records import Status
from tests.cli.learner import RELU, RIGHT, WRONG, folder

OTHERS = "linear_and_activations.tanh"


@pytest.fixture
def place(tmp_path):
    return folder(tmp_path, WRONG)


def save(place, text, name="work.py"):
    file = place / name
    file.write_text(text, encoding="utf-8")
    stamp = file.stat().st_mtime_ns + 1_000_000  # two saves within one tick of the clock
    os.utime(file, ns=(stamp, stamp))


def test_nothing_changed_until_an_answer_does(place):
    watched = Watched(place)
    assert watched.changed() == []
    save(place, WRONG + "\n# a comment\n")
    assert watched.changed() == []
    save(place, RIGHT)
    assert watched.changed() == [RELU]
    assert watched.changed() == []


def test_an_answer_that_another_file_imports_changes_with_its_own_text_alone(place):
    save(place, "from course.answers import relu_bwd\n", "later.py")
    watched = Watched(place)
    save(place, WRONG + "\n# a comment\n")
    assert watched.changed() == []
    save(place, RIGHT)
    assert watched.changed() == [RELU]


def test_what_was_saved_before_another_exercise_was_judged_has_changed(place):
    watched = Watched(place)
    save(place, RIGHT)
    watched.judge(OTHERS, early=print)
    assert watched.changed() == [RELU]


def test_it_is_judged_as_it_is_now(place):
    watched = Watched(place)
    early = []
    assert watched.judge(RELU, early=early.append).status is Status.WRONG
    save(place, RIGHT)
    assert watched.judge(RELU, early=early.append).status is Status.RIGHT


def test_a_lesson_stands_for_its_first_exercise_that_is_not_right(place):
    save(place, RIGHT)
    watched = Watched(place)
    assert watched.judge("linear_and_activations", early=print).exercise == RELU
    assert watched.judge("linear_and_activations", early=print).exercise != RELU


def test_a_file_that_cannot_be_read_stops_nothing_else(place):
    watched = Watched(place)
    save(place, "def relu_fwd(:\n", "broken.py")
    save(place, RIGHT)
    assert watched.changed() == [RELU]
    assert watched.judge(RELU, early=print).status is Status.RIGHT


def test_a_hint_more_comes_each_time(place):
    watched = Watched(place)
    (first, most), (second, _) = watched.hints(RELU), watched.hints(RELU)
    assert (len(first), len(second), most) == (1, 2, 3)
