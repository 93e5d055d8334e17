# %% [markdown] name="title"
# # Forward mode, and what a gradient costs without backpropagation
#
# **If I know how fast the input moves, can I know how fast the output moves, while I compute it?**
#
# Yes, and it takes no tape, no list of residuals and no way back: every number carries its speed along. This is *forward mode*.
# You have met it in every verdict so far, as one of the "three independent checks". Here you write it yourself. Then you find out
# when it is the better way, and what is right about a sentence that one reads: that without backpropagation a gradient would cost 500
# million times as much.

# %% name="imports"
import itertools
import math
import time

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np

from course.comparison.counting import count
from course.exercises.forward_mode import BATCH, LAYERS, method_multiples
from course.lessons.forward_mode import Dual, deep_loss, hand, hand_jvp, logsumexp, matmul, network_loss, quotient
from course.lessons.linear_and_activations import tanh
from course.lessons.losses import half_squared_error
from course.lessons.two_layer_network import BatchNetwork
from course.show import plots

jax.config.update("jax_enable_x64", True)  # 16 digits instead of 7
np.set_printoptions(precision=4, suppress=True)

# %% [markdown] name="speed-text"
# ## Speeds
#
# `x` is 3 now, and grows by 2 a second: its speed is `x_dot = 2`. How fast does `y = x**2` grow? Wait a moment, and look how
# far it went:

# %% name="speed"
x, x_dot = 3.0, 2.0
for seconds in (0.1, 0.01, 0.001):
    moved = (x + x_dot * seconds) ** 2 - x**2
    print(f"after {seconds:5} s: y moved by {moved:.6f}, that is {moved / seconds:.4f} a second")

# %% [markdown] name="eps-text"
# On paper, `(3 + 2 * s)**2 = 9 + 12 * s + 4 * s**2`. The 12 is the speed of `y`, and what spoils the measured numbers is the term with
# `s**2`. So leave it out! Write `eps` for a moment so short that `eps * eps` is nothing (the `eps` of
# `numerical_gradients` was another thing):
#
#     (3 + 2 * eps)**2 = 9 + 12 * eps
#
# A number of this kind, a value and a speed, is a **dual number**. The speed is called its **tangent**, and **`anything_dot` is the tangent
# of that thing.** Compare: `x_bar` says how fast the loss moves when `x` does, `x_dot` how fast `x` itself moves.
#
# Each operation has a rule for dual numbers. Here are those of the sum and of the sine, whose slope is the cosine:


# %% name="dual-worked" tags=["worked"]
def dual_add(a, b):
    return Dual(a.value + b.value, a.tangent + b.tangent)


def dual_sin(a):
    return Dual(math.sin(a.value), math.cos(a.value) * a.tangent)


x = Dual(3.0, 2.0)
print("sin(x) + x:", dual_add(dual_sin(x), x))
print("by JAX:    ", Dual(*map(float, jax.jvp(lambda x: jnp.sin(x) + x, (3.0,), (2.0,)))))

# %% [markdown] name="jvp-text"
# `jax.jvp(f, primals, tangents)` is JAX's forward mode: it returns the value and its tangent. The primals are where the inputs are, the
# tangents how fast they move. JVP stands for *Jacobian-vector product*; you will see why.
#
# ### Your turn: the product
#
# What is `(a + a_dot * eps) * (b + b_dot * eps)`, if `eps * eps` is nothing? A `Dual` has a `value` and a `tangent`.

# %% name="your-dual-multiply" tags=["exercise"]
from solutions.forward_mode import dual_multiply

# %% name="check-dual-multiply" tags=["check"]
course.check(dual_multiply)

# %% [markdown] name="derive-dual-multiply"
# <details><summary>After you solved it: four terms, of which three are left</summary>
#
#     (a + a_dot * eps) * (b + b_dot * eps) = a * b + (a_dot * b + a * b_dot) * eps + a_dot * b_dot * eps * eps
#
# The last is nothing. So the value is `a.value * b.value`, and the tangent `a.tangent * b.value + a.value * b.tangent`: the product rule
# of school. Nobody had to know it; it follows from multiplying out.
# </details>

# %% [markdown] name="moving-text"
# ### Whole programs
#
# Teach `+` and `*` to a class of numbers, and each program that adds and multiplies computes its own derivative, loops and all. This
# one is the *logistic map*, a population of animals from year to year. `rate` decides how fast they breed:


# %% name="moving" tags=["worked"]
class Moving:
    """A number that knows how fast it moves."""

    def __init__(self, value, tangent=0.0):
        self.dual = Dual(value, tangent)

    def __add__(self, other):
        return Moving(*dual_add(self.dual, as_moving(other).dual))

    def __mul__(self, other):
        return Moving(*dual_multiply(self.dual, as_moving(other).dual))

    __radd__, __rmul__ = __add__, __mul__


def as_moving(number):
    return number if isinstance(number, Moving) else Moving(number)


def population(rate, years=6):
    now = 0.3
    for _ in range(years):
        now = rate * now * (1 + -1 * now)  # 1 - now, in the two operations that were taught
    return now


print("numbers:     ", population(3.2))
if course.solved(dual_multiply):
    print("dual numbers:", population(Moving(3.2, 1.0)).dual)
else:
    print("dual numbers: run this cell again when dual_multiply is right")
print("by JAX:      ", Dual(*map(float, jax.jvp(population, (3.2,), (1.0,)))))

# %% [markdown] name="ask-q1"
# The program was not changed; only the numbers that went in were. And nothing was kept: when a year is over, its numbers are forgotten.
#
# {question forward_mode.q1}

# %% name="answer-q1" tags=["question"]
course.answer("forward_mode.q1", ...)

# %% [markdown] name="rules-text"
# ## Rules for arrays
#
# For arrays, the same contract, written as a **rule**:
#
#     rule(primals, tangents) -> (y, y_dot)
#
# Both are tuples with one entry for each argument, even if there is only one. It is what `jax.custom_jvp` takes. There are no
# residuals: `y_dot` is made at the same time as `y`, so all that it needs is at hand. Here is the rule of `exp`, which is its own slope:


# %% name="exp-worked" tags=["worked"]
def exp_jvp(primals, tangents):
    (x,), (x_dot,) = primals, tangents
    y = jnp.exp(x)
    return y, y * x_dot


x, x_dot = jnp.array([-1.0, 0.0, 1.0]), jnp.array([10.0, 1.0, -1.0])
print("by hand:", *exp_jvp((x,), (x_dot,)))
print("by JAX: ", *jax.jvp(jnp.exp, (x,), (x_dot,)))

# %% [markdown] name="tanh-text"
# ### Your turn: tanh
#
# `tanh(x)` is given. You know its slope: you found it for `tanh_bwd`. This is what JAX says at the same `x`:

# %% name="tanh-by-jax"
print("y, y_dot:", *jax.jvp(tanh, (x,), (x_dot,)))

# %% name="your-tanh" tags=["exercise"]
from solutions.forward_mode import tanh_jvp

# %% name="check-tanh" tags=["check"]
course.check(tanh_jvp)

# %% [markdown] name="derive-tanh"
# <details><summary>After you solved it: the same slope, the other way round</summary>
#
# `tanh_bwd` returned `y_bar * (1 - y**2)`, and this is `(1 - y**2) * x_dot`. For a function that works entry by entry the two directions
# do the same thing. The pair had to save `y` in between; here it need not be saved.
# </details>

# %% [markdown] name="third-text"
# A rule is itself a program, made of operations that have rules. So it can be pushed forward too, which gives the second derivative, and
# again, which gives the third. JAX's documentation prints the first three of tanh at 2: 0.070650816, -0.13621868, 0.25265405, good
# to seven digits.

# %% name="third-order"
if course.solved(tanh_jvp):
    by_my_rule = jax.custom_jvp(tanh)
    by_my_rule.defjvp(tanh_jvp)
    f = by_my_rule
    for order in (1, 2, 3):
        f = (lambda inner: lambda x: jax.jvp(inner, (x,), (1.0,))[1])(f)
        print(f"derivative {order} of tanh at 2, by your rule alone: {f(2.0):.8f}")
else:
    print("run this cell again when tanh_jvp is right")

# %% [markdown] name="matmul-text"
# ### Your turn: a matrix product
#
# A neighbour first. Every row of `x` gets a factor of its own, `y = scale * x`, with `scale` of shape `(batch, 1)`. If `scale` stood still,
# `y` would move at `scale * x_dot`; if `x` did, at `scale_dot * x`. Both move:


# %% name="scaled-worked" tags=["worked"]
def scaled_jvp(primals, tangents):
    (scale, x), (scale_dot, x_dot) = primals, tangents
    return scale * x, scale_dot * x + scale * x_dot


rng = np.random.default_rng(0)
scale, rows = rng.standard_normal((2, 1)), rng.standard_normal((2, 3))
scale_dot, rows_dot = rng.standard_normal((2, 1)), rng.standard_normal((2, 3))
print("by hand:\n", scaled_jvp((scale, rows), (scale_dot, rows_dot))[1])
print("by JAX:\n", jax.jvp(jnp.multiply, (scale, rows), (scale_dot, rows_dot))[1])

