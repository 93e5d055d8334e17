# %% [markdown] name="title"
# # Checkpointing: save less, and compute it again
#
# **The network fits into memory, its parameters fit twice. Training it does not fit. Must everything that forward makes be kept?**
#
# In `cost_of_backprop` you counted what forward leaves behind for backward: something of every layer, for every row. There is another way. What a layer gave can be *made again* from what
# entered it, when backward gets there. That takes time, so the question is how much is to be made again, and how much memory that is worth.
#
# You write the backward pass of one deep network three times. All three give the same numbers. The first keeps every layer, the second a start for each segment, the third next to nothing. You compute what is the
# best that can be done, and you see a compiler undo all of it.

# %% name="imports"
import time

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np

from course.comparison.counting import count
from course.comparison.residuals import residual_bytes, vjp_residual_bytes
from course.exercises import revolve
from course.lessons.checkpointing import Blocks, Streams, reversible_blocks, segmented_layers
from course.lessons.cost_of_backprop import separate_layers
from course.lessons.linear_and_activations import tanh
from course.show import plots

np.set_printoptions(precision=4, suppress=True)
rng = np.random.default_rng(0)

# %% [markdown] name="what-is-held"
# ## What is held at once
#
# The network of this lesson is `separate_layers(ws, x)` from `cost_of_backprop`: layer after layer
#
#     x = tanh(x @ w)
#
# with a `w` of its own, all of one width, stacked in `ws` of shape (layers, d, d). What a layer gives has the shape of `x`, so we count memory in **arrays of that shape**. Weights and their
# cotangents are there in any case, and are left out.
#
# Two figures of a pass are to be told apart:
#
# - what is **saved**: what forward hands over to backward;
# - the **peak**: the most that is held at any one moment, in forward, in backward, or between.
#
# Both can be read off the program, without running it. Here is the network alone, and with the cotangents that JAX makes of it:


# %% name="held-by-jax"
ROWS, WIDTH = 1024, 32


def like(*shape):
    """An array of a shape, without its numbers."""
    return jax.ShapeDtypeStruct(shape, np.float32)


LAYER = like(ROWS, WIDTH)


def weights(*shape):
    return like(*shape, WIDTH, WIDTH)


def arrays(size):
    """Bytes in arrays of one layer."""
    return size / (4 * ROWS * WIDTH)


def by_jax(primal):
    """Value and cotangents as one program."""

    def both(ws, x, y_bar):
        y, pullback = jax.vjp(primal, ws, x)
        return y, pullback(y_bar)

    return both


def held(program, ws):
    """The peak without the cotangents of the weights, in arrays of one layer."""
    return arrays(count(program, ws, LAYER, LAYER).peak_bytes - 4 * ws.size)


for layers in (4, 16, 64):
    ws = weights(layers)
    alone = arrays(count(separate_layers, ws, LAYER).peak_bytes)
    print(
        f"{layers:3} layers: the network alone holds {alone:3.0f} arrays at its peak; "
        f"with JAX's cotangents {held(by_jax(separate_layers), ws):4.0f}, "
        f"of which saved {arrays(vjp_residual_bytes(separate_layers, ws, LAYER)):4.0f}"
    )

# %% [markdown] name="plain-text"
# The network alone needs the same however deep it is: a layer's input is forgotten when its output is there. Training grows with depth.
#
# ## Everything kept
#
# JAX saves two or three arrays a layer, by its version. How few are enough, if nothing is to be made again? A neighbour, with single numbers: `x = sin(s * x)` for each `s` of a list. The slope of the sine is a cosine, and is made of what
# *entered* the round. So that is what forward puts on record:


# %% name="sines" tags=["worked"]
def sines(scales, x):
    return jax.lax.scan(lambda x, s: (jnp.sin(s * x), None), x, scales)[0]


def sines_fwd(scales, x):
    def one_round(x, s):
        return jnp.sin(s * x), x  # handed on, and put on record: what entered

    y, xs = jax.lax.scan(one_round, x, scales)
    return y, (scales, xs)


def sines_bwd(residuals, y_bar):
    def one_round(y_bar, kept):
        s, x = kept
        inner_bar = y_bar * jnp.cos(s * x)
        return inner_bar * s, inner_bar * x  # to the round before, and on record: what the scale gets

    x_bar, scales_bar = jax.lax.scan(one_round, y_bar, residuals, reverse=True)
    return scales_bar, x_bar


