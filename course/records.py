"""What judging finds out, as frozen data.

A `Comparison` holds the facts about one pair of functions, a `Verdict` what a person reads. Nothing here computes:
records are made by `course.comparison` and `course.grading`, and drawn by `course.show`. No JAX is imported.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Any

YOURS = "yours"
"""The method of the cost that is the answer's own."""

SCHEMA = 1
"""Version of the JSON form. It grows when a reader of the old form would misread the new one."""


class Status(StrEnum):
    """How an answer stands."""

    RIGHT = "right"
    COSTLY = "costly"
    WRONG = "wrong"
    REFUSED = "refused"
    BROKEN = "broken"
    STOPPED = "stopped"
    WAITING = "waiting"
    HANDED_IN = "handed_in"
    NOT_STARTED = "not_started"


class Feedback(IntEnum):
    """How much a verdict may say: only pass or fail, where it is wrong, what kind of mistake, or its name."""

    PASS = 0
    WHERE = 1
    KIND = 2
    NAME = 3


@dataclass(frozen=True)
class Line:
    """A line of the reader's own code: `file` as they know it, `number` counted from 1."""

    file: str
    number: int
    code: str

    def __str__(self) -> str:
        return f"{self.file}, line {self.number}: {self.code}"


@dataclass(frozen=True)
class Remark:
    """One sentence of a verdict, and the least feedback level at which it may be said."""

    level: Feedback
    text: str


@dataclass(frozen=True)
class Fault:
    """Something other than a wrong number: what must hold, what came, and what to do.

    `kind` is one of missing, not_started, waiting, syntax, duplicate, skipped, exception, structure, dtype, value,
    mutation, state, tracing, refused, unneeded, stopped. `where` is the function or array at fault in the reader's
    words.
    """

    kind: str
    where: str
    message: str
    line: Line | None = None


@dataclass(frozen=True)
class Slip:
    """A recognised general slip of one array: what the numbers show, and the question that leads to its mending.

    `factor` is what the right numbers are multiplied by where that was fitted, 1 anywhere else.
    """

    kind: str
    text: str
    ask: str
    factor: float = dataclasses.field(default=1.0, compare=False)


@dataclass(frozen=True)
class Cause:
    """What explains wrong numbers, beyond the general slips of single arrays.

    `tier` is mistake (one of the exercise's own), line (of the primal), place (up to which the numbers are right) or
    proportion (they do not follow the cotangent).
    `name` is short, for lists; `arrays` are those that it explains. `kind` and `says` are the sentences that may be
    said where the kind of a mistake, and where its name, may be told; `ask` leads to its mending.
    """

    tier: str
    name: str
    arrays: tuple[str, ...]
    kind: str
    says: str
    ask: str = ""


@dataclass(frozen=True)
class Entry:
    """One number of an array: the answer's beside the true one."""

    index: tuple[int, ...]
    yours: float
    right: float


@dataclass(frozen=True)
class Agreement:
    """How one array of cotangents (or tangents) agrees with each oracle.

    The errors are norms of the difference divided by the norm of the true array; None where that oracle was not asked.
    `reverse` compares with `jax.vjp`, `forward` is the inner-product identity with `jax.jvp`, `columns` compares with
    every column of `jax.jacfwd`. For an answer that is no derivative, `value` compares with the right value.
    """

    path: str
    shape: tuple[int, ...]
    dtype: str
    right: bool
    reverse: float | None = None
    forward: float | None = None
    columns: float | None = None
    value: float | None = None
    slip: Slip | None = None
    worst: Entry | None = None


@dataclass(frozen=True)
class Check:
    """One question asked of the whole answer: its error beside the limit, both relative, and one sentence."""

    name: str
    passed: bool
    text: str
    error: float | None = None
    limit: float | None = None


@dataclass(frozen=True)
class Cost:
    """What one way to the derivative costs, counted and not timed.

    `flops` are floating-point operations, `bytes` and `peak_bytes` bytes, `ratio` is `flops` over the primal's.
    `product_flops` are those in matrix products and convolutions, `linear_flops` those in factorisations and solves.
    `residual_bytes` are the saved arrays that are not primals themselves; None where the method saves none.
    """

    method: str
    flops: int
    ratio: float
    bytes: int
    peak_bytes: int
    residual_bytes: int | None = None
    notes: tuple[str, ...] = ()
    product_flops: int = 0
    linear_flops: int = 0


@dataclass(frozen=True)
class Excess:
    """Something that an answer spends without need, in one sentence.

    `of` is flops or bytes. `kind` is one of again, twice, basis, one-hot, sparse, wide (flops), unused, rebuildable
    (bytes).
    """

    kind: str
    of: str
    text: str


@dataclass(frozen=True)
class Example:
    """A counterexample small enough to redo on paper: arrays by name, as NumPy arrays or numbers."""

    inputs: Mapping[str, Any]
    yours: Mapping[str, Any]
    right: Mapping[str, Any]


