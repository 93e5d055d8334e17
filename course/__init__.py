"""handgrad: write the backward pass by hand in JAX, and find out what is right, what is wrong and what it costs.

The public names are looked up when first used, so that `import course` costs nothing and starts no JAX.
"""

import importlib
import sys
from typing import Any

_HOME = {
    "compare": "course.comparison.compare",
    "compare_jvp": "course.comparison.compare",
    "compare_rule": "course.comparison.compare",
    "as_jax": "course.comparison.install",
    "Comparison": "course.records",
    "Verdict": "course.records",
    "Status": "course.records",
    "Feedback": "course.records",
    "Exercise": "course.exercises.exercise",
    "find_exercise": "course.exercises",
    "Submission": "course.grading.submission",
    "judge": "course.grading.judging",
    "check": "course.grading.notebook",
    "answer": "course.grading.notebook",
    "solved": "course.grading.solved",
    "show_mistake": "course.grading.notebook",
    "show_graph": "course.graph.show",
}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'course' has no attribute {name!r}; it has {', '.join(__all__)}")
    return getattr(importlib.import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]


if "ipykernel" in sys.modules and "jax" not in sys.modules:
    # A notebook imports the course first: from here on it need not compile again what it compiled yesterday.
    importlib.import_module("course.grading.ready").keep_programs()
