"""Claims about verdicts and comparisons as text."""

import dataclasses
import io
import json
import math
import os
import re
import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest
from rich.console import Console

from course.records import Agreement, Entry, Example, Feedback, Status, Verdict
from course.show import faces, rows
from course.show.terminal import comparison_text, overview_text, print_verdict, verdict_text
from tests.show import samples

EVERY = pytest.mark.parametrize("make", samples.EVERY_FACE.values(), ids=samples.EVERY_FACE)
LONG = "a sentence with very many words in it, " * 8


@EVERY
def test_a_verdict_has_at_most_8_lines_of_80_columns(make: Callable[..., Verdict]) -> None:
    lines = verdict_text(make(printed=""), encoding="utf-8").splitlines()
    assert len(lines) <= 8
    assert max(map(len, lines)) <= 80


@EVERY
@pytest.mark.parametrize("width", [40, 60, 80])
def test_no_line_is_wider_than_the_page_even_when_all_is_long(make: Callable[..., Verdict], width: int) -> None:
    verdict = make(title="a title of some length", headline=LONG, lines=(LONG, "x" * 200), next=LONG, printed=LONG)
    text = verdict_text(verdict, why=True, cost=True, width=width, encoding="utf-8")
    assert max(map(len, text.splitlines())) <= width


@EVERY
def test_the_first_line_has_glyph_title_word_and_points_at_the_edge(make: Callable[..., Verdict]) -> None:
    verdict = make()
    face = faces.of_verdict(verdict)
    first = verdict_text(verdict, encoding="utf-8").splitlines()[0]
    assert first.startswith(f"{face.glyph} {verdict.title}   ")
    assert face.word in first
    assert first.endswith(faces.score(verdict))
    assert len(first) == 80 or not verdict.counts


@EVERY
def test_the_last_line_says_what_is_next(make: Callable[..., Verdict]) -> None:
    assert verdict_text(make(printed=""), encoding="utf-8").splitlines()[-1].startswith("  Next: ")


def test_every_status_has_a_glyph_a_word_and_an_ascii_glyph_of_its_own() -> None:
    every = [*faces.FACES.values(), faces.OURS]
    assert set(faces.FACES) == set(Status)
    assert len({face.word for face in every}) == len(every)
    assert len({face.glyph for face in every}) == len(every)
    plain = {verdict_text(make(), encoding="ascii")[0] for make in samples.EVERY_FACE.values()}
    assert len(plain) == len(every)


@EVERY
def test_plain_text_has_no_colour_codes_and_colours_change_no_word(make: Callable[..., Verdict]) -> None:
    plain = verdict_text(make(), why=True, cost=True, encoding="utf-8")
    assert "\x1b" not in plain
    stream = io.StringIO()
    console = Console(file=stream, width=80, color_system="truecolor", force_terminal=True)
    print_verdict(console, make(), why=True, cost=True)
    coloured = stream.getvalue()
    assert "\x1b" in coloured
    bare = re.sub(r"\x1b\[[0-9;]*m", "", coloured)
    assert [line.rstrip() for line in bare.splitlines()] == plain.splitlines()


@EVERY
def test_an_ascii_stream_gets_ascii(make: Callable[..., Verdict]) -> None:
    text = verdict_text(make(printed="é\n"), why=True, cost=True, encoding="ascii")
    assert text.isascii()
    assert max(map(len, text.splitlines())) <= 80


def test_print_does_not_fail_on_a_stream_that_lacks_the_glyphs() -> None:
    code = "from tests.show import samples; print(samples.wrong())"
    environment = {**os.environ, "PYTHONIOENCODING": "cp1252", "PYTHONUTF8": "0"}
    run = subprocess.run([sys.executable, "-c", code], cwd=samples.ROOT, env=environment, capture_output=True)
    assert run.returncode == 0, run.stderr
    assert run.stdout.decode("cp1252").startswith("x affine   w_bar is wrong · x_bar")


def test_drawing_a_verdict_imports_neither_jax_nor_matplotlib() -> None:
    code = "import sys; from tests.show import samples; str(samples.wrong()); samples.wrong()._repr_html_()\n"
    code += "import course.show.plots; assert not {'jax', 'matplotlib'} & set(sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], cwd=samples.ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


def test_the_smallest_case_shows_yours_beside_the_right_one() -> None:
    text = verdict_text(samples.wrong(), encoding="utf-8")
    assert "Smallest case: x=[[1 2]]  w=[[3][-1]]  y_bar=[[1]]" in text
    assert "yours w_bar=[[1 2]], right w_bar=[[1][2]]" in text


