# %% [markdown] name="title"
# # Affine layers and activations as pairs
#
# **Your backward pass fits one network. Must you write it all again for the next?**
#
# The pass of `two_layer_network` knew its whole network: two layers, a relu between them, one loss. With nine layers, or with `tanh` in
# the place of `relu`, it is of no use.
#
# But every network is put together from a few kinds of parts. A part needs to know its own inputs and nothing else; all that comes
# after it arrives as one array, `y_bar`. So you write each part once, as a pair of functions, and use it wherever you like. Four
# parts are written here: `relu`, `sigmoid`, `tanh` and `affine`. Until now forward was given. From now on you write both halves,
# and decide yourself what forward keeps.

# %% name="imports"
import math

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import optax

from course.comparison.residuals import residual_bytes, vjp_residual_bytes
from course.lessons.linear_and_activations import (
    TANH_CUBE,
    TANH_SCALE,
    affine,
    gelu,
    gelu_tanh,
    normal_cdf,
    relu,
    sigmoid,
    silu,
    softplus,
    tanh,
)
from course.show import plots

np.set_printoptions(precision=4, suppress=True)

# %% [markdown] name="a-part"
# ## A part, and two in a row
#
# Here is a whole part, `y = exp(x)`. It takes an array of any shape and works on every number by itself. The slope of `exp` at `x`
# is `exp(x)` again: that is `y`, which forward has just computed. So it keeps `y`, and backward has nothing left to do but multiply.


# %% name="exp" tags=["worked"]
def exp_fwd(x):
    y = jnp.exp(x)
    return y, y  # the value, and what backward will need


def exp_bwd(residuals, y_bar):
    y = residuals
    return (y_bar * y,)  # a tuple: one cotangent for each argument


# %% [markdown] name="in-a-row"
# Nothing in it knows what comes before or after. So parts can be put in a row: `exp(exp(x))` runs the same part twice. Forward goes
# from the first to the last; backward goes from the last to the first, and the `x_bar` of one is the `y_bar` of the one before it.

# %% name="exp-twice"
x = jnp.array([0.0, 0.5, 1.0])
middle, kept_first = exp_fwd(x)
y, kept_second = exp_fwd(middle)

y_bar = jnp.array([1.0, 2.0, 3.0])  # from whatever comes next: all different, so that you see which went where
(middle_bar,) = exp_bwd(kept_second, y_bar)
(x_bar,) = exp_bwd(kept_first, middle_bar)

_, pullback = jax.vjp(lambda x: jnp.exp(jnp.exp(x)), x)
print("two parts in a row:", x_bar)
print("jax.vjp of both:   ", pullback(y_bar)[0])

# %% [markdown] name="the-contract"
# All your pairs keep this contract:
#
# - `fwd` takes the arguments and returns `(y, residuals)`. What is in `residuals` is up to you: nobody but your own `bwd` looks in.
# - `bwd` takes `(residuals, y_bar)` and returns a tuple with one cotangent for each argument of `fwd`, in their order, each of its
#   argument's shape. For one argument it is a tuple of one, `(x_bar,)`.
#
# JAX asks the same of those who bring their own derivative (`jax.custom_vjp`), so your parts will run inside any JAX program. At the
# end of this page they do.
#
# ## relu
#
#     relu(x) = x where x > 0, else 0
#
# The course has its value, as `relu`. This is what JAX makes of it:

# %% name="relu-by-jax"
x = jnp.array([-2.0, -0.5, 0.0, 0.5, 2.0])
y_bar = jnp.array([1.0, 2.0, 3.0, 4.0, 5.0])
y, pullback = jax.vjp(relu, x)
for name, array in {"x": x, "y": y, "y_bar": y_bar, "x_bar": pullback(y_bar)[0]}.items():
    print(f"{name:6} {array}")

# %% [markdown] name="the-corner"
# Look at the number in the middle, at `x = 0`. Left of it the slope is 0, right of it 1, and at the corner itself there is none:
# somebody has to choose. You have seen in `two_layer_network` that not everybody chooses alike:

# %% name="slopes-at-the-corner"
h = 0.001
print("relu, jax.nn.relu:      ", jax.grad(relu)(0.0), jax.grad(jax.nn.relu)(0.0))
print("jnp.maximum(x, 0):      ", jax.grad(lambda x: jnp.maximum(x, 0))(0.0))
print("nudged to either side:  ", (relu(h) - relu(-h)) / (2 * h))

# %% [markdown] name="the-convention"
# `jnp.maximum(x, 0)` has the same values as relu, and says a half: at 0 its two arguments are equal, and it gives each of them half
# of what comes back. A nudge to either side agrees with it. Neither is wrong. This course goes with `jax.nn.relu` and PyTorch:
# **relu'(0) = 0**, and the verdict asks about it.
#
# ### Your turn: relu
#
# Begin at the end. Backward will be handed `y_bar`. What else must it know, to say what comes out as `x_bar`? That is what forward
# has to keep, and no more.

# %% name="your-relu" tags=["exercise"]
from solutions.linear_and_activations import relu_bwd, relu_fwd

# %% name="check-relu" tags=["check"]
course.check(relu_fwd, relu_bwd)

