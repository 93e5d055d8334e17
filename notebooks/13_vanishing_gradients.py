# %% [markdown] name="title"
# # Gradients that vanish on the way down, and how to start
#
# **Your backward pass is right. Why do the first layers learn nothing?**
#
# For twenty years networks of more than a few layers would not train, and people thought that the idea was at fault. Nothing was wrong with
# their derivatives. The gradient of the first layers was correct, and it was 0.000000000000000000000000000001. S. Hochreiter said why in
# 1991; what to do about it took until 2010 and 2015, and comes down to this: **look at what one layer does to the size of a cotangent, and
# see to it that this is a factor of 1.**
#
# You measure the sizes, layer by layer; write the pass through a stack of any depth as a loop that runs backwards; derive the two rules by
# which nearly all weights are drawn today, Xavier's and He's; and watch early layers that do not learn, and then do.

# %% name="imports"
import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import optax

from course.lessons.linear_and_activations import relu, sigmoid, tanh
from course.lessons.vanishing_gradients import deep_tanh, relu_slope, sigmoid_slope, signals, tanh_slope
from course.show import plots

jax.config.update("jax_enable_x64", True)  # in float32 a square of 1e-30 is 0
np.set_printoptions(precision=4, suppress=True)

# %% [markdown] name="one-unit"
# ## Fifty layers of one unit
#
# The smallest deep network there is: a number goes in, and each layer takes its activation, fifty times. All weights are 1.
#
# $$h_{l+1} = \mathtt{activation}(h_l) \qquad\Longrightarrow\qquad \frac{\partial h_{50}}{\partial h_0} = \mathtt{slope}(h_{49}) \cdot \mathtt{slope}(h_{48}) \cdots \mathtt{slope}(h_1) \cdot \mathtt{slope}(h_0)$$
#
# That is the chain rule, and nothing else: one slope a layer, multiplied. JAX's own derivatives, of what every layer gives by what the first
# one took:


# %% name="one-unit-numbers"
def tower(activation):
    """The derivative of what each of fifty activations in a row gives, by the number that enters the first."""

    def heights(x):
        def layer(h, _):
            h = activation(h)
            return h, h  # what is carried to the next layer, and what is put on record

        return jax.lax.scan(layer, x, length=50)[1]

    return jax.jvp(heights, (0.5,), (1.0,))[1]


by_sigmoid, by_tanh = tower(sigmoid), tower(tanh)
for layers in (1, 2, 5, 50):
    print(f"{layers:2} layers: sigmoid {by_sigmoid[layers - 1]:.2e}   tanh {by_tanh[layers - 1]:.2e}")

# %% [markdown] name="slopes"
# Both shrink, but not alike. Look at the slopes:

# %% name="draw-slopes"
z = np.linspace(-5, 5, 401)
kinds = {"sigmoid": (sigmoid, sigmoid_slope), "tanh": (tanh, tanh_slope), "relu": (relu, relu_slope)}
drawn = jax.jit(lambda z: {name: (activation(z), slope(z)) for name, (activation, slope) in kinds.items()})(z)
with plots.style():
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 3.4), layout="constrained")
    for name, colour in zip(kinds, plots.COLOURS, strict=False):
        left.plot(z, drawn[name][0], color=colour, label=name)
        right.plot(z, drawn[name][1], color=colour)
    right.plot([0, 0], [0.25, 1], "o", color=plots.INK)
    right.annotate("1/4", (0.25, 0.27))
    right.annotate("1", (-0.5, 0.98))
    left.set(title="the activation", xlabel="z", ylim=(-1.2, 2.2))
    right.set(title="its slope", xlabel="z")
    left.legend(loc="upper left")
    plt.show()

# %% [markdown] name="bounds"
# The sigmoid is nowhere steeper than 1/4. Tanh is at most 1 steep, and that only at 0: $\tanh(z) = 2 \cdot \mathtt{sigmoid}(2z) - 1$ is
# twice as high and runs twice as fast, so it is four times as steep. (That tanh, too, had its bound at 1/4 is a common error.) Relu's slope
# is 1 for one half of all numbers and 0 for the other.
#
# {question vanishing_gradients.q1}

# %% name="answer-q1" tags=["question"]
course.answer("vanishing_gradients.q1", ...)

