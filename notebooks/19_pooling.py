# %% [markdown] name="title"
# # Pooling, and a whole network that sees
#
# **A seven stays a seven when it moves by a pixel. How does a network learn not to mind?**
#
# It may keep, of every four neighbours, only the largest, and forget which of them it was: that is max-pooling. Forward may forget. Backward has to know:
# what comes back goes to the one that was picked. With this one piece added to your own convolutions, relus, affine maps and losses you have a whole network that reads
# handwriting, and at the end of this lesson you have trained it, with a backward pass of which every line is yours.

# %% name="imports"
import time

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import optax
from jax import lax

from course.comparison.residuals import residual_bytes
from course.lessons.convolution import conv_2d
from course.lessons.mlp import Layer
from course.lessons.pooling import (
    BLOCKS,
    SIDE,
    Cnn,
    Convolution,
    Pool,
    average_pool,
    blocks,
    cnn,
    cnn_loss,
    init_cnn,
    keeping_size,
    max_pool,
    overlapping_max_pool,
    places,
)
from course.show import plots
from course.training.data import digits

np.set_printoptions(precision=3, suppress=True)

# %% [markdown] name="blocks"
# ## A picture, block by block
#
# Cut a picture into blocks of 2 x 2 pixels and put one number in the place of each block: the mean of the four, or the largest. The picture gets half as high and half as
# wide, and all that comes after has a quarter of the work.
#
# | | formula | in words |
# |---|---|---|
# | `average_pool` | `y[n, r, c, o] = (x[n, 2r, 2c, o] + x[n, 2r, 2c+1, o] + x[n, 2r+1, 2c, o] + x[n, 2r+1, 2c+1, o]) / 4` | how much of it is there? |
# | `max_pool` | `y[n, r, c, o] = max` of the same four | is it there at all? |
#
# Each channel goes by itself. `blocks(x)` shows the same numbers with six axes, of which axes 2 and 4 count the rows and columns within a block; `SIDE` is 2.

# %% name="pool-forward"
x = np.float32([[1, 2, 0, 3], [3, 0, 1, 1], [5, 4, 2, 2], [4, 7, 2, 2]]).reshape(1, 4, 4, 1)
print("x:\n", x[0, :, :, 0])
print(f"seen as blocks of {SIDE} x {SIDE}:", blocks(x).shape)
print("average_pool:\n", np.asarray(average_pool(x))[0, :, :, 0])
print("max_pool:\n", np.asarray(max_pool(x))[0, :, :, 0])

# %% [markdown] name="by-jax"
# What comes back, says JAX, when the four numbers of `y` get 1, 10, 100 and 1000?

# %% name="pulled-back"
y_bar = np.float32([[1, 10], [100, 1000]]).reshape(1, 2, 2, 1)
for pool in (average_pool, max_pool):
    (x_bar,) = jax.jit(lambda x, y_bar, pool=pool: jax.vjp(pool, x)[1](y_bar))(x, y_bar)
    print(f"{pool.__name__}: x_bar =\n", np.asarray(x_bar)[0, :, :, 0])

# %% [markdown] name="read-pulled-back"
# The mean spreads what comes to a block evenly over it. The maximum sends all of it to one pixel: the others could have been a little larger or smaller, and `y` would be what it is. Look at
# the last block, though, where all four pixels are 2. We come back to it.
#
# ### A neighbour: the mean of pairs
#
# Along one axis: `y[t] = (x[2t] + x[2t + 1]) / 2`. Each `x` is in one `y`, with the factor 1/2. *Summed forward, copied backward*: each `y_bar[t] / 2` is written twice, side by side.

# %% name="mean-of-pairs" tags=["worked"]
pairs_bar = np.float32([1, 10, 100])
print("by hand:", np.repeat(pairs_bar / 2, 2))
print("by JAX: ", np.asarray(jax.vjp(lambda x: x.reshape(3, 2).mean(axis=1), np.float32(range(6)))[1](pairs_bar)[0]))

# %% [markdown] name="average-turn"
# ### Your turn: the average of blocks
#
# The same, along two axes of four. `jnp.repeat(array, 2, axis=...)` writes every entry twice, side by side. What must forward keep? If the answer is nothing, let it be an empty tuple.

# %% name="your-average" tags=["exercise"]
from solutions.pooling import average_pool_bwd, average_pool_fwd

