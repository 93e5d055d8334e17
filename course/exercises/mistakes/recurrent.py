"""The mistakes with a name of `recurrent`: slopes, uses and steps confused, padding, cuts at the wrong place.

Those of the pairs have the right value and the derivative of a wrong pass; the others are functions of the same
arguments.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from course.comparison.mistakes import Mistake
from course.exercises.mistakes.forms import held, unasked, valued, weighted
from course.lessons.linear_and_activations import affine
from course.lessons.losses import IGNORED, masked_cross_entropy
from course.lessons.recurrent import Cell, CharRnn, char_rnn_loss, last_state, rnn, rnn_step, truncated_rnn
from course.lessons.vanishing_gradients import tanh_slope
from course.quick_compile import QUICK

Array = Any

quick = partial(jax.jit, compiler_options=QUICK)
"""Compiles a function as fast as can be: it is called a few times."""


def _nudges(params: Cell) -> Cell:
    """The parameters without their values: only a derivative sees them."""
    return jax.tree.map(lambda leaf: leaf - held(leaf), params)


def _step(
    *,
    slope: Callable[[Array, Array, Array], Array] = lambda z, h, after: tanh_slope(z),
    on: Callable[[Array, Array], Array] = lambda nudge, w_h: nudge @ w_h,
    met: Callable[[Array, Array], Array] = lambda h, after: h,
    share: Callable[[int], float] = lambda batch: 1.0,
    past: Callable[[Cell, Array, Array], Array] = lambda own, h, x: jnp.zeros(()),
) -> Callable[..., Array]:
    """A step that is moved by nudges of its arguments in another way.

    Args:
        slope: By what the sum's nudge is multiplied.
        on: What becomes of a nudge of the state before.
        met: What the nudge of w_h meets.
        share: By what the bias' nudge is multiplied.
        past: What moves the value without going through tanh.
    """

    def mistaken(params: Cell, h: Array, x: Array) -> Array:
        own, after, values = _nudges(params), held(rnn_step(params, h, x)), held(params)
        z = affine(held(x), values.w_x, values.b) + jnp.dot(held(h), values.w_h)
        of_x = (x - held(x)) @ values.w_x + held(x) @ own.w_x
        of_h = on(h - held(h), values.w_h) + met(held(h), after) @ own.w_h
        return after + slope(z, held(h), after) * (of_x + of_h + share(len(h)) * own.b) + past(own, held(h), held(x))

    return mistaken


def _past_the_slope(own: Cell, h: Array, x: Array) -> Array:
    """The parameters' nudges as they move the sum."""
    return x @ own.w_x + h @ own.w_h + own.b


def _parameters_past_the_slope(params: Cell, h: Array, x: Array) -> Array:
    return _step()(held(params), h, x) + _past_the_slope(_nudges(params), held(h), held(x))


_SLOPE_ASK = "What is the slope of tanh, written with its value?   (step 2)"
_STATE_ASK = "What was w_h multiplied with: the state before, or the state after?   (step 3)"
_TURN_ASK = "z[n, j] came from h[n, i] by w_h[i, j]. Over which index is the sum on the way back?   (step 4)"

RNN_STEP = (
    Mistake(
        "tanh's slope left out",
        _step(slope=lambda z, h, after: jnp.ones_like(z)),
        "Everything was handed after_bar as it is: tanh was sent back through as if it were not there.",
        _SLOPE_ASK,
    ),
    Mistake(
        "one minus the value",
        _step(slope=lambda z, h, after: 1 - after),
        "The slope was made of the value, and not of its square.",
        _SLOPE_ASK,
    ),
    Mistake(
        "the value for the slope",
        _step(slope=lambda z, h, after: after),
        "What came back was multiplied by tanh's value.",
        _SLOPE_ASK,
    ),
    Mistake(
        "the slope of the sum",
        _step(slope=lambda z, h, after: 1 - jnp.square(z)),
        "The rule for the slope was given the sum that tanh is taken of, where it wants tanh's value.",
        _SLOPE_ASK,
    ),
    Mistake(
        "a plus for the minus",
        _step(slope=lambda z, h, after: 1 + jnp.square(after)),
        "The slope was made with a plus: it is above 1, and no slope of tanh is.",
        _SLOPE_ASK,
    ),
    Mistake(
        "the slope of the state before",
        _step(slope=lambda z, h, after: 1 - jnp.square(h)),
        "The slope was made of the state that came in.",
        "Which of the two states is tanh's value in this step?   (step 2)",
    ),
    Mistake(
        "the slope for the inputs alone",
        _parameters_past_the_slope,
        "The parameters were handed after_bar as it is; h and x were handed what comes back through tanh.",
        "Weights, state and bias are all in one sum. Of what is its cotangent made?   (steps 2 and 3)",
    ),
    Mistake(
        "w_h not turned",
        _step(on=lambda nudge, w_h: jnp.einsum("ni,ji->nj", nudge, w_h)),
        "On its way to h, the cotangent goes through w_h in its forward direction.",
        _TURN_ASK,
    ),
    Mistake(
        "what came out for what came in",
        _step(met=lambda h, after: after),
        "The cotangent of w_h was made with the state that the step gave.",
        _STATE_ASK,
    ),
    Mistake(
        "the bias as a mean",
        _step(share=lambda batch: 1 / batch),
        "The bias got the mean over the rows.",
        "Forward added b to every row. Broadcast forward: what backward?   (step 3)",
    ),
)


