"""The question "which mistake is this?": somebody's wrong numbers beside the right ones, drawn for each learner.

A draw is a number. It chooses the mistake, the inputs, and which others stand beside it as options. It is part of every
option's label: `b417` is option b of draw 417. So an answer says by itself what it is an answer to, wherever it is
copied to, and is judged against the same numbers there.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from course.comparison.mistakes import Mistake
from course.exercises.tasks.question import ANSWER
from course.exercises.tasks.shown import Arrays, Shown, Source, shown_at
from course.exercises.tasks.task import Sitting
from course.records import Exhibit, Feedback, Findings, Remark, Status
from course.show.arrays import apart

LETTERS = "abcd"
"""Of the options: one is what was done, the others are told apart from it by the numbers that are shown."""

CLEAR = 0.05
"""Part of an array's largest number by which two mistakes must differ in it: it is seen at a glance."""

NOTHING = 1e-6
"""An array whose numbers are all smaller than this is zero."""

TRIES = 4
"""Inputs that are drawn for one mistake before another is taken."""

MOST_DIGITS = 6
"""Of a draw's number."""

_LABEL = re.compile(rf"([{LETTERS}])\s*(\d{{1,{MOST_DIGITS}}})")


class NothingToShow(Exception):
    """No four mistakes of any source can be told apart at small inputs."""


@dataclass(frozen=True)
class Picked:
    """What a draw shows: a mistake of a source, its numbers, and the options by their labels."""

    source: Source
    shown: Shown
    mistake: Mistake
    options: Mapping[str, Mistake]

    @property
    def theirs(self) -> Arrays:
        """The wrong numbers."""
        return self.shown.made[self.mistake.name]

    @property
    def label(self) -> str:
        """The right answer."""
        return next(label for label, mistake in self.options.items() if mistake is self.mistake)


