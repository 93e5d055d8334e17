# %% [markdown] name="title"
# # Backpropagation through time
#
# **A network reads a word letter by letter, and at the end it makes a mistake. Which letter was to blame?**
#
# Such a network has a *state*: a row of numbers that is all it remembers. At every letter the same weights make a new state of the old one and
# of the letter. So the network is as deep as the word is long, and to find out who is to blame, you go back through it, from the last letter to the
# first: backpropagation *through time*.
#
# You write one step backward, then the whole sequence, in a form that is faster than `jax.grad`'s. You see what becomes of a cotangent over sixty
# steps, cut sequences into stretches and learn what that loses, and deal with words of unequal lengths. At the end there is a network of your own
# pairs that makes up first names.

# %% name="imports"
import time

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import optax

from course.comparison.counting import count
from course.lessons.losses import IGNORED, binary_cross_entropy
from course.lessons.mlp import Layer
from course.lessons.recurrent import Cell, CharRnn, char_rnn_loss, last_state, rnn, rnn_step, truncated_rnn
from course.show import plots

np.set_printoptions(precision=4, suppress=True)
rng = np.random.default_rng(0)

# %% [markdown] name="the-network"
# ## A state, and a step
#
# $$h \leftarrow \tanh(x_t \, \mathtt{w\_x} + h \, \mathtt{w\_h} + b) \qquad \text{for } t = 0, 1, \dots$$
#
# `rnn_step(params, h, x)` is one step; `params` is a `NamedTuple` of the three, called `Cell`. `rnn(params, h, x)` runs through a sequence: `x` is
# `(batch, seq, d_in)`, `h` the state that the first step starts from, and what comes out are the states after every step, `(batch, seq, d_hidden)`. It is a
# scan, in which time comes first, so that both ends are turned: `swapaxes(0, 1)`.
#
# Here is a network of four units, and what JAX says about blame: the last state's first number, differentiated by every input.


# %% name="first-run"
def draw_cell(d_in, d_hidden, gain=1.0):
    """Weights whose products keep the size of what they are given; gain makes those of the state larger."""
    w_x, w_h = rng.standard_normal((d_in, d_hidden)), rng.standard_normal((d_hidden, d_hidden))
    return Cell(*map(np.float32, (w_x / np.sqrt(d_in), gain * w_h / np.sqrt(d_hidden), np.zeros(d_hidden))))


small = draw_cell(1, 4, gain=0.7)
start, x = np.zeros((1, 4), np.float32), np.float32(rng.standard_normal((1, 8, 1)))
states = jax.jit(rnn)(small, start, x)
x_bar = jax.jit(jax.grad(lambda x: rnn(small, start, x)[0, -1, 0]))(x)
print("states:", states.shape, "  the last one:", states[0, -1])
print("blame: ", *(f"step {t}: {float(bar):+.3f}" for t, bar in enumerate(x_bar[0, :, 0])), sep="\n    ")

# %% [markdown] name="one-step"
# The last letters count, the first ones hardly. We shall come back to that. First, these numbers by hand.
#
# ## One step backward
#
# A neighbour, made of single numbers, with a sigmoid in the place of tanh: $y = \sigma(u h + w x)$. With a name for the sum, $z = u h + w x$, the way
# back has two parts: through the sigmoid to $z$, then from $z$ to all that stands in the sum.


# %% name="single-numbers" tags=["worked"]
def leaky_step(u, w, h, x):
    return jax.nn.sigmoid(u * h + w * x)


u, w, h, one_x, y_bar = 0.5, -1.0, 0.8, 2.0, 1.0
y = leaky_step(u, w, h, one_x)
slope = y * (1 - y)  # the sigmoid's, written with its value
z_bar = y_bar * slope
print("by hand:", np.array([h * z_bar, one_x * z_bar, u * z_bar, w * z_bar]))
print("JAX:    ", np.array(jax.jit(jax.grad(leaky_step, argnums=(0, 1, 2, 3)))(u, w, h, one_x)))

# %% [markdown] name="step-turn"
# ### Your turn: one step
#
# The same for `rnn_step(params, h, x)`. The sum holds two products and a bias; each of them is an affine layer that you have written
# backward before. What comes back to the parameters is a `Cell`, too.

