# %% [markdown] name="title"
# # Gradients that explode, and two ways to hold them
#
# **At one step the loss is fine. At the next it is NaN, and so is every weight. What happened, and when did it begin?**
#
# A backward pass multiplies a cotangent by one factor after the other. `vanishing_gradients` was about factors below 1. This lesson is about those
# above 1, and about networks that use **the same weights again and again**, a hundred times in a row: the factor is the same every time, and
# what grows by a tenth each time has grown by 13,780 in a hundred steps.
#
# You write the pass through such a map; find out where a run went bad; clip gradients in the three ways in which it is done, and derive
# what clipping does to a derivative. At the end clipping is held against weight decay, with each, with both and with neither.

# %% name="imports"
import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import optax

from course.lessons.exploding_gradients import clip_to_norm, recurrent
from course.show import plots

np.set_printoptions(precision=4, suppress=True)
rng = np.random.default_rng(0)

# %% [markdown] name="one-number"
# ## One number, fifty times
#
# The smallest map of this kind: a number is multiplied by the same `w`, step after step. It starts at 1.
#
# $$h_{t+1} = w \, h_t \qquad\Longrightarrow\qquad h_{50} = w^{50} \qquad\qquad \frac{\partial h_{50}}{\partial h_0} = w^{50} \qquad\qquad \frac{\partial h_{50}}{\partial w} = 50 \, w^{49}$$
#
# The last one is a sum: `w` was used fifty times, and each use contributes the same, since 49 other factors of `w` are left over.
# *Used many times, add.* JAX's numbers:


# %% name="one-number-jax"
def tower(h, w):
    """Multiplies h by w fifty times."""
    return jax.lax.scan(lambda h, _: (w * h, None), h, length=50)[0]


slopes = jax.jit(jax.value_and_grad(tower, argnums=(0, 1)))
for w in (0.9, 1.0, 1.1, 2.0):
    h, (by_h, by_w) = slopes(1.0, w)
    print(f"w = {w}:  h after 50 steps {h:10.3e}   its slope by the first h {by_h:10.3e}   by w {by_w:10.3e}")

# %% [markdown] name="cliff"
# A tenth more or less in `w` decides between 0.005 and 117. What does that make of a loss? Let `h` be 1 after fifty steps,
# at best: the loss is half the squared error. It is the best known picture of this subject, R. Pascanu's cliff:


# %% name="draw-cliff"
def tower_loss(w):
    return 0.5 * (tower(1.0, w) - 1.0) ** 2


tower_slope = jax.jit(jax.value_and_grad(tower_loss))
grid = np.linspace(0.85, 1.105, 200, dtype=np.float32)
heights, steepness = jax.device_get(jax.jit(jax.vmap(jax.value_and_grad(tower_loss)))(grid))
with plots.style():
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 3.4), layout="constrained")
    left.plot(grid, heights, color=plots.HAND)
    left.set(title="the loss: a plain, and a cliff", xlabel="w", ylabel="loss", ylim=(-0.2, 6))
    right.semilogy(grid, np.abs(steepness), color=plots.JAX)
    right.set(title="the size of its slope", xlabel="w", ylabel="|slope|")
    plt.show()

# %% [markdown] name="one-step-off-the-cliff"
# Left of 1 there is nearly nothing to go by, right of 1.05 there is far too much. Now gradient descent, from `w = 1.1`, which is not far off, with
# a rate of 0.0005, which is not large. Everything is put on record:

# %% name="run-to-nan"
RATE = 0.0005


def descend(clip, steps):
    """Gradient descent on the tower's loss from w = 1.1; what it saw at every step."""
    w, seen = jnp.array(1.1), {"w": [], "loss": [], "w_bar": []}
    for _ in range(steps):
        loss, w_bar = tower_slope(w)
        for name, number in (("w", w), ("loss", loss), ("w_bar", w_bar)):
            seen[name].append(float(number))
        w = w - RATE * clip(w_bar)
    return {name: np.array(numbers) for name, numbers in seen.items()}


history = descend(lambda w_bar: w_bar, steps=6)
for step, row in enumerate(zip(*history.values(), strict=True)):
    print(f"step {step}:  w {row[0]:12.4g}   loss {row[1]:10.4g}   w_bar {row[2]:12.4g}")

# %% [markdown] name="read-run-to-nan"
# Read it line by line, for so it goes in networks of every size:
#
# - **Step 0.** All is fine, but the gradient is large: one step leads from 1.1 to minus 309.
# - **Step 1.** `w` itself is an ordinary number. Its fiftieth power is none: float32 ends at about $3.4 \cdot 10^{38}$, and what lies
#   beyond is `inf`. So are the loss and the gradient. *Here it began.*
# - **Step 2.** A step along an infinite gradient: the weight is infinite.
# - **Step 3.** The gradient is infinite again, and has the weight's sign: `inf - inf`. That is no number: `nan`. From now on everything is.
#
# Who looks for the first NaN arrives two steps late. In the loss it often looks like that: fine, fine, fine, NaN.
#
# {question exploding_gradients.q1}

