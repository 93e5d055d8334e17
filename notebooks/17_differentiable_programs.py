# %% [markdown] name="title"
# # The backward pass of a simulation, and of other programs
#
# **Backpropagation is not about networks. What else can you send a cotangent through?**
#
# Any program that is made of differentiable steps: a loop over time, a solver, a fit. Meteorologists did it before anybody trained deep
# networks. They had a model of the weather and the readings of thousands of stations, and asked which state of yesterday's air fits
# today's readings best. That is a loss, a long program, and a gradient by millions of numbers. They called the backward pass the
# **adjoint**, and wrote it by hand.
#
# You do the same for hares and lynxes. First one step in time, the simplest there is; then one of Runge and Kutta's, in which four speeds
# are made of one another; then the whole simulation. Then you recover, from noisy counts alone, the rates that made them.

# %% name="imports"
import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import optax

from course.lessons.differentiable_programs import (
    Rates,
    euler_step,
    growth,
    growth_bwd,
    kepler,
    least_squares,
    rk4_step,
    simulate,
)
from course.show import plots

jax.config.update("jax_enable_x64", True)
np.set_printoptions(precision=4, suppress=True)

# %% [markdown] name="hares"
# ## Hares and lynxes
#
# Hares multiply, and are eaten when they meet a lynx. Lynxes multiply when they meet a hare, and die otherwise. How often do they
# meet? As often as there are pairs of them: hares times lynxes. Alfred Lotka and Vito Volterra wrote that down a hundred years ago:
#
# $$\frac{d\,\mathtt{hares}}{dt} = \mathtt{birth} \cdot \mathtt{hares} - \mathtt{hunting} \cdot \mathtt{hares} \cdot \mathtt{lynxes} \qquad\quad
# \frac{d\,\mathtt{lynxes}}{dt} = \mathtt{feeding} \cdot \mathtt{hares} \cdot \mathtt{lynxes} - \mathtt{death} \cdot \mathtt{lynxes}$$
#
# `growth(state, rates)` is the right-hand side: `state` is an array of both numbers, in thousands, `rates` a `NamedTuple` of the four
# constants, and the result says how fast both numbers grow, per year. To get ahead in time, a program takes small steps. The simplest rule is
# Euler's: go on for `dt` years as fast as you are going now.
#
# $$y = \mathtt{state} + \mathtt{dt} \cdot \mathtt{growth}(\mathtt{state}, \mathtt{rates})$$

# %% name="first-run"
TRUE = Rates(*np.array([0.55, 0.028, 0.024, 0.80]))
START = np.array([30.0, 4.0])
DTS = np.full(200, 0.1)  # 200 steps of a tenth of a year
years = np.cumsum(DTS)


@jax.jit
def by_euler(start, rates, dts):
    return jax.lax.scan(lambda state, dt: (euler_step(state, rates, dt),) * 2, start, dts)[1]


states = np.asarray(jax.jit(simulate)(START, TRUE, DTS))
print("growth at the start:", growth(START, TRUE), "thousand a year")
print("after one step:     ", euler_step(START, TRUE, 0.1), " by Euler's rule")
with plots.style():
    figure, (left, right) = plt.subplots(1, 2, figsize=(11.5, 3.8), width_ratios=(1.5, 1), layout="constrained")
    for place, (kind, colour) in enumerate((("hares", plots.HAND), ("lynxes", plots.JAX))):
        left.plot(years, states[:, place], color=colour, label=kind)
    left.set(title="twenty years", xlabel="years", ylabel="thousands")
    left.legend(loc="upper right")
    right.plot(*np.asarray(by_euler(START, TRUE, DTS)).T, color=plots.COLOURS[3], linewidth=1.2, label="Euler's steps")
    right.plot(*states.T, color=plots.COLOURS[2], label="Runge and Kutta's")
    right.plot(*START, "o", color=plots.INK)
    right.set(title="the same, without the time", xlabel="hares, thousands", ylabel="lynxes, thousands")
    right.legend(loc="upper right")
    plt.show()

# %% [markdown] name="the-question"
# Many hares, then many lynxes, then few hares, then few lynxes. On the right, the truth is a closed curve: after about eleven years everything starts
# again. Euler's steps drift outward, since each follows the speed at its beginning alone. Runge and Kutta's rule, further down,
# averages four speeds, and closes the curve at the same step length.
#
# Now turn it round. Somebody counts the animals, with errors, and does not know the rates. Which rates fit the counts? That is a loss of
# four numbers with a loop of 200 steps inside. JAX differentiates it without being asked twice:


# %% name="jax-gradient"
def misfit(rates, start, seen, run=simulate):
    """The mean square of the differences of logarithms: an error of 5 % counts alike for many animals and for few."""
    return jnp.mean((jnp.log(run(start, rates, DTS)) - jnp.log(seen)) ** 2)


wrong_rates = TRUE._replace(birth=0.6)
loss, rates_bar = jax.jit(jax.value_and_grad(misfit))(wrong_rates, START, states)
print(f"birth taken to be 0.6 and not 0.55: loss {loss:.4f}")
print("its gradient:", *(f"{name} {float(bar):.3f}" for name, bar in rates_bar._asdict().items()), sep="\n   ")

# %% [markdown] name="how-though"
# The gradient says: less birth, for one. By the end of this notebook, these four numbers come from a backward pass of yours.
#
# ## One speed backward
#
# The innermost piece first. Here it is, worked, since you have written many like it: products of two numbers, and the meetings, which are used
# twice. In words: each rate gets what it was multiplied by, times what came back.
#
#     speed of hares  = birth * hares - hunting * meetings
#     speed of lynxes = feeding * meetings - death * lynxes          meetings = hares * lynxes

# %% name="growth-backward" tags=["worked"]
speed_bar = np.array([2.0, -1.0])  # what comes back for the two speeds
hares, lynxes = START

meetings_bar = TRUE.feeding * speed_bar[1] - TRUE.hunting * speed_bar[0]  # used twice, add
hares_bar = TRUE.birth * speed_bar[0] + lynxes * meetings_bar  # used twice, add
lynxes_bar = -TRUE.death * speed_bar[1] + hares * meetings_bar
print("by hand:   ", np.stack([hares_bar, lynxes_bar]))
print("growth_bwd:", growth_bwd((START, TRUE), speed_bar)[0])
print("JAX:       ", jax.jit(lambda: jax.vjp(growth, START, TRUE)[1](speed_bar)[0])())

# %% [markdown] name="growth-bwd"
# `growth_bwd(residuals, speed_bar)` does that for you from here on. Its residuals are the pair `(state, rates)`, and it returns
# `(state_bar, rates_bar)`; `rates_bar` is a `Rates`, too. Remember what it must be given: **the state at which the speed was taken.**
#
# ## One step backward
#
# A neighbour of Euler's step, to see what a step in time does to a cotangent. A hot stone cools by $-x^2$ (which no stone does, but it is
# short). The step is $y = x - \mathtt{dt} \cdot x^2$. In it, $x$ stands **twice**: it is where the step starts from, and it says how fast to go.


# %% name="cooling" tags=["worked"]
def cooling_step(x, dt):
    return x - dt * x**2


x, dt, y_bar = 3.0, 0.1, 1.0
square_bar = -dt * y_bar  # what comes back for x**2
x_bar = y_bar + 2 * x * square_bar  # from where it starts; and from how fast it goes
print(f"by hand: {x_bar:.4f}   JAX: {jax.grad(cooling_step)(x, dt):.4f}")

# %% [markdown] name="ask-q1"
# {question differentiable_programs.q1}

# %% name="answer-q1" tags=["question"]
course.answer("differentiable_programs.q1", ...)

# %% [markdown] name="euler-turn"
# ### Your turn: Euler's step
#
# The pair for `euler_step(state, rates, dt)`. The length of the step is given and nobody asks for its cotangent: return `None` for it.
# `growth` and `growth_bwd` are there to be called.

# %% name="your-euler" tags=["exercise"]
from solutions.differentiable_programs import euler_step_bwd, euler_step_fwd

# %% name="check-euler" tags=["check"]
course.check(euler_step_fwd, euler_step_bwd)

# %% [markdown] name="derive-euler"
# <details><summary>After you solved it: the derivation, and what was kept</summary>
#
# With `speed = growth(state, rates)`, the step is `y = state + dt * speed`, so `speed_bar = dt * y_bar`. `growth_bwd((state, rates), speed_bar)` turns
# it into what came back through growth. The state itself stands in `y` besides, with a factor of 1: `y_bar + by_growth`.
#
# That first term is worth a second look. It is the skip connection of a residual network, $h + f(h)$: a step in time *is* a residual layer, and however
# many steps there are, a cotangent always has a way back on which nothing shrinks it. When the steps get small, what a layer adds gets small, and
# people speak of "neural differential equations".
#
# Kept: state, rates and dt. The speed is not needed, since `y` is linear in it.
# </details>

