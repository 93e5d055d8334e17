# %% [markdown] name="title"
# # A transformer: a language model from your own pairs
#
# **The models that write and answer have billions of parameters. How much is there to write, if you want every derivative of one by hand?**
#
# Next to nothing, for you have its parts: the embedding, attention, layer norm, affine maps, gelu, the loss, and the skip connections, at which cotangents add. What is left is to put them together. First a small
# network that every token goes through by itself, then a block, then the whole model. In the end you hold the gradient of a GPT of which no part was derived by a machine, agreeing with JAX's to
# fifteen digits, and made in less time.
#
# The lesson asks, too, where that time is gained, and where there is nothing to gain.

# %% name="imports"
import ast
import inspect
import textwrap
import time
from functools import partial

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import optax

from course.comparison.residuals import residual_bytes, vjp_residual_bytes
from course.lessons.attention import Attention, self_attention
from course.lessons.linear_and_activations import gelu, gelu_tanh
from course.lessons.losses import IGNORED
from course.lessons.transformer import (
    Bigram,
    Block,
    FeedForward,
    Gpt,
    Norm,
    bigram,
    block,
    feed_forward,
    gpt_loss,
    norm_tokens,
)
from course.show import plots
from solutions.attention import attend_bwd, attend_fwd, self_attention_bwd, self_attention_fwd
from solutions.embedding import embed_bwd, embed_fwd, readout_bwd, readout_fwd
from solutions.linear_and_activations import affine_bwd, affine_fwd, gelu_tanh_bwd, gelu_tanh_fwd, tanh_bwd, tanh_fwd
from solutions.losses import masked_cross_entropy_bwd, masked_cross_entropy_fwd
from solutions.normalization import layer_norm_bwd, layer_norm_fwd, rms_norm_bwd, rms_norm_fwd

np.set_printoptions(precision=3, suppress=True)
rng = np.random.default_rng(0)

# %% [markdown] name="parts"
# ## The parts
#
# | part | your pair | from the lesson |
# |---|---|---|
# | ids to numbers, with places | `embed_fwd`, `embed_bwd` | `embedding` |
# | every token by itself | `layer_norm_...`, `affine_...`, `gelu_tanh_...` | `normalization`, `linear_and_activations` |
# | tokens among themselves | `self_attention_...` | `attention` |
# | numbers to scores of words | `readout_...`, by the same table | `embedding` |
# | the loss | `masked_cross_entropy_...` | `losses` |
#
# Two of them stood under "more practice": `gelu_tanh` and `masked_cross_entropy`. If you left them out, write them first.
#
# ## Every token by itself
#
# Attention mixes what tokens hold. To make something of it, every token goes through a small network, the same for all, as wide as you can pay for, mostly four times `d_model`:
#
# $$z = \mathtt{tokens} \; w_{in} + b_{in} \qquad\qquad \mathtt{hidden} = \mathtt{gelu}(z) \qquad\qquad y = \mathtt{hidden} \; w_{out} + b_{out}$$
#
# `tokens` is a matrix with a row for each token of each sequence. JAX's cotangents, in small:


# %% name="drawn-parameters"
def drawn(*shape):
    """Numbers that keep the size of what is multiplied by them."""
    return (rng.standard_normal(shape) / shape[0] ** 0.5).astype(np.float32)


def drawn_norm(d_model):
    return Norm(np.ones(d_model, np.float32), np.zeros(d_model, np.float32))


