# %% [markdown] name="title"
# # A whole network backward, every cotangent by name
#
# In `chain_rule` you sent slopes back through single numbers. Now they go through a network: two matrices, a relu, a loss.
# You will write every one of its cotangents under its own name, train the network on them, and find that a published
# example prints numbers which its own code does not give.

# %% name="imports"
import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import optax

from course.lessons.two_layer_network import (
    BatchNetwork,
    Cotangents,
    TwoLayer,
    batch_loss,
    batch_loss_fwd,
    no_nudges,
    nudged_loss,
    two_layer_loss,
    two_layer_loss_fwd,
)
from course.show import plots

jax.config.update("jax_enable_x64", True)  # the published example was computed in float64: so is this page
np.set_printoptions(precision=4, suppress=True)

# %% [markdown] name="which-way"
# ## Which way should 21 numbers move?
#
# A small network gets `x = (1, 2, 3)` and should answer 1. Its weights are those of a published example: NumPy's old
# random generator with seed 42, a tenth of what it draws; its biases are zero.

# %% name="the-example"
generator = np.random.RandomState(42)
params = TwoLayer(
    w1=jnp.asarray(0.1 * generator.randn(4, 3)),
    b1=jnp.zeros(4),
    w2=jnp.asarray(0.1 * generator.randn(1, 4)),
    b2=jnp.zeros(1),
)
x, target = jnp.array([1.0, 2.0, 3.0]), jnp.array([1.0])

loss = two_layer_loss(params, x, target)
print(f"{sum(array.size for array in params)} numbers to choose, and a loss of {loss:.6f}")

# %% [markdown] name="the-slow-way"
# Which of the 21 should move, which way, and how much does each matter? You know one answer from `numerical_gradients`: nudge a single
# number, run the network again, and see what the loss does.

# %% name="nudge-them-all"
step, slopes, runs = 1e-6, {}, 0
for name, array in params._asdict().items():
    slopes[name] = np.zeros(array.shape)
    for place in np.ndindex(array.shape):
        nudged = params._replace(**{name: array.at[place].add(step)})
        slopes[name][place] = (two_layer_loss(nudged, x, target) - loss) / step
        runs += 1

print(f"{runs} slopes took {runs} more runs of the network. Those of w1, a row for each hidden unit:")
print(slopes["w1"])

# %% [markdown] name="one-sweep"
# The minus signs say: make this weight larger, and the loss falls. The last row is zero, which deserves a question; it
# comes below.
#
# But the price: 21 runs for 21 slopes. A backward pass gets all of them in one sweep, whose price you can count once you have
# written it.
#
# ## The network in four lines
#
# ```text
# z1   = w1 @ x + b1                       four sums, one for each hidden unit
# a1   = relu(z1)                          what is positive passes, the rest becomes 0
# z2   = w2 @ a1 + b2                      the output
# loss = 0.5 * sum((z2 - target)**2)
# ```
#
# An example is a column here, a vector of shape `(d_in,)`, as in most textbooks; row `i` of `w1` belongs to hidden unit `i`.
# (At the end of this lesson the columns become rows.)

# %% name="forward-by-hand"
z1 = params.w1 @ x + params.b1
a1 = jnp.where(z1 > 0, z1, 0)
z2 = params.w2 @ a1 + params.b2
error = z2 - target

for name, value in {"z1": z1, "a1": a1, "z2": z2, "error": error}.items():
    print(f"{name:6} {value.shape!s:5} {value}")
print(f"loss         {0.5 * jnp.sum(error**2):.6f}")

# %% [markdown] name="forward-is-given"
# The network says -0.03 and should say 1. And look at hidden unit 4, at index 3: its `z1` is -0.178, so its relu lets nothing
# pass. For this example the unit is *dead*.
#
# These lines are given to you as `two_layer_loss_fwd`. It returns two things: the loss, and what backward will need. In this
# lesson you write only the way back.

# %% name="what-forward-keeps"
loss, residuals = two_layer_loss_fwd(params, x, target)
for name, array in residuals._asdict().items():
    print(f"{name:6} {array.shape!s:7} {array}")

# %% [markdown] name="what-autodiff-says"
# ## What autodiff says
#
# Before we derive anything, let JAX tell us the answer. `jax.grad` gives the slope of the loss by every parameter, in a
# `TwoLayer` of the same shapes.

