"""What answers to `linear_and_activations` must meet: published numbers, every entry, kinks, bytes, the exam paper."""

from pathlib import Path
from statistics import NormalDist

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import course
from course.comparison.residuals import residual_bytes, vjp_residual_bytes
from course.exercises import find_exercise, paper_of
from course.exercises.tasks.question import Choice
from course.grading import judge
from course.grading.submission import Submission
from course.lessons.linear_and_activations import affine, gelu, gelu_tanh, relu, sigmoid, silu, softplus, tanh
from course.records import Feedback, Status
from solutions.linear_and_activations import (
    affine_bwd,
    affine_fwd,
    gelu_bwd,
    gelu_fwd,
    gelu_tanh_bwd,
    gelu_tanh_fwd,
    relu_bwd,
    relu_fwd,
    sigmoid_bwd,
    sigmoid_fwd,
    silu_bwd,
    silu_fwd,
    softplus_bwd,
    softplus_fwd,
    tanh_bwd,
    tanh_fwd,
)

LESSON = "linear_and_activations"
ANSWERS = Path(__file__).parents[2] / "solutions" / f"{LESSON}.py"
ACTIVATIONS = {
    "relu": (relu, relu_fwd, relu_bwd),
    "sigmoid": (sigmoid, sigmoid_fwd, sigmoid_bwd),
    "tanh": (tanh, tanh_fwd, tanh_bwd),
}
SMOOTH = {
    "softplus": (softplus, softplus_fwd, softplus_bwd),
    "silu": (silu, silu_fwd, silu_bwd),
    "gelu": (gelu, gelu_fwd, gelu_bwd),
    "gelu_tanh": (gelu_tanh, gelu_tanh_fwd, gelu_tanh_bwd),
}
IN_JAX = {
    "softplus": jax.nn.softplus,
    "silu": jax.nn.silu,
    "gelu": lambda x: jax.nn.gelu(x, approximate=False),
    "gelu_tanh": lambda x: jax.nn.gelu(x, approximate=True),
}


@pytest.fixture(autouse=True)
def _float64():
    with jax.enable_x64(True):
        yield


@pytest.fixture(params=ACTIVATIONS)
def activation(request):
    return ACTIVATIONS[request.param]


def drawn(*shape, seed=0):
    return jnp.asarray(np.random.default_rng(seed).standard_normal(shape))


def drawn_affine(batch=7, d_in=5, d_out=3):
    return drawn(batch, d_in, seed=1), drawn(d_in, d_out, seed=2), drawn(d_out, seed=3)


def backward(fwd, bwd, *primals, y_bar=None):
    """The cotangents by hand; without y_bar, the slopes of a function that acts on each entry by itself."""
    y, residuals = fwd(*primals)
    return bwd(residuals, jnp.ones_like(y) if y_bar is None else y_bar)


# Published numbers.


def test_affine_gives_the_numbers_of_cs231n():
    """Stanford CS231n, assignment 2, FullyConnectedNets: the forward pass of an affine layer."""
    x = jnp.linspace(-0.1, 0.5, num=2 * 4 * 5 * 6).reshape(2, 4 * 5 * 6)
    w = jnp.linspace(-0.2, 0.3, num=4 * 5 * 6 * 3).reshape(4 * 5 * 6, 3)
    y, _ = affine_fwd(x, w, jnp.linspace(-0.3, 0.1, num=3))
    published = [[1.49834967, 1.70660132, 1.91485297], [3.25553199, 3.5141327, 3.77273342]]
    np.testing.assert_allclose(y, published, rtol=1e-8)


def test_relu_gives_the_numbers_of_cs231n():
    """Stanford CS231n, assignment 2, FullyConnectedNets: the forward pass of a relu."""
    y, _ = relu_fwd(jnp.linspace(-0.5, 0.5, num=12).reshape(3, 4))
    published = [[0, 0, 0, 0], [0, 0, 0.04545455, 0.13636364], [0.22727273, 0.31818182, 0.40909091, 0.5]]
    np.testing.assert_allclose(y, published, rtol=1e-7)


