"""What `vanishing_gradients` asks: norms by layer, a deep stack backward, and weights drawn so that signals last."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from course.comparison.moments import Measure
from course.exercises.exercise import Exercise, Paper
from course.exercises.mistakes import vanishing_gradients as mistakes
from course.exercises.tasks.drawing import Draw
from course.exercises.tasks.free_text import Criterion, FreeText
from course.exercises.tasks.function import FunctionTask
from course.exercises.tasks.limits import Limits
from course.exercises.tasks.pair import Case, PairTask
from course.exercises.tasks.question import Choice, Number, Option
from course.exercises.tasks.random import RandomTask
from course.exercises.tasks.shown import Source
from course.exercises.tasks.which_mistake import WhichMistake
from course.lessons.vanishing_gradients import deep_tanh, relu_slope, sigmoid_slope, tanh_slope

LAYERS = 50
"""Of the networks that the questions are about."""

XAVIER_SIZES = (120, 50)
FUNNEL = (90, 120, 120, 50)
"""Two layers of one shape, which show whether they share a key, and two that tell d_in from d_out."""
DEEP = (64,) * (LAYERS + 1)

DECADES = 6.0
"""Powers of ten that chance may take a signal up or down in `LAYERS` layers of 64 units: five standard errors."""

ROWS = 16
"""Signals that are sent through a drawn network."""


def _draw_deep(draw: Draw) -> tuple[Any, ...]:
    return draw.normal("batch", "d"), draw.normal("layers", "d", "d", scale=0.6)


def _draw_one_layer(draw: Draw) -> tuple[Any, ...]:
    x, w = _draw_deep(draw)
    return x, w[:1]


def _saved_bytes(x: Any, w: Any) -> int:
    """One array for what each layer gives, and one more."""
    return (len(w) + 1) * x.size * x.dtype.itemsize


def _draw_norms(draw: Draw) -> tuple[Any, ...]:
    x, w = _draw_deep(draw)
    return tanh_slope, draw.normal("layers", "batch", "d"), w, x


def _draw_relu_norms(draw: Draw) -> tuple[Any, ...]:
    return relu_slope, *_draw_norms(draw)[1:]


def _draw_one_norm(draw: Draw) -> tuple[Any, ...]:
    slope, z, w, y_bar = _draw_norms(draw)
    return slope, z[:1], w[:1], y_bar


def _through_relus(weights: Sequence[np.ndarray]) -> tuple[np.ndarray, list[np.ndarray]]:
    """Sends Gaussian signals of mean square 1 through a relu network: what comes out, and where each layer is on."""
    h, on = np.random.default_rng(0).standard_normal((ROWS, len(weights[0]))), []
    for w in weights:
        z = h @ w
        on.append(z > 0)
        h = z * on[-1]
    return h, on


def signal_decades(weights: Sequence[np.ndarray]) -> float:
    """Powers of ten by which the mean square of a signal has grown behind all layers, each with its relu."""
    return _decades(_through_relus(weights)[0])


def cotangent_decades(weights: Sequence[np.ndarray]) -> float:
    """The same for a cotangent on its way back, beside the d_out / d_in that He's rule leaves at each layer."""
    h, on = _through_relus(weights)
    h_bar = np.random.default_rng(1).standard_normal(h.shape)
    for w, is_on in zip(reversed(weights), reversed(on), strict=True):
        h_bar = (h_bar * is_on) @ w.T
    return _decades(h_bar) - math.log10(weights[-1].shape[1] / len(weights[0]))


def _decades(array: np.ndarray) -> float:
    with np.errstate(divide="ignore"):
        return float(np.log10(np.mean(array**2)))


def _bounds() -> tuple[float, ...]:
    """The powers of ten of the largest slopes, multiplied `LAYERS` times."""
    return tuple(LAYERS * math.log10(float(slope(jnp.zeros(())))) for slope in (sigmoid_slope, tanh_slope))


