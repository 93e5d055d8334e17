# %% [markdown] name="title"
# # Attention in tiles: memory that grows with length, not with its square
#
# **A book has a hundred thousand tokens. If each of them looks at each other one, that is ten billion pairs: 40 gigabytes in float32, for one head of one layer. Does anybody ever have to
# write them all down?**
#
# In `attention` one large array was left: a number for each query and each key, which forward makes and backward wants. Here it goes. Attention is worked out tile by tile, a few queries
# and a few keys at a time, and nothing of a tile is kept. On the way back each tile is made again, from one number a row.
#
# The result is the same to the last digits; nothing is approximated. This is what is called flash attention, and most large models of today are trained with it. You write it whole, forward and
# backward, and then count and measure what it takes.

# %% name="imports"
import math
import time

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np

from course.comparison.counting import count
from course.comparison.residuals import residual_bytes, vjp_residual_bytes
from course.lessons.attention import attend, causal, total_of
from course.lessons.flash_attention import (
    Part,
    all_seen,
    attend_all,
    highest_of,
    multi_query,
    nothing,
    seen,
    visits,
)
from course.show import plots

np.set_printoptions(precision=3, suppress=True)
rng = np.random.default_rng(0)

# %% [markdown] name="square"
# ## What grows with the square
#
# A head of 64 numbers, causal, value and all cotangents by `jax.vjp`. We ask the compiler how many bytes it will set aside, for its work and for the results. Nothing is run for that:

# %% name="square-by-jax"
WIDTH = 64


def plain(q, k, v):
    return attend(q, k, v, causal(len(q)))


def by_jax(y_bar, q, k, v):
    y, pullback = jax.vjp(plain, q, k, v)
    return y, pullback(y_bar)


def compiled(way, *shape):
    """A way to value and cotangents as a compiled program, for arguments of a shape."""
    return jax.jit(way).lower(*[jax.ShapeDtypeStruct(shape, jnp.float32)] * 4).compile()


def megabytes(program):
    sizes = program.memory_analysis()
    return (sizes.temp_size_in_bytes + sizes.output_size_in_bytes) / 1e6


lengths = (128, 512, 2048, 8192)
plain_programs = {seq: compiled(by_jax, seq, WIDTH) for seq in lengths}
for seq, program in plain_programs.items():
    print(f"{seq:5} tokens: {megabytes(program):8.1f} MB aside, {4 * seq * WIDTH / 1e6:5.2f} MB for q")

# %% [markdown] name="square-words"
# Four times the tokens, sixteen times the memory. The arguments themselves grow as length does.
#
# ## Two parts of a row
#
# First the question whether a row of softmax can be worked out in pieces at all. A row's weights are `exp(score) / total`, and the total is known only when all keys were looked at.
#
# Here is a neighbour. Two classes wrote an exam. Of each you know the mean mark, and the logarithm of how many wrote it (why the logarithm? wait for it). What is the mean of all? Each class has
# a share, which is its number divided by that of all. A quotient of two numbers is `exp` of a difference of their logarithms:

# %% name="two-classes" tags=["worked"]
means, logs = np.array([2.0, 5.0]), np.log([30.0, 10.0])
of_both = np.log(np.exp(logs).sum())
by_shares = np.exp(logs - of_both)
print(f"shares: {by_shares}, mean of all: {by_shares @ means:.2f}, how many: {np.exp(of_both):.0f}")
print("one by one:", np.mean([2.0] * 30 + [5.0] * 10))

# %% [markdown] name="parts"
# Nobody had to read the exams again. Attention's answer is such a mean: `y` is a mean of values, and `total`, the sum of `exp(score)`, says how much stands behind it. So what some of the keys make of the
# queries is told by two things, for each query a row of `y` and a number:
#
# $$\mathtt{Part}(y, \mathtt{lse}) \qquad\qquad \mathtt{lse} = \log \sum e^{\mathtt{scores}}$$
#
# It is called *log-sum-exp*. The logarithm is there since totals are too large: a score of a thousand is nothing unusual, and `exp` of it is no number. In numbers, for one query and six keys, the
# whole row and its two halves:

# %% name="halves"
scores, values = np.array([[1.0, 3.0, 2.0, 0.0, -1.0, 4.0]]), np.array([[1.0], [2.0], [3.0], [4.0], [5.0], [6.0]])


def by_definition(scores, values):
    powers = np.exp(scores)
    return Part(powers @ values / powers.sum(), np.log(powers.sum(keepdims=True)))


for name, place in {"first half": slice(3), "second half": slice(3, 6), "whole row": slice(6)}.items():
    y, lse = by_definition(scores[:, place], values[place])
    print(f"{name:12} y {y[0, 0]:.4f}   lse {lse[0, 0]:.4f}")

# %% [markdown] name="merge-turn"
# ### Your turn: two parts of a row
#
# `merge(one, other)` gets two parts, and returns the `Part` of both together. `y` is `(queries, d_head)`, and `lse` is `(queries, 1)`, so that they broadcast. It must hold for an `lse` of a thousand:
# `jnp.logaddexp(a, b)` is `log(exp(a) + exp(b))` without ever making either `exp`.

# %% name="your-merge" tags=["exercise"]
from solutions.flash_attention import merge

# %% name="check-merge" tags=["check"]
course.check(merge)

# %% [markdown] name="derive-merge"
# <details><summary>After you solved it</summary>
#
# Both totals add up: `lse = logaddexp(one.lse, other.lse)`. A part's `y` counts by its share, total by total: `exp(one.lse - lse) * one.y + exp(other.lse - lse) * other.y`. The two shares add up to 1, and
# neither `exp` can overflow, since no part's `lse` is above that of the whole.
#
# Two parts can be merged in any order, and three in any grouping. So a row may be worked out in as many pieces as one likes, one after the other, or on different machines.
# </details>

# %% [markdown] name="nothing-words"
# What is the part of *no keys at all*? Its `y` doesn't matter, and its `lse` is the logarithm of 0: `-inf`, or, to be able to go on calculating, the lowest number there is. The course's `nothing(q)` is that
# part, for as many queries as `q` has. It is what to begin with.

# %% name="nothing"
start = nothing(jnp.ones((1, 1)))
print("nothing:", start)
if course.solved(merge):
    row = by_definition(scores, values)
    y, lse = merge(start, Part(*map(jnp.asarray, row)))
    print(f"merged with the whole row: y {y[0, 0]:.4f}   lse {lse[0, 0]:.4f}")

# %% [markdown] name="tile"
# ## A tile that keeps no weights
#
# Some queries look at some keys: that is a *tile*. Its forward pass is the head of `attention`, `attend_tile(q, k, v, mask)`. There you kept `powers`, a number for each pair, since softmax's backward pass
# wants the weights. What else would give the weights? A neighbour: shares of a row, $y = x / \mathtt{total}$. Backward wants `y`. It may be kept, or the total alone, which is one number a row, and then `y`
# is made again from `x`, which is an argument and there anyway:


# %% name="shares-again" tags=["worked"]
def shares_fwd(x):
    total = x.sum(axis=1, keepdims=True)
    return x / total, (x, total)  # not y


def shares_bwd(kept, y_bar):
    x, total = kept
    y = x / total  # made again
    return ((y_bar - (y_bar * y).sum(axis=1, keepdims=True)) / total,)


x, y_bar = np.array([[1.0, 2.0, 1.0]]), np.array([[4.0, 0.0, 0.0]])
print("by hand:", shares_bwd(shares_fwd(x)[1], y_bar)[0])
print("by JAX: ", jax.vjp(jax.jit(lambda x: x / x.sum(axis=1, keepdims=True)), x)[1](y_bar)[0])

# %% [markdown] name="tile-turn"
# ### Your turn: a tile that keeps no weights
#
# Now softmax in the place of shares, and `lse` in the place of the total. Forward: scores, with `-inf` where the mask is `False`; the highest of each row taken away; `exp`; totals; and `y`. Two functions of the course
# take care of a query that sees no key: `highest_of(scores)` is the highest score of each row, or the lowest number there is, and `total_of(powers)` the sum of each row, and 1 where there is nothing:

# %% name="careful"
some = jnp.array([[1.0, -jnp.inf, 0.0], [-jnp.inf, -jnp.inf, -jnp.inf]])
powers = jnp.exp(some - highest_of(some))
print("highest", highest_of(some)[:, 0], "\npowers\n", powers, "\ntotals ", total_of(powers)[:, 0])

