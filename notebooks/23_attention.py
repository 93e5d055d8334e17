# %% [markdown] name="title"
# # Attention: every token asks all the others
#
# **"The cup fell off the table, since it was wet." What does *it* mean? A token must find out what stands elsewhere, and nobody can say beforehand where. How can looking
# something up have a derivative?**
#
# A dictionary has keys and values. You look up a key: it is there, or it is not. Move your question a little, and the answer stays the same, or jumps: there is no slope to learn
# from. Attention asks *all* keys how well they fit, and answers with a mean of all values, by how well each did. Then everything has a slope, and what to ask for, and
# what to be found by, can be learned.
#
# You write the backward pass of its three steps: softmax by rows, one head with a mask, and a layer of many heads, which is the heart of every language model of today. The
# layer is given a budget: less than half of what JAX keeps.

# %% name="imports"
import math
import time
from typing import NamedTuple

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import optax

from course.comparison.residuals import residual_bytes, vjp_residual_bytes
from course.lessons.attention import (
    Attention,
    angles,
    attend,
    causal,
    powers_of,
    rotary,
    self_attention,
    softmax,
    total_of,
)
from course.lessons.embedding import embed, readout
from course.lessons.losses import softmax_cross_entropy
from course.show import plots

np.set_printoptions(precision=3, suppress=True)

# %% [markdown] name="look-up"
# ## A look-up with slopes
#
# One query, three keys, a value for each. A *score* says how well a key fits: the product of query and key. `exp` makes all scores positive, divided by their total they
# add up to 1: these are the *weights*. The answer is the mean of the values by these weights.

# %% name="one-query"
q = np.array([[2.0, 0.0]])
k = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
v = np.array([[10.0, 0.0], [0.0, 10.0], [5.0, 5.0]])
scores = q @ k.T
weights = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
print("scores ", scores[0])
print("weights", weights[0])
print("answer ", (weights @ v)[0])

# %% [markdown] name="softmax"
# ## Softmax by rows
#
# The middle step, for a whole table of scores with a row for each query:
#
# $$\mathtt{weights} = \mathtt{powers} \, / \, \mathtt{total} \qquad\qquad \mathtt{powers} = e^{\mathtt{scores}} \qquad\qquad \mathtt{total} = \text{the sum of powers over a row}$$
#
# You met it in `losses`, where one formula went over softmax and logarithm at once. Here it stands alone. (`softmax` of the course takes the highest score of a row away
# first, so that `exp` stays finite; all weights stay what they are.) In numbers, with JAX's cotangent:

# %% name="softmax-by-jax"
weights, pullback = jax.vjp(jax.jit(softmax), np.log([[1.0, 2.0, 1.0], [8.0, 1.0, 1.0]]))
weights_bar = np.array([[4.0, 0.0, 0.0], [1.0, 1.0, 1.0]])
print("weights\n", np.asarray(weights))
print("scores_bar\n", np.asarray(pullback(weights_bar)[0]))

# %% [markdown] name="softmax-neighbour"
# Look at the second row: each weight is handed 1, and nothing comes back. Weights of a row add up to 1 whatever the scores are, so there is nothing to be had. And in the first row what the first
# score wins, the others lose.
#
# A neighbour without `exp`: shares of a row, $y = x / \mathtt{total}$. By the top of the fraction $x_j$ gets $\bar y_j / \mathtt{total}$. By the total all of the row is moved:
# $-\sum_i \bar y_i x_i / \mathtt{total}^2$, the same for each. Since $x_i / \mathtt{total}$ is $y_i$, the two together are short:

# %% name="shares" tags=["worked"]
x, y_bar = np.array([[1.0, 2.0, 1.0]]), np.array([[4.0, 0.0, 0.0]])
total = x.sum(axis=1, keepdims=True)
y = x / total
print("by hand:", (y_bar - (y_bar * y).sum(axis=1, keepdims=True)) / total)
print("by JAX: ", jax.vjp(jax.jit(lambda x: x / x.sum(axis=1, keepdims=True)), x)[1](y_bar)[0])

# %% [markdown] name="softmax-turn"
# ### Your turn: softmax by rows
#
# What is new is one step in front: $x = e^{\mathtt{score}}$, whose slope is $x$ itself. Scores may be in the thousands: call the
# course's `softmax` for the weights, or take the highest of each row away as it does. Keep one array of the size of the scores.

