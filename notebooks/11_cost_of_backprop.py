# %% [markdown] name="title"
# # What a backward pass costs, in FLOPs and in memory
#
# **A network answers in a second. How long does one step of its training take, and why does memory run out in training but never in use?**
#
# You have seen that backpropagation costs "about twice" forward, whatever the number of parameters. Here you find out where the two comes
# from, when it is one and a half or one, and what people mean who say three. You write the law for FLOPs and the law for memory as two short
# functions. Then you differentiate a network that uses the same matrix again and again, and keep half of what JAX would keep, or less. At the end two
# published sentences are on the table, and you say what is right about each.

# %% name="imports"
from itertools import pairwise

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np

from course.comparison.counting import count
from course.comparison.residuals import vjp_residual_bytes
from course.exercises import counted
from course.lessons.cost_of_backprop import ROUNDS, AffineFlops, StepFlops, separate_layers, shared_layers
from course.lessons.linear_and_activations import relu, tanh
from course.lessons.losses import softmax_cross_entropy
from course.lessons.mlp import mlp
from course.show import plots

np.set_printoptions(precision=4, suppress=True)

# %% [markdown] name="flop-text"
# ## What is counted
#
# A **FLOP** is one multiplication or one addition of two numbers. A sum of `k` numbers counts `k`, as if it began at zero. Moving numbers
# about, comparing them, copying them to every row counts nothing.
#
# `count(f, *arrays)` takes a function apart into its operations, without running it, and adds up. It needs shapes only, so that it counts a
# network that would not fit into this machine just as well. (What picks one of two numbers, as relu does, counts 1. An
# exponential or a tanh counts 8, about what a short polynomial takes.)

# %% name="flops"
a = counted.like(1000)  # a thousand numbers of float32, of which only the shape is there
print("a + a        ", count(lambda a: a + a, a).flops)
print("jnp.sum(a)   ", count(jnp.sum, a).flops)
print("jnp.dot(a, a)", count(jnp.dot, a, a).flops)
print("relu(a)      ", count(relu, a).flops)
print("tanh(a)      ", count(tanh, a).flops)

# %% [markdown] name="matvec-text"
# ### A neighbour: a matrix times a vector
#
#     y = w @ x        y[i] = sum over j of w[i, j] * x[j]        w (m, k)   x (k,)   y (m,)
#
# Forward: `y` has `m` entries. Each is a sum of `k` products: `k` multiplications, `k` additions. Together `2 * m * k`.
#
# Backward, for `x`: `x_bar[j] = sum over i of w[i, j] * y_bar[i]`. Now there are `k` entries, each a sum of `m` products: `2 * m * k`
# again. And for `w`: `w_bar[i, j] = y_bar[i] * x[j]` has `m * k` entries, each a single product and nothing to add up: `m * k`.


# %% name="matvec" tags=["worked"]
def matvec_flops(m, k):
    forward = 2 * m * k
    x_bar = 2 * m * k
    w_bar = m * k  # an outer product: no sums in it
    return forward, x_bar, w_bar


def matvec(w, x):
    return w @ x


w, x, y_bar = counted.like(300, 200), counted.like(200), counted.like(300)
print("by formula:", matvec_flops(300, 200))
apart = (count(matvec, w, x), count(lambda w, y_bar: w.T @ y_bar, w, y_bar), count(jnp.outer, y_bar, x))
print("counted:   ", tuple(found.flops for found in apart))

# %% [markdown] name="affine-text"
# ### Your turn: an affine layer
#
# Now a whole batch, and a bias: `y = x @ w + b`. You know its backward pass, three cotangents in three lines. What does each take? Return an
# `AffineFlops`, a tuple of the fields `forward`, `x_bar`, `w_bar`, `b_bar`. The bias is small beside the products, but it is an exact count:
# `b_bar` is a sum over rows.

# %% name="affine-counted"
print("to be returned:", AffineFlops._fields)
print("64 rows, 784 numbers in, 512 out:", *counted.affine_flops(64, 784, 512))

# %% name="your-affine-flops" tags=["exercise"]
from solutions.cost_of_backprop import affine_flops