# %% [markdown] name="tile-turn-back"
# `lse` follows from highest and total. Backward makes the scores again, and from them, with `lse`, the weights. The rest is the backward pass of a head. For the mean that a row loses there is a way that needs no array of pairs: `attention` had it, as the
# sum of `y_bar * y` over a row. It is why `y` may be kept.
#
# The budget: `y` and `lse`, beside the arguments. Put `lse` last among the residuals: what comes later takes it out there.

# %% name="your-tile" tags=["exercise"]
from solutions.flash_attention import attend_tile_bwd, attend_tile_fwd

# %% name="check-tile" tags=["check"]
course.check(attend_tile_fwd, attend_tile_bwd)

# %% [markdown] name="derive-tile"
# <details><summary>After you solved it: the derivation</summary>
#
# `lse = highest + log(total)`, since `total` is the sum of `exp(scores - highest)`. And so
#
#     exp(scores - lse) = exp(scores - highest) / total = weights
#
# at one stroke: `exp` of a difference is a quotient. Then, as in `attention`:
#
#     v_bar = weights.T @ y_bar
#     scores_bar = weights * (y_bar @ v.T - (y_bar * y).sum(axis=-1, keepdims=True))
#     q_bar = scores_bar @ k / sqrt(d_head)
#     k_bar = scores_bar.T @ q / sqrt(d_head)
#
# A query that sees nothing has the lowest number for its `lse`, and scores of `-inf`: `exp(-inf - lowest)` is 0, and no number is lost. With `-inf` for its `lse` it would be `exp(-inf + inf)`.
#
# Kept: two narrow arrays. Paid: one product more, `q @ k.T` for a second time.
# </details>

# %% [markdown] name="bytes"
# ## What that saves
#
# {question flash_attention.q1}

# %% name="answer-q1" tags=["question"]
course.answer("flash_attention.q1", ...)

# %% name="bytes-counted"
for tokens in (1024, 2048):
    wide = jax.ShapeDtypeStruct((tokens, WIDTH), jnp.float32)
    mask = jax.ShapeDtypeStruct((tokens, tokens), bool)
    kept = {"JAX keeps": vjp_residual_bytes(plain, wide, wide, wide)}
    if course.solved(attend_tile_fwd, attend_tile_bwd):
        kept["you keep"] = residual_bytes(attend_tile_fwd, wide, wide, wide, mask)
    print(f"{tokens:5} tokens:", ", ".join(f"{what} {size / 1e6:.2f} MB" for what, size in kept.items()))

# %% [markdown] name="all"
# ## All keys, tile by tile
#
# What is *kept* is linear now. But while it works, your function still makes scores, weights and more, each with a number for every pair, and drops them again: if the tile is the whole sequence, the machine must have room for
# them. So cut the keys into small tiles, and never look at more than one. A sequence in tiles has the shape `(tiles, tile, d_head)`, which is a `reshape` and costs nothing.
#
# `attend_all(q, k, v)`: all queries, and keys and values in tiles. In numbers, with two tiles of two keys:

# %% name="all-by-jax"
q = np.array([[1.0, 1.0], [2.0, 0.0]])
k = np.array([[[1.0, 0.0], [0.0, 1.0]], [[1.0, 1.0], [-1.0, 0.0]]])
v = np.array([[[4.0, 0.0], [0.0, 2.0]], [[1.0, 1.0], [0.0, 8.0]]])
y, pullback = jax.vjp(jax.jit(attend_all), q, k, v)
print("y\n", np.asarray(y))
for name, bar in zip(("q_bar", "k_bar", "v_bar"), pullback(np.ones((2, 2))), strict=True):
    print(f"{name} {bar.shape}\n", np.asarray(bar))

# %% [markdown] name="all-neighbour"
# The pattern first, by a neighbour without softmax: $y = \sum_t \tanh(x \cdot w_t)$, a sum over tiles $w_t$. Forward is a `scan` over the tiles which carries the sum. Backward is a `scan` over the tiles, too. Each makes its own
# `tanh` again, and sends back two things: something for `x`, which all tiles used, so it is *carried and added*; and something for its own `w`, which is *stacked*, one a tile:


# %% name="sum-of-tiles" tags=["worked"]
def sum_of_tanh_fwd(x, w):
    def look(total, w_tile):
        return total + jnp.tanh(x * w_tile).sum(), None

    y, _ = jax.lax.scan(look, 0.0, w)
    return y, (x, w)


def sum_of_tanh_bwd(kept, y_bar):
    x, w = kept

    def look_back(x_bar, w_tile):
        slopes = y_bar * (1 - jnp.tanh(x * w_tile) ** 2)
        return x_bar + (slopes * w_tile).sum(), slopes * x

    return jax.lax.scan(look_back, 0.0, w)


w = np.array([[1.0, -1.0], [0.5, 2.0], [3.0, 0.0]])
print("by hand:", *sum_of_tanh_bwd(sum_of_tanh_fwd(0.5, w)[1], 1.0))
print("by JAX: ", *jax.vjp(jax.jit(lambda x, w: jnp.tanh(x * w).sum()), 0.5, w)[1](1.0))

# %% [markdown] name="all-turn"
# ### Your turn: all keys, tile by tile
#
# Forward is such a scan: what is carried is a `Part`, and each tile's own part is merged with it. `attend_tile_fwd` returns `y`, and its residuals end in `lse`: `y, (*_, lse) = attend_tile_fwd(...)` takes both out. All keys may
# be seen: the course's `all_seen(queries, keys)` is the mask for so many queries and the keys of one tile.
#
# Backward seems hard: must one go back through all the merging, part by part? Think of what a tile's weights are: shares of the *whole* row. You know the whole row's `lse` by then. What would your `attend_tile_bwd` do if it
# were handed that, in the place of the tile's own?
#
# Two budgets: what is kept, and what is alive at any time.

# %% name="your-all" tags=["exercise"]
from solutions.flash_attention import attend_all_bwd, attend_all_fwd

# %% name="check-all" tags=["check"]
course.check(attend_all_fwd, attend_all_bwd)

# %% [markdown] name="derive-all"
# <details><summary>After you solved it: why there is no way back through the merging</summary>
#
# `y` of a row is a sum over all keys of `weight * value`, and a weight is `exp(score - lse)` with the `lse` of the whole row. That is true however the sum was worked out. So what each key gets can be said for each by itself:
#
#     v_bar[key] = the sum over queries of weight * y_bar
#     score_bar = weight * (y_bar @ v[key] - (y_bar * y).sum())
#
# Of other tiles' keys these know by two things alone, `lse` and `y` of the whole row, which are narrow and kept. This is what `attend_tile_bwd` works out, if its residuals hold the whole row's `y` and `lse`. A tile's own `y` and
# `lse` would be another softmax, that of this tile alone.
#
# `k_bar` and `v_bar` of a tile are done when it was looked at, so the scan stacks them; `q_bar` has something from each: carried, added.
#
# A machine that goes back step by step must go through the merging, and so needs to know each tile's part and what was carried then. That the sum of all these steps is so simple it cannot see.
# </details>

# %% [markdown] name="loop-words"
# Is the scan over tiles not enough by itself? Let JAX differentiate *your forward pass*, as it is, and with `jax.checkpoint` around the body of the loop, which makes it forget what a round worked out, but not what was carried
# into it. Bytes kept for backward, for queries and keys of one length, with 128 keys in a tile:

# %% name="loop-by-jax"
TILE = 128


def loop(forget):
    """Your forward pass, as a function for JAX to differentiate."""

    def of_all(q, k, v):
        mask = all_seen(len(q), TILE)

        def look(part, tile):
            y, (*_, lse) = attend_tile_fwd(q, *tile, mask)
            return merge(part, Part(y, lse)), None

        return jax.lax.scan(jax.checkpoint(look) if forget else look, nothing(q), (k, v))[0].y

    return of_all


