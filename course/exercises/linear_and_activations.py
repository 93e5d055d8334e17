"""What `linear_and_activations` asks: affine with a broadcast bias, then relu, sigmoid and tanh."""

from __future__ import annotations

import numpy as np

from course.exercises.exercise import Exercise, Paper
from course.exercises.tasks.drawing import Draw
from course.exercises.tasks.pair import Case, PairTask
from course.exercises.tasks.question import Choice, Number, Option
from course.lessons.linear_and_activations import affine, relu, sigmoid, tanh


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


AFFINE = Exercise(
    name="linear_and_activations.affine",
    title="affine",
    task=PairTask(
        primal=affine,
        fwd="affine_fwd",
        bwd="affine_bwd",
        draw=_draw_affine,
        awkward=(Case("a batch of one row", _draw_one_row),),
    ),
    points=6,
    hints=(
        "Write y[n, j] = sum_i x[n, i] w[i, j] + b[j] and ask which y each entry of x, w and b touches.",
        "Each cotangent has the shape of its value. Only one product of y_bar with what you saved gives that shape.",
        "Every b[j] was added to each of the rows: its cotangent collects from all of them.",
    ),
    asks={
        "x_bar": "x[n, i] touched every y[n, j]: by way of which entry of w?   (step 1)",
        "w_bar": "which index of w meets which index of x?   (step 2)",
        "b_bar": "how many rows did each b[j] touch?   (step 3)",
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
    ),
    points=2,
    hints=(
        "Away from zero, relu is one of two straight lines. What is the slope of each?",
        "Save where x was positive; that is one bit an entry.",
        "Let y_bar through where x was positive, and put 0 everywhere else, at x = 0 too.",
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
    ),
    points=2,
    hints=(
        "The notebook differentiates it: everything that you need is y.",
        "dy/dx is a product of y and of what is missing from y to 1.",
        "Compute the value with jax.nn.sigmoid, and no exp can overflow.",
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
    ),
    points=3,
    hard=True,
    hints=(
        "tanh(x) = 2 sigmoid(2 x) - 1, and you know the derivative of sigmoid.",
        "Write the derivative in terms of y = tanh(x) alone: at x = 0 it is 1, and far out it is 0.",
        "It is 1 less something quadratic in y.",
    ),
    asks={"x_bar": "how does dy/dx read in terms of y alone?   (step 1)"},
)

WHAT_TO_SAVE = Exercise(
    name="linear_and_activations.q1",
    title="what relu must save",
    task=Choice(
        "For float32 numbers, what is the least that relu_fwd can save an entry?",
        (
            Option("a", "x: 4 bytes.", "That works, but backward only asks whether it was positive."),
            Option("b", "A boolean: 1 byte.", "Right: whether x > 0 is all that backward asks.", right=True),
            Option("c", "Nothing.", "Then backward could not tell a 0 that passed from one that was cut."),
        ),
    ),
    points=1,
)

STEEPEST = Exercise(
    name="linear_and_activations.q2",
    title="the steepest slope",
    task=Number(
        "What are the largest derivatives of sigmoid and of tanh? Answer with a pair, (sigmoid, tanh).",
        compute=lambda: (0.25, 1.0),
        says="Right: both at x = 0. Ten sigmoids shrink a gradient to a millionth at best; ten tanhs need not.",
        traps=((lambda: (0.25, 0.25), "A common error: tanh is not sigmoid. What is 1 - tanh(0)**2?"),),
    ),
    points=1,
)

PAPER = Paper("linear_and_activations", (AFFINE, RELU, SIGMOID, TANH, WHAT_TO_SAVE, STEEPEST))
