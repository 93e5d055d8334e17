"""What `course start` says; what it makes is held by the tests of `course.authoring`."""

from pathlib import Path

from course.authoring import start as authoring
from course.authoring.start import Started, StartError
from course.cli import main


def start(monkeypatch, *arguments, made=(), kept=(), fails=""):
    asked = []

    def make(folder, files=False, draw=None):
        asked.append((folder, files, draw))
        if fails:
            raise StartError(fails)
        return Started(folder, tuple(made), tuple(kept))

    monkeypatch.setattr(authoring, "start", make)
    return main(["start", *arguments]), asked[0]


def test_it_says_what_was_made_and_what_to_do_next(monkeypatch, capsys):
    status, asked = start(monkeypatch, made=["01_chain_rule.ipynb"])
    out = capsys.readouterr().out
    assert (status, asked) == (0, (Path("work"), False, None))
    assert "01_chain_rule.ipynb" in out
    assert "cd work" in out
    assert "course check" in out


def test_it_says_that_work_was_left_alone(monkeypatch, capsys):
    status, asked = start(monkeypatch, "here", "--files", "--draw", "417", kept=["chain_rule.py", "losses.py"])
    assert (status, asked) == (0, (Path("here"), True, 417))
    assert "2 lessons of yours" in capsys.readouterr().out


def test_what_cannot_be_done_is_one_sentence(monkeypatch, capsys):
    status, _ = start(monkeypatch, fails="There are no notebooks to copy.")
    assert (status, capsys.readouterr().err) == (2, "There are no notebooks to copy.\n")
