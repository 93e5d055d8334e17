"""A traced program laid flat: calls inlined, dead code dropped, views told apart from arrays of their own.

A jaxpr nests: `jit`, `checkpoint`, `custom_jvp` and `custom_vjp` each hold a program of their own. They are inlined, so
that liveness sees through them. Loops and branches stay steps that hold bodies:

    live(step)  = it has an effect, or a live step or an output reads one of its outputs
    live(carry) = the least fixed point: a carry is live if it is read after the loop, or by a live step of the body

Source: A. V. Aho, M. S. Lam, R. Sethi, J. D. Ullman, "Compilers: Principles, Techniques, and Tools", 2nd edition, 2006,
section 9.2 (live-variable analysis); the jaxpr language as in https://docs.jax.dev/en/latest/jaxpr.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple, TypeVar

from jax.extend.core import ClosedJaxpr, Jaxpr, JaxprEqn, Literal

from course.comparison.flop_rules import APPLICATIONS, FLOP_RULES

IDENTITIES = frozenset(
    "copy copy_p device_put layout_constraint name optimization_barrier pbroadcast pin preduced pvary "
    "reduced_vary_cast reduced_vary_cast_p reshard sharding_constraint stop_gradient unpin vary_unreduced_cast "
    "vary_unreduced_cast_p with_memory_space_constraint".split()
)
"""Primitives whose every output is the operand in the same place: they compute nothing and keep nothing."""

VIEWS = frozenset(
    "bitcast_convert_type broadcast_in_dim empty empty2 iota reshape slice split squeeze transpose unstack".split()
)
"""Primitives whose outputs need no memory of their own: another shape, order or part of what is there."""


class Value:
    """One array of the program. Every name that it has in a nested program stands for this same object."""

    __slots__ = ("bytes", "owner")

    def __init__(self, size: int, owner: Value | None = None):
        self.bytes = size
        self.owner: Value = owner or self
        """The array that holds the numbers: another one when this is a view."""

    @property
    def held(self) -> int:
        """Bytes that reading this array touches: a broadcast touches what was broadcast, a slice only itself."""
        return min(self.bytes, self.owner.bytes)


NOTHING = Value(0)
"""Owns what is generated where it is needed: an iota, or a number broadcast."""

Operand = TypeVar("Operand")

Slot = Value | None
"""None stands for a number that is written in the program, and for an array that nobody reads."""


class Step(NamedTuple):
    """One equation that is no call, with the programs that it repeats or chooses from."""

    eqn: JaxprEqn
    inputs: tuple[Slot, ...]
    outputs: tuple[Slot, ...]
    bodies: tuple[Program, ...]
    callers: tuple[JaxprEqn, ...]
    """The equations around this one, the nearest first."""


class Program(NamedTuple):
    """Steps in program order."""

    inputs: tuple[Slot, ...]
    steps: tuple[Step, ...]
    outputs: tuple[Slot, ...]


def flatten(jaxpr: Jaxpr | ClosedJaxpr, callers: tuple[JaxprEqn, ...] = ()) -> Program:
    """Lays a jaxpr flat, dead code included; `callers` are the equations around it."""
    inputs = tuple(Value(bytes_of(var)) for var in opened(jaxpr).invars)
    steps: list[Step] = []
    outputs = _inline(jaxpr, inputs, steps, callers)
    return Program(inputs, tuple(steps), outputs)


def live_part(program: Program, used: Sequence[bool]) -> tuple[Program, list[bool]]:
    """Drops every step that the used outputs do not need; effects are kept.

    Returns:
        The program, None where an output is not used, and for each of its inputs whether it is still read.
    """
    outputs = _masked(program.outputs, used)
    needed = _present(outputs)
    kept: list[Step] = []
    for step in reversed(program.steps):
        if step.eqn.effects or not needed.isdisjoint(step.outputs):
            kept.append(_live_step(step, needed))
            needed |= _present(kept[-1].inputs)
    wanted = [value in needed for value in program.inputs]
    return Program(program.inputs, tuple(reversed(kept)), outputs), wanted


def bytes_of(atom: Any) -> int:
    """Size of a jaxpr's variable or literal in bytes; 0 for what has no array (a token)."""
    aval = atom.aval
    if not hasattr(aval, "dtype"):
        return 0
    return aval.size * aval.dtype.itemsize


