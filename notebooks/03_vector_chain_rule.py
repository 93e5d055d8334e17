# %% [markdown] name="title"
# # From numbers to arrays: a row times a Jacobian
#
# **A layer takes a thousand numbers and gives a thousand. What is its slope?**
#
# In `chain_rule` every operation had one slope, or one for each of its two arguments. A layer has one for every pair of an output
# and an input: a million, in a table. You will look at such tables as pictures, see that backward needs only a row of numbers times
# the table, and that nobody makes the table to get it. Then you write seven backward passes on arrays, most of them in one line.

# %% name="imports"
import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np

from course.comparison.counting import count
from course.show import plots

jax.config.update("jax_enable_x64", True)  # 16 digits instead of 7: small nudges show
np.set_printoptions(precision=4, suppress=True)

# %% [markdown] name="a-table"
# ## A table of slopes
#
# Here is a function from three numbers to two:
#
#     y[0] = x[0] * x[1]
#     y[1] = x[1] + x[2]**2
#
# Nudge one number of `x`, and both numbers of `y` may move. So there are 3 times 2 slopes. They are written as a table, with **a row
# for each output and a column for each input**. Each nudge gives one column:

# %% name="nudge-columns"
step = 1e-6


def two_of_three(x):
    return jnp.stack([x[0] * x[1], x[1] + x[2] ** 2])


def table_of_slopes(f, x):
    """The slopes of every output by every input, by nudging the inputs one after another."""
    columns = [(f(x.at[j].add(step)) - f(x)) / step for j in range(len(x))]
    return jnp.stack(columns, axis=1)


x = jnp.array([3.0, 2.0, 1.0])
print("y =", two_of_three(x))
print("\nslopes, by nudging")
print(np.array(table_of_slopes(two_of_three, x)))
print("\nslopes, by JAX")
print(np.array(jax.jacobian(two_of_three)(x)))

# %% [markdown] name="the-jacobian"
# This table is called the **Jacobian** of the function at `x`. Read it: `y[0]` moves twice as fast as `x[0]`, three times as fast as
# `x[1]`, and does not care about `x[2]`, so there is a 0.
#
# ## What backward does with it
#
# Something comes after `y`, and in the end there is a loss. As before, what comes back is `y_bar`: how fast the loss moves with each
# number of `y`. Say that `y_bar = (10, 1)`: the loss moves 10 times as fast as `y[0]`, and as fast as `y[1]`.
#
# How fast does it move with `x[1]`? There are two paths. Along `y[0]` the slopes are 3 and 10, along `y[1]` they are 1 and 1. *Along
# a path, multiply. Used twice, add*: 3 * 10 + 1 * 1 = 31. The 3 and the 1 are a column of the table. So for every `j`:
#
# $$\mathtt{x\_bar}[j] = \sum_i \mathtt{y\_bar}[i] \cdot \mathtt{J}[i, j]$$
#
# Multiply by a column and add, for every column: that is **a row times a matrix**. It is called a *vector-Jacobian product*, or VJP.

# %% name="row-times-table"
J = jax.jacobian(two_of_three)(x)
y_bar = jnp.array([10.0, 1.0])
print("by paths:       ", [float(sum(y_bar[i] * J[i, j] for i in range(2))) for j in range(3)])
print("row times table:", y_bar @ J)

y, pullback = jax.vjp(two_of_three, x)
print("jax.vjp:        ", pullback(y_bar)[0])

# %% [markdown] name="look-at-six"
# The last line is how you have asked JAX all along. (What `chain_rule` called `backward` is `pullback` from here on, as in JAX's own
# texts.) Now you know what it answers: the row `y_bar` times the Jacobian.
#
# ## Six Jacobians
#
# Six functions of six numbers. Each little square is one slope: blue is positive, orange negative, strong is large, and empty is
# zero. Rows are outputs, columns are inputs.


# %% name="draw-six"
def picture(axes, table, title):
    """Draws a table: blue where it is positive, orange where negative, empty where zero."""
    table = np.atleast_2d(table)
    most = np.max(np.abs(table))
    for i, j in np.ndindex(table.shape):
        share = abs(table[i, j]) / most
        colour = plots.HAND if table[i, j] > 0 else plots.JAX
        face = (colour, 0.2 + 0.8 * share) if share > 1e-9 else "none"
        axes.add_patch(plt.Rectangle((j, i), 1, 1, facecolor=face, edgecolor=plots.INK, linewidth=0.5))
    rows, columns = table.shape
    axes.set(xlim=(-0.1, columns + 0.1), ylim=(rows + 0.1, -0.1), aspect="equal", title=title)
    axes.axis("off")


