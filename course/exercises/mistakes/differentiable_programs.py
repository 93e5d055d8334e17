"""Mistakes that people make in `differentiable_programs`: uses forgotten, steps' lengths lost, states confused.

Each has the right value and the derivative of another step, another sum over steps, or another equation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from course.comparison.mistakes import Mistake
from course.exercises.mistakes.forms import held, valued, weighted
from course.lessons.differentiable_programs import (
    Rates,
    euler_step,
    growth,
    kepler,
    least_squares,
    rk4_step,
    simulate,
)

Step = Callable[[Any, Rates, Any], Any]

LAST = 3
"""The number of the last of four stages."""


def _still(tree: Any) -> Any:
    return jax.tree.map(held, tree)


def _there(state: Any, place: Any) -> Any:
    """Moves as `state` does, and is where `place` is."""
    return valued(place, state)


def _euler(sloped: Step) -> Step:
    """Euler's step with the derivative of another one."""
    return lambda state, rates, dt: valued(euler_step(state, rates, dt), sloped(state, rates, dt))


_DIRECT = "Does the state come into y in one place only?   (step 4)"
_LENGTH = "If the step took no time at all, what would come back to the rates?   (step 2)"

EULER_STEP = (
    Mistake(
        "the state's own place forgotten",
        _euler(lambda state, rates, dt: dt * growth(state, rates)),
        "The state has what came back through its growth, and no more.",
        _DIRECT,
    ),
    Mistake(
        "the way through growth forgotten",
        _euler(lambda state, rates, dt: state + dt * growth(held(state), rates)),
        "The state has what it was handed, and nothing of what its growth hands back.",
        _DIRECT,
    ),
    Mistake(
        "dt forgotten",
        _euler(lambda state, rates, dt: state + growth(state, rates)),
        "Growth was handed y_bar as it is, as if the step took a year.",
        _LENGTH,
    ),
    Mistake(
        "dt for the state alone",
        _euler(lambda state, rates, dt: state + dt * growth(state, _still(rates)) + growth(held(state), rates)),
        "What comes back to the rates has lost the length of the step; what comes back to the state has not.",
        _LENGTH,
    ),
    Mistake(
        "dt twice",
        _euler(lambda state, rates, dt: state + dt * dt * growth(state, rates)),
        "Growth was handed y_bar with the length of the step on it twice.",
        "By what is the speed multiplied in y, and how often?   (step 2)",
    ),
    Mistake(
        "dt on everything",
        _euler(lambda state, rates, dt: dt * (state + growth(state, rates))),
        "The length of the step was multiplied into the state's own place, too.",
        "If the step took no time at all, what would y be?   (step 4)",
    ),
    Mistake(
        "at the state after the step",
        _euler(
            lambda state, rates, dt: state + dt * growth(_there(state, euler_step(state, rates, dt)), rates),
        ),
        "Growth's own backward pass was given the state after the step, where the speed was taken before it.",
        "At which state was the speed taken?   (steps 1 and 3)",
    ),
    Mistake(
        "back in time",
        _euler(lambda state, rates, dt: state - dt * growth(state, rates)),
        "The step was taken backward in time: what comes back through growth has the wrong sign.",
        "Going backward through a program, does its time run backward as well?   (step 2)",
    ),
)


def _way(ks: list[Any], dt: Any, stage: int) -> Any:
    """From the state to that of a stage, given the speeds before it."""
    return ks[-1] * (dt if stage == LAST else dt / 2) if stage else jnp.zeros(())


def _mean(ks: list[Any]) -> Any:
    return sum(k / weight for k, weight in zip(ks, (6, 3, 3, 6), strict=True))


def _rk4(
    *,
    way: Callable[[list[Any], Any, int], Any] = _way,
    first: Callable[[Any, int], Any] = lambda state, stage: state,
    rates_in: Callable[[Rates, int], Rates] = lambda rates, stage: rates,
    speed: Callable[[Any, Any, Rates], Any] = lambda place, state, rates: growth(place, rates),
    mean: Callable[[list[Any]], Any] = _mean,
    direct: Callable[[Any], Any] = lambda state: state,
) -> Step:
    """Runge and Kutta's step with the derivative of one in which a thing is done otherwise."""

    def sloped(state: Any, rates: Rates, dt: Any) -> Any:
        ks: list[Any] = []
        for stage in range(LAST + 1):
            place = valued(state + _way(ks, dt, stage), first(state, stage) + way(ks, dt, stage))
            ks.append(valued(growth(place, rates), speed(place, state, rates_in(rates, stage))))
        return direct(state) + dt * mean(ks)

    return lambda state, rates, dt: valued(rk4_step(state, rates, dt), sloped(state, rates, dt))


