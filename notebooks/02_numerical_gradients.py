# %% [markdown] name="title"
# # Slopes from values alone, and when to trust them
#
# **You wrote a backward pass. How would you know that it is right?**
#
# In `chain_rule` a verdict told you. But who checks the verdict? There is a way that needs no derivation at all: nudge the
# input, run the function again, and see how far the value moved. It works for every function that runs, and it is how
# gradients are checked all over the field. It also costs a fortune, loses half of its digits, and passes wrong gradients
# if you let it.
#
# In this lesson you write it in all its forms, down to a checker for a whole network, and you find out how far each can be
# trusted. You need the slope of a curve, a little Python, and nothing else.

# %% name="imports"
import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
from jax.flatten_util import ravel_pytree

from course.lessons.numerical_gradients import oddity, ramp, xor_loss
from course.show.plots import COLOURS, HAND, INK, JAX, style

jax.config.update("jax_enable_x64", True)  # float64, 16 digits, where nothing else is said

# %% [markdown] name="oddity-text"
# ## A function that nobody wants to differentiate
#
# This one, or its like, has been used to test slopes since a paper of 1998:
#
#     oddity(x) = exp(x) / sqrt(sin(x)**3 + cos(x)**3)
#
# Below are the curve, and its slope at 1.5 by JAX. You could derive that slope by hand, with some patience. But suppose that
# you can't: all that you can do is ask for values.

# %% name="see-the-oddity"
place = 1.5
right = float(jax.grad(oddity)(place))
print(f"oddity({place}) = {oddity(place):.6f}   slope = {right:.14f}")

with style():
    figure, axes = plt.subplots(figsize=(6.5, 3))
    xs = jnp.linspace(-0.5, 2.2, 300)
    axes.plot(xs, oddity(xs), color=HAND, label="oddity")
    near = np.array([place - 0.5, place + 0.5])
    axes.plot(near, oddity(place) + right * (near - place), color=JAX, label=f"a line of slope {right:.3f}")
    axes.plot(place, oddity(place), "o", color=JAX, markersize=7)
    axes.set(xlabel="x", ylabel="oddity(x)", ylim=(0, 16))
    axes.legend()
    plt.show()

# %% [markdown] name="forward-turn"
# ### Your turn: the forward difference
#
# The slope says by how much the value changes for each 1 that `x` moves. Move `x` by a small `step`, and see.
#
# Your function gets three things: a function `f`, which it may call like any other, the place `x`, and the `step`. Say that `f`
# is `oddity`, `x` is 1.5 and `step` is 0.1. Then these are the two values that matter, and the answer should be 4.585.

# %% name="two-values"
print(f"at 1.5: {oddity(1.5):.5f}   at 1.6: {oddity(1.6):.5f}")

# %% name="your-forward" tags=["exercise"]
from solutions.numerical_gradients import forward_difference

# %% name="check-forward" tags=["check"]
course.check(forward_difference)

# %% [markdown] name="forward-derivation"
# <details><summary>After you solved it: the formula</summary>
#
# The value changes by `f(x + step) - f(x)` while `x` moves by `step`; for each 1 that is `step` times less or more.
#
#     (f(x + step) - f(x)) / step
#
# </details>

# %% [markdown] name="smaller-text"
# ## Smaller is better. Is it?
#
# 4.585 is not 4.053: a step of 0.1 is too long. So make it shorter. And shorter. What happens?

# %% name="smaller-and-smaller"
if course.solved(forward_difference):
    print("   step   your slope         error")
    for digits in range(1, 17):
        estimate = float(forward_difference(oddity, place, 10.0**-digits))
        print(f"  1e-{digits:02}   {estimate:.12f}   {abs(estimate - right):.1e}")

# %% [markdown] name="two-errors"
# Each step down takes away one digit of the error, until about 1e-8. From there on it gets *worse*, and at 1e-16 there is
# nothing left. Two errors are at work, and they pull in opposite directions.
#
# **The curve bends.** Between `x` and `x + step` the curve is not a straight line. Near `x`, with $h$ for the step, it is as good as
#
# $$f(x + h) \approx f(x) + h\, f'(x) + \tfrac{1}{2} h^2 f''(x)$$
#
# where $f''$ is the slope of the slope. Take $f(x)$ away, divide by $h$: what is left is $f'(x) + \tfrac{1}{2} h f''(x)$. The
# second part is the error, and it is proportional to the step. It is called *truncation*.
#
# **Numbers have an end.** A computer keeps 16 digits of every number, and drops the others. The distance from 1 to the next
# number is called `eps`:

