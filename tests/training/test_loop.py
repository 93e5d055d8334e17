"""Claims about whole runs."""

import dataclasses
import math
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from course.training.both import train_both, train_by_jax
from course.training.gradients import by_jax
from course.training.loop import Diverged, Track, Training, refuse_divergence
from course.training.mlp import DEMO
from course.training.results import HAND, JAX, results_of
from course.training.steps import in_bfloat16


def test_by_hand_and_by_jax_are_one_curve_to_rounding(trainings, to_the_end):
    training = trainings()
    results = results_of(training, to_the_end(training, training.start()))
    assert results.difference.largest < 1e-13
    assert results.difference.rounding
    assert results.curves[HAND].losses[-1] < 0.8 * results.curves[HAND].losses[0]


def test_the_same_settings_give_the_same_numbers_and_another_seed_others(trainings, to_the_end):
    first = trainings([JAX])
    again = Training(first.demo, first.settings, first.gradients, first.splits)
    other = trainings([JAX], seed=1)
    losses = [to_the_end(training, training.start()).tracks[JAX].losses for training in (first, again, other)]
    assert losses[0] == losses[1]
    assert losses[0] != losses[2]


def test_a_run_takes_exactly_its_steps_though_they_are_no_whole_epochs(trainings, to_the_end):
    run = to_the_end(trainings([JAX]), trainings([JAX]).start())
    assert run.step == 40 == len(run.tracks[JAX].losses)
    assert len(run.tracks[JAX].scores) == 2  # of two whole epochs of 18 steps
    assert len(run.tracks[JAX].seconds) == 3


def test_a_demo_may_say_when_the_test_data_are_looked_at(demo, splits):
    often = dataclasses.replace(demo, steps_between_looks=7, sample=lambda params, key: "")
    training = Training(often, often.settings, {JAX: by_jax(demo.loss)}, splits)
    ends, step = [], 0
    while step < training.settings.steps:
        step += training.steps_of_chunk(step)
        ends.append(step)
    assert ends == [7, 14, 18, 21, 28, 35, 36, 40]
    assert [step for step in ends if training.sampled(step)] == [7, 14, 28]


def test_the_score_of_the_results_is_that_of_the_last_step(trainings, to_the_end):
    training = trainings([JAX])
    run = to_the_end(training, training.start())
    results = results_of(training, run)
    images, labels = training.splits.test
    logits = np.asarray(images)
    for layer in run.tracks[JAX].state.params.layers[:-1]:
        logits = np.maximum(logits @ np.asarray(layer.w) + np.asarray(layer.b), 0)
    last = run.tracks[JAX].state.params.layers[-1]
    logits = logits @ np.asarray(last.w) + np.asarray(last.b)
    assert results.scores[JAX] == pytest.approx(np.mean(logits.argmax(-1) == labels), abs=1e-9)
    assert results.curves[JAX].scores[-1] == results.scores[JAX]


def test_mixed_precision_keeps_float32_and_multiplies_in_bfloat16(trainings, to_the_end):
    training = trainings(dtype="mixed")
    state = training.new_state()
    assert {leaf.dtype for leaf in jax.tree.leaves(state.params)} == {jnp.dtype("float32")}
    gradient = in_bfloat16(training.gradients[HAND])
    program = str(jax.make_jaxpr(gradient)(state.params, *(array[:64] for array in training.splits.train)))
    products = [line for line in program.splitlines() if "dot_general" in line]
    assert products
    assert all(re.match(r" *\w+:bf16", line) for line in products)
    losses = to_the_end(training, training.start()).tracks
    exact = to_the_end(trainings(dtype="float32"), trainings(dtype="float32").start()).tracks
    for name in (HAND, JAX):
        assert losses[name].losses[-1] == pytest.approx(exact[name].losses[-1], rel=0.05)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_parameters_and_moments_have_the_type_that_was_asked_for(trainings, dtype):
    state = trainings([JAX], dtype=dtype).new_state()
    floating = [leaf.dtype for leaf in jax.tree.leaves(state) if jnp.issubdtype(leaf.dtype, jnp.floating)]
    assert set(floating) == {jnp.dtype(dtype)}


def test_nothing_of_a_run_in_float64_is_left_behind(trainings):
    trainings([JAX]).advance(trainings([JAX]).start())
    assert jnp.ones(1).dtype == "float32"


def test_a_learning_rate_far_too_high_is_stopped_with_the_step(demo, splits, trainings):
    training = trainings([JAX], lr=1e3)
    with pytest.raises(Diverged, match=r"The loss is \S+ at step 18; it was 2\.\d+ at step 1, .* most in layers\["):
        training.advance(training.start())


def test_a_loss_that_is_no_number_is_stopped_at_its_step(demo, splits):
    def nan_from_step_three(params, *batch):
        moved = jnp.abs(params.layers[0].b).max() > 2.5 * demo.settings.lr  # a bias moves by lr a step at first
        loss, gradient = jax.value_and_grad(demo.loss)(params, *batch)
        return jnp.where(moved, jnp.nan, loss), gradient

    training = Training(demo, demo.settings, {HAND: nan_from_step_three}, splits)
    with pytest.raises(Diverged, match="The loss is nan at step 4;"):
        training.advance(training.start())


@pytest.mark.parametrize(
    ("first", "second"),
    [([1.0, 9.0, 9.0], [8.0, 9.0, 9.0]), ([1.0, math.nan, math.nan], [1.0, 9e9, math.nan])],
    ids=["the most times as large", "no number first"],
)
def test_the_layer_that_went_first_is_named(first, second):
    track = Track(None, losses=(1.0, 50.0, 50.0), norms={"second": second, "first": first}, watched={"loss": 50.0})
    with pytest.raises(Diverged, match=r"the gradient grew most in first$"):
        refuse_divergence(track, 2)


def test_train_both_tells_of_its_progress_from_the_compiled_start_to_the_end(demo, solution):
    seen = []
    results = train_both(demo, *solution, steps=18, on_progress=lambda run: seen.append(run.step))
    assert seen == [0, 18]
    assert results.difference.rounding
    assert results.ratio.turns == 1


def test_the_default_settings_reach_the_stated_accuracy():
    assert DEMO.score.reached(train_by_jax(DEMO).scores[JAX])


@pytest.mark.parametrize(
    "seed",
    [pytest.param(1, marks=pytest.mark.slow), *(pytest.param(seed, marks=pytest.mark.exhaustive) for seed in (2, 3))],
)
def test_the_stated_accuracy_hangs_on_neither_seed_nor_precision(seed):
    demo = dataclasses.replace(DEMO, settings=dataclasses.replace(DEMO.settings, seed=seed, dtype="float32"))
    assert DEMO.score.reached(train_by_jax(demo).scores[JAX])
