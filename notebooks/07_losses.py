# %% [markdown] name="title"
# # Losses that stay finite
#
# **How wrong is an answer, in one number? And which way does that number push the network?**
#
# Every backward pass starts at a loss. What it hands back is the first cotangent of all, and every other cotangent is made from
# it: if it is NaN, so are they all. Three losses are written here: one for numbers, one for yes or no, one for a choice among
# many. The last two have a trap: written as the textbook has them, they break as soon as a network is very sure of itself. You
# will see them break, see why, and write them so that they don't.

# %% name="imports"
import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import optax

from course.comparison.residuals import residual_bytes, vjp_residual_bytes
from course.lessons.linear_and_activations import affine, sigmoid
from course.lessons.losses import (
    IGNORED,
    binary_cross_entropy,
    half_squared_error,
    masked_cross_entropy,
    smoothed_cross_entropy,
    softmax_cross_entropy,
)
from course.show import plots

np.set_printoptions(precision=4, suppress=True)

# %% [markdown] name="numbers"
# ## Numbers: half squared error
#
# A network predicts numbers, a row for each example. How far off is it?
#
#     loss = (1 / batch) * sum over n and j of 0.5 * (prediction[n, j] - target[n, j])**2
#
# Each row's errors are squared and added; the mean is over the **rows**. You know this loss from the two-layer network. New is
# that it is a part of its own, with two arguments. Three rows of two numbers:

# %% name="half-squared-error-by-jax"
prediction = jnp.array([[1.0, 2.0], [0.0, -1.0], [4.0, 4.0]])
target = jnp.array([[2.0, 0.0], [3.0, -2.0], [3.0, 6.0]])

loss, pullback = jax.vjp(half_squared_error, prediction, target)
prediction_bar, target_bar = pullback(jnp.array(1.0))
print("loss", loss)
for name, array in {"prediction": prediction, "target": target, "prediction_bar": prediction_bar}.items():
    print(f"{name}\n{array}")
print(f"target_bar\n{target_bar}")

# %% [markdown] name="target-too"
# The target has a cotangent too. If it comes from a file, nobody wants it. But where one network is taught to do as another
# does, the target *is* the other's prediction, and then somebody does.
#
# ### A neighbour: the absolute error
#
# `loss = (1 / batch) * sum(abs(prediction - target))`. Take one entry, `prediction[n, j]`. It stands in one term of the sum. The
# slope of `abs` is 1 where the difference is positive and -1 where it is negative: its sign. In front stands `1 / batch`. And
# `loss_bar`, how much the end result moves with this loss, comes on top.
#
# `target[n, j]` stands in the same term, with a minus before it.


# %% name="absolute-error" tags=["worked"]
def absolute_error_fwd(prediction, target):
    error = prediction - target
    return jnp.sum(jnp.abs(error)) / len(error), error


def absolute_error_bwd(residuals, loss_bar):
    error = residuals
    prediction_bar = loss_bar * jnp.sign(error) / len(error)
    return prediction_bar, -prediction_bar


def absolute_error(prediction, target):
    return jnp.sum(jnp.abs(prediction - target)) / len(prediction)


_, residuals = absolute_error_fwd(prediction, target)
by_hand = absolute_error_bwd(residuals, 10.0)[0]
by_jax = jax.vjp(absolute_error, prediction, target)[1](jnp.array(10.0))[0]
print("by hand:", *by_hand, "\nby JAX: ", *by_jax)

# %% [markdown] name="half-squared-error-turn"
# ### Your turn: half squared error
#
# Both halves. For the value call `half_squared_error`; the numbers above are there to hold your formula against.

# %% name="your-half-squared-error" tags=["exercise"]
from solutions.losses import half_squared_error_bwd, half_squared_error_fwd

# %% name="check-half-squared-error" tags=["check"]
course.check(half_squared_error_fwd, half_squared_error_bwd)

# %% [markdown] name="derive-half-squared-error"
# <details><summary>After you solved it: the derivation</summary>
#
# `prediction[n, j]` stands in one term, `0.5 * (prediction[n, j] - target[n, j])**2 / batch`. The 2 comes down and meets the 0.5;
# what is left is the difference, over the number of rows.
#
#     prediction_bar = loss_bar * error / len(error)
#     target_bar = -prediction_bar
#
# The further off, the harder it pulls. The absolute error pulls equally hard everywhere, which is why one wild example
# spoils it less.
#
# `len(error)` is the number of rows. `error.size` would be the number of entries: another loss, and a common slip.
# </details>

