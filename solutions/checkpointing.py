"""Answers to `checkpointing`: everything kept, a part of it, next to nothing; and blocks that run backward."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

import course
from course.lessons.checkpointing import Blocks, Streams
from course.lessons.cost_of_backprop import separate_layers
from course.lessons.linear_and_activations import tanh


def separate_layers_fwd(
    ws: Float[Array, "layers d d"], x: Float[Array, "batch d"]
) -> tuple[
    Float[Array, "batch d"], tuple[Float[Array, "layers d d"], Float[Array, "layers batch d"], Float[Array, "batch d"]]
]:
    """Returns x after every layer of ws, and the residuals."""

    # 1. What does a layer hand on, and which one array of it goes on record?
    def layer(x: Float[Array, "batch d"], w: Float[Array, "d d"]) -> tuple[Array, Array]:
        return tanh(x @ w), x

    y, xs = jax.lax.scan(layer, x, ws)
    return y, (ws, xs, y)


def separate_layers_bwd(
    residuals: tuple[Float[Array, "layers d d"], Float[Array, "layers batch d"], Float[Array, "batch d"]],
    y_bar: Float[Array, "batch d"],
) -> tuple[Float[Array, "layers d d"], Float[Array, "batch d"]]:
    """Returns (ws_bar, x_bar)."""
    ws, xs, y = residuals  # what entered each layer is what the one before gave; and the last y

    # 2. One layer back. It knows what it gave; what does it hand to the layer before, and what goes on record?
    def layer(carried: tuple[Array, Array], kept: tuple[Array, Array]) -> tuple[tuple[Array, Array], Array]:
        (y, y_bar), (w, x) = carried, kept
        z_bar = y_bar * (1 - y**2)
        return (x, z_bar @ w.T), x.T @ z_bar

    # 3. With what does the way back begin, and which layer comes first?
    (_, x_bar), ws_bar = jax.lax.scan(layer, (y, y_bar), (ws, xs), reverse=True)
    return ws_bar, x_bar


def segmented_layers_fwd(
    ws: Float[Array, "segments layers d d"], x: Float[Array, "batch d"]
) -> tuple[Float[Array, "batch d"], tuple[Float[Array, "segments layers d d"], Float[Array, "segments batch d"]]]:
    """Returns x after every layer of every segment, and the residuals."""

    # 1. A segment, of which nobody will want the layers yet. What goes on record of it?
    def segment(x: Float[Array, "batch d"], ws: Float[Array, "layers d d"]) -> tuple[Array, Array]:
        return separate_layers(ws, x), x

    y, starts = jax.lax.scan(segment, x, ws)
    return y, (ws, starts)


def segmented_layers_bwd(
    residuals: tuple[Float[Array, "segments layers d d"], Float[Array, "segments batch d"]],
    y_bar: Float[Array, "batch d"],
) -> tuple[Float[Array, "segments layers d d"], Float[Array, "batch d"]]:
    """Returns (ws_bar, x_bar)."""
    ws, starts = residuals  # what entered each segment: what its layers made can be made of it once more

    # 2. One segment back. What does its backward pass want, and who makes that?
    def segment(y_bar: Float[Array, "batch d"], kept: tuple[Array, Array]) -> tuple[Array, Array]:
        ws, x = kept
        _, record = separate_layers_fwd(ws, x)
        ws_bar, x_bar = separate_layers_bwd(record, y_bar)
        return x_bar, ws_bar

    # 3. Which segment comes first on the way back?
    x_bar, ws_bar = jax.lax.scan(segment, y_bar, (ws, starts), reverse=True)
    return ws_bar, x_bar


def halved_layers_fwd(
    ws: Float[Array, "layers d d"], x: Float[Array, "batch d"]
) -> tuple[Float[Array, "batch d"], tuple[Float[Array, "layers d d"], Float[Array, "batch d"]]]:
    """Returns x after every layer of ws, and the residuals."""
    # 1. What is the least from which all can be made again?
    return separate_layers(ws, x), (ws, x)


def halved_layers_bwd(
    residuals: tuple[Float[Array, "layers d d"], Float[Array, "batch d"]], y_bar: Float[Array, "batch d"]
) -> tuple[Float[Array, "layers d d"], Float[Array, "batch d"]]:
    """Returns (ws_bar, x_bar)."""
    (ws, x), y_bar = jax.lax.optimization_barrier((residuals, y_bar))  # the arguments; not before y_bar
    # 2. A single layer needs no further halves. What does it send to its weights, and to what entered it?
    if len(ws) == 1:
        y = tanh(x @ ws[0])
        z_bar = y_bar * (1 - y**2)
        return (x.T @ z_bar)[None], z_bar @ ws[0].T
    # 3. More than one: what must be known before the second half can be gone back?
    half = len(ws) // 2
    middle = separate_layers(ws[:half], x)
    # 4. Each half is a smaller network of the same kind. Which one first, and what does it hand to the other?
    second_bar, middle_bar = halved_layers_bwd((ws[half:], middle), y_bar)
    first_bar, x_bar = halved_layers_bwd((ws[:half], x), middle_bar)
    return jnp.concatenate([first_bar, second_bar]), x_bar


def fewest_steps(layers: int, slots: int) -> int:
    """Returns how often a layer has to be run forward, at the least, to go back through all of them."""
    # 1. With one slot every state is made anew from the input. How many steps are that in all?
    least = {(n, 1): n * (n - 1) // 2 for n in range(1, layers + 1)}
    # 2. With more, one is held after j layers. What does it take to get there, and what remains on each side?
    for held in range(2, slots + 1):
        for n in range(1, layers + 1):
            least[n, held] = min((j + least[n - j, held - 1] + least[j, held] for j in range(1, n)), default=0)
    return least[layers, slots]


def reversible_blocks_fwd(params: Blocks, streams: Streams) -> tuple[Streams, tuple[Blocks, Streams]]:
    """Returns the streams after every block, and the residuals."""

    # 1. One block forward. Does anything have to go on record?
    def block(streams: Streams, params: Blocks) -> tuple[Streams, None]:
        left = streams.left + tanh(streams.right @ params.f)
        return Streams(left, streams.right + tanh(left @ params.g)), None

    after, _ = jax.lax.scan(block, streams, params)
    return after, (params, after)


def reversible_blocks_bwd(residuals: tuple[Blocks, Streams], after_bar: Streams) -> tuple[Blocks, Streams]:
    """Returns (params_bar, streams_bar)."""
    params, after = residuals  # the end alone: from it the blocks lead back to every state before

    def block(carried: tuple[Streams, Streams], params: Blocks) -> tuple[tuple[Streams, Streams], Blocks]:
        after, bar = carried
        # 2. The last line of forward first. What was added to right, and what is right without it?
        of_left = tanh(after.left @ params.g)
        right = after.right - of_left
        # 3. What comes back through that sum, to left and to g?
        z_bar = bar.right * (1 - of_left**2)
        g_bar, left_bar = after.left.T @ z_bar, bar.left + z_bar @ params.g.T
        # 4. And the first line, in the same way?
        of_right = tanh(right @ params.f)
        z_bar = left_bar * (1 - of_right**2)
        before = Streams(after.left - of_right, right)
        return (before, Streams(left_bar, bar.right + z_bar @ params.f.T)), Blocks(right.T @ z_bar, g_bar)

    (_, streams_bar), params_bar = jax.lax.scan(block, (after, after_bar), params, reverse=True)
    return params_bar, streams_bar


course.answer("checkpointing.q1", 58)
course.answer("checkpointing.q2", "b")
course.answer("checkpointing.q3", "b")
course.answer("checkpointing.q4", "b0")
course.answer(
    "checkpointing.text",
    """Forward leaves something behind in each block for backward to use, and that is what fills your memory: it grows
with depth times batch, while weights and their gradients do not. Checkpointing keeps only what enters every few
blocks. When backward arrives at such a segment it runs it again, goes back through it and drops it, so that there are
the starts and one segment at a time: with 7 blocks a segment about 14 arrays in the place of 48. The numbers stay the
same. It costs up to one more forward pass, a third more FLOPs. So take as little of it as you need: begin with some of
the blocks, or with those parts that are cheap to make again and large to keep. Not one checkpoint around everything:
that runs all of it again at once, and the peak stays where it was. First I would look at the compiled program's peak
with a batch of 4, then with it switched on, and at the time of a step: then you know what a batch of 16 needs.""",
)