def drawn_block(d_model, heads):
    w_out = drawn(d_model, d_model).reshape(heads, d_model // heads, d_model)
    attention = Attention(drawn(d_model, 3, heads, d_model // heads), w_out)
    biases = (np.zeros(4 * d_model, np.float32), np.zeros(d_model, np.float32))
    network = FeedForward(drawn(d_model, 4 * d_model), biases[0], drawn(4 * d_model, d_model), biases[1])
    return Block(drawn_norm(d_model), attention, drawn_norm(d_model), network)


small = FeedForward(jnp.array([[1.0, -1.0]]), jnp.zeros(2), jnp.array([[1.0], [1.0]]), jnp.zeros(1))
y, pullback = jax.vjp(jax.jit(feed_forward), small, jnp.array([[0.0], [2.0]]))
params_bar, tokens_bar = pullback(jnp.ones((2, 1)))
print("y         ", y.ravel())
print("tokens_bar", tokens_bar.ravel())
print("w_out_bar ", params_bar.w_out.ravel(), " b_out_bar", params_bar.b_out)

# %% [markdown] name="feed-neighbour"
# A neighbour, with tanh in the place of gelu. Pairs are called in a row, each keeps what it keeps, and backward calls them in the opposite order. What one hands on as its `x_bar` is the next one's `y_bar`:


# %% name="with-tanh" tags=["worked"]
def with_tanh_fwd(params, tokens):
    z, kept_in = affine_fwd(tokens, params.w_in, params.b_in)
    hidden, kept_tanh = tanh_fwd(z)
    y, kept_out = affine_fwd(hidden, params.w_out, params.b_out)
    return y, (kept_in, kept_tanh, kept_out)


# %% [markdown] name="feed-turn"
# ### Your turn: feed forward
#
# The parameters are `FeedForward(w_in, b_in, w_out, b_out)`, and what comes back to them is one as well. Use gelu's tanh form.

# %% name="your-feed-forward" tags=["exercise"]
from solutions.transformer import feed_forward_bwd, feed_forward_fwd

# %% name="check-feed-forward" tags=["check"]
course.check(feed_forward_fwd, feed_forward_bwd)

# %% [markdown] name="derive-feed-forward"
# <details><summary>After you solved it: the derivation, and what was kept</summary>
#
#     hidden_bar, w_out_bar, b_out_bar = affine_bwd(kept_out, y_bar)
#     (z_bar,) = gelu_tanh_bwd(kept_gelu, hidden_bar)
#     tokens_bar, w_in_bar, b_in_bar = affine_bwd(kept_in, z_bar)
#
# Two arrays as wide as `d_hidden` are kept, `z` and `hidden`. Could `hidden` be made again from `z`? It could, for little, since gelu's backward pass has the tanh in hand anyway. On paper that halves what is kept. It
# was tried, and compiled it kept *more*: the compiler saw that `hidden` hangs on `z` alone, made it early, beside the tanh, and held both until backward came. A residual is a promise to the reader of a program.
# What is in memory is decided by the compiler, and has to be measured.
# </details>

# %% [markdown] name="which-gelu"
# Why the tanh form? Measured, forward and backward of 1024 tokens of width 512 (processor time, the least of some). An erf is no dearer than a tanh; but the slope of the exact gelu asks for an `exp` in addition,
# while that of the tanh form is made of the tanh it has:


# %% name="gelu-times"
def by_jax(f):
    """The value and all cotangents, as a compiled function of the value's cotangent and the primals."""

    def both(y_bar, *primals):
        y, pullback = jax.vjp(f, *primals)
        return y, pullback(y_bar)

    return jax.jit(both)


def milliseconds(ways, *given):
    """The least processor time of some runs of each, in turn, so that whatever else the machine does meets all."""
    taken = {name: [] for name in ways}
    for _ in range(6):
        for name, way in ways.items():
            start = time.process_time()
            jax.block_until_ready(way(*given))
            taken[name].append(1000 * (time.process_time() - start))
    return {name: min(times) for name, times in taken.items()}


z = jnp.asarray(rng.standard_normal((1024, 512)), jnp.float32)
for name, least in milliseconds({"exact": by_jax(gelu), "tanh form": by_jax(gelu_tanh)}, z, z).items():
    print(f"{name:10} {least:4.2f} ms")

# %% [markdown] name="block"
# ## A block
#
# Two branches, one after the other, each added to what it was made of, and each with a norm in front:
#
# $$h = x + \mathtt{self\_attention}(\mathtt{layer\_norm}(x)) \qquad\qquad y = h + \mathtt{feed\_forward}(\mathtt{layer\_norm}(h))$$
#
# Attention wants `(batch, seq, d_model)`. Norms and feed forward want a row for each token, `(batch * seq, d_model)`. A reshape costs nothing, and goes back by another reshape.
#
# How large is such a thing?
#
# {question transformer.q1}

# %% name="answer-q1" tags=["question"]
course.answer("transformer.q1", ...)

# %% [markdown] name="block-neighbour"
# A neighbour with one branch, $y = x + \tanh(\mathtt{rms\_norm}(x))$, and both rules that a block needs: backward goes through the branch from its end, and *used twice, add*.


# %% name="one-branch" tags=["worked"]
def one_branch(x, scale):
    rms = jnp.sqrt((x**2).mean(axis=-1, keepdims=True) + 1e-5)
    return x + jnp.tanh(x / rms * scale)


def one_branch_fwd(x, scale):
    normed, kept_norm = rms_norm_fwd(x, scale)
    thought, kept_tanh = tanh_fwd(normed)
    return x + thought, (kept_norm, kept_tanh)


def one_branch_bwd(residuals, out_bar):
    kept_norm, kept_tanh = residuals
    (of_normed,) = tanh_bwd(kept_tanh, out_bar)
    of_branch, of_scale = rms_norm_bwd(kept_norm, of_normed)
    return out_bar + of_branch, of_scale


written = course.solved(rms_norm_fwd, rms_norm_bwd) and course.solved(tanh_fwd, tanh_bwd)


@jax.jit
def both_ways(x, scale, out_bar):
    by_jax = jax.vjp(one_branch, x, scale)[1](out_bar)[0]
    return by_jax, one_branch_bwd(one_branch_fwd(x, scale)[1], out_bar)[0] if written else by_jax


drawn_here = (rng.standard_normal(shape).astype(np.float32) for shape in ((2, 3), (3,), (2, 3)))
for name, bar in zip(("by JAX ", "by hand" if written else "again"), both_ways(*drawn_here), strict=True):
    print(name, np.asarray(bar).ravel())

# %% [markdown] name="block-turn"
# ### Your turn: a block
#
# `Block(norm_attention, attention, norm_mlp, mlp)` holds the parameters of four pairs; a `Norm` has `scale` and `bias`, so that `layer_norm_fwd(rows, *params.norm_mlp)` is a call of your norm. Go back one
# branch at a time, and watch which cotangent the earlier one is handed.

# %% name="your-block" tags=["exercise"]
from solutions.transformer import block_bwd, block_fwd

# %% name="check-block" tags=["check"]
course.check(block_fwd, block_bwd)

# %% [markdown] name="derive-block"
# <details><summary>After you solved it: the derivation</summary>
#
# With a row for each token everywhere but in attention:
#
#     mlp_bar, normed_bar = feed_forward_bwd(kept_mlp, y_bar)
#     through_mlp, *norm_mlp_bar = layer_norm_bwd(kept_norm_mlp, normed_bar)
#     h_bar = y_bar + through_mlp
#     attention_bar, normed_bar = self_attention_bwd(kept_attention, h_bar)
#     through_attention, *norm_attention_bar = layer_norm_bwd(kept_norm_attention, normed_bar)
#     x_bar = h_bar + through_attention
#
# `attention` is handed `h_bar`, all that comes back to `h`, and not `y_bar`: its value was added to `x` to make `h`, which then went through the second branch, too. In `x_bar` there is `y_bar` itself, without a
# factor: the way past all branches, which you know from `skip_connections`.
# </details>

# %% [markdown] name="what-is-won"
# ## What is won by hand, and what is not
#
# A block of a small GPT, 8 sequences of 128 tokens, `d_model` 128, 4 heads. Three ways to its value and all its cotangents. The first is JAX on a block as most people write it: arrays keep their three axes, `x @ w`. The second is JAX
# on the course's primal, where norms and feed forward have a row for each token. The third is your pair. Processor time is the least of some, taken in turn.


# %% name="block-cost"
def as_usually_written(params, x):
    def norm(own, x):
        centred = x - x.mean(axis=-1, keepdims=True)
        return centred / jnp.sqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-5) * own.scale + own.bias

    h = x + self_attention(params.attention, norm(params.norm_attention, x))
    hidden = jax.nn.gelu(norm(params.norm_mlp, h) @ params.mlp.w_in + params.mlp.b_in)
    return h + hidden @ params.mlp.w_out + params.mlp.b_out


@jax.jit
def by_hand(y_bar, params, x):
    y, kept = block_fwd(params, x)
    return y, block_bwd(kept, y_bar)


medium = drawn_block(128, 4)
x = jnp.asarray(rng.standard_normal((8, 128, 128)), jnp.float32)
ways = {"JAX, as usually written": by_jax(as_usually_written), "JAX, a row for each token": by_jax(block)}
kept = {"JAX, as usually written": vjp_residual_bytes(as_usually_written, medium, x)}
kept["JAX, a row for each token"] = vjp_residual_bytes(block, medium, x)
if course.solved(block_fwd, block_bwd):
    ways["by hand"] = by_hand
    kept["by hand"] = residual_bytes(block_fwd, medium, x)
for name, least in milliseconds(ways, x, medium, x).items():
    print(f"{name:28} {least:5.1f} ms, keeps {kept[name] / 1e6:4.1f} MB")

# %% [markdown] name="what-is-won-words"
# From the first to the second nothing was written by hand. With three axes, JAX's rule for a product makes copies of large arrays with their axes in another order, to sum over two axes at once. With a row for each token there is one axis to
# sum over, and no copy. **A part of what is said to be won by hand is won by spelling.**
#
# From the second to the third:
#
# - *Not kept*: of arrays with a number for each two tokens of a head, two (attention). The steps inside of gelu, of the norms and of the loss.
# - *Not moved*: fewer passes over such arrays, since division waits and a mean is had in another way (attention).
# - *Not made twice*: nothing was, by JAX either.
#
# And what is not won: matrix products. They are the same by hand and by JAX, two backward for one forward, and on most machines they take most of the time, the more so the wider the model. In a block of `d_model` 4096
# with short sequences there is hardly anything left to gain but memory.
#
# One more thing that only a look at the machine tells: the backward pass of gelu takes a tanh that forward has taken. If both are spelled alike, a compiler notices, computes it once, and *keeps* it, 4 bytes for each number of `z`. Spelled
# otherwise, it is made again, as was meant: in a model of 4 such blocks that took 8 MB of 56.
#
# ## Pre-norm and post-norm
#
# The first transformers had the norm on everything, `layer_norm(x + branch(x))`. Today it stands on the branch. What does the backward pass say to that? The norm of what comes back to each block's input, at the
# start of training, through 24 blocks:

# %% name="draw-depth"
DEPTH, WIDTH = 24, 32


def post_norm_block(params, x):
    h = norm_tokens(params.norm_attention, x + self_attention(params.attention, x))
    return norm_tokens(params.norm_mlp, h + feed_forward(params.mlp, h.reshape(-1, WIDTH)).reshape(h.shape))


@partial(jax.jit, static_argnums=0)
def sizes(kind, blocks, x, y_bar):
    """The norm of what comes back to each block's input, first block first."""

    def run(nudges):
        return jax.lax.scan(lambda h, inside: (kind(inside[0], h + inside[1]), None), x, (blocks, nudges))[0]

    _, pullback = jax.vjp(run, jnp.zeros((DEPTH, *x.shape)))
    return jnp.sqrt((pullback(y_bar)[0] ** 2).sum(axis=(1, 2, 3)))


blocks = jax.tree.map(lambda *leaves: np.stack(leaves), *(drawn_block(WIDTH, 2) for _ in range(DEPTH)))
x, y_bar = (jnp.asarray(rng.standard_normal((2, 16, WIDTH)), jnp.float32) for _ in range(2))
with plots.style():
    figure, axes = plt.subplots(figsize=(8, 3.4), layout="constrained")
    for kind, name, colour in ((block, "pre-norm", plots.HAND), (post_norm_block, "post-norm", plots.JAX)):
        axes.semilogy(range(1, DEPTH + 1), sizes(kind, blocks, x, y_bar), "o-", color=colour, label=name)
    axes.axhline(np.linalg.norm(y_bar), color="0.5", linestyle="--", label="handed in at the end")
    axes.set(xlabel="block", title="size of what comes back to each block's input")
    axes.legend()
    plt.show()

# %% [markdown] name="depth-words"
# With the norm on the branch, what is handed in at the end (dashed) comes back to every block undiminished, by the way past all branches, and each branch on the way adds to it: the earlier a block, the more comes
# back to it, for the more it has touched. With the norm on everything there is no such way. Each block hands on what came, times its own factor: it is divided by the spread of a sum, and two branches add to it. Here, with
# weights drawn with care, these factors are about 1, and it goes up and down; nothing in the block promises that. Such models had to be started with tiny steps, and trained badly when they were deep.
#
# ## The whole model
#
#     ids -> embed -> block -> ... -> block -> layer norm -> readout by the same table -> loss
#
# `Gpt(table, positions, blocks, norm)`, of which `blocks` is a list. `labels` are the ids of the tokens that follow; where one is `IGNORED`, nothing is asked. Before you write it, count. The pairs are those of
# the table at the top of this lesson, so look into every block:
#
# {question transformer.q2}

# %% name="answer-q2" tags=["question"]
course.answer("transformer.q2", ...)

# %% [markdown] name="gpt-turn"
# ### Your turn (hard): a language model
#
# Everything is there. Ask of each pair which shape it wants, keep what each of them keeps, and go back through them in the opposite order. The blocks are a loop, like the layers of `mlp`.
# `gpt_loss_bwd` returns three things: a `Gpt`, and `None` for `ids` and for `labels`.

# %% name="your-gpt" tags=["exercise"]
from solutions.transformer import gpt_loss_bwd, gpt_loss_fwd

# %% name="check-gpt" tags=["check"]
course.check(gpt_loss_fwd, gpt_loss_bwd)

# %% [markdown] name="derive-gpt"
# <details><summary>After you solved it: the derivation</summary>
#
# From the loss back to what the last block gave, then the blocks, then the embedding:
#
#     logits_bar, _ = masked_cross_entropy_bwd(kept_loss, loss_bar)
#     normed_bar, table_bar = readout_bwd(kept_readout, logits_bar)
#     rows_bar, *norm_bar = layer_norm_bwd(kept_norm, normed_bar)
#     for kept in reversed(kept_blocks):
#         block_bar, x_bar = block_bwd(kept, x_bar)
#     picked_bar, positions_bar, _ = embed_bwd(kept_embed, x_bar)
#
# The reshapes between them are those of forward, undone. The table was used at both ends: `table_bar + picked_bar`. The list of `block_bar` is turned round.
# </details>

# %% [markdown] name="count-lines"
# How much have you written for that? Counted: the lines of code of all pairs that are in it, each as short as Python can print it, without the words.

# %% name="lines"
mine = [
    *(affine_fwd, affine_bwd, gelu_tanh_fwd, gelu_tanh_bwd, layer_norm_fwd, layer_norm_bwd),
    *(attend_fwd, attend_bwd, self_attention_fwd, self_attention_bwd),
    *(embed_fwd, embed_bwd, readout_fwd, readout_bwd, masked_cross_entropy_fwd, masked_cross_entropy_bwd),
    *(feed_forward_fwd, feed_forward_bwd, block_fwd, block_bwd, gpt_loss_fwd, gpt_loss_bwd),
]


def lines_of(function):
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(function))).body
    said = ast.get_docstring(tree) is not None
    return len(ast.unparse(tree.body[said:]).splitlines())


