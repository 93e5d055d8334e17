"""Verdicts and comparisons as text: plain for `print`, pytest and nbgrader, coloured for a terminal.

    ✗ affine   w_bar is wrong · x_bar and b_bar are right                      4/6
      The numbers match transposed.
      Next: fix it and run again

One drawing serves both: the plain text is what a console without colours gets.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterable, Sequence

from rich.box import SIMPLE_HEAD, Box
from rich.console import Console, JustifyMethod
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from course.records import Comparison, Feedback, Status, Verdict
from course.show import arrays, faces, rows, words
from course.show.page import INDENT, QUIET, Page, side_by_side

WIDTH = 80
"""Columns of a verdict, on a wider terminal too: longer lines are hard to read."""
MOST_LINES = 8
"""Lines of a verdict when nothing more is asked for; what the learner printed comes after them."""

_WIDEST_OVERVIEW = 100
_STATUS = max(len(f"{face.glyph} {face.word}") for face in [faces.OURS, *faces.FACES.values()])
_PRINTED_LINES = 8
"""Last lines of the learner's output that are shown."""
_BAR, _NARROW_BAR = 14, 6
"""Characters of the longest bar, on a page of the usual width and on a narrower one."""
_GAP, _LEAST_HEADLINE = 2, 4
"""Columns between those of the overview, and those of its headlines on the narrowest page."""
_ASCII_HEAD = Box(str(SIMPLE_HEAD).replace("─", "-"), ascii=True)


def verdict_text(
    verdict: Verdict,
    *,
    why: bool = False,
    cost: bool = False,
    width: int = WIDTH,
    encoding: str | None = None,
) -> str:
    """The verdict in plain text, spelled for `encoding` (by default that of standard output)."""
    return _plain(lambda console: print_verdict(console, verdict, why=why, cost=cost), width, encoding)


def comparison_text(comparison: Comparison, *, width: int = WIDTH, encoding: str | None = None) -> str:
    """The comparison in plain text, spelled for `encoding` (by default that of standard output)."""
    return _plain(lambda console: print_comparison(console, comparison), width, encoding)


def overview_text(verdicts: Sequence[Verdict], *, width: int = WIDTH, encoding: str | None = None) -> str:
    """The overview in plain text, spelled for `encoding` (by default that of standard output)."""
    return _plain(lambda console: print_overview(console, verdicts), width, encoding)


def print_verdict(console: Console, verdict: Verdict, *, why: bool = False, cost: bool = False) -> None:
    """Prints a verdict.

    Args:
        console: where to; its width, colours and encoding are honoured.
        verdict: what to print.
        why: adds every array and check with its error, and all that the judge said.
        cost: adds what each way to the derivative costs.
    """
    page = Page(console, WIDTH)
    face = faces.of_verdict(verdict)
    head = page.head(face, verdict.title, faces.headline(face, verdict.headline), faces.score(verdict))
    example = _example(page, verdict)
    end = page.sentence(verdict.next, label="Next:") if verdict.next else []
    body = [page.sentence(line) for line in verdict.lines]
    room = MOST_LINES - len(head) - len(end)
    if not why and verdict.status is not Status.HANDED_IN:
        more = page.text(f"{INDENT}… more: {words.command(f'check {verdict.exercise} --why')}", QUIET)
        body = _fitted(body, example, room, more)
        example = []
    page.put([*head, *_joined(body), *example, *end])
    _print_output(page, verdict.printed)
    if why:
        _print_why(page, verdict)
    if cost:
        _print_cost(page, verdict)


def print_comparison(console: Console, comparison: Comparison, *, why: bool = True, cost: bool = True) -> None:
    """Prints a comparison; `why` adds the tables of arrays and checks, `cost` that of costs."""
    page = Page(console, WIDTH)
    face = faces.of_comparison(comparison)
    said = [remark.text for remark in comparison.remarks]
    page.put(page.head(face, comparison.answer, faces.headline(face, comparison.headline), ""))
    page.put(_joined(map(page.sentence, said)))
    _print_output(page, comparison.printed)
    if why:
        _print_agreement(page, comparison, Feedback.NAME, forward=True, said=said)
    if cost and comparison.costs:
        _print_costs(page, comparison)


