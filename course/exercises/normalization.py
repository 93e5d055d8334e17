"""What `normalization` asks: layer norm in steps and at once, RMS norm, batch norm with its state, group norm.

Numbers are drawn close together, so that EPSILON, which stands beside their variance, shows.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from course.exercises.exercise import Exercise, Paper
from course.exercises.mistakes import normalization as mistakes
from course.exercises.tasks.drawing import Draw
from course.exercises.tasks.free_text import Criterion, FreeText
from course.exercises.tasks.limits import Limits
from course.exercises.tasks.pair import Case, PairTask
from course.exercises.tasks.question import Choice, Number, Option
from course.exercises.tasks.shown import Source
from course.exercises.tasks.which_mistake import WhichMistake
from course.lessons.normalization import (
    GROUPS,
    Running,
    batch_norm,
    batch_norm_evaluation,
    centre,
    group_norm,
    layer_norm,
    reciprocal_std,
    rms_norm,
)

SPREAD = 0.05
"""Standard deviation of what is normalised: its square is a few hundred times EPSILON."""

FEWEST = 3
"""Numbers that share a mean in a counterexample: two, once normalised, are 1 and -1, and nothing comes back to them."""

SHOWN = (2, 4)
"""Rows, and numbers in a row, of what somebody's mistake is shown at."""

ROW = (300.0, -100.0, 400.0, 100.0, -500.0, 900.0)
"""A row beside whose variance EPSILON is nothing."""


def _draw_rows(draw: Draw) -> tuple[np.ndarray]:
    draw.size("batch")
    draw.size("d", FEWEST)
    return (draw.normal("batch", "d", scale=SPREAD),)


def _draw_equal_row(draw: Draw) -> tuple[np.ndarray]:
    (x,) = _draw_rows(draw)
    x[0] = 2.0
    return (x,)


def _draw_centred(draw: Draw) -> tuple[np.ndarray]:
    (x,) = _draw_rows(draw)
    return (x - x.mean(axis=-1, keepdims=True),)


def _draw_centred_zeros(draw: Draw) -> tuple[np.ndarray]:
    (centred,) = _draw_centred(draw)
    centred[0] = 0.0
    return (centred,)


def _draw_layer(draw: Draw) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return *_draw_rows(draw), draw.normal("d"), draw.normal("d")


def _draw_equal_layer(draw: Draw) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    x, scale, bias = _draw_layer(draw)
    x[0] = 2.0
    return x, scale, bias


def _draw_rms(draw: Draw) -> tuple[np.ndarray, np.ndarray]:
    return *_draw_rows(draw), draw.normal("d")


def _draw_zero_rms(draw: Draw) -> tuple[np.ndarray, np.ndarray]:
    x, scale = _draw_rms(draw)
    x[0] = 0.0
    return x, scale


def _draw_batch(draw: Draw) -> tuple[np.ndarray, np.ndarray, np.ndarray, Running]:
    draw.size("batch", FEWEST)
    x, scale, bias = draw.normal("batch", "d", scale=SPREAD), draw.normal("d"), draw.normal("d")
    return x, scale, bias, Running(draw.normal("d", scale=SPREAD), draw.normal("d", scale=SPREAD) ** 2)


def _draw_one_row(draw: Draw) -> tuple[np.ndarray, np.ndarray, np.ndarray, Running]:
    x, scale, bias, running = _draw_batch(draw)
    return x[:1], scale, bias, running


def _draw_images(draw: Draw) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    draw.size("batch")
    draw.size("channels_each")
    draw.size("length", FEWEST)
    x = np.concatenate([draw.normal("batch", "channels_each", "length", scale=SPREAD) for _ in range(GROUPS)], axis=1)
    scale, bias = (np.concatenate([draw.normal("channels_each") for _ in range(GROUPS)]) for _ in range(2))
    return x, scale, bias


def _two_a_row(x: Any, scale: Any, bias: Any) -> int:
    return 2 * len(x) * x.dtype.itemsize