# %% name="eps"
for kind in (np.float64, np.float32):
    eps = np.finfo(kind).eps
    print(f"{kind.__name__}: eps = {eps:.2g}")
    print(f"   1 + eps is 1: {kind(1) + eps == 1}   1 + eps / 2 is 1: {kind(1) + eps / 2 == 1}")
print("the last step above moved x:", place + 1e-16 != place)

# %% [markdown] name="rounding-text"
# So each value of `f` comes with an error of about `eps` times its size, whatever the step is. You take the difference of two
# such values and divide it by the step: the smaller the step, the larger this error becomes. It is called *rounding*.
#
# ## Look to both sides
#
# Truncation has a sign, and that can be used. The **backward difference** asks for the value on the other side:


# %% name="backward-difference" tags=["worked"]
def backward_difference(f, x, step):
    return (f(x) - f(x - step)) / step


if course.solved(forward_difference):
    print("step    backward - right   forward - right   the mean of both - right")
    for step in (0.1, 0.01, 0.001):
        left = backward_difference(oddity, place, step) - right
        ahead = forward_difference(oddity, place, step) - right
        print(f"{step:<6} {left:16.9f} {ahead:17.9f} {(left + ahead) / 2:18.9f}")

# %% [markdown] name="central-turn"
# One is as much too large as the other is too small, nearly. Their mean is far better than either: a ten times smaller step
# makes its error a *hundred* times smaller.
#
# ### Your turn: the central difference
#
# Write out the mean of both, on paper. Something cancels, and what is left asks for two values only: one step to the right
# of `x`, and one to the left.

# %% name="your-central" tags=["exercise"]
from solutions.numerical_gradients import central_difference

# %% name="check-central" tags=["check"]
course.check(central_difference)

# %% [markdown] name="central-derivation"
# <details><summary>After you solved it: the formula, and why it is better</summary>
#
# In the mean of both, `f(x)` is once added and once taken away:
#
#     (f(x + step) - f(x - step)) / (2 * step)
#
# It is the change from the left place to the right one, which are two steps apart. On both sides the bend of the curve
# adds the same $\tfrac{1}{2} h^2 f''(x)$, since $(-h)^2 = h^2$, so that it drops out of the difference. What is left begins
# with $\tfrac{1}{6} h^2 f'''(x)$: proportional to the step *squared*.
#
# </details>

# %% [markdown] name="picture-text"
# ## The error at every step
#
# The next picture says it all, and everyone who checks gradients has it in mind. Both axes are logarithmic: the same distance is
# always the same factor. So a line of slope 1 means an error proportional to the step, a line of slope 2 one proportional to its square. To the right of the lowest
# point truncation rules, to the left of it rounding. (Each error is the median over seven places around 1.5: at a single
# one, rounding is zero now and then, by luck.)


# %% name="errors-by-step"
def errors_by_step(method, steps, kind):
    """The relative error of a method at each step, in float32 or float64: the median over some places."""
    errors = [[abs(float(method(oddity, kind(x), kind(step))) / SLOPES[x] - 1) for step in steps] for x in SLOPES]
    return np.median(errors, axis=0)


SLOPES = {x: float(jax.grad(oddity)(x)) for x in np.linspace(1.3, 1.7, 7)}
STEPS = np.logspace(-15, 0, 46)[:-3]


def draw_errors(methods):
    """Draws the errors of methods by step, a panel for each kind of number."""
    with style():
        figure, panels = plt.subplots(1, 2, figsize=(9.5, 4), sharey=True, layout="constrained")
        for panel, kind in zip(panels, (np.float64, np.float32), strict=True):
            for name, (method, colour, power) in methods.items():
                errors = np.maximum(errors_by_step(method, STEPS, kind), 1e-17)
                panel.loglog(STEPS, errors, "o-", color=colour, markersize=2.5, linewidth=1, label=name)
                if power:
                    best = np.argmin(errors)
                    panel.plot(STEPS[best], errors[best], "o", color=colour, markersize=8, markerfacecolor="none")
                    panel.axvline(np.finfo(kind).eps ** power, color=colour, linestyle=":", linewidth=1)
            panel.set(title=kind.__name__, xlabel="step", ylim=(1e-17, 1e2))
        panels[0].set_ylabel("relative error of the slope")
        panels[0].legend(loc="upper right", fontsize=8)
        plt.show()


if course.solved(forward_difference) and course.solved(central_difference):
    two = {
        "forward difference": (forward_difference, COLOURS[3], 1 / 2),
        "central difference": (central_difference, HAND, 1 / 3),
    }
    draw_errors(two)