# %% [markdown] name="derive-relu"
# <details><summary>After you solved it: the derivation, and what was kept</summary>
#
# Each `x[k]` touches one number of the output, `y[k]`. Nothing is to be added, and `x_bar[k]` is `y_bar[k]` times the slope there.
# The slope is 1 where `x[k] > 0` and 0 elsewhere, at 0 too. So what comes back passes, or it does not:
#
#     x_bar = jnp.where(x > 0, y_bar, 0)
#
# How far from zero `x` was makes no difference: all that backward asks is a yes or no for each entry. That is an array of booleans,
# `x > 0`. `y_bar * (x > 0)` is as good, until a `y_bar` is infinite: then `0 * inf` is NaN where nothing should pass.
# </details>

# %% [markdown] name="relu-kept"
# ### What did you keep?
#
# Whatever forward keeps stays in memory until backward has come by, so it is worth counting. In a network the `x` of a relu is made by
# an affine layer, and nobody else wants it afterwards: keep it, and it costs its full size. Here are 128 rows of 512 numbers, 4 bytes
# each. (The counter leaves out the arguments of the whole, here `x`, `w` and `b`: they exist anyway.)

# %% name="count-relu"
shapes = ((128, 784), (784, 512), (512,))
inputs = [jax.ShapeDtypeStruct(shape, jnp.float32) for shape in shapes]  # no numbers: counting needs the shapes alone
entries = 128 * 512


def kept_by(fwd):
    """Bytes an entry that a part keeps of what an affine layer gave it."""
    return residual_bytes(lambda x, w, b: fwd(affine(x, w, b)), *inputs) / entries


yours = f"{kept_by(relu_fwd):.0f}" if course.solved(relu_fwd, relu_bwd) else "- (run this cell again when it is right)"
print(f"numbers that relu gets: {entries:,}")
print(f"bytes each, if you keep x itself: {kept_by(lambda x: (relu(x), x)):.0f}")
print(f"bytes each, as you wrote it:      {yours}")

# %% [markdown] name="ask-q1"
# {question linear_and_activations.q1}

# %% name="answer-q1" tags=["question"]
course.answer("linear_and_activations.q1", ...)

# %% [markdown] name="sigmoid"
# ## sigmoid
#
# $$y = \mathtt{sigmoid}(x) = \frac{1}{1 + e^{-x}}$$
#
# It squashes any number into the range from 0 to 1. You met its slope in `chain_rule`. Slowly once more, because the next one is yours.
#
# Call the bottom of the fraction $u = 1 + e^{-x}$. Then $y = 1/u$, and there are two links in the chain: the slope of $1/u$ is
# $-1/u^2$, and the slope of $u$ is $-e^{-x}$. Multiply; the two minus signs cancel.
#
# $$\frac{dy}{dx} = \frac{e^{-x}}{(1 + e^{-x})^2}$$
#
# That is an answer. But split it into two factors, and look at each.
#
# $$\frac{dy}{dx} = \frac{1}{1 + e^{-x}} \cdot \frac{e^{-x}}{1 + e^{-x}} = y \cdot (1 - y)$$
#
# The first is $y$. The second is what is missing from $y$ to 1. Are the two forms equally good? Ask far out, too.

# %% name="sigmoid-two-forms" tags=["worked"]
x = jnp.array([-100.0, -4.0, 0.0, 4.0, 100.0])
y = sigmoid(x)
e = jnp.exp(-x)
print("x              ", x)
print("slope by JAX   ", jax.vjp(sigmoid, x)[1](jnp.ones(5))[0])
print("y * (1 - y)    ", y * (1 - y))
print("e / (1 + e)**2 ", e / (1 + e) ** 2)

# %% [markdown] name="sigmoid-turn"
# On paper they are the same. On a machine `exp(100)` is too large for 32 bits, infinity over infinity is NaN (not a number), and any
# sum with a NaN in it is NaN. The form in `y` has no such place. And it needs no `exp`: forward has computed all that it asks for.
#
# ### Your turn: sigmoid
#
# The slope is derived. Make a pair of it. For the value call `sigmoid(x)`.

# %% name="your-sigmoid" tags=["exercise"]
from solutions.linear_and_activations import sigmoid_bwd, sigmoid_fwd

# %% name="check-sigmoid" tags=["check"]
course.check(sigmoid_fwd, sigmoid_bwd)

# %% [markdown] name="derive-sigmoid"
# <details><summary>After you solved it: what was kept</summary>
#
# Each `x[k]` touches `y[k]` alone, so `x_bar = y_bar * y * (1 - y)`, entry by entry. Forward kept `y`, 4 bytes an entry. A boolean
# would not do here: the slope is another number at every `x`. But `y` is an array that the next part is given anyway, and if that
# part keeps it too, it is there once.
# </details>

# %% [markdown] name="tanh"
# ## tanh
#
# $$y = \mathtt{tanh}(x) = \frac{e^{x} - e^{-x}}{e^{x} + e^{-x}}$$
#
# It squashes any number into the range from -1 to 1. JAX says about it:

# %% name="tanh-by-jax"
x = jnp.array([-100.0, -1.0, 0.0, 0.5, 1.0, 100.0])
y, pullback = jax.vjp(tanh, x)
print("x    ", x)
print("y    ", y)
print("slope", pullback(jnp.ones(6))[0])

