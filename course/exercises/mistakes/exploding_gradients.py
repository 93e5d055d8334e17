"""The mistakes with a name of `exploding_gradients`.

Those of the recurrent map and of clipping's derivative have the right value and the derivative of a wrong pass; the
others are functions of the same arguments.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from course.comparison.mistakes import Mistake
from course.exercises.mistakes.forms import held, valued
from course.lessons.exploding_gradients import clip_to_norm

Array = Any


def _recorded(h: Array, w: Array, x: Array) -> tuple[Array, Array]:
    """What the last step gives, and what enters every step, as numbers."""

    def step(h: Array, x: Array) -> tuple[Array, Array]:
        return h @ held(w) + x, h

    return jax.lax.scan(step, held(h), held(x))


def _moved(
    *,
    on: Callable[[Array, Array], Array] = lambda h_nudge, w: h_nudge @ w,
    entered: Callable[[Array, Array], Array] = lambda before, y: before,
    by: Callable[[Array], Array] = lambda uses: uses,
    x_order: int = 1,
    reverse: bool = False,
) -> Callable[..., Array]:
    """The recurrent map, whose value is moved by nudges of its arguments in another way.

    Args:
        on: What a step makes of a nudge of what enters it.
        entered: What meets the nudge of w at each step, of what entered each and of what came out in the end.
        by: Changes what meets the nudge of w, for all steps.
        x_order: -1 takes the nudges of x from the last to the first.
        reverse: Whether the last step comes first.
    """

    def mistaken(h: Array, w: Array, x: Array) -> Array:
        y, before = _recorded(h, w, x)
        w_nudge, uses = w - held(w), by(entered(before, y))

        def step(h_nudge: Array, inside: tuple[Array, Array]) -> tuple[Array, None]:
            met, x_nudge = inside
            return on(h_nudge, held(w)) + met @ w_nudge + x_nudge, None

        inside = (uses, (x - held(x))[::x_order])
        return y + jax.lax.scan(step, h - held(h), inside, reverse=reverse)[0]

    return mistaken


def _kept(row: int) -> Callable[[Array], Array]:
    """Nothing but one step's."""
    return lambda uses: jnp.zeros_like(uses).at[row].set(uses[row])


def _after(before: Array, y: Array) -> Array:
    return jnp.concatenate([before[1:], y[None]])


def _nothing_handed_on(h: Array, w: Array, x: Array) -> Array:
    y, before = _recorded(h, w, x)
    nudges = before @ (w - held(w)) + (x - held(x))
    return y + (h - held(h)) @ held(w) + jnp.sum(nudges, axis=0)


def _before_the_weights(of: str) -> Callable[..., Array]:
    """The nudges of x, or those of w, go through the product of their own step, too."""

    def mistaken(h: Array, w: Array, x: Array) -> Array:
        y, before = _recorded(h, w, x)
        nudges = {"w": before @ (w - held(w)), "x": x - held(x)}

        def step(h_nudge: Array, inside: tuple[Array, Array]) -> tuple[Array, None]:
            early, late = inside
            return (h_nudge + early) @ held(w) + late, None

        return y + jax.lax.scan(step, h - held(h), (nudges.pop(of), *nudges.values()))[0]

    return mistaken


_USES_ASK = "The same w was used at every step: what follows?   (step 3)"

