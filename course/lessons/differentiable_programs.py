"""Programs that are no networks: a simulation step by step, a solver that stops when it is done, a least-squares fit.

    speed of (hares, lynxes)  = (birth * hares - hunting * hares * lynxes,  feeding * hares * lynxes - death * lynxes)

    Euler                       y = state + dt * growth(state)
    Runge and Kutta             k1 = growth(state)
                                k2 = growth(state + dt / 2 * k1)
                                k3 = growth(state + dt / 2 * k2)
                                k4 = growth(state + dt * k3)
                                y = state + dt / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    Kepler's equation           anomaly - eccentricity * sin(anomaly) = mean_anomaly
    normal equations            a.T @ a @ x = a.T @ b

Source: A. J. Lotka, "Elements of Physical Biology", 1925, and V. Volterra, "Fluctuations in the abundance of a species
considered mathematically", Nature 118, 1926, for the hares and lynxes; W. Kutta, "Beitrag zur näherungsweisen
Integration totaler Differentialgleichungen", 1901; A. Griewank, A. Walther, "Evaluating Derivatives", second edition,
SIAM, 2008, chapter 15, for equations that define a value.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

ROUNDING = 4
"""Last places within which a step of Newton's is no step any more."""

MOST_STEPS = 50
"""Of Newton's: an orbit that is not solved by then never will be."""


class Rates(NamedTuple):
    """How fast hares and lynxes multiply and vanish; per year, and per year and thousand of the other kind."""

    birth: Float[Array, ""]
    hunting: Float[Array, ""]
    feeding: Float[Array, ""]
    death: Float[Array, ""]


def growth(state: Float[Array, "2"], rates: Rates) -> Float[Array, "2"]:
    """Returns how fast the numbers of hares and lynxes grow, in thousands per year."""
    hares, lynxes = state
    meetings = hares * lynxes
    return jnp.stack([rates.birth * hares - rates.hunting * meetings, rates.feeding * meetings - rates.death * lynxes])


def growth_bwd(
    residuals: tuple[Float[Array, "2"], Rates], speed_bar: Float[Array, "2"]
) -> tuple[Float[Array, "2"], Rates]:
    """Returns (state_bar, rates_bar) of `growth`, of which state and rates were kept."""
    (hares, lynxes), rates = residuals
    hares_speed_bar, lynxes_speed_bar = speed_bar
    meetings_bar = rates.feeding * lynxes_speed_bar - rates.hunting * hares_speed_bar
    hares_bar = rates.birth * hares_speed_bar + lynxes * meetings_bar
    lynxes_bar = -rates.death * lynxes_speed_bar + hares * meetings_bar
    meetings = hares * lynxes
    rates_bar = Rates(
        hares * hares_speed_bar, -meetings * hares_speed_bar, meetings * lynxes_speed_bar, -lynxes * lynxes_speed_bar
    )
    return jnp.stack([hares_bar, lynxes_bar]), rates_bar


def euler_step(state: Float[Array, "2"], rates: Rates, dt: Float[Array, ""]) -> Float[Array, "2"]:
    """Returns the state after dt years, as if the speed stayed what it is now."""
    return state + dt * growth(state, rates)


def rk4_step(state: Float[Array, "2"], rates: Rates, dt: Float[Array, ""]) -> Float[Array, "2"]:
    """Returns the state after dt years by the method of Runge and Kutta: four speeds, averaged."""
    k1 = growth(state, rates)
    k2 = growth(state + dt / 2 * k1, rates)
    k3 = growth(state + dt / 2 * k2, rates)
    k4 = growth(state + dt * k3, rates)
    return state + dt / 6 * (k1 + 2 * k2 + 2 * k3 + k4)


def simulate(start: Float[Array, "2"], rates: Rates, dts: Float[Array, "steps"]) -> Float[Array, "steps 2"]:
    """Returns the state after every step; `dts` says how long each of them takes, in years."""

    def step(state: Float[Array, "2"], dt: Float[Array, ""]) -> tuple[Array, Array]:
        after = rk4_step(state, rates, dt)
        return after, after

    return jax.lax.scan(step, start, dts)[1]


def kepler(mean_anomaly: Float[Array, "planets"], eccentricity: Float[Array, "planets"]) -> Float[Array, "planets"]:
    """Returns the anomaly of planets on their ellipses, in radians: Newton's steps until none of them moves."""
    enough = ROUNDING * jnp.finfo(mean_anomaly.dtype).eps

    def goes_on(carried: tuple[Array, Array, Array]) -> Bool[Array, ""]:
        anomaly, moved, count = carried
        return jnp.any(jnp.abs(moved) > enough * (1 + jnp.abs(anomaly))) & (count < MOST_STEPS)

    def newton(carried: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        anomaly, _, count = carried
        off = anomaly - eccentricity * jnp.sin(anomaly) - mean_anomaly
        moved = off / (1 - eccentricity * jnp.cos(anomaly))
        return anomaly - moved, moved, count + 1

    start = mean_anomaly + eccentricity * jnp.sin(mean_anomaly)
    return jax.lax.while_loop(goes_on, newton, (start, jnp.full_like(start, jnp.inf), jnp.zeros((), int)))[0]


def least_squares(a: Float[Array, "rows columns"], b: Float[Array, "rows"]) -> Float[Array, "columns"]:
    """Returns the x at which a @ x is nearest to b, by the normal equations."""
    return jnp.linalg.solve(a.T @ a, a.T @ b)
