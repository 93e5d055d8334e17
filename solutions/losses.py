"""Answers to `losses`: halved squared error, and four cross-entropies that are stable for every finite logit."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

import course
from course.lessons.losses import (
    IGNORED,
    binary_cross_entropy,
    half_squared_error,
    masked_cross_entropy,
    smoothed_cross_entropy,
    softmax_cross_entropy,
)


def half_squared_error_fwd(
    prediction: Float[Array, "batch d_out"], target: Float[Array, "batch d_out"]
) -> tuple[Float[Array, ""], Float[Array, "batch d_out"]]:
    """Returns the loss, and the residuals."""
    # 1. Which one array says all that backward needs about prediction and target?
    return half_squared_error(prediction, target), prediction - target


def half_squared_error_bwd(
    residuals: Float[Array, "batch d_out"], loss_bar: Float[Array, ""]
) -> tuple[Float[Array, "batch d_out"], Float[Array, "batch d_out"]]:
    """Returns (prediction_bar, target_bar)."""
    error = residuals  # neither argument: they only ever enter together
    # 1. The half and the square, the mean over rows: what is left in front of the error?
    prediction_bar = loss_bar * error / len(error)
    # 2. On which side of the difference does the target stand?
    target_bar = -prediction_bar
    return prediction_bar, target_bar


def binary_cross_entropy_fwd(
    logits: Float[Array, "batch"], target: Float[Array, "batch"]
) -> tuple[Float[Array, ""], tuple[Float[Array, "batch"], Float[Array, "batch"]]]:
    """Returns the loss, and the residuals."""
    # 1. Does backward need anything that lies between the arguments and the loss?
    return binary_cross_entropy(logits, target), (logits, target)


def binary_cross_entropy_bwd(
    residuals: tuple[Float[Array, "batch"], Float[Array, "batch"]], loss_bar: Float[Array, ""]
) -> tuple[Float[Array, "batch"], None]:
    """Returns (logits_bar, None): the target is data."""
    logits, target = residuals  # not the probabilities: one sigmoid makes them again
    # 1. Which function is the slope of softplus?
    probability = jax.nn.sigmoid(logits)
    # 2. What does the term with the target add to that slope, and what does the mean do to both?
    logits_bar = loss_bar * (probability - target) / len(logits)
    # 3. What stands in the place of data?
    return logits_bar, None


def softmax_cross_entropy_fwd(
    logits: Float[Array, "batch classes"], labels: Int[Array, "batch"]
) -> tuple[Float[Array, ""], tuple[Float[Array, "batch classes"], Int[Array, "batch"]]]:
    """Returns the loss, and the residuals."""
    # 1. The probabilities can be had from the logits again: is it worth keeping both?
    return softmax_cross_entropy(logits, labels), (logits, labels)


def softmax_cross_entropy_bwd(
    residuals: tuple[Float[Array, "batch classes"], Int[Array, "batch"]], loss_bar: Float[Array, ""]
) -> tuple[Float[Array, "batch classes"], None]:
    """Returns (logits_bar, None): labels are whole numbers and can't be nudged."""
    logits, labels = residuals  # not the probabilities: one softmax makes them again
    # 1. What is the slope of logsumexp, and how do you compute it when a logit is 10,000?
    probabilities = jax.nn.softmax(logits, axis=-1)
    # 2. Which single entry of each row did the loss pick, and with which sign?
    chosen = jax.nn.one_hot(labels, logits.shape[-1], dtype=logits.dtype)
    # 3. A mean over the rows: what does it do to each of them?
    logits_bar = loss_bar * (probabilities - chosen) / len(labels)
    return logits_bar, None


def smoothed_cross_entropy_fwd(
    logits: Float[Array, "batch classes"], labels: Int[Array, "batch"], smoothing: Float[Array, ""]
) -> tuple[Float[Array, ""], tuple[Float[Array, "batch classes"], Int[Array, "batch"], Float[Array, ""]]]:
    """Returns the loss, and the residuals."""
    # 1. What does backward need to make the truth again?
    return smoothed_cross_entropy(logits, labels, smoothing), (logits, labels, smoothing)


def smoothed_cross_entropy_bwd(
    residuals: tuple[Float[Array, "batch classes"], Int[Array, "batch"], Float[Array, ""]], loss_bar: Float[Array, ""]
) -> tuple[Float[Array, "batch classes"], None, None]:
    """Returns (logits_bar, None, None): labels can't be nudged, and the smoothing is data."""
    logits, labels, smoothing = residuals  # not the truth: a row of it is two numbers and a label
    batch, classes = logits.shape
    # 1. What does the truth of a row give to every class, and what more to the label?
    label = jax.nn.one_hot(labels, classes, dtype=logits.dtype)
    truth = label * (1 - smoothing) + smoothing / classes
    # 2. The loss of a row is a sum over all classes now. What is its slope by a logit, if the truth adds up to 1?
    row_bars = jax.nn.softmax(logits) - truth
    # 3. A mean over the rows: what does it do to each of them?
    return loss_bar * row_bars / batch, None, None


def masked_cross_entropy_fwd(
    logits: Float[Array, "batch classes"], labels: Int[Array, "batch"]
) -> tuple[Float[Array, ""], tuple[Float[Array, "batch classes"], Int[Array, "batch"]]]:
    """Returns the loss, and the residuals."""
    # 1. Is there anything about the rows that labels don't say?
    return masked_cross_entropy(logits, labels), (logits, labels)


def masked_cross_entropy_bwd(
    residuals: tuple[Float[Array, "batch classes"], Int[Array, "batch"]], loss_bar: Float[Array, ""]
) -> tuple[Float[Array, "batch classes"], None]:
    """Returns (logits_bar, None): labels are whole numbers and can't be nudged."""
    logits, labels = residuals  # neither the rows that count nor their number: one comparison makes them again
    # 1. Which rows count, how many are they, and by what do you divide if there is none?
    counted = labels != IGNORED
    rows = jnp.maximum(jnp.sum(counted, dtype=logits.dtype), 1)
    # 2. What comes back to a row that counts, before any mean?
    row_bars = jax.nn.softmax(logits) - jax.nn.one_hot(labels, logits.shape[1], dtype=logits.dtype)
    # 3. What comes back to a row that doesn't, and what does the mean do to the others?
    return loss_bar * jnp.where(counted[:, None], row_bars, 0) / rows, None


course.answer("losses.q1", 0.0)
course.answer("losses.q2", "b")
course.answer("losses.q3", 2.302585)
course.answer("losses.q4", "d0")
course.answer(
    "losses.text",
    """With no knowledge all logits are about equal, and the loss is log(10) = 2.3. A loss of 9.2 gives the label a
probability of exp(-9.2), one in ten thousand: the network is certain of something else before it has learned
anything. So the logits are large: I would look at the scale of the first weights and of the inputs. If they are
fine, at the loss: a sum over four rows in place of a mean makes 9.2 of 2.3 as well. It does matter. The first
steps only shrink the logits again, and a wrong loss would fall, too.""",
)