picked = jnp.array([4, 1, 1, 0, 4, 2])
six = {
    "x**2": lambda x: x**2,
    "x[::-1], turned over": lambda x: x[::-1],
    "x[picked]": lambda x: x[picked],
    "cumsum: sums so far": jnp.cumsum,
    "softmax": jax.nn.softmax,
    "x.sum()": lambda x: x.sum(),
}
x = jnp.array([0.5, -1.0, 1.5, 0.2, -0.4, 1.0])
with plots.style():
    figure, panels = plt.subplots(2, 3, figsize=(9, 6.2), layout="constrained")
    for axes, (name, f) in zip(panels.flat, six.items(), strict=True):
        picture(axes, jax.jacobian(f)(x), name)
    plt.show()

# %% [markdown] name="read-six"
# - `x**2` works on each number by itself: a **diagonal**. A row times a diagonal is a product entry by entry, so six numbers would do
#   in the place of 36.
# - `x[::-1]` moves numbers about: one 1 in every row and column, and nothing else.
# - `x[picked]`, with `picked = 4, 1, 1, 0, 4, 2`, copies: **one 1 in every row**. Columns may hold two, for what was picked twice, or
#   none: nobody picked numbers 3 and 5.
# - `cumsum` adds up all that came before, a triangle.
# - `softmax` (it makes shares of its numbers, that add up to 1) is **dense**: every output depends on every input. If one share
#   grows, the others shrink: blue diagonal, orange elsewhere.
# - `x.sum()` has one output, so one row, all ones. A loss is like that: its Jacobian is a single row, the gradient.
#
# ## Why nobody makes the table
#
# `x**2` and most others are mostly empty, and one would not store zeros. But softmax is full. Is its table needed at least? Let us
# count both ways for `n` numbers of 4 bytes each: first make the table and multiply, or ask for the product at once. The counter
# goes through the program's operations without running them, so `n` may be as large as you like.


# %% name="count-both"
def by_table(x, y_bar):
    return y_bar @ jax.jacobian(jax.nn.softmax)(x)


def at_once(x, y_bar):
    return jax.vjp(jax.nn.softmax, x)[1](y_bar)[0]


sizes = (10, 100, 1_000, 10_000, 100_000)
counts = {}
for n in sizes:
    numbers = jax.ShapeDtypeStruct((n,), jnp.float32)  # a shape without numbers
    counts[n] = count(by_table, numbers, numbers), count(at_once, numbers, numbers)

print("                    operations           bytes in use at most")
print("      n        by table    at once          by table    at once")
for n, (table, vjp) in counts.items():
    print(f"{n:7,}{table.flops:16,}{vjp.flops:11,}{table.peak_bytes:18,}{vjp.peak_bytes:11,}")

# %% name="draw-both"
with plots.style():
    figure, panels = plt.subplots(1, 2, figsize=(9.5, 3.6), layout="constrained")
    for axes, what, title in zip(panels, ("flops", "peak_bytes"), ("operations", "bytes in use"), strict=True):
        for place, (name, colour) in enumerate((("by table", plots.JAX), ("at once", plots.HAND))):
            axes.loglog(sizes, [getattr(counts[n][place], what) for n in sizes], "o-", color=colour, label=name)
        axes.set(title=title, xlabel="n")
    panels[1].axhline(16e9, color=plots.INK, linestyle="--", linewidth=1)
    panels[1].text(sizes[0], 22e9, "a laptop: 16 GB", fontsize=9)
    panels[0].legend()
    plt.show()

# %% [markdown] name="read-both"
# When `n` grows tenfold, the table costs a hundred times as much, and the product at once ten times. At 100,000 numbers the table
# does not fit into a laptop, and a layer of 100,000 numbers is nothing unusual. How can softmax do without? Its derivation, in a later
# lesson, ends in a few sums and products of rows. So it is with every operation: **a backward pass is a short way to compute the row
# times the Jacobian, without the Jacobian.** To find these short ways is what this course is about.
#
# It also settles the direction. Three operations in a row have the Jacobian $J_3 J_2 J_1$. Starting from the end, there is a row at
# every moment; starting from the front, a table:

# %% name="count-orders"
n = 1_000
row, table = jax.ShapeDtypeStruct((n,), jnp.float32), jax.ShapeDtypeStruct((n, n), jnp.float32)
from_the_end = count(lambda row, J3, J2, J1: ((row @ J3) @ J2) @ J1, row, table, table, table)
from_the_front = count(lambda row, J3, J2, J1: row @ (J3 @ (J2 @ J1)), row, table, table, table)
print(f"from the end:   {from_the_end.flops:15,} operations")
print(f"from the front: {from_the_front.flops:15,} operations")

# %% [markdown] name="ask-q1"
# {question vector_chain_rule.q1}

