"""Claims about numbers and text as people read them."""

import math
import os
import sys
from pathlib import Path

import pytest

from course.show import words


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *[(0, "0"), (960, "960"), (999, "999"), (1_000, "1.0k"), (1_240, "1.2k"), (99_949, "99.9k")],
        *[(99_960, "100k"), (999_600, "1.0M"), (3_400_000, "3.4M"), (2e12, "2.0T"), (5e18, "5000P")],
    ],
)
def test_counts_are_short(value: float, text: str) -> None:
    assert words.count(value) == text


def test_sizes_carry_their_unit_and_nothing_is_a_dash() -> None:
    assert [words.size(v) for v in (96, 1_536, 3.4e6, None)] == ["96 B", "1.5 kB", "3.4 MB", "–"]


def test_multiples_keep_the_digits_that_matter() -> None:
    assert [words.times(r) for r in (0.5, 1, 2.13, 70, 142.4, 3_555, math.inf)] == [
        *("0.50×", "1.0×", "2.1×", "70.0×", "142×", "3.6k×", "?")
    ]


def test_times_choose_their_unit() -> None:
    assert [words.seconds(s) for s in (3.2e-4, 1.25e-3, 2.4)] == ["320 µs", "1.25 ms", "2.4 s"]


def test_an_oracle_that_was_not_asked_shows_nothing() -> None:
    assert [words.error(e) for e in (None, 0.0, 1.1e-16, 1e-9, 1.37, math.nan)] == [
        "",
        "0",
        "1.1e-16",
        "1e-9",
        "1.4",
        "nan",
    ]


def test_points_are_whole_where_they_can_be() -> None:
    assert [words.points(p) for p in (0, 4.0, 2.5, 1 / 3)] == ["0", "4", "2.5", "0.33"]


def test_bars_are_linear_until_the_shortest_would_vanish() -> None:
    assert words.lengths([1, 2, 4]) == ([0.25, 0.5, 1.0], False)
    lengths, logarithmic = words.lengths([2.0, 140.0])
    assert logarithmic
    assert 0.1 < lengths[0] < lengths[1] == 1.0


def test_bars_survive_numbers_that_are_none() -> None:
    assert words.lengths([]) == ([], False)
    assert words.lengths([0.0, math.nan]) == ([0.0, 0.0], False)
    assert words.lengths([math.inf, 1.0, 0.0]) == ([0.0, 1.0, 0.0], False)


def test_the_smallest_bar_can_still_be_seen() -> None:
    assert [words.bar(length, 4) for length in (0, 1e-9, 0.5, 1)] == ["", "▏", "██", "████"]


def test_text_of_strangers_cannot_move_the_cursor_or_turn_a_line() -> None:
    hostile = "a\x1b[2Jb\rc\u202ed\x07\tz\ud800"
    assert words.printable(hostile).isprintable()
    assert "\x1b" not in words.printable(hostile)


def test_text_can_be_encoded_whatever_the_stream() -> None:
    text = "✓ ≤ × · … é 漢"
    for encoding in ("ascii", "cp1252", "latin-1", "utf-8"):
        words.printable(text, encoding).encode(encoding)
    assert words.printable(text, "ascii") == "+ <= x - ... ? ?"


def test_a_command_works_in_the_folder_that_one_is_sent_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANDGRAD_COMMAND", "python3 my folder/run.py")
    assert words.command("check") == "python3 my folder/run.py check"
    assert words.command("check", within="work") == f"python3 {os.path.join('..', 'my folder', 'run.py')} check"
    monkeypatch.delenv("HANDGRAD_COMMAND")
    assert words.command("check", within="work") == "course check"


def test_a_tool_is_told_by_its_path_unless_the_shell_finds_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    beside = tmp_path / "bin" / ("jupyter.exe" if os.name == "nt" else "jupyter")
    beside.parent.mkdir()
    beside.write_text("")
    beside.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(beside.with_name("python")))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "")
    assert words.tool("jupyter", within="work") == os.path.join("..", "bin", beside.name)
    monkeypatch.setenv("PATH", str(beside.parent))
    assert words.tool("jupyter", within="work") == "jupyter"
