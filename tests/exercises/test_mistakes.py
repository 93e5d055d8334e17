"""Claims about the catalogues: no mistake is right, each keeps the value, all can be told apart and are named."""

import dataclasses
from functools import cache
from itertools import combinations
from typing import NamedTuple

import jax
import numpy as np
import pytest

from course.authoring.checkout import PACKAGE, this_checkout
from course.authoring.leaks import asked_of, leaks
from course.authoring.solution import read_solution
from course.comparison.diagnosis import diagnose
from course.comparison.judging import judging, stream
from course.comparison.mistakes import parts_of
from course.comparison.norms import norm
from course.comparison.oracle import find_truth
from course.comparison.parts import take_apart
from course.comparison.point import Point, make_point
from course.comparison.precision import FLOAT64
from course.comparison.trees import Matched
from course.comparison.wrong import Expected, Wrong, cotangents_expected
from course.exercises import find_exercise, paper_of, papers
from course.exercises.tasks.drawing import Draw
from course.exercises.tasks.pair import PairTask
from course.exercises.tasks.tangent_rule import TangentRuleTask
from course.lessons import SYLLABUS
from course.quick_compile import QUICK
from course.records import Agreement
from tests.exercises.daily import daily

SEPARATED = {
    "chain_rule.square": 0.03,
    "chain_rule.sine_of_square": 0.01,
    "chain_rule.neuron_loss": 0.03,
    "chain_rule.swish": 0.005,
    "chain_rule.forked": 0.1,
    "vector_chain_rule.matvec": 0.5,
    "vector_chain_rule.add_row": 0.7,
    "vector_chain_rule.row_sums": 0.5,
    "vector_chain_rule.repeat_each": 0.2,
    "vector_chain_rule.gather": 0.3,
    "vector_chain_rule.shares": 0.07,
    "vector_chain_rule.turn": 0.8,
    "two_layer_network.cotangents": 0.2,
    "two_layer_network.pair": 0.2,
    "two_layer_network.batch": 0.3,
    "parameter_trees.line": 0.06,
    "linear_and_activations.affine": 0.5,
    "linear_and_activations.relu": 0.008,
    "linear_and_activations.sigmoid": 0.08,
    "linear_and_activations.tanh": 0.1,
    "linear_and_activations.softplus": 0.35,
    "linear_and_activations.silu": 0.24,
    "linear_and_activations.gelu": 0.0004,
    "linear_and_activations.gelu_tanh": 0.0004,
    "losses.half_squared_error": 0.28,
    "losses.binary_cross_entropy": 0.25,
    "losses.softmax_cross_entropy": 0.1,
    "losses.smoothed_cross_entropy": 0.07,
    "losses.masked_cross_entropy": 0.24,
    "mlp.mlp": 0.4,
    "mlp.mlp_loss": 0.15,
    "mlp.hidden_layers": 0.6,
    "forward_mode.tanh": 0.1,
    "forward_mode.matmul": 0.45,
    "forward_mode.network": 0.3,
    "forward_mode.quotient": 0.4,
    "forward_mode.logsumexp": 0.2,
    "vanishing_gradients.deep_tanh": 0.4,
    "cost_of_backprop.shared_layers": 0.35,
    "normalization.centre": 0.05,
    "normalization.reciprocal_std": 0.02,
    "normalization.layer_norm_in_steps": 0.008,
    "normalization.layer_norm": 0.008,
    "normalization.rms_norm": 0.007,
    "normalization.batch_norm": 0.0002,
    "normalization.batch_norm_evaluation": 0.01,
    "normalization.group_norm": 0.002,
    "skip_connections.skip_block": 0.25,
    "skip_connections.skip_stack": 0.25,
    "skip_connections.pre_norm_block": 0.15,
    "skip_connections.post_norm_block": 0.25,
    "skip_connections.dropout": 0.25,
    "skip_connections.stochastic_depth": 0.08,
    "exploding_gradients.recurrent": 0.5,
    "exploding_gradients.clip_to_norm": 0.03,
    "differentiable_programs.euler_step": 0.2,
    "differentiable_programs.rk4_step": 0.008,
    "differentiable_programs.simulate": 0.07,
    "differentiable_programs.kepler": 0.04,
    "differentiable_programs.least_squares": 0.25,
    "convolution.slide": 0.25,
    "convolution.conv_1d": 0.12,
    "convolution.conv_2d": 0.75,
    "convolution.transposed_conv_1d": 0.6,
    "convolution.grouped_conv_1d": 0.1,
    "pooling.average_pool": 0.4,
    "pooling.max_pool": 0.14,
    "pooling.overlapping_max_pool": 0.22,
    "pooling.cnn_loss": 0.3,
    "recurrent.rnn_step": 0.2,
    "recurrent.rnn": 0.25,
    "recurrent.last_state": 0.6,
    "recurrent.char_rnn_loss": 0.3,
    "lstm.lstm_step": 0.08,
    "lstm.lstm": 0.2,
    "lstm.gru_step": 0.08,
    "embedding.embed": 0.5,
    "embedding.embed_padded": 0.2,
    "embedding.readout": 0.6,
    "embedding.tied_model": 0.2,
    "attention.softmax": 0.06,
    "attention.attend": 0.25,
    "attention.self_attention": 0.35,
    "attention.rotary": 0.15,
    "custom_rules.log1pexp": 0.2,
    "custom_rules.fused_cross_entropy": 0.3,
    "custom_rules.fake_quantize": 0.01,
    "custom_rules.projected_cross_entropy": 0.4,
    "flash_attention.attend_tile": 0.35,
    "flash_attention.attend_all": 0.08,
    "flash_attention.causal_attend": 0.6,
    "flash_attention.multi_query": 0.35,
    "checkpointing.separate_layers": 0.2,
    "checkpointing.segmented_layers": 0.6,
    "checkpointing.halved_layers": 0.4,
    "checkpointing.reversible_blocks": 0.7,
    "transformer.feed_forward": 0.3,
    "transformer.block": 0.15,
    "transformer.gpt_loss": 0.12,
}
"""How far apart any two mistakes, and any mistake and the truth, are at least: the worst array, relative to its norm.

Naming takes 1e-6. What is near to another mistake by nature: one number alone, a relu that leaks a hundredth, the two
forms of gelu, and what a state sends to an array that is large.
"""

