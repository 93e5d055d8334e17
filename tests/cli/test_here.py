"""What `course` alone says: where you are, and what is next."""

import json

from course.answers import MARKER
from course.cli import main
from course.lessons import SYLLABUS
from course.records import Status


def say(place, monkeypatch, capsys, **exercises):
    (place / MARKER).write_text(json.dumps({"schema": 1, "exercises": exercises}))
    monkeypatch.chdir(place)
    assert main([]) == 0
    return capsys.readouterr().out


def test_outside_a_folder_it_says_how_to_start(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main([]) == 0
    assert "`course start`" in capsys.readouterr().out


def test_at_first_the_first_lesson_is_next(tmp_path, monkeypatch, capsys):
    out = say(tmp_path, monkeypatch, capsys)
    assert SYLLABUS[0].title in out
    assert f"`course check {SYLLABUS[0].name}`" in out


def test_the_first_exercise_that_is_not_right_is_next(tmp_path, monkeypatch, capsys):
    name = SYLLABUS[0].name
    tried = {f"{name}.{i}": {"status": status} for i, status in enumerate(["right", "costly", "wrong", "not_started"])}
    out = say(tmp_path, monkeypatch, capsys, **tried)
    assert "2 of 4 right" in out
    assert f"`course check {name}.2`" in out


def test_when_a_lesson_is_right_the_next_lesson_is_next(tmp_path, monkeypatch, capsys):
    out = say(tmp_path, monkeypatch, capsys, **{f"{SYLLABUS[0].name}.only": {"status": Status.RIGHT.value}})
    assert f"`course check {SYLLABUS[1].name}`" in out


def test_a_file_that_cannot_be_read_is_said(tmp_path, monkeypatch, capsys):
    (tmp_path / MARKER).write_text("[]")
    monkeypatch.chdir(tmp_path)
    assert main([]) == 0
    assert "can't be read" in capsys.readouterr().err
