# %% [markdown] name="title"
# # Embeddings: rows picked by number, and a table used twice
#
# **To a model, a word is a number: cat is 3, dog is 4. Nothing in 3 and 4 says that they are alike. How does a model find out?**
#
# It is given a table with a row of numbers for each word, random ones at first. A word's number picks its row, and what the model does is done
# with the row. So it is the rows that learn: what comes back to a row moves it. At the end of this lesson the rows of cat and dog have moved together,
# though nobody told the model that there are animals.
#
# You write what comes back to the rows: to those that were picked many times, or never. You find out by how much a product is the wrong way to
# do it, what a table gets that is used at *both* ends of a model, and how to take a step that touches 256 rows of 50,000, and no others.

# %% name="imports"
import time

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import optax

from course.comparison.counting import count
from course.comparison.residuals import residual_bytes, vjp_residual_bytes
from course.lessons.embedding import PADDING, embed, embed_padded, readout, sgd_rows, tied_model
from course.lessons.losses import softmax_cross_entropy
from course.show import plots

np.set_printoptions(precision=3, suppress=True)

# %% [markdown] name="rows"
# ## Rows picked by number
#
# A *vocabulary* is a list of words, and an *id* is a word's place in it. Text comes as `ids`, whole numbers of shape `(batch, seq)`: a row for each sequence, here
# two sequences of three words. The table has a row of `d_model` numbers for each word of the vocabulary, and picking is `table[ids]`:

# %% name="pick"
table = np.array([[1.0, 0.0], [0.0, 1.0], [5.0, 5.0], [2.0, -1.0]])
ids = np.array([[3, 1, 3], [0, 3, 1]])
x, pullback = jax.vjp(jax.jit(lambda table: table[ids]), table)
print("table[ids], of shape", x.shape)
print(np.asarray(x))
x_bar = np.array([[[1.0, 0.0], [0.0, 0.0], [10.0, 0.0]], [[0.0, 7.0], [100.0, 1.0], [0.0, 0.0]]])
print("table_bar")
print(np.asarray(pullback(x_bar)[0]))

# %% [markdown] name="one-hot"
# Word 3 was picked three times, and its row got `1 + 10 + 100`. Word 2 was never picked, and got nothing. *Used twice, add*; you wrote it in
# `vector_chain_rule`, for rows picked by one list of numbers.
#
# There is another way to see it. Write each id as a row of zeros with a single 1 in it, at the place of the id: *one-hot* rows. Then picking is a product, an affine layer like any other, and
# its derivative by the table is known, too:

# %% name="by-product" tags=["worked"]
one_hot = np.eye(4)[ids.reshape(-1)]  # a row for each of the six tokens
print(one_hot.astype(int))
print("the same rows:", np.array_equal(one_hot @ table, x.reshape(6, 2)))
print("table_bar as a product:")
print(one_hot.T @ x_bar.reshape(6, 2))

# %% [markdown] name="cost-words"
# So which of the two should one take? Count, for a vocabulary as large as they are:
#
# {question embedding.q1}

# %% name="answer-q1" tags=["question"]
course.answer("embedding.q1", ...)

# %% [markdown] name="measure-words"
# Adding rows where they belong is called a *scatter*. Product against scatter, for smaller vocabularies, counted and measured on the machine that runs this (the best of
# five times, in milliseconds):


# %% name="measure"
def milliseconds(function, *arguments):
    """The best of five runs of a compiled function."""
    jax.block_until_ready(function(*arguments))  # the first call compiles
    best = np.inf
    for _ in range(5):
        start = time.perf_counter()
        jax.block_until_ready(function(*arguments))
        best = min(best, time.perf_counter() - start)
    return 1000 * best


rng = np.random.default_rng(0)
for vocab in (64, 4096):
    some = jnp.asarray(rng.integers(0, vocab, 1024))
    bars = jnp.asarray(rng.standard_normal((1024, 64)), jnp.float32)
    ways = {
        "one-hot": lambda ids, bars, vocab=vocab: jax.nn.one_hot(ids, vocab).T @ bars,
        "scatter": lambda ids, bars, vocab=vocab: jax.ops.segment_sum(bars, ids, vocab),
    }
    shown = (
        f"{name} {count(way, some, bars).flops / 1e6:7.2f} MFLOP {milliseconds(jax.jit(way), some, bars):6.2f} ms"
        for name, way in ways.items()
    )
    print(f"{vocab:5} words: {'   '.join(shown)}")