# %% name="your-softmax" tags=["exercise"]
from solutions.attention import softmax_bwd, softmax_fwd

# %% name="check-softmax" tags=["check"]
course.check(softmax_fwd, softmax_bwd)

# %% [markdown] name="derive-softmax"
# <details><summary>After you solved it: the derivation</summary>
#
# The neighbour gives what comes back to `powers`: `(weights_bar - mean) / total`, with `mean = (weights * weights_bar).sum(axis=-1, keepdims=True)`. The slope of `exp` is
# `powers`, and `powers / total` is `weights`:
#
#     scores_bar = weights * (weights_bar - mean)
#
# Read it: `mean` is the mean of what the weights are handed, by these weights. A score gets something as far as its weight is handed more than that mean, and as far as it has a
# weight at all. **A weight of 0 gets nothing**, whatever it is handed. Keep this in mind for masks.
#
# Kept: the weights. The scores are not needed, since all that `exp` and the fraction ask for is in what they gave.
# </details>

# %% [markdown] name="scale-words"
# ## The scale
#
# A score is a sum of `d_head` products. How large is it?
#
# {question attention.q1}

# %% name="answer-q1" tags=["question"]
course.answer("attention.q1", ...)

# %% [markdown] name="scale-measured"
# Why does it matter? Where one score is far above all others, its weight is nearly 1 and the others nearly 0, and each `scores_bar` has a factor of its weight, and of one that vanishes where the weight is 1. Measured,
# with 32 keys, for heads of growing width:

# %% name="draw-scale"
rng = np.random.default_rng(0)


@jax.jit
def sizes(scores):
    """The mean over the rows of the largest weight, and the mean size of what comes back, for random cotangents."""
    weights, pullback = jax.vjp(softmax, scores)
    return weights.max(axis=1).mean(), jnp.linalg.norm(pullback(handed)[0], axis=1).mean()


handed = jnp.asarray(rng.standard_normal((256, 32)), jnp.float32)
widths = [2**power for power in range(1, 12, 2)]
measured = {"q @ k.T": [], "q @ k.T / sqrt(d_head)": []}
for width in widths:
    product = rng.standard_normal((256, width)) @ rng.standard_normal((32, width)).T
    for name, divided in zip(measured, (product, product / np.sqrt(width)), strict=True):
        measured[name].append([float(size) for size in sizes(divided.astype(np.float32))])
with plots.style():
    figure, panels = plt.subplots(1, 2, figsize=(10, 3.2), layout="constrained")
    for (name, both), colour in zip(measured.items(), (plots.JAX, plots.HAND), strict=True):
        for axes, along in zip(panels, np.transpose(both), strict=True):
            axes.semilogx(widths, along, "o-", color=colour, label=name, base=2)
    panels[0].set(title="the largest weight of a row", xlabel="d_head", ylim=(0, 1))
    panels[1].set(title="size of what comes back to a row", xlabel="d_head", yscale="log")
    panels[1].legend()
    plt.show()

# %% [markdown] name="head"
# ## One head, with a mask
#
# All of it, for many queries at once:
#
# $$\mathtt{scores} = \frac{q \, k^T}{\sqrt{\mathtt{d\_head}}} \qquad\qquad \mathtt{weights} = \mathtt{softmax}(\mathtt{scores}) \qquad\qquad y = \mathtt{weights} \; v$$
#
# Not every key may be seen. A model that is to say the next word must not look at it: it is *causal*, each token sees itself and those before. And what only fills up a
# sequence, *padding*, must not be seen by anybody. `mask` says it, `True` where a query may see a key. Where it may not, the score is `-inf`, and the weight 0.
#
# One trap is old: a query that sees *no* key. Then all scores are `-inf`, so is the highest of them, and `-inf - -inf` is no number: `softmax` fails there. Two functions of the course take care of it:
# `powers_of(scores)` is `exp` of the scores less the highest, and 0 all through such a row; `total_of(powers)` is the sum of each row, and 1 for such a row. So that query gets zeros.

