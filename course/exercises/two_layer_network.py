"""What `two_layer_network` asks: every cotangent by name, the pair, the batch, and what the numbers say."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from course.exercises.exercise import Exercise, Paper
from course.exercises.tasks.drawing import Draw
from course.exercises.tasks.pair import PairTask
from course.exercises.tasks.question import Choice, Number, Option
from course.lessons.two_layer_network import (
    BatchNetwork,
    Cotangents,
    TwoLayer,
    batch_loss,
    batch_loss_fwd,
    nudged_loss,
    two_layer_loss,
    two_layer_loss_fwd,
)


def _draw_example(draw: Draw) -> tuple[TwoLayer, np.ndarray, np.ndarray]:
    params = TwoLayer(
        draw.normal("hidden", "d_in"), draw.normal("hidden"), draw.normal("d_out", "hidden"), draw.normal("d_out")
    )
    return params, draw.normal("d_in"), draw.normal("d_out")


def _draw_nudges(draw: Draw) -> tuple[Any, ...]:
    params, x, target = _draw_example(draw)
    still = Cotangents(
        params.b2 * 0, params.w2 * 0, params.b2 * 0, params.b1 * 0, params.b1 * 0, params.w1 * 0, params.b1 * 0
    )
    return (*still, params, x, target)


def _nudged_loss_fwd(*nudges_and_example: Any) -> Any:
    return two_layer_loss_fwd(*nudges_and_example[len(Cotangents._fields) :])


def _draw_batch(draw: Draw) -> tuple[BatchNetwork, np.ndarray, np.ndarray]:
    params = BatchNetwork(
        draw.normal("d_in", "hidden"), draw.normal("hidden"), draw.normal("hidden", "d_out"), draw.normal("d_out")
    )
    return params, draw.normal("batch", "d_in"), draw.normal("batch", "d_out")


COTANGENTS = Exercise(
    name="two_layer_network.cotangents",
    title="all seven cotangents",
    task=PairTask(
        primal=nudged_loss,
        fwd="two_layer_loss_fwd",
        bwd="two_layer_cotangents",
        draw=_draw_nudges,
        given=_nudged_loss_fwd,
        asked=tuple(range(len(Cotangents._fields))),
        traceable=False,
    ),
    points=7,
    hints=(
        "Start at the loss and name what touches it last. Each cotangent has the shape of its value.",
        "z2_bar needs loss_bar and the error that forward kept. From it, w2_bar, b2_bar and a1_bar each take one line.",
        "z2[i] = sum_j w2[i, j] a1[j] + b2[i]: differentiate by one entry of each of w2, b2 and a1, and write what is "
        "left as an outer product, a copy, and a product with the transpose. Then do the same one layer down.",
    ),
    asks={
        "z2_bar": "how does the loss move when z2 does?   (step 1)",
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
    ),
    points=4,
    uses=("two_layer_network.cotangents",),
    hints=(
        "You have computed every number already: call your own function.",
        "The first entry of the tuple has the type of params, the other two are None.",
        "TwoLayer wants its four arrays in the order w1, b1, w2, b2.",
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
        given=batch_loss_fwd,
        data=(1, 2),
        traceable=False,
    ),
    points=4,
    hard=True,
    hints=(
        "The loss is now a mean. It is divided by the number of rows once, at the very start of backward.",
        "Rows instead of columns: every product is the transpose of the one you wrote before.",
        "A bias is added to every row, so its cotangent is a sum over the rows; so is the product that gives w2_bar.",
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
        "Forward kept x, z1, a1, w2 and the error. Why did it not keep w1?",
        (
            Option(
                "a", "It is too large.", "Size is a reason to drop something, but only if backward can do without it."
            ),
            Option(
                "b",
                "No cotangent that is asked for needs it.",
                "Right: w1 would only be needed for x_bar, and x is data. Residuals are what backward reads, no more.",
                right=True,
            ),
            Option("c", "It can be computed again from z1.", "z1 alone does not give w1 back: many w1 lead to one z1."),
        ),
    ),
    points=1,
)

DEAD_UNIT = Exercise(
    name="two_layer_network.q2",
    title="the dead unit",
    task=Number(
        "In the published example hidden unit 4 has z1 = -0.178. What is the norm of its row of w1_bar?",
        compute=lambda: _row_norm(3),
        says="Nothing passed through the relu there, so nothing comes back: the row stays as it is for this example.",
        traps=(
            (
                lambda: _row_norm(3, ignore_relu=True),
                "That is what would come back if the relu had let it pass: look at the sign of z1.",
            ),
        ),
    ),
    points=1,
)

LOSS_BAR = Exercise(
    name="two_layer_network.q3",
    title="why loss_bar is not always 1",
    task=Choice(
        "bwd takes loss_bar. When is it something other than 1?",
        (
            Option(
                "a", "Never: the derivative of the loss by itself is 1.", "It is, when the loss comes last. Must it?"
            ),
            Option(
                "b",
                "When the loss is itself used further, say scaled by 0.1 and added to another.",
                "Right: then the loss is one more intermediate, and its cotangent is 0.1.",
                right=True,
            ),
            Option(
                "c",
                "When there is more than one example.",
                "The mean over a batch is inside the loss, before loss_bar.",
            ),
        ),
    ),
    points=1,
)

LISTINGS = Exercise(
    name="two_layer_network.q4",
    title="three differences",
    task=Choice(
        "The PyTorch listing beside this example trains 'the same' network. Which three things differ?",
        (
            Option("a", "The optimiser, the learning rate and the seed.", "Both take plain steps of 0.01."),
            Option(
                "b",
                "MSELoss has no 1/2, nn.Linear draws its own weights, and it takes rows.",
                "Right. So neither its losses nor its gradients can be compared with ours number by number.",
                right=True,
            ),
            Option("c", "relu, the number of layers and the target.", "Those three are the same in both."),
        ),
    ),
    points=1,
)


def published_example() -> tuple[TwoLayer, np.ndarray, np.ndarray]:
    """Returns the parameters, example and target of a published example, in NumPy's float64.

    NumPy's legacy generator at seed 42 draws 0.1 * randn(4, 3) for w1, then 0.1 * randn(1, 4) for w2; biases are zero.
    """
    generator = np.random.RandomState(42)
    w1, w2 = 0.1 * generator.randn(4, 3), 0.1 * generator.randn(1, 4)
    params = TwoLayer(w1, np.zeros(4), w2, np.zeros(1))
    return params, np.array([1.0, 2.0, 3.0]), np.array([1.0])


def _row_norm(row: int, *, ignore_relu: bool = False) -> float:
    params, x, target = published_example()
    _, residuals = two_layer_loss_fwd(params, x, target)
    passed = 1.0 if ignore_relu else float(residuals.z1[row] > 0)
    z1_bar = float(jnp.dot(params.w2[:, row], residuals.error)) * passed
    return float(np.linalg.norm(z1_bar * np.asarray(x)))


PAPER = Paper("two_layer_network", (COTANGENTS, PAIR, BATCH, WHY_SAVE, DEAD_UNIT, LOSS_BAR, LISTINGS))
