"""Claims about all papers: our answers are right, blank stubs nothing, wrong ones explained; code comes with hints."""

from functools import cache
from pathlib import Path

import pytest

from course.exercises import select
from course.exercises.tasks.question import Choice, Number
from course.grading import Submission, judge
from course.records import Feedback, Status

SOLUTIONS = Path(__file__).parents[2] / "solutions"
QUESTIONS = [exercise for exercise in select() if not exercise.task.names and exercise.points]
CODE = [exercise for exercise in select() if exercise.task.names]
SAYS_ONE_THING_TWICE = {"chain_rule.q1"}
"""Of a number that was divided and of one that divides, the same is to be said."""
EXPLAINED = [exercise for exercise in QUESTIONS if isinstance(exercise.task, Choice | Number)]


def by_name(exercise):
    return exercise.name


@cache
def ours(lesson):
    return Submission.read(SOLUTIONS / f"{lesson}.py")


@pytest.mark.parametrize("exercise", QUESTIONS, ids=by_name)
def test_our_answer_to_a_question_is_right(exercise):
    assert judge(exercise, ours(exercise.lesson)).status is Status.RIGHT


@pytest.mark.parametrize("exercise", CODE, ids=by_name)
def test_our_code_is_right_and_earns_every_point(exercise):
    found = judge(exercise, ours(exercise.lesson), feedback=Feedback.NAME, example=False)
    assert found.status is Status.RIGHT
    assert (found.points, found.cost_points) == (found.possible, found.cost_possible)


@pytest.mark.parametrize("lesson", sorted({exercise.lesson for exercise in CODE}))
def test_blank_stubs_are_not_started(lesson, tmp_path):
    asked = [exercise for exercise in CODE if exercise.lesson == lesson]
    names = (name for exercise in asked for name in exercise.task.names)
    stubs = (f"def {name}(*arguments):\n    raise NotImplementedError\n" for name in names)
    (tmp_path / "work.py").write_text("".join(stubs), encoding="utf-8")
    for exercise in asked:
        found = judge(exercise, Submission.read(tmp_path / "work.py"), feedback=Feedback.NAME, example=False)
        assert (found.status, found.points, found.cost_points) == (Status.NOT_STARTED, 0, 0)


@pytest.mark.parametrize("exercise", EXPLAINED, ids=by_name)
def test_each_wrong_answer_has_its_own_explanation(exercise):
    task = exercise.task
    if isinstance(task, Choice):
        wrong = [(option.letter, option.says) for option in task.options if not option.right]
    else:
        wrong = [(trap(), says) for trap, says in task.traps]
    assert len({says for _, says in wrong}) == len(wrong) or exercise.name in SAYS_ONE_THING_TWICE
    for answer, says in wrong:
        found = judge(exercise, Submission.of(**{exercise.name: answer}), feedback=Feedback.NAME, example=False)
        assert found.status is Status.WRONG
        assert says in found.lines


@pytest.mark.parametrize("exercise", select(), ids=by_name)
def test_what_asks_for_code_has_three_hints_and_nothing_else_has_any(exercise):
    assert len(exercise.hints) == (3 if exercise.task.names else 0)