_TWICE = "Where was this speed used: in the average alone?   (step 3)"
_SPAN = "How far was the next stage's state from the first, and in which direction?   (step 3)"

RK4_STEP = (
    Mistake(
        "the state's own place forgotten",
        _rk4(direct=held),
        "The state has what came back from the four stages, and no more.",
        "If the step took no time at all, what would y be?   (step 5)",
    ),
    Mistake(
        "the state of the first stage alone",
        _rk4(first=lambda state, stage: held(state) if stage else state),
        "What comes back to the states of the second, third and fourth stage went on to the speeds, and not to the "
        "state that they start from.",
        "Each stage's state is the first one, and something more. How often was the first one used?   (step 5)",
    ),
    Mistake(
        "the stages not linked",
        _rk4(way=lambda ks, dt, stage: held(_way(ks, dt, stage))),
        "Each speed was handed its share of the average, and nothing from the stage that was made of it.",
        _TWICE,
    ),
    Mistake(
        "all weights a sixth",
        _rk4(mean=lambda ks: sum(ks) / 6),
        "All four speeds were handed one sixth. Two of them count twice in the average.",
        "With which weight does each speed come into the average?   (steps 2 and 3)",
    ),
    Mistake(
        "the sum not divided",
        _rk4(mean=lambda ks: 6 * _mean(ks)),
        "The weights 1, 2, 2, 1 were not divided by anything: an average has weights that add up to 1.",
        "With which weight does each speed come into the average?   (steps 2 and 3)",
    ),
    Mistake(
        "dt forgotten between stages",
        _rk4(way=lambda ks, dt, stage: _way(ks, jnp.ones(()), stage)),
        "From one stage to the one before, the step was taken to last a year.",
        _SPAN,
    ),
    Mistake(
        "dt forgotten on the last stage",
        _rk4(way=lambda ks, dt, stage: ks[-1] if stage == LAST else _way(ks, dt, stage)),
        "What the fourth stage's state hands to the third speed has lost the length of the step.",
        _SPAN,
    ),
    Mistake(
        "half ways taken whole",
        _rk4(way=lambda ks, dt, stage: dt * ks[-1] if stage else _way(ks, dt, stage)),
        "All stages are taken to lie a whole step away, where two of them lie half a step away.",
        _SPAN,
    ),
    Mistake(
        "the second speed for the third",
        _rk4(way=lambda ks, dt, stage: dt * ks[1] if stage == LAST else _way(ks, dt, stage)),
        "What comes back to the fourth stage's state was handed to the second speed. It was made of the third.",
        "Along which speed was the fourth stage's state reached?   (step 3)",
    ),
    Mistake(
        "the rates of the last stage alone",
        _rk4(rates_in=lambda rates, stage: rates if stage == LAST else _still(rates)),
        "The rates have what came back from the fourth stage, and not from the three others.",
        "In how many stages were the rates used?   (step 5)",
    ),
    Mistake(
        "all stages at the first state",
        _rk4(speed=lambda place, state, rates: growth(_there(place, state), rates)),
        "Growth's own backward pass was given the first state for all four stages.",
        "At which states were the four speeds taken?   (steps 1 to 4)",
    ),
)


def _simulated(
    *,
    rates_in: Callable[[Rates, Any, int], Rates] = lambda rates, number, steps: rates,
    made: Callable[[Any, Any, Callable[[Any], Any]], Any] = lambda state, after, step: after,
    carried: Callable[[Any], Any] = lambda after: after,
    row: Callable[[Any, Any, Any], Any] = lambda state, after, is_last: after,
) -> Callable[..., Any]:
    """A simulation in which something that goes from step to step, or on record, moves otherwise."""

    def sloped(start: Any, rates: Rates, dts: Any) -> Any:
        steps = len(dts)

        def step(state: Any, inside: tuple[Any, Any]) -> tuple[Any, Any]:
            dt, number = inside
            here = rates_in(rates, number, steps)
            after = rk4_step(state, here, dt)
            after = valued(after, made(state, after, lambda place: rk4_step(place, here, dt)))
            return carried(after), valued(after, row(state, after, number == steps - 1))

        return jax.lax.scan(step, start, (dts, jnp.arange(steps)))[1]

    return lambda start, rates, dts: valued(simulate(start, rates, dts), sloped(start, rates, dts))


