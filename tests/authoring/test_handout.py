"""Claims about plain files to work in, which are made from made notebooks alone."""

import ast

import pytest

from course.authoring.handout import handout
from course.authoring.notebook import notebook_text
from course.grading import Submission
from tests.authoring.samples import made


@pytest.fixture
def text(tmp_path):
    notebook = tmp_path / "01_bend.ipynb"
    notebook.write_text(notebook_text(made(tmp_path)))
    return handout(notebook)


def test_it_starts_with_the_title_and_the_imports_that_answers_may_need(text):
    assert text.startswith(
        '"""Bend it.\n\n'
        "Fill in what is asked, save, and run `course check` in this folder.\n"
        '"""\n\n'
        "import course\n"
        "import jax.numpy as jnp\n"
        "from course.answers import relu_bwd\n\n\n"
        "def bend_fwd("
    )


def test_every_question_stands_above_its_answer_in_plain_words(text):
    assert (
        "# Question: which_one (1 point)\n"
        "#\n"
        "# Is 2 ** 3 < 9 for `a ** b`?\n"
        "#\n"
        "# - (a) No.\n"
        "# - (b) Yes, *sure*.\n"
        'course.answer("bend.q1", ...)\n'
    ) in text
    assert text.endswith('# Answer in radians.\ncourse.answer("bend.q2", ...)\n')


def test_no_picture_no_check_and_nothing_to_install_is_in_it(text):
    for word in ("matplotlib", "plt", "course.check", "course.solved", "ModuleNotFoundError"):
        assert word not in text


def test_it_is_python_that_reads_as_not_started(tmp_path, text):
    ast.parse(text)
    place = tmp_path / "bend.py"
    place.write_text(text)
    submission = Submission.read(place)
    for names in (("bend_fwd", "bend_bwd"), ("bend.q1",), ("bend.q2",)):
        assert submission.find(names).fault.kind == "not_started"
