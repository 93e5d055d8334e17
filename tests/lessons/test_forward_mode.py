"""What answers to `forward_mode` must meet: published numbers, JAX's forward mode, the law of cost, the exam paper."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from course.exercises import find_exercise, paper_of
from course.exercises.forward_mode import LAYERS, method_multiples
from course.exercises.tasks.question import Choice
from course.grading import judge
from course.grading.submission import Submission
from course.lessons.forward_mode import Dual, deep_loss, hand, hand_jvp, logsumexp, matmul, network_loss, quotient
from course.lessons.linear_and_activations import tanh
from course.lessons.two_layer_network import BatchNetwork
from course.records import Feedback, Status
from solutions.forward_mode import (
    dual_multiply,
    jacobian,
    logsumexp_jvp,
    matmul_jvp,
    network_jvp,
    quotient_jvp,
    tanh_jvp,
)

LESSON = "forward_mode"
FOLDER = Path(__file__).parents[2] / "solutions"
CODE = [exercise.name.partition(".")[2] for exercise in paper_of(LESSON).exercises if exercise.task.names]


@pytest.fixture(autouse=True)
def _float64():
    with jax.enable_x64(True):
        yield


def drawn(*shape, seed=0):
    return jnp.asarray(np.random.default_rng(seed).standard_normal(shape))


def drawn_network(seed=0, batch=4):
    params = BatchNetwork(drawn(3, 5, seed=seed), drawn(5, seed=seed + 1), drawn(5, 2, seed=seed + 2), drawn(2))
    return params, drawn(batch, 3, seed=seed + 3), drawn(batch, 2, seed=seed + 4)


# Numbers known from elsewhere.


def test_tanh_s_rule_gives_its_first_three_derivatives_as_jax_s_documentation_prints_them():
    """The JAX documentation, "Automatic differentiation", in float32: the rule is pushed through itself."""

    two, one = jnp.array(2.0), jnp.array(1.0)

    def first(x):
        return tanh_jvp((x,), (one,))[1]

    def second(x):
        return jax.jvp(first, (x,), (one,))[1]

    found = [first(two), *jax.jvp(second, (two,), (one,))]
    np.testing.assert_allclose(found, [0.070650816, -0.13621868, 0.25265405], rtol=2e-7)


def test_tanh_s_rule_gives_the_slope_at_1_that_autograd_s_readme_prints():
    np.testing.assert_allclose(tanh_jvp((jnp.array(1.0),), (jnp.array(1.0),))[1], 0.41997434161402603, rtol=1e-15)


def test_the_product_of_dual_numbers_is_that_of_two_by_two_matrices():
    """(value, tangent) stands for [[value, tangent], [0, value]], whose upper right corner squares to nothing."""

    def matrix(dual):
        return np.array([[dual.value, dual.tangent], [0, dual.value]])

    a, b = Dual(2.0, -3.0), Dual(0.5, 7.0)
    np.testing.assert_array_equal(matrix(dual_multiply(a, b)), matrix(a) @ matrix(b))


def test_a_matrix_product_s_tangent_is_the_upper_right_block_of_a_product_of_blocks():
    """The same for matrices: [[a, a_dot], [0, a]] @ [[b, b_dot], [0, b]], in NumPy."""
    a, a_dot, b, b_dot = drawn(4, 3), drawn(4, 3, seed=1), drawn(3, 5, seed=2), drawn(3, 5, seed=3)
    blocks = np.block([[a, a_dot], [0 * a, a]]) @ np.block([[b, b_dot], [0 * b, b]])
    y, y_dot = matmul_jvp((a, b), (a_dot, b_dot))
    np.testing.assert_allclose(np.hstack([y, y_dot]), blocks[:4], rtol=1e-13)


def test_each_column_of_the_arm_s_jacobian_turns_the_hand_about_its_joint():
    """A turn at speed 1 moves what is (right, up) from its joint at (-up, right)."""
    angles = np.array([0.4, -1.1, 2.0])
    steps = np.stack([np.cos(np.cumsum(angles)), np.sin(np.cumsum(angles))])
    right, up = np.cumsum(steps[:, ::-1], axis=1)[:, ::-1]
    np.testing.assert_allclose(jacobian(hand_jvp, jnp.asarray(angles)), np.stack([-up, right]), rtol=1e-13)


# The rules are JAX's.


@pytest.mark.parametrize(
    "primal, rule, shapes",
    [
        (tanh, tanh_jvp, [(4, 3)]),
        (matmul, matmul_jvp, [(4, 3), (3, 5)]),
        (quotient, quotient_jvp, [(4, 3), (4, 3)]),
        (logsumexp, logsumexp_jvp, [(4, 3)]),
    ],
)
def test_a_rule_gives_value_and_tangent_of_jax_s_forward_mode(primal, rule, shapes):
    primals = tuple(drawn(*shape, seed=place) for place, shape in enumerate(shapes))
    tangents = tuple(drawn(*shape, seed=10 + place) for place, shape in enumerate(shapes))
    for given, right in zip(rule(primals, tangents), jax.jvp(primal, primals, tangents), strict=True):
        np.testing.assert_allclose(given, right, rtol=1e-12, atol=1e-14)


def test_the_arm_s_own_rule_is_that_of_jax():
    angles, angles_dot = drawn(5), drawn(5, seed=1)
    for given, right in zip(hand_jvp(angles, angles_dot), jax.jvp(hand, (angles,), (angles_dot,)), strict=True):
        np.testing.assert_allclose(given, right, rtol=1e-13)


def test_forward_and_backward_meet_in_the_inner_product_identity():
    """<y_bar, y_dot> = <x_bar, x_dot>: the network's tangent by hand, its cotangents by jax.vjp."""
    primals, tangents = drawn_network(0), drawn_network(20)
    _, loss_dot = jax.jit(network_jvp)(primals, tangents)
    primals_bar = jax.jit(lambda *given: jax.vjp(network_loss, *given)[1](jnp.array(1.0)))(*primals)
    pairs = zip(jax.tree.leaves(primals_bar), jax.tree.leaves(tangents), strict=True)
    np.testing.assert_allclose(loss_dot, sum(np.vdot(bar, dot) for bar, dot in pairs), rtol=1e-12)


