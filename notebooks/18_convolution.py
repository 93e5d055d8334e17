# %% [markdown] name="title"
# # Convolutions, whose backward pass is two convolutions
#
# **Nine numbers, slid over a photograph, find every edge in it. Who finds the nine numbers?**
#
# A layer that treats every place of a picture alike needs very few weights: the same small kernel is laid on each window, multiplied,
# added up, and moved on. Networks that see are made of it. Its backward pass has a reputation: flipped kernels, inserted
# zeros, paddings that nobody can remember. All of that follows from two questions, *which windows read this pixel?* and *which pixels did
# this weight meet?*, and at the end each cotangent is one convolution again: as fast as the forward pass, in one call each.

# %% name="imports"
import time

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
from jax import lax

from course.comparison.methods import method_counts
from course.comparison.residuals import residual_bytes
from course.lessons.convolution import (
    GROUPS,
    Window,
    conv_1d,
    conv_2d,
    grouped_conv_1d,
    read_places,
    slide,
    transposed_conv_1d,
)
from course.show import plots
from course.training.data import digits

np.set_printoptions(precision=3, suppress=True)

# %% [markdown] name="sliding"
# ## A kernel that slides
#
# Begin with one axis: a signal `x`, and a kernel `w` of three numbers. Lay the kernel on the first three numbers of `x`, multiply
# number by number, add up: that is `y[0]`. Move it by one place, and again.
#
# $$y[t] = w[0] \cdot x[t] + w[1] \cdot x[t + 1] + w[2] \cdot x[t + 2]$$
#
# (In mathematics a convolution turns the kernel round first. In deep learning nobody does, and the name stayed.) Here is a
# kernel that takes the next but one number away from twice this one:

# %% name="slide-forward"
x = np.float32([1, 2, 0, 3, 3, -1, 2])
w = np.float32([2, 0, -1])
print("x:", x)
print("y:", np.asarray(jax.jit(slide)(x, w)))

# %% [markdown] name="slide-by-jax"
# Five windows fit, so `y` has five numbers. What comes back, says JAX, when only one of them matters, or two?

# %% name="slide-pulled-back"
pull = jax.jit(lambda x, w, y_bar: jax.vjp(slide, x, w)[1](y_bar))
for y_bar in np.float32([[0, 0, 1, 0, 0], [0, 0, 1, 1, 0]]):
    x_bar, w_bar = (np.asarray(bar) for bar in pull(x, w, y_bar))
    print("y_bar:", y_bar, "  x_bar:", x_bar, "  w_bar:", w_bar)

# %% [markdown] name="read-slide"
# In the first line, only the window at 2, 3 and 4 matters: to these places of `x` the kernel comes back as it stands, and to `w` comes what lay under
# it. In the second line two windows overlap, and what they send is added.
#
# ## Which window reads which number
#
# `slide` is linear in `x`, so it is a product with a matrix. It is worth a look: a row for each window, a column for each number of `x`.

# %% name="draw-the-matrix"
kernel = np.float32([1, 2, 3])
matrix = np.asarray(jax.jit(jax.jacrev(slide))(x, kernel))


def draw_matrix(axes, matrix, title):
    """A matrix as coloured squares with their numbers, zeros left out."""
    axes.imshow(np.where(matrix == 0, np.nan, matrix), cmap="cividis", vmin=0, vmax=4, aspect="equal")
    for (row, column), number in np.ndenumerate(matrix):
        if number:
            axes.text(column, row, f"{number:g}", ha="center", va="center", color="white" if number < 2.5 else "black")
    axes.set(title=title, xticks=range(matrix.shape[1]), yticks=range(matrix.shape[0]))
    axes.grid(visible=False)


with plots.style():
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
    draw_matrix(left, matrix, "y from x: the kernel 1, 2, 3 in every row")
    left.set(xlabel="place of x", ylabel="window t")
    draw_matrix(right, matrix.T, "x_bar from y_bar: the rows are 3, 2, 1")
    right.set(xlabel="window t", ylabel="place of x")
    plt.show()

# %% [markdown] name="read-the-matrix"
# Backward multiplies by the transpose, on the right. Read its rows, one place of `x` at a time: in the middle each row holds the kernel
# *from its last number to its first*. No rule says "flip"; it has a reason. Place 4 of `x` is read by window 2 with the kernel's last
# number, by window 3 with the middle one, by window 4 with the first. The further right the window, the earlier the number. And the first and last places of `x` are
# read by fewer windows: there the rows are cut short.
#
# ### A neighbour: the sum of two
#
# $y[t] = x[t] + x[t + 1]$. The number `x[s]` is in `y[s]`, and in `y[s - 1]`. Used twice, add: `x_bar[s] = y_bar[s] + y_bar[s - 1]`, where there are such windows. So
# lay `y_bar` down twice, the second time moved by one, and add:

# %% name="sum-of-two" tags=["worked"]
y_bar = np.float32([1, 10, 100])
by_hand = np.zeros(4, np.float32)
by_hand[0:3] += y_bar
by_hand[1:4] += y_bar
print("by hand:", by_hand)
print("by JAX: ", np.asarray(jax.vjp(lambda x: x[:-1] + x[1:], np.float32([5, 6, 7, 8]))[1](y_bar)[0]))

# %% [markdown] name="slide-turn"
# ### Your turn: slide
#
# The primal is a loop over the kernel: for each `k`, a piece of `x`, as long as `y`, is multiplied by one number `w[k]` and added to `y`.
# Go through the same loop backward. JAX's arrays are changed by `x_bar.at[a:b].add(...)`, which returns the new one.

# %% name="your-slide" tags=["exercise"]
from solutions.convolution import slide_bwd, slide_fwd

# %% name="check-slide" tags=["check"]
course.check(slide_fwd, slide_bwd)

# %% [markdown] name="derive-slide"
# <details><summary>After you solved it: the derivation</summary>
#
# The products are `w[k] * x[t + k]`, one for each `t` and `k`. Each sends `w[k] * y_bar[t]` to `x[t + k]`, and `x[t + k] * y_bar[t]` to `w[k]`. Collected:
#
#     x_bar[k : k + outputs] += w[k] * y_bar            for every k: pieces overlap, so add
#     w_bar[k] = sum over t of x[t + k] * y_bar[t]      the dot product of a piece of x with y_bar
#
# Look at the second line again: piece by piece along `x`, multiplied by `y_bar` and added up. That *is* `slide(x, y_bar)`. And the first, as a sum: `x_bar[s]` is
# the sum of `w[k] * y_bar[s - k]`, a kernel that runs backwards, slid over `y_bar` with zeros at both ends. So both are convolutions.
#
# Kept are `x` and `w`, the arguments. Not the windows, though forward looked at each of them: they lie in `x`.
# </details>

# %% [markdown] name="channels"
# ## Channels, and one call for everything
#
# A place of a picture is not one number but several, its **channels**: red, green and blue at first, later whatever the layer before has found. So
# `x` is (batch, length, channels_in), each place of the kernel is a matrix, and `w` is (width, channels_in, channels_out):
#
# $$y[n, t, :] = x[n, t, :] \;@\; w[0] \;+\; x[n, t + 1, :] \;@\; w[1] \;+\; \dots$$
#
# That is an affine layer laid on each window. Nobody runs it as a loop: one call of `lax.conv_general_dilated` does all of it, and every machine has a program for that
# call which was tuned for years. You tell it by letters what each axis is:
#
# | array | letters | meaning |
# |---|---|---|
# | what is slid over | `N` `W` `C` | examples (they are left alone), places, channels (they are **summed**) |
# | the kernel | `W` `I` `O` | places, channels that go **in** (they are summed with `C`), channels that come **out** |
# | what comes out | `N` `W` `C` | examples, places, the kernel's `O` |
#
# The letters say what an axis *does*, not what you call it. Written in another order, they lay out the same arrays otherwise, and whatever stands at `C` is summed.

# %% name="conv-forward"
rng = np.random.default_rng(0)
x = np.float32(rng.integers(-3, 4, (2, 6, 3)))
w = np.float32(rng.integers(-2, 3, (2, 3, 4)))
one_call = lax.conv_general_dilated(x, w, (1,), [(0, 0)], dimension_numbers=("NWC", "WIO", "NWC"))
by_matrices = x[:, 0:5] @ w[0] + x[:, 1:6] @ w[1]
print("one call:   shape", one_call.shape, " first place", one_call[0, 0])
print("by matrices: largest difference", np.abs(one_call - by_matrices).max())
turned = lax.conv_general_dilated(x.transpose(2, 0, 1), w, (1,), [(0, 0)], dimension_numbers=("CNW", "WIO", "WNC"))
print("laid out otherwise, the same numbers:", turned.shape, np.abs(turned.transpose(1, 0, 2) - one_call).max())

