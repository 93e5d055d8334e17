"""What holds where an answer runs in its author's own process: differentiation is found, named, and nothing is left."""

import dataclasses

import jax
import jax.numpy as jnp
import pytest
from jax._src.interpreters import ad

import course
from course.comparison.by_hand.marks import find_mark
from course.exercises.tasks.task import Sitting
from course.grading import Submission, judge, judging
from course.records import Feedback, Status
from tests.grading.attacked import HONEST, LAYER, layer, submission
from tests.grading.students import plain

NAMED = {
    "grad": "jax.grad",
    "vjp": "jax.vjp",
    "alias": "jax.vjp",
    "grad_of_tanh": "jax.grad",
    "jacrev": "jax.jacrev",
    "linearize": "jax.linearize",
    "linear_transpose": "jax.linear_transpose",
    "name_from_strings": "jax.vjp",
    "optax_value_and_grad": "optax.value_and_grad_from_state",
    "private_api": "jax._src.api",
    "rule_off_an_object": "jax.nn.relu.jvp",
    "sparse": "jax.grad",
    "swallowed_at_import": "jax.vjp",
    "vjp_of_an_export": "jax.vjp",
}
"""Attacks that are refused in one's own process, and the route that the message names."""

BY_RUNNING = {
    **NAMED,
    **({"bound_again": "add_any"} if jax.__version__ < "0.12" else {}),
    "private_api": "jax.vjp",
    "raw_trace": "JVPTrace",
    "rule_off_an_object": "relu.jvp",
    "traced_at_import": "jvp()",
    "warmed_at_import": "jax.vjp",
}
"""The same without reading the source: what the machinery and the marks find, and by which name.

Attacks that leave JAX changed in the process that they run in are left to processes of their own, and so is a program
that is bound again primitive by primitive where JAX no longer marks it.
"""

SLOW = {"optax_value_and_grad", "bound_again", "vjp_of_an_export", "rule_off_an_object"}


def cases(names):
    return [pytest.param(name, marks=pytest.mark.slow if name in SLOW else ()) for name in names]


def undefended(folder, name):
    """How an attack fares where nothing is refused."""
    found = submission(folder, name).find(LAYER.task.names)
    assert found.fault is None
    with found.at_home():
        return LAYER.task.judge(found.values, Sitting()).status


@pytest.mark.parametrize("name", cases(NAMED))
def test_a_route_that_the_source_names_is_refused_by_its_name_and_line(name, tmp_path):
    verdict = judge(LAYER, submission(tmp_path, name), feedback=Feedback.PASS)
    assert verdict.status is Status.REFUSED
    assert f"`{NAMED[name]}`" in verdict.lines[0]
    assert "work.py, line" in verdict.lines[0]
    assert verdict.points == 0


@pytest.mark.parametrize("name", cases(BY_RUNNING))
def test_a_route_that_works_undefended_is_refused_while_it_runs(name, tmp_path, monkeypatch):
    assert undefended(tmp_path, name) in (Status.RIGHT, Status.COSTLY)
    monkeypatch.setattr(judging, "_route_named", lambda *_: None)
    verdict = judge(LAYER, submission(tmp_path, name), feedback=Feedback.PASS)
    assert verdict.status is Status.REFUSED
    assert BY_RUNNING[name] in verdict.lines[0]


@pytest.mark.parametrize("name", [name for name in HONEST if name != "numpy_only"])
def test_an_honest_answer_is_not_refused(name, tmp_path):
    assert judge(LAYER, submission(tmp_path, name)).status in (Status.RIGHT, Status.COSTLY)


def test_a_route_that_the_exercise_allows_is_taken_and_no_other(tmp_path):
    exercise = dataclasses.replace(LAYER, allows=frozenset({"jax.vjp"}))
    assert judge(exercise, submission(tmp_path, "vjp")).status is Status.RIGHT
    verdict = judge(exercise, submission(tmp_path, "grad"))
    assert verdict.status is Status.REFUSED
    assert "Allowed here: jax.vjp." in verdict.lines[0]


def test_nothing_of_jax_stays_replaced(tmp_path):
    def standing():
        tables = {name: dict(getattr(ad, name)) for name in ("primitive_jvps", "primitive_transposes")}
        rules = [vars(jax.custom_jvp).get("jvp"), vars(jax.custom_vjp).get("bwd")]
        return tables, ad.linearize, ad.JVPTrace.__init__, rules

    before = standing()
    for name in ("vjp", "plain"):
        judge(LAYER, submission(tmp_path, name))
        assert standing() == before


def test_an_earlier_answer_that_differentiates_is_blamed_itself(tmp_path):
    plain(
        tmp_path / "work.py",
        """
        import jax
        from course.lessons.linear_and_activations import affine, relu
        from course.lessons.mlp import Layer, Mlp, mlp
        def affine_fwd(x, w, b): return affine(x, w, b), (x, w, b)
        def affine_bwd(residuals, y_bar): return jax.vjp(affine, *residuals)[1](y_bar)
        def relu_fwd(x): return relu(x), x
        def relu_bwd(x, y_bar): return (y_bar * (x > 0),)
        def mlp_fwd(params, x):
            kept = []
            for layer in params.layers[:-1]:
                x, a = affine_fwd(x, *layer)
                x, r = relu_fwd(x)
                kept.append((a, r))
            x, a = affine_fwd(x, *params.layers[-1])
            return x, (kept, a)
        def mlp_bwd(residuals, y_bar):
            kept, a = residuals
            y_bar, *bar = affine_bwd(a, y_bar)
            bars = [Layer(*bar)]
            for a, r in kept[::-1]:
                (y_bar,) = relu_bwd(r, y_bar)
                y_bar, *bar = affine_bwd(a, y_bar)
                bars.append(Layer(*bar))
            return Mlp(bars[::-1]), y_bar
        """,
    )
    verdict = judge(course.find_exercise("mlp.mlp"), Submission.read(tmp_path / "work.py"))
    assert verdict.headline == "uses your affine, which is not right yet"
    assert "affine_bwd is not by hand" in verdict.lines[0]


def test_compare_refuses_only_where_it_is_asked_to():
    def fwd(x, w, b):
        return layer(x, w, b), (x, w, b)

    def bwd(residuals, y_bar):
        return jax.vjp(layer, *residuals)[1](y_bar)

    primals = jnp.ones((7, 5)), jnp.ones((5, 3)), jnp.ones(3)
    assert course.compare(layer, fwd, bwd, *primals).agrees
    found = course.compare(layer, fwd, bwd, *primals, by_hand=True)
    assert [fault.kind for fault in found.faults] == ["refused"]
    assert "⊘" in str(found)
    assert "jax.vjp" in found.faults[0].line.code


def test_a_rule_of_one_s_own_is_run_with_the_function_that_it_belongs_to(tmp_path):
    found = submission(tmp_path, "own_custom_vjp").find(["squashes"])
    assert jax.grad(found.values["squashes"])(0.0) == 1.0


def test_a_sum_that_a_derivative_was_first_to_need_bears_no_mark_of_it():
    table, ids = jnp.ones((3, 2), jnp.float16), jnp.array([0, 2])
    jax.vjp(lambda table: table[ids], table)[1](table[ids])  # JAX keeps the program that adds two numbers
    program = jax.make_jaxpr(lambda table, y_bar: jnp.zeros_like(table).at[ids].add(y_bar))(table, table[ids])
    assert find_mark(program) is None


def test_a_derivative_that_is_applied_in_place_is_found():
    assert find_mark(jax.make_jaxpr(lambda x: x.at[0].apply(jax.grad(jnp.sin)))(jnp.ones(3)))
