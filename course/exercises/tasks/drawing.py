"""Draws the inputs at which an answer is judged, from a seed, with NumPy: the same on every version of JAX.

An exercise writes one function of a `Draw`. Judged in earnest, axes get distinct odd sizes above 1 and Gaussian numbers
that float32 can't hold; for a counterexample on paper the same function gets sizes of 1 to 3 and small integers.
"""

from __future__ import annotations

from collections.abc import Sequence

import jax
import numpy as np

SIZES = (7, 5, 3, 9, 11, 13)
"""Axis sizes in the order in which they are asked for: all different, so that no two axes can be confused."""

MOST_SEEDS, FEW_SEEDS = 2**31, 10
"""As many keys are told apart, and as many are drawn from for a counterexample."""


class Draw:
    """A source of sizes and numbers for one judging."""

    def __init__(self, seed: int | Sequence[int], small: Sequence[int] | None = None):
        """Starts from a seed; `small` gives the sizes of a counterexample in the order in which they are asked for."""
        self._rng = np.random.default_rng(seed)
        self._small = small
        self._sizes: dict[str, int] = {}

    @property
    def is_small(self) -> bool:
        """Whether a counterexample is drawn."""
        return self._small is not None

    @property
    def asked(self) -> tuple[str, ...]:
        """The names of the axes asked for so far."""
        return tuple(self._sizes)

    def size(self, axis: str, least: int = 1) -> int:
        """The size of an axis, `least` at least; the same name gets the same size."""
        if axis not in self._sizes:
            sizes = SIZES if self._small is None else self._small
            self._sizes[axis] = max(least, sizes[len(self._sizes) % len(sizes)])
        return self._sizes[axis]

    def sizes(self, *axes: str) -> tuple[int, ...]:
        """The sizes of several axes."""
        return tuple(self.size(axis) for axis in axes)

    def normal(self, *axes: str, scale: float = 1.0) -> np.ndarray:
        """Gaussian numbers of the given standard deviation; small integers, none zero, for a counterexample."""
        shape = self.sizes(*axes)
        if not self.is_small:
            return scale * self._rng.standard_normal(shape)
        return self._rng.choice([-3.0, -2.0, -1.0, 1.0, 2.0, 3.0], size=shape)

    def below(self, axis: str, *axes: str) -> np.ndarray:
        """Integers from 0 to the size of `axis`, exclusive, such as labels; some repeat where there is room."""
        return self._rng.integers(0, self.size(axis), size=self.sizes(*axes))

    def key(self) -> jax.Array:
        """A random key; one of a few for a counterexample."""
        return jax.random.key(int(self._rng.integers(FEW_SEEDS if self.is_small else MOST_SEEDS)))

    def either(self, *axes: str) -> np.ndarray:
        """Zeros and ones, as floating-point numbers."""
        return self._rng.integers(0, 2, size=self.sizes(*axes)).astype(np.float64)