# %% [markdown] name="rk4"
# ## Runge and Kutta's step: four speeds
#
# Euler's step looks at the speed once, at the start. Runge and Kutta's looks four times: at the start, twice half-way, and at the end.
# Each look is taken where the one before leads to. Then it goes the whole way at the average, in which the two looks half-way count double:
#
# $$k_1 = \mathtt{growth}(\mathtt{state}) \qquad k_2 = \mathtt{growth}(\mathtt{state} + \tfrac{\mathtt{dt}}{2} k_1) \qquad k_3 = \mathtt{growth}(\mathtt{state} + \tfrac{\mathtt{dt}}{2} k_2) \qquad k_4 = \mathtt{growth}(\mathtt{state} + \mathtt{dt} \, k_3)$$
#
# $$y = \mathtt{state} + \tfrac{\mathtt{dt}}{6} \, (k_1 + 2 k_2 + 2 k_3 + k_4)$$
#
# Here is one step of most of a year, far longer than anybody would take it, so that there is something to see. The arrows are a quarter of
# each speed:

# %% name="draw-rk4"
here, year = np.array([55.0, 22.0]), 0.8
truth = np.asarray(simulate(here, TRUE, np.full(80, year / 80)))
k1 = np.asarray(growth(here, TRUE))
places, speeds = [here], [k1]
for part in (0.5, 0.5, 1.0):
    places.append(here + part * year * speeds[-1])
    speeds.append(np.asarray(growth(places[-1], TRUE)))
by_rk4 = np.asarray(rk4_step(here, TRUE, year))
with plots.style():
    figure, axes = plt.subplots(figsize=(8, 4.6), layout="constrained")
    axes.plot(*np.vstack([here, truth]).T, color=plots.INK, linestyle=":", label="the truth")
    for number, (place, speed, colour) in enumerate(zip(places, speeds, plots.COLOURS, strict=False), 1):
        axes.annotate(
            "", place + 0.25 * speed, place, arrowprops={"arrowstyle": "-|>", "color": colour, "lw": 2}, zorder=3
        )
        axes.plot(*place, "o", color=colour, markersize=6, label=f"k{number}, taken here")
    for end, text, shift in (
        (here + year * k1, "Euler's step", (8, -12)),
        (by_rk4, "Runge and Kutta's step", (-8, -22)),
    ):
        axes.plot(*end, "x", color=plots.INK, markersize=9, markeredgewidth=2)
        axes.annotate(text, end, shift, textcoords="offset points", ha="right" if shift[0] < 0 else "left")
    axes.set(title=f"one step of {year} years", xlabel="hares, thousands", ylabel="lynxes, thousands")
    axes.set(xlim=(41, 57), ylim=(21, 34.5))
    axes.legend(loc="lower left")
    plt.show()
off_by = [float(np.linalg.norm(end - truth[-1])) for end in (here + year * k1, by_rk4)]
print(f"off by, in thousands: Euler {off_by[0]:.3f}, Runge and Kutta {off_by[1]:.3f}")

# %% [markdown] name="rk4-uses"
# Backward, the picture is a net of uses. Draw it on paper before you write: which of the four looks feed which?
#
#     state ──> k1 ──> k2 ──> k3 ──> k4        each k is also used in the average
#       │       the state is also used at every one of the four looks, and in y itself
#
# Go through the lines of forward from the last to the first. By the time you come to a `k`, you must have collected what comes back from **all**
# of its uses. *Used twice, add.*
#
# ### Your turn (hard): one step of Runge and Kutta's

# %% name="your-rk4" tags=["exercise"]
from solutions.differentiable_programs import rk4_step_bwd, rk4_step_fwd

# %% name="check-rk4" tags=["check"]
course.check(rk4_step_fwd, rk4_step_bwd)

# %% [markdown] name="derive-rk4"
# <details><summary>After you solved it: the derivation, and what was kept</summary>
#
# `k4` is used once, in the average: `k4_bar = dt / 6 * y_bar`. Through growth, at the state where it was taken, to `state4_bar`. Now `state4 = state + dt * k3`: so
# `k3` gets `dt * state4_bar` from there, and `dt / 3 * y_bar` from the average (2/6 is 1/3). Through growth at `state3`, and so on:
#
#     k4_bar = dt / 6 * y_bar                            -> state4_bar, rates4_bar
#     k3_bar = dt / 3 * y_bar + dt * state4_bar          -> state3_bar, rates3_bar
#     k2_bar = dt / 3 * y_bar + dt / 2 * state3_bar      -> state2_bar, rates2_bar
#     k1_bar = dt / 6 * y_bar + dt / 2 * state2_bar      -> state1_bar, rates1_bar
#
# The state was used five times: at four looks, and in `y`. So `state_bar` is a sum of five, and `rates_bar` of four.
#
# Kept: the four states at which speeds were taken. Or only the first, since the other three can be made again, at the price of
# three more calls of `growth`. For the whole simulation, that is what we do.
# </details>

