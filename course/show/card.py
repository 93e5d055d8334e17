"""Verdicts and comparisons as cards for JupyterLab, VS Code and Colab.

A card is one string of HTML without script, network or fonts of its own. It follows the notebook's colours where
these are known, and brings a background with its text where they are not. Where the style is stripped (a notebook
that is not trusted, a code-hosting site), what remains reads in the same order.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape

from course.records import Comparison, Feedback, Verdict
from course.show import arrays, faces, rows, words
from course.show.faces import Face

_CODE = re.compile(r"`([^`\n]+)`")

_LIGHT = """
--hg-text: var(--jp-content-font-color1, var(--vscode-editor-foreground, #1f2328));
--hg-soft: var(--jp-content-font-color2, var(--vscode-descriptionForeground, #59636e));
--hg-page: var(--jp-layout-color1, var(--vscode-editor-background, #ffffff));
--hg-line: var(--jp-border-color2, var(--vscode-panel-border, #d5dae0));
--hg-badge: #ffffff; --hg-well: rgba(128, 128, 128, .1); --hg-face: var(--hg-face-light);
--hg-right: #007a56; --hg-wrong: #b84a00; --hg-yours: #0072b2; --hg-others: #b4bcc4;
"""
_DARK = """
--hg-text: var(--jp-content-font-color1, var(--vscode-editor-foreground, #e6edf3));
--hg-soft: var(--jp-content-font-color2, var(--vscode-descriptionForeground, #9da7b1));
--hg-page: var(--jp-layout-color1, var(--vscode-editor-background, #16191d));
--hg-line: var(--jp-border-color2, var(--vscode-panel-border, #3a4149));
--hg-badge: #16191d; --hg-well: rgba(128, 128, 128, .17); --hg-face: var(--hg-face-dark);
--hg-right: #3ecf9b; --hg-wrong: #ff8f52; --hg-yours: #56b4e9; --hg-others: #5c6670;
"""
_LIGHT_PAGES = ("[data-jp-theme-light=true]", ".vscode-light", "[theme=light]", "[data-theme=light]")
_DARK_PAGES = (
    "[data-jp-theme-light=false]",
    ".vscode-dark",
    ".vscode-high-contrast",
    "[theme=dark]",
    "[data-theme=dark]",
)
"""How JupyterLab, VS Code, Colab and Sphinx say which kind of page this is; where none does, the browser does."""

# A notebook's own rules for tables have up to two classes; `.handgrad.handgrad.handgrad` outweighs them.
_RULES = """
.handgrad { color: var(--hg-text); background: var(--hg-page); border: 1px solid var(--hg-line);
  border-left: 5px solid var(--hg-face); border-radius: 6px; padding: 12px 16px; margin: 4px 0; max-width: 760px;
  font: 14px/1.5 var(--jp-ui-font-family, system-ui, sans-serif); box-sizing: border-box; }
.handgrad p { margin: 6px 0 0; line-height: 1.5; overflow-wrap: anywhere; }
.handgrad .hg-head { display: flex; flex-wrap: wrap; align-items: baseline; gap: 2px 10px; margin: 0; }
.handgrad .hg-glyph { flex: none; align-self: flex-start; width: 22px; height: 22px; border-radius: 11px;
  background: var(--hg-face); color: var(--hg-badge); font: bold 13px/22px sans-serif; text-align: center; }
.handgrad .hg-title { font-weight: 650; font-size: 15px; }
.handgrad .hg-headline { flex: 1 1 14em; color: var(--hg-face); font-weight: 600; }
.handgrad .hg-score { flex: none; font-weight: 650; font-variant-numeric: tabular-nums; }
.handgrad .hg-soft { color: var(--hg-soft); font-size: 13px; }
.handgrad.handgrad.handgrad code,
.handgrad.handgrad.handgrad pre { font: 13px/1.5 var(--jp-code-font-family, ui-monospace, monospace);
  color: inherit; background: none; border: 0; padding: 0; white-space: pre-wrap; }
.handgrad .hg-case, .handgrad.handgrad.handgrad pre { background: var(--hg-well); border-radius: 4px; padding: 8px 12px;
  margin: 8px 0 0; width: auto; box-sizing: border-box; overflow: auto; }
.handgrad pre { max-height: 20em; }
.handgrad .hg-case { display: grid; grid-template-columns: max-content 1fr; gap: 2px 14px; }
.handgrad .hg-case dt { color: var(--hg-soft); font-weight: normal; margin: 0; width: auto; }
.handgrad .hg-case dd { margin: 0; }
.handgrad.handgrad.handgrad .hg-case code { margin-right: 1ch; white-space: nowrap; }
.handgrad details { margin-top: 8px; }
.handgrad summary { cursor: pointer; color: var(--hg-soft); display: list-item; }
.handgrad summary:hover { color: var(--hg-text); }
.handgrad .hg-scroll { overflow-x: auto; }
.handgrad.handgrad.handgrad table { table-layout: auto; border-collapse: collapse; margin: 6px 0 0; width: auto;
  font-size: 13px; color: inherit; font-variant-numeric: tabular-nums; }
.handgrad.handgrad.handgrad tr, .handgrad.handgrad.handgrad thead { background: none; border: 0; }
.handgrad.handgrad.handgrad th, .handgrad.handgrad.handgrad td { padding: 3px 16px 3px 0; text-align: right;
  border: 0; border-bottom: 1px solid var(--hg-line); background: none; vertical-align: top; max-width: none;
  white-space: nowrap; }
.handgrad.handgrad.handgrad .hg-words { text-align: left; white-space: normal; }
.handgrad.handgrad.handgrad th { color: var(--hg-soft); font-weight: 600; }
.handgrad.handgrad.handgrad .hg-right { color: var(--hg-right); }
.handgrad.handgrad.handgrad .hg-wrong { color: var(--hg-wrong); font-weight: 600; }
.handgrad .hg-bar { display: inline-block; vertical-align: middle; width: 130px; height: 10px; }
.handgrad .hg-bar span { display: block; height: 100%; min-width: 2px; border-radius: 2px;
  background: var(--hg-others); }
.handgrad .hg-bar .hg-yours { background: var(--hg-yours); }
"""


def _within(pages: Iterable[str]) -> str:
    return ", ".join(f"{page} .handgrad" for page in pages)


_STYLE = (
    f"<style>.handgrad {{{_LIGHT}}} @media (prefers-color-scheme: dark) {{ .handgrad {{{_DARK}}} }} "
    f"{_within(_LIGHT_PAGES)} {{{_LIGHT}}} {_within(_DARK_PAGES)} {{{_DARK}}} {_RULES}</style>"
)


def verdict_card(verdict: Verdict) -> str:
    """The verdict as HTML: headline and sentences first; arrays, cost and printed output on click."""
    face = faces.of_verdict(verdict)
    score = faces.score(verdict)
    return _card(
        face,
        verdict.title,
        faces.headline(face, verdict.headline),
        score,
        [
            *map(_paragraph, verdict.lines),
            _example(verdict),
            f'<p class="hg-next"><b>Next:</b> {_prose(verdict.next)}</p>' if verdict.next else "",
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
    return _card(
        face,
        comparison.answer,
        faces.headline(face, comparison.headline),
        "",
        [
            *map(_paragraph, said),
            _printed(comparison.printed, opened=not comparison.agrees),
            _agreement(comparison, Feedback.NAME, forward=True, said=said),
            _costs(comparison),
        ],
        status=face.word,
    )


def _card(face: Face, title: str, headline: str, score: str, parts: Iterable[str], **data: str) -> str:
    marks = " ".join(f'data-{name}="{_text(value)}"' for name, value in data.items())
    label = ", ".join(filter(None, (title, headline, score and f"{score} points")))
    colours = f"--hg-face-light: {face.light}; --hg-face-dark: {face.dark}"
    return "\n".join(
        [
            f'<div class="handgrad" role="group" aria-label="{_text(label)}" style="{colours}" {marks}>{_STYLE}',
            f'<p class="hg-head"><span class="hg-glyph" aria-hidden="true">{face.glyph}</span>',
            f'<span class="hg-title">{_text(title)}</span>',
            f'<span class="hg-headline">{_text(headline)}</span>',
            f'<span class="hg-score">{_text(score)}</span></p>',
            *filter(None, parts),
            "</div>",
        ]
    )


def _text(text: str) -> str:
    return escape(words.printable(text))


def _prose(text: str) -> str:
    """A sentence whose `code` is set as code."""
    return _CODE.sub(r"<code>\1</code>", _text(text)).replace("\n", "<br>")


def _paragraph(text: str, kind: str = "") -> str:
    opening = f'<p class="{kind}">' if kind else "<p>"
    return f"{opening}{_prose(text)}</p>"


def _example(verdict: Verdict) -> str:
    if verdict.example is None or not rows.may_say_where(verdict):
        return ""
    yours, right = arrays.named_apart(verdict.example.yours, verdict.example.right)
    pairs = (("smallest case", arrays.named(verdict.example.inputs)), ("yours", yours), ("right", right))
    lines = (
        f"<dt>{name}</dt><dd>{' '.join(f'<code>{_text(item)}</code>' for item in items)}</dd>" for name, items in pairs
    )
    return f'<dl class="hg-case">{"".join(lines)}</dl>'


def _printed(output: str, *, opened: bool) -> str:
    if not output.strip():
        return ""
    return _folded("Your code printed", f"<pre>{_text(output.rstrip())}</pre>", opened=opened)


def _folded(summary: str, body: str, *, opened: bool = False) -> str:
    return f"<details{' open' if opened else ''}><summary>{_text(summary)}</summary>{body}</details>"


def _why(verdict: Verdict) -> str:
    if verdict.comparison is None:
        return ""
    if not rows.may_say_where(verdict):
        return _paragraph(rows.HIDDEN, "hg-soft")
    return _agreement(verdict.comparison, rows.level(verdict), forward=verdict.shows_forward, said=verdict.lines)


def _agreement(comparison: Comparison, feedback: Feedback, *, forward: bool, said: Sequence[str]) -> str:
    """Arrays, checks, what is known of the wrong ones, and what was not `said` before."""
    parts = []
    if comparison.arrays:
        parts.append(_table(rows.array_table(comparison.arrays, forward=forward)))
        parts += map(_paragraph, rows.array_remarks(comparison.arrays, feedback))
    if comparison.checks:
        parts.append(_table(rows.check_table(comparison)))
    parts += map(_paragraph, rows.unsaid(comparison, said))
    parts.append(_paragraph(rows.circumstances(comparison), "hg-soft"))
    return _folded("Arrays and checks, with their relative errors", "".join(parts))


def _table(found: rows.Table) -> str:
    kinds = ["hg-words" if name in rows.WORDS else "" for name in found.header]
    lines = [
        _row([_mark(mark), *(_cell(text, kind) for text, kind in zip(row, kinds, strict=True))], right=mark)
        for mark, row in zip(found.marks, found.rows, strict=True)
    ]
    head = [_cell("", ""), *(_cell(text, kind, "th") for text, kind in zip(found.header, kinds, strict=True))]
    return _grid(head, lines) + (_paragraph(found.more) if found.more else "")


def _grid(head: Iterable[str], lines: Iterable[str]) -> str:
    body = f"<table><thead>{_row(head)}</thead><tbody>{''.join(lines)}</tbody></table>"
    return f'<div class="hg-scroll">{body}</div>'


def _row(cells: Iterable[str], *, right: bool = True) -> str:
    opening = "<tr>" if right else '<tr class="hg-wrong">'
    return f"{opening}{''.join(cells)}</tr>"


def _cell(text: str, kind: str, tag: str = "td") -> str:
    opening = f'<{tag} class="{kind}">' if kind else f"<{tag}>"
    return f"{opening}{_text(text)}</{tag}>"


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
    notes = map(_paragraph, rows.cost_notes(comparison))
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
