"""Claims about the precision of judgement: what narrows is judged no more exactly than it can be, and no less."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from course.comparison import study
from course.comparison.compare import compare
from course.comparison.judging import judging
from course.comparison.oracle import conditioning, find_truth, truth_near
from course.comparison.point import make_point
from course.comparison.precision import FLOAT64, narrow, precision_named
from tests.comparison.pairs import affine_bwd, draw, judged, said

X = draw(6, 4)


def off_by(relative):
    def bwd(residuals, y_bar):
        x_bar, w_bar, b_bar = affine_bwd(residuals, y_bar)
        return x_bar, w_bar * (1 + relative), b_bar

    return bwd


def test_float64_refuses_what_float32_would_hide():
    assert judged(off_by(1e-10)).agrees
    assert not judged(off_by(2e-6)).agrees
    assert not judged(off_by(1e-5)).agrees


def test_an_answer_that_narrows_is_accepted_with_a_note():
    def bwd(residuals, y_bar):
        return tuple(array.astype(jnp.float32) for array in affine_bwd(residuals, y_bar))

    found = judged(bwd)
    assert found.agrees, said(found)
    assert found.precision == "float64"
    assert any("narrows to float32" in note for note in found.notes)


def test_a_mistake_is_named_in_an_answer_that_narrows():
    def bwd(residuals, y_bar):
        return tuple(-array.astype(jnp.float32) for array in affine_bwd(residuals, y_bar))

    assert {array.slip.kind for array in judged(bwd).arrays} == {"sign"}


def single_norm(x):
    wide = x.astype(jnp.float32)
    return (wide / jnp.sqrt((wide**2).mean(axis=-1, keepdims=True))).astype(x.dtype)


def norm_fwd(x):
    return single_norm(x), x


def norm_bwd(x, y_bar):
    size = jnp.sqrt((x**2).mean(axis=-1, keepdims=True))
    hat = x / size
    return ((y_bar - hat * (y_bar * hat).mean(axis=-1, keepdims=True)) / size,)


def half_norm(x):
    return jax.jit(lambda x: x.astype(jnp.bfloat16))(x).astype(x.dtype) * 2


def test_a_primal_that_narrows_is_judged_in_what_it_narrows_to():
    found = compare(single_norm, norm_fwd, norm_bwd, X)
    assert found.agrees, said(found)
    assert found.precision == "float32"
    line = single_norm.__code__.co_firstlineno + 1
    assert found.notes[0] == f"judged in float32: line {line} casts to float32"
    assert "float32" not in [check.name for check in found.checks]


def test_a_mistake_beyond_what_the_primal_narrows_to_is_refused():
    found = compare(single_norm, norm_fwd, lambda x, y_bar: (1.001 * norm_bwd(x, y_bar)[0],), X)
    assert not found.agrees
    found = compare(single_norm, norm_fwd, lambda x, y_bar: (y_bar / jnp.sqrt((x**2).mean(axis=-1, keepdims=True)),), X)
    assert found.headline == "x_bar is wrong"


def in_scan(x):
    def step(carry, row):
        carry = carry + jnp.tanh(row.astype(jnp.bfloat16)).astype(carry.dtype)
        return carry, None

    return jax.lax.scan(step, jnp.zeros_like(x[0]), x)[0]


def test_a_cast_inside_jit_or_scan_is_found():
    def bwd(x, y_bar):
        return (y_bar * (1 - jnp.tanh(x) ** 2),)

    found = compare(in_scan, lambda x: (in_scan(x), x), bwd, X)
    assert found.agrees, said(found)
    assert found.precision == "bfloat16"
    assert f"line {in_scan.__code__.co_firstlineno + 2} casts to bfloat16" in said(found)
    assert compare(half_norm, lambda x: (half_norm(x), None), lambda _, y_bar: (2 * y_bar,), X).precision == "bfloat16"


def test_the_narrowest_cast_decides():
    def primal(x):
        return x.astype(jnp.float32).astype(jnp.float16).astype(x.dtype)

    found = compare(primal, lambda x: (primal(x), None), lambda _, y_bar: (y_bar,), X)
    assert found.precision == "float16"


def test_rounding_without_a_cast_counts_too():
    def primal(x):
        return jax.lax.reduce_precision(x, 8, 10)

    found = compare(primal, lambda x: (primal(x), None), lambda _, y_bar: (y_bar,), X)
    assert found.agrees, said(found)
    assert found.precision == "10 bits of mantissa"


def test_a_cast_that_widens_changes_nothing():
    def primal(x):
        return x * jnp.float32(0.5)

    found = compare(primal, lambda x: (primal(x), None), lambda _, y_bar: (y_bar / 2,), X)
    assert found.precision == "float64"


@pytest.mark.parametrize("name", ["float32", "bfloat16"])
def test_precision_may_be_asked_for(name):
    found = judged(precision=name)
    assert found.agrees, said(found)
    assert found.precision == name
    assert found.notes[0] == f"judged in {name}: as asked"


def test_asked_for_float32_a_small_mistake_is_still_refused():
    assert judged(off_by(5e-6), precision="float32").agrees
    assert not judged(off_by(1e-4), precision="float32").agrees


def test_an_unknown_precision_is_a_fault_of_the_call():
    with pytest.raises(ValueError, match="precision must be one of float64, float32, float16, bfloat16; 'float8' came"):
        judged(precision="float8")
    assert precision_named("float64") is FLOAT64


def loop(x):
    return jax.lax.fori_loop(0, 3, lambda i, total: total + jnp.sin(x), jnp.zeros(x.shape, jnp.float32))


def test_a_primal_that_runs_in_float32_alone_is_judged_there():
    found = compare(loop, lambda x: (loop(x), x), lambda x, y_bar: (3 * jnp.cos(x) * y_bar,), X)
    assert found.agrees, said(found)
    assert found.precision == "float32"
    assert found.notes[0] == "judged in float32: the primal does not run in float64"


def spread(x):
    x = x.astype(jnp.float32)
    return ((x - x.mean(axis=-1, keepdims=True)) ** 2).sum()


def spread_bwd(x, y_bar):
    return (2 * y_bar * (x - x.mean(axis=-1, keepdims=True)),)


def test_a_narrow_problem_that_is_ill_conditioned_is_judged_by_its_conditioning():
    far = 1000 + 0.01 * X
    found = compare(spread, lambda x: (spread(x), x), spread_bwd, far)
    assert found.agrees, said(found)
    found = compare(spread, lambda x: (spread(x), x), lambda x, y_bar: (1.5 * spread_bwd(x, y_bar)[0],), far)
    assert not found.agrees


def test_the_conditioning_is_how_far_the_truth_moves():
    single = narrow("float32")
    with judging():
        for offset, low, high in ((0.0, 1e-8, 3e-7), (1000.0, 1e-5, 1e-3)):
            point = make_point(lambda x: ((x - x.mean()) ** 2).sum(), (X + offset,)).cast(np.float64)
            truth = find_truth(point, FLOAT64, np.random.default_rng(0))
            there = lambda near, truth=truth: truth_near(near, FLOAT64, truth).reverse  # noqa: E731 - one line says it
            found = conditioning(point, single, np.random.default_rng(0), truth.reverse, there)
            assert low < found < high


def float32_check(found):
    return next(check for check in found.checks if check.name == "float32")


def variance(x):
    return ((x - x.mean()) ** 2).mean()


def test_float32_is_a_question_of_its_own():
    check = float32_check(judged())
    assert check.passed
    assert 1e-9 < check.error < check.limit < 1e-4


def test_a_careless_answer_is_numerically_unstable_with_a_note():
    def fwd(x):
        return variance(x), (x, (x * 1e4).mean())

    def bwd(residuals, y_bar):
        x, mean = residuals
        return (2 * y_bar * (x * 1e4 + 1e8 - mean - 1e8) / 1e4 / x.size,)

    found = compare(variance, fwd, bwd, X)
    assert found.agrees, said(found)
    assert any(note.startswith("Numerically unstable: in float32") for note in found.notes)


def test_where_the_truth_itself_is_ill_conditioned_no_answer_is_unstable():
    def bwd(x, y_bar):
        return (2 * y_bar * (x - x.mean()) / x.size,)

    found = compare(variance, lambda x: (variance(x), x), bwd, X + 3000.0)
    assert found.agrees, said(found)
    assert found.notes == ()
    assert float32_check(found).limit > 1e-4


def softplus(x):
    return jnp.logaddexp(x, 0).sum()


def test_an_answer_that_overflows_in_float32_alone_is_refused():
    def bwd(x, y_bar):
        return (y_bar * jnp.exp(x) / (1 + jnp.exp(x)),)

    found = compare(softplus, lambda x: (softplus(x), x), bwd, np.array([1.0, 200.0, -3.0]))
    assert not found.agrees
    assert found.headline == "x_bar is not finite in float32, although it is in float64"


def test_an_answer_that_overflows_where_jax_does_is_not_to_blame():
    def primal(x):
        return jnp.log(1 + jnp.exp(x)).sum()

    def bwd(x, y_bar):
        return (y_bar * jnp.exp(x) / (1 + jnp.exp(x)),)

    found = compare(primal, lambda x: (primal(x), x), bwd, np.array([1.0, 200.0, -3.0]))
    assert found.agrees, said(found)
    assert any("nor is JAX's own" in note for note in found.notes)


def test_arguments_beyond_float32_leave_that_question_out():
    found = compare(jnp.sum, lambda x: (x.sum(), None), lambda _, y_bar: (y_bar * jnp.ones(2),), np.array([1.0, 1e300]))
    assert found.agrees, said(found)
    assert "not finite at these arguments rounded to float32" in said(found)


def test_a_fault_in_float32_alone_says_so():
    def bwd(x, y_bar):
        return (
            jax.lax.fori_loop(
                0,
                2,
                lambda i, total: total + x * y_bar,
                jnp.zeros(X.shape, "float64" if x.dtype == jnp.float64 else "int32"),
            ),
        )

    found = compare(lambda x: (x**2).sum(), lambda x: ((x**2).sum(), x), bwd, X)
    assert found.headline == "bwd stops with an error"
    assert "In float32 alone: A loop's carry must keep" in said(found)


def test_a_mask_that_is_another_one_in_float32_is_no_instability():
    def primal(key, x):
        return jnp.where(jax.random.uniform(key, x.shape) < 0.5, 2 * x, 0).sum()

    def fwd(key, x):
        kept = jax.random.uniform(key, x.shape) < 0.5
        return jnp.where(kept, 2 * x, 0).sum(), kept

    found = compare(primal, fwd, lambda kept, y_bar: (None, jnp.where(kept, 2 * y_bar, 0)), jax.random.key(0), X)
    assert found.agrees, said(found)
    assert found.notes == ()


def test_a_primal_with_integers_is_studied_once_for_both_precisions():
    before = study._study.cache_info().misses
    compare(lambda x, at: x[at].sum(), lambda x, at: (x[at].sum(), (x, at)), _picked_bwd, X, np.arange(6))
    assert study._study.cache_info().misses == before + 1


def _picked_bwd(residuals, loss_bar):
    x, at = residuals
    return jnp.zeros(x.shape, x.dtype).at[at].add(loss_bar), None


@pytest.mark.parametrize("make", [np.asarray, jnp.asarray], ids=["NumPy's", "JAX's"])
def test_integer_labels_are_judged_without_a_word_where_the_reader_has_switched_float64_on(make):
    def primal(x, labels):
        return jnp.take_along_axis(x, labels[:, None], axis=1).sum()

    def bwd(residuals, loss_bar):
        x, labels = residuals
        return jnp.zeros(x.shape, x.dtype).at[jnp.arange(len(labels)), labels].add(loss_bar), None

    with jax.enable_x64(True):
        labels = make([0, 3, 1, 1, 2, 0])
        found = compare(primal, lambda x, labels: (primal(x, labels), (x, labels)), bwd, X, labels)
    assert labels.dtype == np.int64
    assert found.agrees, said(found)
    assert not found.notes
