# %% [markdown] name="title"
# # Optimisers, from gradient descent to AdamW
#
# **Your gradient is right. Which way do you go now, and how far?**
#
# Against the gradient, a little: that was the answer so far, and it works. But "a little" is one number for all parameters and all
# times, and nobody tells you which. Three questions lead from there to what nearly every network is trained with today. Can old
# gradients help? Can each parameter have a step of its own? And when the weights are to stay small, who should pull at them?
#
# You write momentum, RMSProp, Adam, AdamW and a schedule, each in a few lines. Each is held against Optax, the library that JAX users
# take, along a run of a hundred steps. From here on, when your own code trains a network, no line of it need be anybody else's.

# %% name="imports"
import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import optax

from course.lessons.optimizers import CURVATURES, AdamState, bowl, run_optimizer
from course.show import plots

np.set_printoptions(precision=4, suppress=True)

# %% [markdown] name="the-form"
# ## An optimiser is two functions
#
#     init(params) -> state
#     update(grads, state, params, *settings) -> (updates, state)
#
# `update` is called once a step. It gets the gradients, and gives back what is to be **added** to the parameters. What it wants to
# remember until the next step, it returns as `state`, and gets it back then; `init` makes the first one. Nothing is hidden anywhere: that is
# why such a step can be compiled, put in a loop, saved and resumed. Optax has the same form.
#
# Gradients and updates are trees, like the parameters: a layer in a list in a network. `jax.tree.map(f, tree)` calls `f` with each
# array and builds the same tree from what it returns; with two trees, `f` gets one array of each.
#
# Here is gradient descent in this form. It has nothing to remember.


# %% name="gradient-descent" tags=["worked"]
def descent_init(params):
    return ()  # an empty state


def descent_update(grads, state, params, rate):
    updates = jax.tree.map(lambda grad: -rate * grad, grads)  # minus: the gradient points uphill
    return updates, state


params = {"w": jnp.array([1.0, 2.0]), "b": jnp.array([3.0])}
grads = {"w": jnp.array([10.0, -20.0]), "b": jnp.array([0.5])}

updates, state = descent_update(grads, descent_init(params), params, 0.1)
print("updates   ", updates)
print("new params", jax.tree.map(lambda p, step: p + step, params, updates))

# %% [markdown] name="the-bowl"
# ## Where one rate is not enough
#
# A valley to walk in: a bowl of two parameters, bent weakly along the first and strongly along the second.
#
# $$\mathtt{bowl}(x) = \tfrac{1}{2} \, (1 \cdot x_0^2 + 25 \cdot x_1^2) \qquad\qquad \text{gradient:} \;\; (1 \cdot x_0, \; 25 \cdot x_1)$$
#
# Losses of networks look like that around almost every point, only with more parameters and worse: a few directions are steep, most are
# flat. `run_optimizer` takes steps and keeps the way; three rates:


# %% name="draw-descent"
def contours(axes):
    """Draws lines of equal height of the bowl, and its bottom."""
    x0, x1 = np.meshgrid(np.linspace(-4.6, 1.6, 120), np.linspace(-1.4, 1.4, 80))
    height = 0.5 * (CURVATURES[0] * x0**2 + CURVATURES[1] * x1**2)
    axes.contour(x0, x1, height, levels=np.geomspace(0.1, 40, 9), colors=plots.INK, linewidths=0.6, alpha=0.5)
    axes.plot(0, 0, "+", color=plots.INK, markersize=10)
    axes.set(xlim=(-4.6, 1.6), ylim=(-1.4, 1.4), xlabel="x[0], flat")
    axes.grid(visible=False)


def slope(x, step):
    return jax.grad(bowl)(x)


start = jnp.array([-4.0, 1.0])
with plots.style():
    figure, panels = plt.subplots(1, 3, figsize=(12, 3.2), sharey=True, layout="constrained")
    for axes, rate in zip(panels, (0.01, 0.07, 0.081), strict=True):
        path = run_optimizer(descent_init, descent_update, (rate,), slope, start, 30)
        contours(axes)
        axes.plot(path[:, 0], path[:, 1], ".-", color=plots.HAND, linewidth=1)
        axes.set_title(f"rate {rate}: height {bowl(path[-1]):.3g} after 30 steps")
    panels[0].set_ylabel("x[1], steep")
    plt.show()

