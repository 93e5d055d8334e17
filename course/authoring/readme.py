"""The part of README.md that is made: the syllabus as a table, between two marks."""

from __future__ import annotations

from pathlib import Path

from course.authoring.checkout import Checkout, stem_of
from course.lessons import SYLLABUS

BEGIN, END = "<!-- the syllabus -->", "<!-- the end of the syllabus -->"


def readme_of(checkout: Checkout) -> Path:
    """Where the README is."""
    return checkout.root / "README.md"


def with_syllabus(text: str) -> str:
    """The README with the table that the syllabus gives now.

    Raises:
        ValueError: The marks are not there.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"README.md needs a line {BEGIN} and, after it, a line {END}.")
    return f"{before}{BEGIN}\n{_table()}\n{END}{after}"


def write_readme(checkout: Checkout) -> bool:
    """Brings the README up to date; says whether it changed."""
    path = readme_of(checkout)
    old = path.read_text(encoding="utf-8")
    new = with_syllabus(old)
    if new != old:
        path.write_text(new, encoding="utf-8", newline="\n")
    return new != old


def _table() -> str:
    rows = [
        f"| [{row.title}](notebooks/{stem_of(row.name)}.ipynb) | `{row.name}` | "
        f"{', '.join(f'`{need}`' for need in row.needs) or 'school calculus'} | {row.minutes} | {row.track} |"
        for row in SYLLABUS
    ]
    return "\n".join(["| lesson | name | needs | minutes, about | track |", "| --- | --- | --- | ---: | --- |", *rows])