def test_rules_keep_nothing_however_many_are_chained():
    """The bytes alive at once do not grow with the depth, while those that backward mode saves do."""
    from course.comparison.counting import count
    from course.comparison.residuals import vjp_residual_bytes

    w = jax.ShapeDtypeStruct((16, 16), jnp.float64)
    x = jax.ShapeDtypeStruct((64, 16), jnp.float64)

    def chained(depth):
        def pushed(w, x, w_dot, x_dot):
            for _ in range(depth):
                z, z_dot = matmul_jvp((x, w), (x_dot, w_dot))
                x, x_dot = tanh_jvp((z,), (z_dot,))
            return x, x_dot

        return count(pushed, w, x, w, x).peak_bytes

    def saved(depth):
        return vjp_residual_bytes(lambda w, x: deep_loss([w] * depth, x), w, x)

    assert chained(12) == chained(3)
    assert saved(12) > 3 * saved(3)


# The law of cost.


@pytest.fixture(scope="module")
def counted():
    return {
        layers * width**2: method_multiples(width, layers) for width, layers in ((1, 1), (10, LAYERS), (316, LAYERS))
    }


def test_central_differences_cost_two_forward_passes_a_parameter_over_six_decades(counted):
    for n, multiples in counted.items():
        assert multiples["central"] == pytest.approx(2 * n, rel=0.06 if n == 1 else 3e-4)
    assert (min(counted), max(counted)) == (1, 998_560)


def test_value_and_gradient_cost_at_most_three_forward_passes_whatever_the_size(counted):
    for multiples in counted.values():
        assert 1.5 < multiples["vjp"] < 3
        assert multiples["jvp"] == pytest.approx(multiples["vjp"], rel=0.06)


def test_the_law_foretells_the_count_at_a_billion():
    multiples, n, backward = method_multiples(10_000), 1e9, 3 - 1 / LAYERS
    assert multiples["vjp"] == pytest.approx(backward, rel=1e-3)
    assert multiples["central"] == pytest.approx(2 * n, rel=1e-6)
    assert multiples["jacfwd"] == pytest.approx((2 - 1 / LAYERS) * n, rel=1e-3)