# %% [markdown] name="tanh-turn"
# ### Your turn (hard): tanh
#
# This time the derivation is yours, with pencil and paper. The slope of a fraction $t / u$ is $(t' u - t\, u') / u^2$, where $t'$ and
# $u'$ are the slopes of its top and of its bottom. Then say it **in terms of `y` alone**, as was done for sigmoid. Hold your formula
# against the numbers above before you write the pair.

# %% name="your-tanh" tags=["exercise"]
from solutions.linear_and_activations import tanh_bwd, tanh_fwd

# %% name="check-tanh" tags=["check"]
course.check(tanh_fwd, tanh_bwd)

# %% [markdown] name="derive-tanh"
# <details><summary>After you solved it: two derivations</summary>
#
# **As a fraction.** Call the top $t = e^{x} - e^{-x}$ and the bottom $u = e^{x} + e^{-x}$. The slope of $t$ is $u$, and the slope of
# $u$ is $t$. The rule for a fraction gives
#
# $$\frac{dy}{dx} = \frac{u \cdot u - t \cdot t}{u^2} = 1 - \left(\frac{t}{u}\right)^2 = 1 - y^2$$
#
# **From sigmoid.** Multiply top and bottom by $e^{-x}$, and you see that $y = 2 s - 1$ with $s = \mathtt{sigmoid}(2x)$. The slope of
# $s$ is $2 s (1 - s)$, that of $y$ twice as much, and with $s = (1 + y) / 2$
#
# $$\frac{dy}{dx} = 4 s (1 - s) = (1 + y)(1 - y) = 1 - y^2$$
#
#     x_bar = y_bar * (1 - y**2)
#
# Forward keeps `y` and not `x`: from `x`, backward would have to compute the tanh a second time.
# </details>

# %% [markdown] name="ask-q2"
# Before you look at the picture:
#
# {question linear_and_activations.q2}

# %% name="answer-q2" tags=["question"]
course.answer("linear_and_activations.q2", ...)

# %% [markdown] name="look-at-them"
# ## Look at them
#
# Left the values. Right the slopes: the factor by which each activation multiplies what comes back, and its largest value. (You need
# not read the cells that draw.)

# %% name="draw-activations"
x = jnp.arange(-500, 501) / 100  # 0 is among them
with plots.style():
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.8), layout="constrained")
    for f, colour in zip((relu, sigmoid, tanh), plots.COLOURS[:3], strict=True):
        y, pullback = jax.vjp(f, x)
        slope = pullback(jnp.ones_like(x))[0]
        left.plot(x, y, color=colour, label=f.__name__)
        if f is relu:  # two pieces, with a jump between them
            right.plot(x[x <= 0], slope[x <= 0], color=colour)
            right.plot(x[x > 0], slope[x > 0], color=colour)
            right.plot(0, 1, "o", color=colour, fillstyle="none", markersize=7)
            right.plot(0, 0, "o", color=colour, markersize=7)
        else:
            right.plot(x, slope, color=colour)
            peak = slope.argmax()
            right.plot(x[peak], slope[peak], "o", color=colour, markersize=4)
            text = f"{f.__name__}: {slope[peak]:.2f}"
            right.annotate(text, (x[peak], slope[peak]), (-4.9, slope[peak] + 0.04), color=colour)
            right.plot([-2.4, x[peak]], [slope[peak] + 0.055, slope[peak]], color=colour, linewidth=0.7)
    left.set(title="y", xlabel="x", ylim=(-1.15, 2.2))
    left.legend(loc="upper left")
    right.set(title="slope of y by x, and where it is largest", xlabel="x", ylim=(-0.06, 1.2))
    plt.show()

# %% [markdown] name="what-you-see"
# Three things to see. The slope of sigmoid is never more than a quarter, at 0; that of tanh reaches 1, at the same place. Both die out
# on either side: a unit that is far out passes almost nothing back, and learns almost nothing. And relu passes all or nothing.
#
# In a network these slopes are multiplied, one for each layer. Ten in a row, starting from 0.5:

# %% name="ten-in-a-row"
for f in (relu, sigmoid, tanh):
    y, slope = jnp.array(0.5), jnp.array(1.0)
    for _ in range(10):
        y, pullback = jax.vjp(f, y)
        slope = pullback(slope)[0]
    print(f"{f.__name__:8} {slope:.1e}")
print(f"the most that ten sigmoids can leave: 0.25**10 = {0.25**10:.1e}")

# %% [markdown] name="affine"
# ## affine
#
# The part with the parameters. Every row of `x` is an example; each is multiplied by the same `w`, and gets the same `b`.
#
#     y = x @ w + b          y[n, j] = x[n, 0] * w[0, j] + x[n, 1] * w[1, j] + ... + b[j]
#
# Three arguments, so three cotangents. Small whole numbers, to calculate along:

# %% name="affine-by-jax"
x = jnp.array([[1.0, 2.0], [3.0, -1.0], [5.0, 4.0], [-2.0, 1.0]])  # 4 rows, the batch
w = jnp.array([[1.0, -1.0, 2.0], [3.0, 0.0, -2.0]])  # from 2 numbers to 3
b = jnp.array([10.0, 20.0, 30.0])
y_bar = jnp.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0], [-1.0, -2.0, -3.0]])

