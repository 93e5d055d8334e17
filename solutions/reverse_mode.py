"""Answers to `reverse_mode`: a sweep over a tape of numbers, an order, rules for arrays, the gradient of a program."""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float

import course
from course.lessons.reverse_mode import Place, ScalarTape, record


def sweep(tape: ScalarTape, y_bar: float) -> list[float]:
    """Returns the bar of every value on the tape, by place, as a list."""
    # 1. Before the sweep, which bar is known? Where does every other one start, if contributions are to be added to it?
    bars = [0.0] * len(tape.values)
    bars[tape.output] = y_bar
    # 2. A step may only hand on a bar that is complete. From which end of the tape do you start?
    for step in reversed(tape.steps):
        # 3. What does a step send to each of its inputs? And if something came there before?
        for place, slope in zip(step.inputs, step.slopes, strict=True):
            bars[place] += slope * bars[step.output]
    return bars


def topological_order(made_of: tuple[tuple[Place, ...], ...], output: Place) -> list[Place]:
    """Returns the places that the output is made of, and the output, each after all that itself is made of."""
    order: list[int] = []

    def visit(place: int) -> None:
        # 1. Several steps may use the same place. What if it has its turn behind it?
        if place in order:
            return
        # 2. What has to be in the list before this place is?
        for part in made_of[place]:
            visit(part)
        order.append(place)

    # 3. Where does the visiting begin, so that nothing is listed of which the output is not made?
    visit(output)
    return order


def unbroadcast(bar: Float[Array, "..."], x: Float[Array, "..."]) -> Float[Array, "..."]:
    """Returns the cotangent of x from that of its copies: x was broadcast to the shape of bar."""
    # 1. Which axes of bar does x not have at all? What does backward do along them?
    bar = bar.sum(axis=tuple(range(bar.ndim - x.ndim)))
    # 2. Along which axes does x have one entry, copied as often as was needed? And which shape must come out?
    copied = tuple(axis for axis, length in enumerate(x.shape) if length == 1)
    return bar.sum(axis=copied, keepdims=True)


def pull_back(
    rule: str, inputs: tuple[Float[Array, "..."], ...], y: Float[Array, "..."], y_bar: Float[Array, "..."]
) -> tuple[Float[Array, "..."], ...]:
    """Returns one cotangent for each input of a step, each of its input's shape."""
    match rule, inputs:
        case "add", (a, b):
            bars = [y_bar, y_bar]
        # 1. y = a - b: which way does y go when b grows?
        case "sub", (a, b):
            bars = [y_bar, -y_bar]
        # 2. y = a * b: what stands beside a?
        case "mul", (a, b):
            bars = [y_bar * b, y_bar * a]
        # 3. y = a @ b, both of them matrices: you know this one from affine.
        case "matmul", (a, b):
            bars = [y_bar @ b.T, a.T @ y_bar]
        # 4. y = sin(a): what is the slope of a sine, and where?
        case "sin", (a,):
            bars = [y_bar * jnp.cos(a)]
        # 5. y = exp(a): is there anything that need not be computed again?
        case "exp", (a,):
            bars = [y_bar * y]
        # 6. y = sum(a), a single number: sum forward, and backward?
        case "sum", (a,):
            bars = [jnp.broadcast_to(y_bar, a.shape)]
    # 7. In a + b, a - b and a * b, forward may have copied an input. Which of your answers takes that back?
    return tuple(unbroadcast(bar, x) for bar, x in zip(bars, inputs, strict=True))


def grad_of(program: Callable[..., Any], *inputs: Float[Array, "..."]) -> tuple[Float[Array, "..."], ...]:
    """Returns one cotangent for each input of a program whose value is a single number."""
    # 1. What did the program do, at these inputs?
    tape = record(program, *inputs)
    # 2. Bars are arrays now. Of which shape is each before the sweep, and what is the output's?
    bars = [jnp.zeros_like(value) for value in tape.values]
    bars[tape.output] = jnp.ones_like(tape.values[tape.output])
    # 3. Sweep. There are no slopes on this tape: what is asked instead, and what has it to be told?
    for step in reversed(tape.steps):
        given = tuple(tape.values[place] for place in step.inputs)
        sent = pull_back(step.rule, given, tape.values[step.output], bars[step.output])
        for place, bar in zip(step.inputs, sent, strict=True):
            bars[place] = bars[place] + bar
    # 4. Of all these bars, which were asked for? They have the first places.
    return tuple(bars[: tape.arguments])


course.answer("reverse_mode.q1", 131071)
course.answer("reverse_mode.q2", "c")
course.answer("reverse_mode.q3", "b")
course.answer("reverse_mode.q4", 41)
course.answer("reverse_mode.q5", "c0")
course.answer(
    "reverse_mode.text",
    """The formula is the chain rule, and the numbers come out right. But a value that is used twice is asked for its
bar twice, what lies above it four times, and so on: n diamonds in a row take about 2**n calls. A tape is in the
order in which the values were made, so all that uses a value stands behind it. Whoever goes from the end to the
start has completed each bar when its step has its turn, hands it on once, and is done after as many steps as
the program has.""",
)
