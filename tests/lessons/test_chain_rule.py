"""What answers to `chain_rule` must meet: slopes by three independent ways, published numbers, the exam paper."""

import cmath
import itertools
import re
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import course
from course.comparison.residuals import residual_bytes
from course.exercises import find_exercise, paper_of
from course.exercises.chain_rule import NEURON, NUDGE, nudged_by
from course.exercises.tasks.question import Choice
from course.grading import judge
from course.grading.submission import Submission
from course.lessons.chain_rule import (
    forked,
    forked_fwd,
    neuron_loss,
    neuron_loss_fwd,
    sine_of_square,
    sine_of_square_fwd,
    square,
    square_fwd,
    swish,
    swish_fwd,
)
from course.records import Feedback, Status
from solutions.chain_rule import forked_bwd, neuron_loss_bwd, sine_of_square_bwd, square_bwd, swish_bwd

ANSWERS = Path(__file__).parents[2] / "solutions" / "chain_rule.py"
STEP = 1e-30
"""Of the complex step: f(x + ih) = f(x) + ih f'(x), with no difference that could cancel."""


def sigmoid(z):
    return 1 / (1 + cmath.exp(-z))


PAIRS = {
    "square": (square, square_fwd, square_bwd, 1, lambda x: x**2),
    "sine_of_square": (sine_of_square, sine_of_square_fwd, sine_of_square_bwd, 1, lambda x: cmath.sin(x**2)),
    "neuron_loss": (
        neuron_loss,
        neuron_loss_fwd,
        neuron_loss_bwd,
        4,
        lambda w, b, x, target: 0.5 * (sigmoid(w * x + b) - target) ** 2,
    ),
    "swish": (swish, swish_fwd, swish_bwd, 1, lambda x: x * sigmoid(x)),
    "forked": (forked, forked_fwd, forked_bwd, 2, lambda x, w: (x + w * x) / (1 + (w * x) ** 2)),
}
"""For each exercise the primal, our pair, the number of arguments, and the function again in complex numbers."""


@pytest.fixture(autouse=True)
def _float64():
    with jax.enable_x64(True):
        yield


def numbers(*values):
    return tuple(jnp.asarray(value, jnp.float64) for value in values)


def points(count):
    rng = np.random.default_rng(0)
    yield (0.0,) * count
    yield (-2.0,) * count
    yield from 1.5 * rng.standard_normal((8, count))


def by_hand(name, values, y_bar=1.0):
    """The cotangents of our pair, those of data left out."""
    _, fwd, bwd, _, _ = PAIRS[name]
    y, residuals = fwd(*numbers(*values))
    return y, [bar for bar in bwd(residuals, *numbers(y_bar)) if bar is not None]


# The five functions.