# %% name="answer-q1" tags=["question"]
course.answer("exploding_gradients.q1", ...)

# %% [markdown] name="inf-minus-inf"
# ### Where a NaN comes from
#
# An infinity alone makes no NaN; these do: `inf - inf`, `0 * inf`, `inf / inf`, `0 / 0`, and roots and logarithms of negative numbers. A matrix
# product is full of the first: each of its numbers is a sum of positive and negative terms. Once two of them are infinite,
# with different signs, the sum is NaN. JAX can stop where the first one comes up (it says so, runs the program again step by step, and names the
# operation and the line):

# %% name="inf-minus-inf-numbers"
large = jnp.array([[jnp.inf, jnp.inf]])
print("inf, inf times 1, -1:", large @ jnp.array([[1.0], [-1.0]]))
with jax.debug_nans(True):
    try:
        large - large
    except FloatingPointError as error:
        print("with debug_nans:", str(error).splitlines()[0])

# %% [markdown] name="recurrent-intro"
# ## A map of many units
#
# Now `d` numbers in the place of one, a matrix `w` in the place of the factor, and something that comes in at every step: the linear core of a
# recurrent network.
#
# $$h \leftarrow h \, w + x_t \qquad \text{for } t = 0, 1, \dots$$
#
# `recurrent(h, w, x)` gives what the last step gives; `x` holds all inputs, one step after the other. JAX's answer for five steps, a batch of two
# and three units:

# %% name="jax-recurrent"
small_h, small_y_bar = np.float32(rng.integers(-2, 3, (2, 2, 3)))
small_w = np.float32(rng.integers(-1, 2, (3, 3)))
small_x = np.float32(rng.integers(-1, 2, (5, 2, 3)))
y, pullback = jax.vjp(recurrent, small_h, small_w, small_x)
for name, bar in zip(("h_bar", "w_bar", "x_bar"), pullback(small_y_bar), strict=True):
    print(name, bar.shape, "" if name == "x_bar" else f"\n{bar}")

# %% [markdown] name="worked-neighbour"
# ### A worked neighbour: a savings account
#
# One number, one rate, and a payment at every step: `h = rate * h + pay[t]`. Backward through time is a loop from the last step to the first. What
# does one step hand on? The step multiplied what entered it by `rate` and added a payment. So of the cotangent of what it gave,
#
# - `rate * h_bar` goes to what entered it, and so to the step before;
# - `h_bar` itself goes to the payment;
# - `h * h_bar`, with the `h` that *entered*, goes to the rate. The rate was used at every step: these are added up.


# %% name="savings" tags=["worked"]
def savings(h, rate, pay):
    for payment in pay:
        h = rate * h + payment
    return h


def savings_fwd(h, rate, pay):
    entered = []
    for payment in pay:
        entered.append(h)
        h = rate * h + payment
    return h, (rate, entered)


def savings_bwd(residuals, h_bar):
    rate, entered = residuals
    rate_bar, pay_bar = 0.0, []
    for h in reversed(entered):
        pay_bar.insert(0, h_bar)
        rate_bar = rate_bar + h * h_bar
        h_bar = rate * h_bar
    return h_bar, rate_bar, pay_bar


account = (100.0, 1.05, [10.0, 20.0, 30.0])
for who, bars in (
    ("by hand", savings_bwd(savings_fwd(*account)[1], 1.0)),
    ("by JAX ", jax.grad(savings, argnums=(0, 1, 2))(*account)),
):
    print(who, jax.tree.map(lambda bar: round(float(bar), 4), bars))

# %% [markdown] name="recurrent-turn"
# ### Your turn (hard): the same weights at every step
#
# Two scans: one forward with a record, one backward with `reverse=True`, as in `deep_tanh`. What is new is that all steps share one `w`.
# Think about what to record first: the limit is **one** array for each step.

# %% name="your-recurrent" tags=["exercise"]
from solutions.exploding_gradients import recurrent_bwd, recurrent_fwd

# %% name="check-recurrent" tags=["check"]
course.check(recurrent_fwd, recurrent_bwd)

