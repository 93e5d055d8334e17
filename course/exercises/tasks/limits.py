"""What an answer may cost: FLOPs as a ratio to `jax.vjp`'s, saved bytes by the exercise's own formula in its sizes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from course.comparison.costs import REVERSE
from course.comparison.point import Point
from course.records import YOURS, Comparison, Cost


@dataclass(frozen=True)
class Limits:
    """Limits of cost.

    `flops` is a ratio to what `jax.vjp` takes on the same inputs: right answers measured were 0.76 to 1.29, central
    differences 24 and more. `residual_bytes` takes the primals and gives bytes; None sets no limit.
    """

    flops: float = 1.5
    residual_bytes: Callable[..., int] | None = None

    def excess(self, found: Comparison, point: Point) -> str:
        """What is exceeded, in one sentence; empty where nothing is."""
        costs = {cost.method: cost for cost in found.costs}
        if YOURS not in costs:
            return "Its cost could not be counted."
        yours, reverse = costs[YOURS], costs[REVERSE]
        return self._too_many_flops(yours, reverse) or self._too_many_bytes(yours, point)

    def _too_many_flops(self, yours: Cost, reverse: Cost) -> str:
        ratio = yours.flops / max(reverse.flops, 1)
        if ratio <= self.flops:
            return ""
        return f"It takes {ratio:.2g} times the FLOPs of jax.vjp; {self.flops:.2g} times is the limit."

    def _too_many_bytes(self, yours: Cost, point: Point) -> str:
        if self.residual_bytes is None or yours.residual_bytes is None:
            return ""
        limit: Any = self.residual_bytes(*point.primals)
        if yours.residual_bytes <= limit:
            return ""
        return f"It saves {yours.residual_bytes} bytes for backward; {limit} are enough."