RECURRENT = (
    Mistake(
        "weights not turned",
        _moved(on=lambda h_nudge, w: jnp.einsum("ni,ji->nj", h_nudge, w)),
        "On the way to the step before, the cotangent goes through the weights in their forward direction.",
        "The new h[n, j] came from h[n, i] by w[i, j]. Over which index is the sum on the way back?   (step 1)",
    ),
    Mistake(
        "the last use alone",
        _moved(by=_kept(-1)),
        "The cotangent of w comes from the last step alone, as if the others had weights of their own.",
        _USES_ASK,
    ),
    Mistake(
        "the first use alone",
        _moved(by=_kept(0)),
        "The cotangent of w comes from the first step alone: what the others gave was overwritten.",
        _USES_ASK,
    ),
    Mistake(
        "the mean of the uses",
        _moved(by=lambda uses: uses / len(uses)),
        "The cotangent of w is the mean over all steps.",
        _USES_ASK,
    ),
    Mistake(
        "what came out for what went in",
        _moved(entered=_after),
        "At each step the weights meet what the step gave, and not what entered it.",
        "By what was w multiplied in forward?   (step 1)",
    ),
    Mistake(
        "the first h for all",
        _moved(entered=lambda before, y: jnp.broadcast_to(before[:1], before.shape)),
        "At every step the weights meet the h that the first one was given.",
        "By what was w multiplied in forward, at this step?   (step 1)",
    ),
    Mistake(
        "the first step first",
        _moved(reverse=True),
        "Backward goes through the steps in forward's order.",
        "Which step did y come out of?   (step 2)",
    ),
    Mistake(
        "nothing handed on",
        _nothing_handed_on,
        "Every step is given y_bar itself: what one step hands back never reaches the one before it.",
        "What does a step hand to the one before it?   (step 1)",
    ),
    Mistake(
        "x_bar behind the weights",
        _before_the_weights("x"),
        "The cotangent of x[t] was put on record after it had gone through the weights.",
        "In forward, x[t] was added. Before the product of that step, or after it?   (step 1)",
    ),
    Mistake(
        "w_bar behind the weights",
        _before_the_weights("w"),
        "What entered a step met the cotangent of itself, which had gone through the weights already.",
        "Of what is the cotangent that belongs to the product of this step?   (step 1)",
    ),
    Mistake(
        "x_bar turned round",
        _moved(x_order=-1),
        "The cotangents of x stand in the order in which backward met them.",
        "In which order does x hold its steps?   (step 2)",
    ),
)


def _bad(array: Array, is_bad: Callable[[Array], Array] = lambda a: ~jnp.isfinite(a)) -> Array:
    """Whether a step holds anything bad."""
    return is_bad(array).any(axis=tuple(range(1, array.ndim)))


def _first(bad: Array) -> Array:
    """The place of the first True; behind the last place, if there is none."""
    return jnp.where(bad.any(), jnp.argmax(bad), len(bad))


def _any_bad(history: Any) -> Array:
    return jnp.any(jnp.stack([_bad(array) for array in jax.tree.leaves(history)]), axis=0)


def _of_one(place: int) -> Callable[[Any], Array]:
    """Looks at one array alone."""

    def step(history: Any) -> Array:
        return _first(_bad(jax.tree.leaves(history)[place]))

    return step


def _nan_alone(history: Any) -> Array:
    found = [_first(_bad(array, jnp.isnan)) for array in jax.tree.leaves(history)]
    return jnp.min(jnp.stack(found))


def _when_all_are_bad(history: Any) -> Array:
    return jnp.max(jnp.stack([_first(_bad(array)) for array in jax.tree.leaves(history)]))


def _last_bad(history: Any) -> Array:
    bad = _any_bad(history)
    return len(bad) - 1 - jnp.argmax(bad[::-1])


FIRST_BAD_STEP = (
    Mistake(
        "NaN alone",
        _nan_alone,
        "Infinities pass for numbers: this is where the first NaN stands.",
        "What was there before the first NaN?   (step 1)",
    ),
    Mistake(
        "the first array alone",
        _of_one(0),
        "Only one array was looked at, the first of the tree.",
        "Which arrays does the history hold?   (step 2)",
    ),
    Mistake(
        "the loss alone",
        _of_one(1),
        "Only the loss was looked at. Something else went bad before it.",
        "Which arrays does the history hold?   (step 2)",
    ),
    Mistake(
        "all arrays bad",
        _when_all_are_bad,
        "That is the first step by which every array has gone bad.",
        "Is one bad number enough?   (step 2)",
    ),
    Mistake(
        "the last bad step",
        _last_bad,
        "That is the last step that holds something bad.",
        "Which of the bad steps is wanted?   (step 3)",
    ),
    Mistake(
        "a count",
        lambda history: jnp.sum(_any_bad(history)),
        "That is how many steps are bad.",
        "A place or a count: which of them is wanted?   (step 3)",
    ),
    Mistake(
        "counted from 1",
        lambda history: _first(_any_bad(history)) + 1,
        "That is one step later: steps count from 0.",
        "Which number has the first step?   (step 3)",
    ),
)


