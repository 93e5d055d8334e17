"""The mistakes with a name of `skip_connections`: one of two paths lost, a norm gone past, coins that fell otherwise.

Only forward functions stand here: each has the right value, and the derivative of a wrong pass.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from course.comparison.mistakes import Mistake
from course.exercises.mistakes.forms import held, valued, weighted
from course.lessons.linear_and_activations import relu
from course.lessons.normalization import reciprocal_std, rms_norm
from course.lessons.skip_connections import (
    coins,
    dropout,
    post_norm_block,
    pre_norm_block,
    skip_block,
    skip_stack,
    stochastic_depth,
)

Function = Callable[..., Any]


def _sloped(f: Function, sloped: Function) -> Function:
    """The function with the derivative of another one of the same arguments."""
    return lambda *given: valued(f(*given), sloped(*given))


def _times(x: Any, w: Any) -> Any:
    """The product."""
    return jnp.einsum("ni,ij->nj", x, w)


def _cut(by: Any, z: Any) -> Any:
    """Z where another array is positive, whatever is done to that array."""
    return held(by > 0) * z


def _turned(x: Any, w: Any) -> Any:
    """The product, in which x gets its cotangent through w in the forward direction."""
    return valued(_times(x, w), x @ held(w).T + held(x) @ w)


def _elsewhere(x: Any, w: Any, met: Any) -> Any:
    """The product, in which w's cotangent is made of another array than x."""
    return valued(_times(x, w), x @ held(w) + held(met) @ w)


# One block, and a stack of them.

_TWICE = "x is in y by itself and by the branch: is what comes back by both ways there?   (step 2)"
_RELU = "Through what does a cotangent go, on the branch, before it meets w?   (step 1)"

_NO_SKIP = "Only what comes back through the branch is there: the skip connection sends nothing."
_NO_BRANCH = "Only what comes back over the skip connection is there: the branch sends nothing on to its input."
_NO_RELU = "On the branch the cotangent goes past the relu as if it were not there."
_RELU_AROUND = "The relu's switches were laid on the skip connection too."
_BY_SUM = "The relu was taken to be on where the block's value is positive, and not where z is."
_NOT_TURNED = "The cotangent goes through the weights in their forward direction."
_AFTER = "The weights meet what the block gives, and not what entered it."


def _relu_around(x: Any, w: Any) -> Any:
    z = _times(x, w)
    return _cut(z, x + z)


def _by_the_sum(x: Any, w: Any) -> Any:
    z = _times(x, w)
    return x + _cut(x + relu(z), z)


def _w_past_relu(x: Any, w: Any) -> Any:
    z = x @ held(w)
    return x + _cut(z, z) + held(x) @ w


_BLOCKS = {
    "the skip connection left out": lambda x, w: held(x) + relu(_times(x, w)),
    "the branch left out": lambda x, w: x + relu(held(x) @ w),
    "the relu left out": lambda x, w: x + _times(x, w),
    "the relu around both": _relu_around,
    "the relu of the sum": _by_the_sum,
    "weights not turned": lambda x, w: x + relu(_turned(x, w)),
    "what came out for what went in": lambda x, w: x + relu(_elsewhere(x, w, skip_block(x, w))),
}
"""Blocks whose derivative is that of a wrong pass."""

