"""Claims about the notebook that a source makes."""

import ast
import hashlib
import json
import re

import pytest

from course.authoring.notebook import notebook_text
from course.authoring.setup_cell import setup_cell
from course.authoring.source import AuthoringError
from course.exercises.exercise import Exercise, Paper
from course.exercises.tasks.which_mistake import WhichMistake
from course.grading import Submission
from tests.authoring.samples import CHOICE, NUMBER, SOURCE, asks, made, solution, text_of


def nbgrader_of(notebook, name):
    cell = next(cell for cell in notebook["cells"] if cell["metadata"]["name"] == name)
    return cell["metadata"].get("nbgrader")


def test_the_same_source_makes_the_same_bytes(tmp_path):
    text = notebook_text(made(tmp_path))
    assert text == notebook_text(made(tmp_path))
    assert text.endswith("}\n")
    assert "\r" not in text


def test_the_text_is_what_jupyter_itself_writes(tmp_path):
    import nbformat  # takes seconds

    text = notebook_text(made(tmp_path))
    notebook = nbformat.reads(text, 4)
    nbformat.validate(notebook)
    assert nbformat.writes(notebook) + "\n" == text


def test_an_id_hangs_on_the_lesson_and_the_cells_name(tmp_path):
    cells = made(tmp_path)["cells"]
    assert [cell["id"] for cell in cells] == [
        hashlib.sha1(f"bend:{cell['metadata']['name']}".encode()).hexdigest()[:8] for cell in cells
    ]


def test_an_inserted_cell_changes_no_other(tmp_path):
    more = SOURCE.replace('# %% name="picture"', '# %% name="more"\n1 + 1\n\n# %% name="picture"')
    before, after = made(tmp_path)["cells"], made(tmp_path, more)["cells"]
    assert [cell for cell in after if cell["metadata"]["name"] != "more"] == before


def test_the_set_up_comes_right_after_the_title(tmp_path):
    cells = made(tmp_path)["cells"]
    assert [cell["metadata"]["name"] for cell in cells[:3]] == ["title", "set-up", "imports"]
    assert "".join(cells[1]["source"]) == setup_cell()


@pytest.mark.parametrize("source", ["", "handgrad[notebook,plots]"])
def test_the_set_up_is_plain_python_that_says_or_does_how_to_get_the_course(source):
    text = setup_cell(source)
    ast.parse(text)
    assert ("python3 run.py" in text) == (not source)
    assert source in text


def test_an_exercise_cell_becomes_stubs_forward_first(tmp_path):
    text = text_of(made(tmp_path), "your-bend")
    assert text.index("def bend_fwd(x, scale=1.0):") < text.index("\n\n\ndef bend_bwd(residuals, y_bar):")
    assert "jnp" not in text


def test_the_solved_one_holds_the_answers_with_all_they_need(tmp_path):
    text = text_of(made(tmp_path, solved=True), "your-bend")
    assert "from jaxtyping import Float\n" in text
    assert "SLOPE = 2" in text
    assert "y = jnp.sin(scale * x)" in text
    assert "half_squared_error" not in text


def test_the_solved_one_makes_no_import_twice(tmp_path):
    twice = SOURCE.replace(
        "bend_bwd, bend_fwd\n", 'bend_fwd\n\n# %% name="back" tags=["exercise"]\nfrom solutions.bend import bend_bwd\n'
    )
    notebook = made(tmp_path, twice, solved=True)
    cells = [text_of(notebook, name) for name in ("imports", "your-bend", "back")]
    lines = [line for cell in cells for line in cell.split("\n") if line.startswith(("import ", "from "))]
    assert len(lines) == len(set(lines)) == 6


def test_questions_are_answered_in_the_solved_one_only(tmp_path):
    assert text_of(made(tmp_path), "answer-q1") == 'course.answer("bend.q1", ...)'
    assert text_of(made(tmp_path, solved=True), "answer-q1") == "course.answer(\"bend.q1\", 'b')"
    assert text_of(made(tmp_path, solved=True), "answer-q2") == 'course.answer("bend.q2", 0.25)'


