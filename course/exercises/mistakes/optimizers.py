"""The mistakes with a name of `optimizers`: wrong optimisers, made of Optax's parts where these have the switch for it.

Each takes the settings of its task and returns a pair of Optax's form; those of the schedule take its arguments.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import optax
from optax import GradientTransformation as Made

from course.comparison.mistakes import Mistake


def by_number(memories: int, step: Callable[..., tuple[Any, ...]]) -> Made:
    """An optimiser that treats every number alike.

    Args:
        memories: How many numbers it carries for each parameter; they start at 0.
        step: From a step's number, which starts at 1, a gradient, a parameter and the memories, to the update and the
            new memories.
    """

    def init(params: Any) -> Any:
        return 0, [jax.tree.map(jnp.zeros_like, params) for _ in range(memories)]

    def update(grads: Any, state: Any, params: Any = None) -> Any:
        count, carried = state[0] + 1, state[1]
        treedef = jax.tree.structure(grads)
        leaves = zip(*(jax.tree.leaves(tree) for tree in (grads, params, *carried)), strict=True)
        updates, *carried = zip(*(step(count, *numbers) for numbers in leaves), strict=True)
        return jax.tree.unflatten(treedef, updates), (count, [jax.tree.unflatten(treedef, c) for c in carried])

    return Made(init, update)


def _stepping(*parts: Made, rate: float) -> Made:
    """Parts in a row, then a step downhill."""
    return optax.chain(*parts, optax.scale(-rate))


def _turned(optimizer: Callable[..., Made]) -> Callable[..., Made]:
    return lambda *settings: optax.chain(optimizer(*settings), optax.scale(-1.0))


def _applied(optimizer: Callable[..., Made]) -> Callable[..., Made]:
    """The optimiser with its updates added already."""

    def make(*settings: float) -> Made:
        right = optimizer(*settings)

        def update(grads: Any, state: Any, params: Any = None) -> Any:
            steps, state = right.update(grads, state, params)
            return jax.tree.map(jnp.add, params, steps), state

        return Made(right.init, update)

    return make


_APPLIED = "new parameters for updates"
_ADDED_TWICE = (
    "These are the new parameters. What is asked for is what will be added to the old ones.",
    "After params + updates: where would a step of yours lead?   (step 2)",
)
_UPHILL = ("It goes uphill: params + updates has a larger loss.", "Which way does the gradient point?   (step 2)")
_CARRIED = "What comes first: the new gradient, or the step?   (step 1)"

MOMENTUM = (
    Mistake(_APPLIED, _applied(optax.sgd), *_ADDED_TWICE),
    Mistake("uphill", _turned(optax.sgd), *_UPHILL),
    Mistake(
        "damped",
        lambda rate, decay: _stepping(optax.ema(decay, debias=False), rate=rate),
        "The new gradient counts only in part, as in a mean: some books and libraries call that momentum too. Here the "
        "sum is asked for.",
        "With which weight does g_t stand in the sum?   (step 1)",
    ),
    Mistake(
        "nothing carried",
        lambda rate, decay: optax.sgd(rate),
        "Each step follows its own gradient alone.",
        "What came in at the step before, and where is it now?   (step 1)",
    ),
    Mistake(
        "the old sum used",
        lambda rate, decay: by_number(1, lambda count, grad, _, total: (-rate * total, grad + decay * total)),
        "The step is taken along the sum as it was before this gradient came.",
        _CARRIED,
    ),
    Mistake(
        "nothing fades",
        lambda rate, decay: _stepping(optax.trace(1.0), rate=rate),
        "Old gradients never fade: every one of them counts as much as the new one.",
        "How much does g_(t-1) count at step t, and how much at step t + 1?   (step 1)",
    ),
    Mistake(
        "the new gradient faded",
        lambda rate, decay: _stepping(optax.trace(decay), rate=rate * decay),
        "The new gradient is faded as if it were a step old.",
        "With which weight does g_t stand in the sum?   (step 1)",
    ),
    Mistake(
        "the gradient faded, not the sum",
        lambda rate, decay: _stepping(optax.scale(decay), optax.trace(1.0), rate=rate),
        "The factor stands at the new gradient, and not at what was carried.",
        "Which of the two is a step older?   (step 1)",
    ),
    Mistake(
        "the last gradient carried, not the sum",
        lambda rate, decay: by_number(1, lambda count, grad, _, last: (-rate * (grad + decay * last), grad)),
        "Only the last two gradients count: what is carried is a gradient, and not the sum.",
        "Where is g_(t-2) in your step?   (step 1)",
    ),
    Mistake(
        "Nesterov's",
        lambda rate, decay: optax.sgd(rate, momentum=decay, nesterov=True),
        "This looks one step ahead: it is Nesterov's momentum.",
        "Which sum is stepped along: that of this step, or that of the next?   (step 2)",
    ),
)


def _ahead_carried(rate: float, decay: float) -> Made:
    """Nesterov's momentum with the sum that looked ahead in its state."""

    def step(count: Any, grad: Any, _: Any, ahead: Any) -> tuple[Any, ...]:
        ahead = grad * (1 + decay) + decay**2 * ahead
        return -rate * ahead, ahead

    return by_number(1, step)