# %% [markdown] name="why-two-over"
# Left: too small; after 30 steps it is still far away. In the middle it zigzags. Right: a little larger still, and every step lands higher
# on the opposite wall. Along each direction alone, a step does this:
#
# $$x \;\leftarrow\; x - \mathtt{rate} \cdot \mathtt{curvature} \cdot x \;=\; (1 - \mathtt{rate} \cdot \mathtt{curvature}) \cdot x$$
#
# The distance is multiplied by the same factor again and again. It shrinks as long as the factor is between -1 and 1, so for every rate
# below `2 / curvature`: 2 for the flat direction, but 0.08 for the steep one. The steep direction sets the rate, and the flat one has to
# live with it:

# %% name="factors"
for rate in (0.01, 0.07, 0.081):
    flat, steep = (1 - rate * curvature for curvature in CURVATURES)
    print(f"rate {rate:5}: in a step the flat distance is multiplied by {flat:.3f}, the steep one by {steep:6.3f}")

# %% [markdown] name="momentum"
# ## Momentum: can old gradients help?
#
# On the zigzag, the steep parts of two gradients in a row point in opposite ways, and the flat parts in the same. Add old gradients to the
# new one, and the first cancel while the second grow. Very old ones belong to places that were left long ago: they should count less.
# So step along a sum in which a gradient fades by the factor `decay` with every step:
#
# $$u_t = g_t + \mathtt{decay} \cdot g_{t-1} + \mathtt{decay}^2 \cdot g_{t-2} + \mathtt{decay}^3 \cdot g_{t-3} + \dots \qquad\qquad \text{update} = -\mathtt{rate} \cdot u_t$$
#
# What does a gradient of 1 at every step sum to, and what one that changes sign at every step?

# %% name="sums"
decay = 0.9
ages = np.arange(200)
print("always 1:           ", np.sum(decay**ages).round(4), "  which is 1 / (1 - decay)")
print("1, -1, 1, -1, ...:  ", np.sum(decay**ages * (-1.0) ** ages).round(4), " which is 1 / (1 + decay)")

# %% [markdown] name="recurrence"
# Ten times against a half: along the flat direction it goes twenty times as far as along the zigzag.
#
# But must all gradients be kept, to add them up anew at every step? Here is the same question for a plain mean, where the answer is
# well known. The mean of `t` numbers is made of the mean of `t - 1` and the new one, and nothing else is to be kept:
#
# $$\mathtt{mean}_t = \frac{(t - 1) \cdot \mathtt{mean}_{t-1} + x_t}{t} = \mathtt{mean}_{t-1} + \frac{x_t - \mathtt{mean}_{t-1}}{t}$$

# %% name="mean-step-by-step" tags=["worked"]
mean = 0.0
for t, number in enumerate([4.0, 8.0, 3.0, 1.0], 1):
    mean = mean + (number - mean) / t
    print(f"after {t}: {mean:.4f}")
print("numpy:  ", np.mean([4.0, 8.0, 3.0, 1.0]))

# %% [markdown] name="momentum-turn"
# ### Your turn: momentum
#
# Write the sum of step `t`, and under it that of step `t - 1`. How does the one come from the other? That is your `state`. The settings
# follow behind `params`, one by one.

# %% name="your-momentum" tags=["exercise"]
from solutions.optimizers import momentum_init, momentum_update

# %% name="check-momentum" tags=["check"]
course.check(momentum_init, momentum_update)

# %% [markdown] name="derive-momentum"
# <details><summary>After you solved it: the derivation, and what was kept</summary>
#
# Take `decay` out of everything but the first term: what is left in the brackets is the sum of the step before.
#
# $$u_t = g_t + \mathtt{decay} \cdot (g_{t-1} + \mathtt{decay} \cdot g_{t-2} + \dots) = g_t + \mathtt{decay} \cdot u_{t-1}$$
#
# So one tree of the parameters' form is kept, zero at first: `jax.tree.map(lambda grad, total: grad + decay * total, grads, state)`, and the
# update is `-rate` times that. The gradients themselves can go.
#
# **Books differ**, and it matters when you copy a rate from one. In Optax and PyTorch the sum is as here. CS231n has the rate inside,
# `v = decay * v - rate * g` and `w = w + v`: the same way, as long as the rate stays the same. Others take a mean,
# `u = decay * u + (1 - decay) * g`: the same way at a rate `1 / (1 - decay)` times as large.
# </details>