@pytest.mark.parametrize("name", PAIRS)
def test_the_slopes_are_those_of_a_complex_step_in_plain_python(name):
    *_, count, again = PAIRS[name]
    for values in points(count):
        y, bars = by_hand(name, values)
        assert float(y) == pytest.approx(complex(again(*values)).real, rel=1e-13, abs=1e-15)
        for place, bar in enumerate(bars):
            nudged = [value + (1j * STEP if i == place else 0) for i, value in enumerate(values)]
            assert float(bar) == pytest.approx(again(*nudged).imag / STEP, rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("y_bar", [1.0, -3.0, 0.0])
@pytest.mark.parametrize("name", PAIRS)
def test_the_pair_is_what_jax_derives_for_any_cotangent(name, y_bar):
    primal, *_, count, _ = PAIRS[name]
    for values in itertools.islice(points(count), 4):
        right = jax.vjp(primal, *numbers(*values))[1](*numbers(y_bar))
        _, bars = by_hand(name, values, y_bar)
        np.testing.assert_allclose(bars, right[: len(bars)], rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("name", PAIRS)
def test_the_pair_runs_under_jit_and_grad(name):
    primal, fwd, bwd, count, _ = PAIRS[name]
    values = numbers(*(0.3 + 0.2 * i for i in range(count)))
    given = jax.jit(jax.grad(course.as_jax(fwd, bwd)))(*values)
    assert float(given) == pytest.approx(float(jax.grad(primal)(*values)), rel=1e-12)


@pytest.mark.parametrize(
    "name, kept", {"square": 0, "sine_of_square": 1, "neuron_loss": 2, "swish": 1, "forked": 3}.items()
)
def test_forward_keeps_only_numbers_that_are_no_arguments_and_few(name, kept):
    _, fwd, _, count, _ = PAIRS[name]
    assert residual_bytes(fwd, *numbers(*[0.5] * count)) == 8 * kept


@pytest.mark.parametrize("name", PAIRS)
def test_float32_stays_float32_and_right(name):
    _, fwd, bwd, count, _ = PAIRS[name]
    values = [0.9 - 0.4 * i for i in range(count)]
    with jax.enable_x64(False):
        narrow = [jnp.float32(value) for value in values]
        _, residuals = fwd(*narrow)
        bars = [bar for bar in bwd(residuals, jnp.float32(1)) if bar is not None]
        assert {bar.dtype for bar in bars} == {jnp.dtype(jnp.float32)}
    np.testing.assert_allclose(bars, by_hand(name, values)[1], rtol=1e-5)


@pytest.mark.parametrize("z", [-1e4, 1e4])
def test_a_saturated_sigmoid_passes_nothing_and_stays_finite(z):
    assert by_hand("neuron_loss", (z, 0.0, 1.0, 0.3))[1] == [0, 0]
    assert by_hand("swish", (z,))[1] == [float(z > 0)]


def test_square_as_a_product_of_x_with_itself_gets_the_same():
    x = 3.0
    left_bar, right_bar = jax.grad(lambda left, right: left * right, argnums=(0, 1))(x, x)
    assert by_hand("square", (x,))[1] == [left_bar + right_bar]


def test_every_path_of_forked_counts_once():
    x, w = 0.7, -1.3
    u, v, d = w * x, x + w * x, 1 + (w * x) ** 2
    by_v, by_d = 1 / d, -v / d**2
    paths = {"x v": by_v, "x u v": w * by_v, "x u d": w * 2 * u * by_d}
    x_bar, w_bar = by_hand("forked", (x, w))[1]
    assert float(x_bar) == pytest.approx(sum(paths.values()))
    assert float(w_bar) == pytest.approx(x * by_v + x * 2 * u * by_d)


@pytest.mark.parametrize("start, first, last", [((0.6, 0.9), "0.82", "0.09"), ((2.0, 2.0), "0.98", "0.20")])
def test_a_published_neuron_learns_as_published(start, first, last):
    """M. Nielsen, "Neural Networks and Deep Learning", 2015, chapter 3: input 1, target 0, rate 0.15, 300 steps."""

    @jax.jit
    def step(w, b):
        loss, residuals = neuron_loss_fwd(w, b, jnp.ones(()), jnp.zeros(()))
        w_bar, b_bar, _, _ = neuron_loss_bwd(residuals, jnp.ones_like(loss))
        return w - 0.15 * w_bar, b - 0.15 * b_bar, residuals[1]

    w, b = numbers(*start)
    outputs = []
    for _ in range(301):
        w, b, a = step(w, b)
        outputs.append(float(a))
    assert (f"{outputs[0]:.2f}", f"{outputs[300]:.2f}") == (first, last)


def test_swish_is_lowest_where_its_slope_is_zero():
    """The lowest value of x * sigmoid(x) is -0.278465, at -1.278465: there x = -1 - exp(x)."""
    x = -1.2784645427610738
    y, (x_bar,) = by_hand("swish", (x,))
    assert float(y) == pytest.approx(x + 1)
    assert float(x_bar) == pytest.approx(0, abs=1e-15)


def test_a_nudge_settles_on_the_slope():
    (w_bar, _) = by_hand("neuron_loss", NEURON.values())[1]
    ratios = [nudged_by(nudge) / nudge / float(w_bar) for nudge in (1, 0.1, 0.01, 0.001)]
    errors = [abs(ratio - 1) for ratio in ratios]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 1e-4


# The exam paper.


def edited(tmp_path, *edits):
    """A submission of our answers after edits, each from one text to another that occurs in them."""
    text = ANSWERS.read_text(encoding="utf-8")
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    (tmp_path / "work.py").write_text(text, encoding="utf-8")
    return Submission.read(tmp_path / "work.py")


def verdict(name, submission, feedback=Feedback.NAME):
    return judge(find_exercise(f"chain_rule.{name}"), submission, feedback=feedback, example=False)


def test_a_first_try_is_told_where_and_not_what(tmp_path):
    found = verdict("square", edited(tmp_path, ("y_bar * 2 * x", "-y_bar * 2 * x")), Feedback.WHERE)
    assert found.headline == "x_bar is wrong"
    assert "sign" not in " ".join(found.lines)


def test_an_error_is_shown_with_its_line(tmp_path):
    found = verdict("sine_of_square", edited(tmp_path, ("jnp.cos(u)", "cosine(u)")))
    assert found.status is Status.BROKEN
    assert "cosine" in " ".join(found.lines)


IMPORT = ("import jax.numpy as jnp", "import math\n\nimport jax.numpy as jnp\nimport numpy as np")


def test_what_jit_could_not_run_is_right_here_with_a_note(tmp_path):
    found = verdict("sine_of_square", edited(tmp_path, IMPORT, ("jnp.cos(u)", "math.cos(u)")))
    assert found.status is Status.RIGHT
    assert any("not yet for jit" in note for note in found.comparison.notes)


@pytest.mark.parametrize(
    "name, asked", {"square": "y_bar * 2 * x", "sine_of_square": "y_bar * jnp.cos(u)", "forked": "y_bar / d"}.items()
)
def test_a_blank_is_not_started(name, asked, tmp_path):
    found = verdict(name, edited(tmp_path, (f"{asked}\n", "...\n")))
    assert found.status is Status.NOT_STARTED
    assert found.points == 0


def test_four_to_nine_exercises_are_required_and_one_is_hard():
    exercises = paper_of("chain_rule").exercises
    assert 4 <= sum(exercise.required for exercise in exercises) <= 9
    assert [exercise.name for exercise in exercises if exercise.hard] == ["chain_rule.forked"]


@pytest.mark.parametrize("exercise", paper_of("chain_rule").exercises, ids=lambda exercise: exercise.name)
def test_every_function_that_is_asked_for_has_three_hints(exercise):
    assert len(exercise.hints) == (3 if exercise.task.names else 0)


def test_no_hint_and_no_question_is_a_line_of_the_answer():
    text = ANSWERS.read_text(encoding="utf-8")
    answers = [line for line in re.findall(r"_bar = (.+)", text) if " " in line]
    told = [
        text for exercise in paper_of("chain_rule").exercises for text in (*exercise.hints, *exercise.asks.values())
    ]
    told += re.findall(r"# \d\. (.+)", text)
    assert not [(answer, one) for answer in answers for one in told if answer in one]


# The questions.

QUESTIONS = [exercise for exercise in paper_of("chain_rule").exercises if not exercise.task.names and exercise.points]
CHOICES = [exercise for exercise in QUESTIONS if isinstance(exercise.task, Choice)]


def answered(name, value):
    return verdict(name, Submission.of(**{f"chain_rule.{name}": value}))


@pytest.mark.parametrize("exercise", CHOICES, ids=lambda exercise: exercise.name)
def test_one_option_is_right_and_each_wrong_one_has_its_own_explanation(exercise):
    options = exercise.task.options
    assert sum(option.right for option in options) == 1
    assert len({option.says for option in options}) == len(options)
    for option in options:
        found = answered(exercise.name.partition(".")[2], option.letter)
        assert found.right is option.right
        assert option.says in found.lines


def test_a_nudge_is_answered_by_the_slope_or_by_nudging():
    slope = float(jax.grad(neuron_loss)(*numbers(*NEURON.values())))
    for value in (NUDGE * slope, nudged_by(NUDGE), round(NUDGE * slope, 3)):
        assert answered("q1", value).status is Status.RIGHT
    for value in (slope, -NUDGE * slope, slope / NUDGE, 0.0, 0.01, 0.02):
        assert answered("q1", value).status is Status.WRONG


@pytest.mark.parametrize("value, part", [(5, "multiplied"), (0.5**9, "Nine"), (0.5**11, "Eleven"), (1024, "halves")])
def test_a_usual_error_about_ten_in_a_row_is_explained(value, part):
    assert answered("q3", 1 / 1024).status is Status.RIGHT
    found = answered("q3", value)
    assert found.status is Status.WRONG
    assert part in found.lines[0]


@pytest.mark.parametrize(
    "value, part", [(-24, "two paths"), (6, "way of v"), (-4, "way of u"), (10, "-1"), (8, "added")]
)
def test_a_usual_error_about_two_paths_is_explained(value, part):
    found = answered("q4", value)
    assert found.status is Status.WRONG
    assert part in found.lines[0]


@pytest.mark.parametrize("value, part", [((2**20, 40), "So many"), ((40, 40), "So few"), ((2**21 - 2, 20), "two ways")])
def test_a_usual_error_about_many_paths_is_explained(value, part):
    found = answered("q6", value)
    assert found.status is Status.WRONG
    assert part in found.lines[0]