# %% [markdown] name="with-weights"
# ## Layers of units: the weights have a say, too
#
# Now layers of `d` units each, with weights between them:
#
# $$z = h \, w_l \qquad\qquad h \leftarrow \mathtt{activation}(z)$$
#
# `signals(activation, x, w)` sends `x` through all of them and gives back two stacks: what entered each layer, `h`, and what the activation
# was taken of there, `z`. On the way back a layer is handed the cotangent of its activation's value and hands on the cotangent of its `h`:
#
# $$\bar h_l = \big(\bar h_{l+1} \odot \mathtt{slope}(z_l)\big) \, w_l^\top$$
#
# ($\bar h$ is `h_bar`, $\odot$ multiplies number by number, and $w_l^\top$ is `w.T`.)
#
# Slope times weights: both can shrink a cotangent, and both can blow it up. So a bound on the slope alone is only half of the story. To see
# the whole of it, take the norm of every $\bar h_l$, the root of the sum of all its squares. JAX can be brought to tell them: add a nudge of
# zero to what enters each layer, and ask for the cotangents of the nudges.


# %% name="jax-norms"
def jax_norms(activation, x, w, y_bar):
    """The norm of the cotangent of what enters each layer, by JAX's vjp."""

    def nudged(nudges):
        return jax.lax.scan(lambda h, layer: (activation((h + layer[1]) @ layer[0]), None), x, (w, nudges))[0]

    (h_bars,) = jax.vjp(nudged, jnp.zeros((len(w), *x.shape)))[1](y_bar)
    return jnp.sqrt(jnp.sum(h_bars**2, axis=(1, 2)))


rng = np.random.default_rng(0)
small_x, small_y_bar = rng.standard_normal((2, 2, 4))
small_w = rng.standard_normal((3, 4, 4)) / 2
small_norms = jax.jit(jax_norms, static_argnums=0)(sigmoid, small_x, small_w, small_y_bar)
print("three sigmoid layers, norms from first to last:", small_norms)

# %% [markdown] name="scan-with-record"
# A loop over layers is a `jax.lax.scan` over the stacked weights. It can put something on record at every layer, and it can run backwards.
# First forward, as an example: the size of the signal, layer by layer, as the root of the mean square.


# %% name="sizes-forward" tags=["worked"]
def signal_sizes(activation, x, w):
    def layer(h, weights):
        h = activation(h @ weights)  # what is carried to the next layer
        return h, jnp.sqrt(jnp.mean(h**2))  # carried on, put on record

    return jax.lax.scan(layer, x, w)[1]  # [0] is the last h, [1] the stack of all records


print("sizes behind each layer: ", signal_sizes(sigmoid, small_x, small_w))


def running_sum(total, row):
    return total + row, total + row


# with reverse=True the last row comes first; the records stand at their rows all the same
print("sums from the right:     ", jax.lax.scan(running_sum, 0, jnp.arange(4), reverse=True)[1])

# %% [markdown] name="norms-turn"
# ### Your turn: the norm at every layer
#
# You get `slope`, a function such as `sigmoid_slope`, the stack of every `z`, the stack of weights and `y_bar`. A scan over two stacks at
# once takes them as a pair, `(z, w)`, and hands its function a pair. A Python loop is as good, if slower to compile.

# %% name="your-norms" tags=["exercise"]
from solutions.vanishing_gradients import gradient_norms

# %% name="check-norms" tags=["check"]
course.check(gradient_norms)

# %% [markdown] name="derive-norms"
# <details><summary>After you solved it: the derivation</summary>
#
# Through the activation: its value is `activation(z)`, element by element, so `z_bar = h_bar * slope(z)`. Through the product `z = h @ w`: the
# cotangent of `h` is `z_bar @ w.T`, as in every affine layer. Together `(h_bar * slope(z)) @ weights.T`, which is carried, and its norm,
# `jnp.sqrt(jnp.sum(h_bar**2))`, which is put on record. The last layer comes first: `jax.lax.scan(layer, y_bar, (z, w), reverse=True)[1]`.
# No `h` is needed: the slope knows all that matters of it. It will be, for the weights' own cotangents.
# </details>

# %% [markdown] name="fifty-layers"
# ## Fifty layers of 64 units
#
# The weights are drawn independently, with variance 1 / 64, and then multiplied by a scale. The dotted line in grey is $0.25^l$, what the
# sigmoid's slope alone allows. (Until your function is right, JAX's norms stand in for it.)