SEEDS = (0, 1)
FEWEST = 6
LAST = 1e-15
"""What a compiler may leave of `sloped - sloped` where the value is zero."""
DERIVED = (PairTask, TangentRuleTask)
"""Kinds of tasks whose mistakes are functions of the right value and another derivative."""
NAMES = [exercise.name for paper in papers() for exercise in paper.exercises if isinstance(exercise.task, DERIVED)]


class At(NamedTuple):
    """What the mistakes of an exercise give at one draw, for the arrays that are asked for; the truth comes first.

    They are cotangents of a pair's arguments, or tangents of a rule's value, for each argument that moves alone.
    """

    point: Point
    expected: Expected
    names: list[str]
    parts: list[dict[str, np.ndarray]]


def task_of(name: str) -> PairTask | TangentRuleTask:
    task = find_exercise(name).task
    assert isinstance(task, DERIVED)
    return task


@cache
def at(name: str, seed: int) -> At:
    task = task_of(name)
    with judging():
        point = make_point(task.primal, task.draw(Draw(seed))).cast(np.float64)
        expected = cotangents_of(point, seed) if isinstance(task, PairTask) else tangents_of(point, seed)
        mistaken = tuple(mistake.primal for mistake in task.mistakes)
        found = parts_of((task.primal, *mistaken), point, expected.way, expected.handed)
    paths = list(expected.numbers)
    kept = [place for place, path in enumerate(paths) if asked(task, point, path)]
    names = ["right", *(mistake.name for mistake in task.mistakes)]
    return At(point, expected, names, [{paths[place]: arrays[place] for place in kept} for arrays in found])


def cotangents_of(point: Point, seed: int) -> Expected:
    return cotangents_expected(point, find_truth(point, FLOAT64, stream(seed)))


def tangents_of(point: Point, seed: int) -> Expected:
    """What is right of a value that is one array; it is found whatever a rule says, so this one says nothing."""
    y = jax.eval_shape(point.primal, *point.primals)
    nothing = [Matched("y_dot", None, np.zeros(y.shape))]
    return take_apart(point, lambda x_dot: nothing, FLOAT64, stream(seed)).wrong.truth


