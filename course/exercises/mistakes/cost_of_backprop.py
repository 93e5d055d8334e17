"""Mistakes that people make in `cost_of_backprop`: costs counted wrongly, and a shared matrix's wrong derivative."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from course.comparison.mistakes import Mistake
from course.exercises import counted
from course.exercises.mistakes.forms import held, unasked, valued, weighted
from course.lessons.cost_of_backprop import ROUNDS, AffineFlops, StepFlops
from course.lessons.linear_and_activations import tanh

Function = Callable[..., Any]


def _affine(change: Callable[[AffineFlops, int], dict[str, int]]) -> Function:
    """The right counts after a change of some, which is told the right ones and the number of rows."""

    def mistaken(batch: int, d_in: int, d_out: int) -> AffineFlops:
        right = counted.affine_flops(batch, d_in, d_out)
        return right._replace(**change(right, batch))

    return mistaken


def _one_addition_fewer(batch: int, d_in: int, d_out: int) -> AffineFlops:
    right = counted.affine_flops(batch, d_in, d_out)
    shapes = (batch, d_out), (batch, d_in), (d_in, d_out), (d_out,)
    return AffineFlops(*(flops - math.prod(shape) for flops, shape in zip(right, shapes, strict=True)))


AFFINE = (
    Mistake(
        "multiplications alone",
        _affine(
            lambda right, rows: {
                "forward": right.forward - right.w_bar // 2,
                "x_bar": right.x_bar // 2,
                "w_bar": right.w_bar // 2,
            }
        ),
        "Only the multiplications of the products are counted: what they give has to be added up, too.",
        "One entry of a product: how many multiplications, and how many additions?   (step 1)",
    ),
    Mistake(
        "bias for nothing",
        _affine(lambda right, rows: {"forward": right.x_bar}),
        "Forward is the product alone: the bias has to be added to every entry.",
        "What happens to the product before it is y?   (step 1)",
    ),
    Mistake(
        "bias added to one row",
        _affine(lambda right, rows: {"forward": right.x_bar + right.b_bar // rows}),
        "The bias is added to a single row here.",
        "To how many rows is the bias added?   (step 1)",
    ),
    Mistake(
        "b_bar for nothing",
        _affine(lambda right, rows: {"b_bar": 0}),
        "b_bar costs nothing here: it is a sum over rows.",
        "How many numbers are added up for b_bar?   (step 3)",
    ),
    Mistake(
        "b_bar like a product",
        _affine(lambda right, rows: {"b_bar": right.w_bar}),
        "b_bar was counted like a product of matrices: nothing is multiplied for it.",
        "How many numbers are added up for b_bar?   (step 3)",
    ),
    Mistake(
        "the bias on the way back",
        _affine(lambda right, rows: {"x_bar": right.forward, "w_bar": right.forward}),
        "x_bar and w_bar were counted as forward was, bias and all. No bias is added on the way back.",
        "What is there in x_bar and w_bar beside one product?   (step 2)",
    ),
    Mistake(
        "w_bar of one row",
        _affine(lambda right, rows: {"w_bar": right.w_bar // rows}),
        "w_bar was counted for a single row: every row sends something to every entry of w.",
        "How many rows are added up in one entry of w_bar?   (step 2)",
    ),
    Mistake(
        "x_bar not counted",
        _affine(lambda right, rows: {"x_bar": 0}),
        "x_bar costs nothing here. That is so in a first layer; all others have to hand it back.",
        "Who waits for x_bar in the middle of a network?   (step 2)",
    ),
    Mistake(
        "one addition fewer",
        _one_addition_fewer,
        "A sum of k numbers was counted as k - 1 additions. Here it counts k, as if it began at zero.",
        "What does a sum of k numbers count in this lesson?   (step 1)",
    ),
    Mistake(
        "one row alone",
        lambda batch, d_in, d_out: counted.affine_flops(1, d_in, d_out),
        "These are the FLOPs of a single row.",
        "How many rows go through the layer?   (step 1)",
    ),
)


def _step(change: Callable[[StepFlops, int, int], StepFlops]) -> Function:
    """The right counts after a change, which is told those of the first and of the last layer's product as well."""

    def mistaken(batch: int, sizes: tuple[int, ...]) -> StepFlops:
        first, last = (counted.step_flops(batch, part).forward for part in (sizes[:2], sizes[-2:]))
        return change(counted.step_flops(batch, sizes), first, last)

    return mistaken


_BACK = "Each product of forward: how many does backward make of it, and which one does nobody ask for?   (step 2)"