SKIP_BLOCK = (
    Mistake(
        "the skip connection left out",
        _sloped(skip_block, _BLOCKS["the skip connection left out"]),
        _NO_SKIP,
        _TWICE,
    ),
    Mistake("the branch left out", _sloped(skip_block, _BLOCKS["the branch left out"]), _NO_BRANCH, _TWICE),
    Mistake("the relu left out", _sloped(skip_block, _BLOCKS["the relu left out"]), _NO_RELU, _RELU),
    Mistake("the relu around both", _sloped(skip_block, _BLOCKS["the relu around both"]), _RELU_AROUND, _TWICE),
    Mistake(
        "the relu of the sum",
        _sloped(skip_block, _BLOCKS["the relu of the sum"]),
        _BY_SUM,
        "Of which array was the relu taken in forward?   (step 1)",
    ),
    Mistake(
        "weights not turned",
        _sloped(skip_block, _BLOCKS["weights not turned"]),
        _NOT_TURNED,
        "z[n, j] came from x[n, i] by w[i, j]. Over which index is the sum on the way back?   (step 2)",
    ),
    Mistake(
        "what came out for what went in",
        _sloped(skip_block, _BLOCKS["what came out for what went in"]),
        _AFTER,
        "By what were these weights multiplied in forward?   (step 1)",
    ),
    Mistake(
        "w past the relu",
        _sloped(skip_block, _w_past_relu),
        "w gets y_bar as if there were no relu behind its product; x gets what is right.",
        _RELU,
    ),
    Mistake(
        "the skip connection twice",
        _sloped(skip_block, lambda x, w: 2 * x + relu(_times(x, w))),
        "What comes back over the skip connection is there twice.",
        _TWICE,
    ),
)


def _stacked(name: str) -> Function:
    """The stack, made of blocks with the derivative of a wrong pass."""
    block = _sloped(skip_block, _BLOCKS[name])
    return lambda x, w: jax.lax.scan(lambda h, weights: (block(h, weights), None), x, w)[0]


def _recorded(x: Any, w: Any) -> tuple[Any, Any, Any]:
    """The stack's value, and of every block as numbers: what enters it, and where its relu is on."""

    def layer(h: Any, weights: Any) -> Any:
        return skip_block(h, weights), (h, jnp.where(_times(h, weights) > 0, 1.0, 0.0))

    y, (before, on) = jax.lax.scan(layer, held(x), held(w))
    return y, before, on


def _first_block_first(x: Any, w: Any) -> Any:
    """Backward begins at the first block and ends at the last."""
    y, before, on = _recorded(x, w)

    def layer(nudge: Any, inside: Any) -> tuple[Any, None]:
        h, switches, weights, w_nudge = inside
        return nudge + (nudge @ weights + h @ w_nudge) * switches, None

    along = (before, on, held(w), w - held(w))
    return y + jax.lax.scan(layer, x - held(x), along, reverse=True)[0]


def _x_met_everywhere(x: Any, w: Any) -> Any:
    def layer(h: Any, weights: Any) -> Any:
        return h + relu(_elsewhere(h, weights, x)), None

    return jax.lax.scan(layer, x, w)[0]


def _skip_from_the_end(x: Any, w: Any) -> Any:
    """Every block is handed what the branch above it sends, and y_bar beside it."""
    y, before, on = _recorded(x, w)
    nudges = w - held(w)

    def layer(branch: Any, inside: Any) -> tuple[Any, Any]:
        h, switches, weights, nudge = inside
        given = (branch @ weights + h @ nudge) * switches
        return given, given

    given = jax.lax.scan(layer, x - held(x), (before, on, held(w), nudges))[1]
    return y + (x - held(x)) + given.sum(axis=0)


_STACK_TWICE = "What comes back to h by the branch, and what by the skip connection?   (step 1)"