# %% [markdown] name="yes-or-no"
# ## Yes or no: why not the same loss?
#
# Now the target is 1 or 0: spam or not, ill or healthy. The network puts out any number, the **logit**, and `sigmoid(logit)`
# turns it into the probability of a yes. One could take the half squared error of that. Let the truth be yes, and look at what
# comes back to the logit:

# %% name="squared-error-of-a-sigmoid"
print(" logit   probability of yes   slope, squared   slope, -log")
for z in (-20.0, -10.0, -5.0, 0.0, 5.0):
    squared = jax.grad(lambda z: 0.5 * (sigmoid(z) - 1) ** 2)(z)
    minus_log = jax.grad(lambda z: -jnp.log(sigmoid(z)))(z)
    print(f"{z:6g} {sigmoid(z):20.9f} {squared:16.9f} {minus_log:13.6f}")

# %% [markdown] name="surprise"
# The first line is a network as wrong as can be, and the squared error hardly tells it so: on the flat end of the sigmoid nothing
# comes back. The last column has no such weakness. It is the slope of **minus the logarithm of the probability that was given to what
# really happened**: 0 if that was certain, and without bound as it goes to 0. This is called the *cross-entropy*. By the
# natural logarithm, it is measured in *nats*.
#
# Written for both truths at once, with a target of 1 or 0:
#
#     p    = sigmoid(logit)
#     loss = -(target * log(p) + (1 - target) * log(1 - p))          and the mean over the batch
#
# ### The textbook's formula breaks
#
# Run it on networks that are more and more sure, and wrong: they say no, the truth is yes.


# %% name="naive-breaks"
def naive(logits, target):
    p = sigmoid(logits)
    return jnp.mean(-(target * jnp.log(p) + (1 - target) * jnp.log(1 - p)))


yes = jnp.array([1.0])
print("   logit   naive loss   naive slope   the course's loss   its slope")
for logit in (-1.0, -10.0, -50.0, -100.0, -1e4):
    z = jnp.array([logit])
    row = [f(z, yes) for f in (naive, lambda *a: jax.grad(naive)(*a)[0])]
    row += [f(z, yes) for f in (binary_cross_entropy, lambda *a: jax.grad(binary_cross_entropy)(*a)[0])]
    print(f"{logit:8g} {row[0]:12.6g} {row[1]:13.6g} {row[2]:19.6g} {row[3]:11.6g}")

# %% [markdown] name="why-it-breaks"
# `inf`, and then `nan`, in front of your eyes. What happened? A float32 holds nothing positive below about `1e-45`. At a logit of -100,
# `p` should be `4e-44`, which is as good as lost, and at -1e4 it is exactly 0. `log(0)` is minus infinity, its slope is `1 / 0`, and
# the chain rule multiplies that by the slope of the sigmoid, which is 0. Infinity times zero is NaN.
#
# And it is worse on the other side. Let the truth be no, and the network say yes at a logit of 20 only:

# %% name="naive-breaks-early"
for logit in (10.0, 15.0, 20.0):
    z, no = jnp.array([logit]), jnp.array([0.0])
    print(
        f"{logit:5g}   p = {sigmoid(z)[0]:.9f}   naive {naive(z, no):8.5f}   right {binary_cross_entropy(z, no):8.5f}"
    )

# %% [markdown] name="softplus"
# Near 1 a float32 has steps of `6e-8`. So `p` becomes 1, and `log(1 - p)` never comes back.
#
# ### The way out: do the algebra before the machine rounds
#
# `log(1 - p)` is `log(exp(-z) / (1 + exp(-z)))`, which is `-log(1 + exp(z))`; and `log(p)` is that plus `z`. Put both into the loss, and
# almost everything cancels:
#
#     loss = softplus(logit) - target * logit               softplus(z) = log(1 + exp(z))
#
# No probability is left in it. One thing remains: `exp(1e4)` overflows. For large `z`, softplus is nearly `z` itself, so take that out:
#
#     softplus(z) = max(z, 0) + log(1 + exp(-abs(z)))
#
# Now `exp` only ever sees numbers that are not positive, and those can't overflow.