# %% [markdown] name="matmul-turn"
# No sum over copies, and no transpose: going forward, a broadcast stays a broadcast. Now `matmul(a, b)`, which is `a @ b`, with both on the move. (The `cost` in this verdict is a
# point of its own, for a rule that takes hardly more multiplications and additions than JAX's.) JAX says:

# %% name="matmul-by-jax"
a, b, a_dot, b_dot = (rng.integers(-3, 4, (2, 2)).astype(float) for _ in range(4))
print("a\n", a, "\nb\n", b, "\na_dot\n", a_dot, "\nb_dot\n", b_dot)
print("y_dot by JAX\n", jax.jvp(matmul, (a, b), (a_dot, b_dot))[1])

# %% name="your-matmul" tags=["exercise"]
from solutions.forward_mode import matmul_jvp

# %% name="check-matmul" tags=["check"]
course.check(matmul_jvp)

# %% [markdown] name="derive-matmul"
# <details><summary>After you solved it: the product rule again</summary>
#
# An entry is `y[n, j] = sum_i a[n, i] * b[i, j]`, a sum of products of numbers. Each moves at `a_dot[n, i] * b[i, j] + a[n, i] * b_dot[i, j]`. Add up
# over `i`: `a_dot @ b + a @ b_dot`. One product became three, with the one for `y` itself. Two are more if both move, one more if only one
# of them does.
# </details>

# %% [markdown] name="table-text"
# ### A table of rules is all there is
#
# With a rule for each operation, forward mode is a loop: go through the program line by line, and after each value make its tangent.
# `jax.make_jaxpr` gives a program as a list of steps. Here is a forward mode of our own, for what has a rule in the table:


# %% name="table" tags=["worked"]
RULES = {
    "add": lambda y, values, dots: dots[0] + dots[1],
    "sub": lambda y, values, dots: dots[0] - dots[1],
    "mul": lambda y, values, dots: dots[0] * values[1] + values[0] * dots[1],
    "neg": lambda y, values, dots: -dots[0],
    "sin": lambda y, values, dots: jnp.cos(values[0]) * dots[0],
    "exp": lambda y, values, dots: y * dots[0],
}


def push_through(f, primals, tangents):
    program = jax.make_jaxpr(f)(*primals).jaxpr
    known = dict(zip(program.invars, zip(primals, tangents, strict=True), strict=True))
    for step in program.eqns:
        # A constant stands still: its tangent is 0.
        inputs = [(v.val, 0.0) if hasattr(v, "val") else known[v] for v in step.invars]
        values, dots = zip(*inputs, strict=True)
        y = step.primitive.bind(*values, **step.params)
        known[step.outvars[0]] = y, RULES[step.primitive.name](y, values, dots)
        print(f"  {step.primitive.name:4} y = {y:8.4f}   y_dot = {known[step.outvars[0]][1]:8.4f}")
    return known[program.outvars[0]]


def wave(x, t):
    return jnp.exp(-x) * jnp.sin(x * t + 2.0)


push_through(wave, (0.5, 3.0), (1.0, 0.0))
print("by JAX:", *jax.jvp(wave, (0.5, 3.0), (1.0, 0.0)))

# %% [markdown] name="network-text"
# ## Your turn (hard): a network, from your own rules
#
#     z1 = x @ w1 + b1      a1 = tanh(z1)      prediction = a1 @ w2 + b2
#     loss = sum((prediction - target)**2) / 2 / batch
#
# `network_jvp` takes `(params, x, target)` and a tangent for each. The tangent of `params` has the same form as `params`: `params_dot.w1` and so on.
# Everything may move, `x` and `target` as well. For the value of the loss itself, `half_squared_error(prediction, target)` is there. A verdict calls what you
# return `y` and `y_dot`, as in every rule.


# %% name="network-inputs"
def network_like(seed):
    """Parameters, inputs and targets, or tangents of these."""
    normal = np.random.default_rng(seed).standard_normal
    d_in, hidden, d_out, batch = 4, 6, 2, 5
    params = BatchNetwork(normal((d_in, hidden)), normal(hidden), normal((hidden, d_out)), normal(d_out))
    return jax.tree.map(jnp.asarray, (params, normal((batch, d_in)), normal((batch, d_out))))


primals, tangents = network_like(0), network_like(1)
params, x, target = primals
hidden = tanh(x @ params.w1 + params.b1)
print("the loss:                 ", half_squared_error(hidden @ params.w2 + params.b2, target))
print("JAX says (loss, loss_dot):", *jax.jvp(network_loss, primals, tangents))