# %% name="check-affine-flops" tags=["check"]
course.check(affine_flops)

# %% [markdown] name="derive-affine-flops"
# <details><summary>After you solved it: one box, summed along three edges</summary>
#
# `x @ w` has `batch * d_out` entries, each a sum of `d_in` products: `2 * batch * d_in * d_out`; the bias adds `batch * d_out`. `x_bar = y_bar @ w.T` has
# `batch * d_in` entries, sums of `d_out` products each. `w_bar = x.T @ y_bar` has `d_in * d_out` entries, sums of `batch` products each. All
# three are the same number. `b_bar` adds up every number of `y_bar` once: `batch * d_out`.
#
# That is no accident. Think of a box with the edges `batch`, `d_in` and `d_out`, filled with one multiplication at each place: `x[n, i] * w[i, j]`
# forward, `y_bar[n, j] * w[i, j]` for `x_bar`, `x[n, i] * y_bar[n, j]` for `w_bar`. Each of the three products fills the same box, and then adds up
# along another of its edges. **That is where the two comes from**: two of the three are backward.
# </details>

# %% name="draw-box"
EDGES = {"d_in": np.array([1.5, 0.0]), "batch": np.array([0.0, 1.0]), "d_out": np.array([0.75, 0.5])}


def draw_box(axes, title, along):
    """Draws a box of multiplications, with arrows along the edge that is summed over."""
    corners = [np.array(places) @ np.array(list(EDGES.values())) for places in np.ndindex(2, 2, 2)]
    for one in range(8):
        for edge in (1, 2, 4):
            if not one & edge:
                axes.plot(*np.transpose([corners[one], corners[one | edge]]), color=plots.INK, linewidth=1)
    for name, edge in EDGES.items():
        middle = edge / 2 + {"d_in": (0, -0.12), "batch": (-0.08, 0), "d_out": EDGES["d_in"] + (0.1, -0.1)}[name]
        axes.text(*middle, name, ha="right" if name == "batch" else "center", va="center", color=plots.INK)
    others = [edge for name, edge in EDGES.items() if name != along]
    for a in (0.2, 0.5, 0.8):
        for b in (0.2, 0.5, 0.8):
            start = a * others[0] + b * others[1]
            colour = plots.HAND if along == "d_in" else plots.JAX
            axes.annotate(
                "", start + EDGES[along], start, arrowprops={"arrowstyle": "->", "color": colour, "alpha": 0.8}
            )
    axes.set(title=title, aspect="equal", xlim=(-0.6, 2.6), ylim=(-0.3, 1.7))
    axes.axis("off")


if course.solved(affine_flops):
    with plots.style():
        figure, panels = plt.subplots(1, 3, figsize=(11, 3.2), layout="constrained")
        draw_box(panels[0], "forward, y: sums over d_in", "d_in")
        draw_box(panels[1], "backward, x_bar: sums over d_out", "d_out")
        draw_box(panels[2], "backward, w_bar: sums over the batch", "batch")
        plt.show()
else:
    print("run this cell again when affine_flops is right: it shows where the two comes from")

# %% [markdown] name="training-text"
# ## A whole network
#
# The products are nearly all of the work. Here is how much of it, for the network that a thousand introductions train, 784 pixels to
# 512, 512 and 10, with 64 images at a time:

# %% name="products-alone"
batch, sizes = 64, (784, 512, 512, 10)
params, images, labels = counted.parameters(sizes), counted.like(batch, 784), counted.like(batch, dtype=jnp.int32)


def loss(params, images, labels):
    return softmax_cross_entropy(mlp(params, images), labels)


step = count(jax.value_and_grad(loss), params, images, labels)
print(f"a training step: {step.flops:,} FLOPs, {step.dot_flops / step.flops:.1%} of them in products of matrices")

# %% [markdown] name="training-turn"
# So count the products alone. `training_flops(batch, sizes)` takes the sizes from the input to the logits; it returns a `StepFlops`, a tuple of
# `forward` and `backward`. Backward is what comes after the loss is known, up to the gradient of all parameters. Nobody asks for the
# cotangent of the images. For a network of three small layers, the counter says:

# %% name="training-counted"
print("to be returned:", StepFlops._fields)
print("2 rows, sizes (5, 4, 3, 2):", *counted.step_flops(2, (5, 4, 3, 2)))

# %% name="your-training-flops" tags=["exercise"]
from solutions.cost_of_backprop import training_flops

# %% name="check-training-flops" tags=["check"]
course.check(training_flops)

# %% [markdown] name="derive-training-flops"
# <details><summary>After you solved it: two for each, less one</summary>
#
# Forward: one product a layer, `2 * batch * d_in * d_out`. Backward: each layer has `w_bar`, which its weights want, and `x_bar`, which the layer before
# wants. The first layer has nobody before it. So `backward = 2 * forward - first`, and both together `3 * forward - first`. With
# a single layer this is `forward`: that backward pass costs as much as its forward pass, and it is the only network of which that can be said.
# </details>

# %% [markdown] name="bars-text"
# Layer by layer, counted on the programs:

# %% name="draw-bars"
layers = [counted.affine_flops(batch, d_in, d_out) for d_in, d_out in pairwise(sizes)]
parts = {
    "forward": [layer.forward for layer in layers],
    "backward: w_bar and b_bar": [layer.w_bar + layer.b_bar for layer in layers],
    "backward: x_bar": [0, *(layer.x_bar for layer in layers[1:])],
}
colours = (plots.HAND, plots.JAX, plots.COLOURS[3])
with plots.style():
    figure, axes = plt.subplots(figsize=(9, 3.2), layout="constrained")
    for shift, (label, flops), colour in zip((-0.27, 0, 0.27), parts.items(), colours, strict=True):
        bars = axes.bar(np.arange(3) + shift, np.array(flops) / 1e6, 0.25, color=colour, label=label)
        axes.bar_label(bars, fmt="%.1f", color=plots.INK, fontsize=9)
    axes.set_xticks(range(3), [f"layer {n}\n{a} to {b}" for n, (a, b) in enumerate(pairwise(sizes), 1)])
    axes.set(ylabel="million FLOPs", title="a training step on 64 images, layer by layer")
    axes.grid(visible=False, axis="x")
    axes.margins(y=0.12)
    axes.legend()
    plt.show()
found = counted.step_flops(batch, sizes)
print(
    f"backward over forward: {found.backward / found.forward:.2f}     together, over forward: {sum(found) / found.forward:.2f}"
)

# %% [markdown] name="bars-read"
# The missing bar is the images' cotangent, which would be a product as large as forward's largest. That is why one network "costs 2.4 times" and
# another 2.9: no backward pass is better than another, the first layer's share differs.
#
# Now more networks, and two other ways of asking. Once somebody wants the images' cotangent too, say to find out which pixels matter. And once
# forward keeps nothing but its arguments and backward computes it all again, which `jax.checkpoint` does:


# %% name="ratios"
def with_images(loss):
    return jax.value_and_grad(loss, argnums=(0, 1))


def computed_again(loss):
    return jax.value_and_grad(jax.checkpoint(loss))


networks = {
    "one layer, 64 to 10": ((64, 10), jax.value_and_grad),
    "64 to 128 to 64 to 10": ((64, 128, 64, 10), jax.value_and_grad),
    "784 to 512 to 512 to 10": ((784, 512, 512, 10), jax.value_and_grad),
    "10 layers of 64": ((64,) * 11, jax.value_and_grad),
    "30 layers of 64": ((64,) * 31, jax.value_and_grad),
    "10 layers, images as well": ((64,) * 11, with_images),
    "10 layers, forward run again": ((64,) * 11, computed_again),
}
print(f"{'products of matrices':30} backward / forward   both / forward")
for name, (widths, differentiate) in networks.items():
    found = counted.step_flops(32, widths, differentiate)
    print(f"{name:30} {found.backward / found.forward:18.2f} {sum(found) / found.forward:16.2f}")

# %% [markdown] name="ask-q1"
# Keep this table in mind for later.
#
# {question cost_of_backprop.q1}

# %% name="answer-q1" tags=["question"]
course.answer("cost_of_backprop.q1", ...)

