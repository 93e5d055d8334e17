"""What `exploding_gradients` asks: a recurrent map backward, where a run went bad, clipping in three ways."""

from __future__ import annotations

from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from course.exercises.exercise import Exercise, Paper
from course.exercises.mistakes import exploding_gradients as mistakes
from course.exercises.tasks.drawing import Draw
from course.exercises.tasks.free_text import Criterion, FreeText
from course.exercises.tasks.function import FunctionTask
from course.exercises.tasks.limits import Limits
from course.exercises.tasks.pair import Case, Drawing, PairTask
from course.exercises.tasks.question import Choice, Number, Option
from course.exercises.tasks.shown import Source
from course.exercises.tasks.which_mistake import WhichMistake
from course.lessons.exploding_gradients import clip_to_norm, recurrent
from course.lessons.mlp import Layer, Mlp
from course.lessons.optimizers import run_optimizer

RECORDED = 40
"""Steps of the run whose history is searched."""

FAR_STEPS, FAR_RATE, FAR_NORM, FAR_DECAY = 1000, 0.1, 1.0, 0.05
"""The run that shows how far clipping and decay let a parameter go."""

STEEP = 1000.0
"""Its gradient at every step."""


def _draw_recurrent(draw: Draw) -> tuple[Any, ...]:
    return draw.normal("batch", "d"), draw.normal("d", "d", scale=0.6), draw.normal("steps", "batch", "d")


def _saved_bytes(h: Any, w: Any, x: Any) -> int:
    """One array for each step."""
    return len(x) * h.size * h.dtype.itemsize


def _draw_fine(draw: Draw) -> tuple[dict[str, np.ndarray]]:
    """A history of four arrays, all of them finite, and a loss that is one number a step."""
    rows = np.arange(RECORDED).reshape(-1, 1) + 1.0
    names = ("b_bar", "loss", "w_bar", "x_bar")
    history = {name: rows * draw.normal("d_out") for name in names}
    return ({**history, "loss": history["loss"][:, 0], "w_bar": history["w_bar"][..., None] * draw.normal("d_in")},)


def _draw_history(draw: Draw) -> tuple[dict[str, np.ndarray]]:
    """Minus infinity in one array, other things in the others later: no two of them at one step."""
    (history,) = _draw_fine(draw)
    first = 4 + int(draw.below("d_out"))
    history["w_bar"][first, -1, 0] = -np.inf
    history["w_bar"][first + 2, 0, 0] = np.inf
    history["w_bar"][first + 3 :, 0, -1] = np.nan
    history["loss"][first + 5 :] = np.inf
    history["b_bar"][first + 6 :, 0] = np.nan
    history["x_bar"][first + 8 :, 1] = np.nan
    history["w_bar"][-1], history["loss"][-1] = 0.0, 0.0
    history["b_bar"][-1], history["x_bar"][-1] = 0.0, 0.0
    return (history,)


def _draw_bad_from_the_start(draw: Draw) -> tuple[dict[str, np.ndarray]]:
    (history,) = _draw_fine(draw)
    history["loss"][:] = np.nan
    return (history,)


def _draw_bare(draw: Draw) -> tuple[np.ndarray]:
    (history,) = _draw_history(draw)
    return (history["w_bar"],)


def _right_first_bad(history: Any) -> int:
    leaves = [np.asarray(leaf) for leaf in jax.tree.leaves(history)]
    bad = [step for leaf in leaves for step in range(len(leaf)) if not np.isfinite(leaf[step]).all()]
    return min(bad, default=len(leaves[0]))


def _draw_grads(draw: Draw) -> Mlp:
    """The gradient of a network, whose two arrays have norms of very different sizes."""
    return Mlp([Layer(draw.normal("d_in", "d_out"), draw.normal("d_out", scale=0.1))])


def _draw_clip(draw: Draw) -> tuple[Any, ...]:
    """Some numbers, some arrays and all of them together are above the limit, others below it."""
    return _draw_grads(draw), 2.0 if draw.is_small else 0.7


def _norm_of(grads: Any) -> float:
    return float(np.sqrt(sum(np.sum(np.square(leaf)) for leaf in jax.tree.leaves(grads))))


def _draw_below(draw: Draw) -> tuple[Any, ...]:
    grads = _draw_grads(draw)
    return grads, 2 * _norm_of(grads)


