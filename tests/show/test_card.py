"""Claims about verdicts and comparisons as HTML."""

import dataclasses
from collections.abc import Callable
from html.parser import HTMLParser

import pytest

from course.records import Comparison, Feedback, Verdict
from course.show import faces
from course.show.card import comparison_card, verdict_card
from tests.show import samples

EVERY = pytest.mark.parametrize("make", samples.EVERY_FACE.values(), ids=samples.EVERY_FACE)
HOSTILE = "<script>alert(1)</script><img src=x onerror=y> \"' & </div> \x1b[2J"


class Page(HTMLParser):
    """Collects tags, and fails on one that closes out of order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[dict[str, str | None]] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes.append(dict(attrs))
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@EVERY
def test_a_card_is_whole_and_brings_no_script_network_or_fonts(make: Callable[..., Verdict]) -> None:
    card = verdict_card(make())
    page = Page(card)
    assert not {"script", "link", "img", "iframe", "object"} & set(page.tags)
    for outside in ("http", "url(", "@import", "@font-face", "src="):
        assert outside not in card


@EVERY
def test_a_card_carries_its_verdict_for_machines(make: Callable[..., Verdict]) -> None:
    verdict = make()
    first = Page(verdict_card(verdict)).attributes[0]
    assert first["data-status"] == verdict.status
    assert first["data-points"] == f"{verdict.points:.0f}/{verdict.possible:.0f}"
    assert first["data-exercise"] == verdict.exercise
    assert first["data-ours"] == str(verdict.ours).lower()
    assert first["role"] == "group"
    assert faces.of_verdict(verdict).word in str(first["aria-label"])


@EVERY
def test_a_card_escapes_what_strangers_wrote(make: Callable[..., Verdict]) -> None:
    verdict = make(title=HOSTILE, headline=HOSTILE, lines=(HOSTILE,), next=HOSTILE, printed=HOSTILE, exercise=HOSTILE)
    arrays = tuple(dataclasses.replace(a, path=HOSTILE) for a in samples.RIGHT_ARRAYS)
    verdict = dataclasses.replace(verdict, comparison=samples.comparison(arrays=arrays, notes=(HOSTILE,)))
    card = verdict_card(verdict)
    page = Page(card)
    assert not {"script", "img"} & set(page.tags)
    assert "onerror" not in {name for attributes in page.attributes for name in attributes}
    assert "\x1b" not in card


def test_the_headline_comes_before_the_arrays_and_these_are_folded() -> None:
    card = verdict_card(samples.wrong())
    assert card.index("w_bar is wrong") < card.index("furthest off")
    assert card.index("<details><summary>Arrays") < card.index("furthest off")


def test_a_card_says_no_more_than_the_feedback_level() -> None:
    verdict = samples.wrong(feedback=Feedback.PASS, lines=(), headline="not right yet")
    assert "w_bar" not in verdict_card(verdict)
    verdict = dataclasses.replace(verdict, feedback=Feedback.WHERE)
    assert "w_bar" in verdict_card(verdict)
    assert "transposed" not in verdict_card(verdict)


def test_cost_bars_come_with_their_lesson() -> None:
    assert "central differences" in verdict_card(samples.right())
    assert "FLOPs" not in verdict_card(samples.right(shows_cost=False))
    assert "jax.jacfwd" not in verdict_card(samples.right(shows_cost=False, shows_forward=False))


def test_code_in_backticks_is_set_as_code() -> None:
    assert "<code>course check --json</code>" in verdict_card(samples.ours())


def test_a_notebooks_table_rules_are_outweighed() -> None:
    assert ".handgrad.handgrad.handgrad table { table-layout: auto" in verdict_card(samples.right())


@pytest.mark.parametrize("make", [samples.comparison, samples.wrong_comparison, samples.broken_comparison])
def test_a_comparison_is_a_card_too(make: Callable[..., Comparison]) -> None:
    page = Page(comparison_card(make()))
    assert page.attributes[0]["data-status"] == faces.of_comparison(make()).word
