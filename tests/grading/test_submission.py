"""Where answers come from, and what is said when one is not there."""

import importlib
import os
from pathlib import Path

import pytest

import course
from course.grading.submission import Submission, SubmissionError
from tests.grading.students import cells, notebook, plain, script

STUB = "def {}(x):\n    raise NotImplementedError\n"


def test_what_is_not_there_is_refused_with_the_nearest_name(tmp_path):
    plain(tmp_path / "affine.py", "")
    with pytest.raises(SubmissionError, match=r"There is no .*afine\.py\. Did you mean .*affine\.py\?"):
        Submission.read(tmp_path / "afine.py")


def test_a_folder_without_files_and_a_file_of_another_kind_are_refused(tmp_path):
    with pytest.raises(SubmissionError, match="no notebook and no Python file"):
        Submission.read(tmp_path)
    with pytest.raises(SubmissionError, match="is no notebook, Python file or folder"):
        Submission.read(plain(tmp_path / "notes.txt", ""))


@pytest.mark.parametrize("name", ["", "no.such.module", "sys", "../..x", "a b", "os.nothing"])
def test_a_name_of_no_module_is_refused(name, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SubmissionError):
        Submission.read(name)


def test_a_module_is_read_by_its_dotted_name_and_not_imported(tmp_path, monkeypatch):
    plain(tmp_path / "mine" / "__init__.py", "")
    plain(tmp_path / "mine" / "work.py", "print('imported')\ndef f(): return 1\n")
    monkeypatch.chdir(tmp_path)
    assert Submission.read("mine.work").find(["f"]).values["f"]() == 1
    assert Submission.read("mine").find(["f"]).values["f"]() == 1
    monkeypatch.chdir("/")
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    assert Submission.read("mine.work").find(["f"]).values["f"]() == 1


def test_a_submission_is_called_what_its_reader_calls_it(tmp_path, monkeypatch):
    path = plain(tmp_path / "alice" / "work.py", "def f(): return 1\n")
    monkeypatch.chdir(path.parent)
    assert Submission.read(".").where == "alice"
    assert Submission.read("work.py").where == "work.py"
    assert Submission.of(f=len).where == "this notebook"


def test_missing_names_are_listed_and_a_near_one_is_offered(tmp_path):
    submission = script(tmp_path, "def afine_fwd(x): return x\n")
    fault = submission.find(["affine_fwd", "affine_bwd"]).fault
    assert (fault.kind, fault.where) == ("missing", "affine_fwd")
    assert "`affine_fwd` and `affine_bwd` are not defined" in fault.message
    assert "There is `afine_fwd`" in fault.message


def test_half_a_pair_says_which_half_is_there(tmp_path):
    fault = script(tmp_path, "def a_fwd(x): return x\n").find(["a_fwd", "a_bwd"]).fault
    assert (fault.kind, fault.where) == ("missing", "a_bwd")
    assert "`a_bwd` is not defined" in fault.message
    assert "`a_fwd` is" in fault.message


def test_two_files_that_define_one_name_differently_are_a_fault(tmp_path):
    plain(tmp_path / "a.py", "def f(x): return x\n")
    plain(tmp_path / "b.py", "def f(x): return -x\n")
    fault = Submission.read(tmp_path).find(["f"]).fault
    assert (fault.kind, fault.where, fault.line.file) == ("duplicate", "f", "b.py")
    assert "`a.py` and `b.py` both define `f`" in fault.message


def test_a_copy_and_an_untouched_stub_elsewhere_are_no_duplicates(tmp_path):
    notebook(tmp_path / "a.ipynb", STUB.format("f"))
    plain(tmp_path / "b.py", "def f(x): return x\n")
    notebook(tmp_path / "c.ipynb", "def f(x): return x")
    assert Submission.read(tmp_path).find(["f"]).values["f"](1) == 1


def test_a_file_that_defines_a_name_goes_before_one_that_imports_it(tmp_path):
    plain(tmp_path / "a.py", "from z import f\n")
    plain(tmp_path / "z.py", "def f(x): return x\n")
    found = Submission.read(tmp_path).find(["f"])
    assert found.values["f"].__code__.co_filename == str(tmp_path / "z.py")


def test_an_imported_answer_is_an_answer(tmp_path):
    plain(tmp_path / "helpers.py", "def f(x): return x\n")
    assert script(tmp_path, "from helpers import f\n").find(["f"]).values["f"](1) == 1


def test_an_answer_that_comes_by_a_star_import_is_found(tmp_path):
    plain(tmp_path / "helpers.py", "def f(x): return x\n")
    work = plain(tmp_path / "work.py", "from helpers import *\nfrom math import *\n")
    assert Submission.read(work).find(["f"]).values["f"](1) == 1
    assert Submission.read(work).find(["f", "g"]).fault.where == "g"
    assert Submission.read(tmp_path).find(["f"]).values["f"](1) == 1


def test_a_star_import_that_hides_the_name_leaves_it_missing(tmp_path):
    plain(tmp_path / "helpers.py", "__all__ = []\ndef f(x): return x\n")
    assert script(tmp_path, "from helpers import *\n").find(["f"]).fault.kind == "missing"


def test_setting_something_inside_a_name_does_not_define_it(tmp_path):
    assert script(tmp_path, "f.calls = 0\n").find(["f"]).fault.kind == "missing"


