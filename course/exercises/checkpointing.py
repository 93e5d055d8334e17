"""What `checkpointing` asks: everything kept, a start for each segment, next to nothing; and what these cost."""

from __future__ import annotations

from typing import Any

import numpy as np

from course.exercises import revolve
from course.exercises.exercise import Exercise, Paper
from course.exercises.mistakes import checkpointing as mistakes
from course.exercises.tasks.drawing import Draw
from course.exercises.tasks.free_text import Criterion, FreeText
from course.exercises.tasks.function import FunctionTask
from course.exercises.tasks.limits import Limits
from course.exercises.tasks.pair import Case, PairTask
from course.exercises.tasks.question import Choice, Number, Option
from course.exercises.tasks.shown import Source
from course.exercises.tasks.which_mistake import WhichMistake
from course.lessons.checkpointing import Blocks, Streams, reversible_blocks, segmented_layers
from course.lessons.cost_of_backprop import separate_layers

LAYERS, ROOM = 96, 40
"""A network's depth, and the arrays of one layer's size for which there is room."""

DEPTHS = (17, 19, 23)
"""Layers of a network of which few states are held."""

SLOTS = 3
"""For them. With two there is but one state to place, and nothing tells how many slots are left beyond it."""

DEEP = 16
"""Layers of a network that is halved again and again: each shape of a half is compiled once more."""


def _draw_weights(draw: Draw, *axes: str) -> np.ndarray:
    """Rotations, so that cotangents get through all layers; on paper, quarters."""
    drawn = draw.normal(*axes, "d", "d")
    return drawn / 4 if draw.is_small else np.linalg.qr(drawn)[0]


def _draw_rows(draw: Draw) -> np.ndarray:
    return draw.normal("batch", "d") / 4 if draw.is_small else draw.normal("batch", "d", scale=0.7)


def _draw_layers(draw: Draw) -> tuple[np.ndarray, np.ndarray]:
    draw.sizes("layers", "batch", "d")
    return _draw_weights(draw, "layers"), _draw_rows(draw)


def _draw_segments(draw: Draw) -> tuple[np.ndarray, np.ndarray]:
    draw.sizes("segments", "layers", "d", "batch")
    return _draw_weights(draw, "segments", "layers"), _draw_rows(draw)


def _draw_deep(draw: Draw) -> tuple[np.ndarray, np.ndarray]:
    """Enough layers for some halves, and so many rows that weights take little room beside them."""
    draw.sizes("batch", "layers", "d")
    ws, x = _draw_weights(draw, "layers"), _draw_rows(draw)
    if draw.is_small:
        return ws, x
    more_ws, more_x = zip(*((_draw_weights(draw, "layers"), _draw_rows(draw)) for _ in range(3)), strict=True)
    return np.concatenate([ws, *more_ws])[:DEEP], np.concatenate([x, *more_x, x / 2])


def _draw_three(draw: Draw) -> tuple[np.ndarray, np.ndarray]:
    ws, x = _draw_deep(draw)
    return ws[:3], x


def _draw_blocks(draw: Draw) -> tuple[Blocks, Streams]:
    draw.sizes("blocks", "batch", "d")
    params = Blocks(_draw_weights(draw, "blocks"), _draw_weights(draw, "blocks"))
    return params, Streams(_draw_rows(draw), _draw_rows(draw))


def _draw_slots(draw: Draw) -> tuple[int, int]:
    """So many layers for the slots that the middle is not the best place; fewer on paper, with fewer slots."""
    if draw.is_small:
        return 9, 2
    return DEPTHS[int(np.argmax(draw.normal("either"))) % len(DEPTHS)], SLOTS


def _all_layers(ws: Any, x: Any) -> int:
    """What enters each layer, and what the last one gives."""
    return (len(ws) + 1) * x.nbytes


def _all_starts(ws: Any, x: Any) -> int:
    """What enters each segment, and what the last one gives."""
    return (len(ws) + 1) * x.nbytes


def _starts_and_one_segment(ws: Any, x: Any) -> int:
    segments, layers, *_ = ws.shape
    return 2 * ws.nbytes + (segments + 2 * layers + 6) * x.nbytes


