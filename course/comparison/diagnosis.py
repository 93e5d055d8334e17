"""Why an answer is wrong: a mistake with a name, else a line of the primal, else mistakes in single arrays.

General slips of single arrays are known already. Nothing is said that the numbers do not support; where nothing fits,
nothing is said.
"""

from __future__ import annotations

from collections.abc import Sequence

from course.comparison.gates.explain import explain
from course.comparison.mistakes import Mistake, Mistaken
from course.comparison.oracle import Truth
from course.comparison.point import Point
from course.comparison.precision import Precision
from course.comparison.slips import naming_tolerance
from course.comparison.trees import Matched
from course.records import Agreement, Cause

OPEN_SLIPS = frozenset({"zero", "sign"})
"""Slips that tell what came but not which path it came by; every other one is explanation enough."""


def diagnose(
    point: Point,
    truth: Truth,
    rows: Sequence[Matched],
    arrays: Sequence[Agreement],
    precision: Precision,
    mistakes: Sequence[Mistake] = (),
) -> list[Cause]:
    """Explains an answer that is wrong in reverse mode.

    Args:
        point: The point of judgement, in the precision of judgement.
        truth: The oracles' answer there.
        rows: The answer's arrays that have a tangent, as they came.
        arrays: What is known of each of them.
        precision: How exactly they were judged.
        mistakes: The mistakes with a name.
    """
    wrong = [array for array in arrays if not array.right]
    alike = (
        len(wrong) > 1 and len({array.slip and array.slip.text for array in wrong}) == 1 and wrong[0].slip is not None
    )
    unexplained = [array.path for array in wrong if array.slip is None or array.slip.kind in OPEN_SLIPS]
    mistaken = Mistaken(mistakes, point, truth, rows, naming_tolerance(precision)) if mistakes else None
    exact = mistaken.exact() if mistaken else None
    if exact is not None:
        return [exact]
    if alike or not unexplained:
        return []
    lines = explain(point, truth, rows, precision, unexplained)
    explained = {path for cause in lines for path in cause.arrays}
    if explained >= {array.path for array in wrong} or mistaken is None:
        return lines
    scaled = mistaken.scaled()
    return [scaled] if scaled else mistaken.partly(unexplained) or lines
