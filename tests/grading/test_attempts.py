"""What is kept of a learner's tries, and what becomes of the file that keeps them."""

import dataclasses
import json
import os
import threading

import pytest

from course.answers import MARKER
from course.grading.attempts import Attempts
from course.records import Feedback, Status, Verdict


def verdict(status=Status.WRONG, exercise="losses.q1", **changes):
    made = Verdict(exercise, "a question", status, "", (), "", 1.0, 2.0, Feedback.WHERE)
    return dataclasses.replace(made, **changes)


def kept(folder):
    return json.loads((folder / MARKER).read_text(encoding="utf-8"))


def tries(folder, *texts, status=Status.WRONG):
    """Which try each text in turn is, when it is judged in a process of its own."""
    numbers = []
    for text in texts:
        attempts = Attempts(folder)
        numbers.append(attempts.number("losses.q1", text))
        attempts.keep(verdict(status), text)
    return numbers


def test_a_wrong_try_with_a_new_text_counts(tmp_path):
    assert tries(tmp_path, "a", "b", "c") == [1, 2, 3]


def test_the_same_text_again_is_no_new_try(tmp_path):
    assert tries(tmp_path, "a", "a", "a", "b", "b") == [1, 1, 1, 2, 2]


@pytest.mark.parametrize("status", [status for status in Status if status is not Status.WRONG])
def test_only_a_wrong_answer_is_a_try(tmp_path, status):
    assert tries(tmp_path, "a", "b", status=status) == [1, 1]


def test_what_is_our_fault_is_no_try(tmp_path):
    Attempts(tmp_path).keep(verdict(ours=True), "a")
    assert Attempts(tmp_path).number("losses.q1", "b") == 1


def test_each_exercise_has_its_own_tries(tmp_path):
    tries(tmp_path, "a", "b")
    assert Attempts(tmp_path).number("losses.q2", "c") == 1


def test_the_last_verdict_is_kept_in_short(tmp_path):
    Attempts(tmp_path).keep(verdict(Status.RIGHT, points=2.0, cost_points=1.0), "a", ["losses.q1", "losses.q2"])
    found = kept(tmp_path)
    assert found["schema"] == 1
    assert list(found["exercises"]) == ["losses.q1", "losses.q2"]
    assert found["exercises"]["losses.q1"]["status"] == "right"
    assert found["exercises"]["losses.q1"]["points"] == 3.0
    assert found["exercises"]["losses.q2"]["status"] == "not_started"


def test_without_a_folder_nothing_is_kept_and_every_try_is_the_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert tries(None, "a", "b") == [1, 1]
    assert list(tmp_path.iterdir()) == []


def test_what_others_wrote_into_the_file_stays(tmp_path):
    (tmp_path / MARKER).write_text('{"schema": 1, "name": "Ada", "exercises": {"old.one": {"attempts": 3}}}')
    tries(tmp_path, "a")
    assert kept(tmp_path)["name"] == "Ada"
    assert kept(tmp_path)["exercises"]["old.one"]["attempts"] == 3


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema": 99}', "\x00\xff", "[" * 100_000])
def test_a_file_that_is_not_ours_is_put_aside_and_said(tmp_path, text):
    (tmp_path / MARKER).write_text(text, encoding="latin-1")
    attempts = Attempts(tmp_path)
    attempts.keep(verdict(), "a")
    assert kept(tmp_path)["exercises"]["losses.q1"]["attempts"] == 1
    if text:  # an empty file is a folder that was just marked
        assert (tmp_path / f"{MARKER}.bak").read_text(encoding="latin-1") == text
        assert "can't be read" in attempts.complaint


@pytest.mark.parametrize("entry", ["3", "null", '{"attempts": "many"}', '{"colour": "blue"}', "[]"])
def test_an_entry_that_makes_no_sense_is_passed_over(tmp_path, entry):
    (tmp_path / MARKER).write_text(f'{{"schema": 1, "exercises": {{"losses.q1": {entry}}}}}')
    assert tries(tmp_path, "a", "b") == [1, 2]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="needs a folder that can't be written to")
def test_a_folder_that_cannot_be_written_is_said_and_no_more(tmp_path):
    tmp_path.chmod(0o500)
    attempts = Attempts(tmp_path)
    attempts.keep(verdict(), "a")
    assert "can't be written" in attempts.complaint


def test_a_write_that_fails_leaves_the_file_whole(tmp_path, monkeypatch):
    tries(tmp_path, "a")
    before = kept(tmp_path)
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    attempts = Attempts(tmp_path)
    attempts.keep(verdict(), "b")
    assert "No space left" in attempts.complaint
    assert kept(tmp_path) == before
    assert [path.name for path in tmp_path.iterdir()] == [MARKER]


def test_two_at_once_do_not_lose_each_others_exercises(tmp_path):
    first, second = Attempts(tmp_path), Attempts(tmp_path)
    first.keep(verdict(exercise="losses.q1"), "a")
    second.keep(verdict(exercise="losses.q2"), "b")
    assert list(kept(tmp_path)["exercises"]) == ["losses.q1", "losses.q2"]


def test_nobody_ever_reads_half_a_file(tmp_path):
    tries(tmp_path, "a")
    stop = threading.Event()

    def write():
        number = 0
        while not stop.is_set():
            number += 1
            Attempts(tmp_path).keep(verdict(exercise=f"losses.q{number % 50}"), str(number))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(300):
            assert "losses.q1" in kept(tmp_path)["exercises"]
    finally:
        stop.set()
        writer.join()
