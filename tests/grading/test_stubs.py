"""A function that was handed out and not filled in is told from one that was."""

import pytest

from tests.grading.students import script

STUBS = {
    "raise NotImplementedError": 2,
    "raise NotImplementedError()": 2,
    "raise NotImplementedError('your turn')": 2,
    '"""Prose."""\n# YOUR CODE HERE\nraise NotImplementedError()': 4,
    "a, b = x\nraise NotImplementedError": 3,
    "raise NotImplementedError\nreturn x": 2,
    "...": 2,
    '"""Prose."""': 1,
    "pass": 1,
    "a = ...\nreturn a": 2,
    "a: int = ...\nreturn a": 2,
    "a, b = ..., ...\nreturn a": 2,
    "a += ...\nreturn a": 2,
    "a = ... @ x\nreturn a": 2,
    "a = -...\nreturn a": 2,
    "return ...": 2,
    "return x, ...": 2,
    "return (...,)": 2,
    "return Cotangents(x, w=...)": 2,
    "for i in x:\n    a = ...\nreturn a": 3,
    "def inner(y):\n    return ...\nreturn inner(x)": 3,
    "with x:\n    ...": 3,
    "try:\n    return x\nexcept ValueError:\n    return ...": 5,
}

ANSWERS = [
    "return x[..., None]",
    "return x[...]",
    "index = (..., None)\nreturn x[index]",
    "if x is ...:\n    return x\nreturn None",
    "return x\nraise NotImplementedError",
    "if x is None:\n    raise NotImplementedError\nreturn x",
    "def inner(y: tuple[int, ...] = ..., *z):\n    return y\nreturn inner(x)",
    "class P:\n    def m(self): ...\nreturn P()",
    "return (lambda y=...: y)()",
    "return x.sum(...,) if False else einsum(x, [..., 0])".replace("x.sum(...,)", "x"),
]


def indented(body):
    return "def f(x):\n" + "".join(f"    {line}\n" for line in body.split("\n"))


@pytest.mark.parametrize("body, number", STUBS.items())
def test_a_stub_is_not_started_and_its_line_is_named(tmp_path, body, number):
    fault = script(tmp_path, indented(body)).find(["f"]).fault
    assert (fault.kind, fault.where, fault.line.number) == ("not_started", "f", number)


@pytest.mark.parametrize("body", ANSWERS)
def test_an_answer_is_no_stub(tmp_path, body):
    assert script(tmp_path, indented(body)).find(["f"]).fault is None


def test_a_blank_says_where_it_is(tmp_path):
    fault = script(tmp_path, "def f(x):\n    y = x\n    z = ...\n    return z\n").find(["f"]).fault
    assert fault.message == "`f` still has a blank: fill in the `...` on line 3."


def test_half_a_pair_names_the_half_that_is_open(tmp_path):
    submission = script(tmp_path, "def a_fwd(x): return x, x\ndef a_bwd(r, y_bar):\n    raise NotImplementedError\n")
    assert submission.find(["a_fwd", "a_bwd"]).fault.where == "a_bwd"
    assert submission.find(["a_fwd"]).fault is None


def test_an_open_helper_is_named(tmp_path):
    submission = script(tmp_path, "def f(x): return helper(x)\ndef helper(x):\n    raise NotImplementedError\n")
    fault = submission.find(["f"]).fault
    assert (fault.kind, fault.where) == ("not_started", "helper")


def test_a_blank_value_is_open_where_it_is_wanted_and_a_constant_where_it_is_not(tmp_path):
    submission = script(tmp_path, "ALL = ...\ndef f(x): return x[ALL, None]\n")
    assert submission.find(["f"]).fault is None
    assert submission.find(["ALL"]).fault.kind == "not_started"


def test_a_stub_is_not_run(tmp_path):
    fault = script(tmp_path, "@no_such_name\ndef f(x):\n    raise NotImplementedError\n").find(["f"]).fault
    assert fault.kind == "not_started"