# %% [markdown] name="conv-1d-turn"
# The `(1,)` is the stride, `[(0, 0)]` the zeros to be put before and after `x`: here none.
#
# ### Your turn: each cotangent by one convolution
#
# Write down both sums first, in the letters n, t, s, k, i (channels in) and o (channels out). Then ask of each sum: what is slid over, and what is the
# kernel? Over what is summed, besides places? How many places come out? `w[::-1]` turns the kernel round.
#
# <details><summary>Compare your sums</summary>
#
# $$\mathtt{x\_bar}[n, s, i] = \sum_{k, o} \mathtt{y\_bar}[n, s - k, o] \cdot w[k, i, o] \qquad \mathtt{w\_bar}[k, i, o] = \sum_{n, t} x[n, t + k, i] \cdot \mathtt{y\_bar}[n, t, o]$$
#
# In the first, o is summed and i comes out. In the second **the examples are summed**, and the channels of `x` are left alone, as examples are.
# </details>

# %% name="your-conv-1d" tags=["exercise"]
from solutions.convolution import conv_1d_bwd, conv_1d_fwd

# %% name="check-conv-1d" tags=["check"]
course.check(conv_1d_fwd, conv_1d_bwd)

# %% [markdown] name="derive-conv-1d"
# <details><summary>After you solved it: the derivation</summary>
#
# `x_bar`: `y_bar` is slid over by `w[::-1]`. The first place of `x` is read by the first window alone, so the kernel must hang over the end
# by all of its places but one: `width - 1` zeros on each side. Its channels: `o` goes in, `i` comes out, so the axes of `w` are `W`, `O`, `I`.
#
#     lax.conv_general_dilated(y_bar, w[::-1], (1,), [(width - 1, width - 1)], dimension_numbers=("NWC", "WOI", "NWC"))
#
# `w_bar`: `x` is slid over by `y_bar`. The batch is summed, so it stands at `C` in `x` and at `I` in `y_bar`; `x`'s channels are left alone,
# so they stand at `N`. What comes out has the places of the kernel first:
#
#     lax.conv_general_dilated(x, y_bar, (1,), [(0, 0)], dimension_numbers=("CWN", "IWO", "WNC"))
#
# No transposes are written, and none are copied if the program is good.
# </details>

# %% [markdown] name="window"
# ## Stride, padding, dilation
#
# Three settings say where the windows lie:
#
# - **stride**: how far the window moves from one output to the next. With stride 2 the output is half as long;
# - **padding**: zeros before and after `x`, so that windows may hang over the ends;
# - **dilation**: how far apart the kernel's own places are. With dilation 2 three numbers span five places.
#
# $$y[t] = \sum_k w[k] \cdot x[\mathtt{stride} \cdot t + \mathtt{dilation} \cdot k - \mathtt{before}]$$
#
# A `Window` holds them, for each axis. It has no arrays in it, and no derivative: JAX takes it as a part of the program. Which input touches which output? The
# rows are the windows again, `1, 2, 3` the kernel:

# %% name="draw-the-windows"
WINDOWS = {
    "stride 2": Window((2,), ((0, 0),), (1,)),
    "padding 2 and 1": Window((1,), ((2, 1),), (1,)),
    "dilation 2": Window((1,), ((0, 0),), (2,)),
    "stride 3, padding 1 and 0, dilation 2": Window((3,), ((1, 0),), (2,)),
}


def matrix_of(window, length=9, width=3):
    """The matrix of a convolution along one axis, of the kernel 1, 2, 3, by listing what each window reads."""
    (stride,), ((before, after),), (dilation,) = window.stride, window.padding, window.dilation
    outputs = len(range(0, length + before + after - dilation * width + dilation, stride))
    matrix = np.zeros((outputs, length))
    for t, places in enumerate(read_places(outputs, width, stride, before, dilation)):
        for k, place in enumerate(places):
            if 0 <= place < length:
                matrix[t, place] = k + 1
    return matrix


with plots.style():
    figure, panels = plt.subplots(2, 2, figsize=(10, 6.6), layout="constrained")
    for axes, (name, window) in zip(panels.flat, WINDOWS.items(), strict=True):
        draw_matrix(axes, matrix_of(window), name)
        axes.set(xlabel="place of x", ylabel="window t")
    plt.show()

# %% [markdown] name="read-the-windows"
# Read the columns, as backward does. With padding 2 and 1, place 0 of `x` is read by three windows, the last place by two. With stride 2 some places are read by one window, others by two,
# and in the last panel some by none at all. To those, nothing comes back.
#
# {question convolution.q1}

# %% name="answer-q1" tags=["question"]
course.answer("convolution.q1", ...)

