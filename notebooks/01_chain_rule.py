# %% [markdown] name="title"
# # The chain rule, one number at a time
#
# **What happens to the loss when I nudge one weight?**
#
# A network learns by asking this of every weight that it has. Here it has two, and everything is a single number. You need
# slopes as taught at school, of `x**2`, of a sine, of a product, and a little Python. You will write five short backward
# passes, and learn within a second whether each is right.
#
# In practice JAX writes such passes for you, and you let it. Why by hand, then? Because what a backward pass does decides
# whether the first layers learn, how much memory training takes and where the NaN came from. And because after five of them
# nothing about `jax.grad` is magic.

# %% name="imports"
import math

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np

from course.exercises.chain_rule import NEURON, THREE_WEIGHTS
from course.lessons.chain_rule import neuron_loss, neuron_loss_fwd
from course.show.plots import COLOURS, HAND, INK, JAX, style

jax.config.update("jax_enable_x64", True)  # 16 digits instead of 7: small nudges show

# %% [markdown] name="neuron-text"
# ## Nudge one weight
#
# A neuron takes a number `x`, multiplies it by a weight, adds a bias, and squashes the result into the range from 0 to 1.
# The loss says how far its output `a` is from the `target`:
#
#     z = w * x + b
#     a = sigmoid(z)                     sigmoid(z) = 1 / (1 + exp(-z))
#     loss = 0.5 * (a - target)**2

# %% name="neuron"
w, b, x, target = NEURON.values()
print(NEURON)


def sigmoid(z):
    return 1 / (1 + math.exp(-z))


z = w * x + b
a = sigmoid(z)
loss = 0.5 * (a - target) ** 2
print(f"z = {z:.4f}   a = {a:.4f}   loss = {loss:.6f}")

# %% [markdown] name="nudge-text"
# It says 0.73 and should say 0.2. Should `w` grow or shrink? Add a little to it, a *nudge*, and look:

# %% name="nudge"
print(" nudge   change of the loss   change / nudge")
for nudge in (1, 0.1, 0.01, 0.001):
    change = neuron_loss(w + nudge, b, x, target) - loss
    print(f"{nudge:6}   {change:18.8f}   {change / nudge:14.6f}")

# %% [markdown] name="slope-text"
# The smaller the nudge, the steadier the last column. The number on which it settles is the **slope** of the loss by `w`,
# also called the derivative. JAX finds it without any nudge: `jax.grad` makes of a function another one, which returns the
# slope by the first argument.

# %% name="slope"
slope = float(jax.grad(neuron_loss)(w, b, x, target))
print(f"slope = {slope:.6f}")

# %% [markdown] name="see-the-slope-text"
# It is positive: the loss grows with `w`, so `w` should shrink. Here is the loss for many weights. Very near to where the
# neuron stands, the curve is as good as a straight line, and the slope says how steep that line is.

# %% name="see-the-slope"
weights = np.linspace(-5, 5, 400)
losses = [neuron_loss(weight, b, x, target) for weight in weights]
near = np.array([w - 0.9, w + 1.1])

with style():
    figure, axes = plt.subplots(figsize=(7, 3.4))
    axes.plot(weights, losses, color=HAND, label="loss")
    axes.plot(near, loss + slope * (near - w), color=JAX, label=f"a line of slope {slope:.3f}")
    axes.plot(w, loss, "o", color=JAX, markersize=8)
    axes.annotate("you are here", (w, loss), (w + 0.5, loss - 0.03), color=INK)
    axes.set(xlabel="weight w", ylabel="loss", title="Which way is down, and how steep is it?")
    axes.legend(loc="lower right")
    plt.show()

# %% [markdown] name="ask-q1"
# {question chain_rule.q1}

# %% name="answer-q1" tags=["question"]
course.answer("chain_rule.q1", ...)

# %% [markdown] name="why-backward"
# Nudging costs one run of the network for each weight. A network of a million weights would run a million times to take a
# single step. A **backward pass** gives all slopes at once, and this is how it does it.

