"""What `course check` promises: verdicts on stdout, an exit status to rely on, and no traceback of ours."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from course.answers import MARKER
from course.cli import main
from course.exercises import paper_of
from course.lessons import SYLLABUS
from course.records import Status
from tests.cli.learner import AS_WRONG, RELU, RIGHT, STUB, WRONG, folder


@pytest.fixture
def check(tmp_path, monkeypatch, capsys):
    """Runs `course check` in a learner's folder that holds a text: (exit status, stdout, stderr)."""

    def run(text, *arguments):
        monkeypatch.chdir(folder(tmp_path / "mine", text))
        status = main(["check", *arguments])
        return (status, *capsys.readouterr())

    return run


def test_a_right_answer_exits_with_0(check):
    status, out, err = check(RIGHT, RELU)
    assert (status, err) == (0, "")
    assert "✓ relu" in out
    assert "2/2" in out


@pytest.mark.parametrize("text", [WRONG, STUB, "def relu_fwd(x:\n", "relu_fwd = 1 / 0\nrelu_bwd = 1"])
def test_anything_else_exits_with_1_and_shows_no_traceback(check, text):
    status, out, err = check(text, RELU)
    assert (status, err) == (1, "")
    assert "Traceback" not in out


def test_a_lesson_is_right_when_all_of_it_is(check):
    status, out, _ = check(RIGHT, "linear_and_activations")
    assert status == 1
    assert "✓ relu" in out
    assert "○ affine" in out


def test_without_a_name_every_exercise_of_a_lesson_begun_has_a_row_and_every_other_lesson_one(check):
    status, out, _ = check(RIGHT)
    assert status == 1
    assert "✓ right" in out
    begun = len(paper_of("linear_and_activations").exercises)
    assert out.count("○ not started") == begun - 1 + len(SYLLABUS) - 1
    assert "Next: " in out


def test_the_folder_is_found_from_a_folder_inside_it(tmp_path, monkeypatch, capsys):
    place = folder(tmp_path, RIGHT) / "inside"
    place.mkdir()
    monkeypatch.chdir(place)
    assert main(["check", RELU]) == 0
    assert "✓" in capsys.readouterr().out


def test_json_is_a_list_of_verdicts_and_nothing_else(check):
    status, out, err = check(WRONG, RELU, "--json")
    (found,) = json.loads(out)
    assert (status, err) == (1, "")
    assert found["exercise"] == RELU
    assert found["status"] == Status.WRONG
    assert found["schema"] == 1


def test_why_shows_the_arrays_and_cost_is_shown_where_the_lesson_shows_it(check):
    _, out, _ = check(WRONG, RELU, "--why", "--cost")
    assert "jax.vjp" in out
    assert "x_bar" in out
    assert "cost" in out.lower()


def test_feedback_says_less_or_more(check):
    assert "x_bar" not in check(WRONG, RELU, "--feedback", "pass")[1]
    assert "opposite sign" in check(WRONG, RELU, "--feedback", "kind")[1]


def test_debug_lets_prints_through(check):
    loud = RIGHT.replace("    return (jnp", "    print('here I am')\n    return (jnp")
    assert "here I am" in check(loud, RELU, "--debug")[1].split("✓")[0]


def test_each_wrong_try_with_a_new_text_says_more(check):
    first, again = check(WRONG, RELU)[1], check(WRONG, RELU)[1]
    second = check(AS_WRONG, RELU)[1]
    assert first == again
    assert "sign" not in first
    assert "2 times" in second


def test_tries_are_kept_in_the_folder(check, tmp_path):
    check(WRONG, RELU)
    kept = json.loads((tmp_path / "mine" / MARKER).read_text())
    assert kept["exercises"][RELU]["attempts"] == 1
    assert kept["exercises"]["linear_and_activations.affine"]["status"] == "not_started"


def test_a_submission_that_is_nobodys_folder_is_left_as_it_is(tmp_path, monkeypatch, capsys):
    place = tmp_path / "class"
    place.mkdir()
    (place / "work.py").write_text(WRONG)
    monkeypatch.chdir(tmp_path)
    assert main(["check", RELU, "--submission", str(place)]) == 1
    assert main(["check", RELU, "--submission", str(place / "work.py")]) == 1
    assert "sign" not in capsys.readouterr().out
    assert sorted(path.name for path in place.iterdir()) == ["work.py"]


def test_a_file_that_is_not_ours_is_put_aside_and_said(check, tmp_path):
    check(WRONG, RELU)
    (tmp_path / "mine" / MARKER).write_text("{ not JSON")
    monkey = main(["check", RELU])
    assert monkey == 1
    assert (tmp_path / "mine" / f"{MARKER}.bak").read_text() == "{ not JSON"


@pytest.mark.parametrize(
    "arguments, says",
    [
        (["lossess"], "There is no lesson called 'lossess': did you mean losses?"),
        (["relu"], f"There is no lesson called 'relu': did you mean {RELU}?"),
        (["losses.half"], "There is no exercise called 'losses.half': did you mean losses.half_squared_error?"),
        (["parameter_trees.step"], "no exercise called 'parameter_trees.step': there are parameter_trees.line,"),
        (["--submission", "wrok.py"], "There is no wrok.py. Did you mean work.py?"),
        (["--feedback", "all"], "'all' is not one of"),
        (["--seed", "-1"], "-1"),
        (["--nonsense"], "--nonsense"),
    ],
)
def test_bad_input_is_one_sentence_and_exits_with_2(check, arguments, says):
    status, out, err = check(RIGHT, *arguments)
    assert (status, out) == (2, "")
    assert says in err
    assert len(err.splitlines()) == 1


def test_nowhere_it_says_what_to_do(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["check"]) == 2
    assert "`course start`" in capsys.readouterr().err


def test_commands_are_printed_as_they_can_be_typed(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HANDGRAD_COMMAND", "python3 run.py")
    monkeypatch.chdir(tmp_path)
    main(["check"])
    assert "`python3 run.py start`" in capsys.readouterr().err


def course(*arguments: str, where: Path, **environment: str) -> subprocess.Popen[bytes]:
    """Starts the command in a process of its own."""
    env = {**os.environ, "HANDGRAD_CACHE": str(where / "cache"), **environment}
    program = "import sys; from course.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.Popen(command, cwd=where, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_a_new_process_judges_silently_on_a_terminal_without_unicode_and_keeps_what_it_compiled(tmp_path):
    folder(tmp_path, RIGHT)
    for _ in range(2):
        done = course("check", RELU, where=tmp_path, PYTHONIOENCODING="ascii", LC_ALL="C", PYTHONUTF8="0")
        out, err = done.communicate()
        assert (done.returncode, err) == (0, b"")
        assert out.isascii()
        assert b"+ relu" in out
    assert list((tmp_path / ".handgrad_cache").glob("*-cache"))


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT to send")
def test_ctrl_c_is_one_line_and_exits_with_130(tmp_path):
    nap = "import course, time\nnap = (open('started', 'w').close(), time.sleep(60))\n"
    folder(tmp_path, f"{nap}course.answer('losses.q1', nap)\n")
    running = course("check", "losses.q1", where=tmp_path)
    while not (tmp_path / "started").exists() and running.poll() is None:
        time.sleep(0.1)
    running.send_signal(signal.SIGINT)
    out, err = running.communicate()
    assert (running.returncode, out, err.strip()) == (130, b"", b"Interrupted.")