def _one_a_row(x: Any, scale: Any) -> int:
    return len(x) * x.dtype.itemsize


def _directions_that_arrive() -> int:
    """Counts the singular values of layer norm's Jacobian that are not next to zero."""
    with jax.enable_x64(True):
        x, one = jnp.array([ROW]), jnp.ones(len(ROW))
        jacobian = np.asarray(jax.jacobian(lambda x: layer_norm(x, one, 0 * one))(x)).reshape(len(ROW), len(ROW))
    sizes = np.linalg.svd(jacobian, compute_uv=False)
    return int(np.sum(sizes > 1e-6 * sizes.max()))


def _factors_of_ten() -> tuple[float, float, float]:
    """By what the value, the weights' cotangent and the input's change when the weights are ten times as large."""
    with jax.enable_x64(True):
        w = jnp.asarray(np.random.default_rng(0).standard_normal((len(ROW), len(ROW))))
        x, one = jnp.array([ROW]), jnp.ones(len(ROW))

        def sizes(w: jax.Array) -> np.ndarray:
            y, pullback = jax.vjp(lambda x, w: layer_norm(x @ w, one, 0 * one), x, w)
            x_bar, w_bar = pullback(jnp.asarray([ROW]) ** 2)
            return np.array([np.linalg.norm(array) for array in (y, w_bar, x_bar)])

        y, w_bar, x_bar = sizes(10 * w) / sizes(w)
    return float(y), float(w_bar), float(x_bar)


CENTRE = Exercise(
    name="normalization.centre",
    title="centre a row",
    task=PairTask(
        primal=centre,
        fwd="centre_fwd",
        bwd="centre_bwd",
        draw=_draw_rows,
        awkward=(Case("a row of equal numbers", _draw_equal_row),),
        mistakes=mistakes.CENTRE,
    ),
    points=2,
    hints=(
        "Two ways lead from x[n, k] to y: it is in y[n, k] itself, and it is in the mean of its row. Used twice: add.",
        "What comes back to the mean? It was taken away from every entry of the row: broadcast forward, sum backward, "
        "with the sign that it has. The notebook says what a mean hands on to each of its numbers.",
        "Two things to hold it against. A y_bar of the same number everywhere in a row must give zeros: if all of y is "
        "to go up, no x can do that. And every row of x_bar must add up to 0.",
    ),
    asks={"x_bar": "x[n, k] is in y[n, k] and in the mean: what comes back by each way?   (step 1)"},
)

RECIPROCAL_STD = Exercise(
    name="normalization.reciprocal_std",
    title="one over the standard deviation",
    task=PairTask(
        primal=reciprocal_std,
        fwd="reciprocal_std_fwd",
        bwd="reciprocal_std_bwd",
        draw=_draw_centred,
        awkward=(Case("a row of zeros", _draw_centred_zeros),),
        mistakes=mistakes.RECIPROCAL_STD,
    ),
    points=3,
    hints=(
        "Two links: a mean of squares, the variance, and then a power of -0.5. Take them one at a time, from the end.",
        "The slope of v ** -0.5 is -0.5 * v ** -1.5. Which power of rstd is v ** -1.5? And of the variance, each "
        "number of the row holds a share: its square, divided by how many there are.",
        "In code three lines: unpack; the variance's cotangent, of shape (batch, 1); then its share for each number, "
        "which has two factors beside it, from the square and from the mean. A row of zeros gets zeros.",
    ),
    asks={
        "centred_bar": "the power -0.5, and then the mean of squares: what is the slope of each?   (steps 1, 2)",
    },
)

