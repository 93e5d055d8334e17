"""What answers to `reverse_mode` must meet: tapes, orders, sweeps, rules and gradients; the exam paper."""

import dataclasses
import random
from itertools import pairwise
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from course.comparison.counting import count_jaxpr
from course.exercises import find_exercise, paper_of
from course.exercises.reverse_mode import visits_of_every_path
from course.exercises.tasks.drawing import Draw
from course.exercises.tasks.question import Choice
from course.exercises.tasks.task import Sitting
from course.grading import judge
from course.grading.submission import Submission
from course.lessons.reverse_mode import (
    VALUES,
    Number,
    ScalarStep,
    Step,
    Var,
    apply,
    crossing,
    diamonds,
    draw_program,
    exp,
    graph_of,
    left_behind,
    network,
    record,
    record_numbers,
    sin,
    square,
    total,
    wander,
)
from course.records import Feedback, Status
from solutions.reverse_mode import grad_of, pull_back, sweep, topological_order, unbroadcast

LESSON = "reverse_mode"
FOLDER = Path(__file__).parents[2] / "solutions"
X, W = np.linspace(-1.1, 1.3, 6).reshape(3, 2), np.array([0.7, -0.4])
"""Of one shape throughout, so that each operation is compiled once."""


@pytest.fixture(autouse=True)
def _in_float64():
    with jax.enable_x64(True):
        yield


def close(given, right):
    np.testing.assert_allclose(given, right, rtol=1e-12, atol=1e-12)


# Tapes.


def test_a_tape_of_numbers_holds_inputs_first_and_a_step_s_slopes():
    tape = record_numbers(lambda x, w: x * w + w, 3.0, 5.0)
    assert tape.values == (3, 5, 15, 20)
    assert tape.steps == (ScalarStep((0, 1), (5, 3), 2), ScalarStep((2, 1), (1, 1), 3))
    assert (tape.arguments, tape.output) == (2, 3)


def test_a_constant_has_a_place_and_no_step():
    assert record_numbers(lambda x: 2 * x + 1, 3.0).values == (3, 2, 6, 1, 7)
    assert [step.inputs for step in record(lambda x: 2 * x + 1, 3.0).steps] == [(1, 0), (2, 3)]
    assert record(lambda x: 7.0, 3.0).steps == ()


def test_a_tape_of_arrays_keeps_rules_and_values():
    tape = record(lambda x, w: total(x * w - w), X, W)
    assert tape.steps == (Step("mul", (0, 1), 2), Step("sub", (2, 1), 3), Step("sum", (3,), 4))
    close(tape.values[4], np.sum(X * W - W))


def test_every_operator_of_a_variable_keeps_the_order_of_its_operands_whatever_the_other_one_is():
    def seven(x):
        return (2.0 - x) + (x - 1.0) + 3.0 * x + np.ones((1, 3)) @ x + np.ones((3, 2)) * x + (x @ np.ones((2, 2)))

    plain = (2 - X) + (X - 1) + 3 * X + np.ones((1, 3)) @ X + np.ones((3, 2)) * X + X @ np.ones((2, 2))
    tape = record(seven, X)
    close(tape.values[tape.output], plain)


def test_arrays_outside_a_recording_leave_no_trace():
    close(apply("mul", X, W), X * W)
    close(network(X, np.ones((2, 2)), W), np.sum(np.sin(X @ np.ones((2, 2)) + W) ** 2))


def test_python_decides_what_is_recorded():
    rules = [[step.rule for step in record(wander, side * np.abs(X), W).steps] for side in (1, -1)]
    assert rules[0] != rules[1]
    assert {"exp"} <= set(rules[0] + rules[1])


# The order and the sweep, on graphs and tapes drawn at random.


def drawn_numbers(seed, turns=12):
    """A program on three numbers, drawn at random."""

    def program(*inputs):
        chance = random.Random(seed)
        made = list(inputs)
        for _ in range(turns):
            a, b = chance.choice(made), chance.choice(made)
            made.append(chance.choice([a + b, a * b, sin(a)]) if isinstance(a, Number) else next_of(chance, a, b))
        return made[chance.randrange(len(made))]

    return program


def next_of(chance, a, b):
    return chance.choice([a + b, a * b, jnp.sin(a)])


@pytest.mark.parametrize("seed", range(12))
def test_the_sweep_agrees_with_jax_grad_on_programs_drawn_at_random(seed):
    inputs = (0.7, -1.2, 0.4)
    tape = record_numbers(drawn_numbers(seed), *inputs)
    right = jax.grad(drawn_numbers(seed), argnums=(0, 1, 2))(*inputs)
    close(sweep(tape, 2.5)[:3], [2.5 * bar for bar in right])