# %% name="careful"
some = jnp.array([[1.0, -jnp.inf, 0.0], [-jnp.inf, -jnp.inf, -jnp.inf]])
powers = powers_of(some)
print("softmax\n", np.asarray(softmax(some)))
print("powers\n", np.asarray(powers))
print("totals\n", np.asarray(total_of(powers)))

# %% name="head-by-jax"
q, k, v = np.array([[1.0, 1.0], [2.0, 0.0]]), np.eye(2), np.array([[4.0, 0.0], [0.0, 2.0]])
y, pullback = jax.vjp(jax.jit(lambda q, k, v: attend(q, k, v, causal(2))), q, k, v)
print("y\n", np.asarray(y))
for name, bar in zip(("q_bar", "k_bar", "v_bar"), pullback(np.ones((2, 2))), strict=True):
    print(f"{name}\n", np.asarray(bar))

# %% [markdown] name="head-neighbour"
# The first token sees only itself: its weight is 1 whatever its query is, and the first row of `q_bar` is zero.
#
# A neighbour without softmax, $y = (q \, k^T) \, v$: two products, one after the other. By now each of them is familiar; here is the way back to `v` and to `q`, and `k` is left
# to you:

# %% name="without-softmax" tags=["worked"]
y_bar = np.array([[1.0, 0.0], [0.0, 10.0]])
table_bar = y_bar @ v.T  # what comes back to q @ k.T
print("by hand:", ((q @ k.T).T @ y_bar).tolist(), (table_bar @ k).tolist())
by_jax = jax.vjp(jax.jit(lambda q, v: (q @ k.T) @ v), q, v)[1](y_bar)
print("by JAX: ", np.asarray(by_jax[1]).tolist(), np.asarray(by_jax[0]).tolist())

# %% [markdown] name="head-turn"
# ### Your turn: one head, with a mask
#
# Put softmax and the scale between the two products. The budget leaves room for one array with a number for each query and key; but not for two of them. Does backward
# need the mask? Write it simply first, and read the derivation afterwards: there is something to be had for speed.

# %% name="your-head" tags=["exercise"]
from solutions.attention import attend_bwd, attend_fwd

# %% name="check-head" tags=["check"]
course.check(attend_fwd, attend_bwd)

# %% [markdown] name="derive-head"
# <details><summary>After you solved it: the derivation, and four things that make it fast</summary>
#
# With `weights` kept, it is five lines, and softmax in their midst:
#
#     v_bar = weights.T @ y_bar
#     weights_bar = y_bar @ v.T
#     scores_bar = weights * (weights_bar - (weights * weights_bar).sum(axis=-1, keepdims=True))
#     q_bar = scores_bar @ k / sqrt(d_head)
#     k_bar = scores_bar.T @ q / sqrt(d_head)
#
# A masked pair has a weight of 0, so its `scores_bar` is 0: **no mask is needed on the way back, the zeros are the mask.**
#
# Products cost what they cost. But arrays with a number for each query and key are large, and whatever goes through one of them once less is saved:
#
# 1. *Scale early.* `q / sqrt(d_head)` touches `queries * d_head` numbers, `scores / sqrt(d_head)` touches `queries * keys`.
# 2. *Divide late.* `(powers / total) @ v` is `(powers @ v) / total`. Keep `powers` and `total`, never make `weights`; on the way back divide `y_bar`, not `powers`.
# 3. *The mean for next to nothing.* `(weights * weights_bar).sum(axis=-1)` is, with `weights_bar = y_bar @ v.T` put in, `(y_bar * (weights @ v)).sum(axis=-1)`, and that is
#    `(y_bar * y).sum(axis=-1)`: `d_head` numbers a row, not `keys`.
# 4. *Turn the small one.* For `weights.T @ y_bar` the machine first copies the large array, turned. `(y_bar.T @ weights).T` is the same, and turns two small ones.
#
# Kept, then: `powers`, and beside it only arrays as narrow as a head. JAX keeps three arrays of the large kind, and the mask.
# </details>

