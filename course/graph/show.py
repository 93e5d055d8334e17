"""`course.show_graph`: a function's steps forward and backward, to be stepped through."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from course.graph.page import Page
from course.graph.record import record


def show_graph(primal: Callable[..., Any], *primals: Any, y_bar: Any = None) -> Page:
    """Records a function at its arguments, and shows every step: values forward, then cotangents backward.

    In a notebook the result draws itself; `.save("graph.html")` writes a page that needs nothing else; printed, it is
    every step in words.

    Args:
        primal: Any function of pytrees of arrays that JAX can trace.
        primals: Its arguments, small ones: their numbers are part of the picture.
        y_bar: The cotangent that is handed in, of the form of the function's value; ones by default.
    """
    return Page(record(primal, *primals, y_bar=y_bar))