# %% [markdown] name="one-link-text"
# ## One operation
#
# Take `y = x**3`, whose slope is `3 * x**2`, and let `y` go on into something that ends in a loss. What it is does not
# matter, if somebody tells us one number: how fast the loss moves when `y` does. This number is called `y_bar`.
#
# Now nudge `x`. Then `y` moves `3 * x**2` times as far, and the loss moves `y_bar` times as far as `y`. So how fast the
# loss moves when `x` does, `x_bar`, is the product of the two.
#
# **`anything_bar` is the slope of the loss by that thing.** Textbooks write $\partial\,\mathrm{loss} / \partial x$ for `x_bar`, and
# call it the *cotangent* of `x`.

# %% [markdown] name="cube-text"
# Two functions make a *pair*. Forward returns the value, and the **residuals**: whatever it keeps for backward. Backward
# gets the residuals and `y_bar`, and returns one bar for each argument of forward, as a tuple. Here is the pair of the cube:


# %% name="cube" tags=["worked"]
def cube_fwd(x):
    y = x**3
    residuals = x
    return y, residuals


def cube_bwd(residuals, y_bar):
    x = residuals
    x_bar = y_bar * 3 * x**2
    return (x_bar,)


# %% [markdown] name="cube-test-text"
# Is it right? Let the loss be `5 * y`, so that `y_bar` is 5, and hold three answers against each other: the pair, JAX and
# a nudge. (`jax.vjp` runs a function forward, and returns its value and a backward pass that JAX has made.)

# %% name="cube-test"
y, residuals = cube_fwd(2.0)
print("by hand", cube_bwd(residuals, 5.0)[0])

y, backward = jax.vjp(lambda x: x**3, 2.0)
print("JAX    ", float(backward(5.0)[0]))

print("nudged ", (5 * 2.0001**3 - 5 * 2**3) / 0.0001)

# %% [markdown] name="square-text"
# ### Your turn: the square
#
# `square_fwd` is given. It returns `x**2`, and keeps `x`. This is what it does at 3, and what JAX says comes back to `x`
# when `y_bar` is 5:

# %% name="square-given"
from course.lessons.chain_rule import square, square_fwd

y, residuals = square_fwd(3.0)
print(f"y = {y}   residuals = {residuals}")

y, backward = jax.vjp(square, 3.0)
print(f"x_bar = {backward(5.0)[0]}")

# %% [markdown] name="square-turn"
# Put an expression where the `...` is, run the cell, then the one below it.

# %% name="your-square" tags=["exercise"]
from solutions.chain_rule import square_bwd

# %% name="check-square" tags=["check"]
course.check(square_bwd)

# %% [markdown] name="verdict-text"
# **Three independent checks agree** means: at numbers drawn at random, with a `y_bar` that is not 1, your numbers are those
# of JAX's backward pass, those of JAX's other way to a slope, from the front to the back, and those of nudges as above.
#
# And if yours is wrong? A second, different try is told more than the first, and a third more still. Stuck? In a terminal, in
# the folder of this notebook, `course hint chain_rule.square` gives a nudge; each exercise has up to three.

# %% [markdown] name="square-derivation"
# <details><summary>After you solved it: the derivation</summary>
#
# Nudge `x` by a little `n`: `(x + n)**2 = x**2 + 2 * x * n + n**2`. For small `n` the last term is smaller by far than the
# one before it, so `y` moves by `2 * x * n`: its slope is `2 * x`. The loss moves `y_bar` times as far as `y`.
#
#     x_bar = y_bar * 2 * x
#
# Backward needs `x` for that, so forward kept it. `y` would not do: 9 is the square of 3 and of -3, and the slopes there
# are 6 and -6.
# </details>

# %% [markdown] name="chain-text"
# ## A chain
#
# Two operations in a row: `u = sin(x)`, then `y = u**2`. Forward goes from left to right, backward from right to left, and
# each step is one that you know:
#
# - `u_bar` is `y_bar` times the slope of the square, taken at `u`;
# - `x_bar` is `u_bar` times the slope of the sine, which is the cosine, taken at `x`.
#
# The slope of one operation, at the number where it is used, is called its **local derivative**. Along a chain, local
# derivatives are **multiplied**; that is the chain rule:
#
# $$\frac{d\,y}{d\,x} = \frac{d\,y}{d\,u} \cdot \frac{d\,u}{d\,x}$$


# %% name="square-of-sine" tags=["worked"]
def square_of_sine_fwd(x):
    u = math.sin(x)
    return u**2, (x, u)


