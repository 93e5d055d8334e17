"""The forms that mistakes are written in: the value of one function with the derivative of another.

Only wrong derivatives are made here: of another function, of a value held still, or of a cotangent changed on its way.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

held = jax.lax.stop_gradient
"""A value taken for a constant."""


def valued(value: Any, sloped: Any) -> Any:
    """Has the value of the first, to the last bit, and the derivative of the second. Both are arrays."""
    return held(value) + (sloped - held(sloped))


def one_row(of: Any, row: int) -> Any:
    """The same rows, of which one alone is no constant."""
    return held(of).at[row].set(of[row])


def weighted(x: Any, factor: Any) -> Any:
    """Is x, to which `factor` times its cotangent comes back."""
    return valued(x, held(factor) * x)


def changed(change: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Makes a function that is its argument, to which a function of its cotangent comes back."""

    @jax.custom_vjp
    def same(x: Any) -> Any:
        return x

    same.defvjp(lambda x: (x, None), lambda _, x_bar: (change(x_bar),))
    return same


unasked = changed(jnp.ones_like)
"""Is its argument, to which ones come back whatever was handed in."""
