# %% [markdown] name="title"
# # Parameters as trees, and training as a loop
#
# **A network has dozens of arrays. Must each of them be named at every step?**
#
# In `two_layer_network` there were four: `w1`, `b1`, `w2`, `b2`, and four lines moved them. With fifty layers it would be
# a hundred lines, each of them a chance to mistype a name. Nobody writes that.
#
# Instead, all parameters are put into one **tree**, and everything is done to the tree: its gradient is a tree of the same form,
# a step of descent takes two trees and gives one, and a whole training run is one loop that carries a tree along. In this
# lesson you write these parts yourself. You will find a law of nature from eight planets on the way, and at the end train a network
# in three lines, of which the rest of this course replaces one after the other by your own.

# %% name="imports"
import time
from typing import NamedTuple

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import optax
import treescope

from course.lessons.parameter_trees import (
    PLANETS,
    Layer,
    Line,
    line_loss,
    line_loss_fwd,
    network,
    network_loss,
    planets,
)
from course.show.plots import COLOURS, HAND, INK, JAX, style

# %% [markdown] name="planets-text"
# ## Two numbers with names
#
# How long does a planet take to go round the sun, if you know how far away it is? Below are the eight of them, relative to the
# Earth. Both axes are logarithmic, and the points lie on a line. So two numbers say it all: a slope and a bias.

# %% name="see-the-planets"
x, target = planets()
for name, distance, period in zip(PLANETS, jnp.exp(x), jnp.exp(target), strict=True):
    print(f"{name:8} {distance:7.2f} times as far as the Earth   {period:7.2f} years")


def draw_planets(lines):
    """Draws the planets, and lines by name."""
    with style():
        figure, axes = plt.subplots(figsize=(6.5, 3.4))
        for (name, line), colour in zip(lines.items(), COLOURS, strict=False):
            axes.plot(x, line.slope * x + line.bias, color=colour, label=name)
        axes.plot(x, target, "o", color=INK, markersize=5)
        for planet, place, height in zip(PLANETS, x, target, strict=True):
            axes.annotate(planet, (place, height), (6, -9), textcoords="offset points", fontsize=8)
        axes.set(xlabel="log of the distance", ylabel="log of the period", ylim=(-3, 7))
        axes.legend(fontsize=9)
        plt.show()


draw_planets({"a guess: slope 0.7, bias 2": Line(0.7, 2.0)})

# %% [markdown] name="named-tuple-text"
# `Line` is a **NamedTuple**: a tuple whose places have names. That is all of it:


# %% name="named-tuple"
class Point(NamedTuple):
    east: float
    north: float


here = Point(east=3.0, north=4.0)
print(here, "  by name:", here.north, "  by place:", here[1])
print("another one:", here._replace(north=0.0), "  and the first is as it was:", here)

# %% [markdown] name="tree-text"
# It can't be changed, only made anew; nothing that you hand to a function comes back altered. Now a first guess of the line, and
# its loss:
#
#     loss = 0.5 * mean((slope * x + bias - target)**2)
#
# JAX differentiates by a NamedTuple as it does by a number, and answers with a NamedTuple of the same kind. What you get back has
# the form of what you put in: the slope of the loss by `slope` is found under `slope`.

# %% name="autodiff"
guess = Line(slope=jnp.array(0.7), bias=jnp.array(2.0))
print("loss:    ", line_loss(guess, x, target))
guess_bar = jax.grad(line_loss)(guess, x, target)
print("gradient:", jax.tree.map(lambda bar: round(float(bar), 4), guess_bar))

# %% [markdown] name="neighbour-text"
# ## Where does that gradient come from?
#
# Here is the derivation for another function of two numbers. A cup of coffee is `start` degrees warmer than the room, and cools:
#
#     warmth = start * exp(-rate * t)
#     error = warmth - measured
#     loss = 0.5 * error**2
#
# It was measured once. Go backward, one link at a time, as in `chain_rule`:
#
# - `loss` moves by `error` for each 1 that `error` moves: `error_bar = loss_bar * error`, and what `warmth` gets is the same.
# - `start` stands beside `exp(-rate * t)`, so it gets `error_bar` times that.
# - `rate` stands in the exponent, beside `-t`: it gets `error_bar` times the warmth times `-t`.
#
# The results are put into the NamedTuple that the parameters came in. Order looks after itself.


