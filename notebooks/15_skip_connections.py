# %% [markdown] name="title"
# # Skip connections: a path without factors, and blocks dropped by a coin
#
# **A network of 56 layers did worse than one of 20, on the very data it was trained on. What did one plus sign change?**
#
# That was found in 2015, and more layers should never hurt: the 36 that are too many could learn to do nothing. But to do nothing is
# hard to learn, layer after layer. K. He and his colleagues made it the easiest thing: each block *adds* something to what it was given, and
# where it adds nothing, that goes on as it came. Soon after, networks had a thousand layers.
#
# The plus sign opens a path for the gradient, too, and you write it: one block, then a hundred of them under a byte budget. You find out what
# it promises, and what it doesn't; where to put a norm, and why it matters so much. Then randomness comes in: dropout, and whole blocks that
# a coin leaves out. Their backward pass has a rule of its own: **the same coins**.

# %% name="imports"
import itertools

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import optax

from course.comparison.residuals import residual_bytes, vjp_residual_bytes
from course.lessons.linear_and_activations import relu
from course.lessons.normalization import rms_norm
from course.lessons.skip_connections import (
    coins,
    dropout,
    gradient_norms,
    post_norm_block,
    pre_norm_block,
    skip_block,
    skip_stack,
    stochastic_depth,
)
from course.show import plots

jax.config.update("jax_enable_x64", True)  # in float32 some of what comes is too large
np.set_printoptions(precision=4, suppress=True)

# %% [markdown] name="one-unit"
# ## Layers of one unit
#
# Three layers, each with one number: first as they were so far, $h \leftarrow f(h)$, then with a skip connection, $h \leftarrow h + f(h)$. Let $a$, $b$
# and $c$ be the slopes of the three $f$. The derivatives of the whole:
#
# $$a \cdot b \cdot c \qquad\qquad (1 + a)(1 + b)(1 + c)$$
#
# Multiply the second one out, and you get a sum of eight terms, one for each way through: at every layer you go through $f$, or past it.

# %% name="eight-paths"
slopes = {"a": 0.3, "b": -0.5, "c": 0.2}


def with_skips(x):
    for slope in slopes.values():
        x = x + slope * x
    return x


total = 0.0
for taken in itertools.product([False, True], repeat=3):
    names = [name for name, through in zip(slopes, taken, strict=True) if through]
    term = float(np.prod([slopes[name] for name in names]))
    total += term
    print(f"through {' '.join(names) or 'none':6} {term:7.3f}")
print(f"together       {total:7.3f}")
print(f"JAX            {jax.grad(with_skips)(1.0):7.3f}")

# %% [markdown] name="one-unit-words"
# Without skip connections only the last way is there, the product of all. With them there is always the first one: **a path past everything, with no factor on
# it at all.** Now a hundred layers:
#
# {question skip_connections.q1}

# %% name="answer-q1" tags=["question"]
course.answer("skip_connections.q1", ...)

# %% [markdown] name="block"
# ## A block
#
# Layers of `d` units. What is added is the block's *branch*: here a product and a relu. (Published ones have two products, or
# an attention; the plus sign is the same.)
#
# $$\mathtt{branch} = \mathtt{relu}(x \, w) \qquad\qquad y = x + \mathtt{branch}$$
#
# The branch must give as many numbers as it gets, or they can't be added: so `w` is square. In small numbers, with JAX's cotangents:

# %% name="block-by-jax"
x = np.array([[1.0, 2.0], [-1.0, 1.0]])
w = np.array([[1.0, -2.0], [0.0, 3.0]])
y_bar = np.array([[1.0, 0.0], [0.0, 10.0]])
y, pullback = jax.vjp(jax.jit(skip_block), x, w)
x_bar, w_bar = pullback(y_bar)
for name, array in {"branch": y - x, "y": y, "y_bar": y_bar, "x_bar": x_bar, "w_bar": w_bar}.items():
    print(f"{name:6}", np.asarray(array).tolist())

