"""Verdicts and comparisons as cards for JupyterLab, VS Code and Colab."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from course.records import Comparison, Feedback, Verdict
from course.show import arrays, faces, rows, words
from course.show.html import frame, paragraph, prose, text_of


def verdict_card(verdict: Verdict) -> str:
    """The verdict as HTML: headline and sentences first; arrays, cost and printed output on click."""
    face = faces.of_verdict(verdict)
    score = faces.score(verdict)
    return frame(
        face,
        verdict.title,
        faces.headline(face, verdict.headline),
        score,
        [
            *map(paragraph, verdict.lines),
            _example(verdict),
            f'<p class="hg-next"><b>Next:</b> {prose(verdict.next)}</p>' if verdict.next else "",
            _printed(verdict.printed, opened=not verdict.right),
            _why(verdict),
            _costs(verdict.comparison) if verdict.comparison and verdict.shows_cost else "",
        ],
        exercise=verdict.exercise,
        status=verdict.status,
        points=f"{words.points(verdict.points)}/{words.points(verdict.possible)}",
        ours=str(verdict.ours).lower(),
    )


def comparison_card(comparison: Comparison) -> str:
    """The comparison as HTML: headline and sentences first; arrays, cost and printed output on click."""
    face = faces.of_comparison(comparison)
    said = [remark.text for remark in comparison.remarks]
    return frame(
        face,
        comparison.answer,
        faces.headline(face, comparison.headline),
        "",
        [
            *map(paragraph, said),
            _printed(comparison.printed, opened=not comparison.agrees),
            _agreement(comparison, Feedback.NAME, forward=True, said=said),
            _costs(comparison),
        ],
        status=face.word,
    )


def _example(verdict: Verdict) -> str:
    if verdict.example is None or not rows.may_say_where(verdict):
        return ""
    yours, right = arrays.named_apart(verdict.example.yours, verdict.example.right)
    pairs = (("smallest case", arrays.named(verdict.example.inputs)), ("yours", yours), ("right", right))
    lines = (
        f"<dt>{name}</dt><dd>{' '.join(f'<code>{text_of(item)}</code>' for item in items)}</dd>"
        for name, items in pairs
    )
    return f'<dl class="hg-case">{"".join(lines)}</dl>'


def _printed(output: str, *, opened: bool) -> str:
    if not output.strip():
        return ""
    return _folded("Your code printed", f"<pre>{text_of(output.rstrip())}</pre>", opened=opened)


def _folded(summary: str, body: str, *, opened: bool = False) -> str:
    return f"<details{' open' if opened else ''}><summary>{text_of(summary)}</summary>{body}</details>"


def _why(verdict: Verdict) -> str:
    if verdict.comparison is None:
        return ""
    if not rows.may_say_where(verdict):
        return paragraph(rows.HIDDEN, "hg-soft")
    return _agreement(verdict.comparison, rows.level(verdict), forward=verdict.shows_forward, said=verdict.lines)


def _agreement(comparison: Comparison, feedback: Feedback, *, forward: bool, said: Sequence[str]) -> str:
    """Arrays, checks, what is known of the wrong ones, and what was not `said` before."""
    parts = []
    if comparison.arrays:
        parts.append(_table(rows.array_table(comparison.arrays, forward=forward)))
        parts += map(paragraph, rows.array_remarks(comparison.arrays, feedback))
    if comparison.checks:
        parts.append(_table(rows.check_table(comparison)))
    parts += map(paragraph, rows.unsaid(comparison, said))
    parts.append(paragraph(rows.circumstances(comparison), "hg-soft"))
    return _folded("Arrays and checks, with their relative errors", "".join(parts))


def _table(found: rows.Table) -> str:
    kinds = ["hg-words" if name in rows.WORDS else "" for name in found.header]
    lines = [
        _row([_mark(mark), *(_cell(text, kind) for text, kind in zip(row, kinds, strict=True))], right=mark)
        for mark, row in zip(found.marks, found.rows, strict=True)
    ]
    head = [_cell("", ""), *(_cell(text, kind, "th") for text, kind in zip(found.header, kinds, strict=True))]
    return _grid(head, lines) + (paragraph(found.more) if found.more else "")


def _grid(head: Iterable[str], lines: Iterable[str]) -> str:
    body = f"<table><thead>{_row(head)}</thead><tbody>{''.join(lines)}</tbody></table>"
    return f'<div class="hg-scroll">{body}</div>'


def _row(cells: Iterable[str], *, right: bool = True) -> str:
    opening = "<tr>" if right else '<tr class="hg-wrong">'
    return f"{opening}{''.join(cells)}</tr>"


def _cell(text: str, kind: str, tag: str = "td") -> str:
    opening = f'<{tag} class="{kind}">' if kind else f"<{tag}>"
    return f"{opening}{text_of(text)}</{tag}>"


def _mark(right: bool) -> str:
    face = faces.of_row(right)
    return f'<td class="hg-{face.word}"><span role="img" aria-label="{face.word}">{face.glyph}</span></td>'


def _costs(comparison: Comparison) -> str:
    """What each method costs, with a bar for its multiple of the primal."""
    if not comparison.costs:
        return ""
    found, logarithmic = rows.cost_rows(comparison.costs)
    scale = "log scale" if logarithmic else ""
    names = (("method", "hg-words"), ("FLOPs", ""), ("× primal", ""), (scale, "hg-words"), ("bytes", ""), ("kept", ""))
    lines = [_row(_cost_cells(row)) for row in found]
    notes = map(paragraph, rows.cost_notes(comparison))
    grid = _grid([_cell(name, kind, "th") for name, kind in names], lines)
    own = [f": {row.times} the primal" for row in found if row.yours]
    return _folded(f"Cost{''.join(own)}", grid + "".join(notes))


def _cost_cells(row: rows.CostRow) -> list[str]:
    kind = ' class="hg-yours"' if row.yours else ""
    bar = f'<span class="hg-bar"><span{kind} style="width: {100 * row.length:.1f}%"></span></span>'
    return [
        _cell(row.method, "hg-words"),
        _cell(row.flops, ""),
        _cell(row.times, ""),
        f'<td class="hg-words" aria-hidden="true">{bar}</td>',
        _cell(row.bytes, ""),
        _cell(row.residuals, ""),
    ]