# %% name="neighbour" tags=["worked"]
class Cooling(NamedTuple):
    start: float
    rate: float


def cooling_loss(params, t, measured):
    return 0.5 * (params.start * jnp.exp(-params.rate * t) - measured) ** 2


def cooling_loss_bwd(residuals, loss_bar):
    t, kept, warmth, error = residuals
    error_bar = loss_bar * error
    return Cooling(start=error_bar * kept, rate=error_bar * warmth * -t), None, None


coffee, t, measured = Cooling(60.0, 0.05), 10.0, 30.0
kept = jnp.exp(-coffee.rate * t)  # the share of the warmth that is left after t minutes
warmth = coffee.start * kept
bar, *_ = cooling_loss_bwd((t, kept, warmth, warmth - measured), 1.0)
by_jax = jax.grad(cooling_loss)(coffee, t, measured)
print(f"by hand: start {bar.start:.4f}   rate {bar.rate:.2f}")
print(f"by JAX:  start {by_jax.start:.4f}   rate {by_jax.rate:.2f}")

# %% [markdown] name="line-turn"
# ### Your turn: the gradient of a line, as a tree
#
# The line differs in one thing: there are many rows, eight planets. All of them use the same two numbers, and the loss is the mean
# over them. You know from `two_layer_network` what follows.
#
# Forward is given. It returns the loss, and keeps `x` and `error` for you. `x` and `target` are data: they get `None`.

# %% name="what-forward-keeps"
loss, residuals = line_loss_fwd(guess, x, target)
for name, array in residuals._asdict().items():
    print(f"{name:6} {array}")

# %% name="your-line" tags=["exercise"]
from solutions.parameter_trees import line_loss_bwd

# %% name="check-line" tags=["check"]
course.check(line_loss_bwd)

# %% [markdown] name="line-derivation"
# <details><summary>After you solved it: the derivation, and what was saved</summary>
#
# The loss is half a mean of squares over `n` rows. One error alone moves it by `error[i] / n`.
#
#     error_bar = loss_bar * error / len(error)
#
# In row `i` stands `slope * x[i] + bias`. When the slope grows by 1, this row moves by `x[i]`; when the bias does, by 1. Every row used
# the same two numbers: used many times, add.
#
#     slope_bar = jnp.sum(error_bar * x)
#     bias_bar = jnp.sum(error_bar)
#
# Saved were `x`, which stood beside the slope, and `error`, from which everything starts. Neither slope nor bias was kept: the
# line is straight in both, so no slope of it depends on where they are. (For the coffee it was otherwise.)
#
# </details>

# %% [markdown] name="map-text"
# ## A step, whatever the form
#
# To go downhill, every number moves a little against its slope. For two numbers that is two lines. For a tree of any
# form it is one, with `jax.tree.map`: it takes a function and some trees of the same form, calls the function with the leaves
# (the arrays at the ends) that stand at the same place, and makes a tree of what comes out.

# %% name="tree-map"
prices = {"apples": jnp.array([3.0, 4.0]), "bread": [jnp.array(5.0), Point(jnp.array(1.0), jnp.array(2.0))]}
counts = {"apples": jnp.array([10.0, 0.0]), "bread": [jnp.array(2.0), Point(jnp.array(1.0), jnp.array(7.0))]}
print("leaves: ", [leaf.tolist() for leaf in jax.tree.leaves(prices)])
products = jax.tree.map(lambda price, count: price * count, prices, counts)
print("product:", jax.tree.map(lambda leaf: leaf.tolist(), products))

# %% [markdown] name="descend-turn"
# ### Your turn: a step of gradient descent on any tree
#
# `params` and `params_bar` are trees of the same form. Return where the parameters are after one step. How far they go is said by
# the `learning_rate`: a number moves by that many times its slope, downhill.

# %% name="your-step" tags=["exercise"]
from solutions.parameter_trees import descend

# %% name="check-step" tags=["check"]
course.check(descend)

# %% [markdown] name="step-derivation"
# <details><summary>After you solved it: the line</summary>
#
#     jax.tree.map(lambda p, p_bar: p - learning_rate * p_bar, params, params_bar)
#
# Where the slope is positive, a larger number means a larger loss: so it shrinks. A number whose slope is zero stays.
#
# </details>