def _each(change: Callable[[Array, Any], Array]) -> Callable[[Any, Any], Any]:
    """Does something to every array by itself."""
    return lambda grads, limit: jax.tree.map(lambda leaf: change(leaf, limit), grads)


def _squares(tree: Any) -> Array:
    """The sum of all squares."""
    return sum((jnp.vdot(leaf, leaf) for leaf in jax.tree.leaves(tree)), jnp.zeros(()))


def _shortened(tree: Any, size: Array, limit: Any) -> Any:
    """Everything times limit / size where this is below 1."""
    return jax.tree.map(lambda leaf: leaf / jnp.maximum(size / limit, 1), tree)


def _all_by(size: Callable[[Any], Array]) -> Callable[[Any, Any], Any]:
    """Everything scaled alike, by another size than the norm."""
    return lambda grads, limit: _shortened(grads, size(grads), limit)


def _each_by(size: Callable[[Array], Array]) -> Callable[[Any, Any], Any]:
    """Each array scaled by itself."""
    return _each(lambda leaf, limit: _shortened(leaf, size(leaf), limit))


def _norm(tree: Any) -> Array:
    return _squares(tree) ** 0.5


def _mean_size(tree: Any) -> Array:
    return (_squares(tree) / sum(leaf.size for leaf in jax.tree.leaves(tree))) ** 0.5


def _largest(tree: Any) -> Array:
    return jnp.max(jnp.stack([jnp.max(jnp.abs(leaf)) for leaf in jax.tree.leaves(tree)]))


def _always(grads: Any, limit: Any) -> Any:
    return jax.tree.map(lambda leaf: leaf * (limit / jnp.maximum(_norm(grads), jnp.finfo(leaf.dtype).tiny)), grads)


def _to_one(grads: Any, limit: Any) -> Any:
    return jax.tree.map(lambda leaf: jnp.where(_norm(grads) > limit, leaf / _norm(grads), leaf), grads)


_by_value = _each(lambda leaf, limit: leaf / jnp.maximum(jnp.abs(leaf) / limit, 1))
_BY_VALUE = "Every number is cut by itself, so that the direction is another one."
_SQUARED = "The root was left out: it is the sum of the squares that was taken for the norm."
_MEAN = "The mean of the squares stands under the root, so that the limit is on the size of one number."
_LARGEST = "It is the largest number that is held under the limit."
_ALWAYS = "What is below the limit is scaled up to it: small gradients become large ones."
_NORM_ASK = "Square, sum, root: over what, and which of them is left to do?   (step 1)"
_BELOW_ASK = "By what is a gradient multiplied that is short enough already?   (step 2)"

CLIP_BY_VALUE = (
    Mistake(
        "from above alone",
        _each(jnp.minimum),
        "Numbers far below zero are left as they are.",
        "How small may a number become?   (step 1)",
    ),
    Mistake(
        "the sign lost",
        _each(lambda leaf, limit: jnp.minimum(jnp.abs(leaf), limit)),
        "All numbers have become positive: half of the steps would go uphill.",
        "What sign has a number that is cut?   (step 1)",
    ),
    Mistake(
        "zero for what is too large",
        _each(lambda leaf, limit: jnp.where(jnp.abs(leaf) > limit, 0, leaf)),
        "What is too large has been dropped.",
        "What is left of a number that is above the limit?   (step 1)",
    ),
    Mistake(
        "signs alone",
        _each(lambda leaf, limit: limit * jnp.sign(leaf)),
        "Every number has become as large as the limit, the small ones too.",
        "What becomes of a number within the limits?   (step 1)",
    ),
    Mistake(
        "scaled by the largest", _each_by(_largest), _LARGEST, "Is a number cut, or all of them scaled?   (step 1)"
    ),
    Mistake(
        "by norm",
        _all_by(_norm),
        "All numbers were scaled alike, by their norm.",
        "Is a number cut, or all of them scaled?   (step 1)",
    ),
)