# %% name="softplus-forms"
z = jnp.array([-1e4, -1.0, 0.0, 1.0, 1e4])


def careful(z):
    return jnp.maximum(z, 0) + jnp.log1p(jnp.exp(-jnp.abs(z)))  # log1p(e) is log(1 + e), exact for small e


print("z              ", z)
print("log(1 + exp(z))", jnp.log(1 + jnp.exp(z)))
print("careful        ", careful(z))
print("jax.nn.softplus", jax.nn.softplus(z))

# %% [markdown] name="softplus-slope"
# ### A neighbour: the slope of softplus
#
# By hand, from `log(1 + exp(z))`: the slope of a logarithm is one over what stands inside, and the slope of the inside is `exp(z)`.
#
# $$\frac{d\;\mathtt{softplus}}{d z} = \frac{e^{z}}{1 + e^{z}} = \frac{1}{1 + e^{-z}} = \mathtt{sigmoid}(z)$$
#
# A function that you have written a pair for; softplus itself was practice in `linear_and_activations`. Is it what JAX says?

# %% name="softplus-slopes"
slopes = jax.vmap(jax.grad(jax.nn.softplus))(z)
print("sigmoid(z)                     ", sigmoid(z))
print("slope by JAX, jax.nn.softplus  ", slopes)
print("slope by JAX, log(1 + exp(z))  ", jax.vmap(jax.grad(lambda z: jnp.log(1 + jnp.exp(z))))(z))
print("slope by JAX, careful          ", jax.vmap(jax.grad(careful))(z))

# %% [markdown] name="a-right-value-is-not-a-right-slope"
# Look at the third number of the last line. `careful` has the right value everywhere, and at 0 a wrong slope: its two terms have
# a kink each, the kinks cancel, and autodiff, which goes term by term, does not see that. **A right value is not yet a right
# slope.** This is one of the places where a derivative written by hand is better: you know that the slope is a sigmoid.
#
# ### Your turn: binary cross-entropy
#
# `logits` and `target` have shape `(batch,)`, and the loss is the mean. The target is data here: `None` stands in its place.
# For the value call `binary_cross_entropy`. JAX's numbers for five examples:

# %% name="binary-by-jax"
logits = jnp.array([-1e4, -1.0, 0.0, 2.0, 1e4])
answers = jnp.array([1.0, 0.0, 1.0, 1.0, 1.0])
loss, pullback = jax.vjp(lambda logits: binary_cross_entropy(logits, answers), logits)
print("loss", loss)
print("logits     ", logits)
print("sigmoid    ", sigmoid(logits))
print("target     ", answers)
print("logits_bar ", pullback(jnp.array(1.0))[0])

# %% name="your-binary" tags=["exercise"]
from solutions.losses import binary_cross_entropy_bwd, binary_cross_entropy_fwd

# %% name="check-binary" tags=["check"]
course.check(binary_cross_entropy_fwd, binary_cross_entropy_bwd)

# %% [markdown] name="derive-binary"
# <details><summary>After you solved it: the derivation</summary>
#
# One example: `loss = softplus(logit) - target * logit`. The slope of the first term is `sigmoid(logit)`, of the second `-target`.
# The mean over the batch divides by the number of examples:
#
#     logits_bar = loss_bar * (sigmoid(logits) - target) / len(logits)
#
# **The probability, less the truth.** It is never larger than 1 for an example, and never dies where the network is wrong.
#
# Along the old way, the chain rule gives `1/p` from the logarithm and `p * (1 - p)` from the sigmoid, and `p` cancels *on paper*.
# On the machine it is infinity times zero. Done by hand, the cancelling happens before there is anything to cancel.
# </details>

# %% [markdown] name="one-of-many"
# ## One of many: softmax cross-entropy
#
# Ten digits, fifty thousand words: the network gives a logit to each class, and `softmax` turns a row of logits into probabilities
# that add up to 1. The loss is again minus the logarithm of the probability that was given to the truth, the **label**.
#
#     p    = exp(row) / sum(exp(row))
#     loss = -log(p[label])                                          and the mean over the rows
#
# And again it breaks, twice: `exp` overflows, and `log` meets a zero.