# %% name="answer-q1" tags=["question"]
course.answer("vector_chain_rule.q1", ...)

# %% [markdown] name="by-indices"
# ## By indices: a row times a matrix
#
# How does one find the short way? Write the operation with indices, and ask for each entry: which outputs did it touch, and what
# stood beside it there? Here is one worked out; the next is yours. A row of two numbers times a matrix, `y = x @ w`:
#
#     y[0] = x[0] * w[0, 0] + x[1] * w[1, 0]
#     y[1] = x[0] * w[0, 1] + x[1] * w[1, 1]               y[j] = sum over i of x[i] * w[i, j]
#     y[2] = x[0] * w[0, 2] + x[1] * w[1, 2]
#
# **`x_bar`.** `x[0]` stands in all three lines, beside the first row of `w`. Used many times, add:
#
#     x_bar[0] = y_bar[0] * w[0, 0] + y_bar[1] * w[0, 1] + y_bar[2] * w[0, 2]
#
# For every `i` that is `x_bar[i] = sum over j of w[i, j] * y_bar[j]`. A sum over the second index of `w`, beside a column: the matrix
# times a column, `w @ y_bar`.
#
# **`w_bar`.** `w[1, 2]` stands in one line, that of `y[2]`, beside `x[1]`. So `w_bar[1, 2] = x[1] * y_bar[2]`, and for every pair
# `w_bar[i, j] = x[i] * y_bar[j]`. There is no sum. The table of all products of two vectors is their **outer product**,
# `jnp.outer(x, y_bar)`.

# %% name="check-row-times-matrix" tags=["worked"]
x, w = jnp.array([2.0, -1.0]), jnp.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
y_bar = jnp.array([1.0, 10.0, 100.0])
_, pullback = jax.vjp(lambda x, w: x @ w, x, w)
x_bar, w_bar = pullback(y_bar)
print("x_bar, derived:", w @ y_bar, "  by JAX:", x_bar)
print("w_bar, derived:")
print(np.array(jnp.outer(x, y_bar)))
print("w_bar, by JAX:")
print(np.array(w_bar))

# %% [markdown] name="matvec-turn"
# ### Your turn: a matrix times a column
#
# Now the column stands on the right, `y = w @ x`, as in the network of `two_layer_network`:
#
#     y[0] = w[0, 0] * x[0] + w[0, 1] * x[1] + ...
#     y[1] = w[1, 0] * x[0] + w[1, 1] * x[1] + ...         y[i] = sum over j of w[i, j] * x[j]
#
# Forward is given; it keeps `w` and `x`. Fill in the two `...`. The matrix turned round, rows for columns, is `w.T`. The line under
# the docstring says the **shapes** of what comes in: `(d_out, d_in)` is a table of `d_out` rows and `d_in` columns, `(d_out,)` a row
# of `d_out` numbers.

# %% name="matvec-given"
from course.lessons.vector_chain_rule import matvec, matvec_fwd

w, x = jnp.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), jnp.array([1.0, 0.0, -1.0])
y, residuals = matvec_fwd(w, x)
_, pullback = jax.vjp(matvec, w, x)
w_bar, x_bar = pullback(jnp.array([1.0, 10.0]))
print("y =", y)
print("\nwhen y_bar is (1, 10), JAX says that w_bar is")
print(np.array(w_bar))
print("and x_bar =", x_bar)

# %% name="your-matvec" tags=["exercise"]
from solutions.vector_chain_rule import matvec_bwd

# %% name="check-matvec" tags=["check"]
course.check(matvec_bwd)

# %% [markdown] name="derive-matvec"
# <details><summary>After you solved it: the derivation, and what was kept</summary>
#
# `w[i, j]` stands in one line, that of `y[i]`, beside `x[j]`. So `w_bar[i, j] = y_bar[i] * x[j]`:
#
#     w_bar = jnp.outer(y_bar, x)
#
# `x[j]` stands in every line, beside `w[i, j]`. Used many times, add: `x_bar[j] = sum over i of w[i, j] * y_bar[i]`. This sum runs
# over the *first* index of `w`, down its columns, so `w` has to be turned round:
#
#     x_bar = w.T @ y_bar
#
# Forward keeps both arguments, since each stands beside the other. Both exist anyway: not one byte more.
# </details>

# %% [markdown] name="two-jacobians"
# Here are the two Jacobians that you did without. By `x` it is simply `w`, and a row times `w` is what you computed. By `w`
# the six entries of `w` are laid out in one line, a column for each, and `x` stands in a staircase. Half of
# this second table is empty; for a `w` of 1,000 rows it would be 999 parts in 1,000.