@dataclass(frozen=True, repr=False)
class Comparison:
    """The facts about one pair of functions at one point.

    It agrees when nothing is at fault, every array is right and every check passed. Cost is a fact beside these and
    decides nothing. `causes` explain wrong arrays, the likeliest first; `excesses` say what is spent without need.
    Print it, show it in a notebook, or take `to_json()`.
    """

    answer: str
    headline: str
    remarks: tuple[Remark, ...]
    arrays: tuple[Agreement, ...]
    checks: tuple[Check, ...]
    costs: tuple[Cost, ...]
    faults: tuple[Fault, ...]
    notes: tuple[str, ...]
    precision: str
    seed: int
    jax_version: str
    printed: str = ""
    causes: tuple[Cause, ...] = ()
    excesses: tuple[Excess, ...] = ()
    schema: int = SCHEMA

    @property
    def agrees(self) -> bool:
        """Whether the answer is right; its cost is another question."""
        whole = not self.faults and bool(self.arrays)
        return whole and all(a.right for a in self.arrays) and all(c.passed for c in self.checks)

    def assert_agree(self) -> None:
        """Raises AssertionError in the words of the verdict unless the answer agrees."""
        __tracebackhide__ = True
        if not self.agrees:
            raise AssertionError("\n".join([self.headline, *(remark.text for remark in self.remarks)]))

    def to_json(self) -> str:
        """The record as JSON, `schema` included; infinities and NaN become strings."""
        return json.dumps(plain(self))

    def __str__(self) -> str:
        from course.show.terminal import comparison_text

        return comparison_text(self)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        from course.show.card import comparison_card

        return comparison_card(self)


@dataclass(frozen=True)
class Findings:
    """What a task found out about an answer, before it is put at a feedback level.

    `share` is the part of the points earned by being right, in [0, 1]; `cost_share` the same for the points that
    hang on cost, None where the exercise has no limit. `headline` may name arrays; `blank` is what is said instead
    when only pass or fail may be said. `failed` is the question of the task at which judging ended, empty when all were
    answered well. `next` is what to do, where that is known better than the status tells. `ours` says that the fault is
    the course's.
    """

    status: Status
    headline: str
    remarks: tuple[Remark, ...] = ()
    share: float = 0.0
    cost_share: float | None = None
    comparison: Comparison | None = None
    example: Example | None = None
    printed: str = ""
    blank: str = "wrong"
    failed: str = ""
    next: str = ""
    ours: bool = False


@dataclass(frozen=True, repr=False)
class Verdict:
    """What a person reads about one exercise. Every surface draws this and computes nothing.

    `exercise` is its name for ever, `lesson.name`. `lines` are the sentences that the feedback level allows, most
    important first. `failed` is the question of the task at which judging ended. `points` of `possible` are earned,
    `cost_points` of `cost_possible` apart from them. `ours` says that the fault is the course's and not the answer's.
    `layers` are the guarantees under which a stranger's answer ran, by name; empty in one's own process.
    """

    exercise: str
    title: str
    status: Status
    headline: str
    lines: tuple[str, ...]
    next: str
    points: float
    possible: float
    feedback: Feedback
    attempt: int = 1
    cost_points: float = 0.0
    cost_possible: float = 0.0
    comparison: Comparison | None = None
    example: Example | None = None
    printed: str = ""
    where: str = ""
    failed: str = ""
    ours: bool = False
    shows_forward: bool = True
    shows_cost: bool = True
    layers: tuple[str, ...] = ()
    schema: int = SCHEMA

    @property
    def right(self) -> bool:
        """Whether the answer is right, costly or not."""
        return self.status in (Status.RIGHT, Status.COSTLY)

    @property
    def done(self) -> bool:
        """Whether there is nothing left to do about it here: it is right, or a text that a person will judge."""
        return self.right or self.status is Status.HANDED_IN

    @property
    def counts(self) -> bool:
        """Whether a machine gives points for it."""
        return self.possible + self.cost_possible > 0

    def to_json(self) -> str:
        """The record as JSON, `schema` included; infinities and NaN become strings."""
        return json.dumps(plain(self))

    def __str__(self) -> str:
        from course.show.terminal import verdict_text

        return verdict_text(self)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        from course.show.card import verdict_card

        return verdict_card(self)


@dataclass(frozen=True, repr=False)
class Exhibit:
    """Somebody's wrong pass by its numbers, beside the right ones, and what may have been done there.

    `question` is the exercise's name for ever. `inputs`, `right` and `theirs` are arrays by name, NumPy's, or texts;
    `options` are texts by the label that answers with them, which holds the number of the draw. `note` says how the
    arrays are laid out where that is not plain.
    """

    question: str
    title: str
    draw: int
    whose: str
    inputs: Mapping[str, Any]
    right: Mapping[str, Any]
    theirs: Mapping[str, Any]
    options: Mapping[str, str]
    note: str = ""
    schema: int = SCHEMA

    def to_json(self) -> str:
        """The record as JSON, `schema` included; infinities and NaN become strings."""
        return json.dumps(plain(self))

    def __str__(self) -> str:
        from course.show.exhibit import exhibit_text

        return exhibit_text(self)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        from course.show.exhibit import exhibit_card

        return exhibit_card(self)


def plain(value: Any) -> Any:
    """Turns a record into dicts, lists, strings and finite numbers, so that any JSON reader accepts it."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Feedback):
        return value.name.lower()
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return str(value)
