"""A stranger's program made anew is the program: the same numbers at the same cost, and nothing that is only said."""

import dataclasses
import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax
from jax.extend.core import jaxpr_as_fun

from course.comparison.counting import count_jaxpr
from course.comparison.gates.places import place_of
from course.comparison.program import flatten
from course.exercises import select
from course.exercises.tasks.drawing import Draw
from course.exercises.tasks.pair import PairTask
from course.grading import Submission
from course.grading.strangers import messages
from course.grading.strangers.programs import Program
from course.grading.strangers.rebuilding import Unknown, rebuild
from course.grading.strangers.writing import describe_program

PAIRS = {exercise.name: exercise.task for exercise in select() if isinstance(exercise.task, PairTask)}
SOLUTIONS = Path(__file__).parents[2] / "solutions"


@pytest.fixture(autouse=True)
def in_float64():
    with jax.enable_x64(True):
        yield


@pytest.fixture(scope="module")
def solutions():
    return Submission.read(SOLUTIONS)


def sent(function, *arguments):
    """A function's program as it arrives: through JSON and bytes."""
    traced = jax.make_jaxpr(lambda *leaves: jax.tree.leaves(function(*leaves)))(*arguments)
    told, constants = describe_program(traced)
    described, payload = messages.pack_arrays(constants)
    arrays = messages.unpack_arrays(json.loads(json.dumps(described)), payload)
    return traced, json.loads(json.dumps(told)), arrays


def made_anew(told, arrays, shapes, files=()):
    like = [jax.ShapeDtypeStruct(np.shape(leaf), jax.typeof(leaf).dtype) for leaf in shapes]
    return rebuild(told, arrays, like, files)


@pytest.mark.parametrize("name", PAIRS)
def test_every_pair_of_the_course_costs_to_the_byte_what_it_costs_in_one_s_own_process(name, solutions):
    task = PAIRS[name]
    found = solutions.find(task.names)
    fwd, bwd = task.given or found.values[task.fwd], found.values[task.bwd]
    with found.at_home():
        primals = task.draw(Draw(3))
        leaves, treedef = jax.tree.flatten((primals, jax.eval_shape(task.primal, *primals)))

        def whole(*leaves):
            primals, y_bar = jax.tree.unflatten(treedef, leaves)
            y, residuals = fwd(*primals)
            return y, residuals, bwd(residuals, y_bar)

        traced, told, arrays = sent(whole, *leaves)
        assert without_lines(count_jaxpr(made_anew(told, arrays, leaves))) == without_lines(count_jaxpr(traced))


def without_lines(count):
    """A count without its notes, which say where something stands."""
    return dataclasses.replace(count, notes=())


def looped(x):
    def step(carried, row):
        return carried + row.sum(), jnp.tanh(row) * carried

    total, rows = lax.scan(step, 0.0, x, reverse=True)
    doubled = lax.fori_loop(0, 3, lambda i, value: value * 2.0, total)
    return lax.while_loop(lambda s: s[0] < 3, lambda s: (s[0] + 1, s[1] * doubled), (0, total))[1], rows


def branched(x):
    return lax.cond(x.sum() > 0, jnp.sin, jnp.cos, x), lax.switch(jnp.argmax(x[0]), [jnp.exp, jnp.tanh, abs], x)


def indexed(x):
    places = jnp.argsort(x[:, 0])
    picked = x[places], jnp.take_along_axis(x, places[:, None] % 3, 1), jax.nn.one_hot(places, 4)
    added = x.at[places].add(1.0), x.at[places[0]].set(2.0), x.at[0].mul(x[1]), x.at[1].max(0.3)
    return picked, added, x.at[2].apply(jnp.tanh), lax.top_k(x, 2)


def windowed(x):
    pooled = lax.reduce_window(x, -jnp.inf, lax.max, (2, 2), (1, 1), "VALID")
    return pooled, lax.conv_general_dilated(x[None, None], x[None, None, :3], (1, 1), "SAME"), jnp.cumsum(x, 0)


def linear_algebra(x):
    square = x[:3] @ x[:3].T + jnp.eye(3)
    return jnp.linalg.solve(square, x[:3]), jnp.linalg.cholesky(square), jnp.linalg.inv(square), jnp.linalg.qr(x)[1]


def with_rules(x):
    return jax.nn.relu(x), jax.nn.logsumexp(x, 1), jax.nn.gelu(x), jax.checkpoint(jnp.sin)(x), lax.stop_gradient(x)


def typed(x):
    narrow = x.astype(jnp.bfloat16).astype(jnp.float32)
    return narrow, (x > 0.5) & (x < 2), jnp.round(x).astype(int), jnp.fft.rfft(x).real, x * np.arange(3.0)


@pytest.mark.parametrize("function", [looped, branched, indexed, windowed, linear_algebra, with_rules, typed])
def test_a_program_made_anew_computes_and_costs_the_same(function):
    x = np.random.default_rng(0).normal(size=(5, 3))
    traced, told, arrays = sent(function, x)
    anew = made_anew(told, arrays, [x], [__file__])
    assert count_jaxpr(anew) == count_jaxpr(traced)
    shapes = [jax.ShapeDtypeStruct(x.shape, x.dtype)]
    found = Program(told, arrays, shapes, (), may_be_marked=True)([x])
    for ours, theirs in zip(found, jax.tree.leaves(jax.jit(function)(x)), strict=True):
        assert ours.dtype == theirs.dtype
        np.testing.assert_allclose(np.asarray(ours, float), np.asarray(theirs, float), rtol=1e-12)