# %% [markdown] name="settings-backward"
# ## The settings, backward
#
# `lax.conv_general_dilated` knows two more settings, and backward is what they are there for. It can put zeros *between* the numbers that it slides over (`lhs_dilation`: that is
# `x`, the left hand side), and between the kernel's (`rhs_dilation`: our dilation). And a padding may be negative: then it cuts off. (The zeros are not written
# anywhere, nor are they multiplied; the program steps over them.)


# %% name="show-lhs-dilation"
def show(name, **settings):
    numbers = np.float32([1, 2, 3, 4]).reshape(1, 4, 1)
    one = np.ones((1, 1, 1), np.float32)
    given = {"window_strides": (1,), "padding": [(0, 0)], **settings}
    y = lax.conv_general_dilated(numbers, one, dimension_numbers=("NWC", "WIO", "NWC"), **given)
    print(f"{name:32}", np.asarray(y)[0, :, 0])


show("as it is")
show("lhs_dilation 3", lhs_dilation=(3,))
show("padding 2 and -1", padding=[(2, -1)])
show("lhs_dilation 3, padding -1 and 0", lhs_dilation=(3,), padding=[(-1, 0)])

# %% [markdown] name="roles"
# Now read the two sums again with these settings in them.
#
# **w_bar**: `w_bar[k]` is the sum over `t` of `x[stride * t + dilation * k - before] * y_bar[t]`. Here `y_bar` is the kernel, so `t` counts its places, and `k` counts the windows. Hold this
# against the formula of forward, where `k` counted the kernel's places and `t` the windows. What is the stride of *this* convolution, and what its dilation?
#
# **x_bar**: windows lie `stride` places apart, so in `x_bar` what two neighbouring entries of `y_bar` send lies `stride` places apart. What must be put between the entries of
# `y_bar`, before the turned kernel slides over them in steps of one? And how far apart are the kernel's own places, still?
#
# What is left is padding, and it is easier to count than to remember:
#
# - for `w_bar`, the same places must be read as in forward. Before `x` that is the same padding. After `x`: as far as the last window *really* went. If the
#   windows did not come out even, that is less than forward's padding; if they left places over, it is negative;
# - for `x_bar`: a window *reaches* some places beyond its first one: with a width of three that is two, and four if the dilation is 2. Without padding in forward, the turned kernel must hang over each end of `y_bar` by all
#   of that, as it did in `conv_1d`. But what lies in forward's padding isn't wanted: there is no `x` there. So of the reach, on each side, take away how far forward's windows went beyond the end.
#
# ### Your turn: how much padding backward needs
#
# One axis, whole numbers in, two pairs out: `(before, after)` for the convolution that makes `x_bar`, and for the one that makes `w_bar`. Places of `x` are counted
# from 0 to `length - 1`; the last window begins at `stride * (outputs - 1) - before`. Draw a small case on paper.

# %% name="your-paddings" tags=["exercise"]
from solutions.convolution import bar_paddings

# %% name="check-paddings" tags=["check"]
course.check(bar_paddings)

# %% [markdown] name="derive-paddings"
# <details><summary>After you solved it: the derivation</summary>
#
# The last place that is read is that of the last window's last number:
#
#     last = stride * (outputs - 1) + dilation * (width - 1) - before
#
# and the last place of `x` is `length - 1`. So the windows went `after = last - (length - 1)` places beyond the end, and that, with `before`, is the padding
# for `w_bar`. A window reaches `reach = dilation * (width - 1)`; for `x_bar` it is `(reach - before, reach - after)`. The padding that forward was *told* does not appear: of it, only what was read counts.
#
# A pretty thing to see: before and after, the two paddings add up to the reach.
# </details>

# %% [markdown] name="conv-2d-turn"
# ### Your turn (hard): two axes
#
# A picture has a height and a width, and each of them goes by itself, with its own settings. The letters get an `H`: `NHWC` for the pictures, `HWIO` for the kernel. Settings are
# pairs now, paddings a pair of pairs. And there is a **bias**, one for each channel that comes out, added at every place of every picture.
#
# `window.stride`, `window.padding` and `window.dilation` hold what their names say, height first; `window.padding[0]` is `(before, after)` of the height. The
# window has no cotangent: its place in the tuple gets `None`. Two convolutions, no more; and keep no windows.

# %% name="your-conv-2d" tags=["exercise"]
from solutions.convolution import conv_2d_bwd, conv_2d_fwd

# %% name="check-conv-2d" tags=["check"]
course.check(conv_2d_fwd, conv_2d_bwd)

