"""Claims about the random task: what draws from a key is judged by its moments, whatever its distribution."""

import dataclasses
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.nn import initializers

from course.comparison.mistakes import Mistake
from course.comparison.moments import ERRORS, Measure
from course.exercises.tasks.pair import Case
from course.exercises.tasks.random import RandomTask
from course.exercises.tasks.task import Sitting
from course.records import Feedback, Status, plain

ready_made = initializers.glorot_normal()

D_IN, D_OUT = 80, 50
STD = 0.25

TASK = RandomTask(
    scales=lambda d_in, d_out: np.full((d_in, d_out), STD),
    function="draw",
    draw=lambda draw: (D_IN, D_OUT),
    mistakes=(
        Mistake("squared", lambda d_in, d_out: np.full((d_in, d_out), STD**2), "Too small by far.", "Where is a root?"),
        Mistake("halved", lambda d_in, d_out: np.full((d_in, d_out), STD / 2), "Half as large."),
    ),
)
TWO = dataclasses.replace(
    TASK, scales=lambda d_in, d_out: [np.full((d_in, d_out), STD), np.full((d_out, d_in), STD)], mistakes=()
)


def judged(function, task=TASK, seed=0):
    return task.judge({"draw": function}, Sitting(seed, by_hand=frozenset()))


def told(function, task=TASK):
    found = judged(function, task)
    return found.status, " ".join([found.headline, *(remark.text for remark in found.remarks)])


def rng_of(key):
    """NumPy's generator, seeded by a key: it compiles nothing."""
    return np.random.default_rng(np.asarray(jax.random.key_data(key)))


def normal(key, d_in, d_out):
    return STD * rng_of(key).standard_normal((d_in, d_out))


def uniform(key, d_in, d_out):
    return STD * math.sqrt(3) * rng_of(key).uniform(-1, 1, (d_in, d_out))


def signs(key, d_in, d_out):
    return STD * rng_of(key).choice([-1.0, 1.0], (d_in, d_out))


