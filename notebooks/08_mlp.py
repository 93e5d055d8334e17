# %% [markdown] name="title"
# # A deep network from your own pairs
#
# **How long does a backward pass get when the network gets deep?**
#
# It does not get longer at all. You have written the parts: affine, relu, a loss. A deep network is the same two parts over and
# over, and its backward pass is one loop, for three layers or for three hundred. You will write that loop, count what it
# costs, see how much of a gradient reaches the first layer, and train it on real handwriting until it reads
# more than nine digits out of ten.

# %% name="imports"
import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import optax
from jax.extend.core import jaxprs_in_params

from course.comparison.costs import method_costs
from course.comparison.point import make_point
from course.lessons.losses import softmax_cross_entropy
from course.lessons.mlp import Layer, Mlp, Stack, hidden_layers, init_mlp, mlp, mlp_loss
from course.show import plots
from course.training.data import digits

np.set_printoptions(precision=4, suppress=True)

# %% [markdown] name="the-task"
# ## Handwriting
#
# 1797 digits of 8 x 8 pixels, written by hand: 64 numbers a row. Two thirds of them are to learn from; others are kept apart, to see
# whether what was learned is of use for digits never seen before.

# %% name="show-digits"
train, validation, _ = digits()
mixed = np.random.default_rng(0).permutation(len(train[0]))  # they come sorted, the zeros first
images, labels = jnp.asarray(train[0][mixed], jnp.float32), jnp.asarray(train[1][mixed])
unseen, unseen_labels = jnp.asarray(validation[0], jnp.float32), jnp.asarray(validation[1])
print("images", images.shape, "  labels", labels.shape)


def show(axes, image, title, colour=plots.INK):
    """Draws one digit."""
    axes.imshow(image.reshape(8, 8), cmap="cividis")
    axes.set_title(title, color=colour, fontsize=9, loc="center")
    axes.axis("off")


with plots.style():
    figure, panels = plt.subplots(1, 12, figsize=(11, 1.4), layout="constrained")
    for axes, image, label in zip(panels, images, labels, strict=False):
        show(axes, image, f"{label}")
    plt.show()

# %% [markdown] name="the-network"
# ## The network is a list
#
#     x -> affine -> relu -> affine -> relu -> affine -> logits
#
# There is a relu after every affine but the last: logits may be negative. The parameters are an `Mlp`, a tuple with one field,
# `layers`: a list that has a `Layer` for each affine, first layer first. A `Layer` is a tuple too, of `w` and `b`. A tree of
# parameters like this is what JAX calls a *pytree*: `jax.tree.map` goes through all its arrays. Its cotangent has the same form.

# %% name="first-network"
params = init_mlp(jax.random.key(0), (64, 128, 64, 10))
for layer in params.layers:
    print(f"w {layer.w.shape!s:10}  b {layer.b.shape}")
print(f"{sum(array.size for array in jax.tree.leaves(params)):,} numbers to learn")

logits = mlp(params, images[:5])
print(
    "loss of five images:",
    softmax_cross_entropy(logits, labels[:5]),
    "  by mlp_loss:",
    mlp_loss(params, images[:5], labels[:5]),
)

# %% [markdown] name="what-autodiff-says"
# This is what JAX sends back. For each of the three layers one `w_bar` and one `b_bar`; the numbers say how large they are.

# %% name="gradient-by-jax"
params_bar = jax.grad(mlp_loss)(params, images[:5], labels[:5])
for number, layer_bar in enumerate(params_bar.layers):
    sizes = f"norm of w_bar {jnp.linalg.norm(layer_bar.w):.3f}   norm of b_bar {jnp.linalg.norm(layer_bar.b):.3f}"
    print(f"layers[{number}]   w_bar {layer_bar.w.shape!s:10} {sizes}")

# %% [markdown] name="neighbour"
# ## A neighbour: a deep sine
#
# A chain with one number for each layer, as long as you please:
#
#     for scale in scales:
#         x = sin(scale * x)
#
# One layer is `y = sin(scale * x)`. Its slope by `x` is `cos(scale * x) * scale`, and by `scale` it is `cos(scale * x) * x`: a pair
# like those that you know. Now the chain. Forward runs the layers and puts **what each of them kept** on a list. Backward takes
# the list from its end. One variable goes through the whole pass: the `x_bar` of one layer is the `y_bar` of the one before it.


# %% name="deep-sine" tags=["worked"]
def layer_fwd(x, scale):
    return jnp.sin(scale * x), (x, scale)


