"""What answers to `optimizers` must meet: published numbers, what each rule is for, and the exam paper."""

import inspect
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from course.exercises import find_exercise
from course.exercises.optimizers import after_decay
from course.grading import judge
from course.grading.submission import Submission
from course.lessons.optimizers import CURVATURES, AdamState, bowl, run_optimizer
from course.records import Feedback, Status
from solutions.optimizers import (
    adam_init,
    adam_update,
    adamw_init,
    adamw_update,
    momentum_init,
    momentum_update,
    nesterov_init,
    nesterov_update,
    rmsprop_init,
    rmsprop_update,
    warmup_cosine,
)
from tests.outside.test_published_layers import drawn, linear, tensor

LESSON = "optimizers"
USUAL = (1e-3, 0.9, 0.999, 1e-8)
"""Adam's rate, decays and epsilon, as they are in most libraries."""


@pytest.fixture(autouse=True)
def _float64():
    with jax.enable_x64(True):
        yield


def linspace(low, high):
    return jnp.linspace(low, high, 20).reshape(4, 5)


# Published numbers.

W, DW = (-0.4, 0.6), (-0.6, 0.4)


def test_momentum_gives_the_numbers_of_cs231n():
    """Stanford CS231n, assignment 2, FullyConnectedNets; there the rate is inside the sum, and so is the minus."""
    rate, velocity = 1e-3, linspace(0.6, 0.9)
    updates, state = momentum_update(linspace(*DW), -velocity / rate, linspace(*W), rate, 0.9)
    next_w = np.asarray(linspace(*W) + updates)
    np.testing.assert_allclose(next_w[0], [0.1406, 0.20738947, 0.27417895, 0.34096842, 0.40775789], rtol=1e-7)
    np.testing.assert_allclose(next_w[3], [1.14244211, 1.20923158, 1.27602105, 1.34281053, 1.4096], rtol=1e-7)
    velocity = -rate * np.asarray(state)
    np.testing.assert_allclose(velocity[0], [0.5406, 0.55475789, 0.56891579, 0.58307368, 0.59723158], rtol=1e-7)


def test_rmsprop_gives_the_numbers_of_cs231n():
    """Stanford CS231n, assignment 2, FullyConnectedNets."""
    updates, state = rmsprop_update(linspace(*DW), linspace(0.6, 0.9), linspace(*W), 1e-2, 0.99, 1e-8)
    next_w = np.asarray(linspace(*W) + updates)
    np.testing.assert_allclose(next_w[0], [-0.39223849, -0.34037513, -0.28849239, -0.23659121, -0.18467247], rtol=1e-7)
    np.testing.assert_allclose(next_w[3], [0.38739248, 0.43947102, 0.49155973, 0.54365823, 0.59576619], rtol=1e-7)
    np.testing.assert_allclose(state[0], [0.5976, 0.6126277, 0.6277108, 0.64284931, 0.65804321], rtol=1e-7)


def test_adam_gives_the_numbers_of_cs231n():
    """Stanford CS231n, assignment 2, FullyConnectedNets: five steps were taken, the sixth is made."""
    state = AdamState(jnp.array(5), linspace(0.6, 0.9), linspace(0.7, 0.5))
    updates, state = adam_update(linspace(*DW), state, linspace(*W), 1e-2, 0.9, 0.999, 1e-8)
    next_w = np.asarray(linspace(*W) + updates)
    np.testing.assert_allclose(next_w[0], [-0.40094747, -0.34836187, -0.29577703, -0.24319299, -0.19060977], rtol=1e-7)
    np.testing.assert_allclose(next_w[3], [0.38774145, 0.44031188, 0.49288093, 0.54544852, 0.59801459], rtol=1e-7)
    np.testing.assert_allclose(state.mean[0], [0.48, 0.49947368, 0.51894737, 0.53842105, 0.55789474], rtol=1e-7)
    np.testing.assert_allclose(state.square[0], [0.69966, 0.68908382, 0.67851319, 0.66794809, 0.65738853], rtol=1e-7)
    assert state.count == 6


def needle_batches():
    labels = drawn(1024, high=16)
    return tensor(1024, 64).reshape(32, 32, 64), labels.reshape(32, 32)