def _draw_at(draw: Draw) -> tuple[Any, ...]:
    """A norm that is the limit to the last bit: the root of 3 * 3 + 4 * 4."""
    grads = jax.tree.map(np.zeros_like, _draw_grads(draw))
    grads.layers[0].w[1, 2], grads.layers[0].b[0] = -3.0, 4.0
    return grads, 5.0


def _draw_zeros(draw: Draw) -> tuple[Any, ...]:
    return jax.tree.map(np.zeros_like, _draw_grads(draw)), 0.7


def _draw_some_zero(draw: Draw) -> tuple[Any, ...]:
    ((w, b),) = _draw_grads(draw).layers
    return Mlp([Layer(w, 0 * b)]), 0.7


def _draw_single(draw: Draw) -> tuple[Any, ...]:
    return draw.normal("d_in", "d_out"), 0.7


_CLIPPED_CASES = (
    Case("gradients below the limit", _draw_below),
    Case("gradients that are all zero", _draw_zeros),
    Case("an array of zeros beside another", _draw_some_zero),
    Case("gradients at the limit", _draw_at),
    Case("gradients that are a single array", _draw_single),
)


def _by_optax(transformation: optax.GradientTransformation, grads: Any) -> Any:
    return transformation.update(grads, transformation.init(grads))[0]


def _right_by_value(grads: Any, limit: float) -> Any:
    return _by_optax(optax.clip(limit), grads)


def _right_by_global_norm(grads: Any, max_norm: float) -> Any:
    return _by_optax(optax.clip_by_global_norm(max_norm), grads)


def _right_by_leaf_norm(grads: Any, max_norm: float) -> Any:
    return jax.tree.map(lambda leaf: _right_by_global_norm(leaf, max_norm), grads)


def _draw_vector(max_norm: float, times: float = 1.0) -> Drawing:
    """A vector, and a limit of so many times its norm; for a counterexample of so many, which is below all norms.

    Four times as long as normal numbers are, its limit is no number that y_bar comes near to.
    """

    def draw_vector(draw: Draw) -> tuple[Any, ...]:
        g = times * draw.normal("n")
        return g, np.asarray(max_norm if not times or draw.is_small else max_norm * np.linalg.norm(g))

    return draw_vector


def _draw_at_norm(draw: Draw) -> tuple[Any, ...]:
    g = 0 * draw.normal("n")
    g[:2] = (-3.0, 4.0)[: len(g)]
    return g, np.asarray(5.0)


def _overflows() -> tuple[int, int]:
    """The step at which a number that doubles is infinite in float32, and its square."""
    with np.errstate(over="ignore"):
        h = np.cumprod(np.full(200, 2, np.float32), dtype=np.float32)
        bad = [1 + int(np.argmin(np.isfinite(numbers))) for numbers in (h, h * h)]
    return bad[0], bad[1]


@cache
def how_far(*, clips: bool, decays: bool) -> float:
    """How far a parameter has gone from 0 under a steep gradient that never turns."""
    held = [optax.clip_by_global_norm(FAR_NORM)] * clips + [optax.add_decayed_weights(FAR_DECAY)] * decays
    optimizer = optax.chain(*held, optax.sgd(FAR_RATE))

    def steep(param: jax.Array, step: jax.Array) -> jax.Array:
        return jnp.full_like(param, STEEP)

    with jax.enable_x64(True):
        path = run_optimizer(optimizer.init, optimizer.update, (), steep, jnp.zeros(()), FAR_STEPS)
        return abs(float(path[-1]))


def _how_far_clipped() -> tuple[float, float]:
    return how_far(clips=True, decays=False), how_far(clips=True, decays=True)


OVERFLOW = Exercise(
    name="exploding_gradients.q1",
    title="where float32 ends",
    task=Number(
        "A number starts at 1 and doubles at every step: it is 2 after step 1. After which step is it infinite in "
        "float32? And its square? Answer with a pair, (number, square).",
        compute=_overflows,
        says="Right: float32 ends just below 2**128. A squared error is the square of what comes out, and so is its "
        "gradient, nearly: the error times a derivative that grows as fast. Both overflow after half as many steps.",
        traps=(
            (lambda: (127, 63), "2**127 is about 1.7e38, and fits. One step more?"),
            (lambda: (129, 65), "2**128 does not fit any more: which step leads there?"),
            (lambda: (128, 256), "The square grows twice as fast, not half as fast."),
            (lambda: (128, 128), "The number is right. How large is it when its square is 2**128?"),
            (lambda: (1024, 512), "So it is in float64."),
            (lambda: (24, 12), "24 bits are for the digits. How large may the exponent become?"),
        ),
    ),
    points=1,
)