def layer_bwd(residuals, y_bar):
    x, scale = residuals
    inner_bar = y_bar * jnp.cos(scale * x)
    return inner_bar * scale, inner_bar * x


def deep_sine_fwd(scales, x):
    residuals = []
    for scale in scales:
        x, kept = layer_fwd(x, scale)
        residuals.append(kept)
    return x, residuals


def deep_sine_bwd(residuals, y_bar):
    scales_bar = []
    for kept in reversed(residuals):
        y_bar, scale_bar = layer_bwd(kept, y_bar)  # from here on y_bar is that of the layer before
        scales_bar.append(scale_bar)
    scales_bar.reverse()  # it grew from the last layer to the first
    return scales_bar, y_bar


def deep_sine(scales, x):
    for scale in scales:
        x = jnp.sin(scale * x)
    return x


scales = [1.5, -0.7, 2.0, 0.4]
y, kept = deep_sine_fwd(scales, 0.8)
by_hand = deep_sine_bwd(kept, 1.0)
by_jax = jax.vjp(deep_sine, scales, 0.8)[1](jnp.array(1.0))
print("scales_bar by hand:", np.array(by_hand[0]), "  x_bar:", f"{by_hand[1]:.4f}")
print("scales_bar by JAX: ", np.array(by_jax[0]), "  x_bar:", f"{by_jax[1]:.4f}")

# %% [markdown] name="what-the-loop-knows"
# The loop knows nothing of sines. It does not even look into what a layer kept. That is what the contract of the pairs is for:
# **whoever puts parts together need not know how any of them works.**
#
# ## Your turn (hard): mlp
#
# The same with your own parts, which the next cell brings here. Two things are new: a hidden layer is two parts, affine and
# relu, and the last layer is only one. Where forward had affine then relu, what does backward have?

# %% name="your-parts"
from solutions.linear_and_activations import affine_bwd, affine_fwd, relu_bwd, relu_fwd
from solutions.losses import softmax_cross_entropy_bwd, softmax_cross_entropy_fwd

parts = {
    "affine": (affine_fwd, affine_bwd),
    "relu": (relu_fwd, relu_bwd),
    "softmax_cross_entropy": (softmax_cross_entropy_fwd, softmax_cross_entropy_bwd),
}
for name, part in parts.items():
    print(
        f"{name:22}", "ready" if course.solved(*part) else "not right yet: finish it in its own lesson, then come back"
    )

# %% name="your-mlp" tags=["exercise"]
from solutions.mlp import mlp_bwd, mlp_fwd

# %% name="check-mlp" tags=["check"]
course.check(mlp_fwd, mlp_bwd)

# %% [markdown] name="verdict-with-cost"
# From here on the verdict says what your answer costs: the FLOPs (floating-point operations) of forward and backward, beside those of
# `jax.vjp`. They are counted and not timed, so they are the same on every machine. `cost 1/1` is a point of its own, for
# staying near JAX's. More on that below.

# %% [markdown] name="derive-mlp"
# <details><summary>After you solved it: the two loops</summary>
#
# Forward, per hidden layer: `affine_fwd`, then `relu_fwd`; what the two keep goes on the list together. The last affine stands behind
# the loop.
#
# Backward is the mirror image. First the last affine, with `logits_bar`. Then for each hidden layer, from the back: its relu, whose
# `x_bar` is the `y_bar` of its affine, whose `x_bar` is the `y_bar` of the relu before that. The `w_bar` and `b_bar` that fall out on
# the way make a `Layer` each. The list of them has grown from the back, so it is turned round at the end.
#
# What was saved is what the parts saved. For the mlp itself nothing is added: the parameters exist anyway, and all else is the `x` of
# every affine and one byte for every entry of a relu.
# </details>

# %% [markdown] name="loss-turn"
# ### Your turn: the loss on top
#
# `mlp_loss` is the network and then `softmax_cross_entropy`: two pairs in a row. It is this pair that will be trained.
# Images and labels are data: `None` for each.

# %% name="your-mlp-loss" tags=["exercise"]
from solutions.mlp import mlp_loss_bwd, mlp_loss_fwd

# %% name="check-mlp-loss" tags=["check"]
course.check(mlp_loss_fwd, mlp_loss_bwd)