# %% [markdown] name="path-text"
# Your pass and your step make a training loop. Here they are in a plain Python `for`, at three learning rates. The picture shows where
# the two numbers went: the rings are lines of equal loss, the cross is the line of least squares.


# %% name="descend-the-valley"
def path_of(rate, steps=25):
    """All lines on the way down, by your pass and your step."""
    lines = [guess]
    for _ in range(steps):
        loss, residuals = line_loss_fwd(lines[-1], x, target)
        now_bar, _, _ = line_loss_bwd(residuals, jnp.ones_like(loss))
        lines.append(descend(lines[-1], now_bar, rate))
    return np.array(lines)


if course.solved(line_loss_bwd) and course.solved(descend):
    best = np.polyfit(x, target, 1)
    grid_slope, grid_bias = np.meshgrid(np.linspace(0.3, 2.2, 80), np.linspace(-1.2, 2.4, 80))
    off = grid_slope[..., None] * np.asarray(x) + grid_bias[..., None] - np.asarray(target)

    with style():
        figure, panels = plt.subplots(1, 3, figsize=(10.5, 3.5), sharey=True, layout="constrained")
        for panel, rate in zip(panels, (0.05, 0.3, 0.47), strict=True):
            path = path_of(rate)
            panel.contour(
                grid_slope, grid_bias, 0.5 * (off**2).mean(-1), np.logspace(-2.5, 1, 9), colors=INK, linewidths=0.7
            )
            panel.plot(*path.T, "o-", color=HAND, markersize=3, linewidth=1)
            panel.plot(*best, "x", color=JAX, markersize=10, markeredgewidth=2.5)
            panel.set(title=f"learning rate {rate}", xlabel="slope", xlim=(0.3, 2.2), ylim=(-1.2, 2.4))
        panels[0].set_ylabel("bias")
        plt.show()
    for rate in (0.05, 0.3, 0.47, 0.55):
        print(f"learning rate {rate}: loss after 25 steps {line_loss(Line(*path_of(rate)[-1]), x, target):.6f}")

# %% [markdown] name="path-said"
# Too small, and it creeps along the valley. At 0.47 it jumps from side to side across it, and still arrives; at 0.55 each jump is
# longer than the one before, and the loss grows without end.
#
# ## Every gradient by name and shape
#
# A network is a bigger tree, nothing else. Here it is a list of `Layer`s, each with a matrix `w` and a bias `b`; between two
# layers stands a `tanh`. Whenever a gradient is not what you think, look at names and shapes first. A **path** says how to get
# from the root to a leaf, and `keystr` writes it out:

# %% name="names-and-shapes"
tiny = [Layer(jnp.ones((2, 3)), jnp.zeros(3)), Layer(jnp.ones((3, 1)), jnp.zeros(1))]
rows, wanted = jnp.array([[1.0, 2.0], [3.0, -1.0], [0.5, 0.0], [0.0, 1.0]]), jnp.ones((4, 1))
tiny_bar = jax.grad(network_loss)(tiny, rows, wanted)


def show_leaves(tree):
    """Prints name, shape, type and size of every leaf."""
    for path, leaf in jax.tree_util.tree_leaves_with_path(tree):
        name = jax.tree_util.keystr(path, simple=True, separator=".")
        print(f"{name:6} {leaf.shape!s:7} {leaf.dtype}   largest {jnp.max(jnp.abs(leaf)):.4f}")


show_leaves(tiny_bar)
print("the same form as the parameters:", jax.tree.structure(tiny_bar) == jax.tree.structure(tiny))

# %% [markdown] name="tree-picture-text"
# A tree can also be looked at. `treescope` draws any of them, folded: click a triangle to open a branch, and an array to see its numbers as
# colours. Beside each array stand its type and shape, mean and spread, and the smallest and largest number in it.

# %% name="tree-picture"
with treescope.active_autovisualizer.set_scoped(treescope.ArrayAutovisualizer()):
    treescope.display(tiny_bar)

# %% [markdown] name="norm-turn"
# A page of shapes is good for finding a mistake; to watch a training run, one wants a single number. How large is a gradient as a whole? Put
# all its numbers in one row, and take the length of that row, as of an arrow: the root of the sum of all squares. If it
# shoots up, training is about to fail; when it goes to zero, nothing is learned any more.
#
# ### Your turn: the length of a whole tree
#
# `jax.tree.leaves(tree)` is the list of the leaves, of whatever shapes.

