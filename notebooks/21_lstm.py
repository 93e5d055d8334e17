# %% [markdown] name="title"
# # Gates, and a cell on which gradients travel far
#
# **A bracket is opened at the start of a sentence and has to be closed at its end. How can a network keep that in mind for a hundred steps,
# and, harder still, how can it *learn* that it should?**
#
# In `recurrent` the state goes through a matrix and a tanh at every step, and so does its cotangent on the way back: after some dozens of steps nothing is left of
# it. An **LSTM** gives the state a companion, the *cell*, which a step only scales and adds to. How much is kept, added and shown is decided by *gates*: numbers
# between 0 and 1, which the network makes itself.
#
# You write one step backward and see why a cotangent on the cell's own way meets nothing but the forget gate. Then comes the whole sequence, in a form that is
# faster than `jax.grad`'s, and a network that learns to remember, or does not, depending on one number at its start.

# %% name="imports"
import time

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import optax

from course.comparison.counting import count
from course.lessons.losses import binary_cross_entropy
from course.lessons.lstm import GatedCell, State, gates, gru_step, lstm, lstm_step
from course.lessons.recurrent import Cell, rnn_step
from course.show import plots

np.set_printoptions(precision=4, suppress=True)
rng = np.random.default_rng(0)

# %% [markdown] name="the-step"
# ## A step
#
# First, four rows of numbers are made of what comes in and of the state before, each with weights of its own. Since all of them are made of the same two things, they are made at once: the
# weights stand side by side, and `z` has four parts.
#
# $$z = x \, \mathtt{w\_x} + h \, \mathtt{w\_h} + b, \qquad z = (z_i, z_f, z_g, z_o)$$
#
# - $f = \sigma(z_f)$, the **forget gate**: which part of the cell is kept?
# - $g = \tanh(z_g)$, the **candidate**: what might be added? And $i = \sigma(z_i)$, the **input gate**: how much of it is?
# - $o = \sigma(z_o)$, the **output gate**: how much of the cell is shown?
#
# $$c \leftarrow f \, c + i \, g, \qquad h \leftarrow o \tanh(c)$$
#
# All products in this line are number by number. `lstm_step(params, state, x)` takes a `State` of `h` and `c` and returns the next one; `params` is a `GatedCell` of `w_x`, `w_h` and `b`, with four times as many
# columns as there are units. Here is a step with three units, as numbers:


# %% name="first-step"
def draw_cell(d_in, d_hidden, forget_bias=0.0):
    """Weights whose products keep the size of what they are given; of the biases only the forget gates' are not 0."""
    w_x, w_h = rng.standard_normal((d_in, 4 * d_hidden)), rng.standard_normal((d_hidden, 4 * d_hidden))
    b = np.repeat([0.0, forget_bias, 0.0, 0.0], d_hidden)
    return GatedCell(*map(np.float32, (w_x / np.sqrt(d_in), w_h / np.sqrt(d_hidden), b)))


def zeros(batch, d_hidden):
    return State(np.zeros((batch, d_hidden), np.float32), np.zeros((batch, d_hidden), np.float32))


small, x = draw_cell(2, 3), np.float32([[1.0, -2.0]])
before = State(np.float32([[0.1, -0.2, 0.3]]), np.float32([[1.0, -1.0, 2.0]]))
z = x @ small.w_x + before.h @ small.w_h + small.b
for name, gate in zip(("i, input", "f, forget", "g, candidate", "o, output"), gates(z), strict=True):
    print(f"{name:13}", gate[0])
after = lstm_step(small, before, x)
print("the cell before", before.c[0], "  and after:", after.c[0], "  the state:", after.h[0])
state_bar = jax.jit(jax.grad(lambda state: lstm_step(small, state, x).c.sum()))(before)
print("what comes back to the cell before from the sum of the cell after:", state_bar.c[0])

# %% [markdown] name="neighbour"
# Compare the last line with the forget gate's. We shall come back to that.
#
# ## One step backward
#
# A neighbour, made of single numbers: a leaky tank. Of what it holds, `c`, a part `f` is kept, and what comes in is the rest: $c' = f c + (1 - f) x$ with $f = \sigma(a)$. We read
# off $y = \tanh(c')$. It returns both `y` and `c'`, so on the way back **two** cotangents come in, and `c'` is used twice: it is a value itself, and `y` is made of it.