# %% [markdown] name="block-neighbour"
# A neighbour, to see the one new thing: $y = x + x^2$, number by number. `x` is used twice, by itself and by the square. By itself it gets
# `y_bar` as it is; by the square `2 * x * y_bar`. *Used twice, add:*

# %% name="neighbour" tags=["worked"]
numbers, numbers_bar = np.array([1.0, -2.0, 0.5]), np.array([1.0, 1.0, 10.0])
print("by hand:", numbers_bar + 2 * numbers * numbers_bar)
print("by JAX: ", jax.vjp(jax.jit(lambda x: x + x**2), numbers)[1](numbers_bar)[0])

# %% [markdown] name="block-turn"
# ### Your turn: a block with a skip connection
#
# The branch is what you have written before, an affine layer without its bias and a relu. What does relu need to know on the way back? As ever, its slope at
# 0 is 0.

# %% name="your-block" tags=["exercise"]
from solutions.skip_connections import skip_block_bwd, skip_block_fwd

# %% name="check-block" tags=["check"]
course.check(skip_block_fwd, skip_block_bwd)

# %% [markdown] name="derive-block"
# <details><summary>After you solved it: the derivation, and what was kept</summary>
#
# A sum hands `y_bar` to both of its sides. Through the branch: relu lets it pass where it was on, `z_bar = jnp.where(on, y_bar, 0)`; the product gives
# `w_bar = x.T @ z_bar`, and to `x` it gives `z_bar @ w.T`. Over the skip connection comes `y_bar` itself:
#
#     x_bar = y_bar + z_bar @ w.T
#
# Kept: `x` and `w`, which are there anyway, and where relu was on, a byte for each number. `z` itself would be four or eight.
# The skip connection needs nothing at all: its slope is always 1.
# </details>

# %% [markdown] name="stack"
# ## A hundred blocks
#
# `skip_stack(x, w)` sends `x` through one block after the other, with the weights of all of them stacked, as a `jax.lax.scan`. Since a scan stacks whatever is
# put on record, a pair for one block makes a pair for the stack, almost for nothing: put what `fwd` keeps on record, and hand it to `bwd` in
# reverse. Here for a neighbour, blocks without weights, $h \leftarrow h + h^2 / 4$:


# %% name="scanned-pair" tags=["worked"]
def square_block_fwd(h):
    return h + h**2 / 4, h


def square_block_bwd(h, y_bar):
    return y_bar + y_bar * h / 2


def towards_the_end(h, _):
    return square_block_fwd(h)  # what goes to the next block, and what is put on record


def towards_the_start(h_bar, kept):
    return square_block_bwd(kept, h_bar), None


start = jnp.array([0.5, -1.0])
end, kept = jax.lax.scan(towards_the_end, start, length=3)
start_bar, _ = jax.lax.scan(towards_the_start, jnp.ones(2), kept, reverse=True)
print("kept of three blocks:", kept.shape)
print("by hand:", start_bar)
print("by JAX: ", jax.grad(lambda h: jax.lax.scan(towards_the_end, h, length=3)[0].sum())(start))

# %% [markdown] name="stack-turn"
# ### Your turn (hard): a deep stack of blocks
#
# With weights the forward scan runs over `w`, and its function gets one block's weights with each `h`; on the way back they are needed once more, and
# the cotangents of all weights come out as a record. The budget: what entered each block, and one byte for each relu. The weights
# themselves are an argument: handed to backward as they came, they cost nothing.

# %% name="your-stack" tags=["exercise"]
from solutions.skip_connections import skip_stack_bwd, skip_stack_fwd

# %% name="check-stack" tags=["check"]
course.check(skip_stack_fwd, skip_stack_bwd)

# %% [markdown] name="derive-stack"
# <details><summary>After you solved it: the derivation</summary>
#
# On record goes `(h, on)`, and the residuals are `(w, before, on)`. Backward scans these three in reverse, begins with `y_bar`, carries
# `h_bar + z_bar @ weights.T` to the block before, and puts `h.T @ z_bar` on record. It is `skip_block_bwd` between two lines of scan.
#
# Look at what is carried. Without skip connections it is `z_bar @ weights.T`: at each layer all of it goes through a matrix and a relu. Here
# that is *added* to what is carried anyway.
#
# What entered each block and a byte for each relu is what JAX keeps of these blocks, too: relu's own rule asks for no more.
#
# As with the neighbour, your pair for one block would do all the work: `jax.lax.scan(skip_block_fwd, x, w)` is the whole of forward. And backward
# is a scan of `lambda h_bar, kept: skip_block_bwd(kept, h_bar)` over what that has kept, in reverse.
# </details>