# %% name="head-bytes"
for tokens in (128, 1024):
    wide = jax.ShapeDtypeStruct((tokens, 64), jnp.float32)
    by_jax = vjp_residual_bytes(lambda q, k, v: attend(q, k, v, causal(len(q))), wide, wide, wide)
    kept = {"one number for each pair takes": 4 * tokens**2, "JAX keeps": by_jax}
    if course.solved(attend_fwd, attend_bwd):
        kept["you keep"] = residual_bytes(attend_fwd, wide, wide, wide, jax.ShapeDtypeStruct((tokens, tokens), bool))
    print(f"{tokens:5} tokens:", ", ".join(f"{what} {size / 1e6:.2f} MB" for what, size in kept.items()))

# %% [markdown] name="traces"
# ## Masks that leave no trace
#
# What does a mask leave behind? Eight tokens of which the last two are padding, a causal mask, random numbers, and random cotangents for the six tokens that count. What is exactly zero is grey:

# %% name="draw-traces"
tokens, counts = 8, 6
mask = np.tril(np.ones((tokens, tokens), bool)) & (np.arange(tokens) < counts)
drawn = [jnp.asarray(rng.standard_normal((tokens, 4)), jnp.float32) for _ in range(4)]
used = drawn[3].at[counts:].set(0)  # the answers to padding are not used


@jax.jit
def traces(q, k, v, y_bar):
    def from_scores(scores):
        powers = powers_of(jnp.where(mask, scores, -jnp.inf))
        return (powers / total_of(powers)) @ v

    scores = q @ k.T / 2
    powers = powers_of(jnp.where(mask, scores, -jnp.inf))
    _, back = jax.vjp(from_scores, scores)
    _, pullback = jax.vjp(lambda q, k, v: attend(q, k, v, mask), q, k, v)
    return powers / total_of(powers), back(y_bar)[0], *pullback(y_bar)


titles = ("weights", "scores_bar", "q_bar", "k_bar", "v_bar")
with plots.style():
    figure, panels = plt.subplots(1, 5, figsize=(12, 3), layout="constrained", width_ratios=(8, 8, 4, 4, 4))
    for axes, name, array in zip(panels, titles, traces(*drawn[:3], used), strict=True):
        array = np.asarray(array)
        most = np.abs(array).max()
        shown = plt.get_cmap("PuOr").with_extremes(bad="0.75")
        axes.imshow(np.ma.masked_where(array == 0, array), cmap=shown, vmin=-most, vmax=most)
        axes.set(title=name, xticks=[], yticks=range(tokens))
        axes.grid(False)
    panels[0].set_ylabel("query")
    plt.show()

# %% [markdown] name="ask-traces"
# {question attention.q2}

# %% name="answer-q2" tags=["question"]
course.answer("attention.q2", ...)

# %% [markdown] name="layer"
# ## Many heads
#
# One head can look for one thing. A layer has several, each with its own queries, keys and values, made of the same `x` by products with weights; what they find is put side by side, and
# one product more mixes it. The parameters are two arrays, and their shapes say how many heads there are:
#
# | what | shape | how |
# |---|---|---|
# | `x` | `(batch, seq, d_model)` | |
# | `params.w_qkv` | `(d_model, 3, heads, d_head)` | |
# | q, k and v | `(batch, heads, seq, d_head)` each | `x` times `w_qkv`, then cut |
# | `y` | `(batch, heads, seq, d_head)` | each head of each sequence attends, causally |
# | rows | `(batch * seq, heads * d_head)` | `y` with the heads side by side |
# | `params.w_out` | `(heads, d_head, d_model)` | |
# | the value | `(batch, seq, d_model)` | rows times `w_out` |
#
# The course's `self_attention(params, x)` says it with `einsum`. For speed two things count, and both are about shapes. A product with weights should be *one* product of *two matrices*: `x` with a row
# for each token, and `w_qkv` with all its `3 * heads * d_head` columns. Of arrays with more axes, copies are made on the way back. And there is one for q, k and v together,
# since one large product is faster than three.
#
# Between the two products you have a pair already, for one head of one sequence. `jax.vmap` makes of a function one that takes a stack, and it does so for `fwd` and `bwd` alike. A neighbour:


# %% name="mapped-pair" tags=["worked"]
def square_sum_fwd(x, scale):
    return scale * (x**2).sum(), (x, scale)


def square_sum_bwd(kept, y_bar):
    x, scale = kept
    return 2 * scale * x * y_bar, None


