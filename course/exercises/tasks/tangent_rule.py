"""The tangent-rule task: write `rule(primals, tangents) -> (y, y_dot)`, the contract of `jax.custom_jvp`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from course.comparison.pair import Setting
from course.comparison.point import make_point
from course.comparison.rule import judge_rule
from course.exercises.tasks.drawing import Draw
from course.exercises.tasks.findings import (
    AS_ASKED,
    AWKWARD,
    DIFFERENCES,
    FLOAT32,
    FORWARD,
    REVERSE,
    VALUE,
    find_out,
)
from course.exercises.tasks.pair import Case, Drawing
from course.exercises.tasks.task import Sitting
from course.records import Comparison, Findings


@dataclass(frozen=True)
class TangentRuleTask:
    """Asks for a tangent rule.

    Attributes:
        primal: The function being differentiated.
        rule: What the rule must be called.
        draw: Makes the primals, from sizes and numbers.
        awkward: More inputs, drawn apart.
        traceable: Whether the rule must be safe under `jit`; otherwise that is a note.
    """

    primal: Callable[..., Any]
    rule: str
    draw: Drawing
    awkward: tuple[Case, ...] = ()
    traceable: bool = True

    @property
    def names(self) -> tuple[str, ...]:
        """The one function that an answer defines."""
        return (self.rule,)

    @property
    def questions(self) -> tuple[str, ...]:
        """What is asked of an answer, in order."""
        return (AS_ASKED, VALUE, FORWARD, REVERSE, DIFFERENCES, FLOAT32, *((AWKWARD,) if self.awkward else ()))

    def judge(self, answer: Mapping[str, Any], sitting: Sitting) -> Findings:
        """Judges at the drawn inputs, then at each awkward case; the first that fails ends it."""
        found = self._judge_at(answer[self.rule], sitting, self.draw, cost=True)
        for case in self.awkward if found.agrees else ():
            there = self._judge_at(answer[self.rule], sitting, case.draw, cost=False)
            if not there.agrees:
                return find_out(there, case=case.name)
        return find_out(found)

    def _judge_at(self, rule: Callable[..., Any], sitting: Sitting, draw: Drawing, *, cost: bool) -> Comparison:
        setting = Setting(
            names=(self.rule, self.rule),
            seed=sitting.seed,
            traceable=self.traceable,
            cost=cost,
            aloud=sitting.aloud,
            by_hand=sitting.by_hand,
        )
        return judge_rule(make_point(self.primal, draw(Draw(sitting.seed))), rule, setting)
