"""Claims about the naming of a wrong array: each general slip is recognised, and no name is ever false."""

import itertools

import jax.numpy as jnp
import numpy as np
import pytest

from course.comparison.compare import compare
from course.comparison.precision import FLOAT64, narrow
from course.comparison.slips import Context, find_slip
from tests.comparison.pairs import affine_bwd, draw, judged, said, square, square_fwd


def slipped(change):
    """The slip found in w_bar of an answer to affine when that is changed."""

    def bwd(residuals, y_bar):
        x_bar, w_bar, b_bar = affine_bwd(residuals, y_bar)
        return x_bar, change(w_bar), b_bar

    found = judged(bwd)
    assert [array.right for array in found.arrays] == [True, False, True]
    assert found.headline == "w_bar is wrong · x_bar and b_bar are right"
    return found.arrays[1].slip


SLIPS = {
    "zero": (jnp.zeros_like, "zero", "zero throughout"),
    "ones": (jnp.ones_like, "ones", "1 throughout"),
    "negative": (jnp.negative, "sign", "opposite sign"),
    "transposed": (jnp.transpose, "transposed", "match transposed"),
    "reversed": (lambda w: w[::-1], "reversed", "reverse order along axis 0"),
    "twice": (lambda w: 2 * w, "factor", "is 2 times the right one"),
    "half": (lambda w: w / 2, "factor", "is 1/2 times"),
    "averaged": (lambda w: w / 5, "factor", "is 1/5 times the right one; 5 is the length of axis 0 of x"),
    "negative and summed": (lambda w: -5 * w, "factor", "is -5 times the right one; 5 is"),
    "averaged over all": (lambda w: w / 15, "factor", "is 1/15 times the right one; 15 is the size of x"),
    "root": (lambda w: w * 5**0.5, "factor", "is sqrt(5) times"),
    "by the root": (lambda w: w / 3**0.5, "factor", "is 1/sqrt(3) times the right one; 3 is the length of axis 1 of x"),
    "another factor": (lambda w: 1.234567 * w, "factor", "is 1.234567 times the right one."),
    "flat": (jnp.ravel, "shape", "The numbers are right"),
    "summed too much": (lambda w: w.sum(axis=0), "summed", "the right one summed over axis 0"),
    "summed, axis kept": (lambda w: w.sum(axis=1, keepdims=True), "summed", "summed over axis 1"),
    "summed over all": (jnp.sum, "summed", "summed over axes 0 and 1"),
    "NaN": (lambda w: w.at[1, 2].set(jnp.nan), "not finite", "1 of its 12 numbers is NaN"),
    "infinite": (lambda w: w * jnp.inf, "not finite", "12 of its 12 numbers are infinite"),
}


@pytest.mark.parametrize("change, kind, words", SLIPS.values(), ids=SLIPS)
def test_a_slip_is_named(change, kind, words):
    slip = slipped(change)
    assert slip.kind == kind
    assert words in slip.text
    assert slip.ask.endswith("?")


def test_a_wrong_array_without_a_slip_shows_its_worst_number():
    found = judged(
        lambda r, y_bar: (affine_bwd(r, y_bar)[0], affine_bwd(r, y_bar)[1].at[2, 1].set(9), affine_bwd(r, y_bar)[2])
    )
    assert found.arrays[1].slip is None
    assert found.arrays[1].worst.index == (2, 1)
    assert found.arrays[1].worst.yours == 9
    assert "The numbers match no simple slip. Worst at w_bar[2][1]: yours 9, right " in said(found)


def test_the_cotangent_handed_on_is_named():
    found = compare(square, square_fwd, lambda x, loss_bar: (loss_bar,), draw(4))
    assert found.arrays[0].slip.text == "Yours is loss_bar as it came."


def test_exchanged_arrays_are_named():
    def primal(x, w):
        return (x * x * w).sum()

    found = compare(
        primal, lambda x, w: (primal(x, w), (x, w)), lambda r, g: (g * r[0] ** 2, 2 * g * r[0] * r[1]), *draw(2, 4)
    )
    assert [array.slip.text for array in found.arrays] == [
        "These are the numbers of w_bar.",
        "These are the numbers of x_bar.",
    ]