# %% [markdown] name="places"
# ## Tokens and their places
#
# A row says which word it is, and not where it stands. For a model that treats all places alike, as `attention` will, "dog bites man" and "man bites
# dog" would be the same. So the place gets a row, too, from a second table, and the two are added:
#
# $$y_{n, t} = \mathtt{table}[\mathtt{ids}_{n, t}] + \mathtt{positions}[t]$$
#
# `positions` has a row for each place of the longest sequence there may be. Where it is shorter, only the first rows are used. Here there are four, and three places:

# %% name="embed-by-jax"
positions = np.array([[0.1, 0.2], [0.3, 0.4], [0.5, 0.6], [0.7, 0.8]])
y, pullback = jax.vjp(jax.jit(lambda positions: embed(table, positions, ids)), positions)
print("y of the first sequence", np.round(np.float64(y[0]), 3).tolist())
print("positions_bar", np.asarray(pullback(x_bar)[0]).tolist())

# %% [markdown] name="places-neighbour"
# A neighbour for the second part. Every other number of a row is added to each row of `x`: $y = x + \mathtt{row}[::2]$. Copied to all rows forward: sum
# backward. And the numbers that were not used get a zero:

# %% name="neighbour" tags=["worked"]
row, some_bar = np.array([1.0, 2.0, 3.0, 4.0]), np.array([[1.0, 10.0], [2.0, 20.0], [3.0, 30.0]])
print("by hand:", jnp.zeros(4).at[::2].set(some_bar.sum(axis=0)))
print("by JAX: ", jax.vjp(jax.jit(lambda row: jnp.zeros((3, 2)) + row[::2]), row)[1](some_bar)[0])

# %% [markdown] name="embed-turn"
# ### Your turn: tokens and their places
#
# `.at[...]` takes an array of ids of any shape. Keep nothing that was made: the budget beside the arguments is zero bytes, and one-hot rows would be too dear.

# %% name="your-embed" tags=["exercise"]
from solutions.embedding import embed_bwd, embed_fwd

# %% name="check-embed" tags=["check"]
course.check(embed_fwd, embed_bwd)

# %% [markdown] name="derive-embed"
# <details><summary>After you solved it: the derivation, and what was kept</summary>
#
# `y[n, t]` is a copy of row `ids[n, t]` plus a copy of row `t`. Back to the table each `y_bar[n, t]` goes to where its row came from, and what meets
# there is added: `jnp.zeros_like(table).at[ids].add(y_bar)`. Row `t` of the positions was copied to each sequence: `y_bar.sum(axis=0)` has a row for each
# place that was used, and the rest of `positions_bar` is zero.
#
# Kept: the ids, since they say where everything goes back to. Of the two tables not a number is asked, only shape and type; but they are arguments, which are
# there anyway, and cost nothing. The slope of a copy is 1: embeddings keep no activations at all.
# </details>

# %% [markdown] name="padding"
# ## Padding
#
# Sequences of a batch must have one length, and short ones are filled up with an id that stands for nothing, here `PADDING = 0`. It should have no say:
# zeros go into the model in its place, `embed_padded(table, ids)`, whatever its row holds. And on the way back?

# %% name="padded"
filled = np.array([[3, 1, 2], [2, PADDING, PADDING]])
value, pullback = jax.vjp(jax.jit(lambda table: embed_padded(table, filled)), table)
print(np.asarray(value).tolist())
print("table_bar for ones:", np.asarray(pullback(np.ones((2, 3, 2)))[0]).tolist())

# %% [markdown] name="padding-turn"
# ### More practice: padding leaves no trace

# %% name="your-padded" tags=["exercise"]
from solutions.embedding import embed_padded_bwd, embed_padded_fwd

# %% name="check-padded" tags=["check"]
course.check(embed_padded_fwd, embed_padded_bwd)

# %% [markdown] name="derive-padded"
# <details><summary>After you solved it: two ways, and which is cheaper</summary>
#
# What replaced a row with zeros sends nothing to it. Either a `where` makes zeros of `y_bar` at such places before the scatter, or everything is
# scattered and row `PADDING` is set to zero in the end. The second touches one row, the first all of `y_bar`. They agree since *all* of what row
# `PADDING` gets comes from such places. And no mask needs to be kept: `ids` says it again.
# </details>

