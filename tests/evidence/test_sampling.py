"""The sample: every lesson has its part, and what must not be ends the command with 1."""

import importlib

import pytest

from course.exercises import papers
from course.exercises.tasks.pair import PairTask
from evidence import report
from evidence.__main__ import SECTIONS
from evidence.pieces import Piece
from evidence.sampling import spread


def lessons(kind):
    return {p.lesson for p in papers() for e in p.exercises if e.task.names and isinstance(e.task, kind)}


@pytest.mark.parametrize("number, chosen", [(1, "a"), (2, "ad"), (3, "ace"), (9, "abcdef")])
def test_it_is_spread_evenly(number, chosen):
    assert "".join(spread("abcdef", number)) == chosen


@pytest.mark.parametrize("section, kind", [("corpus", object), ("mutation", object), ("lazy", PairTask)])
def test_each_section_has_a_part_for_every_lesson(section, kind):
    pieces = importlib.import_module(f"evidence.{section}").sample()
    assert {piece.name.partition(".")[0] for piece in pieces} == lessons(kind)
    assert all(piece.steps > 0 for piece in pieces)


def test_what_must_not_be_ends_it_with_1(monkeypatch, tmp_path):
    monkeypatch.setenv("HANDGRAD_CACHE", str(tmp_path))
    sections = {name: importlib.import_module(f"evidence.{name}") for name in SECTIONS}
    fares = {
        "corpus": [["an answer", ["slip", "sign"], ["slip", "sign"], ["right", ""]]],
        "mutation": {"seconds": 1.0, "rows": []},
        "lazy": {"zeros": ["wrong", "arrays"]},
        "attacks": {},
    }
    for name, section in sections.items():
        made = [Piece("none.such", 1, (), lambda step, name=name: fares[name])]
        monkeypatch.setattr(section, "sample", lambda made=made: made)
    assert report.run_sample(sections) == 1
    (tmp_path / "evidence").rename(tmp_path / "before")
    fares["corpus"][0][-1] = ["slip", "sign"]
    assert report.run_sample(sections) == 0