if course.solved(gpt_loss_fwd, gpt_loss_bwd):
    print(sum(map(lines_of, mine)), "lines by hand, no autodiff")

# %% [markdown] name="lines-said"
# The check above held what they give against `jax.vjp`, array by array, in float64: open its "Arrays and checks". The errors are those of the last digit.
#
# ## Which token is asked to change?
#
# Cotangents answer a question that people ask of language models: by what was this guess made? Let the loss look at one token alone, all other labels being `IGNORED`. Then row `s` of `positions_bar` is what comes back
# to the token at place `s`.
#
# The task: random letters, eight of them, and then the same eight once more. While the second half runs, the next letter stands seven places back. A GPT of one block learns that, by your pair:

# %% name="train"
LETTERS, HALF, D_MODEL = 8, 8, 32
first = rng.integers(0, LETTERS, (96, HALF))
text = np.concatenate([first, first], axis=1)
ids = jnp.asarray(text[:, :-1])
known = np.arange(2 * HALF - 1) >= HALF - 1  # the first half can't be
labels = jnp.asarray(np.where(known, text[:, 1:], IGNORED))
start = Gpt(drawn(LETTERS, D_MODEL), drawn(2 * HALF - 1, D_MODEL), [drawn_block(D_MODEL, 2)], drawn_norm(D_MODEL))
optimizer = optax.adam(0.005)
written = course.solved(gpt_loss_fwd, gpt_loss_bwd)