# %% [markdown] name="derive-recurrent"
# <details><summary>After you solved it: the derivation, and what was kept</summary>
#
# A step is an affine layer whose bias has a row for each example. So `h_bar @ w.T` is handed to the step before, `h.T @ h_bar` is
# this step's contribution to `w_bar`, with the `h` that entered, and `h_bar` itself is `x_bar[t]`. The scan puts the last two on record.
# `x_bar` is one of its stacks as it stands; the other is summed over its first axis: *used many times, add*.
#
# Kept: `w` and what entered each step, one array each. `x` is not needed: what is only added has a slope of 1. This is *backpropagation
# through time*, and these arrays are why long sequences take much memory.
# </details>

# %% [markdown] name="norms-by-step"
# ## How fast does it grow? Singular values and eigenvalues
#
# `x_bar[t]` is the cotangent of what step `t` gave. So your pass has put on record how large the cotangent is, all the way back. A single
# product with `w.T` makes a vector longer by the largest **singular value** of `w` at the most. Over $t$ steps this makes a bound, its power $t$:
# the dotted lines. But the direction in which one product stretches most need not be where the last one pointed to. In the long run
# what counts is the size of the largest **eigenvalue**: its powers are the dashed lines, drawn from where the line arrives. (A vector that the matrix
# only makes longer or shorter, without turning it, is an eigenvector, and the factor is its eigenvalue. After many products the largest factor wins.)

# %% name="draw-norms-by-step"
WIDTH, LONG = 16, 60
turning, _ = np.linalg.qr(rng.standard_normal((WIDTH, WIDTH)))
mixing = rng.standard_normal((WIDTH, WIDTH)) / np.sqrt(WIDTH)
mixing = 1.05 * mixing / np.abs(np.linalg.eigvals(mixing)).max()
one_way = 0.5 * np.eye(WIDTH) + 0.6 * np.eye(WIDTH, k=1)
maps = {"it turns, times 0.9": 0.9 * turning, "drawn at random": mixing, "it feeds one way": one_way}
y_bar = np.ones((1, WIDTH), np.float32)
nothing, no_input = np.zeros((1, WIDTH), np.float32), np.zeros((LONG, 1, WIDTH), np.float32)
by_hand = course.solved(recurrent_fwd, recurrent_bwd)


@jax.jit
def sizes_by_step(w):
    """The norm of the cotangent of what each step gives, the last step first."""
    if by_hand:
        x_bar = recurrent_bwd(recurrent_fwd(nothing, w, no_input)[1], y_bar)[2]
    else:
        x_bar = jax.vjp(lambda x: recurrent(nothing, w, x), no_input)[1](y_bar)[0]
    return jnp.linalg.norm(x_bar[::-1, 0], axis=1)


steps_back = np.arange(LONG)
with plots.style():
    figure, panels = plt.subplots(1, 3, figsize=(12.5, 3.8), sharey=True, layout="constrained")
    for axes, (name, w) in zip(panels, maps.items(), strict=True):
        found = np.asarray(sizes_by_step(w))
        stretch, pace = np.linalg.norm(w, 2), np.abs(np.linalg.eigvals(w)).max()
        axes.semilogy(steps_back, found, color=plots.HAND, label="norm of the cotangent")
        axes.semilogy(steps_back, found[0] * stretch**steps_back, ":", color=plots.JAX, label="singular value")
        axes.semilogy(
            steps_back, found[-1] * pace ** (steps_back - LONG + 1), "--", color=plots.INK, label="eigenvalue"
        )
        axes.set(title=name, xlabel="steps back", ylim=(1e-4, 1e6))
        print(f"{name:20}: largest singular value {stretch:.2f}, largest eigenvalue {pace:.2f}, norm {found[-1]:.2e}")
    panels[0].set_ylabel("norm")
    panels[0].legend(fontsize=8)
    plt.show()

# %% [markdown] name="read-norms-by-step"
# - **Left.** A rotation, shrunk by a tenth: both numbers are 0.9, and the line is straight. Nothing to explain.
# - **Middle.** A matrix of independent numbers. The bound says $10^{13}$; it is right, and of no use. The pace is the eigenvalue's, 1.05.
# - **Right.** No eigenvalue is above 0.5, so this cotangent *must* vanish in the end. Before that it grows for twenty steps, as fast as the bound
#   allows at first. A sequence that is shorter than that knows of growth alone.
#
# Below 1, the largest singular value *guarantees* that nothing explodes. Above 1, the largest eigenvalue says that it will, if the sequence is long enough.
#
# ## Where did it go bad?
#
# Back to the run that ended in NaN. Weights, losses and gradients were on record, step by step. The question to ask of such a record is: **which is the first
# step at which anything is infinite or NaN?** The gradient of one layer is enough.
#
# ### Your turn: where it went bad
#
# `history` is a tree of arrays of any shapes, whose first axis counts the steps. Return the number of the first step at which any number of
# any array is not finite. If all are, return how many steps there are.