NESTEROV = (
    Mistake("uphill", _turned(lambda rate, decay: optax.sgd(rate, decay, True)), *_UPHILL),
    Mistake(
        "the look ahead forgotten",
        optax.sgd,
        "This is momentum as it was: nothing looks ahead.",
        "What will the sum be worth a step later?   (step 2)",
    ),
    Mistake(
        "the gradient left out",
        lambda rate, decay: _stepping(optax.trace(decay), rate=rate * decay),
        "The sum is faded once more, and nothing stands beside it.",
        "Which gradient comes beside what has faded?   (step 2)",
    ),
    Mistake(
        "not faded",
        lambda rate, decay: by_number(
            1, lambda count, grad, _, total: (-rate * (grad + (grad + decay * total)), grad + decay * total)
        ),
        "The gradient was added to a sum that did not fade.",
        "What is the sum worth a step later?   (step 2)",
    ),
    Mistake(
        "ahead twice",
        lambda rate, decay: _stepping(optax.trace(decay), rate=rate * (1 + decay)),
        "The whole sum was taken in the place of the gradient.",
        "What stands beside what has faded: a gradient, or the sum?   (step 2)",
    ),
    Mistake(
        "damped",
        lambda rate, decay: _stepping(optax.scale(1 - decay), optax.trace(decay, nesterov=True), rate=rate),
        "Every gradient counts only in part, as in a mean.",
        "With which weight does g_t stand in the sum?   (step 1)",
    ),
    Mistake(
        "what is ahead carried on",
        _ahead_carried,
        "What is carried to the next step is the sum that looked ahead; the next step looks ahead by itself.",
        "Which of the two goes into the state?   (step 1)",
    ),
)


def _rms(rate: float, decay: float, epsilon: float, **switches: Any) -> Made:
    return optax.rmsprop(rate, decay, epsilon, **{"eps_in_sqrt": False, **switches})


RMSPROP = (
    Mistake(_APPLIED, _applied(_rms), *_ADDED_TWICE),
    Mistake("uphill", _turned(_rms), *_UPHILL),
    Mistake(
        "epsilon inside the root",
        lambda rate, decay, epsilon: _rms(rate, decay, epsilon, eps_in_sqrt=True),
        "Epsilon was added before the root was taken: it then weighs as its root, which is far more.",
        "Is epsilon a size, or the square of one?   (step 2)",
    ),
    Mistake(
        "bias corrected",
        lambda rate, decay, epsilon: _rms(rate, decay, epsilon, bias_correction=True),
        "The mean is corrected for its start at zero. That is Adam's idea, and comes next.",
        "What is the mean divided by before the root, and who asked for that?   (step 1)",
    ),
    Mistake(
        "the old mean used",
        lambda rate, decay, epsilon: by_number(
            1,
            lambda count, grad, _, square: (
                -rate * grad / (epsilon + square**0.5),
                (1 - decay) * grad * grad + decay * square,
            ),
        ),
        "The gradient was divided by the mean as it was before: the first step divides by epsilon alone.",
        _CARRIED,
    ),
    Mistake(
        "the root left out",
        lambda rate, decay, epsilon: by_number(
            1,
            lambda count, grad, _, square: (
                -rate * grad / (epsilon + (1 - decay) * grad * grad + decay * square),
                (1 - decay) * grad * grad + decay * square,
            ),
        ),
        "The gradient was divided by the mean of squares itself: ten times the gradient makes a tenth of the step.",
        "In which unit is a mean of squares?   (step 2)",
    ),
    Mistake(
        "the parts exchanged",
        lambda rate, decay, epsilon: _rms(rate, 1 - decay, epsilon),
        "The new square has the old one's part, and the old one the new one's.",
        "With decay near 1: does the mean change slowly, or does it forget at once?   (step 1)",
    ),
    Mistake(
        "a sum for a mean",
        lambda rate, decay, epsilon: by_number(
            1,
            lambda count, grad, _, square: (
                -rate * grad / (epsilon + (grad * grad + square) ** 0.5),
                grad * grad + square,
            ),
        ),
        "The squares are summed and never fade: that is AdaGrad, whose steps become smaller and smaller.",
        "What happens to an old square, step by step?   (step 1)",
    ),
    Mistake(
        "the new square in full",
        lambda rate, decay, epsilon: by_number(
            1,
            lambda count, grad, _, square: (
                -rate * grad / (epsilon + (grad * grad + decay * square) ** 0.5),
                grad * grad + decay * square,
            ),
        ),
        "The old squares fade, but the new one counts in full: that is no mean, it grows beyond every square in it.",
        "If all gradients were 1, where would your mean end?   (step 1)",
    ),
    Mistake(
        "a mean of sizes",
        lambda rate, decay, epsilon: by_number(
            1,
            lambda count, grad, _, size: (
                -rate * grad / (epsilon + (1 - decay) * abs(grad) + decay * size),
                (1 - decay) * abs(grad) + decay * size,
            ),
        ),
        "This is the mean of the gradients' sizes, and not the root of the mean of their squares.",
        "In which order: square, mean, root?   (steps 1 and 2)",
    ),
    Mistake(
        "the square of a mean",
        lambda rate, decay, epsilon: by_number(
            1,
            lambda count, grad, _, mean: (
                -rate * grad / (epsilon + abs((1 - decay) * grad + decay * mean)),
                (1 - decay) * grad + decay * mean,
            ),
        ),
        "The mean is of the gradients, and is squared afterwards: gradients that change sign cancel in it.",
        "In which order: square, mean, root?   (steps 1 and 2)",
    ),
)