def square_of_sine_bwd(residuals, y_bar):
    x, u = residuals
    u_bar = y_bar * 2 * u
    x_bar = u_bar * math.cos(x)
    return (x_bar,)


y, residuals = square_of_sine_fwd(0.6)
print("by hand", square_of_sine_bwd(residuals, 1.0)[0])

y, backward = jax.vjp(lambda x: jnp.sin(x) ** 2, 0.6)
print("JAX    ", float(backward(1.0)[0]))

# %% [markdown] name="drawing-text"
# A picture helps. The next cell makes such pictures; you need not read it.

# %% name="drawing"
BOX = {"boxstyle": "round,pad=0.45,rounding_size=0.25", "facecolor": "none", "edgecolor": INK}


def draw(places, values, arrows, bars=None):
    """Draws numbers in boxes, arrows between them with a text on each, and the bars underneath."""
    with style():
        columns, rows = (max(place[i] for place in places.values()) for i in (0, 1))
        figure, axes = plt.subplots(figsize=(2 + 1.9 * columns, 0.9 + 1.3 * rows))
        axes.set(xlim=(-0.5, columns + 0.5), ylim=(-0.7 if bars else -0.3, rows + 0.3))
        axes.axis("off")
        boxes = {}
        for name, place in places.items():
            text = f"{name} = {values[name]:.3g}"
            boxes[name] = axes.text(*place, text, ha="center", va="center", bbox=BOX)
        for (start, end), text in arrows.items():
            ends = {"patchA": boxes[start], "patchB": boxes[end], "shrinkA": 9, "shrinkB": 9}
            look = {"arrowstyle": "-|>", "color": INK, **ends}
            axes.annotate("", places[end], places[start], arrowprops=look)
            middle = np.mean([places[start], places[end]], axis=0)
            axes.text(*(middle + [0, 0.09]), text, ha="center", va="bottom", color=HAND, fontsize=9)
        for name, bar in (bars or {}).items():
            x, y = places[name]
            text = f"{name}_bar = {bar:.3g}"
            axes.text(x, y - 0.5, text, ha="center", color=COLOURS[3], fontsize=9)
        plt.show()


# %% [markdown] name="see-the-chain-text"
# Values run along the arrows to the right, each arrow has its local derivative, and the bars
# underneath come back from the right: each is the one to its right times the local derivative between the two.

# %% name="see-the-chain" tags=["worked"]
x0 = 0.6
u0 = math.sin(x0)
du_dx, dy_du = math.cos(x0), 2 * u0

draw(
    places={"x": (0, 0), "u": (1, 0), "y": (2, 0)},
    values={"x": x0, "u": u0, "y": u0**2},
    arrows={("x", "u"): f"× {du_dx:.3g}", ("u", "y"): f"× {dy_du:.3g}"},
    bars={"x": 1 * dy_du * du_dx, "u": 1 * dy_du, "y": 1},
)

# %% [markdown] name="sine-of-square-text"
# ### Your turn: the other way round
#
# The same two operations, in the other order: `u = x**2`, then `y = sin(u)`. Forward is given and keeps `x` and `u`.

# %% name="sine-of-square-given"
from course.lessons.chain_rule import sine_of_square, sine_of_square_fwd

y, residuals = sine_of_square_fwd(1.5)
print(f"y = {y:.6f}   residuals = {residuals}")

y, backward = jax.vjp(sine_of_square, 1.5)
print(f"x_bar = {backward(5.0)[0]:.6f}   when y_bar is 5")

# %% [markdown] name="sine-of-square-turn"
# `math.cos`, `np.cos` and `jnp.cos` all do.

# %% name="your-sine-of-square" tags=["exercise"]
from solutions.chain_rule import sine_of_square_bwd

# %% name="check-sine-of-square" tags=["check"]
course.check(sine_of_square_bwd)

# %% [markdown] name="sine-of-square-derivation"
# <details><summary>After you solved it: the derivation</summary>
#
# The sine ran last, so backward begins with it. Its slope is the cosine, at the number of which the sine was taken: that is
# `u`, not `x`.
#
#     u_bar = y_bar * jnp.cos(u)
#
# From here on it is the exercise before this one, with `u_bar` in the place of `y_bar`.
#
#     x_bar = u_bar * 2 * x
# </details>