# %% name="your-norm" tags=["exercise"]
from solutions.parameter_trees import tree_norm

# %% name="check-norm" tags=["check"]
course.check(tree_norm)

# %% [markdown] name="norm-derivation"
# <details><summary>After you solved it: how it goes</summary>
#
#     squares = [jnp.sum(leaf**2) for leaf in jax.tree.leaves(tree)]
#     jnp.sqrt(sum(squares))
#
# The root comes once: lengths of leaves can't be added, they stand at right angles to each other.
#
# </details>

# %% name="use-the-norm"
if course.solved(tree_norm):
    print("length of the gradient:", tree_norm(tiny_bar), "  by Optax:", optax.tree.norm(tiny_bar))

# %% [markdown] name="keys-text"
# ## Where a network starts
#
# All weights equal, as in `tiny`, is a bad start. Look at the gradient of its first layer: the three hidden units get the very same
# numbers, so they will stay alike for ever, and three units do the work of one.

# %% name="all-alike"
print(tiny_bar[0].w)

# %% [markdown] name="random-text"
# So weights are drawn at random. In NumPy one asks a generator, and it gives other numbers each time, since it remembers how
# often it was asked. A JAX function remembers nothing. Chance is handed in, as a **key**, and the same key gives the
# same numbers, always:

# %% name="same-key"
key = jax.random.key(0)
print(jax.random.normal(key, (4,)))
print(jax.random.normal(key, (4,)), " the same, again")

# %% [markdown] name="split-text"
# That makes every run repeatable, on purpose. For other numbers you need another key, and `jax.random.split` makes as many of one as you
# like. The rule: **a key is used once**, to draw from or to be split. What happens if not?

# %% name="two-keys"
one, other = jax.random.split(key)  # two keys, if no number is said
draws = {
    "the same key": (jax.random.normal(key, (500,)), jax.random.normal(key, (500,))),
    "two keys": (jax.random.normal(one, (500,)), jax.random.normal(other, (500,))),
}
with style():
    figure, panels = plt.subplots(1, 2, figsize=(7, 3.2), sharey=True, layout="constrained")
    for panel, (name, (first, second)) in zip(panels, draws.items(), strict=True):
        panel.plot(first, second, ".", color=HAND, markersize=3)
        correlation = float(jnp.corrcoef(first, second)[0, 1])
        panel.set(title=f"{name}: correlation {correlation:.2f}", xlabel="first draw")
    panels[0].set_ylabel("second draw")
    plt.show()

# %% [markdown] name="ask-q2"
# {question parameter_trees.q2}

# %% name="answer-q2" tags=["question"]
course.answer("parameter_trees.q2", ...)

# %% [markdown] name="init-turn"
# How large should the weights be? A unit adds up `d_in` products. The more there are, the larger the sum: its variance, which is the
# mean square of the distance from the mean, grows with `d_in`. Weights of variance `2 / d_in` make up for that.
# (Why 2, and not 1, is found in `vanishing_gradients`; take it as given.)
#
# Two facts are enough: `jax.random.normal` draws numbers of variance 1. And numbers that are multiplied by `c` have `c * c` times
# the variance:

# %% name="variances"
drawn = jax.random.normal(key, (100_000,))
print(f"variance {jnp.var(drawn):.3f};   times 3: {jnp.var(3 * drawn):.3f}")

# %% [markdown] name="init-asked"
# ### Your turn: a network from one key
#
# `sizes` such as `(3, 7, 5)` asks for a list of two `Layer`s: from 3 numbers to 7, from 7 to 5. So that there is one right answer,
# do it in this order: split `key` once, into one key a layer, by a single call of `jax.random.split(key, how_many)`; layer `i` draws
# its `w`, of shape `(d_in, d_out)` and variance `2 / d_in`, from key `i`. Each `b` is zero, `jnp.zeros(...)`.

# %% name="your-init" tags=["exercise"]
from solutions.parameter_trees import init_layers

# %% name="check-init" tags=["check"]
course.check(init_layers)

