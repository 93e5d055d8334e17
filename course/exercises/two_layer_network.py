"""What `two_layer_network` asks: every cotangent by name, the pair, the batch, and what the numbers say."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from course.exercises.exercise import Exercise, Paper
from course.exercises.mistakes import two_layer_network as mistakes
from course.exercises.tasks.drawing import Draw
from course.exercises.tasks.free_text import Criterion, FreeText
from course.exercises.tasks.pair import Case, PairTask
from course.exercises.tasks.question import Choice, Number, Option
from course.exercises.tasks.shown import Source
from course.exercises.tasks.which_mistake import WhichMistake
from course.lessons.two_layer_network import (
    BatchNetwork,
    Cotangents,
    TwoLayer,
    batch_loss,
    batch_loss_fwd,
    no_nudges,
    nudged_loss,
    two_layer_loss,
    two_layer_loss_fwd,
)

SEVEN = tuple(range(len(Cotangents._fields)))
"""Places of the nudges among the arguments of `nudged_loss`."""

TARGET_SCALE = 8.0
"""Standard deviation of drawn targets: with errors of either sign, so is what comes back to the relus."""


def _draw_example(draw: Draw) -> tuple[TwoLayer, np.ndarray, np.ndarray]:
    params = TwoLayer(
        draw.normal("hidden", "d_in"), draw.normal("hidden"), draw.normal("d_out", "hidden"), draw.normal("d_out")
    )
    return params, draw.normal("d_in"), draw.normal("d_out", scale=TARGET_SCALE)


def _draw_nudges(draw: Draw) -> tuple[Any, ...]:
    params, x, target = _draw_example(draw)
    return (*no_nudges(params), params, x, target)


def _draw_nudges_at_kink(draw: Draw) -> tuple[Any, ...]:
    *nudges, params, x, target = _draw_nudges(draw)
    params.w1[0], params.b1[0] = 0.0, 0.0
    return (*nudges, params, x, target)


def _nudged_loss_fwd(*nudges_and_example: Any) -> Any:
    return two_layer_loss_fwd(*nudges_and_example[len(SEVEN) :])


def _draw_batch(draw: Draw) -> tuple[BatchNetwork, np.ndarray, np.ndarray]:
    params = BatchNetwork(
        draw.normal("d_in", "hidden"), draw.normal("hidden"), draw.normal("hidden", "d_out"), draw.normal("d_out")
    )
    return params, draw.normal("batch", "d_in"), draw.normal("batch", "d_out", scale=TARGET_SCALE)


def _draw_batch_at_kink(draw: Draw) -> tuple[BatchNetwork, np.ndarray, np.ndarray]:
    params, x, target = _draw_batch(draw)
    params.w1[:, 0], params.b1[0] = 0.0, 0.0
    return params, x, target


def _draw_one_row(draw: Draw) -> tuple[BatchNetwork, np.ndarray, np.ndarray]:
    params, x, target = _draw_batch(draw)
    return params, x[:1], target[:1]


def published_example() -> tuple[TwoLayer, np.ndarray, np.ndarray]:
    """Returns the parameters, example and target of a published example, in NumPy's float64.

    NumPy's legacy generator at seed 42 draws 0.1 * randn(4, 3) for w1, then 0.1 * randn(1, 4) for w2; biases are zero.
    """
    generator = np.random.RandomState(42)
    w1, w2 = 0.1 * generator.randn(4, 3), 0.1 * generator.randn(1, 4)
    params = TwoLayer(w1, np.zeros(4), w2, np.zeros(1))
    return params, np.array([1.0, 2.0, 3.0]), np.array([1.0])


def _error() -> float:
    with jax.enable_x64(True):
        _, residuals = two_layer_loss_fwd(*jax.tree.map(jnp.asarray, published_example()))
        return float(residuals.error[0])


COTANGENTS = Exercise(
    name="two_layer_network.cotangents",
    title="all seven cotangents",
    task=PairTask(
        primal=nudged_loss,
        fwd="two_layer_loss_fwd",
        bwd="two_layer_cotangents",
        draw=_draw_nudges,
        awkward=(Case("a hidden unit at exactly z1 = 0", _draw_nudges_at_kink),),
        given=_nudged_loss_fwd,
        asked=SEVEN,
        traceable=False,
        mistakes=mistakes.COTANGENTS,
    ),
    points=7,
    hints=(
        "Start at the loss and name what touches it last. Each cotangent has the shape of its value.",
        "z2_bar needs loss_bar and the error that forward kept. From it, w2_bar, b2_bar and a1_bar take one line each.",
        "z2[i] = sum_j w2[i, j] a1[j] + b2[i]: differentiate by one entry of w2, of b2, of a1, and collect. What is "
        "left is an outer product, a copy, and a product with something transposed. Then the same one layer down.",
    ),
    asks={
        "z2_bar": "how does the loss move when z2 does, and the final result when the loss does?   (step 1)",
        "w2_bar": "which z2[i] does w2[i, j] touch, and what stands beside it?   (step 2)",
        "b2_bar": "which z2[i] does b2[i] touch, and by how much?   (step 2)",
        "a1_bar": "a1[j] touches every z2[i]: by way of which entries of w2?   (step 3)",
        "z1_bar": "through which entries of z1 did anything pass?   (step 4)",
        "w1_bar": "which z1[i] does w1[i, j] touch, and what stands beside it?   (step 5)",
        "b1_bar": "which z1[i] does b1[i] touch, and by how much?   (step 5)",
    },
    scaffold="lines",
)

PAIR = Exercise(
    name="two_layer_network.pair",
    title="the pair",
    task=PairTask(
        primal=two_layer_loss,
        fwd="two_layer_loss_fwd",
        bwd="two_layer_loss_bwd",
        draw=_draw_example,
        given=two_layer_loss_fwd,
        data=(1, 2),
        traceable=False,
        mistakes=mistakes.PAIR,
    ),
    points=4,
    uses=("two_layer_network.cotangents",),
    hints=(
        "You have computed every number already: call your own function.",
        "Return three things, one for each argument of two_layer_loss. Two of these are data.",
        "The first is a TwoLayer; give it its four arrays by name, and their order looks after itself.",
    ),
    asks={"params_bar": "which of the seven belongs to this parameter?   (step 1)"},
)

BATCH = Exercise(
    name="two_layer_network.batch",
    title="the batch",
    task=PairTask(
        primal=batch_loss,
        fwd="batch_loss_fwd",
        bwd="batch_loss_bwd",
        draw=_draw_batch,
        awkward=(
            Case("a hidden unit at exactly z1 = 0", _draw_batch_at_kink),
            Case("a batch of one row", _draw_one_row),
        ),
        given=batch_loss_fwd,
        data=(1, 2),
        traceable=False,
        mistakes=mistakes.BATCH,
    ),
    points=4,
    hard=True,
    hints=(
        "The loss is now a mean: each row's error counts for less than it did. How much less?",
        "Rows instead of columns: every product is the transpose of the one that you wrote before.",
        "A bias was added to every row, so its cotangent sums over the rows. The product that gives w2_bar has the "
        "same sum inside it; no sum stands in z1_bar.",
    ),
    asks={
        "params_bar.w2": "every row used the same w2: what follows?   (step 2)",
        "params_bar.b2": "every row used the same b2: what follows?   (step 2)",
        "params_bar.w1": "every row used the same w1: what follows?   (step 4)",
        "params_bar.b1": "every row used the same b1: what follows?   (step 4)",
    },
)

WHY_SAVE = Exercise(
    name="two_layer_network.q1",
    title="why save this?",
    task=Choice(
        "Forward kept `x`, `z1`, `a1`, `w2` and `error`, but not `w1`. Why not?",
        (
            Option("a", "It is too large.", "Size is a reason to drop something, but only if backward can do without."),
            Option("b", "It can be computed again from z1.", "Many different w1 lead to the same z1."),
            Option(
                "c",
                "No cotangent that is asked for needs it.",
                "Right: only x_bar would, and x is data. Residuals are what backward reads, and no more.",
                right=True,
            ),
            Option("d", "It changes in the update.", "So does w2, and w2 was kept: backward runs before the update."),
        ),
    ),
    points=1,
)

DEAD_UNIT = Exercise(
    name="two_layer_network.q2",
    title="the dead unit",
    task=Choice(
        "In the published example hidden unit 4 has `z1 = -0.178`. What does its row of `w1` get, and why?",
        (
            Option(
                "a",
                "Small numbers, because its weight in w2 is small: -0.056.",
                "That weight gives a1_bar, which is not zero. What does the relu make of it on the way to z1_bar?",
            ),
            Option(
                "b",
                "Zeros for now; the steps of the other units will wake it.",
                "Its z1 is its own row of w1 times x, plus its own b1: nothing of the other units is in there.",
            ),
            Option(
                "c",
                "The same as any other row, since x is the same.",
                "Row i of w1_bar is x times one number, z1_bar[i]. Which number has this unit?",
            ),
            Option(
                "d",
                "Zeros, because nothing passed its relu, so nothing comes back.",
                "Right. Its row, its bias and so its z1 stay as they are: trained on this example alone, it sleeps on.",
                right=True,
            ),
        ),
    ),
    points=1,
)

LOSS_BAR = Exercise(
    name="two_layer_network.q3",
    title="when loss_bar is not 1",
    task=Number(
        "Someone goes on with the loss: `total = 3 * loss`. What is the derivative of `total` by `b2[0]`, in the "
        "published example?",
        compute=lambda: 3 * _error(),
        says="Right: the pass was handed loss_bar = 3, and every cotangent is three times what it was.",
        traps=(
            (_error, "That is the derivative of loss by b2[0]. What is loss_bar, if total is what comes last?"),
            (lambda: _error() / 3, "Does the total move more than the loss does, or less?"),
            (lambda: -3 * _error(), "The size is right. Does the loss grow or fall when b2[0] grows?"),
        ),
    ),
    points=1,
)

LISTINGS = Exercise(
    name="two_layer_network.q4",
    title="three differences",
    task=Choice(
        'The PyTorch listing trains "the same" network. Which three things differ from the published example?',
        (
            Option(
                "a",
                "The loss, the weights at the start, the size of the step.",
                "Two of these. The step is 0.01 in both: lr=0.01.",
            ),
            Option(
                "b",
                "The loss, the weights at the start, the layout of x.",
                "Right: MSELoss has no 1/2, nn.Linear draws its own weights, and an example is a row. Neither the "
                "losses nor the gradients can be compared number by number.",
                right=True,
            ),
            Option(
                "c",
                "The loss, the activation, the layout of x.",
                "Two of these. nn.ReLU is the same function, and takes relu'(0) = 0 too.",
            ),
            Option(
                "d",
                "The weights at the start, the layout of x, and it has no biases.",
                "Two of these. nn.Linear has a bias unless it is told otherwise.",
            ),
        ),
    ),
    points=1,
)

ZERO_GRAD = Exercise(
    name="two_layer_network.q5",
    title="why zero_grad?",
    task=Choice(
        "The listing calls `optimizer.zero_grad()` at every step; the JAX loop has nothing like it. Why?",
        (
            Option(
                "a",
                "`backward()` adds to what is in `.grad`; `value_and_grad` returns a new gradient.",
                "Right: without it, step 5 would move along the sum of five gradients.",
                right=True,
            ),
            Option(
                "b",
                "It frees the memory of the graph.",
                "backward() lets go of the graph by itself. What would be in .grad after two calls of it?",
            ),
            Option(
                "c",
                "Without it, dead units would keep the gradient of the step before.",
                "They would be handed zeros, to be added like all others. Added to what?",
            ),
            Option(
                "d",
                "It marks the parameters that the next step may change.",
                "That is settled once, by model.parameters(). What would be in .grad after two calls of backward()?",
            ),
        ),
    ),
    points=1,
)

IN_YOUR_WORDS = Exercise(
    name="two_layer_network.text",
    title="a unit that is off",
    task=FreeText(
        "For the example at hand z1 of one hidden unit is below zero. Before you compute anything: which numbers "
        "among the seven cotangents are zero because of that, which are not although one might think so, and why?",
        rubric=(
            Criterion(1, "Its z1_bar is zero: the slope of relu is zero there."),
            Criterion(1, "So are its row of w1_bar and its entry of b1_bar, which are made of z1_bar."),
            Criterion(1, "Its column of w2_bar is zero for another reason: its a1 is zero."),
            Criterion(
                2, "Its a1_bar is not zero in general: it is made of w2 and z2_bar, and has not met the relu yet."
            ),
            Criterion(1, "It is off for this example alone; with another x it may get something."),
        ),
    ),
    points=0,
    required=False,
)

WHICH_MISTAKE = Exercise(
    name="two_layer_network.q6",
    title="which mistake is this?",
    task=WhichMistake(
        (
            Source(COTANGENTS.task, "loss_bar"),
            Source(BATCH.task, "loss_bar"),
        )
    ),
    points=1,
)

PAPER = Paper(
    "two_layer_network",
    (COTANGENTS, WHY_SAVE, DEAD_UNIT, PAIR, LOSS_BAR, BATCH, LISTINGS, ZERO_GRAD, IN_YOUR_WORDS, WHICH_MISTAKE),
)
