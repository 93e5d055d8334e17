"""Notebooks and files as strangers write them."""

import json
import time

import pytest

from course.grading.submission import Submission, SubmissionError
from tests.grading.students import cells, notebook, plain, script


def call(submission, name="f", *arguments):
    found = submission.find([name])
    assert found.fault is None, found.fault
    return found.values[name](*arguments)


def test_source_may_be_a_list_or_a_string_and_cells_may_be_odd(tmp_path):
    odd = [
        {"cell_type": "code", "source": ["def f():\n", "    return 1\n", None]},
        {"cell_type": "code"},
        {"cell_type": "code", "source": 3},
        {"cell_type": "raw", "source": "def g(: nonsense"},
        "no cell at all",
        None,
    ]
    path = plain(tmp_path / "odd.ipynb", json.dumps({"cells": odd}))
    assert call(Submission.read(path)) == 1


def test_a_notebook_of_format_3_is_read(tmp_path):
    sheet = {"cells": [{"cell_type": "code", "input": ["def f(): return 1"], "language": "python"}]}
    path = plain(tmp_path / "old.ipynb", json.dumps({"worksheets": [sheet], "nbformat": 3}))
    assert call(Submission.read(path)) == 1


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"cells": 3}', "null", "[" * 100_000])
def test_a_notebook_that_is_none_is_refused_in_a_sentence(tmp_path, text):
    path = plain(tmp_path / "broken.ipynb", text)
    with pytest.raises(SubmissionError, match=r"broken\.ipynb can't be read: it is not a notebook"):
        Submission.read(path)


@pytest.mark.parametrize("raw", [b"\xff\xfe\x00d\x00e", b"\x89PNG\r\n\x1a\n\x00\x00", b"# coding: klingon\n", b"a\0b"])
def test_a_file_that_is_no_text_is_refused_in_a_sentence(tmp_path, raw):
    path = tmp_path / "work.py"
    path.write_bytes(raw)
    with pytest.raises(SubmissionError, match="can't be read: it is not text"):
        Submission.read(path)


def test_other_files_of_a_folder_are_judged_beside_one_that_cannot_be_read(tmp_path):
    plain(tmp_path / "a.ipynb", "{")
    plain(tmp_path / "b.py", "def f(): return 1\n")
    submission = Submission.read(tmp_path)
    assert call(submission) == 1
    assert [fault.kind for fault in submission.faults] == ["unreadable"]
    fault = submission.find(["g"]).fault
    assert fault.kind == "unreadable"
    assert "a.ipynb can't be read" in fault.message


def test_an_empty_file_defines_nothing(tmp_path):
    assert script(tmp_path, "").find(["f"]).fault.kind == "missing"


def test_byte_order_mark_carriage_returns_and_old_encodings_are_read(tmp_path):
    path = tmp_path / "work.py"
    path.write_bytes(b"\xef\xbb\xbfs = 'x'\r\n\r\ndef f():\r\n    return s\r\n")
    assert call(Submission.read(path)) == "x"
    path.write_bytes(b"# -*- coding: latin-1 -*-\ns = '\xe9'\rdef f(): return s\r")
    assert call(Submission.read(path)) == "é"


def test_warnings_about_their_code_stay_with_them(tmp_path):
    assert call(script(tmp_path, 'def f(x=1):\n    "\\mu \\in R"\n    return x is 1\n'))


def test_a_cell_that_is_no_python_does_not_hurt_its_neighbours(tmp_path):
    submission = cells(tmp_path, "def f(: pass", "def g(): return 1", "x = = 2")
    assert call(submission, "g") == 1
    assert [fault.line.file for fault in submission.faults] == ["work.ipynb cell 1", "work.ipynb cell 3"]


def test_a_wanted_name_in_a_broken_cell_is_a_syntax_fault_with_its_line(tmp_path):
    fault = cells(tmp_path, "# Text", "import math\n\ndef f(x):\n    return (x\n").find(["f"]).fault
    assert (fault.kind, fault.message) == ("syntax", "SyntaxError: '(' was never closed.")
    assert str(fault.line) == "work.ipynb cell 2, line 4: return (x"


def test_a_needed_name_in_a_broken_cell_is_a_syntax_fault(tmp_path):
    fault = cells(tmp_path, "def helper(x):\nreturn x", "def f(x): return helper(x)").find(["f"]).fault
    assert (fault.kind, fault.line.number) == ("syntax", 2)


