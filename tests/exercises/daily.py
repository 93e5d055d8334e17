"""What is asked every day and what is asked when all is: exercises of more practice wait for `-m exhaustive`."""

from collections.abc import Iterable
from typing import Any

import pytest

from course.exercises import find_exercise


def daily(names: Iterable[str]) -> list[Any]:
    """The names of exercises as parameters of a test, those that nobody must do marked as exhaustive."""
    return [
        name if find_exercise(name).required else pytest.param(name, marks=pytest.mark.exhaustive) for name in names
    ]
