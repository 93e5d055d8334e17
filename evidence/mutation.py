"""Mutants of every solution, judged: what kills each of them, what is said of it, and whether that holds elsewhere.

Every mutant is judged at seed 0. One that is killed by its numbers, or not at all, is judged at seed 1 as well: an
explanation that the other seed denies is false.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any

from course.comparison.questions import DID_NOT_FOLLOW, STAYED
from evidence.equivalent import EQUIVALENT
from evidence.fares import JUDGED_TWICE, OUTCOMES, SURVIVED, TIERS, VALUE, Answer, answers, judge_mutants
from evidence.mutants import Mutant, mutants
from evidence.pieces import Piece
from evidence.reached import reached
from evidence.sampling import one_a_lesson, spread
from evidence.tables import percent, table

TITLE = "Mutants of the solutions"
EXPLAINED_AT_LEAST = 0.5
"""Of those that are killed by their numbers and follow what is handed in."""

ENOUGH = 100
"""Killed mutants of which that share is asked: of fewer it says little."""

SOME_MUTANTS = 3
"""So many of an answer are in the sample."""


def pieces() -> list[Piece]:
    """One for each exercise."""
    return [_piece(answer, _mutants_of(answer)) for answer in answers()]


def sample() -> list[Piece]:
    """Some mutants of one answer of each lesson."""
    chosen = one_a_lesson()
    return [
        _piece(answer, spread(_mutants_of(answer), SOME_MUTANTS))
        for answer in answers()
        if answer.exercise.name in chosen
    ]


def _mutants_of(answer: Answer) -> list[Mutant]:
    return [mutant for function in answer.functions for mutant in mutants(function)]


def _piece(answer: Answer, tried: Sequence[Mutant]) -> Piece:
    lesson = answer.exercise.lesson
    sources = reached(f"course.exercises.{lesson}", f"solutions.{lesson}", "evidence.mutants", "evidence.fares")
    return Piece(answer.exercise.name, len(tried), sources, partial(judge_mutants, answer, tried))


def false_names(rows: Sequence[Any]) -> list[Any]:
    """The mutants of which something else is said at the other seed."""
    return [row for row in rows if row[3][2] != row[4][2]]


def lucky(rows: Sequence[Any]) -> list[Any]:
    """The mutants that survive at one seed only."""
    return [row for row in rows if (row[3][0] == SURVIVED) != (row[4][0] == SURVIVED)]


def survivors(rows: Sequence[Any]) -> list[Any]:
    """The mutants that nothing kills."""
    return [row for row in rows if row[3][0] == row[4][0] == SURVIVED]


def summary(results: Mapping[str, Any]) -> dict[str, Any]:
    """The counts by exercise and by operator, and the rate of judging."""
    every = [row for result in results.values() for row in result["rows"]]
    judgings = sum(2 if row[3][0] in JUDGED_TWICE else 1 for row in every)
    operators = sorted({row[0] for row in every})
    return {
        "exercises": {name: _counts(result["rows"]) for name, result in results.items()},
        "operators": {name: _counts([row for row in every if row[0] == name]) for name in operators},
        "judgings_a_second": judgings / (sum(result["seconds"] for result in results.values()) or 1.0),
    }


def _counts(rows: Sequence[Any]) -> dict[str, int]:
    outcomes = Counter(row[3][0] for row in rows)
    tiers = Counter(row[3][1] for row in rows if row[3][0] == VALUE)
    return {
        "mutants": len(rows),
        **{outcome: outcomes[outcome] for outcome in OUTCOMES},
        **{tier: tiers[tier] for tier in TIERS},
        "stubborn": sum(map(_is_stubborn, rows)),
        "false": len(false_names(rows)),
    }


def _is_stubborn(row: Any) -> bool:
    """Whether a mutant's numbers are told not to follow what is handed in: no line or mistake can be the reason."""
    outcome, tier, said = row[3]
    return outcome == VALUE and not tier and any(words in text for text in said for words in (STAYED, DID_NOT_FOLLOW))


