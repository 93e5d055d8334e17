"""Runs a laid-out primal again with a gate on every edge and a switch on every rule.

Which gates are set, and how the rules are, comes in as numbers, so that one compiled program serves every hypothesis.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import IntEnum
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import ClosedJaxpr, Jaxpr, JaxprEqn, Literal, Var, jaxpr_as_fun

from course.comparison.gates import scatters
from course.comparison.gates.edges import Rule, Survey, carried_on
from course.comparison.gates.tape import Slot, Step, Tape, Value
from course.comparison.program import carry_count, constant_count


class When(IntEnum):
    """In which rounds of the loop around it a gate or a rule is set."""

    ALWAYS = 0
    FIRST = 1
    LAST = 2
    NOT_FIRST = 3
    NOT_LAST = 4


class Settings(NamedTuple):
    """One hypothesis as numbers: a multiplier for each edge, a choice for each rule, and when they hold."""

    gates: Any
    rules: Any
    when: Any


class Turn(NamedTuple):
    """Which round of a loop it is."""

    number: Any
    last: int


class Replay:
    """Replays a tape under settings."""

    def __init__(self, tape: Tape, found: Survey, forward: bool = False):
        """Numbers the edges and rules; `forward` says which mode it is differentiated by."""
        self._tape = tape
        self._ruled = _pushing if forward else _pulling
        self._into = {(edge.step, edge.operand): i for i, edge in enumerate(found.edges) if edge.operand is not None}
        self._out = {edge.value: i for i, edge in enumerate(found.edges) if edge.operand is None}
        self._rules = {rule.step: (i, rule) for i, rule in enumerate(found.rules)}
        options = (option for rule in found.rules for option in rule.instead)
        self._ahead = {option.value for option in options if option.kind == "later"}

    def __call__(self, inputs: Sequence[Any], settings: Settings) -> list[Any]:
        """The outputs; cotangents and tangents pass the gates and rules on their way."""
        return self._run(self._tape, inputs, settings, None)

    def _run(
        self,
        tape: Tape,
        inputs: Sequence[Any],
        settings: Settings,
        turn: Turn | None,
        ahead: Mapping[Value, Any] | None = None,
    ) -> list[Any]:
        """Runs a tape; `ahead` are values that are known before they are made."""
        known: dict[Value, Any] = {**tape.constants, **(ahead or {}), **dict(zip(tape.inputs, inputs, strict=True))}
        for step in tape.steps:
            operands = [
                self._gated(read(slot, known), self._into.get((step, place)), settings, turn)
                for place, slot in enumerate(step.inputs)
            ]
            outputs = self._step(step, operands, known, settings, turn)
            for value, output in zip(step.outputs, outputs, strict=True):
                known[value] = self._gated(output, self._out.get(value), settings, turn)
        return [read(slot, known) for slot in tape.outputs]

    def _step(
        self, step: Step, operands: list[Any], known: dict[Value, Any], settings: Settings, turn: Turn | None
    ) -> Sequence[Any]:
        if step.name == "scan":
            return self._scan(step, operands, settings)
        if step.name == "cond":
            branches = [partial(self._branch, body, settings=settings, turn=turn) for body in step.bodies]
            return jax.lax.switch(operands[0], branches, *operands[1:])
        if step in self._rules:
            number, rule = self._rules[step]
            choice = jnp.where(_holds(settings.when, turn), settings.rules[number], 0)
            others = [known[option.value] for option in rule.instead if option.value is not None]
            return [self._ruled(rule)(choice, operands, others)]
        return run_equation(step.eqn, operands)

    def _branch(self, body: Tape, *operands: Any, settings: Settings, turn: Turn | None) -> list[Any]:
        return self._run(body, operands, settings, turn)

    def _scan(self, step: Step, operands: list[Any], settings: Settings) -> Sequence[Any]:
        params, body = step.eqn.params, step.bodies[0]
        first, carries = constant_count(step.eqn), carry_count(step.eqn)
        constants, start, stacked = operands[:first], operands[first : first + carries], operands[first + carries :]

        def turn_over(carry: Any, entering: Any) -> Any:
            number, rows, later = entering
            known = dict(zip(asked, later, strict=True))
            outputs = self._run(body, [*constants, *carry, *rows], settings, Turn(number, params["length"] - 1), known)
            return outputs[:carries], outputs[carries:]

        asked = [value for value in carried_on(step).values() if isinstance(value, Value) and value in self._ahead]
        numbers, later = jnp.arange(params["length"]), _carried(step, operands, asked)
        carry, rows = jax.lax.scan(
            turn_over, start, (numbers, stacked, later), length=params["length"], reverse=params["reverse"]
        )
        return [*carry, *rows]

    def _gated(self, x: Any, number: int | None, settings: Settings, turn: Turn | None) -> Any:
        if number is None:
            return x
        return _gate(x, jnp.where(_holds(settings.when, turn), settings.gates[number], 1.0))


def _carried(step: Step, operands: Sequence[Any], asked: Sequence[Slot]) -> list[Any]:
    """What a loop carries on after each round, of the values asked for."""
    if not asked:
        return []
    params, first, carries = step.eqn.params, constant_count(step.eqn), carry_count(step.eqn)
    held = [jax.lax.stop_gradient(operand) for operand in operands]
    body, slots = jaxpr_as_fun(params["jaxpr"]), step.bodies[0].outputs[:carries]

    def turn_over(carry: Any, rows: Any) -> Any:
        outputs = body(*held[:first], *carry, *rows)
        return outputs[:carries], [x for x, slot in zip(outputs, slots, strict=False) if slot in asked]

    start, stacked = held[first : first + carries], held[first + carries :]
    return jax.lax.scan(turn_over, start, stacked, length=params["length"], reverse=params["reverse"])[1]


def run_equation(eqn: JaxprEqn, operands: Sequence[Any]) -> list[Any]:
    """Runs one equation, under whatever transformation is at work."""
    names: list[Var] = []
    atoms = [atom if isinstance(atom, Literal) else _own(atom, names) for atom in eqn.invars]
    alone = Jaxpr((), names, list(eqn.outvars), [eqn.replace(invars=atoms)], eqn.effects)
    given = [x for x, atom in zip(operands, eqn.invars, strict=True) if not isinstance(atom, Literal)]
    return jaxpr_as_fun(ClosedJaxpr(alone, ()))(*given)


def _own(atom: Any, names: list[Var]) -> Var:
    names.append(Var(atom.aval))
    return names[-1]


def read(slot: Slot, known: Mapping[Value, Any]) -> Any:
    """The numbers of a value, or those that are written in the program."""
    return slot.val if isinstance(slot, Literal) else known[slot]


def _holds(when: Any, turn: Turn | None) -> Any:
    if turn is None:
        return True
    first, last = turn.number == 0, turn.number == turn.last
    return jnp.stack([jnp.ones((), bool), first, last, ~first, ~last])[when]


@jax.custom_jvp
def _gate(x: Any, m: Any) -> Any:
    """The identity; its derivative, in either mode, is m."""
    return x


@_gate.defjvp
def _gate_jvp(primals: Any, tangents: Any) -> Any:
    (x, m), (x_dot, _) = primals, tangents
    return x, (m * x_dot).astype(x_dot.dtype)


def _pulling(rule: Rule) -> Callable[..., Any]:
    """Runs a step. Choice 0 gives the true derivative; the others first `SLOPES`, then `rule.instead`, in order."""

    @jax.custom_vjp
    def run(choice: Any, operands: list[Any], others: list[Any]) -> Any:
        return run_equation(rule.step.eqn, operands)[0]

    def forward(choice: Any, operands: list[Any], others: list[Any]) -> Any:
        y = run(choice, operands, others)
        return y, (choice, operands, others, y)

    def backward(residuals: Any, y_bar: Any) -> Any:
        choice, operands, others, y = residuals
        taken_at = _substituted(rule, operands, others, y, [y_bar] * len(operands), choice)
        bars = _pulled(rule.step.eqn, taken_at, y_bar)
        if rule.step.name == "gather":
            bars[0] = _unsummed(rule, operands, y_bar, bars[0], choice)
        if rule.operand is not None:
            slope = _pulled(rule.step.eqn, taken_at, jnp.ones_like(y_bar))[rule.operand]
            bars[rule.operand] = y_bar * _chosen(rule, slope, operands, y, y_bar, choice)
        return _no_tangent(choice), bars, [jnp.zeros_like(value) for value in others]

    run.defvjp(forward, backward)
    return run


def _pushing(rule: Rule) -> Callable[..., Any]:
    """The same for forward mode."""

    @jax.custom_jvp
    def run(choice: Any, operands: list[Any], others: list[Any]) -> Any:
        return run_equation(rule.step.eqn, operands)[0]

    @run.defjvp
    def forward(primals: Any, tangents: Any) -> Any:
        (choice, operands, others), (_, dots, _) = primals, tangents
        y = run(choice, operands, others)
        taken_at = _substituted(rule, operands, others, y, dots, choice)
        if rule.operand is None:
            return y, _pushed(rule.step.eqn, taken_at, dots)
        x_dot = dots[rule.operand]
        slope = _pulled(rule.step.eqn, taken_at, jnp.ones_like(y))[rule.operand]
        return y, x_dot * _chosen(rule, slope, operands, y, x_dot, choice)

    return run


def _chosen(rule: Rule, slope: Any, operands: list[Any], y: Any, handed: Any, choice: Any) -> Any:
    """The slope that a choice stands for, of an elementwise step."""
    shapes = [shape(slope, operands[rule.operand or 0], y, handed) for _, shape in SLOPES]
    return jnp.stack([slope, *shapes])[jnp.where(choice <= len(shapes), choice, 0)]


def _unsummed(rule: Rule, operands: list[Any], y_bar: Any, x_bar: Any, choice: Any) -> Any:
    made = scatters.unsummed(lambda given: run_equation(rule.step.eqn, given)[0], operands, y_bar, x_bar)
    for number, option in enumerate(rule.instead, len(SLOPES) + 1):
        x_bar = jnp.where(choice == number, made[option.kind], x_bar)
    return x_bar


def _substituted(
    rule: Rule, operands: list[Any], others: list[Any], y: Any, handed: Sequence[Any], choice: Any
) -> list[Any]:
    """The operands with the chosen one replaced; at hand are the step's result, and what is handed to each operand."""
    taken_at, rest = list(operands), iter(others)
    for number, option in enumerate(rule.instead, len(SLOPES) + 1):
        if option.kind in scatters.KINDS:
            continue
        operand = jnp.asarray(operands[option.place])
        other = next(rest) if option.value else _made(option.kind, operand, y, handed[option.place])
        taken_at[option.place] = jnp.where(choice == number, other.astype(operand.dtype), taken_at[option.place])
    return taken_at