def test_equal_slips_are_said_once():
    found = judged(lambda residuals, y_bar: tuple(-array for array in affine_bwd(residuals, y_bar)))
    texts = [remark.text for remark in found.remarks]
    assert texts[0] == "All of them alike: the numbers match with the opposite sign."
    assert len(texts) == 2
    assert texts[1].startswith("Ask: ")


def test_an_array_not_summed_over_several_axes_is_named():
    def primal(x, b):
        return x * b

    found = compare(primal, lambda x, b: (x * b, (x, b)), lambda r, g: (g * r[1], g * r[0]), draw(2, 5, 3), 1.5)
    assert found.arrays[1].slip.kind == "not summed"
    assert "summed over axes 0 and 1 and 2" in found.arrays[1].slip.text


def test_one_number_is_no_evidence_of_a_factor():
    found = compare(lambda x: x**2, lambda x: (x**2, x), lambda x, g: (3 * x * g,), 0.7)
    assert found.arrays[0].slip is None
    found = compare(lambda x: x**2, lambda x: (x**2, x), lambda x, g: (x * g,), 0.7)
    assert "is 1/2 times" in found.arrays[0].slip.text


def scaled_sum(scale, x):
    return scale * x.sum()


def scaled_sum_fwd(scale, x):
    return scaled_sum(scale, x), (scale, x)


SINGLE = {
    "not finite": (lambda x, loss_bar: loss_bar * x.sum() * jnp.nan, "It is NaN."),
    "zero": (lambda x, loss_bar: 0 * loss_bar, "Yours is zero."),
    "sign": (lambda x, loss_bar: -loss_bar * x.sum(), "It matches with the opposite sign."),
    "left out": (lambda x, loss_bar: x.sum(), "Yours is right for loss_bar = 1: loss_bar is left out."),
    "factor": (
        lambda x, loss_bar: loss_bar * x.mean(),
        "It is 1/4 times the right one; 4 is the length of axis 0 of x.",
    ),
    "ones": (lambda x, loss_bar: jnp.ones(()), "Yours is 1."),
}


@pytest.mark.parametrize("kind, scale_bar, words", [(kind, *rest) for kind, rest in SINGLE.items()], ids=SINGLE)
def test_a_slip_of_a_single_number_is_told_in_the_singular(kind, scale_bar, words):
    def bwd(residuals, loss_bar):
        scale, x = residuals
        return scale_bar(x, loss_bar), jnp.full_like(x, loss_bar * scale)

    found = compare(scaled_sum, scaled_sum_fwd, bwd, 1.3, draw(4))
    assert (found.arrays[0].slip.kind, found.arrays[0].slip.text) == (kind, words)


def test_a_single_number_without_a_slip_is_shown_without_a_place():
    found = compare(
        scaled_sum,
        scaled_sum_fwd,
        lambda r, loss_bar: (loss_bar + 3, jnp.full_like(r[1], loss_bar * 1.3)),
        1.3,
        draw(4),
    )
    assert "It matches no simple slip. Yours is " in said(found)


def test_a_cotangent_left_out_is_named_in_every_array_and_a_factor_of_it_is_not():
    def bwd_without(residuals, loss_bar):
        scale, x = residuals
        return x.sum(), jnp.full_like(x, scale)

    def bwd_with_its_square(residuals, loss_bar):
        scale, x = residuals
        return loss_bar**2 * x.sum(), jnp.full_like(x, loss_bar * scale)

    found = compare(scaled_sum, scaled_sum_fwd, bwd_without, 1.3, draw(4))
    assert "All of them alike: yours is right for loss_bar = 1: loss_bar is left out." in said(found)
    assert compare(scaled_sum, scaled_sum_fwd, bwd_with_its_square, 1.3, draw(4)).arrays[0].slip is None