@cache
def needle():
    """The network's first parameters, and its loss and gradient on a batch of a number, compiled."""
    rng = np.random.RandomState(42)
    first, second = linear(rng, 64, 32), linear(rng, 32, 16)
    images, labels = map(jnp.asarray, needle_batches())

    def loss(params, number):
        (w1, b1), (w2, b2) = params
        logits = jax.nn.relu(images[number] @ w1 + b1) @ w2 + b2
        return optax.softmax_cross_entropy_with_integer_labels(logits, labels[number]).mean()

    params = jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float64), (first, second))
    return params, jax.jit(jax.value_and_grad(loss))


def momentum_with_l2(grads, state, params, rate, decay, l2):
    return momentum_update(jax.tree.map(lambda g, p: g + l2 * p, grads, params), state, params, rate, decay)


def adam_with_l2(grads, state, params, rate, l2):
    return adam_update(jax.tree.map(lambda g, p: g + l2 * p, grads, params), state, params, rate, *USUAL[1:])


MOMENTUM, ADAM = (momentum_init, momentum_with_l2), (adam_init, adam_with_l2)


@pytest.mark.parametrize(
    "rule, settings, published",
    [
        (MOMENTUM, (0.01, 0.0, 0.0), 3.207009),
        (MOMENTUM, (0.1 * 0.01, 0.9, 0.0), 3.311805),
        (MOMENTUM, (0.01, 0.0, 0.01), 3.202637),
        (MOMENTUM, (0.1 * 0.01, 0.9, 0.01), 3.306993),
        (ADAM, (0.001, 0.0), 3.703999),
        (ADAM, (0.001, 0.01), 3.705134),
    ],
)
def test_a_training_ends_at_the_loss_that_needle_s_tests_expect(rule, settings, published):
    """dlsyscourse, hw2, test_nn_and_optim.py; decay there is L2, and momentum's new gradient counts by a tenth."""
    (init, update), (params, loss_and_gradient) = rule, needle()
    state = init(params)
    for number in range(32):
        loss, grads = loss_and_gradient(params, number)
        updates, state = update(grads, state, params, *settings)
        params = jax.tree.map(jnp.add, params, updates)
    np.testing.assert_allclose(loss, published, rtol=1e-6)


# What each rule is for.


def path_in_the_bowl(init, update, settings, steps=60):
    return run_optimizer(init, update, settings, lambda x, _: jax.grad(bowl)(x), jnp.array([-4.0, 1.0]), steps)


def test_the_bowl_is_bent_as_it_says():
    assert float(bowl(jnp.array([3.0, -2.0]))) == (CURVATURES[0] * 9 + CURVATURES[1] * 4) / 2


def test_at_one_rate_momentum_is_at_the_bottom_long_before_gradient_descent():
    heights = [bowl(path_in_the_bowl(momentum_init, momentum_update, (0.02, decay))[-1]) for decay in (0.0, 0.7)]
    assert heights[1] < heights[0] / 100


def test_gradient_descent_leaves_the_bowl_at_a_rate_of_two_over_its_largest_curvature():
    for factor, grows in ((0.99, False), (1.01, True)):
        path = path_in_the_bowl(momentum_init, momentum_update, (factor * 2 / max(CURVATURES), 0.0))
        assert bool(abs(path[-1, 1]) > abs(path[0, 1])) is grows


def test_a_constant_gradient_sums_to_one_over_one_minus_decay():
    path = run_optimizer(momentum_init, momentum_update, (1.0, 0.9), lambda x, _: jnp.ones_like(x), jnp.zeros(()), 200)
    np.testing.assert_allclose(path[-2] - path[-1], 1 / (1 - 0.9), rtol=1e-6)


def test_nesterov_s_step_is_momentum_s_gradient_taken_ahead():
    """Sutskever's form takes the gradient where the faded sum leads to; its path is that of the points there."""
    rate, decay, slope = 0.02, 0.8, jax.grad(bowl)
    path = path_in_the_bowl(nesterov_init, nesterov_update, (rate, decay), 20)
    x, velocity = path[0], jnp.zeros(2)
    for ahead in path:
        np.testing.assert_allclose(x + decay * velocity, ahead, rtol=1e-9, atol=1e-12)
        velocity = decay * velocity - rate * slope(x + decay * velocity)
        x = x + velocity


