"""The instrument: is a hand-written derivative right, what is wrong with it, and what does it cost? Anybody's functions."""

from course.comparison.compare import compare, compare_jvp, compare_rule
from course.comparison.install import as_jax

__all__ = ["as_jax", "compare", "compare_jvp", "compare_rule"]