scales = np.float32([1.5, 0.7, 2.0, 1.2])
start = np.float32(0.8)
print("by hand:", *sines_bwd(sines_fwd(scales, start)[1], np.float32(1.0)))
print("by JAX: ", *jax.vjp(sines, scales, start)[1](jnp.float32(1.0)))

# %% [markdown] name="plain-turn"
# ### Your turn: every layer kept
#
# The pair for `separate_layers(ws, x)`. Here the slope is made of what the layer *gave*, `1 - y**2`, and `w` wants to meet what *entered*. But what one layer gave is what enters the next, so one array a layer is enough: save
# no more than one for each layer, and one more.
#
# A scan may carry more than one thing. It helps to carry back, beside the cotangent, what the layer gave.

# %% name="your-separate" tags=["exercise"]
from solutions.checkpointing import separate_layers_bwd, separate_layers_fwd

# %% name="check-separate" tags=["check"]
course.check(separate_layers_fwd, separate_layers_bwd)

# %% [markdown] name="derive-separate"
# <details><summary>After you solved it: the derivation, and what was saved</summary>
#
# Of `y = tanh(x @ w)`: `z_bar = y_bar * (1 - y**2)`, for `w` then `x.T @ z_bar`, and `z_bar @ w.T` for the layer before. What this layer calls `x` is what the layer before calls `y`. So the loop back carries `(y, y_bar)`, takes `(w, x)` from the record, and hands on
# `(x, z_bar @ w.T)`. It begins with the network's own `y` and `y_bar`.
#
# Saved: what entered each layer, and the last `y`. Not the slopes, not `x @ w`: both are made of these by one operation.
# </details>


# %% name="held-by-pair"
def as_one(fwd, bwd):
    """A pair as one program, from the arguments to value and cotangents."""

    def both(ws, x, y_bar):
        y, residuals = fwd(ws, x)
        return y, bwd(residuals, y_bar)

    return both


if course.solved(separate_layers_fwd, separate_layers_bwd):
    for layers in (4, 16, 64):
        ws = weights(layers)
        saved = arrays(residual_bytes(separate_layers_fwd, ws, LAYER))
        print(
            f"{layers:3} layers: your pair saves {saved:.0f} arrays, "
            f"and holds {held(as_one(separate_layers_fwd, separate_layers_bwd), ws):.0f} at its peak"
        )
else:
    print("run this cell again when separate_layers is right: it shows what your pair holds")

# %% [markdown] name="segments-text"
# Far less than JAX's, with the same FLOPs. But it still grows with depth.
#
# ## A start for each segment
#
# Cut the network into **segments** of some layers each. Forward puts on record only what enters a segment, its *start*, and forgets everything inside. Backward takes the last segment first: it runs
# it forward once more, from its start, this time keeping every layer; it goes back through these layers, and drops them. Then comes the segment before.
#
# The sines again, in two segments of two rounds. Watch what is on record, and what is run twice:


# %% name="two-segments" tags=["worked"]
first, second = scales[:2], scales[2:]
middle = sines(first, start)
y = sines(second, middle)
print(f"forward keeps two starts: {start:.4f} and {middle:.4f}")

_, record = sines_fwd(second, middle)  # the second segment once more, with its rounds on record
second_bar, middle_bar = sines_bwd(record, np.float32(1.0))
print("the second segment, run again:", record[1], " hands back", middle_bar)

_, record = sines_fwd(first, start)  # that record takes the place of the other one
first_bar, start_bar = sines_bwd(record, middle_bar)
print("the first segment, run again: ", record[1], " hands back", start_bar)
print("together:", np.concatenate([first_bar, second_bar]), start_bar)

# %% [markdown] name="segments-turn"
# What is held? With `s` segments of `l` layers: `s` starts, and the `l` layers of the segment that is at work. Of a hundred layers, in ten segments of ten: 20 arrays in the place of 100. The price: each layer is run forward once more.
#
# ### Your turn: segments
#
# In `segmented_layers(ws, x)` the weights are stacked twice: `ws` has the shape (segments, layers, d, d), `ws[0]` are the weights of the first segment. It is the same network, written as a scan over segments:
#
#     x = separate_layers(ws[0], x)
#     x = separate_layers(ws[1], x)
#     ...
#
# Write the pair. Use the one that you have. The verdict looks at the FLOPs, at what you save, and at the peak.

