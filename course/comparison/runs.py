"""Runs the two functions of a pair: watched, on arrays or traced, and handed over as `jax.custom_vjp` does."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from jax.extend.core import ClosedJaxpr

from course.comparison.answer import AnswerFault, Watch, mismatch_is_fault, two_parts
from course.comparison.compiled import quick
from course.comparison.faults import fault_of
from course.comparison.judging import Setting
from course.comparison.point import Point
from course.comparison.questions import ask_for_tracing, numbers_of
from course.comparison.returned import cotangent_rows, without_idle_data
from course.comparison.trees import Matched, argument_names, describe, has_tangent, named_leaves, without_float0
from course.comparison.whole import Inspecting, Whole, whole_of
from course.records import Fault


@dataclass(frozen=True)
class Pair:
    """The two functions of an answer, and what is noticed while they run."""

    fwd: Callable[..., Any]
    bwd: Callable[..., Any]
    setting: Setting
    watch: Watch

    @property
    def bar(self) -> str:
        """What the reader calls the cotangent that is handed in."""
        names = argument_names(self.bwd, 2)
        return names[1] if names[1].endswith("_bar") else "y_bar"

    @property
    def at_once(self) -> Pair:
        """The same pair, each of its functions a compiled program."""
        fwd, bwd = (quick(function, function) for function in (self.fwd, self.bwd))
        return dataclasses.replace(self, fwd=fwd, bwd=bwd)

    def forward(self, primals: Sequence[Any], keep: bool = False) -> tuple[Any, Any]:
        """Runs `fwd`: (y, residuals). `keep` shows what it prints."""
        name = self.setting.names[0]
        return two_parts(self.watch.call(self.fwd, name, *primals, keep=keep), name, "(y, residuals)")

    def backward(self, residuals: Any, y_bar: Any, keep: bool = False) -> Any:
        """Runs `bwd`."""
        return self.watch.call(self.bwd, self.setting.names[1], residuals, y_bar, keep=keep)

    def numbers(self, point: Point, returned: Any, notes: list[str]) -> list[Matched]:
        """The arrays of the primals that have a tangent, with the numbers that `bwd` returned for each.

        Raises:
            AnswerFault: They don't fit the primals.
        """
        setting = self.setting
        with mismatch_is_fault():
            rows = cotangent_rows(point, returned, setting.names[1], notes, setting.asked, setting.data)
        return without_idle_data(point, numbers_of(rows, notes), setting.data, setting.names[1], notes)

    def numbers_by(self, point: Point, y_bar: Any, at_once: bool) -> list[Matched]:
        """The numbers that both functions give for a cotangent.

        Args:
            point: The primals.
            y_bar: The cotangent.
            at_once: Whether they are run as one compiled program, where that can be, and not operation by operation.

        Raises:
            AnswerFault: The functions fail, or their numbers don't fit the primals.
        """
        if at_once and len(without_float0(y_bar)[0]) == len(jax.tree.leaves(y_bar)):
            with contextlib.suppress(Exception), self.watch.listening(keep=False):
                program = _Whole(self.fwd, self.bwd, point.names, self.setting.asked, self.setting.data)
                found = quick(program, self.fwd, self.bwd)(point.primals, y_bar)
                rows = [Matched(path, leaf, found.get(path)) for path, leaf in point.floating()]
                numbers = numbers_of([row for row in rows if row.given is not None], [])
                return without_idle_data(point, numbers, self.setting.data, self.setting.names[1], [])
        _, residuals = self.forward(point.primals)
        return self.numbers(point, self.backward(residuals, y_bar), [])

    def whole(self, point: Point, y_bar: Any) -> Whole | None:
        """Both functions as one program.

        Returns:
            None where they can't be traced and need not be.

        Raises:
            AnswerFault: They can't be traced, or are refused.
        """
        traced = self.traced(point, y_bar)
        if traced is None:
            return None
        if isinstance(self.bwd, Inspecting):
            self.bwd.inspect(traced, point)
        return whole_of(traced, self.fwd, point.primals)

    def traced(self, point: Point, y_bar: Any) -> ClosedJaxpr | None:
        """Both functions as one traced program that returns the value and every cotangent.

        Returns:
            None where they can't be traced and need not be.

        Raises:
            AnswerFault: They can't be traced.
        """
        moving, join = without_float0(y_bar)
        running = self.setting.names[0]

        def both(primals: Any, bars: Any) -> Any:
            nonlocal running
            y, residuals = two_parts(self.fwd(*primals), running, "(y, residuals)")
            handed = self._handed_over(residuals)
            running = self.setting.names[1]
            try:
                return y, self.bwd(handed, join(bars))
            except Exception as error:
                self._refuse_numbers(residuals, join(bars), error)
                raise

        return ask_for_tracing(both, (point.primals, moving), lambda: running, self.setting, self.watch)

    def _handed_over(self, residuals: Any) -> Any:
        """The residuals as `jit` hands them from `fwd` to `bwd`: plain numbers are traced, too.

        Raises:
            AnswerFault: One of them is no array and no number.
        """
        for path, leaf in named_leaves(residuals, "residuals"):
            if not (hasattr(leaf, "dtype") or isinstance(leaf, int | float | complex)):
                raise AnswerFault(
                    Fault(
                        "structure",
                        self.setting.names[0],
                        f"The residuals must be arrays and numbers; {path} is {describe(leaf)}.",
                    )
                )
        return jax.tree.map(_traced, residuals)

    def _refuse_numbers(self, residuals: Any, y_bar: Any, error: Exception) -> None:
        """Names the reason if `bwd` fails only because the plain numbers among the residuals are traced.

        Raises:
            AnswerFault: It does.
        """
        try:
            self.bwd(residuals, y_bar)
        except Exception:
            return
        name = self.setting.names[1]
        raise AnswerFault(
            Fault(
                "tracing",
                name,
                "Under jit a number among the residuals is traced, too, and can be no shape, index or range: keep an "
                "array, and take its shape in backward.",
                fault_of(error, name).line,
            )
        ) from error


@dataclass(frozen=True)
class _Whole:
    """Both functions of a pair as one, from primals and cotangent to cotangents by name."""

    fwd: Callable[..., Any]
    bwd: Callable[..., Any]
    names: tuple[str, ...]
    asked: tuple[int, ...] | None
    data: tuple[int, ...]

    def __call__(self, primals: tuple[Any, ...], y_bar: Any) -> dict[str, Any]:
        point = Point(self.fwd, primals, self.names)
        returned = self.bwd(self.fwd(*primals)[1], y_bar)
        rows = cotangent_rows(point, returned, "bwd", [], self.asked, self.data)
        return {row.path: row.given for row in rows if has_tangent(row.like)}


def _traced(leaf: Any) -> Any:
    plain = isinstance(leaf, np.ndarray | np.generic | int | float | complex)
    return jax.lax.optimization_barrier(leaf) if plain else leaf
