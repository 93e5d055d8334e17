"""What answers to `convolution` must meet: published numbers, NumPy, transposes, counted products, the exam paper."""

import json
from functools import cache
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import course
from course.comparison.counting import count
from course.comparison.methods import method_counts
from course.comparison.residuals import residual_bytes
from course.exercises import find_exercise
from course.exercises.mistakes.convolution import paddings_by_listing
from course.grading import judge
from course.grading.strangers import messages
from course.grading.submission import Submission
from course.lessons.convolution import Window, conv_2d, slide, transposed_conv_1d
from course.records import Feedback, Status
from solutions.convolution import (
    bar_paddings,
    conv_2d_bwd,
    conv_2d_fwd,
    slide_bwd,
    transposed_conv_1d_bwd,
    transposed_conv_1d_fwd,
)

LESSON = "convolution"
ANSWERS = Path(__file__).parents[2] / "solutions" / f"{LESSON}.py"
CS231N = Window((2, 2), ((1, 1), (1, 1)), (1, 1))
LAYER = (
    jax.ShapeDtypeStruct((32, 28, 28, 16), jnp.float32),
    jax.ShapeDtypeStruct((3, 3, 16, 32), jnp.float32),
    jax.ShapeDtypeStruct((32,), jnp.float32),
)


@pytest.fixture(autouse=True)
def _float64():
    with jax.enable_x64(True):
        yield