# %% name="your-segmented" tags=["exercise"]
from solutions.checkpointing import segmented_layers_bwd, segmented_layers_fwd

# %% name="check-segmented" tags=["check"]
course.check(segmented_layers_fwd, segmented_layers_bwd)

# %% [markdown] name="derive-segmented"
# <details><summary>After you solved it: what was saved, and why this works for any pair</summary>
#
# Forward: `scan` over the segments, whose body returns `separate_layers(ws, x), x`. Backward: `scan` with `reverse=True`; its body runs `separate_layers_fwd(ws, x)` for the record and hands it to `separate_layers_bwd` with `y_bar`.
#
# Saved: a start for each segment. Nothing in this uses that a segment is made of tanh layers. Of *any* pair `fwd`, `bwd` this is a pair as well, which saves the arguments alone:
#
#     def light_fwd(*primals):            return fwd(*primals)[0], primals
#     def light_bwd(primals, y_bar):      return bwd(fwd(*primals)[1], y_bar)
#
# This is `jax.checkpoint`, also called `remat`: your `segmented_layers` is a scan of it.
# </details>

# %% name="segments-counted"
segmented_solved = course.solved(segmented_layers_fwd, segmented_layers_bwd)


def forwards(program, ws):
    """The FLOPs of its products, as multiples of forward's."""
    return count(program, ws, LAYER, LAYER).dot_flops / count(separate_or_segmented(ws), ws, LAYER).dot_flops


def separate_or_segmented(ws):
    return separate_layers if ws.ndim == 3 else segmented_layers


def checkpointed(ws, x):
    """The segments again, by jax.checkpoint."""
    return jax.lax.scan(lambda x, ws: (jax.checkpoint(separate_layers)(ws, x), None), x, ws)[0]


ways = {
    "jax.vjp": (by_jax(separate_layers), weights(64)),
    "jax.checkpoint": (by_jax(checkpointed), weights(8, 8)),
}
if segmented_solved:
    ways["your pair, plain"] = (as_one(separate_layers_fwd, separate_layers_bwd), weights(64))
    for shape in ((32, 2), (8, 8), (2, 32)):
        name = f"yours, {shape[0]} of {shape[1]} layers"
        ways[name] = (as_one(segmented_layers_fwd, segmented_layers_bwd), weights(*shape))
print("64 layers             arrays held   products / forward")
for name, (program, ws) in ways.items():
    print(f"{name:22} {held(program, ws):10.0f} {forwards(program, ws):18.2f}")

# %% [markdown] name="segments-read"
# Starts and layers add up, and their product is the depth: `s + l` is least where both are the root of it. So memory grows with the **square root** of the depth, and the FLOPs are 4 times forward's in the place of 3, whatever the
# length of the segments. Against `jax.checkpoint` nothing is won in FLOPs, and a good part of the memory: while it goes back through a segment, it holds two or three arrays a layer, and your pair one.
#
# If the price is the same for all lengths, is there anything to choose? There is: need *all* layers be run again?
#
# {question checkpointing.q1}

# %% name="answer-q1" tags=["question"]
course.answer("checkpointing.q1", ...)

# %% [markdown] name="whole-text"
# And if segments are good, is one large segment better still? It would save nothing at all.
#
# {question checkpointing.q2}

# %% name="answer-q2" tags=["question"]
course.answer("checkpointing.q2", ...)

# %% [markdown] name="whole-after"
# After you have answered, look at both figures:

# %% name="whole-counted"
whole = jax.checkpoint(separate_layers)
for name, primal in {"jax.vjp": separate_layers, "one checkpoint around all": whole}.items():
    saved = arrays(vjp_residual_bytes(primal, weights(64), LAYER))
    print(
        f"{name:26} saves {saved:4.0f} arrays, holds {held(by_jax(primal), weights(64)):4.0f}, "
        f"takes {forwards(by_jax(primal), weights(64)):.2f} forward passes"
    )

# %% [markdown] name="halves-text"
# That is why verdicts here look at the peak as well: what is saved says little by itself.
#
# ## Halves of halves
#
# Inside a segment, everything is kept while it is gone back. Must it be? A segment is a network as well, and could be cut into segments, and these again. At its end this thought is very simple.
#
# A neighbour that shows nothing but the order. A sequence can only be made forward, say `x = 3.7 * x * (1 - x)`, and is to be printed *backward*, the last number first, without keeping all of it:


# %% name="last-first" tags=["worked"]
def run(n, x):
    for _ in range(n):
        x = 3.7 * x * (1 - x)
    ran.append(n)
    return x


def last_first(n, x, held=1):
    """Prints the n numbers that begin with x, the last one first, while so many are held."""
    if n == 1:
        print(f"{'   ' * held}{x:.4f}")
        return
    middle = run(n // 2, x)
    last_first(n - n // 2, middle, held + 1)
    last_first(n // 2, x, held)  # the middle is not needed any more


ran = []
last_first(8, 0.3)
print(f"8 numbers, {sum(ran)} steps forward, and never more than 4 numbers held: x and three middles")

# %% [markdown] name="halves-turn"
# Each line is indented by how many numbers were held when it was printed. Eight numbers are three halvings deep, a thousand are ten. What is run: half of the sequence for the first middle, twice a quarter for the next ones, four times an
# eighth. So each halving takes half a pass.
#
# ### Your turn (hard): nothing but the arguments
#
# The pair `halved_layers_fwd`, `halved_layers_bwd`, of the same network, `separate_layers`. Forward saves `(ws, x)` and nothing else. Backward calls itself for the halves, down to a single layer. `ws` has any
# number of layers, from one on.
#
# For the middle use the primal, `separate_layers`. For a single layer, write its four lines down: they run at once, while a scan over one layer is compiled anew each time it is called outside `jit`.

# %% name="your-halved" tags=["exercise"]
from solutions.checkpointing import halved_layers_bwd, halved_layers_fwd

# %% name="check-halved" tags=["check"]
course.check(halved_layers_fwd, halved_layers_bwd)

# %% [markdown] name="derive-halved"
# <details><summary>After you solved it: the derivation, and what is held</summary>
#
# One layer: `y = tanh(x @ ws[0])` is made again, then `z_bar = y_bar * (1 - y**2)`, `x.T @ z_bar` as a stack of one, `z_bar @ ws[0].T`. More than one: `middle = separate_layers(ws[:half], x)`. The second half is gone back first, with `y_bar`, and returns what
# its weights get and the middle's cotangent; that is the first half's `y_bar`. Joined in the order of `ws`.
#
# Held: a middle for each halving that is not finished, `log2(layers)` of them at the most. Run: each layer once for the value, once when it is gone back, and half a pass for each halving: with both products of backward
# `4 + log2(layers) / 2` forward passes.
#
# The first line of our own answer, `optimization_barrier`, changes no number. It is there for a compiler: see below.
# </details>

# %% [markdown] name="picture-text"
# The three passes as a film: what is held after each step, forward and back, of a network of 32 layers. A step is one layer, run forward or gone back.


# %% name="draw-film"
def film(layers):
    """The arrays that plain, segments and halves hold, step by step."""

    def plain(waiting, n):
        """n layers are run with everything kept, then gone back, while others wait."""
        return [waiting + k for k in (*range(1, n + 1), *range(n, 0, -1))]

    length = round(layers**0.5)
    starts = range(0, layers, length)
    in_segments = [1 + k // length for k in range(layers)]
    for waiting, begin in reversed(list(enumerate(starts, 1))):
        in_segments += plain(waiting, min(length, layers - begin))

    def halves(waiting, n):
        if n == 1:
            return [waiting + 1, waiting]
        to_the_middle = [waiting + 1] * (n // 2)
        return to_the_middle + halves(waiting + 1, n - n // 2) + halves(waiting, n // 2)

    return {
        "everything kept": plain(0, layers),
        f"segments of {length}": in_segments,
        "halves of halves": [1] * layers + halves(1, layers),
    }


with plots.style():
    figure, axes = plt.subplots(figsize=(9.5, 4.2), layout="constrained")
    for (name, steps), colour in zip(film(32).items(), plots.COLOURS, strict=False):
        axes.step(np.arange(len(steps)), steps, where="mid", color=colour, label=f"{name}: {len(steps)} steps")
    axes.set(xlabel="steps: a layer run forward, or gone back", ylabel="arrays held", ylim=(0, None))
    axes.set_title("32 layers, three passes")
    axes.legend()
    plt.show()

# %% [markdown] name="compiler-text"
# ## What a compiler makes of it
#
# So far we counted programs as they are written. `jax.jit` rewrites them before they run, and one of its favourite savings is this: what is computed twice from the same things is computed once, and kept.
#
# {question checkpointing.q3}

# %% name="answer-q3" tags=["question"]
course.answer("checkpointing.q3", ...)

# %% [markdown] name="compiler-more"
# Let us look at it. Below are segments by hand *without a loop over segments*, 16 layers in 4 of 4, as one would write it in plain Python. `compiled` asks the compiled program itself: `memory_analysis` says what it holds beside
# arguments and results, `cost_analysis` how many FLOPs are left.
#
# A **barrier**, `jax.lax.optimization_barrier`, returns what it gets, and tells the compiler not to look through. It must hold back `y_bar` *together* with the start. Otherwise a segment could be run again at once, long
# before its turn, and its layers would wait.


# %% name="compiled"
FIX = {"xla_disable_hlo_passes": "cse_barrier_expander"}


def unrolled(ws, x):
    for w in ws:
        x = tanh(x @ w)
    return x


def in_python(barrier):
    """Segments by hand, forward and back, in which `barrier` is asked before a segment is run again."""

    def both(ws, x, y_bar):
        starts = [x]
        for segment in ws:
            starts.append(unrolled(segment, starts[-1]))
        y = starts.pop()
        found = []
        for segment, x in zip(ws[::-1], starts[::-1], strict=True):
            x, y_bar = barrier((x, y_bar))
            entered = [x]
            for w in segment:
                entered.append(tanh(entered[-1] @ w))
            for w, x, y_back in zip(segment[::-1], entered[-2::-1], entered[:0:-1], strict=True):
                z_bar = y_bar * (1 - y_back**2)
                y_bar = z_bar @ w.T
                found.append(x.T @ z_bar)
        return y, (jnp.stack(found[::-1]).reshape(ws.shape), y_bar)

    return both


def compiled(program, ws, options=None):
    """The compiled program, what it holds in arrays of one layer, and its FLOPs as multiples of forward's."""
    lowered = jax.jit(program, compiler_options=options).lower(ws, LAYER, LAYER)
    made = lowered.compile()
    forward = 2 * ROWS * WIDTH * np.prod(ws.shape[:-1])
    temporary = arrays(made.memory_analysis().temp_size_in_bytes)
    return made, temporary, made.cost_analysis()["flops"] / forward


def no_barrier(given):
    return given


barrier = jax.lax.optimization_barrier
for name, program, ws, options in (
    ("jax.vjp, nothing run again", by_jax(unrolled), weights(16), None),
    ("segments by hand", in_python(no_barrier), weights(4, 4), None),
    ("the same with barriers", in_python(barrier), weights(4, 4), None),
    ("barriers, and they are left alone", in_python(barrier), weights(4, 4), FIX),
):
    _, temporary, flops = compiled(program, ws, options)
    print(f"{name:34} {temporary:5.1f} arrays, {flops:.2f} forward passes")

# %% [markdown] name="compiler-read"
# Without barriers the layers are run *once*, 3 forward passes in all, and everything is kept: the compiler saw through it. With barriers it depends on the version: up to JAX 0.10 the CPU's compiler has a pass named
# `cse_barrier_expander`, which takes all barriers away, and the next pass takes away what they were for. The fourth line switches that pass off:
#
#     jax.jit(f, compiler_options={"xla_disable_hlo_passes": "cse_barrier_expander"})
#
# `jax.checkpoint` puts the same barriers, and meets the same fate in unrolled code. So the lesson is not the name of a pass. It is: **when you save memory, ask the compiled program whether you did.**
#
# In a loop none of this happens: the body of a `scan` is a program of its own, and is not compared with another loop's. Your `segmented_layers` needs no barrier and no option:

# %% name="compiled-loops"
programs = {
    "jax.vjp": (by_jax(separate_layers), weights(64)),
    "jax.checkpoint in a scan": (by_jax(checkpointed), weights(8, 8)),
}
if segmented_solved:
    programs["your pair, plain"] = (as_one(separate_layers_fwd, separate_layers_bwd), weights(64))
    programs["your segments"] = (as_one(segmented_layers_fwd, segmented_layers_bwd), weights(8, 8))
made = {}
for name, (program, ws) in programs.items():
    made[name], temporary, _ = compiled(program, ws)
    print(f"64 layers, {name:26} {temporary:5.1f} arrays held by the compiled program")
halved_solved = course.solved(halved_layers_fwd, halved_layers_bwd)
if halved_solved:
    _, temporary, _ = compiled(as_one(halved_layers_fwd, halved_layers_bwd), weights(16), FIX)
    print(f"16 layers, your halves, barriers left alone: {temporary:.1f} arrays")

# %% [markdown] name="time-text"
# Are your halves near 5, or well above 16? If you wrote no barrier, all of them are run ahead. As first line of `halved_layers_bwd`, this one holds them back:
#
#     (ws, x), y_bar = jax.lax.optimization_barrier((residuals, y_bar))
#
# And the time? The four programs of 64 layers, the middle one of seven runs each, in time that the processor was at work:


# %% name="time"
def milliseconds(program, ws):
    given = [np.float32(rng.standard_normal(part.shape)) / np.sqrt(WIDTH) for part in (ws, LAYER, LAYER)]
    took = []
    for _ in range(7):
        begin = time.process_time()
        jax.block_until_ready(program(*given))
        took.append(time.process_time() - begin)
    return 1000 * np.median(took)


for name, program in made.items():
    print(f"{name:26} {milliseconds(program, programs[name][1]):6.1f} ms on this machine")

# %% [markdown] name="time-read"
# Your plain pair takes the FLOPs of `jax.vjp`, and less time: on one core we saw 0.55 to 0.75 of it, at widths from 32 to 256. It writes one array a layer to memory and reads it again where the other does so with more. Your segments
# take a third more FLOPs than your plain pair, and were 0.84 to 0.94 of the time of `jax.checkpoint`'s. FLOPs are not seconds.
#
# **Why write this by hand?** `jax.checkpoint` is one word, and the same FLOPs. By hand a segment keeps one array a layer where JAX keeps two or three: that is *not saved* that can be read off the next layer's input. Where JAX's own
# segments keep little already, there is nothing to win, and one word is the better answer. But to know where to put that word, and to see that it worked, one has to know what you know now.
#
# ## The least that can be done
#
# Segments and halves are two designs. What is the best? Suppose there is room for a number of states, each in a **slot**; the input takes one of them for good. To go back through a layer one must have what entered it. (What it gave is at
# hand: it entered the layer that was gone back just before.) To get there, layers are run forward from a state that is held: as few as possible, all in all, the first run included.
#
# - With **one** slot there is the input alone. For the last of 5 layers run 4, for the one before run 3, then 2, 1 and 0: 10 steps.
# - With **two**, run to some middle and hold it. Go back through the layers behind it, with the slots that are left: one of them is the middle itself, which is their input. When they are done the slot is free, and
#   the layers before the middle have all of them.
#
# For 5 layers with two slots, by trying where to put the middle. (With two slots, 1, 2, 3 and 4 layers take 0, 1, 2 and 4 steps; try it.)

# %% name="five-by-hand" tags=["worked"]
print("middle after   to get there   behind it, one slot   before it, two slots   together")
for tried in ((1, 3 + 2 + 1, 0), (2, 2 + 1, 1), (3, 1, 2), (4, 0, 4)):
    print(f"{tried[0]:8} {tried[0]:14} {tried[1]:18} {tried[2]:22} {sum(tried):14}")

# %% [markdown] name="steps-turn"
# ### Your turn: the fewest steps
#
# `fewest_steps(layers, slots)`: the number of steps, a whole number, for any number of layers and slots from 1 on. Fill a table: each entry is made of smaller ones.

# %% name="your-steps" tags=["exercise"]
from solutions.checkpointing import fewest_steps

# %% name="check-steps" tags=["check"]
course.check(fewest_steps)

# %% [markdown] name="derive-steps"
# <details><summary>After you solved it: and a formula</summary>
#
# One slot: `n * (n - 1) // 2`. More: the least of `j + least[n - j, held - 1] + least[j, held]` over all `j` from 1 to `n - 1`. A single layer: nothing.
#
# There is a formula for this minimum (A. Griewank, 1992). With `s` slots, and no layer run more than `r` times, one gets through `comb(s + r, s)` layers: 4 slots and 4 times are enough for 70 layers, 10 slots and 4 times for 1001. Both grow together, so that memory and extra work are about the
# *logarithm* of the depth. Programs that differentiate simulations of millions of steps work like that.
# </details>

# %% [markdown] name="plans-text"
# All plans for 64 layers in one picture: how many arrays are held, and how many forward passes a value with its cotangents takes. The grey line, below which nobody gets, is your table: backward itself is two passes, the steps of
# the table and one layer more are run forward.


# %% name="draw-plans"
LAYERS = 64


def passes(slots):
    """The fewest forward passes for a value and its cotangents."""
    return 2 + (revolve.fewest_steps(LAYERS, slots) + 1) / LAYERS


slots = np.arange(2, 64)
in_segments = {"8 of 8": 16, "4 of 16, or 16 of 4": 20, "2 of 32, or 32 of 2": 34}
room = np.arange(17, 65)
halves = 2 + np.log2(LAYERS), 4 + np.log2(LAYERS) / 2
with plots.style():
    figure, axes = plt.subplots(figsize=(8.5, 4.6), layout="constrained")
    axes.plot(slots + 1, [passes(int(s)) for s in slots], color=plots.INK, label="the least, by slots")
    axes.plot(in_segments.values(), [4] * 3, "s", color=plots.COLOURS[2], label="all in segments")
    for name, held_arrays in in_segments.items():
        axes.annotate(name, (held_arrays, 4), xytext=(4, 5), textcoords="offset points", fontsize=9, rotation=25)
    part = [3 + revolve.fewest_run_again(LAYERS, int(r)) / LAYERS for r in room]
    axes.step(room, part, where="post", color=plots.COLOURS[4], label="the first in segments, others kept")
    axes.plot(LAYERS, 3, "o", color=plots.HAND, label="everything kept")
    axes.plot(*halves, "D", color=plots.COLOURS[3], label="halves of halves")
    axes.set(xlabel="arrays held", ylabel="forward passes", ylim=(2.7, 9), xscale="log")
    axes.set_title(f"{LAYERS} layers: what memory costs")
    axes.set_xticks([4, 8, 16, 32, 64], [4, 8, 16, 32, 64])
    axes.minorticks_off()
    axes.legend()
    plt.show()
print(f"7 slots, 8 arrays: {passes(7):.2f} passes at the least, {halves[1]:.2f} by halves")
print(f"the input alone:   {passes(1):.2f} passes")

# %% [markdown] name="plans-read"
# From right to left: everything kept takes 3. Who has less room runs a part of the layers again, and at twice the root of the depth each of them once, which makes 4. So far the simple designs are near to the best. Below that the line rises, and
# at last steeply. Halves are far above it: they make each layer once more although both of its ends were at hand, and they do not use a slot that is free again. They are simple, and their memory is right.
#
# In practice one goes to 4 passes and stops: twice the root of the depth is little, and the price is known.
#
# ## More practice: blocks that run backward
#
# Can one have it all: nothing kept, and no plan? If each block can be *undone*, its input need not be kept, for it can be made of its output. A tanh layer can't be undone well: rows that
# it squashes near 1 are told apart by their last digits alone. But a sum can be: what was added is taken away again. So let the network carry two streams, and add to each what is made of the *other* one:
#
#     left  = left + tanh(right @ f)
#     right = right + tanh(left @ g)        the new left
#
# Going back, `left` after the block is known: so `tanh(left @ g)` can be made again, and taken away from `right`. Then `right` is the one that the first line saw. One block, undone:


# %% name="undo" tags=["worked"]
f, g = np.float32(rng.standard_normal((2, 3, 3)))
left, right = np.float32(rng.standard_normal((2, 1, 3)))
new_left = left + np.tanh(right @ f)
new_right = right + np.tanh(new_left @ g)
old_right = new_right - np.tanh(new_left @ g)
old_left = new_left - np.tanh(old_right @ f)
print("right:", right[0], "undone:", old_right[0])
print("left: ", left[0], "undone:", old_left[0])

# %% [markdown] name="reversible-turn"
# ### Your turn: reversible blocks
#
# The pair for `reversible_blocks(params, streams)`. `params` is a `Blocks` of stacked `f` and `g`, `streams` a `Streams` of `left` and `right`, and so is what is returned. Save the parameters and what the last block gave; backward carries the streams and their cotangents from
# block to block.

# %% name="your-reversible" tags=["exercise"]
from solutions.checkpointing import reversible_blocks_bwd, reversible_blocks_fwd

# %% name="check-reversible" tags=["check"]
course.check(reversible_blocks_fwd, reversible_blocks_bwd)

# %% [markdown] name="derive-reversible"
# <details><summary>After you solved it: the derivation, and its limit</summary>
#
# The last line first. `of_left = tanh(left @ g)` is made again; `right - of_left` is the old right. `z_bar = right_bar * (1 - of_left**2)` goes to `g`, as `left.T @ z_bar`, and to `left`, where `z_bar @ g.T` is added to what `left` has already. Then the first line: `of_right = tanh(right @ f)` with the *old* right,
# `left - of_right` is the old left, and that sum's cotangent goes through tanh to `f` and to `right`. Both streams' own cotangents go on past the block.
#
# Saved: two arrays, at any depth. One tanh and one product of each line are made again, so it takes 4 forward passes. What is undone is right but for rounding. But what is off in one stream goes into the other by the next
# tanh, so that the error is multiplied from block to block. Look at what float32 makes of 4 blocks, of 64 and of 256:
# </details>

# %% name="reversible-counted"
if course.solved(reversible_blocks_fwd, reversible_blocks_bwd):
    for depth in (4, 64):
        given = Blocks(weights(depth), weights(depth)), Streams(LAYER, LAYER), Streams(LAYER, LAYER)
        for name, program in {
            "yours": as_one(reversible_blocks_fwd, reversible_blocks_bwd),
            "jax.vjp": by_jax(reversible_blocks),
        }.items():
            peak = arrays(count(program, *given).peak_bytes - 8 * given[0].f.size)
            print(f"{depth:3} blocks, {name:8} {peak:5.0f} arrays held")

    @jax.jit
    def apart(params, streams, after_bar):
        """By how much the cotangents of f by the two ways differ, relative to their size."""
        yours, _ = reversible_blocks_bwd(reversible_blocks_fwd(params, streams)[1], after_bar)
        right, _ = jax.vjp(reversible_blocks, params, streams)[1](after_bar)
        return jnp.linalg.norm(yours.f - right.f) / jnp.linalg.norm(right.f)

    for depth in (4, 64, 256):
        f, g = np.float32(rng.standard_normal((2, depth, WIDTH, WIDTH)) / np.sqrt(WIDTH))
        ends = [Streams(*np.float32(rng.standard_normal((2, 8, WIDTH)))) for _ in range(2)]
        print(f"{depth:3} blocks, float32: yours and JAX's are {apart(Blocks(f, g), *ends):.0e} apart")
else:
    print("run this cell again when reversible_blocks is right: it shows what is held, and how exact it is")

# %% [markdown] name="in-your-own-words"
# ## In your own words
#
# {question checkpointing.text}

# %% name="answer-text" tags=["question"]
course.answer("checkpointing.text", ...)

# %% [markdown] name="which-mistake"
# ## Which mistake is this?
#
# Somebody else's pass of this lesson. Look first at which weights' cotangents are right: those of the last layers are found first, and what goes wrong on the way spreads from there to the first ones.

# %% [markdown] name="ask-q4"
# {question checkpointing.q4}

# %% name="somebody-elses" tags=["shown"]
course.show_mistake("checkpointing.q4", draw=0)

# %% name="answer-q4" tags=["question"]
course.answer("checkpointing.q4", ...)

# %% [markdown] name="what-you-have"
# ## What you have now
#
# - What forward keeps can be made again: memory is bought with FLOPs, and the numbers stay the same.
# - Segments hold twice the root of the depth, for one more forward pass. Halves of halves hold its logarithm, for half a pass more each time the depth doubles. Who has room for more runs only a part again.
# - What is saved between forward and backward is not the peak. One checkpoint around everything shows it.
# - A compiler may undo it all in code without loops. Ask the compiled program.
# - The least that can be done is a small table, in which every entry is made of smaller ones. Blocks that can be undone need no plan.
#
# ## Sources
#
# - A. Griewank, "Achieving logarithmic growth of temporal and spatial complexity in reverse automatic differentiation", Optimization Methods and Software 1(1), 1992; A. Griewank, A. Walther, "Algorithm 799: Revolve", ACM
#   Transactions on Mathematical Software 26(1), 2000: the fewest steps.
# - T. Chen, B. Xu, C. Zhang, C. Guestrin, "Training Deep Nets with Sublinear Memory Cost", 2016, arXiv:1604.06174: segments, and segments of segments.
# - A. Gomez, M. Ren, R. Urtasun, R. Grosse, "The Reversible Residual Network: Backpropagation Without Storing Activations", 2017, arXiv:1707.04585.
# - JAX's documentation, "Control autodiff's saved values with jax.checkpoint": the same by one word, and by policies of what to keep.
#
# Next: `flash_attention`, where the same bargain is struck inside one layer: a table of rows times rows that is never there as a whole.
