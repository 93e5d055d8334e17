"""Claims about the corpus: a wrong answer is refused with the cause that it has, a right one accepted in any style."""

from collections import Counter

import pytest

from course.exercises import find_exercise, papers
from course.exercises.tasks.function import FunctionTask
from course.exercises.tasks.optimizer import OptimizerTask
from course.exercises.tasks.pair import PairTask
from course.exercises.tasks.random import RandomTask
from course.exercises.tasks.tangent_rule import TangentRuleTask
from course.grading.sentences import verdict_of
from course.records import Feedback
from tests.corpus.answers import Answer, all_answers, said_of

FEWEST = {PairTask: (10, 4), TangentRuleTask: (10, 4), FunctionTask: (6, 3), OptimizerTask: (6, 2), RandomTask: (6, 3)}
"""Wrong and right answers that there are at least, by the kind of task."""

ASKED = {exercise.name: exercise for paper in papers() for exercise in paper.exercises if exercise.task.names}


def answers(exercise: str, *, are_right: bool) -> list[Answer]:
    return [a for a in all_answers() if a.exercise == exercise and (a.tier == "right") is are_right]


def slice_of_all() -> list[Answer]:
    """Of the exercises in turn a wrong answer, from the middle of its list, and the last right one."""
    required = [name for name, exercise in ASKED.items() if exercise.required]
    wrong = [answers(name, are_right=False) for name in required[::2]]
    right = [answers(name, are_right=True) for name in required[1::2]]
    return [*(found[len(found) // 2] for found in wrong), *(found[-1] for found in right)]


def check(answer: Answer) -> None:
    found = answer.judge()
    tier, cause = said_of(found)
    assert tier == answer.tier, cause
    assert answer.cause in cause if tier in ("line", "place") else cause == answer.cause
    verdict = verdict_of(find_exercise(answer.exercise), found, attempt=3, feedback=Feedback.NAME, where="")
    if tier in ("right", "fault", "case"):
        assert verdict.right is (tier == "right")
        return
    first = next(array.path for array in found.comparison.arrays if not array.right)
    assert verdict.headline.startswith(first)
    if {first, first.partition(".")[0]} & set(find_exercise(answer.exercise).asks):  # data may be wrong, too
        assert verdict.lines[-1].startswith("Ask: ")
    assert verdict.points < verdict.possible


@pytest.mark.parametrize("exercise", ASKED)
def test_there_are_enough_answers_to_each_exercise_and_no_two_of_one_name(exercise):
    wrong, right = answers(exercise, are_right=False), answers(exercise, are_right=True)
    fewest_wrong, fewest_right = FEWEST[type(ASKED[exercise].task)]
    assert len(wrong) >= fewest_wrong
    assert len(right) >= fewest_right
    assert max(Counter(answer.name for answer in (*wrong, *right)).values()) == 1


def test_every_exercise_of_the_corpus_is_on_a_paper():
    assert {answer.exercise for answer in all_answers()} == set(ASKED)


def test_every_answer_is_still_an_edit_of_ours():
    for answer in all_answers():
        compile(answer.source, f"<{answer}>", "exec")


@pytest.mark.parametrize("answer", slice_of_all(), ids=str)
def test_of_a_slice_each_answer_is_told_what_it_is(answer):
    check(answer)


@pytest.mark.exhaustive
@pytest.mark.parametrize("answer", all_answers(), ids=str)
def test_each_answer_is_told_what_it_is(answer):
    check(answer)
