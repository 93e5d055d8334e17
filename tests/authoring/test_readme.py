"""The made part of the README."""

import pytest

from course.authoring.readme import BEGIN, END, with_syllabus
from course.lessons import SYLLABUS


def test_every_lesson_of_the_syllabus_has_a_row():
    made = with_syllabus(f"before\n{BEGIN}\n{END}\nafter\n")
    assert all(f"`{row.name}`" in made for row in SYLLABUS)


def test_making_it_again_changes_nothing():
    made = with_syllabus(f"before\n{BEGIN}\nmade before\n{END}\nafter\n")
    assert with_syllabus(made) == made
    assert made.startswith("before\n")
    assert made.endswith("\nafter\n")
    assert "made before" not in made


def test_a_readme_without_the_marks_is_refused():
    with pytest.raises(ValueError, match="needs a line"):
        with_syllabus("no marks")
