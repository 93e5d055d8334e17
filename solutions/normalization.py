"""Answers to `normalization`: layer norm in steps and at once, RMS norm, batch norm, group norm."""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

import course
from course.lessons.normalization import DECAY, EPSILON, GROUPS, Running, centre, reciprocal_std


def centre_fwd(x: Float[Array, "batch d"]) -> tuple[Float[Array, "batch d"], None]:
    """Returns every row of x less its mean, and the residuals."""
    # 1. To centre is to multiply by numbers that are always the same. What must backward know of x?
    return centre(x), None


def centre_bwd(residuals: None, y_bar: Float[Array, "batch d"]) -> tuple[Float[Array, "batch d"]]:
    """Returns (x_bar,)."""
    # 1. x[n, k] is in y[n, k], and in the mean, which is taken from every y of its row. What comes back by each way?
    return (y_bar - y_bar.mean(axis=-1, keepdims=True),)


def reciprocal_std_fwd(
    centred: Float[Array, "batch d"],
) -> tuple[Float[Array, "batch 1"], tuple[Float[Array, "batch d"], Float[Array, "batch 1"]]]:
    """Returns one over the standard deviation of each row, and the residuals."""
    # 1. A slope of a root has the root in it. What has forward got that backward need not compute again?
    rstd = reciprocal_std(centred)
    return rstd, (centred, rstd)


def reciprocal_std_bwd(
    residuals: tuple[Float[Array, "batch d"], Float[Array, "batch 1"]], rstd_bar: Float[Array, "batch 1"]
) -> tuple[Float[Array, "batch d"]]:
    """Returns (centred_bar,)."""
    centred, rstd = residuals  # not the variance: it is in rstd
    # 1. rstd = (variance + EPSILON) ** -0.5: how does its slope read in terms of rstd alone?
    variance_bar = -0.5 * rstd_bar * rstd**3
    # 2. The variance is a mean of squares: what does each number of the row get of variance_bar?
    centred_bar = variance_bar * 2 * centred / centred.shape[-1]
    return (centred_bar,)


def layer_norm_in_steps_fwd(
    x: Float[Array, "batch d"], scale: Float[Array, "d"], bias: Float[Array, "d"]
) -> tuple[Float[Array, "batch d"], tuple[Any, ...]]:
    """Returns layer norm of x, made of your own steps, and the residuals."""
    # 1. Two steps are pairs of yours: call their fwd, and keep what each of them keeps.
    centred, kept_centre = centre_fwd(x)
    rstd, kept_rstd = reciprocal_std_fwd(centred)
    # 2. Two steps are products. Which factors will backward ask for?
    x_hat = centred * rstd
    y = x_hat * scale + bias
    return y, (kept_centre, kept_rstd, centred, rstd, x_hat, scale)


def layer_norm_in_steps_bwd(
    residuals: tuple[Any, ...], y_bar: Float[Array, "batch d"]
) -> tuple[Float[Array, "batch d"], Float[Array, "d"], Float[Array, "d"]]:
    """Returns (x_bar, scale_bar, bias_bar)."""
    kept_centre, kept_rstd, centred, rstd, x_hat, scale = residuals  # each step keeps what it needs: far too much
    # 1. y = x_hat * scale + bias, where scale and bias were copied to every row. What do the three get?
    scale_bar = (y_bar * x_hat).sum(axis=0)
    bias_bar = y_bar.sum(axis=0)
    x_hat_bar = y_bar * scale
    # 2. x_hat = centred * rstd, where each row's rstd was copied along the row. What does rstd get?
    rstd_bar = (x_hat_bar * centred).sum(axis=-1, keepdims=True)
    # 3. centred was used twice: by the product, and by reciprocal_std. What follows?
    centred_bar = x_hat_bar * rstd + reciprocal_std_bwd(kept_rstd, rstd_bar)[0]
    # 4. One step is left.
    (x_bar,) = centre_bwd(kept_centre, centred_bar)
    return x_bar, scale_bar, bias_bar


def layer_norm_fwd(
    x: Float[Array, "batch d"], scale: Float[Array, "d"], bias: Float[Array, "d"]
) -> tuple[
    Float[Array, "batch d"],
    tuple[Float[Array, "batch d"], Float[Array, "d"], Float[Array, "batch 1"], Float[Array, "batch 1"]],
]:
    """Returns layer norm of x, and the residuals: beside x and scale, two numbers a row."""
    # 1. The value first.
    mean = x.mean(axis=-1, keepdims=True)
    rstd = reciprocal_std(x - mean)
    y = (x - mean) * rstd * scale + bias
    # 2. x_hat is as large as x, and x is there anyway. With which two numbers a row can backward make x_hat again?
    return y, (x, scale, mean, rstd)


