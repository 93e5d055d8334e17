"""The whole suite: compiled programs are kept between runs, and annotated shapes are checked.

The shapes are those of the lessons' and the solutions' functions; never while a stranger's submission is judged, since
a learner's numbers may be Python's or NumPy's.
"""

import os
from pathlib import Path

import pytest

from course.compile_cache import use_compile_cache
from course.quick_compile import compile_quickly
from tests.one_context import share_lowering_context

os.environ.setdefault("HANDGRAD_CACHE", str(Path(__file__).parents[1] / ".pytest_cache" / "handgrad"))
use_compile_cache()
compile_quickly()
share_lowering_context()

pytest_plugins = ["pytester"]


def pytest_configure(config: pytest.Config) -> None:
    """Checks annotated shapes at run time, before anything of the mathematics is imported."""
    if config.getoption("handgrad_submission", default=None) is None:
        os.environ.pop("HANDGRAD_COMMAND", None)  # `python3 run.py test` sets it, and verdicts print it
        from jaxtyping import install_import_hook

        install_import_hook(["course.lessons", "solutions"], "beartype.beartype")