# %% name="autodiff"
params_bar = jax.grad(two_layer_loss)(params, x, target)
for name, array in params_bar._asdict().items():
    print(f"{name}_bar   off from nudging by at most {np.max(np.abs(array - slopes[name])):.0e}")
    print(array, "\n")

# %% [markdown] name="seven"
# It agrees with nudging, as far as nudging is good for. But what of `z1`, `a1` and `z2`? They are no arguments, so `jax.grad`
# does not show them. The trick is the same nudge as before: let something be *added* to `z1` after it was computed, and ask
# how the loss moves with that. `nudged_loss` takes such a nudge for each of seven arrays; at nudges of zero it is the loss.

# %% name="seven-by-autodiff"
seven = Cotangents(*jax.grad(nudged_loss, argnums=tuple(range(7)))(*no_nudges(params), params, x, target))
for name, array in seven._asdict().items():
    print(f"{name}_bar {array.shape!s:7} {str(array).replace(chr(10), chr(10) + ' ' * 15)}")

# %% [markdown] name="the-box"
# These seven are what you will compute, without `jax.grad`, in the order in which they stand: from the loss back to the first
# layer.
#
# > **The one box on notation**
# >
# > - What books write as $\partial L / \partial W_2$ is `w2_bar` here, the *cotangent* of `w2`: for each number in `w2`, how
# >   much the final result moves with it. It always has the shape of `w2`. The word *gradient* is kept for the cotangent of
# >   parameters under a scalar loss.
# > - *Residuals* are what forward kept for backward, and nothing else. (A connection around a layer is called a skip
# >   connection in this course.)
# > - `loss_bar` is handed to the backward pass: how much the final result moves with the loss. If the loss *is* the final
# >   result, that is 1. If someone goes on and takes `0.1 * loss`, it is 0.1. So a backward pass multiplies by `loss_bar` and
# >   never assumes that it is 1.

# %% [markdown] name="neighbours"
# ## Three derivations, each of a neighbour
#
# You need three rules: for the loss, for `w @ x + b`, and for relu. Here are three that are close to them, worked out and
# checked. Everything is done index by index, on two or three numbers; the step to matrices is then a matter of reading.


# %% name="ask-jax"
def by_jax(function, y_bar, *primals):
    """The cotangent of every primal by JAX, when that of the output is y_bar."""
    return jax.vjp(function, *primals)[1](y_bar)


# %% [markdown] name="a-quartic-loss"
# ### A loss with a fourth power (yours has a square)
#
# `loss = 0.25 * sum((z - wanted)**4)`. Each `z[i]` stands in one term of the sum. The derivative of that term is
# `(z[i] - wanted[i])**3`: the 4 comes down and meets the 0.25. What the final result makes of the loss comes on top, as a
# factor: `loss_bar`.

# %% name="check-the-quartic"
z, wanted, loss_bar = np.array([2.0, 0.0, -1.0]), np.array([1.0, 1.0, 1.0]), 10.0
print("derived:", np.array([loss_bar * (z[i] - wanted[i]) ** 3 for i in range(3)]))
print("by JAX: ", *by_jax(lambda z: 0.25 * jnp.sum((z - wanted) ** 4), loss_bar, z))

# %% [markdown] name="x-is-worked"
# ### Two sums: `v` is worked out (`w` and `b` are yours)
#
# ```text
# y[0] = w[0, 0] * v[0] + w[0, 1] * v[1] + b[0]
# y[1] = w[1, 0] * v[0] + w[1, 1] * v[1] + b[1]
# ```
#
# This is `matvec` of `vector_chain_rule`, and a bias. Take `v[0]`. It stands in both lines, once beside `w[0, 0]` and once beside `w[1, 0]`. *Used twice, add.*
#
# ```text
# v_bar[0] = w[0, 0] * y_bar[0] + w[1, 0] * y_bar[1]
# v_bar[1] = w[0, 1] * y_bar[0] + w[1, 1] * y_bar[1]
# ```
#
# Forward ran along the rows of `w`. Read the two lines again: backward runs down its columns.

