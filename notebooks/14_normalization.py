# %% [markdown] name="title"
# # Normalisation: layers that keep their scale
#
# **A network of forty layers gets nothing back at its first one. Can a layer mend that by itself?**
#
# Forty layers in a row multiply: weights that are a little too small leave nothing of a gradient, weights that are a little too large
# let it grow beyond bounds. You can draw them just right at the start, as in `vanishing_gradients`. But then training moves them, and nobody draws them again.
#
# Another remedy is to repair the numbers on their way: after every layer, take away the mean and divide by the standard deviation,
# so that whatever came in, what goes on has mean 0 and variance 1. That is a function like any other, and it has a derivative, which
# surprises: it throws away a part of everything that comes back. You write it in steps, then at once; then three relatives of it; and
# along the way you measure what it does for a deep network, and what it does not.

# %% name="imports"
import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import optax

from course.comparison.methods import method_counts
from course.comparison.residuals import residual_bytes, vjp_residual_bytes
from course.lessons.normalization import (
    DECAY,
    EPSILON,
    GROUPS,
    Running,
    batch_norm,
    batch_norm_evaluation,
    centre,
    deep_network,
    gradient_norms,
    group_norm,
    layer_norm,
    reciprocal_std,
    rms_norm,
)
from course.show import plots

np.set_printoptions(precision=4, suppress=True)

# %% [markdown] name="the-illness"
# ## The illness, measured
#
# Forty layers of 64 units, each a product with its weights and a relu. The weights are drawn at random, with a standard deviation of
# `size / sqrt(64)`, for three sizes. `gradient_norms` says how long the gradient is by what each layer was given:

# %% name="draw-the-illness"
LAYERS, WIDTH = 40, 64
rng = np.random.default_rng(0)
ws = np.float32(rng.standard_normal((LAYERS, WIDTH, WIDTH)) / WIDTH**0.5)
x_deep, y_bar_deep = np.float32(rng.standard_normal((2, 32, WIDTH)))
one, zero = np.ones(WIDTH, np.float32), np.zeros(WIDTH, np.float32)
SIZES = {"too small, 0.9": 0.9, "just right, 1.41": 2**0.5, "too large, 2": 2.0}


def norms_by_layer(normalize):
    """The norm of the gradient at each layer's input, for weights of each size: one row a size."""
    of_size = jax.jit(lambda sizes: jax.lax.map(lambda s: gradient_norms(s * ws, x_deep, y_bar_deep, normalize), sizes))
    return np.asarray(of_size(np.float32(list(SIZES.values()))))


def draw_norms(axes, norms, title):
    widths = (6, 3.5, 1.2)  # so that all are seen where they coincide
    for name, by_layer, colour, width in zip(SIZES, norms, plots.COLOURS[:3], widths, strict=True):
        axes.semilogy(np.arange(1, LAYERS + 1), by_layer, color=colour, linewidth=width, label=name)
    axes.set(title=title, xlabel="layer", ylim=(1e-8, 1e9))


without = norms_by_layer(lambda z: z)
with plots.style():
    figure, axes = plt.subplots(figsize=(8, 3.4), layout="constrained")
    draw_norms(axes, without, "norm of the gradient by what a layer was given")
    axes.legend(title="size of the weights")
    plt.show()
for name, by_layer in zip(SIZES, without, strict=True):
    print(f"{name:17} last layer {by_layer[-1]:8.3g}   first layer {by_layer[0]:8.3g}")

# %% [markdown] name="read-the-illness"
# Read it from the right to the left, as backward goes. From layer to layer the gradient is multiplied by about the same factor; forty
# times a factor of 0.64, and what reaches the first layer is less than a ten-millionth. Only one size is right.
#
# ## The cure: layer norm
#
# $$\mathtt{x\_hat} = \frac{x - \mathrm{mean}(x)}{\sqrt{\mathrm{mean}\big((x - \mathrm{mean}(x))^2\big) + \mathtt{EPSILON}}} \qquad\qquad y = \mathtt{x\_hat} \cdot \mathtt{scale} + \mathtt{bias}$$
#
# Both means are taken over a row: one example, all its numbers. `EPSILON` is tiny, and keeps a row of equal numbers from becoming 0 / 0. `scale`
# and `bias`, one number for each column, are parameters: they let the network undo it where it must. Small numbers:

# %% name="layer-norm-forward"
x = np.float32([[1, 2, 3, 6], [10, 20, 30, 60], [5, 5, 5, 5]])
print(jax.jit(layer_norm)(x, np.ones(4), np.zeros(4)))
print("EPSILON:", EPSILON)

# %% [markdown] name="layer-norm-by-jax"
# The second row is ten times the first, and becomes the same. The third becomes zeros. And what comes back?


# %% name="layer-norm-pulled-back"
@jax.jit
def x_bar_by_jax(x, y_bar):
    """What comes back to x through layer norm, with a scale of ones and a bias of zeros."""
    d = x.shape[-1]
    return jax.vjp(layer_norm, x, jnp.ones(d), jnp.zeros(d))[1](y_bar)[0]