# %% [markdown] name="best-step-text"
# The rings mark the best step found. The dotted lines were not measured. They come from a thought of three lines:
#
# - forward: the error is about `step` from truncation, and about `eps / step` from rounding. It is smallest where
#   the two are equal: `step * step = eps`, so `step = eps**(1/2)`.
# - central: about `step**2`, and `eps / step`. They are equal where `step**3 = eps`, so `step = eps**(1/3)`.
#
# (What the function's own size and bends contribute is left out. For ordinary functions it moves the best step by a
# factor of a few.) Put the best step back into the error: the forward difference keeps half of the digits,
# `eps**(1/2)`, the central one two thirds, `eps**(2/3)`. In float64 that is 8 or 10 of 16 digits. In float32, 3 or 4 of 7.

# %% name="the-best-steps"
if course.solved(forward_difference) and course.solved(central_difference):
    print("                       eps        best step: found, by the rule    error there")
    for kind in (np.float64, np.float32):
        eps = np.finfo(kind).eps
        for name, (method, _, power) in two.items():
            errors = errors_by_step(method, STEPS, kind)
            found = int(np.argmin(errors))
            best = f"{STEPS[found]:15.0e} {eps**power:12.0e} {errors[found]:15.0e}"
            print(f"{kind.__name__} {name[:8]:9}   {eps:8.1e}   {best}")

# %% [markdown] name="ask-q1"
# {question numerical_gradients.q1}

# %% name="answer-q1" tags=["question"]
course.answer("numerical_gradients.q1", ...)

# %% [markdown] name="ask-q2"
# {question numerical_gradients.q2}

# %% name="answer-q2" tags=["question"]
course.answer("numerical_gradients.q2", ...)

# %% [markdown] name="complex-text"
# ## A step that leaves the line
#
# Rounding comes in by the difference: two numbers that are nearly equal are taken from each other, and what is left is
# mostly noise. What if nothing had to be taken away?
#
# A complex number has two parts, the real one and the imaginary one. Python writes `3 + 2j`; `1j` is the number whose square
# is -1. Let us square a number that lies a step *beside* 3, along the imaginary axis:
#
# $$(3 + i h)^2 = 9 + 6\, i h + i^2 h^2 = (9 - h^2) + i \cdot 6 h$$
#
# The real part is 9, nearly. And the imaginary part is `6 * h`: the slope of the square at 3, times the step. The two were
# kept apart all the way, so that no large number ever swallowed the small one.

# %% name="square-of-a-complex-number"
for h in (0.1, 1e-8, 1e-100):
    squared = (3 + h * 1j) ** 2
    print(f"h = {h:<7} square = {squared.real:.6f} + {squared.imag:.6g}j")

# %% [markdown] name="complex-turn"
# For other functions it is the same: $f(x + i h) \approx f(x) + i h f'(x) - \tfrac{1}{2} h^2 f''(x)$, and the term with
# $h^2$ is real. It needs an `f` that takes complex numbers; those of `exp`, `sin`, `cos`, `sqrt`, and of sums and products do.
#
# ### Your turn: the complex step
#
# `jnp.imag(y)` is the imaginary part of a number `y`.

# %% name="your-complex-step" tags=["exercise"]
from solutions.numerical_gradients import complex_step

# %% name="check-complex-step" tags=["check"]
course.check(complex_step)

# %% [markdown] name="complex-derivation"
# <details><summary>After you solved it: the formula</summary>
#
# Ask for the value a step beside `x`. Its imaginary part is the slope times the step.
#
#     y = f(x + 1j * step)
#     jnp.imag(y) / step
#
# The error is proportional to `step**2`, like that of the central difference. But there is no difference, hence no rounding
# that grows: make the step 1e-20, and the truncation is 1e-40.
#
# </details>

# %% name="three-methods"
if course.solved(forward_difference) and course.solved(central_difference) and course.solved(complex_step):
    draw_errors(two | {"complex step": (complex_step, COLOURS[2], None)})
    print(f"at a step of 1e-100 it is off by {abs(complex_step(oddity, place, 1e-100) - right):.0e}")

# %% [markdown] name="complex-lies"
# The green line goes down with slope 2, and stays down: all digits, at every step that is small enough. Then why doesn't
# everybody use it? Because every operation on the way must be the complex one, and some quietly are not. The size of a complex
# number, `abs`, is real: the imaginary part, which held the slope, is gone.

# %% name="complex-step-of-abs"
if course.solved(complex_step):
    print("the slope of abs at -2 by the complex step:", float(complex_step(jnp.abs, -2.0, 1e-20)))
print("by JAX:                                    ", float(jax.grad(jnp.abs)(-2.0)))