def repeated(key, d_in, d_out):
    return np.tile(normal(key, d_in // 2, d_out), (2, 1))


def half_shared(key, d_in, d_out):
    """Half of each draw is the same for every key."""
    return (normal(key, d_in, d_out) + STD * np.random.default_rng(0).standard_normal((d_in, d_out))) / math.sqrt(2)


@pytest.mark.parametrize("draw", [normal, uniform, signs])
def test_any_distribution_of_the_right_moments_is_right_at_every_seed(draw):
    for seed in (*range(8), 1 << 70):
        assert judged(draw, seed=seed).status is Status.RIGHT


def test_single_precision_and_jax_s_own_numbers_are_as_right():
    assert judged(lambda *a: normal(*a).astype(np.float32)).status is Status.RIGHT
    assert judged(lambda key, *sizes: STD * jax.random.normal(key, sizes)).status is Status.RIGHT


@pytest.mark.parametrize(
    "function, words",
    [
        (lambda *a: normal(*a) * STD, "w is wrong Too small by far. Ask: Where is a root?"),
        (lambda *a: normal(*a) / 2, "Half as large."),
        (lambda *a: uniform(*a) / math.sqrt(3), "0.33"),
        (lambda *a: normal(*a) * 1.06, "times the right one"),
        (lambda *a: normal(*a) + 0.02, "Its mean is 0.0"),
        (lambda *a: abs(normal(*a)), "it should be 0"),
        (lambda key, *sizes: np.full(sizes, STD), "Two keys give the same numbers."),
        (lambda key, *sizes: normal(jax.random.key(0), *sizes), "Two keys give the same numbers."),
        (half_shared, "What comes from one key is not independent of what comes from another."),
        (repeated, "Its rows, or its columns, are not independent"),
        (lambda key, d_in, d_out: repeated(key, d_out, d_in).T, "Its rows, or its columns, are not independent"),
        (lambda *a: np.broadcast_to(normal(*a)[:1], (D_IN, D_OUT)), "not independent of each other"),
        (lambda *a: normal(*a).T, "Yours has shape (50, 80); (80, 50) is asked for."),
        (lambda *a: normal(*a).ravel(), "shape"),
        (lambda *a: normal(*a) * np.nan, "NaN"),
        (lambda *a: [normal(*a)], "must be an array of shape (80, 50)"),
        (lambda key, sizes: 0, "must take 3 arguments"),
        (lambda key, *sizes: np.random.default_rng().standard_normal(sizes) * STD, "a second call gave others"),
    ],
)
def test_a_wrong_function_is_told_what_is_wrong(function, words):
    status, text = told(function)
    assert status is Status.WRONG
    assert words in text


def test_the_variance_may_be_off_by_five_standard_errors_and_by_no_more():
    limit = ERRORS * math.sqrt(2 / (2 * D_IN * D_OUT))

    def scaled(key, d_in, d_out):
        z = rng_of(key).standard_normal((d_in, d_out))
        return z / np.sqrt(np.mean(z**2)) * STD

    for factor, status in ((1 + 0.98 * limit, Status.RIGHT), (1 + 1.02 * limit, Status.WRONG)):
        assert judged(lambda *a, f=factor: scaled(*a) * math.sqrt(f)).status is status


@pytest.mark.parametrize(
    "ready",
    [
        lambda key, *sizes: initializers.normal(STD)(key, sizes),
        lambda key, *sizes: jax.nn.initializers.normal(STD)(key, sizes),
        lambda key, *sizes: ready_made(key, sizes),
    ],
)
def test_a_ready_initialiser_is_refused_by_whatever_name(ready):
    found = judged(ready)
    assert found.status is Status.REFUSED
    assert "has ready what this exercise asks you to write" in found.remarks[0].text


def test_arrays_that_share_a_key_are_told_even_where_their_shapes_differ():
    def shared(key, d_in, d_out):
        return [normal(key, d_in, d_out), normal(key, d_out, d_in)]

    def apart(key, d_in, d_out):
        one, other = np.asarray(jax.random.key_data(key))
        return [normal(key, d_in, d_out), STD * np.random.default_rng([other, one, 1]).standard_normal((d_out, d_in))]

    assert judged(apart, TWO).status is Status.RIGHT
    status, text = told(shared, TWO)
    assert status is Status.WRONG
    assert "w[1] is wrong · w[0] is right Not independent of w[0]: is a key used twice?" in text


def test_of_two_arrays_the_wrong_one_alone_is_named():
    found = judged(lambda key, *sizes: [normal(key, *sizes), 2 * normal(jax.random.key(1), *sizes[::-1])], TWO)
    assert [array.right for array in found.comparison.arrays] == [True, False]


def test_what_is_measured_of_the_whole_counts_where_every_array_is_right():
    measure = Measure("sum", lambda w: float(np.sum(w > 0) - w.size), 10.0, "all are positive")
    found = judged(normal, dataclasses.replace(TASK, measures=(measure,)))
    assert (found.status, found.headline, found.share) == (Status.WRONG, "all are positive", 0.5)


def test_a_function_that_is_wrong_for_other_sizes_alone_earns_half():
    task = dataclasses.replace(TASK, awkward=(Case("few columns", lambda draw: (D_IN, 20)),))
    found = judged(lambda key, d_in, d_out: normal(key, d_in, d_out) * math.sqrt(d_out / D_OUT), task)
    assert (found.status, found.share) == (Status.WRONG, 0.5)
    assert found.headline == "right at ordinary inputs, wrong for few columns"


def test_no_more_is_said_than_the_level_allows_and_the_record_is_plain():
    found = judged(lambda *a: normal(*a) / 2)
    assert all(remark.level >= Feedback.KIND for remark in found.remarks)
    assert plain(found.comparison)["arrays"][0]["slip"]["kind"] == "variance"


def test_a_key_s_numbers_may_be_jax_arrays_in_a_tuple():
    found = judged(lambda key, *sizes: tuple(jnp.asarray(w) for w in (normal(key, *sizes), _other(key, sizes))), TWO)
    assert found.status is Status.RIGHT


def _other(key, sizes):
    return STD * rng_of(jax.random.fold_in(key, 1)).standard_normal(sizes[::-1])