def _ends_of_halves(ws: Any, x: Any) -> int:
    return 2 * ws.nbytes + (int(np.ceil(np.log2(len(ws)))) + 6) * x.nbytes


SEPARATE = Exercise(
    name="checkpointing.separate_layers",
    title="everything kept",
    task=PairTask(
        primal=separate_layers,
        fwd="separate_layers_fwd",
        bwd="separate_layers_bwd",
        draw=_draw_layers,
        limits=Limits(residual_bytes=_all_layers),
        mistakes=mistakes.LAYERS,
    ),
    points=3,
    cost_points=1,
    hints=(
        "Two scans. Forward, a layer hands on tanh(x @ w) and puts one array on record. Backward goes over that record "
        "and ws with reverse=True.",
        "A layer back needs what entered it and what it gave. But what it gave is what entered the layer after: if "
        "forward puts what enters on record, backward can carry the other along, beginning with y.",
        "Carry two things back: what this layer gave, and its cotangent. z_bar is that cotangent times the slope of "
        "tanh; x.T @ z_bar goes on record for w; handed on are x, which the layer before gave, and z_bar @ w.T.",
    ),
    asks={
        "ws_bar": "which x did each w meet, and what is its z_bar?   (step 2)",
        "x_bar": "what does a layer hand to the one before it?   (steps 2 and 3)",
    },
)

SEGMENTED = Exercise(
    name="checkpointing.segmented_layers",
    title="a start for each segment",
    task=PairTask(
        primal=segmented_layers,
        fwd="segmented_layers_fwd",
        bwd="segmented_layers_bwd",
        draw=_draw_segments,
        limits=Limits(products=1.4, flops=1.6, residual_bytes=_all_starts, peak_bytes=_starts_and_one_segment),
        mistakes=mistakes.SEGMENTS,
    ),
    points=5,
    cost_points=3,
    uses=("checkpointing.separate_layers",),
    hints=(
        "Forward is a scan over segments, with separate_layers, the primal, for each: it gives the value and leaves "
        "nothing behind. What goes on record is one array a segment.",
        "Backward is a scan over the segments with reverse=True, which carries y_bar. In it a segment is a small "
        "network of its own, and you have a pair for that: run its forward function for the residuals, then its "
        "backward function.",
        "Of a segment's forward pair you need the second part alone, the residuals. Its backward gives two cotangents: "
        "that of its weights goes on record, that of its start is y_bar for the segment before.",
    ),
    asks={
        "ws_bar": "from where was each segment run again, and what did its backward pass get?   (steps 1 and 2)",
        "x_bar": "which segment comes first, and what does it hand on?   (steps 2 and 3)",
    },
)

BUDGET = Exercise(
    name="checkpointing.q1",
    title="a budget",
    task=Number(
        f"A network of {LAYERS} equal layers; there is room for {ROOM} arrays of what a layer gives. Cut the first "
        "layers into segments of one length, and of all the others keep everything. Forward leaves an array for each "
        "segment and for each other layer. Backward goes through the others first and drops them; then it holds one "
        "segment's layers at a time, beside the starts. How many layers have to be run again, at the least?",
        compute=lambda: revolve.fewest_run_again(LAYERS, ROOM),
        says="Right: 2 segments of 29 layers. After forward 2 + 38 arrays are there, and later 2 + 29. Forward and "
        "backward take 3 + 58 / 96 = 3.6 times forward's FLOPs, in the place of 4: who has room should use it.",
        traps=(
            (
                lambda: LAYERS,
                "So it is if everything is cut into segments. Need all layers be run again? There is room for more.",
            ),
            (
                lambda: LAYERS - ROOM,
                "The others would fill all the room there is. Where are the starts of the segments to go?",
            ),
            (
                lambda: LAYERS - ROOM + 1,
                "One long segment: when it is run again, all its layers have to be held at once. How many are there?",
            ),
            (lambda: 2, "So many segments it is. How many layers are in them?"),
            (lambda: 29, "So long is a segment. How many are there?"),
            (
                lambda: 60,
                "That fits, with 3 segments of 20 or 4 of 15. But each segment costs an array for its start.",
            ),
        ),
        unit="layers",
    ),
    points=1,
)

