"""Compiled programs that are kept as long as what they were compiled from stays the same."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import lru_cache
from typing import Any

import jax

from course.comparison.state import outside_of
from course.quick_compile import QUICK


def quick(program: Callable[..., Any], *of: Callable[..., Any]) -> Callable[..., Any]:
    """The program compiled without optimising; the same one again for an equal program.

    Args:
        program: Equal programs must compute the same, as frozen dataclasses of functions do.
        of: The functions that it calls. When what they use from outside changes, such as a helper written anew, it is
            compiled anew.
    """
    try:
        hash(program)
    except TypeError:
        return jax.jit(program, compiler_options=QUICK)
    return _quick(program, tuple(outside_of(*of).items()))


@lru_cache(maxsize=128)
def _quick(program: Callable[..., Any], outside: Hashable) -> Callable[..., Any]:
    return jax.jit(program, compiler_options=QUICK)