def _keeping() -> tuple[float, ...]:
    """How many times 1 / sqrt(d) weights must be for a cotangent to keep its size where the slopes are largest."""
    return tuple(1 / float(slope(jnp.zeros(()))) for slope in (sigmoid_slope, tanh_slope))


def _right_norms(slope: Any, z: Any, w: Any, y_bar: Any) -> Any:
    """The norms by JAX's own pullback of a stack that is linear between the given slopes."""

    def layer(h: Any, inside: Any) -> tuple[Any, None]:
        slopes, weights, nudge = inside
        return ((h + nudge) @ weights) * slopes, None

    def stack(nudges: Any) -> Any:
        return jax.lax.scan(layer, jnp.zeros_like(y_bar), (slope(z), w, nudges))[0]

    (h_bars,) = jax.vjp(stack, jnp.zeros_like(z))[1](y_bar)
    return jnp.sqrt(jnp.sum(h_bars**2, axis=(1, 2)))


BOUND = Exercise(
    name="vanishing_gradients.q1",
    title="the most that fifty slopes leave",
    task=Number(
        f"{LAYERS} layers of one unit each, every weight 1. How large can the derivative of the output by the input "
        "be, at the most, if the activation is the sigmoid? And if it is tanh? Answer with the powers of ten, as a "
        "pair of base-10 logarithms: (sigmoid, tanh).",
        compute=_bounds,
        says="Right: 7.9e-31 for the sigmoid, at best. Tanh's bound is 1, and says nothing: whether the gradient lasts "
        "hangs on how near to 0 its units are, and on the weights.",
        traps=(
            (
                lambda: (_bounds()[0], _bounds()[0]),
                "The sigmoid is right. But a quarter is the sigmoid's largest slope; tanh is twice as high and twice "
                "as steep in x. How steep is it at 0?",
            ),
            (lambda: (-_bounds()[0], 0.0), "A number below 1 has a negative logarithm."),
            (lambda: (LAYERS * math.log(0.25), 0.0), "That is the natural logarithm. How many powers of ten is it?"),
            (lambda: (0.25**LAYERS, 1.0), "So large they are. Answer with their base-10 logarithms."),
            (lambda: (math.log10(LAYERS * 0.25), 0.0), "One behind the other, slopes are multiplied and not added."),
            (lambda: (math.log10(0.25), 0.0), "That is one layer."),
        ),
    ),
    points=1,
)

NORMS = Exercise(
    name="vanishing_gradients.gradient_norms",
    title="the norm at every layer",
    task=FunctionTask(
        reference=_right_norms,
        function="gradient_norms",
        draw=_draw_norms,
        returns="norms",
        awkward=(Case("relu", _draw_relu_norms), Case("a single layer", _draw_one_norm)),
        traceable=True,
        mistakes=mistakes.GRADIENT_NORMS,
    ),
    points=3,
    hints=(
        "One layer first, without any loop: from the cotangent of `activation(z)` to that of `z`, and from there to "
        "that of h, where z = h @ weights. You have written both.",
        "A loop over the layers, last one first, that carries h_bar and puts its norm on record after each layer. In "
        "Python that is `for ... in reversed(...)` and a list; as a scan it is a function (carried, layer) -> "
        "(carried, record), started with y_bar, over the pair (z, w), with reverse=True.",
        "The record of a scan with reverse=True stands in the order of the layers; a list of yours, filled from the "
        "last layer to the first, must be turned round. The norm is the root of the sum of all squares, over the "
        "batch too.",
    ),
    asks={"norms": "what does a layer hand to the one before it, and in which order are norms wanted?   (steps 1, 3)"},
)