# %% [markdown] name="init-derivation"
# <details><summary>After you solved it: how it goes</summary>
#
#     keys = jax.random.split(key, len(sizes) - 1)
#
#     def layer(layer_key, d_in, d_out):
#         return Layer(jax.random.normal(layer_key, (d_in, d_out)) * jnp.sqrt(2 / d_in), jnp.zeros(d_out))
#
#     return [layer(keys[i], sizes[i], sizes[i + 1]) for i in range(len(keys))]
#
# There is one layer less than there are sizes. The scale is a root, since it is squared in the variance.
#
# </details>

# %% name="use-the-init"
if course.solved(init_layers):
    for layer in init_layers(jax.random.key(1), (100, 200, 50)):
        d_in, d_out = layer.w.shape
        print(f"{d_in:3} to {d_out:3}: variance of w times d_in is {d_in * jnp.var(layer.w):.3f}")

# %% [markdown] name="jit-text"
# ## Run once, recorded
#
# Python is slow: for each operation it looks up names, checks types, makes a new array. `jax.jit` lets Python run a function **once**,
# with stand-ins for the arrays which know their shape and type but have no numbers, and records every operation on them.
# From the record a program is compiled, and from then on only the program runs. A `print` gives away when Python is at work:


# %% name="see-jit"
@jax.jit
def shifted(x):
    print("   Python is at work, with", x)
    return 2 * x + 1


for call in (jnp.array([1.0, 2.0]), jnp.array([3.0, 4.0]), jnp.array([1.0, 2.0, 3.0]), jnp.array([1, 2])):
    print("shape", call.shape, call.dtype)
    print("  ", shifted(call))

# %% [markdown] name="retrace-text"
# The second call found a program for its shape and type, and Python did nothing. Another shape, or another type: Python runs again,
# it **retraces**, and another program is compiled. Other *numbers* never matter, since the stand-ins have none. For trees it is the same:
# leaf by leaf, and the form of the tree counts too. Here is a record: `a` and `b` come in, a single float32 each (`f32[]`), every
# line makes one number, and `d` goes out:

# %% name="see-the-record"
print(jax.make_jaxpr(lambda line: 2 * line.slope + line.bias)(guess))

# %% [markdown] name="ask-q1"
# {question parameter_trees.q1}

# %% name="answer-q1" tags=["question"]
course.answer("parameter_trees.q1", ...)

# %% [markdown] name="retrace-price"
# Is retracing bad? It gives right answers, and takes time: milliseconds for a small function, minutes for a large network.
# Batches whose last one is shorter, numbers that are handed in now as `1`, now as `1.0`: that is where it hides.

# %% name="price-of-a-trace"
fresh = jax.jit(lambda params, rows: network(params, rows))
for when in ("first call", "second call"):
    start = time.perf_counter()
    jax.block_until_ready(fresh(tiny, rows))
    print(f"{when}: {1e3 * (time.perf_counter() - start):8.3f} ms")

# %% [markdown] name="ask-q3"
# {question parameter_trees.q3}

# %% name="answer-q3" tags=["question"]
course.answer("parameter_trees.q3", ...)

# %% [markdown] name="scan-text"
# ## The loop itself
#
# A jitted *step* in a Python loop still comes back to Python after every step. And a Python loop inside `jit` is recorded step by step:
# a thousand steps become a program of a thousand copies. `jax.lax.scan` records **one** step, and the instruction to repeat it.
#
# You hand it a step with two arguments and two results, what is carried first, and the rows that the steps take, one each:
#
#     def step(carried, row):
#         ...
#         return carried, record
#
#     last_carried, all_records = jax.lax.scan(step, first_carried, rows)
#
# What is *carried* goes from step to step, and keeps its form: the same tree, shapes, types. What is on *record* is stacked. Where a step
# needs no rows, `length=` says how often it is taken. Here is a savings account with 5 % interest, into which something is paid each
# year:


# %% name="savings" tags=["worked"]
def year(balance, paid_in):
    after = 1.05 * balance + paid_in
    return after, after - balance  # carried on: the balance; on record: by how much it grew


last, growth = jax.lax.scan(year, 100.0, jnp.array([10.0, 0.0, 0.0, 20.0]))
print(f"at the end: {last:.2f}   grew by:", np.round(growth, 2))

last, _ = jax.lax.scan(lambda balance, _: (1.05 * balance, None), 100.0, length=50)
print(f"50 years, nothing paid in: {last:.2f}")