# %% [markdown] name="readout"
# ## A score for every word
#
# At its other end, a language model says which word may come next: a score, or logit, for each word of the vocabulary. The usual way is again a table with a row
# for each word; the score is the inner product of what the model has made, `x`, with the word's row:
#
# $$\mathtt{logits}_{n, t, v} = \sum_k x_{n, t, k} \, \mathtt{table}_{v, k}$$

# %% name="scores"
x = np.array([[[1.0, 0.0], [0.0, 2.0]], [[1.0, 1.0], [-1.0, 0.0]]])  # two sequences of two tokens
logits, pullback = jax.vjp(jax.jit(readout), x, table)
print("logits", np.asarray(logits).tolist())
logits_bar = np.zeros((2, 2, 4))
logits_bar[0, 1, 3], logits_bar[1, 0, 3], logits_bar[1, 1, 0] = 1.0, 10.0, 100.0
x_bar, table_bar = pullback(logits_bar)
print("x_bar", np.asarray(x_bar).tolist())
print("table_bar", np.asarray(table_bar).tolist())

# %% [markdown] name="readout-neighbour"
# A neighbour: an affine layer, without bias, at every place of every sequence, $y_{n, t} = x_{n, t} \, w$. By indices, each entry of `w` met every token:
# $\bar w_{i, j} = \sum_n \sum_t x_{n, t, i} \, \bar y_{n, t, j}$. Two sums, over `n` and over `t`; but nothing depends on which is which. With a row for each token they are one
# sum, and that is a product of two matrices, the one thing that machines do fastest:

# %% name="rows-for-tokens" tags=["worked"]
w, y_bar = np.array([[1.0, 2.0, 0.0], [0.0, -1.0, 3.0]]), rng.integers(-3, 4, (2, 2, 3)).astype(float)
print("by hand:", (x.reshape(4, 2).T @ y_bar.reshape(4, 3)).tolist())
print("by JAX: ", np.asarray(jax.vjp(jax.jit(lambda w: x @ w), w)[1](y_bar)[0]).tolist())

# %% [markdown] name="readout-turn"
# ### Your turn: a score for every word
#
# Mind which way round the table lies here: `x @ table.T`.

# %% name="your-readout" tags=["exercise"]
from solutions.embedding import readout_bwd, readout_fwd

# %% name="check-readout" tags=["check"]
course.check(readout_fwd, readout_bwd)

# %% [markdown] name="derive-readout"
# <details><summary>After you solved it: the derivation</summary>
#
# `x[n, t, k]` is in the scores of all words: $\bar x_{n, t, k} = \sum_v \overline{\mathtt{logits}}_{n, t, v} \, \mathtt{table}_{v, k}$. The sum runs over the last index
# of one and the first of the other: `logits_bar @ table`, without a transpose, since forward had one. And `table[v, k]` met every token; with a row
# for each token, $\overline{\mathtt{table}} = \overline{\mathtt{logits}}^T x$.
#
# Kept are both arguments, and nothing more. There is nothing to win over JAX here: it does the same two products, and they are all there is to do.
# </details>

# %% [markdown] name="tied"
# ## One table at both ends
#
# Now there are two tables with a row for each word, one to read words and one to say them. Should they not be the same? Since 2016 they often are: the embedding
# is *tied* to the readout. That saves what is in many models the largest array of all. Here is the smallest such model, with one product between the two uses:
#
# $$h = \mathtt{table}[\mathtt{ids}] \, w \qquad\qquad \mathtt{logits} = \mathtt{readout}(h, \mathtt{table})$$
#
# What comes back to a table that is used twice? Take a vocabulary of twelve words, and one sentence. First with *two* tables, equal in numbers, and a cotangent for each.
# The loss is softmax cross-entropy, which asks for the next word:

# %% name="two-tables"
CLASSES = {
    "article": "the a",
    "animal": "cat dog bird",
    "verb": "sees likes chases",
    "size": "small old big",
    "end": ".",
}
words = " ".join(CLASSES.values()).split()
sentence = np.array([[words.index(word) for word in "the old dog sees a cat .".split()]])
start_table, start_w = (rng.standard_normal((len(words), 8)) * 0.5).astype(np.float32), np.eye(8, dtype=np.float32)


