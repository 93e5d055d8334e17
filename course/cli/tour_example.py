"""The function that the tour breaks and mends: the lesson's answer in a checkout, a small one of its own in a wheel.

The answers are not in a wheel. The line that is broken is found in the answer's text, and broken by a transpose:
nothing of the answer is written here.
"""

from __future__ import annotations

import ast
import dataclasses
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import jax
import numpy as np
from rich.console import Console

from course.authoring.checkout import this_checkout
from course.comparison.compare import compare
from course.exercises import find_exercise
from course.grading import Submission, judge
from course.records import Comparison, Feedback
from course.show.terminal import print_comparison, print_verdict

LESSON, FUNCTION, ASKED = "two_layer_network", "batch_loss_bwd", "two_layer_network.batch"
BROKEN = re.compile(r"^w1_bar = (.*)$")
"""The line that is broken."""

Shown = tuple[Callable[[Console], None], Comparison]
"""Prints the verdict; and the facts under it."""


@dataclass(frozen=True)
class Example:
    """A backward pass with one line that has a right and a wrong form.

    `text` is a whole module, `function` what is shown of it, `says` a sentence about it, `judge_text` the judging of a
    module's text. `whole` says that the answers are here.
    """

    text: str
    function: str
    right_line: str
    wrong_line: str
    says: str
    judge_text: Callable[[str], Shown]
    whole: bool

    def source(self, line: str) -> str:
        """The function's own text, from its docstring on, with one of the two lines."""
        tree = ast.parse(self.text)
        shown = next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == self.function)
        body = self.text.splitlines()[shown.body[0].lineno - 1 : shown.end_lineno]
        arguments = ", ".join(argument.arg for argument in shown.args.args)
        return "\n".join([f"def {self.function}({arguments}):", *body]).replace(self.right_line, line)

    def judge(self, *, right: bool) -> Shown:
        """Judges the module with the right line or the wrong one."""
        return self.judge_text(self.text if right else self.text.replace(self.right_line, self.wrong_line))


def find_example() -> Example:
    """The lesson's answer, or our own small one where there are no answers."""
    checkout = this_checkout()
    if checkout is None:
        return _small_example()
    text = checkout.solution(LESSON).read_text(encoding="utf-8")
    line = _line_to_break(text)
    wrong = BROKEN.sub(r"w1_bar = (\1).T", line)
    says = "The gradient of a two-layer network on a batch. Line by line, by hand, and one product is turned round."
    return Example(text, FUNCTION, line, wrong, says, _judge_answer, whole=True)


def _line_to_break(text: str) -> str:
    start = text.index(f"def {FUNCTION}")
    return next(line.strip() for line in text[start:].splitlines() if BROKEN.match(line.strip()))


def _judge_answer(text: str) -> Shown:
    """Judges the module as a learner's file, at the level of feedback that names a mistake."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{LESSON}.py"
        path.write_text(text, encoding="utf-8")
        verdict = judge(find_exercise(ASKED), Submission.read(path), feedback=Feedback.NAME)
    if verdict.comparison is None:
        raise RuntimeError(f"The answer that the tour shows can't be judged: {verdict.headline}.")
    shown = dataclasses.replace(verdict, next="")
    return lambda console: print_verdict(console, shown), verdict.comparison


SMALL = '''\
def scale_fwd(x, scale):
    return x * scale, (x, scale)


def scale_bwd(residuals, y_bar):
    """Returns (x_bar, scale_bar)."""
    x, scale = residuals
    x_bar = y_bar * scale
    scale_bar = (y_bar * x).sum(axis=0)
    return x_bar, scale_bar
'''


def _small_example() -> Example:
    line = "scale_bar = (y_bar * x).sum(axis=0)"
    says = "A column-wise scale and its backward pass; the answers of the course are not installed here."
    return Example(SMALL, "scale_bwd", line, line.replace(".sum(axis=0)", ""), says, _judge_small, whole=False)


def _judge_small(text: str) -> Shown:
    found: dict[str, Callable[..., object]] = {}
    exec(text, found)  # the text above
    rng = np.random.default_rng(0)

    def scaled(x: jax.Array, scale: jax.Array) -> jax.Array:
        return x * scale

    inputs = rng.standard_normal((7, 5)), rng.standard_normal(5)
    comparison = compare(scaled, found["scale_fwd"], found["scale_bwd"], *inputs)
    return lambda console: print_comparison(console, comparison, why=False, cost=False), comparison