def test_a_smallest_case_that_fits_takes_one_line() -> None:
    example = Example({"x": 2.0}, {"x_bar": 1.0}, {"x_bar": 4.0})
    text = verdict_text(samples.wrong(example=example), encoding="utf-8")
    assert "  Smallest case: x=2: yours x_bar=1, right x_bar=4\n" in text


def test_a_smallest_case_that_is_not_small_waits_until_asked_why() -> None:
    many = {f"w{i}": np.arange(9.0).reshape(3, 3) / 7 for i in range(5)}
    verdict = samples.wrong(example=Example(many, {"x_bar": 1.0}, {"x_bar": 4.0}))
    assert "Smallest case" not in verdict_text(verdict)
    assert "Smallest case" in verdict_text(verdict, why=True)


def test_what_does_not_fit_is_pointed_to_and_shown_when_asked_why() -> None:
    verdict = samples.wrong(lines=tuple(f"Sentence {i}." for i in range(9)))
    brief, full = verdict_text(verdict, encoding="utf-8"), verdict_text(verdict, why=True, encoding="utf-8")
    assert len(brief.splitlines()) == 8
    assert "… more: course check linear_and_activations.affine --why" in brief
    assert "Sentence 0." in brief
    assert "Sentence 8." not in brief
    assert "Sentence 8." in full


def test_code_in_backticks_stays_on_one_line() -> None:
    assert "`course check --json`" in verdict_text(samples.ours())


def test_what_the_learner_printed_follows_its_last_lines_only() -> None:
    text = verdict_text(samples.broken(printed="\n".join(f"line {i}" for i in range(50))), encoding="utf-8")
    assert "Your code printed (last of 50 lines):" in text
    assert text.endswith("  │ line 49")
    assert "line 41" not in text


def test_text_of_strangers_reaches_no_terminal_unwashed() -> None:
    hostile = "\x1b[2J\x1b]0;owned\x07 [bold red]markup[/] :smile:"
    text = verdict_text(samples.broken(headline=hostile, lines=(hostile,), printed=hostile, title=hostile))
    assert "\x1b" not in text
    assert "\x07" not in text
    assert text.count("[bold red]markup[/] :smile:") == 4


def test_why_shows_each_array_and_check_with_its_error() -> None:
    text = verdict_text(samples.wrong(), why=True, encoding="utf-8")
    assert re.search(r"✓  x_bar +\(5, 4\) +1\.1e-16", text)
    assert re.search(r"✗  w_bar +\(4, 3\) +1\.4", text)
    assert "w_bar[0][2] is furthest off: yours 1.25, right -0.3333" in text
    assert "w_bar: The numbers match transposed." in text
    assert re.search(r"✗  reverse mode +1\.4 +1e-9", text)
    assert "float64 · seed 7 · JAX 0.10.1" in text


def test_why_says_of_another_shape_that_it_is_one_and_shows_no_error() -> None:
    arrays = (Agreement("w_bar", (3, 4), "float64", False, math.inf, slip=samples.TRANSPOSED),)
    text = comparison_text(dataclasses.replace(samples.comparison(), arrays=arrays))
    assert re.search(r"w_bar +\(3, 4\) +other shape", text)


def test_why_says_of_numbers_that_are_not_finite_that_their_error_is_infinite() -> None:
    worst = Entry((), math.inf, 1.5)
    arrays = (Agreement("x_bar", (), "float64", False, math.inf, worst=worst),)
    text = comparison_text(dataclasses.replace(samples.comparison(), arrays=arrays))
    assert re.search(r"x_bar +scalar +inf", text)
    assert "x_bar: yours inf, right 1.5" in text


def test_forward_mode_is_shown_only_once_the_lesson_has_come_to_it() -> None:
    assert "jax.jacfwd" in verdict_text(samples.right(), why=True)
    assert "jax.jacfwd" not in verdict_text(samples.right(shows_forward=False), why=True)


@pytest.mark.parametrize(
    ("feedback", "where", "kind"),
    [(Feedback.PASS, False, False), (Feedback.WHERE, True, False), (Feedback.KIND, True, True)],
)
def test_why_says_no_more_than_the_feedback_level(feedback: Feedback, where: bool, kind: bool) -> None:
    verdict = samples.wrong(feedback=feedback, lines=(), headline="not right yet")
    text = verdict_text(verdict, why=True, cost=True)
    assert ("w_bar" in text) is where
    assert ("transposed" in text) is kind
    assert (rows.HIDDEN in text) is not where