# %% name="naive-softmax"
def naive_softmax_cross_entropy(row, label):
    p = jnp.exp(row) / jnp.sum(jnp.exp(row))
    return -jnp.log(p[label])


for row in ([1.0, 2.0, 4.0], [50.0, 0.0, 90.0], [1e4, -1e4, 1e4]):
    row = jnp.array(row)
    naive_loss, naive_slope = jax.value_and_grad(naive_softmax_cross_entropy)(row, 1)
    loss, slope = jax.value_and_grad(softmax_cross_entropy)(row[None], jnp.array([1]))
    print(f"logits {row}, label 1\n  naive {naive_loss:10g}  {naive_slope}\n  right {loss:10g}  {slope[0]}")

# %% [markdown] name="logsumexp"
# The algebra first, once more. The logarithm of a fraction is a difference, and the logarithm of `exp(row[label])` is `row[label]`:
#
#     loss = logsumexp(row) - row[label]                  logsumexp(row) = log(sum(exp(row)))
#
# And against the overflow: take the largest logit out of the sum before `exp` sees it.
#
#     logsumexp(row) = m + log(sum(exp(row - m)))         m = max(row)
#
# Every exponent is now 0 or less, and one of them is exactly 0, so that the sum is at least 1 and its logarithm is finite.
# `jax.nn.logsumexp` does this.
#
# ### A neighbour: the slope of logsumexp
#
# Nudge one logit, `row[k]`. The slope of the logarithm is one over the sum; inside the sum only the term `exp(row[k])` moves, with
# slope `exp(row[k])`.
#
# $$\frac{\partial\;\mathtt{logsumexp}}{\partial\,\mathtt{row}[k]} = \frac{e^{\mathtt{row}[k]}}{\sum_i e^{\mathtt{row}[i]}} = \mathtt{p}[k]$$
#
# The probabilities come back by themselves, though the loss never computed them. Subtract `m` before `exp` here too, and the fraction
# stays the same.

# %% name="logsumexp-slope" tags=["worked"]
row = jnp.array([1.0, 2.0, 4.0])
e = jnp.exp(row - row.max())
print("by hand          ", e / e.sum())
print("jax.nn.softmax   ", jax.nn.softmax(row))
print("JAX's slope      ", jax.grad(jax.nn.logsumexp)(row))
print("at logits of 1e4 ", jax.nn.softmax(jnp.array([1e4, -1e4, 1e4])))

# %% [markdown] name="softmax-turn"
# ### Your turn (hard): softmax cross-entropy
#
# `logits` has a row for each example, `labels` one whole number for each. A whole number can't be nudged a little, so labels
# have no cotangent: `None`. What `row[label]` adds to the slopes is yours to find; first for one row, then for a batch.
# `jax.nn.softmax`, which can be told an axis, and `jax.nn.one_hot(labels, classes)` are of use. What JAX says for two rows:

# %% name="softmax-by-jax"
logits, labels = jnp.array([[1.0, 2.0, 4.0], [0.0, 0.0, 0.0]]), jnp.array([1, 0])
print("one_hot\n", jax.nn.one_hot(labels, 3), sep="")
loss, logits_bar = jax.value_and_grad(softmax_cross_entropy)(logits, labels)
print("softmax\n", jnp.array([jax.nn.softmax(row) for row in logits]), sep="")
print("logits_bar\n", logits_bar, sep="")

# %% name="your-softmax" tags=["exercise"]
from solutions.losses import softmax_cross_entropy_bwd, softmax_cross_entropy_fwd

# %% name="check-softmax" tags=["check"]
course.check(softmax_cross_entropy_fwd, softmax_cross_entropy_bwd)

# %% [markdown] name="derive-softmax"
# <details><summary>After you solved it: the derivation</summary>
#
# One row: `loss = logsumexp(row) - row[label]`. The first term has slope `p[k]` by every logit. The second is the logit of
# the label itself: slope -1 there, and 0 by all others. Together, `p[k] - 1` at the label and `p[k]` elsewhere: the probabilities,
# less the row that has a single 1 at the label. The mean over rows divides by their number.
#
#     probabilities = jax.nn.softmax(logits, axis=-1)
#     chosen = jax.nn.one_hot(labels, logits.shape[-1])
#     logits_bar = loss_bar * (probabilities - chosen) / len(labels)
#
# **The probability, less the truth**: the same as for yes or no. That is no accident. A choice between two, with logits `z` and 0, is a
# yes-or-no with logit `z`: `exp(z) / (exp(z) + 1)` is `sigmoid(z)`.
# </details>