# %% name="check-average" tags=["check"]
course.check(average_pool_fwd, average_pool_bwd)

# %% [markdown] name="derive-average"
# <details><summary>After you solved it: the derivation</summary>
#
# A pixel is a quarter of one `y`, so `y_bar / SIDE**2` comes back to each of the four. A sum's backward is a copy, along the rows and along the columns of the block.
# The mean is linear: what comes back doesn't depend on `x`, and the shape of `x` is that of `y_bar`, doubled. So nothing is kept at all.
#
# And overlapping windows? Their mean is a convolution whose kernel holds the same number everywhere: you have its backward pass from `convolution`.
# </details>

# %% [markdown] name="ties"
# ## When several are the largest
#
# Back to the block of four equal numbers. A picture has many such blocks: paper is white, and white is everywhere the same. What is the slope of `max(a, b)` where `a` and `b` are equal?
# If `a` grows, `y` grows with it; if it shrinks, `y` stays. There is no slope, and every program follows a convention. Here are two, of functions with the same values:


# %% name="show-ties"
def by_view(x):
    """The largest of each block, by jnp.max over a reshaped view."""
    return jnp.max(blocks(x), axis=(2, 4))


block = np.float32([[3, 5], [2, 5]]).reshape(1, 2, 2, 1)
one = np.full((1, 1, 1, 1), 12, np.float32)
for name, pool in (("lax.reduce_window", max_pool), ("jnp.max", by_view)):
    (x_bar,) = jax.jit(lambda x, y_bar, pool=pool: jax.vjp(pool, x)[1](y_bar))(block, one)
    print(f"{name:18} y = {np.ravel(pool(block))}   x_bar =", np.ravel(x_bar))
for step in (-0.001, 0.001):
    moved = block.copy()
    moved[0, 0, 1, 0] += step
    print(f"the first 5 moved by {step:6}: y = {max_pool(moved).item():.3f}")

# %% [markdown] name="convention"
# `jnp.max` shares equally. `lax.reduce_window`, of which the course's `max_pool` is made, gives everything to the **first of the largest in reading order**, row by row; PyTorch does so as well. Neither is
# wrong, and in total the same comes back. But a network trained by one is, after a while, another one than that trained by the other. **The course takes the first**, and your pair is
# asked for that.
#
# {question pooling.q1}

# %% name="answer-q1" tags=["question"]
course.answer("pooling.q1", ...)

# %% [markdown] name="max-turn"
# ### Your turn: the largest of each block
#
# Do not look for the place of the largest number block by block. Go through the four *places of a block* in reading order, and treat all blocks at once. `places(BLOCKS, y.shape)` lists four indices, and
# `x[place]` has the shape of `y`: of each block it is the pixel at that place.

# %% name="show-places"
for place in places(BLOCKS, y_bar.shape):
    print(f"rows {place[1].start}::2, columns {place[2].start}::2   x[place] =", np.ravel(x[place]))

# %% [markdown] name="max-turn-2"
# At which of these is a pixel equal to its block's `y`? And how do you see to it that a block picks only once? A boolean array with one entry for each block can remember
# that; `&`, `|` and `~` work on whole arrays. What forward keeps may take no more than `y` does, besides `x`, which is an argument.

# %% name="your-max" tags=["exercise"]
from solutions.pooling import max_pool_bwd, max_pool_fwd

# %% name="check-max" tags=["check"]
course.check(max_pool_fwd, max_pool_bwd)

# %% [markdown] name="derive-max"
# <details><summary>After you solved it: the derivation</summary>
#
# In a block exactly one pixel has slope 1, the others have 0: the first that equals `y`. For each place in turn
#
#     picked = open_still & (x[place] == y)        # the largest, and nobody before it was picked
#     open_still = open_still & ~picked
#
# and `jnp.where(picked, y_bar, 0)` is what comes to that place of every block. Since blocks share no pixel, nothing has to be added: the four arrays are laid
# side by side again, `SIDE` by `SIDE`, which is a stack, a transpose and a reshape.
#
# (In its table the verdict says that central differences are off here: a part of its pictures is full of ties, where there is no slope to find.)
#
# Kept are `x` and `y`. A mask as large as `x` would do, but comparing again costs less than writing the mask and reading it.
# </details>