# %% [markdown] name="tree-text"
# ## A network has more than one number
#
# Here is a small network: two inputs, three hidden units, one output. It should learn XOR, which is 1 where exactly one of
# its inputs is 1.
#
#     a = tanh(x @ w + b)        three hidden units; x @ w are weighted sums of the two inputs
#     y = a @ v + c              the output: a weighted sum of the three
#     loss = 0.5 * mean((y - target)**2)      over the four points
#
# (`tanh` squashes a number into the range from -1 to 1. How such products of matrices go backward is for
# `vector_chain_rule` and `two_layer_network`.
# Here you only run it, and that is the point: nobody has to derive anything.) Its numbers live in a **tree**: dicts in a dict,
# with arrays at the ends, which are called **leaves**.

# %% name="the-network"
params = {
    "hidden": {"w": jnp.array([[1.0, -0.6, 0.4], [0.8, -0.9, -0.5]]), "b": jnp.array([0.1, 0.2, -0.3])},
    "out": {"v": jnp.array([0.5, -0.4, 0.6]), "c": jnp.array(0.0)},
}
print(f"loss = {xor_loss(params):.6f}")

# %% [markdown] name="tree-tools-text"
# JAX has tools for trees. Three are enough here:
#
# - `jax.tree.leaves(tree)` is the list of the leaves, sorted by name.
# - `jax.tree.map(f, tree, other)` calls `f` with each leaf, and the leaf of the other tree at the same place; the results
#   make a tree of the same form.
# - `ravel_pytree(tree)` lays all numbers in one row. It returns the row, and a function that makes a tree of such a row.

# %% name="tree-tools"
print("shapes: ", [leaf.shape for leaf in jax.tree.leaves(params)])
print("doubled:", jax.tree.map(lambda leaf: (2 * leaf).tolist(), params)["out"])
row, tree_of = ravel_pytree(params)
print("a row:  ", row)
print("a tree: ", tree_of(jnp.arange(13.0))["out"])

# %% [markdown] name="two-numbers-text"
# With many numbers, the slope by one of them is what you get when **this one moves and all others stand still**. Here it is for
# two numbers, by forward differences. The copies matter: whoever nudges a number in place must not forget to put it back.


# %% name="two-numbers" tags=["worked"]
def hill(p):
    return p[0] ** 2 * p[1]


p, h = [3.0, 2.0], 1e-6
slopes = []
for i in range(2):
    nudged = list(p)
    nudged[i] = p[i] + h
    slopes.append((hill(nudged) - hill(p)) / h)
print("nudged:", slopes)
print("JAX:   ", [float(slope) for slope in jax.grad(hill)(p)])

# %% [markdown] name="gradient-turn"
# ### Your turn (hard): the gradient of a whole tree
#
# `loss` takes a tree like `params` and returns a number. Return a tree of the same form, in which each number is the slope of
# the loss by the number at the same place, by central differences. Whatever form the tree has.
#
# You can use your `central_difference`: it wants a function of *one* number, and `lambda t: ...` makes one on the spot. For
# arrays, `row.at[i].set(t)` is a copy of a row with `t` in place `i`.

# %% name="your-gradient" tags=["exercise"]
from solutions.numerical_gradients import central_gradient

# %% name="check-gradient" tags=["check"]
course.check(central_gradient)

# %% [markdown] name="gradient-derivation"
# <details><summary>After you solved it: one way to do it</summary>
#
#     numbers, as_tree = ravel_pytree(params)
#
#     def slope(i):
#         return central_difference(lambda t: loss(as_tree(numbers.at[i].set(t))), numbers[i], step)
#
#     return as_tree(jnp.array([slope(i) for i in range(numbers.size)]))
#
# `lambda t: ...` is the loss as a function of number `i` alone: the others are what they are in `numbers`. It is asked around
# `numbers[i]`, where that number stands. And the row of slopes has the order of the row of numbers, so that the same function
# makes a tree of it.
#
# </details>

# %% name="use-the-gradient"
right_bar = jax.grad(xor_loss)(params)
if course.solved(central_gradient):
    mine = central_gradient(xor_loss, params, 1e-5)
    print("c_bar by JAX:", right_bar["out"]["c"], "  by you:", mine["out"]["c"])
    print("w_bar by JAX:\n", right_bar["hidden"]["w"])
    print("yours is off by", jnp.max(abs(mine["hidden"]["w"] - right_bar["hidden"]["w"])))

# %% [markdown] name="train-text"
# It is a gradient, so one can train with it. This is all of gradient descent: go a little way against the slope, again
# and again. Not one derivative was taken by anybody. And every run of the network is counted.


