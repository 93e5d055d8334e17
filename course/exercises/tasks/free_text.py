"""The free-text question: an answer in one's own words, which no machine judges, and the points to read it against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from course.exercises.tasks.question import ANSWER
from course.exercises.tasks.task import Sitting
from course.records import Feedback, Findings, Remark, Status

READ_IT = "Nobody judges this but a person. Read yours against these points:"


@dataclass(frozen=True)
class Criterion:
    """One thing that a reader can tick, and the points that it gives."""

    points: int
    text: str


@dataclass(frozen=True)
class FreeText:
    """Asks for a text.

    Attributes:
        prompt: The question.
        rubric: What a good answer says; it is shown once a text is handed in.
    """

    prompt: str
    rubric: tuple[Criterion, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """None: it is answered by `course.answer`."""
        return ()

    @property
    def questions(self) -> tuple[str, ...]:
        """The one question that it is."""
        return (ANSWER,)

    @property
    def points(self) -> int:
        """What a person may give for it; a machine gives nothing."""
        return sum(criterion.points for criterion in self.rubric)

    def judge(self, answer: Mapping[str, Any], sitting: Sitting) -> Findings:
        """Takes a text, and shows what to hold it against."""
        text = answer[ANSWER]
        if not isinstance(text, str):
            sentence = f"Answer with a text, in quotation marks; {text!r} came."
            return Findings(
                Status.WRONG, "not an answer to this question", (Remark(Feedback.PASS, sentence),), failed=ANSWER
            )
        if not text.strip():
            return Findings(Status.NOT_STARTED, "not started", (Remark(Feedback.PASS, "The text is empty."),))
        points = (f"[{criterion.points}] {criterion.text}" for criterion in self.rubric)
        return Findings(
            Status.HANDED_IN, "handed in", tuple(Remark(Feedback.PASS, line) for line in (READ_IT, *points))
        )