y, pullback = jax.vjp(affine, x, w, b)
for name, array in zip(("x_bar", "w_bar", "b_bar"), pullback(y_bar), strict=True):
    print(f"{name} {array.shape}\n{array}\n")

# %% [markdown] name="who-touches-whom"
# ### Which entries touch which?
#
# Add 1 to one entry, and see what changes in `y`. In each row of the picture one entry is nudged, in orange; on the right stands by
# how much `y` moved.


# %% name="draw-touching"
def table(axes, title, numbers, nudged=None, moved=False):
    """Draws a matrix as a table; the nudged entry is orange, entries that moved are blue."""
    numbers = np.atleast_2d(numbers)
    for n, j in np.ndindex(numbers.shape):
        fill, ink, alpha = "none", plots.INK, 1
        if (n, j) == nudged:
            fill, ink = plots.JAX, "black"
        elif moved:
            fill, ink, alpha = (plots.HAND, "white", 1) if numbers[n, j] else ("none", plots.INK, 0.4)
        axes.add_patch(plt.Rectangle((j, n), 1, 1, facecolor=fill, edgecolor=plots.INK, linewidth=0.8))
        axes.text(j + 0.5, n + 0.53, f"{numbers[n, j]:g}", ha="center", va="center", color=ink, alpha=alpha)
    axes.set(xlim=(-0.05, 3.05), ylim=(4.05, -0.05), aspect="equal", title=title)
    axes.axis("off")


with plots.style():
    figure, rows = plt.subplots(3, 4, figsize=(10, 7.4), layout="constrained")
    for panels, (name, place) in zip(rows, (("x", (1, 0)), ("w", (0, 2)), ("b", (0, 1))), strict=True):
        arguments = {"x": x, "w": w, "b": b[None, :]}  # b as a row, to nudge it by the same two indices
        after = {**arguments, name: arguments[name].at[place].add(1)}
        change = affine(after["x"], after["w"], after["b"][0]) - y
        for axes, (title, numbers) in zip(panels, arguments.items(), strict=False):
            table(axes, title, numbers, nudged=place if title == name else None)
        index = f"{place[1]}" if name == "b" else f"{place[0]}, {place[1]}"
        table(panels[3], f"y, after 1 more in {name}[{index}]", change, moved=True)
    plt.show()

# %% [markdown] name="read-the-picture"
# Read the first row. `x[1, 0]` touched the three entries of `y` in its own row, and moved them by 1, -1 and 2. Where else do you find
# these three numbers? In the first row of `w`: they are what stands beside `x[1, 0]` in the sums.
#
# Do the same with the second row, and with the third. You will need both.
#
# ### Worked out: `x_bar`
#
# `x[1, 0]` is used three times, so three contributions come back: *used twice, add*. Each is the `y_bar` of an entry that was
# touched, times what stood beside `x[1, 0]` there.
#
#     x_bar[1, 0] = y_bar[1, 0] * w[0, 0] + y_bar[1, 1] * w[0, 1] + y_bar[1, 2] * w[0, 2]
#
# Write `n` for the 1 and `i` for the 0, and it is true of every entry:
#
# $$\mathtt{x\_bar}[n, i] = \sum_j \; \mathtt{y\_bar}[n, j] \cdot \mathtt{w}[i, j]$$
#
# Is that a product of matrices? In `p @ q` the sum runs over the second index of `p` and the *first* index of `q`. Here it runs over
# the second index of both. So `w` has to be turned round, and then it is one:

# %% name="check-x-bar" tags=["worked"]
print("x_bar[1, 0] by its three terms:", sum(y_bar[1, j] * w[0, j] for j in range(3)))
print("\ny_bar @ w.T")
print(y_bar @ w.T)
print("\nx_bar by JAX")
print(pullback(y_bar)[0])

# %% [markdown] name="broadcasting"
# ### The bias: what does `+ b` do?
#
# `x @ w` has four rows and `b` has shape `(3,)`. You know from `vector_chain_rule` how they are added: JAX first makes four copies of
# `b`, one for each row, so quietly that one forgets it. Written out, this *broadcasting* is an operation of its own:

# %% name="copies"
copies, pullback_of_copying = jax.vjp(lambda b: jnp.broadcast_to(b, (4, 3)), b)
print("forward, from b to its copies:")
print(copies)
print("\nbackward, from the y_bar of the copies to b_bar:")
print(pullback_of_copying(y_bar)[0])

# %% [markdown] name="the-saying"
# Check the last line with the `y_bar` of above: each `b[j]` was used in four rows, four contributions come back to it, and they add.
# *Broadcast forward, sum backward.*
#
# ### Your turn: affine
#
# `x_bar` is worked out above. For `w_bar`, do with `w[i, j]` what was done with `x[n, i]`: the second row of the picture shows which
# entries of `y` it touches, and the numbers that stand there come from somewhere. Then see which matrix must be turned round.

# %% name="your-affine" tags=["exercise"]
from solutions.linear_and_activations import affine_bwd, affine_fwd

# %% name="check-affine" tags=["check"]
course.check(affine_fwd, affine_bwd)

