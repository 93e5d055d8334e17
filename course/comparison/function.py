"""Judges one function by its values: callable as asked, pure, and the same as one that is known to be right.

For answers that are no derivative of anything: an algorithm, a step of an optimiser, a sweep over a tape. Arguments may
be arrays, numbers, texts, functions, and trees of these.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from course.comparison import agreement
from course.comparison.answer import AnswerFault, mismatch_is_fault, refuse_change, refuse_state
from course.comparison.judging import Record, Setting, judging, to_comparison
from course.comparison.precision import FLOAT64, Precision
from course.comparison.state import outside_of
from course.comparison.trees import Matched, as_numbers, is_key, match
from course.records import Agreement, Cause, Check, Comparison


def judge_function(
    reference: Callable[..., Any],
    function: Callable[..., Any],
    arguments: Sequence[Any],
    setting: Setting,
    *,
    returns: str = "y",
    tolerance: float = FLOAT64.tolerance,
) -> Comparison:
    """Judges a function at some arguments.

    Args:
        reference: Gives the right value, a pytree of arrays and numbers.
        function: The answer.
        arguments: Of both, by position.
        setting: How to judge; of its names the first is the function's. A mistake's `primal` is a function of the same
            arguments whose value is the wrong answer.
        returns: What the value is called.
        tolerance: How exactly each array must be right, relative to its norm.
    """
    judged = _Judging(Record(setting.watch()), setting, returns, dataclasses.replace(FLOAT64, tolerance=tolerance))
    with judging():
        here = in_float64(tuple(arguments))
        right = reference(*here)
        try:
            given = judged.ask(function, here, right)
            if setting.reasons and given is not None:
                judged.name_mistake(given, here, right)
        except AnswerFault as stop:
            judged.record.faults.append(stop.fault)
    return to_comparison(judged.record, setting.names, judged.precision, setting.seed)


def in_float64(tree: Any) -> Any:
    """A tree with its floating arrays as JAX's in float64; numbers, texts, keys and functions stay what they are."""

    def ready(leaf: Any) -> Any:
        if is_key(leaf) or not isinstance(leaf, np.ndarray | np.generic | jax.Array):
            return leaf
        array = np.asarray(leaf)
        return jax.device_put(array.astype(np.float64) if array.dtype.kind == "f" else array)

    return jax.tree.map(ready, tree)


@dataclass
class _Judging:
    """One function on its way through the questions."""

    record: Record
    setting: Setting
    returns: str
    precision: Precision

    def ask(self, function: Callable[..., Any], arguments: Sequence[Any], right: Any) -> Any:
        """Runs the function, and holds its value against the right one; returns the value where it is wrong.

        Raises:
            AnswerFault: It can't be judged further.
        """
        name, watch = self.setting.names[0], self.record.watch
        before = outside_of(function)
        given = watch.call(function, name, *arguments, keep=True)
        refuse_state(before, outside_of(function), name)
        self.record.arrays = compare_values(right, given, self.returns, self.precision, watch.notes)
        if not all(array.right for array in self.record.arrays):
            return given
        refuse_change(given, watch.call(function, name, *arguments), name)
        worst = agreement.worst_of([array.value or 0.0 for array in self.record.arrays])
        self.record.checks.append(Check("value", True, "the values are right", worst, self.precision.tolerance))
        return None

    def name_mistake(self, given: Any, arguments: Sequence[Any], right: Any) -> None:
        """Names the one mistake of the catalogue that gives the very same wrong value."""
        wrong = tuple(array.path for array in self.record.arrays if not array.right)
        found = [
            mistake
            for mistake in self.setting.mistakes
            if self._is(given, wrong_value := mistake.primal(*arguments)) and not self._is(wrong_value, right)
        ]
        if len(found) == 1:
            (mistake,) = found
            self.record.causes = [Cause("mistake", mistake.name, wrong, "", mistake.says, mistake.ask)]

    def _is(self, given: Any, value: Any) -> bool:
        try:
            return all(array.right for array in compare_values(value, given, self.returns, self.precision, []))
        except AnswerFault:
            return False


def compare_values(right: Any, given: Any, path: str, precision: Precision, notes: list[str]) -> tuple[Agreement, ...]:
    """Holds a tree of values against the right one, array by array.

    Args:
        right: A pytree of arrays and numbers.
        given: What came.
        path: What the value is called.
        precision: How exactly they must agree.
        notes: Grows by a sentence for each unusual but accepted form.

    Raises:
        AnswerFault: It has another structure, or something in it is no number.
    """
    with mismatch_is_fault():
        matched = match(right, given, path, f"the right {path}", notes, value=True)
        rows = [row._replace(given=as_numbers(row, notes)) for row in matched]
    laid = [_without_expected(row, np.asarray(row.like, np.float64)) for row in rows]
    rows, truth = [row for row, _ in laid], [right for _, right in laid]
    found = agreement.compare_arrays(rows, truth, precision)
    return tuple(_of_value(array, bool(np.isfinite(right).all())) for array, right in zip(found, truth, strict=True))


def _without_expected(row: Matched, right: np.ndarray) -> tuple[Matched, np.ndarray]:
    """What came and what is right, with zeros on both sides where a NaN or an infinity is expected and came."""
    given = np.asarray(row.given, np.float64)
    if given.shape != right.shape:
        return row, right
    came = ~np.isfinite(right) & ((given == right) | (np.isnan(given) & np.isnan(right)))
    return (row._replace(given=np.where(came, 0, row.given)), np.where(came, 0, right)) if came.any() else (row, right)


def _of_value(array: Agreement, is_finite: bool) -> Agreement:
    """Without what is asked of derivatives alone; no slip explains an array in which NaN or infinity is missing."""
    slip = dataclasses.replace(array.slip, ask="") if array.slip and is_finite else None
    return dataclasses.replace(array, value=array.reverse, reverse=None, slip=slip)
