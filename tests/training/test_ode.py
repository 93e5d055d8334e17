"""Claims about the demo that finds the rates of hares and lynxes."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from course.lessons.differentiable_programs import Rates
from course.training.both import train
from course.training.gradients import by_hand
from course.training.ode import COUNTS, DEMO, NOISE, TRUE, YEARS, counts
from course.training.pair import compare_on_network, find_pair
from course.training.results import HAND


@pytest.fixture(scope="module")
def pair():
    return find_pair(DEMO)


def test_the_counts_are_what_the_true_rates_give_but_for_the_noise():
    start, dts, seen = counts().test
    with jax.enable_x64(True):
        logs = Rates(**{name: jnp.log(rate) for name, rate in TRUE.items()})
        value = float(jax.jit(DEMO.loss)(logs, start, dts, seen))
    from_the_noise = np.mean(0.5 * np.sum((NOISE * seen) ** 2, axis=(1, 2)))
    assert from_the_noise < value < 3 * from_the_noise  # the first counts err, too
    assert dts.shape == (len(start), COUNTS)
    assert dts[0].sum() == pytest.approx(YEARS)


def test_the_pair_that_is_made_of_two_agrees_with_jax_on_every_rate(pair):
    comparison = compare_on_network(pair, counts())
    assert comparison.agrees
    assert [array.path for array in comparison.arrays] == [f"logs_bar.{name}" for name in Rates._fields]


def test_pairs_in_another_accepted_form_are_put_together_all_the_same(pair):
    simulate_fwd, simulate_bwd = (pair.found.values[name] for name in ("simulate_fwd", "simulate_bwd"))

    def in_lists(residuals, states_bar):
        start_bar, rates_bar, _ = simulate_bwd(residuals, states_bar)
        return [start_bar, tuple(rates_bar), None]

    values = {**pair.found.values, "simulate_fwd": simulate_fwd, "simulate_bwd": in_lists}
    other = dataclasses.replace(pair, found=dataclasses.replace(pair.found, values=values))
    assert compare_on_network(other, counts()).agrees


def test_the_default_settings_find_every_rate_within_a_hundredth(pair):
    results = train({HAND: by_hand(*pair.functions)}, DEMO)
    assert DEMO.score.aim == 0.01
    assert DEMO.score.reached(results.scores[HAND])
