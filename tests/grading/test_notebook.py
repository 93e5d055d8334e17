"""What `course.check` and `course.answer` promise where an answer has just been written: in a notebook or a script."""

import json
import subprocess
import sys
import types
from pathlib import Path

import pytest

import course
from course.answers import MARKER
from course.exercises import find_exercise
from course.grading import Submission, notebook
from course.grading.attempts import Attempts
from course.grading.notebook import Misuse, Verdicts
from course.grading.sitting import sit
from course.records import Status, Verdict
from tests.cli.learner import RELU, RIGHT, STUB, WRONG
from tests.grading.students import plain

TANH = "import jax.numpy as jnp\ndef tanh_fwd(x):\n    y = jnp.tanh(x)\n    return y, y\n"
TWO_LAYER = Path(__file__).parents[2] / "solutions" / "two_layer_network.py"
CHECK = "v = course.check(relu_fwd, relu_bwd)"


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs cells one after the other, as a notebook in this folder does, and returns its namespace."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(notebook, "given", {})
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    main = types.ModuleType("__main__")
    monkeypatch.setitem(sys.modules, "__main__", main)

    def execute(*cells):
        main.__dict__.update(course=course)
        for number, cell in enumerate(cells):
            place = plain(tmp_path / ".cells" / f"{number}.py", cell)
            exec(compile(place.read_text(), str(place), "exec"), main.__dict__)
        return main.__dict__

    return execute


def test_a_right_answer_is_right(run):
    verdict = run(RIGHT, CHECK)["v"]
    assert isinstance(verdict, Verdict)
    assert verdict.exercise == RELU
    assert verdict.status is Status.RIGHT
    assert "<div" in verdict._repr_html_()


RULE = """
from course.lessons.linear_and_activations import tanh
def tanh_jvp(primals, tangents):
    (x,), (x_dot,) = primals, tangents
    y = tanh(x)
    return y, {} * x_dot
"""


@pytest.mark.parametrize("slope, status", [("(1 - y**2)", Status.RIGHT), ("(1 - y)", Status.WRONG)])
def test_a_tangent_rule_is_checked_by_itself_and_a_wrong_one_comes_with_an_example(run, slope, status):
    verdict = run(RULE.format(slope), "v = course.check(tanh_jvp)")["v"]
    assert (verdict.exercise, verdict.status) == ("forward_mode.tanh", status)
    assert (verdict.example is None) is verdict.right
    assert verdict.right or set(verdict.example.inputs) == {"x", "x_dot"}


def test_a_wrong_answer_comes_with_an_example_to_go_on_with(run):
    example = run(WRONG, CHECK)["v"].example
    assert set(example.inputs) == {"x", "y_bar"}
    assert (example.yours["x_bar"] == -example.right["x_bar"]).all()


HELPED = """
import functools
import jax.numpy as jnp

SIGN = -1

def flipped(bar):
    return SIGN * bar

def sign_of(f):
    return functools.wraps(f)(lambda residuals, y_bar: f(residuals, flipped(y_bar)))

def relu_fwd(x):
    # the residuals are where x is positive
    return jnp.where(x > 0, x, 0), x > 0

@sign_of
def relu_bwd(residuals, y_bar):
    return (jnp.where(residuals, y_bar, 0),)
"""


def tries_here_and_in_the_file(run, folder, text, check):
    """How many tries are counted once a text was checked in a notebook, and once more when its file was."""
    plain(folder / MARKER, '{"schema": 1}')
    run(text, check)
    plain(folder / "work.py", text)
    (name,) = json.loads((folder / MARKER).read_text())["exercises"].keys() & {RELU, "losses.q3"}
    here = json.loads((folder / MARKER).read_text())["exercises"][name]["attempts"]
    sit(find_exercise(name), Submission.read(folder), Attempts(folder))
    return here, json.loads((folder / MARKER).read_text())["exercises"][name]["attempts"]


@pytest.mark.parametrize("text", [WRONG, HELPED, f"# %%\nimport sys\n{WRONG}"], ids=["pair", "helpers", "imports"])
def test_the_same_wrong_text_in_the_notebook_and_in_its_file_is_one_try(run, tmp_path, text):
    assert tries_here_and_in_the_file(run, tmp_path, text, CHECK) == (1, 1)


