"""Answers to `differentiable_programs`: a step in time, a whole simulation, a solver, a least-squares fit."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

import course
from course.lessons.differentiable_programs import Rates, growth, growth_bwd, kepler, least_squares


def euler_step_fwd(
    state: Float[Array, "2"], rates: Rates, dt: Float[Array, ""]
) -> tuple[Float[Array, "2"], tuple[Float[Array, "2"], Rates, Float[Array, ""]]]:
    """Returns the state after an Euler step of dt years, and the residuals."""
    # 1. What must growth_bwd be given, and what else does the way back need?
    return state + dt * growth(state, rates), (state, rates, dt)


def euler_step_bwd(
    residuals: tuple[Float[Array, "2"], Rates, Float[Array, ""]], y_bar: Float[Array, "2"]
) -> tuple[Float[Array, "2"], Rates, None]:
    """Returns (state_bar, rates_bar, None): dt is given and has no cotangent here."""
    state, rates, dt = residuals  # the speed itself is not needed: y is made of it by a product with dt alone
    # 2. y = state + dt * speed. What is the cotangent of the speed?
    speed_bar = dt * y_bar
    # 3. Through growth: what comes back to the state and to the rates?
    by_growth, rates_bar = growth_bwd((state, rates), speed_bar)
    # 4. The state was used twice. Which is its other use, and what becomes of the two?
    return y_bar + by_growth, rates_bar, None


def rk4_step_fwd(
    state: Float[Array, "2"], rates: Rates, dt: Float[Array, ""]
) -> tuple[Float[Array, "2"], tuple[list[Float[Array, "2"]], Rates, Float[Array, ""]]]:
    """Returns the state after a step of dt years by Runge and Kutta's method, and the residuals."""
    # 1. Four speeds, each at a state of its own. Which of all these does the way back need?
    k1 = growth(state, rates)
    state2 = state + dt / 2 * k1
    k2 = growth(state2, rates)
    state3 = state + dt / 2 * k2
    k3 = growth(state3, rates)
    state4 = state + dt * k3
    k4 = growth(state4, rates)
    y = state + dt / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return y, ([state, state2, state3, state4], rates, dt)


def rk4_step_bwd(
    residuals: tuple[list[Float[Array, "2"]], Rates, Float[Array, ""]], y_bar: Float[Array, "2"]
) -> tuple[Float[Array, "2"], Rates, None]:
    """Returns (state_bar, rates_bar, None): dt is given and has no cotangent here."""
    (state1, state2, state3, state4), rates, dt = residuals  # growth_bwd wants the states at which speeds were taken
    # 2. The fourth speed: where was it used, and with what weight? What does growth hand back for it?
    k4_bar = dt / 6 * y_bar
    state4_bar, rates4_bar = growth_bwd((state4, rates), k4_bar)
    # 3. The third and the second were used twice each. What comes from the average, what from the next state?
    k3_bar = dt / 3 * y_bar + dt * state4_bar
    state3_bar, rates3_bar = growth_bwd((state3, rates), k3_bar)
    k2_bar = dt / 3 * y_bar + dt / 2 * state3_bar
    state2_bar, rates2_bar = growth_bwd((state2, rates), k2_bar)
    # 4. And the first?
    k1_bar = dt / 6 * y_bar + dt / 2 * state2_bar
    state1_bar, rates1_bar = growth_bwd((state1, rates), k1_bar)
    # 5. How often was the state used in all, and how often the rates?
    state_bar = y_bar + state1_bar + state2_bar + state3_bar + state4_bar
    rates_bar = jax.tree.map(lambda *bars: sum(bars), rates1_bar, rates2_bar, rates3_bar, rates4_bar)
    return state_bar, rates_bar, None


def simulate_fwd(
    start: Float[Array, "2"], rates: Rates, dts: Float[Array, "steps"]
) -> tuple[Float[Array, "steps 2"], tuple[Float[Array, "2"], Rates, Float[Array, "steps"], Float[Array, "steps 2"]]]:
    """Returns the state after every step, and the residuals."""

    # 1. One step: what is carried to the next one, what goes on record?
    def step(state: Float[Array, "2"], dt: Float[Array, ""]) -> tuple[Array, Array]:
        after, _ = rk4_step_fwd(state, rates, dt)
        return after, after

    # 2. What does the whole loop return, and what is kept of it?
    states = jax.lax.scan(step, start, dts)[1]
    return states, (start, rates, dts, states)