# %% name="train-by-nudging"
class Counted:
    """A function that counts how often it runs."""

    def __init__(self, function):
        self.function, self.runs = jax.jit(function), 0

    def __call__(self, params):
        self.runs += 1
        return self.function(params)


if course.solved(central_gradient):
    counted, now, losses, runs = Counted(xor_loss), params, [], []
    for _ in range(350):
        losses.append(float(xor_loss(now)))
        runs.append(counted.runs)
        now_bar = central_gradient(counted, now, 1e-5)
        now = jax.tree.map(lambda p, bar: p - 0.3 * bar, now, now_bar)

    with style():
        figure, axes = plt.subplots(figsize=(7, 3.2))
        axes.semilogy(runs, losses, color=HAND)
        axes.set(title="XOR, learned by nudging", xlabel="runs of the network", ylabel="loss")
        plt.show()
    print(f"loss {losses[-1]:.1e} after {len(losses)} steps, which took {counted.runs:,} runs:")
    print(f"{counted.runs // len(losses)} a step, for {row.size} numbers")

# %% [markdown] name="price-text"
# ## The price
#
# Two runs for each number, always. Nothing about the network helps: not its depth, nor its kind. A backward pass gives all
# slopes at once, for the price of a few runs, however many numbers there are; `cost_of_backprop` counts that.
#
# That is why nobody trains like this, and why everybody still *checks* like this: on a small network, once.

# %% name="price-list"
for what, numbers in {"this network": row.size, "784-512-10, digits": 407_050, "ResNet-50": 25.6e6}.items():
    seconds = 2 * numbers * 0.01
    print(f"{what:20} {2 * numbers:12,.0f} runs a step: {seconds / 3600:10.4f} hours, if one takes 10 ms")

# %% [markdown] name="ask-q3"
# {question numerical_gradients.q3}

# %% name="answer-q3" tags=["question"]
course.answer("numerical_gradients.q3", ...)

# %% [markdown] name="direction-text"
# ## Two runs for a whole tree
#
# To *check* a gradient you needn't find all of it. Move all numbers at once, along some **direction**, and see how fast the
# loss changes. Then ask the gradient what it would have said.
#
# For `hill` above, at (3, 2), let the first number move 2 for each -1 of the second. What the slopes claim: the first
# contributes its slope times 2, the second its slope times -1.

# %% name="a-direction"
slope_0, slope_1 = jax.grad(hill)(p)
print("claimed:", float(2 * slope_0 - slope_1))

h = 1e-6
ahead = hill([p[0] + h * 2, p[1] + h * -1])
behind = hill([p[0] - h * 2, p[1] - h * -1])
print("found:  ", (ahead - behind) / (h + h))

# %% [markdown] name="direction-turn"
# ### Your turn: one number for a whole tree
#
# Given a `loss`, its `params`, somebody's `params_bar`, a `direction` and a `step`, return two numbers: the slope along the
# direction that is *found* by a central difference, and the one that `params_bar` *claims*. `params_bar` and `direction` are
# trees of the form of `params`.

# %% name="your-direction" tags=["exercise"]
from solutions.numerical_gradients import directional_check

# %% name="check-direction" tags=["check"]
course.check(directional_check)

# %% [markdown] name="direction-derivation"
# <details><summary>After you solved it: how it goes</summary>
#
# Along the direction there is one number, `t`: how far the tree has gone.
#
#     def loss_at(t):
#         return loss(jax.tree.map(lambda p, d: p + t * d, params, direction))
#
#     found = central_difference(loss_at, 0.0, step)
#
# Each number moves by its part of the direction, and moves the loss by its slope times that. All contributions add up, within
# a leaf and over the leaves:
#
#     shares = jax.tree.map(lambda bar, d: jnp.sum(bar * d), params_bar, direction)
#     claimed = jnp.sum(jnp.array(jax.tree.leaves(shares)))
#
# </details>

# %% [markdown] name="random-direction-text"
# Which direction? A random one. Below, one number of `w_bar` is off by a single percent. A direction that moves only the
# output layer can't see it; a random one has no blind spot, but for bad luck of probability zero.

# %% name="random-direction"
wrong_w = right_bar["hidden"]["w"].at[0, 1].multiply(1.01)
wrong_bar = {**right_bar, "hidden": {**right_bar["hidden"], "w": wrong_w}}
random = np.random.default_rng(0)
anywhere = jax.tree.map(lambda leaf: random.standard_normal(leaf.shape), params)
output_only = {"hidden": jax.tree.map(jnp.zeros_like, params["hidden"]), "out": anywhere["out"]}

