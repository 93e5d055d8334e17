"""One line that appears after a while on a terminal, and nowhere else."""

import io
import sys
import time

import pytest

from course.cli import progress
from course.cli.progress import Progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(progress, "PATIENCE", 0.01)
    monkeypatch.setenv("TERM", "xterm")

    def run(stream, shown=True):
        monkeypatch.setattr(sys, "stderr", stream)
        with Progress(shown=shown) as line:
            line.say("judging relu")
            time.sleep(0.5)
        return stream.getvalue()

    return run


def test_it_appears_on_a_terminal_once_something_takes_long(impatient):
    assert "judging relu" in impatient(Terminal())


def test_it_says_nothing_where_nobody_watches(impatient):
    assert impatient(io.StringIO()) == ""


def test_it_keeps_out_of_the_way_of_breakpoints(impatient):
    assert impatient(Terminal(), shown=False) == ""


def test_what_is_quick_passes_without_a_word(monkeypatch):
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    with Progress() as line:
        line.say("judging relu")
    assert stream.getvalue() == ""