def simulate_bwd(
    residuals: tuple[Float[Array, "2"], Rates, Float[Array, "steps"], Float[Array, "steps 2"]],
    states_bar: Float[Array, "steps 2"],
) -> tuple[Float[Array, "2"], Rates, None]:
    """Returns (start_bar, rates_bar, None): the lengths of the steps are given."""
    start, rates, dts, states = residuals  # the states alone: what a step made on its way is made again from them
    # 3. At which state did each step begin?
    before = jnp.concatenate([start[None], states[:-1]])

    # 4. One step back: which two cotangents does the state after it have? How is the step's own record made again?
    def step_back(after_bar: Float[Array, "2"], kept: tuple[Array, Array, Array]) -> tuple[Array, Rates]:
        state, dt, row_bar = kept
        _, record = rk4_step_fwd(state, rates, dt)
        state_bar, rates_bar, _ = rk4_step_bwd(record, after_bar + row_bar)
        return state_bar, rates_bar

    # 5. Which step comes first on the way back, and what is carried into it?
    nothing = jnp.zeros_like(start)
    start_bar, every_rates_bar = jax.lax.scan(step_back, nothing, (before, dts, states_bar), reverse=True)
    # 6. Every step used the same rates. What becomes of what came back from each?
    rates_bar = jax.tree.map(lambda bars: jnp.sum(bars, axis=0), every_rates_bar)
    return start_bar, rates_bar, None


def kepler_jvp(
    primals: tuple[Float[Array, "planets"], Float[Array, "planets"]],
    tangents: tuple[Float[Array, "planets"], Float[Array, "planets"]],
) -> tuple[Float[Array, "planets"], Float[Array, "planets"]]:
    """Returns (anomaly, anomaly_dot) when mean anomaly and eccentricity both move."""
    (mean_anomaly, eccentricity), (mean_anomaly_dot, eccentricity_dot) = primals, tangents
    # 1. The equation holds all the time. Both sides of it move at the same speed: which terms are there?
    anomaly = kepler(mean_anomaly, eccentricity)
    known = mean_anomaly_dot + jnp.sin(anomaly) * eccentricity_dot
    # 2. Collect what has anomaly_dot in it. What stands before it?
    anomaly_dot = known / (1 - eccentricity * jnp.cos(anomaly))
    return anomaly, anomaly_dot


def least_squares_fwd(
    a: Float[Array, "rows columns"], b: Float[Array, "rows"]
) -> tuple[Float[Array, "columns"], tuple[Float[Array, "rows columns"], Float[Array, "rows"], Float[Array, "columns"]]]:
    """Returns the x at which a @ x is nearest to b, and the residuals."""
    # 1. What does the way back need beside a and b?
    x = least_squares(a, b)
    return x, (a, b, x)


def least_squares_bwd(
    residuals: tuple[Float[Array, "rows columns"], Float[Array, "rows"], Float[Array, "columns"]],
    x_bar: Float[Array, "columns"],
) -> tuple[Float[Array, "rows columns"], Float[Array, "rows"]]:
    """Returns (a_bar, b_bar)."""
    a, b, x = residuals  # x is kept: without it the equations would have to be solved once more
    # 2. x solves (a.T @ a) @ x = right. What are the cotangents of the right-hand side, and of the matrix?
    right_bar = jnp.linalg.solve(a.T @ a, x_bar)
    matrix_bar = -jnp.outer(right_bar, x)
    # 3. right = a.T @ b. What comes back to b, and what to a?
    b_bar = a @ right_bar
    by_right = jnp.outer(b, right_bar)
    # 4. The matrix is a.T @ a, in which a was used twice. What comes back from each use?
    a_bar = by_right + a @ (matrix_bar + matrix_bar.T)
    return a_bar, b_bar


course.answer("differentiable_programs.q1", (1.3, 0.2))
course.answer("differentiable_programs.q2", (40.0, 2.6))
course.answer("differentiable_programs.q3", "b")
course.answer("differentiable_programs.q4", "d0")
course.answer(
    "differentiable_programs.text",
    """Your loop is a function of twelve numbers, and how badly it fits the readings is a loss. Each step can be gone
through backward, the last one first: it hands a cotangent to the state before it, and something to each constant, and
what the constants get is added up over all steps. So jax.grad gives all twelve slopes for a few times the price of a
run, and a gradient method does the trying out. 100,000 states may be too many to keep: keep every 300th, and make the
steps between again. Since there are only twelve constants, forward mode would do as well, with twelve tangents and no
record at all. It will not help where the model jumps, or where it is chaotic over years: there fit short stretches.""",
)
