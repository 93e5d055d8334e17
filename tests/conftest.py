"""The whole suite: shapes of the lessons' and the solutions' functions are checked against their annotations.

Never while a stranger's submission is judged: a learner's numbers may be Python's or NumPy's.
"""

import pytest

pytest_plugins = ["pytester"]


def pytest_configure(config: pytest.Config) -> None:
    """Checks annotated shapes at run time, before anything of the mathematics is imported."""
    if config.getoption("handgrad_submission", default=None) is None:
        from jaxtyping import install_import_hook

        install_import_hook(["course.lessons", "solutions"], "beartype.beartype")