# %% name="draw-matvec"
by_w, by_x = jax.jacobian(matvec, argnums=(0, 1))(w, jnp.array([1.0, 0.5, -1.0]))
with plots.style():
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 2.2), width_ratios=(1, 2), layout="constrained")
    picture(left, by_x, "w @ x, by x: 2 x 3")
    picture(right, by_w.reshape(2, 6), "w @ x, by w: 2 x 6")
    plt.show()

# %% [markdown] name="copying"
# ## Copy and sum
#
# Add a column of shape `(3, 1)` to a matrix of shape `(3, 2)`. The shapes differ, so JAX first makes copies of the column, one for each
# column of the matrix. This is called **broadcasting**. Written with indices it is a number that is used more than once:
#
#     y[n, j] = x[n, j] + column[n]             for every j
#
# `column[n]` stands in every entry of row `n`. Used many times, add: `column_bar[n]` is the sum of row `n` of `y_bar`.

# %% name="column-added" tags=["worked"]
x, column = jnp.zeros((3, 2)), jnp.array([[5.0], [6.0], [7.0]])
y_bar = jnp.array([[1.0, 2.0], [10.0, 20.0], [100.0, 200.0]])
y, pullback = jax.vjp(jnp.add, x, column)
print("y")
print(np.array(y))
print("\ncolumn_bar, derived")
print(np.array(y_bar.sum(axis=1, keepdims=True)))
print("\ncolumn_bar, by JAX")
print(np.array(pullback(y_bar)[1]))

# %% [markdown] name="axis-and-keepdims"
# `axis=1` says which index the sum takes away: the second, `j`. `keepdims=True` leaves a 1 in its place, so that the shape is
# `(3, 1)`, that of `column`, and not `(3,)`.
#
# > **Broadcast forward, sum backward.** Along whichever axis forward copied, backward sums.
#
# ### Your turn: one row added to all
#
# This time a row of shape `(d,)` is added to every row of a matrix, `y[n, j] = x[n, j] + row[j]`. It is what a bias does in every layer.
# Forward keeps nothing at all: the residuals are `()`.

# %% name="add-row-given"
from course.lessons.vector_chain_rule import add_row, add_row_fwd

x, row = jnp.zeros((3, 2)), jnp.array([5.0, 6.0])
y, residuals = add_row_fwd(x, row)
_, pullback = jax.vjp(add_row, x, row)
x_bar, row_bar = pullback(y_bar)
print("y")
print(np.array(y))
print("\nwith the y_bar of above, JAX says that x_bar is")
print(np.array(x_bar))
print("and row_bar =", row_bar)

# %% name="your-add-row" tags=["exercise"]
from solutions.vector_chain_rule import add_row_bwd

# %% name="check-add-row" tags=["check"]
course.check(add_row_bwd)

# %% [markdown] name="derive-add-row"
# <details><summary>After you solved it: the derivation, and why nothing was kept</summary>
#
# `x[n, j]` touched `y[n, j]` alone, and the slope of a sum is 1. So `x_bar = y_bar`. `row[j]` touched `y[n, j]` for every `n`, each time
# with slope 1: the sum over `n`.
#
#     row_bar = y_bar.sum(axis=0)
#
# No slope depends on `x` or `row`, so nothing has to be remembered. An operation whose slopes do not depend on its input is called
# *linear*. Sums, copies and picks are; products of two arguments and `x**2` are not.
# </details>

# %% [markdown] name="opposites"
# ### Two pictures that are one
#
# Take the copying by itself: from a row of 3 numbers to 2 rows of 3. And beside it the sum: from 2 rows of 3 numbers to one row of 3.
# (The 6 numbers of the two rows are laid out in one line, row after row.)

# %% name="draw-opposites"
three, two_rows = jnp.zeros(3), jnp.zeros((2, 3))
copy_table = jax.jacobian(lambda row: jnp.broadcast_to(row, (2, 3)))(three).reshape(6, 3)
sum_table = jax.jacobian(lambda x: x.sum(axis=0))(two_rows).reshape(3, 6)
with plots.style():
    figure, (left, right) = plt.subplots(1, 2, figsize=(7.5, 3.6), width_ratios=(1, 2), layout="constrained")
    picture(left, copy_table, "copy: 3 in, 6 out")
    picture(right, sum_table, "sum: 6 in, 3 out")
    plt.show()
print("one is the transpose of the other:", bool(jnp.array_equal(copy_table.T, sum_table)))