# %% [markdown] name="whole"
# ## The whole simulation
#
# `simulate(start, rates, dts)` is a scan of such steps. It returns the state after every step, so that a loss may look at each of them.
# What is new is that one thing, the rates, is used in *every* step. A neighbour with one number shows what becomes of that: money at
# interest, `x = x * (1 + rate)` each year, with the balance of every year returned.
#
# On the way back, the balance after a year has two cotangents: one from outside, since it was returned, and one that comes
# back from the following year. The rate gets something from every year.


# %% name="interest" tags=["worked"]
def savings(start, rate):
    return jax.lax.scan(lambda x, _: (x * (1 + rate),) * 2, start, length=4)[1]


start, rate = 100.0, 0.05
balances, pullback = jax.vjp(jax.jit(savings), start, rate)
balances_bar = np.array([0.0, 1.0, 0.0, 2.0])  # somebody's loss looks at the second year, and twice at the fourth

x_bar, rate_bar = 0.0, 0.0
for year in (3, 2, 1, 0):  # the last year first
    x_bar = x_bar + balances_bar[year]  # from the following year, and from outside
    x_before = float(balances[year - 1]) if year else start
    rate_bar = rate_bar + x_bar * x_before  # every year adds something
    x_bar = x_bar * (1 + rate)  # to the balance before this year
print("by hand:", np.stack([x_bar, rate_bar]))
print("JAX:    ", np.stack(pullback(balances_bar)))

# %% [markdown] name="simulate-turn"
# ### Your turn (hard): the adjoint of the simulation
#
# Forward may keep **the states and nothing more**: one row of two numbers for a step, and one more. What a step made on its way, the four looks, is
# made again when backward gets there; your `rk4_step_fwd` does it, if you know the state at which the step began.
#
# A scan over several arrays takes them as a tuple, `jax.lax.scan(f, first, (these, those), reverse=True)`, and hands `f` a row of each. What `f`
# puts on record may be a `Rates`: then each of its four fields becomes an array with a row for each step.

# %% name="your-simulate" tags=["exercise"]
from solutions.differentiable_programs import simulate_bwd, simulate_fwd

# %% name="check-simulate" tags=["check"]
course.check(simulate_fwd, simulate_bwd)

# %% [markdown] name="derive-simulate"
# <details><summary>After you solved it: the derivation, and what was kept</summary>
#
# The state before each step: `before = jnp.concatenate([start[None], states[:-1]])`. One step back: the state after it has what is carried, `after_bar`, and its
# row of `states_bar`. Their sum goes into `rk4_step_bwd`, with the residuals that `rk4_step_fwd(state, rates, dt)` makes anew. What comes out for the state is carried on;
# what comes out for the rates goes on record. Scan with `reverse=True` from zeros; then each rate's record is summed: `jnp.sum(bars, axis=0)`.
# Or carry a running sum of the rates' cotangents.
#
# Kept: `states`, which is the value anyway. Making the steps again costs one more forward run, about a quarter of the whole, and saves most of the memory.
# </details>

# %% name="bytes-kept"
_, pullback = jax.eval_shape(lambda *primals: jax.vjp(simulate, *primals), START, TRUE, DTS)
kept_by_jax = sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(pullback))
print(f"200 steps: {states.nbytes} bytes of states, {kept_by_jax} bytes in the residuals of jax.vjp")
if course.solved(simulate_fwd, simulate_bwd):
    _, kept = jax.eval_shape(simulate_fwd, START, TRUE, DTS)
    mine = sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(kept))
    print(f"           {mine} bytes in yours, arguments included")

# %% [markdown] name="checkpoints"
# JAX keeps what every operation of every stage needs, unless it is told otherwise (`jax.checkpoint` around the step tells it to do what you
# do). For 200 steps of two numbers nobody cares. For the weather it decides whether a gradient can be had at all. There one goes a step further, and
# keeps not even every state:
#
# {question differentiable_programs.q2}

# %% name="answer-q2" tags=["question"]
course.answer("differentiable_programs.q2", ...)