def adam_with(
    *,
    first: bool = True,
    second: bool = True,
    count: Callable[[Any], Any] = lambda count: count,
    carried: bool = False,
    divided: Callable[..., Any] | None = None,
) -> Callable[..., Made]:
    """Adam with something in it done otherwise.

    Args:
        first: Whether the mean of gradients is corrected.
        second: Whether that of squares is.
        count: What is taken for the step's number.
        carried: Whether the corrected means go into the next step.
        divided: From both means and epsilon to their quotient.
    """

    def make(rate: float, decay1: float, decay2: float, epsilon: float) -> Made:
        def step(number: Any, grad: Any, _: Any, m: Any, s: Any) -> tuple[Any, ...]:
            m, s = decay1 * m + grad * (1 - decay1), decay2 * s + grad * grad * (1 - decay2)
            t = jnp.asarray(count(number), grad.dtype)
            fair_m, fair_s = m / (1 - decay1**t) if first else m, s / (1 - decay2**t) if second else s
            quotient = (divided or (lambda m, s, epsilon: m / (s**0.5 + epsilon)))(fair_m, fair_s, epsilon)
            return (-rate * quotient, *((fair_m, fair_s) if carried else (m, s)))

        return by_number(2, step)

    return make


def _epsilon_apart(rate: float, decay1: float, decay2: float, epsilon: float) -> Made:
    """Adam with epsilon added to the root of the uncorrected mean."""

    def step(t: Any, grad: Any, _: Any, m: Any, s: Any) -> tuple[Any, ...]:
        m, s = decay1 * m + grad * (1 - decay1), decay2 * s + grad * grad * (1 - decay2)
        return -rate * (1 - decay2**t) ** 0.5 / (1 - decay1**t) * m / (s**0.5 + epsilon), m, s

    return by_number(2, step)


