"""What `cost_of_backprop` asks: FLOPs and bytes as functions of sizes, and a shared matrix's pass at the least cost."""

from __future__ import annotations

import numpy as np

from course.exercises import counted
from course.exercises.exercise import Exercise, Paper
from course.exercises.mistakes import cost_of_backprop as mistakes
from course.exercises.tasks.drawing import Draw
from course.exercises.tasks.free_text import Criterion, FreeText
from course.exercises.tasks.function import FunctionTask
from course.exercises.tasks.limits import Limits
from course.exercises.tasks.pair import Case, PairTask
from course.exercises.tasks.question import Choice, Number, Option
from course.exercises.tasks.shown import Source
from course.exercises.tasks.which_mistake import WhichMistake
from course.lessons.cost_of_backprop import ROUNDS, shared_layers

PRIMES = (3, 5, 7, 11, 13, 17, 19)
"""Sizes that no product of others can be mistaken for."""

MULTIPLE = 295
"""Hundredths of a forward pass that forward and backward together are to take in a question."""


def _sizes(draw: Draw, count: int) -> tuple[int, ...]:
    """Draws sizes that are all different."""
    order = np.argsort(draw.normal("sizes"))
    return tuple(PRIMES[place] for place in order[:count])


def _draw_affine(draw: Draw) -> tuple[int, ...]:
    return _sizes(draw, 3)


def _draw_one_row(draw: Draw) -> tuple[int, ...]:
    return 1, *_sizes(draw, 2)


def _draw_network(draw: Draw) -> tuple[int, tuple[int, ...]]:
    batch, *sizes = _sizes(draw, 6)
    return batch, tuple(sizes)


def _draw_one_layer(draw: Draw) -> tuple[int, tuple[int, ...]]:
    batch, *sizes = _sizes(draw, 3)
    return batch, tuple(sizes)


def _draw_memory(draw: Draw) -> tuple[tuple[int, ...], int]:
    rows, sizes = _draw_network(draw)
    return sizes, counted.held_for_training(3 * rows, sizes) + sizes[1]


def _draw_just_too_little(draw: Draw) -> tuple[tuple[int, ...], int]:
    rows, sizes = _draw_network(draw)
    return sizes, counted.held_for_training(rows, sizes) - 1


def _draw_no_room(draw: Draw) -> tuple[tuple[int, ...], int]:
    _, sizes = _draw_network(draw)
    return sizes, counted.bytes_of(counted.parameters(sizes))


def _draw_shared(draw: Draw) -> tuple[np.ndarray, np.ndarray]:
    w = draw.normal("d", "d", scale=0.5)
    return w / 4 if draw.is_small else w, draw.normal("batch", "d")  # tanh of integers is 1, but for its last digits


def _draw_one_shared_row(draw: Draw) -> tuple[np.ndarray, np.ndarray]:
    w, x = _draw_shared(draw)
    return w, x[:1]


AFFINE_FLOPS = Exercise(
    name="cost_of_backprop.affine_flops",
    title="what one layer costs",
    task=FunctionTask(
        reference=counted.affine_flops,
        function="affine_flops",
        draw=_draw_affine,
        returns="flops",
        awkward=(Case("a batch of one row", _draw_one_row),),
        mistakes=mistakes.AFFINE,
    ),
    points=2,
    hints=(
        "Count one entry of x @ w first: how many numbers are multiplied, and how many are added up? Then: how many "
        "entries are there?",
        "x_bar has the shape of x, and each of its entries is a sum over the outputs. w_bar has the shape of w, and "
        "each of its entries is a sum over the rows. Count both in the same way.",
        "All three products are made of the same three sizes, only in other roles: what is the number of entries in "
        "one is the length of the sums in another. The bias adds one number to each entry of y; b_bar adds each entry "
        "of y_bar to something.",
    ),
    asks={
        "flops.forward": "one entry of y: how many multiplications and additions, with the bias?   (step 1)",
        "flops.x_bar": "how many entries has x_bar, and how long is the sum in each?   (step 2)",
        "flops.w_bar": "how many entries has w_bar, and how long is the sum in each?   (step 2)",
        "flops.b_bar": "how many numbers are added up for b_bar?   (step 3)",
    },
)