def test_the_sweep_agrees_with_a_sweep_forward_at_every_place():
    """The slope of y by place k is what a nudge of the value in place k, handed on forward, does to y."""
    tape = record_numbers(crossing, 1.5, 0.8, -2.0)
    bars = sweep(tape, 1.0)
    for place in range(len(tape.values)):
        dots = [float(other == place) for other in range(len(tape.values))]
        for step in tape.steps:
            if step.output != place:
                dots[step.output] = sum(s * dots[i] for i, s in zip(step.inputs, step.slopes, strict=True))
        close(bars[place], dots[tape.output])


def test_sixty_diamonds_are_swept_in_sixty_steps():
    assert sweep(record_numbers(lambda x: diamonds(x, 60), 1.0), 1.0)[0] == 2.0**60


def test_a_thousand_steps_and_more_are_no_deeper_than_one():
    def many(x):
        for _ in range(5000):
            x = x * 1.0
        return x

    assert sweep(record_numbers(many, 2.0), 3.0)[0] == 3


def test_what_stands_behind_the_output_gets_nothing():
    tape = record_numbers(left_behind, 2.0, 3.0)
    assert sweep(tape, 1.0) == [3, 2, 1, 0, 0]


def test_both_inputs_of_a_square_are_one_place():
    assert sweep(record_numbers(square, 3.0), 1.0) == [6, 1]


@pytest.mark.parametrize("seed", range(8))
def test_the_order_puts_everything_behind_its_parts_and_lists_just_what_is_needed(seed):
    tape = record_numbers(drawn_numbers(seed), 0.7, -1.2, 0.4)
    made_of = graph_of(tape.steps, len(tape.values))
    order = topological_order(made_of, tape.output)
    assert len(set(order)) == len(order)
    assert order[-1] == tape.output
    for number, place in enumerate(order):
        assert set(made_of[place]) <= set(order[:number])
    needed = {place for place in order if sweep(tape, 1.0)[place]}
    assert needed <= set(order)


def test_the_graph_that_is_asked_about_has_one_order_only():
    task = find_exercise(f"{LESSON}.order").task
    for seed in range(5):
        made_of, output = task.draw(Draw(seed))
        order = topological_order(made_of, output)
        assert len(order) == len(made_of) - 1
        assert all(before in made_of[place] for before, place in pairwise(order))


# Copies and rules.


@pytest.mark.parametrize("shape", [(), (2,), (1,), (1, 2), (3, 1), (1, 1), (3, 2), (1, 3, 1), (4, 1, 2)])
def test_unbroadcast_is_the_transpose_of_broadcasting(shape):
    """<bar, broadcast(x)> = <unbroadcast(bar), x>, with NumPy alone on the other side."""
    rng = np.random.default_rng(1)
    bar, x = rng.standard_normal((4, 3, 2)), rng.standard_normal(shape)
    x_bar = unbroadcast(jnp.asarray(bar), jnp.asarray(x))
    assert x_bar.shape == shape
    close(np.sum(bar * np.broadcast_to(x, bar.shape)), np.sum(np.asarray(x_bar) * x))


CASES = {
    "add": (X, W),
    "sub": (W, X),
    "mul": (X, np.array(0.3)),
    "matmul": (X, X[:2]),
    "sin": (X,),
    "exp": (X,),
    "sum": (X,),
}


def test_every_rule_that_is_recorded_has_a_case():
    assert CASES.keys() == VALUES.keys()


@pytest.mark.parametrize("rule", CASES)
def test_a_rule_agrees_with_jax_vjp(rule):
    inputs = tuple(map(jnp.asarray, CASES[rule]))
    y, pullback = jax.vjp(VALUES[rule], *inputs)
    y_bar = jnp.asarray(np.linspace(-1, 2, y.size).reshape(y.shape))
    given, right = pull_back(rule, inputs, y, y_bar), pullback(y_bar)
    assert [bar.shape for bar in given] == [x.shape for x in inputs]
    for one, other in zip(given, right, strict=True):
        close(one, other)


# The gradient of programs.


@pytest.mark.parametrize("seed", range(8))
def test_the_gradient_agrees_with_jax_grad_on_programs_with_branches_drawn_at_random(seed):
    program = draw_program(seed)
    for given, right in zip(
        grad_of(program, jnp.asarray(X), jnp.asarray(W)), jax.grad(program, argnums=(0, 1))(X, W), strict=True
    ):
        close(given, right)


def test_the_gradient_agrees_with_a_nudge_where_a_loop_depends_on_the_numbers():
    def halve(x):
        while total(x * x) > 1:
            x = x * 0.5
        return total(exp(x))

    big = jnp.asarray(8 * X)
    (x_bar,) = grad_of(halve, big)
    nudge = 1e-6 * np.cos(np.arange(6.0)).reshape(X.shape)
    slope = (float(halve(big + nudge)) - float(halve(big - nudge))) / 2
    np.testing.assert_allclose(np.sum(np.asarray(x_bar) * nudge), slope, rtol=1e-7)
    assert len(record(halve, big).steps) > len(record(halve, X).steps)