y_bar = np.float32([[1, 0, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]])
x_bar = np.asarray(x_bar_by_jax(x, y_bar))
print("x_bar of the first two rows:")
print(x_bar[:2])
print("each row added up:", x_bar[:2].sum(axis=1))

# %% [markdown] name="why-hard"
# A single 1 came in, at the first number, and every number of the row got something: all of them are in the mean and in the variance.
# The second row, ten times as large, got a tenth. And each row adds up to zero. All this will follow from four steps, each of which is easy:
#
# | step | in words |
# |---|---|
# | `centred = centre(x)` | the row less its mean |
# | `rstd = reciprocal_std(centred)` | one over its standard deviation, a number for each row |
# | `x_hat` | the product of the two |
# | `y` | `x_hat` times `scale`, plus `bias`, column by column |
#
# ## Step one: centre
#
# What does a mean hand back? If the row has $d$ numbers, $m = \tfrac{1}{d}(x_0 + x_1 + \dots)$: nudge any one of them by 1, and $m$
# moves by $1/d$. So each of them gets the same: `m_bar / d`.

# %% name="mean-pulled-back" tags=["worked"]
row, m_bar = np.float32([1, 2, 3, 6]), 8.0
print("by hand:", np.full(4, m_bar / 4))
print("by JAX: ", jax.vjp(jnp.mean, row)[1](m_bar)[0])

# %% [markdown] name="centre-turn"
# ### Your turn: centre
#
# In `y = x - mean` each number of `x` is used twice: by itself, and in the mean. The mean, in turn, was copied to every place of the
# row and taken away there. *Used twice, add; broadcast forward, sum backward.* Then ask what forward must keep for it. If that is nothing
# at all, say so: `None`.

# %% name="your-centre" tags=["exercise"]
from solutions.normalization import centre_bwd, centre_fwd

# %% name="check-centre" tags=["check"]
course.check(centre_fwd, centre_bwd)

# %% [markdown] name="derive-centre"
# <details><summary>After you solved it: the derivation</summary>
#
# By itself, `x[n, k]` gets `y_bar[n, k]`. The mean `m[n]` was copied along the row with a minus: it gets `-y_bar[n].sum()`, and hands a
# part `1 / d` of that to each number, which makes `-y_bar[n].mean()`. Together:
#
#     x_bar = y_bar - y_bar.mean(axis=-1, keepdims=True)
#
# That is `centre(y_bar)`: backward does what forward did. Centring is a product with a matrix, 1 - 1/d on the diagonal and -1/d elsewhere, and that
# matrix is its own transpose. Since its numbers are always the same, nothing is kept.
# </details>

# %% [markdown] name="root-neighbour"
# ## Step two: one over the standard deviation
#
# A neighbour first, the length of a row: $\mathtt{length} = \sqrt{x_0^2 + x_1^2 + \dots}$. Two links. Call what is under the root $s$. A root is a
# power of one half, so its slope is $\tfrac{1}{2} s^{-1/2}$, and since $s^{-1/2}$ is one over the length, that can be written without $s$:
#
# $$\frac{d\,\mathtt{length}}{ds} = \frac{1}{2\,\mathtt{length}} \qquad\qquad \frac{ds}{dx_k} = 2 x_k \qquad\qquad \frac{d\,\mathtt{length}}{dx_k} = \frac{x_k}{\mathtt{length}}$$

# %% name="length-pulled-back" tags=["worked"]
row, length_bar = np.float32([3, 0, -4]), 10.0
print("by hand:", length_bar * row / np.sqrt((row**2).sum()))
print("by JAX: ", jax.vjp(jax.jit(lambda row: jnp.sqrt((row**2).sum())), row)[1](length_bar)[0])

# %% [markdown] name="rstd-turn"
# ### Your turn: reciprocal_std
#
# $$\mathtt{variance} = \tfrac{1}{d} \left(\mathtt{centred}_0^2 + \mathtt{centred}_1^2 + \dots\right) \qquad\qquad \mathtt{rstd} = (\mathtt{variance} + \mathtt{EPSILON})^{-1/2}$$
#
# The same two links, with a mean for the sum and a minus in the exponent. Its value is one number for each row, of shape `(batch, 1)`,
# and so is its cotangent. Say the slope of the power in terms of `rstd` alone: then forward has done all the roots.

# %% name="your-rstd" tags=["exercise"]
from solutions.normalization import reciprocal_std_bwd, reciprocal_std_fwd

# %% name="check-rstd" tags=["check"]
course.check(reciprocal_std_fwd, reciprocal_std_bwd)

# %% [markdown] name="derive-rstd"
# <details><summary>After you solved it: the derivation</summary>
#
# The exponent comes down and falls by one: $-\tfrac{1}{2} (\mathtt{variance} + \mathtt{EPSILON})^{-3/2}$, and that power is `rstd` three times:
#
#     variance_bar = -0.5 * rstd_bar * rstd**3
#     centred_bar = variance_bar * 2 * centred / centred.shape[-1]
#
# The half and the 2 cancel: `-rstd_bar * rstd**3 * centred / d`. `EPSILON` does not appear: it is in `rstd`. And a row of zeros gets zeros, where
# `1 / variance` would have made 0 / 0.
# </details>

