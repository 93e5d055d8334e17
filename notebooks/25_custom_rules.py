# %% [markdown] name="title"
# # Rules of your own: when a derivative is worth writing
#
# **JAX differentiates whatever you write, exactly and at a small multiple of the price. Why would anybody still write a backward pass by hand?**
#
# For four reasons, and you meet each of them here. The derivative that JAX finds may be *no number* where the right one is harmless. It may be *right and useless*: the slope of
# a staircase is zero. It may be *dear*: arrays kept that nobody needs. Or you want something to come back that is *no derivative of anything*. In each case you give JAX a rule
# of your own, and the rest of the program is differentiated as before.
#
# There is a fifth case, the most frequent by far: nothing is gained, and you leave it to JAX. At the end you count which case is which.

# %% name="imports"
import math

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np

from course.comparison.counting import count
from course.comparison.residuals import residual_bytes, vjp_residual_bytes
from course.lessons.custom_rules import (
    LEVELS,
    clip_gradient_fwd,
    fake_quantize,
    log1pexp,
    projected_cross_entropy,
    pulled_back,
    sign_bwd,
    sign_fwd,
)
from course.lessons.losses import softmax_cross_entropy
from course.show import plots

np.set_printoptions(precision=4, suppress=True)

# %% [markdown] name="no-number"
# ## A slope that is no number
#
# $$y = \log(1 + e^x)$$
#
# is a smooth corner: near 0 far to the left, near `x` far to the right, and its slope goes from 0 to 1. It is in losses, in activations, in every model that must make a positive
# number of any. Typed as it stands, in float32:


# %% name="naive"
def naive(x):
    return jnp.log(1 + jnp.exp(x))


@jax.jit
def with_slope_of_naive(x):
    return naive(x), jax.vmap(jax.grad(naive))(x)


x = np.float32([-100, -20, 0, 20, 88, 89, 100])
for row in zip(x, *with_slope_of_naive(x), strict=True):
    print("x = {:6.0f}   y = {:<12.6g} slope = {:.6g}".format(*row))

# %% [markdown] name="why-no-number"
# At 89, `exp(x)` is too large for float32 and becomes infinite. Then `y` is infinite. And the slope, by the chain rule, is `exp(x) / (1 + exp(x))`: infinity by infinity, *not a
# number*. One such number in a batch, and after the next update all parameters are NaN. Just before, at 88, it is worse in a way: the slope is 0, a number like any other, and
# wrong. There `1 / (1 + exp(x))` is too small for an ordinary float32, and counts as 0.
#
# So people pull the large part out: `max(x, 0) + log(1 + exp(-abs(x)))` is the same function, and no `exp` in it can overflow. Its slope?


# %% name="by-parts"
def by_parts(x):
    return jnp.maximum(x, 0) + jnp.log1p(jnp.exp(-jnp.abs(x)))


slope_of_parts = jax.jit(jax.vmap(jax.grad(by_parts)))
x = np.float32([-100, -0.001, 0, 0.001, 20, 89, 100])
for row in zip(x, jax.jit(by_parts)(x), slope_of_parts(x), strict=True):
    print("x = {:8.3f}   y = {:<12.6g} slope = {:.6g}".format(*row))

# %% [markdown] name="wrong-at-zero"
# Every value is right now, and every slope but one: at 0 it is 0 where 0.5 is right. The function has no corner there, but two of its *parts* have: `max(x, 0)` and `abs(x)`. At
# a corner JAX must choose a slope (half of one for `max`, 1 for `abs`), and the two choices don't fit together. No rewriting helps as long as the parts have corners. And exactly
# 0 is no rare number: biases start there, and padding is made of it.

# %% name="draw-slopes"
right_x, near_x = np.linspace(80, 96, 129, dtype=np.float32), np.linspace(-0.5, 0.5, 41, dtype=np.float32)
naive_slopes = np.asarray(with_slope_of_naive(right_x)[1])
with plots.style():
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 3.2), layout="constrained")
    left.plot(right_x, naive_slopes, color=plots.JAX, linewidth=3)
    left.axvspan(right_x[~np.isfinite(naive_slopes)][0], right_x[-1], color=plots.JAX, alpha=0.15)
    left.text(89.2, 0.5, "not a number")
    left.set(title="log(1 + exp(x)): JAX's slope, float32", xlabel="x", ylim=(0, 1.2))
    right.plot(near_x, 1 / (1 + np.exp(-near_x)), color=plots.INK, linewidth=1, label="the true slope")
    right.plot(near_x, slope_of_parts(near_x), ".", color=plots.JAX, label="JAX's, of the parts")
    right.annotate("at exactly 0", (0, 0), (0.1, 0.1), arrowprops={"arrowstyle": "->", "color": plots.INK})
    right.set(title="max(x, 0) + log(1 + exp(-|x|))", xlabel="x", ylim=(-0.05, 0.8))
    right.legend(loc="upper left")
    plt.show()

# %% [markdown] name="neighbour"
# The way out is to *say* the slope, since you know it. A neighbour, to see how: `log(cosh(x))`, another smooth corner, a soft absolute value. The slope of `cosh` is `sinh`, so
# the chain rule gives `sinh(x) / cosh(x)`, again infinity by infinity. But on paper that fraction has a name, `tanh(x)`, which is finite everywhere. A tangent rule says both:
# the value, and how fast it moves. `jax.custom_jvp` makes a function that can carry one, and `defjvp` hands it over:


