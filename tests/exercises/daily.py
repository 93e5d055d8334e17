"""What is asked every day and what is asked when all is: exercises of more practice wait for `-m exhaustive`."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from course.exercises import find_exercise


def _is_required(name: str) -> bool:
    return find_exercise(name).required


def daily(names: Iterable[str], is_daily: Callable[[str], bool] = _is_required) -> list[Any]:
    """The names of exercises as parameters of a test, those that are not asked every day marked as exhaustive."""
    return [name if is_daily(name) else pytest.param(name, marks=pytest.mark.exhaustive) for name in names]