# %% [markdown] name="why-opposites"
# Turn one picture on its side, and you have the other: each is the **transpose** of the other. That explains the saying. Backward
# multiplies by the Jacobian from the other side: `y_bar @ J` is the same as `J.T @ y_bar`. So the backward pass of copying is
# multiplication by the transposed table of copying; and that is the table of summing. Copy and sum are *opposites*: each is the
# backward pass of the other.
#
# ### Your turn: the other way round
#
# Then what is the backward pass of a sum? Here each row is added up, and `keepdims=True` leaves the sums in a column:
#
#     y[n, 0] = sum over j of x[n, j]
#
# Forward keeps `x`, though only its shape is of any use.

# %% name="row-sums-given"
from course.lessons.vector_chain_rule import row_sums, row_sums_fwd

y, residuals = row_sums_fwd(jnp.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]))
_, pullback = jax.vjp(row_sums, residuals)
print("y")
print(np.array(y))
print("\nwhen y_bar is a column of 10, 20 and 30, JAX says that x_bar is")
print(np.array(pullback(jnp.array([[10.0], [20.0], [30.0]]))[0]))

# %% [markdown] name="row-sums-turn"
# `jnp.broadcast_to(array, shape)` makes copies on purpose, and `x.shape` is the shape of `x`.

# %% name="your-row-sums" tags=["exercise"]
from solutions.vector_chain_rule import row_sums_bwd

# %% name="check-row-sums" tags=["check"]
course.check(row_sums_bwd)

# %% [markdown] name="derive-row-sums"
# <details><summary>After you solved it: the derivation, and what was kept</summary>
#
# `x[n, j]` touched `y[n, 0]` with slope 1, whatever `j` is. So every column of `x_bar` is `y_bar`.
#
#     x_bar = jnp.broadcast_to(y_bar, x.shape)
#
# `x` was kept for its shape. A pair of your own would keep the number of columns, 8 bytes, and let `x` go as soon as nobody else
# needs it. And a mean? It is a sum divided by the number of columns, so what comes back is divided too.
# </details>

# %% [markdown] name="repeats"
# ## Two ways to write something three times
#
# `jnp.tile(x, 3)` writes the whole of `x` three times, `a b c a b c a b c`. `jnp.repeat(x, 3)` writes each entry three times,
# `a a a b b b c c c`. Both copy, so backward sums. But which nine numbers belong together?

# %% name="draw-repeats"
three = jnp.zeros(3)
with plots.style():
    figure, panels = plt.subplots(1, 3, figsize=(9, 4.2), width_ratios=(1, 1, 3), layout="constrained")
    picture(panels[0], jax.jacobian(lambda x: jnp.tile(x, 3))(three), "tile")
    picture(panels[1], jax.jacobian(lambda x: jnp.repeat(x, 3))(three), "repeat")
    picture(panels[2], jax.jacobian(lambda x: x.reshape(3, 3).sum(axis=1))(jnp.zeros(9)), "sum by threes")
    plt.show()

# %% [markdown] name="tile-worked"
# Down the first column of `tile`: `x[0]` went to places 0, 3 and 6. The picture on the right adds up neighbours, three by three:
# whose transpose is it?
#
# **`tile`, worked out.** `y_bar` has nine numbers. `reshape(3, -1)` cuts them into 3 rows, one for each time that `x` was written; the
# -1 stands for "as many columns as it takes". What came from `x[0]` is now column 0. So the sum goes down the columns, over the first
# index:

# %% name="check-tile" tags=["worked"]
y_bar = jnp.array([1.0, 2.0, 3.0, 10.0, 20.0, 30.0, 100.0, 200.0, 300.0])
print("y_bar, cut into 3 rows")
print(np.array(y_bar.reshape(3, -1)))
print("\nx_bar of tile, derived:", y_bar.reshape(3, -1).sum(axis=0))
_, pullback = jax.vjp(lambda x: jnp.tile(x, 3), three)
print("x_bar of tile, by JAX: ", pullback(y_bar)[0])

# %% [markdown] name="repeat-turn"
# ### Your turn: repeat
#
# `repeat_each` writes every entry `COPIES` times, which is 3. Where do the copies of one entry stand? Cut `y_bar` so that they are
# side by side in one row. What comes next is the same as ever, but for the axis.

# %% name="repeat-given"
from course.lessons.vector_chain_rule import COPIES, repeat_each, repeat_each_fwd

y, residuals = repeat_each_fwd(jnp.array([5.0, 6.0, 7.0]))
_, pullback = jax.vjp(repeat_each, three)
print(f"y, {COPIES} copies of each:", y)
print("x_bar, by JAX, with the y_bar of above:", pullback(y_bar)[0])

# %% name="your-repeat-each" tags=["exercise"]
from solutions.vector_chain_rule import repeat_each_bwd

# %% name="check-repeat-each" tags=["check"]
course.check(repeat_each_bwd)