def test_a_right_answer_hides_nothing_at_any_feedback_level() -> None:
    assert "x_bar" in verdict_text(samples.right(feedback=Feedback.PASS), why=True)


def test_cost_shows_multiples_of_the_primal_as_bars() -> None:
    text = verdict_text(samples.right(), cost=True, encoding="utf-8")
    bars = [line.count("█") for line in text.splitlines() if "×" in line and "primal" not in line]
    assert bars == sorted(bars)
    assert bars[-1] == 14
    assert "41.3k" in text
    assert "320 B" in text
    assert "central differences: a while loop whose length is not known" in text


def test_cost_before_its_lesson_is_one_sentence() -> None:
    text = verdict_text(samples.right(shows_cost=False), cost=True)
    assert rows.NO_COST_YET in text
    assert "FLOPs" not in text


def test_many_arrays_are_shown_wrong_ones_first_and_the_others_counted() -> None:
    many = [dataclasses.replace(samples.RIGHT_ARRAYS[0], path=f"b{i}") for i in range(100)]
    many.append(samples.WRONG_ARRAYS[1])
    table = rows.array_table(many, forward=False)
    assert len(table.rows) == rows.MOST_ROWS
    assert table.rows[0][0] == "w_bar"
    assert table.more == "and 77 more right"


def test_a_comparison_shows_its_arrays_checks_and_costs() -> None:
    text = comparison_text(samples.comparison(), encoding="utf-8")
    assert text.startswith("✓ affine   right · three independent checks agree\n")
    for part in ("x_bar", "jax.jacfwd", "numbers", "FLOPs"):
        assert part in text
    assert max(map(len, text.splitlines())) <= 80


def test_a_comparison_that_raised_shows_the_line_once() -> None:
    text = str(samples.broken_comparison())
    assert text.count("affine.py, line 12: w_bar = x @ y_bar") == 1
    assert faces.of_comparison(samples.broken_comparison()) is faces.BROKEN


def test_the_overview_groups_by_lesson_and_sums_up() -> None:
    verdicts = [make() for make in samples.EVERY_FACE.values()]
    lines = overview_text(verdicts, encoding="utf-8").splitlines()
    assert max(map(len, lines)) <= 80
    assert [line.strip() for line in lines].count("linear_and_activations") == 1
    assert sum(line.endswith("/6") or "cost" in line for line in lines) == sum(v.counts for v in verdicts)
    assert "16 of 56 points" in lines[-1]
    assert "2 of 9 right" in lines[-1]


def test_a_lesson_in_which_nothing_is_started_is_one_line_among_others() -> None:
    started = [samples.right(exercise="losses.one"), samples.not_started(exercise="losses.two")]
    untouched = [samples.not_started(exercise=f"mlp.{name}") for name in ("one", "two")]
    lines = overview_text([*started, *untouched], encoding="utf-8").splitlines()
    assert "  mlp ○ not started · 2 exercises · 12 points" in lines
    assert sum("not started" in line for line in lines) == 2
    assert sum("○ not started" in line for line in overview_text(untouched, encoding="utf-8").splitlines()) == 2


@pytest.mark.parametrize("width", [40, 60, 100, 200])
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_an_overview_keeps_to_its_page(width: int, encoding: str) -> None:
    verdicts = [
        make(exercise=f"a_lesson.a_name_of_some_length_{make.__name__}") for make in samples.EVERY_FACE.values()
    ]
    text = overview_text(verdicts, width=width, encoding=encoding)
    assert max(map(len, text.splitlines())) <= min(width, 100)


def test_no_color_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    stream = io.StringIO()
    print_verdict(Console(file=stream, width=80, force_terminal=True), samples.wrong(), why=True)
    assert not re.search(r"\x1b\[[0-9;]*[34]8;", stream.getvalue())


def test_an_overview_of_nothing_is_no_error() -> None:
    assert "0 of 0 right" in overview_text([])


@EVERY
def test_records_survive_json(make: Callable[..., Verdict]) -> None:
    verdict = make()
    form = json.loads(verdict.to_json())
    assert form["schema"] == 1
    assert form["status"] == verdict.status
    assert form["feedback"] == verdict.feedback.name.lower()