def test_a_choice_is_written_out_with_its_options(tmp_path):
    assert text_of(made(tmp_path), "ask-q1") == (
        "A word before.\n\n"
        "**Question: which_one** (1 point)\n\n"
        r"Is 2 \*\* 3 &lt; 9 for `a ** b`?"
        "\n\n- (a) No.\n"
        r"- (b) Yes, \*sure\*."
    )


def test_a_number_is_asked_for_in_its_unit(tmp_path):
    text = text_of(made(tmp_path), "ask-q2")
    assert text == "**Question: how steep** (2 points)\n\nHow steep is it?\n\nAnswer in radians."


def test_earlier_answers_are_the_learners_own(tmp_path):
    assert "from course.answers import relu_bwd" in text_of(made(tmp_path), "imports")
    assert "solutions" not in notebook_text(made(tmp_path))
    assert "solutions" not in notebook_text(made(tmp_path, solved=True))


def test_what_a_learner_writes_is_a_solution_cell_and_what_grades_it_is_locked(tmp_path):
    notebook = made(tmp_path)
    for name in ("your-bend", "answer-q1", "answer-q2"):
        assert nbgrader_of(notebook, name) == {
            "schema_version": 3, "grade_id": name, "solution": True, "grade": False, "locked": False, "task": False
        }  # fmt: skip
    for name, points in (("check-bend", 4), ("questions", 3)):
        assert nbgrader_of(notebook, name) == {
            "schema_version": 3, "grade_id": name, "solution": False, "grade": True, "locked": True, "task": False,
            "points": points,
        }  # fmt: skip
    assert nbgrader_of(notebook, "imports") is None


def test_one_check_after_the_last_question_grades_them_all(tmp_path):
    notebook = made(tmp_path)
    names = [cell["metadata"]["name"] for cell in notebook["cells"]]
    assert names[names.index("answer-q2") + 1] == "questions"
    assert re.findall(r'"(.*)"', text_of(notebook, "questions")) == ["bend.q1", "bend.q2"]


def test_the_made_notebook_reads_as_not_started(tmp_path):
    place = tmp_path / "bend.ipynb"
    place.write_text(notebook_text(made(tmp_path)))
    submission = Submission.read(place)
    for names in (("bend_fwd", "bend_bwd"), ("bend.q1",), ("bend.q2",)):
        assert submission.find(names).fault.kind == "not_started"


def test_the_solved_one_reads_as_answered_with_the_learners_own_earlier_answers(tmp_path):
    place = tmp_path / "bend.ipynb"
    place.write_text(notebook_text(made(tmp_path, solved=True)))
    submission = Submission.read(place)
    assert submission.find(["bend.q1"]).values == {"bend.q1": "b"}
    assert submission.find(["bend_fwd", "bend_bwd"]).fault.kind == "waiting"


def without(name):
    """The source without the cell of a name."""
    return "".join(part for part in re.split(r"(?=# %%)", SOURCE) if f'name="{name}"' not in part)


