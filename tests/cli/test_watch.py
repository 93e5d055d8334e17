"""Claims about `course watch`: a save is judged and shown, Enter goes on, an endless loop ends in a verdict."""

import os
import queue
import subprocess
import sys
import threading
import time

import pytest

from course.cli import main
from course.cli.watch import _Watching
from course.cli.worker import Ended, Worker
from tests.cli.learner import RELU, RIGHT, WRONG, folder

ENDLESS = RIGHT.replace("    return (jnp", "    while True: pass\n    return (jnp")


class Says:
    """A worker that says what it was told to."""

    def __init__(self, *judged, changed=()):
        self.judged, self.changes, self.asked = list(judged), list(changed), []

    def warm(self):
        pass

    def follow(self, what, *arguments):
        self.asked.append((what, *arguments))
        said = self.judged.pop(0)
        if isinstance(said, Exception):
            raise said
        yield from (("early", verdict) for verdict in said[:-1])
        yield "answer", said[-1]

    def ask(self, what, *arguments):
        self.asked.append((what, *arguments))
        said = {"changed": self.changes, "hints": (("A nudge.",), 3)}
        return said[what] if what in said else self.judged.pop(0)


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory):
    from course.grading.watched import Watched

    place = folder(tmp_path_factory.mktemp("judged"), WRONG)
    wrong = Watched(place).judge(RELU, early=print)
    folder(place, RIGHT)
    return wrong, Watched(place).judge(RELU, early=print)


def watching(place, worker):
    return _Watching(folder(place), worker, RELU)


def typed(*words):
    lines = queue.SimpleQueue()
    for word in words:
        lines.put(word)
    return lines


def test_a_verdict_is_shown_before_its_reason_and_again_with_it(tmp_path, verdicts, capsys):
    wrong, _ = verdicts
    watching(tmp_path, Says([wrong, wrong]))._judge([RELU])
    out = capsys.readouterr().out
    assert out.count("x_bar is wrong") == 2
    assert out.index("looking for the reason") < out.index("Enter: go on")


def test_what_was_saved_is_judged_or_else_what_is_on_the_screen(tmp_path, verdicts):
    wrong, right = verdicts
    worker = Says([wrong], [right], changed=["losses.q1"])
    screen = watching(tmp_path, worker)
    screen._judge_saved()
    worker.changes = []
    screen._judge_saved()
    judged = [asked[1] for asked in worker.asked if asked[0] == "judge"]
    assert judged == ["losses.q1", RELU], "the second is what the verdict shown was about"


def test_what_was_saved_while_the_first_verdict_was_made_is_judged(tmp_path, verdicts, monkeypatch):
    wrong, right = verdicts
    worker = Says([wrong], [right], changed=[RELU])
    monkeypatch.setattr("watchfiles.watch", lambda *arguments, **options: iter([set(), set()]))
    monkeypatch.setattr("course.cli.watch._lines_typed", lambda: typed("q"))
    watching(tmp_path, worker).run()
    assert worker.asked == [("judge", RELU), ("changed",), ("judge", RELU)]


def test_an_answer_that_takes_its_process_along_ends_in_a_verdict(tmp_path, verdicts, capsys):
    wrong, _ = verdicts
    worker = Says(Ended("It ran for 3 seconds and was stopped."), wrong)
    watching(tmp_path, worker)._judge([RELU])
    assert worker.asked[-1] == ("stopped", RELU, "It ran for 3 seconds and was stopped.")
    assert "x_bar is wrong" in capsys.readouterr().out


def test_keys_go_on_explain_hint_and_quit(tmp_path, verdicts, capsys):
    wrong, right = verdicts
    worker = Says([wrong], [right], [wrong])
    screen = watching(tmp_path, worker)
    screen._judge([RELU])
    assert screen._obey(typed(""))
    assert worker.asked[-1] == ("judge", RELU), "what is wrong is judged again"
    assert screen._obey(typed(""))
    assert worker.asked[-1] == ("judge", "chain_rule"), "what is right is left for what comes next"
    assert screen._obey(typed("h"))
    assert screen._obey(typed("w"))
    assert screen._obey(typed())
    out = capsys.readouterr().out
    assert "1. A nudge." in out
    assert "jax.vjp" in out
    assert not screen._obey(typed("q"))


def test_outside_a_folder_there_is_nothing_to_watch(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["watch"]) == 2
    assert "`course start`" in capsys.readouterr().err


@pytest.mark.slow
def test_saves_are_judged_an_endless_loop_is_ended_and_watching_goes_on(tmp_path):
    place = folder(tmp_path, WRONG)
    process = subprocess.Popen(
        [sys.executable, "-c", "from course.cli import main; main()", "watch", RELU, "--seconds", "4"],
        cwd=place,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    heard = []
    threading.Thread(target=lambda: heard.extend(iter(process.stdout.readline, "")), daemon=True).start()

    def wait_for(words):
        until = time.monotonic() + 150
        while not any(words in line for line in heard):
            assert time.monotonic() < until, "".join(heard)
            time.sleep(0.05)
        heard.clear()

    wait_for("x_bar is wrong")
    folder(place, RIGHT)
    wait_for("three independent checks agree")
    folder(place, ENDLESS)
    wait_for("It ran for 4 seconds and was stopped")
    folder(place, RIGHT)
    wait_for("three independent checks agree")
    process.communicate("q\n", timeout=60)
    assert process.returncode == 0


@pytest.mark.slow
def test_a_process_that_ends_itself_is_started_again(tmp_path):
    leaves = RIGHT.replace("import jax", "import os\nimport jax").replace(
        "    return jnp", "    return os._exit(3) or jnp"
    )
    worker = Worker(folder(tmp_path, leaves), 20.0)
    try:
        with pytest.raises(Ended, match="ended the process"):
            worker.ask("judge", RELU)
        assert worker.ask("changed") == []
    finally:
        worker.close()
