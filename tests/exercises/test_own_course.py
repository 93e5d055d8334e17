"""A course of somebody's own: a primal and its shapes are enough, in any folder."""

import json
import sys
import textwrap

import pytest
from jaxtyping import Array, Float, Int

from course import exercises
from course.cli import main
from course.exercises import NotACourse, open_course, select
from course.exercises.shorthand import pair, paper
from course.exercises.tasks.drawing import Draw
from course.exercises.tasks.task import Sitting
from course.records import Status

NORMS = """
import jax.numpy as jnp
from jaxtyping import Array, Float
from course.exercises.shorthand import paper

def rms_norm(x: Float[Array, "batch d"], scale: Float[Array, "d"]) -> Float[Array, "batch d"]:
    r = jnp.sqrt((x**2).mean(-1, keepdims=True) + 1e-5)
    return x / r * scale

PAPER = paper(rms_norm)
"""
ANSWER = """
import jax.numpy as jnp
from own_norms import rms_norm

def rms_norm_fwd(x, scale):
    r = jnp.sqrt((x**2).mean(-1, keepdims=True) + 1e-5)
    return rms_norm(x, scale), (x, r, scale)

def rms_norm_bwd(residuals, y_bar):
    x, r, scale = residuals
    g = y_bar * scale
    return {x_bar}, (y_bar * x / r).sum(0)
"""
RIGHT, CUT = "g / r - x * (g * x).mean(-1, keepdims=True) / r**3", "g / r"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A teacher's folder, and a learner's file beside it."""
    monkeypatch.setattr("course.cli.readying.keep_programs", lambda: None)
    monkeypatch.setattr("sys.path", [*sys.path])
    own = tmp_path / "own"
    own.mkdir()
    (own / "own_norms.py").write_text(NORMS)
    yield own
    exercises._opened.clear()
    sys.modules.pop("own_norms", None)


def check(folder, x_bar, *arguments):
    work = folder.parent / "work.py"
    work.write_text(textwrap.dedent(ANSWER.format(x_bar=x_bar)))
    return main(["check", "--course", str(folder), "--submission", str(work), *arguments])


def test_a_primal_and_its_shapes_make_a_judged_exercise(folder, capsys):
    assert check(folder, RIGHT, "own_norms.rms_norm") == 0
    assert "rms norm" in capsys.readouterr().out


def test_what_is_wrong_is_told_by_the_line_and_by_a_counterexample_with_no_catalogue(folder, capsys):
    assert check(folder, CUT, "own_norms", "--feedback", "name") == 1
    told = " ".join(capsys.readouterr().out.split())
    assert "x_bar is wrong · scale_bar is right" in told
    assert "`return x / r * scale`" in told
    assert "Smallest case" in told


def test_the_lessons_are_the_folder_s_and_an_unknown_one_is_refused(folder, capsys):
    assert check(folder, RIGHT, "losses") == 2
    assert "there are own_norms" in capsys.readouterr().err


def test_one_file_is_a_course_too(folder):
    (paper,) = open_course(folder / "own_norms.py")
    assert [exercise.name for exercise in select()] == ["own_norms.rms_norm"]
    assert paper.shows_cost


@pytest.mark.parametrize(
    "text, says",
    [
        ("x = 1", "holds a PAPER: write PAPER = paper"),
        ("1 / 0", "empty_here.py fails when it is imported: ZeroDivisionError"),
    ],
)
def test_a_folder_without_a_paper_is_refused_in_one_sentence(text, says, tmp_path, monkeypatch):
    monkeypatch.setattr("sys.path", [*sys.path])
    monkeypatch.delitem(sys.modules, "empty_here", raising=False)
    (tmp_path / "empty_here.py").write_text(text)
    with pytest.raises(NotACourse, match=says):
        open_course(tmp_path)


def test_a_module_with_a_name_that_is_taken_is_refused(tmp_path):
    (tmp_path / "json.py").write_text(NORMS)
    with pytest.raises(NotACourse, match=r"json\.py bears the name of another module"):
        open_course(tmp_path)
    with pytest.raises(NotACourse, match="There is no"):
        open_course(tmp_path / "nowhere")


def pick(table: Float[Array, "rows d"], ids: Int[Array, "batch"]) -> Float[Array, "batch d"]:
    return table[ids]


def bare(x, w):
    return x @ w


def test_integers_stay_below_the_axis_that_they_index():
    table, ids = pair(pick, below={"ids": "rows"}).task.draw(Draw(0))
    assert ids.max() < len(table)
    assert table.shape[0] != table.shape[1]


def test_shapes_may_be_said_beside_a_function_without_annotations():
    x, w = pair(bare, shapes={"x": "batch d", "w": "d k"}).task.draw(Draw(0))
    assert x.shape[1] == w.shape[0]
    found = pair(bare, shapes={"x": "batch d", "w": "d k"}).task.judge(
        {"bare_fwd": lambda x, w: (x @ w, (x, w)), "bare_bwd": lambda r, y_bar: (y_bar @ r[1].T, r[0].T @ y_bar)},
        Sitting(),
    )
    assert found.status is Status.RIGHT


@pytest.mark.parametrize(
    "make, says",
    [
        (lambda: paper(), "must ask something"),
        (lambda: paper(bare), "The shape of x must be said: annotate it, x: Float"),
        (lambda: pair(bare, shapes={"x": "3 d", "w": "d k"}), "must be names with spaces between; '3 d' came"),
        (lambda: pair(pick), "ids holds integers: say below="),
        (lambda: pair(pick, below={"idx": "rows"}), "pick has no argument idx: it has table, ids"),
    ],
)
def test_what_is_not_said_is_asked_for(make, says):
    with pytest.raises(ValueError, match=says):
        make()


HOSTILE = {
    "reads_the_paper": "from own_norms import PAPER\nrms_norm_bwd = PAPER\n",
    "differentiates": "import jax\nrms_norm_bwd = lambda r, y_bar: jax.vjp(rms_norm, r[0], r[2])[1](y_bar)\n",
    "reads_the_exercises": "from course.exercises.shorthand import paper\nrms_norm_bwd = paper\n",
}


@pytest.mark.skipif(sys.platform != "linux", reason="the layers are Linux's")
def test_a_class_is_graded_on_a_course_of_one_s_own(folder, capsys):
    handed = folder.parent / "in"
    handed.mkdir()
    for name, x_bar in (("ada", RIGHT), ("bob", CUT)):
        (handed / f"{name}.py").write_text(ANSWER.format(x_bar=x_bar))
    for name, text in HOSTILE.items():
        (handed / f"{name}.py").write_text(f"{ANSWER.format(x_bar=RIGHT)}\n{text}")
    table = folder.parent / "grades.csv"
    assert main(["grade", str(handed), "--csv", str(table), "--course", str(folder), "--workers", "1"]) == 0
    records = [json.loads(line) for line in table.with_suffix(".jsonl").read_text().splitlines()[1:]]
    status = {one["student"]: one["exercises"][0]["verdict"]["status"] for one in records}
    assert (status.pop("ada"), status.pop("bob")) == ("right", "wrong")
    assert status == {"reads_the_paper": "broken", "differentiates": "refused", "reads_the_exercises": "refused"}
