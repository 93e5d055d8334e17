# %% [markdown] name="title"
# # How a program is differentiated: a tape, and a sweep over it
#
# **How can JAX differentiate a program that it has never seen?**
#
# You hand `jax.grad` a function: yours, written this morning, with a loop in it and an `if`. It hands back the derivative. It does
# no algebra on your text, and it nudges nothing. It does what you would do with pencil and paper: it runs the function once, *writes
# down every step*, and then goes through the list from the end to the start.
#
# On this page you write that machine, in five short functions. At the end it differentiates programs that nobody has seen before,
# drawn at random, with loops and branches, and agrees with `jax.grad` on each of them. PyTorch is built like this, and the best-known
# small teaching engine, micrograd, too.

# %% name="imports"
import inspect

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import optax

from course.comparison.counting import count_jaxpr
from course.lessons.reverse_mode import (
    Number,
    Step,
    crossing,
    diamonds,
    draw_program,
    graph_of,
    network,
    record,
    record_numbers,
    sin,
    total,
    wander,
)
from course.show.plots import COLOURS, HAND, INK, JAX, style

jax.config.update("jax_enable_x64", True)  # 16 digits instead of 7
np.set_printoptions(precision=4, suppress=True)

# %% [markdown] name="record-text"
# ## Numbers that take notes
#
# How do you find out what a function does, step by step, without reading its text? You hand it something that looks like a number
# and keeps a diary. Here is such a thing, the whole of it. Do not read every line. Look at `__mul__`, which Python calls for `a * b`:
# it multiplies, as it should, and then writes down a *step*: which two numbers went in, how steep the product is in each of
# them (`b` and `a`, the rule for products from school), and which number came out.

# %% name="show-the-number"
print(inspect.getsource(Number))

# %% [markdown] name="tape-text"
# Every number that comes up gets a **place**, 0, 1, 2, ..., in the order in which they are made; the inputs come first. The list of
# steps is called a **tape**. Here is a small program, and its tape. `u` and `v` are used twice each, so the paths cross.
#
#     u = x * w
#     v = sin(u)
#     y = u * v + v * c


# %% name="show-the-tape"
def show(tape, bars=None):
    """Prints a tape of numbers, a line for each place."""
    made = {step.output: step for step in tape.steps}
    print("place    value   made of   slopes" + ("              bar" if bars else ""))
    for place, value in enumerate(tape.values):
        step = made.get(place)
        parts = ", ".join(map(str, step.inputs)) if step else "-"
        slopes = ", ".join(f"{slope:.3f}" for slope in step.slopes) if step else ""
        print(f"{place:5}  {value:7.3f}   {parts:7}   {slopes:15}" + (f"{bars[place]:9.4f}" if bars else ""))


x, w, c = 1.5, 0.8, -2.0
tape = record_numbers(crossing, x, w, c)
show(tape)
print("the output is in place", tape.output)

# %% [markdown] name="tape-meaning"
# Place 0 is `x`, 1 is `w`, 2 is `c`. Line 3 says: made of 0 and 1; when 0 grows by a little, this grows 0.8 times as much, and when 1
# grows, 1.5 times as much. That is all that the chain rule needs to know about a step. Whether it was a product or a sine is forgotten.
#
# As a picture, with the slope at each arrow (you need not read the cell that draws):

# %% name="draw-the-tape"
BOX = {"boxstyle": "round,pad=0.4,rounding_size=0.25", "facecolor": "none", "edgecolor": INK}
SPOTS = {0: (0, 2), 1: (0, 1), 2: (0, 0), 3: (1.1, 1.5), 4: (2.2, 0.9), 5: (3.4, 1.6), 6: (3.4, 0.2), 7: (4.5, 0.9)}
NAMES = ("x", "w", "c", "u", "v", "u*v", "v*c", "y")