# %% [markdown] name="in-steps-turn"
# ### Your turn: all steps in a row
#
# What is left are two products. Look once more who was copied: `scale` and `bias` to every row, `rstd` along its row. And look what is used
# twice: `centred` goes into the product, and into `reciprocal_std`. Forward calls your two `fwd`, backward your two `bwd`.

# %% name="your-in-steps" tags=["exercise"]
from solutions.normalization import layer_norm_in_steps_bwd, layer_norm_in_steps_fwd

# %% name="check-in-steps" tags=["check"]
course.check(layer_norm_in_steps_fwd, layer_norm_in_steps_bwd)

# %% [markdown] name="derive-in-steps"
# <details><summary>After you solved it: the derivation</summary>
#
# From the end: `y = x_hat * scale + bias` gives `scale_bar = (y_bar * x_hat).sum(axis=0)`, `bias_bar = y_bar.sum(axis=0)` and
# `x_hat_bar = y_bar * scale`. The product `centred * rstd` gives `rstd_bar = (x_hat_bar * centred).sum(axis=-1, keepdims=True)`, a sum since
# `rstd` was copied along the row, and to `centred` it gives `x_hat_bar * rstd`. To that, `reciprocal_std_bwd(kept_rstd, rstd_bar)[0]` is
# added; and the whole goes through `centre_bwd`.
#
# Without `keepdims`, or without the sum, shapes still fit in ways that nobody meant: a `rstd_bar` of shape `(batch, d)` goes through all the rest
# and gives wrong numbers, silently.
# </details>

# %% [markdown] name="what-arrives"
# ## What never arrives
#
# Before you write it at once, look at what it does. A row of `x_hat` has mean 0, and its mean square is 1 (but for `EPSILON`). For six
# numbers, think of a point in six dimensions. Whatever `x` does, `x_hat` stays where these two things hold. So it can't move in two
# directions: all its numbers can't go up together, and it can't get longer. If `y_bar` asks for just that, no nudge of `x` can help,
# and `x_bar` must be zero. Three cotangents, the third just anything:


# %% name="three-cotangents"
@jax.jit
def normal(x):
    """Layer norm without a scale and a bias."""
    centred = centre(x)
    return centred * reciprocal_std(centred)


row = np.float32([[3, -1, 4, 1, -5, 9]])
x_hat, anything = np.asarray(normal(row)), np.float32([[1, 0, 0, 2, 0, -1]])
for name, bar in {"ones": np.ones((1, 6), np.float32), "x_hat": x_hat, "anything": anything}.items():
    sent = np.asarray(x_bar_by_jax(row, bar))
    print(f"y_bar = {name:9} x_bar =", sent[0].round(4) + 0.0)
print(f"the last one: added up {abs(sent.sum()):.6f}, and times x_hat, added up, {abs((sent * x_hat).sum()):.6f}")

# %% [markdown] name="the-circle-words"
# For three numbers a row it can be drawn. Rows with mean 0 lie in a plane, and in it those with mean square 1 lie on a circle: `x_hat` can
# only go round it. Left, that plane, looked at from above. The cotangent in orange has a part outwards, along `x_hat`, and a part along
# the circle (and one that sticks out of the plane, which you can't see). In blue is JAX's `x_bar`, divided by `rstd`: the part along the circle.
# Right, the six numbers of above: how long each part of `y_bar` is, and what of it arrives.

# %% name="draw-the-circle"
three, bar_of_three = np.float32([[2, -0.5, -0.2]]), np.float32([[1.4, 0.6, -1]])
in_plane = np.array([[1.0, -1.0, 0.0], [1.0, 1.0, -2.0]]) / np.sqrt([[2.0], [6.0]])  # two directions with mean 0


def arriving(x, bar):
    """What JAX's x_bar is, but for the factor rstd."""
    return np.asarray(x_bar_by_jax(x, bar))[0] * np.sqrt(x.var() + EPSILON)


def lengths(bar, x_hat):
    """How long a row's part along ones is, its part along x_hat, and the rest."""
    along = [v / np.linalg.norm(v) for v in (np.ones_like(x_hat), x_hat)]
    parts = [(bar @ v) * v for v in along]
    return [np.linalg.norm(part) for part in (*parts, bar - sum(parts))]