# %% name="your-step" tags=["exercise"]
from solutions.recurrent import rnn_step_bwd, rnn_step_fwd

# %% name="check-step" tags=["check"]
course.check(rnn_step_fwd, rnn_step_bwd)

# %% [markdown] name="derive-step"
# <details><summary>After you solved it: the derivation, and what was kept</summary>
#
# With `z = x @ w_x + h @ w_h + b` and `after = tanh(z)`: `z_bar = after_bar * (1 - after**2)`. The sum passes `z_bar` on to each of its three terms. So
# `x.T @ z_bar` is what comes back to `w_x`, `h.T @ z_bar` to `w_h`, `z_bar.sum(axis=0)` to `b`, which was copied to every row; `z_bar @ w_h.T` to `h`, and `z_bar @ w_x.T` to `x`.
#
# Kept: the arguments, and `after`. It is the value itself, so it costs nothing but not to be thrown away; `z` would need its tanh again.
# </details>

# %% [markdown] name="sequence"
# ## The whole sequence
#
# Unrolled, with the weights at every step the same ones:
#
#              x[0]          x[1]          x[2]
#               │             │             │
#     h ──────> step ───────> step ───────> step
#               │   ↘         │   ↘         │
#               states[0]     states[1]     states[2]
#
# A state goes two ways: it is returned, and it enters the next step. So on the way back it has two cotangents: its own row of
# `states_bar`, and what the next step hands back. *Used twice, add.* The weights are used at every step: add as well.
#
# One could call `rnn_step_bwd` in a loop, and add up the weights' cotangents. It would be right. But look at what it does. Here is a
# neighbour, the linear map of `exploding_gradients`, `h = h @ w + x[t]`, whose pass you know: `h_bar @ w.T` is handed on, and each step
# contributes `h.T @ h_bar` to `w_bar`. Three ways to add these up:


# %% name="three-ways" tags=["worked"]
def carried(w, before, y_bar):
    """Adds to w_bar at every step."""

    def step(bars, h):
        h_bar, w_bar = bars
        return (h_bar @ w.T, w_bar + h.T @ h_bar), None

    return jax.lax.scan(step, (y_bar, jnp.zeros_like(w)), before, reverse=True)[0][1]


def stacked(w, before, y_bar):
    """Puts every step's contribution on record, and sums the records."""
    return jax.lax.scan(lambda h_bar, h: (h_bar @ w.T, h.T @ h_bar), y_bar, before, reverse=True)[1].sum(axis=0)


def one_product(w, before, y_bar):
    """Puts every step's h_bar on record: then all steps of all rows are rows of one matrix."""
    h_bars = jax.lax.scan(lambda h_bar, h: (h_bar @ w.T, h_bar), y_bar, before, reverse=True)[1]
    return before.reshape(-1, len(w)).T @ h_bars.reshape(-1, len(w))


SEQ, BATCH, WIDTH = 64, 32, 128
w = np.float32(0.5 * rng.standard_normal((WIDTH, WIDTH)) / np.sqrt(WIDTH))
before = np.float32(rng.standard_normal((SEQ, BATCH, WIDTH)))  # what entered each step
y_bar = np.ones((BATCH, WIDTH), np.float32)
first = None
for way in (carried, stacked, one_product):
    found = count(way, w, before, y_bar)
    w_bar = np.asarray(jax.jit(way)(w, before, y_bar))
    first = w_bar if first is None else first
    print(
        f"{way.__name__:12} {found.flops / 1e6:6.1f} million FLOPs   {found.bytes / 1e6:5.1f} MB read and written   "
        f"{found.peak_bytes / 1e6:4.1f} MB at once   off by {np.abs(w_bar - first).max():.0e}"
    )

# %% [markdown] name="why-after"
# The sum over steps of `h.T @ h_bar`, each a sum over rows, is *one* sum over steps and rows. So it is one matrix product, with steps and rows
# laid one after the other as rows. What is multiplied stays the same to the last FLOP; what disappears is the adding. And for a processor, one large
# product is better than 64 small ones: it keeps a piece of `w_bar` in its registers until that is finished. In the loop there stays what needs the loop: the product that
# makes one step's cotangent of the next one's.
#
# {question recurrent.q1}