# %% [markdown] name="adjoint-text"
# ## What an adjoint says
#
# A cotangent of a simulation's state has a meaning in the world: *if there were one lynx more at this moment, by how much would the outcome differ?* Here the outcome
# is the number of hares in year 20. To see the cotangent of the state at every moment, add a nudge of zero after every step, and ask for
# the cotangents of the nudges. (The steps are yours, once your `rk4_step` is right; JAX's until then.)

# %% name="draw-adjoint"
step = course.as_jax(rk4_step_fwd, rk4_step_bwd) if course.solved(rk4_step_fwd, rk4_step_bwd) else rk4_step


@jax.jit
def hares_at_the_end(nudges):
    def nudged(state, inside):
        dt, nudge = inside
        return step(state, TRUE, dt) + nudge, None

    return jax.lax.scan(nudged, START, (DTS, nudges))[0][0]


nudge_bars = np.asarray(jax.jit(jax.grad(hares_at_the_end))(np.zeros((200, 2))))
with plots.style():
    figure, (above, below) = plt.subplots(2, 1, figsize=(9, 5), sharex=True, layout="constrained")
    for place, (kind, colour) in enumerate((("hares", plots.HAND), ("lynxes", plots.JAX))):
        above.plot(years, states[:, place], color=colour, label=kind)
        below.plot(years, nudge_bars[:, place], color=colour)
    above.set(title="the simulation: read from left to right", ylabel="thousands")
    above.legend(loc="upper left")
    below.axhline(0, color=plots.INK, linewidth=0.8)
    below.set(
        title="its adjoint: read from right to left",
        xlabel="years",
        ylabel="hares in year 20\nper animal more",
    )
    plt.show()
print("in year 20 itself:", nudge_bars[-1], "  twelve months before:", nudge_bars[-11])

# %% [markdown] name="read-adjoint"
# At the right end one hare more is one hare more, and a lynx changes nothing yet. Going back, lynxes begin to matter, and then everything
# swings: one more lynx in a bad year moves the whole cycle, so that year 20 falls on another part of it. When a model has chaos, as the
# weather does, this line grows exponentially toward the left, and after two weeks or so a gradient tells nothing any more. It is an exploding gradient, and
# right all the same.
#
# ## From counts to rates
#
# Now the counts: the truth, with errors of 3 %. Of it, the fit knows only the noisy numbers. It starts with rates that are off by a third, and
# with the first count for a start. The rates are written as exponentials, so that they stay above 0 whatever a step does, and Adam takes the steps.
# The gradient comes from your pair (or JAX's, until yours is right).

# %% name="fit"
yours = course.solved(simulate_fwd, simulate_bwd)
run = course.as_jax(simulate_fwd, simulate_bwd) if yours else simulate
rng = np.random.default_rng(0)
seen = states * np.exp(0.03 * rng.standard_normal(states.shape))
ADAM_STEPS = 250


def loss_of(logs):
    rates, start = jax.tree.map(jnp.exp, logs)
    return misfit(rates, start, seen, run)


@jax.jit
def fit(logs):
    """Takes Adam's steps: the loss and the logarithms before each of them."""
    adam = optax.adam(0.05)

    def adam_step(carried, _):
        logs, state = carried
        loss, grads = jax.value_and_grad(loss_of)(logs)
        updates, state = adam.update(grads, state)
        return (optax.apply_updates(logs, updates), state), (loss, logs)

    return jax.lax.scan(adam_step, (logs, adam.init(logs)), length=ADAM_STEPS)[1]


guess = Rates(*(rate * factor for rate, factor in zip(TRUE, (1.33, 0.67, 1.33, 0.67), strict=True)))
losses, (log_rates, log_starts) = jax.device_get(fit(jax.tree.map(np.log, (guess, seen[0]))))
found = jax.tree.map(lambda logs: np.exp(logs[-1]), log_rates)
print(f"by {'your pair' if yours else 'JAX, until your pair is right'}: loss {losses[0]:.3f} -> {losses[-1]:.5f}")
for name, true, first, last in zip(Rates._fields, TRUE, guess, found, strict=True):
    print(
        f"{name:8} true {true:.4f}   guessed {first:.4f}   found {last:.4f}   off by {100 * (last / true - 1):+.2f} %"
    )