SKIP_STACK = (
    Mistake(
        "the skip connection left out",
        _stacked("the skip connection left out"),
        "Each block hands on only what comes back through its branch: the skip connections send nothing.",
        _STACK_TWICE,
    ),
    Mistake(
        "the branch left out",
        _stacked("the branch left out"),
        "Every block is handed y_bar itself, and nothing of what the branches above it send.",
        _STACK_TWICE,
    ),
    Mistake("the relu left out", _stacked("the relu left out"), _NO_RELU, "What is on the branch?   (step 1)"),
    Mistake("the relu around both", _stacked("the relu around both"), _RELU_AROUND, _STACK_TWICE),
    Mistake(
        "the relu of the sum",
        _stacked("the relu of the sum"),
        _BY_SUM,
        "Of which array was each relu taken in forward?   (step 1)",
    ),
    Mistake(
        "weights not turned",
        _stacked("weights not turned"),
        _NOT_TURNED,
        "z[n, j] came from h[n, i] by w[i, j]. Over which index is the sum on the way back?   (step 1)",
    ),
    Mistake(
        "what came out for what went in",
        _stacked("what came out for what went in"),
        _AFTER,
        "By what were these weights multiplied in forward?   (step 1)",
    ),
    Mistake(
        "x met everywhere",
        _sloped(skip_stack, _x_met_everywhere),
        "Every block's weights meet x, which entered the first of them alone.",
        "By what were these weights multiplied in forward?   (step 1)",
    ),
    Mistake(
        "the first block first",
        _first_block_first,
        "Backward goes through the blocks in forward's order.",
        "Which block did y come out of?   (step 2)",
    ),
    Mistake(
        "y_bar on every skip connection",
        _sloped(skip_stack, _skip_from_the_end),
        "Each block adds y_bar itself to what its branch sends back, and not what the block was handed.",
        "What comes in over a block's skip connection: the end's cotangent, or its own?   (step 1)",
    ),
)


# A norm on the branch, and a norm on everything.


def _still(x: Any, scale: Any) -> Any:
    """RMS norm, to somebody who takes the root for a constant."""
    return valued(rms_norm(x, scale), x * held(reciprocal_std(x)) * scale)


def _past(x: Any, scale: Any) -> Any:
    """RMS norm, which its cotangent goes past on the way to x."""
    return valued(rms_norm(x, scale), x + rms_norm(held(x), scale))


_PRE_TWICE = "x is in y by itself and by the branch: what comes back by each way?   (step 2)"
_PRE_NORM = "What stands on the branch between x and the product?   (step 2)"

PRE_NORM_BLOCK = (
    Mistake(
        "the skip connection left out",
        _sloped(pre_norm_block, lambda x, scale, w: held(x) + pre_norm_block(x, scale, w) - x),
        _NO_SKIP,
        _PRE_TWICE,
    ),
    Mistake(
        "the branch left out",
        _sloped(pre_norm_block, lambda x, scale, w: x + pre_norm_block(held(x), scale, w)),
        _NO_BRANCH,
        _PRE_TWICE,
    ),
    Mistake(
        "the norm on the skip connection",
        _sloped(pre_norm_block, lambda x, scale, w: skip_block(rms_norm(x, scale), w)),
        "What comes over the skip connection goes back through the norm, too, which is on the branch alone.",
        "Does the skip connection begin before the norm or behind it?   (step 2)",
    ),
    Mistake(
        "past the norm",
        _sloped(pre_norm_block, lambda x, scale, w: x + relu(_past(x, scale) @ w)),
        "On the branch the cotangent of x goes past the norm as if it were not there.",
        _PRE_NORM,
    ),
    Mistake(
        "the root held still",
        _sloped(pre_norm_block, lambda x, scale, w: x + relu(_still(x, scale) @ w)),
        "The norm divides by a root that was taken for a constant.",
        "What does your rms_norm_bwd do to its cotangent?   (step 2)",
    ),
    Mistake(
        "x into the product",
        _sloped(
            pre_norm_block,
            lambda x, scale, w: x + relu(_elsewhere(rms_norm(x, scale), w, x)),
        ),
        "w meets x itself, and not what the norm made of it.",
        "What entered the product in forward?   (step 1)",
    ),
    Mistake(
        "the relu left out",
        _sloped(pre_norm_block, lambda x, scale, w: x + rms_norm(x, scale) @ w),
        _NO_RELU,
        "What is the last thing on the branch?   (step 1)",
    ),
    Mistake(
        "weights not turned",
        _sloped(pre_norm_block, lambda x, scale, w: x + relu(_turned(rms_norm(x, scale), w))),
        _NOT_TURNED,
        "Over which index is the sum on the way back through a product?   (step 1)",
    ),
)