# %% name="log-cosh" tags=["worked"]
@jax.custom_jvp
def log_cosh(x):
    return jnp.abs(x) + jnp.log1p(jnp.exp(-2 * jnp.abs(x))) - jnp.log(2.0)


def log_cosh_jvp(primals, tangents):
    (x,), (x_dot,) = primals, tangents
    return log_cosh(x), jnp.tanh(x) * x_dot


log_cosh.defjvp(log_cosh_jvp)

x = np.float32([-100, -1, 0, 1, 100])
print("slopes, forward mode:", jax.jvp(log_cosh, (x,), (np.ones_like(x),))[1])
print("slopes, reverse mode:", jax.vjp(log_cosh, x)[1](np.ones_like(x))[0])
print("the naive function:  ", jax.jvp(lambda x: jnp.log(jnp.cosh(x)), (x,), (np.ones_like(x),))[1])

# %% [markdown] name="log1pexp-turn"
# One rule serves both directions: it is linear in `x_dot`, and JAX reads it backwards, as it reads all of its own rules.
#
# ### Your turn: log1pexp
#
# Write the tangent rule of `log1pexp(x)`. The course's function gives the value. For the slope, do on paper what was done for `cosh`: the chain rule, then a form of the fraction
# that is finite everywhere.

# %% name="your-log1pexp" tags=["exercise"]
from solutions.custom_rules import log1pexp_jvp

# %% name="check-log1pexp" tags=["check"]
course.check(log1pexp_jvp)

# %% [markdown] name="derive-log1pexp"
# <details><summary>After you solved it: the derivation</summary>
#
# `exp(x) / (1 + exp(x))`; divide above and below by `exp(x)`: `1 / (1 + exp(-x))`, the sigmoid. For a large negative `x` its `exp` still overflows, but to 1 / infinity, which is
# 0, as it should be. `jax.nn.sigmoid` takes care of its own derivatives, too. So `y_dot` is `jax.nn.sigmoid(x) * x_dot`. `jnp.logaddexp(x, 0)`, which the course's function
# calls, carries such a rule inside JAX, and so do `jax.nn.relu`, `jnp.sinc`, `jax.scipy.special.xlogy` and dozens more: libraries are full of rules that people wrote.
# </details>

# %% name="use-log1pexp"
if course.solved(log1pexp_jvp):
    mine = jax.custom_jvp(log1pexp)
    mine.defjvp(log1pexp_jvp)
    x = np.float32([-1e4, -100, 0, 89, 1e4])
    print("x:      ", x)
    print("slopes: ", np.asarray(jax.vjp(mine, x)[1](np.ones_like(x))[0]))

# %% [markdown] name="too-late"
# ## A `where` that comes too late
#
# Sometimes no rule is needed, only care. Take `sin(x) / x`, which is 1 at 0 on paper and 0 / 0 in a program. So one writes a `where`:


# %% name="sinc"
def one_where(x):
    return jnp.where(x == 0, 1.0, jnp.sin(x) / x)


@jax.jit
def with_slopes(x):
    return one_where(x), jax.vmap(jax.grad(one_where))(x)


y, slopes = with_slopes(np.float32([0, 0.5, 1]))
print("y:     ", np.asarray(y))
print("slopes:", np.asarray(slopes))

# %% [markdown] name="why-too-late"
# The value is right. The slope at 0, which should be 0, is no number. Follow the cotangent back: `where` sends 0 to the branch that was not taken. That 0 comes to the division
# by `x`, whose slope is infinite at 0. And
#
# $$0 \cdot \infty = \text{not a number}$$
#
# The branch was not *taken*, but it was *computed*, and backward goes through it. What helps is that nothing dangerous is computed at all: **a second `where`, inside**, hands
# the branch a harmless number.


# %% name="two-wheres" tags=["worked"]
def two_wheres(x):
    is_zero = x == 0
    safe = jnp.where(is_zero, 1.0, x)  # any number but 0: what comes of it is thrown away
    return jnp.where(is_zero, 1.0, jnp.sin(safe) / safe)


print("slopes:", np.asarray(jax.jit(jax.vmap(jax.grad(two_wheres)))(np.float32([0, 0.5, 1]))))

# %% [markdown] name="lengths-turn"
# ### Your turn: lengths
#
# The length of each row, $\sqrt{x_0^2 + x_1^2 + \dots}$, is the commonest place of this trap: the slope of a root is infinite at 0. At a row of zeros the length has a corner,
# like the tip of a cone; a flat 0 is the slope that one wants there. Write `lengths(x)` in plain `jnp`, without any rule, such that JAX's own derivative is finite: `x` has shape
# `(batch, d)`, what is returned `(batch,)`, and some rows are zeros. Numbers so tiny that their squares are 0 need no care.

# %% name="your-lengths" tags=["exercise"]
from solutions.custom_rules import lengths

# %% name="check-lengths" tags=["check"]
course.check(lengths)

# %% [markdown] name="derive-lengths"
# <details><summary>After you solved it</summary>
#
# `squares == 0` marks the rows; 1 stands under their root, and 0 in the place of that root. Adding a little, `jnp.sqrt(squares + 1e-12)`, keeps the slope finite too, but then a
# row of zeros has the length 1e-6, and short rows are too long.
# </details>