# %% name="leaky" tags=["worked"]
def leaky(a, c, x):
    f = jax.nn.sigmoid(a)
    after = f * c + (1 - f) * x
    return jnp.tanh(after), after


a, c, one_x = 0.5, 2.0, -1.0
y_bar, after_bar = 1.0, 0.3  # of y, and of the tank itself
y, _ = leaky(a, c, one_x)
f = jax.nn.sigmoid(a)
both = after_bar + y_bar * (1 - y**2)  # used twice, add
f_bar = both * (c - one_x)  # f stands before c, and minus f before x
print("by hand:", np.array([f_bar * f * (1 - f), both * f, both * (1 - f)]))
print("JAX:    ", np.array(jax.jit(lambda *at: jax.vjp(leaky, *at)[1]((y_bar, after_bar)))(a, c, one_x)))

# %% [markdown] name="step-turn"
# ### Your turn: one step
#
# The same for `lstm_step(params, state, x)`. What is handed in, `after_bar`, is a `State`: `after_bar.h` and `after_bar.c`. What comes back is a `GatedCell`, a `State`,
# and `x_bar`. `gates(z)` returns `(i, f, g, o)`; use it, it is given. Once you have `z_bar`, the four parts side by side again, the rest is the affine layer that you know from `rnn_step`.

# %% name="your-step" tags=["exercise"]
from solutions.lstm import lstm_step_bwd, lstm_step_fwd

# %% name="check-step" tags=["check"]
course.check(lstm_step_fwd, lstm_step_bwd)

# %% [markdown] name="derive-step"
# <details><summary>After you solved it: the derivation, and what was kept</summary>
#
# The cell after the step is used twice: `c_bar = after_bar.c + after_bar.h * o * (1 - tanh_c**2)`. In `f * state.c + i * g` each factor gets `c_bar` times the other one: `c_bar * state.c` for `f`,
# `c_bar * g` for `i`, `c_bar * i` for `g`. The output gate gets `after_bar.h * tanh_c`.
#
# Each of the four goes through what made it: `s * (1 - s)` for a sigmoid of value `s`, `1 - g**2` for the candidate. Side by side, in the order of `z`, they are `z_bar`. Then `x.T @ z_bar`, `state.h.T @ z_bar` and `z_bar.sum(axis=0)` for
# the parameters; `z_bar @ w_x.T` for `x`, and `z_bar @ w_h.T` for the state `h`. The cell before has not been in `z` at all. It gets `c_bar * f`.
#
# Kept: the arguments, the four gates, and the tanh of the cell. All slopes are made of these values; `z` and the new cell itself are not needed.
# </details>

# %% [markdown] name="highway"
# ## The cell's highway
#
# What is the Jacobian of the cell after a step by the cell before it? In one step, `z` does not know the cell: it is made of `x` and `h`. So
#
# $$\bar c_{\text{before}} = f \, \bar c$$
#
# and that is all. Compare it with the way of a tanh network's state, `h_bar = (after_bar * (1 - after**2)) @ w_h.T`:
#
# | on the way back, each step | tanh network | the cell |
# | --- | --- | --- |
# | multiplies by a matrix, which mixes all units | yes, `w_h.T` | no |
# | multiplies by slopes, of 1 at the most | yes, tanh's | no |
# | multiplies by a number of its own for each unit | | `f`, which the network makes itself |
#
# Is tanh not on the cell's way? It stands *beside* it: `h = o * tanh(c)` looks at the cell, but what the next step scales is `c`, not `tanh(c)`. It is the same idea as in `skip_connections`: a path without a matrix. There the factor is
# 1, here it is `f`, so that the network can also let go.
#
# {question lstm.q1}

# %% name="answer-q1" tags=["question"]
course.answer("lstm.q1", ...)

# %% [markdown] name="measure-highway"
# There are other ways: the cell moves `h`, this moves the gates of the next step, and these move the next cell. They lead through `w_h` and through slopes. So the highway's product of forget gates is not
# the whole truth. Let us measure it: a cotangent of 1 at one unit of the last cell is sent back through a hundred steps, by all ways. Dotted is the product of the forget gates
# that it met in its own unit: the highway alone. Beside them is a tanh network, with an *orthogonal* `w_h`: all singular values are 1, and none could be better.


