"""From a stranger's file to a verdict. Reading a submission starts no JAX; judging does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from course.grading.submission import Submission, SubmissionError

if TYPE_CHECKING:
    from course.grading.judging import judge

__all__ = ["Submission", "SubmissionError", "judge"]


def __getattr__(name: str) -> Any:
    if name != "judge":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from course.grading.judging import judge

    return judge