# %% [markdown] name="not-seconds-text"
# ### What FLOPs do not say
#
# FLOPs are not seconds. A machine has to fetch each number before it can compute with it, and fetching is what takes long. A product of
# matrices uses every number that it fetches many times; a relu uses it once. Here the bytes are those that each operation fetches and stores.

# %% name="not-seconds"
x, w = counted.like(64, 784), counted.like(784, 512)
programs = {"x @ w": count(jnp.matmul, x, w), "relu(x)": count(relu, x), "x + x": count(jnp.add, x, x)}
for name, found in programs.items():
    print(f"{name:8} {found.flops:12,} FLOPs {found.bytes:12,} bytes: {found.flops / found.bytes:6.2f} FLOPs a byte")

# %% [markdown] name="not-seconds-read"
# So the law for FLOPs foretells the time where products are large, and there it does so well. Where they are small, the time goes into fetching and into
# starting operations, and only a stopwatch knows. Verdicts never use one: a count is the same on every machine.
#
# ## Memory
#
# In use, a network forgets: when a layer is done, what went into it can go. Training can't do that, since backward comes back for it, to the
# first layer last of all.
#
# ### A neighbour: tanh
#
# A network of tanh layers without biases:
#
#     x = tanh(x @ w)
#
# Its backward pass needs of each layer the `x` that went in, for `w_bar`, and the `y` that came out, for
# the slope. But the `y` of one layer is the `x` of the next: one array a layer. The `x` of the first layer is the data, which is there anyway. With
# 4 bytes a number:


# %% name="tanh-worked" tags=["worked"]
def tanh_kept_bytes(batch, sizes):
    numbers = sum(batch * d for d in sizes[1:])  # one y a layer
    return 4 * numbers


print(f"8 rows, three layers of 100: {tanh_kept_bytes(8, (100, 100, 100, 100)):,} bytes by formula")
ws, rows = counted.like(3, 100, 100), counted.like(8, 100)
print(f"what jax.vjp keeps of it:    {vjp_residual_bytes(separate_layers, ws, rows):,} bytes, counted on its program")

# %% [markdown] name="kept-text"
# JAX keeps more than one array a layer. What it keeps is right, but it takes no care to keep little; you will do better below.
#
# ### Your turn: your own mlp
#
# Now `mlp_loss`, the pair that you wrote in `mlp`, with relus and biases. Each hidden layer has two parts: affine, which keeps its `x`, and relu, which keeps a mask
# of yes and no (1 byte each). The `x` of an affine is the value of the relu before it. The softmax keeps the logits. `kept_bytes(batch, sizes)`
# is how many bytes that makes in float32, without what is there anyway: images, labels, parameters.

# %% name="kept-counted"
print(f"2 rows, sizes (5, 4, 3): {counted.kept_bytes(2, (5, 4, 3))} bytes")
print(f"4 rows, sizes (5, 4, 3): {counted.kept_bytes(4, (5, 4, 3))} bytes")

# %% name="your-kept-bytes" tags=["exercise"]
from solutions.cost_of_backprop import kept_bytes

# %% name="check-kept-bytes" tags=["check"]
course.check(kept_bytes)

# %% [markdown] name="derive-kept-bytes"
# <details><summary>After you solved it: five bytes a unit</summary>
#
# A hidden unit leaves its value (4 bytes) and a yes or no (1 byte) for every row; the logits leave 4. So
# `batch * ((4 + 1) * sum(hidden) + 4 * classes)`. Not what the relu got: its mask says all that backward asks of it. Not `b`: nobody asks what it was. And
# not the images: they are held by whoever handed them in.
#
# It is linear in the batch, and linear in the depth. The parameters are not in it: with a large batch they are the smaller part.
# </details>

# %% [markdown] name="tent-text"
# Along one training step, the memory for what is kept looks like a tent: forward puts it up, backward takes it down. In use, only the layer at work
# is there. (What the layer at work needs for itself is left out on the left.)

# %% name="draw-memory"
MB = 1e6


def deep_sizes(depth):
    return (512,) * (depth + 1) + (10,)