# %% name="your-first-bad" tags=["exercise"]
from solutions.exploding_gradients import first_bad_step

# %% name="check-first-bad" tags=["check"]
course.check(first_bad_step)

# %% name="find-first-bad"
if course.solved(first_bad_step):
    print("the run above went bad at step", int(first_bad_step(history)))
    print("its first NaN stands at step  ", int(np.argmax(np.isnan(history["w"]))))

# %% [markdown] name="derive-first-bad"
# <details><summary>After you solved it: in words</summary>
#
# `jnp.isfinite` tells both infinities and NaN from numbers. With `reshape(len(array), -1)` each step is a row, whatever shape it had, and
# `.all(axis=1)` makes one truth value of it. A step is fine if all arrays are. `jnp.argmin` of truth values is the place of the first
# False, but 0 if there is none: that must be asked apart.
# </details>

# %% [markdown] name="clipping"
# ## Clipping: not so fast
#
# The gradient that led off the cliff was 600,000. Its *direction* was right: downhill. Only the step was absurd. So before the step is taken, cut
# the gradient down. Three ways are in use, and all of them leave alone what is small enough:
#
# - **by value**: every number is brought into the range from `-limit` to `limit`;
# - **by leaf**: an array whose norm is above `max_norm` is scaled down to it, each array by itself;
# - **by global norm**: one norm for all numbers of all arrays together, and where it is above `max_norm`, one scale for them all.
#
# $$\mathtt{norm} = \sqrt{\textstyle\sum g^2} \text{, over all numbers of all arrays}$$
#
# Optax has the first and the third, and yours are held against it: above the limit, below, exactly at it, and with gradients that are all zero. The second is
# Optax's third, array by array.
#
# ### Your turn: by value
#
# `grads` is a tree of arrays.

# %% name="your-by-value" tags=["exercise"]
from solutions.exploding_gradients import clip_by_value

# %% name="check-by-value" tags=["check"]
course.check(clip_by_value)

# %% [markdown] name="global-turn"
# ### Your turn: by the global norm

# %% name="your-by-global-norm" tags=["exercise"]
from solutions.exploding_gradients import clip_by_global_norm

# %% name="check-by-global-norm" tags=["check"]
course.check(clip_by_global_norm)

# %% [markdown] name="derive-clips"
# <details><summary>After you solved both: in words, and PyTorch's epsilon</summary>
#
# By value: `jnp.clip(leaf, -limit, limit)`, mapped over the tree. By global norm: the root of the sum of the squares of *all* leaves, then
# one scale, `max_norm / norm` where the norm is above `max_norm`, and 1 where it is not. A minimum of the two does the same. Who forgets it
# scales small gradients *up*, and near the minimum, where gradients are small, every step is as long as the others.
#
# At zero, `max_norm / norm` is infinite, but it is not taken; who divides by the norm first gets 0 / 0. PyTorch's `clip_grad_norm_` adds 1e-6 to
# the norm for this reason, so that it shortens a little too much. The `jnp.where` needs no epsilon.
# </details>

# %% [markdown] name="leaf-turn"
# ### More practice: leaf by leaf

# %% name="your-by-leaf-norm" tags=["exercise"]
from solutions.exploding_gradients import clip_by_leaf_norm

# %% name="check-by-leaf-norm" tags=["check"]
course.check(clip_by_leaf_norm)

# %% [markdown] name="two-kinds"
# What is the difference? Sixteen gradients of two numbers each, and a limit of 1. Grey is what came, colour what is left.

# %% name="draw-clips"
if course.solved(clip_by_value) and course.solved(clip_by_global_norm):
    angles = np.linspace(0, 2 * np.pi, 16, endpoint=False) + 0.1
    came = np.stack([np.cos(angles), np.sin(angles)], axis=1) * np.where(np.arange(16) % 4 == 0, 0.7, 2.2)[:, None]
    with plots.style():
        figure, panels = plt.subplots(1, 2, figsize=(9, 4.4), layout="constrained")
        clips = {"by value": clip_by_value, "by norm": clip_by_global_norm}
        for axes, (name, clip), colour in zip(panels, clips.items(), plots.COLOURS, strict=False):
            left = np.asarray(jax.jit(jax.vmap(lambda g, clip=clip: clip(g, 1.0)))(came))
            straight = {"angles": "xy", "scale_units": "xy", "scale": 1}
            axes.quiver(*np.zeros((2, 16)), *came.T, color=plots.INK, alpha=0.35, width=0.004, **straight)
            axes.quiver(*np.zeros((2, 16)), *left.T, color=colour, width=0.009, **straight)
            axes.set(title=name, xlim=(-2.4, 2.4), ylim=(-2.4, 2.4), aspect="equal", xlabel="g[0]", ylabel="g[1]")
            turned = np.abs(np.angle(left @ [1, 1j] / (came @ [1, 1j]), deg=True))
            print(f"{name}: turned by up to {turned.max():.0f} degrees, longest {np.hypot(*left.T).max():.2f}")
        plt.show()

