"""What `linear_and_activations` asks: relu, sigmoid and tanh, then affine with a broadcast bias; four smooth relus."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from course.exercises.exercise import Exercise, Paper
from course.exercises.mistakes import linear_and_activations as mistakes
from course.exercises.tasks.drawing import Draw
from course.exercises.tasks.free_text import Criterion, FreeText
from course.exercises.tasks.pair import Case, PairTask
from course.exercises.tasks.question import Choice, Number, Option
from course.exercises.tasks.shown import Source
from course.exercises.tasks.which_mistake import WhichMistake
from course.lessons.linear_and_activations import affine, gelu, gelu_tanh, relu, sigmoid, silu, softplus, tanh


def _draw_affine(draw: Draw) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return draw.normal("batch", "d_in"), draw.normal("d_in", "d_out"), draw.normal("d_out")


def _draw_one_row(draw: Draw) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    x, w, b = _draw_affine(draw)
    return x[:1], w, b


def _draw_elementwise(draw: Draw) -> tuple[np.ndarray]:
    return (draw.normal("batch", "d_in", scale=2.0),)


def _draw_with_zeros(draw: Draw) -> tuple[np.ndarray]:
    (x,) = _draw_elementwise(draw)
    x[0] = 0.0
    return (x,)


def _draw_far_out(draw: Draw) -> tuple[np.ndarray]:
    (x,) = _draw_elementwise(draw)
    return (1e4 * x,)


def _slope_at_zero(f: Callable[[jax.Array], jax.Array]) -> float:
    return float(jax.jvp(f, (jnp.zeros(()),), (jnp.ones(()),))[1])


AFFINE = Exercise(
    name="linear_and_activations.affine",
    title="affine",
    task=PairTask(
        primal=affine,
        fwd="affine_fwd",
        bwd="affine_bwd",
        draw=_draw_affine,
        awkward=(Case("a batch of one row", _draw_one_row),),
        mistakes=mistakes.AFFINE,
    ),
    points=6,
    hints=(
        "Write y[n, j] = sum_i x[n, i] w[i, j] + b[j]. Which entries of y does one entry of w touch, and what stands "
        "beside it there? The same for one entry of b.",
        "Do for w[i, j] what was done for x[n, i]: list every y that it touches, multiply each by its y_bar, add. One "
        "index is summed away. In a product of two matrices the sum runs over the inner index, so turn one of them.",
        "Each cotangent has the shape of its value. w_bar is (d_in, d_out), out of x, which is (batch, d_in), and "
        "y_bar, which is (batch, d_out). b needs no partner: it was copied to every row, and copies add up.",
    ),
    asks={
        "x_bar": "x[n, i] touched every y[n, j]: by way of which entry of w?   (step 1)",
        "w_bar": "which y did w[i, j] touch, and by way of which x?   (step 2)",
        "b_bar": "forward copied b to every row: what does backward do?   (step 3)",
    },
)

RELU = Exercise(
    name="linear_and_activations.relu",
    title="relu",
    task=PairTask(
        primal=relu,
        fwd="relu_fwd",
        bwd="relu_bwd",
        draw=_draw_elementwise,
        awkward=(Case("inputs that are exactly zero", _draw_with_zeros),),
        mistakes=mistakes.RELU,
    ),
    points=2,
    hints=(
        "Away from zero, relu is one of two straight lines. What is the slope of each?",
        "Backward has one question about each entry of x, to be answered by yes or no. Let forward keep the answers.",
        "jnp.where(answers, this, that) picks entry by entry. What comes back where the slope was 1, and what where "
        "it was 0? An entry that is exactly 0 lies on the flat side. And bwd returns a tuple, even of one.",
    ),
    asks={"x_bar": "what passes where x was positive, and what elsewhere?   (step 1)"},
)

SIGMOID = Exercise(
    name="linear_and_activations.sigmoid",
    title="sigmoid",
    task=PairTask(
        primal=sigmoid,
        fwd="sigmoid_fwd",
        bwd="sigmoid_bwd",
        draw=_draw_elementwise,
        awkward=(Case("inputs of +-1e4", _draw_far_out),),
        mistakes=mistakes.SIGMOID,
    ),
    points=2,
    hints=(
        "The notebook finds the slope in terms of y alone: what does forward have to keep?",
        "Every entry of x touches one entry of y. So x_bar is y_bar times the slope, entry by entry.",
        "Take the value from sigmoid(x), which never overflows. At y = 0.5 your slope must be 0.25, at y = 1 it must "
        "be 0. And bwd returns a tuple, even of one.",
    ),
    asks={"x_bar": "how does dy/dx read in terms of y alone?   (step 1)"},
)

TANH = Exercise(
    name="linear_and_activations.tanh",
    title="tanh",
    task=PairTask(
        primal=tanh,
        fwd="tanh_fwd",
        bwd="tanh_bwd",
        draw=_draw_elementwise,
        awkward=(Case("inputs of +-1e4", _draw_far_out),),
        mistakes=mistakes.TANH,
    ),
    points=3,
    hard=True,
    hints=(
        "tanh is a fraction. Call its top and its bottom by names: what is the derivative of each?",
        "By the quotient rule the slope is a fraction over bottom * bottom. Divide, and write top / bottom as y. Or "
        "start from tanh(x) = 2 sigmoid(2 x) - 1: you know the slope of sigmoid.",
        "Three values to hold your formula against: the slope is 1 where y is 0, it is 0 where y is 1 or -1, and it "
        "is the same for y and -y.",
    ),
    asks={"x_bar": "how does dy/dx read in terms of y alone?   (step 1)"},
)

WHAT_TO_SAVE = Exercise(
    name="linear_and_activations.q1",
    title="what relu must save",
    task=Choice(
        "For float32 numbers, what is the least that relu_fwd can save an entry?",
        (
            Option("a", "x: 4 bytes.", "That works. But what does backward ask of x: how large it is?"),
            Option(
                "b",
                "A boolean: 1 byte.",
                "Right: yes or no is all that backward asks. One bit would do; an array's smallest entry is a byte.",
                right=True,
            ),
            Option("c", "Nothing: y_bar says it all.", "y_bar comes from later layers. What does it know of this x?"),
            Option(
                "d",
                "y: 4 bytes.",
                "That works, since y is positive where x was. It costs nothing where the next layer keeps y anyway; "
                "by itself it is no less than x.",
            ),
        ),
    ),
    points=1,
)

STEEPEST = Exercise(
    name="linear_and_activations.q2",
    title="the steepest slope",
    task=Number(
        "What are the largest derivatives of sigmoid and of tanh? Answer with a pair, (sigmoid, tanh).",
        compute=lambda: (_slope_at_zero(sigmoid), _slope_at_zero(tanh)),
        says="Right: both at x = 0. Ten sigmoids shrink a gradient to a millionth at best; ten tanhs need not.",
        traps=(
            (lambda: (0.25, 0.25), "Half right, and a common error. Draw a line along tanh at x = 0: how steep is it?"),
            (lambda: (1.0, 0.25), "Answer in the other order: (sigmoid, tanh)."),
            (lambda: (0.5, 0.0), "These are the values at x = 0. The slopes there are asked for."),
            (lambda: (1.0, 1.0), "Half right. Sigmoid climbs half as high as tanh, and takes twice as long to do it."),
        ),
    ),
    points=1,
)

SCALED_ROWS = Exercise(
    name="linear_and_activations.q3",
    title="one scale a row",
    task=Choice(
        "Each row gets a factor of its own: y = scale * x, with scale of shape (batch, 1) and x of shape (batch, d). "
        "What is scale_bar?",
        (
            Option(
                "a",
                "y_bar * x",
                "That is what each copy of a scale gets. Forward made d copies of every scale: what does backward do?",
            ),
            Option(
                "b",
                "(y_bar * x).sum(axis=0, keepdims=True)",
                "That adds over the rows, and has shape (1, d). Along which axis was scale copied?",
            ),
            Option(
                "c",
                "(y_bar * x).sum(axis=1, keepdims=True)",
                "Right: copied along axis 1, summed along axis 1; keepdims leaves it scale's own shape.",
                right=True,
            ),
            Option("d", "y_bar * scale", "That is x_bar. What stands beside scale[n, 0] in y[n, k]?"),
        ),
    ),
    points=1,
)

_FAR_OUT = (Case("inputs of +-1e4", _draw_far_out),)

SOFTPLUS = Exercise(
    name="linear_and_activations.softplus",
    title="softplus",
    task=PairTask(
        primal=softplus,
        fwd="softplus_fwd",
        bwd="softplus_bwd",
        draw=_draw_elementwise,
        awkward=_FAR_OUT,
        mistakes=mistakes.SOFTPLUS,
    ),
    points=1,
    required=False,
    hints=(
        "log(1 + exp(x)) is a chain of two: the logarithm, and what stands inside. What is the slope of each?",
        "Divide the top and the bottom of the fraction by exp(x), and look whether you know the function.",
        "Three values to hold it against: the slope is 0 far to the left, a half at 0, and 1 far to the right. The "
        "function is in this lesson, and it does not overflow. And bwd returns a tuple, even of one.",
    ),
    asks={"x_bar": "which function is the slope of softplus?   (step 1)"},
)

SILU = Exercise(
    name="linear_and_activations.silu",
    title="silu",
    task=PairTask(
        primal=silu,
        fwd="silu_fwd",
        bwd="silu_bwd",
        draw=_draw_elementwise,
        awkward=_FAR_OUT,
        mistakes=mistakes.SILU,
    ),
    points=2,
    required=False,
    hints=(
        "y = x * gate, and the gate is made of x, too. x is used twice: used twice, add.",
        "Along the one way the gate is a fixed number, along the other the x in front of it is. The slope of the gate "
        "you have written above, in terms of the gate's own value.",
        "Keep x: the gate can be had from it. The slope is a half at 0, 1 far to the right, 0 far to the left, and a "
        "bit more than 1 at 2.4. And bwd returns a tuple, even of one.",
    ),
    asks={"x_bar": "x is used twice: what comes back along each way?   (step 1)"},
)

GELU = Exercise(
    name="linear_and_activations.gelu",
    title="gelu, exact",
    task=PairTask(
        primal=gelu,
        fwd="gelu_fwd",
        bwd="gelu_bwd",
        draw=_draw_elementwise,
        awkward=_FAR_OUT,
        mistakes=mistakes.GELU,
    ),
    points=2,
    required=False,
    hints=(
        "y = x * gate once more, with normal_cdf for the gate. Only the gate and its slope are new.",
        "The notebook says how dense a Gaussian lies at x. That is the slope of the gate.",
        "Two terms, added: what stands beside x, and x times the slope of what stands beside it. The slope of gelu is "
        "a half at 0, and largest, 1.13, at the root of 2. Keep x.",
    ),
    asks={"x_bar": "how dense does a Gaussian lie at x, and where else does x stand?   (steps 1, 2)"},
)

GELU_TANH = Exercise(
    name="linear_and_activations.gelu_tanh",
    title="gelu, the tanh form",
    task=PairTask(
        primal=gelu_tanh,
        fwd="gelu_tanh_fwd",
        bwd="gelu_tanh_bwd",
        draw=_draw_elementwise,
        awkward=_FAR_OUT,
        mistakes=mistakes.GELU_TANH,
    ),
    points=3,
    required=False,
    hints=(
        "Give names to three things: what stands inside the tanh, the tanh t itself, and the gate, half of 1 + t. Then "
        "y = x * gate, as before.",
        "From the outside to the inside: the slope of the gate by t, that of t by what stands inside, that of the "
        "inside by x. Multiply the three.",
        "tanh's slope you have found in this lesson, in terms of its own value. Inside stands a multiple of x plus a "
        "multiple of its cube; the slope of a cube is three squares. And used twice, add.",
    ),
    asks={"x_bar": "what stands inside the tanh, and how fast does it grow with x?   (steps 1, 2)"},
)

IN_YOUR_WORDS = Exercise(
    name="linear_and_activations.text",
    title="a mean for a sum",
    task=FreeText(
        'Somebody writes `b_bar = y_bar.mean(axis=0)` in affine_bwd, "since the batch is averaged anyway". What is '
        "wrong with that? When would it be noticed, and when not?",
        rubric=(
            Criterion(2, "Forward copied b to every row, and what comes back from copies is added."),
            Criterion(1, "The mean belongs to the loss: its 1 / batch is in y_bar already, and would count twice."),
            Criterion(
                1,
                "It is not noticed in training: b_bar points the right way, only too short, and the loss falls all "
                "the same.",
            ),
            Criterion(1, "Nor for a batch of one row, where mean and sum are the same."),
            Criterion(
                1, "A comparison with jax.vjp or with differences shows it at once, as a factor: the number of rows."
            ),
        ),
    ),
    points=0,
    required=False,
)

WHICH_MISTAKE = Exercise(
    name="linear_and_activations.q4",
    title="which mistake is this?",
    task=WhichMistake(
        (
            Source(RELU.task),
            Source(SIGMOID.task, scale=0.5),
            Source(TANH.task, scale=0.5),
            Source(AFFINE.task),
        )
    ),
    points=1,
)

PAPER = Paper(
    "linear_and_activations",
    (
        RELU,
        WHAT_TO_SAVE,
        SIGMOID,
        TANH,
        STEEPEST,
        AFFINE,
        SOFTPLUS,
        SILU,
        GELU,
        GELU_TANH,
        SCALED_ROWS,
        IN_YOUR_WORDS,
        WHICH_MISTAKE,
    ),
)