# %% [markdown] name="derive-repeat-each"
# <details><summary>After you solved it: the derivation</summary>
#
# `x[i]` went to the places `3 * i`, `3 * i + 1` and `3 * i + 2`. Rows of three therefore hold the copies of one entry each:
#
#     by_entry = y_bar.reshape(-1, COPIES)
#
# Forward copied along these rows, and backward sums along them:
#
#     x_bar = by_entry.sum(axis=1)
#
# Its table is `sum by threes` in the picture: the transpose of `repeat`, turned on its side.
# </details>

# %% [markdown] name="whose"
# ### Read one

# %% name="draw-whose"
with plots.style():
    figure, axes = plt.subplots(figsize=(3.6, 3), layout="constrained")
    picture(axes, np.eye(4, 5, k=1) - np.eye(4, 5), "somebody's Jacobian")
    plt.show()

# %% [markdown] name="ask-q2"
# {question vector_chain_rule.q2}

# %% name="answer-q2" tags=["question"]
course.answer("vector_chain_rule.q2", ...)

# %% [markdown] name="picking"
# ## Pick and put back
#
# A language model has a table with a row of numbers for every word, and *picks* the rows of the words that it reads: `table[ids]`, with
# whole numbers `ids`. This is called a **gather**. Its opposite puts rows into a larger array at given places, a **scatter**.
#
# **Scatter, worked out.** Put three numbers into six places, at `places = 4, 0, 3`:
#
#     y = zeros, then y[places[k]] = x[k]
#
# `x[k]` went to one place, `places[k]`, with slope 1. So what comes back to it is what stands there: `x_bar[k] = y_bar[places[k]]`. The
# backward pass of putting is picking.

# %% name="check-scatter" tags=["worked"]
places = jnp.array([4, 0, 3])


def put(x):
    return jnp.zeros(6).at[places].set(x)  # a new array: JAX has no `y[places] = x`


x, y_bar = jnp.array([7.0, 8.0, 9.0]), jnp.array([10.0, 20.0, 30.0, 40.0, 50.0, 60.0])
y, pullback = jax.vjp(put, x)
print("y =", y)
print("x_bar, derived:", y_bar[places])
print("x_bar, by JAX: ", pullback(y_bar)[0])

with plots.style():
    figure, (left, right) = plt.subplots(1, 2, figsize=(6.5, 3.4), width_ratios=(1, 2), layout="constrained")
    picture(left, jax.jacobian(put)(x), "put at 4, 0, 3")
    picture(right, jax.jacobian(lambda y: y[places])(y), "pick from 4, 0, 3")
    plt.show()

# %% [markdown] name="at-set-add"
# Then the backward pass of picking is putting? Nearly. Here every place was used once. When the same row is picked twice, two things
# come back to it, and `.set` would keep only one of them. `.at` can do more than `.set`:

# %% name="set-and-add"
twice = jnp.array([1, 1])
sent = jnp.array([5.0, 7.0])
print("set:", jnp.zeros(3).at[twice].set(sent), "  (JAX does not even promise which of the two is left)")
print("add:", jnp.zeros(3).at[twice].add(sent))

# %% [markdown] name="ask-q3"
# First on paper, as more practice:
#
# {question vector_chain_rule.q3}

# %% name="answer-q3" tags=["question"]
course.answer("vector_chain_rule.q3", ...)

# %% [markdown] name="gather-turn"
# ### Your turn: gather
#
# Forward keeps the table, for its shape, and `ids`. The ids are whole numbers, which can't be nudged: in the answer `None` stands in
# their place.

# %% name="gather-given"
from course.lessons.vector_chain_rule import gather, gather_fwd

table = jnp.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0]])
ids = jnp.array([2, 0, 2])
y, residuals = gather_fwd(table, ids)
_, pullback = jax.vjp(lambda table: gather(table, ids), table)
print("y = rows 2, 0 and 2")
print(np.array(y))
print("\nwhen y_bar is ((1, 2), (10, 20), (100, 200)), JAX says that table_bar is")
print(np.array(pullback(jnp.array([[1.0, 2.0], [10.0, 20.0], [100.0, 200.0]]))[0]))

# %% name="your-gather" tags=["exercise"]
from solutions.vector_chain_rule import gather_bwd

# %% name="check-gather" tags=["check"]
course.check(gather_bwd)

# %% [markdown] name="derive-gather"
# <details><summary>After you solved it: the derivation, and what it saves</summary>
#
# `y[k]` is a copy of row `ids[k]`. A row that nobody picked gets nothing back, so begin with zeros in the table's shape. Then send every
# row of `y_bar` to where its row came from. Used twice, add:
#
#     nothing = jnp.zeros_like(table)
#     table_bar = nothing.at[ids].add(y_bar)
#
# In NumPy, `table_bar[ids] += y_bar` is a famous trap: of repeated `ids` it keeps the last one only. (`np.add.at` adds.)
#
# As a table of slopes a gather is almost empty: one 1 in every row. For 1,000 words out of 50,000, with rows of 512 numbers, it would
# have 512,000 rows and 25,600,000 columns. You added 512,000 numbers in their places instead.
# </details>