STEP = (
    Mistake(
        "the images' cotangent",
        _step(lambda right, first, last: right._replace(backward=right.backward + first)),
        "Backward makes two products of each layer's here, also of the first's: one would be the images' cotangent.",
        "The x of the first layer is the images. Who asks for their cotangent?   (step 2)",
    ),
    Mistake(
        "one product a layer",
        _step(lambda right, first, last: right._replace(backward=right.forward)),
        "Backward costs what forward does here, as one often reads: one product a layer.",
        _BACK,
    ),
    Mistake(
        "nothing of the first layer",
        _step(lambda right, first, last: right._replace(backward=right.backward - first)),
        "The first layer has no product at all in backward here. Its weights are learned, too.",
        _BACK,
    ),
    Mistake(
        "the last layer's product",
        _step(lambda right, first, last: right._replace(backward=right.backward + first - last)),
        "It is the last layer's product that was left out, not the first's.",
        "At which end does backward come to something that nobody asks for?   (step 2)",
    ),
    Mistake(
        "forward in backward",
        _step(lambda right, first, last: right._replace(backward=sum(right))),
        "Forward is counted in backward here: that is the whole step.",
        "Which products run after the loss is known?   (step 2)",
    ),
    Mistake(
        "multiplications alone",
        _step(lambda right, first, last: StepFlops(*(flops // 2 for flops in right))),
        "Only the multiplications are counted: what they give has to be added up, too.",
        "What does one product take: how many multiplications, and how many additions?   (step 1)",
    ),
    Mistake(
        "one row alone",
        lambda batch, sizes: counted.step_flops(1, sizes),
        "These are the FLOPs of a single row.",
        "How many rows go through the network?   (step 1)",
    ),
    Mistake(
        "the hidden layers alone",
        _step(lambda right, first, last: StepFlops(right.forward - last, right.backward - 2 * last)),
        "The last layer is missing: it has no relu, but a product.",
        "How many layers do four sizes make?   (step 1)",
    ),
)


def _kept(change: Callable[[int, Sequence[int], int], int]) -> Function:
    """The right bytes after a change, which is told the sizes and the number of rows as well."""
    return lambda batch, sizes: change(counted.kept_bytes(batch, sizes), sizes, batch)


_RELU = "How many bytes has a yes or no, and how many a number?   (step 1)"

KEPT = (
    Mistake(
        "masks of four bytes",
        _kept(lambda right, sizes, rows: right + 3 * rows * sum(sizes[1:-1])),
        "The masks are counted like numbers: a yes or no is a single byte.",
        _RELU,
    ),
    Mistake(
        "no masks",
        _kept(lambda right, sizes, rows: right - rows * sum(sizes[1:-1])),
        "The relus' masks are missing.",
        "What does a relu keep beside what it hands to the next layer?   (step 1)",
    ),
    Mistake(
        "a mask of the logits",
        _kept(lambda right, sizes, rows: right + rows * sizes[-1]),
        "The logits have a mask here: there is no relu behind the last layer.",
        "Behind which layers is there a relu?   (step 1)",
    ),
    Mistake(
        "no logits",
        _kept(lambda right, sizes, rows: right - 4 * rows * sizes[-1]),
        "What the loss keeps is missing.",
        "Of what does softmax_cross_entropy make its cotangent?   (step 2)",
    ),
    Mistake(
        "the images too",
        _kept(lambda right, sizes, rows: right + 4 * rows * sizes[0]),
        "The images are counted. They are there anyway, whether backward comes or not.",
        "Who holds the images while the network runs?   (step 2)",
    ),
    Mistake(
        "the parameters too",
        _kept(lambda right, sizes, rows: right + counted.bytes_of(counted.parameters(sizes))),
        "The parameters are counted. They are there anyway, and do not grow with the batch.",
        "Which arrays are there only because forward ran?   (step 2)",
    ),
    Mistake(
        "numbers for bytes",
        lambda batch, sizes: sum(array.size for array in counted.kept_arrays(batch, sizes)),
        "These are numbers, masks included, and not bytes.",
        _RELU,
    ),
    Mistake(
        "eight bytes a number",
        lambda batch, sizes: sum((1 if a.dtype == bool else 8) * a.size for a in counted.kept_arrays(batch, sizes)),
        "Eight bytes a number is float64. Networks are trained in float32.",
        _RELU,
    ),
    Mistake(
        "one row alone",
        lambda batch, sizes: counted.kept_bytes(1, sizes),
        "These are the bytes of a single row.",
        "How many rows does each array have?   (step 1)",
    ),
    Mistake(
        "before the relu as well",
        _kept(lambda right, sizes, rows: right + 4 * rows * sum(sizes[1:-1])),
        "What each relu got is counted beside what it gave. The mask says all that backward asks of it.",
        "What does relu_bwd ask: how far from zero it was, or only on which side?   (step 1)",
    ),
)


def _batch(held: Callable[[int, Sequence[int]], int]) -> Function:
    """The most rows that fit, where something else is held."""
    return lambda sizes, memory: counted.largest_batch(sizes, memory, held)


def _whole(sizes: Sequence[int]) -> int:
    return counted.bytes_of(counted.parameters(sizes))


BATCH = (
    Mistake(
        "no gradient",
        _batch(lambda rows, sizes: counted.held_for_training(rows, sizes) - _whole(sizes)),
        "The gradient has no room: it is as large as the parameters.",
        "Which two things are there whatever the batch?   (step 1)",
    ),
    Mistake(
        "neither parameters nor gradient",
        _batch(lambda rows, sizes: counted.held_for_training(rows, sizes) - 2 * _whole(sizes)),
        "Parameters and gradient have no room.",
        "Which two things are there whatever the batch?   (step 1)",
    ),
    Mistake(
        "no images",
        _batch(lambda rows, sizes: counted.held_for_training(rows, sizes) - 4 * rows * sizes[0]),
        "The images have no room.",
        "What is there of each row even before forward runs?   (step 2)",
    ),
    Mistake(
        "no activations",
        _batch(lambda rows, sizes: counted.held_for_training(rows, sizes) - counted.kept_bytes(rows, sizes)),
        "What forward keeps has no room: this is a batch of images.",
        "What does forward keep of each row?   (step 2)",
    ),
    Mistake(
        "a gradient for each row",
        _batch(lambda rows, sizes: counted.held_for_training(rows, sizes) + (rows - 1) * _whole(sizes)),
        "Each row has a gradient of its own here. They are added up on the way: there is one.",
        "Does the gradient grow with the batch?   (step 1)",
    ),
    Mistake(
        "one row too many",
        lambda sizes, memory: counted.largest_batch(sizes, memory) + 1,
        "This is one row more than fits.",
        "Memory for two and a half rows: how many fit?   (step 3)",
    ),
)


@dataclass(frozen=True)
class _Parts:
    """What a round of `shared_layers` is made of on the way back, one of it mistaken; every value is kept.

    `weight` is w in a round of a number; `state` what w is multiplied by there, of all x from the first to the last;
    `across` what the x that moves is multiplied by; `moved` what that x is in a round; `squashed` has the derivative of
    the round's tanh, of the product and of all rounds' products, `squashed_by_w` another one on the way to w alone;
    `result` is what the network returns.
    """

    weight: Callable[[Any, int], Any] = lambda w, number: w
    state: Callable[[Sequence[Any], int], Any] = lambda states, number: states[number]
    across: Callable[[Any], Any] = lambda w: w
    moved: Callable[[Any, int], Any] = lambda x, number: x
    squashed: Callable[[Any, Sequence[Any], int], Any] = lambda z, products, number: tanh(z)
    squashed_by_w: Callable[[Any, Sequence[Any], int], Any] | None = None
    result: Callable[[Any], Any] = lambda x: x


LAST = ROUNDS - 1


def _rounds(**parts: Any) -> Function:
    of = _Parts(**parts)

    def mistaken(w: Any, x: Any) -> Any:
        products, states = [], [x]
        for _ in range(ROUNDS):
            products.append(states[-1] @ w)
            states.append(tanh(products[-1]))
        for number in range(ROUNDS):
            by_x = of.moved(x, number) @ of.across(held(w))
            by_w = held(of.state(states, number)) @ of.weight(w, number)
            moving, sending = (valued(products[number], by) for by in (by_x, by_w))
            sent = (of.squashed_by_w or of.squashed)(sending, products, number)
            x = valued(states[number + 1], of.squashed(moving, products, number) + sent)
        return of.result(x)

    return mistaken


def _slope_of(products: Sequence[Any], number: int, z: Any) -> Any:
    """Moves as z does, and is squashed as in the round of a number."""
    return tanh(valued(products[number], z))


first_round_alone = _rounds(weight=lambda w, number: held(w) if number else w)
"""Is `shared_layers`, whose w gets what the first round sends alone."""

_ADD = "Every round used the same w. Used many times: what follows?   (step 3)"
_SLOPE = "Of which number does the slope of this round's tanh consist?   (step 2)"
_WITH = "What stood on the left of w in the round whose z_bar this is?   (step 3)"

SHARED = (
    Mistake(
        "first round alone",
        first_round_alone,
        "w_bar is what the first round sends: on the way back each round overwrote the one before.",
        _ADD,
    ),
    Mistake(
        "last round alone",
        _rounds(weight=lambda w, number: w if number == LAST else held(w)),
        "w_bar is what the last round sends: nothing comes from the others.",
        _ADD,
    ),
    Mistake(
        "first round left out",
        _rounds(weight=lambda w, number: w if number else held(w)),
        "The first round, the one that x itself went into, sends nothing to w.",
        "How many rounds used w, and which x went into the first?   (step 3)",
    ),
    Mistake(
        "last round left out",
        _rounds(weight=lambda w, number: held(w) if number == LAST else w),
        "The last round sends nothing to w.",
        "How many rounds used w?   (step 3)",
    ),
    Mistake(
        "averaged over the rounds",
        _rounds(weight=lambda w, number: weighted(w, 1 / ROUNDS)),
        "w_bar is the mean of what the rounds send, not their sum.",
        _ADD,
    ),
    Mistake(
        "tanh left out",
        _rounds(squashed=lambda z, products, number: z),
        "What came back went through as if there were no tanh.",
        "Between y_bar and z_bar there is a tanh: what does it do to a cotangent?   (step 2)",
    ),
    Mistake(
        "tanh taken twice",
        _rounds(squashed=lambda z, products, number: tanh(valued(tanh(products[number]), z))),
        "The slope is taken at y and not at z: y was squashed once more.",
        _SLOPE,
    ),
    Mistake(
        "slope without its square",
        _rounds(squashed=lambda z, products, number: (y := valued(tanh(products[number]), z)) - y * y / 2),
        "The slope falls in y itself here, not in its square: it should not ask for y's sign.",
        _SLOPE,
    ),
    Mistake(
        "slope with a plus",
        _rounds(squashed=lambda z, products, number: (y := valued(tanh(products[number]), z)) + y**3 / 3),
        "The slope grows with y here: tanh is flat where y is near 1 or -1.",
        _SLOPE,
    ),
    Mistake(
        "a minus in every round",
        _rounds(squashed=lambda z, products, number: -tanh(z)),
        "What comes back changes its sign in every round.",
        "Does tanh rise or fall?   (step 2)",
    ),
    Mistake(
        "no tanh before w",
        _rounds(squashed_by_w=lambda z, products, number: z),
        "w_bar was made of what came back to a round before it went through the tanh; x_bar is right.",
        "w stands inside the tanh: which cotangent reaches it?   (step 3)",
    ),
    Mistake(
        "no tanh on the way on",
        _rounds(squashed=lambda z, products, number: z, squashed_by_w=lambda z, products, number: tanh(z)),
        "What went on to the round before had not gone through the tanh.",
        "The x of a round stands inside its tanh: which cotangent goes on?   (step 2)",
    ),
    Mistake(
        "last slope in every round",
        _rounds(squashed=lambda z, products, number: _slope_of(products, LAST, z)),
        "Every round has the slope of the last.",
        "Does each round have its own y, and so its own slope?   (step 2)",
    ),
    Mistake(
        "rounds not connected",
        _rounds(moved=lambda x, number: held(x)),
        "No round hands anything to the one before it, and x gets nothing.",
        "What is the y_bar of the round before?   (step 2)",
    ),
    Mistake(
        "what comes back not asked",
        _rounds(result=unasked),
        "This is what comes back for a y_bar of ones.",
        "What is the first y_bar, and who handed it in?   (step 2)",
    ),
    Mistake(
        "x after the round",
        _rounds(state=lambda states, number: states[number + 1]),
        "In w_bar each round's z_bar met the x that the round made, not the one that it got.",
        _WITH,
    ),
    Mistake(
        "the first x in every round",
        _rounds(state=lambda states, number: states[0]),
        "In w_bar every round's z_bar met the first x.",
        _WITH,
    ),
    Mistake(
        "every x turned round",
        _rounds(state=lambda states, number: states[LAST - number]),
        "In w_bar the first round's z_bar met the last round's x, and so on: one of the two lists is turned round.",
        _WITH,
    ),
    Mistake(
        "w not transposed",
        _rounds(across=lambda w: w.T),
        "On the way from round to round w was not transposed: being square, it fits all the same.",
        "z = x @ w: which index of w meets which of z_bar?   (step 2)",
    ),
    Mistake(
        "rounds in forward's order",
        _rounds(
            squashed=lambda z, products, number: _slope_of(products, LAST - number, z),
            state=lambda states, number: states[LAST - number],
        ),
        "Backward went through the rounds from the first to the last.",
        "Which round ran last?   (step 2)",
    ),
)