# %% [markdown] name="derive-conv-2d"
# <details><summary>After you solved it: the derivation</summary>
#
# | | slid over | kernel | stride | between what is slid over | between the kernel's places |
# |---|---|---|---|---|---|
# | forward | `x` | `w` | stride | 1 | dilation |
# | `x_bar` | `y_bar` | `w[::-1, ::-1]` | 1 | **stride** | dilation |
# | `w_bar` | `x` | `y_bar` | **dilation** | 1 | **stride** |
#
# Stride and dilation change places in `w_bar`, since `t` and `k` do. In `x_bar` the stride becomes zeros between `y_bar`'s entries. Letters: `("NHWC", "HWOI", "NHWC")` and
# `("CHWN", "IHWO", "HWNC")`, those of `conv_1d` with an `H`. The bias was copied to every place of every picture, so `b_bar` sums over three axes.
#
# Kept are `x`, `w` and the window, which are arguments: not a byte on top.
# </details>

# %% [markdown] name="cost-question"
# ## What it costs
#
# Guess first, then count.
#
# {question convolution.q2}

# %% name="answer-q2" tags=["question"]
course.answer("convolution.q2", ...)

# %% [markdown] name="cost-words"
# Here is such a layer, counted on its program: 32 pictures of 14 x 14 with 16 channels, 32 channels out, a kernel of 3 x 3. Beside it stands a way that many courses teach,
# **im2col**: copy each window into a row of a large matrix, and multiply that by `w`. It is easy to derive, since all of backward is a matrix product, and a copy undone.

# %% name="count-the-cost"
SAME = Window((1, 1), ((1, 1), (1, 1)), (1, 1))  # with a kernel of 3 x 3, y is as large as x


def windows_as_rows(x, w):
    """Every window of the padded pictures as a row: nine numbers for one, in each channel."""
    wide = jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    _, height, width, _ = x.shape
    pieces = [wide[:, i : i + height, j : j + width] for i in range(3) for j in range(3)]
    return jnp.concatenate(pieces, axis=-1).reshape(-1, 9 * x.shape[-1])


def im2col(x, w, b):
    """The convolution as one product of matrices."""
    return (windows_as_rows(x, w) @ w.reshape(-1, w.shape[-1])).reshape(*x.shape[:3], -1) + b


def same(x, w, b):
    """The convolution in one call."""
    return conv_2d(x, w, b, SAME)


shapes = [jax.ShapeDtypeStruct(shape, jnp.float32) for shape in ((32, 14, 14, 16), (3, 3, 16, 32), (32,))]
by_conv, by_rows = (method_counts(f, None, None, *shapes) for f in (same, im2col))
print("                            million FLOPs in products")
print(f"forward, one call           {by_conv.primal.dot_flops / 1e6:8.1f}")
print(f"and backward, by jax.vjp    {by_conv.vjp.dot_flops / 1e6:8.1f}")
if course.solved(conv_2d_fwd, conv_2d_bwd):
    yours = method_counts(conv_2d, conv_2d_fwd, conv_2d_bwd, *shapes, SAME).pair
    print(f"and backward, yours         {yours.dot_flops / 1e6:8.1f}")
print(f"forward, im2col             {by_rows.primal.dot_flops / 1e6:8.1f}")
print(f"and backward, by jax.vjp    {by_rows.vjp.dot_flops / 1e6:8.1f}")
rows = jax.eval_shape(windows_as_rows, *shapes[:2])
print(f"bytes in x: {4 * shapes[0].size}, in the rows of im2col: {4 * rows.size}")
if course.solved(conv_2d_fwd, conv_2d_bwd):
    print("bytes that yours keeps beside its arguments:", residual_bytes(conv_2d_fwd, *shapes, SAME))

# %% [markdown] name="read-the-count"
# Three times the forward pass in all, to the FLOP. (Products with the padding's zeros are not counted for the convolution: nobody needs them. im2col multiplies
# them, hence its few percent more.) By hand and by JAX it is the same two convolutions, so there is nothing to be won here in time by writing it yourself, and nothing to be lost: JAX's own rule was
# derived by people as you derived yours. What you gain is to know what it does: that nothing need be kept, and which convolution is running when your machine is slow. And in the
# first layer of a network `x` is data, nobody asks for its `x_bar`, and one of the three falls away.
#
# im2col makes nine times as many numbers as `x` has, writes them, reads them, keeps them until backward, and there makes as many again. What it costs in time is measured, on your machine, now: forward and backward,
# in processor time, the best of forty runs. Two layers: that one, and one whose pictures have a single channel.


