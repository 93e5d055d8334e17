"""What `course.judge` promises: a status, what is said at each feedback level, and who is blamed."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
import pytest

from course.exercises import find_exercise
from course.exercises.exercise import Exercise
from course.exercises.tasks import pair as pair_task
from course.exercises.tasks.limits import Limits
from course.exercises.tasks.pair import Case, PairTask
from course.exercises.tasks.question import Choice, Option
from course.grading import Submission, judge, sentences
from course.grading import judging as judging_module
from course.grading.sentences import answer_of, feedback_at
from course.records import Feedback, Findings, Status
from tests.grading.students import plain

HALF = Exercise(
    name="losses.half",
    title="half",
    task=PairTask(
        primal=lambda x: 0.5 * x,
        fwd="half_fwd",
        bwd="half_bwd",
        draw=lambda draw: (draw.normal("size"),),
        awkward=(Case("zeros", lambda draw: (np.zeros(3),)),),
    ),
    points=4,
    asks={"x_bar": "what becomes of the half?   (step 1)"},
)
RIGHT = "def half_fwd(x): return 0.5 * x, None\ndef half_bwd(residuals, y_bar): return (0.5 * y_bar,)\n"
WRONG = RIGHT.replace("(0.5 * y_bar,)", "(-0.5 * y_bar,)")
SKEWED = RIGHT.replace("(0.5 * y_bar,)", "(0.4 * y_bar,)")
AWKWARD = RIGHT.replace("None", "x.any()").replace("0.5 * y_bar,", "0.5 * y_bar * residuals,")
QUARTER = dataclasses.replace(
    HALF,
    name="losses.quarter",
    title="quarter",
    uses=("losses.half",),
    task=dataclasses.replace(HALF.task, primal=lambda x: 0.25 * x, fwd="quarter_fwd", bwd="quarter_bwd"),
)
WHY = Exercise(
    name="losses.why",
    title="why?",
    task=Choice("Why?", (Option("a", "Because.", "Right."), Option("b", "Not.", "That is no reason.", right=True))),
    points=1,
)
OWN_QUARTER = "def quarter_fwd(x): return 0.25 * x, None\ndef quarter_bwd(residuals, y_bar): return (0.25 * y_bar,)\n"
TWICE = """
def quarter_fwd(x):
    y, first = half_fwd(x)
    return half_fwd(y)[0], first
def quarter_bwd(residuals, y_bar):
    return half_bwd(residuals, *half_bwd(residuals, y_bar))
