"""Answers to `optimizers`, wrong and right: a step of each kind, and the rate of a step."""

from collections.abc import Callable

from tests.corpus.answers import Answer, right, wrong

_UP = "uphill"


def _maker(exercise: str) -> Callable[..., Answer]:
    def made(name: str, old: str, now: str, **what: str) -> Answer:
        return wrong(exercise, name, (old, now), **what)

    return made


def _momentum() -> tuple[Answer, ...]:
    exercise = "optimizers.momentum"
    made = _maker(exercise)
    total, step = (
        "grad + decay * total, grads, state)  #",
        "return jax.tree.map(lambda total: -rate * total, state), state",
    )
    return (
        made("uphill", step, step.replace("-rate", "rate"), mistake=_UP),
        made("a mean", total, total.replace("grad +", "(1 - decay) * grad +"), mistake="damped"),
        made("decay forgotten", total, total.replace("decay * ", ""), mistake="nothing fades"),
        made("a new state each step", step, step.replace(", state), state", ", state), params")),
        made("nothing carried", total, total.replace(" + decay * total", ""), mistake="nothing carried"),
        made(
            "all of it faded",
            total,
            total.replace("grad + decay * total", "decay * (grad + total)"),
            mistake="the new gradient faded",
        ),
        made(
            "the gradient faded",
            total,
            total.replace("grad + decay * total", "decay * grad + total"),
            mistake="the gradient faded, not the sum",
        ),
        made(
            "the gradient carried",
            step,
            step.replace(", state), state", ", state), grads"),
            mistake="the last gradient carried, not the sum",
        ),
        made("a minus for the old", total, total.replace("+", "-")),
        made("rate squared", step, step.replace("-rate", "-(rate**2)"), slip="factor"),
        made(
            "new parameters returned",
            step,
            "return jax.tree.map(lambda p, total: p - rate * total, params, state), state",
            mistake="new parameters for updates",
        ),
        made("the updates alone", step, step.removesuffix(", state"), fault="structure"),
        made(
            "one number for the state",
            "return jax.tree.map(jnp.zeros_like, params)\n\n\ndef momentum_update",
            "return 0.0\n\n\ndef momentum_update",
            fault="exception",
        ),
        right(
            exercise,
            "the rate inside",
            (total, total.replace("grad + decay * total", "decay * total - rate * grad")),
            (step, "return state, state"),
        ),
        right(
            exercise,
            "steps, then fades",
            functions="""
def momentum_init(params):
    return {"faded": jax.tree.map(lambda p: 0 * p, params)}


def momentum_update(grads, state, params, rate, decay):
    whole = jax.tree.map(jnp.add, grads, state["faded"])
    return jax.tree.map(lambda u: -u * rate, whole), {"faded": jax.tree.map(lambda u: u * decay, whole)}
""",
        ),
        right(
            exercise,
            "leaf by leaf",
            functions="""
def momentum_init(params):
    return [jnp.zeros(leaf.shape, leaf.dtype) for leaf in jax.tree.leaves(params)]


@jax.jit
def momentum_update(grads, state, params, rate, decay):
    leaves, treedef = jax.tree.flatten(grads)
    state = [leaf + decay * total for leaf, total in zip(leaves, state)]
    return jax.tree.unflatten(treedef, [-rate * total for total in state]), state
""",
        ),
        right(
            exercise,
            "a fraction of the old sum taken off",
            (total, total.replace("grad + decay * total", "total - (1 - decay) * total + grad")),
        ),
    )


