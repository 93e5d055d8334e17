"""What answers to `vector_chain_rule` must meet: sums by index, whole Jacobians, opposites, counts, the exam paper."""

import ast
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from course.comparison.counting import count
from course.comparison.residuals import residual_bytes
from course.exercises import find_exercise, paper_of
from course.exercises.tasks.question import Choice
from course.exercises.vector_chain_rule import jacobian_bytes
from course.grading import judge
from course.grading.submission import Submission
from course.lessons.vector_chain_rule import (
    COPIES,
    add_row,
    add_row_fwd,
    gather,
    gather_fwd,
    matvec,
    matvec_fwd,
    repeat_each,
    repeat_each_fwd,
    row_sums,
    row_sums_fwd,
    shares,
    shares_fwd,
    turn,
    turn_fwd,
)
from course.records import Feedback, Status
from solutions.vector_chain_rule import (
    add_row_bwd,
    gather_bwd,
    matvec_bwd,
    repeat_each_bwd,
    row_sums_bwd,
    shares_bwd,
    turn_bwd,
)

LESSON = "vector_chain_rule"
ANSWERS = Path(__file__).parents[2] / "solutions" / f"{LESSON}.py"
IDS = np.array([2, 0, 2, 6, 2])


def drawn(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


X, ROW, MATRIX = drawn(5), drawn(5, seed=1), drawn(7, 5, seed=2)
AMOUNTS, PRICES = 0.5 + np.abs(drawn(7, 5, seed=3)), 0.5 + np.abs(drawn(5, seed=4))
CASES = {
    "matvec": (matvec, matvec_fwd, matvec_bwd, (MATRIX, X)),
    "add_row": (add_row, add_row_fwd, add_row_bwd, (MATRIX, ROW)),
    "row_sums": (row_sums, row_sums_fwd, row_sums_bwd, (MATRIX,)),
    "repeat_each": (repeat_each, repeat_each_fwd, repeat_each_bwd, (X,)),
    "gather": (
        lambda table: gather(table, jnp.asarray(IDS)),
        lambda table: gather_fwd(table, jnp.asarray(IDS)),
        gather_bwd,
        (MATRIX,),
    ),
    "turn": (turn, turn_fwd, turn_bwd, (MATRIX,)),
    "shares": (shares, shares_fwd, shares_bwd, (AMOUNTS, PRICES)),
}
"""Each primal with its pair and its floating arguments."""


@pytest.fixture(autouse=True)
def _float64():
    with jax.enable_x64(True):
        yield


def on_jax(primals):
    return tuple(map(jnp.asarray, primals))


def backward(fwd, bwd, primals, y_bar):
    """The cotangents of the floating arguments by hand."""
    _, residuals = fwd(*on_jax(primals))
    return [np.asarray(bar) for bar in bwd(residuals, jnp.asarray(y_bar)) if bar is not None]


# Against independent oracles.


def by_index(name, y_bar):
    """The cotangents by sums of single products in Python, as one writes them on paper."""
    rows, d, bars = range(7), range(5), np.asarray(y_bar)
    match name:
        case "matvec":
            return [[[bars[i] * X[j] for j in d] for i in rows], [sum(MATRIX[i, j] * bars[i] for i in rows) for j in d]]
        case "add_row":
            return [bars, [sum(bars[n, j] for n in rows) for j in d]]
        case "row_sums":
            return [[[bars[n, 0] for _ in d] for n in rows]]
        case "repeat_each":
            return [[sum(bars[COPIES * i + c] for c in range(COPIES)) for i in d]]
        case "gather":
            return [[[sum(bars[k, j] for k in range(len(IDS)) if IDS[k] == n) for j in d] for n in rows]]
        case "turn":
            return [[[bars[4 - j, n] for j in d] for n in rows]]
    spent = [[AMOUNTS[n, i] * PRICES[i] for i in d] for n in rows]
    total = [sum(row) for row in spent]
    through = [sum(bars[n, i] * spent[n][i] for i in d) / total[n] ** 2 for n in rows]
    spent_bar = [[bars[n, i] / total[n] - through[n] for i in d] for n in rows]
    amounts_bar = [[spent_bar[n][i] * PRICES[i] for i in d] for n in rows]
    return [amounts_bar, [sum(spent_bar[n][i] * AMOUNTS[n, i] for n in rows) for i in d]]


@pytest.mark.parametrize("name", CASES)
def test_cotangents_are_the_sums_that_one_writes_index_by_index(name):
    primal, fwd, bwd, primals = CASES[name]
    y_bar = drawn(*jax.eval_shape(primal, *primals).shape, seed=5)
    for given, right in zip(backward(fwd, bwd, primals, y_bar), by_index(name, y_bar), strict=True):
        np.testing.assert_allclose(given, np.array(right), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("name", CASES)
def test_a_backward_pass_is_a_row_times_the_jacobian_found_by_nudging(name):
    """Central differences in NumPy: no derivative of JAX is asked for."""
    primal, fwd, bwd, primals = CASES[name]
    primals = on_jax(primals)
    value = primal(*primals)
    y_bar, step = drawn(*value.shape, seed=6), 1e-5
    for place, given in enumerate(backward(fwd, bwd, primals, y_bar)):
        nudges = step * np.eye(primals[place].size).reshape(-1, *primals[place].shape)

        def moved(nudge, place=place):
            return primal(*(x + nudge if k == place else x for k, x in enumerate(primals)))

        up, down = (np.asarray(jax.jit(jax.vmap(moved))(sign * nudges)) for sign in (1, -1))
        columns = ((up - down) / (2 * step)).reshape(len(nudges), -1)
        np.testing.assert_allclose(given.ravel(), columns @ y_bar.ravel(), rtol=1e-7, atol=1e-8)


def test_values_are_those_of_numpy():
    for name, right in {
        "matvec": np.dot(MATRIX, X),
        "add_row": np.add(MATRIX, ROW[None]),
        "row_sums": np.einsum("nj->n", MATRIX)[:, None],
        "repeat_each": np.kron(X, np.ones(COPIES)),
        "gather": np.take(MATRIX, IDS, axis=0),
        "turn": np.rot90(MATRIX),
        "shares": AMOUNTS * PRICES / np.dot(AMOUNTS, PRICES)[:, None],
    }.items():
        primal, fwd, _, primals = CASES[name]
        np.testing.assert_allclose(primal(*on_jax(primals)), right, rtol=1e-13)
        np.testing.assert_array_equal(fwd(*on_jax(primals))[0], primal(*on_jax(primals)))


def test_the_vector_jacobian_product_in_jax_s_documentation_is_matched():
    """The Autodiff Cookbook: the VJP of a matrix times a column at v is v times the matrix."""
    y_bar = drawn(7, seed=7)
    _, x_bar = backward(matvec_fwd, matvec_bwd, (MATRIX, X), y_bar)
    np.testing.assert_allclose(x_bar, np.dot(y_bar, MATRIX), rtol=1e-12)


# Opposites.


def test_copy_and_sum_are_opposites():
    """Each is what the other's backward pass does."""
    (columns,) = backward(row_sums_fwd, row_sums_bwd, (MATRIX,), MATRIX[:, :1])
    np.testing.assert_array_equal(columns, np.broadcast_to(MATRIX[:, :1], (7, 5)))
    _, row_bar = backward(add_row_fwd, add_row_bwd, (MATRIX, ROW), MATRIX)
    np.testing.assert_allclose(row_bar, np.einsum("nj->j", MATRIX), rtol=1e-13)


def test_picking_and_adding_where_it_was_picked_are_opposites():
    """<table_bar, table_dot> = <y_bar, picked rows of table_dot>, repeated ids and rows that nobody picked included."""
    y_bar, table_dot = drawn(5, 5, seed=8), drawn(7, 5, seed=9)
    (table_bar,) = backward(CASES["gather"][1], gather_bwd, (MATRIX,), y_bar)
    np.testing.assert_allclose(np.vdot(table_bar, table_dot), np.vdot(y_bar, table_dot[IDS]), rtol=1e-12)
    assert not table_bar[[1, 3, 4, 5]].any()


def test_a_quarter_turn_is_undone_by_its_backward_pass():
    np.testing.assert_array_equal(backward(turn_fwd, turn_bwd, (MATRIX,), np.rot90(MATRIX))[0], MATRIX)


def test_a_common_factor_in_all_prices_changes_no_share():
    """<prices_bar, prices> = 0, whatever came back; the same for the amounts of each row."""
    y_bar = drawn(7, 5, seed=10)
    amounts_bar, prices_bar = backward(shares_fwd, shares_bwd, (AMOUNTS, PRICES), y_bar)
    np.testing.assert_allclose(np.dot(prices_bar, PRICES), 0, atol=1e-13)
    np.testing.assert_allclose((amounts_bar * AMOUNTS).sum(axis=1), 0, atol=1e-13)


# What it costs.


def test_a_jacobian_costs_a_hundred_times_when_n_grows_tenfold_and_the_product_at_once_ten_times():
    def by_table(x, y_bar):
        return y_bar @ jax.jacobian(jax.nn.softmax)(x)

    def at_once(x, y_bar):
        return jax.vjp(jax.nn.softmax, x)[1](y_bar)[0]

    def grows(fun):
        small, large = (jax.ShapeDtypeStruct((n,), jnp.float32) for n in (1_000, 10_000))
        one, ten = count(fun, small, small), count(fun, large, large)
        return ten.flops / one.flops, ten.peak_bytes / one.peak_bytes

    np.testing.assert_allclose(grows(by_table), 100, rtol=0.01)
    np.testing.assert_allclose(grows(at_once), 10, rtol=0.01)


@pytest.mark.parametrize("name", CASES)
def test_forward_keeps_nothing_of_its_own_but_what_the_shares_are_made_of(name):
    _, fwd, _, primals = (gather, gather_fwd, gather_bwd, (MATRIX, IDS)) if name == "gather" else CASES[name]
    assert residual_bytes(fwd, *on_jax(primals)) == (8 * (AMOUNTS.size + len(AMOUNTS)) if name == "shares" else 0)


def test_the_layer_s_jacobian_takes_17_gigabytes():
    assert jacobian_bytes() == 17_179_869_184


# The exam paper.


def verdict(exercise, submission):
    return judge(exercise, submission, feedback=Feedback.NAME, example=False)


EXERCISES = paper_of(LESSON).exercises
PAIRS = [exercise for exercise in EXERCISES if exercise.task.names]
QUESTIONS = [exercise for exercise in EXERCISES if not exercise.task.names and exercise.points]
CHOICES = [exercise for exercise in QUESTIONS if isinstance(exercise.task, Choice)]


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.name)
def test_our_answers_are_right_and_get_all_points(exercise):
    found = verdict(exercise, Submission.read(ANSWERS))
    assert found.status is (Status.RIGHT if exercise.points else Status.HANDED_IN)
    assert found.points == found.possible


@pytest.mark.parametrize("exercise", PAIRS, ids=lambda exercise: exercise.name)
def test_a_blank_stub_is_not_started(exercise, tmp_path):
    (name,) = exercise.task.names
    (tmp_path / "work.py").write_text(f"def {name}(residuals, y_bar):\n    raise NotImplementedError\n")
    assert verdict(exercise, Submission.read(tmp_path / "work.py")).status is Status.NOT_STARTED


@pytest.mark.parametrize("exercise", CHOICES, ids=lambda exercise: exercise.name)
def test_one_option_is_right_and_each_wrong_one_has_its_own_explanation(exercise):
    options = exercise.task.options
    assert sum(option.right for option in options) == 1
    assert len({option.says for option in options}) == len(options)
    for option in options:
        found = verdict(exercise, Submission.of(**{exercise.name: option.letter}))
        assert found.right is option.right
        assert option.says in found.lines


@pytest.mark.parametrize(
    "question, answer, says",
    [
        ("q1", (128 * 512) ** 2, "4 bytes"),
        ("q1", 4 * 128 * 512, "the diagonal"),
        ("q1", 4 * 128 * 512**2, "one table for each row"),
        ("q3", (20, 0, 40), "only the last"),
        ("q3", (20, 0, 26.67), "averaged"),
        ("q3", (1, 0, 3), "how often"),
    ],
)
def test_a_wrong_number_has_its_own_explanation(question, answer, says):
    found = verdict(find_exercise(f"{LESSON}.{question}"), Submission.of(**{f"{LESSON}.{question}": answer}))
    assert found.status is Status.WRONG
    assert says in " ".join(found.lines)


def test_the_options_of_the_pictured_jacobian_are_what_they_are_said_to_be():
    """Each is linear, so that it makes the columns of its Jacobian out of those of the identity."""
    x = np.eye(5)
    differences = x[1:] - x[:-1]
    assert np.sign(differences[0]).tolist() == [-1, 1, 0, 0, 0]
    np.testing.assert_array_equal(x[:-1] - x[1:], -differences)
    assert np.cumsum(x, axis=0).min() == 0
    assert np.all(x - x.mean(axis=0) != 0)


def test_every_pair_has_three_hints_and_none_of_them_says_a_line_of_the_answer():
    nodes = ast.walk(ast.parse(ANSWERS.read_text(encoding="utf-8")))
    lines = [ast.unparse(node.value) for node in nodes if isinstance(node, ast.Assign)]
    asked = [line for line in lines if "(" in line or "." in line]
    assert len(asked) > 10
    for exercise in PAIRS:
        assert len(exercise.hints) == 3
        assert not [hint for hint in exercise.hints for line in asked if line in hint]


def test_one_exercise_is_marked_hard_and_four_to_nine_are_required():
    assert [exercise.name for exercise in EXERCISES if exercise.hard] == [f"{LESSON}.shares"]
    assert 4 <= sum(exercise.required for exercise in EXERCISES) <= 9
