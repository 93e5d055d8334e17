"""What answers to `differentiable_programs` must meet: JAX's own numbers, laws of the systems, and the exam paper."""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import course
from course.exercises import find_exercise, paper_of
from course.exercises.tasks.drawing import Draw
from course.grading import judge
from course.grading.submission import Submission
from course.lessons.differentiable_programs import (
    Rates,
    euler_step,
    growth,
    growth_bwd,
    kepler,
    least_squares,
    simulate,
)
from course.quick_compile import QUICK
from course.records import Feedback, Status
from solutions.differentiable_programs import (
    kepler_jvp,
    least_squares_bwd,
    least_squares_fwd,
    rk4_step_bwd,
    rk4_step_fwd,
    simulate_bwd,
    simulate_fwd,
)

LESSON = "differentiable_programs"
TRUE = Rates(0.55, 0.028, 0.024, 0.80)
START = (30.0, 4.0)
STEPS = 200
DTS = np.full(STEPS, 0.1)


@pytest.fixture(autouse=True)
def _float64():
    with jax.enable_x64(True):
        yield


def quick(function):
    return jax.jit(function, compiler_options=QUICK)


# The simulation.


@cache
def states():
    with jax.enable_x64(True):
        return np.asarray(quick(simulate)(jnp.array(START), Rates(*map(jnp.asarray, TRUE)), DTS))


def unchanged(path):
    """What hares and lynxes keep constant for ever, at every state of a path."""
    hares, lynxes = np.asarray(path).T
    return TRUE.feeding * hares - TRUE.death * np.log(hares) + TRUE.hunting * lynxes - TRUE.birth * np.log(lynxes)


def test_runge_and_kutta_s_steps_keep_what_the_system_keeps_and_euler_s_do_not():
    rates = Rates(*map(jnp.asarray, TRUE))
    by_euler = quick(lambda start: jax.lax.scan(lambda at, dt: (euler_step(at, rates, dt),) * 2, start, DTS)[1])
    first = unchanged([START])[0]
    assert np.max(np.abs(unchanged(states()) - first)) < 1e-4
    assert unchanged(by_euler(jnp.array(START)))[-1] - first > 0.1


def test_the_given_backward_pass_of_growth_is_jax_s():
    at, speed_bar = (jnp.array([3.0, -2.0]), Rates(*map(jnp.asarray, (0.3, -1.5, 0.7, 2.0)))), jnp.array([1.5, -0.5])
    right = quick(lambda state, rates: jax.vjp(growth, state, rates)[1](speed_bar))(*at)
    for ours, theirs in zip(*map(jax.tree.leaves, (growth_bwd(at, speed_bar), right)), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)


@cache
def both_passes():
    """The cotangents of two hundred steps, by hand and by JAX."""

    def both(start, rates, dts, states_bar):
        _, pullback = jax.vjp(lambda start, rates: simulate(start, rates, dts), start, rates)
        return simulate_bwd(simulate_fwd(start, rates, dts)[1], states_bar)[:2], pullback(states_bar)

    with jax.enable_x64(True):
        states_bar = np.random.default_rng(0).standard_normal((STEPS, 2))
        return quick(both)(jnp.array(START), Rates(*map(jnp.asarray, TRUE)), DTS, states_bar)


def test_the_adjoint_by_hand_is_jax_s_over_twenty_years():
    for ours, theirs in zip(*map(jax.tree.leaves, both_passes()), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9)


def test_the_rates_are_found_within_a_percent_in_counts_with_errors_of_three():
    run = course.as_jax(simulate_fwd, simulate_bwd)
    seen = states() * np.exp(0.03 * np.random.default_rng(0).standard_normal(states().shape))
    adam = optax.adam(0.05)

    def loss(logs):
        rates, start = jax.tree.map(jnp.exp, logs)
        return jnp.mean((jnp.log(run(start, rates, jnp.asarray(DTS))) - jnp.log(seen)) ** 2)

    def step(carried, _):
        logs, state = carried
        updates, state = adam.update(jax.grad(loss)(logs), state)
        return (optax.apply_updates(logs, updates), state), None

    guess = jax.tree.map(jnp.log, (Rates(0.73, 0.019, 0.032, 0.54), jnp.asarray(seen[0])))
    found = quick(lambda logs: jax.lax.scan(step, (logs, adam.init(logs)), length=300)[0][0][0])(guess)
    np.testing.assert_allclose(np.exp(found), TRUE, rtol=1e-2)