# %% name="stack-bytes-yours"
if course.solved(skip_stack_fwd, skip_stack_bwd):
    shapes = jax.ShapeDtypeStruct((32, 256), jnp.float32), jax.ShapeDtypeStruct((100, 256, 256), jnp.float32)
    print(
        f"a hundred blocks of 256 units, 32 rows: you keep {residual_bytes(skip_stack_fwd, *shapes) / 1e6:.1f} MB,",
        end=" ",
    )
    print(
        f"JAX {vjp_residual_bytes(skip_stack, *shapes) / 1e6:.1f} MB; the weights are {100 * 256 * 256 * 4 / 1e6:.1f} MB"
    )

# %% [markdown] name="hundred-layers"
# ## A hundred layers, measured
#
# Does it help? The norm of the gradient at what each layer was given, through a hundred layers of 64 units. Plain relu layers at the left, with skip
# connections at the right. The weights are drawn at random, with a standard deviation of `size / sqrt(64)`. (Here and below, JAX's
# derivatives stand in for yours until those are right.)

# %% name="draw-two"
LAYERS, WIDTH = 100, 64
rng = np.random.default_rng(0)
ws = rng.standard_normal((LAYERS, WIDTH, WIDTH)) / WIDTH**0.5
x_deep, y_bar_deep = rng.standard_normal((2, 16, WIDTH))
SIZES = {"0.5": 0.5, "1": 1.0, "1.41": 2**0.5}
ONE = np.ones(WIDTH)


def yours(primal, fwd, bwd):
    """The course's function with your derivative, once that is right."""
    return course.as_jax(fwd, bwd) if course.solved(fwd, bwd) else primal


def norms_by_layer(blocks):
    """The norm of the gradient at each layer's input: for each block, by name, one row for each size of the weights."""

    @jax.jit
    def norms(which, size):
        def block(h, w):
            return jax.lax.switch(which, list(blocks.values()), h, w)  # one program for all blocks

        return gradient_norms(block, x_deep, size * ws, y_bar_deep)

    return {name: np.array([norms(i, size) for size in SIZES.values()]) for i, name in enumerate(blocks)}


def draw_norms(axes, norms, title):
    for (name, by_layer), colour, width in zip(
        zip(SIZES, norms, strict=True), plots.COLOURS[:3], (5, 3, 1.2), strict=True
    ):
        axes.semilogy(np.arange(1, LAYERS + 1), by_layer, color=colour, linewidth=width, label=name)
    axes.set(title=title, xlabel="layer, 1 is the first", ylim=(1e-47, 1e33))


your_skip_block = yours(skip_block, skip_block_fwd, skip_block_bwd)
measured = norms_by_layer({"plain": lambda h, w: relu(h @ w), "skip connections": your_skip_block})
with plots.style():
    figure, panels = plt.subplots(1, 2, figsize=(9.5, 3.4), sharey=True, layout="constrained")
    for axes, (name, norms) in zip(panels, measured.items(), strict=True):
        draw_norms(axes, norms, name)
    panels[0].set_ylabel("norm of the gradient")
    panels[0].legend(title="size of the weights", loc="upper left")
    plt.show()
for name, norms in measured.items():
    print(f"{name:17} first layer over last:", ", ".join(f"{first / last:.1e}" for first, last in norms[:, [0, -1]]))

# %% [markdown] name="read-two"
# Nothing vanishes any more. But look where the right panel goes: *up*, by a factor of $10^{7}$ to $10^{22}$. What each branch sends back is added, and it
# is not small: from block to block the sum grows, and sums of sums grow exponentially. Forward does the same, and `h` grows with it.
#
# A path without factors is a promise about vanishing, and not about exploding.
#
# {question skip_connections.q2}