def _nesterov() -> tuple[Answer, ...]:
    exercise = "optimizers.nesterov"
    made = _maker(exercise)
    step = "-rate * (grad + decay * total)"
    return (
        made("no look ahead", step, "-rate * total", mistake="the look ahead forgotten"),
        made("not faded", step, "-rate * (grad + total)", mistake="not faded"),
        made("no gradient", step, "-rate * decay * total", mistake="the gradient left out"),
        made("the sum for the gradient", step, "-rate * (total + decay * total)", mistake="ahead twice"),
        made("uphill", step, "rate * (grad + decay * total)", mistake=_UP),
        made("decay at the gradient", step, "-rate * (decay * grad + total)"),
        made(
            "the first step's state for ever",
            "_, state = momentum_update(grads, state, params, rate, decay)",
            "_ = momentum_update(grads, state, params, rate, decay)",
            slip="factor",
        ),
        right(
            exercise,
            "written out",
            functions="""
def nesterov_init(params):
    return jax.tree.map(jnp.zeros_like, params)


def nesterov_update(grads, state, params, rate, decay):
    state = jax.tree.map(lambda g, u: g + decay * u, grads, state)
    return jax.tree.map(lambda g, u: -rate * g - rate * decay * u, grads, state), state
""",
        ),
        right(
            exercise,
            "momentum twice",
            functions="""
def nesterov_update(grads, state, params, rate, decay):
    state = momentum_update(grads, state, params, rate, decay)[1]
    return momentum_update(grads, state, params, rate, decay)[0], state
""",
        ),
        right(
            exercise,
            "momentum's step, mended",
            functions="""
def nesterov_update(grads, state, params, rate, decay):
    steps, state = momentum_update(grads, state, params, rate, decay)
    return jax.tree.map(lambda s, g: decay * s - rate * g, steps, grads), state
""",
        ),
    )


def _rmsprop() -> tuple[Answer, ...]:
    exercise = "optimizers.rmsprop"
    made = _maker(exercise)
    mean = "lambda grad, square: decay * square + (1 - decay) * grad**2, grads, state)"
    step, kept = "-rate * grad / (jnp.sqrt(square) + epsilon)", "return updates, state  #"

    def meaned(name: str, now: str, **what: str) -> Answer:
        return made(name, mean, mean.replace("decay * square + (1 - decay) * grad**2", now), **what)

    return (
        made("epsilon inside", step, "-rate * grad / jnp.sqrt(square + epsilon)", mistake="epsilon inside the root"),
        made("no root", step, "-rate * grad / (square + epsilon)", mistake="the root left out"),
        made("no epsilon", step, "-rate * grad / jnp.sqrt(square)"),
        made("uphill", step, "rate * grad / (jnp.sqrt(square) + epsilon)", mistake=_UP),
        made("the sign alone", step, "-rate * jnp.sign(grad)"),
        meaned("a sum", "square + grad**2", mistake="a sum for a mean"),
        meaned("no second part", "decay * square + grad**2", mistake="the new square in full"),
        meaned("parts exchanged", "(1 - decay) * square + decay * grad**2", mistake="the parts exchanged"),
        meaned("the gradient's mean", "decay * square + (1 - decay) * grad", slip="not finite"),
        made("the state forgotten", kept, "return updates, jax.tree.map(jnp.zeros_like, params)  #"),
        made("no state", kept, "return updates  #", fault="structure"),
        right(
            exercise,
            "towards the square",
            (
                mean,
                mean.replace("decay * square + (1 - decay) * grad**2", "square + (1 - decay) * (grad * grad - square)"),
            ),
        ),
        right(exercise, "a power", (step, "-rate * grad / (square**0.5 + epsilon)")),
        right(
            exercise,
            "the root kept",
            functions="""
def rmsprop_update(grads, state, params, rate, decay, epsilon):
    roots = jax.tree.map(lambda g, r: jnp.hypot(decay**0.5 * r, (1 - decay) ** 0.5 * g), grads, state)
    return jax.tree.map(lambda g, r: -rate / (r + epsilon) * g, grads, roots), roots
""",
        ),
    )