# %% name="your-network" tags=["exercise"]
from solutions.forward_mode import network_jvp

# %% name="check-network" tags=["check"]
course.check(network_jvp)

# %% [markdown] name="derive-network"
# <details><summary>After you solved it: forward, twice</summary>
#
# Each line of the forward pass has a twin. `matmul_jvp` takes `(x, w1)` and their tangents, and gives `z1` and `z1_dot`; biases add to both.
# `tanh_jvp` takes these on. In the second product `a1` moves because of what came before, and `w2` by itself. Of a halved square,
# `0.5 * error**2`, the tangent is `error * error_dot`; then sum, and divide by the batch.
#
# Nothing was saved. When `z1` and `z1_dot` have been used, they can be forgotten: the memory does not grow with the depth.
# </details>

# %% [markdown] name="identity-text"
# ## The identity behind every verdict
#
# So there are two ways through the same network. Forward takes `x_dot`, a motion of all inputs, and gives **one number**, how fast the loss moves. Backward
# takes `loss_bar` and gives the cotangents of all inputs. If both are right, they must agree: each input moves the loss by its `x_bar` times its
# `x_dot`, and these add up.
#
#     <y_bar, y_dot> = <x_bar, x_dot>            < , > multiplies entry by entry, and adds up
#
# (Written with the Jacobian `J`, both are `y_bar @ J @ x_dot`: backward multiplies from the left, forward from the right.)


# %% name="identity"
def inner(left, right):
    """The sum over all arrays of the products of their entries."""
    return sum(float(jnp.vdot(a, b)) for a, b in zip(jax.tree.leaves(left), jax.tree.leaves(right), strict=True))


loss_bar = 1.7
primals_bar = jax.vjp(network_loss, *primals)[1](jnp.asarray(loss_bar))
pushed = network_jvp if course.solved(network_jvp) else lambda x, x_dot: jax.jvp(network_loss, x, x_dot)
whose = "by your rule" if course.solved(network_jvp) else "by jax.jvp"
print(f"{whose:14} <y_bar, y_dot> = {loss_bar * pushed(primals, tangents)[1]:.12f}")
print(f"{'by jax.vjp':14} <x_bar, x_dot> = {inner(primals_bar, tangents):.12f}")

# %% [markdown] name="identity-use"
# With this line every `bwd` of yours was tested in every verdict: with a random motion on one side and a random cotangent on the other, an
# error anywhere in the backward pass moves the right-hand side and not the left. From this lesson on, verdicts show it to you:
# open "Arrays and checks" under one of them.

# %% [markdown] name="arm-text"
# ## A Jacobian, column by column
#
# An arm has three joints and segments of length 1. `hand(angles)` says where its end is. Turn the first joint at speed 1 and let the
# others stand: `hand_jvp`, the arm's rule, says how fast the hand moves, and where to. That is a **column of the Jacobian**. In the
# picture it is an arrow.

# %% name="arm"
angles = jnp.array([0.5, 0.9, -0.7])
for joint in range(3):
    y, y_dot = hand_jvp(angles, jnp.zeros(3).at[joint].set(1.0))
    print(f"joint {joint + 1} turns: the hand, at {y}, moves at {y_dot}")


# %% name="draw-arm"
def arm_points(angles):
    directions = np.cumsum(angles)
    steps = np.stack([np.cos(directions), np.sin(directions)])
    return np.hstack([np.zeros((2, 1)), np.cumsum(steps, axis=1)])


with plots.style():
    figure, axes = plt.subplots(figsize=(7, 4.2), layout="constrained")
    joints = arm_points(angles)
    axes.plot(*joints, color=plots.INK, linewidth=6, solid_capstyle="round")
    for joint in range(3):
        colour = plots.COLOURS[joint]
        y, y_dot = hand_jvp(angles, jnp.zeros(3).at[joint].set(1.0))
        axes.annotate("", y + 0.5 * y_dot, y, arrowprops={"arrowstyle": "-|>", "color": colour, "linewidth": 2.5})
        label = f"joint {joint + 1} turns: column {joint + 1}"
        axes.plot(*joints[:, joint], "o", color=colour, markersize=13, label=label)
        for turn in (0.15, 0.3):
            moved = arm_points(np.asarray(angles) + turn * np.eye(3)[joint])
            axes.plot(*moved, color=colour, alpha=0.25, linewidth=2)
    axes.set(aspect="equal", xlim=(-0.4, 2.4), ylim=(-0.2, 3.2), xlabel="x", ylabel="y")
    axes.set_title("where the hand goes when one joint turns")
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    plt.show()

