"""Records as judging makes them, one for each face a verdict can have."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from course.records import (
    Agreement,
    Check,
    Comparison,
    Cost,
    Entry,
    Example,
    Fault,
    Feedback,
    Line,
    Remark,
    Slip,
    Status,
    Verdict,
)

ROOT = Path(__file__).parents[2]
"""The checkout, where a new Python finds `course` and `tests`."""

TRANSPOSED = Slip("transposed", "The numbers match transposed.", "Which index of w meets which index of x?")

RIGHT_ARRAYS = (
    Agreement("x_bar", (5, 4), "float64", True, 1.1e-16, 2.3e-16, 1.4e-16),
    Agreement("w_bar", (4, 3), "float64", True, 2.0e-16, 2.3e-16, 1.9e-16),
    Agreement("b_bar", (3,), "float64", True, 0.0, 2.3e-16, 0.0),
)
WRONG_ARRAYS = (
    Agreement("x_bar", (5, 4), "float64", True, 1.1e-16),
    Agreement("w_bar", (4, 3), "float64", False, 1.37, slip=TRANSPOSED, worst=Entry((0, 2), 1.25, -0.333333)),
    Agreement("b_bar", (3,), "float64", True, 0.0),
)
CHECKS = (
    Check("value", True, "affine_fwd returns the value of affine.", 0.0, 1e-9),
    Check("reverse mode", True, "Every array is that of jax.vjp.", 2.0e-16, 1e-9),
    Check("forward mode", True, "<x_bar, x_dot> is <y_bar, y_dot>.", 2.3e-16, 1e-9),
    Check("numbers", True, "Central differences agree; 4e-11 was to be expected.", 3.1e-11, 1e-6),
)
COSTS = (
    Cost("yours", 1_240, 2.1, 5_300, 2_900, 320),
    Cost("jax.vjp", 1_210, 2.0, 5_100, 2_900, 320),
    Cost("jax.jvp, one column", 1_180, 2.0, 4_900, 2_800),
    Cost("jax.jacfwd, all columns", 41_300, 70.0, 160_000, 88_000),
    Cost(
        "central differences",
        83_800,
        142.0,
        310_000,
        2_900,
        None,
        ("a while loop whose length is not known",),
    ),
)
EXAMPLE = Example(
    inputs={"x": np.array([[1.0, 2.0]]), "w": np.array([[3.0], [-1.0]]), "y_bar": np.array([[1.0]])},
    yours={"w_bar": np.array([[1.0, 2.0]])},
    right={"w_bar": np.array([[1.0], [2.0]])},
)


def comparison(**changes: Any) -> Comparison:
    """A comparison of an affine pair that agrees."""
    facts: dict[str, Any] = {
        "answer": "affine",
        "headline": "right · three independent checks agree",
        "remarks": (),
        "arrays": RIGHT_ARRAYS,
        "checks": CHECKS,
        "costs": COSTS,
        "faults": (),
        "notes": (),
        "precision": "float64",
        "seed": 7,
        "jax_version": "0.10.1",
    }
    return Comparison(**{**facts, **changes})


def wrong_comparison(**changes: Any) -> Comparison:
    """A comparison of an affine pair with one array transposed."""
    wrong = Check("reverse mode", False, "w_bar is not that of jax.vjp.", 1.37, 1e-9)
    facts = {
        "headline": "w_bar is wrong · x_bar and b_bar are right",
        "remarks": (Remark(Feedback.KIND, TRANSPOSED.text), Remark(Feedback.KIND, TRANSPOSED.ask)),
        "arrays": WRONG_ARRAYS,
        "checks": (CHECKS[0], wrong),
        "costs": (),
    }
    return comparison(**{**facts, **changes})


def broken_comparison() -> Comparison:
    """A comparison of a pair whose backward pass raises."""
    line = Line("affine.py", 12, "w_bar = x @ y_bar")
    fault = Fault("exception", "affine_bwd", "TypeError: dot_general got (5, 4) and (5, 3).", line)
    return comparison(
        headline="affine_bwd raises TypeError",
        remarks=(Remark(Feedback.WHERE, fault.message), Remark(Feedback.WHERE, str(line))),
        arrays=(),
        checks=CHECKS[:1],
        costs=(),
        faults=(fault,),
    )


def _verdict(status: Status, headline: str, *lines: str, changes: Mapping[str, Any]) -> Verdict:
    facts: dict[str, Any] = {
        "exercise": "linear_and_activations.affine",
        "title": "affine",
        "status": status,
        "headline": headline,
        "lines": lines,
        "next": "fix it and run again · stuck: course hint affine",
        "points": 0.0,
        "possible": 6.0,
        "feedback": Feedback.KIND,
    }
    return Verdict(**{**facts, **changes})


def right(**changes: Any) -> Verdict:
    """A right answer."""
    facts = {"points": 6.0, "next": "course check linear_and_activations.relu", "comparison": comparison()}
    return _verdict(Status.RIGHT, "right · three independent checks agree", changes={**facts, **changes})


def costly(**changes: Any) -> Verdict:
    """A right answer that does twice the work."""
    facts = {"points": 6.0, "cost_possible": 2.0, "comparison": comparison()}
    return _verdict(
        Status.COSTLY,
        "right but costly · 2.1 times the FLOPs of jax.vjp",
        "The limit is 1.5 times. affine_bwd makes the product x @ w a second time: forward has it already.",
        changes={**facts, **changes},
    )


def wrong(**changes: Any) -> Verdict:
    """An answer with one array transposed, at its second try."""
    facts = {"points": 4.0, "comparison": wrong_comparison(), "example": EXAMPLE, "where": "work/affine.py"}
    return _verdict(
        Status.WRONG,
        "w_bar is wrong · x_bar and b_bar are right",
        "Yours has shape (3, 4); w has shape (4, 3). The numbers match transposed.",
        "Ask: which index of w meets which index of x?   (step 2)",
        changes={**facts, **changes},
    )


def refused(**changes: Any) -> Verdict:
    """An answer that lets JAX differentiate."""
    return _verdict(
        Status.REFUSED,
        "affine_bwd lets JAX differentiate",
        "affine.py, line 9: return jax.vjp(affine, *residuals)[1](y_bar)",
        "Here the backward pass is written by hand: jax.vjp, jax.grad and their relatives are closed.",
        changes=changes,
    )


def broken(**changes: Any) -> Verdict:
    """An answer that raises."""
    facts = {"comparison": broken_comparison(), "printed": "x (5, 4)\ny_bar (5, 3)\n"}
    return _verdict(
        Status.BROKEN,
        "affine_bwd raises TypeError",
        "TypeError: dot_general requires contracting dimensions to have the same shape, got (4,) and (5,).",
        "affine.py, line 12: w_bar = x @ y_bar",
        changes={**facts, **changes},
    )


def stopped(**changes: Any) -> Verdict:
    """An answer that did not come back."""
    return _verdict(Status.STOPPED, "stopped after 10 s", "affine_bwd was in line 14: while True:", changes=changes)


def waiting(**changes: Any) -> Verdict:
    """An answer that uses one not written yet."""
    facts = {"exercise": "mlp.mlp", "title": "mlp", "next": "course check linear_and_activations.affine"}
    return _verdict(Status.WAITING, "mlp uses your affine, not written yet", changes={**facts, **changes})


def not_started(**changes: Any) -> Verdict:
    """A stub as it was handed out."""
    return _verdict(Status.NOT_STARTED, "not started", changes={"next": "write affine_fwd and affine_bwd", **changes})


def handed_in(**changes: Any) -> Verdict:
    """A text that a person will judge."""
    facts = {"exercise": "losses.text", "title": "a first loss", "possible": 0.0, "next": "which mistake is this?"}
    return _verdict(Status.HANDED_IN, "handed in", "[2] It says why.", changes={**facts, **changes})


def ours(**changes: Any) -> Verdict:
    """A fault of the course's own."""
    facts = {"ours": True, "next": "go on with the next exercise; your points are not touched"}
    return _verdict(
        Status.BROKEN,
        "the course could not judge this",
        "The primal of affine raises on its own inputs. Please report it with `course check --json`.",
        changes={**facts, **changes},
    )


EVERY_FACE = {
    make.__name__: make
    for make in (right, costly, wrong, refused, broken, stopped, waiting, handed_in, not_started, ours)
}