def drawn(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


@cache
def run():
    """The pair of `conv_2d` at any window, compiled."""

    @jax.jit
    def both(x, w, b, window, y_bar):
        y, residuals = conv_2d_fwd(x, w, b, window)
        return y, conv_2d_bwd(residuals, y_bar)[:3]

    return both


def cs231n():
    """The arrays of its assignment, which lays pictures out as (batch, channels, height, width)."""
    x = np.linspace(-0.1, 0.5, 96).reshape(2, 3, 4, 4).transpose(0, 2, 3, 1)
    w = np.linspace(-0.2, 0.3, 144).reshape(3, 3, 4, 4).transpose(2, 3, 1, 0)
    return x, w, np.linspace(-0.1, 0.2, 3)


def patches(x, window, kernel):
    """Every window of the padded pictures by NumPy: (batch, rows, columns, kernel height, kernel width, channels)."""
    (up, down), (left, right) = window.padding
    wide = np.pad(x, ((0, 0), (up, down), (left, right), (0, 0)))
    reach = [dilation * (size - 1) + 1 for dilation, size in zip(window.dilation, kernel, strict=True)]
    every = np.lib.stride_tricks.sliding_window_view(wide, reach, axis=(1, 2)).transpose(0, 1, 2, 4, 5, 3)
    (tall, broad), (far, wide_apart) = window.stride, window.dilation
    return every[:, ::tall, ::broad, ::far, ::wide_apart]


def test_the_forward_pass_gives_the_numbers_that_cs231n_prints():
    x, w, b = cs231n()
    y, _ = run()(x, w, b, CS231N, np.zeros((2, 2, 2, 3)))
    printed = [-0.08759809, -0.10987781, -0.18387192, -0.2109216, 0.21027089, 0.21661097, 0.22847626, 0.23004637]
    np.testing.assert_allclose(y[0].transpose(2, 0, 1).ravel()[:8], printed, atol=1e-8)


def test_value_and_cotangents_are_what_numpy_makes_of_all_windows():
    x, w, b = cs231n()
    y_bar = drawn(2, 2, 2, 3)
    y, (x_bar, w_bar, b_bar) = run()(x, w, b, CS231N, y_bar)
    rows = patches(x, CS231N, (4, 4))
    np.testing.assert_allclose(y, np.einsum("nrcijk,ijko->nrco", rows, w) + b, rtol=1e-10)
    np.testing.assert_allclose(w_bar, np.einsum("nrcijk,nrco->ijko", rows, y_bar), rtol=1e-10)
    np.testing.assert_allclose(b_bar, y_bar.reshape(-1, 3).sum(axis=0), rtol=1e-10)
    places = patches(np.arange(x.size).reshape(x.shape) + 1, CS231N, (4, 4))  # 0 is padding
    sent = np.zeros(x.size + 1)
    np.add.at(sent, places, np.einsum("nrco,ijko->nrcijk", y_bar, w))
    np.testing.assert_allclose(x_bar.ravel(), sent[1:], rtol=1e-9, atol=1e-12)


def test_what_no_window_reads_gets_nothing():
    window = Window((3, 2), ((0, 0), (1, 0)), (1, 1))
    y, (x_bar, _, _) = run()(drawn(1, 8, 4, 1), drawn(2, 2, 1, 1), np.zeros(1), window, np.ones((1, 3, 2, 1)))
    assert y.shape == (1, 3, 2, 1)
    assert np.array_equal(np.flatnonzero(np.abs(x_bar[0]).sum(axis=(1, 2)) == 0), [2, 5])
    assert np.all(x_bar[0, :, 3] == 0)


def test_the_kernel_s_cotangent_is_a_slide_of_the_cotangent_along_x():
    x, w, y_bar = drawn(7), drawn(3, seed=2), drawn(5, seed=1)
    y, x_bar, w_bar = jax.jit(lambda x, w, y_bar: (slide(x, w), *slide_bwd((x, w), y_bar)))(x, w, y_bar)
    np.testing.assert_allclose(y, np.correlate(x, w), rtol=1e-12)
    np.testing.assert_allclose(x_bar, np.convolve(y_bar, w), rtol=1e-12)
    np.testing.assert_allclose(w_bar, np.correlate(x, y_bar), rtol=1e-12)


@pytest.mark.parametrize("axis", [(9, 3, 9, 1, 1, 1), (9, 3, 4, 2, 0, 1), (9, 2, 3, 4, 2, 1), (10, 2, 3, 3, 0, 2)])
def test_both_sides_of_both_paddings_add_up_to_the_reach(axis):
    of_x, of_w = bar_paddings(*axis)
    assert (of_x, of_w) == paddings_by_listing(*axis)
    reach = axis[5] * (axis[1] - 1)
    assert [one + other for one, other in zip(of_x, of_w, strict=True)] == [reach, reach]


# The transposed convolution.


def test_the_transposed_convolution_is_the_transpose_of_the_convolution():
    window = Window((2,), ((1, 2),), (2,))
    x, w = drawn(2, 5, 3), drawn(3, 4, 3, seed=1)
    forward = jax.jit(lambda x, w: (*transposed_conv_1d_fwd(x, w, window), transposed_conv_1d(x, w, window)))
    y, residuals, right = forward(x, w)
    np.testing.assert_allclose(y, right, rtol=1e-10, atol=1e-12)
    seen = drawn(*y.shape, seed=2)
    x_bar, _, _ = jax.jit(transposed_conv_1d_bwd)(residuals, seen)
    np.testing.assert_allclose((x_bar * x).sum(), (seen * y).sum(), rtol=1e-10)


def test_a_stride_that_does_not_divide_the_kernel_draws_a_chessboard():
    y = jax.jit(transposed_conv_1d)(np.ones((1, 4, 1)), np.ones((3, 1, 1)), Window((2,), ((0, 0),), (1,)))
    assert y[0, :, 0].tolist() == [1, 1, 2, 1, 2, 1, 2, 1, 1]


# What it costs.


@pytest.mark.parametrize("stride", [1, 2])
def test_each_cotangent_costs_the_products_of_one_forward_pass(stride):
    window = Window((stride, stride), ((1, 1), (1, 1)), (1, 1))
    counts = method_counts(conv_2d, conv_2d_fwd, conv_2d_bwd, *LAYER, window)
    assert counts.pair.dot_flops == counts.vjp.dot_flops == 3 * counts.primal.dot_flops
    y = jax.eval_shape(conv_2d, *LAYER, window)

    def alone(place):
        return count(lambda x, w, y_bar: conv_2d_bwd((x, w, window), y_bar)[place], *LAYER[:2], y).dot_flops

    assert alone(0) == alone(1) == counts.primal.dot_flops


def test_nothing_is_kept_but_the_arguments():
    assert residual_bytes(conv_2d_fwd, *LAYER, CS231N) == 0


def test_it_runs_as_a_custom_vjp_of_jax_with_a_window_that_jax_does_not_trace():
    x, w, b = cs231n()
    y_bar = drawn(2, 2, 2, 3)
    by_hand = course.as_jax(conv_2d_fwd, conv_2d_bwd)
    grads = jax.jit(jax.grad(lambda x, w, b, window: (by_hand(x, w, b, window) * y_bar).sum(), argnums=(0, 1, 2)))
    for found, right in zip(grads(x, w, b, CS231N), run()(x, w, b, CS231N, y_bar)[1], strict=True):
        np.testing.assert_allclose(found, right, rtol=1e-10)


# Settings on their way to a stranger's process.


def test_a_window_crosses_to_another_process_and_comes_back():
    leaves = []
    told = json.loads(json.dumps(messages.describe_tree((1.0, CS231N), leaves)))
    assert messages.build_tree(told, leaves) == (1.0, CS231N)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("course.lessons.convolution:Window", [[1], ["a"], [1]]),
        ("course.lessons.convolution:Window", [[1]]),
        ("course.lessons.convolution:GROUPS", []),
        ("course.lessons.no_such:Window", [[1], [], []]),
        ("subprocess:Popen", ["true"]),
    ],
)
def test_nothing_else_comes_in_a_window_s_name(name, values):
    with pytest.raises(messages.Malformed):
        messages.build_tree({"setting": name, "values": values}, [])


# The exam paper.


def verdict(name, submission):
    return judge(find_exercise(f"{LESSON}.{name}"), submission, feedback=Feedback.NAME, example=False)


def test_a_turned_kernel_kept_is_right_but_costly(tmp_path):
    text = ANSWERS.read_text(encoding="utf-8")
    for old, now in (
        ("return conv_1d(x, w), (x, w)", "return conv_1d(x, w), (x, w[::-1])"),
        ("(y_bar, w[::-1], (1,), [ends], dim", "(y_bar, w, (1,), [ends], dim"),
    ):
        assert text.count(old) == 1
        text = text.replace(old, now)
    (tmp_path / "work.py").write_text(text, encoding="utf-8")
    found = verdict("conv_1d", Submission.read(tmp_path / "work.py"))
    assert found.status is Status.COSTLY
    assert "0 are enough" in " ".join(found.lines)