# %% [markdown] name="fit-turn"
# ### Your turn (hard): training as one loop
#
# Take `steps` steps of gradient descent on the line, all inside one `scan`. Return two things: the line at the end, and the losses
# in one array: each is the loss *before* its step, so the first is that of `params` as they came.
#
# All parts are there: `line_loss_fwd`, your `line_loss_bwd`, your `descend`. The `loss_bar` that starts backward is the slope of the
# loss by the loss itself; write it `jnp.ones_like(loss)`. (A Python loop gives the same numbers, and passes. The cell below your
# answer shows what it costs.)

# %% name="your-fit" tags=["exercise"]
from solutions.parameter_trees import fit_line

# %% name="check-fit" tags=["check"]
course.check(fit_line)

# %% [markdown] name="fit-derivation"
# <details><summary>After you solved it: how it goes</summary>
#
#     def step(now, _):
#         loss, residuals = line_loss_fwd(now, x, target)
#         now_bar, _, _ = line_loss_bwd(residuals, jnp.ones_like(loss))
#         return descend(now, now_bar, learning_rate), loss
#
#     return jax.lax.scan(step, params, length=steps)
#
# The line is carried, the loss is on record. That the step uses `x`, `target` and the rate from outside is fine: they don't change from
# step to step.
#
# </details>

# %% name="keplers-law"
if course.solved(fit_line):
    start = time.perf_counter()
    line, losses = jax.block_until_ready(fit_line(guess, x, target, 0.3, 1000))
    by_scan = time.perf_counter() - start
    start = time.perf_counter()
    path_of(0.3, 1000)
    by_loop = time.perf_counter() - start
    print(f"1000 steps by one scan, compiling included: {by_scan:.2f} s   by a Python loop: {by_loop:.2f} s")
    print(f"period = distance ** {line.slope:.3f} * {jnp.exp(line.bias):.3f}")
    draw_planets({"the guess": guess, f"after training: slope {line.slope:.3f}": line})

# %% [markdown] name="keplers-law-said"
# That is three halves, to a thousandth or two: the square of the period grows as the cube of the distance. Kepler found it in 1618, after years
# of trying. It took you a gradient and a loop.
#
# ## Training in three lines
#
# For a network of many layers you have no backward pass yet. Let autodiff have it, and let **Optax**, a library of
# optimisers, make the step. An optimiser may remember things, such as a running mean of the gradients; it keeps them in a `state`,
# which is a tree as well. This is what a step of training looks like in most JAX code:
#
#     loss, params_bar = jax.value_and_grad(network_loss)(params, x, target)
#     updates, state = optimizer.update(params_bar, state)
#     params = optax.apply_updates(params, updates)
#
# The first line is what you will replace in `mlp`, by passes that you wrote; the second in `optimizers`. The third is a sum of two
# trees, and you could write it now.
#
# What is to be learned: two spirals, each wound round the other. The network gets a point of the plane, and should say +1 on one
# spiral and -1 on the other.

# %% name="two-spirals"
turn = jnp.linspace(0.5 * jnp.pi, 3 * jnp.pi, 97)
arm = jnp.stack([turn * jnp.cos(turn), turn * jnp.sin(turn)], axis=-1) / (3 * jnp.pi)
points = jnp.concatenate([arm, -arm])
sides = jnp.concatenate([jnp.ones((97, 1)), -jnp.ones((97, 1))])
optimizer = optax.adam(1e-2)  # what Adam does with the gradient is the matter of `optimizers`


@jax.jit
def train_50_steps(params, state):
    print("Python is at work")

    def step(carried, _):
        params, state = carried
        loss, params_bar = jax.value_and_grad(network_loss)(params, points, sides)
        updates, state = optimizer.update(params_bar, state)
        params = optax.apply_updates(params, updates)
        return (params, state), (loss, tree_norm(params_bar))

    return jax.lax.scan(step, (params, state), length=50)


