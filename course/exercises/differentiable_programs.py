"""What `differentiable_programs` asks: a step in time backward, a whole simulation, a solver's rule, a fit.

From here on a primal may be any program: what is differentiated is a loop over time, or the solution of an equation.
"""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from course.exercises.exercise import Exercise, Paper
from course.exercises.mistakes import differentiable_programs as mistakes
from course.exercises.tasks.drawing import Draw
from course.exercises.tasks.free_text import Criterion, FreeText
from course.exercises.tasks.limits import Limits
from course.exercises.tasks.pair import Case, PairTask
from course.exercises.tasks.question import Choice, Number, Option
from course.exercises.tasks.shown import Source
from course.exercises.tasks.tangent_rule import TangentRuleTask
from course.exercises.tasks.which_mistake import WhichMistake
from course.lessons.differentiable_programs import Rates, euler_step, kepler, least_squares, rk4_step, simulate

CELLS, STEPS, EVERY = 10_000_000, 1_000, 25
"""Numbers in the state of a weather model, its steps, and how many of them lie between two states that are kept."""

GIGABYTE = 1e9
"""Bytes."""


def _draw_step(draw: Draw) -> tuple[Any, ...]:
    """A state, rates of any sign, and a length that shows; on paper few animals, quarters for rates, half a year."""
    state = np.stack([draw.normal(scale=2.0), draw.normal(scale=2.0)])
    rates = Rates(*(draw.normal() for _ in Rates._fields))
    if draw.is_small:
        return np.abs(state), Rates(*(np.abs(rate) / 4 for rate in rates)), np.asarray(0.5)
    return state, rates, _around(0.5, draw.normal())


def _draw_no_lynxes(draw: Draw) -> tuple[Any, ...]:
    state, rates, dt = _draw_step(draw)
    return state * np.array([1.0, 0.0]), rates, dt


def _around(middle: float, drawn: Any) -> Any:
    """Brings drawn numbers to between half of a number and half as much again."""
    return middle * (1 + np.tanh(drawn) / 2)


def _draw_run(draw: Draw) -> tuple[Any, ...]:
    """Some animals of both kinds, at rates at which they neither die out nor fill the earth within the run."""
    state, rates, dt = _draw_step(draw)
    if draw.is_small:
        return state, rates, np.full(draw.sizes("steps"), dt)
    return _around(1.5, state), Rates(*(_around(1.0, rate) for rate in rates)), _around(0.4, draw.normal("steps"))


def _draw_one_step(draw: Draw) -> tuple[Any, ...]:
    state, rates, dts = _draw_run(draw)
    return state, rates, dts[:1]


def _saved_bytes(start: Any, rates: Any, dts: Any) -> int:
    """The state after every step, and one more."""
    return (len(dts) + 1) * start.size * start.dtype.itemsize


def _draw_orbits(draw: Draw) -> tuple[Any, ...]:
    """Ellipses of all forms; on paper, half-way to a parabola."""
    mean_anomaly = draw.normal("planets", scale=2.0)
    squashed = 0.0 if draw.is_small else draw.normal("planets")
    return mean_anomaly, 0.5 + 0.4 * np.tanh(squashed) + np.zeros_like(mean_anomaly)


def _draw_circles(draw: Draw) -> tuple[Any, ...]:
    mean_anomaly, eccentricity = _draw_orbits(draw)
    return mean_anomaly, np.zeros_like(eccentricity)


def _draw_fit(draw: Draw) -> tuple[Any, ...]:
    """Enough rows for a fit; on paper, where there may be too few, one more for each column."""
    a, b = draw.normal("rows", "columns"), draw.normal("rows")
    if not draw.is_small:
        return a, b
    return np.concatenate([a, 2 * np.eye(a.shape[1])]), np.concatenate([b, draw.normal("columns")])


def _draw_line_of_few(draw: Draw) -> tuple[Any, ...]:
    """A fit that is none: as many rows as columns."""
    a, b = _draw_fit(draw)
    columns = a.shape[1]
    return a[-columns:], b[-columns:]


def _draw_small_fit(draw: Draw) -> tuple[Any, ...]:
    """A well-conditioned one, to be read."""
    a, b = _draw_fit(draw)
    return np.concatenate([a[:1], 2 * np.eye(a.shape[1])]), b[: a.shape[1] + 1]