def loss_of(logits, ids):
    """The mean loss of each token's guess at the next one, in nats."""
    return softmax_cross_entropy(logits[:, :-1].reshape(-1, len(words)), ids[:, 1:].reshape(-1))


def with_two_tables(first, second):
    return loss_of(readout(first[sentence] @ start_w, second), sentence)


@jax.jit
def gradients(table):
    by_pick, by_readout = jax.grad(with_two_tables, argnums=(0, 1))(table, table)
    return by_pick, by_readout, jax.grad(lambda table: loss_of(tied_model(table, start_w, sentence), sentence))(table)


by_pick, by_readout, tied = gradients(start_table)
with plots.style():
    figure, panels = plt.subplots(1, 3, figsize=(10, 4), sharey=True, layout="constrained")
    parts = {"first table: picked": by_pick, "second table: readout": by_readout, "one table for both": tied}
    most = float(np.abs(tied).max())
    for axes, (name, part) in zip(panels, parts.items(), strict=True):
        axes.imshow(part, cmap="PuOr", vmin=-most, vmax=most, aspect="auto")
        axes.set(title=name, xlabel="d_model")
        axes.grid(False)
    panels[0].set_yticks(range(len(words)), words)
    plt.show()
print("the third is the sum of the first two:", np.allclose(by_pick + by_readout, tied, atol=1e-6))

# %% [markdown] name="tied-words"
# The pick sends something to the words of the sentence alone. The readout sends something to *every* row: to words that came next, and to all that were given a
# probability and did not come. *Used twice, add.*
#
# ### Your turn (hard): one table at both ends
#
# Your own readout, from above, does its part. Budget: one array with a row for each token. Forward makes two, the picked rows and `h`. Which one can
# be had again without any arithmetic?

# %% name="your-tied" tags=["exercise"]
from solutions.embedding import tied_model_bwd, tied_model_fwd

# %% name="check-tied" tags=["check"]
course.check(tied_model_fwd, tied_model_bwd)

# %% [markdown] name="derive-tied"
# <details><summary>After you solved it: the derivation, and what was not made</summary>
#
# From the end: `readout_bwd((h, table), logits_bar)` gives `h_bar` and the readout's part of `table_bar`. With a row for each token, `h = x @ w` gives
# `w_bar = x.T @ h_bar` and `x_bar = h_bar @ w.T`, where `x` is picked once more. What is left is the scatter of `x_bar`. Taken apart it would need a table of zeros, and then a sum of
# two tables. But there is a table already: `table_bar.at[ids.reshape(-1)].add(x_bar)` adds the one use on top of the other.
#
# Kept is `h` alone; JAX keeps `x` beside it. And the table of zeros is not made, nor the sum of two tables. JAX has a rule for each use, and can only add what they return.
# </details>

# %% name="tied-cost"
if course.solved(tied_model_fwd, tied_model_bwd):
    shapes = (
        jax.ShapeDtypeStruct((50_000, 64), jnp.float32),
        jax.ShapeDtypeStruct((64, 64), jnp.float32),
        jax.ShapeDtypeStruct((2, 16), jnp.int32),
    )
    bars = jax.ShapeDtypeStruct((2, 16, 50_000), jnp.float32)

    def without_products(way):
        counted = count(way, *shapes, bars)
        return (counted.flops - counted.dot_flops) / 1e6

    yours = without_products(lambda table, w, ids, bars: tied_model_bwd(tied_model_fwd(table, w, ids)[1], bars))
    jaxs = without_products(
        lambda table, w, ids, bars: jax.vjp(lambda table, w: tied_model(table, w, ids), table, w)[1](bars)
    )
    print(f"50,000 words: MFLOP beside products: {yours:.2f} yours, {jaxs:.2f} JAX; the table has 3.2 million numbers")
    moving = vjp_residual_bytes(lambda table, w: tied_model(table, w, np.zeros((2, 16), int)), *shapes[:2])
    print(f"kept: {residual_bytes(tied_model_fwd, *shapes):,} bytes yours, {moving:,} JAX")

