"""What the tables of a verdict say under its feedback level. Terminal and notebook draw the same rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from course.records import YOURS, Agreement, Comparison, Cost, Feedback, Verdict
from course.show import arrays, words

MOST_ROWS = 24
"""Arrays in a table. When there are more, wrong ones come first and a sentence counts the rest."""

WORDS = frozenset({"array", "shape", "check", ""})
"""Columns of words, which begin at the left; numbers end at the right."""

OTHER_SHAPE = "other shape"
"""Stands for the error of an array that can't be held against the right one."""

HIDDEN = "At this feedback level a verdict says only whether an answer is right."
NO_COST_YET = "What a backward pass costs is shown from the lesson mlp on."
NO_COST = "Cost is counted once the answer is right."


@dataclass(frozen=True)
class Table:
    """The text of a table; `marks` say which rows are right, `more` which were left out."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    marks: tuple[bool, ...]
    more: str = ""


@dataclass(frozen=True)
class CostRow:
    """One way to the derivative: its figures as text, its bar as a part of the longest; `yours` is the answer's own."""

    method: str
    yours: bool
    flops: str
    times: str
    length: float
    bytes: str
    residuals: str


def may_say_where(verdict: Verdict) -> bool:
    """Whether the verdict's feedback level lets it show what is wrong."""
    return verdict.right or verdict.feedback >= Feedback.WHERE


def level(verdict: Verdict) -> Feedback:
    """The feedback level at which a verdict's arrays are shown: a right answer hides nothing."""
    return Feedback.NAME if verdict.right else verdict.feedback


def array_table(found: Sequence[Agreement], *, forward: bool) -> Table:
    """The error of each array beside each oracle that was asked, those of forward mode if `forward`."""
    shown, more = _most(found)
    oracles = [("the right value", [a.value for a in shown]), ("jax.vjp", [a.reverse for a in shown])]
    if forward:
        oracles += [("jax.jvp", [a.forward for a in shown]), ("jax.jacfwd", [a.columns for a in shown])]
    asked = [(name, errors) for name, errors in oracles if any(e is not None for e in errors)]
    columns = [
        [a.path for a in shown],
        [str(a.shape) if a.shape else "scalar" for a in shown],
        *([_error(a, e) for a, e in zip(shown, errors, strict=True)] for _, errors in asked),
    ]
    return Table(
        header=("array", "shape", *(name for name, _ in asked)),
        rows=tuple(zip(*columns, strict=True)),
        marks=tuple(a.right for a in shown),
        more=more,
    )


def _error(array: Agreement, error: float | None) -> str:
    """An error as text; an array that has no entry to be furthest off, although it is, has another shape."""
    return OTHER_SHAPE if error == math.inf and array.worst is None else words.error(error)


def _most(found: Sequence[Agreement]) -> tuple[Sequence[Agreement], str]:
    if len(found) <= MOST_ROWS:
        return found, ""
    ordered = sorted(found, key=lambda a: a.right)
    left = [a.right for a in ordered[MOST_ROWS:]]
    counts = ((left.count(False), "wrong"), (left.count(True), "right"))
    return ordered[:MOST_ROWS], "and " + ", ".join(f"{n} more {word}" for n, word in counts if n)


def check_table(comparison: Comparison) -> Table:
    """Each question asked of the whole answer, its error beside its limit."""
    return Table(
        header=("check", "error", "limit", ""),
        rows=tuple((c.name, words.error(c.error), words.error(c.limit), c.text) for c in comparison.checks),
        marks=tuple(c.passed for c in comparison.checks),
    )


def array_remarks(found: Sequence[Agreement], feedback: Feedback) -> list[str]:
    """What is known of each wrong array: its worst entry, and from feedback `kind` on the slip recognised."""
    said = []
    for a in found:
        if a.slip and feedback >= Feedback.KIND:
            said.append(f"{a.path}: {a.slip.text} {a.slip.ask}".rstrip())
        if a.worst and not a.right:
            yours, right = arrays.apart(a.worst.yours, a.worst.right)
            at = "".join(f"[{i}]" for i in a.worst.index)
            said.append(f"{a.path}{f'{at} is furthest off' if at else ''}: yours {yours}, right {right}")
    return said


def cost_rows(costs: Sequence[Cost]) -> tuple[list[CostRow], bool]:
    """The methods with the lengths of their bars, and whether these are logarithmic."""
    bars, logarithmic = words.lengths([c.ratio for c in costs])
    found = [
        CostRow(
            method=c.method,
            yours=c.method == YOURS,
            flops=words.count(c.flops),
            times=words.times(c.ratio),
            length=length,
            bytes=words.size(c.bytes),
            residuals=words.size(c.residual_bytes),
        )
        for c, length in zip(costs, bars, strict=True)
    ]
    return found, logarithmic


def cost_notes(comparison: Comparison) -> list[str]:
    """What is spent without need, and the notes of all methods, each behind its method.

    What need not be saved is told where a limit of bytes is exceeded, and not here: it may be a choice.
    """
    needless = [excess.text for excess in comparison.excesses if excess.kind != "rebuildable"]
    return [*needless, *(f"{c.method}: {note}" for c in comparison.costs for note in c.notes)]


def unsaid(comparison: Comparison, said: Sequence[str]) -> list[str]:
    """Faults and notes of the comparison that the verdict's own sentences do not hold already."""
    known = "\n".join(said)
    faults = [text for f in comparison.faults for text in (f.message, str(f.line) if f.line else "")]
    return [text for text in (*faults, *comparison.notes) if text and text not in known]


def circumstances(comparison: Comparison) -> str:
    """In what the figures were found."""
    return f"{comparison.precision} · seed {comparison.seed} · JAX {comparison.jax_version}"