if course.solved(directional_check):
    print("gradient   direction           found          claimed        difference")
    for name, bar in {"right": right_bar, "wrong": wrong_bar}.items():
        for way, direction in {"random": anywhere, "output only": output_only}.items():
            found, claimed = directional_check(xor_loss, params, bar, direction, 1e-5)
            print(f"{name:10} {way:13} {found:14.10f} {claimed:14.10f}   {abs(found - claimed):12.0e}")

# %% [markdown] name="checker-text"
# This is the check that verdicts make as their third: *central differences*. It says **that** something is wrong, not
# **where**.
#
# ## Where is it wrong?
#
# For that, hold the two gradients against each other leaf by leaf. How do you say in one number how far a leaf is off?
#
# - The largest difference? 0.001 is much where the right numbers are 0.002, and nothing where they are 1000.
# - The relative error of each entry? An entry that happens to be near zero has a large one, though nothing is wrong.
# - The **norm** of the difference, relative to the norm of the leaf. The norm of a leaf is its length as an arrow: the root of the
#   sum of the squares of all its numbers.

# %% name="measures"
leaf = np.array([1000.0, -500.0, 1e-9])
noisy = leaf + np.array([1e-7, -1e-7, 1e-7])  # the noise of a central difference, say
print("largest difference:          ", np.max(abs(noisy - leaf)))
print("worst relative error:        ", np.max(abs((noisy - leaf) / leaf)))
print("relative error of the norm:  ", np.linalg.norm(noisy - leaf) / np.linalg.norm(leaf))

# %% [markdown] name="errors-turn"
# And a leaf that is zero throughout, since the loss does not depend on it? Its norm can't be divided by. Nor would it help: a
# central difference gives 1e-12 there instead of 0, and 1e-12 is infinitely much beside 0. What it should be held against
# is the gradient as a whole. So there is a **floor**: a leaf whose norm is less than `floor` times the norm of the whole tree (all
# numbers of all leaves in one row) counts as if it had that norm.
#
# ### Your turn: the error of each leaf
#
# Both trees have the same form. Return a tree of that form, with one number in the place of each leaf.

# %% name="your-errors" tags=["exercise"]
from solutions.numerical_gradients import relative_errors

# %% name="check-errors" tags=["check"]
course.check(relative_errors)

# %% [markdown] name="errors-derivation"
# <details><summary>After you solved it: how it goes</summary>
#
#     def norm(leaf):
#         return jnp.sqrt(jnp.sum(leaf**2))
#
#     least = floor * jnp.sqrt(sum(jnp.sum(leaf**2) for leaf in jax.tree.leaves(right)))
#     return jax.tree.map(lambda given, r: norm(given - r) / jnp.maximum(norm(r), least), params_bar, right)
#
# A NaN in a leaf makes the error of that leaf NaN, and of no other. That is as it should be, if somebody looks.
#
# </details>

# %% [markdown] name="wrong-turn"
# ### Your turn: what is wrong, NaN included
#
# A tree of errors in, as `relative_errors` returns it; a tree of verdicts out, `True` where a leaf is wrong. An error of `tolerance`
# may pass just so. It is one line, and many graders get it wrong: think about what NaN does in a comparison.

# %% name="nan-compares"
nan = jnp.nan
print(f"nan > 1: {nan > 1}   nan < 1: {nan < 1}   nan == nan: {nan == nan}   max(0, nan): {max(0, nan)}")

# %% name="your-verdicts" tags=["exercise"]
from solutions.numerical_gradients import wrong_leaves

# %% name="check-verdicts" tags=["check"]
course.check(wrong_leaves)

# %% [markdown] name="verdicts-derivation"
# <details><summary>After you solved it: how it goes</summary>
#
# `error > tolerance` is False for NaN, which would pass. Ask instead what may pass, and call everything else wrong:
#
#     jax.tree.map(lambda error: jnp.logical_not(error <= tolerance), errors)
#
# </details>

# %% [markdown] name="suspects-text"
# Now you have a checker. Here are six suspects, each with its own illness, held against *your* numerical gradient, with no help
# of JAX. A colour says how large the error of a leaf is, a cross that it is wrong.

# %% name="suspects"
start, tree = ravel_pytree(right_bar)
suspects = {
    "right": right_bar,
    "w off by 1 %": wrong_bar,
    "sign of b": {**right_bar, "hidden": {**right_bar["hidden"], "b": -right_bar["hidden"]["b"]}},
    "v reversed": {**right_bar, "out": {**right_bar["out"], "v": right_bar["out"]["v"][::-1]}},
    "all halved": jax.tree.map(lambda leaf: leaf / 2, right_bar),
    "a NaN in w": tree(start.at[4].set(jnp.nan)),
}