# %% [markdown] name="derive-affine"
# <details><summary>After you solved it: the derivation</summary>
#
# `w[i, j]` touches column `j` of `y`, in every row `n`, and beside it stands `x[n, i]`. In the picture: 1 more in `w[0, 2]` moved the
# last column of `y` by 1, 3, 5, -2, which is the first column of `x`.
#
# $$\mathtt{w\_bar}[i, j] = \sum_n \; \mathtt{x}[n, i] \cdot \mathtt{y\_bar}[n, j]$$
#
# The sum runs over the first index of both. In `p @ q` it runs over the second of `p` and the first of `q`, so this time it is the
# left one that has to be turned: `w_bar = x.T @ y_bar`. The sum over the rows of the batch is inside this product: `w` was used by
# every row, as if it had been copied to each.
#
# `b[j]` touches column `j` in every row too, and beside it stands a 1: `b_bar[j]` is the sum of `y_bar[n, j]` over `n`, in code
# `y_bar.sum(axis=0)`.
#
# The shapes would have led you there, and that is a good way to remember it: `(d_in, d_out)` can be made of `(batch, d_in)` and
# `(batch, d_out)` in one way only. But it is no proof. If `batch`, `d_in` and `d_out` were all 3, then `x @ y_bar`, `y_bar @ x` and
# their transposes would all have the right shape, and be wrong.
# </details>

# %% [markdown] name="what-was-kept"
# ## What was kept, and why not more
#
# `affine` needs `x`, for `w_bar`, and `w`, for `x_bar`. It does not need `b`, nor its own `y`. `w` is a parameter and exists anyway.
# But `x` is what the part before has put out, and must be kept until backward comes. So here is a whole network again, from 784 numbers
# to 512, relu, and from there to 10, and three ways for its relu to know what was positive:

# %% name="count-the-network"
layers = [jax.ShapeDtypeStruct(shape, jnp.float32) for shape in ((128, 784), (784, 512), (512,), (512, 10), (10,))]


def network_keeping(for_relu):
    def fwd(x, w1, b1, w2, b2):
        z1 = affine(x, w1, b1)
        a1 = relu(z1)
        return affine(a1, w2, b2), ((x, w1), for_relu(z1, a1), (a1, w2))

    return residual_bytes(fwd, *layers)


print("relu keeps its x:    ", f"{network_keeping(lambda z1, a1: z1):9,} bytes")
print("relu keeps booleans: ", f"{network_keeping(lambda z1, a1: z1 > 0):9,} bytes")
print("relu keeps its y:    ", f"{network_keeping(lambda z1, a1: a1):9,} bytes")

# %% [markdown] name="sharing"
# The third is the best, though four bytes are more than one. The `y` of relu is the `x` of the next affine layer, which keeps it in any
# case: kept by two, it is there once. And `y > 0` says just what `x > 0` says. What is cheapest depends on the neighbours; a part that
# knows none of them does well with a byte an entry.
#
# The three activations, beside what JAX's own recipes keep of the same functions:

# %% name="count-the-activations"
mine = {
    "relu": (relu, relu_fwd, relu_bwd),
    "sigmoid": (sigmoid, sigmoid_fwd, sigmoid_bwd),
    "tanh": (tanh, tanh_fwd, tanh_bwd),
}
print("bytes an entry   yours   jax.vjp")
for name, (primal, fwd, bwd) in mine.items():
    yours = f"{kept_by(fwd):.0f}" if course.solved(fwd, bwd) else "-"
    theirs = vjp_residual_bytes(lambda x, w, b, primal=primal: primal(affine(x, w, b)), *inputs) / entries
    print(f"{name:14} {yours:>7} {theirs:9.0f}")

# %% [markdown] name="why-jax-keeps-more"
# JAX's recipes are general, and change from version to version. For `relu` it writes down the booleans and, since `where` has a second
# branch, an array of zeros; for `tanh` both `y` and `1 - y`. A compiler later throws away what it can. You knew what was needed.
#
# ## Your parts at work
#
# A small network, from one number to 24 and back to one, should follow a curve. It is made of `affine` and an activation, and nothing
# else; its loss is the mean squared error. If all four parts are right, JAX calls *your* functions on its way back
# (`course.as_jax` makes them a JAX function), and every step of this training goes through lines that you wrote.

# %% name="train-on-your-parts"
pairs = {"affine": (affine, affine_fwd, affine_bwd), **mine}
all_yours = all(course.solved(fwd, bwd) for _, fwd, bwd in pairs.values())
whose = "your own" if all_yours else "JAX's"
parts = {name: course.as_jax(fwd, bwd) if all_yours else primal for name, (primal, fwd, bwd) in pairs.items()}

inputs_1d = jnp.linspace(-3, 3, 61)[:, None]
targets = jnp.sin(2 * inputs_1d) + 0.4 * inputs_1d


def network(params, activation):
    w1, b1, w2, b2 = params
    return parts["affine"](parts[activation](parts["affine"](inputs_1d, w1, b1)), w2, b2)


@jax.jit
def what_they_learn(key):
    """What three networks say after 1500 steps of Adam, one for each activation, from the same start."""
    key_w1, key_b1, key_w2 = jax.random.split(key, 3)
    start = (
        2 * jax.random.normal(key_w1, (1, 24)),
        2 * jax.random.normal(key_b1, (24,)),
        0.2 * jax.random.normal(key_w2, (24, 1)),
        jnp.zeros(1),
    )
    networks, optimizer = dict.fromkeys(mine, start), optax.adam(0.02)

    def loss(networks):  # each has its own term: it is trained as if it were alone
        return sum(jnp.mean((network(params, name) - targets) ** 2) for name, params in networks.items())

    def step(carry, _):
        networks, state = carry
        updates, state = optimizer.update(jax.grad(loss)(networks), state)
        return (optax.apply_updates(networks, updates), state), None

    (networks, _), _ = jax.lax.scan(step, (networks, optimizer.init(networks)), length=1500)
    return {name: network(params, name) for name, params in networks.items()}