def test_a_constant_beside_a_cotangent_left_out_is_named_too():
    def bwd(residuals, loss_bar):
        scale, x = residuals
        return loss_bar * x.sum(), jnp.full_like(x, -4 * scale)

    slip = compare(scaled_sum, scaled_sum_fwd, bwd, 1.3, draw(4)).arrays[1].slip
    assert slip.kind == "left out"
    assert slip.text == (
        "loss_bar is left out; besides, every number is -4 times the right one; 4 is the length of axis 0 of x."
    )


def alike(left, right, tolerance):
    return left.shape == right.shape and np.linalg.norm(left - right) <= 2 * tolerance * np.linalg.norm(right)


def true_of(slip, path, given, context):
    """Whether a slip says something true, checked by other code than found it."""
    right, tolerance = context.truth[path], context.tolerance
    if slip.kind in ("zero", "not zero"):
        return not (given if slip.kind == "zero" else right).any()
    if slip.kind == "sign":
        return alike(given, -right, tolerance)
    if slip.kind == "transposed":
        return alike(np.moveaxis(given, -1, -2), right, tolerance)
    if slip.kind == "reversed":
        return any(alike(np.flip(given, axis), right, tolerance) for axis in range(right.ndim))
    if slip.kind == "exchanged":
        return alike(given, context.truth[slip.text.removeprefix("These are the numbers of ")[:-1]], tolerance)
    if slip.kind == "factor":
        named = slip.text.removeprefix("Every number is ").removeprefix("It is ").split(" times")[0]
        return named != "1" and alike(given, eval(named.replace("sqrt", "np.sqrt"), {"np": np}) * right, tolerance)
    if slip.kind in ("not summed", "summed"):
        larger, smaller = (given, right) if slip.kind == "not summed" else (right, given)
        axes = tuple(int(digit) for digit in slip.text.split("over ax")[1] if digit.isdigit())
        return alike(larger.sum(axis=axes).ravel(), smaller.ravel(), tolerance)
    if slip.kind == "shape":
        said = "The numbers are right" in slip.text
        return given.shape != right.shape and (not said or alike(given.ravel(), right.ravel(), tolerance))
    if slip.kind == "left out":
        return alike(given * next(iter(context.cotangents.values())), right, tolerance)
    return slip.kind == "ones" and bool((given == 1).all())


CHANGES = [
    lambda a, rng: a,
    lambda a, rng: a + rng.choice([1e-8, 1e-5, 1e-2, 1.0]) * rng.standard_normal(a.shape),
    lambda a, rng: a * rng.choice([2, -1, 0.5, 3, 1 / 3, 1.0001, 2.0002, 7]),
    lambda a, rng: a * rng.choice([0, 1], a.shape),
    lambda a, rng: np.swapaxes(a, -1, -2) if a.ndim > 1 else np.flip(a),
    lambda a, rng: a.sum(axis=int(rng.integers(a.ndim))) if a.ndim else a,
    lambda a, rng: np.stack([a, a + rng.standard_normal(a.shape)]),
    lambda a, rng: a.reshape(-1),
    lambda a, rng: np.roll(a, 1),
    lambda a, rng: rng.standard_normal(a.shape),
    lambda a, rng: np.abs(a),
]


@pytest.mark.parametrize("precision", [FLOAT64, narrow("float32"), narrow("bfloat16")], ids=lambda p: p.name)
def test_no_name_is_ever_false(precision):
    rng = np.random.default_rng(0)
    named = 0
    for first, second in itertools.product(CHANGES, repeat=2):
        for shape in ((3, 3), (3, 5), (4,), (2, 1, 3), ()):
            truth = {
                "a": rng.standard_normal(shape),
                "b": rng.standard_normal(shape),
                "symmetric": np.ones(shape),
                "zero": np.zeros(shape),
            }
            for path, right in truth.items():
                given = np.asarray(second(first(right, rng), rng))
                context = Context(
                    truth,
                    {"y_bar": rng.standard_normal(shape)},
                    {3: "the length of axis 0 of x", 7: "the size of b"},
                    precision,
                )
                slip = find_slip(path, given, context)
                if slip is not None:
                    named += 1
                    assert true_of(slip, path, given, context), (slip, path, given, right)
    assert named > 100