# %% name="measure-the-cost"
def seconds(run, *arrays, rounds=40):
    """Processor time of the best of some rounds, after one that compiles."""
    jax.block_until_ready(run(*arrays))
    best = np.inf
    for _ in range(rounds):
        start = time.process_time()
        jax.block_until_ready(run(*arrays))
        best = min(best, time.process_time() - start)
    return best


def both_ways(f):
    """The value, and what comes back to all arguments."""

    def run(x, w, b, y_bar):
        y, pullback = jax.vjp(f, x, w, b)
        return y, pullback(y_bar)

    return jax.jit(run)


@jax.jit
def by_your_pair(x, w, b, y_bar):
    y, residuals = conv_2d_fwd(x, w, b, SAME)
    return y, conv_2d_bwd(residuals, y_bar)


ways = {"one call each": both_ways(same), "im2col": both_ways(im2col)}
if course.solved(conv_2d_fwd, conv_2d_bwd):
    ways["one call each"] = by_your_pair
for channels_in in (16, 1):
    sizes = ((32, 14, 14, channels_in), (3, 3, channels_in, 32), (32,), (32, 14, 14, 32))
    arrays = [np.float32(rng.standard_normal(size)) for size in sizes]
    for name, run in ways.items():
        print(f"{channels_in:2} channels in   {name:14} {1e3 * seconds(run, *arrays):7.2f} ms")

# %% [markdown] name="read-the-time"
# With many channels im2col loses, as a rule: on the machines where this was written it took 1.2 to 2.4 times as long, depending on the layer. (Other programs disturb so short a time. If yours says otherwise, run
# the cell again.) With a single channel it may well win: there a convolution does little with each number that it reads, and a matrix product runs at full speed even on copies. FLOPs say what must be done. How
# fast they go is another question, to be measured: of the two convolutions backward `w_bar`, whose kernel is as large as a picture, often takes longer than `x_bar`, at equal FLOPs.
#
# ## The transposed convolution
#
# A stride makes pictures smaller. What makes them larger again? A network that draws, or one that names every pixel, needs that, and there is a map at hand
# that goes from few places to many: `x_bar`'s. Take it for a forward pass: it lays the kernel down once for each place of `x`, weighed by it, `stride` places apart, and adds
# what overlaps. As a matrix, it is the transpose of a convolution's; hence its name. (Its `w` is laid out as that convolution's: what goes in here came out there.)

# %% name="draw-the-transpose"
strided = Window((2,), ((0, 0),), (1,))
ones = np.ones((1, 4, 1), np.float32), np.ones((3, 1, 1), np.float32)
spread = jax.jit(transposed_conv_1d)(*ones, strided)
print("x of four ones, a kernel of three ones, stride 2:", np.asarray(spread)[0, :, 0])
with plots.style():
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4.4), layout="constrained")
    draw_matrix(left, matrix_of(strided), "a convolution with stride 2: nine to four")
    draw_matrix(right, matrix_of(strided).T, "the transposed one: four to nine")
    plt.show()

# %% [markdown] name="transposed-turn"
# ### Your turn: the transposed convolution
#
# Then what is *its* backward pass? Multiply by the transpose of a transpose. And the weights' cotangent: of each product that was formed, both factors are known.
# Write forward as one convolution as well. (Padding here cuts `before` and `after` places off what was spread. Windows always come out even, so the
# reach is all you need.)

# %% name="your-transposed" tags=["exercise"]
from solutions.convolution import transposed_conv_1d_bwd, transposed_conv_1d_fwd

# %% name="check-transposed" tags=["check"]
course.check(transposed_conv_1d_fwd, transposed_conv_1d_bwd)

# %% [markdown] name="derive-transposed"
# <details><summary>After you solved it: the derivation</summary>
#
# Forward is `x_bar`'s convolution with `x` for `y_bar`: the kernel turned, `lhs_dilation=window.stride`, and `(reach - before, reach - after)` of zeros, with
# `reach = dilation * (width - 1)`. Backward for `x` is the ordinary convolution of `y_bar` with `w` in the window's own settings: it reads where forward wrote.
#
# `w[k]` met `x[t]` and went to `y[stride * t + dilation * k - before]`. So `w_bar[k]` is the sum over `t` of `y_bar[stride * t + dilation * k - before] * x[t]`: the sum
# of `conv_2d` with `y_bar` and `x` in each other's places.
#
# With a convolution, its transpose, and the sum over windows, you have three maps of which each one's backward pass is made of the other two.
# </details>