LAYER_NORM_IN_STEPS = Exercise(
    name="normalization.layer_norm_in_steps",
    title="layer norm, made of its steps",
    task=PairTask(
        primal=layer_norm,
        fwd="layer_norm_in_steps_fwd",
        bwd="layer_norm_in_steps_bwd",
        draw=_draw_layer,
        awkward=(Case("a row of equal numbers", _draw_equal_layer),),
        mistakes=mistakes.LAYER_NORM,
    ),
    points=4,
    uses=("normalization.centre", "normalization.reciprocal_std"),
    hints=(
        "Forward has four lines: centre, reciprocal_std, the product of the two, and scale with bias. Backward has the "
        "same four in the opposite order. Keep whatever a step will ask for.",
        "Both products have a factor that was copied: scale and bias to every row, rstd along each row. So their "
        "cotangents are sums over the axis of the copies; rstd's keeps its shape, (batch, 1).",
        "centred gets something from two sides: from the product, and from reciprocal_std_bwd, which returns a tuple "
        "of one. Add them before anything goes on to centre_bwd.",
    ),
    asks={
        "x_bar": "centred was used twice: are both contributions in what centre_bwd is given?   (steps 2 to 4)",
        "scale_bar": "scale was copied to every row: what does backward do?   (step 1)",
        "bias_bar": "bias was copied to every row: what does backward do?   (step 1)",
    },
)

WHAT_ARRIVES = Exercise(
    name="normalization.q1",
    title="what arrives",
    task=Number(
        "A row of 6 numbers goes through layer norm, with a scale of ones and a negligible EPSILON. y_bar has 6 "
        "numbers as well, which may be anything. In how many independent directions can x_bar point?",
        compute=_directions_that_arrive,
        says="Right: all but two. What y_bar has along the row of ones, and along x_hat, never arrives at x.",
        traps=(
            (lambda: 6, "Then nothing would be lost. What comes back for a y_bar of ones, and for y_bar = x_hat?"),
            (lambda: 5, "So it is for centring alone. Which y_bar changes nothing but the spread of a row?"),
            (lambda: 2, "So many are lost. How many are left?"),
        ),
    ),
    points=1,
)

LAYER_NORM = Exercise(
    name="normalization.layer_norm",
    title="layer norm, at once",
    task=PairTask(
        primal=layer_norm,
        fwd="layer_norm_fwd",
        bwd="layer_norm_bwd",
        draw=_draw_layer,
        awkward=(Case("a row of equal numbers", _draw_equal_layer),),
        limits=Limits(flops=1.5, residual_bytes=_two_a_row),
        mistakes=mistakes.LAYER_NORM,
    ),
    points=6,
    cost_points=1,
    hard=True,
    hints=(
        "Take the lines of your pass in steps and put one into the other, until x_bar is written with x_hat_bar, x_hat "
        "and rstd alone. Wherever centred stands, write x_hat / rstd.",
        "rstd_bar is a sum over the row; multiplied by rstd**3 and centred, and divided by d, it becomes x_hat times a "
        "mean. And centring takes a mean away; of x_hat itself that mean is 0.",
        "x_bar is rstd times a bracket of three terms: x_hat_bar less its part along the row of ones less its part "
        "along x_hat. Both parts are means over the row, with keepdims. Two numbers a row are enough to make x_hat "
        "again from x: keep these, and not x_hat.",
    ),
    asks={
        "x_bar": "which two parts of x_hat_bar never arrive, and what is in front of the bracket?   (steps 2, 3)",
        "scale_bar": "scale was copied to every row: what does backward do?   (step 1)",
        "bias_bar": "bias was copied to every row: what does backward do?   (step 1)",
    },
)

RMS_NORM = Exercise(
    name="normalization.rms_norm",
    title="RMS norm",
    task=PairTask(
        primal=rms_norm,
        fwd="rms_norm_fwd",
        bwd="rms_norm_bwd",
        draw=_draw_rms,
        awkward=(Case("a row of zeros", _draw_zero_rms),),
        limits=Limits(flops=1.5, residual_bytes=_one_a_row),
        mistakes=mistakes.RMS_NORM,
    ),
    points=3,
    cost_points=1,
    hints=(
        "It is layer norm without its first step and without its bias. So of x_bar's bracket, what is left out?",
        "Whatever multiple of 1 you add to a row, its mean square changes: so the part along ones does arrive. Growing "
        "the whole row by a factor still changes nothing.",
        "Keep x, scale and one number a row. x_hat is x times that number. The bracket has two terms, the second of "
        "them x_hat times a mean over the row.",
    ),
    asks={
        "x_bar": "which one part of x_hat_bar never arrives here?   (step 2)",
        "scale_bar": "scale was copied to every row: what does backward do?   (step 1)",
    },
)