def _time_first(sequence: Array) -> Array:
    """The rows of a sequence with time first, as if the batch were first."""
    return jnp.moveaxis(sequence, 1, 0).reshape(sequence.shape)


def _batch_first(sequence: Array) -> Array:
    """The other way round: its rows as if time were first, brought back to batch first."""
    batch, seq, width = sequence.shape
    return jnp.moveaxis(sequence.reshape(seq, batch, width), 0, 1)


def _moved(
    *,
    slope: Callable[[Array, Array], Array] = lambda states, before: 1 - jnp.square(states),
    on: Callable[[Array, Array], Array] = lambda nudge, w_h: nudge @ w_h,
    entered: Callable[[Array, Array], Array] = lambda before, states: before,
    uses: Callable[[int], Array] = jnp.ones,
    carried: Callable[[Array], Array] = lambda nudge: nudge,
    row: Callable[[Array, Array], Array] = lambda early, late: late,
    seen: Callable[[int], Array] = jnp.ones,
    read: Callable[[Array], Array] = lambda x: x,
    x_order: int = 1,
    past: bool = False,
    reverse: bool = False,
) -> Callable[..., Array]:
    """A recurrent network whose states are moved by nudges of the arguments in another way.

    Args:
        slope: By what the nudges of each step's sum are multiplied, of the states after and before it.
        on: What a step makes of a nudge of the state before it.
        entered: What meets the nudge of w_h at each step.
        uses: How much each step's use of the parameters counts.
        carried: What of a step's nudge goes to the next.
        row: Which nudge is on record, of the one before a step and of the one after it.
        seen: How much each step's nudge counts in the value.
        read: What the nudge of w_x meets, of the inputs.
        x_order: -1 takes the nudges of x from the last step to the first.
        past: Whether nudges of a step's parameters and input don't go through its tanh.
        reverse: Whether the last step comes first.
    """

    def mistaken(params: Cell, h: Array, x: Array) -> Array:
        own, values = _nudges(params), held(params)
        inputs, steps = jnp.moveaxis(x, 1, 0), x.shape[1]
        states = jnp.moveaxis(held(rnn(params, h, x)), 1, 0)
        before = jnp.stack([held(h), *states[:-1]])
        of_parameters = jnp.moveaxis(held(read(x)), 1, 0) @ own.w_x + entered(before, states) @ own.w_h + own.b
        of_x = (inputs - held(inputs))[::x_order] @ values.w_x
        moves = uses(steps)[:, None, None] * of_parameters + of_x

        def step(early: Array, inside: tuple[Array, Array]) -> tuple[Array, Array]:
            move, slopes = inside
            by_state = on(early, values.w_h)
            late = slopes * by_state + move if past else slopes * (by_state + move)
            return carried(late), row(early, late)

        rows = jax.lax.scan(step, h - held(h), (moves, slope(states, before)), reverse=reverse)[1]
        return jnp.moveaxis(states + seen(steps)[:, None, None] * rows, 0, 1)

    return mistaken


def _only(place: int) -> Callable[[int], Array]:
    """One step counts, and no other."""
    return lambda steps: jnp.zeros(steps).at[place].set(1.0)