def print_overview(console: Console, verdicts: Sequence[Verdict]) -> None:
    """Prints one row an exercise, grouped by lesson in the order given, and how far it all is.

    A lesson of several in which nothing is started is one line.
    """
    page = Page(console, _WIDEST_OVERVIEW)
    names = max((len(_name(v)) for v in verdicts), default=0)
    scores = max((len(faces.score(v)) for v in verdicts), default=0)
    room = max(page.width - len(INDENT) - _STATUS - names - scores - 3 * _GAP, _LEAST_HEADLINE)
    lessons = _by_lesson(verdicts)
    for lesson, group in lessons.items():
        if len(lessons) > 1 and all(verdict.status is Status.NOT_STARTED for verdict in group):
            page.put(_untouched(page, lesson, group))
            continue
        table = Table.grid(padding=(0, _GAP, 0, 0))
        for width in (_STATUS, names, room):
            table.add_column(no_wrap=True, overflow="crop", width=width)
        table.add_column(no_wrap=True, overflow="crop", width=scores, justify="right")
        for verdict in group:
            table.add_row(*_overview_row(page, verdict, room))
        page.put(page.sentence(lesson, style="bold"))
        page.indented(table)
    page.gap()
    page.indented(_total(page, verdicts))


def _plain(draw: Callable[[Console], None], width: int, encoding: str | None) -> str:
    encoding = encoding or getattr(sys.stdout, "encoding", None) or words.UTF8
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="replace", newline="\n")
    draw(
        Console(
            file=stream,
            width=width,
            color_system=None,
            force_terminal=False,
            force_jupyter=False,
            legacy_windows=False,
        )
    )
    stream.seek(0)
    return "\n".join(line.rstrip() for line in stream.read().splitlines())


def _joined(parts: Iterable[list[Text]]) -> list[Text]:
    return [line for part in parts for line in part]


def _fitted(body: list[list[Text]], example: list[Text], room: int, more: Text) -> list[list[Text]]:
    """As many whole sentences as there is room for, the example if all of it fits, else where to read the rest."""
    if len(_joined(body)) + len(example) <= room:
        return [*body, example]
    kept: list[list[Text]] = []
    for part in body:
        if len(_joined(kept)) + len(part) >= room:
            break
        kept.append(part)
    if body and not kept:
        kept = [body[0][: max(room - 1, 0)]]
    return [*kept, [more]][: max(room, 0)]


def _example(page: Page, verdict: Verdict) -> list[Text]:
    """The smallest case, on one line where it fits, else what comes out below what goes in."""
    if verdict.example is None or not rows.may_say_where(verdict):
        return []
    label, inputs = "Smallest case:", side_by_side(arrays.named(verdict.example.inputs))
    yours, right = arrays.named_apart(verdict.example.yours, verdict.example.right)
    outcome = f"{side_by_side(_led('yours', yours))}, {side_by_side(_led('right', right))}"
    whole = page.sentence(f"{inputs}: {outcome}", label)
    if len(whole) == 1:
        return whole
    return page.sentence(inputs, label) + page.sentence(outcome, indent=2 * INDENT)


def _led(word: str, items: list[str]) -> list[str]:
    """Items, the first of them led by a word that stays beside it."""
    return [f"{word} {items[0]}", *items[1:]] if items else [word]


def _print_output(page: Page, output: str) -> None:
    """Prints the last lines of what the learner's code printed."""
    if not output.strip():
        return
    lines = page.spell(output.rstrip()).split("\n")
    left = len(lines) - _PRINTED_LINES
    page.put(page.sentence(f"Your code printed{f' (last of {len(lines)} lines)' if left > 0 else ''}:"))
    page.put(page.quoted(lines[-_PRINTED_LINES:]))


def _print_why(page: Page, verdict: Verdict) -> None:
    if not rows.may_say_where(verdict):
        page.gap()
        page.put(page.sentence(rows.HIDDEN))
    elif verdict.comparison:
        _print_agreement(
            page, verdict.comparison, rows.level(verdict), forward=verdict.shows_forward, said=verdict.lines
        )
    judged = f"judged: {verdict.where} · try {verdict.attempt}" if verdict.where else f"try {verdict.attempt}"
    page.put(page.sentence(judged, style=QUIET))
    if verdict.layers:
        page.put(page.sentence(f"ran apart: {' · '.join(verdict.layers)}", style=QUIET))