TEN_TIMES = Exercise(
    name="normalization.q2",
    title="weights ten times as large",
    task=Number(
        "y = layer_norm(x @ w, scale, bias), and EPSILON is negligible. All of w becomes ten times as large, and y_bar "
        "stays what it was. By which factor does y change, by which w_bar, and by which x_bar? Answer with three "
        "numbers.",
        compute=_factors_of_ten,
        says="Right. So what goes through the layer and what comes back through it are the same for weights of any "
        "size; and weights that are too large get smaller gradients.",
        traps=(
            (lambda: (10, 1, 10), "So it is without layer norm. What does that do to a row ten times as large?"),
            (lambda: (1, 1, 1), "y is right. A step in w that is ten times as small beside w turns y as much less."),
            (lambda: (1, 10, 1), "Turn it round: large weights are harder to turn by a step of the same length."),
            (lambda: (1, 0.1, 0.1), "Two are right. x_bar goes through rstd, a tenth, and then through w."),
            (lambda: (1, 1, 0.1), "y is right. Through which of the two does rstd's tenth meet a w that is larger?"),
        ),
    ),
    points=1,
)

BATCH_NORM = Exercise(
    name="normalization.batch_norm",
    title="batch norm in training",
    task=PairTask(
        primal=batch_norm,
        fwd="batch_norm_fwd",
        bwd="batch_norm_bwd",
        draw=_draw_batch,
        awkward=(Case("a batch of one row", _draw_one_row),),
        data=(3,),
        mistakes=mistakes.BATCH_NORM,
    ),
    points=4,
    hints=(
        "Stand x on its side: each column of a batch is normalised as layer norm does it with a row. scale and bias go "
        "with columns, as before.",
        "fwd returns ((y, running), residuals), so bwd is handed a pair of cotangents, one for y and one for the "
        "state. Of the state's nothing comes back, whatever it holds.",
        "The bracket is layer norm's, its two means taken down the columns. running takes a tenth of this batch's mean "
        "and variance: jax.tree.map with two trees does both at once. In backward's tuple its place gets None.",
    ),
    asks={
        "x_bar": "over which axis are the two means taken, and does the state send anything?   (step 2)",
        "scale_bar": "scale was copied to every row: what does backward do?   (step 1)",
        "bias_bar": "bias was copied to every row: what does backward do?   (step 1)",
    },
)

BATCH_NORM_EVALUATION = Exercise(
    name="normalization.batch_norm_evaluation",
    title="batch norm in evaluation",
    task=PairTask(
        primal=batch_norm_evaluation,
        fwd="batch_norm_evaluation_fwd",
        bwd="batch_norm_evaluation_bwd",
        draw=_draw_batch,
        awkward=(Case("a batch of one row", _draw_one_row),),
        data=(3,),
        mistakes=mistakes.BATCH_NORM_EVALUATION,
    ),
    points=2,
    required=False,
    hints=(
        "The statistics came from elsewhere: they do not move when x moves. What is y then, as a function of x?",
        "A straight line for each column. Its slope has two factors.",
        "x_bar is one product of three. For scale_bar, what stands beside scale in y is x_hat, made of the running "
        "statistics. Their own place gets None.",
    ),
    asks={
        "x_bar": "what stands beside x in y, if mean and rstd do not move?   (step 1)",
        "scale_bar": "what stands beside scale in y?   (step 1)",
        "bias_bar": "bias was copied to every row: what does backward do?   (step 1)",
    },
)

