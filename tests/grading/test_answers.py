"""An answer uses the learner's own earlier answers."""

import sys
from types import SimpleNamespace

import pytest

from course import answers
from course.comparison.faults import fault_of
from course.grading.submission import Submission
from tests.grading.students import notebook, plain

AFFINE = "def affine_fwd(x): return 2 * x, x\ndef affine_bwd(r, y_bar): return (2 * y_bar,)"
STUB = "def affine_fwd(x):\n    raise NotImplementedError\n"
MLP = """
from course.answers import affine_fwd, affine_bwd
def mlp_fwd(x): return affine_fwd(x)
def mlp_bwd(r, y_bar): return affine_bwd(r, y_bar)
"""
PAIR = ["mlp_fwd", "mlp_bwd"]


def work(folder, fallback=None, **notebooks):
    for name, source in notebooks.items():
        notebook(folder / f"{name}.ipynb", source)
    return Submission.read(folder, fallback=fallback)


def test_a_name_is_the_answer_of_the_same_submission(tmp_path):
    submission = work(tmp_path, affine=AFFINE, mlp=MLP)
    found = submission.find(PAIR)
    assert found.fault is None
    assert found.values["mlp_fwd"](3) == (6, 3)
    assert found.uses == ("affine_fwd", "affine_bwd")
    assert found.line_count == 4
    assert found.values["mlp_fwd"].__globals__["affine_fwd"] is submission.find(["affine_fwd"]).values["affine_fwd"]


def test_both_halves_of_a_pair_see_the_same_classes(tmp_path):
    affine = "class R: pass\ndef affine_fwd(x): return x, R()\ndef affine_bwd(r, y_bar): return isinstance(r, R)"
    found = work(tmp_path, affine=affine, mlp=MLP).find(PAIR)
    _, residuals = found.values["mlp_fwd"](1)
    assert found.values["mlp_bwd"](residuals, 1)


@pytest.mark.parametrize("affine", ["x = 1", STUB, "def affine_fwd(x) return x"])
def test_an_earlier_answer_that_is_not_there_is_waited_for(tmp_path, affine):
    found = work(tmp_path, affine=affine, mlp=MLP).find(PAIR)
    assert (found.fault.kind, found.fault.where) == ("waiting", "mlp_fwd")
    assert found.fault.message.startswith("It uses your affine_")
    assert found.fault.line.code == "from course.answers import affine_fwd, affine_bwd"
    with pytest.raises(answers.Waiting) as error:
        found.values["mlp_fwd"](1)
    assert error.value.name == "affine_fwd"
    fault = fault_of(error.value, "mlp_fwd")
    assert (fault.kind, fault.line.code) == ("waiting", "def mlp_fwd(x): return affine_fwd(x)")


def test_waiting_says_not_written_or_why_it_cannot_be_used(tmp_path):
    fault = work(tmp_path, affine=STUB, mlp=MLP).find(["mlp_fwd"]).fault
    assert fault.message == "It uses your affine_fwd, which is not written yet."
    fault = work(tmp_path, affine="x = 1 / 0\ndef affine_fwd(y): return x", mlp=MLP).find(["mlp_fwd"]).fault
    assert fault.message == "It uses your affine_fwd, which can't be used: ZeroDivisionError: division by zero."


def test_calling_what_is_not_there_while_reading_is_waiting_too(tmp_path):
    mlp = "from course.answers import affine_fwd\ny = affine_fwd(1)\ndef mlp_fwd(x): return y"
    assert work(tmp_path, mlp=mlp).find(["mlp_fwd"]).fault.kind == "waiting"


def test_only_the_earlier_answers_that_are_needed_are_waited_for(tmp_path):
    mlp = "from course.answers import affine_fwd, relu_fwd\ndef mlp_fwd(x): return affine_fwd(x)"
    found = work(tmp_path, affine=AFFINE, mlp=mlp).find(["mlp_fwd"])
    assert (found.fault, found.uses) == (None, ("affine_fwd",))


def test_an_import_of_an_answer_is_not_the_answer(tmp_path):
    assert work(tmp_path, mlp=MLP).find(["affine_fwd"]).fault.kind == "missing"
    both = work(tmp_path, mlp=f"{AFFINE}\n{MLP}")
    assert both.find(["affine_fwd"]).values["affine_fwd"](1) == (2, 1)
    assert both.find(PAIR).values["mlp_fwd"](1) == (2, 1)