def draw(tape, bars=None):
    """Draws the tape of `crossing`: values in boxes, slopes at the arrows, bars underneath."""
    with style():
        figure, axes = plt.subplots(figsize=(10, 4))
        axes.set(xlim=(-0.4, 4.9), ylim=(-0.45, 2.35))
        axes.axis("off")
        boxes = {}
        for place, spot in SPOTS.items():
            text = f"{NAMES[place]} = {tape.values[place]:.2f}"
            boxes[place] = axes.text(*spot, text, ha="center", va="center", bbox=BOX)
            if bars:
                below = f"bar {bars[place]:.3f}"
                axes.text(spot[0], spot[1] - 0.3, below, ha="center", color=COLOURS[3], fontsize=9)
        for step in tape.steps:
            for place, slope in zip(step.inputs, step.slopes, strict=True):
                ends = {"patchA": boxes[place], "patchB": boxes[step.output], "shrinkA": 8, "shrinkB": 8}
                look = {"arrowstyle": "-|>", "color": INK, **ends}
                axes.annotate("", SPOTS[step.output], SPOTS[place], arrowprops=look)
                middle = 0.55 * np.array(SPOTS[place]) + 0.45 * np.array(SPOTS[step.output])
                axes.text(*(middle + [0, 0.1]), f"× {slope:.2f}", ha="center", color=HAND, fontsize=9)
        plt.show()


draw(tape)

# %% [markdown] name="diamond-text"
# ## The obvious way, and why it fails
#
# Nearly everybody's first idea is a recursion: *take the output; send to each of its inputs what it deserves; let each of these do the
# same.* Try it on the smallest program in which a path forks and meets again, twice:
#
#     b = a + a
#     c = b + b

# %% name="draw-diamonds"
with style():
    figure, axes = plt.subplots(figsize=(7, 1.4))
    axes.set(xlim=(-0.3, 2.3), ylim=(-0.6, 0.6))
    axes.axis("off")
    boxes = [axes.text(spot, 0, name, ha="center", va="center", bbox=BOX) for spot, name in enumerate("abc")]
    for left in (0, 1):
        for bend in (-0.45, 0.45):
            ends = {"patchA": boxes[left], "patchB": boxes[left + 1], "shrinkA": 8, "shrinkB": 8}
            look = {"arrowstyle": "-|>", "color": INK, "connectionstyle": f"arc3,rad={bend}", **ends}
            axes.annotate("", (left + 1, 0), (left, 0), arrowprops=look)
            axes.text(left + 0.5, -0.9 * bend, "× 1", ha="center", va="center", color=HAND, fontsize=9)
    plt.show()

# %% [markdown] name="diamond-bars"
# `c` is `4 * a`, so the bar of `a` has to be 4, whatever `a` is. Bars are added to, since things used twice get twice:


# %% name="send-down" tags=["worked"]
def send_down(tape, place, bars):
    """Adds to the bar of everything that a place is made of, and goes on from there."""
    for step in tape.steps:
        if step.output == place:
            for part, slope in zip(step.inputs, step.slopes, strict=True):
                bars[part] += slope * bars[place]
                print(f"from place {place} to place {part}: {slope * bars[place]:.0f}, which makes {bars[part]:.0f}")
                send_down(tape, part, bars)


two_diamonds = record_numbers(lambda a: diamonds(a, 2), 1.0)
bars = [0.0, 0.0, 1.0]  # of a, b and c
send_down(two_diamonds, two_diamonds.output, bars)
print("\nbar of a:", bars[0], "  and it should be", jax.grad(lambda a: diamonds(a, 2))(1.0))

# %% [markdown] name="send-down-text"
# 6, and it should be 4. Read the lines: `b` gets 1 from `c`, and sends it on to `a` at once, twice. Then `b` gets another 1, its bar is
# 2, and it sends *all of it* down, although the first 1 had been sent before. It was **too early**: a bar was handed on before it was
# complete.
#
# There is a way to save the recursion. Let everybody send only what has just come, never the sum:


# %% name="every-path" tags=["worked"]
def walk(tape, place, share, bars):
    """Adds a share to a place's bar, and sends that share down; returns how many places were come by."""
    bars[place] += share
    visits = 1
    for step in tape.steps:
        if step.output == place:
            for part, slope in zip(step.inputs, step.slopes, strict=True):
                visits += walk(tape, part, slope * share, bars)
    return visits


print("diamonds   bar of a    right   places come by")
counted = []
for n in range(1, 11):
    some = record_numbers(lambda a, n=n: diamonds(a, n), 1.0)
    bars = [0.0] * len(some.values)
    counted.append(walk(some, some.output, 1.0, bars))
    print(f"{n:8} {bars[0]:10.0f} {2**n:8} {counted[-1]:12,}")