# %% [markdown] name="ask-q2"
# {question chain_rule.q2}

# %% name="answer-q2" tags=["question"]
course.answer("chain_rule.q2", ...)

# %% [markdown] name="sigmoid-text"
# ## The neuron
#
# Back to the neuron. Its chain has one operation that school did not have, sigmoid: `a = 1 / (1 + exp(-z))`. Write `e` for
# `exp(-z)`. When `z` grows, `e` shrinks at the rate `e`, and `1 / (1 + e)` grows at the rate `e / (1 + e)**2`. This can be
# said without `e`, since `a` is `1 / (1 + e)` and `1 - a` is `e / (1 + e)`:
#
# $$\frac{d\,a}{d\,z} = \frac{e}{(1 + e)^2} = \frac{1}{1 + e} \cdot \frac{e}{1 + e} = a \cdot (1 - a)$$
#
# The value of sigmoid says what its slope is.

# %% name="sigmoid-slope"
for z0 in (-4.0, 0.0, 1.0, 4.0):
    a0 = sigmoid(z0)
    nudged = (sigmoid(z0 + 1e-6) - a0) / 1e-6
    print(f"z = {z0:4}   a = {a0:.6f}   a * (1 - a) = {a0 * (1 - a0):.6f}   nudged: {nudged:.6f}")

# %% [markdown] name="neuron-chain-text"
# Here is the whole chain, with the local derivatives as numbers found by JAX, one operation at a time. Between `a` and the
# loss is `error = a - target`. The picture begins with two arrows, since `w` and `b` both go into `z`.

# %% name="see-the-neuron"
steps = {
    ("w", "z"): jax.grad(lambda w: w * x + b)(w),
    ("b", "z"): jax.grad(lambda b: w * x + b)(b),
    ("z", "a"): jax.grad(jax.nn.sigmoid)(z),
    ("a", "error"): jax.grad(lambda a: a - target)(a),
    ("error", "loss"): jax.grad(lambda error: 0.5 * error**2)(a - target),
}
line = {"z": (0.85, 0.5), "a": (1.85, 0.5), "error": (2.9, 0.5), "loss": (4, 0.5)}
draw(
    places={"w": (0, 1), "b": (0, 0), **line},
    values={"w": w, "b": b, "z": z, "a": a, "error": a - target, "loss": loss},
    arrows={ends: f"× {step:.3g}" for ends, step in steps.items()},
)
product = math.prod(step for (start, end), step in steps.items() if start != "b")
print(f"The numbers on the way from w to the loss, multiplied: {product:.6f}")
print(f"The slope that JAX found at the beginning:             {slope:.6f}")

# %% [markdown] name="neuron-turn"
# ### Your turn: the backward pass of the neuron
#
# Forward keeps `x`, `a` and `error`, and the bar that comes in is `loss_bar`. The loss is what comes last, so how could
# `loss_bar` be anything but 1? It is not last for ever: in a later lesson it is averaged with others. Multiply by it, and
# your pass is ready for that.
#
# `x` and `target` are data: nobody wants to change them, so their place in the answer is taken by `None`.

# %% name="neuron-given"
_, residuals = neuron_loss_fwd(w, b, x, target)
print("x = {}   a = {:.6f}   error = {:.6f}".format(*residuals))

w_bar, b_bar = jax.grad(neuron_loss, argnums=(0, 1))(w, b, x, target)
print(f"w_bar = {w_bar:.6f}   b_bar = {b_bar:.6f}   when loss_bar is 1")

# %% name="your-neuron-loss" tags=["exercise"]
from solutions.chain_rule import neuron_loss_bwd

# %% name="check-neuron-loss" tags=["check"]
course.check(neuron_loss_bwd)

# %% [markdown] name="neuron-derivation"
# <details><summary>After you solved it: the derivation, and what was kept</summary>
#
# From the last operation to the first, one product each. The slope of `0.5 * error**2` is `error`, since the half takes the
# 2 away; that is why it is there. `error = a - target` has slope 1 in `a`.
#
#     a_bar = loss_bar * error
#     z_bar = a_bar * a * (1 - a)
#
# In `z = w * x + b`, a nudge of `w` moves `z` by `x` times as much, and a nudge of `b` by just as much.
#
#     w_bar = z_bar * x
#     b_bar = z_bar
#
# Forward kept three numbers. `z` is not among them, since the slope of sigmoid could be had from `a`; nor is `w`, which only
# `x_bar` would need; nor `target`, which is in `error` already.
# </details>