def test_a_pair_may_lie_in_two_files(tmp_path):
    plain(tmp_path / "a.py", "print('a')\ndef a_fwd(x): return x\n")
    plain(tmp_path / "b.py", "def a_bwd(x): return -x\n")
    found = Submission.read(tmp_path).find(["a_fwd", "a_bwd"])
    assert (found.values["a_fwd"](1), found.values["a_bwd"](1), found.line_count) == (1, -1, 2)


def test_what_was_found_is_executed_once(tmp_path):
    submission = script(
        tmp_path,
        "import itertools\nn = itertools.count()\nm = next(n)\ndef a_fwd(): return n\ndef a_bwd(): return n, m\n",
    )
    pair = submission.find(["a_fwd", "a_bwd"])
    assert submission.find(["a_fwd", "a_bwd"]) is pair
    assert submission.find(["a_bwd"]).values["a_bwd"] is pair.values["a_bwd"]


def test_the_hash_follows_the_text_of_the_answer_and_of_nothing_else(tmp_path):
    def hashed(*sources):
        return cells(tmp_path, *sources).find(["f"]).source_hash

    answer, helper = "def f(x):\n    return g(x)", "def g(x): return x"
    first = hashed(answer, helper, "print(1)")
    assert first == hashed("y = 2", answer, helper, "print(2)\nf(2)") == hashed("# Text", answer, helper)
    assert first != hashed(answer, "def g(x): return -x")
    assert first != hashed("def f(x):\n    # again\n    return g(x)", helper)
    assert hashed("x = 1") == ""
    assert hashed(STUB.format("f")) != ""


def test_the_hash_follows_neighbours_that_are_imported(tmp_path):
    def hashed(helper):
        plain(tmp_path / "deep.py", helper)
        plain(tmp_path / "helpers.py", "from deep import h\ndef g(x):\n    return h(x)\ndef other(x): return x\n")
        return script(tmp_path, "from helpers import g\ndef f(x): return g(x)\n").find(["f"]).source_hash

    first = hashed("def h(x): return x\n")
    assert first == hashed("def h(x): return x\ndef unrelated(): pass\n")
    assert first != hashed("def h(x): return -x\n")


def test_lines_are_counted_without_imports_comments_and_docstrings(tmp_path):
    plain(tmp_path / "helpers.py", "def g(x):\n\n    return x\n\ndef other(x): return x\n")
    submission = script(
        tmp_path,
        '''
        import math
        from helpers import g

        EPS = 1e-6  # counted

        def helper(x):
            """Two lines
            of prose."""
            # 1. A comment.

            return (x +
                    EPS)

        @staticmethod
        def f(x):
            return g(helper(x))

        def unrelated(x):
            return x
        ''',
    )
    assert submission.find(["f"]).line_count == 1 + 3 + 3 + 2


def test_the_lessons_are_not_counted_as_theirs():
    checkout = Path(course.__file__).parents[1]
    found = Submission.read(checkout / "solutions" / "mlp.py").find(["mlp_fwd"])
    files = {Path(file).relative_to(checkout).as_posix() for file, _ in found.extent.lines}
    assert files == {"solutions/mlp.py", "solutions/linear_and_activations.py"}


def test_a_function_of_theirs_may_be_called_answer(tmp_path):
    submission = script(tmp_path, "def answer(word, n): return n\nx = answer('word', 3)\ndef f(): return x\n")
    assert submission.find(["f"]).values["f"]() == 3


def test_questions_are_answered_by_the_last_call(tmp_path):
    submission = cells(
        tmp_path,
        "import course\nfrom course import answer",
        'course.answer("losses.q1", 3)',
        'base = 2\ncourse.answer("losses.q2",\n    base +\n    1)',
        'v = answer("losses.q1", value=[n for n in range(base)])',
        'course.answer("losses.q3", ...)\ncourse.answer("losses.q4")',
    )
    assert submission.find_answer("losses.q1").values == {"losses.q1": [0, 1]}
    assert submission.find_answer("losses.q2").values == {"losses.q2": 3}
    assert submission.find_answer("losses.q3").fault.kind == "not_started"
    assert submission.find_answer("losses.q4").fault.kind == "not_started"
    fault = submission.find_answer("losses.q5").fault
    assert (fault.kind, fault.message.partition(" in ")[0]) == ("missing", "`losses.q5` is not answered")


def test_live_functions_are_taken_as_they_are():
    def f(x):
        """Prose."""
        return x

    found = Submission.of(f=f, n=3).find(["f", "n"])
    assert found.values == {"f": f, "n": 3}
    assert (found.fault, found.line_count) == (None, 2)
    assert found.source_hash != Submission.of(f=len).find(["f"]).source_hash


def test_live_stubs_and_missing_names_are_faults():
    def f(x):
        y = x
        return y, ...

    namespace = {"f": f, "q": ...}
    fault = Submission.of_namespace(namespace, "work.ipynb").find(["f"]).fault
    assert (fault.kind, fault.line.code) == ("not_started", "return y, ...")
    assert Submission.of_namespace(namespace).find_answer("q").fault.kind == "not_started"
    fault = Submission.of_namespace(namespace).find(["f", "g"]).fault
    assert (fault.kind, fault.message) == ("missing", "`g` is not defined in this notebook.")


def test_reading_a_submission_leaves_the_folder_as_it_was(tmp_path):
    plain(tmp_path / "helpers.py", "x = 1\n")
    submission = script(tmp_path, "from helpers import x\ndef f(): return x\n")
    assert submission.find(["f"]).values["f"]() == 1
    assert sorted(os.listdir(tmp_path)) == ["helpers.py", "work.py"]
