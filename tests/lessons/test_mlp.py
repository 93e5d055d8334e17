"""What answers to `mlp` must meet: every entry, cost and bytes counted, training on real digits, the exam paper."""

from itertools import pairwise
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import course
from course.comparison.costs import method_costs
from course.comparison.methods import method_counts
from course.comparison.point import make_point
from course.comparison.residuals import residual_bytes
from course.exercises import find_exercise, paper_of
from course.exercises.mlp import SIZES
from course.exercises.tasks.question import Choice
from course.grading import judge
from course.grading.submission import Submission
from course.lessons.mlp import Layer, Mlp, Stack, hidden_layers, init_mlp, mlp, mlp_loss
from course.records import Feedback, Status
from course.training.data import digits
from solutions.mlp import hidden_layers_bwd, hidden_layers_fwd, mlp_bwd, mlp_fwd, mlp_loss_bwd, mlp_loss_fwd

LESSON = "mlp"
FOLDER = Path(__file__).parents[2] / "solutions"
EARLIER = ("linear_and_activations", "losses")
PAIRS = ["mlp", "mlp_loss"]


@pytest.fixture(autouse=True)
def _float64():
    with jax.enable_x64(True):
        yield


def drawn(*shape, seed=0):
    return jnp.asarray(np.random.default_rng(seed).standard_normal(shape))


def drawn_network(*sizes, batch=6):
    layers = [Layer(drawn(a, b, seed=a), drawn(b, seed=b)) for a, b in pairwise(sizes)]
    labels = jnp.asarray(np.random.default_rng(1).integers(0, sizes[-1], batch))
    return Mlp(layers), drawn(batch, sizes[0], seed=2), labels


@jax.jit
def gradient_of(params, x, labels, loss_bar=1.0):
    """The gradient by hand; compiled whole, which is quicker than each of its operations."""
    _, residuals = mlp_loss_fwd(params, x, labels)
    return mlp_loss_bwd(residuals, jnp.asarray(loss_bar))[0]


def close(one, other, rtol=1e-10):
    assert jax.tree.structure(one) == jax.tree.structure(other)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=rtol, atol=1e-12), one, other)


@pytest.fixture(scope="module")
def forty_images():
    (images, labels), *_ = digits()
    return images[:40], labels[:40]  # as NumPy arrays: made before float64 is switched on


# Every entry.


@pytest.mark.parametrize("sizes", [(5, 3), (5, 4, 3), (7, 5, 3, 9), (4, 4, 4, 4, 4, 4, 4)])
def test_at_every_depth_the_loop_gives_what_jax_gives(sizes):
    params, x, _ = drawn_network(*sizes)
    logits_bar = drawn(6, sizes[-1], seed=3)

    @jax.jit
    def by_hand(params, x):
        logits, residuals = mlp_fwd(params, x)
        return logits, mlp_bwd(residuals, logits_bar)

    @jax.jit
    def by_jax(params, x):
        logits, pullback = jax.vjp(mlp, params, x)
        return logits, pullback(logits_bar)

    close(by_hand(params, x), by_jax(params, x))


def test_the_gradient_is_the_one_written_out_layer_by_layer():
    params, x, labels = drawn_network(5, 4, 3)
    (w1, b1), (w2, b2) = ((np.asarray(layer.w), np.asarray(layer.b)) for layer in params.layers)
    z1 = np.asarray(x) @ w1 + b1
    a1 = z1 * (z1 > 0)
    e = np.exp(a1 @ w2 + b2)
    z2_bar = 3.0 * (e / e.sum(axis=1, keepdims=True) - np.eye(3)[labels]) / 6
    z1_bar = (z2_bar @ w2.T) * (z1 > 0)
    right = Mlp([Layer(x.T @ z1_bar, z1_bar.sum(axis=0)), Layer(a1.T @ z2_bar, z2_bar.sum(axis=0))])
    close(gradient_of(params, x, labels, 3.0), jax.tree.map(jnp.asarray, right))