# %% name="use-lengths"
if course.solved(lengths):
    x = np.float32([[3, 4], [0, 0]])
    print("y, x_bar:", *map(np.asarray, pulled_back(lengths, x, np.ones(2, np.float32))), sep="\n")

# %% [markdown] name="install-words"
# ## A pair becomes JAX's derivative
#
# For backward passes there is `jax.custom_vjp`. All pairs that you have written in this course have the form that it asks for. Three functions are needed: the value, for when
# nobody differentiates; `fwd`, which gives the value and what is to be kept; `bwd`. Again `log_cosh`:


# %% name="log-cosh-pair" tags=["worked"]
@jax.custom_vjp
def log_cosh_again(x):
    return log_cosh(x)


def log_cosh_fwd(x):
    return log_cosh(x), x


def log_cosh_bwd(x, y_bar):
    return (jnp.tanh(x) * y_bar,)


log_cosh_again.defvjp(log_cosh_fwd, log_cosh_bwd)
print("value", float(log_cosh_again(2.0)), "  slope", float(jax.grad(log_cosh_again)(2.0)))

# %% [markdown] name="install-turn"
# From then on `jax.grad` of anything that calls `log_cosh_again` runs your two functions there, under `jit` and `vmap` as well. JAX believes you: it checks the shapes of what
# `bwd` returns, and nothing else. (Forward mode is lost: of a pair alone, JAX can't make a tangent rule. If you can, give a `custom_jvp`.)
#
# ### Your turn: install
#
# Write `install(fwd, bwd)`, once and for all pairs: it returns a function of any number of arguments with the value of `fwd` and the derivative of `bwd`. It is judged with pairs
# that are *no* true derivatives, so that one sees whose derivative comes out: `sign_fwd` and `sign_bwd` of the course, for example. A sign is flat on both sides; this pair hands
# `y_bar` on where `x` lies between -1 and 1.

# %% name="your-install" tags=["exercise"]
from solutions.custom_rules import install

# %% name="check-install" tags=["check"]
course.check(install)

# %% [markdown] name="derive-install"
# <details><summary>After you solved it</summary>
#
# The value is `fwd(*primals)[0]`; what would be kept is thrown away, and under `jit` never computed. `installed.defvjp(fwd, bwd)` does the rest. The course has such a function,
# too, `course.as_jax(fwd, bwd)`, which besides brings looser forms of return to the strict one that JAX wants. Use yours from now on.
#
# A setting that is no array, such as the number of steps or a name, is declared: `jax.custom_vjp(f, nondiff_argnums=(0,))`. Then `bwd` gets it first, `bwd(steps, residuals,
# y_bar)`, and returns nothing for it.
# </details>

# %% name="use-install"
if course.solved(install):
    x = np.float32([-2, -0.5, 0.3, 4])
    sign = install(sign_fwd, sign_bwd)
    print("value:                     ", np.asarray(sign(x)))
    print("what comes back by the pair:", np.asarray(jax.vjp(sign, x)[1](np.ones(4, np.float32))[0]))
    print("and by JAX:                 ", np.asarray(jax.vjp(jnp.sign, x)[1](np.ones(4, np.float32))[0]))
    print()
    print("What the judge says of the rule that log_cosh carries:", course.compare_rule(log_cosh, x).headline)
    print("And of that of sign:", course.compare_rule(sign, x).headline)

# %% [markdown] name="judge-any"
# `course.compare_rule(f, *primals)` judges the rule that *any* function carries, yours or a library's, against the derivative of the plain function under it. (`primals0` is the
# first of your `*primals`.) Of `sign` it is right to complain: the rule is no derivative of it. That it is wanted all the same, nobody can know but you. More of this below.
#
# ## A loss over 32,000 classes
#
# Now a rule for the sake of memory. The last step of a language model: logits for 256 tokens, 32,000 classes each, and the softmax cross-entropy of `losses`. What does JAX keep
# for the way back? It depends on how the loss is spelled. The first of these two is what most people write:


# %% name="two-spellings"
def by_log_softmax(logits, labels):
    logs = jax.nn.log_softmax(logits)
    return -jnp.mean(jnp.take_along_axis(logs, labels[:, None], axis=-1))


logits_shape = jax.ShapeDtypeStruct((256, 32_000), jnp.float32)
labels_shape = jax.ShapeDtypeStruct((256,), jnp.int32)
print(f"logits                       {256 * 32_000 * 4:>12,} bytes, an argument")
for loss in (by_log_softmax, softmax_cross_entropy):
    print(f"kept: {loss.__name__:22} {vjp_residual_bytes(loss, logits_shape, labels_shape):>12,} bytes")

# %% [markdown] name="fused-words"
# Each keeps a table as large as the logits, beside them. Is there anything in it that the logits don't say? With
#
#     largest = the largest logit of a row          total = the sum of exp(logit - largest) over the row
#
# the loss of a row is `largest + log(total)` less the label's logit, and every probability can be made again from the logits and these *two numbers a row*. Only `exp` is
# computed twice. Or isn't it? That depends on your words. If backward says `exp(logits - largest)` just as forward did, and both are in one compiled program, the compiler sees
# the same term twice and computes it once.
#
# A neighbour first, with the same shape of reasoning. The mean of squares of a row, `m = mean(x**2)`, and `y = log(m)`. What comes back to `x`: `y_bar / m * 2 * x / d`. Keep
# `m`, one number a row; not `x**2`, which `x` says already.
#
# ### Your turn: fused_cross_entropy
#
# Without `logsumexp` and `softmax`, in terms of `largest` and `total`. Use `keepdims=True`. What you keep may be two numbers a row, beside the arguments, which are free.