# %% [markdown] name="momentum-on-the-bowl"
# The same bowl, a rate at which gradient descent behaves well, and the same with momentum. (Until your functions are right, Optax's own
# stand in for them here and below.)


# %% name="draw-momentum"
def rule(init, update, settings, stand_in):
    """Your optimiser, once it is right; until then Optax's."""
    return (init, update, settings) if course.solved(init, update) else (stand_in.init, stand_in.update, ())


momentum = rule(momentum_init, momentum_update, (0.03, 0.75), optax.sgd(0.03, momentum=0.75))
with plots.style():
    figure, panels = plt.subplots(1, 2, figsize=(11, 3.4), sharey=True, layout="constrained")
    ways = {"gradient descent": (descent_init, descent_update, (0.03,)), "momentum, decay 0.75": momentum}
    for axes, (name, optimizer) in zip(panels, ways.items(), strict=True):
        path = run_optimizer(*optimizer, slope, start, 30)
        contours(axes)
        axes.plot(path[:, 0], path[:, 1], ".-", color=plots.HAND, linewidth=1)
        axes.set_title(f"{name}: height {bowl(path[-1]):.2g} after 30 steps")
    panels[0].set_ylabel("x[1], steep")
    plt.show()

# %% [markdown] name="nesterov"
# ## More practice: look ahead
#
# A ball with momentum overshoots, as you see. Yu. Nesterov's remedy: take the gradient not where you stand, but where the old sum is about
# to carry you. In the form that libraries use, which needs no second gradient: suppose that the gradient of this step came once more, and
# step along the sum as it would be **then**.

# %% name="your-nesterov" tags=["exercise"]
from solutions.optimizers import nesterov_init, nesterov_update

# %% name="check-nesterov" tags=["check"]
course.check(nesterov_init, nesterov_update)

# %% [markdown] name="derive-nesterov"
# <details><summary>After you solved it: why that is a look ahead</summary>
#
# If $g_t$ came once more, the sum would be $g_t + \mathtt{decay} \cdot u_t$, and that is stepped along: `-rate * (grad + decay * total)`.
# The state stays momentum's own, $u_t$.
#
# In the form that Sutskever gave it, the gradient is taken at a point ahead, $x + \mathtt{decay} \cdot v$, with $v$ the old sum times
# `-rate`. Follow these points ahead, in the place of $x$: from one to the next it is just this update. So libraries let you stand at the
# point ahead all the time.
# </details>

# %% [markdown] name="rmsprop"
# ## RMSProp: a step for each parameter
#
# Momentum still has one rate for all. Look at the units: if the loss is in euros and a parameter in metres, its gradient is in euros per
# metre; and that, times a rate, is added to metres. Count the loss in cents, and every step is a hundred times as long. Two parameters:

# %% name="two-sizes"
grads = jnp.array([1000.0, 0.001])
updates, _ = descent_update(grads, (), grads, 0.01)
print(f"steps of gradient descent at a rate of 0.01: {updates[0]:.5f} and {updates[1]:.5f}")

# %% [markdown] name="rmsprop-idea"
# If each gradient were divided by its own usual size, the unit would cancel, and the rate would say how far to go, in the parameter's own
# unit. The usual size is the root of the mean of its squares, a *running* mean, so that what is long past is forgotten:
#
# - the new mean keeps the part `decay` of what it was, and takes the rest, the part `1 - decay`, of the new square;
# - the update is `-rate` times the gradient, divided by the mean's root **plus** `epsilon`, a tiny number, so that a gradient that was
#   always zero doesn't make 0 / 0.
#
# In numbers, with `decay = 0.9`: the mean was 4, and a gradient of 10 comes. The new mean is 13.6. Its root is 3.69, and the step is 2.71
# times the rate: large, since such a gradient is unusual here. If it goes on coming, the mean goes to 100, and the step to one rate:

# %% name="usual-size"
mean_of_squares = 4.0
for step in range(1, 31):
    mean_of_squares = mean_of_squares - 0.1 * (mean_of_squares - 100.0)  # a tenth of the way to the new square
    if step in (1, 2, 3, 10, 30):
        size = mean_of_squares**0.5
        print(f"step {step:2}: mean {mean_of_squares:6.2f}, root {size:5.2f}, so the step is {10 / size:.2f} rates")

# %% [markdown] name="rmsprop-turn"
# ### Your turn: RMSProp
#
# The mean starts at zero.