# %% name="check-x"
w, v, b = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([5.0, 6.0]), np.array([7.0, 8.0])
y_bar = np.array([10.0, 100.0])
print("derived:", np.array([w[0, j] * y_bar[0] + w[1, j] * y_bar[1] for j in range(2)]))
print("by JAX: ", *by_jax(lambda v: w @ v + b, y_bar, v))

# %% [markdown] name="w-is-asked"
# Now look at `w[1, 0]` in the same two lines. In how many of them does it stand? What stands beside it? And `b[1]`? Those two
# answers, for every index, are four of the seven lines that you will write.
#
# ### The absolute value (relu is yours)
#
# `y = abs(v)` works on each entry alone: `y[i]` depends on `v[i]` and on nothing else, so there is nothing to add up. The slope
# is 1 where `v[i]` is positive and -1 where it is negative: what comes back is passed on, or turned.

# %% name="check-abs"
v, y_bar = np.array([3.0, -2.0, 0.5]), np.array([10.0, 20.0, 30.0])
print("derived:", np.array([y_bar[i] if v[i] > 0 else -y_bar[i] for i in range(3)]))
print("by JAX: ", *by_jax(jnp.abs, y_bar, v))

# %% [markdown] name="the-kink"
# At exactly 0 neither slope is right: there is a kink, and one has to agree on something. This course, `jax.nn.relu` and PyTorch
# agree that **relu'(0) = 0**. It is a convention, not mathematics: written in another way, the same function gets another slope
# there.

# %% name="see-the-kink"
print("relu by where:  ", jax.grad(lambda z: jnp.where(z > 0, z, 0))(0.0))
print("jax.nn.relu:    ", jax.grad(jax.nn.relu)(0.0))
print("relu by maximum:", jax.grad(lambda z: jnp.maximum(z, 0))(0.0))

# %% [markdown] name="your-turn"
# ## Your turn: seven lines
#
# Fill in the seven `...`. Go from top to bottom: each line needs only the ones above it and what forward kept. Every cotangent has
# the shape of its value, which rules out most mistakes before they are made. `jnp.outer(u, v)` is the table of all
# `u[i] * v[j]`.
#
# The check draws a network of its own, with 5 inputs, 7 hidden units and 3 outputs, so that nothing fits by luck.

# %% name="your-cotangents" tags=["exercise"]
from solutions.two_layer_network import two_layer_cotangents

# %% name="check-cotangents" tags=["check"]
course.check(two_layer_cotangents)

# %% [markdown] name="derive-the-seven"
# <details><summary>After you solved it: the seven, derived</summary>
#
# 1. `loss = 0.5 * sum((z2 - target)**2)`. Each `z2[i]` stands in one term, whose derivative is `z2[i] - target[i]`: the 2 meets
#    the 0.5. Forward kept just that difference as `error`. So `z2_bar = loss_bar * error`.
# 2. `z2[i] = sum_j w2[i, j] * a1[j] + b2[i]`. The weight `w2[i, j]` stands in one line, number `i`, beside `a1[j]`: so
#    `w2_bar[i, j] = z2_bar[i] * a1[j]`, the outer product. The bias `b2[i]` stands in the same line, beside nothing:
#    `b2_bar = z2_bar`.
# 3. `a1[j]` stands in every line `i`, beside `w2[i, j]`: used many times, add. `a1_bar[j] = sum_i w2[i, j] * z2_bar[i]`. The sum
#    runs over the first index of `w2`, down a column, and that is the product with the transpose: `w2.T @ z2_bar`.
# 4. Where `z1[i] > 0`, relu has slope 1 and passes on what comes; elsewhere slope 0, and nothing comes through:
#    `z1_bar = a1_bar * (z1 > 0)`.
# 5. `z1 = w1 @ x + b1` is step 2 with other names: `w1_bar = jnp.outer(z1_bar, x)` and `b1_bar = z1_bar`. Step 3 has no
#    counterpart here, since nobody asked for `x_bar`.
#
# Count the multiplications, for 3 inputs, 4 hidden units and 1 output. Forward: 12 for `w1 @ x` and 4 for `w2 @ a1`. Backward: 4
# for `w2_bar`, 4 for `a1_bar`, 12 for `w1_bar`. That is 20 against 16, for 21 slopes at once.
#
# </details>