# %% [markdown] name="three-layers-text"
# ### Three layers, seven links
#
# A network is this, again and again. Three neurons in a row, each fed by the one before:
#
#     z1 = w1 * x     a1 = sigmoid(z1)
#     z2 = w2 * a1    a2 = sigmoid(z2)
#     z3 = w3 * a2    a3 = sigmoid(z3)     loss = 0.5 * (a3 - target)**2
#
# From `loss` back to `w1` lead seven links. Books write their slopes as dL/da3, da3/dz3, dz3/da2 and so on. Here JAX gives
# each of them **alone**, at the numbers that forward met there; all that is left to do is to multiply.

# %% name="three-layers"
w1, w2, w3 = THREE_WEIGHTS
print("w1, w2, w3 =", THREE_WEIGHTS)


def three_layers(w1, w2, w3):
    a = x
    for weight in (w1, w2, w3):
        a = jax.nn.sigmoid(weight * a)
    return 0.5 * (a - target) ** 2


a1 = sigmoid(w1 * x)
a2 = sigmoid(w2 * a1)
a3 = sigmoid(w3 * a2)


def slope_of(function, at):
    return float(jax.grad(function)(at))


links = {
    "dL/da3": slope_of(lambda a3: 0.5 * (a3 - target) ** 2, a3),
    "da3/dz3": slope_of(jax.nn.sigmoid, w3 * a2),
    "dz3/da2": slope_of(lambda a2: w3 * a2, a2),
    "da2/dz2": slope_of(jax.nn.sigmoid, w2 * a1),
    "dz2/da1": slope_of(lambda a1: w2 * a1, a1),
    "da1/dz1": slope_of(jax.nn.sigmoid, w1 * x),
    "dz1/dw1": slope_of(lambda w1: w1 * x, w1),
}
so_far = 1.0
print("link         slope     product so far")
for name, link in links.items():
    so_far *= link
    print(f"{name:8} {link:9.5f}   {so_far:14.8f}")
print(f"\nJAX, of the whole: {jax.grad(three_layers)(w1, w2, w3):.8f}")

# %% [markdown] name="shared-part"
# The last column is the whole idea of a backward pass. Its second number is `z3_bar`: from there one more product gives
# `w3_bar`. Its fourth is `z2_bar`, and one more product gives `w2_bar`. Whoever computes each weight's slope from scratch
# multiplies the same numbers again and again; whoever goes backward once has them all.
#
# {question chain_rule.q7}

# %% name="answer-q7" tags=["question"]
course.answer("chain_rule.q7", ...)

# %% [markdown] name="three-layers-answer"
# <details><summary>As you would answer it in an interview: how does backpropagation use the chain rule, for three layers?</summary>
#
# "Forward computes each layer from the one before, `z = w * a` and then `a = sigmoid(z)`, and keeps what came out. The loss is a function of a
# function of a function, so its slope by an early number is a product of links, one for each step on the way:
#
#     dL/dw1 = dL/da3 * da3/dz3 * dz3/da2 * da2/dz2 * dz2/da1 * da1/dz1 * dz1/dw1
#
# dL/dw2 begins with the same four links, and dL/dw3 with the same two. Backpropagation computes each beginning once: it starts at the loss
# with 1, multiplies link after link, and passes each weight's share out on the way. It goes from the loss to the input because there is one
# loss and there are many weights; so it takes about as long as forward did, a small multiple of it, and not one pass for each weight. The slopes are taken at the
# numbers that forward met: that is why those are kept. Where a number is used twice, what comes back by its uses is added. With layers of
# many units the links become tables of slopes, called Jacobians, and the products those of a row with a table."
# </details>

# %% [markdown] name="downhill-text"
# ### What slopes are for
#
# If the loss grows with `w`, make `w` smaller, and the more so the steeper it is. Do the same with `b`, and repeat. This is
# *gradient descent*, and training is little more than that. Once your pass is right, it makes the steps below.

# %% name="downhill"
mine = course.solved(neuron_loss_bwd)