def test_the_same_wrong_answer_to_a_question_in_the_notebook_and_in_its_file_is_one_try(run, tmp_path):
    text = 'course.answer("losses.q3", 1.0 + 0.5)'
    assert tries_here_and_in_the_file(run, tmp_path, text, "") == (1, 1)


def test_another_helper_is_another_try(run, tmp_path):
    plain(tmp_path / MARKER, '{"schema": 1}')
    run(HELPED, CHECK)
    assert run(HELPED.replace("SIGN * bar", "2 * SIGN * bar"), CHECK)["v"].attempt == 2


def test_a_stub_is_not_started(run):
    assert run(STUB, CHECK)["v"].status is Status.NOT_STARTED


@pytest.mark.parametrize("name", [RELU, "linear_and_activations"])
def test_an_exercise_or_lesson_can_be_named(run, name):
    found = run(RIGHT, f"v = course.check({name!r})")["v"]
    verdicts = found if isinstance(found, Verdicts) else [found]
    assert {verdict.exercise: verdict.status for verdict in verdicts}[RELU] is Status.RIGHT
    assert ("○ not started" in str(found)) == isinstance(found, Verdicts)


def test_what_is_not_defined_is_not_started(run):
    assert run(f"v = course.check({RELU!r})")["v"].status is Status.NOT_STARTED


def test_the_other_half_is_taken_from_the_notebook(run):
    assert run(RIGHT, "v = course.check(relu_bwd)")["v"].right


def test_a_function_is_known_by_the_name_that_it_is_given_too(run):
    assert run(RIGHT, "mine = lambda r, y_bar: (r * y_bar,)\nrelu_bwd = mine", CHECK)["v"].right


def test_a_later_cell_wins(run):
    assert not run(RIGHT, "def relu_bwd(residuals, y_bar): return (0 * y_bar,)", CHECK)["v"].right


def test_prints_come_through_when_debugging_and_are_kept_otherwise(run, capsys):
    loud = RIGHT.replace("    return (jnp", "    print('here I am')\n    return (jnp")
    assert "here I am" in run(loud, CHECK)["v"].printed
    assert "here I am" not in capsys.readouterr().out
    run(loud, "v = course.check(relu_fwd, relu_bwd, debug=True)")
    assert "here I am" in capsys.readouterr().out


@pytest.mark.parametrize(
    "call, says",
    [
        ("course.check(relu_bwd, tanh_fwd)", "check one exercise at a time"),
        ("course.check(relu_back)", "No exercise asks for relu_back: did you mean relu_bwd?"),
        ("course.check(print)", "No exercise asks for print"),
        ("course.check((1, 2))", "a tuple of 2 came: leave out the brackets"),
        ("course.check(None)", "functions, and None came"),
        ("course.check()", "course.check takes the functions of one exercise"),
        ("course.check('losses', relu_bwd)", "course.check takes the functions of one exercise"),
        ("course.check('losess')", "did you mean losses?"),
        ("course.answer('losses.q99', 'a')", "There is no exercise called 'losses.q99'"),
        (f"course.answer('{RELU}', 'a')", "write relu_fwd and relu_bwd, then course.check(relu_fwd, relu_bwd)"),
        ("course.answer('losses', 'a')", "is no question"),
    ],
)
def test_a_call_that_cannot_be_meant_is_one_sentence(run, call, says):
    with pytest.raises(Misuse) as raised:
        run(RIGHT, TANH, "def relu_back(residuals, y_bar): return y_bar", call)
    assert says in str(raised.value)
    assert raised.value._render_traceback_() == [str(raised.value)]
    assert "\n" not in str(raised.value)


def test_a_question_is_judged_when_it_is_answered_and_remembered_for_later(run):
    space = run("a = course.answer('losses.q1', ...)", "b = course.check('losses.q1', 'losses.q2')")
    assert space["a"].status is Status.NOT_STARTED
    assert [verdict.status for verdict in space["b"]] == [Status.NOT_STARTED] * 2
    later = run("a = course.answer('losses.q1', 'no answer at all')", "b = course.check('losses.q1')")
    assert later["a"].status is later["b"].status is Status.WRONG


def test_in_a_module_that_is_imported_a_question_is_left_alone(tmp_path):
    program = "import module, sys; sys.exit(module.said is not None or 'jax' in sys.modules)"
    plain(tmp_path / "module.py", "import course\nsaid = course.answer('losses.q1', 'a')\n")
    assert subprocess.run([sys.executable, "-c", program], cwd=tmp_path).returncode == 0