# %% name="draw-norms"
LAYERS, WIDTH = 50, 64
x, y_bar = rng.standard_normal((2, 16, WIDTH))
w = rng.standard_normal((LAYERS, WIDTH, WIDTH)) / np.sqrt(WIDTH)
by_hand = course.solved(gradient_norms)


@jax.jit
def all_norms(w):
    """The norms by layer for each activation."""
    if not by_hand:
        return {name: jax_norms(activation, x, w, y_bar) for name, (activation, _) in kinds.items()}
    return {
        name: gradient_norms(slope, signals(activation, x, w)[1], w, y_bar)
        for name, (activation, slope) in kinds.items()
    }


scales = {"sigmoid": (1.0, 2.0, 4.0, 8.0), "tanh": (0.5, 1.0, 1.5, 2.0), "relu": (0.5, 1.0, np.sqrt(2), 2.0)}
numbers = np.arange(1, LAYERS + 1)
with plots.style():
    figure, panels = plt.subplots(1, 3, figsize=(12.5, 4), sharey=True, layout="constrained")
    for axes, (name, tried) in zip(panels, scales.items(), strict=True):
        for scale, colour in zip(tried, plots.COLOURS, strict=False):
            found = np.asarray(all_norms(scale * w)[name])
            axes.semilogy(numbers, found, color=colour, label=f"{scale:.3g}")
            print(f"{name:7} at scale {scale:.3g}: last layer {found[-1]:8.2e}, first layer {found[0]:.2e}")
        axes.set(title=name, xlabel="layer, 1 is the first", ylim=(1e-33, 1e18))
        axes.legend(title="weights times", loc="lower right", fontsize=8, ncols=2)
    panels[0].semilogy(numbers, 30 * 0.25 ** (LAYERS - numbers), color=plots.INK, linestyle=":")
    panels[0].set_ylabel("norm of the cotangent")
    plt.show()

# %% [markdown] name="read-norms"
# Read each line from right to left, as backward goes. They are straight on this scale: a factor a layer, over and over.
#
# - **Sigmoid.** With weights that only keep the sum over 64 units in check (scale 1), it is nearly the grey line, and the first layer gets a
#   part in $10^{30}$. Larger weights help, but a scale of 4, which makes good for a slope of 1/4, still leaves a part in $10^{10}$: large
#   weights push the units away from 0, where slopes are smaller than that.
# - **Tanh.** At scale 1 it nearly holds. At half of that it vanishes, and at twice it explodes.
# - **Relu.** It does not flatten out (to *saturate*, as sigmoid and tanh do far out), so its lines are the same line, tilted. One scale makes it level. Which one is it, and why?
#
# "The derivative of tanh is at most 1" has not told you any of this. What the *weights* do decides.
#
# ## The whole pass, at any depth
#
# Before we come to the weights, the pass itself: training asks for the cotangent of every layer's weights, too. The primal is
# `deep_tanh(x, w)`: a product and a tanh for every layer. JAX's answer for eight layers:

# %% name="jax-deep"
some_w = w[:8]
x_bar, w_bar = jax.jit(lambda x, w: jax.vjp(deep_tanh, x, w)[1](y_bar))(x, some_w)
right_norms = np.sqrt(np.sum(np.square(w_bar), axis=(1, 2)))
print("x_bar", x_bar.shape, "  w_bar", w_bar.shape)
print("norm of w_bar, first to last layer:", right_norms)

# %% [markdown] name="deep-turn"
# ### Your turn (hard): a deep stack
#
# Forward is a scan with a record, backward one that runs in reverse. Think first about what to record: the limit is **one** array for each
# layer, and one more. What tanh gave tells you its slope, and it is also what enters the layer above.

# %% name="your-deep" tags=["exercise"]
from solutions.vanishing_gradients import deep_tanh_bwd, deep_tanh_fwd

# %% name="check-deep" tags=["check"]
course.check(deep_tanh_fwd, deep_tanh_bwd)

