"""Claims about questions in one's own words: no surface takes an answer for right or wrong, none gives points."""

import json
from pathlib import Path

import pytest

from course.authoring.notebook import question_text
from course.cli import main
from course.exercises import find_exercise, papers
from course.exercises.tasks.free_text import READ_IT, FreeText
from course.exercises.tasks.which_mistake import WhichMistake
from course.grading import Submission, judge
from course.grading.attempts import Attempt, Attempts
from course.records import Status
from course.show import faces
from course.show.card import verdict_card
from course.show.terminal import overview_text, verdict_text

TEXTS = [e for paper in papers() for e in paper.exercises if isinstance(e.task, FreeText)]
ASKED = find_exercise("losses.text")
SOLUTIONS = Path(__file__).parents[2] / "solutions"


def judged(value, exercise=ASKED):
    return judge(exercise, Submission.of(**{exercise.name: value}))


@pytest.fixture(scope="module")
def handed_in():
    return judged("Because of the logarithm.")


def test_every_lesson_of_ours_that_asks_for_a_text_asks_one_just_before_the_last_question():
    assert len(TEXTS) >= 12
    for exercise in TEXTS:
        *_, before, last = next(paper for paper in papers() if paper.lesson == exercise.lesson).exercises
        assert before is exercise
        assert isinstance(last.task, WhichMistake)
        assert exercise.name == f"{exercise.lesson}.text"


@pytest.mark.parametrize("exercise", TEXTS, ids=lambda exercise: exercise.name)
def test_a_rubric_has_three_to_five_points_and_no_machine_gives_any(exercise):
    assert 3 <= len(exercise.task.rubric) <= 5
    assert all(criterion.points > 0 for criterion in exercise.task.rubric)
    assert exercise.points == 0
    assert not exercise.required


def test_our_own_texts_are_handed_in():
    submission = Submission.read(SOLUTIONS)
    for exercise in TEXTS:
        assert judge(exercise, submission).status is Status.HANDED_IN


def test_a_text_is_neither_right_nor_wrong_and_gives_nothing(handed_in):
    assert handed_in.status is Status.HANDED_IN
    assert not handed_in.right
    assert handed_in.done
    assert (handed_in.points, handed_in.possible, handed_in.counts) == (0, 0, False)


def test_the_rubric_is_shown_whole_and_only_once_a_text_is_handed_in(handed_in):
    points = [criterion.text for criterion in ASKED.task.rubric]
    for surface in (verdict_text(handed_in), verdict_card(handed_in)):
        flat = " ".join(surface.split())
        assert all(point.split(":")[0] in flat for point in points)
        assert READ_IT.split(".")[0] in flat
    assert not any(point in question_text(ASKED) for point in points)
    assert not any(point in verdict_text(judged(...)) for point in points)


def test_it_has_a_face_of_its_own_on_every_surface(handed_in):
    text, card = verdict_text(handed_in), verdict_card(handed_in)
    assert text.startswith("✎ a first loss of 9.2   handed in")
    assert "0/0" not in text
    assert ">0/0<" not in card
    assert 'data-status="handed_in"' in card
    assert json.loads(handed_in.to_json())["status"] == "handed_in"
    assert faces.of_verdict(handed_in) not in (faces.RIGHT, faces.WRONG)


def test_an_overview_counts_it_among_nothing(handed_in):
    right = judge(find_exercise("losses.q1"), Submission.of(**{"losses.q1": 0.0}))
    for verdicts in ([right, handed_in], [right, judged(...)]):
        assert "1 of 1 points  1 of 1 right" in overview_text(verdicts)


@pytest.mark.parametrize("value", [3, None, ["text"]])
def test_what_is_no_text_is_said_to_be_none(value):
    assert judged(value).status is Status.WRONG
    assert "Answer with a text" in judged(value).lines[0]


@pytest.mark.parametrize("value", [..., "", "  \n"])
def test_nothing_is_not_handed_in(value):
    assert judged(value).status is Status.NOT_STARTED


def test_what_comes_next_goes_past_a_text_that_is_handed_in(handed_in, tmp_path, monkeypatch, capsys):
    (tmp_path / ".handgrad.json").write_text('{"schema": 1}')
    attempts = Attempts(tmp_path)
    attempts.keep(handed_in, "hash")
    stands = Attempts(tmp_path).of("losses.text")
    assert (stands.right, stands.done, stands.attempts) == (False, True, 0)
    assert handed_in.next.endswith("(losses.q4)")
    assert not Attempt(status="wrong").done


def test_course_check_takes_a_text_for_no_failure_beside_what_is_right(tmp_path, monkeypatch, capsys):
    text = SOLUTIONS.joinpath("losses.py").read_text()
    unstarted = text[: text.rindex("course.answer(")] + 'course.answer("losses.text", ...)\n'
    (tmp_path / "losses.py").write_text(unstarted)
    words = ["check", "losses.text", "--submission", str(tmp_path / "losses.py")]
    assert main(words) == 1
    (tmp_path / "losses.py").write_text('import course\ncourse.answer("losses.text", "Mine.")\n')
    assert main(words) == 0
    capsys.readouterr()
