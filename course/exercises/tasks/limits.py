"""What an answer may cost: FLOPs as ratios to JAX's own method, bytes by the exercise's own formulas in its sizes.

products    2 m n k of matrix products and convolutions: gated tightly, since each is there for a reason
all         with slack: an honest derivation may do more arithmetic around them, or less
solves      not at all: their FLOPs are known by the leading order alone
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from course.comparison.costs import REVERSE
from course.comparison.counting import UNKNOWN_PASSES
from course.comparison.point import Point
from course.records import YOURS, Comparison, Cost


@dataclass(frozen=True)
class Limits:
    """Limits of cost.

    `products` is a ratio to the FLOPs that JAX's own method spends on matrix products and convolutions; a product may
    also stand where that sums or multiplies by element. `flops` is a ratio for all FLOPs but those of linear algebra:
    right pairs measured were 0.76 to 1.29, central differences 24 and more. `residual_bytes` and `peak_bytes` take the
    primals and give bytes; None sets no limit. Saved are those between forward and backward; at its peak are all that
    are alive at once while value and cotangents are worked out, what is returned among them, arguments left out.
    """

    products: float = 1.1
    flops: float = 2.0
    residual_bytes: Callable[..., int] | None = None
    peak_bytes: Callable[..., int] | None = None

    def excess(self, found: Comparison, point: Point, beside: str = REVERSE) -> str:
        """What is exceeded beside a method of JAX and, where it is known, why; empty where nothing is."""
        costs = {cost.method: cost for cost in found.costs}
        if YOURS not in costs:
            return "Its cost could not be counted."
        yours, own = costs[YOURS], costs[beside]
        if _runs_unknown_loops(yours) and not _runs_unknown_loops(own):
            return "Its cost can't be counted: how often a while_loop of it runs depends on the numbers."
        for of, exceeded in (
            ("flops", self._too_many_products(yours, own) or self._too_many_flops(yours, own)),
            ("bytes", self._too_many_bytes(yours, point)),
            ("peak", self._too_high_a_peak(yours, point)),
        ):
            if exceeded:
                return " ".join([exceeded, *(excess.text for excess in found.excesses if excess.of == of)])
        return ""

    def _too_many_products(self, yours: Cost, own: Cost) -> str:
        other = own.flops - own.linear_flops - own.product_flops
        if yours.product_flops <= self.products * own.product_flops + other:
            return ""
        ratio = yours.product_flops / max(own.product_flops, 1)
        return (
            f"Its matrix products take {ratio:.3g} times the FLOPs of those of {_name(own)}; "
            f"{self.products:.2g} times is the limit."
        )

    def _too_many_flops(self, yours: Cost, own: Cost) -> str:
        ratio = (yours.flops - yours.linear_flops) / max(own.flops - own.linear_flops, 1)
        if ratio <= self.flops:
            return ""
        return f"It takes {ratio:.2g} times the FLOPs of {_name(own)}; {self.flops:.2g} times is the limit."

    def _too_many_bytes(self, yours: Cost, point: Point) -> str:
        if self.residual_bytes is None or yours.residual_bytes is None:
            return ""
        limit: Any = self.residual_bytes(*point.primals)
        if yours.residual_bytes <= limit:
            return ""
        return f"It saves {yours.residual_bytes} bytes for backward; {limit} are enough."

    def _too_high_a_peak(self, yours: Cost, point: Point) -> str:
        if self.peak_bytes is None:
            return ""
        limit: Any = self.peak_bytes(*point.primals)
        if yours.peak_bytes <= limit:
            return ""
        return (
            f"At its peak it holds {yours.peak_bytes} bytes at once, what is made and dropped again among them; "
            f"{limit} are enough."
        )


def _name(own: Cost) -> str:
    return own.method.partition(",")[0]


def _runs_unknown_loops(cost: Cost) -> bool:
    return any(UNKNOWN_PASSES in note for note in cost.notes)
