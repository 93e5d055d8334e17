"""The pair task: write `fwd` and `bwd`, or `bwd` alone where `fwd` is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from course.comparison.mistakes import Mistake
from course.comparison.pair import Setting, judge_pair
from course.comparison.point import Point, make_point
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
from course.exercises.tasks.smallest import smallest_counterexample
from course.exercises.tasks.task import Sitting
from course.records import Comparison, Example, Findings

Drawing = Callable[[Draw], tuple[Any, ...]]

ANOTHER = 1
"""Beside the seed, it makes the inputs at which a reason is confirmed other ones."""


@dataclass(frozen=True)
class Case:
    """Inputs that a careless answer gets wrong: `name` completes "wrong for ..."."""

    name: str
    draw: Drawing


@dataclass(frozen=True)
class PairTask:
    """Asks for a backward pass and, unless it is given, for the forward pass that feeds it.

    Attributes:
        primal: The function being differentiated.
        fwd: What the forward function must be called.
        bwd: What the backward function must be called.
        draw: Makes the primals, from sizes and numbers.
        awkward: More inputs, drawn apart.
        given: The forward function where the lesson gives it; then only `bwd` is asked for.
        asked: Places of the primals whose cotangents `bwd` returns; all by default.
        data: Places of the primals that may get None although they are floating.
        traceable: Whether the answer must be safe under `jit`; otherwise that is a note.
        limits: What it may cost, if that counts.
        mistakes: Wrong derivations with a name; what else is wrong is traced to a line of the primal.
    """

    primal: Callable[..., Any]
    fwd: str
    bwd: str
    draw: Drawing
    awkward: tuple[Case, ...] = ()
    given: Callable[..., Any] | None = None
    asked: tuple[int, ...] | None = None
    data: tuple[int, ...] = ()
    traceable: bool = True
    limits: Limits | None = None
    mistakes: tuple[Mistake, ...] = ()

    @property
    def kept(self) -> Mapping[str, str]:
        """What never leaves a stranger's process, function by function: the residuals, whatever they are made of."""
        return {self.fwd: "second"} if self.fwd else {}

    @property
    def names(self) -> tuple[str, ...]:
        """The functions that an answer defines."""
        return (self.bwd,) if self.given is not None else (self.fwd, self.bwd)

    @property
    def questions(self) -> tuple[str, ...]:
        """What is asked of an answer, in order."""
        also = ((AWKWARD,) if self.awkward else ()) + ((COST,) if self.limits else ())
        return (AS_ASKED, VALUE, REVERSE, FORWARD, DIFFERENCES, FLOAT32, *also)

    def judge(self, answer: Mapping[str, Any], sitting: Sitting) -> Findings:
        """Judges at the drawn inputs, then at each awkward case; the first that fails ends it."""
        fwd = self.given if self.given is not None else answer[self.fwd]
        judge_at = partial(self._judge_at, fwd, answer[self.bwd], sitting)
        example = partial(self._example, fwd, answer[self.bwd], sitting)
        at_once = sitting.at_once and self.traceable and not sitting.aloud
        found = judge_at(self.draw)
        if not found.agrees:
            return find_out(found, example=example(found, self.draw))
        for case in self.awkward:
            if at_once and judge_at(case.draw, case.name, at_once=True).agrees:
                continue
            there = judge_at(case.draw, case.name)  # of a wrong answer this says more
            if not there.agrees:
                return find_out(there, case=case.name, example=example(there, case.draw))
        excess = self.limits.excess(found, self._point(self.draw, sitting.seed)) if self.limits else None
        return find_out(found, excess=excess)

    def _point(self, draw: Drawing, seed: int) -> Point:
        return make_point(self.primal, draw(Draw(seed)))

    def _judge_at(
        self,
        fwd: Callable[..., Any],
        bwd: Callable[..., Any],
        sitting: Sitting,
        draw: Drawing,
        case: str = "",
        *,
        at_once: bool = False,
    ) -> Comparison:
        early = None if at_once else sitting.early
        setting = Setting(
            names=(self.fwd, self.bwd),
            seed=sitting.seed,
            asked=self.asked,
            data=self.data,
            traceable=self.traceable,
            cost=not case,
            at_once=at_once,
            aloud=sitting.aloud,
            by_hand=sitting.by_hand,
            mistakes=self.mistakes,
            again=lambda: draw(Draw((sitting.seed, ANOTHER))),
            reasons=sitting.reasons and not at_once,
            early=None if early is None else lambda known: early(find_out(known, case=case)),
        )
        return judge_pair(self._point(draw, sitting.seed), fwd, bwd, setting)

    def _example(
        self, fwd: Callable[..., Any], bwd: Callable[..., Any], sitting: Sitting, found: Comparison, draw: Drawing
    ) -> Example | None:
        if found.faults or not sitting.example:
            return None
        setting = Setting(names=(self.fwd, self.bwd), seed=sitting.seed, asked=self.asked, data=self.data)
        return smallest_counterexample(self.primal, draw, fwd, bwd, setting)
