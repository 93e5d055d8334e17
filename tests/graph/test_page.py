"""Claims about the page: one piece that needs nothing else, small, and readable in words."""

import re

import jax.numpy as jnp
import numpy as np

import course
from course.lessons.chain_rule import forked


def test_a_page_asks_for_nothing_else_and_is_small():
    page = course.show_graph(forked, 2.0, 1.0)
    assert not re.search(r"https?:|src=|@import|url\(", page.html)
    assert len(page.html) < 20_000
    assert page._repr_html_() == page.html


def test_in_print_it_is_every_step_in_words():
    said = repr(course.show_graph(forked, 2.0, 1.0)).splitlines()
    assert said[0] == "forked, forward:"
    assert "  d_bar" not in said[0]
    assert any(line.strip() == "v_bar += y_bar / d, d_bar += -y_bar * y / d" for line in said)


def test_names_from_the_code_are_shown_as_text():
    def primal(x):
        low = x < 1.0
        return jnp.where(low, x, 2 * x).sum()

    html = course.show_graph(primal, np.array([0.5, 2.0])).html
    assert "low = x &lt; 1" in html
    data = html.split('<script type="application/json">')[1].split("</script>")[0]
    assert "</" not in data


def test_it_can_be_saved_as_a_page_of_its_own(tmp_path):
    place = tmp_path / "graph.html"
    course.show_graph(forked, 2.0, 1.0).save(str(place))
    text = place.read_text(encoding="utf-8")
    assert text.startswith("<!doctype html>")
    assert "<title>forked</title>" in text


def test_it_can_be_used_without_a_mouse_and_without_eyes():
    html = course.show_graph(forked, 2.0, 1.0).html
    assert 'tabindex="0"' in html
    assert 'aria-live="polite"' in html
    assert "7 forward and 6 backward" in html


def test_arrays_that_are_large_or_not_finite_are_drawn_all_the_same():
    html = course.show_graph(lambda x: jnp.log(x).sum(), np.zeros((30, 30))).html
    assert len(html) < 20_000
    assert "NaN" not in html
