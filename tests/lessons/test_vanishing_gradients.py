"""What answers to `vanishing_gradients` must meet: JAX's own numbers, what each rule is for, and the exam paper."""

import itertools
from functools import cache, partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from course.comparison.compiled import QUICK
from course.exercises import find_exercise
from course.exercises.vanishing_gradients import DEEP, cotangent_decades, signal_decades
from course.grading import judge
from course.grading.submission import Submission
from course.lessons.linear_and_activations import relu, sigmoid, tanh
from course.lessons.vanishing_gradients import deep_tanh, relu_slope, sigmoid_slope, signals, tanh_slope
from course.records import Feedback, Status
from solutions.vanishing_gradients import deep_tanh_bwd, deep_tanh_fwd, gradient_norms

LESSON = "vanishing_gradients"
LAYERS, WIDTH, BATCH = 50, 64, 8


@pytest.fixture(autouse=True)
def _float64():
    with jax.enable_x64(True):
        yield


@cache
def network():
    """Signals, weights of variance 1 / width, and a cotangent."""
    rng = np.random.default_rng(3)
    w = rng.standard_normal((LAYERS, WIDTH, WIDTH)) / WIDTH**0.5
    return rng.standard_normal((BATCH, WIDTH)), w, rng.standard_normal((BATCH, WIDTH))


@partial(jax.jit, static_argnums=(0, 1), compiler_options=QUICK)
def norms_of(activation, slope, x, w, y_bar):
    """The norms by hand, and those of JAX's own cotangents of a nudge to what enters each layer."""

    def nudged(nudges):
        def layer(h, inside):
            weights, nudge = inside
            return activation((h + nudge) @ weights), None

        return jax.lax.scan(layer, x, (w, nudges))[0]

    nudges = jnp.zeros((LAYERS, BATCH, WIDTH))
    h_bars = jax.vjp(nudged, nudges)[1](y_bar)[0]
    ours = gradient_norms(slope, signals(activation, x, w)[1], w, y_bar)
    return ours, jnp.sqrt(jnp.sum(h_bars**2, axis=(1, 2)))


KINDS = {"sigmoid": (sigmoid, sigmoid_slope), "tanh": (tanh, tanh_slope), "relu": (relu, relu_slope)}


@cache
def norms(kind, scale=1.0):
    x, w, y_bar = network()
    with jax.enable_x64(True):
        ours, right = norms_of(*KINDS[kind], x, scale * w, y_bar)
    np.testing.assert_allclose(ours, right, rtol=1e-9)
    return np.asarray(ours)


def fall(kind, scale=1.0):
    """By how many powers of ten the norm falls from the last layer to the first."""
    return np.log10(norms(kind, scale)[-1] / norms(kind, scale)[0])


# Slopes and their bounds.


@pytest.mark.parametrize("kind, largest", [("sigmoid", 0.25), ("tanh", 1.0), ("relu", 1.0)])
def test_each_slope_is_the_derivative_and_no_larger_than_is_said(kind, largest):
    activation, slope = KINDS[kind]
    z = jnp.linspace(-8, 8, 1600)  # an even number of points, so that 0 is none of them
    ours, right = jax.jit(lambda z: (slope(z), jax.vmap(jax.grad(activation))(z)), compiler_options=QUICK)(z)
    np.testing.assert_allclose(ours, right, rtol=1e-8)
    assert np.max(ours) <= largest
    np.testing.assert_allclose(np.max(ours), largest, rtol=1e-4)


def test_fifty_quarters_are_the_number_of_the_text():
    assert f"{0.25**50:.1e}" == "7.9e-31"


# Norms by layer, at fifty layers.


def test_norms_by_hand_are_those_of_jax_for_every_activation():
    for kind in KINDS:
        assert norms(kind).shape == (LAYERS,)


def test_sigmoids_lose_a_quarter_and_more_a_layer_and_larger_weights_make_good_for_some_of_it():
    per_layer = fall("sigmoid") / (LAYERS - 1)
    assert per_layer > -np.log10(0.25)
    assert fall("sigmoid", 4.0) < fall("sigmoid") / 2


def test_tanh_at_xavier_s_scale_loses_little_and_with_small_weights_a_factor_a_layer():
    assert 0 < fall("tanh") < 2
    np.testing.assert_allclose(fall("tanh", 0.5), 49 * np.log10(2), rtol=0.05)


def test_relu_loses_half_of_the_squares_a_layer_unless_the_variance_is_doubled():
    np.testing.assert_allclose(fall("relu") - fall("relu", 2**0.5), 49 * np.log10(2**0.5), rtol=1e-9)
    assert abs(fall("relu", 2**0.5)) < 2


@partial(jax.jit, compiler_options=QUICK)
def both_passes(x, w, y_bar):
    """The value and the cotangents, by hand and by JAX."""
    y, residuals = deep_tanh_fwd(x, w)
    right, pullback = jax.vjp(deep_tanh, x, w)
    return (y, *deep_tanh_bwd(residuals, y_bar)), (right, *pullback(y_bar))


def test_the_pair_is_jax_s_at_fifty_layers():
    for ours, theirs in zip(*both_passes(*network()), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-14)


# What is drawn.


@pytest.mark.parametrize("name, kind", [("xavier", "glorot_uniform"), ("he_layers", "he_uniform")])
def test_what_is_asked_for_are_the_variances_of_jax_s_own_initialisers(name, kind):
    task = find_exercise(f"{LESSON}.{name}").task
    sizes = (120, 50)
    (scale,) = jax.tree.leaves(task.scales(*(sizes if name == "xavier" else (sizes,))))
    drawn = getattr(jax.nn.initializers, kind)()(jax.random.key(0), sizes)
    np.testing.assert_allclose(np.var(drawn), scale[0, 0] ** 2, rtol=5 * (2 / drawn.size) ** 0.5)


def drawn_with(variance):
    rng = np.random.default_rng(0)
    return [rng.standard_normal((n, m)) * variance(n, m) ** 0.5 for n, m in itertools.pairwise(DEEP)]


def test_he_s_variance_carries_signal_and_cotangent_through_fifty_layers_and_one_without_the_2_neither():
    right, half = drawn_with(lambda n, m: 2 / n), drawn_with(lambda n, m: 1 / n)
    for decades in (signal_decades, cotangent_decades):
        assert abs(decades(right)) < 2
        np.testing.assert_allclose(decades(half), decades(right) - 50 * np.log10(2), rtol=1e-9)


def test_what_has_gone_to_zero_has_fallen_by_infinitely_many_decades():
    assert signal_decades([np.zeros((5, 5))]) == -np.inf


# The exam paper.


def verdict(name, submission):
    return judge(find_exercise(f"{LESSON}.{name}"), submission, feedback=Feedback.NAME, example=False)


def test_to_keep_what_each_tanh_took_and_what_it_gave_is_right_but_costly():
    def fwd(x, w):
        def layer(h, weights):
            z = h @ weights
            return jnp.tanh(z), (h, z, jnp.tanh(z))

        y, kept = jax.lax.scan(layer, x, w)
        return y, (w, kept)

    def bwd(residuals, y_bar):
        w, (before, _, after) = residuals
        return deep_tanh_bwd((before[0], w, after), y_bar)

    found = verdict("deep_tanh", Submission.of(deep_tanh_fwd=fwd, deep_tanh_bwd=bwd))
    assert found.status is Status.COSTLY
    assert "bytes for backward" in " ".join(found.lines)