# %% [markdown] name="what-was-saved"
# ## What was saved, and why not more
#
# Backward could compute `z1` and `a1` again from the parameters. Keeping them is cheaper in time, and costs memory until backward
# has run. For a network of more ordinary size, and one example:

# %% name="count-the-bytes"
shapes = TwoLayer(*(jax.ShapeDtypeStruct(shape, jnp.float32) for shape in ((512, 784), (512,), (10, 512), (10,))))
data = (jax.ShapeDtypeStruct((784,), jnp.float32), jax.ShapeDtypeStruct((10,), jnp.float32))
_, kept = jax.eval_shape(two_layer_loss_fwd, shapes, *data)  # the shapes alone: nothing is computed
print(f"{'all parameters':22}{4 * sum(array.size for array in shapes):9,} bytes")
for name, array in kept._asdict().items():
    new = "" if name in ("z1", "a1", "error") else "   exists anyway: not one byte more"
    print(f"{'kept: ' + name:22}{4 * array.size:9,} bytes{new}")

# %% [markdown] name="ask-q1"
# {question two_layer_network.q1}

# %% name="answer-q1" tags=["question"]
course.answer("two_layer_network.q1", ...)

# %% [markdown] name="one-too-many"
# <details><summary>To think about: one of the five could still go. Which?</summary>
#
# `z1`. Backward asks only where it was positive, and `a1 > 0` says the same: relu gives something positive exactly where something
# positive went in. The lesson keeps both because `z1 > 0` is what the derivation says.
#
# </details>

# %% [markdown] name="see-it"
# ## Look at it
#
# Forward, values are computed from left to right; backward, cotangents from right to left. A line stands for one weight. Above, it is
# as thick as the weight is large; below, as thick as the weight's cotangent: the thick lines there are the weights worth moving.


# %% name="draw-both-ways"
def draw(axes, title, labels, tables, colour, arrow):
    """Draws units as text, and the tables of numbers between two columns of units as arrows."""
    heights = [np.linspace(1, -1, len(column)) if len(column) > 1 else [0] for column in labels]
    for column, texts in enumerate(labels):
        for i, text in enumerate(texts):
            axes.text(column, heights[column][i], text, ha="center", va="center", fontsize=9)
    for column, table in enumerate(tables):
        for i, j in np.ndindex(table.shape):
            width = 4 * abs(table[i, j]) / np.max(np.abs(table))
            ends = (column + 0.78, heights[column + 1][i]), (column + 0.22, heights[column][j])
            if width:
                axes.annotate("", *ends, arrowprops={"arrowstyle": arrow, "color": colour, "lw": width, "alpha": 0.6})
    axes.set(xlim=(-0.3, 3.3), ylim=(-1.2, 1.2), title=title)
    axes.axis("off")


with plots.style():
    figure, (above, below) = plt.subplots(2, 1, figsize=(9, 7), layout="constrained")
    hidden = [f"z1 = {z1[i]:.3f}\na1 = {a1[i]:.3f}" for i in range(4)]
    columns = [[f"x = {value:.0f}" for value in x], hidden, [f"z2 = {z2[0]:.3f}"], [f"loss = {loss:.3f}"]]
    draw(above, "forward: values", columns, [params.w1, params.w2, np.ones((1, 1))], plots.HAND, "-|>")
    hidden = [f"z1_bar = {seven.z1[i]:.3f}\na1_bar = {seven.a1[i]:.3f}" for i in range(4)]
    columns = [["x, data"] * 3, hidden, [f"z2_bar = {seven.z2[0]:.3f}"], ["loss_bar = 1"]]
    draw(below, "backward: cotangents", columns, [seven.w1, seven.w2, np.ones((1, 1))], plots.JAX, "<|-")
    plt.show()

# %% [markdown] name="the-dead-unit"
# Unit 4, the lowest, has lines in and out above, and none below. Compare its `a1_bar` with its `z1_bar`. And here is the first layer
# as numbers:


# %% name="draw-w1"
def heat(axes, table, title):
    """Draws a matrix as a heat map with its numbers, zero in the middle of the colours."""
    most = np.max(np.abs(table))
    axes.imshow(table, cmap="PuOr", vmin=-2 * most, vmax=2 * most)
    for i, j in np.ndindex(table.shape):
        axes.text(j, i, f"{table[i, j]:.3f}", ha="center", va="center", color="black", fontsize=9)
    axes.set_xticks(range(3), [f"x[{j}]" for j in range(3)])
    axes.set_yticks(range(4), [f"unit {i + 1}" for i in range(4)])
    axes.set_title(title)
    axes.grid(visible=False)


