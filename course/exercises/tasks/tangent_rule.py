"""The tangent-rule task: write `rule(primals, tangents) -> (y, y_dot)`, the contract of `jax.custom_jvp`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from course.comparison import costs
from course.comparison.judging import Setting
from course.comparison.mistakes import Mistake
from course.comparison.point import Point, make_point
from course.comparison.rule import judge_rule
from course.exercises.tasks.drawing import Draw
from course.exercises.tasks.findings import (
    AS_ASKED,
    AWKWARD,
    COST,
    DIFFERENCES,
    FLOAT32,
    FORWARD,
    REVERSE,
    VALUE,
    find_out,
)
from course.exercises.tasks.limits import Limits
from course.exercises.tasks.pair import ANOTHER, Case, Drawing
from course.exercises.tasks.smallest import smallest_for_rule
from course.exercises.tasks.task import Sitting
from course.records import Comparison, Example, Findings


@dataclass(frozen=True)
class TangentRuleTask:
    """Asks for a tangent rule.

    Attributes:
        primal: The function being differentiated.
        rule: What the rule must be called.
        draw: Makes the primals, from sizes and numbers.
        awkward: More inputs, drawn apart.
        traceable: Whether the rule must be safe under `jit`; otherwise that is a note.
        limits: What it may cost beside `jax.jvp`, if that counts.
        mistakes: Wrong derivations with a name: functions whose `jax.jvp` is the wrong answer.
    """

    primal: Callable[..., Any]
    rule: str
    draw: Drawing
    awkward: tuple[Case, ...] = ()
    traceable: bool = True
    limits: Limits | None = None
    mistakes: tuple[Mistake, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The one function that an answer defines."""
        return (self.rule,)

    @property
    def questions(self) -> tuple[str, ...]:
        """What is asked of an answer, in order."""
        also = ((AWKWARD,) if self.awkward else ()) + ((COST,) if self.limits else ())
        return (AS_ASKED, VALUE, FORWARD, REVERSE, DIFFERENCES, FLOAT32, *also)

    def judge(self, answer: Mapping[str, Any], sitting: Sitting) -> Findings:
        """Judges at the drawn inputs, then at each awkward case; the first that fails ends it."""
        rule = answer[self.rule]
        found = self._judge_at(rule, sitting, self.draw, first=True)
        if not found.agrees:
            return find_out(found, example=self._example(found, rule, sitting))
        for case in self.awkward:
            there = self._judge_at(rule, sitting, case.draw, first=False)
            if not there.agrees:
                return find_out(there, case=case.name)
        excess = self.limits.excess(found, self._point(self.draw, sitting.seed), costs.FORWARD) if self.limits else None
        return find_out(found, excess=excess)

    def _point(self, draw: Drawing, seed: int) -> Point:
        return make_point(self.primal, draw(Draw(seed)))

    def _judge_at(self, rule: Callable[..., Any], sitting: Sitting, draw: Drawing, *, first: bool) -> Comparison:
        early = sitting.early
        setting = Setting(
            names=(self.rule, self.rule),
            seed=sitting.seed,
            traceable=self.traceable,
            cost=first,
            aloud=sitting.aloud,
            by_hand=sitting.by_hand,
            linear=True,
            again=lambda: draw(Draw((sitting.seed, ANOTHER))),
            mistakes=self.mistakes,
            reasons=first and sitting.reasons,
            early=None if early is None else lambda known: early(find_out(known)),
        )
        return judge_rule(self._point(draw, sitting.seed), rule, setting)

    def _example(self, found: Comparison, rule: Callable[..., Any], sitting: Sitting) -> Example | None:
        if found.faults or not sitting.example:
            return None
        setting = Setting(names=(self.rule, self.rule), seed=sitting.seed)
        return smallest_for_rule(self.primal, self.draw, rule, setting)