# %% [markdown] name="read-clips"
# By value, what is left ends on a square: long arrows have been turned, and those that had two large numbers all point into a corner. In a million dimensions the corner of such a cube is a thousand times as far from its middle as its faces are. By norm, what is left ends on a
# circle, and no arrow has turned: **a clipped step goes where it would have gone, only less far.** Leaf by leaf lies in between: directions
# are kept within each array and turned between them.
#
# The run from the cliff once more, now with gradients clipped to a norm of 15. (Until your function is right, Optax's own stands in for it.)


# %% name="draw-clipped-descent"
def by_optax(grads, max_norm):
    return optax.clip_by_global_norm(max_norm).update(grads, optax.EmptyState())[0]


clipped = clip_by_global_norm if course.solved(clip_by_global_norm) else by_optax
held_back = descend(jax.jit(lambda w_bar: clipped(w_bar, 15.0)), steps=40)
with plots.style():
    figure, axes = plt.subplots(figsize=(8, 3.4), layout="constrained")
    axes.semilogy(grid, heights, color=plots.INK, label="the loss")
    axes.semilogy(held_back["w"], held_back["loss"], "o-", color=plots.HAND, label="clipped: forty steps")
    axes.set(xlabel="w", ylabel="loss", xlim=(0.9, 1.105), ylim=(1e-6, 1e4))
    axes.legend()
    plt.show()
print("w after forty clipped steps:", held_back["w"][-1])

# %% [markdown] name="clipping-nan"
# Down the cliff in steps of 0.0075, and then by its own strength. One thing clipping can't do:

# %% name="clip-a-nan"
spoilt = jnp.array([[1.0, jnp.nan, 3.0], [1.0, jnp.inf, 3.0]])
for name, clip in {"by Optax": by_optax, "as above": clipped}.items():
    print(name, *jax.jit(jax.vmap(lambda g, clip=clip: clip(g, 1.0)))(spoilt))

# %% [markdown] name="clipping-derivative"
# A NaN stays NaN, and in some forms it spreads, since the norm is NaN, too. An infinity becomes NaN. Clipping has to act *before* it comes to
# that; once the gradient is bad, the step must be left out.
#
# ## Clipping's own derivative
#
# A training step differentiates the loss and then clips; nobody differentiates the clipping. But sometimes training itself is differentiated,
# to learn a learning rate, say; and the same function appears inside networks, to hold weights or inputs within a ball. So what *is* its
# derivative? Take all numbers as one long row:
#
# $$\mathtt{clip\_to\_norm}(g, \mathtt{max\_norm}) = \begin{cases} g & \text{if } \mathtt{norm} \le \mathtt{max\_norm} \\ g \cdot \dfrac{\mathtt{max\_norm}}{\mathtt{norm}} & \text{else} \end{cases}$$
#
# What it does to gradients that lie near each other, on little rings:

# %% name="draw-rings"
ring = np.stack([np.cos(np.linspace(0, 2 * np.pi, 60)), np.sin(np.linspace(0, 2 * np.pi, 60))], axis=1)
centres = np.array([[0.3, -0.35], [0.75, 0.6], [2.0, 0.5], [-1.2, 1.6], [-0.6, -2.0]])
rings = centres[:, None] + 0.25 * ring
images = jax.jit(jax.vmap(jax.vmap(lambda g: clip_to_norm(g, 1.0))))(rings)
with plots.style():
    figure, axes = plt.subplots(figsize=(5, 4.8), layout="constrained")
    axes.plot(*ring.T, color=plots.INK, linestyle=":")
    for before, after in zip(rings, np.asarray(images), strict=True):
        axes.plot(*before.T, color=plots.JAX)
        axes.plot(*after.T, color=plots.HAND, linewidth=3)
    axes.set(title="rings (orange) and what is left (blue)", xlabel="g[0]", ylabel="g[1]", aspect="equal")
    plt.show()

# %% [markdown] name="read-rings"
# Within the circle of radius `max_norm` nothing happens. Outside, a ring comes out as a piece of the circle: **flat**, since being longer or shorter makes no
# difference any more, and **smaller**, the more so the further away it was. The derivative must say just this. JAX's, at a row above the
# norm; and a trap, at 0:


# %% name="jax-clip"
def careless(g, max_norm):
    return g * jnp.minimum(1.0, max_norm / jnp.linalg.norm(g))