def _print_agreement(
    page: Page, comparison: Comparison, feedback: Feedback, *, forward: bool, said: Sequence[str]
) -> None:
    """Prints arrays, checks, what is known of the wrong ones, and what was not `said` before."""
    if comparison.arrays:
        page.gap()
        page.put(page.sentence("Each array, with its relative error against:", style=QUIET))
        _print_table(page, rows.array_table(comparison.arrays, forward=forward))
        page.put(_joined(map(page.sentence, rows.array_remarks(comparison.arrays, feedback))))
    if comparison.checks:
        page.gap()
        _print_table(page, rows.check_table(comparison))
    page.gap()
    page.put(_joined(map(page.sentence, rows.unsaid(comparison, said))))
    page.put(page.sentence(rows.circumstances(comparison), style=QUIET))


def _print_table(page: Page, found: rows.Table) -> None:
    table = _empty_table(page)
    table.add_column()
    for name in found.header:
        justify: JustifyMethod = "left" if name in rows.WORDS else "right"
        table.add_column(page.text(name), justify=justify, overflow="fold")
    for mark, row in zip(found.marks, found.rows, strict=True):
        face = faces.of_row(mark)
        cells = (page.text(cell, "" if mark else face.terminal) for cell in row)
        table.add_row(page.text(face.glyph, f"bold {face.terminal}"), *cells)
    page.indented(table)
    page.put(page.sentence(found.more))


def _print_cost(page: Page, verdict: Verdict) -> None:
    if verdict.shows_cost and verdict.comparison and verdict.comparison.costs:
        _print_costs(page, verdict.comparison)
    else:
        page.gap()
        page.put(page.sentence(rows.NO_COST if verdict.shows_cost else rows.NO_COST_YET))


def _print_costs(page: Page, comparison: Comparison) -> None:
    """Prints what each method costs, with a bar for its multiple of the primal."""
    found, logarithmic = rows.cost_rows(comparison.costs)
    table = _empty_table(page)
    scale = "(log)" if logarithmic else ""
    longest = _BAR if page.width == WIDTH else _NARROW_BAR
    for name in ("method", "FLOPs", "× primal", scale, "bytes", "kept"):
        justify: JustifyMethod = "left" if name in ("method", scale) else "right"
        table.add_column(page.text(name), justify=justify, overflow="fold")
    for row in found:
        bar = page.text(words.bar(row.length, longest), faces.YOURS if row.yours else QUIET)
        figures = map(page.text, (row.flops, row.times))
        table.add_row(page.text(row.method), *figures, bar, page.text(row.bytes), page.text(row.residuals))
    page.gap()
    page.indented(table)
    page.put(_joined(map(page.sentence, rows.cost_notes(comparison))))


def _empty_table(page: Page) -> Table:
    head = _ASCII_HEAD if page.console.options.ascii_only else SIMPLE_HEAD
    return Table(box=head, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold", show_edge=False)


def _by_lesson(verdicts: Sequence[Verdict]) -> dict[str, list[Verdict]]:
    lessons: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        lessons.setdefault(verdict.exercise.partition(".")[0], []).append(verdict)
    return lessons


def _name(verdict: Verdict) -> str:
    return verdict.exercise.partition(".")[2] or verdict.exercise


def _untouched(page: Page, lesson: str, verdicts: Sequence[Verdict]) -> list[Text]:
    """What is said of a lesson in which nothing is started."""
    face = faces.FACES[Status.NOT_STARTED]
    possible = words.points(sum(v.possible + v.cost_possible for v in verdicts))
    count = f"{len(verdicts)} exercise{'' if len(verdicts) == 1 else 's'}"
    return page.sentence(f"{face.glyph} {face.word} · {count} · {possible} points", label=lesson)


def _overview_row(page: Page, verdict: Verdict, room: int) -> tuple[Text, ...]:
    face = faces.of_verdict(verdict)
    said = f"{verdict.headline} ".removeprefix(f"{face.word} ").removeprefix("· ")
    return (
        page.text(f"{face.glyph} {face.word}", face.terminal),
        page.text(_name(verdict)),
        page.cut(said, room, QUIET),
        page.text(faces.score(verdict), "bold" if verdict.points else ""),
    )


def _total(page: Page, verdicts: Sequence[Verdict]) -> Table:
    earned = sum(v.points + v.cost_points for v in verdicts)
    possible = sum(v.possible + v.cost_possible for v in verdicts)
    line = Table.grid(padding=(0, _GAP, 0, 0))
    line.add_row(
        ProgressBar(total=possible or 1, completed=earned, width=30, complete_style=faces.RIGHT.terminal),
        page.text(f"{words.points(earned)} of {words.points(possible)} points", "bold"),
        page.text(f"{sum(v.right for v in verdicts)} of {sum(v.counts or v.right for v in verdicts)} right"),
    )
    return line