@pytest.mark.parametrize(
    "source, sentence",
    [
        (SOURCE.replace("bend_bwd, bend_fwd", "bend"), "line 12: solutions/bend.py has no function `bend`."),
        (SOURCE.replace("from solutions.bend", "from solutions.other"), "line 12: an exercise is one line"),
        (SOURCE.replace("bend import bend_bwd, bend_fwd", "bend import *"), "line 12: solutions/bend.py has no"),
        (
            SOURCE.replace("import jax.numpy as jnp\n", ""),
            "line 11: `bend_fwd` needs `jnp`: import it in a cell above.",
        ),
        (SOURCE.replace("check(bend_fwd, bend_bwd)\n", "check(bend_fwd)\n"), "line 15: no exercise of bend asks for"),
        (SOURCE.replace("course.check(", "v = course.check("), "line 15: a check is one line"),
        (SOURCE.replace("plt.plot(", "plt.plot(("), "line 19: SyntaxError"),
        (SOURCE.replace("solutions.linear_and_activations", "solutions.bend"), 'line 9: only a cell tagged "exercise"'),
        (
            SOURCE.replace("# The end.", "# The end.\n\n# %% name=\"last\"\nprint('see solutions/')"),
            "line 39: a notebook does not mention the solutions.",
        ),
        (SOURCE.replace("{question bend.q1}", "{question bend.q9}"), "line 24: bend has no question bend.q9."),
        (SOURCE.replace('"bend.q1", ...', '"bend.q1", "b"'), "line 27: the source says `...`"),
        (SOURCE.replace('"bend.q1", ...', '"bend.q2", ...'), "line 27: the line {question bend.q2} must come before"),
        (SOURCE.replace('name="picture"', 'name="set-up"'), "line 17: the name \"set-up\" is kept"),
        (without("check-bend"), "the notebook ends without bend.bend."),
        (without("ask-q2"), "the line {question bend.q2} must come before it"),
        (without("answer-q2"), "the notebook ends without bend.q2."),
        (SOURCE + '\n# %% name="again" tags=["check"]\ncourse.check(bend_fwd, bend_bwd)\n', "bend.bend stands in the"),
        (SOURCE + '\n# %% name="again" tags=["exercise"]\nfrom solutions.bend import bend_fwd\n', "bend_fwd stands in"),
    ],
)  # fmt: skip
def test_a_source_that_asks_amiss_is_told_where(tmp_path, source, sentence):
    with pytest.raises(AuthoringError) as told:
        made(tmp_path, source)
    assert str(told.value).startswith("notebooks/01_bend.py, line ")
    assert sentence in str(told.value)


SHOWN = '# %% name="shown" tags=["shown"]\ncourse.show_mistake("bend.q1", draw=0)\n\n# %% name="answer-q1"'


def test_what_is_shown_is_one_line_with_the_draw_of_the_made_notebooks(tmp_path):
    source = SOURCE.replace('# %% name="answer-q1"', SHOWN)
    (cell,) = (cell for cell in made(tmp_path, source)["cells"] if cell["metadata"]["name"] == "shown")
    assert "".join(cell["source"]) == 'course.show_mistake("bend.q1", draw=0)'
    for wrong in ("draw=3", 'draw="0"', "number=0"):
        with pytest.raises(AuthoringError, match="what is shown is one line"):
            made(tmp_path, source.replace("draw=0", wrong))


def test_a_mistake_that_is_asked_for_must_be_shown(tmp_path):
    drawn = Exercise("bend.q1", "which_one", WhichMistake(()), points=1)
    paper = Paper("bend", (asks("bend_fwd", "bend_bwd"), drawn, NUMBER))
    with pytest.raises(AuthoringError, match=r"ends without what bend\.q1 shows"):
        made(tmp_path, paper=paper)


def test_a_function_that_no_exercise_asks_for_is_no_exercise(tmp_path):
    with pytest.raises(AuthoringError, match="no exercise of bend asks for `bend_fwd`"):
        made(tmp_path, paper=Paper("bend", (asks("bend_bwd"), CHOICE, NUMBER)))


def test_a_lesson_without_questions_has_no_check_of_them(tmp_path):
    source = SOURCE[: SOURCE.index('# %% [markdown] name="ask-q1"')]
    notebook = made(tmp_path, source, paper=Paper("bend", (asks("bend_fwd", "bend_bwd"),)))
    assert "questions" not in [cell["metadata"]["name"] for cell in notebook["cells"]]


def test_no_state_of_an_execution_is_in_it(tmp_path):
    notebook = json.loads(notebook_text(made(tmp_path)))
    assert all(cell.get("execution_count") is None and not cell.get("outputs") for cell in notebook["cells"])
    assert set(notebook["metadata"]) == {"kernelspec", "language_info"}


def test_what_only_annotations_need_is_not_asked_for(tmp_path):
    answer = solution(
        tmp_path, "from typing import Any\nimport jax\n\ndef f(x: Any):\n    y: Any = jax\n    return y\n"
    )
    assert answer.imports("f") == {"jax"}
