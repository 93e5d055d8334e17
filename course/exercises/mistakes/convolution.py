"""The mistakes with a name of `convolution`: kernels not turned, windows shifted, sums made means, sides swapped.

Only forward functions stand here: each has the right value, and the derivative of a wrong pass; and, for paddings,
wrong functions of the same numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jax.numpy as jnp

from course.comparison.mistakes import Mistake
from course.exercises.mistakes.forms import held, one_row, unasked, valued, weighted
from course.lessons.convolution import (
    GROUPS,
    Window,
    conv_1d,
    conv_2d,
    grouped_conv_1d,
    read_places,
    slide,
    transposed_conv_1d,
)

Function = Callable[..., Any]
Ends = tuple[int, int]

_TURN = "x[s] is read by several windows: by which place of the kernel, the further right the window lies?   (step 1)"
_ALONG = "Which entry of x does w[k] meet in y[t], as t grows?   (step 2)"
_MANY = "For how many products is one w[k] used? Used many times: what follows?   (step 2)"


def _apart(f: Function, of_x: Function | None = None, of_w: Function | None = None) -> Function:
    """The function, with what comes back to x taken from one function of the same arguments, to w from another."""

    def made(x: Any, w: Any, *rest: Any) -> Any:
        to_x = (of_x or f)(x, held(w), *rest)
        return valued(f(x, w, *rest), to_x + (of_w or f)(held(x), w, *map(held, rest)))

    return made


def _with(f: Function, *, x: Function = lambda x: x, w: Function = lambda w: w) -> Function:
    """The function of changed arguments."""
    return lambda x_given, w_given, *rest: f(x(x_given), w(w_given), *rest)


def _flip(*axes: int) -> Function:
    return lambda array: jnp.flip(array, axes)


def _first_place(w: Any) -> Any:
    return jnp.zeros_like(w).at[0].set(w[0])


def _moved(x: Any, axis: int) -> Any:
    """X from its second place on, and a 0."""
    return jnp.roll(x.at[(slice(None),) * axis + (0,)].set(0), -1, axis)


_MET_ALIKE = "y_bar met the kernel in x_bar as forward's x did, from its first place to its last."


def _sliding(f: Function, axis: int, *, turned: str = _MET_ALIKE, ask: str = _TURN) -> tuple[Mistake, ...]:
    """Those of every convolution; `axis` is the one along which windows follow one another."""

    def outputs(y: Any) -> int:
        return int(y.shape[axis])

    return (
        Mistake(
            "kernel the wrong way round in x_bar",
            _apart(f, of_x=_with(f, w=_flip(0))),
            turned,
            ask,
        ),
        Mistake(
            "w_bar turned round",
            _apart(f, of_w=_with(f, w=_flip(0))),
            "The places of w_bar stand in the opposite order.",
            _ALONG,
        ),
        Mistake(
            "y_bar turned round",
            lambda *given: valued(f(*given), jnp.flip(f(*given), axis)),
            "The windows of y_bar were taken in the opposite order.",
            ask,
        ),
        Mistake(
            "one place of the kernel alone",
            _apart(f, of_x=_with(f, w=_first_place)),
            "To x came only what the kernel's first place sends.",
            ask,
        ),
        Mistake(
            "w_bar averaged over the windows",
            lambda x, w, *rest: f(x, weighted(w, 1 / outputs(f(x, w, *rest))), *rest),
            "What the windows send to w was averaged.",
            _MANY,
        ),
        Mistake(
            "x_bar averaged over the kernel",
            lambda x, w, *rest: f(weighted(x, 1 / len(w)), w, *rest),
            "What the kernel's places send to x was averaged.",
            ask,
        ),
        Mistake(
            "y_bar left out",
            lambda *given: unasked(f(*given)),
            "Both are what comes back for a y_bar of ones.",
            "By how much does each entry of y count for the loss?   (step 1)",
        ),
        Mistake(
            "x_bar moved by a place",
            _apart(f, of_x=_with(f, x=lambda x: _moved(x, axis))),
            "x_bar lies a place too far to the end.",
            ask,
        ),
    )


def _written_last(x: Any, w: Any) -> Any:
    """Of all that windows make, what comes back where a later piece takes an earlier one's place."""
    last = w[-1] * x[len(w) - 1 :]
    return jnp.concatenate([slide(x, w)[:1], last[1:]])


SLIDE = (
    *_sliding(slide, 0),
    Mistake(
        "overwritten for added",
        _apart(slide, of_x=_written_last),
        "Where pieces of x_bar overlap, the last one took the place of the others.",
        "x[s] was used in several windows: what follows?   (step 1)",
    ),
)

# Channels and a batch.


def _over_batch(f: Function) -> tuple[Mistake, ...]:
    return (
        Mistake(
            "w_bar averaged over the batch",
            lambda x, w, *rest: f(x, weighted(w, 1 / len(x)), *rest),
            "What the examples send to w was averaged.",
            "Every example used the same kernel. Used many times: what follows?   (step 2)",
        ),
        Mistake(
            "w_bar of the first example",
            _apart(f, of_w=lambda x, w, *rest: one_row(f(x, w, *rest), 0)),
            "To w came only what the first example sends.",
            "Every example used the same kernel. Used many times: what follows?   (step 2)",
        ),
    )


CONV_1D = (*_sliding(conv_1d, 1), *_over_batch(conv_1d))

GROUPED_CONV_1D = (
    *_sliding(grouped_conv_1d, 1),
    *_over_batch(grouped_conv_1d),
    Mistake(
        "groups in the opposite order",
        _apart(grouped_conv_1d, of_x=lambda x, w: grouped_conv_1d(_regrouped(x), w)),
        "What belongs to one group of x's channels came to the other.",
        "Which channels of x did a channel of y read?   (step 1)",
    ),
)


