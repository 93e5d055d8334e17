"""The routes to a derivative that JAX offers, by their public names, and what is said of an answer that takes one."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import jax

from course.records import Fault, Line

TESTED = ("0.10.1", "0.12.0.1")
"""The versions of JAX on which every attack of the tests was seen to be stopped: the machinery is private to JAX."""

ROUTES = frozenset(
    f"jax.{name}"
    for name in (
        "grad value_and_grad vjp jvp linearize linear_transpose jacfwd jacrev jacobian hessian fwd_and_bwd vjp3 "
        "experimental.jet.jet"
    ).split()
)
"""What names a derivative. An exercise may allow some of them."""

PRIVATE = ("jax._src", "jax.interpreters", "jax.experimental.jet", "jax.extend.linear_util", "jax.test_util")
"""Modules that no answer needs, from which differentiation can be had under other names."""


@dataclass(frozen=True)
class Refusal:
    """One route that was taken: its public name where it has one, and the line of the answer that takes it."""

    route: str
    line: Line | None = None


def refusal_fault(refusal: Refusal, where: str, allows: Collection[str] = ()) -> Fault:
    """What a person reads about an answer that takes a route."""
    also = f" Allowed here: {', '.join(sorted(allows))}." if allows else ""
    return Fault(
        "refused",
        where,
        f"{where} must be derived by hand; it has JAX differentiate, by `{refusal.route}`.{also}",
        refusal.line,
    )


def is_tested() -> bool:
    """Whether the guard was tested on the JAX that runs."""
    return jax.__version__ in TESTED