def test_a_nudge_along_the_gradient_moves_the_loss_by_its_squared_norm():
    params, x, labels = drawn_network(7, 5, 3, 9)
    gradient = gradient_of(params, x, labels)
    squared = sum(float(jnp.sum(array**2)) for array in jax.tree.leaves(gradient))
    nudged = jax.jit(lambda h: mlp_loss(jax.tree.map(lambda p, p_bar: p + h * p_bar, params, gradient), x, labels))
    assert float(nudged(1e-7) - nudged(-1e-7)) / 2e-7 == pytest.approx(squared, rel=1e-5)


def test_at_a_start_of_zeros_only_the_last_bias_gets_anything():
    params, x, labels = drawn_network(5, 4, 4, 3)
    zeros = jax.tree.map(jnp.zeros_like, params)
    *hidden, last = gradient_of(zeros, x, labels).layers
    assert not any(np.any(array) for array in jax.tree.leaves((hidden, last.w)))
    assert np.all(last.b)


def test_logits_of_1e4_give_a_finite_gradient():
    params, x, labels = drawn_network(5, 4, 3)
    assert all(np.all(np.isfinite(array)) for array in jax.tree.leaves(gradient_of(params, 1e4 * x, labels)))


# The start.


def test_a_drawn_network_keeps_the_scale_through_twenty_layers():
    """K. He et al., 2015: with variance 2 / d_in, relu layers neither shrink nor blow up what goes through."""
    params = init_mlp(jax.random.key(3), (256,) * 21)
    x = drawn(32, 256)
    assert 0.2 < float(jnp.std(mlp(params, x)) / jnp.std(x)) < 5
    halved = Mlp([Layer(0.5 * layer.w, layer.b) for layer in params.layers])
    assert float(jnp.std(mlp(halved, x)) / jnp.std(x)) < 1e-5


# All hidden layers as one scan.


def in_a_loop(params, x):
    """The network that a stack of layers is, unrolled."""
    for w, b in zip(*params, strict=True):
        x = jnp.maximum(x @ w + b, 0)
    return x


def test_one_scan_is_the_unrolled_network_and_so_are_its_gradients():
    params, x, y_bar = Stack(drawn(4, 5, 5), drawn(4, 5, seed=1)), drawn(7, 5, seed=2), drawn(7, 5, seed=3)

    @jax.jit
    def both(params, x):
        y, pullback = jax.vjp(in_a_loop, params, x)
        given, residuals = hidden_layers_fwd(params, x)
        return (y, pullback(y_bar)), (given, hidden_layers_bwd(residuals, y_bar)), hidden_layers(params, x)

    unrolled, by_hand, primal = both(params, x)
    close(by_hand, unrolled)
    close(primal, unrolled[0])


def test_of_a_scan_one_layer_is_recorded_at_any_depth_and_of_a_loop_each():
    def lines(network, layers):
        shapes = Stack(jax.ShapeDtypeStruct((layers, 5, 5), float), jax.ShapeDtypeStruct((layers, 5), float))
        x = jax.ShapeDtypeStruct((7, 5), float)
        return len(str(jax.make_jaxpr(network)(shapes, x)).splitlines())

    def there_and_back(params, x):
        y, residuals = hidden_layers_fwd(params, x)
        return hidden_layers_bwd(residuals, y)

    for network in (hidden_layers, there_and_back):
        assert lines(network, 50) == lines(network, 2)
    assert lines(in_a_loop, 50) > 20 * lines(in_a_loop, 2)


# What it costs, counted.


def costs_of(sizes, batch):
    """The costs of the gradient by the parameters, by method; images and labels are data."""
    params, x, labels = drawn_network(*sizes, batch=batch)
    point = make_point(lambda params: mlp_loss(params, x, labels), (params,))
    pair = (lambda params: mlp_loss_fwd(params, x, labels), lambda kept, bar: mlp_loss_bwd(kept, bar)[:1])
    return {cost.method: cost for cost in method_costs(point, *pair)}