if (
    course.solved(merge)
    and course.solved(attend_tile_fwd, attend_tile_bwd)
    and course.solved(attend_all_fwd, attend_all_bwd)
):
    print("tokens   JAX, your loop   with checkpoint   by hand     (MB)")
    for tokens in (1024, 2048, 4096):
        queries = jax.ShapeDtypeStruct((tokens, WIDTH), jnp.float32)
        tiles = jax.ShapeDtypeStruct((tokens // TILE, TILE, WIDTH), jnp.float32)
        sizes = (
            vjp_residual_bytes(loop(False), queries, tiles, tiles),
            vjp_residual_bytes(loop(True), queries, tiles, tiles),
            residual_bytes(attend_all_fwd, queries, tiles, tiles),
        )
        print(f"{tokens:6} {sizes[0] / 1e6:16.1f} {sizes[1] / 1e6:17.1f} {sizes[2] / 1e6:9.1f}")

# %% [markdown] name="loop-read"
# The first column is the square again: all weights of all tiles, only stacked. The second is smaller, and a square as well: `y` and `lse` of all queries, once for each tile. The third doubles when length does.
#
# ## Causal, and no tile for nothing
#
# A token sees itself and those before it. Of a table of tiles those above the diagonal are masked altogether: all that is worked out there is a zero. On the diagonal a part is masked, and below it nothing. So make a list of
# the tiles that are worth a visit, and let one loop go through the list:

# %% name="visits"
rows, columns = map(np.asarray, visits(6))
print("rows   ", rows)
print("columns", columns)
order = np.full((6, 6), np.nan)
order[rows, columns] = np.arange(len(rows))
small = 8
masked = np.kron(np.where(np.isnan(order), 0.0, 1.0), np.ones((small, small))) * np.tril(
    np.ones((6 * small, 6 * small))
)
with plots.style():
    figure, panels = plt.subplots(1, 2, figsize=(9.5, 3.6), layout="constrained")
    panels[0].imshow(order, cmap="cividis")
    for row, column in zip(rows, columns, strict=True):
        colour = "white" if order[row, column] < 12 else "black"
        panels[0].text(column, row, f"{int(order[row, column])}", ha="center", va="center", color=colour)
    panels[0].set(title="visits, in their order", xlabel="tile of keys", ylabel="tile of queries")
    panels[1].imshow(np.where(masked > 0, 1.0, np.nan), cmap="cividis", vmin=0, vmax=1.5)
    panels[1].set(title="what may be seen, token by token", xlabel="key", ylabel="query")
    for cut in range(1, 6):
        panels[1].axhline(small * cut - 0.5, color=plots.INK, linewidth=0.7)
        panels[1].axvline(small * cut - 0.5, color=plots.INK, linewidth=0.7)
    for axes in panels:
        axes.grid(False)
    plt.show()

# %% [markdown] name="visit-neighbour"
# `seen(row, column, tile)` is the mask of the tile at a row and a column, `tile` tokens wide: all of it below the diagonal, a triangle on it. In numbers, and beside it a neighbour of what you are going to write. In $y_i = \sum_{j \le i} a_i b_j$ every visit has a row and a column. The scan
# carries arrays for *all* rows, of which a visit changes one: `y.at[row].add(...)` is `y` with something added at `row`. Backward makes the same visits, and adds what belongs to `a` at the row, and what belongs to `b` at the column:

# %% name="visit-by-visit" tags=["worked"]
print("on the diagonal", np.asarray(seen(1, 1, 2)).tolist(), " below it", np.asarray(seen(2, 1, 2)).tolist())
a, b, y_bar = jnp.array([1.0, 2.0, 3.0]), jnp.array([10.0, 20.0, 30.0]), jnp.array([1.0, 0.5, 0.1])


@jax.jit
def products_bwd(a, b, y_bar):
    def visit(bars, at):
        row, column = at
        a_bar, b_bar = bars
        return (a_bar.at[row].add(y_bar[row] * b[column]), b_bar.at[column].add(y_bar[row] * a[row])), None

    return jax.lax.scan(visit, (jnp.zeros(3), jnp.zeros(3)), visits(3))[0]


print("by hand:", *products_bwd(a, b, y_bar))
print("by JAX: ", *jax.vjp(jax.jit(lambda a, b: a * jnp.cumsum(b)), a, b)[1](y_bar))

# %% [markdown] name="causal-turn"
# ### Your turn (hard): causal, and no tile for nothing
#
# `causal_attend(q, k, v)`: all three in tiles, `(tiles, tile, d_head)`, and so is the value. Forward carries a `Part` of all tiles, beginning with `nothing(q)`, whose `y` is as large as `q`. A visit takes out the row's part, merges it with what `attend_tile_fwd` gives,
# and puts it back by `.at[row].set(...)`. Backward carries three cotangents.
#
# Three budgets: bytes that are kept, bytes that are alive, and FLOPs: fewer than JAX takes.

# %% name="your-causal" tags=["exercise"]
from solutions.flash_attention import causal_attend_bwd, causal_attend_fwd

# %% name="check-causal" tags=["check"]
course.check(causal_attend_fwd, causal_attend_bwd)

# %% [markdown] name="derive-causal"
# <details><summary>After you solved it</summary>
#
# Nothing new is derived; all is in which tile belongs where. A visit to `(row, column)` is `attend_tile_bwd` of `q[row]`, `k[column]`, `v[column]`, of their mask, and of `y[row]` and `lse[row]`, the queries' own, with `y_bar[row]`. It gives something for the
# queries, added at `row`, and for keys and values, added at `column`. *Used more than once, add*: each row is visited `row + 1` times, each column as often as there are rows from it on.
#
# The order of visits makes no difference, forward or backward: parts may be merged in any order, sums added in any. On a machine of many processors all rows of tiles are worked out at once.
#
# And any other list of visits is another kind of attention. Only the last few tiles of each row: a sliding window. A list without those tiles that are padding: sequences of unequal length, and none of them costs more than
# it must.
# </details>

# %% [markdown] name="flops"
# ## What it costs to forget
#
# {question flash_attention.q2}

# %% name="answer-q2" tags=["question"]
course.answer("flash_attention.q2", ...)

# %% [markdown] name="measure-words"
# ## Counted and measured
#
# Now all that there is, beside one another: `jax.vjp` of plain attention, your pair of `attention`, which keeps one array of pairs, and your tiles. The left picture is what the compiler sets aside, the right one processor time on
# the machine that runs this (the median of three, one after the other in turn).


# %% name="measure"
from solutions.attention import attend_bwd, attend_fwd


def by_attention(y_bar, q, k, v):
    y, kept = attend_fwd(q, k, v, causal(len(q)))
    return y, attend_bwd(kept, y_bar)[:3]


def by_tiles(y_bar, q, k, v):
    y, kept = causal_attend_fwd(q, k, v)
    return y, causal_attend_bwd(kept, y_bar)


ways = {"jax.vjp": (plain_programs, plots.JAX)}
if course.solved(attend_fwd, attend_bwd):
    ways["attention's pair"] = ({seq: compiled(by_attention, seq, WIDTH) for seq in lengths}, plots.COLOURS[2])
if course.solved(causal_attend_fwd, causal_attend_bwd):
    in_tiles = {seq: compiled(by_tiles, seq // TILE, TILE, WIDTH) for seq in lengths}
    ways["your tiles"] = (in_tiles, plots.HAND)
runs = {seq: [jnp.asarray(rng.standard_normal((seq, WIDTH)), jnp.float32) for _ in range(4)] for seq in lengths[:3]}
times = {(way, seq): [] for way in ways for seq in runs}
for _ in range(4):  # in turn, so that whatever else the machine does meets all
    for (way, seq), taken in times.items():
        shape = (seq // TILE, TILE, WIDTH) if way == "your tiles" else (seq, WIDTH)
        given = [array.reshape(shape) for array in runs[seq]]
        begin = time.process_time()
        jax.block_until_ready(ways[way][0][seq](*given))
        taken.append(1000 * (time.process_time() - begin))
milliseconds = {place: float(np.median(taken[1:])) for place, taken in times.items()}
with plots.style():
    figure, panels = plt.subplots(1, 2, figsize=(10.5, 3.8), layout="constrained")
    for way, (programs, colour) in ways.items():
        aside = [megabytes(program) for program in programs.values()]
        slope = np.polyfit(np.log(lengths[1:]), np.log(aside[1:]), 1)[0]
        panels[0].loglog(lengths, aside, "o-", color=colour, label=f"{way}: slope {slope:.2f}", base=2)
        panels[1].loglog(list(runs), [milliseconds[way, seq] for seq in runs], "o-", color=colour, label=way, base=2)
    panels[0].set(title="set aside by the compiler", xlabel="tokens", ylabel="MB", xticks=lengths, yscale="log")
    panels[1].set(title="value and cotangents", xlabel="tokens", ylabel="ms", xticks=list(runs), yscale="log")
    for axes, ticks in zip(panels, (lengths, list(runs)), strict=True):
        axes.set_xticks(ticks, [str(tick) for tick in ticks])
    panels[0].legend()
    plt.show()
for seq in runs:
    told = (f"{way} {milliseconds[way, seq]:.2f} ms" for way in ways)
    print(f"{seq:5} tokens:", ", ".join(told))

# %% name="flops-counted"
shapes = [jax.ShapeDtypeStruct((2048, WIDTH), jnp.float32)] * 4
products = {"jax.vjp": count(by_jax, *shapes).dot_flops}
if course.solved(causal_attend_fwd, causal_attend_bwd):
    cut = [jax.ShapeDtypeStruct((2048 // TILE, TILE, WIDTH), jnp.float32)] * 4
    products["your tiles"] = count(by_tiles, *cut).dot_flops
for way, flops in products.items():
    print(f"{way:10} {flops / 1e9:.2f} GFLOP in products, {flops / products['jax.vjp']:.3f} of jax.vjp's")

# %% [markdown] name="measured-words"
# A slope of 2 in a picture with two logarithmic axes is a square; a slope of 1 is a straight proportion. That was the aim.
#
# And time? At 128 tokens there is one tile, and little to be gained: it is made twice, and a loop around it costs something. At 512 it pays a little. At 2048 an array of pairs is 17 MB, which is more than the fast memory
# next to the processor holds. Whoever writes it down and reads it again waits for the slow memory, several times in forward and backward. A tile of 128 by 128 is 65 kB, and never leaves. So making weights *again* is faster than reading
# them: **arithmetic is cheap, and memory is what one waits for**. On a graphics card the two are further apart still; there it is the whole point of the method. The rest of the gain is the visits that are not made.
#
# Where does it not pay? For short sequences. And a tile must suit the machine: change `TILE` above to 32, and the loop's own cost shows; make it very large, and tiles leave the fast memory. A sequence whose length is no multiple of
# the tile is padded at its end: causally, what comes later is not seen anyway.
#
# Would it not do to cut the queries alone, and let each tile of them look at all keys at once? It would: no merging, and memory linear in length. But then what is alive grows with length: at 100,000 tokens, 128 rows are
# 51 MB. Cut both ways, a tile is as small as you like, however long the sequence is.
#
# How far does a gigabyte reach, for one head?

# %% name="reach"
for way, (programs, _) in ways.items():
    last, before = megabytes(programs[8192]), megabytes(programs[2048])
    power = math.log(last / before) / math.log(4)
    print(f"{way:17} {8192 * (1000 / last) ** (1 / power):10,.0f} tokens")

# %% [markdown] name="layer-words"
# A layer has many heads, and a batch has many sequences. `jax.vmap` takes your pair to all of them, as in `attention`; `course.as_jax` makes it a function that `jax.grad` can go through, and whoever uses it need not know of tiles:


# %% name="layer"
def tiled(q, k, v):
    """Causal attention of all heads of all sequences, (batch, heads, seq, d_head)."""
    one_head = course.as_jax(causal_attend_fwd, causal_attend_bwd)
    parts = [array.reshape(*array.shape[:2], -1, 32, array.shape[-1]) for array in (q, k, v)]
    return jax.vmap(jax.vmap(one_head))(*parts).reshape(q.shape)


if course.solved(causal_attend_fwd, causal_attend_bwd):
    heads = [jnp.asarray(rng.standard_normal((2, 3, 96, 16)), jnp.float32) for _ in range(4)]

    @jax.jit
    def furthest_apart(q, k, v, y_bar):
        """By how much the gradients of two ways differ, relative to the size of each."""
        ways = (tiled, jax.vmap(jax.vmap(plain)))
        losses = [lambda *qkv, way=way: (way(*qkv) * y_bar).sum() for way in ways]
        both = [jax.grad(loss, argnums=(0, 1, 2))(q, k, v) for loss in losses]
        return [jnp.linalg.norm(one - other) / jnp.linalg.norm(other) for one, other in zip(*both, strict=True)]

    print("furthest apart, by float32:", *(f"{float(gap):.1e}" for gap in furthest_apart(*heads)))

# %% [markdown] name="shared"
# ## More practice: many heads, the same keys
#
# A model that writes text, token by token, must have the keys and values of all earlier tokens at hand, of each head of each layer. Many models let all heads share them: queries are each head's own, keys and values
# are there once. `multi_query(q, k, v)`: `q` is `(heads, queries, d_head)`, and `k` and `v` are in tiles, as in `attend_all`. Does it take a new pair?

# %% name="shared-by-jax"
two_heads = np.array([[[1.0, 1.0]], [[2.0, 0.0]]])
print("the same two queries as above, one a head:\n", np.asarray(jax.jit(multi_query)(two_heads, k, v)))

# %% name="your-shared" tags=["exercise"]
from solutions.flash_attention import multi_query_bwd, multi_query_fwd

# %% name="check-shared" tags=["check"]
course.check(multi_query_fwd, multi_query_bwd)

# %% [markdown] name="derive-shared"
# <details><summary>After you solved it</summary>
#
# A query does not know of which head it is. Two heads with seven queries each, at the same keys, are one head with fourteen: `q.reshape(-1, d_head)`, your pair, and `reshape` back. What all heads send to the keys is added up by the
# products over the queries, as for any other two queries.
# </details>

# %% [markdown] name="why-by-hand"
# **Why write this by hand?** You saw what a machine makes of the forward pass in tiles: it turns it round faithfully, step by step, through each merging, with all that was carried; and it is a square again. What makes backward linear is a
# *fact about softmax*: a row's `lse` and one sum tell all that a tile must know of the others. It stands in no line of the forward pass. To go back by it, somebody has to have derived it.
#
# ## In your own words
#
# {question flash_attention.text}

# %% name="answer-text" tags=["question"]
course.answer("flash_attention.text", ...)

# %% [markdown] name="name-the-mistake"
# ## Which mistake is this?
#
# Somebody's pass beside the right numbers: of all keys, or causal. Two things to look at: in a row of queries that see one key alone nothing comes back to `q`; and which tiles are right, and which are not?

# %% [markdown] name="ask-q3"
# {question flash_attention.q3}

# %% name="somebody-elses" tags=["shown"]
course.show_mistake("flash_attention.q3", draw=0)

# %% name="answer-q3" tags=["question"]
course.answer("flash_attention.q3", ...)

# %% [markdown] name="what-you-have"
# ## What you have now
#
# - A part of a row is told by `y` and `lse`; two parts merge into one, in any order.
# - `exp(scores - lse)` is a row's weights. So nothing with a number for each pair need be kept, at the price of one product more.
# - Backward has no way through the merging: each tile needs `y` and `lse` of the whole row, and nothing of the other tiles.
# - A list of visits says what is looked at: all, causal, a window. What is masked altogether is not visited.
# - Memory grows as length does, counted and measured; and for long sequences it is faster, since memory is what one waits for.
#
# ## Sources
#
# - T. Dao, D. Y. Fu, S. Ermon, A. Rudra, C. Ré, "FlashAttention: Fast and Memory-Efficient Exact Attention with IO-Awareness", 2022, arXiv:2205.14135: tiles, and weights that are made again.
# - T. Dao, "FlashAttention-2: Faster Attention with Better Parallelism and Work Partitioning", 2023, arXiv:2307.08691: `lse` alone is kept, and tiles above the diagonal are left out.
# - M. Milakov, N. Gimelshein, "Online normalizer calculation for softmax", 2018, arXiv:1805.02867: a softmax's total in one pass, with a maximum that moves.
# - M. N. Rabe, C. Staats, "Self-attention Does Not Need $O(n^2)$ Memory", 2021, arXiv:2112.05682: the same in JAX, with checkpoints for the way back.
# - N. Shazeer, "Fast Transformer Decoding: One Write-Head is All You Need", 2019, arXiv:1911.02150: heads that share their keys.
#
# Next: this is the last lesson of the course. `course progress` shows what you have written, and `course train gpt` trains a language model on it.