# %% name="your-fused" tags=["exercise"]
from solutions.custom_rules import fused_cross_entropy_bwd, fused_cross_entropy_fwd

# %% name="check-fused" tags=["check"]
course.check(fused_cross_entropy_fwd, fused_cross_entropy_bwd)

# %% [markdown] name="derive-fused"
# <details><summary>After you solved it: the derivation</summary>
#
# The slope of `largest + log(total)` by a logit is `exp(logit - largest) / total`, its probability. (That `largest` is one of the logits makes no difference: moved up, it takes
# away from `total` what it adds in front.) The label's own logit has a slope of -1 besides. And the mean divides all by the number of rows:
#
#     probabilities = jnp.exp(logits - largest) / total
#     logits_bar = loss_bar / len(labels) * (probabilities - is_chosen)
#
# `is_chosen` is a comparison, `jnp.arange(classes) == labels[:, None]`, which costs no memory: compiled, it is done on the fly where it is needed.
# </details>

# %% [markdown] name="compiled-words"
# What becomes of it? The three, loss and gradient in one program, compiled for this machine but not run. `exps` says how many times `exp` of the whole table is in the compiled
# program, and `temporary` what it needs beside arguments and results:


# %% name="compiled"
def compiled(step):
    program = jax.jit(step).lower(logits_shape, labels_shape).compile()
    return program.as_text().count("exponential("), program.memory_analysis().temp_size_in_bytes


def by_pair(fwd, bwd):
    """Loss and gradient by hand, as one function."""

    def step(logits, labels):
        loss, residuals = fwd(logits, labels)
        return loss, bwd(residuals, jnp.ones_like(loss))[0]

    return step


rows = {
    "JAX, by_log_softmax": (by_log_softmax, None),
    "JAX, softmax_cross_entropy": (softmax_cross_entropy, None),
}
if course.solved(fused_cross_entropy_fwd, fused_cross_entropy_bwd):
    rows["your pair"] = (fused_cross_entropy_fwd, fused_cross_entropy_bwd)
print(f"{'':28} {'kept, bytes':>12} {'exps':>5} {'temporary, bytes':>17}")
for name, (function, bwd) in rows.items():
    kept = (vjp_residual_bytes if bwd is None else residual_bytes)(function, logits_shape, labels_shape)
    exps, temporary = compiled(jax.value_and_grad(function) if bwd is None else by_pair(function, bwd))
    print(f"{name:28} {kept:>12,} {exps:>5} {temporary:>17,}")

# %% [markdown] name="read-compiled"
# Read the last column twice. The spelling by `log_softmax` needs a table or two beside the logits, and it is slow: on the machine where this was written, it took between one and
# a half times and three and a half times as long as your pair, by the version of JAX. But JAX's derivative of `logsumexp`, *compiled together with its forward pass*, needs next
# to nothing, like yours, and takes the same time to within one part in twenty: the compiler finds the shared `exp` there, too. So the gain is first of all one of *spelling*.
# What your pair adds is that it keeps two numbers a row *whatever stands between* forward and backward: other layers, a scan, a program that is compiled apart. There the first
# column counts. Words matter for pairs, too: that of `losses`, whose forward says `logsumexp` and whose backward says `softmax`, computes `exp` twice, and takes one and a half
# times to twice as long.
#
# Where is the floor? On that machine, one thread, a plain copy of the table, 65 MB read and written, takes 7 ms, and a copy of its exponentials 8 to 13; your pair takes 17 to
# 31. What is compiled walks over the table three times: for the largest, for the exponentials and their total, for the division; 164 MB are read and written in all, and that is
# what takes the time. If rows were worked through in blocks that stay in the cache, 65 MB would do. This was tried, with 1 to 32 rows a block, and gained nothing that could be
# told from noise.
#
# ## Right and useless: a staircase
#
# Networks are shrunk by rounding their weights to a few bits. Three bits tell seven numbers apart: -3, -2, ... 3 times a `step`. What is beyond is cut off at the edges. But a
# staircase is flat, and its true derivative is zero nearly everywhere: nothing could learn *through* it. So one wants a derivative that is not true: on the way back, round is
# treated as if it were not there. **Straight through**, people say. In plain JAX that takes one line:


# %% name="straight-through" tags=["worked"]
def straight_through_sign(x):
    return x + jax.lax.stop_gradient(jnp.sign(x) - x)


x = np.float32([-1.5, -0.2, 0.7])
y, pullback = jax.vjp(jax.jit(straight_through_sign), x)
print("y    ", y)
print("x_bar", pullback(np.float32([1, 2, 3]))[0])

# %% [markdown] name="read-straight-through"
# The value is `x + (sign(x) - x)`, which is the sign. For the derivative, what is in `stop_gradient` is a constant, and only the first `x` is left. The course's
# `fake_quantize(x, step)` does so with round. Here it is, with the derivative by `x` that comes back, and that by `step`, so that the step, too, can be learned:

# %% name="draw-staircase"
grid_x, one_step = np.linspace(-4.5, 4.5, 721, dtype=np.float32)[:, None], np.float32(1.0)


@jax.jit
def slopes_on_grid(x, step):
    y = fake_quantize(x, step)
    x_slopes = jax.vjp(lambda x: fake_quantize(x, step), x)[1](jnp.ones_like(x))[0]
    return y, x_slopes, jax.jvp(lambda step: fake_quantize(x, step), (step,), (jnp.ones_like(step),))[1]


with plots.style():
    figure, panels = plt.subplots(1, 3, figsize=(12, 3), layout="constrained")
    titles = ("y: seven numbers", "slope by x: true, and passed on", "slope by step")
    for axes, curve, title in zip(panels, slopes_on_grid(grid_x, one_step), titles, strict=True):
        axes.plot(grid_x, curve, color=plots.HAND, label="straight through")
        axes.axvspan(-LEVELS, LEVELS, color=plots.INK, alpha=0.08)
        axes.set(title=title, xlabel="x / step")
    panels[1].plot(grid_x, 0 * grid_x, color=plots.JAX, label="of the stairs")
    panels[1].legend(loc="upper right")
    panels[1].set(ylim=(-0.2, 1.6))
    plt.show()

# %% [markdown] name="quantize-turn"
# ### Your turn: fake_quantize, backward
#
# $$y = \mathtt{step} \cdot \mathrm{round}(x / \mathtt{step}) \quad \text{where } |x| \le \mathtt{LEVELS} \cdot \mathtt{step}, \qquad\qquad y = \mathtt{step} \cdot (\pm \mathtt{LEVELS}) \quad \text{elsewhere}$$
#
# Derive both cases by both arguments; where round is met, walk straight through. The grey band is the first case. For the slope by `step` remember that it stands in two places
# there. Nothing but the arguments need be kept. One thing about the verdict: central differences, the third of its checks, see the stairs and not the rule. So they can't agree
# with anybody here; a note in the verdict's table says how far they are from JAX itself, and `jax.vjp` and `jax.jvp` of the course's function decide.

# %% name="your-quantize" tags=["exercise"]
from solutions.custom_rules import fake_quantize_bwd, fake_quantize_fwd

# %% name="check-quantize" tags=["check"]
course.check(fake_quantize_fwd, fake_quantize_bwd)

# %% [markdown] name="derive-quantize"
# <details><summary>After you solved it: the derivation</summary>
#
# Within the grid, `y = step * r` with `r = round(x / step)`. By `x`: `step * 1 / step`, which is 1. By `step`: `r` for the one in front, and `step * (-x / step**2)`, which is
# `-x / step`, for the one below. Together `round(x / step) - x / step`: the rounding error, in steps; that is the saw in the third panel. Beyond the edges `x` has no say, and
# `step` has the factor `LEVELS`, with a sign. All numbers of `y` share one step: their parts are added.
# </details>

# %% [markdown] name="three-bits-words"
# Does it learn? A layer of 16 x 8 weights must imitate another one, from 64 examples, in three ways: with its weights as they are; with three bits, by the true derivative of the
# stairs; with three bits, by your pair, of which `install` has made a function. What descent moves are always the full weights; they are rounded anew at each step, so that small
# changes add up until a weight climbs a stair. Dashed: what is left if the *right* weights are rounded, at the best step.


# %% name="three-bits"
rng = np.random.default_rng(0)
x, w_right, w_start = (np.float32(rng.standard_normal(shape)) for shape in ((64, 16), (16, 8), (16, 8)))


@jax.jit
def best_by_rounding():
    steps = jnp.linspace(0.3, 1.2, 91)
    return jax.vmap(lambda step: jnp.mean((x @ (fake_quantize(w_right, step) - w_right)) ** 2))(steps).min()


def three_runs(by_hand):
    """Losses of the three ways along 400 steps of descent, on the weights and on the step of their grid."""
    ways = (lambda w, step: w, lambda w, step: jax.lax.stop_gradient(fake_quantize(w, step)), by_hand)

    def run(way):
        def loss_of(params):
            return jnp.mean((x @ (jax.lax.switch(way, ways, *params) - w_right)) ** 2)

        def descend(params, _):
            loss, (w_bar, step_bar) = jax.value_and_grad(loss_of)(params)
            return (params[0] - 0.03 * w_bar, params[1] - 0.01 * step_bar), loss

        return jax.lax.scan(descend, (0.3 * w_start, jnp.float32(0.8)), length=400)[1]

    return jax.jit(jax.vmap(run))(np.arange(3))


if course.solved(install) and course.solved(fake_quantize_fwd, fake_quantize_bwd):
    named = ("weights as they are", "three bits, the true derivative", "three bits, straight through")
    runs = three_runs(install(fake_quantize_fwd, fake_quantize_bwd))
    with plots.style():
        figure, axes = plt.subplots(figsize=(8, 3.2), layout="constrained")
        for name, losses, colour in zip(named, runs, plots.COLOURS[2::-1], strict=True):
            axes.semilogy(losses, color=colour, label=f"{name}: {losses[-1]:.2g} at the end")
        axes.axhline(best_by_rounding(), color=plots.INK, linestyle="--", linewidth=1)
        axes.set(title="loss", xlabel="step", ylim=(0.05, 50))
        axes.legend(fontsize=8, loc="lower left")
        plt.show()

