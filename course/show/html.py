"""What every card is made of: its style, its frame, and text that is safe in it.

A card is one string of HTML without script, network or fonts of its own. It follows the notebook's colours where
these are known, and brings a background with its text where they are not. Where the style is stripped (a notebook
that is not trusted, a code-hosting site), what remains reads in the same order.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape

from course.show import words
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
.handgrad .hg-flow { display: flex; flex-wrap: wrap; align-items: flex-start; gap: 4px 28px; margin-top: 6px; }
.handgrad.handgrad.handgrad .hg-numbers { margin: 0 0 4px; }
.handgrad.handgrad.handgrad .hg-numbers td { padding: 1px 0 1px 14px; border: 0; }
.handgrad.handgrad.handgrad .hg-numbers td:first-child { padding-left: 0; }
.handgrad .hg-flow .hg-name { margin: 2px 0 0; color: var(--hg-soft); font-size: 13px; font-weight: 600; }
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


def frame(face: Face, title: str, headline: str, score: str, parts: Iterable[str], **data: str) -> str:
    """A card of some parts under its head; `data` are marks that programs find it by."""
    marks = " ".join(f'data-{name}="{text_of(value)}"' for name, value in data.items())
    label = ", ".join(filter(None, (title, headline, score and f"{score} points")))
    colours = f"--hg-face-light: {face.light}; --hg-face-dark: {face.dark}"
    return "\n".join(
        [
            f'<div class="handgrad" role="group" aria-label="{text_of(label)}" style="{colours}" {marks}>{_STYLE}',
            f'<p class="hg-head"><span class="hg-glyph" aria-hidden="true">{face.glyph}</span>',
            f'<span class="hg-title">{text_of(title)}</span>',
            f'<span class="hg-headline">{text_of(headline)}</span>',
            f'<span class="hg-score">{text_of(score)}</span></p>',
            *filter(None, parts),
            "</div>",
        ]
    )


def text_of(text: str) -> str:
    """A text as HTML."""
    return escape(words.printable(text))


def prose(text: str) -> str:
    """A sentence whose `code` is set as code."""
    return _CODE.sub(r"<code>\1</code>", text_of(text)).replace("\n", "<br>")


def paragraph(text: str, kind: str = "") -> str:
    """A sentence or more as a paragraph of some class."""
    opening = f'<p class="{kind}">' if kind else "<p>"
    return f"{opening}{prose(text)}</p>"
