"""The pictures of README.md: verdicts, judged at that moment, as a terminal shows them."""

from __future__ import annotations

import io
import re
import tempfile
from pathlib import Path

from rich.console import Console

from course.authoring.checkout import Checkout
from course.exercises import find_exercise
from course.grading import Submission, judge
from course.records import Feedback, Verdict
from course.show.terminal import print_verdict

LESSON, ASKED = "linear_and_activations", "linear_and_activations.affine"
SLIP = ("w_bar = x.T @ y_bar", "w_bar = (x.T @ y_bar).T")
"""The line of the answer that is broken for the picture, and how."""

_WIDTH = 80
_FONT_FACE = re.compile(r"@font-face \{.*?\}", re.DOTALL)
"""What rich puts into its SVG to fetch a font; any monospaced one will do."""


def draw_verdicts(checkout: Checkout) -> Path:
    """Writes `docs/pictures/verdict.svg`: a wrong answer's verdict, and the mended one's."""
    text = checkout.solution(LESSON).read_text(encoding="utf-8")
    if SLIP[0] not in text:
        raise ValueError(f"The picture breaks the line `{SLIP[0]}` of solutions/{LESSON}.py, which is not there.")
    console = Console(record=True, width=_WIDTH, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    for source in (text.replace(*SLIP), text):
        print_verdict(console, _verdict(source))
        console.print()
    svg = _FONT_FACE.sub("", console.export_svg(title=f"course check {ASKED}", unique_id="handgrad"))
    path = checkout.root / "docs" / "pictures" / "verdict.svg"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(svg, encoding="utf-8", newline="\n")
    return path


def _verdict(source: str) -> Verdict:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{LESSON}.py"
        path.write_text(source, encoding="utf-8")
        return judge(find_exercise(ASKED), Submission.read(path), feedback=Feedback.NAME)