@pytest.mark.parametrize(
    "init, update, settings",
    [(adam_init, adam_update, (0.1, 0.9, 0.999, 0.0)), (rmsprop_init, rmsprop_update, (0.1, 0.9, 0.0))],
)
def test_a_loss_a_thousand_times_as_large_changes_no_step_of_adam_or_rmsprop(init, update, settings):
    start = jnp.array([-4.0, 1.0])
    paths = [
        run_optimizer(init, update, settings, lambda x, _, k=k: k * jax.grad(bowl)(x), start, 20) for k in (1.0, 1000.0)
    ]
    np.testing.assert_allclose(paths[1], paths[0], rtol=1e-9)


def test_adam_s_first_step_is_the_rate_for_every_gradient():
    grads = jnp.array([1e-3, -2.0, 5e4])
    updates, _ = adam_update(grads, adam_init(grads), grads, *USUAL)
    np.testing.assert_allclose(updates, -1e-3 * np.sign(grads), rtol=2e-5)


def test_without_gradients_adamw_leaves_a_power_and_l2_in_adam_does_not_care_how_strong_it_is():
    left = after_decay(optax.adamw(0.01, weight_decay=0.1))
    np.testing.assert_allclose(left, (1 - 0.01 * 0.1) ** 50, rtol=1e-9)
    weak, strong = (
        after_decay(optax.chain(optax.add_decayed_weights(decay), optax.adam(0.01))) for decay in (0.1, 1.0)
    )
    np.testing.assert_allclose(weak, strong, rtol=1e-5)


def test_our_adamw_decays_as_optax_s_does_in_the_question():
    init, settings = adamw_init, (0.01, 0.9, 0.999, 1e-8, 0.1)
    ours = optax.GradientTransformation(init, lambda g, s, p: adamw_update(g, s, p, *settings))
    np.testing.assert_allclose(after_decay(ours), after_decay(optax.adamw(0.01, weight_decay=0.1)), rtol=1e-12)


def test_in_gradient_descent_l2_and_decoupled_decay_are_one():
    l2 = optax.chain(optax.add_decayed_weights(0.1), optax.sgd(0.01))
    np.testing.assert_allclose(after_decay(l2), (1 - 0.01 * 0.1) ** 50, rtol=1e-9)


def test_a_schedule_rises_to_its_peak_is_half_of_it_half_way_and_ends_at_zero():
    rates = warmup_cosine(jnp.array([0, 5, 10, 55, 100, 150]), 0.4, 10, 100)
    np.testing.assert_allclose(rates, [0, 0.2, 0.4, 0.2, 0, 0], atol=1e-12)


# The exam paper.


def verdict(name, submission):
    return judge(find_exercise(f"{LESSON}.{name}"), submission, feedback=Feedback.NAME, example=False)


@pytest.mark.parametrize("update", [momentum_update, nesterov_update, rmsprop_update, adam_update, adamw_update])
def test_what_a_run_is_shown_with_is_called_as_the_lesson_calls_it(update):
    make = find_exercise(f"{LESSON}.{update.__name__.removesuffix('_update')}").task.make
    _, _, _, *settings = inspect.signature(update).parameters
    assert list(inspect.signature(make).parameters) == settings


@pytest.mark.parametrize("call", ["optax.adam(*settings).update(grads, state, params)", "ready(*settings).update()"])
def test_an_answer_that_takes_optax_s_is_refused(call, tmp_path):
    text = (
        "import optax\nfrom optax import adam as ready\n\n\n"
        "def adam_init(params):\n    return optax.adam(1.0).init(params)\n\n\n"
        f"def adam_update(grads, state, params, *settings):\n    return {call}\n"
    )
    (tmp_path / "work.py").write_text(text, encoding="utf-8")
    found = verdict("adam", Submission.read(tmp_path / "work.py"))
    assert found.status is Status.REFUSED
    assert "asks you to write" in " ".join(found.lines)
