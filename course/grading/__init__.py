"""From a stranger's file to a verdict."""

from course.grading.judge import judge
from course.grading.submission import Submission, SubmissionError

__all__ = ["Submission", "SubmissionError", "judge"]