RECURRENT = Exercise(
    name="exploding_gradients.recurrent",
    title="the same weights at every step",
    task=PairTask(
        primal=recurrent,
        fwd="recurrent_fwd",
        bwd="recurrent_bwd",
        draw=_draw_recurrent,
        limits=Limits(residual_bytes=_saved_bytes),
        mistakes=mistakes.RECURRENT,
    ),
    points=5,
    cost_points=1,
    hard=True,
    hints=(
        "Forward is the primal's scan with a record: its function returns a pair, what goes to the next step and what "
        "is put on record. One array for each step is enough. Which, if w_bar is to come of it?",
        "Backward is a scan with reverse=True that carries h_bar, beginning with y_bar. One step is an affine layer "
        "whose bias is x[t], a row for each example. You have its three cotangents; two of them go on record.",
        "A scan's function may put a pair on record, and gets a pair of stacks for it. One of these is x_bar as it is. "
        "The other has a contribution to w_bar from every step: *used many times, add*.",
    ),
    asks={
        "h_bar": "which step comes first on the way back, and what is carried?   (steps 1, 2)",
        "w_bar": "what entered each step, and how often was w used?   (steps 1, 3)",
        "x_bar": "in one step, x[t] was added: what comes back to it?   (step 1)",
    },
)

FIRST_BAD_STEP = Exercise(
    name="exploding_gradients.first_bad_step",
    title="where it went bad",
    task=FunctionTask(
        reference=_right_first_bad,
        function="first_bad_step",
        draw=_draw_history,
        returns="step",
        awkward=(
            Case("a run that stays finite", _draw_fine),
            Case("a run that is bad from its first step", _draw_bad_from_the_start),
            Case("a history of one array", _draw_bare),
        ),
        mistakes=mistakes.FIRST_BAD_STEP,
    ),
    points=2,
    hints=(
        "jnp.isfinite is False for NaN and for both infinities. For one array, turn it into one truth value a step: "
        "are all numbers of this step finite?",
        "array.reshape(len(array), -1) has one row a step, whatever the shape was, a single number a step included; "
        ".all(axis=1) makes one truth value of a row. jax.tree.leaves(history) is the list of arrays; a step is fine "
        "if it is fine in all of them.",
        "jnp.argmin of truth values is the place of the first False. If there is none it is 0, which would be wrong: "
        "so ask first whether all are True, and give the number of steps then.",
    ),
    asks={"step": "which steps are fine, and which is the first that is not?   (steps 1 to 3)"},
)

BY_VALUE = Exercise(
    name="exploding_gradients.clip_by_value",
    title="clipping by value",
    task=FunctionTask(
        reference=_right_by_value,
        function="clip_by_value",
        draw=_draw_clip,
        returns="grads",
        awkward=_CLIPPED_CASES,
        traceable=True,
        mistakes=mistakes.CLIP_BY_VALUE,
    ),
    points=1,
    hints=(
        "Every number for itself: what is too large becomes the limit, what is too small minus the limit.",
        "jax.tree.map(f, grads) calls f with one array after the other, and gives back a tree of the same form.",
        "jnp.clip takes an array, the smallest and the largest number that it lets through.",
    ),
    asks={"grads": "what becomes of a number above the limit, below minus the limit, and between?   (step 1)"},
)

BY_GLOBAL_NORM = Exercise(
    name="exploding_gradients.clip_by_global_norm",
    title="clipping by the global norm",
    task=FunctionTask(
        reference=_right_by_global_norm,
        function="clip_by_global_norm",
        draw=_draw_clip,
        returns="grads",
        awkward=_CLIPPED_CASES,
        traceable=True,
        mistakes=mistakes.CLIP_BY_GLOBAL_NORM,
    ),
    points=3,
    hints=(
        "One norm for the whole tree, and one scale for every number of it. jax.tree.leaves(grads) is the list of all "
        "arrays.",
        "The norm is a root of a sum of squares, over all numbers of all arrays: sum within each array, add up the "
        "sums, and take the root once, at the end.",
        "Too long means norm > max_norm. Then the scale is the number that makes the norm max_norm; else it is 1. "
        "jnp.where takes both, and jax.tree.map multiplies every array. At a norm of 0 the scale must be 1.",
    ),
    asks={"grads": "one norm for all: which? One scale for all: which, above the limit and below?   (steps 1, 2)"},
)

