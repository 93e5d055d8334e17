"""What a gather's cotangent becomes where the cotangents of a place that is read twice are not added.

y = x[index]        x_bar[i] = sum of y_bar[n] over all n with index[n] = i
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax.numpy as jnp

KINDS = ("overwritten", "averaged")
"""The last one alone is kept, or their mean is taken."""


def unsummed(
    gather: Callable[[Sequence[Any]], Any], operands: Sequence[Any], y_bar: Any, x_bar: Any
) -> Mapping[str, Any]:
    """The wrong cotangents of what is read from, by kind.

    Args:
        gather: Reads from the first operand at the places in the second.
        operands: Both.
        y_bar: The cotangent of what was read.
        x_bar: The right one of what is read from.
    """
    size = x_bar.size
    read_from = gather([jnp.arange(size).reshape(x_bar.shape), *operands[1:]]).ravel()
    target = jnp.where(read_from < 0, size, read_from)  # read outside of the array
    last = jnp.full(size, -1).at[target].max(jnp.arange(target.size), mode="drop")
    count = jnp.zeros(size).at[target].add(1, mode="drop")
    overwritten = jnp.where(last < 0, 0, y_bar.ravel()[last])
    return {
        "overwritten": overwritten.reshape(x_bar.shape).astype(x_bar.dtype),
        "averaged": (x_bar / jnp.maximum(count, 1).reshape(x_bar.shape)).astype(x_bar.dtype),
    }