# %% name="draw-highway"
@jax.jit
def sent_back(params, state, x):
    """The largest number of the cell's cotangent, by steps back; and the product of the first unit's forget gates."""

    w_x, w_h, b = params

    def forward(state, x):
        f = gates(x @ w_x + state.h @ w_h + b)[1]
        return lstm_step(params, state, x), (state, x, f[0, 0])

    def back(bar, inside):
        state, x, f = inside
        state_bar = jax.vjp(lambda state: lstm_step(params, state, x), state)[1](bar[0])[0]
        return (state_bar, bar[1] * f), (jnp.max(jnp.abs(state_bar.c)), bar[1] * f)

    met = jax.lax.scan(forward, state, x)[1]
    last = State(jnp.zeros_like(state.h), jnp.zeros_like(state.c).at[0, 0].set(1.0))
    return [line[::-1] for line in jax.lax.scan(back, (last, jnp.ones(())), met, reverse=True)[1]]


@jax.jit
def sent_back_by_tanh(params, h, x):
    met = jax.lax.scan(lambda h, x: (rnn_step(params, h, x), (h, x)), h, x)[1]

    def back(bar, inside):
        bar = jax.vjp(lambda h: rnn_step(params, h, inside[1]), inside[0])[1](bar)[0]
        return bar, jnp.max(jnp.abs(bar))

    return jax.lax.scan(back, jnp.zeros_like(h).at[0, 0].set(1.0), met, reverse=True)[1][::-1]


UNITS, FAR = 32, 100
noise = np.float32(rng.standard_normal((FAR, 1, 1)))
drawn = draw_cell(1, UNITS)
drawn = drawn._replace(w_h=drawn.w_h / 2, w_x=drawn.w_x / 2)  # small, as at the start of a training
turning = np.float32(np.linalg.qr(rng.standard_normal((UNITS, UNITS)))[0])
tanh_cell = Cell(np.float32(0.5 * rng.standard_normal((1, UNITS))), turning, np.zeros(UNITS, np.float32))
steps = 1 + np.arange(FAR)
with plots.style():
    figure, axes = plt.subplots(figsize=(9, 4.2), layout="constrained")
    for forget_bias, colour in zip((0.0, 2.0, 5.0), plots.COLOURS, strict=False):
        biased = drawn._replace(b=np.float32(np.repeat([0.0, forget_bias, 0.0, 0.0], UNITS)))
        largest, product = sent_back(biased, zeros(1, UNITS), noise)
        axes.semilogy(steps, largest, color=colour, label=f"LSTM, forget bias {forget_bias:.0f}")
        axes.semilogy(steps, product, color=colour, linestyle=":")
        print(
            f"forget bias {forget_bias:.0f}: after {FAR} steps {largest[-1]:.1e}, by the highway alone {product[-1]:.1e}"
        )
    largest = sent_back_by_tanh(tanh_cell, np.zeros((1, UNITS), np.float32), noise)
    axes.semilogy(steps, largest, color=plots.INK, linestyle="--", label="tanh network, orthogonal weights")
    print(f"tanh network:  after {FAR} steps {largest[-1]:.1e}")
    axes.set(xlabel="steps back", ylabel="largest number of it", ylim=(1e-16, 1e2), title="what is left of a cotangent")
    axes.legend(loc="lower left")
    plt.show()

# %% [markdown] name="read-highway"
# With a bias of 0 the gates are half open: what is left is halved, or nearly, at every step. The highway is there, but it is closed for the night. At a bias of 5 the highway alone still brings nearly half of it
# back over a hundred steps. That is one number, at the start, before anything was trained. The dotted lines say how much of it came by the highway; what lies above them came by the other ways.
#
# {question lstm.q2}

# %% name="answer-q2" tags=["question"]
course.answer("lstm.q2", ...)