# %% name="train"
if course.solved(init_layers) and course.solved(tree_norm):
    params = init_layers(jax.random.key(0), (2, 32, 32, 1))
    state, records, frames = optimizer.init(params), [], {0: params}
    print(f"{sum(leaf.size for leaf in jax.tree.leaves(params))} numbers to train:")
    show_leaves(params)
    for chunk in range(1, 21):
        (params, state), record = train_50_steps(params, state)
        records.append(record)
        frames[50 * chunk] = params

    ticks = jnp.linspace(-1.1, 1.1, 120)
    plane = jnp.stack(jnp.meshgrid(ticks, ticks), axis=-1)
    with style():
        figure, panels = plt.subplots(1, 4, figsize=(11, 3.1), layout="constrained")
        for panel, at in zip(panels, (0, 50, 100, 1000), strict=True):
            said = jnp.clip(network(frames[at], plane.reshape(-1, 2)).reshape(120, 120), -1, 1)
            panel.imshow(said, extent=(-1.1, 1.1, -1.1, 1.1), origin="lower", cmap="cividis", vmin=-1, vmax=1)
            panel.scatter(*points.T, s=5, c=sides[:, 0], cmap="cividis", edgecolors="white", linewidths=0.3)
            panel.set(title=f"step {at}", xticks=[], yticks=[])
            panel.grid(visible=False)
        plt.show()

# %% [markdown] name="curves-text"
# `train_50_steps` was called twenty times, and Python was at work once. Here are the loss on record, and the length of the gradient, measured by
# your `tree_norm` at every step. Both shoot up now and then: a step was too long, and the next ones mend it. What to do about that is
# found in `optimizers` and `exploding_gradients`.

# %% name="curves"
if course.solved(init_layers) and course.solved(tree_norm):
    losses, lengths = (np.concatenate(of) for of in zip(*records, strict=True))
    with style():
        figure, axes = plt.subplots(figsize=(7.5, 3))
        axes.semilogy(losses, color=HAND, label="loss")
        axes.semilogy(lengths, color=JAX, linewidth=0.8, label="length of the gradient")
        axes.set(xlabel="step", ylim=(1e-5, 30))
        axes.legend(ncols=2)
        plt.show()
    right = jnp.mean(jnp.sign(network(params, points)) == jnp.sign(sides))
    print(f"loss {losses[0]:.3f} -> {losses[-1]:.5f}; on the right side: {right:.1%} of the points")

# %% [markdown] name="in-your-own-words"
# ## In your own words
#
# {question parameter_trees.text}

# %% name="answer-text" tags=["question"]
course.answer("parameter_trees.text", ...)

# %% [markdown] name="mistake-text"
# ## Which mistake is this?
#
# Somebody else wrote one of this lesson's functions. Which leaf of the tree is wrong, and what is their number divided by the right one?

# %% [markdown] name="ask-q4"
# {question parameter_trees.q4}

# %% name="somebody-elses" tags=["shown"]
course.show_mistake("parameter_trees.q4", draw=0)

# %% name="answer-q4" tags=["question"]
course.answer("parameter_trees.q4", ...)

# %% [markdown] name="what-you-have"
# ## What you have now
#
# - Parameters are one tree: NamedTuples and lists, with arrays at the ends. Their gradient is a tree of the same form.
# - `jax.tree.map` does one thing to all leaves. A step of descent, whatever the network, is one line.
# - Names and shapes first, when something is off; the length of the whole gradient, to watch a run.
# - Chance is handed in. Split keys, and use each once: twice the same key is twice the same numbers.
# - `jit` runs Python once for each shape and type, and what was no argument is baked in. `scan` carries a tree through a loop.
#
# ## Sources
#
# - JAX documentation: *Pytrees*, *Pseudorandom numbers*, *Just-in-time compilation*. [docs.jax.dev](https://docs.jax.dev)
# - J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw, *Parallel random numbers: as easy as 1, 2, 3*, SC 2011: the generator that
#   makes numbers of keys. [doi:10.1145/2063384.2063405](https://doi.org/10.1145/2063384.2063405)
# - K. He, X. Zhang, S. Ren, J. Sun, *Delving Deep into Rectifiers*, 2015: the variance `2 / d_in`. [arXiv:1502.01852](https://arxiv.org/abs/1502.01852)
# - D. R. Williams, *Planetary Fact Sheet*, NASA Goddard Space Flight Center: distances and periods.
# - K. J. Lang, M. J. Witbrock, *Learning to tell two spirals apart*, Proceedings of the 1988 Connectionist Models Summer School: the spirals.
#
# Next: `linear_and_activations`, where the parts of any network become pairs of your own.
