"""What `losses` asks: half squared error, binary cross-entropy with logits, softmax cross-entropy."""

from __future__ import annotations

from typing import Any

import numpy as np

from course.exercises.exercise import Exercise, Paper
from course.exercises.tasks.drawing import Draw
from course.exercises.tasks.pair import Case, PairTask
from course.exercises.tasks.question import Choice, Number, Option
from course.lessons.losses import binary_cross_entropy, half_squared_error, softmax_cross_entropy


def _draw_regression(draw: Draw) -> tuple[np.ndarray, np.ndarray]:
    return draw.normal("batch", "d_out"), draw.normal("batch", "d_out")


def _draw_yes_or_no(draw: Draw) -> tuple[np.ndarray, np.ndarray]:
    return draw.normal("batch", scale=2.0), draw.either("batch")


def _draw_certain_yes_or_no(draw: Draw) -> tuple[np.ndarray, np.ndarray]:
    logits, target = _draw_yes_or_no(draw)
    return np.where(np.arange(len(logits)) % 2, 1e4, -1e4), target


def _draw_classes(draw: Draw) -> tuple[np.ndarray, Any]:
    return draw.normal("batch", "classes", scale=2.0), draw.below("classes", "batch")


def _draw_certain_classes(draw: Draw) -> tuple[np.ndarray, Any]:
    logits, labels = _draw_classes(draw)
    return 1e4 * np.sign(logits), labels


HALF_SQUARED_ERROR = Exercise(
    name="losses.half_squared_error",
    title="half squared error",
    task=PairTask(
        primal=half_squared_error, fwd="half_squared_error_fwd", bwd="half_squared_error_bwd", draw=_draw_regression
    ),
    points=3,
    hints=(
        "It is the loss of the two-layer network, averaged over rows.",
        "Save the difference; prediction and target only ever enter together.",
        "The half cancels the 2 of the square, and the mean leaves one division by the number of rows.",
    ),
    asks={
        "prediction_bar": "the half and the square, the mean over rows: what is left in front of the error?   (step 1)",
        "target_bar": "on which side of the difference does the target stand?   (step 2)",
    },
)

BINARY_CROSS_ENTROPY = Exercise(
    name="losses.binary_cross_entropy",
    title="binary cross-entropy",
    task=PairTask(
        primal=binary_cross_entropy,
        fwd="binary_cross_entropy_fwd",
        bwd="binary_cross_entropy_bwd",
        draw=_draw_yes_or_no,
        awkward=(Case("logits of +-1e4", _draw_certain_yes_or_no),),
    ),
    points=4,
    hints=(
        "One example first: loss = softplus(logit) - target * logit.",
        "The derivative of softplus is a function that you have written a pair for.",
        "What is left is the probability less the target, over the number of examples.",
    ),
    asks={
        "logits_bar": "the derivative of softplus has a name that you know: what is left of the target?   (step 1)",
        "target_bar": "in which one term does the target stand?   (step 2)",
    },
)

SOFTMAX_CROSS_ENTROPY = Exercise(
    name="losses.softmax_cross_entropy",
    title="softmax cross-entropy",
    task=PairTask(
        primal=softmax_cross_entropy,
        fwd="softmax_cross_entropy_fwd",
        bwd="softmax_cross_entropy_bwd",
        draw=_draw_classes,
        awkward=(Case("logits of +-1e4", _draw_certain_classes),),
    ),
    points=5,
    hard=True,
    hints=(
        "One row first: loss = logsumexp(logits) - logits[label]. Differentiate the two terms apart.",
        "The derivative of logsumexp by each logit is that logit's probability.",
        "The probabilities, less 1 at the label, over the number of rows.",
    ),
    asks={"logits_bar": "which entry of each row was picked, and what does the mean do to each?   (steps 2, 3)"},
)

SUM_OF_ROW = Exercise(
    name="losses.q1",
    title="the sum of a row",
    task=Number(
        "Each row of logits_bar of softmax cross-entropy adds up to the same number. Which?",
        compute=lambda: 0.0,
        says="Right: raising every logit of a row by the same amount leaves the loss as it is.",
        traps=((lambda: 1.0, "The probabilities add up to 1. What is taken from them?"),),
    ),
    points=1,
)

WHY_LOGITS = Exercise(
    name="losses.q2",
    title="why from logits?",
    task=Choice(
        "Why does the loss take logits, and not the probabilities that softmax makes of them?",
        (
            Option("a", "It saves one multiplication.", "It does not matter what it saves if the result is infinite."),
            Option(
                "b",
                "At logits of 1e4 a probability rounds to 0, and its logarithm is -inf.",
                "Right: logsumexp takes the largest logit out first, and nothing over- or underflows.",
                right=True,
            ),
            Option(
                "c", "Probabilities have no derivative.", "They have; you will write it in the lesson on attention."
            ),
        ),
    ),
    points=1,
)

PAPER = Paper("losses", (HALF_SQUARED_ERROR, BINARY_CROSS_ENTROPY, SOFTMAX_CROSS_ENTROPY, SUM_OF_ROW, WHY_LOGITS))