def loss_and_gradient(params, ids, labels):
    if not written:
        return jax.value_and_grad(gpt_loss)(params, ids, labels)
    loss, residuals = gpt_loss_fwd(params, ids, labels)
    return loss, gpt_loss_bwd(residuals, jnp.ones_like(loss))[0]


@jax.jit
def trained(params):
    def step(carry, _):
        params, state = carry
        loss, gradient = loss_and_gradient(params, ids, labels)
        updates, state = optimizer.update(gradient, state)
        return (optax.apply_updates(params, updates), state), loss

    (after, _), losses = jax.lax.scan(step, (params, optimizer.init(params)), length=60)
    return losses, after


@jax.jit
def asked_to_change(params):
    """A row for each token that is guessed: the size of what comes back to each place, a mean over 8 texts."""

    def of(text, guessed):
        labels = jnp.where(jnp.arange(2 * HALF - 1) == guessed, text[1:], IGNORED)
        _, gradient = loss_and_gradient(params, text[None, :-1], labels[None])
        return jnp.linalg.norm(gradient.positions, axis=1)

    return jax.vmap(lambda guessed: jax.vmap(lambda text: of(text, guessed))(text[:8]).mean(axis=0))(
        jnp.arange(2 * HALF - 1)
    )


text = jnp.asarray(text)
losses, learned = trained(start)
with plots.style():
    figure, panels = plt.subplots(1, 3, figsize=(11.5, 3.5), layout="constrained", width_ratios=(1, 1, 1.1))
    for axes, (when, params) in zip(panels, {"start": start, "end": learned}.items(), strict=False):
        sizes_there = np.asarray(asked_to_change(params))
        axes.imshow(sizes_there / sizes_there.max(axis=1, keepdims=True), cmap="cividis", vmin=0, vmax=1)
        axes.set(title=f"what comes back, {when}", xlabel="place", ylabel="token that is guessed")
        axes.set(xticks=range(0, 15, 7), yticks=range(0, 15, 7))
        axes.grid(False)
    panels[2].semilogy(losses, color=plots.HAND)
    panels[2].axhline(np.log(LETTERS), color=plots.JAX, linestyle="--")
    panels[2].set(title="loss; dashed: a guess", xlabel="step", ylabel="nats")
    plt.show()