ADAM = (
    Mistake(_APPLIED, _applied(optax.adam), *_ADDED_TWICE),
    Mistake("uphill", _turned(optax.adam), *_UPHILL),
    Mistake(
        "no bias correction",
        adam_with(first=False, second=False),
        "The means start at zero, and nothing makes up for it: the first steps are too long, and by how much depends "
        "on the decays.",
        "After one step, which part of the first gradient is in the mean?   (step 3)",
    ),
    Mistake(
        "the mean not corrected",
        adam_with(first=False),
        "The mean of squares is corrected for its start at zero, and that of the gradients is not.",
        "Both means start at zero. Which of them are divided by the sum of their weights?   (step 3)",
    ),
    Mistake(
        "the squares not corrected",
        adam_with(second=False),
        "The mean of gradients is corrected for its start at zero, and that of the squares is not.",
        "Both means start at zero. Which of them are divided by the sum of their weights?   (step 3)",
    ),
    Mistake(
        "epsilon inside the root",
        lambda rate, decay1, decay2, epsilon: optax.adam(rate, decay1, decay2, 0.0, epsilon),
        "Epsilon was added before the root was taken: it then weighs as its root, which is far more.",
        "Is epsilon a size, or the square of one?   (step 3)",
    ),
    Mistake(
        "epsilon before the correction",
        _epsilon_apart,
        "Epsilon was added to the root before the correction, and so is itself corrected. The paper has this form too, "
        "as a quicker one with another epsilon; Optax and PyTorch have the other.",
        "Which comes first: the correction, or epsilon?   (step 3)",
    ),
    Mistake(
        "count before it is raised",
        adam_with(count=lambda count: count - 1),
        "The count is taken before it is raised: at the first step the weights sum to 0, and 0 / 0 is no number.",
        "How many gradients are in the means when they are divided?   (step 1)",
    ),
    Mistake(
        "count one too far",
        adam_with(count=lambda count: count + 1),
        "The count is one too many: it says 2 at the first step.",
        "How many gradients are in the means when they are divided?   (step 1)",
    ),
    Mistake(
        "count stays at 1",
        adam_with(count=lambda count: 1),
        "The means are divided by what their weights sum to after one step, at every step.",
        "What do the weights sum to after two steps, and after a thousand?   (step 3)",
    ),
    Mistake(
        "corrected means carried",
        adam_with(carried=True),
        "The corrected means were put into the state: at the next step they are corrected a second time.",
        "Which means does the next step go on from?   (step 4)",
    ),
    Mistake(
        "the decays exchanged",
        lambda rate, decay1, decay2, epsilon: optax.adam(rate, decay2, decay1, epsilon),
        "Each mean has the other one's decay.",
        "Which of the two decays belongs to the squares?   (step 2)",
    ),
    Mistake(
        "the root left out",
        adam_with(divided=lambda m, s, epsilon: m / (s + epsilon)),
        "The mean was divided by the mean of squares itself: ten times the gradient makes a tenth of the step.",
        "In which unit is a mean of squares?   (step 3)",
    ),
    Mistake(
        "no mean of gradients",
        lambda rate, decay1, decay2, epsilon: optax.rmsprop(
            rate, decay2, epsilon, eps_in_sqrt=False, bias_correction=True
        ),
        "The step follows the last gradient alone: that is RMSProp, corrected.",
        "What stands above the line: the gradient, or a mean?   (step 2)",
    ),
)


def _adamed(rate: float, decay1: float, decay2: float, epsilon: float, *after: Made) -> Made:
    return optax.chain(optax.scale_by_adam(decay1, decay2, epsilon), *after, optax.scale(-rate))


def _decayed_after(rate: float, decay1: float, decay2: float, epsilon: float, weight_decay: float) -> Made:
    adam = optax.adam(rate, decay1, decay2, epsilon)

    def update(grads: Any, state: Any, params: Any = None) -> Any:
        steps, state = adam.update(grads, state, params)
        moved = jax.tree.map(jnp.add, params, steps)
        return jax.tree.map(lambda p, p_old: (1 - rate * weight_decay) * p - p_old, moved, params), state

    return Made(adam.init, update)


def _decoupled(rate: float, decay1: float, decay2: float, epsilon: float, weight_decay: float) -> Made:
    return optax.adamw(rate, decay1, decay2, epsilon, weight_decay=weight_decay)


ADAMW = (
    Mistake(_APPLIED, _applied(_decoupled), *_ADDED_TWICE),
    Mistake(
        "L2 for decoupled",
        lambda rate, d1, d2, eps, weight_decay: optax.chain(
            optax.add_decayed_weights(weight_decay), optax.adam(rate, d1, d2, eps)
        ),
        "The decay was added to the gradient: it went into both means, and was divided by the root. That is Adam with "
        "L2 in the loss.",
        "Does Adam, in AdamW, ever hear of the decay?   (step 1)",
    ),
    Mistake(
        "decay with the wrong sign",
        lambda rate, d1, d2, eps, weight_decay: _adamed(rate, d1, d2, eps, optax.add_decayed_weights(-weight_decay)),
        "Parameters grow where they should decay.",
        "A parameter is 2 and its gradient is 0. Which way does the decay move it?   (step 2)",
    ),
    Mistake(
        "decay without the rate",
        lambda rate, d1, d2, eps, weight_decay: optax.chain(
            optax.adam(rate, d1, d2, eps), optax.add_decayed_weights(-weight_decay)
        ),
        "The decay does not know of the rate: it is as strong when the rate has almost gone to zero.",
        "When the rate is halved, what should happen to the decay of a step?   (step 2)",
    ),
    Mistake(
        "no decay",
        lambda rate, d1, d2, eps, weight_decay: optax.adam(rate, d1, d2, eps),
        "This is Adam: nothing decays.",
        "Where does params come in?   (step 2)",
    ),
    Mistake(
        "the step decayed",
        lambda rate, d1, d2, eps, weight_decay: _adamed(rate * (1 - rate * weight_decay), d1, d2, eps),
        "The step was made smaller, and not the parameter.",
        "What is it that decays: where it stands, or how far it goes?   (step 2)",
    ),
    Mistake(
        "decayed after the step",
        _decayed_after,
        "The decay was taken of where Adam's step had led to. The paper and Optax take it of where the step began.",
        "Of which of the two is the decay a part: params, or params + updates?   (step 2)",
    ),
    Mistake(
        "a sign for the parameter",
        lambda rate, d1, d2, eps, weight_decay: optax.chain(
            optax.adam(rate, d1, d2, eps),
            by_number(0, lambda count, step, p: (step - rate * weight_decay * jnp.sign(p),)),
        ),
        "All parameters decay by the same amount, large or small.",
        "Does a parameter of 2 lose as much as one of 1?   (step 2)",
    ),
    Mistake(
        "uphill",
        _turned(lambda rate, d1, d2, eps, decay: _adamed(rate, d1, d2, eps, optax.add_decayed_weights(decay))),
        *_UPHILL,
    ),
)


