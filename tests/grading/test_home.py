"""A submission imports the files beside it, and nothing of it stays behind."""

import os
import sys

from course.grading.submission import Submission
from tests.grading.students import plain, script


def test_two_people_may_each_have_helpers(tmp_path):
    answers = []
    for name in ("alice", "bob"):
        plain(tmp_path / name / "helpers.py", f"who = {name!r}\n")
        submission = script(tmp_path / name, "import helpers\ndef f(): return helpers.who\n")
        answers.append(submission.find(["f"]).values["f"]())
    assert answers == ["alice", "bob"]
    assert "helpers" not in sys.modules


def test_the_import_path_is_left_as_it_was(tmp_path):
    path = sys.path[:]
    assert script(tmp_path, "x = nowhere\ndef f(): return x\n").find(["f"]).fault is not None
    assert sys.path == path


def test_a_helper_is_executed_once_a_submission(tmp_path):
    plain(tmp_path / "helpers.py", "calls = []\n")
    plain(tmp_path / "a.py", "from helpers import calls\ncalls.append('a')\ndef f(): return calls\n")
    plain(tmp_path / "b.py", "from helpers import calls\ndef g(): return calls\n")
    submission = Submission.read(tmp_path)
    assert submission.find(["f"]).values["f"]() is submission.find(["g"]).values["g"]()


def test_an_earlier_answer_sees_the_helper_that_is_already_there(tmp_path):
    plain(tmp_path / "helpers.py", "calls = []\n")
    plain(tmp_path / "a.py", "from helpers import calls\ndef a_fwd(): return calls\n")
    plain(
        tmp_path / "b.py",
        "from helpers import calls\nfrom course.answers import a_fwd\nsame = calls is a_fwd()\ndef f(): return same\n",
    )
    assert Submission.read(tmp_path).find(["f"]).values["f"]()


def test_a_helper_that_was_just_written_is_found(tmp_path):
    assert script(tmp_path, "import helpers\ndef f(): return helpers\n").find(["f"]).fault.kind == "exception"
    before = tmp_path.stat()
    plain(tmp_path / "helpers.py", "x = 1\n")
    os.utime(tmp_path, ns=(before.st_atime_ns, before.st_mtime_ns))  # as if within one tick of the file system's clock
    assert script(tmp_path, "import helpers\ndef f(): return helpers.x\n").find(["f"]).values["f"]() == 1


def test_a_file_named_like_an_installed_module_hides_nothing(tmp_path, monkeypatch):
    for name in ("timeit", "jax", "json", "numpy", "course", "pytest", "colorsys"):
        plain(tmp_path / f"{name}.py", "raise SystemExit\n")
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    text = "import colorsys, json, timeit\ndef f(): return colorsys.rgb_to_hsv(0, 0, 1), json.dumps(1), timeit.timeit\n"
    assert script(tmp_path, text).find(["f"]).values["f"]()[:2] == ((2 / 3, 1, 1), "1")


def test_their_file_goes_before_one_of_the_same_name_in_the_current_folder(tmp_path, monkeypatch):
    plain(tmp_path / "here" / "helpers.py", "who = 'the grader'\n")
    plain(tmp_path / "there" / "helpers.py", "who = 'the student'\n")
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.syspath_prepend(tmp_path / "here")
    ours = __import__("helpers")
    submission = script(tmp_path / "there", "import helpers\ndef f(): return helpers.who\n")
    assert submission.find(["f"]).values["f"]() == "the student"
    assert sys.modules.pop("helpers") is ours


def test_a_circular_import_is_a_fault(tmp_path):
    plain(tmp_path / "a.py", "from b import g\ndef f(): return g()\n")
    plain(tmp_path / "b.py", "from a import f\ndef g(): return f()\n")
    fault = Submission.read(tmp_path).find(["f"]).fault
    assert fault.kind == "exception"
    assert "circular import" in fault.message
    assert "import" in fault.line.code


def test_a_helper_with_a_syntax_error_is_a_fault_with_its_line(tmp_path):
    plain(tmp_path / "helpers.py", "x = 1\ndef g(:\n")
    fault = script(tmp_path, "from helpers import x\ndef f(): return x\n").find(["f"]).fault
    assert (fault.kind, fault.line.number, fault.line.code) == ("syntax", 2, "def g(:")


def test_a_folder_below_another_imports_from_both(tmp_path):
    plain(tmp_path / "shared.py", "x = 1\n")
    plain(tmp_path / "week1" / "helpers.py", "y = 2\n")
    plain(tmp_path / "week1" / "work.py", "from shared import x\nfrom helpers import y\ndef f(): return x + y\n")
    assert Submission.read(tmp_path).find(["f"]).values["f"]() == 3


def test_imports_in_a_function_work_at_home(tmp_path):
    plain(tmp_path / "helpers.py", "x = 1\n")
    found = script(tmp_path, "def f():\n    from helpers import x\n    return x\n").find(["f"])
    with found.at_home():
        assert found.values["f"]() == 1
    assert "helpers" not in sys.modules


def test_a_submission_that_holds_its_environment_leaves_it_alone(tmp_path):
    plain(tmp_path / "site-packages" / "installed_here.py", "x = 1\n")
    plain(tmp_path / "installed_here.py", "x = 2\n")
    sys.path.insert(0, str(tmp_path / "site-packages"))
    try:
        installed = __import__("installed_here")
        submission = script(tmp_path, "from installed_here import x\ndef f(): return x\n")
        assert submission.find(["f"]).values["f"]() == 1
        assert sys.modules.pop("installed_here") is installed
    finally:
        sys.path.remove(str(tmp_path / "site-packages"))
