"""The page for practitioners is true: its code runs, and what it quotes is what is said."""

import re
from pathlib import Path

import pytest

from course.records import YOURS

PAGE = Path(__file__).parents[2] / "docs" / "practitioners.md"


@pytest.fixture(scope="module")
def stories(tmp_path_factory):
    """Each section's names after its code ran, and its quotations."""
    folder = tmp_path_factory.mktemp("stories")
    space: dict[str, object] = {}
    found = {}
    for section in PAGE.read_text(encoding="utf-8").split("\n## ")[1:]:
        title, text = section.split("\n", 1)
        for number, code in enumerate(re.findall(r"```python\n(.*?)```", text, re.DOTALL)):
            file = folder / f"story{len(found)}_{number}.py"
            file.write_text(code, encoding="utf-8")
            exec(compile(code, str(file), "exec"), space)
        found[title] = dict(space), re.findall(r"^> (.*)$", text, re.MULTILINE)
    return found


def without_figures(text):
    """A count differs between versions of JAX by a percent or two."""
    return re.sub(r"\d+ %", "some %", text)


def test_a_rule_that_costs_twice_agrees_and_says_why(stories):
    space, (quote,) = stories["A rule that is right and costs twice"]
    assert space["found"].agrees
    costs = {cost.method: cost.flops for cost in space["found"].costs}
    assert 1.9 < costs[YOURS] / costs["jax.vjp"] < 2.2
    assert without_figures(quote) in map(without_figures, [excess.text for excess in space["found"].excesses])
    assert quote.split()[-1] == "w`."


def test_a_rule_that_is_wrong_where_an_index_repeats_is_found_there(stories):
    space, (verdict, *check_grads) = stories["A rule that is wrong only when an index repeats"]
    assert space["distinct"].agrees
    assert space["found"].headline == verdict
    assert space["found"].arrays[0].worst.index[0] == 3
    assert all(quote in space["said"] for quote in check_grads)


def test_a_rule_that_is_unstable_in_float32_is_found(stories):
    space, (verdict,) = stories["A rule that is unstable in float32"]
    assert not space["found"].agrees
    assert verdict in space["found"].headline


def test_the_test_that_it_shows_passes(stories):
    stories["In pytest"][0]["test_layer_bwd"]()
