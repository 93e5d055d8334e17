"""The corpus: wrong answers to all that asks for code, each with what must be said of it, and right ones in any style.

An answer is our own one after edits, or with functions of its own in the place of ours. `all_answers()` gives all of
them, of whatever lessons there are.
"""

from __future__ import annotations

import ast
import importlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from course.exercises import find_exercise
from course.exercises.tasks.findings import AWKWARD
from course.exercises.tasks.task import Sitting
from course.lessons import SYLLABUS
from course.records import Findings, Status

SOLUTIONS = Path(__file__).parents[2] / "solutions"
IMPORTS = "import functools\nimport math\n\nimport jax\nimport jax.numpy as jnp\nimport numpy as np\n"

Edit = tuple[str, str]


@dataclass(frozen=True)
class Answer:
    """Somebody's answer to an exercise.

    Attributes:
        exercise: `lesson.name`.
        name: What was done, in a few words; for the reader of a list.
        edits: From one text of our answers to another; each occurs there once.
        functions: Definitions that stand in the place of ours of the same names.
        tier: What must be said: `right`, a `mistake` of the catalogue, a `line` of the primal, the `place` up to which
            it is right, a general `slip` (`proportion` for what does not follow its cotangent), a `fault`, an awkward
            `case`, or `where` the answer is wrong and no more.
        cause: Which one: the mistake's, the slip's, the fault's or the case's name, a part of what is said of the line
            or the place.
    """

    exercise: str
    name: str
    edits: tuple[Edit, ...] = ()
    functions: str = ""
    tier: str = "right"
    cause: str = ""

    def __str__(self) -> str:
        return f"{self.exercise}: {self.name}"

    @property
    def lesson(self) -> str:
        """The part of the exercise's name before the dot."""
        return self.exercise.partition(".")[0]

    @property
    def source(self) -> str:
        """The text of a module with the answer.

        Raises:
            ValueError: A text that is to be edited does not occur once in our answers.
        """
        text = _without(_answers(self.lesson), self.functions)
        for old, new in self.edits:
            if text.count(old) != 1:
                raise ValueError(f"{self}: {old!r} occurs {text.count(old)} times in our answers, not once.")
            text = text.replace(old, new)
        return f"{IMPORTS}{text}\n\n{self.functions}"

    @property
    def values(self) -> dict[str, Any]:
        """What the answer defines under the names that its exercise asks for."""
        names: dict[str, Any] = {"__name__": "answer"}
        exec(compile(self.source, f"<{self}>", "exec"), names)
        return {name: names[name] for name in find_exercise(self.exercise).task.names}

    def judge(self, seed: int = 0) -> Findings:
        """Judges the answer by its task alone, without a counterexample."""
        return find_exercise(self.exercise).task.judge(self.values, Sitting(seed, example=False))


def said_of(found: Findings) -> tuple[str, str]:
    """What was found out of an answer, as its `tier` and `cause`."""
    if found.status in (Status.RIGHT, Status.COSTLY):
        return "right", ""
    if found.failed == AWKWARD:
        return "case", found.headline.rpartition("wrong for ")[2]
    comparison = found.comparison
    if comparison is None or comparison.faults:
        return "fault", comparison.faults[0].kind if comparison else ""
    causes = [cause for cause in comparison.causes if cause.tier != "proportion"]
    if causes:
        return causes[0].tier, "; ".join(cause.name for cause in causes)
    if comparison.causes:
        return "slip", "proportion"
    slips = dict.fromkeys(array.slip.kind for array in comparison.arrays if array.slip and not array.right)
    return ("slip", "; ".join(slips)) if slips else ("where", "")


def wrong(exercise: str, name: str, *edits: Edit, functions: str = "", **what: str) -> Answer:
    """A wrong answer; the keyword is the tier of what must be said of it, its value the cause. None asks where only."""
    ((tier, cause),) = what.items() if what else (("where", ""),)
    return Answer(exercise, name, edits, functions, tier, cause)


def right(exercise: str, name: str, *edits: Edit, functions: str = "") -> Answer:
    """A right answer."""
    return Answer(exercise, name, edits, functions)


def variants(exercise: str, text: str) -> tuple[Callable[..., Answer], Callable[..., Answer]]:
    """Makers of wrong and of right answers out of a text: a name, then parts that occur there once, each with another.

    What must be said of a wrong one is a keyword, as for `wrong`.
    """

    def with_changes(changes: tuple[str, ...]) -> str:
        functions = text
        for old, now in zip(changes[::2], changes[1::2], strict=True):
            assert functions.count(old) == 1, (exercise, old)
            functions = functions.replace(old, now)
        return functions

    def one(name: str, *changes: str, **what: str) -> Answer:
        return wrong(exercise, name, functions=with_changes(changes), **what)

    def other(name: str, *changes: str) -> Answer:
        return right(exercise, name, functions=with_changes(changes))

    return one, other


@cache
def all_answers() -> tuple[Answer, ...]:
    """All answers, lesson by lesson."""
    return tuple(answer for row in SYLLABUS for answer in importlib.import_module(f"tests.corpus.{row.name}").ANSWERS)


@cache
def _answers(lesson: str) -> str:
    """Our answers to the pairs of a lesson."""
    return (SOLUTIONS / f"{lesson}.py").read_text(encoding="utf-8").partition("\n\n\ncourse.answer(")[0]


def _without(text: str, functions: str) -> str:
    """A text without its definitions of the functions that another one defines."""
    names = {node.name for node in ast.parse(functions).body if isinstance(node, ast.FunctionDef)}
    lines = text.splitlines()
    for node in reversed(ast.parse(text).body):
        if isinstance(node, ast.FunctionDef) and node.name in names:
            del lines[node.lineno - 1 : node.end_lineno]
    return "\n".join(lines)
