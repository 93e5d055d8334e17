"""The table of a class, one row a student, and a page of feedback for each."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from course.grading.cohort.roster import Handed
from course.show import words

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula."""

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>:root {{ color-scheme: light dark; }}
body {{ font: 15px/1.5 system-ui, sans-serif; max-width: 800px; margin: 2em auto; padding: 0 1em; }}
p.soft {{ color: #63686e; font-size: 13px; }}</style></head>
<body><h1>{title}</h1><p>{score}</p>{notes}
{cards}
<p class="soft">{end}</p></body></html>
"""


def table(
    handed: Sequence[Handed],
    records: Mapping[str, Any],
    exercises: Sequence[str],
    marked: Mapping[str, Mapping[str, float]] | None = None,
    texts: Sequence[str] = (),
) -> str:
    """The table as CSV: points by exercise, those for cost apart, and what is odd about a submission.

    Where `texts` are asked for, `marked` are the points that a person gave for them, by student; they stand apart, too.
    """
    given = marked or {}
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    costly = [name for name in exercises if _possible_cost(records, name)]
    marks = [column for name in exercises for column in (name, *([f"{name} cost"] if name in costly else []))]
    writer.writerow(
        [
            "student",
            "submission",
            "points",
            "of",
            "cost",
            "cost of",
            *marks,
            *(["marked", *texts] if texts else []),
            "to look at",
        ]
    )
    for one in handed:
        verdicts = verdicts_of(records.get(one.student))
        earned = {**{name: v["points"] for name, v in verdicts.items()}}
        earned |= {f"{name} cost": v["cost_points"] for name, v in verdicts.items()}
        sums = [_sum(verdicts, key) for key in ("points", "possible", "cost_points", "cost_possible")]
        odd = "; ".join(filter(None, (one.problem, one.remark)))
        cells = [words.points(earned[column]) if column in earned else "" for column in marks]
        own = given.get(one.student, {})
        by_hand = [words.points(own[name]) if name in own else "" for name in texts]
        total = [words.points(sum(own[name] for name in texts if name in own))] if texts else []
        writer.writerow([_plain(one.student), one.digest[:12], *sums, *cells, *total, *by_hand, _plain(odd)])
    return out.getvalue()


def verdicts_of(record: Mapping[str, Any] | None) -> dict[str, dict[str, Any]]:
    """The verdicts of a student, by exercise; none where nothing was judged."""
    return {told["verdict"]["exercise"]: told["verdict"] for told in (record or {}).get("exercises", ())}


def write_pages(folder: Path, handed: Iterable[Handed], records: Mapping[str, Any]) -> None:
    """Writes a page for each student: the very verdicts that a learner sees, drawn by the same hand."""
    folder.mkdir(parents=True, exist_ok=True)
    for one in handed:
        page = _page(one, records.get(one.student))
        (folder / f"{one.student}.html").write_text(page, encoding="utf-8")


def _page(one: Handed, record: Mapping[str, Any] | None) -> str:
    verdicts = verdicts_of(record)
    sums = {key: _sum(verdicts, key) for key in ("points", "possible", "cost_points", "cost_possible")}
    cost = f", and {sums['cost_points']} of {sums['cost_possible']} for cost" if sums["cost_possible"] != "0" else ""
    notes = "".join(f"<p>{escape(text)}.</p>" for text in (one.problem,) if text)
    cards = "\n".join(told["html"] for told in (record or {}).get("exercises", ()))
    end = f"submission {one.digest[:12]} · JAX {record['jax_version']}" if record else "nothing was judged"
    score = f"{sums['points']} of {sums['possible']} points{cost}" if record else "No points"
    return _PAGE.format(title=escape(one.student), score=score, notes=notes, cards=cards, end=escape(end))


def _sum(verdicts: Mapping[str, Mapping[str, Any]], key: str) -> str:
    return words.points(sum(verdict[key] for verdict in verdicts.values())) if verdicts else "0"


def _possible_cost(records: Mapping[str, Any], name: str) -> float:
    found = [verdicts[name] for record in records.values() if name in (verdicts := verdicts_of(record))]
    return max((verdict["cost_possible"] for verdict in found), default=0)


def _plain(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text