@dataclass(frozen=True)
class WhichMistake:
    """Asks which of four mistakes somebody made, by the numbers that it leads to.

    Attributes:
        sources: The tasks whose catalogues are drawn from.
    """

    sources: tuple[Source, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """None: it is answered by `course.answer`."""
        return ()

    @property
    def questions(self) -> tuple[str, ...]:
        """The one question that it is."""
        return (ANSWER,)

    @property
    def prompt(self) -> str:
        """The question, which stands above what is shown."""
        return (
            "Somebody's wrong numbers stand beside the right ones, with four mistakes that may have led to them. Which "
            'was it? Answer with the label of an option as it stands there, such as "b0": b is the option, and 0 the '
            "draw that you were shown. Other draws show other mistakes. In a terminal, `course show` shows yours."
        )

    def pick(self, draw: int) -> Picked:
        """What a draw shows.

        Raises:
            NothingToShow: Its catalogues don't allow it.
        """
        return _picked(self.sources, draw)

    def exhibit(self, question: str, title: str, draw: int) -> Exhibit:
        """What a draw shows, to be read; `question` and `title` are the exercise's."""
        picked = self.pick(draw)
        options = {label: mistake.says for label, mistake in picked.options.items()}
        shown, source = picked.shown, picked.source
        note = f"Of {source.points} draws: the first axis of every array counts them." if source.points > 1 else ""
        return Exhibit(question, title, draw, source.name, shown.inputs, shown.right, picked.theirs, options, note)

    def judge(self, answer: Mapping[str, Any], sitting: Sitting) -> Findings:
        """Draws again what the label says was shown, and says what its option would have shown."""
        came = answer[ANSWER]
        label = _LABEL.fullmatch(came.strip().lower()) if isinstance(came, str) else None
        if label is None:
            return _no_label(came)
        letter, draw = label[1], int(label[2])
        picked = self.pick(draw)
        taken = picked.options[f"{letter}{draw}"]
        if taken is picked.mistake:
            says = f"Right. {_where_it_shows(picked)}"
            return Findings(Status.RIGHT, "right", (Remark(Feedback.PASS, says),), share=1.0)
        says = _would_have_shown(picked, taken)
        return Findings(Status.WRONG, f"({letter}{draw}) is not right", (Remark(Feedback.WHERE, says),), failed=ANSWER)


def draw_of(value: Any) -> int | None:
    """The draw that an answer names; None where it names none."""
    label = _LABEL.fullmatch(value.strip().lower()) if isinstance(value, str) else None
    return int(label[2]) if label else None


def _no_label(came: Any) -> Findings:
    letter = came.strip().lower() if isinstance(came, str) and came.strip().lower() in set(LETTERS) else ""
    missing = f"say which draw {letter} is an option of: its number stands beside the letter" if letter else ""
    sentence = missing or f"answer with an option's label, letter and number; {came!r} came"
    sentence = f'{sentence[0].upper()}{sentence[1:]}, as in "{letter or "b"}0".'
    remark = Remark(Feedback.PASS, f"{sentence} `course show` shows the numbers and the labels.")
    return Findings(Status.WRONG, "not an answer to this question", (remark,), failed=ANSWER)


@lru_cache(maxsize=256)
def _picked(sources: tuple[Source, ...], draw: int) -> Picked:
    for source in sorted(sources, key=lambda source: _rank(draw, source.name)):
        ranked = sorted(source.mistakes, key=lambda mistake: _rank(draw, source.name, mistake.name))
        for mistake in ranked:
            for attempt in range(TRIES):
                shown = shown_at(source, (draw, attempt))
                others = _others(shown, mistake, ranked)
                if others is not None:
                    return Picked(source, shown, mistake, _labelled(draw, source, [mistake, *others]))
    raise NothingToShow(", ".join(source.name for source in sources))


def _rank(draw: int, *words: str) -> bytes:
    """Puts things in an order of the draw's own, in which a new one moves no other."""
    return hashlib.sha256(":".join([str(draw), *words]).encode()).digest()


def _labelled(draw: int, source: Source, mistakes: Sequence[Mistake]) -> dict[str, Mistake]:
    mixed = sorted(mistakes, key=lambda mistake: _rank(draw, source.name, mistake.name, "place"))
    return {f"{letter}{draw}": mistake for letter, mistake in zip(LETTERS, mixed, strict=True)}


def _others(shown: Shown, mistake: Mistake, ranked: Sequence[Mistake]) -> list[Mistake] | None:
    """Mistakes to stand beside one, first such as spoil an array that it spoils; None where it can't be told apart."""
    theirs = shown.made[mistake.name]
    spoiled = set(_differing(theirs, shown.right))
    if not spoiled:
        return None
    rest = sorted(
        (other for other in ranked if other is not mistake),
        key=lambda other: not spoiled & set(_differing(shown.made[other.name], shown.right)),
    )
    kept: list[Mistake] = []
    for other in rest:
        made = shown.made[other.name]
        if all(_differing(made, known) for known in (shown.right, theirs, *(shown.made[one.name] for one in kept))):
            kept.append(other)
        if len(kept) == len(LETTERS) - 1:
            return kept
    return None


def _differing(one: Arrays, other: Arrays) -> list[str]:
    """The arrays in which two ways clearly differ."""
    return [path for path in {**one, **other} if path not in one or path not in other or _far(one[path], other[path])]


def _far(one: np.ndarray, other: np.ndarray) -> bool:
    if one.shape != other.shape or (np.isfinite(one) != np.isfinite(other)).any():
        return True
    finite = np.isfinite(one)
    largest = max(np.abs(one[finite]).max(initial=0.0), np.abs(other[finite]).max(initial=0.0))
    return bool(largest > NOTHING and np.abs(one - other)[finite].max(initial=0.0) >= CLEAR * largest)


def _where_it_shows(picked: Picked) -> str:
    """The number in which the wrong pass is furthest from the right one."""
    right, theirs = picked.shown.right, picked.theirs
    path = _differing(theirs, right)[0]
    if path not in right or path not in theirs or right[path].shape != theirs[path].shape:
        return f"It shows in the shape of {path}."
    place = _furthest(theirs[path], right[path])
    wrong, true = apart(theirs[path][place], right[path][place])
    return f"It shows most in {_entry(path, place)}: {wrong} where {true} is right."


def _would_have_shown(picked: Picked, taken: Mistake) -> str:
    """Where the numbers of another mistake differ most from those that are shown."""
    right, theirs, made = picked.shown.right, picked.theirs, picked.shown.made[taken.name]
    path = _differing(made, theirs)[0]
    if path not in made or path not in theirs or made[path].shape != theirs[path].shape:
        return f"Then {path} would have another shape."
    place = _furthest(made[path], theirs[path])
    entry = _entry(path, place)
    then, shown = apart(made[path][place], theirs[path][place])
    if _same(theirs[path], right[path]):
        return f"Then {path} would be wrong, which is right here: {entry} would be {then}, and it is {shown}."
    if _same(made[path], right[path]):
        return f"Then {path} would be right: {entry} would be {then}, and theirs is {shown}."
    if _same(right[path][place], theirs[path][place]):
        return f"Then {entry} would be {then}. It is {shown}, which is right."
    true = apart(right[path][place], theirs[path][place])[0]
    return f"Then {entry} would be {then}. Theirs is {shown}, and {true} is right."


def _same(one: np.ndarray, other: np.ndarray) -> bool:
    return np.allclose(one, other, rtol=1e-6, atol=NOTHING, equal_nan=True)


def _furthest(one: np.ndarray, other: np.ndarray) -> tuple[int, ...]:
    """The place of the number in which two arrays differ most; one that is no number differs most of all."""
    gaps = np.where(np.isfinite(one) == np.isfinite(other), np.nan_to_num(np.abs(one - other)), np.inf)
    return tuple(int(place) for place in np.unravel_index(int(np.argmax(gaps)), gaps.shape))


def _entry(path: str, place: tuple[int, ...]) -> str:
    name, *rest = path.split(" ", 1)  # "y_dot of a_dot alone"
    return " ".join([f"{name}[{', '.join(map(str, place))}]" if place else name, *rest])
