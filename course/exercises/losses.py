"""What `losses` asks: half squared error, binary and softmax cross-entropy; the latter smoothed, and masked."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from course.exercises.exercise import Exercise, Paper
from course.exercises.mistakes import losses as mistakes
from course.exercises.tasks.drawing import Draw
from course.exercises.tasks.free_text import Criterion, FreeText
from course.exercises.tasks.pair import Case, PairTask
from course.exercises.tasks.question import Choice, Number, Option
from course.exercises.tasks.shown import Source
from course.exercises.tasks.which_mistake import WhichMistake
from course.lessons.losses import (
    IGNORED,
    binary_cross_entropy,
    half_squared_error,
    masked_cross_entropy,
    smoothed_cross_entropy,
    softmax_cross_entropy,
)


def _draw_regression(draw: Draw) -> tuple[np.ndarray, np.ndarray]:
    return draw.normal("batch", "d_out"), draw.normal("batch", "d_out")


def _draw_one_prediction(draw: Draw) -> tuple[np.ndarray, np.ndarray]:
    prediction, target = _draw_regression(draw)
    return prediction[:1], target[:1]


def _draw_yes_or_no(draw: Draw) -> tuple[np.ndarray, np.ndarray]:
    return draw.normal("batch", scale=2.0), draw.either("batch")


def _draw_certain_yes_or_no(draw: Draw) -> tuple[np.ndarray, np.ndarray]:
    logits, _ = _draw_yes_or_no(draw)
    places = np.arange(len(logits))
    return np.where(places % 2, 1e4, -1e4), (places // 2 % 2).astype(np.float64)  # certain and right, certain and wrong


def _draw_undecided_yes_or_no(draw: Draw) -> tuple[np.ndarray, np.ndarray]:
    logits, target = _draw_yes_or_no(draw)
    logits[0] = 0.0
    return logits, target


def _draw_classes(draw: Draw) -> tuple[np.ndarray, Any]:
    return draw.normal("batch", "classes", scale=2.0), draw.below("classes", "batch")


def _draw_certain_classes(draw: Draw) -> tuple[np.ndarray, Any]:
    logits, labels = _draw_classes(draw)
    return 1e4 * np.sign(logits), labels


def _draw_one_row(draw: Draw) -> tuple[np.ndarray, Any]:
    logits, labels = _draw_classes(draw)
    return logits[:1], labels[:1]


def _draw_smoothed(draw: Draw) -> tuple[np.ndarray, Any, float]:
    return *_draw_classes(draw), 0.3


def _draw_not_smoothed(draw: Draw) -> tuple[np.ndarray, Any, float]:
    return *_draw_classes(draw), 0.0


def _draw_certain_smoothed(draw: Draw) -> tuple[np.ndarray, Any, float]:
    return *_draw_certain_classes(draw), 0.3


def _ignoring_every_second(classes: tuple[np.ndarray, Any]) -> tuple[np.ndarray, Any]:
    logits, labels = classes
    labels[1::2] = IGNORED
    return logits, labels


def _draw_masked(draw: Draw) -> tuple[np.ndarray, Any]:
    """Logits above 0: their sum is not taken for a number of rows, not even where both are held at 1 at least."""
    logits, labels = _draw_classes(draw)
    return _ignoring_every_second((logits + 1, labels))


def _draw_certain_masked(draw: Draw) -> tuple[np.ndarray, Any]:
    return _ignoring_every_second(_draw_certain_classes(draw))


def _draw_one_counted(draw: Draw) -> tuple[np.ndarray, Any]:
    logits, labels = _draw_classes(draw)
    labels[1:] = IGNORED
    return logits, labels


def _draw_all_ignored(draw: Draw) -> tuple[np.ndarray, Any]:
    logits, labels = _draw_classes(draw)
    return logits, np.full_like(labels, IGNORED)


def _sum_of_row() -> float:
    logits_bar = jax.grad(softmax_cross_entropy)(jnp.array([[1.0, 2.0, 4.0]]), jnp.array([1]))
    return float(jnp.sum(logits_bar))


def _loss_of_equal_logits() -> float:
    return float(softmax_cross_entropy(jnp.zeros((1, 10)), jnp.array([3])))


HALF_SQUARED_ERROR = Exercise(
    name="losses.half_squared_error",
    title="half squared error",
    task=PairTask(
        primal=half_squared_error,
        fwd="half_squared_error_fwd",
        bwd="half_squared_error_bwd",
        draw=_draw_regression,
        awkward=(Case("a batch of one row", _draw_one_prediction),),
        mistakes=mistakes.HALF_SQUARED_ERROR,
    ),
    points=3,
    hints=(
        "Write the loss out for one entry: 0.5 * (prediction[n, j] - target[n, j])**2 / batch. In how many terms of "
        "the sum does prediction[n, j] stand?",
        "The two arguments never enter apart from each other: only their difference does. Let forward keep that, and "
        "backward need not know either of them.",
        "The half cancels the 2 of the square, and the mean over rows leaves one division, by the number of rows and "
        "not of entries. Everything is multiplied by loss_bar. The target's cotangent differs in one thing only.",
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
        awkward=(
            Case("logits of +-1e4", _draw_certain_yes_or_no),
            Case("a logit that is exactly zero", _draw_undecided_yes_or_no),
        ),
        data=(1,),
        mistakes=mistakes.BINARY_CROSS_ENTROPY,
    ),
    points=4,
    hints=(
        "One example first: loss = softplus(logit) - target * logit. Two terms: take the slope of each by the logit.",
        "The notebook finds the slope of softplus, and you have written a pair for that function in "
        "linear_and_activations. The second term is a number times the logit.",
        "What is left of one example is how far the probability is from the target. The mean divides it by the number "
        "of examples, loss_bar multiplies it. The target is data: its place in the tuple gets None.",
    ),
    asks={
        "logits_bar": "what is the slope of softplus, and what does the target's term add to it?   (steps 1, 2)",
        "target_bar": "in which one term does the target stand? It is data, so None will do.   (step 3)",
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
        awkward=(Case("logits of +-1e4", _draw_certain_classes), Case("a batch of one row", _draw_one_row)),
        mistakes=mistakes.SOFTMAX_CROSS_ENTROPY,
    ),
    points=5,
    hard=True,
    hints=(
        "One row first: loss = logsumexp(row) - row[label]. Two terms: the notebook works out the slope of the first "
        "by every logit. The second is a single entry: what is its slope by that entry, and by the others?",
        "So every entry of the row gets its probability, and one of them something more. jax.nn.one_hot(labels, "
        "classes) is a matrix with a single 1 in each row, at the label.",
        "For the probabilities take the largest logit of each row away before exp, or let jax.nn.softmax do it, along "
        "axis -1. The mean is over rows: divide by their number. Labels are whole numbers, which cannot be nudged by a "
        "little: None.",
    ),
    asks={"logits_bar": "which entry of each row was picked, and what does the mean do to each row?   (steps 2, 3)"},
)

SUM_OF_ROW = Exercise(
    name="losses.q1",
    title="the sum of a row",
    task=Number(
        "Each row of logits_bar of softmax cross-entropy adds up to the same number. Which?",
        compute=_sum_of_row,
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
            Option("a", "It saves one multiplication.", "What use is a saved multiplication if the result is inf?"),
            Option(
                "b",
                "A probability that is too small rounds to 0, and its logarithm is -inf.",
                "Right: no logarithm brings back what was rounded away. logsumexp never makes the small number.",
                right=True,
            ),
            Option(
                "c",
                "Probabilities have no derivative.",
                "They have one, by every logit; you will write it in the lesson on attention.",
            ),
            Option(
                "d",
                "Logits are what people understand better.",
                "People understand probabilities better. It is the machine, with 24 bits to a number, that does not.",
            ),
        ),
    ),
    points=1,
)

EQUAL_LOGITS = Exercise(
    name="losses.q3",
    title="a network that knows nothing",
    task=Number(
        "An untrained network gives about equal logits to 10 classes. Which loss do you expect, in nats?",
        compute=_loss_of_equal_logits,
        says="Right: each class has probability 0.1. If your first printed loss is far from it, look for a bug.",
        traps=(
            (lambda: math.log2(10), "That is in bits, by the logarithm to base 2. Nats take the natural one."),
            (lambda: 1.0, "That would be the logarithm to base 10. Nats take the natural one."),
            (lambda: 0.1, "That is the probability of the label. The loss is minus its logarithm."),
            (lambda: -math.log(10), "That is the logarithm. The loss is minus it, and never negative."),
            (lambda: 0.0, "That is the loss of a network that is certain, and right."),
        ),
        unit="nats",
    ),
    points=1,
)

SMOOTHED_CROSS_ENTROPY = Exercise(
    name="losses.smoothed_cross_entropy",
    title="label smoothing",
    task=PairTask(
        primal=smoothed_cross_entropy,
        fwd="smoothed_cross_entropy_fwd",
        bwd="smoothed_cross_entropy_bwd",
        draw=_draw_smoothed,
        awkward=(Case("no smoothing", _draw_not_smoothed), Case("logits of +-1e4", _draw_certain_smoothed)),
        data=(2,),
        mistakes=mistakes.SMOOTHED_CROSS_ENTROPY,
    ),
    points=2,
    required=False,
    hints=(
        "Write the truth of a row as an array that adds up to 1: every class has its share, and the label the rest on "
        "top. For three classes and a smoothing of 0.3 it is 0.1, 0.8, 0.1, if the label is the middle one.",
        "The loss of a row is minus the sum of truth times log of probability, and the log of a probability is its "
        "logit less logsumexp. Take the slopes of both terms; the truth is fixed, and adds up to 1.",
        "What comes out has the form that you know from one label, with another truth. The mean is over rows. Labels "
        "and smoothing are data: None for each.",
    ),
    asks={"logits_bar": "what is the truth of a row, and what does it add up to?   (steps 1, 2)"},
)

MASKED_CROSS_ENTROPY = Exercise(
    name="losses.masked_cross_entropy",
    title="ignored targets",
    task=PairTask(
        primal=masked_cross_entropy,
        fwd="masked_cross_entropy_fwd",
        bwd="masked_cross_entropy_bwd",
        draw=_draw_masked,
        awkward=(
            Case("a batch whose rows are all ignored", _draw_all_ignored),
            Case("a single row that counts", _draw_one_counted),
            Case("logits of +-1e4", _draw_certain_masked),
        ),
        mistakes=mistakes.MASKED_CROSS_ENTROPY,
    ),
    points=2,
    required=False,
    hints=(
        "Comparing labels with IGNORED gives a boolean for each row: it counts, or it does not. How many do?",
        "A row that counts gets what it gets in softmax cross-entropy, and a row that does not gets zeros: jnp.where "
        "picks, once the booleans have a second axis.",
        "Divide by the number of rows that count, not by len(labels), and by 1 if there is none. one_hot of a negative "
        "number is a row of zeros; that alone does not keep an ignored row still.",
    ),
    asks={"logits_bar": "which rows count, how many are they, and what comes back to the others?   (steps 1, 3)"},
)

IN_YOUR_WORDS = Exercise(
    name="losses.text",
    title="a first loss of 9.2",
    task=FreeText(
        "A run on ten classes begins with a loss of 9.2 nats, which then falls. What does this first number say "
        "about the network, where would you look, and does it matter, since the loss falls?",
        rubric=(
            Criterion(1, "A network that knows nothing has about log(10) = 2.3 nats."),
            Criterion(
                2,
                "At 9.2 the label has a probability of about exp(-9.2), 1 in 10,000: the network is sure, and wrong,"
                " before it has seen anything.",
            ),
            Criterion(
                2,
                "Look at the size of the logits: weights or inputs that are too large at the start. Or at the loss "
                "itself: a sum where a mean is meant, labels that are shifted.",
            ),
            Criterion(
                1, "It matters: the first steps are spent on undoing this, and it may hide a mistake in the loss."
            ),
        ),
    ),
    points=0,
    required=False,
)

WHICH_MISTAKE = Exercise(
    name="losses.q4",
    title="which mistake is this?",
    task=WhichMistake(
        (
            Source(HALF_SQUARED_ERROR.task, "loss_bar"),
            Source(BINARY_CROSS_ENTROPY.task, "loss_bar"),
            Source(SOFTMAX_CROSS_ENTROPY.task, "loss_bar"),
        )
    ),
    points=1,
)

PAPER = Paper(
    "losses",
    (
        HALF_SQUARED_ERROR,
        BINARY_CROSS_ENTROPY,
        SOFTMAX_CROSS_ENTROPY,
        SUM_OF_ROW,
        SMOOTHED_CROSS_ENTROPY,
        MASKED_CROSS_ENTROPY,
        WHY_LOGITS,
        EQUAL_LOGITS,
        IN_YOUR_WORDS,
        WHICH_MISTAKE,
    ),
)
