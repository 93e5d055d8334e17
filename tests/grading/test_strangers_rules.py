"""What holds where strangers' tangent rules are graded: they run as programs, and are told what judges tell."""

import os

import pytest

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