g, y_bar = np.array([3.0, 4.0]), np.array([1.0, 0.0])
backward = jax.jit(lambda f, g: jax.vjp(f, g, 2.0)[1](y_bar), static_argnums=0)
g_bar, max_norm_bar = map(np.asarray, backward(clip_to_norm, g))
print("at (3, 4), max_norm 2: g_bar", g_bar, " max_norm_bar", max_norm_bar, f" g_bar along g: {np.sum(g_bar * g):.4f}")
print("at 0, with the course's primal:", backward(clip_to_norm, 0 * g)[0])
print("at 0, written carelessly:      ", backward(careless, 0 * g)[0])

# %% [markdown] name="norm-neighbour"
# The careless one gives the right *value* at 0. But the slope of the root is infinite there, times 0 makes NaN: one array of zeros would spoil everything. Yours
# is tried at zero, too.
#
# ### A worked neighbour: the norm
#
# $\mathtt{norm} = \sqrt{\mathtt{square}}$ with $\mathtt{square} = \sum g^2$. Through the root: $\overline{\mathtt{square}} = \overline{\mathtt{norm}} / (2 \, \mathtt{norm})$. Through the
# sum of squares: $\bar g = 2 g \, \overline{\mathtt{square}}$. Together the twos cancel, and what remains is the *direction* of $g$, a row of
# length 1. That makes sense: a row becomes longer if you push it along itself, and not if you push it sideways.


# %% name="norm-pair" tags=["worked"]
def norm_fwd(g):
    norm = jnp.sqrt(jnp.sum(g**2))
    return norm, (g, norm)


def norm_bwd(residuals, norm_bar):
    g, norm = residuals
    return (norm_bar * g / norm,)


print("by hand", norm_bwd(norm_fwd(g)[1], 1.0)[0], " by JAX", jax.grad(jnp.linalg.norm)(g))

# %% [markdown] name="clip-turn"
# ### Your turn: clipping backward
#
# Above the norm, `g` is used twice: it is scaled, and its norm is in the scale. *Used twice, add.* And `max_norm` is an argument: it has a
# cotangent as well. At the norm itself nothing is cut: take the side below there.

# %% name="your-clip-to-norm" tags=["exercise"]
from solutions.exploding_gradients import clip_to_norm_bwd, clip_to_norm_fwd

# %% name="check-clip-to-norm" tags=["check"]
course.check(clip_to_norm_fwd, clip_to_norm_bwd)

# %% [markdown] name="derive-clip"
# <details><summary>After you solved it: the derivation, and what was kept</summary>
#
# Above the norm, $y = g \cdot s$ with $s = \mathtt{max\_norm} / \mathtt{norm}$. To `g` directly comes `s * y_bar`. To the scale comes `jnp.sum(g * y_bar)`; from there to the
# norm, times $-\mathtt{max\_norm} / \mathtt{norm}^2$, and from the norm to `g`, times `unit`, the direction. Since `g` is `norm * unit`, all of this is
# `s * (y_bar - along * unit)`, with `along = jnp.sum(unit * y_bar)`: take away what lies along `g` (flat), and multiply by the scale (smaller).
# Above, `max_norm_bar` is `along`: what comes out is `max_norm * unit`.
#
# Below, `y_bar` goes through as it is, and nothing comes to `max_norm`. In between lies a kink; at the norm itself the course takes the side below, since nothing is
# cut there.
#
# Kept: `g`, `max_norm`, and the norm, one number that spares a second sum. What comes out is `scale * g`, and need not be kept.
# </details>

# %% [markdown] name="against-decay"
# ## Clipping against weight decay
#
# Clipping looks at a gradient when it has come. Weight decay does not look at gradients: at every step it takes a small part away from every weight,
# and the weights are the factors which cotangents are multiplied by. Clipping **reacts**; decay **prevents**. What is that worth?
#
# First on paper, where a gradient of 1,000 never turns. `optimizers` has all that you need to compute it:
#
# {question exploding_gradients.q2}

# %% name="answer-q2" tags=["question"]
course.answer("exploding_gradients.q2", ...)

# %% [markdown] name="the-runs"
# Now a real task. A recurrent network of eight units reads forty numbers, and shall give their sum, in which older ones count less:
# the weight of a number falls by a twentieth with every step. For that it needs eigenvalues near 0.95, and these are near 1.05, where its gradients explode. Gradient
# descent, 300 steps, a new batch each time; eight different starts, each with six ways of holding it. All 48 runs are one program.

# %% name="train-recurrent"
READ, UNITS, BATCH, STEPS, STARTS = 40, 8, 16, 300, 8
fading = 0.95 ** np.arange(READ - 1, -1, -1)
FREE = 1e30  # a limit that nothing reaches
ways = {
    "neither": (FREE, 0.0),
    "clipping": (1.0, 0.0),
    "decay 0.01": (FREE, 0.01),
    "decay 0.1": (FREE, 0.1),
    "clipping, decay 0.01": (1.0, 0.01),
    "clipping, decay 0.1": (1.0, 0.1),
}