# %% name="answer-q2" tags=["question"]
course.answer("skip_connections.q2", ...)

# %% [markdown] name="where-the-norm"
# ## Where to put the norm
#
# `normalization` has the tool for sizes that run away. There are two places for it, and they look like a matter of taste:
#
# | | formula | the norm stands on |
# |---|---|---|
# | pre-norm | $y = x + \mathtt{relu}(\mathtt{rms\_norm}(x, \mathtt{scale}) \, w)$ | the branch |
# | post-norm | $y = \mathtt{rms\_norm}(x + \mathtt{relu}(x \, w), \mathtt{scale})$ | everything |
#
# The first transformers were post-norm, nearly all of today's are pre-norm. Follow `y_bar` back to `x` in both of them: what does it meet?
#
# ### Your turn: a norm on the branch
#
# Your own RMS norm does its part, and the next cell brings it here. If it is not right yet, finish `normalization` first.

# %% name="your-norm"
from solutions.normalization import rms_norm_bwd, rms_norm_fwd

print(
    "rms_norm", "ready" if course.solved(rms_norm_fwd, rms_norm_bwd) else "not right yet: finish it in its own lesson"
)

# %% name="your-pre-norm" tags=["exercise"]
from solutions.skip_connections import pre_norm_block_bwd, pre_norm_block_fwd

# %% name="check-pre-norm" tags=["check"]
course.check(pre_norm_block_fwd, pre_norm_block_bwd)

# %% [markdown] name="derive-pre-norm"
# <details><summary>After you solved it: the derivation</summary>
#
# The branch from its end: `z_bar = jnp.where(on, y_bar, 0)`. The product's input was not `x` but `normed`: so `w_bar = normed.T @ z_bar` and
# `normed_bar = z_bar @ w.T`. That goes into `rms_norm_bwd(kept_norm, normed_bar)`, which gives the branch's part for `x`, and `scale_bar`. Last,
# `x_bar = y_bar + through_branch`: the skip connection begins before the norm, so what comes over it does not see the norm.
# </details>

# %% [markdown] name="post-norm-turn"
# ### More practice: a norm on everything
#
# Two pairs of yours in a row: your block, then your norm. Four lines of code, two of them backward.

# %% name="your-post-norm" tags=["exercise"]
from solutions.skip_connections import post_norm_block_bwd, post_norm_block_fwd

# %% name="check-post-norm" tags=["check"]
course.check(post_norm_block_fwd, post_norm_block_bwd)

# %% [markdown] name="derive-post-norm"
# <details><summary>After you solved it</summary>
#
# `h_bar, scale_bar = rms_norm_bwd(kept_norm, y_bar)`, then `x_bar, w_bar = skip_block_bwd(kept_block, h_bar)`. Whatever goes back, over the skip connection too,
# goes through `rms_norm_bwd` first.
# </details>

# %% [markdown] name="four-words"
# All four, side by side. Guess first: which place for the norm makes it level?

# %% name="draw-four"
your_pre_norm = yours(pre_norm_block, pre_norm_block_fwd, pre_norm_block_bwd)
your_post_norm = yours(post_norm_block, post_norm_block_fwd, post_norm_block_bwd)
with_norm = {
    "norm on everything (post)": lambda h, w: your_post_norm(h, ONE, w),
    "norm on the branch (pre)": lambda h, w: your_pre_norm(h, ONE, w),
}
measured |= norms_by_layer(with_norm)
with plots.style():
    figure, panels = plt.subplots(1, 4, figsize=(13, 3.6), sharey=True, layout="constrained")
    for axes, (name, norms) in zip(panels, measured.items(), strict=True):
        draw_norms(axes, norms, name)
    panels[0].set_ylabel("norm of the gradient")
    panels[0].legend(title="size of the weights", loc="upper left", fontsize=8)
    plt.show()
for name, norms in measured.items():
    print(f"{name:26} first layer over last:", ", ".join(f"{first / last:.1e}" for first, last in norms[:, [0, -1]]))

