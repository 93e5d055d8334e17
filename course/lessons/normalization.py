"""Normalisation: layer norm and its steps, RMS norm, batch norm in training and in evaluation, group norm.

    centre(x)               = x - mean(x)                                     mean over a row
    reciprocal_std(centred) = rstd = 1 / sqrt(mean(centred**2) + EPSILON)     one for each row
    layer_norm              : x_hat = centre(x) * rstd                        y = x_hat * scale + bias
    rms_norm                : x_hat = x * rstd, of x itself                   y = x_hat * scale
    batch_norm              : the same as layer norm with means over the batch, one for each column
    group_norm              : the same with means over the channels of a group, and all their positions

Variances are divided by n. Batch norm carries running statistics from step to step: a state, of which no loss is made.

Source: S. Ioffe, C. Szegedy, "Batch Normalization", 2015, arXiv:1502.03167; J. L. Ba, J. R. Kiros, G. E. Hinton, "Layer
Normalization", 2016, arXiv:1607.06450; B. Zhang, R. Sennrich, "Root Mean Square Layer Normalization", 2019,
arXiv:1910.07467; Y. Wu, K. He, "Group Normalization", 2018, arXiv:1803.08494.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

EPSILON = 1e-5
"""Is added to a variance, in its unit, so that a row of equal numbers is not divided by zero."""

DECAY = 0.9
"""The part of the running statistics that a step of training keeps."""

GROUPS = 2
"""Groups that group norm makes of the channels."""


class Running(NamedTuple):
    """Batch norm's state: running means of the batches' means and variances, one of each for a column."""

    mean: Float[Array, "d"]
    variance: Float[Array, "d"]


def centre(x: Float[Array, "batch d"]) -> Float[Array, "batch d"]:
    """Takes its mean away from every row."""
    return x - x.mean(axis=-1, keepdims=True)


def reciprocal_std(centred: Float[Array, "batch d"]) -> Float[Array, "batch 1"]:
    """Returns one over the standard deviation of each row, whose mean is zero."""
    variance = (centred**2).mean(axis=-1, keepdims=True)
    return 1 / jnp.sqrt(variance + EPSILON)


def layer_norm(
    x: Float[Array, "batch d"], scale: Float[Array, "d"], bias: Float[Array, "d"]
) -> Float[Array, "batch d"]:
    """Gives every row the mean 0 and the variance 1, then every column a scale and a bias."""
    centred = centre(x)
    x_hat = centred * reciprocal_std(centred)
    return x_hat * scale + bias


def rms_norm(x: Float[Array, "batch d"], scale: Float[Array, "d"]) -> Float[Array, "batch d"]:
    """Gives every row the mean square 1, then every column a scale."""
    x_hat = x * reciprocal_std(x)
    return x_hat * scale


def batch_norm(
    x: Float[Array, "batch d"], scale: Float[Array, "d"], bias: Float[Array, "d"], running: Running
) -> tuple[Float[Array, "batch d"], Running]:
    """Gives every column the mean 0 and the variance 1 over the batch, and moves the running statistics on.

    They are returned through `stop_gradient`: nothing comes back from them.
    """
    mean = x.mean(axis=0)
    variance = ((x - mean) ** 2).mean(axis=0)
    x_hat = (x - mean) / jnp.sqrt(variance + EPSILON)
    moved = jax.tree.map(lambda old, new: DECAY * old + (1 - DECAY) * new, running, Running(mean, variance))
    return x_hat * scale + bias, jax.lax.stop_gradient(moved)


def batch_norm_evaluation(
    x: Float[Array, "batch d"], scale: Float[Array, "d"], bias: Float[Array, "d"], running: Running
) -> Float[Array, "batch d"]:
    """Normalises every column by the running statistics, whatever the batch is."""
    x_hat = (x - running.mean) / jnp.sqrt(running.variance + EPSILON)
    return x_hat * scale + bias


def group_norm(
    x: Float[Array, "batch channels length"], scale: Float[Array, "channels"], bias: Float[Array, "channels"]
) -> Float[Array, "batch channels length"]:
    """Gives every group of channels of an example the mean 0 and the variance 1, then every channel scale and bias."""
    groups = x.reshape(len(x), GROUPS, -1)
    mean = groups.mean(axis=-1, keepdims=True)
    variance = ((groups - mean) ** 2).mean(axis=-1, keepdims=True)
    x_hat = ((groups - mean) / jnp.sqrt(variance + EPSILON)).reshape(x.shape)
    return x_hat * scale[:, None] + bias[:, None]


def deep_network(
    ws: Float[Array, "layers width width"],
    x: Float[Array, "batch width"],
    normalize: Callable[[Float[Array, "batch width"]], Float[Array, "batch width"]],
    nudges: Float[Array, "layers batch width"] | float = 0.0,
) -> Float[Array, "batch width"]:
    """Returns what many layers make of x: each multiplies by its weights, normalises, and takes the relu.

    Args:
        ws: The weights, layer after layer.
        x: What the first layer is given.
        normalize: What stands between a layer's product and its relu.
        nudges: Is added to what each layer is given: the derivative by it is that by what the layer is given.
    """

    def layer(x: Array, given: tuple[Array, Array]) -> tuple[Array, None]:
        w, nudge = given
        return jax.nn.relu(normalize((x + nudge) @ w)), None

    return jax.lax.scan(layer, x, (ws, jnp.broadcast_to(nudges, (len(ws), *x.shape))))[0]


def gradient_norms(
    ws: Float[Array, "layers width width"],
    x: Float[Array, "batch width"],
    y_bar: Float[Array, "batch width"],
    normalize: Callable[[Float[Array, "batch width"]], Float[Array, "batch width"]],
) -> Float[Array, "layers"]:
    """Returns the norm of what comes back to each layer's input, from the first layer to the last."""
    nudges = jnp.zeros((len(ws), *x.shape), x.dtype)
    _, pullback = jax.vjp(lambda nudges: deep_network(ws, x, normalize, nudges), nudges)
    (bars,) = pullback(y_bar)
    return jnp.sqrt((bars**2).sum(axis=(1, 2)))