def drawn_start(seed):
    """Weights whose largest eigenvalue is 0.9, and the numbers to be read at every step."""
    draw = np.random.default_rng(seed)
    w = draw.standard_normal((UNITS, UNITS))
    reads, gives = draw.standard_normal((2, UNITS)) / np.sqrt(UNITS)
    params = {"w": 0.9 * w / np.abs(np.linalg.eigvals(w)).max(), "reads": reads, "gives": gives}
    return jax.tree.map(np.float32, (params, draw.standard_normal((STEPS, READ, BATCH))))


def sum_loss(params, numbers):
    """Half the mean squared error, as a part of what is lost by always answering 0."""
    x = numbers[..., None] * params["reads"]
    h = recurrent(jnp.zeros((BATCH, UNITS)), params["w"], x)
    return 0.5 * jnp.mean((h @ params["gives"] - fading @ numbers) ** 2) / np.sum(fading**2)


def train(params, numbers, max_norm, decay):
    def step(params, numbers):
        loss, grads = jax.value_and_grad(sum_loss)(params, numbers)
        seen = loss, optax.global_norm(grads), params["w"]
        grads = clipped(grads, max_norm)
        return jax.tree.map(lambda p, g: p - 0.02 * (g + decay * p), params, grads), seen

    return jax.lax.scan(step, params, numbers)[1]


starts = jax.tree.map(lambda *arrays: np.stack(arrays), *map(drawn_start, range(STARTS)))
limits, decays = np.float32(list(ways.values())).T
every_way = jax.vmap(train, in_axes=(None, None, 0, 0))
losses, norms, weights = map(
    np.asarray, jax.jit(jax.vmap(every_way, in_axes=(0, 0, None, None)))(*starts, limits, decays)
)
alive = np.isfinite(losses).all(axis=2) & np.isfinite(norms).all(axis=2)
print("                        still finite   loss at the end   steps whose gradient was longer than 1")
for place, name in enumerate(ways):
    at_end = np.median(np.where(alive[:, place, None], losses[:, place, -50:], np.inf))
    long = np.mean(norms[:, place][alive[:, place]] > 1.0) if alive[:, place].any() else np.nan
    print(f"{name:22}  {alive[:, place].sum():6} of {STARTS}   {at_end:15.3f}   {long:17.0%}")

# %% [markdown] name="read-table"
# The loss is that of a middling run: `inf` says that half of them or more ended in infinity. An answer of always 0 would have 0.5.
#
# - **Neither**: most starts end in infinity or NaN.
# - **Clipping**: all of them live, and learn. But look at the last column: at most steps the gradient *is* too long. The cause is still there.
# - **Decay alone**: more starts survive than with neither, not all, and it matters how much. The decay of 0.1 keeps more of them from exploding, and keeps them from learning as well: a
#   network that must remember needs large weights. And where a gradient does explode, decay has nothing against it.
# - **Both**: all live, and the gradients are shorter, so that less has to be clipped.
#
# One start of the eight, four ways. The last panel shows what decay works on: the size of the largest eigenvalue of `w`.

# %% name="draw-runs"
shown = ["neither", "clipping", "decay 0.1", "clipping, decay 0.1"]
example = int(np.argmin(alive[:, 0]))  # the first start that explodes with neither
with plots.style():
    figure, panels = plt.subplots(1, 3, figsize=(12.5, 3.9), layout="constrained")
    panels[0].set(title="loss", yscale="log", ylim=(1e-3, 1e4), xlabel="step")
    panels[1].set(title="norm of the gradient, before clipping", yscale="log", ylim=(1e-3, 1e4), xlabel="step")
    panels[2].set(title="largest eigenvalue of w", ylim=(0.4, 1.4), xlabel="step")
    for axes in panels[1:]:
        axes.axhline(1.0, color=plots.INK, linestyle=":")
    for name, colour in zip(shown, plots.COLOURS, strict=False):
        place = list(ways).index(name)
        fine = np.isfinite(losses[example, place]) & np.isfinite(norms[example, place])
        lived = STEPS if fine.all() else int(np.argmin(fine))
        pace = np.abs(np.linalg.eigvals(weights[example, place, :lived])).max(axis=1)
        curves = losses[example, place, :lived], norms[example, place, :lived], pace
        for axes, curve in zip(panels, curves, strict=True):
            axes.plot(curve, color=colour, label=name, linewidth=1.2)
            if lived < STEPS:
                top = min(curve[-1], axes.get_ylim()[1])
                axes.plot(lived - 1, top, "X", color=colour, markersize=9, clip_on=False)
    panels[0].legend(fontsize=8)
    plt.show()

