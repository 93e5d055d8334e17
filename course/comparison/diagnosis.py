"""Why an answer is wrong: a mistake with a name, a line of the primal, known numbers, or the last that is right.

General slips of single arrays are known already. Nothing is said that the numbers of two draws do not support; where
nothing fits, nothing is said.
"""

from __future__ import annotations

from collections.abc import Sequence

from course.comparison.gates.confusions import confused
from course.comparison.gates.explain import explain
from course.comparison.gates.intermediates import known_numbers, last_right
from course.comparison.mistakes import Mistake, Mistaken
from course.comparison.wrong import Wrong
from course.records import Cause


def diagnose(wrong: Wrong, mistakes: Sequence[Mistake] = ()) -> list[Cause]:
    """Explains a wrong answer by the most telling thing that its numbers support.

    Nothing is said of an answer that could be asked at one draw alone.
    """
    if wrong.again is None:
        return []
    mistaken = Mistaken(mistakes, wrong) if mistakes else None
    exact = mistaken.exact() if mistaken else None
    if exact is not None:
        return [exact]
    if not wrong.unexplained:
        return []
    lines = explain(wrong)
    if {path for cause in lines for path in cause.arrays} >= set(wrong.paths_wrong):
        return lines
    if mistaken is not None:
        scaled = mistaken.scaled()
        partly = [scaled] if scaled else mistaken.partly(wrong.unexplained)
        if partly:
            return partly
    if wrong.truth.way.forward:
        return lines
    return lines or known_numbers(wrong, wrong.unexplained) or confused(wrong) or last_right(wrong)