# %% [markdown] name="every-path-text"
# The numbers are right. But look at the last column. This recursion walks every path from the output to the input by itself, and with
# every diamond there are twice as many. It is the chain rule as it stands in textbooks, *the sum over all paths*, taken at its word.
#
# (In `chain_rule` you have seen the two counts side by side, for a program whose lines you knew. Now the machine has to find the way by
# itself.)
#
# {question reverse_mode.q1}

# %% name="answer-q1" tags=["question"]
course.answer("reverse_mode.q1", ...)

# %% [markdown] name="forward-sweep-text"
# ## One sweep
#
# Both recursions run ahead. What if we go along the tape, step by step, each step once?
#
# First in the direction in which it was written, from the start to the end, with a question that goes with it: *how fast does every
# value move, when `x` moves and the other inputs stay?* Call that the **dot** of a value. The dot of `x` is 1, the dots of the other
# inputs are 0, and each step adds up what comes by its arrows:


# %% name="forward-sweep" tags=["worked"]
def sweep_forward(tape, moved):
    """Returns the dot of every value, when one input moves."""
    dots = [0.0] * len(tape.values)
    dots[moved] = 1.0
    for step in tape.steps:
        for place, slope in zip(step.inputs, step.slopes, strict=True):
            dots[step.output] += slope * dots[place]
    return dots


for name, place in (("x", 0), ("w", 1), ("c", 2)):
    dots = sweep_forward(tape, place)
    print(f"when {name} moves:", np.array(dots), f"  y moves {dots[tape.output]:.6f} times as far")
print("jax.grad:", *(f"{slope:.6f}" for slope in jax.grad(crossing, argnums=(0, 1, 2))(x, w, c)))

# %% [markdown] name="forward-sweep-why"
# Right, and no step is taken twice. Why does nobody run ahead here? Because a tape has an order: **whatever a step needs was made by a
# step before it.** When a step has its turn, the dots of its inputs are complete.
#
# But it took three sweeps, one for each input. A network has millions of them. You want it the other way round: one output, and the
# bars of everything in a single sweep.
#
# ### Your turn: the sweep
#
# Turn it round. `sweep(tape, y_bar)` gets a tape and the bar of its output, and returns a list with the bar of every place. You need
# `tape.values` for its length, `tape.output`, and `tape.steps`; of each step `step.inputs`, `step.slopes` and `step.output`. On the
# tape above, with a `y_bar` of 1, the first three bars must be the three slopes that `jax.grad` gave.

# %% name="your-sweep" tags=["exercise"]
from solutions.reverse_mode import sweep

# %% name="check-sweep" tags=["check"]
course.check(sweep)

# %% [markdown] name="derive-sweep"
# <details><summary>After you solved it: the derivation</summary>
#
# `bars[k]` is how fast the loss moves when the value in place `k` does. Of the output that is `y_bar`; of all others nothing is known
# yet, and since contributions are going to be added, they start at 0.
#
# A step with output `k` and inputs `i` and `j`: when the value in place `i` moves, the one in place `k` moves `slope` times as far, and
# the loss `bars[k]` times as far as that. So place `i` gets `slope * bars[k]`, *added* to what came from elsewhere: used twice, add.
#
# It may only be done when `bars[k]` is complete, that is when every step that used place `k` has sent its part. All these steps stand
# behind the step that made it. So go from the last to the first: `for step in reversed(tape.steps)`.
#
# The residuals of this pass are the tape: two places and two slopes a step.
# </details>

# %% [markdown] name="see-the-sweep-text"
# When your sweep is right, the next cell shows its bars: from the right to the left, each is the sum over its arrows of slope times
# the bar at the arrow's head. And sixty diamonds, where the recursion would come by `2**61 - 1` places,
# are done before you look up.

# %% name="see-the-sweep"
if course.solved(sweep):
    bars = sweep(tape, 1.0)
    show(tape, bars)
    draw(tape, bars)
    sixty = record_numbers(lambda a: diamonds(a, 60), 1.0)
    print(f"{len(sixty.steps)} steps, bar of a: {sweep(sixty, 1.0)[0]:.0f}, and 2**60 = {2**60}")
else:
    draw(tape)

# %% [markdown] name="step-through-text"
# JAX keeps a record of the same kind. Here is its own, of the same program. Step through it, forward and back, and watch `u` and `sin(u)`
# wait until both of their parts have come.

# %% name="step-through"
course.show_graph(crossing, x, w, c)

# %% [markdown] name="ask-q2"
# {question reverse_mode.q2}

