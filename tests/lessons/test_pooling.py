"""What answers to `pooling` must meet: published numbers, NumPy by windows, ties, costs, the exam paper."""

import itertools
from functools import cache
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import course
from course.comparison.counting import count
from course.comparison.residuals import residual_bytes
from course.exercises import find_exercise
from course.grading import judge
from course.grading.submission import Submission
from course.lessons.pooling import BLOCKS, Cnn, Pool, cnn, cnn_loss, init_cnn, max_pool, overlapping_max_pool
from course.records import Feedback, Status
from solutions.pooling import (
    average_pool_bwd,
    average_pool_fwd,
    cnn_loss_bwd,
    cnn_loss_fwd,
    max_pool_bwd,
    max_pool_fwd,
    overlapping_max_pool_bwd,
    overlapping_max_pool_fwd,
)

LESSON = "pooling"
ANSWERS = Path(__file__).parents[2] / "solutions" / f"{LESSON}.py"
SHARING = Pool((3, 2), (2, 1))
SHAPE = (2, 8, 6, 3)


@pytest.fixture(autouse=True)
def _float64():
    with jax.enable_x64(True):
        yield


def drawn(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def tied(seed=0):
    """A picture of few whole numbers, so that most windows have several largest ones."""
    return np.random.default_rng(seed).integers(0, 3, SHAPE).astype(np.float64)


@cache
def pulled(way, pool=None):
    """Both passes of a pair, or of the primal by JAX, compiled."""
    rest = () if pool is None else (pool,)
    if isinstance(way, tuple):
        fwd, bwd = way
        return jax.jit(lambda x, y_bar: bwd(fwd(x, *rest)[1], y_bar)[0])
    return jax.jit(lambda x, y_bar: jax.vjp(lambda x: way(x, *rest), x)[1](y_bar)[0])


MAX, OVERLAPPING = (max_pool_fwd, max_pool_bwd), (overlapping_max_pool_fwd, overlapping_max_pool_bwd)


def windows(x, pool):
    """Every window of every picture and channel: (index of y, slices of x)."""
    (height, width), (down, right) = pool.size, pool.stride
    rows, columns = (x.shape[1] - height) // down + 1, (x.shape[2] - width) // right + 1
    for n, r, c, o in itertools.product(range(len(x)), range(rows), range(columns), range(x.shape[3])):
        yield (n, r, c, o), (n, slice(down * r, down * r + height), slice(right * c, right * c + width), o)


def first_of_each(x, pool, y_bar):
    """x_bar, by looking at one window after the other; argmax of NumPy gives the first in reading order."""
    x_bar = np.zeros_like(x)
    for of_y, of_x in windows(x, pool):
        place = np.unravel_index(np.argmax(x[of_x]), pool.size)
        x_bar[of_x][place] += y_bar[of_y]
    return x_bar


def test_the_forward_pass_gives_the_numbers_that_cs231n_prints():
    x = np.linspace(-0.3, 0.4, 96).reshape(2, 3, 4, 4).transpose(0, 2, 3, 1)
    y = jax.jit(lambda x: max_pool_fwd(x)[0])(x)
    printed = [-0.26315789, -0.24842105, -0.20421053, -0.18947368, -0.14526316, -0.13052632, -0.08631579, -0.07157895]
    np.testing.assert_allclose(np.asarray(y)[0].transpose(2, 0, 1).ravel()[:8], printed, atol=1e-8)


@pytest.mark.parametrize("x", [drawn(*SHAPE), tied()], ids=["no ties", "ties"])
def test_the_first_of_the_largest_in_reading_order_gets_everything(x):
    y_bar = drawn(2, 4, 3, 3, seed=1)
    np.testing.assert_allclose(pulled(MAX)(x, y_bar), first_of_each(x, BLOCKS, y_bar), rtol=1e-12)
    y_bar = drawn(2, 3, 5, 3, seed=1)
    right = first_of_each(x, SHARING, y_bar)
    np.testing.assert_allclose(pulled(OVERLAPPING, SHARING)(x, y_bar), right, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(pulled(overlapping_max_pool, SHARING)(x, y_bar), right, rtol=1e-12, atol=1e-14)


def test_largest_numbers_of_a_reshaped_view_share_what_comes_to_ties():
    def of_view(x):
        return x.reshape(2, 4, 2, 3, 2, 3).max(axis=(2, 4))

    x, y_bar = np.zeros(SHAPE), np.ones((2, 4, 3, 3))
    assert np.all(pulled(of_view)(x, y_bar) == 0.25)
    by_pair = np.asarray(pulled(MAX)(x, y_bar))
    assert np.all(by_pair[:, ::2, ::2] == 1)
    assert by_pair.sum() == y_bar.sum()
    x = drawn(*SHAPE)
    np.testing.assert_array_equal(pulled(of_view)(x, y_bar), pulled(MAX)(x, y_bar))


def test_pixels_that_no_window_reaches_get_nothing():
    x, pool = drawn(*SHAPE), Pool((2, 2), (3, 4))
    x_bar = pulled(OVERLAPPING, pool)(x, np.ones((2, 3, 2, 3)))
    assert np.all(x_bar[:, 2::3] == 0)
    assert np.all(x_bar[:, :, 2:4] == 0)
    assert x_bar.sum() == 36


def test_a_mean_s_cotangent_is_a_quarter_for_every_pixel():
    x, y_bar = drawn(*SHAPE), drawn(2, 4, 3, 3, seed=1)
    x_bar = np.asarray(pulled((average_pool_fwd, average_pool_bwd))(x, y_bar))
    for i, j in itertools.product((0, 1), (0, 1)):
        np.testing.assert_array_equal(x_bar[:, i::2, j::2], y_bar / 4)


def test_relu_after_pooling_is_relu_before_it_on_both_ways():
    x, y_bar = tied() - 1, drawn(2, 4, 3, 3, seed=1)

    def of(first, second):
        return lambda x: second(first(x))

    def relu(z):
        return jnp.where(z > 0, z, 0.0)

    after, before = pulled(of(max_pool, relu)), pulled(of(relu, max_pool))
    np.testing.assert_array_equal(after(x, y_bar), before(x, y_bar))


# The network.


@cache
def network():
    with jax.enable_x64(True):
        params = jax.tree.map(np.asarray, jax.jit(lambda key: init_cnn(key, (8, 8), (1, 3, 5), 4))(jax.random.key(0)))
    return params, drawn(6, 8, 8, 1), np.arange(6) % 4


@cache
def by_hand():
    @jax.jit
    def both(params, x, labels):
        loss, residuals = cnn_loss_fwd(params, x, labels)
        return loss, cnn_loss_bwd(residuals, jnp.ones(()))[0]

    return both


def test_the_network_s_gradient_is_jax_s_leaf_by_leaf():
    params, x, labels = network()
    loss, gradient = by_hand()(params, x, labels)
    right_loss, right = jax.jit(jax.value_and_grad(cnn_loss))(params, x, labels)
    np.testing.assert_allclose(loss, right_loss, rtol=1e-12)
    assert jax.tree.structure(gradient) == jax.tree.structure(right)
    for found, expected in zip(jax.tree.leaves(gradient), jax.tree.leaves(right), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


def test_a_start_has_the_sizes_of_pictures_and_a_loss_near_that_of_guessing():
    params, x, labels = network()
    assert isinstance(params, Cnn)
    assert [layer.w.shape for layer in params.convolutions] == [(3, 3, 1, 3), (3, 3, 3, 5)]
    assert params.readout.w.shape == (2 * 2 * 5, 4)
    assert not any(np.any(b) for b in (*(layer.b for layer in params.convolutions), params.readout.b))
    assert abs(by_hand()(params, x, labels)[0] - np.log(4)) < 1.5


def test_a_few_steps_down_its_slope_learn_the_pictures_by_heart():
    params, x, labels = network()
    both = by_hand()
    first, gradient = both(params, x, labels)
    for _ in range(60):
        params = jax.tree.map(lambda array, bar: array - 0.1 * bar, params, gradient)
        last, gradient = both(params, x, labels)
    assert last < 0.2 * first
    assert np.array_equal(np.argmax(jax.jit(cnn)(params, x), axis=-1), labels)


# What it costs.

PICTURES = jax.ShapeDtypeStruct((16, 28, 28, 8), jnp.float32)


def test_max_pooling_keeps_its_value_and_averaging_nothing():
    assert residual_bytes(average_pool_fwd, PICTURES) == 0
    assert residual_bytes(max_pool_fwd, PICTURES) == PICTURES.size  # of four bytes a quarter


def test_the_network_s_products_are_those_of_jax_without_the_pictures_cotangent():
    def ours(params, x, labels):
        return cnn_loss_bwd(cnn_loss_fwd(params, x, labels)[1], jnp.ones(()))[0]

    assert count(ours, *network()).dot_flops == count(jax.grad(cnn_loss), *network()).dot_flops


def test_it_runs_as_a_custom_vjp_of_jax():
    params, x, labels = network()
    by_rule = course.as_jax(cnn_loss_fwd, cnn_loss_bwd)
    found = jax.jit(jax.grad(by_rule))(params, x, labels)
    for one, other in zip(jax.tree.leaves(found), jax.tree.leaves(by_hand()(params, x, labels)[1]), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)


# The exam paper.


def verdict(name, submission):
    return judge(find_exercise(f"{LESSON}.{name}"), submission, feedback=Feedback.NAME, example=False)


def test_an_array_kept_for_nothing_is_right_but_costly(tmp_path):
    text = ANSWERS.read_text(encoding="utf-8")
    assert text.count("return average_pool(x), ()") == 1
    text = text.replace("return average_pool(x), ()", "return average_pool(x), jnp.ones_like(x)")
    (tmp_path / "work.py").write_text(text, encoding="utf-8")
    found = verdict("average_pool", Submission.read(tmp_path / "work.py"))
    assert found.status is Status.COSTLY
    assert "0 are enough" in " ".join(found.lines)