# %% [markdown] name="derive-deep"
# <details><summary>After you solved it: the derivation, and what was kept</summary>
#
# Layer by layer as before: `z_bar = h_bar * (1 - a**2)`, with `a` what tanh gave. Then two products, `z_bar @ weights.T`, which is carried to
# the layer before, and `h.T @ z_bar`, which is this layer's `w_bar` and goes on record. The scan over `(before, w, after)` with `reverse=True`
# stacks the records in the layers' order, and what is carried at the end is `x_bar`.
#
# Kept: `x`, `w`, and `after`, one array for each layer. `before` is the same stack, moved by one: `x`, then all of `after` but the last.
# Who keeps `z` as well doubles the bytes, for a number that $1 - a^2$ has no use for. And who keeps nothing must run forward again; at
# a thousand layers that is worth a thought, but not here.
# </details>

# %% name="bytes-kept"
if course.solved(deep_tanh_fwd, deep_tanh_bwd):
    _, kept = jax.eval_shape(deep_tanh_fwd, x, w)
    sizes = sorted((leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(kept)), reverse=True)
    print("bytes in the residuals at 50 layers:", sizes)
    print("of these w and x are there anyway:  ", [w.nbytes, x.nbytes], " and an array a layer is", LAYERS * x.nbytes)

# %% [markdown] name="what-is-a-good-scale"
# ## Which weights keep the size? A sum of d numbers
#
# Take one number of `z = h @ w`. It is a sum of as many products as there are units below:
#
# $$z_j = h_1 w_{1j} + h_2 w_{2j} + \dots + h_{d} w_{dj}$$
#
# The weights are drawn independently of each other, with mean 0 and variance $v$. The mean of $z_j$ is 0. Its square is a sum of
# all products of two terms; those of two *different* terms have mean 0, since their weights are independent, and only the $d$ squares remain:
#
# $$\text{mean of } z_j^2 \;=\; d \cdot v \cdot \text{mean of } h^2$$
#
# No formula without numbers. The signal has mean square 1, the weights have variance 1:

# %% name="variance-of-a-sum"
for d in (10, 100, 1000):
    z = rng.standard_normal((200, d)) @ rng.standard_normal((d, 100))
    print(f"d = {d:4}: mean square of z {np.mean(z**2):8.1f},  with weights of variance 1/d: {np.mean(z**2) / d:.3f}")

# %% [markdown] name="both-ways"
# So **forward**, a layer keeps the size if `d_in * variance` is 1. And **backward**? $\bar h = \bar z \, w^\top$ is a sum too, over the units
# *above*: it keeps the size of a cotangent if `d_out * variance` is 1. A uniform draw has a variance as well, so here is the same for
# one layer that gets narrower, with weights spread evenly between -0.1 and 0.1, whose variance is $0.1^2 / 3$:

# %% name="both-ways-numbers" tags=["worked"]
even = rng.uniform(-0.1, 0.1, (300, 60))
variance = 0.1**2 / 3
there = rng.standard_normal((500, 300)) @ even
back = rng.standard_normal((500, 60)) @ even.T
print(f"variance {np.var(even):.6f}, expected {variance:.6f}")
print(f"forward:  {np.mean(there**2):.3f}, expected 300 * variance = {300 * variance:.3f}")
print(f"backward: {np.mean(back**2):.3f}, expected  60 * variance = {60 * variance:.3f}")

# %% [markdown] name="slope-too"
# On the way back the slope comes in as well. Where it is about the same number for all units, the mean square of a cotangent is multiplied
# by $d \cdot v \cdot \mathtt{slope}^2$ at each layer.
#
# {question vanishing_gradients.q2}

# %% name="answer-q2" tags=["question"]
course.answer("vanishing_gradients.q2", ...)

# %% [markdown] name="xavier-turn"
# ### Your turn: Xavier's rule
#
# For tanh near 0 the slope is 1, and two wishes are left: variance one over `d_in` for the signal's sake, one over `d_out` for the
# cotangent's. X. Glorot and Y. Bengio met them half-way in 2010: one over the **mean** of both sizes. Write the function that draws the weights of
# a layer from a key.
#
# How do you judge something random? Not by its numbers: any other key gives others, and each draw is as right as the next. Yours is judged by
# its mean, its variance, and whether its numbers know anything of each other, or of those of another key, within five standard
# errors. So a uniform draw is as welcome as a normal one.

# %% name="your-xavier" tags=["exercise"]
from solutions.vanishing_gradients import xavier

# %% name="check-xavier" tags=["check"]
course.check(xavier)

