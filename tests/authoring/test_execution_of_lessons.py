"""Claims about the notebooks of this checkout, executed from top to bottom: as a learner gets them, and solved.

CI takes turns: of every third lesson the solved notebook, of the others the untouched one. `-m slow` executes both of
each, one after the other in one kernel, where what the first compiled serves the second.
"""

import pytest

from course.authoring.checkout import this_checkout
from course.authoring.execute import kernel, try_lesson
from course.authoring.make import lessons_with_source
from course.exercises import paper_of
from course.exercises.tasks.free_text import FreeText

CHECKOUT = this_checkout()
LESSONS = lessons_with_source(CHECKOUT)
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def there():
    with kernel() as running:
        yield running


def taking_turns(*, solved):
    """The lessons as parameters: in CI every third one's notebook is solved, and the rest for whoever asks for all."""
    left_out = pytest.mark.exhaustive
    turns = [
        pytest.param(lesson, marks=[left_out] * ((place % 3 == 0) != solved)) for place, lesson in enumerate(LESSONS)
    ]
    return pytest.mark.parametrize("lesson", turns, scope="module")


def text_of(outputs):
    return "\n".join(output.get("text") or str(output.get("data", {}).get("text/plain")) for output in outputs)


@taking_turns(solved=False)
def test_an_untouched_notebook_executes_and_finds_nothing_started(there, lesson):
    notebook = try_lesson(CHECKOUT, lesson, there, solved=False)
    checks = [cell for cell in notebook.cells if "check" in cell.metadata.get("tags", [])]
    assert checks
    for cell in checks:
        assert "not started" in text_of(cell.outputs), cell.metadata.name


@taking_turns(solved=True)
def test_the_solved_notebook_executes_and_earns_every_point_from_nbgrader(there, lesson):
    from nbgrader.utils import determine_grade, is_grade

    notebook = try_lesson(CHECKOUT, lesson, there, solved=True, grading=True)
    grades = [determine_grade(cell) for cell in notebook.cells if is_grade(cell)]
    judged = [grade for grade in grades if grade[0] is not None]
    read_by_a_person = [most for points, most in grades if points is None]
    exercises = paper_of(lesson).exercises
    possible = sum(exercise.points + exercise.cost_points for exercise in exercises)
    assert sum(points for points, _ in judged) == sum(points for _, points in judged) == possible
    assert read_by_a_person == [exercise.task.points for exercise in exercises if isinstance(exercise.task, FreeText)]