if course.solved(central_gradient) and course.solved(relative_errors) and course.solved(wrong_leaves):
    numerical = central_gradient(xor_loss, params, 1e-5)
    errors = {name: relative_errors(bar, numerical, 1e-6) for name, bar in suspects.items()}
    table = np.array([jax.tree.leaves(error) for error in errors.values()])
    crosses = [jax.tree.leaves(wrong_leaves(error, 1e-6)) for error in errors.values()]

    with style():
        figure, axes = plt.subplots(figsize=(7, 3.6), layout="constrained")
        picture = axes.imshow(np.log10(table), vmin=-12, vmax=0, aspect="auto", cmap="cividis")
        for i, j in np.ndindex(table.shape):
            ink = INK if np.isnan(table[i, j]) else "black" if table[i, j] > 1e-5 else "white"
            text = f"{'✗' if crosses[i][j] else '✓'} {table[i, j]:.0e}"
            axes.text(j, i, text, ha="center", va="center", color=ink)
        axes.set_xticks(range(4), ["hidden b", "hidden w", "out c", "out v"])
        axes.set_yticks(range(len(errors)), list(errors))
        axes.grid(visible=False)
        figure.colorbar(picture, label="log10 of the relative error")
        axes.set_title("which leaf is wrong?")
        plt.show()

# %% [markdown] name="lies-text"
# ## Where it lies
#
# Differences see values, nothing else. Five ways to be fooled, from the most harmless on.
#
# **1. Kinks.** `ramp(x)` is `x` where that is positive, else 0. Its slope is 0 or 1, and at 0 there is a kink. A central difference
# that reaches over the kink gives something in between, right at it a half, for every step however small.

# %% name="see-the-kink"
if course.solved(central_difference):
    print("at the kink:", [float(central_difference(ramp, 0.0, step)) for step in (0.1, 1e-3, 1e-6)])

    xs = np.linspace(-1, 1, 401)
    with style():
        figure, axes = plt.subplots(figsize=(6.5, 2.8))
        axes.plot(xs, jax.vmap(jax.grad(ramp))(xs), color=JAX, linewidth=4, label="slope by JAX")
        for step, look in {0.5: ":", 0.1: "--"}.items():
            slopes = [central_difference(ramp, x, step) for x in xs]
            axes.plot(xs, slopes, look, color=HAND, label=f"central difference, step {step}")
        axes.set(xlabel="x", ylabel="slope of ramp(x)")
        axes.legend(fontsize=8)
        plt.show()

# %% [markdown] name="kink-rule"
# In a network with thousands of such ramps, one of them is always near its kink. So a few numbers differ by more than the others,
# and nothing is wrong. A smaller step helps, down to where rounding begins.
#
# **2. A wrong forward, with the backward that belongs to it.** Somebody was asked for `sigmoid(x) = 1 / (1 + exp(-x))`, and lost the minus.
# Their backward pass is right for what they wrote:


# %% name="wrong-forward"
def their_sigmoid(x):
    return 1 / (1 + jnp.exp(x))


def their_slope(x):
    a = their_sigmoid(x)
    return -a * (1 - a)


if course.solved(central_difference):
    functions = {"their own forward": their_sigmoid, "the sigmoid asked for": jax.nn.sigmoid}
    for name, function in functions.items():
        found = central_difference(function, 0.7, 1e-5)
        print(f"held against {name:22} {abs(found - their_slope(0.7)):.0e}")

# %% [markdown] name="wrong-forward-rule"
# A check against one's own forward confirms it. So a verdict asks for the value first, and takes the differences of the function
# that the course gave, which the learner can't change.
#
# **3. Ones.** A function with several values has to become one number before it can be nudged and compared. The easy way is to add
# them up. What does that hide?


# %% name="all-ones"
def share(x):
    return x / jnp.sum(x)


x = jnp.array([1.0, 2.0, 5.0])
for name, y_bar in {"ones": jnp.ones(3), "random numbers": jnp.array([0.3, -1.2, 0.7])}.items():
    (x_bar,) = jax.vjp(share, x)[1](y_bar)
    print(f"what comes back to x when y_bar is {name:15}", x_bar)

# %% [markdown] name="ask-q4"
# {question numerical_gradients.q4}

# %% name="answer-q4" tags=["question"]
course.answer("numerical_gradients.q4", ...)

# %% [markdown] name="float32-text"
# **4. Nearly nothing.** You have met it: where the right leaf is zero, every relative error is infinite, and a checker without a
# floor cries wolf. One with a floor that is too high is asleep.
#
# **5. Too few digits.** Why are the verdicts of this course made in float64? Because a small mistake must be larger than the noise of
# the check. And small mistakes there are: GELU, an activation function, has two usual forms, whose slopes are nearly the same.