_POST_ORDER = "Forward ran the block, then the norm. What does backward run first?   (step 1)"

POST_NORM_BLOCK = (
    Mistake(
        "past the norm",
        _sloped(post_norm_block, lambda x, scale, w: _past(skip_block(x, w), scale)),
        "The block was handed y_bar itself: it goes past the norm as if that were not there.",
        _POST_ORDER,
    ),
    Mistake(
        "the root held still",
        _sloped(post_norm_block, lambda x, scale, w: _still(skip_block(x, w), scale)),
        "The norm divides by a root that was taken for a constant.",
        "What does your rms_norm_bwd do to its cotangent?   (step 1)",
    ),
    Mistake(
        "the skip connection past the norm",
        _sloped(post_norm_block, lambda x, scale, w: x + rms_norm(held(x) + skip_block(x, w) - x, scale)),
        "Over the skip connection y_bar itself came back, though the norm stands behind the sum.",
        "Does the skip connection end before the norm or behind it?   (step 1)",
    ),
    Mistake(
        "the skip connection left out",
        _sloped(post_norm_block, lambda x, scale, w: rms_norm(held(x) + skip_block(x, w) - x, scale)),
        _NO_SKIP,
        "What does your skip_block_bwd hand on?   (step 1)",
    ),
    Mistake(
        "the branch left out",
        _sloped(post_norm_block, lambda x, scale, w: rms_norm(x + relu(held(x) @ w), scale)),
        _NO_BRANCH,
        "What does your skip_block_bwd hand on?   (step 1)",
    ),
    Mistake(
        "the relu left out",
        _sloped(post_norm_block, lambda x, scale, w: rms_norm(valued(skip_block(x, w), x + _times(x, w)), scale)),
        _NO_RELU,
        "What does your skip_block_bwd do?   (step 1)",
    ),
    Mistake(
        "the norm before the branch",
        _sloped(post_norm_block, pre_norm_block),
        "That is what comes back from a block whose norm stands on the branch.",
        _POST_ORDER,
    ),
)


# Coins.


def _another(key: Any) -> Any:
    """A key of which other coins fall."""
    return jax.random.fold_in(key, 1)


_COIN = "For the coins that fell in forward: what stands beside a number of x in y?   (step 1)"
_SCALE = "By what was a number that was kept multiplied in forward?   (step 1)"

DROPOUT = (
    Mistake(
        "other coins",
        _sloped(dropout, lambda key, x, rate: dropout(_another(key), x, rate)),
        "The coins of backward fell otherwise than those of forward.",
        "Which numbers of y are zero, and which of x_bar?   (step 1)",
    ),
    Mistake(
        "no coins",
        _sloped(dropout, lambda key, x, rate: x / (1 - rate)),
        "Numbers that were dropped get something, too.",
        _COIN,
    ),
    Mistake(
        "the coins turned over",
        _sloped(dropout, lambda key, x, rate: x / (1 - rate) - dropout(key, x, rate)),
        "What was dropped gets something, and what was kept gets nothing.",
        _COIN,
    ),
    Mistake(
        "not enlarged",
        _sloped(dropout, lambda key, x, rate: (1 - rate) * dropout(key, x, rate)),
        "What was kept gets its cotangent as it came.",
        _SCALE,
    ),
    Mistake(
        "enlarged twice",
        _sloped(dropout, lambda key, x, rate: dropout(key, x, rate) / (1 - rate)),
        "What was kept is enlarged twice.",
        _SCALE,
    ),
    Mistake(
        "made smaller",
        _sloped(dropout, lambda key, x, rate: (1 - rate) ** 2 * dropout(key, x, rate)),
        "What was kept is made smaller, by the part that is kept.",
        _SCALE,
    ),
    Mistake(
        "divided by the rate",
        _sloped(dropout, lambda key, x, rate: (1 / rate - 1) * dropout(key, x, rate)),
        "What was kept is divided by the part that is dropped.",
        _SCALE,
    ),
    Mistake(
        "that of evaluation",
        _sloped(dropout, lambda key, x, rate: x),
        "y_bar was handed on as it came: so it is in evaluation, where nothing is dropped.",
        _COIN,
    ),
)