# %% [markdown] name="read-four"
# On the branch the norm makes all level: over a hundred layers a factor of a few. On everything it cures the explosion, and the
# gradient vanishes again, though the same norm stands in as many places.
#
# Why? Look at the skip connection alone. Take each branch for a constant, which sends nothing back, so that only the path past all branches is left:

# %% name="highway-alone"
still = jax.lax.stop_gradient
alone = {
    "skip connections": lambda h, w: h + still(relu(h @ w)),
    "norm on the branch (pre)": lambda h, w: h + still(relu(rms_norm(h, ONE) @ w)),
    "norm on everything (post)": lambda h, w: rms_norm(h + still(relu(h @ w)), ONE),
}
of_all = jax.jit(lambda: {name: gradient_norms(block, x_deep, ws, y_bar_deep) for name, block in alone.items()})()
for name, norms in of_all.items():
    print(f"{name:26} past all branches: first layer over last {float(norms[0]) / float(norms[-1]):.1e}")

# %% [markdown] name="read-highway"
# In post-norm the path is not free. At each block the sum `x + branch` is larger than `x`, and the norm divides it back to size: a factor of
# about 0.7 on the whole path, a hundred times. Branches add to what comes back, but not as much as the norm takes away. In pre-norm
# nobody divides what goes over the skip connections. The price: `h` grows from block to block, and a late branch weighs less beside it.
#
# And so they train, or don't. A hundred layers of 16 units are to follow a curve, by Adam; a last norm stands in front of the read-out
# of both. (With that norm at the end, bare skip connections are the very same function as post-norm, by the way: a relu hands factors through, so it makes no
# difference where one divides.)


# %% name="draw-training"
@jax.jit
def train(which):
    """The loss, step by step, of a hundred layers on a curve."""
    draw = np.random.default_rng(2)
    at = np.linspace(-2, 2, 32)
    target = np.sin(3 * at)
    h_in = np.stack([at, np.ones(32)], axis=1) @ draw.standard_normal((2, 16))
    params = jnp.asarray(draw.standard_normal((LAYERS, 16, 16)) / 4), jnp.asarray(draw.standard_normal(16) / 4)
    optimizer = optax.adam(0.001)

    def loss_of(params):
        ws, w_out = params
        h, _ = jax.lax.scan(lambda h, w: (jax.lax.switch(which, list(ways.values()), h, w), None), h_in, ws)
        return jnp.mean((rms_norm(h, one16) @ w_out - target) ** 2)

    def step(carry, _):
        params, state = carry
        loss, grads = jax.value_and_grad(loss_of)(params)
        updates, state = optimizer.update(grads, state)
        return (optax.apply_updates(params, updates), state), loss

    return jax.lax.scan(step, (params, optimizer.init(params)), length=150)[1]


one16 = np.ones(16)
ways = {
    "norm on everything (post)": lambda h, w: your_post_norm(h, one16, w),
    "norm on the branch (pre)": lambda h, w: your_pre_norm(h, one16, w),
}
with plots.style():
    figure, axes = plt.subplots(figsize=(8, 3.2), layout="constrained")
    for which, (name, colour) in enumerate(zip(ways, (plots.JAX, plots.HAND), strict=True)):
        losses = np.asarray(train(which))
        axes.semilogy(losses, color=colour, label=f"{name}: {losses[-1]:.2g} at the end")
    axes.set(title="a hundred layers, trained by Adam", xlabel="step", ylabel="loss")
    axes.legend(loc="lower left", fontsize=8)
    plt.show()

# %% [markdown] name="read-training"
# A loss of 0.5 is that of a network that says 0 whatever it is asked. Post-norm networks do train when the branches are made small at the start, or
# the rate is warmed up very carefully: that is what the first transformers needed. Pre-norm just starts.
#
# ## Dropout: the derivative of something random
#
# Now something else that lives in such blocks. In training, dropout sets each number to 0 with probability `rate`, so that no unit can rely on
# one other alone, and divides what is kept by `1 - rate`.
#
# $$y = \begin{cases} x / (1 - \mathtt{rate}) & \text{where the coin says keep} \\ 0 & \text{elsewhere} \end{cases}$$
#
# How do you differentiate a coin? You don't. The coins come from a **key**, and a key is an argument like any other:
# `coins(key, rate, shape)` gives the same booleans each time it is given the same key.