# %% name="draw-fit"
before, after = (np.asarray(jax.jit(simulate)(*at, DTS)) for at in ((seen[0], guess), (np.exp(log_starts[-1]), found)))
with plots.style():
    figure, panels = plt.subplots(1, 3, figsize=(13, 4), width_ratios=(1.3, 1.3, 1), layout="constrained")
    for axes, path, title in zip(panels, (before, after), ("before", "after"), strict=False):
        for place, (kind, colour) in enumerate((("hares", plots.HAND), ("lynxes", plots.JAX))):
            axes.plot(years, seen[:, place], ".", color=colour, markersize=3, alpha=0.6)
            axes.plot(years, path[:, place], color=colour, label=kind)
        axes.set(title=f"{title} the fit: dots are counts", xlabel="years", ylim=(0, 130))
    panels[0].set_ylabel("thousands")
    panels[1].legend(loc="upper left")
    for name, true, logs, colour in zip(Rates._fields, TRUE, log_rates, plots.COLOURS, strict=False):
        panels[2].plot(np.exp(logs) / true, color=colour, label=name)
    panels[2].axhline(1, color=plots.INK, linestyle=":")
    panels[2].set(title="each rate, over its true value", xlabel="step of Adam's", ylim=(0.5, 1.6))
    panels[2].legend(loc="upper right", ncols=2)
    plt.show()

# %% [markdown] name="read-fit"
# All four within a percent of the truth, from counts with errors of 3 %: errors average out over 400 numbers, and the curve has to fit all of them at once.
#
# **Why write this by hand?** Here, people did, for decades: when forecasters began to fit yesterday's air to today's readings (F.-X. Le Dimet and
# O. Talagrand, 1986), and engineers to shape wings by the gradient of their drag (A. Jameson, 1988), nothing could differentiate their
# programs for them. Today much of such code is generated: WRF's adjoint, for one, comes out of a tool. But in large models parts are still
# written and kept by hand, for speed, for memory, or because the step itself is a solver. ECMWF publishes such a piece of its weather
# model, a cloud scheme with its tangent and its adjoint, for others to practise on; and it is tested by the same identity,
# $\langle \bar x, \dot x \rangle = \langle \bar y, \dot y \rangle$, that stands behind your verdicts here. What pays off even with JAX at hand is to know which states
# are kept, and which are made again.
#
# ## A loop that stops when it is done
#
# `simulate` makes as many steps as it is told to. A solver does not know beforehand how many it needs. Where is a planet on its
# ellipse, when so much of its year has gone by? Kepler's equation has no solution in a formula:
#
# $$\mathtt{anomaly} - \mathtt{eccentricity} \cdot \sin(\mathtt{anomaly}) = \mathtt{mean\_anomaly}$$
#
# The mean anomaly is the time, as an angle; the anomaly is another angle, which tells the place. `kepler` makes Newton's steps in a `lax.while_loop`, until no planet moves any
# more.

# %% name="draw-kepler"
times, squashed = np.linspace(0, 2 * np.pi, 25)[:-1], 0.7
moving = (np.ones(24), np.zeros(24))  # time goes on, the ellipse stays
in_time = jax.jit(lambda *at: jax.jvp(kepler, at, moving))
anomaly, anomaly_dot = map(np.asarray, in_time(times, np.full(24, squashed)))
with plots.style():
    figure, axes = plt.subplots(figsize=(6.4, 3.8), layout="constrained")
    axes.plot(np.cos(anomaly), np.sqrt(1 - squashed**2) * np.sin(anomaly), "o", color=plots.HAND)
    axes.plot(squashed, 0, "o", color=plots.JAX, markersize=14)
    axes.annotate("the sun", (squashed, 0), (0, -20), textcoords="offset points", ha="center")
    axes.set(title="24 moments of a year, equally far apart: eccentricity 0.7", aspect="equal")
    axes.grid(visible=False)
    plt.show()
print(f"forward mode: anomaly_dot nearest to the sun {anomaly_dot[0]:.3f}, furthest from it {anomaly_dot[12]:.3f}")

# %% [markdown] name="reverse-refused"
# Forward mode goes through the loop: the tangent is carried along. And reverse mode?

# %% name="reverse-mode-refused"
try:
    jax.jit(lambda: jax.vjp(kepler, times, np.full(24, squashed))[1](times))()
except ValueError as refusal:
    print(refusal)

# %% [markdown] name="ask-q3"
# {question differentiable_programs.q3}

# %% name="answer-q3" tags=["question"]
course.answer("differentiable_programs.q3", ...)

# %% [markdown] name="implicit"
# ## More practice: the rule of a solver, without its loop
#
# There is a way round the loop altogether. Nobody needs to know *how* an equation was solved to know how its solution moves. Take a
# neighbour, the cube root: $y^3 = x$, solved by whatever means. The equation holds before $x$ moves and after, so both sides move at the same
# speed: $3 y^2 \dot y = \dot x$. Solve for $\dot y$:


# %% name="cube-root" tags=["worked"]
def cube_root_jvp(primals, tangents):
    (x,), (x_dot,) = primals, tangents
    y = jnp.cbrt(x)  # by whatever means
    return y, x_dot / (3 * y**2)


print("by hand:", jnp.stack(cube_root_jvp((8.0,), (1.0,))))
print("JAX:    ", jnp.stack(jax.jvp(jnp.cbrt, (8.0,), (1.0,))))

# %% [markdown] name="kepler-turn"
# ### Your turn: Kepler's equation
#
# A tangent rule, as in `forward_mode`: `kepler_jvp(primals, tangents) -> (anomaly, anomaly_dot)`. Both arguments move. Call `kepler` for the
# value.

# %% name="your-kepler" tags=["exercise"]
from solutions.differentiable_programs import kepler_jvp

# %% name="check-kepler" tags=["check"]
course.check(kepler_jvp)

# %% [markdown] name="derive-kepler"
# <details><summary>After you solved it: the derivation</summary>
#
# Both sides move at the same speed:
# $\dot{\mathtt{anomaly}} - \dot{\mathtt{ecc}} \sin(\mathtt{anomaly}) - \mathtt{ecc} \cos(\mathtt{anomaly}) \, \dot{\mathtt{anomaly}} = \dot{\mathtt{mean}}$.
# What is known, on one side: `mean_anomaly_dot + jnp.sin(anomaly) * eccentricity_dot`. Before `anomaly_dot` stands `1 - eccentricity * jnp.cos(anomaly)`. Divide.
#
# The rule is linear in the tangents and has no loop in it. So JAX can turn it round, and **reverse mode works again**: see below.
# </details>

# %% name="reverse-again"
if course.solved(kepler_jvp):
    with_your_rule = jax.custom_jvp(kepler)
    with_your_rule.defjvp(kepler_jvp)
    pulled_back = jax.jit(lambda *at: jax.vjp(with_your_rule, *at)[1](np.ones(24)))(times, np.full(24, squashed))
    print("reverse mode past a while_loop, by your rule:", *(np.asarray(bar)[:3] for bar in pulled_back))

# %% [markdown] name="least-squares"
# ## More practice: a fit, backward
#
# `least_squares(a, b)` finds the `x` at which `a @ x` is nearest to `b`, by solving `matrix @ x = right` with `matrix = a.T @ a` and `right = a.T @ b`.
# A solve is an equation as well. Both sides move: $\dot M x + M \dot x = \dot r$, so $\dot x = M^{-1} (\dot r - \dot M x)$.
#
# Now turn that round: $\langle \bar x, \dot x \rangle$ must be $\langle \bar r, \dot r \rangle + \langle \bar M, \dot M \rangle$. The first term gives
# $\bar r = M^{-\top} \bar x$: *the cotangent goes back through a solve by another solve, with the matrix transposed.* The second is
# $-\bar r^\top \dot M x$, so that $\bar M_{ij} = -\bar r_i \, x_j$. Here is a solve with a matrix that is not its own transpose:

# %% name="solve-backward" tags=["worked"]
m, r = np.array([[2.0, 1.0], [0.0, 4.0]]), np.array([1.0, 3.0])
x, x_bar = np.linalg.solve(m, r), np.array([1.0, -1.0])
r_bar = np.linalg.solve(m.T, x_bar)
m_bar = -r_bar[:, None] * x
print("by hand:", m_bar.ravel(), r_bar)
print("JAX:    ", *(np.ravel(bar) for bar in jax.jit(lambda: jax.vjp(jnp.linalg.solve, m, r)[1](x_bar))()))

# %% [markdown] name="fit-turn"
# ### Your turn (hard): a least-squares fit
#
# `a` stands in three places: twice in `a.T @ a`, once in `a.T @ b`.

# %% name="your-fit" tags=["exercise"]
from solutions.differentiable_programs import least_squares_bwd, least_squares_fwd

# %% name="check-fit" tags=["check"]
course.check(least_squares_fwd, least_squares_bwd)

# %% [markdown] name="derive-fit"
# <details><summary>After you solved it: the derivation</summary>
#
# Through the solve: `right_bar = jnp.linalg.solve(a.T @ a, x_bar)`, since the matrix is its own transpose, and `matrix_bar = -jnp.outer(right_bar, x)`. Through `right = a.T @ b`: `b_bar = a @ right_bar`, and
# `jnp.outer(b, right_bar)` for `a`. Through `a.T @ a`, entry $ij$ of which is $\sum_n a_{ni} a_{nj}$: `a @ matrix_bar.T` from the one use, `a @ matrix_bar` from the other.
#
# Put together it is short: with the errors that are left, `rest = b - a @ x`, the whole is `jnp.outer(rest, right_bar) - jnp.outer(a @ right_bar, x)`.
# </details>