# %% [markdown] name="sequence"
# ## The whole sequence
#
#     c ────────── × f ──── + i * g ────┬────────> c          the highway
#                    │          │       tanh
#     h ──┐          │          │        │
#         ├──> z ────┴──────────┴─── o ─ × ───────> h          what others see
#     x ──┘
#
# On the way back, two cotangents are handed from step to step: `h`'s and `c`'s. Only `h` is in the value, so only `h` has a row of `states_bar` at each step. A neighbour in which the cell alone is handed on: tanks in a row,
# `c = f[t] * c + x[t]`, of which `tanh(c)` is read off after every step.


# %% name="tanks" tags=["worked"]
def tanks(f, x):
    def step(c, inside):
        f, x = inside
        c = f * c + x
        return c, jnp.tanh(c)

    return jax.lax.scan(step, jnp.zeros_like(x[0]), (f, x))[1]


def tanks_by_hand(f, x, y_bar):
    def step(c, inside):
        f, x = inside
        c = f * c + x
        return c, c

    c = jax.lax.scan(step, jnp.zeros_like(x[0]), (f, x))[1]
    before = jnp.concatenate([jnp.zeros_like(x[:1]), c[:-1]])

    def step_back(c_bar, inside):
        f, c, row_bar = inside
        c_bar = c_bar + row_bar * (1 - jnp.tanh(c) ** 2)  # from later tanks, and from this one's reading
        return c_bar * f, c_bar  # handed on, and put on record

    c_bars = jax.lax.scan(step_back, jnp.zeros_like(x[0]), (f, c, y_bar), reverse=True)[1]
    return c_bars * before, c_bars


f, some_x, y_bar = np.float32(rng.uniform(0.5, 1, (5, 2))), *np.float32(rng.standard_normal((2, 5, 2)))
by_hand = jax.jit(tanks_by_hand)(f, some_x, y_bar)
by_jax = jax.jit(lambda f, x, y_bar: jax.vjp(tanks, f, x)[1](y_bar))(f, some_x, y_bar)
print(
    "the same as JAX:", all(np.allclose(ours, theirs, atol=1e-6) for ours, theirs in zip(by_hand, by_jax, strict=True))
)

# %% [markdown] name="in-the-loop"
# Look at what the loop of `tanks_by_hand` does *not* do: the cotangent of `f` needs `c_bar` and the cell before, both are on record, so it is made for all steps at once behind the loop. The same question
# decides how fast an LSTM is: what must be in the loop? Two figures, both from the program itself. First: the gates' four products, one by one, or side by side as one. Second: the part of
# `z` that comes from `x`, in each step, or for all steps at once:


# %% name="count-products" tags=["worked"]
SEQ, BATCH, WIDTH, D_IN = 64, 32, 128, 64


def four_products(h, w):
    return [h @ part for part in jnp.split(w, 4, axis=1)]


def in_each_step(x, w):
    return jax.lax.scan(lambda _, row: (None, row @ w), None, x)[1]


def all_at_once(x, w):
    return (x.reshape(-1, x.shape[-1]) @ w).reshape(*x.shape[:2], -1)


wide = np.zeros((WIDTH, 4 * WIDTH), np.float32)
inputs = np.zeros((SEQ, BATCH, D_IN), np.float32)
for way, given in (
    (four_products, (wide[:BATCH, :WIDTH], wide)),
    (jnp.matmul, (wide[:BATCH, :WIDTH], wide)),
    (in_each_step, (inputs, wide[:D_IN])),
    (all_at_once, (inputs, wide[:D_IN])),
):
    found = count(way, *given)
    print(f"{way.__name__:14} {found.flops / 1e6:6.1f} million FLOPs   {found.bytes / 1e6:6.2f} MB read and written")

# %% [markdown] name="lstm-turn"
# No FLOP is saved. What is saved is reading and writing: the state once instead of four times, `w_x` once instead of 64 times. And large products keep a processor busier than small ones.
#
# ### Your turn (hard): the LSTM through time
#
# The pair for `lstm(params, state, x)`, which returns `h` after every step. Beside the arguments keep no more than seven numbers for each unit and step.
#
# - Forward: `x @ w_x + b` of all steps before the loop. The loop carries a `State` and puts on record what backward needs.
# - Back: the loop carries a `State` of two cotangents and puts `z_bar` on record, nothing else. `w_h.T` is turned once, before it.
# - Behind the loop: the cotangents of `w_x`, `w_h`, `b` and `x` of all steps, each as one product or sum, as in `recurrent`.
#
# As there, the check does not ask how lean the loop is; the race below shows it.
#
# A scan can put a tuple on record, `(h, c, (i, f, g, o))`; what comes out is the same tuple, of arrays with time first. And it can go through such a tuple.