def test_a_broken_cell_that_defines_the_name_anew_is_not_passed_over(tmp_path):
    stub = "def f(x):\n    raise NotImplementedError"
    assert cells(tmp_path, "def f(x): return x", "def f(x) return x").find(["f"]).fault.kind == "syntax"
    assert cells(tmp_path, "def f(x) return x", stub).find(["f"]).fault.kind == "syntax"
    assert call(cells(tmp_path, "def f(x) return x", "def f(x): return x"), "f", 1) == 1


def test_tabs_and_spaces_are_a_fault_with_a_line(tmp_path):
    fault = script(tmp_path, "def f(x):\n        y = x\n\treturn y\n").find(["f"]).fault
    assert (fault.kind, fault.line.number) == ("syntax", 3)
    assert fault.message.startswith("TabError")


def test_what_parses_and_still_is_no_python_is_a_fault_with_a_line(tmp_path):
    fault = script(tmp_path, "x = 1\n\ndef f(a):\n    b = 2\n    global a\n    return a\n").find(["f"]).fault
    assert (fault.kind, fault.line.number) == ("syntax", 5)
    fault = script(tmp_path, "x = 1\n\ndef f(a):\n    break\n").find(["f"]).fault
    assert (fault.kind, fault.line.number) == ("syntax", 4)


def test_magics_are_blanked_and_line_numbers_hold(tmp_path):
    submission = cells(
        tmp_path,
        """\
        %matplotlib inline
        !pip install \\
            "jax
        ?print
        files = !ls
        took = %timeit -o sum([1])
        def f(a, b):
            %time a
            c = (a
                 % b)
            return c / 0
        f?
        f??
        """,
    )
    f = submission.find(["f"]).values["f"]
    with pytest.raises(ZeroDivisionError) as error:
        f(7, 4)
    assert error.traceback[-1].lineno + 1 == 11


def test_a_string_that_looks_like_a_magic_is_left_alone(tmp_path):
    assert call(cells(tmp_path, 'text = """\n%load me\n!ls\n"""\ndef f(): return text')) == "\n%load me\n!ls\n"


def test_a_cell_magic_is_not_read_and_says_so_where_it_hides_an_answer(tmp_path):
    submission = cells(tmp_path, "%%bash\nrm -rf nothing", "%%time\ndef f(): return 1")
    fault = submission.find(["f"]).fault
    assert (fault.kind, fault.where, fault.line.code) == ("skipped", "f", "%%time")
    assert "starts with %%time" in fault.message


@pytest.mark.parametrize(
    "text", ["s = '\ud800'", "s = 1\0", "s = " + "1+" * 9000 + "1", "s = " + "(" * 500 + ")" * 500]
)
def test_a_cell_that_python_cannot_digest_is_a_fault(tmp_path, text):
    source = f"{text}\ndef f(): return s"
    path = plain(tmp_path / "work.ipynb", json.dumps({"cells": [{"cell_type": "code", "source": source}]}))
    assert Submission.read(path).find(["f"]).fault.kind == "syntax"


def test_a_percent_file_is_read_cell_by_cell_where_it_is_broken(tmp_path):
    submission = script(tmp_path, "# %%\ndef f(): return 1\n# %% [markdown]\n# text\n# %%\ndef g(: pass\n")
    assert call(submission) == 1
    assert submission.find(["g"]).fault.line.number == 6


def test_hidden_folders_environments_and_checkpoints_are_left_out(tmp_path):
    plain(tmp_path / "b" / "work.py", "def f(): return 1\n")
    notebook(tmp_path / "a" / "one.ipynb", "def g(): return 1")
    for hidden in (".ipynb_checkpoints", ".venv", "__pycache__", "node_modules", "b/.cache"):
        plain(tmp_path / hidden / "work.py", "def f(): return 2\n")
    plain(tmp_path / "myenv" / "pyvenv.cfg", "")
    plain(tmp_path / "myenv" / "lib" / "work.py", "def f(): return 2\n")
    plain(tmp_path / ".hidden.py", "def f(): return 2\n")
    plain(tmp_path / "notes.txt", "f")
    assert [file.name for file in Submission.read(tmp_path).files] == ["a/one.ipynb", "b/work.py"]


def test_a_folder_of_25_notebooks_is_read_in_a_moment(tmp_path):
    lesson = ["# Text of a lesson\n" * 20, *["def helper(x):\n    y = x * 2\n    return y + 1\n" * 3] * 15]
    for number in range(25):
        notebook(tmp_path / f"{number:02}.ipynb", *lesson)
    Submission.read(tmp_path)
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        Submission.read(tmp_path)
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.5  # measured 0.03; ten times that on a busy machine is no news