# %% name="your-rmsprop" tags=["exercise"]
from solutions.optimizers import rmsprop_init, rmsprop_update

# %% name="check-rmsprop" tags=["check"]
course.check(rmsprop_init, rmsprop_update)

# %% [markdown] name="derive-rmsprop"
# <details><summary>After you solved it: where epsilon stands</summary>
#
# `decay * square + (1 - decay) * grad**2` for each array, then `-rate * grad / (jnp.sqrt(square) + epsilon)`. What is kept is the mean of
# the squares, not its root: the next square is to be averaged with squares.
#
# With epsilon outside the root, it is a size, to be compared with gradients: 1e-8 is next to nothing. Inside it would be held against
# squares, and weigh as much as a gradient of 1e-4. Libraries differ here. Optax's `rmsprop` has it inside unless told otherwise
# (`eps_in_sqrt=False` is what you were held against), PyTorch's has it outside.
# </details>

# %% [markdown] name="adam"
# ## Adam: both at once, and a fair start
#
# Adam takes RMSProp's division and, above the line, a mean of gradients in the place of the last one: momentum, as a running mean. So two
# means are carried, each with a decay of its own: 0.9 for the gradients, 0.999 for the squares, in nearly all libraries.
#
# But a running mean that starts at zero is not fair at first. Let every number be 1:

# %% name="unfair-start"
mean = 0.0
for t in range(1, 6):
    mean = mean + (1 - 0.9) * (1.0 - mean)
    print(f"after {t} numbers, each of them 1, the running mean is {mean:.5f}")

# %% [markdown] name="weights"
# In it the newest number has the weight `1 - decay`, the one before `decay` times that, and so on; and the zero that it started from has
# all the rest. After `t` numbers their weights add up to
#
# $$(1 - \mathtt{decay}) \cdot (1 + \mathtt{decay} + \dots + \mathtt{decay}^{t-1}) = 1 - \mathtt{decay}^{t}$$
#
# (Multiply out the left side: everything cancels but two terms.) Divide the mean by the sum of its weights, and it is a mean again: of 1s
# it is 1, from the first step on. That is all that *bias correction* is. With 0.999 it is needed for thousands of steps.
#
# {question optimizers.q1}

# %% name="answer-q1" tags=["question"]
course.answer("optimizers.q1", ...)

# %% [markdown] name="adam-turn"
# ### Your turn (hard): Adam
#
# $$\text{update} = -\mathtt{rate} \cdot \frac{\text{fair mean of gradients}}{\sqrt{\text{fair mean of squares}} + \mathtt{epsilon}}$$
#
# To know $t$, it has to count. `AdamState(count, mean, square)` is there to hold all three; a tuple of your own is as good. What
# is carried on are the running means as they are, unfair; the fair ones are made anew at every step.

# %% name="adam-state"
print("AdamState:", ", ".join(AdamState._fields))

# %% name="your-adam" tags=["exercise"]
from solutions.optimizers import adam_init, adam_update

# %% name="check-adam" tags=["check"]
course.check(adam_init, adam_update)

# %% [markdown] name="derive-adam"
# <details><summary>After you solved it: the four places where it goes wrong</summary>
#
# First `count = state.count + 1`: with the old count, the first step would divide by `1 - decay**0`, which is 0. Then both means, as in
# RMSProp. Then the division of each by its own `1 - decay**count`, the square's before the root. Then epsilon, outside. The state gets
# `count`, `mean` and `square` before the division: if the fair means were carried on, they would be corrected a second time.
#
# The paper's epsilon is this one. It also has a quicker form, in which epsilon is added to the root of the unfair mean; that is another
# epsilon.
# </details>

# %% [markdown] name="ask-q2"
# {question optimizers.q2}

# %% name="answer-q2" tags=["question"]
course.answer("optimizers.q2", ...)

# %% [markdown] name="effective-step"
# ### How far does Adam go?
#
# Left: the gradient is 1 at every step, and you see the length of the update, in rates, with bias correction and without. Right: the
# gradient is 1 plus noise of several strengths, and you see the mean length over a thousand steps.


# %% name="draw-effective-step"
def lengths(optimizer, grads):
    """The size of every update, for a rate of 1."""

    def step(state, grad):
        update, state = optimizer.update(grad, state)
        return state, jnp.abs(update)

    return jax.lax.scan(step, optimizer.init(grads[0]), grads)[1]


