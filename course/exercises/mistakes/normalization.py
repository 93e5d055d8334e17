"""Mistakes that people make in `normalization`: statistics held still, sums for means, the wrong axis, other roots.

Only forward functions stand here. What is held, turned or weighed in them is a mean, a root, or an argument.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from course.comparison.mistakes import Mistake
from course.exercises.mistakes.forms import changed, held, one_row, unasked, valued, weighted
from course.lessons.normalization import (
    DECAY,
    EPSILON,
    GROUPS,
    Running,
    batch_norm,
    batch_norm_evaluation,
    centre,
    group_norm,
    layer_norm,
    reciprocal_std,
    rms_norm,
)

Function = Callable[..., Any]

turned = changed(jnp.negative)
"""Is its argument, to which its cotangent comes back with the other sign."""


def _same(x: Any) -> Any:
    return x


def _mean(x: Any, axis: Any = -1) -> Any:
    return jnp.mean(x, axis, keepdims=True)


def _length(x: Any, axis: Any) -> int:
    """How many numbers lie along an axis, or along several."""
    return x.size // jnp.sum(x, axis, keepdims=True).size


def _sloped(f: Function, sloped: Function) -> Function:
    """The function with the derivative of another one of the same arguments."""
    return lambda *given: valued(f(*given), sloped(*given))


# The two steps.

_ASK_CENTRE = "x[n, k] is in y[n, k] and in the mean: what comes back to it by each way?   (step 1)"

CENTRE = (
    Mistake(
        "mean taken for a constant",
        _sloped(centre, lambda x: x - held(_mean(x))),
        "y_bar was handed on as it came: the mean was taken for a constant.",
        _ASK_CENTRE,
    ),
    Mistake(
        "only by way of the mean",
        _sloped(centre, lambda x: -_mean(x)),
        "Only what comes by way of the mean is there.",
        _ASK_CENTRE,
    ),
    Mistake(
        "mean added",
        _sloped(centre, lambda x: x + _mean(x)),
        "What comes by way of the mean has the wrong sign.",
        "With which sign does the mean stand in y?   (step 1)",
    ),
    Mistake(
        "sum for mean",
        _sloped(centre, lambda x: x - x.sum(axis=-1, keepdims=True)),
        "The sum of a row's cotangents was taken from each, where only a share of it belongs.",
        "How much does the mean move when one number of the row moves by 1?   (step 1)",
    ),
    Mistake(
        "n - 1 for n",
        _sloped(centre, lambda x: x - x.sum(axis=-1, keepdims=True) / max(x.shape[-1] - 1, 1)),
        "The sum of a row's cotangents was divided by one less than there are.",
        "How much does the mean move when one number of the row moves by 1?   (step 1)",
    ),
    Mistake(
        "mean down the columns",
        _sloped(centre, lambda x: x - _mean(x, 0)),
        "The mean of each column was taken away, and not that of each row.",
        "Along which axis did forward take its mean?   (step 1)",
    ),
    Mistake(
        "mean of everything",
        _sloped(centre, lambda x: x - x.mean()),
        "One mean of all cotangents was taken away.",
        "Along which axis did forward take its mean?   (step 1)",
    ),
    Mistake(
        "own share alone",
        _sloped(centre, lambda x: x - x / x.shape[-1]),
        "Each number lost its own share of its own cotangent alone.",
        "From how many entries of y was the mean taken away?   (step 1)",
    ),
)


def _variance(x: Any, axis: Any = -1) -> Any:
    return _mean(x * x, axis)


_ASK_ROOT = "What is the slope of a power -0.5, written with rstd alone?   (step 1)"
_ASK_SQUARES = "How much does a mean of squares move with one of its numbers?   (step 2)"

RECIPROCAL_STD = (
    Mistake(
        "half lost",
        lambda centred: reciprocal_std(weighted(centred, 2)),
        "It is twice too large: the exponent -0.5 did not come down.",
        _ASK_ROOT,
    ),
    Mistake(
        "square's 2 lost",
        lambda centred: reciprocal_std(weighted(centred, 0.5)),
        "It is half of what it should be: the slope of a square has a 2.",
        _ASK_SQUARES,
    ),
    Mistake(
        "mean lost",
        lambda centred: reciprocal_std(weighted(centred, centred.shape[-1])),
        "The variance is a mean: it was pulled back as if it were a sum.",
        _ASK_SQUARES,
    ),
    Mistake(
        "n - 1 for n",
        lambda centred: reciprocal_std(weighted(centred, centred.shape[-1] / max(centred.shape[-1] - 1, 1))),
        "It was divided by one less than there are numbers in a row.",
        _ASK_SQUARES,
    ),
    Mistake(
        "root for one over it",
        _sloped(reciprocal_std, lambda centred: jnp.sqrt(_variance(centred) + EPSILON)),
        "This is the slope of the standard deviation, not of one over it.",
        "When the numbers spread, which way does rstd go?   (step 1)",
    ),
    Mistake(
        "one power short",
        _sloped(reciprocal_std, lambda centred: -jnp.log(_variance(centred) + EPSILON) / 2),
        "One factor of rstd is missing.",
        _ASK_ROOT,
    ),
    Mistake(
        "two powers short",
        _sloped(reciprocal_std, lambda centred: -held(reciprocal_std(centred)) * _variance(centred) / 2),
        "Two factors of rstd are missing.",
        _ASK_ROOT,
    ),
    Mistake(
        "power left out",
        _sloped(reciprocal_std, lambda centred: -_variance(centred) / 2),
        "Every row got as much for its spread, however large that is already.",
        _ASK_ROOT,
    ),
    Mistake(
        "epsilon forgotten",
        _sloped(reciprocal_std, lambda centred: 1 / jnp.sqrt(jnp.maximum(_variance(centred), EPSILON**2))),
        "The slope is that of a root without EPSILON in it.",
        "Of which number was the root taken?   (step 1)",
    ),
    Mistake(
        "variance down the columns",
        _sloped(
            reciprocal_std, lambda centred: jnp.broadcast_to(1 / jnp.sqrt(_variance(centred, None) + EPSILON), (1, 1))
        ),
        "One variance was taken of all rows together.",
        "Along which axis did forward take the mean of squares?   (step 2)",
    ),
)


# Layer norm, batch norm and group norm have the same mistakes: they differ in what a mean is taken over.


def _normalised(x: Any, axis: Any, *, mean: Function = _same, root: Function = _same) -> Any:
    """Mean 0 and variance 1 along an axis, with something done to the mean and to the root on their way back."""
    centred = x - mean(_mean(x, axis))
    return centred * root(1 / jnp.sqrt(_variance(centred, axis) + EPSILON))


def _without_epsilon(x: Any, axis: Any) -> Any:
    centred = x - _mean(x, axis)
    return centred / jnp.sqrt(jnp.maximum(_variance(centred, axis), EPSILON**2))


def _one_less(x: Any, axis: Any) -> Any:
    centred, n = x - _mean(x, axis), _length(x, axis)
    return centred / jnp.sqrt(_variance(centred, axis) * n / max(n - 1, 1) + EPSILON)


def _second_term_flat(x: Any, axis: Any) -> Any:
    """What comes by way of the root is the same for all numbers along the axis."""
    centred = x - _mean(x, axis)
    rstd = 1 / jnp.sqrt(_variance(centred, axis) + EPSILON)
    return centred * valued(rstd, -(held(rstd) ** 2) * _mean(x, axis))


def _summed(x: Any, axis: Any) -> Any:
    n = _length(x, axis)
    return _normalised(x, axis, mean=lambda m: weighted(m, n), root=lambda r: weighted(r, n))


_STILL = "Of which numbers is it made, and do they move when x moves?"
_ASK_TWICE = "By how many ways does a number of x enter what is normalised?"
_ASK_PARTS = "Which two parts of x_hat_bar never arrive, and with which sign do they go?"

OF_X_HAT: tuple[tuple[str, Function, str, str], ...] = (
    (
        "mean taken for a constant",
        partial(_normalised, mean=held),
        "x_bar is what comes back if the mean is a constant.",
        f"The mean: {_STILL[0].lower()}{_STILL[1:]}",
    ),
    (
        "variance taken for a constant",
        partial(_normalised, root=held),
        "x_bar is what comes back if the variance is a constant.",
        f"The variance: {_STILL[0].lower()}{_STILL[1:]}",
    ),
    (
        "mean and variance taken for constants",
        partial(_normalised, mean=held, root=held),
        "x_bar is what comes back if mean and variance are constants: y_bar times scale and rstd.",
        _ASK_TWICE,
    ),
    (
        "sign of the variance's part",
        partial(_normalised, root=turned),
        "What comes by way of the variance has the wrong sign.",
        _ASK_PARTS,
    ),
    (
        "sign of the mean's part",
        partial(_normalised, mean=turned),
        "What comes by way of the mean has the wrong sign.",
        _ASK_PARTS,
    ),
    (
        "sums for means",
        _summed,
        "Two sums stand in x_bar where means belong.",
        "How much does a mean move with one of its numbers?",
    ),
    (
        "x_hat left out of its own part",
        _second_term_flat,
        "What comes by way of the variance is the same for all numbers that share one.",
        "How much does the variance move with a number far from the mean, and with one at the mean?",
    ),
    (
        "n - 1 for n",
        _one_less,
        "This is the derivative with a variance divided by n - 1.",
        "By what did forward divide the sum of squares?",
    ),
    (
        "epsilon forgotten",
        _without_epsilon,
        "The derivative is that of a root without EPSILON in it.",
        "Of which number was the root taken?",
    ),
)
"""For each mistake in x_hat: its name, x_hat made of x and of an axis, what is said, and what is asked."""


ELSEWHERE = frozenset(
    {
        "mean taken for a constant",
        "variance taken for a constant",
        "mean and variance taken for constants",
        "sign of the variance's part",
        "sums for means",
        "scale left out of x_bar",
        "rstd left out of x_bar",
        "scale_bar from x",
        "scale_bar and bias_bar averaged",
        "y_bar left out",
    }
)
"""What is made again in batch norm and group norm, once layer norm is written."""


class _Affine:
    """The mistakes of `y = x_hat * scale + bias` around any x_hat; `wide` fits a scale to x."""

    def __init__(self, f: Function, axis: Any, wide: Function = _same):
        """`f(x, scale, bias)` is normalised along the axis."""
        self.f, self.axis, self.wide = f, axis, wide

    def with_x_hat(self, made: Function) -> Function:
        """The function with another derivative of x_hat."""

        def mistaken(x: Any, scale: Any, bias: Any) -> Any:
            x_hat = valued(self._x_hat(x), made(x))
            return valued(self.f(x, scale, bias), x_hat * self.wide(scale) + self.wide(bias))

        return mistaken

    def _x_hat(self, x: Any) -> Any:
        return _normalised(x, self.axis)

    def catalogue(self) -> tuple[Mistake, ...]:
        """What goes wrong in x_hat, and around it."""
        inside = (Mistake(name, self.with_x_hat(self._along(made)), *said) for name, made, *said in OF_X_HAT)
        return (*inside, *self._around())

    def elsewhere(self) -> tuple[Mistake, ...]:
        """What is still made by those who have written layer norm."""
        return tuple(mistake for mistake in self.catalogue() if mistake.name in ELSEWHERE)

    def _along(self, made: Function) -> Function:
        return lambda x: made(x, self.axis)

    def _around(self) -> tuple[Mistake, ...]:
        ask = "What stands beside scale in y? And how many copies of it did forward make?"
        return (
            Mistake(
                "scale left out of x_bar",
                lambda x, scale, bias: valued(
                    self.f(x, scale, bias),
                    self._x_hat(x) + held(self._x_hat(x)) * self.wide(scale) + self.wide(bias),
                ),
                "x_bar is what comes back for a scale of ones.",
                "What does x_hat get of y_bar, if scale stands between them?",
            ),
            Mistake(
                "rstd left out of x_bar",
                lambda x, scale, bias: self.f(valued(x, x / held(self._rstd(x))), scale, bias),
                "x_bar lacks a factor: how fast x_hat moves with x.",
                "If the numbers of a row lie close together, does x_hat move more or less with x?",
            ),
            Mistake(
                "rstd twice",
                lambda x, scale, bias: self.f(valued(x, x * held(self._rstd(x))), scale, bias),
                "rstd entered x_bar once more than it should.",
                "By how much does x_hat move when x moves by a little?",
            ),
            Mistake(
                "scale_bar from x",
                self._scaled_by(_same),
                "scale_bar was made of x itself.",
                ask,
            ),
            Mistake(
                "scale_bar from what is only centred",
                self._scaled_by(lambda x: x - _mean(x, self.axis)),
                "scale_bar was made of x less its mean, not divided by the standard deviation.",
                ask,
            ),
            Mistake(
                "scale_bar and bias_bar averaged",
                lambda x, scale, bias: self.f(x, weighted(scale, 1 / len(x)), weighted(bias, 1 / len(x))),
                "What the examples send to scale and bias was averaged.",
                "Every example used the same scale. Used many times: what follows?",
            ),
            Mistake(
                "y_bar left out",
                lambda x, scale, bias: unasked(self.f(x, scale, bias)),
                "All three are what comes back for a y_bar of ones.",
                "By how much does each entry of y count for the loss?",
            ),
        )

    def _rstd(self, x: Any) -> Any:
        return 1 / jnp.sqrt(_variance(x - _mean(x, self.axis), self.axis) + EPSILON)

    def _scaled_by(self, other: Function) -> Function:
        return lambda x, scale, bias: valued(
            self.f(x, scale, bias),
            self.f(x, held(scale), bias) + held(other(x)) * self.wide(scale),
        )


_LAYER = _Affine(layer_norm, -1)

LAYER_NORM = (
    *_LAYER.catalogue(),
    Mistake(
        "statistics over the batch",
        _LAYER.with_x_hat(lambda x: _normalised(x, 0)),
        "The means were taken down the columns: that is batch norm's x_bar.",
        "Along which axis did forward take its mean?",
    ),
    Mistake(
        "one row's scale_bar",
        lambda x, scale, bias: valued(
            layer_norm(x, scale, bias), layer_norm(x, held(scale), bias) + one_row(layer_norm(held(x), scale, bias), -1)
        ),
        "scale kept what the last row sent.",
        "Every row used the same scale. Used many times: what follows?",
    ),
)


# RMS norm.


def _rms(made: Function) -> Function:
    """RMS norm with the derivative of another x_hat."""
    return lambda x, scale: valued(rms_norm(x, scale), valued(x * reciprocal_std(x), made(x)) * scale)


RMS_NORM = (
    Mistake(
        "root taken for a constant",
        _rms(lambda x: x * held(reciprocal_std(x))),
        "x_bar is what comes back if the root is a constant.",
        f"The root: {_STILL[0].lower()}{_STILL[1:]}   (step 2)",
    ),
    Mistake(
        "sign of the root's part",
        _rms(lambda x: x * turned(reciprocal_std(x))),
        "What comes by way of the root has the wrong sign.",
        "When a number of the row grows, which way does rstd go?   (step 2)",
    ),
    Mistake(
        "centred as in layer norm",
        _rms(lambda x: _normalised(x, -1)),
        "This is layer norm's x_bar.",
        "Which mean does RMS norm take away?   (step 2)",
    ),
    Mistake(
        "mean's part as in layer norm",
        _rms(lambda x: centre(x) * held(reciprocal_std(x)) + held(x) * reciprocal_std(x)),
        "The mean of a row's cotangents was taken away, as in layer norm.",
        "Which mean does RMS norm take away?   (step 2)",
    ),
    Mistake(
        "sum for mean",
        _rms(lambda x: x * weighted(reciprocal_std(x), x.shape[-1])),
        "A sum stands in x_bar where a mean belongs.",
        "How much does a mean of squares move with one of its numbers?   (step 2)",
    ),
    Mistake(
        "x_hat left out of its own part",
        _rms(lambda x: x * valued(reciprocal_std(x), -(held(reciprocal_std(x)) ** 2) * _mean(x))),
        "What comes by way of the root is the same for all numbers of a row.",
        "How much does the mean square move with a large number, and with a small one?   (step 2)",
    ),
    Mistake(
        "scale left out of x_bar",
        lambda x, scale: valued(rms_norm(x, scale), x * reciprocal_std(x) + held(x * reciprocal_std(x)) * scale),
        "x_bar is what comes back for a scale of ones.",
        "What does x_hat get of y_bar, if scale stands between them?   (step 1)",
    ),
    Mistake(
        "rstd left out of x_bar",
        lambda x, scale: rms_norm(valued(x, x / held(reciprocal_std(x))), scale),
        "x_bar lacks a factor: how fast x_hat moves with x.",
        "If the numbers of a row are small, does x_hat move more or less with x?   (step 2)",
    ),
    Mistake(
        "epsilon forgotten",
        _rms(lambda x: x / jnp.sqrt(jnp.maximum(_variance(x), EPSILON**2))),
        "The derivative is that of a root without EPSILON in it.",
        "Of which number was the root taken?   (step 2)",
    ),
    Mistake(
        "scale_bar from x",
        lambda x, scale: valued(rms_norm(x, scale), rms_norm(x, held(scale)) + held(x) * scale),
        "scale_bar was made of x itself.",
        "What stands beside scale in y?   (step 1)",
    ),
    Mistake(
        "scale_bar averaged",
        lambda x, scale: rms_norm(x, weighted(scale, 1 / len(x))),
        "What the rows send to scale was averaged.",
        "Every row used the same scale. Used many times: what follows?   (step 1)",
    ),
    Mistake(
        "y_bar left out",
        lambda x, scale: unasked(rms_norm(x, scale)),
        "Both are what comes back for a y_bar of ones.",
        "By how much does each entry of y count for the loss?   (step 1)",
    ),
)


# Batch norm.

_BATCH = _Affine(lambda x, scale, bias: _normalised(x, 0) * scale + bias, 0)


def _with_state(mistaken: Function) -> Function:
    """Batch norm with the derivative that a function of x, scale and bias has."""

    def whole(x: Any, scale: Any, bias: Any, running: Running) -> Any:
        y, moved = batch_norm(x, scale, bias, running)
        return valued(y, mistaken(x, scale, bias)), moved

    return whole


def _by_running(x: Any, scale: Any, bias: Any, running: Running) -> Any:
    y, moved = batch_norm(x, scale, bias, running)
    return valued(y, batch_norm_evaluation(x, scale, bias, jax.tree.map(held, running))), moved


def _state_sends_back(x: Any, scale: Any, bias: Any, running: Running) -> Any:
    y, moved = batch_norm(x, scale, bias, running)
    return y, Running(valued(moved.mean, (1 - DECAY) * _mean(x, 0)[0]), moved.variance)


BATCH_NORM = (
    *(Mistake(each.name, _with_state(each.primal), each.says, each.ask) for each in _BATCH.elsewhere()),
    Mistake(
        "running statistics in training",
        _by_running,
        "What came back went through the running statistics: that is evaluation.",
        "By which mean and variance did forward normalise?   (step 2)",
    ),
    Mistake(
        "statistics of the rows",
        _with_state(_BATCH.with_x_hat(lambda x: _normalised(x, -1))),
        "The means were taken along the rows: that is layer norm's x_bar.",
        "Along which axis did forward take its mean?   (step 2)",
    ),
    Mistake(
        "the state sends something back",
        _state_sends_back,
        "x got something by way of the running mean, which is carried along and no part of the loss.",
        "Two cotangents came. Which of them belongs to a state?   (step 1)",
    ),
)


def _evaluated(mistaken: Function) -> Function:
    """Evaluation with the derivative that a function of x, scale, bias and what is held still has."""
    return lambda x, scale, bias, running: valued(
        batch_norm_evaluation(x, scale, bias, running), mistaken(x, scale, bias, jax.tree.map(held, running))
    )


def _still_x_hat(x: Any, running: Running) -> Any:
    one = jnp.ones(x.shape[1])
    return batch_norm_evaluation(x, one, 0 * one, running)


BATCH_NORM_EVALUATION = (
    Mistake(
        "as in training",
        _evaluated(
            lambda x, scale, bias, running: (
                _normalised(x, 0) * held(scale) + held(_still_x_hat(x, running)) * scale + bias
            )
        ),
        "x_bar is that of training, where the statistics are made of x.",
        "Do these statistics move when x moves?   (step 1)",
    ),
    Mistake(
        "scale left out of x_bar",
        _evaluated(
            lambda x, scale, bias, running: _still_x_hat(x, running) + held(_still_x_hat(x, running)) * scale + bias
        ),
        "x_bar is what comes back for a scale of ones.",
        "What stands beside x in y?   (step 1)",
    ),
    Mistake(
        "rstd left out of x_bar",
        _evaluated(lambda x, scale, bias, running: x * held(scale) + held(_still_x_hat(x, running)) * scale + bias),
        "x_bar is y_bar times scale, and the standard deviation has no say in it.",
        "What stands beside x in y?   (step 1)",
    ),
    Mistake(
        "variance for its root",
        _evaluated(
            lambda x, scale, bias, running: (
                x / (running.variance + EPSILON) * held(scale) + held(_still_x_hat(x, running)) * scale + bias
            )
        ),
        "What comes back was divided by the variance, not by its root.",
        "By what did forward divide?   (step 1)",
    ),
    Mistake(
        "multiplied by the deviation",
        _evaluated(
            lambda x, scale, bias, running: (
                x * jnp.sqrt(running.variance + EPSILON) * held(scale) + held(_still_x_hat(x, running)) * scale + bias
            )
        ),
        "What comes back was multiplied by the standard deviation.",
        "By what did forward divide?   (step 1)",
    ),
    Mistake(
        "scale_bar from x",
        _evaluated(
            lambda x, scale, bias, running: batch_norm_evaluation(x, held(scale), bias, running) + held(x) * scale
        ),
        "scale_bar was made of x itself.",
        "What stands beside scale in y?   (step 1)",
    ),
    Mistake(
        "scale_bar from what is only centred",
        _evaluated(
            lambda x, scale, bias, running: (
                batch_norm_evaluation(x, held(scale), bias, running) + held(x - running.mean) * scale
            )
        ),
        "scale_bar was made of x less the mean, not divided by the standard deviation.",
        "What stands beside scale in y?   (step 1)",
    ),
    Mistake(
        "scale_bar and bias_bar averaged",
        lambda x, scale, bias, running: batch_norm_evaluation(
            x, weighted(scale, 1 / len(x)), weighted(bias, 1 / len(x)), jax.tree.map(held, running)
        ),
        "What the examples send to scale and bias was averaged.",
        "Every example used the same scale. Used many times: what follows?   (step 1)",
    ),
    Mistake(
        "y_bar left out",
        lambda x, scale, bias, running: unasked(batch_norm_evaluation(x, scale, bias, jax.tree.map(held, running))),
        "All three are what comes back for a y_bar of ones.",
        "By how much does each entry of y count for the loss?   (step 1)",
    ),
)


# Group norm.


def _grouped(x: Any) -> Any:
    return x.reshape(len(x), GROUPS, -1)


def _wide(of_channels: Any) -> Any:
    return of_channels[:, None]


class _Grouped(_Affine):
    """The same around groups: x_hat is made of them, laid along one axis, and put back."""

    def _x_hat(self, x: Any) -> Any:
        return _normalised(_grouped(x), -1).reshape(x.shape)

    def _along(self, made: Function) -> Function:
        return lambda x: made(_grouped(x), -1).reshape(x.shape)

    def _rstd(self, x: Any) -> Any:
        groups = _grouped(x) - _mean(_grouped(x))
        return jnp.broadcast_to(1 / jnp.sqrt(_variance(groups) + EPSILON), groups.shape).reshape(x.shape)


_GROUP = _Grouped(group_norm, (1, 2), _wide)

GROUP_NORM = (
    *_GROUP.elsewhere(),
    Mistake(
        "one group of all channels",
        _GROUP.with_x_hat(lambda x: _normalised(x, (1, 2))),
        "The means were taken over all channels of an example: that is layer norm's x_bar.",
        "Which channels share a mean?   (step 2)",
    ),
    Mistake(
        "every channel by itself",
        _GROUP.with_x_hat(lambda x: _normalised(x, 2)),
        "The means were taken over the positions of each channel alone.",
        "Which channels share a mean?   (step 2)",
    ),
    Mistake(
        "statistics over the batch",
        _GROUP.with_x_hat(lambda x: _normalised(x, (0, 2))),
        "The means were taken over the examples: that is batch norm's x_bar.",
        "Do examples of a batch know of one another here?   (step 2)",
    ),
)