# %% name="answer-q2" tags=["question"]
course.answer("reverse_mode.q2", ...)

# %% [markdown] name="growth-text"
# Two ways to the same numbers. The one adds up over all paths; the other stores for every place *one* number, and never computes it
# again. To store what would else be computed over and over is called dynamic programming, and backpropagation is nothing but that:

# %% name="draw-growth"
with style():
    figure, axes = plt.subplots(figsize=(7, 3.6))
    rows = np.arange(1, len(counted) + 1)
    far = np.arange(1, 61)
    axes.semilogy(far, 2.0 ** (far + 1) - 1, color=COLOURS[3], linewidth=1, linestyle=":")
    axes.semilogy(rows, counted, "o", color=COLOURS[3], markersize=4, label="every path by itself: counted")
    axes.semilogy(far, far, color=HAND, label="one sweep: a visit for each step")
    axes.axhline(4e17, color=INK, linewidth=0.8)
    axes.text(1, 1.2e18, "seconds since the Big Bang", color=INK, fontsize=9)
    axes.set(xlabel="diamonds in a row", ylabel="places come by", title="The same derivative", ylim=(0.7, 1e21))
    axes.legend(loc="lower right", bbox_to_anchor=(1, 0.16))
    plt.show()

# %% [markdown] name="order-text"
# ## A graph without a tape
#
# Not everybody keeps a tape. In PyTorch and in micrograd every value remembers only *what it was made of*, and that is a graph, with no
# list of steps and no order. Here is one. It was recorded, then its places were given new numbers at random. For each place it says
# what it was made of:

# %% name="show-the-graph"
made_of = ((3,), (6, 2), (4, 0), (), (3, 0), (1, 4), (0, 2))
output = 1
for place, parts in enumerate(made_of):
    print(f"place {place} is made of {', '.join(map(str, parts)) or 'nothing: an input'}")
print("the output is place", output)

# %% [markdown] name="order-neighbour-text"
# To sweep, you need an order in which everything stands behind what it is made of: a **topological order**. First a simpler
# question: which places is the output made of at all? Keep a list of places to be looked at; whoever is looked at puts its parts on it.


# %% name="order-neighbour" tags=["worked"]
def leads_to(made_of, output):
    """Returns all places that the output is made of, itself included, in no useful order."""
    waiting, found = [output], set()
    while waiting:
        place = waiting.pop()
        if place not in found:
            found.add(place)
            waiting += made_of[place]
    return found


print("the output is made of", leads_to(made_of, output))
print("and not of", set(range(len(made_of))) - leads_to(made_of, output))

# %% [markdown] name="order-turn"
# Place 5 is made of the output, and not the other way round: nothing comes back to it, and an order need not list it.
#
# ### Your turn: an order
#
# `topological_order(made_of, output)` returns a list: every place that the output is made of, once, each *behind* all that it is made
# of, and the output last. Here it has to begin with 3, the only input. Then comes 0, since nothing else is made of 3 alone; and so on.
# In this graph, and in those of the verdict, there is just one such order, so any way of finding it will do. A function within your
# function, which calls itself, makes it short. Beware of diamonds.

# %% name="your-order" tags=["exercise"]
from solutions.reverse_mode import topological_order

# %% name="check-order" tags=["check"]
course.check(topological_order)

# %% [markdown] name="derive-order"
# <details><summary>After you solved it: why it works, and what it costs</summary>
#
# `visit(place)` makes sure that the place is in the list, and *before it* everything that it is made of: it calls itself for all parts,
# and only then appends the place. That is called depth-first search in post-order. A place that is in the list already is left alone,
# and so are its parts: every arrow is looked at once, and sixteen diamonds are thirty-two arrows.
#
# Without the first line, `if place in order: return`, you have the recursion of every path again. (To ask a list whether something is
# in it takes longer the longer it is. In earnest you would keep a set beside it.)
#
# micrograd does just this, and PyTorch something like it: it counts for each value how many of its uses have not reported yet, and
# goes on with those that have come to zero. That gives a topological order too, from the output on.
# </details>

# %% name="see-the-order"
if course.solved(topological_order):
    print("the shuffled graph:", topological_order(made_of, output))
    graph = graph_of(tape.steps, len(tape.values))
    print("crossing's graph:  ", topological_order(graph, tape.output), " as names:", end=" ")
    print(*(NAMES[place] for place in topological_order(graph, tape.output)))