def test_tries_are_kept_in_the_folder_that_the_notebook_lies_in(run, tmp_path):
    plain(tmp_path / MARKER, '{"schema": 1}')
    assert run(WRONG, CHECK)["v"].attempt == 1
    assert run(WRONG, CHECK)["v"].attempt == 1
    assert run(WRONG.replace("-y_bar", "3 * y_bar"), CHECK)["v"].attempt == 2
    assert json.loads((tmp_path / MARKER).read_text())["exercises"][RELU]["attempts"] == 2


def test_an_answer_made_of_earlier_answers_uses_those_of_the_folder(run, tmp_path):
    text = TWO_LAYER.read_text(encoding="utf-8")
    plain(tmp_path / MARKER, '{"schema": 1}')
    plain(tmp_path / "earlier.py", text)
    pair = (
        "from course.answers import two_layer_cotangents\n"
        "from course.lessons.two_layer_network import TwoLayer\n"
        "def two_layer_loss_bwd(residuals, loss_bar):\n"
        "    bar = two_layer_cotangents(residuals, loss_bar)\n"
        "    return TwoLayer(bar.w1, bar.b1, bar.w2, bar.b2), None, None\n"
    )
    assert run(pair, "v = course.check(two_layer_loss_bwd)")["v"].right
    plain(tmp_path / "earlier.py", text.replace("w2.T @ z2_bar", "-w2.T @ z2_bar"))
    found = run(pair, "v = course.check(two_layer_loss_bwd)")["v"]
    assert found.headline == "uses your two_layer_cotangents, which is not right yet"


def test_an_answer_imported_from_a_module_uses_the_earlier_answers_beside_it(run, tmp_path, monkeypatch):
    text = TWO_LAYER.read_text(encoding="utf-8")
    plain(tmp_path / "somebodys.py", text.replace("return TwoLayer(bar", "return TwoLayer(-bar"))
    monkeypatch.syspath_prepend(tmp_path)
    found = run("import somebodys", "v = course.check(somebodys.two_layer_loss_bwd)")["v"]
    assert found.status is Status.WRONG
    assert "not written yet" not in found.headline


@pytest.mark.parametrize("text, points", [(RIGHT, 2.0), (WRONG, 0.0), (STUB, 0.0)])
def test_for_nbgrader_a_check_ends_in_its_points(run, monkeypatch, capsys, tmp_path, text, points):
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    plain(tmp_path / MARKER, '{"schema": 1}')
    shown = []
    monkeypatch.setattr("IPython.display.display", shown.append)
    noise = "import sys, warnings\n    warnings.warn('w')\n    print('e', file=sys.stderr)"
    value = run(text.replace("    return (jnp", f"    {noise}\n    return (jnp"), CHECK)["v"]
    assert (type(value), value) == (float, points)
    assert [verdict.exercise for verdict in shown] == [RELU]
    assert capsys.readouterr().err == ""
    assert "exercises" not in json.loads((tmp_path / MARKER).read_text())


def test_for_nbgrader_all_questions_together_end_in_their_points(run, monkeypatch):
    monkeypatch.setenv("NBGRADER_EXECUTION", "validate")
    monkeypatch.setattr("IPython.display.display", lambda shown: None)
    assert run("v = course.check('losses.q1', 'losses.q2')")["v"] == 0.0
    assert run("v = course.answer('losses.q1', ...)")["v"] == 0.0


def test_a_kernel_shows_the_card_and_a_sentence_for_what_cannot_be_meant(tmp_path):
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    cells = ["import course", RIGHT, "course.check(relu_fwd, relu_bwd)", "course.check(relu_fwd(1.0))"]
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    plain(tmp_path / MARKER, '{"schema": 1}')
    there = {"metadata": {"path": str(tmp_path)}}
    nbclient.NotebookClient(made, allow_errors=True, timeout=300, resources=there).execute()
    _, _, shown, refused = [cell.outputs for cell in made.cells]
    assert [output.output_type for output in shown] == ["execute_result"]
    assert 'class="handgrad"' in shown[0].data["text/html"]
    assert shown[0].data["text/plain"].startswith("✓ relu")
    assert refused[0].traceback == [refused[0].evalue]
    assert "leave out the brackets" in refused[0].evalue
    assert (tmp_path / ".handgrad_cache").is_dir()