# %% [markdown] name="read-three-bits"
# By the true derivative nothing moves at all. Straight through, the loss falls to about what the grid allows; it never comes quite to rest, since a weight whose right value lies
# between two stairs goes up and down between them. Why should a wrong derivative lead there? It is right about the *direction* in which a weight should go, and says nothing of
# how far the next stair is. That is no proof. It is used everywhere, since it works.
#
# ## What is no derivative of anything
#
# A last kind of rule. In a deep or recurrent network one wants to hold the *cotangent* short at some place, so that one bad example spoils nothing further down. Forward does
# nothing: `y = x`. Backward shortens each row of `y_bar` to a limit. No function has such a derivative: a derivative is linear in its cotangent, twice as much in gives twice as
# much out, and here it does not. A neighbour of the same kind turns the sign round: forward nothing, backward `-y_bar`; with it, a network *un*learns to tell where its data came
# from. Watch the judge's answer to a limit on each *number*:


# %% name="limited" tags=["worked"]
def limited_fwd(x):
    return x, None


def limited_bwd(_, y_bar):
    return (jnp.clip(y_bar, -1, 1),)


found = course.compare(lambda x: x * 1, limited_fwd, limited_bwd, np.ones((2, 3)))
print(found.headline)
for remark in found.remarks:
    print(" ", remark.text)

# %% [markdown] name="clip-turn"
# It is right. So what you write now is judged by another measure: not as a derivative, but as the function of `y_bar` that it is.
#
# ### Your turn: clip_gradient, backward
#
# `clip_gradient_fwd(x, limit)` of the course gives `x`, and keeps the limit. Write `clip_gradient_bwd(limit, y_bar)`: rows of `y_bar` that are longer than `limit` are shortened
# to it, in their own direction; all others stay, rows of zeros among them. It returns two cotangents, for `x` and for `limit`, which gets a zero.

# %% name="your-clip" tags=["exercise"]
from solutions.custom_rules import clip_gradient_bwd

# %% name="check-clip" tags=["check"]
course.check(clip_gradient_bwd)

# %% [markdown] name="derive-clip"
# <details><summary>After you solved it</summary>
#
# The factor is `limit / length` where a row is too long, and 1 elsewhere. Below the limit, `limit / length` is above 1, so the smaller of the two is right everywhere:
# `jnp.minimum(1, limit / length)`. A row of zeros gives limit / 0, which is infinite in JAX, and 1 is smaller. (Nobody differentiates this function once more. If somebody did, a
# second `where` would be needed.)
# </details>

# %% [markdown] name="clip-use-words"
# In use: a state that is multiplied by 1.5 at each of 30 steps. What comes back grows by the same factor, 30 times; with the clip in each step it doesn't:

# %% name="use-clip"
if course.solved(install) and course.solved(clip_gradient_bwd):
    clip = install(clip_gradient_fwd, clip_gradient_bwd)

    def grown(h, limit):
        return jax.lax.scan(lambda h, _: (1.5 * clip(h, limit), None), h, length=30)[0]

    start, handed = np.ones((1, 2), np.float32), np.float32([[0.3, 0.4]])
    pull = jax.jit(lambda limit: jax.vjp(grown, start, limit)[1](handed)[0])
    for limit in (1.0, np.inf):
        print(f"limit {limit:3}: a cotangent of length {jnp.linalg.norm(pull(np.float32(limit))):.3g} comes back")

# %% [markdown] name="pays-words"
# ## When does it pay?
#
# Now count. Four functions, each with JAX's derivative and with a pair by hand: a dense layer with `tanh`; a chain of simple functions; the loss of above; and a *solver*, which
# repeats `x = tanh(w @ x + b)` 50 times. Its pair knows something that the program does not say: at the end, `x = tanh(w @ x + b)` holds. Move `b` a little, and `x` must move so
# that it still holds: `x_dot = slope * (w @ x_dot + b_dot)`, with the slope of `tanh` at the end. That is a linear equation, and backward solves its transpose, again by 50
# repetitions, keeping nothing:


# %% name="four-pairs" tags=["worked"]
def dense(x, w, b):
    return jnp.tanh(x @ w + b)


def dense_fwd(x, w, b):
    y = dense(x, w, b)
    return y, (x, w, y)


def dense_bwd(kept, y_bar):
    x, w, y = kept
    z_bar = y_bar * (1 - y**2)
    return z_bar @ w.T, x.T @ z_bar, z_bar.sum(axis=0)


def chain(x):
    return jnp.sum(jnp.sin(x) * jnp.exp(-x))


def chain_fwd(x):
    return chain(x), x


def chain_bwd(x, y_bar):
    return (y_bar * jnp.exp(-x) * (jnp.cos(x) - jnp.sin(x)),)


def settle(w, b):
    return jax.lax.scan(lambda x, _: (jnp.tanh(w @ x + b), None), jnp.zeros_like(b), length=50)[0]


def settle_fwd(w, b):
    x = settle(w, b)
    return x, (w, x)