# %% [markdown] name="order-of-a-tape"
# The order of `crossing` need not be the one of its tape, and is as good: whatever puts everything behind its parts will do. The tape had such an order
# from the beginning, for nothing: a program can't use a value before it has made it. So we stay with tapes.
#
# ## Arrays
#
# Now the numbers become arrays. What is the slope of a step then? If `y` has `m` entries and `x` has `n`, there are `m * n` slopes, a
# matrix, the Jacobian. For one layer of a small network:

# %% name="count-jacobian"
m, n = 128 * 512, 128 * 784
print(f"y = x @ w with x of (128, 784) and w of (784, 512): {m * n:,} slopes by x alone, {m * n * 4 / 1e9:.0f} GB")

# %% [markdown] name="rules-instead"
# Nobody writes that on a tape. But the slopes are not wanted at all. What is wanted is *what comes back to `x`, given `y_bar`*, and
# you have computed just this in every lesson, without the matrix. So a step on a tape of arrays keeps the **name of its rule**, and
# the tape keeps the values. The sweep will look the name up in a table.
#
# The course has a `Var` for arrays, made like `Number`; it knows seven rules: `add`, `sub`, `mul`, `matmul`, `sin`, `exp`, and `sum`,
# which adds up all entries (`total(...)` calls it). A layer, with a row `b` added to every row, and squares:
#
#     y = sin(x @ w + b)
#     loss = total(y * y)


# %% name="show-the-array-tape"
def show_arrays(tape):
    """Prints a tape of arrays, a line for each place."""
    made = {step.output: step for step in tape.steps}
    print("place   rule     made of   shape")
    for place, value in enumerate(tape.values):
        step = made.get(place, Step("-", (), place))
        print(f"{place:5}   {step.rule:6}   {', '.join(map(str, step.inputs)) or '-':7}   {value.shape}")


rng = np.random.default_rng(0)
arrays = rng.standard_normal((7, 5)), rng.standard_normal((5, 3)), rng.standard_normal(3)
show_arrays(record(network, *arrays))

# %% [markdown] name="unbroadcast-text"
# ### Copies
#
# Look at place 4: `add` of `(7, 3)` and `(3,)`. The second was *broadcast*, copied to every row. It happens in `+`, `-` and `*`, and
# what to do on the way back is always the same: **broadcast forward, sum backward.** So it gets a function of its own.
#
# How are shapes matched? They are lined up at their ends. Where one has no axis left, or an axis of 1, it is copied:
#
#     the copies       (2, 3, 4)
#     x                   (3, 1)
#
# This `x` is copied along the first axis, which it does not have, and along the last, where it has one entry. Here is what comes back
# to it, by JAX:

# %% name="broadcast-by-jax"
x_small = jnp.array([[10.0], [20.0], [30.0]])
bar = jnp.arange(24.0).reshape(2, 3, 4)
copies, pullback = jax.vjp(lambda x: jnp.broadcast_to(x, (2, 3, 4)), x_small)
print("copies\n", copies)
print("\nbar, the cotangent of the copies\n", bar)
print("\nx_bar, of shape", x_small.shape, "\n", pullback(bar)[0])

# %% [markdown] name="unbroadcast-turn"
# Find the 60: eight numbers of `bar` belong to copies of the 10, and they make 60 together. Which are they?
#
# ### Your turn: copies come home
#
# `unbroadcast(bar, x)` gets the cotangent of the copies, and the array that was copied, of which it only wants the shape. It returns
# the cotangent of `x`. `bar.sum(axis=(0, 2))` sums along two axes at once; `keepdims=True` leaves them in the shape, with length 1.

# %% name="your-unbroadcast" tags=["exercise"]
from solutions.reverse_mode import unbroadcast

# %% name="check-unbroadcast" tags=["check"]
course.check(unbroadcast)

# %% [markdown] name="derive-unbroadcast"
# <details><summary>After you solved it: the derivation</summary>
#
# In the first axes, `bar` has `bar.ndim - x.ndim` more than `x`. Along these, copies were made; sum them away, without `keepdims`,
# since `x` does not have them: `bar.sum(axis=tuple(range(bar.ndim - x.ndim)))`.
#
# What is left has as many axes as `x`. Where `x` has one entry, sum too, and keep the axis. Where both have one entry, there is one
# copy, and the sum of one number does no harm. If nothing was copied, both sums go along no axis, and `bar` comes out as it went in.
# </details>

