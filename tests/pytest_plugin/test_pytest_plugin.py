"""What `pytest --submission PATH` promises, in pytest's own words."""

import subprocess
import sys
import textwrap

import pytest

import course.grading.judging  # noqa: F401  # before pytester forgets what a test imported: JAX can't be imported twice
from course.answers import MARKER
from course.grading.ready import CACHE
from course.grading.soundness import Unsound

STUB = """
def relu_fwd(x):
    raise NotImplementedError

def relu_bwd(residuals, y_bar):
    raise NotImplementedError
"""
RIGHT = """
import jax.numpy as jnp

def relu_fwd(x):
    return jnp.where(x > 0, x, 0), x > 0

def relu_bwd(residuals, y_bar):
    return (jnp.where(residuals, y_bar, 0),)
"""
WRONG = RIGHT.replace("y_bar, 0)", "-y_bar, 0)")


@pytest.fixture
def grade(pytester):
    """Runs the autograder on a file of this text, in this process."""

    def run(source, *options):
        path = pytester.makepyfile(answers=textwrap.dedent(source))
        return pytester.runpytest_inprocess("--submission", str(path), "-k", "relu", "-rA", *options)

    return run


def test_a_right_answer_passes_every_question(grade):
    result = grade(RIGHT)
    assert result.ret == 0
    result.assert_outcomes(passed=7)
    result.stdout.fnmatch_lines(["*2 of 2 points*", "PASSED relu::reverse_mode"])


@pytest.mark.parametrize("text", ['"Mine."', "..."])
def test_a_text_is_skipped_with_its_reason_and_is_no_failure(pytester, text):
    path = pytester.makepyfile(answers=f'import course\ncourse.answer("losses.text", {text})\n')
    result = pytester.runpytest_inprocess("--submission", str(path), "-k", "losses.text", "-rs")
    assert result.ret == 0
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["*: a person judges this*"])


def test_after_the_first_failure_nothing_more_is_asked(grade):
    result = grade(WRONG)
    assert result.ret == 1
    result.assert_outcomes(passed=2, failed=1, skipped=4)
    result.stdout.fnmatch_lines(["*x_bar is wrong*", "*not asked*"])


def test_a_failure_is_told_by_the_verdict_and_not_by_our_traceback(grade):
    output = grade(WRONG).stdout.str()
    assert "pytest_plugin.py" not in output
    assert "Traceback" not in output


def test_a_stub_is_skipped_and_the_run_fails_all_the_same(grade):
    result = grade(STUB)
    result.assert_outcomes(skipped=7)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*0 of 2 points*", "*--allow-unstarted*"])


def test_unstarted_exercises_can_be_allowed(grade):
    assert grade(STUB, "--allow-unstarted").ret == 0


def test_an_exception_in_an_answer_shows_its_own_line(grade):
    result = grade(RIGHT.replace("(jnp.where(residuals, y_bar, 0),)", "residuals.nothing"))
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*AttributeError*", "*residuals.nothing*"])


def test_a_path_that_is_not_there_is_one_sentence(pytester):
    result = pytester.runpytest_inprocess("--submission", "nowhere.ipynb")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "There is no nowhere.ipynb" in result.stdout.str() + result.stderr.str()


def test_a_jax_that_computes_wrongly_is_one_sentence(pytester, monkeypatch):
    def refuse():
        raise Unsound("A known sum must be 4, and JAX gives 5 here.")

    monkeypatch.setattr("course.grading.soundness.require_sound_jax", refuse)
    result = pytester.runpytest_inprocess("--submission", str(pytester.makepyfile(answers=RIGHT)), "-k", "relu")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "ERROR: A known sum must be 4, and JAX gives 5 here." in result.stderr.str()
    assert "Traceback" not in result.stdout.str() + result.stderr.str()


def test_compiled_programs_are_kept_in_the_learners_folder(pytester):
    (pytester.path / MARKER).write_text('{"schema": 1}', encoding="utf-8")
    pytester.makepyfile(answers=RIGHT)
    result = pytester.runpytest_subprocess("--submission", "answers.py", "-k", "relu")
    assert result.ret == 0
    assert any((pytester.path / CACHE).iterdir())


def test_nothing_but_the_submission_is_collected(pytester):
    path = pytester.makepyfile(answers=RIGHT)
    pytester.makepyfile(test_other="def test_other(): raise SystemExit('collected')")
    result = pytester.runpytest_inprocess("--submission", str(path), "-k", "relu", "--collect-only", "-q")
    assert "test_other" not in result.stdout.str()


def test_a_conftest_of_a_stranger_is_not_run(pytester):
    folder = pytester.mkdir("stranger")
    folder.joinpath("conftest.py").write_text("raise SystemExit('run')")
    folder.joinpath("answers.py").write_text(RIGHT)
    result = pytester.runpytest_inprocess("--submission", str(folder), "-k", "relu")
    assert result.ret == 0


def test_settings_of_a_stranger_are_refused(pytester):
    folder = pytester.mkdir("stranger")
    folder.joinpath("pytest.ini").write_text("[pytest]\naddopts = -v\n")
    folder.joinpath("answers.py").write_text(RIGHT)
    result = pytester.runpytest_inprocess("--submission", str(folder))
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*part of the submission*"])


def test_another_projects_own_option_of_that_name_stands(pytester):
    pytester.makeconftest("def pytest_addoption(parser): parser.addoption('--submission', default='theirs')")
    pytester.makepyfile("def test_theirs(pytestconfig): assert pytestconfig.getoption('--submission') == 'mine'")
    assert pytester.runpytest_inprocess("--submission=mine").ret == 0


def test_the_long_option_stands_in_where_the_short_one_is_taken(pytester):
    pytester.makeconftest("def pytest_addoption(parser): parser.addoption('--submission')")
    path = pytester.makepyfile(answers=RIGHT)
    assert pytester.runpytest_inprocess("--handgrad-submission", str(path), "-k", "relu").ret == 0


def test_other_projects_pay_nothing():
    code = (
        "import sys, pytest, course.pytest_plugin;"
        "print([m for m in ('jax', 'numpy', 'rich', 'click', 'course.records') if m in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