stack = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
# a row of the stack each, and the same scale for all
y, kept = jax.vmap(square_sum_fwd, in_axes=(0, None))(stack, 10.0)
print("y:   ", y, " kept, stacked:", [part.shape for part in kept])
print("x_bar:", jax.vmap(square_sum_bwd)(kept, np.ones(3))[0].tolist())

# %% [markdown] name="layer-turn"
# ### Your turn (hard): a layer of many heads
#
# `None` among what `bwd` returns stays `None` under `vmap`. Two more things to know: `array.transpose(2, 0, 3, 1, 4)` puts axes in a new order, and `array.swapaxes(1, 2)`
# exchanges two. Reshaping is free; but it must undo what forward did, in reverse. A `reshape` where `swapaxes` belongs gives the right shape, and numbers at wrong places.

# %% name="your-layer" tags=["exercise"]
from solutions.attention import self_attention_bwd, self_attention_fwd

# %% name="check-layer" tags=["check"]
course.check(self_attention_fwd, self_attention_bwd)

# %% [markdown] name="derive-layer"
# <details><summary>After you solved it: the derivation, and what was kept</summary>
#
# The last product gives `w_out_bar = rows.T @ out_bar` and `rows_bar = out_bar @ w_out.T`, with a row for each token. `rows_bar` is cut as rows were put together: first
# `reshape(batch, seq, heads, d_head)`, then `swapaxes(1, 2)`. `jax.vmap(jax.vmap(attend_bwd))(kept, y_bar)` does all heads of all sequences. The three results are put side by side in forward's order,
# so that one product gives all of `w_qkv_bar` and one all of `x_bar`: *used three times, add*, and the product does the adding.
#
# Kept: what your head keeps, and nothing else. `rows` is `y` in another order, and made again. `x` and the parameters are arguments. What was *not* kept: weights beside
# powers, masked scores, booleans, the projections before they were cut.
# </details>

# %% [markdown] name="layer-cost-words"
# Bytes are counted, processor time is measured on the machine that runs this (the least of six): value and all cotangents of a layer like those of a small GPT, beside `jax.vjp` of
# the course's function. Not all of the difference is in the backward pass: JAX, too, gains where products are spelled as those of two matrices. What is left then is in the four things that your
# head does or doesn't do.

# %% name="layer-cost"
wide = (
    Attention(jax.ShapeDtypeStruct((128, 3, 4, 32), jnp.float32), jax.ShapeDtypeStruct((4, 32, 128), jnp.float32)),
    jax.ShapeDtypeStruct((8, 128, 128), jnp.float32),
)
if course.solved(self_attention_fwd, self_attention_bwd):

    @jax.jit
    def by_hand(params, x, out_bar):
        value, kept = self_attention_fwd(params, x)
        return value, self_attention_bwd(kept, out_bar)

    @jax.jit
    def by_jax(params, x, out_bar):
        value, pullback = jax.vjp(self_attention, params, x)
        return value, pullback(out_bar)

    given = jax.tree.map(lambda leaf: jnp.asarray(rng.standard_normal(leaf.shape) / 8, jnp.float32), (*wide, wide[1]))
    times = {by_hand: [], by_jax: []}
    for _ in range(7):  # in turn, so that whatever else the machine does meets both
        for way, taken in times.items():
            start = time.process_time()
            jax.block_until_ready(way(*given))
            taken.append(1000 * (time.process_time() - start))
    yours, jaxs = (min(taken[1:]) for taken in times.values())
    print(f"time: {yours:.1f} ms by hand, {jaxs:.1f} ms by JAX, {yours / jaxs:.2f} of it")
    print(f"kept: {residual_bytes(self_attention_fwd, *wide) / 1e6:.1f} MB by hand", end=", ")
    print(f"{vjp_residual_bytes(self_attention, *wide) / 1e6:.1f} MB by JAX")

# %% [markdown] name="train-words"
# ## What heads learn to ask
#
# A task that can't be done without looking elsewhere: random letters, and at each place the model is to say the letter *two places before*. It has an embedding of letters and places, one layer of
# attention with two heads, and a readout. Nobody says what to ask for. The pictures show the weights of both heads, a row for each query:


