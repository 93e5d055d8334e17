"""Claims about a saved notebook beside what its kernel ran: what was changed and not run is told, and nothing else."""

import pytest

from course.grading.saved import change_notice, changed_since_run
from tests.cli.learner import RIGHT, STUB, WRONG
from tests.grading.students import notebook

NAMES = ("relu_fwd", "relu_bwd")
HELPED = "def half(x):\n    return x / {}\n\n\ndef relu_fwd(x):\n    return half(x), x\n"


@pytest.mark.parametrize(
    "saved, ran, changed",
    [
        (RIGHT, [WRONG, RIGHT], ()),
        (WRONG, [WRONG, RIGHT], ()),  # what runs is newer than what is saved
        (RIGHT, [WRONG], ("relu_bwd",)),
        (STUB, [RIGHT], ()),  # written and run, and not saved yet
        ("x = 1", [RIGHT], ()),
        (HELPED.format(2), [HELPED.format(2)], ()),
        (HELPED.format(3), [HELPED.format(2)], ("relu_fwd",)),
        (RIGHT, ["%matplotlib inline", "this is no Python", RIGHT], ()),
    ],
)
def test_a_text_that_was_saved_and_never_run_is_found(tmp_path, saved, ran, changed):
    assert changed_since_run(notebook(tmp_path / "07_relu.ipynb", saved), NAMES, ran) == changed


def test_a_file_that_cannot_be_read_is_no_change(tmp_path):
    place = notebook(tmp_path / "07_relu.ipynb", RIGHT)
    place.write_text("{", encoding="utf-8")
    assert changed_since_run(place, NAMES, [WRONG]) == ()


def test_the_notice_names_the_notebook_that_jupyter_runs(tmp_path, monkeypatch):
    place = notebook(tmp_path / "07_relu.ipynb", RIGHT)
    monkeypatch.setenv("JPY_SESSION_NAME", str(place))
    assert change_notice({"In": [WRONG]}, NAMES).startswith("07_relu.ipynb, as saved, holds another relu_bwd ")
    assert change_notice({"In": [RIGHT]}, NAMES) == ""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("JPY_SESSION_NAME", "a/class/07_relu.ipynb")
    assert change_notice({"In": [WRONG]}, NAMES)


def test_where_no_notebook_is_known_nothing_is_said(tmp_path, monkeypatch):
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    assert change_notice({"In": [WRONG]}, NAMES) == ""
    monkeypatch.setenv("JPY_SESSION_NAME", str(tmp_path / "gone.ipynb"))
    assert change_notice({"In": [WRONG]}, NAMES) == ""


def test_vs_code_names_it_in_its_own_way(tmp_path):
    place = notebook(tmp_path / "07_relu.ipynb", RIGHT)
    assert "07_relu.ipynb" in change_notice({"In": [WRONG], "__vsc_ipynb_file__": str(place)}, NAMES)