def layer_norm_bwd(
    residuals: tuple[Float[Array, "batch d"], Float[Array, "d"], Float[Array, "batch 1"], Float[Array, "batch 1"]],
    y_bar: Float[Array, "batch d"],
) -> tuple[Float[Array, "batch d"], Float[Array, "d"], Float[Array, "d"]]:
    """Returns (x_bar, scale_bar, bias_bar)."""
    x, scale, mean, rstd = residuals  # not x_hat: one product makes it again
    # 1. As in steps: what is x_hat, and what do scale, bias and x_hat get?
    x_hat = (x - mean) * rstd
    scale_bar = (y_bar * x_hat).sum(axis=0)
    bias_bar = y_bar.sum(axis=0)
    x_hat_bar = y_bar * scale
    # 2. Of each row of x_hat_bar, two parts never arrive at x: which multiples of 1, and of x_hat?
    along_ones = x_hat_bar.mean(axis=-1, keepdims=True)
    along_x_hat = x_hat * (x_hat_bar * x_hat).mean(axis=-1, keepdims=True)
    # 3. What is left, and by how much does a row of x_hat move when x moves?
    x_bar = rstd * (x_hat_bar - along_ones - along_x_hat)
    return x_bar, scale_bar, bias_bar


def rms_norm_fwd(
    x: Float[Array, "batch d"], scale: Float[Array, "d"]
) -> tuple[Float[Array, "batch d"], tuple[Float[Array, "batch d"], Float[Array, "d"], Float[Array, "batch 1"]]]:
    """Returns RMS norm of x, and the residuals: beside x and scale, one number a row."""
    # 1. Layer norm kept two numbers of each row. Which of them is there none of here?
    rstd = reciprocal_std(x)
    return x * rstd * scale, (x, scale, rstd)


def rms_norm_bwd(
    residuals: tuple[Float[Array, "batch d"], Float[Array, "d"], Float[Array, "batch 1"]],
    y_bar: Float[Array, "batch d"],
) -> tuple[Float[Array, "batch d"], Float[Array, "d"]]:
    """Returns (x_bar, scale_bar)."""
    x, scale, rstd = residuals  # not x_hat: one product makes it again
    # 1. What is x_hat, and what do scale and x_hat get?
    x_hat = x * rstd
    scale_bar = (y_bar * x_hat).sum(axis=0)
    x_hat_bar = y_bar * scale
    # 2. Nothing was centred here. Which of layer norm's two parts still never arrives?
    x_bar = rstd * (x_hat_bar - x_hat * (x_hat_bar * x_hat).mean(axis=-1, keepdims=True))
    return x_bar, scale_bar


def batch_norm_fwd(
    x: Float[Array, "batch d"], scale: Float[Array, "d"], bias: Float[Array, "d"], running: Running
) -> tuple[
    tuple[Float[Array, "batch d"], Running], tuple[Float[Array, "batch d"], Float[Array, "d"], Float[Array, "d"]]
]:
    """Returns (batch norm of x, the next running statistics), and the residuals."""
    # 1. One mean and one variance for each column, of this batch. Which axis is it?
    mean = x.mean(axis=0)
    variance = ((x - mean) ** 2).mean(axis=0)
    # 2. The value, as in layer norm.
    rstd = 1 / jnp.sqrt(variance + EPSILON)
    x_hat = (x - mean) * rstd
    y = x_hat * scale + bias
    # 3. The state keeps the part DECAY of what it was. Which part of the new statistics does it take?
    moved = jax.tree.map(lambda old, new: DECAY * old + (1 - DECAY) * new, running, Running(mean, variance))
    return (y, moved), (x_hat, scale, rstd)


def batch_norm_bwd(
    residuals: tuple[Float[Array, "batch d"], Float[Array, "d"], Float[Array, "d"]],
    bars: tuple[Float[Array, "batch d"], Running],
) -> tuple[Float[Array, "batch d"], Float[Array, "d"], Float[Array, "d"], None]:
    """Returns (x_bar, scale_bar, bias_bar, None): the running statistics are carried along, and send nothing back."""
    x_hat, scale, rstd = residuals  # not running: training does not look at it
    y_bar, _ = bars
    # 1. What do scale, bias and x_hat get?
    scale_bar = (y_bar * x_hat).sum(axis=0)
    bias_bar = y_bar.sum(axis=0)
    x_hat_bar = y_bar * scale
    # 2. Layer norm's x_bar, with its two means taken over what this time?
    along_ones = x_hat_bar.mean(axis=0)
    along_x_hat = x_hat * (x_hat_bar * x_hat).mean(axis=0)
    x_bar = rstd * (x_hat_bar - along_ones - along_x_hat)
    return x_bar, scale_bar, bias_bar, None