# %% name="train"
class Model(NamedTuple):
    table: jax.Array
    positions: jax.Array
    attention: Attention
    readout: jax.Array


LETTERS, SEQ, D_MODEL, HEADS, BACK = 8, 12, 24, 2, 2
your_layer = (
    course.as_jax(self_attention_fwd, self_attention_bwd)
    if course.solved(self_attention_fwd, self_attention_bwd)
    else self_attention
)
text = jnp.asarray(rng.integers(0, LETTERS, (128, SEQ)))
shapes = Model(
    (LETTERS, D_MODEL), (SEQ, D_MODEL), Attention((D_MODEL, 3, HEADS, 8), (HEADS, 8, D_MODEL)), (LETTERS, D_MODEL)
)
start = jax.tree.map(
    lambda shape: jnp.asarray(rng.standard_normal(shape) / D_MODEL**0.5, jnp.float32),
    shapes,
    is_leaf=lambda leaf: isinstance(leaf, tuple) and isinstance(leaf[0], int),
)
optimizer = optax.adam(0.01)


def loss_of(model):
    """The mean loss of each guess at the letter two places before, in nats."""
    x = embed(model.table, model.positions, text)
    logits = readout(your_layer(model.attention, x), model.readout)
    return softmax_cross_entropy(logits[:, BACK:].reshape(-1, LETTERS), text[:, :-BACK].reshape(-1))


@jax.jit
def weights_of(model):
    """The mean weights of each head, over all texts: (heads, queries, keys)."""
    x = embed(model.table, model.positions, text)
    q, k, _ = jnp.einsum("ntd,dchk->cnhtk", x, model.attention.w_qkv)
    scores = jnp.einsum("nhtk,nhsk->nhts", q, k) / math.sqrt(q.shape[-1])
    return jax.nn.softmax(jnp.where(causal(SEQ), scores, -jnp.inf)).mean(axis=0)


@jax.jit
def trained(model):
    def step(carry, _):
        model, state = carry
        loss, grads = jax.value_and_grad(loss_of)(model)
        updates, state = optimizer.update(grads, state)
        return (optax.apply_updates(model, updates), state), loss

    (after, _), losses = jax.lax.scan(step, (model, optimizer.init(model)), length=120)
    return losses, after


losses, learned = trained(start)
before, after = weights_of(start), weights_of(learned)
with plots.style():
    figure, panels = plt.subplots(1, 5, figsize=(12.5, 2.7), layout="constrained", width_ratios=(1, 1, 1, 1, 1.4))
    named = {
        f"head {head}, {when}": weights[head]
        for when, weights in (("start", before), ("end", after))
        for head in (0, 1)
    }
    for axes, (name, weights) in zip(panels[:4], named.items(), strict=True):
        axes.imshow(weights, cmap="cividis", vmin=0, vmax=1)
        axes.set(title=name, xticks=[], yticks=[])
        axes.grid(False)
    panels[0].set(ylabel="query", xlabel="key")
    panels[4].semilogy(losses, color=plots.HAND)
    panels[4].axhline(np.log(LETTERS), color=plots.JAX, linestyle="--")
    panels[4].set(title="loss; dashed: a guess", xlabel="step", ylabel="nats")
    plt.show()
print(
    f"weight on the token two before, in the end: {np.diagonal(after, -BACK, axis1=1, axis2=2).mean(axis=1)}, by heads"
)

# %% [markdown] name="rotary"
# The line two below the diagonal: each token asks for a place, which it knows by its row of the positions, and not for a letter.
#
# ## More practice: rotary positions
#
# There is another way to say where a token stands, and most models of today use it. Take the numbers of a query in pairs, and *turn* each pair by an angle that grows with the place. Do the same with the
# keys. A product of two turned pairs depends on the difference of their angles alone, so that a score tells the *distance* of two tokens:
#
# $$y_0 = x_0 \cos a - x_1 \sin a \qquad\qquad y_1 = x_0 \sin a + x_1 \cos a \qquad\qquad a = \mathtt{place} \cdot \mathtt{rate}$$
#
# The first half of a row is paired with its second half. `angles(seq, half)` gives the angle of each pair at each place: the first pair turns by a radian a token, the others ever more slowly.

