"""The random task: write a function of a key that draws arrays; it is judged by the moments of what it draws."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from course.comparison.judging import Setting
from course.comparison.mistakes import Mistake
from course.comparison.moments import Measure, judge_random
from course.exercises.tasks.drawing import Draw
from course.exercises.tasks.findings import AS_ASKED, AWKWARD, VALUE, find_out
from course.exercises.tasks.pair import Case, Drawing
from course.exercises.tasks.task import Sitting
from course.records import Comparison, Findings

INITIALISERS = frozenset({"jax.nn.initializers", "jax._src.nn.initializers"})
"""Where such functions lie ready, and where they come from: an answer that takes one of them is none."""


@dataclass(frozen=True)
class RandomTask:
    """Asks for a function `(key, *arguments)` whose numbers are right by their moments, whatever their distribution.

    Attributes:
        scales: From the arguments to a tree of arrays that hold, for each number, its right standard deviation.
        function: What the function must be called.
        draw: Makes the arguments that follow the key; they are sizes, and large, so that chance says little.
        returns: What its value is called.
        measures: What is asked of all that is drawn together.
        awkward: More arguments, drawn apart.
        traceable: Whether strangers' answers are asked for as programs; one whose shapes are arguments is none.
        mistakes: Wrong scales with a name: functions of the same arguments.
        refuses: Packages that an answer may not use.
    """

    scales: Callable[..., Any]
    function: str
    draw: Drawing
    returns: str = "w"
    measures: tuple[Measure, ...] = ()
    awkward: tuple[Case, ...] = ()
    traceable: bool = False
    mistakes: tuple[Mistake, ...] = ()
    refuses: frozenset[str] = INITIALISERS

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
        found = self._judge_at(answer[self.function], sitting, self.draw)
        for case in self.awkward if found.agrees else ():
            there = self._judge_at(answer[self.function], sitting, case.draw)
            if not there.agrees:
                return find_out(there, case=case.name)
        return find_out(found)

    def _judge_at(self, function: Callable[..., Any], sitting: Sitting, draw: Drawing) -> Comparison:
        setting = Setting(
            names=(self.function, self.function),
            seed=sitting.seed,
            aloud=sitting.aloud,
            by_hand=sitting.by_hand,
            mistakes=self.mistakes,
            reasons=sitting.reasons,
        )
        return judge_random(
            self.scales,
            function,
            draw(Draw(sitting.seed)),
            setting,
            returns=self.returns,
            measures=self.measures,
            refuses=self.refuses,
        )