# %% [markdown] name="train-words"
# ## What the rows learn
#
# Train it. The sentences are made by one rule, article, perhaps a size, animal, verb, article, animal, and the model has to guess each next word from
# the one before. The pictures show for each two words how alike their rows are: the cosine of the angle between them, 1 for the same direction. The words are put in order by
# their class, of which the model knows nothing.


# %% name="train"
def some_sentence(draw):
    """Seven words by the rule, of which the last are full stops if there are fewer."""
    sizes = [draw.choice(CLASSES["size"].split())] if draw.random() < 0.5 else []
    parts = [draw.choice(CLASSES[name].split()) for name in ("article", "animal", "verb", "article", "animal")]
    return [parts[0], *sizes, *parts[1:], ".", "."][:7]


text = np.array([[words.index(word) for word in some_sentence(rng)] for _ in range(128)])
yours = course.as_jax(tied_model_fwd, tied_model_bwd) if course.solved(tied_model_fwd, tied_model_bwd) else tied_model
optimizer = optax.adam(0.02)


@jax.jit
def trained(params):
    def step(carry, _):
        params, state = carry
        loss, grads = jax.value_and_grad(lambda params: loss_of(yours(*params, text), text))(params)
        updates, state = optimizer.update(grads, state)
        return (optax.apply_updates(params, updates), state), loss

    (params, _), losses = jax.lax.scan(step, (params, optimizer.init(params)), length=200)
    return params, losses


def alike(table):
    """The cosine between every two rows."""
    rows = np.asarray(table) / np.linalg.norm(table, axis=1, keepdims=True)
    return rows @ rows.T


(learned, _), losses = trained((jnp.asarray(start_table), jnp.asarray(start_w)))
with plots.style():
    figure, panels = plt.subplots(1, 2, figsize=(10, 4.4), sharey=True, layout="constrained")
    for axes, (name, rows) in zip(
        panels, {"at the start": start_table, "after 200 steps": learned}.items(), strict=True
    ):
        shown = axes.imshow(alike(rows), cmap="PuOr", vmin=-1, vmax=1)
        axes.set(title=name, xticks=range(len(words)), yticks=range(len(words)))
        axes.set_xticklabels(words, rotation=60, fontsize=8)
        axes.set_yticklabels(words, fontsize=8)
        axes.grid(False)
    figure.colorbar(shown, ax=panels, label="cosine", shrink=0.8)
    plt.show()
print(
    f"loss: {losses[0]:.2f} at the start, {losses[-1]:.2f} in the end; guessing among {len(words)}: {np.log(len(words)):.2f}"
)

# %% [markdown] name="sparse"
# Blocks along the diagonal: animals are like animals, verbs like verbs. Words in like places get like cotangents, step after step; that is all it took.
#
# ## A step that touches few rows
#
# A table of 50,000 rows, 256 tokens in a batch, and the model's readout is *not* tied. `table_bar` is then 12.8 MB of which at most 64 kB are not zero. Gradient descent
# reads all of it, and all of the table, and writes all of the table. The course's `sgd_rows` does so. Look at the formula:
#
# $$\mathtt{table} \leftarrow \mathtt{table} - \mathtt{rate} \cdot \overline{\mathtt{table}}$$
#
# Where $\overline{\mathtt{table}}$ is zero nothing happens.
#
# ### Your turn: without the table of zeros
#
# `x_bar` is what comes back to `table[ids]`. Do not make the whole of `table_bar`: the check looks at the values alone, but the measurement below would show it.

# %% name="your-sparse" tags=["exercise"]
from solutions.embedding import sparse_sgd

# %% name="check-sparse" tags=["check"]
course.check(sparse_sgd)

# %% [markdown] name="derive-sparse"
# <details><summary>After you solved it</summary>
#
# `table_bar` is zeros to which rows of `x_bar` are added. Take the table in the place of the zeros, and `-rate * x_bar` for what is added:
# `table.at[ids].add(-rate * x_bar)`. Two picks of a row are two steps, and they add up. What does *not* work is to read rows, change them and write them back with `.set`: of
# two picks of one row the second then overwrites the first.
# </details>

# %% [markdown] name="sparse-measure-words"
# `.at[...].add` returns a new table, and to make that, the old one is copied, 12.8 MB again, unless the program may write into the old one: with
# `donate_argnums` the caller says that it won't be needed any more.