# %% [markdown] name="derive-mlp-loss"
# <details><summary>After you solved it: why it is so short</summary>
#
# The loss ran last, so its backward runs first, and its `logits_bar` is what the network's backward takes. A network with a loss is a part
# like any other: it could go into something larger, and that would not look into it either.
# </details>

# %% [markdown] name="cost"
# ## What does it cost?
#
# Think before you count. One affine layer, forward: `x @ w`, where `x` is `(batch, d_in)` and `w` is `(d_in, d_out)`. That is
# `batch * d_in * d_out` multiplications, and as many additions. Backward has two products, for `w_bar` and for `x_bar`, and each
# has the same three sizes in another order: the same work each. So backward is **about twice** forward, and both together **about
# three times**. The relus, the biases and the loss are small beside it.
#
# There is one exception. The `x` of the first layer is the images, and nobody wants an `images_bar`: one product less.

# %% name="count-by-formula"
batch, sizes = 64, (64, 128, 64, 10)
print("layer      forward    w_bar      x_bar    (FLOPs of the products)")
totals = np.zeros(3, int)
for number, (d_in, d_out) in enumerate(zip(sizes[:-1], sizes[1:], strict=True)):
    product = 2 * batch * d_in * d_out
    row = np.array([product, product, 0 if number == 0 else product])
    totals += row
    print(f"{number:5} {row[0]:12,} {row[1]:8,} {row[2]:10,}")
print(f"all   {totals[0]:12,} {totals[1]:8,} {totals[2]:10,}")
print(f"forward and backward, over forward: {totals.sum() / totals[0]:.2f}")

# %% [markdown] name="count-for-real"
# And now count the programs themselves, operation by operation: forward alone, forward with JAX's backward (`jax.vjp`), yours if it is
# right. And three other ways to the same gradient. `jax.jvp` runs forward and carries along how much everything moves if the
# parameters move in *one* given direction; `jax.jacfwd` does that for every parameter; central differences nudge each parameter up
# and down.

# %% name="count-costs"
data = images[:64], labels[:64]
point = make_point(lambda params: mlp_loss(params, *data), (params,))
pair = ()
if course.solved(mlp_loss_fwd, mlp_loss_bwd):
    pair = (lambda params: mlp_loss_fwd(params, *data), lambda kept, loss_bar: mlp_loss_bwd(kept, loss_bar)[:1])
costs = method_costs(point, *pair)
for cost in costs:
    print(f"{cost.method:24} {cost.flops:18,} FLOPs {cost.ratio:11,.2f} times forward")

# %% name="draw-costs"
with plots.style():
    figure, axes = plt.subplots(figsize=(9, 3), layout="constrained")
    names = {"primal": "forward alone", "yours": "your pair"}
    for place, cost in enumerate(reversed(costs)):
        colour = plots.HAND if cost.method == "yours" else plots.INK if cost.method == "primal" else plots.JAX
        axes.barh(place, cost.ratio, color=colour)
        axes.text(
            cost.ratio * 1.15, place, f"{cost.ratio:,.2f}" if cost.ratio < 100 else f"{cost.ratio:,.0f}", va="center"
        )
    axes.set_yticks(range(len(costs)), [names.get(cost.method, cost.method) for cost in reversed(costs)])
    axes.set(xscale="log", xlim=(0.5, 4e5), title="FLOPs to get there, as a multiple of forward")
    axes.set_xlabel("times forward (each line is ten times the one before)")
    axes.grid(visible=False, axis="y")
    plt.show()

# %% [markdown] name="read-the-costs"
# There are about 17,000 parameters. Differences take two runs for each of them, and forward mode costs as much for a *single* direction as
# backward mode for the whole gradient. Backward mode takes its two and a half runs *whatever the number of parameters*. This is the
# whole reason why networks can be trained.
#
# {question mlp.q1}

# %% name="answer-q1" tags=["question"]
course.answer("mlp.q1", ...)

# %% [markdown] name="ask-q2"
# {question mlp.q2}

# %% name="answer-q2" tags=["question"]
course.answer("mlp.q2", ...)

# %% [markdown] name="reaches"
# ## How much of it reaches the first layer?
#
# On its way back a cotangent goes through a matrix and a relu in every layer, and each may shrink it or blow it up. A little, but
# twenty times over. Here are twenty layers of 64 units. The weights start at three scales: as `init_mlp` draws them, with a variance of
# `2 / d_in`, and a bit smaller and larger. Left the norm of each layer's `b_bar`, which is the cotangent itself, added up over the rows;
# right the norm of its `w_bar`.

