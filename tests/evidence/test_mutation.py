"""What is counted of a mutant: what kills it, what explains it, and whether the other seed agrees."""

import ast

import pytest

from course.exercises.tasks.findings import find_out
from course.records import Agreement, Cause, Comparison, Entry, Slip
from evidence import fares, mutation
from evidence.fares import Seen, judge_mutants, see
from evidence.mutants import Mutant, mutants
from evidence.mutation import complaints, summary


@pytest.fixture(scope="module")
def square():
    return next(answer for answer in fares.answers() if answer.exercise.name == "chain_rule.square")


@pytest.fixture(scope="module")
def judged(square):
    (function,) = square.functions
    return judge_mutants(square, list(mutants(function)), lambda: None)


def test_every_pair_of_the_course_has_an_answer_that_is_mutated():
    names = {answer.exercise.name: answer for answer in fares.answers()}
    assert {"chain_rule.square", "losses.softmax_cross_entropy", "mlp.mlp_loss"} <= set(names)
    assert all(len(answer.functions) == len(answer.exercise.task.names) for answer in names.values())


def test_every_mutant_of_a_square_is_killed_but_the_one_that_is_equivalent(judged):
    alive = [row[:3] for row in judged["rows"] if row[3].outcome == "survived"]
    assert alive == [["name", "x_bar = y_bar * 2 * x", "x_bar = y_bar * 2 * residuals"]]
    (survivor,) = (row[:3] for row in judged["rows"] if row[3].outcome == "survived")
    assert complaints({"chain_rule.square": {**judged, "rows": [[*survivor, Seen("shape"), Seen("shape")]]}}) == [
        "chain_rule.square: is listed as equivalent, and does not survive: "
        "x_bar = y_bar * 2 * x  ->  x_bar = y_bar * 2 * residuals"
    ]


def test_the_counts_add_up(judged):
    counts = summary({"chain_rule.square": judged})["exercises"]["chain_rule.square"]
    assert counts["mutants"] == len(judged["rows"]) == sum(counts[outcome] for outcome in fares.OUTCOMES)


def test_an_answer_that_is_not_right_is_not_mutated(square):
    broken = square._replace(values={**square.values, "square_bwd": lambda residuals, y_bar: (y_bar,)})
    with pytest.raises(ValueError, match="must be right at seed 0"):
        judge_mutants(broken, [], lambda: None)


def test_one_that_never_ends_is_killed(square, monkeypatch):
    monkeypatch.setattr(fares, "LONGEST", 0.2)
    (endless,) = ast.parse("def square_bwd(residuals, y_bar):\n    while True:\n        pass").body
    assert fares._seen(square, Mutant("", "", "", endless), 0) == Seen("exception")


def found(*arrays, causes=()):
    return find_out(Comparison("", "", (), arrays, (), (), (), (), "float64", 0, "", causes=causes))


def wrong(path, slip=None):
    return Agreement(path, (3,), "float64", False, 1.0, slip=slip, worst=Entry((0,), 1.0, 2.0))


SIGN = Slip("sign", "It is turned.", "")
LINE = Cause("line", "", ("x_bar",), "Through a line.", "")


@pytest.mark.parametrize(
    "findings, tier",
    [
        (found(wrong("x_bar")), ""),
        (found(wrong("x_bar", SIGN)), "slip"),
        (found(wrong("x_bar", SIGN), wrong("w_bar")), ""),
        (found(wrong("x_bar"), causes=(LINE,)), "line"),
        (found(wrong("x_bar"), wrong("w_bar"), causes=(LINE,)), ""),
        (found(wrong("x_bar"), wrong("w_bar", SIGN), causes=(LINE,)), "line"),
    ],
)
def test_it_is_explained_when_every_wrong_array_is(findings, tier):
    seen = see(findings)
    assert (seen.outcome, seen.tier) == ("value", tier)


def row(first, second, was="x_bar = a", now="x_bar = b"):
    return ["name", was, now, Seen(*first), Seen(*second)]


def said(*rows):
    return complaints({"none.such": {"rows": list(rows)}})


def test_what_the_other_seed_denies_is_a_false_name():
    same, other = ("value", "slip", ("3 times",)), ("value", "slip", ("4 times",))
    assert said(row(same, same)) == []
    (complaint,) = said(row(same, other))
    assert "seed 0 says 3 times; seed 1 4 times" in complaint


def test_an_unread_survivor_and_luck_are_complained_of():
    (unread,) = said(row(("survived",), ("survived",)))
    assert unread == "none.such: survives unread: x_bar = a  ->  x_bar = b"
    (luck,) = said(row(("survived",), ("value", "slip", ())))
    assert luck.startswith("none.such: survives at one seed only")


def test_too_few_explained_is_complained_of():
    silent, explained = row(("value", "", ()), ("value", "", ())), row(("value", "line", ()), ("value", "line", ()))
    assert said(*[silent] * 50, *[explained] * 50) == []
    text = said(*[silent] * 51, *[explained] * 50)
    assert text == ["50 of 101 mutants that follow are explained: at least half must be."]
    assert said(silent) == []


def test_what_is_told_not_to_follow_is_counted_apart():
    told = ("value", "", ("x_bar: Twice the y_bar must give twice the cotangents: x_bar stayed the same.",))
    explained, silent = ("value", "line", ()), ("value", "", ())
    assert said(*[row(told, told)] * 200, *[row(explained, explained)] * 50, *[row(silent, silent)] * 50) == []
    counts = mutation._counts([row(told, told), row(explained, explained), row(silent, silent)])
    assert (counts["value"], counts["stubborn"], counts["line"]) == (3, 1, 1)


def test_a_review_of_what_is_no_mutant_is_complained_of(monkeypatch):
    review = mutation.EQUIVALENT[0]._replace(now="x_bar = y_bar * 7 * x")
    monkeypatch.setattr(mutation, "EQUIVALENT", (review,))
    found = complaints({"chain_rule.square": {"rows": []}})
    assert found == [f"chain_rule.square: is no mutant any more: {review.was}  ->  {review.now}"]