# %% [markdown] name="turning"
# ## More practice: a quarter turn
#
# What only moves numbers about has one 1 in every row and column, and its opposite moves them back. `turn` takes two such steps: `x.T`
# makes columns of rows, then `[::-1]` puts the last row first. Together they turn a matrix by a quarter, against the clock.

# %% name="turn-given"
from course.lessons.vector_chain_rule import turn, turn_fwd

x = jnp.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
y, residuals = turn_fwd(x)
print(np.array(x))
print("\nturned")
print(np.array(y))
print("\nwhen y_bar is that same matrix, x_bar is, by JAX,")
print(np.array(jax.vjp(turn, x)[1](y)[0]))

with plots.style():
    figure, (left, right) = plt.subplots(1, 2, figsize=(6.5, 3.2), layout="constrained")
    table = jax.jacobian(turn)(x).reshape(6, 6)
    picture(left, table, "turn")
    picture(right, table.T, "its transpose")
    plt.show()

# %% name="your-turn" tags=["exercise"]
from solutions.vector_chain_rule import turn_bwd

# %% name="check-turn" tags=["check"]
course.check(turn_bwd)

# %% [markdown] name="derive-turn"
# <details><summary>After you solved it: the derivation</summary>
#
# Socks, then shoes; shoes off first. The last step of forward put the last row first, and doing it again undoes it. The first step was a
# transpose, and a transpose undoes a transpose.
#
#     turned_over = y_bar[::-1]
#     x_bar = turned_over.T
#
# Every backward pass has this order. With tables: the transpose of $J_2 J_1$ is $J_1^T J_2^T$.
# </details>

# %% [markdown] name="used-twice"
# ## All at once: copied, summed, used twice
#
# Take from every number the mean of its row. Two lines, and three things happen in them:
#
#     mean = x.sum(axis=1, keepdims=True) / d      a sum: (n, d) -> (n, 1)
#     y    = x - mean                              mean is copied to d columns; x is used twice
#
# Backward, from the last line to the first. What comes straight to `x` is `y_bar`. `mean` stands in `y` with a minus, and was copied
# along its row: `mean_bar` is minus the sum of that row of `y_bar`. Then `mean` passes it on: the opposite of its sum is a copy to each
# of the `d` entries, divided by `d`. Both meet in `x`. Used twice, add.

# %% name="centred" tags=["worked"]
x = jnp.array([[1.0, 2.0, 6.0], [4.0, -1.0, 3.0]])
y_bar = jnp.array([[1.0, 0.0, 0.0], [10.0, 20.0, -60.0]])

straight = y_bar
mean_bar = -y_bar.sum(axis=1, keepdims=True)
by_way_of_the_mean = mean_bar / 3  # of shape (2, 1): the sum below makes the copies
print("derived")
print(np.array(straight + by_way_of_the_mean))
print("\nby JAX")
print(np.array(jax.vjp(lambda x: x - x.mean(axis=1, keepdims=True), x)[1](y_bar)[0]))

# %% [markdown] name="shares-turn"
# ### Your turn: the hard one
#
# Three families buy four things. What share of its money does each spend on what?
#
#     spent = amounts * prices                     prices is copied to every row
#     total = spent.sum(axis=1, keepdims=True)     a sum: (rows, items) -> (rows, 1)
#     y     = spent / total                        total is copied along its row; spent is used twice

# %% name="shares-given"
from course.lessons.vector_chain_rule import shares, shares_fwd

items = ["bread", "milk", "apples", "tea"]
amounts = jnp.array([[4.0, 6.0, 3.0, 1.0], [2.0, 1.0, 8.0, 0.0], [7.0, 9.0, 0.0, 2.0]])
prices = jnp.array([3.0, 1.0, 2.0, 5.0])
y, residuals = shares_fwd(amounts, prices)
with plots.style():
    figure, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.4), width_ratios=(3, 2), layout="constrained")
    before = np.zeros(3)
    for item, colour, part in zip(items, plots.COLOURS, 100 * np.array(y).T, strict=False):
        left.barh(["family 1", "family 2", "family 3"], part, left=before, color=colour, label=item)
        before = before + part
    left.invert_yaxis()
    left.set(title="shares", xlabel="% of what a family spends")
    left.legend(ncols=4, loc="upper center", bbox_to_anchor=(0.5, -0.22), fontsize=8)
    picture(right, jax.jacobian(shares, argnums=1)(amounts, prices)[0], "family 1: shares by prices")
    for k, item in enumerate(items):
        right.text(-0.2, k + 0.5, f"share of {item}", ha="right", va="center", fontsize=8)
        right.text(k + 0.5, 4.2, item, ha="center", va="top", fontsize=8)
    plt.show()