# %% [markdown] name="look-at-a-row"
# ## Look at one row
#
# Five classes, and the truth is class 2. Left the probabilities and the truth, in the middle what comes back to the logits, for a
# batch of one row. A step of gradient descent moves each logit *against* its bar: on the right, the probabilities after some steps.

# %% name="draw-a-row"
row, label = jnp.array([[2.0, 0.5, 0.0, 1.0, -1.0]]), jnp.array([2])
classes = np.arange(5)


@jax.jit
def descent(row):
    """The probabilities and the logits_bar before each of 33 steps of gradient descent."""

    def step(row, _):
        row_bar = jax.grad(softmax_cross_entropy)(row, label)
        return row - row_bar, (jax.nn.softmax(row)[0], row_bar[0])

    return jax.lax.scan(step, row, length=33)[1]


probabilities, bars = map(np.array, descent(row))
with plots.style():
    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(11, 3.4), layout="constrained")
    truth = classes == int(label[0])
    left.bar(classes, probabilities[0], color=plots.HAND, label="probability")
    left.bar(classes, truth, fill=False, edgecolor=plots.JAX, linewidth=2, label="truth")
    left.set(title="what the network says", ylim=(0, 1.35))
    left.legend(loc="upper right", ncols=2)

    colours = [plots.COLOURS[2] if bar < 0 else plots.COLOURS[3] for bar in bars[0]]
    middle.bar(classes, bars[0], color=colours)
    middle.axhline(0, color=plots.INK, linewidth=1)
    for k, bar in enumerate(bars[0]):
        middle.text(k, bar + (0.03 if bar > 0 else -0.09), f"{bar:.2f}", ha="center")
    middle.set(title="logits_bar: red pushes down, green up", ylim=(-1.05, 0.85))

    for steps, shade in ((0, 0.25), (2, 0.5), (8, 0.75), (32, 1.0)):
        place = classes + 0.2 * (shade * 4 - 2.5)
        right.bar(place, probabilities[steps], 0.19, color=plots.HAND, alpha=shade, label=f"{steps} steps")
    right.set(title="probabilities after gradient descent", ylim=(0, 1.05))
    right.legend()
    for axes in (left, middle, right):
        axes.set(xlabel="class", xticks=classes)
    plt.show()

# %% [markdown] name="read-the-row"
# In the middle, one bar points down: only the label's logit is pushed up. The others are pushed down, each in proportion to the
# probability that it has. As the probabilities come to the truth, the bars go to nothing, and learning slows down by
# itself.
#
# {question losses.q1}

# %% name="answer-q1" tags=["question"]
course.answer("losses.q1", ...)

# %% [markdown] name="look-at-three"
# ## Look at the three
#
# One number on the way from -6 to 6; the truth is 1, or yes, or the first of three classes whose other logits are 0. Left the loss,
# right what comes back. The grey line is the half squared error of a sigmoid, from above.

# %% name="draw-three"
z = jnp.linspace(-6, 6, 241)
one_number, first = jnp.array([[1.0]]), jnp.array([0])
curves = {
    "half squared error": lambda z: half_squared_error(z.reshape(1, 1), one_number),
    "binary cross-entropy": lambda z: binary_cross_entropy(z.reshape(1), yes),
    "softmax cross-entropy": lambda z: softmax_cross_entropy(jnp.array([[1.0, 0.0, 0.0]]) * z, first),
    "squared error of a sigmoid": lambda z: 0.5 * (sigmoid(z) - 1) ** 2,
}
losses_and_slopes = jax.jit(lambda z: {name: jax.vmap(jax.value_and_grad(f))(z) for name, f in curves.items()})
found = losses_and_slopes(z)