# %% [markdown] name="derive-xavier"
# <details><summary>After you solved it: variance, deviation, bound</summary>
#
# One over the mean of the sizes is `2 / (d_in + d_out)`. That is a variance; what you multiply by is its root, the standard deviation:
# `jnp.sqrt(2 / (d_in + d_out)) * jax.random.normal(key, (d_in, d_out))`. Numbers spread evenly between $-b$ and $b$ have variance
# $b^2 / 3$, so the bound for a uniform draw is `jnp.sqrt(6 / (d_in + d_out))`: the number in Glorot's paper.
# </details>

# %% [markdown] name="relu-halves"
# ## And relu?
#
# Relu sets negative numbers to 0. If `z` is negative as often as positive, and spread alike on both sides, what is left of the mean square?

# %% name="relu-halves-numbers"
z = rng.standard_normal(100_000)
print(f"mean square of z {np.mean(z**2):.3f}, of relu(z) {np.mean(np.maximum(z, 0) ** 2):.3f}")

# %% [markdown] name="he-turn"
# Half of it, at each layer. On the way back, too: half of the units let their cotangent through, the others nothing. A half for each of
# fifty layers is a part in $10^{15}$ of the mean square, or three parts in $10^8$ of its root; so the weights must make good for it. K. He and others did that in 2015, for
# the way forward: the variance is twice what the sum over `d_in` asks for.
#
# ### Your turn: He's rule, for a whole network
#
# `he_layers(key, sizes)` draws all weights of a network, a list with one array for each layer; `sizes` runs from the input to the output, and
# there are no biases. Each layer needs a key of its own: with the same one, layers are copies of each other.

# %% name="your-he" tags=["exercise"]
from solutions.vanishing_gradients import he_layers

# %% name="check-he" tags=["check"]
course.check(he_layers)

# %% [markdown] name="derive-he"
# <details><summary>After you solved it: the 2, and why d_in alone is enough</summary>
#
# `d_in * variance / 2` is to be 1, so `jnp.sqrt(2 / d_in) * jax.random.normal(layer_key, (d_in, d_out))`, with keys from
# `jax.random.split(key, len(sizes) - 1)`.
#
# Backward would rather have `2 / d_out`. But follow a cotangent through the whole network: each layer multiplies its mean square by
# `d_out / d_in`, and the `d_out` of one layer is the `d_in` of the one above it. All of them cancel but the first and the last: the
# way back is off by one constant factor, however deep the network is. Only what happens *per layer* can vanish.
# </details>

# %% [markdown] name="there-and-back"
# Through fifty layers and back. In the picture of fifty layers, a scale of $\sqrt 2$ made relu level; here is why:

# %% name="draw-there-and-back"
if course.solved(xavier) and course.solved(he_layers):
    keys = [jax.random.key(seed) for seed in range(LAYERS)]
    drawn = {
        "Xavier's rule": np.stack([xavier(key, WIDTH, WIDTH) for key in keys]),
        "He's rule": np.concatenate([he_layers(key, [WIDTH] * 11) for key in keys[:5]]),  # ten layers of each key
    }
    forward = jax.jit(lambda w: signal_sizes(relu, x, w))
    with plots.style():
        figure, (left, right) = plt.subplots(1, 2, figsize=(11, 3.6), layout="constrained")
        for (name, weights), colour in zip(drawn.items(), (plots.JAX, plots.HAND), strict=True):
            there, back = np.asarray(forward(weights)), np.asarray(all_norms(weights)["relu"])
            left.semilogy(numbers, there, color=colour, label=name)
            right.semilogy(numbers, back / back[-1], color=colour)
            print(
                f"{name:13}: behind 50 relu layers the signal is {there[-1]:.1e}, the cotangent {back[0] / back[-1]:.1e}"
            )
        left.set(title="signal, with relu: read from left to right", xlabel="layer", ylabel="root of the mean square")
        right.set(title="cotangent: read from right to left", xlabel="layer", ylabel="norm, over the last layer's")
        left.legend()
        plt.show()

# %% [markdown] name="training"
# ## Early layers that do not learn, and then do
#
# A task that is easy for a network of two layers: which points of a square lie in the circle? Here it gets twelve hidden layers in a row, and
# is trained by plain gradient descent. Three starts, each at a rate that suits it. At every step the norm of each layer's `w_bar` is
# put on record: a column of the picture is a step, the first layer is at the bottom, yellow is a large gradient, blue a
# small one. (Until your `he_layers` is right, JAX's own initialiser stands in for it.)