WHOLE = Exercise(
    name="checkpointing.q2",
    title="the whole of it",
    task=Choice(
        "Somebody puts one checkpoint around the whole loss: forward keeps the arguments and nothing else. Then they "
        "count what is saved for backward, find 0 bytes, and double the batch. What happens?",
        (
            Option(
                "a",
                "It fits: what is saved between forward and backward is what memory is needed for.",
                "What is saved *between* them is one thing. What is there in the middle of backward?",
            ),
            Option(
                "b",
                "It runs out of memory as before, and takes a third more FLOPs: backward begins by running forward "
                "with everything kept.",
                "Right. Nothing is saved between the two, but the peak is where it was. A checkpoint helps where what "
                "is run again is a part, which is dropped before the next part.",
                right=True,
            ),
            Option(
                "c",
                "It fits, but takes as many forward passes as there are layers, one for each.",
                "That would be so if nothing was kept during the second run, either. What does the backward pass of "
                "the whole do with its forward pass?",
            ),
            Option(
                "d",
                "Nothing changes at all: what is computed twice is computed once by any compiler.",
                "A compiler may find that the second run is the first one, and then keeps all of it. But does it "
                "fit, in either case?",
            ),
        ),
    ),
    points=1,
)

HALVED = Exercise(
    name="checkpointing.halved_layers",
    title="halves of halves",
    task=PairTask(
        primal=separate_layers,
        fwd="halved_layers_fwd",
        bwd="halved_layers_bwd",
        draw=_draw_deep,
        awkward=(Case("three layers", _draw_three),),
        limits=Limits(
            products=2.1,
            flops=2.6,
            residual_bytes=lambda ws, x: x.nbytes,
            peak_bytes=_ends_of_halves,
        ),
        mistakes=mistakes.HALVES,
    ),
    points=6,
    cost_points=4,
    hard=True,
    hints=(
        "Let halved_layers_bwd call itself. Its residuals are a network and what enters it: (ws, x). So are a half of "
        "the network and what enters that half.",
        "What enters the first half is x. What enters the second half is what the first one gives: separate_layers, "
        "the primal, of the first half's weights. It must be there first, since the second half is gone back first.",
        "A single layer: y = tanh(x @ ws[0]) once more, and the three lines of a layer's backward pass; [None] makes "
        "its w_bar a stack of one. More than one: the middle; the second half with y_bar; the first half with what "
        "the second one returned for the middle; jnp.concatenate of what both returned for their weights.",
    ),
    asks={
        "ws_bar": "what enters each half, and in which order do the weights stand?   (steps 3 and 4)",
        "x_bar": "which half comes first, and what does it hand to the other?   (step 4)",
    },
)

COMPILED = Exercise(
    name="checkpointing.q3",
    title="a clever compiler",
    task=Choice(
        "A pass by hand calls the same function twice on the same arrays, so that the first result need not be held "
        "in between. The two calls stand in a row, without a loop, and the whole is compiled as one program. Memory is "
        "as if nothing had been done. Why?",
        (
            Option(
                "a",
                "jit keeps all arrays of a function until it returns.",
                "Inside a compiled program an array's memory is free after its last use. When is that here?",
            ),
            Option(
                "b",
                "The compiler sees one computation twice, makes it once, and holds the result until its last use.",
                "Right: what saves time in all other programs undoes the purpose of this one. A barrier stands for a "
                "promise not to look through; a loop's body is not looked through anyway.",
                right=True,
            ),
            Option(
                "c",
                "The second call runs in parallel to the first one.",
                "Then there would be FLOPs of two calls. Count what the compiled program does.",
            ),
            Option(
                "d",
                "The residuals are arguments of backward, and arguments are never freed.",
                "In one compiled program there is no border between forward and backward, and no argument in between.",
            ),
        ),
    ),
    points=1,
)

