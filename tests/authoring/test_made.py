"""Claims about the notebooks that are in this checkout; a lesson whose source is not there yet is left out."""

import pytest

from course.authoring.checkout import Checkout, lesson_of, made_notebooks, stem_of, this_checkout
from course.authoring.command import main
from course.authoring.handout import handout
from course.authoring.make import lessons_with_source, renumber, write_notebooks
from course.authoring.readme import BEGIN, END, write_readme
from course.authoring.whole import incomplete, notebook_faults
from course.exercises import paper_of
from course.grading import Submission
from course.grading.judging import find_answer
from course.lessons import SYLLABUS

CHECKOUT = this_checkout()
LESSONS = lessons_with_source(CHECKOUT)


@pytest.fixture(scope="module", params=LESSONS)
def lesson(request):
    return request.param


def test_a_made_notebook_is_what_its_source_makes_and_shows_no_answer(lesson):
    assert list(notebook_faults(CHECKOUT, lesson)) == []


def test_jupyter_takes_a_made_notebook_as_valid(lesson):
    import nbformat  # takes seconds

    nbformat.validate(nbformat.read(CHECKOUT.made(lesson), 4))


def test_an_untouched_plain_file_leaves_every_exercise_to_be_written(lesson, tmp_path):
    place = tmp_path / f"{lesson}.py"
    place.write_text(handout(CHECKOUT.made(lesson)), encoding="utf-8")
    submission = Submission.read(place)
    assert not submission.faults
    for exercise in paper_of(lesson).exercises:
        assert find_answer(exercise, submission).fault.kind == "not_started", exercise.name


def test_notebooks_are_listed_in_the_order_of_the_syllabus():
    listed = [lesson_of(place) for place in made_notebooks()]
    assert listed == [row.name for row in SYLLABUS if row.name in listed]
    assert [stem_of(name) for name in listed] == [place.stem for place in made_notebooks()]


def test_a_lesson_that_has_moved_in_the_syllabus_is_renamed(tmp_path):
    checkout = Checkout(tmp_path)
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "99_losses.py").write_text("mine")
    (tmp_path / "notebooks" / "98_nothing.py").write_text("")
    assert renumber(checkout) == [checkout.source("losses")]
    assert checkout.source("losses").read_text() == "mine"
    assert renumber(checkout) == []


def test_what_is_missing_stale_or_astray_is_said(tmp_path):
    checkout = Checkout(tmp_path)
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "99_losses.py").write_text("")
    checkout.source("mlp").write_text("# %%\n1 + 1\n")
    checkout.solution("mlp").parent.mkdir()
    checkout.solution("mlp").write_text("")
    said = list(incomplete(checkout))
    assert f"losses has no notebooks/{stem_of('losses')}.py." in said
    assert "mlp has no tests/lessons/test_mlp.py." in said
    assert any(sentence.startswith(f"notebooks/{stem_of('mlp')}.py, line 1: a cell needs a name") for sentence in said)
    assert any(sentence.startswith("solutions/mlp.py does not pass mlp.mlp: ") for sentence in said)
    assert any(sentence.startswith("notebooks/99_losses.py belongs to no lesson") for sentence in said)
    assert "There is no README.md." in said


@pytest.mark.skipif(not LESSONS, reason="no lesson has a source yet")
def test_a_touched_notebook_is_stale_until_it_is_made_again(tmp_path):
    checkout, lesson = Checkout(tmp_path), LESSONS[0]
    for place in (CHECKOUT.source(lesson), CHECKOUT.solution(lesson)):
        copy = tmp_path / place.relative_to(CHECKOUT.root)
        copy.parent.mkdir(exist_ok=True)
        copy.write_bytes(place.read_bytes())
    made = checkout.made(lesson)
    assert write_notebooks(checkout, [lesson]) == [made]
    assert write_notebooks(checkout, [lesson]) == []
    made.write_text(made.read_text().replace('"nbformat": 4', '"nbformat": 3'))
    stale = (
        f"{made.relative_to(tmp_path).as_posix()} is not what its source makes: run `python -m course.authoring make`."
    )
    assert list(notebook_faults(checkout, lesson)) == [stale]
    assert write_notebooks(checkout, [lesson]) == [made]
    assert list(notebook_faults(checkout, lesson)) == []


def test_a_source_with_a_fault_is_said_and_fails_the_command(monkeypatch, capsys, tmp_path):
    checkout = Checkout(tmp_path)
    (tmp_path / "README.md").write_text(f"{BEGIN}\n{END}\n")
    for place in (checkout.source("mlp"), checkout.solution("mlp")):
        place.parent.mkdir()
        place.write_text("# %%\n1 + 1\n")
    monkeypatch.setattr("course.authoring.command.this_checkout", lambda: checkout)
    assert main(["make"]) == 1
    assert f"notebooks/{stem_of('mlp')}.py, line 1: a cell needs a name" in capsys.readouterr().out


def test_the_syllabus_in_the_readme_is_made_and_the_rest_is_left(tmp_path):
    checkout, readme = Checkout(tmp_path), tmp_path / "README.md"
    readme.write_text(f"# A\n\n{BEGIN}\nmade before\n{END}\n\nrest\n")
    assert write_readme(checkout)
    text = readme.read_text()
    assert text.startswith("# A\n\n")
    assert text.endswith("\n\nrest\n")
    assert "made before" not in text
    assert all(f"(notebooks/{stem_of(row.name)}.ipynb)" in text for row in SYLLABUS)
    assert not write_readme(checkout)