def test_what_jax_keeps_whole_is_laid_open():
    x = np.arange(4.0)
    _, told, arrays = sent(jnp.searchsorted, x, x)
    found = jax.jit(jaxpr_as_fun(made_anew(told, arrays, [x, x])))(x, x + 0.5)
    assert found[0].tolist() == [1, 2, 3, 4]


def test_random_keys_are_handed_over():
    key = jax.random.key(0)
    _, told, arrays = sent(lambda key: jax.random.normal(key, (3,)), key)
    shape = jax.ShapeDtypeStruct((), key.dtype)
    assert flatten(rebuild(told, arrays, [shape], ())).steps


def layer_bwd(residuals, y_bar):
    x, w, y = residuals
    z_bar = y_bar * (1 - y**2)
    return z_bar @ w.T, x.T @ (y_bar * (1 - y**2)), z_bar.sum(0)


def test_an_equation_knows_the_expression_that_made_it_where_the_text_is_the_submission_s_own():
    x, w, y = np.ones((4, 3)), np.ones((3, 2)), np.ones((4, 2))
    _, told, arrays = sent(lambda *given: layer_bwd(given[:3], given[3]), x, w, y, y)

    def expressions(files):
        anew = made_anew(told, arrays, (x, w, y, y), files)
        return {place.text for eqn in anew.eqns if (place := place_of(eqn, "")) is not None}

    assert {"y**2", "1 - y**2", "z_bar @ w.T"} <= expressions([__file__])
    assert "y**2" not in expressions([])


# --- what is only said


def the(told, name):
    """The equation of that name in a description."""
    return next(equation for equation in told["equations"] if equation[0] == name)


def refused(told, arrays, *shapes):
    with pytest.raises(messages.Malformed):
        made_anew(told, arrays, shapes)
    return True


def test_the_length_of_a_loop_is_the_one_that_runs():
    x = np.ones((5, 3))
    _, told, arrays = sent(lambda x: lax.scan(lambda c, row: (c + row, None), x[0], x)[0], x)
    the(told, "scan")[1]["length"] = 1
    assert refused(told, arrays, x)
    _, told, arrays = sent(lambda x: lax.scan(lambda c, _: (jnp.sin(c), None), x, length=50)[0], x)
    before = count_jaxpr(made_anew(told, arrays, [x])).flops
    the(told, "scan")[1]["length"] = 1
    anew = made_anew(told, arrays, [x])
    assert before == 50 * count_jaxpr(anew).flops
    np.testing.assert_allclose(jax.jit(jaxpr_as_fun(anew))(x)[0], jnp.sin(x), rtol=1e-6)


def test_what_a_scatter_does_is_what_its_name_says():
    x = np.ones(4, np.float32)
    _, told, arrays = sent(lambda x: x.at[1].add(2.0), x)
    dear = describe_program(jax.make_jaxpr(lambda there, comes: jnp.tanh(there) + comes)(1.0, 1.0))[0]
    the(told, "scatter-add")[1]["update_jaxpr"] = {"program": dear, "closed": False}
    anew = made_anew(told, arrays, [x])
    assert jax.jit(jaxpr_as_fun(anew))(x)[0].tolist() == [1, 3, 1, 1]


def test_branches_that_fit_neither_their_operands_nor_each_other_are_no_program():
    x = np.ones((5, 3))
    for spoil in ("inputs", "outputs"):
        _, told, arrays = sent(lambda x: lax.cond(x[0, 0] > 0, jnp.sin, jnp.cos, x), x)
        branch = the(told, "cond")[1]["branches"][0]["program"]
        if spoil == "inputs":
            branch["inputs"][0]["shape"] = [1, 1]
        else:
            branch["outputs"] = [["float32", 0.0]]
        assert refused(told, arrays, x)


def test_a_primitive_that_computes_unseen_is_not_made_anew():
    x = np.ones(3)
    _, told, arrays = sent(jnp.sin, x)
    the(told, "sin")[0] = "pure_callback"
    with pytest.raises(Unknown, match="pure_callback"):
        made_anew(told, arrays, [x])


@pytest.mark.parametrize(
    "spoil",
    [
        lambda told: told["equations"][0].__setitem__(2, [7]),
        lambda told: told["equations"][0].__setitem__(2, [-1]),
        lambda told: told["equations"][0].__setitem__(1, {"accuracy": {"enum": ["Precision", "__class__"]}}),
        lambda told: told["equations"][0].__setitem__(4, [0, 1, 0, 10**9, 0]),
        lambda told: told.__setitem__("equations", None),
        lambda told: told.__setitem__("inputs", []),
        lambda told: told.pop("files"),
    ],
)
def test_nonsense_is_no_program(spoil):
    _, told, arrays = sent(jnp.sin, np.ones(3))
    told["files"] = ["work.py"]
    spoil(told)
    with pytest.raises(messages.Malformed):
        made_anew(told, arrays, [np.ones(3)], ["work.py"])


def test_programs_within_programs_without_end_are_no_program():
    x = np.ones(3)
    within = {
        "inputs": [messages.shape_of(x)],
        "equations": [["sin", {"accuracy": None}, [0], 1, None]],
        "outputs": [1],
    }
    for _ in range(messages.DEEPEST + 1):
        parameters = {"constants": 0, "carries": 1, "length": 1, "reverse": False, "body": within}
        within = within | {"equations": [["scan", parameters, [0], 1, None]]}
    assert refused(within | {"files": []}, [], x)