# %% name="your-lstm" tags=["exercise"]
from solutions.lstm import lstm_bwd, lstm_fwd

# %% name="check-lstm" tags=["check"]
course.check(lstm_fwd, lstm_bwd)

# %% [markdown] name="derive-lstm"
# <details><summary>After you solved it: the derivation, and what was kept</summary>
#
# A step back is the step from above without its products: `h_bar = bar.h + row_bar`, then `c_bar = bar.c + h_bar * o * (1 - tanh_c**2)`. With the cell before, the four parts of `z_bar` follow; it goes on record. Handed on: `z_bar @ turned` by
# way of the state, `c_bar * f` on the highway. It starts from zeros, and what is carried at the end is what comes back to the start.
#
# Behind the loop, `z_bar` of all steps and rows are rows of one matrix: `rows.T @ z_bar`, `before_h.T @ z_bar`, their sum, and `z_bar @ w_x.T`.
#
# Kept: state and cell after each step, and four gates: six numbers. The state and cell *before* a step are those of the step before it, so they are not kept twice. tanh of the cell would be a seventh. It is made again from the cell:
# one tanh for each unit and step beside a product of 512 columns, and one array less to be written and read. Both are right, and about equally fast.
# </details>

# %% [markdown] name="race"
# What does it gain? 128 units, 64 steps, 32 rows, 64 inputs:


# %% name="race-numbers"
def milliseconds(ways, *arguments):
    """Of the processor, in turns: the least of some runs of each, once compiled."""
    took = {way: [] for way in ways}
    compiled = {way: jax.jit(way) for way in ways}
    for _ in range(8):
        for way, function in compiled.items():
            begin = time.process_time()
            jax.block_until_ready(function(*arguments))
            took[way].append(1e3 * (time.process_time() - begin))
    return {way: min(runs) for way, runs in took.items()}


def by_jax(params, state, x, states_bar):
    return jax.vjp(lstm, params, state, x)[1](states_bar)


def by_pair(params, state, x, states_bar):
    return lstm_bwd(lstm_fwd(params, state, x)[1], states_bar)


def kept_bytes(residuals):
    return sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(residuals))


long_x, long_bar = (np.float32(rng.standard_normal((BATCH, SEQ, d))) for d in (D_IN, WIDTH))
given = draw_cell(D_IN, WIDTH), zeros(BATCH, WIDTH), long_x
kept = {by_jax: jax.eval_shape(lambda *primals: jax.vjp(lstm, *primals)[1], *given)}
if course.solved(lstm_fwd, lstm_bwd):
    kept[by_pair] = jax.eval_shape(lambda *primals: lstm_fwd(*primals)[1], *given)
took = milliseconds(kept, *given, long_bar)
for way, residuals in kept.items():
    found = count(way, *given, long_bar)
    print(
        f"{way.__name__:8} {found.flops / 1e6:7.1f} million FLOPs   {found.bytes / 1e6:6.1f} MB read and written   "
        f"{kept_bytes(residuals) / 1e6:5.2f} MB kept, arguments included   {took[way]:5.1f} ms here"
    )

# %% [markdown] name="read-race"
# Less is won than with the tanh network of `recurrent`: there it was up to four tenths of the time, here about a seventh, on one core without neighbours. Why? An LSTM's step does four times as much in the one product that *has* to be in the loop, `h @ w_h`, and
# its way back; nobody can take it out.
#
# - **Moved out of the loop**: the sums of the weights' cotangents, the largest part; all products with `x`; turning `w_h`.
# - **Not saved**: the slopes of the gates, and what else JAX puts on record at each step; the figure above says how much.
# - **Not copied**: the gates stay four arrays on record. Put side by side as one, they would be written twice; it took a tenth longer.
# - **Not won**: unrolling the loop two or four times made it slower. And the primal itself, rewritten with the products of `x` before the loop, makes `jax.grad` *slower*: what helps a pass by hand need not help the one that JAX makes.
#
# **Why write this by hand?** As for `recurrent`: that a sum over steps of products is one longer product is an identity that holds here, and that JAX's rule for any scan can't use.
#
# ## Does it learn to remember?
#
# At the first of forty steps the first input is a mark, plus or minus 1, and zero ever after; the second input is noise. At the end the question is which mark it was. Two LSTMs of 16 units, with
# the same weights and the same training; they differ in nothing but the forget bias that they start with.

