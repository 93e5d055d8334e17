"""The mistakes with a name of `checkpointing`: slopes, orders, what is made again from where, and miscounted steps.

Those of pairs have the right value, and are moved by nudges of their arguments in another way.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from course.comparison.mistakes import Mistake
from course.exercises import revolve
from course.exercises.mistakes.forms import held
from course.lessons.checkpointing import Blocks, Streams, reversible_blocks
from course.lessons.cost_of_backprop import separate_layers
from course.lessons.linear_and_activations import tanh

Array = Any
Function = Callable[..., Any]
Slope = Callable[[Array, Array], Array]


class _Run(NamedTuple):
    """Layers at work, one row each: their weights, how these are nudged, what entered and what was given."""

    ws: Array
    nudges: Array
    xs: Array
    ys: Array


def _nudges(tree: Any) -> Any:
    """Numbers without their values: only a derivative sees them."""
    return jax.tree.map(lambda leaf: leaf - held(leaf), tree)


def _run(ws: Array, x: Array) -> _Run:
    """Layers with their values, none of which is moved but by a nudge."""

    def layer(x: Array, w: Array) -> tuple[Array, tuple[Array, Array]]:
        y = tanh(jnp.dot(x, w))
        return y, (x, y)

    xs, ys = jax.lax.scan(layer, held(x), held(ws))[1]
    return _Run(held(ws), _nudges(ws), xs, ys)


def _from(starts: Array, ws: Array) -> _Run:
    """Layers one by one, each with its own start."""
    values = held(ws)
    return _Run(values, _nudges(ws), starts, tanh(jnp.einsum("lbi,lij->lbj", starts, values)))


def _by_y(x: Array, y: Array) -> Array:
    return 1 - jnp.square(y)


def _by_x(x: Array, y: Array) -> Array:
    return 1 - jnp.square(x)


def _no_slope(x: Array, y: Array) -> Array:
    return jnp.ones_like(y)


def _pushed(
    moved: Array,
    run: _Run,
    *,
    slope: Slope = _by_y,
    on_the_way: Slope = _by_y,
    met: Callable[[Array, Array], Array] = lambda x, y: x,
    turned: bool = False,
    reverse: bool = False,
) -> Array:
    """How what the last layer gives is moved, by nudges of the weights and of what enters the first.

    Args:
        moved: How what enters is moved.
        run: The layers.
        slope: By what a weight's nudge is multiplied.
        on_the_way: By what a nudge that went in is multiplied.
        met: What the nudge of a weight meets, of what entered and of what was given.
        turned: Whether a weight's transpose stands in its place on the way.
        reverse: Whether the last layer comes first.
    """

    def layer(moved: Array, at: _Run) -> tuple[Array, None]:
        by_weights = slope(at.xs, at.ys) * (met(at.xs, at.ys) @ at.nudges)
        return on_the_way(at.xs, at.ys) * (moved @ (at.ws.T if turned else at.ws)) + by_weights, None

    return jax.lax.scan(layer, moved, run, reverse=reverse)[0]


def _by_their_own(moved: Array, run: _Run) -> Array:
    """The same where every layer hands its nudges to the value at once, and the first one alone what enters."""
    by_weights = _by_y(run.xs, run.ys) * jnp.einsum("lbi,lij->lbj", run.xs, run.nudges)
    return jnp.sum(by_weights, axis=0) + _by_y(run.xs[0], run.ys[0]) * (moved @ run.ws[0])


def _layers(change: Callable[[_Run], _Run] = lambda run: run, **how: Any) -> Function:
    """A network that is moved in another way."""

    def mistaken(ws: Array, x: Array) -> Array:
        return separate_layers(held(ws), held(x)) + _pushed(_nudges(x), change(_run(ws, x)), **how)

    return mistaken


def _turned_round(run: _Run) -> _Run:
    return run._replace(nudges=run.nudges[::-1])


def _never_handed_on(ws: Array, x: Array) -> Array:
    def layer(moved: Array, at: _Run) -> tuple[Array, None]:
        return moved + _by_y(at.xs, at.ys) * (at.xs @ at.nudges), None

    return separate_layers(held(ws), held(x)) + jax.lax.scan(layer, _nudges(x), _run(ws, x))[0]


_SLOPE_ASK = "What is the slope of tanh, and of which of a layer's two values is it made?   (step 2)"
_ORDER_ASK = "Which layer's cotangents can be known first? And in which order does the record stand?   (step 3)"
_HANDED_ASK = "What does a layer hand to the one before it?   (step 2)"

LAYERS = (
    Mistake(
        "tanh left out",
        _layers(slope=_no_slope, on_the_way=_no_slope),
        "Cotangents went through the products as if there were no tanh.",
        _SLOPE_ASK,
    ),
    Mistake(
        "the slope of what came in",
        _layers(slope=_by_x, on_the_way=_by_x),
        "The slope was made of what entered the layer.",
        _SLOPE_ASK,
    ),
    Mistake(
        "handed on without its slope",
        _layers(on_the_way=_no_slope),
        "What was handed to the layer before had not gone through tanh.",
        _HANDED_ASK,
    ),
    Mistake(
        "weights not turned",
        _layers(turned=True),
        "What was handed to the layer before went through w as forward does.",
        "x @ w is a sum over the columns of x. Over what is the sum on the way back?   (step 2)",
    ),
    Mistake(
        "what came out for what came in",
        _layers(met=lambda x, y: y),
        "Each w's cotangent was made with what its own layer gave.",
        "Which x did this w meet?   (step 2)",
    ),
    Mistake(
        "never handed on",
        _never_handed_on,
        "Every layer got y_bar itself, as if it were the last one.",
        _HANDED_ASK,
    ),
    Mistake(
        "the first layer first",
        _layers(reverse=True),
        "The way back began at the first layer.",
        _ORDER_ASK,
    ),
    Mistake(
        "in the order of the way back",
        _layers(_turned_round),
        "The cotangents of ws stand in the order in which they were found, the last layer's first.",
        _ORDER_ASK,
    ),
)


def _by_segments(ws: Array, starts: Array) -> _Run:
    """Segments, each run from a start."""
    return jax.vmap(_run)(ws, starts)


def _in_a_row(run: _Run) -> _Run:
    """All layers of all segments."""
    return jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[2:]), run)


def _segments(
    starts: Callable[[Array, Array], Array] = lambda starts, y: starts,
    change: Callable[[_Run], _Run] = lambda run: run,
    **how: Any,
) -> Function:
    """A segmented network whose segments are run again from other starts, or moved in another order."""

    def mistaken(ws: Array, x: Array) -> Array:
        right = _by_starts(ws, x)
        run = change(_by_segments(ws, starts(right.xs[:, 0], right.ys[-1, -1])))
        return right.ys[-1, -1] + _pushed(_nudges(x), _in_a_row(run), **how)

    return mistaken


def _by_starts(ws: Array, x: Array) -> _Run:
    """Segments as forward runs them."""
    flat = _run(ws.reshape(-1, *ws.shape[2:]), x)
    return jax.tree.map(lambda leaf: leaf.reshape(*ws.shape[:2], *leaf.shape[1:]), flat)


def _each_from_the_end(ws: Array, x: Array) -> Array:
    run, nothing = _by_starts(ws, x), jnp.zeros_like(x)
    moved = jax.vmap(_pushed)(jnp.stack([_nudges(x), *[nothing] * (len(ws) - 1)]), run)
    return run.ys[-1, -1] + jnp.sum(moved, axis=0)


_START_ASK = "What entered this segment, and where is it on record?   (steps 1 and 2)"
_SEGMENT_ASK = "Which segment comes first on the way back, and what does it hand to the one before?   (step 3)"

SEGMENTS = (
    Mistake(
        "every segment from the input",
        _segments(lambda starts, y: jnp.broadcast_to(starts[0], starts.shape)),
        "Every segment was run again from x.",
        _START_ASK,
    ),
    Mistake(
        "the end for the start",
        _segments(lambda starts, y: jnp.concatenate([starts[1:], y[None]])),
        "Every segment was run again from what it gave.",
        _START_ASK,
    ),
    Mistake(
        "another segment's start",
        _segments(lambda starts, y: starts[::-1]),
        "The starts were met in another order than the segments.",
        _START_ASK,
    ),
    Mistake(
        "not handed to the segment before",
        _each_from_the_end,
        "Every segment got y_bar itself, as if it were the last one.",
        _SEGMENT_ASK,
    ),
    Mistake(
        "the first segment first",
        _segments(change=lambda run: jax.tree.map(lambda leaf: leaf[::-1], run)),
        "The way back began at the first segment.",
        _SEGMENT_ASK,
    ),
    Mistake(
        "segments in the order of the way back",
        _segments(change=_turned_round),
        "The cotangents of ws stand in the order in which they were found, the last segment's first.",
        "What puts a reverse scan on record, and in which order?   (step 3)",
    ),
    Mistake(
        "only the last segment's weights",
        _segments(change=lambda run: run._replace(nudges=run.nudges.at[:-1].multiply(0.0))),
        "Only the last segment's weights got anything.",
        "Each segment's pass returns two cotangents. What becomes of each?   (step 2)",
    ),
)


def _entering(ws: Array, x: Array, middle: Function) -> list[Array]:
    """What enters each layer, where it is found by halves."""
    if len(ws) == 1:
        return [x]
    half, _ = divmod(len(ws), 2)
    return [*_entering(ws[:half], x, middle), *_entering(ws[half:], middle(ws, x, half), middle)]


def _halves(middle: Function) -> Function:
    """A network each of whose second halves is run again from another middle."""

    def mistaken(ws: Array, x: Array) -> Array:
        values, start = held(ws), held(x)
        run = _from(jnp.stack(_entering(values, start, middle)), ws)
        return separate_layers(values, start) + _pushed(_nudges(x), run)

    return mistaken


def _each_layer_from_the_end(ws: Array, x: Array) -> Array:
    return separate_layers(held(ws), held(x)) + _by_their_own(_nudges(x), _run(ws, x))


_MIDDLE_ASK = "What enters the second half, and which layers make it of x?   (step 3)"
_HALVES_ASK = "Which half can be gone back first, and what does it hand to the other?   (step 4)"

HALVES = (
    Mistake(
        "both halves from the input",
        _halves(lambda ws, x, half: x),
        "The second half was run from x, as the first one is.",
        _MIDDLE_ASK,
    ),
    Mistake(
        "the second half for the first",
        _halves(lambda ws, x, half: separate_layers(ws[half:], x)),
        "The middle was made by the layers of the second half.",
        _MIDDLE_ASK,
    ),
    Mistake(
        "the end for the middle",
        _halves(lambda ws, x, half: separate_layers(ws, x)),
        "The second half was run from what it gives.",
        _MIDDLE_ASK,
    ),
    Mistake(
        "y_bar for both halves",
        _each_layer_from_the_end,
        "Both halves got y_bar.",
        _HALVES_ASK,
    ),
    Mistake(
        "the first half first",
        _layers(reverse=True),
        "The first half was gone back before the second one.",
        _HALVES_ASK,
    ),
    Mistake(
        "halves exchanged",
        _layers(_turned_round),
        "What the two halves' weights get was put together with the second half in front.",
        "In which order do the weights stand in ws?   (step 4)",
    ),
    Mistake(
        "tanh left out of a layer",
        _layers(slope=_no_slope, on_the_way=_no_slope),
        "A single layer was gone back as if it had no tanh.",
        "What does a single layer do, beside the product?   (step 2)",
    ),
)


def _blocks(
    *,
    values: Callable[[Blocks, Streams], tuple[Streams, Streams]] | None = None,
    skip: float = 1.0,
    by_left: float = 1.0,
    slope: Callable[[Array], Array] = lambda y: 1 - jnp.square(y),
    reverse: bool = False,
) -> Function:
    """Blocks that are moved in another way.

    Args:
        values: What entered each block, and what left it, as backward has it.
        skip: How much of a nudge of left goes past the block.
        by_left: How much of a nudge of left goes to right.
        slope: By what a nudge inside tanh is multiplied, by tanh's value.
        reverse: Whether the last block comes first.
    """

    def mistaken(params: Blocks, streams: Streams) -> Streams:
        own, start, moved = held(params), held(streams), _nudges(streams)
        value = reversible_blocks(own, start)
        before, after = (values or _as_run)(own, value if values else start)

        def block(moved: Streams, at: tuple[Blocks, Blocks, Array, Array]) -> tuple[Streams, None]:
            w, nudge, right, left = at
            of_right, of_left = tanh(right @ w.f), tanh(left @ w.g)
            to_left = skip * moved.left + slope(of_right) * (moved.right @ w.f + right @ nudge.f)
            to_right = moved.right + slope(of_left) * (by_left * to_left @ w.g + left @ nudge.g)
            return Streams(to_left, to_right), None

        inside = own, _nudges(params), before.right, after.left
        pushed = jax.lax.scan(block, moved, inside, reverse=reverse)[0]
        return jax.tree.map(jnp.add, value, pushed)

    return mistaken


def _as_run(params: Blocks, streams: Streams) -> tuple[Streams, Streams]:
    """What entered each block and what left it."""

    def block(streams: Streams, w: Blocks) -> tuple[Streams, tuple[Streams, Streams]]:
        left = streams.left + tanh(streams.right @ w.f)
        after = Streams(left, streams.right + tanh(left @ w.g))
        return after, (streams, after)

    return jax.lax.scan(block, streams, params)[1]


def _undone(undo: Callable[[Streams, Blocks], tuple[Streams, Streams]]) -> Callable[..., tuple[Streams, Streams]]:
    """The same, found from the end by undoing one block after the other: what it gives, and what it holds for left."""

    def values(params: Blocks, last: Streams) -> tuple[Streams, Streams]:
        def block(after: Streams, w: Blocks) -> tuple[Streams, tuple[Streams, Streams]]:
            before, at = undo(after, w)
            return before, (before, at)

        return jax.lax.scan(block, last, params, reverse=True)[1]

    return values


def _first_line_first(after: Streams, w: Blocks) -> tuple[Streams, Streams]:
    left = after.left - tanh(after.right @ w.f)
    return Streams(left, after.right - tanh(left @ w.g)), after


def _added_again(after: Streams, w: Blocks) -> tuple[Streams, Streams]:
    right = after.right + tanh(after.left @ w.g)
    return Streams(after.left + tanh(right @ w.f), right), after


_UNDO_ASK = "Which line of forward comes last, and how is it undone?   (step 2)"

BLOCKS = (
    Mistake(
        "nothing undone",
        _blocks(values=_undone(lambda after, w: (after, after))),
        "Every block was gone back at the streams of the end.",
        _UNDO_ASK,
    ),
    Mistake(
        "undone from the wrong end",
        _blocks(values=_undone(_first_line_first)),
        "Left was undone before right: with a right that is not yet what it was.",
        _UNDO_ASK,
    ),
    Mistake(
        "added once more",
        _blocks(values=_undone(_added_again)),
        "What forward had added was added once more.",
        _UNDO_ASK,
    ),
    Mistake(
        "past the block forgotten",
        _blocks(skip=0.0),
        "Left's cotangent ended in the block: forward adds to left, which goes on past the block.",
        "left = left + something: what does the left before get?   (step 4)",
    ),
    Mistake(
        "left's use by g forgotten",
        _blocks(by_left=0.0),
        "Left got nothing of what came back through g.",
        "Who reads left, beside the sum that it goes on in?   (step 3)",
    ),
    Mistake(
        "tanh left out",
        _blocks(slope=jnp.ones_like),
        "Cotangents went through the products as if there were no tanh.",
        "Through what does a cotangent go before it reaches f or g?   (steps 3 and 4)",
    ),
    Mistake(
        "the first block first",
        _blocks(reverse=True),
        "The way back began at the first block.",
        "Which block's streams are known when backward begins?   (step 2)",
    ),
)


def _search(
    cost: Callable[[Function, int, int, int], int], alone: Callable[[int], int] = lambda n: math.comb(n, 2)
) -> Function:
    """The least cost over all places for the next state that is held; `alone` is that of a single slot."""

    def mistaken(layers: int, slots: int) -> int:
        cheapest: dict[tuple[int, int], int] = {}
        for n in range(1, layers + 1):
            cheapest[n, 1] = alone(n)
        for held_at_once in range(2, slots + 1):
            for n in range(1, layers + 1):
                tries = (cost(lambda *at: cheapest[at], n, held_at_once, j) for j in range(1, n))
                cheapest[n, held_at_once] = min(tries, default=0)
        return cheapest[layers, slots]

    return mistaken


def _by_halves(layers: int, slots: int) -> int:
    if slots == 1 or layers == 1:
        return revolve.fewest_steps(layers, min(slots, 1))
    half = layers // 2
    return half + _by_halves(layers - half, slots - 1) + _by_halves(half, slots)


STEPS = (
    Mistake(
        "always in the middle",
        _by_halves,
        "The state was always put in the middle. Another place may cost less.",
        "Which j is the best? Has it to be the same everywhere?   (step 2)",
    ),
    Mistake(
        "a slot less for both sides",
        _search(lambda least, n, slots, j: j + least(n - j, slots - 1) + least(j, slots - 1)),
        "The first part was given a slot less, too: when it is gone back, the state in the middle is no longer held.",
        "Which slots are free when the first part is gone back?   (step 2)",
    ),
    Mistake(
        "the way to the middle for nothing",
        _search(lambda least, n, slots, j: least(n - j, slots - 1) + least(j, slots)),
        "Getting to the middle was not counted.",
        "How many layers have to be run to hold the state after j of them?   (step 2)",
    ),
    Mistake(
        "as if every state were held",
        lambda layers, slots: layers - 1,
        "So few steps are enough where every state is held, and there are not so many slots.",
        "Which slots are free while each of the two parts is gone back, and what is held with one?   (steps 1, 2)",
    ),
    Mistake(
        "each layer itself as well",
        _search(lambda least, n, slots, j: j + least(n - j, slots - 1) + least(j, slots), lambda n: n * (n + 1) // 2),
        "With a single slot the layer that is gone back was counted, too.",
        "To go back through the first layer, how many have to be run to get to its input?   (step 1)",
    ),
)