# %% [markdown] name="arm-read"
# Each arrow is at a right angle to the line from its joint to the hand, and as long as that line: turning is like that. (Drawn at half their length.)
#
# ### Your turn: the whole Jacobian
#
# `jacobian(push, x)` gets a function `push(x, x_dot)` that returns `(y, y_dot)`, such as `hand_jvp`, and a vector `x`. Column `j` is the tangent
# of the outputs when input `j` alone moves, at speed 1. This is all that `jax.jacfwd` does:

# %% name="arm-by-jax"
print("jax.jacfwd(hand):\n", jax.jacfwd(hand)(angles))

# %% name="your-jacobian" tags=["exercise"]
from solutions.forward_mode import jacobian

# %% name="check-jacobian" tags=["check"]
course.check(jacobian)

# %% [markdown] name="derive-jacobian"
# <details><summary>After you solved it: a product with the identity</summary>
#
# `push(x, x_dot)[1]` is `J @ x_dot`, a *Jacobian-vector product*. With the first row of the identity matrix for `x_dot`, it is the first column of `J`, and so
# on: `jnp.stack([push(x, x_dot)[1] for x_dot in jnp.eye(len(x))], axis=1)`. There is one call for each input, however many outputs there are.
# </details>

# %% [markdown] name="when-text"
# ## When does forward mode win?
#
# A pass forward gives a **column** of the Jacobian: one input, all outputs. A pass backward gives a **row**: one output, all inputs. So for `n` inputs and
# `m` outputs it is `n` passes against `m`. Count it: a function of two layers, from 1 to 1024 inputs and outputs, by `jax.jacfwd` and by `jax.jacrev`.
# Nothing is executed. The FLOPs are counted on the programs.

# %% name="count-when"
sizes = [1, 4, 16, 64, 256, 1024]


def layers_of(n, m, hidden=32):
    first, second = jnp.ones((n, hidden), jnp.float32), jnp.ones((hidden, m), jnp.float32)
    return lambda x: jnp.tanh(x @ first) @ second


def flops(n, m):
    x, f = jax.ShapeDtypeStruct((n,), jnp.float32), layers_of(n, m)
    return count(jax.jacfwd(f), x).flops, count(jax.jacrev(f), x).flops


counted = {(n, m): flops(n, m) for n, m in itertools.product(sizes, sizes)}
ratios = np.array([[counted[n, m][1] / counted[n, m][0] for n in sizes] for m in sizes])
for n, m in ((1, 1024), (64, 64), (1024, 1)):
    print(f"{n:5} in, {m:5} out: forward {counted[n, m][0]:12,} FLOPs, backward {counted[n, m][1]:12,}")


# %% name="draw-when"
def times(ratio):
    """A ratio in few characters: 16 or 1/16."""
    return f"{ratio:.{0 if ratio >= 9.5 else 1}f}" if ratio >= 1 else f"1/{times(1 / ratio)}"


with plots.style():
    figure, axes = plt.subplots(figsize=(6.4, 4.6), layout="constrained")
    shown = axes.imshow(np.log10(ratios), cmap="PuOr_r", vmin=-2.6, vmax=2.6, origin="lower")
    for row, column in itertools.product(range(len(sizes)), repeat=2):
        ratio = ratios[row, column]
        colour = "black" if abs(np.log10(ratio)) < 1.6 else "white"
        axes.text(column, row, times(ratio), ha="center", va="center", color=colour, fontsize=9)
    axes.set_xticks(range(len(sizes)), sizes)
    axes.set_yticks(range(len(sizes)), sizes)
    axes.set(xlabel="inputs", ylabel="outputs", title="FLOPs of jacrev over those of jacfwd")
    axes.grid(visible=False)
    bar = figure.colorbar(shown, ticks=[-2, 0, 2])
    bar.ax.set_yticklabels(["backward wins\nby 100", "the same", "forward wins\nby 100"])
    plt.show()

# %% [markdown] name="ask-q2"
# The bottom right corner is where networks are trained: a great many inputs, and one output, the loss. In the top left, few inputs and many outputs, forward
# mode wins by still more.
#
# {question forward_mode.q2}

# %% name="answer-q2" tags=["question"]
course.answer("forward_mode.q2", ...)