# %% [markdown] name="overlap"
# ## Windows that overlap
#
# The windows need not lie side by side. The network that won the ImageNet contest in 2012 took windows of 3 x 3 pixels, two apart: each shares a row or column with its neighbours. A
# `Pool` has a `size` and a `stride`, for rows and for columns, and like a convolution's window it is no array.

# %% name="overlap-forward"
wide = Pool((3, 3), (2, 2))
peak = np.float32([[0, 1, 2, 0, 0], [3, 0, 1, 0, 1], [0, 1, 9, 2, 0], [0, 2, 0, 1, 3], [1, 0, 2, 0, 0]]).reshape(
    1, 5, 5, 1
)
print("y:\n", np.asarray(overlapping_max_pool(peak, wide))[0, :, :, 0])
(x_bar,) = jax.jit(lambda x, y_bar: jax.vjp(lambda x: overlapping_max_pool(x, wide), x)[1](y_bar))(peak, y_bar)
print("x_bar:\n", np.asarray(x_bar)[0, :, :, 0])

# %% [markdown] name="overlap-turn"
# The 9 is in all four windows, and the largest of each. *Used four times: add.* A well-known exercise set tests its pooling only with windows that do not overlap, so that `=` in the
# place of `+=` passes. Yours is tested with windows that do.
#
# ### Your turn: windows that share pixels
#
# `places(pool, y.shape)` lists the places within a window as before. At one place, the pixels of different windows are different ones; those of different
# places may be the same. The pool has no cotangent: `None`.

# %% name="your-overlapping" tags=["exercise"]
from solutions.pooling import overlapping_max_pool_bwd, overlapping_max_pool_fwd

# %% name="check-overlapping" tags=["check"]
course.check(overlapping_max_pool_fwd, overlapping_max_pool_bwd)

# %% [markdown] name="derive-overlapping"
# <details><summary>After you solved it: the derivation</summary>
#
# `picked` is found as for blocks. Then `x_bar = x_bar.at[place].add(jnp.where(picked, y_bar, 0))`, for one place after the other, starting from zeros. With `BLOCKS` for the pool it is `max_pool`'s
# backward again; `max_pool` has a program of its own only because laying arrays side by side is cheaper than adding to zeros four times.
# </details>

# %% [markdown] name="picture-words"
# ## Where it goes
#
# A handwritten digit, the largest of each of its blocks, and what comes back to its pixels when all `y_bar` are 1: by the mean, by the two conventions at ties, and by windows of 3 x 3.

# %% name="draw-where-it-goes"
pictures = np.float32(digits().train[0].reshape(-1, 8, 8, 1))
digit = pictures[400:401]
WAYS = {
    "average": average_pool,
    "maximum, the first": max_pool,
    "maximum, shared": by_view,
    "3 x 3, two apart": lambda x: overlapping_max_pool(x, wide),
}


def ones_back(x):
    """What comes back to x, each way, when all of y_bar is 1."""
    return [jax.grad(lambda x, pool=pool: pool(x).sum())(x) for pool in WAYS.values()]


with plots.style():
    figure, panels = plt.subplots(1, 6, figsize=(12, 2.5), layout="constrained")
    shown = [digit, max_pool(digit), *jax.jit(ones_back)(digit)]
    for axes, title, picture in zip(panels, ("the digit", "max_pool", *WAYS), shown, strict=True):
        signal = title in ("the digit", "max_pool")
        axes.imshow(
            np.asarray(picture)[0, :, :, 0], cmap="gray" if signal else "Blues", vmin=0, vmax=1 if signal else 2
        )
        axes.set(title=title, xticks=[], yticks=[])
        axes.grid(visible=False)
    plt.show()

# %% [markdown] name="read-where-it-goes"
# White paper is 0 here, and drawn black. On it whole blocks tie: the first convention has one dark pixel in the upper left corner of each, the second a pale block. Windows of 3 x 3 give
# some pixels 2, and leave the last row and column out: they reach only as far as they fit.
#
# ## What it costs, and where there is something to be won
#
# Time, now, on your machine: forward and backward of one pooling, a batch of 64 pictures of 28 x 28 pixels with 16 channels. In processor time, the best of twenty runs.