# %% name="answer-q1" tags=["question"]
course.answer("recurrent.q1", ...)

# %% [markdown] name="rnn-turn"
# ### Your turn (hard): backpropagation through time
#
# The pair for `rnn(params, h, x)`. Keep no more than one array for each step beside the arguments: the states.
#
# Ask of every line whether it must be in the loop. On the way back, what `w_h`, `w_x`, `b` and `x` get is not needed by any other step. On the
# way forward, `x @ w_x + b` does not ask for the state. And `w_h.T` is the same at every step: turned once, before the loop, it need not be turned in it.
# The check looks at the numbers, at FLOPs and at what is kept. How lean the loop is, it does not ask: the race below shows that.
#
# To lay the steps and rows of an array `(seq, batch, d)` one after the other: `.reshape(seq * batch, d)`. Both arrays of a product must
# have them in the same order.

# %% name="your-rnn" tags=["exercise"]
from solutions.recurrent import rnn_bwd, rnn_fwd

# %% name="check-rnn" tags=["check"]
course.check(rnn_fwd, rnn_bwd)

# %% [markdown] name="derive-rnn"
# <details><summary>After you solved it: the derivation, and what was kept</summary>
#
# One step back, from the state after it: what was handed on and its own row of `states_bar` are added, `h_bar + row_bar`; through tanh, `z_bar = (h_bar + row_bar) * (1 - after**2)`; this goes on record, and `z_bar @ turned` is handed
# to the step before, with `turned = params.w_h.T` from outside of the loop. Start with zeros: after the last step nobody hands anything back. What is carried at the end is the start's cotangent.
#
# After the loop, `z_bars` is `(seq, batch, d_hidden)`. What entered the steps: the start, then all states but the last. Laid out as rows, it is the affine layer of a batch of
# `seq * batch` rows, and its three formulas are all that is left: `rows.T @ z_bar` for `w_x`, `before.T @ z_bar` for `w_h`, the sum over rows for `b`, and `z_bar @ w_x.T` for `x`, brought back to `(batch, seq, d_in)`.
#
# Kept: the states, which are returned anyway. The slopes are made of them; so is what entered each step, by shifting them by one.
# </details>

# %% [markdown] name="race"
# What does it gain? A network of 128 units, 64 steps, 32 rows, beside JAX's own backward pass of the same primal:


# %% name="race-numbers"
def milliseconds(ways, *arguments):
    """Of the processor, in turns: the least of some runs of each, once compiled."""
    took = {way: [] for way in ways}
    compiled = {way: jax.jit(way) for way in ways}
    for _ in range(30):
        for way, function in compiled.items():
            begin = time.process_time()
            jax.block_until_ready(function(*arguments))
            took[way].append(1e3 * (time.process_time() - begin))
    return {way: min(runs) for way, runs in took.items()}


def by_jax(params, h, x, states_bar):
    return jax.vjp(rnn, params, h, x)[1](states_bar)


def by_pair(params, h, x, states_bar):
    return rnn_bwd(rnn_fwd(params, h, x)[1], states_bar)


def kept_bytes(residuals):
    return sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(residuals))


large = draw_cell(32, WIDTH)
long_x, long_bar = (np.float32(rng.standard_normal((BATCH, SEQ, d))) for d in (32, WIDTH))
given = large, np.zeros((BATCH, WIDTH), np.float32), long_x
kept = {by_jax: jax.eval_shape(lambda *primals: jax.vjp(rnn, *primals)[1], *given)}
if course.solved(rnn_fwd, rnn_bwd):
    kept[by_pair] = jax.eval_shape(lambda *primals: rnn_fwd(*primals)[1], *given)
took = milliseconds(kept, *given, long_bar)
for way, residuals in kept.items():
    found = count(way, *given, long_bar)
    print(
        f"{way.__name__:8} {found.flops / 1e6:6.1f} million FLOPs   {found.bytes / 1e6:6.1f} MB read and written   "
        f"{kept_bytes(residuals) / 1e6:5.2f} MB kept, arguments included   {took[way]:5.2f} ms here"
    )