by_hand = course.solved(adam_init, adam_update)
yours = optax.GradientTransformation(adam_init, lambda g, s, p=None: adam_update(g, s, p, 1.0, 0.9, 0.999, 1e-8))
fair = yours if by_hand else optax.adam(1.0)
steps = np.arange(1, 5001)
with plots.style():
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 3.6), layout="constrained")
    ones = jnp.ones(5000)
    unfair = (1 - 0.9**steps) / np.sqrt(1 - 0.999**steps)
    left.semilogx(steps, unfair, color=plots.JAX, label="without correction")
    left.semilogx(steps, lengths(fair, ones), color=plots.HAND, label="with")
    left.set(title="length of the update, gradient always 1", xlabel="step", ylabel="rates", ylim=(0, None))
    left.legend()
    noise = np.random.default_rng(0).standard_normal(3000)
    strengths = np.geomspace(0.1, 100, 13)
    mean_lengths = [lengths(fair, jnp.asarray(1 + s * noise))[-1000:].mean() for s in strengths]
    right.semilogx(strengths, mean_lengths, "o-", color=plots.HAND)
    right.set(title="mean length, gradient 1 + noise", xlabel="standard deviation of the noise", ylim=(0, 1.1))
    plt.show()
print(f"longest step without correction: {unfair.max():.1f} rates, at step {unfair.argmax() + 1}")

# %% [markdown] name="what-the-steps-say"
# Without the correction the first hundred steps are several times too long, just when the network is most easily thrown off.
# The right picture says what Adam does on its own account: where gradients agree, it goes a full rate; where they are noise, they
# cancel above the line, but not below it, and it takes small steps. The rate is the *longest* usual step, not the step.
#
# ## All of them in the bowl
#
# Each with a rate that suits it. Left the ways, right the heights.

# %% name="draw-all"
rmsprop = rule(rmsprop_init, rmsprop_update, (0.3, 0.9, 1e-8), optax.rmsprop(0.3, 0.9, 1e-8, eps_in_sqrt=False))
adam = rule(adam_init, adam_update, (0.3, 0.9, 0.999, 1e-8), optax.adam(0.3))
nesterov = rule(nesterov_init, nesterov_update, (0.03, 0.75), optax.sgd(0.03, momentum=0.75, nesterov=True))
ways = {
    "gradient descent": (descent_init, descent_update, (0.03,)),
    "momentum": momentum,
    "Nesterov": nesterov,
    "RMSProp": rmsprop,
    "Adam": adam,
}
with plots.style():
    figure, (left, right) = plt.subplots(1, 2, figsize=(12, 4), layout="constrained")
    contours(left)
    for (name, optimizer), colour in zip(ways.items(), plots.COLOURS, strict=False):
        path = run_optimizer(*optimizer, slope, start, 80)
        left.plot(path[:, 0], path[:, 1], ".-", color=colour, linewidth=1, markersize=3, label=name)
        right.semilogy(jax.vmap(bowl)(path), color=colour, label=name)
    left.set(ylabel="x[1], steep", title="ways of 80 steps")
    right.set(title="height of the bowl", xlabel="step", ylim=(1e-9, 30))
    right.legend(loc="lower left", fontsize=8)
    plt.show()

# %% [markdown] name="what-the-bowl-says"
# RMSProp and Adam do not turn towards the steep wall at all: they set out along the diagonal, since both parameters get steps of the same
# length. But look at the ends. RMSProp comes near, and then hops about: what it divides by shrinks with the gradients, so that its step
# stays about a rate, and is longer still when a gradient comes that is larger than the last ones. On a
# smooth bowl, momentum wins in the end. What speaks for Adam is that its rate need not be known so well, in a network whose layers have
# gradients of very different sizes. And that hopping calls for a rate that falls: wait for the schedule.
#
# ## Weight decay: who pulls at the weights?
#
# Weights that stay small make smoother functions. The old way to ask for it: add $\tfrac{1}{2} \, \mathtt{weight\_decay} \cdot w^2$ to the
# loss, for every weight. The gradient of that is $\mathtt{weight\_decay} \cdot w$: it is added to the gradient of the loss, before the optimiser sees
# it. This is *L2 in the loss*. In gradient descent a step then takes the part `rate * weight_decay` of every weight away.
#
# In Adam it does not. There the sum is divided by its usual size, pull and all. Two weights, both 1 at the start; their losses only shake
# them, to and fro, the one with gradients of 10, the other with gradients of 0.1. Both ought to decay alike:


# %% name="draw-decays"
def shaken(weights, step):
    """Gradients that change their sign from step to step: nothing but decay moves anything far."""
    return jnp.where(step % 2 == 0, 1.0, -1.0) * jnp.array([10.0, 0.1])


kinds = {
    "L2 in the loss": optax.chain(optax.add_decayed_weights(0.1), optax.adam(0.01)),
    "decoupled (AdamW)": optax.adamw(0.01, weight_decay=0.1),
}
with plots.style():
    figure, panels = plt.subplots(1, 2, figsize=(11, 3.6), sharey=True, layout="constrained")
    for axes, (name, optimizer) in zip(panels, kinds.items(), strict=True):
        path = run_optimizer(optimizer.init, optimizer.update, (), shaken, jnp.ones(2), 500)
        axes.plot(path[:, 0], color=plots.JAX, linewidth=4, label="shaken by gradients of 10")
        axes.plot(path[:, 1], color=plots.HAND, label="shaken by gradients of 0.1")
        axes.set(title=name, xlabel="step", ylim=(-0.1, 1.1))
        print(f"{name:18} leaves {path[-1, 0]:.3f} and {path[-1, 1]:.3f}")
    panels[0].set_ylabel("weight")
    panels[0].legend(loc="center right", fontsize=8)
    plt.show()

# %% [markdown] name="adamw-turn"
# Left: the decay of the one is divided by ten, that of the other is blown up. The weights that are trained hardest hardly decay.
# I. Loshchilov and F. Hutter took the pull out of the gradient, and let it work on the weight itself, beside Adam. A weight then loses the
# part `rate * weight_decay` in a step, as in gradient descent, whatever its gradients are.
#
# ### Your turn: AdamW
#
# Made of your own `adam_update`. This time `params` is needed.

# %% name="your-adamw" tags=["exercise"]
from solutions.optimizers import adamw_init, adamw_update

# %% name="check-adamw" tags=["check"]
course.check(adamw_init, adamw_update)

# %% [markdown] name="derive-adamw"
# <details><summary>After you solved it: order and sign</summary>
#
# Adam's updates are made without a word of the decay; then `step - rate * weight_decay * p` for each. Minus, whatever the sign of `p`: a
# weight of -2 gets something positive added. `p` is the weight before the step. Some let the weight decay first and step then, which
# comes to the same; to decay it after the step is a little different, since then a part of the step decays, too.
#
# The state is Adam's own: decay remembers nothing.
# </details>

# %% [markdown] name="ask-q3"
# {question optimizers.q3}
#
# (`run_optimizer(init, update, settings, gradient, params, steps)` takes the steps for you, with your functions or with Optax's, which have
# their settings inside: `()`.)

# %% name="answer-q3" tags=["question"]
course.answer("optimizers.q3", ...)

# %% [markdown] name="schedule"
# ## A rate that changes
#
# At the end a large rate only hops about the bottom. At the beginning the means have hardly seen anything, and a network just drawn is
# easily thrown off. So let the rate rise in a line from 0 to its peak for a while, the *warm-up*, and then fall to 0. Half of a cosine wave does
# that gently: slowly off the peak, slowly into the end. Before you write it, look at what is wanted:

# %% name="draw-schedule"
wanted = optax.warmup_cosine_decay_schedule(0.0, 0.3, warmup_steps=20, decay_steps=100)
now = np.arange(121)
with plots.style():
    figure, axes = plt.subplots(figsize=(8, 3), layout="constrained")
    axes.plot(now, [wanted(step) for step in now], color=plots.JAX, linewidth=4)
    for step, text in ((20, "warmup: the peak"), (60, "half-way: half the peak"), (100, "steps: the end")):
        axes.plot(step, wanted(step), "o", color=plots.INK)
        axes.annotate(text, (step, float(wanted(step))), (step + 2, float(wanted(step)) + 0.012))
    axes.set(title="peak 0.3, warmup 20, steps 100", xlabel="step", ylabel="rate", ylim=(0, 0.34))
    plt.show()

# %% [markdown] name="schedule-turn"
# ### Your turn: warm-up and cosine
#
# `step` counts from 0, and may be one number or an array of them: choose with `jnp.where`, not with `if`.

# %% name="your-schedule" tags=["exercise"]
from solutions.optimizers import warmup_cosine

# %% name="check-schedule" tags=["check"]
course.check(warmup_cosine)