def _made(kind: str, operand: Any, y: Any, handed: Any) -> Any:
    if kind in ("result", "cotangent"):
        return y if kind == "result" else handed
    return {"ones": jnp.ones_like, "reciprocal": jnp.reciprocal, "transposed": jnp.transpose}[kind](operand)


def _pulled(eqn: JaxprEqn, operands: list[Any], y_bar: Any) -> list[Any]:
    """The cotangents of an equation's operands; float0 zeros for those without a tangent."""
    places, function, floats = _along_floats(eqn, operands)
    bars = jax.vjp(function, *floats)[1](y_bar)
    whole = [_no_tangent(x) for x in operands]
    for place, bar in zip(places, bars, strict=True):
        whole[place] = bar
    return whole


def _pushed(eqn: JaxprEqn, operands: list[Any], dots: Sequence[Any]) -> Any:
    """The tangent of an equation's one output."""
    places, function, floats = _along_floats(eqn, operands)
    return jax.jvp(
        function, floats, [jnp.asarray(dots[place], x.dtype) for place, x in zip(places, floats, strict=True)]
    )[1]


def _along_floats(eqn: JaxprEqn, operands: list[Any]) -> tuple[list[int], Callable[..., Any], list[Any]]:
    """An equation as a function of its floating operands alone, with their places and numbers."""
    places = [i for i, x in enumerate(operands) if jnp.issubdtype(jnp.result_type(x), jnp.floating)]

    def function(*floats: Any) -> Any:
        given = list(operands)
        for place, x in zip(places, floats, strict=True):
            given[place] = x
        return run_equation(eqn, given)[0]

    return places, function, [jnp.asarray(operands[place]) for place in places]


def _no_tangent(x: Any) -> Any:
    return np.zeros(jnp.shape(x), jax.dtypes.float0)


Slope = Callable[[Any, Any, Any, Any], Any]

SLOPES: tuple[tuple[str, Slope], ...] = (
    ("missing", lambda slope, x, y, y_bar: jnp.ones_like(slope)),
    ("result", lambda slope, x, y, y_bar: y),
    ("argument", lambda slope, x, y, y_bar: x),
    ("squared", lambda slope, x, y, y_bar: slope**2),
    ("complement", lambda slope, x, y, y_bar: 1 - slope),
    ("1 - x**2", lambda slope, x, y, y_bar: 1 - x**2),
    ("x * (1 - x)", lambda slope, x, y, y_bar: x * (1 - x)),
    ("upstream", lambda slope, x, y, y_bar: (y_bar > 0).astype(slope.dtype)),
)
"""Local derivatives that people write in the place of the true one, from slope, argument, result and cotangent."""
