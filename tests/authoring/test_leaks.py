"""Claims about finding answers in what learners are handed."""

import ast

import pytest

from course.authoring.leaks import asked_of, leaks
from tests.authoring.samples import PAPER, SOURCE, made, solution

OWN = ast.parse("w_bar = x.T @ y_bar\nb2_bar = z2_bar\nx, w = residuals\ny = tanh(x)\nreturn_ = (a, b)").body
OTHERS = ast.parse("s_bar = y * (1 - y)").body


def shown(code, *, own=OWN, others=OTHERS, markdown=False, tags=()):
    cell = {
        "cell_type": "markdown" if markdown else "code",
        "metadata": {"name": "here", "tags": list(tags)},
        "source": code.splitlines(keepends=True),
    }
    return [text for _, text in leaks({"cells": [cell]}, own, others)]


@pytest.mark.parametrize(
    "code",
    [
        "w_bar = x.T @ y_bar",
        "print((x . T@y_bar).sum())  # spelt otherwise",
        "def f(x, y_bar):\n    return x.T @ y_bar, 1",
        "b2_bar = z2_bar",
        "s_bar = y*(1-y)",
    ],
)
def test_a_line_of_an_answer_is_found_however_it_is_spelt(code):
    assert shown(code)


@pytest.mark.parametrize(
    "code",
    [
        "w_bar = y_bar.T @ x",
        "print(z2_bar)",
        "x, w = residuals",
        "y = tanh(x)",
        "other = y * (1 - y)",
        "# w_bar = x.T @ y_bar, a comment that nobody should write",
    ],
)
def test_what_says_nothing_of_an_answer_is_left_alone(code):
    assert not shown(code)


@pytest.mark.parametrize("text", ["As `x.T @ y_bar` says.", "So:\n\n```python\nx.T @ y_bar\n```\n\nyes"])
def test_code_in_text_is_read_too(text):
    assert "x.T @ y_bar" in shown(text, markdown=True)


def test_a_folded_derivation_and_a_worked_cell_may_show_it():
    folded = "<details><summary>The derivation</summary>\n\n`w_bar = x.T @ y_bar`\n\n</details>"
    assert not shown(folded, markdown=True)
    assert shown(folded + " and `x.T @ y_bar`", markdown=True) == ["x.T @ y_bar"]
    assert not shown("w_bar = x.T @ y_bar", tags=["worked"])


def test_a_made_notebook_shows_nothing_and_the_solved_one_is_caught(tmp_path):
    own = asked_of(solution(tmp_path), PAPER)
    assert not list(leaks(made(tmp_path), own, []))
    assert {name for name, _ in leaks(made(tmp_path, solved=True), own, [])} == {"your-bend"}


def test_a_cell_that_shows_an_answer_is_named(tmp_path):
    source = SOURCE.replace('name="sources"', 'name="hint"')
    source = source.replace("# The end.", "# Try `relu_bwd(steep, y_bar)[0]*steep`.")
    found = list(leaks(made(tmp_path, source), asked_of(solution(tmp_path), PAPER), []))
    assert found == [("hint", "relu_bwd(steep, y_bar)[0] * steep")]
