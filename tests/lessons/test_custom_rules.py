"""What answers to `custom_rules` must meet: finite slopes, who is called, bytes, rules that are no derivatives."""

from functools import cache
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import course
from course.comparison.residuals import residual_bytes, vjp_residual_bytes
from course.exercises import find_exercise
from course.grading import judge
from course.grading.submission import Submission
from course.lessons.custom_rules import (
    LEVELS,
    clip_gradient_fwd,
    log1pexp,
    projected_cross_entropy,
    sign_bwd,
    sign_fwd,
)
from course.lessons.losses import softmax_cross_entropy
from course.records import Feedback, Status
from solutions.custom_rules import (
    clip_gradient_bwd,
    fake_quantize_bwd,
    fake_quantize_fwd,
    fused_cross_entropy_bwd,
    fused_cross_entropy_fwd,
    install,
    lengths,
    log1pexp_jvp,
    projected_cross_entropy_bwd,
    projected_cross_entropy_fwd,
)

ANSWERS = Path(__file__).parents[2] / "solutions" / "custom_rules.py"
ROWS, CLASSES = 256, 32_000
LOGITS = jax.ShapeDtypeStruct((ROWS, CLASSES), jnp.float32)
LABELS = jax.ShapeDtypeStruct((ROWS,), jnp.int32)


def drawn(*shape, seed=0):
    return np.float32(np.random.default_rng(seed).standard_normal(shape))


# Slopes that are numbers.


@cache
def slopes():
    """Of log(1 + exp(x)) at x, in float32: as it is typed, in parts, and by the rule, forward and reverse."""
    x = np.float32([-1e4, 0, 0.5, 100, 1e4])
    ruled = jax.custom_jvp(log1pexp)
    ruled.defjvp(log1pexp_jvp)

    @jax.jit
    def found(x):
        ways = {
            "typed": lambda x: jnp.log(1 + jnp.exp(x)),
            "parts": lambda x: jnp.maximum(x, 0) + jnp.log1p(jnp.exp(-jnp.abs(x))),
            "reverse": ruled,
        }
        by_reverse = {name: jax.vjp(f, x)[1](jnp.ones_like(x))[0] for name, f in ways.items()}
        return by_reverse | {"forward": jax.jvp(ruled, (x,), (jnp.ones_like(x),))[1]}

    return {name: np.asarray(found_by) for name, found_by in found(x).items()}


def test_the_rule_is_finite_where_autodiff_of_what_is_typed_is_not():
    assert np.isnan(slopes()["typed"][-1])
    for direction in ("forward", "reverse"):
        np.testing.assert_allclose(slopes()[direction], [0, 0.5, 1 / (1 + np.exp(-0.5)), 1, 1], rtol=1e-6)


def test_parts_that_have_corners_where_the_whole_has_none_get_a_wrong_slope_there():
    np.testing.assert_allclose(slopes()["parts"][[0, 2, 3, 4]], slopes()["reverse"][[0, 2, 3, 4]], rtol=1e-6)
    assert slopes()["parts"][1] == 0


def test_a_row_of_zeros_has_a_length_and_a_slope():
    x = np.float32([[3, -4], [0, 0]])
    y, pullback = jax.vjp(jax.jit(lengths), x)
    np.testing.assert_allclose(y, [5, 0])
    np.testing.assert_allclose(pullback(np.float32([1, 1]))[0], [[0.6, -0.8], [0, 0]], rtol=1e-6)


# Who is called.


def test_an_installed_pair_is_called_in_the_place_of_autodiff_under_jit_and_vmap():
    x, y_bar = drawn(4, 3), drawn(4, 3, seed=1)
    sign = install(sign_fwd, sign_bwd)
    pulled = jax.jit(jax.vmap(lambda row, bar: jax.vjp(sign, row)[1](bar)[0]))(x, y_bar)
    np.testing.assert_array_equal(pulled, np.where(np.abs(x) <= 1, y_bar, 0))
    assert not jax.jit(lambda x: jax.vjp(jnp.sign, x)[1](y_bar)[0])(x).any()


def test_without_a_derivative_nothing_of_the_pair_but_its_value_is_computed():
    kept = jax.jit(install(lambda x: (2 * x, jnp.sin(x)), lambda kept, y_bar: (kept * y_bar,)))
    assert "sine(" not in kept.lower(np.float32(1)).compile().as_text()


# Bytes.


def test_the_fused_loss_keeps_two_numbers_a_row_where_jax_keeps_a_table():
    assert residual_bytes(fused_cross_entropy_fwd, LOGITS, LABELS) == 2 * ROWS * 4
    assert vjp_residual_bytes(softmax_cross_entropy, LOGITS, LABELS) > ROWS * CLASSES * 4