with plots.style():
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
    turn = np.linspace(0, 2 * np.pi, 200)
    left.plot(3**0.5 * np.cos(turn), 3**0.5 * np.sin(turn), color=plots.INK, linewidth=1)
    place = in_plane @ np.asarray(normal(three))[0]
    handed, tangential = in_plane @ bar_of_three[0], in_plane @ arriving(three, bar_of_three)
    left.annotate("", place, (0, 0), arrowprops={"arrowstyle": "->", "color": plots.INK})
    for end, colour in ((place + handed, plots.JAX), (place + tangential, plots.HAND)):
        left.annotate("", end, place, arrowprops={"arrowstyle": "-|>", "color": colour, "linewidth": 2.5})
    left.plot(*np.transpose([place + handed, place + tangential]), ":", color=plots.INK)
    left.annotate("x_hat", 0.5 * place, (4, -12), textcoords="offset points")
    left.annotate("y_bar", place + handed, (4, 4), textcoords="offset points", color=plots.JAX)
    left.annotate("what arrives", place + tangential, (-78, 6), textcoords="offset points", color=plots.HAND)
    left.set(aspect="equal", title="rows of three numbers with mean 0", xlim=(-2.1, 3.2), ylim=(-2.1, 2.6))
    left.set(xticks=[], yticks=[])
    names, hat, bar = ["along ones", "along x_hat", "all the rest"], x_hat[0], anything[0]
    right.bar(np.arange(3) - 0.2, lengths(bar, hat), 0.4, color=plots.JAX, label="in y_bar")
    right.bar(np.arange(3) + 0.2, lengths(arriving(row, anything), hat), 0.4, color=plots.HAND, label="in x_bar / rstd")
    right.set(xticks=range(3), xticklabels=names, title="rows of six numbers: lengths of the parts")
    right.legend()
    plt.show()

# %% [markdown] name="ask-q1"
# {question normalization.q1}

# %% name="answer-q1" tags=["question"]
course.answer("normalization.q1", ...)

# %% [markdown] name="at-once"
# ## At once
#
# So `x_bar` is `x_hat_bar` less two parts, times `rstd`. The four steps say the same; they only hide it, and they keep a lot. What does
# each way keep for backward? Here are 4096 rows of 768 numbers, 4 bytes each, which is what one layer norm of a small language
# model sees. (Arguments are there anyway, and not counted.)

# %% name="count-steps"
rows, d = 4096, 768
shapes = [jax.ShapeDtypeStruct(shape, jnp.float32) for shape in ((rows, d), (d,), (d,))]


def counted(name, fwd, bwd):
    """A line on what a pair keeps, computes and moves."""
    cost = method_counts(layer_norm, fwd, bwd, *shapes).pair
    kept = residual_bytes(fwd, *shapes) / (rows * d)
    print(f"{name:14} {kept:12.3f} {cost.flops / (rows * d):14.1f} {cost.bytes / (rows * d):14.0f}")


print("for each number of x:   bytes kept     operations    bytes moved")
if course.solved(layer_norm_in_steps_fwd, layer_norm_in_steps_bwd):
    counted("yours, steps", layer_norm_in_steps_fwd, layer_norm_in_steps_bwd)
by_jax = method_counts(layer_norm, None, None, *shapes).vjp
kept = vjp_residual_bytes(layer_norm, *shapes) / (rows * d)
print(f"{'jax.vjp':14} {kept:12.3f} {by_jax.flops / (rows * d):14.1f} {by_jax.bytes / (rows * d):14.0f}")

# %% [markdown] name="budget"
# "Bytes moved" counts what every operation reads and writes, if each is done for itself. An accelerator computes far faster than it
# moves: a layer norm costs what it moves, and nothing else. That is why libraries have this pass written by hand, to this day: one loop that
# reads a row, and is done with it. You need the formula for that.
#
# And the memory: what is kept stays until backward comes, for every layer of the network. `x_hat` is as large as `x`. Keep `x_hat` with
# `rstd`, and you keep a whole array. But `x` is there anyway, and from `x` a product makes `x_hat` again, if you still know two numbers of each row.
#
# ### Your turn (hard): layer norm at once
#
# The budget: **two numbers a row**, beside `x` and `scale`. And `x_bar` in the form
#
# $$\mathtt{x\_bar} = \mathtt{rstd} \cdot \big( \mathtt{x\_hat\_bar} - \text{its part along ones} - \text{its part along } \mathtt{x\_hat} \big)$$
#
# Find both parts from your own four steps: put one line into the other, with pencil and paper, and write `x_hat` wherever the product of `centred` and `rstd` stands.

# %% name="your-layer-norm" tags=["exercise"]
from solutions.normalization import layer_norm_bwd, layer_norm_fwd

# %% name="check-layer-norm" tags=["check"]
course.check(layer_norm_fwd, layer_norm_bwd)