# %% name="measure-the-cost"
def seconds(run, *arrays, rounds=20):
    """Processor time of the best of some rounds, after one that compiles."""
    jax.block_until_ready(run(*arrays))
    best = np.inf
    for _ in range(rounds):
        start = time.process_time()
        jax.block_until_ready(run(*arrays))
        best = min(best, time.process_time() - start)
    return best


def both_ways(pool):
    """The value, and what comes back, by JAX."""

    @jax.jit
    def run(x, y_bar):
        y, pull = jax.vjp(pool, x)
        return y, pull(y_bar)

    return run


@jax.jit
def by_your_pair(x, y_bar):
    y, residuals = max_pool_fwd(x)
    return y, max_pool_bwd(residuals, y_bar)


rng = np.random.default_rng(0)
large = np.float32(rng.standard_normal((64, 28, 28, 16)))
large_bar = np.float32(rng.standard_normal((64, 14, 14, 16)))
ways = {"jax.vjp of reduce_window": both_ways(max_pool), "jax.vjp of jnp.max": both_ways(by_view)}
if course.solved(max_pool_fwd, max_pool_bwd):
    ways["your pair"] = by_your_pair
for name, run in ways.items():
    print(f"{name:25} {1e3 * seconds(run, large, large_bar):6.2f} ms")
if course.solved(max_pool_fwd, max_pool_bwd):
    kept = residual_bytes(max_pool_fwd, jax.ShapeDtypeStruct(large.shape, jnp.float32))
    print(f"bytes of x: {large.nbytes}, kept beside it by your pair: {kept}")

# %% [markdown] name="read-the-cost"
# JAX's rule for `reduce_window` is an operation named `select_and_scatter`: for every window it looks for the largest again, one number after the other, and adds to one place of
# memory. It is right for windows of all kinds. Yours knows more: blocks share no pixel, so each `x_bar` is written once, from one comparison, many at a time. *Nothing was searched, nothing was added up.* On the
# machines where this was written forward and backward together took a fifth to a tenth of the time. `jnp.max` over a view lies between: it counts in each block how many tie, and divides.
#
# So here writing it by hand pays: not because JAX's derivative is wrong or does more FLOPs, but because its program is for the general case, and you have a special one.
#
# ## A whole network
#
# A **convolutional network** repeats: convolve, pool, relu. Pictures get smaller and channels more, until what is left is laid out as one row per picture and an affine map
# reads the classes from it. Parameters are a tree: a `Convolution(w, b)` for each convolution in a list, and a `Layer(w, b)` for the readout.

# %% name="network-forward"
params = init_cnn(jax.random.key(0), (8, 8), (1, 6, 12), 10)
first, second = (Convolution(layer.w.shape, layer.b.shape) for layer in params.convolutions)
shapes = Cnn([first, second], Layer(params.readout.w.shape, params.readout.b.shape))
print(*shapes.convolutions, shapes.readout, sep="\n")
print("height and width are kept by", keeping_size(params.convolutions[0].w))
print("logits of three pictures:", jax.jit(cnn)(params, pictures[:3]).shape)

# %% [markdown] name="ask-q2"
# Before you write it, a question on the order within a layer.
#
# {question pooling.q2}

# %% name="answer-q2" tags=["question"]
course.answer("pooling.q2", ...)

# %% [markdown] name="cnn-turn"
# ### Your turn (hard): the network's loss, and its gradient
#
# No new derivative is needed: every part is one that you wrote. Beside `max_pool`, which is above, here are the others. If one of them is missing, the check says so:
# finish it in its own lesson, then come back.

# %% name="your-parts"
from solutions.convolution import conv_2d_bwd, conv_2d_fwd
from solutions.linear_and_activations import affine_bwd, affine_fwd, relu_bwd, relu_fwd
from solutions.losses import softmax_cross_entropy_bwd, softmax_cross_entropy_fwd

parts = {
    "conv_2d": (conv_2d_fwd, conv_2d_bwd),
    "max_pool": (max_pool_fwd, max_pool_bwd),
    "relu": (relu_fwd, relu_bwd),
    "affine": (affine_fwd, affine_bwd),
    "softmax_cross_entropy": (softmax_cross_entropy_fwd, softmax_cross_entropy_bwd),
}
print("a network of", len(parts), "pairs:", ", ".join(parts))