def _rows(key: Any, x: Any, rate: Any) -> Any:
    """The coin of each row."""
    return coins(key, rate, (len(x), 1))


def _branch(key: Any, x: Any, w: Any, rate: Any) -> Any:
    """What the branch adds."""
    return stochastic_depth(key, held(x), w, rate) - held(x) + stochastic_depth(key, x, held(w), rate) - x


def _w_from_all_rows(key: Any, x: Any, w: Any, rate: Any) -> Any:
    return stochastic_depth(key, x, held(w), rate) + relu(held(x) @ w) / (1 - rate)


_DEPTH_SKIP = "In a row whose branch was dropped, what does y come from?   (step 2)"
_DEPTH_COIN = "In a row whose branch was dropped, what can w change?   (step 1)"
_DEPTH_SCALE = "By what was the branch multiplied in forward, where it was kept?   (step 1)"

STOCHASTIC_DEPTH = (
    Mistake(
        "other coins",
        _sloped(stochastic_depth, lambda key, x, w, rate: stochastic_depth(_another(key), x, w, rate)),
        "The coins of backward fell otherwise than those of forward.",
        "Which rows of y are those of x?   (step 1)",
    ),
    Mistake(
        "no coins",
        _sloped(stochastic_depth, lambda key, x, w, rate: x + relu(_times(x, w)) / (1 - rate)),
        "Branches that were dropped send something back, too.",
        _DEPTH_COIN,
    ),
    Mistake(
        "the skip connection dropped too",
        _sloped(
            stochastic_depth,
            lambda key, x, w, rate: jnp.where(_rows(key, x, rate), x, 0) + _branch(key, x, w, rate),
        ),
        "Rows whose branch was dropped get nothing at all.",
        _DEPTH_SKIP,
    ),
    Mistake(
        "the skip connection enlarged too",
        _sloped(stochastic_depth, lambda key, x, w, rate: weighted(x, 1 / (1 - rate)) + _branch(key, x, w, rate)),
        "What comes over the skip connection is enlarged like the branch.",
        "Of what is 1 / (1 - rate) the factor?   (steps 1 and 2)",
    ),
    Mistake(
        "not enlarged",
        _sloped(stochastic_depth, lambda key, x, w, rate: x + (1 - rate) * _branch(key, x, w, rate)),
        "What comes back through a branch that was kept is not enlarged.",
        _DEPTH_SCALE,
    ),
    Mistake(
        "enlarged twice",
        _sloped(stochastic_depth, lambda key, x, w, rate: x + _branch(key, x, w, rate) / (1 - rate)),
        "What comes back through a branch that was kept is enlarged twice.",
        _DEPTH_SCALE,
    ),
    Mistake(
        "the skip connection left out",
        _sloped(stochastic_depth, _branch),
        _NO_SKIP,
        _DEPTH_SKIP,
    ),
    Mistake(
        "w from all rows",
        _sloped(stochastic_depth, _w_from_all_rows),
        "w gets something from rows whose branch was dropped, too; x gets what is right.",
        _DEPTH_COIN,
    ),
    Mistake(
        "the relu left out",
        _sloped(
            stochastic_depth,
            lambda key, x, w, rate: x + jnp.where(_rows(key, x, rate), _times(x, w), 0) / (1 - rate),
        ),
        _NO_RELU,
        "What is the last thing on the branch?   (step 1)",
    ),
)