learned = what_they_learn(jax.random.key(0))
with plots.style():
    figure, panels = plt.subplots(1, 3, figsize=(12, 3.4), sharey=True, layout="constrained")
    for axes, activation in zip(panels, mine, strict=True):
        axes.plot(inputs_1d, targets, color=plots.JAX, linewidth=5, label="to be followed")
        axes.plot(inputs_1d, learned[activation], color=plots.HAND, linewidth=1.6, label="the network")
        axes.set(title=activation, xlabel="x")
    panels[0].legend(loc="upper left")
    figure.suptitle(f"trained on {whose} backward passes", x=0.01, ha="left")
    plt.show()

# %% [markdown] name="what-it-learned"
# Look closely at the left one: a network of relus is made of straight pieces, with a corner wherever a unit wakes up. The other two are
# smooth.

# %% [markdown] name="smooth-relus"
# ## More practice: relus without a corner
#
# A relu has a corner, and where it is off nothing comes back. Many networks of today have a smooth relative of it in its place:
#
#     softplus(x)  = log(1 + exp(x))
#     silu(x)      = x * sigmoid(x)
#     gelu(x)      = x * normal_cdf(x)          normal_cdf(x) = (1 + erf(x / sqrt(2))) / 2
#     gelu_tanh(x) = x * (1 + tanh(TANH_SCALE * (x + TANH_CUBE * x**3))) / 2
#
# The last three have one form: **`x` times a gate**, which goes from 0 to 1. The gate of silu is sigmoid. That of gelu is the
# probability that a Gaussian number, of mean 0 and variance 1, lies below `x`; for this there is no formula of exponentials, so it has a
# function of its own, `erf`. The last is a stand-in for gelu that does without. Its two constants are `TANH_SCALE`, the root of
# 2 / pi, and `TANH_CUBE = 0.044715`.

# %% name="draw-smooth-relus"
smooth = {"softplus": softplus, "silu": silu, "gelu": gelu, "gelu_tanh": gelu_tanh}
x = jnp.arange(-500, 501) / 100


@jax.jit
def values_and_slopes(x):
    """What each of the four gives, and how steep it is there."""
    return {name: jax.jvp(f, (x,), (jnp.ones_like(x),)) for name, f in smooth.items()}


found = values_and_slopes(x)
with plots.style():
    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(12, 3.8), layout="constrained")
    for (name, curves), colour in zip(found.items(), plots.COLOURS, strict=False):
        over = (
            {"linestyle": (0, (3, 3)), "linewidth": 2}
            if name == "gelu_tanh"
            else {"linewidth": 3 if name == "gelu" else 1.8}
        )
        for axes, curve in zip((left, middle), curves, strict=True):
            axes.plot(x, curve, color=colour, label=name, **over)
    for axes in (left, middle):
        axes.plot(x, relu(x) if axes is left else x > 0, color=plots.INK, linewidth=1, linestyle=":", label="relu")
    for place, (what, colour) in enumerate((("value", plots.HAND), ("slope", plots.JAX))):
        right.plot(x, 1e3 * (found["gelu_tanh"][place] - found["gelu"][place]), color=colour, label=what)
    left.set(title="y", xlabel="x", ylim=(-0.5, 3), xlim=(-4, 3))
    left.legend(loc="upper left")
    middle.set(title="slope of y by x", xlabel="x", ylim=(-0.2, 1.25))
    right.set(title="gelu_tanh less gelu, in thousandths", xlabel="x", ylim=(-1.3, 1.3))
    right.legend(loc="lower right", ncols=2)
    plt.show()

for place, what in enumerate(("value", "slope")):
    apart = jnp.abs(found["gelu_tanh"][place] - found["gelu"][place])
    print(
        f"largest difference of the two gelus, {what}: {apart.max():.1e}, at x = +-{abs(float(x[apart.argmax()])):.2f}"
    )
for name in ("silu", "gelu", "gelu_tanh"):
    slope = found[name][1]
    print(f"steepest slope of {name}: {slope.max():.2f}, at x = {x[slope.argmax()]:.2f}")

# %% [markdown] name="read-the-smooth-relus"
# Far to the right all are `x`, far to the left 0. But silu and gelu dip below 0 on the way, so their slopes are negative there; and
# they are steeper than 1 before they settle. The two gelus can't be told apart on the left: they differ by less than a thousandth.
# But somebody who takes over a trained network and compares its numbers will see it, and libraries don't agree on what `gelu` means.
# PyTorch's is the exact one unless it is told otherwise. And JAX's?

# %% name="which-gelu"
for name, f in (("gelu", gelu), ("gelu_tanh", gelu_tanh)):
    print(f"jax.nn.gelu(x) less {name}: at most {jnp.abs(jax.nn.gelu(x) - f(x)).max():.1e}")

