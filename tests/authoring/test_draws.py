"""Claims about the draw in a hand-out: each folder has its own, every file of it the same, and it stays."""

import json
import re

import pytest

from course.answers import MARKER
from course.authoring.checkout import lesson_of
from course.authoring.draws import draw_in, with_draw
from course.authoring.reset import reset
from course.authoring.start import start
from course.grading import Submission
from course.grading.attempts import Attempts

CALL = 'course.show_mistake("losses.q4", draw=0)'


def draws_of(folder):
    """The draws of a folder's files that show a mistake, by lesson."""
    found = {lesson_of(place): draw_in(place.read_text()) for place in folder.iterdir() if place.name[0] != "."}
    return {lesson: draw for lesson, draw in found.items() if draw is not None}


@pytest.mark.parametrize("text", [CALL, json.dumps(CALL), f"x = 1\n{CALL}\n"])
def test_a_draw_is_written_and_read_in_python_and_in_json(text):
    assert draw_in(text) == 0
    assert draw_in(with_draw(text, 417)) == 417
    assert with_draw(with_draw(text, 417), 0) == text


def test_a_text_without_what_is_shown_has_no_draw():
    assert draw_in("course.answer('losses.q4', 'b417')") is None


@pytest.mark.parametrize("files", [False, True])
def test_every_file_of_a_folder_has_the_folders_own_draw_and_is_otherwise_as_made(tmp_path, files):
    start(tmp_path / "one", files)
    start(tmp_path / "other", files)
    one, other = draws_of(tmp_path / "one"), draws_of(tmp_path / "other")
    (own,) = set(one.values())
    assert own in range(1000, 10_000)
    assert set(other.values()) == {Attempts(tmp_path / "other").draw(0)}
    assert json.loads((tmp_path / "one" / MARKER).read_text())["draw"] == own
    for place in (tmp_path / "one").glob("0*"):
        again = (tmp_path / "other" / place.name).read_text()
        assert with_draw(place.read_text(), 0) == with_draw(again, 0)


def test_a_lesson_that_is_added_later_gets_the_same_draw(tmp_path):
    start(tmp_path)
    before = draws_of(tmp_path)
    next(tmp_path.glob("*_losses.ipynb")).unlink()
    start(tmp_path)
    assert draws_of(tmp_path) == before


def test_a_teacher_says_which_draw_a_hand_out_has(tmp_path):
    start(tmp_path, draw=2027)
    assert set(draws_of(tmp_path).values()) == {2027}


def test_a_reset_keeps_the_draw_of_the_file(tmp_path):
    start(tmp_path, files=True, draw=17)
    file = next(tmp_path.glob("*_losses.py"))
    fresh = file.read_text()
    file.write_text(re.sub(r'"losses.q4", \.\.\.', '"losses.q4", "b17"', fresh))
    reset(file, "losses")
    assert file.read_text() == fresh


def test_in_a_plain_file_what_is_shown_stands_between_question_and_answer(tmp_path):
    start(tmp_path, files=True, draw=17)
    text = next(tmp_path.glob("*_losses.py")).read_text()
    assert '\ncourse.show_mistake("losses.q4", draw=17)\ncourse.answer("losses.q4", ...)\n' in text
    assert Submission.read(next(tmp_path.glob("*_losses.py"))).find_answer("losses.q4").fault.kind == "not_started"
