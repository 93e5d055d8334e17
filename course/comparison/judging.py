"""How an answer of any kind is judged: the settings, the surroundings, the precision, and the record made of it."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from course.comparison import words
from course.comparison.answer import Watch
from course.comparison.by_hand.machinery import Guard
from course.comparison.mistakes import Mistake
from course.comparison.point import Point
from course.comparison.precision import FLOAT64, Precision, narrow, precision_named
from course.comparison.study import study
from course.records import Agreement, Cause, Check, Comparison, Cost, Excess, Fault, Remark

_COTANGENTS = 1
"""Beside the seed, it makes the source of cotangents and tangents another than that of the primals."""


@dataclass(frozen=True)
class Setting:
    """How an answer is judged.

    `names` are what the reader calls the two functions. `asked` are the places of the primals whose cotangents are
    returned (all by default), `data` those whose cotangent may be None although they are floating. `traceable` refuses
    what can't be traced by `jit`; otherwise that is a note. `float32` and `cost` ask these questions, too. With
    `at_once` an answer that is small enough runs as compiled programs, which says the same of a right one. With
    `aloud`, prints and breakpoints of the answer go to the terminal. `by_hand` holds the routes that may be taken to a
    derivative, where it must be written by hand; None asks for nothing. With `linear`, every step of a tangent rule
    must be linear in the tangents; otherwise that is a note. `mistakes` are those with a name; with
    `reasons`, a wrong answer is explained by them and by the primal's lines, after `early` was called with what is
    known before. `again` draws other primals of the same shapes, at which a reason must hold as well.
    """

    names: tuple[str, str] = ("fwd", "bwd")
    seed: int = 0
    precision: str | None = None
    asked: tuple[int, ...] | None = None
    data: tuple[int, ...] = ()
    traceable: bool = True
    float32: bool = True
    cost: bool = True
    at_once: bool = False
    aloud: bool = False
    by_hand: frozenset[str] | None = None
    linear: bool = False
    mistakes: tuple[Mistake, ...] = ()
    reasons: bool = True
    early: Callable[[Comparison], None] | None = None
    again: Callable[[], Sequence[Any]] | None = None

    def watch(self) -> Watch:
        """Somebody to watch the answer."""
        return Watch(self.aloud, None if self.by_hand is None else Guard(self.by_hand))


@dataclass
class Record:
    """What is known so far; becomes a `Comparison` at the end."""

    watch: Watch
    arrays: tuple[Agreement, ...] = ()
    checks: list[Check] = dataclasses.field(default_factory=list)
    costs: tuple[Cost, ...] = ()
    faults: list[Fault] = dataclasses.field(default_factory=list)
    remarks: list[Remark] = dataclasses.field(default_factory=list)
    causes: list[Cause] = dataclasses.field(default_factory=list)
    excesses: tuple[Excess, ...] = ()


def stream(seed: int) -> np.random.Generator:
    """The source of drawn cotangents and tangents: never that of primals drawn from the same seed.

    If it were, a cotangent of the shape of the first primal would be that primal, and hide what ignores it.
    """
    return np.random.default_rng([seed, _COTANGENTS])


@contextmanager
def judging() -> Iterator[None]:
    """Judging runs in float64 on the CPU and under JAX's own defaults, so that it says the same on every machine.

    Warnings are left out: those of an answer are kept by its `Watch`, those of a primal concern nobody here.
    """
    with (
        warnings.catch_warnings(),
        jax.enable_x64(True),
        jax.default_device(_cpu()),
        jax.numpy_dtype_promotion("standard"),
        jax.numpy_rank_promotion("allow"),
        jax.debug_nans(False),
    ):
        warnings.simplefilter("ignore")
        yield


def _cpu() -> Any:
    """The CPU; the first device of any kind where JAX was told to know no CPU."""
    try:
        return jax.local_devices(backend="cpu")[0]
    except RuntimeError:
        return jax.local_devices()[0]


def at_precision(point: Point, asked: str | None) -> tuple[Point, Precision]:
    """The point in the precision of judgement: the one asked for, or what the primal itself allows.

    Raises:
        ValueError: The primal does not run, or there is no such precision.
    """
    if asked is not None:
        precision = precision_named(asked)
        here = point.cast(precision.dtype)
        allowed = study(here).precision
        return here, allowed if allowed.epsilon > precision.epsilon > FLOAT64.epsilon else precision
    wide = point.cast(jnp.float64)
    try:
        return wide, study(wide).precision
    except ValueError as refusal:
        single = point.cast(jnp.float32)
        try:  # a loop whose carry is float32 by decree, for instance
            study(single)
        except ValueError:
            raise refusal from None
        return single, narrow(jnp.float32, "the primal does not run in float64")


def to_comparison(record: Record, names: Sequence[str], precision: Precision, seed: int) -> Comparison:
    """Closes a record, adding its sentences."""
    reason = f"judged in {precision.name}: {precision.reason}" if precision.reason else ""
    notes = ([reason] if reason else []) + record.watch.notes
    return Comparison(
        answer=" and ".join(dict.fromkeys(names)),
        headline=words.headline_of(record.arrays, record.checks, record.faults, names),
        remarks=(*words.remarks_of(record.arrays, record.faults, record.causes), *record.remarks),
        arrays=record.arrays,
        checks=tuple(record.checks),
        costs=record.costs,
        faults=tuple(record.faults),
        notes=tuple(dict.fromkeys(notes)),
        precision=precision.name,
        seed=seed,
        jax_version=jax.__version__,
        printed=record.watch.printed,
        causes=tuple(record.causes),
        excesses=record.excesses,
    )