def carry_count(eqn: JaxprEqn) -> int:
    """How many of a scan's outputs are carried; the others are stacked, and so have one axis more than in the body."""
    body = opened(eqn.params["jaxpr"])
    return sum(_rank(outer) == _rank(inner) for outer, inner in zip(eqn.outvars, body.outvars, strict=True))


def constant_count(eqn: JaxprEqn) -> int:
    """How many of a scan's operands are the same in every round; the carries come after them."""
    body = opened(eqn.params["jaxpr"])
    stacked = sum(_rank(outer) != _rank(inner) for outer, inner in zip(eqn.invars, body.invars, strict=True))
    return len(eqn.invars) - carry_count(eqn) - stacked


def called(eqn: JaxprEqn) -> Jaxpr | ClosedJaxpr | None:
    """The one jaxpr that an equation merely calls on its operands; None if it is no plain call."""
    if eqn.primitive.name in FLOP_RULES or eqn.primitive.name in _LIVE_RULES:
        return None
    nested = list(_bodies(eqn))
    if len(nested) != 1:
        return None
    body = opened(nested[0])
    same_arity = len(body.invars) == len(eqn.invars) and len(body.outvars) == len(eqn.outvars)
    return nested[0] if same_arity else None


def call_of(eqn: JaxprEqn, operands: Sequence[Operand]) -> tuple[Any, tuple[Operand, ...]] | None:
    """The jaxpr that an equation merely calls, with its operands; a linear solve calls the way forward alone."""
    if eqn.primitive.name == "custom_linear_solve":
        lengths, solve = eqn.params["const_lengths"], eqn.params["jaxprs"].solve
        before = lengths.matvec + lengths.vecmat
        return solve, (*operands[before : before + lengths.solve], *operands[sum(lengths) :])
    body = called(eqn)
    return None if body is None else (body, tuple(operands))


def _inline(
    jaxpr: Jaxpr | ClosedJaxpr, inputs: Sequence[Slot], steps: list[Step], callers: tuple[JaxprEqn, ...]
) -> tuple[Slot, ...]:
    """Appends the jaxpr's steps, and returns its outputs."""
    body = opened(jaxpr)
    slots: dict[Any, Slot] = {var: Value(bytes_of(var)) for var in body.constvars}
    slots.update(zip(body.invars, inputs, strict=True))

    def read(atoms: Iterable[Any]) -> tuple[Slot, ...]:
        return tuple(None if isinstance(atom, Literal) else slots[atom] for atom in atoms)

    for eqn in body.eqns:
        slots.update(zip(eqn.outvars, _outputs(eqn, read(eqn.invars), steps, callers), strict=True))
    return read(body.outvars)


def _outputs(
    eqn: JaxprEqn, inputs: tuple[Slot, ...], steps: list[Step], callers: tuple[JaxprEqn, ...]
) -> tuple[Slot, ...]:
    name = eqn.primitive.name
    if name in IDENTITIES or _only_renames(eqn) or (name == "convert_element_type" and inputs[0] is None):
        return inputs  # a number that is written in the program stays one
    call = call_of(eqn, inputs)
    if call is not None:
        return _inline(*call, steps, (eqn, *callers))
    outputs = tuple(_new_value(var, inputs, name) for var in eqn.outvars)
    nested = _bodies(eqn) if name in _LIVE_RULES else ()
    bodies = tuple(flatten(body, (eqn, *callers)) for body in nested)
    steps.append(Step(eqn, inputs, outputs, bodies, callers))
    return outputs


def _new_value(var: Any, inputs: tuple[Slot, ...], name: str) -> Value:
    if name not in VIEWS:
        return Value(bytes_of(var))
    viewed = inputs[0] if inputs else None
    return Value(bytes_of(var), viewed.owner if viewed else NOTHING)