with plots.style():
    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.2), layout="constrained")
    heat(left, params.w1, "w1")
    heat(right, seven.w1, "w1_bar")
    plt.show()

# %% [markdown] name="ask-q2"
# {question two_layer_network.q2}

# %% name="answer-q2" tags=["question"]
course.answer("two_layer_network.q2", ...)

# %% [markdown] name="the-pair"
# ## The pair
#
# A backward pass in this course has a fixed form, so that JAX can use it as if it were its own: it takes the residuals and the
# cotangent of the output, and returns **a tuple with one cotangent for each argument of forward**, in their order. The arguments
# were `params, x, target`. The cotangent of `params` is again a `TwoLayer`. The example and its target are data, which nobody wants
# to move: `None` stands in their places.
#
# You have all the numbers. Return them in this form.

# %% name="your-pair" tags=["exercise"]
from solutions.two_layer_network import two_layer_loss_bwd

# %% name="check-pair" tags=["check"]
course.check(two_layer_loss_bwd)

# %% [markdown] name="derive-the-pair"
# <details><summary>After you solved it: why a tuple, and why by name</summary>
#
# `two_layer_loss_fwd` and your function together are what `jax.custom_vjp` asks for: `course.as_jax(two_layer_loss_fwd,
# two_layer_loss_bwd)` is a function that `jax.grad` differentiates by calling you. `TwoLayer(w1=..., b1=..., w2=..., b2=...)` by
# name is safer than by place: backward meets `w2` before `w1`, and two matrices of the same shape would be exchanged without a
# word.
#
# </details>

# %% [markdown] name="ask-q3"
# One more thing that a pair must do. The box said that `loss_bar` need not be 1:
#
# {question two_layer_network.q3}

# %% name="answer-q3" tags=["question"]
course.answer("two_layer_network.q3", ...)

# %% [markdown] name="train"
# ## Train on it
#
# A step of gradient descent takes every parameter a little against its slope: `p - 0.01 * p_bar`. The published example takes five
# steps. So do we, once on JAX's gradient and once on yours, as soon as that is right.


# %% name="five-steps"
def train(loss_and_gradient, steps, learning_rate=0.01):
    """The loss and the parameters before every step."""
    now, losses, on_the_way = params, [], []
    for _ in range(steps):
        loss, now_bar = loss_and_gradient(now)
        losses.append(float(loss))
        on_the_way.append(now)
        now = jax.tree.map(lambda p, p_bar: p - learning_rate * p_bar, now, now_bar)
    return losses, on_the_way


def your_gradient(params):
    """The loss and its gradient by the pair."""
    loss, residuals = two_layer_loss_fwd(params, x, target)
    params_bar, _, _ = two_layer_loss_bwd(residuals, jnp.ones(()))
    return loss, params_bar


jax_gradient = jax.jit(jax.value_and_grad(lambda params: two_layer_loss(params, x, target)))

by_autodiff, _ = train(jax_gradient, 5)
by_hand = train(your_gradient, 5)[0] if course.solved(two_layer_loss_bwd) else [np.nan] * 5
article = [0.480275, 0.453089, np.nan, np.nan, 0.387844]  # as printed there; the two between are not quoted

print("step   by hand    by autodiff   printed in the article")
for i in range(5):
    row = f"{i + 1:4}   {by_hand[i]:8.6f}   {by_autodiff[i]:8.6f}      {article[i]:8.6f}"
    print(row.replace("     nan", "   -    "))

# %% name="draw-the-losses"
with plots.style():
    figure, axes = plt.subplots(figsize=(7, 3.4), layout="constrained")
    steps = range(1, 6)
    axes.plot(steps, by_autodiff, color=plots.JAX, linewidth=5, label="by autodiff")
    axes.plot(steps, by_hand, color=plots.HAND, linewidth=1.6, dashes=(6, 2.5), label="by hand, once yours is right")
    axes.plot(steps, article, "x", color=plots.COLOURS[3], markersize=9, mew=2, label="printed in the article")
    axes.set(title="loss of the published example", xlabel="step", xticks=steps, ylim=(0.35, 0.56))
    axes.legend()
    plt.show()