_USES_ASK = "How many steps used the weights?   (step 6)"
_TWO_ASK = "The state after a step stands in the value, and in the step that follows. Which two cotangents?   (step 3)"
_ENTERED_ASK = "Which state did each step start from?   (step 5)"

RNN = (
    Mistake(
        "the last step's use alone",
        _moved(uses=_only(-1)),
        "The parameters have what came back from the last step, and from no other.",
        _USES_ASK,
    ),
    Mistake(
        "the first step's use alone",
        _moved(uses=_only(0)),
        "The parameters have what came back from the first step, which is the last one on the way back.",
        _USES_ASK,
    ),
    Mistake(
        "the mean over the steps",
        _moved(uses=lambda steps: jnp.full(steps, 1 / steps)),
        "What came back to the parameters from all steps was averaged.",
        "Used many times: what becomes of what comes back?   (step 6)",
    ),
    Mistake(
        "what each step gave for what entered it",
        _moved(entered=lambda before, states: states),
        "At each step w_h met the state that this step gave.",
        _ENTERED_ASK,
    ),
    Mistake(
        "the start forgotten",
        _moved(entered=lambda before, states: before.at[0].set(0.0)),
        "w_h got nothing from the first step, as if that started from zeros.",
        _ENTERED_ASK,
    ),
    Mistake(
        "nothing handed on",
        _moved(carried=jnp.zeros_like),
        "Each step was handed its own row of states_bar, and nothing of what the later steps handed back.",
        _TWO_ASK,
    ),
    Mistake(
        "the last state's cotangent alone",
        _moved(seen=_only(-1)),
        "Of states_bar only the last step came in. Every state is in the value.",
        _TWO_ASK,
    ),
    Mistake(
        "a row one step late",
        _moved(row=lambda early, late: early),
        "Each row of states_bar was added behind the step, to the cotangent of the state that the step starts from.",
        "Does a row of states_bar belong to the state before the step, or to the state after it?   (step 3)",
    ),
    Mistake(
        "the first step first",
        _moved(reverse=True),
        "Backward goes through the steps in forward's order.",
        "Which step was the last that made a state?   (step 4)",
    ),
    Mistake(
        "w_h not turned",
        _moved(on=lambda nudge, w_h: jnp.einsum("ni,ji->nj", nudge, w_h)),
        "On the way to the step before, the cotangent goes through w_h in its forward direction.",
        "The new h[n, j] came from h[n, i] by w_h[i, j]. Over which index is the sum on the way back?   (step 3)",
    ),
    Mistake(
        "tanh's slope left out",
        _moved(slope=lambda states, before: jnp.ones_like(states)),
        "The steps were gone back through as if there were no tanh.",
        "A step's last operation is tanh. What does it do on the way back?   (step 3)",
    ),
    Mistake(
        "a plus for the minus",
        _moved(slope=lambda states, before: 1 + jnp.square(states)),
        "The slope of tanh was made with a plus: it is above 1, and no slope of tanh is.",
        "What is the slope of tanh, written with its value?   (step 3)",
    ),
    Mistake(
        "on record before tanh",
        _moved(past=True),
        "What went on record, for the parameters and for x, had not gone through the step's tanh.",
        "Of which of a step's values is what goes on record the cotangent?   (steps 3 and 5)",
    ),
    Mistake(
        "the rows of x mixed up",
        _moved(read=_batch_first),
        "w_x met the inputs of other steps of other rows: batch and time changed places.",
        "In which order do the rows of z_bar hold batch and time, and in which those of x?   (step 5)",
    ),
    Mistake(
        "the slope of the state before",
        _moved(slope=lambda states, before: 1 - jnp.square(before)),
        "The slope of each step's tanh was made of the state that entered the step.",
        "Which of its two states is the value of a step's tanh?   (step 3)",
    ),
    Mistake(
        "x_bar turned round",
        _moved(x_order=-1),
        "The steps of x_bar stand in the order in which backward met them.",
        "In which order does x hold its steps?   (step 6)",
    ),
)


def _last(sloped: Callable[..., Array]) -> Callable[..., Array]:
    """The last states with another derivative."""
    return lambda params, h, x, lengths: valued(last_state(params, h, x, lengths), sloped(params, h, x, lengths))