TRAINING_FLOPS = Exercise(
    name="cost_of_backprop.training_flops",
    title="what a training step costs",
    task=FunctionTask(
        reference=counted.step_flops,
        function="training_flops",
        draw=_draw_network,
        returns="flops",
        awkward=(Case("a network of one layer", _draw_one_layer),),
        mistakes=mistakes.STEP,
    ),
    points=3,
    hints=(
        "sizes of (4, 3, 2) are two layers: 4 to 3, and 3 to 2. itertools.pairwise(sizes) goes through such pairs.",
        "Forward has one product a layer: add them up. For backward, write down for each layer which cotangents are "
        "products, and who needs them.",
        "Two products a layer, each as large as forward's. But nobody reads the cotangent of the images: of the first "
        "layer there is only one. What is it if there is only a first layer?",
    ),
    asks={
        "flops.forward": "what does the product of each layer take, and how many layers do the sizes make?   (step 1)",
        "flops.backward": "how many products does backward make of each, and which one does nobody need?   (step 2)",
    },
)

HOW_DEEP = Exercise(
    name="cost_of_backprop.q1",
    title="nearly three times",
    task=Number(
        "All layers are equally wide. How many must there be at least, so that forward and backward together take 2.95 "
        "times the FLOPs of forward, products alone?",
        compute=lambda: counted.fewest_layers(MULTIPLE),
        says="Right: of L layers one lacks a product, so that it is 3 - 1 / L, and 1 / 20 is 0.05.",
        tolerance=1e-6,
        unit="layers",
        traps=(
            (lambda: counted.fewest_layers(290), "That many take 2.9 times forward. It gets slower from there on."),
            (lambda: counted.fewest_layers(MULTIPLE) - 1, "Nearly: this is just below. Is it at least 2.95 then?"),
            (lambda: 59, "That is a number of products. How many does each layer have, and which one is missing?"),
            (lambda: 3, "Three layers have 3 products forward, and 5 backward: 8 / 3. What if there are more?"),
        ),
    ),
    points=1,
)

KEPT_BYTES = Exercise(
    name="cost_of_backprop.kept_bytes",
    title="what forward leaves behind",
    task=FunctionTask(
        reference=counted.kept_bytes,
        function="kept_bytes",
        draw=_draw_network,
        returns="kept",
        awkward=(Case("a network of one layer", _draw_one_layer),),
        mistakes=mistakes.KEPT,
    ),
    points=2,
    hints=(
        "Go through forward and ask at each array: would it still be there if nobody wanted a backward pass?",
        "A hidden layer leaves two arrays of its width behind: one of numbers, 4 bytes each, and one of yes and no, "
        "1 byte each.",
        "The x of the first layer is the images: they are there anyway, as the parameters are. The last layer has no "
        "relu, but the loss keeps what it made. The labels are given. All of it is there once for every row.",
    ),
    asks={"kept": "which arrays are there only because backward will want them?   (steps 1, 2)"},
)

SHARED_LAYERS = Exercise(
    name="cost_of_backprop.shared_layers",
    title="one matrix, many rounds",
    task=PairTask(
        primal=shared_layers,
        fwd="shared_layers_fwd",
        bwd="shared_layers_bwd",
        draw=_draw_shared,
        awkward=(Case("a batch of one row", _draw_one_shared_row),),
        limits=Limits(flops=1.3, residual_bytes=lambda w, x: (ROUNDS + 1) * x.nbytes),
        mistakes=mistakes.SHARED,
    ),
    points=6,
    cost_points=2,
    hard=True,
    hints=(
        "Write it for separate matrices first, as in mlp: each round has a z_bar, and sends something to its own w. "
        "Then let all the matrices be one.",
        "Of a round, y is enough: the slope of tanh reads in terms of y, and y is the x of the round after. scan keeps "
        "what one_round returns second. Backward is a scan over that with reverse=True, which carries y_bar.",
        "After backward's scan there is a z_bar for each round, in forward's order. The x that it must meet is x "
        "itself in the first round, and the y of the round before in all others. w_bar is the sum over rounds and rows "
        "of the products of an entry of x and an entry of z_bar: one jnp.einsum, or a sum of one product a round.",
    ),
    asks={
        "w_bar": "which x met w in each round, and what becomes of the sum over all rounds?   (step 3)",
        "x_bar": "through what did each round send it: which slope, and which matrix?   (step 2)",
    },
)

BACKWARD_OVER_FORWARD = Exercise(
    name="cost_of_backprop.q2",
    title="an interview question",
    task=Choice(
        "What does a backward pass cost relative to a forward one? (Asked in many an interview.)",
        (
            Option(
                "a",
                "The same: it goes once through the same operations, in the opposite order.",
                "It goes through them once; but how many products does it make of each product of forward?",
            ),
            Option(
                "b",
                "About twice the FLOPs, so that a training step is about three forward passes; and memory for what "
                "forward keeps, which grows with depth and with the batch.",
                "Right. Say as well where the 2 comes from, and what is missing from it in the first layer.",
                right=True,
            ),
            Option(
                "c",
                "About three times the FLOPs, and as much memory as the parameters.",
                "Three is forward and backward together. And what backward needs most memory for is not parameters.",
            ),
            Option(
                "d",
                "It grows with the number of parameters: one pass for each.",
                "That is what differences cost, and forward mode. Backward finds all of them in one pass.",
            ),
        ),
    ),
    points=1,
)