def in_use(rows, sizes):
    """The most bytes alive at once in forward alone, counted on its program."""
    return count(mlp, counted.parameters(sizes), counted.like(rows, sizes[0])).peak_bytes


def draw_both(axes, places, cases):
    """Draws what is kept in training, and what is alive in use, in a row of cases (rows, sizes)."""
    kept = [counted.kept_bytes(*case) / MB for case in cases]
    alive = [in_use(*case) / MB for case in cases]
    axes.plot(places, kept, "o-", color=plots.JAX, label="training: kept for backward")
    axes.plot(places, alive, "o-", color=plots.HAND, label="in use: alive at once")
    axes.set(ylabel="MB", ylim=(0, None))


depths, batches, twelve = (1, 8, 16, 24, 32), (1, 128, 256, 512, 1024), deep_sizes(12)
*of_hidden, of_loss = map(counted.bytes_of, counted.kept_arrays(256, twelve))
up = np.cumsum([0, *np.reshape(of_hidden, (12, 2)).sum(axis=1), of_loss]) / MB
tent_heights, done = [*up, *up[-2::-1]], len(up) - 1
with plots.style():
    figure, (tent, deep, wide) = plt.subplots(1, 3, figsize=(13, 3.8), layout="constrained")
    tent.fill_between(range(2 * done + 1), tent_heights, color=plots.JAX, alpha=0.35, step="mid")
    tent.axvline(done, color=plots.INK, linestyle=":")
    tent.set(title="a training step: 12 hidden layers, 256 rows", ylabel="MB kept", ylim=(0, None))
    tent.set_xticks([0, done, 2 * done], ["forward\nbegins", "loss", "backward\nends"])
    draw_both(deep, depths, [(256, deep_sizes(depth)) for depth in depths])
    deep.set(title="256 rows", xlabel="hidden layers of 512")
    draw_both(wide, batches, [(rows, twelve) for rows in batches])
    parameters = counted.bytes_of(counted.parameters(twelve)) / MB
    wide.axhline(parameters, color=plots.INK, linestyle=":", label="parameters")
    wide.set(title="12 hidden layers of 512", xlabel="rows in the batch")
    figure.legend(*wide.get_legend_handles_labels(), loc="outside lower right", ncols=3)
    plt.show()
training, use = counted.kept_bytes(1024, twelve) / MB, in_use(1024, twelve) / MB
print(f"1024 rows: {training:.1f} MB kept in training, {use:.1f} MB alive in use: {training / use:.1f} times as much")

# %% [markdown] name="ask-q2"
# In use, depth costs the memory of its parameters and no more. In training, what is kept grows with depth times batch, and that is why memory runs out there. The usual remedies
# follow from the picture: a smaller batch; fewer bytes a number; or keep a part, and compute the rest again, for one more forward pass of FLOPs. It is the last line
# of the table above.
#
# {question cost_of_backprop.q2}

# %% name="answer-q2" tags=["question"]
course.answer("cost_of_backprop.q2", ...)

# %% [markdown] name="full-answer"
# <details><summary>The full answer, as you would give it</summary>
#
# "About twice, in FLOPs. Nearly all of the work is in products of matrices. Each product of forward, `x @ w`, has two in backward, one for the weights and
# one to hand on, and each is as large as the one in forward: the same three sizes in other roles. So backward is two forward passes and a training step is
# three. The first layer lacks one, since nobody wants the cotangent of the data: with `L` equal layers it is `3 - 1 / L`. Elementwise operations
# go the same way, at most a small multiple of forward. It does not depend on the number of parameters as such, and that holds for
# every program, not for networks alone: a gradient costs a small constant times its function (Baur and Strassen, 1983).
#
# The price is memory. Backward needs what forward computed, in the opposite order, so that what the layers put out, the activations, is kept,
# in proportion to depth times batch. In use they are not. One can keep fewer and compute them again: with one more forward pass, a step costs four.
#
# And FLOPs are not seconds: where operations are small or only move data, backward may take longer than twice forward, and one has to measure."
# </details>