def bars(w, b):
    if mine:
        _, residuals = neuron_loss_fwd(w, b, x, target)
        return neuron_loss_bwd(residuals, 1.0)[:2]
    return jax.grad(neuron_loss, argnums=(0, 1))(w, b, x, target)


way = [(w, b)]
for _ in range(30):
    w_bar, b_bar = bars(*way[-1])
    way.append((way[-1][0] - w_bar, way[-1][1] - b_bar))

outputs = [float(jax.nn.sigmoid(w * x + b)) for w, b in way]
with style():
    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.1), layout="constrained")
    left.plot([neuron_loss(w, b, x, target) for w, b in way], "o-", color=HAND, markersize=3)
    left.set(title="loss", xlabel="step", ylim=(0, None))
    right.plot(outputs, "o-", color=HAND, markersize=3, label="what it says")
    right.axhline(target, color=JAX, label="what it should say")
    right.set(title="output of the neuron", xlabel="step", ylim=(0, 1))
    right.legend()
    plt.show()
print("The slopes are", "yours." if mine else "JAX's; run this again when your pass is right.")

# %% [markdown] name="ask-q3"
# More practice, on paper:
#
# {question chain_rule.q3}

# %% name="answer-q3" tags=["question"]
course.answer("chain_rule.q3", ...)

# %% [markdown] name="twice-text"
# ## Used twice
#
# So far every number was used once. What if `x` goes two ways? Take a product, `y = left * right`. When `left` is nudged and
# `right` held still, `y` moves `right` times as far, and the other way round:
#
# - `left_bar = y_bar * right`
# - `right_bar = y_bar * left`
#
# Now let both be the same `x`. Then `y` is `x**2`, and you know what should come out. Nudge only the left one, only the right
# one, and then `x` itself, which is both:

# %% name="twice"
x0, nudge = 3.0, 0.001
only_left = ((x0 + nudge) * x0 - x0 * x0) / nudge
only_right = (x0 * (x0 + nudge) - x0 * x0) / nudge
both = ((x0 + nudge) * (x0 + nudge) - x0 * x0) / nudge
print(f"left {only_left:.4f}   right {only_right:.4f}   both {both:.4f}")

# %% [markdown] name="twice-rule"
# What comes by the two ways is added: 3 and 3 make 6, the slope of the square at 3. When `x` moves, both factors move, and
# each adds its own part to the change of `y`. (The 0.001 that is left over is the nudge; it goes away as the nudge does.)
#
# **Along a path, multiply. Used twice, add.** There is no third rule.

# %% [markdown] name="swish-turn"
# ### Your turn: swish
#
# `swish` multiplies a number by its own sigmoid: `a = sigmoid(x)`, `y = x * a`. Large numbers pass, very negative ones do not.
# Many networks have it between their layers. Forward keeps `x` and `a`.

# %% name="swish-given"
from course.lessons.chain_rule import swish, swish_fwd

y, residuals = swish_fwd(1.0)
print("y = {:.6f}   x = {}   a = {:.6f}".format(y, *residuals))

y, backward = jax.vjp(swish, 1.0)
print(f"x_bar = {backward(5.0)[0]:.6f}   when y_bar is 5")

# %% name="your-swish" tags=["exercise"]
from solutions.chain_rule import swish_bwd

# %% name="check-swish" tags=["check"]
course.check(swish_bwd)

# %% [markdown] name="swish-derivation"
# <details><summary>After you solved it: the derivation</summary>
#
# One `x` is a factor of the product. It gets `y_bar` times the other factor.
#
#     direct = y_bar * a
#
# The other factor is `a`. It gets `y_bar` times `x`, and passes it on through the sigmoid, whose slope you know.
#
#     a_bar = y_bar * x
#     by_way_of_a = a_bar * a * (1 - a)
#
# It was one `x` all along. Used twice, add.
#
#     x_bar = direct + by_way_of_a
# </details>

# %% [markdown] name="see-two-paths-text"
# What do the two paths bring, for every `x`? To see them apart, JAX is asked about `left * sigmoid(right)`, with `left` and
# `right` set to the same number. (`jax.vmap` calls a function of one number for every number of an array.)

# %% name="see-two-paths"
xs = jnp.linspace(-6, 6, 300)


def parted(left, right):
    return left * jax.nn.sigmoid(right)


by_path = [jax.vmap(jax.grad(parted, argnums=i))(xs, xs) for i in (0, 1)]