# %% [markdown] name="derive-layer-norm"
# <details><summary>After you solved it: the derivation</summary>
#
# `rstd_bar` is the sum of `x_hat_bar * centred` along the row, which is `sum(x_hat_bar * x_hat) / rstd`. Through `reciprocal_std` it brings
# `-rstd_bar * rstd**3 * centred / d` to `centred`; and `rstd * centred` is `x_hat`, so that is `-rstd * x_hat * sum(x_hat_bar * x_hat) / d`. The sum over
# `d` is a mean. With what comes by way of the product:
#
# $$\mathtt{centred\_bar} = \mathtt{rstd} \cdot \big(\mathtt{x\_hat\_bar} - \mathtt{x\_hat} \cdot \mathrm{mean}(\mathtt{x\_hat\_bar} \cdot \mathtt{x\_hat})\big)$$
#
# Centring takes the mean of this row away. `rstd` is the same along the row, and `x_hat` has mean 0, so its term has none to be taken away. What is left is
#
# $$\mathtt{x\_bar} = \mathtt{rstd} \cdot \big(\mathtt{x\_hat\_bar} - \mathrm{mean}(\mathtt{x\_hat\_bar}) - \mathtt{x\_hat} \cdot \mathrm{mean}(\mathtt{x\_hat\_bar} \cdot \mathtt{x\_hat})\big)$$
#
# Why are these the parts of the picture? The part of a row $g$ along a direction $v$ is $v \cdot \mathrm{sum}(g v) / \mathrm{sum}(v v)$. For ones,
# the bottom is $d$; for `x_hat`, whose mean square is 1, it is $d$ as well. (`EPSILON` makes it a tiny bit less than 1. Then a
# tiny bit of the part along `x_hat` arrives.)
#
# Kept are `mean` and `rstd`: 2 numbers a row, where `x_hat` would be 768. Backward pays for it with one subtraction and one product more.
# </details>

# %% name="count-at-once"
print("for each number of x:   bytes kept     operations    bytes moved")
if course.solved(layer_norm_in_steps_fwd, layer_norm_in_steps_bwd):
    counted("yours, steps", layer_norm_in_steps_fwd, layer_norm_in_steps_bwd)
if course.solved(layer_norm_fwd, layer_norm_bwd):
    counted("yours, at once", layer_norm_fwd, layer_norm_bwd)

# %% [markdown] name="read-the-count"
# About as many operations, since `x_hat` is made twice, and next to nothing kept. (The bytes moved are still counted operation by operation. In one
# loop each way, forward would read `x` and write `y`, and backward would read `x` and `y_bar` and write `x_bar`: 20 bytes in all.)
#
# ## RMS norm: only the length
#
# Does it take the mean at all? B. Zhang and R. Sennrich left it out: a row is divided by the root of its mean square, and nothing is added. Most
# large language models do so today.
#
# $$\mathtt{x\_hat} = x \cdot \mathtt{reciprocal\_std}(x) \qquad\qquad y = \mathtt{x\_hat} \cdot \mathtt{scale}$$

# %% name="rms-by-jax"
x_hat, pullback = jax.vjp(jax.jit(lambda x: rms_norm(x, jnp.ones(6))), row)
for name, bar in {"ones": np.ones((1, 6), np.float32), "x_hat": x_hat}.items():
    print(f"y_bar = {name:6} x_bar =", np.asarray(pullback(bar)[0])[0].round(4) + 0.0)

# %% [markdown] name="rms-turn"
# ### Your turn: RMS norm
#
# This time you go straight to the form at once. What is the budget? **One number a row.**

# %% name="your-rms-norm" tags=["exercise"]
from solutions.normalization import rms_norm_bwd, rms_norm_fwd

# %% name="check-rms-norm" tags=["check"]
course.check(rms_norm_fwd, rms_norm_bwd)

# %% [markdown] name="derive-rms-norm"
# <details><summary>After you solved it: the derivation</summary>
#
# The same without the step `centre`: `rstd * (x_hat_bar - x_hat * (x_hat_bar * x_hat).mean(axis=-1, keepdims=True))`. There are rows with any mean, so a push
# along ones does arrive. Of a row's two numbers the mean is gone; `rstd` is left.
# </details>

# %% [markdown] name="remedy"
# ## The remedy, measured
#
# What happens in a network whose layer is `layer_norm(x @ w)`, when `w` is the wrong size? Predict, before you look at the picture.
#
# {question normalization.q2}

# %% name="answer-q2" tags=["question"]
course.answer("normalization.q2", ...)

# %% [markdown] name="remedy-words"
# Here are the forty layers of the beginning, with the same weights in the same three sizes, and a norm between each product and its relu. (Batch
# norm, on the right, comes next. Until your own are right, JAX's derivatives stand in for them.)


# %% name="draw-the-remedy"
def yours(primal, fwd, bwd):
    """The course's function with your derivative, once that is right."""
    return course.as_jax(fwd, bwd) if course.solved(fwd, bwd) else primal


your_layer_norm, your_rms_norm = (
    yours(layer_norm, layer_norm_fwd, layer_norm_bwd),
    yours(rms_norm, rms_norm_fwd, rms_norm_bwd),
)
NORMS = {
    "layer norm": lambda z: your_layer_norm(z, one, zero),
    "RMS norm": lambda z: your_rms_norm(z, one),
    "batch norm": lambda z: batch_norm(z, one, zero, Running(zero, one))[0],
}
measured = {name: norms_by_layer(normalize) for name, normalize in NORMS.items()}
with plots.style():
    figure, panels = plt.subplots(1, 4, figsize=(13, 3.4), sharey=True, layout="constrained")
    for axes, (name, norms) in zip(panels, {"no norm": without, **measured}.items(), strict=True):
        draw_norms(axes, norms, name)
    panels[0].set_ylabel("norm of the gradient")
    panels[0].legend(title="size of the weights", fontsize=8)
    plt.show()
