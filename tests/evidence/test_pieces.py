"""Pieces of work: what is done is kept, what takes too long is ended."""

import importlib
import signal
import time

import pytest
from click.testing import CliRunner

from course.exercises import find_exercise
from evidence import lazy, pieces, report
from evidence.__main__ import SECTIONS, main
from evidence.pieces import Journal, Piece, at_most
from evidence.reached import ROOT, every_source, reached
from evidence.tables import percent, table


def work(name, done, *sources):
    def run(step):
        done.append(name)
        step()
        return {"by": name}

    return Piece(name, 1, sources, run)


def test_what_is_done_is_not_done_again(tmp_path):
    done, steps = [], []
    first = [work("a", done)]
    Journal(tmp_path / "j").results("s", first, lambda: steps.append(1))
    both = Journal(tmp_path / "j").results("s", [*first, work("b", done)], lambda: steps.append(1))
    assert done == ["a", "b"]
    assert len(steps) == 3
    assert both == {"a": {"by": "a"}, "b": {"by": "b"}}


def test_it_is_done_again_when_a_source_of_its_own_changes(tmp_path, monkeypatch):
    monkeypatch.setattr(pieces, "ROOT", tmp_path)
    mine, others = tmp_path / "mine.py", tmp_path / "others.py"
    for text in ("x = 1", "x = 2"):
        mine.write_text(text)
        others.write_text("y = 1")
        pieces._digest.cache_clear()  # of a process that ended
        done = []
        Journal(tmp_path / "j").results("s", [work("a", done, mine), work("b", done, others)], lambda: None)
    assert done == ["a"]


def test_a_piece_runs_the_files_of_its_lesson_and_of_those_it_builds_on():
    files = {path.relative_to(ROOT).as_posix() for path in reached("course.exercises.mlp", "solutions.mlp")}
    assert {"solutions/losses.py", "course/exercises/mistakes/mlp.py", "course/comparison/judging.py"} <= files
    assert {"course/__init__.py", "course/lessons/linear_and_activations.py"} <= files
    assert not {"solutions/chain_rule.py", "evidence/pieces.py"} & files
    assert files <= {path.relative_to(ROOT).as_posix() for path in every_source()}


def test_a_line_that_a_crash_cut_is_done_again(tmp_path):
    done = []
    Journal(tmp_path / "j").results("s", [work("a", done)], lambda: None)
    (tmp_path / "j").write_text((tmp_path / "j").read_text()[:-5])
    Journal(tmp_path / "j").results("s", [work("a", done)], lambda: None)
    assert done == ["a", "a"]


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no alarm clock here")
def test_what_takes_too_long_is_ended():
    with pytest.raises(TimeoutError, match="more than"), at_most(0.05):
        _keep_busy(5)
    with at_most(0.05):
        time.sleep(0.2)
    _keep_busy(0.1)


def _keep_busy(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass


def test_a_bar_in_a_cell_does_not_split_it():
    assert table(("a", "n"), [("x | y", 3), ("z", "")]) == "| a | n |\n| --- | ---: |\n| x \\| y | 3 |\n| z |  |"


def test_a_share_is_never_rounded_up():
    assert percent(199, 200) == "99 %"
    assert percent(0, 0) == "none"


@pytest.mark.parametrize("name", ["chain_rule.square", "losses.softmax_cross_entropy", "losses.q1"])
def test_no_lazy_answer_passes(name):
    found = lazy._judge_all(find_exercise(name), lambda: None)
    assert len(found) >= 5
    assert lazy.complaints({name: found}) == []


def test_a_right_answer_is_complained_of():
    assert lazy.complaints({"a.b": {"zeros": ["right", ""]}}) == ["a.b: zeros passes"]


def test_an_unknown_section_is_refused_by_name():
    told = CliRunner().invoke(main, ["kills"])
    assert told.exit_code == 2
    assert "'kills' is not one of 'corpus', 'mutation', 'lazy', 'attacks'" in told.output


def test_the_committed_page_is_what_the_findings_make():
    sections = {name: importlib.import_module(f"evidence.{name}") for name in SECTIONS}
    assert report.PAGE.read_text(encoding="utf-8") == report.page(sections, report.FOUND)
