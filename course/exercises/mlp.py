"""What `mlp` asks: a whole network's pass made of the learner's own pairs, and its loss; cost is shown from here on."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from course.exercises.exercise import Exercise, Paper
from course.exercises.mistakes import mlp as mistakes
from course.exercises.tasks.drawing import Draw
from course.exercises.tasks.free_text import Criterion, FreeText
from course.exercises.tasks.limits import Limits
from course.exercises.tasks.pair import Case, PairTask
from course.exercises.tasks.question import Choice, Number, Option
from course.exercises.tasks.shown import Source
from course.exercises.tasks.which_mistake import WhichMistake
from course.lessons.mlp import Layer, Mlp, Stack, hidden_layers, mlp, mlp_loss

SIZES = (64, 128, 64, 10)
"""The network whose cost is asked for: from 8 x 8 pixels to ten classes."""

_DEEP = ("d_in", "first", "second", "classes")
_SHALLOW = ("d_in", "classes")
_FEW_UNITS = (2, 4, 3, 5, 3)


def _draw_params(draw: Draw, sizes: Sequence[str]) -> Mlp:
    return Mlp([Layer(draw.normal(a, b), draw.normal(b)) for a, b in pairwise(sizes)])


def _draw_network(draw: Draw) -> tuple[Mlp, np.ndarray]:
    return _draw_params(draw, _DEEP), draw.normal("batch", "d_in")


def _draw_one_layer(draw: Draw) -> tuple[Mlp, np.ndarray]:
    return _draw_params(draw, _SHALLOW), draw.normal("batch", "d_in")


def _draw_loss(draw: Draw) -> tuple[Mlp, np.ndarray, Any]:
    return *_draw_network(draw), draw.below("classes", "batch")


def _draw_one_layer_loss(draw: Draw) -> tuple[Mlp, np.ndarray, Any]:
    return *_draw_one_layer(draw), draw.below("classes", "batch")


def _draw_stack(draw: Draw) -> tuple[Stack, np.ndarray]:
    x = draw.normal("batch", "d")
    return Stack(draw.normal("layers", "d", "d", scale=0.7), draw.normal("layers", "d")), x


def _draw_stack_of_one(draw: Draw) -> tuple[Stack, np.ndarray]:
    params, x = _draw_stack(draw)
    return Stack(params.w[:1], params.b[:1]), x


def _backward_over_forward() -> float:
    """Counts the matrix products of jax.vjp by the parameters alone, less those of forward, over those of forward."""
    from course.comparison.methods import method_counts

    layers = [Layer(_like(a, b), _like(b)) for a, b in pairwise(SIZES)]
    x, labels = jnp.zeros((32, SIZES[0]), jnp.float32), jnp.zeros(32, jnp.int32)
    counts = method_counts(lambda params: mlp_loss(params, x, labels), None, None, Mlp(layers))
    return (counts.vjp.dot_flops - counts.primal.dot_flops) / counts.primal.dot_flops


def _like(*shape: int) -> Any:
    return jax.ShapeDtypeStruct(shape, jnp.float32)


MLP = Exercise(
    name="mlp.mlp",
    title="mlp",
    task=PairTask(
        primal=mlp,
        fwd="mlp_fwd",
        bwd="mlp_bwd",
        draw=_draw_network,
        awkward=(Case("a network of one layer", _draw_one_layer),),
        limits=Limits(flops=1.3),
        mistakes=mistakes.MLP,
    ),
    points=7,
    cost_points=1,
    uses=("linear_and_activations.affine", "linear_and_activations.relu"),
    hard=True,
    hints=(
        "Forward is a loop: call a pair's fwd, put its residuals on a list, go on with its value. The last layer has "
        "no relu, so it stands behind the loop. Backward asks each bwd for its part, in the opposite order.",
        "The x_bar of one part is the y_bar of the part before it: one variable is handed through the whole pass. "
        "Start with the last affine and logits_bar; then, for each hidden layer from the back, first its relu, then "
        "its affine.",
        "affine_bwd gives three arrays: one goes on, two make a Layer for the list. relu_bwd gives a tuple of one: "
        "(y_bar,) = relu_bwd(...) unpacks it. The list of Layers grew from the last layer to the first, and Mlp wants "
        "it from the first to the last. What is left over at the end is the x_bar of the whole network.",
    ),
    asks={
        "params_bar": "in which order did backward meet the layers, and in which order are they wanted?   (step 3)",
        "x_bar": "which part touched x first, and so comes last?   (step 2)",
    },
)

MLP_LOSS = Exercise(
    name="mlp.mlp_loss",
    title="mlp with its loss",
    task=PairTask(
        primal=mlp_loss,
        fwd="mlp_loss_fwd",
        bwd="mlp_loss_bwd",
        draw=_draw_loss,
        awkward=(Case("a network of one layer", _draw_one_layer_loss),),
        data=(1,),
        limits=Limits(flops=1.3),
        mistakes=mistakes.MLP_LOSS,
    ),
    points=4,
    cost_points=1,
    uses=("mlp.mlp", "losses.softmax_cross_entropy"),
    hints=(
        "Two pairs in a row: the network, then the loss. Each has residuals of its own; keep both.",
        "Backward starts where forward ended. What the loss hands back first is just what the network's backward asks "
        "for as its cotangent.",
        "softmax_cross_entropy_bwd gives (logits_bar, None), mlp_bwd gives (params_bar, x_bar). Of these four, one is "
        "handed on and one is returned. Forward had three arguments; images and labels are data: None for each.",
    ),
    asks={"params_bar": "which of the two pairs ran last, and what does it hand to the other?   (step 1)"},
)

HIDDEN_LAYERS = Exercise(
    name="mlp.hidden_layers",
    title="all hidden layers as one scan",
    task=PairTask(
        primal=hidden_layers,
        fwd="hidden_layers_fwd",
        bwd="hidden_layers_bwd",
        draw=_draw_stack,
        awkward=(Case("a single layer", _draw_stack_of_one),),
        limits=Limits(flops=1.3),
        mistakes=mistakes.HIDDEN_LAYERS,
    ),
    points=3,
    cost_points=1,
    uses=("linear_and_activations.affine", "linear_and_activations.relu"),
    required=False,
    hints=(
        "Write the body first: a function of (x, own) that does one layer, own being a Stack whose w and b are this "
        "layer's alone. It returns a pair: what the next layer gets, and what goes on record.",
        "jax.lax.scan(layer, x, params) gives the last x, and the records of all layers, each array with a new first "
        "axis. What each pair kept may be a tuple of any form: the scan stacks whatever is in it.",
        "Backward is a scan over the residuals, started with y_bar and told reverse=True: its body does, for one "
        "layer, what the body of the loop in mlp_bwd does, and records a Stack. The records come out in the layers' "
        "order: nothing has to be turned round.",
    ),
    asks={
        "params_bar": "which layer does backward meet first, and what does each layer put on record?   (steps 1, 2)",
        "x_bar": "what is handed from layer to layer on the way back?   (step 1)",
    },
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
            Option(
                "d",
                "One for the weights, one for the biases.",
                "A bias is added, not multiplied: its cotangent is a sum over rows, next to nothing beside a product.",
            ),
        ),
    ),
    points=1,
)

FIRST_LAYER_S_SHARE = Exercise(
    name="mlp.q2",
    title="the first layer's share",
    task=Number(
        f"Count matrix products alone. For a network of sizes {SIZES}, how many times as much as forward is backward, "
        "if nobody asks for the cotangent of the images? (Two digits after the point will do.)",
        compute=_backward_over_forward,
        says="Right: twice, less the product that would give the images' cotangent. That one is half of forward here.",
        traps=(
            (lambda: 2.0, "That is with the images' cotangent. One product of the first layer is not needed."),
            (lambda: 2.0 - 2 / 3, "The three layers are not equally large: weigh each by d_in * d_out."),
            (lambda: 1.0 + _backward_over_forward(), "That is forward and backward together. Backward alone is asked."),
            (lambda: 2.0 - 64 * 10 / 17024, "You left out the last layer's product. Whose x_bar does nobody ask for?"),
        ),
    ),
    points=1,
)

ALL_ZERO = Exercise(
    name="mlp.q3",
    title="a start at zero",
    task=Choice(
        "Every weight and every bias starts at zero. After the first backward pass, which cotangents are not zero?",
        (
            Option("a", "All of them.", "Go back from the logits: what does y_bar @ w.T give, if w is zero?"),
            Option(
                "b", "None.", "All classes get probability 0.1, and the loss wants another: logits_bar is not zero."
            ),
            Option(
                "c",
                "The last layer's b alone.",
                "Right: its w_bar is x.T @ y_bar, and its x is relu(0); and nothing gets through a w of zeros. Such a "
                "network learns how frequent the classes are, and never anything else.",
                right=True,
            ),
            Option(
                "d", "The last layer's w and b.", "w_bar is x.T @ y_bar. What is the x of the last layer, after relu?"
            ),
        ),
    ),
    points=1,
)

IN_YOUR_WORDS = Exercise(
    name="mlp.text",
    title="from one layer to many",
    task=FreeText(
        "Explain to somebody who has written the backward pass of one layer how that of a deep network is put "
        "together from such passes, and what has to be in memory for it, and why.",
        rubric=(
            Criterion(1, "Forward runs the layers in order, and each leaves its residuals."),
            Criterion(
                2, "Backward takes the layers in the opposite order; the x_bar of each is the y_bar of the one below."
            ),
            Criterion(
                1,
                "The cotangents of the parameters come out on the way, last layer first, and are put into a tree of "
                "the parameters' form.",
            ),
            Criterion(
                2,
                "All residuals wait until their layer's turn comes, so memory grows with depth times batch; without "
                "backward each layer's input could be forgotten at once.",
            ),
        ),
    ),
    points=0,
    required=False,
)

WHICH_MISTAKE = Exercise(
    name="mlp.q4",
    title="which mistake is this?",
    task=WhichMistake(
        (
            Source(MLP_LOSS.task, "loss_bar", sizes=_FEW_UNITS, scale=0.5),
            Source(MLP.task, "logits_bar", sizes=_FEW_UNITS),
        )
    ),
    points=1,
)

PAPER = Paper(
    "mlp",
    (MLP, MLP_LOSS, HIDDEN_LAYERS, WHOSE_COST, FIRST_LAYER_S_SHARE, ALL_ZERO, IN_YOUR_WORDS, WHICH_MISTAKE),
    shows_cost=True,
)