# %% name="coins"
key, other_key = jax.random.key(0), jax.random.key(1)
for name, which in {"key": key, "key again": key, "another key": other_key}.items():
    print(f"{name:12}", np.asarray(coins(which, 0.4, (8,))).astype(int))
x = np.arange(1.0, 9.0)
print("x           ", x)
print("y           ", dropout(key, x, 0.4))

# %% [markdown] name="dropout-by-jax"
# For one key, dropout is a fixed function of `x`: each number is multiplied by a number that is known. So it has a derivative like everything else. A key has
# none: in place of a cotangent JAX returns an empty placeholder (`float0`), and a pair returns `None`. The rate is a setting here: `None`, too.

# %% name="dropout-pulled-back"
y, pullback = jax.vjp(lambda x: dropout(key, x, 0.4), x)
print("y_bar = ones, x_bar =", pullback(jnp.ones(8))[0])

# %% [markdown] name="noise-neighbour"
# A neighbour: noise that multiplies, $y = x \cdot \mathtt{noise}$ with normal numbers. Backward multiplies by the same noise. It can be kept, at 8 bytes a number;
# or the key is kept, and the same noise drawn once more:


# %% name="noise" tags=["worked"]
def noisy_fwd(key, x):
    return x * jax.random.normal(key, x.shape), key


def noisy_bwd(key, y_bar):
    return None, y_bar * jax.random.normal(key, y_bar.shape)


noisy_y, kept = noisy_fwd(key, x[:4])
print("by hand:", noisy_bwd(kept, jnp.ones(4))[1])
print("by JAX: ", jax.grad(lambda x: (x * jax.random.normal(key, x.shape)).sum())(x[:4]))

# %% [markdown] name="dropout-turn"
# ### Your turn: dropout
#
# Under a budget of one byte a number: the coins as they are, booleans; or nothing but the key. The course's `coins` is imported above.

# %% name="your-dropout" tags=["exercise"]
from solutions.skip_connections import dropout_bwd, dropout_fwd

# %% name="check-dropout" tags=["check"]
course.check(dropout_fwd, dropout_bwd)

# %% [markdown] name="derive-dropout"
# <details><summary>After you solved it: the derivation, and two ways to keep coins</summary>
#
# With the coins given, `y` is `x` times 0 or times `1 / (1 - rate)`; so `x_bar = jnp.where(kept, y_bar, 0) / (1 - rate)`. It is dropout itself, of
# `y_bar`, with the same coins: `dropout(key, y_bar, rate)` would be the same.
#
# Kept as booleans the coins are a byte each. Kept as a key they are nothing, since the key is an argument; but they are drawn twice. JAX keeps a
# floating number beside each coin. Asked for the rate's cotangent as well, which nobody wants, it keeps another one.
# </details>

# %% name="dropout-bytes"
shapes = key, jax.ShapeDtypeStruct((32, 768), jnp.float32), 0.1
fixed = vjp_residual_bytes(lambda key, x: dropout(key, x, 0.1), *shapes[:2])
print(f"JAX keeps, for each number of x: {fixed / (32 * 768):.1f} bytes;", end=" ")
print(f"for the rate's cotangent, too: {vjp_residual_bytes(dropout, *shapes) / (32 * 768):.1f}")
if course.solved(dropout_fwd, dropout_bwd):
    print(f"you keep: {residual_bytes(dropout_fwd, *shapes) / (32 * 768):.1f}")

# %% [markdown] name="same-coins-words"
# What if backward draws with another key? A square of 24 by 24 ones, rate 0.3, `y_bar` of ones. What is dark got 0. In the right panel, orange marks what is wrong:
# numbers that were dropped and get something all the same, and numbers that counted and get nothing.