# %% [markdown] name="x-or-y"
# ### May forward keep y once more?
#
# For sigmoid and tanh `y` was enough. It is, wherever a function climbs all the way: then `y` tells which `x` it was. Softplus does.
# Silu does not. On its way down it takes the same values as on its way up:

# %% name="one-y-two-slopes"
falling = jnp.linspace(-8, -1.3, 2001)
other = jnp.interp(silu(-0.5), silu(falling)[::-1], falling[::-1])  # where else silu has the value that it has at -0.5
for place in (jnp.array(-0.5), other):
    value, slope = jax.jvp(silu, (place,), (jnp.ones(()),))
    print(f"x {place:7.4f}   y {value:.4f}   slope {slope:7.4f}")

# %% [markdown] name="softplus-turn"
# One `y`, two slopes: no backward pass can tell them apart. Keep `x` there.
#
# ### Your turn: softplus
#
# A chain of two: a logarithm, and what stands inside it. You will know the result. For the value call `softplus(x)`: the formula
# overflows for a large `x`, and `softplus` does not (`losses` shows how that is done).

# %% name="your-softplus" tags=["exercise"]
from solutions.linear_and_activations import softplus_bwd, softplus_fwd

# %% name="check-softplus" tags=["check"]
course.check(softplus_fwd, softplus_bwd)

# %% [markdown] name="derive-softplus"
# <details><summary>After you solved it: the derivation</summary>
#
# The slope of a logarithm is one over what stands inside, `1 / (1 + exp(x))`, and the slope of the inside is `exp(x)`. Together
#
# $$\frac{e^{x}}{1 + e^{x}} = \frac{1}{1 + e^{-x}} = \mathtt{sigmoid}(x)$$
#
#     x_bar = y_bar * sigmoid(x)
#
# Relu's slope jumps from 0 to 1; this one goes there smoothly. Who keeps `y` is right too: `sigmoid(x)` is `1 - exp(-y)`.
# </details>

# %% [markdown] name="silu-turn"
# ### Your turn: silu
#
# In `chain_rule` you wrote its backward pass for one number, as `swish`. Here it is a pair for arrays, and what to keep is up to you.
# `x` is used twice: beside the gate, and inside it.

# %% name="your-silu" tags=["exercise"]
from solutions.linear_and_activations import silu_bwd, silu_fwd

# %% name="check-silu" tags=["check"]
course.check(silu_fwd, silu_bwd)

# %% [markdown] name="derive-silu"
# <details><summary>After you solved it: the derivation</summary>
#
# `y = x * gate` with `gate = sigmoid(x)`. Beside a gate that is held still, the slope is `gate`. Through the gate, it is `x` times the
# slope of sigmoid, `gate * (1 - gate)`. *Used twice, add*:
#
#     x_bar = y_bar * (gate + x * gate * (1 - gate))
#
# Forward keeps `x`, 4 bytes an entry. To keep the gate too is right, saves an `exp`, and doubles the bytes.
# </details>

# %% [markdown] name="density"
# ### The gate of gelu, and its slope
#
# `normal_cdf(x)` is the share of all Gaussian numbers that lie below `x`. Move `x` up by a little `h`: the share grows by those that lie
# between `x` and `x + h`. That is `h` times how **dense** they lie there, and for a Gaussian this is the well-known bell,
# $e^{-x^2/2} / \sqrt{2\pi}$. So the bell is the slope of the gate. By counting, by formula, by JAX:

# %% name="density-three-ways" tags=["worked"]
drawn = np.random.default_rng(0).standard_normal(4_000_000)
h = 0.05
print("   x   counted   the bell   slope of normal_cdf by JAX")
for x in (-2.0, 0.0, 1.0):
    counted = np.mean((drawn > x - h / 2) & (drawn < x + h / 2)) / h
    print(f"{x:4g} {counted:9.3f} {np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi):10.4f} {jax.grad(normal_cdf)(x):10.4f}")

# %% [markdown] name="gelu-turn"
# ### Your turn: gelu, exact
#
# The same form as silu, with another gate. `normal_cdf` is there for you to call, and `math` for the root of 2 pi.

# %% name="gelus-by-jax"
x = jnp.array([-2.0, -0.5, 0.0, 1.0, 2.0])
print("x                  ", x)
for name, f in (("gelu", gelu), ("gelu_tanh", gelu_tanh)):
    print(f"slope by JAX, {name:9} ", jax.jvp(f, (x,), (jnp.ones(5),))[1], sep="")
print(f"math.sqrt(2 * math.pi) {math.sqrt(2 * math.pi):.6f}   TANH_SCALE {TANH_SCALE:.6f}   TANH_CUBE {TANH_CUBE}")

# %% name="your-gelu" tags=["exercise"]
from solutions.linear_and_activations import gelu_bwd, gelu_fwd

# %% name="check-gelu" tags=["check"]
course.check(gelu_fwd, gelu_bwd)

# %% [markdown] name="derive-gelu"
# <details><summary>After you solved it: the derivation</summary>
#
# Beside the gate, the slope is the gate, `normal_cdf(x)`. Through it, `x` times the bell. *Used twice, add*:
#
#     density = jnp.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)
#     x_bar = y_bar * (normal_cdf(x) + x * density)
#
# Far out the bell is 0 before `x` gets large beside it: nothing overflows. The slope is largest where its own slope, `2 * density -
# x**2 * density`, is 0: at the root of 2, as the picture says.
# </details>