def _states_where(counts: Callable[[Array, Array], Array]) -> Callable[..., Array]:
    """The sum of each row's states at the places that count, by their number from 1 and the row's length."""

    def summed(params: Cell, h: Array, x: Array, lengths: Array) -> Array:
        places = 1 + jnp.arange(x.shape[1])
        return jnp.einsum("bth,bt->bh", rnn(params, h, x), counts(places, lengths[:, None]) * 1.0)

    return _last(summed)


_WHICH_ASK = "Which state of each row is its last one: at which place does it stand?   (steps 1 and 2)"

LAST_STATE = (
    Mistake(
        "padding taken for steps",
        _states_where(lambda places, lengths: places == places[-1] + 0 * lengths),
        "Every row was taken to be as long as the sequence: y_bar came in at the end of the padding.",
        _WHICH_ASK,
    ),
    Mistake(
        "one step too early",
        _states_where(lambda places, lengths: places == lengths - 1),
        "y_bar came in one step before the last.",
        _WHICH_ASK,
    ),
    Mistake(
        "one step too late",
        _states_where(lambda places, lengths: places == jnp.minimum(lengths + 1, len(places))),
        "y_bar came in one step after the last, where there is one.",
        _WHICH_ASK,
    ),
    Mistake(
        "every step of the row",
        _states_where(lambda places, lengths: places <= lengths),
        "y_bar came in at every step of a row, and not at its last one alone.",
        "How many states of a row are in the value?   (step 2)",
    ),
    Mistake(
        "the padding, too",
        _states_where(lambda places, lengths: places >= lengths),
        "y_bar came in at the last step, and at every step of the padding once more.",
        "How many states of a row are in the value?   (step 2)",
    ),
    Mistake(
        "the longest row's length",
        _states_where(lambda places, lengths: places == jnp.max(lengths) + 0 * lengths - 1),
        "All rows were taken to be as long as the longest, counted from 0.",
        _WHICH_ASK,
    ),
    Mistake(
        "padded rows dropped",
        _states_where(lambda places, lengths: (places == lengths) & (lengths == len(places))),
        "Nothing came back to the rows that are shorter than the sequence.",
        "What comes back to a row that ends early?   (step 2)",
    ),
    Mistake(
        "shared among the steps",
        lambda params, h, x, lengths: weighted(last_state(params, h, x, lengths), 1 / jnp.maximum(lengths, 1)[:, None]),
        "What came back to each row was divided by its length.",
        "Is the last state a mean of anything?   (step 2)",
    ),
)


def _cut(
    at_cut: Callable[[Array, Array], Array],
    counts: Callable[[Array, int, int], Array] = lambda t, seq, stretch: jnp.ones_like(t),
) -> Callable[..., Any]:
    """A gradient by stretches that start from something else, or of which not all count.

    Args:
        at_cut: What a stretch starts from, of the state before it and of the first one.
        counts: How much each step's cotangent counts, by the steps' numbers, how many they are, and the stretch.
    """

    def gradient(params: Cell, h: Array, x: Array, states_bar: Array, stretch: int) -> Any:
        steps = jnp.arange(x.shape[1])

        def states(params: Cell) -> Array:
            def step(before: Array, inside: tuple[Array, Array]) -> tuple[Array, Array]:
                t, x = inside
                after = rnn_step(params, jnp.where(t % stretch == 0, at_cut(before, h), before), x)
                return after, after

            return jax.lax.scan(step, h, (steps, jnp.moveaxis(x, 1, 0)))[1]

        handed = jnp.moveaxis(states_bar, 1, 0) * counts(steps, len(steps), stretch)[:, None, None]
        return jax.vjp(states, params)[1](handed)[0]

    return quick(gradient)


def _constant(before: Array, start: Array) -> Array:
    return held(before)


@quick
def _cut_at_every_step(params: Cell, h: Array, x: Array, states_bar: Array, stretch: int) -> Any:
    return jax.vjp(lambda params: truncated_rnn(params, h, x, 1), params)[1](states_bar)[0]


_CUT_ASK = "What is handed over a cut: the state, its cotangent, both?   (steps 2 and 3)"
_ALL_ASK = "Which stretches did the parameters take part in?   (step 2)"