# %% [markdown] name="read-race"
# The FLOPs are nearly the same; the time, as a rule, is not. It differs from machine to machine, and other programs disturb it: left alone on one core, a
# whole step of training took 0.6 of JAX's time on a processor that is very quick at products, and 0.8 to 0.9 where products themselves take most of the time. What was moved out of the loop: the sums of the weights' cotangents, all products with `x`, turning `w_h`. What was
# not saved: the slopes of tanh, and all that JAX puts on record beside the states. Where nothing is won: in the products themselves, and in those of the state with `w_h`, forward and back, least of all. They *are* the loop, and
# however it is written, one step has to wait for the other.
#
# **Why write this by hand?** JAX cannot know what you know. Its rule for a scan is right for every loop: it differentiates the body, and adds up
# what comes back to a constant. That a sum of products is a longer product is an identity that holds here.
#
# ## How far back?
#
# The blame above fell off within a few letters. `rnn_bwd` says why: at each step the cotangent is multiplied by slopes of at most 1, and by `w_h.T`. What a long product of
# such matrices does is said by its **singular values**: a matrix makes vectors of length 1 at most as long as its largest one, at least as its smallest one, and
# with $d$ units there are $d$ of them. Let us see all of them, for the Jacobian of the state after $t$ steps by the first one. Three ways to draw
# `w_h`, all with 32 units and the same inputs:


# %% name="draw-singular-values"
def jacobians(params, h, x):
    """Of the state after each step by the first one, by forward mode."""
    return jax.jacfwd(lambda h: rnn(params, h[None], x[None])[0])(h)


UNITS, FAR = 32, 60
turning = np.linalg.qr(rng.standard_normal((UNITS, UNITS)))[0]
usual = draw_cell(1, UNITS)
starts = {
    "random, of the usual size": usual.w_h,
    "random, twice the usual size": 2 * usual.w_h,
    "orthogonal: all singular values 1": turning,
}
noise = 0.2 * rng.standard_normal((FAR, 1))
all_jacobians = jax.jit(jacobians)
with plots.style():
    figure, panels = plt.subplots(1, 3, figsize=(13, 4), sharey=True, layout="constrained")
    for axes, (name, w_h), colour in zip(panels, starts.items(), plots.COLOURS, strict=False):
        with jax.enable_x64(True):  # float32 has too few digits for singular values so far apart
            found = np.asarray(all_jacobians(usual._replace(w_h=np.float64(w_h)), np.zeros(UNITS), noise))
        sizes = np.linalg.svd(found, compute_uv=False)
        axes.semilogy(1 + np.arange(FAR), sizes, color=colour, linewidth=0.9)
        axes.axhline(1, color=plots.INK, linestyle=":", linewidth=0.9)
        axes.set(title=name, xlabel="steps", ylim=(1e-8, 1e6))
        counts = np.sum(sizes[-1] > 1e-3), sizes[-1].max()
        print(f"{name:34}: after {FAR} steps {counts[0]:2} of {UNITS} above a thousandth, the largest {counts[1]:.1e}")
    panels[0].set_ylabel("singular values of the Jacobian")
    plt.show()

# %% [markdown] name="read-singular-values"
# - **Left.** All fall, and most of them at once. After twenty steps a few directions of 32 are left in which a cotangent still gets through; after sixty steps a single one, with a
#   thousandth of it. The state may remember; the *gradient* does not know.
# - **Middle.** With weights twice as large the states are driven into the flat ends of tanh, most of the time. A few directions now grow, without
#   plan, and the others vanish all the same. Vanishing and exploding are no alternatives: they happen together, in different directions.
# - **Right.** A product of orthogonal matrices is orthogonal, and loses nothing. What is lost is lost in the slopes, by most directions about alike. That is why people *start* there.
#
# {question recurrent.q2}

# %% name="answer-q2" tags=["question"]
course.answer("recurrent.q2", ...)

# %% [markdown] name="truncation"
# ## Cut into stretches
#
# A text has millions of characters. Nobody keeps a million states for a backward pass, nor waits for its end to take a step of gradient descent. So sequences
# are cut into stretches: forward through one stretch, backward through the same stretch, then on to the next. **The state is handed over the cut; its
# cotangent is not.** That is *truncated* backpropagation through time. Every stretch starts from where the last one ended, but takes that for a constant.
#
# With single numbers: two steps of `h = w * h`, cut between them. The second step's use of `w` gets its share, by way of the state that entered. The first
# one's use gets nothing from the end:


# %% name="cut-by-hand" tags=["worked"]
def two_steps(w, cut):
    middle = w * 3.0
    return w * (jax.lax.stop_gradient(middle) if cut else middle)


for cut in (False, True):
    print(f"cut: {cut!s:5}   value {two_steps(2.0, cut):.0f}   its slope by w {jax.grad(two_steps)(2.0, cut):.0f}")

# %% [markdown] name="truncated-turn"
# ### Your turn: stretch by stretch
#
# `truncated_gradient(params, h, x, states_bar, stretch)` returns `params_bar`. The sequence need not be a whole number of stretches. Your
# `rnn_fwd` and `rnn_bwd` do the work; an ordinary Python loop over the stretches is all right.

# %% name="your-truncated" tags=["exercise"]
from solutions.recurrent import truncated_gradient

# %% name="check-truncated" tags=["check"]
course.check(truncated_gradient)

# %% [markdown] name="derive-truncated"
# <details><summary>After you solved it: in words</summary>
#
# `rnn_fwd` on a slice of `x`, from the state that the stretch before ended with; `rnn_bwd` on the same slice of `states_bar`. It returns a cotangent of the
# start as well, and this one is dropped: that is all there is to the cut. The parameters took part in every stretch, so what they get is added.
# Only one stretch's residuals are alive at a time.
# </details>

# %% [markdown] name="ask-q3"
# {question recurrent.q3}

# %% name="answer-q3" tags=["question"]
course.answer("recurrent.q3", ...)

# %% [markdown] name="recall"
# What is lost? Give a network something that it can only do by remembering. At the first of twelve steps its first input is a mark, plus or minus 1, and zero
# ever after; its second input is noise all the time. At the end the question is which mark it was. At the start, the mark's weights are zero: whether anything
# is to be written down, the network has to *learn*. Two of them, with the same first weights and the same sequences; the gradients of one are cut, once, before
# the last step.

# %% name="train-recall"
LENGTH, RECALL_STEPS = 12, 150


def recall_loss(params, sequences, stretch):
    """In nats: does the last state know the mark?"""
    cell, readout = params
    *_, last = jnp.moveaxis(truncated_rnn(cell, jnp.zeros((len(sequences), 16)), sequences, stretch), 1, 0)
    return binary_cross_entropy((last @ readout)[:, 0], 0.5 + 0.5 * sequences[:, 0, 0])


@jax.jit
def train_recall(params, drawn, stretch):
    """The loss, and the norm of what comes back to the mark's weights, at every step."""
    adam = optax.adam(0.01)

    def step(carried, sequences):
        params, state = carried
        loss, grads = jax.value_and_grad(recall_loss)(params, sequences, stretch)
        updates, state = adam.update(grads, state)
        return (optax.apply_updates(params, updates), state), (loss, jnp.linalg.norm(grads[0].w_x[0]))

    return jax.lax.scan(step, (params, adam.init(params)), drawn)[1]


drawn = np.float32(0.5 * rng.standard_normal((RECALL_STEPS, 32, LENGTH, 2)))
drawn[..., 0] = 0.0
drawn[:, :, 0, 0] = rng.choice([-1.0, 1.0], (RECALL_STEPS, 32))
cell = draw_cell(2, 16)
unmarked = cell._replace(w_x=cell.w_x * np.float32([[0.0], [1.0]])), np.float32(0.3 * rng.standard_normal((16, 1)))
with plots.style():
    figure, axes = plt.subplots(figsize=(8.5, 3.6), layout="constrained")
    for stretch, name, colour in ((LENGTH, "not cut", plots.HAND), (LENGTH - 1, "cut before the last step", plots.JAX)):
        curve, norms = jax.device_get(train_recall(unmarked, drawn, np.int32(stretch)))
        axes.plot(curve, color=colour, label=name)
        print(f"{name:24}: what comes back to the mark's weights has, at the first step, the norm {norms[0]:.3g}")
    axes.axhline(np.log(2), color=plots.INK, linestyle=":", label="a guess: log 2")
    axes.set(title="which mark was it, twelve steps ago?", xlabel="step", ylabel="loss, nats", ylim=(0, 1))
    axes.legend(loc="center right")
    plt.show()