# %% [markdown] name="blame-seen"
# Nothing stands above the diagonal: no loss sends anything to a later token. At the start everything before is asked to change, more or less. In the end, from the eighth row on, it is the token seven places back: the
# one to be copied. (The rows above were never asked for.)
#
# ## A batch that does not fit
#
# A large batch is cut into parts, and each part's loss and gradient are computed alone. How are they put together? Texts have unequal lengths, so in each part another number of labels counts. A neighbour: two parts, of one
# number and of three.

# %% name="means" tags=["worked"]
parts = [np.array([10.0]), np.array([1.0, 2.0, 3.0])]
print("mean of all numbers:  ", np.concatenate(parts).mean())
print("mean of the two means:", np.mean([part.mean() for part in parts]))

# %% [markdown] name="accumulate-turn"
# Big libraries got that wrong, for years. The loss curves looked good, and the models were a little worse: tokens of short texts counted more.
#
# ### Your turn: unequal parts
#
# `accumulate(loss_and_gradient, params, ids, labels)` is handed a function that gives the mean loss of one part, over those of its labels that are not `IGNORED`, and the gradient of it. `ids` and `labels` are `(parts, batch, seq)`.
# Return the loss of all parts as one batch, and its gradient, a tree like `params`. If nothing counts at all, both are zero. In the check, the function is the course's `bigram`, a model of one table, which
# takes less time than a GPT. There may be a part in which nothing counts, too.

