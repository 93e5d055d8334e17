"""Explains a wrong answer by one line of the primal, or by two where these touch different arrays."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from course.comparison.gates.matching import Match, Search, find_matches
from course.comparison.gates.search import searcher
from course.comparison.gates.sentences import line_sentence, name_sentence
from course.comparison.slips import Context, known_factor
from course.comparison.study import study
from course.comparison.ways import Way
from course.comparison.wrong import Wrong
from course.records import Cause


def explain(wrong: Wrong) -> list[Cause]:
    """Finds the lines that explain an answer at every draw; empty where none does."""
    search = _search(wrong)
    if search is None:
        return []
    paths, context = wrong.paths, wrong.context
    matches = find_matches(
        search,
        [place for place, path in enumerate(paths) if path in wrong.unexplained],
        wrong.tolerance,
        lambda factor: known_factor(factor, context) is not None,
        frozenset(place for place, path in enumerate(paths) if path in wrong.stubborn),
    )
    return [
        _cause(
            match, wrong.truth.way, context, [path for path in wrong.paths_wrong if paths.index(path) in match.arrays]
        )
        for match in matches
    ]


def _cause(match: Match, way: Way, context: Context, arrays: Sequence[str]) -> Cause:
    value = name_sentence(match, way, lambda factor: "".join(known_factor(factor, context) or ()))
    line = line_sentence(match, way)
    return Cause("line", f"{line} {value}", tuple(arrays), line, value)


def _search(wrong: Wrong) -> Search | None:
    """Searches under custom rules first; where these say another derivative than what is under them, above them."""
    for deep in (True, False):
        ready = searcher(study(wrong.point), wrong.truth.way, deep)
        if not ready.tried:
            return None
        try:
            return Search(ready.products(wrong), [partial(ready.products, draw) for draw in wrong.draws[1:]])
        except ValueError:
            continue
    return None