# %% [markdown] name="rules-text"
# ### A table of rules
#
# One line for each rule: what comes back to every input, given the inputs, `y`, and `y_bar`. As an example a rule that is not among the
# seven. When `a` grows by 1, `a / b` grows by `1 / b`. When `b` grows a little, `a / b` shrinks, at the rate `a / b**2`, which is
# `y / b`: forward's value saves a division.


# %% name="rule-of-div" tags=["worked"]
def pull_back_div(inputs, y, y_bar):
    a, b = inputs
    return y_bar / b, -y_bar * y / b


a, b = jnp.array([1.0, 2.0, 3.0]), jnp.array([4.0, 5.0, -6.0])
y, pullback = jax.vjp(lambda a, b: a / b, a, b)
print("by hand", *pull_back_div((a, b), y, jnp.ones(3)))
print("JAX    ", *pullback(jnp.ones(3)))

# %% [markdown] name="rules-turn"
# ### Your turn: the table
#
# `pull_back(rule, inputs, y, y_bar)` returns one array for each input. `match` picks the line of the rule; the first is given. Leave the
# copies out of it until the last line, and deal with them there, for all rules at once. `a` and `b` of `matmul` are matrices.

# %% name="your-pull-back" tags=["exercise"]
from solutions.reverse_mode import pull_back

# %% name="check-pull-back" tags=["check"]
course.check(pull_back)

# %% [markdown] name="derive-pull-back"
# <details><summary>After you solved it: the table</summary>
#
# | rule | comes back to `a` | comes back to `b` | needs |
# |---|---|---|---|
# | `a + b` | `y_bar` | `y_bar` | nothing |
# | `a - b` | `y_bar` | `-y_bar` | nothing |
# | `a * b` | `y_bar * b` | `y_bar * a` | both inputs |
# | `a @ b` | `y_bar @ b.T` | `a.T @ y_bar` | both inputs |
# | `sin(a)` | `y_bar * cos(a)` | | its input |
# | `exp(a)` | `y_bar * y` | | its value |
# | `sum(a)` | `y_bar`, copied to the shape of `a` | | a shape |
#
# Then each of them goes through `unbroadcast`, which does nothing where nothing was copied. *Sum* and *broadcast* are opposites: the
# backward pass of the one is the forward pass of the other.
#
# The last column is what would have to be kept. Our tape keeps every value, needed or not. JAX and PyTorch keep what some rule asks for.
# </details>

# %% [markdown] name="grad-of-turn"
# ### Your turn (hard): the gradient of any program
#
# Everything is there. `grad_of(program, *inputs)` runs `record(program, *inputs)`, which returns a tape; sweeps over it, with arrays
# for bars and `pull_back` in the place of slopes; and returns the bars of the inputs as a tuple. The program's value is a single
# number, and its bar is 1. On the tape are `tape.arguments`, the number of inputs; `tape.values`, by place; `tape.steps`, each with
# `step.rule`, `step.inputs` and `step.output`; and `tape.output`.

# %% name="your-grad-of" tags=["exercise"]
from solutions.reverse_mode import grad_of

# %% name="check-grad-of" tags=["check"]
course.check(grad_of)

# %% [markdown] name="derive-grad-of"
# <details><summary>After you solved it: what is the same, and what is not</summary>
#
# It is `sweep` once more, line for line. Bars start as zeros *of the shape of their values*, the output's as a one. For each step, from
# the last to the first, `pull_back` is asked, and what it returns is added to the bars of the inputs' places. A step whose output has
# the bar zero, since it leads nowhere, sends zeros: right, and a little wasteful.
#
# `x * x` needs no care. Both inputs are the same place, `pull_back` sends two arrays, and both are added: `2 * x * y_bar`.
#
# The inputs have the first places of the tape, so their bars are `bars[:tape.arguments]`.
# </details>

# %% [markdown] name="random-text"
# ## Programs that nobody has seen
#
# `draw_program(seed)` makes a program out of random choices: which values it takes, which rule, and at each turn an `if` that looks at a
# sum. Let the next cell draw two hundred, and hold your `grad_of` against `jax.grad` on each.

# %% name="random-programs"
small, row = rng.standard_normal((3, 2)), rng.standard_normal(2)


