"""Claims about the commands of a learner's day: what is next, a hint, a file to open, our answer, a fresh start."""

import json
import sys

import click
import pytest

from course.answers import MARKER
from course.authoring.start import start
from course.cli import COMMANDS, main
from course.exercises import find_exercise
from course.grading import Submission
from course.grading.judging import find_answer
from course.lessons import SYLLABUS
from course.records import Status

SQUARE = find_exercise("chain_rule.square")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A learner's folder with two lessons, in which the shell is."""
    start(tmp_path)
    for place in sorted(tmp_path.glob("*.ipynb"))[2:]:
        place.unlink()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def say(capsys):
    """Types a command; returns its status and all that it said."""

    def run(*words):
        status = main(list(words))
        out, err = capsys.readouterr()
        return status, out + err

    return run


def known(folder, **exercises):
    (folder / MARKER).write_text(json.dumps({"schema": 1, "exercises": exercises}))


def test_help_shows_what_is_of_every_day_and_all_of_it_where_that_is_asked(say):
    _, daily = say("--help")
    for words in (["--help", "--all"], ["--all"]):
        _, every = say(*words)
        assert all(f"  {name} " in every for name in COMMANDS)
    assert "  hint " in daily
    assert "  doctor " not in daily
    assert "--all" in daily


@pytest.mark.parametrize("words", [["next"], ["hint"], ["open"], ["progress"], ["reset", "chain_rule"]])
def test_outside_a_folder_it_is_said_how_to_make_one(words, tmp_path, monkeypatch, say):
    monkeypatch.chdir(tmp_path)
    status, said = say(*words)
    assert (status, said.count("\n")) == (2, 1)
    assert "`course start`" in said


def test_next_says_what_to_open_and_what_to_check(folder, say):
    _, said = say("next")
    assert SYLLABUS[0].title in said
    assert "01_chain_rule.ipynb" in said
    known(folder, **{"chain_rule.square": {"status": "right"}, "chain_rule.swish": {"status": "wrong"}})
    _, said = say("next")
    assert "`course check chain_rule.swish`" in said
    assert "`course hint chain_rule.swish`" in said


def test_next_says_how_to_add_a_lesson_that_is_not_in_the_folder(folder, say):
    known(folder, **{f"{row.name}.only": {"status": "right"} for row in SYLLABUS[:2]})
    assert "`course start .`" in say("next")[1]


def test_each_hint_comes_once_more_and_is_counted(folder, say):
    said = [say("hint", SQUARE.name)[1] for _ in range(4)]
    shown = ["".join(text.split()) for text in said]
    for number, hint in enumerate(SQUARE.hints):
        seen = ["".join(hint.split()) in text for text in shown]
        assert seen == [place >= number for place in range(4)]
    tried = json.loads((folder / MARKER).read_text())["exercises"]
    assert tried[SQUARE.name]["hints"] == 3
    assert set(tried) == {f"chain_rule.{name.partition('.')[2]}" for name in tried}


def test_a_hint_is_for_the_exercise_that_is_next_unless_another_is_named(folder, say):
    assert SQUARE.name in say("hint")[1]
    known(folder, **{SQUARE.name: {"status": "right"}, "chain_rule.sine_of_square": {}})
    assert "chain_rule.sine_of_square" in say("hint")[1]
    assert "chain_rule.sine_of_square" in say("hint", "chain_rule")[1]
    assert "is a question" in say("hint", "chain_rule.q1")[1]


def test_open_finds_the_file_whatever_its_number(folder, say):
    assert say("open", "--print")[1].strip() == str(folder / "01_chain_rule.ipynb")
    (folder / "01_chain_rule.ipynb").rename(folder / "07_chain_rule.ipynb")
    assert say("open", "chain_rule", "--print")[1].strip() == str(folder / "07_chain_rule.ipynb")
    status, said = say("open", SYLLABUS[-1].name, "--print")
    assert status == 2
    assert "is not in" in said


def test_a_plain_file_opens_in_the_editor_that_is_set(folder, say, monkeypatch):
    start(folder, files=True)
    (folder / "01_chain_rule.ipynb").unlink()
    asked = []
    monkeypatch.setenv("VISUAL", "ed -v")
    monkeypatch.setattr("course.cli.opening.subprocess.call", lambda words: asked.append(words) or 0)
    assert say("open", "chain_rule")[0] == 0
    assert asked == [["ed", "-v", str(folder / "01_chain_rule.py")]]


def test_progress_counts_what_is_right_and_what_was_asked_for(folder, say):
    tried = {"attempts": 2, "status": "right", "points": 1.0, "hints": 3}
    known(folder, **{SQUARE.name: tried, "chain_rule.swish": {}})
    row = next(line for line in say("progress")[1].splitlines() if "chain_rule" in line)
    assert row.split()[-4:] == ["1/2", "1", "2", "3"]


def test_a_mistake_is_explained_by_its_name(say):
    mistake = SQUARE.task.mistakes[0]
    _, said = say("explain", *mistake.name.split(), "--in", "chain_rule.square")
    assert "".join(mistake.says.split()) in "".join(said.split())
    status, said = say("explain", mistake.name[:-1] + "q", "--in", "chain_rule.square")
    assert status == 2
    assert "did you mean" in said


