"""Small lessons for the tests: solutions of a few lines, exercises that ask for them, sources with every cell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from course.authoring.notebook import Maker
from course.authoring.solution import Solution, read_solution
from course.authoring.source import parse_source
from course.exercises.exercise import Exercise, Paper
from course.exercises.tasks.question import Choice, Number, Option

SOLUTION = '''\
"""Answers to `bend`."""

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float

import course
from course.lessons.losses import half_squared_error
from solutions.linear_and_activations import relu_bwd

SLOPE = 2


def bend_fwd(
    x: Float[Array, "batch d_in"], scale: float = 1.0
) -> tuple[Float[Array, "batch d_in"], Float[Array, "batch d_in"]]:
    """Returns x bent, and the residuals."""
    # 1. What must be kept?
    y = jnp.sin(scale * x)
    return y, x


def bend_bwd(residuals: Float[Array, "batch d_in"], y_bar: Float[Array, "batch d_in"]) -> tuple[Any, ...]:
    """Returns (x_bar,)."""
    x = residuals
    # A remark that is no question.
    # 1. How steep is it there,
    #    and why?
    steep = SLOPE * jnp.cos(x)
    # 2. What comes back?
    x_bar = relu_bwd(steep, y_bar)[0] * steep
    return (x_bar,)


course.answer("bend.q1", "b")
course.answer("bend.q2", 0.25)
'''

SOURCE = """\
# %% [markdown] name="title"
# # Bend it
#
# Why *would* you?

# %% name="imports"
import jax.numpy as jnp
import matplotlib.pyplot as plt
from solutions.linear_and_activations import relu_bwd

# %% name="your-bend" tags=["exercise"]
from solutions.bend import bend_bwd, bend_fwd

# %% name="check-bend" tags=["check"]
course.check(bend_fwd, bend_bwd)

# %% name="picture"
if course.solved(bend_fwd, bend_bwd):
    plt.plot(bend_fwd(jnp.arange(3.0))[0])

# %% [markdown] name="ask-q1"
# A word before.
#
# {question bend.q1}

# %% name="answer-q1" tags=["question"]
course.answer("bend.q1", ...)

# %% [markdown] name="ask-q2"
# {question bend.q2}

# %% name="answer-q2" tags=["question"]
course.answer("bend.q2", ...)

# %% [markdown] name="sources"
# The end.
"""


@dataclass(frozen=True)
class Asks:
    """A task of which only the names matter."""

    names: tuple[str, ...]
    given: Any = None

    @property
    def questions(self) -> tuple[str, ...]:
        return ()

    def judge(self, answer: Mapping[str, Any], sitting: Any) -> Any:
        raise NotImplementedError


def asks(*names: str, scaffold: str = "signature", given: Any = None) -> Exercise:
    """An exercise that asks for some functions."""
    return Exercise("bend.bend", "bend", Asks(names, given), points=3, cost_points=1, scaffold=scaffold)


CHOICE = Exercise(
    "bend.q1",
    "which_one",
    Choice("Is 2 ** 3 < 9 for `a ** b`?", (Option("a", "No.", ""), Option("b", "Yes, *sure*.", "", right=True))),
    points=1,
)
NUMBER = Exercise("bend.q2", "how steep", Number("How steep is it?", lambda: 0.25, "", unit="radians"), points=2)
PAPER = Paper("bend", (asks("bend_fwd", "bend_bwd"), CHOICE, NUMBER))


def solution(folder: Path, text: str = SOLUTION) -> Solution:
    """A solution, written down and read."""
    place = folder / "solutions" / "bend.py"
    place.parent.mkdir(exist_ok=True)
    place.write_text(text, encoding="utf-8")
    return read_solution(place)


def made(folder: Path, source: str = SOURCE, *, paper: Paper = PAPER, solved: bool = False) -> dict[str, Any]:
    """The notebook that a source makes."""
    return Maker(parse_source(source, "notebooks/01_bend.py"), solution(folder), paper, solved).make()


def text_of(notebook: Mapping[str, Any], name: str) -> str:
    """The text of the cell with a name."""
    return "".join(next(cell["source"] for cell in notebook["cells"] if cell["metadata"]["name"] == name))