# %% [markdown] name="shared-text"
# ## One matrix, many rounds
#
# A network may use the same weights more than once. Recurrent networks do it at each step of a sequence, convolutions at each place of a picture. The simplest one:
#
#     x = tanh(x @ w)        again and again, `rounds` times, with one and the same square w
#
# What do shared weights do to the costs? `separate_layers` has a `w` for each round, `shared_layers` a single one:


# %% name="count-shared"
def shared(rounds):
    return lambda w, x: shared_layers(w, x, rounds)


def products(f, weights, x):
    """FLOPs of the products of matrices in forward, and in forward and backward together."""

    def both(weights, x, y_bar):
        y, pullback = jax.vjp(f, weights, x)
        return y, pullback(y_bar)

    return count(f, weights, x).dot_flops, count(both, weights, x, x).dot_flops


x, w = counted.like(32, 128), counted.like(128, 128)
print("rounds           parameters   forward, FLOPs   backward / forward   kept by JAX, bytes")
for rounds in (1, 4, 16, 64):
    for name, f, weights in (
        ("separate", separate_layers, counted.like(rounds, 128, 128)),
        ("shared", shared(rounds), w),
    ):
        forward, both = products(f, weights, x)
        kept = vjp_residual_bytes(f, weights, x)
        print(f"{rounds:6} {name:8} {weights.size:11,} {forward:16,} {(both - forward) / forward:20.2f} {kept:20,}")

# %% [markdown] name="shared-read"
# Only the parameters shrink. The FLOPs stay, forward and backward, and so does the memory. (Here `x` is no data, its cotangent is asked for, and backward is 2 exactly.)
#
# ### A neighbour: one scale, many sines
#
#     x = sin(scale * x)        three times, with the same scale
#
# Take the rounds for separate layers at first, each with a scale of its own. Each sends something to its own scale. Now let all scales be one: *used many times, add*.
#
# Forward is a `lax.scan`; its second result is put on record, round by round. Backward is a `lax.scan` too, over that record, with `reverse=True`: it starts at the last
# entry, and what it puts on record stands in forward's order again.


# %% name="shared-sine" tags=["worked"]
def shared_sine(scale, x):
    for _ in range(3):
        x = jnp.sin(scale * x)
    return x


def shared_sine_fwd(scale, x):
    def one_round(x, _):
        return jnp.sin(scale * x), x  # handed on, and put on record: what came in

    y, xs = jax.lax.scan(one_round, x, length=3)
    return y, (scale, xs)


def shared_sine_bwd(residuals, y_bar):
    scale, xs = residuals

    def one_round(y_bar, x):
        inner_bar = y_bar * jnp.cos(scale * x)
        return inner_bar * scale, inner_bar * x  # handed to the round before, and put on record: what the scale gets

    x_bar, sent = jax.lax.scan(one_round, y_bar, xs, reverse=True)
    print("sent to scale by rounds 1, 2, 3:", sent)
    return sent.sum(), x_bar


y, kept = shared_sine_fwd(1.5, 0.8)
print("by hand: scale_bar, x_bar =", *shared_sine_bwd(kept, 1.0))
print("by JAX:  scale_bar, x_bar =", *jax.vjp(shared_sine, 1.5, 0.8)[1](jnp.ones(())))

# %% [markdown] name="shared-turn"
# ### Your turn (hard): one matrix, three rounds
#
# Back to `shared_layers(w, x)`: a product with `w` and a tanh, `ROUNDS` times, which is 3. Write the pair. The verdict looks at what you save: at most four
# arrays of the shape of `x` are enough. Let us see what JAX takes:

# %% name="shared-by-jax"
rng = np.random.default_rng(0)
x, w = rng.standard_normal((5, 4)).astype(np.float32), rng.standard_normal((4, 4)).astype(np.float32) / 2
y_bar = rng.standard_normal((5, 4)).astype(np.float32)
w_bar, x_bar = jax.jit(lambda w, x, y_bar: jax.vjp(shared_layers, w, x)[1](y_bar))(w, x, y_bar)
print("w_bar by JAX\n", w_bar)
kept = vjp_residual_bytes(shared_layers, w, x) / x.nbytes
print(f"for these {ROUNDS} rounds JAX keeps {kept:g} arrays of the shape of x, and both arguments")