for name, norms in measured.items():
    ratios = ", ".join(f"{first / last:8.4g}" for first, last in norms[:, [0, -1]])
    print(f"{name:11} first layer over last, for the three sizes: {ratios}")

# %% [markdown] name="read-the-remedy"
# Three curves lie on top of one another: the size of the weights has no say any more. Layer norm and RMS norm lose next to nothing on the way through
# forty layers, where without them it was tens of millions.
#
# And look at the right panel, closely: with batch norm the gradient *grows*, by about a fifth in every layer, more than a thousandfold in all, whatever
# the weights. That is no error of ours: G. Yang and others derived it in 2019. A norm after every layer is a remedy for wrong
# weights. It does not make depth free; that takes another idea, connections that skip layers.
#
# ## Batch norm: the same, turned on its side
#
# The oldest of them. It takes its means **down the columns**: one mean and one variance for each column, over all examples of the batch. So what
# an example becomes depends on who else is in the batch:

# %% name="batch-norm-forward"
batch = np.float32([[1, 10], [2, 30], [3, 50], [6, 10]])
one2, zero2 = np.ones(2, np.float32), np.zeros(2, np.float32)
start = Running(mean=zero2, variance=one2)


def in_batch(rows):
    return np.asarray(jax.jit(batch_norm)(rows, one2, zero2, start)[0])


print("y of the whole batch:\n", in_batch(batch), sep="")
print("its second row, in a batch of the last three:", in_batch(batch[1:])[0])
print("in a batch of its own:                       ", in_batch(batch[1:2])[0])

# %% [markdown] name="the-state"
# In a batch of its own, everything is its own mean, and becomes 0. When the network is used later, for one picture at a time, that is no
# good. So training carries **running statistics** along, of which evaluation makes use:
#
#     running.mean     = DECAY * running.mean     + (1 - DECAY) * mean of this batch
#     running.variance = DECAY * running.variance + (1 - DECAY) * variance of this batch
#
# Many libraries keep them in a hidden place that a call changes. Here nothing is hidden: the state goes in as an argument, and comes out
# beside `y`, like the state of an optimiser.
#
#     batch_norm(x, scale, bias, running) -> (y, running)
#
# Then what is its cotangent? The loss is made of `y`. The state is carried along for later, and the course's primal says so: it returns it through
# `jax.lax.stop_gradient`. So `bwd` is handed one cotangent for each output, `(y_bar, running_bar)`, and nothing of the second may come
# back to `x`. The running statistics that came in get `None`, as data do: training does not look at them.

# %% name="state-by-jax"
(y, moved), pullback = jax.vjp(jax.jit(batch_norm), batch, one2, zero2, start)
y_bar = np.float32([[1, 0], [0, 0], [0, 2], [0, 0]])
print(f"moved state, with a DECAY of {DECAY}:", *moved)
for running_bar in (Running(zero2, zero2), Running(100 * one2, 100 * one2)):
    x_bar, _, _, into_state = pullback((y_bar, running_bar))
    print("x_bar's first column:", np.asarray(x_bar)[:, 0], "  to the old state:", *into_state)

# %% [markdown] name="batch-norm-turn"
# ### Your turn: batch norm in training
#
# The batch's mean and variance *are* made of `x`: they have to be differentiated, as in layer norm. Only the axis is another one. `fwd`
# returns `((y, running), residuals)`, and `bwd` begins with `y_bar, _ = bars`. (`Running(mean, variance)` is the state, `DECAY` and `EPSILON` are
# imported above.)

# %% name="your-batch-norm" tags=["exercise"]
from solutions.normalization import batch_norm_bwd, batch_norm_fwd

# %% name="check-batch-norm" tags=["check"]
course.check(batch_norm_fwd, batch_norm_bwd)

# %% [markdown] name="derive-batch-norm"
# <details><summary>After you solved it: what was kept</summary>
#
# Layer norm's formula with `axis=0`; no `keepdims` is needed, since a row of `d` numbers fits to the columns as it is. `scale_bar` and `bias_bar` are what
# they were: scale and bias were copied down the columns here as there.
#
# `x_hat`, `scale` and `rstd` were kept. `x` with `mean` and `rstd` would be less, as before. The running statistics
# were not: nothing is made of them. In JAX's own words, the state is an *auxiliary output*: `jax.grad(loss, has_aux=True)` hands it through.
# </details>

# %% [markdown] name="evaluation"
# ### More practice: batch norm in evaluation
#
# Now the statistics come from the state, and do not move when `x` moves. It is a straight line for each column, and so is its derivative. The
# course takes the running statistics for data: `None`.

# %% name="your-evaluation" tags=["exercise"]
from solutions.normalization import batch_norm_evaluation_bwd, batch_norm_evaluation_fwd

# %% name="check-evaluation" tags=["check"]
course.check(batch_norm_evaluation_fwd, batch_norm_evaluation_bwd)