def test_it_can_be_compiled_where_no_number_is_looked_at_and_nowhere_else():
    compiled = jax.jit(lambda x, w: grad_of(lambda x, w: total(sin(x * w)), x, w))(X, W)
    close(compiled[1], np.sum(np.cos(X * W) * X, axis=0))
    with pytest.raises(jax.errors.ConcretizationTypeError):
        jax.make_jaxpr(lambda x, w: grad_of(wander, x, w))(X, W)


def test_its_cost_is_linear_in_the_program_and_a_few_times_that_of_the_program():
    def turns(count):
        def program(x, w):
            for _ in range(count):
                x = sin(x) * w + x
            return total(x)

        return program

    def flops(function):
        return count_jaxpr(jax.make_jaxpr(function)(X, W)).flops

    times = [flops(lambda x, w, n=n: grad_of(turns(n), x, w)) / flops(turns(n)) for n in (10, 20, 40)]
    assert max(times) < 6
    assert max(times) / min(times) < 1.1


# The exam paper.

QUESTIONS = [exercise for exercise in paper_of(LESSON).exercises if not exercise.task.names and exercise.points]
FUNCTIONS = [exercise for exercise in paper_of(LESSON).exercises if exercise.task.names]


def by_name(exercise):
    return exercise.name


@pytest.mark.parametrize("exercise", paper_of(LESSON).exercises, ids=by_name)
def test_our_answer_is_right(exercise):
    right = Status.RIGHT if exercise.points else Status.HANDED_IN
    assert judge(exercise, Submission.read(FOLDER)).status is right


def answered(exercise, value):
    return judge(exercise, Submission.of(**{exercise.name: value}), feedback=Feedback.NAME, example=False)


@pytest.mark.parametrize("exercise", [q for q in QUESTIONS if isinstance(q.task, Choice)], ids=by_name)
def test_one_option_is_right_and_each_wrong_one_has_its_own_explanation(exercise):
    options = exercise.task.options
    assert sum(option.right for option in options) == 1
    assert len({option.says for option in options}) == len(options)
    for option in options:
        found = answered(exercise, option.letter)
        assert found.right is option.right
        assert option.says in found.lines


@pytest.mark.parametrize(
    "name, value, says",
    [("q1", 65536, "places on the way"), ("q1", 17, "How often"), ("q1", 131070, "counts too"), ("q1", 65535, "fewer"),
     ("q4", 40, "last diamond"), ("q4", 42, "no step"), ("q4", 2.0**40, "paths")],
)  # fmt: skip
def test_a_wrong_count_has_its_own_explanation(name, value, says):
    found = answered(find_exercise(f"{LESSON}.{name}"), value)
    assert found.status is Status.WRONG
    assert says in " ".join(found.lines)


def test_every_path_by_itself_doubles_with_each_diamond():
    visits = [visits_of_every_path(record_numbers(lambda x, n=n: diamonds(x, n), 1.0)) for n in range(6)]
    assert visits == [2 ** (n + 1) - 1 for n in range(6)]


def test_sixteen_diamonds_are_few_enough_that_the_recursion_of_every_path_ends_and_is_right():
    def every_path(tape, y_bar):
        bars = [0.0] * len(tape.values)
        made = {step.output: step for step in tape.steps}

        def walk(place, share):
            bars[place] += share
            for part, slope in zip(made[place].inputs, made[place].slopes, strict=True) if place in made else ():
                walk(part, slope * share)

        walk(tape.output, y_bar)
        return bars

    task = find_exercise(f"{LESSON}.sweep").task
    assert task.judge({"sweep": every_path}, Sitting()).status is Status.RIGHT


def test_an_order_without_memory_ends_too():
    def without(made_of, output):
        return [place for part in made_of[output] for place in without(made_of, part)] + [output]

    task = find_exercise(f"{LESSON}.order").task
    diamonds_alone = dataclasses.replace(task, draw=task.awkward[-1].draw, awkward=())
    assert diamonds_alone.judge({"topological_order": without}, Sitting()).status is Status.WRONG


def test_every_function_has_three_hints_and_none_of_them_says_the_answer():
    asked = (
        "slope * bars",
        "visit(part)\n",
        "y_bar * b,",
        "a.T @",
        "reversed(tape",
        "bars[place] +",
        "enumerate(x.shape)",
    )
    for exercise in FUNCTIONS:
        assert len(exercise.hints) == 3
        assert not [hint for hint in exercise.hints for line in asked if line in hint]


def test_one_exercise_is_marked_hard_and_four_to_nine_are_required():
    exercises = paper_of(LESSON).exercises
    assert [exercise.name for exercise in exercises if exercise.hard] == [f"{LESSON}.grad_of"]
    assert 4 <= sum(exercise.required for exercise in exercises) <= 9
    assert paper_of(LESSON).shows_cost


def test_a_program_gives_the_same_numbers_whether_it_is_recorded_or_not():
    program = draw_program(5)
    recorded = record(program, X, W)
    close(recorded.values[recorded.output], program(X, W))
    assert isinstance(Var(1.0, [], []) + 1.0, Var)
