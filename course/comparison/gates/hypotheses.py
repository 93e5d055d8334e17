"""The single things that can be wrong, each as the settings of a replay."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from course.comparison.gates.edges import Edge, Rule, Survey
from course.comparison.gates.replay import SLOPES, Settings, When
from course.comparison.gates.uses import named_uses

MULTIPLIERS = (0.0, -1.0, 2.0)
"""Missing, of the wrong sign, counted twice: what a path is multiplied by in most mistakes."""


@dataclass(frozen=True)
class Hypothesis:
    """One thing wrong: some edges' multiplier, or one choice for some rules.

    With `affine`, the answer may be any multiple of the difference that the settings make: the multiplier is found by
    fitting. `uses` says how many uses of the same expression there are, `use` which one is meant, 0 for all of them;
    `named` tells that use from the others, where it has a name.
    """

    edges: tuple[Edge, ...] = ()
    multiplier: float = 0.0
    rules: tuple[Rule, ...] = ()
    choice: int = 0
    when: When = When.ALWAYS
    affine: bool = False
    kept: str = ""
    use: int = 0
    uses: int = 1
    named: str = ""

    @property
    def is_of_one_number(self) -> bool:
        """Whether it may be any multiple of the cotangent of a single number."""
        return self.affine and all(not edge.value.shape for edge in self.edges)

    @property
    def follows(self) -> bool:
        """Whether twice the cotangent gives twice the answer."""
        instead = self.choice - len(SLOPES) - 1
        return not any(instead >= 0 and rule.instead[instead].kind == "cotangent" for rule in self.rules)


def hypotheses(found: Survey) -> list[Hypothesis]:
    """All of them; what is likelier to be meant comes first."""
    return [*_of_edges(found.edges), *_of_uses(found.edges), *_of_rules(found.rules)]


def settings_of(rows: Sequence[Hypothesis], found: Survey) -> Settings:
    """The settings of many hypotheses, one a row."""
    edge_number = {edge: i for i, edge in enumerate(found.edges)}
    rule_number = {rule: i for i, rule in enumerate(found.rules)}
    gates = np.ones((len(rows), len(found.edges)))
    rules = np.zeros((len(rows), len(found.rules)), np.int64)
    for row, hypothesis in enumerate(rows):
        gates[row, [edge_number[edge] for edge in hypothesis.edges]] = hypothesis.multiplier
        rules[row, [rule_number[rule] for rule in hypothesis.rules]] = hypothesis.choice
    return Settings(gates, rules, np.array([int(hypothesis.when) for hypothesis in rows]))


def _of_edges(edges: Sequence[Edge]) -> Iterator[Hypothesis]:
    groups = _groups(edges)
    names = {key: named_uses([edge.step for edge in group]) for key, group in groups.items()}
    for edge in reversed(edges):  # the one nearest the output stands for a chain
        group = groups[_key(edge)]
        use, named = group.index(edge), names[_key(edge)][group.index(edge)]
        one = Hypothesis((edge,), use=use + 1 if len(group) > 1 else 0, uses=len(group), named=named)
        if not edge.loops:
            yield replace(one, affine=True)
            continue
        yield from (replace(one, multiplier=multiplier) for multiplier in MULTIPLIERS)
        yield from (replace(one, when=when) for when in When if when is not When.ALWAYS)


def _of_uses(edges: Sequence[Edge]) -> Iterator[Hypothesis]:
    """All uses of one expression together, and only the first or the last one kept."""
    for group in _groups(edges).values():
        if len(group) > 1:
            yield from (Hypothesis(tuple(group), multiplier, uses=len(group)) for multiplier in MULTIPLIERS)
            yield Hypothesis(tuple(group[1:]), kept="first", uses=len(group))
            yield Hypothesis(tuple(group[:-1]), kept="last", uses=len(group))


def _groups(edges: Sequence[Edge]) -> dict[tuple[object, ...], list[Edge]]:
    groups = defaultdict(list)
    for edge in edges:
        groups[_key(edge)].append(edge)
    return groups


def _key(edge: Edge) -> tuple[object, ...]:
    if edge.step.place is None:
        return (id(edge),)
    return (edge.step.place, edge.step.name, edge.operand)


def _of_rules(rules: Sequence[Rule]) -> Iterator[Hypothesis]:
    groups = defaultdict(list)
    for rule in rules:
        groups[(rule.step.place or rule, rule.step.name)].append(rule)
    for group in groups.values():
        slopes = len(SLOPES) if group[0].operand is not None else 0
        yield from (
            Hypothesis(rules=tuple(group), choice=choice, uses=len(group))
            for choice in range(1, slopes + 1)
            if len(group) > 1
        )
        for use, (rule, named) in enumerate(zip(group, named_uses([rule.step for rule in group]), strict=True), 1):
            instead = range(len(SLOPES) + 1, len(SLOPES) + len(rule.instead) + 1)
            for choice in (*range(1, slopes + 1), *instead):
                number = use if len(group) > 1 else 0
                yield Hypothesis(rules=(rule,), choice=choice, use=number, uses=len(group), named=named)