def complaints(results: Mapping[str, Any]) -> list[str]:
    """What must not be: survivors nobody has read, false names, luck, too few explained; and reviews of the dead."""
    found = []
    reviewed = {(one.exercise, one.was, one.now) for one in EQUIVALENT}
    tried = {(name, row[1], row[2]) for name, result in results.items() for row in result["rows"]}
    alive = {(name, row[1], row[2]) for name, result in results.items() for row in survivors(result["rows"])}
    found += [f"{name}: survives unread: {was}  ->  {now}" for name, was, now in sorted(alive - reviewed)]
    dead = sorted(reviewed & tried - alive)
    found += [f"{name}: is listed as equivalent, and does not survive: {was}  ->  {now}" for name, was, now in dead]
    untried = {one for one in reviewed - tried if one[0] in results}
    found += [
        f"{name}: is no mutant any more: {was}  ->  {now}" for name, was, now in sorted(untried - _possible(untried))
    ]
    for name, result in results.items():
        rows = result["rows"]
        found += [f"{name}: survives at one seed only: {row[1]}  ->  {row[2]}" for row in lucky(rows)]
        found += [f"{name}: {row[1]}  ->  {row[2]}: {_contradiction(row)}" for row in false_names(rows)]
    explained, following = _explained([_counts(result["rows"]) for result in results.values()])
    if following >= ENOUGH and explained < EXPLAINED_AT_LEAST * following:
        found.append(f"{explained} of {following} mutants that follow are explained: at least half must be.")
    return found


def _possible(reviews: Collection[tuple[str, str, str]]) -> set[tuple[str, str, str]]:
    """The mutants, by exercise and text, of the answers that reviews are of."""
    names = {name for name, *_ in reviews}
    of = [answer for answer in answers() if answer.exercise.name in names] if names else []
    return {(answer.exercise.name, mutant.was, mutant.now) for answer in of for mutant in _mutants_of(answer)}


def _contradiction(row: Any) -> str:
    """What is said at one seed and not at the other."""
    once, again = set(row[3][2]), set(row[4][2])
    here, there = (" ".join(sorted(said)) or "no more" for said in (once - again, again - once))
    return f"seed 0 says {here}; seed 1 {there}"


def _explained(counts: Sequence[Mapping[str, int]]) -> tuple[int, int]:
    """How many are explained, and how many of those killed by value follow what is handed in."""
    following = sum(count[VALUE] - count["stubborn"] for count in counts)
    return sum(count[tier] for count in counts for tier in TIERS), following


def page(by_version: Mapping[str, Mapping[str, Any]]) -> str:
    """The tables, JAX version by JAX version."""
    parts = [_INTRODUCTION]
    for version, found in by_version.items():
        counts = list(found["exercises"].values())
        explained, following = _explained(counts)
        tried, survive, killed, stubborn, false = (
            sum(count[key] for count in counts) for key in ("mutants", SURVIVED, VALUE, "stubborn", "false")
        )
        parts.append(
            f"JAX {version}: {tried} mutants, {survive} of them survive. {killed} are killed by value; {stubborn} of "
            f"these are told that they don't follow what is handed in, and of the other {following}, {explained} are "
            f"explained ({percent(explained, following)}; {percent(explained, killed)} of all {killed}), {false} "
            f"falsely. {found['judgings_a_second']:.0f} judgings a second in one process."
        )
        parts += [_table("exercise", found["exercises"]), _table("operator", found["operators"])]
    return "\n\n".join([*parts, _equivalent()])


def _table(first: str, counts: Mapping[str, Mapping[str, int]]) -> str:
    header = (first, "mutants", *OUTCOMES, *(f"by {tier}" for tier in TIERS), "stubborn", "false")
    keys = ("mutants", *OUTCOMES, *TIERS, "stubborn", "false")
    total = {key: sum(count[key] for count in counts.values()) for key in keys}
    rows = [(name, *(count[key] or "" for key in keys)) for name, count in [*counts.items(), ("all", total)]]
    return table(header, rows)


def _equivalent() -> str:
    rows = [(one.exercise, f"`{one.was}`", f"`{one.now}`", one.reason) for one in EQUIVALENT]
    return "Survivors, read one by one; each is equivalent:\n\n" + table(("exercise", "was", "is", "reason"), rows)


_INTRODUCTION = """\
One small change of the syntax tree of each solution at a time, judged at seed 0, and at seed 1 too where numbers
decide. *value*: some cotangent has wrong numbers; *by mistake, by line, by slip*: how many of these were explained, by
a mistake of the exercise's catalogue, a line of the primal, or a general slip in every wrong array. *stubborn*: what is
said is that twice what is handed in did not give twice the numbers, of which no line can be the reason. *false*: what
was said at seed 0 is not what is said at seed 1."""
