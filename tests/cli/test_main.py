"""What the command itself promises: help that is quick, and a sentence where nothing can be done."""

import subprocess
import sys

import pytest

from course.cli import COMMANDS, INTERRUPTED, OUR_FAULT, main


def test_help_lists_every_command_and_imports_none(capsys):
    assert main(["--help", "--all"]) == 0
    out = capsys.readouterr().out
    assert all(f"  {name}" in out for name in COMMANDS)


@pytest.mark.parametrize("arguments", [["--help"], [], ["check", "--help"], ["check"], ["check", "lossess"]])
def test_what_needs_no_jax_starts_none(arguments, tmp_path):
    program = f"import sys; from course.cli import main; main({arguments}); sys.exit('jax' in sys.modules)"
    expected = 1 if arguments[-1:] == ["lossess"] else 0  # the nearest name may be an exercise's
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True)
    assert done.returncode <= expected


def test_judging_imports_nothing_that_it_does_not_need(tmp_path):
    program = """
import sys
from course.cli import main
main(["check", "linear_and_activations.q1", "--submission", "work.py"])
print(*sys.modules, file=sys.stderr)
"""
    (tmp_path / "work.py").write_text("import course\ncourse.answer('linear_and_activations.q1', 'a')\n")
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True)
    loaded = {name.partition(".")[0] for name in done.stderr.split()}
    assert "jax" in loaded
    assert not {"pytest", "matplotlib", "optax", "sklearn", "IPython", "orbax", "nbformat"} & loaded


@pytest.mark.parametrize("typed, meant", [("chek", "did you mean check?"), ("zzz", "there are start, next, check")])
def test_a_command_that_is_not_there_is_one_sentence(capsys, typed, meant):
    assert main([typed]) == 2
    assert meant in capsys.readouterr().err


def _replace_check(monkeypatch, raises):
    def raising(*args, **kwargs):
        raise raises

    monkeypatch.setattr("course.cli.check._read", raising)


def test_an_interruption_is_one_line(monkeypatch, capsys):
    _replace_check(monkeypatch, KeyboardInterrupt())
    assert main(["check"]) == INTERRUPTED
    assert capsys.readouterr().err.strip() == "Interrupted."


def test_our_own_failure_is_said_without_a_traceback(monkeypatch, capsys):
    _replace_check(monkeypatch, ZeroDivisionError("oh"))
    monkeypatch.delenv("HANDGRAD_TRACEBACK", raising=False)
    assert main(["check"]) == OUR_FAULT
    err = capsys.readouterr().err
    assert "our fault: ZeroDivisionError: oh" in err
    assert "Traceback" not in err


def test_a_traceback_can_be_asked_for(monkeypatch):
    _replace_check(monkeypatch, ZeroDivisionError("oh"))
    monkeypatch.setenv("HANDGRAD_TRACEBACK", "1")
    with pytest.raises(ZeroDivisionError):
        main(["check"])
