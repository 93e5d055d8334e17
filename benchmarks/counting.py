"""The counter against counts derived by hand, and against XLA's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from benchmarks.tables import table
from course.comparison.counting import count
from course.comparison.flop_rules import TRANSCENDENTAL_FLOPS
from course.lessons.linear_and_activations import affine, relu

N, D_IN, D_OUT, STEPS = 7, 5, 3, 11


class Program(NamedTuple):
    """A function, its arguments, and its FLOPs derived by hand."""

    name: str
    function: Callable[..., Any]
    arguments: tuple[jax.Array, ...]
    derivation: str
    flops: int


SAYS = f"""\
## Counted FLOPs

n = {N} rows, d = {D_IN}, m = {D_OUT}, T = {STEPS} steps; a transcendental function counts {TRANSCENDENTAL_FLOPS},
a comparison nothing. XLA counts transcendental functions apart, comparisons as one, and the body of a loop once."""


def run() -> str:
    """Counts each program by our rules, and asks XLA what it counts."""
    return f"{SAYS}\n\n{table(['program', 'by hand', '=', 'counted', 'XLA'], [_row(each) for each in _programs()])}"


def _row(program: Program) -> list[str]:
    counted = count(program.function, *program.arguments).flops
    return [program.name, program.derivation, f"{program.flops}", f"{counted}", _xla(program)]


def _programs() -> list[Program]:
    x, w, b = jnp.ones((N, D_IN)), jnp.ones((D_IN, D_OUT)), jnp.ones(D_OUT)
    square, y_bar, e = jnp.ones((D_IN, D_IN)), jnp.ones((N, D_OUT)), TRANSCENDENTAL_FLOPS

    def affine_bwd(x: jax.Array, w: jax.Array, y_bar: jax.Array) -> tuple[jax.Array, ...]:
        return y_bar @ w.T, x.T @ y_bar, y_bar.sum(axis=0)

    def recur(x: jax.Array, w: jax.Array) -> jax.Array:
        return jax.lax.scan(lambda h, _: (jnp.tanh(h @ w), None), x, length=STEPS)[0]

    product = 2 * N * D_IN * D_OUT
    return [
        Program("`x @ w`", jnp.matmul, (x, w), "2 n d m", product),
        Program("`affine`", affine, (x, w, b), "2 n d m + n m", product + N * D_OUT),
        Program("`affine`, backward", affine_bwd, (x, w, y_bar), "2 * 2 n d m + n m", 2 * product + N * D_OUT),
        Program("`relu`", relu, (x,), "n d", N * D_IN),
        Program("`tanh`", jnp.tanh, (x,), f"{e} n d", e * N * D_IN),
        Program("`sum(x, 0)`", lambda x: x.sum(axis=0), (x,), "n d", N * D_IN),
        Program(
            "`scan` of `tanh(h @ w)`",
            recur,
            (x, square),
            f"T (2 n d d + {e} n d)",
            STEPS * (2 * N * D_IN * D_IN + e * N * D_IN),
        ),
    ]


def _xla(program: Program) -> str:
    found = jax.jit(program.function).lower(*program.arguments).compile().cost_analysis() or {}
    return f"{found.get('flops', 0):.0f}"