with plots.style():
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.8), layout="constrained")
    for name, colour in zip(curves, (*plots.COLOURS[:3], plots.INK), strict=True):
        dashes = "--" if colour == plots.INK else "-"
        loss, slope = found[name]
        left.plot(z, loss, dashes, color=colour)
        right.plot(z, slope, dashes, color=colour, label=name)
    left.set(title="loss", xlabel="prediction or logit", ylim=(-0.2, 7))
    right.set(title="its slope", xlabel="prediction or logit", ylim=(-2.2, 2.2))
    right.legend(loc="upper left")
    plt.show()

# %% [markdown] name="read-the-three"
# The squared error pulls harder the further off it is, on either side: a prediction of 5 is as wrong as one of -3. A logit of 5 is not
# wrong at all, only sure. The two cross-entropies pull at most with strength 1, and keep pulling however wrong they are. The grey
# line pulls nowhere but in the middle: that is the network that was as wrong as can be, and was not told.
#
# ## What was saved, and why not more
#
# Logits come out of the network's last affine layer, and nobody but the loss keeps them. Count for a batch of 128 and a vocabulary of
# 50,000 words, as language models have:

# %% name="count-the-bytes"
shapes = [jax.ShapeDtypeStruct(shape, jnp.float32) for shape in ((128, 64), (64, 50_000), (50_000,))]
words = jax.ShapeDtypeStruct((128,), jnp.int32)


def kept_by(fwd):
    return residual_bytes(lambda x, w, b, labels: fwd(affine(x, w, b), labels), *shapes, words)


def keeping_both(logits, labels):
    return softmax_cross_entropy(logits, labels), (logits, jax.nn.softmax(logits), labels)


by_jax = vjp_residual_bytes(
    lambda x, w, b, labels: softmax_cross_entropy(affine(x, w, b), labels), *shapes, words
) - residual_bytes(lambda x, w, b, labels: (affine(x, w, b), (x, w)), *shapes, words)
print(f"the logits, or the probabilities   {4 * 128 * 50_000:12,} bytes")
print(f"if you keep both                   {kept_by(keeping_both):12,} bytes")
print(f"jax.vjp of the course's loss       {by_jax:12,} bytes")
if course.solved(softmax_cross_entropy_fwd, softmax_cross_entropy_bwd):
    print(f"what you keep                      {kept_by(softmax_cross_entropy_fwd):12,} bytes")

# %% [markdown] name="logits-or-probabilities"
# Logits or probabilities, the size is the same. Keep the logits, and backward computes the softmax a second time; keep the
# probabilities, and it need not. Both are right. Keeping both is twice the memory for nothing.

# %% [markdown] name="smoothing"
# ## More practice: a truth that is not quite sure
#
# With one label to a row, no network is ever done. The probability of the label comes near to 1 and never gets there, and each step
# pushes the logits a bit further apart, without end. C. Szegedy and others therefore take a part of the truth away from the label, the
# **smoothing**, and share it evenly among all classes, the label's own included. Optax makes such truths:

# %% name="smooth-labels"
labels = jnp.array([1, 0, 2])
for smoothing in (0.0, 0.3):
    print(f"smoothing {smoothing}, labels {labels}\n{optax.smooth_labels(jax.nn.one_hot(labels, 3), smoothing)}")

# %% [markdown] name="smoothed-loss"
# The loss of a row is minus the sum, over all classes, of what the truth gives to a class times the logarithm of its probability. With
# a smoothing of 0 that is the old loss. Two ways to the same number, and JAX's `logits_bar`:

# %% name="smoothed-by-jax"
logits = jnp.array([[1.0, 2.0, 4.0], [0.0, 0.0, 0.0], [-1.0, 3.0, 2.0]])
truth = optax.smooth_labels(jax.nn.one_hot(labels, 3), 0.3)
print("by Optax:                ", jnp.mean(optax.softmax_cross_entropy(logits, truth)))
print("smoothed_cross_entropy:  ", smoothed_cross_entropy(logits, labels, 0.3))
print("logits_bar\n", jax.grad(smoothed_cross_entropy)(logits, labels, 0.3), sep="")

# %% [markdown] name="smoothed-turn"
# ### Your turn: label smoothing
#
# Begin with the truth of one row as an array. The logarithm of a probability is its logit less `logsumexp(row)`: put that into the sum,
# and use that the truth adds up to 1. Labels and smoothing are data: `None` for each.

