"""What `mlp` asks: a whole network's pass made of the learner's own pairs, and its loss; cost is shown from here on."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from course.exercises.exercise import Exercise, Paper
from course.exercises.tasks.drawing import Draw
from course.exercises.tasks.limits import Limits
from course.exercises.tasks.pair import PairTask
from course.exercises.tasks.question import Choice, Option
from course.lessons.mlp import Layer, Mlp, mlp, mlp_loss


def _draw_params(draw: Draw) -> Mlp:
    sizes = ("d_in", "first", "second", "classes")
    return Mlp([Layer(draw.normal(a, b), draw.normal(b)) for a, b in pairwise(sizes)])


def _draw_network(draw: Draw) -> tuple[Mlp, np.ndarray]:
    return _draw_params(draw), draw.normal("batch", "d_in")


def _draw_loss(draw: Draw) -> tuple[Mlp, np.ndarray, Any]:
    return *_draw_network(draw), draw.below("classes", "batch")


MLP = Exercise(
    name="mlp.mlp",
    title="mlp",
    task=PairTask(primal=mlp, fwd="mlp_fwd", bwd="mlp_bwd", draw=_draw_network, limits=Limits(flops=1.3)),
    points=7,
    cost_points=1,
    uses=("linear_and_activations.affine", "linear_and_activations.relu"),
    hard=True,
    hints=(
        "Forward is a loop over pairs that keeps what each pair keeps. Backward is the same loop, last to first.",
        "The x_bar of one operation is the y_bar of the one before it.",
        "Collect a Layer of cotangents for each layer, turn the list round at the end, and return the last x_bar too.",
    ),
    asks={
        "params_bar": "in which order did backward meet the layers, and in which order are they wanted?   (step 3)",
        "x_bar": "which operation touched x first, and so comes last?   (step 2)",
    },
)

MLP_LOSS = Exercise(
    name="mlp.mlp_loss",
    title="mlp with its loss",
    task=PairTask(
        primal=mlp_loss, fwd="mlp_loss_fwd", bwd="mlp_loss_bwd", draw=_draw_loss, data=(1,), limits=Limits(flops=1.3)
    ),
    points=4,
    cost_points=1,
    uses=("mlp.mlp", "losses.softmax_cross_entropy"),
    hints=(
        "Two pairs in a row. Each has its own residuals; keep both.",
        "Backward starts with the loss: its logits_bar is what the network's backward wants.",
        "Images and labels are data: return None for each.",
    ),
    asks={"params_bar": "which of the two pairs ran last, and what does it hand to the other?   (step 1)"},
)

WHOSE_COST = Exercise(
    name="mlp.q1",
    title="where the work is",
    task=Choice(
        "Backward takes about twice the FLOPs of forward. Where do they go?",
        (
            Option("a", "Into the relus and the sums over the batch.", "Count them: they are a few percent."),
            Option(
                "b",
                "Each matrix product of forward has two in backward, one for x_bar and one for w_bar.",
                "Right, and the first layer's x_bar is only needed if somebody asks for it.",
                right=True,
            ),
            Option("c", "Into computing forward again.", "That is what residuals are for: nothing is computed again."),
        ),
    ),
    points=1,
)

PAPER = Paper("mlp", (MLP, MLP_LOSS, WHOSE_COST), shows_cost=True)