# %% [markdown] name="two-modes-answer"
# <details><summary>As you would answer it in an interview: forward mode against reverse mode</summary>
#
# "Both are the chain rule, exact to rounding; they differ in where they begin to multiply. Forward mode carries a tangent along with each value,
# from the inputs on: one pass gives the derivative of **all outputs in one direction** of the inputs, a column of the Jacobian, or J times a vector.
# Reverse mode runs the program first, keeps what its derivatives need, and then carries a cotangent back from the outputs: one pass gives the derivative of
# **one combination of outputs by all inputs**, a row, or a vector times J. Either pass costs a small multiple of the program.
#
# So for n inputs and m outputs a whole Jacobian takes n forward passes or m backward ones. A loss has m = 1 and millions of inputs: reverse mode,
# which is why training means backpropagation. Few inputs and many outputs, or a derivative in one direction only: forward mode. The table of
# second derivatives (the Hessian) times a vector takes one of each, forward over reverse.
#
# Memory is the other difference. Reverse mode keeps residuals in proportion to the length of the program, and must know that length;
# forward mode keeps next to nothing, and goes through a `while` loop. And the two check each other: y_bar . (J x_dot) is (y_bar J) . x_dot."
# </details>

# %% [markdown] name="memory-text"
# FLOPs are not all. Backward has to keep what forward made, and has to know how often a loop ran. Forward mode does not: it goes through a `while` loop of
# any length, and JAX's backward mode refuses:


# %% name="while-loop"
def halvings(x):
    """Halves x until it is below 1."""
    return jax.lax.while_loop(lambda now: now > 1.0, lambda now: now / 2, x)


print("forward: ", *jax.jvp(halvings, (100.0,), (1.0,)))
try:
    print("backward:", jax.grad(halvings)(100.0))
except ValueError as error:
    print("backward:", str(error).split(". ")[0])

# %% [markdown] name="claim-text"
# ## A claim, examined
#
# One reads this about large networks:
#
# > Without backpropagation, 1 billion parameters need about 2 billion forward passes for one gradient; with it, one forward pass and one backward
# > pass: a 500-million-fold speed-up.
#
# What is right about it? First on paper, with `n` parameters, in units of one forward pass:
#
# | method | forward passes | why |
# |---|---|---|
# | one-sided differences | `n + 1` | one where we stand, one for each nudged parameter |
# | central differences | `2 * n` | each parameter nudged up and down |
# | forward mode, one direction after the other | about `3 * n` | each pass carries value and tangent: three products for one |
# | forward mode, `jax.jacfwd` | about `2 * n` | the values are the same for all directions: computed once |
# | backward mode | about 3 | forward once, and two products for each of forward's |
#
# So "2 billion" are central differences; one-sided ones take half. "1 + 1" is too few: a backward pass is two forward passes of work. And the arithmetic does
# not fit: two billion over 1 + 1 would be a billion, not 500 million.

# %% [markdown] name="measure-text"
# ### Counted over six decades
#
# A network of ten layers of equal width, no biases, a batch of 8: `deep_loss`. It has `10 * width**2` parameters. The FLOPs of value and gradient, by every method:

# %% name="count-claim"
widths = [1, 3, 10, 32, 100, 316]
single = method_multiples(1, layers=1)  # one layer of one number: n = 1
rows = [(1, single), *((LAYERS * width**2, method_multiples(width)) for width in widths)]
print("parameters   backward   one direction    jacfwd: all   central: all   central / backward")
for n, found in rows:
    print(
        f"{n:10,} {found['vjp']:10.3f} {found['jvp']:15.3f} {found['jacfwd']:14,.1f} {found['central']:14,.1f}"
        f" {found['central'] / found['vjp']:20,.1f}"
    )

# %% [markdown] name="read-count"
# All in forward passes. Central differences: `2 * n`, to many digits. Backward, and one direction forward: from 1.6 up to nearly 3, and then it stays. In small
# networks the tanh counts for much; in large ones only the matrix products do. Of these there are 10 forward and 19 backward, since nobody asks for the
# cotangent of `x`: with `L` layers, `3 - 1 / L` in all.
#
# ### Carried on to a billion
#
# A straight line through such points on logarithmic axes is the usual way to carry them on. It has to be tested: fit it to the networks of up to 1,000 parameters,
# and let it foretell the largest one. And beside it the law from paper, `2 * n / (3 - 1 / L)`.

# %% name="extrapolate"
parameters = np.array([n for n, _ in rows], float)
ratio = np.array([found["central"] / found["vjp"] for _, found in rows])


def line_through(n, ratio):
    slope, offset = np.polyfit(np.log(n), np.log(ratio), 1)
    return lambda at: np.exp(offset + slope * np.log(at)), slope


