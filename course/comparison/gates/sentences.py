"""What is said of a match: which line, what kind of mistake, and at last which value of the line."""

from __future__ import annotations

from collections.abc import Callable

from course.comparison.gates.edges import Edge, Rule
from course.comparison.gates.hypotheses import Hypothesis
from course.comparison.gates.matching import Match
from course.comparison.gates.places import Place
from course.comparison.gates.replay import SLOPES, When
from course.comparison.gates.tape import Value
from course.comparison.ways import Way

_DONE = {0.0: "is missing", -1.0: "has the wrong sign", 2.0: "is counted twice"}

_WHEN = {
    When.FIRST: "in the first round of the loop",
    When.LAST: "in the last round of the loop",
    When.NOT_FIRST: "in every round of the loop but the first",
    When.NOT_LAST: "in every round of the loop but the last",
}

_SLOPES = {
    "missing": "is left out",
    "result": "is taken to be the result itself",
    "argument": "is taken to be the argument itself",
    "squared": "is applied twice",
    "complement": "is taken to be 1 minus itself",
    "1 - x**2": "is written for the result, and taken at the argument",
    "x * (1 - x)": "is written for the result, and taken at the argument",
    "upstream": "is decided by the sign of the {handed}, not of the argument",
}

_INSTEAD = {
    "ones": "`{own}` is left out",
    "reciprocal": "It is divided by `{own}` where it is multiplied by it, or the other way round",
    "transposed": "`{own}` and its transpose are exchanged",
    "result": "`{result}` stands where `{own}` belongs",
    "cotangent": "The {handed} that comes{back} stands where `{own}` belongs",
    "later": "`{own}` as a round leaves it stands where `{own}` as it enters the round belongs",
    "overwritten": "Where a place of `{own}` is read twice, the last cotangent overwrites the rest: all must be added",
    "averaged": "Where a place of `{own}` is read twice, the mean of the cotangents is taken: all must be added",
}


def line_sentence(match: Match, way: Way) -> str:
    """What kind of mistake it is, and at which line of the primal."""
    hypothesis = match.hypothesis
    line = f"`{statement}`" if (statement := _statement(hypothesis)) else "the primal"
    if hypothesis.rules and hypothesis.choice <= len(SLOPES):
        return f"The numbers fit: another derivative was taken in {line}."
    if hypothesis.rules:
        what = "cotangents were not added" if hypothesis.rules[0].step.name == "gather" else "another value was used"
        return f"The numbers fit: {what} on the way{_back(way)} through {line}."
    done = "is multiplied by what does not belong there" if match.varies else _done(match.factor)
    return f"The numbers fit: a path{_back(way)} through {line} {done}."


def name_sentence(match: Match, way: Way, factor_name: Callable[[float], str]) -> str:
    """Which value of the line it is about; empty where nothing more can be said.

    Args:
        match: The match.
        way: In which mode the answer differentiates.
        factor_name: What a factor is called; empty for one that mistakes are not made of.
    """
    hypothesis = match.hypothesis
    if hypothesis.rules:
        return _rule_sentence(hypothesis, hypothesis.rules[0], way)
    edge = hypothesis.edges[0]
    name = _called(edge)
    if not name:
        return ""
    where = _where(hypothesis)
    if match.factor == 0.0:
        return f"It is the path through `{name}`, as if that were a constant{where}."
    if match.factor in _DONE:
        return f"It is the path through `{name}`{where}."
    if match.varies:
        return f"It is the path through `{name}`{where}, multiplied by something that changes with the inputs."
    factor = factor_name(match.factor) or f"{match.factor:.6g}"
    return f"It is the path through `{name}`{where}, multiplied by {factor}."


def _back(way: Way) -> str:
    return "" if way.forward else " back"


def _done(factor: float) -> str:
    return _DONE.get(factor, "is multiplied by a number that does not belong there")


def _statement(hypothesis: Hypothesis) -> str:
    steps = [edge.step for edge in hypothesis.edges] + [rule.step for rule in hypothesis.rules]
    place: Place | None = steps[0].place
    return place.statement if place else ""


def _called(edge: Edge) -> str:
    """What the value on an edge is called; nothing for one inside the very expression."""
    return edge.value.name


def _where(hypothesis: Hypothesis) -> str:
    if hypothesis.when is not When.ALWAYS:
        return f" {_WHEN[hypothesis.when]}"
    if hypothesis.kept:
        return f" in every use of this line but the {hypothesis.kept}"
    if hypothesis.use:
        which = f" ({hypothesis.named})" if hypothesis.named else ""
        return f" in use {hypothesis.use} of {hypothesis.uses} of this line{which}"
    if hypothesis.uses > 1:
        return f" in all {hypothesis.uses} uses of this line"
    return " in every round of the loop" if hypothesis.edges and hypothesis.edges[0].loops else ""


def _rule_sentence(hypothesis: Hypothesis, rule: Rule, way: Way) -> str:
    where = _where(hypothesis)
    if hypothesis.choice <= len(SLOPES):
        name = rule.step.place.text if rule.step.place else rule.step.name
        slope = _SLOPES[SLOPES[hypothesis.choice - 1][0]].format(handed=way.handed)
        return f"The derivative of `{name}`{where} {slope}."
    option = rule.instead[hypothesis.choice - len(SLOPES) - 1]
    right = rule.step.inputs[option.place]
    own = right.name if isinstance(right, Value) else ""
    if not own:
        return ""
    if option.kind != "other" or option.value is None:
        words = {"own": own, "result": rule.step.outputs[0].name, "handed": way.handed, "back": _back(way) or " in"}
        return f"{_INSTEAD[option.kind].format(**words)}{where}."
    given = option.value.name
    return f"`{given}` stands where `{own}` belongs{where}." if given and given != own else ""