# %% [markdown] name="printed-is-not-measured"
# Run as it stands, the example gives 0.531406, 0.509566, 0.493181, 0.478455, 0.464231. The article that it comes from prints
# 0.480275, 0.453089, ..., 0.387844. Even the first differs, and that is the loss *before* any step: no gradient and no learning rate
# can explain it. So the printed numbers belong to other weights, another example or another loss, and nobody can tell which.
#
# **A printed number is not a measurement.** That is why this course computes its numbers in front of you.
#
# ### What the units do if we go on
#
# Five steps are few. Here are 120, and the `z1` of the four hidden units on the way.

# %% name="go-on"
losses, on_the_way = train(jax_gradient, 120)
paths = np.array([two_layer_loss_fwd(network, x, target)[1].z1 for network in on_the_way])

with plots.style():
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.4), layout="constrained")
    left.plot(range(1, 121), losses, color=plots.JAX)
    left.set(title="loss", xlabel="step", ylim=(0, None))
    for unit in range(4):
        right.plot(range(1, 121), paths[:, unit], label=f"unit {unit + 1}")
    right.axhline(0, color=plots.INK, linewidth=1)
    right.set(title="z1", xlabel="step", ylim=(-0.25, 0.45))
    right.legend()
    plt.show()

alive = [f"unit {unit + 1}" for unit in range(4) if paths[-1, unit] > 0]
print(f"loss {losses[0]:.3f} -> {losses[-1]:.3f}; alive at the end: {', '.join(alive)}")

# %% [markdown] name="units-die"
# The loss falls nicely, and two more units die on the way. Their weights in `w2` are negative, so the loss falls when they say less;
# and once a `z1` has crossed zero, its row gets zeros for ever. What is left is a network of one unit. With a single example nothing
# can wake the others. With many, a unit is lost only if it is dead for all of them.
#
# ## The batch: columns become rows
#
# Real training takes many examples at once. They are stacked as the **rows** of one matrix, and with that the layout turns round.
# This is the only place in the course where it does; from here on everything is rows.
#
# | | one example, a column | a batch, rows |
# |---|---|---|
# | `x` | `(d_in,)` | `(batch, d_in)` |
# | `w1` | `(hidden, d_in)` | `(d_in, hidden)` |
# | `z1` | `w1 @ x + b1` | `x @ w1 + b1` |
# | `w2` | `(d_out, hidden)` | `(hidden, d_out)` |
# | `z2` | `w2 @ a1 + b2` | `a1 @ w2 + b2` |
# | `loss` | `0.5 * sum(error**2)` | `0.5 * sum(error**2) / batch` |
#
# Each weight matrix is the transpose of its namesake, and the loss is the mean over the rows. Here is our network with two
# examples:

# %% name="make-a-batch"
network = BatchNetwork(params.w1.T, params.b1, params.w2.T, params.b2)
rows = jnp.array([[1.0, 2.0, 3.0], [2.0, 1.0, -1.0]])
targets = jnp.array([[1.0], [0.5]])

one, other = two_layer_loss(params, rows[0], targets[0]), two_layer_loss(params, rows[1], targets[1])
print(f"one by one: {one:.6f} and {other:.6f}, on average {(one + other) / 2:.6f}")
print(f"batch_loss: {batch_loss(network, rows, targets):.6f}")

# %% [markdown] name="what-a-batch-is"
# Since the loss is a mean of two losses, its gradient is the mean of two gradients: each example says where it wants the weights,
# and the batch does what they want on average.

# %% name="draw-the-batch"
one = jax.grad(two_layer_loss)(params, rows[0], targets[0])
other = jax.grad(two_layer_loss)(params, rows[1], targets[1])
both = jax.grad(batch_loss)(network, rows, targets)
print("the mean of the two is that of the batch:", bool(jnp.allclose((one.w1 + other.w1) / 2, both.w1.T)))