# %% name="train-recall"
LENGTH, RECALL_STEPS, HIDDEN = 40, 100, 16
solved = course.solved(lstm_fwd, lstm_bwd)
lstm_of = course.as_jax(lstm_fwd, lstm_bwd) if solved else lstm


def recall_loss(params, sequences):
    """In nats: does the last state know the mark?"""
    cell, readout = params
    start = State(jnp.zeros((len(sequences), HIDDEN)), jnp.zeros((len(sequences), HIDDEN)))
    last = lstm_of(cell, start, sequences)[:, -1]
    return binary_cross_entropy((last @ readout)[:, 0], 0.5 + 0.5 * sequences[:, 0, 0])


@jax.jit
def train(params, drawn):
    adam = optax.adam(0.01)

    def step(carried, sequences):
        params, state = carried
        loss, grads = jax.value_and_grad(recall_loss)(params, sequences)
        updates, state = adam.update(grads, state)
        return (optax.apply_updates(params, updates), state), loss

    return jax.lax.scan(step, (params, adam.init(params)), drawn)[1]


sequences = np.float32(rng.standard_normal((RECALL_STEPS, 32, LENGTH, 2)))
sequences[..., 0] = 0.0
sequences[:, :, 0, 0] = rng.choice([-1.0, 1.0], (RECALL_STEPS, 32))
readout = np.float32(0.3 * rng.standard_normal((HIDDEN, 1)))
gated = draw_cell(2, HIDDEN)
opened = gated._replace(b=np.float32(np.repeat([0.0, 4.0, 0.0, 0.0], HIDDEN)))
starts = {"forget bias 4": (opened, plots.HAND), "forget bias 0": (gated, plots.JAX)}
print("the gradients are", "your pair's" if solved else "JAX's, until your pair is right")
with plots.style():
    figure, axes = plt.subplots(figsize=(8.5, 3.6), layout="constrained")
    for name, (cell, colour) in starts.items():
        curve = np.asarray(train((cell, readout), sequences))
        axes.plot(curve, color=colour, label=name)
        print(
            f"{name}: loss {curve[:20].mean():.2f} nats over the first 20 steps, {curve[-20:].mean():.2f} over the last 20"
        )
    axes.axhline(np.log(2), color=plots.INK, linestyle=":", label="a guess: log 2")
    axes.set(title=f"which mark was it, {LENGTH} steps ago?", xlabel="step", ylabel="loss, nats", ylim=(0, 0.9))
    axes.legend(loc="center right")
    plt.show()

# %% [markdown] name="read-recall"
# The same network, the same gates, the same training: only where the forget gates start decides whether the mark's gradient arrives. A highway that is shut is none. The other one may get there as well, after
# far more steps; what it has to go by is lost in what comes from the noise of the last steps.
#
# What the highway does not do: it does not keep gradients from *exploding*. By the other ways, through `h` and `w_h`, products of matrices come back as before. That is why LSTMs, too, are trained with clipped
# gradients, as in `exploding_gradients`.

# %% [markdown] name="gru"
# ## More practice: a GRU
#
# Do we need four gates, and a cell beside the state? K. Cho and others tied them together. One gate `u`, *update*, says how much of the state is kept, and 1 minus it how much of the candidate comes in. Another one, `r`, *reset*,
# says how much of the state the candidate gets to see. There is no cell: the state itself has a way past the matrices.
#
# $$r, u = \sigma(\dots), \qquad n = \tanh(\mathtt{n\_x} + r \, \mathtt{n\_h}), \qquad h \leftarrow u \, h + (1 - u) \, n$$
#
# `gru_step(params, h, x)`: here `x @ w_x + b` and `h @ w_h` have three parts each, in the order r, u, n. Those of the gates are added, those of the candidate, `n_x` and `n_h`, are not, since `r` stands between them.
# What comes back to the state past the matrices, if nothing but the state after is asked for?