# %% name="sparse-measure"
def milliseconds_a_step(step):
    """The best of five times of ten steps, each from the table that the step before has left."""
    moving = step(jnp.zeros((50_000, 64)), picks, back, 0.1)
    best = np.inf
    for _ in range(5):
        start = time.perf_counter()
        for _ in range(10):
            moving = step(moving, picks, back, 0.1)
        moving.block_until_ready()
        best = min(best, time.perf_counter() - start)
    return 100 * best


if course.solved(sparse_sgd):
    picks = jnp.asarray(rng.integers(0, 50_000, (2, 128)))
    back = jnp.asarray(rng.standard_normal((2, 128, 64)), jnp.float32)
    steps = {
        "the whole gradient": jax.jit(sgd_rows, donate_argnums=0),
        "yours": jax.jit(sparse_sgd),
        "yours, table donated": jax.jit(sparse_sgd, donate_argnums=0),
    }
    for name, step in steps.items():
        print(f"{name:21} {milliseconds_a_step(step):7.3f} ms a step")

# %% [markdown] name="optimisers"
# Both of yours save the same arithmetic. Donated, yours takes a small part of the time: now the memory is not gone through, either. Can any optimiser do that?
#
# {question embedding.q2}

# %% name="answer-q2" tags=["question"]
course.answer("embedding.q2", ...)

# %% name="second-step"
two_rows = jnp.ones(2)
for name, kind in {
    "gradient descent": optax.sgd(0.1),
    "momentum": optax.sgd(0.1, momentum=0.9),
    "Adam": optax.adam(0.1),
    "weight decay": optax.chain(optax.add_decayed_weights(0.1), optax.sgd(0.1)),
}.items():
    _, state = kind.update(jnp.ones(2), kind.init(two_rows), two_rows)  # both rows get something
    updates, _ = kind.update(jnp.array([1.0, 0.0]), state, two_rows)  # then only the first one does
    print(f"{name:17} moves the second row by {float(updates[1]) + 0.0:.4f}")

# %% [markdown] name="why-by-hand"
# **Why write this by hand?** Here it pays as nowhere else in the course. `jax.grad` must return an array of the shape of its argument, zeros and all: a gradient of 256
# rows has no place in it. Whoever knows what comes back to a row can leave the table of zeros unmade. For tables of hundreds of millions of rows, as in systems that recommend things, it is how it must be done. And tied to
# a readout, the gain is gone: every row gets something.
#
# ## In your own words
#
# {question embedding.text}

# %% name="answer-text" tags=["question"]
course.answer("embedding.text", ...)

# %% [markdown] name="name-the-mistake"
# ## Which mistake is this?
#
# Somebody's pass beside the right numbers: of tokens and places, of the readout, or of the tied model. Look first at whether rows that were picked often are
# wrong, or all of them.

# %% [markdown] name="ask-q3"
# {question embedding.q3}

# %% name="somebody-elses" tags=["shown"]
course.show_mistake("embedding.q3", draw=0)

# %% name="answer-q3" tags=["question"]
course.answer("embedding.q3", ...)

# %% [markdown] name="what-you-have"
# ## What you have now
#
# - A row gets the sum of what its picks send back, and a row that nobody picked gets nothing. A scatter does it; a product with one-hot rows does the same, a hundred thousand times dearer.
# - A place's row is copied along the batch: sum along the batch. Padding sends nothing.
# - A readout is a product with a row for each token. Tied to the embedding, its table is used twice: add, and add in place.
# - A gradient that is nearly all zeros need not be made, where the optimiser does nothing to a zero.
#
# ## Sources
#
# - Y. Bengio, R. Ducharme, P. Vincent, C. Jauvin, "A Neural Probabilistic Language Model", Journal of Machine Learning Research 3, 2003: words as rows that learn.
# - A. Mnih, G. Hinton, "Three New Graphical Models for Statistical Language Modelling", 2007: the log-bilinear model, of which the tied model here is the smallest.
# - O. Press, L. Wolf, "Using the Output Embedding to Improve Language Models", 2016, arXiv:1608.05859; H. Inan, K. Khosravi, R. Socher, "Tying Word Vectors and Word
#   Classifiers", 2016, arXiv:1611.01462.
#
# Next: `attention`, in which every token asks all the others.