# %% [markdown] name="read-recall"
# Exactly zero. From the last step a cotangent goes to the weights of that step, whose first input is 0, and no further. So nothing ever tells the network to
# write the mark down, however long it trains, although it would remember it if it did: the state is handed over the cut. And it is not told that it does worse.
# Its loss is what guessing gives, and that is all that can be seen.
#
# In practice the cuts are put where they hurt less: long stretches, a random first one, or overlapping ones, in which the loss of the first part is not counted.
# What lies within a stretch is learned, and may then carry further by itself, since the state is handed on.
#
# ## Unequal lengths
#
# Words have different lengths, an array has one. So short ones are filled up with **padding**. Where does it do harm?
#
# - If every state is used, each with a label of its own: mark the labels of the padding as not counted, as `masked_cross_entropy` does. States at the end
#   can't change those before them, so nothing else has to be done: what comes back to them is zero.
# - If the *last* state is asked for: a row's last state is not at the end of the array, but behind its own last step.
#
# `last_state(params, h, x, lengths)` is written as people think of it: a row that is finished keeps its state. For example, two rows, of 3 steps and of 8:

# %% name="padded"
two_x, lengths = np.float32(rng.standard_normal((2, 8, 1))), np.array([3, 8])


@jax.jit
@jax.grad
def blame(x):
    """Of the first number of both last states."""
    return jnp.sum(last_state(small, jnp.zeros((2, 4)), x, lengths)[:, 0])


for row, length in zip(np.asarray(blame(two_x))[:, :, 0], lengths, strict=True):
    print(f"length {length}: blame for each step", row + 0.0)

# %% [markdown] name="last-turn"
# Padding leaves no trace.
#
# ### Your turn: the last state of each row
#
# There is no need for a second loop: your `rnn_fwd` and `rnn_bwd` are enough, with something before and something after. A row may have no step at all: then its last
# state is the one that it starts from.

# %% name="your-last" tags=["exercise"]
from solutions.recurrent import last_state_bwd, last_state_fwd

# %% name="check-last" tags=["check"]
course.check(last_state_fwd, last_state_bwd)

# %% [markdown] name="derive-last"
# <details><summary>After you solved it: the derivation</summary>
#
# Put the start before the states: place `n` of a row is its state after `n` steps. `lengths` picks one place of each row. A pick goes back by writing into
# zeros: `picked_bar` has `y_bar` at the picked places. Nothing was picked twice, so setting is adding here.
# All places but the first are a `states_bar`, and go through `rnn_bwd`. The first place is the start itself, which `rnn_bwd` has a cotangent for as well: used twice, add.
#
# At every step behind a row's last one, `z_bar` is then zero: no cotangent has come in yet. So padding gives the weights nothing, and gets nothing, without any mask in the loop.
# </details>

# %% [markdown] name="reach-text"
# ## More practice: singular values, as it runs
#
# Above, `jax.jacfwd` made all Jacobians, one column a nudge. Do it yourself, in the scan: carry the state, and beside it the matrix of how it moves. It is
# forward mode, as in `forward_mode`; no cotangent is needed. `reach(params, h, x)`, for a single sequence without a batch axis, returns, after every step, the largest
# singular value of the Jacobian of the state by `h`, the one that the first step starts from.

# %% name="your-reach" tags=["exercise"]
from solutions.recurrent import reach

# %% name="check-reach" tags=["check"]
course.check(reach)

# %% [markdown] name="derive-reach"
# <details><summary>After you solved it: in words</summary>
#
# A nudge of the state goes through a step as `(nudge @ w_h) * (1 - after**2)`. The rows of the carried matrix are nudges; they start as the rows of the identity.
# So a step does the same to all of them at once. `jnp.linalg.norm(moved, ord=2)` is the largest singular value. The matrix is $d \times d$, however long the
# sequence is: that can be watched while a network trains.
# </details>