# %% name="gru-highway"
gru_cell = GatedCell(small.w_x[:, :9], small.w_h[:, :9], small.b[:9])
h_bar = jax.jit(jax.grad(lambda h: gru_step(gru_cell, h, x).sum()))(before.h)
r_and_u = jax.nn.sigmoid(x @ gru_cell.w_x + before.h @ gru_cell.w_h)
print("what comes back to the state:", h_bar[0], "  of which past the matrices, u:", r_and_u[0, 3:6])

# %% name="your-gru" tags=["exercise"]
from solutions.lstm import gru_step_bwd, gru_step_fwd

# %% name="check-gru" tags=["check"]
course.check(gru_step_fwd, gru_step_bwd)

# %% [markdown] name="derive-gru"
# <details><summary>After you solved it: the derivation, and what was kept</summary>
#
# In `u * h + (1 - u) * n`, `u` stands twice: it gets `after_bar * (h - n)`, and its sum that times `u * (1 - u)`. The candidate's sum gets `n_bar = after_bar * (1 - u) * (1 - n**2)`. In `n_x + r * n_h`, `n_x` gets `n_bar`, `n_h` gets
# `n_bar * r`, and the reset gate's sum `n_bar * n_h * r * (1 - r)`.
#
# So the two products have cotangents that differ in the third part alone: `n_bar` for `x`'s, `n_bar * r` for `h`'s. The bias was added to `x`'s. The state gets `of_h_bar @ w_h.T`, and past it `after_bar * u`: the highway, without a cell.
#
# Kept: the arguments, both gates, the candidate, and `n_h`, which to make again would take a product.
# </details>

# %% [markdown] name="in-your-own-words"
# ## In your own words
#
# {question lstm.text}

# %% name="answer-text" tags=["question"]
course.answer("lstm.text", ...)

# %% [markdown] name="which-mistake"
# ## Which mistake is this?
#
# Somebody else wrote a backward pass of this lesson. Look first at what is right: a cotangent that is right shows that the way to it is. The columns of `w_x` and `b` are the four parts, in the order
# i, f, g, o: which of them is wrong says which gate to look at.

# %% [markdown] name="ask-q3"
# {question lstm.q3}

# %% name="somebody-elses" tags=["shown"]
course.show_mistake("lstm.q3", draw=0)

# %% name="answer-q3" tags=["question"]
course.answer("lstm.q3", ...)

# %% [markdown] name="what-you-have"
# ## What you have now
#
# - Backward, an LSTM's step brings two cotangents together at the cell, its own and the state's, and shares the sum out among three gates and the cell before.
# - On the cell's own way nothing multiplies but the forget gate. So what is left after many steps is a product of numbers that the network makes itself, and that a bias can set at the start.
# - The other ways, through the state and `w_h`, are still there: gradients may explode by them.
# - Only `h @ w_h` and what hangs on it belongs in the loop. Products with `x` come before it, the weights' cotangents behind it, each as one product.
# - A GRU has the same kind of way past its matrices, with two gates and no cell.
#
# ## Sources
#
# - S. Hochreiter, J. Schmidhuber, "Long Short-Term Memory", Neural Computation 9, 1997: the cell. F. A. Gers, J. Schmidhuber, F. Cummins,
#   "Learning to Forget: Continual Prediction with LSTM", Neural Computation 12, 2000: the forget gate.
# - R. Jozefowicz, W. Zaremba, I. Sutskever, "An Empirical Exploration of Recurrent Network Architectures", ICML 2015: the forget gate's bias.
# - K. Cho et al., "Learning Phrase Representations using RNN Encoder-Decoder for Statistical Machine Translation", 2014, arXiv:1406.1078: the GRU.
# - C. Tallec, Y. Ollivier, "Can recurrent neural networks warp time?", 2018, arXiv:1804.11188: which forget bias for which distance.
# - J. Appleyard, T. Kočiský, P. Blunsom, "Optimizing Performance of Recurrent Neural Networks on GPUs", 2016, arXiv:1604.01946: gates side by side, and what
#   can be taken out of the loop.
#
# Next: `embedding`, which makes rows of numbers of letters and words.
