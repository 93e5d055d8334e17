"""What `forward_mode` asks: dual numbers, rules that push tangents forward, a network's tangent, a Jacobian by columns.

From here on verdicts show forward mode: what of it they have used all along has been written by the learner.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from course.exercises.exercise import Exercise, Paper
from course.exercises.mistakes import forward_mode as mistakes
from course.exercises.tasks.drawing import Draw
from course.exercises.tasks.free_text import Criterion, FreeText
from course.exercises.tasks.function import FunctionTask
from course.exercises.tasks.limits import Limits
from course.exercises.tasks.pair import Case
from course.exercises.tasks.question import Choice, Number, Option
from course.exercises.tasks.shown import Source
from course.exercises.tasks.tangent_rule import TangentRuleTask
from course.exercises.tasks.which_mistake import WhichMistake
from course.lessons.forward_mode import Dual, deep_loss, hand_jvp, logsumexp, matmul, network_loss, quotient
from course.lessons.linear_and_activations import tanh
from course.lessons.two_layer_network import BatchNetwork

LAYERS = 10
"""Of the network on which the cost of a gradient is counted."""
BATCH = 8


def method_multiples(width: int, layers: int = LAYERS) -> dict[str, float]:
    """Counts the gradient of `deep_loss` by every method, in forward passes; nothing is executed, however wide.

    Args:
        width: Of each layer, so that there are layers * width**2 parameters.
        layers: How many there are.
    """
    from course.comparison.methods import method_counts

    def loss(ws: list[jax.Array]) -> jax.Array:
        return deep_loss(ws, jnp.zeros((BATCH, width), jnp.float32))

    found = method_counts(loss, None, None, [jax.ShapeDtypeStruct((width, width), jnp.float32)] * layers).multiples()
    return {method: multiple for method, multiple in found.items() if multiple is not None}


def _one_sided_over_backward(layers: int) -> float:
    """How many times dearer one-sided differences are than backpropagation, for about a billion parameters."""
    width = round((1e9 / layers) ** 0.5)
    return (layers * width**2 + 1) / method_multiples(width, layers)["vjp"]


def _product(a: Dual, b: Dual) -> Dual:
    return Dual(*jax.jvp(jnp.multiply, (a.value, b.value), (a.tangent, b.tangent)))


def _columns(push: mistakes.Push, x: jax.Array) -> jax.Array:
    return jax.jit(jax.jacfwd(lambda there: push(there, jnp.zeros_like(there))[0]))(x)


def _draw_duals(draw: Draw) -> tuple[Dual, Dual]:
    return Dual(draw.normal("n"), draw.normal("n")), Dual(draw.normal("n"), draw.normal("n"))


def _draw_numbers(draw: Draw) -> tuple[Dual, Dual]:
    a, b = _draw_duals(draw)
    return Dual(float(a.value[0]), 1.0), Dual(float(b.value[0]), 0.0)


def _draw_elementwise(draw: Draw) -> tuple[np.ndarray]:
    return (draw.normal("batch", "d", scale=2.0),)


def _draw_far_out(draw: Draw) -> tuple[np.ndarray]:
    return (1e4 * _draw_elementwise(draw)[0],)


def _draw_matrices(draw: Draw) -> tuple[np.ndarray, np.ndarray]:
    return draw.normal("rows", "inner"), draw.normal("inner", "columns")


def _draw_one_row(draw: Draw) -> tuple[np.ndarray, np.ndarray]:
    a, b = _draw_matrices(draw)
    return a[:1], b


def _draw_fraction(draw: Draw) -> tuple[np.ndarray, np.ndarray]:
    bottom = draw.normal("batch", "d")
    return draw.normal("batch", "d"), np.where(bottom < 0, bottom - 0.5, bottom + 0.5)


def _draw_network(draw: Draw) -> tuple[BatchNetwork, np.ndarray, np.ndarray]:
    x, w1, b1 = draw.normal("batch", "d_in"), draw.normal("d_in", "hidden", scale=0.5), draw.normal("hidden")
    w2, b2 = draw.normal("hidden", "d_out"), draw.normal("d_out")
    return BatchNetwork(w1, b1, w2, b2), x, draw.normal("batch", "d_out")


def _draw_arm(draw: Draw) -> tuple[Any, np.ndarray]:
    return hand_jvp, draw.normal("joints")


def _draw_one_joint(draw: Draw) -> tuple[Any, np.ndarray]:
    return hand_jvp, draw.normal("joints")[:1]


DUAL_MULTIPLY = Exercise(
    name="forward_mode.dual_multiply",
    title="the product of two dual numbers",
    task=FunctionTask(
        reference=_product,
        function="dual_multiply",
        draw=_draw_duals,
        returns="product",
        awkward=(Case("Python's numbers, one of which stands still", _draw_numbers),),
        traceable=True,
        mistakes=mistakes.DUAL_MULTIPLY,
    ),
    points=2,
    hints=(
        "Write both as sums, value + tangent * eps, and multiply the two brackets out. You get four terms.",
        "One term has no eps: it is the value. One has eps * eps and is dropped. What do the other two have in common?",
        "Try it with a = (3, 1) and b = (5, 0): the second one stands still, and 3 * 5 moves at 5. Now let b move as "
        "well, with a standing still: it moves at 3 times b's speed. Both at once: add.",
    ),
    asks={
        "product.value": "what does the product have without an eps?   (step 1)",
        "product.tangent": "which terms of the product have a single eps?   (step 2)",
    },
)

TANH = Exercise(
    name="forward_mode.tanh",
    title="the tangent rule of tanh",
    task=TangentRuleTask(
        primal=tanh,
        rule="tanh_jvp",
        draw=_draw_elementwise,
        awkward=(Case("inputs of +-1e4", _draw_far_out),),
        mistakes=mistakes.TANH,
    ),
    points=2,
    hints=(
        "You know the slope of tanh from its backward pass: it is made of y alone.",
        "Each entry of x moves one entry of y. So y_dot is the slope times how fast that entry moves.",
        "Primals and tangents are tuples, here of one array each; the name of the second is x_dot. The slope is 1 "
        "where y is 0, and 0 where y is 1 or -1. Return y and y_dot, in this order.",
    ),
    asks={"y_dot": "how does the slope read in terms of y, and what does it do to x_dot?   (step 1)"},
)

MATMUL = Exercise(
    name="forward_mode.matmul",
    title="the tangent rule of a matrix product",
    task=TangentRuleTask(
        primal=matmul,
        rule="matmul_jvp",
        draw=_draw_matrices,
        awkward=(Case("a matrix of one row", _draw_one_row),),
        limits=Limits(flops=1.3),
        mistakes=mistakes.MATMUL,
    ),
    points=3,
    cost_points=1,
    hints=(
        "An entry of the product is a sum of products of two numbers. You know how fast such a product moves.",
        "Let only a move: y is linear in a, so that y_dot is made just as y is, of how fast a moves and of b. Then "
        "let only b move.",
        "Two matrix products, each with one tangent in it, each in the order of the original: first what has a's "
        "shape, then what has b's. Nothing is transposed here. When both move, the two motions add up.",
    ),
    asks={"y_dot": "what would y_dot be if one of the two stood still?   (step 1)"},
)

NETWORK = Exercise(
    name="forward_mode.network",
    title="a network's tangent, from your own rules",
    task=TangentRuleTask(
        primal=network_loss,
        rule="network_jvp",
        draw=_draw_network,
        limits=Limits(flops=1.3),
        mistakes=mistakes.NETWORK,
    ),
    points=6,
    cost_points=1,
    uses=("forward_mode.matmul", "forward_mode.tanh"),
    hard=True,
    hints=(
        "Write the forward pass, line by line. Under each line that makes a thing, write one that makes thing_dot.",
        "A rule takes two tuples and gives back two things: both go into the next rule, the values among its primals, "
        "the tangents among its tangents. A bias is added, so that its tangent is added to the tangent.",
        "You need matmul_jvp twice and tanh_jvp once. In the second product both matrices move, the hidden values and "
        "w2. At the end: half of error * error moves at error times how fast error moves. Add up, and divide by the "
        "length of the batch. The tangent of the target counts too.",
    ),
    asks={"y_dot": "which line of forward makes something whose tangent you did not make?   (steps 1 to 3)"},
)

JACOBIAN = Exercise(
    name="forward_mode.jacobian",
    title="a Jacobian, column by column",
    task=FunctionTask(
        reference=_columns,
        function="jacobian",
        draw=_draw_arm,
        returns="jacobian",
        awkward=(Case("an arm of one joint", _draw_one_joint),),
        mistakes=mistakes.JACOBIAN,
    ),
    points=3,
    hints=(
        "One call of push tells how every output moves, for one direction in which the inputs move. Which direction "
        "tells of the first input alone?",
        "The direction (1, 0, 0, ...) moves the first input at speed 1 and lets the others stand. All such directions "
        "together are the rows of the identity matrix, jnp.eye(n).",
        "Call push once for each of these directions, keep the second of the two things that it returns, and lay the "
        "results side by side: entry [i, j] is how fast output i moves when input j does. jnp.stack has an axis.",
    ),
    asks={"jacobian": "which inputs move in column j, and how fast?   (step 1)"},
)

QUOTIENT = Exercise(
    name="forward_mode.quotient",
    title="the tangent rule of a division",
    task=TangentRuleTask(
        primal=quotient,
        rule="quotient_jvp",
        draw=_draw_fraction,
        mistakes=mistakes.QUOTIENT,
    ),
    points=2,
    hints=(
        "Since y = top / bottom, the product of y and bottom is the top, all the time.",
        "Both sides of that must move at the same speed. One side is a product: you know its rule. Solve for y_dot.",
        "If the bottom stands still, y_dot is the tangent of the top, divided by the bottom. If the bottom grows, y "
        "shrinks, by as much more as y is large.",
    ),
    asks={"y_dot": "y * bottom is top: how fast must y move for that to stay true?   (step 1)"},
    required=False,
)

LOGSUMEXP = Exercise(
    name="forward_mode.logsumexp",
    title="the tangent rule of logsumexp",
    task=TangentRuleTask(
        primal=logsumexp,
        rule="logsumexp_jvp",
        draw=_draw_elementwise,
        awkward=(Case("inputs of +-1e4", _draw_far_out),),
        mistakes=mistakes.LOGSUMEXP,
    ),
    points=3,
    hints=(
        "It is a log of a sum of exponentials. Push a tangent through the three, one after the other.",
        "The tangent of a log is the tangent of what is in it, divided by that. So each logit has a share: its "
        "exponential, divided by the sum of all in its row.",
        "These shares are the softmax. Exponentials of 1e4 overflow; but y is the log of the sum, so that a share is "
        "the exponential of a difference, which is never above 0. Then add up over the row.",
    ),
    asks={"y_dot": "how much does y move for each logit alone?   (step 1)"},
    required=False,
)


def _cube(tangent: float) -> tuple[float, float]:
    value, moved = jax.jvp(lambda x: x * x * x, (2.0,), (tangent,))
    return float(value), float(moved)


BY_HAND = Exercise(
    name="forward_mode.q1",
    title="a cube, on paper",
    task=Number(
        "Take the dual number x = (2, 0.5) through x * x * x, on paper. Answer with a pair, (value, tangent).",
        compute=lambda: _cube(0.5),
        says="Right. The slope of the cube at 2 is 12; x moves at 0.5, so y moves at 6.",
        traps=(
            (lambda: _cube(1.0), "That is the slope. How fast does x move here?"),
            (lambda: (8.0, 2.0), "That is the tangent of x * x. There is another product to go."),
            (
                lambda: (8.0, 0.125),
                "You took the tangent through the cube by itself. What does your product do with it?",
            ),
            (lambda: (8.0, 1.5), "Three terms, each with one tangent; but each has two values in it, too."),
        ),
    ),
    points=1,
)

WHEN = Exercise(
    name="forward_mode.q2",
    title="when forward mode wins",
    task=Choice(
        "For which of these is forward mode the cheaper way to all derivatives?",
        (
            Option(
                "a",
                "A loss of a network with 17,000 parameters.",
                "One output: backward needs one pass. How many directions are there to move the parameters in?",
            ),
            Option(
                "b",
                "A picture of 64 x 64 pixels in, 10 logits out.",
                "4096 directions forward, or 10 cotangents backward.",
            ),
            Option(
                "c",
                "A simulation with 3 physical constants in, the path of a planet at 1,000 times out.",
                "Right: 3 passes tell how the whole path moves. Backward would need a cotangent for each number of it, "
                "and would have to keep every step.",
                right=True,
            ),
            Option(
                "d",
                "None: backward is always the cheaper one.",
                "Count: a backward pass gives one row of the Jacobian, a forward pass one column. Are there always "
                "fewer rows?",
            ),
        ),
    ),
    points=1,
)

A_BILLION = Exercise(
    name="forward_mode.q3",
    title="two layers, a billion parameters",
    task=Number(
        "Now a network of the same kind with only two layers, and a billion parameters. How many million times as many "
        "FLOPs do one-sided differences take for the gradient as backpropagation does, forward passes included? "
        "(Within 2 percent.)",
        compute=lambda: _one_sided_over_backward(2) / 1e6,
        says="Right: a billion and one forward passes, beside 2.5. Of two layers' four backward products, one is for "
        "an x that nobody asks about.",
        tolerance=0.02,
        unit="million times",
        traps=(
            (lambda: 500.0, "That is n over 1 + 1. Is a backward pass as cheap as a forward pass?"),
            (lambda: 1000.0 / 3, "Nearly: which product of the first layer does nobody ask for?"),
            (lambda: _one_sided_over_backward(LAYERS) / 1e6, "That is for ten layers. What does the law say for two?"),
            (
                lambda: 2 * _one_sided_over_backward(2) / 1e6,
                "That is for central differences. One-sided ones take one pass a parameter, and one more.",
            ),
        ),
    ),
    points=1,
)

IN_YOUR_WORDS = Exercise(
    name="forward_mode.text",
    title="no memory needed",
    task=FreeText(
        'Somebody proposes to train a network of a million parameters by forward mode, "because it needs no '
        'memory". What would you reply?',
        rubric=(
            Criterion(
                1,
                "One forward-mode pass tells how the loss moves for one direction in which the parameters move: one "
                "number.",
            ),
            Criterion(
                2,
                "All slopes take a million passes, one for each parameter; a backward pass gives all of them for a "
                "few times the price of forward.",
            ),
            Criterion(1, "What is said of memory is right: no residuals have to be kept."),
            Criterion(
                1,
                "Forward mode is the better one where inputs are few and outputs many, or where one direction is all"
                " that is wanted.",
            ),
        ),
    ),
    points=0,
    required=False,
)

WHICH_MISTAKE = Exercise(
    name="forward_mode.q4",
    title="which mistake is this?",
    task=WhichMistake(
        (
            Source(TANH.task, scale=0.5),
            Source(MATMUL.task),
            Source(NETWORK.task, "loss_dot", scale=0.5),
        )
    ),
    points=1,
)

PAPER = Paper(
    "forward_mode",
    (
        DUAL_MULTIPLY,
        BY_HAND,
        TANH,
        MATMUL,
        NETWORK,
        JACOBIAN,
        WHEN,
        A_BILLION,
        QUOTIENT,
        LOGSUMEXP,
        IN_YOUR_WORDS,
        WHICH_MISTAKE,
    ),
    shows_forward=True,
    shows_cost=True,
)