def law(n):
    return 2 * n / (3 - 1 / LAYERS)


small = parameters <= 1000
foretold, slope = line_through(parameters[small], ratio[small])
print(f"line through n <= 1,000, slope {slope:.4f}")
print(f"  at n = {parameters[-1]:,.0f}: foretold {foretold(parameters[-1]):,.0f}, counted {ratio[-1]:,.0f},")
off = [at(parameters[-1]) / ratio[-1] - 1 for at in (foretold, law)]
print(f"  off by {off[0]:+.0%}; the law is off by {off[1]:+.1%}")
everything, slope = line_through(parameters, ratio)
billion = 1e9
largest = rows[-1][1]["vjp"]
print(f"line through all, slope {slope:.4f}: {everything(billion) / 1e6:,.0f} million at a billion")
print(f"the law: {law(billion) / 1e6:,.0f} million at a billion. Its error: backward is between {largest:.2f} and 3,")
print(f"  which makes it {2 * billion / 3 / 1e6:,.0f} to {2 * billion / largest / 1e6:,.0f} million")

# %% [markdown] name="read-extrapolation"
# The line misses: it takes the slow change among small networks for a law, and its error grows with each decade. What is known of the cause
# carries further than what fits. The law's error is stated by what may still change: backward costs at least what it costs at the largest
# network here, and no more than 3.
#
# Counting executes nothing, so for once we can look. Ten layers of width 10,000 are a billion parameters:

# %% name="look"
found = method_multiples(10_000)
print(f"counted: backward takes {found['vjp']:.4f} forward passes, central differences {found['central']:,.1f}")
print(f"that is {found['central'] / found['vjp'] / 1e6:,.1f} million times as many")

# %% name="draw-claim"
with plots.style():
    figure, (axes, beside) = plt.subplots(1, 2, figsize=(11, 4), layout="constrained", width_ratios=(3, 2))
    far = np.geomspace(1, billion, 50)
    axes.semilogx(far, law(far) / far, color=plots.HAND, label="the law, 2 / (3 - 1 / L)")
    axes.semilogx(
        far, everything(far) / far, color=plots.INK, linestyle=":", label="a line through the points, carried on"
    )
    axes.semilogx(parameters, ratio / parameters, "o", color=plots.HAND, label="counted")
    axes.semilogx(billion, found["central"] / found["vjp"] / billion, "o", color=plots.HAND)
    axes.semilogx(billion, 0.5, "x", color=plots.COLOURS[3], markersize=10, markeredgewidth=2.5, label="the claim")
    axes.set(xlabel="parameters", title="central differences over backward, for each parameter", ylim=(0, 1.4))
    axes.legend()
    for method, label, colour in (
        ("jvp", "one direction forward", plots.COLOURS[2]),
        ("vjp", "whole gradient backward", plots.JAX),
    ):
        beside.semilogx(parameters, [found[method] for _, found in rows], "o-", color=colour, label=label)
    beside.axhline(3, color=plots.INK, linestyle=":")
    beside.set(xlabel="parameters", ylabel="forward passes", title="what stays, whatever the size", ylim=(0, 3.3))
    beside.legend(loc="lower right")
    plt.show()

# %% [markdown] name="time-text"
# FLOPs are not seconds. A machine runs many directions at once, waits for memory, has overheads. For a picture, and not for a verdict, the time on this machine,
# right now:


# %% name="time"
def seconds(f, *args, runs=7):
    """The shortest of several runs, after one that compiles."""
    run = jax.jit(f)
    jax.block_until_ready(run(*args))
    found = []
    for _ in range(runs):
        began = time.perf_counter()
        jax.block_until_ready(run(*args))
        found.append(time.perf_counter() - began)
    return min(found)


images = jnp.ones((BATCH, 32))
for width in (3, 10, 16):
    ws = [jnp.asarray(rng.standard_normal((width, width))) for _ in range(LAYERS)]
    x = images[:, :width]
    backward = seconds(jax.grad(deep_loss), ws, x)
    forward = seconds(jax.jacfwd(deep_loss), ws, x)
    print(
        f"{LAYERS * width**2:6,} parameters: backward {1e3 * backward:7.3f} ms, jacfwd {1e3 * forward:9.3f} ms, "
        f"{forward / backward:8,.1f} times as long"
    )

# %% [markdown] name="methods-text"
# ### So what holds?
#
# All methods at a billion, in what each takes beside backpropagation:

# %% name="methods"
methods = {
    "one-sided differences": billion + 1,
    "central differences": found["central"],
    "forward mode, jax.jacfwd": found["jacfwd"],
    "forward mode, one after the other": billion * found["jvp"],
    "backward mode": found["vjp"],
}
print("ten layers, a billion parameters          forward passes      times backward")
for method, passes in methods.items():
    print(f"{method:35} {passes:20,.1f} {passes / found['vjp']:19,.0f}")

# %% [markdown] name="verdict-on-claim"
# - **The order of magnitude holds**, and so does what matters: the ratio grows like `n`. For large networks there is no way around backpropagation.
# - **"2 billion forward passes" holds** for central differences. One-sided ones take half as many.
# - **"1 + 1" does not hold**: it is nearly 3, forward included.
# - **"500 million" is the number of no method here**, although it lies amid them. It is one-sided differences over 1 + 1, beside a two billion that is not theirs.
#
# And the claim leaves out what else would be lost: differences are not exact, while forward mode is.
#
# {question forward_mode.q3}

# %% name="answer-q3" tags=["question"]
course.answer("forward_mode.q3", ...)

# %% [markdown] name="practice-text"
# ## More practice
#
# Two rules more. A division, `quotient(top, bottom)`, of which both move. There is a way without remembering the rule of school: `y * bottom` is `top`, all the time.

# %% name="quotient-by-jax"
print("y, y_dot:", *jax.jvp(quotient, (6.0, 2.0), (1.0, 0.5)))

# %% name="your-quotient" tags=["exercise"]
from solutions.forward_mode import quotient_jvp

# %% name="check-quotient" tags=["check"]
course.check(quotient_jvp)

# %% [markdown] name="logsumexp-text"
# And `logsumexp(logits)`, row by row: the log of the sum of exponentials, which must stay finite for logits of 10,000. Three functions, one in another: a
# tangent goes through one after the other. What comes out is an average of the tangents. With which weights?

# %% name="logsumexp-by-jax"
logits, logits_dot = jnp.array([[0.0, 1.0, 2.0], [10.0, -10.0, 0.0]]), jnp.array([[1.0, 0.0, 0.0], [3.0, 50.0, 50.0]])
print("y, y_dot:", *jax.jvp(logsumexp, (logits,), (logits_dot,)))

# %% name="your-logsumexp" tags=["exercise"]
from solutions.forward_mode import logsumexp_jvp

# %% name="check-logsumexp" tags=["check"]
course.check(logsumexp_jvp)

# %% [markdown] name="derive-practice"
# <details><summary>After you solved them</summary>
#
# Division: `y * bottom = top`, so `y_dot * bottom + y * bottom_dot = top_dot`; solve for `y_dot`.
#
# logsumexp: with `total = sum(exp(logits))`, the tangent of `total` is `sum(exp(logits) * logits_dot)`, and that of its log is this over `total`. The weights are
# `exp(logits) / total`, the softmax; written as `exp(logits - y)` they never overflow.
# </details>

# %% [markdown] name="in-your-own-words"
# ## In your own words
#
# {question forward_mode.text}

# %% name="answer-text" tags=["question"]
course.answer("forward_mode.text", ...)

# %% [markdown] name="which-mistake"
# ## Which mistake is this?
#
# Somebody else wrote one of this lesson's tangent rules. Where a rule has several arguments, one array moves at a time, so that you see by
# which way it goes wrong:

# %% [markdown] name="ask-q4"
# {question forward_mode.q4}

# %% name="somebody-elses" tags=["shown"]
course.show_mistake("forward_mode.q4", draw=0)

# %% name="answer-q4" tags=["question"]
course.answer("forward_mode.q4", ...)

# %% [markdown] name="what-you-have"
# ## What you have now
#
# - A tangent is carried along with each value: how fast it moves. A rule gives both, and nothing need be kept.
# - A pass forward is a column of the Jacobian, a pass backward a row: forward for few inputs, backward for few outputs.
# - `<x_bar, x_dot> = <y_bar, y_dot>`: the two directions check each other, without any step.
# - For a loss of a billion parameters there is no way around backward mode; a claim's numbers deserve to be counted.
#
# ## Sources
#
# - R. E. Wengert, "A simple automatic derivative evaluation program", Communications of the ACM 7(8), 1964: forward mode, as a table of rules.
# - A. Griewank, A. Walther, "Evaluating Derivatives", 2nd edition, SIAM, 2008, chapters 3 and 4: both modes, and what they cost.
# - JAX documentation, "Automatic differentiation": `jax.jvp`, `jax.jacfwd`, and the derivatives of tanh at 2.
#
# Next: `cost_of_backprop`, where the price of a backward pass is counted, in FLOPs and in memory.