# %% name="your-accumulate" tags=["exercise"]
from solutions.transformer import accumulate

# %% name="check-accumulate" tags=["check"]
course.check(accumulate)

# %% [markdown] name="derive-accumulate"
# <details><summary>After you solved it</summary>
#
# A part's share is `count / total`, with the number of labels that count in it and in all; times its mean that is its sum over `total`. The same share multiplies its gradient, for a derivative is linear. If the total is 0, divide by
# 1: all counts are 0 anyway. `jax.lax.scan` over the parts holds one part in memory; what is carried is as large as the parameters.
# </details>

# %% name="accumulate-tried"
letters = np.asarray(text)[:12]
parts = letters[:, :7].reshape(3, 4, 7), letters[:, 1:8].reshape(3, 4, 7)
short = np.where(np.arange(7) < np.array([1, 3, 7])[:, None, None], parts[1], IGNORED)
table = Bigram(jnp.asarray(rng.standard_normal((LETTERS, LETTERS)), jnp.float32), np.zeros(LETTERS, np.float32))
written = course.solved(accumulate)


@jax.jit
def losses_of(ids, labels):
    """Those of the parts, that of all as one batch, and what yours makes of the parts."""
    of_parts = jax.vmap(lambda ids, labels: bigram(table, ids, labels)[0])(ids, labels)
    as_one, _ = bigram(table, jnp.concatenate(ids), jnp.concatenate(labels))
    yours = accumulate(bigram, table, ids, labels)[0] if written else jnp.nan
    return of_parts, of_parts.mean(), as_one, yours


