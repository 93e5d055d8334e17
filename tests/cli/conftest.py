"""The command `course` in this process: no cache of its own, and the words of a shell of its own."""

import pytest


@pytest.fixture(autouse=True)
def _own_shell(monkeypatch):
    monkeypatch.delenv("HANDGRAD_COMMAND", raising=False)
    monkeypatch.setattr("course.cli.readying.keep_programs", lambda: None)