# %% [markdown] name="cnn-turn-2"
# `keeping_size(layer.w)` is the window under which a convolution keeps height and width. As in `mlp`: forward calls each `fwd` in
# turn and puts the residuals aside without looking into them; backward calls each `bwd` in the opposite order, and the cotangent that one returns is what the one before it is given.
#
# One thing is new: between the last relu and the readout, forward lays pictures out as rows, `x.reshape(len(x), -1)`. What undoes that on the way back, and what must it know?
# (A shape by itself can't be kept: under `jit` the numbers among the residuals are traced, and no shape can be made of them. Keep an array that has it.)

# %% name="your-cnn" tags=["exercise"]
from solutions.pooling import cnn_loss_bwd, cnn_loss_fwd

# %% name="check-cnn" tags=["check"]
course.check(cnn_loss_fwd, cnn_loss_bwd)

# %% [markdown] name="derive-cnn"
# <details><summary>After you solved it: the derivation</summary>
#
# | forward | backward |
# |---|---|
# | for each convolution: `conv_2d`, `max_pool`, `relu` | `softmax_cross_entropy_bwd`, then `affine_bwd` |
# | reshape to rows | reshape to pictures |
# | `affine`, then `softmax_cross_entropy` | for each convolution from the last: `relu_bwd`, `max_pool_bwd`, `conv_2d_bwd` |
#
# A reshape moves no number, so its backward is the reshape to the old shape. The parameters' cotangents come out last convolution first, and `[::-1]` turns them round.
#
# `conv_2d_bwd` of the first convolution makes a cotangent of the pictures that nobody asks for. Under `jax.jit` that is dead code and is not computed.
# </details>

# %% [markdown] name="convolutions-words"
# ## Where there is nothing to be won
#
# Pooling was the general rule's to lose. What is left of the time is convolutions, and there `jax.grad` runs what you run: `conv_2d` forward, one convolution for `x_bar` and one for `w_bar`. The
# two layers of a network for pictures of 28 x 28, 64 at a time, forward alone:

# %% name="time-the-convolutions"
for side, (channels, filters) in ((28, (1, 8)), (14, (8, 16))):
    x = np.float32(rng.standard_normal((64, side, side, channels)))
    layer = Convolution(np.float32(rng.standard_normal((3, 3, channels, filters))), np.zeros(filters, np.float32))
    forward = jax.jit(lambda x, layer: conv_2d(x, layer.w, layer.b, keeping_size(layer.w)))
    took, flops = seconds(forward, x, layer), 2 * x.size * layer.w.size / channels
    print(
        f"{channels} to {filters:2} channels: {flops / 1e6:4.1f} MFLOP in {1e3 * took:.2f} ms, {1e-9 * flops / took:.0f} GFLOP/s"
    )

# %% [markdown] name="read-the-convolutions"
# With one channel in, the compiler's convolution has one number to multiply at each place of the kernel, and is far from what the processor can do. No backward pass of yours changes that. With the pooling spelled as `jnp.max` over
# a view, JAX's training step takes about a sixth more time than yours. PyTorch, which brings convolutions of its own, takes less: 0.6 to 0.85 of yours on the machines where this was written.

# %% [markdown] name="train-words"
# ## It learns
#
# Train it: digits of 8 x 8 pixels, Adam, 200 steps of 64 pictures, all in one `scan`. If your pair is right, the gradient is yours; until then JAX's.

# %% name="train"
STEPS, BATCH = 200, 64
train, test = digits().train, digits().test
images, labels = np.float32(train[0].reshape(-1, 8, 8, 1)), train[1]
by_you = course.solved(cnn_loss_fwd, cnn_loss_bwd)
optimizer = optax.adam(1e-2)


def loss_and_gradient(params, x, labels):
    """The loss and its gradient, by your pair where it is right."""
    if not by_you:
        return jax.value_and_grad(cnn_loss)(params, x, labels)
    loss, residuals = cnn_loss_fwd(params, x, labels)
    return loss, cnn_loss_bwd(residuals, jnp.ones(()))[0]


@jax.jit
def learn(params, images, labels, batches):
    """The parameters after all batches, and the loss of each."""

    def step(state, rows):
        params, memory = state
        loss, gradient = loss_and_gradient(params, images[rows], labels[rows])
        updates, memory = optimizer.update(gradient, memory)
        return (optax.apply_updates(params, updates), memory), loss

    (params, _), losses = lax.scan(step, (params, optimizer.init(params)), batches)
    return params, losses