with style():
    figure, (left, right) = plt.subplots(1, 2, figsize=(8.6, 3.3), layout="constrained")
    left.plot(xs, jax.vmap(swish)(xs), color=HAND)
    left.set(title="swish", xlabel="x", ylabel="y")
    right.plot(xs, by_path[0], color=COLOURS[2], linestyle="--", label="straight from the product")
    right.plot(xs, by_path[1], color=COLOURS[3], linestyle=":", label="by way of sigmoid")
    right.plot(xs, by_path[0] + by_path[1], color=HAND, label="both: the slope of swish")
    right.set(title="what comes back, when y_bar is 1", xlabel="x", ylabel="x_bar")
    right.legend(fontsize=8)
    plt.show()

# %% [markdown] name="ask-q4"
# {question chain_rule.q4}

# %% name="answer-q4" tags=["question"]
course.answer("chain_rule.q4", ...)

# %% [markdown] name="forked-text"
# ## Paths that fork and meet
#
# The last one has no new rule, but all of it at once:
#
#     u = w * x
#     v = x + u
#     d = 1 + u**2
#     y = v / d
#
# `x` is used twice, and so is `u`.

# %% name="see-the-forks"
from course.lessons.chain_rule import forked, forked_fwd

y0, (x0, w0, u0, v0, d0) = forked_fwd(1.0, 0.5)
draw(
    places={"x": (0, 2), "w": (0, 0), "u": (1, 1), "v": (2, 2), "d": (2, 0), "y": (3, 1)},
    values={"x": x0, "w": w0, "u": u0, "v": v0, "d": d0, "y": y0},
    arrows=dict.fromkeys(("xu", "wu", "xv", "uv", "ud", "vy", "dy"), ""),
)

# %% [markdown] name="forked-order"
# Go backward through the picture, against the arrows. A number has its bar when **everything** that it went into has sent its
# share back; only then may it pass something on. So `u` has to wait for both `v` and `d`.
#
# A quotient has two slopes: `1 / d` by `v`, and `-v / d**2` by `d`.

# %% [markdown] name="forked-turn"
# ### Your turn: the hard one
#
# This time no line is given. Begin by taking the residuals apart, as in the exercises above, and return `(x_bar, w_bar)`.

# %% name="forked-given"
x_bar, w_bar = jax.grad(forked, argnums=(0, 1))(1.0, 0.5)
print(f"x_bar = {x_bar:.6f}   w_bar = {w_bar:.6f}   at x = 1, w = 0.5, when y_bar is 1")

# %% name="your-forked" tags=["exercise"]
from solutions.chain_rule import forked_bwd

# %% name="check-forked" tags=["check"]
course.check(forked_bwd)

# %% [markdown] name="forked-derivation"
# <details><summary>After you solved it: the derivation</summary>
#
# The quotient ran last, and `v` and `d` went nowhere else.
#
#     v_bar = y_bar / d
#     d_bar = -y_bar * v / d**2
#
# `u` went into `v = x + u`, with slope 1, and into `d = 1 + u**2`, with slope `2 * u`. Used twice, add.
#
#     u_bar = v_bar + d_bar * 2 * u
#
# Now `u` is complete and may pass it on: `u = w * x` is a product.
#
#     w_bar = u_bar * x
#
# `x` went into that product and into `v`.
#
#     x_bar = v_bar + u_bar * w
#
# Five lines, one for each number that is not the end, however many paths there are from `x` to `y`.
# </details>

# %% [markdown] name="many-paths-text"
# ## However many paths
#
# Could you not list every path from `x` to `y`, multiply along each, and add? In `forked` there are three, so yes. Now put
# forks in a row: each line below uses the `u` before it twice, so the number of paths doubles with every line.
#
#     u = sin(u) + 0.5 * u**2          again and again


# %% name="many-paths"
def slopes_of(lines, at):
    """For each line the slopes of its two paths, at the numbers that forward meets there."""
    found = []
    for _ in range(lines):
        found.append((math.cos(at), at))
        at = math.sin(at) + 0.5 * at**2
    return found


def by_paths(slopes):
    """Every path for itself: returns the slope of the whole, and how many products that took."""
    if not slopes:
        return 1.0, 0
    first, *rest = slopes
    total, products = 0.0, 0
    for each in first:
        onward, taken = by_paths(rest)
        total += each * onward
        products += taken + 1
    return total, products