DEEP_TANH = Exercise(
    name="vanishing_gradients.deep_tanh",
    title="a deep stack",
    task=PairTask(
        primal=deep_tanh,
        fwd="deep_tanh_fwd",
        bwd="deep_tanh_bwd",
        draw=_draw_deep,
        awkward=(Case("a single layer", _draw_one_layer),),
        limits=Limits(residual_bytes=_saved_bytes),
        mistakes=mistakes.DEEP_TANH,
    ),
    points=5,
    cost_points=1,
    hard=True,
    hints=(
        "Forward is deep_tanh with a record: jax.lax.scan(layer, x, w) calls layer(h, weights) for one layer after "
        "the other and returns (the last h, the stack of all records). Tanh's slope is known from what tanh gave: so "
        "what is worth recording?",
        "Backward is a scan as well, with reverse=True, that carries h_bar from y_bar to x_bar. Its function gets "
        "(h_bar, (h, weights, a)) for one layer: what entered it, its weights, what it gave. It returns the next "
        "h_bar, and records this layer's w_bar.",
        "What enters layer l is what layer l - 1 gave, and x enters the first. x[None] is x with a new first axis, "
        "and jnp.concatenate takes a list of arrays: in front x, behind it all but the last of what was given. Then, "
        "as ever: one product with a transpose for h_bar, one for w_bar.",
    ),
    asks={
        "x_bar": "from which layer does the scan begin, and what is carried?   (steps 2, 3)",
        "w_bar": "what entered this layer, and what came back to its product?   (steps 1, 2)",
    },
)

KEEPING = Exercise(
    name="vanishing_gradients.q2",
    title="weights that make good for the slopes",
    task=Number(
        "The weights of layers of d units have variance (s / sqrt(d))**2, and all units are near 0, where the slope is "
        "largest. For which s does a cotangent keep its mean square from layer to layer, if the activation is the "
        "sigmoid? And if it is tanh? Answer with a pair, (sigmoid, tanh).",
        compute=_keeping,
        says="Right. But with s = 4 a sigmoid's units do not stay near 0: look at the picture. With tanh and s = 1, "
        "all is well at the start.",
        traps=(
            (lambda: (16.0, 1.0), "That is the factor of the variance. By what are the weights themselves multiplied?"),
            (lambda: (2.0, 1.0), "A root too many: the slope is squared too, as soon as you look at squares."),
            (lambda: (0.25, 1.0), "The other way round: a small slope asks for large weights."),
            (lambda: (4.0, 4.0), "The sigmoid is right. How steep is tanh at 0?"),
            (lambda: (1.0, 1.0), "That makes good for the sum over d units. What does the sigmoid's slope do?"),
        ),
    ),
    points=1,
)

XAVIER = Exercise(
    name="vanishing_gradients.xavier",
    title="Xavier's weights",
    task=RandomTask(
        scales=mistakes.filled(lambda d_in, d_out: math.sqrt(2 / (d_in + d_out))),
        function="xavier",
        draw=lambda draw: XAVIER_SIZES,
        mistakes=mistakes.XAVIER,
    ),
    points=3,
    hints=(
        "Forward wants the variance to be one over the number of terms in each sum of h @ w, backward one over that of "
        "z_bar @ w.T. Which sizes are these?",
        "One over d_in, and one over d_out. No number is both, unless they are equal: take one over their mean.",
        "jax.random.normal(key, (d_in, d_out)) has variance 1. Times c it has variance c * c: so c is the root of what "
        "you want.",
    ),
    asks={"w": "which variance, and by what is a number of variance 1 multiplied to have it?   (steps 1, 2)"},
)

HE_LAYERS = Exercise(
    name="vanishing_gradients.he_layers",
    title="He's weights, for a whole network",
    task=RandomTask(
        scales=mistakes.layers_filled(lambda d_in, d_out: math.sqrt(2 / d_in)),
        function="he_layers",
        draw=lambda draw: (FUNNEL,),
        measures=(
            Measure("signal", signal_decades, DECADES, "a signal keeps its size through all layers, relu behind each"),
            Measure("cotangent", cotangent_decades, DECADES, "a cotangent keeps its size on the way back"),
        ),
        awkward=(Case("fifty layers", lambda draw: (DEEP,)), Case("a single layer", lambda draw: (XAVIER_SIZES,))),
        mistakes=mistakes.HE_LAYERS,
    ),
    points=3,
    hints=(
        "sizes of (90, 120, 120, 50) are three layers: 90 to 120, 120 to 120, 120 to 50. jax.random.split(key, 3) "
        "makes three keys of one.",
        "Each number of h @ w is a sum of d_in products. Of its square, relu lets a half through, on average: the "
        "weights' variance must be twice what it would be without.",
        "zip(keys, sizes[:-1], sizes[1:]) gives you a key, d_in and d_out for each layer; return a list. As in xavier, "
        "multiply by the root of the variance.",
    ),
    asks={"w": "whose key, which shape, which variance?   (steps 1, 2)"},
)