CLIP_BY_GLOBAL_NORM = (
    Mistake(
        "each array by itself",
        _each_by(_norm),
        "Each array is held to the limit by itself: the long ones are shortened, the short ones are not.",
        "Whose norm is it, and how many scales are there?   (steps 1 and 2)",
    ),
    Mistake("always scaled", _always, _ALWAYS, _BELOW_ASK),
    Mistake("the square for the norm", _all_by(_squares), _SQUARED, _NORM_ASK),
    Mistake(
        "norms added up",
        _all_by(lambda grads: sum((_norm(leaf) for leaf in jax.tree.leaves(grads)), jnp.zeros(()))),
        "The norms of the arrays were added up.",
        "All numbers in one long row: what is its norm?   (step 1)",
    ),
    Mistake(
        "the largest norm",
        _all_by(lambda grads: jnp.max(jnp.stack([_norm(leaf) for leaf in jax.tree.leaves(grads)]))),
        "The norm of the longest array was taken for that of all.",
        "All numbers in one long row: what is its norm?   (step 1)",
    ),
    Mistake("the root of the mean", _all_by(_mean_size), _MEAN, _NORM_ASK),
    Mistake(
        "shortened to 1",
        _to_one,
        "What is too long is shortened to 1, whatever the limit.",
        "How long is what was too long, afterwards?   (step 2)",
    ),
    Mistake("by value", _by_value, _BY_VALUE, "By what is every number multiplied?   (step 2)"),
    Mistake(
        "scaled by the largest number",
        _all_by(_largest),
        _LARGEST,
        _NORM_ASK,
    ),
    Mistake(
        "PyTorch's epsilon",
        lambda grads, limit: _shortened(grads, _norm(grads) + 1e-6, limit),
        "A millionth was added to the norm, as PyTorch does: what comes out is a little too short.",
        "What is divided by what, and can it be 0 / 0 where the gradient is too long?   (step 2)",
    ),
)

_LEAF_ASK = "Whose norm is it, and what is scaled by it?   (step 1)"

CLIP_BY_LEAF_NORM = (
    Mistake("all arrays together", _all_by(_norm), "All arrays were scaled alike, by the norm of all.", _LEAF_ASK),
    Mistake(
        "always scaled",
        _each(_always),
        _ALWAYS,
        "What becomes of an array that is short enough already?   (step 1)",
    ),
    Mistake("the square for the norm", _each_by(_squares), _SQUARED, _LEAF_ASK),
    Mistake("the root of the mean", _each_by(_mean_size), _MEAN, _LEAF_ASK),
    Mistake("by value", _by_value, _BY_VALUE, _LEAF_ASK),
    Mistake("scaled by the largest number", _each_by(_largest), _LARGEST, _LEAF_ASK),
    Mistake(
        "row by row",
        _each(lambda leaf, limit: leaf / jnp.maximum(jnp.linalg.norm(leaf, axis=-1, keepdims=True) / limit, 1)),
        "Every row was scaled by itself.",
        _LEAF_ASK,
    ),
)


def _sloped(slope: Callable[[Array, Array, Array, Array], Array]) -> Callable[[Array, Array], Array]:
    """Clipping to a norm with another derivative where g is too long, of g, max_norm, the norm and g / norm.

    The last two are numbers. Below the norm the derivative is right.
    """

    def mistaken(g: Array, max_norm: Array) -> Array:
        square = jnp.vdot(held(g), held(g))
        above = square > held(max_norm) ** 2
        norm = jnp.where(above, square, 1) ** 0.5
        return valued(clip_to_norm(g, max_norm), jnp.where(above, slope(g, max_norm, norm, held(g) / norm), g))

    return mistaken


def _with(
    from_g: Callable[[Array, Array, Array], Array], from_max_norm: Callable[[Array, Array], Array] | None = None
) -> Callable[[Array, Array], Array]:
    """The same with what comes back to g, times max_norm / norm, and to max_norm."""

    def slope(g: Array, max_norm: Array, norm: Array, unit: Array) -> Array:
        to_g = held(max_norm) / norm * from_g(g, norm, unit)
        return to_g + (max_norm * unit if from_max_norm is None else from_max_norm(max_norm, unit * norm))

    return _sloped(slope)