batches = rng.integers(0, len(images), (STEPS, BATCH))
trained, losses = learn(params, images, labels, batches)
predicted = np.argmax(jax.jit(cnn)(trained, np.float32(test[0].reshape(-1, 8, 8, 1))), axis=-1)
print("gradient:", "yours" if by_you else "by JAX")
print(f"loss at the start {losses[0]:.2f}, over the last 20 steps {losses[-20:].mean():.3f}")
print(f"test pictures read rightly: {100 * np.mean(predicted == test[1]):.1f} %")

# %% [markdown] name="see-words"
# Which pixels speak for the class that the network names? That is a cotangent as well: of one logit, back to the picture. `cnn_loss_bwd` returned `None` there, for training has no use for it. Here JAX fills it in. The pixels
# that would raise the logit if they were darker ink are blue, those that would lower it red.

# %% name="draw-what-it-sees"
seen = np.float32(test[0].reshape(-1, 8, 8, 1))[::52][:6]
slopes = jax.jit(jax.grad(lambda x: jnp.max(cnn(trained, x), axis=-1).sum()))(seen)
with plots.style():
    figure, panels = plt.subplots(2, 7, figsize=(12, 3.6), layout="constrained", width_ratios=[1, 1, 1, 1, 1, 1, 2.2])
    for column, (picture, slope, name) in enumerate(zip(seen, np.asarray(slopes), predicted[::52], strict=False)):
        panels[0, column].imshow(picture[:, :, 0], cmap="gray_r", vmin=0, vmax=1)
        panels[0, column].set_title(f"read as {name}")
        panels[1, column].imshow(slope[:, :, 0], cmap="RdBu", vmin=-np.abs(slope).max(), vmax=np.abs(slope).max())
    for axes in panels[:, :6].flat:
        axes.set(xticks=[], yticks=[])
        axes.grid(visible=False)
    for axes in panels[:, 6]:
        axes.remove()
    curve = figure.add_subplot(panels[0, 6].get_gridspec()[:, 6])
    curve.semilogy(losses, color=plots.HAND if by_you else plots.JAX)
    curve.set(title="loss, in nats", xlabel="step")
    plt.show()

# %% [markdown] name="in-your-own-words"
# ## In your own words
#
# {question pooling.text}

# %% name="answer-text" tags=["question"]
course.answer("pooling.text", ...)

# %% [markdown] name="which-mistake"
# ## Which mistake is this?
#
# Somebody else wrote a backward pass of this lesson. Write down which pixel of each block should get what, and compare.

# %% [markdown] name="ask-q3"
# {question pooling.q3}

# %% name="somebody-elses" tags=["shown"]
course.show_mistake("pooling.q3", draw=0)

# %% name="answer-q3" tags=["question"]
course.answer("pooling.q3", ...)

# %% [markdown] name="what-you-have"
# ## What you have now
#
# - A mean's backward copies, divided by the number of pixels; nothing is kept.
# - A maximum's backward sends everything to the pixel that was picked. At a tie that is a convention: here the first in reading order, as in `lax.reduce_window` and PyTorch; `jnp.max` shares.
# - Windows that overlap may pick the same pixel: add.
# - A general rule may be slow where you know more: blocks share no pixel, so there is nothing to search and nothing to add up.
# - A network that reads handwriting, and its gradient, made of your own pairs alone.
#
# ## Sources
#
# - Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-Based Learning Applied to Document Recognition", Proceedings of the IEEE 86(11), 1998.
# - D. Scherer, A. Müller, S. Behnke, "Evaluation of Pooling Operations in Convolutional Architectures for Object Recognition", 2010.
# - A. Krizhevsky, I. Sutskever, G. Hinton, "ImageNet Classification with Deep Convolutional Neural Networks", 2012: overlapping windows.
# - K. Simonyan, A. Vedaldi, A. Zisserman, "Deep Inside Convolutional Networks", 2013, arXiv:1312.6034: the slope of a class with respect to the pixels.
# - XLA's documentation of `SelectAndScatter`: https://openxla.org/xla/operation_semantics#selectandscatter
#
# Next: `recurrent`, whose windows are moments in time.