# %% [markdown] name="gelu-tanh-turn"
# ### Your turn: gelu, the tanh form
#
# No `erf` and no bell, but a chain of three inside the gate: a cube, a tanh, a half. Give each a name, and go from the outside to the
# inside. It is the longest slope of this page, and has nothing in it that you have not written already.

# %% name="your-gelu-tanh" tags=["exercise"]
from solutions.linear_and_activations import gelu_tanh_bwd, gelu_tanh_fwd

# %% name="check-gelu-tanh" tags=["check"]
course.check(gelu_tanh_fwd, gelu_tanh_bwd)

# %% [markdown] name="derive-gelu-tanh"
# <details><summary>After you solved it: the derivation</summary>
#
# Call the tanh `t`. The gate is `(1 + t) / 2`, and its slope has three factors: a half, the slope of tanh, and that of the inside.
#
#     inside_slope = TANH_SCALE * (1 + 3 * TANH_CUBE * x**2)
#     gate_slope = (1 - t**2) * inside_slope / 2
#     x_bar = y_bar * ((1 + t) / 2 + x * gate_slope)
#
# At 0 both gelus must be equally steep, and so must their gates: the bell there is 1 over the root of 2 pi, which is half of
# `TANH_SCALE`. That is where this constant comes from; the other one was fitted.
# </details>

# %% name="count-the-smooth-relus"
mine_too = {
    "softplus": (softplus, softplus_fwd, softplus_bwd),
    "silu": (silu, silu_fwd, silu_bwd),
    "gelu": (gelu, gelu_fwd, gelu_bwd),
    "gelu_tanh": (gelu_tanh, gelu_tanh_fwd, gelu_tanh_bwd),
}
print("bytes an entry   yours   jax.vjp")
for name, (primal, fwd, bwd) in mine_too.items():
    yours = f"{kept_by(fwd):.0f}" if course.solved(fwd, bwd) else "-"
    theirs = vjp_residual_bytes(lambda x, w, b, primal=primal: primal(affine(x, w, b)), *inputs) / entries
    print(f"{name:14} {yours:>7} {theirs:9.0f}")

# %% [markdown] name="what-smooth-costs"
# A relu is content with a byte. These want four, since the slope is another number at every `x`; JAX's recipes, which keep what each
# step of the formula asks for, want several times that. Somebody who knows the whole formula keeps `x`, and computes the rest again.

# %% [markdown] name="other-copies"
# ## Questions
#
# Copies are made along other axes, too.
#
# {question linear_and_activations.q3}

# %% name="answer-q3" tags=["question"]
course.answer("linear_and_activations.q3", ...)

# %% [markdown] name="in-your-own-words"
# ### In your own words
#
# {question linear_and_activations.text}

# %% name="answer-text" tags=["question"]
course.answer("linear_and_activations.text", ...)

# %% [markdown] name="which-mistake"
# ### Which mistake is this?
#
# Somebody's values are right, one of the backward passes of this lesson is not:

# %% [markdown] name="ask-q4"
# {question linear_and_activations.q4}

# %% name="somebody-elses-tanh" tags=["shown"]
course.show_mistake("linear_and_activations.q4", draw=0)

# %% name="answer-q4" tags=["question"]
course.answer("linear_and_activations.q4", ...)

# %% [markdown] name="what-you-have"
# ## What you have now
#
# - Parts that know nothing of each other: the `x_bar` of one is the `y_bar` of the one before it.
# - Backward decides what forward keeps: ask for the least that the slope can be computed from.
#
# | part | keeps | because |
# |---|---|---|
# | `relu` | yes or no, for each entry | its slope is 1 or 0 |
# | `sigmoid`, `tanh`, `softplus` | `y` | they climb all the way: `y` tells the slope |
# | `x` times a gate | `x` | one `y` can have two slopes |
# | `affine` | `x` and `w` | each stands beside the other; `b` stands beside nothing |
#
# ## Sources
#
# - I. Goodfellow, Y. Bengio, A. Courville, "Deep Learning", MIT Press, 2016, chapters 6.1 to 6.3: affine layers and their
#   activations.
# - Y. LeCun, L. Bottou, G. B. Orr, K.-R. Müller, "Efficient BackProp", in "Neural Networks: Tricks of the Trade", Springer, 1998:
#   why the slope of an activation matters, and a tanh is easier to train through than a sigmoid.
# - A. Griewank, A. Walther, "Evaluating Derivatives", 2nd edition, SIAM, 2008, chapters 3 and 4: the backward pass as a product of
#   parts, and what it has to keep.
# - JAX documentation, "Custom derivative rules for Python code": the form of the pair.
# - PyTorch documentation, `torch.nn.ReLU`, `torch.nn.GELU`; JAX documentation, `jax.nn.relu`, `jax.nn.gelu`: the slope at 0, and which gelu.
# - D. Hendrycks, K. Gimpel, "Gaussian Error Linear Units (GELUs)", 2016, arXiv:1606.08415: gelu, both its forms, and silu. Softplus is
#   from C. Dugas, Y. Bengio and others, "Incorporating Second-Order Functional Knowledge for Better Option Pricing", 2000.
#
# Next: `losses`, the parts at the end of every network, and how they stay finite.