# %% [markdown] name="shares-text"
# On the right, the shares of family 1 by the prices: when bread gets dearer, the share of bread grows, and all the others shrink. That is
# softmax's pattern again, as it must be where shares add up to 1.
#
# A fraction has two slopes, you know them from `chain_rule`: `1 / total` by its top, and `-spent / total**2` by its bottom. Forward keeps
# `amounts`, `prices`, `spent` and `total`. This time no line is given: begin by taking the residuals apart, and end with
# `return amounts_bar, prices_bar`.

# %% name="shares-by-jax"
y_bar = jnp.array([[1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 10.0, 0.0], [0.0, 5.0, 0.0, -5.0]])
_, pullback = jax.vjp(shares, amounts, prices)
amounts_bar, prices_bar = pullback(y_bar)
print("amounts_bar, by JAX")
print(np.array(amounts_bar))
print("prices_bar, by JAX:", prices_bar)

# %% name="your-shares" tags=["exercise"]
from solutions.vector_chain_rule import shares_bwd

# %% name="check-shares" tags=["check"]
course.check(shares_bwd)

# %% [markdown] name="derive-shares"
# <details><summary>After you solved it: the derivation, and what was kept</summary>
#
# The fraction ran last. By its top, entry by entry:
#
#     by_the_top = y_bar / total
#
# By its bottom, with a minus. `total` was copied along its row, so what comes back is summed along the row:
#
#     total_bar = -(y_bar * spent / total**2).sum(axis=1, keepdims=True)
#
# `total` is the sum of a row of `spent`; its opposite is a copy, which the next `+` makes by itself. `spent` was used twice, add:
#
#     spent_bar = by_the_top + total_bar
#
# At last the product. Each factor gets `spent_bar` times the other, and `prices` was copied to every row:
#
#     amounts_bar = spent_bar * prices
#     prices_bar = (spent_bar * amounts).sum(axis=0)
#
# `spent` could have been left out of the residuals: it is `amounts * prices`, one product away. So could `total`. Arrays as large as
# the input are what memory is spent on in training; from `linear_and_activations` on you choose yourself what to keep.
# </details>

# %% [markdown] name="in-your-own-words"
# ## In your own words
#
# {question vector_chain_rule.text}

# %% name="answer-text" tags=["question"]
course.answer("vector_chain_rule.text", ...)

# %% [markdown] name="mistake-text"
# ## Which mistake is this?
#
# Somebody else wrote one of this lesson's backward passes. Look first at which array is wrong, then at how: are its rows alike, is one of
# them missing, is everything off by one factor?

# %% [markdown] name="ask-q4"
# {question vector_chain_rule.q4}

# %% name="mistake" tags=["shown"]
course.show_mistake("vector_chain_rule.q4", draw=0)

# %% name="answer-q4" tags=["question"]
course.answer("vector_chain_rule.q4", ...)

# %% [markdown] name="what-you-have"
# ## What you have now
#
# - The slopes of an array operation make a table, its Jacobian: a row for each output, a column for each input.
# - Backward is `y_bar`, as a row, times this table. Nobody makes the table: each operation has a short way.
# - The short way is found by indices: which outputs did this entry touch, and what stood beside it? Multiply, add.
#
# | forward | backward |
# |---|---|
# | copies (broadcast, repeat, tile) | sums over the copies |
# | sums | copies |
# | picks rows | adds rows where they were picked |
# | puts rows | picks them |
# | transposes, turns over | transposes, turns over |
# | works entry by entry | multiplies entry by entry by the slopes |
# | matrix times column | transposed matrix times column; for the matrix, an outer product |
#
# **Broadcast forward, sum backward. Used twice, add.**

# %% [markdown] name="sources"
# ## Sources
#
# - A. Griewank, A. Walther, *Evaluating Derivatives*, second edition, SIAM, 2008, chapter 3: backward mode as a row times a Jacobian.
#   [doi:10.1137/1.9780898717761](https://doi.org/10.1137/1.9780898717761)
# - The JAX authors, *The Autodiff Cookbook*: how JVPs and VJPs are products with a Jacobian that is never made.
#   [docs.jax.dev](https://docs.jax.dev/en/latest/notebooks/autodiff_cookbook.html)
#
# Next: `two_layer_network`, where these lines make up the backward pass of a whole network.