# %% name="your-shared-layers" tags=["exercise"]
from solutions.cost_of_backprop import shared_layers_bwd, shared_layers_fwd

# %% name="check-shared-layers" tags=["check"]
course.check(shared_layers_fwd, shared_layers_bwd)

# %% [markdown] name="derive-shared-layers"
# <details><summary>After you solved it: one product for all rounds</summary>
#
# Forward keeps the `y` of each round, three arrays. No `z = x @ w`, since the slope of tanh is `1 - y**2`. And no `x` of later rounds: they are the `y` of the rounds before;
# that of the first round is the argument.
#
# Backward, from the last round to the first: `z_bar = y_bar * (1 - y**2)`, then `z_bar @ w.T` is the `y_bar` of the round before. Each round sends `x.T @ z_bar` to `w`,
# with the `x` that went *in*; add them up. That can be done inside the loop, where `w_bar` is carried along. Or the loop puts the `z_bar` on record, and one
# product is made of all rounds at once after it: `jnp.einsum("rni,rnj->ij", xs, z_bars)` sums over rounds and rows in one go. The FLOPs are the same. But `w_bar` need not be
# fetched and stored in every round, and one large product is what machines are good at.
# </details>

# %% name="shared-saved"
if course.solved(shared_layers_fwd, shared_layers_bwd):
    mine = course.compare(shared_layers, shared_layers_fwd, shared_layers_bwd, w, x)
    for cost in mine.costs[:3]:
        saved = (
            ""
            if cost.residual_bytes is None
            else f"   saves {cost.residual_bytes / np.asarray(x, float).nbytes:g} arrays of the shape of x"
        )
        print(f"{cost.method:8} {cost.flops:7,} FLOPs, {cost.ratio:.2f} times forward{saved}")
else:
    print("run this cell again when shared_layers is right: it shows your cost beside JAX's")

# %% [markdown] name="claims-text"
# ## Two sentences, examined
#
# Of the backward pass one reads, with `n` for the number of parameters:
#
# > **A.** Backpropagation is O(n), the same cost as a single forward pass.
#
# > **B.** The backward pass costs approximately 2x, sometimes 3x.
#
# `O(n)` says how it grows: twice the `n`, twice the cost. It says nothing of the factor. Does cost grow with `n`? Take a network with separate weights, make it
# deeper, and count the FLOPs of its gradient for each parameter and row. Then one with shared weights:

# %% name="count-claims"
x = counted.like(8, 64)
print("rounds   FLOPs of value and gradient, for each parameter and row")
for rounds in (1, 4, 16, 64):
    one_each, one_for_all = counted.like(rounds, 64, 64), counted.like(64, 64)
    separate = products(separate_layers, one_each, x)[1] / (8 * one_each.size)
    together = products(shared(rounds), one_for_all, x)[1] / (8 * one_for_all.size)
    print(f"{rounds:6}   separate weights {separate:6.1f}   shared weights {together:6.1f}")

# %% [markdown] name="ask-q3"
# For separate weights it is a constant, forward and backward together: 2 FLOPs forward and 4 backward, a multiplication and an addition in each of three products. This 6 is
# well known: what it takes to train a large language model is estimated as 6 FLOPs for each parameter and each token (Kaplan and others, 2020). For shared ones it grows with the rounds: there the number of parameters does not know how often they are used.
# What grows with the cost in both is the number of *operations*.
#
# And the factor? Go back to the table under the bars: where is there a 1, where a 2, and where a 3?
#
# {question cost_of_backprop.q3}

# %% name="answer-q3" tags=["question"]
course.answer("cost_of_backprop.q3", ...)

# %% [markdown] name="verdict-on-claims"
# <details><summary>What holds, sentence by sentence</summary>
#
# **A.** "Linear" holds, of the operations of forward. With the parameters for `n` it holds only where each is used equally often for each row. "The same cost" holds of how it grows, and
# not of what it is: twice forward. It would be once for a network of a single layer.
#
# **B.** "Approximately 2x" holds for backward alone, from about five layers on: `2 - 1 / L`. "Sometimes 3x" mixes two other things. Forward and backward together are
# nearly 3x. And backward alone is nearly 3x where it computes forward again. No backward pass that has kept what it needs takes 3x in products. Shared weights change
# nothing about B: every round is there in both passes, and the sum over rounds is part of the product for `w_bar`.
# </details>

