"""What `optimizers` asks: momentum, RMSProp, Adam and AdamW against Optax along a hundred steps, and a schedule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from course.exercises.exercise import Exercise, Paper
from course.exercises.mistakes import optimizers as mistakes
from course.exercises.tasks.drawing import Draw
from course.exercises.tasks.free_text import Criterion, FreeText
from course.exercises.tasks.function import FunctionTask
from course.exercises.tasks.optimizer import OptimizerTask, Run
from course.exercises.tasks.pair import Case
from course.exercises.tasks.question import Number
from course.exercises.tasks.shown import Source
from course.exercises.tasks.which_mistake import WhichMistake
from course.lessons.mlp import Layer, Mlp
from course.lessons.optimizers import run_optimizer

STEPS = 100
"""Steps of the run along which an optimiser is held against Optax; those of the awkward runs are few."""

ADAM = (0.1, 0.8, 0.95, 0.05)
"""Rate, both decays and epsilon: all unlike, and epsilon so large that its place shows."""

L2_STEPS, L2_RATE, L2_DECAY = 50, 0.01, 0.1
"""The run that two kinds of decay are compared along."""


def _draw_array(draw: Draw, scale: float = 1.0) -> np.ndarray:
    return draw.normal("d_in", "d_out", scale=scale)


def _draw_params(draw: Draw) -> Mlp:
    return Mlp([Layer(_draw_array(draw), draw.normal("d_out"))])


def _draw_run(draw: Draw) -> Run:
    return Run(_draw_params(draw), tuple(_draw_params(draw) for _ in range(STEPS)))


def _draw_few_steps(draw: Draw) -> Run:
    """Draws few parameters with gradients of several sizes, for steps that are redone by hand."""
    sizes = np.array([1.0, 0.1, 10.0])
    return Run(draw.normal("few")[:3], tuple(sizes * draw.normal("few")[:3] for _ in range(4)))


def _draw_bare(draw: Draw) -> Run:
    return Run(_draw_array(draw), tuple(_draw_array(draw) for _ in range(4)))


def _draw_zeros(draw: Draw) -> Run:
    """Some gradients are always zero, some at times, and all of them at the first and at the fourth step."""
    ever = draw.either("d_in", "d_out")
    grads = [ever * draw.either("d_in", "d_out") * _draw_array(draw) for _ in range(6)]
    grads[0], grads[3] = 0 * grads[0], 0 * grads[3]
    return Run(_draw_array(draw), tuple(grads))


def _draw_sizes(draw: Draw) -> Run:
    return Run(_draw_array(draw), tuple(_draw_array(draw, 10.0**power) for power in (-9, -3, 0, 9, 3)))


_AWKWARD = (
    ("parameters that are a single array", _draw_bare),
    ("gradients that are zero", _draw_zeros),
    ("gradients from 1e-9 to 1e9", _draw_sizes),
)


def _sgd(rate: float, decay: float) -> optax.GradientTransformation:
    return optax.sgd(rate, momentum=decay)


def _nesterov(rate: float, decay: float) -> optax.GradientTransformation:
    return optax.sgd(rate, momentum=decay, nesterov=True)


def _rmsprop(rate: float, decay: float, epsilon: float) -> optax.GradientTransformation:
    return optax.rmsprop(rate, decay, epsilon, eps_in_sqrt=False)


def _adam(rate: float, decay1: float, decay2: float, epsilon: float) -> optax.GradientTransformation:
    return optax.adam(rate, decay1, decay2, epsilon)


def _adamw(
    rate: float, decay1: float, decay2: float, epsilon: float, weight_decay: float
) -> optax.GradientTransformation:
    return optax.adamw(rate, decay1, decay2, epsilon, weight_decay=weight_decay)


def _schedule(step: Any, peak: float, warmup: int, steps: int) -> Any:
    return optax.warmup_cosine_decay_schedule(0.0, peak, warmup, steps)(step)


def _draw_schedule(draw: Draw) -> tuple[Any, ...]:
    """Every step of a run, and some beyond its end."""
    warmup = 2 * draw.size("warmup")
    return np.arange(STEPS + 20), float(np.exp(draw.normal())), warmup, STEPS


def _draw_without_warmup(draw: Draw) -> tuple[Any, ...]:
    steps, peak, _, end = _draw_schedule(draw)
    return steps, peak, 0, end


def _first_step(make: Callable[..., optax.GradientTransformation]) -> float:
    """How many times the rate an optimiser moves at its first step, with the usual decays."""
    optimizer, gradient = make(1.0, 0.9, 0.999, 0.0), jnp.array(3.0)
    return abs(float(optimizer.update(gradient, optimizer.init(gradient), gradient)[0]))


def after_decay(optimizer: optax.GradientTransformation) -> float:
    """Returns what is left of a weight of 1 whose loss has no slope, after `L2_STEPS` steps."""

    def no_slope(weight: Any, step: Any) -> Any:
        return jnp.zeros_like(weight)

    return float(run_optimizer(optimizer.init, optimizer.update, (), no_slope, jnp.array(1.0), L2_STEPS)[-1])


def _decoupled() -> optax.GradientTransformation:
    return optax.adamw(L2_RATE, weight_decay=L2_DECAY)


def _l2_in_adam() -> optax.GradientTransformation:
    return optax.chain(optax.add_decayed_weights(L2_DECAY), optax.adam(L2_RATE))


def _l2_in_descent() -> optax.GradientTransformation:
    return optax.chain(optax.add_decayed_weights(L2_DECAY), optax.sgd(L2_RATE))


def _bytes_a_parameter() -> tuple[float, ...]:
    """What the state of three optimisers holds, in bytes for each parameter, for a million of them in float32."""
    params = jax.ShapeDtypeStruct((1_000_000,), jnp.float32)
    kinds = (optax.sgd(0.1), optax.sgd(0.1, momentum=0.9), optax.adam(0.1))
    states = [jax.tree.leaves(jax.eval_shape(kind.init, params)) for kind in kinds]
    return tuple(round(sum(leaf.size * leaf.dtype.itemsize for leaf in state) / params.size, 3) for state in states)


MOMENTUM = Exercise(
    name="optimizers.momentum",
    title="momentum",
    task=OptimizerTask(
        make=_sgd,
        init="momentum_init",
        update="momentum_update",
        draw=_draw_run,
        settings=(0.1, 0.8),
        awkward=_AWKWARD,
        mistakes=mistakes.MOMENTUM,
    ),
    points=3,
    hints=(
        "The sum at step 3 is g3 + decay * g2 + decay**2 * g1. Write the sum at step 2 under it. What do you have to "
        "do with the one, to get the other?",
        "So one tree is carried, the sum: before any gradient came it is zero everywhere, of the parameters' form. In "
        "a step it is first brought up to date, and then stepped along.",
        "`jax.tree.map(f, grads, state)` calls f with one array of each. Two such calls make the step: one from the "
        "gradients and the old sums to the new sums, one from the new sums to the updates. The updates go downhill.",
    ),
    asks={"updates": "what is the new sum, given the old one? And which way is down?   (steps 1 and 2)"},
)

NESTEROV = Exercise(
    name="optimizers.nesterov",
    title="Nesterov's momentum",
    task=OptimizerTask(
        make=_nesterov,
        init="nesterov_init",
        update="nesterov_update",
        draw=_draw_run,
        settings=(0.1, 0.8),
        awkward=_AWKWARD[:1],
        mistakes=mistakes.NESTEROV,
    ),
    points=2,
    uses=("optimizers.momentum",),
    required=False,
    hints=(
        "The state is momentum's own, and so is the way in which it is brought up to date. Only the step differs.",
        "Momentum's step follows u_t. Now suppose that the same gradient came once more: what would the sum be then?",
        "What momentum_update gives has two parts. One of them is of no use here; the other is u_t, which you fade "
        "once more before this step's gradient is added to it.",
    ),
    asks={"updates": "what would the sum be, if the same gradient came once more?   (step 2)"},
)

RMSPROP = Exercise(
    name="optimizers.rmsprop",
    title="RMSProp",
    task=OptimizerTask(
        make=_rmsprop,
        init="rmsprop_init",
        update="rmsprop_update",
        draw=_draw_run,
        settings=(0.1, 0.7, 0.05),
        awkward=_AWKWARD,
        mistakes=mistakes.RMSPROP,
    ),
    points=3,
    hints=(
        "What is carried is one tree again. A running mean takes two parts that add up to 1: one of what it was, one "
        "of what came.",
        "Of what came, the square is taken before it enters the mean. The root is taken afterwards, in the step.",
        "Say it with one number: with decay 0.9, the square's mean was 4 and the gradient is 1. The new mean is 3.7, "
        "its root 1.92, and the step is the rate divided by 1.92 + epsilon, downhill.",
    ),
    asks={"updates": "in which order: square, mean, root, epsilon, quotient?   (steps 1 and 2)"},
)

ADAM_EXERCISE = Exercise(
    name="optimizers.adam",
    title="Adam",
    task=OptimizerTask(
        make=_adam,
        init="adam_init",
        update="adam_update",
        draw=_draw_run,
        settings=ADAM,
        awkward=_AWKWARD,
        mistakes=mistakes.ADAM,
    ),
    points=5,
    hard=True,
    hints=(
        "Two running means, each with its own decay, both from zero: that you have written for RMSProp. Beside them "
        "goes a count of steps, from 0; AdamState(count, mean, square) holds all three.",
        "After t steps the weights of a mean add up to less than 1; the notebook has the sum as a formula in its decay"
        " and t. Divide each mean by its own sum; take the root of the second after that, then add epsilon.",
        "First raise the count, so that it is 1 in the first step: with 0 you would divide by 0. The divided means are"
        " for this step only. What goes into the next state are the means as they were before the division.",
    ),
    asks={"updates": "how many gradients are in the means, and what do their weights add up to?   (steps 1 and 3)"},
)

ADAMW = Exercise(
    name="optimizers.adamw",
    title="AdamW",
    task=OptimizerTask(
        make=_adamw,
        init="adamw_init",
        update="adamw_update",
        draw=_draw_run,
        settings=(*ADAM, 0.3),
        awkward=_AWKWARD,
        mistakes=mistakes.ADAMW,
    ),
    points=3,
    uses=("optimizers.adam",),
    hints=(
        "Adam's step and the decay do not know of each other. Let adam_update make the one, and add the other to it.",
        "If no gradient ever came, a parameter should lose the part rate * weight_decay of itself in a step. What is "
        "the update that does this?",
        "The last line maps over two trees, Adam's updates and the parameters, and the decay has the sign that makes a"
        " parameter smaller, whatever its own sign.",
    ),
    asks={"updates": "by how much, and which way, does decay alone move a parameter?   (step 2)"},
)

SCHEDULE = Exercise(
    name="optimizers.warmup_cosine",
    title="warm-up and cosine",
    task=FunctionTask(
        reference=_schedule,
        function="warmup_cosine",
        draw=_draw_schedule,
        returns="rate",
        awkward=(Case("no warm-up at all", _draw_without_warmup),),
        mistakes=mistakes.WARMUP_COSINE,
    ),
    points=3,
    hints=(
        "Two pieces, and jnp.where(step < warmup, this, that) takes the one or the other, for one step as for an array"
        " of them. The first is a line through (0, 0) and (warmup, peak).",
        "For the second, first find the part of the way from the end of the warm-up to `steps`: 0 at the one, 1 at the"
        " other, and jnp.clip keeps it at 1 after that. Then a cosine of pi times this part goes from 1 to -1.",
        "Two things to hold it against: half-way between warmup and steps the rate is half the peak. And with a warm-"
        "up of 0 steps, the first piece must not become 0 / 0: jnp.maximum(warmup, 1) is never 0.",
    ),
    asks={"rate": "which rate do you have at step 0, at `warmup`, half-way, at `steps`, and beyond?   (steps 1 to 4)"},
)

FIRST_STEP = Exercise(
    name="optimizers.q1",
    title="Adam's first step",
    task=Number(
        "With decays of 0.9 and 0.999 and a negligible epsilon: how many times the rate does a parameter move at "
        "Adam's first step, if the means are not corrected? And if they are? Answer with a pair, (without, with).",
        compute=lambda: (_first_step(mistakes.adam_with(first=False, second=False)), _first_step(optax.adam)),
        says="Right, and whatever the gradient is: its size cancels. So Adam's first step is the rate, for all.",
        traps=(
            (lambda: (0.1, 1.0), "0.1 is the part of the gradient that is in the mean. By what is it divided?"),
            (lambda: (100.0, 1.0), "The mean of squares stands under a root."),
            (lambda: (0.1**0.5, 1.0), "Turn it round: the mean is above the line, the root below."),
            (lambda: (1.0, 10**0.5), "Answer in the other order: (without, with)."),
            (lambda: (1.0, 1.0), "One of the two is right. Without: which part of g is in m, and which of g**2 in s?"),
        ),
    ),
    points=1,
)

STATE_BYTES = Exercise(
    name="optimizers.q2",
    title="what an optimiser keeps",
    task=Number(
        "A network has a million parameters in float32. How many bytes does the state hold for each parameter, under "
        "gradient descent, momentum, and Adam? Answer with three numbers.",
        compute=_bytes_a_parameter,
        says="Right. Add 4 for the parameter and 4 for its gradient: training with Adam takes 16 bytes a parameter, "
        "before a single activation is kept.",
        traps=(
            (lambda: (0, 1, 2), "So many numbers. How many bytes has a float32?"),
            (lambda: (4, 8, 12), "That is with the gradient, or with the parameter itself. The state alone is asked."),
            (lambda: (0, 4, 4), "Adam carries two means."),
            (lambda: (0, 4, 12), "The count is one number for the whole network."),
        ),
    ),
    points=1,
)

TWO_DECAYS = Exercise(
    name="optimizers.q3",
    title="what decay is left with",
    task=Number(
        "A weight starts at 1, and its loss has no slope: nothing but decay moves it. The rate is "
        f"{L2_RATE}, the decay {L2_DECAY}, all else as usual. What is left after {L2_STEPS} steps of AdamW? And of "
        "Adam with L2 in the loss, whose gradient is weight_decay * weight? Compute it, and answer with a "
        "pair, (AdamW, Adam with L2).",
        compute=lambda: (after_decay(_decoupled()), after_decay(_l2_in_adam())),
        says="Right. Adam makes a step of about the rate of any gradient, so also of that of L2: a decay ten times as "
        "large would have given the same.",
        traps=(
            (
                lambda: (after_decay(_decoupled()), after_decay(_l2_in_descent())),
                "So it is under gradient descent, where the two are one. What does Adam do with a small gradient?",
            ),
            (lambda: (after_decay(_l2_in_adam()), after_decay(_decoupled())), "Answer in the other order."),
            (
                lambda: ((1 - L2_DECAY) ** L2_STEPS, after_decay(_l2_in_adam())),
                "Decoupled decay is multiplied by the rate, too.",
            ),
            (
                lambda: (after_decay(_decoupled()), 1 - L2_RATE * L2_STEPS),
                "Nearly: so it would be if every step were the rate. But this gradient shrinks, and the mean of its "
                "squares remembers when it was larger. Compute it step by step.",
            ),
        ),
    ),
    points=2,
)

IN_YOUR_WORDS = Exercise(
    name="optimizers.text",
    title="the same number, another run",
    task=FreeText(
        "A colleague had Adam, with 0.01 times half the squared parameters in the loss, and now takes AdamW with a "
        "decay of 0.01. The run behaves quite differently. Explain why.",
        rubric=(
            Criterion(1, "In the loss, 0.01 times the parameter is added to its gradient, and goes into both means."),
            Criterion(
                2,
                "Adam then divides by the root of the mean of squares: where gradients are large, decay hardly "
                "counts; where they are small, it counts fully.",
            ),
            Criterion(1, "AdamW takes rate * 0.01 * parameter off each parameter, whatever its gradients."),
            Criterion(1, "So 0.01 is not the same strength in both, and has to be chosen anew."),
            Criterion(1, "In plain gradient descent the two are the same."),
        ),
    ),
    points=0,
    required=False,
)

WHICH_MISTAKE = Exercise(
    name="optimizers.q4",
    title="which mistake is this?",
    task=WhichMistake(
        tuple(Source(exercise.task, draw=_draw_few_steps) for exercise in (MOMENTUM, RMSPROP, ADAM_EXERCISE, ADAMW))
    ),
    points=1,
)

PAPER = Paper(
    "optimizers",
    (
        MOMENTUM,
        NESTEROV,
        RMSPROP,
        FIRST_STEP,
        ADAM_EXERCISE,
        STATE_BYTES,
        ADAMW,
        TWO_DECAYS,
        SCHEDULE,
        IN_YOUR_WORDS,
        WHICH_MISTAKE,
    ),
    shows_forward=True,
    shows_cost=True,
)