# %% name="train-deep"
HIDDEN, UNITS, STEPS = 12, 24, 600
points = rng.uniform(-1, 1, (128, 2))
inside = (np.hypot(*points.T) < 0.75).astype(float)
draw = np.random.default_rng(1)
first, last = (draw.standard_normal((2, UNITS)), draw.standard_normal(UNITS) / 2), draw.standard_normal(UNITS)


@jax.jit
def train(which, stack, rate):
    """Returns the loss at every step, in nats, and the norm of every hidden layer's w_bar."""
    params = jax.tree.map(jnp.asarray, (first, stack, last / np.sqrt(UNITS)))

    def activation(z):
        return jax.lax.switch(which, (sigmoid, tanh, relu), z)  # one program for all three

    def loss(params):
        (w, b), stack, last = params
        h, _ = jax.lax.scan(lambda h, w: (activation(h @ w), None), activation(points @ w + b), stack)
        return optax.sigmoid_binary_cross_entropy(h @ last, inside).mean()

    def step(params, _):
        value, grads = jax.value_and_grad(loss)(params)
        norms = jnp.sqrt(jnp.sum(grads[1] ** 2, axis=(1, 2)))
        return jax.tree.map(lambda p, grad: p - rate * grad, params, grads), (value, norms)

    return jax.lax.scan(step, params, length=STEPS)[1]


if course.solved(he_layers):
    by_he = np.stack(he_layers(jax.random.key(2), [UNITS] * (HIDDEN + 1)))
else:
    by_he = jax.nn.initializers.he_normal(batch_axis=0)(jax.random.key(2), (HIDDEN, UNITS, UNITS))
by_xavier = np.random.default_rng(2).standard_normal((HIDDEN, UNITS, UNITS)) / np.sqrt(UNITS)  # d_in is d_out here
runs = {
    "sigmoid, Xavier's rule": train(0, by_xavier, 0.05),
    "tanh, 0.75 times Xavier's": train(1, 0.75 * by_xavier, 0.2),
    "relu, He's rule": train(2, by_he, 0.02),
}

# %% name="draw-training"
with plots.style():
    figure, panels = plt.subplots(2, 3, figsize=(12.5, 5), sharex=True, height_ratios=(1, 1.7), layout="constrained")
    for (above, below), (name, run) in zip(panels.T, runs.items(), strict=True):
        losses, norms = map(np.asarray, run)
        above.plot(losses, color=plots.HAND)
        above.set(title=name, ylim=(0, 0.85))
        shown = below.imshow(
            np.log10(norms.T), origin="lower", aspect="auto", vmin=-10, vmax=0, extent=(0, STEPS, 0.5, HIDDEN + 0.5)
        )
        below.set(xlabel="step")
        below.grid(visible=False)
        print(
            f"{name:25}: loss {losses[0]:.3f} -> {losses[-1]:.3f} nats, first layer's gradient at first {norms[0, 0]:.0e}"
        )
    panels[0, 0].set_ylabel("loss, nats")
    panels[1, 0].set_ylabel("layer, 1 is the first")
    figure.colorbar(shown, ax=panels[1], label="norm of w_bar, powers of ten")
    plt.show()

# %% [markdown] name="read-training"
# - **Left.** Seven powers of ten lie between the last layer's gradient and the first's. The last layers learn in some dozens of steps how many
#   of the points lie inside, and nothing more; then their gradients fade, too. The first ones stay as they were drawn, for ever.
# - **Middle.** For two hundred steps next to nothing happens. Here *all* layers have small gradients: `w_bar` is made of the cotangent that
#   comes back and the signal that comes in, and each of these vanishes in its own direction, as you saw in `mlp`. But it is not quite nothing. The
#   weights grow, each bit of growth makes the gradients of all layers larger, and then everything lights up, first layers
#   too, and the loss falls. Try 0.7 for 0.75, and see how much longer it takes.
# - **Right.** All layers learn from the first step on. (The spikes, here and in the middle, are steps that were too long: plain gradient
#   descent at one rate. `optimizers` has remedies for that.)
#
# None of the three made a mistake in its derivatives.
#
# ## What else helps
#
# {question vanishing_gradients.q3}

# %% name="answer-q3" tags=["question"]
course.answer("vanishing_gradients.q3", ...)

