"""What is known of a `while` loop's length: just as much as the program says."""

import jax
import jax.numpy as jnp
import pytest

from course.comparison.counting import count, count_jaxpr


def loop(goes_on, step, start):
    return lambda x: jax.lax.while_loop(lambda s: goes_on(s[0]), lambda s: (step(s[0]), s[1] * x), (start, x))[1]


STATED = {
    "up to": (loop(lambda i: i < 10, lambda i: i + 1, 0), 10),
    "up to and with": (loop(lambda i: i <= 10, lambda i: 2 + i, 0), 6),
    "from the other side": (loop(lambda i: i < 10, lambda i: i + 3, 1), 3),
    "never": (loop(lambda i: i < 0, lambda i: i + 1, 5), 0),
}
UNSTATED = {
    "depends on the numbers": loop(lambda i: i < 10, lambda i: i * 2, 1),
    "counts down": loop(lambda i: i > 0, lambda i: i - 1, 10),
}


@pytest.mark.parametrize("function, passes", STATED.values(), ids=STATED)
def test_a_loop_that_states_its_length_costs_that_many_passes(function, passes):
    found = count(function, jnp.ones(5))
    assert found.flops == passes * 5  # numbers multiplied; counting is free
    assert not found.notes


@pytest.mark.parametrize("function", UNSTATED.values(), ids=UNSTATED)
def test_a_loop_that_does_not_is_counted_as_often_as_one_says(function):
    traced = jax.make_jaxpr(function)(jnp.ones(5))
    once, often = count_jaxpr(traced), count_jaxpr(traced, unknown_passes=7)
    assert often.flops == 7 * once.flops
    assert "one is counted" in once.notes[0]
    assert "7 counted" in often.notes[0]
