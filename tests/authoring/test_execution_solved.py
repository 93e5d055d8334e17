"""Claims about executing the solved notebooks: each answer is right where it stands, and earns its points."""

import pytest

from course.authoring.checkout import this_checkout
from course.authoring.execute import kernel, try_lesson
from course.authoring.make import lessons_with_source
from course.exercises import paper_of
from course.exercises.tasks.free_text import FreeText

CHECKOUT = this_checkout()


@pytest.fixture(scope="module")
def there():
    with kernel() as running:
        yield running


@pytest.mark.slow
@pytest.mark.parametrize("lesson", lessons_with_source(CHECKOUT))
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
