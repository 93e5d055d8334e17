"""Judges one tangent rule at one point: callable as asked, then value, forward mode, reverse mode, differences, float32.

The mirror of `pair`: the answer's tangents are held against `jax.jvp`, and reverse mode enters by the identity
<x_bar, x_dot> = <y_bar, y_dot>, with x_bar from `jax.vjp`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from course.comparison import agreement
from course.comparison.answer import (
    AnswerFault,
    Watch,
    globals_of,
    mismatch_is_fault,
    refuse_change,
    refuse_state,
    two_parts,
)
from course.comparison.costs import rule_costs
from course.comparison.floating import along_floating, split_floating
from course.comparison.oracle import QUICK, draw_like
from course.comparison.pair import (
    Record,
    Setting,
    ask_for_tracing,
    ask_for_value,
    at_precision,
    difference_check,
    float32_check,
    judging,
    to_comparison,
)
from course.comparison.point import Point
from course.comparison.precision import FLOAT64, Precision
from course.comparison.trees import Matched, as_numbers, has_tangent, match, refuse_cotangent, without_float0
from course.records import Check, Comparison


@dataclass(frozen=True)
class Tangents:
    """What the oracles say along one direction: lists have one entry for each floating output.

    `forward` are the tangents by `jax.jvp`, `inner` is <x_bar, x_dot> by `jax.vjp` for a random cotangent `y_bars`
    of that output alone, `difference` the tangent by central differences.
    """

    y: Any
    x_dot: tuple[Any, ...]
    forward: list[np.ndarray]
    y_bars: list[np.ndarray]
    inner: list[float]
    difference: list[np.ndarray]


def judge_rule(point: Point, rule: Callable[..., Any], setting: Setting) -> Comparison:
    """Judges a tangent rule at a point.

    Args:
        point: The primal and its arguments, of any precision.
        rule: `rule(primals, tangents) -> (y, y_dot)`.
        setting: How to judge.

    Raises:
        ValueError: The primal does not run at these arguments.
    """
    record = Record(Watch(setting.aloud))
    with judging():
        here, precision = at_precision(point, setting.precision)
        try:
            _judge(here, rule, setting, precision, record)
        except AnswerFault as stop:
            record.faults.append(stop.fault)
    return to_comparison(record, setting.names[0], precision, setting.seed)


def _judge(point: Point, rule: Callable[..., Any], setting: Setting, precision: Precision, record: Record) -> None:
    name, watch = setting.names[0], record.watch
    truth = find_tangents(point, precision, np.random.default_rng(setting.seed))
    before = globals_of(rule)
    first = watch.call(rule, name, point.primals, truth.x_dot, keep=True)
    y, y_dot = two_parts(first, name, "(y, y_dot)")
    rows = _tangent_rows(truth.y, y_dot, watch.notes)
    refuse_state(before, globals_of(rule), name)
    refuse_change(first, watch.call(rule, name, point.primals, truth.x_dot), name)
    moving, join = without_float0(truth.x_dot)
    ask_for_tracing(lambda at, along: rule(at, join(along)), (point.primals, moving), setting, watch)
    ask_for_value(y, truth.y, name, precision, record)
    record.arrays = tuple(
        dataclasses.replace(array, forward=array.reverse, reverse=None)
        for array in agreement.compare_arrays(rows, truth.forward, precision)
    )
    if not all(array.right for array in record.arrays):
        return
    given = [np.asarray(row.given, np.float64) for row in rows]
    if not (_ask_reverse(given, truth, precision, record) and _ask_differences(given, truth, precision, record)):
        return
    if setting.float32 and precision is FLOAT64:
        _ask_float32(point, rule, setting, record)
    if setting.cost:
        record.costs = rule_costs(point, rule, truth.x_dot)


def find_tangents(point: Point, precision: Precision, rng: np.random.Generator) -> Tangents:
    """Draws a direction and a cotangent for each output, and asks every oracle at once."""
    x_dot = draw_like(rng, point.primals)
    outputs = [leaf for leaf in jax.tree.leaves(jax.eval_shape(point.primal, *point.primals)) if has_tangent(leaf)]
    y_bars = [jnp.asarray(rng.standard_normal(leaf.shape), leaf.dtype) for leaf in outputs]
    moving, _ = without_float0(x_dot)
    size = max(
        [1.0, *(float(np.max(np.abs(leaf), initial=0)) for leaf in jax.tree.leaves(point.primals) if has_tangent(leaf))]
    )
    found = _program(point.primal)(point.primals, moving, y_bars, precision.step * size)
    y, forward, inner, difference = found
    return Tangents(
        y=y,
        x_dot=x_dot,
        forward=[np.asarray(leaf) for leaf in forward],
        y_bars=[np.asarray(leaf) for leaf in y_bars],
        inner=[float(value) for value in inner],
        difference=[np.asarray(leaf) for leaf in difference],
    )


@lru_cache(maxsize=256)
def _program(primal: Callable[..., Any]) -> Callable[..., Any]:
    def ask(primals: Any, x_dot: Any, y_bars: Any, step: Any) -> Any:
        moving, still, join = split_floating(primals)
        function = along_floating(primal, join, still)
        outputs, forward, _ = jax.jvp(function, moving, x_dot, has_aux=True)
        _, pullback, _ = jax.vjp(function, *moving, has_aux=True)
        ahead, _ = function(*[leaf + step * v for leaf, v in zip(moving, x_dot, strict=True)])
        behind, _ = function(*[leaf - step * v for leaf, v in zip(moving, x_dot, strict=True)])
        inner = []
        for place, y_bar in enumerate(y_bars):
            alone = [y_bar if i == place else jnp.zeros_like(y) for i, y in enumerate(outputs)]
            inner.append(sum(jnp.sum(x_bar * v) for x_bar, v in zip(pullback(alone), x_dot, strict=True)))
        return primal(*primals), forward, inner, [(a - b) / (2 * step) for a, b in zip(ahead, behind, strict=True)]

    return jax.jit(ask, compiler_options=QUICK)


def _tangent_rows(y: Any, y_dot: Any, notes: list[str]) -> list[Matched]:
    """The floating outputs, with the tangents that came for each.

    Raises:
        AnswerFault: They don't fit the outputs.
    """
    with mismatch_is_fault():
        rows = match(y, y_dot, "y_dot", "y", notes)
        for row in rows:
            if not has_tangent(row.like):
                refuse_cotangent(row)
        return [row._replace(given=as_numbers(row, notes)) for row in rows if has_tangent(row.like)]


def _ask_reverse(given: Sequence[np.ndarray], truth: Tangents, precision: Precision, record: Record) -> bool:
    limit = 10 * precision.tolerance
    errors = [
        abs(float(np.sum(y_bar * y_dot)) - inner) / (scale * max(float(np.linalg.norm(y_bar)), np.finfo(float).tiny))
        for y_bar, y_dot, inner, scale in zip(
            truth.y_bars, given, truth.inner, agreement.scales(truth.forward, precision.floor), strict=True
        )
    ]
    record.arrays = tuple(
        dataclasses.replace(array, reverse=error, right=error <= limit)
        for array, error in zip(record.arrays, errors, strict=True)
    )
    worst = max(errors, default=0.0)
    text = "reverse mode agrees: <x_bar, x_dot> = <y_bar, y_dot>"
    record.checks.append(Check("reverse", worst <= limit, text, worst, limit))
    return worst <= limit


def _ask_differences(given: Sequence[np.ndarray], truth: Tangents, precision: Precision, record: Record) -> bool:
    scales = agreement.scales(truth.forward, precision.floor)

    def worst(arrays: Sequence[np.ndarray]) -> float:
        rows = zip(arrays, truth.difference, scales, strict=True)
        return max((agreement.array_error(array, difference, scale) for array, difference, scale in rows), default=0.0)

    check = difference_check(worst(given), worst(truth.forward), precision)
    record.checks.append(check)
    return check.passed


def _ask_float32(point: Point, rule: Callable[..., Any], setting: Setting, record: Record) -> None:
    rounded = point.cast(jnp.float32)
    truth = find_tangents(rounded.cast(jnp.float64), FLOAT64, np.random.default_rng(setting.seed))
    moving, join = without_float0(truth.x_dot)
    x_dot = join([leaf.astype(jnp.float32) for leaf in moving])
    with jax.enable_x64(False):
        returned = record.watch.call(rule, setting.names[0], rounded.primals, x_dot)
        _, y_dot = two_parts(returned, setting.names[0], "(y, y_dot)")
    rows = _tangent_rows(truth.y, y_dot, [])
    record.checks.append(float32_check(rows, truth.forward, record.watch))
