"""Whether an answer is right, asked quietly: for the cells of a notebook that show what a right answer can do."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from course.exercises import NoSuchExercise, select
from course.grading.judging import judge
from course.grading.submission import Submission


def solved(*functions: Callable[..., Any]) -> bool:
    """Whether these functions answer their exercise rightly. Shows nothing, and is no attempt.

    Raises:
        NoSuchExercise: No exercise asks for just these functions.
    """
    answer = {getattr(function, "__name__", ""): function for function in functions}
    for exercise in select():
        if exercise.task.names and set(exercise.task.names) == set(answer):
            return judge(exercise, Submission.of_namespace({**vars(sys.modules["__main__"]), **answer})).right
    raise NoSuchExercise(f"No exercise asks for {' and '.join(answer)}.")
