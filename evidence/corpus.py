"""The corpus: wrong answers, each refused and told what it is, and right ones in unlike styles, each accepted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from evidence.pieces import Piece
from evidence.reached import reached
from evidence.sampling import one_a_lesson, spread
from evidence.tables import table
from tests.corpus.answers import Answer, all_answers, said_of

TITLE = "The corpus, by exercise and mistake"
SEEDS = (0, 1)
SOME_WRONG = 2
"""So many of an exercise are in the sample."""

PARTS = ("line", "place")
"""What is said of these is a sentence, of which the corpus holds a part."""

TIERS = ("mistake", "line", "place", "slip", "fault", "case", "where")


def pieces() -> list[Piece]:
    """One for each exercise."""
    exercises = dict.fromkeys(answer.exercise for answer in all_answers())
    return [_piece(name, [answer for answer in all_answers() if answer.exercise == name]) for name in exercises]


def sample() -> list[Piece]:
    """Some wrong answers and a right one to one exercise of each lesson: others than the test suite tries."""
    return [_piece(name, _some([a for a in all_answers() if a.exercise == name])) for name in one_a_lesson()]


def _some(answers: Sequence[Answer]) -> list[Answer]:
    wrong = [answer for answer in answers if answer.tier != "right"]
    return [*spread(wrong[1:], SOME_WRONG), next(answer for answer in answers if answer.tier == "right")]


def _piece(exercise: str, answers: Sequence[Answer]) -> Piece:
    lesson = exercise.partition(".")[0]
    modules = (f"course.exercises.{lesson}", f"solutions.{lesson}", f"tests.corpus.{lesson}", __name__)
    return Piece(exercise, len(answers), reached(*modules), partial(_judge, answers))


def _judge(answers: Sequence[Answer], step: Callable[[], None]) -> list[Any]:
    """A row for each answer: its name, what must be said of it, and what is said at each seed."""
    rows = []
    for answer in answers:
        said = [said_of(answer.judge(seed)) for seed in SEEDS]
        rows.append([answer.name, [answer.tier, answer.cause], *said])
        step()
    return rows


def _is_told(expected: Sequence[str], said: Sequence[str]) -> bool:
    (tier, cause), (said_tier, said_cause) = expected, said
    return tier == said_tier and (cause in said_cause if tier in PARTS else cause == said_cause)


def summary(results: Mapping[str, Any]) -> dict[str, Any]:
    """For each exercise the wrong answers by the tier that names them, the right ones by name, and every mistake."""
    return {name: _summed(rows) for name, rows in results.items()}


def _summed(rows: Sequence[Any]) -> dict[str, Any]:
    wrong = [row for row in rows if row[1][0] != "right"]
    mistakes = Counter(row[1][1] for row in wrong if row[1][0] == "mistake" and _is_told(row[1], row[2]))
    return {
        "wrong": len(wrong),
        "refused": sum(row[2][0] != "right" for row in wrong),
        "told": sum(_is_told(row[1], row[2]) for row in wrong),
        "tiers": dict(Counter(row[2][0] for row in wrong)),
        "mistakes": dict(mistakes),
        "accepted": [row[0] for row in rows if row[1][0] == row[2][0] == "right"],
    }


def complaints(results: Mapping[str, Any]) -> list[str]:
    """Answers that get another verdict than they must, at the first seed; or another mistake's name at the second."""
    return [
        f"{exercise}: {name} must be {_phrase(expected)}; at seed {seed} it is {_phrase(said)}"
        for exercise, rows in results.items()
        for name, expected, *at_seeds in rows
        for seed, said in zip(SEEDS, at_seeds, strict=True)
        if not (_is_told(expected, said) if seed == SEEDS[0] else _is_no_other(expected, said))
    ]


def _is_no_other(expected: Sequence[str], said: Sequence[str]) -> bool:
    """Whether nothing false is said: right and wrong stay so, and no mistake is taken for another one."""
    if "right" in (expected[0], said[0]):
        return expected[0] == said[0]
    return said[0] != "mistake" or _is_told(expected, said)


def _phrase(said: Sequence[str]) -> str:
    return " ".join(filter(None, said))


def page(by_version: Mapping[str, Mapping[str, Any]]) -> str:
    """The kill matrix and the accepted styles."""
    parts = [_INTRODUCTION]
    for version, found in by_version.items():
        rows = [
            (name, one["wrong"], one["refused"], one["told"], *(one["tiers"].get(tier, "") for tier in TIERS))
            for name, one in found.items()
        ]
        sums = [sum(int(row[place] or 0) for row in rows) for place in range(1, 4 + len(TIERS))]
        header = ("exercise", "wrong", "refused", "told what it is", *TIERS)
        parts.append(f"JAX {version}:\n\n{table(header, [*rows, ('all', *sums)])}")
    matrix = [
        (name, mistake, ", ".join(version for version, found in by_version.items() if _has(found, name, mistake)))
        for name, mistake in _mistakes(by_version)
    ]
    parts.append(f"Mistakes that were named:\n\n{table(('exercise', 'mistake', 'on JAX'), matrix)}")
    latest = list(by_version.values())[-1] if by_version else {}
    styles = [(name, len(one["accepted"]), "; ".join(one["accepted"])) for name, one in latest.items()]
    parts.append("Right answers that are accepted:\n\n" + table(("exercise", "number", "styles"), styles))
    return "\n\n".join(parts)


def _mistakes(by_version: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, str]]:
    found = ((name, mistake) for one in by_version.values() for name in one for mistake in one[name]["mistakes"])
    return list(dict.fromkeys(found))


def _has(found: Mapping[str, Any], name: str, mistake: str) -> bool:
    return name in found and mistake in found[name]["mistakes"]


_INTRODUCTION = """\
Wrong answers written by hand, each with what must be said of it, and right answers in unlike styles. *mistake*, *line*,
*place*, *slip*: the wrong answers that were named so; *fault*: not callable as asked, or forward's value is wrong;
*case*: wrong at an awkward case alone; *where*: the wrong arrays, and no more."""