def by_sweep(slopes):
    """From the last line to the first, keeping one number: what came back so far."""
    bar, products = 1.0, 0
    for left, right in reversed(slopes):
        bar = bar * left + bar * right
        products += 2
    return bar, products


sizes = range(1, 15)
counts = [(by_paths(slopes_of(n, 0.5)), by_sweep(slopes_of(n, 0.5))) for n in sizes]
print("lines   paths   slope by paths   slope by sweep   products by paths   by sweep")
for n, ((one, many), (other, few)) in zip(sizes, counts, strict=True):
    if n in (1, 2, 3, 7, 14):
        print(f"{n:5}   {2**n:5}   {one:14.9g}   {other:14.9g}   {many:17}   {few:8}")

with style():
    figure, axes = plt.subplots(figsize=(5.6, 3.2), layout="constrained")
    axes.semilogy(sizes, [paths[1] for paths, _ in counts], "o-", color=COLOURS[3], markersize=3, label="path by path")
    axes.semilogy(sizes, [sweep[1] for _, sweep in counts], "o-", color=HAND, markersize=3, label="one sweep backward")
    axes.set(title="the same slope", xlabel="lines, each with a fork", ylabel="products")
    axes.legend()
    plt.show()

# %% [markdown] name="many-paths-rule"
# Both give the same number to the last digit shown. The sweep adds up what comes to a `u` **before** it passes anything on, so
# that everything behind it is done once and not once a path. Computer scientists call this dynamic programming: keep what was
# computed, and compute nothing twice. It is why a backward pass costs a small multiple of the forward pass, however deep the
# network and however tangled its paths; `cost_of_backprop` counts it.
#
# Step through three of these lines: play it, or use the arrow keys. Blue are the values on their way forward, orange what
# comes back.


# %% name="step-through"
def three_forks(x):
    u = x
    for _ in range(3):
        u = jnp.sin(u) + 0.5 * u**2
    return u


course.show_graph(three_forks, 0.5)

# %% [markdown] name="ask-q6"
# {question chain_rule.q6}

# %% name="answer-q6" tags=["question"]
course.answer("chain_rule.q6", ...)

# %% [markdown] name="in-your-own-words"
# ## In your own words
#
# {question chain_rule.text}

# %% name="answer-text" tags=["question"]
course.answer("chain_rule.text", ...)

# %% [markdown] name="mistake-text"
# ## Which mistake is this?
#
# Somebody else wrote one of this lesson's backward passes. Theirs does not come out right. Take one column of the numbers below and redo it on
# paper, bar by bar from the end: what must have happened for just these to come out?

# %% [markdown] name="ask-q5"
# {question chain_rule.q5}

# %% name="mistake" tags=["shown"]
course.show_mistake("chain_rule.q5", draw=0)

# %% name="answer-q5" tags=["question"]
course.answer("chain_rule.q5", ...)

# %% [markdown] name="what-you-have"
# ## What you have now
#
# - `x_bar` is how fast the loss moves when `x` does.
# - A backward pass goes through the operations of forward from the last to the first. Each passes on the bar of its result
#   times its own slope, taken at the numbers that forward met there and kept: the residuals.
# - Along a path, multiply. Used twice, add.
#
# All of deep learning's backward passes are made of this. Next: `numerical_gradients`, where you check slopes by nudging. In
# `vector_chain_rule`, after that, the numbers become arrays; the two rules stay as they are.

# %% [markdown] name="sources"
# ## Sources
#
# - A. Griewank, A. Walther, *Evaluating Derivatives*, second edition, SIAM, 2008, chapter 3: backward mode, and the notation
#   with bars. [doi:10.1137/1.9780898717761](https://doi.org/10.1137/1.9780898717761)
# - D. E. Rumelhart, G. E. Hinton, R. J. Williams, *Learning representations by back-propagating errors*, Nature 323, 1986.
#   [doi:10.1038/323533a0](https://doi.org/10.1038/323533a0)
# - P. Ramachandran, B. Zoph, Q. V. Le, *Searching for Activation Functions*, 2017: swish.
#   [arXiv:1710.05941](https://arxiv.org/abs/1710.05941)