def _only_renames(eqn: JaxprEqn) -> bool:
    """A conversion to the dtype that is there already changes at most JAX's weak-type mark."""
    return eqn.primitive.name == "convert_element_type" and _dtype(eqn.invars[0]) == _dtype(eqn.outvars[0])


def _bodies(eqn: JaxprEqn) -> Iterator[Any]:
    """Every jaxpr among an equation's parameters, alone or in a tuple."""
    for param in eqn.params.values():
        for item in param if isinstance(param, tuple) else (param,):
            if isinstance(item, Jaxpr | ClosedJaxpr):
                yield item


def _live_step(step: Step, needed: set[Value]) -> Step:
    if not step.bodies:
        return step
    used = [value in needed for value in step.outputs]
    return _LIVE_RULES[step.eqn.primitive.name](step, used)


def _live_scan(step: Step, used: list[bool]) -> Step:
    constants, carries = constant_count(step.eqn), carry_count(step.eqn)
    while True:
        body, wanted = live_part(step.bodies[0], used)
        grown = _or(used, wanted[constants : constants + carries])
        if grown == used:
            return step._replace(
                inputs=_masked(step.inputs, wanted), outputs=_masked(step.outputs, used), bodies=(body,)
            )
        used = grown


def _live_while(step: Step, used: list[bool]) -> Step:
    of_condition, of_body = step.eqn.params["cond_nconsts"], step.eqn.params["body_nconsts"]
    condition, asked = live_part(step.bodies[0], [True])
    used = _or(used, asked[of_condition:])
    while True:
        body, wanted = live_part(step.bodies[1], used)
        grown = _or(used, wanted[of_body:])
        if grown == used:
            reads = asked[:of_condition] + wanted[:of_body] + used
            return step._replace(
                inputs=_masked(step.inputs, reads),
                outputs=_masked(step.outputs, used),
                bodies=(condition, body),
            )
        used = grown


def _live_cond(step: Step, used: list[bool]) -> Step:
    branches = [live_part(body, used) for body in step.bodies]
    wanted = [any(reads) for reads in zip(*(reads for _, reads in branches), strict=True)]
    return step._replace(
        inputs=_masked(step.inputs, [True, *wanted]),
        outputs=_masked(step.outputs, used),
        bodies=tuple(body for body, _ in branches),
    )


def _live_applied(step: Step, used: list[bool]) -> Step:
    body, _ = live_part(step.bodies[0], used)
    return step._replace(bodies=(body,))


def _live_shard_map(step: Step, used: list[bool]) -> Step:
    body, wanted = live_part(step.bodies[0], used)
    return step._replace(inputs=_masked(step.inputs, wanted), outputs=_masked(step.outputs, used), bodies=(body,))


_LIVE_RULES = {
    "cond": _live_cond,
    "scan": _live_scan,
    "shard_map": _live_shard_map,
    "while": _live_while,
    **dict.fromkeys(APPLICATIONS, _live_applied),
}


def opened(jaxpr: Jaxpr | ClosedJaxpr) -> Jaxpr:
    """A program's equations and variables, without the arrays that are written in it."""
    return jaxpr.jaxpr if isinstance(jaxpr, ClosedJaxpr) else jaxpr


def _rank(atom: Any) -> int:
    return len(getattr(atom.aval, "shape", ()))


def _dtype(atom: Any) -> Any:
    return atom.aval.dtype


def _present(values: Iterable[Slot]) -> set[Value]:
    return {value for value in values if value is not None}


def _masked(values: Iterable[Slot], mask: Iterable[bool]) -> tuple[Slot, ...]:
    return tuple(value if keep else None for value, keep in zip(values, mask, strict=True))


def _or(used: list[bool], also: list[bool]) -> list[bool]:
    """Marks the first entries of `used` that `also` marks; `also` may be the shorter one."""
    return [a or b for a, b in zip(used, also, strict=False)] + used[len(also) :]
