"""The optimiser task: write `init` and `update`, held against Optax's own along a whole run.

The contract is Optax's: `init(params) -> state`, `update(grads, state, params, *settings) -> (updates, state)`. The
state's structure is the answer's own; what is compared are the updates of every step. Each step starts from the
parameters of the right run, and from the state that the answer returned at the step before.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from course.comparison.answer import AnswerFault, Watch, refuse_change, refuse_packages, refuse_state, two_parts
from course.comparison.function import compare_values, in_float64
from course.comparison.judging import Record, Setting, judging, to_comparison
from course.comparison.mistakes import Mistake
from course.comparison.precision import FLOAT64, Precision
from course.comparison.state import outside_of
from course.comparison.trees import argument_names
from course.exercises.tasks.drawing import Draw
from course.exercises.tasks.findings import AS_ASKED, AWKWARD, VALUE, find_out
from course.exercises.tasks.shown import Shown, Source, by_name, shown_of
from course.exercises.tasks.task import Sitting
from course.quick_compile import QUICK
from course.records import Cause, Check, Comparison, Feedback, Findings, Remark

LIBRARIES = frozenset({"optax", "jax.example_libraries", "jax.experimental.optimizers"})
"""Where optimisers lie ready: an answer that takes one of them is none."""


@dataclass(frozen=True)
class Run:
    """A run: the parameters that it starts from, and the gradients of every step, in order."""

    params: Any
    grads: tuple[Any, ...]


@dataclass(frozen=True)
class OptimizerTask:
    """Asks for an optimiser.

    Attributes:
        make: Optax's own, made from `settings`.
        init: What the function that makes the state must be called.
        update: What the function of a step must be called.
        draw: Makes a run.
        settings: What follows `(grads, state, params)`, by position: learning rate, decay rates...
        awkward: More runs, by what completes "wrong for ...".
        mistakes: Wrong optimisers with a name; the `primal` of each makes one of Optax's form from the same settings.
        tolerance: How exactly each array of updates must be right, relative to its norm.
        refuses: Packages that an answer may not use.
    """

    make: Callable[..., optax.GradientTransformation]
    init: str
    update: str
    draw: Callable[[Draw], Run]
    settings: tuple[float, ...]
    awkward: tuple[tuple[str, Callable[[Draw], Run]], ...] = ()
    mistakes: tuple[Mistake, ...] = ()
    tolerance: float = FLOAT64.tolerance
    refuses: frozenset[str] = LIBRARIES

    @property
    def kept(self) -> Mapping[str, str]:
        """What never leaves a stranger's process, function by function: the state, whatever it is made of."""
        return {self.init: "all", self.update: "second"}

    @property
    def names(self) -> tuple[str, ...]:
        """The two functions that an answer defines."""
        return (self.init, self.update)

    @property
    def questions(self) -> tuple[str, ...]:
        """What is asked of an answer, in order."""
        return (AS_ASKED, VALUE, *((AWKWARD,) if self.awkward else ()))

    def judge(self, answer: Mapping[str, Any], sitting: Sitting) -> Findings:
        """Judges along the drawn run, then along each awkward one; the first that fails ends it."""
        found = self._judge_along(answer, sitting, self.draw)
        for name, draw in self.awkward if found.agrees else ():
            there = self._judge_along(answer, sitting, draw)
            if not there.agrees:
                return find_out(there, case=name)
        return find_out(found)

    def _judge_along(self, answer: Mapping[str, Any], sitting: Sitting, draw: Callable[[Draw], Run]) -> Comparison:
        setting = Setting(names=self.names, seed=sitting.seed, aloud=sitting.aloud, by_hand=sitting.by_hand)
        precision = dataclasses.replace(FLOAT64, tolerance=self.tolerance)
        record = Record(setting.watch())
        with judging():
            steps = _right_steps(self.make, self.settings, draw, sitting.seed)
            try:
                given = self._given(answer, steps, record.watch)
                self._hold(given, steps, record, precision)
                if sitting.reasons and not record.checks:
                    record.causes = self._named(given, steps, precision)
            except AnswerFault as stop:
                record.faults.append(stop.fault)
        return to_comparison(record, setting.names, precision, setting.seed)

    def _given(self, answer: Mapping[str, Any], steps: Sequence[_Step], watch: Watch) -> list[Any]:
        """The answer's updates of every step, taken from the parameters of the right run.

        Raises:
            AnswerFault: It fails, is not pure, or returns something else.
        """
        init, update = answer[self.init], answer[self.update]
        refuse_packages(self.refuses, init, update)
        before = outside_of(init, update)
        state = watch.call(init, self.init, steps[0].params, keep=True)
        given: list[Any] = []
        for step in steps:
            arguments = (step.grads, state, step.params, *self.settings)
            returned = watch.call(update, self.update, *arguments, keep=not given)
            if not given:
                refuse_change(returned, watch.call(update, self.update, *arguments), self.update)
            updates, state = two_parts(returned, self.update, "(updates, state)")
            given.append(updates)
        refuse_state(before, outside_of(init, update), self.update)
        return given

    def _hold(self, given: Sequence[Any], steps: Sequence[_Step], record: Record, precision: Precision) -> None:
        """Holds the updates against the right ones, up to the first step that is wrong."""
        for number, (updates, step) in enumerate(zip(given, steps, strict=True), 1):
            record.arrays = compare_values(step.updates, updates, "updates", precision, record.watch.notes)
            if not all(array.right for array in record.arrays):
                record.remarks.append(Remark(Feedback.WHERE, _where(number, len(steps))))
                return
        record.checks.append(Check("value", True, f"{len(steps)} steps are those of Optax"))

    def _named(self, given: Sequence[Any], steps: Sequence[_Step], precision: Precision) -> list[Cause]:
        """The one mistake of the catalogue that gives the very same updates at every step."""
        found = [mistake for mistake in self.mistakes if self._is(mistake, given, steps, precision)]
        if len(found) != 1:
            return []
        (mistake,) = found
        return [Cause("mistake", mistake.name, ("updates",), "", mistake.says, mistake.ask)]

    def _is(self, mistake: Mistake, given: Sequence[Any], steps: Sequence[_Step], precision: Precision) -> bool:
        optimizer = mistake.primal(*self.settings)
        state = optimizer.init(steps[0].params)
        for updates, step in zip(given, steps, strict=True):
            wrong, state = optimizer.update(step.grads, state, step.params)
            if not all(array.right for array in compare_values(wrong, updates, "updates", precision, [])):
                return False
        return True