# %% [markdown] name="ask-q3"
# A cross marks where a run ends. (Numbers like these hang on the last digits: on another machine another start may explode. The pattern stays.)
#
# {question exploding_gradients.q3}

# %% name="answer-q3" tags=["question"]
course.answer("exploding_gradients.q3", ...)

# %% [markdown] name="full-answer"
# <details><summary>The full answer, as you might give it in an interview</summary>
#
# **Why gradients explode.** Backward multiplies a cotangent by the transposed weights, once for each layer or time step. If these products grow on average, in a
# recurrent network if the largest eigenvalue is above 1, the gradient grows exponentially. One step along it leads anywhere, the next forward pass overflows,
# and `inf - inf` makes NaN of everything.
#
# **Clipping by the global norm** is *reactive*. At every step it asks how long the gradient is, and shortens it to `max_norm` if need be, with its direction kept. It costs
# next to nothing, acts at once, and does nothing at all while gradients are short: so it hardly changes what is learned. It bounds every single step, to the rate
# times `max_norm`, and not the sum of all steps. It does not remove the cause, and can't mend a NaN that is there already.
# Where it acts at *every* step, the rate in effect is another one than you set, and the gradient is biased: long ones count no more than middling ones.
#
# **Weight decay** is *preventive*. It makes weights smaller at every step, by a fixed part, so that what multiplies the cotangents has less room to grow; together with
# clipping it bounds the weights themselves, at `max_norm / decay`. It is slow, a matter of one over rate times decay steps, so one bad batch is over before it acts. And it changes the optimum:
# too much of it, and the network can't hold what the task asks it to hold.
#
# **When which?** Clipping as a safety belt, practically always, in recurrent networks and transformers with a norm of 1 or so: look at how large your gradients are in good times, and set it
# above that. Decay is chosen for generalisation; that it keeps weights, and so gradients, in bounds comes with it. Both at once is the rule today: AdamW with clipping *before* it. And
# if clipping acts all the time, look for the cause: a rate that is too large, a missing warm-up, an initialisation with factors above 1, no normalisation, or gates that are missing.
# </details>

# %% [markdown] name="why-by-hand"
# **Why write this by hand?** `optax.clip_by_global_norm(1.0)` is one line, and you will write that line. But whether a run died of its rate, of its weights or of one batch
# is not in it. Now you know which numbers to put on record, which step to look at, and what a clipped gradient still tells.
#
# ## In your own words
#
# {question exploding_gradients.text}

# %% name="answer-text" tags=["question"]
course.answer("exploding_gradients.text", ...)

# %% [markdown] name="which-mistake"
# ## Which mistake is this?
#
# Somebody else wrote a function of this lesson. Their numbers beside the right ones:

# %% [markdown] name="ask-q4"
# {question exploding_gradients.q4}

# %% name="somebody-elses-numbers" tags=["shown"]
course.show_mistake("exploding_gradients.q4", draw=0)

# %% name="answer-q4" tags=["question"]
course.answer("exploding_gradients.q4", ...)

# %% [markdown] name="what-you-have"
# ## What you have now
#
# - The same weights again and again: the cotangent is multiplied by one matrix at every step, and what comes back to the weights is a sum over steps.
# - Below 1, the largest singular value rules out that anything explodes; in the long run the largest eigenvalue decides.
# - Look for the first step at which anything is infinite. The first NaN comes later.
# - Clipping by the global norm shortens a step and keeps its direction. It can't mend a NaN, and it does not remove the cause.
# - Clipping reacts at once; decay holds down what multiplies the cotangents, slowly, and moves the optimum.
#
# ## Sources
#
# - Y. Bengio, P. Simard, P. Frasconi, "Learning long-term dependencies with gradient descent is difficult", 1994: the product of Jacobians.
# - R. Pascanu, T. Mikolov, Y. Bengio, "On the difficulty of training recurrent neural networks", 2013, arXiv:1211.5063: singular values, the cliff, and
#   clipping by norm.
# - T. Mikolov, "Statistical language models based on neural networks", doctoral thesis, Brno, 2012: clipping by value.
# - J. Zhang, T. He, S. Sra, A. Jadbabaie, "Why gradient clipping accelerates training", 2020, arXiv:1905.11881.
# - I. Loshchilov, F. Hutter, "Decoupled Weight Decay Regularization", 2019, arXiv:1711.05101.
# - Optax documentation: `clip`, `clip_by_global_norm`, what your answers are held against.
#
# Next: `differentiable_programs`, where the long loop is a simulation, and its gradient finds the constants.
