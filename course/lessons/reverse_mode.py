"""Reverse mode: a program writes down what it does, and the record is gone through from its end to its start.

A record is called a tape. It is plain data: every value that the program made has a place, and every step says from
which places its inputs came and to which place its value went. The inputs of the program have the first places.

    ScalarTape   of a program on single numbers; a step keeps its slope by each input:   y_k = f(y_i, y_j, ...)
    Tape         of a program on arrays; a step keeps the name of its rule, and the values are kept:
                 add  a + b     sub  a - b     mul  a * b     matmul  a @ b     sin     exp     sum, of all entries

`record_numbers` and `record` run a program on objects that write such tapes. Only what a run does is written down, so
Python's `if`, `for` and `while` may decide it.

Sources: R. E. Wengert, "A simple automatic derivative evaluation program", Communications of the ACM 7(8), 1964,
doi:10.1145/355586.364791: the tape.
A. Griewank, A. Walther, "Evaluating Derivatives", second edition, SIAM, 2008, chapters 3 and 4,
doi:10.1137/1.9780898717761: the reverse sweep and what it costs.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp

Place = int
"""Where a value stands on a tape, from 0 on."""


class ScalarStep(NamedTuple):
    """One step on single numbers: the places of its inputs, its slope by each of them, the place of its value."""

    inputs: tuple[Place, ...]
    slopes: tuple[float, ...]
    output: Place


class ScalarTape(NamedTuple):
    """What a program on single numbers did: how many inputs it had, every value by place, its steps, its output."""

    arguments: int
    values: tuple[float, ...]
    steps: tuple[ScalarStep, ...]
    output: Place


class Number:
    """A number that writes down what is done with it."""

    def __init__(self, value: float, values: list[float], steps: list[ScalarStep]) -> None:
        self.value, self.values, self.steps = value, values, steps
        self.place = len(values)
        values.append(value)

    def _step(self, value: float, inputs: Sequence[Number], slopes: tuple[float, ...]) -> Number:
        made = Number(value, self.values, self.steps)
        self.steps.append(ScalarStep(tuple(number.place for number in inputs), slopes, made.place))
        return made

    def _number(self, other: Any) -> Number:
        return other if isinstance(other, Number) else Number(float(other), self.values, self.steps)

    def __add__(self, other: Any) -> Number:
        b = self._number(other)
        return self._step(self.value + b.value, (self, b), (1.0, 1.0))

    def __mul__(self, other: Any) -> Number:
        b = self._number(other)
        return self._step(self.value * b.value, (self, b), (b.value, self.value))

    __radd__, __rmul__ = __add__, __mul__

    def sin(self) -> Number:
        """Its sine."""
        return self._step(math.sin(self.value), (self,), (math.cos(self.value),))


def record_numbers(program: Callable[..., Any], *inputs: float) -> ScalarTape:
    """Runs a program on single numbers, and returns what it did. It may add, multiply and take sines."""
    values: list[float] = []
    steps: list[ScalarStep] = []
    numbers = [Number(float(value), values, steps) for value in inputs]
    y = numbers[0]._number(program(*numbers))
    return ScalarTape(len(inputs), tuple(values), tuple(steps), y.place)


class Step(NamedTuple):
    """One step on arrays: the name of its rule, the places of its inputs, the place of its value."""

    rule: str
    inputs: tuple[Place, ...]
    output: Place


class Tape(NamedTuple):
    """What a program on arrays did: how many inputs it had, every value by place, its steps, its output."""

    arguments: int
    values: tuple[Any, ...]
    steps: tuple[Step, ...]
    output: Place


VALUES: Mapping[str, Callable[..., Any]] = {
    "add": jnp.add,
    "sub": jnp.subtract,
    "mul": jnp.multiply,
    "matmul": jnp.matmul,
    "sin": jnp.sin,
    "exp": jnp.exp,
    "sum": jnp.sum,
}
"""What each rule computes."""


class Var:
    """An array that writes down what is done with it."""

    __array_ufunc__ = None  # so that NumPy's arrays leave the arithmetic to it

    def __init__(self, value: Any, values: list[Any], steps: list[Step]) -> None:
        self.value, self.values, self.steps = jnp.asarray(value), values, steps
        self.place = len(values)
        values.append(self.value)

    def variable(self, other: Any) -> Var:
        """The other one itself, or a constant that gets a place on the same tape."""
        return other if isinstance(other, Var) else Var(other, self.values, self.steps)

    def __add__(self, other: Any) -> Any:
        return apply("add", self, other)

    def __radd__(self, other: Any) -> Any:
        return apply("add", other, self)

    def __sub__(self, other: Any) -> Any:
        return apply("sub", self, other)

    def __rsub__(self, other: Any) -> Any:
        return apply("sub", other, self)

    def __mul__(self, other: Any) -> Any:
        return apply("mul", self, other)

    def __rmul__(self, other: Any) -> Any:
        return apply("mul", other, self)

    def __matmul__(self, other: Any) -> Any:
        return apply("matmul", self, other)

    def __rmatmul__(self, other: Any) -> Any:
        return apply("matmul", other, self)

    def __gt__(self, other: Any) -> bool:
        return bool(self.value > _value_of(other))

    def __lt__(self, other: Any) -> bool:
        return bool(self.value < _value_of(other))


def _value_of(other: Any) -> Any:
    """What is compared: a comparison has no slope, and leaves nothing on the tape."""
    return other.value if isinstance(other, Var) else other


def apply(rule: str, *inputs: Any) -> Any:
    """Computes what a rule says, and writes a step down where one of its inputs is being recorded."""
    recorded = next((value for value in inputs if isinstance(value, Var)), None)
    if recorded is None:
        return VALUES[rule](*inputs)
    variables = [recorded.variable(value) for value in inputs]
    made = Var(VALUES[rule](*(variable.value for variable in variables)), recorded.values, recorded.steps)
    recorded.steps.append(Step(rule, tuple(variable.place for variable in variables), made.place))
    return made


def sin(x: Any) -> Any:
    """The sine of a number or of every entry of an array."""
    return x.sin() if isinstance(x, Number) else apply("sin", x)


def exp(x: Any) -> Any:
    """The exponential of every entry."""
    return apply("exp", x)


def total(x: Any) -> Any:
    """The sum of all entries."""
    return apply("sum", x)


def record(program: Callable[..., Any], *inputs: Any) -> Tape:
    """Runs a program on arrays, and returns what it did."""
    values: list[Any] = []
    steps: list[Step] = []
    variables = [Var(value, values, steps) for value in inputs]
    y = variables[0].variable(program(*variables))
    return Tape(len(inputs), tuple(values), tuple(steps), y.place)


def graph_of(steps: Sequence[ScalarStep | Step], places: int) -> tuple[tuple[int, ...], ...]:
    """For each place, what its value was made of: nothing, where no step made it."""
    made_of = {step.output: step.inputs for step in steps}
    return tuple(made_of.get(place, ()) for place in range(places))


def diamonds(x: Any, count: int = 16) -> Any:
    """Adds a value to itself, and the sum to itself, and so on: the paths fork and meet `count` times."""
    for _ in range(count):
        x = x + x
    return x


def crossing(x: Any, w: Any, c: Any) -> Any:
    """U = x * w, v = sin(u), and y = u * v + v * c: u and v are used twice each."""
    u = x * w
    v = sin(u)
    return u * v + v * c


def square(x: Any) -> Any:
    """X * x: one step, both of whose inputs are the same place."""
    return x * x


def thrice(x: Any) -> Any:
    """X * x * x: the same place is an input three times."""
    return x * x * x


def left_behind(x: Any, w: Any) -> Any:
    """Goes on with its value, and returns it as it was before: the last steps lead nowhere."""
    y = x * w
    _ = sin(y) * x
    return y


def network(x: Any, w: Any, b: Any) -> Any:
    """One layer with sines for activations, and the sum of its squares: b is copied to every row, y is used twice."""
    y = sin(x @ w + b)
    return total(y * y)


def cube(x: Any) -> Any:
    """The sum of the cubes: x is used three times."""
    return total(thrice(x))


def left_over(x: Any, w: Any) -> Any:
    """Computes something of w, and makes no use of it."""
    _ = exp(w) * w
    return total(x * x)


def handed_through(x: Any) -> Any:
    """Returns its input: no step at all."""
    return x


def doubled(x: Any) -> Any:
    """Ten diamonds in a row, and the sum of what comes out."""
    return total(diamonds(x, 10))


def wander(x: Any, w: Any) -> Any:
    """Six turns, and at each the sum so far decides what is done: the tape is another one for other numbers."""
    y = x
    for _ in range(6):
        y = sin(y * w) - x if total(y) > 0 else exp(y) + w
    return total(y * x)


def draw_program(seed: int, turns: int = 8) -> Callable[[Any, Any], Any]:
    """Draws a program of two arrays that can be broadcast together.

    At every turn it takes two of the values that it has, computes a third, and lets a sum decide by which of two rules.
    """

    def program(x: Any, w: Any) -> Any:
        chance = random.Random(seed)
        values = [x, w]
        for _ in range(turns):
            a, b = chance.choice(values), chance.choice(values)
            rule, other = chance.sample(("add", "sub", "mul"), 2)
            made = apply(rule if total(a) > 0 else other, a, b)
            values.append(sin(made) if chance.random() < 0.5 else made)
        return total(values[-1] * values[-2])

    return program