def _flat(g: Array, norm: Array, unit: Array) -> Array:
    """What is left of g beside its old direction."""
    return g - jnp.vdot(g, unit) * unit


_ALONG_ASK = "If g grows along its own direction, what does what comes out do?   (step 2)"
_SCALE_ASK = "If g turns by a small angle, how far does the end of what comes out move?   (step 2)"
_LIMIT_ASK = "If max_norm grows by a little, which way does what comes out move?   (steps 1 and 3)"

CLIP_TO_NORM = (
    Mistake(
        "the norm taken for a constant",
        _with(lambda g, norm, unit: g),
        "The scale is taken for a constant: it is forgotten that the norm hangs on g.",
        _ALONG_ASK,
    ),
    Mistake(
        "nothing comes back",
        _with(lambda g, norm, unit: held(g)),
        "Where g is too long, nothing comes back to it, as if every number had been cut.",
        "If g turns, does what comes out turn?   (step 2)",
    ),
    Mistake(
        "straight through",
        _sloped(lambda g, max_norm, norm, unit: g + max_norm * unit),
        "All of y_bar comes back to g, as if nothing had been done to it.",
        _ALONG_ASK,
    ),
    Mistake(
        "the scale left out",
        _sloped(lambda g, max_norm, norm, unit: _flat(g, norm, unit) + max_norm * unit),
        "What lies along g is taken away, but the rest comes back in full.",
        _SCALE_ASK,
    ),
    Mistake(
        "max_norm for the scale",
        _sloped(lambda g, max_norm, norm, unit: held(max_norm) * _flat(g, norm, unit) + max_norm * unit),
        "What comes back to g was multiplied by max_norm as it is, however long g is.",
        _SCALE_ASK,
    ),
    Mistake(
        "the norm for the scale",
        _sloped(lambda g, max_norm, norm, unit: norm * _flat(g, norm, unit) + max_norm * unit),
        "What comes back to g was made longer by the norm of g.",
        _SCALE_ASK,
    ),
    Mistake(
        "a number for the part",
        _with(lambda g, norm, unit: g - g.sum() * unit),
        "How much of y_bar lies along g was taken from each of its numbers, as if it had no direction.",
        "Which way does the part of y_bar along g point?   (step 2)",
    ),
    Mistake(
        "the part along g alone",
        _with(lambda g, norm, unit: jnp.vdot(g, unit) * unit),
        "What comes back to g is the part of y_bar along it: just the part that clipping does not let through.",
        _ALONG_ASK,
    ),
    Mistake(
        "a plus for the minus",
        _with(lambda g, norm, unit: g + jnp.vdot(g, unit) * unit),
        "What lies along g is counted twice instead of being taken away.",
        _ALONG_ASK,
    ),
    Mistake(
        "g for its direction",
        _with(lambda g, norm, unit: g - jnp.vdot(g, unit * norm) * unit * norm),
        "The part along g was taken with g itself, whose length is not 1.",
        "How long must a direction be, so that a part along it is a sum of products?   (step 1)",
    ),
    Mistake(
        "g once for its direction",
        _with(lambda g, norm, unit: g - jnp.vdot(g, unit * norm) * unit),
        "Once of two times, g itself stands for its direction.",
        "How long must a direction be, so that a part along it is a sum of products?   (step 1)",
    ),
    Mistake(
        "nothing to max_norm",
        _with(_flat, lambda max_norm, g: held(g)),
        "Where g is too long, nothing comes back to max_norm.",
        _LIMIT_ASK,
    ),
    Mistake(
        "all of y_bar to max_norm",
        _with(_flat, lambda max_norm, g: max_norm + 0 * g),
        "What comes back to max_norm is the sum of y_bar, whatever the direction of g.",
        _LIMIT_ASK,
    ),
    Mistake(
        "g for its direction, to max_norm",
        _with(_flat, lambda max_norm, g: max_norm * g),
        "What comes back to max_norm was taken along g itself, whose length is not 1.",
        _LIMIT_ASK,
    ),
)