print("labels that count:    ", np.asarray(short != IGNORED).sum(axis=(1, 2)))
for name, value in zip(
    ("the parts", "mean of means", "as one batch", "yours"), losses_of(parts[0], short), strict=True
):
    print(f"{name:22}", np.asarray(value))

# %% [markdown] name="train-for-real"
# ## Train it on a play
#
# In a terminal, in the folder of this notebook:
#
#     course train gpt --submission .
#
# A GPT of two blocks reads *Hamlet*, 64 characters at a time, once on JAX's gradient and once on yours, and shows what it writes after 100 steps, 200, 400 and so on. It needs fewer bits a character than the best guess by counting
# which letter followed the last few. It ends with a picture: the loss, what it writes, how many lines you wrote for it in all lessons together, how closely the two gradients agree, and how fast yours is.

# %% [markdown] name="why-by-hand"
# **Why write this by hand?** For the order of pairs in a block nobody would: `jax.grad` gets it right, and gets it right again when somebody changes the block. It pays inside of the pairs, where somebody knows what need
# not be kept, and once such pairs exist, a model is made of them in a few lines. That is how large models are trained: attention, norms and the loss are written by people, and what stands between is left to the machine. How
# to give JAX your pairs for its own, so that it derives the rest, is what `custom_rules` is about.
#
# ## In your own words
#
# {question transformer.text}

# %% name="answer-text" tags=["question"]
course.answer("transformer.text", ...)

# %% [markdown] name="name-the-mistake"
# ## Which mistake is this?
#
# Somebody's feed forward, and the right numbers. Start at the end: which cotangents come before gelu on the way back, and which behind it?

# %% [markdown] name="ask-q3"
# {question transformer.q3}

# %% name="somebody-elses" tags=["shown"]
course.show_mistake("transformer.q3", draw=0)

# %% name="answer-q3" tags=["question"]
course.answer("transformer.q3", ...)

# %% [markdown] name="what-you-have"
# ## What you have now
#
# - A GPT's backward pass: pairs in a row, two sums in every block, and one for the table.
# - What is won by hand is won inside of pairs, by what is not kept and not moved. A row for each token wins a part of it for JAX as well. Products are the same for both.
# - What a program keeps is decided by the compiler: count it, then measure it.
# - With the norm on the branch, what comes back keeps its size through many blocks.
# - The mean of a batch in parts weighs each part by what counts in it.
#
# ## Sources
#
# - A. Radford and others, "Language Models are Unsupervised Multitask Learners", 2019: the block and the tied table, as here.
# - A. Vaswani and others, "Attention Is All You Need", 2017, arXiv:1706.03762: the first transformer, with the norm on everything.
# - R. Xiong and others, "On Layer Normalization in the Transformer Architecture", 2020, arXiv:2002.04745: why it moved to the branch.
# - A. Karpathy, llm.c, 2024: a GPT's backward pass written by hand in C, part by part.
# - D. Han, M. Han, "Bugs in LLM Training: Gradient Accumulation Fix", Unsloth, 2024: the mean of means, found in large libraries.
#
# Next: `custom_rules`, by which JAX takes your pairs for its own.