def _regrouped(x: Any) -> Any:
    return jnp.roll(x, x.shape[-1] // GROUPS, axis=-1)


# Two axes, a bias, a window.


def _sides_swapped(x: Any, w: Any, b: Any, window: Window) -> Any:
    turned = tuple((after, before) for before, after in window.padding)
    return conv_2d(x, w, b, replace(window, padding=turned))


def _bias(factor: Function) -> Function:
    return lambda x, w, b, window: conv_2d(x, w, weighted(b, factor(conv_2d(x, w, b, window))), window)


_COPIED = "To how many entries of y was b[o] copied?   (step 4)"
_SIDES = "By how much do windows reach over the beginning, and by how much over the end?   (step 1)"

CONV_2D = (
    Mistake(
        "kernel the wrong way round in x_bar",
        _apart(conv_2d, of_x=_with(conv_2d, w=_flip(0, 1))),
        _MET_ALIKE,
        "x[s] is read by several windows: by which place of the kernel, the further right the window lies?   (step 2)",
    ),
    Mistake(
        "turned along the height alone",
        _apart(conv_2d, of_x=_with(conv_2d, w=_flip(1))),
        "In x_bar the kernel was turned along its height, and not along its width.",
        "In which directions does a window move?   (step 2)",
    ),
    Mistake(
        "turned along the width alone",
        _apart(conv_2d, of_x=_with(conv_2d, w=_flip(0))),
        "In x_bar the kernel was turned along its width, and not along its height.",
        "In which directions does a window move?   (step 2)",
    ),
    Mistake(
        "w_bar turned round",
        _apart(conv_2d, of_w=_with(conv_2d, w=_flip(0, 1))),
        "The places of w_bar stand in the opposite order.",
        "Which entry of x does w[i, j] meet, as the window moves?   (step 3)",
    ),
    Mistake(
        "padding's sides swapped for x_bar",
        _apart(conv_2d, of_x=_sides_swapped),
        "In x_bar the padding of an axis stands on the other side.",
        _SIDES,
    ),
    Mistake(
        "padding's sides swapped for w_bar",
        _apart(conv_2d, of_w=_sides_swapped),
        "In w_bar the padding of an axis stands on the other side.",
        _SIDES,
    ),
    Mistake(
        "b_bar averaged over the image",
        _bias(lambda y: 1 / (y.shape[1] * y.shape[2])),
        "What the places of an image send to b was averaged.",
        _COPIED,
    ),
    Mistake(
        "b_bar averaged over the batch",
        _bias(lambda y: 1 / len(y)),
        "What the images of the batch send to b was averaged.",
        _COPIED,
    ),
    *_over_batch(conv_2d),
    Mistake(
        "y_bar left out",
        lambda *given: unasked(conv_2d(*given)),
        "All three are what comes back for a y_bar of ones.",
        "By how much does each entry of y count for the loss?   (step 2)",
    ),
)

# The transposed one.

_FROM = "Which entries of y did x[t] go into, and by which place of the kernel?   (step 1)"

TRANSPOSED_CONV_1D = (
    *_sliding(transposed_conv_1d, 1, turned="In x_bar the kernel was turned round.", ask=_FROM),
    *_over_batch(transposed_conv_1d),
)

# Paddings.


def paddings_by_listing(
    length: int, width: int, outputs: int, stride: int, before: int, dilation: int
) -> tuple[Ends, Ends]:
    """What `bar_paddings` returns, found by writing all places down."""
    places = read_places(outputs, width, stride, before, dilation)
    behind, reach = places[-1][-1] - (length - 1), places[0][-1] - places[0][0]
    return (reach - before, reach - behind), (before, behind)


def _listed(change: Callable[[Ends, Ends], tuple[Ends, Ends]]) -> Function:
    return lambda *given: change(*paddings_by_listing(*given))


def _a_place_wider(*given: int) -> tuple[Ends, Ends]:
    (first, second), of_w = paddings_by_listing(*given)
    dilation = given[-1]
    return (first + dilation, second + dilation), of_w


_LAST = "Which is the last place that any window reads?   (step 1)"
_LEFT = "How far does a window reach, and what of that is left on each side?   (step 2)"

BAR_PADDINGS = (
    Mistake(
        "one padding for both",
        _listed(lambda of_x, of_w: (of_w, of_w)),
        "x_bar's convolution was given the padding of w_bar's.",
        _LEFT,
    ),
    Mistake(
        "the two swapped",
        _listed(lambda of_x, of_w: (of_w, of_x)),
        "The padding for x_bar stands in the place of that for w_bar.",
        "Which of the two is asked for first?   (step 2)",
    ),
    Mistake(
        "sides swapped for x_bar",
        _listed(lambda of_x, of_w: (of_x[::-1], of_w)),
        "For x_bar, what belongs before stands after.",
        _LEFT,
    ),
    Mistake(
        "one place too far",
        lambda length, *rest: paddings_by_listing(length + 1, *rest),
        "The last place of x was taken to be one further.",
        "Places are counted from 0: which is the last of x?   (step 1)",
    ),
    Mistake(
        "stride left out",
        lambda length, width, outputs, stride, *rest: paddings_by_listing(length, width, outputs, 1, *rest),
        "Windows were taken to follow place by place.",
        _LAST,
    ),
    Mistake(
        "dilation left out",
        lambda length, width, outputs, stride, before, _: paddings_by_listing(
            length, width, outputs, stride, before, 1
        ),
        "The kernel's places were taken to lie side by side.",
        _LAST,
    ),
    Mistake(
        "width for reach",
        _a_place_wider,
        "A window was taken to reach as far as it has places.",
        _LEFT,
    ),
)