def _adam() -> tuple[Answer, ...]:
    exercise = "optimizers.adam"
    made = _maker(exercise)
    step = "-rate * (mean / weight1) / (jnp.sqrt(square / weight2) + epsilon)"
    weights = "weight1, weight2 = 1 - decay1**count, 1 - decay2**count"
    count, kept = "count = state.count + 1  #", "AdamState(count, mean, square)\n\n\ndef adamw_init"
    return (
        made("not corrected", weights, "weight1, weight2 = 1.0, 1.0", mistake="no bias correction"),
        made("mean not corrected", step, step.replace("(mean / weight1)", "mean"), mistake="the mean not corrected"),
        made(
            "squares not corrected",
            step,
            step.replace("square / weight2", "square"),
            mistake="the squares not corrected",
        ),
        made(
            "epsilon inside",
            step,
            "-rate * (mean / weight1) / jnp.sqrt(square / weight2 + epsilon)",
            mistake="epsilon inside the root",
        ),
        made(
            "epsilon first",
            step,
            "-rate * (mean / weight1) / ((jnp.sqrt(square) + epsilon) / jnp.sqrt(weight2))",
            mistake="epsilon before the correction",
        ),
        made("count too early", count, "count = state.count  #", slip="not finite"),
        made(
            "count raised at the end",
            weights,
            weights.replace("count", "(count - 1)"),
            mistake="count before it is raised",
        ),
        made("count too far", weights, weights.replace("count", "(count + 1)"), mistake="count one too far"),
        made("no power", weights, "weight1, weight2 = 1 - decay1, 1 - decay2", mistake="count stays at 1"),
        made("one decay for both", weights, weights.replace("decay2", "decay1")),
        made(
            "no root", step, step.replace("jnp.sqrt(square / weight2)", "square / weight2"), mistake="the root left out"
        ),
        made("uphill", step, step.removeprefix("-"), mistake=_UP),
        made(
            "the count not carried", kept, kept.replace("count, mean", "state.count, mean"), mistake="count stays at 1"
        ),
        made("no epsilon", step, step.replace(" + epsilon", "")),
        made("one state for all", kept, kept.replace("AdamState(count, mean, square)", "state")),
        right(
            exercise,
            "one rate",
            (step, "-(rate * jnp.sqrt(weight2) / weight1) * mean / (jnp.sqrt(square) + epsilon * jnp.sqrt(weight2))"),
        ),
        right(
            exercise,
            "a list for a state",
            functions="""
def adam_init(params):
    return [0, *(jax.tree.map(jnp.zeros_like, params) for _ in range(2))]


def adam_update(grads, state, params, rate, decay1, decay2, epsilon):
    t, m, v = state
    t += 1
    m = jax.tree.map(lambda m, g: m + (1 - decay1) * (g - m), m, grads)
    v = jax.tree.map(lambda v, g: v + (1 - decay2) * (g * g - v), v, grads)
    fair_m = jax.tree.map(lambda m: m / (1 - decay1**t), m)
    fair_v = jax.tree.map(lambda v: v / (1 - decay2**t), v)
    return jax.tree.map(lambda m, v: -rate * m / (epsilon + v**0.5), fair_m, fair_v), [t, m, v]
""",
        ),
        right(
            exercise,
            "the weights summed",
            functions="""
def adam_init(params):
    zeros = jax.tree.map(jnp.zeros_like, params)
    return zeros, zeros, jnp.zeros(2)


def adam_update(grads, state, params, rate, decay1, decay2, epsilon):
    decays = jnp.array([decay1, decay2])
    first, second, sums = state
    sums = decays * sums + (1 - decays)
    first = jax.tree.map(lambda g, m: decay1 * m + (1 - decay1) * g, grads, first)
    second = jax.tree.map(lambda g, s: decay2 * s + (1 - decay2) * g**2, grads, second)
    step = jax.tree.map(lambda m, s: -rate * (m / sums[0]) / (jnp.sqrt(s / sums[1]) + epsilon), first, second)
    return step, (first, second, sums)
""",
        ),
    )


