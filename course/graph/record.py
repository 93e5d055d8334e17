"""Records a primal: its steps forward with their values, and backward with what each hands back."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import ClosedJaxpr, Literal, jaxpr_as_fun

from course.comparison.gates.places import folder_of
from course.comparison.gates.replay import read, run_equation
from course.comparison.gates.tape import CUSTOM, FITTINGS, Manner, Slot, Step, Tape, Value, lay, values_of
from course.comparison.program import called, carry_count, constant_count
from course.comparison.trees import argument_names, named_leaves
from course.graph.recorded import Edge, Graph, Node, Sweep
from course.graph.rules import back_words, bar_of, forward_words, rule_of, symbol_of

MOST_ROUNDS = 200
"""Rounds of a loop that are run one by one, so that it can be opened."""

LONGEST = 14
"""Characters of an expression that may stand for its value; a longer one is called v3, after its place."""


def record(primal: Callable[..., Any], *primals: Any, y_bar: Any = None) -> Graph:
    """Records a primal at its arguments.

    Args:
        primal: Any function of pytrees of arrays that JAX can trace.
        primals: Its arguments.
        y_bar: The cotangent that is handed in, of the form of its value; ones by default.

    Raises:
        TypeError: An argument is no pytree of arrays.
    """
    leaves, treedef = jax.tree.flatten(primals)
    arrays = [jnp.asarray(leaf) for leaf in leaves]
    closed = jax.make_jaxpr(lambda *given: primal(*jax.tree.unflatten(treedef, given)))(*arrays)
    named = [
        leaf
        for name, given in zip(argument_names(primal, len(primals)), primals, strict=True)
        for leaf in named_leaves(given, name)
    ]
    inputs = values_of([(path, array) for (path, _), array in zip(named, arrays, strict=True)])
    tape = lay(closed, inputs, Manner(folder_of(primal), deep=False))
    bars = None if y_bar is None else [jnp.asarray(leaf) for leaf in jax.tree.leaves(y_bar)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # an equation that runs alone has lost whose it was
        return _record(getattr(primal, "__name__", "f"), tape, arrays, bars)


def _record(title: str, tape: Tape, arrays: Sequence[Any], bars: Sequence[Any] | None) -> Graph:
    recorder = _Recorder(tape, arrays)
    recorder.forward()
    recorder.backward(bars)
    return recorder.graph(title)


class _Recorder:
    """One tape on its way forward and back. Steps whose value does not move and is one number are written out."""

    def __init__(self, tape: Tape, arrays: Sequence[Any]) -> None:
        self._tape = tape
        self._known: dict[Value, Any] = {**tape.constants, **dict(zip(tape.inputs, arrays, strict=True))}
        self._returned = {slot for slot in tape.outputs if isinstance(slot, Value)}
        self._of: dict[Value, tuple[int, int]] = {}
        self._nodes: list[Node] = []
        self._edges: list[Edge] = []
        self._steps: dict[int, Step] = {}
        self._bars: dict[Value, Any] = {}
        self._sweeps: list[Sweep] = []
        self._captions: dict[Value, str] = {}

    def forward(self) -> None:
        """Runs every step."""
        slots = [*(slot for step in self._tape.steps for slot in step.inputs), *self._tape.outputs]
        used = {slot for slot in slots if isinstance(slot, Value)}
        for value in (*self._tape.inputs, *self._tape.constants):
            if value in used and (value in self._tape.inputs or self._is_array(value)):
                self._captions[value] = value.name or "a constant"
                self._put(Node(self._caption(value), "", (self._array(value),), _enters(value), value.moves), [value])
        for number, step in enumerate(self._tape.steps):
            operands = [read(slot, self._known) for slot in step.inputs]
            self._known.update(zip(step.outputs, run_equation(step.eqn, operands), strict=True))
            if any(self._is_shown(value) for value in step.outputs):
                self._put_step(step, self._name_of(number))

    def backward(self, bars: Sequence[Any] | None) -> None:
        """Hands the cotangents of the outputs back, step by step."""
        moving = [value for value in self._tape.outputs if isinstance(value, Value) and value.moves]
        handed = bars or [None] * len(self._tape.outputs)
        for value, bar in zip(self._tape.outputs, handed, strict=True):
            if value in moving:
                self._add(value, jnp.ones_like(self._known[value]) if bar is None else bar)
        if not moving:
            return
        names = list(dict.fromkeys(bar_of(self._caption(value)) for value in moving))
        says = f"{' and '.join(names)} {'is' if len(names) == 1 else 'are'} handed in."
        outputs = tuple(dict.fromkeys(self._of[value][0] for value in moving))
        self._sweep(outputs[0], says, (), outputs)
        for place in sorted(self._steps, reverse=True):
            self._step_back(place, self._steps[place])

    def graph(self, title: str) -> Graph:
        """What was recorded."""
        outputs = [self._of[value][0] for value in self._tape.outputs if isinstance(value, Value) and value in self._of]
        return Graph(title, tuple(self._nodes), tuple(self._edges), tuple(self._sweeps), tuple(dict.fromkeys(outputs)))

    def _put_step(self, step: Step, name: str) -> None:
        rule = rule_of(step.eqn)
        words = forward_words(step.eqn, rule, [self._caption(slot) for slot in step.inputs])
        caption = name or (words if len(words) <= LONGEST else f"v{len(self._nodes)}")
        self._captions |= dict.fromkeys(step.outputs, caption)
        moves = any(value.moves for value in step.outputs)
        says = f"{caption} = {words}" if caption != words else words
        values = tuple(map(self._array, step.outputs))
        place = self._put(Node(caption, symbol_of(step.eqn, rule), values, says, moves), step.outputs)
        self._steps[place] = step
        known = [slot for slot in step.inputs if isinstance(slot, Value) and slot in self._of]
        self._edges += [Edge(source, place) for source in dict.fromkeys(self._of[slot][0] for slot in known)]

    def _put(self, node: Node, values: Sequence[Value]) -> int:
        place = len(self._nodes)
        self._nodes.append(node)
        self._of.update({value: (place, number) for number, value in enumerate(values)})
        return place

    def _step_back(self, place: int, step: Step) -> None:
        if not any(value in self._bars for value in step.outputs):
            return
        handed = [self._bars.get(value, jnp.zeros_like(self._known[value])) for value in step.outputs]
        operands = [read(slot, self._known) for slot in step.inputs]
        moving = {i: slot for i, slot in enumerate(step.inputs) if isinstance(slot, Value) and slot.moves}
        given = _pulled(step, operands, list(moving), handed)
        rule, name = rule_of(step.eqn), self._caption(step.outputs[0])
        captions = [self._caption(slot) for slot in step.inputs]
        said: dict[str, list[str]] = {}
        for (operand, source), x_bar in zip(moving.items(), given, strict=True):
            self._add(source, x_bar)
            words = back_words(step.eqn, rule, captions, name, operand)
            said.setdefault(bar_of(captions[operand]), []).append(words)
        got = tuple(dict.fromkeys(self._of[source][0] for source in moving.values()))
        edges = tuple(n for n, edge in enumerate(self._edges) if edge.target == place and edge.source in got)
        says = ", ".join(f"{bar} += {' + '.join(words)}" for bar, words in said.items()) or "nothing goes on"
        self._nodes[place] = _with_insides(self._nodes[place], step, operands, handed)
        self._sweep(place, says, edges, got)

    def _sweep(self, place: int, says: str, edges: tuple[int, ...], got: Sequence[int]) -> None:
        by_node: dict[int, list[Value]] = {}
        for value, (node, _) in self._of.items():
            by_node.setdefault(node, []).append(value)
        bars = {node: tuple(self._bar(value) for value in by_node[node]) for node in got}
        self._sweeps.append(Sweep(place, says, edges, bars))

    def _bar(self, value: Value) -> np.ndarray:
        return np.asarray(self._bars.get(value, jnp.zeros(value.shape)), np.float64)

    def _add(self, value: Value, bar: Any) -> None:
        self._bars[value] = self._bars[value] + bar if value in self._bars else bar

    def _caption(self, slot: Slot) -> str:
        if isinstance(slot, Literal):
            return f"{np.asarray(slot.val).item():.4g}" if np.size(slot.val) == 1 else "a constant"
        if slot in self._captions:
            return self._captions[slot]
        return f"{np.ravel(np.asarray(self._known[slot]))[0]:.4g}"

    def _array(self, value: Value) -> np.ndarray:
        array = self._known[value]
        return np.asarray(jax.random.key_data(array) if jnp.issubdtype(array.dtype, jax.dtypes.prng_key) else array)

    def _is_array(self, value: Value) -> bool:
        """Whether a value is more than one number over and over, which is better written out where it is used."""
        numbers = self._array(value)
        return numbers.size > 1 and not np.all(numbers == numbers.flat[0])

    def _is_shown(self, value: Value) -> bool:
        return value.moves or self._is_array(value) or value in self._returned

    def _name_of(self, number: int) -> str:
        """What a step's value is called: a variable, a short expression, `y` for the only output, else nothing.

        Of several steps that make one expression up, the last has its value.
        """
        step = self._tape.steps[number]
        value, taken = step.outputs[0], set(self._captions.values())
        alone = len(self._tape.outputs) == 1 and self._tape.outputs[0] in step.outputs
        inner = any(later.outputs[0].name == value.name for later in self._tape.steps[number + 1 :])
        if value.name and not inner and step.name not in FITTINGS:
            if value.is_variable and value.name not in taken:
                return value.name
            if not alone and len(value.name) <= LONGEST and value.name not in taken:
                return value.name
        return next((free for free in ("y", "out") if free not in taken), "") if alone else ""


def _enters(value: Value) -> str:
    return f"{value.name} is given." if value.name else "A constant of the program."


def _pulled(step: Step, operands: Sequence[Any], moving: Sequence[int], handed: Sequence[Any]) -> list[Any]:
    """What a step hands back to each of its operands that move."""

    def run(*given: Any) -> list[Any]:
        whole = list(operands)
        for place, x in zip(moving, given, strict=True):
            whole[place] = x
        return [y for y in run_equation(step.eqn, whole) if jnp.issubdtype(y.dtype, jnp.floating)]

    bars = [bar for bar, value in zip(handed, step.outputs, strict=True) if jnp.issubdtype(value.dtype, jnp.floating)]
    return list(jax.vjp(run, *(operands[place] for place in moving))[1](bars))


def _with_insides(node: Node, step: Step, operands: Sequence[Any], handed: Sequence[Any]) -> Node:
    insides = tuple(_insides(step, operands, handed))
    return Node(node.name, node.symbol, node.values, node.says, node.moves, insides)


def _insides(step: Step, operands: Sequence[Any], handed: Sequence[Any]) -> Iterator[tuple[str, Graph]]:
    """What a step is made of: the body of a loop at its first and last round, a branch, what lies under a rule."""
    if step.name == "scan":
        yield from _rounds(step, operands, handed)
    elif step.name == "cond":
        tape = step.bodies[int(operands[0])]
        yield "The branch that was taken", _record("branch", tape, operands[1:], handed)
    elif step.name in CUSTOM:
        inner = called(step.eqn)
        assert inner is not None
        named = [
            (getattr(slot, "name", "") or "x", jnp.asarray(x)) for slot, x in zip(step.inputs, operands, strict=True)
        ]
        tape = lay(inner, values_of(named), Manner(""))
        title = "What it computes; backward goes by the rule that it carries, which says the same more safely"
        yield title, _record(symbol_of(step.eqn, rule_of(step.eqn)), tape, operands, handed)


def _rounds(step: Step, operands: Sequence[Any], handed: Sequence[Any]) -> Iterator[tuple[str, Graph]]:
    """The first and the last round of a loop, each with the numbers that came and went there."""
    length, reverse = step.eqn.params["length"], step.eqn.params["reverse"]
    if not 0 < length <= MOST_ROUNDS:
        return
    first, carries = constant_count(step.eqn), carry_count(step.eqn)
    body = jaxpr_as_fun(step.eqn.params["jaxpr"])
    fixed, carry, rows = list(operands[:first]), list(operands[first : first + carries]), operands[first + carries :]
    order = range(length - 1, -1, -1) if reverse else range(length)
    entered = []
    for turn in order:
        given = [*fixed, *carry, *(row[turn] for row in rows)]
        entered.append(given)
        carry = list(body(*given))[:carries]
    bars, left = list(handed[:carries]), {}
    for number, turn in reversed(list(enumerate(order))):
        out = [*bars, *(row[turn] for row in handed[carries:])]
        left[number] = out
        bars = _carry_back(step.eqn.params["jaxpr"], entered[number], out, slice(first, first + carries))
    for number in dict.fromkeys((0, length - 1)):
        yield f"Round {number + 1} of {length}", _record("round", step.bodies[0], entered[number], left[number])


def _carry_back(body: ClosedJaxpr, entered: Sequence[Any], handed: Sequence[Any], carry: slice) -> list[Any]:
    """The cotangents of what a round got from the one before."""
    moving = [i for i in range(carry.start, carry.stop) if jnp.issubdtype(jnp.result_type(entered[i]), jnp.floating)]

    def run(*given: Any) -> list[Any]:
        whole = list(entered)
        for place, x in zip(moving, given, strict=True):
            whole[place] = x
        return list(jaxpr_as_fun(body)(*whole))

    outputs, pull = jax.vjp(run, *(entered[place] for place in moving))
    given = dict(zip(moving, pull([_fit(bar, y) for bar, y in zip(handed, outputs, strict=True)]), strict=True))
    return [given.get(i, jnp.zeros_like(entered[i])) for i in range(carry.start, carry.stop)]


def _fit(bar: Any, y: Any) -> Any:
    return bar if jnp.issubdtype(y.dtype, jnp.floating) else np.zeros(y.shape, jax.dtypes.float0)