# %% name="your-smoothed" tags=["exercise"]
from solutions.losses import smoothed_cross_entropy_bwd, smoothed_cross_entropy_fwd

# %% name="check-smoothed" tags=["check"]
course.check(smoothed_cross_entropy_fwd, smoothed_cross_entropy_bwd)

# %% [markdown] name="derive-smoothed"
# <details><summary>After you solved it: the derivation</summary>
#
# Every class has `smoothing / classes`, and the label what is left of 1 on top:
#
#     truth = label * (1 - smoothing) + smoothing / classes
#
# The loss of a row is the sum of `truth[k] * (logsumexp(row) - row[k])`. The truth adds up to 1, so this is `logsumexp(row)`, less the sum
# of `truth[k] * row[k]`. The slope of the first by a logit is its probability, that of the second `-truth[k]`. Then the mean:
#
#     logits_bar = loss_bar * (jax.nn.softmax(logits) - truth) / batch
#
# **The probability, less the truth**, for the third time. It held for a sure truth, and holds for any that adds up to 1.
# </details>

# %% [markdown] name="what-smoothing-does"
# What does it change? One row of five equal logits, on its way by gradient descent; the picture shows how far the label's logit gets
# ahead of the others. Nothing comes back any more where the probabilities *are* the truth. For a smoothing of `s` that is where
# the logits are `log(1 + 5 * (1 - s) / s)` apart, the dashed lines:

# %% name="draw-smoothing"
smoothings = jnp.array([0.0, 0.03, 0.1, 0.3])
label = jnp.array([2])


@jax.jit
def gaps(smoothing):
    """How far the label's logit is ahead, step by step."""

    def step(row, _):
        row = row - jax.grad(smoothed_cross_entropy)(row, label, smoothing)
        return row, row[0, 2] - row[0, 0]

    return jax.lax.scan(step, jnp.zeros((1, 5)), length=400)[1]


with plots.style():
    figure, axes = plt.subplots(figsize=(8, 3.4), layout="constrained")
    for smoothing, colour in zip(smoothings, plots.COLOURS, strict=False):
        axes.plot(gaps(smoothing), color=colour, label=f"smoothing {smoothing:g}")
        if smoothing > 0:
            axes.axhline(jnp.log(1 + 5 * (1 - smoothing) / smoothing), color=colour, linewidth=1, linestyle="--")
    axes.set(title="the label's logit, less another one", xlabel="step of gradient descent", ylim=(0, 8))
    axes.legend(loc="lower right", ncols=2)
    plt.show()
without = gaps(0.0)
print(f"without smoothing, after 100, 200 and 400 steps: {without[99]:.2f}, {without[199]:.2f}, {without[399]:.2f}")

# %% [markdown] name="ignored"
# Without smoothing it climbs on and on; with it, it stops. The loss then no longer goes to 0, and that is no fault.
#
# ## More practice: rows that don't count
#
# Sentences are of different length, and a batch is filled up with padding; some images nobody has labelled. Such rows have a place in
# the arrays and no truth. Their label is a number that is no class, here `IGNORED`, which is -1 (in PyTorch it is -100). They must
# be left out of the sum, **and out of the count** by which the mean divides. See what happens if nobody thinks of them:

# %% name="ignored-traps"
logits = jnp.array([[1.0, 2.0, 4.0], [0.0, 0.0, 0.0], [-1.0, 3.0, 2.0], [5.0, 0.0, 0.0]])
labels = jnp.array([1, IGNORED, 0, IGNORED])
print("softmax_cross_entropy, of all rows:      ", softmax_cross_entropy(logits, labels))
print("the same, -1 being the last class:       ", softmax_cross_entropy(logits, jnp.array([1, 2, 0, 2])))
print("of the two rows that have a truth:       ", softmax_cross_entropy(logits[::2], labels[::2]))
print("masked_cross_entropy, of all rows:       ", masked_cross_entropy(logits, labels))
print("a batch of nothing but padding:          ", masked_cross_entropy(logits, jnp.full(4, IGNORED)))
print("its mean, divided by the number of rows: ", jnp.zeros(()) / jnp.sum(jnp.full(4, IGNORED) != IGNORED))
print("\none_hot of -1:", jax.nn.one_hot(IGNORED, 3))