def test_names_that_are_near_are_each_offered_once(say):
    _, said = say("explain", "nonsense")
    offered = said.partition("did you mean ")[2].split(" or ")
    assert len(offered) == len(set(offered)) > 1


def test_our_answer_is_shown_once_yours_is_right_or_you_say_so(folder, say, monkeypatch):
    monkeypatch.setattr("click.termui.visible_prompt_func", lambda _: "n")
    assert "def square_bwd" not in say("solution", SQUARE.name)[1]
    assert "def square_bwd" in say("solution", SQUARE.name, "--yes")[1]
    known(folder, **{SQUARE.name: {"status": "right"}})
    assert "def square_bwd" in say("solution", SQUARE.name)[1]
    assert "course.answer(" in say("solution", "chain_rule.q1", "--yes")[1]


def test_where_no_answers_are_installed_that_is_said(folder, say, monkeypatch, tmp_path):
    monkeypatch.setattr("course.cli.solution._answers", lambda: tmp_path / "nowhere")
    status, said = say("solution", SQUARE.name, "--yes")
    assert status == 2
    assert "not installed" in said


def test_the_numbers_of_a_question_are_shown_by_the_draw_of_the_file(folder, say, monkeypatch):
    for place in folder.glob("0*"):
        place.unlink()
    start(folder, files=True, draw=417)
    _, own = say("show", "losses")
    assert "softmax_cross_entropy_bwd, at these inputs" in own or "loss_bar" in own
    assert "(b417)" in own
    assert own == say("show", "losses.q4", "--draw", "417")[1]
    assert "(b0)" in say("show", "losses.q4", "--draw", "0")[1]
    status, said = say("show", "losses.q1")
    assert (status, said) == (2, "losses.q1 shows no mistake.\n")
    assert 'course.answer("losses.q4", "' in (ours := say("solution", "losses.q4", "--yes")[1])
    assert ours.rstrip().endswith('417")')


def test_show_sets_jax_up_before_anything_imports_it(say, monkeypatch):
    def too_early():
        raise click.UsageError("nothing is imported yet")

    monkeypatch.setattr("course.cli.show.ready_jax", too_early)
    monkeypatch.setitem(sys.modules, "course.exercises.showing", None)  # to import it fails
    assert "nothing is imported yet" in say("show", "losses")[1]


def standing(folder, name):
    fault = find_answer(find_exercise(name), Submission.read(folder)).fault
    return fault and fault.kind


def test_a_reset_puts_back_one_exercise_and_keeps_what_was_there(folder, say):
    file = folder / "01_chain_rule.ipynb"
    notebook = json.loads(file.read_text())
    for cell in notebook["cells"]:
        if any(f"def {name}_bwd" in "".join(cell["source"]) for name in ("square", "swish")):
            cell["source"] = "".join(cell["source"]).replace("...", "x")
    written = json.dumps(notebook)
    file.write_text(written)
    assert standing(folder, SQUARE.name) is None
    assert say("reset", SQUARE.name)[0] == 0
    assert standing(folder, SQUARE.name) == "not_started"
    assert standing(folder, "chain_rule.swish") is None
    assert (folder / "01_chain_rule.ipynb.1.old").read_text() == written
    assert say("reset", "chain_rule")[0] == 0
    assert standing(folder, "chain_rule.swish") == "not_started"
    assert (folder / "01_chain_rule.ipynb.2.old").exists()


def test_of_a_plain_file_a_whole_lesson_is_put_back(folder, say):
    start(folder, files=True)
    (folder / "01_chain_rule.ipynb").unlink()
    file = folder / "01_chain_rule.py"
    fresh = file.read_text()
    file.write_text("mine = 1\n")
    assert "only a whole lesson" in say("reset", SQUARE.name)[1]
    assert say("reset", "chain_rule")[0] == 0
    assert file.read_text() == fresh
    assert (folder / "01_chain_rule.py.1.old").read_text() == "mine = 1\n"


def test_the_doctor_says_what_there_is_and_what_to_install(folder, say, monkeypatch):
    monkeypatch.setitem(__import__("course.cli.doctor").cli.doctor.EXTRAS, "plots", ("no_such_package", "pictures"))
    status, said = say("doctor")
    assert status == 0
    assert "two known numbers come out right" in said
    assert "pip install 'handgrad[plots]'" in said


def test_the_doctor_fails_where_jax_computes_wrongly(folder, say, monkeypatch):
    from course.grading import soundness

    def wrong():
        raise soundness.Unsound("A known sum must be 1.")

    monkeypatch.setattr(soundness, "require_sound_jax", wrong)
    status, said = say("doctor")
    assert status == 1
    assert "A known sum must be 1." in said


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_can_complete(shell, say):
    assert "_COURSE_COMPLETE" in say("completion", shell)[1]


def test_lessons_and_exercises_that_were_met_are_completed(folder):
    from course.cli.completing import complete_lesson

    known(folder, **{SQUARE.name: {"status": Status.RIGHT.value}})
    assert [item.value for item in complete_lesson(None, None, "chain_rule")] == ["chain_rule", SQUARE.name]
