"""Explains wrong cotangents by one line of the primal, or by two where these touch different arrays."""

from __future__ import annotations

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np

from course.comparison.agreement import scales_in
from course.comparison.gates.matching import Match, find_matches
from course.comparison.gates.search import Products, searcher
from course.comparison.gates.sentences import line_sentence, name_sentence
from course.comparison.oracle import Truth
from course.comparison.point import Point
from course.comparison.precision import Precision
from course.comparison.slips import Context, known_factor
from course.comparison.study import study
from course.comparison.trees import Matched
from course.records import Cause


def explain(
    point: Point, truth: Truth, rows: Sequence[Matched], precision: Precision, asked: Sequence[str]
) -> list[Cause]:
    """Finds what explains an answer; empty where nothing does.

    Args:
        point: The point of judgement, in the precision of judgement.
        truth: The oracles' answer there.
        rows: The answer's arrays that have a tangent, as they came.
        precision: How exactly they were judged.
        asked: The wrong arrays that need an explanation, where not all can be given one.
    """
    paths = [path for path, _ in point.floating()]
    context = Context(dict(zip(paths, truth.reverse, strict=True)), {}, point.sizes(), precision)
    errors, wrong = _errors(paths, rows, truth, precision)
    found = _products(point, truth, errors, precision) if wrong else None
    if found is None:
        return []
    whole, alone = [paths[place] for place in wrong], [place for place in wrong if paths[place] in asked]
    matches = find_matches(found, alone, context.tolerance, lambda factor: known_factor(factor, context) is not None)
    return [_cause(match, context, [path for path in whole if paths.index(path) in match.arrays]) for match in matches]


def _cause(match: Match, context: Context, arrays: Sequence[str]) -> Cause:
    value = name_sentence(match, lambda factor: "".join(known_factor(factor, context) or (f"{factor:.6g}",)))
    line = line_sentence(match)
    return Cause("line", f"{line} {value}", tuple(arrays), line, value)


def _errors(
    paths: Sequence[str], rows: Sequence[Matched], truth: Truth, precision: Precision
) -> tuple[list[np.ndarray], list[int]]:
    """Answer minus truth for every array of the point, relative to its scale; and the places of those that are wrong.

    An array that was not asked for, or came in the wrong shape or not finite, is left out: it explains nothing.
    """
    given = {row.path: np.asarray(row.given, np.float64) for row in rows}
    errors, wrong = [], []
    for place, (path, right, scale) in enumerate(
        zip(paths, truth.reverse, scales_in(precision, truth.reverse), strict=True)
    ):
        error = np.zeros(right.shape)
        if path in given and given[path].shape == right.shape and np.all(np.isfinite(given[path])):
            error = (given[path] - right) / scale
            if not np.linalg.norm(error) <= precision.tolerance:
                wrong.append(place)
        errors.append(error)
    return errors, wrong


def _products(point: Point, truth: Truth, errors: Sequence[np.ndarray], precision: Precision) -> Products | None:
    """Searches under custom rules first; where these say another derivative than what is under them, above them."""
    scales = scales_in(precision, truth.reverse)
    right = [(jnp.asarray(array), scale) for array, scale in zip(truth.reverse, scales, strict=True)]
    for deep in (True, False):
        ready = searcher(study(point), deep)
        if not ready.tried:
            return None
        try:
            return ready.products(point.primals, truth.y_bar, jax.tree.map(jnp.asarray, list(errors)), right)
        except ValueError:
            continue
    return None
