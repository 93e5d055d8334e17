"""How mutants of an answer fare: what kills each of them, and what is said of it, at two seeds."""

from __future__ import annotations

import ast
import importlib
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax

from course.exercises import papers
from course.exercises.exercise import Exercise
from course.exercises.tasks.findings import AWKWARD
from course.exercises.tasks.task import Sitting
from course.records import Comparison, Findings, Status
from evidence.mutants import Mutant
from evidence.pieces import at_most
from evidence.reached import ROOT

SEEDS = (0, 1)
CLEARED_AFTER = 50
"""Mutants: of an answer with loops, hundreds of them leave more compiled code than a process has room for."""

LONGEST = 20.0
"""Seconds of a processor that one mutant may take: some never end."""

SURVIVED, COSTLY, VALUE, SHAPE, NOT_FINITE, EXCEPTION, AWKWARDLY = (
    "survived",
    "costly",
    "value",
    "shape",
    "NaN",
    "exception",
    "awkward case",
)
FORWARD = "forward's value"
OUTCOMES = (VALUE, FORWARD, AWKWARDLY, SHAPE, NOT_FINITE, EXCEPTION, COSTLY, SURVIVED)
JUDGED_TWICE = (VALUE, SURVIVED, COSTLY, AWKWARDLY)
"""The outcomes that another seed might change."""

TIERS = ("mistake", "line", "slip")
SHAPE_FAULTS = frozenset({"structure", "dtype"})


class Seen(NamedTuple):
    """How a mutant fared at one seed: `tier` is that of what explains it, empty where nothing does."""

    outcome: str
    tier: str = ""
    said: tuple[str, ...] = ()


class Answer(NamedTuple):
    """A solution to an exercise: what its module holds, and the definitions that are the answer."""

    exercise: Exercise
    values: dict[str, Any]
    functions: tuple[ast.FunctionDef, ...]

    def judge(self, seed: int, mutant: Mutant | None = None) -> Findings:
        """Judges it, with one function in a mutant's form.

        Raises:
            Exception: The judge itself fails.
        """
        values = dict(self.values)
        if mutant is not None:
            exec(compile(ast.Module([mutant.definition], []), "<mutant>", "exec"), values)
        asked = {name: values[name] for name in self.exercise.task.names}
        return self.exercise.task.judge(asked, Sitting(seed, example=False))


def answers() -> list[Answer]:
    """Every solution that is code, and no answer to a question."""
    return [_answer(exercise) for paper in papers() for exercise in paper.exercises if exercise.task.names]


def _answer(exercise: Exercise) -> Answer:
    sys.path.insert(0, str(ROOT))
    values = vars(importlib.import_module(f"solutions.{exercise.lesson}"))
    sys.path.pop(0)
    tree = ast.parse((ROOT / "solutions" / f"{exercise.lesson}.py").read_text(encoding="utf-8"))
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name in exercise.task.names]
    return Answer(exercise, values, tuple(functions))


def judge_mutants(answer: Answer, tried: Sequence[Mutant], step: Callable[[], None]) -> dict[str, Any]:
    """Judges mutants of an answer; a row for each: operator, what was and is there, and how it fared at both seeds.

    Raises:
        ValueError: The answer itself is not right.
    """
    for seed in SEEDS:
        if not answer.judge(seed).status.name == "RIGHT":
            raise ValueError(f"The answer to {answer.exercise.name} must be right at seed {seed} before it is mutated.")
    began, rows = time.perf_counter(), []
    for place, mutant in enumerate(tried, 1):
        rows.append([mutant.operator, mutant.was, mutant.now, *_fare(answer, mutant)])
        step()
        if place % CLEARED_AFTER == 0:
            jax.clear_caches()
    return {"seconds": time.perf_counter() - began, "rows": rows}


def _fare(answer: Answer, mutant: Mutant) -> tuple[Seen, Seen]:
    first = _seen(answer, mutant, SEEDS[0])
    again = first.outcome in JUDGED_TWICE
    return first, _seen(answer, mutant, SEEDS[1]) if again else first


def _seen(answer: Answer, mutant: Mutant, seed: int) -> Seen:
    try:
        with at_most(LONGEST):
            return see(answer.judge(seed, mutant))
    except TimeoutError:
        return Seen(EXCEPTION)


def see(findings: Findings) -> Seen:
    """How an answer fared."""
    found = findings.comparison
    if findings.status in (Status.RIGHT, Status.COSTLY):
        return Seen(SURVIVED if findings.status is Status.RIGHT else COSTLY)
    if found is None:
        return Seen(EXCEPTION)
    if found.faults:
        kind = found.faults[0].kind
        return Seen(FORWARD if kind == "value" else SHAPE if kind in SHAPE_FAULTS else EXCEPTION)
    wrong = [array for array in found.arrays if not array.right]
    if any(array.value is not None for array in wrong):
        return Seen(FORWARD)
    if any(array.slip and array.slip.kind == "not finite" for array in wrong):
        return Seen(NOT_FINITE)
    if any(array.worst is None for array in wrong):
        return Seen(SHAPE)
    if findings.failed == AWKWARD:
        return Seen(AWKWARDLY)
    return Seen(VALUE, *_explanation(found))


def _explanation(found: Comparison) -> tuple[str, tuple[str, ...]]:
    """The tier of what explains every wrong array, empty where something is left, and what was said in all."""
    wrong = [array for array in found.arrays if not array.right]
    causes = [cause for cause in found.causes if cause.tier in TIERS]
    caused = {path for cause in causes for path in cause.arrays}
    slips = [array for array in wrong if array.slip is not None]
    said = (
        *(f"{', '.join(cause.arrays)}: {cause.kind} {cause.says}" for cause in found.causes),
        *(f"{array.path}: {array.slip.text}" for array in slips if array.slip),
    )
    if not wrong or not caused | {array.path for array in slips} >= {array.path for array in wrong}:
        return "", said
    tiers = {cause.tier for cause in causes} or {"slip"}
    return next(tier for tier in TIERS if tier in tiers), said
