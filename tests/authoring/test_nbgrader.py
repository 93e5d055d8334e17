"""Claims about what nbgrader itself makes of the notebooks: it hands them out as they are, and grades them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from course.authoring.checkout import this_checkout
from course.authoring.make import lessons_with_source
from course.authoring.notebook import Maker, notebook_text
from course.authoring.solution import read_solution
from course.authoring.source import parse_source
from course.exercises import find_exercise
from course.exercises.exercise import Paper

CHECKOUT = this_checkout()
LESSONS = lessons_with_source(CHECKOUT)

CLASS = """
from nbgrader.api import Gradebook
from nbgrader.apps import NbGraderAPI
from nbgrader.converters import GenerateAssignment
from nbgrader.preprocessors import ClearSolutions
from traitlets.config import Config

config = Config()
config.CourseDirectory.root = "."
config.ExecutePreprocessor.timeout = 300
# The notebooks hold no answers: there is nothing to clear, and clearing would take the stubs.
steps = [step for step in GenerateAssignment().preprocessors if step is not ClearSolutions]
config.GenerateAssignment.preprocessors = steps

nbgrader = NbGraderAPI(config=config)
for done in [
    nbgrader.generate_assignment("lesson"),
    nbgrader.autograde("lesson", "untouched"),
    nbgrader.autograde("lesson", "solved"),
]:
    assert done["success"], done
with Gradebook("sqlite:///gradebook.db") as book:
    for done in book.assignment_submissions("lesson"):
        print("score", done.student.id, done.score, done.max_score, done.needs_manual_grade)
"""

SHORT = Paper(
    "chain_rule", (find_exercise("chain_rule.square"), find_exercise("chain_rule.q2"), find_exercise("chain_rule.text"))
)
SOURCE = """\
# %% [markdown] name="title"
# # A short lesson

# %% name="your-square" tags=["exercise"]
from solutions.chain_rule import square_bwd

# %% name="check-square" tags=["check"]
course.check(square_bwd)

# %% [markdown] name="ask"
# {question chain_rule.q2}

# %% name="answer" tags=["question"]
course.answer("chain_rule.q2", ...)

# %% [markdown] name="ask-text"
# {question chain_rule.text}

# %% name="answer-text" tags=["question"]
course.answer("chain_rule.text", ...)
"""


def short_lesson(*, solved):
    """One exercise and one question of a real lesson: nbgrader takes its time."""
    solution = read_solution(CHECKOUT.solution("chain_rule"))
    return Maker(parse_source(SOURCE, "short.py"), solution, SHORT, solved).make()


@pytest.mark.parametrize("lesson", LESSONS)
def test_the_metadata_of_every_cell_is_valid(lesson):
    import nbformat  # takes seconds
    from nbgrader.nbgraderformat import MetadataValidator

    MetadataValidator().validate_nb(nbformat.read(CHECKOUT.made(lesson), 4))


@pytest.mark.nbgrader
@pytest.mark.slow
def test_an_untouched_notebook_scores_nothing_and_the_solved_one_everything_but_its_text(tmp_path):
    import nbformat

    untouched, solved = (notebook_text(short_lesson(solved=solved)) for solved in (False, True))
    hand_ins = {"source": untouched, "submitted/untouched": untouched, "submitted/solved": solved}
    for folder, text in hand_ins.items():
        (tmp_path / folder / "lesson").mkdir(parents=True)
        (tmp_path / folder / "lesson" / "short.ipynb").write_text(text, encoding="utf-8")

    paths = [str(Path(sys.executable).parent), os.environ["PATH"]]  # nbgrader calls other programs
    environment = {**os.environ, "PATH": os.pathsep.join(paths), "IPYTHONDIR": str(tmp_path / ".ipython")}
    program = [sys.executable, "-c", CLASS]
    done = subprocess.run(program, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr

    released = nbformat.read(tmp_path / "release" / "lesson" / "short.ipynb", 4)
    assert [cell.source for cell in released.cells] == [cell.source for cell in nbformat.reads(untouched, 4).cells]
    by_machine = float(sum(exercise.points for exercise in SHORT.exercises))
    possible = str(by_machine + SHORT.exercises[-1].task.points)
    scores = sorted(line.split()[1:] for line in done.stdout.splitlines() if line.startswith("score"))
    assert scores == [["solved", str(by_machine), possible, "True"], ["untouched", "0.0", possible, "False"]]