def settle_bwd(kept, x_bar):
    w, x = kept
    slope = 1 - x**2
    start = slope * x_bar
    b_bar = jax.lax.scan(lambda u, _: (slope * (x_bar + w.T @ u), None), start, length=50)[0]
    return jnp.outer(b_bar, x), b_bar


random = np.random.default_rng(0)
w_drawn, b_drawn = 0.05 * random.standard_normal((64, 64)), random.standard_normal(64)
print(course.compare(settle, settle_fwd, settle_bwd, w_drawn, b_drawn).headline)

# %% [markdown] name="count-words"
# For each the FLOPs of value and gradient, by hand over by JAX, and the bytes kept beside the arguments. All is counted, nothing timed, so that it is the same on your machine:


# %% name="count-them"
def shape(*axes):
    return jax.ShapeDtypeStruct(axes, jnp.float32)


def flops_by_jax(primal, *primals):
    y = jax.eval_shape(primal, *primals)
    moving = [i for i, leaf in enumerate(primals) if jnp.issubdtype(leaf.dtype, jnp.floating)]

    def both(y_bar, *primals):
        def of_moving(*moved):
            return primal(*[moved[moving.index(i)] if i in moving else leaf for i, leaf in enumerate(primals)])

        y, pullback = jax.vjp(of_moving, *[primals[i] for i in moving])
        return y, pullback(y_bar)

    return count(both, y, *primals).flops


def flops_by_hand(fwd, bwd, *primals):
    def both(y_bar, *primals):
        y, kept = fwd(*primals)
        return y, bwd(kept, y_bar)

    return count(both, jax.eval_shape(lambda *p: fwd(*p)[0], *primals), *primals).flops


table = {
    "dense layer, 512 rows": (dense, dense_fwd, dense_bwd, (shape(512, 256), shape(256, 256), shape(256))),
    "chain, a million numbers": (chain, chain_fwd, chain_bwd, (shape(1_000_000),)),
    "solver, 50 steps": (settle, settle_fwd, settle_bwd, (shape(64, 64), shape(64))),
}
if course.solved(fused_cross_entropy_fwd, fused_cross_entropy_bwd):
    pair = (fused_cross_entropy_fwd, fused_cross_entropy_bwd)
    table["loss, 32,000 classes"] = (by_log_softmax, *pair, (logits_shape, labels_shape))
print(f"{'':26} {'FLOPs, hand / JAX':>18} {'kept by hand':>14} {'kept by JAX':>13}")
counted = {}
for name, (primal, fwd, bwd, primals) in table.items():
    ratio = flops_by_hand(fwd, bwd, *primals) / flops_by_jax(primal, *primals)
    counted[name] = (residual_bytes(fwd, *primals), vjp_residual_bytes(primal, *primals))
    print(f"{name:26} {ratio:18.2f} {counted[name][0]:14,} {counted[name][1]:13,}")

# %% [markdown] name="read-count"
# - **The dense layer: next to nothing.** Its FLOPs are products, which backward needs whoever writes it. JAX keeps the slope of `tanh` beside its value, a small array.
# - **The chain: little that lasts.** JAX keeps three arrays, the pair none, for which it computes `sin` and `exp` again: more FLOPs, as counted. But under one `jit` the compiler
#   melts forward and backward into a single loop, where nothing is kept and nothing computed twice, whoever wrote it.
# - **The loss: memory.** Two numbers a row, and no spelling that costs a multiple of the time. That `exp` is counted twice says little, since compiled it is there once.
# - **The solver: both, and it grows with the steps.** JAX keeps something of every step. On the machine where this was written, a pair like this one took 0.59 of the time of JAX's,
#   and 0.13 MB in the place of 5.1.
#
# The same picture holds for larger things, measured while this course was made, by hand over by JAX, compiled, one thread: a network of dense layers 1.0; layer norm 0.82; a
# recurrent network 0.6, since the weights' cotangent is one product after the loop and not a sum within it; an update of a table of 50,000 rows of which 256 were looked up 0.02,
# since the gradient is never made as a table. **It pays where you know what the program does not say: that a formula is shorter, that a sum can wait, that most of an array is
# zero, that an equation holds.** Where there is nothing to know, it does not pay.
#
# And it has a price. A rule must be tested. It goes stale silently when the function is changed and the rule is not. A `custom_vjp` has no forward mode. So measure first.
#
# {question custom_rules.q1}

# %% name="answer-q1" tags=["question"]
course.answer("custom_rules.q1", ...)

# %% [markdown] name="ask-q2"
# ## More practice: which of the two rules?
#
# {question custom_rules.q2}

# %% name="answer-q2" tags=["question"]
course.answer("custom_rules.q2", ...)

# %% [markdown] name="try-q2"
# Once you have answered, see for yourself, with `log_cosh_again`, which carries a `custom_vjp`. Its second derivative is `1 - tanh(x)**2`.

# %% name="second-derivative"
x, v = np.float32([0.5, 1.0]), np.float32([1.0, 0.0])
grad_of_sum = jax.grad(lambda x: log_cosh_again(x).sum())
print("forward over reverse:", jax.jvp(grad_of_sum, (x,), (v,))[1], " right:", (1 - np.tanh(x) ** 2) * v)
try:
    jax.jvp(log_cosh_again, (x,), (v,))
except TypeError as refusal:
    print("forward alone:", str(refusal).partition(".")[0])