# %% name="draw-norms"
deep = init_mlp(jax.random.key(1), (64,) * 20 + (10,))


@jax.jit
def norms(scale):
    """Norms of b_bar and of w_bar, layer by layer, when all weights are multiplied by a scale."""
    scaled = Mlp([Layer(scale * layer.w, layer.b) for layer in deep.layers])
    gradient = jax.grad(mlp_loss)(scaled, images[:64], labels[:64])
    return [jnp.array([jnp.linalg.norm(layer_bar[i]) for layer_bar in gradient.layers]) for i in (1, 0)]


with plots.style():
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 3.8), sharey=True, layout="constrained")
    for scale, colour in ((1.5, plots.COLOURS[3]), (1.0, plots.COLOURS[2]), (0.7, plots.HAND)):
        for axes, found in zip((left, right), norms(scale), strict=True):
            axes.semilogy(
                range(1, 21), found, "o-", markersize=4, color=colour, label=f"{scale:g} times the usual start"
            )
    left.set(title="norm of b_bar", xlabel="layer, 1 is the first", xticks=range(1, 21))
    right.set(title="norm of w_bar", xlabel="layer, 1 is the first", xticks=range(1, 21))
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    plt.show()
for scale in (0.7, 1.0, 1.5):
    b_norms, w_norms = norms(scale)
    a_layer = (b_norms[0] / b_norms[-1]) ** (1 / 19)
    print(f"scale {scale:g}: b_bar times {a_layer:.2f} in each layer back; first layer, norm of w_bar {w_norms[0]:.1e}")

# %% [markdown] name="read-the-norms"
# Read the left picture from right to left, as backward goes. At 0.7, each layer loses about a third, and hardly anything reaches the
# first. At 1.5 it grows on the way. At the usual start it keeps its order of magnitude.
#
# The right picture is flat, and that is no contradiction. `w_bar` is made of two things, the cotangent that comes back and the `x` that
# came in. At 0.7, early layers get small cotangents, late layers get a small `x`, and the product is small everywhere: the
# whole network gets next to nothing.
#
# A relu lets half of the squares through, on average; the 2 in `2 / d_in` makes good for it. K. He and others found it in 2015. How it
# is derived, and what else helps, are for `vanishing_gradients`, `normalization` and `skip_connections`.
#
# {question mlp.q3}

# %% name="answer-q3" tags=["question"]
course.answer("mlp.q3", ...)

# %% [markdown] name="train"
# ## Train it
#
# In three lines, the usual way: `jax.value_and_grad` for the loss and its gradient, Optax for the update, `jax.jit` to
# compile both into one fast program. `course.as_jax` makes a JAX function of your pair. From then on `jax.value_and_grad` calls
# *you*. Both trainings start from the same parameters and see the same images in the same order.


# %% name="training-loop"
def training(loss_function, epochs=12, rows=64):
    """The parameters after training, the loss of each step, the share of unseen digits read right after each epoch."""
    optimizer = optax.adam(3e-3)

    @jax.jit
    def step(params, state, x, labels):
        loss, params_bar = jax.value_and_grad(loss_function)(params, x, labels)
        updates, state = optimizer.update(params_bar, state)
        return optax.apply_updates(params, updates), state, loss

    @jax.jit
    def accuracy(params):
        return jnp.mean(mlp(params, unseen).argmax(axis=1) == unseen_labels)

    now, state, losses, accuracies = params, optimizer.init(params), [], []
    for epoch in range(epochs):
        order = np.random.default_rng(epoch).permutation(len(images))
        for start in range(0, len(images) - rows + 1, rows):
            chosen = order[start : start + rows]
            now, state, loss = step(now, state, images[chosen], labels[chosen])
            losses.append(float(loss))
        accuracies.append(float(accuracy(now)))
    return now, losses, accuracies


trained, losses, accuracies = training(mlp_loss)
print(f"by jax.grad:  loss {losses[0]:.3f} -> {losses[-1]:.3f}, {accuracies[-1]:.1%} of the unseen digits right")
mine = None
if course.solved(mlp_loss_fwd, mlp_loss_bwd):
    mine = training(course.as_jax(mlp_loss_fwd, mlp_loss_bwd))
    print(f"by your pair: loss {mine[1][0]:.3f} -> {mine[1][-1]:.3f}, {mine[2][-1]:.1%} of the unseen digits right")
else:
    print("by your pair: run this cell again when mlp_loss is right")