TRUNCATED_GRADIENT = (
    Mistake(
        "nothing cut",
        _cut(lambda before, start: before),
        "The cotangents went back over the cuts: this is the gradient of the whole sequence.",
        _CUT_ASK,
    ),
    Mistake(
        "every stretch from the first state",
        _cut(lambda before, start: start),
        "Each stretch was started from the state that the sequence starts from.",
        "From which state does a stretch start?   (steps 1 and 3)",
    ),
    Mistake(
        "every stretch from zeros",
        _cut(lambda before, start: jnp.zeros_like(start)),
        "Each stretch was started from zeros: the state was cut as well.",
        "From which state does a stretch start?   (steps 1 and 3)",
    ),
    Mistake(
        "every step cut",
        _cut_at_every_step,
        "Nothing came back from one step to the one before it, within a stretch either.",
        "What goes on within a stretch?   (step 2)",
    ),
    Mistake(
        "the last stretch alone",
        _cut(_constant, lambda t, seq, stretch: t >= (seq - 1) // stretch * stretch),
        "The parameters have what came back from the last stretch.",
        _ALL_ASK,
    ),
    Mistake(
        "the rest left out",
        _cut(_constant, lambda t, seq, stretch: t < seq // stretch * stretch),
        "The steps at the end that don't fill a stretch were left out.",
        "Which steps are in the last stretch?   (step 1)",
    ),
    Mistake(
        "the mean over the stretches",
        _cut(_constant, lambda t, seq, stretch: jnp.full(seq, 1 / -(-seq // stretch))),
        "What came back from the stretches was averaged.",
        "Used many times: what becomes of what comes back?   (step 2)",
    ),
)


def _jacobians(params: Cell, h: Array, x: Array) -> Array:
    """Of every state by the first one, with a nudge in each row."""
    by_nudge = jax.jacfwd(lambda h: rnn(params, h[None], x[None])[0])(h)
    return jnp.swapaxes(by_nudge, 1, 2)


def _of_each_step(params: Cell, h: Array, x: Array) -> Array:
    """The Jacobian of each step by itself."""
    before = jnp.stack([h, *rnn(params, h[None], x[None])[0, :-1]])
    return jnp.swapaxes(jax.vmap(jax.jacfwd(lambda h, x: rnn_step(params, h[None], x[None])[0]))(before, x), 1, 2)


def _by_jacobians(norm: Callable[[Array], Array]) -> Callable[..., Array]:
    """A number of each state's Jacobian."""
    return quick(lambda params, h, x: norm(_jacobians(params, h, x)))


def _largest(matrices: Array) -> Array:
    return jnp.linalg.svd(matrices, compute_uv=False)[..., 0]


@quick
def _weights_alone(params: Cell, h: Array, x: Array) -> Array:
    powers = [params.w_h]
    for _ in x[1:]:
        powers.append(powers[-1] @ params.w_h)
    return _largest(jnp.stack(powers))


@quick
def _slopes_alone(params: Cell, h: Array, x: Array) -> Array:
    slopes = 1 - jnp.square(rnn(params, h[None], x[None])[0])
    return jnp.max(jnp.cumprod(slopes, axis=0), axis=1)


REACH = (
    Mistake(
        "the slopes left out",
        _weights_alone,
        "These are the singular values of w_h's powers.",
        "What comes after the product with w_h in a step?   (step 1)",
    ),
    Mistake(
        "the weights left out",
        _slopes_alone,
        "Only the slopes were multiplied.",
        "What comes before tanh in a step?   (step 1)",
    ),
    Mistake(
        "each step by itself",
        quick(lambda params, h, x: _largest(_of_each_step(params, h, x))),
        "These are the singular values of each step's own Jacobian.",
        "By which state is every state to be differentiated?   (step 1)",
    ),
    Mistake(
        "the product of the singular values",
        quick(lambda params, h, x: jnp.cumprod(_largest(_of_each_step(params, h, x)))),
        "The steps' singular values were multiplied: that is a bound, which is reached if each step stretches most "
        "where the one before it did.",
        "Is the norm of a product the product of the norms?   (step 1)",
    ),
    Mistake(
        "the root of all squares",
        _by_jacobians(lambda each: jnp.sqrt(jnp.einsum("tij,tij->t", each, each))),
        "This is the root of the sum of all squares, in which all singular values are.",
        "Which norm of a matrix is its largest singular value?   (step 2)",
    ),
    Mistake(
        "the smallest singular value",
        _by_jacobians(lambda each: jnp.linalg.svd(each, compute_uv=False)[:, -1]),
        "This is the smallest singular value.",
        "Which norm of a matrix is its largest singular value?   (step 2)",
    ),
    Mistake(
        "the largest row's sum",
        _by_jacobians(lambda each: jnp.max(jnp.sum(jnp.abs(each), axis=2), axis=1)),
        "This is the largest sum of a row's sizes: another norm.",
        "Which norm of a matrix is its largest singular value?   (step 2)",
    ),
)


def _char(
    *,
    rows: Callable[[Array, Array], Array] = lambda rows, ids: rows,
    x: Callable[[Array], Array] = lambda x: x,
    states: Callable[[Array], Array] = lambda states: states,
    flat: Callable[[Array], Array] = lambda states: states.reshape(-1, states.shape[-1]),
    loss: Callable[[Array, Array], Array] = masked_cross_entropy,
) -> Callable[..., Array]:
    """The loss of a network in which something between two of its parts moves otherwise."""

    def mistaken(params: CharRnn, ids: Array, labels: Array) -> Array:
        batch, seq = ids.shape
        picked = rows(params.table[ids.reshape(-1)], ids.reshape(-1))
        start = jnp.zeros((batch, len(params.cell.b)), picked.dtype)
        after = states(rnn(params.cell, start, x(picked.reshape(batch, seq, -1))))
        sloped = loss(affine(flat(after), *params.readout), labels.reshape(-1))
        return valued(char_rnn_loss(params, ids, labels), sloped)

    return mistaken


def _last_occurrence(rows: Array, ids: Array) -> Array:
    places = jnp.arange(len(ids))
    again = (ids == ids[:, None]) & (places > places[:, None])
    return jnp.where(again.any(axis=1)[:, None], held(rows), rows)


def _padding_counts(logits: Array, labels: Array) -> Array:
    """What a truth of zeros does, in the rows that don't count."""
    truth = jax.nn.one_hot(labels, logits.shape[-1], dtype=logits.dtype)
    counted = jnp.maximum(jnp.sum(labels != IGNORED), 1)
    return (jnp.sum(jax.nn.logsumexp(logits, axis=-1)) - jnp.vdot(truth, logits)) / counted


def _mean_of_all(logits: Array, labels: Array) -> Array:
    return weighted(masked_cross_entropy(logits, labels), jnp.sum(labels != IGNORED) / labels.size)


def _at_the_end(sequence: Array) -> Array:
    return jnp.concatenate([held(sequence[:, :-1]), sequence[:, -1:]], axis=1)


CHAR_RNN_LOSS = (
    Mistake(
        "what comes back not asked",
        lambda params, ids, labels: unasked(char_rnn_loss(params, ids, labels)),
        "Everything is what comes back for a loss_bar of 1.",
        "What is handed to the pair that ran last?   (step 2)",
    ),
    Mistake(
        "characters that repeat overwritten",
        _char(rows=_last_occurrence),
        "Each row of the table has what came back from its last use alone.",
        "A character stands in many places. What becomes of what comes back from each?   (step 2)",
    ),
    Mistake(
        "labels that don't count counted",
        _char(loss=_padding_counts),
        "Something came back from the characters whose label does not count.",
        "What comes back from a row that is left out?   (step 2)",
    ),
    Mistake(
        "the mean over all labels",
        _char(loss=_mean_of_all),
        "What came back was divided by the number of all labels.",
        "Over how many labels is the mean?   (step 2)",
    ),
    Mistake(
        "rows of states_bar mixed up",
        _char(flat=lambda states: valued(states, _time_first(states)).reshape(-1, states.shape[-1])),
        "The readout's cotangents went to other steps of other rows: batch and time changed places.",
        "In which order do the rows of the readout hold batch and time?   (step 2)",
    ),
    Mistake(
        "rows of x_bar mixed up",
        _char(x=lambda x: valued(x, _batch_first(x))),
        "What came back to the sequence went to other characters: batch and time changed places.",
        "In which order do the rows that were picked hold batch and time?   (step 2)",
    ),
    Mistake(
        "the last character's loss alone",
        _char(states=_at_the_end),
        "The network was handed what came back to its last state, and to no other.",
        "Which states are in the loss?   (step 2)",
    ),
    Mistake(
        "nothing below the readout",
        _char(states=held),
        "Nothing came back to the recurrent network and to the table.",
        "What does the readout hand to the pair before it?   (step 2)",
    ),
)