@dataclass(frozen=True)
class _Step:
    """A step of the right run: its gradients, the parameters before it, and the right updates."""

    grads: Any
    params: Any
    updates: Any


@lru_cache(maxsize=64)
def _right_steps(
    make: Callable[..., optax.GradientTransformation],
    settings: tuple[float, ...],
    draw: Callable[[Draw], Run],
    seed: int,
) -> tuple[_Step, ...]:
    """A drawn run as the right optimiser makes it."""
    drawn = draw(Draw(seed))
    optimizer, params = make(*settings), in_float64(drawn.params)
    state, update = optimizer.init(params), jax.jit(optimizer.update, compiler_options=QUICK)
    steps = []
    for grads in map(in_float64, drawn.grads):
        updates, state = update(grads, state, params)
        steps.append(_Step(grads, params, updates))
        params = optax.apply_updates(params, updates)
    return tuple(steps)


def _where(number: int, steps: int) -> str:
    if number == 1:
        return f"Wrong from the first of {steps} steps on."
    return f"Right for {number - 1} of {steps} steps, wrong at the next one: what goes from step to step?"


@shown_of.register
def _(task: OptimizerTask, source: Source, seed: tuple[int, ...]) -> Shown:
    run = in_float64(source.drawn(seed))
    grads = jax.tree.map(lambda *steps: jnp.stack(steps), *run.grads)
    optimizers = (task.make, *(mistake.primal for mistake in source.mistakes))
    found = _runs(optimizers, task.settings)(run.params, grads)
    settings = dict(zip(argument_names(task.make, len(task.settings)), task.settings, strict=True))
    inputs = {**settings, "params": np.asarray(run.params), "grads": np.asarray(grads)}
    right, *made = ({"updates": np.asarray(updates)} for updates in found)
    return Shown(inputs, right, by_name(source, made))


@lru_cache(maxsize=16)
def _runs(optimizers: tuple[Callable[..., Any], ...], settings: tuple[float, ...]) -> Callable[..., Any]:
    """The updates of many optimisers at every step, each from the parameters to which the first of them has come."""

    def run(params: Any, grads: Any) -> list[Any]:
        right, *others = (make(*settings) for make in optimizers)

        def step(carried: Any, gradient: Any) -> Any:
            params, state = carried
            updates, state = right.update(gradient, state, params)
            return (optax.apply_updates(params, updates), state), (params, updates)

        _, (at, updates) = jax.lax.scan(step, (params, right.init(params)), grads)

        def along(optimizer: Any) -> Any:
            def one(state: Any, known: Any) -> Any:
                updates, state = optimizer.update(known[0], state, known[1])
                return state, updates

            return jax.lax.scan(one, optimizer.init(params), (grads, at))[1]

        return [updates, *map(along, others)]

    return jax.jit(run, compiler_options=QUICK)
