"""The question task: a number that the course computes at that moment, or a choice with every wrong one explained."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from course.exercises.tasks.task import Sitting
from course.records import Feedback, Findings, Remark, Status

ANSWER = "answer"
"""Where the answer of a question is found, since it is given by `course.answer` and not by a name."""

ZERO = 1e-6
"""Numbers up to this size are zero but for float32's rounding; no right answer of the course is as small as that."""


@dataclass(frozen=True)
class Option:
    """One of the choices, and what is said to whoever takes it."""

    letter: str
    text: str
    says: str
    right: bool = False


@dataclass(frozen=True)
class Choice:
    """A question with options, of which one is right."""

    prompt: str
    options: tuple[Option, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """None: it is answered by `course.answer`."""
        return ()

    @property
    def questions(self) -> tuple[str, ...]:
        """The one question that it is."""
        return (ANSWER,)

    def judge(self, answer: Mapping[str, Any], sitting: Sitting) -> Findings:
        """Looks the letter up, and says what its option says."""
        letters = [option.letter for option in self.options]
        came = answer[ANSWER]
        letter = came.strip().lower() if isinstance(came, str) else came
        for option in self.options:
            if option.letter == letter:
                return _choice_findings(option)
        return _not_an_answer(f'Answer with one of "{", ".join(letters)}"; {came!r} came.')


@dataclass(frozen=True)
class Number:
    """A question whose answer is a number, or an array of numbers.

    Attributes:
        prompt: The question.
        compute: Gives the right answer, at the moment of judging.
        says: What is said to whoever is right.
        traps: Wrong answers worth a sentence of their own, each computed too.
        tolerance: How near each number must be, relative to the right one; readers round.
        unit: What the number counts, in words.
    """

    prompt: str
    compute: Callable[[], Any]
    says: str
    traps: Sequence[tuple[Callable[[], Any], str]] = ()
    tolerance: float = 1e-2
    unit: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """None: it is answered by `course.answer`."""
        return ()

    @property
    def questions(self) -> tuple[str, ...]:
        """The one question that it is."""
        return (ANSWER,)

    def judge(self, answer: Mapping[str, Any], sitting: Sitting) -> Findings:
        """Computes the right answer and holds the given one against it."""
        right = np.asarray(self.compute(), np.float64)
        try:
            given = np.asarray(answer[ANSWER], np.float64)
        except (TypeError, ValueError):
            return _not_an_answer(f"Answer with {_form(right)}; {answer[ANSWER]!r} came.")
        if given.shape != right.shape:
            return _not_an_answer(f"Answer with {_form(right)}; something of shape {given.shape} came.")
        if _near(given, right, self.tolerance):
            return Findings(Status.RIGHT, "right", (Remark(Feedback.PASS, self.says),), share=1.0)
        for trap, says in self.traps:
            if _near(given, np.asarray(trap(), np.float64), self.tolerance):
                return Findings(Status.WRONG, "not right", (Remark(Feedback.KIND, says),), failed=ANSWER)
        unit = f" {self.unit}" if self.unit else ""
        return Findings(
            Status.WRONG, "not right", (Remark(Feedback.PASS, f"You say {_short(given)}{unit}."),), failed=ANSWER
        )


def _choice_findings(option: Option) -> Findings:
    remark = Remark(Feedback.PASS if option.right else Feedback.WHERE, option.says)
    if option.right:
        return Findings(Status.RIGHT, "right", (remark,), share=1.0)
    return Findings(Status.WRONG, f"({option.letter}) is not right", (remark,), failed=ANSWER)


def _not_an_answer(sentence: str) -> Findings:
    return Findings(Status.WRONG, "not an answer to this question", (Remark(Feedback.PASS, sentence),), failed=ANSWER)


def _near(given: np.ndarray, right: np.ndarray, tolerance: float) -> bool:
    if given.shape != right.shape:
        return False
    limits = np.where(np.abs(right) <= ZERO, ZERO, tolerance * np.abs(right))
    return bool(np.all(np.abs(given - right) <= limits))


def _form(right: np.ndarray) -> str:
    return "a number" if right.ndim == 0 else f"numbers of shape {right.shape}"


def _short(given: np.ndarray) -> str:
    if given.ndim == 0 and math.isfinite(float(given)):
        return f"{float(given):.6g}"
    return np.array2string(given, precision=4)