def largest_difference(seed):
    """How far apart the two gradients of a program are, relative to their size."""
    program = draw_program(seed)
    ours, theirs = grad_of(program, small, row), jax.grad(program, argnums=(0, 1))(small, row)
    size = max(float(jnp.abs(bar).max()) for bar in theirs) or 1.0
    return max(float(jnp.abs(a - b).max()) for a, b in zip(ours, theirs, strict=True)) / size


if course.solved(grad_of):
    differences = np.array([largest_difference(seed) for seed in range(200)])
    print(f"{len(differences)} programs, largest difference {differences.max():.1e}")
    print(f"{(differences == 0).sum()} of them agree in every bit")
print("one of them, of four turns:")
show_arrays(record(draw_program(3, turns=4), small, row))

# %% [markdown] name="dynamic-text"
# ### Python decides what is recorded
#
# How did the tape get around the `if`? It never saw it. It has only the sum at which the `if` looked, which leads nowhere and gets a bar
# of 0. `wander` takes six turns, and at each one it looks whether a sum is positive. Here
# are the rules on its tape, for two inputs:

# %% name="two-tapes"
print(inspect.getsource(wander))
for start in (0.5, -0.5):
    steps = record(wander, jnp.full(2, start), jnp.array([1.0, -0.7])).steps
    print(f"x = {start:4}:", " ".join(step.rule for step in steps))

# %% [markdown] name="dynamic-meaning"
# Python ran the `if` and the `for`, and the tape got only what they led to: two different lists. Such a graph is called *dynamic*; it
# is made anew each time, and it is how PyTorch works. The price is that Python has to run each time too. `jax.jit` records once
# instead, with stand-ins that have a shape and no numbers, compiles the list, and uses it ever after. Your `grad_of` does not
# mind: it can be compiled as it is. But a program that looks at its numbers can't, since the stand-ins have none.

# %% name="under-jit"
if course.solved(grad_of):
    fast = jax.jit(lambda *inputs: grad_of(network, *inputs))
    print("network, compiled:", [bar.shape for bar in fast(*arrays)])
    try:
        jax.jit(lambda x, w: grad_of(wander, x, w))(jnp.ones(2), jnp.ones(2))
    except jax.errors.ConcretizationTypeError as error:
        print("wander, compiled: ", type(error).__name__)

# %% [markdown] name="ask-q3"
# {question reverse_mode.q3}

# %% name="answer-q3" tags=["question"]
course.answer("reverse_mode.q3", ...)

# %% [markdown] name="cost-text"
# ## What it costs
#
# The sweep takes each step once. A step's rule does about as much as the step itself, or twice that where there are two inputs, and
# there is an addition for each input. So the gradient should cost a fixed number of times what the program costs, however long
# it is, and **for however many inputs**. Count it: arithmetic operations of programs of 5 to 80 turns, and of their gradients.

# %% name="count-cost"
mine = course.solved(grad_of)
gradient = grad_of if mine else lambda program, *inputs: jax.grad(program, argnums=(0, 1))(*inputs)


def mixture(turns):
    """A program of so many turns; on it, a sine and a product for each."""

    def program(x, w):
        y = x
        for _ in range(turns):
            y = sin(y) * w + y
        return total(y)

    return program


def operations(function):
    """Additions, products and so on that a function takes."""
    return count_jaxpr(jax.make_jaxpr(function)(small, row)).flops


lengths = (5, 10, 20, 40, 80)
forward = [operations(mixture(turns)) for turns in lengths]
both = [operations(lambda x, w, turns=turns: gradient(mixture(turns), x, w)) for turns in lengths]
print("turns   program   with its gradient   times")
for turns, one, two in zip(lengths, forward, both, strict=True):
    print(f"{turns:5} {one:9,} {two:15,} {two / one:12.2f}")

with style():
    figure, axes = plt.subplots(figsize=(7, 3.2))
    axes.plot(lengths, both, "o-", color=HAND if mine else JAX, label="program and gradient")
    axes.plot(lengths, forward, "o-", color=INK, label="program alone")
    axes.set(xlabel="turns of the program", ylabel="operations", title="Linear in the program", ylim=(0, None))
    axes.legend(loc="upper left")
    plt.show()

