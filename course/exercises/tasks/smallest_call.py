"""A counterexample for a function: arguments few and short enough to be redone on paper, and both values."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import numpy as np

from course.comparison.answer import AnswerFault, Watch, mismatch_is_fault
from course.comparison.function import compare_values, in_float64
from course.comparison.judging import judging
from course.comparison.precision import FLOAT64
from course.comparison.trees import argument_names, as_numbers, is_key, leaves_of_all, match
from course.exercises.tasks.drawing import Draw
from course.exercises.tasks.smallest import LONGEST, small_sizes
from course.records import Example

MOST_NUMBERS = 18
"""Numbers in all arguments together that are still redone on paper."""


def smallest_call(
    reference: Callable[..., Any],
    draw: Callable[[Draw], tuple[Any, ...]],
    function: Callable[..., Any],
    seed: int,
    returns: str,
) -> Example | None:
    """Finds the smallest arguments at which a function gives a wrong array; None where none of those that fit does."""
    probe = Draw(seed)
    names = argument_names(function, len(draw(probe)))
    with judging():
        for arguments, right in _drawn(reference, draw, seed, len(probe.asked)):
            leaves = leaves_of_all(names, arguments)
            if not _fits_on_paper([leaf for _, leaf in leaves]):
                continue
            values = _wrong_values(right, function, arguments, returns)
            if values is not None:
                return Example({name: _shown(leaf) for name, leaf in leaves}, *values)
    return None


def _drawn(
    reference: Callable[..., Any], draw: Callable[[Draw], tuple[Any, ...]], seed: int, axes: int
) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Arguments from the smallest to those of the verdict, each with the right value; not at senseless sizes."""
    for sizes in (*small_sizes(axes), None):
        with contextlib.suppress(ValueError, IndexError, TypeError):
            arguments = in_float64(draw(Draw(seed, small=sizes)))
            yield arguments, reference(*arguments)


def _wrong_values(
    right: Any, function: Callable[..., Any], arguments: Sequence[Any], returns: str
) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """The first wrong array, and the right one in its place."""
    try:
        given = Watch().call(function, returns, *arguments)
        found = compare_values(right, given, returns, FLOAT64, [])
        with mismatch_is_fault():
            rows = match(right, given, returns, f"the right {returns}", [], value=True)
    except AnswerFault:
        return None
    for array, row in zip(found, rows, strict=True):
        if not array.right:
            return {row.path: np.asarray(as_numbers(row, []))}, {row.path: np.asarray(row.like)}
    return None


def _fits_on_paper(leaves: Sequence[Any]) -> bool:
    arrays = [leaf for leaf in leaves if not isinstance(leaf, str) and not callable(leaf)]
    if any(is_key(leaf) or not isinstance(leaf, _NUMBERS) for leaf in arrays):
        return False
    longest = max((size for leaf in arrays for size in np.shape(leaf)), default=1)
    return longest <= LONGEST and sum(np.size(leaf) for leaf in arrays) <= MOST_NUMBERS


_NUMBERS = (bool, int, float, np.ndarray, np.generic, jax.Array)


def _shown(leaf: Any) -> Any:
    """A function by its name, text as it is, and numbers as NumPy's."""
    if callable(leaf):
        return getattr(leaf, "__name__", type(leaf).__name__)
    return leaf if isinstance(leaf, str) else np.asarray(leaf)