# The exam paper.


def verdict(name, submission):
    with jax.enable_x64(False):  # as for a learner
        return judge(find_exercise(f"{LESSON}.{name}"), submission, feedback=Feedback.NAME, example=False)


@pytest.fixture(scope="module")
def solved():
    return Submission.read(FOLDER)


@pytest.mark.parametrize("name", CODE)
def test_our_answers_are_right_and_within_their_cost(name, solved):
    found = verdict(name, solved)
    assert found.status is Status.RIGHT
    assert (found.points, found.cost_points) == (found.possible, found.cost_possible)
    assert found.shows_forward


def test_blank_stubs_are_not_started(tmp_path):
    heads = ("dual_multiply(a, b)", "tanh_jvp(primals, tangents)", "jacobian(push, x)")
    (tmp_path / "work.py").write_text("".join(f"def {head}:\n    raise NotImplementedError\n" for head in heads))
    submission = Submission.read(tmp_path / "work.py")
    assert {verdict(name, submission).status for name in ("dual_multiply", "tanh", "jacobian")} == {Status.NOT_STARTED}


def test_a_rule_that_runs_the_network_again_for_its_value_is_right_and_too_costly(tmp_path):
    text = (FOLDER / f"{LESSON}.py").read_text(encoding="utf-8")
    for old, new in (
        ("return half_squared_error(prediction, target), loss_dot", "return network_loss(params, x, target), loss_dot"),
        ("import Dual, logsumexp, matmul,", "import Dual, logsumexp, matmul, network_loss,"),
    ):
        assert text.count(old) == 1
        text = text.replace(old, new)
    (tmp_path / f"{LESSON}.py").write_text(text, encoding="utf-8")
    found = verdict("network", Submission.read(tmp_path))
    assert found.status is Status.COSTLY
    assert (found.points, found.cost_points) == (found.possible, 0)


QUESTIONS = [exercise for exercise in paper_of(LESSON).exercises if not exercise.task.names and exercise.points]
CHOICES = [exercise for exercise in QUESTIONS if isinstance(exercise.task, Choice)]


def answered(exercise, value):
    return verdict(exercise.name.partition(".")[2], Submission.of(**{exercise.name: value}))


@pytest.mark.parametrize("exercise", QUESTIONS, ids=lambda exercise: exercise.name)
def test_our_answer_to_a_question_is_right(exercise, solved):
    assert judge(exercise, solved).status is Status.RIGHT


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
    "question, value, says",
    [
        ("q1", (8, 12), "How fast does x move"),
        ("q1", (8, 2), "another product"),
        ("q1", (8, 0.125), "by itself"),
        ("q1", (8, 1.5), "two values"),
        ("q3", 500, "as cheap"),
        ("q3", 333, "first layer"),
        ("q3", 345, "ten layers"),
        ("q3", 800, "central"),
    ],
)
def test_a_wrong_number_has_its_own_explanation(question, value, says):
    found = answered(find_exercise(f"{LESSON}.{question}"), value)
    assert found.status is Status.WRONG
    assert says in " ".join(found.lines)


def test_every_exercise_has_three_hints_and_none_of_them_says_the_answer():
    asked = ("a_dot @ b", "a @ b_dot", "1 - y**2", "1 - y ** 2", "jnp.eye(len(x))", "error_dot)", "exp(logits - y")
    for exercise in paper_of(LESSON).exercises:
        if exercise.task.names:
            assert len(exercise.hints) == 3
            assert not [hint for hint in exercise.hints for line in asked if line in hint]


def test_one_exercise_is_marked_hard_and_four_to_nine_are_required():
    exercises = paper_of(LESSON).exercises
    assert [exercise.name for exercise in exercises if exercise.hard] == [f"{LESSON}.network"]
    assert 4 <= sum(exercise.required for exercise in exercises) <= 9
    assert paper_of(LESSON).shows_cost
    assert paper_of(LESSON).shows_forward