# %% [markdown] name="leverage"
# What is it good for? `b_bar` for the slope of a line says how much each measured point pulls at it: points at the ends pull most, one in the
# middle not at all.

# %% name="draw-leverage"
there = np.linspace(0, 10, 11)
measured = 1 + 0.5 * there + rng.standard_normal(11)
line = np.stack([np.ones(11), there], axis=1)
one_of_the_fit = np.array([0.0, 1.0])  # the cotangent that asks for the slope
fitted = least_squares
if course.solved(least_squares_fwd, least_squares_bwd):
    fitted = course.as_jax(least_squares_fwd, least_squares_bwd)


@jax.jit
def fit_and_pull(a, b):
    x, pullback = jax.vjp(fitted, a, b)
    return x, pullback(one_of_the_fit)[1]


x, pull = map(np.asarray, fit_and_pull(line, measured))
with plots.style():
    figure, axes = plt.subplots(figsize=(8, 3.6), layout="constrained")
    axes.plot(there, line @ x, color=plots.INK, linewidth=1)
    axes.plot(there, measured, "o", color=plots.HAND)
    for place, height, part in zip(there, measured, pull, strict=True):
        axes.annotate(
            "",
            (place, height + 30 * part),
            (place, height),
            arrowprops={"arrowstyle": "-|>", "color": plots.JAX, "lw": 2},
        )
    axes.set(title="how much each point, raised, would raise the slope", xlabel="where it was measured")
    axes.margins(0.05, 0.3)
    plt.show()

# %% [markdown] name="in-your-own-words"
# ## In your own words
#
# {question differentiable_programs.text}

# %% name="answer-text" tags=["question"]
course.answer("differentiable_programs.text", ...)

# %% [markdown] name="which-mistake"
# ## Which mistake is this?
#
# Somebody else wrote a backward pass of this lesson. Rates are in quarters and steps take half a year, so that an Euler step can be redone on
# paper. Look first at what is right: a cotangent that is right shows that the way to it is.

# %% [markdown] name="ask-q4"
# {question differentiable_programs.q4}

# %% name="somebody-elses" tags=["shown"]
course.show_mistake("differentiable_programs.q4", draw=0)

# %% name="answer-q4" tags=["question"]
course.answer("differentiable_programs.q4", ...)

# %% [markdown] name="what-you-have"
# ## What you have now
#
# - A step in time adds to the state: its pair is that of a block with a skip connection, and a simulation's is a scan of it in reverse.
# - In a step of several stages go from the last line to the first, and collect all uses of a number before it passes anything on.
# - Keep the states and make the rest again; or keep every so many of them, where even that is too much.
# - What was found by a solver needs no loop backward: the equation holds before and after, and says how its solution moves.
#
# ## Sources
#
# - A. J. Lotka, "Elements of Physical Biology", 1925; V. Volterra, "Fluctuations in the abundance of a species considered mathematically",
#   Nature 118, 1926: hares and lynxes. B. Carpenter, "Predator-prey population dynamics: the Lotka-Volterra model in Stan", 2018: rates like ours,
#   found from the pelts that the Hudson's Bay Company counted.
# - W. Kutta, "Beitrag zur näherungsweisen Integration totaler Differentialgleichungen", 1901: the four speeds.
# - F.-X. Le Dimet, O. Talagrand, "Variational algorithms for analysis and assimilation of meteorological observations: theoretical aspects",
#   Tellus 38A, 1986; A. Jameson, "Aerodynamic design via control theory", Journal of Scientific Computing 3, 1988: adjoints at work.
# - ECMWF, [dwarf-p-cloudsc2-tl-ad](https://github.com/ecmwf-ifs/dwarf-p-cloudsc2-tl-ad): a cloud scheme, its tangent and its adjoint, each with its test.
# - A. Griewank, "Achieving logarithmic growth of temporal and spatial complexity in reverse automatic differentiation", 1992: which states to
#   keep. A. Griewank, A. Walther, "Evaluating Derivatives", second edition, SIAM, 2008, chapters 12 and 15.
# - R. T. Q. Chen et al., "Neural Ordinary Differential Equations", 2018, arXiv:1806.07366: a network as such a simulation.
#
# Next: `convolution`, the first of the architectures that people train. Or a program of your own: `course.compare(primal, fwd, bwd, *primals)` judges its
# pair as yours were judged here.