# %% name="two-gelus"
xs = jnp.linspace(-3, 3, 101)
forms = [jax.vmap(jax.grad(lambda x, form=form: jax.nn.gelu(x, approximate=form)))(xs) for form in (True, False)]
print(f"the slopes of the two differ by {jnp.linalg.norm(forms[0] - forms[1]) / jnp.linalg.norm(forms[1]):.1e}")

# %% [markdown] name="small-mistakes"
# Below, two gradients are checked along a direction at every step: the right one, and one that is 0.1 % too large.


# %% name="float32-or-float64"
def differences(kind, factor, steps):
    """How far claim and finding are apart, relative to the claim, for a gradient times a factor."""
    here, way = (jax.tree.map(lambda leaf: jnp.asarray(leaf, kind), tree) for tree in (params, anywhere))
    bar = jax.tree.map(lambda leaf: kind(factor) * leaf, jax.grad(xor_loss)(here))
    slopes = [directional_check(xor_loss, here, bar, way, kind(step)) for step in steps]
    return [abs(float(found) - float(claimed)) / abs(float(claimed)) for found, claimed in slopes]


if course.solved(directional_check):
    steps = np.logspace(-9, -0.5, 35)
    with style():
        figure, panels = plt.subplots(1, 2, figsize=(9.5, 3.4), sharey=True, layout="constrained")
        for panel, kind in zip(panels, (np.float64, np.float32), strict=True):
            panel.loglog(steps, differences(kind, 1.0, steps), color=HAND, label="right")
            panel.loglog(steps, differences(kind, 1.001, steps), "--", color=COLOURS[3], label="0.1 % too large")
            panel.set(title=kind.__name__, xlabel="step")
        panels[0].set_ylabel("found and claimed differ by")
        panels[0].legend()
        plt.show()

# %% [markdown] name="float32-rule"
# In float64 there are five decades of steps at which the two can be told apart at a glance. In float32 there is hardly one: elsewhere
# the right gradient looks as bad as the wrong one, and whoever sets the tolerance so that right ones pass lets both pass. Training
# in float32 is fine. Judging is not.

# %% [markdown] name="in-your-own-words"
# ## In your own words
#
# {question numerical_gradients.text}

# %% name="answer-text" tags=["question"]
course.answer("numerical_gradients.text", ...)

# %% [markdown] name="name-the-mistake"
# ## Which mistake is this?
#
# Somebody else wrote one of this lesson's functions. The step is wide on purpose: ways that nearly agree at a small step can be told
# apart here. "Right" is what the function should give at this step, and not the slope itself.

# %% [markdown] name="ask-q5"
# {question numerical_gradients.q5}

# %% name="somebody-elses" tags=["shown"]
course.show_mistake("numerical_gradients.q5", draw=0)

# %% name="answer-q5" tags=["question"]
course.answer("numerical_gradients.q5", ...)

# %% [markdown] name="what-you-have"
# ## What you have now
#
# - A slope needs no derivation: two values will do. Steps of `eps**(1/2)` one-sided, `eps**(1/3)` central.
# - A complex step has no rounding to fear, where every operation on the way takes complex numbers.
# - Two runs check a whole tree along a random direction; two runs *a number* give all of a gradient.
# - Judge leaf by leaf, by norms, with a floor, in float64, with random weights and never with ones, against a forward function
#   that is known to be right. And `not (error <= tolerance)`, so that NaN is wrong.
#
# A verdict of this course does all of this, after it has compared your pass with JAX's. Now you know what its third check is made of.
#
# ## Sources
#
# - W. Squire, G. Trapp, *Using complex variables to estimate derivatives of real functions*, SIAM Review 40(1), 1998.
#   [doi:10.1137/S003614459631241X](https://doi.org/10.1137/S003614459631241X)
# - J. R. R. A. Martins, P. Sturdza, J. J. Alonso, *The complex-step derivative approximation*, ACM Transactions on Mathematical
#   Software 29(3), 2003: the picture of errors by step, for this function. [doi:10.1145/838250.838251](https://doi.org/10.1145/838250.838251)
# - W. H. Press, S. A. Teukolsky, W. T. Vetterling, B. P. Flannery, *Numerical Recipes*, third edition, Cambridge, 2007, section 5.7: the
#   best step.
# - N. J. Higham, *Accuracy and Stability of Numerical Algorithms*, second edition, SIAM, 2002: what `eps` means.
#
# Next: `vector_chain_rule`, where slopes become tables, and nobody builds them.