# %% [markdown] name="derive-evaluation"
# <details><summary>After you solved it</summary>
#
# `x_bar = y_bar * scale * rstd`, with `rstd = 1 / jnp.sqrt(running.variance + EPSILON)`. No part of `y_bar` is lost. To use this in
# training, with the true statistics of the batch in it, is the commonest mistake about batch norm: forward is right, and the gradient points
# elsewhere.
# </details>

# %% [markdown] name="statistics-words"
# How long does the state take to know the data? A column with mean 5 and variance 4, in batches of 16; the state starts at mean 0, variance 1. And
# then one single example, both ways. (The variance settles a little below its line: divided by n, a batch of 16 shows 15/16 of it. Some
# libraries divide by n - 1 for the state, and by n for `y`.)


# %% name="draw-running"
def carried(running, batch):
    moved = batch_norm(batch, one1, zero1, running)[1]
    return moved, moved


batches = np.float32(5 + 2 * rng.standard_normal((80, 16, 1)))
one1, zero1 = np.ones(1, np.float32), np.zeros(1, np.float32)
last, path = jax.device_get(jax.lax.scan(carried, Running(zero1, one1), batches))
steps = np.arange(1, 81)
with plots.style():
    figure, axes = plt.subplots(figsize=(8, 3), layout="constrained")
    for name, line, true, colour in zip(path._fields, path, (5, 4), plots.COLOURS, strict=False):
        axes.plot(steps, line[:, 0], color=colour, label=f"running {name}")
        axes.axhline(true, color=colour, linewidth=0.8, linestyle=":")
    axes.set(title="the state, step by step; dotted what it should be", xlabel="step")
    axes.legend(loc="lower right")
    plt.show()
single = np.float32([[9]])
print("a single 9, in training:  ", jax.jit(batch_norm)(single, one1, zero1, last)[0])
print("a single 9, in evaluation:", jax.jit(batch_norm_evaluation)(single, one1, zero1, last), " (9 - 5) / 2 = 2")

# %% [markdown] name="group-norm"
# ### More practice: group norm
#
# Between the two. An image has channels and positions, `x[n, c, p]`. Layer norm would take one mean of all of an example, and mix
# channels that mean different things; batch norm needs a large batch. Group norm takes the channels of an example in groups (here 2 of them), and one
# mean for each, over its channels and all positions. `scale` and `bias` go with channels. The means of four channels,
# and of their two groups:

# %% name="group-norm-forward"
images = np.arange(24, dtype=np.float32).reshape(1, 4, 6) ** 1.5  # one example, 4 channels, 6 positions
normalised = np.asarray(jax.jit(group_norm)(images, np.ones(4), np.zeros(4)))
print("means of the channels:", normalised.mean(axis=2)[0])
print("means of the groups:  ", normalised.reshape(GROUPS, -1).mean(axis=1).round(4) + 0.0)

# %% name="your-group-norm" tags=["exercise"]
from solutions.normalization import group_norm_bwd, group_norm_fwd

# %% name="check-group-norm" tags=["check"]
course.check(group_norm_fwd, group_norm_bwd)

# %% [markdown] name="derive-group-norm"
# <details><summary>After you solved it: the derivation</summary>
#
# Reshaped to `(batch * GROUPS, -1)`, each row holds the numbers that share a mean, and layer norm's bracket does the rest. Around it: `scale[:, None]` fits the
# channels to `x`; it was copied along the examples and along the positions, so `scale_bar` and `bias_bar` are summed over `axis=(0, 2)`. Channels
# lie side by side in memory, so a reshape is all it takes, there and back.
# </details>

# %% [markdown] name="it-trains"
# ## Does it train?
#
# Thirty layers of 32 units, with weights that are too small, are to follow a curve. The same network three times; nothing differs but what stands between
# product and relu. 250 steps, left of gradient descent, right of Adam. Once your pairs are right, the derivatives are yours.


# %% name="draw-training"
def train(ways, steps=250):
    """The loss, step by step, of a deep network on a curve: for each way to normalise, by gradient descent and by Adam."""
    draw = np.random.default_rng(2)
    at = np.linspace(-2, 2, 32)
    h = np.float32(np.stack([at, np.ones(32)], axis=1) @ draw.standard_normal((2, 32)))
    target = np.float32(np.sin(3 * at))
    params = 0.9 * draw.standard_normal((30, 32, 32)) / 32**0.5, draw.standard_normal(32) / 32**0.5
    params = jax.tree.map(jnp.float32, params)
    adam = optax.adam(0.001)

    def run(way, with_adam):
        def loss_of(params):
            ws, w_out = params
            z = deep_network(ws, h, lambda z: jax.lax.switch(way, ways, z))  # one program for all ways
            return jnp.mean((z @ w_out - target) ** 2)

        def step(carry, _):
            params, state = carry
            loss, grads = jax.value_and_grad(loss_of)(params)
            updates, state = adam.update(grads, state)
            updates = jax.tree.map(lambda update, grad: jnp.where(with_adam, update, -0.003 * grad), updates, grads)
            return (optax.apply_updates(params, updates), state), loss

        return jax.lax.scan(step, (params, adam.init(params)), length=steps)[1]

    train_one = jax.jit(run)
    return [[np.asarray(train_one(way, with_adam)) for with_adam in (False, True)] for way in range(len(ways))]