def asked(task: PairTask | TangentRuleTask, point: Point, path: str) -> bool:
    """Whether an answer must give an array; a rule gives all of them."""
    if isinstance(task, TangentRuleTask):
        return True
    places = [place for place in task.asked or range(len(point.names)) if place not in task.data]
    return path.partition(".")[0].removesuffix("_bar") in {point.names[place] for place in places}


def distance(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> float:
    """Of the worst array, relative to the larger of the two norms."""
    return max(norm(one[path] - other[path]) / (max(norm(one[path]), norm(other[path])) or 1.0) for path in one)


def test_every_pair_and_rule_has_a_catalogue_of_mistakes_with_names_of_their_own():
    assert sorted(SEPARATED) == sorted(NAMES)
    for name in NAMES:
        names = [mistake.name for mistake in task_of(name).mistakes]
        assert len(names) >= FEWEST
        assert len(set(names)) == len(names)


@pytest.mark.parametrize("name", daily(NAMES))
def test_a_mistake_keeps_the_value_at_ordinary_and_awkward_inputs(name):
    task = task_of(name)
    functions = (task.primal, *(mistake.primal for mistake in task.mistakes))
    values = jax.jit(lambda *primals: [function(*primals) for function in functions], compiler_options=QUICK)
    for draw in (task.draw, *(case.draw for case in task.awkward)):
        with judging():
            right, *others = values(*make_point(task.primal, draw(Draw(0))).cast(np.float64).primals)
        for mistake, value in zip(task.mistakes, others, strict=True):
            for output, as_it_is in zip(jax.tree.leaves(value), jax.tree.leaves(right), strict=True):
                np.testing.assert_allclose(output, as_it_is, rtol=1e-12, atol=LAST, err_msg=mistake.name)


@pytest.mark.parametrize("name", daily(NAMES))
def test_drawn_inputs_tell_every_mistake_from_every_other_and_from_the_truth(name):
    for seed in SEEDS:
        found = at(name, seed)
        named = zip(found.names, found.parts, strict=True)
        apart = {(a, b): distance(one, other) for (a, one), (b, other) in combinations(named, 2)}
        nearest = min(apart, key=apart.__getitem__)
        assert apart[nearest] >= SEPARATED[name], (seed, nearest)


@pytest.mark.parametrize("name", daily(NAMES))
def test_every_mistake_is_named_and_by_no_other_name(name):
    for seed in SEEDS:
        for place, mistake in enumerate(task_of(name).mistakes, 1):
            again = given(name, SEEDS[(SEEDS.index(seed) + 1) % len(SEEDS)], place)
            with judging():
                causes = diagnose(dataclasses.replace(given(name, seed, place), again=again), task_of(name).mistakes)
            assert [(cause.tier, cause.name) for cause in causes] == [("mistake", mistake.name)]


def given(name: str, seed: int, place: int) -> Wrong:
    """The answer that gives what a mistake gives."""
    found = at(name, seed)
    right, numbers = found.parts[0], found.parts[place]
    rows = [Matched(path, None, array) for path, array in numbers.items()]
    arrays = [agreement(path, array, right[path]) for path, array in numbers.items()]
    return Wrong(found.point, found.expected, rows, arrays, FLOAT64)


def agreement(path: str, numbers: np.ndarray, right: np.ndarray) -> Agreement:
    agrees = norm(numbers - right) <= FLOAT64.tolerance * norm(right)
    return Agreement(path=path, shape=numbers.shape, dtype="float64", right=agrees)


@pytest.mark.parametrize("lesson", [row.name for row in SYLLABUS])
def test_no_catalogue_holds_an_expression_that_is_asked_for(lesson):
    own = asked_of(read_solution(this_checkout().solution(lesson)), paper_of(lesson))
    text = (PACKAGE / "exercises" / "mistakes" / f"{lesson}.py").read_text(encoding="utf-8")
    cell = {"cell_type": "code", "metadata": {"name": lesson}, "source": [text]}
    assert not list(leaks({"cells": [cell]}, own, []))
