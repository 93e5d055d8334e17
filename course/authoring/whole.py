"""Whether the course is whole: every lesson has all its rooms, what is made is fresh, and no answer shows."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from course.authoring.checkout import Checkout, stem_of
from course.authoring.leaks import asked_of, leaks
from course.authoring.make import make_notebook
from course.authoring.notebook import notebook_text
from course.authoring.readme import readme_of, with_syllabus
from course.authoring.solution import read_solution
from course.authoring.source import AuthoringError
from course.exercises import paper_of
from course.exercises.exercise import Paper
from course.grading import Submission, judge
from course.grading.judging import find_answer
from course.lessons import SYLLABUS
from course.records import Feedback

AGAIN = "run `python -m course.authoring make`"


def incomplete(checkout: Checkout, *, judging: bool = True) -> Iterator[str]:
    """What is missing, stale, shown or wrong, a sentence each.

    Args:
        checkout: Where to look.
        judging: Whether the answers are judged, too, which takes longer than all the rest.
    """
    lessons = [row.name for row in SYLLABUS]
    for lesson in lessons:
        yield from _missing_rooms(checkout, lesson)
    for lesson in lessons:
        if (paper := _paper(lesson)) and checkout.solution(lesson).is_file():
            if checkout.source(lesson).is_file():
                yield from notebook_faults(checkout, lesson)
            if judging:
                yield from _answers(checkout, paper)
    yield from _strays(checkout)
    yield from _readme(checkout)


def _paper(lesson: str) -> Paper | None:
    try:
        return paper_of(lesson)
    except ModuleNotFoundError as error:
        if error.name != f"course.exercises.{lesson}":
            raise
        return None


def _missing_rooms(checkout: Checkout, lesson: str) -> Iterator[str]:
    if _paper(lesson) is None:
        yield f"{lesson} has no exam paper: course/exercises/{lesson}.py."
    for place in (checkout.source(lesson), checkout.solution(lesson), checkout.tests(lesson)):
        if not place.is_file():
            yield f"{lesson} has no {place.relative_to(checkout.root).as_posix()}."


def notebook_faults(checkout: Checkout, lesson: str) -> Iterator[str]:
    """Whether a notebook is what its source makes, shows nothing that is asked, and leaves all of it to be written."""
    made = checkout.made(lesson)
    name = made.relative_to(checkout.root).as_posix()
    try:
        notebook = make_notebook(checkout, lesson)
    except AuthoringError as error:
        yield str(error)
        return
    if not made.is_file() or made.read_bytes() != notebook_text(notebook).encode():
        yield f"{name} is not what its source makes: {AGAIN}."
        return
    own = asked_of(read_solution(checkout.solution(lesson)), paper_of(lesson))
    for cell, code in leaks(notebook, own, list(_asked_elsewhere(checkout, lesson))):
        yield f'{name}, cell "{cell}" shows what is asked: {code}'
    submission = Submission.read(made)
    for exercise in paper_of(lesson).exercises:
        fault = find_answer(exercise, submission).fault
        if fault is None or fault.kind != "not_started":
            yield f"{name} does not leave {exercise.name} to be written{f': {fault.message}' if fault else '.'}"


def _asked_elsewhere(checkout: Checkout, lesson: str) -> Iterator[ast.stmt]:
    for row in SYLLABUS:
        paper = _paper(row.name)
        if row.name != lesson and paper and checkout.solution(row.name).is_file():
            yield from asked_of(read_solution(checkout.solution(row.name)), paper)


def _answers(checkout: Checkout, paper: Paper) -> Iterator[str]:
    submission = Submission.read(checkout.root / "solutions")
    for exercise in paper.exercises:
        verdict = judge(exercise, submission, feedback=Feedback.NAME)
        if not verdict.done:
            yield f"solutions/{paper.lesson}.py does not pass {exercise.name}: {verdict.headline}."


def _strays(checkout: Checkout) -> Iterator[str]:
    """Files among the notebooks that belong to no lesson, or bear the number of another place in the syllabus."""
    stems = {stem_of(row.name) for row in SYLLABUS}
    folder = checkout.root / "notebooks"
    for place in sorted(folder.glob("*")) if folder.is_dir() else []:
        if place.suffix in (".py", ".ipynb") and place.stem not in stems:
            yield f"{_under(checkout, place)} belongs to no lesson of the syllabus, or its number is not the lesson's."


def _readme(checkout: Checkout) -> Iterator[str]:
    try:
        text = readme_of(checkout).read_text(encoding="utf-8")
        if with_syllabus(text) != text:
            yield f"README.md does not show the syllabus as it is: {AGAIN}."
    except FileNotFoundError:
        yield "There is no README.md."
    except ValueError as error:
        yield str(error)


def _under(checkout: Checkout, place: Path) -> str:
    return place.relative_to(checkout.root).as_posix()