# %% name="draw-training"
with plots.style():
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.4), layout="constrained")
    left.plot(losses, color=plots.JAX, linewidth=5, label="by jax.grad")
    right.plot(range(1, 13), 100 * np.array(accuracies), color=plots.JAX, linewidth=5)
    if mine:
        left.plot(mine[1], color=plots.HAND, linewidth=1.4, dashes=(6, 2.5), label="by your own pair")
        right.plot(range(1, 13), 100 * np.array(mine[2]), color=plots.HAND, linewidth=1.4, dashes=(6, 2.5))
    left.axhline(np.log(10), color=plots.INK, linewidth=1, linestyle=":", label="knowing nothing: log(10)")
    left.set(title="loss, nats", xlabel="step", ylim=(0, None))
    left.legend()
    right.set(title="unseen digits read right, %", xlabel="epoch (once through all images)", ylim=(50, 101))
    plt.show()

# %% [markdown] name="misread-text"
# The first loss is a bit above `log(10)`: an untrained network knows nothing, and is not even quite undecided about it. And what of the
# digits that it gets wrong at the end? Look at those of which it is least sure, right or wrong:

# %% name="draw-misread"
reader = mine[0] if mine else trained
probabilities = np.asarray(jax.nn.softmax(mlp(reader, unseen)))
of_truth = probabilities[np.arange(len(unseen)), unseen_labels]
with plots.style():
    figure, panels = plt.subplots(2, 8, figsize=(11, 3.6), layout="constrained")
    for axes, n in zip(panels.flat, np.argsort(of_truth), strict=False):
        guess = int(probabilities[n].argmax())
        says = f"reads {guess}, {probabilities[n, guess]:.0%} sure\nit is a {int(unseen_labels[n])}"
        show(axes, unseen[n], says, plots.INK if guess == int(unseen_labels[n]) else plots.COLOURS[3])
    plt.show()

# %% [markdown] name="which-mistake"
# You might have misread some of them too.

# %% [markdown] name="one-layer-for-all"
# ## More practice: one layer, written and compiled once
#
# The loop of `mlp` is a Python loop, and JAX never sees it. It sees what the loop *did*: a product, a sum and a relu, and again a
# product, a sum and a relu. A network of 50 layers is a program 25 times as long as one of 2, and so is its backward pass; and before it
# runs, all of it must be recorded and compiled.
#
# If all hidden layers have one width, they can be told apart by nothing but their numbers. Then put the numbers of all layers into one
# array with a new first axis, and say the layer once. `Stack` is a `Layer` with this axis: `w` is `(layers, d, d)` and `b` is
# `(layers, d)`. `jax.lax.scan` calls a function of `(carried, one layer's arrays)` for one layer after the other. Count the equations of
# the programs that JAX records:


# %% name="count-equations"
def equations(jaxpr):
    """Equations of a recorded program, those of the loops and functions inside it included."""
    inner = [part for equation in jaxpr.eqns for part in jaxprs_in_params(equation.params)]
    return len(jaxpr.eqns) + sum(map(equations, inner))


def stack_like(layers, d=64):
    """The shapes of a stack; no numbers are needed to record a program."""
    return Stack(jax.ShapeDtypeStruct((layers, d, d), jnp.float32), jax.ShapeDtypeStruct((layers, d), jnp.float32))


def in_a_loop(params, x):
    """The same layers, by a loop in Python."""
    for w, b in zip(*params, strict=True):
        x = jax.nn.relu(x @ w + b)
    return x


rows_of_64 = jax.ShapeDtypeStruct((32, 64), jnp.float32)
print("layers    loop in Python: value, gradient      scan: value, gradient")
for depth in (2, 50):
    counted = []
    for network in (in_a_loop, hidden_layers):
        gradient = jax.grad(lambda params, x, network=network: jnp.sum(network(params, x)))
        counted += [equations(jax.make_jaxpr(f)(stack_like(depth), rows_of_64).jaxpr) for f in (network, gradient)]
    print(f"{depth:6} {counted[0]:22} {counted[1]:9} {counted[2]:16} {counted[3]:9}")

# %% [markdown] name="hidden-layers-turn"
# The left columns grow with the depth, the right ones don't: one layer is recorded and compiled, for two layers or for a thousand. What
# is computed is the same:

# %% name="same-network"
key_w, key_b, key_x = jax.random.split(jax.random.key(2), 3)
some = Stack(jax.random.normal(key_w, (6, 16, 16)) / 4, jax.random.normal(key_b, (6, 16)))
some_rows = jax.random.normal(key_x, (5, 16))
print("largest difference:", jnp.abs(in_a_loop(some, some_rows) - hidden_layers(some, some_rows)).max())

# %% [markdown] name="hidden-layers-ask"
# ### Your turn: all hidden layers as one scan
#
# Twice: forward, and backward in reverse. The body of the forward scan is one layer, made of your two pairs; beside what goes on to
# the next layer it returns what must be **put on record**, and the scan stacks the records of all layers. Where `mlp` had a list of
# residuals, there is now one tree of stacked arrays. Backward scans over these with `reverse=True`: it begins at the end, and its own
# records come out in the layers' order all the same. (`deep_tanh` in `vanishing_gradients` is a cousin, with other things to save.)

# %% name="your-hidden-layers" tags=["exercise"]
from solutions.mlp import hidden_layers_bwd, hidden_layers_fwd

# %% name="check-hidden-layers" tags=["check"]
course.check(hidden_layers_fwd, hidden_layers_bwd)

# %% [markdown] name="derive-hidden-layers"
# <details><summary>After you solved it: what was put on record, and what it costs</summary>
#
# Both bodies are those of the loops in `mlp_fwd` and `mlp_bwd`. The list that grew from the back and was turned round has gone: a scan with
# `reverse=True` puts each record in its layer's place.
#
# One thing is worth a look. `affine_fwd` keeps `x` and `w`. In the loop this `w` was the parameter itself, and cost nothing. In
# the scan it is put on record, and the record is a new array: all weights are in memory twice. Who minds takes `params.w` into the
# residuals once, records only `x` and what relu kept, and hands both to a backward scan over `(params.w, records)`.
# </details>

# %% name="record-of-weights"
if course.solved(hidden_layers_fwd, hidden_layers_bwd):
    _, kept = jax.eval_shape(hidden_layers_fwd, stack_like(50), rows_of_64)  # its shapes alone: nothing is computed
    for array in jax.tree.leaves(kept):
        print(f"kept: {array.shape!s:14} {array.size * array.dtype.itemsize:9,} bytes")
    print(f"the weights themselves:{50 * 64 * 64 * 4:9,} bytes")

# %% [markdown] name="in-your-own-words"
# ## In your own words
#
# {question mlp.text}

# %% name="answer-text" tags=["question"]
course.answer("mlp.text", ...)

# %% [markdown] name="name-the-mistake"
# ## Which mistake is this?
#
# Somebody's cotangents of a small network, beside the right ones. Backward comes to the last layer first: where does it go wrong for the
# first time, and in all units or only in some?

# %% [markdown] name="ask-q4"
# {question mlp.q4}

# %% name="somebody-elses" tags=["shown"]
course.show_mistake("mlp.q4", draw=0)

# %% name="answer-q4" tags=["question"]
course.answer("mlp.q4", ...)

# %% [markdown] name="train-for-real"
# ## The last thing to try
#
# In a terminal, in the folder of this notebook:
#
#     course train mlp --gradient both --submission .
#
# It trains the same network, longer and in float64, once on JAX's gradient and once on yours, side by side. It ends with a
# picture that says how many lines you wrote, how closely the two agree, and how fast yours is. You may stop it with
# Ctrl-C and go on later.
#
# ## What you have now
#
# - The backward pass of a deep network is one loop over what each layer kept, from the last to the first. It looks into none of them.
# - It costs about twice forward, whatever the number of parameters; forward mode and differences pay for each parameter.
# - What is kept grows with the depth, and what reaches the first layer is a product of as many factors as there are layers.
# - Layers of one width can be one scan: one layer recorded and compiled, for any depth.
#
# ## Sources
#
# - I. Goodfellow, Y. Bengio, A. Courville, "Deep Learning", MIT Press, 2016, chapter 6.5: backpropagation through a layered network.
# - K. He, X. Zhang, S. Ren, J. Sun, "Delving Deep into Rectifiers", 2015, arXiv:1502.01852: the `2 / d_in`.
# - A. Griewank, A. Walther, "Evaluating Derivatives", 2nd edition, SIAM, 2008, chapter 4: a gradient costs a small multiple of its function.
# - E. Alpaydin, C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning Repository, 1998: the digits.
#
# Next: `reverse_mode`, where a program writes down what it does, and one sweep over the record differentiates any of it.