TWO_SENTENCES = Exercise(
    name="cost_of_backprop.q3",
    title="two published sentences",
    task=Choice(
        'A: "O(n), the same cost as a single forward pass." B: "Approximately 2x, sometimes 3x." Both are said of a '
        "backward pass, n being the number of parameters. What holds, also where weights are shared?",
        (
            Option(
                "a",
                "A holds as it stands; B holds for small networks only.",
                "Small networks are below 2, not above: look at the table. And which network has a backward pass that "
                "costs what its forward pass does?",
            ),
            Option(
                "b",
                "Both fail where weights are shared: then there is one w_bar, and backward is cheaper than forward.",
                "One w_bar, but every round sends something to it. What did the counter say for 64 rounds?",
            ),
            Option(
                "c",
                "A: it grows as forward does, but with the operations, not the parameters, and it is about twice "
                "forward. B: 2x is backward alone; 3x is it with forward, run once for the value or once more.",
                "Right. Shared weights leave B alone, since both passes do all rounds; and they part operations from "
                "parameters, so that the n of A must count operations.",
                right=True,
            ),
            Option(
                "d",
                "B holds as it stands: deep networks need 3x, since cotangents add up from layer to layer.",
                "Depth brings it to 2, and no further: two products a layer. Where did the table have a 3?",
            ),
        ),
    ),
    points=1,
)

LARGEST_BATCH = Exercise(
    name="cost_of_backprop.largest_batch",
    title="the largest batch that fits",
    task=FunctionTask(
        reference=counted.largest_batch,
        function="largest_batch",
        draw=_draw_memory,
        returns="rows",
        awkward=(
            Case("a byte less than some rows take", _draw_just_too_little),
            Case("memory for half of what is there anyway", _draw_no_room),
        ),
        mistakes=mistakes.BATCH,
    ),
    points=2,
    uses=("cost_of_backprop.kept_bytes",),
    hints=(
        "Part what has to be there into two: what a batch of one and a batch of a thousand need alike, and what each "
        "row needs.",
        "Alike: the parameters and their gradient, w and b of every layer, 4 bytes a number. Each row: its image, and "
        "what your kept_bytes says for a batch of 1.",
        "Take the first from the memory, and see how often the second goes into what is left: // divides whole "
        "numbers. It is not less than 0, even if nothing is left.",
    ),
    asks={"rows": "what is there whatever the batch, and what does each row need?   (steps 1, 2)"},
    required=False,
)

IN_YOUR_WORDS = Exercise(
    name="cost_of_backprop.text",
    title="20 GB for a card of 16",
    task=FreeText(
        "A colleague's network needs 20 GB in training and 1 GB in use, and the card has 16 GB. What would you "
        "propose, and what would each proposal cost?",
        rubric=(
            Criterion(
                2,
                "Where the 20 GB come from: every layer's residuals wait for backward, and grow with depth times "
                "batch; in use each can be forgotten at once.",
            ),
            Criterion(
                2,
                "Two proposals at least: a smaller batch, fewer layers kept and the others computed again, fewer "
                "bytes a number.",
            ),
            Criterion(
                1,
                "What each does to the FLOPs: computing again costs up to another forward pass; a smaller batch "
                "costs none a row.",
            ),
            Criterion(
                1,
                "What each does to the result: a smaller batch has noisier gradients, unless several are added up; "
                "fewer bytes round; computing again changes nothing.",
            ),
        ),
    ),
    points=0,
    required=False,
)

WHICH_MISTAKE = Exercise(
    name="cost_of_backprop.q4",
    title="which mistake is this?",
    task=WhichMistake((Source(SHARED_LAYERS.task, sizes=(2, 3, 4), scale=0.5),)),
    points=1,
)

PAPER = Paper(
    "cost_of_backprop",
    (
        AFFINE_FLOPS,
        TRAINING_FLOPS,
        HOW_DEEP,
        KEPT_BYTES,
        BACKWARD_OVER_FORWARD,
        SHARED_LAYERS,
        TWO_SENTENCES,
        LARGEST_BATCH,
        IN_YOUR_WORDS,
        WHICH_MISTAKE,
    ),
    shows_forward=True,
    shows_cost=True,
)