with plots.style():
    figure, panels = plt.subplots(1, 3, figsize=(11, 3.2), layout="constrained")
    heat(panels[0], one.w1, "w1_bar of example 1")
    heat(panels[1], other.w1, "w1_bar of example 2")
    heat(panels[2], both.w1.T, "of the batch (transposed): their mean")
    plt.show()

# %% [markdown] name="unit-4-wakes"
# Unit 4 is dead for the first example; the second wakes it.
#
# But you don't want a pass for every example and a mean at the end. You want one pass over the whole batch. Two more neighbours show
# how.
#
# **A scale for every column** (yours is a bias, and a matrix). In `y[n, j] = v[n, j] * scale[j]` the same `scale[j]` is used by every
# row `n`. Used many times, add: `scale_bar[j]` is the sum over the rows: *broadcast forward, sum backward*.
#
# **A weighted sum of two losses** (yours is a mean). In `total = 0.2 * first + 0.8 * second` the cotangents are
# `first_bar = 0.2 * total_bar` and `second_bar = 0.8 * total_bar`. Which weights does a mean have?

# %% name="check-scale"
v, scale = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), np.array([7.0, 8.0])
y_bar = np.array([[1.0, 0.0], [10.0, 1.0], [100.0, 10.0]])
print("derived:", np.array([sum(y_bar[n, j] * v[n, j] for n in range(3)) for j in range(2)]))
print("by JAX: ", *by_jax(lambda scale: v * scale, y_bar, scale))

# %% [markdown] name="your-batch-turn"
# ### Your turn (hard): the whole pass for a batch
#
# Forward is given again, as `batch_loss_fwd`. This is what it keeps, for our two examples:

# %% name="what-batch-forward-keeps"
_, kept = batch_loss_fwd(network, rows, targets)
print({name: array.shape for name, array in kept._asdict().items()})

# %% [markdown] name="only-the-questions"
# Only the questions are left this time. Write down the shape of each line first; where two shapes could be multiplied in two ways,
# ask which index must be summed over. Return a tuple, as before, now with a `BatchNetwork` in the first place.

# %% name="your-batch" tags=["exercise"]
from solutions.two_layer_network import batch_loss_bwd

# %% name="check-batch" tags=["check"]
course.check(batch_loss_bwd)

# %% [markdown] name="derive-the-batch"
# <details><summary>After you solved it: the batch, derived</summary>
#
# Write `n` for the row. `loss = (1 / batch) * sum_n 0.5 * sum_i error[n, i]**2`.
#
# 1. Every `z2[n, i]` stands in one term, now with `1 / batch` in front: `z2_bar = loss_bar * error / len(x)`. The mean is dealt with
#    here, once. Whoever divides again below divides twice.
# 2. `z2[n, i] = sum_j a1[n, j] * w2[j, i] + b2[i]`. The weight `w2[j, i]` stands in line `i` of *every row*, beside `a1[n, j]`:
#    `w2_bar[j, i] = sum_n a1[n, j] * z2_bar[n, i]`. The sum over rows is inside the matrix product `a1.T @ z2_bar`: it is the sum of
#    the outer products of all rows. The bias has the same sum in the open: `b2_bar = z2_bar.sum(axis=0)`.
# 3. `a1[n, j]` is met by `w2[j, i]` for every `i`: `sum_i z2_bar[n, i] * w2[j, i]`, which is `z2_bar @ w2.T`. No sum over rows: every
#    row has its own `a1`. Then the relu, as before.
# 4. The first layer is step 2 with other names: `x.T @ z1_bar` and `z1_bar.sum(axis=0)`.
#
# For the column you had `jnp.outer(z2_bar, a1)`, of shape `(d_out, hidden)`. Transposed and summed over rows it is step 2.
#
# </details>

# %% [markdown] name="the-usual-way"
# ## The same in the usual way
#
# From now on you know what the two usual tools do inside. In JAX, with Optax for the update:

# %% name="with-optax"
optimizer = optax.sgd(learning_rate=0.01)
now, state = params, optimizer.init(params)
for number in range(1, 6):
    loss_now, now_bar = jax.value_and_grad(two_layer_loss)(now, x, target)
    updates, state = optimizer.update(now_bar, state)
    now = optax.apply_updates(now, updates)
    print(f"step {number}: loss {loss_now:.6f}")