# %% [markdown] name="projected-words"
# ## More practice: logits that are never all there
#
# The logits themselves are the largest array of a small language model: here 33 MB, for 256 tokens only. They are a product, `h @ w`. Must they ever all be there?
#
# The loss is *one* number, and so is its cotangent: whatever comes back is what would come back for a `loss_bar` of 1, times `loss_bar`. So forward can do the backward pass at
# once, a few rows at a time: logits of 32 rows, their loss, their `logits_bar`, the part of `h_bar` and the part of `w_bar`; then these logits are forgotten. What is kept are
# the cotangents themselves, and backward multiplies. A neighbour: for `y = sum(sin(x))` forward keeps `cos(x)`, and backward is `y_bar * kept`.
#
# Write this pair for `projected_cross_entropy(h, w, labels)`, of your fused pair and one `jax.lax.scan`. The number of rows of a part must divide the batch: `math.gcd(batch,
# 32)` does. The verdict sees numbers, FLOPs and what is kept; whether all logits were there at once is told by the cell below it.

# %% name="your-projected" tags=["exercise"]
from solutions.custom_rules import projected_cross_entropy_bwd, projected_cross_entropy_fwd

# %% name="check-projected" tags=["check"]
course.check(projected_cross_entropy_fwd, projected_cross_entropy_bwd)

# %% [markdown] name="derive-projected"
# <details><summary>After you solved it</summary>
#
# Each part's mean is over its own rows; its share of the whole is `rows / batch`, and that is handed to your fused pair as `loss_bar`. `w_bar` is carried along and added to,
# `h_bar` is laid side by side by the scan. The FLOPs of the products are those of JAX: three, and none is done twice. On the machine where this was written it took as long as JAX's, to within
# a sixth.
# </details>

# %% name="projected-bytes"
head = (shape(256, 64), shape(64, 32_000), labels_shape)


def temporary_of(step):
    return jax.jit(step).lower(*head).compile().memory_analysis().temp_size_in_bytes


if course.solved(projected_cross_entropy_fwd, projected_cross_entropy_bwd):

    def by_parts_of_rows(h, w, labels):
        loss, kept = projected_cross_entropy_fwd(h, w, labels)
        return loss, projected_cross_entropy_bwd(kept, jnp.ones_like(loss))[:2]

    print(f"parts of {math.gcd(256, 32)} rows")
    print(f"temporary, by JAX : {temporary_of(jax.value_and_grad(projected_cross_entropy, (0, 1))):>12,} bytes")
    print(f"temporary, by hand: {temporary_of(by_parts_of_rows):>12,} bytes")

# %% [markdown] name="own-words"
# ## In your own words
#
# {question custom_rules.text}

# %% name="answer-text" tags=["question"]
course.answer("custom_rules.text", ...)

# %% [markdown] name="name-the-mistake"
# ## Which mistake is this?
#
# Somebody's `fake_quantize_bwd`, or somebody's clipped cotangent, beside the right numbers. For the first, `step` is 0.75: which numbers of `x` fit on a grid that ends at 2.25?
# For the second, the limit is 1: how long are the rows, before and after?

# %% [markdown] name="ask-q3"
# {question custom_rules.q3}

# %% name="somebody-elses" tags=["shown"]
course.show_mistake("custom_rules.q3", draw=0)

# %% name="answer-q3" tags=["question"]
course.answer("custom_rules.q3", ...)

# %% [markdown] name="what-you-have"
# ## What you have now
#
# - A rule where JAX's slope is no number, or is wrong at a corner that only the parts have: `custom_jvp`, which serves both directions.
# - A second `where`, inside: what is not taken is computed all the same, and backward goes through it.
# - `install`, which makes a pair the derivative of a function: `custom_vjp`. JAX checks shapes and believes the rest; `course.compare_rule` doesn't.
# - A loss over 32,000 classes that keeps two numbers a row, and says in backward what it said in forward, so that a compiler computes it once.
# - Rules that are no derivatives, straight through a staircase and clipped, which are judged by what they should do.
# - A count, before you write a backward pass: FLOPs, bytes kept, and what you know that the program does not say.
#
# ## Sources
#
# - The JAX documentation, "Custom derivative rules for JAX-transformable Python functions": `custom_jvp`, `custom_vjp`, `nondiff_argnums`, and a fixed point by its equation.
# - M. Mächler, "Accurately Computing log(1 - exp(-|a|))", 2012, vignette of the R package Rmpfr: log(1 + exp(x)) in four pieces.
# - Y. Bengio, N. Leonard, A. Courville, "Estimating or Propagating Gradients Through Stochastic Neurons for Conditional Computation", 2013, arXiv:1308.3432: straight through.
# - S. K. Esser and others, "Learned Step Size Quantization", 2020, arXiv:1902.08153: the step's own derivative.
# - Y. Ganin, V. Lempitsky, "Unsupervised Domain Adaptation by Backpropagation", 2015, arXiv:1409.7495: a sign turned round on the way back.
# - E. Wijmans and others, "Cut Your Losses in Large-Vocabulary Language Models", 2024, arXiv:2411.09009, and P.-L. Hsu and others, "Liger Kernel", 2024, arXiv:2410.10989: losses
#   whose logits are never all there.
#
# Next: `checkpointing`, where saving is traded for computing again, on purpose and by the byte.