# %% [markdown] name="characters"
# ## More practice: a network that makes up names
#
# Each character picks a row of a table, the rows go through the recurrent network, and an affine readout makes logits of every state: guesses of the
# character that follows. The loss is the cross-entropy of what does follow, of all characters that count.
#
#     ids ──> gather ──> rnn ──> affine ──> masked_cross_entropy
#
# `char_rnn_loss(params, ids, labels)` is that, and you have a pair for each of the four: `gather` from `vector_chain_rule`, `affine`, `masked_cross_entropy` from the practice part of
# `losses`, and the `rnn` of this lesson. What is new is nothing but shapes: who wants `(batch, seq, ...)`, and who a row for each character?
# (As in `pooling`: a shape can't be kept, an array that has it can.)

# %% name="your-parts"
from course.lessons.vector_chain_rule import gather_fwd
from solutions.linear_and_activations import affine_bwd, affine_fwd
from solutions.losses import masked_cross_entropy_bwd, masked_cross_entropy_fwd
from solutions.vector_chain_rule import gather_bwd

parts = {
    "gather": (gather_bwd,),
    "rnn": (rnn_fwd, rnn_bwd),
    "affine": (affine_fwd, affine_bwd),
    "masked_cross_entropy": (masked_cross_entropy_fwd, masked_cross_entropy_bwd),
}
for name, part in parts.items():
    print(
        f"{name:22}", "ready" if course.solved(*part) else "not right yet: finish it in its own lesson, then come back"
    )
print("gather_fwd is given; it takes one row of ids:", gather_fwd(np.eye(3), np.array([2, 0, 2]))[0].shape)

# %% name="your-characters" tags=["exercise"]
from solutions.recurrent import char_rnn_loss_bwd, char_rnn_loss_fwd

# %% name="check-characters" tags=["check"]
course.check(char_rnn_loss_fwd, char_rnn_loss_bwd)

# %% [markdown] name="derive-characters"
# <details><summary>After you solved it: the derivation</summary>
#
# Forward, `ids.reshape(-1)` to `gather_fwd`, its rows as `(batch, seq, d_in)` to `rnn_fwd`, the states as `(batch * seq, d_hidden)` to `affine_fwd`, and the logits with `labels.reshape(-1)` to the loss. Backward
# the same four in the opposite order. A reshape moves no number, so it goes back by the reshape to what it came from. The start of the state was zeros, nobody's
# parameter: its cotangent is dropped.
# </details>

# %% [markdown] name="names"
# Some first names to learn from. A name starts and ends with a dot; behind its end there is padding, whose label is `IGNORED`.

# %% name="train-names"
NAMES = """
ada alan albert alice anders anna anton astrid barbara ben bernard carl carla carmen clara claudia
daniel david diana dora edith edmund elena elias elisa emil emma erika ernst eva felix finn flora
frida georg gerda greta hanna hannes harald helena helga henry hilda ida ines irene iris isabel ivan
jan jana johan johanna jonas julia julian karin karl klara konrad lara laura lea leo leon lina linda
louis lucia lukas manuel mara maria marie marion mark marlene marta martin max mia mila mina mona
nadia nathan nina noah nora olga oliver oscar otto paul paula peter petra ralf robert rosa ruth
samuel sandra sara simon sofia stefan stella susan thea theo thomas tina tom ulla ursula vera victor
viola walter wanda werner yara zora
""".split()
LETTERS = ".abcdefghijklmnopqrstuvwxyz"
longest = max(map(len, NAMES)) + 1
letters = np.zeros((len(NAMES), longest + 1), int)
for row, name in zip(letters, NAMES, strict=True):
    row[1 : len(name) + 1] = [LETTERS.index(letter) for letter in name]
ids = letters[:, :-1]
counts = np.arange(longest) <= np.array([[len(name)] for name in NAMES])
labels = np.where(counts, letters[:, 1:], IGNORED)

solved = course.solved(char_rnn_loss_fwd, char_rnn_loss_bwd)
loss_of = course.as_jax(char_rnn_loss_fwd, char_rnn_loss_bwd) if solved else char_rnn_loss
readout = Layer(np.float32(0.1 * rng.standard_normal((32, 27))), np.zeros(27, np.float32))
untrained = CharRnn(np.float32(rng.standard_normal((27, 12))), draw_cell(12, 32), readout)


@jax.jit
def learn(params):
    adam = optax.adam(0.012)

    def step(carried, _):
        params, state = carried
        loss, grads = jax.value_and_grad(loss_of)(params, ids, labels)
        updates, state = adam.update(grads, state)
        return (optax.apply_updates(params, updates), state), loss

    (params, _), losses = jax.lax.scan(step, (params, adam.init(params)), length=200)
    return params, losses


