"""The mistakes with a name of `lstm`: ways between state and cell forgotten, gates exchanged, slopes, uses, steps.

All have the right value and the derivative of a wrong pass.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from course.comparison.mistakes import Mistake
from course.exercises.mistakes.forms import held
from course.lessons.linear_and_activations import affine
from course.lessons.lstm import GatedCell, State, gates, gru_step

Array = Any


def _nudges(tree: Any) -> Any:
    """Numbers without their values: only a derivative sees them."""
    return jax.tree.map(lambda leaf: leaf - held(leaf), tree)


class _Step(NamedTuple):
    """The values of a step: the cell before and after it, its gates, tanh of the cell after."""

    before: Array
    after: Array
    i: Array
    f: Array
    g: Array
    o: Array
    tanh_c: Array


class _Slopes(NamedTuple):
    """By what a step multiplies nudges.

    Attributes:
        keep: On the way from the cell before to the cell after.
        z: On the way from each of the four parts of z, the first three to the cell and the last to the state.
        out: On the way from the cell after to the state.
    """

    keep: Array
    z: tuple[Array, Array, Array, Array]
    out: Array


def _right(at: _Step) -> _Slopes:
    i, f, g, o = at.i, at.f, at.g, at.o
    z = (g * i * (1 - i), at.before * f * (1 - f), i * (1 - jnp.square(g)), at.tanh_c * o * (1 - o))
    return _Slopes(f, z, o * (1 - jnp.square(at.tanh_c)))


def _part(place: int, of: Callable[[_Step], Array]) -> Callable[[_Step], _Slopes]:
    """The right slopes but for one part of z."""

    def slopes(at: _Step) -> _Slopes:
        right = _right(at)
        return right._replace(z=(*right.z[:place], of(at), *right.z[place + 1 :]))

    return slopes


def _keeps(of: Callable[[_Step], Array]) -> Callable[[_Step], _Slopes]:
    return lambda at: _right(at)._replace(keep=of(at))


def _gives(of: Callable[[_Step], Array]) -> Callable[[_Step], _Slopes]:
    return lambda at: _right(at)._replace(out=of(at))


def _without_sigmoids(at: _Step) -> _Slopes:
    right = _right(at)
    return right._replace(z=(at.g, at.before, right.z[2], at.tanh_c))


def _without_slopes(at: _Step) -> _Slopes:
    return _right(at)._replace(z=(at.g, at.before, at.i, at.tanh_c))


def _exchanged(at: _Step) -> _Slopes:
    right = _right(at)
    i, g = at.i, at.g
    return right._replace(z=(i * i * (1 - i), right.z[1], g * (1 - jnp.square(g)), right.z[3]))


def _parts(z: Array, order: Sequence[int]) -> list[Array]:
    """The four parts of a nudge of z, in the order in which backward took them."""
    parts = jnp.split(z, 4, axis=-1)
    return [parts[place] for place in order]


IN_ORDER = (0, 1, 2, 3)


def _moves(slopes: _Slopes, z: Sequence[Array], c: Array) -> tuple[Array, Array]:
    """How a step moves its state and its cell, for nudges of z and of the cell before."""
    after = slopes.keep * c + sum(slope * part for slope, part in zip(slopes.z[:3], z[:3], strict=True))
    return slopes.out * after + slopes.z[3] * z[3], after


def _values(params: GatedCell, state: State, x: Array) -> tuple[State, _Step]:
    """A step, with its values on record."""
    of_gates = gates(affine(x, params.w_x, params.b) + jnp.dot(state.h, params.w_h))
    added, kept, candidate, shown = of_gates
    cell = added * candidate + kept * state.c
    bounded = jnp.tanh(cell)
    return State(shown * bounded, cell), _Step(state.c, cell, *of_gates, bounded)


def _step(
    *,
    slopes: Callable[[_Step], _Slopes] = _right,
    order: Sequence[int] = IN_ORDER,
    met: Callable[[State, State], Array] = lambda before, after: before.h,
    share: Callable[[int], float] = lambda batch: 1.0,
    cell: Callable[[Array], Array] = lambda c: c,
) -> Callable[..., State]:
    """A step that is moved by nudges of its arguments in another way.

    Args:
        slopes: By what nudges are multiplied.
        order: In which the parts of z were taken.
        met: What the nudge of w_h meets, of what the step starts from and of what it gives.
        share: By what the bias' nudge is multiplied.
        cell: What of the cell's nudge is in the value.
    """

    def mistaken(params: GatedCell, state: State, x: Array) -> State:
        own, values, start = _nudges(params), held(params), held(state)
        after, at = _values(values, start, held(x))
        z = (x - held(x)) @ values.w_x + held(x) @ own.w_x
        z += (state.h - start.h) @ values.w_h + met(start, after) @ own.w_h + share(len(x)) * own.b
        h, c = _moves(slopes(at), _parts(z, order), state.c - start.c)
        return State(after.h + h, after.c + cell(c))

    return mistaken


_TWICE_ASK = "The cell after the step is in the value, and the state is made of it. What comes back by each?   (step 2)"
_SLOPE_ASK = "What is the slope of a sigmoid, and what that of tanh, written with their values?   (step 4)"
_GATE_ASK = "What was this gate multiplied with?   (step 3)"
_ORDER_ASK = "In which order do the four parts stand in z?   (step 4)"
_KEEP_ASK = "By what is the cell before multiplied, on its way to the cell after?   (step 6)"

LSTM_STEP = (
    Mistake(
        "the state's share forgotten",
        _step(slopes=_gives(lambda at: jnp.zeros_like(at.o))),
        "The cell got what was handed in for itself, and nothing of what came back to the state.",
        _TWICE_ASK,
    ),
    Mistake(
        "the cell's own share forgotten",
        _step(cell=jnp.zeros_like),
        "The cell got what came back by the state, and nothing of after_bar.c.",
        _TWICE_ASK,
    ),
    Mistake(
        "tanh of the cell left out",
        _step(slopes=_gives(lambda at: at.o)),
        "On the way from the state to the cell, only the output gate was multiplied.",
        "The state is o * tanh(c). What does tanh do on the way back?   (step 2)",
    ),
    Mistake(
        "the cell for its tanh",
        _step(slopes=_part(3, lambda at: at.after * at.o * (1 - at.o))),
        "The output gate's cotangent was made with the cell itself.",
        _GATE_ASK,
    ),
    Mistake(
        "the cell after for the cell before",
        _step(slopes=_part(1, lambda at: at.after * at.f * (1 - at.f))),
        "The forget gate's cotangent was made with the cell that the step gave.",
        _GATE_ASK,
    ),
    Mistake(
        "each its own factor",
        _step(slopes=_exchanged),
        "The input gate's cotangent was made with the input gate, and the candidate's with the candidate.",
        _GATE_ASK,
    ),
    Mistake(
        "the candidate as a sigmoid",
        _step(slopes=_part(2, lambda at: at.i * at.g * (1 - at.g))),
        "The candidate was sent back through a sigmoid.",
        "Which of the four parts does tanh make?   (step 4)",
    ),
    Mistake(
        "the sigmoids left out",
        _step(slopes=_without_sigmoids),
        "The three gates' cotangents were handed on as they are, as if there were no sigmoid.",
        _SLOPE_ASK,
    ),
    Mistake(
        "all four slopes left out",
        _step(slopes=_without_slopes),
        "The cotangents of gates and candidate were taken for those of the four parts of z.",
        _SLOPE_ASK,
    ),
    Mistake(
        "input and forget gate exchanged",
        _step(order=(1, 0, 2, 3)),
        "The parts of z_bar stand in another order than those of z: the forget gate's comes first.",
        _ORDER_ASK,
    ),
    Mistake(
        "candidate and output gate exchanged",
        _step(order=(0, 1, 3, 2)),
        "The parts of z_bar stand in another order than those of z: the output gate's comes before the candidate's.",
        _ORDER_ASK,
    ),
    Mistake(
        "nothing forgotten",
        _step(slopes=_keeps(lambda at: jnp.ones_like(at.f))),
        "The cell before got the cotangent of the cell after as it is.",
        _KEEP_ASK,
    ),
    Mistake(
        "the input gate for the forget gate",
        _step(slopes=_keeps(lambda at: at.i)),
        "What came back to the cell before was multiplied by the input gate.",
        _KEEP_ASK,
    ),
    Mistake(
        "what came out for what came in",
        _step(met=lambda before, after: after.h),
        "The cotangent of w_h was made with the state that the step gave.",
        "What was w_h multiplied with: the state before, or the state after?   (step 5)",
    ),
    Mistake(
        "the bias as a mean",
        _step(share=lambda batch: 1 / batch),
        "The bias got the mean over the rows.",
        "Forward added b to every row. Broadcast forward: what backward?   (step 5)",
    ),
)


def _moved(
    *,
    slopes: Callable[[_Step], _Slopes] = _right,
    order: Sequence[int] = IN_ORDER,
    entered: Callable[[Array, Array], Array] = lambda before, after: before,
    uses: Callable[[int], Array] = jnp.ones,
    by_cell: float = 1.0,
    by_state: float = 1.0,
    seen: Callable[[int], Array] = jnp.ones,
    late: bool = False,
    read: Callable[[Array], Array] = lambda x: x,
    reverse: bool = False,
) -> Callable[..., Array]:
    """An LSTM whose states are moved by nudges of the arguments in another way.

    Args:
        slopes: By what nudges are multiplied, of all steps at once.
        order: In which the parts of z were taken.
        entered: What meets the nudge of w_h at each step, of the states before and after.
        uses: How much each step's use of the parameters counts.
        by_cell: How much of the cell's nudge goes to the next step.
        by_state: How much of the state's nudge goes to the next step.
        seen: How much each step's nudge counts in the value.
        late: Whether the nudge on record is that of the state before a step.
        read: What the nudge of w_x meets, of the inputs.
        reverse: Whether the last step comes first.
    """

    def mistaken(params: GatedCell, state: State, x: Array) -> Array:
        own, values, start, steps = _nudges(params), held(params), held(state), x.shape[1]
        inputs = jnp.moveaxis(x, 1, 0)

        def forward(before: State, row: Array) -> tuple[State, tuple[Array, _Step]]:
            after, at = _values(values, before, row)
            return after, (after.h, at)

        states, at = jax.lax.scan(forward, start, held(inputs))[1]
        before = jnp.concatenate([start.h[None], states[:-1]])
        uses_w = jnp.moveaxis(held(read(x)), 1, 0) @ own.w_x + entered(before, states) @ own.w_h + own.b
        z_moves = (inputs - held(inputs)) @ values.w_x + uses(steps)[:, None, None] * uses_w

        def step(early: State, inside: tuple[Array, _Slopes]) -> tuple[State, Array]:
            z, by = inside
            h, c = _moves(by, _parts(z + early.h @ values.w_h, order), early.c)
            return State(by_state * h, by_cell * c), early.h if late else h

        moved = jax.lax.scan(step, _nudges(state), (z_moves, slopes(at)), reverse=reverse)[1]
        return jnp.moveaxis(states + seen(steps)[:, None, None] * moved, 0, 1)

    return mistaken


def _only_the_last(steps: int) -> Array:
    return jnp.zeros(steps).at[-1].set(1.0)


def _batch_first(sequence: Array) -> Array:
    """The rows of a sequence as if time were first, brought back to batch first."""
    batch, seq, width = sequence.shape
    return jnp.moveaxis(sequence.reshape(seq, batch, width), 0, 1)


_WAYS_ASK = "By which two ways does a step hand something to the step before it?   (steps 3 and 4)"
_ENTERED_ASK = "Which state, and which cell, did each step start from?   (step 5)"

LSTM = (
    Mistake(
        "the highway closed",
        _moved(by_cell=0.0),
        "Nothing was handed from cell to cell: each step's c_bar has what came by its own state alone.",
        _WAYS_ASK,
    ),
    Mistake(
        "the highway alone",
        _moved(by_state=0.0),
        "Nothing was handed back through w_h: each state has its own row of states_bar, and no more.",
        _WAYS_ASK,
    ),
    Mistake(
        "nothing forgotten",
        _moved(slopes=_keeps(lambda at: jnp.ones_like(at.f))),
        "From cell to cell the cotangent was handed on as it is.",
        "By what is a cell multiplied on its way to the next?   (step 4)",
    ),
    Mistake(
        "tanh of the cell left out",
        _moved(slopes=_gives(lambda at: at.o)),
        "On the way from each state to its cell, only the output gate was multiplied.",
        "The state is o * tanh(c). What does tanh do on the way back?   (step 3)",
    ),
    Mistake(
        "the cell after for the cell before",
        _moved(slopes=_part(1, lambda at: at.after * at.f * (1 - at.f))),
        "The forget gates' cotangents were made with the cell that each step gave.",
        _ENTERED_ASK,
    ),
    Mistake(
        "what each step gave for what entered it",
        _moved(entered=lambda before, after: after),
        "At each step w_h met the state that this step gave.",
        _ENTERED_ASK,
    ),
    Mistake(
        "the start forgotten",
        _moved(entered=lambda before, after: before.at[0].set(0.0)),
        "w_h got nothing from the first step, as if that started from zeros.",
        _ENTERED_ASK,
    ),
    Mistake(
        "the last step's use alone",
        _moved(uses=_only_the_last),
        "The parameters have what came back from the last step, and from no other.",
        "How many steps used the weights?   (step 6)",
    ),
    Mistake(
        "the last state's cotangent alone",
        _moved(seen=_only_the_last),
        "Of states_bar only the last step came in. Every state is in the value.",
        "Which cotangents has the state after a step?   (step 3)",
    ),
    Mistake(
        "a row one step late",
        _moved(late=True),
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
        "input and forget gate exchanged",
        _moved(order=(1, 0, 2, 3)),
        "The parts of z_bar stand in another order than those of z: the forget gate's comes first.",
        _ORDER_ASK,
    ),
    Mistake(
        "the rows of x mixed up",
        _moved(read=_batch_first),
        "w_x met the inputs of other steps of other rows: batch and time changed places.",
        "In which order do the rows of z_bar hold batch and time, and in which those of x?   (step 6)",
    ),
)


class _Gru(NamedTuple):
    """The values of a step: the state before, both gates, the candidate, and what the reset gate multiplies."""

    h: Array
    r: Array
    u: Array
    n: Array
    n_h: Array


class _GruSlopes(NamedTuple):
    """By what a step multiplies nudges.

    Attributes:
        keep: On the way from the state before, past all matrices.
        u: On the way from the update gate's part.
        n: On the way from the candidate's part.
        r: On the way from the reset gate's part to the candidate's.
        n_h: On the way from the state's product to the candidate's part.
    """

    keep: Array
    u: Array
    n: Array
    r: Array
    n_h: Array


def _gru_right(at: _Gru) -> _GruSlopes:
    return _GruSlopes(
        at.u,
        (at.h - at.n) * at.u * (1 - at.u),
        (1 - at.u) * (1 - jnp.square(at.n)),
        at.n_h * at.r * (1 - at.r),
        at.r,
    )


def _gru(
    slopes: Callable[[_Gru, _GruSlopes], _GruSlopes] = lambda at, right: right,
    bias: Callable[[Array, Array], Array] = lambda b, r: b,
) -> Callable[..., Array]:
    """A step of a GRU that is moved by nudges of its arguments in another way.

    Args:
        slopes: By what nudges are multiplied, given the values and the right ones.
        bias: What the nudge of the candidate's bias becomes, with the reset gate.
    """

    def mistaken(params: GatedCell, h: Array, x: Array) -> Array:
        own, values, h0, x0 = _nudges(params), held(params), held(h), held(x)
        reset, update, candidate = jnp.split(affine(x0, values.w_x, values.b), 3, axis=-1)
        resets, updates, product = jnp.split(jnp.dot(h0, values.w_h), 3, axis=-1)
        r, u = jax.nn.sigmoid(jnp.stack([reset + resets, update + updates]))
        at = _Gru(h0, r, u, jnp.tanh(candidate + product * r), product)
        by = slopes(at, _gru_right(at))
        reset, update, candidate = jnp.split((x - x0) @ values.w_x + x0 @ own.w_x, 3, axis=-1)
        resets, updates, product = jnp.split((h - h0) @ values.w_h + h0 @ own.w_h, 3, axis=-1)
        reset_b, update_b, candidate_b = jnp.split(own.b, 3)
        of_candidate = candidate + bias(candidate_b, r) + by.n_h * product + by.r * (reset + resets + reset_b)
        moved = by.keep * (h - h0) + by.u * (update + updates + update_b) + by.n * of_candidate
        return held(gru_step(params, h, x)) + moved

    return mistaken


_RESET_ASK = "The candidate's part is n_x + r * n_h. What does each of these get?   (steps 3 and 4)"
_UPDATE_ASK = "u stands before the state and, in 1 - u, before the candidate. What comes back to it?   (step 2)"

GRU_STEP = (
    Mistake(
        "the direct way forgotten",
        _gru(lambda at, right: right._replace(keep=jnp.zeros_like(at.u))),
        "The state before has what came back through w_h, and nothing by the way past it.",
        "By which two ways does the state before get something?   (step 5)",
    ),
    Mistake(
        "the update gate the other way round",
        _gru(lambda at, right: right._replace(keep=1 - at.u, n=at.u * (1 - jnp.square(at.n)))),
        "What u multiplies forward was multiplied by 1 - u backward, and the other way round.",
        "Which of the two does u multiply, the state or the candidate?   (steps 2 and 5)",
    ),
    Mistake(
        "the update gate's other use forgotten",
        _gru(lambda at, right: right._replace(u=at.h * at.u * (1 - at.u))),
        "The update gate has what came back by the state, and not what came by the candidate.",
        _UPDATE_ASK,
    ),
    Mistake(
        "the update gate with the wrong sign",
        _gru(lambda at, right: right._replace(u=-right.u)),
        "In the update gate's cotangent, state and candidate stand the wrong way round.",
        _UPDATE_ASK,
    ),
    Mistake(
        "the reset gate left out on the way back",
        _gru(lambda at, right: right._replace(n_h=jnp.ones_like(at.r))),
        "The state's product got the candidate's cotangent as it is.",
        _RESET_ASK,
    ),
    Mistake(
        "the reset gate everywhere",
        _gru(lambda at, right: right, lambda b, r: r * b),
        "The candidate's bias got what the state's product gets: it was multiplied by the reset gate.",
        _RESET_ASK,
    ),
    Mistake(
        "the state for its product",
        _gru(lambda at, right: right._replace(r=at.h * at.r * (1 - at.r))),
        "The reset gate's cotangent was made with the state, and not with what it multiplied.",
        _RESET_ASK,
    ),
    Mistake(
        "nothing through the reset gate",
        _gru(lambda at, right: right._replace(r=jnp.zeros_like(at.r))),
        "Nothing came back to the reset gate.",
        _RESET_ASK,
    ),
    Mistake(
        "the sigmoids left out",
        _gru(lambda at, right: right._replace(u=at.h - at.n, r=at.n_h)),
        "Both gates' cotangents were handed on as if there were no sigmoid.",
        "What is the slope of a sigmoid, written with its value?   (steps 2 and 3)",
    ),
)