def _growth_by_euler(state: Any, rate: Any) -> Any:
    """One step of a tenth of a year for a single kind that multiplies."""
    return state + 0.1 * (rate * state)


def _by_hand_on_paper() -> tuple[float, ...]:
    return tuple(float(bar) for bar in jax.vjp(_growth_by_euler, 2.0, 3.0)[1](1.0))


def _kept_gigabytes() -> tuple[float, float]:
    """What a backward pass keeps at once: every state; or some, and those of the stretch that it is in."""
    state = jax.ShapeDtypeStruct((CELLS,), np.float32)
    of_one = state.size * state.dtype.itemsize / GIGABYTE
    return STEPS * of_one, (STEPS // EVERY + EVERY) * of_one


ON_PAPER = Exercise(
    name="differentiable_programs.q1",
    title="a step on paper",
    task=Number(
        "One kind alone, which multiplies: speed = rate * x. One step of Euler's, y = x + dt * speed, with dt = 0.1, "
        "from x = 2 at the rate 3; y_bar is 1. On paper: answer with a pair, (x_bar, rate_bar).",
        compute=_by_hand_on_paper,
        says="Right. The first number is 1 + dt * rate: what a little more at the start becomes after one step.",
        traps=(
            (lambda: (0.3, 0.2), "That is what comes back through the speed. Where else does x stand in y?"),
            (lambda: (4.0, 2.0), "Through the speed there is a factor dt on the way."),
            (lambda: (1.0, 0.2), "x makes the speed, too."),
            (lambda: (1.3, 2.0), "How much does the rate move y, in a step of a tenth of a year?"),
            (lambda: (1.2, 0.3), "In rate * x, what comes back to x is multiplied by the rate, and the other way."),
        ),
    ),
    points=1,
)

EULER = Exercise(
    name="differentiable_programs.euler_step",
    title="one step of Euler's, backward",
    task=PairTask(
        primal=euler_step,
        fwd="euler_step_fwd",
        bwd="euler_step_bwd",
        draw=_draw_step,
        data=(2,),
        awkward=(Case("no lynxes at all", _draw_no_lynxes),),
        mistakes=mistakes.EULER_STEP,
    ),
    points=3,
    hints=(
        "Give things names: speed = growth(state, rates), and y = state + dt * speed. What is the cotangent of the "
        "speed, given y_bar?",
        "growth_bwd((state, rates), speed_bar) goes through growth for you and returns two things: what comes back to "
        "the state, and what to the rates. Forward, keep what it asks for, and dt.",
        "In y = state + dt * speed the state stands twice: by itself, and inside the speed. By itself it gets y_bar as "
        "it is. Used twice, add. The rates are in the speed alone; the third cotangent is None.",
    ),
    asks={
        "state_bar": "where does the state stand in y, and what comes back from each place?   (steps 3 and 4)",
        "rates_bar": "what was growth_bwd handed?   (step 2)",
    },
)

RK4 = Exercise(
    name="differentiable_programs.rk4_step",
    title="one step of Runge and Kutta's, backward",
    task=PairTask(
        primal=rk4_step,
        fwd="rk4_step_fwd",
        bwd="rk4_step_bwd",
        draw=_draw_step,
        data=(2,),
        awkward=(Case("no lynxes at all", _draw_no_lynxes),),
        limits=Limits(),
        mistakes=mistakes.RK4_STEP,
    ),
    points=6,
    cost_points=1,
    hard=True,
    hints=(
        "Forward, give the four states names of their own: state2 = state + dt / 2 * k1, and so on. growth_bwd wants "
        "the state at which a speed was taken, so these four are worth keeping.",
        "Go through the lines of forward from the last to the first. k4 stands in the average alone. k3 stands in the "
        "average, with its weight, and in state4 = state + dt * k3: what comes back from both is added, and then goes "
        "through growth_bwd at state3. So it goes on, down to k1.",
        "Written out for k3: from the average comes dt / 3 times y_bar, since 2 / 6 is 1 / 3. From state4 = state + "
        "dt * k3 comes dt times state4_bar. At the end the state has five cotangents, its own place in y among them, "
        "and the rates have four; jax.tree.map with four trees hands its function one number of each.",
    ),
    asks={
        "state_bar": "in how many places did the state stand?   (step 5)",
        "rates_bar": "which k_bar was each call of growth_bwd handed?   (steps 2 to 4)",
    },
)

SIMULATE = Exercise(
    name="differentiable_programs.simulate",
    title="the adjoint of a whole simulation",
    task=PairTask(
        primal=simulate,
        fwd="simulate_fwd",
        bwd="simulate_bwd",
        draw=_draw_run,
        data=(2,),
        awkward=(Case("a single step", _draw_one_step),),
        limits=Limits(residual_bytes=_saved_bytes),
        mistakes=mistakes.SIMULATE,
    ),
    points=6,
    cost_points=2,
    hard=True,
    uses=("differentiable_programs.rk4_step",),
    hints=(
        "Forward is the scan of the primal. Of a step keep nothing but the state it leads to: that goes on record "
        "anyway. Going back, you are in the middle of it when you know one thing: the state at which the step began.",
        "Backward is a scan with reverse=True, started with zeros. For one step it gets the state before it, its dt "
        "and its row of states_bar. Run rk4_step_fwd again for its residuals; hand rk4_step_bwd the sum of what is "
        "carried and of the row.",
        "The states before the steps: start[None] in front, then all states but the last. What rk4_step_bwd returns "
        "for the state is carried on; what it returns for the rates goes on record, so that after the scan each rate "
        "has a row of cotangents, one a step. All steps used the same rates.",
    ),
    asks={
        "start_bar": "what is carried from step to step, and in which order?   (steps 4 and 5)",
        "rates_bar": "how many steps used the rates, and at which states?   (steps 3 and 6)",
    },
)

CHECKPOINTS = Exercise(
    name="differentiable_programs.q2",
    title="what a long simulation keeps",
    task=Number(
        f"The state of a weather model has {CELLS:,} numbers in float32, and runs for {STEPS:,} steps. How many "
        "gigabytes (1e9 bytes) does a backward pass keep, if it keeps every state? And how many at the most, if "
        f"forward keeps only every {EVERY}th state, and backward makes the {EVERY} states of the stretch that it is in "
        "again, and holds them beside the others? Answer with a pair.",
        compute=_kept_gigabytes,
        says=f"Right: {STEPS // EVERY} states that wait, and {EVERY} of one stretch. It costs one more forward run in "
        "all. For n steps the best stretch is near the root of n, and so is what is kept.",
        traps=(
            (
                lambda: (40.0, 1.6),
                "Those are the states that wait. Which others are held while a stretch is gone back?",
            ),
            (lambda: (40.0, 1.0), "Those are the states of one stretch. Which others wait for their turn?"),
            (lambda: (10.0, 0.65), "How many bytes has a float32?"),
            (lambda: (80.0, 5.2), "These are numbers in float32, of 4 bytes."),
            (lambda: (160.0, 10.4), "The four states inside a step are made again from the first, one step at a time."),
        ),
    ),
    points=1,
)

WHILE = Exercise(
    name="differentiable_programs.q3",
    title="a loop that stops when it is done",
    task=Choice(
        "JAX takes forward mode through lax.while_loop, but refuses reverse mode. Why?",
        (
            Option(
                "a",
                "The condition of the loop is a comparison, and comparisons have no derivative.",
                "Then forward mode would be refused as well. A small change of the inputs does not change how many "
                "steps are made, but for chance; both modes go through the steps that were made.",
            ),
            Option(
                "b",
                "Backward needs a record of every step, last one first, and a compiled program must know in advance "
                "how much room that takes. Forward carries its tangent along, and needs no record.",
                "Right. With a fixed number of steps (lax.scan, or fori_loop with static bounds) the room is known. "
                "Python's own while, on numbers, records as it goes, as a tape does.",
                right=True,
            ),
            Option(
                "c",
                "A solver's steps come closer and closer to the solution, so that their cotangents vanish.",
                "Do they? Near the solution a Newton step forgets where it came from, but not the inputs: each step "
                "uses them anew. And JAX looks at the program, not at what it is good for.",
            ),
            Option(
                "d",
                "Nobody wrote it yet: a while_loop can be turned round, by going on until the first state is back.",
                "How would you get from an iterate to the one before it, if it was not kept? Newton's steps lead from "
                "many starting points to one end.",
            ),
        ),
    ),
    points=1,
)

KEPLER = Exercise(
    name="differentiable_programs.kepler",
    title="the tangent rule of a solver",
    task=TangentRuleTask(
        primal=kepler,
        rule="kepler_jvp",
        draw=_draw_orbits,
        awkward=(Case("circles", _draw_circles),),
        mistakes=mistakes.KEPLER,
    ),
    points=3,
    hints=(
        "You need no loop but the one that kepler has. What it returns satisfies anomaly - eccentricity * "
        "sin(anomaly) = mean_anomaly, before and after the inputs move.",
        "So both sides move at the same speed. On the left, anomaly moves at anomaly_dot; the product moves for two "
        "reasons, its factor and its sine; the sine moves at its slope times anomaly_dot.",
        "Bring the terms with anomaly_dot to one side: it is multiplied by one minus something. All the rest, with "
        "the two tangents that you were given, is on the other side. Divide.",
    ),
    asks={"y_dot": "which terms of the equation move, and how fast?   (steps 1 and 2)"},
    required=False,
)

LEAST_SQUARES = Exercise(
    name="differentiable_programs.least_squares",
    title="a least-squares fit, backward",
    task=PairTask(
        primal=least_squares,
        fwd="least_squares_fwd",
        bwd="least_squares_bwd",
        draw=_draw_fit,
        awkward=(Case("as many rows as columns", _draw_line_of_few),),
        mistakes=mistakes.LEAST_SQUARES,
    ),
    points=5,
    hard=True,
    required=False,
    hints=(
        "Three steps forward: matrix = a.T @ a, right = a.T @ b, x from solving matrix @ x = right. Go back through "
        "them one by one; the notebook has the rule of a solve.",
        "Through the solve: the cotangent of the right-hand side is the solution of the same equations (the matrix is "
        "its own transpose) with x_bar on the right; that of the matrix is minus an outer product. Which of the two "
        "vectors has a row's index?",
        "right = a.T @ b is a product with a transposed factor: b gets a @ right_bar, and a an outer product of shape "
        "(rows, columns). In a.T @ a, entry [i, j] is a sum over n of a[n, i] * a[n, j]: a gets a @ matrix_bar from "
        "one use, and a @ matrix_bar.T from the other.",
    ),
    asks={
        "a_bar": "in how many places does a stand?   (steps 3 and 4)",
        "b_bar": "how does a cotangent go back through a solve?   (step 2)",
    },
)

IN_YOUR_WORDS = Exercise(
    name="differentiable_programs.text",
    title="a model with twelve constants",
    task=FreeText(
        "A colleague has a model of a lake: a loop of 100,000 steps in JAX, with twelve constants that nobody can "
        'measure, and years of readings. They try constants out by hand, because "backpropagation is for neural '
        'networks". What would you tell them?',
        rubric=(
            Criterion(
                1,
                "A backward pass goes through any program of differentiable steps; the misfit is a loss, and "
                "the constants are its parameters.",
            ),
            Criterion(
                1,
                "All twelve slopes come from one backward pass, at a few times the price of a run: each step hands "
                "on to the state before it, and what comes back to the constants is summed over all steps.",
            ),
            Criterion(
                1,
                "What is kept grows with the number of steps; some states can be kept, and the steps between "
                "them be made again.",
            ),
            Criterion(1, "With twelve constants forward mode is a fair choice, too: twelve tangents, and no record."),
            Criterion(
                1,
                "Where it ends: jumps and thresholds, loops whose number of steps depends on the numbers (a rule of "
                "their own helps), or chaos, in which gradients over a long time explode.",
            ),
        ),
    ),
    points=0,
    required=False,
)

WHICH_MISTAKE = Exercise(
    name="differentiable_programs.q4",
    title="which mistake is this?",
    task=WhichMistake((Source(EULER.task), Source(RK4.task), Source(SIMULATE.task))),
    points=1,
)

PAPER = Paper(
    "differentiable_programs",
    (ON_PAPER, EULER, RK4, SIMULATE, CHECKPOINTS, WHILE, KEPLER, LEAST_SQUARES, IN_YOUR_WORDS, WHICH_MISTAKE),
    shows_forward=True,
    shows_cost=True,
)