"""
IMPORTED = f"from course.answers import half_fwd, half_bwd\n{TWICE}"


@pytest.fixture(autouse=True)
def _on_the_paper(monkeypatch):
    """Puts the exercises of these tests on the paper of `losses`, as its last ones."""
    paper = sentences.paper_of("losses")
    longer = dataclasses.replace(paper, exercises=(*paper.exercises, HALF, QUARTER, WHY))
    monkeypatch.setattr(sentences, "paper_of", lambda lesson: longer)
    known = {exercise.name: exercise for exercise in (HALF, QUARTER, WHY)}
    monkeypatch.setattr(judging_module, "find_exercise", lambda name: known.get(name) or find_exercise(name))


@pytest.fixture
def verdict(tmp_path):
    """Judges an exercise of a file, or of several, with this text."""

    def run(text, exercise=HALF, feedback=Feedback.NAME, **options):
        for name, source in (text if isinstance(text, Mapping) else {"work": text}).items():
            plain(tmp_path / "folder" / f"{name}.py", source)
        return judge(exercise, Submission.read(tmp_path / "folder"), feedback=feedback, **options)

    return run


@pytest.mark.parametrize(
    "text, status",
    [
        (RIGHT, Status.RIGHT),
        (WRONG, Status.WRONG),
        ("", Status.NOT_STARTED),
        ("x = 1", Status.NOT_STARTED),
        ("def half_fwd(x): ...\ndef half_bwd(r, y_bar): ...\n", Status.NOT_STARTED),
        (RIGHT.replace("return (0.5 * y_bar,)", "raise NotImplementedError"), Status.NOT_STARTED),
        (RIGHT.replace("return (0.5", "return (1 / 0"), Status.BROKEN),
        ("half_fwd = 1 / 0\n" + RIGHT.partition("\n")[2], Status.BROKEN),
        (RIGHT.replace("half_bwd(residuals", "half_bwd((residuals"), Status.BROKEN),
        (RIGHT.replace("return (0.5 * y_bar,)", "return half_later(y_bar)"), Status.BROKEN),
        (RIGHT.replace("(0.5 * y_bar,)", "()"), Status.WRONG),
        (RIGHT.replace("return 0.5 * x", "return 0.6 * x"), Status.WRONG),
        (RIGHT.replace("(0.5 * y_bar,)", "(0.5 * y_bar * float('nan'),)"), Status.WRONG),
    ],
)
def test_each_way_of_being_wrong_has_its_status(verdict, text, status):
    found = verdict(text)
    assert found.status is status
    assert found.points == (4 if status is Status.RIGHT else 0)
    assert not found.ours


def test_only_what_the_level_allows_is_said(verdict):
    said = {level: verdict(WRONG, feedback=level) for level in Feedback}
    assert said[Feedback.PASS].headline == "wrong"
    assert (said[Feedback.PASS].lines, said[Feedback.PASS].example) == ((), None)
    assert "x_bar" in said[Feedback.WHERE].headline
    assert not any("sign" in line for line in said[Feedback.WHERE].lines)
    assert any("opposite sign" in line for line in said[Feedback.KIND].lines)
    assert said[Feedback.NAME].lines[-1] == "Ask: what becomes of the half?   (step 1)"


def test_the_smallest_case_holds_inputs_yours_and_right(verdict):
    example = verdict(WRONG, feedback=Feedback.WHERE).example
    assert np.array_equal(example.yours["x_bar"], -example.right["x_bar"])
    assert set(example.inputs) == {"x", "y_bar"}


@pytest.mark.parametrize("options", [{"feedback": Feedback.PASS}, {"example": False}])
def test_no_smallest_case_is_looked_for_where_it_may_not_be_shown_or_is_not_wanted(verdict, monkeypatch, options):
    monkeypatch.setattr(pair_task, "smallest_counterexample", lambda *_: pytest.fail("looked for"))
    assert verdict(WRONG, **options).status is Status.WRONG


@pytest.mark.parametrize("attempt, level", [(1, "WHERE"), (2, "KIND"), (3, "NAME"), (9, "NAME")])
def test_more_is_said_at_each_attempt(verdict, attempt, level):
    assert feedback_at(attempt) is Feedback[level]
    assert verdict(WRONG, feedback=None, attempt=attempt).feedback is Feedback[level]


def test_at_the_lowest_level_a_part_that_is_right_does_not_show_in_the_points(verdict):
    assert verdict(AWKWARD).points == 2
    assert verdict(AWKWARD, feedback=Feedback.PASS).points == 0


def test_an_awkward_case_is_named_and_costs_half_the_points(verdict):
    found = verdict(AWKWARD)
    assert (found.status, found.points) == (Status.WRONG, 2)
    assert found.headline == "right at ordinary inputs, wrong for zeros"


def test_the_same_seed_gives_the_same_verdict_and_another_one_other_numbers(verdict):
    first, again, other = (verdict(WRONG, seed=seed).to_json() for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_cost_has_its_own_points_and_never_fails_an_answer(verdict):
    task = dataclasses.replace(HALF.task, limits=Limits(flops=1.5), awkward=())
    costed = dataclasses.replace(HALF, task=task, cost_points=2)
    found = verdict(RIGHT, costed)
    assert (found.status, found.points, found.cost_points) == (Status.RIGHT, 4, 2)
    waste = RIGHT.replace("return (0.5 * y_bar,)", "return (0.5 * y_bar + 0 * sum(y_bar * i for i in range(9)),)")
    found = verdict(waste, costed)
    assert (found.status, found.points, found.cost_points) == (Status.COSTLY, 4, 0)
    assert found.right
    assert "times the FLOPs of jax.vjp" in found.lines[0]


def test_what_a_file_prints_is_kept_with_what_its_functions_print(verdict):
    text = "value = print('while it was read')\n" + RIGHT.replace("return (0.5", "print('called', value); return (0.5")
    assert verdict(text).printed == "while it was read\ncalled None\n"


def test_a_breakpoint_that_was_left_behind_does_not_hang(verdict):
    assert verdict(RIGHT.replace("return (0.5", "breakpoint(); return (0.5")).right


def test_asking_the_reader_something_is_an_error_of_theirs(verdict):
    found = verdict(RIGHT.replace("return (0.5", "input(); return (0.5"))
    assert found.status is Status.BROKEN
    assert "EOFError" in found.lines[0]


def test_an_exception_shows_their_line(verdict):
    found = verdict(RIGHT.replace("return (0.5 * y_bar,)", "return (y_bar @ 3,)"))
    assert found.headline == "half_bwd stops with an error"
    assert "work.py, line 2: def half_bwd" in found.lines[0]


def test_what_keeps_a_file_from_being_run_is_laid_at_the_file(verdict):
    assert verdict("half_fwd = 1 / 0\ndef half_bwd(r, y_bar): return r").headline == "work.py stops with an error"
    assert verdict("def half_fwd(x: return\ndef half_bwd(r, y_bar): return r").headline == "work.py can't be read"


@pytest.mark.parametrize(
    "text, says",
    [
        ("", "write `half_fwd` and `half_bwd`, and check again"),
        ("def half_fwd(x): return x, x", "write `half_bwd`, and check again"),
        (RIGHT, "quarter (losses.quarter)"),
        (WRONG, "fix it and check again"),
    ],
)
def test_it_says_what_to_do_next(verdict, text, says):
    assert verdict(text).next == says


def test_after_the_last_exercise_of_a_lesson_comes_the_next_lesson(verdict):
    assert verdict("import course\ncourse.answer('losses.why', 'b')", WHY).next.startswith("the lesson mlp")


def test_an_answer_made_of_one_not_written_yet_is_waiting(verdict):
    for text in (IMPORTED, TWICE, TWICE + "def half_fwd(x): ...\ndef half_bwd(r, y_bar): ...\n"):
        found = verdict(text, QUARTER)
        assert found.status in (Status.WAITING, Status.BROKEN)  # a name that is nowhere stops with an error
        if found.status is Status.WAITING:
            assert found.headline == "uses your half, not written yet"
            assert found.next == "write half first (losses.half)"
            assert found.points == 0


@pytest.mark.parametrize("text", [TWICE + SKEWED, {"half": SKEWED, "quarter": IMPORTED}])
def test_the_earlier_answer_is_blamed_first(verdict, text):
    found = verdict(text, QUARTER)
    assert found.status is Status.WRONG
    assert found.headline == "uses your half, which is not right yet"
    assert found.lines == ("There, x_bar is wrong.",)
    assert found.next == "mend half first (losses.half)"


def test_the_earlier_answer_is_not_blamed_where_it_is_not_used(verdict):
    found = verdict(WRONG + OWN_QUARTER.replace("(0.25 * y_bar,)", "(-0.25 * y_bar,)"), QUARTER)
    assert "x_bar is wrong" in found.headline


def test_a_right_answer_is_right_whatever_it_is_made_of(verdict):
    assert verdict(TWICE + WRONG, QUARTER).right  # two wrongs cancel: (-0.5)**2


def test_earlier_answers_that_a_grader_supplies_are_said(tmp_path):
    reference = Submission.read(plain(tmp_path / "reference.py", RIGHT))
    mine = Submission.read(plain(tmp_path / "mine" / "work.py", IMPORTED), fallback=reference)
    found = judge(QUARTER, mine)
    assert found.right
    assert any("supplied by the grader" in line and "half_fwd" in line for line in found.lines)


@dataclass(frozen=True)
class _FailingTask:
    names = ("half_fwd",)
    questions = ("only",)

    def judge(self, answer, sitting):
        raise ZeroDivisionError("in the judge")


def test_a_failure_of_the_judge_is_ours_and_counted_against_nobody(verdict):
    found = verdict(RIGHT, dataclasses.replace(HALF, task=_FailingTask()))
    assert found.ours
    assert found.headline == "our fault, not yours"
    assert "ZeroDivisionError: in the judge" in found.lines[0]
    assert "report" in found.lines[1]
    assert "–/4" in str(found)


@pytest.mark.parametrize(
    "value, status", [("'b'", Status.RIGHT), ("'a'", Status.WRONG), ("3", Status.WRONG), ("...", Status.NOT_STARTED)]
)
def test_a_question_is_found_by_its_name(verdict, value, status):
    assert verdict(f"import course\ncourse.answer('losses.why', {value})\n", WHY).status is status


def test_an_exercise_that_is_on_no_paper_is_judged_all_the_same(verdict):
    for name in ("losses.new", "mine.new"):
        found = verdict(RIGHT, dataclasses.replace(HALF, name=name))
        assert found.right
        assert found.next == ""


def test_live_functions_are_judged_as_a_file_is():
    space = {"half_fwd": lambda x: (0.5 * x, None), "half_bwd": lambda residuals, y_bar: (0.5 * y_bar,)}
    assert judge(HALF, Submission.of_namespace(space)).right
    space["half_bwd"] = lambda residuals, y_bar: (jnp.zeros_like(y_bar),)
    assert judge(HALF, Submission.of_namespace(space)).status is Status.WRONG


def test_people_call_a_pair_by_its_stem():
    assert answer_of(HALF) == "half"
    assert answer_of(find_exercise("two_layer_network.cotangents")) == "two_layer_cotangents"
    assert answer_of(find_exercise("losses.q1")) == "losses.q1"


def test_whole_points_only_and_never_rounded_up(verdict):
    found = Findings(Status.WRONG, "", share=0.999)
    made = sentences.verdict_of(HALF, found, attempt=1, feedback=None, where="")
    assert made.points == 3