def test_compiled_in_one_program_forward_and_backward_share_their_exponentials_and_no_table_is_left():
    def both(logits, labels):
        loss, residuals = fused_cross_entropy_fwd(logits, labels)
        return loss, fused_cross_entropy_bwd(residuals, jnp.ones_like(loss))[0]

    program = jax.jit(both).lower(LOGITS, LABELS).compile()
    assert program.as_text().count("exponential(") == 1
    assert program.memory_analysis().temp_size_in_bytes < ROWS * CLASSES * 4 / 100


def test_the_projected_loss_never_has_all_its_logits():
    head = (jax.ShapeDtypeStruct((ROWS, 8), jnp.float32), jax.ShapeDtypeStruct((8, CLASSES), jnp.float32), LABELS)

    def by_hand(h, w, labels):
        loss, residuals = projected_cross_entropy_fwd(h, w, labels)
        return loss, projected_cross_entropy_bwd(residuals, jnp.ones_like(loss))[:2]

    def temporary(step):
        return jax.jit(step).lower(*head).compile().memory_analysis().temp_size_in_bytes

    assert temporary(by_hand) < temporary(jax.value_and_grad(projected_cross_entropy, (0, 1))) / 4


# Rules that are no derivatives.


def test_the_grid_has_seven_numbers_and_its_step_is_learned_by_the_rounding_error():
    x, step = np.linspace(-4, 4, 81, dtype=np.float32)[:, None], np.float32(0.9)
    y, residuals = jax.jit(fake_quantize_fwd)(x, step)
    assert len(np.unique(np.round(y / step, 3))) == 2 * LEVELS + 1
    x_bar, step_bar = jax.jit(fake_quantize_bwd)(residuals, jnp.ones_like(x))
    fits = np.abs(x) <= LEVELS * step
    np.testing.assert_array_equal(x_bar, fits)
    np.testing.assert_allclose(step_bar, np.where(fits, (y - x) / step, LEVELS * np.sign(x)).sum(), atol=1e-4)


def test_straight_through_a_grid_descent_finds_its_way():
    target, start = jnp.asarray(drawn(16, 8)), jnp.asarray(0.3 * drawn(16, 8, seed=1))
    quantize = install(fake_quantize_fwd, fake_quantize_bwd)

    def loss_of(w):
        return jnp.mean((quantize(w, jnp.float32(0.7)) - target) ** 2)

    @jax.jit
    def descended(w):
        return jax.lax.scan(lambda w, _: (w - 10 * jax.grad(loss_of)(w), None), w, length=50)[0]

    assert loss_of(descended(start)) < loss_of(start) / 5


def test_a_clipped_cotangent_is_refused_as_a_derivative_and_holds_a_growing_one_short():
    clip = install(clip_gradient_fwd, clip_gradient_bwd)
    start, handed = drawn(1, 2), np.float32([[3, 4]])

    @jax.jit
    def pulled(limit):
        grown = lambda h: jax.lax.scan(lambda h, _: (1.5 * clip(h, limit), None), h, length=20)[0]  # noqa: E731
        return jax.vjp(grown, start)[1](handed)[0]

    np.testing.assert_allclose(pulled(np.float32(2)), 2 * handed / 5, rtol=1e-5)
    np.testing.assert_allclose(pulled(np.float32(np.inf)), 1.5**20 * handed, rtol=1e-5)
    found = course.compare(lambda x, limit: 1 * x, clip_gradient_fwd, clip_gradient_bwd, drawn(3, 2), np.float32(0.1))
    assert "Twice the y_bar must give twice the cotangents" in " ".join(remark.text for remark in found.remarks)


# The exam paper.


def verdict(name, submission):
    return judge(find_exercise(f"custom_rules.{name}"), submission, feedback=Feedback.NAME, example=False)


def with_change(tmp_path, old, now):
    text = ANSWERS.read_text(encoding="utf-8")
    assert text.count(old) == 1
    (tmp_path / "work.py").write_text(text.replace(old, now), encoding="utf-8")
    return Submission.read(tmp_path / "work.py")


def test_a_table_kept_is_right_but_costly(tmp_path):
    kept = "return loss, (logits - largest, labels, 0 * largest, total)"
    found = verdict("fused_cross_entropy", with_change(tmp_path, "return loss, (logits, labels, largest, total)", kept))
    assert found.status is Status.COSTLY
    assert "112 are enough" in " ".join(found.lines)


@pytest.mark.parametrize(
    "name, old, now, says",
    [
        ("lengths", "jnp.where(is_zero, 1, squares)", "squares", "it went through the root, too"),
        (
            "install",
            "    installed.defvjp(fwd, bwd)\n",
            "    installed = jax.jit(lambda *p: fwd(*p)[0])\n",
            "bwd had no say",
        ),
    ],
)
def test_what_comes_of_using_a_function_is_judged_and_its_mistake_named(name, old, now, says, tmp_path):
    found = verdict(name, with_change(tmp_path, old, now))
    assert found.status is Status.WRONG
    assert says in " ".join(found.lines)