# %% [markdown] name="masked-turn"
# The first two lines are equal, and that is the worst trap: an index of -1 means the last one, so padding is taught to be the
# last class, and no error is raised. `one_hot` takes another view of it. And a batch of padding alone is 0 / 0, which must not be NaN: it
# would spread to all parameters in one step. `masked_cross_entropy` says 0 there, and so must its slopes.
# (`array[:, None]` makes a column of an array of one number for each row, to be broadcast along the classes.)

# %% name="masked-by-jax"
print("logits_bar\n", jax.grad(masked_cross_entropy)(logits, labels), sep="")

# %% name="your-masked" tags=["exercise"]
from solutions.losses import masked_cross_entropy_bwd, masked_cross_entropy_fwd

# %% name="check-masked" tags=["check"]
course.check(masked_cross_entropy_fwd, masked_cross_entropy_bwd)

# %% [markdown] name="derive-masked"
# <details><summary>After you solved it: the derivation</summary>
#
# A row that counts gets what it got in softmax cross-entropy, but over the number of rows that *count*:
#
#     counted = labels != IGNORED
#     rows = jnp.maximum(jnp.sum(counted), 1)
#     row_bars = jax.nn.softmax(logits) - jax.nn.one_hot(labels, classes)
#     logits_bar = loss_bar * jnp.where(counted[:, None], row_bars, 0) / rows
#
# The loss doesn't ask what the logits of the other rows are, so nothing comes back to them. `one_hot(-1)` being zeros is not enough: then
# the probabilities alone come back, and push all logits of the padding down. If no row counts, everything is 0, whatever it is
# divided by; only 0 would be wrong.
# </details>

# %% [markdown] name="more-questions"
# ## Questions

# %% [markdown] name="ask-q2"
# {question losses.q2}

# %% name="answer-q2" tags=["question"]
course.answer("losses.q2", ...)

# %% [markdown] name="ask-q3"
# A loss can be checked before anything is trained. You know what a network must get that has no idea:
#
# {question losses.q3}

# %% name="answer-q3" tags=["question"]
course.answer("losses.q3", ...)

# %% [markdown] name="in-your-own-words"
# ## In your own words
#
# {question losses.text}

# %% name="answer-text" tags=["question"]
course.answer("losses.text", ...)

# %% [markdown] name="which-mistake"
# ## Which mistake is this?
#
# Somebody else wrote the backward pass of one of the three losses. Add up the rows; divide theirs by the right ones; see which entries are
# right:

# %% [markdown] name="ask-q4"
# {question losses.q4}

# %% name="somebody-elses" tags=["shown"]
course.show_mistake("losses.q4", draw=0)

# %% name="answer-q4" tags=["question"]
course.answer("losses.q4", ...)

# %% [markdown] name="what-you-have"
# ## What you have now
#
# - Half squared error sends back the error; both cross-entropies send back **the probability, less the truth**, however the truth is
#   shared out. The mean divides by the rows, or by those that count.
# - Algebra first, then the machine: a loss takes logits, since what was rounded to 0 or 1 no logarithm brings back.
# - A right value is not yet a right slope, and a first loss far from the logarithm of the number of classes is a bug.
#
# ## Sources
#
# - C. M. Bishop, "Pattern Recognition and Machine Learning", Springer, 2006, chapters 4.3.2 to 4.3.4: both cross-entropies, and why their
#   slope is the probability less the truth.
# - P. Blanchard, D. J. Higham, N. J. Higham, "Accurately computing the log-sum-exp and softmax functions", IMA Journal of
#   Numerical Analysis 41(4), 2021, doi:10.1093/imanum/draa038: what is lost without the shift, and that nothing is with it.
# - C. Szegedy, V. Vanhoucke, S. Ioffe, J. Shlens, Z. Wojna, "Rethinking the Inception Architecture for Computer Vision", 2015,
#   arXiv:1512.00567, section 7: label smoothing. PyTorch documentation, `torch.nn.CrossEntropyLoss`: its `ignore_index`.
# - Stanford CS231n, "Convolutional Neural Networks for Visual Recognition", notes on optimisation and assignment 1: the loss of an
#   untrained network as a check.
#
# Next: `mlp`, where all your pairs are put together to a deep network that reads digits.
