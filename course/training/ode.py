"""The demo `ode`: how fast hares and lynxes multiply and vanish, found from counts of both in many valleys.

    numbers counted at first -> simulate(start, rates, dts) -> numbers to expect, year by year
    loss = half the squared distance from those that were counted

What is learned are the logarithms of the rates, so that no rate becomes negative. The counts are drawn: the rates
behind them are known, and so is how far off the fit is.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from course.lessons.differentiable_programs import Rates, simulate
from course.lessons.losses import half_squared_error
from course.show.plots import Scale
from course.training.data import Examples, Splits, split
from course.training.demo import Demo, Metrics, Score, Settings, TwoFunctions

TRUE = {"birth": 0.6, "hunting": 0.03, "feeding": 0.024, "death": 0.8}
"""Per year, and per year and thousand of the other kind."""

GUESS = {"birth": 1.0, "hunting": 0.05, "feeding": 0.05, "death": 0.5}
"""Where the fit starts, up to a factor that is drawn."""

VALLEYS, COUNTS, YEARS = 540, 24, 6.0
"""How many valleys are watched, how often hares and lynxes are counted in each, and for how long."""

NOISE = 0.01
"""The relative error of a count."""

_FINE = 50
"""Steps between two counts by which the counts are drawn: their own error is far below the noise."""


def counts() -> Splits:
    """Numbers counted at first (valleys, 2), the years between counts (valleys, counts), and what was counted then."""
    random = np.random.default_rng(0)
    start = random.uniform((10, 5), (60, 40), size=(VALLEYS, 2))
    dt = YEARS / COUNTS
    states = [start]
    for _ in range(COUNTS):
        states.append(_later(states[-1], dt))
    seen = np.stack(states, axis=1)
    seen = seen * (1 + NOISE * random.normal(size=seen.shape))
    dts = np.full((VALLEYS, COUNTS), dt)
    examples: Examples = (seen[:, 0], dts, seen[:, 1:])
    return split(examples)


def _later(state: np.ndarray, years: float) -> np.ndarray:
    """The numbers some years later, by small steps of the midpoint method."""
    dt = years / _FINE
    for _ in range(_FINE):
        state = state + dt * _speed(state + dt / 2 * _speed(state))
    return state


def _speed(state: np.ndarray) -> np.ndarray:
    hares, lynxes = state.T
    meetings = hares * lynxes
    return np.stack(
        [TRUE["birth"] * hares - TRUE["hunting"] * meetings, TRUE["feeding"] * meetings - TRUE["death"] * lynxes],
        axis=1,
    )


def init(key: jax.Array) -> Rates:
    """The logarithms of a guess, each moved by up to a fifth."""
    moved = jax.random.uniform(key, (len(GUESS),), minval=0.8, maxval=1.2)
    return Rates(**{name: jnp.log(GUESS[name] * factor) for name, factor in zip(GUESS, moved, strict=True)})


def loss(logs: Rates, start: jax.Array, dts: jax.Array, seen: jax.Array) -> jax.Array:
    """Half the squared distance between what is simulated and what was counted, in thousands, a mean over valleys."""
    states = jax.vmap(simulate, in_axes=(0, None, 0))(start, jax.tree.map(jnp.exp, logs), dts)
    return half_squared_error(_rows(states), _rows(seen))


def assemble(simulate_pair: TwoFunctions, error_pair: TwoFunctions) -> TwoFunctions:
    """The pair of the loss, of those of a simulation and of the squared error."""
    simulate_fwd, simulate_bwd = simulate_pair
    error_fwd, error_bwd = error_pair

    def loss_fwd(logs: Rates, start: jax.Array, dts: jax.Array, seen: jax.Array) -> tuple[jax.Array, Any]:
        rates = jax.tree.map(jnp.exp, logs)
        states, simulated = jax.vmap(simulate_fwd, in_axes=(0, None, 0))(start, rates, dts)
        value, compared = error_fwd(_rows(states), _rows(seen))
        return value, (rates, seen, simulated, compared)

    def loss_bwd(residuals: Any, loss_bar: jax.Array) -> tuple[Rates, None, None, None]:
        rates, seen, simulated, compared = residuals
        rows_bar, _ = error_bwd(compared, loss_bar)
        _, every_rates_bar, _ = jax.vmap(simulate_bwd)(simulated, rows_bar.reshape(seen.shape))
        # Every valley used the same rates, and a rate is the exponential of what is learned.
        logs_bar = jax.tree.map(lambda bars, rate: jnp.sum(bars, axis=0) * rate, every_rates_bar, rates)
        return logs_bar, None, None, None

    return loss_fwd, loss_bwd


def _rows(states: jax.Array) -> jax.Array:
    """All counts of a valley in a row."""
    return states.reshape(len(states), -1)


def metrics(logs: Rates, *examples: jax.Array) -> Metrics:
    """The loss, and by which share of itself the worst rate is off."""
    off = jnp.stack([jnp.abs(jnp.exp(getattr(logs, name)) / rate - 1) for name, rate in TRUE.items()])
    return {"loss": loss(logs, *examples), "off": jnp.max(off)}


DEMO = Demo(
    name="ode",
    title="the rates of hares and lynxes, from counts in 540 valleys",
    exercises=("differentiable_programs.simulate", "losses.half_squared_error"),
    assemble=assemble,
    loss=loss,
    init=init,
    read_data=counts,
    metrics=metrics,
    score=Score("off", Scale("error of the worst rate", "%", 100), aim=0.01, less=True),
    settings=Settings(steps=600, batch=36, lr=0.02, dtype="float64"),
    chunk_steps=100,
)