# %% [markdown] name="the-listing"
# The same losses as by hand. And this is how "the same" network is usually written in PyTorch (to read, not to run;
# `MSELoss` is the mean of the squared errors):
#
# ```text
# model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))
# loss_function = nn.MSELoss()
# optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
#
# x = torch.tensor([[1.0, 2.0, 3.0]])
# target = torch.tensor([[1.0]])
#
# for step in range(5):
#     optimizer.zero_grad()
#     loss = loss_function(model(x), target)
#     loss.backward()
#     optimizer.step()
#     print(f"step {step + 1}: loss {loss.item():.6f}")
# ```
#
# It trains just as well. But its numbers are not those of the published example, and would not be on any day.
#
# {question two_layer_network.q4}

# %% name="answer-q4" tags=["question"]
course.answer("two_layer_network.q4", ...)

# %% [markdown] name="ask-q5"
# And one line of the listing has no counterpart in the JAX loop above it:
#
# {question two_layer_network.q5}

# %% name="answer-q5" tags=["question"]
course.answer("two_layer_network.q5", ...)

# %% [markdown] name="without-it"
# What would happen without that line? The loop below never clears: it steps along the sum of all gradients so far.

# %% name="never-cleared"
now, total, swinging = params, jax.tree.map(jnp.zeros_like, params), []
for _ in range(120):
    loss_now, now_bar = jax_gradient(now)
    swinging.append(float(loss_now))
    total = jax.tree.map(jnp.add, total, now_bar)
    now = jax.tree.map(lambda p, total_bar: p - 0.01 * total_bar, now, total)

with plots.style():
    figure, axes = plt.subplots(figsize=(7, 3.2), layout="constrained")
    axes.plot(range(1, 121), losses, color=plots.JAX, label="a new gradient at each step")
    axes.plot(range(1, 121), swinging, color=plots.COLOURS[3], label="never cleared")
    axes.set(title="loss", xlabel="step", ylim=(0, None))
    axes.legend()
    plt.show()

# %% [markdown] name="it-swings"
# It goes faster at first, shoots past the target, and swings like a pendulum without friction. (With some friction, this is called
# momentum.) PyTorch adds for a good reason, and you know it: *used twice, add*. A weight that is used in two places gets two
# contributions, and somebody has to say when a new sum begins.

# %% [markdown] name="in-your-own-words"
# ## In your own words
#
# {question two_layer_network.text}

# %% name="answer-text" tags=["question"]
course.answer("two_layer_network.text", ...)

# %% [markdown] name="name-the-mistake"
# ## Which mistake is this?
#
# Somebody else wrote the seven lines, or those for a batch. Backward goes from the loss to the input, so look for the first cotangent on
# that way that is wrong: what comes after it is wrong because of it.

# %% [markdown] name="ask-q6"
# {question two_layer_network.q6}

# %% name="somebody-elses" tags=["shown"]
course.show_mistake("two_layer_network.q6", draw=0)

# %% name="answer-q6" tags=["question"]
course.answer("two_layer_network.q6", ...)

# %% [markdown] name="what-you-have"
# ## What you have now
#
# - A network's backward pass is one line for each value, from the loss to the input; each needs the lines above it and what forward kept.
# - The cotangent of a value has the value's shape. `loss_bar` is multiplied in, once, at the beginning.
# - A pair returns a tuple: one cotangent for each argument, `None` for data.
# - A batch is rows, and the sum over them is inside the products; the mean is dealt with once.
# - A unit whose `z1` is negative for every example gets nothing back, and stays as it is.
#
# ## Sources
#
# - D. E. Rumelhart, G. E. Hinton, R. J. Williams, "Learning representations by back-propagating errors", Nature 323, 1986,
#   doi:10.1038/323533a0: the backward pass of a layered network.
# - JAX documentation, "Custom derivative rules for Python code": the form of the pair, residuals, and the names of cotangents.
# - PyTorch documentation, `torch.nn.Linear`, `torch.nn.MSELoss`, `torch.optim.Optimizer.zero_grad`: what the listing does.
# - The published example is a tutorial's two-layer network in NumPy. Its set-up is run above as it stands there, and its printed
#   losses are quoted as they are printed.
#
# Next: `parameter_trees`, where all parameters become one tree, and a training run one loop. After that you write both halves of
# each pair, and choose yourself what to save.