def test_backward_costs_two_products_a_layer_and_one_in_the_first():
    params, x, labels = drawn_network(*SIZES, batch=64)
    pair = (lambda params: mlp_loss_fwd(params, x, labels), lambda kept, bar: mlp_loss_bwd(kept, bar)[:1])
    found = method_counts(lambda params: mlp_loss(params, x, labels), *pair, params)
    products = [2 * 64 * a * b for a, b in pairwise(SIZES)]
    assert found.primal.dot_flops == sum(products)
    assert found.pair.dot_flops == found.vjp.dot_flops == 3 * sum(products) - products[0]


def test_by_hand_costs_what_jax_vjp_costs_and_columns_thousands_of_times_more():
    costs = costs_of(SIZES, 64)
    assert costs["yours"].flops <= 1.03 * costs["jax.vjp"].flops
    assert 2.3 < costs["yours"].ratio < 2.8
    assert costs["jax.jacfwd, all columns"].ratio > 10_000
    assert costs["central differences"].ratio > 30_000


def test_the_cost_of_a_gradient_over_that_of_its_network_does_not_grow_with_depth():
    ratios = [costs_of((32,) * depth + (10,), 32)["yours"].ratio for depth in (2, 8)]
    assert all(2 < ratio < 3.2 for ratio in ratios)


def test_only_the_x_of_each_affine_and_a_byte_for_each_relu_are_kept():
    params, x, labels = drawn_network(7, 5, 3, 9)
    assert residual_bytes(mlp_fwd, params, x) == 6 * (5 + 3) * (8 + 1)
    assert residual_bytes(mlp_loss_fwd, params, x, labels) == 6 * (5 + 3) * (8 + 1) + 6 * 9 * 8


# Training.


def test_a_step_on_digits_is_the_same_by_hand_and_by_jax(forty_images):
    forty_images = jax.tree.map(jnp.asarray, forty_images)
    params = init_mlp(jax.random.key(0), (64, 16, 10))
    by_hand, by_jax = (jax.jit(jax.value_and_grad(f)) for f in (course.as_jax(mlp_loss_fwd, mlp_loss_bwd), mlp_loss))
    close(by_hand(params, *forty_images), by_jax(params, *forty_images))


def test_forty_digits_are_learned_by_heart_on_the_hand_written_gradient(forty_images):
    forty_images = jax.tree.map(jnp.asarray, forty_images)
    params = init_mlp(jax.random.key(0), (64, 16, 10))
    optimizer = optax.adam(1e-2)
    loss_function = course.as_jax(mlp_loss_fwd, mlp_loss_bwd)

    def step(carry, _):
        params, state = carry
        loss, params_bar = jax.value_and_grad(loss_function)(params, *forty_images)
        updates, state = optimizer.update(params_bar, state)
        return (optax.apply_updates(params, updates), state), loss

    (params, _), losses = jax.lax.scan(step, (params, optimizer.init(params)), length=150)
    assert losses[0] > 1.5
    assert losses[-1] < 0.05
    assert np.array_equal(mlp(params, forty_images[0]).argmax(axis=1), forty_images[1])


# The exam paper.


def edited(tmp_path, *edits):
    """A submission of our answers to all lessons after edits of this one, each from one text to another."""
    text = (FOLDER / f"{LESSON}.py").read_text(encoding="utf-8")
    for old, new in edits:
        assert text.count(old) == 1
        text = text.replace(old, new)
    text = text.replace("from solutions.linear_and_activations import", "from course.answers import")
    text = text.replace("from solutions.losses import", "from course.answers import")
    (tmp_path / "work.py").write_text("import jax.numpy as jnp\n" + text, encoding="utf-8")
    for earlier in EARLIER:
        (tmp_path / f"{earlier}.py").write_text((FOLDER / f"{earlier}.py").read_text(encoding="utf-8"))
    return Submission.read(tmp_path)


def verdict(name, submission):
    with jax.enable_x64(False):  # as for a learner
        return judge(find_exercise(f"{LESSON}.{name}"), submission, feedback=Feedback.NAME, example=False)