# %% [markdown] name="cost-meaning"
# A straight line. A few times the price of the program buys *all* slopes, be they two or two billion. That is why networks can be
# trained at all; lesson `cost_of_backprop` counts it more closely. (You know the price in memory: every value on the tape waits for its
# turn.)
#
# ## Your machine at work
#
# A network with sines for activations should follow a curve. The loss is written with `total`, `sin`, `*`, `-` and `@`, the gradient
# comes from `grad_of`, and a well-known rule for steps, Adam, from the library Optax.

# %% name="train-on-your-tape"
points = jnp.linspace(-3, 3, 41)[:, None]
curve = jnp.sin(2 * points) * jnp.exp(-0.2 * points**2) + 0.3 * points


def misfit(w1, b1, w2, b2):
    error = sin(points @ w1 + b1) @ w2 + b2 - curve
    return total(error * error)


def gradients(params):
    if mine:
        return grad_of(misfit, *params)
    return jax.grad(misfit, argnums=(0, 1, 2, 3))(*params)


optimizer = optax.adam(0.02)
params = (rng.standard_normal((1, 12)), rng.standard_normal(12), 0.1 * rng.standard_normal((12, 1)), np.zeros(1))
params = jax.tree.map(jnp.asarray, params)


@jax.jit
def train_step(params, state):
    updates, state = optimizer.update(gradients(params), state)
    return optax.apply_updates(params, updates), state


state, snapshots = optimizer.init(params), {}
for step in range(801):
    if step in (0, 12, 800):
        snapshots[step] = params
    params, state = train_step(params, state)

with style():
    figure, panels = plt.subplots(1, 3, figsize=(11, 3), sharey=True, layout="constrained")
    for axes, (step, then) in zip(panels, snapshots.items(), strict=True):
        w1, b1, w2, b2 = then
        axes.plot(points, curve, color=JAX, linewidth=5, label="to be followed")
        axes.plot(points, sin(points @ w1 + b1) @ w2 + b2, color=HAND, linewidth=1.6, label="the network")
        axes.set(title=f"after {step} steps: loss {float(misfit(*then)):.3f}", xlabel="x")
    panels[0].legend(loc="upper left")
    figure.suptitle("trained on your own tape" if mine else "trained on jax.grad", x=0.01, ha="left")
    plt.show()

# %% [markdown] name="last-questions"
# ## Questions
#
# {question reverse_mode.q4}

# %% name="answer-q4" tags=["question"]
course.answer("reverse_mode.q4", ...)

# %% [markdown] name="in-your-own-words"
# ### In your own words
#
# {question reverse_mode.text}

# %% name="answer-text" tags=["question"]
course.answer("reverse_mode.text", ...)

# %% [markdown] name="which-mistake"
# ### Which mistake is this?
#
# Somebody else wrote one of this lesson's functions. If it is the sweep, draw the places and steps on paper first, and walk it backward by hand:

# %% [markdown] name="ask-q5"
# {question reverse_mode.q5}

# %% name="somebody-elses-bars" tags=["shown"]
course.show_mistake("reverse_mode.q5", draw=0)

# %% name="answer-q5" tags=["question"]
course.answer("reverse_mode.q5", ...)

# %% [markdown] name="what-you-have"
# ## What you have now
#
# - A program is differentiated by running it on values that take notes; `if` and `for` are gone from the notes.
# - The tape has an order, so that one sweep from its end finds every bar complete before it is handed on. A recursion walks every path.
# - Without a tape, a topological order does the same.
# - A rule for each operation, copies summed at home, contributions added: that is all that `jax.grad` is made of.
# - The sweep costs a small multiple of the program, for however many inputs.
#
# ## Sources
#
# - R. E. Wengert, "A simple automatic derivative evaluation program", Communications of the ACM 7(8), 1964: the list of steps.
# - S. Linnainmaa, "Taylor expansion of the accumulated rounding error", BIT 16, 1976: the sweep from the end to the start.
# - A. Griewank, A. Walther, "Evaluating Derivatives", 2nd edition, SIAM, 2008, chapters 3 and 4: what it costs, with proof.
# - M. Johnson, D. Duvenaud, M. Maclaurin and others, "Autograd" and its teaching version "Autodidact", 2015 to 2020: NumPy with
#   a table of rules and an `unbroadcast`.
# - A. Karpathy, "micrograd", 2020: a scalar engine with a topological order. Why a recursion will not do is what its readers ask most.
# - PyTorch documentation, "Autograd mechanics": a graph made anew in every run.
#
# Next: `forward_mode`. The sweep in the other direction you have seen already; there you find out when it is the better one.