REMEDIES = Exercise(
    name="vanishing_gradients.q3",
    title="why they vanish, and what is done about it",
    task=Choice(
        'An interviewer asks: "Why do gradients vanish in deep networks, and what are the modern remedies?" Which of '
        "these answers is right in both halves?",
        (
            Option(
                "a",
                "Gradients become too small for float32, so one computes in float64, or scales the loss up.",
                "Try it: the picture of norms by layer has the same slope in float64, where nothing underflows. The "
                "early layers would still learn 10**20 times slower than the late ones. Scaling the loss is a remedy "
                "for float16, and scales all layers alike.",
            ),
            Option(
                "b",
                "The rate is too small for the early layers, so one takes a larger one, and clips gradients by their "
                "norm.",
                "A rate that suits the first layer would tear the last one apart, and clipping makes gradients "
                "smaller: it is a remedy for those that explode.",
            ),
            Option(
                "c",
                "Backward multiplies one factor a layer, slopes times weights. If these are below 1 on average, the "
                "product falls exponentially with depth. Remedies keep the factor near 1: relus, weights scaled by "
                "d_in, normalisation; or add a path without factors: skip connections, gates.",
                "Right: whatever the remedy, ask which factor of the product it touches, or which path it opens "
                "beside it.",
                right=True,
            ),
            Option(
                "d",
                "The sigmoid saturates: its slope is near 0 for large inputs. So one takes tanh, whose slope is at "
                "most 1, and gradients no longer vanish.",
                "Saturation is a part of it, but a sigmoid that is not saturated at all still leaves at most a "
                "quarter. And a bound of 1 from above keeps nothing from vanishing: tanh saturates as well.",
            ),
        ),
    ),
    points=1,
)

IN_YOUR_WORDS = Exercise(
    name="vanishing_gradients.text",
    title="a million times the loss",
    task=FreeText(
        "A colleague's tanh network of 30 layers does not learn. They multiply the loss by 1,000,000, so that \"the "
        'gradients are large again". What changes in each layer and what does not, under gradient descent and under'
        " Adam, and what would you do?",
        rubric=(
            Criterion(
                2,
                "The gradients of all layers grow by the same factor: the ratio of the first layer's to the last "
                "one's stays as it is.",
            ),
            Criterion(
                1,
                "Under gradient descent that is a rate a million times as large, which is too much for the last "
                "layers.",
            ),
            Criterion(1, "Under Adam the factor cancels, but for epsilon."),
            Criterion(1, "First look at the norms by layer: is it this at all?"),
            Criterion(
                1,
                "Then make each layer's factor about 1: weights of the right variance, relu with He's rule, "
                "normalisation, skip connections.",
            ),
        ),
    ),
    points=0,
    required=False,
)

WHICH_MISTAKE = Exercise(
    name="vanishing_gradients.q4",
    title="which mistake is this?",
    task=WhichMistake((Source(DEEP_TANH.task, "y_bar", sizes=(2, 2, 3), scale=0.5),)),
    points=1,
)

PAPER = Paper(
    "vanishing_gradients",
    (BOUND, NORMS, DEEP_TANH, KEEPING, XAVIER, HE_LAYERS, REMEDIES, IN_YOUR_WORDS, WHICH_MISTAKE),
    shows_forward=True,
    shows_cost=True,
)
