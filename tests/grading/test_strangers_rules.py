"""What holds where strangers' tangent rules, and what is to be used, are graded: as programs, told what judges tell."""

import os

import pytest

from course.exercises import find_exercise
from course.grading.strangers.judging import TRACED, judge_stranger
from course.grading.strangers.processes import Server, Terms
from course.grading.strangers.remote import Remote, roles_of
from course.grading.strangers.sandbox import Limits
from course.records import Status
from tests.exercises.test_tangent_rule_task import EXERCISE

pytestmark = pytest.mark.skipif(os.uname().sysname != "Linux", reason="the layers are Linux's")

RULE = """
import jax.numpy as jnp

def layer_jvp(primals, tangents):
    (x, w), (x_dot, w_dot) = primals, tangents
    y = jnp.tanh(x @ w)
    return y, {}
"""
DIFFERENCES = """
import jax.numpy as jnp

def layer_jvp(primals, tangents):
    (x, w), (x_dot, w_dot) = primals, tangents
    h = 6e-6
    ahead = jnp.tanh((x + h * x_dot) @ (w + h * w_dot))
    behind = jnp.tanh((x - h * x_dot) @ (w - h * w_dot))
    return jnp.tanh(x @ w), (ahead - behind) / (2 * h)
"""
EXPECTED = {
    "right": (RULE.format("(1 - y**2) * (x_dot @ w + x @ w_dot)"), Status.RIGHT, ""),
    "wrong": (RULE.format("(1 - y**2) * (x_dot @ w)"), Status.WRONG, "It is the path through `w`"),
    "differences": (DIFFERENCES, Status.REFUSED, "must be linear"),
}


INSTALL = find_exercise("custom_rules.install")
INSTALLS = """
import jax

def install(fwd, bwd):
    @jax.custom_vjp
    def f(*primals):
        return fwd(*primals)[0]

    f.defvjp({})
    return f
"""
USED = {
    "fwd, bwd": (Status.RIGHT, ""),
    "fwd, lambda kept, y_bar: (y_bar, *bwd(kept, y_bar)[1:])": (Status.WRONG, "y_bar came back as it was handed in."),
    "lambda *p: jax.vjp(lambda *p: fwd(*p)[0], *p), lambda pull, y_bar: pull(y_bar)": (Status.WRONG, "bwd had no say"),
}


@pytest.fixture(scope="module")
def server():
    server = Server(Terms(Limits(cpu_seconds=10), seconds=10))
    yield server
    server.close()


@pytest.mark.parametrize("name", EXPECTED)
def test_a_strangers_rule_is_judged_as_a_program_and_told_the_same(name, server, tmp_path):
    text, status, says = EXPECTED[name]
    file = tmp_path / "work.py"
    file.write_text(text, encoding="utf-8")
    remote = Remote(file.name, file, server, roles_of([EXERCISE]))
    try:
        verdict = judge_stranger(EXERCISE, remote, seed=3)
    finally:
        remote.close()
    assert verdict.status is status, verdict
    assert TRACED in verdict.layers
    assert says in " ".join(verdict.lines)


@pytest.mark.parametrize("passes", USED)
def test_a_strangers_function_is_used_in_its_own_process_and_what_comes_of_it_is_judged(passes, server, tmp_path):
    file = tmp_path / "work.py"
    file.write_text(INSTALLS.format(passes), encoding="utf-8")
    remote = Remote(file.name, file, server, roles_of([INSTALL]))
    try:
        verdict = judge_stranger(INSTALL, remote, seed=3)
    finally:
        remote.close()
    status, says = USED[passes]
    assert verdict.status is status, verdict
    assert TRACED in verdict.layers
    assert says in " ".join(verdict.lines)
