"""Claims about texts of a class: all are read without being run, marks are kept and never lost."""

import csv
import io

import pytest

from course.exercises import find_exercise
from course.grading.cohort.gradebook import table
from course.grading.cohort.roster import Handed
from course.grading.cohort.texts import (
    CHANGED,
    BadMarks,
    marks_text,
    merged,
    page,
    points_of,
    read_marks,
    texts_in,
)
from course.grading.submission import Submission

ASKED = find_exercise("losses.text")
NAME = ASKED.name


def read(tmp_path, source):
    (tmp_path / "work.py").write_text(source)
    return texts_in(Submission.read(tmp_path / "work.py"), [NAME])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ('"""One.\nTwo."""', "One.\nTwo."),
        ('"One " "two."', "One two."),
        ("..., ", None),
        ('"  "', None),
        ("open('x').read()", "open('x').read()"),
    ],
)
def test_a_text_is_read_as_it_stands_and_nothing_is_run(tmp_path, value, text):
    found = read(tmp_path, f'import course\nraise SystemExit\ncourse.answer("{NAME}", {value})\n')
    assert found.get(NAME) == text


def test_answers_to_other_questions_are_no_texts(tmp_path):
    assert read(tmp_path, 'course.answer("losses.q2", "b")\n') == {}


def marked(marks, tmp_path, **points):
    """The table as a teacher gives it back."""
    rows = list(csv.DictReader(io.StringIO(marks_text(marks))))
    for row in rows:
        row["points"] = points.get(row["student"], row["points"])
    out = io.StringIO()
    writer = csv.DictWriter(out, rows[0].keys())
    writer.writeheader()
    writer.writerows(rows)
    (tmp_path / "marks.csv").write_text("\ufeff" + out.getvalue())  # as spreadsheets save it
    return read_marks(tmp_path / "marks.csv")


def test_marks_survive_new_texts_changed_texts_and_texts_that_are_gone(tmp_path):
    first = merged([], {"ada": {NAME: "one"}, "bob": {NAME: "two"}}, [ASKED])
    assert [(m.student, m.of, m.points) for m in first] == [("ada", 6, ""), ("bob", 6, "")]
    given = marked(first, tmp_path, ada="5", bob="2,5")
    again = merged(given, {"ada": {NAME: "one"}, "bob": {NAME: "other"}, "cyd": {NAME: "new"}}, [ASKED])
    assert [(m.student, m.points, m.remark) for m in again] == [
        ("ada", "5", ""),
        ("bob", "2,5", CHANGED),
        ("cyd", "", ""),
    ]
    assert merged(again, {"bob": {NAME: "other"}}, [ASKED]) == again
    assert points_of(again) == {"ada": {NAME: 5.0}, "bob": {NAME: 2.5}}


def test_a_text_that_changed_before_it_was_marked_is_a_new_one(tmp_path):
    first = merged([], {"ada": {NAME: "one"}}, [ASKED])
    (again,) = merged(first, {"ada": {NAME: "two"}}, [ASKED])
    assert again.digest != first[0].digest
    assert again.remark == ""


@pytest.mark.parametrize("points", ["7", "-1", "good", "nan"])
def test_points_out_of_range_are_refused_with_their_line(tmp_path, points):
    first = merged([], {"ada": {NAME: "one"}}, [ASKED])
    with pytest.raises(BadMarks, match="line 2: points go from 0 to 6"):
        marked(first, tmp_path, ada=points)


def test_a_table_of_something_else_is_refused(tmp_path):
    (tmp_path / "marks.csv").write_text("name,mark\nada,3\n")
    with pytest.raises(BadMarks, match="no such columns"):
        read_marks(tmp_path / "marks.csv")
    assert read_marks(tmp_path / "none.csv") == []


def test_the_page_has_the_question_the_rubric_and_every_text_as_text(tmp_path):
    html = page([ASKED], {"ada": {NAME: "<b>one</b>\ntwo"}, "bob": {}}, tmp_path / "grades.marks.csv")
    assert "&lt;b&gt;one&lt;/b&gt;\ntwo" in html
    assert all(criterion.text.split("'")[0] in html for criterion in ASKED.task.rubric)
    assert "grades.marks.csv" in html
    assert "bob" not in html


def test_marks_stand_in_columns_of_their_own_beside_the_machines_points(tmp_path):
    handed = [Handed("ada", tmp_path, "0" * 64), Handed("bob", tmp_path, "1" * 64)]
    rows = list(csv.DictReader(io.StringIO(table(handed, {}, ["losses.q1"], {"ada": {NAME: 5.0}}, [NAME]))))
    assert [(row["student"], row["points"], row["marked"], row[NAME]) for row in rows] == [
        ("ada", "0", "5", "5"),
        ("bob", "0", "0", ""),
    ]
    assert "marked" not in table(handed, {}, ["losses.q1"])
