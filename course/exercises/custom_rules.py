"""What `custom_rules` asks: finite slopes, a pair installed, a loss that keeps little, rules of other kinds."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from course.exercises.exercise import Exercise, Paper
from course.exercises.mistakes import custom_rules as mistakes
from course.exercises.tasks.drawing import Draw
from course.exercises.tasks.free_text import Criterion, FreeText
from course.exercises.tasks.function import FunctionTask
from course.exercises.tasks.limits import Limits
from course.exercises.tasks.pair import Case, PairTask
from course.exercises.tasks.question import Choice, Option
from course.exercises.tasks.shown import Source
from course.exercises.tasks.tangent_rule import TangentRuleTask
from course.exercises.tasks.which_mistake import WhichMistake
from course.lessons.custom_rules import (
    Clipped,
    Pulled,
    Used,
    clipped_by,
    fake_quantize,
    log1pexp,
    projected_cross_entropy,
    pulled_back,
    put_to_use,
    reversed_bwd,
    reversed_fwd,
    sign_bwd,
    sign_fwd,
)
from course.lessons.losses import softmax_cross_entropy

STEP = 0.75
"""Of the grid at which answers are judged: some numbers lie beyond its edges, none on one."""


def _draw_numbers(draw: Draw) -> tuple[np.ndarray]:
    return (draw.normal("n", scale=2.0),)


def _draw_far_out(draw: Draw) -> tuple[np.ndarray]:
    return (1e4 * np.sign(draw.normal("n")),)


def _draw_zeros(draw: Draw) -> tuple[np.ndarray]:
    return (0 * draw.normal("n"),)


def _draw_rows(draw: Draw) -> tuple[np.ndarray, np.ndarray]:
    return draw.normal("batch", "d"), draw.normal("batch")


def _draw_zero_row(draw: Draw) -> tuple[np.ndarray, np.ndarray]:
    x, y_bar = _draw_rows(draw)
    x[0] = 0
    return x, y_bar


def _draw_sign(draw: Draw) -> tuple[Any, ...]:
    return sign_fwd, sign_bwd, (draw.normal("batch", "d"),), draw.normal("batch", "d")


def _draw_reversed(draw: Draw) -> tuple[Any, ...]:
    return reversed_fwd, reversed_bwd, (draw.normal("batch", "d"), np.float64(0.5)), draw.normal("batch", "d")


def _draw_classes(draw: Draw) -> tuple[np.ndarray, Any]:
    return draw.normal("batch", "classes", scale=2.0), draw.below("classes", "batch")


def _draw_certain(draw: Draw) -> tuple[np.ndarray, Any]:
    logits, labels = _draw_classes(draw)
    return 1e4 * np.sign(logits), labels


def _draw_grid(draw: Draw) -> tuple[np.ndarray, np.float64]:
    return draw.normal("batch", "d", scale=2.5), np.float64(STEP)


def _draw_beyond(draw: Draw) -> tuple[np.ndarray, np.float64]:
    x, step = _draw_grid(draw)
    return 10 * x, step


def _draw_cotangent(draw: Draw) -> tuple[np.float64, np.ndarray]:
    """Some rows longer than the limit, some shorter."""
    y_bar = draw.normal("batch", "d")
    y_bar[::2] *= 0.1
    return np.float64(1.0), y_bar


def _draw_zero_cotangent(draw: Draw) -> tuple[np.float64, np.ndarray]:
    limit, y_bar = _draw_cotangent(draw)
    y_bar[0] = 0
    return limit, y_bar


def _draw_head(draw: Draw) -> tuple[Any, ...]:
    """An even number of rows, unless there is but one, so that a part can have more than one."""
    h, w = draw.normal("batch", "d_model"), draw.normal("d_model", "vocab", scale=0.7)
    rows = max(1, len(h) // 2 * 2)
    return h[:rows], w, draw.below("vocab", "batch")[:rows]


def _right_lengths(x: Any, y_bar: Any) -> Pulled:
    y = jnp.linalg.norm(x, axis=-1)
    longer = jnp.maximum(y, jnp.finfo(y.dtype).tiny)
    return Pulled(y, (y_bar / longer)[:, None] * x)


def _rightly_used(fwd: Any, bwd: Any, primals: Any, y_bar: Any) -> Used:
    y, residuals = fwd(*primals)
    bars = bwd(residuals, y_bar)
    return Used(y, y, bars, bars[0])


def _rightly_clipped(limit: Any, y_bar: Any) -> Clipped:
    lengths = jnp.linalg.norm(y_bar, axis=-1, keepdims=True)
    return Clipped(y_bar / jnp.maximum(1, lengths / limit), jnp.zeros_like(limit))


def _two_numbers_a_row(logits: Any, labels: Any) -> int:
    return 2 * len(logits) * int(logits.dtype.itemsize)


def _cotangents_bytes(h: Any, w: Any, labels: Any) -> int:
    return int(h.size + w.size) * int(h.dtype.itemsize)


LOG1PEXP = Exercise(
    name="custom_rules.log1pexp",
    title="a slope that stays finite",
    task=TangentRuleTask(
        primal=log1pexp,
        rule="log1pexp_jvp",
        draw=_draw_numbers,
        awkward=(Case("inputs of +-1e4", _draw_far_out), Case("inputs of 0", _draw_zeros)),
        mistakes=mistakes.LOG1PEXP,
    ),
    points=2,
    hints=(
        "The chain rule on paper: the slope of a log is one over what stands in it, and that is multiplied by the "
        "slope of 1 + exp(x).",
        "That is a fraction with exp(x) above and below. For large x both overflow. Divide above and below by exp(x): "
        "what can overflow now, and is it harmful?",
        "You know this function: it goes from 0 to 1, is 0.5 at 0, and jax.nn has it, written so that neither side "
        "overflows. y_dot is this slope times the tangent of x.",
    ),
    asks={"y_dot": "where does the slope go far to the left, and far to the right?   (steps 1, 2)"},
)

LENGTHS = Exercise(
    name="custom_rules.lengths",
    title="the length of a row of zeros",
    task=FunctionTask(
        reference=_right_lengths,
        function="lengths",
        draw=_draw_rows,
        returns="pulled",
        awkward=(Case("a row of zeros", _draw_zero_row),),
        traceable=True,
        mistakes=mistakes.LENGTHS,
        use=pulled_back,
    ),
    points=2,
    allows=frozenset({"jax.vjp"}),
    hints=(
        "Write it as if there were no rows of zeros: a sum of squares along the last axis, and its root. Which of the "
        "two has no slope at 0?",
        "A `where` around the root is too late: the root was taken of 0 by then, and its slope there is infinite. What "
        "goes into the root must be no 0.",
        "Two of them: one before the root, which puts a harmless number where the sum of squares is 0, and one after "
        "it, by the same condition, which puts the right length there.",
    ),
    asks={
        "pulled.y": "what is the length of a row of zeros?   (step 2)",
        "pulled.x_bar": "what stands under the root of a row of zeros, in the branch that is not taken?   (step 1)",
    },
)

INSTALL = Exercise(
    name="custom_rules.install",
    title="a pair becomes JAX's derivative",
    task=FunctionTask(
        reference=_rightly_used,
        function="install",
        draw=_draw_sign,
        returns="used",
        awkward=(Case("a pair of two arguments", _draw_reversed),),
        traceable=True,
        mistakes=mistakes.INSTALL,
        use=put_to_use,
    ),
    points=3,
    allows=frozenset({"jax.vjp", "jax.grad"}),
    hints=(
        "Define a function in your function, and return it. By itself, without any derivative, it has the value of "
        "fwd: which part of what fwd returns is that?",
        "`@jax.custom_vjp` above it makes an object of it that can carry a rule. It takes any number of arguments: "
        "*primals in its signature, and *primals where it calls fwd.",
        "The object has a method, defvjp, which takes the two passes of a pair, forward first. Call it before you "
        "return the object.",
    ),
    asks={
        "used.value": "which part of what fwd returns is the value?   (step 1)",
        "used.y": "who is called on the way forward, where somebody differentiates?   (step 2)",
        "used.bars": "who is called on the way back?   (step 2)",
        "used.first_bar_by_rows": "does it depend on anything but its arguments?   (step 2)",
    },
)

FUSED = Exercise(
    name="custom_rules.fused_cross_entropy",
    title="a loss over 32,000 classes",
    task=PairTask(
        primal=softmax_cross_entropy,
        fwd="fused_cross_entropy_fwd",
        bwd="fused_cross_entropy_bwd",
        draw=_draw_classes,
        awkward=(Case("logits of +-1e4", _draw_certain),),
        limits=Limits(flops=3.0, residual_bytes=_two_numbers_a_row),
        mistakes=mistakes.FUSED_CROSS_ENTROPY,
    ),
    points=4,
    cost_points=1,
    hints=(
        "The logits are an argument, and somebody has them anyway: to keep them is free. Two numbers of each row are "
        "dear to find, since each needs a walk over all classes. Which?",
        "log(sum(exp(logits))) is largest + log(total), where the largest is taken away before exp. With keepdims=True "
        "both have shape (batch, 1), and so has the label's logit, by take_along_axis.",
        "A probability is exp(logit - largest) divided by total. Write it just so in backward, as forward wrote its "
        "exp: under one jit it is then computed once. At the label's place 1 is taken away; the mean divides by the "
        "number of rows.",
    ),
    asks={"logits_bar": "what does each logit add to the loss, and which one is taken away?   (steps 1 to 3)"},
)

FAKE_QUANTIZE = Exercise(
    name="custom_rules.fake_quantize",
    title="three bits, straight through",
    task=PairTask(
        primal=fake_quantize,
        fwd="fake_quantize_fwd",
        bwd="fake_quantize_bwd",
        draw=_draw_grid,
        awkward=(Case("numbers far beyond the grid", _draw_beyond),),
        limits=Limits(residual_bytes=lambda x, step: 0),
        mistakes=mistakes.FAKE_QUANTIZE,
    ),
    points=4,
    cost_points=1,
    hard=True,
    hints=(
        "Two cases. Where x fits on the grid, y is step * round(x / step); elsewhere it is step times a constant, "
        "LEVELS with the sign of x. Derive each by itself.",
        "Where x fits, differentiate step * r with r = round(x / step). By the first step: r. By r: step, and then "
        "through round as if it were nothing, to x / step: its slopes are 1 / step by x and -x / step**2 by step.",
        "x gets y_bar times step times 1 / step where it fits, and 0 elsewhere. step gets, for each number, the "
        "rounded quotient less the quotient where x fits, and the constant elsewhere; times y_bar, over all numbers.",
    ),
    asks={
        "x_bar": "where x fits on the grid, and where it does not: what does either pass on?   (step 1)",
        "step_bar": "in how many places does step stand, and how many numbers were made with it?   (steps 2, 3)",
    },
)

CLIP_GRADIENT = Exercise(
    name="custom_rules.clip_gradient",
    title="a cotangent that is held short",
    task=FunctionTask(
        reference=_rightly_clipped,
        function="clip_gradient_bwd",
        draw=_draw_cotangent,
        returns="clipped",
        awkward=(Case("a row of zeros", _draw_zero_cotangent),),
        traceable=True,
        mistakes=mistakes.CLIP_GRADIENT,
        use=clipped_by,
    ),
    points=2,
    hints=(
        "Forward has kept the limit, and that is all you need beside y_bar. Start with the length of each row of "
        "y_bar, with keepdims=True.",
        "A row that is too long is multiplied by limit / length: then its length is the limit, and its direction is "
        "kept. All others are multiplied by 1. Is limit / length below or above 1 for them?",
        "So the factor is the smaller of two numbers. See that it is right for a row of zeros as well: what is a "
        "number divided by 0, in JAX? The tuple's second part is for the limit, which gets a zero of its own shape.",
    ),
    asks={
        "clipped.x_bar": "how long is each row, and which of them are too long?   (steps 1, 2)",
        "clipped.limit_bar": "what comes back to a limit that has no part in the value?   (step 2)",
    },
)

PAYS = Exercise(
    name="custom_rules.q1",
    title="which of these pays?",
    task=Choice(
        "Four functions of a program that is compiled by jit. For which one does a backward pass by hand gain most, in "
        "time or in memory?",
        (
            Option(
                "a",
                "jnp.tanh(x @ w + b), for a batch of 512 and widths of 1024.",
                "Nearly all of the time is in products: one forward, two backward, whoever writes it. And a pair keeps "
                "what JAX keeps.",
            ),
            Option(
                "b",
                "jnp.sum(jnp.sin(x) * jnp.exp(-x)), for a million numbers.",
                "Such chains of simple steps are just what a compiler melts into one loop, forward and backward "
                "together.",
            ),
            Option(
                "c",
                "a solver that repeats x = f(x, w) 200 times, until x stays where it is.",
                "Right. JAX keeps something of all 200 steps, and goes back through them. But the answer knows nothing "
                "of how it was found: x = f(x, w) holds at the end, and from that equation alone the backward pass "
                "follows, with one solve and nothing kept of the steps.",
                right=True,
            ),
            Option(
                "d",
                "the mean of a million numbers.",
                "JAX keeps nothing for it, and backward is one number, copied. What is there to gain?",
            ),
        ),
    ),
    points=1,
)

WHICH_RULE = Exercise(
    name="custom_rules.q2",
    title="custom_jvp or custom_vjp?",
    task=Choice(
        "A library's function f carries a custom_vjp. A user wants the Hessian of a loss made of f times a vector, and "
        "asks for it forward over reverse, jax.jvp(jax.grad(loss), (x,), (v,)). What happens?",
        (
            Option(
                "a",
                "It works: JAX transposes the backward pass to find a tangent rule.",
                "Transposing leads from tangents to cotangents. For the other way there must be a linear map to "
                "transpose, and of fwd and bwd JAX knows nothing but that they are two functions.",
            ),
            Option(
                "b",
                "It works, since fwd and bwd are themselves made of operations that JAX can differentiate.",
                "Right: grad has put fwd and bwd in the place of f, and what is left is an ordinary program, which jvp "
                "goes through. What fails is jax.jvp of f itself: there a custom_vjp has no rule, and JAX says so.",
                right=True,
            ),
            Option(
                "c",
                "JAX refuses: a custom_vjp has no forward mode, wherever it stands.",
                "That is so of jax.jvp(f, ...). But here grad comes first. What stands in the place of f after it?",
            ),
            Option(
                "d",
                "JAX uses its own derivative of f in its place, without a word.",
                "It never does that: whoever installs a rule may have none other that is finite.",
            ),
        ),
    ),
    points=1,
    required=False,
)

PROJECTED = Exercise(
    name="custom_rules.projected_cross_entropy",
    title="logits that are never all there",
    task=PairTask(
        primal=projected_cross_entropy,
        fwd="projected_cross_entropy_fwd",
        bwd="projected_cross_entropy_bwd",
        draw=_draw_head,
        limits=Limits(flops=3.0, residual_bytes=_cotangents_bytes),
        mistakes=mistakes.PROJECTED_CROSS_ENTROPY,
    ),
    points=4,
    cost_points=1,
    uses=("custom_rules.fused_cross_entropy",),
    hard=True,
    required=False,
    hints=(
        "The loss is one number, so its cotangent is one number: all that comes back is what would come back for a "
        "loss_bar of 1, times it. So forward can do the whole backward pass but for a factor.",
        "Take a few rows of h at a time: their logits are h @ w; your fused pair gives the loss and logits_bar; then "
        "logits_bar @ w.T belongs to these rows of h, and h.T @ logits_bar is a part of w_bar. A mean over a part of "
        "the rows is not the mean over all: hand in the part's share as loss_bar.",
        "jax.lax.scan over h and labels, reshaped to (parts, rows, ...): w_bar is the carry, losses and rows of h_bar "
        "are stacked. The number of rows of a part must divide the batch: math.gcd(batch, 32) does.",
    ),
    asks={
        "h_bar": "which rows of logits_bar belong to these rows of h?   (step 1)",
        "w_bar": "all rows used the same w. Used many times: what follows?   (step 2)",
    },
)

IN_YOUR_WORDS = Exercise(
    name="custom_rules.text",
    title="a colleague wants to write everything by hand",
    task=FreeText(
        'A colleague has read this lesson and says: "So let us write backward passes for all 40 functions of our '
        'model." Answer: which ones you would write and which not, what you would measure before, and what each rule '
        "costs those who come after you.",
        rubric=(
            Criterion(
                2, "By hand where the formula knows what the program does not: solvers, sums that cancel, kinks, NaN."
            ),
            Criterion(
                2, "Not for products and chains of simple steps under jit: same FLOPs, and a compiler melts the rest."
            ),
            Criterion(1, "Measure first: bytes kept, FLOPs, the time of the compiled step, with and without."),
            Criterion(
                1, "The price: a rule must be tested, goes stale when the primal changes, and a custom_vjp has no jvp."
            ),
        ),
    ),
    points=0,
    required=False,
)

WHICH_MISTAKE = Exercise(
    name="custom_rules.q3",
    title="which mistake is this?",
    task=WhichMistake((Source(FAKE_QUANTIZE.task, sizes=(2, 3)), Source(CLIP_GRADIENT.task, sizes=(3, 2)))),
    points=1,
)

PAPER = Paper(
    "custom_rules",
    (
        LOG1PEXP,
        LENGTHS,
        INSTALL,
        FUSED,
        FAKE_QUANTIZE,
        CLIP_GRADIENT,
        PAYS,
        WHICH_RULE,
        PROJECTED,
        IN_YOUR_WORDS,
        WHICH_MISTAKE,
    ),
    shows_forward=True,
    shows_cost=True,
)