def _of_one_step(rates: Rates, is_it: Any) -> Rates:
    return jax.tree.map(lambda rate: jnp.where(is_it, rate, held(rate)), rates)


def _forward_order(start: Any, rates: Rates, dts: Any) -> Any:
    """What the steps hand back goes from the first to the last."""
    states = held(simulate(start, rates, dts))
    before = jnp.concatenate([held(start)[None], states[:-1]])

    def step(moved: Any, inside: tuple[Any, Any]) -> tuple[Any, Any]:
        state, dt = inside
        moved = rk4_step(state + moved, rates, dt)
        moved = moved - held(moved)
        return moved, moved

    moved = jax.lax.scan(step, start - held(start), (before, dts), reverse=True)[1]
    return valued(states, moved)


SIMULATE = (
    Mistake(
        "the rates of the last step alone",
        _simulated(rates_in=lambda rates, number, steps: _of_one_step(rates, number == steps - 1)),
        "The rates have what came back from the last step, and from no other.",
        "How many steps used the rates?   (step 6)",
    ),
    Mistake(
        "the rates of the first step alone",
        _simulated(rates_in=lambda rates, number, steps: _of_one_step(rates, number == 0)),
        "The rates have what came back from the first step, which is the last one on the way back, and from no other.",
        "How many steps used the rates?   (step 6)",
    ),
    Mistake(
        "the rates averaged over steps",
        _simulated(rates_in=lambda rates, number, steps: jax.tree.map(lambda r: weighted(r, 1 / steps), rates)),
        "What came back to the rates from all steps was averaged.",
        "Used many times: what becomes of what comes back?   (step 6)",
    ),
    Mistake(
        "the state after for the state before",
        _simulated(made=lambda state, after, step: step(_there(state, after))),
        "Each step was made again from the state that it ended at.",
        "At which state did each step begin?   (step 3)",
    ),
    Mistake(
        "the last state's cotangent alone",
        _simulated(row=lambda state, after, is_last: jnp.where(is_last, after, held(after))),
        "Of states_bar only the last row came in. Every state is in the value.",
        "Which two cotangents does the state after a step have?   (step 4)",
    ),
    Mistake(
        "nothing handed on",
        _simulated(carried=held),
        "Each step was handed its own row of states_bar, and nothing of what the later steps handed back.",
        "Which two cotangents does the state after a step have?   (step 4)",
    ),
    Mistake(
        "a row one step late",
        _simulated(row=lambda state, after, is_last: state),
        "Each row of states_bar was added behind the step, to the cotangent of the state that the step began at.",
        "Which state does a row of states_bar belong to: the one before the step, or after it?   (step 4)",
    ),
    Mistake(
        "the first step first",
        _forward_order,
        "Backward goes through the steps in forward's order.",
        "Which step was the last that changed the state?   (step 5)",
    ),
)