# %% [markdown] name="filters"
# ## Nine numbers that find edges
#
# Kernels by hand, on a handwritten digit of 8 x 8 pixels: the difference between right and left, the difference between below and above, a pixel against its
# neighbours, and a blur. Blue is above zero, red below, and each picture has a scale of its own. (`course.training.data` reads the digits from an
# installed package.)

# %% name="draw-the-filters"
FILTERS = {
    "right less left": np.float32([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]),
    "below less above": np.float32([[-1, -2, -1], [0, 0, 0], [1, 2, 1]]),
    "less its neighbours": np.float32([[0, -1, 0], [-1, 4, -1], [0, -1, 0]]),
    "blurred": np.float32([[1, 2, 1], [2, 4, 2], [1, 2, 1]]) / 16,
}


def draw_signed(axes, numbers, most):
    """Numbers up to `most` as colours: blue above zero, red below."""
    axes.imshow(numbers, cmap="RdBu", vmin=-most, vmax=most)
    axes.set(xticks=[], yticks=[])
    axes.grid(visible=False)


pictures = np.float32(digits().train[0].reshape(-1, 8, 8, 1))
four = np.stack(list(FILTERS.values()), axis=-1)[:, :, None, :]  # one channel in, four out
digit = pictures[400:401]
found = np.asarray(jax.jit(same)(digit, four, np.zeros(4, np.float32)))[0]
with plots.style():
    figure, panels = plt.subplots(2, 5, figsize=(11, 4.6), layout="constrained")
    panels[0, 0].imshow(digit[0, :, :, 0], cmap="gray")
    panels[0, 0].set(title="the digit")
    panels[0, 0].set(xticks=[], yticks=[])
    panels[0, 0].grid(visible=False)
    panels[1, 0].set_visible(False)
    for place, (name, numbers) in enumerate(FILTERS.items()):
        draw_signed(panels[0, place + 1], numbers, np.abs(numbers).max())
        panels[0, place + 1].set(title=name)
        draw_signed(panels[1, place + 1], found[:, :, place], np.abs(found[:, :, place]).max())
    plt.show()

# %% [markdown] name="learned-words"
# But who finds such numbers? `w_bar` does. Suppose that you see pictures, and what an unknown kernel made of them, with stride 2 at that. Start from random numbers; go down the slope
# of the mean squared difference. Once your `conv_2d` is right, the slope is yours.


# %% name="draw-the-learned"
STEPS = 400
HALF = Window((2, 2), ((1, 1), (1, 1)), (1, 1))
convolve = course.as_jax(conv_2d_fwd, conv_2d_bwd) if course.solved(conv_2d_fwd, conv_2d_bwd) else conv_2d


@jax.jit
def learn(start, x, target):
    """The kernel, step by step, and the loss of each step."""

    def loss_of(w):
        return jnp.mean((convolve(x, w, jnp.zeros(4), HALF) - target) ** 2)

    def step(w, _):
        loss, w_bar = jax.value_and_grad(loss_of)(w)
        return w - 0.7 * w_bar, (w, loss)

    return lax.scan(step, start, length=STEPS + 1)[1]


seen = pictures[::12]
target = jax.jit(conv_2d)(seen, four, np.zeros(4, np.float32), HALF)
kernels, losses = (np.asarray(part) for part in learn(np.float32(rng.standard_normal(four.shape)), seen, target))
with plots.style():
    figure, panels = plt.subplots(4, 6, figsize=(10, 6), layout="constrained", width_ratios=[1, 1, 1, 1, 1, 2])
    for row, name in enumerate(FILTERS):
        shown = [kernels[step, :, :, 0, row] for step in (0, 20, 100, STEPS)] + [four[:, :, 0, row]]
        for axes, numbers in zip(panels[row], shown, strict=False):
            draw_signed(axes, numbers, np.abs(FILTERS[name]).max())
        panels[row, 0].set_ylabel(name, fontsize=8)
        panels[row, 5].remove()
    for axes, title in zip(panels[0], ("start", "20 steps", "100 steps", f"{STEPS} steps", "hidden"), strict=False):
        axes.set_title(title)
    curve = figure.add_subplot(panels[0, 5].get_gridspec()[:, 5])
    curve.semilogy(np.arange(STEPS + 1), losses, color=plots.HAND)
    curve.set(title="loss", xlabel="step")
    plt.show()
print(f"largest difference from the hidden kernels: {np.abs(kernels[-1] - four).max():.3f}")