# %% [markdown] name="full-answer"
# <details><summary>The full answer, as you might give it in an interview</summary>
#
# **Why.** Backward multiplies a cotangent, at each layer, by the slope of the activation and by the transposed weights. After $L$ layers that is
# a product of $L$ factors. If they are below 1 on average, it falls exponentially with depth, and the first layers get next to nothing:
# with sigmoids at most $0.25^L$ from the slopes alone, 7.9e-31 for 50 layers. If they are above 1, it explodes. Early
# layers then stay as they were drawn, while the late ones learn from their noise. The numbers are right, only small; more precision does
# not help.
#
# **Remedies**, by what they do to the product:
#
# - *activations* whose slope is 1 where they are on, and do not saturate there: relu, and its relatives leaky relu, GELU, SiLU. It touches the
#   slope. (Relu's price: units that are never on get no gradient at all.)
# - *initialisation*, so that slope times weights is 1 on average: Xavier, $2 / (d_{in} + d_{out})$, for tanh; He, $2 / d_{in}$, for relu. It
#   touches the weights, at the start.
# - *normalisation* (batch norm, layer norm): brings every layer's signal back to size 1, through all of training and not only at the start.
# - *skip connections*, $h + f(h)$: the derivative is $1 + f'$, so that the product, multiplied out, has a path with no factor in it at all. That is why
#   networks of hundreds of layers train.
# - *gates*, in recurrent networks (LSTM, GRU), where the same weights are multiplied once for every time step: the cell's state is passed on by addition, times a
#   gate near 1. It is a skip connection through time, and the oldest of these, from 1997.
#
# Clipping is none of them: it is for gradients that explode. Neither is a larger rate, which all layers share; Adam's step for each
# parameter hides the sizes, up to a point, but what it divides by is then mostly rounding and epsilon.
# </details>

# %% [markdown] name="why-by-hand"
# **Why write this by hand?** No library gets these derivatives wrong. But a wrong factor per layer and a vanishing gradient look the same from
# outside: the loss does not move. You can tell them apart now: the size of one layer's factor, on paper, beside the measured one.

# %% [markdown] name="in-your-own-words"
# ## In your own words
#
# {question vanishing_gradients.text}

# %% name="answer-text" tags=["question"]
course.answer("vanishing_gradients.text", ...)

# %% [markdown] name="name-the-mistake"
# ## Which mistake is this?
#
# Somebody's `deep_tanh_bwd` at a small stack, beside the right numbers. Backward comes to the last layer first: is its `w_bar` right? And
# what happens from there to the first?

# %% [markdown] name="ask-q4"
# {question vanishing_gradients.q4}

# %% name="somebody-elses" tags=["shown"]
course.show_mistake("vanishing_gradients.q4", draw=0)

# %% name="answer-q4" tags=["question"]
course.answer("vanishing_gradients.q4", ...)

# %% [markdown] name="what-you-have"
# ## What you have now
#
# - Backward multiplies a cotangent by slope times weights, once a layer. A factor below 1, fifty times over, leaves nothing to the first layers.
# - To find out: the norm of the cotangent at every layer, on a scale of powers of ten. A straight line that falls is a factor.
# - The pass through a stack of any depth: a scan forward, which records one array a layer, and one in reverse.
# - A sum of `d` products has `d` times the mean square. From this come Xavier's variance, one over the mean of both sizes, and He's, for
#   relu, which is two over the size below.
#
# ## Sources
#
# - S. Hochreiter, "Untersuchungen zu dynamischen neuronalen Netzen", diploma thesis, TU Munich, 1991; Y. Bengio, P. Simard, P. Frasconi,
#   "Learning long-term dependencies with gradient descent is difficult", 1994: why gradients vanish.
# - S. Hochreiter, J. Schmidhuber, "Long short-term memory", 1997: gates.
# - X. Glorot, Y. Bengio, "Understanding the difficulty of training deep feedforward neural networks", 2010: norms by layer, and Xavier's
#   rule.
# - K. He, X. Zhang, S. Ren, J. Sun, "Delving Deep into Rectifiers", 2015, arXiv:1502.01852: the 2; and "Deep Residual Learning for
#   Image Recognition", 2015, arXiv:1512.03385: skip connections.
# - S. Ioffe, C. Szegedy, "Batch Normalization", 2015, arXiv:1502.03167.
#
# Next: `normalization`, which brings every layer's signal back to size 1, in training and not only at the start.
