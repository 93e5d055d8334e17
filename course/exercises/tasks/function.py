"""The function task: write a function that is judged by its values, such as an algorithm or a rule of a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, runtime_checkable

from course.comparison.function import judge_function
from course.comparison.judging import Setting
from course.comparison.mistakes import Mistake
from course.comparison.precision import FLOAT64
from course.exercises.tasks.drawing import Draw
from course.exercises.tasks.findings import AS_ASKED, AWKWARD, VALUE, find_out
from course.exercises.tasks.pair import Case, Drawing
from course.exercises.tasks.smallest_call import smallest_call
from course.exercises.tasks.task import Sitting
from course.records import Comparison, Example, Findings


@runtime_checkable
class Elsewhere(Protocol):
    """A stand-in for an answer that runs in a process of its own, and must be used there."""

    def used_by(self, use: Callable[..., Any]) -> Callable[..., Any]:
        """A stand-in for the lesson's function `use` with the answer as its first argument."""


@dataclass(frozen=True)
class FunctionTask:
    """Asks for a function whose right values are known.

    Attributes:
        reference: Gives them, a pytree of arrays and numbers.
        function: What the function must be called.
        draw: Makes its arguments: arrays, numbers, texts, functions of a lesson, and trees of these.
        returns: What its value is called.
        awkward: More arguments, drawn apart.
        tolerance: How exactly each array must be right, relative to its norm.
        traceable: Whether strangers' answers are asked for as programs; one that can't be traced is no less right.
        mistakes: Wrong functions of the same arguments, with a name each.
        use: Where it is no value of the answer that is judged, but what comes of using it: a function of the lesson
            that takes the answer and then the arguments. It may differentiate what the exercise allows.
    """

    reference: Callable[..., Any]
    function: str
    draw: Drawing
    returns: str = "y"
    awkward: tuple[Case, ...] = ()
    tolerance: float = FLOAT64.tolerance
    traceable: bool = False
    mistakes: tuple[Mistake, ...] = ()
    use: Callable[..., Any] | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The one function that an answer defines."""
        return (self.function,)

    @property
    def questions(self) -> tuple[str, ...]:
        """What is asked of an answer, in order."""
        return (AS_ASKED, VALUE, *((AWKWARD,) if self.awkward else ()))

    def judge(self, answer: Mapping[str, Any], sitting: Sitting) -> Findings:
        """Judges at the drawn arguments, then at each awkward case; the first that fails ends it."""
        function = self._used(answer[self.function])
        found = self._judge_at(function, sitting, self.draw)
        for case in self.awkward if found.agrees else ():
            there = self._judge_at(function, sitting, case.draw)
            if not there.agrees:
                return find_out(there, case=case.name, example=self._example(there, function, sitting, case.draw))
        return find_out(found, example=self._example(found, function, sitting, self.draw))

    def _used(self, function: Callable[..., Any]) -> Callable[..., Any]:
        if self.use is None:
            return function
        return function.used_by(self.use) if isinstance(function, Elsewhere) else partial(self.use, function)

    def _example(
        self, found: Comparison, function: Callable[..., Any], sitting: Sitting, draw: Drawing
    ) -> Example | None:
        if found.agrees or found.faults or not sitting.example:
            return None
        return smallest_call(self.reference, draw, function, sitting.seed, self.returns)

    def _judge_at(self, function: Callable[..., Any], sitting: Sitting, draw: Drawing) -> Comparison:
        setting = Setting(
            names=(self.function, self.function),
            seed=sitting.seed,
            aloud=sitting.aloud,
            by_hand=sitting.by_hand,
            mistakes=self.mistakes,
            reasons=sitting.reasons,
        )
        arguments = draw(Draw(sitting.seed))
        return judge_function(
            self.reference, function, arguments, setting, returns=self.returns, tolerance=self.tolerance
        )