STEPS = Exercise(
    name="checkpointing.fewest_steps",
    title="the fewest steps",
    task=FunctionTask(
        reference=revolve.fewest_steps,
        function="fewest_steps",
        draw=_draw_slots,
        returns="steps",
        awkward=(
            Case("a single slot", lambda draw: (_draw_slots(draw)[0], 1)),
            Case("a single layer", lambda draw: (1, _draw_slots(draw)[1])),
            Case("more slots than layers", lambda draw: (3, 3 + _draw_slots(draw)[1])),
        ),
        mistakes=mistakes.STEPS,
    ),
    points=3,
    hints=(
        "Fill a table from small to large: a dictionary least[n, held], for every number of slots up to slots, and for "
        "every number of layers up to layers.",
        "With one slot there is the input alone: for the last of n layers, n - 1 have to be run, for the one before "
        "n - 2, and so on: add them up. A single layer needs none.",
        "With more slots: run j layers and hold what they give. Beyond it there are n - j layers, and one slot is "
        "taken; when they are done it is free again for the j layers before. min over all j from 1 to n - 1.",
    ),
    asks={"steps": "what does it take to hold one state more, and what remains on each side of it?   (steps 1, 2)"},
)

REVERSIBLE = Exercise(
    name="checkpointing.reversible_blocks",
    title="blocks that run backward",
    task=PairTask(
        primal=reversible_blocks,
        fwd="reversible_blocks_fwd",
        bwd="reversible_blocks_bwd",
        draw=_draw_blocks,
        limits=Limits(
            products=1.4,
            flops=1.6,
            residual_bytes=lambda params, streams: 2 * streams.left.nbytes,
            peak_bytes=lambda params, streams: 3 * params.f.nbytes + 16 * streams.left.nbytes,
        ),
        mistakes=mistakes.BLOCKS,
    ),
    points=5,
    cost_points=3,
    required=False,
    hints=(
        "Backward carries two things from block to block: the streams as they are after the block, and their "
        "cotangents. It begins with what forward returned.",
        "Undo the block's lines, last one first. right = right + tanh(left @ g), in which left is the new one, which "
        "you have: so take away tanh(left @ g). Then right is what the first line saw, and left can be undone.",
        "On the way, the same tanh values give the slopes. right_bar goes through the last line to g and to left, "
        "where it is added to left_bar; that sum goes through the first line to f and to right. Both streams also go "
        "on past their sums, as they are.",
    ),
    asks={
        "params_bar.f": "what entered f, and is it undone yet when you need it?   (steps 2 and 4)",
        "params_bar.g": "which left did g read?   (step 3)",
        "streams_bar": "by which ways does each stream come into what the block gives?   (steps 3 and 4)",
    },
)

IN_YOUR_WORDS = Exercise(
    name="checkpointing.text",
    title="out of memory",
    task=FreeText(
        "A colleague trains a network of 48 equal blocks. It runs out of memory at a batch of 16; at 4 it fits. "
        "Somebody told them to 'switch checkpointing on', and they ask what that does, what it costs, and how to "
        "choose. What do you say, and what would you look at first?",
        rubric=(
            Criterion(1, "What memory is for: what forward keeps for backward, which grows with depth times batch."),
            Criterion(
                1,
                "What it does: of each segment only the start is kept; when backward gets there the segment is run "
                "again, gone back, and dropped. The numbers are the same.",
            ),
            Criterion(
                1,
                "What it costs: at most one more forward pass, a third more FLOPs; and for that about twice the root "
                "of the depth in arrays.",
            ),
            Criterion(
                1,
                "How to choose: no more than is needed, so run again only a part, or what is cheap; not the whole "
                "loss in one, which changes the peak not at all.",
            ),
            Criterion(
                1, "What to look at: the peak of the compiled program, before and after, and the time of a step."
            ),
        ),
    ),
    points=0,
    required=False,
)

WHICH_MISTAKE = Exercise(
    name="checkpointing.q4",
    title="which mistake is this?",
    task=WhichMistake(
        (
            Source(SEPARATE.task, sizes=(2, 1, 2)),
            Source(SEGMENTED.task, sizes=(2, 1, 2, 1)),
            Source(HALVED.task, sizes=(1, 2, 2)),
        )
    ),
    points=1,
)

PAPER = Paper(
    "checkpointing",
    (
        SEPARATE,
        SEGMENTED,
        BUDGET,
        WHOLE,
        HALVED,
        COMPILED,
        STEPS,
        REVERSIBLE,
        IN_YOUR_WORDS,
        WHICH_MISTAKE,
    ),
    shows_forward=True,
    shows_cost=True,
)
