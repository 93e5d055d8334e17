"""An exhibit as text and as a card: what went in, the right numbers beside the wrong ones, and the options."""

from __future__ import annotations

import dataclasses
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from course.records import Exhibit
from course.show import arrays, blocks, faces
from course.show.html import frame, paragraph, text_of

WIDTH = 88
"""Columns of the text."""


def exhibit_text(exhibit: Exhibit) -> str:
    """The exhibit in plain text."""
    return "\n".join([f"{exhibit.title} · {exhibit.question}", "", *_lines(_in_tables(exhibit))])


def exhibit_card(exhibit: Exhibit) -> str:
    """The exhibit as HTML."""
    exhibit = _in_tables(exhibit)
    parts = [
        paragraph(_whose(exhibit)),
        _given(exhibit.inputs),
        *(_compared(name, exhibit) for name in _names(exhibit)),
        paragraph("What was done there?"),
        '<dl class="hg-case">',
        *(f"<dt>({label})</dt><dd>{text_of(text)}</dd>" for label, text in exhibit.options.items()),
        "</dl>",
        paragraph(f"Answer: `{to_answer(exhibit)}`, with the label of your option.", "hg-soft"),
    ]
    return frame(faces.ASKED, exhibit.title, "", f"draw {exhibit.draw}", parts, exercise=exhibit.question)


def to_answer(exhibit: Exhibit) -> str:
    """What answers the question, if the first option is it."""
    return f'course.answer("{exhibit.question}", "{next(iter(exhibit.options))}")'


def _whose(exhibit: Exhibit) -> str:
    return " ".join(filter(None, (f"Somebody's `{exhibit.whose}`, at these inputs.", exhibit.note)))


def _in_tables(exhibit: Exhibit) -> Exhibit:
    """The same exhibit with no array of more than two axes."""
    inputs, right, theirs = (
        {part: table for name, value in values.items() for part, table in _sliced(name, value)}
        for values in (exhibit.inputs, exhibit.right, exhibit.theirs)
    )
    return dataclasses.replace(exhibit, inputs=inputs, right=right, theirs=theirs)


def _sliced(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """An array with more than two axes as several, each with the place that it has in it."""
    if getattr(value, "ndim", 0) <= 2:
        yield name, value
        return
    for place, part in enumerate(value):
        yield from _sliced(f"{name}[{place}]", part)


def _names(exhibit: Exhibit) -> list[str]:
    """All arrays that came out, those of a wrong structure included."""
    return list(dict.fromkeys([*exhibit.right, *exhibit.theirs]))


def _lines(exhibit: Exhibit) -> Iterator[str]:
    yield from (f"  {line}" for line in textwrap.wrap(_whose(exhibit).replace("`", ""), WIDTH - 2))
    yield ""
    numbers = {name: value for name, value in exhibit.inputs.items() if _is_large(value)}
    for name, value in exhibit.inputs.items():
        if name not in numbers:
            yield from _told(name, value)
    flow = blocks.flowing([blocks.block(name, blocks.cells(value)) for name, value in numbers.items()], WIDTH - 4)
    yield from (f"    {line}" if line else "" for line in flow)
    for name in _names(exhibit):
        yield ""
        yield from _compared_lines(name, exhibit)
    yield ""
    yield "  What was done there?"
    for label, text in exhibit.options.items():
        lead = f"    ({label}) "
        yield from textwrap.wrap(text, WIDTH, initial_indent=lead, subsequent_indent=" " * len(lead))
    yield ""
    yield f"  Answer: {to_answer(exhibit)}, with the label of your option."


def _is_large(value: Any) -> bool:
    """Whether a value is worth a block of its own."""
    return blocks.is_numbers(value) and getattr(value, "ndim", 0) > 0


def _told(name: str, value: Any) -> list[str]:
    """A single number, or a text that may have several lines."""
    first, *rest = str(value).split("\n") if isinstance(value, str) else [arrays.array(value)]
    return [f"    {name} = {first}", *(f"    {' ' * len(name)}   {line}" for line in rest)]


def _compared_lines(name: str, exhibit: Exhibit) -> list[str]:
    right, theirs, same = _both(name, exhibit)
    if same:
        found = [blocks.block(f"{name}, right, and theirs is the same", right)]
    else:
        found = [
            blocks.block(f"{name}, {word}", rows or [["missing"]])
            for word, rows in (("right", right), ("theirs", theirs))
        ]
    return [f"    {line}" if line else "" for line in blocks.flowing(found, WIDTH - 4)]


def _both(name: str, exhibit: Exhibit) -> tuple[list[list[str]], list[list[str]], bool]:
    """The right numbers and theirs as text, none where there are none, and whether they read the same."""
    values = [(of.get(name)) for of in (exhibit.right, exhibit.theirs)]
    known = [value for value in values if value is not None]
    right, theirs = ([] if value is None else blocks.cells(value, known) for value in values)
    return right, theirs, right == theirs


def _given(inputs: Mapping[str, Any]) -> str:
    tables = "".join(_table(name, blocks.cells(value)) for name, value in inputs.items() if _is_large(value))
    told = "".join(
        f"<dt>{text_of(name)}</dt><dd><code>{text_of(_plain(value))}</code></dd>"
        for name, value in inputs.items()
        if not _is_large(value)
    )
    return (f'<dl class="hg-case">{told}</dl>' if told else "") + _flow(tables)


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else arrays.array(value)


def _compared(name: str, exhibit: Exhibit) -> str:
    right, theirs, same = _both(name, exhibit)
    if same:
        return _flow(_table(f"{name}, right, and theirs is the same", right))
    marks = blocks.differing(theirs, right)
    return _flow(
        _table(f"{name}, right", right or [["missing"]]) + _table(f"{name}, theirs", theirs or [["missing"]], marks)
    )


def _flow(tables: str) -> str:
    return f'<div class="hg-flow">{tables}</div>' if tables else ""


def _table(name: str, rows: list[list[str]], marks: list[list[bool]] | None = None) -> str:
    body = "".join(
        f"<tr>{''.join(_cell(text, bool(marks and marks[i][j])) for j, text in enumerate(row))}</tr>"
        for i, row in enumerate(rows)
    )
    table = f'<table class="hg-numbers" aria-label="{text_of(name)}"><tbody>{body}</tbody></table>'
    return f'<div><p class="hg-name">{text_of(name)}</p>{table}</div>'


def _cell(text: str, marked: bool) -> str:
    opening = '<td class="hg-wrong">' if marked else "<td>"
    return f"{opening}{text_of(text)}</td>"