your_batch_norm = yours(batch_norm, batch_norm_fwd, batch_norm_bwd)
one32, zero32 = np.ones(32, np.float32), np.zeros(32, np.float32)
ways = {
    "no norm": lambda z: z,
    "layer norm": lambda z: your_layer_norm(z, one32, zero32),
    "batch norm": lambda z: your_batch_norm(z, one32, zero32, Running(zero32, one32))[0],
}
with plots.style():
    figure, panels = plt.subplots(1, 2, figsize=(12, 3.6), sharey=True, layout="constrained")
    for name, by_both, colour in zip(ways, train([*ways.values()]), (plots.INK, plots.HAND, plots.JAX), strict=True):
        for axes, losses in zip(panels, by_both, strict=True):
            axes.semilogy(losses, color=colour, label=f"{name}: {losses[-1]:.2g} at the end")
            axes.set(xlabel="step", ylim=(1e-8, 5))
            axes.legend(loc="lower left", fontsize=8)
    panels[0].set(title="gradient descent", ylabel="loss")
    panels[1].set(title="Adam")
    plt.show()

# %% [markdown] name="read-training"
# Left, without a norm, nothing moves at all: hardly anything of `x` reaches the last layer, and nothing of the gradient the first. With either
# norm it learns. Right, Adam divides each gradient by its usual size, however small that is, and so gets even the bare network going, late and
# slowly. Two remedies for one illness; most networks take both. (Right weights at the start would be a third.)
#
# ## A test that sees nothing
#
# Whoever writes a backward pass, tests it, and a loss is needed for that. Sums of squares are popular.
#
# {question normalization.q3}

# %% name="answer-q3" tags=["question"]
course.answer("normalization.q3", ...)

# %% name="blind-test"
numbers, one4, zero4 = np.float32(rng.uniform(0, 5, (8, 4))), np.ones(4, np.float32), np.zeros(4, np.float32)
y, pullback = jax.vjp(jax.jit(lambda x: batch_norm(x, one4, zero4, Running(zero4, one4))[0]), numbers)
for name, bar in {"y_bar = 2 * y": 2 * np.asarray(y), "y_bar random ": np.float32(rng.standard_normal((8, 4)))}.items():
    print(f"{name}: the largest entry of the right x_bar is {np.abs(pullback(bar)[0]).max():.1e}")

# %% [markdown] name="blind-words"
# This is no invention: homework tests of a respected course do just that. Whatever goes wrong in `x_bar` there, as long as it is along `x_hat`
# or along ones, is not seen. This course hands every pass a random cotangent.
#
# ## In your own words
#
# {question normalization.text}

# %% name="answer-text" tags=["question"]
course.answer("normalization.text", ...)

# %% [markdown] name="which-mistake"
# ## Which mistake is this?
#
# Somebody else wrote one of this lesson's pairs. Which arrays are wrong? If `x_bar` is: do its rows add up to 0, where a mean is taken away? Is
# there anything along `x_hat` in them? And if it is not: what stands beside `scale`, and how often was it copied?

# %% [markdown] name="ask-q4"
# {question normalization.q4}

# %% name="somebody-elses" tags=["shown"]
course.show_mistake("normalization.q4", draw=0)

# %% name="answer-q4" tags=["question"]
course.answer("normalization.q4", ...)

# %% [markdown] name="what-you-have"
# ## What you have now
#
# - A norm in four steps, and at once: what comes back is `rstd` times `x_hat_bar`, less its part along ones and its part along `x_hat`.
# - Whoever knows the formula keeps two numbers a row (layer norm) or one (RMS norm), where autodiff keeps whole arrays.
# - Batch norm is the same down the columns, with a state that goes in as an argument and comes out as an output, and of which no loss is made.
# - With a norm behind each product the size of the weights has no say, on the way there or back. Depth still has.
# - A test needs a random cotangent: one that is made of `y` sees nothing here.
#
# ## Sources
#
# - S. Ioffe, C. Szegedy, "Batch Normalization: Accelerating Deep Network Training by Reducing Internal Covariate Shift", 2015,
#   arXiv:1502.03167.
# - J. L. Ba, J. R. Kiros, G. E. Hinton, "Layer Normalization", 2016, arXiv:1607.06450.
# - B. Zhang, R. Sennrich, "Root Mean Square Layer Normalization", 2019, arXiv:1910.07467.
# - Y. Wu, K. He, "Group Normalization", 2018, arXiv:1803.08494.
# - G. Yang, J. Pennington, V. Rao, J. Sohl-Dickstein, S. S. Schoenholz, "A Mean Field Theory of Batch Normalization", 2019,
#   arXiv:1902.08129: why gradients grow with depth under batch norm.
# - Carnegie Mellon's deep learning systems course, homework 2: the published numbers that the tests of this lesson replay, and a test whose
#   loss is a sum of squares.
#
# Next: `skip_connections`, where a path without any factor leads past every layer.