# %% [markdown] name="why-text"
# ### In practice one never counts this by hand. Why should I?
#
# A profiler tells how many seconds each operation took, on this machine, for these sizes. It does not tell what they would be for others, nor which of them need not
# be there at all. A count by hand does: that the cotangent of the images would have been a fifth of the step (3 forward passes in the place of 2.4), that a mask does where a float was kept, that the batch can be doubled and
# the depth can't, before anything runs. Then measure, and wonder where the two disagree. That is where there is something to be found.
#
# ## More practice: the largest batch
#
# `largest_batch(sizes, memory)`: how many rows can a network be trained on at once, if there are `memory` bytes in all? Everything is float32, 4 bytes a number. There have to be: the parameters, biases
# too; their gradient, of the same size; the images, one of `sizes[0]` numbers a row; and what your `kept_bytes` says. (A real machine needs a bit more, for the layer at work.)

# %% name="batch-counted"
for memory in (10_000_000, 100_000_000, 1_000_000_000):
    rows = counted.largest_batch((784, 512, 512, 10), memory)
    print(f"784 to 512 to 512 to 10 in {memory / 1e6:5,.0f} MB: {rows:7,} rows")

# %% name="your-largest-batch" tags=["exercise"]
from solutions.cost_of_backprop import largest_batch

# %% name="check-largest-batch" tags=["check"]
course.check(largest_batch)

# %% [markdown] name="derive-largest-batch"
# <details><summary>After you solved it</summary>
#
# Parameters: `(d_in + 1) * d_out` numbers a layer, 4 bytes each, and once more for the gradient. A row: `4 * sizes[0]` for its image, and `kept_bytes(1, sizes)`. How often the second
# goes into what the first leaves over, and not less than 0: `max(0, (memory - fixed) // row)`.
# </details>

# %% [markdown] name="in-your-own-words"
# ## In your own words
#
# {question cost_of_backprop.text}

# %% name="answer-text" tags=["question"]
course.answer("cost_of_backprop.text", ...)

# %% [markdown] name="which-mistake"
# ## Which mistake is this?
#
# Somebody's `shared_layers_bwd`, beside the right numbers. The one matrix is used in every round, and every round sends something to it:

# %% [markdown] name="ask-q4"
# {question cost_of_backprop.q4}

# %% name="somebody-elses" tags=["shown"]
course.show_mistake("cost_of_backprop.q4", draw=0)

# %% name="answer-q4" tags=["question"]
course.answer("cost_of_backprop.q4", ...)

# %% [markdown] name="what-you-have"
# ## What you have now
#
# - Each product of forward has two in backward, as large as itself: backward is about twice forward, less one product of the first layer.
# - That counts operations, not parameters: a matrix that is used in every round is paid for in every round.
# - The price is memory: what forward leaves behind grows with depth times batch. Computing it again costs one more forward pass.
# - FLOPs can be counted before anything runs, and are not seconds: what fetches much and computes little takes longer than they say.
#
# ## Sources
#
# - W. Baur, V. Strassen, "The complexity of partial derivatives", Theoretical Computer Science 22(3), 1983: a gradient costs a small constant times its function.
# - A. Griewank, A. Walther, "Evaluating Derivatives", 2nd edition, SIAM, 2008, chapters 3, 4 and 12: the same with the constants, and memory against computing again.
# - J. Kaplan et al., "Scaling Laws for Neural Language Models", 2020, arXiv:2001.08361, section 2.1: six FLOPs for each parameter and token.
# - T. Chen, B. Xu, C. Zhang, C. Guestrin, "Training Deep Nets with Sublinear Memory Cost", 2016, arXiv:1604.06174: keep a part, compute the rest again.
#
# Next: `optimizers`. You have the gradient and know its price; there you find out which way to go with it, and how far.