def test_slopes_of_sigmoid_and_tanh_are_those_in_jax_s_documentation():
    """The JAX documentation, in float32: "Quickstart" (a sum of logistic functions), "Automatic differentiation"."""
    (slopes,) = backward(sigmoid_fwd, sigmoid_bwd, jnp.arange(3.0))
    np.testing.assert_allclose(slopes, [0.25, 0.19661194, 0.10499357], rtol=2e-6)
    (slope,) = backward(tanh_fwd, tanh_bwd, jnp.array(2.0))
    np.testing.assert_allclose(slope, 0.070650816, rtol=2e-6)


def test_values_are_those_of_numpy_and_scipy():
    special = pytest.importorskip("scipy.special")
    x = np.linspace(-30, 30, 121)
    np.testing.assert_allclose(sigmoid_fwd(jnp.asarray(x))[0], special.expit(x), rtol=1e-13)
    np.testing.assert_allclose(tanh_fwd(jnp.asarray(x))[0], np.tanh(x), rtol=1e-13)
    np.testing.assert_array_equal(relu_fwd(jnp.asarray(x))[0], np.maximum(x, 0))


# Every entry.


def test_affine_s_cotangents_are_the_sums_that_one_writes_index_by_index():
    x, w, b = drawn_affine()
    y_bar = drawn(7, 3, seed=4)
    given = backward(affine_fwd, affine_bwd, x, w, b, y_bar=y_bar)
    x, w, y_bar = (np.asarray(array) for array in (x, w, y_bar))
    batch, d_in, d_out = range(7), range(5), range(3)
    x_bar = [[sum(y_bar[n, j] * w[i, j] for j in d_out) for i in d_in] for n in batch]
    w_bar = [[sum(y_bar[n, j] * x[n, i] for n in batch) for j in d_out] for i in d_in]
    b_bar = [sum(y_bar[n, j] for n in batch) for j in d_out]
    for one, right in zip(given, (x_bar, w_bar, b_bar), strict=True):
        np.testing.assert_allclose(one, np.array(right), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("sizes", [(7, 5, 3), (1, 5, 3), (7, 1, 1)])
def test_affine_is_what_jax_derives_for_any_sizes(sizes):
    primals, y_bar = drawn_affine(*sizes), drawn(sizes[0], sizes[2], seed=4)
    _, pullback = jax.vjp(affine, *primals)
    for given, right in zip(backward(affine_fwd, affine_bwd, *primals, y_bar=y_bar), pullback(y_bar), strict=True):
        assert given.shape == right.shape
        np.testing.assert_allclose(given, right, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("shape", [(), (7, 5), (2, 3, 4)])
def test_an_activation_is_what_jax_derives_for_any_shape(activation, shape):
    primal, fwd, bwd = activation
    x, y_bar = 2 * drawn(*shape, seed=5), drawn(*shape, seed=6)
    _, pullback = jax.vjp(primal, x)
    (given,) = backward(fwd, bwd, x, y_bar=y_bar)
    np.testing.assert_allclose(given, pullback(y_bar)[0], rtol=1e-12)


def test_a_bias_s_cotangent_is_the_transpose_of_its_copies():
    """Broadcast forward, sum backward: <b_bar, b_dot> = <y_bar, copies of b_dot>."""
    x, w, b = drawn_affine()
    y_bar, b_dot = drawn(7, 3, seed=7), drawn(3, seed=8)
    _, _, b_bar = backward(affine_fwd, affine_bwd, x, w, b, y_bar=y_bar)
    np.testing.assert_allclose(b_bar @ b_dot, jnp.vdot(y_bar, jnp.broadcast_to(b_dot, y_bar.shape)), rtol=1e-12)


def test_tanh_is_sigmoid_doubled_in_height_and_halved_in_width():
    x, y_bar = drawn(50, seed=9), drawn(50, seed=10)
    (by_tanh,) = backward(tanh_fwd, tanh_bwd, x, y_bar=y_bar)
    (by_sigmoid,) = backward(sigmoid_fwd, sigmoid_bwd, 2 * x, y_bar=4 * y_bar)
    np.testing.assert_allclose(by_tanh, by_sigmoid, rtol=1e-12)


def test_the_pairs_serve_as_parts_of_a_jax_program():
    x, w, b = drawn_affine()
    by_hand = [course.as_jax(fwd, bwd) for fwd, bwd in ((affine_fwd, affine_bwd), (tanh_fwd, tanh_bwd))]

    def loss(params, parts):
        layer, activation = parts
        return jnp.sum(activation(layer(x, *params)) ** 2)

    given = jax.jit(lambda params: jax.grad(loss)(params, by_hand))((w, b))
    right = jax.grad(loss)((w, b), (affine, tanh))
    jax.tree.map(lambda one, other: np.testing.assert_allclose(one, other, rtol=1e-12), given, right)


# Kinks, peaks, and far out.


def test_relu_s_slope_at_zero_is_zero_from_either_side():
    (slopes,) = backward(relu_fwd, relu_bwd, jnp.array([0.0, -0.0, 1e-300, -1e-300]))
    assert slopes.tolist() == [0, 0, 1, 0]


def test_at_zero_jax_s_relu_agrees_and_its_maximum_says_a_half():
    assert jax.grad(jax.nn.relu)(0.0) == 0
    assert jax.grad(lambda x: jnp.maximum(x, 0))(0.0) == 0.5


def test_slopes_peak_at_zero_with_a_quarter_and_one():
    x = jnp.arange(-400, 401) / 100
    for fwd, bwd, peak in ((sigmoid_fwd, sigmoid_bwd, 0.25), (tanh_fwd, tanh_bwd, 1.0)):
        (slopes,) = backward(fwd, bwd, x)
        assert float(slopes.max()) == peak
        assert float(x[slopes.argmax()]) == 0


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_slopes_are_finite_and_zero_far_out(activation, dtype):
    _, fwd, bwd = activation
    (slopes,) = backward(fwd, bwd, jnp.array([-1e4, -1e30, 1e4, 1e30], dtype))
    assert slopes.dtype == dtype
    assert slopes.tolist() == ([0, 0, 1, 1] if bwd is relu_bwd else [0, 0, 0, 0])


def test_nothing_comes_back_through_a_closed_relu_even_from_an_infinite_cotangent():
    (x_bar,) = backward(relu_fwd, relu_bwd, jnp.array([-1.0, 1.0]), y_bar=jnp.array([jnp.inf, 2.0]))
    assert x_bar.tolist() == [0, 2]


# Relus without a corner.


@jax.jit
def smooth_by_hand(x):
    """The value and the slope of each, by name."""
    kept = {name: fwd(x) for name, (_, fwd, _) in SMOOTH.items()}
    ones = jnp.ones_like(x)
    return {name: (y, SMOOTH[name][2](residuals, ones)[0]) for name, (y, residuals) in kept.items()}


@pytest.fixture(scope="module")
def smooth():
    """Where they are asked for, and the value and slope of each there."""
    with jax.enable_x64(True):
        x = jnp.arange(-3000, 3001) / 100
        return x, jax.tree.map(np.asarray, smooth_by_hand(x))


def test_smooth_relus_and_their_slopes_are_jax_s_own(smooth):
    x, found = smooth
    theirs = jax.jit(lambda x: {name: jax.jvp(f, (x,), (jnp.ones_like(x),)) for name, f in IN_JAX.items()})(x)
    left_over = 1e-13  # of 1 + t, where t is nearly -1: the last bit of t, times x and the slope of the inside
    jax.tree.map(lambda one, other: np.testing.assert_allclose(one, other, rtol=1e-12, atol=left_over), found, theirs)


def test_gelu_is_what_the_normal_distribution_of_the_standard_library_makes_it(smooth):
    x, found = smooth
    normal = NormalDist()
    chosen = range(0, 6001, 150)
    np.testing.assert_allclose(
        np.transpose(found["gelu"])[chosen, :],
        [(v * normal.cdf(v), normal.cdf(v) + v * normal.pdf(v)) for v in (float(x[n]) for n in chosen)],
        rtol=1e-12,
        atol=1e-14,
    )


def test_the_two_gelus_are_a_two_thousandth_apart_at_most(smooth):
    _, found = smooth
    (exact, exact_slope), (tanh_form, slope) = found["gelu"], found["gelu_tanh"]
    assert 4.7e-4 < np.abs(tanh_form - exact).max() < 4.8e-4
    assert 8.6e-4 < np.abs(slope - exact_slope).max() < 8.8e-4
    assert np.abs(tanh_form[2999:3002] - exact[2999:3002]).max() < 1e-9


def test_slopes_are_steepest_where_the_hints_say(smooth):
    x, found = smooth
    peaks = {name: (float(x[slope.argmax()]), slope.max()) for name, (_, slope) in found.items()}
    assert peaks["gelu"] == pytest.approx((2**0.5, 1.129), abs=5e-3)
    assert peaks["silu"] == pytest.approx((2.4, 1.0998), abs=1e-2)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_smooth_relus_are_zero_or_x_far_out_and_their_slopes_zero_or_one(dtype):
    x = np.array([-1e12, -1e4, 1e4, 1e12], dtype)
    for value, slope in smooth_by_hand(x).values():
        assert value.dtype == slope.dtype == dtype
        assert value.tolist() == [0, 0, x[2], x[3]]
        assert slope.tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize("name", ["silu", "gelu"])
def test_one_y_of_two_x_has_two_slopes(name, smooth):
    """So nobody can do with y alone."""
    _, found = smooth
    value, slope = found[name]
    lowest = value.argmin()
    assert 0 < lowest < len(value) - 1
    falling, rising = slice(lowest - 50, lowest), slice(lowest + 1, lowest + 51)
    assert value[falling][0] > value[rising][0]
    assert value[rising][-1] > value[falling][-1]
    assert slope[falling].max() < 0 < slope[rising].min()


# What forward keeps.


def after_affine(fwd):
    """A part where it stands in a network: its x belongs to nobody else."""
    return lambda x, w, b: fwd(affine(x, w, b))


def test_affine_keeps_no_byte_that_is_not_an_argument():
    assert residual_bytes(affine_fwd, *drawn_affine()) == 0


@pytest.mark.parametrize(
    "fwd, bytes_an_entry",
    [(relu_fwd, 1), (sigmoid_fwd, 8), (tanh_fwd, 8), *((fwd, 8) for _, fwd, _ in SMOOTH.values())],
)
def test_an_activation_keeps_one_array_and_relu_only_a_byte_an_entry(fwd, bytes_an_entry):
    assert residual_bytes(after_affine(fwd), *drawn_affine(batch=7, d_out=3)) == 7 * 3 * bytes_an_entry


def test_by_hand_no_more_is_kept_than_jax_keeps(activation):
    primal, fwd, _ = activation
    primals = drawn_affine()
    assert residual_bytes(after_affine(fwd), *primals) <= vjp_residual_bytes(after_affine(primal), *primals)


def test_jax_keeps_zeros_beside_the_booleans_of_relu():
    primals = [jax.ShapeDtypeStruct(shape, jnp.float32) for shape in ((7, 5), (5, 3), (3,))]
    assert vjp_residual_bytes(after_affine(relu), *primals) == 7 * 3 * (1 + 4)


def test_a_relu_that_keeps_y_keeps_nothing_of_its_own_before_another_affine():
    def kept(choose):
        def fwd(x, w1, b1, w2, b2):
            z1 = affine(x, w1, b1)
            a1 = relu(z1)
            return affine(a1, w2, b2), (x, w1, choose(z1, a1), a1, w2)

        x, w1, b1 = drawn_affine(batch=7, d_in=5, d_out=4)
        return residual_bytes(fwd, x, w1, b1, drawn(4, 3), drawn(3)) / (7 * 4)

    assert kept(lambda z1, a1: z1) == 8 + 8
    assert kept(lambda z1, a1: z1 > 0) == 1 + 8
    assert kept(lambda z1, a1: a1) == 8


# The exam paper.


def edited(tmp_path, *edits):
    """A submission of our answers after edits, each from one text to another that occurs in them."""
    text = ANSWERS.read_text(encoding="utf-8")
    for old, new in edits:
        assert text.count(old) == 1
        text = text.replace(old, new)
    (tmp_path / "work.py").write_text(text, encoding="utf-8")
    return Submission.read(tmp_path / "work.py")


def verdict(name, submission):
    return judge(find_exercise(f"{LESSON}.{name}"), submission, feedback=Feedback.NAME, example=False)


def test_a_bias_s_cotangent_that_is_not_summed_is_asked_about_the_copies(tmp_path):
    found = verdict("affine", edited(tmp_path, ("y_bar.sum(axis=0)", "y_bar")))
    assert "copied b to every row" in found.lines[-1]


@pytest.mark.parametrize("name", ["affine", *ACTIVATIONS])
def test_blank_stubs_are_not_started(name, tmp_path):
    heads = (f"def {name}_fwd(x):", f"def {name}_bwd(residuals, y_bar):")
    (tmp_path / "work.py").write_text("".join(f"{head}\n    raise NotImplementedError\n" for head in heads))
    found = verdict(name, Submission.read(tmp_path / "work.py"))
    assert found.status is Status.NOT_STARTED
    assert found.points == 0


def test_half_a_pair_is_not_started(tmp_path):
    half = edited(tmp_path, ("return (jnp.where(positive, y_bar, 0),)", "raise NotImplementedError"))
    assert verdict("relu", half).status is Status.NOT_STARTED


QUESTIONS = [exercise for exercise in paper_of(LESSON).exercises if not exercise.task.names and exercise.points]
CHOICES = [exercise for exercise in QUESTIONS if isinstance(exercise.task, Choice)]


def answered(exercise, value):
    return verdict(exercise.name.partition(".")[2], Submission.of(**{exercise.name: value}))


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
    "pair, says", [((0.25, 0.25), "common error"), ((1.0, 0.25), "other order"), ((0.5, 0), "values")]
)
def test_a_wrong_peak_has_its_own_explanation(pair, says):
    found = answered(find_exercise(f"{LESSON}.q2"), pair)
    assert found.status is Status.WRONG
    assert says in " ".join(found.lines)


def test_the_options_of_the_scaled_rows_are_what_they_are_said_to_be():
    scale, x, y_bar = drawn(7, 1, seed=1), drawn(7, 5, seed=2), drawn(7, 5, seed=3)
    right, x_bar = jax.vjp(jnp.multiply, scale, x)[1](y_bar)
    np.testing.assert_allclose((y_bar * x).sum(axis=1, keepdims=True), right, rtol=1e-12)
    np.testing.assert_allclose(y_bar * scale, x_bar, rtol=1e-12)


def test_every_pair_has_three_hints_and_none_of_them_says_the_answer():
    asked = (
        "y_bar @ w.T",
        "x.T @ y_bar",
        "sum(axis=0)",
        "where(positive",
        "y * (1 - y)",
        "1 - y**2",
        "x > 0",
        "return x, w",
        "y_bar * sigmoid",
        "(1 - gate)",
        "x * density",
        "gate_slope",
    )
    for exercise in paper_of(LESSON).exercises:
        if exercise.task.names:
            assert len(exercise.hints) == 3
            assert not [hint for hint in exercise.hints for line in asked if line in hint]


def test_one_exercise_is_marked_hard_and_four_to_nine_are_required():
    exercises = paper_of(LESSON).exercises
    assert [exercise.name for exercise in exercises if exercise.hard] == [f"{LESSON}.tanh"]
    assert 4 <= sum(exercise.required for exercise in exercises) <= 9