# The solver.


def test_kepler_s_equation_is_solved_for_every_ellipse_and_gives_the_anomaly_of_a_textbook():
    """J. Meeus, "Astronomical Algorithms", example 30.a: 5 degrees at an eccentricity of 0.1."""
    mean, eccentricity = np.deg2rad(np.array([5.0, 0.0, 181.0, -400.0])), np.array([0.1, 0.5, 0.95, 0.3])
    anomaly = np.asarray(quick(kepler)(mean, eccentricity))
    np.testing.assert_allclose(anomaly - eccentricity * np.sin(anomaly), mean, atol=1e-14)
    np.testing.assert_allclose(np.rad2deg(anomaly[0]), 5.554589, atol=5e-7)


def test_reverse_mode_is_refused_by_the_loop_and_works_by_the_rule():
    at = jnp.array([0.3, 2.0]), jnp.array([0.7, 0.2])
    with pytest.raises(ValueError, match="while_loop"):
        jax.vjp(kepler, *at)[1](at[0])
    ruled = jax.custom_jvp(kepler)
    ruled.defjvp(kepler_jvp)
    anomaly, (mean_bar, _) = quick(lambda *at: (kepler(*at), jax.vjp(ruled, *at)[1](jnp.ones(2))))(*at)
    np.testing.assert_allclose(mean_bar, 1 / (1 - at[1] * np.cos(anomaly)), rtol=1e-12)


# The fit.


def test_a_fit_is_numpy_s_and_points_pull_at_a_slope_by_their_distance_from_the_middle():
    there, measured = np.array([0.0, 1.0, 2.0, 4.0, 8.0]), np.array([1.0, 3.0, 2.0, 5.0, 4.0])
    line = np.stack([np.ones(5), there], axis=1)
    x, kept = least_squares_fwd(jnp.asarray(line), jnp.asarray(measured))
    np.testing.assert_allclose(x, np.linalg.lstsq(line, measured, rcond=None)[0], rtol=1e-12)
    np.testing.assert_allclose(least_squares(jnp.asarray(line), jnp.asarray(measured)), x, rtol=1e-12)
    off = there - there.mean()
    np.testing.assert_allclose(least_squares_bwd(kept, jnp.array([0.0, 1.0]))[1], off / np.sum(off**2), atol=1e-14)


# The exam paper.


def verdict(name, submission):
    return judge(find_exercise(f"{LESSON}.{name}"), submission, feedback=Feedback.NAME, example=False)


def test_to_keep_every_stage_of_every_step_is_right_but_costly():
    def fwd(start, rates, dts):
        def step(state, dt):
            after, (stages, _, _) = rk4_step_fwd(state, rates, dt)
            return after, (after, jnp.stack(stages))

        states, stages = jax.lax.scan(step, start, dts)[1]
        return states, (rates, dts, stages)

    def bwd(residuals, states_bar):
        rates, dts, stages = residuals

        def back(after_bar, kept):
            four, dt, row_bar = kept
            state_bar, rates_bar, _ = rk4_step_bwd((list(four), rates, dt), after_bar + row_bar)
            return state_bar, rates_bar

        start_bar, bars = jax.lax.scan(back, 0 * states_bar[0], (stages, dts, states_bar), reverse=True)
        return start_bar, jax.tree.map(lambda rows: rows.sum(0), bars), None

    own = {"rk4_step_fwd": rk4_step_fwd, "rk4_step_bwd": rk4_step_bwd}
    found = verdict("simulate", Submission.of(**own, simulate_fwd=fwd, simulate_bwd=bwd))
    assert found.status is Status.COSTLY
    assert "bytes for backward" in " ".join(found.lines)


@pytest.mark.parametrize("small", [(1, 1), (1, 2), (2, 2), (1, 3)])
def test_a_fit_on_paper_has_one_solution(small):
    task = find_exercise(f"{LESSON}.least_squares").task
    a, b = task.draw(Draw(0, small))
    assert np.linalg.matrix_rank(a) == a.shape[1]
    assert len(a) == len(b)


def test_four_to_nine_exercises_are_required():
    assert 4 <= sum(exercise.required for exercise in paper_of(LESSON).exercises) <= 9
