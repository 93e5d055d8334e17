"""What a program costs, counted on its jaxpr: nothing is executed, and the numbers are the same on every machine.

    flops       the table of `flop_rules`, over the live steps
    bytes       what each live step reads and writes: an upper bound, as if no two steps were fused
    peak_bytes  the most bytes alive at once, in program order, freed after their last use

Dead code costs nothing, calls cost what they call, and

    scan        length * body             peak: what it returns, and the body's own peak
    cond        its dearest branch        peak: the largest branch's
    while       passes * body             one pass and a note where their number depends on the numbers
    shard_map   shards * body             peak: likewise

The arguments and the constants of a program are held by whoever calls it: reading them is counted in `bytes`, holding
them is not in `peak_bytes`. Views (a reshape, a transpose, a slice, a broadcast) are free, unless the program returns a
broadcast: that has to be written.

The traced program itself may differ between versions of JAX, and its count with it; for one version it is exact.

Source: A. Griewank, A. Walther, "Evaluating Derivatives", 2nd edition, SIAM, 2008, chapter 4 (work as moves, additions,
products and nonlinear operations; memory as what is alive); for FLOPs, `flop_rules`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import jax
from jax.extend.core import ClosedJaxpr, JaxprEqn

from course.comparison.flop_rules import APPLICATIONS, APPROXIMATE, FLOP_RULES, LINEAR_ALGEBRA, PRODUCTS, one_an_output
from course.comparison.loops import known_passes
from course.comparison.program import VIEWS, Program, Step, Value, flatten, live_part

_NOT_OURS = (str(Path(jax.__file__).parent), str(Path(__file__).parent))
"""Folders whose lines are no place to point a reader at."""

_READS_WHAT_IT_RETURNS = frozenset(("dynamic_slice", "gather"))
"""Primitives that touch only a part of their first operand: as much as they return."""

_CALLS_OUT = frozenset(
    "call_exported call_hi_primitive call_hi_primitive_linearized cudnn_fusion "
    "dot_product_attention_bwd_wrapper dot_product_attention_fp8_bwd_wrapper "
    "dot_product_attention_fp8_fwd_wrapper dot_product_attention_fwd_wrapper ffi_call io_callback pallas_call "
    "pure_callback".split()
)
"""Primitives that compute what no jaxpr shows."""


UNKNOWN_PASSES = "the number of passes is not known"
"""What a note says of a loop whose length depends on the numbers."""


@dataclass(frozen=True)
class Count:
    """What a program costs.

    Attributes:
        flops: Floating-point operations.
        dot_flops: The part of `flops` in matrix products and convolutions.
        bytes: Bytes read and written, as if every step were its own kernel.
        peak_bytes: The most bytes alive at once, arguments and constants left out.
        equations: Live equations, the bodies of loops and branches included once.
        linear_flops: The part of `flops` in factorisations and solves.
        notes: What the figures do not contain or only estimate, each with its line.
    """

    flops: int
    dot_flops: int
    bytes: int
    peak_bytes: int
    equations: int
    linear_flops: int = 0
    notes: tuple[str, ...] = ()


def count(fun: Callable[..., Any], *args: Any, static_argnums: int | Sequence[int] = ()) -> Count:
    """Counts what a call of `fun` would cost, by tracing it alone.

    Args:
        fun: Any traceable function; its exceptions are passed on as they are.
        *args: Pytrees of arrays, of numbers, or of `jax.ShapeDtypeStruct`.
        static_argnums: Positions of arguments that are not arrays, as for `jax.jit`.
    """
    return count_jaxpr(jax.make_jaxpr(fun, static_argnums=static_argnums)(*args))


def count_jaxpr(closed_jaxpr: ClosedJaxpr, unknown_passes: int = 1) -> Count:
    """Counts what a traced program would cost; a loop whose length isn't known counts as so many passes."""
    program = flatten(closed_jaxpr)
    live, _ = live_part(program, [True] * len(program.outputs))
    return _count_program(live, unknown_passes)


def count_step(step: Step) -> Count:
    """Counts one step of a program that was laid flat, with all its rounds."""
    return _count_step(step, set(), 1)


def _count_program(program: Program, unknown_passes: int) -> Count:
    written = {value for value in program.outputs if value is not None and value.bytes > value.owner.bytes}
    counts = [_count_step(step, written, unknown_passes) for step in program.steps]
    return Count(
        flops=sum(c.flops for c in counts),
        dot_flops=sum(c.dot_flops for c in counts),
        bytes=sum(c.bytes for c in counts),
        peak_bytes=_peak(program, counts, written),
        equations=sum(c.equations for c in counts),
        notes=_merged(counts),
        linear_flops=sum(c.linear_flops for c in counts),
    )