def _adamw() -> tuple[Answer, ...]:
    exercise = "optimizers.adamw"
    made = _maker(exercise)
    step = "step - rate * weight_decay * p, updates, params)"
    adam = "adam_update(grads, state, params, rate, decay1, decay2, epsilon)  # nothing"
    l2 = adam.replace("grads,", "jax.tree.map(lambda g, p: g + weight_decay * p, grads, params),")
    return (
        wrong(exercise, "L2", (adam, l2), (step, "step, updates, params)"), mistake="L2 for decoupled"),
        made("both", adam, l2),
        made("a plus", step, step.replace("step -", "step +"), mistake="decay with the wrong sign"),
        made("without the rate", step, step.replace("rate * ", ""), mistake="decay without the rate"),
        made("no decay", step, "step, updates, params)", mistake="no decay"),
        made("of the step", step, "step * (1 - rate * weight_decay), updates, params)", mistake="the step decayed"),
        made(
            "after the step",
            step,
            "step - rate * weight_decay * (p + step), updates, params)",
            mistake="decayed after the step",
        ),
        made(
            "the new parameters",
            step,
            "p + step - rate * weight_decay * p, updates, params)",
            mistake="new parameters for updates",
        ),
        made("rate squared", step, "step - rate**2 * weight_decay * p, updates, params)"),
        right(exercise, "before the step", (step, "(1 - rate * weight_decay) * p + step - p, updates, params)")),
        right(exercise, "apart", (step, "p * weight_decay * -rate + step, updates, params)")),
        right(
            exercise,
            "a map for each",
            functions="""
def adamw_update(grads, state, params, rate, decay1, decay2, epsilon, weight_decay):
    steps, state = adam_update(grads, state, params, rate, decay1, decay2, epsilon)
    decayed = jax.tree.map(lambda p: -rate * weight_decay * p, params)
    return jax.tree.map(jnp.add, steps, decayed), state
""",
        ),
    )


def _warmup_cosine() -> tuple[Answer, ...]:
    exercise = "optimizers.warmup_cosine"
    made = _maker(exercise)
    rising, part = "peak * step / jnp.maximum(warmup, 1)", "jnp.clip((step - warmup) / (steps - warmup), 0, 1)"
    falling = "peak * (1 + jnp.cos(jnp.pi * part)) / 2"
    return (
        made("from step 0", part, "jnp.clip(step / steps, 0, 1)", mistake="the warm-up not taken off"),
        made("longer", part, "jnp.clip((step - warmup) / steps, 0, 1)", mistake="the end put off"),
        made("not halved", falling, "peak * (1 + jnp.cos(jnp.pi * part))", mistake="not halved"),
        made("a whole wave", falling, "peak * (1 + jnp.cos(2 * jnp.pi * part)) / 2", mistake="a whole wave"),
        made("again", part, "(step - warmup) / (steps - warmup)", mistake="it begins again"),
        made("a line", falling, "peak * (1 - part)", mistake="a line for the cosine"),
        made("ahead", rising, "peak * (step + 1) / jnp.maximum(warmup, 1)", mistake="one step ahead"),
        made("no warm-up", rising, "peak", mistake="no warm-up"),
        made("a sine", falling, "peak * (1 - jnp.sin(jnp.pi * part)) / 2"),
        wrong(
            exercise,
            "0 / 0",
            (rising, "peak * step / warmup"),
            ("step < warmup, rising", "step <= warmup, rising"),
            case="no warm-up at all",
        ),
        right(exercise, "a square", (falling, "peak * jnp.cos(jnp.pi / 2 * part) ** 2")),
        right(
            exercise,
            "the lesser of two",
            ("jnp.where(step < warmup, rising, falling)", "jnp.where(step >= warmup, falling, rising)"),
        ),
        right(
            exercise,
            "step by step",
            functions="""
def warmup_cosine(step, peak, warmup, steps):
    def one(now):
        if now < warmup:
            return peak * now / warmup
        gone = min(now - warmup, steps - warmup) / (steps - warmup)
        return peak * (math.cos(math.pi * gone) + 1) / 2

    return np.vectorize(one, otypes=[float])(step)
""",
        ),
    )


ANSWERS = (*_momentum(), *_nesterov(), *_rmsprop(), *_adam(), *_adamw(), *_warmup_cosine())