BY_LEAF_NORM = Exercise(
    name="exploding_gradients.clip_by_leaf_norm",
    title="clipping leaf by leaf",
    task=FunctionTask(
        reference=_right_by_leaf_norm,
        function="clip_by_leaf_norm",
        draw=_draw_clip,
        returns="grads",
        awkward=_CLIPPED_CASES,
        traceable=True,
        mistakes=mistakes.CLIP_BY_LEAF_NORM,
    ),
    points=1,
    uses=("exploding_gradients.clip_by_global_norm",),
    required=False,
    hints=(
        "An array is a tree, too: one with a single leaf.",
        "You have a function that clips a tree by its norm. jax.tree.map hands over one array after the other.",
        "jax.tree.map wants a function of one array; yours takes the limit as well. lambda leaf: ... makes one of it.",
    ),
    asks={"grads": "whose norm is it, and what is scaled by it?   (step 1)"},
)

CLIP_TO_NORM = Exercise(
    name="exploding_gradients.clip_to_norm",
    title="clipping's own derivative",
    task=PairTask(
        primal=clip_to_norm,
        fwd="clip_to_norm_fwd",
        bwd="clip_to_norm_bwd",
        draw=_draw_vector(0.5, times=4.0),
        awkward=(
            Case("a norm below max_norm", _draw_vector(2.0)),
            Case("a short gradient", _draw_vector(0.5, times=0.1)),
            Case("a norm that is max_norm", _draw_at_norm),
            Case("a gradient of zero", _draw_vector(1.0, times=0.0)),
        ),
        mistakes=mistakes.CLIP_TO_NORM,
    ),
    points=4,
    hints=(
        "Below the norm, what comes out is g. So what comes back to g, and what to max_norm?",
        "Above, it is max_norm times the direction of g, whose length is 1. If max_norm grows, what comes out moves "
        "along that direction: max_norm_bar is what y_bar has along it, a sum of products.",
        "If g grows along its own direction, nothing happens; if it turns, what comes out turns with it, on a circle "
        "that is smaller by the scale. So g_bar is y_bar without its part along g, times the scale. At g = 0 let no "
        "0 / 0 come near: jnp.where(norm > 0, norm, 1.0) is safe to divide by.",
    ),
    asks={
        "g_bar": "what of y_bar lies along g, and what comes back of the rest?   (steps 1, 2)",
        "max_norm_bar": "if max_norm grows by a little, which way does what comes out move?   (step 3)",
    },
)

HOW_FAR = Exercise(
    name="exploding_gradients.q2",
    title="how far weights can go",
    task=Number(
        f"A gradient of norm {STEEP:.0f} points the same way at every step. The rate is {FAR_RATE}, max_norm is "
        f"{FAR_NORM:.0f}, and the decay {FAR_DECAY}, decoupled as in AdamW: a step is minus the rate times the sum of "
        f"the clipped gradient and decay * weight. A weight starts at 0. How far from there is it after {FAR_STEPS:,} "
        "steps with clipping alone? And with both? Compute it, and answer with a pair, (clipping, both).",
        compute=_how_far_clipped,
        says="Right. Clipping bounds each step, and the way is as long as the number of steps. Decay bounds the way: "
        "it grows with the weight until it outweighs the clipped gradient, at max_norm / decay = 20, whatever the "
        "rate.",
        traps=(
            (
                lambda: (how_far(clips=False, decays=False), how_far(clips=False, decays=True)),
                "That is without clipping. How long can a step be with it?",
            ),
            (
                lambda: (FAR_STEPS * FAR_NORM, how_far(clips=True, decays=False)),
                "The clipped gradient is still multiplied by the rate.",
            ),
            (
                lambda: (FAR_STEPS * FAR_NORM * FAR_RATE, FAR_NORM / (FAR_RATE * FAR_DECAY)),
                "The rate multiplies both, the clipped gradient and the decay: in the balance of the two it cancels.",
            ),
            (
                lambda: (FAR_STEPS * FAR_NORM * FAR_RATE, FAR_STEPS * FAR_NORM * FAR_RATE * (1 - FAR_DECAY)),
                "Decay takes its part of the weight at every step, not once.",
            ),
            (lambda: (FAR_RATE, FAR_RATE), "That is one step."),
        ),
    ),
    points=1,
)