GROUP_NORM = Exercise(
    name="normalization.group_norm",
    title="group norm",
    task=PairTask(
        primal=group_norm,
        fwd="group_norm_fwd",
        bwd="group_norm_bwd",
        draw=_draw_images,
        mistakes=mistakes.GROUP_NORM,
    ),
    points=3,
    required=False,
    hints=(
        "Reshape x so that each row holds one group of one example: the channels of a group lie side by side. What is "
        "done to such a row, you know.",
        "scale and bias go with channels, the middle axis: scale[:, None] fits them to x. They were copied to every "
        "example and to every position, so two axes are summed.",
        "Backward: x_hat_bar in the shape of x, then reshaped like x_hat; layer norm's bracket there; and the result "
        "back in the shape of x.",
    ),
    asks={
        "x_bar": "which numbers share a mean, and are the two means of backward taken over just these?   (step 2)",
        "scale_bar": "scale was copied along which two axes?   (step 1)",
        "bias_bar": "bias was copied along which two axes?   (step 1)",
    },
)

BLIND_TEST = Exercise(
    name="normalization.q3",
    title="a test that sees nothing",
    task=Choice(
        "A test of batch norm, with a scale of ones and a bias of zeros, takes sum(y**2) for the loss, and asks "
        "whether x_bar is right to 3 decimals. Which backward passes get through?",
        (
            Option("a", "The right one alone.", "What is y_bar here? And does it arrive?"),
            Option(
                "b",
                "None: this loss has no derivative.",
                "It has one. But think what sum(y**2) is, once y is normalised: can x change it?",
            ),
            Option(
                "c",
                "One that returns zeros for x_bar, too.",
                "Right: y_bar is 2 * y, which is 2 * x_hat here, and nothing of it arrives. A test needs a y_bar that "
                "is not made of y: a random one.",
                right=True,
            ),
            Option(
                "d",
                "All whose x_bar adds up to zero.",
                "More than adding up is asked: each entry must be near the right one. What is the right one?",
            ),
        ),
    ),
    points=1,
    required=False,
)

IN_YOUR_WORDS = Exercise(
    name="normalization.text",
    title="good in training, bad in use",
    task=FreeText(
        "A colleague's network with batch norm learns well. In use, where examples come one at a time, its answers are "
        "poor, and they change with whatever else is in the batch. What would you ask, what may have gone wrong, and "
        "would layer norm have helped?",
        rubric=(
            Criterion(
                2,
                "In training each example is normalised by its batch, so that its value depends on the others; in "
                "evaluation by the running statistics, so that it does not.",
            ),
            Criterion(
                2,
                "The likely slips: still in training mode, with one example as its own batch; or running statistics "
                "that were not carried along, or too slowly, or of other data.",
            ),
            Criterion(
                1,
                "A way to find out: one example alone and in a batch, or the running mean beside that of the data.",
            ),
            Criterion(1, "Layer norm looks at one example at a time, and is the same function in training and in use."),
        ),
    ),
    points=0,
    required=False,
)

WHICH_MISTAKE = Exercise(
    name="normalization.q4",
    title="which mistake is this?",
    task=WhichMistake(
        tuple(Source(exercise.task, "y_bar", sizes=SHOWN) for exercise in (LAYER_NORM, RMS_NORM, BATCH_NORM_EVALUATION))
    ),
    points=1,
)

PAPER = Paper(
    "normalization",
    (
        CENTRE,
        RECIPROCAL_STD,
        LAYER_NORM_IN_STEPS,
        WHAT_ARRIVES,
        LAYER_NORM,
        RMS_NORM,
        TEN_TIMES,
        BATCH_NORM,
        BATCH_NORM_EVALUATION,
        GROUP_NORM,
        BLIND_TEST,
        IN_YOUR_WORDS,
        WHICH_MISTAKE,
    ),
    shows_forward=True,
    shows_cost=True,
)