# %% name="draw-same-coins"
square = np.ones((24, 24))
there = jax.jit(lambda key: dropout(key, square, 0.3))
back = jax.jit(lambda key: jax.vjp(lambda x: dropout(key, x, 0.3), square)[1](square)[0])
forward = np.asarray(there(key)) > 0
backward = {name: np.asarray(back(which)) > 0 for name, which in {"same key": key, "another key": other_key}.items()}
with plots.style():
    figure, panels = plt.subplots(1, 3, figsize=(9.5, 3.4), layout="constrained")
    shown = {"y": forward, **{f"x_bar, {name}": kept for name, kept in backward.items()}}
    for axes, (name, kept) in zip(panels, shown.items(), strict=True):
        axes.imshow(kept, cmap="cividis", vmin=0, vmax=1)
        wrong = kept != forward
        axes.plot(*np.argwhere(wrong).T[::-1], "s", color=plots.COLOURS[3], markersize=5)
        axes.set(title=f"{name}: {wrong.mean():.0%} wrong" if name != "y" else name, xticks=[], yticks=[])
        axes.grid(False)
    plt.show()

# %% [markdown] name="evaluation"
# A gradient whose coins are others is the gradient of a function that was never computed. Training with it still goes downhill, on average, which is why
# nobody notices.
#
# When the network is used later, nothing is dropped: evaluation is `y = x`, with no key and no rate. Does that fit to what training has seen?
#
# {question skip_connections.q3}

# %% name="answer-q3" tags=["question"]
course.answer("skip_connections.q3", ...)

# %% name="measured-moments"
many = np.asarray(dropout(key, np.tile([1.0, 2.0, -3.0], (10_000, 1)), 0.2))  # 10,000 rows, all alike
print("x = [1, 2, -3]: mean of y", many.mean(axis=0), "  variance", many.var(axis=0))

# %% [markdown] name="stochastic-depth"
# ## Whole blocks, dropped by a coin
#
# With skip connections one can go further: leave out a whole branch. What is left of the block is `y = x`. G. Huang and others did so in 2016,
# trained 1202 layers, and saved a quarter of the time. The coin is thrown once for each row here, so that an example goes through a
# network of its own:
#
# $$\mathtt{branch} = \begin{cases} \mathtt{relu}(x \, w) / (1 - \mathtt{rate}) & \text{where the row's coin says keep} \\ 0 & \text{elsewhere} \end{cases} \qquad\qquad y = x + \mathtt{branch}$$

# %% name="depth-by-jax"
x = np.array([[1.0, 2.0], [3.0, 1.0], [-1.0, 1.0]])
y, pullback = jax.vjp(jax.jit(lambda x: stochastic_depth(key, x, w, 0.5)), x)
print("coins of the rows:", np.asarray(coins(key, 0.5, (3, 1)))[:, 0].astype(int))
print("y - x:            ", np.asarray(y - x).tolist())
print("x_bar for ones:   ", np.asarray(pullback(np.ones((3, 2)))[0]).tolist())

# %% [markdown] name="depth-turn"
# ### Your turn: stochastic depth
#
# Ask two things of a row that was dropped: what does `y` come from there, and what has `w` got to do with it? The budget is a byte for each number, and
# one for each row.

# %% name="your-depth" tags=["exercise"]
from solutions.skip_connections import stochastic_depth_bwd, stochastic_depth_fwd

# %% name="check-depth" tags=["check"]
course.check(stochastic_depth_fwd, stochastic_depth_bwd)

# %% [markdown] name="derive-depth"
# <details><summary>After you solved it: the derivation</summary>
#
# The coins and the rate are on the branch, and nowhere else. A number of `z` counts where its row was kept *and* its relu is on:
# `on = kept & (z > 0)`, which is all that needs to be kept of either. Then `z_bar = jnp.where(on, y_bar, 0) / (1 - rate)`, and from there it is your block:
# `w_bar = x.T @ z_bar`, to which rows that were dropped add nothing, and `x_bar = y_bar + z_bar @ w.T`, which in such rows is `y_bar`.
# </details>