CLIP_OR_DECAY = Exercise(
    name="exploding_gradients.q3",
    title="clipping against weight decay",
    task=Choice(
        'An interviewer asks: "Exploding gradients: clipping against weight decay. What does each do, and when do you '
        'want it?" Which of these answers is right in both halves?',
        (
            Option(
                "a",
                "Both make the gradient smaller, clipping at once and decay little by little. So one of them is "
                "enough, and decay is the one to take, since it does not distort the gradient.",
                "Decay does not touch the gradient that comes: it adds to the step something that depends on the "
                "weights alone. In the run with decay alone a gradient of any size is stepped along in full.",
            ),
            Option(
                "b",
                "Clipping acts on the gradient: it bounds a step's length at the very step where the gradient is too "
                "long, and keeps its direction. Decay acts on the weights: step by step it keeps small what multiplies "
                "the cotangents. The first reacts and saves a run; the second prevents, slowly, and moves the optimum.",
                "Right: so clip as a safety belt, choose decay for what it does to the solution, and where clipping "
                "happens at every step look for the cause.",
                right=True,
            ),
            Option(
                "c",
                "Clipping turns infinities and NaN into finite numbers, so it belongs into every run that reaches NaN; "
                "decay is for runs that overfit, and has nothing to do with gradients.",
                "A NaN stays NaN, and an infinity becomes one: infinity over infinity. Clipping must act before that. "
                "And the weights are factors of every cotangent: what keeps them small "
                "has to do with gradients.",
            ),
            Option(
                "d",
                "Clipping is reactive and decay preventive, so with enough decay no gradient ever explodes, and "
                "clipping is for those who have not set their decay right.",
                "Look at the table: the decay that keeps most starts from exploding also keeps the network from "
                "learning what it should. And it takes many steps to act: one bad batch does its harm in one.",
            ),
        ),
    ),
    points=1,
)

IN_YOUR_WORDS = Exercise(
    name="exploding_gradients.text",
    title="clipped at every step",
    task=FreeText(
        "A colleague trains a recurrent network with gradients clipped to a norm of 0.01, and every single one is "
        'clipped. "It is stable now", they say, and double the rate. What does doubling the rate do here, what is the '
        "gradient's length still good for, and what would you look at?",
        rubric=(
            Criterion(
                2,
                "Clipped at every step, a step is as long as the rate times 0.01, whatever the gradient: doubling the "
                "rate doubles every step, just as doubling max_norm would.",
            ),
            Criterion(
                2,
                "The length says nothing any more: steps do not become shorter near a minimum until the gradient is "
                "below 0.01, and a batch with a long gradient counts no more than one with a short one.",
            ),
            Criterion(1, "A look at the norms before clipping, step by step, or at the largest eigenvalue."),
            Criterion(
                1, "A remedy of the cause: a larger max_norm, a smaller rate, decay, gates, normalisation or a warm-up."
            ),
        ),
    ),
    points=0,
    required=False,
)

WHICH_MISTAKE = Exercise(
    name="exploding_gradients.q4",
    title="which mistake is this?",
    task=WhichMistake(
        (
            Source(RECURRENT.task, sizes=(1, 2, 3)),
            Source(BY_GLOBAL_NORM.task, draw=_draw_clip, but=("PyTorch's epsilon",)),
            Source(CLIP_TO_NORM.task),
        )
    ),
    points=1,
)

PAPER = Paper(
    "exploding_gradients",
    (
        OVERFLOW,
        RECURRENT,
        FIRST_BAD_STEP,
        BY_VALUE,
        BY_GLOBAL_NORM,
        BY_LEAF_NORM,
        CLIP_TO_NORM,
        HOW_FAR,
        CLIP_OR_DECAY,
        IN_YOUR_WORDS,
        WHICH_MISTAKE,
    ),
    shows_forward=True,
    shows_cost=True,
)