def _count_step(step: Step, written: set[Value], unknown_passes: int) -> Count:
    """Counts one step; its `peak_bytes` is what it needs beyond what is alive before it."""
    name = step.eqn.primitive.name
    new = sum(size for _, size in _allocated(step, written))
    bodies = [_count_program(body, unknown_passes) for body in step.bodies]
    if name == "cond":
        return _dearest(bodies, new)
    if name in APPLICATIONS and bodies:
        return _applied(step, bodies[0], new)
    if bodies:
        return _repeated(step, bodies, new, unknown_passes)
    flops = FLOP_RULES.get(name, one_an_output)(step.eqn) if name not in _CALLS_OUT else 0
    return Count(
        flops=flops,
        dot_flops=flops if name in PRODUCTS else 0,
        bytes=new if name in VIEWS else new + _bytes_read(step),
        peak_bytes=new,
        equations=1,
        notes=_notes(step),
        linear_flops=flops if name in LINEAR_ALGEBRA else 0,
    )


def _dearest(branches: list[Count], new: int) -> Count:
    worst = max(branches, key=lambda branch: (branch.flops, branch.bytes))
    return Count(
        flops=worst.flops,
        dot_flops=worst.dot_flops,
        bytes=worst.bytes,
        peak_bytes=max(new, *(branch.peak_bytes for branch in branches)),
        equations=1 + sum(branch.equations for branch in branches),
        notes=_merged(branches),
        linear_flops=worst.linear_flops,
    )


def _applied(step: Step, body: Count, new: int) -> Count:
    return Count(
        flops=APPLICATIONS[step.eqn.primitive.name](step.eqn) * body.flops,
        dot_flops=0,
        bytes=new + _bytes_read(step),
        peak_bytes=new,
        equations=1,
        notes=body.notes,
    )


def _repeated(step: Step, bodies: list[Count], new: int, unknown_passes: int) -> Count:
    name = step.eqn.primitive.name
    known = _repetitions(step.eqn)
    times = unknown_passes if known is None else known
    at_once = times if name == "shard_map" else 1
    unknown = f"while{_where(step)}: {UNKNOWN_PASSES}, {'one is' if times == 1 else times} counted"
    return Count(
        flops=times * sum(body.flops for body in bodies),
        dot_flops=times * sum(body.dot_flops for body in bodies),
        bytes=times * sum(body.bytes for body in bodies),
        peak_bytes=new + at_once * max(body.peak_bytes for body in bodies),
        equations=1 + sum(body.equations for body in bodies),
        linear_flops=times * sum(body.linear_flops for body in bodies),
        notes=(*((unknown,) if known is None else ()), *_merged(bodies)),
    )


def _repetitions(eqn: JaxprEqn) -> int | None:
    """How often a loop runs its body; None where that depends on the numbers."""
    params = eqn.params
    if eqn.primitive.name == "while":
        return known_passes(eqn)
    if eqn.primitive.name == "scan":
        return params["length"]
    if eqn.primitive.name == "shard_map":
        # JAX renamed this parameter after 0.10.
        axes = params.get("manual_axes") or params.get("newly_manual_axes") or ()
        return prod(params["mesh"].shape[axis] for axis in axes)
    return 1


def _bytes_read(step: Step) -> int:
    operands = dict.fromkeys(value for value in step.inputs if value is not None)
    if step.eqn.primitive.name in _READS_WHAT_IT_RETURNS:
        part = sum(value.bytes for value in step.outputs if value is not None)
        return part + sum(value.held for value in operands if value is not step.inputs[0])
    return sum(value.held for value in operands)


def _allocated(step: Step, written: set[Value]) -> list[tuple[Value, int]]:
    """The outputs of a step that take memory of their own, with their bytes."""
    outputs = (value for value in step.outputs if value is not None)
    return [(value, value.bytes) for value in outputs if value.owner is value or value in written]


def _peak(program: Program, counts: list[Count], written: set[Value]) -> int:
    last_use: dict[Value, int] = {}
    for place, step in enumerate(program.steps):
        last_use.update((value.owner, place) for value in (*step.outputs, *step.inputs) if value is not None)
    kept = {value.owner for value in program.outputs if value is not None} | written
    dying: list[list[Value]] = [[] for _ in program.steps]
    for owner, place in last_use.items():
        if owner not in kept:
            dying[place].append(owner)

    sizes: dict[Value, int] = {}
    alive = peak = 0
    for step, cost, ending in zip(program.steps, counts, dying, strict=True):
        peak = max(peak, alive + cost.peak_bytes)
        new = dict(_allocated(step, written))
        sizes.update(new)
        alive += sum(new.values()) - sum(sizes.get(owner, 0) for owner in ending)
    return peak


def _notes(step: Step) -> tuple[str, ...]:
    name = step.eqn.primitive.name
    if name in _CALLS_OUT:
        return (f"{name}{_where(step)}: what it computes is not seen, nothing is counted",)
    if name in APPROXIMATE:
        return (f"{name}{_where(step)}: approximate, its leading order is counted",)
    if name not in FLOP_RULES:
        return (f"{name}{_where(step)}: no rule is known, one FLOP an output is counted",)
    return ()


def _where(step: Step) -> str:
    """The line that made a step, as " at file.py:12"; empty when JAX kept no line of the reader's."""
    for eqn in (step.eqn, *step.callers):
        traceback: Any = eqn.source_info.traceback
        for frame in traceback.frames if traceback else ():
            if not frame.file_name.startswith(_NOT_OURS):
                return f" at {Path(frame.file_name).name}:{frame.line_num}"
    return ""


def _merged(counts: Iterable[Count]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(note for part in counts for note in part.notes))