# %% [markdown] name="derive-schedule"
# <details><summary>After you solved it: the derivation</summary>
#
# The line through $(0, 0)$ and $(\mathtt{warmup}, \mathtt{peak})$ is `peak * step / warmup`. Behind it, the part of the way that has been gone is
# `(step - warmup) / (steps - warmup)`, kept between 0 and 1. $\cos(\pi \cdot \mathtt{part})$ goes from 1 to -1; add 1, and it goes from 2 to 0; halve
# it, and multiply by the peak.
# </details>

# %% [markdown] name="schedule-at-work"
# Does it help? RMSProp in the bowl, once at one rate and once with the schedule. A setting may be another number at every step; here the
# wrapper counts, and hands the rate on:


# %% name="draw-schedule-at-work"
rate_of = (
    (lambda step: warmup_cosine(step, 0.3, 5, 80))
    if course.solved(warmup_cosine)
    else (optax.warmup_cosine_decay_schedule(0.0, 0.3, 5, 80))
)
scheduled = optax.chain(
    optax.scale_by_rms(0.9, 1e-8, eps_in_sqrt=False), optax.scale_by_schedule(lambda step: -rate_of(step))
)
with plots.style():
    figure, axes = plt.subplots(figsize=(8, 3.2), layout="constrained")
    both = {"always 0.3": rmsprop, "warm-up and cosine": (scheduled.init, scheduled.update, ())}
    for (name, optimizer), colour in zip(both.items(), (plots.JAX, plots.HAND), strict=True):
        heights = jax.vmap(bowl)(run_optimizer(*optimizer, slope, start, 80))
        axes.semilogy(heights, color=colour, label=f"{name}: {heights[-1]:.1e} at the end")
    axes.set(title="RMSProp in the bowl", xlabel="step", ylabel="height")
    axes.legend()
    plt.show()

# %% [markdown] name="in-your-own-words"
# ## In your own words
#
# {question optimizers.text}

# %% name="answer-text" tags=["question"]
course.answer("optimizers.text", ...)

# %% [markdown] name="which-mistake"
# ## Which mistake is this?
#
# Somebody else wrote one of this lesson's optimisers. Four steps of three parameters, whose gradients are of three sizes. Look at the first
# step, at what becomes of it later, and at what the size of the gradient does:

# %% [markdown] name="ask-q4"
# {question optimizers.q4}

# %% name="somebody-elses-adam" tags=["shown"]
course.show_mistake("optimizers.q4", draw=0)

# %% name="answer-q4" tags=["question"]
course.answer("optimizers.q4", ...)

# %% [markdown] name="what-you-have"
# ## What you have now
#
# An optimiser is two pure functions, and its memory is a tree that is handed on:
#
# | | remembers | what it does about |
# |---|---|---|
# | gradient descent | nothing | |
# | momentum, Nesterov | a fading sum of gradients | zigzag between steep walls |
# | RMSProp | a running mean of squares | gradients of different sizes |
# | Adam | both means, and a count | the unfair start as well |
# | AdamW | what Adam does | a decay that Adam would divide away |
#
# And a rate that rises at first and falls in the end, since at a constant one the steps never get small by themselves.
#
# ## Sources
#
# - B. T. Polyak, "Some methods of speeding up the convergence of iteration methods", 1964: momentum, and why it helps in a narrow bowl.
# - Yu. Nesterov, "A method of solving a convex programming problem with convergence rate O(1/k^2)", 1983; I. Sutskever, J. Martens,
#   G. Dahl, G. Hinton, "On the importance of initialization and momentum in deep learning", 2013: the look ahead.
# - T. Tieleman, G. Hinton, "Neural Networks for Machine Learning", lecture 6.5, 2012: RMSProp.
# - D. P. Kingma, J. Ba, "Adam: A Method for Stochastic Optimization", 2015, arXiv:1412.6980.
# - I. Loshchilov, F. Hutter, "Decoupled Weight Decay Regularization", 2019, arXiv:1711.05101; and "SGDR", 2017, arXiv:1608.03983, for the
#   cosine.
# - Optax documentation: the form of the pair, and what your answers are held against. Stanford CS231n, assignment 2, and Carnegie Mellon's
#   deep learning systems course, homework 2: the published numbers that the tests of this lesson replay.
#
# Next: `vanishing_gradients`: the best optimiser is of no use to a layer that no gradient reaches.