def batch_norm_evaluation_fwd(
    x: Float[Array, "batch d"], scale: Float[Array, "d"], bias: Float[Array, "d"], running: Running
) -> tuple[Float[Array, "batch d"], tuple[Float[Array, "batch d"], Float[Array, "d"], Running]]:
    """Returns batch norm of x by the running statistics, and the residuals."""
    # 1. These statistics are not made of x. What does backward need then?
    x_hat = (x - running.mean) / jnp.sqrt(running.variance + EPSILON)
    return x_hat * scale + bias, (x, scale, running)


def batch_norm_evaluation_bwd(
    residuals: tuple[Float[Array, "batch d"], Float[Array, "d"], Running], y_bar: Float[Array, "batch d"]
) -> tuple[Float[Array, "batch d"], Float[Array, "d"], Float[Array, "d"], None]:
    """Returns (x_bar, scale_bar, bias_bar, None): the running statistics are data here."""
    x, scale, running = residuals  # not x_hat: it is made of these
    # 1. y = (x - mean) * rstd * scale + bias, with mean and rstd that do not move: what stands beside x, and scale?
    rstd = 1 / jnp.sqrt(running.variance + EPSILON)
    x_bar = y_bar * scale * rstd
    scale_bar = (y_bar * (x - running.mean) * rstd).sum(axis=0)
    bias_bar = y_bar.sum(axis=0)
    return x_bar, scale_bar, bias_bar, None


def group_norm_fwd(
    x: Float[Array, "batch channels length"], scale: Float[Array, "channels"], bias: Float[Array, "channels"]
) -> tuple[Float[Array, "batch channels length"], tuple[Any, ...]]:
    """Returns group norm of x, and the residuals."""
    # 1. Lay all numbers that share a mean along one axis. Which steps are then known?
    centred = centre(x.reshape(len(x) * GROUPS, -1))
    rstd = reciprocal_std(centred)
    x_hat = centred * rstd
    return x_hat.reshape(x.shape) * scale[:, None] + bias[:, None], (x_hat, rstd, scale)


def group_norm_bwd(
    residuals: tuple[Any, ...], y_bar: Float[Array, "batch channels length"]
) -> tuple[Float[Array, "batch channels length"], Float[Array, "channels"], Float[Array, "channels"]]:
    """Returns (x_bar, scale_bar, bias_bar)."""
    x_hat, rstd, scale = residuals  # x_hat and rstd with a row for each group of each example
    # 1. Each channel's scale and bias were copied along which axes?
    scale_bar = (y_bar * x_hat.reshape(y_bar.shape)).sum(axis=(0, 2))
    bias_bar = y_bar.sum(axis=(0, 2))
    # 2. Laid out as x_hat is, is there anything that layer norm does not do?
    x_hat_bar = (y_bar * scale[:, None]).reshape(x_hat.shape)
    along_ones = x_hat_bar.mean(axis=-1, keepdims=True)
    along_x_hat = x_hat * (x_hat_bar * x_hat).mean(axis=-1, keepdims=True)
    x_bar = rstd * (x_hat_bar - along_ones - along_x_hat)
    return x_bar.reshape(y_bar.shape), scale_bar, bias_bar


course.answer("normalization.q1", 4)
course.answer("normalization.q2", (1, 0.1, 1))
course.answer("normalization.q3", "c")
course.answer("normalization.q4", "d0")
course.answer(
    "normalization.text",
    """I would ask first whether the network is switched to evaluation at all. In training, batch norm takes mean and
variance from the batch, so that what comes out for one example depends on the others; a batch of one even normalises
an example by itself, and nothing of it is left but the bias. In evaluation the running statistics stand there, and
neighbours don't matter. That the answers change with the batch says: still in training mode. If they don't, the running
statistics may be at fault: never updated, at too small a rate, or taken from other data. I would send the same example
through alone and in a batch, and print the running mean beside the mean of the data. Layer norm takes its statistics
from the example alone, and computes the same in training and in use, so none of this could have happened.""",
)
