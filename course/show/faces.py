"""The face of each status: a glyph and a word, both its own, and colours that add to them.

The colours keep apart for colour-blind readers (a blue-green beside a vermilion, after Okabe and Ito). Those
of the terminal have a contrast of 3 at least on white and on black: a program cannot know which it writes on.
"""

from __future__ import annotations

from dataclasses import dataclass

from course.records import Comparison, Status, Verdict
from course.show import words


@dataclass(frozen=True)
class Face:
    """How a status looks; `terminal` is a rich style, `light` and `dark` are colours for such pages."""

    glyph: str
    word: str
    terminal: str
    light: str
    dark: str


RIGHT = Face("✓", "right", "color(29)", "#007a56", "#3ecf9b")
WRONG = Face("✗", "wrong", "color(166)", "#b84a00", "#ff8f52")
BROKEN = Face("!", "broken", "color(167)", "#b3261e", "#ff8a80")
OURS = Face("◆", "our fault", "color(32)", "#0068b3", "#62b8f5")
ASKED = Face("?", "question", "color(32)", "#0068b3", "#62b8f5")
"""Of something that is shown, and that a question is about."""

YOURS = "color(32)"
"""The answer's own bar among the others, in a terminal."""

FACES = {
    Status.RIGHT: RIGHT,
    Status.COSTLY: Face("▲", "costly", "color(136)", "#8a6100", "#e6b34d"),
    Status.WRONG: WRONG,
    Status.REFUSED: Face("⊘", "refused", "color(133)", "#8f3f8f", "#e08fe0"),
    Status.BROKEN: BROKEN,
    Status.STOPPED: Face("■", "stopped", "color(133)", "#6a4c93", "#bda4e8"),
    Status.WAITING: Face("»", "waiting", "color(32)", "#0068b3", "#62b8f5"),
    Status.HANDED_IN: Face("✎", "handed in", "color(32)", "#0068b3", "#62b8f5"),
    Status.NOT_STARTED: Face("○", "not started", "color(244)", "#63686e", "#9aa1a9"),
}


def of_verdict(verdict: Verdict) -> Face:
    """The face of a verdict, one of its own when the fault is the course's."""
    return OURS if verdict.ours else FACES[verdict.status]


def of_comparison(comparison: Comparison) -> Face:
    """The face of a comparison: right, wrong, refused, or broken by an exception."""
    if comparison.agrees:
        return RIGHT
    kinds = {fault.kind for fault in comparison.faults}
    if "refused" in kinds:
        return FACES[Status.REFUSED]
    return BROKEN if "exception" in kinds else WRONG


def of_row(right: bool) -> Face:
    """The face of one row of a table."""
    return RIGHT if right else WRONG


def headline(face: Face, text: str) -> str:
    """The headline, led by the word of its status where it does not say it."""
    return text if face.word in text.lower() else " · ".join(filter(None, (face.word, text)))


def score(verdict: Verdict) -> str:
    """Points of possible points, those for cost apart; none are given or taken where the fault is ours.

    Nothing is said of what no machine gives points for.
    """
    if not verdict.counts:
        return ""
    if verdict.ours:
        return f"–/{words.points(verdict.possible)}"
    earned = f"{words.points(verdict.points)}/{words.points(verdict.possible)}"
    if not verdict.cost_possible:
        return earned
    return f"{earned} · cost {words.points(verdict.cost_points)}/{words.points(verdict.cost_possible)}"
