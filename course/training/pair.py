"""The pair that a demo is trained on: whose it is, whether it is right, and at what distance from `jax.vjp`."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import jax
import numpy as np

import course
from course.answers import find_folder
from course.comparison.pair import Setting, judge_pair
from course.comparison.point import make_point
from course.exercises import find_exercise
from course.exercises.tasks.pair import PairTask
from course.grading import Submission, judge
from course.grading.finding import Found
from course.records import Comparison, Fault, Status, Verdict
from course.training import TrainingError
from course.training.data import Splits
from course.training.demo import Demo
from course.training.gradients import in_the_contracts_form

_ROWS = 7
"""Examples on which a pair is compared: few, and not as many as any layer has units."""

_SPREAD = 0.1
"""How far parameters are moved from where training starts, where biases are zero and would hide mistakes."""


@dataclass(frozen=True)
class Pair:
    """The pair of a demo, made of what was found in a submission; `theirs`: not this course's own answers."""

    demo: Demo
    found: Found
    submission: Submission
    theirs: bool

    @property
    def path(self) -> str:
        """What its owner calls the place; empty for the course's own answers."""
        return self.submission.where if self.theirs else ""

    @property
    def functions(self) -> tuple[Callable[..., Any], Callable[..., Any]]:
        """Forward and backward."""
        found = [(self.found.values[task.fwd], self.found.values[task.bwd]) for task in pair_tasks(self.demo)]
        return self.demo.assemble(*(found if len(found) == 1 else [in_the_contracts_form(*pair) for pair in found]))

    @property
    def names(self) -> tuple[str, str]:
        """What the functions are called where the last of the exercises asks for them."""
        task = pair_tasks(self.demo)[-1]
        return task.fwd, task.bwd


class NoPair(TrainingError):
    """There is no pair to train on, and why."""


def find_pair(demo: Demo, path: str | None = None) -> Pair:
    """Finds the pair of a demo: in `path`, else in the learner's folder, else among the course's own answers.

    Raises:
        NoPair: It is not there, or not written yet.
        SubmissionError: There is nothing at `path`.
    """
    return _pair_in(demo, *find_submission(path))


def course_pair(demo: Demo) -> Pair:
    """The course's own answer, wherever we are.

    Raises:
        NoPair: The course was installed without its answers.
    """
    return _pair_in(demo, course_answers(), theirs=False)


def _pair_in(demo: Demo, submission: Submission, theirs: bool) -> Pair:
    names = tuple(name for task in pair_tasks(demo) for name in (task.fwd, task.bwd))
    found = submission.find(names)
    if found.fault is not None:
        raise NoPair(_sentence(found.fault, submission.where, names))
    return Pair(demo, found, submission, theirs)


def find_submission(path: str | None) -> tuple[Submission, bool]:
    """Where answers come from, and whether they are somebody's own.

    Raises:
        NoPair: No path was given, this is no learner's folder, and the course was installed without its answers.
        SubmissionError: There is nothing at `path`.
    """
    folder = find_folder(Path.cwd())
    if path is not None:
        return Submission.read(path), True
    if folder is not None:
        return dataclasses.replace(Submission.read(folder), where=folder.name), True
    return course_answers(), False


def course_answers() -> Submission:
    """The course's own answers.

    Raises:
        NoPair: The course was installed without them.
    """
    answers = Path(course.__file__).parents[1] / "solutions"
    if not answers.is_dir():
        raise NoPair("The course's own answers are not part of an installed package, and no submission was named")
    return dataclasses.replace(Submission.read(answers), where="solutions")


def pair_tasks(demo: Demo) -> list[PairTask]:
    """What the demo's exercises ask."""
    return [cast(PairTask, find_exercise(name).task) for name in demo.exercises]


def judge_of(pair: Pair) -> dict[str, Verdict]:
    """The verdicts of the demo's exercises, by name, as `course check` gives them."""
    return {name: judge(find_exercise(name), pair.submission) for name in pair.demo.exercises}


def compare_on_network(pair: Pair, splits: Splits) -> Comparison:
    """Compares a pair with JAX on the network and the data that it will be trained on, in float64."""
    demo, random = pair.demo, np.random.default_rng(0)
    with jax.enable_x64(True):
        params = jax.tree.map(
            lambda leaf: np.asarray(leaf) + _SPREAD * random.normal(size=leaf.shape), demo.init(jax.random.key(0))
        )
    apart = len(splits.train[0]) // _ROWS  # neighbours may be of one class
    examples = [array[::apart][:_ROWS] for array in splits.train]
    data = tuple(range(1, 1 + len(examples)))
    setting = Setting(names=pair.names, data=data, float32=False, cost=False)
    with pair.found.at_home():
        return judge_pair(make_point(demo.loss, (params, *examples), ()), *pair.functions, setting)


def largest_error(comparison: Comparison) -> float:
    """The largest relative error among the arrays of a comparison with `jax.vjp`."""
    return max(array.reverse for array in comparison.arrays if array.reverse is not None)


def _sentence(fault: Fault, where: str, names: Sequence[str]) -> str:
    if fault.kind == Status.NOT_STARTED:
        return f"{' and '.join(names)} in {where} are not written yet"
    place = f" ({fault.line})" if fault.line else ""
    return f"{fault.message.rstrip('.')}{place}"