def _kepler(sloped: Callable[[Any, Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """The anomaly with another derivative, made of the anomaly as a number and the two arguments."""

    def mistaken(mean_anomaly: Any, eccentricity: Any) -> Any:
        anomaly = kepler(mean_anomaly, eccentricity)
        return valued(anomaly, sloped(held(anomaly), mean_anomaly, eccentricity))

    return mistaken


def _slowed(by: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """The anomaly as it moves where its motion is divided by another number."""

    def sloped(anomaly: Any, mean_anomaly: Any, eccentricity: Any) -> Any:
        moved = mean_anomaly - (anomaly - eccentricity * jnp.sin(anomaly))
        return weighted(moved, 1 / by(anomaly, eccentricity))

    return _kepler(sloped)


def _undivided(anomaly: Any, mean_anomaly: Any, eccentricity: Any) -> Any:
    """What the equation gives where the anomaly moves at the speed of the known terms."""
    place = valued(anomaly, mean_anomaly + eccentricity * jnp.sin(anomaly))
    return place - held(eccentricity) * jnp.sin(place)


_BOTH = "If only one of the two moved, would the anomaly stand still?   (step 1)"
_COLLECT = "The anomaly is in the equation twice. How fast do both terms move together?   (step 2)"

KEPLER = (
    Mistake(
        "the sine's own motion forgotten",
        _kepler(lambda anomaly, mean, eccentricity: mean + eccentricity * jnp.sin(anomaly)),
        "The anomaly inside the sine was taken to stand still.",
        _COLLECT,
    ),
    Mistake(
        "a plus for the minus",
        _slowed(lambda anomaly, e: 1 + e * jnp.cos(anomaly)),
        "The two terms with the anomaly's motion in them were added; one of them is subtracted in the equation.",
        _COLLECT,
    ),
    Mistake(
        "a sine for the cosine",
        _slowed(lambda anomaly, e: 1 - e * jnp.sin(anomaly)),
        "What the sine's motion is multiplied by is the sine itself, and not its slope.",
        "How fast does sin(anomaly) move when the anomaly does?   (step 2)",
    ),
    Mistake(
        "multiplied for divided",
        _kepler(_undivided),
        "What stands before the anomaly's motion was taken to the other side as a factor.",
        "c * anomaly_dot = known: what is anomaly_dot?   (step 2)",
    ),
    Mistake(
        "the mean anomaly stands still",
        lambda mean, eccentricity: kepler(held(mean), eccentricity),
        "The mean anomaly was taken for a constant.",
        _BOTH,
    ),
    Mistake(
        "the eccentricity stands still",
        lambda mean, eccentricity: kepler(mean, held(eccentricity)),
        "The eccentricity was taken for a constant.",
        _BOTH,
    ),
    Mistake(
        "what the eccentricity does subtracted",
        lambda mean, eccentricity: valued(
            kepler(mean, eccentricity), kepler(mean, 2 * held(eccentricity) - eccentricity)
        ),
        "What the eccentricity's motion does has the wrong sign.",
        "On which side of the equation do the known terms stand, and with which sign?   (step 1)",
    ),
)


def _solved(matrix: Callable[[Any], Any], right: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """The fit with the derivative of the solution of other equations."""
    return lambda a, b: valued(least_squares(a, b), jnp.linalg.solve(matrix(a), right(a, b)))


def _gram(a: Any) -> Any:
    return jnp.einsum("ni,nj->ij", a, a)


def _seen(a: Any, b: Any) -> Any:
    return jnp.einsum("ni,n->i", a, b)


_IN_BOTH = "a stands on both sides of the equations. What comes back from each?   (step 4)"
_USES = "In how many places does a stand in a.T @ a?   (step 4)"

LEAST_SQUARES = (
    Mistake(
        "the matrix held still",
        _solved(lambda a: held(_gram(a)), _seen),
        "Only the right-hand side of the equations was gone through: the matrix was taken for a constant.",
        _IN_BOTH,
    ),
    Mistake(
        "the right-hand side's a forgotten",
        _solved(_gram, lambda a, b: _seen(held(a), b)),
        "a has what came back through the matrix, and nothing through the right-hand side.",
        _IN_BOTH,
    ),
    Mistake(
        "the transposed a forgotten",
        _solved(lambda a: jnp.einsum("ni,nj->ij", held(a), a), _seen),
        "Of the two factors of the matrix, only the second one was gone through.",
        _USES,
    ),
    Mistake(
        "the plain a forgotten",
        _solved(lambda a: jnp.einsum("ni,nj->ij", a, held(a)), _seen),
        "Of the two factors of the matrix, only the transposed one was gone through.",
        _USES,
    ),
    Mistake(
        "the matrix with a plus",
        _solved(lambda a: 2 * held(_gram(a)) - _gram(a), _seen),
        "What comes back to the matrix has the wrong sign.",
        "If the matrix grows and the right-hand side stands still, does x grow or shrink?   (step 2)",
    ),
    Mistake(
        "the equations not solved",
        lambda a, b: valued(least_squares(a, b), _seen(a, b) - _gram(a) @ held(least_squares(a, b))),
        "x_bar went back to the right-hand side and to the matrix without any solving.",
        "x is made of the right-hand side by solving. How does a cotangent go back through that?   (step 2)",
    ),
    Mistake(
        "solved twice",
        lambda a, b: valued(least_squares(a, b), jnp.linalg.solve(held(_gram(a)), _solved(_gram, _seen)(a, b))),
        "The equations were solved twice on the way back.",
        "How often were they solved forward?   (step 2)",
    ),
)