# %% [markdown] name="read-the-learned"
# Nobody told it what an edge is: that the loss should fall was enough. In a network nobody knows the hidden kernels, and the target is a label. But the first layer of a network that
# was trained on photographs looks like this to this day: edges in all directions, blobs, and blurs.
#
# ### More practice: channels in groups
#
# A kernel of 3 x 3 from 256 channels to 256 has 589,824 weights. In `GROUPS` groups, each output channel reads only the channels of its group: the number of weights, and the work, are divided by
# the number of groups. (With as many groups as channels it is called depthwise.) `lax` calls that `feature_group_count`; the kernel's `I` is then the channels of one group, and its `O` is all that come out, group after group.

# %% name="groups-forward"
x_groups, w_groups = np.float32(rng.standard_normal((1, 5, 4))), np.float32(rng.standard_normal((2, 2, 6)))
whole = jax.jit(grouped_conv_1d)(x_groups, w_groups)
halves = [
    conv_1d(part, own) for part, own in zip(*(np.split(a, GROUPS, -1) for a in (x_groups, w_groups)), strict=True)
]
print("two convolutions, side by side:", np.abs(np.concatenate(halves, -1) - whole).max())

# %% [markdown] name="groups-turn"
# ### Your turn, if you like
#
# Two calls of `conv_1d_bwd` would do it. One convolution each is nicer. For `w_bar` there is `batch_group_count`: it cuts what stands at `N` into groups, and the kernel's `O` alike.

# %% name="your-grouped" tags=["exercise"]
from solutions.convolution import grouped_conv_1d_bwd, grouped_conv_1d_fwd

# %% name="check-grouped" tags=["check"]
course.check(grouped_conv_1d_fwd, grouped_conv_1d_bwd)

# %% [markdown] name="derive-grouped"
# <details><summary>After you solved it</summary>
#
# For `x_bar` each group's outputs go in and its inputs come out. `w`'s last axis is (group, out), its middle one is in: reshaped to (width, in, GROUPS, out), transposed
# to (width, out, GROUPS, in) and flattened, it is a kernel as `feature_group_count` wants it. For `w_bar`, `x`'s channels stand at `N`, so these are what `batch_group_count` cuts.
# </details>

# %% [markdown] name="ask-q3"
# ## Testing a convolution
#
# {question convolution.q3}

# %% name="answer-q3" tags=["question"]
course.answer("convolution.q3", ...)

# %% [markdown] name="in-your-own-words"
# ## In your own words
#
# {question convolution.text}

# %% name="answer-text" tags=["question"]
course.answer("convolution.text", ...)

# %% [markdown] name="which-mistake"
# ## Which mistake is this?
#
# Somebody else wrote a backward pass of this lesson. Write down which entries of `y_bar` one entry of `x` should get.

# %% [markdown] name="ask-q4"
# {question convolution.q4}

# %% name="somebody-elses" tags=["shown"]
course.show_mistake("convolution.q4", draw=0)

# %% name="answer-q4" tags=["question"]
course.answer("convolution.q4", ...)

# %% [markdown] name="what-you-have"
# ## What you have now
#
# - A kernel runs backwards in `x_bar`, since the further right a window lies, the earlier is the place of the kernel by which it reads a pixel.
# - `w_bar` lets `y_bar` slide along `x`; the examples are summed, and stride and dilation have changed places.
# - A stride becomes zeros between the entries of `y_bar`; padding is counted, not remembered: the reach, less what was read beyond the end.
# - Each cotangent is one convolution, at exactly the FLOPs of forward, and nothing is kept but the arguments.
# - A transposed convolution is `x_bar`'s map, taken for a forward pass.
#
# ## Sources
#
# - V. Dumoulin, F. Visin, "A guide to convolution arithmetic for deep learning", 2016, arXiv:1603.07285: all settings, with pictures.
# - Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-Based Learning Applied to Document Recognition", Proceedings of the IEEE 86(11), 1998.
# - I. Sobel, G. Feldman, "A 3x3 Isotropic Gradient Operator for Image Processing", 1968: the two edge filters.
# - M. D. Zeiler, D. Krishnan, G. W. Taylor, R. Fergus, "Deconvolutional Networks", 2010: the transposed convolution in a network.
# - A. Odena, V. Dumoulin, C. Olah, "Deconvolution and Checkerboard Artifacts", Distill, 2016.
# - K. Chellapilla, S. Puri, P. Simard, "High Performance Convolutional Neural Networks for Document Processing", 2006: im2col.
#
# Next: `pooling`, which takes the largest number of each window, and with which a whole network that sees is put together.