# %% [markdown] name="depth-words"
# How deep is a network of a hundred such blocks? Usually the rate rises with depth: the first block is nearly always there, the last one half of the time. For each
# of 2000 rows, count the blocks that are kept. Each block has a key of its own, split from one:

# %% name="draw-depth"
rates = np.linspace(0.0, 0.5, LAYERS)
keys = jax.random.split(jax.random.key(5), LAYERS)
kept = np.asarray(jax.jit(jax.vmap(lambda key, rate: coins(key, rate, (2000,))))(keys, rates))
depths = kept.sum(axis=0)
expected = float((1 - rates).sum())
with plots.style():
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 3.2), layout="constrained", width_ratios=(3, 2))
    left.imshow(kept[:, :40].T, cmap="cividis", aspect="auto", interpolation="none", extent=(0.5, 100.5, 40, 0))
    left.set(title="40 rows on their way; dark blocks are dropped", xlabel="block", ylabel="row")
    left.grid(False)
    right.hist(depths, bins=np.arange(depths.min(), depths.max() + 2) - 0.5, color=plots.HAND)
    right.axvline(expected, color=plots.JAX, linewidth=2)
    right.set(xlabel="blocks kept, of 100", ylabel="rows")
    right.set(title=f"{depths.mean():.1f} on average, {expected:.1f} expected")
    plt.show()

# %% [markdown] name="why-by-hand"
# **Why write this by hand?** Here it pays. Whoever recomputes activations to save memory runs dropout's forward pass a second time, and must see to it that the same coins fall;
# libraries with a hidden random state store it and put it back for that. And a fused kernel for a block is a rule of your own, coins included. With a key as an argument,
# you have seen all there is to it.
#
# ## In your own words
#
# {question skip_connections.text}

# %% name="answer-text" tags=["question"]
course.answer("skip_connections.text", ...)

# %% [markdown] name="name-the-mistake"
# ## Which mistake is this?
#
# Somebody's pass, beside the right numbers: of a block, of dropout, or of stochastic depth. Where there are coins, `kept` shows them, 1 for what was kept. Look
# first at numbers that were dropped, then at what those that were kept are multiplied by.

# %% [markdown] name="ask-q4"
# {question skip_connections.q4}

# %% name="somebody-elses" tags=["shown"]
course.show_mistake("skip_connections.q4", draw=0)

# %% name="answer-q4" tags=["question"]
course.answer("skip_connections.q4", ...)

# %% [markdown] name="what-you-have"
# ## What you have now
#
# - A block adds: what comes back over the skip connection is `y_bar` itself, and what the branch sends is added to it.
# - A path without factors promises that nothing vanishes, not that nothing explodes: for that, put a norm on the branch, and not on the sum.
# - A pair for one block makes a pair for a stack: two scans, and what `fwd` keeps is the record.
# - For one key, what is random is a fixed function. Backward needs the same coins: kept, or drawn again from the same key.
#
# ## Sources
#
# - K. He, X. Zhang, S. Ren, J. Sun, "Deep Residual Learning for Image Recognition", 2015, arXiv:1512.03385: 20 and 56 layers; and "Identity Mappings in Deep
#   Residual Networks", 2016, arXiv:1603.05027: a thousand layers, and why nothing should stand on the skip connection.
# - A. Veit, M. Wilber, S. Belongie, "Residual Networks Behave Like Ensembles of Relatively Shallow Networks", 2016, arXiv:1605.06431: the sum over paths.
# - R. Xiong and others, "On Layer Normalization in the Transformer Architecture", 2020, arXiv:2002.04745: pre-norm and post-norm, and the warm-up.
# - N. Srivastava, G. Hinton, A. Krizhevsky, I. Sutskever, R. Salakhutdinov, "Dropout: A Simple Way to Prevent Neural Networks from Overfitting", 2014.
# - G. Huang, Y. Sun, Z. Liu, D. Sedra, K. Weinberger, "Deep Networks with Stochastic Depth", 2016, arXiv:1603.09382.
#
# Next: `exploding_gradients`, where factors are above 1, and the same weights come again at every step.