def test_a_pass_that_runs_forward_again_is_right_and_too_costly(tmp_path):
    again = "return loss, (params, x, labels)"
    edits = [
        ("return loss, (kept_network, kept_loss)", again),
        (
            "kept_network, kept_loss = residuals",
            "params, x, labels = residuals\n"
            "    logits, kept_network = mlp_fwd(params, x)\n"
            "    _, kept_loss = softmax_cross_entropy_fwd(logits, labels)",
        ),
    ]
    found = verdict("mlp_loss", edited(tmp_path, *edits))
    assert found.status is Status.COSTLY
    assert found.points == found.possible
    assert found.cost_points == 0
    assert "Backward evaluates the primal again" in found.lines[0]


@pytest.mark.parametrize("name", [*PAIRS, "hidden_layers"])
def test_our_answers_are_right_and_within_their_cost(name):
    found = verdict(name, Submission.read(FOLDER))
    assert found.status is Status.RIGHT
    assert (found.points, found.cost_points) == (found.possible, found.cost_possible)


@pytest.mark.parametrize("name", PAIRS)
def test_blank_stubs_are_not_started(name, tmp_path):
    heads = (f"def {name}_fwd(params, x):", f"def {name}_bwd(residuals, y_bar):")
    (tmp_path / "work.py").write_text("".join(f"{head}\n    raise NotImplementedError\n" for head in heads))
    found = verdict(name, Submission.read(tmp_path / "work.py"))
    assert found.status is Status.NOT_STARTED
    assert (found.points, found.cost_points) == (0, 0)


def test_a_network_whose_affine_is_not_written_waits_for_it(tmp_path):
    submission = edited(tmp_path)
    (tmp_path / "linear_and_activations.py").unlink()
    submission = Submission.read(tmp_path)
    found = verdict("mlp", submission)
    assert found.status is Status.WAITING
    assert "affine" in " ".join([found.headline, *found.lines, found.next])


QUESTIONS = [exercise for exercise in paper_of(LESSON).exercises if not exercise.task.names and exercise.points]
CHOICES = [exercise for exercise in QUESTIONS if isinstance(exercise.task, Choice)]


def answered(exercise, value):
    return verdict(exercise.name.partition(".")[2], Submission.of(**{exercise.name: value}))


@pytest.mark.parametrize("exercise", QUESTIONS, ids=lambda exercise: exercise.name)
def test_our_answer_to_a_question_is_right(exercise):
    assert judge(exercise, Submission.read(FOLDER)).status is Status.RIGHT


@pytest.mark.parametrize("exercise", CHOICES, ids=lambda exercise: exercise.name)
def test_one_option_is_right_and_each_wrong_one_has_its_own_explanation(exercise):
    options = exercise.task.options
    assert sum(option.right for option in options) == 1
    assert len({option.says for option in options}) == len(options)
    for option in options:
        found = answered(exercise, option.letter)
        assert found.right is option.right
        assert option.says in found.lines


@pytest.mark.parametrize(
    "value, says", [(2, "images' cotangent"), (1.33, "equally large"), (2.52, "together"), (1.96, "last layer")]
)
def test_a_wrong_share_has_its_own_explanation(value, says):
    found = answered(find_exercise(f"{LESSON}.q2"), value)
    assert found.status is Status.WRONG
    assert says in " ".join(found.lines)


def test_every_pair_has_three_hints_and_none_of_them_says_the_answer():
    asked = (
        "relu_bwd(kept",
        "affine_bwd(kept",
        "bwd(kept_loss",
        "bwd(kept_network",
        "[::-1]",
        "reversed(hidden)",
        "y_bar, residuals",
    )
    for exercise in paper_of(LESSON).exercises:
        if exercise.task.names:
            assert len(exercise.hints) == 3
            assert not [hint for hint in exercise.hints for line in asked if line in hint]


def test_one_exercise_is_marked_hard_and_four_to_nine_are_required():
    exercises = paper_of(LESSON).exercises
    assert [exercise.name for exercise in exercises if exercise.hard] == [f"{LESSON}.mlp"]
    assert 4 <= sum(exercise.required for exercise in exercises) <= 9
    assert paper_of(LESSON).shows_cost