def _cosine_from(step: Any, peak: float, warmup: int, falling: Any) -> Any:
    """A rate that rises in a line up to the end of the warm-up, and then is something else."""
    return jnp.where(step < warmup, optax.linear_schedule(0.0, peak, max(warmup, 1))(step), falling)


WARMUP_COSINE = (
    Mistake(
        "the warm-up not taken off",
        lambda step, peak, warmup, steps: _cosine_from(
            step, peak, warmup, optax.cosine_decay_schedule(peak, steps)(step)
        ),
        "The cosine began at step 0, under the warm-up: at its end the rate jumps down.",
        "How far is the cosine when the warm-up ends?   (step 2)",
    ),
    Mistake(
        "the end put off",
        lambda step, peak, warmup, steps: optax.warmup_cosine_decay_schedule(0.0, peak, warmup, warmup + steps)(step),
        "The cosine takes `steps` steps from the end of the warm-up on: the rate is not 0 at the end.",
        "Is the warm-up a part of the `steps`, or does it come on top of them?   (step 2)",
    ),
    Mistake(
        "not halved",
        lambda step, peak, warmup, steps: _cosine_from(
            step, peak, warmup, optax.cosine_decay_schedule(2 * peak, steps - warmup)(step - warmup)
        ),
        "The cosine begins at twice the peak.",
        "From 1 to -1 it is a way of 2. How long is the one from 1 to 0?   (step 3)",
    ),
    Mistake(
        "a whole wave",
        lambda step, peak, warmup, steps: _cosine_from(
            step, peak, warmup, peak * jnp.cos(jnp.pi * jnp.minimum(1, (step - warmup) / (steps - warmup))) ** 2
        ),
        "The rate comes down to 0 half-way, and is at the peak again at the end.",
        "Through which angle does the cosine go from its 1 to its -1?   (step 3)",
    ),
    Mistake(
        "it begins again",
        lambda step, peak, warmup, steps: _cosine_from(
            step, peak, warmup, peak * jnp.cos(0.5 * jnp.pi * (step - warmup) / (steps - warmup)) ** 2
        ),
        "After the last step the rate rises again.",
        "What is the part beyond the end?   (step 2)",
    ),
    Mistake(
        "a line for the cosine",
        lambda step, peak, warmup, steps: _cosine_from(
            step, peak, warmup, optax.linear_schedule(peak, 0.0, steps - warmup)(step - warmup)
        ),
        "The rate falls in a line.",
        "How fast does a cosine fall where it begins, and how fast half-way?   (step 3)",
    ),
    Mistake(
        "one step ahead",
        lambda step, peak, warmup, steps: jnp.where(
            step < warmup,
            peak * (step + 1) / jnp.maximum(warmup, 1),
            optax.cosine_decay_schedule(peak, steps - warmup)(step - warmup),
        ),
        "The warm-up is one step ahead. Some do that, so that the first step is not lost; here it starts at 0.",
        "What is the rate at step 0?   (step 1)",
    ),
    Mistake(
        "no warm-up",
        lambda step, peak, warmup, steps: optax.cosine_decay_schedule(peak, steps - warmup)(
            jnp.maximum(step - warmup, 0)
        ),
        "The rate is at its peak from the first step on.",
        "What is the rate at step 0?   (step 1)",
    ),
)
