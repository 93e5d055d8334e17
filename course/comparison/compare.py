"""The instrument: anybody's hand-written derivative held against JAX's, at the point given.

Three doors to the same judging: a pair `fwd` and `bwd`, a tangent rule, or a function that already carries a rule of
its own (`jax.custom_vjp` or `jax.custom_jvp`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax

from course.comparison.pair import Setting, judge_pair
from course.comparison.point import bind_static, make_point
from course.comparison.rule import judge_rule
from course.records import Comparison


def compare(
    primal: Callable[..., Any],
    fwd: Callable[..., Any],
    bwd: Callable[..., Any],
    *primals: Any,
    seed: int = 0,
    precision: str | None = None,
    static_argnums: int | Sequence[int] = (),
    by_hand: bool = False,
) -> Comparison:
    """Judges a hand-written backward pass at a point, and counts what it costs.

    The cotangents and tangents are drawn from `seed`; the point is the one given. Judging is in float64 on the CPU,
    unless the primal casts to something narrower.

    Args:
        primal: The function being differentiated. If it carries `bwd` as its own rule, the plain function under it.
        fwd: `fwd(*primals) -> (y, residuals)`.
        bwd: `bwd(residuals, y_bar) -> tuple of cotangents`, one for each primal, None for what has no tangent. With
            static arguments, `bwd(*static, residuals, y_bar)`, as `jax.custom_vjp` calls it.
        *primals: Pytrees of arrays and numbers.
        seed: Of the drawn cotangents.
        precision: "float64", "float32", "float16" or "bfloat16"; by default what the primal itself allows.
        static_argnums: Places of the arguments that are settings and no arrays.
        by_hand: Whether to refuse an answer that has JAX differentiate. What runs here could hide it: this is advice.

    Returns:
        The facts, with every fault of the answer recorded in them; `assert_agree()` raises in the verdict's words.

    Raises:
        TypeError: A primal is complex, or is no array.
        ValueError: The primal fails at these arguments, or nothing has a tangent.
    """
    static = _static(static_argnums, primals)
    names = (_name(fwd, "fwd"), _name(bwd, "bwd"))
    point = make_point(_under(primal, "bwd", bwd), primals, tuple(static))
    if static:
        fwd, bwd = bind_static(fwd, static), partial(bwd, *static.values())
    return judge_pair(point, fwd, bwd, Setting(names, seed, precision, by_hand=_routes(by_hand)))


def compare_jvp(
    primal: Callable[..., Any],
    rule: Callable[..., Any],
    *primals: Any,
    seed: int = 0,
    precision: str | None = None,
    static_argnums: int | Sequence[int] = (),
    by_hand: bool = False,
) -> Comparison:
    """Judges a hand-written tangent rule at a point, and counts what it costs.

    Args:
        primal: The function being differentiated. If it carries `rule` as its own, the plain function under it.
        rule: `rule(primals, tangents) -> (y, y_dot)`, both arguments tuples; with static arguments,
            `rule(*static, primals, tangents)`, as `jax.custom_jvp` calls it.
        *primals: Pytrees of arrays and numbers.
        seed: Of the drawn tangents.
        precision: As for `compare`.
        static_argnums: Places of the arguments that are settings and no arrays.
        by_hand: As for `compare`; besides, every step must be linear in the tangents, which no difference of values is.

    Raises:
        TypeError: A primal is complex, or is no array.
        ValueError: The primal fails at these arguments, or nothing has a tangent.
    """
    static = _static(static_argnums, primals)
    name = _name(rule, "rule")
    point = make_point(_under(primal, "jvp", rule), primals, tuple(static))
    if static:
        rule = partial(rule, *static.values())
    setting = Setting((name, name), seed, precision, by_hand=_routes(by_hand), linear=by_hand)
    return judge_rule(point, rule, setting)


def compare_rule(
    f: Callable[..., Any],
    *primals: Any,
    seed: int = 0,
    precision: str | None = None,
    static_argnums: int | Sequence[int] | None = None,
) -> Comparison:
    """Judges the rule that a function carries, against the derivative of the plain function under it.

    Args:
        f: A `jax.custom_vjp` or `jax.custom_jvp`, also under `jax.jit`.
        *primals: Pytrees of arrays and numbers.
        seed: Of the drawn cotangents or tangents.
        precision: As for `compare`.
        static_argnums: Places of the arguments that are settings and no arrays; by default the `nondiff_argnums` of the
            rule.

    Raises:
        TypeError: The function carries no rule, or a primal is complex or no array.
        ValueError: The primal fails at these arguments, or nothing has a tangent.
    """
    carrier = _carrier(f)
    static = _static(carrier.nondiff_argnums if static_argnums is None else static_argnums, primals)
    name = _name(f, "the rule")
    point = make_point(carrier.__wrapped__, primals, tuple(static))
    bound = bind_static(f, static)
    setting = Setting(names=(name, name), seed=seed, precision=precision)
    if isinstance(carrier, jax.custom_jvp):
        return judge_rule(point, lambda at, along: jax.jvp(bound, at, along), setting)
    return judge_pair(point, lambda *at: jax.vjp(bound, *at), lambda pullback, y_bar: pullback(y_bar), setting)


_JITTED = type(jax.jit(lambda: None))
"""Other wrappers, such as `jax.vmap`'s, make another function, whose plain one is not at hand."""


def _carrier(f: Callable[..., Any]) -> Any:
    """The function with a rule, under `jax.jit` if that was wrapped around it.

    Raises:
        TypeError: There is none.
    """
    inner: Any = f
    while isinstance(inner, _JITTED):
        inner = getattr(inner, "__wrapped__")  # noqa: B009 - JAX's type stubs don't know it
    if isinstance(inner, jax.custom_vjp | jax.custom_jvp):
        return inner
    raise TypeError(
        f"compare_rule takes a function that carries a rule; {_name(f, 'the function')} is neither a jax.custom_vjp "
        "nor a jax.custom_jvp. Give primal, fwd and bwd to compare, or primal and rule to compare_jvp."
    )


def _under(primal: Any, kind: str, rule: Callable[..., Any]) -> Callable[..., Any]:
    """The plain function under a primal that carries the very rule that is judged: a rule can't be its own oracle."""
    return primal.__wrapped__ if rule is not None and getattr(primal, kind, None) is rule else primal


def _routes(by_hand: bool) -> frozenset[str] | None:
    return frozenset() if by_hand else None


def _static(static_argnums: int | Sequence[int], primals: Sequence[Any]) -> dict[int, Any]:
    places = (static_argnums,) if isinstance(static_argnums, int) else static_argnums
    for place in places:
        if not -len(primals) <= place < len(primals):
            raise ValueError(f"static_argnums must be places of the {len(primals)} arguments; {place} came.")
    return {place % len(primals): primals[place] for place in places}


def _name(function: Any, otherwise: str) -> str:
    name = getattr(function, "__name__", otherwise)
    return otherwise if name.startswith("<") else name