def test_answers_that_need_each_other_are_told_so(tmp_path):
    affine = "from course.answers import mlp_fwd\ndef affine_fwd(x): return mlp_fwd(x)"
    fault = work(tmp_path, affine=affine, mlp=MLP).find(["mlp_fwd"]).fault
    assert fault.kind == "waiting"
    assert "mlp_fwd needs affine_fwd needs mlp_fwd" in fault.message
    fault = Submission.read(tmp_path).find(PAIR).fault
    assert fault.message.endswith("ImportError: `mlp_fwd` needs itself: mlp_fwd needs affine_fwd needs mlp_fwd.")


def test_the_fallback_supplies_what_is_missing_and_says_so(tmp_path):
    reference = work(tmp_path / "reference", affine=AFFINE, relu="def relu_fwd(x): return x", mlp=MLP)
    submission = work(tmp_path / "work", reference, affine=STUB, mlp=MLP)
    found = submission.find(PAIR)
    assert (found.fault, found.supplied) == (None, ("affine_bwd", "affine_fwd"))
    assert found.values["mlp_fwd"](1) == (2, 1)
    assert submission.find(["relu_fwd"]).fault.kind == "missing"
    assert submission.find(["affine_fwd"]).fault.kind == "not_started"


def test_both_halves_from_the_fallback_see_the_same_classes(tmp_path):
    affine = "class R: pass\ndef affine_fwd(x): return x, R()\ndef affine_bwd(r, y_bar): return isinstance(r, R)"
    found = work(tmp_path / "work", work(tmp_path / "reference", affine=affine), mlp=MLP).find(PAIR)
    assert found.values["mlp_bwd"](found.values["mlp_fwd"](1)[1], 1)


def test_what_was_supplied_to_an_earlier_answer_is_said_too(tmp_path):
    reference = work(tmp_path / "reference", affine=AFFINE)
    deep = "from course.answers import mlp_fwd\ndef deep_fwd(x): return mlp_fwd(x)"
    found = work(tmp_path / "work", reference, mlp=MLP, deep=deep).find(["deep_fwd"])
    assert found.supplied == ("affine_bwd", "affine_fwd")
    assert found.uses == ("mlp_fwd", "affine_fwd", "affine_bwd")


def test_the_hash_follows_earlier_answers(tmp_path):
    first = work(tmp_path, affine=AFFINE, mlp=MLP).find(PAIR).source_hash
    assert first == work(tmp_path, affine=f"print(1)\n{AFFINE}", mlp=MLP).find(PAIR).source_hash
    assert first != work(tmp_path, affine=AFFINE.replace("2", "3"), mlp=MLP).find(PAIR).source_hash


def test_an_import_in_a_function_works_at_home(tmp_path):
    mlp = "def mlp_fwd(x):\n    from course.answers import affine_fwd\n    return affine_fwd(x)"
    found = work(tmp_path, affine=AFFINE, mlp=mlp).find(["mlp_fwd"])
    with found.at_home():
        assert found.values["mlp_fwd"](1) == (2, 1)


def test_a_whole_module_of_answers_can_be_used(tmp_path):
    mlp = "import course.answers as mine\ndef mlp_fwd(x): return mine.affine_fwd(x)"
    found = work(tmp_path, affine=AFFINE, mlp=mlp).find(["mlp_fwd"])
    with found.at_home():
        assert found.values["mlp_fwd"](1) == (2, 1)


def test_outside_judging_the_running_notebook_goes_first(tmp_path, monkeypatch):
    def affine_fwd(x):
        return 5 * x

    affine_fwd.__module__ = "__main__"
    plain(tmp_path / answers.MARKER, "{}")
    work(tmp_path, affine=AFFINE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "__main__", SimpleNamespace(affine_fwd=affine_fwd))
    assert answers.affine_fwd is affine_fwd
    assert answers.affine_bwd(None, 1) == (2,)


def test_outside_judging_the_learners_folder_is_found_from_below(tmp_path, monkeypatch):
    plain(tmp_path / answers.MARKER, "{}")
    work(tmp_path, affine=AFFINE)
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    assert answers.affine_fwd(1) == (2, 1)
    notebook(tmp_path / "affine.ipynb", AFFINE.replace("2", "7"))
    assert answers.affine_fwd(1) == (7, 1)


def test_outside_judging_and_any_folder_an_answer_waits(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    from course.answers import nothing_fwd

    with pytest.raises(answers.Waiting, match="It uses your nothing_fwd, which is not written yet"):
        nothing_fwd(1)
    assert Submission.of(nothing_fwd=nothing_fwd).find(["nothing_fwd"]).fault.kind == "missing"


def test_dunder_names_are_no_answers():
    with pytest.raises(AttributeError):
        answers.__wrapped__  # noqa: B018  the look-up is what is tested