@jax.jit
def make_up(params, key):
    """Draws one character after the other, each from the network's own guesses: many names at once."""

    def step(carried, key):
        h, letter = carried
        h = rnn_step(params.cell, h, params.table[letter])
        letter = jax.random.categorical(key, h @ params.readout.w + params.readout.b)
        return (h, letter), letter

    first = jnp.zeros((8, 32)), jnp.zeros(8, int)
    return jax.lax.scan(step, first, jax.random.split(key, longest))[1].T


def read(rows):
    return ", ".join("".join(LETTERS[letter] for letter in row).partition(".")[0].capitalize() or "-" for row in rows)


learned, name_losses = learn(untrained)
key_before, key_after = jax.random.split(jax.random.key(0))
print(f"by {'your pair' if solved else 'JAX, until your pair is right'}, on {len(NAMES)} names:")
print(f"loss {name_losses[0]:.2f} nats ", read(np.asarray(make_up(untrained, key_before))))
print(f"loss {name_losses[-1]:.2f} nats ", read(np.asarray(make_up(learned, key_after))))

# %% [markdown] name="read-names"
# Before: each of 27 characters at random, $\log 27 = 3.3$ nats. After: some names from the list, since a network of this size can learn 130 names by heart, and some that could have
# been on it. With more names it can't learn them by heart any more, and has to find out what makes a name: that is what `course train char-rnn` is for.

# %% [markdown] name="in-your-own-words"
# ## In your own words
#
# {question recurrent.text}

# %% name="answer-text" tags=["question"]
course.answer("recurrent.text", ...)

# %% [markdown] name="which-mistake"
# ## Which mistake is this?
#
# Somebody else wrote a backward pass of this lesson. Look first at what is right: a cotangent that is right shows that the way to it is.
# If none is: which of the mistakes reaches all of them?

# %% [markdown] name="ask-q4"
# {question recurrent.q4}

# %% name="somebody-elses" tags=["shown"]
course.show_mistake("recurrent.q4", draw=0)

# %% name="answer-q4" tags=["question"]
course.answer("recurrent.q4", ...)

# %% [markdown] name="what-you-have"
# ## What you have now
#
# - A recurrent network is one layer used many times. Backward, a state has two cotangents, one from outside and one from the step that follows.
# - Only what needs the state belongs in the loop. The weights' cotangents of all steps are one matrix product after it.
# - The Jacobian over many steps loses its singular values one after the other: most directions vanish, even where some explode.
# - A cut hands the state over and drops its cotangent. What lies before the cut is never asked to remember anything.
# - Padding at the end needs no mask in the loop: where no cotangent comes in, nothing comes back.
#
# ## Sources
#
# - J. L. Elman, "Finding Structure in Time", Cognitive Science 14, 1990: the network. P. J. Werbos, "Backpropagation Through Time: What It Does
#   and How to Do It", Proceedings of the IEEE 78, 1990.
# - R. J. Williams, J. Peng, "An Efficient Gradient-Based Algorithm for On-Line Training of Recurrent Network Trajectories", Neural Computation 2,
#   1990: truncation.
# - S. Hochreiter, "Untersuchungen zu dynamischen neuronalen Netzen", 1991; Y. Bengio, P. Simard, P. Frasconi, "Learning long-term dependencies with
#   gradient descent is difficult", 1994: why it vanishes.
# - A. M. Saxe, J. L. McClelland, S. Ganguli, "Exact solutions to the nonlinear dynamics of learning in deep linear neural networks", 2014,
#   arXiv:1312.6120; Q. V. Le, N. Jaitly, G. E. Hinton, "A Simple Way to Initialize Recurrent Networks of Rectified Linear Units", 2015,
#   arXiv:1504.00941: starts that last.
# - J. Appleyard, T. Kočiský, P. Blunsom, "Optimizing Performance of Recurrent Neural Networks on GPUs", 2016, arXiv:1604.01946: what can be
#   taken out of the loop.
#
# Next: `lstm`, which gives the state a way on which nothing is multiplied by a matrix.