# %% name="distances"
query, key = rng.standard_normal((2, 8))
same = jax.jit(lambda query, key: rotary(jnp.tile(query, (6, 1))) @ rotary(jnp.tile(key, (6, 1))).T)
turned = same(query, key)  # the same two at all places
print("angles of place 2:", np.asarray(jax.jit(angles, static_argnums=(0, 1))(3, 4))[2])
print("products, a row for each place of the query:")
print(np.asarray(turned))

# %% [markdown] name="rotary-neighbour"
# All diagonals are constant. A neighbour: $y_0 = 3 x_0$, $y_1 = x_0 + 2 x_1$. As a matrix it has rows $(3, 0)$ and $(1, 2)$; backward reads it the other way round, by columns, as a transpose:

# %% name="pair-of-numbers" tags=["worked"]
y_bar = np.array([1.0, 10.0])
print("by hand:", [float(3 * y_bar[0] + y_bar[1]), float(2 * y_bar[1])])
pair = jax.jit(lambda x: jnp.stack([3 * x[0], x[0] + 2 * x[1]]))
print("by JAX: ", np.asarray(jax.vjp(pair, np.ones(2))[1](y_bar)[0]).tolist())

# %% [markdown] name="rotary-turn"
# And what is the transpose of a turn?

# %% name="your-rotary" tags=["exercise"]
from solutions.attention import rotary_bwd, rotary_fwd

# %% name="check-rotary" tags=["check"]
course.check(rotary_fwd, rotary_bwd)

# %% [markdown] name="derive-rotary"
# <details><summary>After you solved it</summary>
#
# $x_0$ stands in $y_0$ beside $\cos a$, and in $y_1$ beside $\sin a$; $x_1$ in $y_0$ beside $-\sin a$, and in $y_1$ beside $\cos a$. So
# `first_bar * cos + second_bar * sin` and `second_bar * cos - first_bar * sin`: a turn by $-a$. The transpose of a turn is the turn back. No number of `x` is
# asked for, so nothing is kept: angles are known from the shape.
# </details>

# %% [markdown] name="why-by-hand"
# **Why write this by hand?** This is where it is done in practice. The attention of every large model is a kernel with a backward pass written by people, since what a machine derives from the
# forward pass keeps several arrays with a number for each two tokens, and goes through them again and again. The four things that make yours fast need someone who knows that a mean may be
# had in another way, and that a division may wait. What is left is one such array. `flash_attention` gets rid of that one, too.
#
# ## In your own words
#
# {question attention.text}

# %% name="answer-text" tags=["question"]
course.answer("attention.text", ...)

# %% [markdown] name="name-the-mistake"
# ## Which mistake is this?
#
# Somebody's pass beside the right numbers: of softmax, or of one head. Two sums help: each row of `scores_bar` adds up to zero; and a query with one key gets nothing at all.

# %% [markdown] name="ask-q3"
# {question attention.q3}

# %% name="somebody-elses" tags=["shown"]
course.show_mistake("attention.q3", draw=0)

# %% name="answer-q3" tags=["question"]
course.answer("attention.q3", ...)

# %% [markdown] name="what-you-have"
# ## What you have now
#
# - Softmax: a score gets its weight times what its weight is handed above the row's mean. A weight of 0 gets nothing, and so a mask needs no keeping.
# - The scale keeps scores of size 1 whatever the width, and softmax where it has a slope.
# - One head is two products with softmax between them. Of the large arrays one is enough, if division waits and the mean is had from `y`.
# - A pair for one head is a pair for all heads of all sequences, by `vmap`; products with weights are products of two matrices.
#
# ## Sources
#
# - A. Vaswani and others, "Attention Is All You Need", 2017, arXiv:1706.03762: scale, heads, causal masks.
# - D. Bahdanau, K. Cho, Y. Bengio, "Neural Machine Translation by Jointly Learning to Align and Translate", 2014, arXiv:1409.0473: the first look-up that could be learned.
# - J. Su and others, "RoFormer: Enhanced Transformer with Rotary Position Embedding", 2021, arXiv:2104.09864.
# - T. Dao and others, "FlashAttention", 2022, arXiv:2205.14135: the mean by way of `y`, and division at the end.
#
# Next: `transformer`, in which this layer and a small network take turns.
